"""A participant's visits × forms as one page shows them: rows are visits, cells are forms, aggregated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from design.definitions import EventDef, FormDef, StudyDef
from models import StudyEvent, Subject
from models.clock import today
from views.shell import language, study_label, tone_of
from views.wording import status_name
from workflows import finding, listing, reconsenting, scheduling

SIGNS = {
    "complete": "●",
    "in_progress": "◐",
    "findings": "▲",
    "expected": "○",
    "optional": "·",
    "not_done": "–",
    "not_applicable": "–",
    "in_error": "×",
}
ICONS = {"overdue": "clock", "missed": "alert", "due": "calendar", "done": "check", "not_done": "cross"}
COMING = 3  # that many visits that are not due yet are open; the later ones are folded
FAR = {"planned", "projected", "not_applicable"}
Chip = tuple[str, str, str | None]


@dataclass(frozen=True)
class Cell:
    """One form of one visit, or all instances of a repeating one."""

    form_id: str
    title: str
    state: str
    sign: str
    text: str
    href: str | None
    add: str | None
    queries: int = 0  # that wait


@dataclass(frozen=True)
class Visit:
    """One row."""

    key: str
    name: str
    status: str
    state: str
    chip: Chip
    target: str
    opens: str
    closes: str
    visit_date: str
    window: str | None
    reason: str
    may_mark: bool
    forms: int
    cells: list[Cell]
    queries: int = 0  # that wait and ask about the visit as a whole


@dataclass
class Board:
    """The page: visits to work on, later ones folded, logs."""

    now: list[Visit] = field(default_factory=list)
    later: list[Visit] = field(default_factory=list)
    logs: list[Visit] = field(default_factory=list)
    has_unscheduled: bool = False
    later_open: bool = False


def event_name(definition: EventDef | None, event: StudyEvent) -> str:
    """A visit's name; repeated ones carry their number."""
    name = study_label(definition.label) if definition else event.event_id
    numbered = definition is not None and definition.kind in ("repeating", "unscheduled")
    return f"{name} {event.repeat}" if numbered else name


def board_of(
    subject: Subject, study: StudyDef, may_enter: bool, opened: str = "", queries: Mapping[Any, int] | None = None
) -> Board:
    """Every visit with its forms; two statements whatever the number of visits (events; forms).

    `queries` holds how many wait, by visit and form.
    """
    day = today(subject.site.timezone)
    stored = listing.progress(subject)
    withheld = reconsenting.forms_withheld(subject, study)
    drawing = _Drawing(subject, study, may_enter, cell_words(), language(), queries or {}, withheld)
    board = Board(has_unscheduled=any(each.kind == "unscheduled" for each in study.events.values()))
    coming = 0
    for event in sorted(subject.events, key=_shown_order):
        definition = study.events.get(event.event_id)
        held = stored.get(event.id, {})
        status = scheduling.status_of(study, event, subject.events, day)
        is_log = definition is not None and definition.kind == "log"
        is_far = status in FAR and not held and event.key != opened and not is_log
        if is_far and coming >= COMING:
            board.later.append(drawing.visit(event, status, {}, folded=True))
            continue
        coming += is_far and event.state == "planned"
        (board.logs if is_log else board.now).append(drawing.visit(event, status, held))
    return board


def _shown_order(event: StudyEvent) -> tuple[Any, ...]:
    """As planned; an unscheduled visit without a date stands last."""
    when = event.visit_date or event.target
    return (
        event.position >= 1_000_000,
        event.event_id == "UNS" and when is None,
        event.position,
        event.repeat,
    )


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


