"""Screening, numbers, the limited number of places, and what must come first, on the real trial."""

import threading
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from demo import people
from demo.filling import complete, document
from demo.keeping import Calendar, Desk
from demo.profiles import Profile, draw
from demo.screening import story
from models import FormData, Study, Subject, User, clock, db, trail
from models.change import Change, System
from tests import racing
from tests.racing import Act, Opening, told_when_in_the_midst  # noqa: F401
from workflows import enrolling, entering, finding, publishing
from workflows.refusals import EnrolmentClosed, Forbidden, Refusal

STUDY = Path(__file__).resolve().parents[2] / "crf" / "carbon-breast" / "v1"


@pytest.fixture
def desks(app, monkeypatch):
    """The real trial published, with its demonstration users, on an empty database."""
    folder = publishing.check(STUDY)
    monkeypatch.setattr(publishing, "read_seals", lambda path: {folder.key: folder.sha256})
    calendar = Calendar(date(2026, 3, 2))
    with clock.at(calendar.tick()):
        with Change(by=System("test"), action="publish", chain=folder.study.id) as change:
            publishing.publish(change, STUDY)
        study = db.session.scalars(select(Study)).one()
        users = people.create(list(study.sites))
    towns = {"01": "wuwei", "02": "lanzhou"}
    return {
        site.code: Desk(
            study.oid,
            site,
            users[f"nurse.{towns[site.code]}"],
            users[f"investigator.{towns[site.code]}"],
            Random(1),
            calendar,
        )
        for site in study.sites
    }


def consent(desk: Desk, subject: Subject, day: date) -> FormData | None:
    """A consent as the nurse enters it."""
    values = {"ICFVER": "1.0", "ICFVDT": "2014-01-01", "ICFTYP": "INIT", "DSSTDAT": day.isoformat(), "ICFTIM": "09:00"}
    values |= {"ICFSGN": "SUBJ", "ICFINV": desk.investigator.username, "ICFIDT": day.isoformat(), "ICFCPY": "Y"}
    return desk.save(subject, "LOG", "ICF", day, {**values, "ICFPHO": "Y", "ICFFUT": "Y"})


@pytest.mark.req("DAT-14")
def test_screening_numbers_count_up_per_site_and_are_never_reused(desks) -> None:
    """01-S001, 01-S002; the other centre counts by itself."""
    first, second, other = desks["01"].screen(), desks["01"].screen(), desks["02"].screen()
    assert [each.screening_number for each in (first, second, other)] == ["01-S001", "01-S002", "02-S001"]


@pytest.mark.req("ACC-07", "PRV-02")
def test_nothing_is_entered_before_consent(desks) -> None:
    """Vital signs before the consent log are refused by the workflow itself."""
    desk = desks["01"]
    subject = desk.screen()
    with pytest.raises(Refusal) as refused:
        desk.save(subject, "SCR", "VS", desk.calendar.day, {"WEIGHT": "60.0"})
    assert refused.value.code == "needs-consent"
    consent(desk, subject, desk.calendar.day)
    assert subject.status == "consented"
    assert desk.save(subject, "SCR", "VS", desk.calendar.day, {"WEIGHT": "60.0"}) is not None


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize("reason", [None, "   ", "x"])
def test_a_correction_needs_a_reason(desks, reason) -> None:
    """No reason, spaces or one character: refused, and the stored value is the old one."""
    desk = desks["01"]
    subject = desk.screen()
    consent(desk, subject, desk.calendar.day)
    data = desk.save(subject, "SCR", "VS", desk.calendar.day, {"WEIGHT": "60.0"})
    with pytest.raises(Refusal) as refused:
        desk.save(subject, "SCR", "VS", desk.calendar.day, {"WEIGHT": "61.0"}, repeat=1, reason=reason)
    assert refused.value.code == "reason-needed"
    db.session.expire_all()
    assert data is not None
    assert db.session.get(FormData, data.id).answers["VS"]["1"]["WEIGHT"] == "60.0"


@pytest.mark.req("FLT-11")
def test_the_second_saver_of_a_form_is_told_who_was_first(desks) -> None:
    """A save with an old revision is refused and changes nothing."""
    desk = desks["01"]
    subject = desk.screen()
    consent(desk, subject, desk.calendar.day)
    desk.save(subject, "SCR", "VS", desk.calendar.day, {"WEIGHT": "60.0"})
    place = finding.place(desk.nurse, subject.id, "SCR", "VS", 1)
    with (
        pytest.raises(Refusal) as refused,
        Change(by=desk.nurse, action="save form", reason="更正", chain="x") as change,
    ):
        entering.save_form(change, place, place.data.answers, revision=0)
    assert refused.value.code == "stale"


@pytest.mark.req("ACC-01", "DAT-05")
def test_a_monitor_writes_nothing(desks) -> None:
    """The workflow refuses, not only the page."""
    desk = desks["01"]
    subject = desk.screen()
    monitor = db.session.scalars(select(User).where(User.username == "monitor.wuwei")).one()
    place = finding.place(monitor, subject.id, "LOG", "ICF", None)
    with pytest.raises(Forbidden), Change(by=monitor, action="save form", chain="x") as change:
        entering.save_form(change, place, {"ICF": {"1": {"ICFVER": "1.0"}}}, None)


@pytest.mark.req("DAT-04")
def test_an_untouched_form_is_not_stored(desks) -> None:
    """Saving a form nobody typed into leaves no row."""
    desk = desks["01"]
    subject = desk.screen()
    assert desk.save(subject, "LOG", "ICF", desk.calendar.day, {}, fill=False) is None
    assert db.session.scalar(select(func.count()).select_from(FormData)) == 0


