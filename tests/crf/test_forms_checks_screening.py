"""Every check of the forms SV to PTH at its limit: what it objects to, and what it just lets pass (DAT-03)."""

from __future__ import annotations

import pytest
from screening import Case, at, finds, found, read

CONSENT = ("ICF LOG", {"ICFTYP": "INIT", "DSSTDAT": "2027-01-04"})
TODAY, TOMORROW = "2028-06-01", "2028-06-02"
FRACTION = ("RTFX RTD", {"FXDAT": "2027-03-01", "FXDOSE": "3.0"})
MET = {f"IN0{n}": "Y" for n in range(1, 7)}
FORMS = ("SV", "ICF", "DM", "ENR", "IE", "MH", "RP", "BCH", "BM", "STG", "PTH")


def lesion(seq: str, side: str = "L", histology: str = "IDC", method: str = "CNB", day: str = "2027-01-02"):
    """A biopsied lesion."""
    return (
        f"BCH SCR {seq}",
        {"BCSEQ": seq, "BCLAT": side, "HISTYP": histology, "BXMETH": method, "BXDAT": day},
    )


def history(category: str, **more):
    """A record of the medical history."""
    return ("MH LOG", {"MHYN": "Y", "MHCAT": category, **more})


CASES = [
    Case("SV01", "SV SCR", {"VISDAT": TOMORROW}, {"VISDAT": TODAY}),
    Case("SV02", "SV SCR", {"VISDAT": "2027-01-03"}, {"VISDAT": "2027-01-04"}, others=(CONSENT,)),
    Case("SV03", "SV UNS", {"VISTYP": "SCH"}, {"VISTYP": "UNS"}),
    Case("SV03", "SV FU3M", {"VISTYP": "UNS"}, {"VISTYP": "EARLY"}),
    Case("ICF01", "ICF LOG", {"DSSTDAT": "2013-12-31"}, {"DSSTDAT": "2014-01-01"}, {"ICFVER": "1.0"}),
    Case("ICF01", "ICF LOG", {"ICFVER": "9.9"}, {"ICFVER": "1.0"}, {"DSSTDAT": "2027-01-04"}),
    Case("ICF02", "ICF LOG", {"ICFVDT": "2027-01-05"}, {"ICFVDT": "2027-01-04"}, {"DSSTDAT": "2027-01-04"}),
    Case("ICF03", "ICF LOG", {"ICFVDT": "2014-01-02"}, {"ICFVDT": "2014-01-01"}, {"ICFVER": "1.0"}),
    Case("ICF04", "ICF LOG 2", {"DSSTDAT": "2027-01-03"}, {"DSSTDAT": "2027-01-04"}, {"ICFTYP": "REC"}, (CONSENT,)),
    Case("ICF05", "ICF LOG", {"ICFTYP": "INIT"}, {"ICFTYP": "RSC"}, others=(("ENR ENR", {"RESCR": "Y"}),)),
    Case("ICF05", "ICF LOG", {"ICFTYP": "RSC"}, {"ICFTYP": "INIT"}, others=(("ENR ENR", {"RESCR": "N"}),)),
    Case("ICF06", "ICF LOG", {"DSSTDAT": TOMORROW}, {"DSSTDAT": TODAY}),
    Case("ICF07", "ICF LOG", {"ICFIDT": TOMORROW}, {"ICFIDT": TODAY}),
    Case("ICF08", "ICF LOG", {"ICFIDT": "2027-01-05"}, {"ICFIDT": "2027-01-04"}, {"DSSTDAT": "2027-01-04"}),
    Case("ICF09", "ICF LOG", {"ICFCPY": "N"}, {"ICFCPY": "Y"}),
    Case("ICF10", "ICF LOG", {"ICFRSN": "new risk"}, {"ICFRSN": "修订2"}, {"ICFTYP": "REC"}),
    Case("DM01", "DM SCR", {"SUBJINI": "A"}, {"SUBJINI": "AB"}),
    Case("DM01", "DM SCR", {"SUBJINI": "Abcd"}, {"SUBJINI": "ABCD"}),
    Case("DM02", "DM SCR", {"BRTHDAT": TOMORROW}, {"BRTHDAT": TODAY}),
    Case("DM02", "DM SCR", {"BRTHDAT": "1907-06-01"}, {"BRTHDAT": "1907-06-02"}),
    Case("DM03", "DM SCR", {"BRTHDAT": "2009-01-05"}, {"BRTHDAT": "2009-01-04"}, others=(CONSENT,)),
    Case("DM03", "DM SCR", {"BRTHDAT": "1961-01-04"}, {"BRTHDAT": "1961-01-05"}, others=(CONSENT,)),
    Case("DM04", "DM SCR", {"SEX": "M"}, {"SEX": "F"}),
    Case("DM05", "DM SCR", {"EDULEV": "1"}, {"EDULEV": "2"}),
    Case("ENR01", "ENR ENR", {"SCRDAT": TOMORROW}, {"SCRDAT": TODAY}),
    Case("ENR02", "ENR ENR", {"SCRDAT": "2027-01-03"}, {"SCRDAT": "2027-01-04"}, others=(CONSENT,)),
    Case("ENR04", "ENR ENR", {"PRVSCR": "S003"}, {"PRVSCR": "01-S003"}, {"RESCR": "Y", "SCRNO": "01-S009"}),
    Case("ENR04", "ENR ENR", {"PRVSCR": "01-S009"}, {"PRVSCR": "01-S003"}, {"RESCR": "Y", "SCRNO": "01-S009"}),
    Case("ENR05", "ENR ENR", {"ENRYN": "Y"}, {"ENRYN": "N"}, others=(("IE SCR", MET | {"IN02": "N"}),)),
    Case("ENR05", "ENR ENR", {}, {}, {"ENRYN": "Y"}, only_bad=(("IE SCR", {"IN01": "Y"}),), only_good=(("IE SCR", MET),)),
    Case(
        "ENR06",
        "ENR ENR",
        {"ENRDAT": "2027-01-20"},
        {"ENRDAT": "2027-01-21"},
        {"ENRYN": "Y"},
        (
            ("MDT ENR", {"MDTDAT": "2027-01-20", "MDTCON": "NOTR"}),
            ("MDT LOG", {"MDTDAT": "2027-01-21", "MDTCON": "RTAL"}),
        ),
    ),
    Case("ENR07", "ENR ENR", {"ENRDAT": TOMORROW}, {"ENRDAT": TODAY}, {"ENRYN": "Y"}),
    Case("ENR08", "ENR ENR", {"ENRDAT": "2027-01-03"}, {"ENRDAT": "2027-01-04"}, {"ENRYN": "Y"}, (CONSENT,)),
    Case(
        "ENR09", "ENR ENR", {"ENRDAT": "2027-01-19"}, {"ENRDAT": "2027-01-20"}, {"ENRYN": "Y"},
        (("MDT ENR", {"MDTDAT": "2027-01-20"}),),
    ),
    Case("ENR10", "ENR ENR", {"ENRDAT": "2027-03-01"}, {"ENRDAT": "2027-02-28"}, {"ENRYN": "Y"}, (FRACTION,)),
    Case("ENR11", "ENR ENR", {"ENRDAT": "2027-02-02"}, {"ENRDAT": "2027-02-01"}, {"ENRYN": "Y"}, (CONSENT,)),
    Case("ENR12", "ENR ENR", {"ENRSIT": "02"}, {"ENRSIT": "01"}),
    Case(
        "ENR13", "ENR ENR", {}, {}, {"ENRYN": "N", "SFREAS": "IE"},
        only_bad=(("IE SCR", MET),), only_good=(("IE SCR", MET | {"IN03": "N"}),),
    ),
    Case("IE01", "IE SCR", {"IEDAT": TOMORROW}, {"IEDAT": TODAY}),
    Case("IE02", "IE SCR", {"IEDAT": "2027-01-03"}, {"IEDAT": "2027-01-04"}, others=(CONSENT,)),
    Case("IE03", "IE SCR", {"IEDAT": "2027-01-22"}, {"IEDAT": "2027-01-21"}, others=(("ENR ENR", {"ENRYN": "Y", "ENRDAT": "2027-01-21"}),)),
    Case(
        "IE04", "IE SCR", {}, {}, {"IEDAT": "2027-01-20"}, (("IM SCR", {"IMMOD": "MRI"}),),
        only_bad=(("IM FU3M 2", {"IMMOD": "CT"}),), only_good=(("IM SCR 2", {"IMMOD": "PETCT"}),),
    ),
    Case("IE05", "IE SCR", {"IN01": "N"}, {"IN01": "Y"}, others=(CONSENT, ("DM SCR", {"BRTHDAT": "1980-01-01", "AGE": "47"}))),
    Case("IE06", "IE SCR", {"IN02": "Y"}, {"IN02": "N"}, others=(lesion("1", histology="DCIS"),)),
    Case("IE06", "IE SCR", {}, {}, {"IN02": "Y"}, (lesion("1", histology="DCIS"),), (), (lesion("2", histology="ILC"),)),
    Case("IE07", "IE SCR", {"IEDAT": "2027-01-01"}, {"IEDAT": "2027-01-02"}, {"IN02": "Y"}, (lesion("1"),)),
    Case("IE08", "IE SCR", {"IN03": "N"}, {"IN03": "Y"}, others=(("STG SCR", {"CT": "T2", "CN": "N1", "CM": "M0"}),)),
    Case("IE09", "IE SCR", {}, {}, {"IN06": "Y"}, (), (("ICF LOG 2", {"ICFTYP": "REC", "DSSTDAT": "2027-01-04"}),), (CONSENT,)),
    Case("IE21", "IE SCR", {"IEDAT": "2013-12-31"}, {"IEDAT": "2014-01-01"}, {"IEVER": "1.0"}),
    Case("MH01", "MH LOG", {"MHYN": "N"}, {"MHYN": "Y"}, others=(("MH LOG 2", {"MHTERM": "asthma"}),)),
    Case("MH02", "MH LOG", {"MHSTDAT": "2028-07"}, {"MHSTDAT": "2028-06"}, {"MHYN": "Y"}),
    Case("MH03", "MH LOG", {"MHCAT": "GEN"}, {"MHCAT": "FAM"}, {"MHYN": "Y", "MHSTDAT": "1979"}, (("DM SCR", {"BRTHDAT": "1980-01-01"}),)),
    Case("MH03", "MH LOG", {"MHSTDAT": "1980-04"}, {"MHSTDAT": "1980-05"}, {"MHYN": "Y", "MHCAT": "GEN"}, (("DM SCR", {"BRTHDAT": "1980-05-20"}),)),
    Case("MH04", "MH LOG", {"MHENDAT": TOMORROW}, {"MHENDAT": TODAY}, {"MHYN": "Y", "MHONGO": "N"}),
    Case("MH05", "MH LOG", {"MHENDAT": "2019-12"}, {"MHENDAT": "2020"}, {"MHYN": "Y", "MHONGO": "N", "MHSTDAT": "2020-03"}),
    Case("MH06", "MH LOG", {"MHGR": "5"}, {"MHGR": "4"}, {"MHYN": "Y", "MHONGO": "Y"}),
    Case("RP01", "RP SCR", {}, {}, {"MENOST": "NA"}, (), (("DM SCR", {"SEX": "F"}),), (("DM SCR", {"SEX": "M"}),)),
    Case("RP02", "RP SCR", {"MENOST": "POST"}, {"MENOST": "NA"}, others=(("DM SCR", {"SEX": "M"}),)),
    Case("RP03", "RP SCR", {"LMPDAT": TOMORROW}, {"LMPDAT": "2028-06"}, {"MENOST": "PRE"}),
    Case("RP04", "RP SCR", {"LMPDAT": "2027-01-06"}, {"LMPDAT": "2027-01"}, {"MENOST": "PRE"}, (("SV SCR", {"VISDAT": "2027-01-05"}),)),
    Case("RP05", "RP SCR", {"PARITY": "3"}, {"PARITY": "2"}, {"GRAVID": "2"}),
    Case("BCH01", "BCH SCR 2", {"BCSEQ": "1"}, {"BCSEQ": "2"}, others=(lesion("1"),)),
    Case("BCH02", "BCH SCR", {"BCSEQ": "2"}, {"BCSEQ": "1"}),
    Case("BCH03", "BCH SCR 2", {"BCLAT": "R"}, {"BCLAT": "L"}, {"BCFOC": "MC"}, (lesion("1"),)),
    Case("BCH04", "BCH SCR", {"DXDAT": "2027-02-01"}, {"DXDAT": "2027-01-31"}, {"BXDAT": "2027-01-31"}),
    Case("BCH04", "BCH SCR", {"DXDAT": "2027-02"}, {"DXDAT": "2027-01"}, {"BXDAT": "2027-01-02"}),
    Case("BCH04", "BCH SCR", {"DXDAT": "2028-01-02"}, {"DXDAT": "2027-01-31"}, {"BXDAT": "2027-01-02"}),
    Case("BCH05", "BCH SCR", {"DXDAT": TOMORROW}, {"DXDAT": "2028"}),
    Case("BCH06", "BCH SCR", {"BXDAT": TOMORROW}, {"BXDAT": TODAY}),
    Case("BCH07", "BCH SCR", {"BXDAT": "2027-01-22"}, {"BXDAT": "2027-01-21"}, others=(("ENR ENR", {"ENRDAT": "2027-01-21"}),)),
    Case("BCH08", "BCH SCR", {"BXDAT": "2026-11-30"}, {"BXDAT": "2026-12-01"}, others=(FRACTION,)),
    Case("BCH09", "BCH SCR", {}, {}, {"BCLAT": "L", "BXMETH": "FNA"}, (), (lesion("2", "R"),), (lesion("2", "L"),)),
    Case("BCH10", "BCH SCR", {}, {"PATCEN": {"missing": "NAV"}}, {"PATHLAB": "outside"}),
    Case("BCH11", "BCH SCR", {"HISTYP": "DCIS"}, {"HISTYP": "IDC"}),
    Case("BCH12", "BCH SCR", {"GRADE": "X"}, {"GRADE": "3"}),
    Case("BCH13", "BCH SCR", {"PATCEN": "N"}, {"PATCEN": "Y"}),
    Case("BM01", "BM SCR", {"BMDAT": TOMORROW}, {"BMDAT": TODAY}),
    Case("BM02", "BM SCR", {"BMDAT": "2027-01-01"}, {"BMDAT": "2027-01-02"}, {"BMSPEC": "SCR/BCH/1"}, (lesion("1"),)),
    Case("BM02", "BM SCR", {"BMSPEC": "SCR/BCH/2"}, {"BMSPEC": "SCR/BCH/1"}, {"BMDAT": "2027-01-02"}, (lesion("1"), lesion("2", day="2027-01-03"))),
    Case("BM02", "BM UNS", {"BMDAT": "2028-01-08"}, {"BMDAT": "2028-01-09"}, {"BMSPEC": "LOG/BX/1"}, (("BX LOG", {"BXPDAT": "2028-01-09"}),)),
    Case("BM03", "BM UNS", {"BMDAT": "2028-01-08"}, {"BMDAT": "2028-01-09"}, {"BMSPEC": "LOG/REC/1"}, (("REC LOG", {"RECDAT": "2028-01-09"}),)),
    Case("BM04", "BM SCR", {}, {"HER2ISH": {"missing": "NAV"}}, {"HER2IHC": "2"}),
    Case("BM05", "BM SCR", {"ERPCT": "0"}, {"ERPCT": "1"}, {"PRPCT": "1", "HER2IHC": "0", "KI67": "5"}),
    Case("STG01", "STG SCR", {"STGDAT": TOMORROW}, {"STGDAT": TODAY}),
    Case("STG02", "STG SCR", {"STGDAT": "2026-12-02"}, {"STGDAT": "2026-12-03"}, {"STGLAT": "L"}, (lesion("1"),)),
    Case("STG03", "STG SCR", {"TSZMOD": "US"}, {"TSZMOD": "MRI"}),
    Case("STG04", "STG SCR", {"CNBAS": "IMG"}, {"CNBAS": "FNA"}, {"CN": "N1mi"}),
    Case("STG05", "STG SCR", {"CNLOC": ["IMN"]}, {"CNLOC": ["AX1"]}, {"CN": "N1"}),
    Case("STG05", "STG SCR", {"CNLOC": ["AX1", "AX3"]}, {"CNLOC": ["AX1", "AX2"]}, {"CN": "N2a"}),
    Case("STG05", "STG SCR", {"CN": "N2a"}, {"CN": "N3c"}, {"CNLOC": ["AX1", "SCV"]}),
    Case("STG05", "STG SCR", {"CN": "N1mi"}, {"CN": "N2b"}, {"CNLOC": ["IMN"]}),
    Case("STG06", "STG SCR", {"CN": "N2a"}, {"CN": "N3b"}, {"CNLOC": ["IMN", "AX1"]}),
    Case("STG07", "STG SCR", {"CNLOC": ["AX1", "LIV"]}, {"CNLOC": ["AX1"]}, {"CN": "N1"}),
    Case("PTH01", "PTH SCR", {"PTENDO": "Y"}, {"PTENDO": "N"}),
    Case("PTH02", "PTH SCR", {"PTTARG": "Y"}, {"PTTARG": "N"}),
    Case("PTH03", "PTH SCR", {"PTCHEM": "Y"}, {"PTCHEM": "N"}),
    Case("PTH04", "PTH SCR", {"PTSURG": "Y"}, {"PTSURG": "N"}),
    Case("PTH05", "PTH SCR", {}, {}, {"PTRT": "Y"}, (), (history("GEN"),), (history("RT"),)),
    Case("PTH06", "PTH SCR", {"PTSPEC": "tamoxifen"}, {"PTSPEC": "tamoxifen 2019"}, {"PTENDO": "Y"}),
]  # fmt: skip
# Exclusions are switched off by parameter, so that these rules rest; they are tried with the parameter on below.
RESTING = {f"IE{n}" for n in range(10, 21)}
EXCLUSIONS = [
    Case("IE10", "IE SCR", {"IEDAT": "2027-01-10"}, {"IEDAT": "2027-01-09"}, {"EX01": "N"}, (("PREG SCR", {"PREGRES": "Y", "PREGDAT": "2027-01-10"}),)),
    Case("IE11", "IE SCR", {}, {}, {"EX01": "NA"}, (), (("DM SCR", {"SEX": "F"}),), (("DM SCR", {"SEX": "M"}),)),
    Case("IE12", "IE SCR", {"EX02": "N"}, {"EX02": "Y"}, others=(history("RT"),)),
    Case("IE13", "IE SCR", {"EX03": "N"}, {"EX03": "Y"}, others=(("STG SCR", {"CT": "T2", "CN": "N2b", "CM": "M0"}),)),
    Case("IE14", "IE SCR", {}, {}, {"EX04": "N"}, (lesion("1"),), (lesion("2", "R"),), (lesion("2", "R", "DCIS"),)),
    Case("IE15", "IE SCR", {}, {}, {"EX05": "N"}, (), (history("CTD", MHONGO="Y"),), (history("CTD", MHONGO="N"),)),
    Case("IE16", "IE SCR", {"IEDAT": "2027-03-31"}, {"IEDAT": "2027-04-01"}, {"EX06": "N"}, (history("MAL", MHSTDAT="2022-03"),)),
    Case("IE17", "IE SCR", {}, {}, {"EX07": "N"}, (), (("PS SCR", {"ECOG": "3"}),), (("PS SCR", {"ECOG": "2"}),)),
    Case("IE18", "IE SCR", {"EX08": "N"}, {"EX08": "Y"}, others=(history("IMP"),)),
    Case("IE19", "IE SCR", {"EX09": "N"}, {"EX09": "Y"}, others=(("BE SCR", {"rows": {"BEROWS": {"1": {"BESKIN": "N"}, "2": {"BESKIN": "Y"}}}}),)),
    Case("IE20", "IE SCR", {"EX10": "Y"}, {"EX10": "N"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


@pytest.fixture(scope="module")
def strict_study():
    """The study version with every exclusion criterion switched on."""
    strict = read()
    for name, parameter in strict.parameters.items():
        if name.startswith("EX") and name.endswith("_ACTIVE"):
            object.__setattr__(parameter, "value", True)
    return strict


def named(case: Case) -> str:
    """How a case is called in the report."""
    return f"{case.check} {case.bad or case.only_bad}"[:60]


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_check_fires_beyond_its_limit_and_only_there(study, case):
    assert finds(study, case, bad=True)
    assert not finds(study, case, bad=False)


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize("case", EXCLUSIONS, ids=named)
def test_an_exclusion_is_compared_with_the_data_when_it_is_active(study, strict_study, case):
    assert finds(strict_study, case, bad=True)
    assert not finds(strict_study, case, bad=False)
    assert not finds(study, case, bad=True)


@pytest.mark.req("DAT-03")
def test_every_check_of_these_forms_has_a_case(study):
    ranges = ("-H", "-S", "-P")
    written = {check.id for form in FORMS for item in study.forms[form].items for check in item.checks}
    tried = {case.check for case in (*CASES, *EXCLUSIONS)}
    assert {each for each in written if not each.endswith(ranges)} - tried == {"ENR03"}  # needs another parameter


@pytest.mark.parametrize("status", ["enrolled", "on_treatment", "follow_up"])
def test_a_criterion_corrected_after_enrolment_does_not_block_the_form(study, status):
    instance, eligibility = at(study, "ENR ENR", {"ENRYN": "Y"}), at(study, "IE SCR", MET | {"IN02": "N"})
    assert "ENR05" in found(study, instance, [eligibility])
    assert "ENR05" not in found(study, instance, [eligibility], status=status)
