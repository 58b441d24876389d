"""Reading old and new of every audited row that a session writes, without anybody having to remember to.

Old values are read from the database itself right before the session flushes (on PostgreSQL the rows are
locked by that), so the trail tells what was there, not what somebody believed was there. New values are what
the session wrote.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, Protocol

from sqlalchemy import ClauseElement, Column, Table, event, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, SessionTransaction, UOWTransaction

from models.base import db
from models.leaves import Leaves, column_leaves

_MODEL: Any = db.Model
KEY = "change"  # where a session keeps the change it is in
TRAIL = frozenset({"change", "change_entries", "chain_head"})


class WrittenOutsideChange(Exception):
    """An audited row was about to be written where nothing would have recorded it."""


class ChangedMeanwhile(DBAPIError):
    """Somebody else changed the row since it was read; nothing was saved. Trying again reads it anew."""

    def __init__(self, sentence: str) -> None:
        super().__init__(None, None, Exception(sentence))


class Recorder(Protocol):
    """The part of a change that capturing needs."""

    is_leaving: bool
    is_broken: bool
    captured: dict[str, list[Any]]
    rows: dict[tuple[str, Any], dict[str, Any] | None]


def _is_audited(thing: object) -> bool:
    return isinstance(thing, _MODEL) and thing.audited


def _written(session: Session) -> list[Any]:
    """Every audited object that the coming flush writes."""
    changed = [thing for thing in session.dirty if _is_audited(thing) and session.is_modified(thing)]
    return [
        *(thing for thing in session.new if _is_audited(thing)),
        *changed,
        *(thing for thing in session.deleted if _is_audited(thing)),
    ]


def before_flush(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    """Refuse what no change records; remember what the rows hold now.

    Raises:
        WrittenOutsideChange: an audited row outside a change, or a row of the trail itself.
        ChangedMeanwhile: somebody else changed the same value since it was read.
    """
    for thing in (*session.new, *session.dirty, *session.deleted):
        if isinstance(thing, _MODEL) and thing.__table__.name in TRAIL:
            raise WrittenOutsideChange("the trail is written by leaving a change, by nothing else")
    written = _written(session)
    if not written:
        return
    change: Recorder | None = session.info.get(KEY)
    if change is None:
        names = ", ".join(sorted({thing.__tablename__ for thing in written}))
        raise WrittenOutsideChange(f"{names}: write inside `with Change(...)`")
    before: dict[Mapper[Any], list[Any]] = defaultdict(list)
    for thing in (*session.dirty, *session.deleted):
        state = inspect(thing)
        if _is_audited(thing) and (state.modified or thing in session.deleted):
            _refuse_expressions(thing)
            if (thing.__tablename__, state.identity[0]) not in change.rows:
                before[state.mapper].append(thing)
    for mapper, things in before.items():
        _read_rows(session, change, mapper, things)


def _refuse_expressions(thing: Any) -> None:
    for key in inspect(thing).committed_state:
        if isinstance(inspect(thing).dict.get(key), ClauseElement):
            raise TypeError(f"{thing.__tablename__}.{key}: give the value, the trail cannot record an expression")


def _read_rows(session: Session, change: Recorder, mapper: Mapper[Any], things: list[Any]) -> None:
    """Read (and on PostgreSQL lock) the rows as the database holds them before this flush."""
    table = mapper.local_table
    assert isinstance(table, Table)
    key = _key_column(table)
    keys = sorted(inspect(thing).identity[0] for thing in things)
    selection = select(table).where(key.in_(keys) if len(keys) > 1 else key == keys[0]).order_by(key).with_for_update()
    found = {row[key.name]: dict(row) for row in session.connection().execute(selection).mappings()}
    for thing in things:
        identity = inspect(thing).identity[0]
        if identity not in found:
            raise ChangedMeanwhile(f"{table.name}/{identity} is gone")
        _refuse_stale(thing, mapper, found[identity])
        change.rows[table.name, identity] = found[identity]


def _refuse_stale(thing: Any, mapper: Mapper[Any], row: dict[str, Any]) -> None:
    for key, believed in inspect(thing).committed_state.items():
        column = _column_of(mapper, key)
        if column is None or not isinstance(believed, str | int | date | None):
            continue  # not a column, not loaded, or a document (which may have been changed in place)
        if row[column.name] != believed:
            raise ChangedMeanwhile(f"{column.table.name}.{column.name} was changed by somebody else meanwhile")


def _key_column(table: Table) -> Column[Any]:
    keys = list(table.primary_key.columns)
    assert len(keys) == 1, f"an audited table has one key column, {table.name} has {len(keys)}"
    return keys[0]


def _column_of(mapper: Mapper[Any], key: str) -> Column[Any] | None:
    prop = mapper.column_attrs.get(key)
    return prop.columns[0] if prop is not None else None  # type: ignore[return-value]


def after_flush(session: Session, _context: UOWTransaction) -> None:
    """Turn what was just written into entries; keys are known by now, histories not yet forgotten."""
    change: Recorder | None = session.info.get(KEY)
    if change is None:
        return
    for thing in session.new:
        if _is_audited(thing):
            _capture_new(change, thing)
    for thing in session.dirty:
        if _is_audited(thing):
            _capture_changed(change, thing)
    for thing in session.deleted:
        if _is_audited(thing):
            _capture_deleted(change, thing)


def _capture_new(change: Recorder, thing: Any) -> None:
    state = inspect(thing)
    identity = state.mapper.primary_key_from_instance(thing)[0]
    prefix = f"{thing.__tablename__}/{identity}"
    row = {}
    for prop in state.mapper.column_attrs:
        column = prop.columns[0]
        row[column.name] = state.dict.get(prop.key)
        if not column.primary_key:
            _note(change, {}, column_leaves(prefix, column, row[column.name]))
    change.rows[thing.__tablename__, identity] = row


def _capture_changed(change: Recorder, thing: Any) -> None:
    state = inspect(thing)
    identity = state.identity[0]
    prefix = f"{thing.__tablename__}/{identity}"
    row = change.rows.get((thing.__tablename__, identity))
    for prop in state.mapper.column_attrs:
        if prop.key not in state.committed_state or not state.attrs[prop.key].history.has_changes():
            continue
        column = prop.columns[0]
        if column.primary_key:
            raise TypeError(f"the key of {prefix} cannot change")
        if row is None:
            raise WrittenOutsideChange(f"{prefix} was written in a way the trail cannot follow")
        new = state.dict[prop.key]
        _note(change, column_leaves(prefix, column, row[column.name]), column_leaves(prefix, column, new))
        row[column.name] = new


def _capture_deleted(change: Recorder, thing: Any) -> None:
    identity = inspect(thing).identity[0]
    prefix = f"{thing.__tablename__}/{identity}"
    row = change.rows[thing.__tablename__, identity]
    assert row is not None
    for column in thing.__table__.columns:
        if not column.primary_key:
            _note(change, column_leaves(prefix, column, row[column.name]), {})
    del change.rows[thing.__tablename__, identity]


def _note(change: Recorder, old: Leaves, new: Leaves) -> None:
    """Add leaves that differ. Of several writes in one change the first old and the last new are kept."""
    captured = change.captured
    for path, value in new.items():
        before = old.get(path)
        if before != value or type(before) is not type(value):
            captured.setdefault(path, [before, None])[1] = value
    for path, before in old.items():
        if path not in new:
            captured.setdefault(path, [before, None])[1] = None


def before_commit(session: Session) -> None:
    """Refuse to commit halfway: rows would be stored whose entries are not."""
    change: Recorder | None = session.info.get(KEY)
    if change is not None and not change.is_leaving:
        raise WrittenOutsideChange("inside a change, leaving the block commits")


def after_soft_rollback(session: Session, _previous: SessionTransaction) -> None:
    """What was captured did not happen: the change can only be left by failing."""
    change: Recorder | None = session.info.get(KEY)
    if change is not None:
        change.is_broken = True


def refuse_bulk(state: ORMExecuteState) -> None:
    """Refuse statements that write audited rows past the session, where nobody would see old and new."""
    if state.is_insert or state.is_update or state.is_delete:
        table = getattr(state.statement, "table", None)
        name = getattr(table, "name", "")
        if name in TRAIL or name in _audited_tables():
            raise WrittenOutsideChange(f"{name}: change its objects, not the table")


def _audited_tables() -> Iterable[str]:
    return {mapper.local_table.name for mapper in _MODEL.registry.mappers if mapper.class_.audited}


@event.listens_for(Mapper, "after_configured")
def _keep_old_values() -> None:
    """Load a value before it is replaced, also when it was not loaded yet, so that staleness is seen."""
    for mapper in _MODEL.registry.mappers:
        if mapper.class_.audited:
            for prop in mapper.column_attrs:
                mapper.class_manager[prop.key].impl.active_history = True


_LISTENERS: dict[str, Any] = {
    "before_flush": before_flush,
    "after_flush": after_flush,
    "before_commit": before_commit,
    "after_soft_rollback": after_soft_rollback,
    "do_orm_execute": refuse_bulk,
}
for _name, _listener in _LISTENERS.items():
    event.listen(db.session, _name, _listener)
