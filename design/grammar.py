"""The grammar of expressions: recursive descent over the tokens, every rule a compiled node and a hint for the linter.

A chain of one sign becomes one node, so that a long chain is not a deep one.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from design import operators
from design.aggregates import Selection, aggregate, placed
from design.functions import ARGUMENTS, FUNCTIONS
from design.patterns import PatternFault, safe_pattern
from design.tokens import ExpressionFault, Reads, tokens

MAX_DEPTH = 40
AGGREGATES = ("any", "count", "every", "min", "max", "sum", "mean", "first", "last", "list", "distinct")
OF_FORMS, OF_ITEMS = ("any", "every"), ("min", "max", "sum", "mean", "first", "last", "list", "distinct")
PLACED = ("same_event", "at", "previous")
BUILTINS = (
    "event", "event_date", "event_order", "event_number", "row", "repeat", "site", "status", "ref", "today", "true",
    "false", "pi",
)  # fmt: skip
KEYWORDS = {"and", "or", "not", "in", "where"}
INDEXED = ("row", "event", "event_order", "repeat")
# Inside a condition these see that an item is not answered: a mere new row can make them true.
SEES_NOTHING = {"missing", "answered", "known", "coalesce", "case", "count_answered"}

Node = Callable[[Any], Any]
# The node, and a hint: ("name", x, reason) | ("text", x) | ("list", […]) | ("results", […]) | ("keys", […]) | None
Parsed = tuple[Node, Any]


def _no_reason(scope: Any) -> None:
    return None


def _texts(hint: Any) -> list[str]:
    """The texts that a part of an expression may give, as far as they are written down."""
    if hint and hint[0] == "text":
        return [hint[1]]
    return list(hint[1]) if hint and hint[0] == "results" else []


class Parser:
    """Recursive descent over the tokens; every rule returns a compiled node and a hint for the linter."""

    def __init__(self, source: str) -> None:
        self.source, self.position, self.depth = source, 0, 0
        self.tokens = tokens(source)
        self.index = 0
        self.reads = Reads()
        self.where: list[str] = []

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.index][:2] if self.index < len(self.tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.index += 1
        return token

    def _is(self, text: str) -> bool:
        kind, value = self._peek()
        return value == text and kind in ("op", "name")

    def _take(self, text: str) -> bool:
        if self._is(text):
            self.index += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._fail(f"expected {text!r}")

    def _fail(self, what: str) -> None:
        at = self.tokens[self.index][2] + 1 if self.index < len(self.tokens) else len(self.source)
        raise ExpressionFault(f"{what} at {at}, found {self._peek()[1] or 'the end'!r}")

    def compiled(self) -> tuple[Node, list[str]]:
        """The compiled expression and the texts that it may give."""
        node, hint = self.whole()
        return node, _texts(hint)

    def whole(self) -> Parsed:
        """The whole text is one expression."""
        if not self.tokens:
            raise ExpressionFault("the expression is empty")
        parsed = self._or()
        if self.index < len(self.tokens):
            self._fail("expected the end or an operator")
        return parsed

    def _or(self) -> Parsed:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionFault(f"nested deeper than {MAX_DEPTH} levels; split it into derived items")
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else (operators.either([node for node, _ in parts]), None)

    def _and(self) -> Parsed:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        keys = [key for _, hint in parts if hint and hint[0] == "keys" for key in hint[1]]
        return operators.both([node for node, _ in parts]), ("keys", keys) if keys else None

    def _not(self) -> Parsed:
        negations = 0
        while self._take("not"):
            negations += 1
        node, hint = self._comparison()
        for _ in range(negations % 2):
            node, hint = operators.negation(node), None
        return node, hint

    def _comparison(self) -> Parsed:
        left, hint = self._sum()
        kind, value = self._peek()
        if kind == "op" and value in operators.COMPARISONS:
            self._next()
            right, other = self._sum()
            self._note(hint, other)
            self._note(other, hint)
            keys = self._keys(hint, other, right) + self._keys(other, hint, left) if value == "=" else []
            return operators.comparison(value, left, right), ("keys", keys) if keys else None
        negated = self._is("not")
        if negated:
            self._next()
            if not self._is("in"):
                self._fail("expected 'in' after 'not'")
        if self._take("in"):
            right, other = self._membership()
            self._note(hint, other)
            node = operators.member(left, right)
            return (operators.negation(node) if negated else node), None
        return left, hint

    def _keys(self, hint: Any, other: Any, node: Node) -> list[tuple[str, Node]]:
        """`row = this.row` inside `where`: the rows can be found by their key."""
        is_key = self.where and hint and hint[0] == "name" and hint[1] in INDEXED and not hint[3]
        is_constant = other and (other[0] == "text" or (other[0] == "name" and other[3]))
        return [(hint[1], node)] if is_key and is_constant else []

    def _note(self, hint: Any, other: Any) -> None:
        if hint and hint[0] == "name" and other and other[0] in ("text", "list"):
            for text in [other[1]] if other[0] == "text" else other[1]:
                self.reads.comparisons.append((hint[1], text))
                if hint[1] == "event":
                    self.reads.events.add(text)

    def _membership(self) -> Parsed:
        if not self._take("("):
            return self._primary()
        nodes: list[Node] = []
        texts: list[str] = []
        while True:
            node, hint = self._sum()
            nodes.append(node)
            if hint and hint[0] == "text":
                texts.append(hint[1])
            if not self._take(","):
                break
        self._expect(")")
        if len(nodes) == 1 and not texts:
            return nodes[0], None
        return (lambda scope: [node(scope) for node in nodes]), ("list", texts)

    def _sum(self) -> Parsed:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Parsed:
        return self._chain(("*", "/"), self._unary)

    def _chain(self, signs: tuple[str, str], part: Callable[[], Parsed]) -> Parsed:
        first, hint = part()
        others = []
        while self._peek()[0] == "op" and self._peek()[1] in signs:
            sign = self._next()[1]
            others.append((sign, part()[0]))
        return (operators.arithmetic(first, others), None) if others else (first, hint)

    def _unary(self) -> Parsed:
        negative = False
        while self._take("-"):
            negative = not negative
        node, hint = self._primary()
        return (operators.negative(node), None) if negative else (node, hint)

    def _primary(self) -> Parsed:
        kind, value = self._next()
        if kind == "number":
            number = Decimal(value)
            return (lambda scope: number), ("number", value)
        if kind == "string":
            text = value[1:-1]
            return (lambda scope: text), ("text", text)
        if kind == "op" and value == "(":
            parsed = self._or()
            self._expect(")")
            return parsed
        if kind != "name" or value in KEYWORDS:
            self.index -= 1
            self._fail("expected a value")
        if self._is("("):
            return self._call(value)
        if self._take("."):
            return self._qualified(value, self._identifier())
        return self._name(value)

    def _name(self, name: str) -> Parsed:
        if name == "true":
            return (lambda scope: True), None
        if name == "false":
            return (lambda scope: False), None
        if self.where:
            self.reads.scoped.append((self.where[-1], name))
        else:
            self.reads.names.add(name)
        hint = ("name", name, lambda scope: scope.lookup("~" + name), False)
        return (lambda scope: scope.lookup(name)), hint

    def _qualified(self, owner: str, name: str) -> Parsed:
        if owner == "param":
            self.reads.parameters.add(name)
            return (lambda scope: scope.world.parameter(name)), None
        if owner == "this":
            self.reads.names.add(name)
            hint = ("name", name, lambda scope: scope.top.lookup("~" + name), True)
            return (lambda scope: scope.top.lookup(name)), hint
        self.reads.forms.add(owner)
        self.reads.anywhere.add(owner)
        self.reads.qualified.add((owner, name))
        self.reads.single.add((owner, name))
        hint = ("name", name, lambda scope: scope.world.only(owner, "~" + name), False)
        return (lambda scope: scope.world.only(owner, name)), hint

    def _identifier(self) -> str:
        if self._peek()[0] != "name" or self._peek()[1] in KEYWORDS:
            self._fail("expected a name")
        return self._next()[1]

    def _call(self, name: str) -> Parsed:
        self.reads.functions.append(name)
        self._expect("(")
        if name in AGGREGATES:
            return self._aggregate(name)
        if name in PLACED:
            return self._placed(name)
        if name not in FUNCTIONS:
            raise ExpressionFault(f"there is no function {name!r}; see the list in crf/README.md")
        nodes, hints = self._arguments()
        self._note_arguments(name, hints)
        results = {"if": hints[1:], "case": [*hints[1::2], hints[-1]], "coalesce": hints}.get(name, [])
        texts = [text for hint in results for text in _texts(hint)]
        return FUNCTIONS[name](nodes, hints), ("results", texts) if texts else None

    def _arguments(self) -> tuple[list[Node], list[Any]]:
        nodes: list[Node] = []
        hints: list[Any] = []
        if self._take(")"):
            return nodes, hints
        while True:
            node, hint = self._or()
            nodes.append(node)
            hints.append(hint)
            if not self._take(","):
                break
        self._expect(")")
        return nodes, hints

    def _note_arguments(self, name: str, hints: list[Any]) -> None:
        low, high = ARGUMENTS[name]
        if len(hints) < low or (high is not None and len(hints) > high):
            wanted = str(low) if low == high else f"at least {low}" if high is None else f"{low} to {high}"
            raise ExpressionFault(f"{name} takes {wanted} argument(s), found {len(hints)}; see crf/README.md")
        if name == "lookup":
            if not hints[0] or hints[0][0] != "text":
                raise ExpressionFault("lookup needs ('table', key, 'column')")
            self.reads.lookups.append((hints[0][1], hints[2][1] if hints[2] and hints[2][0] == "text" else None))
        if name == "has":
            self._note(hints[0], hints[1])
        if name == "matches" and hints[1] and hints[1][0] == "text":
            try:
                safe_pattern(hints[1][1])
            except PatternFault as fault:
                raise ExpressionFault(str(fault)) from None

    def _aggregate(self, name: str) -> Parsed:
        start = self.index
        form = self._identifier()
        if form in ("this", "param") or (self._peek()[1] not in (".", "where", ")")):
            self._fail(f"{name} goes over the rows of a form: {name}(FORM.ITEM where …); for values take {name}_of")
        self.reads.forms.add(form)
        item = self._identifier() if self._take(".") else None
        if item:
            self.reads.scoped.append((form, item))
        before, called = len(self.reads.scoped), len(self.reads.functions)
        condition, hint = self._condition(form)
        self._expect(")")
        self._is_sensible(name, item, condition is not None)
        named = tuple(each for owner, each in self.reads.scoped[before:] if owner == form and each not in BUILTINS)
        if item is None and (not named or SEES_NOTHING & set(self.reads.functions[called:])):
            self.reads.counted.add(form)
        keys = tuple(hint[1]) if hint and hint[0] == "keys" else ()
        event = _named_event(keys)
        if event is None:
            self.reads.anywhere.add(form)
        else:
            self.reads.pinned.add((form, event))
        selection = Selection(form, item, condition, named, keys)
        text = " ".join(value for _, value, _ in self.tokens[start : self.index])
        return aggregate(name, selection, text), ("name", item, _no_reason, False) if item else None

    def _condition(self, form: str) -> tuple[Node | None, Any]:
        if not self._take("where"):
            return None, None
        self.where.append(form)
        parsed = self._or()
        self.where.pop()
        return parsed

    def _is_sensible(self, name: str, item: str | None, has_condition: bool) -> None:
        if name in OF_ITEMS and item is None:
            raise ExpressionFault(f"{name} of which item? Write {name}(FORM.ITEM where …)")
        if name in OF_FORMS and item is not None:
            raise ExpressionFault(f"{name} takes a form: {name}(FORM where …)")
        if name == "every" and not has_condition:
            raise ExpressionFault("every needs a condition: every(FORM where …)")

    def _placed(self, name: str) -> Parsed:
        event = None
        if name == "at":
            kind, text = self._next()
            if kind != "string":
                self._fail("at needs ('EVENT', FORM.ITEM)")
            event = text[1:-1]
            self.reads.events.add(event)
            self._expect(",")
        form = self._identifier()
        self._expect(".")
        item = self._identifier()
        self._expect(")")
        self.reads.forms.add(form)
        if name == "previous":
            self.reads.anywhere.add(form)
        elif event is None:
            self.reads.beside.add(form)
        else:
            self.reads.pinned.add((form, event))
        self.reads.qualified.add((form, item))
        reason = placed(name, event, form, "~" + item)
        return placed(name, event, form, item), ("name", item, reason, False)


def _named_event(keys: tuple[tuple[str, Node], ...]) -> str | None:
    """The event that a condition names outright (`event = 'SCR'`); None when it depends on the record."""
    for name, node in keys:
        if name == "event":
            try:
                value = node(None)
            except (AttributeError, TypeError):  # it looks something up
                continue
            if isinstance(value, str):
                return value
    return None
