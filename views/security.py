"""One's own sessions, the alerts that administrators see, and noticing refused requests."""

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from models.change import Change
from views.guard import guard, signed_in_user
from views.session import limits
from workflows import alerting, sessions

blueprint = Blueprint("security", __name__)
NOTICED = {403: "access-refused", 404: "not-found", 503: "trail-unavailable"}


@blueprint.get("/sessions")
@guard(signed_in=True)
def own_sessions() -> str:
    """Where the person is signed in: device, since, last used, shortened address (SEC-15)."""
    token = session.token  # type: ignore[attr-defined]
    found = sessions.list_open(signed_in_user(), *limits(current_app), token)
    return render_template("signing_in/sessions.html", sessions=found)


@blueprint.post("/sessions/end-others")
@guard(signed_in=True)
def end_others() -> ResponseReturnValue:
    """Sign out everywhere else, for example after a tablet was left behind."""
    user = signed_in_user()
    with Change(by=user, action="sign out elsewhere", about=f"app_user/{user.id}", chain="system") as change:
        sessions.end_others(change, user, session.token)  # type: ignore[attr-defined]
    flash(_("You are signed out everywhere else."), "ok")
    return redirect(url_for("security.own_sessions"), 303)


@blueprint.get("/users/alerts")
@guard(action="manage users")
def alerts() -> str:
    """The register of alerts (ACC-10)."""
    return render_template(
        "users/alerts.html",
        alerts=alerting.alerts(signed_in_user()),
        kinds=alerting.KINDS,
        mail=current_app.config["SETTINGS"].mail,
    )


def notice(response: Response) -> Response:
    """After every request: a refusal, an object that is not there for this person, a trail that cannot be written.

    An address that does not exist at all is a slip of the keyboard, not an attempt: only known addresses count.
    """
    kind = NOTICED.get(response.status_code)
    if kind is None or request.url_rule is None:
        return response
    address = request.remote_addr or "unknown"
    if kind == "trail-unavailable":
        alerting.note(kind, "trail", address)
    elif "_login_user" in g and current_user.is_authenticated:
        user = signed_in_user()
        alerting.note(kind, f"app_user/{user.id}", address, user.id)
    return response


def install(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(notice)
