"""Version 2 of the trial, and moving a participant of the demonstration to it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from demo import loading, people, profiles
from demo.keeping import Calendar, Desk
from demo.screening import story
from design.comparison import compare
from design.reader import read_study
from models import FormData, Site, Study, StudyEvent, Subject, User, clock, db, trail
from models.change import Change, System
from workflows import activating, amending, finding, granting, impact, publishing

CRF = Path(__file__).resolve().parents[2] / "crf" / "carbon-breast"


def test_the_second_version_brings_what_the_amendment_asks_for() -> None:
    """Breast MRI at 18 months, skin dose, one code list, one stricter check; and the texts that say how to move."""
    old, new = read_study(CRF / "v1"), read_study(CRF / "v2")
    assert (new.version, len(new.forms)) == (2, len(old.forms) + 1)
    paths = {(each.kind, each.path.split("/items/")[-1]) for each in compare(old, new)}
    assert ("added", "forms/MRI") in paths and ("added", "PLSKD") in paths
    assert {("added", "codelists/IMMOD/codes/MGT"), ("removed", "codelists/IMMOD/codes/DBT")} <= paths
    assert ("changed", "IMCON/checks/IM03/severity") in paths
    assert "MRI" in {each.form_id for each in new.events["FU18M"].forms}
    assert new.amendment is not None and new.amendment.reconsent is not None
    assert new.amendment.recoded == {"IMMOD": {"DBT": "MGT"}} and new.deviations is not None
    asked = {item.id for form in old.forms.values() for item in form.items}
    assert asked <= set(new.items), "nothing was dropped"


@pytest.fixture
def dora(app) -> Iterator[User]:
    """The real trial, one participant who went through her treatment, and a data manager."""
    calendar = Calendar(profiles.FIRST_DAY)
    with clock.at(calendar.tick()):
        with Change(by=System("test"), action="publish", chain="carbon-breast") as change:
            publishing.publish(change, loading.STUDY)
        study = db.session.scalars(select(Study)).one()
        users = people.create(list(study.sites))
        with Change(by=System("test"), action="create user", chain="system") as change:
            user = granting.create_user(change, "dora.moves", "Dora Moves", "quiet river 42 lanterns", "en")
            granting.grant(change, user, "data_manager")
    site = next(each for each in study.sites if each.code == "01")
    desk = Desk(study.oid, site, users["nurse.wuwei"], users["investigator.wuwei"], Random(1), calendar)
    somebody = next(each for each in profiles.draw(42) if each.plot == "plain" and each.site == "01")
    desk.calendar.turn_to(somebody.consent)
    for day in story(desk, somebody):
        if (day - somebody.consent).days > 120:
            break
        desk.calendar.turn_to(day)
    with clock.at(calendar.tick()):
        yield user


@pytest.mark.req("AUD-16", "DAT-09", "ACC-11", "SYS-04")
def test_a_participant_of_the_demonstration_moves(dora: User) -> None:
    """What the dry run says is what the run does; no answer is lost, the schedule gets the MRI, the trail fits."""
    site = db.session.scalars(select(Site).where(Site.code == "01")).one()
    before = {data.id: data.answers for data in db.session.scalars(select(FormData))}
    said = impact.at_site(site, read_study(CRF / "v2"))
    plans = db.session.query(FormData).filter_by(form_id="RTPL", in_error=None).count()
    assert said.report.forms == len(before) > 50 and plans and said.report.required["PLSKD"] == plans
    assert any("PLSKD" in line for line in impact.as_lines(said.report))
    with Change(by=System("test"), action="publish", chain="carbon-breast") as change:
        publishing.publish(change, CRF / "v2")
    version, site = amending.version(2), db.session.scalars(select(Site).where(Site.code == "01")).one()
    with Change(by=dora, action="activate version", site=site, chain="carbon-breast") as change:
        activating.activate(change, site, version, date(2015, 1, 1), "EC 2026-7")
    activating.spread(dora, site)
    done = amending.run(dora, site, version, "amendment 1")
    assert (done.report, done.moved) == (said.report.as_dict(), len(before))
    after = {data.id: data for data in db.session.scalars(select(FormData))}
    assert {data.version_id for data in after.values()} == {version.id}
    assert all(after[key].answers == answers for key, answers in before.items())
    subject = db.session.scalars(select(Subject)).one()
    visit = db.session.query(StudyEvent).filter_by(subject_id=subject.id, event_id="FU18M").one()
    assert "MRI" in {each.form_id for each in finding.design_for(subject.site).events[visit.event_id].forms}
    assert trail.verify_all() == []
