"""The synthetic trial tells the truth: what one form says, the others do not contradict."""

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import select

from demo import endings, loading, people, profiles
from demo.keeping import Calendar, Desk
from demo.screening import story
from models import FormData, Study, Subject, clock, db
from models.change import Change, System
from workflows import publishing

MOST_FINDINGS = 3  # open findings of a participant that people would believe


@pytest.fixture
def desk(app) -> Desk:
    """The real trial published, and the staff of one centre."""
    calendar = Calendar(profiles.FIRST_DAY)
    with clock.at(calendar.tick()):
        with Change(by=System("test"), action="publish", chain="carbon-breast") as change:
            publishing.publish(change, loading.STUDY)
        study = db.session.scalars(select(Study)).one()
        users = people.create(list(study.sites))
    site = next(each for each in study.sites if each.code == "01")
    return Desk(study.oid, site, users["nurse.wuwei"], users["investigator.wuwei"], Random(1), calendar)


def person(plot: str) -> profiles.Profile:
    """Somebody of the trial with this plot."""
    return next(each for each in profiles.draw(42) if each.plot == plot)


def consented(desk: Desk, somebody: profiles.Profile) -> Subject:
    """A participant as she is after the first day of her story."""
    desk.calendar.turn_to(somebody.consent)
    next(story(desk, somebody))
    return db.session.scalars(select(Subject)).one()


def left(desk: Desk, plot: str) -> dict[str, list[dict]]:
    """What is recorded when somebody leaves: the answers of every form, by form."""
    somebody = person(plot)
    subject = consented(desk, somebody)
    for day in endings.end(desk, subject, somebody, somebody.consent + timedelta(days=400), "FU12M"):
        desk.calendar.turn_to(day)
    found: dict[str, list[dict]] = {}
    for data in db.session.scalars(select(FormData).order_by(FormData.id)):
        found.setdefault(data.form_id, []).append(data.answers.get(data.form_id, {}).get("1", {}))
    return found


def findings() -> Counter[str]:
    """The open findings of all forms, by check."""
    stored = db.session.scalars(select(FormData).where(FormData.in_error.is_(None)))
    return Counter(each["check"] for data in stored for each in data.findings)


def test_who_is_lost_was_sought_three_times_in_two_ways(desk):
    forms = left(desk, "lost")
    contacts = [each for each in forms["SS"] if each["SSVIT"] == "UNK"]
    assert max(int(each["SSTRY"]) for each in contacts) >= 3
    assert len({each["SSSRC"] for each in contacts}) >= 2
    assert forms["EOS"][0]["EOSRS"] == "LTF"
    assert not {"SS03", "EOS02"} & set(findings())


@pytest.mark.parametrize("plot", ["death_cancer", "death_other"])
def test_a_death_is_told_by_a_contact_and_its_dates_agree(desk, plot):
    forms = left(desk, plot)
    assert [each["SSVIT"] for each in forms["SS"]] == ["DEAD"]
    died, ended = forms["DD"][0]["DTHDAT"], forms["EOS"][0]["EOSDAT"]
    assert died <= forms["SS"][0]["SSDAT"]
    assert ended == died if len(died) == 10 else ended >= died
    assert not {"X51", "DD02", "DD03", "EOS01", "SS02"} & set(findings())


def test_a_course_leaves_few_findings_and_the_arms_are_measured_before_and_after(app):
    loading.load(1, quiet=True, until=date(2015, 6, 30))
    arms = db.session.scalars(select(FormData).where(FormData.form_id == "LE"))
    assert {"SCR", "EOT"} <= {each.study_event.event_id for each in arms}
    graded = list(db.session.scalars(select(FormData).where(FormData.form_id == "RTEND")))
    planned, taken = (int(graded[0].answers["RTEND"]["1"][name]) for name in ("RTOTTP", "RTOTT"))
    assert 28 <= planned <= taken <= planned + 3
    assert sum(findings().values()) <= MOST_FINDINGS
    assert not {"X31", "X31A", "X67", "ICF03", "LB08", "BR2302"} & set(findings())


def test_each_edge_case_happens_to_two_participants():
    drawn = Counter(each.plot for each in profiles.draw(42))
    named = ("bilateral", "transfer", "missed_visits", "lost", "withdraw_all", "withdraw_visits", "partial_fraction")
    assert all(drawn[plot] >= 2 for plot in named)
    assert drawn["death_cancer"] + drawn["death_other"] >= 2
