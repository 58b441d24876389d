"""The tables that are no form: participants, their schedule, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from design.definitions import StudyDef
from exports.shape import Code, Table, Variable
from models import Site, Study, StudyEvent, Subject

STATUSES = {
    "screening": ("Screening", "筛选中"),
    "consented": ("Consented", "已签署知情同意"),
    "eligible": ("Eligible", "符合入组"),
    "screen_failed": ("Screen failure", "筛选失败"),
    "enrolled": ("Enrolled", "已入组"),
    "on_treatment": ("On treatment", "治疗中"),
    "follow_up": ("In follow-up", "随访中"),
    "ended": ("Study ended", "研究结束"),
    "withdrawn": ("Withdrawn", "已退出"),
    "dead": ("Dead", "死亡"),
}
STATES = {
    "planned": ("Planned", "计划"),
    "done": ("Done", "已完成"),
    "not_done": ("Not done", "未做"),
    "missed": ("Missed", "错过"),
    "not_applicable": ("Not applicable", "不适用"),
}
WINDOW = {
    "EARLY": ("Before the window", "早于窗口期"),
    "IN": ("In the window", "窗口期内"),
    "LATE": ("After the window", "晚于窗口期"),
}
YES_NO = {"Y": ("Yes", "是"), "N": ("No", "否")}

_SUBJECT_KEYS = (
    Variable("STUDYID", "text", "Study", "研究", role="key"),
    Variable("SITEID", "text", "Site", "中心", role="key"),
    Variable("SUBJID", "text", "Subject number", "受试者编号", role="key"),
    Variable("SCRNO", "text", "Screening number", "筛选号", role="key"),
)
EVENT_KEYS = (
    *_SUBJECT_KEYS,
    Variable("VISIT", "text", "Visit", "访视", role="key"),
    Variable("VISITNUM", "integer", "Visit number", "访视序号", role="key"),
    Variable("EVENT", "text", "Event", "访视代码", role="key"),
    Variable("REPEAT", "integer", "Repeat of the event", "访视重复序号", role="key"),
)


def codes_from(words: dict[str, tuple[str, str]]) -> tuple[Code, ...]:
    return tuple(Code(code, en, zh) for code, (en, zh) in words.items())


@dataclass(frozen=True)
class SubjectRow:
    """One participant, as stored."""

    id: int
    key: tuple[Any, ...]
    site_en: str
    site_zh: str
    status: str
    place: int | None
    previous: str | None
    created_at: datetime


@dataclass(frozen=True)
class EventKey:
    """One event of a participant: the keys its forms' rows carry, and its place in the order."""

    key: tuple[Any, ...]
    order: int
    row: Any


def read_subjects(connection: Connection, study_id: int, site_ids: frozenset[int] | None) -> dict[int, SubjectRow]:
    """The participants in scope, in the order of their screening numbers."""
    selection = (
        select(Subject, Study.oid, Site.code, Site.name_en, Site.name_zh)
        .join(Site, Site.id == Subject.site_id)
        .join(Study, Study.id == Subject.study_id)
        .where(Subject.study_id == study_id)
        .order_by(Subject.screening_number)
    )
    if site_ids is not None:
        selection = selection.where(Subject.site_id.in_(site_ids))
    rows = connection.execute(selection).all()
    numbers = {row.id: row.screening_number for row in rows}
    return {
        row.id: SubjectRow(
            row.id,
            (row.oid, row.code, row.number, row.screening_number),
            row.name_en,
            row.name_zh,
            row.status,
            row.place,
            numbers.get(row.previous_id),
            row.created_at,
        )
        for row in rows
    }


def read_events(
    connection: Connection, subjects: dict[int, SubjectRow], studies: dict[int, StudyDef]
) -> dict[int, EventKey]:
    """The events of the participants in scope, by id, in the order of the schedule."""
    newest = studies[max(studies)]
    ranks = {subject_id: rank for rank, subject_id in enumerate(subjects)}
    found = [row for row in connection.execute(select(StudyEvent)) if row.subject_id in ranks]
    found.sort(key=lambda row: (ranks[row.subject_id], row.position, row.id))
    events = {}
    for order, row in enumerate(found):
        definition = newest.events.get(row.event_id)
        name = definition.label.en if definition else row.event_id
        visit = name if row.repeat == 1 else f"{name} {row.repeat}"
        number = definition.number + row.repeat - 1 if definition else None
        key = (*subjects[row.subject_id].key, visit, number, row.event_id, row.repeat)
        events[row.id] = EventKey(key, order, row)
    return events


