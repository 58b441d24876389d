"""A form: nothing typed is lost, nothing wrong is stored, every correction says why."""

# ruff: noqa: F811

import io
import re

import pytest

from models import SignInSession, db
from tests.clinic import PASSWORD, alice, clinic, subject  # noqa: F401
from tests.pictures import png

GOOD = {"VS/1/HEIGHT": "165.0", "VS/1/WEIGHT": "60.5", "VS/1/FEVER": "N", "VS/1/VSCOM": "sitting"}
STORED = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.5", "FEVER": "N", "VSCOM": "sitting"}}}


def vs(subject):
    return f"/participants/{subject}/SCR/VS/1"


def typed(page, name):
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', page)
    return found[1] if found else None


def test_a_first_save_stores_what_was_typed_and_gives_a_receipt(clinic, alice, subject):
    answer = alice.post(vs(subject), {**GOOD, "_revision": ""})
    assert answer.status_code == 303
    page = alice.get(answer.location).text
    assert re.search(r"Receipt \d+-[0-9a-f]{8}", page) and "revision 1" in page and "+08:00" in page
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"] == {**STORED["VS"]["1"], "BMI": "22.2"}


def test_an_untouched_form_is_not_stored(clinic, alice, subject):
    alice.post(vs(subject), {"VS/1/HEIGHT": "", "_revision": ""})
    assert clinic.answers(subject, "SCR", "VS") == {}


@pytest.mark.req("DAT-17", "SEC-48")
@pytest.mark.parametrize(
    "hostile",
    ["NaN", "1e309", "٣", "１６５x", "165\x00", "<script>alert(1)</script>", "'; DROP TABLE subject"],
)
def test_what_cannot_be_stored_is_refused_with_a_sentence_and_stays_on_the_page(clinic, alice, subject, hostile):
    answer = alice.post(vs(subject), {**GOOD, "VS/1/HEIGHT": hostile, "_revision": ""})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert typed(answer.text, "VS/1/WEIGHT") == "60.5" and "sitting" in answer.text
    assert "<script>alert" not in answer.text
    assert clinic.answers(subject, "SCR", "VS") == {}


def test_a_hard_finding_is_shown_and_nothing_is_stored(clinic, alice, subject):
    answer = alice.post(vs(subject), {**GOOD, "VS/1/HEIGHT": "400", "_revision": ""})
    assert answer.status_code == 422 and "say-hard" in answer.text and typed(answer.text, "VS/1/HEIGHT") == "400"
    assert clinic.answers(subject, "SCR", "VS") == {}


def test_a_soft_finding_is_saved_and_shown(clinic, alice, subject):
    answer = alice.post(vs(subject), {**GOOD, "VS/1/HEIGHT": "135", "_revision": ""})
    page = alice.get(answer.location).text
    assert "1 answer to check" in page and "Please check." in page


@pytest.mark.req("AUD-07")
def test_a_changed_answer_needs_a_reason_and_nothing_typed_is_lost(clinic, alice, subject):
    clinic.store(subject, "SCR", "VS", STORED)
    for reason in ("", "  ", "x"):
        answer = alice.post(vs(subject), {**GOOD, "VS/1/WEIGHT": "61.5", "_revision": "1", "_reason": reason})
        assert answer.status_code == 422 and typed(answer.text, "VS/1/WEIGHT") == "61.5"
        assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["WEIGHT"] == "60.5"
    answer = alice.post(vs(subject), {**GOOD, "VS/1/WEIGHT": "61.5", "_revision": "1", "_reason": "typing error"})
    assert answer.status_code == 303 and clinic.answers(subject, "SCR", "VS")["VS"]["1"]["WEIGHT"] == "61.5"


