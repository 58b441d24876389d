"""Participants: who there is, taking a person in, her visits and forms, her history."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.participant_input import ScreenInput, VisitInput
from models import Subject, User
from models.change import Change
from models.clock import today
from views.addresses import page_asked, row_number
from views.board import ICONS, Chip, board_of, event_name, subject_chip
from views.guard import guard, signed_in_user
from views.home import rows_of
from views.shell import instant, language, tone_of
from views.wording import status_name
from workflows import access, duplicates, enrolling, finding, listing, query_list, scheduling, tracing
from workflows.refusals import NotFound, Refusal
from workflows.tracing import TrailFilter

blueprint = Blueprint("participants", __name__)

STATUSES = (
    "screening",
    "consented",
    "eligible",
    "screen_failed",
    "enrolled",
    "on_treatment",
    "follow_up",
    "ended",
    "withdrawn",
    "dead",
)


@dataclass(frozen=True)
class NextVisit:
    """The next visit that should take place."""

    key: str
    name: str
    target: str
    chip: Chip


@dataclass(frozen=True)
class Line:
    """One participant in the list."""

    subject: Subject
    status: Chip
    counts: listing.Counts
    next: NextVisit | None
    late: int
    queries: int


@blueprint.get("/participants")
@guard(action="view participants")
def index() -> ResponseReturnValue:
    """The list, narrowed by number, status, site and what needs attention."""
    user = signed_in_user()
    sites = finding.sites(user, "view participants")
    filters = _filters(sites)
    page = page_asked()
    found, more = listing.participants(user, filters, page)
    args = {
        name: value for name, value in request.args.items() if name in ("q", "status", "site", "attention") and value
    }
    return render_template(
        "participants/index.html",
        lines=_lines(user, found),
        filters=filters,
        is_filtered=bool(args),
        args=args,
        page=page,
        more=more,
        sites=sites,
        statuses={status: status_name(status) for status in STATUSES},
        attentions=_attentions(user),
        may_screen=access.may(user, "screen"),
        may_resolve=access.may(user, "resolve duplicate"),
    )


def _filters(sites: list[Any]) -> listing.Filters:
    code = request.args.get("site", "")
    return listing.Filters(
        text=request.args.get("q", "").strip()[:40].replace("\x00", ""),
        status=request.args.get("status", "") if request.args.get("status") in STATUSES else "",
        site_id=next((site.id for site in sites if site.code == code), None),
        attention=request.args.get("attention", ""),
    )


def _attentions(user: Any) -> dict[str, str]:
    found = {
        "overdue": _("visit overdue"),
        "findings": _("findings to check"),
        "in_progress": _("forms in progress"),
    }
    if access.may(user, "resolve duplicate"):
        found["duplicate"] = _("possible duplicate")
    return found


def _lines(user: User, subjects: list[Subject]) -> list[Line]:
    counts = listing.counts(subjects)
    events = listing.open_events(subjects)
    queries = query_list.waiting_by_subject(user, subjects)
    return [
        _line(each, counts.get(each.id, listing.Counts()), events.get(each.id, []), queries.get(each.id, 0))
        for each in subjects
    ]


def _line(subject: Subject, counts: listing.Counts, events: list[Any], queries: int) -> Line:
    study = finding.design_for(subject.site)
    day = today(subject.site.timezone)
    statuses = [(event, scheduling.status_of(study, event, events, day)) for event in events[:12]]
    late = sum(status == "overdue" for _event, status in statuses)
    coming = next(((event, status) for event, status in statuses if status != "missed"), None)
    if subject.status in ("screen_failed", "dead", "withdrawn", "ended") or coming is None:
        return Line(subject, subject_chip(subject), counts, None, 0, queries)
    event, status = coming
    key = event.event_id if event.repeat == 1 else f"{event.event_id}.{event.repeat}"
    chip = (status_name(status), tone_of(status), ICONS.get(status))
    name = event_name(study.events.get(event.event_id), event)
    coming_next = NextVisit(key, name, event.target.isoformat(), chip)
    return Line(subject, subject_chip(subject), counts, coming_next, late, queries)


@blueprint.get("/participants/new")
@guard(action="screen")
def new() -> ResponseReturnValue:
    """Ask at which site the screening starts."""
    user = signed_in_user()
    return _render_new(_screen_input(), _previous(user, request.args.get("previous")))


def _previous(user: User, number: str | None) -> Subject | None:
    """The failed attempt of the person who is screened again."""
    subject_id = row_number(number)
    return None if subject_id is None else finding.subject(user, subject_id, "screen")


def _screen_input() -> ScreenInput:
    form = ScreenInput()
    form.site.choices = [(site.code, site.name(language())) for site in finding.sites(signed_in_user(), "screen")]
    return form


def _render_new(form: ScreenInput, previous: Subject | None, status: int = 200) -> ResponseReturnValue:
    return render_template("participants/new.html", form=form, previous=previous), status


@blueprint.post("/participants/new")
@guard(action="screen")
def screen() -> ResponseReturnValue:
    """Start the screening: the system issues the number."""
    user, form = signed_in_user(), _screen_input()
    previous = _previous(user, form.previous.data)
    if not form.validate_on_submit():
        return _render_new(form, previous, 422)
    site = finding.site(user, "screen", form.site.data)
    try:
        with Change(by=user, action="screen", site=site, chain=finding.study().oid) as change:
            subject = enrolling.screen(change, site, previous)
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _render_new(form, previous, refusal.status)
    flash(
        _("Screening number %(number)s was issued. Consent comes first.", number=subject.screening_number),
        "ok",
    )
    return redirect(url_for("participants.show", subject_id=subject.id), 303)


@blueprint.get("/participants/<int:subject_id>")
@guard(action="view participants")
def show(subject_id: int) -> ResponseReturnValue:
    """One participant: visits × forms."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id)
    study = finding.design_for(subject.site)
    may_enter = access.may(user, "enter data", at=subject.site_id)
    queries = query_list.waiting_by_form(user, subject)
    resolves = subject.possible_duplicate and access.may(user, "resolve duplicate", at=subject.site_id)
    return render_template(
        "participants/show.html",
        subject=subject,
        status=subject_chip(subject),
        screened=instant(subject.created_at)[:10],
        previous=listing.rescreened_from(user, subject),
        duplicates=duplicates.of(user, subject) if resolves else [],
        board=board_of(subject, study, may_enter, request.args.get("visit", ""), queries),
        queries=sum(queries.values()),
        may_ask=access.may(user, "raise query", at=subject.site_id),
        may_screen=access.may(user, "screen", at=subject.site_id),
        may_schedule=access.may(user, "schedule visit", at=subject.site_id),
        may_trail=access.may(user, "view trail", at=subject.site_id),
        may_print=access.may(user, "print", at=subject.site_id),
        may_freeze=access.may(user, "freeze", at=subject.site_id),
        may_lock=access.may(user, "lock", at=subject.site_id),
        may_sign=access.may(user, "sign", at=subject.site_id),
    )


