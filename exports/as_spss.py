"""SPSS: labels of variables and of codes in both languages; codes stay text."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from exports.shape import Table, Variable, shorten

LONGEST_TEXT = 32_767  # bytes; SPSS limit of one string
LONGEST_LABEL = 120  # bytes; SPSS limit of a value label
_STAMP_AT, _STAMP = 92, b"01 Jan 8000:00:00"  # creation date and time in the file's header


def write(table: Table, path: Path) -> None:
    """Write one table. The header's creation time is fixed: the same data give the same bytes (CPY-05)."""
    columns = dict(table.for_statistics)
    for variable in table.variables:
        if variable.type == "text" and any(map(_is_long, columns[variable.name])):
            columns[variable.name] = columns[variable.name].map(lambda text: shorten(text, LONGEST_TEXT))
    pyreadstat.write_sav(
        pd.DataFrame(columns),
        str(path),
        file_label=shorten(table.en, 60),
        column_labels=[shorten(variable.label, 250) for variable in table.variables],
        variable_value_labels={v.name: value_labels(v, LONGEST_LABEL) for v in table.variables if v.codes},
        variable_measure={v.name: _measure(v) for v in table.variables},
        variable_format={v.name: f"F16.{v.digits or 0}" for v in table.variables if v.type == "number" and v.digits},
    )
    fix_bytes(path, _STAMP_AT, _STAMP)


def _is_long(text: str) -> bool:
    return len(text) * 4 > LONGEST_TEXT


def value_labels(variable: Variable, limit: int) -> dict[Any, str]:
    """Code and label, both languages; flags and other numbers take their codes as numbers."""
    numeric = variable.type == "integer"
    labels: dict[Any, str] = {}
    for code in variable.codes:  # the newest version comes last and gives the label; the decode columns keep each
        text = code.en if code.en == code.zh else f"{code.en} · {code.zh}"
        labels[int(code.code) if numeric else code.code] = re.sub(r"\s+", " ", shorten(text, limit))
    return labels


def _measure(variable: Variable) -> str:
    return "scale" if variable.type in ("number", "integer", "date", "datetime") and not variable.codes else "nominal"


def fix_bytes(path: Path, at: int, stamp: bytes) -> None:
    """Overwrite a time stamp that a format keeps in its header."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(stamp)