@dataclass(frozen=True)
class _Drawing:
    """What all cells of one page share; words are looked up once, not five hundred times."""

    subject: Subject
    study: StudyDef
    may_enter: bool
    words: dict[str, str]
    language: str
    queries: Mapping[Any, int]
    withheld: frozenset[str] = frozenset()  # forms that wait for the consent to an amendment

    def visit(self, event: StudyEvent, status: str, held: Mapping[str, Sequence[Any]], folded: bool = False) -> Visit:
        """One row; folded ones say how many forms they will have, and no more."""
        definition = self.study.events.get(event.event_id)
        asked = {each.form_id: each.required for each in definition.forms} if definition else {}
        forms = [] if folded else [*asked, *(form_id for form_id in held if form_id not in asked)]
        return Visit(
            key=event.key,
            name=event_name(definition, event),
            status=status,
            state=event.state,
            chip=(status_name(status), tone_of(status), ICONS.get(status)),
            target=_day(event.target),
            opens=_day(event.opens),
            closes=_day(event.closes),
            visit_date=_day(event.visit_date),
            window=scheduling.window_of(event),
            reason=event.reason or "",
            may_mark=event.state == "missed" or status in ("due", "overdue", "missed"),
            forms=sum(asked.values()),
            cells=[
                self.cell(event, form_id, asked.get(form_id, False), held.get(form_id, ()))
                for form_id in forms
                if form_id in self.study.forms or held.get(form_id)
            ],
            queries=self.queries.get((event.id, None), 0),
        )

    def cell(self, event: StudyEvent, form_id: str, required: bool, held: Sequence[Any]) -> Cell:
        """One form of a visit."""
        form = self.study.forms.get(form_id) or self.dropped(form_id)
        state, text = self.state(event, required, held)
        waits = form_id in self.withheld and not held
        if waits:
            state, text = "not_applicable", _("after re-consent")
        is_open = self.may_enter and event.state != "not_applicable" and not waits and form_id in self.study.forms
        head = f"/participants/{self.subject.id}/{event.key}/{form_id}"
        if len(held) > 1:
            href, text = head, f"{len(held)} × · {text}"
        else:
            href = f"{head}/{held[0].repeat if held else 'new' if form.repeats else 1}"
        add = f"{head}/new" if form.repeats and held and is_open else None
        title = form.label.text(self.language)
        waiting = self.queries.get((event.id, form_id), 0)
        return Cell(form_id, title, state, SIGNS[state], text, href if held or is_open else None, add, waiting)

    def dropped(self, form_id: str) -> FormDef:
        """A form that this version no longer has, as it was asked last: what was answered stays readable."""
        earlier = (finding.design(version.id) for version in reversed(finding.versions()))
        return next(study.forms[form_id] for study in earlier if form_id in study.forms)

    def state(self, event: StudyEvent, required: bool, held: Sequence[Any]) -> tuple[str, str]:
        """What a cell says: the most pressing of its instances."""
        alive = [each for each in held if each.in_error is None]
        findings = sum(len(each.findings or ()) for each in alive)
        if findings:
            return "findings", ngettext("%(num)d to check", "%(num)d to check", findings)
        if held and not alive:
            return "in_error", self.words["in_error"]
        if not alive:
            closed = event.state in ("not_applicable", "not_done")
            state = "not_applicable" if closed else "expected" if required else "optional"
            return state, self.words[state]
        entries = {each.entry for each in alive}
        state = next((state for state in ("in_progress", "complete", "not_done") if state in entries), "complete")
        return state, self.words[state]


def form_address(subject: Subject, event: StudyEvent, form_id: str, repeat: int | str) -> str:
    """The address of a form."""
    return f"/participants/{subject.id}/{event.key}/{form_id}/{repeat}"


def cell_words() -> dict[str, str]:
    """The states of a form in words."""
    return {
        "complete": _("complete"),
        "in_progress": _("in progress"),
        "expected": _("expected"),
        "optional": _("optional"),
        "not_done": _("not done"),
        "not_applicable": _("not applicable"),
        "in_error": _("in error"),
    }


def subject_chip(subject: Subject) -> Chip:
    """A participant's status as a chip."""
    return status_name(subject.status), tone_of(subject.status), None
