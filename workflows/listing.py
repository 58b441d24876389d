"""Reading for lists: who is in the study and how far each form is, in a constant number of statements.

Documents of answers are never read here; only the columns a list shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, case, exists, false, func, or_, select, type_coerce

from models import Change, ChangeEntries, FormData, Site, StudyEvent, Subject, User, db
from models.clock import today
from workflows import access, finding
from workflows.nightly import OVER
from workflows.tracing import Traced

PAGE = 50
OPEN_STATES = ("planned", "missed")
_HAS_FINDINGS = and_(type_coerce(FormData.findings, Text) != "[]", FormData.in_error.is_(None))


@dataclass(frozen=True)
class Filters:
    """What a list of participants is narrowed to; empty means all."""

    text: str = ""
    status: str = ""
    site_id: int | None = None
    attention: str = ""  # overdue, findings, in_progress, duplicate


@dataclass(frozen=True)
class Counts:
    """How many forms of a participant are stored, unfinished, and have findings."""

    forms: int = 0
    in_progress: int = 0
    findings: int = 0


def participants(user: User, filters: Filters, page: int = 1) -> tuple[list[Subject], bool]:
    """One page of the participants at the user's sites, and whether there are more."""
    selection = _narrowed(finding.subjects(user), filters)
    found = list(db.session.scalars(selection.offset((page - 1) * PAGE).limit(PAGE + 1)))
    return found[:PAGE], len(found) > PAGE


def _narrowed(selection: Select[Subject], filters: Filters) -> Select[Subject]:
    if filters.text:
        like = "%" + filters.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        named = (Subject.number.ilike(like, escape="\\"), Subject.screening_number.ilike(like, escape="\\"))
        selection = selection.where(or_(*named))
    if filters.status:
        selection = selection.where(Subject.status == filters.status)
    if filters.site_id is not None:
        selection = selection.where(Subject.site_id == filters.site_id)
    condition = _attention(filters.attention)
    return selection if condition is None else selection.where(condition)


def _attention(name: str) -> Any:
    """What asks for somebody's attention, as a condition on the participant."""
    if name == "overdue":
        return _is_waited_for()
    data = select(FormData.id).where(FormData.subject_id == Subject.id, FormData.in_error.is_(None))
    return {
        "findings": data.where(_HAS_FINDINGS).exists(),
        "in_progress": data.where(FormData.entry == "in_progress").exists(),
        "duplicate": Subject.possible_duplicate.is_(True),
    }.get(name)


def _is_waited_for() -> ColumnElement[bool]:
    """`nightly.is_overdue` for any visit of a participant: the same visits that the progress page counts."""
    late = exists().where(
        StudyEvent.subject_id == Subject.id,
        StudyEvent.state == "planned",
        StudyEvent.projected.is_(False),
        or_(false(), *(_past_at(site) for site in finding.study().sites)),
    )
    return and_(Subject.status.not_in(OVER), late)


def _past_at(site: Site) -> ColumnElement[bool]:
    """Visits of the site's version of the study whose window closed before the day it is there."""
    visits = [event.id for event in finding.design_for(site).events.values() if event.kind != "log"]
    return and_(
        Subject.site_id == site.id,
        StudyEvent.event_id.in_(visits),
        StudyEvent.closes < today(site.timezone),
    )


def counts(subjects: Sequence[Subject]) -> dict[int, Counts]:
    """Counts of the forms of these participants: one grouped statement."""
    is_open = and_(FormData.entry == "in_progress", FormData.in_error.is_(None))
    selection = (
        select(
            FormData.subject_id,
            func.count(),
            func.sum(case((is_open, 1), else_=0)),
            func.sum(case((_HAS_FINDINGS, 1), else_=0)),
        )
        .where(FormData.subject_id.in_([subject.id for subject in subjects]))
        .group_by(FormData.subject_id)
    )
    return {row[0]: Counts(*row[1:]) for row in db.session.execute(selection)}


def open_events(subjects: Sequence[Subject]) -> dict[int, list[Row[Any]]]:
    """The visits with a target that did not take place yet, by participant, as planned: one statement."""
    columns = [
        getattr(StudyEvent, name)
        for name in (
            "id",
            "subject_id",
            "event_id",
            "repeat",
            "position",
            "target",
            "opens",
            "closes",
            "projected",
            "state",
        )
    ]
    selection = (
        select(*columns)
        .where(StudyEvent.subject_id.in_([subject.id for subject in subjects]))
        .where(StudyEvent.state.in_(OPEN_STATES), StudyEvent.target.is_not(None))
        .order_by(StudyEvent.subject_id, StudyEvent.position)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in db.session.execute(selection):
        found.setdefault(row.subject_id, []).append(row)
    return found


def progress(subject: Subject) -> dict[int, dict[str, list[Row[Any]]]]:
    """How far every stored form of a participant is, by event and form, without answers: one statement."""
    names = (
        "study_event_id",
        "form_id",
        "repeat",
        "entry",
        "protection",
        "in_error",
        "findings",
        "version_id",
    )
    selection = (
        select(*[getattr(FormData, name) for name in names])
        .where(FormData.subject_id == subject.id)
        .order_by(FormData.study_event_id, FormData.form_id, FormData.repeat)
    )
    found: dict[int, dict[str, list[Row[Any]]]] = {}
    for row in db.session.execute(selection):
        found.setdefault(row.study_event_id, {}).setdefault(row.form_id, []).append(row)
    return found


def rescreened_from(user: User, subject: Subject) -> Subject | None:
    """The earlier screening of the same person, when the user may see it."""
    if subject.previous_id is None:
        return None
    return db.session.scalars(finding.subjects(user).where(Subject.id == subject.previous_id)).first()


def history(user: User, data: FormData, path: str = "") -> list[Traced]:
    """Every change of a stored form, or of one item of it, oldest first: each old value in order (AUD-03).

    Changes made through other forms (derived values) are found too, because the entries are searched.

    Raises:
        Forbidden: the role may not read the trail at this site.
    """
    access.require(user, "view trail", at=data.subject.site_id)
    prefix = f"form_data/{data.id}/" + (f"answers/{path}" if path else "")
    selection = (
        select(Change, ChangeEntries)
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.subject_id == data.subject_id)
        .where(type_coerce(ChangeEntries.entries, Text).contains(prefix, autoescape=True))
        .order_by(Change.id)
    )
    found = []
    for change, body in db.session.execute(selection):
        entries = [each for each in body.entries or [] if _is_under(each["path"], prefix, bool(path))]
        if entries:
            found.append(Traced(change, entries, body.reason, dict(body.detail or {})))
    return found


def _is_under(path: str, prefix: str, whole: bool) -> bool:
    return path == prefix or path.startswith(prefix + "/") if whole else path.startswith(prefix)


def receipt(data: FormData) -> str:
    """The receipt of the last save of a form: its number in the chain and the first digits of its link."""
    selection = (
        select(Change.seq, Change.link)
        .where(Change.subject_id == data.subject_id, Change.about == f"form_data/{data.id}")
        .order_by(Change.id.desc())
        .limit(1)
    )
    row = db.session.execute(selection).first()
    return f"{row.seq}-{row.link[:8]}" if row else ""
