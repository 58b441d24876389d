"""Later study versions at the sites, moving forms to them, and departures from the protocol."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import IsoDate, JsonText, UtcTime, db
from models.study import Site
from models.subject import Subject


class Activation(db.Model):
    """From which day a site works under a version, by which approval of its ethics committee (ACC-11)."""

    __tablename__ = "activation"
    __table_args__ = (UniqueConstraint("site_id", "version_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("study_version.id"))
    from_date: Mapped[date] = mapped_column(IsoDate)
    approval: Mapped[str] = mapped_column(Text)
    activated_by: Mapped[str] = mapped_column(Text)
    activated_at: Mapped[datetime] = mapped_column(UtcTime)

    site: Mapped[Site] = relationship()


class AmendmentRun(db.Model):
    """Moving the forms already there to a later version. Resumable: what was moved points at the later version."""

    __tablename__ = "amendment_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    from_version_id: Mapped[int] = mapped_column(ForeignKey("study_version.id"))
    to_version_id: Mapped[int] = mapped_column(ForeignKey("study_version.id"))
    status: Mapped[str] = mapped_column(Text, default="running")  # running, finished
    moved: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    started_by: Mapped[str] = mapped_column(Text)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Deviation(db.Model):
    """A departure from the protocol: proposed by a protected save or a breached window, then recorded or dismissed.

    `check_key` is unique per participant: the same breach is proposed once, and withdrawn when it is corrected.
    Recording it makes a row of the study's deviation form, which holds category and severity; the principal
    investigator acknowledges it here.
    """

    __tablename__ = "deviation"
    __table_args__ = (UniqueConstraint("subject_id", "check_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    study_event_id: Mapped[int | None] = mapped_column(ForeignKey("study_event.id"))
    source_form_data_id: Mapped[int | None] = mapped_column(ForeignKey("form_data.id"))
    check_id: Mapped[str | None] = mapped_column(Text)
    check_key: Mapped[str] = mapped_column(Text)
    term_en: Mapped[str] = mapped_column(Text)
    term_zh: Mapped[str] = mapped_column(Text)
    occurred: Mapped[str] = mapped_column(Text, default="")  # date as collected, perhaps partial
    status: Mapped[str] = mapped_column(Text, default="proposed")  # proposed, recorded, dismissed, withdrawn
    why: Mapped[str] = mapped_column(Text, default="")  # reason of the override, or of the dismissal
    form_data_id: Mapped[int | None] = mapped_column(ForeignKey("form_data.id"))
    proposed_at: Mapped[datetime] = mapped_column(UtcTime)
    settled_by: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    acknowledged_by: Mapped[str | None] = mapped_column(Text)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcTime)

    subject: Mapped[Subject] = relationship()
