"""What follows from a save: derived values and cross-form checks in other forms, then status and schedule."""

from datetime import date
from typing import Any

from sqlalchemy import select

from design import answers as documents
from design.definitions import StudyDef
from design.evaluation import Finding, dependents, evaluate, recheck, settling_forms
from design.record import FormInstance, SubjectRecord
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
    changed = [(data, frozenset(path.rsplit("/", 1)[-1] for path in paths))]
    record = None
    for _ in range(ROUNDS):
        affected = _affected(subject, study, changed)
        if not affected:
            break
        record = recording.record_of(subject, study)
        changed = _derive_again(change, subject, study, record, affected, changed, day)
        if not changed:
            break
        record = None
    if data.form_id in settling_forms(study):
        number = subject.number
        enrolling.settle(change, subject, study, record or recording.record_of(subject, study))
        if subject.number != number:
            _fill_number(change, subject, study)


def _affected(subject: Subject, study: StudyDef, changed: list[tuple[FormData, frozenset[str]]]) -> list[FormData]:
    """The stored forms whose derivations or checks read what changed."""
    anywhere: set[str] = set()
    in_event: set[tuple[str, int]] = set()
    for data, items in changed:
        for form_id, is_anywhere in dependents(study, data.form_id, items, data.study_event.event_id).items():
            if is_anywhere:
                anywhere.add(form_id)
            else:
                in_event.add((form_id, data.study_event_id))
    if not anywhere and not in_event:
        return []
    names = anywhere | {form_id for form_id, _ in in_event}
    selection = select(FormData).where(FormData.subject_id == subject.id, FormData.form_id.in_(names))
    found = db.session.scalars(selection.order_by(FormData.id).execution_options(populate_existing=True))
    return [
        each
        for each in found
        if (each.form_id in anywhere or (each.form_id, each.study_event_id) in in_event)
        and each.in_error is None
        and each.protection != "locked"
    ]


def _fill_number(change: Change, subject: Subject, study: StudyDef) -> None:
    """Show a number that was just issued in the forms that have an item for it."""
    names = [form.id for form in study.forms.values() if autofill.paths_of(form, "subject_number", {})]
    selection = select(FormData).where(FormData.subject_id == subject.id, FormData.form_id.in_(names))
    for data in db.session.scalars(selection):
        paths = autofill.paths_of(study.forms[data.form_id], "subject_number", data.answers)
        _take_over(change, data, documents.apply(data.answers, [(path, subject.number) for path in paths]))


def _derive_again(
    change: Change,
    subject: Subject,
    study: StudyDef,
    record: SubjectRecord,
    affected: list[FormData],
    changed: list[tuple[FormData, frozenset[str]]],
    day: date,
) -> list[tuple[FormData, frozenset[str]]]:
    """Evaluate the affected forms once more; return those of which answers changed by that, and which items."""
    ranks = recording.order_of(subject.events, study)
    events = {event.id: event for event in subject.events}
    again: list[tuple[FormData, frozenset[str]]] = []
    for data in affected:
        definitions = study if data.version_id == subject.site.version_id else finding.design(data.version_id)
        event = events[data.study_event_id]
        instance = recording.instance_of(data, event, definitions, ranks[event.id])
        if _check_again(data, definitions, record, instance, changed, day):
            continue
        verdict = evaluate(definitions, record, instance, today=day)
        items = _take_over(change, data, verdict.answers)
        kept = stored(verdict.findings)
        if kept != data.findings:
            data.findings = kept
        entry = "complete" if verdict.complete else "in_progress"
        if data.entry not in ("not_done", entry):
            data.entry = entry
        if items:
            again.append((data, frozenset(items)))
    db.session.flush()
    return again


def _check_again(
    data: FormData,
    definitions: StudyDef,
    record: SubjectRecord,
    instance: FormInstance,
    changed: list[tuple[FormData, frozenset[str]]],
    day: date,
) -> bool:
    """Run only the checks that read what changed; False when that is not enough."""
    findings = data.findings
    for source, items in changed:
        partly = recheck(definitions, record, instance, source.form_id, items, source.study_event.event_id, today=day)
        if partly is None:
            return False
        run, found = partly
        findings = [each for each in findings if each["check"] not in run] + stored(found)
    if findings != data.findings:
        data.findings = findings
    return True


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
