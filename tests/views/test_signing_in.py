"""Signing in, sessions and passwords."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app import create_app
from models import Change, ChangeEntries, SignInSession, User, clock, db
from models.change import Change as ChangeBlock
from settings import Settings, SettingsFault
from tests.clinic import NOW, PASSWORD, Browser, Clinic
from workflows import first_administrator, granting, passwords

COOKIE = "session"


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def anonymous(clinic: Clinic) -> Browser:
    return Browser(clinic.app.test_client())


def attempt(browser: Browser, name: str = "alice", password: str = "wrong wrong wrong") -> Any:
    return browser.post("/sign-in", {"username": name, "password": password})


def said(response: Any) -> str:
    found = re.search(r'class="flash[^"]*">.*?<span>(.*?)</span>', response.text, re.S)
    return found[1] if found else ""


def is_inside(browser: Browser) -> bool:
    return bool(browser.get("/").status_code == 200)


def test_the_right_password_opens_the_work_list(clinic: Clinic) -> None:
    browser = anonymous(clinic)
    answer = attempt(browser, password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Alice Zhao" in browser.get("/").text


@pytest.mark.req("SEC-05")
def test_unknown_wrong_and_closed_get_the_same_words(clinic: Clinic) -> None:
    with clinic.app.app_context():
        admin = clinic.user("otto")
        with ChangeBlock(by=admin, action="deactivate user") as change:
            granting.deactivate(change, clinic.user("bob"))
    answers = [
        attempt(anonymous(clinic), "nobody"),
        attempt(anonymous(clinic), "alice"),
        attempt(anonymous(clinic), "bob", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({said(answer) for answer in answers}) == 1


@pytest.mark.req("SEC-05")
def test_an_unknown_name_costs_a_hash_as_well(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[str] = []
    monkeypatch.setattr(passwords, "spend_time", spent.append)
    attempt(anonymous(clinic), "nobody", "seven zebras")
    assert spent == ["seven zebras"]


@pytest.mark.req("SEC-05")
def test_the_sixth_attempt_is_refused_everywhere_and_the_pause_ends_by_itself(clinic: Clinic, tmp_path: Path) -> None:
    with clock.at(NOW):
        for _ in range(5):
            assert attempt(anonymous(clinic)).status_code == 401
        sixth = attempt(anonymous(clinic), password=PASSWORD)
        assert sixth.status_code == 429
        assert "15" in said(sixth)
        restarted = create_app(clinic.app.config["SETTINGS"]).test_client()
        assert attempt(Browser(restarted), password=PASSWORD).status_code == 429
    with clock.at(NOW + timedelta(minutes=14)):
        assert attempt(anonymous(clinic), password=PASSWORD).status_code == 429
    with clock.at(NOW + timedelta(minutes=16)):
        assert attempt(anonymous(clinic), password=PASSWORD).status_code == 303


@pytest.mark.req("SEC-05")
def test_one_address_cannot_try_many_names(clinic: Clinic) -> None:
    for number in range(20):
        assert attempt(anonymous(clinic), f"name{number}").status_code == 401
    assert attempt(anonymous(clinic), "bob", PASSWORD).status_code == 429


@pytest.mark.req("AUD-10", "ACC-10")
def test_both_outcomes_are_in_the_trail_and_no_mistyped_name_is(clinic: Clinic) -> None:
    attempt(anonymous(clinic), "alice", PASSWORD)
    attempt(anonymous(clinic), "alice")
    attempt(anonymous(clinic), "my secret typed as name")
    with clinic.app.app_context():
        changes = list(db.session.scalars(select(Change).where(Change.action.like("sign in%")).order_by(Change.id)))
        assert [change.action for change in changes] == ["sign in", "sign in refused", "sign in refused"]
        assert changes[0].user_name == "alice"
        details = [db.session.get_one(ChangeEntries, change.id).detail for change in changes[1:]]
        assert [detail["username"] for detail in details] == ["alice", None]
        assert "my secret" not in str([change.body for change in changes] + details)


@pytest.mark.req("SEC-01")
def test_a_weaker_hash_is_made_anew_at_sign_in(clinic: Clinic) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with clinic.app.app_context(), ChangeBlock(by=clinic.user("otto"), action="tests"):
        clinic.user("alice").password_hash = weak
    assert attempt(anonymous(clinic), password=PASSWORD).status_code == 303
    with clinic.app.app_context():
        kept = clinic.user("alice").password_hash
        assert kept != weak
        assert not passwords.is_outdated(kept)


@pytest.mark.req("SEC-12")
def test_the_token_is_new_at_sign_in_and_only_its_hash_is_stored(clinic: Clinic) -> None:
    browser = anonymous(clinic)
    browser.get("/sign-in")
    before = browser.client.get_cookie(COOKIE)
    attempt(browser, password=PASSWORD)
    after = browser.client.get_cookie(COOKIE)
    assert before and after and before.value != after.value
    with clinic.app.app_context():
        stored = list(db.session.scalars(select(SignInSession.token_hash)))
        assert len(stored) == 1  # the session from before the sign-in is gone
        assert after.value not in stored


@pytest.mark.req("SEC-12", "SEC-25")
def test_a_copied_cookie_is_worth_nothing_after_sign_out(clinic: Clinic) -> None:
    browser = clinic.sign_in("alice")
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    answer = browser.post("/sign-out", {}, page="/")
    assert '"cache"' in answer.headers["Clear-Site-Data"]
    thief = clinic.app.test_client()
    thief.set_cookie(COOKIE, cookie.value)
    assert thief.get("/").status_code == 303
    assert not is_inside(browser)


@pytest.mark.req("SEC-13")
@pytest.mark.parametrize(("minutes", "inside"), [(19, True), (21, False)])
def test_a_session_ends_after_twenty_idle_minutes(clinic: Clinic, minutes: int, inside: bool) -> None:
    with clock.at(NOW):
        browser = clinic.sign_in("alice")
    with clock.at(NOW + timedelta(minutes=minutes)):
        assert is_inside(browser) is inside


@pytest.mark.req("SEC-13")
def test_a_session_ends_after_twelve_hours_whatever_happens(clinic: Clinic) -> None:
    with clock.at(NOW):
        browser = clinic.sign_in("alice")
    for quarter in range(1, 48):
        with clock.at(NOW + timedelta(minutes=15 * quarter)):
            assert is_inside(browser)
    with clock.at(NOW + timedelta(hours=12, minutes=1)):
        assert not is_inside(browser)
        assert "flash-warn" in browser.get("/sign-in").text


@pytest.mark.req("SEC-14", "ACC-04")
def test_a_closed_account_is_out_at_the_next_request(clinic: Clinic) -> None:
    browser = clinic.sign_in("alice")
    assert is_inside(browser)
    with clinic.app.app_context(), ChangeBlock(by=clinic.user("otto"), action="deactivate user") as change:
        granting.deactivate(change, clinic.user("alice"))
    assert not is_inside(browser)


@pytest.mark.req("SEC-14", "ACC-04")
def test_a_role_taken_back_is_gone_at_the_next_request(clinic: Clinic) -> None:
    browser = clinic.sign_in("alice")
    assert browser.get("/participants").status_code == 200
    with clinic.app.app_context(), ChangeBlock(by=clinic.user("otto"), action="end grant") as change:
        granting.end_grant(change, clinic.user("alice").grants[0])
    assert browser.get("/participants").status_code == 403


def test_a_temporary_password_must_be_changed_before_anything_else(clinic: Clinic) -> None:
    with clinic.app.app_context(), ChangeBlock(by=clinic.user("otto"), action="reset password") as change:
        granting.reset_password(change, clinic.user("alice"), "kettle-mango-orbit-77")
    browser = anonymous(clinic)
    attempt(browser, password="kettle-mango-orbit-77")
    assert browser.get("/participants").location == "/password"
    new = "violet tractor under 3 snows"
    data = {"current": "kettle-mango-orbit-77", "new": new, "again": new}
    assert browser.post("/password", data).location == "/"
    assert browser.get("/participants").status_code == 200
    assert attempt(anonymous(clinic), password="kettle-mango-orbit-77").status_code == 401


@pytest.mark.req("SEC-02", "SEC-03")
@pytest.mark.parametrize("new", ["short one", "passwordpassword", PASSWORD])
def test_a_weak_or_equal_password_is_refused_with_a_reason(clinic: Clinic, new: str) -> None:
    browser = clinic.sign_in("alice")
    answer = browser.post("/password", {"current": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 422
    assert said(answer)


def test_changing_a_password_ends_the_other_sessions(clinic: Clinic) -> None:
    here, there = clinic.sign_in("alice"), clinic.sign_in("alice")
    new = "violet tractor under 3 snows"
    here.post("/password", {"current": PASSWORD, "new": new, "again": new})
    assert is_inside(here)
    assert not is_inside(there)


ELSEWHERE = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)", "data:text/html,x", " //evil.example", "/\t/evil.example", "/\n/evil.example",
    "https:/evil.example",
    "https:///evil.example", "evil.example", "http://localhost.evil.example/",
    "http://localhost@evil.example/", "//localhost:80@evil",
    "/ /evil.example", "\x00//evil.example", "http://localhost//evil.example",
]  # fmt: skip


@pytest.mark.req("SEC-49")
@pytest.mark.parametrize("address", ELSEWHERE)
def test_next_never_leads_elsewhere(clinic: Clinic, address: str) -> None:
    browser = anonymous(clinic)
    answer = browser.post("/sign-in", {"username": "alice", "password": PASSWORD, "next": address})
    assert answer.location == "/"


@pytest.mark.req("SEC-49")
@pytest.mark.parametrize("address", ["/participants", "/trail?page=2", "http://localhost/participants"])
def test_next_leads_back_to_a_page_of_ours(clinic: Clinic, address: str) -> None:
    browser = anonymous(clinic)
    answer = browser.post("/sign-in", {"username": "alice", "password": PASSWORD, "next": address})
    assert answer.location == address.removeprefix("http://localhost")


@pytest.mark.req("SEC-21")
def test_without_the_token_nobody_signs_in(clinic: Clinic) -> None:
    client = clinic.app.test_client()
    client.get("/sign-in")
    answer = client.post("/sign-in", data={"username": "alice", "password": PASSWORD, "csrf_token": "forged"})
    assert answer.location == "/sign-in"
    assert client.get("/").status_code == 303


@pytest.mark.req("SEC-20")
def test_a_field_that_does_not_belong_there_is_refused(clinic: Clinic) -> None:
    answer = anonymous(clinic).post("/sign-in", {"username": "alice", "password": PASSWORD, "is_admin": "1"})
    assert answer.status_code == 400


def test_the_language_can_be_switched_before_signing_in(clinic: Clinic) -> None:
    browser = anonymous(clinic)
    browser.post("/language/zh", {}, page="/sign-in")
    assert '<html lang="zh-CN">' in browser.get("/sign-in").text
    browser.post("/language/en", {}, page="/sign-in")
    assert '<html lang="en">' in browser.get("/sign-in").text
    assert browser.post("/language/xx", {}, page="/sign-in").status_code == 404


@pytest.mark.req("SEC-17")
def test_the_cookie_in_production(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'study.db'}",
        secret_key="Zq8w-3kP0vR7t2Lm9xYc5bNf1aHj6dGu",
        mode="production",
        instance_dir=tmp_path,
    )
    app = create_app(settings)
    with app.app_context():
        db.create_all()
    answer = app.test_client().get("/first-administrator", base_url="https://study.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


@pytest.mark.req("SEC-17")
@pytest.mark.parametrize(
    "environ",
    [
        {"SECRET_KEY": "short"},
        {"SECRET_KEY": "a" * 64},
        {"SECRET_KEY": "default-secret-key-change-me-1234567890"},
        {"SECRET_KEY": "Zq8w-3kP0vR7t2Lm9xYc5bNf1aHj6dGu", "SESSION_COOKIE_SECURE": "no"},
        {"MODE": "demo", "HOST": "0.0.0.0"},
        {"MODE": "debug"},
    ],
)
def test_production_does_not_start_unsafe(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsFault):
        Settings.from_environ({"INSTANCE_DIR": str(tmp_path), **environ})


@pytest.mark.req("SEC-11")
def test_the_first_administrator_needs_the_one_time_token(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'study.db'}",
        secret_key="tests",
        mode="test",
        instance_dir=tmp_path,
        session_cookie_secure=False,
    )
    app = create_app(settings)
    browser = Browser(app.test_client())
    with app.app_context():
        db.create_all()
        token = first_administrator.new_token(settings)
    kept = tmp_path / first_administrator.HASH_FILE
    assert token and token not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert browser.get("/sign-in").location == "/first-administrator"
    data = {
        "username": "root",
        "full_name": "Rita Root",
        "language": "en",
        "password": PASSWORD,
        "again": PASSWORD,
    }
    assert browser.post("/first-administrator", {**data, "token": "guess"}).status_code == 403
    with app.app_context():
        assert db.session.scalars(select(User)).all() == []
    assert browser.post("/first-administrator", {**data, "token": token}).location == "/sign-in"
    assert not kept.exists()
    assert browser.post("/first-administrator", {**data, "token": token}, page="/sign-in").status_code == 404
    assert attempt(browser, "root", PASSWORD).location == "/"
    assert browser.get("/users").status_code == 200
