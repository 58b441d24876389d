"""Every range of the forms RTRX to SIGN at its limits, and what is asked when (DAT-03)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from screening import at, read, verdict

FORMS = (
    "RTRX", "RTSIM", "RTPL", "RTBM", "DVH", "RTFX", "RTBD", "RTINT", "RTEND", "OTV", "LTX", "AE", "AEG", "SAE", "COS",
    "PHO", "LE", "C30", "BR23", "FACT", "FU", "RSP", "BX", "REC", "SURG", "SS", "DV", "EOS", "DD", "SIGN",
)  # fmt: skip
CIRCUMFERENCES = {"LEHND": ("8", "35"), "LEFAR": ("12", "50"), "LEUAR": ("15", "65")}
RANGES = {
    # item: hard low, hard high, soft low, soft high
    "RXCRS": ("1", None, None, None), "RXDOSE": ("0", None, None, None), "RXNFX": ("1", None, "1", "40"),
    "RXDPF": ("0", None, None, None), "RXFPW": ("1", None, "1", "7"), "SIMAMP": ("0", None, "0", "40"),
    "SIMTHK": ("0", None, "0.5", "5"), "PLNBM": ("1", None, "1", "8"), "PLNFX": ("0", None, None, None),
    "PLDPF": ("0", None, None, None), "PLQA": ("0", "100", None, None), "BMNO": ("1", None, None, None),
    "BMGAN": ("0", "359.9", None, None), "BMCOU": ("0", "359.9", None, None), "BMENLO": ("0", None, None, None),
    "BMLAY": ("1", None, "1", "200"), "BMDOSE": ("0", None, None, None), "DVVAL": ("0", None, None, None),
    "DVCI": ("0", None, "0", "2"), "DVHI": ("0", None, "0", "1"), "DVLET": ("0", None, "5", "200"),
    "FXNO": ("1", None, None, None), "FXDOSE": ("0", "20", None, None), "FXPHYD": ("0", None, "0.1", "5"),
    "FXMUP": ("0", None, None, None), "FXMUD": ("0", None, None, None), "FXSHX": (None, None, "-10", "10"),
    "FXSHY": (None, None, "-10", "10"), "FXSHZ": (None, None, "-10", "10"), "BDNO": ("1", None, None, None),
    "BDMUP": ("0", None, None, None), "BDMUD": ("0", None, None, None), "BDGAN": ("0", "359.9", None, None),
    "BDCOU": ("0", "359.9", None, None), "BDTIM": ("0", None, "1", "1800"), "RIADDFX": ("0", None, "0", "5"),
    "OTWK": ("1", None, None, None), "OTAREA": ("0", None, "0", "1500"), "COPBRA": ("0", None, "0", "1"),
    **{f"{name}{side}": ("0", None, *soft) for name, soft in CIRCUMFERENCES.items() for side in "AU"},
    "LEH1": ("0", None, "2", "30"), "LEH2": ("0", None, "5", "40"), "BXPCOR": ("1", None, "1", "30"),
    "RECDOS": ("0", None, "0", "90"), "SSTRY": ("0", None, None, None),
    **{f"Q{n:02}": ("1", "4" if n < 29 else "7", None, None) for n in range(1, 31)},
    **{f"B{n}": ("1", "4", None, None) for n in range(31, 54)},
}  # fmt: skip
FACT = ("0", "4", None, None)
DERIVED = {"LEVOLA", "LEVOLU"}  # soft, below: derived from circumferences
ROW = {"DVH": "PTV_Boost.D95", "OTV": "10061103", "RTBM": "1", "RTBD": "1"}
SHOWN_WITH: dict[str, dict[str, Any]] = {
    "DVCI": {"DVVAL": "1"}, "DVHI": {"DVVAL": "1"}, "DVLET": {"DVVAL": "1"}, "RIADDFX": {"RICOMP": "ADDF"},
    "OTAREA": {"OTGR": "1"}, "LEH1": {"LEMETH": "TAPE"}, "LEH2": {"LEMETH": "TAPE"}, "SSTRY": {"SSVIT": "UNK"},
}  # fmt: skip


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def findings(study, item: str, value: str) -> set[str]:
    """The checks that find something when an item has a value."""
    definition = study.items[item]
    cells = SHOWN_WITH.get(item, {}) | {item: value}
    parent = study.forms[definition.form_id].under or definition.form_id
    event = {"OTV": "OTV", "AE": "LOG"}.get(parent, "FU6M")
    group = next(each for each in study.forms[definition.form_id].groups if each.id == definition.group_id)
    row = "GTVp.Dmean" if item == "DVLET" else ROW.get(definition.form_id)
    answers = {"rows": {group.id: {row: cells}}} if group.repeats or study.forms[definition.form_id].under else cells
    return {each.check_id for each in verdict(study, at(study, f"{parent} {event}", answers)).findings}


@pytest.mark.req("DAT-03")
@pytest.mark.parametrize("item", RANGES)
def test_a_range_holds_at_its_limits_and_not_one_step_beyond(study, item):
    hard_low, hard_high, soft_low, soft_high = RANGES[item]
    step = Decimal(1).scaleb(-(study.items[item].digits or 0))
    for letter, low, high in (("H", hard_low, hard_high), ("S", soft_low, soft_high)):
        for limit, outward in ((low, -step), (high, step)):
            if limit is not None:
                assert f"{item}-{letter}" not in findings(study, item, limit)
                assert f"{item}-{letter}" in findings(study, item, str(Decimal(limit) + outward))


@pytest.mark.req("DAT-03")
def test_fact_answers_run_from_0_to_4(study):
    for item in (each for each in study.forms["FACT"].items if each.derive is None):
        assert f"{item.id}-H" not in findings(study, item.id, "0") | findings(study, item.id, "4")
        assert f"{item.id}-H" in findings(study, item.id, "-1") & findings(study, item.id, "5")


@pytest.mark.req("DAT-03")
def test_no_range_is_left_untried(study):
    items = [item for form in FORMS for item in study.forms[form].items if item.family != "FBITM"]
    ranged = {each.id for each in items if each.hard_range or each.soft_range or each.protected_range}
    assert ranged == set(RANGES) | DERIVED


def test_an_arm_of_less_than_half_a_litre_is_asked_about(study):
    small = dict.fromkeys(("LEHNDA", "LEFARA", "LEUARA"), "15.0") | {"LEMETH": "TAPE", "LEH1": "10.0", "LEH2": "10.0"}
    assert "LEVOLA-S" in {each.check_id for each in verdict(study, at(study, "LE FU6M", small)).findings}


ASKED = [
    ("RTPL PLN 2", {"PLPH": "WBN"}, (("RTPL PLN 1", {"PLPH": "WBN"}),), "PLREA", True),
    ("RTPL PLN 2", {"PLPH": "BST"}, (("RTPL PLN 1", {"PLPH": "WBN"}),), "PLREA", False),
    ("RTFX RTD", {"FXSTAT": "DEL", "FXTERM": "NORMAL"}, (), "FXRSN", False),
    ("RTFX RTD", {"FXSTAT": "DEL", "FXTERM": "MACHINE"}, (), "FXRSN", True),
    ("RTFX RTD", {"FXSTAT": "PAR"}, (), "FXRSN", True),
    ("RTINT LOG", {"RICOMP": "ADDF"}, (), "RICALC", True),
    ("RTINT LOG", {"RICOMP": "EXT"}, (), "RICALC", False),
    ("RTEND EOT", {"RTSTAT": "NSTART"}, (), "RTDECDT", True),
    ("RTEND EOT", {"RTSTAT": "COMP"}, (), "RTDECDT", False),
    ("RTEND EOT", {"RTSTAT": "NSTART"}, (), "RTDRSN", False),
    ("AE LOG", {"AECTCT": "10005329"}, (), "AEOTHS", True),
    ("AE LOG", {"AECTCT": "10061103"}, (), "AEOTHS", False),
    ("AE LOG", {"AESTDAT": "2027-03-01"}, (("RTFX RTD", {"FXDAT": "2027-03-01"}),), "AESTTIM", True),
    ("AE LOG", {"AESTDAT": "2027-03"}, (("RTFX RTD", {"FXDAT": "2027-03-01"}),), "AESTTIM", False),
    ("AE LOG", {"AETERM": "x"}, (("ST LOG", {"STTYP": "ENDO"}),), "AERELST", True),
    ("AE LOG", {"AETERM": "x"}, (), "AEACNST", False),
    ("REC LOG", {"RECTYP": "DIS"}, (), "RECLAT", False),
    ("REC LOG", {"RECTYP": "CBC"}, (), "RECLAT", True),
    ("REC LOG", {"RECTYP": "REG"}, (), "RECFLD", True),
    ("DV LOG", {"DVSEV": "MIN"}, (), "DVCAPA", False),
    ("DV LOG", {"DVSEV": "CRI"}, (), "DVEC", True),
    ("EOS LOG", {"EOSRS": "WDC"}, (), "EOSWDS", True),
    ("EOS LOG", {"EOSRS": "LTF"}, (), "EOSWDS", False),
    ("DD LOG", {"DTHCAUS": "UNK"}, (), "DTHSPEC", False),
    ("SS LOG", {"SSVIT": "ALIVE"}, (), "SSTRY", False),
]


@pytest.mark.parametrize(
    ("place", "answers", "others", "item", "asked"), ASKED, ids=[f"{each[3]}-{each[4]}" for each in ASKED]
)
def test_a_question_appears_with_what_it_depends_on(study, place, answers, others, item, asked):
    found = verdict(study, at(study, place, answers), [at(study, *each) for each in others])
    path = f"{study.items[item].group_id}/1/{item}"
    assert path in (found.shown if asked else found.hidden)


@pytest.mark.parametrize("criterion", ["HOSP", "DTH"])
def test_a_serious_event_asks_for_what_its_criteria_need(study, criterion):
    event = {"AESER": "Y", "AESCRIT": [criterion], "rows": {"SAE": {"1": {"SAERTYP": "INI"}}}}
    shown = verdict(study, at(study, "AE LOG", event)).shown
    assert ("SAE/1/SAEHOSP" in shown, "SAE/1/SAEAUTO" in shown) == (criterion == "HOSP", criterion == "DTH")


def test_reports_stand_under_serious_events_only(study):
    event = {"AESER": "N", "rows": {"SAE": {"1": {"SAERTYP": "INI"}}}}
    assert not any(path.startswith("SAE/") for path in verdict(study, at(study, "AE LOG", event)).shown)


PLACES = {"RTRX": "PLN", "RTSIM": "PLN", "RTPL": "PLN", "DVH": "PLN", "RTFX": "RTD", "RTEND": "EOT", "OTV": "OTV"}
LOGS = {"RTINT", "AE", "BX", "REC", "SURG", "DV", "EOS", "DD", "SIGN"}
RICH = (
    ("BCH SCR", {"BCLAT": "L", "HISTYP": "IDC"}),
    ("RTRX PLN 7", {"RXCRS": "1", "RXPH": "WBN", "RXLAT": "L", "RXRBE": "LEM1", "RXNFX": "16"}),
    ("RTPL PLN 7", {"PLPH": "WBN", "PLMACH": "WW1", "PLAPP": "APP"}),
    ("RTFX RTD 9", {"FXDAT": "2027-03-01", "FXDOSE": "3", "FXNO": "1", "FXSTAT": "DEL", "FXPL": "PLN/RTPL/7"}),
    ("ST LOG 5", {"STTYP": "ENDO", "STSTDAT": "2027-01-01", "STONGO": "Y"}),
)


@pytest.mark.parametrize("form", [each for each in FORMS if each not in ("RTBM", "RTBD", "AEG", "SAE")])
def test_what_is_not_answered_yet_is_never_blocked(study, form):
    definition = study.forms[form]
    rows = {each.id: {"1": {"_": "1"}} for each in definition.groups if each.repeats}
    rows |= {child: {"1": {"_": "1"}} for child in definition.children}
    event = PLACES.get(form, "LOG" if form in LOGS else "FU6M")
    others = [at(study, *each) for each in RICH if definition.repeats or not each[0].startswith(form + " ")]
    found = verdict(study, at(study, f"{form} {event}", {"rows": rows}), others).findings
    assert not [each.check_id for each in found if each.severity in ("hard", "protected")]
