"""Fifty people at once: every screening and every enrolment number is issued once and never again (DAT-14, SEC-45)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models import Change, Subject, clock, db, trail
from models.change import ChangedMeanwhile
from tests import asking
from tests.clinic import NOW
from tests.signing import Signing
from workflows import enrolling
from workflows.refusals import Refusal

MANY, PLACES = 50, 45
AGAIN = (OperationalError, InternalError, PoolTimeout, ChangedMeanwhile)  # the page says: busy, try again
STAFF = {"01": ("alice", "ines"), "02": ("bob", "ines2")}  # nurse and investigator of each site
ENROLMENT = """
id = "ENR"
en = "Enrolment"
zh = "入组"
[[items]]
id = "ENRYN"
en = "Enrolled"
zh = "是否入组"
type = "code"
codelist = "NY"
required = true
"""


def files() -> dict[str, str]:
    """The small study with 45 places and a form that takes one."""
    made = asking.small_study.files() | {"forms/ENR.toml": ENROLMENT}
    study = made["study.toml"].replace('"SV", "VS", "LB?", "PHO?"]', '"SV", "VS", "LB?", "PHO?", "ENR"]')
    study = study.replace("value = 42", f"value = {PLACES}")
    study = study.replace('enrol_cap = "CAP"', 'enrol_cap = "CAP"\nenrol = "ENR.ENRYN = \'Y\'"')
    statuses = "screen_failed = \"ENR.ENRYN = 'N'\"\nenrolled = \"ENR.ENRYN = 'Y'\"\n"
    return made | {"study.toml": study.replace("[rules]", f"{statuses}\n[rules]")}


@pytest.fixture
def clinic(app, tmp_path, monkeypatch) -> Iterator[Signing]:
    monkeypatch.setattr(asking, "files", files)
    with clock.at(NOW):
        yield Signing(tmp_path, app)


def all_at_once(clinic: Signing, works: list[Callable[[], Any]]) -> list[str]:
    """Each in a thread of its own, all begun at one moment; who is told to try again does. How each ended."""
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> str:
        with clock.at(NOW):
            begin.wait(60)
            for _try in range(MANY):
                try:
                    work()
                    return "done"
                except Refusal as refusal:
                    return refusal.code
                except AGAIN:
                    continue
            return "given up"

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def screen(clinic: Signing, code: str) -> None:
    with clinic.app.app_context():
        site = clinic.site(code)
        with Change(by=clinic.user(STAFF[code][0]), action="screen", site=site, chain="small") as change:
            enrolling.screen(change, site)


def decide(clinic: Signing, subject: Subject, answer: str, reason: str | None = None) -> Callable[[], Any]:
    """The investigator saves the enrolment form."""
    subject_id, name = subject.id, STAFF[subject.site.code][1]
    return lambda: clinic.store(subject_id, "SCR", "ENR", {"ENR": {"1": {"ENRYN": answer}}}, name=name, reason=reason)


def consent(clinic: Signing, subject: Subject) -> None:
    answers = {"ICF": {"1": {"CONSDAT": "2026-03-10"}}}
    clinic.store(subject.id, "SCR", "ICF", answers, name=STAFF[subject.site.code][0])


def everybody() -> list[Subject]:
    """All participants, fresh."""
    db.session.rollback()
    selection = select(Subject).order_by(Subject.id).execution_options(populate_existing=True)
    return list(db.session.scalars(selection))


def numbered(form: str, count: int) -> set[str]:
    return {form.format(n) for n in range(1, count + 1)}


@pytest.mark.req("DAT-14", "SEC-45", "FLT-14")
def test_fifty_are_screened_and_enrolled_at_once_and_no_number_is_issued_twice(clinic: Signing) -> None:
    """Numbers are gapless per site, places in the study; the last place is taken once. What a screen failure leaves behind
    goes to nobody: not her number, not her place.
    """
    sites = ["01", "02"] * (MANY // 2)
    assert all_at_once(clinic, [lambda code=code: screen(clinic, code) for code in sites]) == ["done"] * MANY
    people = everybody()
    assert {each.screening_number for each in people} == numbered("01-S{:03}", 25) | numbered("02-S{:03}", 25)

    for each in people:
        consent(clinic, each)
    ends = all_at_once(clinic, [decide(clinic, each, "Y") for each in everybody()])
    assert Counter(ends) == {"done": PLACES, "enrolment-closed": MANY - PLACES}
    people = everybody()
    enrolled = [each for each in people if each.number]
    at = Counter(each.site.code for each in enrolled)
    assert {each.number for each in enrolled} == numbered("01-{:03}", at["01"]) | numbered("02-{:03}", at["02"])
    assert sorted(each.place for each in enrolled) == list(range(1, PLACES + 1))
    assert [each.status for each in people] == ["enrolled" if end == "done" else "consented" for end in ends]

    first, waits = enrolled[0], next(each for each in people if not each.number)
    held = (first.id, first.number, first.place)
    decide(clinic, first, "N", "not eligible after all")()
    with pytest.raises(Refusal) as refused:
        decide(clinic, waits, "Y")()
    assert refused.value.code == "enrolment-closed"
    screen(clinic, "01")
    failed = next(each for each in everybody() if each.id == held[0])
    assert (failed.status, failed.id, failed.number, failed.place) == ("screen_failed", *held)
    assert everybody()[-1].screening_number == "01-S026"
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()


@pytest.mark.req("DAT-14")
def test_the_number_after_a_screen_failure_is_a_new_one(clinic: Signing) -> None:
    """Below the limit: the next participant of the site gets the next number, not the one that became free."""
    for _ in range(3):
        screen(clinic, "01")
    first, second, third = everybody()
    for each in (first, second, third):
        consent(clinic, each)
    decide(clinic, first, "Y")()
    decide(clinic, second, "Y")()
    decide(clinic, second, "N", "not eligible after all")()
    decide(clinic, third, "Y")()
    assert [(each.number, each.status) for each in everybody()] == [
        ("01-001", "enrolled"), ("01-002", "screen_failed"), ("01-003", "enrolled"),
    ]  # fmt: skip
