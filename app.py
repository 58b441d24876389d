"""The application: settings, extensions, blueprints, error pages."""

import logging
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response
from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.proxy_fix import ProxyFix

import commands
from models import User, db, triggers
from models.change import ChangedMeanwhile
from models.engine import configure_engine
from settings import ROOT, Settings
from views import (
    amendments,
    analysis,
    cuts,
    delegation,
    deviations,
    errors,
    exports,
    forms,
    guard,
    headers,
    home,
    monitoring,
    outputs,
    participants,
    printing,
    progress,
    protection,
    queries,
    security,
    shell,
    signing,
    signing_in,
    study,
    trail,
    trail_reviews,
    users,
    verification,
)
from views.addresses import RowNumber
from views.session import StoredSessions
from workflows.signing_in import find_user

BLUEPRINTS: tuple[Blueprint, ...] = (
    signing_in.blueprint,
    home.blueprint,
    participants.blueprint,
    forms.blueprint,
    queries.blueprint,
    exports.blueprint,
    cuts.blueprint,
    analysis.blueprint,
    outputs.blueprint,
    trail.blueprint,
    users.blueprint,
    security.blueprint,
    study.blueprint,
    verification.blueprint,
    monitoring.blueprint,
    trail_reviews.blueprint,
    printing.blueprint,
    progress.blueprint,
    signing.blueprint,
    protection.blueprint,
    delegation.blueprint,
    deviations.blueprint,
    amendments.blueprint,
)

migrate = Migrate(directory=str(ROOT / "migrations"), compare_type=True)
csrf = CSRFProtect()
babel = Babel()


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application.

    Raises:
        SettingsFault: the environment asks for something unsafe; the server does not start.
    """
    settings = settings or Settings.from_environ()
    app = Flask(__name__, instance_path=str(Path(settings.instance_dir).resolve()))
    app.url_map.converters["int"] = RowNumber
    app.config.update(_configuration(settings))
    _make_folder(settings)
    app.session_interface = StoredSessions()
    headers.install(app)
    _sign_in(app)
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
    migrate.init_app(app, db)
    babel.init_app(app, locale_selector=shell.choose_language)
    # The guard stands before the CSRF check: who is signed out is sent to the sign-in, not told of a token.
    app.before_request(guard.check_access)
    csrf.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", "healthz", healthz)
    shell.install(app)
    errors.install(app)
    security.install(app)
    app.register_error_handler(ChangedMeanwhile, errors.on_changed_meanwhile)
    app.register_error_handler(DBAPIError, errors.on_trail_unavailable)
    commands.register(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    """Flask's own configuration, from our settings only."""
    return {
        "SETTINGS": settings,
        "SECRET_KEY": settings.secret_key,
        "TESTING": settings.mode == "test",
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},  # statements in logs show no answers (SEC-43)
        "SESSION_COOKIE_NAME": settings.cookie_name,
        "SESSION_COOKIE_SECURE": settings.session_cookie_secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "TRUSTED_HOSTS": settings.hosts,
        "MAX_CONTENT_LENGTH": settings.content_limit,
        "MAX_FORM_MEMORY_SIZE": settings.form_limit,
        "MAX_FORM_PARTS": settings.form_parts,
        "WTF_CSRF_TIME_LIMIT": None,  # the token lives as long as the session, which ends by itself
        "BABEL_DEFAULT_LOCALE": "zh",
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
    }


def _make_folder(settings: Settings) -> None:
    settings.make_private()
    logging.getLogger("evidentia").setLevel(logging.INFO)


def _sign_in(app: Flask) -> None:
    """Flask-Login keeps who is signed in inside our stored session; its own cookies and checks are off."""
    manager = LoginManager()
    manager.session_protection = None  # the token is random and bound to the server's row; addresses change on wards

    @manager.user_loader
    def load(user_id: str) -> User | None:
        return find_user(int(user_id))

    manager.init_app(app)


@guard.guard(public=True)
def healthz() -> Response:
    """Whether the database answers and protects the trail; says nothing else. Without that nothing can be saved."""
    with db.engine.connect() as connection:
        if triggers.missing(connection):
            return Response("the audit trail is not protected\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")
