"""Queries in the words of a page: what each asks about, what stands there now, and what was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import session, url_for
from flask_babel import gettext as _

from design import answers as documents
from design.definitions import StudyDef
from forms.crf_parts import QueryMark
from forms.crf_words import cell_text
from models import FormData, Query, User
from models.clock import now
from views.board import Chip, event_name, form_address
from views.shell import language, study_label
from workflows import access, check_queries, finding, query_list, querying
from workflows.finding import FormPlace

TONES = {
    "open": ("late", "flag"),
    "answered": ("warn", "pen"),
    "closed": ("ok", "check"),
    "cancelled": ("mute", "cross"),
}
STATUSES = {"open": ("Open", "开放"), "answered": ("Answered", "已答复"), "closed": ("Closed", "已关闭"),
            "cancelled": ("Cancelled", "已取消"), "waiting": ("Open or answered", "开放或已答复"),
            "all": ("All", "全部")}  # fmt: skip
DONE = {"opened": ("asked", "提出"), "answered": ("answered", "答复"), "commented": ("commented", "评论"),
        "closed": ("closed it", "关闭"), "cancelled": ("cancelled it", "取消"), "reopened": ("reopened it", "重新打开"),
        "reassigned": ("passed it on", "转派")}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One row or item that a query asks about: its label, and what stands there now."""

    label: str
    value: str
    is_gone: bool  # the present version of the form no longer asks it


@dataclass(frozen=True)
class Turn:
    """One message of the conversation."""

    by: str
    role: str
    did: str
    text: str
    at: Any
    is_system: bool


@dataclass(frozen=True)
class Row:
    """One query in a list."""

    query: Query
    chip: Chip
    where: str
    about: str
    asks: str
    last: Turn
    turns: int
    age: int
    whom: str
    href: str
    form_href: str | None


def word(words: tuple[str, str]) -> str:
    """One of two languages."""
    return words[language() == "zh"]


def chip_of(query: Query) -> Chip:
    """The status of a query as a chip."""
    tone, icon = TONES[query.status]
    return word(STATUSES[query.status]), tone, icon


def row_of(query: Query) -> Row:
    """A query as a list shows it; reads nothing from the database beyond what the list has loaded."""
    study = finding.design_for(query.subject.site)
    turns = turns_of(query)
    return Row(
        query=query,
        chip=chip_of(query),
        where=where(query, study),
        about=", ".join(label for label, _gone in labels_of(query.paths, study)),
        asks=turns[0].text if turns else "",
        last=turns[-1],
        turns=len(turns),
        age=(now() - query.raised_at).days,
        whom=word(access.ROLES[query.assignee]),
        href=url_for("queries.show", query_id=query.id),
        form_href=form_href(query, study),
    )


def where(thing: Any, study: StudyDef) -> str:
    """`Screening · Vital signs #2` for a query or a place; empty for the participant as a whole."""
    event = thing.study_event if isinstance(thing, Query) else thing.event
    if event is None:
        return ""
    visit = event_name(study.events.get(event.event_id), event)
    if thing.form_id is None:
        return visit
    form = _defined(study, lambda each: each.forms.get(thing.form_id))
    name = study_label(form) if form else thing.form_id
    return f"{visit} · {name}" + (f" #{thing.repeat}" if form is not None and form.repeats else "")


def _defined(study: StudyDef, find: Any) -> Any:
    """Something in this version, else in the newest one that has it: what an amendment dropped stays readable."""
    found = find(study)
    if found is None:
        for version in reversed(finding.versions()):
            found = found or find(finding.design(version.id))
    return found


def labels_of(paths: Sequence[str], study: StudyDef) -> list[tuple[str, bool]]:
    """The labels of rows and items, and whether the version no longer has them."""
    return [_label(study, path) for path in paths]


def _label(study: StudyDef, path: str) -> tuple[str, bool]:
    group_id, row, item_id = [*path.split("/"), ""][:3]

    def group_in(each: StudyDef) -> Any:
        return next((g for form in each.forms.values() for g in form.groups if g.id == group_id), None)

    group = group_in(study) or _defined(study, group_in)
    suffix = f" [{row}]" if group is None or group.repeats else ""
    if not item_id:
        return (study_label(group) if group else group_id) + suffix, group_in(study) is None
    item = _defined(study, lambda each: each.items.get(item_id))
    return (study_label(item) if item else item_id) + suffix, item_id not in study.items


def asked_of(paths: Sequence[str], data: FormData | None, study: StudyDef) -> list[Asked]:
    """What stands now at the places a query asks about; what an amendment dropped is named with its old label."""
    return [
        Asked(label, _value(study, data, path), gone)
        for path, (label, gone) in zip(paths, labels_of(paths, study), strict=True)
    ]


