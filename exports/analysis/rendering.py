"""An output as an HTML fragment, and its cells as CSV. Each cell of the page names the records behind it."""

import csv
import io
from html import escape

from exports.analysis.registry import FIGURE, LISTING, TABLE, Output, Text, both

KINDS = {TABLE: both("Table", "表"), LISTING: both("Listing", "列表"), FIGURE: both("Figure", "图")}
EMPTY = both("Nothing to show.", "无数据。")
MOST_KEYS = 200  # named in the page for one cell; the workbook has them all


def heading(output: Output, language: str) -> str:
    """`Table T4.3. Clinical complete response …`."""
    stop = "　" if language.startswith("zh") else ". "
    return f"{KINDS[output.kind].of(language)} {output.id}{stop}{output.title.of(language)}"


def html(output: Output, language: str) -> str:
    """The fragment: heading, population, drawing, table, footnotes. A cell carries its keys as `data-keys`."""
    parts = [f'<section class="output" id="{output.id}" lang="{"zh-CN" if language.startswith("zh") else "en"}">']
    parts.append(f"<h3>{escape(heading(output, language))}</h3>")
    parts.append(f'<p class="population">{escape(output.population.of(language))}</p>')
    if output.draw:
        parts.append(f"<figure>{output.draw(language)}</figure>")
    parts.append(_table(output, language))
    if output.footnotes:
        notes = "".join(f"<li>{escape(note.of(language))}</li>" for note in output.footnotes)
        parts.append(f'<ul class="footnotes">{notes}</ul>')
    return "".join([*parts, "</section>"])


def _table(output: Output, language: str) -> str:
    if not output.rows:
        return f"<p>{escape(EMPTY.of(language))}</p>"
    head = "".join(f'<th scope="col">{escape(column.of(language))}</th>' for column in output.columns)
    body = []
    for row in output.rows:
        cells = []
        for place, each in enumerate(row):
            keys = f' data-keys="{escape(";".join(each.keys[:MOST_KEYS]))}"' if each.keys else ""
            tag = 'th scope="row"' if place == 0 else "td"
            cells.append(f"<{tag}{keys}>{escape(each.text.of(language))}</{tag[:2]}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


SOURCES = both("Source records", "来源记录")


def as_csv(output: Output, language: str) -> str:
    """The rows, exact, with a last column of keys. For programs: the workbook is for spreadsheets (SEC-33)."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([*(column.of(language) for column in output.columns), SOURCES.of(language)])
    for row in output.rows:
        keys = dict.fromkeys(key for each in row for key in each.keys)
        writer.writerow([*(each.text.of(language) for each in row), ";".join(keys)])
    return target.getvalue()


def file_name(output: Output) -> str:
    """`t4-3`, for files of an output."""
    return output.id.lower().replace(".", "-")


def texts(output: Output) -> list[Text]:
    """Every text of an output, to see that both languages are there."""
    cells = [each.text for row in output.rows for each in row]
    return [output.title, output.population, *output.columns, *output.footnotes, *cells]
