"""Attempts at the same moment in several workers count together (SEC-05), on both databases."""

import importlib
import threading
from collections import Counter

import pytest
from flask import Flask

from models import db
from models.change import Change, System
from settings import Settings
from workflows import granting, signing_in
from workflows.refusals import Refusal

PASSWORD = "quiet river 42 lanterns"


@pytest.mark.req("SEC-05")
@pytest.mark.parametrize("name", ["alice", "somebody unknown"])
def test_of_sixteen_attempts_at_once_in_four_workers_five_are_judged(app: Flask, settings: Settings, name: str) -> None:
    with Change(by=System("tests"), action="create user", chain="system") as change:
        granting.create_user(change, "alice", "Alice Zhao", PASSWORD, "en")
    workers = [importlib.import_module("app").create_app(settings) for _ in range(4)]
    begin, outcomes = threading.Barrier(16), Counter[str]()

    def attempt(worker: Flask, number: int) -> None:
        with worker.app_context():
            begin.wait(30)
            try:
                signing_in.sign_in(name, "wrong wrong wrong", f"192.0.2.{number}")
            except Refusal as refusal:
                outcomes[refusal.code] += 1
            finally:
                db.session.remove()

    threads = [threading.Thread(target=attempt, args=(workers[number % 4], number)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for worker in workers:
        with worker.app_context():
            db.engine.dispose()
    assert outcomes == {"sign-in-refused": 5, "sign-in-paused": 11}
    with pytest.raises(Refusal, match="Too many attempts"):
        signing_in.sign_in(name, PASSWORD, "198.51.100.1")
