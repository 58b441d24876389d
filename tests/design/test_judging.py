"""The verdict on a form: what is shown, what is derived, what is missing, what is found."""

from datetime import date

import pytest

from design.answers import apply, diff, get, iter_cells
from design.evaluation import dependents, evaluate, needs
from tests.design.tiny import TODAY, findings, form, judge, record, tiny

GOOD = {"VISDAT": "2027-05-01", "HEIGHT": "160", "WEIGHT": "60"}
CONSENT = form("CONS", {"CONSDAT": "2027-02-01", "BRTHDAT": "1970", "INITIALS": "AB"})


def basic(**cells):
    return form("BASIC", {**GOOD, **cells})


def test_derivations_run_in_the_order_in_which_they_read_each_other():
    verdict = judge(basic(WEIGHT="80"))
    assert get(verdict.answers, "BASIC/1/BMI") == "31.3"
    assert get(verdict.answers, "BASIC/1/OBESE") == "Y"


def test_a_derived_value_that_is_not_evaluable_is_taken_out():
    verdict = judge(form("BASIC", {"VISDAT": "2027-05-01", "WEIGHT": "60", "BMI": "99", "OBESE": "Y"}))
    assert get(verdict.answers, "BASIC/1/BMI") is None
    assert get(verdict.answers, "BASIC/1/OBESE") is None


def test_judging_leaves_what_it_was_given_as_it_was():
    given = basic(WEIGHT="80")
    judge(given)
    assert given.answers == {"BASIC": {"1": {**GOOD, "WEIGHT": "80"}}}


def test_required_items_are_missing_until_answered_or_excused():
    assert judge(form("BASIC", {"HEIGHT": "160"})).missing_required == ["BASIC/1/VISDAT", "BASIC/1/WEIGHT"]
    excused = judge(basic(WEIGHT={"missing": "NDONE"}))
    assert excused.missing_required == []
    assert excused.complete
    assert not judge(form("BASIC", {})).complete


def test_an_item_that_is_not_shown_is_neither_required_nor_checked_but_its_answer_is_named():
    hidden = judge(basic(SYMPT=["ITCH"], PAINGR="2"))
    assert hidden.hidden == {"BASIC/1/PAINGR"}
    assert hidden.hidden_answered == ["BASIC/1/PAINGR"]
    assert get(hidden.answers, "BASIC/1/PAINGR") == "2"
    assert hidden.missing_required == []
    assert judge(basic(SYMPT=["PAIN"])).missing_required == ["BASIC/1/PAINGR"]
    assert "B01" not in findings(judge(form("BASIC", {"VISDAT": "2099-01-01", "NOTDONE": "ill"})))
    assert "B01" in findings(judge(basic(VISDAT="2099-01-01")))


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize(
    ("height", "expected"),
    [
        ("160", []),
        ("191", ["soft"]),
        ("190", []),
        ("140.0", []),
        ("49.9", ["hard", "soft"]),
        ("251", ["hard", "soft"]),
    ],
)
def test_ranges_include_their_limits(height, expected):
    assert [finding.severity for finding in judge(basic(HEIGHT=height)).findings] == expected


@pytest.mark.req("DAT-04")
def test_a_missing_reason_breaks_no_rule():
    assert findings(judge(basic(HEIGHT={"missing": "UNK"}))) == []


def test_a_finding_names_its_place_and_speaks_both_languages():
    (finding,) = judge(basic(VISDAT="2099-01-01")).findings
    assert (finding.check_id, finding.severity, finding.paths, finding.form_id) == (
        "B01",
        "hard",
        ("BASIC/1/VISDAT",),
        "BASIC",
    )
    assert finding.label.text("en") == "The visit lies in the future. Correct the date."
    assert finding.label.text("zh") == "访视日期在将来，请更正。"


def test_the_visit_before_is_the_one_before_in_time():
    before = form("BASIC", {**GOOD, "WEIGHT": "75"}, "SCR")
    later = form("BASIC", {**GOOD, "WEIGHT": "40"}, "FU6M")
    verdict = judge(form("BASIC", GOOD, "WEEK", week=2), before, later)
    assert get(verdict.answers, "BASIC/1/WTCHG") == "-15.0"
    assert findings(verdict) == ["B02"]


def test_the_stored_state_of_the_form_gives_way_to_the_one_that_is_judged():
    stored = form("DOSE", {"DOSDAT": "2027-03-01", "AMOUNT": "50"}, "WEEK")
    other = form("DOSE", {"DOSDAT": "2027-02-01", "AMOUNT": "3"}, "WEEK", repeat=2)
    verdict = judge(form("DOSE", {"DOSDAT": "2027-03-01", "AMOUNT": "4"}, "WEEK"), stored, other, CONSENT)
    assert get(verdict.answers, "DOSE/1/TOTAL") == "7.00"