@pytest.mark.req("AUD-03")
def test_the_history_of_an_item_holds_every_old_value_in_order(clinic, alice, subject):
    clinic.store(subject, "SCR", "VS", STORED)
    for weight in ("61.0", "62.0", "63.0"):
        cells = {**STORED["VS"]["1"], "WEIGHT": weight}
        clinic.store(subject, "SCR", "VS", {"VS": {"1": cells}}, reason=f"because {weight}")
    page = alice.get(vs(subject)).text
    link = re.search(r'href="([^"]+history\?item=VS/1/WEIGHT)"', page)
    assert link, "one click from the item"
    history = alice.get(link[1]).text
    places = [history.index(f"because {weight}") for weight in ("61.0", "62.0", "63.0")]
    assert places == sorted(places) and all(value in history for value in ("60.5", "61.0", "62.0", "63.0"))
    assert "165.0" not in history


@pytest.mark.req("FLT-11")
def test_who_saves_second_sees_both_versions_and_keeps_what_she_typed(clinic, alice, subject):
    clinic.store(subject, "SCR", "VS", STORED)
    theirs = {"VS": {"1": {**STORED["VS"]["1"], "HEIGHT": "170.0"}}}
    clinic.store(subject, "SCR", "VS", theirs, name="ines", reason="measured again")
    mine = {**GOOD, "VS/1/WEIGHT": "64.0", "_revision": "1", "_reason": "source corrected"}
    answer = alice.post(vs(subject), mine)
    assert answer.status_code == 409 and "ines" in answer.text.lower()
    assert "170.0 cm" in answer.text and "165.0 cm" in answer.text
    assert typed(answer.text, "VS/1/WEIGHT") == "64.0" and typed(answer.text, "_revision") == "2"
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["HEIGHT"] == "170.0"
    again = alice.post(vs(subject), {**mine, "VS/1/HEIGHT": "170.0", "_revision": "2"})
    assert again.status_code == 303
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["WEIGHT"] == "64.0"


def test_a_protected_answer_is_saved_by_an_investigator_with_a_reason(clinic, alice, subject):
    tall = {**GOOD, "VS/1/HEIGHT": "225", "_revision": ""}
    answer = alice.post(vs(subject), tall)
    assert answer.status_code == 422 and "An investigator can save this" in answer.text
    ines = clinic.sign_in("ines")
    page = ines.post(vs(subject), tall)
    name = re.search(r'name="(_override/[^"]+)"', page.text)
    assert page.status_code == 422 and name, "she is asked for the reason beside the item"
    assert alice.post(vs(subject), {**tall, name[1]: "a very tall man"}).status_code == 403
    assert ines.post(vs(subject), {**tall, name[1]: "a very tall man"}).status_code == 303
    assert "a very tall man" in ines.get(vs(subject)).text


@pytest.mark.req("DAT-03", "DAT-04")
def test_a_required_item_can_be_answered_by_saying_why_not(clinic, alice, subject):
    answer = alice.post(vs(subject), {**GOOD, "VS/1/HEIGHT": "", "VS/1/HEIGHT~missing": "UNK", "_revision": ""})
    assert answer.status_code == 303
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["HEIGHT"] == {"missing": "UNK"}
    page = alice.get(vs(subject)).text
    assert '<option value="UNK" selected>Unknown' in page and "complete" in page


def test_questions_that_do_not_apply_are_hidden_and_not_required(alice, subject):
    hidden = re.compile(r'data-path="VS/1/TEMP" hidden')
    assert hidden.search(alice.get(vs(subject)).text)
    answer = alice.post(vs(subject), {**GOOD, "VS/1/FEVER": "Y", "VS/1/HEIGHT": "x", "_revision": ""})
    assert not hidden.search(answer.text)


