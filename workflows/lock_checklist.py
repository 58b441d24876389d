"""What still stands between the data and the database lock: one line each, by kind, to be walked and exported."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from design import answers as documents
from exports.as_excel import cell_of
from models import Deviation, FormData, Query, Site, StudyEvent, Subject, User, db
from models.clock import today
from workflows import finding, freezing, nightly, states

KINDS: dict[str, tuple[str, str]] = {
    "incomplete": ("Forms not complete", "未完成的表单"),
    "queries": ("Queries not closed", "未关闭的质疑"),
    "unsigned": ("Forms not signed as they stand", "当前内容未签名的表单"),
    "unverified": ("Required items not verified", "必核项目未核查"),
    "uncoded": ("Terms that stand in no dictionary", "不在词典中的术语"),
    "overdue": ("Overdue visits and forms", "逾期的访视与表单"),
    "deviations": ("Deviations not resolved", "未处理的方案偏离"),
}
COLUMNS = ("kind", "site", "participant", "visit", "form", "repeat", "what")


@dataclass(frozen=True)
class Item:
    """One thing that is left to do: where, and what in a word of the data (an id, a count, a term)."""

    kind: str
    subject: Subject
    event: StudyEvent | None
    data: FormData | None
    what: str = ""
    form_id: str = ""
    repeat: int = 1
    query_id: int | None = None

    def row(self) -> list[str]:
        """The line of the exported file."""
        form = self.data.form_id if self.data else self.form_id
        repeat = str(self.data.repeat if self.data else self.repeat) if form else ""
        site, event = self.subject.site.code, self.event.key if self.event else ""
        return [self.kind, site, self.subject.label, event, form, repeat, self.what]


def checklist(user: User, site_code: str = "") -> list[Item]:
    """Everything that is left at the user's sites, or at one of them, by kind and place.

    Raises:
        NotFound: no such site for this person.
    """
    sites = finding.sites(user, "view progress")
    if site_code:
        sites = [finding.site(user, "view progress", site_code)]
    found = [item for site in sites for item in _of_site(site)]
    order = list(KINDS)
    return sorted(found, key=lambda each: (order.index(each.kind), each.subject.screening_number))


def counts(items: Sequence[Item]) -> dict[str, int]:
    """How much is left of every kind, zeros too."""
    held = Counter(each.kind for each in items)
    return {kind: held[kind] for kind in KINDS}


def as_csv(items: Sequence[Item]) -> bytes:
    """The list as a file for people and programs (UTF-8 with byte order mark, so that spreadsheets read it)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_plain(cell) for cell in item.row()] for item in items)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(items: Sequence[Item]) -> bytes:
    """The list as a workbook; no cell is ever a formula."""
    book, file = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("checklist")
    sheet.append([cell_of(sheet, name) for name in COLUMNS])
    for item in items:
        sheet.append([cell_of(sheet, cell) for cell in item.row()])
    book.save(file)
    return file.getvalue()


def _plain(cell: str) -> str:
    """What begins like a formula is opened as text (SEC-33: this file is for people)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _of_site(site: Site) -> Iterator[Item]:
    held = [data for data in freezing.forms_in(site) if data.protection != "locked"]
    known = freezing.what_is_known(site, held)
    for data in held:
        yield from _of_form(data, known)
    subjects = {each.id: each for each in _subjects(site)}
    events = {event.id: event for subject in subjects.values() for event in subject.events}
    queries = select(Query).where(Query.site_id == site.id, Query.status.in_(("open", "answered"))).order_by(Query.id)
    for query in db.session.scalars(queries):
        subject, event = subjects[query.subject_id], events.get(query.study_event_id or 0)
        place = {"form_id": query.form_id or "", "repeat": query.repeat or 1, "query_id": query.id}
        yield Item("queries", subject, event, None, f"#{query.id} {query.status}", **place)  # type: ignore[arg-type]
    yield from _overdue(site, list(subjects.values()))
    waiting = select(Deviation).where(Deviation.site_id == site.id, Deviation.status.in_(("proposed", "recorded")))
    for deviation in db.session.scalars(waiting.where(Deviation.acknowledged_at.is_(None)).order_by(Deviation.id)):
        where = events.get(deviation.study_event_id or 0)
        yield Item("deviations", subjects[deviation.subject_id], where, None, f"#{deviation.id} {deviation.status}")


def _of_form(data: FormData, known: freezing.Known) -> Iterator[Item]:
    kinds = {"complete": "incomplete", "signed": "unsigned", "verified": "unverified"}
    for need in freezing.against(data, known):
        if need in kinds:
            yield Item(kinds[need], data.subject, data.study_event, data)
    if data.in_error is not None:
        return
    study = finding.design(data.version_id)
    for path, cell in documents.iter_cells(data.answers):
        item = study.items.get(path.rsplit("/", 1)[-1])
        if item is None or item.dictionary not in study.tables or not isinstance(cell, str):
            continue
        if cell not in study.tables[item.dictionary].rows:
            yield Item("uncoded", data.subject, data.study_event, data, f"{item.id}: {cell[:80]}")


def _subjects(site: Site) -> list[Subject]:
    selection = select(Subject).where(Subject.site_id == site.id)
    return list(db.session.scalars(selection.options(selectinload(Subject.events), joinedload(Subject.site))))


def _overdue(site: Site, subjects: Sequence[Subject]) -> Iterator[Item]:
    study, day = finding.design_for(site), today(site.timezone)
    for subject in subjects:
        for event in subject.events:
            if states.protection_around(subject, event) != "locked" and nightly.is_overdue(subject, study, event, day):
                closes: Any = event.closes or event.target or ""
                yield Item("overdue", subject, event, None, str(closes))
