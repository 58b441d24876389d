"""Signing forms, visits and casebooks: what was shown, and nothing else, by who may, with her password each time.

The page shows forms with revision and digest. What changed meanwhile, is not complete, or waits for an answer is left
out and told; the rest is signed (SIG-13, ACC-07). User name and password are asked for at every signing (SIG-06,
"always both"); failures count towards the lockout and stand in the trail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from models import FormData, Query, Signature, SignedForm, Subject, User, db
from models.change import Change
from models.clock import now, today
from workflows import access, delegating, finding, passwords, querying, recording, signatures, signing_in
from workflows.refusals import Refusal

LEVELS = ("form", "event", "casebook")
MEANINGS: dict[str, tuple[str, str]] = {
    "approve": (
        "I have reviewed these data and approve them as accurate, complete and consistent with the source.",
        "本人已审阅上述数据，确认其准确、完整并与源数据一致。",
    ),
    "review": ("I have reviewed these data.", "本人已审阅上述数据。"),
    "responsible": ("I am responsible for these data as principal investigator.", "本人作为主要研究者对上述数据负责。"),
}
STATEMENT_VERSION = "1"
STATEMENT = (
    "My electronic signature is legally binding, the same as my handwritten one. I answer for everything done with it "
    "and give my password to nobody.",
    "本人的电子签名与手写签名具有同等法律效力。本人对使用该签名的一切行为负责，且不向任何人透露密码。",
)


@dataclass(frozen=True)
class Shown:
    """What the page showed of one form."""

    form_data_id: int
    revision: int
    digest: str


@dataclass(frozen=True)
class Candidate:
    """A form in the scope of a signature: its digest now, its state, and why it cannot be signed (None: it can)."""

    data: FormData
    digest: str
    state: str  # signed, broken or unsigned
    refusal: Refusal | None


@dataclass(frozen=True)
class Outcome:
    """A signature, and the forms that were left out with the reason."""

    signature: Signature
    left_out: list[tuple[FormData, Refusal]]


# What keeps a form from being signed, in the order in which it is told (ACC-07).
CONDITIONS: tuple[tuple[str, Callable[[FormData, frozenset[int]], bool]], ...] = (
    ("locked", lambda data, asked: data.protection == "locked"),
    ("sign-incomplete", lambda data, asked: data.entry == "in_progress" and data.in_error is None),
    ("sign-queries", lambda data, asked: data.id in asked),
)


def candidates(subject: Subject, event_id: int | None = None, form_data_id: int | None = None) -> list[Candidate]:
    """Every stored form of a casebook, of one visit, or one form, with what stands against signing it."""
    held = [
        data
        for data in recording.forms_of(subject)
        if event_id in (None, data.study_event_id) and form_data_id in (None, data.id)
    ]
    hashes, asked = signatures.version_hashes(), _asked(subject, held)
    states = signatures.states_of(data.id for data in held)
    return [
        Candidate(
            data,
            signatures.digest_of(data, hashes[data.version_id]),
            states.get(data.id, "unsigned"),
            _against(data, asked),
        )
        for data in held
    ]


def sign(
    user: User,
    subject: Subject,
    level: str,
    shown: Sequence[Shown],
    *,
    meaning: str,
    statement: str,
    username: str,
    password: str,
    address: str,
    event_id: int | None = None,
) -> Outcome:
    """Sign what was shown of a participant. The password is checked first, outside of the change it leads to.

    Raises:
        Forbidden: the role signs nothing here.
        Refusal: not delegated that day; name or password not right, or paused; a meaning that is not on the list; an
            old statement; nothing that was shown can be signed (`sign-nothing`, or the one reason there is).
    """
    access.require(user, "sign", at=subject.site_id)
    _delegation(user, subject)
    if meaning not in MEANINGS or level not in LEVELS:
        raise Refusal("sign-meaning")
    if statement != STATEMENT_VERSION:
        raise Refusal("sign-statement")
    same = passwords.name_key(username) == user.name_key
    signing_in.confirm(user, password if same else "", address)
    chain = subject.site.study.oid
    with Change(by=user, action="sign", subject=subject, site=subject.site, chain=chain) as change:
        return _sign(change, user, subject, level, shown, meaning, event_id)


def to_sign(user: User) -> list[tuple[Subject, dict[str, int]]]:
    """The investigator's list: participants with forms that wait for a signature, and how many are new or changed."""
    sites = [site.id for site in finding.sites(user, "sign")]
    columns = select(FormData.id, FormData.subject_id).join(Subject, Subject.id == FormData.subject_id)
    waiting = columns.where(Subject.site_id.in_(sites), FormData.protection != "locked")
    rows = [(row.id, row.subject_id) for row in db.session.execute(waiting)]
    states = signatures.states_of(form_id for form_id, _ in rows)
    counts: dict[int, dict[str, int]] = {}
    for form_id, subject_id in rows:
        state = states.get(form_id, "unsigned")
        counts.setdefault(subject_id, {"unsigned": 0, "broken": 0, "signed": 0})[state] += 1
    due = {key for key, each in counts.items() if each["unsigned"] or each["broken"]}
    selection = select(Subject).where(Subject.id.in_(due)).order_by(Subject.screening_number)
    found = [(subject, counts[subject.id]) for subject in db.session.scalars(selection)]
    return sorted(found, key=lambda each: -each[1]["broken"])


