"""Settling proposed deviations: record one in the study's own form, dismiss it, and the investigator's acknowledgement."""

from typing import Any

from design.definitions import DeviationForm, StudyDef
from models import Deviation, Site, Subject, User, db
from models.change import Change
from models.clock import now
from workflows import access, delegating, entering, finding, states
from workflows.querying import lock_subjects
from workflows.refusals import Refusal


def form_of(study: StudyDef) -> DeviationForm:
    """Where this study version writes deviations.

    Raises:
        Refusal: it does not say.
    """
    if study.deviations is None:
        raise Refusal("deviation-no-form")
    return study.deviations


def record(change: Change, deviation: Deviation, category: str, severity: str, term: str, day: str) -> Deviation:
    """Write a proposed deviation into the study's deviation form; further items are answered there.

    Raises:
        Forbidden, Invalid, Refusal: as for any save; settled already; the study names no form for it.
    """
    access.require(change, "record deviation", at=deviation.site_id)
    user = _person(change)
    _lock(deviation, "proposed")
    subject = db.session.get_one(Subject, deviation.subject_id)
    study = finding.design_for(subject.site)
    named = form_of(study)
    given = {named.category: category, named.severity: severity, named.term: term.strip(), named.date: day}
    answers: dict[str, Any] = {}
    for item_id, value in given.items():
        if value:
            answers.setdefault(study.items[item_id].group_id, {}).setdefault("1", {})[item_id] = value
    _refuse_codes(study, named, category, severity)
    if not term.strip() or not day:
        raise Refusal("invalid")
    place = finding.place(user, subject.id, _log_of(study, subject, named.form), named.form, None)
    saved = entering.save_form(change, place, answers, None).data
    deviation.form_data_id = saved.id if saved else None
    _settle(change, deviation, "recorded")
    return deviation


def _person(change: Change) -> User:
    if not isinstance(change.by, User):
        raise Refusal("forbidden", action=access.ACTIONS["record deviation"])
    return change.by


def _refuse_codes(study: StudyDef, named: DeviationForm, category: str, severity: str) -> None:
    for item_id, code in ((named.category, category), (named.severity, severity)):
        if code not in study.options_for(study.items[item_id]):
            raise Refusal("invalid")


def _log_of(study: StudyDef, subject: Subject, form_id: str) -> str:
    """The key of the participant's log that holds the form."""
    logs = {each.id for each in study.events.values() if any(form.form_id == form_id for form in each.forms)}
    found = next((event for event in subject.events if event.event_id in logs), None)
    if found is None:
        raise Refusal("deviation-no-form")
    return found.key


def dismiss(change: Change, deviation: Deviation) -> Deviation:
    """Say that a proposed deviation is none; the change carries the reason.

    Raises:
        Forbidden: the role may not. Refusal: no reason; settled already.
    """
    access.require(change, "record deviation", at=deviation.site_id)
    reason = (change.reason or "").strip()
    if len(reason) < 3:
        raise Refusal("bad-reason")
    _lock(deviation, "proposed")
    deviation.why = reason
    _settle(change, deviation, "dismissed")
    return deviation


def acknowledge(change: Change, deviation: Deviation) -> Deviation:
    """The principal investigator has seen a recorded deviation.

    Raises:
        Forbidden: the role may not.
        Refusal: not recorded, or acknowledged already; locked; another than the principal investigator.
    """
    access.require(change, "acknowledge deviation", at=deviation.site_id)
    _refuse_other_investigators(change, deviation)
    _lock_subject(deviation)
    if deviation.status != "recorded" or deviation.acknowledged_at is not None:
        raise Refusal("deviation-not-recorded")
    deviation.acknowledged_by, deviation.acknowledged_at = entering.saver(change), now()
    change.about = f"deviation/{deviation.id}"
    return deviation


def _lock(deviation: Deviation, status: str) -> None:
    """Behind every save of the participant: a save may withdraw what somebody is about to record."""
    _lock_subject(deviation)
    if deviation.status != status:
        raise Refusal("deviation-settled")


def _lock_subject(deviation: Deviation) -> None:
    """Nothing about a participant moves once she is locked (DAT-13)."""
    lock_subjects([deviation.subject_id])
    db.session.refresh(deviation)
    if states.protection_around(db.session.get_one(Subject, deviation.subject_id)) == "locked":
        raise Refusal("locked")


def _refuse_other_investigators(change: Change, deviation: Deviation) -> None:
    """Where the site keeps its delegation log here, it says who the principal investigator is."""
    site = db.session.get_one(Site, deviation.site_id)
    if delegating.has_log(site.id) and delegating.principal_of(site) != _person(change).id:
        raise Refusal("not-principal")


def _settle(change: Change, deviation: Deviation, status: str) -> None:
    deviation.status = status
    deviation.settled_by, deviation.settled_at = entering.saver(change), now()
    change.about = f"deviation/{deviation.id}"
    db.session.flush()
