"""The visit schedule: targets, windows and statuses. Month steps always count from the anchor, never from a visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from design.dates import add_months
from design.definitions import EventDef, StudyDef


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """When an event is meant to take place."""

    event_id: str
    repeat: int
    target: date | None
    opens: date | None
    closes: date | None
    projected: bool


def plan(
    study: StudyDef,
    anchors: Mapping[str, date | None],
    projected: Mapping[str, date | None],
    counts: Mapping[str, int],
) -> list[PlannedEvent]:
    """All planned events: from known anchors, or projected while an anchor is only expected."""
    planned = []
    for event in study.events.values():
        if event.kind == "scheduled":
            planned.append(_plan_one(event, 1, anchors, projected))
        elif event.kind == "repeating":
            planned += [_plan_one(event, k, anchors, projected) for k in range(1, counts.get(event.id, 0) + 1)]
    return planned


def _plan_one(
    event: EventDef, repeat: int, anchors: Mapping[str, date | None], projected: Mapping[str, date | None]
) -> PlannedEvent:
    known = anchors.get(event.anchor) if event.anchor else None
    anchor = known or (projected.get(event.anchor) if event.anchor else None)
    if anchor is None:
        return PlannedEvent(event.id, repeat, None, None, None, False)
    target = add_months(anchor, event.offset_months) + timedelta(
        days=event.offset_days + (repeat - 1) * event.step_days
    )
    opens, closes = target - timedelta(days=event.before), target + timedelta(days=event.after)
    return PlannedEvent(event.id, repeat, target, opens, closes, known is None)


def window_status(opens: date, closes: date, visited: date) -> str:
    """EARLY, IN or LATE."""
    return "EARLY" if visited < opens else "LATE" if visited > closes else "IN"


def event_status(
    *,
    state: str,
    opens: date | None,
    closes: date | None,
    target: date | None,
    projected: bool,
    next_opens: date | None,
    today: date,
) -> str:
    """The status on a day: due when the window opens, overdue a day after it closes, missed when the next opens."""
    if state != "planned":
        return state
    if target is None or opens is None or closes is None:
        return "planned"
    if projected:
        return "projected"
    if today < opens:
        return "planned"
    if today <= closes:
        return "due"
    return "missed" if next_opens is not None and today >= next_opens else "overdue"
