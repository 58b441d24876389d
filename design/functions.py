"""The functions of expressions: a fixed table, each a small pure function of values."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from design import dates, operators, patterns
from design.aggregates import REDUCERS
from design.dates import PartialDate

Node = Callable[[Any], Any]


def _strict(compute: Callable[..., Any]) -> Callable[[list[Node], list[Any]], Node]:
    """A function of values that has no answer when any of them is missing."""

    def build(nodes: list[Node], hints: list[Any]) -> Node:
        def node(scope: Any) -> Any:
            values = [each(scope) for each in nodes]
            return None if any(value is None for value in values) else operators.attempt(compute, *values)

        return node

    return build


def _lenient(compute: Callable[..., Any]) -> Callable[[list[Node], list[Any]], Node]:
    """A function that is told what is missing."""
    return lambda nodes, hints: lambda scope: operators.attempt(compute, *[each(scope) for each in nodes])


def _on_name(method: str) -> Callable[[list[Node], list[Any]], Node]:
    """A question about an item itself: answered, missing, reason. The third part of a name's hint asks for it."""

    def build(nodes: list[Node], hints: list[Any]) -> Node:
        inner = nodes[0]
        reason = hints[0][2] if hints[0] and hints[0][0] == "name" else lambda scope: None
        if method == "missing":
            return lambda scope: inner(scope) is None
        if method == "answered":
            return lambda scope: inner(scope) is not None or reason(scope) is not None
        return lambda scope: reason(scope) if inner(scope) is None else None

    return build


def _if(nodes: list[Node], hints: list[Any]) -> Node:
    condition, yes, no = nodes

    def node(scope: Any) -> Any:
        verdict = operators.truth(condition(scope))
        return None if verdict is None else yes(scope) if verdict else no(scope)

    return node


def _case(nodes: list[Node], hints: list[Any]) -> Node:
    pairs, default = list(zip(nodes[0::2], nodes[1::2], strict=False)), nodes[-1] if len(nodes) % 2 else None

    def node(scope: Any) -> Any:
        for condition, value in pairs:
            if condition(scope) is True:
                return value(scope)
        return default(scope) if default else None

    return node


def _coalesce(nodes: list[Node], hints: list[Any]) -> Node:
    return lambda scope: next((value for each in nodes if (value := each(scope)) is not None), None)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    return Decimal(value) if isinstance(value, int | Decimal) else operators.to_number(value)


def _rounded(mode: str) -> Callable[..., Any]:
    def compute(value: Any, digits: Any = 0) -> Any:
        number = _number(value)
        if number is None or not 0 <= int(digits) <= 12:
            return None
        return number.quantize(Decimal(1).scaleb(-int(digits)), rounding=mode)

    return compute


def _matches(text: Any, pattern: Any) -> bool | None:
    return patterns.matches(text, pattern) if isinstance(text, str) and isinstance(pattern, str) else None


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, PartialDate):
        return value.earliest if value.is_complete else None
    return value if isinstance(value, date) else None


def _between(count: Callable[[date, date], int]) -> Callable[..., Any]:
    def compute(start: Any, end: Any) -> Any:
        first, second = _day(start), _day(end)
        return None if first is None or second is None else Decimal(count(first, second))

    return compute


def _weeks(start: date, end: date) -> int:
    monday = [day.toordinal() - day.weekday() for day in (start, end)]
    return (monday[1] - monday[0]) // 7


def _add_days(day: Any, count: Any) -> Any:
    return operators.calculate("+", _day(day), count)


def _add_months(day: Any, count: Any) -> Any:
    start = _day(day)
    return None if start is None or abs(count) > 2_400 else dates.add_months(start, int(count))


def _bound(which: str) -> Callable[[Any], Any]:
    return lambda value: getattr(value, which) if isinstance(value, PartialDate) else value


def _hours(start: Any, end: Any) -> Any:
    if isinstance(start, datetime) and isinstance(end, datetime):
        return Decimal(int((end - start).total_seconds())) / 3600
    return None


def _minutes(start: Any, end: Any) -> Any:
    if isinstance(start, time) and isinstance(end, time):
        return Decimal((end.hour - start.hour) * 60 + end.minute - start.minute)
    return None


