"""Giving people accounts and roles, and taking them back (ACC-04).

User names are never reused. Administrators hold no trial role and trial staff no administrative one
(ACC-05). Whoever loses her account or gets a new password loses her sessions at once (SEC-14).
"""

import secrets
from datetime import datetime

from sqlalchemy import select

from models import FormerPassword, Grant, Site, User, db
from models.change import Change
from models.clock import now
from workflows import access, passwords, sessions, signing_in
from workflows.password_profiles import LONGEST_HISTORY, kinds_of
from workflows.refusals import NotFound, Refusal

LANGUAGES = ("zh", "en")


def create_user(
    change: Change, username: str, full_name: str, password: str, language: str, must_change: bool = False
) -> User:
    """Open an account for a person. With `must_change` the password is temporary: she chooses her own when
    she signs in.

    Raises:
        Forbidden: the person asking may not manage users.
        Refusal: the name is or was in use, or the password is weak.
    """
    access.require(change, "manage users")
    key = passwords.name_key(username)
    if db.session.scalars(select(User.id).where(User.name_key == key)).first() is not None:
        raise Refusal("name-taken")
    passwords.check(password, names_of(username, full_name), signing_in.profile())
    user = User(
        username=username.strip(),
        name_key=key,
        full_name=full_name.strip(),
        password_hash=passwords.hash_password(password),
        must_change_password=must_change,
        active=True,
        language=language if language in LANGUAGES else LANGUAGES[0],
        created_at=now(),
    )
    db.session.add(user)
    db.session.flush()
    change.about = f"app_user/{user.id}"
    return user


def grant(
    change: Change,
    user: User,
    role: str,
    site: Site | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Grant:
    """Give a role at a site (None: at all sites), from now or later, for good or until an instant.

    Raises:
        Forbidden: the person asking may not manage users.
        Refusal: the roles would mix administration and trial work, or the time ends before it starts.
    """
    access.require(change, "manage users")
    starts_at = starts_at or now()
    if ends_at is not None and ends_at <= starts_at:
        raise Refusal("bad-date")
    others = [each.role for each in user.grants if each.ends_at is None or each.ends_at > now()]
    if role not in access.ROLES or access.is_conflict([*others, role]):
        raise Refusal("duty-conflict")
    site_id = None if role in access.ADMINISTRATIVE or site is None else site.id
    given = Grant(user=user, role=role, site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    db.session.add(given)
    db.session.flush()
    change.about = f"access_grant/{given.id}"
    return given


def end_grant(change: Change, grant: Grant) -> None:
    """Take a role back now. The grant stays on record with its end."""
    access.require(change, "manage users")
    _refuse_last_administrator([grant])
    _end(grant)


def _end(grant: Grant) -> None:
    at = now()
    if grant.ends_at is None or grant.ends_at > at:
        grant.ends_at = max(at, grant.starts_at)


def find_grant(user: User, grant_id: int) -> Grant:
    """One grant of a person, or `NotFound`."""
    for each in user.grants:
        if each.id == grant_id:
            return each
    raise NotFound


def deactivate(change: Change, user: User) -> None:
    """Close an account: its grants end and the person is out at her next request (SEC-14)."""
    access.require(change, "manage users")
    _refuse_last_administrator(user.grants)
    for each in user.grants:
        _end(each)
    user.active = False
    sessions.end_all(change, user)


def reactivate(change: Change, user: User) -> None:
    """Open a closed account again. Its grants have ended: what the person may do is decided anew."""
    access.require(change, "manage users")
    user.active = True


def reset_password(change: Change, user: User, temporary: str) -> None:
    """Give a person a temporary password that she must change when she signs in."""
    access.require(change, "manage users")
    passwords.check(temporary, names_of(user.username, user.full_name), signing_in.profile())
    _replace_password(user, temporary)
    user.must_change_password = True
    signing_in.forget_attempts(user)
    sessions.end_all(change, user)


def set_password(change: Change, user: User, new: str) -> None:
    """A person's own new password. Her other sessions end.

    Raises:
        Refusal: the password is weak, or the one she has.
    """
    if change.by is not user:
        raise Refusal("forbidden", action=access.ACTIONS["manage users"])
    profile = signing_in.profile()
    passwords.check(new, names_of(user.username, user.full_name), profile)
    if any(passwords.is_right(former, new) for former in _last_hashes(user, profile.history)):
        raise Refusal("password-weak", why=("You have or had this password. Choose a new one.",
                                            "这是您当前或以前的密码，请另选新密码。"))  # fmt: skip
    _replace_password(user, new)
    user.must_change_password = False
    sessions.end_all(change, user)


def _last_hashes(user: User, count: int) -> list[str]:
    """The password a person has and those she had before, newest first."""
    former = select(FormerPassword.password_hash).where(FormerPassword.user_id == user.id)
    return [user.password_hash, *db.session.scalars(former.order_by(FormerPassword.id.desc()))][:count]


def _replace_password(user: User, new: str) -> None:
    """Set the hash and remember the former one, for as many as the strictest profile looks back on (SEC-04)."""
    db.session.add(FormerPassword(user_id=user.id, password_hash=user.password_hash))
    db.session.flush()
    mine = select(FormerPassword).where(FormerPassword.user_id == user.id).order_by(FormerPassword.id.desc())
    for forgotten in db.session.scalars(mine.offset(LONGEST_HISTORY - 1)):
        db.session.delete(forgotten)
    user.password_hash = passwords.hash_password(new)
    user.password_changed_at = now()


def temporary_password() -> str:
    """A random temporary password: easy to read out, impossible to guess (80 bits), right for every profile."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    while True:
        made = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
        if kinds_of(made) >= 3:
            return made


def names_of(username: str, full_name: str) -> list[str]:
    """What others know of a person and may not be her password."""
    return [username, full_name, *full_name.split(), *username.replace(".", " ").split()]


def grants_between(by: User, begin: datetime, end: datetime) -> list[Grant]:
    """Who had which access in a stretch of time: every grant that held at any moment of it (AUD-10)."""
    access.require(by, "manage users")
    grants = db.session.scalars(select(Grant).join(User).order_by(User.name_key, Grant.id))
    return [
        each
        for each in grants
        if each.starts_at < end and (each.ends_at is None or each.ends_at > max(begin, each.starts_at))
    ]


def _refuse_last_administrator(ending: list[Grant]) -> None:
    """Somebody must be able to manage users tomorrow."""
    losing = {each.id for each in ending}
    if not any(each.role in access.ADMINISTRATIVE and each.is_active(now()) for each in ending):
        return
    rest = db.session.scalars(select(Grant).join(User).where(Grant.role.in_(access.ADMINISTRATIVE), User.active))
    if not any(each.is_active(now()) and each.id not in losing for each in rest):
        raise Refusal("last-administrator")
