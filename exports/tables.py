"""The tidy tables of a study, read with one statement per form and assembled column by column.

Keys come first, then the items in the order of the CRF. Records marked in error are left out unless asked
for, and then carry IN_ERROR; identifiers (masked items) are always left out.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from design.definitions import StudyDef
from exports import columns, form_states, query_tables, registers
from exports.layout import ItemColumn, TableLayout, plan
from exports.registers import EventKey
from exports.shape import Table, Variable
from models import FormData, Subject

KEYS = (
    Variable("STUDYID", "text", "Study", "研究", role="key"),
    Variable("SITEID", "text", "Site", "中心", role="key"),
    Variable("SUBJID", "text", "Subject number", "受试者编号", role="key"),
    Variable("SCRNO", "text", "Screening number", "筛选号", role="key"),
    Variable("VISIT", "text", "Visit", "访视", role="key"),
    Variable("VISITNUM", "integer", "Visit number", "访视序号", role="key"),
    Variable("EVENT", "text", "Event", "访视代码", role="key"),
    Variable("REPEAT", "integer", "Repeat of the event", "访视重复序号", role="key"),
    Variable("FORM_REPEAT", "integer", "Repeat of the form", "表单重复序号", role="key"),
    Variable("ROW", "text", "Row", "行", role="key"),
    Variable("STUDY_VERSION", "integer", "Study version", "研究版本", role="key"),
)
IN_ERROR = Variable("IN_ERROR", "text", "Marked in error, reason", "标记为错误的原因", role="status")
ROW_LABELS = (
    Variable("ROW_EN", "text", "Row: label, English", "行：英文标签", role="en"),
    Variable("ROW_ZH", "text", "Row: label, Chinese", "行：中文标签", role="zh"),
)


@dataclass
class Scope:
    """What is read: a study, its versions by the id they have in the database, and optionally only some
    sites.
    """

    study_id: int
    versions: dict[int, StudyDef]
    site_ids: frozenset[int] | None = None
    with_errors: bool = False
    with_masked: bool = False

    @property
    def studies(self) -> dict[int, StudyDef]:
        """The versions by their number."""
        return {study.version: study for study in self.versions.values()}


@dataclass
class _Rows:
    """The rows of one table before its columns are built."""

    items: tuple[str, ...]
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    cells: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)

    def add(self, key: tuple[Any, ...], cells: dict[str, Any], error: str | None) -> None:
        """Keep a row. Its cells are picked here, while the document is still in the processor's cache."""
        self.keys.append(key)
        self.cells.append(tuple(map(cells.get, self.items)))
        self.errors.append(error)


def read(connection: Connection, scope: Scope, only: frozenset[str] | None = None) -> dict[str, Table]:
    """Every table by its name: SUBJECTS, EVENTS and FORMS first, the CRF's tables, then MISSING and the queries.

    `only` names the forms to read; the others are left out.
    """
    with _no_collector():
        return _read(connection, scope, only)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Pause the cycle collector: reading makes hundreds of thousands of rows and no cycle, and it would walk
    them again and again (a sixth of the time).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(connection: Connection, scope: Scope, only: frozenset[str] | None) -> dict[str, Table]:
    studies = scope.studies
    subjects = registers.read_subjects(connection, scope.study_id, scope.site_ids)
    events = registers.read_events(connection, subjects, studies)
    tables = {
        "SUBJECTS": registers.subjects_table(subjects, studies),
        "EVENTS": registers.events_table(events, studies),
        "FORMS": form_states.make(connection, events, scope.versions, scope.with_errors),
    }
    missing: list[tuple[Any, ...]] = []
    layouts = plan(list(studies.values()), scope.with_masked)
    for form_id in dict.fromkeys(layout.form_id for layout in layouts):
        if only is not None and form_id not in only:
            continue
        of_form = [layout for layout in layouts if layout.form_id == form_id]
        for layout, rows in zip(of_form, _read_form(connection, scope, events, of_form), strict=True):
            tables[layout.name] = _assemble(layout, rows, scope, studies, missing)
    tables["MISSING"] = registers.missing_table(KEYS, missing, studies)
    if only is None:
        for table in query_tables.queries_table(connection, subjects, events):
            tables[table.name] = table
    return tables


