"""What a study version asks: the nouns of the study language, immutable once read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from design.expressions import Expression

Found = TypeVar("Found")
NOTHING = object()
MEMORY = 20_000  # findings kept by `StudyDef.remembered`


@dataclass(frozen=True, slots=True)
class Label:
    """A text in both languages."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """The text in a language (`zh…` or English)."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class CodeList:
    """The allowed answers, in order."""

    id: str
    codes: dict[str, Label]


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table: rows by key, in order."""

    id: str
    columns: tuple[str, ...]
    rows: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class ParameterDef:
    """A named value of the study; `assumed` ones wait for the principal investigator."""

    id: str
    value: Any
    assumed: bool
    label: Label
    note: Label | None


@dataclass(frozen=True, slots=True)
class SiteDef:
    """A centre as the definition names it."""

    code: str
    label: Label
    timezone: str


@dataclass(frozen=True, slots=True)
class CheckDef:
    """A rule that must be true; false is a finding, not evaluable is none."""

    id: str
    severity: str  # hard, protected, soft, cross, warning
    rule: Expression
    when: Expression | None
    label: Label
    form_id: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemDef:
    """One question."""

    id: str
    form_id: str
    group_id: str
    label: Label
    type: str
    codelist: str | None = None
    options: str | None = None
    dictionary: str | None = None
    refers: tuple[str, ...] = ()
    auto: str | None = None
    unit: str | None = None
    row_unit: str | None = None  # column of the table of pre-listed rows that holds the unit of each row
    digits: int | None = None
    length: int | None = None
    required: str = "no"  # yes, no, shown
    no_missing: bool = False
    show: Expression | None = None
    derive: Expression | None = None
    checks: tuple[CheckDef, ...] = ()
    default_hint: str | None = None
    critical: bool = False
    masked: bool = False
    help: Label | None = None
    sdtm: str = ""
    family: str | None = None
    hard_range: tuple[Decimal | None, Decimal | None] | None = None
    protected_range: tuple[Decimal | None, Decimal | None] | None = None
    soft_range: tuple[Decimal | None, Decimal | None] | None = None
    delegated: str | None = None  # the task for which the person named must be delegated at the site …
    delegated_on: str | None = None  # … on the day of this item


@dataclass(frozen=True, slots=True)
class RowSource:
    """Pre-listed rows: the rows of a table, optionally those where a column equals an expression."""

    table: str
    column: str | None
    value: Expression | None


@dataclass(frozen=True, slots=True)
class ItemGroupDef:
    """Questions that belong together and perhaps repeat."""

    id: str
    form_id: str
    label: Label
    repeats: bool
    rows: RowSource | None
    row_item: str | None
    items: tuple[ItemDef, ...]


@dataclass(frozen=True)
class FormDef:
    """One CRF form. A child form (`under`) is one repeating group of its parent's document."""

    id: str
    label: Label
    repeats: bool
    under: str | None
    show: Expression | None
    title: tuple[str, ...]
    order_by: tuple[str, ...]
    groups: tuple[ItemGroupDef, ...]
    checks: tuple[CheckDef, ...]
    children: tuple[str, ...]
    catalogue_items: int

    @cached_property
    def items(self) -> tuple[ItemDef, ...]:
        """All items in CRF order."""
        return tuple(item for group in self.groups for item in group.items)


@dataclass(frozen=True, slots=True)
class EventForm:
    """A form in an event."""

    form_id: str
    required: bool


@dataclass(frozen=True, slots=True)
class EventDef:
    """A planned or unplanned occasion."""

    id: str
    number: int
    label: Label
    kind: str  # scheduled, repeating, unscheduled, log
    anchor: str | None
    offset_days: int
    offset_months: int
    before: int
    after: int
    count: Expression | None
    step_days: int
    forms: tuple[EventForm, ...]
    visit_date: str | None
    not_done: str | None


TASKS = ("consent", "enter data", "sign", "verify", "coordinate")  # what a delegation log can name
LOCK_NEEDS = (
    "complete",
    "queries",
    "signed",
    "verified",
)  # what holds before a form is locked, unless a study asks less


