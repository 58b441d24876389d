"""Signing in and out.

Unknown name, wrong password and closed account get the same sentence after the same time. Failures are
counted in the
database, so that all workers count together and a restart forgets nothing; a pause ends by itself (SEC-05).
"""

import hashlib
from datetime import datetime, timedelta
from math import ceil

from flask import current_app
from sqlalchemy import ColumnElement, delete, func, select

from models import ChangeEntries, SignInAttempt, User, db
from models.change import Change, System
from models.clock import now
from workflows import alerting, passwords
from workflows.password_profiles import PROFILES, PasswordProfile
from workflows.refusals import Refusal

SYSTEM = System("sign-in")
PAUSE = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 20  # a hospital's people share one address: theirs add up
KEPT = timedelta(days=1)
SWITCH = "switch password profile"


def profile() -> PasswordProfile:
    """What this installation asks of passwords (SEC-04)."""
    return PROFILES[current_app.config["SETTINGS"].password_profile]


def note_profile() -> None:
    """Leave in the trail that another profile is in force than when the server started last (SEC-04)."""
    latest = select(Change.id).where(Change.action == SWITCH).order_by(Change.id.desc()).limit(1)
    entries = db.session.scalars(select(ChangeEntries).where(ChangeEntries.change_id.in_(latest))).first()
    former = (entries.detail or {}).get("to") if entries else None
    if former != profile().name:
        detail = {"from": former, "to": profile().name}
        with Change(by=System("settings"), action=SWITCH, about="settings", chain="system", detail=detail):
            pass


def is_expired(user: User) -> bool:
    """Whether the profile asks for a new password because this one is too old."""
    lifetime = profile().lifetime
    return lifetime is not None and now() - (user.password_changed_at or user.created_at) >= lifetime


def find_user(user_id: int) -> User | None:
    """The account of a session; None when it is closed, so that it is out at the next request (SEC-14)."""
    user = db.session.get(User, user_id)
    return user if user is not None and user.active else None


def has_users() -> bool:
    """Whether anybody has an account yet."""
    return db.session.scalars(select(User.id).limit(1)).first() is not None


def sign_in(username: str, password: str, address: str) -> User:
    """The person whose name and password these are. Either outcome is a change.

    Raises:
        Refusal: they are not right (`sign-in-refused`), or too many attempts came before (`sign-in-paused`).
    """
    key = passwords.name_key(username)
    attempt = _note_attempt(key, address)
    until = _paused_until(attempt)
    user = db.session.scalars(select(User).where(User.name_key == key)).first()
    if until is not None:
        db.session.delete(attempt)
        db.session.commit()
        _record_refusal(user, address, "paused")
        raise Refusal("sign-in-paused", minutes=max(1, ceil((until - now()).total_seconds() / 60)))
    if user is None:
        passwords.spend_time(password)
    elif passwords.is_right(user.password_hash, password) and user.active:
        _admit(user, password, address)
        return user
    _record_refusal(user, address, "refused")
    raise Refusal("sign-in-refused")


def confirm(user: User, password: str, address: str) -> None:
    """Ask a person who is signed in for her password again; failures count like those of a sign-in (SEC-16).

    Raises:
        Refusal: the password is not right, or too many attempts came before.
    """
    attempt = _note_attempt(user.name_key, address)
    until = _paused_until(attempt)
    if until is None and passwords.is_right(user.password_hash, password):
        db.session.delete(attempt)
        db.session.commit()
        return
    _record_refusal(user, address, "refused" if until is None else "paused")
    if until is not None:
        raise Refusal("sign-in-paused", minutes=max(1, ceil((until - now()).total_seconds() / 60)))
    raise Refusal("sign-in-refused")


def sign_out(user: User) -> None:
    """Record that a person signed out; the caller ends her session."""
    with Change(by=user, action="sign out", about=f"app_user/{user.id}", chain="system"):
        pass


def forget_attempts(user: User) -> None:
    """Let a person try again at once: an administrator gave her a new password."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.account_key == user.name_key))


def _note_attempt(key: str, address: str) -> SignInAttempt:
    """Count the attempt before it is judged, so that attempts at the same moment cannot all slip through.

    Attempts on one account are counted one after the other: none is judged before it sees those before it.
    """
    if db.session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
        db.session.execute(select(func.pg_advisory_xact_lock(number)))
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.at < now() - KEPT))
    attempt = SignInAttempt(account_key=key, address=address, at=now())
    db.session.add(attempt)
    db.session.commit()
    return attempt


def _paused_until(attempt: SignInAttempt) -> datetime | None:
    """When the account or the address may try again; None when it may now."""
    ends = [
        _end_of_pause(SignInAttempt.account_key == attempt.account_key, attempt, PER_ACCOUNT),
        _end_of_pause(SignInAttempt.address == attempt.address, attempt, PER_ADDRESS),
    ]
    return max((end for end in ends if end is not None), default=None)


def _end_of_pause(mine: ColumnElement[bool], attempt: SignInAttempt, limit: int) -> datetime | None:
    """A quarter of an hour after the last failure, once the limit was reached within a quarter of an hour."""
    latest = list(
        db.session.scalars(
            select(SignInAttempt.at)
            .where(mine, SignInAttempt.id < attempt.id)
            .order_by(SignInAttempt.id.desc())
            .limit(limit)
        )
    )
    if len(latest) < limit or latest[0] - latest[-1] > PAUSE:
        return None
    end = latest[0] + PAUSE
    return end if end > now() else None


def _admit(user: User, password: str, address: str) -> None:
    with Change(by=user, action="sign in", about=f"app_user/{user.id}", chain="system", detail={"address": address}):
        db.session.execute(delete(SignInAttempt).where(SignInAttempt.account_key == user.name_key))
        if is_expired(user):
            user.must_change_password = True
        if passwords.is_outdated(user.password_hash):
            user.password_hash = passwords.hash_password(password)


def _record_refusal(user: User | None, address: str, outcome: str) -> None:
    """Leave the refusal in the trail. A name nobody has is not kept: people type passwords there by
    mistake.
    """
    about = f"app_user/{user.id}" if user else "app_user"
    name = user.username if user else None
    with Change(
        by=SYSTEM,
        action="sign in refused",
        about=about,
        chain="system",
        detail={"username": name, "address": address, "outcome": outcome},
    ):
        pass
    if outcome == "paused":
        who = about if user else f"address/{address}"
        alerting.note("sign-in-paused", who, address, user.id if user else None)
