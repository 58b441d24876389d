"""What the named profiles ask of passwords, and how switching between them is kept (SEC-04)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models import Change, ChangeEntries, FormerPassword, clock, db
from models.change import Change as ChangeBlock
from tests.clinic import PASSWORD, Browser, Clinic
from workflows import granting, passwords, signing_in
from workflows.password_profiles import CN_MLPS3, NIST, PROFILES, PasswordProfile, kinds_of
from workflows.refusals import Refusal


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


@pytest.fixture
def inside(clinic: Clinic) -> Iterator[Clinic]:
    with clinic.app.app_context():
        yield clinic


def use(clinic: Clinic, profile: PasswordProfile) -> None:
    clinic.app.config["SETTINGS"] = replace(clinic.app.config["SETTINGS"], password_profile=profile.name)


def change_own(clinic: Clinic, new: str, name: str = "alice") -> None:
    user = clinic.user(name)
    with ChangeBlock(by=user, action="change password", chain="system") as change:
        granting.set_password(change, user, new)


@pytest.mark.req("SEC-04", "SEC-02")
@pytest.mark.parametrize(
    ("password", "nist", "mlps3"),
    [
        ("seven zebras danced by the lake", True, False),  # lower case and spaces
        ("窗外下着雨我们在屋里慢慢喝茶聊天到很晚才睡", True, False),
        ("seven zebras danced by 3 lakes", True, True),
        ("Seven zebras danced by the lake", True, True),
        ("SevenZebras2danced4lakes", True, True),
        ("窗外下着雨我们在屋里慢慢喝茶 seven 7", True, True),
        ("Zebra-lake-oat", False, False),  # fourteen characters
        ("Password12345678", False, False),  # on the list, whatever its characters
    ],
)
def test_each_profile_accepts_what_it_says(password: str, nist: bool, mlps3: bool) -> None:
    for profile, accepted in ((NIST, nist), (CN_MLPS3, mlps3)):
        if accepted:
            passwords.check(password, ["zhang.mei"], profile)
        else:
            with pytest.raises(Refusal, match=r"\w+"):
                passwords.check(password, ["zhang.mei"], profile)


@pytest.mark.req("SEC-04", "CN-07")
def test_what_the_chinese_profile_asks_for() -> None:
    asked = (CN_MLPS3.kinds, CN_MLPS3.lifetime, CN_MLPS3.history, CN_MLPS3.shortest)
    assert asked == (3, timedelta(days=90), 5, 15)
    assert (NIST.kinds, NIST.lifetime) == (1, None)
    assert list(PROFILES) == ["nist", "cn-mlps3"]


@pytest.mark.parametrize(("text", "count"), [("abc", 1), ("aB", 2), ("aB3", 3), ("aB3 ", 4), ("春", 1), ("", 0)])
def test_kinds_are_counted(text: str, count: int) -> None:
    assert kinds_of(text) == count


@pytest.mark.req("SEC-04")
def test_none_of_the_last_five_comes_back_and_the_sixth_may(inside: Clinic) -> None:
    used = [PASSWORD, *(f"violet tractor number {number} in snow" for number in range(1, 6))]
    for new in used[1:5]:
        change_own(inside, new)
    for former in used[:5]:
        with pytest.raises(Refusal, match="have or had"):
            change_own(inside, former)
    change_own(inside, used[5])
    change_own(inside, used[0])
    kept = db.session.scalars(
        select(FormerPassword.password_hash).where(FormerPassword.user_id == inside.user("alice").id)
    )
    assert len(list(kept)) == 4  # with the present one: five


@pytest.mark.req("SEC-04")
def test_an_administrator_cannot_be_used_to_get_an_old_password_back(inside: Clinic) -> None:
    alice = inside.user("alice")
    with ChangeBlock(by=inside.user("otto"), action="reset password", chain="system") as change:
        granting.reset_password(change, alice, granting.temporary_password())
    with pytest.raises(Refusal, match="have or had"):
        change_own(inside, PASSWORD)


@pytest.mark.req("SEC-04")
def test_temporary_passwords_fit_every_profile() -> None:
    for _ in range(200):
        for profile in PROFILES.values():
            passwords.check(granting.temporary_password(), [], profile)


@pytest.mark.req("SEC-04", "CN-04")
@pytest.mark.parametrize(("profile", "days", "due"), [(CN_MLPS3, 89, False), (CN_MLPS3, 90, True), (NIST, 4000, False)])
def test_an_old_password_must_be_changed_at_sign_in(
    clinic: Clinic, profile: PasswordProfile, days: int, due: bool
) -> None:
    use(clinic, profile)
    begin = clock.now() + timedelta(minutes=1)
    with clock.at(begin + timedelta(days=days)):
        browser = clinic.sign_in("alice")
        answer = browser.get("/participants")
        assert (answer.location == "/password") is due
        if due:
            assert "too old" in browser.get("/password").text
            new = "violet tractor under 3 snows"
            browser.post("/password", {"current": PASSWORD, "new": new, "again": new})
            assert browser.get("/participants").status_code == 200
    with clock.at(begin + timedelta(days=days + 80)):  # the age counts from the change, not from the account
        again = Browser(clinic.app.test_client())
        again.post("/sign-in", {"username": "alice", "password": "violet tractor under 3 snows" if due else PASSWORD})
        assert (again.get("/participants").status_code == 200) is (due or profile is NIST)


@pytest.mark.req("SEC-04")
def test_switching_the_profile_is_in_the_trail_once(inside: Clinic) -> None:
    for profile in (CN_MLPS3, CN_MLPS3, NIST, CN_MLPS3):
        use(inside, profile)
        signing_in.note_profile()
    found = db.session.execute(
        select(Change.user_name, ChangeEntries.detail)
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.action == signing_in.SWITCH)
        .order_by(Change.id)
    ).all()
    assert [(detail["from"], detail["to"]) for _, detail in found] == [
        (None, "cn-mlps3"), ("cn-mlps3", "nist"), ("nist", "cn-mlps3"),
    ]  # fmt: skip
    assert all(name.startswith("system:settings@") for name, _ in found)


@pytest.mark.req("SEC-04")
@pytest.mark.parametrize(("profile", "told"), [(CN_MLPS3, True), (NIST, False)])
def test_the_page_says_what_is_asked(clinic: Clinic, profile: PasswordProfile, told: bool) -> None:
    use(clinic, profile)
    page = clinic.sign_in("alice").get("/password").text
    assert ("At least 3 of these four" in page) is told
    assert ("every 90 days" in page) is told
