"""Gathering a participant's casebook: all that is stored about her, in the words of the version it was answered under."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from design import answers as documents
from design.definitions import ItemGroupDef, StudyDef
from design.evaluation import evaluate
from design.record import SubjectRecord
from design.types import display
from design.units import unit_text
from exports.casebook import Asked, Casebook, Part, Sheet, Signed, Step, VisitSheets
from exports.form_states import ENTRY
from exports.registers import STATES, STATUSES
from models import ChainHead, Change, ChangeEntries, FormData, Query, Signature, StudyEvent, Subject, db
from models.clock import now, today
from models.version import APP_VERSION
from workflows import check_queries, finding, recording, states

WORDS = {
    "number": ("Enrolment number", "入组号"),
    "screening": ("Screening number", "筛选号"),
    "site": ("Site", "中心"),
    "status": ("Status", "状态"),
    "protocol": ("Protocol", "方案"),
    "versions": ("Study versions", "研究版本"),
    "printed": ("Printed", "打印时间"),
    "foot": ("{oid} · version {version} · chain {seq}-{link} · {at}", "{oid} · 版本{version} · 链 {seq}-{link} · {at}"),
    "version": ("Version {number}", "版本{number}"),
    "saved": ("saved {at} by {by}", "{by} 保存于 {at}"),
    "revision": ("revision {number}", "修订号 {number}"),
    "in_error": ("MARKED IN ERROR: {why}", "已标记为错误：{why}"),
    "row_error": ("in error: {why}", "标记为错误：{why}"),
    "override": ("Saved outside the protocol ({check}): {why}", "超出方案保存（{check}）：{why}"),
    "not_printed": ("(identifier, not printed)", "（身份信息，不打印）"),
    "unanswered": ("—", "—"),
    "row": ("Row", "行"),
    "valid": ("valid", "有效"),
    "superseded": ("superseded {at}", "已于{at}失效"),
    "in_part": ("superseded {at} for {broken} of {n} forms", "{n}份表单中{broken}份已失效，最早于{at}"),
    "form": ("this form", "本表单"),
    "event": ("visit {name}", "访视 {name}"),
    "casebook": ("casebook, {n} forms", "病例报告表，{n}份表单"),
    "query": ("{status} · {about} · {age}", "{status} · {about} · {age}"),
    "whole": ("whole form", "整份表单"),
    "mark": ("marked in error", "标记为错误"),
}


Entry = tuple[Change, str | None, dict[str, Any]]  # a change, its reason, and one old -> new of it


@dataclass
class _Reader:
    """One casebook being gathered: the participant, what is stored about her, and how to say it."""

    subject: Subject
    language: str
    with_identifiers: bool
    with_history: bool
    records: dict[int, SubjectRecord] = field(default_factory=dict)

    def say(self, key: str, **values: Any) -> str:
        return WORDS[key][self.language.startswith("zh")].format(**values)

    def word(self, words: dict[str, tuple[str, str]], key: str) -> str:
        return words.get(key, (key, key))[self.language.startswith("zh")]

    def at(self, instant: datetime) -> str:
        return recording.local(instant, self.subject.site)

    def record(self, version_id: int) -> SubjectRecord:
        """The participant's answers as one version's rules see them, read once."""
        if version_id not in self.records:
            self.records[version_id] = recording.record_of(self.subject, finding.design(version_id))
        return self.records[version_id]


def gather(subject: Subject, language: str, *, with_identifiers: bool, with_history: bool) -> Casebook:
    """Everything about one participant: forms, values with units, missing reasons, queries, signatures and history.

    `with_identifiers` prints masked items, for those who enter them; others read that they are not printed (PRV-08).
    """
    reader = _Reader(subject, language, with_identifiers, with_history)
    held = recording.forms_of(subject)
    queries = _queries(subject)
    signed = _signatures(subject)
    history = _history(subject) if with_history else {}
    by_event: dict[int, list[FormData]] = defaultdict(list)
    for data in held:
        by_event[data.study_event_id].append(data)
    visits = []
    for event in sorted(subject.events, key=lambda each: (each.position, each.repeat)):
        sheets = [
            _sheet(reader, data, queries, signed, history) for data in _in_order(reader, event, by_event[event.id])
        ]
        asked = [_asked(reader, each, None) for each in queries if _is_about(each, event.id, None, None)]
        visits.append(_visit(reader, event, sheets, asked))
    at_large = [_asked(reader, each, None) for each in queries if each.study_event_id is None]
    whole = [_signed(reader, each, each.forms) for each in signed if each.level == "casebook"]
    return _bound(reader, held, visits, whole, at_large)


def _bound(
    reader: _Reader, held: list[FormData], visits: list[VisitSheets], signatures: list[Signed], queries: list[Asked]
) -> Casebook:
    subject, study = reader.subject, finding.design_for(reader.subject.site)
    numbers = sorted({finding.design(data.version_id).version for data in held} | {study.version})
    head = db.session.get(ChainHead, study.id)
    foot = reader.say(
        "foot",
        oid=study.id,
        version="/".join(map(str, numbers)),
        seq=head.seq if head else 0,
        link=head.link[:16] if head else "",
        at=f"{reader.at(now())} · {APP_VERSION}",
    )
    facts = [
        (reader.say("number"), subject.number or "—"),
        (reader.say("screening"), subject.screening_number),
        (reader.say("site"), f"{subject.site.code} {subject.site.name(reader.language)}"),
        (reader.say("status"), reader.word(STATUSES, subject.status)),
        (reader.say("protocol"), study.protocol),
        (reader.say("versions"), ", ".join(map(str, numbers))),
        (reader.say("printed"), reader.at(now())),
    ]
    title = study.label.text(reader.language)
    site = f"{subject.site.code} {subject.site.name(reader.language)}"
    return Casebook(title, subject.label, site, facts, foot, visits, signatures, queries, reader.language)


def _in_order(reader: _Reader, event: StudyEvent, held: list[FormData]) -> list[FormData]:
    """As the visit lists its forms; what it no longer lists comes last."""
    definition = finding.design_for(reader.subject.site).events.get(event.event_id)
    listed = [each.form_id for each in definition.forms] if definition else []
    places = {form_id: index for index, form_id in enumerate(listed)}
    return sorted(held, key=lambda data: (places.get(data.form_id, len(places)), data.form_id, data.repeat))


def _visit(reader: _Reader, event: StudyEvent, sheets: list[Sheet], queries: list[Asked]) -> VisitSheets:
    definition = finding.design_for(reader.subject.site).events.get(event.event_id)
    name = definition.label.text(reader.language) if definition else event.event_id
    if definition is not None and definition.kind in ("repeating", "unscheduled"):
        name = f"{name} {event.repeat}"
    day = event.visit_date.isoformat() if event.visit_date else ""
    return VisitSheets(name, day, reader.word(STATES, event.state), sheets, queries)


def _sheet(
    reader: _Reader,
    data: FormData,
    queries: list[Query],
    signed: list[Signature],
    history: dict[int, list[Entry]],
) -> Sheet:
    study = finding.design(data.version_id)
    form = study.forms[data.form_id]
    title = form.label.text(reader.language) + (f" #{data.repeat}" if form.repeats else "")
    facts = [
        reader.say("version", number=study.version),
        reader.word(ENTRY, data.entry),
        reader.word(states.STATE_WORDS, data.protection),
        reader.say("revision", number=data.revision),
        reader.say("saved", at=reader.at(data.saved_at), by=data.saved_by),
    ]
    if data.in_error:
        facts.insert(0, reader.say("in_error", why=data.in_error))
    facts += [reader.say("override", check=check, why=why) for check, why in data.overrides.items()]
    covering = [(each, [part for part in each.forms if part.form_data_id == data.id]) for each in signed]
    steps = _steps(reader, data, study, history.get(data.id, []))
    return Sheet(
        title=title,
        facts=facts,
        parts=list(_parts(reader, data, study)),
        queries=[
            _asked(reader, each, study)
            for each in queries
            if _is_about(each, data.study_event_id, data.form_id, data.repeat)
        ],
        signatures=[_signed(reader, each, parts) for each, parts in covering if parts],
        history=steps,
    )


def _parts(reader: _Reader, data: FormData, study: StudyDef) -> Iterable[Part]:
    """The form group by group: what was asked, and what was answered (or why not)."""
    form = study.forms[data.form_id]
    if data.entry == "not_done":
        yield Part("", [(reader.word(ENTRY, "not_done"), _not_done(reader, data, study))])
        return
    shown = _shown(reader, data, study)
    for group in (*form.groups, *(group for child in form.children for group in study.forms[child].groups)):
        title = group.label.text(reader.language)
        if group.form_id != form.id:
            title = study.forms[group.form_id].label.text(reader.language)
        title = "" if title == form.label.text(reader.language) else title
        rows = data.answers.get(group.id, {})
        if group.repeats or group.form_id != form.id:
            if rows:
                yield _table(reader, study, group, rows, title)
            continue
        cells = rows.get("1", {})
        asked = [item for item in group.items if item.id in cells or f"{group.id}/1/{item.id}" in shown]
        answers = [(item.label.text(reader.language), _text(reader, study, item.id, cells)) for item in asked]
        if answers:
            yield Part(title, answers)
    lost = [(path, cell) for path, cell in documents.iter_cells(data.answers) if path.split("/")[-1] not in study.items]
    known = [(path, str(cell)) for path, cell in lost if not path.rsplit("/", 1)[-1].startswith("_")]
    if known:
        yield Part("", known)


def _shown(reader: _Reader, data: FormData, study: StudyDef) -> set[str]:
    """Which items apply: what was not asked is not printed, what was asked and not answered is."""
    record = reader.record(data.version_id)
    ranks = recording.order_of(reader.subject.events, study)
    instance = recording.instance_of(data, data.study_event, study, ranks[data.study_event_id])
    return evaluate(study, record, instance, today=today(reader.subject.site.timezone)).shown


def _not_done(reader: _Reader, data: FormData, study: StudyDef) -> str:
    cell = data.answers.get("_form", {}).get("1", {}).get("_not_done", {})
    label = study.missing.codes.get(cell.get("missing", ""))
    return label.text(reader.language) if label else ""


def _table(reader: _Reader, study: StudyDef, group: ItemGroupDef, rows: dict[str, Any], title: str) -> Part:
    used = [item for item in group.items if any(item.id in cells for cells in rows.values())]
    head = [reader.say("row"), *(item.label.text(reader.language) for item in used)]
    names = study.tables[group.rows.table].rows if group.rows else {}
    lines = []
    for key, cells in rows.items():
        name = names.get(key, {})
        label = str(name.get(reader.language[:2]) or name.get("en") or key)
        error = cells.get(documents.ERROR)
        label += f" ({reader.say('row_error', why=error)})" if error else ""
        lines.append([label, *(_text(reader, study, item.id, cells, key) if item.id in cells else "" for item in used)])
    return Part(title, head=head, rows=lines)


def _text(reader: _Reader, study: StudyDef, item_id: str, cells: dict[str, Any], row: str = "1") -> str:
    item, cell = study.items[item_id], cells.get(item_id)
    if cell is None:
        return reader.say("unanswered")
    if item.masked and not reader.with_identifiers:
        return reader.say("not_printed")
    text = display(cell, item, study, reader.language)
    unit = study.unit_of(item, row)
    return f"{text} {unit_text(unit, reader.language)}" if unit and not isinstance(cell, dict) else text


def _queries(subject: Subject) -> list[Query]:
    return list(db.session.scalars(select(Query).where(Query.subject_id == subject.id).order_by(Query.id)))


def _is_about(query: Query, event_id: int, form_id: str | None, repeat: int | None) -> bool:
    return (query.study_event_id, query.form_id, query.repeat) == (event_id, form_id, repeat)


def _asked(reader: _Reader, query: Query, study: StudyDef | None) -> Asked:
    names = [path.rsplit("/", 1)[-1] for path in query.paths]
    items = study.items if study else {}
    about = ", ".join(items[name].label.text(reader.language) if name in items else name for name in names)
    status = reader.word(states.STATE_WORDS, query.status)
    heading = " · ".join(part for part in (status, about or reader.say("whole"), query.check_id) if part)
    turns = [
        f"{reader.at(each.at)} {each.by}: {check_queries.in_language(each, reader.language)}" for each in query.messages
    ]
    return Asked(heading, turns)


def _signatures(subject: Subject) -> list[Signature]:
    selection = select(Signature).where(Signature.subject_id == subject.id).order_by(Signature.id)
    return list(db.session.scalars(selection))


def _signed(reader: _Reader, signature: Signature, parts: list[Any]) -> Signed:
    """Name, time and meaning as they were at signing (SIG-01, SIG-02), and whether it still holds for these forms."""
    covers = {
        "form": lambda: reader.say("form"),
        "event": lambda: reader.say("event", name=_event_name(reader, signature)),
        "casebook": lambda: reader.say("casebook", n=len(signature.forms)),
    }[signature.level]()
    chinese = reader.language.startswith("zh")
    return Signed(
        name=f"{signature.full_name} ({signature.username})",
        time=reader.at(signature.signed_at),
        meaning=signature.meaning_zh if chinese else signature.meaning_en,
        covers=covers,
        state=_state(reader, [part.broken_at for part in parts]),
    )


def _state(reader: _Reader, broken_at: list[datetime | None]) -> str:
    """Whether a signature still holds for the forms it is printed for: for all of them, for some, or for none."""
    broken = [at for at in broken_at if at is not None]
    if not broken:
        return reader.say("valid")
    key = "superseded" if len(broken) == len(broken_at) else "in_part"
    return reader.say(key, at=reader.at(min(broken)), broken=len(broken), n=len(broken_at))


def _event_name(reader: _Reader, signature: Signature) -> str:
    event = next((each for each in reader.subject.events if each.id == signature.study_event_id), None)
    definition = finding.design_for(reader.subject.site).events.get(event.event_id) if event else None
    return definition.label.text(reader.language) if definition else (event.key if event else "")


def _history(subject: Subject) -> dict[int, list[Entry]]:
    """Every entry about an answer of the participant, by form, oldest first: one pass over her part of the trail."""
    found: dict[int, list[Entry]] = defaultdict(list)
    selection = (
        select(Change, ChangeEntries)
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.subject_id == subject.id)
        .order_by(Change.id)
    )
    for change, body in db.session.execute(selection):
        for entry in body.entries:
            table, key, column = [*entry["path"].split("/", 3), "", ""][:3]
            if table == "form_data" and column in ("answers", "in_error"):
                found[int(key)].append((change, body.reason, entry))
    return found


def _steps(reader: _Reader, data: FormData, study: StudyDef, entries: list[Entry]) -> list[Step]:
    """Every value each item ever had, item by item in the order of the form (AUD-03)."""
    order = {item.id: index for index, item in enumerate(study.items.values())}
    steps = []
    for change, reason, entry in entries:
        path = entry["path"].split("/")[3:]
        item = study.items.get(path[-1]) if len(path) == 3 else None
        label = item.label.text(reader.language) if item else "/".join(path) or reader.say("mark")
        if len(path) == 3 and path[1] != "1":
            label += f" [{path[1]}]"
        old, new = (_cell(reader, study, item, entry[side]) for side in ("old", "new"))
        who = entry.get("source") or change.user_name
        step = Step(label, old, new, reader.at(change.at), who, reason or "")
        steps.append((order.get(path[-1], len(order)) if path else len(order), path[1:2], change.id, step))
    return [step for *_, step in sorted(steps, key=lambda each: each[:3])]


def _cell(reader: _Reader, study: StudyDef, item: Any, cell: Any) -> str:
    if cell is None:
        return ""
    if item is None:
        return str(cell)
    return _text(reader, study, item.id, {item.id: cell})