def test_a_cross_check_is_found_on_the_form_it_names():
    early = form("DOSE", {"DOSDAT": "2027-01-01", "AMOUNT": "1"}, "WEEK")
    assert findings(judge(early, CONSENT)) == ["X01"]
    assert findings(judge(early)) == []  # no consent known: not evaluable


def test_a_check_with_a_guard_runs_only_when_the_guard_is_true():
    dose = form("DOSE", {"DOSDAT": "2027-03-10", "AMOUNT": "1"}, "WEEK")
    event = {"AETERM": "x", "AESTDAT": "2027-03-01", "AESER": "Y"}
    assert findings(judge(form("AE", event, "LOG"), dose)) == ["X02"]
    assert findings(judge(form("AE", {**event, "AESER": "N"}, "LOG"), dose)) == []


def test_an_age_from_a_partial_birth_date_is_not_guessed():
    young = judge(form("CONS", {"CONSDAT": "2027-02-01", "BRTHDAT": "2015-02-01"}))
    assert findings(young) == ["C02"]
    assert get(judge(CONSENT).answers, "CONS/1/AGE") is None


def test_rows_of_a_table_follow_the_head_of_the_form():
    lab = form("LAB", {"LBPAN": "CHE"}, rows={"LBROWS": {"ALT": {"LBRES": "55"}}})
    verdict = judge(lab)
    assert get(verdict.answers, "LBROWS/ALT/LBHIGH") == "Y"
    assert {path for path in verdict.shown if path.startswith("LBROWS")} == {
        "LBROWS/ALT/LBTEST",
        "LBROWS/ALT/LBRES",
        "LBROWS/ALT/LBHIGH",
    }
    blood = judge(form("LAB", {"LBPAN": "HEM"}))
    assert {path.split("/")[1] for path in blood.shown if path.startswith("LBROWS")} == {"HGB", "WBC"}


def test_rows_of_a_child_form_are_judged_one_by_one_and_read_their_parent():
    rows = {"AEG": {"1": {"GRDAT": "2027-03-01", "GRGRADE": "3"}, "2": {"GRDAT": "2027-03-05"}}}
    verdict = judge(form("AE", {"AETERM": "x", "AESTDAT": "2027-03-01", "AESER": "N"}, "LOG", rows=rows))
    assert [(finding.check_id, finding.paths) for finding in verdict.findings] == [("G01", ("AEG/1/GRGRADE",))]
    assert verdict.missing_required == ["AEG/2/GRGRADE"]
    assert get(verdict.answers, "AE/1/AEWORST") == "3"


def test_a_row_in_error_is_not_judged():
    rows = {"AEG": {"1": {"GRGRADE": "3", "_error": "entered twice"}}}
    verdict = judge(form("AE", {"AETERM": "x", "AESTDAT": "2027-03-01", "AESER": "N"}, "LOG", rows=rows))
    assert verdict.findings == []
    assert verdict.missing_required == []
    assert get(verdict.answers, "AE/1/AEWORST") is None
    assert get(verdict.answers, "AEG/1/GRGRADE") == "3"


def test_a_family_scores_only_when_enough_is_answered():
    verdict = judge(form("QOL", {"Q1": "1", "Q2": "4", "Q3": {"missing": "UNK"}}))
    assert get(verdict.answers, "QOL/1/QMEAN") == "2.50"
    assert get(verdict.answers, "QOL/1/QDONE") == "2.00"
    assert get(judge(form("QOL", {"Q1": "1"})).answers, "QOL/1/QMEAN") is None


def test_what_is_to_be_judged_again_after_a_save():
    study = tiny()
    assert set(dependents(study, "CONS", frozenset({"CONSDAT"}))) == {"DOSE"}
    assert set(dependents(study, "DOSE", frozenset({"DOSDAT"}))) == {"DOSE", "AE"}
    assert set(dependents(study, "DOSE", frozenset({"AMOUNT"}))) == {"DOSE"}
    assert set(dependents(study, "QOL")) == set()
    assert needs(study, "AE") == {"AE", "DOSE"}


def test_today_is_the_callers_day():
    instance = basic(VISDAT="2027-06-02")
    assert findings(evaluate(tiny(), record(), instance, today=TODAY)) == ["B01"]
    assert findings(evaluate(tiny(), record(), instance, today=date(2027, 6, 2))) == []


def test_documents_differ_by_path_and_changes_can_be_applied():
    old = {"VS": {"1": {"A": "1", "B": "2"}}}
    new = {"VS": {"1": {"A": "1", "C": ["x"]}}}
    changes = diff(old, new)
    assert changes == [("VS/1/B", "2", None), ("VS/1/C", None, ["x"])]
    assert apply(old, [(path, after) for path, _, after in changes]) == new
    assert dict(iter_cells(new)) == {"VS/1/A": "1", "VS/1/C": ["x"]}
    assert apply(new, [("VS/1/A", None), ("VS/1/C", None)]) == {}
    assert old == {"VS": {"1": {"A": "1", "B": "2"}}}
