"""The database as it was: rows rebuilt from the trail up to a place in its chain, in a database file of their own.

Whatever reads a connection (an export, a casebook) reads such a file as it reads the live database. Nothing is taken
from the live tables, so what is exported as of a past instant rests on the trail alone.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, LargeBinary, NullPool, Table, Text, and_, create_engine, func, or_, select
from sqlalchemy import type_coerce as coerce

from models.base import JsonText, db
from models.change import ChainHead, Change, ChangeEntries
from models.replay import BATCH, audited_tables, rows_of

SYSTEM_CHAIN = "system"


def last_change(connection: Connection, chain: str, at: datetime) -> tuple[int, str] | None:
    """Sequence and link of the last change of a chain that was written no later than an instant.

    The instant of a change is taken while the head of its chain is locked, so order and time agree.
    """
    selection = select(Change.seq, Change.link).where(Change.chain == chain, Change.at <= at)
    found = connection.execute(selection.order_by(Change.seq.desc()).limit(1)).first()
    return (found.seq, found.link) if found else None


@contextmanager
def database(source: Connection, chain: str, seq: int, path: Path) -> Iterator[Connection]:
    """A connection to the database as it was after change `seq` of a study's chain, written to `path`.

    The system's chain (users, grants) is taken up to the same instant. Contents of files are not kept in the trail,
    only their hashes: they are empty.

    Raises:
        LookupError: the chain has no such change.
    """
    ends = _ends(source, chain, seq)
    _write(source, ends, path)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _ends(source: Connection, chain: str, seq: int) -> dict[str, int]:
    at = source.execute(select(Change.at).where(Change.chain == chain, Change.seq == seq)).scalar()
    if at is None:
        raise LookupError(f"{chain} has no change {seq}")
    system = last_change(source, SYSTEM_CHAIN, at)
    return {chain: seq, SYSTEM_CHAIN: system[0] if system else 0}


def _write(source: Connection, ends: dict[str, int], path: Path) -> None:
    tables = [*audited_tables(), *(db.metadata.tables[name] for name in ("change", "change_entries", "chain_head"))]
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        for table in tables:  # table by table: the triggers of the live database do not belong here
            table.create(connection)
    engine.dispose()
    with sqlite3.connect(path) as target:
        found = rows_of(_entries(source, ends))
        for table in audited_tables():
            held = found.get(table.name, {})
            keyed = sorted(((int(key), row) for key, row in held.items()), key=lambda pair: pair[0])
            _insert(target, table, (_as_stored(table, key, row) for key, row in keyed))
        _copy_trail(source, ends, target)
    target.close()


def _within(ends: dict[str, int]) -> Any:
    return or_(*(and_(Change.chain == chain, Change.seq <= seq) for chain, seq in ends.items()))


def _entries(source: Connection, ends: dict[str, int]) -> Iterator[dict[str, Any]]:
    selection = select(coerce(ChangeEntries.entries, Text)).join(Change, Change.id == ChangeEntries.change_id)
    selection = selection.where(_within(ends)).order_by(Change.id)
    for (entries,) in source.execute(selection.execution_options(yield_per=BATCH)):
        yield from orjson.loads(entries)


def _as_stored(table: Table, key: int, row: dict[str, Any]) -> dict[str, Any]:
    """A row in the words of the database: documents as sorted JSON, contents of files empty."""
    (primary,) = table.primary_key.columns
    stored: dict[str, Any] = {primary.name: key}
    for column in table.columns:
        value = row.get(column.name)
        if column.primary_key or value is None:
            continue
        if isinstance(column.type, JsonText):
            value = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        elif isinstance(column.type, LargeBinary):
            value = b""
        stored[column.name] = value
    return stored


def _insert(target: sqlite3.Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    names = [column.name for column in table.columns]
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'  # noqa: S608 - the schema's own names
    target.executemany(statement, (tuple(row.get(name) for name in names) for row in rows))


def _copy_trail(source: Connection, ends: dict[str, int], target: sqlite3.Connection) -> None:
    """The changes themselves, as they stand, and the heads that the chains had."""
    inside = select(Change.id).where(_within(ends))
    for table, key in ((db.metadata.tables["change"], "id"), (db.metadata.tables["change_entries"], "change_id")):
        readings = [coerce(column, _raw(column)).label(column.name) for column in table.columns]
        selection = select(*readings).where(table.c[key].in_(inside)).order_by(table.c[key])
        found = source.execute(selection.execution_options(yield_per=BATCH)).mappings()
        _insert(target, table, (dict(row) for row in found))
    heads = select(Change.chain, func.max(Change.seq)).where(_within(ends)).group_by(Change.chain)
    for chain, seq in source.execute(heads).all():
        link = source.execute(select(Change.link).where(Change.chain == chain, Change.seq == seq)).scalar_one()
        _insert(target, ChainHead.__table__, iter([{"chain": chain, "seq": seq, "link": link}]))  # type: ignore[arg-type]


def _raw(column: Any) -> Any:
    """Texts, instants and documents alike are read as the text that is stored."""
    impl = getattr(column.type, "impl", column.type)
    return Text() if isinstance(impl, Text) else column.type
