"""Participants as the analysis sees them (section 4.1 of the domain specification), and days counted from an origin."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from design.dates import add_months
from exports.analysis import recist
from exports.analysis.events import History
from exports.analysis.records import Record

SETS = {
    "SCR": ("All screened", "全部筛选者"),
    "ENR": ("Enrolled", "入组集"),
    "FAS": ("Full analysis set", "全分析集"),
    "SAF": ("Safety set", "安全性分析集"),
    "RES": ("Response set", "疗效可评价集"),
    "PPS": ("Per-protocol set", "符合方案集"),
    "PRO": ("Questionnaire set", "患者报告结局集"),
    "COS": ("Cosmesis set", "美容评估集"),
}


@dataclass(frozen=True)
class Value:
    """A value about a participant, its code as collected, and the records it comes from."""

    value: Any
    code: Any = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """A response at a visit."""

    response: recist.Response
    visit: str
    visitnum: int | None
    event: str
    keys: tuple[str, ...]


@dataclass
class Person:
    """One participant."""

    subject: str
    number: str | None
    site: str
    status: str
    key: str
    enrolled: bool = False
    enrolled_on: date | None = None
    origin: date | None = None
    first_fraction: date | None = None
    end: date | None = None
    fractions: list[Record] = field(default_factory=list)
    described: dict[str, Value] = field(default_factory=dict)
    machines: tuple[str, ...] = ()
    assessments: list[Assessment] = field(default_factory=list)
    equivocal: list[recist.Response] = field(default_factory=list)
    history: History | None = None
    sets: frozenset[str] = frozenset()
    best: str = recist.NE

    @property
    def label(self) -> str:
        """The subject number, or the screening number before there is one."""
        return self.number or self.subject

    @property
    def machine_group(self) -> str:
        """The machine, or both."""
        return "+".join(self.machines)


def followed_until(person: Person, cut_off: date) -> date | None:
    """The last day of follow-up for life: death, or last known alive, up to the cut-off."""
    if person.history is None:
        return None
    day = person.history.death.day if person.history.death else person.history.last_alive
    return min(day, cut_off) if day else None


def study_day(day: date, origin: date) -> int:
    """Day 1 is the origin, the day before it is -1: there is no day 0."""
    number = (day - origin).days
    return number + 1 if number >= 0 else number


def plus(day: date, months: int, days: int = 0) -> date:
    """Months, then days later."""
    return add_months(day, months) + timedelta(days=days)
