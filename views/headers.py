"""What every answer carries: headers that close the browser's doors (SEC-23, SEC-24, SEC-25)."""

import logging
import secrets
import time

from flask import Flask, Response, current_app, g, request
from flask_login import current_user

log = logging.getLogger("evidentia.requests")

YEAR = 365 * 24 * 3600
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'; manifest-src 'none'; media-src 'none'; worker-src 'none'"
)


def csp_nonce() -> str:
    """The nonce of this answer, for the script and style tags of its page."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return str(g.csp_nonce)


def begin() -> None:
    """Name the request, so that a person's error id and the log line find each other."""
    request_id()
    g.began = time.perf_counter()


def request_id() -> str:
    """The id of this request, made by the server: 48 random bits."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


def finish(response: Response) -> Response:
    """Set the headers and write one log line without personal data: no address, no query, no names
    (SEC-43).
    """
    headers = response.headers
    headers["Content-Security-Policy"] = POLICY.format(nonce=csp_nonce())
    headers["X-Request-ID"] = request_id()
    for name, value in FIXED.items():
        headers.setdefault(name, value)
    if current_app.config["SETTINGS"].session_cookie_secure:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    if request.endpoint == "static" and response.status_code in (200, 304):
        headers["Cache-Control"] = "public, max-age=86400" if request.args.get("v") else "no-cache"
    else:
        headers["Cache-Control"] = "no-store"
        headers["Vary"] = "Cookie"
    _write_line(response)
    return response


def _write_line(response: Response) -> None:
    """The rule of the address, never the address: `/participants/<int:subject_id>`."""
    rule = request.url_rule.rule if request.url_rule else "-"
    signed_in = "_login_user" in g and current_user.is_authenticated
    elapsed = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
    user = current_user.get_id() if signed_in else "-"
    log.info("%s %s %s %d %.0fms user=%s", request_id(), request.method, rule, response.status_code, elapsed, user)


def install(app: Flask) -> None:
    """First before every request, last after it."""
    app.before_request(begin)
    app.after_request(finish)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
