"""What the laboratory form derives: standard result, range, indicator and CTCAE grade at the boundaries."""

from __future__ import annotations

import pytest
from screening import cell, form, found, judged, read, severities, verdict

pytestmark = pytest.mark.req("DAT-03", "DAT-10")
PANELS = {"WBC": "HEM", "NEUT": "HEM", "LYM": "HEM", "HGB": "HEM", "PLAT": "HEM"}
UNITS = {
    "WBC": "10^9/L", "NEUT": "10^9/L", "LYM": "10^9/L", "PLAT": "10^9/L", "HGB": "g/L", "ALT": "U/L", "AST": "U/L",
    "BILI": "umol/L", "CREAT": "umol/L", "CEA": "ug/L",
}  # fmt: skip


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def sample(study, test, result, event="FU3M", unit=None, lab="WW", panel=None, repeat=1, day="2027-09-01"):
    """One result of one test."""
    row = {"LBORRES": result, "LBORRESU": unit or UNITS[test]}
    panel = panel or PANELS.get(test, "TUM" if test == "CEA" else "CHE")
    return form(study, "LB", event, repeat, {"LBROWS": {test: row}}, LBPAN=panel, LBNAM=lab, LBDAT=day)


def woman(study):
    """Ranges depend on the sex."""
    return form(study, "DM", "SCR", SEX="F")


def grade(study, test, result, baseline=None, **how):
    """The grade of a follow-up result, after a screening value if one is given."""
    record = [woman(study)]
    if baseline is not None:
        record.append(judged(study, sample(study, test, baseline, "SCR", day="2027-01-05"), record))
    return cell(study, "LBCTC", sample(study, test, result, **how), record, test)


@pytest.mark.parametrize(
    ("test", "result", "expected"),
    [
        ("WBC", "3.5", "0"), ("WBC", "3.49", "1"), ("WBC", "3.0", "1"), ("WBC", "2.99", "2"), ("WBC", "2.0", "2"),
        ("WBC", "1.99", "3"), ("WBC", "1.0", "3"), ("WBC", "0.99", "4"), ("WBC", "20", "0"),
        ("NEUT", "1.8", "0"), ("NEUT", "1.5", "1"), ("NEUT", "1.49", "2"), ("NEUT", "1.0", "2"),
        ("NEUT", "0.99", "3"), ("NEUT", "0.5", "3"), ("NEUT", "0.49", "4"),
        ("LYM", "1.1", "0"), ("LYM", "0.8", "1"), ("LYM", "0.79", "2"), ("LYM", "0.5", "2"),
        ("LYM", "0.49", "3"), ("LYM", "0.2", "3"), ("LYM", "0.19", "4"),
        ("HGB", "115", "0"), ("HGB", "114", "1"), ("HGB", "100", "1"), ("HGB", "99", "2"), ("HGB", "80", "2"),
        ("HGB", "79", "3"), ("HGB", "30", "3"),
        ("PLAT", "125", "0"), ("PLAT", "124", "1"), ("PLAT", "75", "1"), ("PLAT", "74", "2"), ("PLAT", "50", "2"),
        ("PLAT", "49", "3"), ("PLAT", "25", "3"), ("PLAT", "24", "4"),
        ("CEA", "500", None),
    ],
)  # fmt: skip
def test_a_boundary_value_belongs_to_the_milder_grade(study, test, result, expected):
    assert grade(study, test, result) == expected


