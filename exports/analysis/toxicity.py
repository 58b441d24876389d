"""Toxicity derivation (section 4.4 of the domain specification): grades by term and period, acute and late, dose-
limiting. Grades are CTCAE; the acute limit counts from the first fraction (RTOG convention: Cox JD et al. Int J Radiat
Oncol Biol Phys 1995;31:1341-1346) or, as the second flag, from the last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

BASELINE, ACUTE, LATE = "baseline", "acute", "late"
RELATED = ("definite", "probable", "possible")
WORST_CASE = 3  # an ungraded event counts as grade 3, in sensitivity analysis only


@dataclass(frozen=True)
class Grade:
    """One assessment of a term on a day; `grade` None: not assessed. `keys` trace it to its record."""

    term: str
    day: date
    grade: int | None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """The study's periods: acute until `days` after the first fraction (flag 1) or the last (flag 2)."""

    origin: date
    end: date | None = None
    days: int = 90
    anchor: str = "first"  # which flag is reported: first or last fraction

    @property
    def acute_first(self) -> date:
        """Last acute day of flag 1."""
        return self.origin + timedelta(days=self.days)

    @property
    def acute_last(self) -> date | None:
        """Last acute day of flag 2; None while the course is open."""
        return self.end + timedelta(days=self.days) if self.end else None

    @property
    def limit(self) -> date:
        """Last acute day of the flag that is reported."""
        return self.acute_last or date.max if self.anchor == "last" else self.acute_first


def daily_maxima(grades: Iterable[Grade]) -> list[Grade]:
    """One row per term and day: the highest grade wins, an assessed one over a missing one."""
    found: dict[tuple[str, date], Grade] = {}
    for grade in grades:
        key = (grade.term, grade.day)
        before = found.get(key)
        if before is None or _level(grade) > _level(before):
            found[key] = grade
    return [found[key] for key in sorted(found)]


def _level(grade: Grade) -> int:
    return -1 if grade.grade is None else grade.grade


def baseline_grades(grades: Iterable[Grade], origin: date) -> dict[str, int]:
    """The baseline grade of every term that has one."""
    before = sorted((g for g in grades if g.day < origin and g.grade is not None), key=lambda g: g.day)
    return {grade.term: _level(grade) for grade in before}  # the last wins


def baseline_grade(grades: Iterable[Grade], term: str, origin: date) -> int | None:
    """The last grade before the first fraction; None when there was none."""
    before = [g for g in grades if g.term == term and g.day < origin and g.grade is not None]
    return max(before, key=lambda g: g.day).grade if before else None


def maximum(grades: Iterable[Grade], term: str, first: date, last: date) -> Grade | None:
    """The highest grade of a term in a period; not assessed is ignored, and nothing assessed is missing, not 0."""
    inside = [g for g in grades if g.term == term and first <= g.day <= last and g.grade is not None]
    return max(inside, key=lambda g: (_level(g), -g.day.toordinal()), default=None)


@dataclass(frozen=True)
class Event:
    """An adverse event and its grade history; `start` may be imputed, `relation` is a word or None."""

    term: str
    start: date
    end: date | None = None
    history: tuple[tuple[date, int | None], ...] = ()
    relation: str | None = None
    haematological: bool = False
    serious: bool = False
    special: bool = False
    action: str | None = None
    keys: tuple[str, ...] = ()
    earliest: date | None = None  # earliest possible start, when partial
    imputed: str | None = None  # the part of the start that was missing

    @property
    def onset(self) -> date:
        """The earliest possible start."""
        return self.earliest or self.start

    @property
    def highest(self) -> int | None:
        """The highest grade ever; None when never graded."""
        return max((grade for _, grade in self.history if grade is not None), default=None)

    def within(self, first: date, last: date) -> int | None:
        """The highest grade in force at any time from `first` to `last`."""
        steps = sorted((day, grade) for day, grade in self.history if grade is not None)
        found: list[int] = []
        for place, (day, grade) in enumerate(steps):
            until = steps[place + 1][0] - timedelta(days=1) if place + 1 < len(steps) else self.end or date.max
            if day <= last and max(until, day) >= first:
                found.append(grade)
        return max(found, default=None)

    def is_present(self, day: date) -> bool:
        """Whether it had begun and not ended."""
        return self.start <= day and (self.end is None or self.end >= day)


