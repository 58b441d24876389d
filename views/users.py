"""Managing users: accounts, grants, and who had access on a date."""

from datetime import datetime, time, timedelta

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from design.types import ValueFault, read_day
from forms.users import GrantInput, NewUserInput, ReasonInput
from models import Site, User
from models.change import Change
from models.clock import now, today
from views import wording
from views.guard import guard, signed_in_user
from views.session import limits
from views.shell import HOME_ZONE, instant, language, role_name
from workflows import access, finding, granting, sessions, tracing
from workflows.refusals import Refusal

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("")
@guard(action="manage users")
def index() -> ResponseReturnValue:
    """Everybody who has or had an account."""
    by = signed_in_user()
    people = finding.users(by)
    return render_template(
        "users/index.html",
        people=people,
        grants={person.id: access.active_grants(person) for person in people},
        last=tracing.last_sign_ins(by),
        at=now(),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@guard(action="manage users", recent=True)
def new() -> ResponseReturnValue:
    """Open an account; the temporary password is shown once, to be handed over in person."""
    form, by = NewUserInput(), signed_in_user()
    if not form.validate_on_submit():
        return render_template("users/new.html", form=form), 200 if request.method == "GET" else 422
    temporary = granting.temporary_password()
    try:
        with Change(by=by, action="create user", chain="system") as change:
            person = granting.create_user(
                change,
                form.username.data or "",
                form.full_name.data or "",
                temporary,
                form.language.data,
                True,
            )
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return render_template("users/new.html", form=form), refusal.status
    return _show(person, temporary=temporary)


@blueprint.get("/access")
@guard(action="manage users")
def access_on() -> ResponseReturnValue:
    """Who had which access on a date: every grant that held at any time of that day (AUD-10)."""
    try:
        day = read_day(request.args.get("on") or today().isoformat())
    except ValueFault:
        flash(Refusal("bad-date").text(language()), "error")
        day = today()
    begin = datetime.combine(day, time.min, HOME_ZONE)
    return render_template(
        "users/access.html",
        on=day,
        grants=granting.grants_between(signed_in_user(), begin, begin + timedelta(days=1)),
        actions=access.ACTIONS,
        table=access.ACCESS,
        until=until,
    )


@blueprint.get("/<int:user_id>")
@guard(action="manage users")
def show(user_id: int) -> ResponseReturnValue:
    """One account: its grants, its sessions, and what happened to it."""
    return _show(finding.user(signed_in_user(), user_id))


@blueprint.post("/<int:user_id>/grants")
@guard(action="manage users", recent=True)
def add_grant(user_id: int) -> ResponseReturnValue:
    """Give a role at a site."""
    by = signed_in_user()
    person, form = finding.user(by, user_id), _grant_form(by)
    if not form.validate_on_submit():
        return _show(person, form), 422
    starts = datetime.combine(form.starts_on.data, time.min, HOME_ZONE) if form.starts_on.data else None
    ends = datetime.combine(form.ends_on.data, time.min, HOME_ZONE) + timedelta(days=1) if form.ends_on.data else None
    site = _site(by, form.site.data)
    try:
        with Change(by=by, action="grant role", reason=form.reason.data, chain="system") as change:
            granting.grant(change, person, form.role.data, site, starts, ends)
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _show(person, form), refusal.status
    flash(_("%(name)s is now %(role)s.", name=person.full_name, role=role_name(form.role.data)), "ok")
    return redirect(url_for(".show", user_id=person.id), 303)


@blueprint.post("/<int:user_id>/grants/<int:grant_id>/end")
@guard(action="manage users", recent=True)
def end_grant(user_id: int, grant_id: int) -> ResponseReturnValue:
    """Take a role back now."""
    person = finding.user(signed_in_user(), user_id)
    given = granting.find_grant(person, grant_id)

    def end(change: Change) -> None:
        granting.end_grant(change, given)

    return _do(person, "end grant", f"access_grant/{given.id}", end, _("The role is taken back."))


@blueprint.post("/<int:user_id>/deactivate")
@guard(action="manage users", recent=True)
def deactivate(user_id: int) -> ResponseReturnValue:
    """Close the account; the person is out at her next request."""
    person = finding.user(signed_in_user(), user_id)

    def close(change: Change) -> None:
        granting.deactivate(change, person)

    return _do(person, "deactivate user", f"app_user/{person.id}", close, _("The account is closed."))


@blueprint.post("/<int:user_id>/reactivate")
@guard(action="manage users", recent=True)
def reactivate(user_id: int) -> ResponseReturnValue:
    """Open the account again."""
    person = finding.user(signed_in_user(), user_id)

    def reopen(change: Change) -> None:
        granting.reactivate(change, person)

    return _do(person, "reactivate user", f"app_user/{person.id}", reopen, _("The account is open again."))


@blueprint.post("/<int:user_id>/sessions/end")
@guard(action="manage users", recent=True)
def end_sessions(user_id: int) -> ResponseReturnValue:
    """End all sessions of a person, for example after a lost tablet."""
    person = finding.user(signed_in_user(), user_id)

    def end(change: Change) -> None:
        sessions.end_all(change, person)

    return _do(person, "end sessions", f"app_user/{person.id}", end, _("All sessions of this person are ended."))


@blueprint.post("/<int:user_id>/password")
@guard(action="manage users", recent=True)
def reset_password(user_id: int) -> ResponseReturnValue:
    """A temporary password, shown once."""
    by = signed_in_user()
    person, form = finding.user(by, user_id), ReasonInput()
    if not form.validate_on_submit():
        flash(Refusal("bad-reason").text(language()), "error")
        return _show(person), 422
    temporary = granting.temporary_password()
    with Change(
        by=by, action="reset password", reason=form.reason.data, about=f"app_user/{person.id}", chain="system"
    ) as change:
        granting.reset_password(change, person, temporary)
    return _show(person, temporary=temporary)


def _do(person: User, action: str, about: str, work, done: str) -> ResponseReturnValue:  # type: ignore[no-untyped-def]
    """One change to an account, with its reason, then back to its page."""
    form = ReasonInput()
    if not form.validate_on_submit():
        flash(Refusal("bad-reason").text(language()), "error")
        return _show(person), 422
    try:
        with Change(by=signed_in_user(), action=action, reason=form.reason.data, about=about, chain="system") as change:
            work(change)
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _show(person), refusal.status
    flash(done, "ok")
    return redirect(url_for(".show", user_id=person.id), 303)


def until(at: datetime | None) -> str:
    """Until when a role holds: its last day when it ends with one, as it is asked for; else the instant it ended."""
    if at is None:
        return "–"
    local = at.astimezone(HOME_ZONE)
    return (local.date() - timedelta(days=1)).isoformat() if local.time() == time.min else instant(at)


def _site(by: User, code: str | None) -> Site | None:
    return next((site for site in finding.sites(by, "manage users") if site.code == code), None) if code else None


def _grant_form(by: User) -> GrantInput:
    form = GrantInput()
    form.role.choices = [(role, role_name(role)) for role in access.ROLES]
    form.site.choices = [("", _("all sites"))] + [
        (site.code, f"{site.code} {site.name(language())}") for site in finding.sites(by, "manage users")
    ]
    return form


def _show(person: User, form: GrantInput | None = None, temporary: str | None = None) -> str:
    by = signed_in_user()
    return render_template(
        "users/show.html",
        person=person,
        form=form or _grant_form(by),
        reason=ReasonInput(formdata=None),
        temporary=temporary,
        at=now(),
        until=until,
        open_sessions=sessions.list_open(person, *limits(current_app)),
        history=tracing.about_user(by, person),
        action_name=wording.action_name,
    )
