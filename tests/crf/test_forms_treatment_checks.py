"""Every check of the radiotherapy forms RTRX to RTEND, and every range, at its limit (DAT-03)."""

from __future__ import annotations

import pytest
from screening import Case, at, finds, read, verdict

FORMS = ("RTRX", "RTSIM", "RTPL", "RTBM", "DVH", "RTFX", "RTBD", "RTINT", "RTEND")
TODAY, TOMORROW = "2028-06-01", "2028-06-02"
ENROLLED = ("ENR ENR", {"ENRYN": "Y", "ENRDAT": "2027-02-01"})
PLAN = {"PLPH": "WBN", "PLMACH": "WW1", "PLAPP": "APP", "PLDAT": "2027-02-20", "PLDPF": "3.00", "PLRBE": "LEM1"}
PLANNED = ("RTPL PLN 1", PLAN)
BOOSTED = ("RTPL PLN 2", PLAN | {"PLPH": "BST", "PLDPF": "4.00"})
COURSE = {"RXCRS": "1", "RXLAT": "L", "RXRBE": "LEM1", "RXBST": "SEQ", "RXFPW": "5"}
BREAST = COURSE | {"RXPH": "WBN", "RXDOSE": "48.00", "RXNFX": "16", "RXDPF": "3.00"}
BOOST = COURSE | {"RXPH": "BST", "RXDOSE": "32.00", "RXNFX": "8", "RXDPF": "4.00"}
WBN, BST = ("RTRX PLN 1", BREAST), ("RTRX PLN 2", BOOST)
GIVEN = {
    "FXPL": "PLN/RTPL/1",
    "FXSTAT": "DEL",
    "FXDOSE": "3.00",
    "FXDAT": "2027-03-02",
    "FXNO": "2",
    "FXSTTIM": "10:00",
    "FXENTIM": "10:25",
}
FIRST = ("RTFX RTD 1", GIVEN | {"FXDAT": "2027-03-01", "FXNO": "1"})
OVER = ("RTEND EOT", {"RTSTAT": "COMP", "RTSTDAT": "2027-03-01", "RTENDAT": "2027-03-31"})
ME = "RTFX RTD 2"


def fx(number: int, **more: str) -> tuple[str, dict]:
    """Another session."""
    return (f"RTFX RTD {number}", GIVEN | more)


def beams(*cells: dict) -> dict:
    """Planned beams."""
    return {"rows": {"RTBM": {str(n): each for n, each in enumerate(cells, 1)}}}


def delivered(*cells: dict) -> dict:
    """Delivered beams."""
    return {"rows": {"RTBD": {str(n): each for n, each in enumerate(cells, 1)}}}


def dose(**values: dict | str) -> dict:
    """Rows of the dosimetry form: `GTVp__D98="70"` is row GTVp.D98."""
    return {
        "rows": {
            "DVHROWS": {
                key.replace("__", "."): each if isinstance(each, dict) else {"DVVAL": each}
                for key, each in values.items()
            }
        }
    }


TWO_BEAMS = (
    "RTPL PLN 1",
    PLAN | beams({"BMNO": "1", "BMGAN": "90.0", "BMCOU": "0.0"}, {"BMNO": "2", "BMGAN": "0.0", "BMCOU": "0.0"}),
)
HALF = {"FXNO": "2", "FXSTAT": "PAR", "FXDOSE": "1.50"}
ILL = {"AESTDAT": "2027-03-03", "AEONGO": "Y"}
MISSED = {"RISTDAT": "2027-03-08", "RIENDAT": "2027-03-10"}
DEVIATION = ("DV LOG", {"DVCAT": "RTT", "DVSTDAT": "2027-03-20"})
DOSE_DEVIATION = ("DV LOG", {"DVCAT": "RTD", "DVSEV": "MIN", "DVSTDAT": "2027-04-01"})
TOTAL = ("RTRX PLN 1", BREAST | {"RXTOT": "10.00"})
DOSED = (PLANNED, TOTAL)

