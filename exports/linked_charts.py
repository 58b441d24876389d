"""Charts whose bars lead somewhere: horizontal bars of parts, columns by month, shares over time.

The links are left out of the order of the Tab key, because the table beside a chart holds the same ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from exports.charts import (
    FAINT,
    GRID,
    HEIGHT,
    INK,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    axes,
    line,
    month_step,
    nice_ticks,
    number,
    svg,
    text,
)

LABELS = 172  # the width of the names beside horizontal bars
ROW = 30
FOOT = 44
MOST_NAMES = 9  # of months below an axis
WHOLE = 5.0  # an axis of counts is never shorter: its ticks are whole numbers
LIGHT = 0x90  # from this brightness on, dark letters are read better than white ones


@dataclass(frozen=True)
class Part:
    """One bar, or one part of it: how much, what it says when pointed at, and where it leads."""

    value: float
    says: str
    href: str = ""


@dataclass(frozen=True)
class Series:
    """What one colour stands for."""

    name: str
    colour: str


@dataclass(frozen=True)
class Words:
    """What a chart is called, what it tells somebody who does not see it, and the names of its axes."""

    title: str
    description: str
    x_name: str = ""
    y_name: str = ""


def _width(words: str) -> int:
    """How wide a text is drawn, about; a Chinese character is twice as wide."""
    return sum(7 if letter.isascii() else 12 for letter in words)


def _short(words: str, width: int) -> str:
    if _width(words) <= width:
        return words
    while words and _width(words) > width - 12:
        words = words[:-1]
    return words.rstrip() + "…"


def _linked(drawn: str, part: Part) -> str:
    inside = drawn.replace("/>", f"><title>{escape(part.says)}</title></rect>", 1)
    return f'<a href="{escape(part.href)}" tabindex="-1">{inside}</a>' if part.href else inside


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{round(x, 2)}" y="{round(y, 2)}" width="{round(width, 2)}" height="{round(height, 2)}" '
        f'fill="{colour}" stroke="#ffffff"/>'
    )


def _ink_on(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return INK if (red * 299 + green * 587 + blue * 114) / 1000 >= LIGHT else "#ffffff"


def _legend(series: Sequence[Series], drawing: list[str]) -> int:
    """A square and a name for each colour, in as many lines as they need; where they end."""
    at, y = 8, 8
    for each in series:
        width = 34 + _width(each.name)
        if at + width > WIDTH and at > 8:
            at, y = 8, y + 20
        drawing.append(f'<rect x="{at}" y="{y}" width="12" height="12" fill="{each.colour}" stroke="{FAINT}"/>')
        drawing.append(text(at + 17, y + 10, each.name, "start"))
        at += width
    return y + 22


def bars(key: str, rows: Sequence[tuple[str, Sequence[Part]]], series: Sequence[Series], words: Words) -> str:
    """One horizontal bar of counts per row."""
    highest = max((sum(part.value for part in parts) for _, parts in rows), default=0.0)
    return _bars(key, rows, series, words, nice_ticks(max(highest, WHOLE)), "")


def shares(key: str, rows: Sequence[tuple[str, Sequence[Part]]], series: Sequence[Series], words: Words) -> str:
    """One horizontal bar per row that always fills the width: its parts in percent."""
    scaled = []
    for name, parts in rows:
        whole = sum(part.value for part in parts) or 1.0
        scaled.append((name, [Part(part.value / whole * 100, part.says, part.href) for part in parts]))
    return _bars(key, scaled, series, words, [0, 20, 40, 60, 80, 100], " %")


def _bars(
    key: str,
    rows: Sequence[tuple[str, Sequence[Part]]],
    series: Sequence[Series],
    words: Words,
    ticks: Sequence[float],
    unit: str,
) -> str:
    drawing: list[str] = []
    top = _legend(series, drawing)
    bottom = top + ROW * max(len(rows), 1)
    x = Scale(0, ticks[-1], LABELS, WIDTH - RIGHT - 8)
    for tick in ticks:
        drawing.append(line(x(tick), top, x(tick), bottom))
        drawing.append(text(x(tick), bottom + 16, number(tick), "middle", FAINT))
    drawing.append(text((LABELS + WIDTH) / 2, bottom + 36, words.x_name))
    for row, (name, parts) in enumerate(rows):
        y, start = top + ROW * row + 4, 0.0
        drawing.append(text(LABELS - 8, y + 15, _short(name, LABELS - 12), "end"))
        for part, each in zip(parts, series, strict=True):
            if not part.value:
                continue
            width = x(start + part.value) - x(start)
            drawing.append(_linked(_rect(x(start), y, width, ROW - 8, each.colour), part))
            drawing.extend(_written(x(start) + width / 2, y + 15, part.value, unit, width, each.colour))
            start += part.value
    return svg(key, words.title, words.description, drawing, bottom + (FOOT if words.x_name else 24))


def _written(x: float, y: float, value: float, unit: str, width: float, colour: str) -> Iterator[str]:
    """The number inside its bar, where there is room for it; it lets the pointer through to the link."""
    shown = f"{int(value)}{unit}"  # rounded down: 100 % only when nothing is left
    if width >= _width(shown) + 6:
        drawn = text(round(x, 2), y, shown, "middle", _ink_on(colour))
        yield drawn.replace("<text ", '<text pointer-events="none" ', 1)


def spread(key: str, rows: Sequence[tuple[str, Part, Part]], series: Sequence[Series], words: Words) -> str:
    """For each row a bar to the middle value and a mark at the high one."""
    drawing: list[str] = []
    top = _legend(series, drawing)
    bottom = top + ROW * max(len(rows), 1)
    ticks = nice_ticks(max((part.value for _, *pair in rows for part in pair), default=1.0))
    x = Scale(0, ticks[-1], LABELS, WIDTH - RIGHT - 8)
    for tick in ticks:
        drawing.append(line(x(tick), top, x(tick), bottom))
        drawing.append(text(x(tick), bottom + 16, number(tick), "middle", FAINT))
    drawing.append(text((LABELS + WIDTH) / 2, bottom + 36, words.x_name))
    for row, (name, middle, high) in enumerate(rows):
        y = top + ROW * row + 4
        drawing.append(text(LABELS - 8, y + 15, _short(name, LABELS - 12), "end"))
        drawing.append(_linked(_rect(LABELS, y + 4, max(x(middle.value) - LABELS, 2), 14, series[0].colour), middle))
        drawing.append(line(LABELS, y + 11, x(high.value), y + 11, series[1].colour, 1.5))
        drawing.append(_linked(_rect(x(high.value) - 2, y, 5, ROW - 8, series[1].colour), high))
    return svg(key, words.title, words.description, drawing, bottom + FOOT)


def _months(names: Sequence[str]) -> list[tuple[float, str]]:
    """The names of months (2026-04) below an axis: all, or, where there is no room, those that begin a quarter or year."""
    step = month_step(len(names), MOST_NAMES)
    return [
        (place + 0.5, name) for place, name in enumerate(names) if (int(name[:4]) * 12 + int(name[5:]) - 1) % step == 0
    ]


def columns(
    key: str, names: Sequence[str], rows: Sequence[Sequence[Part]], series: Sequence[Series], words: Words
) -> str:
    """Upright columns: one group per name, one column per colour; `rows` has one row per colour."""
    drawing: list[str] = []
    top = _legend(series, drawing) if len(series) > 1 else TOP
    y_ticks = nice_ticks(max([WHOLE, *(part.value for row in rows for part in row)]), 5)
    x = Scale(0, max(len(names), 1), 60, WIDTH - RIGHT)
    y = Scale(0, y_ticks[-1], HEIGHT - FOOT, top)
    drawing.extend(axes(x, y, _months(names), y_ticks, words.x_name, words.y_name))
    width = min(0.8 * (x(1) - x(0)) / max(len(series), 1), 60.0)
    for number_of, (row, each) in enumerate(zip(rows, series, strict=True)):
        for place, part in enumerate(row):
            if part.value:
                left = x(place + 0.5) + (number_of - len(series) / 2) * width
                drawn = _rect(left, y(part.value), width, y(0) - y(part.value), each.colour)
                drawing.append(_linked(drawn, part))
    return svg(key, words.title, words.description, drawing)


def course(key: str, names: Sequence[str], values: Sequence[float | None], colour: str, words: Words) -> str:
    """A share over time in percent: a line with a point for each name; where nothing is known, nothing is drawn."""
    x, y = Scale(0, max(len(names), 1), 60, WIDTH - RIGHT), Scale(0, 100, HEIGHT - FOOT, TOP)
    drawing = axes(x, y, _months(names), [0, 20, 40, 60, 80, 100], words.x_name, words.y_name)
    points = [(x(place + 0.5), y(each * 100), each) for place, each in enumerate(values) if each is not None]
    path = " ".join(f"{left},{height}" for left, height, _ in points)
    drawing.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    drawing.append(line(x.start, y(100), x.end, y(100), GRID))
    drawing.extend(f'<circle cx="{left}" cy="{height}" r="3" fill="{colour}"/>' for left, height, _ in points)
    if points:
        left, height, last = points[-1]
        under = height + 18 if height < TOP + 24 else height - 8
        drawing.append(text(left, under, f"{int(last * 100)} %", "end"))
    return svg(key, words.title, words.description, drawing)
