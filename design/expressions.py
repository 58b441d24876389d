"""Expressions of the study language: compiled once, evaluated often; three-valued and bounded.

No Python is evaluated. The grammar is small: comparison, and/or/not, arithmetic, functions of a fixed table, aggregates over
forms. What depends on a missing answer is not evaluable (`None`), neither false nor an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from design import operators
from design.functions import FUNCTIONS

MAX_LENGTH, MAX_DEPTH, MAX_STEPS = 4_000, 40, 200_000

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>'[^']*'|\"[^\"]*\")|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op><>|<=|>=|[=<>+\-*/(),.]))"
)
AGGREGATES = ("any", "count", "every", "min", "max", "sum", "mean", "first", "last", "list", "distinct")
PLACED = ("same_event", "at", "previous")
BUILTINS = (
    "event", "event_date", "event_order", "event_number", "row", "repeat", "site", "status", "ref", "today", "true",
    "false", "pi",
)  # fmt: skip
KEYWORDS = {"and", "or", "not", "in", "where"}


class ExpressionFault(Exception):
    """An expression that cannot be read; the message says where and what to do."""


class TooCostly(Exception):
    """An evaluation that took more steps than any honest rule needs."""


@dataclass
class Scope:
    """Where a name is looked up: the record being judged, or, inside `where`, one row of another form."""

    world: Any  # design.record.World
    lookup: Callable[[str], Any]
    outer: Scope | None = None

    @property
    def top(self) -> Scope:
        """The record being judged."""
        return self.outer or self


Node = Callable[[Scope], Any]


@dataclass(frozen=True, eq=False)
class Expression:
    """A compiled expression with what it reads."""

    source: str
    run: Node = field(repr=False)
    items: frozenset[str]
    forms: frozenset[str]
    functions: frozenset[str]
    names: frozenset[str]
    qualified: frozenset[tuple[str, str]]
    scoped: tuple[tuple[str, str], ...]
    comparisons: tuple[tuple[str, str], ...]
    parameters: frozenset[str]
    lookups: tuple[tuple[str, str | None], ...]
    events: frozenset[str]
    anywhere: frozenset[str]  # forms read in other events than this one

    def __str__(self) -> str:
        return self.source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)


@dataclass
class _Reads:
    names: set[str] = field(default_factory=set)
    qualified: set[tuple[str, str]] = field(default_factory=set)
    scoped: list[tuple[str, str]] = field(default_factory=list)
    forms: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    comparisons: list[tuple[str, str]] = field(default_factory=list)
    parameters: set[str] = field(default_factory=set)
    lookups: list[tuple[str, str | None]] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    anywhere: set[str] = field(default_factory=set)


def compile_expression(source: str) -> Expression:
    """Compile the text of an expression.

    Raises:
        ExpressionFault: what is wrong, where, and what to do.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionFault(f"the expression is longer than {MAX_LENGTH} characters; split it into derived items")
    parser = _Parser(source)
    node, _ = parser.whole()
    reads = parser.reads
    items = {name for name in reads.names if name not in BUILTINS}
    items |= {item for _, item in reads.qualified} | {name for _, name in reads.scoped if name not in BUILTINS}
    return Expression(
        source=source.strip(),
        run=node,
        items=frozenset(items),
        forms=frozenset(reads.forms),
        functions=frozenset(reads.functions),
        names=frozenset(reads.names),
        qualified=frozenset(reads.qualified),
        scoped=tuple(reads.scoped),
        comparisons=tuple(reads.comparisons),
        parameters=frozenset(reads.parameters),
        lookups=tuple(reads.lookups),
        events=frozenset(reads.events),
        anywhere=frozenset(reads.anywhere),
    )


Parsed = tuple[Node, Any]  # the node, and a hint: ("name", x) | ("text", x) | ("list", […]) | None


