"""Marking what was compared with the source, item by item (DAT-11).

What was shown is what is verified: whoever verifies sends the revision of each form she saw, and a form that changed
since keeps its marks as they are. A mark says who, when, and at which monitoring visit. It is taken back by a person
with a reason, or by the system when the item changes: that mark alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from design import answers as documents
from design.answers import ERROR
from models import FormData, Review, Subject, User, db
from models.change import Change
from models.clock import now, today
from workflows import access, delegating, finding, monitoring, planning_verification, states
from workflows.querying import lock_subjects
from workflows.refusals import Refusal


@dataclass(frozen=True)
class Shown:
    """What a page showed of one form: its revision, and the paths of the items that are meant."""

    form_data_id: int
    revision: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of several forms: items that got a mark, and forms that were left out, with the reason."""

    items: int
    forms: int
    left_out: list[tuple[FormData, Refusal]]


def verify_items(change: Change, data: FormData, revision: int, paths: Iterable[str]) -> int:
    """Mark single items, asked for by a plan or not; how many got a mark that had none.

    Raises:
        Forbidden: the role verifies nothing here.
        Refusal: in error; locked; changed since `revision`; an item that is empty or that nobody typed (ACC-07).
    """
    _require(change, data.subject)
    _read_again(data)
    return _mark(change, data, revision, list(dict.fromkeys(paths)))


def verify_form(change: Change, data: FormData, revision: int) -> int:
    """Mark everything in a form that the plan asks for and that has an answer or a missing reason.

    Raises:
        Forbidden, Refusal: as `verify_items`; nothing is left to verify.
    """
    _require(change, data.subject)
    _read_again(data)
    done = _mark(change, data, revision, _asked(data, planning_verification.Plans.of([data.subject.site])))
    if not done:
        raise Refusal("sdv-nothing")
    return done


def verify_forms(change: Change, subject: Subject, shown: Sequence[Shown]) -> Outcome:
    """Mark what was shown of several forms of a participant, a whole visit at a stroke.

    Only what the plan asks for is marked. A form that cannot be (changed meanwhile, locked, in error) is left out and
    told; it does not stop the others.

    Raises:
        Forbidden: the role verifies nothing here.
        Refusal: nothing at all could be marked: why, when there is one reason, else that nothing is left.
    """
    _require(change, subject)
    lock_subjects([subject.id])
    selection = select(FormData).where(FormData.subject_id == subject.id)
    selection = selection.where(FormData.id.in_([each.form_data_id for each in shown])).order_by(FormData.id)
    stored = {data.id: data for data in db.session.scalars(selection.execution_options(populate_existing=True))}
    plans = planning_verification.Plans.of([subject.site])
    items = forms = 0
    left_out: list[tuple[FormData, Refusal]] = []
    for each in shown:
        if each.form_data_id not in stored:
            raise Refusal("not-found")
        data = stored[each.form_data_id]
        try:
            done = _mark(change, data, each.revision, each.paths, asked=frozenset(_asked(data, plans)))
        except Refusal as refusal:
            left_out.append((data, refusal))
            continue
        items, forms = items + done, forms + (done > 0)
    if not items:
        raise left_out[0][1] if left_out else Refusal("sdv-nothing")
    if len(shown) > 1:
        change.about = f"study_event/{data.study_event_id}"
    return Outcome(items, forms, left_out)


def unverify_items(change: Change, data: FormData, revision: int, paths: Iterable[str]) -> int:
    """Take marks back, with a reason; how many there were.

    Raises:
        Forbidden, Refusal: who may not; no reason; locked; changed since; none of the items has a mark.
    """
    _require(change, data.subject)
    if len((change.reason or "").strip()) < 3:
        raise Refusal("bad-reason")
    _read_again(data)
    _refuse(data, revision)
    review = _review_of(data)
    gone = [path for path in dict.fromkeys(paths) if review and documents.get(review.verified, _path(path)) is not None]
    if review is None or not gone:
        raise Refusal("sdv-no-mark")
    review.verified = documents.apply(review.verified, [(path, None) for path in gone])
    change.about = f"form_data/{data.id}"
    return len(gone)


