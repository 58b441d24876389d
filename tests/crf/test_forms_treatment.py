"""What the treatment and follow-up forms derive: doses, completion, toxicity, arms, recurrence, survival."""

from __future__ import annotations

from decimal import Decimal

import pytest
from screening import at, cell, read, verdict

pytestmark = pytest.mark.req("DAT-10")

COURSE = {"RXCRS": "1", "RXLAT": "L", "RXBST": "SEQ", "RXFPW": "5"}
BREAST = COURSE | {"RXPH": "WBN", "RXDOSE": "48.00", "RXNFX": "16", "RXDPF": "3.00", "RXTOT": "80.00"}
BOOST = COURSE | {"RXPH": "BST", "RXDOSE": "32.00", "RXNFX": "8", "RXDPF": "4.00", "RXTOT": "80.00"}
PRESCRIBED = (("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST))
PLANS = (
    ("RTPL PLN 1", {"PLPH": "WBN", "PLDPF": "3.00"}),
    ("RTPL PLN 2", {"PLPH": "BST", "PLDPF": "4.00"}),
)
GIVEN = {"FXPL": "PLN/RTPL/1", "FXSTAT": "DEL", "FXDOSE": "3.00", "FXSTTIM": "10:00", "FXMACH": "WW1"}


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def fx(number: int, day: str, **more: str) -> tuple[str, dict]:
    """A session on a day of March 2027 (or any full date)."""
    date = day if len(day) > 2 else f"2027-03-{day}"
    return (f"RTFX RTD {number}", GIVEN | {"FXNO": str(number), "FXDAT": date} | more)


def boost(number: int, day: str, **more: str) -> tuple[str, dict]:
    """A session of the boost."""
    return fx(number, day, **{"FXPL": "PLN/RTPL/2", "FXDOSE": "4.00", "FXNO": "1"} | more)


def derived(study, item: str, judged: tuple[str, dict], *others: tuple[str, dict], row: str = "1"):
    """The derived cell of an item in a form among others."""
    return cell(study, item, at(study, *judged), [at(study, *each) for each in others], row)


HALF = {"FXSTAT": "PAR", "FXDOSE": "1.20", "FXNO": "2"}
REST = {"FXSTAT": "CONT", "FXDOSE": "1.80", "FXNO": "2", "FXSTTIM": "16:00"}


def test_the_dose_of_a_partial_fraction_and_its_continuation_adds_up(study):
    others = (*PLANS, *PRESCRIBED, fx(1, "01"), fx(2, "02", **HALF))
    assert derived(study, "FXCUMW", fx(3, "02", **REST), *others) == "6.00"
    assert derived(study, "FXCUMB", fx(3, "02", **REST), *others) == "6.00"
    assert derived(study, "FXRX", fx(3, "02", **REST), *others) == "1.80"
    assert derived(study, "FXBID", fx(3, "02", **REST), *others) == "N"


def test_a_running_sum_knows_only_what_was_before(study):
    others = (*PLANS, *PRESCRIBED, fx(1, "01"), fx(3, "03"))
    assert derived(study, "FXCUMW", fx(2, "02"), *others) == "6.00"
    assert derived(study, "FXSEQ", fx(2, "02"), *others) == "2"


def test_the_boost_adds_to_the_primary_and_not_to_the_breast(study):
    judged = boost(3, "03")
    others = (*PLANS, *PRESCRIBED, fx(1, "01"), fx(2, "02"))
    assert derived(study, "FXCUMB", judged, *others) == "10.00"
    assert derived(study, "FXCUMW", judged, *others) == "6.00"


def test_a_record_in_error_counts_for_nothing(study):
    wrong = at(study, *fx(1, "01"))
    object.__setattr__(wrong, "in_error", True)
    others = [at(study, *each) for each in (*PLANS, *PRESCRIBED)]
    assert cell(study, "FXCUMW", at(study, *fx(2, "02")), [wrong, *others]) == "3.00"


def test_a_simultaneous_boost_gives_the_breast_its_share(study):
    prescribed = (
        ("RTRX PLN 1", BREAST | {"RXBST": "SIB"}),
        ("RTRX PLN 2", BOOST | {"RXBST": "SIB", "RXNFX": "16", "RXDPF": "1.50", "RXDOSE": "24.00"}),
    )
    plan = ("RTPL PLN 1", {"PLPH": "WBN", "PLDPF": "4.50"})
    others = (plan, *prescribed, fx(1, "01", FXDOSE="4.50"))
    assert derived(study, "FXCUMW", fx(2, "02", FXDOSE="4.50"), *others) == "6.00"
    assert derived(study, "FXCUMB", fx(2, "02", FXDOSE="4.50"), *others) == "9.00"


def test_doses_of_two_sides_are_not_added(study):
    right = ("RTRX PLN 3", BREAST | {"RXLAT": "R"})
    assert derived(study, "FXCUMB", fx(1, "01"), *PLANS, *PRESCRIBED, right) is None


@pytest.mark.parametrize(("targets", "total"), [(["GTVp"], "84.00"), (["CTVn_L1"], "80.00")])
def test_a_compensation_phase_counts_for_the_primary_when_it_covers_it(study, targets, total):
    added = COURSE | {"RXPH": "ADD", "RXDOSE": "4.00", "RXTGT": targets}
    signed = ("RTRX PLN 3", added | {"RXSIG": "signed"})
    assert derived(study, "RXTOT", ("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST), signed) == total
    assert derived(study, "RXTOT", ("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST), ("RTRX PLN 3", added)) == "80.00"


def test_a_new_prescription_of_a_phase_replaces_the_earlier_one(study):
    again = ("RTRX RTD 1", BOOST | {"RXDOSE": "24.00", "RXNFX": "6"})
    assert derived(study, "RXTOT", ("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST), again) == "72.00"
    assert derived(study, "RXVER", again, *PRESCRIBED) == "2"


@pytest.mark.parametrize(("day", "start", "gap"), [("05", "10:00", "4"), ("01", "16:30", "0"), ("01", "09:00", None)])
def test_days_since_the_previous_fraction(study, day, start, gap):
    assert derived(study, "FXGAP", fx(2, day, FXSTTIM=start), fx(1, "01")) == gap


def test_a_second_fraction_of_one_day_is_seen(study):
    assert derived(study, "FXBID", fx(2, "01", FXSTTIM="16:30"), fx(1, "01")) == "Y"
    assert derived(study, "FXBID", fx(1, "01"), fx(2, "01", FXSTTIM="16:30")) == "N"


@pytest.mark.parametrize(
    ("first", "last", "days", "severity"),
    [
        ("2027-03-08", "2027-03-08", "1", "MIN"),
        ("2027-03-05", "2027-03-08", "2", "MIN"),
        ("2027-03-06", "2027-03-07", "0", None),
        ("2027-03-07", "2027-03-08", "1", "MIN"),
        ("2027-03-01", "2027-03-12", "10", "MAJ"),
        ("2027-03-08", "2027-03-12", "5", "MIN"),
        ("2027-03-08", "2027-03-15", "6", "MAJ"),
        ("2027-09-30", "2027-10-05", "3", "MIN"),
        ("2027-05-01", "2027-05-03", "1", "MIN"),
    ],
)
def test_missed_treatment_days_are_weekdays_less_public_holidays(study, first, last, days, severity):
    judged = ("RTINT LOG", {"RISTDAT": first, "RIENDAT": last})
    assert derived(study, "RIDAYS", judged) == days
    assert derived(study, "RIDEV", judged) == severity


def test_an_open_interruption_has_no_number_of_days(study):
    assert derived(study, "RIDAYS", ("RTINT LOG", {"RISTDAT": "2027-03-08"})) is None


def completion(study, *fractions: tuple[str, dict]) -> dict:
    """The completion form of a course."""
    others = [at(study, *each) for each in (*PLANS, *PRESCRIBED, *fractions)]
    return verdict(study, at(study, "RTEND EOT", {"RTSTAT": "DISC"}), others).answers["RTEND"]["1"]


def test_completion_of_a_course_with_a_partial_fraction_and_a_transfer(study):
    found = completion(
        study,
        fx(1, "01"),
        fx(2, "02", **HALF),
        fx(3, "02", **REST),
        fx(4, "03", FXSTAT="NOT", FXDOSE="0"),
        fx(5, "04", FXNO="3", FXSTAT="PAR", FXDOSE="1.00"),
        boost(6, "05", FXMACH="LZ1"),
    )
    wanted = {
        "RTSTDAT": "2027-03-01", "RTENDAT": "2027-03-05", "RTNFXW": "2", "RTNFXB": "1", "RTDOSW": "7.00",
        "RTDOSB": "11.00", "RTPCT": "13.75", "RTOTT": "5", "RTNMAC": "2",
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("first", "planned"),
    [("2027-03-01", "32"), ("2027-03-04", "34"), ("2027-03-05", "34"), ("2027-04-05", "32"), ("2027-09-13", "33")],
    ids=["Monday", "Thursday", "Friday", "Labour Day on a Saturday", "National Day on a Friday"],
)
def test_planned_time_of_24_fractions_knows_weekends_and_public_holidays(study, first, planned):
    found = completion(study, fx(1, first), boost(2, "2027-10-29"))
    assert found["RTOTTP"] == planned


@pytest.mark.parametrize(("per_week", "planned"), [("4", "39"), ("6", "27")])
def test_planned_time_with_other_numbers_of_fractions_a_week(study, per_week, planned):
    others = (*PLANS, ("RTRX PLN 1", BREAST | {"RXFPW": per_week}), ("RTRX PLN 2", BOOST), fx(1, "01"))
    assert derived(study, "RTOTTP", ("RTEND EOT", {"RTSTAT": "COMP"}), *others) == planned


def test_prolongation_is_actual_less_planned_time(study):
    found = completion(study, fx(1, "01"), boost(2, "2027-04-05"))
    assert (found["RTOTT"], found["RTOTTP"], found["RTPROL"]) == ("36", "32", "4")


def toxicity(form: str, term: str, **cells: str) -> dict:
    """One row of a toxicity form."""
    return {"rows": {f"{form}ROWS": {term: cells}}}


def test_weekly_toxicity_knows_baseline_fractions_and_dose(study):
    judged = ("OTV OTV", toxicity("OTV", "10016256", OTGR="2") | {"OTDAT": "2027-03-03"})
    others = (
        ("OTV SCR", toxicity("OTV", "10016256", OTGR="1")),
        *PLANS, *PRESCRIBED, fx(1, "01"), fx(2, "02", **HALF), fx(3, "03", **REST), fx(4, "04"),
    )  # fmt: skip
    assert derived(study, "OTBASE", judged, *others, row="10016256") == "1"
    assert derived(study, "OTFXN", judged, *others) == "2"
    assert derived(study, "OTCUM", judged, *others) == "6.00"


@pytest.mark.parametrize(("grade", "asked"), [("1", False), ("2", True), ("NE", False)])
def test_relation_is_asked_for_what_is_worse_than_baseline(study, grade, asked):
    judged = at(study, "LTX FU3M", toxicity("LTX", "10016256", LTGR=grade))
    baseline = at(study, "LTX SCR", toxicity("LTX", "10016256", LTGR="1"))
    assert ("LTXROWS/10016256/LTREL" in verdict(study, judged, [baseline]).shown) is asked


def history(*grades: str) -> dict:
    """A grade history, one row a week."""
    rows = {str(n): {"AGSTDAT": f"2027-03-{7 * n:02}", "AGGR": grade} for n, grade in enumerate(grades, 1)}
    return {"rows": {"AEG": rows}}


def test_the_highest_grade_of_this_event_ignores_what_was_not_assessed(study):
    other = ("AE LOG 1", history("4"))
    assert derived(study, "AEGRMAX", ("AE LOG 2", history("1", "3", "NE")), other) == "3"
    assert derived(study, "AEGRMAX", ("AE LOG 2", history("NE")), other) is None


@pytest.mark.parametrize(
    ("term", "grade", "special"),
    [
        ("10061103", "2", "N"), ("10061103", "3", "Y"), ("10035742", "1", "N"), ("10035742", "2", "Y"),
        ("10031264", "1", "Y"), ("10017076", "1", "Y"), ("10016256", "3", "N"), ("10002272", "4", "N"),
    ],
)  # fmt: skip
def test_events_of_special_interest_follow_the_list(study, term, grade, special):
    assert derived(study, "AESI", ("AE LOG", {"AECTCT": term} | history(grade))) == special


@pytest.mark.parametrize(
    ("start", "period"),
    [
        ("2027-02-28", "BL"), ("2027-02", "BL"), ("2027-03", "AC"), ("2027-03-01", "AC"), ("2027-05-30", "AC"),
        ("2027-05-31", "LA"), ("2027-06", "LA"), ("2027", "AC"), ("2028", "LA"),
    ],
)  # fmt: skip
def test_an_event_is_acute_up_to_90_days_after_the_first_fraction(study, start, period):
    assert derived(study, "AEPER", ("AE LOG", {"AESTDAT": start}), fx(1, "01")) == period


@pytest.mark.parametrize(("time", "period"), [("09:59", "BL"), ("10:00", "AC")])
def test_on_the_day_of_the_first_fraction_the_time_decides(study, time, period):
    event = ("AE LOG", {"AESTDAT": "2027-03-01", "AESTTIM": time})
    assert derived(study, "AEPER", event, fx(1, "01", FXSTTIM="10:00")) == period


def test_before_any_fraction_an_event_is_of_the_baseline(study):
    assert derived(study, "AEPER", ("AE LOG", {"AESTDAT": "2027-02-28"})) == "BL"


@pytest.mark.parametrize(
    ("relation", "sponsor", "expected", "suspected"),
    [("POSS", "UNR", "N", "Y"), ("UNL", "PROB", "N", "Y"), ("UNL", "UNR", "N", "N"), ("DEF", "DEF", "Y", "N")],
)
def test_the_more_conservative_causality_decides_on_a_suspected_unexpected_reaction(
    study, relation, sponsor, expected, suspected
):
    rows = {"SAE": {"1": {"SAEEXP": expected, "SAECAUS": sponsor}}}
    judged = at(study, "AE LOG", {"AESER": "Y", "AERELRT": relation, "rows": rows})
    assert verdict(study, judged).answers["SAE"]["1"]["SAESUS"] == suspected


@pytest.mark.parametrize(("now", "worse"), [("1", "N"), ("2", "N"), ("3", "Y")])
def test_cosmesis_is_compared_with_the_baseline_of_the_same_rater(study, now, worse):
    others = (("COS SCR 1", {"CORATR": "PHY", "COHARV": "2"}), ("COS SCR 2", {"CORATR": "PAT", "COHARV": "4"}))
    assert derived(study, "COCHG", ("COS FU12M", {"CORATR": "PHY", "COHARV": now}), *others) == worse


# ---- Arms. By hand: wrist 16, forearm 24, upper arm 28 cm; 15 and 20 cm between the levels.
#      15 (256 + 384 + 576) + 20 (576 + 672 + 784) = 18240 + 40640 = 58880; / (12 pi) = 1561.85 mL.

ARM = {"LEHNDU": "16.0", "LEFARU": "24.0", "LEUARU": "28.0", "LEH1": "15.0", "LEH2": "20.0", "LEMETH": "TAPE"}
EQUAL = ARM | {"LEHNDA": "16.0", "LEFARA": "24.0", "LEUARA": "28.0"}
# 15 (256 + 416 + 676) + 20 (676 + 780 + 900) = 20220 + 47120 = 67340; / (12 pi) = 1786.25 mL: 14.37% more.
SWOLLEN = ARM | {"LEHNDA": "16.0", "LEFARA": "26.0", "LEUARA": "30.0"}
LEFT = ("BCH SCR", {"BCLAT": "L", "HISTYP": "IDC"})
BASELINE = ("LE SCR", EQUAL | {"LEVOLA": "1561.8", "LEVOLU": "1561.8"})


def arms(study, values: dict, *others: tuple[str, dict]) -> dict:
    """The lymphoedema form at six months."""
    found = [at(study, *each) for each in others]
    return verdict(study, at(study, "LE FU6M", values), found).answers["LE"]["1"]


def test_arm_volume_change_and_grade(study):
    found = arms(study, SWOLLEN, LEFT, BASELINE)
    assert (found["LEVOLA"], found["LEVOLU"], found["LEDIF"]) == ("1786.2", "1561.8", "2.0")
    assert abs(Decimal(found["LERVC"]) - Decimal("14.37")) <= Decimal("0.01")
    assert (found["LECTC"], found["LEAFF"]) == ("2", "L")


def test_with_both_sides_affected_there_is_no_control_arm(study):
    found = arms(study, SWOLLEN, LEFT, ("BCH SCR 2", {"BCLAT": "R", "HISTYP": "ILC"}), BASELINE)
    assert not {"LEAFF", "LERVC", "LECTC", "LEDIF"} & set(found)
    assert found["LEVOLA"] == "1786.2"


def test_carcinoma_in_situ_of_the_other_side_leaves_a_control_arm(study):
    assert arms(study, EQUAL, LEFT, ("BCH SCR 2", {"BCLAT": "R", "HISTYP": "DCIS"}))["LEAFF"] == "L"


@pytest.mark.parametrize(
    ("forearm", "grade"), [("20.9", "0"), ("21.0", "1"), ("22.0", "1"), ("22.1", "2"), ("26.0", "2"), ("26.1", "3")]
)
def test_limb_oedema_is_graded_by_circumference_when_there_is_no_volume(study, forearm, grade):
    values = {"LEMETH": "PERO", "LEFARA": forearm, "LEFARU": "20.0"}
    assert arms(study, values, LEFT)["LECTC"] == grade


# ---- Recurrence and survival ----


@pytest.mark.parametrize(
    ("kind", "day", "first"),
    [("REG", "2028-01-31", "Y"), ("REG", "2028-02-01", "N"), ("DIS", "2027-12-01", "Y"), ("CBC", "2027-12-01", "N")],
)
def test_failures_within_30_days_of_the_first_are_simultaneous(study, kind, day, first):
    others = (
        ("REC LOG 1", {"RECTYP": "LOC", "RECDAT": "2028-01-01"}),
        ("REC LOG 3", {"RECTYP": "SPM", "RECDAT": "2027-06-01"}),
    )
    assert derived(study, "RECFST", ("REC LOG 2", {"RECTYP": kind, "RECDAT": day}), *others) == first


EVIDENCE = (
    ("ICF LOG", {"ICFTYP": "INIT", "DSSTDAT": "2027-01-04"}),
    ("SV FU3M", {"VISDAT": "2027-07-02", "VISMOD": "CLIN"}),
    ("FU FU3M", {"FUDAT": "2027-07-02", "FUVIT": "ALIVE"}),
    ("LB FU3M", {"LBDAT": "2027-07-05"}),
    ("SV FU6M", {"VISDAT": "2027-10-01", "VISMOD": "REG"}),
)


@pytest.mark.parametrize(
    ("state", "day", "known"),
    [
        ("ALIVE", "2027-11-01", "2027-11-01"), ("UNK", "2027-11-01", "2027-07-05"), ("DEAD", "2027-07-03", "2027-07-02"),
        ("UNK", "2027-02-01", "2027-01-04"),
    ],
)  # fmt: skip
def test_last_known_alive_is_the_latest_evidence_up_to_the_contact(study, state, day, known):
    assert derived(study, "SSLKA", ("SS LOG", {"SSDAT": day, "SSVIT": state}), *EVIDENCE) == known


def test_end_of_study_knows_when_the_participant_was_last_alive(study):
    judged = ("EOS LOG", {"EOSRS": "LTF", "EOSDAT": "2028-01-10"})
    assert (
        derived(study, "EOSLKA", judged, *EVIDENCE, ("SS LOG", {"SSDAT": "2027-12-24", "SSVIT": "ALIVE"}))
        == "2027-12-24"
    )
