"""What the tables should hold according to the trail, and what they do hold, in the same words: path and
value."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Column, Connection, LargeBinary, Table, Text, select, type_coerce

from models.base import IsoDate, JsonText, UtcTime, db
from models.change import Change, ChangeEntries
from models.leaves import DOCUMENTS, column_leaves, put, split

BATCH = 500
Tables = dict[str, dict[str, dict[str, Any]]]


@contextmanager
def one_state() -> Iterator[Connection]:
    """A connection whose reads all see one state of the database, whatever is saved meanwhile."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def audited_tables() -> list[Table]:
    """The tables that the trail tells about."""
    model: Any = db.Model
    mappers = model.registry.mappers
    found = {mapper.local_table.name: mapper.local_table for mapper in mappers if mapper.class_.audited}
    return [found[name] for name in sorted(found)]


def trail_entries(connection: Connection, chain: str | None = None) -> Iterator[dict[str, Any]]:
    """Every entry in the order in which it was written, of one chain or of all.

    A change whose entries cannot be read is left out here; verifying names it.
    """
    selection = select(type_coerce(ChangeEntries.entries, Text)).order_by(Change.id)
    selection = selection.join(Change, Change.id == ChangeEntries.change_id)
    if chain is not None:
        selection = selection.where(Change.chain == chain)
    for (entries,) in connection.execute(selection.execution_options(yield_per=BATCH)):
        try:
            yield from [entry for entry in orjson.loads(entries) if {"path", "old", "new"} <= entry.keys()]
        except (ValueError, TypeError, AttributeError):
            continue


def table_leaves(connection: Connection) -> Iterator[tuple[str, Any]]:
    """Path and value of everything the audited tables hold now. Values that cannot be read come as they are
    stored."""
    for table in audited_tables():
        (key,) = table.primary_key.columns
        columns = [column for column in table.columns if column is not key]
        readings = [type_coerce(column, Text) if _is_text(column) else column for column in columns]
        selection = select(type_coerce(key, key.type).label("trail_key"), *readings).order_by(key)
        for row in connection.execute(selection.execution_options(yield_per=BATCH)):
            prefix = f"{table.name}/{row[0]}"
            for column, value in zip(columns, row[1:], strict=True):
                if value is not None:
                    yield from _stored_leaves(prefix, column, value)


def _is_text(column: Column[Any]) -> bool:
    """Read as text, so that nothing is converted on the way and nothing unreadable stops the reading."""
    return isinstance(column.type, UtcTime | IsoDate | JsonText)


def _stored_leaves(prefix: str, column: Column[Any], value: Any) -> Iterator[tuple[str, Any]]:
    path = f"{prefix}/{column.name}"
    if isinstance(column.type, JsonText):
        try:
            value = orjson.loads(value)
            if (column.table.name, column.name) in DOCUMENTS:
                yield from column_leaves(prefix, column, value).items()
                return
        except ValueError:
            pass  # not a document any more: as it stands it differs from anything the trail can tell
    elif isinstance(column.type, LargeBinary):
        value = f"sha256:{sha256(value).hexdigest()}"
    yield path, value


def replay(chain: str | None = None) -> Tables:
    """Rebuild the rows of all audited tables from the entries of a chain, or of all chains together."""
    with one_state() as connection:
        return rows_of(trail_entries(connection, chain))


def rows_of(entries: Iterable[dict[str, Any]]) -> Tables:
    """The rows that entries of the trail, in their order, leave behind."""
    leaves: dict[str, Any] = {}
    for entry in entries:
        if entry["new"] is None:
            leaves.pop(entry["path"], None)
        else:
            leaves[entry["path"]] = entry["new"]
    return _as_tables(leaves.items())


def stored() -> Tables:
    """The rows of all audited tables as they are, in the shape of `replay`."""
    with one_state() as connection:
        return _as_tables(table_leaves(connection))


def _as_tables(leaves: Any) -> Tables:
    columns = {
        table.name: [column.name for column in table.columns if not column.primary_key] for table in audited_tables()
    }
    tables: Tables = {}
    for path, value in leaves:
        table, key, column, below = split(path)
        rows = tables.setdefault(table, {})
        if key not in rows:
            rows[key] = dict.fromkeys(columns.get(table, ()))
        if below and rows[key].get(column) is None:
            rows[key][column] = {}
        put(rows[key], column, below, value)
    return tables
