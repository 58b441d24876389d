"""What was answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import JsonText, UtcTime, db
from models.subject import StudyEvent, Subject


class FormData(db.Model):
    """One instance of one form. `answers` is `{group: {row: {item: cell}}}` (see `design.answers`).

    It points at the study version it was answered under, for ever. `findings` is the list of checks that fail now
    (check id and item paths); `overrides` maps a protected check to the reason it was saved all the same.
    """

    __tablename__ = "form_data"
    __table_args__ = (
        UniqueConstraint("study_event_id", "form_id", "repeat"),
        Index("ix_form_data_subject_form", "subject_id", "form_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    study_event_id: Mapped[int] = mapped_column(ForeignKey("study_event.id"))
    form_id: Mapped[str] = mapped_column(Text)
    repeat: Mapped[int] = mapped_column(default=1)
    version_id: Mapped[int] = mapped_column(ForeignKey("study_version.id"))
    entry: Mapped[str] = mapped_column(Text, default="in_progress")  # in_progress, complete, not_done
    protection: Mapped[str] = mapped_column(Text, default="open")  # open, frozen, locked
    in_error: Mapped[str | None] = mapped_column(Text)  # why the whole instance was marked in error
    answers: Mapped[dict[str, Any]] = mapped_column(JsonText)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    overrides: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    revision: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[datetime] = mapped_column(UtcTime)
    saved_by: Mapped[str] = mapped_column(Text)

    subject: Mapped[Subject] = relationship()
    study_event: Mapped[StudyEvent] = relationship()


class Draft(db.Model):
    """What a person typed and did not save yet: hers alone, never exported, not part of the record (AUD-17)."""

    __tablename__ = "draft"
    audited = False

    user_id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Text, primary_key=True)  # address of the form
    posted: Mapped[dict[str, Any]] = mapped_column(JsonText)
    at: Mapped[datetime] = mapped_column(UtcTime)


class StoredFile(db.Model):
    """An uploaded file, held by its SHA-256."""

    __tablename__ = "stored_file"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