CASES = [
    Case("RTRX01", "RTRX PLN 1", BREAST, BREAST, others=(FIRST,), only_good=(BST,)),
    Case("RTRX02", "RTRX PLN 1", {"RXPH": "NBST"}, {"RXPH": "BST"}),
    Case("RTRX04", "RTRX PLN 1", {"RXDAT": TOMORROW}, {"RXDAT": TODAY}),
    Case("RTRX05", "RTRX PLN 1", {"RXDAT": "2027-01-31"}, {"RXDAT": "2027-02-01"}, others=(ENROLLED,)),
    Case("RTRX06", "RTRX PLN 1", {"RXDAT": "2027-03-02"}, {"RXDAT": "2027-03-01"}, BREAST, (FIRST,)),
    Case("RTRX07", "RTRX PLN 1", {"RXTGT": ["CTVn_L1"]}, {"RXTGT": ["CTV_Breast", "CTVn_L1"]}, {"RXPH": "WBN"}),
    Case("RTRX07", "RTRX PLN 1", {"RXTGT": ["CTV_Breast"]}, {"RXTGT": ["GTVp"]}, {"RXPH": "BST"}),
    Case("RTRX07", "RTRX PLN 1", {"RXTGT": ["GTVp"]}, {"RXTGT": ["GTVn"]}, {"RXPH": "NBST"}),
    Case("RTRX09", "RTRX PLN 2", {"RXDOSE": "23.99"}, {"RXDOSE": "24.00"}, BOOST),
    Case("RTRX09", "RTRX PLN 2", {"RXDOSE": "32.01"}, {"RXDOSE": "32.00"}, BOOST),
    Case("RTRX10", "RTRX PLN 1", {"RXNFX": "15"}, {"RXNFX": "16"}, BREAST),
    Case("RTRX10", "RTRX PLN 2", {"RXNFX": "9"}, {"RXNFX": "8"}, BOOST),
    Case("RTRX10", "RTRX PLN 2", {"RXNFX": "5"}, {"RXNFX": "6"}, BOOST),
    Case("RTRX11", "RTRX PLN 1", {"RXDPF": "3.01"}, {"RXDPF": "3.00"}, BREAST),
    Case("RTRX11", "RTRX PLN 1", {"RXDOSE": "48.06"}, {"RXDOSE": "48.05"}, BREAST),
    Case("RTRX12", "RTRX PLN 1", {"RXDPF": "1.99"}, {"RXDPF": "2.00"}),
    Case("RTRX12", "RTRX PLN 1", {"RXDPF": "6.01"}, {"RXDPF": "6.00"}),
    Case(
        "RTRX14",
        "RTRX PLN 1",
        BREAST | {"RXBST": "SIB"},
        BREAST | {"RXBST": "SIB"},
        only_bad=(BST,),
        only_good=(("RTRX PLN 2", BOOST | {"RXBST": "SIB", "RXNFX": "16"}),),
    ),
    Case("RTRX15", "RTRX PLN 1", {"RXRBE": "MKM"}, {"RXRBE": "LEM1"}, BREAST, (BST,)),
    Case("RTSIM01", "RTSIM PLN", {"SIMDAT": TOMORROW}, {"SIMDAT": TODAY}),
    Case("RTSIM02", "RTSIM PLN", {"SIMDAT": "2027-01-31"}, {"SIMDAT": "2027-02-01"}, others=(ENROLLED,)),
    Case("RTSIM03", "RTSIM PLN", {"SIMPOS": "SUP"}, {"SIMPOS": "SEAT"}, {"SIMCHR": "Y"}),
    Case("RTPL01", "RTPL PLN 2", {"PLID": "A"}, {"PLID": "B"}, others=(("RTPL PLN 1", {"PLID": "A"}),)),
    Case("RTPL02", "RTPL PLN 1", {"PLPH": "BST"}, {"PLPH": "WBN"}, others=(WBN,)),
    Case("RTPL03", "RTPL PLN 1", {"PLDAT": "2013-12-31"}, {"PLDAT": "2014-01-01"}, {"PLMACH": "LZ1"}),
    Case("RTPL04", "RTPL PLN 1", {"PLRBE": "MKM"}, {"PLRBE": "LEM1"}, PLAN, (WBN,)),
    Case("RTPL05", "RTPL PLN 1", {"PLNBM": "3"}, {"PLNBM": "2"}, beams({"BMNO": "1"}, {"BMNO": "2"})),
    Case("RTPL06", "RTPL PLN 1", {"PLNFX": "17"}, {"PLNFX": "16"}, PLAN, (WBN,)),
    Case(
        "RTPL06",
        "RTPL PLN 1",
        {"PLNFX": "19"},
        {"PLNFX": "18"},
        PLAN,
        (WBN, ("RTINT LOG", {"RICOMP": "ADDF", "RIADDFX": "2", "RIAPP": "physician"})),
    ),
    Case("RTPL07", "RTPL PLN 1", {"PLDPF": "3.01"}, {"PLDPF": "3.00"}, PLAN, (WBN,)),
    Case(
        "RTPL07",
        "RTPL PLN 1",
        {"PLDPF": "3.00"},
        {"PLDPF": "4.50"},
        PLAN,
        (("RTRX PLN 1", BREAST | {"RXBST": "SIB"}), ("RTRX PLN 2", BOOST | {"RXBST": "SIB", "RXDPF": "1.50"})),
    ),
    Case("RTPL08", "RTPL PLN 1", {"PLDPF": "3.03"}, {"PLDPF": "3.02"}, beams({"BMDOSE": "1.00"}, {"BMDOSE": "2.00"}) | {"PLNBM": "2"}),
    Case("RTPL09", "RTPL PLN 1", {"PLDAT": TOMORROW}, {"PLDAT": TODAY}),
    Case("RTPL10", "RTPL PLN 1", {"PLDAT": "2027-03-02"}, {"PLDAT": "2027-03-01"}, others=(FIRST,)),
    Case("RTPL11", "RTPL PLN 1", {"PLAPP": "DRAFT"}, {"PLAPP": "SUPE"}, others=(FIRST,)),
    Case("RTPL12", "RTPL PLN 2", {"PLREA": "PT"}, {"PLREA": "MACH"}, {"PLPH": "WBN"}, (PLANNED,)),
    Case("RTPL13", "RTPL PLN 1", {"PLQA": "89.9"}, {"PLQA": "90.0"}),
    Case("RTPL14", "RTPL PLN 1", {"PLQADT": TOMORROW}, {"PLQADT": TODAY}),
    Case("RTPL15", "RTPL PLN 1", {"PLQADT": "2027-03-02"}, {"PLQADT": "2027-03-01"}, others=(FIRST,)),
    Case("RTPL16", "RTPL PLN 2", {"PLUID": "1.2.3"}, {"PLUID": "1.2.4"}, others=(("RTPL PLN 1", {"PLUID": "1.2.3"}),)),
    Case("RTPL17", "RTPL PLN 1", {"PLUID": "plan-1"}, {"PLUID": "1.2.840.1"}),
    Case("RTBM01", "RTPL PLN 1", beams({"BMNO": "1"}, {"BMNO": "1"}), beams({"BMNO": "1"}, {"BMNO": "2"})),
    Case(
        "RTBM03",
        "RTPL PLN 1",
        beams({"BMDIR": "H", "BMGAN": "45.0"}),
        beams({"BMDIR": "H", "BMGAN": "270.0"}),
        {"PLMACH": "WW1"},
    ),
    Case(
        "RTBM03",
        "RTPL PLN 1",
        beams({"BMDIR": "O45", "BMGAN": "90.0"}),
        beams({"BMDIR": "O45", "BMGAN": "45.0"}),
        {"PLMACH": "WW1"},
    ),
    Case("RTBM04", "RTPL PLN 1", beams({"BMENLO": "49.9"}), beams({"BMENLO": "50.0"}), {"PLMACH": "WW1"}),
    Case(
        "RTBM05",
        "RTPL PLN 1",
        beams({"BMENLO": "120.0", "BMENHI": "119.9"}),
        beams({"BMENLO": "120.0", "BMENHI": "120.0"}),
    ),
    Case("RTBM06", "RTPL PLN 1", beams({"BMENHI": "450.1"}), beams({"BMENHI": "450.0"}), {"PLMACH": "WW1"}),
    Case("RTBM07", "RTPL PLN 1", beams({"BMMU": "0"}), beams({"BMMU": "0.01"})),
    Case(
        "DVH01",
        "DVH PLN",
        dose(Heart__Dmean={"DVVAL": "1", "DVVOL": "0"}),
        dose(Heart__Dmean={"DVVAL": "1", "DVVOL": "0.01"}),
    ),
    Case(
        "DVH02",
        "DVH PLN",
        dose(GTVp__D98={"DVVAL": "1", "DVVOL": "12.51"}, CTV_Boost__D98={"DVVAL": "1", "DVVOL": "12.50"}),
        dose(GTVp__D98={"DVVAL": "1", "DVVOL": "12.50"}, CTV_Boost__D98={"DVVAL": "1", "DVVOL": "12.50"}),
    ),
    Case(
        "DVH02",
        "DVH PLN",
        dose(CTV_Boost__D98={"DVVAL": "1", "DVVOL": "40"}, PTV_Boost__D98={"DVVAL": "1", "DVVOL": "39"}),
        dose(CTV_Boost__D98={"DVVAL": "1", "DVVOL": "39"}, PTV_Boost__D98={"DVVAL": "1", "DVVOL": "39"}),
    ),
    Case("DVH03", "DVH PLN", dose(Heart__V5="100.01"), dose(Heart__V5="100")),
    Case("DVH04", "DVH PLN", dose(Heart__Dmean="120.01"), dose(Heart__Dmean="120", Chestwall__V30="200")),
    Case("DVH05", "DVH PLN", dose(GTVp__D98="70.01", GTVp__D95="70"), dose(GTVp__D98="70", GTVp__D95="70")),
    Case(
        "DVH05",
        "DVH PLN",
        dose(GTVp__D95="72.01", GTVp__D50="72"),
        dose(GTVp__D95="72", GTVp__D50="72", CTV_Boost__D50="60"),
    ),
    Case("DVH05", "DVH PLN", dose(GTVp__D50="74.01", GTVp__D2="74"), dose(GTVp__D50="74", GTVp__D2="74")),
    Case(
        "DVH07",
        "DVH PLN",
        dose(
            PTV_Boost__D98="70", PTV_Boost__D50="80", PTV_Boost__D2="82", PTV_Boost__D95={"DVVAL": "75", "DVHI": "0.18"}
        ),
        dose(
            PTV_Boost__D98="70", PTV_Boost__D50="80", PTV_Boost__D2="82", PTV_Boost__D95={"DVVAL": "75", "DVHI": "0.17"}
        ),
    ),
    Case("RTFX01", ME, GIVEN, GIVEN, only_bad=(("RTPL PLN 1", PLAN | {"PLAPP": "DRAFT"}),), only_good=(PLANNED,)),
    Case("RTFX02", ME, {"FXNO": "1"}, {"FXNO": "2"}, GIVEN, (PLANNED, FIRST)),
    Case("RTFX02", ME, GIVEN | HALF, GIVEN | HALF | {"FXSTAT": "CONT"}, others=(PLANNED, fx(1, **HALF))),
    Case("RTFX02", ME, {"FXSTAT": "DEL"}, {"FXSTAT": "NOT", "FXDOSE": "0"}, GIVEN, (PLANNED, fx(1, **HALF))),
    Case(
        "RTFX02",
        ME,
        {"FXPL": "PLN/RTPL/3"},
        {"FXPL": "PLN/RTPL/2"},
        GIVEN | {"FXNO": "1"},
        (PLANNED, BOOSTED, ("RTPL PLN 3", PLAN | {"PLMACH": "LZ1"}), FIRST),
    ),
    Case("RTFX03", ME, {"FXNO": "17"}, {"FXNO": "16"}, GIVEN, (PLANNED, WBN)),
    Case(
        "RTFX03",
        ME,
        {"FXNO": "18"},
        {"FXNO": "17"},
        GIVEN,
        (PLANNED, WBN, ("RTINT LOG", {"RICOMP": "ADDF", "RIADDFX": "1", "RIAPP": "physician"})),
    ),
    Case("RTFX04", ME, {"FXNO": "3"}, {"FXNO": "2"}, GIVEN, (PLANNED, FIRST, OVER)),
    Case(
        "RTFX05",
        ME,
        GIVEN | {"FXSTAT": "CONT"},
        GIVEN | {"FXSTAT": "CONT"},
        others=(PLANNED,),
        only_good=(fx(1, **HALF | {"FXDAT": "2027-03-01"}),),
    ),
    Case("RTFX06", ME, {"FXDAT": TOMORROW}, {"FXDAT": TODAY}),
    Case("RTFX07", ME, {"FXDAT": "2027-03-06"}, {"FXDAT": "2027-03-05"}, GIVEN),
    Case("RTFX07", ME, {"FXDAT": "2027-10-01"}, {"FXDAT": "2027-09-30"}, GIVEN),
    Case(
        "RTFX07",
        ME,
        {"FXDAT": "2027-03-06"},
        {"FXDAT": "2027-03-06"},
        GIVEN,
        only_good=(("RTINT LOG", {"RISTDAT": "2027-03-04", "RICOMP": "WKND"}),),
    ),
    Case("RTFX08", ME, {"FXENTIM": "10:00"}, {"FXENTIM": "10:01"}, {"FXSTTIM": "10:00"}),
    Case("RTFX09", ME, {"FXENTIM": "12:01"}, {"FXENTIM": "12:00"}, {"FXSTTIM": "10:00"}),
    Case("RTFX10", ME, {"FXSIT": "02"}, {"FXSIT": "01"}, {"FXMACH": "WW1"}),
    Case("RTFX12", ME, {"FXDOSE": "0.01"}, {"FXDOSE": "0"}, {"FXSTAT": "NOT"}),
    Case("RTFX13", ME, {"FXDOSE": "8.01"}, {"FXDOSE": "8.00"}),
    Case("RTFX14", ME, {"FXDOSE": "3.10"}, {"FXDOSE": "3.09"}, GIVEN, (PLANNED,)),
    Case("RTFX14", ME, {"FXDOSE": "2.90"}, {"FXDOSE": "2.91"}, GIVEN, (PLANNED,)),
    Case("RTFX15", ME, {"FXDOSE": "0"}, {"FXDOSE": "0.01"}, {"FXSTAT": "PAR"}),
    Case("RTFX16", ME, {"FXPHYD": "3.00"}, {"FXPHYD": "2.99"}, {"FXDOSE": "3.00"}),
    Case(
        "RTFX17",
        ME,
        {"FXMUP": "1012"},
        {"FXMUP": "1010"},
        GIVEN | delivered({"BDMUP": "500"}, {"BDMUP": "500"}),
        (("RTPL PLN 1", PLAN | {"PLNBM": "2"}),),
    ),
    Case(
        "RTFX17",
        ME,
        {"FXSTAT": "CONT"},
        {"FXSTAT": "DEL"},
        {k: v for k, v in GIVEN.items() if k != "FXSTAT"} | {"FXMUP": "1000"} | delivered({"BDMUP": "500"}),
        (("RTPL PLN 1", PLAN | {"PLNBM": "2"}),),
    ),
    Case("RTFX18", ME, {"FXMUD": "1050.01"}, {"FXMUD": "1050"}, {"FXMUP": "1000"}),
    Case("RTFX19", ME, {"FXSHX": "30.1"}, {"FXSHX": "30.0"}),
    Case("RTFX20", ME, {"FXSHY": "-30.1"}, {"FXSHY": "-30.0"}),
    Case("RTFX21", ME, {"FXSHZ": "30.1"}, {"FXSHZ": "-30.0"}),
    Case(
        "RTFX22",
        ME,
        {"FXRSN": "AE"},
        {"FXRSN": "AE"},
        GIVEN | HALF,
        only_bad=(("AE LOG", ILL),),
        only_good=(("AE LOG", ILL | {"AESTDAT": "2027-03-02"}),),
    ),
    Case(
        "RTFX23",
        ME,
        GIVEN,
        GIVEN,
        others=(fx(1, FXNO="1", FXSTTIM="03:00", FXENTIM="03:30"),),
        only_good=(("RTINT LOG", {"RISTDAT": "2027-03-01", "RICOMP": "BID"}),),
    ),
    Case(
        "RTFX24",
        ME,
        {"FXSTTIM": "09:29"},
        {"FXSTTIM": "09:30"},
        {k: v for k, v in GIVEN.items() if k != "FXSTTIM"},
        (fx(1, FXNO="1", FXSTTIM="03:00", FXENTIM="03:30"),),
    ),
    Case("RTFX25", ME, {"FXDAT": "2027-03-05"}, {"FXDAT": "2027-03-04"}, GIVEN, (FIRST,)),
    Case("RTFX26", ME, {"FXOVR": "Y"}, {"FXOVR": "N"}),
    Case("RTFX27", ME, {"FXERR": "N"}, {"FXERR": "Y"}, GIVEN | {"FXDOSE": "6.00"}, (PLANNED,)),
    Case("RTFX28", ME, {"FXUID": "1.2"}, {"FXUID": "1.3"}, others=(fx(1, FXUID="1.2"),)),
    Case("RTFX29", ME, {"FXUID": "x"}, {"FXUID": "1.2.3"}),
    Case("RTBD01", ME, delivered({"BDNO": "1"}, {"BDNO": "1"}), delivered({"BDNO": "1"}, {"BDNO": "2"})),
    Case("RTBD02", ME, delivered({"BDNO": "3"}), delivered({"BDNO": "2"}), GIVEN, (TWO_BEAMS,)),
    Case("RTBD03", ME, delivered({"BDMUP": "500", "BDMUD": "515.01"}), delivered({"BDMUP": "500", "BDMUD": "515"})),
    Case("RTBD04", ME, delivered({"BDSTAT": "NOT", "BDMUD": "0.01"}), delivered({"BDSTAT": "NOT", "BDMUD": "0"})),
    Case(
        "RTBD05",
        ME,
        delivered({"BDNO": "1", "BDGAN": "91.1"}),
        delivered({"BDNO": "1", "BDGAN": "91.0"}),
        GIVEN,
        (TWO_BEAMS,),
    ),
    Case(
        "RTBD05",
        ME,
        delivered({"BDNO": "2", "BDGAN": "358.9"}),
        delivered({"BDNO": "2", "BDGAN": "359.0"}),
        GIVEN,
        (TWO_BEAMS,),
    ),
    Case(
        "RTBD06",
        ME,
        delivered({"BDNO": "1", "BDCOU": "1.1"}),
        delivered({"BDNO": "1", "BDCOU": "1.0"}),
        GIVEN,
        (TWO_BEAMS,),
    ),
    Case("RTINT01", "RTINT LOG", {"RISTDAT": "2027-02-26"}, {"RISTDAT": "2027-03-01"}, others=(FIRST,)),
    Case("RTINT01", "RTINT LOG", {"RISTDAT": "2027-04-01"}, {"RISTDAT": "2027-03-31"}, others=(FIRST, OVER)),
    Case(
        "RTINT02",
        "RTINT LOG",
        {"RISTDAT": "2027-03-01"},
        {"RISTDAT": "2027-03-02"},
        {"RIENDAT": "2027-03-02"},
        (FIRST,),
    ),
    Case("RTINT03", "RTINT LOG", {"RIENDAT": "2027-03-07"}, {"RIENDAT": "2027-03-08"}, {"RISTDAT": "2027-03-08"}),
    Case("RTINT04", "RTINT LOG", {}, {"RIENDAT": {"missing": "UNK"}}, {"RISTDAT": "2027-02-26"}, (FIRST,)),
    Case("RTINT04", "RTINT LOG", {"RISTDAT": "2027-02-28"}, {"RISTDAT": "2027-03-01"}, others=(FIRST,)),
    Case(
        "RTINT05",
        "RTINT LOG",
        MISSED | {"RIRSN": "ILL"},
        MISSED | {"RIRSN": "ILL"},
        only_bad=(("AE LOG", ILL | {"AESTDAT": "2027-03-11"}),),
        only_good=(("AE LOG", ILL | {"AESTDAT": "2027-03-10"}),),
    ),
    Case(
        "RTINT05",
        "RTINT LOG",
        MISSED | {"RIRSN": "ILL"},
        MISSED | {"RIRSN": "ILL"},
        only_bad=(("MH LOG", {"MHSTDAT": "2020", "MHONGO": "N", "MHENDAT": "2027-02"}),),
        only_good=(("MH LOG", {"MHSTDAT": "2020", "MHONGO": "Y"}),),
    ),
    Case("RTINT06", "RTINT LOG", MISSED | {"RIRSN": "OTH"}, MISSED | {"RIRSN": "POS"}),
    Case("RTINT06", "RTINT LOG", MISSED | {"RIRSN": "OTH"}, MISSED | {"RIRSN": "OTH"}, only_good=(DEVIATION,)),
    Case("RTINT07", "RTINT LOG", {"RIRSN": "BEAM"}, {"RIRSN": "MAINT"}, {"RIPLAN": "Y"}),
    Case("RTINT08", "RTINT LOG", {"RICALC": "N"}, {"RICALC": "Y"}, {"RICOMP": "DPF"}),
    Case("RTINT09", "RTINT LOG", {"RIENDAT": "2027-03-15"}, {"RIENDAT": "2027-03-12"}, {"RISTDAT": "2027-03-08"}),
    Case(
        "RTINT09",
        "RTINT LOG",
        MISSED | {"RIENDAT": "2027-03-15"},
        MISSED | {"RIENDAT": "2027-03-15"},
        only_good=(DEVIATION,),
    ),
    Case("RTEND01", "RTEND EOT", {"RTSTAT": "NSTART"}, {"RTSTAT": "DISC"}, others=(FIRST,)),
    Case("RTEND02", "RTEND EOT", {"RTSTAT": "COMP"}, {"RTSTAT": "COMPM"}, others=(PLANNED, FIRST, WBN)),
    Case(
        "RTEND02",
        "RTEND EOT",
        {"RTSTAT": "COMP"},
        {"RTSTAT": "COMP"},
        others=(PLANNED, FIRST),
        only_bad=(("RTRX PLN 1", BREAST | {"RXNFX": "2"}),),
        only_good=(("RTRX PLN 1", BREAST | {"RXNFX": "1"}),),
    ),
    Case("RTEND03", "RTEND EOT", {"RTDRSN": "AE"}, {"RTDRSN": "PT"}, {"RTSTAT": "DISC"}),
    Case(
        "RTEND03",
        "RTEND EOT",
        {"RTDRSN": "AE"},
        {"RTDRSN": "AE"},
        {"RTSTAT": "DISC"},
        only_good=(("AE LOG", {"AEACNRT": "DIS"}),),
    ),
    Case("RTEND04", "RTEND EOT", {"RTDECDT": TOMORROW}, {"RTDECDT": TODAY}, {"RTSTAT": "DISC"}),
    Case("RTEND05", "RTEND EOT", {"RTDECDT": "2027-02-28"}, {"RTDECDT": "2027-03-01"}, {"RTSTAT": "DISC"}, (FIRST,)),
    Case(
        "RTEND06",
        "RTEND EOT",
        {},
        {},
        {"RTSTAT": "COMP"},
        DOSED,
        only_bad=(fx(1, FXDOSE="9.49"),),
        only_good=(fx(1, FXDOSE="9.50"),),
    ),
    Case(
        "RTEND06",
        "RTEND EOT",
        {},
        {},
        {"RTSTAT": "COMP"},
        DOSED,
        only_bad=(fx(1, FXDOSE="10.51"),),
        only_good=(fx(1, FXDOSE="10.51"), DOSE_DEVIATION),
    ),
    Case(
        "RTEND07",
        "RTEND EOT",
        {},
        {},
        {"RTSTAT": "COMP"},
        DOSED,
        only_bad=(fx(1, FXDOSE="8.99"),),
        only_good=(fx(1, FXDOSE="9.00"),),
    ),
    Case(
        "RTEND07",
        "RTEND EOT",
        {},
        {},
        {"RTSTAT": "COMP"},
        DOSED,
        only_bad=(fx(1, FXDOSE="11.01"), DOSE_DEVIATION),
        only_good=(fx(1, FXDOSE="11.00"),),
    ),
    Case(
        "RTEND08",
        "RTEND EOT",
        {},
        {},
        {"RTSTAT": "COMP"},
        (PLANNED, FIRST, ("RTRX PLN 1", BREAST | {"RXNFX": "1"})),
        only_bad=(fx(2, FXDAT="2027-03-07"),),
        only_good=(fx(2, FXDAT="2027-03-06"),),
    ),
]  # fmt: skip
ELSEWHERE = {"RTBM02", "DVH06"}  # the tables of this version have every port and no limit: see the tests below


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{each.check}" for n, each in enumerate(CASES)])
def test_a_check_fires_beyond_its_limit_and_only_there(study, case):
    assert finds(study, case, bad=True)
    assert not finds(study, case, bad=False)


