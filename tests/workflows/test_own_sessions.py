"""Sessions and security events on both databases (SEC-15, ACC-10)."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import SecurityEvent, User, clock, db
from models.change import Change, System
from tests.clinic import NOW
from workflows import alerting, granting, sessions

IDLE, ABSOLUTE = timedelta(minutes=20), timedelta(hours=12)


@pytest.fixture
def user(app: Flask) -> User:
    with Change(by=System("tests"), action="create user", chain="system") as change:
        made = granting.create_user(change, "alice", "Alice Zhao", "quiet river 42 lanterns", "en")
        granting.grant(change, made, "administrator")
    return made


@pytest.mark.req("SEC-15")
def test_the_others_end_and_the_present_one_stays(user: User) -> None:
    with clock.at(NOW):
        for number, token in enumerate(("first", "second", "third")):
            sessions.begin(token, user.id, "{}", f"device {number}", "192.0.2.*")
        sessions.begin("somebody else's", user.id + 1, "{}", "", "")
        found = sessions.list_open(user, IDLE, ABSOLUTE, "second")
        assert {(each.device, each.is_present) for each in found} == {
            ("device 0", False), ("device 1", True), ("device 2", False),
        }  # fmt: skip
        with Change(by=user, action="sign out elsewhere", chain="system") as change:
            sessions.end_others(change, user, "second")
        assert [each.is_present for each in sessions.list_open(user, IDLE, ABSOLUTE, "second")] == [True]
        assert sessions.find("first", IDLE, ABSOLUTE) is None
        assert sessions.find("somebody else's", IDLE, ABSOLUTE) is not None


@pytest.mark.req("SEC-13", "SEC-16")
def test_an_ended_session_still_says_whose_it_was_until_it_is_forgotten(user: User) -> None:
    with clock.at(NOW):
        sessions.begin("token", user.id, "{}", "", "")
    with clock.at(NOW + IDLE):
        assert sessions.find("token", IDLE, ABSOLUTE) is None
        assert sessions.last_owner("token") == user.id
        sessions.forget_ended(IDLE, ABSOLUTE - timedelta(hours=12))
        assert sessions.last_owner("token") is None


@pytest.mark.req("ACC-10")
@pytest.mark.parametrize(("kind", "needed"), [(name, kind.threshold) for name, kind in alerting.KINDS.items()])
def test_each_kind_alerts_at_its_threshold_and_once(user: User, kind: str, needed: int) -> None:
    with clock.at(NOW):
        for number in range(1, needed + 3):
            alerting.note(kind, "somebody", "192.0.2.1", user.id)
            alerting.note(kind, f"another {number}", "192.0.2.1") if needed > 1 else None
            count = len(db.session.scalars(select(SecurityEvent).where(SecurityEvent.is_alert)).all())
            db.session.commit()
            assert count == (number >= needed), number
    assert [(alert.kind, alert.who) for alert in alerting.alerts(user)] == [(kind, "Alice Zhao")]
