"""Reading the trail: verify every hash, replay it into tables, compare the two. Constant memory for the hashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, text

from models.base import Base, db
from models.change import PER_LEAF, ZERO, ChainHead, Change, ChangeEntries, commit, leaf_of, link_of, plain

BATCH = 500
COLUMNS = (
    "id", "chain", "seq", "at", "user_id", "user_name", "role", "site_id", "subject_id", "action", "about", "body",
    "leaf", "prev", "link",
)  # fmt: skip


@dataclass(frozen=True)
class TrailFault:
    """Something in the trail or the tables that does not fit, and the first change where it shows."""

    chain: str
    seq: int
    what: str

    def __str__(self) -> str:
        return f"{self.chain} change {self.seq}: {self.what}"


def heads() -> list[tuple[str, int, str]]:
    """Chain, sequence number and link of every head."""
    return [tuple(row) for row in db.session.execute(select(ChainHead.chain, ChainHead.seq, ChainHead.link))]  # type: ignore[misc]


def head_of(chain: str) -> tuple[int, str]:
    """Sequence number and link of a chain's head; (0, zeros) before its first change."""
    row = db.session.execute(select(ChainHead.seq, ChainHead.link).where(ChainHead.chain == chain)).first()
    return (row[0], row[1]) if row else (0, ZERO)


def _rows(chain: str | None = None) -> Iterator[Any]:
    """Changes with their values, in order, a batch at a time."""
    columns = [getattr(Change, name) for name in COLUMNS]
    values = [ChangeEntries.entries, ChangeEntries.reason, ChangeEntries.reason_salt, ChangeEntries.detail]
    last = 0
    while True:
        selection = select(*columns, *values, ChangeEntries.detail_salt, ChangeEntries.change_id)
        selection = selection.outerjoin(ChangeEntries, ChangeEntries.change_id == Change.id)
        selection = selection.where(Change.id > last).order_by(Change.id).limit(BATCH)
        if chain is not None:
            selection = selection.where(Change.chain == chain)
        batch = db.session.execute(selection).all()
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].id


def verify(chain: str) -> list[TrailFault]:
    """Recompute every hash of a chain; the first change that does not fit is the first fault."""
    faults: list[TrailFault] = []
    prev, seq = ZERO, 0
    for row in sorted(_rows(chain), key=lambda each: each.seq) if _is_shuffled(chain) else _rows(chain):
        seq += 1
        wrong = _wrong(row, seq, prev)
        if wrong:
            return [TrailFault(chain, row.seq, wrong)]
        prev = row.link
    head = head_of(chain)
    if head != (seq, prev):
        faults.append(TrailFault(chain, seq, f"the head says change {head[0]}, the last one there is {seq}"))
    return faults


def _is_shuffled(chain: str) -> bool:
    """Whether ids and sequence numbers disagree in order (they never do unless somebody wrote by hand)."""
    previous = 0
    for (seq,) in db.session.execute(select(Change.seq).where(Change.chain == chain).order_by(Change.id)):
        if seq < previous:
            return True
        previous = seq
    return False


def _wrong(row: Any, seq: int, prev: str) -> str | None:
    if row.seq != seq:
        return f"expected change {seq} here: one is gone or was put in"
    if row.prev != prev:
        return "it does not follow the change before it"
    if leaf_of(row.body) != row.leaf or link_of(row.prev, row.leaf) != row.link:
        return "its content does not fit its hash"
    if row.change_id is None:
        return "its values are gone without a declared redaction"
    return _wrong_columns(row, orjson.loads(row.body))


