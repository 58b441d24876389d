"""The audit trail page."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from models import Change, db
from models.change import System
from tests.clinic import PASSWORD, Browser, Clinic
from workflows import granting


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    made = Clinic(tmp_path_factory.mktemp("trail"))
    vitals = {"VS": {"1": {"HEIGHT": "156"}}}
    made.first, made.second = made.screen("alice"), made.screen("bob")  # type: ignore[attr-defined]
    made.store(made.first, "SCR", "VS", vitals)  # type: ignore[attr-defined]
    corrected = {"VS": {"1": {"HEIGHT": "165"}}}
    made.store(made.first, "SCR", "VS", corrected, reason="digits swapped")  # type: ignore[attr-defined]
    made.store(made.second, "SCR", "VS", {"VS": {"1": {"HEIGHT": "177"}}}, name="bob")  # type: ignore[attr-defined]
    return made


READERS = ("investigator", "monitor", "inspector")


@pytest.fixture(scope="module")
def readers(clinic: Clinic) -> dict[tuple[str, str], Browser]:
    """Somebody of each role that reads an item's history, at site 01 and at site 02."""
    held = {(role, code): f"reader-{role}-{code}" for role in READERS for code in ("01", "02")}
    with clinic.app.app_context(), Change(by=System("tests"), action="create user") as change:
        for (role, code), name in held.items():
            user = granting.create_user(change, name, name.title(), PASSWORD, "en")
            granting.grant(change, user, role, clinic.site(code))
    return {key: clinic.sign_in(name) for key, name in held.items()}


@pytest.fixture(scope="module")
def mona(clinic: Clinic) -> Browser:
    return clinic.sign_in("mona")


def receipts(page: str) -> list[str]:
    return re.findall(r'<td class="mono small nowrap"><a href="/trail/(\d+)"', page)


@pytest.mark.req("AUD-01", "AUD-03", "AUD-09")
def test_a_correction_shows_who_when_what_old_new_and_why(mona: Browser) -> None:
    page = mona.get("/trail?what=save+form").text
    assert "digits swapped" in page
    assert '<span class="old">156</span>' in page
    assert '<span class="new">165</span>' in page
    assert "Alice Zhao" in page
    assert "Height" in page


@pytest.mark.req("AUD-06")
def test_every_time_shows_its_offset(mona: Browser) -> None:
    times = re.findall(r'<td class="date">([^<]+)</td>', mona.get("/trail").text)
    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00", time) for time in times)


@pytest.mark.req("AUD-09", "ACC-02", "SEC-19")
def test_a_nurse_reads_only_her_own_site(clinic: Clinic) -> None:
    page = clinic.sign_in("bob").get("/trail").text
    assert "Bob Chen" in page
    assert "Alice" not in page
    assert "digits swapped" not in page
    with clinic.app.app_context():
        alices = db.session.scalars(select(Change.id).where(Change.user_name == "alice")).first()
    assert clinic.sign_in("bob").get(f"/trail/{alices}").status_code == 404
    assert clinic.sign_in("mona").get(f"/trail/{alices}").status_code == 200


@pytest.mark.req("AUD-03", "AUD-09", "ACC-13")
@pytest.mark.parametrize("role", READERS)
def test_the_history_of_an_item_is_read_beside_it(clinic: Clinic, readers: dict, role: str) -> None:
    """Two clicks from the matrix: the form, and in it the address of the item's history."""
    form = f"/participants/{clinic.first}/SCR/VS/1"  # type: ignore[attr-defined]
    reader = readers[role, "01"]
    assert f'href="{form}/history?item=VS/1/HEIGHT"' in unescape(reader.get(form).text).replace("%2F", "/")
    page = reader.get(f"{form}/history?item=VS/1/HEIGHT")
    assert page.status_code == 200
    assert re.findall(r'<span class="(old|new)">([\d.]+)', page.text) == [
        ("new", "156"),
        ("old", "156"),
        ("new", "165"),
    ]
    assert "digits swapped" in page.text and page.text.count("<strong>Alice Zhao</strong>") == 2
    assert len(re.findall(r"\d\d:\d\d:\d\d \+08:00", page.text)) == 2