class TestLiveCheck:
    def ask(self, browser, subject, data, form="SCR/VS/1"):
        address = f"/participants/{subject}/{form}"
        return browser.post(f"{address}/check", data, page=address)

    def test_it_says_what_is_shown_derived_wrong_and_open(self, clinic, alice, subject):
        data = {
            "VS/1/HEIGHT": "200",
            "VS/1/WEIGHT": "130",
            "VS/1/FEVER": "Y",
            "VS/1/VSDAT": "2026-13",
            "VS/1/TEMP": "",
        }
        verdict = self.ask(alice, subject, data).json
        assert "VS/1/TEMP" in verdict["shown"] and verdict["derived"]["VS/1/BMI"] == "32.5"
        said = {finding["severity"]: finding["paths"] for finding in verdict["findings"]}
        assert said["soft"] == ["VS/1/HEIGHT"] and said["hard"] == ["VS/1/VSDAT"] and said["warning"] == ["VS/1/WEIGHT"]
        assert verdict["missing_required"] == ["VS/1/TEMP"]
        assert clinic.answers(subject, "SCR", "VS") == {}, "a check writes nothing"

    def test_it_names_what_would_be_a_correction(self, clinic, alice, subject):
        clinic.store(subject, "SCR", "VS", STORED)
        same = self.ask(alice, subject, {**GOOD, "_revision": "1"}).json
        other = self.ask(alice, subject, {**GOOD, "VS/1/WEIGHT": "66", "_revision": "1"}).json
        assert same["corrected"] == [] and other["corrected"] == ["VS/1/WEIGHT"]

    def test_it_asks_for_other_rows_when_the_panel_changes(self, alice, subject):
        verdict = self.ask(alice, subject, {"LBHEAD/1/LBPAN": "HEM"}, "SCR/LB/new").json
        assert verdict["redraw"] == ["LBROWS"] and "LBROWS/WBC/LBORRES" in verdict["shown"]
        address = f"/participants/{subject}/SCR/LB/new"
        page = alice.post(address, {"LBHEAD/1/LBPAN": "HEM", "_redraw": "1"}).text
        assert "White cells" in page and "Haemoglobin" in page and 'name="LBROWS/ALT/LBORRES"' not in page

    @pytest.mark.req("ACC-01")
    def test_who_only_reads_gets_no_verdict(self, clinic, subject):
        assert self.ask(clinic.sign_in("mona"), subject, GOOD).status_code == 403


@pytest.mark.req("SEC-20")
@pytest.mark.parametrize(
    "name", ["site_id", "locked", "sdv_by", "created_at", "VS/1/BMI", "VS/9/HEIGHT", "AE/1/AETERM"]
)
@pytest.mark.parametrize("where", ["", "/check", "/draft"])
def test_a_name_that_does_not_belong_to_the_form_is_refused(clinic, alice, subject, name, where):
    answer = alice.post(vs(subject) + where, {**GOOD, "_revision": "", name: "1"}, page=vs(subject))
    assert answer.status_code == 400 and clinic.answers(subject, "SCR", "VS") == {}


@pytest.mark.req("SEC-21")
def test_a_post_without_the_token_saves_nothing(clinic, alice, subject):
    answer = alice.client.post(vs(subject), data={**GOOD, "_revision": ""})
    assert answer.status_code == 400 and clinic.answers(subject, "SCR", "VS") == {}


