"""Two people at one query at once: one is done, the other is told; nothing is lost. A hundred rounds on each database."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from models import Query, db
from models.change import ChangedMeanwhile
from tests.asking import Asking
from workflows.refusals import Refusal

ROUNDS = 100


@pytest.fixture
def clinic(app, tmp_path):
    return Asking(tmp_path, app)


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
