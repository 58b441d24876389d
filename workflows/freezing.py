"""Freezing, unfreezing and locking: items, a form, a visit, a participant, a site, the study; and unlocking by two.

A preview and the act itself judge by the same table, the act under the locks of all participants it touches. What
cannot be locked is left out and told. The scope itself is protected only when nothing in it is left out, so that
nothing new starts there (DAT-13). Unlocking leads to frozen, after a second person confirmed the first one's reason.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from design import answers as documents
from models import FormData, Query, Review, Site, Study, StudyEvent, Subject, UnlockRequest, User, db
from models.change import Change
from models.clock import now
from workflows import access, finding, planning_verification, querying, signatures, states
from workflows.refusals import Forbidden, Refusal

Target = FormData | StudyEvent | Subject | Site | Study
KINDS: dict[type[Any], str] = {
    FormData: "form",
    StudyEvent: "event",
    Subject: "subject",
    Site: "site",
    Study: "study",
}
ACTIONS = {"freeze": "freeze", "unfreeze": "freeze", "lock": "lock"}


@dataclass(frozen=True)
class Known:
    """What the conditions read besides the form: open queries, signatures, items left to verify."""

    queried: frozenset[tuple[int | None, str | None, int | None]]
    signed: dict[int, str]
    unverified: frozenset[int]


# What holds before a form is locked; a study that asks less names what it asks in `rules.lock_needs`.
CONDITIONS: dict[str, Callable[[FormData, Known], bool]] = {
    "complete": lambda data, known: data.entry != "in_progress",
    "queries": lambda data, known: (data.study_event_id, data.form_id, data.repeat) not in known.queried,
    "signed": lambda data, known: known.signed.get(data.id) == "signed",
    "verified": lambda data, known: data.id not in known.unverified,
}
WHY: dict[str, tuple[str, str]] = {
    "complete": ("not complete", "未完成"),
    "queries": ("open queries", "有未关闭的质疑"),
    "signed": ("not signed as it stands", "当前内容未签名"),
    "verified": ("required items not verified", "必核项目未核查"),
}
_COUNTS_NOT_IN_ERROR = ("complete", "verified")  # a record in error counts for nothing, but is signed and asked about


@dataclass
class Preview:
    """What an act would do: forms that change, forms left out with the reasons, forms where there is nothing to do."""

    included: list[FormData] = field(default_factory=list)
    excluded: list[tuple[FormData, list[str]]] = field(default_factory=list)
    already: int = 0
    scope: bool = False  # whether the scope itself changes, so that nothing new starts in it (or may again)


def preview(user: User, target: Target, act: str) -> Preview:
    """What would be frozen, unfrozen or locked, and what not and why.

    Raises:
        Forbidden: the role may not do this here.
    """
    _require(user, act, target)
    return _judge(target, act)


def protect(change: Change, target: Target, act: str) -> Preview:
    """Freeze, unfreeze or lock; what was done and what was left out.

    Raises:
        Forbidden: the role may not do this here.
        Refusal: there is nothing that could be.
    """
    _require(change, act, target)
    _lock_around(target)
    done = _judge(target, act)
    if not done.included and not done.scope:
        raise Refusal("protect-nothing", act=states.ACT_WORDS[act])
    for data in done.included:
        data.protection = states.next_state(states.PROTECTION, data.protection, act)
    if done.scope:
        target.protection = states.next_state(states.PROTECTION, target.protection, act)
    change.about = f"{target.__tablename__}/{target.id}"
    db.session.flush()
    return done


def freeze_items(change: Change, data: FormData, paths: Iterable[str], act: str = "freeze") -> int:
    """Freeze or unfreeze single items of a form; how many. Queries, marks and signatures on them go on.

    Raises:
        Forbidden: the role may not.
        Refusal: locked; an item that is not there; nothing to do.
    """
    access.require(change, "freeze", at=data.subject.site_id)
    querying.lock_subjects([data.subject_id])
    db.session.refresh(data)
    states.refuse_locked(data.protection)
    known = finding.design(data.version_id).forms[data.form_id]
    selection = select(Review).where(Review.form_data_id == data.id).execution_options(populate_existing=True)
    review = db.session.scalars(selection).first()
    marks = review.frozen if review else {}
    mark = {"at": now().isoformat(), "by": change.by.id if isinstance(change.by, User) else 0}
    changes: list[tuple[str, Any]] = []
    for path in dict.fromkeys(paths):
        group, _, rest = path.partition("/")
        if path.count("/") != 2 or not _asks(known, group, rest.rpartition("/")[2]):
            raise Refusal("invalid")
        if (documents.get(marks, path) is None) is (act == "freeze"):
            changes.append((path, mark if act == "freeze" else None))
    if not changes:
        raise Refusal("protect-nothing", act=states.ACT_WORDS[act])
    if review is None:
        review = Review(form_data_id=data.id, subject_id=data.subject_id, verified={}, frozen={})
        db.session.add(review)
    review.frozen = documents.apply(marks, changes)
    change.about = f"form_data/{data.id}"
    db.session.flush()
    return len(changes)


def is_locked(target: Target) -> bool:
    """Whether the scope or anything in it is locked, so that unlocking can be asked for."""
    return target.protection == "locked" or any(data.protection == "locked" for data in forms_in(target))


def frozen_items(form_data_id: int) -> list[str]:
    """The paths of the items of a form that are frozen one by one."""
    review = db.session.scalars(select(Review).where(Review.form_data_id == form_data_id)).first()
    return [path for path, _ in documents.iter_cells(review.frozen)] if review else []


def request_unlock(change: Change, target: Target) -> UnlockRequest:
    """Ask for unlocking, with a reason; nothing is unlocked yet.

    Raises:
        Forbidden: the role may not. Refusal: no reason; nothing locked; asked for already.
    """
    _require(change, "unlock", target)
    if len((change.reason or "").strip()) < 3 or not isinstance(change.by, User):
        raise Refusal("bad-reason")
    _lock_around(target)
    if not _judge(target, "unlock").included and target.protection != "locked":
        raise Refusal("protect-nothing", act=states.ACT_WORDS["unlock"])
    kind = KINDS[type(target)]
    selection = select(UnlockRequest.id).where(UnlockRequest.kind == kind, UnlockRequest.target_id == target.id)
    if db.session.scalars(selection.where(UnlockRequest.status == "open")).first() is not None:
        raise Refusal("unlock-asked")
    subject, site = _place(target)
    request = UnlockRequest(
        kind=kind,
        target_id=target.id,
        site_id=site.id if site else None,
        subject_id=subject.id if subject else None,
        reason=(change.reason or "").strip(),
        status="open",
        requested_by=change.by.full_name,
        requested_by_id=change.by.id,
        requested_at=now(),
    )
    db.session.add(request)
    db.session.flush()
    change.about = f"unlock_request/{request.id}"
    return request


def decide_unlock(change: Change, request: UnlockRequest, confirm: bool) -> None:
    """Confirm or decline what another person asked for; confirmed, what was locked is frozen.

    Raises:
        Forbidden: the role may not. Refusal: one's own request; decided already; no longer locked.
    """
    target = target_of(request)
    _require(change, "confirm unlock", target)
    _lock_around(target)
    db.session.refresh(request)
    if request.status != "open":
        raise Refusal("unlock-decided")
    if isinstance(change.by, User) and change.by.id == request.requested_by_id:
        raise Refusal("unlock-two")
    if confirm:
        held = _judge(target, "unlock")
        if not held.included and target.protection != "locked":
            raise Refusal("protect-nothing", act=states.ACT_WORDS["unlock"])
        for each in (*held.included, *([target] if target.protection == "locked" else [])):
            each.protection = "frozen"
    request.status = "confirmed" if confirm else "declined"
    request.decided_by = change.by.full_name if isinstance(change.by, User) else change.name
    request.decided_at = now()
    change.about = f"unlock_request/{request.id}"
    db.session.flush()


def target_of(request: UnlockRequest) -> Any:
    """What a request is about."""
    model = next(model for model, kind in KINDS.items() if kind == request.kind)
    return db.session.get_one(model, request.target_id)


def since_unlocked(target: Target, forms: Sequence[FormData]) -> dict[int, list[signatures.Step]]:
    """What changed in forms since they were unlocked last: shown before they are locked again (DAT-13)."""
    selection = select(UnlockRequest).where(UnlockRequest.status == "confirmed").order_by(UnlockRequest.id)
    site = _place(target)[1]
    if site is not None:
        selection = selection.where(or_(UnlockRequest.site_id == site.id, UnlockRequest.site_id.is_(None)))
    requests = list(db.session.scalars(selection))
    since: dict[int, datetime] = {}
    for data in forms:
        at = [each.decided_at for each in requests if each.decided_at and _is_about(each, data)]
        if at:
            since[data.id] = max(at)
    return signatures.changed_since(since, {data.subject_id for data in forms if data.id in since})


def _is_about(request: UnlockRequest, data: FormData) -> bool:
    here = {
        "form": data.id,
        "event": data.study_event_id,
        "subject": data.subject_id,
        "site": data.subject.site_id,
        "study": data.subject.study_id,
    }
    return here[request.kind] == request.target_id


def _asks(form: Any, group: str, item: str) -> bool:
    return any(each.group_id == group and each.id == item for each in form.items)


def _require(by: Change | User, act: str, target: Target) -> None:
    action = ACTIONS.get(act, act)
    site = _place(target)[1]
    user = by.by if isinstance(by, Change) else by
    if site is None and isinstance(user, User) and access.sites_for(user, action) is not None:
        raise Forbidden(action=access.ACTIONS[action])
    access.require(by, action, at=site)


def _place(target: Target) -> tuple[Subject | None, Site | None]:
    if isinstance(target, FormData | StudyEvent):
        return target.subject, target.subject.site
    if isinstance(target, Subject):
        return target, target.site
    return None, target if isinstance(target, Site) else None


def _subjects(target: Target) -> Select[Any]:
    if isinstance(target, Study):
        return select(Subject.id).where(Subject.study_id == target.id)
    if isinstance(target, Site):
        return select(Subject.id).where(Subject.site_id == target.id)
    subject = _place(target)[0]
    assert subject is not None
    return select(Subject.id).where(Subject.id == subject.id)


def _lock_around(target: Target) -> None:
    """Queue behind everything that could change or start something here: participants first, then the study, as
    enrolment does; screening takes the study alone."""
    querying.lock_subjects(list(db.session.scalars(_subjects(target))))
    if isinstance(target, Study | Site):
        study_id = target.id if isinstance(target, Study) else target.study_id
        db.session.scalars(select(Study).where(Study.id == study_id).with_for_update()).one()
    db.session.refresh(target)


def forms_in(target: Target) -> list[FormData]:
    """Every stored form of a scope, with participant and visit, in the order of both: one statement."""
    selection = (
        select(FormData)
        .join(Subject, Subject.id == FormData.subject_id)
        .join(StudyEvent, StudyEvent.id == FormData.study_event_id)
        .options(joinedload(FormData.subject).joinedload(Subject.site), joinedload(FormData.study_event))
        .order_by(Subject.screening_number, StudyEvent.position, FormData.form_id, FormData.repeat)
        .execution_options(populate_existing=True)
    )
    if isinstance(target, FormData):
        selection = selection.where(FormData.id == target.id)
    elif isinstance(target, StudyEvent):
        selection = selection.where(FormData.study_event_id == target.id)
    else:
        selection = selection.where(FormData.subject_id.in_(_subjects(target)))
    return list(db.session.scalars(selection))


def _judge(target: Target, act: str) -> Preview:
    held, found = forms_in(target), Preview()
    known = what_is_known(target, held) if act == "lock" else None
    for data in held:
        if (data.protection, act) not in states.PROTECTION:
            found.already += 1
        elif known is not None and (reasons := against(data, known)):
            found.excluded.append((data, reasons))
        else:
            found.included.append(data)
    possible = not isinstance(target, FormData) and (target.protection, act) in states.PROTECTION
    found.scope = possible and not found.excluded
    return found


def against(data: FormData, known: Known) -> list[str]:
    """Which conditions of `CONDITIONS` stand against locking a form, of those its study asks for."""
    needs = finding.design(data.version_id).rules.lock_needs
    asked = [need for need in needs if data.in_error is None or need not in _COUNTS_NOT_IN_ERROR]
    return [need for need in asked if not CONDITIONS[need](data, known)]


def what_is_known(target: Target, held: Sequence[FormData]) -> Known:
    """Queries that are not closed, signatures and items left to verify of the forms of a scope."""
    columns = select(Query.study_event_id, Query.form_id, Query.repeat)
    open_ones = columns.where(Query.subject_id.in_(_subjects(target)), Query.status.in_(("open", "answered")))
    sites = list({data.subject.site_id: data.subject.site for data in held}.values())
    ids = sorted({data.subject_id for data in held}) if _place(target)[0] is not None else None
    counted = planning_verification.count(sites, ids) if sites else ()
    return Known(
        queried=frozenset((row.study_event_id, row.form_id, row.repeat) for row in db.session.execute(open_ones)),
        signed=signatures.states_of(data.id for data in held),
        unverified=frozenset(each.form_data_id for each in counted if each.tally.left),
    )
