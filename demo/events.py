"""Adverse events of the stories: one record per event, a new row of its grade history when the grade changes (edge case
31), never a new record."""

from datetime import date
from typing import Any

from demo.keeping import Desk
from models import FormData, Subject
from workflows import finding

DURING = {"AEACNRT": "NONE"}
AFTERWARDS = {"AEACNRT": "NA"}


def opened(subject: Subject) -> list[FormData]:
    """The adverse events of a participant, in order."""
    return [each for each in finding.stored(finding.event(subject, "LOG"), "AE") if each.in_error is None]


def grade(
    desk: Desk, subject: Subject, day: date, term: str, level: int, action: dict[str, str], start: str | None = None
) -> str:
    """State that an event (by its English CTCAE term) has a grade on a day; returns the reference to its record."""
    code, words = next(
        (key, row) for key, row in finding.design_for(subject.site).tables["toxicity"].rows.items() if row["en"] == term
    )
    record = next((each for each in opened(subject) if each.answers["AE"]["1"].get("AECTCT") == code), None)
    if record is None:
        return _open(desk, subject, day, code, words["zh"], level, action, start or day.isoformat())
    rows = record.answers.get("AEG", {})
    last = max(rows, key=int)
    if rows[last].get("AGGR") != str(level):
        added = {"AEG": {str(int(last) + 1): {"AGSTDAT": day.isoformat(), "AGGR": str(level)}}}
        desk.save(subject, "LOG", "AE", day, added, repeat=record.repeat)
    return f"LOG/AE/{record.repeat}"


def _open(
    desk: Desk, subject: Subject, day: date, code: str, words: str, level: int, action: dict[str, str], start: str
) -> str:
    values: dict[str, Any] = {
        "AETERM": words.partition("（")[0], "AECTCT": code, "AESTDAT": start, "AEONGO": "Y", "AESER": "N",
        "AERELRT": "DEF" if code == "10061103" else "PROB", "AEINF": "Y", "AECONTRT": "N", "AEOUT": "NRES", "AEDLT": "N",
        "AEG": {"1": {"AGSTDAT": start, "AGGR": str(level)}}, **action,
    }  # fmt: skip
    if action is DURING:
        values["AESTTIM"] = "16:00"
    data = desk.save(subject, "LOG", "AE", day, values)
    return f"LOG/AE/{data.repeat if data else 1}"


def resolve(desk: Desk, subject: Subject, day: date) -> None:
    """At the first follow-up the acute events are over; often only the month is remembered."""
    for record in opened(subject):
        end = day.isoformat()[: 7 if record.repeat % 2 else 10]
        values = {"AEONGO": "N", "AEENDAT": end, "AEOUT": "RES"}
        desk.save(subject, "LOG", "AE", day, values, repeat=record.repeat, reason="随访时已痊愈")


def relate_to_therapy(desk: Desk, subject: Subject, day: date) -> None:
    """Systemic therapy has begun: of each event that goes on it is asked whether it belongs to that."""
    for record in opened(subject):
        if record.answers["AE"]["1"].get("AEONGO") == "Y":
            values = {"AERELST": "UNL", "AEACNST": "NONE"}
            desk.save(subject, "LOG", "AE", day, values, repeat=record.repeat)


def pneumonitis(desk: Desk, subject: Subject, day: date, start: str) -> None:
    """A serious event: hospital, report within a day of knowing, medication linked to it."""
    told = day.isoformat()
    values = {
        "AETERM": "放射性肺炎", "AECTCT": "10035742", "AESTDAT": start, "AEONGO": "Y", "AESER": "Y", "AESCRIT": ["HOSP"],
        "AERELRT": "PROB", "AEINF": "Y", "AECONTRT": "Y", "AEOUT": "NRES", "AEDLT": "N", **AFTERWARDS,
        "AEG": {"1": {"AGSTDAT": start, "AGGR": "2"}},
        "SAE": {"1": {
            "SAERTYP": "INI", "SAEAWAR": f"{told}T08:30", "SAERPT": f"{told}T15:00", "SAEHOSP": told,
            "SAEDIS": {"missing": "NAV"}, "SAENAR": "咳嗽伴低热，CT示照射野内肺炎，收入院予激素治疗。", "SAEEXP": "Y",
            "SAECAUS": "PROB", "SAEEC": told, "SAEAUT": told,
        }},
    }  # fmt: skip
    data = desk.save(subject, "LOG", "AE", day, values)
    steroid = {
        "CMCAT": "TOX",
        "CMTRT": "泼尼松",
        "CMINDC": "放射性肺炎",
        "CMROUT": "PO",
        "CMSTDAT": told,
        "CMONGO": "Y",
    }
    desk.save(subject, "LOG", "CM", day, {**steroid, "CMAESEQ": f"LOG/AE/{data.repeat if data else 1}"})
