"""Who may open which address: every view declares it, and an address without a declaration is refused
(ACC-01).

    @blueprint.get("/trail")
    @guard(action="view trail")
    def index(): ...

The declaration is the first of two gates: it asks whether the person may do this *somewhere*. Whether she
may do it at the site of the object in hand is asked by the workflows (`access.require`, `finding`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, flash, g, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from itsdangerous import BadData, URLSafeSerializer
from wtforms import ValidationError

from forms.signing_in import ConfirmInput, SignInInput
from models import User
from models.clock import now
from workflows import access, sessions

View = TypeVar("View", bound=Callable[..., Any])
RECENT = timedelta(minutes=30)
WHILE_PASSWORD_IS_DUE = {"signing_in.password", "signing_in.sign_out", "signing_in.switch_language"}


@dataclass(frozen=True)
class Rule:
    """What an address asks of the person: nothing, a sign-in, or an action; `recent` asks for the password
    again.
    """

    public: bool = False
    signed_in: bool = False
    action: str | None = None
    recent: bool = False


STATIC = Rule(public=True)


def guard(
    *, public: bool = False, signed_in: bool = False, action: str | None = None, recent: bool = False
) -> Callable[[View], View]:
    """Declare who may open a view: exactly one of `public`, `signed_in` and `action`.

    `recent` asks for the password once more when it was typed more than half an hour ago (SEC-16).

    Raises:
        ValueError: none or several are given, or the action is not in the access table.
    """
    if [public, signed_in, action is not None].count(True) != 1:
        raise ValueError("declare exactly one of public, signed_in and action")
    if action is not None and action not in access.ACTIONS:
        raise ValueError(f"unknown action {action!r}")
    rule = Rule(public, signed_in or action is not None, action, recent)

    def declare(view: View) -> View:
        view.rule = rule  # type: ignore[attr-defined]
        return view

    return declare


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """The declared rule of an endpoint; None when nobody declared one."""
    return STATIC if endpoint == "static" else getattr(app.view_functions[endpoint], "rule", None)


def matrix(app: Flask) -> dict[str, Rule | None]:
    """Endpoint -> rule, for every address of the application; the access test walks it."""
    return {rule.endpoint: rule_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}


def signed_in_user() -> User:
    """The person who is signed in, as the object itself (workflows take no proxies)."""
    user: User = current_user._get_current_object()
    return user


def wants_json() -> bool:
    """Whether the page's script asks, not the person's browser."""
    return (
        request.is_json or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )


def check_access() -> ResponseReturnValue | None:
    """Before every request: let it through, send the person to the sign-in, or refuse.

    Raises:
        Forbidden: signed in, but no role allows it.
    """
    if request.method in ("TRACE", "TRACK", "CONNECT"):
        abort(405)
    if request.endpoint is None:
        return None
    rule = rule_of(current_app, request.endpoint)
    if rule is None:
        current_app.logger.error("endpoint without a declared rule: %s", request.endpoint)
        abort(403)
    if rule.public:
        return None
    if not current_user.is_authenticated:
        return _send_to_sign_in(rule)
    user = signed_in_user()
    if user.must_change_password and request.endpoint not in WHILE_PASSWORD_IS_DUE:
        return redirect(url_for("signing_in.password"), 303)
    if rule.action is not None:
        access.require(user, rule.action)
    if rule.recent and not is_recent():
        return _ask_again()
    return None


def is_recent() -> bool:
    """Whether the password was typed within the last half hour."""
    typed = session.get("password_at")
    return typed is not None and now() - datetime.fromisoformat(typed) < RECENT


def mark_recent() -> None:
    """Note that the password was typed right now."""
    session["password_at"] = now().isoformat()


def _here() -> str:
    """The address to come back to; after a post, the page it was posted from is usually at the same
    address.
    """
    return request.full_path.rstrip("?")


def _send_to_sign_in(rule: Rule) -> ResponseReturnValue:
    ended = g.get("session_ended", False)
    if wants_json():
        return jsonify(error="signed-out", text=_("You are signed out. Sign in again in another tab.")), 401
    if ended:
        flash(_("You were signed out after a time without activity. Sign in to go on."), "warn")
    owner = sessions.last_owner(g.ended_token) if ended and rule.recent and request.method == "POST" else None
    if owner is not None:
        form = SignInInput(formdata=None, next=local_path(_here()), typed=_signer().dumps([owner, _typed()]))
        return render_template("signing_in/sign_in.html", form=form), 401
    here = _here() if request.endpoint != "home.index" else None
    return redirect(url_for("signing_in.sign_in", next=here), 303)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="typed before the session ended")


def typed_before(user: User, signed: str | None) -> str:
    """What this person posted when her session had ended, as the sign-in page kept it; nothing for anybody else.

    A post of another site comes without the cookie of the ended session, so it is never kept.
    """
    try:
        owner, typed = _signer().loads(signed or "")
    except BadData:
        return ""
    return str(typed) if owner == user.id else ""


def _ask_again() -> ResponseReturnValue:
    """The password once more. What was posted waits on that page, to be sent after it (SEC-16)."""
    if wants_json():
        return jsonify(error="confirm", text=_("Please confirm your password in another tab first.")), 401
    if request.method == "GET":
        return redirect(url_for("signing_in.confirm", next=local_path(_here())), 303)
    if not _is_from_our_page():
        return redirect(url_for("signing_in.confirm"), 303)
    form = ConfirmInput(formdata=None, next=local_path(_here()), typed=_typed())
    return render_template("signing_in/confirm.html", form=form), 401


def _is_from_our_page() -> bool:
    """Whether the post carries the page's token; what another site sent is not offered for sending again."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True


def _typed() -> str:
    """The posted fields as text, without token and passwords. Files are not kept: they are chosen again."""
    fields = request.form.items(multi=True)
    return json.dumps([[name, value] for name, value in fields if name != "csrf_token" and "password" not in name])


def local_path(address: str | None) -> str | None:
    """The address if it is a path of this site, else None: never a way to somewhere else (SEC-49).

    An absolute address of this very host is cut down to its path. Backslashes and control characters are
    refused, because browsers read them as slashes or drop them.
    """
    if not address:
        return None
    if address.startswith(request.host_url):
        address = "/" + address[len(request.host_url) :]
    if not address.startswith("/") or address.startswith("//") or "\\" in address:
        return None
    if any(character <= " " or character == "\x7f" for character in address):
        return None
    return address
