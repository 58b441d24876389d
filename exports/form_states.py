"""The state of every stored form as a table: how far its entry is, who saved it last, which checks fail."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from design.definitions import StudyDef
from exports.registers import EVENT_KEYS, EventKey, codes_from, table_of
from exports.shape import Table, Variable
from models import FormData

ENTRY = {
    "in_progress": ("In progress", "录入中"),
    "complete": ("Complete", "完成"),
    "not_done": ("Not done", "未做"),
}


def make(
    connection: Connection, events: dict[int, EventKey], versions: dict[int, StudyDef], with_errors: bool
) -> Table:
    """One row per stored form: how far its entry is, who saved it last, and whether it was not done or in
    error.
    """
    variables = [
        *EVENT_KEYS,
        Variable("FORM", "text", "Form", "表单", role="key"),
        Variable("FORM_REPEAT", "integer", "Repeat of the form", "表单重复序号", role="key"),
        Variable("STUDY_VERSION", "integer", "Study version", "研究版本", role="key"),
        Variable("ENTRY", "text", "Entry", "录入状态", codes=codes_from(ENTRY)),
        Variable("NOT_DONE", "text", "Not done, reason", "未做原因"),
        Variable("PROTECTION", "text", "Protection", "保护状态"),
        Variable("REVISION", "integer", "Revision", "修订号"),
        Variable("SAVED_AT", "datetime", "Last saved (UTC)", "最后保存时间（UTC）"),
        Variable("SAVED_BY", "text", "Last saved by", "最后保存人"),
        Variable("OPEN_CHECKS", "text", "Checks that fail", "未通过的核查"),
        Variable("IN_ERROR", "text", "Marked in error, reason", "标记为错误的原因", role="status"),
    ]
    stored = _forms_in_order(connection, events)
    if not with_errors:
        stored = [row for row in stored if row[-1] is None]
    if not stored:
        return table_of("FORMS", "State of every form", "各表单状态", variables, [])
    event, form, repeat, version, entry, protection, revision, at, by, findings, in_error = zip(*stored, strict=True)
    reasons = _not_done_reasons(connection)
    numbers = {version_id: study.version for version_id, study in versions.items()}
    columns: list[Sequence[Any]] = [
        *zip(*[events[each].key for each in event], strict=True),
        form,
        repeat,
        [numbers[each] for each in version],
        entry,
        [reasons.get(place) for place in zip(event, form, repeat, strict=True)] if reasons else [None] * len(form),
        protection,
        revision,
        [text[:19] for text in at],
        by,
        [None if text == "[]" else _check_ids(text) for text in findings],
        in_error,
    ]
    named = dict(zip([variable.name for variable in variables], columns, strict=True))
    return Table("FORMS", "State of every form", "各表单状态", variables, named)


def _forms_in_order(connection: Connection, events: dict[int, EventKey]) -> list[Any]:
    """Every stored form in scope, times and findings as stored text: nothing is parsed in vain."""
    f = FormData
    wanted = (f.study_event_id, f.form_id, f.repeat, f.version_id, f.entry, f.protection, f.revision)
    texts = (type_coerce(f.saved_at, Text), f.saved_by, type_coerce(f.findings, Text), f.in_error)
    found = [row for row in connection.execute(select(*wanted, *texts)).fetchall() if row[0] in events]
    found.sort(key=lambda row: (events[row[0]].order, row[1], row[2]))
    return found


def _check_ids(findings: str) -> str | None:
    return ";".join(sorted({finding["check"] for finding in orjson.loads(findings)})) or None


def _not_done_reasons(connection: Connection) -> dict[tuple[int, str, int], str | None]:
    f = FormData
    selection = select(f.study_event_id, f.form_id, f.repeat, type_coerce(f.answers, Text)).where(f.entry == "not_done")
    reasons = {}
    for event_id, form_id, repeat, text in connection.execute(selection):
        cell = orjson.loads(text).get("_form", {}).get("1", {}).get("_not_done", {})
        reasons[(event_id, form_id, repeat)] = cell.get("missing")
    return reasons
