"""Datasets that left the system."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import JsonText, UtcTime, db


class DataCut(db.Model):
    """A named instant: the data as they were after change `seq` of the study's chain, whose hash is `link`.

    A cut holds no data. They are rebuilt from the trail whenever they are asked for, so the same cut gives the same
    datasets for ever, and `link` proves that it is still the same trail.
    """

    __tablename__ = "data_cut"
    __table_args__ = (UniqueConstraint("study_id", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)  # folded: names differ by more than case
    as_of: Mapped[datetime] = mapped_column(UtcTime)
    seq: Mapped[int]
    link: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


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
    cut_id: Mapped[int | None] = mapped_column(ForeignKey("data_cut.id"))
