"""The pages of signing, delegation, freezing and locking, as people of each role meet them."""

import csv
import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.clinic import PASSWORD, Browser, Clinic

VS = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}}}
WORDS = {"meaning": "approve", "statement": "1", "username": "ines", "password": PASSWORD}


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def ticked(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]+)"', page)


def ready(clinic: Clinic, name: str = "alice") -> int:
    subject = clinic.screen(name)
    clinic.store(subject, "SCR", "VS", VS, name=name)
    return subject


def shown_by(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return str(answer.text)


@pytest.mark.req("SIG-01", "SIG-13")
@pytest.mark.parametrize(
    ("tongue", "meaning"), [("en", "approve them as accurate"), ("zh", "确认其准确、完整并与源数据一致")]
)
def test_a_visit_is_signed_with_everything_in_view(clinic: Clinic, tongue: str, meaning: str) -> None:
    subject = ready(clinic)
    ines = clinic.sign_in("ines", tongue)
    assert f"/signing/{subject}" in shown_by(ines, "/signing")
    page = shown_by(ines, f"/signing/{subject}?event=SCR")
    assert "60.0 kg" in page and "165.0 cm" in page and len(ticked(page)) == 2
    answer = ines.post(f"/signing/{subject}", {**WORDS, "event": "SCR", "shown": ticked(page)})
    assert answer.status_code == 303
    form = shown_by(ines, f"/participants/{subject}/SCR/VS/1")
    assert "Ines Wang" in form and meaning in form and "+08:00" in form.partition('id="signatures"')[2]
    assert f"/signing/{subject}" not in shown_by(ines, "/signing")


@pytest.mark.req("SIG-09")
def test_a_correction_shows_what_changed_to_the_next_signer_and_the_old_signature_stays(clinic: Clinic) -> None:
    subject = ready(clinic)
    ines, here = clinic.sign_in("ines"), f"/signing/{subject}"
    ines.post(here, {**WORDS, "shown": ticked(shown_by(ines, here))})
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {**VS["VS"]["1"], "WEIGHT": "62.5"}}}, reason="misread the scale")
    page = shown_by(ines, here)
    assert "Changed since the last signature" in page and "misread the scale" in page
    assert "60.0 kg" in page and "62.5 kg" in page and "signed in part" in page
    form = shown_by(ines, f"/participants/{subject}/SCR/VS/1")
    assert "superseded" in form and "Ines Wang" in form


@pytest.mark.req("SIG-13", "SIG-06")
def test_a_refusal_shows_the_page_again_and_says_why(clinic: Clinic) -> None:
    subject = ready(clinic)
    ines, here = clinic.sign_in("ines"), f"/signing/{subject}"
    shown = ticked(shown_by(ines, here))
    wrong = ines.post(here, {**WORDS, "password": "wrong wrong wrong", "shown": shown})
    assert wrong.status_code == 401 and "User name or password is not right" in wrong.text
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {**VS["VS"]["1"], "WEIGHT": "62.5"}}}, reason="misread")
    moved = [each for each in shown if not each.startswith("1:")]
    late = ines.post(here, {**WORDS, "shown": moved})
    assert late.status_code == 409 and "since you opened the page" in late.text
    assert ines.post(here, {**WORDS, "shown": "nonsense"}).status_code == 404
    assert ines.post(here, WORDS).status_code == 409


@pytest.mark.req("DAT-13", "ACC-07")
def test_a_site_is_previewed_locked_and_unlocked_by_two(clinic: Clinic) -> None:
    subject = ready(clinic)
    dora, ines = clinic.sign_in("dora"), clinic.sign_in("ines")
    page = shown_by(dora, "/protection/preview?act=lock&kind=site&site=01")
    assert "not signed as it stands · required items not verified" in page
    assert "Because forms are left out" in page
    dora.post("/protection/apply", {"act": "freeze", "kind": "site", "site": "01"}, page="/protection")
    assert "Frozen" in shown_by(ines, f"/participants/{subject}/SCR/VS/1")
    answer = dora.post("/protection/unlock", {"kind": "site", "site": "01", "reason": "late"}, page="/protection")
    assert answer.status_code == 303 and "nothing here that could be unlocked" in shown_by(dora, "/protection")


def test_nobody_previews_what_she_may_not_see(clinic: Clinic) -> None:
    subject = ready(clinic)
    dora = clinic.sign_in("dora")
    for query in ("kind=nothing", "kind=site&site=99", "kind=form&form=999", "kind=subject&subject=x",
                  f"kind=event&subject={subject}&event=NIX"):  # fmt: skip
        assert dora.get(f"/protection/preview?act=lock&{query}").status_code == 404
    assert clinic.sign_in("alice").get("/protection/preview?act=lock&kind=study").status_code == 403


@pytest.mark.req("DAT-13")
def test_the_checklist_leads_to_what_is_left_and_can_be_taken_away(clinic: Clinic) -> None:
    subject = ready(clinic)
    dora = clinic.sign_in("dora")
    page = shown_by(dora, "/protection/checklist?site=01&kind=unsigned")
    assert f"/participants/{subject}/SCR/VS/1" in page and f"/participants/{subject}/SCR/ICF/1" in page
    file = dora.get("/protection/checklist/file?site=01&format=csv").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(file)))
    kinds = {(row["kind"], row["form"]) for row in rows}
    assert {("unsigned", "VS"), ("unverified", "VS"), ("unsigned", "ICF")} <= kinds
    book = load_workbook(io.BytesIO(dora.get("/protection/checklist/file?site=01&format=xlsx").data))
    assert book["checklist"].max_row == len(rows) + 1
    assert dora.get("/protection/checklist/file?format=exe").status_code == 404


@pytest.mark.req("ACC-02")
def test_the_checklist_of_a_site_is_not_for_another(clinic: Clinic) -> None:
    ready(clinic)
    bob = clinic.sign_in("bob")
    assert "01-S001" not in shown_by(bob, "/protection/checklist")
    assert bob.get("/protection/checklist?site=01").status_code == 404
    assert bob.get("/delegation?site=01").status_code == 404


@pytest.mark.req("SIG-11")
def test_the_log_is_written_and_read(clinic: Clinic) -> None:
    ines = clinic.sign_in("ines")
    with clinic.app.app_context():
        own = str(clinic.user("ines").id)
    assert "No delegation log is kept" in shown_by(ines, "/delegation")
    line = {"site": "01", "person": own, "task": ["consent"], "starts_on": "2026-03-01"}
    assert ines.post("/delegation", line).status_code == 303
    page = shown_by(clinic.sign_in("mona", "zh"), "/delegation?site=01")
    assert "主要研究者" in page and "取得知情同意" in page and "Ines Wang" in page
    subject = ready(clinic)
    assert "is not delegated to sign case report forms" in shown_by(ines, f"/signing/{subject}")
    assert ines.post("/delegation", {**line, "starts_on": "yesterday"}).status_code == 303
    assert "Enter a date like" in shown_by(ines, "/delegation")
