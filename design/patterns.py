"""Regular expressions that cannot run for ever: a small part of the syntax, judged before it is ever used (SEC-27).

Backtracking costs the product of all choices. So a repeat holds neither a repeat nor a choice, at most two
repeats are without end, and all other choices together stay few. Texts are cut before they are matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN, MAX_TEXT, MAX_ENDLESS, MAX_WAYS = 200, 2_000, 2, 64
BRACES = re.compile(r"\{(\d*)(,?)(\d*)\}")


class PatternFault(Exception):
    """A pattern that is wrong or could run for ever; the message says what to do."""


@dataclass(frozen=True)
class _Cost:
    """In how many ways a part can match, and how many repeats without end it has."""

    ways: int = 1
    endless: int = 0

    @property
    def is_fixed(self) -> bool:
        return self.ways == 1 and not self.endless


@lru_cache(maxsize=1_000)
def safe_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern.

    Raises:
        PatternFault: it is wrong, or could run for ever.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternFault(f"the pattern is longer than {MAX_PATTERN} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternFault(f"the pattern is wrong: {error}") from None
    cost = _Scanner(pattern).whole()
    if cost.endless > MAX_ENDLESS:
        raise PatternFault(f"the pattern has more than {MAX_ENDLESS} repeats without end; bound them, as in {{1,5}}")
    if cost.ways > MAX_WAYS:
        raise PatternFault("the pattern has too many choices; write several rules")
    return compiled


def matches(text: str, pattern: str) -> bool | None:
    """Whether the whole text fits the pattern; None when the pattern may not be used."""
    try:
        return safe_pattern(pattern).fullmatch(text[:MAX_TEXT]) is not None
    except PatternFault:
        return None


class _Scanner:
    """Reads a pattern that compiles, and adds up what it may cost."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def _is(self, characters: str) -> bool:
        return self.at < len(self.pattern) and self.pattern[self.at] in characters

    def whole(self) -> _Cost:
        """The choices between `|`: ways add up."""
        branches = [self._sequence()]
        while self._is("|"):
            self.at += 1
            branches.append(self._sequence())
        return _Cost(sum(each.ways for each in branches), max(each.endless for each in branches))

    def _sequence(self) -> _Cost:
        cost = _Cost()
        while self.at < len(self.pattern) and not self._is("|)"):
            part = self._repeated(self._atom())
            cost = _Cost(min(cost.ways * part.ways, 10**9), cost.endless + part.endless)
        return cost

    def _atom(self) -> _Cost:
        character = self.pattern[self.at]
        self.at += 1
        if character == "(":
            if self._is("?"):
                raise PatternFault("the pattern uses (?…); only plain groups are allowed")
            cost = self.whole()
            self.at += 1
            return cost
        if character == "[":
            self._character_class()
        elif character == "\\":
            if self._is("123456789"):
                raise PatternFault("the pattern refers back to a group; this is not allowed")
            self.at += 1
        return _Cost()

    def _character_class(self) -> None:
        self.at += self._is("^")
        self.at += self._is("]")
        while not self._is("]"):
            self.at += 2 if self._is("\\") else 1
        self.at += 1

    def _repeated(self, part: _Cost) -> _Cost:
        low, high = self._bounds()
        if (low, high) == (1, 1):
            return part
        if self._is("*+?{") and (self.pattern[self.at] != "{" or BRACES.match(self.pattern, self.at)):
            raise PatternFault("the pattern has two repeat signs in a row; one is enough")
        if (low, high) == (0, 1):
            return _Cost(part.ways + 1, part.endless)
        if not part.is_fixed:
            raise PatternFault("the pattern has a repeat or a choice inside a repeat; write it without")
        return _Cost(1, 1) if high is None else _Cost(high - low + 1)

    def _bounds(self) -> tuple[int, int | None]:
        """How often the atom before may stand: (1, 1) without a repeat sign."""
        if self._is("*+?"):
            sign = self.pattern[self.at]
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        match = BRACES.match(self.pattern, self.at)
        if match is None or match[0] in ("{}", "{,}"):
            return 1, 1
        self.at = match.end()
        low = int(match[1] or 0)
        return low, (int(match[3]) if match[3] else None) if match[2] else low