def subjects_table(subjects: dict[int, SubjectRow], studies: dict[int, StudyDef]) -> Table:
    """One row per participant."""
    variables = [
        *_SUBJECT_KEYS,
        Variable("SITE_EN", "text", "Site name, English", "中心英文名称", role="en"),
        Variable("SITE_ZH", "text", "Site name, Chinese", "中心中文名称", role="zh"),
        Variable("STATUS", "text", "Status", "状态", codes=codes_from(STATUSES)),
        Variable("PLACE", "integer", "Place among the planned participants", "入组名额序号"),
        Variable("PREVSCR", "text", "Previous screening number", "既往筛选号"),
        Variable("CREATED", "datetime", "Added to the system (UTC)", "录入系统时间（UTC）"),
    ]
    rows = [
        (*s.key, s.site_en, s.site_zh, s.status, s.place, s.previous, instant(s.created_at)) for s in subjects.values()
    ]
    return table_of("SUBJECTS", "Participants", "受试者", variables, rows)


def events_table(events: dict[int, EventKey], studies: dict[int, StudyDef]) -> Table:
    """One row per event: target, window, date and how the date lies to the window."""
    newest = studies[max(studies)]
    variables = [
        *EVENT_KEYS,
        Variable("VISIT_ZH", "text", "Visit, Chinese", "访视（中文）", role="zh"),
        Variable("STATE", "text", "State", "状态", codes=codes_from(STATES)),
        Variable("TARGET", "date", "Target date", "目标日期"),
        Variable("OPENS", "date", "Window opens", "窗口期开始"),
        Variable("CLOSES", "date", "Window closes", "窗口期结束"),
        Variable("PROJECTED", "text", "Dates are projected", "日期为预计", codes=codes_from(YES_NO)),
        Variable("VISDAT", "date", "Date of the visit", "访视日期"),
        Variable("WINDOW", "text", "Visit against its window", "访视与窗口期", codes=codes_from(WINDOW)),
        Variable("DAYS_OFF", "integer", "Days from the target", "距目标日期天数", unit="d"),
        Variable("REASON", "text", "Reason", "原因"),
    ]
    rows = []
    for event in events.values():
        row = event.row
        definition = newest.events.get(row.event_id)
        label = definition.label.zh if definition else row.event_id
        rows.append(
            (
                *event.key,
                label if row.repeat == 1 else f"{label} {row.repeat}",
                row.state,
                _iso(row.target),
                _iso(row.opens),
                _iso(row.closes),
                "Y" if row.projected else "N",
                _iso(row.visit_date),
                window_of(row.opens, row.closes, row.visit_date, row.projected),
                (row.visit_date - row.target).days if row.visit_date and row.target and not row.projected else None,
                row.reason,
            )
        )
    return table_of("EVENTS", "Visits and their schedule", "访视计划", variables, rows)


def window_of(opens: date | None, closes: date | None, visited: date | None, projected: bool) -> str | None:
    """EARLY, IN or LATE; None without a date or a firm window."""
    if visited is None or opens is None or closes is None or projected:
        return None
    return "EARLY" if visited < opens else "LATE" if visited > closes else "IN"


def missing_table(keys: Sequence[Variable], missing: list[tuple[Any, ...]], studies: dict[int, StudyDef]) -> Table:
    """One row per answer that is missing for a reason; a question that was never answered has no row
    anywhere.
    """
    labels: dict[str, tuple[str, str]] = {}
    for _, study in sorted(studies.items()):
        labels.update({code: (label.en, label.zh) for code, label in study.missing.codes.items()})
    variables = [
        *keys,
        Variable("TABLE", "text", "Table", "数据表"),
        Variable("ITEM", "text", "Item", "变量"),
        Variable("REASON", "text", "Reason", "原因代码", codes=codes_from(labels)),
        Variable("REASON_EN", "text", "Reason, English", "原因（英文）", role="en"),
        Variable("REASON_ZH", "text", "Reason, Chinese", "原因（中文）", role="zh"),
    ]
    rows = [(*row, *labels.get(row[-1], (None, None))) for row in missing]
    return table_of("MISSING", "Answers that are missing, and why", "缺失的答案及原因", variables, rows)


def table_of(name: str, en: str, zh: str, variables: list[Variable], rows: list[tuple[Any, ...]]) -> Table:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in variables]
    return Table(name, en, zh, variables, dict(zip([v.name for v in variables], columns, strict=True)))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def instant(at: datetime) -> str:
    """An instant in UTC without its zone mark, to the second: the column's label says UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")
