"""What the rules of a study see of one participant: every form instance, and a world in which names mean something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import InitVar, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from design import answers as documents
from design.dates import PartialDate
from design.definitions import StudyDef
from design.expressions import MAX_STEPS, Scope, TooCostly
from design.functions import PI
from design.operators import to_number
from design.types import to_value


@dataclass(slots=True)  # not frozen: there are hundreds for each save, and freezing makes them costly to create
class FormInstance:
    """One stored (or typed) instance of a form, with its place in the schedule."""

    form_id: str
    event_id: str
    event_repeat: int
    event_order: float
    event_date: date | None
    event_number: int
    repeat: int
    answers: dict[str, Any]
    in_error: bool = False

    @property
    def event_key(self) -> str:
        """`SCR`, or `OTV.2` for a repeated event."""
        return self.event_id if self.event_repeat == 1 else f"{self.event_id}.{self.event_repeat}"

    @property
    def place(self) -> tuple[str, int, str, int]:
        """What identifies the instance within the participant."""
        return (self.event_id, self.event_repeat, self.form_id, self.repeat)


@dataclass
class SubjectRecord:
    """All form instances of a participant."""

    instances: InitVar[Iterable[FormInstance]]
    site: str = ""
    status: str = "screening"
    by_form: dict[str, list[FormInstance]] = field(default_factory=dict)
    world: World | None = field(default=None, repr=False, compare=False)

    def __post_init__(self, instances: Iterable[FormInstance]) -> None:
        for each in instances:
            self.by_form.setdefault(each.form_id, []).append(each)

    def replacing(self, instance: FormInstance) -> SubjectRecord:
        """The record with one instance in its newest state."""
        same = [each for each in self.by_form.get(instance.form_id, ()) if each.place != instance.place]
        by_form = {**self.by_form, instance.form_id: [*same, instance]}
        return SubjectRecord((), self.site, self.status, by_form)

    def value_in_event(self, qualified: str | None, event_id: str, repeat: int, study: StudyDef) -> Any:
        """The value of `FORM.ITEM` in one event; None without one."""
        if not qualified:
            return None
        form_id, _, item_id = qualified.partition(".")
        item = study.items[item_id]
        for each in self.by_form.get(form_id, ()):
            if each.event_id == event_id and each.event_repeat == repeat and not each.in_error:
                value = to_value(each.answers.get(item.group_id, {}).get("1", {}).get(item_id), item)
                if value is not None:
                    return value
        return None

    def only(self, qualified: str, study: StudyDef) -> Any:
        """The one value of `FORM.ITEM`; None without one."""
        form_id, _, item_id = qualified.partition(".")
        return World(study, self, date.min).only(form_id, item_id)


class Row:
    """One row that an aggregate iterates: an instance, or a row of a repeating group or child form in it."""

    __slots__ = ("_known", "_world", "event", "event_repeat", "group", "instance", "key", "order")

    def __init__(self, world: World, instance: FormInstance, group: str | None, key: str) -> None:
        self._world, self.instance, self.group, self.key = world, instance, group, key
        self.order, self.event, self.event_repeat = instance.event_order, instance.event_id, instance.event_repeat
        self._known: dict[str, Any] | None = None if instance is world.judged else {}

    def value(self, name: str) -> Any:
        """The value of an item of the row, or else of the form's non-repeating groups; or a built-in name."""
        known = self._known
        if known is None:
            return self._world.value(self.instance, self.group, self.key, name)
        if name not in known:
            known[name] = self._world.value(self.instance, self.group, self.key, name)
        return known[name]

    def mark(self, name: str) -> str | float:
        """By what an index finds the row: its event, place in time, repeat or key (no text for a whole instance)."""
        if name == "event_order":
            return self.order
        if name == "repeat":
            return self.instance.repeat
        return self.event if name == "event" else self.key if self.group else ""

    def scope(self, outer: Scope) -> Scope:
        """Names inside `where` mean this row."""
        return Scope(self._world, self.value, outer)


def _rank(value: Any) -> tuple[int, Decimal, str]:
    if value is None:
        return (2, Decimal(0), "")
    if isinstance(value, PartialDate):
        return (1, Decimal(0), value.earliest.isoformat())
    number = to_number(value) if isinstance(value, str) else value if isinstance(value, Decimal) else None
    return (1, Decimal(0), str(value)) if number is None else (0, number, "")


BUILTIN: dict[str, Callable[[FormInstance], Any]] = {
    "event": lambda instance: instance.event_id,
    "event_date": lambda instance: instance.event_date,
    "event_order": lambda instance: Decimal(str(instance.event_order)),
    "event_number": lambda instance: Decimal(instance.event_number),
    "repeat": lambda instance: Decimal(instance.repeat),
    "_event_repeat": lambda instance: instance.event_repeat,
}


