"""How queries go: how many are open and for how long, how long answers take, and which checks are worth asking.

*Yield* is the share of the queries of a check, of all that were ever opened, after which an answer they ask about
changed while they waited. A check that asks much and changes nothing can be retired.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from models import Query, User, db
from models.clock import now
from workflows import finding

AGES = (7, 14, 30)  # days; the last bucket is what is older
WAITING = ("open", "answered")
BY = {"site": Query.site_id, "form": Query.form_id, "check": Query.check_id}


@dataclass
class Figures:
    """The figures of one site, form or check."""

    total: int = 0
    open: int = 0
    answered: int = 0
    closed: int = 0
    changed: int = 0
    ages: list[int] = field(default_factory=lambda: [0] * (len(AGES) + 1))
    to_answer: list[float] = field(default_factory=list)  # days
    to_close: list[float] = field(default_factory=list)

    @property
    def days_to_answer(self) -> float | None:
        """The median, of those that were answered."""
        return median(self.to_answer) if self.to_answer else None

    @property
    def days_to_close(self) -> float | None:
        """The median, of those that are closed."""
        return median(self.to_close) if self.to_close else None

    @property
    def share_changed(self) -> float | None:
        """The yield: between 0 and 1; None while nothing was asked."""
        return self.changed / self.total if self.total else None


def read(user: User) -> dict[str, dict[Any, Figures]]:
    """The figures at the user's sites by site, form and check, and under `all` together: one statement.

    Cancelled queries count for nothing: they were raised by mistake, or about a record in error.
    """
    names = ("site_id", "form_id", "check_id", "status", "raised_at", "answered_at", "closed_at", "changed_data")
    selection = finding.queries(user).with_only_columns(*[getattr(Query, name) for name in names])
    found: dict[str, dict[Any, Figures]] = {name: defaultdict(Figures) for name in ("all", *BY)}
    instant = now()
    for row in db.session.execute(selection.where(Query.status != "cancelled")):
        targets = [found["all"][""], found["site"][row.site_id], found["form"][row.form_id]]
        if row.check_id is not None:
            targets.append(found["check"][row.check_id])
        for figures in targets:
            _add(figures, row, instant)
    return {name: dict(groups) for name, groups in found.items()}


def _add(figures: Figures, row: Any, instant: datetime) -> None:
    figures.total += 1
    figures.changed += row.changed_data
    if row.status in WAITING:
        figures.open += row.status == "open"
        figures.answered += row.status == "answered"
        age = (instant - row.raised_at).days
        figures.ages[next((place for place, days in enumerate(AGES) if age <= days), len(AGES))] += 1
    if row.answered_at is not None:
        figures.to_answer.append((row.answered_at - row.raised_at).total_seconds() / 86400)
    if row.status == "closed":
        figures.closed += 1
        if row.closed_at is not None:
            figures.to_close.append((row.closed_at - row.raised_at).total_seconds() / 86400)
