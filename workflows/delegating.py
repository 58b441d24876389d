"""The delegation log of a site: who may do what, from which day until which (ICH E6(R3) 2.3.3, 3.16.1).

The principal investigator opens the log by writing herself into it; from then on only she delegates, and never two
people can extend their own part. When her own line ends, another investigator opens it again in the same way. Lines are
ended, never taken out. A site without a log is not held to it, so that a study may keep it on paper.

Monitors are not delegated by the principal investigator: they act for the sponsor. For them the task `verify` counts
the period of their role at the site.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from models import Delegation, Site, User, db
from models.change import Change
from models.clock import now, today
from workflows import access
from workflows.refusals import Refusal

TASKS: dict[str, tuple[str, str]] = {
    "consent": ("obtain informed consent", "取得知情同意"),
    "enter data": ("enter data", "录入数据"),
    "sign": ("sign case report forms", "签署病例报告表"),
    "verify": ("compare data with the source", "核对源数据"),
    "coordinate": ("coordinate visits", "协调访视"),
}
_SPONSOR = ("monitor",)  # who verifies for the sponsor, not for the investigator


def delegate(
    change: Change, site: Site, person: User, tasks: Sequence[str], starts_on: date, ends_on: date | None = None
) -> Delegation:
    """Write a person into the log of a site.

    Raises:
        Forbidden: no investigator of this site.
        Refusal: unknown tasks; a period that ends before it begins; nobody of this site; not the principal investigator;
            the same line twice.
    """
    access.require(change, "delegate", at=site)
    _lock(site)
    chosen = [task for task in TASKS if task in tasks]
    if not chosen or set(tasks) - set(TASKS):
        raise Refusal("delegation-tasks")
    if ends_on is not None and ends_on < starts_on:
        raise Refusal("delegation-period")
    if not _works_at(person, site):
        raise Refusal("delegation-person")
    lines = log_of(site.id)
    _refuse_others(change, site, person, lines)
    if any(
        (each.user_id, each.tasks, each.starts_on, each.ends_on, each.ended_at)
        == (person.id, chosen, starts_on, ends_on, None)
        for each in lines
    ):
        raise Refusal("delegation-twice")
    line = Delegation(
        site_id=site.id,
        user_id=person.id,
        tasks=chosen,
        starts_on=starts_on,
        ends_on=ends_on,
        delegated_by=change.name,
        created_at=now(),
    )
    db.session.add(line)
    db.session.flush()
    change.about = f"delegation/{line.id}"
    return line


def end(change: Change, line: Delegation, last_day: date) -> None:
    """End a delegation after a day; it stays in the log for ever.

    Raises:
        Forbidden: no investigator of this site.
        Refusal: no reason; a day before it began or after it ends anyway; ended already; not the principal investigator.
    """
    access.require(change, "delegate", at=line.site_id)
    if len((change.reason or "").strip()) < 3:
        raise Refusal("bad-reason")
    _lock(line.site)
    db.session.refresh(line)
    if line.ended_at is not None:
        raise Refusal("delegation-ended")
    if last_day < line.starts_on or (line.ends_on is not None and last_day > line.ends_on):
        raise Refusal("delegation-period")
    principal = principal_of(line.site)
    if principal is not None and isinstance(change.by, User) and principal != change.by.id:
        raise Refusal("delegation-principal")
    line.ends_on, line.ended_at = last_day, now()
    change.about = f"delegation/{line.id}"


def log_of(site_id: int) -> list[Delegation]:
    """All lines of a site's log, oldest first."""
    selection = select(Delegation).where(Delegation.site_id == site_id).order_by(Delegation.id)
    return list(db.session.scalars(selection.execution_options(populate_existing=True)))


def has_log(site_id: int) -> bool:
    """Whether the site keeps its delegation log here."""
    return db.session.scalars(select(Delegation.id).where(Delegation.site_id == site_id).limit(1)).first() is not None


def covers(line: Delegation, task: str, day: date) -> bool:
    """Whether a line lets its person do a task on a day."""
    return task in line.tasks and line.starts_on <= day and (line.ends_on is None or day <= line.ends_on)


