"""Paper: what the casebook and the CRF hold, read back from the PDF by an independent reader."""

# ruff: noqa: F811

import io
import time
import zipfile

import pypdfium2
import pytest

from exports import paper
from models import Change, Subject, db
from tests.clinic import clinic, subject  # noqa: F401

VITAL = {"VS": {"1": {"HEIGHT": "165.5", "WEIGHT": "60.5", "VSTIM": {"missing": "UNK"}}}}


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def changes(clinic, action: str) -> list[Change]:
    with clinic.app.app_context():
        return db.session.query(Change).filter_by(action=action).all()


@pytest.fixture
def told(clinic, subject):
    """A participant whose weight was corrected four times."""
    for weight in ("60.5", "61.5", "62.5", "63.5", "64.5"):
        answers = {"VS": {"1": {**VITAL["VS"]["1"], "WEIGHT": weight}}}
        clinic.store(subject, "SCR", "VS", answers, reason="misread")
    return subject


@pytest.mark.req("CPY-01", "SIG-02")
def test_the_casebook_holds_every_answer_with_its_unit_and_why_there_is_none(clinic, told):
    answer = clinic.sign_in("alice").get(f"/participants/{told}/casebook.pdf")
    assert answer.mimetype == "application/pdf" and "attachment" in answer.headers["Content-Disposition"]
    told_text = text_of(answer.data)
    for words in ("165.5 cm", "64.5 kg", "Unknown", "2026-03-10", "Casebook", "Page 1 of", "chain"):
        assert words in told_text, words
    assert "61.5" not in told_text, "old values only when asked for"


@pytest.mark.req("AUD-03")
def test_with_history_every_old_value_stands_in_order(clinic, told):
    told_text = text_of(clinic.sign_in("alice").get(f"/participants/{told}/casebook.pdf?history=1").data)
    history = told_text[told_text.index("Audit history", told_text.index("165.5")) :]
    places = [history.index(f"{weight} kg") for weight in ("60.5", "61.5", "62.5", "63.5", "64.5")]
    assert places == sorted(places)
    assert history.count("misread") >= 4


@pytest.mark.req("DAT-17")
def test_chinese_prints_with_an_embedded_font_and_what_the_font_lacks_as_its_code(clinic, told):
    content = clinic.sign_in("alice", "zh").get(f"/participants/{told}/casebook.pdf").data
    assert "病例报告表" in text_of(content)
    assert b"/FontFile3" in content and b"/ToUnicode" in content, "the font is not in the file"
    assert paper.printable("a\x07\U00020bb7乳") == "a[U+0007][U+20BB7]乳"


@pytest.mark.req("AUD-10", "SEC-19")
def test_a_print_is_a_change_and_another_site_prints_nothing(clinic, told):
    before = len(changes(clinic, "print casebook"))
    assert clinic.sign_in("bob").get(f"/participants/{told}/casebook.pdf").status_code == 404
    assert len(changes(clinic, "print casebook")) == before
    clinic.sign_in("mona").get(f"/participants/{told}/casebook.pdf")
    assert len(changes(clinic, "print casebook")) == before + 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_crf_prints_blank_and_annotated(clinic, language):
    browser = clinic.sign_in("mona", language)
    blank = text_of(browser.get("/study/crf-1.pdf").data)
    annotated = text_of(browser.get("/study/crf-1.pdf?annotated=1").data)
    assert "VS.WEIGHT" in annotated and "VS.WEIGHT" not in blank
    assert browser.get("/study/crf-9.pdf").status_code == 404


@pytest.mark.req("CPY-01", "AUD-10")
def test_all_casebooks_are_made_in_the_background_and_fetched_as_one_zip(clinic, told):
    browser = clinic.sign_in("ines")
    assert browser.post("/print", {"sites": "01"}).status_code == 303
    page = browser.get("/print").text
    for _ in range(150):
        page = browser.get("/print").text
        if "/file" in page:
            break
        time.sleep(0.2)
    address = page[page.index("/print/") :].split('"')[0]
    packed = zipfile.ZipFile(io.BytesIO(browser.get(address).data))
    with clinic.app.app_context():
        expected = clinic.site("01").id
        labels = {each.label for each in db.session.query(Subject).filter_by(site_id=expected)}
    assert {name.removeprefix("casebook-").removesuffix(".pdf") for name in packed.namelist()} == labels
    assert changes(clinic, "download casebooks")
    assert clinic.sign_in("mona").get(address).status_code == 404, "hers alone"


def test_nothing_is_printed_for_a_site_that_is_not_hers(clinic):
    assert clinic.sign_in("alice").post("/print", {"sites": "02"}).status_code == 404
