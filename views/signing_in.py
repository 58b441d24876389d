"""Signing in and out, one's own password, the language, and the first administrator."""

import json

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user, login_user
from werkzeug.exceptions import NotFound

from forms.signing_in import ConfirmInput, FirstAdministratorInput, PasswordInput, SignInInput
from models import User
from models.change import Change, System
from views.guard import guard, local_path, mark_recent, signed_in_user, typed_before
from views.shell import LANGUAGES, language
from workflows import first_administrator, granting, signing_in
from workflows.refusals import Refusal

blueprint = Blueprint("signing_in", __name__)


def _address() -> str:
    return request.remote_addr or "unknown"


def _begin_session(user: User) -> None:
    """A new session under a new token: nothing known before the sign-in is worth anything after it
    (SEC-12).
    """
    chosen = session.get("language")
    session.renew()  # type: ignore[attr-defined]
    g.pop("csrf_token", None)
    if chosen:
        session["language"] = chosen
    login_user(user)
    mark_recent()


@blueprint.route("/sign-in", methods=["GET", "POST"])
@guard(public=True)
def sign_in() -> ResponseReturnValue:
    """The first page anybody sees."""
    if current_user.is_authenticated:
        return redirect(local_path(request.args.get("next")) or url_for("home.index"), 303)
    if not signing_in.has_users():
        return redirect(url_for("signing_in.create_first_administrator"), 303)
    form = SignInInput()
    if not form.validate_on_submit():
        if request.method == "GET":
            form.next.data = local_path(request.args.get("next"))
        return render_template("signing_in/sign_in.html", form=form), 200 if request.method == "GET" else 422
    try:
        user = signing_in.sign_in(form.username.data or "", form.password.data or "", _address())
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return render_template("signing_in/sign_in.html", form=form), refusal.status
    _begin_session(user)
    return _go_on(form.next.data, typed_before(user, form.typed.data))


@blueprint.post("/sign-out")
@guard(signed_in=True)
def sign_out() -> ResponseReturnValue:
    """End the session here and on the server; tell the browser to forget the pages (SEC-25)."""
    signing_in.sign_out(signed_in_user())
    chosen = session.get("language")
    session.renew()  # type: ignore[attr-defined]
    g.pop("csrf_token", None)
    if chosen:
        session["language"] = chosen
    flash(_("You are signed out."), "ok")
    response = redirect(url_for("signing_in.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.post("/language/<code>")
@guard(public=True)
def switch_language(code: str) -> ResponseReturnValue:
    """Show everything in the other language for this session."""
    if code not in LANGUAGES:
        raise NotFound
    session["language"] = code
    return redirect(local_path(request.form.get("next")) or url_for("home.index"), 303)


@blueprint.route("/confirm", methods=["GET", "POST"])
@guard(signed_in=True)
def confirm() -> ResponseReturnValue:
    """The password once more, before something that only the person herself should do (SEC-16)."""
    form = ConfirmInput()
    if not form.validate_on_submit():
        if request.method == "GET":
            form.next.data = local_path(request.args.get("next"))
        return render_template("signing_in/confirm.html", form=form), 200 if request.method == "GET" else 422
    try:
        signing_in.confirm(signed_in_user(), form.password.data or "", _address())
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return render_template("signing_in/confirm.html", form=form), refusal.status
    mark_recent()
    return _go_on(form.next.data, form.typed.data)


def _go_on(wanted: str | None, typed: str | None) -> ResponseReturnValue:
    """To the page that was asked for; or what was posted there once more, to be sent by a press of a button."""
    address = local_path(wanted) or url_for("home.index")
    if typed:
        return render_template("signing_in/again.html", address=address, again=_pairs(typed))
    return redirect(address, 303)


def _pairs(typed: str) -> list[tuple[str, str]]:
    """What was posted before the password was asked for, as the guard kept it on the page."""
    try:
        return [(str(name), str(value)) for name, value in json.loads(typed)]
    except (ValueError, TypeError):
        abort(400)


@blueprint.route("/password", methods=["GET", "POST"])
@guard(signed_in=True)
def password() -> ResponseReturnValue:
    """Change one's own password; forced when it is temporary."""
    form, user = PasswordInput(), signed_in_user()
    page = {"form": form, "due": user.must_change_password, "profile": signing_in.profile()}
    if not form.validate_on_submit():
        return render_template("signing_in/password.html", **page), 200 if request.method == "GET" else 422
    try:
        signing_in.confirm(user, form.current.data or "", _address())
        with Change(by=user, action="change password", about=f"app_user/{user.id}", chain="system") as change:
            granting.set_password(change, user, form.new.data or "")
    except Refusal as refusal:
        wrong = refusal.code == "sign-in-refused"
        flash(_("The current password is not right.") if wrong else refusal.text(language()), "error")
        return render_template("signing_in/password.html", **page), 422 if wrong else refusal.status
    _begin_session(user)
    flash(_("Your password is changed. Your other sessions are ended."), "ok")
    return redirect(url_for("home.index"), 303)


@blueprint.route("/first-administrator", methods=["GET", "POST"])
@guard(public=True)
def create_first_administrator() -> ResponseReturnValue:
    """Create the first account with the one-time token; the page is gone as soon as anybody has an account
    (SEC-11).
    """
    if signing_in.has_users():
        raise NotFound
    form, settings = FirstAdministratorInput(), current_app.config["SETTINGS"]
    page = {"form": form, "profile": signing_in.profile()}
    if not form.validate_on_submit():
        return render_template("signing_in/first_administrator.html", **page), 200 if request.method == "GET" else 422
    try:
        with Change(by=System("first-administrator"), action="create user", chain="system") as change:
            values = (form.token, form.username, form.full_name, form.password, form.language)
            user = first_administrator.create(change, settings, *(field.data or "" for field in values))
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return render_template("signing_in/first_administrator.html", **page), refusal.status
    first_administrator.withdraw_token(settings)
    with force_locale(user.language):
        flash(_("The first administrator is created. Sign in."), "ok")
    return redirect(url_for("signing_in.sign_in"), 303)
