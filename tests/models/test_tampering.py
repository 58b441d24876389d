"""The attack list: what somebody with the database in her hands may try, and what becomes of it (AUD-05).

Each attack is either refused by the database, or done with all triggers taken away and then found by
verifying.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError

from models import Change, FormData, db, trail, triggers
from models.commitments import ZEROS, canonical, commit, leaf_of, link_of
from models.engine import schema_may_change

pytestmark = pytest.mark.req("AUD-05")
Trial = dict[str, Any]


@pytest.fixture
def form(trial: Trial, new_form: Callable[..., FormData]) -> FormData:
    """A form that was saved and corrected twice: five changes on the chain `trial`."""
    made = new_form({"VS": {"1": {"HEIGHT": "165"}}})
    with Change(by=trial["nurse"], action="save form", chain="trial", reason="first"):
        db.session.add(made)
    for height in ("156", "157"):
        with Change(by=trial["nurse"], action="save form", chain="trial", reason="mistyped", detail={"a": "b"}):
            made.answers = {"VS": {"1": {"HEIGHT": height}}}
    return made


@contextmanager
def raw(with_triggers: bool = False) -> Iterator[Connection]:
    """A connection past the application, as a database administrator has it."""
    db.session.remove()
    engine = create_engine(make_url(db.engine.url))
    with engine.begin() as connection:
        names = []
        if not with_triggers:
            for table in triggers.TABLES:
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            if connection.dialect.name == "sqlite":
                query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                names = list(connection.scalars(query))
                for name in names:
                    connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
        if not with_triggers:
            triggers.install(connection)
    engine.dispose()


def sql(*statements: str) -> None:
    """Run statements with the triggers taken away and put back afterwards."""
    with raw() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_trail_has_no_faults(form: FormData) -> None:
    """The control: everything below is found, this is not."""
    assert trail.verify_all() == []


REFUSED = {
    "update": "UPDATE change SET user_name = 'somebody'",
    "update entries": "UPDATE change_entries SET reason = 'other'",
    "delete": "DELETE FROM change",
    "delete entries": "DELETE FROM change_entries",
    "rewind the head": "UPDATE chain_head SET seq = seq - 1",
    "delete the head": "DELETE FROM chain_head",
    "a head of one's own": f"INSERT INTO chain_head (chain, seq, link) VALUES ('other', 7, '{ZEROS}')",
    "upsert": (
        "INSERT INTO change_entries (change_id, entries) VALUES (1, '[]')"
        " ON CONFLICT (change_id) DO UPDATE SET entries = '[]'"
    ),
    "upsert change": (
        "INSERT INTO change (id, chain, seq, at, user_name, action, body, leaf, prev, link)"
        " SELECT id, chain, seq, at, 'x', action, body, leaf, prev, link FROM change WHERE id = 1"
        " ON CONFLICT (id) DO UPDATE SET user_name = 'x'"
    ),
    "a gap": (
        "INSERT INTO change (chain, seq, at, user_name, action, body, leaf, prev, link)"
        " SELECT chain, seq + 2, at, 'x', action, body, leaf, link, leaf FROM change"
        " WHERE chain = 'trial' AND seq = 5"
    ),
    "a fork": (
        "INSERT INTO change (chain, seq, at, user_name, action, body, leaf, prev, link)"
        " SELECT chain, seq + 1, at, 'x', action, body, leaf, prev, leaf FROM change"
        " WHERE chain = 'trial' AND seq = 5"
    ),
    "a chain without a head": (
        "INSERT INTO change (chain, seq, at, user_name, action, body, leaf, prev, link)"
        " SELECT 'other', 1, at, 'x', action, body, leaf, prev, link FROM change"
        " WHERE chain = 'trial' AND seq = 1"
    ),
}


@pytest.mark.parametrize("attack", REFUSED)
@pytest.mark.parametrize("through", ["the application", "another program"])
def test_the_database_refuses(form: FormData, attack: str, through: str) -> None:
    """Through the application's own connection and through any other."""
    with pytest.raises(DBAPIError):
        if through == "the application":
            with db.engine.begin() as connection:
                connection.execute(text(REFUSED[attack]))
        else:
            with raw(with_triggers=True) as connection:
                connection.execute(text(REFUSED[attack]))
    assert trail.verify_all() == []


