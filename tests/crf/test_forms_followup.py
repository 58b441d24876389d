"""What the forms COS to DD derive: response, questionnaire scores, arm volumes, first failure, last date alive."""

from __future__ import annotations

import pytest
from screening import cell, form, found, judged, log, read

pytestmark = pytest.mark.req("DAT-10")


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def targets(study, event, lesions, day="2027-06-01", before=()):
    """Target lesions with their sums: {ID: (status, diameter, type)}."""
    rows = {}
    for key, (lesion, (status, diameter, kind)) in enumerate(lesions.items(), start=1):
        row = {"TLID": lesion, "TLSTAT": status, "TLTYP": kind, "TLDAT": day, "TLLOC": "BRE", "TLLAT": "L"}
        rows[str(key)] = row | ({"TLDIA": diameter} if diameter else {})
    return judged(study, form(study, "TL", event, rows={"TLROWS": rows}), list(before))


def others(study, event, states, day="2027-06-01"):
    """Non-target lesions: {ID: status}."""
    rows = {str(n): {"NTID": name, "NTSTAT": state, "NTDAT": day} for n, (name, state) in enumerate(states.items(), 1)}
    return form(study, "NTL", event, rows={"NTLROWS": rows})


def new(study, event, equivocal=None, day="2027-06-01", biopsy=None):
    """The answer on new lesions: none, or one that is equivocal or not."""
    if equivocal is None:
        return form(study, "NEWL", event, NLYN="N")
    row = {"NLID": "X01", "NLDAT": day, "NLEQV": equivocal} | ({"NLBX": biopsy} if biopsy else {})
    return form(study, "NEWL", event, rows={"NEWL": {"1": {"NLYN": "Y"}}, "NEWLROWS": {"1": row}})


def response(study, records, event="FU6M"):
    """The response form of a visit as derived."""
    return judged(study, form(study, "RSP", event), records).answers.get("RSP", {}).get("1", {})


BASE = {"T01": ("MEA", "30", "PRIM"), "T02": ("MEA", "20", "NODE")}
TARGET = {  # response of the targets: lesions of the visit; baseline 50 mm, smallest sum 40 mm
    "CR": {"T01": ("ABS", None, "PRIM"), "T02": ("MEA", "9.9", "NODE")},
    "PR": {"T01": ("MEA", "20", "PRIM"), "T02": ("MEA", "15", "NODE")},
    "SD": {"T01": ("MEA", "25", "PRIM"), "T02": ("MEA", "15", "NODE")},
    "PD": {"T01": ("MEA", "33", "PRIM"), "T02": ("MEA", "15", "NODE")},
    "NE": {"T01": ("NE", None, "PRIM"), "T02": ("MEA", "15", "NODE")},
}
OTHER = {"CR": "ABS", "NCNP": "PRES", "PD": "UPD", "NE": "NE"}


def course(study, target, other, is_new=None):
    """Baseline, a visit with the smallest sum (40 mm), and the visit judged."""
    records = [new(study, "FU6M", is_new)]
    if target:
        first = targets(study, "SCR", BASE, "2027-01-01")
        nadir = {"T01": ("MEA", "25", "PRIM"), "T02": ("MEA", "15", "NODE")}
        second = targets(study, "FU3M", nadir, "2027-03-01", [first])
        records += [first, second]
        records.append(targets(study, "FU6M", TARGET[target], before=[first, second]))
    if other:
        records += [others(study, "SCR", {"N01": "PRES"}), others(study, "FU6M", {"N01": OTHER[other]})]
    return records


@pytest.mark.parametrize(
    ("target", "other", "is_new", "overall"),
    [
        ("CR", "CR", None, "CR"),
        ("CR", None, None, "CR"),
        ("CR", "NCNP", None, "PR"),
        ("CR", "NE", None, "PR"),
        ("PR", "CR", None, "PR"),
        ("PR", "NCNP", None, "PR"),
        ("PR", "NE", None, "PR"),
        ("PR", None, None, "PR"),
        ("SD", "NCNP", None, "SD"),
        ("SD", "NE", None, "SD"),
        ("SD", None, None, "SD"),
        ("NE", "NCNP", None, "NE"),
        ("NE", "NE", None, "NE"),
        ("PD", "CR", None, "PD"),
        ("PD", "NE", None, "PD"),
        ("CR", "PD", None, "PD"),
        ("NE", "PD", None, "PD"),
        ("CR", "CR", "N", "PD"),
        ("NE", "NE", "N", "PD"),
        ("CR", "CR", "Y", "CR"),
        (None, "CR", None, "CR"),
        (None, "NCNP", None, "NCNP"),
        (None, "NE", None, "NE"),
        (None, "PD", None, "PD"),
    ],
)
def test_overall_response_for_every_row_of_the_matrix(study, target, other, is_new, overall):
    derived = response(study, course(study, target, other, is_new))
    assert derived.get("RSPTL") == target
    assert derived["RSPNT"] == (other or "NA")
    assert derived["RSPNEW"] == ("Y" if is_new == "N" else "N")
    assert derived["RSPOVD"] == overall


