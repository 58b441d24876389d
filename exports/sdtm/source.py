"""The tables of an export as the sources of a mapping: typed when they are asked for, found by participant."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from design.dates import PartialDate
from design.definitions import StudyDef
from exports.layout import plan
from exports.shape import Table

BUILT = "sdtm_"  # before the name of a dataset that is already built
INSTANCE = ("SCRNO", "EVENT", "REPEAT", "FORM_REPEAT")


def _date(text: Any) -> Any:
    return date.fromisoformat(text)


def _decimal(value: Any) -> Any:
    return Decimal(str(value))


TYPED: dict[str, Callable[[Any], Any]] = {
    "partial_date": PartialDate.parse,
    "date": _date,
    "datetime": datetime.fromisoformat,
    "integer": _decimal,
    "number": _decimal,
    "multi": lambda text: str(text).split(";"),
}


@dataclass
class Source:
    """A table with its columns typed when they are asked for, and its rows found by participant."""

    name: str
    form_id: str
    group: str | None
    columns: dict[str, Sequence[Any]]
    kinds: dict[str, str]
    rows: int
    key: str = "SCRNO"

    def __post_init__(self) -> None:
        self._typed: dict[str, list[Any]] = {}

    def typed(self, name: str) -> list[Any]:
        """A column as values of expressions; what does not fit its type stays text."""
        if name not in self._typed:
            convert = TYPED.get(self.kinds.get(name, "text"))
            values = self.columns[name]
            self._typed[name] = [_attempt(convert, value) for value in values] if convert else list(values)
        return self._typed[name]

    @cached_property
    def by_subject(self) -> dict[str, list[int]]:
        """The places of each participant's rows."""
        found: dict[str, list[int]] = {}
        for place, subject in enumerate(self.columns[self.key] if self.rows else ()):
            found.setdefault(subject, []).append(place)
        return found

    @cached_property
    def by_instance(self) -> dict[tuple[Any, ...], int]:
        """The place of each form instance's header row."""
        if self.group is not None or not all(name in self.columns for name in INSTANCE):
            return {}
        keys = zip(*(self.columns[name] for name in INSTANCE), strict=True)
        return {key: place for place, key in enumerate(keys)}


def _attempt(convert: Callable[[Any], Any], value: Any) -> Any:
    if value is None or not isinstance(value, str | int | float):
        return value
    try:
        return convert(value)
    except (ValueError, InvalidOperation):
        return value


@dataclass
class Sources:
    """All tables of an export as sources, with the definitions that they were read under."""

    tables: dict[str, Source]
    studies: dict[int, StudyDef]
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)

    @property
    def newest(self) -> StudyDef:
        """The latest version of the study."""
        return self.studies[max(self.studies)]

    @cached_property
    def reasons(self) -> dict[str, str]:
        """The English label of every reason why an answer is missing."""
        return {
            code: label.en for _, study in sorted(self.studies.items()) for code, label in study.missing.codes.items()
        }

    def of_form(self, form: str, item: str | None) -> Source | None:
        """The table that an aggregate over a form (or a table) goes over: the one that has the item."""
        named = self.tables.get(form)
        if named is not None and (item is None or item in named.columns):
            return named
        owned = [source for source in self.tables.values() if source.form_id == form]
        return next((source for source in owned if item in source.columns), named or (owned[0] if owned else None))

    def add_built(self, name: str, rows: Sequence[dict[str, Any]], numbers: Iterable[str]) -> None:
        """Make a built dataset readable for those that follow."""
        names = list(dict.fromkeys(key for row in rows for key in row))
        columns: dict[str, Sequence[Any]] = {each: [row.get(each) for row in rows] for each in names}
        kinds = dict.fromkeys(numbers, "number")
        self.tables[BUILT + name] = Source(BUILT + name, BUILT + name, None, columns, kinds, len(rows), "_subject")


def make(tables: dict[str, Table], studies: dict[int, StudyDef]) -> Sources:
    """The sources from the tables of `exports.tables.read`."""
    layouts = {layout.name: layout for layout in plan(list(studies.values()))}
    found = {}
    for name, table in tables.items():
        layout = layouts.get(name)
        kinds = {variable.name: variable.type for variable in table.variables}
        for column in layout.columns if layout else ():
            kinds[column.name] = column.kind
        form_id, group = (layout.form_id, layout.group) if layout else (name, None)
        columns = {v.name: table.columns[v.name] for v in table.variables}
        if "SCRNO" in columns:
            found[name] = Source(name, form_id, group, columns, kinds, table.rows)
    return Sources(found, studies)
