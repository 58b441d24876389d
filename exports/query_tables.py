"""Queries and their conversations as tables of the data package."""

from typing import Any

from sqlalchemy import Connection, select

from exports.registers import EVENT_KEYS, YES_NO, EventKey, SubjectRow, codes_from, instant, table_of
from exports.shape import Table, Variable
from models import Query, QueryMessage

STATUSES = {
    "open": ("Open", "开放"),
    "answered": ("Answered", "已答复"),
    "closed": ("Closed", "已关闭"),
    "cancelled": ("Cancelled", "已取消"),
}
_NUMBER = Variable("QUERY", "integer", "Number of the query", "质疑编号", role="key")


def queries_table(
    connection: Connection, subjects: dict[int, SubjectRow], events: dict[int, EventKey]
) -> tuple[Table, Table]:
    """One row per query of the participants in scope, and one per message."""
    found = [
        row for row in connection.execute(select(Query.__table__).order_by(Query.id)) if row.subject_id in subjects
    ]
    keys = {row.id: _key(row, subjects, events) for row in found}
    variables = [
        *EVENT_KEYS,
        _NUMBER,
        Variable("FORM", "text", "Form", "表单"),
        Variable("FORM_REPEAT", "integer", "Repeat of the form", "表单重复序号"),
        Variable("PATHS", "text", "Rows or items asked about", "所涉行或变量"),
        Variable("CHECK", "text", "Check that raised it", "触发的核查"),
        Variable("REASON", "text", "Reason code", "原因代码"),
        Variable("STATUS", "text", "Status", "状态", codes=codes_from(STATUSES)),
        Variable("ASSIGNEE", "text", "Role that is asked", "被询问角色"),
        Variable("RAISED_BY", "text", "Raised by", "提出者"),
        Variable("RAISED", "datetime", "Raised (UTC)", "提出时间（UTC）"),
        Variable("ANSWERED", "datetime", "First answered (UTC)", "首次答复时间（UTC）"),
        Variable("CLOSED", "datetime", "Closed (UTC)", "关闭时间（UTC）"),
        Variable("REOPENED", "integer", "Times reopened", "重新打开次数"),
        Variable("CHANGED", "text", "Data changed while it waited", "期间数据有更改", codes=codes_from(YES_NO)),
    ]
    rows = [(*keys[row.id], row.id, *_row(row)) for row in found]
    queries = table_of("QUERIES", "Queries", "质疑", variables, rows)
    return queries, _messages(connection, keys)


def _row(row: Any) -> tuple[Any, ...]:
    return (
        row.form_id, row.repeat, " ".join(row.paths), row.check_id, row.reason_code, row.status, row.assignee,
        row.raised_by, instant(row.raised_at), row.answered_at and instant(row.answered_at),
        row.closed_at and instant(row.closed_at), row.reopened, "Y" if row.changed_data else "N",
    )  # fmt: skip


def _key(row: Any, subjects: dict[int, SubjectRow], events: dict[int, EventKey]) -> tuple[Any, ...]:
    """The keys of the visit; a query about the participant as a whole has none."""
    event = events.get(row.study_event_id)
    return event.key if event is not None else (*subjects[row.subject_id].key, None, None, None, None)


def _messages(connection: Connection, keys: dict[int, tuple[Any, ...]]) -> Table:
    variables = [
        *EVENT_KEYS[:4],
        _NUMBER,
        Variable("NUMBER", "integer", "Number of the message", "消息序号", role="key"),
        Variable("ACT", "text", "What was done", "操作"),
        Variable("TEXT", "text", "What was said", "内容"),
        Variable("SAID_AT", "datetime", "When (UTC)", "时间（UTC）"),
        Variable("SAID_BY", "text", "By", "操作者"),
        Variable("ROLE", "text", "Role", "角色"),
    ]
    found = connection.execute(select(QueryMessage.__table__).order_by(QueryMessage.query_id, QueryMessage.id))
    rows: list[tuple[Any, ...]] = []
    for row in found:
        if row.query_id in keys:
            number = rows[-1][5] + 1 if rows and rows[-1][4] == row.query_id else 1
            text = " / ".join(row.text.splitlines())
            rows.append(
                (*keys[row.query_id][:4], row.query_id, number, row.act, text, instant(row.at), row.by, row.role)
            )
    return table_of("QUERY_MESSAGES", "What was said about queries", "质疑对话", variables, rows)
