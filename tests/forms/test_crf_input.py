"""What the browser may send for a form, and what it may not."""

import pytest
from flask import Flask
from flask_babel import Babel

from forms.crf_input import CrfInput, UnknownName
from tests.small_study import study


@pytest.fixture(autouse=True)
def in_english():
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        yield


def read(form: str, posted: dict[str, str | list[str]], **more) -> CrfInput:
    lists = {name: value if isinstance(value, list) else [value] for name, value in posted.items()}
    return CrfInput.read(study().forms[form], study(), lists, **more)


def test_answers_are_kept_exactly_as_collected():
    typed = read(
        "VS",
        {"VS/1/HEIGHT": "165.0", "VS/1/FEVER": "N", "VS/1/VSDAT": "2026-03", "VS/1/VSCOM": "𠮷田 – ok 😀"},
    )
    assert typed.errors == {}
    assert typed.answers == {
        "VS": {"1": {"HEIGHT": "165.0", "FEVER": "N", "VSDAT": "2026-03", "VSCOM": "𠮷田 – ok 😀"}}
    }


@pytest.mark.req("DAT-04")
def test_an_untouched_form_has_no_answers():
    assert read("VS", {"VS/1/HEIGHT": "", "VS/1/FEVER": "", "VS/1/HEIGHT~missing": "", "_revision": ""}).answers == {}


@pytest.mark.req("DAT-03", "DAT-04")
@pytest.mark.parametrize("code", ["ND", "UNK", "NA", "NAV", "NASK"])
def test_every_reason_for_a_missing_answer_is_its_own_cell(code):
    typed = read("VS", {"VS/1/HEIGHT": "", "VS/1/HEIGHT~missing": code})
    assert typed.answers == {"VS": {"1": {"HEIGHT": {"missing": code}}}} and typed.errors == {}


@pytest.mark.parametrize("first", [True, False])
def test_an_answer_and_a_reason_for_its_absence_are_refused_together(first):
    both = [("VS/1/HEIGHT", "165"), ("VS/1/HEIGHT~missing", "ND")]
    typed = read("VS", dict(both if first else reversed(both)))
    assert list(typed.errors) == ["VS/1/HEIGHT"]


def test_a_reason_must_be_on_the_list_and_allowed_for_the_item():
    typed = read("VS", {"VS/1/HEIGHT~missing": "LAZY", "VS/1/VSPULSE~missing": "ND"})
    assert set(typed.errors) == {"VS/1/HEIGHT", "VS/1/VSPULSE"} and typed.answers == {}


@pytest.mark.req("SEC-20")
@pytest.mark.parametrize(
    "name",
    [
        "site_id",
        "locked",
        "sdv_by",
        "created_at",
        "VS/1/SITE",
        "VS/2/HEIGHT",
        "VS/1/BMI",
        "LB/1/LBORRES",
        "VS/1/HEIGHT~by",
        "VS/1/HEIGHT~drop",
        "VS/1",
        "/1/HEIGHT",
        "VS//HEIGHT",
        "_override/NOPE",
        "_findings",
        "VS/1/_error",
        "AEG/1/AEGGR",
    ],
)
def test_a_name_the_form_does_not_have_is_refused_as_a_whole(name):
    with pytest.raises(UnknownName):
        read("VS", {"VS/1/HEIGHT": "165", name: "1"})