class World:
    """One evaluation: a participant's record under one study version on one day, with a bound on steps.

    `judged` is the instance whose answers change while derivations run; all others stay as they are.
    """

    def __init__(self, study: StudyDef, record: SubjectRecord, today: date, judged: FormInstance | None = None) -> None:
        self.study, self.record, self.today, self.judged, self.steps = study, record, today, judged, 0
        self._rows: dict[tuple[str, str | None], list[Row]] = {}
        self._index: dict[tuple[str, str | None, tuple[str, ...]], dict[tuple[Any, ...], list[Row]]] = {}

    def forget(self, form_id: str) -> None:
        """The instance being judged has changed: rows of its form are found anew."""
        gone = {form_id, *(self.study.forms[form_id].children if form_id in self.study.forms else ())}
        self._rows = {key: rows for key, rows in self._rows.items() if key[0] not in gone}
        self._index = {key: rows for key, rows in self._index.items() if key[0] not in gone}

    def parameter(self, name: str) -> Any:
        """A study parameter."""
        parameter = self.study.parameters.get(name)
        value = parameter.value if parameter else None
        if isinstance(value, bool):
            return value
        return Decimal(str(value)) if isinstance(value, int | float | Decimal) else value

    def lookup(self, table: str, key: str, column: str) -> Any:
        """A cell of a lookup table: a number when it reads as one; None when empty or not there."""
        source = self.study.tables.get(table)
        text = source.rows.get(key, {}).get(column) if source else None
        if not text:
            return None
        number = to_number(text)
        return text if number is None else number

    def rows(
        self,
        form_id: str,
        item_id: str | None,
        named: tuple[str, ...] = (),
        by: tuple[tuple[str, str | Decimal], ...] = (),
    ) -> list[Row]:
        """The rows that an aggregate over `form_id` iterates, in natural order.

        Which rows these are follows from the item aggregated, or else from the items that the condition names: rows of
        the repeating group they stand in, or the instances of the form. `by` narrows them to a row key or an event,
        found in an index instead of one by one.
        """
        self.steps += 20
        if form_id not in self.study.forms:
            return []
        item_id = item_id.removeprefix("~") if item_id else None
        groups = (self._row_group(form_id, name) for name in (item_id, *named))
        key = (form_id, next((group for group in groups if group), None))
        if key not in self._rows:
            self._rows[key] = list(self._find_rows(form_id, key[1]))
        rows = self._narrowed(key, by) if by else self._rows[key]
        self.steps += len(rows)
        if self.steps > MAX_STEPS:
            raise TooCostly
        return rows

    def _narrowed(self, key: tuple[str, str | None], by: tuple[tuple[str, str | Decimal], ...]) -> list[Row]:
        names = tuple(name for name, _ in by)
        where = (*key, names)
        if where not in self._index:
            index: dict[tuple[Any, ...], list[Row]] = {}
            for row in self._rows[key]:
                index.setdefault(tuple(row.mark(name) for name in names), []).append(row)
            self._index[where] = index
        return self._index[where].get(tuple(value for _, value in by), [])

    def _row_group(self, form_id: str, item_id: str | None) -> str | None:
        form = self.study.forms[form_id]
        if form.under:
            return form_id
        if item_id is None:
            return None
        item = self.study.items.get(item_id)
        if item is None or item.form_id != form_id:
            return None
        group = next(group for group in form.groups if group.id == item.group_id)
        return group.id if group.repeats else None

    def _find_rows(self, form_id: str, group: str | None) -> Iterator[Row]:
        form = self.study.forms[form_id]
        owner = form.under or form_id
        for instance in self._ordered(owner):
            if group is None:
                yield Row(self, instance, None, "1")
                continue
            held = instance.answers.get(group, {})
            keys = [key for key, cells in held.items() if not documents.in_error(cells)]
            if form.under and form.order_by:
                keys = self._sorted_keys(instance, group, keys, form.order_by)
            for key in keys:
                yield Row(self, instance, group, key)

    def _sorted_keys(self, instance: FormInstance, group: str, keys: list[str], names: tuple[str, ...]) -> list[str]:
        return sorted(keys, key=lambda key: self._natural(instance, group, key, names))

    def _ordered(self, form_id: str) -> list[FormInstance]:
        form = self.study.forms[form_id]
        found = [each for each in self.record.by_form.get(form_id, ()) if not each.in_error]
        if not form.order_by:
            return sorted(found, key=lambda each: (each.event_order, each.repeat))

        return sorted(found, key=lambda each: (self._natural(each, None, "1", form.order_by), each.repeat))

    def _natural(
        self, instance: FormInstance, group: str | None, key: str, names: tuple[str, ...]
    ) -> list[tuple[int, Decimal, str]]:
        """What a record is put in order by: numbers by size, dates and texts after them, nothing last."""
        return [_rank(self.value(instance, group, key, name)) for name in names]

    def only(self, form_id: str, item_id: str) -> Any:
        """The value in the only (or else the latest) instance that has one."""
        values = [value for row in self.rows(form_id, item_id) if (value := row.value(item_id)) is not None]
        return values[-1] if values else None

    def value(self, instance: FormInstance, group: str | None, key: str, name: str) -> Any:
        """What a name means in a row: an item of the row, an item of the form, or a built-in name."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooCostly
        wants_reason = name.startswith("~")
        item = self.study.items.get(name[1:] if wants_reason else name)
        if item is None:
            return self._builtin(instance, group, key, name)
        rows = instance.answers.get(item.group_id)
        if rows is None:
            return None
        cell = rows.get(key if item.group_id == group else "1", {}).get(item.id)
        if wants_reason:
            return cell.get("missing") if isinstance(cell, dict) else None
        return to_value(cell, item)

    def _builtin(self, instance: FormInstance, group: str | None, key: str, name: str) -> Any:
        find = BUILTIN.get(name)
        if find is not None:
            return find(instance)
        if name == "row":
            return key if group else None
        if name == "ref":
            parts = [instance.event_key, instance.form_id, str(instance.repeat)]
            return "/".join([*parts, key] if group else parts)
        return {"today": self.today, "site": self.record.site, "status": self.record.status, "pi": PI}.get(name)

    def scope_of(self, instance: FormInstance, group: str | None = None, key: str = "1") -> Scope:
        """The scope of the record being judged, or of one row of it."""
        return Scope(self, lambda name: self.value(instance, group, key, name))

    def nowhere(self) -> Scope:
        """The scope of expressions about the participant as a whole: anchors, life cycle."""
        blank = FormInstance("", "", 1, float("inf"), None, 0, 1, {})
        return Scope(self, lambda name: self.value(blank, None, "1", name))
