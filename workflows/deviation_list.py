"""The deviations that people look through: filtered, a page at a time, and as a file."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from openpyxl import Workbook
from sqlalchemy import Select, select

from design import answers as documents
from design.definitions import ItemDef, StudyDef
from exports.as_excel import cell_of
from models import Deviation, FormData, Site, StudyEvent, Subject, User, db
from models.change import Change
from workflows import finding
from workflows.recording import local

STATUSES = ("proposed", "recorded", "acknowledged", "dismissed", "withdrawn")
COLUMNS = (
    "number", "site", "participant", "visit", "check", "date", "description_en", "description_zh", "status", "why",
    "category", "severity", "proposed_at", "settled_by", "settled_at", "acknowledged_by", "acknowledged_at", "form_data",
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """One deviation with its participant and visit."""

    deviation: Deviation
    subject: Subject
    event: StudyEvent | None
    record: FormData | None = None  # the study's own form, where category and severity stand

    @property
    def status(self) -> str:
        """Its status as people call it: acknowledging ends it."""
        return "acknowledged" if self.deviation.acknowledged_at else self.deviation.status

    def judged(self, language: str) -> tuple[str, str]:
        """Category and severity in words, as they are recorded now."""
        if self.record is None:
            return "", ""
        study = finding.design(self.record.version_id)
        if study.deviations is None:
            return "", ""
        category, severity = (study.items[each] for each in (study.deviations.category, study.deviations.severity))
        return self._word(study, category, language), self._word(study, severity, language)

    def _word(self, study: StudyDef, item: ItemDef, language: str) -> str:
        answers = self.record.answers if self.record else {}
        code = documents.get(answers, f"{item.group_id}/1/{item.id}")
        label = study.options_for(item).get(code) if isinstance(code, str) else None
        return label.text(language) if label else str(code or "")

    def row(self) -> list[str]:
        """As a line of the file."""
        each, site = self.deviation, self.subject.site
        return [
            str(each.id),
            site.code,
            self.subject.label,
            self.event.key if self.event else "",
            each.check_id or "",
            each.occurred,
            each.term_en,
            each.term_zh,
            self.status,
            each.why,
            *self.judged("en"),
            local(each.proposed_at, site),
            each.settled_by or "",
            local(each.settled_at, site) if each.settled_at else "",
            each.acknowledged_by or "",
            local(each.acknowledged_at, site) if each.acknowledged_at else "",
            str(each.form_data_id or ""),
        ]


def page(user: User, number: int, size: int, **asked: str) -> tuple[list[Listed], bool]:
    """One page of the list, and whether there is another: one statement."""
    selection = _listed(user, **asked).limit(size + 1).offset((number - 1) * size)
    rows = [Listed(*row) for row in db.session.execute(selection)]
    return rows[:size], len(rows) > size


def one(user: User, deviation_id: int) -> Listed:
    """A deviation with what belongs to it, or `NotFound`."""
    found = finding.deviation(user, deviation_id)
    event = db.session.get(StudyEvent, found.study_event_id) if found.study_event_id else None
    record = db.session.get(FormData, found.form_data_id) if found.form_data_id else None
    return Listed(found, db.session.get_one(Subject, found.subject_id), event, record)


def fetch(user: User, kind: str, **asked: str) -> bytes:
    """The whole list as CSV or XLSX; fetching it is recorded (AUD-10)."""
    site = finding.site(user, "view deviations", asked["site"]) if asked.get("site") else None
    rows = [Listed(*row).row() for row in db.session.execute(_listed(user, **asked))]
    with Change(by=user, action="fetch deviations", site=site, about="study/1", chain=finding.study().oid):
        pass
    return as_csv(rows) if kind == "csv" else as_xlsx(rows)


def as_csv(rows: Iterable[list[str]]) -> bytes:
    """With byte order mark for spreadsheets; what begins like a formula is opened as text (SEC-33)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in row])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[list[str]]) -> bytes:
    """A workbook in which no cell is ever a formula."""
    book, target = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("deviations")
    for row in (list(COLUMNS), *rows):
        sheet.append([cell_of(sheet, cell) for cell in row])
    book.save(target)
    return target.getvalue()


def _listed(
    user: User, status: str = "", site: str = "", words: str = ""
) -> Select[Deviation, Subject, StudyEvent, FormData]:
    """The deviations at the user's sites with participant and visit, newest first; in status, at a site, with words."""
    found = finding.deviations(user).subquery()
    selection = (
        select(Deviation, Subject, StudyEvent, FormData)
        .join(found, found.c.id == Deviation.id)
        .join(Subject, Subject.id == Deviation.subject_id)
        .outerjoin(StudyEvent, StudyEvent.id == Deviation.study_event_id)
        .outerjoin(FormData, FormData.id == Deviation.form_data_id)
        .order_by(Deviation.id.desc())
    )
    if status == "acknowledged":
        selection = selection.where(Deviation.acknowledged_at.is_not(None))
    elif status in STATUSES:
        selection = selection.where(Deviation.status == status)
        if status == "recorded":
            selection = selection.where(Deviation.acknowledged_at.is_(None))
    if site:
        selection = selection.join(Site, Site.id == Deviation.site_id).where(Site.code == site)
    if words:
        like = f"%{words.replace('%', '').replace('_', '')}%"
        selection = selection.where(
            Deviation.term_en.ilike(like)
            | Deviation.term_zh.ilike(like)
            | Subject.screening_number.ilike(like)
            | Subject.number.ilike(like)
        )
    return selection