@pytest.mark.req("AUD-09", "ACC-02", "SEC-19")
@pytest.mark.parametrize("role", READERS)
def test_the_history_of_an_item_of_another_site_is_not_there(clinic: Clinic, readers: dict, role: str) -> None:
    """The same answer as for a participant who does not exist."""
    for code, subject in (("02", clinic.first), ("01", clinic.second), ("01", 987654)):  # type: ignore[attr-defined]
        for query in ("?item=VS/1/HEIGHT", ""):
            page = readers[role, code].get(f"/participants/{subject}/SCR/VS/1/history{query}")
            assert page.status_code == 404
            assert not {"156", "165", "177", "digits swapped", "Alice", "Bob"} & set(re.findall(r"[\w ]+", page.text))


@pytest.mark.req("AUD-09")
def test_sign_ins_are_not_for_site_staff(clinic: Clinic, mona: Browser) -> None:
    assert "Sign in</td>" not in clinic.sign_in("bob").get("/trail").text
    assert "Sign in</td>" in mona.get("/trail").text


def test_filters_narrow_the_list(clinic: Clinic, mona: Browser) -> None:
    everything = receipts(mona.get("/trail").text)
    with clinic.app.app_context():
        alice = clinic.user("alice").id
        saves = list(map(str, db.session.scalars(select(Change.id).where(Change.user_id == alice))))
    hers = receipts(mona.get(f"/trail?who={alice}").text)
    assert set(hers) == set(saves) < set(everything)
    assert receipts(mona.get("/trail?until=2001-01-01").text) == []
    subject = receipts(mona.get(f"/trail?participant={clinic.second}").text)  # type: ignore[attr-defined]
    assert subject and not set(subject) & set(hers)


def test_pages_go_back_without_gaps(clinic: Clinic, mona: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = receipts(mona.get("/trail?until=2999-01-01").text)
    monkeypatch.setattr("workflows.tracing.PAGE", 3)
    paged = [number for page in range(1, 30) for number in receipts(mona.get(f"/trail?page={page}").text)]
    assert [number for number in paged if number in everything] == everything


@pytest.mark.req("SEC-26")
@pytest.mark.parametrize(
    "value", ["'; DROP TABLE change;--", "1 OR 1=1", "999999999999999999999", "-1", "2026-13-45", "é"]
)
@pytest.mark.parametrize("name", ["who", "what", "site", "participant", "since", "until", "page", "about"])
def test_no_filter_breaks_the_page(mona: Browser, name: str, value: str) -> None:
    assert mona.get("/trail", query_string={name: value}).status_code == 200


@pytest.mark.req("SEC-43")
def test_no_password_hash_is_shown(clinic: Clinic, mona: Browser) -> None:
    with clinic.app.app_context():
        created = db.session.scalars(select(Change.id).where(Change.action == "create user")).first()
    page = mona.get(f"/trail/{created}").text
    assert "argon2" not in page
    assert "(not shown)" in page


def test_the_trail_is_not_for_administrators(clinic: Clinic) -> None:
    assert clinic.sign_in("otto").get("/trail").status_code == 403


def test_the_page_offers_no_way_to_change_anything(mona: Browser) -> None:
    page = mona.get("/trail").text
    forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page)
    assert {action.split("?")[0] for action in forms} <= {"/sign-out", "/language/zh"}


def test_the_trail_is_filtered_by_form_and_by_item(clinic: Clinic, mona: Browser) -> None:
    everything = mona.get("/trail").text
    of_form, of_item = mona.get("/trail?form=VS").text, mona.get("/trail?item=height").text
    assert "CONSDAT" not in of_form and of_form.count("<article") <= everything.count("<article")
    assert "156" in of_form and "156" in of_item
    assert "156" not in mona.get("/trail?item=WEIGH").text, "the whole name, not a part of it"
    assert "156" not in mona.get("/trail?form=LB").text
    assert mona.get("/trail?item=%25&form='").status_code == 200