def _wrong_columns(row: Any, body: dict[str, Any]) -> str | None:
    at = row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    told = (row.seq, at, row.user_id, row.user_name, row.role, row.site_id, row.subject_id, row.action, row.about)
    names = ("seq", "at", "user", "name", "role", "site", "subject", "action", "about")
    for name, value in zip(names, told, strict=True):
        if body[name] != value:
            return f"its column for {name!r} does not fit its hashed body"
    if commit(row.reason_salt, row.reason) != body["reason"] or commit(row.detail_salt, row.detail) != body["detail"]:
        return "its reason or detail was altered"
    entries = row.entries
    if len(entries) != len(body["entries"]):
        return "an entry is gone or was put in"
    for entry, told_entry in zip(entries, body["entries"], strict=True):
        found = [entry["path"], commit(entry["salt_old"], entry["old"]), commit(entry["salt_new"], entry["new"])]
        if [*found, entry.get("source")] != told_entry:
            return f"the value of {entry['path']} was altered"
    return None


def replay() -> dict[str, dict[str, dict[str, Any]]]:
    """The audited tables as the trail says they are: {table: {key: {column: value}}}."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for row in _rows():
        for entry in row.entries or []:
            _apply(tables, entry["path"], entry["new"])
    return {table: {key: values for key, values in rows.items() if values} for table, rows in tables.items()}


def _apply(tables: dict[str, Any], path: str, new: Any) -> None:
    table, key, column, *leaf = path.split("/")
    row = tables.setdefault(table, {}).setdefault(key, {})
    if not leaf:
        if new is None:
            row.pop(column, None)
        else:
            row[column] = new
        return
    group, line, item = leaf[0], "/".join(leaf[1:-1]), leaf[-1]
    document = row.setdefault(column, {})
    if new is None:
        document.get(group, {}).get(line, {}).pop(item, None)
    else:
        document.setdefault(group, {}).setdefault(line, {})[item] = new


def current() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The audited tables as they are: table, key, {column: value} without nulls."""
    for mapper in sorted(Base.registry.mappers, key=lambda each: each.local_table.name):
        if not mapper.class_.audited:
            continue
        columns = [attribute.columns[0] for attribute in mapper.column_attrs]
        keys = [column for column in columns if column.primary_key]
        for row in db.session.execute(select(*columns).order_by(*keys)):
            values = dict(zip(columns, row, strict=True))
            key = ".".join(str(values[column]) for column in keys)
            plainly = {column.name: plain(column, value) for column, value in values.items() if value is not None}
            yield mapper.local_table.name, key, plainly


def compare() -> list[str]:
    """Where the tables are not what the trail says: something was written past it."""
    told = replay()
    wrong = []
    for table, key, values in current():
        expected = told.get(table, {}).pop(key, None)
        if expected is None:
            wrong.append(f"{table}/{key} is in the table, not in the trail")
            continue
        for column in sorted(set(values) | set(expected)):
            if _tidy(column, values.get(column)) != _tidy(column, expected.get(column)):
                wrong.append(f"{table}/{key}/{column} differs from the trail")
    wrong += [f"{table}/{key} is in the trail, not in the table" for table, rows in told.items() for key in rows]
    return wrong


def _tidy(column: str, value: Any) -> Any:
    """Documents without empty rows and groups: taking the last answer out leaves nothing."""
    if column not in PER_LEAF or not isinstance(value, dict):
        return None if value == {} and column in PER_LEAF else value
    tidy = {group: {row: cells for row, cells in rows.items() if cells} for group, rows in value.items()}
    return {group: rows for group, rows in tidy.items() if rows} or None


def verify_all() -> list[TrailFault]:
    """Every chain and the comparison of the tables with the trail."""
    chains = [row[0] for row in db.session.execute(text("SELECT DISTINCT chain FROM change ORDER BY chain"))]
    faults = [fault for chain in chains for fault in verify(chain)]
    if not faults:
        faults = [TrailFault("tables", 0, what) for what in compare()]
    return faults


def history(about: str) -> Iterator[str]:
    """The entries whose path begins with `about`, oldest first, as lines."""
    for row in _rows():
        for entry in row.entries or []:
            if entry["path"].startswith(about):
                told = f"{entry['old']!r} -> {entry['new']!r}"
                reason = f" ({row.reason})" if row.reason else ""
                yield f"{row.at:%Y-%m-%d %H:%M:%S}Z {row.chain} {row.seq} {row.user_name}: {entry['path']} {told}{reason}"

