"""The numbers of the first safety and efficacy summary, from values that the study's analysis table defines.

Nothing here knows an item of the CRF: which answers mean "first fraction" or "death" is said in
`tables/analysis.csv` of the study version, and evaluated by the study's own rule language.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from design.dates import PartialDate
from exports.shape import Table
from exports.survival import Curve, exact_interval, kaplan_meier, months

GRADES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class Person:
    """A participant and what the analysis expressions give for her."""

    label: str
    screening_number: str
    site: str
    status: str
    enrolled: bool
    values: dict[str, Any] = field(default_factory=dict)

    def day(self, key: str) -> date | None:
        """A date; of a partial one the earliest day it may mean."""
        return as_date(self.values.get(key))

    def days(self, key: str) -> list[date]:
        """A list of dates, in order."""
        return sorted(day for value in self.values.get(key) or () if (day := as_date(value)) is not None)

    def number(self, key: str) -> float | None:
        """A number, or None."""
        value = self.values.get(key)
        return float(value) if isinstance(value, int | float | Decimal) else None

    @property
    def treated(self) -> bool:
        """In the full analysis set: enrolled, with at least one fraction given (domain 4.1)."""
        return self.enrolled and self.day("tte_origin") is not None


def as_date(value: Any) -> date | None:
    """A date from a date, a partial date (its earliest day) or ISO text."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    return value.earliest if isinstance(value, PartialDate) else None


def enrolment(people: Iterable[Person]) -> list[date]:
    """Days of enrolment in order."""
    return sorted(day for person in people if person.enrolled and (day := person.day("enrolled_on")))


@dataclass(frozen=True)
class Disposition:
    """How many were screened, failed, were enrolled and treated, and where everybody stands now."""

    screened: int
    failed: int
    enrolled: int
    treated: int
    statuses: dict[str, int]


def disposition(people: Sequence[Person]) -> Disposition:
    """Counts of participants; the statuses add up to the screened."""
    return Disposition(
        screened=len(people),
        failed=sum(person.status == "screen_failed" for person in people),
        enrolled=sum(person.enrolled for person in people),
        treated=sum(person.treated for person in people),
        statuses=dict(Counter(person.status for person in people)),
    )


@dataclass(frozen=True)
class TermCount:
    """Participants with an adverse event term, by their highest grade of it (the last: without a grade)."""

    code: str
    by_grade: tuple[int, ...]

    @property
    def participants(self) -> int:
        """Each participant once."""
        return sum(self.by_grade)


INSTANCE = ("SCRNO", "EVENT", "REPEAT", "FORM_REPEAT")  # what a record and the rows of its child form share


def highest_grades(records: Table, grades: Table, grade: str) -> list[str | None]:
    """For each record the highest grade among its rows in a child table (or its own, when they are one)."""
    found: dict[tuple[Any, ...], str] = {}
    keys = zip(*(grades.columns[name] for name in INSTANCE), strict=True)
    for key, value in zip(keys, grades.columns[grade], strict=True):
        if value in GRADES:
            found[key] = max(found.get(key, ""), value)
    return [found.get(key) for key in zip(*(records.columns[name] for name in INSTANCE), strict=True)]


def adverse_events(
    people: Sequence[Person], table: Table, term: str, grades: Sequence[str | None], start: str
) -> list[TermCount]:
    """Treatment-emergent events by term and maximum grade (domain 4.4).

    Emergent: the latest day the start may mean is on or after the first fraction, or the start is not known.
    The most frequent term comes first.
    """
    origins = {person.screening_number: person.day("tte_origin") for person in people if person.treated}
    worst: dict[tuple[str, str], str] = {}
    columns = table.columns
    starts = columns.get(f"{start}_LATEST", columns.get(start, [None] * table.rows))
    for who, what, how, latest in zip(columns["SCRNO"], columns[term], grades, starts, strict=True):
        origin = origins.get(who)
        if origin is None or what is None or (latest and date.fromisoformat(latest) < origin):
            continue
        level = how if how in GRADES else ""
        worst[(what, who)] = max(worst.get((what, who), ""), level)
    counts: dict[str, Counter[str]] = {}
    for (what, _), level in worst.items():
        counts.setdefault(what, Counter())[level] += 1
    rows = [TermCount(what, tuple(count[level] for level in (*GRADES, ""))) for what, count in counts.items()]
    return sorted(rows, key=lambda row: (-row.participants, row.code))


