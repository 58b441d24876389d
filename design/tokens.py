"""The words of an expression, and the notes taken of what it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>'[^']*'|\"[^\"]*\")|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op><>|<=|>=|[=<>+\-*/(),.]))",
    re.ASCII,
)


class ExpressionFault(Exception):
    """An expression that cannot be read; the message says where and what to do."""


@dataclass
class Reads:
    """What an expression reads, noted while it is compiled."""

    names: set[str] = field(default_factory=set)
    qualified: set[tuple[str, str]] = field(default_factory=set)
    single: set[tuple[str, str]] = field(default_factory=set)
    scoped: list[tuple[str, str]] = field(default_factory=list)
    forms: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)
    comparisons: list[tuple[str, str]] = field(default_factory=list)
    parameters: set[str] = field(default_factory=set)
    lookups: list[tuple[str, str | None]] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    anywhere: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    pinned: set[tuple[str, str]] = field(default_factory=set)


def tokens(source: str) -> list[tuple[str, str, int]]:
    """Kind, text and place of every token.

    Raises:
        ExpressionFault: a character that belongs to nothing.
    """
    found: list[tuple[str, str, int]] = []
    position = 0
    text = source.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            what = repr(text[position:].strip()[:10])
            raise ExpressionFault(f"unexpected {what} at {position + 1}; quote texts with '…'")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind), match.start(kind)))
        position = match.end()
    return found
