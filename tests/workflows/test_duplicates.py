"""Possible duplicate persons: found across centres, told without an identity, settled by a person (edge case 7)."""

import pytest

from demo.keeping import Desk
from models import Change, Subject, User, db
from tests.workflows.test_enrolling import consent, desks  # noqa: F401 - the fixture
from workflows import duplicates
from workflows.refusals import Forbidden, Refusal

SAME = {"SUBJINI": "LCM", "BRTHDAT": "1980-05-06", "SEX": "F"}


def pair(desks: dict[str, Desk]) -> list[int]:  # noqa: F811
    """A participant at each site with the same initials and birth date."""
    found = []
    for desk in desks.values():
        subject = desk.screen()
        consent(desk, subject, desk.calendar.day)
        desk.save(subject, "SCR", "DM", desk.calendar.day, SAME)
        found.append(subject.id)
    return found


def flags(people: list[int]) -> list[bool]:
    db.session.expire_all()
    return [db.session.get_one(Subject, each).possible_duplicate for each in people]


def correct(desk: Desk, subject_id: int, birth: str) -> None:
    subject = db.session.get_one(Subject, subject_id)
    desk.save(subject, "SCR", "DM", desk.calendar.day, SAME | {"BRTHDAT": birth}, repeat=1, reason="read again")


def dismiss(name: str, subject_id: int, reason: str | None = "asked both sites") -> None:
    user = db.session.query(User).filter_by(username=name).one()
    subject = db.session.get_one(Subject, subject_id)
    with Change(by=user, action="resolve duplicate", reason=reason, subject=subject, chain="carbon-breast") as change:
        duplicates.dismiss(change, subject)


def test_a_corrected_birth_date_takes_the_alert_back_from_both(desks) -> None:  # noqa: F811
    people = pair(desks)
    assert flags(people) == [True, True]
    correct(desks["02"], people[1], "1981-05-06")
    assert flags(people) == [False, False]
    correct(desks["02"], people[1], "1980-05-06")
    assert flags(people) == [True, True]


def test_who_may_see_both_says_that_they_are_different_persons(desks) -> None:  # noqa: F811
    people = pair(desks)
    with pytest.raises(Refusal):
        dismiss("datamanager", people[0], reason=" ")
    with pytest.raises(Forbidden):
        dismiss("nurse.wuwei", people[0])
    dismiss("datamanager", people[0])
    assert flags(people) == [False, False]
    desk = desks["01"]
    subject = db.session.get_one(Subject, people[0])
    desk.save(subject, "SCR", "DM", desk.calendar.day, SAME | {"RACE": "ASIAN"}, repeat=1, reason="also race")
    assert flags(people) == [False, False], "a save that changes no identifying item does not raise it again"
    correct(desks["02"], people[1], "1981-05-06")
    correct(desks["02"], people[1], "1980-05-06")
    assert flags(people) == [True, True], "new information does"
    with pytest.raises(Refusal) as refused:
        dismiss("datamanager", people[0])
        dismiss("datamanager", people[0])
    assert refused.value.code == "no-duplicate"


@pytest.mark.req("SEC-19")
def test_a_nurse_learns_nothing_of_the_other_site(desks) -> None:  # noqa: F811
    people = pair(desks)
    subject = db.session.get_one(Subject, people[0])
    nurse = db.session.query(User).filter_by(username="nurse.wuwei").one()
    manager = db.session.query(User).filter_by(username="datamanager").one()
    assert duplicates.of(nurse, subject) == []
    assert [each.id for each in duplicates.of(manager, subject)] == [people[1]]