class TestDraft:
    @pytest.mark.req("AUD-17")
    def test_what_was_left_is_shown_to_her_and_to_nobody_else(self, clinic, alice, subject):
        alice.post(f"{vs(subject)}/draft", {**GOOD, "VS/1/VSCOM": "half way"}, page=vs(subject))
        assert (
            "half way" in alice.get(vs(subject)).text and "left this form without saving" in alice.get(vs(subject)).text
        )
        assert "half way" not in clinic.sign_in("ines").get(vs(subject)).text
        assert clinic.answers(subject, "SCR", "VS") == {}

    def test_saving_forgets_it_and_so_does_throwing_it_away(self, alice, subject):
        for last in ({"_discard": "1"}, None):
            alice.post(f"{vs(subject)}/draft", {**GOOD, "VS/1/VSCOM": "half way"}, page=vs(subject))
            if last:
                alice.post(f"{vs(subject)}/draft", last, page=vs(subject))
            else:
                alice.post(vs(subject), {**GOOD, "_revision": ""})
            assert "half way" not in alice.get(vs(subject)).text

    @pytest.mark.req("FLT-32", "SEC-13")
    def test_a_lost_session_loses_nothing_typed(self, clinic, alice, subject):
        alice.post(f"{vs(subject)}/draft", {**GOOD, "VS/1/VSCOM": "before the break"}, page=vs(subject))
        token = alice.token(vs(subject))
        with clinic.app.app_context():
            db.session.query(SignInSession).delete()
            db.session.commit()
        lost = alice.client.post(vs(subject), data={**GOOD, "csrf_token": token, "_revision": ""})
        assert lost.status_code == 303 and "/sign-in" in lost.location
        asked = alice.client.post(
            f"{vs(subject)}/check", data={**GOOD, "csrf_token": token}, headers={"Accept": "application/json"}
        )
        assert asked.status_code == 401, "the page's script learns that it must ask for the password"
        alice.post("/sign-in", {"username": "alice", "password": PASSWORD})
        assert "before the break" in alice.get(vs(subject)).text


class TestRows:
    def test_a_row_is_added_without_saving_and_without_a_script(self, clinic, alice, subject):
        address = f"/participants/{subject}/LOG/AE/new"
        page = alice.post(address, {"AE/1/AETERM": "10037087", "AE/1/AESTDAT": "2026-03", "_add": "AEG"})
        assert (
            page.status_code == 200
            and 'name="AEG/1/AEGGR"' in page.text
            and typed(page.text, "AE/1/AESTDAT") == "2026-03"
        )
        more = {"AE/1/AETERM": "10037087", "AEG/1/AEGDAT": "2026-03-12", "AEG/1/AEGGR": "2", "_add": "AEG"}
        assert 'name="AEG/2/AEGGR"' in alice.post(address, more).text
        assert clinic.answers(subject, "LOG", "AE") == {}

    def test_an_empty_row_is_not_stored(self, clinic, alice, subject):
        address = f"/participants/{subject}/LOG/AE/new"
        alice.post(address, {"AE/1/AETERM": "10037087", "AEG/1/AEGDAT": "", "AEG/1/AEGGR": "", "_revision": ""})
        assert clinic.answers(subject, "LOG", "AE") == {"AE": {"1": {"AETERM": "10037087"}}}

    def test_a_row_in_error_stays_readable_and_cannot_be_changed(self, clinic, alice, subject):
        row = {"AEGDAT": "2026-03-12", "AEGGR": "2"}
        clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087"}}, "AEG": {"1": row}}, repeat=None)
        address = f"/participants/{subject}/LOG/AE/1"
        data = {"AE/1/AETERM": "10037087", "AEG/1/AEGDAT": "2026-03-12", "AEG/1/AEGGR": "2", "_revision": "1"}
        assert alice.post(address, {**data, "AEG/1/~error": "other patient"}).status_code == 303
        assert clinic.answers(subject, "LOG", "AE")["AEG"]["1"] == {**row, "_error": "other patient"}
        page = alice.get(address).text
        assert "other patient" in page and "is-in-error" in page and 'name="AEG/1/AEGGR"' not in page

    def test_a_whole_record_is_marked_in_error_with_a_reason(self, clinic, alice, subject):
        clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087"}}}, repeat=None)
        address = f"/participants/{subject}/LOG/AE/1"
        alice.post(f"{address}/error", {"reason": "entered twice", "_revision": "1"}, page=address)
        page = alice.get(address).text
        assert "entered twice" in page and "Pruritus" in page and "data-save" not in page
        assert alice.post(address, {"AE/1/AETERM": "10061103", "_revision": "2"}, page="/").status_code == 409