@pytest.mark.parametrize(
    ("test", "result", "baseline", "expected"),
    [
        # upper limits: ALT 40, AST 35, bilirubin 20.5
        ("ALT", "40", None, "0"), ("ALT", "41", None, "1"), ("ALT", "120", None, "1"), ("ALT", "121", None, "2"),
        ("ALT", "200", "30", "2"), ("ALT", "201", "30", "3"), ("ALT", "800", "40", "3"), ("ALT", "801", "40", "4"),
        ("AST", "35", None, "0"), ("AST", "105", None, "1"), ("AST", "106", None, "2"),
        # abnormal at baseline: multiples of the baseline value, grade 1 from 1.5 times
        ("ALT", "119", "80", "0"), ("ALT", "120", "80", "1"), ("ALT", "240", "80", "1"), ("ALT", "241", "80", "2"),
        ("ALT", "400", "80", "2"), ("ALT", "401", "80", "3"), ("ALT", "1601", "80", "4"),
        ("BILI", "20.5", None, "0"), ("BILI", "20.6", None, "1"), ("BILI", "30.75", None, "1"),
        ("BILI", "30.8", None, "2"), ("BILI", "61.5", None, "2"), ("BILI", "61.6", None, "3"), ("BILI", "205.1", None, "4"),
        ("BILI", "30", "30", "0"), ("BILI", "30.1", "30", "1"), ("BILI", "45", "30", "1"), ("BILI", "45.1", "30", "2"),
    ],
)  # fmt: skip
def test_liver_values_are_graded_by_the_upper_limit_or_an_abnormal_baseline(study, test, result, baseline, expected):
    assert grade(study, test, result, baseline) == expected


@pytest.mark.parametrize(
    ("result", "baseline", "expected"),
    [
        # upper limit 73; a baseline below it makes the multiples of baseline the stricter limits
        ("73", None, "0"), ("74", None, "1"), ("109.5", None, "1"), ("109.6", None, "2"), ("219", None, "2"),
        ("219.1", None, "3"), ("438", None, "3"), ("438.1", None, "4"),
        ("75", "50", "1"), ("76", "50", "2"), ("150", "50", "2"), ("151", "50", "3"), ("73", "50", "0"),
        ("80", "100", "1"),
    ],
)  # fmt: skip
def test_creatinine_is_graded_by_the_worse_of_baseline_and_upper_limit(study, result, baseline, expected):
    assert grade(study, "CREAT", result, baseline) == expected


def test_a_screening_value_is_graded_by_the_limit_not_by_itself(study):
    assert cell(study, "LBCTC", sample(study, "ALT", "130", "SCR"), [woman(study)], "ALT") == "2"


@pytest.mark.parametrize(
    ("test", "result", "unit", "standard"),
    [
        ("HGB", "12.5", "g/dL", "125.000000"),
        ("HGB", "125", "g/L", "125.000000"),
        ("WBC", "3000", "/uL", "3.000000"),
        ("BILI", "1.2", "mg/dL", "20.520000"),
        ("CREAT", "1.0", "mg/dL", "88.400000"),
        ("CEA", "3.1", "ng/mL", "3.100000"),
        ("CEA", "<0.5", "ug/L", None),
        ("CEA", ">1000", "ug/L", None),
        ("CEA", "阴性", "ug/L", None),
        ("HGB", "12.5", "mmol/L", None),
    ],
)
def test_only_pure_numbers_in_an_accepted_unit_are_converted(study, test, result, unit, standard):
    assert cell(study, "LBSTRES", sample(study, test, result, unit=unit), [woman(study)], test) == standard


def test_haemoglobin_of_an_outside_unit_is_graded_in_the_standard_unit(study):
    """12.5 g/dL is 125 g/L and normal, not grade 3; the range is shown in the unit of the result."""
    outside = sample(study, "HGB", "12.5", unit="g/dL")
    found_cells = [
        cell(study, name, outside, [woman(study)], "HGB") for name in ("LBCTC", "LBNRIND", "LBNRLO", "LBNRHI")
    ]
    assert found_cells == ["0", "NORMAL", "11.5000", "15.0000"]


@pytest.mark.parametrize(
    ("test", "result", "indicator"),
    [
        ("WBC", "3.4", "LOW"),
        ("WBC", "3.5", "NORMAL"),
        ("WBC", "9.5", "NORMAL"),
        ("WBC", "9.6", "HIGH"),
        ("WBC", "<1", None),
    ],
)
def test_range_indicator(study, test, result, indicator):
    assert cell(study, "LBNRIND", sample(study, test, result), [woman(study)], test) == indicator