ON_ONE = {
    "sqlite": {
        "replace": "INSERT OR REPLACE INTO change_entries (change_id, entries) VALUES (1, '[]')",
        "replace change": (
            "INSERT OR REPLACE INTO change (id, chain, seq, at, user_name, action, body, leaf, prev, link)"
            " SELECT id, chain, seq, at, 'x', action, body, leaf, prev, link FROM change WHERE id = 1"
        ),
        "replace a change by its place": (
            "REPLACE INTO change (chain, seq, at, user_name, action, body, leaf, prev, link)"
            " SELECT chain, seq, at, 'x', action, body, leaf, prev, link FROM change WHERE id = 1"
        ),
        "replace the head": f"REPLACE INTO chain_head (chain, seq, link) VALUES ('trial', 0, '{ZEROS}')",
        "update or replace": "UPDATE OR REPLACE change SET user_name = 'x'",
    },
    "postgresql": {
        "truncate": "TRUNCATE change_entries",
        "truncate cascade": "TRUNCATE change CASCADE",
        "truncate heads": "TRUNCATE chain_head",
        "as a replica": "SET LOCAL session_replication_role = replica; DELETE FROM change_entries",
        "truncate as a replica": "SET LOCAL session_replication_role = replica; TRUNCATE change CASCADE",
        "wrong hash": (
            "INSERT INTO change (chain, seq, at, user_name, action, body, leaf, prev, link)"
            " SELECT chain, seq + 1, at, 'x', action, '{}', leaf, link, leaf FROM change"
            " WHERE chain = 'trial' AND seq = 5"
        ),
    },
}


def test_the_database_refuses_what_only_it_can_do(form: FormData) -> None:
    """Replace on SQLite; truncate, and the role of a replica, on PostgreSQL."""
    for attack, statement in ON_ONE[db.engine.dialect.name].items():
        with pytest.raises(DBAPIError), raw(with_triggers=True) as connection:
            for part in statement.split("; "):
                connection.execute(text(part))
            pytest.fail(f"{attack} was not refused")
    assert trail.verify_all() == []


def test_the_application_cannot_take_its_triggers_away(form: FormData) -> None:
    """On SQLite not even a statement smuggled into the application can drop or alter (AUD-04)."""
    if db.engine.dialect.name != "sqlite":
        return  # there it is a question of grants: docs/operations.md
    for statement in (
        "DROP TRIGGER trail_change_no_update",
        "DROP TABLE change",
        "ALTER TABLE change RENAME TO gone",
        "PRAGMA writable_schema = ON",
        "PRAGMA recursive_triggers = OFF",
    ):
        with pytest.raises(DBAPIError) as refused, db.engine.begin() as connection:
            connection.execute(text(statement))
        assert isinstance(refused.value.orig, sqlite3.DatabaseError) and "authoriz" in str(refused.value.orig)
    with db.engine.connect() as connection:
        assert triggers.missing(connection) == []


