"""Calendar dates: partial dates as intervals, and month arithmetic that always counts from the anchor."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

SHAPE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the year, the month or the day: every day from `earliest` to `latest` is possible."""

    text: str
    earliest: date
    latest: date

    @classmethod
    def parse(cls, text: str) -> "PartialDate":
        """Read ISO text `2027`, `2027-03` or `2027-03-14`.

        Raises:
            ValueError: the text is no such date.
        """
        if not SHAPE.fullmatch(text):
            raise ValueError(f"not a date: {text!r}")
        parts = [int(part) for part in text.split("-")]
        if len(parts) == 1:
            return cls(text, date(parts[0], 1, 1), date(parts[0], 12, 31))
        if len(parts) == 2:
            last = calendar.monthrange(parts[0], parts[1])[1]
            return cls(text, date(parts[0], parts[1], 1), date(parts[0], parts[1], last))
        day = date(*parts)
        return cls(text, day, day)

    @property
    def is_complete(self) -> bool:
        """Whether the day is known."""
        return self.earliest == self.latest


def bounds(value: date | PartialDate) -> tuple[date, date]:
    """Earliest and latest possible day."""
    return (value.earliest, value.latest) if isinstance(value, PartialDate) else (value, value)


def add_months(day: date, months: int) -> date:
    """The same day of the month, months later, clamped to the month's end: 2028-02-29 + 12 m = 2029-02-28."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def whole_months(start: date, end: date) -> int:
    """Completed months from start to end (negative before it)."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and add_months(start, months) > end:
        months -= 1
    if months < 0 and add_months(start, months) < end:
        months += 1
    return months


def whole_years(start: date, end: date) -> int:
    """Completed years; who is born on 29 February has her birthday on 28 February in common years."""
    years = end.year - start.year
    return years - 1 if add_months(start, 12 * years) > end else years


def add_days(day: date, days: int) -> date:
    """Days later."""
    return day + timedelta(days=days)
