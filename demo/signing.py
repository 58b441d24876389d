"""The investigator signs visits and finished casebooks; the data manager freezes those, and locks one."""

from datetime import timedelta

from sqlalchemy import func, select

from demo import monitoring, questions
from demo.office import Office
from demo.people import PASSWORD
from models import FormData, StudyEvent, Subject, clock, db
from workflows import freezing, signing
from workflows.nightly import OVER
from workflows.signing import Shown

ADDRESS = "192.0.2.10"
DUE = {"SCR": "ENR", "RTD": "RTEND", "EOT": "RTEND"}  # visit: the form after which it is ready
PROMPT = 0.85  # of what is due is signed at a time
QUIET = timedelta(days=100)  # without an entry before a casebook counts as finished


def sign_due(office: Office) -> None:
    """Sign the screening, the course and the end of treatment of whoever is through with them."""
    for subject_id, event_id in _due(office):
        if office.dice.random() < PROMPT:
            _sign(office, db.session.get_one(Subject, subject_id), event_id)
            office.signed.add(event_id)


def _due(office: Office) -> list[tuple[int, int]]:
    """Visits that are ready and were not signed yet, of casebooks that are open."""
    found: list[tuple[int, int]] = []
    for visit, form_id in DUE.items():
        ready = select(FormData.subject_id).where(FormData.form_id == form_id, FormData.in_error.is_(None))
        selection = (
            select(StudyEvent.subject_id, StudyEvent.id)
            .join(Subject, Subject.id == StudyEvent.subject_id)
            .where(Subject.site_id == office.desk.site.id, Subject.protection == "open")
            .where(StudyEvent.event_id == visit, StudyEvent.subject_id.in_(ready))
        )
        found += [(row[0], row[1]) for row in db.session.execute(selection) if row[1] not in office.signed]
    return sorted(found)


def _sign(office: Office, subject: Subject, event_id: int | None = None) -> None:
    """Sign a visit or a casebook as it is shown, without what cannot be signed yet."""
    investigator = office.desk.investigator
    with clock.at(office.desk.calendar.tick()):
        shown = [
            Shown(each.data.id, each.data.revision, each.digest)
            for each in signing.candidates(subject, event_id)
            if each.refusal is None and each.state != "signed"
        ]
        if not shown:
            return
        signing.sign(
            investigator,
            subject,
            "event" if event_id else "casebook",
            shown,
            meaning="approve",
            statement=signing.STATEMENT_VERSION,
            username=investigator.username,
            password=PASSWORD,
            address=ADDRESS,
            event_id=event_id,
        )


def close_casebooks(office: Office) -> None:
    """Whoever has left the study and about whom nothing is entered any more: sign the casebook and freeze it."""
    for subject_id in _finished(office):
        subject = db.session.get_one(Subject, subject_id)
        if subject.status == "screen_failed" and not _has_locked():
            _prepare_for_lock(office, subject)
        _sign(office, subject)
        act = "lock" if subject.status == "screen_failed" and _is_lockable(office, subject) else "freeze"
        with office.act(office.manager, act, subject) as change:
            freezing.protect(change, subject, act)


def _finished(office: Office) -> list[int]:
    last = func.max(FormData.saved_at)
    selection = (
        select(Subject.id)
        .join(FormData, FormData.subject_id == Subject.id)
        .where(Subject.site_id == office.desk.site.id, Subject.protection == "open", Subject.status.in_(OVER))
        .group_by(Subject.id)
        .having(last < office.midnight(office.today) - QUIET)
        .order_by(Subject.id)
    )
    return list(db.session.scalars(selection))


def _has_locked() -> bool:
    return db.session.scalars(select(Subject.id).where(Subject.protection == "locked").limit(1)).first() is not None


def _prepare_for_lock(office: Office, subject: Subject) -> None:
    """Everything is compared and every query closed."""
    for event_id in list(db.session.scalars(select(StudyEvent.id).where(StudyEvent.subject_id == subject.id))):
        monitoring.verify(office, subject.id, event_id)
    questions.settle_all(office, subject)


def _is_lockable(office: Office, subject: Subject) -> bool:
    """Nobody is locked yet, and nothing would be left out."""
    if _has_locked():
        return False
    with clock.at(office.desk.calendar.tick()):
        return not freezing.preview(office.manager, subject, "lock").excluded
