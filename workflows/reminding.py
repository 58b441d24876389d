"""What waits for a person: the work list of each role. Reading only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, Text, func, or_, select, type_coerce
from sqlalchemy.orm import aliased, contains_eager, joinedload

from models import Draft, FormData, Site, StudyEvent, Subject, User, db
from models.clock import now, today
from workflows import access, finding, scheduling

AHEAD = timedelta(days=14)
DUE = ("due", "overdue")
OVER = ("screen_failed", "withdrawn", "dead", "ended")
OPEN_SEVERITIES = ("soft", "cross", "protected", "hard")


@dataclass(frozen=True)
class DueVisit:
    """A visit that is due, overdue, or comes soon."""

    subject: Subject
    event: StudyEvent
    name: object
    status: str
    days_late: int


@dataclass(frozen=True)
class Waiting:
    """A form that is begun and not complete, or has open findings."""

    data: FormData
    form: object
    event: object
    findings: int


def _scope(user: User, action: str) -> list[int]:
    return [site.id for site in finding.sites(user, action)]


def visits_due(user: User, limit: int = 200) -> list[DueVisit]:
    """Visits at the person's sites that are overdue, due, or open within two weeks; overdue ones first.

    The database finds and orders them, so that the list of a study of thousands takes no longer than its first page.
    """
    site_ids = _scope(user, "view participants")
    if not site_ids:
        return []
    day = today()
    found = [
        _due(event, opens_next, day + AHEAD) for event, opens_next in db.session.execute(_coming(site_ids, day, limit))
    ]
    return [each for each in found if each is not None]


def _coming(site_ids: list[int], day: date, limit: int) -> Select[StudyEvent, date | None]:
    """Planned visits whose window opens soon, is open, or has closed while the next one is not open yet."""
    later = aliased(StudyEvent)
    opens_next = (
        select(func.min(later.opens))
        .where(later.subject_id == StudyEvent.subject_id, later.position > StudyEvent.position)
        .correlate(StudyEvent)
        .scalar_subquery()
    )
    is_late = StudyEvent.closes < day
    return (
        select(StudyEvent, opens_next)
        .join(StudyEvent.subject)
        .options(contains_eager(StudyEvent.subject))
        .where(
            Subject.site_id.in_(site_ids),
            Subject.status.not_in(OVER),
            StudyEvent.state == "planned",
            StudyEvent.projected.is_(False),
            StudyEvent.opens <= day + AHEAD,
            or_(StudyEvent.closes >= day, opens_next.is_(None), opens_next > day),
        )
        .order_by(is_late.desc(), func.coalesce(StudyEvent.target, StudyEvent.opens), StudyEvent.id)
        .limit(limit)
    )


def _due(event: StudyEvent, opens_next: date | None, horizon: date) -> DueVisit | None:
    subject = event.subject
    study = finding.design_for(subject.site)
    definition = study.events.get(event.event_id)
    if definition is None or definition.kind == "log":
        return None
    day = today(subject.site.timezone)
    status = scheduling.status_before(event, opens_next, day)
    soon = status == "planned" and event.target is not None and event.target <= horizon
    if status not in DUE and not soon:
        return None
    late = (day - event.closes).days if event.closes and day > event.closes else 0
    return DueVisit(subject, event, definition, status, late)


def forms_in_progress(user: User, limit: int = 100) -> list[Waiting]:
    """Forms at the person's sites that were begun and are not complete, the oldest first."""
    selection = _forms(user, "view participants").where(FormData.entry == "in_progress")
    return _waiting(db.session.scalars(selection.order_by(FormData.saved_at).limit(limit)))


def open_findings(user: User, limit: int = 100) -> list[Waiting]:
    """Forms at the person's sites whose checks fail now, the latest first."""
    selection = _forms(user, "view participants").where(type_coerce(FormData.findings, Text) != "[]")
    return _waiting(db.session.scalars(selection.order_by(FormData.saved_at.desc()).limit(limit)))


def _forms(user: User, action: str):  # type: ignore[no-untyped-def]
    return (
        select(FormData)
        .join(Subject, FormData.subject_id == Subject.id)
        .options(joinedload(FormData.subject), joinedload(FormData.study_event))
        .where(Subject.site_id.in_(_scope(user, action)), FormData.in_error.is_(None))
    )


def _waiting(forms) -> list[Waiting]:  # type: ignore[no-untyped-def]
    found = []
    for data in forms:
        study = finding.design(data.version_id)
        form = study.forms.get(data.form_id)
        event = study.events.get(data.study_event.event_id)
        if form is not None and event is not None:
            found.append(Waiting(data, form, event, len(data.findings)))
    return found


def possible_duplicates(user: User) -> list[list[Subject]]:
    """Participants who may be the same person, by group; only for those who resolve duplicates."""
    if not access.may(user, "resolve duplicate"):
        return []
    selection = finding.subjects(user, "resolve duplicate").where(
        Subject.possible_duplicate.is_(True), Subject.person_key.is_not(None)
    )
    groups: dict[str, list[Subject]] = {}
    subjects: Any = db.session.scalars(selection)
    for subject in subjects:
        groups.setdefault(subject.person_key or "", []).append(subject)
    return list(groups.values())


def drafts_of(user: User) -> list[Draft]:
    """What the person typed and did not save: hers alone (AUD-17)."""
    return list(db.session.scalars(select(Draft).where(Draft.user_id == user.id).order_by(Draft.at.desc())))


def enrolment(user: User) -> list[tuple[Site, Counter[str]]]:
    """How many participants of each status the person's sites have; an empty list without a study."""
    site_list = finding.sites(user, "view participants")
    counted = db.session.execute(
        select(Subject.site_id, Subject.status, func.count())
        .where(Subject.site_id.in_([site.id for site in site_list]))
        .group_by(Subject.site_id, Subject.status)
    ).all()
    counts: dict[int, Counter[str]] = {}
    for site_id, status, count in counted:
        counts.setdefault(site_id, Counter())[status] = count
    return [(site, counts.get(site.id, Counter())) for site in site_list]


def dormant(users: Sequence[User], last: Mapping[int, datetime], days: int = 60) -> list[User]:
    """Open accounts nobody signed in to for a long time: candidates for the periodic review (ACC-04)."""
    limit = now() - timedelta(days=days)
    return [user for user in users if user.active and user.created_at < limit and (last.get(user.id) or limit) <= limit]
