"""Progressing: how far data management is, per site and over time. Reads only, in a constant number of statements.

Answers are not read here, only columns; the one exception is verification, whose share is of items that have an
answer and is counted by `planning_verification`.

A form is *expected* when it is stored, or when it is required in a visit that was begun, took place, or whose window
has closed (a visit that waits for nothing: from the start). After a participant left, only visits that took place
count; after a screening failure, only what is stored. Records in error count for nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Text, func, select, type_coerce

from design.definitions import EventDef, StudyDef
from models import Change, FormData, Query, SignedForm, Site, StudyEvent, Subject, User, db
from models.clock import now, today
from workflows import access, finding, planning_verification, scheduling
from workflows.nightly import OVER
from workflows.planning_verification import Tally
from workflows.query_list import WAITING

ACTION = "view progress"
AGES = (0, 7, 14, 30, 90)  # days; a waiting query stands in the last bucket that it has reached
ENTRIES = ("complete", "in_progress", "not_done", "not_started")
SETTLED = ("complete", "not_done")  # nobody has to do anything about these
MOST_MONTHS = 24
ABOUT = "form_data/"


@dataclass
class Figures:
    """The figures of one site, or of several together."""

    participants: Counter[str] = field(default_factory=Counter)  # status
    forms: Counter[str] = field(default_factory=Counter)  # one of ENTRIES
    lags: list[int] = field(default_factory=list)  # days from the visit to the first save of a form
    overdue: int = 0  # visits
    queries: Counter[str] = field(default_factory=Counter)  # open, answered
    ages: list[int] = field(default_factory=lambda: [0] * len(AGES))
    verification: Tally = field(default_factory=Tally)
    signatures: Counter[str] = field(default_factory=Counter)  # signed, broken, unsigned
    protection: Counter[str] = field(default_factory=Counter)  # open, frozen, locked

    @property
    def expected(self) -> int:
        """How many forms should be there by now."""
        return self.forms.total()

    @property
    def completeness(self) -> float | None:
        """The share of the expected forms that is complete or said not to be done; None while nothing is expected."""
        return share(sum(self.forms[entry] for entry in SETTLED), self.expected)

    @property
    def lag_median(self) -> float | None:
        """The median of the entry lag in days."""
        return median(self.lags) if self.lags else None

    @property
    def lag_ninth(self) -> int | None:
        """The 90th percentile of the entry lag in days: nine of ten forms were begun within it (nearest rank)."""
        return sorted(self.lags)[ceil(0.9 * len(self.lags)) - 1] if self.lags else None

    @property
    def verified(self) -> float | None:
        """The share of the items asked by the plan that is verified."""
        return share(self.verification.verified, self.verification.asked)

    @property
    def signed(self) -> float | None:
        """The share of the stored forms whose signature holds."""
        return share(self.signatures["signed"], self.signatures.total())

    @property
    def protected(self) -> float | None:
        """The share of the stored forms that is frozen or locked."""
        return share(self.protection["frozen"] + self.protection["locked"], self.protection.total())

    def add(self, other: "Figures") -> None:
        """Count another site in."""
        for name in ("participants", "forms", "queries", "signatures", "protection"):
            getattr(self, name).update(getattr(other, name))
        self.lags.extend(other.lags)
        self.overdue += other.overdue
        self.ages = [mine + theirs for mine, theirs in zip(self.ages, other.ages, strict=True)]
        self.verification.add(other.verification)


@dataclass
class Month:
    """One month: what was done in it, and how complete the data were at its end."""

    first: date
    saves: int = 0
    opened: int = 0
    closed: int = 0
    settled: int = 0  # forms begun by its end that are complete today
    expected: int = 0  # forms expected by its end

    @property
    def completeness(self) -> float | None:
        """Of the forms expected by the end of the month, the share begun by then and complete today."""
        return share(self.settled, self.expected)


@dataclass(frozen=True)
class Progress:
    """The dashboard: every site by code, all together, and the last months, oldest first."""

    sites: list[tuple[Site, Figures]]
    total: Figures
    months: list[Month]


def share(part: int, whole: int) -> float | None:
    """A share between 0 and 1; None of nothing."""
    return part / whole if whole else None


def read(user: User, site_code: str = "") -> Progress:
    """The figures at the user's sites, or at one of them.

    Raises:
        Forbidden: no role allows it. NotFound: no such site for this person.
    """
    access.require(user, ACTION)
    sites = [finding.site(user, ACTION, site_code)] if site_code else finding.sites(user, ACTION)
    counted = _Counting({site.id: site for site in sites})
    counted.read()
    total = Figures()
    for site in sites:
        total.add(counted.found[site.id])
    return Progress([(site, counted.found[site.id]) for site in sites], total, counted.last_months())


class _Counting:
    """One reading of everything, each table once."""

    def __init__(self, sites: dict[int, Site]) -> None:
        self.sites = sites
        self.found = {site_id: Figures() for site_id in sites}
        self.days = {site_id: today(site.timezone) for site_id, site in sites.items()}
        self.zones = {site_id: ZoneInfo(site.timezone) for site_id, site in sites.items()}
        self.designs = {site_id: finding.design_for(site) for site_id, site in sites.items()}
        self.months: dict[date, Month] = {}

    def read(self) -> None:
        """Fill the figures of every site and the months."""
        subjects = {row.id: row for row in self._rows(Subject.id, Subject.site_id, Subject.status, Subject.created_at)}
        for subject in subjects.values():
            self.found[subject.site_id].participants[subject.status] += 1
        self._forms(subjects)
        self._queries()
        for (site_id, _plan), tally in planning_verification.progress(list(self.sites.values())).items():
            self.found[site_id].verification.add(tally)
        for site_id, hour, count in _saves(list(self.sites)):
            self._month(self._local(site_id, hour)).saves += count

    def _rows(self, *columns: Any) -> Iterable[Row[Any]]:
        """Columns of participants, or of what belongs to one, at these sites."""
        selection = select(*columns).select_from(Subject)
        for model in {column.class_ for column in columns} - {Subject}:
            selection = selection.join(model, model.subject_id == Subject.id)
        return db.session.execute(selection.where(Subject.site_id.in_(list(self.sites))))

    def _forms(self, subjects: Mapping[int, Any]) -> None:
        columns = ("id", "subject_id", "study_event_id", "form_id", "entry", "protection", "in_error", "saved_at")
        stored: dict[int, list[Row[Any]]] = {}
        firsts, signed = _first_saves(), _signed(list(self.sites))
        for row in self._rows(*(getattr(FormData, name) for name in columns)):
            if row.in_error is not None:
                continue
            stored.setdefault(row.study_event_id, []).append(row)
            figures = self.found[subjects[row.subject_id].site_id]
            figures.forms[row.entry] += 1
            figures.protection[row.protection] += 1
            figures.signatures[signed.get(row.id, "unsigned")] += 1
        dates = ("id", "subject_id", "event_id", "state", "opens", "closes", "target", "projected", "visit_date")
        for event in self._rows(*(getattr(StudyEvent, name) for name in dates)):
            self._event(event, subjects[event.subject_id], stored.get(event.id, ()), firsts)

    def _event(self, event: Any, subject: Any, held: Sequence[Any], firsts: Mapping[int, datetime]) -> None:
        figures, study = self.found[subject.site_id], self.designs[subject.site_id]
        definition = study.events.get(event.event_id)
        for row in held:
            first = self._local(subject.site_id, firsts.get(row.id, row.saved_at))
            if event.visit_date is not None:
                figures.lags.append(max(0, (first - event.visit_date).days))
            self._month(min(first, event.visit_date or first)).expected += 1
            if row.entry in SETTLED:
                self._month(first).settled += 1
        if definition is None or definition.kind == "log":
            return
        is_late = _is_late(event, subject, self.days[subject.site_id])
        figures.overdue += is_late
        if is_late or _has_come(definition, event, subject, bool(held)):
            due = event.visit_date or event.closes or self._local(subject.site_id, subject.created_at)
            for _form_id in _missing(study, definition, held):
                figures.forms["not_started"] += 1
                self._month(due).expected += 1

    def _queries(self) -> None:
        columns = select(Query.site_id, Query.status, Query.raised_at, Query.closed_at)
        selection = columns.where(Query.site_id.in_(list(self.sites)), Query.status != "cancelled")
        instant = now()
        for row in db.session.execute(selection):
            self._month(self._local(row.site_id, row.raised_at)).opened += 1
            if row.status in WAITING:
                figures, age = self.found[row.site_id], (instant - row.raised_at).days
                figures.queries[row.status] += 1
                figures.ages[max(place for place, days in enumerate(AGES) if age >= days)] += 1
            elif row.closed_at is not None:
                self._month(self._local(row.site_id, row.closed_at)).closed += 1

    def _local(self, site_id: int, instant: datetime) -> date:
        return instant.astimezone(self.zones[site_id]).date()

    def _month(self, day: date) -> Month:
        first = day.replace(day=1)
        return self.months.setdefault(first, Month(first))

    def last_months(self) -> list[Month]:
        """The last months up to now without a gap; shares of forms are of everything up to each month's end."""
        if not self.months:
            return []
        last = max(self.days.values()).replace(day=1)
        settled = expected = 0
        found = []
        for first in _months(min(self.months), last):
            month = self.months.get(first, Month(first))
            settled, expected = settled + month.settled, expected + month.expected
            month.settled, month.expected = settled, expected
            found.append(month)
        return found[-MOST_MONTHS:]


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _is_late(event: Any, subject: Any, day: date) -> bool:
    """Whether a visit is past its window and nobody said so: `nightly.is_overdue`, for rows of columns."""
    # Overdue or missed by date is one here, so when the next visit opens does not matter.
    return subject.status not in OVER and scheduling.status_before(event, None, day) == "overdue"


