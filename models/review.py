"""What was compared with the source, what was signed, who may do either, and visits at which it was done."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import IsoDate, JsonText, UtcTime, db
from models.data import FormData
from models.study import Site
from models.subject import Subject


class Review(db.Model):
    """Marks on the items of one form: `{group: {row: {item: {"by": user id, "at": instant, "visit": id}}}}`.

    `verified` holds what was compared with the source (a changed item loses its mark by itself and alone); `frozen`
    holds items that may not change although their form may.
    """

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_data_id: Mapped[int] = mapped_column(ForeignKey("form_data.id"), unique=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    verified: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    frozen: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)

    form_data: Mapped[FormData] = relationship()


class SdvPlan(db.Model):
    """What is to be verified at a site, for visits dated on or after a day; the latest such plan holds.

    `scope` is all, critical or none. `percent` of the participants are verified in full by `scope`, chosen by `seed`
    and screening number alone, so that anyone can draw the same sample again; the others only in critical items.
    """

    __tablename__ = "sdv_plan"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    from_date: Mapped[date] = mapped_column(IsoDate)
    scope: Mapped[str] = mapped_column(Text)  # all, critical, none
    percent: Mapped[int] = mapped_column(default=100)
    seed: Mapped[str] = mapped_column(Text, default="")
    exempt: Mapped[list[str]] = mapped_column(JsonText, default=list)  # item ids
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(Text)

    site: Mapped[Site] = relationship()


class MonitoringVisit(db.Model):
    """A monitor at a site (or looking from afar): opened, worked in, finished with a report that no longer changes."""

    __tablename__ = "monitoring_visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)  # on_site, remote, close_out
    status: Mapped[str] = mapped_column(Text, default="open")  # open, finished
    starts_on: Mapped[date] = mapped_column(IsoDate)
    ends_on: Mapped[date | None] = mapped_column(IsoDate)
    monitor_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    monitor_name: Mapped[str] = mapped_column(Text)
    present: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    actions: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    site: Mapped[Site] = relationship()


class TrailReview(db.Model):
    """A look at the trail of a site over a period: which patterns were found, and what the reviewer says (AUD-12)."""

    __tablename__ = "trail_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    from_date: Mapped[date] = mapped_column(IsoDate)
    to_date: Mapped[date] = mapped_column(IsoDate)
    found: Mapped[dict[str, Any]] = mapped_column(JsonText)  # pattern -> numbers of the changes
    outcome: Mapped[str] = mapped_column(Text)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    reviewer_name: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class Delegation(db.Model):
    """What the site's principal investigator lets a person do, from when until when (ICH E6(R3) 2.3.3)."""

    __tablename__ = "delegation"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    tasks: Mapped[list[str]] = mapped_column(JsonText)  # see workflows.delegating.TASKS
    starts_on: Mapped[date] = mapped_column(IsoDate)
    ends_on: Mapped[date | None] = mapped_column(IsoDate)  # the last day
    delegated_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)

    site: Mapped[Site] = relationship()


class Signature(db.Model):
    """One signature: on a form, a visit or a casebook. Name, role and meaning stay as they were at signing (SIG-01).

    `digest` binds signer, meaning, time and the digests of all forms that were shown (SIG-03, SIG-13). Nothing here
    changes later; that a covered form changed is told by `SignedForm.broken_at`.
    """

    __tablename__ = "signature"
    __table_args__ = (Index("ix_signature_subject_level", "subject_id", "level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    level: Mapped[str] = mapped_column(Text)  # form, event, casebook
    study_event_id: Mapped[int | None] = mapped_column(ForeignKey("study_event.id"))
    form_data_id: Mapped[int | None] = mapped_column(ForeignKey("form_data.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    username: Mapped[str] = mapped_column(Text)
    full_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    delegation_id: Mapped[int | None] = mapped_column(ForeignKey("delegation.id"))
    meaning: Mapped[str] = mapped_column(Text)  # see workflows.signing.MEANINGS
    meaning_en: Mapped[str] = mapped_column(Text)
    meaning_zh: Mapped[str] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)  # version of the accountability statement that was shown
    digest: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime] = mapped_column(UtcTime)

    subject: Mapped[Subject] = relationship()
    forms: Mapped[list["SignedForm"]] = relationship(back_populates="signature", order_by="SignedForm.form_data_id")


class SignedForm(db.Model):
    """A form under a signature, with the digest of what was shown; `broken_at` when its answers changed since."""

    __tablename__ = "signed_form"

    id: Mapped[int] = mapped_column(primary_key=True)
    signature_id: Mapped[int] = mapped_column(ForeignKey("signature.id"), index=True)
    form_data_id: Mapped[int] = mapped_column(ForeignKey("form_data.id"), index=True)
    revision: Mapped[int]
    digest: Mapped[str] = mapped_column(Text)
    broken_at: Mapped[datetime | None] = mapped_column(UtcTime)

    signature: Mapped[Signature] = relationship(back_populates="forms")
    form_data: Mapped[FormData] = relationship()


class UnlockRequest(db.Model):
    """Somebody asks to unlock something; somebody else confirms or declines it (DAT-13: two persons and a reason)."""

    __tablename__ = "unlock_request"
    __table_args__ = (Index("ix_unlock_request_scope", "kind", "target_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # form, event, subject, site, study
    target_id: Mapped[int]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)  # None: the whole study
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("subject.id"))
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="open")  # open, confirmed, declined
    requested_by: Mapped[str] = mapped_column(Text)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    requested_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)

    site: Mapped[Site | None] = relationship()
    subject: Mapped[Subject | None] = relationship()
