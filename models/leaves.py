"""How stored rows become paths and values, and back: the language in which the trail speaks about tables.

A column is `table/key/column`. A form's document is one path per leaf, `form_data/12/answers/VS/1/HEIGHT`:
three levels (group, row, item) below the column; an empty group or row is a leaf of its own, so that nothing
is lost.
"""

from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, Text

from models.base import IsoDate, JsonText, UtcTime

DOCUMENTS = frozenset({("form_data", "answers"), ("review", "verified"), ("review", "frozen")})
DEPTH = 3
Leaves = dict[str, Any]


def plain(column: Column[Any], value: Any) -> Any:
    """A column's value as the JSON value the trail keeps; bytes are kept by their SHA-256.

    Raises:
        TypeError: the value is not of the column's type, so that what is stored might not be what was
        recorded.
    """
    if value is None:
        return None
    kind = column.type
    match kind:
        case JsonText():
            return value
        case UtcTime() if isinstance(value, datetime):
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case IsoDate() if isinstance(value, date):
            return value.isoformat()
        case Boolean() if isinstance(value, bool):
            return value
        case Integer() if isinstance(value, int) and not isinstance(value, bool):
            return value
        case LargeBinary() if isinstance(value, bytes | memoryview):
            return f"sha256:{sha256(value).hexdigest()}"
        case Text() if isinstance(value, str):
            return value
    raise TypeError(f"{column.table.name}.{column.name} takes {kind!r}, not {type(value).__name__}")


def column_leaves(prefix: str, column: Column[Any], value: Any) -> Leaves:
    """The leaves of one column of a row whose path is `prefix`; an empty value has none."""
    path = f"{prefix}/{column.name}"
    stored = plain(column, value)
    if stored is None:
        return {}
    if (column.table.name, column.name) in DOCUMENTS:
        leaves: Leaves = {}
        _flatten(path, stored, 0, leaves)
        return leaves
    return {path: stored}


def _flatten(path: str, value: Any, depth: int, leaves: Leaves) -> None:
    if depth < DEPTH and isinstance(value, dict) and value:
        for key, inner in value.items():
            if not key or "/" in key:
                raise ValueError(f"a key of a document cannot be {key!r}")
            _flatten(f"{path}/{key}", inner, depth + 1, leaves)
    elif value is None:
        raise ValueError(f"{path}: nothing is told by leaving it out, not by an empty value")
    else:
        leaves[path] = value


def split(path: str) -> tuple[str, str, str, list[str]]:
    """Table, key, column, and the keys below the column."""
    table, key, column, *below = path.split("/")
    return table, key, column, below


def put(row: dict[str, Any], column: str, below: list[str], value: Any) -> None:
    """Write a leaf into a row that is being rebuilt."""
    keys = [column, *below]
    for key in keys[:-1]:
        row = row.setdefault(key, {})
    row[keys[-1]] = value
