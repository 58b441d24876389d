"""Stata: labels in both languages. Stata labels numbers only, so each coded item gets a numbered twin
`<ITEM>_N`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from exports.as_spss import fix_bytes, value_labels
from exports.shape import Table, Variable, shorten

LONGEST_LABEL = 80  # characters
_STAMP = b"01 Jan 1980 00:00"


def write(table: Table, path: Path) -> None:
    """Write one table (format 118, UTF-8). The time stamp in the header is fixed (CPY-05)."""
    columns: dict[str, pd.Series] = {}
    labels: list[str | None] = []
    codes: dict[str, dict[Any, str]] = {}
    for variable in table.variables:
        columns[variable.name] = table.for_statistics[variable.name]
        labels.append(_label(variable.label))
        if variable.codes and variable.type == "integer":
            codes[variable.name] = value_labels(variable, 32_000)
        elif variable.codes and variable.role == "value":
            twin = f"{variable.name}_N"
            columns[twin], codes[twin] = _numbered(variable, table.columns[variable.name])
            labels.append(_label(f"{variable.label} (numbered)"))
    pyreadstat.write_dta(
        pd.DataFrame(columns),
        str(path),
        file_label=_label(table.en),
        column_labels=labels,
        variable_value_labels=codes,
    )
    head = path.read_bytes()[:1000]
    fix_bytes(path, head.index(b"<timestamp>") + len(b"<timestamp>") + 1, _STAMP)


def _label(text: str) -> str:
    return shorten(text[:LONGEST_LABEL], LONGEST_LABEL * 3)


def _numbered(variable: Variable, values: Sequence[str | None]) -> tuple[pd.Series, dict[int, str]]:
    """The codes as numbers: their own when all are whole numbers, else their place in the list from 1."""
    labels = value_labels(variable, 32_000)
    own = all(str(code).isascii() and str(code).isdigit() and str(int(code)) == str(code) for code in labels)
    number: dict[Any, int] = {code: int(code) if own else place for place, code in enumerate(labels, start=1)}
    numbered = pd.Series([number.get(value) for value in values], dtype="Int64")
    return numbered, {number[code]: f"{code} = {text}" for code, text in labels.items()}
