"""What the forms SV to MDT derive: age, eligibility, receptors, subtype, stage, timing, sums of lesions."""

from __future__ import annotations

import pytest
from screening import cell, form, judged, log, read

pytestmark = pytest.mark.req("DAT-10")

TUMOURS = ("TX", "T0", "Tis", "T1mi", "T1a", "T1b", "T1c", "T2", "T3", "T4a", "T4b", "T4c", "T4d")
NODES = ("NX", "N0", "N1mi", "N1", "N2a", "N2b", "N3a", "N3b", "N3c")
# The anatomic stage groups of AJCC 8th for N0, N1mi, N1, N2; what is not in the table cannot be derived.
GROUPS = {
    "T0": ("UNK", "IB", "IIA", "IIIA"),
    "Tis": ("0", "UNK", "UNK", "UNK"),
    "T1": ("IA", "IB", "IIA", "IIIA"),
    "T2": ("IIA", "IIB", "IIB", "IIIA"),
    "T3": ("IIB", "IIIA", "IIIA", "IIIA"),
    "T4": ("IIIB", "IIIB", "IIIB", "IIIB"),
}


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def expected_stage(tumour: str, node: str) -> str:
    """The stage of table 3.4 without metastasis."""
    if node.startswith("N3"):
        return "IIIC"
    if tumour == "TX" or node == "NX":
        return "UNK"
    row = GROUPS[tumour if tumour in ("T0", "Tis") else tumour[:2]]
    return row[("N0", "N1mi", "N1", "N2a", "N2b").index(node) if node != "N2b" else 3]


@pytest.mark.parametrize("tumour", TUMOURS)
@pytest.mark.parametrize("node", NODES)
def test_anatomic_stage_for_every_t_and_n(study, tumour, node):
    for metastasis, stage in (
        ("M0", expected_stage(tumour, node)),
        ("M0i", expected_stage(tumour, node)),
        ("M1", "IV"),
    ):
        assert cell(study, "STGANA", form(study, "STG", "SCR", CT=tumour, CN=node, CM=metastasis)) == stage


def test_stage_waits_for_all_three(study):
    assert cell(study, "STGANA", form(study, "STG", "SCR", CT="T2", CN="N1")) is None
    assert cell(study, "STGANA", form(study, "STG", "SCR", CT="T2", CM="M0")) is None
    assert cell(study, "STGANA", form(study, "STG", "SCR", CT="T2", CN={"missing": "ND"}, CM="M0")) is None


@pytest.mark.parametrize(
    ("born", "signed", "age"),
    [
        ("2009-03-15", "2027-03-14", "17"),
        ("2009-03-15", "2027-03-15", "18"),
        ("1961-03-15", "2027-03-14", "65"),
        ("1961-03-15", "2027-03-15", "66"),
        ("2008-02-29", "2027-02-27", "18"),
        ("2008-02-29", "2027-02-28", "19"),
        ("2008-02-29", "2028-02-28", "19"),
        ("2008-02-29", "2028-02-29", "20"),
    ],
)
def test_age_in_whole_years_at_first_consent(study, born, signed, age):
    consents = [
        log(study, "ICF", 1, ICFTYP="REC", DSSTDAT="2020-01-01"),
        log(study, "ICF", 2, ICFTYP="INIT", DSSTDAT=signed),
    ]
    assert cell(study, "AGE", form(study, "DM", "SCR", BRTHDAT=born), consents) == age


def criteria(study, **answers):
    """An eligibility form with all inclusion criteria met, but for the given answers."""
    return form(study, "IE", "SCR", **({f"IN0{n}": "Y" for n in range(1, 7)} | answers))


@pytest.mark.parametrize(
    ("answers", "eligible"),
    [
        ({}, "Y"),
        ({"IN03": "N"}, "N"),
        ({"IN05": {"missing": "UNK"}}, None),
        ({"IN05": {"missing": "UNK"}, "IN01": "N"}, "N"),
        ({"EX01": "Y"}, "Y"),
    ],
)
def test_eligible_when_all_inclusions_are_met_and_exclusions_are_switched_off(study, answers, eligible):
    assert cell(study, "ELIGYN", form(study, "ENR", "ENR"), [criteria(study, **answers)]) == eligible


@pytest.mark.parametrize(
    ("percent", "status"),
    [
        ("0", "NEG"),
        ("1", "LOW"),
        ("10", "LOW"),
        ("11", "POS"),
        ("100", "POS"),
        ({"missing": "ND"}, "ND"),
        ({"missing": "UNK"}, None),
    ],
)
@pytest.mark.parametrize(("asked", "derived"), [("ERPCT", "ERST"), ("PRPCT", "PRST")])
def test_receptor_status(study, asked, derived, percent, status):
    assert cell(study, derived, form(study, "BM", "SCR", **{asked: percent})) == status


@pytest.mark.parametrize(
    ("ihc", "ish", "status"),
    [
        ("3", None, "POS"),
        ("2", "AMP", "POS"),
        ("2", "NAMP", "LOW"),
        ("2", "EQV", "EQV"),
        ("2", "ND", "EQV"),
        ("2", {"missing": "NAV"}, "EQV"),
        ("2", None, "EQV"),
        ("1", None, "LOW"),
        ("0", None, "ZERO"),
        ("ND", None, None),
    ],
)
def test_her2_status(study, ihc, ish, status):
    assert cell(study, "HER2ST", form(study, "BM", "SCR", HER2IHC=ihc, **({"HER2ISH": ish} if ish else {}))) == status