@pytest.mark.parametrize(
    ("node", "size", "expected"),
    [("15.1", "20", "SD"), ("15.1", "19.9", "PR"), ("15", "33", "PD"), ("15", "32.9", "SD"), ("15.1", "33", "SD")],
    ids=["35.1 of 50", "35.0 of 50", "48.0 after 40.0", "47.9 after 40.0", "48.1 after 40.1: 48.12 needed"],
)
def test_limits_of_partial_response_and_progression_are_unrounded(study, node, size, expected):
    first = targets(study, "SCR", BASE)
    low = targets(study, "FU3M", {"T01": ("MEA", "25", "PRIM"), "T02": ("MEA", node, "NODE")}, before=[first])
    now = targets(study, "FU6M", {"T01": ("MEA", size, "PRIM"), "T02": ("MEA", node, "NODE")}, before=[first, low])
    assert response(study, [first, low, now, new(study, "FU6M")])["RSPTL"] == expected


def test_progression_needs_five_millimetres(study):
    first = targets(study, "SCR", {"T01": ("MEA", "30", "PRIM")})
    low = targets(study, "FU3M", {"T01": ("MEA", "10", "PRIM")}, before=[first])
    for size, expected in (("14.9", "PR"), ("15", "PD")):
        now = targets(study, "FU6M", {"T01": ("MEA", size, "PRIM")}, before=[first, low])
        assert response(study, [first, low, now, new(study, "FU6M")])["RSPTL"] == expected


def test_measured_part_may_prove_progression(study):
    first = targets(study, "SCR", BASE)
    now = targets(study, "FU6M", {"T01": ("MEA", "60", "PRIM"), "T02": ("NE", None, "NODE")}, before=[first])
    assert response(study, [first, now, new(study, "FU6M")])["RSPTL"] == "PD"


def test_merged_lesion_counts_as_gone_only_with_the_others(study):
    first = targets(study, "SCR", {"T01": ("MEA", "30", "PRIM"), "T02": ("MEA", "12", "PRIM")})
    for status, diameter, expected in (("ABS", None, "CR"), ("MEA", "12", "PR")):
        now = {"T01": (status, diameter, "PRIM"), "T02": ("MRG", None, "PRIM")}
        records = [first, targets(study, "FU6M", now, before=[first]), new(study, "FU6M")]
        assert response(study, records)["RSPTL"] == expected


def test_missing_non_target_lesion_is_not_evaluable(study):
    records = [others(study, "SCR", {"N01": "PRES", "N02": "PRES"}), others(study, "FU6M", {"N01": "ABS"})]
    assert response(study, [*records, new(study, "FU6M")])["RSPNT"] == "NE"


def test_overall_response_waits_for_new_lesions_unless_progression(study):
    assert "RSPOVD" not in response(study, course(study, "SD", None)[1:])
    assert response(study, course(study, "PD", None)[1:])["RSPOVD"] == "PD"


def test_confirmed_equivocal_lesion_is_new(study):
    base = targets(study, "SCR", BASE)
    records = [base, targets(study, "FU6M", BASE, before=[base]), new(study, "FU6M", "Y", biopsy="Y")]
    assert response(study, records)["RSPOVD"] == "PD"


def test_response_date_is_last_image_or_first_that_shows_progression(study):
    image = form(study, "IM", "FU6M", IMDAT="2027-06-09", IMMOD="CT")
    assert response(study, [*course(study, "SD", "NCNP"), image])["RSPDAT"] == "2027-06-09"
    seen_before = [*course(study, "SD", "NCNP")[1:], image, new(study, "FU6M", "N", day="2027-03-04")]
    assert response(study, seen_before)["RSPDAT"] == "2027-03-04"


def score(study, form_id, scale, **answers):
    """A scale of a questionnaire at baseline."""
    return cell(study, scale, form(study, form_id, "SCR", **answers))


