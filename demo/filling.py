"""Plausible answers for whatever a form still asks: read from the definitions, never from a list of items here."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from design import answers as documents
from design.definitions import ItemDef
from workflows import entering, finding, recording
from workflows.finding import FormPlace

Answers = dict[str, Any]


def document(place: FormPlace, values: dict[str, Any]) -> Answers:
    """An answers document from flat values: `{"HEIGHT": "165"}` for items that stand once, and
    `{"LBROWS": {"WBC": {"LBORRES": "5.1"}}}` for rows of a group or child form."""
    old = place.data.answers if place.data else {}
    changes: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict) and "missing" not in value:
            for row, cells in value.items():
                changes += [(f"{name}/{row}/{item}", cell) for item, cell in cells.items()]
        else:
            changes.append((f"{place.study.items[name].group_id}/1/{name}", value))
    return documents.apply(old, changes)


def complete(place: FormPlace, answers: Answers, day: date, dice: Random) -> Answers:
    """Answer every required item that is shown and still empty; a few rounds, because answers show more items."""
    record = recording.record_of(place.subject, place.study)
    for _ in range(4):
        verdict = entering.check(place, answers, record)
        if not verdict.missing_required:
            break
        changes = []
        for path in verdict.missing_required:
            item = place.study.items[path.rsplit("/", 1)[-1]]
            changes.append((path, plausible(place, item, day, dice)))
        answers = documents.apply(answers, changes)
    return answers


def plausible(place: FormPlace, item: ItemDef, day: date, dice: Random) -> Any:
    """One likely answer to an item, of its type."""
    study = place.study
    options = list(study.options_for(item))
    simple = {
        "date": day.isoformat(),
        "partial_date": day.isoformat(),
        "time": f"{dice.randint(8, 16):02}:{dice.choice((0, 10, 20, 30, 40, 50)):02}",
        "datetime": f"{day.isoformat()}T{dice.randint(8, 16):02}:00",
        "text": "见原始病历",
        "sign": "signed",
    }
    if item.type in simple:
        return simple[item.type][: item.length] if item.type == "text" and item.length else simple[item.type]
    if item.type == "code":
        return next((code for code in ("N", "NONE", "0", "NORMAL") if code in options), options[0])
    if item.type == "multi":
        return options[:1]
    if item.type in ("integer", "number", "labvalue"):
        return _number(item, dice)
    if item.type == "user":
        people = finding.people_at(place.subject.site_id)
        return people[-1].username if people else {"missing": "UNK"}
    return {"missing": next(iter(study.missing.codes))}


def _number(item: ItemDef, dice: Random) -> str:
    low, high = _range(item)
    step = Decimal(1).scaleb(-(item.digits or 0)) if item.type == "number" else Decimal(1)
    share = Decimal(str(round(dice.uniform(0.35, 0.65), 4)))
    return str((low + (high - low) * share).quantize(step))


def _range(item: ItemDef) -> tuple[Decimal, Decimal]:
    for name in ("soft", "protected", "hard"):
        text = getattr(item, f"{name}_range", None)
        if text is not None:
            low, high = text
            low = Decimal(str(low)) if low is not None else Decimal(0)
            high = Decimal(str(high)) if high is not None else low + 10
            return low, high
    return Decimal(1), Decimal(4)


def working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