def _extreme(pick: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    return lambda *values: pick(list(values))


def _sum_of(*values: Any) -> Any:
    numbers = [_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    return sum(known, Decimal(0)) if len(known) == len(numbers) else None


def _mean_answered(share: Any, *values: Any) -> Any:
    """The mean of what was answered, if at least the given share was (EORTC: half; never the sample's spread)."""
    numbers = [number for value in values if value is not None and (number := _number(value)) is not None]
    if not values or not numbers or Decimal(len(numbers)) < Decimal(share) * len(values):
        return None
    return sum(numbers, Decimal(0)) / len(numbers)


def _count_answered(*values: Any) -> Decimal:
    return Decimal(sum(value is not None for value in values))


def _has(values: Any, code: Any) -> bool:
    return code in (values if isinstance(values, list) else [values])


def _known(*values: Any) -> bool:
    return all(value is not None for value in values)


def _lookup(nodes: list[Node], hints: list[Any]) -> Node:
    table, key, column = nodes

    def node(scope: Any) -> Any:
        name = key(scope)
        if name is None:
            return None
        return scope.world.lookup(table(scope), _text(name), column(scope))

    return node


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value == value.to_integral() else format(value, "f")
    return (
        value.text if isinstance(value, PartialDate) else value.isoformat() if isinstance(value, date) else str(value)
    )


def _sqrt(value: Any) -> Any:
    number = _number(value)
    return number.sqrt() if number is not None and number >= 0 else None


def _absolute(value: Any) -> Any:
    number = _number(value)
    return None if number is None else abs(number)


def _weekday(value: Any) -> Any:
    day = _day(value)
    return None if day is None else Decimal(day.isoweekday())


FUNCTIONS: dict[str, Callable[[list[Node], list[Any]], Node]] = {
    "if": _if,
    "case": _case,
    "coalesce": _coalesce,
    "known": _lenient(_known),
    "answered": _on_name("answered"),
    "missing": _on_name("missing"),
    "reason": _on_name("reason"),
    "has": _strict(_has),
    "length": _strict(lambda value: Decimal(len(value)) if isinstance(value, str | list) else None),
    "matches": _strict(_matches),
    "contains": _strict(lambda text, part: part in text if isinstance(text, str) else None),
    "upper": _strict(lambda text: str(text).upper()),
    "round": _strict(_rounded(ROUND_HALF_UP)),
    "floor": _strict(_rounded(ROUND_FLOOR)),
    "ceil": _strict(_rounded(ROUND_CEILING)),
    "abs": _strict(_absolute),
    "sqrt": _strict(_sqrt),
    "min_of": _strict(_extreme(REDUCERS["min"])),
    "max_of": _strict(_extreme(REDUCERS["max"])),
    "sum_of": _strict(_sum_of),
    "mean_answered": _lenient(_mean_answered),
    "count_answered": _lenient(_count_answered),
    "years": _strict(_between(dates.whole_years)),
    "months": _strict(_between(dates.whole_months)),
    "days": _strict(_between(lambda start, end: (end - start).days)),
    "week": _strict(_between(_weeks)),
    "add_days": _strict(_add_days),
    "add_months": _strict(_add_months),
    "earliest": _strict(_bound("earliest")),
    "latest": _strict(_bound("latest")),
    "weekday": _strict(_weekday),
    "hours": _strict(_hours),
    "minutes": _strict(_minutes),
    "date_of": _strict(_day),
    "lookup": _lookup,
    "number": _strict(_number),
    "code": _strict(_text),
    "text": _strict(_text),
}
PI = Decimal(str(math.pi))

# How many arguments a function takes: from, to (None: any number more).
ARGUMENTS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(FUNCTIONS, (1, 1)),
    **dict.fromkeys(
        ("has", "matches", "contains", "years", "months", "days", "week", "add_days", "add_months", "hours", "minutes"),
        (2, 2),
    ),
    **dict.fromkeys(("coalesce", "known", "min_of", "max_of", "sum_of", "count_answered"), (1, None)),
    "if": (3, 3),
    "case": (2, None),
    "mean_answered": (2, None),
    "round": (1, 2),
    "floor": (1, 2),
    "ceil": (1, 2),
    "lookup": (3, 3),
}
