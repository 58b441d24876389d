"""Studies, their published versions and their sites."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import JsonText, UtcTime, db


class Study(db.Model):
    """One trial. `secret` salts the hash by which possible duplicate persons are found (never shown, never exported)."""

    __tablename__ = "study"

    id: Mapped[int] = mapped_column(primary_key=True)
    oid: Mapped[str] = mapped_column(Text, unique=True)
    secret: Mapped[str] = mapped_column(Text)
    current_version_id: Mapped[int | None]
    protection: Mapped[str] = mapped_column(Text, default="open")

    sites: Mapped[list["Site"]] = relationship(back_populates="study", order_by="Site.code")


class StudyVersion(db.Model):
    """One published state of a study's design. `files` holds the text of every file of the folder; it never changes."""

    __tablename__ = "study_version"
    __table_args__ = (UniqueConstraint("study_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(Text)
    files: Mapped[dict[str, str]] = mapped_column(JsonText)
    published_at: Mapped[datetime] = mapped_column(UtcTime)


class Site(db.Model):
    """A centre that enters data. New forms at the site are answered under `version_id`."""

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("study_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    code: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text)
    version_id: Mapped[int] = mapped_column(ForeignKey("study_version.id"))
    protection: Mapped[str] = mapped_column(Text, default="open")

    study: Mapped[Study] = relationship(back_populates="sites")

    def name(self, language: str) -> str:
        """The site's name in a language (`zh` or English)."""
        return self.name_zh if language.startswith("zh") else self.name_en