COLUMNS = {
    "at": "'2020-01-01T00:00:00.000000Z'",
    "user_id": "99",
    "user_name": "'somebody'",
    "role": "'investigator'",
    "site_id": "99",
    "subject_id": "99",
    "action": "'other'",
    "about": "'other'",
    "body": "replace(body, 'save form', 'sign form')",
    "leaf": "prev",
    "link": "leaf",
    "prev": "leaf",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_editing_any_column_of_a_change_is_found(form: FormData, column: str) -> None:
    """And the change is named."""
    sql(f"UPDATE change SET {column} = {COLUMNS[column]} WHERE chain = 'trial' AND seq = 4")
    (fault,) = trail.verify("trial")
    assert (fault.chain, fault.seq) == ("trial", 4)
    assert "4" in str(fault)


ENTRIES = {
    "the new value": "entries = replace(entries, '\"156\"', '\"999\"')",
    "a path": "entries = replace(entries, 'HEIGHT', 'WEIGHT')",
    "a source": 'entries = replace(entries, \'"path"\', \'"source":"system:x","path"\')',
    "a value erased": "entries = replace(entries, '\"156\"', 'null')",
    "all entries": "entries = '[]'",
    "no JSON": "entries = 'gone'",
    "a salt": 'entries = replace(entries, \'"salt_new":"\', \'"salt_new":"00\')',
    "the reason": "reason = 'other'",
    "the reason erased": "reason = NULL",
    "the detail": 'detail = \'{"a":"c"}\'',
}


@pytest.mark.parametrize("attack", ENTRIES)
def test_editing_values_reason_or_detail_is_found(form: FormData, attack: str) -> None:
    """The commitments in the body bind to them."""
    sql(
        f"UPDATE change_entries SET {ENTRIES[attack]} WHERE change_id ="
        " (SELECT id FROM change WHERE chain = 'trial' AND seq = 4)"
    )
    assert [fault.seq for fault in trail.verify("trial")] == [4]
    assert 4 in [fault.seq for fault in trail.verify_all()], "also where comparing with the tables comes after"


def test_editing_the_stored_value_together_with_the_table_is_found(form: FormData) -> None:
    """Trail and table agree with each other, but not with the commitment."""
    sql(
        "UPDATE change_entries SET entries = replace(entries, '\"157\"', '\"999\"')",
        "UPDATE form_data SET answers = replace(answers, '157', '999')",
    )
    assert trail.replay() == trail.stored()
    assert [fault.seq for fault in trail.verify_all()] == [5]


GONE = {
    "a middle change": ("DELETE FROM {entries} {middle}", "DELETE FROM change {where_middle}"),
    "the last change": ("DELETE FROM {entries} {last}", "DELETE FROM change {where_last}"),
    "the entries of one": ("DELETE FROM {entries} {middle}",),
    "the head": ("DELETE FROM chain_head",),
    "the head rewound": ("UPDATE chain_head SET seq = 4, link = 'x' WHERE chain = 'trial'",),
}


@pytest.mark.parametrize("attack", GONE)
def test_taking_something_away_is_found(form: FormData, attack: str) -> None:
    """A change, its entries, or the head."""
    words = {
        "entries": "change_entries",
        "where_middle": "WHERE chain = 'trial' AND seq = 4",
        "where_last": "WHERE chain = 'trial' AND seq = 5",
        "middle": "WHERE change_id = (SELECT id FROM change WHERE chain = 'trial' AND seq = 4)",
        "last": "WHERE change_id = (SELECT id FROM change WHERE chain = 'trial' AND seq = 5)",
    }
    sql(*(statement.format(**words) for statement in GONE[attack]))
    assert trail.verify("trial") != []


TABLES = {
    "an answer": ("UPDATE form_data SET answers = replace(answers, '157', '999')", "answers/VS/1/HEIGHT"),
    "an answer added": (
        'UPDATE form_data SET answers = \'{"VS":{"1":{"HEIGHT":"157","X":"1"}}}\'',
        "answers/VS/1/X",
    ),
    "no JSON": ("UPDATE form_data SET answers = 'x'", "answers"),
    "a column": ("UPDATE form_data SET entry = 'complete'", "entry"),
    "a date": ("UPDATE form_data SET saved_at = '2020-01-01T00:00:00.000000Z'", "saved_at"),
    "not a date": ("UPDATE form_data SET saved_at = 'yesterday'", "saved_at"),
    "a row gone": ("DELETE FROM form_data", "answers/VS/1/HEIGHT"),
    "a grant": (
        "INSERT INTO access_grant (user_id, role, starts_at)"
        " VALUES (1, 'administrator', '2020-01-01T00:00:00.000000Z')",
        "access_grant/1/role",
    ),
}


@pytest.mark.parametrize("attack", TABLES)
def test_writing_the_tables_past_the_trail_is_found(form: FormData, attack: str) -> None:
    """Raw SQL needs no trigger to be taken away for that; the path is named, the value is not."""
    statement, path = TABLES[attack]
    with raw(with_triggers=True) as connection:
        connection.execute(text(statement))
    faults = [str(fault) for fault in trail.verify_all()]
    assert any(fault.split(":")[0].endswith(path) for fault in faults), faults
    assert not any("999" in fault for fault in faults)


def _recompute(connection: Connection, since: int) -> None:
    """What a patient attacker does: compute every hash again from the change she edited."""
    rows = connection.execute(text("SELECT * FROM change WHERE chain = 'trial' ORDER BY seq")).all()
    prev = ZEROS
    for row in rows:
        body, link = row.body, row.link
        if row.seq >= since:
            clear = connection.execute(
                text("SELECT entries FROM change_entries WHERE change_id = :id"), {"id": row.id}
            ).scalar_one()
            told = orjson.loads(body)
            for bound, entry in zip(told["entries"], orjson.loads(clear), strict=True):
                if entry["new"] is not None:
                    bound[2] = commit(bytes.fromhex(entry["salt_new"]), canonical(entry["new"]))
                if entry["old"] is not None:
                    bound[1] = commit(bytes.fromhex(entry["salt_old"]), canonical(entry["old"]))
            body = canonical(told).decode()
            leaf = leaf_of(body.encode())
            link = link_of(prev, leaf)
            connection.execute(
                text("UPDATE change SET body = :b, leaf = :l, prev = :p, link = :k WHERE id = :id"),
                {"b": body, "l": leaf, "p": prev, "k": link, "id": row.id},
            )
        prev = link
    connection.execute(text("UPDATE chain_head SET link = :k WHERE chain = 'trial'"), {"k": prev})


def test_a_whole_chain_computed_anew_shows_only_against_a_head_that_left_the_house(form: FormData) -> None:
    """The known limit, said plainly: from inside nothing is wrong; the head in an export differs."""
    exported = {chain: link for chain, _, link in trail.heads()}["trial"]
    with raw() as connection:
        connection.execute(text("UPDATE change_entries SET entries = replace(entries, '\"157\"', '\"999\"')"))
        connection.execute(text("UPDATE form_data SET answers = replace(answers, '157', '999')"))
        _recompute(connection, since=5)
    assert trail.verify_all() == []
    assert {chain: link for chain, _, link in trail.heads()}["trial"] != exported


def test_an_edit_with_the_hashes_of_one_change_only_is_found(form: FormData) -> None:
    """The change after it still names the old hash."""
    with raw() as connection:
        connection.execute(text("UPDATE change_entries SET entries = replace(entries, '\"156\"', '\"999\"')"))
        row = connection.execute(text("SELECT * FROM change WHERE chain = 'trial' AND seq = 5")).one()
        _recompute(connection, since=4)
        restore = "UPDATE change SET body = :b, leaf = :l, prev = :p, link = :k WHERE id = :id"
        connection.execute(text(restore), {"b": row.body, "l": row.leaf, "p": row.prev, "k": row.link, "id": row.id})
        connection.execute(text("UPDATE chain_head SET link = :k WHERE chain = 'trial'"), {"k": row.link})
    assert [fault.seq for fault in trail.verify("trial")] == [5]


def test_faults_of_one_chain_do_not_hide_those_of_another(form: FormData) -> None:
    """Each chain names its first."""
    sql("UPDATE change SET user_name = 'somebody' WHERE seq = 1")
    assert {(fault.chain, fault.seq) for fault in trail.verify_all()} == {("system", 1), ("trial", 1)}


def test_migrations_and_nobody_else_may_change_the_schema(form: FormData) -> None:
    """The way for migrations closes again."""
    with db.engine.begin() as connection:
        with schema_may_change(connection):
            connection.execute(text("CREATE TABLE extra (id INTEGER)"))
            connection.execute(text("DROP TABLE extra"))
        connection.execute(text("CREATE TABLE extra (id INTEGER)"))
        if connection.dialect.name == "sqlite":
            with pytest.raises(DBAPIError):
                connection.execute(text("DROP TABLE extra"))
    assert db.session.scalar(select(Change.id).limit(1)) is not None