@blueprint.post("/participants/<int:subject_id>/duplicate")
@guard(action="resolve duplicate")
def dismiss_duplicate(subject_id: int) -> ResponseReturnValue:
    """Say that a possible duplicate is another person, and why."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "resolve duplicate")
    reason, chain = request.form.get("reason"), finding.study().oid
    try:
        with Change(by=user, action="resolve duplicate", reason=reason, subject=subject, chain=chain) as change:
            duplicates.dismiss(change, subject)
        flash(_("They are recorded as different persons."), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for("participants.show", subject_id=subject_id), 303)


@blueprint.post("/participants/<int:subject_id>/visits")
@guard(action="schedule visit")
def visits(subject_id: int) -> ResponseReturnValue:
    """Add an unscheduled visit, mark one as missed, or take that back."""
    user, form = signed_in_user(), VisitInput()
    subject = finding.subject(user, subject_id)
    if not form.validate_on_submit():
        abort(400)
    here = url_for("participants.show", subject_id=subject.id)
    action = "add visit" if form.do.data == "unscheduled" else "mark visit"
    try:
        with Change(
            by=user, action=action, reason=form.reason.data, subject=subject, chain=finding.study().oid
        ) as change:
            event = _change_visit(change, subject, form)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return redirect(here, 303)
    flash(_("The visit was saved."), "ok")
    return redirect(f"{here}?visit={event.key}#e-{event.key}", 303)


def _change_visit(change: Change, subject: Subject, form: VisitInput) -> Any:
    if form.do.data == "unscheduled":
        return enrolling.add_unscheduled(change, subject)
    event = finding.event(subject, form.event.data or "")
    enrolling.mark_visit(change, subject, event, form.do.data)
    return event


@blueprint.get("/participants/<int:subject_id>/history")
@guard(action="view trail")
def history(subject_id: int) -> ResponseReturnValue:
    """Everything that was done about a participant, newest first."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "view trail")
    page = page_asked()
    changes, more = tracing.list_changes(user, TrailFilter(subject_id=subject.id), page)
    return render_template("participants/history.html", subject=subject, rows=rows_of(changes), more=more, page=page)
