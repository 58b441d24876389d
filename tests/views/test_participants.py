"""The list of participants, taking one in, her visits and forms."""

# ruff: noqa: F811

import re
from html import unescape

import pytest
from sqlalchemy import event

from models import Subject, db
from models.change import Change, System
from tests.clinic import PASSWORD, alice, clinic, subject  # noqa: F401
from workflows import granting


def label_of(clinic, subject_id):
    with clinic.app.app_context():
        return db.session.get(Subject, subject_id).label


class Statements:
    """Counts the statements of a block."""

    def __init__(self, clinic):
        with clinic.app.app_context():
            self.engine = db.engine
        self.count = 0

    def _add(self, *_):
        self.count += 1

    def __enter__(self):
        event.listen(self.engine, "before_cursor_execute", self._add)
        return self

    def __exit__(self, *_):
        event.remove(self.engine, "before_cursor_execute", self._add)


def test_the_list_shows_those_of_ones_own_site(clinic, alice, subject):
    other = clinic.screen("bob")
    page = alice.get("/participants?q=").text
    assert label_of(clinic, subject) in page and label_of(clinic, other) not in page


@pytest.mark.req("SEC-19")
@pytest.mark.parametrize("address", ["", "/history", "/SCR/VS/1", "/SCR/VS/1/history", "/LOG/AE"])
def test_a_participant_of_another_site_does_not_exist(clinic, alice, address):
    other, nobody = clinic.screen("bob"), 999_999
    theirs, none = alice.get(f"/participants/{other}{address}"), alice.get(f"/participants/{nobody}{address}")
    assert theirs.status_code == none.status_code == 404


def test_filters_narrow_the_list(clinic, alice, subject):
    fresh = clinic.screen(consent=None)
    page = alice.get("/participants?status=screening").text
    assert label_of(clinic, fresh) in page and label_of(clinic, subject) not in page
    page = alice.get(f"/participants?q={label_of(clinic, subject)}").text
    assert label_of(clinic, subject) in page and label_of(clinic, fresh) not in page
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "135", "WEIGHT": "50", "FEVER": "N"}}})
    page = alice.get("/participants?attention=findings").text
    assert label_of(clinic, subject) in page and label_of(clinic, fresh) not in page


@pytest.mark.req("SEC-26")
@pytest.mark.parametrize("query", ["' OR 1=1 --", "%", "_", "\\", "\x00", "<script>"])
def test_a_hostile_search_finds_nobody(alice, subject, query):
    answer = alice.get("/participants", query_string={"q": query})
    assert answer.status_code == 200 and (query == "\x00" or "Nobody matches" in answer.text)
    assert "<script>" not in answer.text.split("<main")[1]


def test_screening_issues_a_number_and_opens_the_participant(clinic, alice):
    answer = alice.post("/participants/new", {"site": "01"})
    assert answer.status_code == 303
    page = alice.get(answer.location).text
    assert "01-S0" in page and "Informed consent" in page


@pytest.mark.req("ACC-02")
def test_nobody_screens_at_another_site(alice):
    answer = alice.post("/participants/new", {"site": "02"})
    assert answer.status_code == 422


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("who", ["mona", "dora", "otto"])
def test_only_site_staff_screens(clinic, who):
    browser = clinic.sign_in(who)
    assert browser.get("/participants/new").status_code == 403
    assert browser.post("/participants/new", {"site": "01"}, page="/").status_code == 403


def test_the_matrix_says_in_words_how_far_each_form_is(clinic, alice, subject):
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165"}}})
    clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087"}}}, repeat=None)
    clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10061103"}}}, repeat=None)
    page = alice.get(f"/participants/{subject}").text
    for words in ("complete", "in progress", "expected", "optional", "2 × "):
        assert words in page
    assert f'href="/participants/{subject}/LOG/AE/new"' in page