def items(prefix, numbers, value, width=2):
    """The same answer to several items."""
    return {f"{prefix}{n:0{width}}": value for n in numbers}


@pytest.mark.parametrize(
    ("scale", "numbers", "worst"),
    [
        ("C30PF", range(1, 6), "0.00"),
        ("C30RF", (6, 7), "0.00"),
        ("C30EF", range(21, 25), "0.00"),
        ("C30CF", (20, 25), "0.00"),
        ("C30SF", (26, 27), "0.00"),
        ("C30FA", (10, 12, 18), "100.00"),
        ("C30NV", (14, 15), "100.00"),
        ("C30PA", (9, 19), "100.00"),
        ("C30DY", (8,), "100.00"),
        ("C30SL", (11,), "100.00"),
        ("C30AP", (13,), "100.00"),
        ("C30CO", (16,), "100.00"),
        ("C30DI", (17,), "100.00"),
        ("C30FI", (28,), "100.00"),
    ],
)
def test_every_scale_of_c30_reads_its_own_items_and_runs_from_0_to_100(study, scale, numbers, worst):
    best = "0.00" if worst == "100.00" else "100.00"
    rest = {f"Q{n:02}": "2" for n in range(1, 29) if n not in numbers}
    assert score(study, "C30", scale, **rest, **items("Q", numbers, "4")) == worst
    assert score(study, "C30", scale, **rest, **items("Q", numbers, "1")) == best
    assert score(study, "C30", scale, **rest) is None


def test_global_health_has_range_six(study):
    assert score(study, "C30", "C30QL", Q29="7", Q30="7") == "100.00"
    assert score(study, "C30", "C30QL", Q29="5", Q30="6") == "75.00"


def test_half_rule(study):
    assert score(study, "C30", "C30PF", Q01="1", Q02="2") is None
    assert score(study, "C30", "C30PF", Q01="1", Q02="2", Q03="3", Q04={"missing": "NASK"}) == "66.67"
    assert score(study, "C30", "C30EF", Q21="2", Q22="3") == "50.00"
    assert score(study, "C30", "C30FA", Q10="3") is None


def test_sexual_scales_use_the_symptom_formula_and_conditions_hold(study):
    assert score(study, "BR23", "BRSEF", B44="4", B45="4") == "100.00"
    assert score(study, "BR23", "BRSEE", B45="2", B46="4") == "100.00"
    assert score(study, "BR23", "BRSEE", B45="1", B46="4") is None
    assert score(study, "BR23", "BRHL", B34="2", B35="4") == "100.00"
    assert score(study, "BR23", "BRHL", B34="1", B35="4") is None
    assert score(study, "BR23", "BRBI", B39="1", B40="1", B41="1", B42="4") == "75.00"
    systemic = {f"B{n}": "1" for n in (31, 32, 33, 34, 36, 37, 38)}
    assert score(study, "BR23", "BRST", **systemic, B35="4") == "0.00"


ARM = {"LEMETH": "TAPE", "LEHNDA": "16", "LEFARA": "24", "LEUARA": "28", "LEH1": "15", "LEH2": "20"}
ARM |= {"LEHNDU": "16", "LEFARU": "24", "LEUARU": "28", "LEDAT": "2027-01-05"}


def test_limb_volume_change_and_grade_by_hand(study):
    # 15/(12 pi) * (256 + 384 + 576) + 20/(12 pi) * (576 + 672 + 784) = 483.83 + 1078.00
    lesion = form(study, "BCH", "SCR", BCSEQ="1", BCLAT="L", HISTYP="IDC")
    first = judged(study, form(study, "LE", "SCR", **ARM), [lesion])
    start = first.answers["LE"]["1"]
    assert (start["LEAFF"], start["LEVOLA"], start["LEVOLU"], start["LECTC"]) == ("L", "1561.8", "1561.8", "0")
    assert "LERVC" not in start
    swollen = ARM | {"LEHNDA": "17", "LEFARA": "26", "LEUARA": "30"}
    later = judged(study, form(study, "LE", "FU6M", **swollen), [lesion, first]).answers["LE"]["1"]
    # 15/(12 pi) * (289 + 442 + 676) + 20/(12 pi) * (676 + 780 + 900) = 559.83 + 1249.89
    assert (later["LEVOLA"], later["LEDIF"], later["LERVC"], later["LECTC"]) == ("1809.7", "2.0", "15.87", "2")


