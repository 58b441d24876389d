"""The visit schedule: made when a participant is screened, recalculated and audited whenever an anchor moves.

The arithmetic and the statuses stand in `design.schedule`; here they meet the stored events.
"""

from collections.abc import Sequence
from datetime import date

from design import schedule
from design.definitions import EventDef, StudyDef
from design.evaluation import evaluate_expression
from design.record import SubjectRecord
from models import FormData, StudyEvent, Subject, db
from models.change import Change
from models.clock import today
from workflows import reconsenting


def position_of(definition: EventDef, repeat: int) -> int:
    """An event's place in the schedule: by visit number, then repeat; logs last."""
    return 1_000_000 if definition.kind == "log" else definition.number * 100 + repeat


def create_events(subject: Subject, study: StudyDef) -> list[StudyEvent]:
    """The events every participant has from the start: all but unscheduled visits and on-demand repeats."""
    events = []
    for definition in study.events.values():
        if definition.kind in ("scheduled", "log"):
            events.append(new_event(subject, definition, 1))
    return events


def add_logs(subject: Subject, study: StudyDef) -> None:
    """Add the logs that a later version brings; visits come with `refresh`."""
    held = {event.event_id for event in subject.events}
    for definition in study.events.values():
        if definition.kind == "log" and definition.id not in held:
            new_event(subject, definition, 1)


def new_event(subject: Subject, definition: EventDef, repeat: int) -> StudyEvent:
    """Add one event to a participant's schedule."""
    event = StudyEvent(
        subject=subject,
        event_id=definition.id,
        repeat=repeat,
        position=position_of(definition, repeat),
        projected=False,
        state="planned",
    )
    db.session.add(event)
    return event


def refresh(change: Change, subject: Subject, study: StudyDef, record: SubjectRecord) -> list[StudyEvent]:
    """Bring every event in line with the answers: dates of visits, targets and windows, what no longer applies.

    Month steps always count from the anchor, never from the visit before. Before an anchor is known the targets are
    projected. Returns the events that were new or moved.
    """
    day = today(subject.site.timezone)
    anchors = {name: _as_date(evaluate_expression(study, record, rule, day)) for name, rule in study.anchors.items()}
    projected = {
        name: _as_date(evaluate_expression(study, record, rule, day)) for name, rule in study.projected.items()
    }
    counts = _expected_repeats(study, record, day)
    events = {(event.event_id, event.repeat): event for event in subject.events}
    before = {key: _shape(event) for key, event in events.items()}
    for planned in schedule.plan(study, anchors, projected, counts):
        event = events.get((planned.event_id, planned.repeat))
        if event is None:
            event = new_event(subject, study.events[planned.event_id], planned.repeat)
            events[(planned.event_id, planned.repeat)] = event
        _assign(event, target=planned.target, opens=planned.opens, closes=planned.closes, projected=planned.projected)
    _read_visits(study, record, events)
    _close(study, record, events, day)
    return [event for key, event in events.items() if before.get(key) != _shape(event)]


def _expected_repeats(study: StudyDef, record: SubjectRecord, day: date) -> dict[str, int]:
    counts = {}
    for definition in study.events.values():
        if definition.kind == "repeating" and definition.count is not None:
            value = evaluate_expression(study, record, definition.count, day)
            counts[definition.id] = min(60, int(value)) if value is not None else 0
    return counts


def _as_date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    earliest = getattr(value, "earliest", None)
    return earliest if earliest is not None and earliest == getattr(value, "latest", None) else None


def _shape(event: StudyEvent) -> tuple[object, ...]:
    return (event.target, event.opens, event.closes, event.projected, event.visit_date, event.state)


def _assign(event: StudyEvent, **values: object) -> None:
    for name, value in values.items():
        if getattr(event, name) != value:
            setattr(event, name, value)


def _read_visits(study: StudyDef, record: SubjectRecord, events: dict[tuple[str, int], StudyEvent]) -> None:
    """Take the date of each visit, or that it was not done, from the items that the study names for it."""
    for (event_id, repeat), event in events.items():
        definition = study.events.get(event_id)
        if definition is None or definition.kind == "log":
            continue
        visited = _as_date(record.value_in_event(definition.visit_date, event_id, repeat, study))
        not_done = record.value_in_event(definition.not_done, event_id, repeat, study)
        if not_done is not None:
            _assign(event, state="not_done", visit_date=None)
        elif visited is not None:
            _assign(event, state="done", visit_date=visited)
        elif event.state in ("done", "not_done"):
            _assign(event, state="planned", visit_date=None)


def _close(study: StudyDef, record: SubjectRecord, events: dict[tuple[str, int], StudyEvent], day: date) -> None:
    """After death or withdrawal of all data, later visits are not applicable, not missed (and back, if corrected).

    So are, until she consents to it, the visits that an amendment added.
    """
    waits = reconsenting.withheld(study, record, day)
    gated = waits.events if waits else ()
    rule = study.rules.close_events_after
    value = evaluate_expression(study, record, rule, day) if rule else None
    closing = value if isinstance(value, date) else getattr(value, "latest", None)
    for event in events.values():
        is_later = closing is not None and event.target is not None and event.target > closing
        is_later = is_later or event.event_id in gated
        if is_later and event.state in ("planned", "missed"):
            event.state = "not_applicable"
        elif not is_later and event.state == "not_applicable":
            event.state = "planned"


def status_of(study: StudyDef, event: StudyEvent, events: Sequence[StudyEvent], day: date) -> str:
    """An event's status on a day: projected, planned, due, overdue, missed, done, not_done or not_applicable."""
    # Only a planned visit whose window has closed depends on what follows; looking costs as much as there are visits.
    is_past = event.state == "planned" and event.closes is not None and event.closes < day
    following = [other.opens for other in events if is_past and other.position > event.position and other.opens]
    return status_before(event, min(following, default=None), day)


def status_before(event: StudyEvent, opens_next: date | None, day: date) -> str:
    """An event's status on a day, when the next one after it opens on `opens_next`."""
    return schedule.event_status(
        state=event.state,
        opens=event.opens,
        closes=event.closes,
        target=event.target,
        projected=event.projected,
        next_opens=opens_next,
        today=day,
    )


def window_of(event: StudyEvent) -> str | None:
    """Whether a visit that took place was EARLY, IN or LATE of its window; None without a date or a window."""
    if event.visit_date is None or event.opens is None or event.closes is None or event.projected:
        return None
    return schedule.window_status(event.opens, event.closes, event.visit_date)


def group_by_event(forms: Sequence[FormData]) -> dict[int, dict[str, list[FormData]]]:
    """The stored forms of a participant by event and form."""
    grouped: dict[int, dict[str, list[FormData]]] = {}
    for data in forms:
        grouped.setdefault(data.study_event_id, {}).setdefault(data.form_id, []).append(data)
    return grouped