def test_references_offer_the_records_there_are(clinic, alice, subject):
    clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087"}}}, repeat=None)
    address = f"/participants/{subject}/LOG/AE/new"
    assert '<option value="LOG/AE/1">1 · Pruritus' in alice.get(address).text
    answer = alice.post(address, {"AE/1/AETERM": "10061103", "AE/1/AERELTO": "LOG/AE/7", "_revision": ""})
    assert answer.status_code == 422 and "Choose one from the list" in answer.text


def test_terms_are_found_in_both_languages(alice, subject):
    address = f"/participants/{subject}/LOG/AE/new/terms"
    for words in ("prur", "瘙", "10037087"):
        assert alice.get(address, query_string={"dictionary": "ctcae", "q": words}).json[0]["code"] == "10037087"
    assert alice.get(address, query_string={"dictionary": "lab", "q": "w"}).status_code == 404


PNG = png()


class TestPictures:
    def send(self, browser, subject, content, name="breast.png", revision=""):
        address = f"/participants/{subject}/SCR/PHO/1"
        file = (io.BytesIO(content), name)
        return browser.post(address, {"PHO/1/PHOF": file, "_revision": revision, "_reason": "a better one"})

    def test_a_picture_is_stored_by_its_hash_and_shown(self, clinic, alice, subject):
        assert self.send(alice, subject, PNG).status_code == 303
        sha = clinic.answers(subject, "SCR", "PHO")["PHO"]["1"]["PHOF"]
        shown = alice.get(f"/participants/{subject}/SCR/PHO/1/file/{sha}")
        assert shown.data == PNG and shown.mimetype == "image/png"
        assert alice.get(f"/participants/{subject}/SCR/PHO/1/file/{'0' * 64}").status_code == 404

    @pytest.mark.req("SEC-29")
    @pytest.mark.parametrize("content", [b"<html>", b"%PDF-1.7", b"<svg onload=alert(1)>", b"GIF89a", b"MZ"])
    def test_only_the_content_says_what_a_file_is(self, clinic, alice, subject, content):
        answer = self.send(alice, subject, content, "picture.png")
        assert answer.status_code == 422 and clinic.answers(subject, "SCR", "PHO") == {}

    def test_a_picture_stays_when_the_form_is_saved_again(self, clinic, alice, subject):
        self.send(alice, subject, PNG)
        before = clinic.answers(subject, "SCR", "PHO")
        alice.post(f"/participants/{subject}/SCR/PHO/1", {"_revision": "1"})
        assert clinic.answers(subject, "SCR", "PHO") == before


@pytest.mark.req("DAT-05", "ACC-01")
@pytest.mark.parametrize("who", ["mona", "dora"])
def test_who_may_not_enter_reads_and_cannot_write(clinic, subject, who):
    clinic.store(subject, "SCR", "VS", STORED)
    browser = clinic.sign_in(who)
    page = browser.get(vs(subject)).text
    assert "165.0" in page and "data-save" not in page and 'name="VS/1/HEIGHT"' not in page
    for where in ("", "/draft", "/error", "/not-done"):
        assert browser.post(vs(subject) + where, {**GOOD, "reason": "because"}, page="/").status_code == 403
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["WEIGHT"] == "60.5"


@pytest.mark.req("PRV-02", "ACC-07")
def test_nothing_is_entered_before_consent(clinic, alice):
    subject = clinic.screen(consent=None)
    answer = alice.post(vs(subject), {**GOOD, "_revision": ""})
    assert (
        answer.status_code == 409
        and "Consent comes first" in answer.text
        and typed(answer.text, "VS/1/WEIGHT") == "60.5"
    )


@pytest.mark.req("SEC-22")
def test_what_was_typed_is_shown_as_text(clinic, alice, subject):
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {**STORED["VS"]["1"], "VSCOM": '"><img src=x onerror=alert(1)>'}}})
    for address in (vs(subject), f"{vs(subject)}/history", f"/participants/{subject}/history"):
        page = alice.get(address).text
        assert "<img src=x" not in page and "onerror" in page
