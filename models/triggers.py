"""What the database itself refuses: changing the trail, or writing a change that does not fit the chain
(AUD-04, AUD-05).

`change` and `change_entries` take new rows only. A new `change` must follow the head of its chain; inserting
it moves the head, and nothing else may. On SQLite `INSERT OR REPLACE` passes by update and delete triggers,
hence the triggers on insert. On PostgreSQL the triggers fire ALWAYS, also for a session that plays replica.
"""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, MetaData, event, text
from sqlalchemy.exc import DBAPIError

from models.base import db
from models.commitments import ZEROS

_stamps: WeakKeyDictionary[Engine, Any] = WeakKeyDictionary()  # of the triggers, when last found in place

TABLES = ("change", "change_entries", "chain_head")

_SQLITE = {
    "trail_change_no_update": "BEFORE UPDATE ON change BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "trail_change_no_delete": "BEFORE DELETE ON change BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "trail_change_no_replace": (
        "BEFORE INSERT ON change WHEN EXISTS (SELECT 1 FROM change WHERE id = NEW.id"
        " OR (chain = NEW.chain AND seq = NEW.seq)) BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    ),
    "trail_change_fits": (
        "BEFORE INSERT ON change WHEN NOT EXISTS (SELECT 1 FROM chain_head WHERE chain = NEW.chain"
        " AND seq = NEW.seq - 1 AND link = NEW.prev) "
        " BEGIN SELECT RAISE(ABORT, 'does not follow the head'); END"
    ),
    "trail_change_moves_head": (
        "AFTER INSERT ON change BEGIN UPDATE chain_head SET seq = NEW.seq, link = NEW.link WHERE chain = NEW.chain; END"
    ),
    "trail_entries_no_update": ("BEFORE UPDATE ON change_entries BEGIN SELECT RAISE(ABORT, 'append-only'); END"),
    "trail_entries_no_delete": ("BEFORE DELETE ON change_entries BEGIN SELECT RAISE(ABORT, 'append-only'); END"),
    "trail_entries_no_replace": (
        "BEFORE INSERT ON change_entries"
        " WHEN EXISTS (SELECT 1 FROM change_entries WHERE change_id = NEW.change_id)"
        " BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    ),
    "trail_head_forward": (
        "BEFORE UPDATE ON chain_head WHEN NEW.chain <> OLD.chain OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS ("
        "SELECT 1 FROM change WHERE chain = NEW.chain AND seq = NEW.seq AND link = NEW.link)"
        " BEGIN SELECT RAISE(ABORT, 'the head only follows the chain'); END"
    ),
    "trail_head_no_delete": "BEFORE DELETE ON chain_head BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "trail_head_starts_empty": (
        f"BEFORE INSERT ON chain_head WHEN NEW.seq <> 0 OR NEW.link <> '{ZEROS}'"  # noqa: S608
        " OR EXISTS (SELECT 1 FROM chain_head WHERE chain = NEW.chain)"
        " BEGIN SELECT RAISE(ABORT, 'a chain starts empty'); END"
    ),
}

_FUNCTIONS = {
    "trail_refuse": "BEGIN RAISE EXCEPTION 'append-only: % of %', TG_OP, TG_TABLE_NAME; END",
    "trail_fits": r"""
DECLARE head chain_head%ROWTYPE;
BEGIN
  SELECT * INTO head FROM chain_head WHERE chain = NEW.chain FOR UPDATE;
  IF NOT FOUND OR NEW.seq <> head.seq + 1 OR NEW.prev <> head.link THEN
    RAISE EXCEPTION 'does not follow the head' USING ERRCODE = '40001';
  END IF;
  IF NEW.leaf <> encode(sha256('\x00'::bytea || convert_to(NEW.body, 'UTF8')), 'hex')
  OR NEW.link <> encode(
    sha256('\x03'::bytea || decode(NEW.prev, 'hex') || decode(NEW.leaf, 'hex')), 'hex') THEN
    RAISE EXCEPTION 'the hashes are not those of the body';
  END IF;
  RETURN NEW;
END""",
    "trail_move_head": """
BEGIN
  UPDATE chain_head SET seq = NEW.seq, link = NEW.link WHERE chain = NEW.chain;
  RETURN NULL;
END""",
    "trail_head_forward": """
BEGIN
  IF NEW.chain <> OLD.chain OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
    SELECT 1 FROM change WHERE chain = NEW.chain AND seq = NEW.seq AND link = NEW.link) THEN
    RAISE EXCEPTION 'the head only follows the chain';
  END IF;
  RETURN NEW;
END""",
    "trail_head_starts_empty": f"""
BEGIN
  IF NEW.seq <> 0 OR NEW.link <> '{ZEROS}' THEN
    RAISE EXCEPTION 'a chain starts empty';
  END IF;
  RETURN NEW;
END""",
}

_REFUSE = "EXECUTE FUNCTION trail_refuse()"
_POSTGRESQL = {
    ("change", "trail_change_no_change"): f"BEFORE UPDATE OR DELETE ON change FOR EACH ROW {_REFUSE}",
    ("change", "trail_change_no_truncate"): f"BEFORE TRUNCATE ON change FOR EACH STATEMENT {_REFUSE}",
    ("change", "trail_change_fits"): "BEFORE INSERT ON change FOR EACH ROW EXECUTE FUNCTION trail_fits()",
    (
        "change",
        "trail_change_moves_head",
    ): "AFTER INSERT ON change FOR EACH ROW EXECUTE FUNCTION trail_move_head()",
    ("change_entries", "trail_entries_no_change"): (
        f"BEFORE UPDATE OR DELETE ON change_entries FOR EACH ROW {_REFUSE}"
    ),
    ("change_entries", "trail_entries_no_truncate"): (
        f"BEFORE TRUNCATE ON change_entries FOR EACH STATEMENT {_REFUSE}"
    ),
    ("chain_head", "trail_head_forward"): (
        "BEFORE UPDATE ON chain_head FOR EACH ROW EXECUTE FUNCTION trail_head_forward()"
    ),
    ("chain_head", "trail_head_no_delete"): f"BEFORE DELETE ON chain_head FOR EACH ROW {_REFUSE}",
    ("chain_head", "trail_head_no_truncate"): f"BEFORE TRUNCATE ON chain_head FOR EACH STATEMENT {_REFUSE}",
    ("chain_head", "trail_head_starts_empty"): (
        "BEFORE INSERT ON chain_head FOR EACH ROW EXECUTE FUNCTION trail_head_starts_empty()"
    ),
}


def statements(dialect: str) -> list[str]:
    """The statements that put every trigger in place, replacing older ones of the same name."""
    if dialect == "sqlite":
        made = []
        for name, rest in _SQLITE.items():
            made += [f"DROP TRIGGER IF EXISTS {name}", f"CREATE TRIGGER {name} {rest}"]
        return made
    made = [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
        for name, body in _FUNCTIONS.items()
    ]
    for (table, name), rest in _POSTGRESQL.items():
        made += [
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} {rest}",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return made


def install(connection: Connection) -> None:
    """Put every trigger in place."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name != "sqlite" else statement)


def missing(connection: Connection) -> list[str]:
    """The triggers that are gone, switched off or not as they were made. Empty means that all is well."""
    if connection.dialect.name == "sqlite":
        found = _pairs(connection, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return [name for name, rest in _SQLITE.items() if found.get(name) != f"CREATE TRIGGER {name} {rest}"]
    return _missing_on_postgresql(connection)


def _pairs(connection: Connection, query: str) -> dict[str, str]:
    return dict(connection.execute(text(query)).all())  # type: ignore[arg-type]


def _missing_on_postgresql(connection: Connection) -> list[str]:
    functions = _pairs(
        connection,
        "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'trail%'"
        " AND pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('change'))",
    )
    triggers = {
        (row.table_name, row.tgname): (row.tgenabled, row.definition)
        for row in connection.execute(
            text(
                "SELECT tgrelid::regclass::text AS table_name, tgname, tgenabled::text AS tgenabled,"
                " pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE NOT tgisinternal"
            )
        )
    }
    gone = [name for name, body in _FUNCTIONS.items() if functions.get(name) != body]
    for (table, name), rest in _POSTGRESQL.items():
        enabled, definition = triggers.get((table, name), ("", ""))
        if enabled != "A" or not _is_same(definition, f"CREATE TRIGGER {name} {rest}"):
            gone.append(name)
    return gone


def _is_same(found: str, meant: str) -> bool:
    """PostgreSQL names events in an order of its own and the table with its schema."""
    return sorted(found.replace("public.", "").split()) == sorted(meant.split())


_STAMP = {
    "sqlite": "PRAGMA schema_version",
    "postgresql": (
        "SELECT (SELECT string_agg(oid::text || tgenabled::text || xmin::text, ',' ORDER BY oid)"
        " FROM pg_trigger"
        " WHERE tgrelid IN (to_regclass('change'), to_regclass('change_entries'), to_regclass('chain_head')))"
        " || (SELECT string_agg(oid::text || xmin::text, ',' ORDER BY oid)"
        " FROM pg_proc WHERE proname LIKE 'trail%')"
    ),
}
_STAMP_OF: dict[str, Any] = {dialect: text(sql) for dialect, sql in _STAMP.items()}


def stamp(connection: Connection) -> Any:
    """Something small that differs as soon as a trigger was touched: asked before every change is written."""
    return connection.scalar(_STAMP_OF[connection.dialect.name])


class TrailUnavailable(DBAPIError):
    """The trail cannot be written as it must be, so nothing was saved."""

    def __init__(self, sentence: str) -> None:
        super().__init__(None, None, Exception(sentence))


def refuse_without(connection: Connection) -> None:
    """Nothing is saved while the database would let somebody change the trail (AUD-04, FLT-23)."""
    found = stamp(connection)
    if found is not None and found == _stamps.get(connection.engine):
        return
    gone = missing(connection)
    if gone:
        raise TrailUnavailable(f"the trail's triggers are not in place: {', '.join(gone)}")
    _stamps[connection.engine] = found


def _after_create(target: MetaData, connection: Connection, **_: Any) -> None:
    if all(connection.dialect.has_table(connection, name) for name in TABLES):
        install(connection)


event.listen(db.metadata, "after_create", _after_create)
