"""Monitoring visits: what was entered since the last one is compared with the source, and some of it is asked about."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select

from demo import questions
from demo.office import Office
from models import FormData, MonitoringVisit, Signature, SignedForm, StudyEvent, Subject, clock, db
from workflows import left_to_verify, monitoring, verifying
from workflows.verifying import Shown

FEWEST = 3  # places with something new that are worth the journey
MOST_EVENTS = 8  # compared at one visit; a monitor has two days
VERIFIED = 0.4  # of the visits of participants that she might look at
PRESENT = "监查员、研究护士、主要研究者"
SUMMARY = "核对了知情同意书、源病历与放疗记录；已与研究者沟通本次发现，质疑已在系统中提出。"
ACTIONS = "请研究护士在一周内答复质疑；更新授权分工表与受试者筛选入选表。"

Place = tuple[int, int]  # participant, visit


def entered_since(office: Office, since: date) -> list[Place]:
    """Where anything was saved at the site since a day, oldest first."""
    selection = (
        select(FormData.subject_id, FormData.study_event_id)
        .join(Subject, Subject.id == FormData.subject_id)
        .where(Subject.site_id == office.desk.site.id, FormData.saved_at >= office.midnight(since))
        .where(FormData.in_error.is_(None), FormData.protection == "open")
        .distinct()
        .order_by(FormData.study_event_id)
    )
    return [(row.subject_id, row.study_event_id) for row in db.session.execute(selection)]


def begin(office: Office, number: int) -> int:
    """Open a visit, one in four from afar; its id."""
    with office.act(office.monitor, "open monitoring visit") as change:
        kind = "remote" if number % 4 == 3 else "on_site"
        return monitoring.open_visit(change, office.desk.site, kind, office.today).id


def work(office: Office, visit_id: int, fresh: list[Place], *, looks_back: bool) -> None:
    """Ask about some of what is new, and compare most of the rest with the source.

    `looks_back`: the monitor also asks about something that the investigator signed already.
    """
    asked = questions.ask(office, visit_id, [event_id for _, event_id in fresh])
    if looks_back:
        questions.ask_about(office, visit_id, _signed_vital_signs(office))
    chosen = [place for place in fresh if office.dice.random() < VERIFIED]
    for place in chosen[-MOST_EVENTS:]:
        verify(office, *place, leave=asked)


def verify(office: Office, subject_id: int, event_id: int, leave: Iterable[int] = ()) -> None:
    """Mark what the plan asks for in a whole visit at a stroke; forms in `leave` wait for an answer."""
    with clock.at(office.desk.calendar.tick()):
        subject, event = db.session.get_one(Subject, subject_id), db.session.get_one(StudyEvent, event_id)
        _, forms = left_to_verify.visit(subject, event)
        shown = [
            Shown(each.data.id, each.data.revision, tuple(each.left))
            for each in forms
            if each.left and each.data.id not in leave
        ]
    if shown:
        with office.act(office.monitor, "verify", subject) as change:
            verifying.verify_forms(change, subject, shown)


def finish(office: Office, visit_id: int, day: date) -> None:
    """Write the words of a visit and keep its report."""
    with office.act(office.monitor, "finish monitoring visit") as change:
        visit = db.session.get_one(MonitoringVisit, visit_id)
        monitoring.note(change, visit, PRESENT, SUMMARY, ACTIONS)
        monitoring.finish(change, visit, max(day, office.today))


def _signed_vital_signs(office: Office) -> list[FormData]:
    """Vital signs under a signature that holds, of participants whose casebook is open."""
    selection = (
        select(FormData)
        .join(SignedForm, SignedForm.form_data_id == FormData.id)
        .join(Signature, Signature.id == SignedForm.signature_id)
        .join(Subject, Subject.id == FormData.subject_id)
        .where(Subject.site_id == office.desk.site.id, Subject.protection == "open", FormData.protection == "open")
        .where(FormData.form_id == "VS", SignedForm.broken_at.is_(None))
        .order_by(FormData.id)
    )
    return list(db.session.scalars(selection))
