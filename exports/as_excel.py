"""A workbook for people to read: typed cells, and no formula whatever was typed (SEC-33, SEC-34).

openpyxl turns a text that begins with `=` into a formula and `#N/A` into an error; both are forced to be text
here. Exact data for analysis are in the CSV files.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from exports.shape import Table, Variable

MOST_ROWS = 1_048_576
LONGEST_TEXT = 32_767
LONGEST_SHEET_NAME = 31
CUT = " … [continued in the CSV file · 全文见 CSV 文件]"
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEADER_FONT, _HEADER_FILL = Font(bold=True), PatternFill("solid", fgColor="E6EEF5")
_EPOCH = datetime(1980, 1, 1)


def write(tables: Iterable[Table], path: Path, readme: list[tuple[str, str]], most_rows: int = MOST_ROWS) -> None:
    """Write all tables into one workbook; a table with more rows than a sheet may have goes on in the next
    sheet.
    """
    book = Workbook(write_only=True)
    book.properties.creator = "export"
    book.properties.created = _EPOCH
    sheet = book.create_sheet("README")
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 70
    for line in readme:
        sheet.append([cell_of(sheet, text) for text in line])
    taken = {"readme"}
    for table in tables:
        _write_table(book, table, taken, most_rows)
    with _FixedZip(path, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        ExcelWriter(book, archive).save()


def _write_table(book: Workbook, table: Table, taken: set[str], most_rows: int) -> None:
    names = [variable.name for variable in table.variables]
    rows = zip(*(_cells(table, variable) for variable in table.variables), strict=True)
    for _ in range(max(1, ceil(table.rows / (most_rows - 1)))):
        sheet = book.create_sheet(sheet_name(table.name, taken))
        sheet.freeze_panes = "A2"
        for column, variable in enumerate(table.variables, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = 16 if variable.type == "text" else 12
        sheet.append([_header(sheet, name) for name in names])
        for row in islice(rows, most_rows - 1):
            sheet.append([cell_of(sheet, value) if isinstance(value, str) else value for value in row])
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}1"


def _cells(table: Table, variable: Variable) -> Iterator[Any]:
    """The column as Excel can hold it: numbers as numbers unless digits would be lost, dates as dates from
    1900 on.
    """
    collected = table.columns[variable.name]
    if variable.type == "text":
        return iter(collected)
    typed = table.arrow[variable.name].to_pylist()
    return (_cell(value, text) for value, text in zip(typed, collected, strict=True))


def _cell(value: Any, text: Any) -> Any:
    if value is None:
        return text
    if isinstance(value, date) and value.year < 1900:
        return str(text)
    if isinstance(value, int | float) and len(re.sub(r"\D", "", str(text))) > 15:
        return str(text)
    return value


def cell_of(sheet: Any, text: str) -> Any:
    """A text cell that stays text: control characters made visible, over-long texts cut with a note."""
    if _ILLEGAL.search(text):  # XML cannot hold them; the pictures of U+2400 show which character stood there
        text = _ILLEGAL.sub(lambda found: chr(0x2400 + ord(found[0])), text)
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - len(CUT)] + CUT
    if not text.startswith(("=", "#", "+", "-", "@", "\t", "\r")):
        return text
    cell = WriteOnlyCell(sheet, value="")
    cell._value, cell.data_type = text, "s"
    cell.quotePrefix = True  # stays text even when a person edits the cell
    return cell


def sheet_name(table: str, taken: set[str]) -> str:
    """A free name for a sheet: at most 31 characters, none of `[]:*?/\\`."""
    base = re.sub(r"[\[\]:*?/\\]", "_", table)
    name, number = base[:LONGEST_SHEET_NAME], 1
    while name.lower() in taken:
        number += 1
        ending = f" ({number})"
        name = base[: LONGEST_SHEET_NAME - len(ending)] + ending
    taken.add(name.lower())
    return name


def _header(sheet: Any, name: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=name)
    cell.font, cell.fill = _HEADER_FONT, _HEADER_FILL
    return cell


class _FixedZip(ZipFile):
    """A zip whose entries carry no clock time: the same data give the same bytes (CPY-05)."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **kwargs: Any) -> None:
        if zinfo_or_arcname == "docProps/core.xml":
            text = data if isinstance(data, str) else data.decode()
            data = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{_EPOCH.isoformat()}Z", text)
        super().writestr(_entry(zinfo_or_arcname), data)

    def write(self, filename: Any, arcname: Any = None, *args: Any, **kwargs: Any) -> None:
        with (
            open(filename, "rb") as source,
            self.open(_entry(arcname or filename), "w", force_zip64=True) as target,
        ):
            while block := source.read(1 << 20):
                target.write(block)


def _entry(name: Any) -> ZipInfo:
    entry = ZipInfo(str(name), (1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    return entry
