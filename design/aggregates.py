"""Aggregates over the instances or rows of a form, and values that stand in other events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from design.dates import PartialDate
from design.operators import attempt, to_number, truth

Node = Callable[[Any], Any]


@dataclass(frozen=True)
class Selection:
    """Which rows an aggregate sees: the form, the item, the condition, the items that the condition reads, and the
    conjuncts such as `row = …` and `event = …` by which rows are found without looking at all of them."""

    form: str
    item: str | None
    condition: Node | None
    named: tuple[str, ...] = ()
    keys: tuple[tuple[str, Node], ...] = ()

    def rows(self, scope: Any) -> list[Any]:
        """The rows for which the condition is true."""
        world = scope.world
        if self.condition is None:
            return world.rows(self.form, self.item, self.named)
        found = [(name, node(scope)) for name, node in self.keys]
        by = tuple((name, value) for name, value in found if isinstance(value, str | Decimal))
        rows = world.rows(self.form, self.item, self.named, by)
        top = scope.top
        return [row for row in rows if truth(self.condition(row.scope(top))) is True]


def aggregate(name: str, selection: Selection, text: str) -> Node:
    """An aggregate over the instances or rows of a form. A row of which the condition is undecided does not count.

    A long rule may name the same aggregate several times: its value is found once in each run, by its `text`.
    """
    item = selection.item

    def node(scope: Any) -> Any:
        if scope.outer is not None:  # inside another aggregate's condition, for each of its rows
            return find(scope)
        key = (name, text)
        if key not in scope.known:
            scope.known[key] = find(scope)
        return scope.known[key]

    def find(scope: Any) -> Any:
        rows = selection.rows(scope)
        if name == "every":
            return len(rows) == len(scope.world.rows(selection.form, item, selection.named))
        if name == "any":
            return bool(rows)
        if name == "count":
            return Decimal(sum(1 for row in rows if item is None or row.value(item) is not None))
        values = [value for row in rows if (value := row.value(item or "")) is not None]
        return attempt(REDUCERS[name], values)

    return node


def _least(values: list[Any]) -> Any:
    keyed = [(_key(value), value) for value in values if _key(value) is not None]
    return min(keyed, key=lambda pair: pair[0])[1] if keyed else None


def _greatest(values: list[Any]) -> Any:
    keyed = [(_key(value, latest=True), value) for value in values if _key(value) is not None]
    return max(keyed, key=lambda pair: pair[0])[1] if keyed else None


def _key(value: Any, latest: bool = False) -> Any:
    if isinstance(value, PartialDate):
        return value.latest if latest else value.earliest
    if isinstance(value, str):
        number = to_number(value)
        return number if number is not None else None
    return value if isinstance(value, int | Decimal | date | time) else None


def _numbers(values: list[Any]) -> list[Decimal]:
    found = [to_number(value) if isinstance(value, str) else value for value in values]
    return [Decimal(value) for value in found if isinstance(value, int | Decimal)]


def _mean(values: list[Any]) -> Any:
    numbers = _numbers(values)
    return sum(numbers, Decimal(0)) / len(numbers) if numbers else None


def _distinct(values: list[Any]) -> Decimal:
    return Decimal(len({str(value) for value in values}))


REDUCERS: dict[str, Callable[[list[Any]], Any]] = {
    "min": _least,
    "max": _greatest,
    "sum": lambda values: sum(_numbers(values), Decimal(0)),
    "mean": _mean,
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "list": list,
    "distinct": _distinct,
}


def placed(name: str, event: str | None, form: str, item: str) -> Node:
    """The value of an item in this event, in a named event, or in the latest earlier event that has one."""

    def node(scope: Any) -> Any:
        top = scope.top
        if name == "previous":
            order = top.lookup("event_order")
            rows = [row for row in scope.world.rows(form, item) if row.order < order]
            values = [value for row in rows if (value := row.value(item)) is not None]
            return values[-1] if values else None
        wanted = event or top.lookup("event")
        repeat = None if event else top.lookup("_event_repeat")
        for row in scope.world.rows(form, item):
            if row.event == wanted and (repeat is None or row.event_repeat == repeat):
                value = row.value(item)
                if value is not None:
                    return value
        return None

    return node