@pytest.mark.parametrize(
    ("er", "pr", "ihc", "ki67", "subtype"),
    [
        ("90", "20", "0", "19", "LUMA"),
        ("90", "19", "0", "19", "LUMBN"),
        ("90", "20", "1", "20", "LUMBN"),
        ("1", "0", "0", "5", "LUMBN"),
        ("90", "90", "3", "5", "LUMBP"),
        ("0", "1", "3", "5", "LUMBP"),
        ("0", "0", "3", "50", "HER2E"),
        ("0", "0", "0", "50", "TNBC"),
        ("0", "0", "1", "50", "TNBC"),
        ("0", "30", "0", "5", "UNC"),
        ("90", "90", "2", "5", "UNC"),
        ("90", "90", "0", None, None),
        ("90", None, "3", "5", None),
        ("90", "90", "ND", "5", None),
        ("90", "90", "2", None, None),
    ],
)
def test_surrogate_subtype(study, er, pr, ihc, ki67, subtype):
    given = {"ERPCT": er, "PRPCT": pr, "HER2IHC": ihc, "KI67": ki67}
    assert (
        cell(
            study,
            "SUBTYP",
            form(study, "BM", "SCR", **{name: value for name, value in given.items() if value}),
        )
        == subtype
    )


@pytest.mark.parametrize(
    ("start", "timing"),
    [
        ("2027-02-28", "PRE"),
        ("2027-03-01", "CONC"),
        ("2027-03-05", "CONC"),
        ("2027-03-06", "POST"),
        ("2028-01-09", "POST"),
        ("2028-01-10", "SALV"),
        ("2027-03", None),
        ("2027-02", "PRE"),
    ],
)
def test_systemic_therapy_against_radiotherapy(study, start, timing):
    others = [
        form(study, "RTFX", "RTD", 1, FXDAT="2027-03-01", FXDOSE="3.0"),
        form(study, "RTFX", "RTD", 2, FXDAT="2027-03-05", FXDOSE="3.0"),
        form(study, "RTEND", "EOT", RTSTAT="COMP"),
        log(study, "REC", 1, RECDAT="2028-01-10"),
    ]
    assert cell(study, "STSET", log(study, "ST", 1, STSTDAT=start), others) == timing


def test_systemic_therapy_while_the_course_runs_and_before_it(study):
    running = [form(study, "RTFX", "RTD", 1, FXDAT="2027-03-01", FXDOSE="3.0")]
    assert cell(study, "STSET", log(study, "ST", 1, STSTDAT="2027-03-20"), running) == "CONC"
    assert cell(study, "STSET", log(study, "ST", 1, STSTDAT="2027-03-20")) == "PRE"


def test_body_mass_index_uses_the_last_known_height(study):
    screening = form(study, "VS", "SCR", HEIGHT="160.0", WEIGHT="64.0")
    assert cell(study, "BMI", screening) == "25.0"
    assert cell(study, "BMI", form(study, "VS", "FU3M", WEIGHT="60.0"), [screening]) == "23.4"
    assert cell(study, "BMI", form(study, "VS", "FU3M", WEIGHT="60.0")) is None


def lesions(study, event, *rows):
    """Target lesions of a time point: `(status, diameter)` each."""
    cells = {
        str(n): {"TLID": f"T0{n}", "TLSTAT": status, "TLTYP": "PRIM", "TLLOC": "BRE"}
        | ({"TLDIA": size} if size else {})
        for n, (status, size) in enumerate(rows, 1)
    }
    return form(study, "TL", event, rows={"TLROWS": cells})


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ([("MEA", "10.5"), ("MEA", "20.0")], "30.5"),
        ([("MEA", "10.5"), ("TSTM", None)], "15.5"),
        ([("ABS", None), ("TSTM", None)], "5.0"),
        ([("ABS", None), ("ABS", None)], "0.0"),
        ([("MEA", "30.0"), ("MRG", None)], "30.0"),
        ([("SPL", "12.0"), ("MEA", "8.0")], "20.0"),
        ([("MEA", "10.5"), ("NE", None)], None),
        ([("MEA", "10.5"), ("MEA", None)], None),
        ([("MEA", "10.5")], None),
        ([], None),
    ],
)
def test_sum_of_diameters(study, rows, total):
    baseline = lesions(study, "SCR", ("MEA", "40.0"), ("MEA", "20.0"))
    assert cell(study, "TLSOD", lesions(study, "FU3M", *rows), [baseline]) == total


def test_change_from_baseline_and_from_nadir(study):
    record = []
    for event, size in (("SCR", "50.0"), ("FU3M", "30.0"), ("FU6M", "20.0"), ("FU12M", "25.0")):
        record.append(judged(study, lesions(study, event, ("MEA", size)), record))
    found = [[cell(study, name, each, record) for name in ("TLSOD", "TLNAD", "TLPCHG", "TLPNAD")] for each in record]
    assert found == [
        ["50.0", None, None, None],
        ["30.0", "50.0", "-40.00", "-40.00"],
        ["20.0", "30.0", "-60.00", "-33.33"],
        ["25.0", "20.0", "-50.00", "25.00"],
    ]


def test_a_nadir_of_nothing_gives_no_percentage(study):
    record = [judged(study, lesions(study, "SCR", ("MEA", "50.0")), [])]
    record.append(judged(study, lesions(study, "FU3M", ("ABS", None)), record))
    later = lesions(study, "FU6M", ("MEA", "6.0"))
    assert cell(study, "TLPNAD", later, record) is None
    assert cell(study, "TLNAD", later, record) == "0.0"
