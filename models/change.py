"""The audit trail: one `Change` per thing a person or the system did, in one transaction with what it did.

    with Change(by=user, action="save form", reason=reason, subject=subject, chain=study.oid) as change:
        entering.save_form(change, place, answers, revision)

Leaving the block writes the trail and commits; an exception takes everything back. What was written is
captured by `models.capture`, nobody has to report it. If the trail cannot be written, nothing is saved
(SEC-41).
"""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, ForeignKey, Index, Text, UniqueConstraint, insert, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import triggers
from models.base import JsonText, UtcTime, db
from models.capture import KEY, ChangedMeanwhile, WrittenOutsideChange
from models.clock import now
from models.commitments import (
    ALGORITHM,
    BODY_VERSION,
    ZEROS,
    canonical,
    commit,
    leaf_of,
    link_of,
    new_salts,
    sorted_json,
)
from models.engine import begin_write
from models.people import User
from models.study import Site
from models.subject import Subject
from models.triggers import TrailUnavailable
from models.version import APP_VERSION

__all__ = [
    "ChainHead",
    "Change",
    "ChangeEntries",
    "ChangedMeanwhile",
    "System",
    "TrailUnavailable",
    "WrittenOutsideChange",
]


# Two first changes at once: one inserts the empty head, the other waits for it and goes on from there.
_START_CHAIN = text(
    "INSERT INTO chain_head (chain, seq, link) VALUES (:chain, 0, :link) ON CONFLICT (chain) DO NOTHING"
)
_HEAD = {
    "sqlite": text("SELECT seq, link FROM chain_head WHERE chain = :chain"),
    "postgresql": text("SELECT seq, link FROM chain_head WHERE chain = :chain FOR UPDATE"),
}


@dataclass(frozen=True)
class System:
    """An actor that is not a person: a derivation, the command line, an import (AUD-14)."""

    name: str

    @property
    def username(self) -> str:
        """How the trail names it."""
        return f"system:{self.name}@{APP_VERSION}"


class ChainHead(db.Model):
    """The last change of each chain. Only the database moves it, when a change is inserted."""

    __tablename__ = "chain_head"
    audited = False

    chain: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int]
    link: Mapped[str] = mapped_column(Text)


