"""Verifying the audit trail: every hash is computed again, and what the trail tells is compared with the
tables.

It reads in one pass and keeps no rows: what the trail adds up to and what the tables add up to are compared
as sums of hashes. Only where the sums differ, a second pass finds out which values it is. What nobody can
detect from inside (a trail rewritten from some point on, hashes and all) shows against a head that left the
house with an export.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, Text, or_, select, type_coerce

from models.base import db
from models.change import ChainHead, Change, ChangeEntries
from models.commitments import ALGORITHM, BODY_VERSION, ZEROS, commit, leaf_of, link_of, sorted_json
from models.replay import BATCH, one_state, replay, stored, table_leaves, trail_entries

__all__ = ["Fault", "heads", "history", "replay", "stored", "verify", "verify_all"]

BUCKETS = 4096
MOST_DIFFERENCES = 20
MASK = (1 << 64) - 1
REPEATED = {
    "chain": "chain",
    "seq": "seq",
    "at": "at",
    "user_id": "user",
    "user_name": "name",
    "role": "role",
    "site_id": "site",
    "subject_id": "subject",
    "action": "action",
    "about": "about",
}  # column of a change -> key of its body


@dataclass(frozen=True)
class Fault:
    """Something that does not fit: in which chain, at which change (None: the tables), and what."""

    chain: str | None
    seq: int | None
    sentence: str

    def __str__(self) -> str:
        if self.chain is None:
            return self.sentence
        return f"{self.chain}, change {self.seq}: {self.sentence}"


class _Sums:
    """For each bucket of paths the sum of the hashes of what is there: adding a value and taking it away
    cancel.

    Python's own hash is keyed anew in each process, so nobody can choose values whose hashes collide.
    """

    def __init__(self) -> None:
        self.buckets = [0] * BUCKETS

    def add(self, path: str, text: bytes) -> None:
        self.buckets[hash(path) % BUCKETS] += hash((path, text))

    def take(self, path: str, text: bytes) -> None:
        self.buckets[hash(path) % BUCKETS] -= hash((path, text))

    def uneven(self) -> set[int]:
        return {number for number, total in enumerate(self.buckets) if total & MASK}


def heads() -> list[tuple[str, int, str]]:
    """Each chain with the number and the hash of its last change."""
    with one_state() as connection:
        return [tuple(row) for row in connection.execute(_heads())]  # type: ignore[misc]


def _heads() -> Select[Any, Any, Any]:
    return select(ChainHead.chain, ChainHead.seq, ChainHead.link).order_by(ChainHead.chain)


def verify(chain: str) -> list[Fault]:
    """Compute every hash of one chain again. At most one fault: the first change that does not fit.

    A row may have been written by changes of several chains; comparing with the tables is therefore
    `verify_all`.
    """
    with one_state() as connection:
        return _verify_chains(connection, chain, _Sums())


def verify_all() -> list[Fault]:
    """Compute every hash of every chain again, and compare what the trail tells with what the tables hold."""
    with one_state() as connection:
        sums = _Sums()
        faults = _verify_chains(connection, None, sums)
        for path, value in table_leaves(connection):
            sums.take(path, sorted_json(value))
        uneven = sums.uneven()
        if uneven:
            faults += _name_differences(connection, uneven)
        if uneven and not faults:
            faults.append(Fault(None, None, "the tables do not add up to what the trail tells"))
        return faults


def _verify_chains(connection: Connection, only: str | None, sums: _Sums) -> list[Fault]:
    faults: dict[str, Fault] = {}
    last: dict[str, tuple[int, str]] = {}
    for row in connection.execute(_changes(only).execution_options(yield_per=BATCH)):
        seq, link = last.get(row.chain, (0, ZEROS))
        try:
            said = _says(row, sums)  # always, so that the sums stay whole where only the place is wrong
            sentence = _follows(row, seq, link) or said
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            sentence = f"cannot be read ({type(error).__name__})"
        if sentence and row.chain not in faults:
            faults[row.chain] = Fault(row.chain, row.seq, sentence)
        last[row.chain] = row.seq, row.link
    for chain, seq, link in connection.execute(_heads()).all():
        if only in (None, chain) and chain not in faults and last.get(chain, (0, ZEROS)) != (seq, link):
            faults[chain] = Fault(chain, seq, "the head is not the last change: changes are missing or were added")
        last.pop(chain, None)
    for chain, (seq, _) in last.items():
        faults.setdefault(chain, Fault(chain, seq, "the chain has no head"))
    return list(faults.values())


def _changes(only: str | None) -> Select[Any]:
    entries = [type_coerce(getattr(ChangeEntries, name), Text).label(name) for name in ("detail", "entries")]
    columns = [type_coerce(column, Text).label("at") if column.name == "at" else column for column in _CHANGE.columns]
    clear = [
        ChangeEntries.change_id,
        ChangeEntries.reason,
        ChangeEntries.reason_salt,
        ChangeEntries.detail_salt,
    ]
    joined = select(*columns, *clear, *entries).join_from(
        _CHANGE, ChangeEntries, ChangeEntries.change_id == _CHANGE.c.id, isouter=True
    )
    ordered = joined.order_by(_CHANGE.c.chain, _CHANGE.c.seq)
    return ordered if only is None else ordered.where(_CHANGE.c.chain == only)


_CHANGE: Any = Change.__table__


def _follows(row: Row[Any], seq: int, link: str) -> str | None:
    """Whether the change has its place in the chain."""
    if row.seq != seq + 1:
        return f"follows change {seq}: changes are missing"
    if row.prev != link:
        return "does not name the change before it"
    if row.leaf != leaf_of(row.body.encode()):
        return "the hash is not that of its body"
    if row.link != link_of(row.prev, row.leaf):
        return "the link is not that of its hashes"
    return None


def _says(row: Row[Any], sums: _Sums) -> str | None:
    """Whether columns, reason, detail and entries are those the body binds to. Adds the entries up."""
    body = orjson.loads(row.body)
    if row.change_id is None:
        return "its entries are gone"
    wrong = _says_entries(body["entries"], orjson.loads(row.entries), sums)
    if (body["v"], body["alg"]) != (BODY_VERSION, ALGORITHM) or sorted_json(body) != row.body.encode():
        return "the body is not written as it must be"
    for column, key in REPEATED.items():
        if getattr(row, column) != body[key]:
            return f"{column} is not what the body says"
    if not _binds(body["reason"], row.reason_salt, None if row.reason is None else sorted_json(row.reason)):
        return "the reason is not the one that was given"
    detail = None if row.detail is None else sorted_json(orjson.loads(row.detail))
    if not _binds(body["detail"], row.detail_salt, detail):
        return "the detail is not the one that was written"
    return wrong


def _binds(bound: str | None, salt: str | None, text: bytes | None) -> bool:
    if bound is None or salt is None or text is None:
        return bound is None and text is None
    return commit(bytes.fromhex(salt), text) == bound


def _says_entries(bound: list[list[Any]], entries: list[dict[str, Any]], sums: _Sums) -> str | None:
    """The inner loop over all values ever written, hence with everything near at hand."""
    wrong = None if len(bound) == len(entries) else "entries are missing or were added"
    dumps, sort, unhex, buckets = orjson.dumps, orjson.OPT_SORT_KEYS, bytes.fromhex, sums.buckets
    for entry, (path, bound_old, bound_new, source) in zip(entries, bound, strict=False):
        bucket = hash(path) % BUCKETS
        if entry["path"] != path or entry.get("source") != source:
            wrong = wrong or f"{path} is not the entry that was written"
        for value, salt, expected, sign in (
            (entry["old"], entry["salt_old"], bound_old, -1),
            (entry["new"], entry["salt_new"], bound_new, 1),
        ):
            if value is None:
                if expected is not None:
                    wrong = wrong or f"{path}: a value was erased"
                continue
            text = dumps(value, option=sort)
            buckets[bucket] += sign * hash((path, text))
            if salt is None or sha256(b"\x02" + unhex(salt) + text).hexdigest() != expected:
                wrong = wrong or f"{path}: a value is not the one that was written"
    return wrong


def _name_differences(connection: Connection, uneven: set[int]) -> Iterator[Fault]:
    """The second pass: replay only the paths of uneven buckets and hold them against the tables. Names no
    values."""
    told: dict[str, bytes] = {}
    for entry in trail_entries(connection):
        path = entry["path"]
        if hash(path) % BUCKETS in uneven:
            if entry["old"] is not None and told.get(path) != sorted_json(entry["old"]):
                yield Fault(None, None, f"{path}: an entry's old value is not the new value of the one before")
            told.pop(path, None)
            if entry["new"] is not None:
                told[path] = sorted_json(entry["new"])
    differing = []
    for path, value in table_leaves(connection):
        if hash(path) % BUCKETS in uneven and told.pop(path, None) != sorted_json(value):
            differing.append(f"{path}: the table does not hold what the trail tells")
    differing += [f"{path}: the trail tells of it, the table does not hold it" for path in told]
    for sentence in differing[:MOST_DIFFERENCES]:
        yield Fault(None, None, sentence)
    if len(differing) > MOST_DIFFERENCES:
        yield Fault(None, None, f"... and {len(differing) - MOST_DIFFERENCES} more")


def history(about: str) -> Iterator[str]:
    """One line per change of a row or of a path below it, oldest first: who, when, what, old -> new, why."""
    below = type_coerce(ChangeEntries.entries, Text)
    touches = or_(
        Change.about == about,
        below.contains(f'"path":"{about}/', autoescape=True),
        below.contains(f'"path":"{about}"', autoescape=True),
    )
    selection = (
        select(Change, ChangeEntries).join(ChangeEntries, ChangeEntries.change_id == Change.id).where(touches)
    ).order_by(Change.id)
    for change, clear in db.session.execute(selection):
        role = f" ({change.role})" if change.role else ""
        yield (
            f"{change.receipt}  {change.at:%Y-%m-%d %H:%M:%S}Z  {change.user_name}{role}  {change.action}"
            + (f"  because: {clear.reason}" if clear.reason else "")
        )
        for entry in clear.entries:
            if entry["path"] == about or entry["path"].startswith(f"{about}/"):
                source = f"  [{entry['source']}]" if entry.get("source") else ""
                yield f"    {entry['path']}: {_shown(entry['old'])} -> {_shown(entry['new'])}{source}"


def _shown(value: Any) -> str:
    return "(nothing)" if value is None else sorted_json(value).decode()
