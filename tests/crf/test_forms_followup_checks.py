"""Every check of the forms OTV to SIGN at its limit (DAT-03)."""

from __future__ import annotations

import pytest
from screening import Case, finds, read

FORMS = (
    "OTV", "LTX", "AE", "AEG", "SAE", "COS", "PHO", "LE", "C30", "BR23", "FACT", "FU", "RSP", "BX", "REC", "SURG", "SS",
    "DV", "EOS", "DD", "SIGN",
)  # fmt: skip
TODAY, TOMORROW = "2028-06-01", "2028-06-02"
DERMATITIS, FATIGUE, FIBROSIS, TELANGIECTASIA, EDEMA = "10061103", "10016256", "10065798", "10043189", "10050068"
CONSENT = ("ICF LOG", {"ICFTYP": "INIT", "DSSTDAT": "2027-01-04"})
F1 = ("RTFX RTD 1", {"FXDAT": "2027-03-01", "FXDOSE": "3.00", "FXSTAT": "DEL"})
OVER = ("RTEND EOT", {"RTSTAT": "COMP", "RTSTDAT": "2027-03-01", "RTENDAT": "2027-03-31"})
STOPPED = ("RTEND EOT", {"RTSTAT": "DISC", "RTENDAT": "2027-03-31"})
DEAD = ("DD LOG", {"DTHDAT": "2028-02"})
LEFT = ("BCH SCR", {"BCLAT": "L", "HISTYP": "IDC"})
BEFORE = ("FU FU3M", {"FUDAT": "2027-07-01"})
NOW = {"FUDAT": "2027-10-01"}
EVENT = {"AECTCT": DERMATITIS, "AESTDAT": "2027-03-10", "AEONGO": "Y", "AEOUT": "RING"}


def graded(form: str, term: str, **cells: str) -> dict:
    """One row of a toxicity form."""
    return {"rows": {f"{form}ROWS": {term: cells}}}


def grades(*pairs: tuple[str, str]) -> dict:
    """A grade history."""
    return {"rows": {"AEG": {str(n): {"AGSTDAT": day, "AGGR": grade} for n, (day, grade) in enumerate(pairs, 1)}}}


def report(*cells: dict) -> dict:
    """Reports of a serious event."""
    return EVENT | {
        "AESER": "Y",
        "AESCRIT": ["HOSP"],
        "rows": {"SAE": {str(n): each for n, each in enumerate(cells, 1)}},
    }


def dlt(grade: str, **more: str) -> dict:
    """A related event from the ninth day on that reached a grade."""
    return EVENT | grades(("2027-03-10", grade)) | {"AERELRT": "PROB"} | more


TAPE = {"LEMETH": "TAPE"}
ARM = {
    "LEHNDA": "16.0",
    "LEFARA": "24.0",
    "LEUARA": "28.0",
    "LEHNDU": "16.0",
    "LEFARU": "24.0",
    "LEUARU": "28.0",
    "LEH1": "15.0",
    "LEH2": "20.0",
}
SCREENED = ("LE SCR", TAPE | ARM | {"LEVOLA": "1000.0", "LEVOLU": "1000.0", "LEDOM": "R"})
ALL_BR23 = {f"B{n}": "1" for n in range(31, 54) if n not in (35, 46)}
AWARE = {"SAEAWAR": "2027-03-12T08:00"}
PROGRESSED = (
    ("TL SCR", {"TLSOD": "10.0", "rows": {"TLROWS": {"1": {"TLID": "T01", "TLSTAT": "MEA", "TLDIA": "10.0"}}}}),
    (
        "TL FU3M",
        {
            "TLSOD": "15.0",
            "TLNAD": "10.0",
            "rows": {"TLROWS": {"1": {"TLID": "T01", "TLSTAT": "MEA", "TLDIA": "15.0", "TLDAT": "2027-07-01"}}},
        },
    ),
    OVER,
)

