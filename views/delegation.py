"""The delegation log of a site: a page that can be printed, and its changes."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from models import Delegation, Site, User
from models.change import Change
from models.clock import today
from views.addresses import row_number
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, delegating, finding
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("delegation", __name__, url_prefix="/delegation")


@blueprint.get("")
@guard(action="view reviews")
def index() -> ResponseReturnValue:
    """The log of one site."""
    user = signed_in_user()
    sites = finding.sites(user, "view reviews")
    site = finding.site(user, "view reviews", request.args.get("site") or (sites[0].code if sites else ""))
    lines, day = delegating.log_of(site.id), today(site.timezone)
    may_delegate = access.may(user, "delegate", at=site)
    return render_template(
        "delegation/index.html",
        sites=sites,
        site=site,
        lines=[(line, _is_in_force(line, day)) for line in lines],
        names=delegating.names_of(lines),
        tasks=_tasks(),
        day=day,
        principal=delegating.principal_of(site),
        people=delegating.people(site) if may_delegate else [],
        may_delegate=may_delegate,
    )


@blueprint.post("")
@guard(action="delegate")
def delegate() -> ResponseReturnValue:
    """Write somebody into the log."""
    user = signed_in_user()
    site = _site(user)
    person = next((each for each in delegating.people(site) if str(each.id) == request.form.get("person")), None)
    try:
        if person is None:
            raise Refusal("delegation-person")
        starts, ends = _day("starts_on"), _day("ends_on")
        if starts is None:
            raise Refusal("bad-date")
        with Change(by=user, action="delegate", site=site, chain=site.study.oid) as change:
            delegating.delegate(change, site, person, request.form.getlist("task"), starts, ends)
        flash(_("Written into the log. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for(".index", site=site.code), 303)


@blueprint.post("/end")
@guard(action="delegate")
def end() -> ResponseReturnValue:
    """End a line."""
    user = signed_in_user()
    site = _site(user)
    line = next((each for each in delegating.log_of(site.id) if each.id == row_number(request.form.get("line"))), None)
    if line is None:
        raise NotFound
    try:
        last, reason = _day("last_day"), request.form.get("reason", "")[:500]
        if last is None:
            raise Refusal("bad-date")
        with Change(by=user, action="end delegation", reason=reason, site=site, chain=site.study.oid) as change:
            delegating.end(change, line, last)
        flash(_("The delegation is ended. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for(".index", site=site.code), 303)


def _site(user: User) -> Site:
    return finding.site(user, "delegate", request.form.get("site", ""))


def _tasks() -> dict[str, str]:
    return {code: words[language() == "zh"] for code, words in delegating.TASKS.items()}


def _is_in_force(line: Delegation, day: date) -> bool:
    return line.starts_on <= day and (line.ends_on is None or day <= line.ends_on)


def _day(name: str) -> date | None:
    """A day as typed; None when nothing was.

    Raises:
        Refusal: it is none.
    """
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal("bad-date") from None