def test_without_a_range_there_is_no_indicator_and_the_significance_is_asked(study):
    outside = sample(study, "WBC", "5.0", lab="EXT")
    assert cell(study, "LBNRIND", outside, [woman(study)], "WBC") is None
    assert "LBROWS/WBC/LBCLSIG" in verdict(study, outside, [woman(study)]).shown
    assert "LBROWS/WBC/LBCLSIG" in verdict(study, sample(study, "WBC", "5.0"), [woman(study)]).hidden
    assert "LBROWS/WBC/LBCLSIG" in verdict(study, sample(study, "WBC", "3.0"), [woman(study)]).shown


def test_a_male_range_is_used_for_a_man(study):
    man = form(study, "DM", "SCR", SEX="M")
    assert cell(study, "LBCTC", sample(study, "HGB", "119"), [man], "HGB") != cell(
        study, "LBCTC", sample(study, "HGB", "119"), [woman(study)], "HGB"
    )


@pytest.mark.parametrize(
    ("test", "result", "unit", "expected"),
    [
        ("HGB", "19", "g/L", {"hard", "soft"}),
        ("HGB", "20", "g/L", {"soft"}),
        ("HGB", "59", "g/L", {"soft"}),
        ("HGB", "60", "g/L", set()),
        ("HGB", "190", "g/L", set()),
        ("HGB", "191", "g/L", {"soft"}),
        ("HGB", "250", "g/L", {"soft"}),
        ("HGB", "251", "g/L", {"hard", "soft"}),
        ("HGB", "25.1", "g/dL", {"hard", "soft"}),
        ("HGB", "12.5", "g/dL", set()),
        ("WBC", "0", "10^9/L", {"soft"}),
        ("WBC", "300.1", "10^9/L", {"hard", "soft"}),
    ],
)
def test_limits_hold_in_the_standard_unit(study, test, result, unit, expected):
    assert severities(study, "LBORRES", sample(study, test, result, unit=unit), [woman(study)]) == expected


def test_a_test_with_a_lower_limit_only(study):
    troponin = sample(study, "TROPONI", "99999", unit="ug/L", panel="CAR")
    assert severities(study, "LBORRES", troponin, [woman(study)]) == set()
    negative = sample(study, "TROPONI", "-1", unit="ug/L", panel="CAR")
    assert severities(study, "LBORRES", negative, [woman(study)]) == {"hard"}


def test_a_unit_of_another_test_is_refused(study):
    wrong = sample(study, "HGB", "12.5", unit="mmol/L")
    assert severities(study, "LBORRESU", wrong, [woman(study)]) == {"hard"}


def test_virology_has_no_unit(study):
    sheet = form(study, "LB", "SCR", 1, {"LBROWS": {"HBSAG": {"LBORRES": "阴性"}}}, LBPAN="VIR", LBNAM="WW")
    assert "LBROWS/HBSAG/LBORRESU" in verdict(study, sheet).hidden


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2027-09-04", set()), ("2027-09-05", {"soft"}), ("2028-06-02", {"hard", "soft"})],
)
def test_sample_date_against_visit_and_today(study, day, expected):
    visit = form(study, "SV", "FU3M", VISDAT="2027-09-01", VISTYP="SCH", VISMOD="CLIN")
    assert severities(study, "LBDAT", sample(study, "WBC", "5.0", day=day), [visit]) == expected


def test_a_sample_of_the_day_of_consent_needs_its_time(study):
    consent = form(study, "ICF", "LOG", ICFTYP="INIT", DSSTDAT="2027-01-05", ICFTIM="10:00")
    drawn = sample(study, "WBC", "5.0", "SCR", day="2027-01-05")
    assert "LB04" in found(study, drawn, [consent])
    drawn.answers["LB"]["1"]["LBTIM"] = "10:30"
    assert "LB04" not in found(study, drawn, [consent])
