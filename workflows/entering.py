"""Entering data: the one way in which answers change.

A save is judged by the server (hard, protected, soft), needs a reason when a saved answer changes, and carries its
consequences: what is derived from it in other forms, cross-form checks, the participant's status and schedule.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from design import amendments
from design import answers as documents
from design.evaluation import Finding, Verdict, evaluate
from design.record import SubjectRecord
from models import FormData, Review, Site, Study, StudyEvent, Subject, User, db
from models.change import Change
from models.clock import now, today
from workflows import access, autofill, consequences, delegating, reconsenting, recording, states
from workflows.finding import FormPlace
from workflows.refusals import Invalid, OverrideNeeded, ReasonNeeded, Refusal, Stale

Answers = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """What a save did: the stored form (None when nothing was typed) and the findings that were not there before."""

    data: FormData | None
    new_findings: list[Finding]
    changed: bool


def check(place: FormPlace, answers: Answers, record: SubjectRecord | None = None) -> Verdict:
    """Judge answers without storing anything: skip logic, derived values and findings for the page that asks.

    A caller that asks several times hands over the participant's `record`.
    """
    return _judge(place, record or recording.record_of(place.subject, place.study), autofill.fill(place, answers))


def _judge(place: FormPlace, record: SubjectRecord, answers: Answers) -> Verdict:
    order = recording.order_of(place.subject.events, place.study)[place.event.id]
    instance = recording.instance(place.study, place.event, order, place.form.id, place.repeat, answers)
    return evaluate(place.study, record, instance, today=today(place.subject.site.timezone))


def save_form(
    change: Change,
    place: FormPlace,
    answers: Answers,
    revision: int | None,
    overrides: dict[str, str] | None = None,
) -> Saved:
    """Store the answers of a form as they were given, with everything that follows from them.

    `answers` is the whole document as the page shows it; `revision` the one the page was opened with (None: new form).

    Raises:
        Forbidden, Refusal: who may not, or when it may not be (frozen, locked, before consent, after withdrawal).
        Stale: somebody saved it since.
        Invalid: hard findings. OverrideNeeded: protected findings without a reason. ReasonNeeded: a correction without.
    """
    access.require(change, "enter data", at=place.subject.site_id)
    _lock_subject(place.subject)
    _refuse_by_state(place)
    answers = _with_retained(place, answers)
    _refuse_stale(place, answers, revision)
    record = recording.record_of(place.subject, place.study)
    _refuse_before_consent(place)
    _refuse_before_reconsent(place, record)
    verdict = _judge_shown(place, record, autofill.fill(place, answers))
    reasons = _kept_overrides(place, overrides or {}, verdict.findings)
    _refuse_findings(change, place, verdict.findings, reasons)
    old = place.data.answers if place.data else {}
    differences = documents.diff(old, verdict.answers)
    if not differences and (place.data is None or reasons == place.data.overrides):
        return Saved(place.data, [], changed=False)
    if place.data is None and not _has_typed(place, answers):
        return Saved(None, [], changed=False)
    _require_reason(change, place, answers, differences)
    _refuse_frozen(place, differences)
    _refuse_undelegated(place, verdict, differences)
    known = {finding["check"] for finding in (place.data.findings if place.data else [])}
    data = _store(change, place, verdict, reasons)
    _mark_derived(change, data, answers, differences)
    paths = [path for path, _, _ in differences]
    consequences.follow(change, place.subject, place.study, record, data, paths)
    return Saved(data, [found for found in verdict.findings if found.check_id not in known], changed=True)


def saver(change: Change) -> str:
    """Who saved, as people call her."""
    return change.by.full_name if isinstance(change.by, User) else change.name


def _lock_subject(subject: Subject) -> None:
    """One save at a time per participant: what is derived across forms then never mixes two states."""
    selection = select(Subject).where(Subject.id == subject.id).with_for_update()
    db.session.scalars(selection.execution_options(populate_existing=True)).one()
    db.session.expire(subject, ["events"])


def _refuse_by_state(place: FormPlace) -> None:
    """Neither the form nor anything around it is frozen or locked; read again under the lock."""
    if place.data is None:
        around = (StudyEvent.protection, Subject.protection, Site.protection, Study.protection)
        selection = select(*around).join(Subject, Subject.id == StudyEvent.subject_id)
        selection = selection.join(Site, Site.id == Subject.site_id).join(Study, Study.id == Site.study_id)
        held = db.session.execute(selection.where(StudyEvent.id == place.event.id)).one()
        states.refuse_unless_open(states.strictest(*held))
        return
    if place.data.in_error is not None:
        raise Refusal("in-error")
    db.session.refresh(place.data, ["protection"])
    states.refuse_unless_open(place.data.protection)


def _refuse_stale(place: FormPlace, answers: Answers, revision: int | None) -> None:
    """The revision is read again under the lock, so two savers can never both believe theirs is the last."""
    selection = select(FormData).where(
        FormData.study_event_id == place.event.id,
        FormData.form_id == place.form.id,
        FormData.repeat == place.repeat,
    )
    stored = db.session.scalars(selection.execution_options(populate_existing=True)).first()
    if stored is None or (place.data is not None and revision == stored.revision):
        return
    differences = documents.diff(answers, stored.answers)
    shown = [(path, theirs, mine) for path, mine, theirs in differences if not autofill.is_automatic(place, path)]
    raise Stale(stored.saved_by, stored.saved_at, recording.local(stored.saved_at, place.subject.site), shown)


def _refuse_before_consent(place: FormPlace) -> None:
    """Nothing is entered before the consent itself (ACC-07, PRV-02), except the forms the consent rule reads."""
    consented = place.study.lifecycle.get("consented")
    if consented is None or place.subject.status != "screening" or place.form.id in consented.forms:
        return
    raise Refusal("needs-consent")


def _refuse_before_reconsent(place: FormPlace, record: SubjectRecord) -> None:
    """What an amendment adds is not entered before the participant consented to it."""
    waits = reconsenting.withheld(place.study, record, today(place.subject.site.timezone))
    if waits and place.data is None and (place.form.id in waits.forms or place.event.event_id in waits.events):
        raise Refusal("needs-reconsent")


def _with_retained(place: FormPlace, answers: Answers) -> Answers:
    """What an earlier version asked stays in the document, although no page shows it for correction any more."""
    kept = amendments.retained(place.study, place.form, place.data.answers) if place.data else {}
    return documents.apply(answers, kept.items()) if kept else answers


def _judge_shown(place: FormPlace, record: SubjectRecord, answers: Answers) -> Verdict:
    """Answers to questions that no longer apply are taken out; the trail keeps them (source: skip logic)."""
    verdict = _judge(place, record, answers)
    if not verdict.hidden_answered:
        return verdict
    return _judge(place, record, documents.apply(answers, [(path, None) for path in verdict.hidden_answered]))


def _kept_overrides(place: FormPlace, given: dict[str, str], findings: list[Finding]) -> dict[str, str]:
    failing = {found.check_id for found in findings if found.severity == "protected"}
    earlier = place.data.overrides if place.data else {}
    merged = {**earlier, **{check: reason.strip() for check, reason in given.items() if len(reason.strip()) >= 3}}
    return {check: reason for check, reason in merged.items() if check in failing}


def _refuse_findings(change: Change, place: FormPlace, findings: list[Finding], reasons: dict[str, str]) -> None:
    hard = [found for found in findings if found.severity == "hard"]
    if hard:
        raise Invalid(hard)
    protected = [found for found in findings if found.severity == "protected"]
    if any(found.check_id not in reasons for found in protected):
        raise OverrideNeeded(protected)
    earlier = place.data.overrides if place.data else {}
    new = set(reasons) - set(earlier)
    if new and not _may_override(change, place):
        raise Refusal("override-not-yours")


def _may_override(change: Change, place: FormPlace) -> bool:
    return not isinstance(change.by, User) or access.may(change.by, "override check", at=place.subject.site_id)


def _has_typed(place: FormPlace, answers: Answers) -> bool:
    """Whether anything but automatic values was given: an untouched form is not stored (DAT-04)."""
    return any(not autofill.is_automatic(place, path) for path, _ in documents.iter_cells(answers))


def _require_reason(
    change: Change, place: FormPlace, answers: Answers, differences: list[tuple[str, Any, Any]]
) -> None:
    """A change of a saved answer says why (AUD-07); a first answer and a derived value need no reason."""
    corrected = [path for path, old, _ in differences if old is not None and not autofill.is_automatic(place, path)]
    if corrected and len((change.reason or "").strip()) < 3:
        raise ReasonNeeded


def _refuse_frozen(place: FormPlace, differences: list[tuple[str, Any, Any]]) -> None:
    """Items can be frozen one by one; derived values of theirs go on."""
    if place.data is None:
        return
    review = db.session.scalars(select(Review).where(Review.form_data_id == place.data.id)).first()
    if review is None or not review.frozen:
        return
    frozen = {path for path, _ in documents.iter_cells(review.frozen)}
    if any(path in frozen and not autofill.is_automatic(place, path) for path, _, _ in differences):
        raise Refusal("item-frozen")


def _refuse_undelegated(place: FormPlace, verdict: Verdict, differences: list[tuple[str, Any, Any]]) -> None:
    """Who is named for a delegated task stood in the delegation log on the day of it (`delegated` in the form's text).

    Asked only when the name or the day changes, and only where the site keeps its log here.
    """
    changed = {path for path, _, _ in differences}
    for item in place.form.items:
        if item.delegated is None or item.delegated_on is None or not delegating.has_log(place.subject.site_id):
            continue
        for row in verdict.answers.get(item.group_id, {}):
            name_at, day_at = f"{item.group_id}/{row}/{item.id}", f"{item.group_id}/{row}/{item.delegated_on}"
            if name_at in changed or day_at in changed:
                named, day = documents.get(verdict.answers, name_at), documents.get(verdict.answers, day_at)
                if isinstance(named, str) and not isinstance(day, dict):
                    delegating.require_named(named, item.delegated, place.subject.site_id, day)


def _store(change: Change, place: FormPlace, verdict: Verdict, reasons: dict[str, str]) -> FormData:
    data = place.data
    if data is None:
        data = FormData(
            subject_id=place.subject.id,
            study_event_id=place.event.id,
            form_id=place.form.id,
            repeat=place.repeat,
            version_id=place.version_id,
            revision=0,
            protection="open",
        )
        db.session.add(data)
    data.answers = verdict.answers
    data.overrides = reasons
    data.findings = consequences.stored(verdict.findings)
    data.entry = "complete" if verdict.complete else "in_progress"
    data.revision += 1
    data.saved_at, data.saved_by = now(), saver(change)
    db.session.flush()
    change.about = f"form_data/{data.id}"
    return data


def _mark_derived(change: Change, data: FormData, answers: Answers, differences: list[tuple[str, Any, Any]]) -> None:
    """Name the system, not the person, as the source of what was computed or taken out (AUD-14)."""
    typed = dict(documents.iter_cells(answers))
    for path, _, new in differences:
        if typed.get(path) != new:
            change.derived_paths.add(f"form_data/{data.id}/answers/{path}")


def mark_in_error(change: Change, place: FormPlace) -> FormData:
    """Mark a whole record as entered in error. It stays readable for ever and counts for nothing (edge case 25).

    Raises:
        Forbidden, Refusal: who may not; no reason; nothing stored; frozen or locked.
    """
    access.require(change, "mark in error", at=place.subject.site_id)
    if len((change.reason or "").strip()) < 3:
        raise Refusal("bad-reason")
    _lock_subject(place.subject)
    _refuse_by_state(place)
    if place.data is None:
        raise Refusal("not-found")
    data = place.data
    data.in_error = (change.reason or "").strip()
    data.findings = []
    data.revision += 1
    data.saved_at, data.saved_by = now(), saver(change)
    paths = [path for path, _ in documents.iter_cells(data.answers)]
    record = recording.record_of(place.subject, place.study)
    consequences.follow(change, place.subject, place.study, record, data, paths)
    return data


def mark_not_done(change: Change, place: FormPlace, missing_code: str) -> FormData:
    """Say that a whole form was not done, with one of the study's missing reasons. From now on none of its items is waited
    for, and what reads them is judged again.

    Raises:
        Forbidden, Refusal: who may not; an unknown reason code; the form has answers.
        Stale: somebody saved it since.
    """
    access.require(change, "enter data", at=place.subject.site_id)
    if missing_code not in place.study.missing.codes:
        raise Refusal("invalid")
    _lock_subject(place.subject)
    _refuse_before_consent(place)
    if place.data is not None:
        raise Refusal("no-repeat")
    _refuse_by_state(place)
    _refuse_stale(place, {}, None)
    record = recording.record_of(place.subject, place.study)
    _refuse_before_reconsent(place, record)
    verdict = Verdict.empty()
    data = _store(change, place, verdict, {})
    data.entry, data.answers = "not_done", {"_form": {"1": {"_not_done": {"missing": missing_code}}}}
    consequences.follow(change, place.subject, place.study, record, data, _paths_of(place))
    return data


def _paths_of(place: FormPlace) -> list[str]:
    """Every item of a form and its children: all of them got their last word."""
    forms = (place.form, *(place.study.forms[child] for child in place.form.children))
    return [f"{item.group_id}/1/{item.id}" for form in forms for item in form.items]