@dataclass(frozen=True, slots=True)
class Rules:
    """What the study says about numbers, enrolment and the end."""

    close_events_after: Expression | None
    enrol: Expression | None
    enrol_cap: str
    screening_number: str
    subject_number: str
    person_key: tuple[str, ...]
    visit_date: str | None
    not_done: str | None
    lock_needs: tuple[str, ...] = LOCK_NEEDS


@dataclass(frozen=True, slots=True)
class DeviationForm:
    """Where a recorded protocol deviation is written: a form of the log, and which of its items say what."""

    form: str
    term: str
    date: str
    category: str
    severity: str


@dataclass(frozen=True, slots=True)
class ReconsentDef:
    """What an amendment adds only for those who consented to it; `given` is true once such a consent is recorded."""

    given: Expression
    forms: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AmendmentDef:
    """How the answers of the version before belong to this one (`amendment.toml`)."""

    replaces: int
    default: str = "prospective"  # or retrospective: what is meant for forms already there
    moved: dict[str, str] = field(default_factory=dict)  # item of the version before -> item of this one
    recoded: dict[str, dict[str, str]] = field(default_factory=dict)  # code list -> code before -> code now
    reworded: tuple[str, ...] = ()  # other words, same meaning: marks and signatures stay
    reconsent: ReconsentDef | None = None


@dataclass(frozen=True)
class StudyDef:
    """One version of a study's design."""

    id: str
    version: int
    label: Label
    protocol: str
    languages: tuple[str, ...]
    missing: CodeList
    parameters: dict[str, ParameterDef]
    sites: dict[str, SiteDef]
    anchors: dict[str, Expression]
    projected: dict[str, Expression]
    lifecycle: dict[str, Expression]
    rules: Rules
    events: dict[str, EventDef]
    forms: dict[str, FormDef]
    codelists: dict[str, CodeList]
    tables: dict[str, Table]
    checks: tuple[CheckDef, ...]
    deviations: DeviationForm | None = None
    amendment: AmendmentDef | None = None
    _cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def items(self) -> dict[str, ItemDef]:
        """Every item by its id, which is unique in the study."""
        return {item.id: item for form in self.forms.values() for item in form.items}

    def item(self, item_id: str) -> ItemDef:
        """One item."""
        return self.items[item_id]

    def form_of(self, item_id: str) -> FormDef:
        """The form that asks an item."""
        return self.forms[self.items[item_id].form_id]

    def options_for(self, item: ItemDef) -> dict[str, Label]:
        """The answers an item allows, from its code list or its table; empty for other items."""
        if item.codelist:
            return self.codelists[item.codelist].codes
        name = item.options or item.dictionary
        if not name:
            return {}
        return self.remembered(("options", name), lambda: self._table_options(name))

    def row_units(self, item: ItemDef) -> dict[str, str]:
        """The unit of an item in each pre-listed row, where the row decides it (a standardised laboratory result)."""
        group = next(group for group in self.forms[item.form_id].groups if group.id == item.group_id)
        if item.row_unit is None or group.rows is None:
            return {}
        return {
            key: row[item.row_unit] for key, row in self.tables[group.rows.table].rows.items() if row[item.row_unit]
        }

    def unit_of(self, item: ItemDef, row: str) -> str | None:
        """The unit of an item in a row."""
        return self.row_units(item).get(row) if item.row_unit else item.unit

    def _table_options(self, name: str) -> dict[str, Label]:
        rows = self.tables[name].rows
        return {code: Label(row.get("en") or code, row.get("zh") or code) for code, row in rows.items()}

    def remembered(self, key: tuple[Any, ...], find: Callable[[], Found]) -> Found:
        """What follows from the definition alone, found once. Safe when another thread empties the memory meanwhile."""
        found = self._cache.get(key, NOTHING)
        if found is NOTHING:
            found = find()
            if len(self._cache) > MEMORY:
                self._cache.clear()
            self._cache[key] = found
        return found  # type: ignore[no-any-return]

    def document_form(self, form_id: str) -> FormDef:
        """The form whose document holds a form's answers: itself, or the parent of a child form."""
        form = self.forms[form_id]
        return self.forms[form.under] if form.under else form
