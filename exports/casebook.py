"""A participant's casebook on paper: every form as it stands, with queries, signatures and, if wanted, every old value.

What is printed was gathered before (`workflows.printing`); here it is only laid out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from exports.paper import INK, SOFT, Furniture, Paper

MOST_COLUMNS = 6
WORDS = {
    "casebook": ("Casebook", "病例报告表"),
    "participant": ("Participant", "受试者"),
    "visits": ("Visits", "访视"),
    "visit": ("Visit", "访视"),
    "date": ("Date", "日期"),
    "status": ("Status", "状态"),
    "forms": ("Forms", "表单数"),
    "question": ("Question", "问题"),
    "answer": ("Answer", "答案"),
    "row": ("Row", "行"),
    "signatures": ("Signatures", "电子签名"),
    "name": ("Name", "姓名"),
    "time": ("Date and time", "日期和时间"),
    "meaning": ("Meaning", "签名含义"),
    "covers": ("Signed", "签署内容"),
    "state": ("State", "状态"),
    "queries": ("Queries", "质疑"),
    "history": ("Audit history", "稽查历史"),
    "item": ("Question", "问题"),
    "old": ("Old value", "原值"),
    "new": ("New value", "新值"),
    "who": ("By", "操作者"),
    "why": ("Reason", "原因"),
    "nothing": ("No answers.", "无答案。"),
    "page": ("Page {page} of {pages}", "第{page}页，共{pages}页"),
}


@dataclass(frozen=True)
class Part:
    """One item group: questions with answers, or a grid with a row for each repetition."""

    title: str
    answers: Sequence[tuple[str, str]] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Asked:
    """A query and its conversation."""

    heading: str
    turns: Sequence[str]


@dataclass(frozen=True)
class Signed:
    """Who signed what, when, and what it means (SIG-01, SIG-02)."""

    name: str
    time: str
    meaning: str
    covers: str
    state: str


@dataclass(frozen=True)
class Step:
    """One old value that became a new one."""

    item: str
    old: str
    new: str
    at: str
    who: str
    why: str


@dataclass(frozen=True)
class Sheet:
    """One form."""

    title: str
    facts: Sequence[str]
    parts: Sequence[Part]
    queries: Sequence[Asked] = ()
    signatures: Sequence[Signed] = ()
    history: Sequence[Step] = ()


@dataclass(frozen=True)
class VisitSheets:
    """One visit with its forms."""

    title: str
    date: str
    status: str
    sheets: Sequence[Sheet]
    queries: Sequence[Asked] = ()


@dataclass(frozen=True)
class Casebook:
    """Everything about one participant, in one language."""

    study: str
    participant: str
    site: str
    facts: Sequence[tuple[str, str]]
    foot: str
    visits: Sequence[VisitSheets]
    signatures: Sequence[Signed] = ()
    queries: Sequence[Asked] = ()
    language: str = "en"
    made_at: datetime | None = field(default=None, compare=False)


def draw(casebook: Casebook, made_at: datetime) -> bytes:
    """The casebook as a PDF: fonts embedded, an outline of visits and forms, a running head and foot."""
    chosen = casebook.language.startswith("zh")
    words = {key: texts[chosen] for key, texts in WORDS.items()}
    title = f"{words['casebook']} {casebook.participant}"
    furniture = Furniture(
        title, f"{casebook.study} · {casebook.participant}", casebook.site, casebook.foot, words["page"]
    )
    paper = Paper(furniture, casebook.language, made_at)
    paper.add_page()
    paper.heading(title)
    paper.grid((), casebook.facts, (1, 3))
    _signatures(paper, casebook.signatures, words)
    _queries(paper, casebook.queries, words)
    paper.heading(words["visits"], 1)
    paper.grid(
        (words["visit"], words["date"], words["status"], words["forms"]),
        [(visit.title, visit.date, visit.status, str(len(visit.sheets))) for visit in casebook.visits],
        (4, 2, 2, 1),
    )
    for visit in casebook.visits:
        if visit.sheets or visit.queries:
            _visit(paper, visit, words)
    return paper.document()


def _visit(paper: Paper, visit: VisitSheets, words: dict[str, str]) -> None:
    paper.add_page()
    paper.heading(" · ".join(part for part in (visit.title, visit.date, visit.status) if part), 1)
    _queries(paper, visit.queries, words)
    for sheet in visit.sheets:
        _sheet(paper, sheet, words)


def _sheet(paper: Paper, sheet: Sheet, words: dict[str, str]) -> None:
    paper.heading(sheet.title, 2)
    paper.words(" · ".join(sheet.facts), 8, SOFT)
    paper.gap(1)
    for part in sheet.parts:
        _part(paper, part, words)
    if not sheet.parts:
        paper.words(words["nothing"], 8.5, SOFT)
    _signatures(paper, sheet.signatures, words)
    _queries(paper, sheet.queries, words)
    if sheet.history:
        paper.words(words["history"], 8.5, SOFT)
        head = [words[key] for key in ("item", "old", "new", "time", "who", "why")]
        rows = [(step.item, step.old, step.new, step.at, step.who, step.why) for step in sheet.history]
        paper.grid(head, rows, (5, 3, 3, 3, 2.4, 3))
    paper.gap(2)


def _part(paper: Paper, part: Part, words: dict[str, str]) -> None:
    if part.title:
        paper.words(part.title, 9, INK)
        paper.gap(0.5)
    if part.answers:
        paper.grid((words["question"], words["answer"]), part.answers, (5, 5))
    if part.rows and len(part.head) <= MOST_COLUMNS:
        paper.grid(part.head, part.rows, [1.0] * len(part.head))
    elif part.rows:
        for row in part.rows:  # too many columns for the sheet: one list for each row
            told = [(label, text) for label, text in zip(part.head[1:], row[1:], strict=True) if text]
            paper.words(f"{words['row']} {row[0]}", 8.5, SOFT)
            paper.grid((), told, (5, 5))


def _signatures(paper: Paper, signatures: Sequence[Signed], words: dict[str, str]) -> None:
    if not signatures:
        return
    paper.words(words["signatures"], 8.5, SOFT)
    head = [words[key] for key in ("name", "time", "meaning", "covers", "state")]
    rows = [(each.name, each.time, each.meaning, each.covers, each.state) for each in signatures]
    paper.grid(head, rows, (2, 2.4, 4, 2.4, 1.8))


def _queries(paper: Paper, queries: Sequence[Asked], words: dict[str, str]) -> None:
    if not queries:
        return
    paper.words(words["queries"], 8.5, SOFT)
    paper.grid((), [(each.heading, "\n".join(each.turns)) for each in queries], (3, 7))