@dataclass(frozen=True)
class Dose:
    """Delivered against planned dose of one participant."""

    label: str
    delivered: float | None
    planned: float | None

    @property
    def percent(self) -> float | None:
        """Delivered in percent of planned."""
        return None if not self.planned or self.delivered is None else 100 * self.delivered / self.planned


def doses(people: Iterable[Person]) -> list[Dose]:
    """One row per treated participant."""
    return [Dose(p.label, p.number("dose_delivered"), p.number("dose_planned")) for p in people if p.treated]


@dataclass(frozen=True)
class TimePoint:
    """Responses at one visit: participants by code, and complete responses of those evaluated."""

    event: str
    visit: str
    codes: dict[str, int]
    complete: int
    evaluated: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """Clopper-Pearson limits of the share of complete responses."""
        return exact_interval(self.complete, self.evaluated) if self.evaluated else None


def responses(
    people: Sequence[Person],
    table: Table,
    overall: str,
    complete: str,
    complete_code: str,
    unevaluated: Iterable[str],
) -> list[TimePoint]:
    """Overall and complete response of treated participants at each visit, in the order of visits."""
    treated = {person.screening_number for person in people if person.treated}
    last: dict[tuple[Any, str, str, str], tuple[str | None, str | None]] = {}
    c = table.columns
    for who, number, event, visit, code, cleared in zip(
        c["SCRNO"], c["VISITNUM"], c["EVENT"], c["VISIT"], c[overall], c[complete], strict=True
    ):
        if who in treated:
            last[(number, event, visit, who)] = (code, cleared)
    points: dict[tuple[Any, str, str], list[tuple[str | None, str | None]]] = {}
    for (number, event, visit, _), pair in last.items():
        points.setdefault((number, event, visit), []).append(pair)
    skipped = set(unevaluated)
    found = []
    for (_, event, visit), pairs in sorted(points.items(), key=lambda point: (point[0][0] or 0, point[0][1])):
        cleared_codes = [cleared for _, cleared in pairs if cleared is not None and cleared not in skipped]
        codes = Counter(code for code, _ in pairs if code is not None)
        found.append(TimePoint(event, visit, dict(codes), cleared_codes.count(complete_code), len(cleared_codes)))
    return found


def overall_survival(people: Iterable[Person], cut_off: date) -> Curve:
    """Time from the first fraction to death; alive: censored at last known alive, withdrawal or cut-off (E11,
    4.5).
    """
    times, events = [], []
    for person in people:
        origin = person.day("tte_origin")
        if not person.treated or origin is None:
            continue
        death = person.day("death")
        died = death is not None and death <= cut_off
        end = death if died else _first(person.day("last_alive"), person.day("withdrawn_all"), cut_off)
        times.append(_months(origin, end))
        events.append(died)
    return kaplan_meier(times, events)


def progression_free_survival(people: Iterable[Person], cut_off: date) -> Curve:
    """Time to progression or death, whichever is first; else censored at the last adequate image (E7, 4.5).

    New anticancer therapy outside the plan censors at the last adequate image before it. Without any image
    after the start the participant is censored on day 1.
    """
    times, events = [], []
    for person in people:
        origin = person.day("tte_origin")
        if not person.treated or origin is None:
            continue
        event = _first(person.day("progression"), person.day("death"))
        therapy = person.day("new_therapy")
        happened = event is not None and event <= cut_off and (therapy is None or event <= therapy)
        if happened:
            end = event
        else:
            limit = _first(therapy, person.day("withdrawn_all"), cut_off) or cut_off
            images = [day for day in person.days("images") if origin <= day <= limit]
            end = images[-1] if images else origin
        times.append(_months(origin, end))
        events.append(happened)
    return kaplan_meier(times, events)


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _months(origin: date, end: date | None) -> float:
    """A date before the origin counts as the day of origin: time never runs backwards."""
    return months(max(0, (end - origin).days) if end else 0)
