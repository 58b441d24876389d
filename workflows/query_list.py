"""Reading queries for lists, in a constant number of statements however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from models import FormData, Query, QueryMessage, Subject, User, db
from models.clock import now
from workflows import access, finding

PAGE = 50
STATUSES = ("open", "answered", "closed", "cancelled")
WAITING = ("open", "answered")  # somebody still has to do something


@dataclass(frozen=True)
class Filters:
    """What a list of queries is narrowed to; empty means all. `status` may be `waiting` or `all`."""

    status: str = "waiting"
    site_id: int | None = None
    form_id: str = ""
    check_id: str = ""
    assignee: str = ""
    older_than: int = 0  # days
    subject: str = ""
    text: str = ""
    origin: str = ""  # check, person
    visit_id: int | None = None


def default_for(user: User) -> Filters:
    """What waits for this person: open ones for the site, answered ones for those who close."""
    if access.may(user, "answer query"):
        return Filters(status="open")
    return Filters(status="answered") if access.may(user, "close query") else Filters()


def page(user: User, filters: Filters, number: int = 1) -> tuple[list[Query], bool]:
    """One page of the queries at the user's sites, the oldest first, with what a list shows; and whether there are more."""
    selection = _narrowed(finding.queries(user), filters).order_by(Query.raised_at, Query.id)
    selection = selection.options(
        joinedload(Query.subject).joinedload(Subject.site),
        joinedload(Query.study_event),
        selectinload(Query.messages),
    )
    found = list(db.session.scalars(selection.offset((number - 1) * PAGE).limit(PAGE + 1)))
    return found[:PAGE], len(found) > PAGE


def next_after(user: User, filters: Filters, query: Query) -> int | None:
    """The query that follows in the list, also when this one has just left it; the first when none follows."""
    narrowed = _narrowed(finding.queries(user), filters).where(Query.id != query.id)
    ordered = narrowed.with_only_columns(Query.id).order_by(Query.raised_at, Query.id).limit(1)
    later = or_(Query.raised_at > query.raised_at, and_(Query.raised_at == query.raised_at, Query.id > query.id))
    return db.session.scalar(ordered.where(later)) or db.session.scalar(ordered)


def count(user: User, filters: Filters) -> int:
    """How many queries there are."""
    narrowed = _narrowed(finding.queries(user), filters).with_only_columns(Query.id).subquery()
    return db.session.scalar(select(func.count()).select_from(narrowed)) or 0


def waiting_for(user: User) -> int:
    """How many queries wait for this person: the number beside the navigation; one statement, answered by an index."""
    filters = default_for(user)
    allowed = access.sites_for(user, "view queries")
    selection = select(func.count()).select_from(Query).where(_status(filters.status))
    return db.session.scalar(selection if allowed is None else selection.where(Query.site_id.in_(allowed))) or 0


def _status(status: str) -> Any:
    if status == "waiting":
        return Query.status.in_(WAITING)
    return Query.status == status if status in STATUSES else Query.status.in_(STATUSES)


def _narrowed(selection: Select[Any], filters: Filters) -> Select[Any]:
    selection = selection.where(_status(filters.status))
    exact = {
        Query.site_id: filters.site_id,
        Query.form_id: filters.form_id or None,
        Query.check_id: filters.check_id or None,
        Query.assignee: filters.assignee or None,
        Query.visit_id: filters.visit_id,
    }
    for column, value in exact.items():
        if value is not None:
            selection = selection.where(column == value)
    if filters.older_than:
        selection = selection.where(Query.raised_at <= now() - timedelta(days=filters.older_than))
    if filters.origin:
        selection = selection.where(
            Query.check_id.is_(None) if filters.origin == "person" else Query.check_id.is_not(None)
        )
    if filters.subject:
        like = _like(filters.subject)
        numbered = or_(Subject.number.ilike(like, escape="\\"), Subject.screening_number.ilike(like, escape="\\"))
        selection = selection.where(Query.subject_id.in_(select(Subject.id).where(numbered)))
    if filters.text:
        said = QueryMessage.text.ilike(_like(filters.text), escape="\\")
        selection = selection.where(exists().where(QueryMessage.query_id == Query.id, said))
    return selection


def _like(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def forms_and_checks(user: User) -> tuple[list[str], list[str]]:
    """The forms and checks that there are queries of, for the filters."""
    found = finding.queries(user).with_only_columns(Query.form_id, Query.check_id).distinct()
    rows = db.session.execute(found).all()
    return sorted({row.form_id for row in rows if row.form_id}), sorted({row.check_id for row in rows if row.check_id})


def of_place(user: User, subject_id: int, event_id: int, form_id: str, repeat: int) -> list[Query]:
    """Every query about one form and parts of it, the oldest first; none for who may not read them."""
    if not access.may(user, "view queries"):
        return []
    selection = finding.queries(user).where(
        Query.subject_id == subject_id,
        Query.study_event_id == event_id,
        Query.form_id == form_id,
        Query.repeat == repeat,
    )
    return list(db.session.scalars(selection.order_by(Query.id)))


def waiting_by_subject(user: User, subjects: Sequence[Subject]) -> dict[int, int]:
    """How many queries of each participant wait: one grouped statement."""
    selection = (
        finding.queries(user)
        .with_only_columns(Query.subject_id, func.count())
        .where(Query.subject_id.in_([subject.id for subject in subjects]), Query.status.in_(WAITING))
        .group_by(Query.subject_id)
    )
    return {row[0]: row[1] for row in db.session.execute(selection)} if access.may(user, "view queries") else {}


def waiting_by_form(user: User, subject: Subject) -> dict[tuple[int | None, str | None], int]:
    """How many queries of a participant wait, by visit and form: one grouped statement."""
    selection = (
        finding.queries(user)
        .with_only_columns(Query.study_event_id, Query.form_id, func.count())
        .where(Query.subject_id == subject.id, Query.status.in_(WAITING))
        .group_by(Query.study_event_id, Query.form_id)
    )
    rows = db.session.execute(selection) if access.may(user, "view queries") else ()
    return {(row[0], row[1]): row[2] for row in rows}


def data_of(query: Query) -> FormData | None:
    """The stored form a query asks about; None when it was never saved, or the query asks about no form."""
    if query.form_id is None:
        return None
    selection = select(FormData).where(
        FormData.study_event_id == query.study_event_id,
        FormData.form_id == query.form_id,
        FormData.repeat == query.repeat,
    )
    return db.session.scalars(selection).first()
