"""Start the application: bring the database up to date, say where it is, and serve it with gunicorn.

`MODE=demo python serve.py` fills an empty database with the synthetic trial first (the second start redoes nothing);
`MODE=production python serve.py` starts empty and prints a one-time token for creating the first administrator.
"""

import sys
from typing import Any

import flask_migrate
from gunicorn.app.base import BaseApplication

import demo
from app import create_app
from models import db
from settings import Settings, SettingsFault
from workflows import first_administrator, signing_in


class Server(BaseApplication):
    """Gunicorn with our settings: one process and threads on SQLite, several processes on PostgreSQL."""

    def __init__(self, application: Any, settings: Settings) -> None:
        self.application, self.settings = application, settings
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn would otherwise read from its own command line."""
        single = self.settings.database_url.startswith("sqlite")
        options = {
            "bind": f"{self.settings.host}:{self.settings.port}",
            "workers": 1 if single else 2,
            "threads": 8,
            "worker_class": "gthread",
            "timeout": 120,
            "loglevel": "warning",
            "limit_request_line": 8190,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        return self.application


def prepare(settings: Settings) -> Any:
    """The application with its database up to date; in demo mode filled with the synthetic trial.

    Raises:
        SettingsFault: the database holds the other kind of data, invented ones in production or real ones here.
    """
    application = create_app(settings)
    with application.app_context():
        flask_migrate.upgrade()
        held = demo.origin.state()
        _refuse_other_data(settings, held)
        if settings.mode == "demo" and held == demo.origin.BEGUN:
            print("The first start was interrupted: the demonstration is made anew.")
            _remove(settings)
            return prepare(settings)
        signing_in.note_profile()
        if settings.mode == "demo" and held == demo.origin.EMPTY:
            demo.load()
        if settings.mode == "production":
            token = first_administrator.new_token(settings)
            if token:
                print("No user exists yet. Create the first administrator at /first-administrator")
                print(f"with this one-time token (it is not stored and not shown again): {token}")
        db.engine.dispose()
    return application


def _refuse_other_data(settings: Settings, held: str) -> None:
    if settings.mode == "production" and held in (demo.origin.BEGUN, demo.origin.WHOLE):
        raise SettingsFault(
            "This database holds the demonstration: its users and their password are public. Set DATABASE_URL or "
            "INSTANCE_DIR to the real one."
        )
    if settings.mode == "demo" and held == demo.origin.REAL:
        raise SettingsFault(
            "This database holds real people: the demonstration does not serve it. Leave DATABASE_URL and "
            "INSTANCE_DIR unset, or use `make run`."
        )


def _remove(settings: Settings) -> None:
    """Take away a demonstration that was begun and not finished; only a file that is ours alone."""
    db.session.remove()
    db.engine.dispose()
    path = settings.sqlite_file
    if path is None:
        raise SettingsFault(
            "The demonstration was interrupted. Drop its database and create it again, then start anew."
        )
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


def main() -> int:
    """Prepare, print the address, serve until stopped."""
    try:
        settings = Settings.from_environ()
        application = prepare(settings)
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 2
    print(f"\nServing on http://{settings.host}:{settings.port}  (stop with Ctrl+C)")
    if settings.mode == "demo":
        print(demo.credentials())
    sys.stdout.flush()
    Server(application, settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