def test_both_sides_diseased_leave_no_control_arm(study):
    sides = [form(study, "BCH", "SCR", n, BCSEQ=str(n), BCLAT=side, HISTYP="IDC") for n, side in ((1, "L"), (2, "R"))]
    derived = judged(study, form(study, "LE", "FU6M", **ARM), sides).answers["LE"]["1"]
    assert derived["LEVOLA"] == "1561.8"
    assert not {"LEAFF", "LEDIF", "LERVC", "LECTC"} & set(derived)


def test_cosmesis_is_compared_with_the_same_rater(study):
    records = [
        form(study, "COS", "SCR", 1, CORATR="PHY", COHARV="1"),
        form(study, "COS", "SCR", 2, CORATR="PAT", COHARV="3"),
    ]
    for rater, now, worse in (("PHY", "2", "Y"), ("PAT", "2", "N"), ("PAN", "4", None)):
        assert cell(study, "COCHG", form(study, "COS", "FU6M", CORATR=rater, COHARV=now), records) == worse


def test_first_failure_and_simultaneous_ones(study):
    dates = (("CBC", "2028-01-01"), ("LOC", "2028-03-01"), ("DIS", "2028-03-31"), ("REG", "2028-04-01"))
    records = [log(study, "REC", n, RECTYP=kind, RECDAT=day) for n, (kind, day) in enumerate(dates, start=1)]
    derived = [cell(study, "RECFST", each, [other for other in records if other is not each]) for each in records]
    assert derived == ["N", "Y", "Y", "N"]


def test_last_date_alive_is_the_latest_evidence_while_alive(study):
    records = [
        log(study, "ICF", 1, ICFTYP="INIT", DSSTDAT="2027-01-04"),
        form(study, "SV", "FU3M", VISDAT="2027-09-01", VISMOD="CLIN"),
        form(study, "SV", "FU6M", VISDAT="2027-12-01", VISMOD="REG"),
        form(study, "FU", "FU6M", FUDAT="2027-12-02", FUVIT="UNK"),
        form(study, "LB", "FU3M", LBPAN="HEM", LBDAT="2027-10-05"),
        form(study, "SS", "FU12M", SSDAT="2028-05-01", SSVIT="ALIVE"),
    ]
    assert cell(study, "SSLKA", log(study, "SS", 1, SSDAT="2027-12-24", SSVIT="UNK"), records) == "2027-10-05"
    assert cell(study, "EOSLKA", log(study, "EOS", 1, EOSRS="LTF", EOSDAT="2028-06-01"), records) == "2028-05-01"


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize(
    ("check", "form_id", "event", "bad", "good"),
    [
        ("COS05", "COS", "FU6M", {"COBCCT": "1"}, {"COHARV": "1"}),
        ("Q01-H", "C30", "SCR", {"Q01": "5"}, {"Q01": "4"}),
        ("Q29-H", "C30", "SCR", {"Q29": "8"}, {"Q29": "7"}),
        ("FGP1-H", "FACT", "SCR", {"FGP1": "5"}, {"FGP1": "4"}),
        ("FU01", "FU", "FU6M", {"FUDAT": "2028-06-02"}, {"FUDAT": "2028-06-01"}),
        ("FU03", "FU", "FU6M", {"FUVIT": "DEAD"}, {"FUVIT": "ALIVE"}),
        ("FU05", "FU", "FU6M", {"FUDAT": "2027-12-01", "FUBRP": "N"}, {"FUDAT": "2027-12-01", "FUBRP": "Y"}),
        ("REC05", "REC", "LOG", {"RECTYP": "LOC", "RECCNF": "IMG"}, {"RECTYP": "LOC", "RECCNF": "HIST"}),
        ("SURG03", "SURG", "LOG", {"SURSN": "LR", "SUDAT": "2028-01-01"}, {"SURSN": "PT", "SUDAT": "2028-01-01"}),
        ("SURG06", "SURG", "LOG", {"SUCOMP": "6"}, {"SUCOMP": "IIIb"}),
        ("EOS01", "EOS", "LOG", {"EOSRS": "DTH"}, {"EOSRS": "WDC"}),
        ("SIGN01", "SIGN", "LOG", {"SGLEV": "PAGE"}, {"SGLEV": "VISIT"}),
    ],
)
def test_check_at_its_limit(study, check, form_id, event, bad, good):
    assert check in found(study, form(study, form_id, event, **bad))
    assert check not in found(study, form(study, form_id, event, **good))
