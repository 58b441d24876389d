"""Sheets of paper: a PDF with embedded fonts, headers, page numbers, an outline, and tables that break across pages.

The font is Noto Sans SC (SIL Open Font License), read from a package that carries nothing else, so that Chinese prints
on any machine. A character the font does not have is printed as its code, `[U+20BB7]`: nothing is left out (DAT-17).
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from fontTools.ttLib import TTFont
from fpdf import FPDF

FONT = files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"
NAME = "sans"
INK, SOFT, ACCENT, RULE, SHADE = (28, 36, 48), (92, 102, 117), (24, 86, 115), (203, 210, 218), (240, 244, 247)
SIZE, HEAD, LEADING, PADDING = 8.5, 8.0, 4.2, 1.8  # of tables: points, points, mm, mm
MARGIN, TOP, BOTTOM = 16.0, 22.0, 20.0
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECES = re.compile(f"[{_WIDE}]|[^{_WIDE}\\s]+\\s*|\\s+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Furniture:
    """What stands on every page: above, whose record this is; below, what it was printed from."""

    title: str
    left: str
    right: str
    foot: str
    page: str  # "Page {page} of {pages}"


@cache
def _glyphs() -> frozenset[int]:
    with TTFont(str(FONT), lazy=True) as font:
        return frozenset(font.getBestCmap())


def printable(text: str) -> str:
    """The text with every character that the font lacks written as its code."""
    text = _CONTROL.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    known = _glyphs()
    return "".join(sign if ord(sign) in known or sign == "\n" else f"[U+{ord(sign):04X}]" for sign in text)


class Paper(FPDF):
    """An A4 document that grows from top to bottom."""

    def __init__(self, furniture: Furniture, language: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.furniture, self.language = furniture, language
        self.set_title(furniture.title)
        self.set_lang("zh-CN" if language.startswith("zh") else "en")
        self.set_creation_date(made_at)
        self.set_margins(MARGIN, TOP, MARGIN)
        self.set_auto_page_break(True, BOTTOM)
        self.alias_nb_pages("{pages}")
        self.add_font(NAME, fname=str(FONT))
        self._ink(9)

    def _ink(self, size: float, colour: tuple[int, int, int] = INK) -> None:
        self.set_font(NAME, size=size)
        self.set_text_color(*colour)

    def header(self) -> None:
        """Whose record this is."""
        self._ink(8, SOFT)
        self.set_xy(MARGIN, 9)
        self.cell(self.epw * 0.62, 5, printable(self.furniture.left))
        self.cell(self.epw * 0.38, 5, printable(self.furniture.right), align="R")
        self.set_draw_color(*RULE)
        self.line(MARGIN, 15, self.w - MARGIN, 15)
        self.set_xy(MARGIN, TOP)
        self._ink(9)

    def footer(self) -> None:
        """What it was printed from, and the page."""
        self.set_y(-14)
        self._ink(7.5, SOFT)
        pages = self.furniture.page.format(page=self.page_no(), pages="{pages}")
        self.cell(self.epw * 0.78, 5, printable(self.furniture.foot))
        self.cell(self.epw * 0.22, 5, pages, align="R")

    def wrapped(self, text: str, width: float, size: float) -> list[str]:
        """The lines a text takes in a column of `width` mm: broken at spaces and beside any Chinese character."""
        widths: Mapping[int, float] = self.fonts[NAME].cw  # type: ignore[assignment]
        limit = width * self.k * 1000 / size
        lines: list[str] = []
        for paragraph in text.split("\n"):
            line, length = "", 0.0
            for piece in _PIECES.findall(paragraph):
                extent = sum(widths[ord(sign)] for sign in piece)
                if line and length + extent > limit:
                    lines.append(line.rstrip())
                    line, length = "", 0.0
                while extent > limit and len(piece) > 1:  # one long word: broken where the column ends
                    fits = self._fitting(piece, widths, limit)
                    lines.append(piece[:fits])
                    piece = piece[fits:]
                    extent = sum(widths[ord(sign)] for sign in piece)
                line, length = line + piece, length + extent
            lines.append(line.rstrip())
        return lines

    def _fitting(self, word: str, widths: Mapping[int, float], limit: float) -> int:
        length, count = 0.0, 0
        for sign in word:
            length += widths[ord(sign)]
            if length > limit:
                break
            count += 1
        return max(count, 1)

    def words(self, text: str, size: float = 9, colour: tuple[int, int, int] = INK, indent: float = 0) -> None:
        """A paragraph at the present place."""
        leading = size * 0.52
        for line in self.wrapped(printable(text), self.epw - indent, size):
            self.room(leading)
            self._ink(size, colour)
            self.text(MARGIN + indent, self.get_y() + leading * 0.75, line)
            self.set_xy(MARGIN, self.get_y() + leading)

    def room(self, height: float) -> None:
        """Start a new page when less than this many mm are left."""
        if self.get_y() + height > self.h - BOTTOM:
            self.add_page()

    def gap(self, height: float = 3) -> None:
        """White space."""
        self.set_y(self.get_y() + height)

    def heading(self, text: str, level: int = 0) -> None:
        """A heading, also in the outline."""
        size = (15, 12, 10.5)[level]
        self.room((20, 24, 14)[level])
        self.start_section(_CONTROL.sub("", text), level)
        if level == 1:
            self.set_fill_color(*SHADE)
            lines = self.wrapped(printable(text), self.epw - 4, size)
            self.rect(MARGIN, self.get_y(), self.epw, 2.5 + len(lines) * size * 0.52, style="F")
            self.gap(1.2)
            self.words(text, size, ACCENT, indent=2)
            self.gap(2.5)
        else:
            self.words(text, size, ACCENT)
            self.gap(1)

    def grid(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """A table: `widths` are shares of the page; the head is repeated on every page.

        A row stays in one piece unless it is longer than a page.
        """
        total = sum(widths)
        columns = [self.epw * width / total for width in widths]
        if head:
            self.room(LEADING * 5)
            self._row(self._cells(head, columns, HEAD), columns, head=True)
        for row in rows:
            cells = self._cells(row, columns, SIZE)
            while cells:
                height = max(len(lines) for lines in cells) * LEADING + PADDING
                page = self.h - TOP - BOTTOM
                if self.get_y() + height > self.h - BOTTOM and (height < page * 0.8 or self.get_y() > page * 0.7):
                    self.add_page()
                    if head:
                        self._row(self._cells(head, columns, HEAD), columns, head=True)
                most = max(1, int((self.h - BOTTOM - self.get_y() - PADDING) / LEADING))
                self._row([lines[:most] for lines in cells], columns)
                cells = [lines[most:] for lines in cells] if any(len(lines) > most for lines in cells) else []
        self.gap(2)

    def _cells(self, row: Sequence[str], columns: Sequence[float], size: float) -> list[list[str]]:
        return [self.wrapped(printable(text), width - 2, size) for text, width in zip(row, columns, strict=True)]

    def _row(self, cells: Sequence[Sequence[str]], columns: Sequence[float], head: bool = False) -> None:
        top = self.get_y()
        height = max(len(lines) for lines in cells) * LEADING + PADDING
        if head:
            self.set_fill_color(*SHADE)
            self.rect(MARGIN, top, self.epw, height, style="F")
        self._ink(HEAD if head else SIZE, SOFT if head else INK)
        left = MARGIN
        for lines, width in zip(cells, columns, strict=True):
            for number, line in enumerate(lines):
                if line:
                    self.text(left + 1, top + PADDING / 2 + (number + 0.78) * LEADING, line)
            left += width
        self.set_draw_color(*RULE)
        self.line(MARGIN, top + height, self.w - MARGIN, top + height)
        self.set_xy(MARGIN, top + height)

    def document(self) -> bytes:
        """The finished file. Text the font lacks was replaced before, so its warnings have nothing to add."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(self.output())
