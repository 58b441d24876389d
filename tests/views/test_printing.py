"""Paper: what the casebook and the CRF hold, read back from the PDF by an independent reader."""

# ruff: noqa: F811

import io
import time
import zipfile
from datetime import timedelta

import pypdfium2
import pytest

from exports import paper
from models import Change, Subject, clock, db
from models.change import System
from tests.clinic import NOW, clinic, subject  # noqa: F401
from tests.signing import Signing

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


@pytest.mark.req("CPY-01")
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


MEANINGS = {"en": "approve them as accurate, complete", "zh": "确认其准确、完整"}
STATES = {"en": ("valid", "superseded 2026-03-17 10:00"), "zh": ("有效", "已于2026-03-17 10:00")}
TITLES = {"en": ("Vital signs", "Informed consent"), "zh": ("生命体征", "知情同意")}


def squeezed(text: str) -> str:
    """A text without the white space at which a table breaks its lines."""
    return "".join(text.split())


def sheet_of(text: str, title: str, *others: str) -> str:
    """What stands on the sheet of one form."""
    rest = text[text.rindex(title) :]
    return squeezed(rest[: min((place for other in others if (place := rest.find(other)) > 0), default=len(rest))])


@pytest.fixture
def signed(tmp_path):
    """Ines Wang signed both forms at 10:00; the next day the weight was corrected, and she has another name since."""
    with clock.at(NOW):
        clinic = Signing.in_folder(tmp_path)
        subject = clinic.ready()
        clinic.sign(subject)
    with clock.at(NOW + timedelta(days=1)):
        clinic.vital(subject, WEIGHT="61.0")
        with clinic.app.app_context(), Change(by=System("tests"), action="rename", chain="system"):
            clinic.user("ines").full_name = "Somebody Else"
        yield clinic, subject


@pytest.mark.req("SIG-01", "SIG-02", "SIG-09")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_name_time_and_meaning_of_each_signature_stand_on_paper(signed, language):
    """On the sheet of the form that still is as it was signed, and on the sheet of the one that was corrected."""
    clinic, subject = signed
    text = text_of(clinic.sign_in("mona", language).get(f"/participants/{subject}/casebook.pdf").data)
    vitals, consent = TITLES[language]
    trio = ("Ines Wang (ines)", "2026-03-16 10:00", "+08:00", MEANINGS[language])
    for sheet, state in zip(
        (sheet_of(text, consent, vitals), sheet_of(text, vitals, consent)), STATES[language], strict=True
    ):
        for words in (*trio, state):
            assert squeezed(words) in sheet, words
    whole = squeezed(text[: text.index({"en": "Visits", "zh": "访视"}[language])])
    in_part = {"en": "superseded 2026-03-17 10:00 +08:00 for 1 of 2 forms", "zh": "2份表单中1份已失效"}[language]
    assert all(squeezed(words) in whole for words in (*trio, in_part))
    assert "Somebody Else" not in text


@pytest.mark.req("SIG-02", "DAT-12")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_queries_stand_on_paper_with_everything_that_was_said(signed, language):
    clinic, subject = signed
    asked = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"], text="Which scale was used?")
    clinic.do("alice", asked, "answer", "The new one.")
    clinic.ask("dora", subject, text="Is she at this site at all?")
    text = squeezed(text_of(clinic.sign_in("mona", language).get(f"/participants/{subject}/casebook.pdf").data))
    status = {"en": "answered · Weight", "zh": "已答复 · 体重"}[language]
    said = ("Mona Liu: Which scale was used?", "Alice Zhao: The new one.", "Dora Sun: Is she at this site at all?")
    for words in (status, *said):
        assert squeezed(words) in text, words


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