class _Parser:
    """Recursive descent over the tokens; every rule returns a compiled node and a hint for the linter."""

    def __init__(self, source: str) -> None:
        self.source, self.position, self.depth = source, 0, 0
        self.tokens = self._tokens()
        self.index = 0
        self.reads = _Reads()
        self.where: list[str] = []

    def _tokens(self) -> list[tuple[str, str, int]]:
        found, position = [], 0
        text = self.source.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise ExpressionFault(f"unexpected {text[position:].strip()[:10]!r} at {position + 1}; quote texts with '…'")
            kind = match.lastgroup or ""
            found.append((kind, match.group(kind), match.start(kind)))
            position = match.end()
        return found

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
        left, hint = self._and()
        while self._take("or"):
            right, _ = self._and()
            left, hint = operators.either(left, right), None
        self.depth -= 1
        return left, hint

    def _and(self) -> Parsed:
        left, hint = self._not()
        while self._take("and"):
            right, _ = self._not()
            left, hint = operators.both(left, right), None
        return left, hint

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
            return operators.comparison(value, left, right), None
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

    def _note(self, hint: Any, other: Any) -> None:
        if hint and hint[0] == "name" and other and other[0] in ("text", "list"):
            for text in [other[1]] if other[0] == "text" else other[1]:
                self.reads.comparisons.append((hint[1], text))
                if hint[1] == "event":
                    self.reads.events.add(text)

    def _membership(self) -> Parsed:
        if not self._take("("):
            return self._primary()
        nodes, texts = [], []
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
        left, hint = self._product()
        while self._peek()[0] == "op" and self._peek()[1] in "+-" and self._peek()[1]:
            operator = self._next()[1]
            right, _ = self._product()
            left, hint = operators.arithmetic(operator, left, right), None
        return left, hint

    def _product(self) -> Parsed:
        left, hint = self._unary()
        while self._peek()[0] == "op" and self._peek()[1] in ("*", "/"):
            operator = self._next()[1]
            right, _ = self._unary()
            left, hint = operators.arithmetic(operator, left, right), None
        return left, hint

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
            return self._qualified(value, self._next()[1])
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
        return (lambda scope: scope.lookup(name)), ("name", name)

    def _qualified(self, owner: str, name: str) -> Parsed:
        if owner == "param":
            self.reads.parameters.add(name)
            return (lambda scope: scope.world.parameter(name)), None
        if owner == "this":
            self.reads.names.add(name)
            return (lambda scope: scope.top.lookup(name)), ("name", name)
        self.reads.forms.add(owner)
        self.reads.anywhere.add(owner)
        self.reads.qualified.add((owner, name))
        return (lambda scope: scope.world.only(owner, name)), ("name", name)

    def _call(self, name: str) -> Parsed:
        self.reads.functions.add(name)
        self._expect("(")
        if name in AGGREGATES and self._is_aggregate():
            return self._aggregate(name)
        if name in PLACED:
            return self._placed(name)
        if name not in FUNCTIONS:
            raise ExpressionFault(f"there is no function {name!r}; see the list in crf/README.md")
        nodes, hints = self._arguments()
        self._note_arguments(name, hints)
        return FUNCTIONS[name](nodes, hints), None

    def _arguments(self) -> tuple[list[Node], list[Any]]:
        nodes, hints = [], []
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
        if name == "lookup":
            if len(hints) != 3 or not hints[0] or hints[0][0] != "text":
                raise ExpressionFault("lookup needs ('table', key, 'column')")
            self.reads.lookups.append((hints[0][1], hints[2][1] if hints[2] and hints[2][0] == "text" else None))
        if name == "has" and len(hints) == 2:
            self._note(hints[0], hints[1])

    def _is_aggregate(self) -> bool:
        kind, value = self._peek()
        following = self.tokens[self.index + 1][1] if self.index + 1 < len(self.tokens) else ""
        return kind == "name" and value not in KEYWORDS and following in (".", "where", ")") and value not in ("this", "param")

    def _aggregate(self, name: str) -> Parsed:
        form = self._next()[1]
        self.reads.forms.add(form)
        self.reads.anywhere.add(form)
        item = None
        if self._take("."):
            item = self._next()[1]
            self.reads.scoped.append((form, item))
        condition, before = None, len(self.reads.scoped)
        if self._take("where"):
            self.where.append(form)
            condition, _ = self._or()
            self.where.pop()
        self._expect(")")
        named = tuple(each for owner, each in self.reads.scoped[before:] if owner == form and each not in BUILTINS)
        return operators.aggregate(name, form, item, condition, named), (("name", item) if item else None)

    def _placed(self, name: str) -> Parsed:
        event = None
        if name == "at":
            kind, text = self._next()
            if kind != "string":
                self._fail("at needs ('EVENT', FORM.ITEM)")
            event = text[1:-1]
            self.reads.events.add(event)
            self._expect(",")
        form = self._next()[1]
        self._expect(".")
        item = self._next()[1]
        self._expect(")")
        self.reads.forms.add(form)
        if name != "same_event":
            self.reads.anywhere.add(form)
        self.reads.qualified.add((form, item))
        return operators.placed(name, event, form, item), ("name", item)