def _read_form(
    connection: Connection, scope: Scope, events: dict[int, EventKey], layouts: Sequence[TableLayout]
) -> list[_Rows]:
    """One statement: every instance of a form, its document split into the rows of each of its tables."""
    tables = [_Rows(tuple(column.id for column in layout.columns)) for layout in layouts]
    numbers = {version_id: study.version for version_id, study in scope.versions.items()}
    headers = {
        version_id: tuple(g.id for g in study.forms[layouts[0].form_id].groups if not g.repeats)
        for version_id, study in scope.versions.items()
        if layouts[0].form_id in study.forms
    }
    for event_id, repeat, version_id, in_error, text in _ordered(
        _select(connection, scope, layouts[0].form_id), events
    ):
        if in_error is not None and not scope.with_errors:
            continue
        document = orjson.loads(text)
        event, version = events[event_id], numbers[version_id]
        for layout, rows in zip(layouts, tables, strict=True):
            if layout.group is None:
                header = _header(document, headers.get(version_id, ()))
                rows.add((*event.key, repeat, None, version), header, in_error)
            else:
                key = (*event.key, repeat)
                _add_rows(layout, rows, document.get(layout.group, {}), key, version, in_error, scope)
    return tables


def _select(connection: Connection, scope: Scope, form_id: str) -> Iterable[Any]:
    selection = (
        select(
            FormData.study_event_id,
            FormData.repeat,
            FormData.version_id,
            FormData.in_error,
            type_coerce(FormData.answers, Text),
        )
        .join(Subject, Subject.id == FormData.subject_id)
        .where(Subject.study_id == scope.study_id, FormData.form_id == form_id, FormData.entry != "not_done")
    )
    if scope.site_ids is not None:
        selection = selection.where(Subject.site_id.in_(scope.site_ids))
    return connection.execute(selection).fetchall()


def _ordered(rows: Iterable[Any], events: dict[int, EventKey]) -> list[Any]:
    return sorted(rows, key=lambda row: (events[row[0]].order, row[1]))


def _header(document: dict[str, Any], groups: tuple[str, ...]) -> dict[str, Any]:
    """The items that stand once: item ids are unique, so the groups merge into one row."""
    if len(groups) == 1:
        return document.get(groups[0], {}).get("1", {})
    merged: dict[str, Any] = {}
    for group in groups:
        merged.update(document.get(group, {}).get("1", {}))
    return merged


def _add_rows(
    layout: TableLayout,
    rows: _Rows,
    group: dict[str, dict[str, Any]],
    key: tuple[Any, ...],
    version: int,
    in_error: str | None,
    scope: Scope,
) -> None:
    listed = layout.row_order
    for row in sorted(group, key=lambda row: (listed.get(row, len(listed)), _row_order(row))):
        cells = group[row]
        error = in_error or cells.get("_error")
        if error is None or scope.with_errors:
            rows.add((*key, row, version), cells, error)


def _row_order(row: str) -> tuple[int, int, str]:
    return (0, int(row), "") if row.isascii() and row.isdigit() else (1, 0, row)


def _assemble(
    layout: TableLayout,
    rows: _Rows,
    scope: Scope,
    studies: dict[int, StudyDef],
    missing: list[tuple[Any, ...]],
) -> Table:
    variables: list[Variable] = list(KEYS)
    data: dict[str, Sequence[Any]] = {variable.name: [] for variable in KEYS}
    if rows.keys:
        data = {v.name: list(values) for v, values in zip(KEYS, zip(*rows.keys, strict=True), strict=True)}
    if scope.with_errors:
        variables.append(IN_ERROR)
        data[IN_ERROR.name] = rows.errors
    if layout.row_labels:
        _add_row_labels(layout, variables, data)
    versions = data["STUDY_VERSION"]
    by_item = zip(*rows.cells, strict=True) if rows.cells else ((),) * len(layout.columns)
    for column, cells in zip(layout.columns, by_item, strict=True):
        built = columns.build(column, cells, versions, studies, data["ROW"])
        variables.extend(built.variables)
        data.update(built.columns)
        missing.extend(_missing_rows(layout, column, rows, built.missing))
    return Table(layout.name, layout.en, layout.zh, variables, data)


def _add_row_labels(layout: TableLayout, variables: list[Variable], data: dict[str, Sequence[Any]]) -> None:
    for place, variable in enumerate(ROW_LABELS):
        variables.append(variable)
        data[variable.name] = [
            layout.row_labels[row][place] if row in layout.row_labels else None for row in data["ROW"]
        ]


def _missing_rows(
    layout: TableLayout, column: ItemColumn, rows: _Rows, missing: list[tuple[int, str]]
) -> Iterable[tuple[Any, ...]]:
    for row, reason in missing:
        yield (*rows.keys[row], layout.name, column.id, reason)
