"""Giving people accounts and roles, called directly and not through pages (SEC-18)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from models import clock, db
from models.change import Change, System
from tests.clinic import NOW, PASSWORD, Clinic
from workflows import access, granting
from workflows.refusals import Forbidden, Refusal

NEW = "violet tractor under 3 snows"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with clock.at(NOW):
        made = Clinic(tmp_path)
        with made.app.app_context():
            yield made


def code_of(refusal: pytest.ExceptionInfo[Refusal]) -> str:
    return refusal.value.code


@pytest.mark.req("SEC-18", "ACC-01")
@pytest.mark.parametrize("name", ["alice", "ines", "mona", "dora"])
def test_only_administrators_manage_users(clinic: Clinic, name: str) -> None:
    by = clinic.user(name)
    deeds = [
        lambda change: granting.create_user(change, "nina", "Nina Hu", NEW, "en"),
        lambda change: granting.grant(change, clinic.user("bob"), "monitor"),
        lambda change: granting.end_grant(change, clinic.user("bob").grants[0]),
        lambda change: granting.deactivate(change, clinic.user("bob")),
        lambda change: granting.reactivate(change, clinic.user("bob")),
        lambda change: granting.reset_password(change, clinic.user("bob"), NEW),
    ]
    for deed in deeds:
        with pytest.raises(Forbidden), Change(by=by, action="tests") as change:
            deed(change)
    db.session.expire_all()
    assert clinic.user("bob").active
    assert len(clinic.user("bob").grants) == 1


@pytest.mark.req("ACC-05")
@pytest.mark.parametrize(("name", "role"), [("alice", "administrator"), ("otto", "nurse"), ("otto", "statistician")])
def test_duties_are_kept_apart(clinic: Clinic, name: str, role: str) -> None:
    with pytest.raises(Refusal) as refusal, Change(by=clinic.user("otto"), action="grant role") as change:
        granting.grant(change, clinic.user(name), role)
    assert code_of(refusal) == "duty-conflict"


@pytest.mark.req("ACC-05")
def test_a_future_role_conflicts_as_well(clinic: Clinic) -> None:
    otto = clinic.user("otto")
    with Change(by=otto, action="tests") as change:
        nina = granting.create_user(change, "nina", "Nina Hu", NEW, "en")
        granting.grant(change, nina, "administrator", starts_at=NOW + timedelta(days=30))
    with pytest.raises(Refusal), Change(by=otto, action="tests") as change:
        granting.grant(change, nina, "nurse")


def test_a_grant_holds_from_its_begin_until_its_end(clinic: Clinic) -> None:
    with Change(by=clinic.user("otto"), action="grant role") as change:
        nina = granting.create_user(change, "nina", "Nina Hu", NEW, "en")
        granting.grant(change, nina, "monitor", None, NOW + timedelta(days=1), NOW + timedelta(days=2))
    held = {}
    for hours in (0, 23, 24, 47, 48):
        with clock.at(NOW + timedelta(hours=hours)):
            held[hours] = access.may(nina, "view trail")
    assert held == {0: False, 23: False, 24: True, 47: True, 48: False}


def test_time_cannot_end_before_it_begins(clinic: Clinic) -> None:
    with pytest.raises(Refusal) as refusal, Change(by=clinic.user("otto"), action="grant role") as change:
        granting.grant(change, clinic.user("bob"), "monitor", None, NOW, NOW - timedelta(days=1))
    assert code_of(refusal) == "bad-date"


def test_an_unknown_role_is_no_role(clinic: Clinic) -> None:
    with pytest.raises(Refusal), Change(by=clinic.user("otto"), action="grant role") as change:
        granting.grant(change, clinic.user("bob"), "superuser")


@pytest.mark.req("SEC-14")
def test_closing_an_account_ends_its_roles_and_opening_gives_none_back(clinic: Clinic) -> None:
    bob, otto = clinic.user("bob"), clinic.user("otto")
    with Change(by=otto, action="deactivate user") as change:
        granting.deactivate(change, bob)
    assert not access.may(bob, "enter data")
    with Change(by=otto, action="reactivate user") as change:
        granting.reactivate(change, bob)
    assert bob.active
    assert not access.may(bob, "enter data")


def test_the_last_administrator_cannot_lose_the_role(clinic: Clinic) -> None:
    otto = clinic.user("otto")
    with pytest.raises(Refusal) as refusal, Change(by=otto, action="end grant") as change:
        granting.end_grant(change, otto.grants[0])
    assert code_of(refusal) == "last-administrator"
    with Change(by=otto, action="tests") as change:
        nina = granting.create_user(change, "nina", "Nina Hu", NEW, "en")
        granting.grant(change, nina, "administrator")
    with Change(by=nina, action="end grant") as change:
        granting.end_grant(change, otto.grants[0])
    assert not access.may(otto, "manage users")


@pytest.mark.req("SIG-04")
def test_names_are_unique_for_ever_in_every_writing(clinic: Clinic) -> None:
    for name in ("alice", "ALICE", "ａlice", " alice "):
        with (
            pytest.raises(Refusal) as refusal,
            Change(by=clinic.user("otto"), action="create user") as change,
        ):
            granting.create_user(change, name, "Another Person", NEW, "en")
        assert code_of(refusal) == "name-taken"


@pytest.mark.req("SIG-08")
def test_nobody_sets_another_persons_password(clinic: Clinic) -> None:
    with pytest.raises(Refusal), Change(by=clinic.user("otto"), action="change password") as change:
        granting.set_password(change, clinic.user("bob"), NEW)


@pytest.mark.req("SEC-03")
def test_ones_own_name_is_no_password(clinic: Clinic) -> None:
    with pytest.raises(Refusal) as refusal, Change(by=clinic.user("otto"), action="create user") as change:
        granting.create_user(change, "shakira.mazurka", "Shakira Mazurka", "Shakira-Mazurka-1", "en")
    assert code_of(refusal) == "password-weak"


def test_temporary_passwords_are_never_the_same_and_always_good_enough(clinic: Clinic) -> None:
    made = {granting.temporary_password() for _ in range(200)}
    assert len(made) == 200
    with Change(by=System("tests"), action="tests") as change:
        for number, temporary in enumerate(sorted(made)[:20]):
            granting.create_user(change, f"person{number}", "A Person", temporary, "zh")


def test_the_password_of_the_tests_is_good_enough() -> None:
    assert len(PASSWORD) >= 15
