"""Two people at the same moment, each in an application with connections of her own, as two processes of a server are.

In every round both have the page open before either acts. They take turns: at one moment; or one begins while the other
is in the midst of her change.
"""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from design import answers as documents
from models import User, clock, db
from models.change import Change
from settings import Settings
from tests.clinic import NOW
from workflows import entering, finding
from workflows.refusals import Refusal

ROUNDS = 100
IN_THREAD = threading.local()
Act = Callable[[], Any]
Opening = Callable[[], Act]  # opens a page, and gives back what is done on it


@contextmanager
def applications(settings: Settings) -> Iterator[list[Flask]]:
    """Two applications on the database of the test."""
    made = [importlib.import_module("app").create_app(settings) for _ in range(2)]
    yield made
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def told_when_in_the_midst(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has an `inside` sets it as soon as its transaction has begun."""
    enter = Change.__enter__

    def entering_change(change: Change) -> Change:
        entered = enter(change)
        getattr(IN_THREAD, "inside", threading.Event()).set()
        return entered

    monkeypatch.setattr(Change, "__enter__", entering_change)


def together(workers: list[Flask], number: int, *openings: Opening) -> list[str]:
    """Both open their pages, then both act; how each ended: done, or the code of the refusal.

    In a third of the rounds they act at one moment; else the one waits until the other is in the midst of her change.
    """
    begin, ends, faults = threading.Barrier(2), ["", ""], list[BaseException]()
    inside, second = threading.Event(), number % 3

    def run(each: int) -> None:
        try:
            with workers[each].app_context(), clock.at(NOW):
                act = openings[each]()
                begin.wait(30)
                if each == second:
                    assert inside.wait(30)
                else:
                    IN_THREAD.inside = inside
                try:
                    act()
                    ends[each] = "done"
                except Refusal as refusal:
                    ends[each] = refusal.code
        except BaseException as fault:
            begin.abort()
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(each,)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    return ends


def person(name: str) -> User:
    """Somebody, by user name."""
    return db.session.scalars(select(User).where(User.username == name)).one()


def saving(subject: int, path: str, value: Any) -> Opening:
    """Alice corrects one answer of the vital signs on the page she has open."""

    def open_page() -> Act:
        alice = person("alice")
        place = finding.place(alice, subject, "SCR", "VS", 1)
        assert place.data is not None
        answers, revision = documents.apply(place.data.answers, [(path, value)]), place.data.revision

        def act() -> None:
            with Change(by=alice, action="save form", reason="misread", subject=place.subject, chain="small") as change:
                entering.save_form(change, place, answers, revision)

        return act

    return open_page