@pytest.mark.req("SEC-45", "DAT-14")
def test_the_last_place_is_taken_once(app, desks, monkeypatch) -> None:
    """Two centres confirm the last place at the same moment: one gets the number, the other is told so."""
    taken: list[str] = []
    refused: list[str] = []
    subjects = {code: desk.screen().id for code, desk in desks.items()}
    investigators = {code: desk.investigator.id for code, desk in desks.items()}
    definitions = finding.design_for(desks["01"].site)
    cap = definitions.parameters["ENR_CAP"].value
    with Change(by=System("test"), action="fill", chain="x"):
        for number in range(cap - 1):
            db.session.add(
                Subject(
                    study_id=desks["01"].site.study_id,
                    site_id=desks["01"].site.id,
                    screening_number=f"X{number}",
                    number=f"N{number}",
                    place=number + 1,
                    created_at=clock.now(),
                    status="enrolled",
                    possible_duplicate=False,
                )
            )
    db.session.remove()
    start = threading.Barrier(2)

    def take(code: str) -> None:
        with app.app_context():
            subject, user = db.session.get(Subject, subjects[code]), db.session.get(User, investigators[code])
            start.wait()
            try:
                with Change(by=user, action="enrol", subject=subject, chain="x") as change:
                    enrolling._take_place(change, subject, definitions)
                taken.append(code)
            except EnrolmentClosed:
                refused.append(code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=take, args=(code,)) for code in subjects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 1
    assert len(refused) == 1
    assert db.session.scalar(select(func.count()).select_from(Subject).where(Subject.place.is_not(None))) == cap


@dataclass
class UpToEnrolment(Desk):
    """A desk that keeps what the investigator is about to enter on the enrolment form, and does not enter it."""

    held: dict[str, Any] = field(default_factory=dict)

    def save(self, subject, event, form, day, values, **more):
        """Enter a form, unless it is the one that takes a place."""
        if form == "ENR":
            self.held = values
            return None
        return super().save(subject, event, form, day, values, **more)


def ready_to_enrol(desk: Desk, person: Profile) -> Opening:
    """Everything up to the enrolment form is entered for a person; what remains is opening that form, and saving it."""
    waiting = UpToEnrolment(**{name: getattr(desk, name) for name in Desk.__dataclass_fields__})
    days = story(waiting, person)
    while not waiting.held:
        waiting.calendar.turn_to(next(days))
    subject_id = db.session.scalars(select(func.max(Subject.id))).one()
    investigator, chain, day = desk.investigator.username, desk.study_oid, waiting.calendar.day

    def open_page() -> Act:
        user = racing.person(investigator)
        place = finding.place(user, subject_id, "ENR", "ENR", 1)
        answers = complete(place, document(place, waiting.held), day, Random(1))

        def act() -> None:
            with Change(by=user, action="save form", subject=place.subject, chain=chain) as change:
                entering.save_form(change, place, answers, None)

        return act

    return open_page


@pytest.mark.req("SEC-45", "DAT-14", "FLT-14")
@pytest.mark.parametrize("number", [0, 1])  # who waits until the other is in the midst of it
@pytest.mark.usefixtures("told_when_in_the_midst")
def test_number_42_is_taken_once_when_two_enrolment_forms_are_saved_at_once(app, desks, settings, number) -> None:
    """One is enrolled; the other's form is not saved, she keeps her status and has no number; nobody is the 43rd."""
    site = desks["01"].site
    cap = finding.design_for(site).parameters["ENR_CAP"].value
    pages = [
        ready_to_enrol(desks[person.site], person)
        for code in ("01", "02")
        for person in [next(each for each in draw() if each.site == code and each.failure is None)]
    ]
    with Change(by=System("test"), action="fill", chain="x"):
        for place in range(1, cap):
            where = {"study_id": site.study_id, "site_id": site.id, "created_at": clock.now()}
            names = {"screening_number": f"X{place}", "number": f"N{place}", "place": place}
            db.session.add(Subject(status="enrolled", possible_duplicate=False, **where, **names))
    with racing.applications(settings) as workers:
        ends = racing.together(workers, number, *pages)
    assert sorted(ends) == ["done", "enrolment-closed"]
    db.session.rollback()
    places = db.session.scalars(select(Subject.place).where(Subject.place.is_not(None)).order_by(Subject.place)).all()
    assert (cap, places) == (42, list(range(1, 43)))
    stored = db.session.scalars(select(FormData).where(FormData.form_id == "ENR")).one()
    assert (stored.subject.place, stored.subject.status) == (42, "enrolled")
    other = db.session.scalars(select(Subject).where(Subject.place.is_(None))).one()
    assert (other.number, other.status) == (None, "consented")
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()


def test_a_possible_duplicate_at_the_other_centre_raises_an_alert(desks) -> None:
    """Same initials and birth date: both are flagged, neither shows the other's identity (edge case 7)."""
    people_ = []
    for desk in desks.values():
        subject = desk.screen()
        consent(desk, subject, desk.calendar.day)
        desk.save(subject, "SCR", "DM", desk.calendar.day, {"SUBJINI": "LCM", "BRTHDAT": "1980-05-06", "SEX": "F"})
        people_.append(subject.id)
    db.session.expire_all()
    assert all(db.session.get(Subject, each).possible_duplicate for each in people_)


def test_targets_follow_the_anchor(desks) -> None:
    """The screening window is counted back from enrolment once it is known; before that there is no target."""
    desk = desks["01"]
    subject = desk.screen()
    event = finding.event(subject, "FU6M")
    assert event.target is None
    assert event.state == "planned"
    consent(desk, subject, desk.calendar.day - timedelta(days=0))
    assert finding.event(subject, "ENR").target is not None
