"""Helpers for the tests of the study language: the tiny study, its text, and records typed in one line."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from design.definitions import StudyDef
from design.evaluation import Verdict, evaluate, evaluate_expression
from design.expressions import compile_expression
from design.reader import load_study, read_files
from design.record import FormInstance, SubjectRecord

FOLDER = Path(__file__).parents[1] / "studies" / "tiny"
TODAY = date(2027, 6, 1)
EVENTS = {
    "SCR": (10, 10),
    "WEEK": (100, 100),
    "FU6M": (206, 206),
    "FU12M": (212, 212),
    "LOG": (1_000_000, 990),
}


def files(version: int = 1) -> dict[str, str]:
    """The text of every file of a version."""
    return read_files(FOLDER / f"v{version}")


@cache
def tiny(version: int = 1) -> StudyDef:
    """The compiled study."""
    return load_study(files(version))


def form(
    form_id: str, cells: dict[str, Any], event: str = "SCR", *, repeat: int = 1, week: int = 1, **more: Any
) -> FormInstance:
    """One instance: `cells` of its first group, `rows` {group: {row: cells}} of others, `on` its date."""
    order, number = EVENTS[event]
    groups = {tiny().forms[form_id].groups[0].id: {"1": cells}} if cells else {}
    return FormInstance(
        form_id=form_id,
        event_id=event,
        event_repeat=week,
        event_order=order + (week - 1) / 100,
        event_date=more.get("on"),
        event_number=number + week - 1,
        repeat=repeat,
        answers={**groups, **more.get("rows", {})},
        in_error=more.get("in_error", False),
    )


def record(*instances: FormInstance, site: str = "01", status: str = "screening") -> SubjectRecord:
    """A participant's record."""
    return SubjectRecord(list(instances), site, status)


def value(source: str, *instances: FormInstance) -> Any:
    """An expression about the participant as a whole."""
    return evaluate_expression(tiny(), record(*instances), compile_expression(source), TODAY)


def judge(instance: FormInstance, *others: FormInstance, version: int = 1) -> Verdict:
    """The verdict on a form, with the others stored."""
    return evaluate(tiny(version), record(*others), instance, today=TODAY)


def findings(verdict: Verdict) -> list[str]:
    """The ids of a verdict's findings."""
    return [finding.check_id for finding in verdict.findings]
