"""Possible duplicate persons across centres: found by a keyed hash, told without an identity, settled by a person.

The hash is of the items the study names (`person_key`); it is never shown and never exported (edge case 7).
"""

import hashlib
import hmac

from sqlalchemy import select

from design.definitions import StudyDef
from design.record import SubjectRecord
from models import Study, Subject, User, db
from models.change import Change
from workflows import access, finding
from workflows.refusals import Refusal


def mark(subject: Subject, study: StudyDef, record: SubjectRecord) -> None:
    """Compare the identifying items with everybody's, when they changed; a correction takes an alert back as well."""
    key = _key(subject, study, record)
    if key == subject.person_key:
        return
    before = _alike(subject)
    subject.person_key = key
    found = _alike(subject)
    for other in [subject, *found] if found else []:
        _set(other, True)
    if not found:
        _set(subject, False)
    for other in before:
        if not _alike(other):
            _set(other, False)


def _set(subject: Subject, is_possible: bool) -> None:
    if subject.possible_duplicate != is_possible:
        subject.possible_duplicate = is_possible


def _key(subject: Subject, study: StudyDef, record: SubjectRecord) -> str | None:
    values = [record.only(item, study) for item in study.rules.person_key]
    if not values or any(value is None for value in values):
        return None
    secret = db.session.get_one(Study, subject.study_id).secret
    text = "\x1f".join(str(value) for value in values)
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()


def _alike(subject: Subject) -> list[Subject]:
    """The others with the same key who are not the same person's earlier or later screening."""
    if subject.person_key is None:
        return []
    selection = select(Subject).where(Subject.person_key == subject.person_key, Subject.study_id == subject.study_id)
    known = {subject.id, subject.previous_id}
    with db.session.no_autoflush:
        same = db.session.scalars(selection)
        return [
            other
            for other in same
            if other.id not in known and other.previous_id != subject.id and other.person_key == subject.person_key
        ]


def of(user: User, subject: Subject) -> list[Subject]:
    """The other participants who may be the same person, at sites where the user may resolve it (SEC-19)."""
    if not subject.person_key:
        return []
    selection = finding.subjects(user, "resolve duplicate")
    same = selection.where(Subject.person_key == subject.person_key, Subject.id != subject.id)
    return list(db.session.scalars(same.where(Subject.possible_duplicate.is_(True))))


def dismiss(change: Change, subject: Subject) -> list[Subject]:
    """Say that they are different persons: the alert ends for all of them, until identifying items change again.

    Raises:
        Forbidden: the role may not, here or at the others' sites. Refusal: no reason, or there is no alert.
    """
    access.require(change, "resolve duplicate", at=subject.site_id)
    if len((change.reason or "").strip()) < 3:
        raise Refusal("bad-reason")
    if not subject.possible_duplicate:
        raise Refusal("no-duplicate")
    found = [subject, *_alike(subject)]
    for other in found:
        access.require(change, "resolve duplicate", at=other.site_id)
    for other in found:
        _set(other, False)
    change.about = f"subject/{subject.id}"
    return found
