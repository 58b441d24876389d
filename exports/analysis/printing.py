"""Outputs as one PDF with an embedded font for both languages: tables as grids, figures drawn from their SVG.

Only what `exports.charts` and `drawings` use of SVG is known here: rectangles, lines, circles, texts, and paths of
straight pieces.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from fpdf.enums import PageOrientation

from exports.analysis.registry import Output, both
from exports.analysis.rendering import EMPTY, heading
from exports.paper import INK, MARGIN, NAME, SOFT, Furniture, Paper, printable

MOST_ROWS = 2_000  # of one output on paper; the workbook and the CSV have them all
CUT = both(
    "Only the first {most} of {all} rows are printed; the workbook has them all.",
    "仅打印前{most}行（共{all}行），完整数据见工作簿。",
)
PAGE = both("Page {page} of {pages}", "第{page}页，共{pages}页")
TITLE = both("Tables, listings and figures", "统计表、列表与图")
WORD, TEXT, PORTRAIT = 14, 34, 112  # letters: the longest word kept whole, the widest column, a page upright
_WORDS = re.compile(r"[\u2e80-\u9fff]|[^\s\u2e80-\u9fff]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PIECE = re.compile(r"([MLHVZ])([^MLHVZ]*)")


def write(outputs: Iterable[Output], study: str, language: str, made_at: datetime) -> bytes:
    """The document."""
    made = list(outputs)
    cut = made[0].cut_off.isoformat() if made else ""
    foot = both(f"Data cut-off {cut}", f"数据截止日期{cut}").of(language)
    furniture = Furniture(TITLE.of(language), study, TITLE.of(language), foot, PAGE.of(language))
    paper = Paper(furniture, language, made_at)
    for output in made:
        wide = _is_wide(output, language)
        paper.def_orientation = PageOrientation.LANDSCAPE if wide else PageOrientation.PORTRAIT  # and where it goes on
        paper.add_page()
        _print(paper, output, language)
    return paper.document()


def _is_wide(output: Output, language: str) -> bool:
    head = [column.of(language) for column in output.columns]
    rows = [[each.text.of(language) for each in row] for row in output.rows[:200]]
    return output.draw is None and sum(_widths(head, rows)) > PORTRAIT


def _print(paper: Paper, output: Output, language: str) -> None:
    paper.heading(heading(output, language), 1)
    paper.words(output.population.of(language), 9, SOFT)
    paper.gap()
    if output.draw:
        draw(paper, output.draw(language))
        paper.gap()
    elif output.rows:
        head = [column.of(language) for column in output.columns]
        rows = [[each.text.of(language) for each in row] for row in output.rows[:MOST_ROWS]]
        paper.grid(head, rows, _widths(head, rows))
    else:
        paper.words(EMPTY.of(language))
    if len(output.rows) > MOST_ROWS:
        paper.words(CUT.of(language).format(most=MOST_ROWS, all=len(output.rows)), 8, SOFT)
    for note in output.footnotes:
        paper.words(note.of(language), 8, SOFT)


def _widths(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Shares of the page: what a column's longest word needs, and more for long texts."""
    shares = []
    for place, name in enumerate(head):
        texts = [row[place] for row in rows[:200]]
        words = [_extent(word) for text in (name, *texts) for word in _WORDS.findall(text)]
        longest = max([_extent(name) * 0.6, *(_extent(text) for text in texts)])
        shares.append(max(min(max(words, default=4), WORD) + 2, min(longest, TEXT)))
    return shares


def _extent(text: str) -> float:
    return sum(1 if sign.isascii() else 2 for sign in text)


def draw(paper: Paper, svg: str) -> None:
    """A drawing at the present place, as wide as the text."""
    root = fromstring(svg)
    _, _, width, height = (float(each) for each in root.attrib["viewBox"].split())
    scale = paper.epw / width
    limit = paper.h - 60
    scale = min(scale, limit / height)
    paper.room(height * scale)
    top = paper.get_y()
    for element in root:
        _element(paper, element, scale, top)
    paper.set_y(top + height * scale)
    paper.set_draw_color(*INK)
    paper.set_line_width(0.2)


def _element(paper: Paper, element: Element, scale: float, top: float) -> None:
    tag, get = element.tag.rpartition("}")[2], element.attrib.get
    if tag in ("title", "desc"):
        return
    fill, stroke = _colour(get("fill")), _colour(get("stroke"))
    opacity = float(get("fill-opacity") or 1)
    paper.set_line_width(float(get("stroke-width") or 1) * scale)
    if stroke:
        paper.set_draw_color(*stroke)
    if fill and tag != "text":
        paper.set_fill_color(*fill)
    style = ("F" if fill else "") + ("D" if stroke else "")

    def number(name: str) -> float:
        return float(get(name) or 0) * scale

    with paper.local_context(fill_opacity=opacity):
        if tag == "rect" and style:
            paper.rect(MARGIN + number("x"), top + number("y"), number("width"), number("height"), style=style)
        elif tag == "circle" and style:
            paper.circle(MARGIN + number("cx"), top + number("cy"), number("r"), style=style)
        elif tag == "line":
            _dashes(paper, get("stroke-dasharray"), scale)
            ends = (MARGIN + number("x1"), top + number("y1"), MARGIN + number("x2"), top + number("y2"))
            paper.line(*ends)
            paper.set_dash_pattern()
        elif tag == "path":
            _dashes(paper, get("stroke-dasharray"), scale)
            points = [(MARGIN + x * scale, top + y * scale) for x, y in _points(get("d") or "")]
            _path(paper, get("d") or "", points, bool(fill), style)
            paper.set_dash_pattern()
    if tag == "text":
        _text(paper, element, scale, top)


def _path(paper: Paper, d: str, points: Sequence[tuple[float, float]], filled: bool, style: str) -> None:
    if filled and "Z" in d:
        paper.polygon(points, style=style)
        return
    starts = [place for place, (command, _) in enumerate(_PIECE.findall(d)) if command == "M"]
    for place in range(1, len(points)):
        if place not in starts:
            paper.line(*points[place - 1], *points[place])


def _points(d: str) -> list[tuple[float, float]]:
    """The corners of a path of M, L, H, V and Z."""
    found: list[tuple[float, float]] = []
    x = y = 0.0
    for command, rest in _PIECE.findall(d):
        numbers = [float(each) for each in _NUMBER.findall(rest)]
        if command in "ML":
            x, y = numbers
        elif command == "H":
            x = numbers[0]
        elif command == "V":
            y = numbers[0]
        if command != "Z":
            found.append((x, y))
    return found


def _dashes(paper: Paper, pattern: str | None, scale: float) -> None:
    if pattern:
        dash, gap = (float(each) * scale for each in pattern.split())
        paper.set_dash_pattern(dash, gap)


def _text(paper: Paper, element: Element, scale: float, top: float) -> None:
    get = element.attrib.get
    words = printable(element.text or "")
    size = float(get("font-size") or 12) * scale * paper.k
    paper.set_font(NAME, size=size)
    paper.set_text_color(*(_colour(get("fill")) or INK))
    x, y = MARGIN + float(get("x") or 0) * scale, top + float(get("y") or 0) * scale
    shift = {"middle": 0.5, "end": 1.0}.get(get("text-anchor") or "", 0.0) * paper.get_string_width(words)
    if (get("transform") or "").startswith("rotate(-90"):
        with paper.rotation(90, x, y):
            paper.text(x - shift, y, words)
    else:
        paper.text(x - shift, y, words)


def _colour(value: str | None) -> tuple[int, int, int] | None:
    if not value or not value.startswith("#"):
        return None
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
