"""SAS transport version 5, the format authorities ask for, with its limits of 1989 made visible.

Names have at most 8 characters, labels 40 bytes, texts 200 bytes. Longer names are mapped, longer texts
continue in further variables, and `names.csv` beside the files lists every mapping. Text is UTF-8.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyreadstat

from exports.shape import Table, Variable, plain_texts, shorten

LONGEST_TEXT, LONGEST_LABEL, LONGEST_NAME = 200, 40, 8
_ENDINGS = {"missing": "M", "en": "E", "zh": "C", "earliest": "F", "latest": "L", "unit": "U", "number": "N"}
_STAMP = b"01JAN80:00:00:00"
_STAMPS_AT = (0x90, 0xA0, 0x1D0, 0x1E0)  # created and modified, of the library and of its member


@dataclass(frozen=True)
class Renamed:
    """One variable of one file: where it comes from, and which part of a long text it holds."""

    table: str
    variable: str
    file: str
    name: str
    part: int
    label_en: str
    label_zh: str


def write(table: Table, path: Path) -> list[Renamed]:
    """Write one table; returns how its variables are called in the file."""
    taken = {name for v in table.variables if v.role in ("key", "value") and len(name := v.name) <= LONGEST_NAME}
    columns: dict[str, pd.Series | list[str | None]] = {}
    renamed: list[Renamed] = []
    for variable in table.variables:
        values = _parts(table, variable)
        for part, column in enumerate(values, start=1):
            own = part == 1 and variable.name in taken
            name = variable.name if own else short_name(variable, part, taken)
            columns[name] = column
            renamed.append(Renamed(table.name, variable.name, path.name, name, part, variable.en, variable.zh))
    frame = pd.DataFrame(columns)
    pyreadstat.write_xport(
        frame,
        str(path),
        file_label=shorten(table.en, LONGEST_LABEL),
        column_labels=[shorten(row.label_en, LONGEST_LABEL) for row in renamed],
        table_name=path.stem.upper(),
        file_format_version=5,
    )
    _fix_stamps(path)
    return renamed


def short_name(variable: Variable, part: int, taken: set[str]) -> str:
    """A name of at most 8 characters that no other variable of the file has."""
    ending = _ENDINGS.get(variable.role, "")
    base = variable.item if ending and variable.item else variable.name
    tail = f"_{ending}" if ending else ""
    name = base[: LONGEST_NAME - len(tail)] + tail if part == 1 else ""
    number = part
    while not name or name in taken:
        digits = f"{number}{ending}"
        name = base[: LONGEST_NAME - len(digits)] + digits
        number += 1
    taken.add(name)
    return name


def short_table_names(tables: list[str]) -> dict[str, str]:
    """A file name of at most 8 characters for every table."""
    taken: set[str] = set()
    return {table: short_name(Variable(table, "text", "", ""), 1, taken) for table in tables}


def _parts(table: Table, variable: Variable) -> list[pd.Series | list[str | None]]:
    column = table.for_statistics[variable.name]
    if variable.type != "text":
        return [column]
    texts = list(column)
    longest = max((len(text.encode()) for text in texts if text), default=0)
    if longest <= LONGEST_TEXT:
        return [column]
    pieces = [_split(text) for text in texts]
    width = max(len(piece) for piece in pieces)
    return [plain_texts([p[at] if at < len(p) else None for p in pieces]) for at in range(width)]


def _split(text: str) -> list[str]:
    pieces = []
    while text:
        pieces.append(shorten(text, LONGEST_TEXT))
        text = text[len(pieces[-1]) :]
    return pieces


def _fix_stamps(path: Path) -> None:
    with path.open("r+b") as file:
        for at in _STAMPS_AT:
            file.seek(at)
            file.write(_STAMP)
