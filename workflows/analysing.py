"""Analysing: the live summary for the statistician, at the sites she may see. Reads only.

What the figures mean is said by the study (`tables/analysis.csv` of its version), never by this code.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from design.definitions import StudyDef
from design.evaluation import evaluate_expression
from design.expressions import compile_expression
from exports import tables
from exports.figures import Person
from exports.summary import Definition, Section, Summary
from exports.tables import Scope
from models import FormData, StudyEvent, Subject, User, db
from models.clock import today
from workflows import access, finding, recording

TABLE = "analysis"


@dataclass(frozen=True)
class Page:
    """The summary page: its sections, how many participants it counts, and the day it was made."""

    sections: list[Section]
    participants: int
    cut_off: date
    note: str


def definitions_of(study: StudyDef) -> dict[str, Definition]:
    """The rows of the study's analysis table; empty when the study has none."""
    table = study.tables.get(TABLE)
    if table is None:
        return {}
    return {
        key: Definition(key, *(row.get(name) or "" for name in ("kind", "expression", "en", "zh", "source")))
        for key, row in table.rows.items()
    }


def summarise(user: User, language: str) -> Page | None:
    """The summary in a language; None when the study defines no analysis.

    Raises:
        Forbidden: no role allows it. Refusal: nothing published.
    """
    access.require(user, "view analysis")
    study = finding.study()
    design = finding.design(study.current_version_id or 0)
    definitions = definitions_of(design)
    if not definitions:
        return None
    allowed = access.sites_for(user, "view analysis")
    versions = {version.id: finding.design(version.id) for version in finding.versions()}
    scope = Scope(study.id, versions, None if allowed is None else frozenset(allowed))
    wanted = _forms(definitions)
    found = tables.read(db.session.connection(), scope, wanted)
    people = list(_people(user, design, definitions))
    cut_off = today()
    summary = Summary(people, found, definitions, cut_off, language)
    return Page(summary.sections(), len(people), cut_off, summary.w["provisional"])


def _forms(definitions: dict[str, Definition]) -> frozenset[str]:
    return frozenset(definition.column[0] for definition in definitions.values() if definition.kind == "column")


def _people(user: User, design: StudyDef, definitions: dict[str, Definition]) -> list[Person]:
    """Every participant with the values of all expressions: three statements, however many participants."""
    rules = {d.key: compile_expression(d.expression) for d in definitions.values() if d.kind == "expression"}
    subjects = list(db.session.scalars(finding.subjects(user, "view analysis")))
    ids = {subject.id for subject in subjects}
    events: dict[int, list[StudyEvent]] = defaultdict(list)
    for event in db.session.scalars(select(StudyEvent).order_by(StudyEvent.position, StudyEvent.id)):
        if event.subject_id in ids:
            events[event.subject_id].append(event)
    forms: dict[int, list[FormData]] = defaultdict(list)
    for data in db.session.scalars(select(FormData).order_by(FormData.form_id, FormData.repeat)):
        if data.subject_id in ids:
            forms[data.subject_id].append(data)
    return [_person(design, rules, subject, events[subject.id], forms[subject.id]) for subject in subjects]


def _person(
    design: StudyDef, rules: dict[str, Any], subject: Subject, events: list[StudyEvent], forms: list[FormData]
) -> Person:
    position = {event.id: event.position for event in events}
    forms.sort(key=lambda data: (position[data.study_event_id], data.form_id, data.repeat))
    record = recording.record_of(subject, design)
    day = today(subject.site.timezone)
    values = {key: evaluate_expression(design, record, rule, day) for key, rule in rules.items()}
    enrolled = subject.number is not None
    return Person(subject.label, subject.screening_number, subject.site.code, subject.status, enrolled, values)
