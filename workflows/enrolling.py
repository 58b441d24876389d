"""Taking a person into the study: screening number, eligibility, a place among the limited number, enrolment number.

Numbers are issued under a lock and never again (DAT-14); the last place can be taken once only, whoever is first to
commit (SEC-45, X08).
"""

from datetime import date

from sqlalchemy import func, select

from design.definitions import StudyDef
from design.evaluation import evaluate_expression
from design.expressions import Expression
from design.record import SubjectRecord
from models import Site, Study, StudyEvent, Subject, db
from models.change import Change
from models.clock import now, today
from workflows import access, check_queries, duplicates, finding, scheduling, states
from workflows.refusals import EnrolmentClosed, Refusal


def screen(change: Change, site: Site, previous: Subject | None = None) -> Subject:
    """Start the screening of a person at a site; `previous` is the failed attempt when she is screened again.

    Raises:
        Forbidden: the role may not screen at this site.
        Refusal: the earlier attempt did not fail, or re-screening is used up.
    """
    access.require(change, "screen", at=site)
    study = finding.study()
    definitions = finding.design_for(site)
    if previous is not None:
        _refuse_rescreening(definitions, previous)
    _lock(Study, study.id)
    db.session.refresh(site, ["protection"])
    states.refuse_unless_open(states.strictest(site.protection, study.protection))
    taken = db.session.scalar(select(func.count()).select_from(Subject).where(Subject.site_id == site.id)) or 0
    subject = Subject(
        study_id=study.id,
        site=site,
        screening_number=definitions.rules.screening_number.format(site=site.code, n=taken + 1),
        status="screening",
        previous_id=previous.id if previous else None,
        created_at=now(),
        possible_duplicate=False,
    )
    db.session.add(subject)
    scheduling.create_events(subject, definitions)
    db.session.flush()
    change.subject_id, change.site_id, change.about = subject.id, site.id, f"subject/{subject.id}"
    return subject


def _refuse_rescreening(definitions: StudyDef, previous: Subject) -> None:
    if previous.status != "screen_failed":
        raise Refusal("rescreen-not-failed")
    parameter = definitions.parameters.get("RESCREEN_MAX")
    limit = int(parameter.value) if parameter else 1
    attempts, earlier = 0, previous
    while earlier.previous_id is not None:
        attempts += 1
        earlier = db.session.get_one(Subject, earlier.previous_id)
    if attempts >= limit:
        raise Refusal("rescreen-limit", limit=limit)


def _lock(model: type[Study] | type[Site], key: int) -> None:
    """Queue behind whoever issues numbers now. SQLite has one writer at a time anyway."""
    db.session.execute(select(model.id).where(model.id == key).with_for_update())


def settle(change: Change, subject: Subject, study: StudyDef, record: SubjectRecord) -> None:
    """After a save: status, enrolment number, possible duplicates, schedule, as the study's rules now say."""
    day = today(subject.site.timezone)
    status = status_by_rules(study, record, day)
    if subject.number is None and _is_true(study, record, study.rules.enrol, day):
        _take_place(change, subject, study)
    if subject.status != status:
        subject.status = status
    duplicates.mark(subject, study, record)
    scheduling.refresh(change, subject, study, record)


def status_by_rules(study: StudyDef, record: SubjectRecord, day: date) -> str:
    """The last status of the study's life cycle whose rule is true; screening before any is."""
    status = "screening"
    for name, rule in study.lifecycle.items():
        if evaluate_expression(study, record, rule, day) is True:
            status = name
    return status


def _is_true(study: StudyDef, record: SubjectRecord, rule: Expression | None, day: date) -> bool:
    return rule is not None and evaluate_expression(study, record, rule, day) is True


def _take_place(change: Change, subject: Subject, definitions: StudyDef) -> None:
    """Issue the enrolment number and take the next place; the unique constraint is the last word.

    Raises:
        EnrolmentClosed: all places are taken.
    """
    access.require(change, "enrol", at=subject.site_id)
    _lock(Study, subject.study_id)
    cap = int(definitions.parameters[definitions.rules.enrol_cap].value)
    taken = db.session.scalar(select(func.max(Subject.place)).where(Subject.study_id == subject.study_id)) or 0
    if taken >= cap:
        raise EnrolmentClosed(cap=cap)
    at_site = select(func.count()).select_from(Subject)
    at_site = at_site.where(Subject.site_id == subject.site_id, Subject.number.is_not(None))
    count = (db.session.scalar(at_site) or 0) + 1
    number = definitions.rules.subject_number.format(site=subject.site.code, n=count)
    with db.session.no_autoflush:  # both or neither: a check constraint of the table
        subject.place, subject.number = taken + 1, number


def add_unscheduled(change: Change, subject: Subject) -> StudyEvent:
    """An occasion that no plan foresaw, numbered on; it keeps its own date and never takes a planned visit's place.

    Raises:
        Forbidden: the role may not change visits here.
        Refusal: the study has no unscheduled visits.
    """
    access.require(change, "schedule visit", at=subject.site_id)
    definitions = finding.design_for(subject.site)
    definition = next((each for each in definitions.events.values() if each.kind == "unscheduled"), None)
    if definition is None:
        raise Refusal("not-expected")
    states.refuse_unless_open(states.protection_around(subject))
    last = max((event.repeat for event in subject.events if event.event_id == definition.id), default=0)
    event = scheduling.new_event(subject, definition, last + 1)
    db.session.flush()
    change.about = f"study_event/{event.id}"
    return event


def mark_visit(change: Change, subject: Subject, event: StudyEvent, state: str) -> None:
    """Say that a visit was missed, or take that back (`planned`). The change carries the reason.

    Raises:
        Forbidden: the role may not change visits here.
        Refusal: the visit has forms or a date already, or no reason was given.
    """
    access.require(change, "schedule visit", at=subject.site_id)
    if not change.reason or len(change.reason.strip()) < 3:
        raise Refusal("bad-reason")
    if state not in ("missed", "planned") or event.state not in ("missed", "planned"):
        raise Refusal("not-expected")
    states.refuse_unless_open(states.protection_around(subject, event))
    event.state, event.reason = state, change.reason.strip()
    check_queries.follow_visit(change, subject, event)
    change.about = f"study_event/{event.id}"
