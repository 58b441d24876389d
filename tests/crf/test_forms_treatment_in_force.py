"""Which prescription, approval and beam counts: rules of checks.toml and study.toml about the course as a whole."""

from __future__ import annotations

from datetime import date

import pytest
from screening import at, found, read

from design.evaluation import evaluate_expression
from design.record import SubjectRecord

Answers = dict[str, object]
COURSE: Answers = {"RXCRS": "1", "RXLAT": "L", "RXBST": "SEQ", "RXFPW": "5"}
BREAST = COURSE | {"RXPH": "WBN", "RXDOSE": "48.00", "RXNFX": "16", "RXDPF": "3.00"}
BOOST = COURSE | {"RXPH": "BST", "RXDOSE": "32.00", "RXNFX": "8", "RXDPF": "4.00"}
SIB = {"RXBST": "SIB"}
WBN, BST = ("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST | {"RXTOT": "80.00"})
PLAN: Answers = {"PLPH": "WBN", "PLAPP": "APP", "PLNFX": "16", "PLMACH": "WW1", "PLDPF": "3.00"}
PLANNED = ("RTPL PLN 1", PLAN)
OVER = ("RTEND EOT", {"RTSTAT": "COMP"})
ADDED: Answers = {"RICOMP": "ADDF", "RIADDFX": "1", "RISTDAT": "2027-03-08"}
APPROVED = ("RTINT LOG", ADDED | {"RIAPP": "physician"})
GIVEN: Answers = {
    "FXPL": "PLN/RTPL/1", "FXSTAT": "DEL", "FXDOSE": "3.00", "FXDAT": "2027-03-01", "FXNO": "1",
    "FXSTTIM": "10:00", "FXENTIM": "10:25", "FXMACH": "WW1",
}  # fmt: skip
PARTIAL = GIVEN | {"FXSTAT": "PAR", "FXDOSE": "1.50"}


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def finds(study, check: str, judged: tuple[str, Answers], *others: tuple[str, Answers]) -> bool:
    """Whether a check finds something in a form among the others."""
    return check in found(study, at(study, *judged), [at(study, *each) for each in others])


def of_course(study, rule, *forms: tuple[str, Answers]):
    """The value of a rule of study.toml."""
    record = SubjectRecord([at(study, *each) for each in forms], "01", "on_treatment")
    return evaluate_expression(study, record, rule, date(2028, 6, 1))


@pytest.mark.parametrize("planned", ["15", "17"])
def test_plans_of_a_closed_phase_hold_the_prescribed_fractions(study, planned):
    assert finds(study, "X16", WBN, ("RTPL PLN 1", PLAN | {"PLNFX": planned}), OVER)
    assert not finds(study, "X16", WBN, PLANNED, OVER)
    assert not finds(study, "X16", WBN, ("RTPL PLN 1", PLAN | {"PLNFX": planned}))


def test_the_prescription_in_force_is_the_one_compared_with_the_plans(study):
    again = ("RTRX RTD 1", BREAST | {"RXNFX": "14", "RXDOSE": "42.00"})
    replanned = ("RTPL PLN 1", PLAN | {"PLNFX": "14"})
    assert not finds(study, "X16", WBN, again, replanned, OVER)
    assert not finds(study, "X16", again, WBN, replanned, OVER)
    assert finds(study, "X16", again, WBN, PLANNED, OVER)


def test_a_simultaneous_boost_has_no_plan_of_its_own(study):
    breast, boost = ("RTRX PLN 1", BREAST | SIB), ("RTRX PLN 2", BOOST | SIB | {"RXNFX": "16"})
    stray = ("RTPL PLN 2", PLAN | {"PLPH": "BST", "PLNFX": "1"})
    assert not finds(study, "X16", boost, breast, PLANNED, stray, OVER)
    assert not finds(study, "X16", breast, boost, PLANNED, OVER)


@pytest.mark.parametrize("open_item", ["PLPH", "PLNFX", "PLAPP"])
def test_plans_that_are_not_complete_are_not_counted_yet(study, open_item):
    second = ("RTPL PLN 2", {k: v for k, v in (PLAN | {"PLNFX": "1"}).items() if k != open_item})
    assert not finds(study, "X16", WBN, PLANNED, second, OVER)


@pytest.mark.parametrize(("approval", "asked"), [({}, True), ({"RIAPP": "physician"}, False)])
def test_an_added_fraction_counts_once_it_is_approved(study, approval, asked):
    added = ("RTINT LOG", ADDED | approval)
    more = ("RTPL PLN 1", PLAN | {"PLNFX": "17"})
    assert finds(study, "X16", WBN, more, OVER, added) is asked
    assert finds(study, "RTPL06", more, WBN, added) is asked
    assert finds(study, "RTFX03", ("RTFX RTD 1", GIVEN | {"FXNO": "17"}), WBN, PLANNED, added) is asked


@pytest.mark.parametrize(("approval", "asked"), [({}, True), ({"RIAPP": "physician"}, False)])
@pytest.mark.parametrize(("check", "dose"), [("X17", "81.61"), ("X18", "48.97")])
def test_a_dose_above_the_limit_needs_an_approved_addition(study, approval, asked, check, dose):
    given = ("RTFX RTD 1", GIVEN | {"FXDOSE": dose})
    assert finds(study, check, given, WBN, BST, PLANNED, ("RTINT LOG", ADDED | approval)) is asked


def test_an_overdose_is_found_by_one_check(study):
    given = ("RTFX RTD 1", GIVEN | {"FXDOSE": "90.00"})
    assert finds(study, "X17", given, WBN, BST, PLANNED)
    assert not finds(study, "X17A", given, WBN, BST, PLANNED)
    slight = ("RTFX RTD 1", GIVEN | {"FXDOSE": "80.01"})
    assert finds(study, "X17A", slight, WBN, BST, PLANNED)
    assert not finds(study, "X17", slight, WBN, BST, PLANNED)


@pytest.mark.parametrize(("dose", "asked"), [("23.00", True), ("24.00", False), ("32.00", False), ("33.00", True)])
def test_the_total_outside_the_protocol_is_found_once(study, dose, asked):
    boost = ("RTRX PLN 2", BOOST | {"RXDOSE": dose})
    assert finds(study, "X19", boost, WBN) is asked
    assert not finds(study, "RTRX09", boost, WBN)
    assert not finds(study, "X19", WBN, boost)
    assert finds(study, "RTRX09", boost) is asked


def test_the_total_is_not_judged_before_both_phases_are_prescribed(study):
    assert not finds(study, "X19", ("RTRX PLN 2", BOOST | {"RXDOSE": "23.00"}))


@pytest.mark.parametrize(("dose", "asked"), [("47.99", True), ("48.00", False)])
def test_the_dose_to_the_breast_is_that_of_the_protocol(study, dose, asked):
    assert finds(study, "X19A", ("RTRX PLN 1", BREAST | {"RXDOSE": dose})) is asked


@pytest.mark.parametrize(("sides", "asked"), [((), False), (("L",), False), (("R",), True), (("R", "L"), False)])
def test_the_prescribed_side_is_compared_once_there_is_pathology(study, sides, asked):
    pathology = [(f"BCH SCR {n}", {"BCLAT": side}) for n, side in enumerate(sides, 1)]
    assert finds(study, "X10A", WBN, *pathology) is asked


@pytest.mark.parametrize(
    ("others", "asked"),
    [
        ((), True),
        ((("RTFX RTD 2", GIVEN | {"FXSTAT": "CONT"}),), False),
        ((("RTFX RTD 2", GIVEN | {"FXSTAT": "CONT", "FXNO": "2"}),), True),
        ((("RTFX RTD 2", {"FXSTAT": "CONT", "FXDAT": "2027-03-02"}),), False),
        ((("RTINT LOG", {"RICOMP": "NONE", "RISTDAT": "2027-03-01"}),), True),
        ((("RTINT LOG", {"RICOMP": "NONE", "RISTDAT": "2027-03-01", "RIAPP": "physician"}),), False),
    ],
    ids=["open", "continued", "another fraction", "number not entered", "write-off not approved", "written off"],
)
def test_a_partial_fraction_is_resolved(study, others, asked):
    assert finds(study, "X22", ("RTFX RTD 1", PARTIAL), PLANNED, *others) is asked


@pytest.mark.parametrize("again", [("RTRX RTD 1", BOOST | {"RXNFX": "6"}), ("RTRX RTD 1", BREAST | {"RXNFX": "14"})])
def test_a_new_prescription_replaces_the_planned_fractions(study, again):
    course = (WBN, BST, again, ("RTFX RTD 1", GIVEN))
    assert of_course(study, study.projected["EOT"], *course) == date(2027, 3, 30)
    assert of_course(study, study.events["OTV"].count, *course) == 5


def test_a_simultaneous_boost_adds_no_fraction(study):
    course = (("RTRX PLN 1", BREAST | SIB), ("RTRX PLN 2", BOOST | SIB | {"RXNFX": "16"}), ("RTFX RTD 1", GIVEN))
    assert of_course(study, study.projected["EOT"], *course) == date(2027, 3, 22)
    assert of_course(study, study.events["OTV"].count, *course) == 4


@pytest.mark.parametrize(("mode", "closed"), [("TEL", True), ("HOSP", True), ("CLIN", False), (None, False)])
@pytest.mark.parametrize(
    ("check", "place", "answers"),
    [
        ("V11A", "VS FU3M", {"WEIGHT": "60.0"}),
        ("V11B", "PE FU3M", {"PEDAT": "2027-07-01"}),
        ("V11C", "BE FU3M", {"rows": {"BEROWS": {"1": {"BELAT": "L"}, "2": {"BELAT": "R"}}}}),
        ("V11D", "PHO FU3M", {"PHDAT": "2027-07-01"}),
        ("V11E", "LE FU3M", {"LEDAT": "2027-07-01"}),
    ],
)
def test_forms_that_need_presence_are_closed_for_other_visits(study, mode, closed, check, place, answers):
    visit = [("SV FU3M", {"VISMOD": mode})] if mode else []
    elsewhere = ("SV FU6M", {"VISMOD": "TEL"})
    assert finds(study, check, (place, answers), elsewhere, *visit) is closed
