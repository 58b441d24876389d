"""Noticing what may be an unauthorised attempt, and telling the security contact (ACC-10; 21 CFR 11.300(d)).

Every such event is a row of the security register; once there are as many of a kind about one account or address
within a quarter of an hour as `KINDS` says, the row is an alert: administrators see it, and a mail goes out when a
mail server is set. Each event is a short transaction of its own, apart from the request's. Nothing here ever
breaks what the person did: a register or a mail server that fails leaves a line in the log.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from models import SecurityEvent, User, db
from models.clock import now
from workflows import access, mailing

log = logging.getLogger("evidentia.security")

WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=2)  # events that became no alert; alerts stay
SHOWN = 200


@dataclass(frozen=True)
class Kind:
    """How many events within the window make an alert, and what it is called in both languages."""

    threshold: int
    words: tuple[str, str]


KINDS = {
    "sign-in-paused": Kind(1, ("Sign-in paused after too many failures", "登录失败次数过多，已暂停登录")),
    "access-refused": Kind(3, ("Repeated attempts without the right to do so", "多次尝试无权限的操作")),
    "not-found": Kind(10, ("Many requests for things that are not there for this person", "多次请求不存在或无权访问的内容")),
    "trail-unavailable": Kind(1, ("The audit trail could not be written", "稽查轨迹无法写入")),
}  # fmt: skip


@dataclass(frozen=True)
class Alert:
    """One alert as administrators see it; `who` is empty for an address without a known account."""

    number: int
    kind: str
    who: str
    address: str
    at: datetime


def note(kind: str, about: str, address: str, user_id: int | None = None) -> None:
    """Put an event into the register; tell the security contact when it makes an alert, once per window."""
    try:
        number = _store(kind, about, address, user_id)
    except SQLAlchemyError as error:
        log.error("security event %s not stored: %s", kind, type(error).__name__)
        return
    if number is not None:
        log.warning("security alert %d %s", number, kind)
        _tell(number, kind)


def _store(kind: str, about: str, address: str, user_id: int | None) -> int | None:
    """The number of the alert that this event makes, if it does."""
    at = now()
    same = (SecurityEvent.kind == kind, SecurityEvent.about == about, SecurityEvent.at > at - WINDOW)
    with db.engine.begin() as connection:
        connection.execute(delete(SecurityEvent).where(SecurityEvent.is_alert.is_(False), SecurityEvent.at < at - KEPT))
        before = connection.scalars(select(SecurityEvent.is_alert).where(*same)).all()
        if any(before):
            return None
        is_alert = len(before) + 1 >= KINDS[kind].threshold
        values = {"kind": kind, "about": about, "address": address, "user_id": user_id, "is_alert": is_alert, "at": at}
        made = connection.execute(insert(SecurityEvent).values(**values)).inserted_primary_key
    return made[0] if is_alert and made else None


def _tell(number: int, kind: str) -> None:
    server = current_app.config["SETTINGS"].mail
    if server is None:
        return
    english, chinese = KINDS[kind].words
    where = "See the page Users > Security alerts. 请查看“用户 > 安全警报”页面。"
    message = mailing.compose(server, f"Security alert {number}", f"{number}: {english}. {chinese}。\n{where}\n")
    mailing.send_soon(server, message)


def alerts(by: User) -> list[Alert]:
    """The latest alerts, newest first, for those who manage users.

    Raises:
        Forbidden: the person may not manage users.
    """
    access.require(by, "manage users")
    selection = (
        select(SecurityEvent, User.full_name)
        .outerjoin(User, User.id == SecurityEvent.user_id)
        .where(SecurityEvent.is_alert)
        .order_by(SecurityEvent.id.desc())
        .limit(SHOWN)
    )
    return [
        Alert(event.id, event.kind, name or "", event.address, event.at)
        for event, name in db.session.execute(selection)
    ]
