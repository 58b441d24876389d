"""Datasets that left the system."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import JsonText, UtcTime, db


class Export(db.Model):
    """One export: who asked for it is in its change; `manifest` holds counts, versions, chain head and file hashes."""

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    user_id: Mapped[int | None]
    formats: Mapped[list[str]] = mapped_column(JsonText)
    site_codes: Mapped[list[str]] = mapped_column(JsonText)
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    manifest: Mapped[dict[str, Any]] = mapped_column(JsonText)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