def _sign(
    change: Change,
    user: User,
    subject: Subject,
    level: str,
    shown: Sequence[Shown],
    meaning: str,
    event_id: int | None,
) -> Outcome:
    grant = access.require(change, "sign", at=subject.site_id)
    querying.lock_subjects([subject.id])
    delegation = _delegation(user, subject)
    agreed, left_out = _agreed(user, subject, shown, meaning, event_id)
    if not agreed:
        codes = {refusal.code for _, refusal in left_out}
        raise left_out[0][1] if len(codes) == 1 else Refusal("sign-nothing")
    if level == "form" and len(agreed) != 1:
        raise Refusal("invalid")
    signature = Signature(
        subject_id=subject.id,
        level=level,
        study_event_id=event_id if level == "event" else None,
        form_data_id=agreed[0].data.id if level == "form" else None,
        user_id=user.id,
        username=user.username,
        full_name=user.full_name,
        role=grant.role if grant else "",
        delegation_id=delegation.id if delegation else None,
        meaning=meaning,
        meaning_en=MEANINGS[meaning][0],
        meaning_zh=MEANINGS[meaning][1],
        statement=STATEMENT_VERSION,
        signed_at=now(),
    )
    forms = [(each.data.id, each.data.revision, each.digest) for each in agreed]
    signature.digest = signatures.seal_of(signature, forms)
    db.session.add(signature)
    db.session.flush()
    for form_data_id, revision, digest in forms:
        db.session.add(
            SignedForm(signature_id=signature.id, form_data_id=form_data_id, revision=revision, digest=digest)
        )
    db.session.flush()
    change.about = f"signature/{signature.id}"
    return Outcome(signature, left_out)


def _agreed(
    user: User, subject: Subject, shown: Sequence[Shown], meaning: str, event_id: int | None
) -> tuple[list[Candidate], list[tuple[FormData, Refusal]]]:
    """The forms that are as they were shown and can be signed, and the others with the reason."""
    here = {each.data.id: each for each in candidates(subject, event_id)}
    mine = _signed_by(user, meaning, here)
    agreed, left_out = [], []
    for each in {each.form_data_id: each for each in shown}.values():
        found = here.get(each.form_data_id)
        if found is None:
            raise Refusal("not-found")
        refusal = found.refusal
        if (found.data.revision, found.digest) != (each.revision, each.digest):
            refusal = Refusal("sign-moved", by=found.data.saved_by)
        elif refusal is None and found.data.id in mine:
            refusal = Refusal("sign-already")
        if refusal is None:
            agreed.append(found)
        else:
            left_out.append((found.data, refusal))
    return agreed, left_out


def _signed_by(user: User, meaning: str, form_data_ids: Any) -> set[int]:
    selection = (
        select(SignedForm.form_data_id)
        .join(Signature, Signature.id == SignedForm.signature_id)
        .where(SignedForm.form_data_id.in_(list(form_data_ids)), SignedForm.broken_at.is_(None))
        .where(Signature.user_id == user.id, Signature.meaning == meaning)
    )
    return set(db.session.scalars(selection))


def _delegation(user: User, subject: Subject) -> Any:
    site = subject.site
    return delegating.require_delegated(user, "sign", site.id, today(site.timezone))


def _against(data: FormData, asked: frozenset[int]) -> Refusal | None:
    return next((Refusal(code) for code, holds in CONDITIONS if holds(data, asked)), None)


def _asked(subject: Subject, held: Sequence[FormData]) -> frozenset[int]:
    """The forms with a query that nobody answered yet."""
    columns = select(Query.study_event_id, Query.form_id, Query.repeat)
    rows = db.session.execute(columns.where(Query.subject_id == subject.id, Query.status == "open"))
    places = {tuple(row) for row in rows}
    return frozenset(data.id for data in held if (data.study_event_id, data.form_id, data.repeat) in places)
