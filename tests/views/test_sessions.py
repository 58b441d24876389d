"""One's own sessions: seen, recognised, and ended (SEC-15)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models import Change, SignInSession, clock, db
from models.change import Change as ChangeBlock
from tests.clinic import NOW, PASSWORD, Browser, Clinic
from views.devices import device_of, shortened
from workflows import sessions
from workflows.refusals import Forbidden

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def sign_in(clinic: Clinic, agent: str, address: str, name: str = "alice") -> Browser:
    client = clinic.app.test_client()
    client.environ_base = {**client.environ_base, "REMOTE_ADDR": address, "HTTP_USER_AGENT": agent}
    browser = Browser(client)
    browser.post("/sign-in", {"username": name, "password": PASSWORD})
    return browser


def is_inside(browser: Browser) -> bool:
    return bool(browser.get("/").status_code == 200)


@pytest.mark.req("SEC-15")
def test_the_page_shows_device_times_and_a_shortened_address(clinic: Clinic) -> None:
    with clock.at(NOW):
        sign_in(clinic, TABLET, "192.0.2.17")
    with clock.at(NOW + timedelta(minutes=7)):
        page = sign_in(clinic, FIREFOX, "2001:db8:1:2::9").get("/sessions").text
    for shown in ("iPad", "Firefox, Windows", "192.0.2.*", "2001:0db8:0001:*", "10:00 +08:00", "10:07 +08:00"):
        assert shown in page
    assert page.count("this session") == 1
    assert "192.0.2.17" not in page
    with clinic.app.app_context():
        kept = str(db.session.execute(select(SignInSession.device, SignInSession.address)).all())
        assert "192.0.2.17" not in kept and "Mozilla" not in kept


@pytest.mark.req("SEC-15")
def test_signing_out_elsewhere_ends_the_others_and_is_in_the_trail(clinic: Clinic) -> None:
    here, there = sign_in(clinic, FIREFOX, "192.0.2.1"), sign_in(clinic, TABLET, "192.0.2.2")
    bob = sign_in(clinic, FIREFOX, "192.0.2.3", "bob")
    answer = here.post("/sessions/end-others", {}, page="/sessions")
    assert answer.location == "/sessions"
    assert (is_inside(here), is_inside(there), is_inside(bob)) == (True, False, True)
    with clinic.app.app_context():
        found = db.session.scalars(select(Change).where(Change.action == "sign out elsewhere")).all()
        assert [change.user_name for change in found] == ["alice"]
    assert "Sign out elsewhere</button>" not in here.get("/sessions").text


@pytest.mark.req("SEC-15")
def test_nobody_sees_or_ends_the_sessions_of_somebody_else(clinic: Clinic) -> None:
    sign_in(clinic, TABLET, "198.51.100.4", "bob")
    assert "198.51.100" not in sign_in(clinic, FIREFOX, "192.0.2.1").get("/sessions").text
    with clinic.app.app_context(), pytest.raises(Forbidden):  # noqa: SIM117
        with ChangeBlock(by=clinic.user("alice"), action="sign out elsewhere", chain="system") as change:
            sessions.end_others(change, clinic.user("bob"), "any token")


@pytest.mark.req("SEC-15")
def test_an_administrator_sees_and_ends_them(clinic: Clinic) -> None:
    alice, otto = sign_in(clinic, TABLET, "198.51.100.4"), clinic.sign_in("otto")
    with clinic.app.app_context():
        address = f"/users/{clinic.user('alice').id}"
    page = otto.get(address).text
    assert "iPad" in page and "198.51.100.*" in page
    otto.post(f"{address}/sessions/end", {"reason": "tablet left in the ward"}, page=address)
    assert not is_inside(alice)


@pytest.mark.req("SEC-15")
def test_a_session_that_ended_by_itself_is_not_listed(clinic: Clinic) -> None:
    with clock.at(NOW):
        sign_in(clinic, TABLET, "198.51.100.4")
    with clock.at(NOW + timedelta(minutes=21)):
        assert "198.51.100" not in sign_in(clinic, FIREFOX, "192.0.2.1").get("/sessions").text


def test_the_page_is_in_chinese_too(clinic: Clinic) -> None:
    page = clinic.sign_in("alice", "zh").get("/sessions").text
    for words in ("我的会话", "未知设备", "当前会话", "最近使用"):
        assert words in page


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox, Windows"),
        (TABLET, "Safari, iPad"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_devices_are_named(agent: str, device: str) -> None:
    assert device_of(agent) == device


@pytest.mark.parametrize(
    ("address", "short"), [("10.1.2.3", "10.1.2.*"), ("::1", "0000:0000:0000:*"), (None, ""), ("<script>", "")]
)
def test_addresses_are_shortened(address: Any, short: str) -> None:
    assert shortened(address) == short
