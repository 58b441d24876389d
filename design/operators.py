"""The operators of expressions, three-valued: what cannot be decided is None."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from design.dates import PartialDate, bounds

Node = Callable[[Any], Any]
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


def truth(value: Any) -> bool | None:
    """A value as true, false or undecided; anything but a truth value is undecided."""
    return value if isinstance(value, bool) else None


def either(nodes: list[Node]) -> Node:
    """Kleene's or over a chain of any length."""

    def node(scope: Any) -> bool | None:
        verdict: bool | None = False
        for each in nodes:
            value = truth(each(scope))
            if value is True:
                return True
            if value is None:
                verdict = None
        return verdict

    return node


def both(nodes: list[Node]) -> Node:
    """Kleene's and over a chain of any length."""

    def node(scope: Any) -> bool | None:
        verdict: bool | None = True
        for each in nodes:
            value = truth(each(scope))
            if value is False:
                return False
            if value is None:
                verdict = None
        return verdict

    return node


def negation(inner: Node) -> Node:
    """Kleene's not."""

    def node(scope: Any) -> bool | None:
        value = truth(inner(scope))
        return None if value is None else not value

    return node


def compare(operator: str, a: Any, b: Any) -> bool | None:
    """Compare two values; partial dates as intervals, so that the answer is certain or None."""
    if a is None or b is None:
        return None
    if type(a) is str and type(b) is str and operator in ("=", "<>"):  # codes, by far the most
        return (a == b) is (operator == "=")
    a, b = _dated(a, b), _dated(b, a)
    if isinstance(a, PartialDate) or isinstance(b, PartialDate):
        return _compare_dates(operator, a, b)
    a, b = _alike(a, b)
    if a is None:
        return operator == "<>" if operator in ("=", "<>") else None
    if operator == "=":
        return bool(a == b)
    if operator == "<>":
        return bool(a != b)
    if isinstance(a, list | bool):
        return None
    if isinstance(a, str) and (x := to_number(a)) is not None and (y := to_number(b)) is not None:
        a, b = x, y  # codes that are numerals have the order of numbers
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def _dated(value: Any, other: Any) -> Any:
    """A text as the date that it is (from a lookup table) when it is compared with a date."""
    if isinstance(value, str) and isinstance(other, date | PartialDate):
        try:
            return PartialDate.parse(value)
        except ValueError:
            return value
    return value


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values of one kind, or (None, None): codes that are numerals compare with numbers."""
    if isinstance(a, bool) or isinstance(b, bool):
        return (a, b) if isinstance(a, bool) and isinstance(b, bool) else (None, None)
    numbers = (int, Decimal)
    if isinstance(a, str) and isinstance(b, numbers):
        a = to_number(a)
    elif isinstance(b, str) and isinstance(a, numbers):
        b = to_number(b)
    if isinstance(a, datetime) != isinstance(b, datetime):
        a, b = (a.date() if isinstance(a, datetime) else a), (b.date() if isinstance(b, datetime) else b)
    kinds = (numbers, str, datetime, date, time, list)
    for kind in kinds:
        if isinstance(a, kind) and isinstance(b, kind):
            return a, b
    return None, None


def to_number(text: Any) -> Decimal | None:
    """A text as a number when it is one as people write it: no exponent, no underscore, no full-width digits."""
    return Decimal(text.strip()) if isinstance(text, str) and PLAIN_NUMBER.fullmatch(text.strip()) else None


def attempt(compute: Callable[..., Any], *values: Any) -> Any:
    """What a function makes of values; None when they are of the wrong kind or out of its reach."""
    try:
        return compute(*values)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def _compare_dates(operator: str, a: Any, b: Any) -> bool | None:
    if not isinstance(a, date | PartialDate) or not isinstance(b, date | PartialDate):
        return None
    a = a.date() if isinstance(a, datetime) else a
    b = b.date() if isinstance(b, datetime) else b
    (a1, a2), (b1, b2) = bounds(a), bounds(b)
    if operator in (">", ">="):
        return _compare_dates({">": "<", ">=": "<="}[operator], b, a)
    if operator == "<":
        return True if a2 < b1 else (False if a1 >= b2 else None)
    if operator == "<=":
        return True if a2 <= b1 else (False if a1 > b2 else None)
    same = True if a1 == a2 == b1 == b2 else (False if a2 < b1 or b2 < a1 else None)
    return same if operator == "=" else (None if same is None else not same)


def comparison(operator: str, left: Node, right: Node) -> Node:
    """A comparison of two nodes."""
    return lambda scope: compare(operator, left(scope), right(scope))


def member(left: Node, right: Node) -> Node:
    """`x in (…)`: undecided when x is; true when any is equal."""

    def node(scope: Any) -> bool | None:
        value, values = left(scope), right(scope)
        if value is None or values is None:
            return None
        results = [compare("=", value, each) for each in (values if isinstance(values, list) else [values])]
        return True if True in results else (None if None in results and values else False)

    return node


def arithmetic(first: Node, others: list[tuple[str, Node]]) -> Node:
    """A chain of exact decimal arithmetic, from left to right; date and number; text and text."""

    def node(scope: Any) -> Any:
        value = first(scope)
        for operator, each in others:
            value = calculate(operator, value, each(scope))
        return value

    return node


def calculate(operator: str, a: Any, b: Any) -> Any:
    """One arithmetic operation; None when it has no answer."""
    if a is None or b is None or isinstance(a, bool) or isinstance(b, bool):
        return None
    a = a.earliest if isinstance(a, PartialDate) and a.is_complete else a
    b = b.earliest if isinstance(b, PartialDate) and b.is_complete else b
    if isinstance(a, str) and isinstance(b, str) and operator == "+":
        return a + b
    if isinstance(a, date):
        return _with_date(operator, a, b)
    a, b = (to_number(value) if isinstance(value, str) else value for value in (a, b))
    if not isinstance(a, int | Decimal) or not isinstance(b, int | Decimal):
        return None
    a, b = Decimal(a), Decimal(b)
    try:
        return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[operator](b)
    except ArithmeticError:
        return None


def _with_date(operator: str, a: date, b: Any) -> Any:
    if isinstance(b, date) and operator == "-":
        first = a.date() if isinstance(a, datetime) else a
        second = b.date() if isinstance(b, datetime) else b
        return Decimal((first - second).days)
    if isinstance(b, int | Decimal) and operator in "+-" and abs(Decimal(b)) < 100_000:
        try:
            return a + timedelta(days=int(b) if operator == "+" else -int(b))
        except OverflowError:
            return None
    return None


def negative(inner: Node) -> Node:
    """Unary minus."""
    return lambda scope: calculate("-", Decimal(0), inner(scope))