CASES = [
    Case("OTV01", "OTV OTV", {"OTDAT": TOMORROW}, {"OTDAT": TODAY}),
    Case("OTV02", "OTV OTV", graded("OTV", DERMATITIS, OTGR="1"), graded("OTV", DERMATITIS, OTGR="0")),
    Case(
        "OTV02", "OTV OTV", graded("OTV", DERMATITIS, OTGR="1"), graded("OTV", DERMATITIS, OTGR="1", OTAEREF="LOG/AE/1")
    ),
    Case(
        "OTV03",
        "OTV OTV",
        graded("OTV", DERMATITIS, OTGR="1", OTAEREF="LOG/AE/1"),
        graded("OTV", DERMATITIS, OTGR="1", OTAEREF="LOG/AE/2"),
        others=(("AE LOG 1", {"AECTCT": FATIGUE}), ("AE LOG 2", {"AECTCT": DERMATITIS})),
    ),
    Case("OTV04", "OTV OTV", {"OTWK": "1"}, {"OTWK": "2"}, {"OTDAT": "2027-03-08"}, (F1,)),
    Case("OTV05", "OTV OTV", {"OTDAT": "2027-03-09"}, {"OTDAT": "2027-03-08"}, others=(F1,)),
    Case("LTX01", "LTX FU3M", {"LTDAT": TOMORROW}, {"LTDAT": TODAY}),
    Case(
        "LTX02",
        "LTX FU3M",
        graded("LTX", FIBROSIS, LTGR="2"),
        graded("LTX", FIBROSIS, LTGR="1"),
        others=(("LTX SCR", graded("LTX", FIBROSIS, LTGR="1")),),
    ),
    Case(
        "LTX02",
        "LTX FU3M",
        graded("LTX", FIBROSIS, LTGR="2"),
        graded("LTX", FIBROSIS, LTGR="2", LTAEREF={"missing": "NAV"}),
    ),
    Case(
        "LTX03",
        "LTX FU3M",
        graded("LTX", FIBROSIS, LTGR="1", LTAEREF="LOG/AE/1"),
        graded("LTX", FIBROSIS, LTGR="1", LTAEREF="LOG/AE/2"),
        others=(("AE LOG 1", {"AECTCT": FATIGUE}), ("AE LOG 2", {"AECTCT": FIBROSIS})),
    ),
    Case(
        "LTX04",
        "LTX FU3M",
        graded("LTX", FIBROSIS, LTGR="1", LTTRT="Y", LTAEREF="LOG/AE/1"),
        graded("LTX", FIBROSIS, LTGR="1", LTTRT="Y", LTAEREF="LOG/AE/2"),
        others=(("CM LOG", {"CMAESEQ": "LOG/AE/2"}),),
    ),
    Case("AE01", "AE LOG", {"AETERM": "nausea and vomiting"}, {"AETERM": "headache"}),
    Case("AE01", "AE LOG", {"AETERM": "恶心、呕吐"}, {"AETERM": "放射性皮炎"}),
    Case("AE02", "AE LOG", {"AESTDAT": TOMORROW}, {"AESTDAT": "2028-06"}),
    Case("AE03", "AE LOG", {"AESTDAT": "2026-12"}, {"AESTDAT": "2027-01"}, others=(CONSENT,)),
    Case("AE05", "AE LOG", {"AEENDAT": "2027-02"}, {"AEENDAT": "2027-03"}, EVENT | {"AEONGO": "N"}),
    Case("AE06", "AE LOG", {"AEENDAT": TOMORROW}, {"AEENDAT": TODAY}, {"AEONGO": "N"}),
    Case("AE07", "AE LOG", {"AEENDAT": "2028-03-01"}, {"AEENDAT": "2028-02-29"}, {"AEONGO": "N"}, (DEAD,)),
    Case("AE08", "AE LOG", EVENT, EVENT | grades(("2027-03-10", "1"))),
    Case("AE09", "AE LOG", {"AESER": "Y"}, report({"SAERTYP": "INI"})),
    Case(
        "AE10",
        "AE LOG",
        {"AESCRIT": ["HOSP"]},
        {"AESCRIT": ["HOSP", "LT"]},
        {"AESER": "Y"} | grades(("2027-03-10", "4")),
    ),
    Case(
        "AE11", "AE LOG", EVENT, EVENT | {"AERELST": "UNR"}, others=(("ST LOG", {"STSTDAT": "2027-02", "STONGO": "Y"}),)
    ),
    Case(
        "AE11",
        "AE LOG",
        EVENT,
        EVENT,
        only_bad=(("ST LOG", {"STSTDAT": "2027-02", "STONGO": "N", "STENDAT": "2027-03"}),),
        only_good=(("ST LOG", {"STSTDAT": "2027-01", "STONGO": "N", "STENDAT": "2027-02"}),),
    ),
    Case("AE12", "AE LOG", {"AEACNRT": "NONE"}, {"AEACNRT": "NA"}, {"AESTDAT": "2027-04-01"}, (OVER,)),
    Case("AE12", "AE LOG", {"AESTDAT": "2027-04-01"}, {"AESTDAT": "2027-03-31"}, {"AEACNRT": "INT"}, (OVER,)),
    Case("AE13", "AE LOG", {"AEACNRT": "DIS"}, {"AEACNRT": "DIS"}, only_bad=(OVER,), only_good=(STOPPED,)),
    Case("AE14", "AE LOG", {"AEACNRT": "DIS"}, {"AEACNRT": "DIS"}, only_good=(STOPPED,)),
    Case("AE15", "AE LOG", {"AEONGO": "Y"}, {"AEONGO": "N", "AEENDAT": "2027-04"}, {"AEOUT": "RES"}),
    Case("AE15", "AE LOG", {"AEONGO": "N"}, {"AEONGO": "N", "AEENDAT": {"missing": "UNK"}}, {"AEOUT": "RES"}),
    Case("AE16", "AE LOG", {"AEONGO": "N"}, {"AEONGO": "Y"}, {"AEOUT": "NRES"}),
    Case(
        "AE17", "AE LOG", dlt("3", AEDLT="N", AECTCT="10035742"), dlt("3", AEDLT="Y", AECTCT="10035742"), others=(F1,)
    ),
    Case(
        "AE17", "AE LOG", dlt("2", AEDLT="Y", AECTCT="10035742"), dlt("2", AEDLT="N", AECTCT="10035742"), others=(F1,)
    ),
    Case(
        "AE17", "AE LOG", dlt("3", AEDLT="Y", AECTCT="10002272"), dlt("3", AEDLT="N", AECTCT="10002272"), others=(F1,)
    ),
    Case(
        "AE17", "AE LOG", dlt("4", AEDLT="Y", AECTCT="10029366"), dlt("4", AEDLT="N", AECTCT="10029366"), others=(F1,)
    ),
    Case(
        "AE17",
        "AE LOG",
        dlt("3", AEDLT="Y", AECTCT="10035742", AERELRT="UNL"),
        dlt("3", AEDLT="N", AECTCT="10035742", AERELRT="UNL"),
        others=(F1,),
    ),
    Case(
        "AE17",
        "AE LOG",
        dlt("3", AEDLT="N", AECTCT="10035742", AESTDAT="2027-05-30"),
        dlt("3", AEDLT="N", AECTCT="10035742", AESTDAT="2027-05-31"),
        others=(F1,),
    ),
    Case(
        "AE17",
        "AE LOG",
        dlt("3", AEDLT="N", AEONGO="N", AEENDAT="2027-04-08"),
        dlt("3", AEDLT="N", AEONGO="N", AEENDAT="2027-04-07"),
        others=(F1,),
    ),
    Case(
        "AE17",
        "AE LOG",
        dlt("3", AEDLT="N") | grades(("2027-03-10", "3"), ("2027-04-08", "2")),
        dlt("3", AEDLT="N") | grades(("2027-03-10", "3"), ("2027-04-07", "2")),
        others=(F1,),
    ),
    Case(
        "AE17",
        "AE LOG",
        dlt("3", AEDLT="N", AECTCT=FATIGUE, AEONGO="N", AEENDAT="2027-03-18"),
        dlt("3", AEDLT="N", AECTCT=FATIGUE, AEONGO="N", AEENDAT="2027-03-17"),
        others=(F1,),
    ),
    Case("AEG01", "AE LOG", grades(("2027-03-11", "1")), grades(("2027-03-10", "1")), EVENT),
    Case("AEG01", "AE LOG", grades(("2027-04", "1")), grades(("2027-03", "1")), EVENT),
    Case(
        "AEG02",
        "AE LOG",
        grades(("2027-03-10", "1"), ("2027-03-10", "2")),
        grades(("2027-03-10", "1"), ("2027-03-11", "2")),
        EVENT,
    ),
    Case(
        "AEG03",
        "AE LOG",
        grades(("2027-03-10", "1"), ("2027-04-02", "2")),
        grades(("2027-03-10", "1"), ("2027-04-01", "2")),
        EVENT | {"AEONGO": "N", "AEENDAT": "2027-04-01"},
    ),
    Case("AEG04", "AE LOG", grades((TOMORROW, "1")), grades((TODAY, "1"))),
    Case(
        "AEG05",
        "AE LOG",
        grades(("2027-03-10", "1"), ("2027-03-20", "2"), ("2027-03-30", "2")),
        grades(("2027-03-10", "1"), ("2027-03-20", "2"), ("2027-03-30", "1")),
        EVENT,
    ),
    Case("SAE01", "AE LOG", report({"SAERTYP": "FU"}), report({"SAERTYP": "INI"}, {"SAERTYP": "FU"})),
    Case("SAE01", "AE LOG", report({"SAERTYP": "INI"}, {"SAERTYP": "INI"}), report({"SAERTYP": "INI"})),
    Case(
        "SAE02",
        "AE LOG",
        report({"SAERTYP": "INI"}, {"SAERTYP": "FIN"}, {"SAERTYP": "FU"}),
        report({"SAERTYP": "INI"}, {"SAERTYP": "FU"}, {"SAERTYP": "FIN"}),
    ),
    Case("SAE03", "AE LOG", report({"SAEAWAR": "2027-03-09T23:59"}), report({"SAEAWAR": "2027-03-10T00:00"})),
    Case("SAE04", "AE LOG", report({"SAEAWAR": f"{TOMORROW}T00:00"}), report({"SAEAWAR": f"{TODAY}T23:00"})),
    Case(
        "SAE05",
        "AE LOG",
        report(AWARE | {"SAERPT": "2027-03-12T07:59"}),
        report(AWARE | {"SAERPT": "2027-03-12T08:00"}),
    ),
    Case("SAE06", "AE LOG", report({"SAERPT": f"{TOMORROW}T00:00"}), report({"SAERPT": f"{TODAY}T23:00"})),
    Case(
        "SAE07",
        "AE LOG",
        report(AWARE | {"SAERPT": "2027-03-13T08:01"}),
        report(AWARE | {"SAERPT": "2027-03-13T08:00"}),
    ),
    Case(
        "SAE07",
        "AE LOG",
        report(AWARE | {"SAERPT": "2027-03-14T08:00"}),
        report(AWARE | {"SAERPT": "2027-03-14T08:00"}),
        only_good=(("DV LOG", {"DVCAT": "SAE", "DVSTDAT": "2027-03-13"}),),
    ),
    Case(
        "SAE08",
        "AE LOG",
        report({"SAEHOSP": "2027-03-12", "SAEDIS": "2027-03-11"}),
        report({"SAEHOSP": "2027-03-12", "SAEDIS": "2027-03-12"}),
    ),
    Case("SAE09", "AE LOG", report(AWARE | {"SAEEC": "2027-03-11"}), report(AWARE | {"SAEEC": "2027-03-12"})),
    Case("SAE10", "AE LOG", report(AWARE | {"SAEAUT": TOMORROW}), report(AWARE | {"SAEAUT": TODAY})),
    Case("COS01", "COS FU3M", {"CODAT": TOMORROW}, {"CODAT": TODAY}),
    Case(
        "COS02",
        "COS FU3M",
        {"CODAT": "2027-06-30"},
        {"CODAT": "2027-07-01"},
        others=(("PHO FU3M", {"PHDAT": "2027-07-01"}),),
    ),
    Case("COS03", "COS FU3M 2", {"CORATR": "PHY"}, {"CORATR": "NUR"}, others=(("COS FU3M 1", {"CORATR": "PHY"}),)),
    Case(
        "COS04",
        "COS FU3M",
        {"COTEL": "1"},
        {"COTEL": "3"},
        others=(("LTX FU3M", graded("LTX", TELANGIECTASIA, LTGR="1")),),
    ),
    Case(
        "COS04",
        "COS FU3M",
        {"COTEL": "4"},
        {"COTEL": "2"},
        others=(("LTX FU3M", graded("LTX", TELANGIECTASIA, LTGR="0")),),
    ),
    Case(
        "COS05",
        "COS FU3M",
        {"COBCCT": "2"},
        {"COBCCT": "2"},
        only_bad=(("PHO FU3M", {"PHVIEW": "FU"}),),
        only_good=(("PHO FU3M", {"PHVIEW": "FD"}),),
    ),
    Case("PHO01", "PHO FU3M", {"PHDAT": TOMORROW}, {"PHDAT": TODAY}),
    Case(
        "PHO02",
        "PHO FU3M 1",
        {"PHVIEW": "FD"},
        {"PHVIEW": "FD"},
        only_bad=(("PHO FU3M 2", {"PHVIEW": "LL"}),),
        only_good=(("PHO FU3M 2", {"PHVIEW": "FU"}),),
    ),
    Case("PHO03", "PHO FU3M 2", {"PHVIEW": "FD"}, {"PHVIEW": "FU"}, others=(("PHO FU3M 1", {"PHVIEW": "FD"}),)),
    Case("PHO04", "PHO FU3M", {"PHMASK": "N"}, {"PHMASK": "Y"}),
    Case("LE01", "LE FU3M", {"LEDAT": TOMORROW}, {"LEDAT": TODAY}),
    Case("LE02", "LE FU3M", {"LEMETH": "WATER"}, {"LEMETH": "TAPE"}, others=(SCREENED,)),
    Case("LE03", "LE FU3M", {"LEDOM": "L"}, {"LEDOM": "R"}, others=(SCREENED,)),
    # Against 1000 mL on both sides at screening: 10% and 5% more than the other arm.
    Case(
        "LE04",
        "LE FU3M",
        {"LEHNDA": "16.9", "LEFARA": "25.3", "LEUARA": "29.5"},
        {"LEHNDA": "16.7", "LEFARA": "25.1", "LEUARA": "29.2"},
        TAPE | ARM,
        (LEFT, SCREENED),
    ),
    Case(
        "LE05",
        "LE FU3M",
        {"LEHNDA": "16.5", "LEFARA": "24.7", "LEUARA": "28.8"},
        {"LEHNDA": "16.3", "LEFARA": "24.5", "LEUARA": "28.6"},
        TAPE | ARM,
        (LEFT, SCREENED),
    ),
    Case(
        "LE06",
        "LE FU3M",
        TAPE | ARM,
        TAPE | ARM,
        others=(LEFT,),
        only_bad=(("LTX FU3M", graded("LTX", EDEMA, LTGR="1")),),
        only_good=(("LTX FU3M", graded("LTX", EDEMA, LTGR="0")),),
    ),
    Case("C3001", "C30 FU3M", {"QSDAT": TOMORROW}, {"QSDAT": TODAY}),
    Case("C3002", "C30 FU3M", {"QSMOD": "PROXY"}, {"QSMOD": "INT"}),
    Case("BR2301", "BR23 FU3M", {"BRVER": "BR45"}, {"BRVER": "BR23"}),
    Case("BR2302", "BR23 FU3M", {"B31": "1"}, ALL_BR23),
    Case("BR2302", "BR23 FU3M", ALL_BR23 | {"B34": "2"}, ALL_BR23 | {"B34": "2", "B35": "1"}),
    Case("BR2302", "BR23 FU3M", ALL_BR23 | {"B45": "2"}, ALL_BR23 | {"B45": "2", "B46": {"missing": "NASK"}}),
    Case("FU01", "FU FU6M", {"FUDAT": TOMORROW}, {"FUDAT": TODAY}),
    Case("FU02", "FU FU6M", {"FUDAT": "2027-06-30"}, {"FUDAT": "2027-07-01"}, others=(BEFORE,)),
    Case("FU03", "FU FU6M", {"FUVIT": "DEAD"}, {"FUVIT": "ALIVE"}),
    Case("FU03", "FU FU6M", {"FUVIT": "DEAD"}, {"FUVIT": "DEAD"}, only_good=(DEAD,)),
    Case(
        "FU04",
        "FU FU6M",
        NOW | {"FUDIS": "LRR"},
        NOW | {"FUDIS": "LRR"},
        only_bad=(("REC LOG", {"RECTYP": "DIS", "RECDAT": "2027-09-30"}),),
        only_good=(("REC LOG", {"RECTYP": "REG", "RECDAT": "2027-09-30"}),),
    ),
    Case(
        "FU05",
        "FU FU6M",
        NOW | {"FUBRP": "N"},
        NOW | {"FUBRP": "N"},
        only_bad=(("SURG LOG", {"SUTYP": ["LUMP"], "SUDAT": "2027-09-01"}),),
        only_good=(("SURG LOG", {"SUTYP": ["MRM"], "SUDAT": "2027-09-01"}),),
    ),
    Case(
        "FU06",
        "FU FU6M",
        NOW | {"FUNEWT": "Y"},
        NOW | {"FUNEWT": "Y"},
        others=(BEFORE,),
        only_bad=(("ST LOG", {"STSTDAT": "2027-06"}),),
        only_good=(("ST LOG", {"STSTDAT": "2027-07"}),),
    ),
    Case(
        "FU07",
        "FU FU6M",
        NOW | {"FUAE": "Y"},
        NOW | {"FUAE": "Y"},
        others=(BEFORE,),
        only_bad=(("AE LOG", {"AESTDAT": "2027-06-30"}),),
        only_good=(("AE LOG", {"AESTDAT": "2027-07-01"}),),
    ),
    Case(
        "FU07",
        "FU FU6M",
        NOW | {"FUAE": "Y"},
        NOW | {"FUAE": "Y"},
        others=(BEFORE,),
        only_bad=(("AE LOG", {"AESTDAT": "2027-03"} | grades(("2027-03", "1"))),),
        only_good=(("AE LOG", {"AESTDAT": "2027-03"} | grades(("2027-03", "1"), ("2027-08", "2"))),),
    ),
    Case("FU08", "FU FU6M", {"FUNEXT": "2027-10-01"}, {"FUNEXT": "2027-10-02"}, NOW),
    Case("FU09", "FU FU1M", {"FUNEXT": "2027-06-15"}, {"FUNEXT": "2027-06-16"}, others=(OVER,)),
    Case("FU09", "FU FU3M", {"FUNEXT": "2027-10-22"}, {"FUNEXT": "2027-10-21"}, others=(OVER,)),
    Case("FU09", "FU FU6M", {"FUNEXT": "2028-05-01"}, {"FUNEXT": "2028-04-30"}, others=(OVER,)),
    Case("FU09", "FU FU60M", {"FUNEXT": "2032-08-15"}, {"FUNEXT": "2032-08-16"}, others=(OVER,)),
    Case("RSP01", "RSP FU6M", {"RSPCCR": "CCR"}, {"RSPCCR": "NE"}),
    Case(
        "RSP01",
        "RSP FU6M",
        {"RSPCCR": "CCR"},
        {"RSPCCR": "CCR"},
        only_bad=(("IM FU6M", {"IMMOD": "US"}),),
        only_good=(("IM FU6M", {"IMMOD": "MRI"}),),
    ),
    Case(
        "RSP02",
        "RSP FU6M",
        {"RSPCCR": "CCR"},
        {"RSPCCR": "CCR"},
        others=(("IM FU6M", {"IMMOD": "MRI", "IMDAT": "2027-10-01"}),),
        only_bad=(("BX LOG", {"BXPDAT": "2027-10-05", "BXPRES": "INV"}),),
        only_good=(("BX LOG", {"BXPDAT": "2027-10-05", "BXPRES": "NEG"}),),
    ),
    Case(
        "RSP03",
        "RSP FU3M",
        {"RSPUNC": "Y"},
        {"RSPUNC": "Y"},
        others=PROGRESSED,
        only_bad=(("IM FU6M", {"IMDAT": "2027-07-28"}),),
        only_good=(("IM FU6M", {"IMDAT": "2027-07-29"}),),
    ),
    Case(
        "RSP03",
        "RSP FU3M",
        {"RSPUNC": "Y"},
        {"RSPUNC": "Y"},
        others=PROGRESSED,
        only_bad=(("IM FU6M", {"IMDAT": "2027-09-24"}),),
        only_good=(("IM FU6M", {"IMDAT": "2027-09-23"}),),
    ),
    Case("BX01", "BX LOG", {"BXPDAT": TOMORROW}, {"BXPDAT": TODAY}),
    Case("BX02", "BX LOG", {"BXPDAT": "2027-03-31"}, {"BXPDAT": "2027-04-01"}, others=(OVER,)),
    Case(
        "BX03",
        "BX LOG",
        {"BXPDAT": "2027-04-01"},
        {"BXPDAT": "2027-03-31"},
        {"BXPRES": "INV"},
        (("RTEND EOT", {"RTENDAT": "2025-03-31"}),),
    ),
    Case("REC01", "REC LOG", {"RECDAT": TOMORROW}, {"RECDAT": TODAY}),
    Case("REC02", "REC LOG", {"RECDAT": "2027-03-01"}, {"RECDAT": "2027-03-02"}, others=(F1,)),
    Case("REC03", "REC LOG", {"RECDAT": "2028-03-01"}, {"RECDAT": "2028-02-29"}, others=(DEAD,)),
    Case(
        "REC04",
        "REC LOG",
        {"RECLAT": "R"},
        {"RECLAT": "L"},
        {"RECTYP": "LOC"},
        (("RTRX PLN", {"RXCRS": "1", "RXLAT": "L"}),),
    ),
    Case("REC05", "REC LOG", {"RECCNF": "IMG"}, {"RECCNF": "CYT"}, {"RECTYP": "LOC"}),
    Case("REC06", "REC LOG", {"RECPAT": "Y"}, {"RECPAT": "N"}, {"RECDAT": "2028-01-01"}),
    Case(
        "REC06",
        "REC LOG",
        {"RECPAT": "Y"},
        {"RECPAT": "Y"},
        {"RECDAT": "2028-01-01"},
        only_bad=(("BM SCR", {"BMDAT": "2027-01-01"}),),
        only_good=(("BM UNS", {"BMDAT": "2028-01-10"}),),
    ),
    Case("SURG01", "SURG LOG", {"SUDAT": TOMORROW}, {"SUDAT": TODAY}),
    Case("SURG02", "SURG LOG", {"SUDAT": "2027-03-01"}, {"SUDAT": "2027-03-02"}, others=(F1,)),
    Case(
        "SURG03",
        "SURG LOG",
        {"SURSN": "LR"},
        {"SURSN": "RR"},
        {"SUDAT": "2028-01-01"},
        (("REC LOG", {"RECTYP": "REG", "RECDAT": "2027-12-01"}),),
    ),
    Case(
        "SURG04",
        "SURG LOG",
        {"SURSN": "TOX"},
        {"SURSN": "TOX"},
        {"SUDAT": "2028-01-01"},
        only_bad=(("AE LOG", EVENT | {"AERELRT": "UNL"}),),
        only_good=(("AE LOG", EVENT | {"AERELRT": "POSS"}),),
    ),
    Case("SURG05", "SURG LOG", {"SUPATH": "Y"}, {"SUPATH": "N"}, {"SUDAT": "2028-01-01"}),
    Case("SURG06", "SURG LOG", {"SUCOMP": "6"}, {"SUCOMP": "IIIb"}),
    Case("SS01", "SS FU3M", {"SSDAT": TOMORROW}, {"SSDAT": TODAY}),
    Case("SS02", "SS FU3M", {"SSVIT": "DEAD"}, {"SSVIT": "DEAD"}, only_good=(DEAD,)),
    Case("SS03", "SS FU3M", {"SSTRY": "2"}, {"SSTRY": "3"}, {"SSVIT": "UNK"}),
    Case("DV01", "DV LOG", {"DVSTDAT": TOMORROW}, {"DVSTDAT": TODAY}),
    Case("DV02", "DV LOG", {"DVSEV": "CRI"}, {"DVSEV": "MAJ"}),
    Case("DV03", "DV LOG", {"DVEC": "2027-04-30"}, {"DVEC": "2027-05-01"}, {"DVSTDAT": "2027-05-01", "DVSEV": "MAJ"}),
    Case("EOS01", "EOS LOG", {"EOSRS": "DTH"}, {"EOSRS": "DTH"}, only_good=(DEAD,)),
    Case(
        "EOS02",
        "EOS LOG",
        {"EOSRS": "LTF"},
        {"EOSRS": "LTF"},
        only_bad=(("SS LOG", {"SSVIT": "UNK", "SSTRY": "2"}),),
        only_good=(("SS LOG", {"SSVIT": "UNK", "SSTRY": "3"}),),
    ),
    Case("EOS03", "EOS LOG", {"EOSDAT": TOMORROW}, {"EOSDAT": TODAY}),
    Case("EOS04", "EOS LOG", {"EOSDAT": "2027-06-30"}, {"EOSDAT": "2027-07-01"}, {"EOSRS": "LTF"}, (BEFORE,)),
    Case("DD01", "DD LOG", {"DTHDAT": TOMORROW}, {"DTHDAT": "2028-06"}),
    Case(
        "DD02", "DD LOG", {"DTHDAT": "2027-06"}, {"DTHDAT": "2027-07"}, others=(("SS FU3M", {"SSLKA": "2027-07-01"}),)
    ),
    Case("DD03", "DD LOG", {"DTHSPEC": "breast cancer"}, {"DTHSPEC": "breast cancer C50.9"}, {"DTHCAUS": "BC"}),
    Case("SIGN01", "SIGN LOG", {"SGLEV": "PAGE"}, {"SGLEV": "VISIT"}),
]  # fmt: skip


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
    written |= {check.id for form in FORMS for check in study.forms[form].checks}
    assert {each for each in written if each[-2:] not in ("-H", "-S", "-P")} == {each.check for each in CASES}
