"""How the databases are spoken to: durable, one writer at a time on SQLite, short waits on PostgreSQL."""

import threading
import time

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Change, SignInAttempt, clock, db
from models.change import System
from models.engine import Queue

SETTINGS = {
    "sqlite": {
        "PRAGMA journal_mode": "wal",
        "PRAGMA synchronous": 2,  # FULL: a commit is on disk when it returns (FLT-03)
        "PRAGMA foreign_keys": 1,
        "PRAGMA busy_timeout": 10000,
    },
    "postgresql": {
        "SHOW synchronous_commit": "on",
        "SHOW lock_timeout": "2s",
        "SHOW idle_in_transaction_session_timeout": "5s",
        "SHOW transaction_isolation": "read committed",
    },
}


@pytest.mark.req("FLT-03", "FLT-09")
def test_every_connection_is_durable_and_waits_briefly(session: Session) -> None:
    """As set, on a connection of its own."""
    with db.engine.connect() as connection:
        for question, answer in SETTINGS[db.engine.dialect.name].items():
            assert connection.scalar(text(question)) == answer


def test_the_queue_hands_on_in_order_of_arrival() -> None:
    """Nobody overtakes, so nobody starves."""
    queue, order, threads = Queue(), [], []
    queue.take()

    def wait(number: int) -> None:
        queue.take()
        order.append(number)
        queue.give()

    for number in range(6):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        time.sleep(0.02)
    queue.give()
    for thread in threads:
        thread.join(5)
    assert order == list(range(6))


def test_who_waited_too_long_leaves_the_queue() -> None:
    """She gets an error, and the queue goes on without her."""
    queue, refused = Queue(), []
    queue.take()

    def wait() -> None:
        try:
            queue.take(seconds=0.05)
        except OperationalError as error:
            refused.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(5)
    assert len(refused) == 1
    queue.give()
    queue.take()


def test_who_waits_for_herself_is_told_at_once() -> None:
    """Writing on two connections of one thread would wait for ever."""
    queue = Queue()
    queue.take()
    with pytest.raises(OperationalError, match="this thread"):
        queue.take()


def test_a_transaction_that_read_first_may_write_after_somebody_else_wrote(app: Flask, session: Session) -> None:
    """On SQLite such a transaction would fail for good if it did not begin anew."""
    assert session.query(SignInAttempt).count() == 0

    def other() -> None:
        with app.app_context(), Change(by=System("other"), action="x"):
            pass

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(5)
    session.add(SignInAttempt(account_key="a", address="b", at=clock.now()))
    session.commit()
    assert session.query(SignInAttempt).count() == 1


def test_reading_never_waits_for_a_writer(app: Flask, session: Session) -> None:
    """A page is shown while somebody saves; it shows what was committed before."""
    seen = []

    def read() -> None:
        with app.app_context():
            seen.append(db.session.scalar(text("SELECT count(*) FROM change")))

    with Change(by=System("slow"), action="x"):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(5)
        assert seen == [0]
