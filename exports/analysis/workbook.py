"""Outputs as one workbook: a sheet each, and SOURCES, which names the records behind every cell.

No text becomes a formula (SEC-33): cells are made by `exports.as_excel`. The same outputs give the same bytes.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from exports.analysis.registry import Output, both
from exports.analysis.rendering import EMPTY, SOURCES, heading
from exports.as_excel import _EPOCH, MOST_ROWS, _FixedZip, cell_of, sheet_name

CONTENTS = both("Contents", "目录")
SOURCE_COLUMNS = (both("Output", "输出"), both("Row", "行"), both("Column", "列"), SOURCES)
BOLD, TITLE = Font(bold=True), Font(bold=True, size=13)
HEAD_ROWS = 4  # title, population, empty, columns


def write(outputs: Iterable[Output], path: Path, language: str) -> None:
    """Write the workbook."""
    made = list(outputs)
    book = Workbook(write_only=True)
    book.properties.creator = "export"
    book.properties.created = _EPOCH
    contents = book.create_sheet(CONTENTS.of(language))
    contents.column_dimensions["A"].width, contents.column_dimensions["B"].width = 12, 90
    taken = {CONTENTS.of(language).lower()}
    for output in made:
        contents.append([cell_of(contents, output.id), cell_of(contents, output.title.of(language))])
    for output in made:
        _sheet(book, output, language, taken)
    _sources(book, made, language, taken)
    with _FixedZip(path, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        ExcelWriter(book, archive).save()


def _sheet(book: Workbook, output: Output, language: str, taken: set[str]) -> None:
    sheet = book.create_sheet(sheet_name(output.id, taken))
    sheet.freeze_panes = f"A{HEAD_ROWS + 1}"
    for column in range(1, len(output.columns) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 34 if column <= 2 else 18
    sheet.append([_styled(sheet, heading(output, language), TITLE)])
    sheet.append([cell_of(sheet, output.population.of(language))])
    sheet.append([])
    sheet.append([_styled(sheet, column.of(language), BOLD) for column in output.columns])
    for row in islice(output.rows, MOST_ROWS - 100):
        sheet.append([_value(sheet, each.text.of(language), each.number) for each in row])
    if not output.rows:
        sheet.append([cell_of(sheet, EMPTY.of(language))])
    sheet.append([])
    for note in output.footnotes:
        sheet.append([cell_of(sheet, note.of(language))])


def _value(sheet: Any, shown: str, number: float | None) -> Any:
    """A number where the cell shows exactly that number; else the text."""
    if number is not None:
        try:
            return number if float(shown) == number else cell_of(sheet, shown)
        except ValueError:
            pass
    return cell_of(sheet, shown)


def _sources(book: Workbook, outputs: Iterable[Output], language: str, taken: set[str]) -> None:
    sheet = book.create_sheet(sheet_name("SOURCES", taken))
    sheet.append([_styled(sheet, column.of(language), BOLD) for column in SOURCE_COLUMNS])
    rows = (
        (output.id, HEAD_ROWS + place, column, key)
        for output in outputs
        for place, row in enumerate(output.rows, start=1)
        for column, each in enumerate(row, start=1)
        for key in each.keys
    )
    for id, place, column, key in islice(rows, MOST_ROWS - 1):
        sheet.append([cell_of(sheet, id), place, get_column_letter(column), cell_of(sheet, key)])


def _styled(sheet: Any, text: str, font: Font) -> Any:
    made = cell_of(sheet, text)
    if isinstance(made, str):
        made = WriteOnlyCell(sheet, value=made)
    made.font = font
    return made
