"""What a signature covers, whether it still holds, and proof of both.

A form under a signature is bound by a digest of exactly what was shown: identifiers, definitions, answers (SIG-03). A
change of answers, entry status or the mark "in error" breaks it and puts the form back on the investigator's list; a
query, a comment, a verification mark does not (SIG-09). Roll-ups of visits and casebooks are computed, never stored.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from models import (
    Change,
    ChangeEntries,
    FormData,
    Signature,
    SignedForm,
    Site,
    StudyVersion,
    Subject,
    db,
)
from models.clock import now
from models.commitments import canonical

CHUNK = 500


@dataclass(frozen=True)
class Step:
    """One old value that became another one: where, by whom, when and why."""

    path: str
    old: Any
    new: Any
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Unsound:
    """A signature that does not fit what it says it covers."""

    signature_id: int
    form_data_id: int | None
    sentence: str

    def __str__(self) -> str:
        at = f", form_data/{self.form_data_id}" if self.form_data_id else ""
        return f"signature/{self.signature_id}{at}: INVALID, {self.sentence}"


def digest_of(data: FormData, sha256: str) -> str:
    """The digest of a form as it stands: what is shown to a signer and stored when she signs.

    `sha256` is the hash of the study version it was answered under.
    """
    subject, event = data.subject, data.study_event
    covered = {
        "v": 1,
        "study": subject.site.study.oid,
        "site": subject.site.code,
        "subject": [subject.id, subject.screening_number],
        "event": [event.id, event.key],
        "form": [data.id, data.form_id, data.repeat],
        "version": sha256,
        "answers": data.answers,
        "entry": data.entry,
        "in_error": data.in_error,
    }
    return hashlib.sha256(canonical(covered)).hexdigest()


def seal_of(signature: Signature, forms: Iterable[tuple[int, int, str]]) -> str:
    """The digest of a signature: signer, meaning, time, delegation, statement, place and the digests of all forms."""
    covered = {
        "v": 1,
        "signer": [signature.user_id, signature.username, signature.full_name, signature.role],
        "meaning": [signature.meaning, signature.meaning_en, signature.meaning_zh],
        "at": signature.signed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "delegation": signature.delegation_id,
        "statement": signature.statement,
        "place": [signature.level, signature.subject_id, signature.study_event_id, signature.form_data_id],
        "forms": [list(each) for each in sorted(forms)],
    }
    return hashlib.sha256(canonical(covered)).hexdigest()


def version_hashes() -> dict[int, str]:
    """The hash of every published version by its id."""
    return {row.id: row.sha256 for row in db.session.execute(select(StudyVersion.id, StudyVersion.sha256))}


def break_signatures(change: Change, data: FormData, paths: list[str]) -> list[SignedForm]:
    """Break the signatures on a form of which anything signed changed; which they were.

    Moving a form to a later study version breaks nothing by itself: the digest is compared under every version.
    """
    if data.revision == 1 and paths:  # the first save: nobody can have signed it
        return []
    selection = select(SignedForm).where(SignedForm.form_data_id == data.id, SignedForm.broken_at.is_(None))
    held = list(db.session.scalars(selection.execution_options(populate_existing=True)))
    if not held:
        return []
    same = set() if paths else {digest_of(data, sha256) for sha256 in version_hashes().values()}
    broken = [each for each in held if each.digest not in same]
    for each in broken:
        each.broken_at = now()
        change.derived_paths.add(f"signed_form/{each.id}/broken_at")
    return broken


def states_of(form_data_ids: Iterable[int]) -> dict[int, str]:
    """`signed` or `broken` for each form that was ever signed: one statement per chunk."""
    ids, found = sorted(set(form_data_ids)), dict[int, str]()
    for start in range(0, len(ids), CHUNK):
        columns = select(SignedForm.form_data_id, SignedForm.broken_at)
        for row in db.session.execute(columns.where(SignedForm.form_data_id.in_(ids[start : start + CHUNK]))):
            if row.broken_at is None:
                found[row.form_data_id] = "signed"
            else:
                found.setdefault(row.form_data_id, "broken")
    return found


def roll_up(form_data_ids: Iterable[int], states: Mapping[int, str]) -> str:
    """What holds for a visit or casebook: `signed`, `part` (a new or changed form among signed ones), `unsigned`."""
    ids = list(form_data_ids)
    signed = sum(states.get(each) == "signed" for each in ids)
    if ids and signed == len(ids):
        return "signed"
    return "part" if any(each in states for each in ids) else "unsigned"


def on_form(data: FormData) -> list[SignedForm]:
    """Every signature on a form, valid and superseded, newest first."""
    selection = (
        select(SignedForm)
        .where(SignedForm.form_data_id == data.id)
        .options(joinedload(SignedForm.signature))
        .order_by(SignedForm.id.desc())
    )
    return list(db.session.scalars(selection))


def changed_since(forms: Mapping[int, datetime], subject_ids: Iterable[int]) -> dict[int, list[Step]]:
    """What changed in forms since an instant each, from the trail: old and new value, by whom, when and why."""
    found: dict[int, list[Step]] = defaultdict(list)
    if not forms:
        return found
    prefixes = {f"form_data/{each}/": each for each in forms}
    selection = (
        select(Change, ChangeEntries)
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.subject_id.in_(list(subject_ids)), Change.at > min(forms.values()))
        .order_by(Change.id)
    )
    for change, body in db.session.execute(selection):
        for entry in body.entries:
            table, key, *rest = entry["path"].split("/")
            form_id = prefixes.get(f"{table}/{key}/")
            if form_id is None or change.at <= forms[form_id] or rest[0] not in ("answers", "in_error", "entry"):
                continue
            path = "/".join(rest[1:]) or rest[0]
            found[form_id].append(
                Step(
                    path,
                    entry["old"],
                    entry["new"],
                    change.at,
                    entry.get("source") or change.user_name,
                    body.reason or "",
                )
            )
    return found


def since_signed(forms: Iterable[FormData]) -> dict[int, list[Step]]:
    """What changed in each form since it was signed last: what the next signer is shown."""
    held = {data.id: data for data in forms}
    rows = db.session.execute(
        select(SignedForm.form_data_id, Signature.signed_at)
        .join(Signature, Signature.id == SignedForm.signature_id)
        .where(SignedForm.form_data_id.in_(list(held)))
        .order_by(SignedForm.id)
    )
    last = {row.form_data_id: row.signed_at for row in rows}
    return changed_since(last, {held[each].subject_id for each in last})


def verify_signatures() -> list[Unsound]:
    """Compute every digest again (SIG-03): signatures that were copied, moved or edited, and forms that changed under one.

    A form that an amendment moved to a later version is compared under the version it was signed under, if the trail
    tells of the move; a version changed in any other way does not fit.
    """
    hashes, found, seen = version_hashes(), [], dict[str, int]()
    for signature in _all_signatures():
        forms = [(each.form_data_id, each.revision, each.digest) for each in signature.forms]
        if seal_of(signature, forms) != signature.digest:
            found.append(Unsound(signature.id, None, "it is not what was signed"))
        if signature.digest in seen:
            found.append(Unsound(signature.id, None, f"it is a copy of signature/{seen[signature.digest]}"))
        seen.setdefault(signature.digest, signature.id)
        for each in signature.forms:
            if each.broken_at is None and not _fits(each, hashes):
                found.append(Unsound(signature.id, each.form_data_id, "the form is not as it was signed"))
    return found


def _all_signatures() -> Iterable[Signature]:
    selection = select(Signature).order_by(Signature.id)
    forms = selectinload(Signature.forms).joinedload(SignedForm.form_data)
    selection = selection.options(
        forms.joinedload(FormData.subject).joinedload(Subject.site).joinedload(Site.study),
        forms.joinedload(FormData.study_event),
    )
    yield from db.session.scalars(selection.execution_options(yield_per=CHUNK, populate_existing=True))


def _fits(signed: SignedForm, hashes: Mapping[int, str]) -> bool:
    data = signed.form_data
    if digest_of(data, hashes.get(data.version_id, "")) == signed.digest:
        return True
    return any(digest_of(data, hashes.get(each, "")) == signed.digest for each in _earlier_versions(data))


def _earlier_versions(data: FormData) -> list[int]:
    """The versions a form was moved away from, as the trail tells; none when somebody else moved it."""
    path = f"form_data/{data.id}/version_id"
    selection = (
        select(ChangeEntries.entries)
        .join(Change, Change.id == ChangeEntries.change_id)
        .where(or_(Change.subject_id == data.subject_id, Change.subject_id.is_(None)))
        .order_by(Change.id)
    )
    moves = [each for body in db.session.scalars(selection) for each in body if each["path"] == path]
    if not moves or moves[-1]["new"] != data.version_id:
        return []
    return [each["old"] for each in moves if each["old"] is not None]