def withdraw(change: Change, data: FormData, paths: Iterable[str]) -> list[str]:
    """Take the marks off items that changed, in the name of the system; which they were.

    A row that is marked in error loses all of its marks: its values no longer count. A form that is saved for the first
    time has none, so nothing is read for it.
    """
    paths = list(paths)
    if not paths or data.revision == 1:
        return []
    review = _review_of(data)
    if review is None or not review.verified:
        return []
    gone = [each for path in paths for each in _marks_at(review.verified, path)]
    if gone:
        review.verified = documents.apply(review.verified, [(path, None) for path in gone])
        change.derived_paths.update(f"review/{review.id}/verified/{path}" for path in gone)
    return gone


def marks_of(form_data_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The marks of some forms, as stored: one statement."""
    selection = select(Review.form_data_id, Review.verified).where(Review.form_data_id.in_(list(form_data_ids)))
    return {row[0]: row[1] for row in db.session.execute(selection)}


def _marks_at(marks: dict[str, Any], path: str) -> list[str]:
    group, row, item = path.split("/")
    held = marks.get(group, {}).get(row, {})
    if item == ERROR:
        return [f"{group}/{row}/{each}" for each in held]
    return [path] if item in held else []


def _require(change: Change, subject: Subject) -> None:
    """The role, and that its period (or a delegation) still holds today (SIG-11)."""
    access.require(change, "verify", at=subject.site_id)
    if isinstance(change.by, User):
        delegating.require_delegated(change.by, "verify", subject.site_id, today(subject.site.timezone))


def _read_again(data: FormData) -> None:
    """The form as it is now, behind whoever saves it."""
    lock_subjects([data.subject_id])
    db.session.refresh(data)


def _refuse(data: FormData, revision: int) -> None:
    if data.in_error is not None:
        raise Refusal("in-error")
    states.refuse_locked(data.protection)
    if data.revision != revision:
        raise Refusal("sdv-moved", by=data.saved_by)


def _asked(data: FormData, plans: planning_verification.Plans) -> list[str]:
    """What the plan asks for in a form, marked or not."""
    asking = plans.of_visit(data.subject, data.study_event)
    return planning_verification.paths_of(data.answers, asking.items(finding.design(data.version_id)))


def _mark(
    change: Change, data: FormData, revision: int, paths: Sequence[str], asked: frozenset[str] | None = None
) -> int:
    """Put marks on items that have none yet. With `asked`, only on those; what the plan no longer asks is passed over."""
    _refuse(data, revision)
    _refuse_empty(data, paths)
    review = _review_of(data)
    marks = review.verified if review else {}
    meant = [path for path in dict.fromkeys(paths) if asked is None or path in asked]
    new = [path for path in meant if documents.get(marks, path) is None]
    if not new:
        return 0
    mark = _new_mark(change, data)
    if review is None:
        review = Review(form_data_id=data.id, subject_id=data.subject_id, verified={}, frozen={})
        db.session.add(review)
    review.verified = documents.apply(marks, [(path, mark) for path in new])
    db.session.flush()
    change.about = f"form_data/{data.id}"
    return len(new)


def _new_mark(change: Change, data: FormData) -> dict[str, Any]:
    mark: dict[str, Any] = {"at": now().isoformat()}
    if isinstance(change.by, User):
        mark["by"] = change.by.id
        visit = monitoring.open_visit_of(change.by, data.subject.site_id)
        if visit is not None:
            mark["visit"] = visit.id
    return mark


def _refuse_empty(data: FormData, paths: Sequence[str]) -> None:
    """What is empty has no source to compare with, what nobody typed neither (ACC-07)."""
    study = finding.design(data.version_id)
    for path in paths:
        group, row, item_id = _path(path).split("/")
        item = study.items.get(item_id)
        cells = data.answers.get(group, {}).get(row, {})
        if item is None or item_id not in cells or documents.in_error(cells):
            raise Refusal("sdv-empty")
        if not planning_verification.is_verifiable(study, item):
            raise Refusal("sdv-derived")


def _path(path: str) -> str:
    """A path as people send it.

    Raises:
        Refusal: it is none.
    """
    if path.count("/") != 2:
        raise Refusal("invalid")
    return path


def _review_of(data: FormData) -> Review | None:
    selection = select(Review).where(Review.form_data_id == data.id).execution_options(populate_existing=True)
    return db.session.scalars(selection).first()
