"""Hostile texts are shown as text on every page (SEC-22), and no failure of any view tells more than its id (SEC-40)."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from models.change import Change, System
from tests.clinic import PASSWORD, Clinic
from tests.views.test_access_matrix import addresses
from workflows import access, granting

TAGS = ["img src=x", "svg", "body", "iframe src=javascript:alert(1)", "details open", "video", "audio", "input autofocus",
        "marquee", "object data=x", "embed src=x", "math", "a href=javascript:alert(1)", "form action=//evil.example",
        "link rel=stylesheet href=//evil.example", "base href=//evil.example/", "meta http-equiv=refresh content=0",
        "style", "template", "textarea"]  # fmt: skip
PAYLOADS = [
    "<script>alert(1)</script>", "<ScRiPt src=//evil.example></sCrIpT>", "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>", "</title><script>alert(1)</script>", "</style><script>alert(1)</script>",
    '"><script>alert(1)</script>', "'><script>alert(1)</script>", "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>", '" onmouseover="alert(1)', "' onfocus='alert(1)' autofocus='",
    "` onclick=`alert(1)", "javascript:alert(1)", "{{ 7*7 }}", "{% print(7*7) %}", "${7*7}", "#{7*7}",
    "{{ config }}", "{{ ''.__class__.__mro__ }}", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003e", "<<script>>", "<script\u2028>alert(1)</script>",
    "＜script＞alert(1)＜/script＞", "<scr<script>ipt>", '<a href="data:text/html,x">', "<!--#exec cmd=ls-->",
    "<?php phpinfo(); ?>", "<![CDATA[<script>]]>", "\u202e<script>", "=1+1", "@SUM(1)", "+cmd|' /C calc'!A0",
    "%s%s%n", "%(name)s", "{0.__class__}", "$(touch x)", *(f"<{tag} onerror=alert(1) onload=alert(1)>" for tag in TAGS),
]  # fmt: skip


PAGER = {("a", "rel"), ("nav", ""), ("nav", "class"), ("nav", "aria-label")}  # a long list has more pages


class Elements(HTMLParser):
    """Which elements with which attributes a page has, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[tuple[str, str]] = set()
        self.text, self.links = "", []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name) for name, _ in attrs} | {(tag, "")}
        self.text += " ".join(value or "" for _, value in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("hostile"))


def save(clinic: Clinic, subject: int, words: str, weight: str) -> None:
    typed = {"HEIGHT": "165.0", "WEIGHT": weight, "VSCOM": words}
    clinic.store(subject, "SCR", "VS", {"VS": {"1": typed}}, reason=f"why {words}")


def pages(clinic: Clinic, subject: int) -> dict[str, Elements]:
    """The pages that show what people typed, as those see them who see most."""
    here, found = f"/participants/{subject}", {}
    readers = {
        "alice": [f"{here}/SCR/VS/1", f"{here}/SCR/VS/1/history", f"{here}/SCR/VS/1/history?item=VS/1/VSCOM",
                  here, f"{here}/history"],
        "mona": ["/trail"],
        "otto": ["/users", "/users/access"],
    }  # fmt: skip
    for name, wanted in readers.items():
        browser = clinic.sign_in(name)
        found.update({address: Elements(browser.get(address).text) for address in wanted})
    return found


def create(clinic: Clinic, number: int, full_name: str) -> None:
    with clinic.app.app_context(), Change(by=System("tests"), action="create user", chain="system") as change:
        user = granting.create_user(change, f"hostile{number}", full_name, PASSWORD, "en")
        granting.grant(change, user, "monitor")


@pytest.mark.req("SEC-22")
def test_sixty_hostile_texts_add_no_element_and_no_attribute_to_any_page(clinic: Clinic) -> None:
    assert len(PAYLOADS) >= 60
    subject = clinic.screen()
    for weight in ("60.0", "60.1"):
        save(clinic, subject, f"harmless {weight}", weight)
    create(clinic, 0, "Harmless Person")
    plain = pages(clinic, subject)
    for number, payload in enumerate(PAYLOADS, 1):
        save(clinic, subject, payload, f"6{number % 10}.{number // 10}")
        create(clinic, number, f"{payload} {number}")
    for address, hostile in pages(clinic, subject).items():
        assert hostile.found - plain[address].found - PAGER == set(), address
        assert not [link for link in hostile.links if "evil" in link or link.lower().startswith(("javascript", "data"))]
    history = pages(clinic, subject)[f"/participants/{subject}/SCR/VS/1/history?item=VS/1/VSCOM"].text
    missing = [payload for payload in PAYLOADS if payload not in history]
    assert missing == [], "shown exactly as typed"


@pytest.mark.req("SEC-40")
@pytest.mark.parametrize("name", ["alice", "dora", "otto"])
def test_whatever_breaks_the_page_shows_only_an_id(tmp_path: Path, name: str) -> None:
    """Every address of the person's roles, GET and POST, with a view that fails with telling words."""
    clinic = Clinic(tmp_path)
    clinic.screen("alice")
    app, browser = clinic.app, clinic.sign_in(name)
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    with app.app_context():
        held = access.actions_of(clinic.user(name))

    def failing(view: Any) -> Any:
        def fail(**_: Any) -> None:
            raise ValueError("canary SELECT * FROM subject in /srv/secret")

        fail.rule = view.rule  # type: ignore[attr-defined]
        return fail

    known = [each for each in addresses(clinic) if each[0] != "static"]
    app.view_functions = {
        endpoint: view if endpoint == "static" else failing(view) for endpoint, view in app.view_functions.items()
    }
    broken = 0
    for endpoint, method, address in known:
        rule = app.view_functions[endpoint].rule  # type: ignore[attr-defined]
        if rule.action is not None and rule.action not in held:
            continue
        answer = browser.client.open(address, method=method)
        assert answer.status_code == 500, f"{method} {endpoint}"
        assert answer.headers["X-Request-ID"] in answer.text
        for leak in ("canary", "SELECT", "/srv", "Traceback", "ValueError", ".py"):
            assert leak not in answer.text, endpoint
        broken += 1
    assert broken > 12
