"""The shape of a form's answers: `{group: {row: {item: cell}}}`, and what may be done with it.

A cell is text exactly as collected, a list of codes, `{"missing": code}` or `{"file": sha256, …}`. The row of
a group that does not repeat is "1". A row marked in error has the extra key `_error` with the reason. A path
is `VS/1/HEIGHT`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

Answers = dict[str, dict[str, dict[str, Any]]]
ERROR = "_error"


def iter_cells(answers: Answers) -> Iterator[tuple[str, Any]]:
    """Every path and cell, in the order of the document."""
    for group, rows in answers.items():
        for row, cells in rows.items():
            for item, cell in cells.items():
                yield f"{group}/{row}/{item}", cell


def get(answers: Answers, path: str) -> Any:
    """The cell at a path, None when there is none."""
    group, row, item = path.split("/")
    return answers.get(group, {}).get(row, {}).get(item)


def diff(old: Answers, new: Answers) -> list[tuple[str, Any, Any]]:
    """What differs: `(path, old cell, new cell)`, with None for a cell that is not there."""
    before, after = dict(iter_cells(old)), dict(iter_cells(new))
    paths = [*before, *(path for path in after if path not in before)]
    return [(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)]


def apply(answers: Answers, changes: Iterable[tuple[str, Any]]) -> Answers:
    """A copy with cells set (None takes one out); rows and groups that become empty are gone."""
    result = {group: {row: dict(cells) for row, cells in rows.items()} for group, rows in answers.items()}
    for path, cell in changes:
        group, row, item = path.split("/")
        if cell is None:
            result.get(group, {}).get(row, {}).pop(item, None)
        else:
            result.setdefault(group, {}).setdefault(row, {})[item] = cell
    return {
        group: kept for group, rows in result.items() if (kept := {row: cells for row, cells in rows.items() if cells})
    }


def is_missing_reason(cell: Any) -> bool:
    """Whether a cell says why there is no answer."""
    return isinstance(cell, dict) and "missing" in cell


def in_error(cells: dict[str, Any]) -> bool:
    """Whether a row was marked in error."""
    return ERROR in cells
