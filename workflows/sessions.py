"""Keeping sessions on the server: a copied cookie is worth nothing after sign-out (SEC-12, SEC-13).

Only the hash of a session's token is stored. A session ends after a time without activity, after an absolute
time,
at sign-out, and when the account is deactivated. Each function is one short transaction of its own, apart
from the request's, so that a rolled back request still counts as activity and never drags the session along.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update

from models import SignInSession, User, db
from models.change import Change
from models.clock import now
from workflows import access
from workflows.refusals import Forbidden

TOUCH_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Stored:
    """A session as found: its content, and when it began and was last used."""

    user_id: int | None
    data: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it."""

    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_present: bool


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(32)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find(token: str, idle: timedelta, absolute: timedelta) -> Stored | None:
    """The session of a token if it has not ended."""
    row = select(SignInSession.user_id, SignInSession.data, SignInSession.created_at, SignInSession.seen_at)
    with db.engine.connect() as connection:
        found = connection.execute(row.where(SignInSession.token_hash == _hash(token))).first()
    if found is None:
        return None
    at = now()
    if at - found.seen_at >= idle or at - found.created_at >= absolute:
        return None
    return Stored(found.user_id, found.data, found.created_at, found.seen_at)


def begin(token: str, user_id: int | None, data: str, device: str, address: str) -> None:
    """Store a new session; `device` and `address` are what its owner will recognise it by (SEC-15)."""
    at = now()
    values = {"user_id": user_id, "data": data, "device": device, "address": address, "created_at": at, "seen_at": at}
    with db.engine.begin() as connection:
        connection.execute(insert(SignInSession).values(token_hash=_hash(token), **values))


def keep(token: str, user_id: int | None, data: str) -> None:
    """Store a session's content and that it is in use now."""
    values = {"user_id": user_id, "data": data, "seen_at": now()}
    with db.engine.begin() as connection:
        connection.execute(update(SignInSession).where(SignInSession.token_hash == _hash(token)).values(**values))


def last_owner(token: str) -> int | None:
    """Whose session it was that ended by itself, while its row is still there."""
    with db.engine.connect() as connection:
        return connection.scalar(select(SignInSession.user_id).where(SignInSession.token_hash == _hash(token)))


def touch(token: str, seen_at: datetime) -> None:
    """Note activity, at most twice a minute: reading a page should not cost a write each time."""
    if now() - seen_at < TOUCH_EVERY:
        return
    with db.engine.begin() as connection:
        mine = SignInSession.token_hash == _hash(token)
        connection.execute(update(SignInSession).where(mine).values(seen_at=now()))


def end(token: str) -> None:
    """End one session."""
    with db.engine.begin() as connection:
        connection.execute(delete(SignInSession).where(SignInSession.token_hash == _hash(token)))


def forget_ended(idle: timedelta, absolute: timedelta) -> None:
    """Remove the rows of sessions that ended by themselves."""
    at = now()
    ended = or_(SignInSession.seen_at < at - idle, SignInSession.created_at < at - absolute)
    with db.engine.begin() as connection:
        connection.execute(delete(SignInSession).where(ended))


def list_open(user: User, idle: timedelta, absolute: timedelta, token: str | None = None) -> list[OpenSession]:
    """The sessions a person has open now, the one used last first; `token` marks her present one (SEC-15)."""
    at = now()
    selection = select(SignInSession).where(
        SignInSession.user_id == user.id,
        SignInSession.seen_at > at - idle,
        SignInSession.created_at > at - absolute,
    )
    own = _hash(token) if token else None
    return [
        OpenSession(row.device, row.address, row.created_at, row.seen_at, row.token_hash == own)
        for row in db.session.scalars(selection.order_by(SignInSession.seen_at.desc()))
    ]


def end_others(change: Change, user: User, token: str) -> None:
    """End every session of a person but the present one (SEC-15).

    Raises:
        Refusal: somebody else's sessions.
    """
    if change.by is not user:
        raise Forbidden(action=access.ACTIONS["manage users"])
    others = (SignInSession.user_id == user.id, SignInSession.token_hash != _hash(token))
    db.session.execute(delete(SignInSession).where(*others))


def end_all(change: Change, user: User) -> None:
    """End every session of a person: by an administrator, or when her account or password changes (SEC-15).

    Raises:
        Forbidden: somebody else's sessions, without the right to manage users.
    """
    if change.by is not user:
        access.require(change, "manage users")
    db.session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
