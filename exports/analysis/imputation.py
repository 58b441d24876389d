"""Partial and missing dates in analysis (section 4.8 of the domain specification). What was collected never changes:
each function gives a day and says whether it was imputed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from design.dates import PartialDate


@dataclass(frozen=True)
class Day:
    """A day used in analysis; `imputed` is `D`, `M` or `Y` for the missing part (as ADaM's --DTF), else None."""

    day: date
    imputed: str | None = None


def parse(text: str | None) -> PartialDate | None:
    """A collected date; None for nothing or what is no date."""
    try:
        return PartialDate.parse(text) if text else None
    except ValueError:
        return None


def flag(text: str | None) -> str | None:
    """Which part is missing: `D` the day, `M` the month, `Y` all of it."""
    known = parse(text)
    return "Y" if known is None else {4: "M", 7: "D"}.get(len(known.text))


def event_start(text: str | None, origin: date | None, end: str | None = None) -> Day | None:
    """Start of an adverse event: the first possible day, or the first fraction when it lies in that month or year
    and the event did not end before it; missing: the first fraction (worst case). None without either.
    """
    known, ended = parse(text), parse(end)
    if known is None:
        return Day(origin, "Y") if origin else None
    if origin and known.earliest <= origin <= known.latest and not (ended and ended.latest < origin):
        return Day(origin, flag(text))
    return Day(known.earliest, flag(text))


def event_end(text: str | None, *caps: date | None) -> Day | None:
    """End of an adverse event: the last possible day, not after death, end of study or cut-off."""
    known = parse(text)
    if known is None:
        return None
    last = min([known.latest, *(cap for cap in caps if cap)])
    return Day(last, flag(text))


def medication(start: str | None, end: str | None) -> tuple[date | None, date | None]:
    """Earliest start and latest end of a medication: taken as concomitant when unsure."""
    first, last = parse(start), parse(end)
    return first.earliest if first else None, last.latest if last else None


def death(text: str | None, last_alive: date | None) -> Day | None:
    """Death: with a part missing the later of the first possible day and the day after last known alive."""
    known = parse(text)
    if known is None:
        return None
    if known.is_complete or last_alive is None:
        return Day(known.earliest, flag(text))
    return Day(max(known.earliest, last_alive + timedelta(days=1)), flag(text))


def diagnosis(text: str | None) -> Day | None:
    """Diagnosis, for description only: day missing the 15th, month missing 1 July."""
    known = parse(text)
    if known is None:
        return None
    middle = {"D": known.earliest.replace(day=15), "M": date(known.earliest.year, 7, 1)}
    return Day(middle.get(flag(text) or "", known.earliest), flag(text))


def recurrence(text: str | None, latest: bool = False) -> Day | None:
    """Recurrence is never imputed: the earliest possible day; in sensitivity analysis the latest."""
    known = parse(text)
    return None if known is None else Day(known.latest if latest else known.earliest, flag(text))


def last_fraction(days: list[date | None]) -> date | None:
    """The end of treatment: None while any fraction given has no date, for the course stays open."""
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None
