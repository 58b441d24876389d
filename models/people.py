"""Users, their grants, and what signing in leaves behind."""

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import UtcTime, db
from models.study import Site


class User(UserMixin, db.Model):
    """A person with an account of her own. `name_key` (NFKC, case-folded) is unique for ever: SIG-04."""

    __tablename__ = "app_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, unique=True)
    full_name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(Text, default="zh")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    # Empty: not since the account was opened.
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcTime)

    grants: Mapped[list["Grant"]] = relationship(back_populates="user", order_by="Grant.id")

    @property
    def is_active(self) -> bool:
        """Whether the account is open; the name is Flask-Login's."""
        return self.active


class Grant(db.Model):
    """A role for a user at a site (`site_id` empty: at all sites), from and until an instant."""

    __tablename__ = "access_grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    role: Mapped[str] = mapped_column(Text)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)

    user: Mapped[User] = relationship(back_populates="grants")
    site: Mapped[Site | None] = relationship()

    def is_active(self, at: datetime) -> bool:
        """Whether the grant holds at an instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class SignInSession(db.Model):
    """A server-side session. Only the hash of the cookie's token is stored; the row is gone when it ends (SEC-12).

    `device` and `address` are what its owner recognises it by (SEC-15): browser and system, and a shortened
    address.
    """

    __tablename__ = "sign_in_session"
    audited = False

    token_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[str] = mapped_column(Text)
    device: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class SignInAttempt(db.Model):
    """One failed sign-in, kept in the database so that all workers count together (SEC-05)."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_attempt_account", "account_key", "at"),
        Index("ix_attempt_address", "address", "at"),
    )
    audited = False

    id: Mapped[int] = mapped_column(primary_key=True)
    account_key: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class FormerPassword(db.Model):
    """The hash of a password somebody had, so that a profile can forbid using it again (SEC-04)."""

    __tablename__ = "former_password"
    audited = False

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    password_hash: Mapped[str] = mapped_column(Text)


class SecurityEvent(db.Model):
    """What may be an unauthorised attempt; `is_alert` when it became one the security contact is told of (ACC-10)."""

    __tablename__ = "security_event"
    __table_args__ = (Index("ix_security_event_kind", "kind", "about", "at"),)
    audited = False

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None]
    address: Mapped[str] = mapped_column(Text)
    is_alert: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcTime)
