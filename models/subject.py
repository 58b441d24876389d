"""Participants and the occasions on which they are seen."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import IsoDate, UtcTime, db
from models.study import Site


class Subject(db.Model):
    """A person in the study (the page says participant).

    `place` is the participant's place among the study's limited number: unique per study, so two centres can never
    take the same one (SEC-45). `number` is issued with it and never again (DAT-14).
    """

    __tablename__ = "subject"
    __table_args__ = (
        UniqueConstraint("study_id", "screening_number"),
        UniqueConstraint("study_id", "number"),
        UniqueConstraint("study_id", "place"),
        CheckConstraint("(number IS NULL) = (place IS NULL)", name="number_with_place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    screening_number: Mapped[str] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text)
    place: Mapped[int | None]
    status: Mapped[str] = mapped_column(Text, default="screening")
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("subject.id"))
    person_key: Mapped[str | None] = mapped_column(Text, index=True)
    protection: Mapped[str] = mapped_column(Text, default="open")  # of what is not there yet; forms have their own
    possible_duplicate: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    site: Mapped[Site] = relationship()
    events: Mapped[list["StudyEvent"]] = relationship(back_populates="subject", order_by="StudyEvent.position")

    @property
    def label(self) -> str:
        """The number people call the participant by: enrolment number, else screening number."""
        return self.number or self.screening_number


class StudyEvent(db.Model):
    """A planned or unplanned occasion (the page says visit). Its key in addresses is `SCR` or, repeated, `OTV.2`."""

    __tablename__ = "study_event"
    __table_args__ = (
        UniqueConstraint("subject_id", "event_id", "repeat"),
        Index("ix_study_event_state_opens", "state", "opens"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    event_id: Mapped[str] = mapped_column(Text)
    repeat: Mapped[int] = mapped_column(default=1)
    position: Mapped[int]  # order in the schedule; unscheduled visits are placed by their date when shown
    target: Mapped[date | None] = mapped_column(IsoDate)
    opens: Mapped[date | None] = mapped_column(IsoDate)
    closes: Mapped[date | None] = mapped_column(IsoDate)
    projected: Mapped[bool] = mapped_column(default=False)
    visit_date: Mapped[date | None] = mapped_column(IsoDate)
    state: Mapped[str] = mapped_column(Text, default="planned")  # planned, done, not_done, missed, not_applicable
    reason: Mapped[str | None] = mapped_column(Text)
    protection: Mapped[str] = mapped_column(Text, default="open")

    subject: Mapped[Subject] = relationship(back_populates="events")

    @property
    def key(self) -> str:
        """`SCR`; `OTV.2` for the second of a repeating event."""
        return self.event_id if self.repeat == 1 else f"{self.event_id}.{self.repeat}"
