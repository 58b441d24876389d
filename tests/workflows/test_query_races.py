"""Two people at one query at once: one is done, the other is told; nothing is lost. A hundred rounds on each database."""

# ruff: noqa: F401

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models import Change, ChangeEntries, Query, clock, db, trail
from models.change import ChangedMeanwhile
from settings import Settings
from tests import racing
from tests.asking import Asking
from tests.clinic import NOW
from tests.racing import Act, Opening, told_when_in_the_midst
from workflows import finding, querying
from workflows.refusals import Refusal

ROUNDS = 100


@pytest.fixture
def clinic(app, tmp_path):
    with clock.at(NOW):
        yield Asking(tmp_path, app)


def together(*works: Callable[[], Any]) -> list[str]:
    """Do these at the same moment, each in a thread of its own; how each ended."""
    start, ends = threading.Barrier(len(works)), [""] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        start.wait()
        try:
            work()
            ends[place] = "done"
        except Refusal as refusal:
            ends[place] = refusal.code
        except (ChangedMeanwhile, OperationalError):
            ends[place] = "again"  # the page says: somebody was quicker, try again

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.req("DAT-12")
def test_two_answer_and_close_at_once(clinic) -> None:
    subject = clinic.screen()
    ends: Counter[str] = Counter()
    for number in range(ROUNDS):
        query_id = clinic.ask("mona", subject, "SCR", text=f"Question {number}?")
        found = together(
            lambda query_id=query_id: clinic.do("alice", query_id, "answer", "Mine.", revision=1),
            lambda query_id=query_id: clinic.do("mona", query_id, "close", "", revision=1),
        )
        assert "done" in found
        ends.update(found)
    for query in clinic.queries(subject):
        assert len(query.messages) == query.revision == 2, "exactly one of the two was done"
    assert ends["done"] == ROUNDS and ends["query-moved"] + ends["again"] == ROUNDS


@pytest.mark.req("DAT-12")
def test_a_save_that_fails_again_and_a_close_at_once(clinic) -> None:
    """Whoever comes first: the query ends closed by one of them, its data marked as changed, and never twice."""
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    (query,) = clinic.queries(subject)
    for _round in range(ROUNDS):
        with clinic.app.app_context():
            shown = db.session.get_one(Query, query.id).revision
        ends = together(
            lambda: clinic.vital(subject, HEIGHT="170.0"),
            lambda shown=shown: clinic.do("mona", query.id, "close", "", revision=shown),
        )
        assert ends[0] == "done" and ends[1] in ("done", "query-moved", "not-now", "again")
        (now,) = clinic.queries(subject)
        assert (now.status, now.messages[-1].act) == ("closed", "closed")
        clinic.vital(subject, HEIGHT="195.0")
        (now,) = clinic.queries(subject)
        assert now.status == "open"
    assert len(clinic.queries(subject)) == 1


@pytest.fixture
def workers(clinic: Asking, settings: Settings) -> Iterator[list[Flask]]:
    """Two applications on the database of the test, as two processes of the server are."""
    with racing.applications(settings) as made:
        yield made


def answering(query_id: int, text: str) -> Opening:
    """Ines answers the query on the page she has open."""

    def open_page() -> Act:
        ines = racing.person("ines")
        query = finding.query(ines, query_id)
        revision = query.revision

        def act() -> None:
            with Change(by=ines, action="answer query", subject=query.subject, chain="small") as change:
                querying.do(change, query, "answer", text, revision)

        return act

    return open_page


def corrections() -> list[tuple[str, list[int]]]:
    """Every weight or height that was corrected, in the order of the trail, with the queries that its change names."""
    selection = select(ChangeEntries).join(Change, Change.id == ChangeEntries.change_id)
    found = db.session.scalars(selection.where(Change.action == "save form").order_by(Change.id))
    told = []
    for body in found:
        told += [
            (entry["new"], (body.detail or {}).get("queries", []))
            for entry in body.entries
            if entry["path"].endswith(("/answers/VS/1/WEIGHT", "/answers/VS/1/HEIGHT")) and body.reason == "misread"
        ]
    return told


@pytest.mark.req("DAT-12", "FLT-11")
@pytest.mark.usefixtures("told_when_in_the_midst")
def test_editing_against_answering_what_a_person_asked(clinic: Asking, workers: list[Flask]) -> None:
    """Both are done, whoever is first: the answer stands in the conversation, the correction names the query."""
    subject = clinic.screen()
    clinic.vital(subject)
    asked, orders = [], Counter[str]()
    for number in range(racing.ROUNDS):
        asked.append(clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"], text=f"Question {number}?"))
        save = racing.saving(subject, "VS/1/WEIGHT", f"{61 + number}.0")
        ends = racing.together(workers, number, save, answering(asked[-1], f"Answer {number}."))
        assert ends == ["done", "done"]
        db.session.rollback()
        actions = db.session.scalars(select(Change.action).order_by(Change.id.desc()).limit(2)).all()
        orders[actions[1]] += 1
        clinic.do("mona", asked[-1], "close", "")
    assert orders.total() == racing.ROUNDS and set(orders) == {"save form", "answer query"}
    for number, query in enumerate(clinic.queries(subject)):
        said = [(message.act, message.text) for message in query.messages]
        assert said[:2] == [("opened", f"Question {number}?"), ("answered", f"Answer {number}.")]
        assert (query.status, query.changed_data) == ("closed", True)
    assert corrections() == [(f"{61 + number}.0", [query_id]) for number, query_id in enumerate(asked)]
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()


@pytest.mark.req("DAT-12", "FLT-11")
@pytest.mark.usefixtures("told_when_in_the_midst")
def test_editing_against_answering_what_a_check_asks(clinic: Asking, workers: list[Flask]) -> None:
    """The correction is always done and closes the query; the answer comes before it, or is told that it moved."""
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    (query,) = clinic.queries(subject)
    ends, answered = Counter[tuple[str, ...]](), []
    for number in range(racing.ROUNDS):
        save, answer = racing.saving(subject, "VS/1/HEIGHT", "170.0"), answering(query.id, f"Answer {number}.")
        end = tuple(racing.together(workers, number, save, answer))
        (now,) = clinic.queries(subject)
        assert now.status == "closed" and now.messages[-1].by == "system:check"
        assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["HEIGHT"] == "170.0"
        answered += [f"Answer {number}."] if end[1] == "done" else []
        ends[end] += 1
        clinic.vital(subject, HEIGHT="195.0")
    assert ends.total() == racing.ROUNDS and set(ends) == {("done", "done"), ("done", "query-moved")}
    (now,) = clinic.queries(subject)
    assert [message.text for message in now.messages if message.act == "answered"] == answered
    assert (now.status, now.reopened) == ("open", racing.ROUNDS)
    assert corrections() == [("170.0", [query.id])] * racing.ROUNDS
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()
