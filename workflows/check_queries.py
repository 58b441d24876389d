"""Queries the system raises: one per form instance, check and row, opened, closed and reopened by the check itself.

A finding that is stored with a form (soft, protected and saved all the same, cross) has exactly one query, found by
its `check_key`; the unique constraint is the last word. It closes when the check passes and the same row reopens when
it fails again, so nothing piles up. What a person closed while the check failed stays closed until the check passed
in between or an answer it asks about changed: an accepted value is not asked about twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from design.definitions import CheckDef, Label, StudyDef
from models import FormData, Query, QueryMessage, StudyEvent, Subject, db
from models.change import Change
from models.clock import now
from workflows import finding, querying

ACTOR = "system:check"
OVERDUE = "OVERDUE"
ACTIVE = ("open", "answered")

PASSES = Label("The check passes now.", "核查现已通过。")
GONE = Label("The study version no longer has this check.", "研究版本已不再包含此核查。")
AGAIN = Label("The check fails again.", "核查再次未通过。")
IN_ERROR = Label("The record was marked in error.", "该记录已标记为错误。")
VISIT_SETTLED = Label("The visit is no longer overdue.", "该访视已不再逾期。")

Found = dict[str, Any]  # a finding as it is stored with a form


@dataclass(frozen=True)
class Step:
    """One thing the system has to do: `open`, `close`, `reopen`, `cancel` or `comment` a query, and what it says."""

    act: str
    says: Label
    query: Query | None = None
    data: FormData | None = None
    event: StudyEvent | None = None
    found: Found | None = None
    key: str = ""


def follow(change: Change, subject: Subject, forms: Iterable[FormData], changed: Mapping[int, Iterable[str]]) -> None:
    """Bring the queries of a participant in line after a save touched these forms.

    `changed` holds the paths of the answers that changed, by form. One statement reads the queries; without queries
    and findings nothing is written.
    """
    touched = list(forms)
    queries = _queries_of(subject, touched)
    _mark_changed(change, touched, queries, changed)
    steps: list[Step] = []
    for data in touched:
        before = _failing_before(change, data)
        steps += plan(data, data.findings, of_form(data, queries), before, set(changed.get(data.id, ())))
    steps += [step for event in {data.study_event for data in touched} for step in _settled(event, queries)]
    carry_out(change, subject, steps)


def follow_visit(change: Change, subject: Subject, event: StudyEvent) -> None:
    """Close what asks why a visit is overdue, once somebody said what became of it."""
    found = db.session.scalars(select(Query).where(Query.study_event_id == event.id, Query.check_id == OVERDUE))
    carry_out(change, subject, _settled(event, list(found)))


def _queries_of(subject: Subject, forms: list[FormData]) -> list[Query]:
    """The queries about these forms, their visits and the participant as a whole: one statement."""
    events = {data.study_event_id for data in forms}
    names = {data.form_id for data in forms}
    selection = select(Query).where(
        Query.subject_id == subject.id,
        or_(Query.study_event_id.is_(None), Query.study_event_id.in_(events)),
        or_(Query.form_id.is_(None), Query.form_id.in_(names)),
    )
    return list(db.session.scalars(selection.order_by(Query.id)))


def of_form(data: FormData, queries: Iterable[Query]) -> list[Query]:
    """Those of the queries that ask about a form or parts of it."""
    place = (data.study_event_id, data.form_id, data.repeat)
    return [query for query in queries if (query.study_event_id, query.form_id, query.repeat) == place]


def _mark_changed(
    change: Change, forms: list[FormData], queries: list[Query], changed: Mapping[int, Iterable[str]]
) -> None:
    """Note on every query that waits, the system's and people's, that an answer it asks about changed (yield).

    The change itself names them all, also those that were marked before: each correction leads to its queries (DAT-12).
    """
    about: set[int] = set()
    for data in forms:
        paths = set(changed.get(data.id, ()))
        for query in queries:
            asks = query.study_event_id in (None, data.study_event_id) and query.form_id in (None, data.form_id)
            same = query.repeat in (None, data.repeat)
            if asks and same and query.status in ACTIVE and touches(query, paths):
                query.changed_data = True
                about.add(query.id)
    if about:
        change.detail = {**change.detail, "queries": sorted(about)}


def touches(query: Query, changed: set[str]) -> bool:
    """Whether a changed answer is one the query asks about; asked about a whole form, any of it is."""
    if not query.paths:
        return bool(changed)
    return any(path == asked or path.startswith(f"{asked}/") for asked in query.paths for path in changed)


def key_of(data: FormData, found: Found) -> str:
    """What makes a finding the same finding: the place of the form, the check, and the rows it is about."""
    rows = "+".join(sorted({path.rsplit("/", 1)[0] for path in found["paths"]}))
    return f"{data.study_event_id}/{data.form_id}/{data.repeat}/{found['check']}/{rows}"


def _failing_before(change: Change, data: FormData) -> set[str]:
    """The keys of what failed before this change began: the trail captured the findings as they were."""
    old, _new = change.captured.get(f"form_data/{data.id}/findings", (data.findings, None))
    return {key_of(data, found) for found in old or []}


def plan(
    data: FormData, findings: list[Found], queries: list[Query], before: set[str], changed: set[str]
) -> list[Step]:
    """What the system has to say about a form whose checks fail as in `findings` and failed as in `before`."""
    if data.in_error is not None:
        return [_about_error(query) for query in queries if query.status in ACTIVE and not _told_error(query)]
    failing = {key_of(data, found): found for found in findings}
    known = {query.check_key: query for query in queries if query.check_key}
    steps = []
    for key, found in failing.items():
        query = known.get(key)
        if query is None:
            steps.append(Step("open", _sentence(data, found), data=data, found=found, key=key))
        elif query.status == "closed" and (key not in before or touches(query, changed) or _closed_itself(query)):
            steps.append(Step("reopen", AGAIN, query=query))
    steps += [
        Step("close", _why_closed(data, query), query=query)
        for key, query in known.items()
        if query.status in ACTIVE and key not in failing
    ]
    return steps


def _why_closed(data: FormData, query: Query) -> Label:
    return PASSES if query.check_id in checks_of(finding.design(data.version_id)) else GONE


def _about_error(query: Query) -> Step:
    """A record in error counts for nothing: the check is silent for ever, a person's question is hers to close."""
    return Step("cancel" if query.check_key else "comment", IN_ERROR, query=query)