@pytest.mark.req("DAT-03")
def test_every_check_of_these_forms_has_a_case(study):
    written = {check.id for form in FORMS for item in study.forms[form].items for check in item.checks}
    assert {each for each in written if each[-2:] not in ("-H", "-S", "-P")} == {
        each.check for each in CASES
    } | ELSEWHERE


def test_a_port_that_the_machine_lacks_is_refused(study, monkeypatch):
    monkeypatch.setitem(study.tables["machines"].rows["LZ1"], "port_O45", "N")
    plan = beams({"BMDIR": "O45"}) | {"PLMACH": "LZ1"}
    found = {each.check_id: each.severity for each in verdict(study, at(study, "RTPL PLN 1", plan)).findings}
    assert found["RTBM02"] == "hard"
    other = beams({"BMDIR": "O45"}) | {"PLMACH": "WW1"}
    assert "RTBM02" not in {each.check_id for each in verdict(study, at(study, "RTPL PLN 1", other)).findings}


@pytest.mark.parametrize(("value", "met"), [("4.00", "Y"), ("4.01", "N")])
def test_a_protocol_limit_is_judged_once_it_is_in_the_table(study, monkeypatch, value, met):
    monkeypatch.setitem(study.tables["dvh"].rows["Heart.Dmean"], "limit", "4")
    seen = verdict(study, at(study, "DVH PLN", dose(Heart__Dmean=value)))
    row = seen.answers["DVHROWS"]["Heart.Dmean"]
    assert (row["DVLIM"], row["DVMETY"]) == ("4.00", met)
    assert ("DVH06" in {each.check_id for each in seen.findings}) is (met == "N")
