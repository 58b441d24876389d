"""Queries that people raise, answer and close: who may do what to whose query, and the conversation that remains.

A query may ask about anything that has a place: a participant, visit, form, row or item, also one that was never
saved. Nothing here looks at the definitions once a query is open, so an amendment that drops an item leaves its
queries readable and closable. Queries of checks live in `workflows.check_queries`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from models import FormData, Query, QueryMessage, Subject, User, db
from models.change import Change
from models.clock import now
from workflows import access, finding, states
from workflows.query_places import Target
from workflows.refusals import Refusal

LONGEST = 2000
ASSIGNEES = ("nurse", "investigator")
SYSTEM = "system"  # whose query it is when a check raised it

REASON_CODES: dict[str, tuple[str, str]] = {
    "missing": ("Missing", "缺失"),
    "source": ("Differs from the source", "与源数据不一致"),
    "implausible": ("Implausible", "数值不合理"),
    "inconsistent": ("Contradicts other data", "与其他数据矛盾"),
    "protocol": ("Outside the protocol", "超出方案规定"),
    "coding": ("Cannot be coded", "无法编码"),
    "safety": ("Safety", "安全性"),
    "other": ("Other", "其他"),
    "check": ("Automatic check", "自动核查"),
    "overdue": ("Overdue", "逾期"),
}
PERSONAL = tuple(code for code in REASON_CODES if code not in ("check", "overdue"))  # a person may choose these

# What each act asks of the person in the access table.
ACTION_OF = {
    "answer": "answer query",
    "comment": "view queries",
    "close": "close query",
    "cancel": "raise query",
    "reopen": "view queries",
    "reassign": "view queries",
}
_ALL = frozenset({SYSTEM, "monitor", "data_manager", "coder", "safety"})
_PERSONS = _ALL - {SYSTEM}
_SITE = {"nurse": _ALL, "investigator": _ALL}
_MONITORED = frozenset({SYSTEM, "monitor"})

# act -> role -> whose queries (the role that raised them). The site answers and passes on within itself; it closes
# nothing. A monitor settles her own and the system's, the data manager everybody's: the last word on the data is hers.
# Coders and safety officers take back and reopen their own; closing is not theirs. A query of a check is never
# cancelled by a person, because the check would only raise it again.
WHO: dict[str, dict[str, frozenset[str]]] = {
    "answer": _SITE,
    "comment": {**_SITE, "monitor": _ALL, "data_manager": _ALL, "coder": _ALL, "safety": _ALL},
    "close": {"monitor": _MONITORED, "data_manager": _ALL},
    "cancel": {
        "monitor": frozenset({"monitor"}),
        "data_manager": _PERSONS,
        "coder": frozenset({"coder"}),
        "safety": frozenset({"safety"}),
    },
    "reopen": {
        "monitor": _MONITORED,
        "data_manager": _ALL,
        "coder": frozenset({"coder"}),
        "safety": frozenset({"safety"}),
    },
    "reassign": {**_SITE, "monitor": _MONITORED, "data_manager": _ALL},
}
SAID = {
    "answer": "answered",
    "comment": "commented",
    "close": "closed",
    "cancel": "cancelled",
    "reopen": "reopened",
    "reassign": "reassigned",
}
WITHOUT_WORDS = ("close", "reassign")  # these may go without a text
IN_BULK = ("answer", "close")


def origin_of(query: Query) -> str:
    """Whose query it is: the role that raised it, or the system."""
    return query.messages[0].role or SYSTEM if query.messages else SYSTEM


def role_for(user: User, act: str, query: Query) -> str | None:
    """The role in which the user may do this to the query; None when in none."""
    origin = origin_of(query)
    for grant in access.active_grants(user):
        if grant.site_id in (None, query.site_id) and origin in WHO[act].get(grant.role, ()):
            return grant.role
    return None


def acts_for(user: User, query: Query) -> list[str]:
    """What the user may do to the query as it stands."""
    return [act for act in WHO if (query.status, act) in states.QUERY and role_for(user, act, query) is not None]


def raise_query(
    change: Change,
    target: Target,
    text: str,
    reason_code: str = "other",
    assignee: str = "nurse",
    visit_id: int | None = None,
) -> Query:
    """Ask the site about something. `visit_id` is the monitoring visit during which it is asked.

    Raises:
        Forbidden: the role raises no queries here.
        Refusal: nothing asked, unknown reason or role, locked, or the same person asked the same there already.
    """
    subject = target.subject
    access.require(change, "raise query", at=subject.site_id)
    if reason_code not in PERSONAL or assignee not in ASSIGNEES:
        raise Refusal("invalid")
    words = _words(text)
    lock_subjects([subject.id])
    states.refuse_locked(target.protection())
    _refuse_twice(change, target, words)
    query = Query(
        site_id=subject.site_id,
        subject_id=subject.id,
        study_event_id=target.event.id if target.event else None,
        form_id=target.form_id,
        repeat=target.repeat,
        paths=list(target.paths),
        reason_code=reason_code,
        status="open",
        assignee=assignee,
        raised_by=_name(change),
        raised_by_id=change.by.id if isinstance(change.by, User) else None,
        raised_at=now(),
        reopened=0,
        changed_data=False,
        visit_id=visit_id,
        revision=1,
    )
    db.session.add(query)
    _say(change, query, "opened", words)
    db.session.flush()
    change.about = f"query/{query.id}"
    return query


def do(change: Change, query: Query, act: str, text: str, revision: int, assignee: str = "") -> Query:
    """Answer, comment on, close, cancel, reopen or reassign a query. `revision` is the one the person read.

    Raises:
        Forbidden: the role lacks the action here. Refusal: it is another role's query; somebody was quicker; the query's
            state does not allow it; its place is locked; nothing said where words are needed.
    """
    if act not in WHO:
        raise Refusal("invalid")
    access.require(change, ACTION_OF[act], at=query.site_id)
    lock_subjects([query.subject_id])
    db.session.refresh(query)
    _require_role(change, act, query)
    if query.revision != revision:
        raise Refusal("query-moved", state=states.STATE_WORDS[query.status])
    status = states.next_state(states.QUERY, query.status, act)
    words = text.strip()[:LONGEST] if act in WITHOUT_WORDS else _words(text)
    if act == "reassign":
        _reassign(query, assignee)
    states.refuse_locked(_protection(query))
    move(query, act, status)
    _say(change, query, SAID[act], words)
    change.about = f"query/{query.id}"
    return query


def move(query: Query, act: str, status: str) -> None:
    """Put a query into the state an act leads to, with its times. The caller has asked whether that may be."""
    query.status = status
    query.revision += 1
    if act == "answer" and query.answered_at is None:
        query.answered_at = now()
    elif act in ("close", "cancel"):
        query.closed_at = now()
    elif act == "reopen":
        query.answered_at = query.closed_at = None
        query.reopened += 1


def lock_subjects(subject_ids: Iterable[int]) -> None:
    """Queue behind saves and locks of these participants, always in the same order."""
    selection = select(Subject).where(Subject.id.in_(set(subject_ids))).order_by(Subject.id).with_for_update()
    db.session.scalars(selection.execution_options(populate_existing=True)).all()


@dataclass(frozen=True)
class Bulk:
    """What became of a bulk act: how many were done, the receipts, and why others were not."""

    done: int
    receipts: list[str]
    refused: list[tuple[int, Refusal]]


class _NothingDone(Exception):
    """Every query of a participant was refused; leaves the change without a trace."""


def do_many(user: User, shown: dict[int, int], act: str, text: str) -> Bulk:
    """Answer or close several queries (id -> revision as shown) with the same words: one change per participant.

    What is refused for one query does not stop the others. Queries of other sites are not there.

    Raises:
        Refusal: not an act for many, or an answer without words.
    """
    if act not in IN_BULK:
        raise Refusal("invalid")
    if act not in WITHOUT_WORDS:
        _words(text)
    by_subject: dict[int, list[int]] = {}
    for query_id, subject_id in finding.queries_named(user, list(shown)):
        by_subject.setdefault(subject_id, []).append(query_id)
    done, receipts, refused = 0, [], []
    chain = finding.study().oid
    for subject_id, query_ids in by_subject.items():
        subject = finding.subject(user, subject_id, "view queries")
        ok = 0
        try:
            with Change(by=user, action=f"{act} query", subject=subject, chain=chain) as change:
                for query in [finding.query(user, query_id) for query_id in query_ids]:
                    try:
                        do(change, query, act, text, shown[query.id])
                        ok += 1
                    except Refusal as refusal:
                        refused.append((query.id, refusal))
                if not ok:
                    raise _NothingDone
        except _NothingDone:
            continue
        done += ok
        receipts.append(change.receipt)
    return Bulk(done, receipts, refused)


def _require_role(change: Change, act: str, query: Query) -> None:
    if not isinstance(change.by, User):
        return
    role = role_for(change.by, act, query)
    if role is None:
        raise Refusal("query-not-yours")
    change.role = role


def _words(text: str) -> str:
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise Refusal("query-words", limit=LONGEST)
    return words


def _reassign(query: Query, assignee: str) -> None:
    if assignee not in ASSIGNEES or assignee == query.assignee:
        raise Refusal("query-assignee")
    query.assignee = assignee


def _protection(query: Query) -> str:
    """What holds where the query stands."""
    if query.form_id is not None:
        selection = select(FormData.protection).where(
            FormData.study_event_id == query.study_event_id,
            FormData.form_id == query.form_id,
            FormData.repeat == query.repeat,
        )
        stored = db.session.scalar(selection)
        if stored is not None:
            return stored
    return states.protection_around(query.subject, query.study_event)


def _refuse_twice(change: Change, target: Target, words: str) -> None:
    """The same question by the same person at the same place, still open: a request that was sent twice."""
    if not isinstance(change.by, User):
        return
    selection = select(Query).where(
        Query.subject_id == target.subject.id,
        Query.status == "open",
        Query.raised_by_id == change.by.id,
        Query.form_id == target.form_id,
        Query.repeat == target.repeat,
        Query.study_event_id == (target.event.id if target.event else None),
    )
    for query in db.session.scalars(selection):
        if query.paths == list(target.paths) and query.messages[0].text == words:
            raise Refusal("query-twice")


def _name(change: Change) -> str:
    return change.by.full_name if isinstance(change.by, User) else f"system:{change.by.name}"


def _say(change: Change, query: Query, act: str, text: str) -> None:
    by_id = change.by.id if isinstance(change.by, User) else None
    message = QueryMessage(query=query, act=act, text=text, at=now(), by=_name(change), by_id=by_id, role=change.role)
    db.session.add(message)