def _has_come(definition: EventDef, event: Any, subject: Any, is_stored: bool) -> bool:
    """Whether the required forms of a visit are expected, beside visits that are late."""
    if subject.status == "screen_failed":
        return False
    if event.state == "done":
        return True
    is_first = definition.kind == "scheduled" and definition.anchor is None
    return event.state == "planned" and subject.status not in OVER and (is_stored or is_first)


def _missing(study: StudyDef, definition: EventDef, held: Sequence[Any]) -> list[str]:
    there = {row.form_id for row in held}
    required = (each.form_id for each in definition.forms if each.required)
    return [form_id for form_id in required if form_id not in there and form_id in study.forms]


def _first_saves() -> dict[int, datetime]:
    """When each form was saved first, from the trail; forms of all sites, because only an index is read."""
    first = (
        select(func.min(Change.id).label("id"))
        .where(Change.about.startswith(ABOUT, autoescape=True))
        .group_by(Change.about)
        .subquery()
    )
    rows = db.session.execute(select(Change.about, Change.at).join(first, first.c.id == Change.id))
    return {int(row.about.removeprefix(ABOUT)): row.at for row in rows}


def _signed(sites: Sequence[int]) -> dict[int, str]:
    """`signed` or `broken` for each form that was ever signed, as `signatures.states_of`: one statement."""
    selection = (
        select(SignedForm.form_data_id, func.count(), func.count(SignedForm.broken_at))
        .join(FormData, FormData.id == SignedForm.form_data_id)
        .join(Subject, Subject.id == FormData.subject_id)
        .where(Subject.site_id.in_(sites))
        .group_by(SignedForm.form_data_id)
    )
    return {row[0]: "broken" if row[1] == row[2] else "signed" for row in db.session.execute(selection)}


def _saves(sites: Sequence[int]) -> Iterator[tuple[int, datetime, int]]:
    """How many forms were saved in each hour of each site; hours, because months begin where the site is."""
    hour = func.substr(type_coerce(Change.at, Text), 1, 13)
    selection = (
        select(Change.site_id, hour.label("hour"), func.count().label("saves"))
        .where(Change.action == "save form", Change.site_id.in_(sites))
        .group_by(Change.site_id, hour)
    )
    for site_id, text, count in db.session.execute(selection):
        yield site_id, datetime.fromisoformat(f"{text}:00:00+00:00"), count
