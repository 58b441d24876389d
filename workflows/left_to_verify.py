"""What a monitor still has to compare with the source: by participant and visit, and item by item in one visit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from design.definitions import StudyDef
from models import FormData, Site, StudyEvent, Subject, User, db
from workflows import finding, planning_verification, verifying
from workflows.planning_verification import Asking, Plans, Tally

PAGE = 50


@dataclass(frozen=True)
class VisitLeft:
    """One visit of a participant and how many of its items are verified."""

    event: StudyEvent
    tally: Tally


@dataclass(frozen=True)
class SubjectLeft:
    """One participant: the visits with something left, in order, and everything together."""

    subject: Subject
    visits: list[VisitLeft]
    tally: Tally


def participants(user: User, sites: Sequence[Site], page: int = 1) -> tuple[list[SubjectLeft], bool]:
    """One page of participants with what is left, and whether there are more: four statements."""
    selection = finding.subjects(user, "view reviews").where(Subject.site_id.in_([site.id for site in sites]))
    found = list(db.session.scalars(selection.offset((page - 1) * PAGE).limit(PAGE + 1)))
    shown = found[:PAGE]
    tallies: dict[int, dict[int, Tally]] = {}
    for each in planning_verification.count(sites, [subject.id for subject in shown]):
        by_event = tallies.setdefault(each.subject_id, {})
        by_event.setdefault(each.study_event_id, Tally()).add(each.tally)
    events = _events([event_id for by_event in tallies.values() for event_id in by_event])
    return [_left(subject, tallies.get(subject.id, {}), events) for subject in shown], len(found) > PAGE


def _events(event_ids: list[int]) -> dict[int, StudyEvent]:
    return {event.id: event for event in db.session.scalars(select(StudyEvent).where(StudyEvent.id.in_(event_ids)))}


def _left(subject: Subject, tallies: dict[int, Tally], events: dict[int, StudyEvent]) -> SubjectLeft:
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    visits = [VisitLeft(events[event_id], tally) for event_id, tally in tallies.items() if tally.left]
    return SubjectLeft(subject, sorted(visits, key=lambda each: (each.event.position, each.event.repeat)), total)


@dataclass(frozen=True)
class FormLeft:
    """One form of a visit: the items its plan asks for that have an answer, and the marks that are set."""

    data: FormData
    study: StudyDef
    asked: list[str]
    marks: dict[str, Any]  # path -> {"by", "at", "visit"}

    @property
    def left(self) -> list[str]:
        """What is asked and not marked."""
        return [path for path in self.asked if path not in self.marks]


def visit(subject: Subject, event: StudyEvent) -> tuple[Asking, list[FormLeft]]:
    """What the plan asks in a visit, form by form in the order of the visit; forms in error left out."""
    asking = Plans.of([subject.site]).of_visit(subject, event)
    selection = select(FormData).where(FormData.study_event_id == event.id, FormData.in_error.is_(None))
    stored = list(db.session.scalars(selection))
    marks = verifying.marks_of([data.id for data in stored])
    forms = [form_left(data, asking, marks.get(data.id, {})) for data in stored]
    order = _order(finding.design_for(subject.site), event)
    forms.sort(key=lambda each: (order.get(each.data.form_id, len(order)), each.data.form_id, each.data.repeat))
    return asking, forms


def _order(study: StudyDef, event: StudyEvent) -> dict[str, int]:
    definition = study.events.get(event.event_id)
    return {each.form_id: number for number, each in enumerate(definition.forms)} if definition else {}


def form(data: FormData) -> tuple[Asking, FormLeft]:
    """The same for one form."""
    asking = Plans.of([data.subject.site]).of_visit(data.subject, data.study_event)
    return asking, form_left(data, asking, verifying.marks_of([data.id]).get(data.id, {}))


def form_left(data: FormData, asking: Asking, marks: dict[str, Any]) -> FormLeft:
    """One form with what its plan asks, in the order in which the form asks it."""
    study = finding.design(data.version_id)
    flat = {
        f"{group}/{row}/{item}": mark
        for group, rows in marks.items()
        for row, cells in rows.items()
        for item, mark in cells.items()
    }
    paths = planning_verification.paths_of(data.answers, asking.items(study))
    return FormLeft(data, study, _in_order(study, data, paths), flat)


def _in_order(study: StudyDef, data: FormData, paths: list[str]) -> list[str]:
    """Documents are stored with their keys sorted; people read a form in the order of its questions."""
    form = study.forms.get(data.form_id)
    if form is None:
        return paths
    groups = [*form.groups, *(group for child in form.children for group in study.forms[child].groups)]
    rank = {item.id: number for number, item in enumerate(item for group in groups for item in group.items)}
    place = {group.id: number for number, group in enumerate(groups)}

    def key(path: str) -> tuple[int, int, str, int]:
        group, row, item = path.split("/")
        return place.get(group, 0), int(row) if row.isdigit() else 0, row, rank.get(item, 0)

    return sorted(paths, key=key)
