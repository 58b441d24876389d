"""The nightly run: what time alone makes true, once; resumable; nothing the second time."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import Change, FormData, Query, Subject, db
from models import clock as time
from models.change import Change as Recorded
from models.change import System
from tests.asking import Asking
from tests.clinic import NOW
from workflows import enrolling, finding, nightly

LATER = NOW + timedelta(days=60)


@pytest.fixture
def clinic(app, tmp_path):
    with time.at(NOW):
        yield Asking(tmp_path, app)


def run(clinic: Asking, at=LATER) -> nightly.Report:
    with clinic.app.app_context(), time.at(at):
        return nightly.run()


def changes(clinic: Asking) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Change))


def test_time_alone_makes_a_check_fail_and_the_second_run_changes_nothing(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-11")
    assert run(clinic, NOW).changed == 0
    report = run(clinic)
    assert (report.participants, report.changed) == (1, 1)
    assert {query.check_id: query.status for query in clinic.queries(subject)} == {"X04": "open", "OVERDUE": "open"}
    stored = db.session.scalars(select(FormData.findings).where(FormData.form_id == "VS")).one()
    assert [found["check"] for found in stored] == ["X04"]
    before = changes(clinic)
    assert run(clinic).changed == 0 and changes(clinic) == before


def test_the_run_is_one_change_per_participant_by_the_system(clinic) -> None:
    for _ in range(3):
        clinic.vital(clinic.screen(), VSDAT="2026-03-11")
    assert run(clinic).changed == 3
    done = db.session.scalars(select(Change).where(Change.action == "check run")).all()
    assert len({change.subject_id for change in done}) == len(done) == 3
    assert all(change.user_id is None and change.user_name.startswith("system:check") for change in done)


def test_an_interrupted_run_goes_on(clinic, monkeypatch) -> None:
    for _ in range(3):
        clinic.vital(clinic.screen(), VSDAT="2026-03-11")
    real, calls = nightly._run_one, []

    def stops(subject_id, *rest):
        calls.append(subject_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(subject_id, *rest)

    monkeypatch.setattr(nightly, "_run_one", stops)
    with pytest.raises(KeyboardInterrupt):
        run(clinic)
    monkeypatch.setattr(nightly, "_run_one", real)
    report = run(clinic)
    assert (report.participants, report.changed) == (3, 2)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Query).where(Query.check_id == "X04")) == 3


@pytest.mark.parametrize("how", ["done", "missed", "not done"])
def test_an_overdue_visit_is_asked_about_until_somebody_says_what_became_of_it(clinic, how) -> None:
    subject = clinic.screen()
    run(clinic)
    (query,) = clinic.queries(subject)
    assert (query.check_id, query.form_id, query.reason_code, query.study_event.key) == (
        "OVERDUE",
        None,
        "overdue",
        "FU1",
    )
    answers = {"done": {"VISDAT": "2026-04-10"}, "not done": {"VISND": "Floods"}}
    if how == "missed":
        with clinic.app.app_context():
            user = clinic.user("alice")
            person = finding.subject(user, subject)
            with Recorded(by=user, action="mark visit", reason="Floods", subject=person, chain="small") as change:
                enrolling.mark_visit(change, person, finding.event(person, "FU1"), "missed")
    else:
        clinic.store(subject, "FU1", "SV", {"SV": {"1": answers[how]}})
    (query,) = clinic.queries(subject)
    assert query.status == "closed" and clinic.said(query)[-1] == ("closed", "system:check")
    assert run(clinic).changed == 0


def test_a_visit_that_is_overdue_again_is_asked_about_again_in_the_same_row(clinic) -> None:
    subject = clinic.screen()
    run(clinic)
    clinic.store(subject, "FU1", "SV", {"SV": {"1": {"VISDAT": "2026-04-10"}}})
    clinic.store(subject, "FU1", "SV", {"SV": {"1": {"VISND": "x"}}}, reason="wrong")
    clinic.error(subject, "FU1", "SV")
    run(clinic)
    (query,) = clinic.queries(subject)
    assert (query.status, query.reopened) == ("open", 1)


def test_what_a_person_closed_stays_closed_at_night(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-11")
    run(clinic)
    for query in clinic.queries(subject):
        clinic.do("dora", query.id, "close", "Accepted.")
    assert run(clinic).changed == 0
    assert {query.status for query in clinic.queries(subject)} == {"closed"}


def test_locked_and_wrong_records_are_left_alone(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-11")
    clinic.error(subject, "SCR", "VS")
    other = clinic.screen()
    clinic.vital(other, VSDAT="2026-03-11")
    clinic.protect(FormData, "locked", subject_id=other)
    run(clinic)
    assert [query.check_id for each in (subject, other) for query in clinic.queries(each)] == ["OVERDUE", "OVERDUE"]


def test_findings_from_before_there_were_queries_get_theirs(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    with clinic.app.app_context(), Recorded(by=System("tests"), action="forget", chain="small"):
        for query in db.session.scalars(select(Query)):
            for message in list(query.messages):
                db.session.delete(message)
            db.session.delete(query)
    assert clinic.queries(subject) == []
    assert run(clinic, NOW).acts == {"open": 1}


@pytest.mark.req("DAT-13")
@pytest.mark.parametrize("scope", ["subject", "site", "study"])
def test_nothing_is_judged_or_asked_inside_a_lock(clinic, scope: str) -> None:
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-11")
    with clinic.app.app_context():
        person = db.session.get_one(Subject, subject)
        locked = {"subject": person, "site": person.site, "study": person.site.study}[scope]
        with Recorded(by=System("tests"), action="lock", chain="small"):
            locked.protection = "locked"
            for data in db.session.scalars(select(FormData)):
                data.protection = "locked"
    before = changes(clinic)
    assert run(clinic, NOW + timedelta(days=400)).changed == 0 and changes(clinic) == before
    assert clinic.queries(subject) == []
