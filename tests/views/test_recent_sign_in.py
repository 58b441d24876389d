"""What only the person herself should do asks for the password again, and loses nothing typed (SEC-16)."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models import Export, clock, db
from tests.clinic import NOW, PASSWORD, Browser, Clinic
from views.guard import matrix

WANTED = {"formats": "csv", "sites": ["01", "02"], "reason": 'interim "look" <1> 中期'}


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    with clock.at(NOW - timedelta(days=1)):
        made = Clinic(tmp_path)
        made.screen("alice")
    return made


@pytest.fixture
def stale(clinic: Clinic) -> Iterator[Browser]:
    """The data manager, in the same session, more than half an hour after she typed her password."""
    with clock.at(NOW):
        browser = clinic.sign_in("dora")
    with clock.at(NOW + timedelta(minutes=16)):
        browser.get("/")
    with clock.at(NOW + timedelta(minutes=31)):
        yield browser


def count(clinic: Clinic) -> int:
    with clinic.app.app_context():
        return db.session.query(Export).count()


def fields(page: str) -> list[tuple[str, str]]:
    """The hidden fields of a page, as a browser would send them."""
    found = re.findall(r'<input[^>]*type="hidden"[^>]*>', page[page.index("<main") :])
    named = [(re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in found]
    return [(name[1], html.unescape(value[1]) if value else "") for name, value in named if name]


def sent(browser: Browser, address: str, page: str, **more: Any) -> Any:
    data: dict[str, list[str]] = {}
    for name, value in fields(page):
        data.setdefault(name, []).append(value)
    return browser.client.post(address, data={**data, **more})


@pytest.mark.req("SEC-16")
def test_what_was_typed_is_sent_after_the_password(clinic: Clinic, stale: Browser) -> None:
    challenge = stale.post("/exports", WANTED)
    assert challenge.status_code == 401 and 'type="password"' in challenge.text
    assert count(clinic) == 0
    wrong = sent(stale, "/confirm", challenge.text, password="not hers at all")
    assert wrong.status_code == 401 and count(clinic) == 0
    ready = sent(stale, "/confirm", wrong.text, password=PASSWORD)
    assert ready.status_code == 200 and "中期" in ready.text and 'action="/exports"' in ready.text
    assert count(clinic) == 0, "confirming is not yet doing"
    assert sent(stale, "/exports", ready.text).status_code == 303
    with clinic.app.app_context():
        made = db.session.query(Export).one()
        assert (made.formats, made.site_codes) == (["csv"], ["01", "02"])


@pytest.mark.req("SEC-16")
def test_a_download_goes_on_after_the_password(clinic: Clinic) -> None:
    with clock.at(NOW):
        browser = clinic.sign_in("dora")
        browser.post("/exports", WANTED)
    with clock.at(NOW + timedelta(minutes=16)):
        browser.get("/")
    with clock.at(NOW + timedelta(minutes=31)):
        answer = browser.get("/exports/1/file")
        assert answer.status_code == 303 and answer.location.startswith("/confirm?next=")
        page = browser.get(answer.location).text
        after = sent(browser, "/confirm", page, password=PASSWORD)
        assert after.location == "/exports/1/file"
        assert browser.get(after.location).mimetype == "application/zip"


@pytest.mark.req("SEC-16", "SEC-21")
def test_a_post_from_elsewhere_is_not_kept(clinic: Clinic, stale: Browser) -> None:
    answer = stale.client.post("/exports", data={**WANTED, "csrf_token": "forged"})
    assert answer.status_code == 303 and answer.location == "/confirm"
    assert "interim" not in stale.get("/confirm").text
    answer = stale.client.post("/confirm", data={"password": PASSWORD, "next": "/exports", "typed": '[["a", "b"]]'})
    assert answer.status_code == 400 and count(clinic) == 0


@pytest.mark.req("SEC-16", "SEC-49")
@pytest.mark.parametrize("typed", ["not json", "[1]", '{"a": 1}', "[[1, 2, 3]]"])
def test_what_is_kept_must_be_readable_and_goes_nowhere_else(stale: Browser, typed: str) -> None:
    data = {"password": PASSWORD, "next": "//evil.example/exports", "typed": typed}
    assert stale.post("/confirm", data).status_code == 400
    answer = stale.post("/confirm", {**data, "typed": '[["a", "b"]]'})
    assert "evil" not in answer.text and 'action="/"' in answer.text


@pytest.mark.req("SEC-16")
def test_a_script_is_told_to_ask(stale: Browser) -> None:
    answer = stale.client.post("/exports", data=WANTED, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]) == (401, "confirm")


@pytest.mark.req("SEC-16")
def test_every_export_and_every_change_to_an_account_asks(clinic: Clinic) -> None:
    declared = matrix(clinic.app)
    writing = {
        rule.endpoint
        for rule in clinic.app.url_map.iter_rules()
        if rule.endpoint.startswith(("users.", "exports.")) and "POST" in (rule.methods or ())
    }
    assert {"exports.make", "users.new", "users.add_grant", "users.reset_password"} <= writing
    for endpoint in {*writing, "exports.fetch"}:
        rule = declared[endpoint]
        assert rule is not None and rule.recent, endpoint


def typed_too_late(clinic: Clinic) -> tuple[Browser, Any]:
    """The data manager sends her choice after her session has ended by itself."""
    with clock.at(NOW):
        browser = clinic.sign_in("dora")
        token = browser.token("/exports")
    with clock.at(NOW + timedelta(minutes=40)):
        return browser, browser.client.post("/exports", data={**WANTED, "csrf_token": token})


@pytest.mark.req("SEC-16", "SEC-13", "FLT-32")
def test_after_signing_in_again_the_same_person_can_send_what_she_typed(clinic: Clinic) -> None:
    browser, page = typed_too_late(clinic)
    assert page.status_code == 401 and "interim" not in page.text.replace("&#34;", ""), "signed, not shown"
    with clock.at(NOW + timedelta(minutes=41)):
        ready = sent(browser, "/sign-in", page.text, username="dora", password=PASSWORD)
        assert ready.status_code == 200 and "中期" in ready.text and count(clinic) == 0
        assert sent(browser, "/exports", ready.text).status_code == 303
        assert count(clinic) == 1


@pytest.mark.req("SEC-16")
def test_nobody_else_gets_it(clinic: Clinic) -> None:
    browser, page = typed_too_late(clinic)
    with clock.at(NOW + timedelta(minutes=41)):
        other = sent(browser, "/sign-in", page.text, username="ines", password=PASSWORD)
        assert (other.status_code, other.location) == (303, "/exports")
        forged = clinic.app.test_client()
        answer = Browser(forged).post(
            "/sign-in", {"username": "dora", "password": PASSWORD, "next": "/exports", "typed": '[5, "[]"]'}
        )
        assert answer.location == "/exports"


@pytest.mark.req("SEC-21")
def test_without_the_cookie_of_the_ended_session_nothing_is_kept(clinic: Clinic) -> None:
    typed_too_late(clinic)
    answer = clinic.app.test_client().post("/exports", data=WANTED)
    assert answer.status_code == 303 and answer.location.startswith("/sign-in")
