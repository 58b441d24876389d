"""How the demonstration's people work: each save through the workflow, at a simulated time, under her own name."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from demo.filling import complete, document
from models import FormData, Site, StudyEvent, Subject, User, clock
from models.change import Change
from workflows import enrolling, entering, finding
from workflows.refusals import Invalid, OverrideNeeded

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Calendar:
    """The simulated day, shared by both centres; time only goes forward."""

    day: date
    entries: int = 0

    def turn_to(self, day: date) -> None:
        """Go on to a later day."""
        if day > self.day:
            self.day, self.entries = day, 0

    def tick(self) -> datetime:
        """The next instant of the working day: people enter things one after the other."""
        self.entries += 1
        moment = datetime.combine(self.day, time(8, 0), ZONE) + timedelta(seconds=70 * self.entries)
        return moment.astimezone(ZoneInfo("UTC"))


@dataclass
class Desk:
    """The staff of one centre: what the stories call to get things entered."""

    study_oid: str
    site: Site
    nurse: User
    investigator: User
    dice: Random
    calendar: Calendar
    saves: int = 0

    def screen(self, previous: Subject | None = None) -> Subject:
        """Start a screening."""
        with clock.at(self.calendar.tick()), self._change(self.nurse, "screen") as change:
            return enrolling.screen(change, self.site, previous)

    def save(
        self,
        subject: Subject,
        event: str,
        form: str,
        day: date,
        values: dict[str, Any],
        *,
        repeat: int | None = None,
        by: User | None = None,
        reason: str | None = None,
        fill: bool = True,
    ) -> FormData | None:
        """Enter a form as a nurse would: what the story says, and something plausible for the rest.

        `repeat` None starts a new instance of a repeating form; a protected check is overridden by the investigator.
        """
        person = by or self.nurse
        with clock.at(self.calendar.tick()):
            place = self._place(person, subject, event, form, repeat)
            answers = document(place, values)
            if fill:
                answers = complete(place, answers, day, self.dice)
            return self._store(place, answers, person, reason)

    def foresee(self, subject: Subject, event: str, form: str, values: dict[str, Any]) -> dict[str, Any]:
        """The answers a form would have, derived ones too: what the page shows before it is saved."""
        with clock.at(self.calendar.tick()):
            place = self._place(self.nurse, subject, event, form, None)
            return entering.check(place, document(place, values)).answers

    def _place(self, person: User, subject: Subject, event: str, form: str, repeat: int | None) -> Any:
        occasion = finding.event(subject, event)
        definition = finding.design_for(subject.site).forms[form]
        if repeat is None and not definition.repeats:
            repeat = 1
        return finding.place(person, subject.id, occasion.key, form, repeat)

    def _store(self, place: Any, answers: dict[str, Any], person: User, reason: str | None) -> FormData | None:
        revision = place.data.revision if place.data else None
        self.saves += 1
        try:
            with self._change(person, "save form", reason, place.subject) as change:
                return entering.save_form(change, place, answers, revision).data
        except OverrideNeeded as refused:
            overrides = {found.check_id: "经主要研究者确认属实" for found in refused.findings}
        except Invalid as refused:
            told = [f"{found.check_id} {found.paths}: {found.label.en}" for found in refused.findings]
            raise RuntimeError(f"{place.form.id} of {place.subject.label} cannot be saved: {told}") from refused
        with self._change(self.investigator, "save form", reason, place.subject) as change:
            return entering.save_form(change, place, answers, revision, overrides).data

    def unscheduled(self, subject: Subject) -> StudyEvent:
        """Add an unscheduled visit."""
        with clock.at(self.calendar.tick()), self._change(self.nurse, "add visit", None, subject) as change:
            return enrolling.add_unscheduled(change, subject)

    def miss(self, subject: Subject, event: str, reason: str) -> None:
        """Mark a visit as missed."""
        with clock.at(self.calendar.tick()), self._change(self.nurse, "mark visit", reason, subject) as change:
            enrolling.mark_visit(change, subject, finding.event(subject, event), "missed")

    def mark_in_error(self, subject: Subject, event: str, form: str, repeat: int, reason: str) -> None:
        """Mark a record as entered in error."""
        with clock.at(self.calendar.tick()):
            place = self._place(self.nurse, subject, event, form, repeat)
            with self._change(self.nurse, "mark in error", reason, subject) as change:
                entering.mark_in_error(change, place)

    def _change(self, by: User, action: str, reason: str | None = None, subject: Subject | None = None) -> Change:
        return Change(by=by, action=action, reason=reason, chain=self.study_oid, subject=subject, site=self.site)
