"""Departures from the protocol that the data themselves tell of: proposed once each, for people to record or dismiss.

Two kinds: an answer outside the protocol that was saved with a reason, and a visit outside its window. When the cause
is corrected a proposal nobody settled is withdrawn; what people recorded or dismissed stays theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from design.definitions import Label
from models import Deviation, FormData, StudyEvent, Subject, db
from models.change import Change
from models.clock import now
from workflows import check_queries, finding, scheduling

WINDOW = "WINDOW"
WITHDRAWN = "The cause was corrected. / 原因已更正。"
_WINDOW_WORDS = {
    "EARLY": ("before its window opened on {day}", "早于窗口期开始日{day}"),
    "LATE": ("after its window closed on {day}", "晚于窗口期结束日{day}"),
}


@dataclass(frozen=True)
class Breach:
    """One departure as the data tell it now."""

    key: str
    event: StudyEvent
    term: Label
    occurred: str
    data: FormData | None = None
    check_id: str | None = None
    why: str = ""


def follow(change: Change, subject: Subject, forms: Iterable[FormData]) -> None:
    """Bring the proposals of a participant in line after a save touched these forms; one statement reads them."""
    touched = {data.id: data for data in forms}
    breaches = {each.key: each for data in touched.values() for each in _overridden(data)}
    breaches |= {each.key: each for event in subject.events for each in _outside(event)}
    selection = select(Deviation).where(Deviation.subject_id == subject.id)
    known = {each.check_key: each for each in db.session.scalars(selection.order_by(Deviation.id))}
    written = [
        _propose(subject, breach, known.get(key))
        for key, breach in breaches.items()
        if key not in known or known[key].status == "withdrawn"
    ]
    for key, deviation in known.items():
        judged = deviation.check_id == WINDOW or deviation.source_form_data_id in touched
        if judged and deviation.status == "proposed" and key not in breaches:
            deviation.status, deviation.why, deviation.settled_at = "withdrawn", WITHDRAWN, now()
            written.append(deviation)
    if written:
        db.session.flush()
        mine = tuple(f"deviation/{each.id}/" for each in written)
        change.derived_paths.update(path for path in change.captured if path.startswith(mine))


def _overridden(data: FormData) -> list[Breach]:
    """Answers outside the protocol that somebody saved with a reason."""
    if data.in_error is not None:
        return []
    checks = check_queries.checks_of(finding.design(data.version_id))
    found = []
    for each in data.findings:
        reason = data.overrides.get(each["check"])
        if each["severity"] != "protected" or not reason:
            continue
        check = checks.get(each["check"])
        term = check.label if check else Label(each["check"], each["check"])
        day = data.study_event.visit_date
        key = check_queries.key_of(data, each)
        when = day.isoformat() if day else ""
        found.append(Breach(key, data.study_event, term, when, data, each["check"], reason))
    return found


def _outside(event: StudyEvent) -> list[Breach]:
    """A visit that took place outside its window."""
    kind = scheduling.window_of(event)
    if kind not in _WINDOW_WORDS or event.visit_date is None:
        return []
    limit = event.opens if kind == "EARLY" else event.closes
    en, zh = (words.format(day=limit) for words in _WINDOW_WORDS[kind])
    day = event.visit_date.isoformat()
    term = Label(f"Visit {event.key} took place on {day}, {en}.", f"访视{event.key}于{day}进行，{zh}。")
    return [Breach(f"{event.id}/{WINDOW}", event, term, day, check_id=WINDOW)]


def _propose(subject: Subject, breach: Breach, earlier: Deviation | None) -> Deviation:
    deviation = earlier
    if deviation is None:
        deviation = Deviation(site_id=subject.site_id, subject_id=subject.id, check_key=breach.key, proposed_at=now())
        db.session.add(deviation)
    deviation.study_event_id, deviation.check_id = breach.event.id, breach.check_id
    deviation.source_form_data_id = breach.data.id if breach.data else None
    deviation.term_en, deviation.term_zh = breach.term.en, breach.term.zh
    deviation.occurred, deviation.why, deviation.status = breach.occurred, breach.why, "proposed"
    deviation.settled_at = None
    return deviation