def is_related(relation: str | None) -> bool:
    """Definite, probable or possible; a missing relation counts as related."""
    return relation is None or relation in RELATED


def is_emergent(event: Event, origin: date, baseline: int | None = None) -> bool:
    """Start on or after the first fraction, or a baseline condition with a higher grade after it."""
    if event.start >= origin:
        return True
    before = baseline if baseline is not None else event.within(date.min, origin - timedelta(days=1))
    after = event.within(origin, date.max)
    return after is not None and after > (before or 0)


def periods(event: Event, limits: Limits) -> frozenset[str]:
    """Where an event is analysed: acute by its start, late by its start or when still present after the limit."""
    found = set()
    if event.onset < limits.origin and event.start < limits.origin:
        found.add(BASELINE)
    if limits.origin <= max(event.onset, limits.origin) <= limits.limit and BASELINE not in found:
        found.add(ACUTE)
    after = limits.limit + timedelta(days=1) if limits.limit < date.max else None
    if after and event.start >= limits.origin and (event.onset >= after or event.is_present(after)):
        found.add(LATE)
    return frozenset(found)


def is_acute(event: Event, origin: date, limit: date) -> bool:
    """Start from the first fraction to the limit, by the earliest possible day of a partial date."""
    return origin <= max(event.onset, origin) <= limit and event.start >= origin


def period_grade(event: Event, period: str, limits: Limits) -> int | None:
    """The maximum of an event inside a period: acute up to the limit, late after it."""
    if period == ACUTE:
        return event.within(limits.origin, limits.limit)
    return event.within(limits.limit + timedelta(days=1), date.max) if limits.limit < date.max else None


@dataclass(frozen=True)
class LimitingRule:
    """The study's definition of a dose-limiting toxicity."""

    grade: int = 3
    days: int = 90
    resolving: dict[str, int] = field(default_factory=dict)  # term: no DLT at grade 3 when <= 2 within so many days
    lasting: dict[str, int] = field(default_factory=dict)  # term: no DLT at grade 3 when it lasts no longer than


def is_limiting(event: Event, rule: LimitingRule, origin: date) -> bool:
    """Whether an event is dose-limiting: non-haematological, related, of that grade, begun within those days.

    Exceptions are at grade 3 only: terms that fall to grade 2 in time, and terms that are short at grade 3.
    """
    highest = event.within(origin, date.max)
    if highest is None or highest < rule.grade or event.haematological or not is_related(event.relation):
        return False
    if not origin <= max(event.onset, origin) <= origin + timedelta(days=rule.days) or event.start < origin:
        return False
    if highest > 3:
        return True
    lasted = _longest_at(event, 3)
    within = rule.resolving.get(event.term, rule.lasting.get(event.term))
    return within is None or lasted is None or lasted > within


def _longest_at(event: Event, grade: int) -> int | None:
    """The longest stretch of days at a grade; None when it has not ended."""
    steps = sorted((day, level) for day, level in event.history if level is not None)
    longest = 0
    for place, (day, level) in enumerate(steps):
        if level >= grade:
            until = next((d for d, after in steps[place + 1 :] if after < grade), None)
            last = until or (event.end + timedelta(days=1) if event.end else None)
            if last is None:
                return None
            longest = max(longest, (last - day).days)
    return longest


def is_evaluable(delivered: int, planned: int | None, limited: bool, share: float = 0.8) -> bool:
    """Evaluable for dose-limiting toxicity: at least this share of the fractions, or had one."""
    return limited or bool(planned and delivered >= share * planned)


def worst_case(grade: int | None) -> int:
    """The grade used in sensitivity analysis where none was given."""
    return WORST_CASE if grade is None else grade


def highest_by_term(events: Sequence[Event], grade: str, limits: Limits) -> dict[str, int | None]:
    """The highest grade of each term among the events of one participant in a period."""
    found: dict[str, int | None] = {}
    for event in events:
        if grade in periods(event, limits):
            level = period_grade(event, grade, limits)
            before = found.get(event.term)
            found[event.term] = level if before is None else max(before, level or 0)
    return found
