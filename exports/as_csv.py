"""CSV for analysis: UTF-8 without byte order mark, RFC 4180, every value exactly as collected (SEC-33,
DAT-17).

Nothing is escaped for spreadsheets: a value that begins with `=` stays what it is. Files are for programs;
people open the workbook.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exports.shape import Table


def write(table: Table, path: Path) -> None:
    """Write one table. Nothing collected is an empty field; the code `NA` is the text NA."""
    names = [variable.name for variable in table.variables]
    write_rows(path, names, zip(*(table.columns[name] for name in names), strict=True))


def write_rows(path: Path, names: list[str], rows: Iterable[Iterable[Any]]) -> int:
    """Write rows as they come, in constant memory; returns how many."""
    count = 0

    def counted() -> Iterable[Iterable[Any]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows(counted())
    return count