def find_delegation(user_id: int, task: str, site_id: int, day: date) -> Delegation | None:
    """The line by which a person may do a task at a site on a day; None when there is none."""
    return next((each for each in log_of(site_id) if each.user_id == user_id and covers(each, task, day)), None)


def require_delegated(user: User, task: str, site_id: int, day: date) -> Delegation | None:
    """The line by which a person may do a task on a day (SIG-11); None where the site keeps no log here, and for a
    monitor who verifies within the period of her role.

    Raises:
        Refusal: the site keeps a log and the person is not in it for this task on this day.
    """
    lines = log_of(site_id)
    if not lines or (task == "verify" and _held_on(user, _SPONSOR, site_id, day)):
        return None
    for line in lines:
        if line.user_id == user.id and covers(line, task, day):
            return line
    raise Refusal("not-delegated", task=TASKS[task], day=day.isoformat(), name=user.full_name)


def require_named(username: str, task: str, site_id: int, day: str | None) -> None:
    """A form names a person for a task on a day, such as the investigator who took consent.

    Raises:
        Refusal: the day is not there; the site keeps a log and she is not in it for this task on this day.
    """
    person = db.session.scalars(select(User).where(User.username == username)).first()
    if person is None:
        raise Refusal("unknown-user")
    if not day:
        raise Refusal("delegated-without-date", name=person.full_name)
    require_delegated(person, task, site_id, date.fromisoformat(day))


def principal_of(site: Site) -> int | None:
    """The id of the principal investigator: who wrote herself into the log and is still in it today."""
    day = today(site.timezone)
    held = [each for each in log_of(site.id) if each.starts_on <= day and (each.ends_on is None or day <= each.ends_on)]
    names = _usernames(each.user_id for each in held)
    return next((each.user_id for each in held if names[each.user_id] == each.delegated_by), None)


def people(site: Site) -> list[User]:
    """Those who can be written into the log: everybody with a role of site work at the site, by name."""
    found = db.session.scalars(select(User).where(User.active.is_(True)).order_by(User.full_name))
    return [person for person in found if _works_at(person, site)]


def names_of(lines: Iterable[Delegation]) -> dict[str, str]:
    """Full names by user name and by `#id`, for those who delegated and those who were delegated."""
    lines = list(lines)
    wanted = {each.delegated_by for each in lines}
    ids = {each.user_id for each in lines}
    found = db.session.scalars(select(User).where(User.username.in_(wanted) | User.id.in_(ids)))
    return {key: person.full_name for person in found for key in (person.username, f"#{person.id}")}


def _refuse_others(change: Change, site: Site, person: User, lines: list[Delegation]) -> None:
    """Only the principal investigator delegates; without one, an investigator can only become it."""
    if not isinstance(change.by, User):
        return
    principal = principal_of(site) if lines else None
    if principal is None and person.id != change.by.id:
        raise Refusal("delegation-first")
    if principal is not None and principal != change.by.id:
        raise Refusal("delegation-principal")


def _works_at(person: User, site: Site) -> bool:
    roles = ("nurse", "investigator")
    return any(each.role in roles and each.site_id in (None, site.id) for each in access.active_grants(person))


def _held_on(user: User, roles: Sequence[str], site_id: int, day: date) -> bool:
    """Whether the person held one of these roles at the site at any time of a day."""
    site = db.session.get_one(Site, site_id)
    begin = datetime.combine(day, time.min, ZoneInfo(site.timezone))
    return user.active and any(
        grant.role in roles
        and grant.site_id in (None, site_id)
        and grant.starts_at < begin + timedelta(days=1)
        and (grant.ends_at is None or grant.ends_at > begin)
        for grant in user.grants
    )


def _usernames(user_ids: Iterable[int]) -> dict[int, str]:
    rows = db.session.execute(select(User.id, User.username).where(User.id.in_(set(user_ids))))
    return {row.id: row.username for row in rows}


def _lock(site: Site) -> None:
    db.session.scalars(select(Site).where(Site.id == site.id).with_for_update()).one()
