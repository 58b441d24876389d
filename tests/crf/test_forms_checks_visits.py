"""Every check of the forms CM to MDT, and every range of the forms SV to MDT, at its limit (DAT-03)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from screening import Case, at, finds, found, read, verdict

CONSENT = ("ICF LOG", {"ICFTYP": "INIT", "DSSTDAT": "2027-01-04"})
TODAY, TOMORROW = "2028-06-01", "2028-06-02"
FRACTION = ("RTFX RTD", {"FXDAT": "2027-03-01", "FXDOSE": "3.0"})
FINISHED = ("RTEND EOT", {"RTSTAT": "COMP", "RTENDAT": "2027-03-31"})
DEATH = ("DD LOG", {"DTHDAT": "2028-02"})
TESTED_ELSEWHERE = {"LB01", "LB02", "LB04", "LB05", "LB06", "LB07"}  # test_forms_laboratory
FORMS = ("CM", "ST", "VS", "PS", "PE", "BE", "LB", "PREG", "CV", "IM", "TL", "NTL", "NEWL", "MDT")
ALL = ("SV", "ICF", "DM", "ENR", "IE", "MH", "RP", "BCH", "BM", "STG", "PTH", *FORMS)


def rows(group: str, *cells: dict) -> dict:
    """Rows 1, 2, 3 of a group."""
    return {"rows": {group: {str(n): each for n, each in enumerate(cells, 1)}}}


def targets(*cells: dict) -> dict:
    """Target lesions."""
    return rows("TLROWS", *cells)


def node(lesion: str, **more) -> dict:
    """A node as target."""
    return {"TLID": lesion, "TLTYP": "NODE", "TLSTAT": "MEA"} | more


def mass(lesion: str, where: str = "BRE", **more) -> dict:
    """A mass as target."""
    return {"TLID": lesion, "TLTYP": "PRIM", "TLLOC": where, "TLSTAT": "MEA"} | more


FIVE = [mass("T01"), mass("T02"), mass("T03", "LUN"), mass("T04", "LIV"), mass("T05", "BON")]
NEW = {"NLYN": "Y"}


def fresh(**cells) -> dict:
    """A new lesion form with one lesion."""
    return NEW | rows("NEWLROWS", {"NLID": "X01"} | cells)


CASES = [
    Case("CM01", "CM LOG", {"CMDOSE": "0"}, {"CMDOSE": "0.001"}),
    Case("CM02", "CM LOG", {"CMSTDAT": TOMORROW}, {"CMSTDAT": "2028-06"}),
    Case("CM03", "CM LOG", {"CMONGO": "Y"}, {"CMONGO": "N"}, others=(("EOS LOG", {"EOSDAT": "2028-05-01"}),)),
    Case("CM04", "CM LOG", {"CMENDAT": "2027-01"}, {"CMENDAT": "2027-02"}, {"CMONGO": "N", "CMSTDAT": "2027-02-10"}),
    Case("CM05", "CM LOG", {"CMENDAT": TOMORROW}, {"CMENDAT": TODAY}, {"CMONGO": "N"}),
    Case("CM06", "CM LOG", {"CMENDAT": "2028-03-01"}, {"CMENDAT": "2028-02-29"}, {"CMONGO": "N"}, (DEATH,)),
    Case("ST01", "ST LOG", {"STSTDAT": "2027-02-28"}, {"STSTDAT": "2027-03-01"}, others=(CONSENT, FRACTION)),
    Case("ST01", "ST LOG", {"STSTDAT": "2027-01-04"}, {"STSTDAT": "2027-01-03"}, others=(CONSENT, FRACTION)),
    Case("ST02", "ST LOG", {"STSTDAT": TOMORROW}, {"STSTDAT": TODAY}),
    Case("ST03", "ST LOG", {"STENDAT": "2027-02-09"}, {"STENDAT": "2027-02"}, {"STONGO": "N", "STSTDAT": "2027-02-10"}),
    Case("ST04", "ST LOG", {"STENDAT": "2028-07"}, {"STENDAT": "2028-06"}, {"STONGO": "N"}),
    Case(
        "ST05", "ST LOG", {}, {}, {"STONGO": "N", "STSTOP": "TOX"}, (),
        (("AE LOG", {"AERELST": "UNL"}),), (("AE LOG", {"AERELST": "POSS"}),),
    ),
    Case("ST06", "ST LOG", {}, {}, {"STMDT": "N"}, (), (("DV LOG", {"DVCAT": "VIS"}),), (("DV LOG", {"DVCAT": "MED"}),)),
    Case("VS01", "VS SCR", {"SYSBP": "80"}, {"SYSBP": "81"}, {"DIABP": "80"}),
    Case("VS02", "VS SCR", {"OXYSAT": "91"}, {"OXYSAT": "92"}),
    Case("PS01", "PS SCR", {"PSDAT": TOMORROW}, {"PSDAT": TODAY}),
    Case("PS02", "PS SCR", {"PSDAT": "2027-01-22"}, {"PSDAT": "2027-01-21"}, others=(CONSENT, ("ENR ENR", {"ENRYN": "Y", "ENRDAT": "2027-01-21"}))),
    Case("PS02", "PS OTV", {"PSDAT": "2027-08-29"}, {"PSDAT": "2027-08-30"}),
    Case("PS02", "PS EOT", {"PSDAT": "2027-04-08"}, {"PSDAT": "2027-04-07"}, others=(FINISHED,)),
    Case("PS02", "PS FU1M", {"PSDAT": "2027-05-08"}, {"PSDAT": "2027-05-07"}, others=(FINISHED,)),
    Case("PS02", "PS FU3M", {"PSDAT": "2027-06-15"}, {"PSDAT": "2027-06-16"}, others=(FINISHED,)),
    Case("PS02", "PS FU6M", {"PSDAT": "2027-10-22"}, {"PSDAT": "2027-10-21"}, others=(FINISHED,)),
    Case("PS02", "PS FU12M", {"PSDAT": "2028-02-29"}, {"PSDAT": "2028-03-01"}, others=(FINISHED,)),
    Case("PS03", "PS FU6M", {}, {}, {"ECOG": "5"}, (), (), (DEATH,)),
    *(
        Case("PS04", "PS SCR", {"KPS": bad}, {"KPS": good}, {"ECOG": ecog})
        for ecog, bad, good in [
            ("0", "80", "90"), ("1", "90", "80"), ("1", "60", "70"), ("2", "70", "60"), ("2", "40", "50"),
            ("3", "50", "40"), ("3", "20", "30"), ("4", "30", "20"), ("4", "0", "10"), ("5", "10", "0"),
        ]
    ),
    Case("PE01", "PE SCR", {"PEDAT": TOMORROW}, {"PEDAT": TODAY}),
    Case(
        "PE02", "PE SCR", {}, {}, {"PELN": "ACS"}, (),
        (("BE SCR", rows("BEROWS", {"BEAXPAL": "N", "BESCV": "N"}, {"BEAXPAL": "N"})),),
        (("BE SCR", rows("BEROWS", {"BEAXPAL": "N", "BESCV": "N"}, {"BEAXPAL": "Y"})),),
    ),
    Case(
        "PE03", "PE FU3M", {"PESKIN": "ACS"}, {"PESKIN": "ANCS"}, {"PEDAT": "2027-06-30"}, (FRACTION, ("PE SCR", {"PESKIN": "N"})),
    ),
    Case(
        "PE03", "PE FU3M", {}, {}, {"PEDAT": "2027-06-30", "PELUNG": "ACS"}, (FRACTION,), (("PE SCR", {"PELUNG": "N"}),), (("PE SCR", {"PELUNG": "ACS"}),),
    ),
    Case(
        "PE03", "PE FU3M", {}, {}, {"PEDAT": "2027-06-30", "PEABD": "ACS"}, (FRACTION,),
        (("AE LOG", {"AESTDAT": "2027-07"}),), (("AE LOG", {"AESTDAT": "2027-06", "AEONGO": "Y"}),),
    ),
    Case("BE01", "BE FU3M", rows("BEROWS", {"BELAT": "L"}, {"BELAT": "L"}), rows("BEROWS", {"BELAT": "L"}, {"BELAT": "R"})),
    Case("BE02", "BE SCR", rows("BEROWS", {"BELAT": "L"}), rows("BEROWS", {"BELAT": "L"}, {"BELAT": "R"})),
    Case(
        "BE03", "BE SCR",
        rows("BEROWS", {"BEPALP": "Y", "BELD": "20", "BEPD": "20.1"}), rows("BEROWS", {"BEPALP": "Y", "BELD": "20", "BEPD": "20"}),
    ),
    Case(
        "BE04", "BE SCR", {}, {}, rows("BEROWS", {"BELAT": "R"}, {"BELAT": "L", "BESKIN": "Y"}), (),
        (("STG SCR", {"STGLAT": "L", "CT": "T3"}),), (("STG SCR", {"STGLAT": "L", "CT": "T4b"}),),
    ),
    Case(
        "BE05", "BE SCR", {}, {}, rows("BEROWS", {"BELAT": "L", "BESCV": "Y"}), (),
        (("STG SCR", {"STGLAT": "R", "CN": "N3c"}),), (("STG SCR", {"STGLAT": "L", "CN": "N3c"}),),
    ),
    Case("LB03", "LB SCR", {"LBDAT": "2027-01-03"}, {"LBDAT": "2027-01-04"}, others=(CONSENT,)),
    Case(
        "LB08", "LB SCR",
        {"rows": {"LB": {"1": {"LBPAN": "HEM", "LBNAM": "WW"}}, "LBROWS": {"WBC": {"LBORRES": "3.4", "LBORRESU": "10^9/L", "LBCLSIG": "N"}}}},
        {"rows": {"LB": {"1": {"LBPAN": "HEM", "LBNAM": "WW"}}, "LBROWS": {"WBC": {"LBORRES": "3.4", "LBORRESU": "10^9/L", "LBCLSIG": "ANCS"}}}},
        {}, (("DM SCR", {"SEX": "F"}),),
    ),
    Case("PREG01", "PREG SCR", {"PREGDAT": TOMORROW}, {"PREGDAT": TODAY}),
    Case("PREG02", "PREG SCR", {"PREGRES": "Y"}, {"PREGRES": "N"}),
    Case("PREG03", "PREG SCR", {}, {}, {"PREGND": "NA"}, (), (("RP SCR", {"CHLDPOT": "Y"}),), (("RP SCR", {"CHLDPOT": "N"}),)),
    Case("CV01", "CV SCR", {"CVDAT": TOMORROW}, {"CVDAT": TODAY}),
    Case("CV02", "CV FU12M", {"LVEF": "52"}, {"LVEF": "53"}, {}, (("CV SCR", {"LVEF": "62"}), ("BCH SCR", {"BCLAT": "L"}))),
    Case("IM01", "IM SCR", {"IMDAT": TOMORROW}, {"IMDAT": TODAY}),
    Case("IM02", "IM SCR", {"IMDAT": "2027-01-03"}, {"IMDAT": "2027-01-04"}, {}, (("ENR ENR", {"ENRDAT": "2027-02-01"}),)),
    Case("IM03", "IM SCR", {"IMCON": "N"}, {"IMCON": "Y"}, {"IMMOD": "MRI"}),
    Case("IM04", "IM SCR", {"IMTHK": "5.01"}, {"IMTHK": "5"}, {"IMMOD": "CT"}),
    Case("IM05", "IM SCR", {"IMUID": "Wang Fang"}, {"IMUID": "1.2.840.113619.2"}),
    Case("TL01", "TL SCR", targets(mass("A1")), targets(mass("T01"))),
    Case("TL02", "TL SCR", targets(mass("T01"), mass("T01")), targets(mass("T01"), mass("T02"))),
    Case("TL03", "TL SCR", targets(*FIVE, mass("T06", "BRA")), targets(*FIVE)),
    Case("TL04", "TL SCR", targets(mass("T01"), mass("T02"), mass("T03")), targets(mass("T01"), mass("T02"), mass("T03", "LUN"))),
    Case(
        "TL04", "TL SCR",
        targets(node("T01", TLLOC="AX1"), node("T02", TLLOC="IMN"), node("T03", TLLOC="AX2")),
        targets(node("T01", TLLOC="AX1"), node("T02", TLLOC="AX2"), mass("T03"), mass("T04")),
    ),
    Case("TL05", "TL FU3M", targets(mass("T02")), targets(mass("T01")), {}, (("TL SCR", targets(mass("T01"))),)),
    Case("TL06", "TL FU3M", targets(mass("T01", "LUN")), targets(mass("T01")), {}, (("TL SCR", targets(mass("T01"))),)),
    Case(
        "TL07", "TL FU3M", targets(mass("T01", TLLAT="R")), targets(mass("T01", TLLAT="L")), {}, (("TL SCR", targets(mass("T01", TLLAT="L"))),),
    ),
    Case("TL08", "TL FU3M", targets(node("T01")), targets(mass("T01")), {}, (("TL SCR", targets(mass("T01"))),)),
    Case("TL09", "TL SCR", targets(mass("T01", TLDAT=TOMORROW)), targets(mass("T01", TLDAT=TODAY))),
    Case("TL10", "TL SCR", targets(mass("T01") | {"TLSTAT": "NE"}), targets(mass("T01"))),
    Case("TL11", "TL SCR", targets(mass("T01", TLDIA="9.9")), targets(mass("T01", TLDIA="10"))),
    Case("TL11", "TL SCR", targets(node("T01", TLDIA="14.9")), targets(node("T01", TLDIA="15"))),
    Case("NTL01", "NTL SCR", rows("NTLROWS", {"NTID": "T01"}), rows("NTLROWS", {"NTID": "N01"})),
    Case("NTL02", "NTL SCR", rows("NTLROWS", {"NTID": "N01"}, {"NTID": "N01"}), rows("NTLROWS", {"NTID": "N01"}, {"NTID": "N02"})),
    Case(
        "NTL03", "NTL FU3M",
        rows("NTLROWS", {"NTID": "N02", "NTLOC": "AX1"}), rows("NTLROWS", {"NTID": "N02", "NTLOC": "AX2"}), {},
        (("NTL SCR", rows("NTLROWS", {"NTID": "N01", "NTLOC": "AX1"}, {"NTID": "N02", "NTLOC": "AX2"})),),
    ),
    Case("NTL04", "NTL SCR", rows("NTLROWS", {"NTDAT": TOMORROW}), rows("NTLROWS", {"NTDAT": TODAY})),
    Case("NTL05", "NTL SCR", rows("NTLROWS", {"NTSTAT": "ABS"}), rows("NTLROWS", {"NTSTAT": "PRES"})),
    Case("NEWL01", "NEWL FU3M", {"NLYN": "Y"}, fresh()),
    Case("NEWL02", "NEWL FU3M", fresh(NLID="N01"), fresh()),
    Case("NEWL03", "NEWL FU3M", NEW | rows("NEWLROWS", {"NLID": "X01"}, {"NLID": "X01"}), fresh()),
    Case("NEWL04", "NEWL FU3M", fresh(NLDAT=TOMORROW), fresh(NLDAT=TODAY)),
    Case("NEWL05", "NEWL FU6M", fresh(NLDAT="2027-10-01"), fresh(NLDAT="2027-06-30"), {}, (("NEWL FU3M", fresh(NLDAT="2027-06-30")),)),
    Case("NEWL06", "NEWL FU3M", fresh(NLEQV="Y"), fresh(NLEQV="N")),
    Case("NEWL07", "NEWL FU3M", {}, {}, fresh(NLEQV="Y"), (("IM FU6M", {"IMMOD": "MRI"}),), (), (("NEWL FU6M", fresh(NLEQV="N")),)),
    Case("NEWL07", "NEWL FU3M", fresh(NLEQV="Y"), fresh(NLEQV="Y", NLBX="N"), {}, (("IM FU6M", {"IMMOD": "MRI"}),)),
    Case("MDT01", "MDT ENR", {"MDTDAT": TOMORROW}, {"MDTDAT": TODAY}),
    Case("MDT02", "MDT ENR", {"MDTDAT": "2027-01-03"}, {"MDTDAT": "2027-01-04"}, others=(CONSENT,)),
    Case("MDT03", "MDT ENR", {"MDTDAT": "2027-01-22"}, {"MDTDAT": "2027-01-21"}, others=(("ENR ENR", {"ENRDAT": "2027-01-21"}),)),
    Case("MDT04", "MDT ENR", {"MDTSPC": ["RO", "MO", "BS", "RAD", "PHY"]}, {"MDTSPC": ["RO", "MO", "BS", "RAD", "PAT"]}),
    Case("MDT05", "MDT ENR", {"MDTBST": "71.9"}, {"MDTBST": "72.0"}),
    Case("MDT05", "MDT ENR", {"MDTBST": "80.1"}, {"MDTBST": "80.0"}),
    Case("MDT06", "MDT ENR", {"MDTST": ["CHEMO"]}, {"MDTST": ["ENDO", "CDK"]}, {"MDTCON": "RTENDO"}),
    Case("MDT06", "MDT ENR", {"MDTST": ["ENDO"]}, {"MDTST": {"missing": "NA"}}, {"MDTCON": "RTAL"}),
    Case("MDT07", "MDT LOG", {"MDTDEV": "Y"}, {"MDTDEV": "N"}, {"MDTDAT": "2027-03-01"}, (("MDT ENR", {"MDTDAT": "2027-01-20"}),)),
]  # fmt: skip


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def named(case: Case) -> str:
    """How a case is called in the report."""
    return f"{case.check} {case.bad or case.only_bad}"[:60]


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_check_fires_beyond_its_limit_and_only_there(study, case):
    assert finds(study, case, bad=True)
    assert not finds(study, case, bad=False)


@pytest.mark.req("DAT-03")
def test_every_check_of_these_forms_has_a_case(study):
    written = {check.id for form in FORMS for item in study.forms[form].items for check in item.checks}
    tried = {case.check for case in CASES} | TESTED_ELSEWHERE
    assert {each for each in written if each[-2:] not in ("-H", "-S", "-P")} == tried


RANGES = [
    # item: hard low, hard high, soft low, soft high
    ("HEIGHT", "100", "220", "140", "190"), ("WEIGHT", "25", "200", None, None), ("TEMP", "33", "43", "35.5", "38.0"),
    ("PULSE", "25", "250", "50", "120"), ("RESP", "5", "70", "10", "26"), ("SYSBP", "50", "280", "85", "180"),
    ("DIABP", "20", "180", "45", "110"), ("OXYSAT", "40", "100", None, None), ("QTCF", "250", "700", None, "480"),
    ("LVEF", "10", "85", None, None), ("GLS", "-60", "60", "-35", "0"), ("FEV1", "0", None, "0.3", "7"),
    ("DLCO", "0", None, "10", "160"), ("IMTHK", "0", None, "0.5", "10"), ("IMFIELD", "0", None, "0.5", "3"),
    ("IMSUV", "0", None, "0", "60"), ("IMADC", "0", None, "0.1", "3.5"), ("TLDIA", "0", "300", None, None),
    ("MHRTDOS", "0", None, "0", "100"), ("GRAVID", "0", None, "0", "20"), ("PARITY", "0", None, "0", "15"),
    ("BCSEQ", "1", "9", None, None), ("BCCLK", "1", "12", None, None), ("BCNIPD", "0", None, "0", "20"),
    ("TIL", "0", "100", None, None), ("ERPCT", "0", "100", None, None), ("PRPCT", "0", "100", None, None),
    ("ERINT", "0", "3", None, None), ("KI67", "0", "100", None, None), ("AR", "0", "100", None, None),
    ("ISHRAT", "0", None, "0.1", "30"), ("ISHCN", "0", None, "0.5", "60"), ("TSIZE", "0", "300", None, None),
    ("STCYPL", "0", None, "1", "20"), ("STCYDN", "0", None, "0", "30"), ("BELD", "1", "300", None, None),
    ("BEPD", "0", "300", None, None), ("BEVOL", "0", None, "50", "4000"), ("MDTBST", "0", None, None, None),
]  # fmt: skip
SHOWN_WITH = {
    "IMTHK": {"IMMOD": "MRI"}, "IMFIELD": {"IMMOD": "MRI"}, "IMADC": {"IMMOD": "MRI"}, "IMSUV": {"IMMOD": "PETCT"},
    "TLDIA": {"TLSTAT": "MEA"}, "MHRTDOS": {"MHCAT": "RT", "MHYN": "Y"}, "ISHRAT": {"HER2ISH": "AMP", "HER2IHC": "2"},
    "ISHCN": {"HER2ISH": "AMP", "HER2IHC": "2"}, "BELD": {"BEPALP": "Y"}, "BEPD": {"BEPALP": "Y"},
}  # fmt: skip


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize(
    ("item", "hard_low", "hard_high", "soft_low", "soft_high"), RANGES, ids=[each[0] for each in RANGES]
)
def test_a_range_holds_at_its_limits_and_not_one_step_beyond(study, item, hard_low, hard_high, soft_low, soft_high):
    definition = study.items[item]
    step = Decimal(1).scaleb(-(definition.digits or 0))
    others = [at(study, "BCH SCR", {"BCLAT": "L"})] if item == "LVEF" else []
    limits = {"H": (hard_low, hard_high), "S": (soft_low, soft_high)}
    for letter, (low, high) in limits.items():
        for limit, outward in ((low, -step), (high, step)):
            if limit is None:
                continue
            at_limit, beyond = (
                found(
                    study,
                    at(study, f"{definition.form_id} SCR", SHOWN_WITH.get(item, {}) | {item: str(value)}),
                    others,
                )
                for value in (Decimal(limit), Decimal(limit) + outward)
            )
            assert f"{item}-{letter}" not in at_limit
            assert f"{item}-{letter}" in beyond


@pytest.mark.req("DAT-03")
def test_no_range_is_left_untried(study):
    ranged = {
        item.id
        for form in ALL
        for item in study.forms[form].items
        if item.hard_range or item.soft_range or item.protected_range
    }
    assert ranged == {each[0] for each in RANGES}


@pytest.mark.parametrize(
    ("regimen", "kind", "asked"),
    [("多柔比星", "CHEMO", True), ("Epirubicin", "CHEMO", True), ("AC-T", "CHEMO", True), ("TC", "CHEMO", False),
     ("capecitabine", "CHEMO", False), ("trastuzumab", "HER2", True), ("letrozole", "ENDO", False)],
)  # fmt: skip
def test_heart_function_is_asked_for_left_side_anthracycline_or_anti_her2(study, regimen, kind, asked):
    therapy = at(study, "ST LOG", {"STTYP": kind, "STREG": regimen})
    right = at(study, "BCH SCR", {"BCLAT": "R"})
    assert ("CV/1/LVEF" in verdict(study, at(study, "CV SCR", {}), [therapy, right]).shown) is asked


def test_height_is_asked_at_screening_only(study):
    assert "VS/1/HEIGHT" in verdict(study, at(study, "VS SCR", {"WEIGHT": "60"})).shown
    assert "VS/1/HEIGHT" in verdict(study, at(study, "VS FU3M", {"WEIGHT": "60"})).hidden


def test_a_visit_not_done_asks_for_nothing_else(study):
    done = verdict(study, at(study, "SV FU3M", {"VISTYP": "SCH", "VISND": "ND"}))
    assert {"SV/1/VISDAT", "SV/1/VISMOD"} <= done.hidden
    assert done.missing_required == []