class Change(db.Model):
    """Who did what, when, to which object; and its place in a chain of hashes.

    `body` is the text that is hashed: canonical JSON with salted commitments in place of values and reason,
    so that a declared redaction of a value can come later without breaking the chain. The other columns
    repeat the body for searching; `models.trail` compares them.
    """

    __tablename__ = "change"
    __table_args__ = (
        UniqueConstraint("chain", "seq"),
        Index("ix_change_about", "about"),
        Index("ix_change_subject", "subject_id", "id"),
    )
    audited: ClassVar[bool] = False

    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[str] = mapped_column(Text)
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcTime)
    user_id: Mapped[int | None] = mapped_column(index=True)
    user_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    site_id: Mapped[int | None] = mapped_column(index=True)
    subject_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(Text)
    about: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    leaf: Mapped[str] = mapped_column(Text)
    prev: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)

    def __init__(
        self,
        *,
        by: User | System,
        action: str,
        reason: str | None = None,
        subject: Subject | int | None = None,
        site: Site | int | None = None,
        about: str | None = None,
        chain: str = "system",
        detail: dict[str, Any] | None = None,
    ) -> None:
        self.by, self.action, self.about, self.chain = by, action, about, chain
        self.subject, self.site = subject, site
        self.reason = reason.strip() or None if reason else None
        self.detail = detail or {}
        self.role = self.site_id = self.subject_id = None
        self.derived_paths: set[str] = set()
        self.captured: dict[str, list[Any]] = {}
        self.rows: dict[tuple[str, Any], dict[str, Any] | None] = {}
        self.is_leaving = self.is_broken = False

    @property
    def name(self) -> str:
        """The actor's name as the trail keeps it."""
        return self.by.username

    @property
    def receipt(self) -> str:
        """What a person may note down: the number of the change and the start of its hash."""
        return f"{self.seq}-{self.link[:8]}"

    def __enter__(self) -> Self:
        """Begin the transaction, with everything read anew.

        Raises:
            WrittenOutsideChange: there is a change already, or something was written before it.
        """
        self._session: Session = db.session()
        if KEY in self._session.info:
            raise WrittenOutsideChange("changes do not nest: pass the one there is")
        # Ends the reading so far; refuses audited rows that were touched before the change.
        self._session.commit()
        self._session.expire_all()
        try:
            begin_write(self._session.connection())
            self._name_actor()
        except BaseException:
            self._session.rollback()
            raise
        self._session.info[KEY] = self
        return self

    def _name_actor(self) -> None:
        self.user_name = self.by.username
        self.user_id = self.by.id if isinstance(self.by, User) else None
        if isinstance(self.subject, Subject):
            self.subject_id, self.site_id = self.subject.id, self.subject.site_id
        else:
            self.subject_id = self.subject
        if self.site is not None:
            self.site_id = self.site.id if isinstance(self.site, Site) else self.site

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the trail and commit, or take everything back."""
        session = self._session
        try:
            if kind is None:
                session.flush()
                self._refuse_broken()
                self._write(session.connection())
                self.is_leaving = True
                session.commit()
            else:
                session.rollback()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop(KEY, None)
            self.rows.clear()

    def _refuse_broken(self) -> None:
        if self.is_broken:
            raise TrailUnavailable("the transaction was rolled back inside its change")

    def _write(self, connection: Connection) -> None:
        """Append to the chain. The head is locked here, last, so that others wait as briefly as possible."""
        entries = self._entries()
        triggers.refuse_without(connection)
        seq, self.prev = self._lock_head(connection)
        self.seq, self.at = seq + 1, now()
        body = sorted_json(self._body())
        self.body, self.leaf = body.decode(), leaf_of(body)
        self.link = link_of(self.prev, self.leaf)
        values = {name: getattr(self, name) for name in _COLUMNS}
        key: Any = connection.execute(_INSERT_CHANGE, values).inserted_primary_key
        self.id = key[0]
        connection.execute(
            _INSERT_ENTRIES,
            {
                "change_id": self.id,
                "reason": self.reason,
                "reason_salt": self._reason_salt,
                "detail": self.detail or None,
                "detail_salt": self._detail_salt,
                "entries": entries,
            },
        )

    def _entries(self) -> list[dict[str, Any]]:
        """What differs between before and after, with its salts and commitments."""
        changed = [(path, old, new) for path, (old, new) in self.captured.items() if _differ(old, new)]
        salts = new_salts(2 * len(changed) + 2)
        entries = []
        self._committed: list[list[str | None]] = []
        for path, old, new in sorted(changed, key=lambda entry: entry[0]):
            salt_old = salts.pop() if old is not None else None
            salt_new = salts.pop() if new is not None else None
            source = "system:derivation" if path in self.derived_paths else None
            entry = {"path": path, "old": old, "new": new}
            entry["salt_old"] = salt_old.hex() if salt_old else None
            entry["salt_new"] = salt_new.hex() if salt_new else None
            if source:
                entry["source"] = source
            entries.append(entry)
            commit_old = commit(salt_old, canonical(old)) if salt_old else None
            commit_new = commit(salt_new, canonical(new)) if salt_new else None
            self._committed.append([path, commit_old, commit_new, source])
        self._reason_salt = salts.pop().hex() if self.reason else None
        self._detail_salt = salts.pop().hex() if self.detail else None
        return entries

    def _body(self) -> dict[str, Any]:
        """What is hashed. `entries` hold path, commitments of old and new, and a source that is not the
        actor."""
        reason = commit(bytes.fromhex(self._reason_salt), canonical(self.reason)) if self._reason_salt else None
        detail = commit(bytes.fromhex(self._detail_salt), canonical(self.detail)) if self._detail_salt else None
        return {
            "v": BODY_VERSION,
            "alg": ALGORITHM,
            "app": APP_VERSION,
            "chain": self.chain,
            "seq": self.seq,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "user": self.user_id,
            "name": self.user_name,
            "role": self.role,
            "site": self.site_id,
            "subject": self.subject_id,
            "action": self.action,
            "about": self.about,
            "reason": reason,
            "detail": detail,
            "entries": self._committed,
        }

    def _lock_head(self, connection: Connection) -> tuple[int, str]:
        selection = _HEAD[connection.dialect.name]
        found = connection.execute(selection, {"chain": self.chain}).first()
        if found is None:
            connection.execute(_START_CHAIN, {"chain": self.chain, "link": ZEROS})
            found = connection.execute(selection, {"chain": self.chain}).one()
        return found.seq, found.link


class ChangeEntries(db.Model):
    """What one change holds in clear: reason, detail, and old and new of each path, with the salts that bind
    them."""

    __tablename__ = "change_entries"
    audited = False

    change_id: Mapped[int] = mapped_column(ForeignKey("change.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str | None] = mapped_column(Text)
    reason_salt: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    detail_salt: Mapped[str | None] = mapped_column(Text)
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)


_COLUMNS = [column.name for column in Change.__table__.columns if column.name != "id"]
_INSERT_CHANGE = insert(Change.__table__)
_INSERT_ENTRIES = insert(ChangeEntries.__table__)


def _differ(old: Any, new: Any) -> bool:
    return old != new or type(old) is not type(new)
