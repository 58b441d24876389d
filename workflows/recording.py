"""What the rules of a study see of a participant: the stored forms as a `SubjectRecord`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from design.definitions import StudyDef
from design.record import FormInstance, SubjectRecord
from models import FormData, Site, StudyEvent, Subject, db


def forms_of(subject: Subject) -> list[FormData]:
    """Every form instance of a participant, with its event, in schedule order: one statement."""
    selection = (
        select(FormData)
        .where(FormData.subject_id == subject.id)
        .join(FormData.study_event)
        .options(joinedload(FormData.study_event))
        .order_by(StudyEvent.position, FormData.form_id, FormData.repeat)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(selection))


def order_of(events: Iterable[StudyEvent], study: StudyDef) -> dict[int, float]:
    """Rank in time of each event: planned ones as planned, unscheduled ones behind the last visit dated before them."""
    events = list(events)
    unplanned = {definition.id for definition in study.events.values() if definition.kind == "unscheduled"}
    planned = [event for event in events if event.event_id not in unplanned]
    ranks: dict[int, float] = {event.id: float(event.position) for event in planned}
    dated = [(event.visit_date, event.position) for event in planned if event.visit_date]
    for event in events:
        if event.id in ranks:
            continue
        before = [place for day, place in dated if event.visit_date and day <= event.visit_date]
        ranks[event.id] = max(before, default=event.position) + 0.5
    return ranks


def instance_of(data: FormData, event: StudyEvent, study: StudyDef, order: float) -> FormInstance:
    """A stored form as the rules see it."""
    return instance(study, event, order, data.form_id, data.repeat, data.answers, data.in_error is not None)


def instance(
    study: StudyDef,
    event: StudyEvent,
    order: float,
    form_id: str,
    repeat: int,
    answers: dict,
    in_error: bool = False,
) -> FormInstance:
    """One form instance, stored or about to be."""
    return _EventSeen.of(event, study, order).holding(form_id, repeat, answers, in_error)


@dataclass(frozen=True, slots=True)
class _EventSeen:
    """What all form instances of an event have in common, read from its row once."""

    id: str
    repeat: int
    order: float
    date: date | None
    number: int

    @classmethod
    def of(cls, event: StudyEvent, study: StudyDef, order: float) -> "_EventSeen":
        definition = study.events.get(event.event_id)
        number = (definition.number if definition else 0) + event.repeat - 1
        return cls(event.event_id, event.repeat, order, event.visit_date, number)

    def holding(self, form_id: str, repeat: int, answers: dict, in_error: bool) -> FormInstance:
        return FormInstance(
            form_id, self.id, self.repeat, self.order, self.date, self.number, repeat, answers, in_error
        )


def record_of(subject: Subject, study: StudyDef) -> SubjectRecord:
    """All of a participant's answers, for checks, derivations, anchors and the schedule: one statement, no row objects."""
    ranks = order_of(subject.events, study)
    at = {event.id: _EventSeen.of(event, study, ranks[event.id]) for event in subject.events}
    columns = (FormData.study_event_id, FormData.form_id, FormData.repeat, FormData.answers, FormData.in_error)
    rows = db.session.execute(select(*columns).where(FormData.subject_id == subject.id).order_by(FormData.id))
    instances = [
        at[event_id].holding(form_id, repeat, answers, in_error is not None)
        for event_id, form_id, repeat, answers, in_error in rows
        if form_id in study.forms
    ]
    return SubjectRecord(instances=instances, site=subject.site.code, status=subject.status)


def local(at: datetime, site: Site) -> str:
    """An instant as people at the site read it, with its offset: 2026-03-14 09:30 +08:00."""
    text = at.astimezone(ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H:%M %z")
    return f"{text[:-2]}:{text[-2:]}"
