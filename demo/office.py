"""The people who oversee one site, and how each of them acts: through the workflow, at a simulated time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from random import Random

from demo.keeping import ZONE, Desk
from models import Subject, User, clock
from models.change import Change


@dataclass
class Office:
    """Who oversees one site. `leads` marks the site whose last visit goes on and whose trail is reviewed."""

    desk: Desk
    monitor: User
    manager: User
    dice: Random
    start: date
    end: date
    leads: bool
    signed: set[int] = field(default_factory=set)  # visits that were signed
    has_reopened: bool = False

    @contextmanager
    def act(self, by: User, action: str, subject: Subject | None = None, reason: str | None = None) -> Iterator[Change]:
        """A change by one of them, at the next instant of the day."""
        desk = self.desk
        with clock.at(desk.calendar.tick()):
            change = Change(by=by, action=action, reason=reason, subject=subject, site=desk.site, chain=desk.study_oid)
            with change:
                yield change

    @property
    def today(self) -> date:
        """The simulated day."""
        return self.desk.calendar.day

    def midnight(self, day: date) -> datetime:
        """When a day begins at the site."""
        return datetime.combine(day, time.min, ZONE)
