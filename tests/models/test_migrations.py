"""Upgrading an empty database gives exactly the tables and triggers that the models describe."""

from pathlib import Path

import flask_migrate
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import inspect, make_url

from models import Change, db, trail, triggers
from models.change import System
from models.engine import configure_engine

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """A bare application on a database without any table."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgresql")
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    made = Flask("bare")
    made.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(made)
    flask_migrate.Migrate(made, db, directory=str(FOLDER), compare_type=True)
    with made.app_context():
        configure_engine(db.engine)
        yield made
        db.session.remove()
        db.engine.dispose()


def test_upgrade_gives_what_the_models_say(empty_app: Flask) -> None:
    """Nothing is left for another migration to do; constraints and indexes included."""
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*db.metadata.tables, "alembic_version"}


def test_upgrade_puts_the_triggers_in_place_and_saving_works(empty_app: Flask) -> None:
    """The first change of a new installation, and upgrading again does nothing to it."""
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        assert triggers.missing(connection) == []
    with Change(by=System("test"), action="first") as change:
        pass
    flask_migrate.upgrade()
    assert change.seq == 1
    assert trail.verify_all() == []


def test_the_command_line_upgrades(empty_app: Flask) -> None:
    """`flask db upgrade`."""
    result = FlaskCliRunner(empty_app).invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    with db.engine.connect() as connection:
        assert inspect(connection).has_table("change")


def test_checks_of_the_tables_survive_the_upgrade(empty_app: Flask) -> None:
    """Check constraints are not seen by the comparison above."""
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        found = inspect(connection).get_check_constraints("subject")
    assert [check["name"] for check in found] == ["ck_subject_number_with_place"]


def test_there_is_no_way_back_from_the_first_version(empty_app: Flask) -> None:
    """No command drops the trail."""
    flask_migrate.upgrade()
    with pytest.raises(SystemExit):
        flask_migrate.downgrade(revision="base")
    with db.engine.connect() as connection:
        assert inspect(connection).has_table("change")
