"""The application looks whether the triggers are in place, and saves nothing while they are not (AUD-04,
FLT-23)."""

from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select, text

from models import Change, User, db, triggers
from models.change import System, TrailUnavailable

pytestmark = pytest.mark.req("AUD-04", "FLT-23")


def names(dialect: str) -> list[str]:
    """Every trigger."""
    if dialect == "sqlite":
        return list(triggers._SQLITE)
    return [name for _, name in triggers._POSTGRESQL]


def tamper(*statements: str) -> None:
    """Run statements past the application, whose connections know nothing of it."""
    engine = create_engine(db.engine.url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()


def look() -> list[str]:
    """What the application finds missing."""
    with db.engine.connect() as connection:
        return triggers.missing(connection)


def save() -> None:
    """Any change at all."""
    with Change(by=System("test"), action="anything"):
        pass


def test_a_fresh_database_has_them_all(session: Any) -> None:
    """And installing again changes nothing."""
    assert look() == []
    engine = create_engine(db.engine.url)
    with engine.begin() as connection:
        triggers.install(connection)
        assert triggers.missing(connection) == []
    engine.dispose()


def test_each_trigger_that_is_gone_is_named(session: Any) -> None:
    """One after the other is dropped."""
    tables = {name: table for table, name in triggers._POSTGRESQL}
    for name in names(db.engine.dialect.name):
        on = "" if db.engine.dialect.name == "sqlite" else f" ON {tables[name]}"
        tamper(f"DROP TRIGGER {name}{on}")
        assert name in look()
    assert len(look()) >= 10


def test_a_trigger_that_does_something_else_is_named(session: Any) -> None:
    """The name alone is not enough; nor is a trigger that is switched off, or fires for some sessions only.
    The name alone is not enough; nor is a trigger that is switched off, or fires for some sessions only."""
    if db.engine.dialect.name == "sqlite":
        tamper(
            "DROP TRIGGER trail_change_no_update",
            "CREATE TRIGGER trail_change_no_update BEFORE UPDATE ON change BEGIN SELECT 1; END",
        )
        assert look() == ["trail_change_no_update"]
        return
    tamper("CREATE OR REPLACE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    assert look() == ["trail_refuse"]
    tamper("ALTER TABLE change DISABLE TRIGGER trail_change_no_change")
    assert "trail_change_no_change" in look()
    tamper("ALTER TABLE change ENABLE TRIGGER trail_change_no_change")
    assert "trail_change_no_change" in look(), "without ALWAYS it is silent for a replica"


def _take_away(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return "DROP TRIGGER trail_change_no_delete"
    return "ALTER TABLE change DISABLE TRIGGER trail_change_no_truncate"


@pytest.mark.req("SEC-41")
def test_nothing_is_saved_while_a_trigger_is_gone(trial: dict[str, Any]) -> None:
    """Also when it goes between two changes of one process; and saving works again when it is back."""
    save()
    with db.engine.connect() as connection:
        statement = _take_away(connection)
    tamper(statement)
    with pytest.raises(TrailUnavailable, match="trail_change_no"), Change(by=System("test"), action="x"):
        trial["nurse"].active = False
    assert db.session.scalars(select(User.active)).all() == [True]
    tamper(*triggers.statements(db.engine.dialect.name))
    save()


def test_there_is_no_switch(session: Any) -> None:
    """Nothing in the settings or the session turns capturing off."""
    save()
    db.session.info["audited"] = False
    before = db.session.scalar(text("SELECT count(*) FROM change"))
    save()
    assert db.session.scalar(text("SELECT count(*) FROM change")) == before + 1
