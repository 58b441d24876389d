"""Reading the audit trail: who changed what, when and why, within what the reader may see (AUD-09, AUD-10).

Changes at a site are seen by those who may read the trail there. Changes of the study as a whole
(publishing, exports)
are seen by everybody who reads the trail of all sites. Sign-ins, accounts and grants stand in the chain
`system`: only those see them who manage users or read the trail of all sites.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import Text, and_, cast, false, func, literal, or_, select, true, type_coerce

from models import Change, ChangeEntries, FormData, StudyEvent, Subject, User, db
from workflows import access
from workflows.refusals import NotFound

PAGE = 50
SYSTEM_CHAIN = "system"


@dataclass(frozen=True)
class TrailFilter:
    """Which changes to show; what is None does not restrict."""

    user_id: int | None = None
    action: str | None = None
    site_id: int | None = None
    subject_id: int | None = None
    since: date | None = None
    until: date | None = None
    about: str | None = None
    form_id: str | None = None
    item_id: str | None = None


@dataclass(frozen=True)
class Traced:
    """One change as it is read: who, what, when in `change`; why and old -> new in `entries`."""

    change: Change
    entries: list[dict[str, Any]]
    reason: str | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class FormWords:
    """What is needed to name a stored form: its participant, event, definition."""

    subject_id: int
    subject: str
    event_key: str
    form_id: str
    repeat: int
    version_id: int


def _visible(user: User) -> Any:
    """The condition on changes that this person may read."""
    sites = access.sites_for(user, "view trail")
    if sites is None and access.may(user, "view trail"):
        return true()
    parts: list[Any] = [Change.site_id.in_(sites or set())]
    if access.may(user, "manage users"):
        parts.append(Change.chain == SYSTEM_CHAIN)
    return or_(*parts) if len(parts) > 1 or sites else false()


def _joined(user: User) -> Any:
    return (
        select(Change, ChangeEntries)
        .outerjoin(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(_visible(user))
        .order_by(Change.id.desc())
    )


def _traced(rows: Iterable[Any]) -> list[Traced]:
    return [
        Traced(
            change,
            list(body.entries or []) if body else [],
            body.reason if body else None,
            dict(body.detail or {}) if body else {},
        )
        for change, body in rows
    ]


def list_changes(
    user: User, filters: TrailFilter, page: int = 1, zone: tzinfo | None = None
) -> tuple[list[Traced], bool]:
    """One page of changes, newest first, and whether there are older ones. Dates are days in the zone given.

    Raises:
        Forbidden: the person may not read the trail anywhere.
    """
    access.require(user, "view trail")
    selection = _joined(user).where(*_conditions(filters, zone))
    rows = db.session.execute(selection.offset((page - 1) * PAGE).limit(PAGE + 1)).all()
    return _traced(rows[:PAGE]), len(rows) > PAGE


def _conditions(filters: TrailFilter, zone: tzinfo | None) -> list[Any]:
    equal = {
        Change.user_id: filters.user_id,
        Change.action: filters.action,
        Change.site_id: filters.site_id,
        Change.subject_id: filters.subject_id,
        Change.about: filters.about,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if filters.since is not None:
        conditions.append(Change.at >= datetime.combine(filters.since, time.min, zone))
    if filters.until is not None:
        conditions.append(Change.at < datetime.combine(filters.until, time.min, zone) + timedelta(days=1))
    if filters.form_id is not None:
        stored = select(literal("form_data/") + cast(FormData.id, Text)).where(FormData.form_id == filters.form_id)
        conditions.append(Change.about.in_(stored))
    if filters.item_id is not None:  # the item ends the path of an entry, whoever changed it: a person or a derivation
        entries = type_coerce(ChangeEntries.entries, Text)
        conditions.append(entries.contains(f'/{filters.item_id}"', autoescape=True))
    return conditions


def find_change(user: User, change_id: int) -> Traced:
    """One change, or `NotFound`."""
    access.require(user, "view trail")
    rows = db.session.execute(_joined(user).where(Change.id == change_id)).all()
    if not rows:
        raise NotFound
    return _traced(rows)[0]


def list_recent(user: User, actions: Sequence[str], count: int = 8) -> list[Traced]:
    """The latest changes of some kinds that the person may read; all kinds when none is named."""
    selection = _joined(user)
    if actions:
        selection = selection.where(Change.action.in_(actions))
    return _traced(db.session.execute(selection.limit(count)).all())


def list_actors(user: User) -> list[tuple[int, str]]:
    """Who appears in the trail this person may read, for the filter."""
    acting = select(Change.user_id).where(_visible(user), Change.user_id.is_not(None))
    found = db.session.scalars(select(User).where(User.id.in_(acting)).order_by(User.full_name))
    return [(person.id, f"{person.full_name} ({person.username})") for person in found]


def list_actions(user: User) -> list[str]:
    """What kinds of change appear there."""
    return sorted(db.session.scalars(select(Change.action).where(_visible(user)).distinct()))


def list_subjects(user: User) -> list[Subject]:
    """The participants whose changes the person may read."""
    sites = access.sites_for(user, "view trail")
    selection = select(Subject).order_by(Subject.screening_number)
    return list(db.session.scalars(selection if sites is None else selection.where(Subject.site_id.in_(sites))))


def about_user(by: User, person: User, count: int = 20) -> list[Traced]:
    """What happened to an account and its grants, and its sign-ins, newest first."""
    access.require(by, "manage users")
    grants = [f"access_grant/{each.id}" for each in person.grants]
    mine = or_(
        Change.about.in_([f"app_user/{person.id}", *grants]),
        and_(Change.chain == SYSTEM_CHAIN, Change.user_id == person.id),
    )
    return _traced(db.session.execute(_joined(by).where(mine).limit(count)).all())


def last_sign_ins(by: User) -> dict[int, datetime]:
    """When each person signed in last."""
    access.require(by, "manage users")
    selection = select(Change.user_id, func.max(Change.at)).where(
        Change.action == "sign in", Change.chain == SYSTEM_CHAIN
    )
    return {row[0]: row[1] for row in db.session.execute(selection.group_by(Change.user_id)) if row[0]}


def form_words(form_data_ids: Iterable[int]) -> dict[int, FormWords]:
    """How to name stored forms, for the changes on one page."""
    selection = (
        select(FormData, Subject, StudyEvent)
        .join(Subject, FormData.subject_id == Subject.id)
        .join(StudyEvent, FormData.study_event_id == StudyEvent.id)
        .where(FormData.id.in_(set(form_data_ids)))
    )
    return {
        data.id: FormWords(subject.id, subject.label, event.key, data.form_id, data.repeat, data.version_id)
        for data, subject, event in db.session.execute(selection)
    }


def full_names(user_ids: Iterable[int]) -> dict[int, str]:
    """The names of the people who did what is on one page."""
    found = db.session.scalars(select(User).where(User.id.in_(set(user_ids))))
    return {user.id: user.full_name for user in found}


def subject_labels(subject_ids: Iterable[int]) -> dict[int, str]:
    """The numbers of participants, for the changes on one page."""
    found = db.session.scalars(select(Subject).where(Subject.id.in_(set(subject_ids))))
    return {subject.id: subject.label for subject in found}
