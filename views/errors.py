"""Error pages: a sentence and an error id, never a trace, a statement or a path (SEC-40)."""

import logging
import traceback

from flask import Flask, Response, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from views.guard import wants_json
from views.headers import request_id
from views.shell import language
from workflows.refusals import Refusal

log = logging.getLogger("evidentia.errors")
SECRET_FIELDS = ("password", "csrf_token", "token")


def page(status: int, sentence: str, *, posted: bool = False) -> ResponseReturnValue:
    """The error page, or its JSON twin for a page's script. `posted` offers to send the same form again."""
    if request_ctx.url_adapter is None:  # a host name that is not ours: no page of ours either
        return Response(f"{sentence}\n", status, mimetype="text/plain")
    if wants_json():
        return jsonify(error=status, text=sentence, id=request_id()), status
    again = []
    if posted and request.method == "POST" and request.endpoint is not None:
        again = [(name, value) for name, value in request.form.items(multi=True) if not _is_secret(name)]
    title = _titles().get(status, _("That did not work"))
    html = render_template("error.html", status=status, title=title, text=sentence, error_id=request_id(), again=again)
    return html, status


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_FIELDS)


def _titles() -> dict[int, str]:
    return {
        400: _("The request was not understood"),
        401: _("Sign in first"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("Not possible now"),
        413: _("Too large"),
        422: _("Something needs correcting"),
        429: _("Too many attempts"),
        500: _("Something went wrong"),
        503: _("Nothing was saved"),
    }


def on_refusal(refusal: Refusal) -> ResponseReturnValue:
    """What the rules do not allow, in the refusal's own words."""
    if refusal.status in (403, 404):
        log.warning("%s refused %s", request_id(), refusal.code)
    return page(refusal.status, refusal.text(language()))


def on_http(error: HTTPException) -> ResponseReturnValue:
    """Errors of the protocol: unknown address, wrong method, too large."""
    if isinstance(error, RequestRedirect):
        return error.get_response()
    status = error.code or 500
    sentences = {
        400: _("The browser sent something this page does not expect. Go back, reload the page and try again."),
        403: _("Your role does not allow this. Ask an administrator if you need it."),
        404: Refusal("not-found").text(language()),
        405: _("This address does not accept that."),
        413: _("What was sent is too large. Nothing was saved."),
    }
    return page(status, sentences.get(status, _("The request could not be answered.")))


def on_csrf(error: CSRFError) -> ResponseReturnValue:
    """A post without the page's token: the page is too old, or another site sent it (SEC-21)."""
    log.warning("%s csrf", request_id())
    sentence = _("This page was open too long, or was sent from elsewhere. Nothing was saved. Reload it and try again.")
    if request.endpoint == "signing_in.sign_in" and not wants_json():
        flash(sentence, "warn")
        return redirect(url_for("signing_in.sign_in"), 303)
    return page(400, sentence)


def on_trail_unavailable(error: Exception) -> ResponseReturnValue:
    """The database or the trail cannot be written: nothing was saved, and what was typed can be sent again
    (SEC-41).
    """
    g.bare_page = True
    _write(error)
    return page(503, Refusal("trail-unavailable").text(language()), posted=True)


def on_changed_meanwhile(error: Exception) -> ResponseReturnValue:
    """Two people changed one row at the same moment; the second may try again."""
    log.warning("%s changed meanwhile", request_id())
    sentence = _("Somebody else changed this at the same moment. Nothing of yours was saved. Try again.")
    return page(409, sentence, posted=True)


def on_exception(error: Exception) -> ResponseReturnValue:
    """Anything nobody foresaw."""
    if current_app.testing:
        raise error
    g.bare_page = True
    _write(error)
    return page(
        500,
        _("The error was recorded. Nothing of this request was saved. Tell the administrator the error id."),
    )


def _write(error: Exception) -> None:
    """Log where it happened, not with which values: messages may hold what a person typed (SEC-43)."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    where = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    cause = f" caused by {type(error.__cause__).__name__}" if error.__cause__ else ""
    log.error("%s %s%s at %s", request_id(), type(error).__name__, cause, where)


def install(app: Flask) -> None:
    """Answer every kind of failure with a page of ours."""
    app.register_error_handler(Refusal, on_refusal)
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_exception)