def _told_error(query: Query) -> bool:
    return any(message.by == ACTOR and message.text == both(IN_ERROR) for message in query.messages)


def _closed_itself(query: Query) -> bool:
    """Whether the check closed its query, not a person."""
    turns = [message for message in query.messages if message.act == "closed"]
    return bool(turns) and turns[-1].by == ACTOR


def plan_overdue(event: StudyEvent, is_overdue: bool, queries: Iterable[Query]) -> list[Step]:
    """What the system has to say about a visit's date today."""
    query = next((each for each in queries if each.check_id == OVERDUE and each.study_event_id == event.id), None)
    if not is_overdue:
        return [Step("close", VISIT_SETTLED, query=query)] if query and query.status in ACTIVE else []
    if query is None:
        return [Step("open", _overdue_sentence(event), event=event, key=f"{event.id}/{OVERDUE}")]
    reopen = query.status == "closed" and _closed_itself(query)
    return [Step("reopen", _overdue_sentence(event), query=query)] if reopen else []


def _settled(event: StudyEvent, queries: Iterable[Query]) -> list[Step]:
    return plan_overdue(event, False, queries) if event.state != "planned" else []


def _overdue_sentence(event: StudyEvent) -> Label:
    day = event.closes.isoformat() if event.closes else ""
    return Label(
        f"The visit is overdue: its window closed on {day} and no visit is recorded. Enter it, or say why not.",
        f"访视已逾期：窗口期已于{day}结束，仍无访视记录。请录入，或说明未访视原因。",
    )


def carry_out(change: Change, subject: Subject, steps: list[Step]) -> None:
    """Do what was planned, named as the system's in the trail whoever saved (AUD-14)."""
    if not steps:
        return
    written = [_carry_out(subject, step) for step in steps]
    db.session.flush()
    mine = [f"query/{query.id}/" for query, _message in written]
    mine += [f"query_message/{message.id}/" for _query, message in written]
    change.derived_paths.update(path for path in change.captured if path.startswith(tuple(mine)))


def _carry_out(subject: Subject, step: Step) -> tuple[Query, QueryMessage]:
    query = step.query
    if query is None:
        query = _open(subject, step)
        act = "opened"
    else:
        act = querying.SAID[step.act]
        if step.act != "comment":
            querying.move(query, step.act, {"close": "closed", "cancel": "cancelled", "reopen": "open"}[step.act])
    message = QueryMessage(query=query, act=act, text=both(step.says), at=now(), by=ACTOR)
    db.session.add(message)
    return query, message


def _open(subject: Subject, step: Step) -> Query:
    data, found, event = step.data, step.found, step.event
    is_protected = found is not None and found["severity"] == "protected"
    query = Query(
        site_id=subject.site_id,
        subject_id=subject.id,
        study_event_id=data.study_event_id if data else event.id if event else None,
        form_id=data.form_id if data else None,
        repeat=data.repeat if data else None,
        paths=list(found["paths"]) if found else [],
        check_id=found["check"] if found else OVERDUE,
        check_key=step.key,
        reason_code="protocol" if is_protected else "check" if found else "overdue",
        status="open",
        assignee="investigator" if is_protected else "nurse",
        raised_by=ACTOR,
        raised_at=now(),
        reopened=0,
        changed_data=False,
        revision=1,
    )
    db.session.add(query)
    return query


def both(label: Label) -> str:
    """A sentence of the system as it is kept: English in the first line, Chinese in the second."""
    return f"{' '.join(label.en.split())}\n{' '.join(label.zh.split())}"


def in_language(message: QueryMessage, language: str) -> str:
    """What a message says, in the reader's language when the system said it."""
    lines = message.text.split("\n")
    if message.by != ACTOR or len(lines) != 2:
        return message.text
    return lines[language.startswith("zh")]


def _sentence(data: FormData, found: Found) -> Label:
    """The sentence of the check as the form's own version words it, with the reason why it was saved all the same."""
    check = checks_of(finding.design(data.version_id)).get(found["check"])
    label = check.label if check else Label(found["check"], found["check"])
    reason = data.overrides.get(found["check"])
    if not reason:
        return label
    return Label(f"{label.en} (saved because: {reason})", f"{label.zh}（保存原因：{reason}）")


def checks_of(study: StudyDef) -> dict[str, CheckDef]:
    """Every check of a study version by its id."""
    return study.remembered(("checks by id",), lambda: _checks_of(study))


def _checks_of(study: StudyDef) -> dict[str, CheckDef]:
    found = [check for form in study.forms.values() for check in form.checks]
    found += [check for item in study.items.values() for check in item.checks]
    return {check.id: check for check in [*found, *study.checks]}
