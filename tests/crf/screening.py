"""Small made-up records for the tests of the screening and response forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from design.definitions import StudyDef
from design.evaluation import Verdict, evaluate
from design.reader import read_study
from design.record import FormInstance, SubjectRecord

STUDY = Path(__file__).parents[2] / "crf" / "carbon-breast" / "v1"
TODAY = date(2028, 6, 1)
NUMBERS = {"SCR": 10, "ENR": 20, "PLN": 30, "RTD": 100, "OTV": 101, "EOT": 190, "UNS": 901, "LOG": 990}


def read() -> StudyDef:
    """The study version under test."""
    return read_study(STUDY)


def form(
    study: StudyDef,
    form_id: str,
    event: str,
    repeat: int = 1,
    rows: dict | None = None,
    day: date | None = None,
    **values: Any,
) -> FormInstance:
    """An instance with the given answers; `rows` is {group: {row: {item: cell}}}, `day` the event date."""
    number = NUMBERS.get(event) or 200 + int(event[2:-1])
    answers: dict[str, Any] = defaultdict(dict)
    for name, value in values.items():
        answers[study.items[name].group_id].setdefault("1", {})[name] = value
    answers.update(rows or {})
    return FormInstance(form_id, event, 1, number, day, number, repeat, dict(answers))


def log(study: StudyDef, form_id: str, repeat: int, **values: Any) -> FormInstance:
    """An instance in the log."""
    return form(study, form_id, "LOG", repeat, **values)


def verdict(
    study: StudyDef,
    instance: FormInstance,
    others: list[FormInstance] | None = None,
    *,
    status: str = "screening",
    site: str = "01",
) -> Verdict:
    """How the instance is judged among the others."""
    return evaluate(study, SubjectRecord([*(others or []), instance], site, status), instance, today=TODAY)


def judged(study: StudyDef, instance: FormInstance, others: list[FormInstance]) -> FormInstance:
    """The instance with its derived values, as it would be stored."""
    return replace(instance, answers=verdict(study, instance, others).answers)


def cell(
    study: StudyDef,
    item: str,
    instance: FormInstance,
    others: list[FormInstance] | None = None,
    row: str = "1",
) -> Any:
    """The derived cell of an item."""
    return verdict(study, instance, others).answers.get(study.items[item].group_id, {}).get(row, {}).get(item)


def found(
    study: StudyDef, instance: FormInstance, others: list[FormInstance] | None = None, **how: Any
) -> dict[str, str]:
    """The checks that find something: id and severity."""
    return {finding.check_id: finding.severity for finding in verdict(study, instance, others, **how).findings}


def severities(
    study: StudyDef, item: str, instance: FormInstance, others: list[FormInstance] | None = None, **how: Any
) -> set[str]:
    """How severely the checks of one item find fault; cross-form checks of checks.toml left out."""
    own = {check.id for check in study.items[item].checks}
    return {finding.severity for finding in verdict(study, instance, others, **how).findings if finding.check_id in own}


@dataclass(frozen=True)
class Case:
    """One check at its limit: the answers it objects to, and the nearest ones it lets pass."""

    check: str
    place: str
    bad: dict[str, Any]
    good: dict[str, Any]
    same: dict[str, Any] = field(default_factory=dict)
    others: tuple[tuple[str, dict[str, Any]], ...] = ()
    only_bad: tuple[tuple[str, dict[str, Any]], ...] = ()
    only_good: tuple[tuple[str, dict[str, Any]], ...] = ()


def at(study: StudyDef, place: str, answers: dict[str, Any]) -> FormInstance:
    """An instance from `FORM EVENT` or `FORM EVENT REPEAT`; the event date is the visit date of the tests."""
    form_id, event, *repeat = place.split()
    rows = answers.get("rows")
    values = {name: value for name, value in answers.items() if name != "rows"}
    return form(study, form_id, event, int(repeat[0]) if repeat else 1, rows, date(2027, 9, 1), **values)


def finds(study: StudyDef, case: Case, bad: bool) -> bool:
    """Whether the check of a case finds something."""
    others = [at(study, *each) for each in (*case.others, *(case.only_bad if bad else case.only_good))]
    instance = at(study, case.place, case.same | (case.bad if bad else case.good))
    return case.check in found(study, instance, others)
