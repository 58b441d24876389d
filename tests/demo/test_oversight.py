"""What the demonstration shows beside data entry: delegation, source verification, queries, signatures, protection,
deviations and a review of the trail, all made by its people in simulated time."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from demo import deviations, loading, oversight, people, profiles
from demo.keeping import Calendar, Desk
from demo.office import Office
from models import (
    Delegation,
    Deviation,
    FormData,
    MonitoringVisit,
    Query,
    QueryMessage,
    Review,
    SdvPlan,
    Signature,
    SignedForm,
    Study,
    Subject,
    TrailReview,
    User,
    clock,
    db,
    trail,
)
from models.change import Change, System
from workflows import deviation_list, finding, publishing, signatures
from workflows.refusals import Refusal

END = date(2016, 1, 31)
DEVIATIONS = '\n[deviations]\nform = "DV"\nterm = "DVTERM"\ndate = "DVSTDAT"\ncategory = "DVCAT"\nseverity = "DVSEV"\n'
NEVER_APPROVED = "0.9"


def cohort() -> list[profiles.Profile]:
    """Somebody who is treated in the first year, and three at the same site who fail screening."""
    drawn = profiles.draw(42)
    treated = next(each for each in drawn if each.plot == "plain" and each.failure is None)
    failed = [replace(each, plot="plain") for each in drawn if each.failure][:3]
    days = (date(2015, 3, 10), date(2015, 6, 9), date(2015, 12, 8))
    return [replace(treated, consent=profiles.FIRST_DAY, site="01")] + [
        replace(each, consent=day, site="01") for each, day in zip(failed, days, strict=True)
    ]


def count(column, *conditions) -> dict:  # type: ignore[no-untyped-def,type-arg]
    """How many rows have each value of a column."""
    return {
        row[0]: row[1] for row in db.session.execute(select(column, func.count()).where(*conditions).group_by(column))
    }


@pytest.mark.req("SIG-09", "SIG-11", "AUD-12", "DAT-11", "DAT-13")
def test_the_people_of_the_demonstration_do_what_its_pages_show(app, monkeypatch):
    """One load, because it is long; every count is of what a page lists."""
    chosen = cohort()
    monkeypatch.setattr(profiles, "draw", lambda participants: chosen)
    loading.load(quiet=True, until=END)

    lines = list(db.session.scalars(select(Delegation)))
    assert {task for line in lines for task in line.tasks} == {"consent", "enter data", "sign", "coordinate"}
    assert len(lines) == 4 and all(line.starts_on == profiles.FIRST_DAY for line in lines)
    assert min(each.saved_at for each in db.session.scalars(select(FormData))) > max(each.created_at for each in lines)

    assert set(count(SdvPlan.scope)) == {"all"}
    verified = [each.verified for each in db.session.scalars(select(Review))]
    assert sum(bool(each) for each in verified) > 20
    visits = count(MonitoringVisit.status)
    assert visits["open"] == 1 and visits["finished"] >= 3
    done = db.session.scalars(select(MonitoringVisit).where(MonitoringVisit.status == "finished"))
    assert all(each.report is not None and each.report["plan"]["asked"] for each in done)

    asked = count(Query.status, Query.check_id.is_(None))
    assert asked["open"] and asked["closed"] and sum(asked.values()) <= 30
    assert db.session.scalar(select(func.count()).where(Query.changed_data, Query.check_id.is_(None)))
    acts = count(QueryMessage.act)
    assert acts["answered"] and acts["reopened"] == 1

    assert set(count(Signature.level)) == {"event", "casebook"}
    assert db.session.scalar(select(func.count()).where(SignedForm.broken_at.is_not(None)))
    states = signatures.states_of(db.session.scalars(select(FormData.id)))
    assert 0 < len(states) < db.session.scalar(select(func.count(FormData.id))), "some forms wait for a signature"
    assert signatures.verify_signatures() == []

    assert count(Subject.protection) == {"locked": 1, "frozen": 1, "open": 2}
    assert count(TrailReview.site_id) == {lines[0].site_id: 1}
    assert trail.verify_all() == []


@pytest.fixture
def naming(tmp_path) -> Path:
    """The trial as a version that says in which form deviations are recorded."""
    folder = tmp_path / "carbon-breast" / "v1"
    shutil.copytree(loading.STUDY, folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    if "[deviations]" not in text:
        (folder / "study.toml").write_text(text + DEVIATIONS, encoding="utf-8")
    publishing.seal(folder)
    return folder


def office_of(folder: Path) -> Office:
    """A version of the trial published, and the people of its first site."""
    calendar = Calendar(profiles.FIRST_DAY)
    with clock.at(calendar.tick()):
        with Change(by=System("test"), action="publish", chain="carbon-breast") as change:
            publishing.publish(change, folder)
        study = db.session.scalars(select(Study)).one()
        users = people.create(list(study.sites))
    site = next(each for each in study.sites if each.code == "01")
    desk = Desk(study.oid, site, users["nurse.wuwei"], users["investigator.wuwei"], Random(1), calendar)
    return Office(desk, users["monitor.wuwei"], users["datamanager"], Random(2), calendar.day, END, leads=True)


def depart(office: Office, number: int) -> None:
    """Participants sign a consent form that was never approved: the investigator lets it pass, a deviation is proposed."""
    for _ in range(number):
        desk, day = office.desk, office.today.isoformat()
        subject = desk.screen()
        consent = {"ICFVER": NEVER_APPROVED, "ICFVDT": "2014-01-01", "ICFTYP": "INIT", "DSSTDAT": day, "ICFIDT": day}
        desk.save(subject, "LOG", "ICF", office.today, {**consent, "ICFINV": desk.investigator.username})


def statuses(user: User) -> dict[str, int]:
    """The deviations by their status as the page names it."""
    listed, _ = deviation_list.page(user, 1, 100)
    return {status: sum(each.status == status for each in listed) for status in {each.status for each in listed}}


def test_deviations_are_recorded_and_acknowledged_or_dismissed_and_some_wait(app, naming):
    office = office_of(naming)
    depart(office, 4)
    assert statuses(office.desk.investigator) == {"proposed": 4}
    for _ in range(2):
        deviations.settle(office)
    assert statuses(office.desk.investigator) == {"acknowledged": 1, "recorded": 1, "dismissed": 1, "proposed": 1}
    recorded = list(db.session.scalars(select(FormData).where(FormData.form_id == "DV")))
    assert len(recorded) == 2 and all(each.entry == "complete" for each in recorded)
    assert all(each.why for each in db.session.scalars(select(Deviation).where(Deviation.status == "dismissed")))


def test_nothing_is_recorded_under_a_version_that_names_no_form_for_it(app):
    """What the published first version does not say, the demonstration does not pretend."""
    office = office_of(loading.STUDY)
    names_a_form = finding.design_for(office.desk.site).deviations is not None
    depart(office, 2)
    deviations.settle(office)
    assert ("recorded" in statuses(office.desk.investigator)) is names_a_form


@pytest.mark.req("SIG-11")
def test_consent_is_taken_only_by_whom_the_log_names(app):
    """The trial's consent form asks the delegation log, which the investigator opens before the first screening."""
    office = office_of(loading.STUDY)
    next(oversight.story(office))
    subject = office.desk.screen()
    day = office.today.isoformat()
    consent = {"ICFVER": "1.0", "ICFVDT": "2014-01-01", "ICFTYP": "INIT", "DSSTDAT": day, "ICFIDT": day}
    with pytest.raises(Refusal, match="is not delegated to obtain informed consent"):
        office.desk.save(subject, "LOG", "ICF", office.today, {**consent, "ICFINV": office.desk.nurse.username})
    assert office.desk.save(
        subject, "LOG", "ICF", office.today, {**consent, "ICFINV": office.desk.investigator.username}
    )
