"""What follows from a save: derived values and cross-form checks in other forms, then status and schedule."""

from collections.abc import Iterable
from dataclasses import dataclass, field
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
from workflows import autofill, check_queries, enrolling, finding, proposing, recording, signatures, verifying

ROUNDS = 4  # derivations across forms settle in two; the bound stops a definition that would never settle


def stored(findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings as kept with the form: check, severity and where; the words come from the definition."""
    return [
        {"check": found.check_id, "severity": found.severity, "paths": list(found.paths)}
        for found in findings
        if found.severity != "warning"
    ]


def follow(
    change: Change, subject: Subject, study: StudyDef, record: SubjectRecord, data: FormData, paths: list[str]
) -> None:
    """Bring the rest of the participant's `record` in line after `data` changed at `paths`."""
    day = today(subject.site.timezone)
    current = finding.design_for(subject.site)
    # What follows from an earlier version's form is the business of the version in force.
    if current is not study and data.form_id in current.forms:
        study, record = current, recording.record_of(subject, current)
    ranks = recording.order_of(subject.events, study)
    record = _renewed(record, data, study, ranks)
    changed = [(data, frozenset(path.rsplit("/", 1)[-1] for path in paths))]
    touched = Touched({data.id: data}, {data.id: set(paths)})
    for _ in range(ROUNDS):
        affected = _affected(subject, study, changed)
        changed = _derive_again(change, subject, study, record, affected, changed, day, touched)
        if not changed:
            break
        for each, _items in changed:
            record = _renewed(record, each, study, ranks)
    if data.form_id in settling_forms(study):
        number = subject.number
        enrolling.settle(change, subject, study, record)
        if subject.number != number:
            _fill_number(change, subject, study, touched)
    for form_data_id, form_data in touched.forms.items():
        _review_again(change, form_data, sorted(touched.paths[form_data_id]))
    check_queries.follow(change, subject, touched.forms.values(), touched.paths)
    proposing.follow(change, subject, touched.forms.values())


@dataclass
class Touched:
    """The forms of which answers or findings changed in one save, and the paths of the answers."""

    forms: dict[int, FormData] = field(default_factory=dict)
    paths: dict[int, set[str]] = field(default_factory=dict)

    def note(self, data: FormData, paths: Iterable[str] = ()) -> None:
        """Remember a form, and what changed in it."""
        self.forms[data.id] = data
        self.paths.setdefault(data.id, set()).update(paths)


def _review_again(change: Change, data: FormData, paths: list[str]) -> None:
    """What people did with a form and what a change of it undoes: one line each, in this order.

    `paths` are the answers that changed, none when only findings did.
    """
    verifying.withdraw(change, data, paths)
    signatures.break_signatures(change, data, paths)


def _renewed(record: SubjectRecord, data: FormData, study: StudyDef, ranks: dict[int, float]) -> SubjectRecord:
    """The record with a form as it is now."""
    event = data.study_event
    return record.replacing(recording.instance_of(data, event, study, ranks[event.id]))


def _affected(subject: Subject, study: StudyDef, changed: list[tuple[FormData, frozenset[str]]]) -> list[FormData]:
    """The stored forms whose derivations or checks read what changed; one that was not done has neither."""
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
        and each.entry != "not_done"
        and each.protection != "locked"
    ]


def _fill_number(change: Change, subject: Subject, study: StudyDef, touched: Touched) -> None:
    """Show a number that was just issued in the forms that have an item for it."""
    names = [form.id for form in study.forms.values() if autofill.paths_of(form, "subject_number", {})]
    selection = select(FormData).where(FormData.subject_id == subject.id, FormData.form_id.in_(names))
    for data in db.session.scalars(selection):
        paths = autofill.paths_of(study.forms[data.form_id], "subject_number", data.answers)
        _take_over(change, data, documents.apply(data.answers, [(path, subject.number) for path in paths]), touched)


def _derive_again(
    change: Change,
    subject: Subject,
    study: StudyDef,
    record: SubjectRecord,
    affected: list[FormData],
    changed: list[tuple[FormData, frozenset[str]]],
    day: date,
    touched: Touched,
) -> list[tuple[FormData, frozenset[str]]]:
    """Evaluate the affected forms once more; return those of which answers changed by that, and which items."""
    ranks = recording.order_of(subject.events, study)
    events = {event.id: event for event in subject.events}
    again: list[tuple[FormData, frozenset[str]]] = []
    for data in affected:
        definitions = study if data.version_id == subject.site.version_id else finding.design(data.version_id)
        event = events[data.study_event_id]
        instance = recording.instance_of(data, event, definitions, ranks[event.id])
        if _check_again(data, definitions, record, instance, changed, day, touched):
            continue
        verdict = evaluate(definitions, record, instance, today=day)
        items = _take_over(change, data, verdict.answers, touched)
        _keep_findings(data, stored(verdict.findings), touched)
        entry = "complete" if verdict.complete else "in_progress"
        if data.entry != entry:
            data.entry = entry
            touched.note(data)
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
    touched: Touched,
) -> bool:
    """Run only the checks that read what changed; False when that is not enough."""
    findings = data.findings
    for source, items in changed:
        partly = recheck(definitions, record, instance, source.form_id, items, source.study_event.event_id, today=day)
        if partly is None:
            return False
        run, found = partly
        findings = [each for each in findings if each["check"] not in run] + stored(found)
    _keep_findings(data, findings, touched)
    return True


def _keep_findings(data: FormData, findings: list[dict[str, Any]], touched: Touched) -> None:
    if findings != data.findings:
        data.findings = findings
        touched.note(data)


def _take_over(change: Change, data: FormData, answers: dict[str, Any], touched: Touched) -> set[str]:
    """Store recomputed derived values, named as the system's in the trail (AUD-14); return the items that differ."""
    differences = documents.diff(data.answers, answers)
    if not differences:
        return set()
    data.answers = answers
    data.revision += 1
    touched.note(data, (path for path, _, _ in differences))
    for path, _, _ in differences:
        change.derived_paths.add(f"form_data/{data.id}/answers/{path}")
    return {path.rsplit("/", 1)[-1] for path, _, _ in differences}
