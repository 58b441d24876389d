"""The parts of a form's page, as plain data: what the template reads and what it is built from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from design.definitions import StudyDef
from forms.crf_input import Posted
from forms.crf_layout import Face, Layout
from forms.crf_words import Options

Choices = Mapping[str, Options]


@dataclass(slots=True)
class Say:
    """One finding in words."""

    severity: str
    text: str
    check: str
    override: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryMark:
    """That queries about an item wait: where to read them, how many, and how pressing the mark looks."""

    href: str
    count: int
    tone: str  # late: open, warn: answered


@dataclass(slots=True)
class Field:
    """One item in one row."""

    path: str
    label: str
    help: str
    kind: str
    options: tuple[tuple[str, str], ...]
    unit: str
    hint: str
    width: str
    mode: str
    required: bool
    may_miss: bool
    dictionary: str
    label_ids: str
    value: str
    values: list[str]
    text: str
    sha: str
    missing: str
    missing_text: str
    shown: bool
    stored: bool
    error: str | None
    says: list[Say]
    classes: str
    query: QueryMark | None = None


@dataclass(slots=True)
class Row:
    """One row of a group; the only one of a group that does not repeat."""

    key: str
    label: str
    help: str
    fields: list[Field]
    shown: bool
    stored: bool
    in_error: str
    error_typed: str

    @property
    def has_says(self) -> bool:
        """Whether any item of the row has something to say."""
        return any(each.says or each.error for each in self.fields)


@dataclass(slots=True)
class Section:
    """One group with its rows."""

    id: str
    title: str
    sub: str
    layout: str
    columns: tuple[Face, ...]
    rows: list[Row]
    row_title: str
    shown: bool
    always: bool
    can_add: bool
    add_label: str
    nothing: str


@dataclass
class State:
    """Everything that is known about the form at this moment."""

    study: StudyDef
    layout: Layout
    language: str
    answers: dict[str, Any]  # what the page shows, derived values included
    stored: dict[str, Any]  # what is in the database
    shown: frozenset[str]
    findings: Iterable[Any] = ()
    missing_required: frozenset[str] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)
    posted: Posted | None = None  # what was typed, kept as it was typed
    overrides: Mapping[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=dict)
    row_labels: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, list[str]] = field(default_factory=dict)  # rows asked for and still empty
    queries: Mapping[str, QueryMark] = field(default_factory=dict)  # by item, those that wait
    asked: frozenset[str] = frozenset()  # what the query asks about that is shown beside the form


@dataclass
class Page:
    """What the template of a form needs."""

    title: str
    instance: str
    sections: list[Section]
    says: list[Say]
    missing: tuple[tuple[str, str], ...]
    missing_options: Markup
    counts: dict[str, int]
    words: dict[str, str]
    severities: dict[str, str]
    readonly: bool
    lazy: bool  # so long that reasons for missing answers are listed only where they are asked for
    may_override: bool
    may_error: bool
    address: str
    history_address: str
    terms_address: str
    file_address: str
    ask_address: str = ""  # where a query is raised; empty for those who raise none
