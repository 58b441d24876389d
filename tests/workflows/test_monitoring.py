"""Monitoring visits: opened and finished once, by their monitor; a report that equals what was done and never changes."""

from datetime import timedelta

import pytest

from models import Change, MonitoringVisit, Query, QueryMessage, Subject, clock, db
from tests.monitored import DAY, VITALS, Trial, day
from workflows import access, finding, monitoring, verifying
from workflows.refusals import Forbidden, NotFound, Refusal


@pytest.fixture
def trial(app, tmp_path) -> Trial:
    return Trial(app, tmp_path)


def begin(trial: Trial, name: str = "mona", kind: str = "on_site") -> MonitoringVisit:
    with trial.by(name, "open monitoring visit") as change:
        return monitoring.open_visit(change, trial.site(), kind, day("2026-03-16"))


def note(trial: Trial, visit: MonitoringVisit, name: str = "mona") -> None:
    with trial.by(name, "write monitoring visit") as change:
        monitoring.note(change, visit, "Alice, Ines", "All seen.", "Send the logs.")


def finish(trial: Trial, visit: MonitoringVisit, name: str = "mona", ends: str = "2026-03-17") -> None:
    with trial.by(name, "finish monitoring visit", at=DAY + timedelta(hours=5)) as change:
        monitoring.finish(change, visit, day(ends))


def code_of(act, *args: object, **named: object) -> str:
    with pytest.raises(Refusal) as caught:
        act(*args, **named)
    return caught.value.code


def test_a_visit_goes_from_open_to_finished_and_nowhere_else(trial: Trial) -> None:
    visit = begin(trial)
    assert code_of(begin, trial) == "visit-open"
    assert code_of(finish, trial, visit) == "visit-summary"
    note(trial, visit)
    assert code_of(finish, trial, visit, ends="2026-03-15") == "visit-dates"
    finish(trial, visit)
    assert (visit.status, visit.ends_on, visit.finished_at) == ("finished", day("2026-03-17"), DAY + timedelta(hours=5))
    assert code_of(finish, trial, visit) == "visit-finished"
    assert code_of(note, trial, visit) == "visit-finished"
    assert begin(trial).id != visit.id


@pytest.mark.req("ACC-01", "ACC-02")
def test_who_keeps_visits(trial: Trial) -> None:
    visit = begin(trial)
    assert code_of(note, trial, visit, name="mika") == "visit-not-yours"
    assert code_of(finish, trial, visit, name="mika") == "visit-not-yours"
    allowed = set()
    for role in access.ROLES:
        user = trial.person(f"as-{role}", role)
        try:
            with clock.at(DAY), Change(by=user, action="open monitoring visit", chain="small") as change:
                monitoring.open_visit(change, trial.site(), "remote", day("2026-03-16"))
            allowed.add(role)
        except Forbidden:
            pass
    assert allowed == {"monitor"}
    assert code_of(begin, trial, name="mika", kind="party") == "invalid"
    assert monitoring.find_visit(trial.user("alice"), visit.id) is visit, "both sides can read it"
    with pytest.raises(NotFound):
        monitoring.find_visit(trial.user("bob"), visit.id)
    assert visit in monitoring.list_visits(trial.user("dora")) and monitoring.list_visits(trial.user("bob")) == []


def test_marks_carry_the_open_visit_of_that_monitor_at_that_site(trial: Trial) -> None:
    visit = begin(trial)
    mona, mika = trial.user("mona"), trial.user("mika")
    assert monitoring.open_visit_of(mona, trial.site().id) is visit
    assert monitoring.open_visit_of(mika, trial.site().id) is None
    assert monitoring.open_visit_of(mona, trial.site("02").id) is None
    subject = trial.screen()
    data = trial.save(subject, "VS", VITALS)
    for name, path in (("mona", "VS/1/HEIGHT"), ("mika", "VS/1/WEIGHT")):
        with trial.by(name, "verify", subject=subject) as change:
            verifying.verify_items(change, data, data.revision, [path])
    cells = verifying.marks_of([data.id])[data.id]["VS"]["1"]
    assert cells["HEIGHT"]["visit"] == visit.id and "visit" not in cells["WEIGHT"]
    note(trial, visit)
    finish(trial, visit)
    assert monitoring.open_visit_of(mona, trial.site().id) is None


def ask(trial: Trial, subject: Subject, text: str, visit: MonitoringVisit | None, status: str = "open") -> None:
    mona = trial.user("mona")
    with trial.by("mona", "raise query", subject=subject):
        query = Query(
            site_id=subject.site_id, subject_id=subject.id, paths=[], reason_code="source", status=status, assignee="nurse",
            raised_by=mona.full_name, raised_by_id=mona.id, raised_at=DAY, reopened=0, changed_data=False,
            visit_id=visit.id if visit else None, revision=1,
        )  # fmt: skip
        db.session.add(query)
        acts = ["opened", "closed"] if status == "closed" else ["opened"]
        for act in acts:
            db.session.add(
                QueryMessage(query=query, act=act, text=text, at=DAY, by="Mona", by_id=mona.id, role="monitor")
            )


def test_the_report_equals_what_was_done_and_stays(trial: Trial) -> None:
    """Marked before, by others, withdrawn since: told apart. Queries of the visit, closed ones, open ones at the site."""
    subject, other = trial.screen(), trial.screen()
    data = trial.save(subject, "VS", VITALS)
    with trial.by("mona", "verify", subject=subject) as change:
        verifying.verify_items(change, data, data.revision, ["VS/1/FEVER"])
    visit = begin(trial)
    with trial.by("mona", "verify", subject=subject) as change:
        verifying.verify_items(change, data, data.revision, ["VS/1/HEIGHT", "VS/1/WEIGHT"])
    consent = finding.place(trial.user("mona"), other.id, "SCR", "ICF", 1).data
    with trial.by("mona", "verify", subject=other) as change:
        verifying.verify_form(change, consent, consent.revision)
    trial.save(subject, "VS", {**VITALS, "WEIGHT": "61.0"})
    ask(trial, subject, "Which scale?", visit)
    ask(trial, subject, "And this?", visit, "closed")
    ask(trial, other, "Before the visit", None)
    note(trial, visit)
    finish(trial, visit)
    report = visit.report
    assert report is not None
    verified = report["verified"]
    assert {k: verified[k] for k in ("forms", "items", "withdrawn", "participants")} == {
        "forms": 2, "items": 3, "withdrawn": 1, "participants": 2,
    }  # fmt: skip
    assert [
        (line["participant"], line["form"]["en"], line["items"], line["withdrawn"]) for line in verified["list"]
    ] == [
        ("01-S001", "Vital signs", 2, 1),
        ("01-S002", "Informed consent", 1, 0),
    ]
    assert verified["list"][0]["visit"] == {"en": "Screening", "zh": "筛选"}
    assert [(q["participant"], q["text"], q["status"]) for q in report["queries"]["raised"]] == [
        ("01-S001", "Which scale?", "open"),
        ("01-S001", "And this?", "closed"),
    ]
    assert (report["queries"]["closed"], report["queries"]["open"], report["queries"]["answered"]) == (1, 2, 0)
    assert report["plan"] == {"asked": 5, "verified": 3}
    trial.save(subject, "VS", {**VITALS, "HEIGHT": "150.0"})
    db.session.expire_all()
    assert db.session.get(MonitoringVisit, visit.id).report == report
    assert monitoring.report_of(visit)["verified"]["withdrawn"] == 2, "computed anew it would be another one"
