"""Questions to a site about its data, and what was said about them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import JsonText, UtcTime, db
from models.subject import StudyEvent, Subject


class Query(db.Model):
    """A question about a participant, visit, form, row or items; also about what was never saved.

    It names its place by event, form and repeat, not by the stored row, which may not exist. `paths` holds
    `group/row/item` or `group/row`; empty, it asks about the form (or visit, or participant) as a whole. A query of a
    check has a `check_key`, unique per participant, so that the same breach never opens a second one; of a person's
    query it is empty.
    """

    __tablename__ = "query"
    __table_args__ = (
        UniqueConstraint("subject_id", "check_key"),
        Index("ix_query_status_site", "status", "site_id", "raised_at"),
        Index("ix_query_event_form", "study_event_id", "form_id", "repeat"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    study_event_id: Mapped[int | None] = mapped_column(ForeignKey("study_event.id"))
    form_id: Mapped[str | None] = mapped_column(Text)
    repeat: Mapped[int | None]
    paths: Mapped[list[str]] = mapped_column(JsonText, default=list)
    check_id: Mapped[str | None] = mapped_column(Text, index=True)
    check_key: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str] = mapped_column(Text)  # see workflows.querying.REASON_CODES
    status: Mapped[str] = mapped_column(Text, default="open")  # open, answered, closed, cancelled
    assignee: Mapped[str] = mapped_column(Text, default="nurse")  # the role that is asked
    raised_by: Mapped[str] = mapped_column(Text)
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)  # first answer since it was last opened
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    reopened: Mapped[int] = mapped_column(default=0)
    changed_data: Mapped[bool] = mapped_column(default=False)  # an answer it asks about changed while it was open
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("monitoring_visit.id"))
    revision: Mapped[int] = mapped_column(default=1)

    subject: Mapped[Subject] = relationship()
    study_event: Mapped[StudyEvent | None] = relationship()
    messages: Mapped[list["QueryMessage"]] = relationship(back_populates="query", order_by="QueryMessage.id")


class QueryMessage(db.Model):
    """One turn of the conversation: what was done to the query (`act`) and what was said."""

    __tablename__ = "query_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), index=True)
    act: Mapped[str] = mapped_column(Text)  # opened, answered, commented, reopened, closed, cancelled, reassigned
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    role: Mapped[str | None] = mapped_column(Text)

    query: Mapped[Query] = relationship(back_populates="messages")
