"""The nightly run: what time alone makes true. Every stored form is judged again, every visit's date looked at.

Each participant is looked at without writing first; only one with something to say gets a change, in which she is
looked at again under her lock. So a run that was interrupted is simply started again, and a second run changes
nothing. Answers are never touched.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from design.definitions import StudyDef
from design.evaluation import evaluate
from models import FormData, Query, StudyEvent, Subject, db
from models.change import Change, System
from models.clock import today
from workflows import check_queries, consequences, finding, querying, recording, scheduling, states
from workflows.check_queries import Step

ACTOR = System("check")
OVER = ("screen_failed", "withdrawn", "dead", "ended")  # nobody is waited for after that


@dataclass
class Report:
    """What a run did: participants looked at and changed, and how often each thing was done to a query."""

    participants: int = 0
    changed: int = 0
    acts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Seen:
    """What is to be said about a participant: findings that differ from the stored ones, and steps of queries."""

    findings: list[tuple[FormData, list[dict[str, Any]]]]
    steps: list[Step]

    @property
    def is_silent(self) -> bool:
        return not self.findings and not self.steps


def run(told: Callable[[str, int], None] | None = None) -> Report:
    """Look at every participant of the study; `told` hears the number of each one that had something to say.

    Raises:
        Refusal: nothing has been published yet.
    """
    study = finding.study()
    chain, report = study.oid, Report()
    ids = list(db.session.scalars(select(Subject.id).where(Subject.study_id == study.id).order_by(Subject.id)))
    for subject_id in ids:
        steps = _run_one(subject_id, chain, report)
        if steps is not None and told is not None:
            told(db.session.get_one(Subject, subject_id).label, len(steps))
    return report


def _run_one(subject_id: int, chain: str, report: Report) -> list[Step] | None:
    report.participants += 1
    subject = db.session.get_one(Subject, subject_id)
    if states.protection_around(subject) == "locked" or _look(subject).is_silent:
        return None
    with Change(by=ACTOR, action="check run", subject=subject, chain=chain, about=f"subject/{subject_id}") as change:
        querying.lock_subjects([subject_id])
        db.session.refresh(subject, ["events"])
        seen = _look(subject)
        for data, findings in seen.findings:
            data.findings = findings
        check_queries.carry_out(change, subject, seen.steps)
    report.changed += 1
    report.acts.update(step.act for step in seen.steps)
    return seen.steps


def _look(subject: Subject) -> _Seen:
    """Judge all forms of a participant and the dates of her visits today; nothing is written."""
    study = finding.design_for(subject.site)
    day = today(subject.site.timezone)
    queries = list(db.session.scalars(select(Query).where(Query.subject_id == subject.id).order_by(Query.id)))
    seen = _Seen([], [])
    for data, findings in _judged(subject, study, day):
        own = check_queries.of_form(data, queries)
        before = {check_queries.key_of(data, found) for found in data.findings}
        seen.steps.extend(check_queries.plan(data, findings, own, before, set()))
        if _sorted(findings) != _sorted(data.findings):
            seen.findings.append((data, findings))
    for event in subject.events:
        late = is_overdue(subject, study, event, day)
        if states.protection_around(subject, event) != "locked":
            seen.steps.extend(check_queries.plan_overdue(event, late, queries))
    return seen


def _judged(subject: Subject, study: StudyDef, day: date) -> list[tuple[FormData, list[dict[str, Any]]]]:
    """Every form that can still be judged, with its findings today under the version it was answered under."""
    record = recording.record_of(subject, study)
    ranks = recording.order_of(subject.events, study)
    found = []
    for data in recording.forms_of(subject):
        if data.protection == "locked":
            continue
        if data.in_error is not None or data.entry == "not_done":
            found.append((data, data.findings))
            continue
        definitions = study if data.version_id == subject.site.version_id else finding.design(data.version_id)
        instance = recording.instance_of(data, data.study_event, definitions, ranks[data.study_event_id])
        verdict = evaluate(definitions, record, instance, today=day)
        found.append((data, consequences.stored(verdict.findings)))
    return found


def _sorted(findings: list[dict[str, Any]]) -> list[str]:
    """Findings in an order of their own: a partial judgement of a save stores them in another one."""
    return sorted(str((each["check"], each["severity"], each["paths"])) for each in findings)


def is_overdue(subject: Subject, study: StudyDef, event: StudyEvent, day: date) -> bool:
    """Whether a planned visit is past its window on a day and nobody said so; never after the participant left."""
    definition = study.events.get(event.event_id)
    if definition is None or definition.kind == "log" or event.projected or subject.status in OVER:
        return False
    status = scheduling.status_of(study, event, subject.events, day)
    return event.state == "planned" and status in ("overdue", "missed")  # missed by date: nobody has said so yet
