"""Expressions of the study language: compiled once, evaluated often; three-valued and bounded.

No Python is evaluated. The grammar is small: comparison, and/or/not, arithmetic, functions of a fixed table,
aggregates over forms. What depends on a missing answer is not evaluable (`None`), neither false nor an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from design.grammar import BUILTINS, MAX_DEPTH, Parser
from design.tokens import ExpressionFault

__all__ = ["BUILTINS", "MAX_DEPTH", "Expression", "ExpressionFault", "Scope", "TooCostly", "compile_expression"]
MAX_LENGTH, MAX_STEPS = 4_000, 200_000


class TooCostly(Exception):
    """An evaluation that took more steps than any honest rule needs."""


@dataclass
class Scope:
    """Where a name is looked up: the record being judged, or, inside `where`, one row of another form."""

    world: Any  # design.record.World
    lookup: Callable[[str], Any]
    outer: Scope | None = None
    known: dict[tuple[str, str], Any] = field(default_factory=dict)  # aggregates found in this run, by their text

    @property
    def top(self) -> Scope:
        """The record being judged."""
        return self.outer or self


Node = Callable[[Any], Any]


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
    single: frozenset[tuple[str, str]]  # FORM.ITEM without an aggregate: the form must have one instance
    scoped: tuple[tuple[str, str], ...]
    comparisons: tuple[tuple[str, str], ...]
    parameters: frozenset[str]
    lookups: tuple[tuple[str, str | None], ...]
    events: frozenset[str]
    anywhere: frozenset[str]  # forms read in any event
    beside: frozenset[str]  # forms read in the event of the record
    pinned: frozenset[tuple[str, str]]  # forms read in one named event
    counted: frozenset[str]  # forms of which the mere number of rows is read
    results: tuple[str, ...]  # texts that it may give

    def __str__(self) -> str:
        return self.source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)


def compile_expression(source: str) -> Expression:
    """Compile the text of an expression.

    Raises:
        ExpressionFault: what is wrong, where, and what to do.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionFault(f"the expression is longer than {MAX_LENGTH} characters; split it into derived items")
    parser = Parser(source)
    node, results = parser.compiled()
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
        single=frozenset(reads.single),
        scoped=tuple(reads.scoped),
        comparisons=tuple(reads.comparisons),
        parameters=frozenset(reads.parameters),
        lookups=tuple(reads.lookups),
        events=frozenset(reads.events),
        anywhere=frozenset(reads.anywhere),
        beside=frozenset(reads.beside),
        pinned=frozenset(reads.pinned),
        counted=frozenset(reads.counted),
        results=tuple(results),
    )