@pytest.mark.req("SEC-48", "DAT-17")
@pytest.mark.parametrize(
    ("path", "hostile"),
    [
        ("VS/1/HEIGHT", "NaN"), ("VS/1/HEIGHT", "1e309"), ("VS/1/HEIGHT", "Infinity"), ("VS/1/HEIGHT", "1,5"),
        ("VS/1/HEIGHT", "165.55"), ("VS/1/HEIGHT", "0x1F"), ("VS/1/HEIGHT", "165\x00"), ("VS/1/VSCOM", "a\x00b"),
        ("VS/1/VSCOM", "a\ud800b"), ("VS/1/VSCOM", "x" * 501), ("VS/1/FEVER", "MAYBE"), ("VS/1/FEVER", "y"),
        ("VS/1/VSDAT", "2026-02-30"), ("VS/1/VSDAT", "2026-13"), ("VS/1/VSDAT", "yesterday"), ("VS/1/VSTIM", "25:00"),
        ("VS/1/VSPULSE", "70.5"), ("VS/1/SYMPT", "X"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_answer_gets_a_sentence(path, hostile):
    typed = read("VS", {path: hostile})
    assert list(typed.errors) == [path] and len(typed.errors[path]) > 8
    assert typed.answers == {} and typed.posted[path] == [hostile]


@pytest.mark.req("DAT-17")
def test_full_width_digits_become_plain_ones_in_numbers_and_stay_in_texts():
    typed = read("VS", {"VS/1/HEIGHT": "１６５.５", "VS/1/VSCOM": "１２０"})
    assert typed.answers["VS"]["1"] == {"HEIGHT": "165.5", "VSCOM": "１２０"}


def test_the_sentence_is_in_the_language_of_the_user():
    assert "数字" in read("VS", {"VS/1/HEIGHT": "tall"}, language="zh").errors["VS/1/HEIGHT"]


def test_several_choices_stand_in_the_order_of_the_code_list():
    assert read("VS", {"VS/1/SYMPT": ["C", "P", "C"]}).answers["VS"]["1"]["SYMPT"] == ["P", "C"]


@pytest.mark.req("SEC-48")
def test_an_item_with_one_answer_cannot_be_given_two():
    assert list(read("VS", {"VS/1/HEIGHT": ["160", "170"]}).errors) == ["VS/1/HEIGHT"]


def test_rows_of_a_table_have_the_keys_of_the_table_and_no_others():
    typed = read("LB", {"LBHEAD/1/LBPAN": "HEM", "LBROWS/WBC/LBORRES": "5.1", "LBROWS/HGB/LBORRES~missing": "ND"})
    assert typed.answers["LBROWS"] == {"WBC": {"LBORRES": "5.1"}, "HGB": {"LBORRES": {"missing": "ND"}}}
    for name in ("LBROWS/1/LBORRES", "LBROWS/XYZ/LBORRES", "LBROWS/WBC/LBTEST"):
        with pytest.raises(UnknownName):
            read("LB", {name: "5"})


def test_added_rows_are_numbered_and_bounded():
    typed = read("AE", {"AEG/1/AEGGR": "2", "AEG/12/AEGGR": "3", "AEG/13/AEGGR": ""})
    assert set(typed.answers["AEG"]) == {"1", "12"} and typed.blank_rows() == {"AEG": ["13"]}
    for row in ("0", "01", "-1", "x", "501", "99999", "１"):
        with pytest.raises(UnknownName):
            read("AE", {f"AEG/{row}/AEGGR": "2"})


def test_the_words_of_a_term_become_its_code():
    for words in ("10037087", "pruritus", "瘙痒"):
        assert read("AE", {"AE/1/AETERM": words}).answers["AE"]["1"]["AETERM"] == "10037087"
    assert list(read("AE", {"AE/1/AETERM": "itching"}).errors) == ["AE/1/AETERM"]


def test_a_reference_must_be_one_that_is_offered():
    offered = {"AERELTO": {"LOG/AE/1"}}
    assert read("AE", {"AE/1/AERELTO": "LOG/AE/1"}, allowed=offered).errors == {}
    assert list(read("AE", {"AE/1/AERELTO": "LOG/AE/9"}, allowed=offered).errors) == ["AE/1/AERELTO"]


STORED = {"AEG": {"1": {"AEGGR": "2"}, "2": {"AEGGR": "5", "_error": "other patient"}}}


def test_a_stored_row_can_be_marked_in_error_and_keeps_its_answers():
    typed = read("AE", {"AEG/1/AEGGR": "3", "AEG/1/~error": "wrong  date "}, stored=STORED)
    assert typed.answers["AEG"]["1"] == {"AEGGR": "2", "_error": "wrong date"}


def test_a_row_in_error_takes_nothing_from_the_browser():
    typed = read("AE", {"AEG/2/AEGGR": "1", "AEG/2/~error": "something else"}, stored=STORED)
    assert typed.answers["AEG"]["2"] == STORED["AEG"]["2"]
    assert read("AE", {}, stored=STORED).answers["AEG"]["2"] == STORED["AEG"]["2"]


def test_a_reason_for_an_error_has_three_characters_and_a_row_that_is_stored():
    assert list(read("AE", {"AEG/1/~error": "x"}, stored=STORED).errors) == ["AEG/1/~error"]
    with pytest.raises(UnknownName):
        read("AE", {"AEG/3/~error": "never saved"}, stored=STORED)


def test_a_picture_is_known_by_its_hash_and_stays_until_it_is_taken_away():
    old, new = "a" * 64, "b" * 64
    stored = {"PHO": {"1": {"PHOF": old}}}
    assert read("PHO", {}, stored=stored).answers == stored
    assert read("PHO", {}, stored=stored, files={"PHO/1/PHOF": new}).answers["PHO"]["1"]["PHOF"] == new
    assert read("PHO", {"PHO/1/PHOF~drop": "1"}, stored=stored).answers == {}
    assert read("PHO", {"PHO/1/PHOF": new}).answers == {}, "a hash alone gives nobody a picture"


def test_controls_are_read_beside_the_answers():
    typed = read("VS", {"_revision": "3", "_reason": " source\ncorrected ", "_override/VS09": "true", "_add": "VS"})
    assert (typed.revision, typed.reason, typed.overrides) == (3, "source corrected", {"VS09": "true"})
    with pytest.raises(UnknownName):
        read("VS", {"_revision": "three"})
