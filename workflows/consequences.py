"""What follows from a save: derived values and cross-form checks in other forms, then status and schedule."""

from datetime import date
from typing import Any

from design import answers as documents
from design.definitions import StudyDef
from design.evaluation import Finding, dependents, evaluate
from design.record import SubjectRecord
from models import FormData, Subject, db
from models.change import Change
from models.clock import today
from workflows import autofill, enrolling, finding, recording

ROUNDS = 4  # derivations across forms settle in two; the bound stops a definition that would never settle


def stored(findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings as kept with the form: check, severity and where; the words come from the definition."""
    return [
        {"check": found.check_id, "severity": found.severity, "paths": list(found.paths)}
        for found in findings
        if found.severity != "warning"
    ]


def follow(change: Change, subject: Subject, study: StudyDef, data: FormData, paths: list[str]) -> None:
    """Bring the rest of the participant's record in line after `data` changed at `paths`."""
    day = today(subject.site.timezone)
    forms = recording.forms_of(subject)
    changed = {data.form_id: {path.rsplit("/", 1)[-1] for path in paths}}
    for _ in range(ROUNDS):
        record = recording.record_of(subject, study, list(subject.events), forms)
        changed = _derive_again(change, subject, study, record, forms, changed, day)
        if not changed:
            break
    record = recording.record_of(subject, study, list(subject.events), forms)
    number = subject.number
    enrolling.settle(change, subject, study, record)
    if subject.number != number:
        _fill_number(change, subject, study, forms)


def _fill_number(change: Change, subject: Subject, study: StudyDef, forms: list[FormData]) -> None:
    """Show a number that was just issued in the forms that have an item for it."""
    for data in forms:
        paths = autofill.paths_of(study.forms[data.form_id], "subject_number", data.answers)
        if paths:
            _take_over(change, data, documents.apply(data.answers, [(path, subject.number) for path in paths]))


def _derive_again(
    change: Change,
    subject: Subject,
    study: StudyDef,
    record: SubjectRecord,
    forms: list[FormData],
    changed: dict[str, set[str]],
    day: date,
) -> dict[str, set[str]]:
    """Evaluate once more every stored form that reads what changed; return what changed by that."""
    affected: set[str] = set()
    for form_id, items in changed.items():
        affected.update(dependents(study, form_id, frozenset(items)))
    ranks = recording.order_of(subject.events)
    again: dict[str, set[str]] = {}
    for data in forms:
        if data.form_id not in affected or data.in_error is not None or data.protection == "locked":
            continue
        definitions = study if data.version_id == subject.site.version_id else finding.design(data.version_id)
        event = data.study_event
        instance = recording.instance_of(data, event, definitions, ranks[event.id])
        verdict = evaluate(definitions, record, instance, today=day)
        items = _take_over(change, data, verdict.answers)
        kept = stored(verdict.findings)
        if kept != data.findings:
            data.findings = kept
        entry = "complete" if verdict.complete else "in_progress"
        if data.entry != "not_done" and data.entry != entry:
            data.entry = entry
        if items:
            again.setdefault(data.form_id, set()).update(items)
    db.session.flush()
    return again


def _take_over(change: Change, data: FormData, answers: dict[str, Any]) -> set[str]:
    """Store recomputed derived values, named as the system's in the trail (AUD-14); return the items that differ."""
    differences = documents.diff(data.answers, answers)
    if not differences:
        return set()
    data.answers = answers
    data.revision += 1
    for path, _, _ in differences:
        change.derived_paths.add(f"form_data/{data.id}/answers/{path}")
    return {path.rsplit("/", 1)[-1] for path, _, _ in differences}