def _value(study: StudyDef, data: FormData | None, path: str) -> str:
    item_id = path.rsplit("/", 1)[-1]
    cell = documents.get(data.answers, path) if data is not None and path.count("/") == 2 else None
    if cell is None:
        return ""
    item = _defined(study, lambda each: each.items.get(item_id))
    return cell_text(study, item, cell, language())


def turns_of(query: Query) -> list[Turn]:
    """The conversation in the language of the page."""
    return [
        Turn(
            by=_("System") if message.by == check_queries.ACTOR else message.by,
            role=word(access.ROLES[message.role]) if message.role in access.ROLES else "",
            did=word(DONE[message.act]),
            text=check_queries.in_language(message, language()),
            at=message.at,
            is_system=message.by == check_queries.ACTOR,
        )
        for message in query.messages
    ]


def form_href(query: Query, study: StudyDef) -> str | None:
    """The form beside the conversation, at the first item; None when the query asks about no form of this version."""
    if query.study_event is None or query.form_id is None or query.form_id not in study.forms:
        return None
    anchor = f"#i-{query.paths[0]}" if query.paths else ""
    address = form_address(query.subject, query.study_event, query.form_id, query.repeat or 1)
    return f"{address}?query={query.id}{anchor}"


def conversation(user: User, query: Query, data: FormData | None, in_form: bool) -> dict[str, Any]:
    """What the conversation beside a form, or on its own page, shows."""
    study = finding.design(data.version_id) if data else finding.design_for(query.subject.site)
    following = query_list.next_after(user, list_filters(user), query)
    return {
        "query": query,
        "chip": chip_of(query),
        "where": where(query, study),
        "asked": asked_of(query.paths, data, study),
        "turns": turns_of(query),
        "reason": word(querying.REASON_CODES.get(query.reason_code, (query.reason_code, query.reason_code))),
        "whom": word(access.ROLES[query.assignee]),
        "acts": querying.acts_for(user, query),
        "assignees": [(role, word(access.ROLES[role])) for role in querying.ASSIGNEES if role != query.assignee],
        "age": (now() - query.raised_at).days,
        "next_href": url_for("queries.show", query_id=following) if following else None,
        "form_href": None if in_form else form_href(query, study),
        "in_form": in_form,
        "longest": querying.LONGEST,
    }


def list_filters(user: User) -> query_list.Filters:
    """The filters of the list this person opened last, so that `next` means the next of that list."""
    kept = session.get("query list")
    return query_list.Filters(**kept) if isinstance(kept, dict) else query_list.default_for(user)


@dataclass(frozen=True)
class Brief:
    """A query in the list below its form."""

    query: Query
    chip: Chip
    about: str
    href: str


def in_form(place: FormPlace, queries: Sequence[Query]) -> list[Brief]:
    """The queries about a form, those that wait first."""
    ordered = sorted(queries, key=lambda each: each.status not in query_list.WAITING)
    address = f"/participants/{place.address}"
    return [
        Brief(
            each,
            chip_of(each),
            ", ".join(label for label, _gone in labels_of(each.paths, place.study)),
            f"{address}?query={each.id}",
        )
        for each in ordered
    ]


def marks(place: FormPlace, queries: Sequence[Query]) -> dict[str, QueryMark]:
    """A mark for every item that waiting queries ask about: the most pressing one, and how many."""
    found: dict[str, list[Query]] = {}
    for query in queries:
        if query.status in query_list.WAITING:
            for path in query.paths:
                found.setdefault(path, []).append(query)
    return {path: _mark(place, waiting) for path, waiting in found.items()}


def _mark(place: FormPlace, waiting: list[Query]) -> QueryMark:
    first = min(waiting, key=lambda each: each.status != "open")
    return QueryMark(f"/participants/{place.address}?query={first.id}", len(waiting), TONES[first.status][0])


def talk_in_form(user: User, place: FormPlace, queries: Sequence[Query], query_id: int | None) -> dict[str, Any] | None:
    """The conversation beside a form; none when no query of this form is asked for."""
    query = next((each for each in queries if each.id == query_id), None)
    return conversation(user, query, place.data, in_form=True) if query is not None else None


def ask_address(user: User, place: FormPlace) -> str:
    """Where this person raises a query about the form; empty when she may not, or there is no such instance yet."""
    if not access.may(user, "raise query", at=place.subject.site_id) or (place.data is None and place.repeat > 1):
        return ""
    return url_for(
        "queries.new",
        subject_id=place.subject.id,
        event=place.event.key,
        form=place.form.id,
        repeat=place.repeat,
    )
