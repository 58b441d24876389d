"""Charts as SVG text, drawn on the server. Presentation attributes only, so the page needs no inline style.

Every chart has a title and a description that a screen reader speaks; the same numbers stand in a table
beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from exports.survival import Curve

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 44
INK, GRID, FAINT = "#1f2d3d", "#d5dde5", "#5b6b7b"
PALETTE = ("#1b6ca8", "#3f8f5b", "#b8860b", "#a8471b", "#7a1f5c", "#47525d")
# Grades 1 to 5 of a toxicity, from light to dark: the order is readable without colour.
GRADES = ("#f0d9b5", "#e8b06a", "#d9793a", "#b23c24", "#5c1512")


@dataclass(frozen=True)
class Scale:
    """From a value to a place on an axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 2)


def nice_ticks(high: float, most: int = 7) -> list[float]:
    """Round values from 0 to just past `high`."""
    if high <= 0:
        return [0.0, 1.0]
    step = next(unit * 10**power for power in range(-2, 7) for unit in (1, 2, 5) if high / (unit * 10**power) <= most)
    count = int(-(-high // step))
    return [round(step * place, 6) for place in range(count + 1)]


def month_step(count: int, most: int) -> int:
    """How many months apart names below an axis stand, so that at most so many of a count do: whole quarters or years."""
    return next((step for step in (1, 3, 6, 12, 24, 60) if count / step <= most), 120)


def month_starts(first: date, last: date, most: int = 8) -> list[date]:
    """The first days of months between two days; of quarters, half years or years when there are many."""
    months = range(first.year * 12 + first.month - (first.day == 1), last.year * 12 + last.month)
    step = month_step(len(months), most)
    return [date(month // 12, month % 12 + 1, 1) for month in months if month % step == 0]


def svg(key: str, title: str, description: str, body: list[str], height: int = HEIGHT) -> str:
    """A chart around what is drawn in it, with the title and description that a screen reader speaks."""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="inherit" font-size="12" fill="{INK}">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
        f"{''.join(body)}</svg>"
    )


def text(x: float, y: float, text: str, anchor: str = "middle", fill: str = INK, size: int = 12) -> str:
    """One line of text at a place."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">{escape(text)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="{width}"{dashes}/>'


def number(value: float) -> str:
    """A number without needless zeros."""
    return f"{value:g}"


def axes(
    x: Scale, y: Scale, x_ticks: Sequence[tuple[float, str]], y_ticks: list[float], x_name: str, y_name: str
) -> list[str]:
    """Both axes with their ticks and names."""
    parts = []
    for tick in y_ticks:
        parts.append(line(x.start, y(tick), x.end, y(tick)))
        parts.append(text(x.start - 6, y(tick) + 4, number(tick), "end", FAINT))
    for tick, label in x_ticks:
        parts.append(line(x(tick), y.start, x(tick), y.start + 4, FAINT))
        parts.append(text(x(tick), y.start + 17, label, "middle", FAINT))
    parts.append(line(x.start, y.start, x.end, y.start, FAINT))
    parts.append(text((x.start + x.end) / 2, y.start + 36, x_name))
    middle = (y.start + y.end) / 2
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(y_name)}</text>'
    )
    return parts


def enrolment(
    days: Sequence[date],
    cap: int | None,
    title: str,
    description: str,
    x_name: str,
    y_name: str,
    cap_label: str,
) -> str:
    """Participants enrolled so far by date, with the planned number as a line."""
    days = sorted(days)
    first = days[0].replace(day=1) if days else date(2000, 1, 1)
    span = max((days[-1] - first).days, 30) if days else 30
    x = Scale(0, span, LEFT, WIDTH - RIGHT)
    y_ticks = nice_ticks(max(cap or 0, len(days), 1))
    y = Scale(0, y_ticks[-1], HEIGHT - BOTTOM, TOP)
    starts = month_starts(first, first + timedelta(span)) if days else []
    labels = [((start - first).days, f"{start:%Y-%m}") for start in starts]
    parts = axes(x, y, [each for each in labels if x(each[0]) <= x.end - RIGHT], y_ticks, x_name, y_name)
    if cap:
        parts.append(line(x.start, y(cap), x.end, y(cap), PALETTE[3], 1.5, "6 4"))
        parts.append(text(x.start + 6, y(cap) + 15, cap_label, "start", PALETTE[3]))
    path = [f"M{x(0)} {y(0)}"]
    for count, day in enumerate(days, start=1):
        path.append(f"H{x((day - first).days)}V{y(count)}")
    parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{PALETTE[0]}" stroke-width="2"/>')
    return svg("enrolment", title, description, parts)


def survival(key: str, curve: Curve, title: str, description: str, x_name: str, y_name: str, risk_name: str) -> str:
    """A Kaplan-Meier curve with 95% limits, a tick for everyone censored, and the numbers at risk."""
    ticks = nice_ticks(max(curve.longest, 6.0))
    x, y = Scale(0, ticks[-1], LEFT, WIDTH - RIGHT), Scale(0, 1, HEIGHT - BOTTOM, TOP)
    parts = axes(x, y, [(tick, number(tick)) for tick in ticks], [0, 0.2, 0.4, 0.6, 0.8, 1], x_name, y_name)
    parts.append(_band(curve, x, y))
    path, level = [f"M{x(0)} {y(1)}"], 1.0
    for step in curve.steps:
        path.append(f"H{x(step.month)}V{y(step.survival)}")
    path.append(f"H{x(curve.longest)}")
    parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{PALETTE[0]}" stroke-width="2"/>')
    for time in curve.censored:
        level = next((step.survival for step in reversed(curve.steps) if step.month <= time), 1.0)
        parts.append(line(x(time), y(level) - 5, x(time), y(level) + 5, PALETTE[0], 1.5))
    parts.append(text(LEFT, HEIGHT + 14, risk_name, "start", FAINT))
    for tick in ticks:
        parts.append(text(x(tick), HEIGHT + 32, str(curve.at_risk(tick))))
    return svg(key, title, description, parts, HEIGHT + 42)


def _band(curve: Curve, x: Scale, y: Scale) -> str:
    """The area between the limits, one rectangle per step."""
    parts = []
    for place, step in enumerate(curve.steps):
        until = curve.steps[place + 1].month if place + 1 < len(curve.steps) else curve.longest
        if step.low is not None and step.high is not None and until > step.month:
            width, height = round(x(until) - x(step.month), 2), round(y(step.low) - y(step.high), 2)
            parts.append(
                f'<rect x="{x(step.month)}" y="{y(step.high)}" width="{width}" height="{height}" '
                f'fill="{PALETTE[0]}" fill-opacity="0.15"/>'
            )
    return "".join(parts)


def legend(names: Sequence[str], colours: Sequence[str]) -> Iterator[str]:
    """A square and a name for each colour, one behind the other; a Chinese character is twice as wide."""
    at = 8
    for place, name in enumerate(names):
        fill = colours[place % len(colours)]
        yield f'<rect x="{at}" y="8" width="12" height="12" fill="{fill}" stroke="{FAINT}"/>'
        yield text(at + 17, 18, name, "start")
        at += 34 + sum(7 if letter.isascii() else 12 for letter in name)


def stacked(
    key: str,
    rows: Sequence[tuple[str, Sequence[float]]],
    parts_names: Sequence[str],
    colours: Sequence[str],
    title: str,
    description: str,
    x_name: str,
) -> str:
    """Horizontal bars of counts, one row per label, one colour per part, with a legend that names the
    colours.
    """
    left, height = 220, 46 + 24 * max(len(rows), 1) + BOTTOM
    ticks = nice_ticks(max((sum(values) for _, values in rows), default=1.0))
    x, y = Scale(0, ticks[-1], left, WIDTH - RIGHT), Scale(0, max(len(rows), 1), 40, height - BOTTOM)
    drawing = []
    for tick in ticks:
        drawing.append(line(x(tick), 36, x(tick), height - BOTTOM))
        drawing.append(text(x(tick), height - BOTTOM + 16, number(tick), "middle", FAINT))
    drawing.append(text((left + WIDTH - RIGHT) / 2, height - 8, x_name))
    drawing.extend(legend(parts_names, colours))
    for row, (label, values) in enumerate(rows):
        top, start = y(row) + 3, 0.0
        drawing.append(text(left - 8, top + 13, label if len(label) <= 32 else label[:31] + "…", "end"))
        for place, value in enumerate(values):
            if value:
                width = round(x(start + value) - x(start), 2)
                colour = colours[place % len(colours)]
                drawing.append(
                    f'<rect x="{x(start)}" y="{top}" width="{width}" height="18" fill="{colour}" '
                    f'stroke="#ffffff">'
                    f"<title>{escape(label)}: {escape(parts_names[place])} {number(value)}</title></rect>"
                )
                start += value
    return svg(key, title, description, drawing, height)


def dose(
    rows: Sequence[tuple[str, float | None, float | None]],
    names: tuple[str, str],
    title: str,
    description: str,
    x_name: str,
) -> str:
    """For each participant the delivered dose as a bar and the planned dose as a mark."""
    left, height = 96, 46 + 18 * max(len(rows), 1) + BOTTOM
    ticks = nice_ticks(max((value for _, *pair in rows for value in pair if value), default=1.0))
    x = Scale(0, ticks[-1], left, WIDTH - RIGHT)
    drawing = []
    for tick in ticks:
        drawing.append(line(x(tick), 36, x(tick), height - BOTTOM))
        drawing.append(text(x(tick), height - BOTTOM + 16, number(tick), "middle", FAINT))
    drawing.append(text((left + WIDTH - RIGHT) / 2, height - 8, x_name))
    drawing.append(f'<rect x="8" y="8" width="12" height="12" fill="{PALETTE[0]}"/>{text(25, 18, names[0], "start")}')
    drawing.append(f"{line(250, 6, 250, 22, PALETTE[3], 3)}{text(258, 18, names[1], 'start')}")
    for row, (label, delivered, planned) in enumerate(rows):
        top = 40 + 18 * row
        drawing.append(text(left - 8, top + 12, label, "end"))
        if delivered:
            drawing.append(
                f'<rect x="{left}" y="{top + 2}" width="{round(x(delivered) - left, 2)}" height="12" '
                f'fill="{PALETTE[0]}"/>'
            )
        if planned:
            drawing.append(line(x(planned), top, x(planned), top + 16, PALETTE[3], 3))
    return svg("dose", title, description, drawing, height)
