"""Records of the concepts that a study declares, read from its tidy tables; each knows the stored record it is."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from exports.analysis.declaration import Declaration, SourceDef
from exports.analysis.imputation import parse
from exports.shape import Table, Variable

INSTANCE = ("SCRNO", "EVENT", "REPEAT", "FORM_REPEAT")
_CONVERT: dict[str, Callable[[Any], Any]] = {"integer": lambda value: int(float(value)), "number": float}


@dataclass(frozen=True)
class Record:
    """One record of a concept. `key` names it in the tidy tables, `codes` are the answers as collected."""

    subject: str
    event: str
    repeat: int
    visit: str
    visitnum: int | None
    instance: tuple[Any, ...]
    row: str | None
    key: str
    visited: date | None
    values: dict[str, Any]
    codes: dict[str, Any]

    def __getitem__(self, word: str) -> Any:
        return self.values.get(word)

    def day(self, word: str = "date") -> date | None:
        """A date; of a partial one the earliest possible day; without one the day of the visit for `date`."""
        value = self.values.get(word)
        if value is None and word == "date":
            return self.visited
        known = parse(value) if isinstance(value, str) else None
        return value if isinstance(value, date) else known.earliest if known else None

    def number(self, word: str) -> float | None:
        """A number, or None."""
        value = self.values.get(word)
        if isinstance(value, int | float):
            return float(value)
        try:
            return float(value) if value is not None else None
        except (TypeError, ValueError):
            return None

    def says(self, word: str, answer: str) -> bool:
        """Whether an item has an answer."""
        value = self.values.get(word)
        return answer in value if isinstance(value, frozenset) else value == answer


class Records:
    """All records of all concepts, by concept and participant."""

    def __init__(self, tables: Mapping[str, Table], declaration: Declaration) -> None:
        self.tables, self.declaration = tables, declaration
        self._visited = _visits(tables.get("EVENTS"))
        self._found: dict[str, dict[str, list[Record]]] = {}

    def of(self, concept: str, subject: str) -> list[Record]:
        """A participant's records in the order of the tables."""
        return self._by_subject(concept).get(subject, [])

    def all(self, concept: str) -> Iterator[Record]:
        """Every record."""
        for records in self._by_subject(concept).values():
            yield from records

    def children(self, concept: str, parent: Record) -> list[Record]:
        """The records of a child form or group that belong to a record."""
        return [each for each in self.of(concept, parent.subject) if each.instance == parent.instance]

    def variable(self, concept: str, word: str) -> Variable | None:
        """The column behind a word."""
        source = self.declaration.sources[concept]
        table = self.tables.get(source.table if word in source.items else source.header or "")
        name = source.items.get(word, source.header_items.get(word))
        return next((v for v in table.variables if v.name == name), None) if table else None

    def labels(self, concept: str, word: str) -> dict[str, tuple[str, str]]:
        """The codes of an item with their labels, in order."""
        variable = self.variable(concept, word)
        return {code.code: (code.en, code.zh) for code in variable.codes} if variable else {}

    def _by_subject(self, concept: str) -> dict[str, list[Record]]:
        if concept not in self._found:
            source = self.declaration.sources.get(concept)
            found: dict[str, list[Record]] = defaultdict(list)
            for record in self._read(source) if source else ():
                found[record.subject].append(record)
            self._found[concept] = dict(found)
        return self._found[concept]

    def _read(self, source: SourceDef) -> Iterator[Record]:
        table = self.tables.get(source.table)
        if table is None:
            return
        own = _columns(table, source.items, source)
        headers = self._headers(source)
        c = table.columns
        for place in range(table.rows):
            instance = tuple(c[name][place] for name in INSTANCE)
            answers = {**_row(own, place), **headers.get(instance, {})}
            row = c["ROW"][place] if "ROW" in c else None
            key = _key(instance, table.name, row)
            event, repeat = c["EVENT"][place], c["REPEAT"][place]
            yield Record(
                instance[0],
                event,
                repeat,
                c["VISIT"][place],
                _whole(c["VISITNUM"][place]),
                instance,
                row,
                key,
                self._visited.get((instance[0], event, repeat)),
                {word: value for word, (_, value) in answers.items()},
                {word: code for word, (code, _) in answers.items()},
            )

    def _headers(self, source: SourceDef) -> dict[tuple[Any, ...], dict[str, tuple[Any, Any]]]:
        table = self.tables.get(source.header or "")
        if table is None:
            return {}
        columns = _columns(table, source.header_items, source)
        keys = zip(*(table.columns[name] for name in INSTANCE), strict=True)
        return {key: _row(columns, place) for place, key in enumerate(keys)}


def _key(instance: tuple[Any, ...], table: str, row: Any) -> str:
    subject, event, repeat, form_repeat = instance
    return f"{subject}/{event}.{repeat}/{table}.{form_repeat}" + (f".{row}" if row is not None else "")


def _columns(table: Table, items: Mapping[str, str], source: SourceDef) -> dict[str, tuple[list[Any], list[Any]]]:
    """By word: the answers as collected, and as the analysis takes them."""
    kinds = {variable.name: variable for variable in table.variables}
    found = {}
    for word, item in items.items():
        if item not in kinds:
            continue
        collected = list(table.columns[item])
        found[word] = (collected, [_value(each, kinds[item], word, source) for each in collected])
    return found


def _value(collected: Any, variable: Variable, word: str, source: SourceDef) -> Any:
    if collected is None or collected == "":
        return None
    meanings = source.codes.get(word, {})
    if word in source.many:
        return frozenset(meanings.get(code, code) for code in str(collected).split(";"))
    if variable.type == "date":
        known = parse(str(collected))
        return known.earliest if known else None
    convert = _CONVERT.get(variable.type)
    if convert is None:
        return meanings.get(collected, collected)
    try:
        return convert(collected)
    except ValueError:
        return None


def _row(columns: Mapping[str, tuple[list[Any], list[Any]]], place: int) -> dict[str, tuple[Any, Any]]:
    return {word: (collected[place], values[place]) for word, (collected, values) in columns.items()}


def _visits(events: Table | None) -> dict[tuple[Any, ...], date]:
    if events is None:
        return {}
    c = events.columns
    rows = zip(c["SCRNO"], c["EVENT"], c["REPEAT"], c["VISDAT"], strict=True)
    return {(s, e, r): date.fromisoformat(str(day)[:10]) for s, e, r, day in rows if day}


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
