"""Upgrading an empty database gives exactly the tables and triggers that the models describe; an old one keeps every
value.
"""

from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import MetaData, inspect, make_url, select

from models import Change, db, trail, triggers
from models.change import System
from models.engine import configure_engine

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
GOLDEN = Path(__file__).resolve().parent / "golden"


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


def load(name: str) -> None:
    """Fill the tables with a stored dump, through the triggers: row by row the trail has to fit."""
    statements = [
        line for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines() if line.startswith("INSERT")
    ]
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        if connection.dialect.name == "postgresql":  # the numbers go on after those of the dump
            for table in {statement.split()[2] for statement in statements} - {"chain_head", "change_entries"}:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        connection.connection.commit()


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but alembic's own, read without any model."""
    found = {}
    with db.engine.connect() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows = connection.execute(select(table).order_by(table.primary_key.columns[0])).mappings()
                found[table.name] = [dict(row) for row in rows]
    return found


def without(rows: dict[str, list[dict[str, Any]]], before: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Of the rows, the tables and columns that were there before."""
    return {
        table: [{name: row[name] for name in (held[0] if held else ())} for row in rows[table]]
        for table, held in before.items()
    }


@pytest.mark.req("DAT-09", "SYS-04")
@pytest.mark.filterwarnings("ignore:Cannot correctly sort tables")
def test_a_database_of_the_first_release_is_upgraded_with_every_value_and_its_trail(empty_app: Flask) -> None:
    """Release by release no value changes, the chain is whole, it adds up to the tables, and it goes on."""
    revisions = [each.revision for each in ScriptDirectory(str(FOLDER)).walk_revisions()][::-1]
    flask_migrate.upgrade(revision=revisions[0])
    load("0001.sql")
    golden = everything()
    assert {"change", "form_data", "subject"} <= {table for table, rows in golden.items() if rows}
    for revision in revisions[1:]:
        flask_migrate.upgrade(revision=revision)
        assert without(everything(), golden) == golden, revision
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()
    weights = [line for line in trail.history("form_data/3/answers/VS/1/WEIGHT") if " -> " in line]
    assert [line.partition(": ")[2] for line in weights] == ['(nothing) -> "65.1"', '"65.1" -> "61.5"']
    head = {chain: seq for chain, seq, _link in trail.heads()}
    with Change(by=System("test"), action="first after the upgrade", chain="small") as change:
        pass
    assert (change.seq, trail.verify_all()) == (head["small"] + 1, [])


@pytest.mark.req("DAT-09")
def test_a_value_that_an_upgrade_would_change_is_found(empty_app: Flask) -> None:
    """What the test above relies on: a single changed answer is no longer what the trail tells."""
    flask_migrate.upgrade(revision="0001")
    load("0001.sql")
    golden = everything()
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("UPDATE form_data SET answers = replace(answers, '\"61.5\"', '\"61.50\"')")
        connection.connection.commit()
    assert without(everything(), golden) != golden
    assert [fault.sentence for fault in trail.verify_all()] == [
        "form_data/3/answers/VS/1/WEIGHT: the table does not hold what the trail tells"
    ]


def test_there_is_no_way_back_from_the_first_version(empty_app: Flask) -> None:
    """No command drops the trail."""
    flask_migrate.upgrade()
    with pytest.raises(SystemExit):
        flask_migrate.downgrade(revision="base")
    with db.engine.connect() as connection:
        assert inspect(connection).has_table("change")
