"""What changed between two data cuts: each answer that differs, who changed it last and why, and through which query.

Read from the trail between the two places in the chain: the first old and the last new value of each path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from exports.registers import instant, table_of
from exports.shape import Table, Variable
from exports.tables import Scope
from exports.trail import WITHHELD, labels_of_items, places_of_forms, readable
from models import Change, ChangeEntries, FormData, Query, Site, Subject

ADDED, CHANGED, REMOVED, IN_ERROR = "added", "changed", "removed", "in error"
VARIABLES = (
    Variable("SITEID", "text", "Site", "中心", role="key"),
    Variable("SUBJECT", "text", "Participant", "受试者", role="key"),
    Variable("EVENT", "text", "Event", "访视代码", role="key"),
    Variable("EVENT_REPEAT", "integer", "Repeat of the event", "访视重复序号", role="key"),
    Variable("FORM", "text", "Form", "表单", role="key"),
    Variable("FORM_REPEAT", "integer", "Repeat of the form", "表单重复序号", role="key"),
    Variable("GROUP", "text", "Group", "变量组", role="key"),
    Variable("ROW", "text", "Row", "行", role="key"),
    Variable("ITEM", "text", "Item", "变量", role="key"),
    Variable("ITEM_EN", "text", "Item, English", "变量英文标签"),
    Variable("ITEM_ZH", "text", "Item, Chinese", "变量中文标签"),
    Variable("KIND", "text", "What happened", "变化"),
    Variable("OLD", "text", "At the first cut", "第一截点的值"),
    Variable("NEW", "text", "At the second cut", "第二截点的值"),
    Variable("CHANGES", "integer", "Changes in between", "期间更改次数"),
    Variable("LAST_AT", "datetime", "Last changed (UTC)", "最后更改时间（UTC）"),
    Variable("LAST_BY", "text", "Last changed by", "最后更改者"),
    Variable("SOURCE", "text", "Source, when it is not the person", "来源（非人工时）"),
    Variable("REASON", "text", "Reason", "原因"),
    Variable("QUERIES", "text", "Queries about it that waited meanwhile", "期间相关质疑"),
)


@dataclass
class _Difference:
    """One path, from the first change of the interval to the last."""

    subject_id: int | None
    old: Any
    new: Any
    changes: int
    at: datetime
    by: str
    source: str | None
    reason: str | None


def read(connection: Connection, scope: Scope, chain: str, first: int, second: int) -> Table:
    """The answers that differ between the data after change `first` and after change `second` of a chain.

    `connection` is the live database: it holds the trail, and the places of all forms up to now.
    """
    found = {
        path: each
        for path, each in _differences(connection, scope, chain, first, second).items()
        if each.old != each.new
    }
    places, labels = places_of_forms(connection), labels_of_items(scope)
    subjects = _subjects(connection)
    queries = _queries(connection, found)
    rows = [_row(path, each, places, labels, subjects, queries, scope) for path, each in found.items()]
    rows.sort(key=lambda row: tuple((part is not None, part) for part in row[:9]))
    return table_of("CUT_DIFFERENCES", "What changed between two cuts", "两个截点之间的变化", list(VARIABLES), rows)


def _differences(connection: Connection, scope: Scope, chain: str, first: int, second: int) -> dict[str, _Difference]:
    found: dict[str, _Difference] = {}
    for change, entry in _entries(connection, scope, chain, first, second):
        path = entry["path"]
        if not _is_answer(path):
            continue
        known = found.get(path)
        found[path] = _Difference(
            change.subject_id,
            known.old if known else entry["old"],
            entry["new"],
            (known.changes if known else 0) + 1,
            change.at,
            change.user_name,
            entry.get("source"),
            change.reason,
        )
    return found


def _entries(
    connection: Connection, scope: Scope, chain: str, first: int, second: int
) -> Iterator[tuple[Any, dict[str, Any]]]:
    selection = (
        select(
            Change.subject_id,
            Change.at,
            Change.user_name,
            ChangeEntries.reason,
            type_coerce(ChangeEntries.entries, Text).label("entries"),
        )
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.chain == chain, Change.seq > first, Change.seq <= second)
        .order_by(Change.seq)
    )
    if scope.site_ids is not None:
        selection = selection.where(Change.site_id.in_(scope.site_ids))
    for row in connection.execution_options(yield_per=500).execute(selection):
        for entry in orjson.loads(row.entries):
            yield row, entry


def _is_answer(path: str) -> bool:
    """An answer, or the mark that a whole form was entered in error."""
    parts = path.split("/")
    return parts[0] == "form_data" and (parts[2] == "in_error" or (parts[2] == "answers" and len(parts) == 6))


def _subjects(connection: Connection) -> dict[int, tuple[str, str]]:
    selection = select(Subject.id, Site.code, Subject.number, Subject.screening_number)
    rows = connection.execute(selection.join(Site, Site.id == Subject.site_id))
    return {row.id: (row.code, row.number or row.screening_number) for row in rows}


def _queries(connection: Connection, found: dict[str, _Difference]) -> dict[str, list[tuple[Any, ...]]]:
    """The queries of each stored form: number, paths, raised, closed."""
    by_form: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    selection = select(
        Query.id, Query.study_event_id, Query.form_id, Query.repeat, Query.paths, Query.raised_at, Query.closed_at
    )
    for row in connection.execute(selection.order_by(Query.id)) if found else ():
        key = (row.study_event_id, row.form_id, row.repeat)
        by_form.setdefault(key, []).append((row.id, row.paths, row.raised_at, row.closed_at))
    if not by_form:
        return {}
    forms = connection.execute(select(FormData.id, FormData.study_event_id, FormData.form_id, FormData.repeat))
    return {str(row.id): by_form.get((row.study_event_id, row.form_id, row.repeat), []) for row in forms}


def _row(
    path: str,
    each: _Difference,
    places: dict[str, tuple[Any, ...]],
    labels: dict[str, tuple[str, str, bool]],
    subjects: dict[int, tuple[str, str]],
    queries: dict[str, list[tuple[Any, ...]]],
    scope: Scope,
) -> tuple[Any, ...]:
    parts = path.split("/")
    group, row, item = parts[3:] if len(parts) == 6 else (None, None, None)
    en, zh, masked = labels.get(item or "", (None, None, False))
    old, new = each.old, each.new
    if masked and not scope.with_masked:
        old, new = (value if value is None else WITHHELD for value in (old, new))
    asked = [number for number, paths, raised, closed in queries.get(parts[1], ()) if _is_about(parts, paths)
             and raised <= each.at and (closed is None or closed >= each.at)]  # fmt: skip
    site, subject = subjects.get(each.subject_id or 0, (None, None))
    return (
        site, subject, *places.get(parts[1], (None,) * 4), group, row, item, en, zh, _kind(parts, each),
        readable(old), readable(new), each.changes, instant(each.at), each.by, each.source, each.reason,
        " ".join(map(str, asked)) or None,
    )  # fmt: skip


def _is_about(parts: list[str], paths: list[str]) -> bool:
    """A query asks about an item, a row, or, with no path, about the whole form."""
    own = "/".join(parts[3:])
    return not paths or any(own == path or own.startswith(path + "/") for path in paths)


def _kind(parts: list[str], each: _Difference) -> str:
    if parts[2] == "in_error":
        return IN_ERROR
    return ADDED if each.old is None else REMOVED if each.new is None else CHANGED