def test_the_matrix_costs_the_same_however_many_forms_there_are(clinic, alice):
    few, many = clinic.screen(), clinic.screen()
    for _ in range(12):
        clinic.store(many, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087"}}}, repeat=None)
    alice.get(f"/participants/{few}")
    with Statements(clinic) as one:
        alice.get(f"/participants/{few}")
    with Statements(clinic) as other:
        alice.get(f"/participants/{many}")
    assert one.count == other.count <= 14


def test_the_list_costs_the_same_however_many_participants_there_are(clinic, alice):
    clinic.screen()
    alice.get("/participants")
    with Statements(clinic) as one:
        alice.get("/participants")
    for _ in range(5):
        clinic.screen()
    with Statements(clinic) as other:
        alice.get("/participants")
    assert one.count == other.count


def test_an_unscheduled_visit_keeps_its_own_place(alice, subject):
    answer = alice.post(f"/participants/{subject}/visits", {"do": "unscheduled"}, page=f"/participants/{subject}")
    assert answer.status_code == 303 and "UNS" in answer.location
    page = alice.get(answer.location).text
    assert "Unscheduled visit 1" in page and f"/participants/{subject}/UNS/SV/1" in page


def test_a_visit_is_marked_as_missed_with_a_reason_and_back(clinic, alice):
    subject = clinic.screen(consent="2026-01-10")
    here = f"/participants/{subject}"
    refused = alice.post(f"{here}/visits", {"do": "missed", "event": "FU1", "reason": " "}, page=here)
    assert refused.status_code == 303 and "at least three characters" in alice.get(here).text
    alice.post(f"{here}/visits", {"do": "missed", "event": "FU1", "reason": "did not come"}, page=here)
    assert "did not come" in alice.get(here).text and "Not missed after all" in alice.get(here).text
    alice.post(f"{here}/visits", {"do": "planned", "event": "FU1", "reason": "came late"}, page=here)
    assert "Mark as missed" in alice.get(here).text


@pytest.mark.req("SEC-20")
def test_a_visit_cannot_be_given_a_state_of_ones_own(alice, subject):
    here = f"/participants/{subject}"
    assert alice.post(f"{here}/visits", {"do": "done", "event": "SCR"}, page=here).status_code == 400
    assert (
        alice.post(f"{here}/visits", {"do": "missed", "event": "NOPE", "reason": "xyz"}, page=here).status_code == 404
    )


def test_the_history_names_who_did_what(alice, subject):
    page = alice.get(f"/participants/{subject}/history").text
    assert "alice" in page.split("<main")[1].lower() and "Screen participant" in page


def test_the_page_is_chinese_for_those_who_chose_it(clinic, subject):
    page = clinic.sign_in("alice", "zh").get(f"/participants/{subject}").text
    assert "筛选" in page and "知情同意" in page and 'lang="zh-CN"' in page


@pytest.mark.req("ACC-02")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("alice", []), ("mona", []), ("iva", []), ("ines", ["sign"]), ("dora", ["freeze", "lock"])],
)
def test_who_may_sign_freeze_or_lock_gets_there_from_the_participant(clinic, subject, name, expected):
    if name == "iva":
        with clinic.app.app_context(), Change(by=System("tests"), action="create user", chain="system") as change:
            granting.grant(change, granting.create_user(change, name, "Iva Look", PASSWORD, "en"), "inspector")
    browser = clinic.sign_in(name)
    page = browser.get(f"/participants/{subject}").text
    addresses = {
        "sign": f"/signing/{subject}",
        "freeze": f"/protection/preview?act=freeze&kind=subject&subject={subject}",
        "lock": f"/protection/preview?act=lock&kind=subject&subject={subject}",
    }
    links = {unescape(href) for href in re.findall(r'class="btn btn-small" href="([^"]+)"', page)}
    assert [act for act, href in addresses.items() if href in links] == expected
    assert all(browser.get(addresses[act]).status_code == 200 for act in expected)


def test_what_is_locked_is_neither_signed_nor_frozen_but_can_be_asked_for(clinic, subject):
    with clinic.app.app_context(), Change(by=System("tests"), action="lock", chain="small"):
        db.session.get_one(Subject, subject).protection = "locked"
    assert f'href="/signing/{subject}"' not in clinic.sign_in("ines").get(f"/participants/{subject}").text
    dora = clinic.sign_in("dora")
    page = dora.get(f"/participants/{subject}").text
    (href,) = re.findall(r'href="(/protection/preview[^"]+)"', page)
    assert "Ask to unlock" in page and "Ask to unlock" in dora.get(unescape(href)).text
