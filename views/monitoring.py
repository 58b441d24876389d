"""Monitoring visits: the list, one visit while it is open, and its report."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.verification import OpenVisitInput, VisitNotesInput
from models import MonitoringVisit, User
from models.change import Change
from models.clock import today
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import finding, monitoring, states
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("monitoring", __name__, url_prefix="/monitoring")


@blueprint.get("")
@guard(action="view reviews")
def index() -> ResponseReturnValue:
    """All visits at the user's sites, and the way to begin one."""
    user = signed_in_user()
    return _index(user, _open_form(user))


@blueprint.post("")
@guard(action="monitor site")
def open_visit() -> ResponseReturnValue:
    """Begin a visit; from now on marks and queries of this monitor at the site belong to it."""
    user = signed_in_user()
    form = _open_form(user)
    if not form.validate_on_submit():
        return _index(user, form), 422
    site = finding.site(user, "monitor site", form.site.data)
    try:
        with Change(by=user, action="open monitoring visit", site=site, chain=finding.study().oid) as change:
            visit = monitoring.open_visit(change, site, form.kind.data, form.starts_on.data or today())
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return redirect(url_for(".index"), 303)
    flash(_("The visit is open. What you verify and ask at this site now belongs to it."), "ok")
    return redirect(url_for(".show", visit_id=visit.id), 303)


def _open_form(user: User) -> OpenVisitInput:
    form = OpenVisitInput(starts_on=today())
    sites = finding.sites(user, "monitor site")
    form.site.choices = [(site.code, f"{site.code} {site.name(language())}") for site in sites]
    form.kind.choices = [(kind, words[language() == "zh"]) for kind, words in monitoring.KINDS.items()]
    return form


def _index(user: User, form: OpenVisitInput) -> str:
    return render_template(
        "monitoring/index.html",
        visits=[(visit, kind_words(visit)) for visit in monitoring.list_visits(user)],
        form=form,
        may_open=bool(form.site.choices),
    )


def kind_words(visit: MonitoringVisit) -> str:
    """What kind of visit it is."""
    return monitoring.KINDS[visit.kind][language() == "zh"]


@blueprint.get("/<int:visit_id>")
@guard(action="view reviews")
def show(visit_id: int) -> ResponseReturnValue:
    """A visit: while it is open, what it holds so far and its words; finished, the report as it was kept."""
    user = signed_in_user()
    visit = monitoring.find_visit(user, visit_id)
    return _show(user, visit, _notes_form(visit))


@blueprint.post("/<int:visit_id>")
@guard(action="monitor site")
def write(visit_id: int) -> ResponseReturnValue:
    """Keep the monitor's words; with `do=finish`, end the visit and keep its report."""
    user = signed_in_user()
    visit = monitoring.find_visit(user, visit_id)
    form = _notes_form(visit)
    if not form.validate_on_submit():
        return _show(user, visit, form), 422
    ends = form.do.data == "finish"
    try:
        with Change(
            by=user,
            action="finish monitoring visit" if ends else "write monitoring visit",
            site=visit.site,
            chain=finding.study().oid,
        ) as change:
            texts = [field.data or "" for field in (form.present, form.summary, form.actions)]
            monitoring.note(change, visit, *texts)
            if ends:
                monitoring.finish(change, visit, form.ends_on.data or today(visit.site.timezone))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _show(user, monitoring.find_visit(user, visit_id), form), refusal.status
    text = _("The visit is finished and its report is kept.") if ends else _("Saved.")
    flash(text + " " + _("Receipt %(receipt)s.", receipt=change.receipt), "ok")
    return redirect(url_for(".show", visit_id=visit.id), 303)


def _notes_form(visit: MonitoringVisit) -> VisitNotesInput:
    return VisitNotesInput(
        present=visit.present,
        summary=visit.summary,
        actions=visit.actions,
        ends_on=visit.ends_on or today(visit.site.timezone),
    )


def _show(user: User, visit: MonitoringVisit, form: VisitNotesInput) -> str:
    report: dict[str, Any] = visit.report or monitoring.report_of(visit)
    return render_template(
        "monitoring/show.html",
        visit=visit,
        kind=kind_words(visit),
        report=report,
        form=form,
        query_states={state: words[language() == "zh"] for state, words in states.STATE_WORDS.items()},
        mine=visit.status == "open" and visit.monitor_id == user.id,
    )
