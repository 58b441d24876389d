"""Drawings of the figures in the house style of `exports.charts`: waterfall, spider, swimmer, incidence, flow, bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from exports.analysis.competing import IncidenceCurve
from exports.charts import (
    BOTTOM,
    FAINT,
    HEIGHT,
    INK,
    LEFT,
    PALETTE,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    axes,
    legend,
    line,
    nice_ticks,
    number,
    svg,
    text,
)

ROW = 18  # height of one participant's row
SHAPES = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True)
class Names:
    """The words on a drawing, in one language."""

    title: str
    description: str
    x: str
    y: str


@dataclass(frozen=True)
class Lane:
    """One participant of a swimmer plot: bars and marks in months, and whether follow-up goes on."""

    label: str
    end: float
    bars: tuple[tuple[float, float, int], ...] = ()  # from, to, colour
    marks: tuple[tuple[float, int], ...] = ()  # month, kind
    ongoing: bool = False


def waterfall(key: str, bars: Sequence[tuple[str, float, int]], limits: Sequence[float], names: Names) -> str:
    """Best change of each participant from worst to best, a colour per best response, lines at the limits."""
    low = min([-100.0, *(value for _, value, _ in bars)])
    high = max([20.0, *(value for _, value, _ in bars)])
    y = Scale(low, high, HEIGHT - BOTTOM, TOP)
    width = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    ticks = [tick for tick in (-100, -75, -50, -25, 0, 25, 50, 75, 100, 150, 200) if low <= tick <= high]
    parts = axes(Scale(0, 1, LEFT, WIDTH - RIGHT), y, [], [float(t) for t in ticks], names.x, names.y)
    for place, (label, value, colour) in enumerate(bars):
        top, bottom = min(y(value), y(0)), max(y(value), y(0))
        left, height = round(LEFT + place * width + width * 0.1, 2), max(round(bottom - top, 2), 1)
        title = f"<title>{escape(label)}: {value:.1f}%</title>"
        parts.append(
            f'<rect x="{left}" y="{top}" width="{round(width * 0.8, 2)}" height="{height}" '
            f'fill="{PALETTE[colour % len(PALETTE)]}">{title}</rect>'
        )
    parts += [line(LEFT, y(limit), WIDTH - RIGHT, y(limit), PALETTE[3], 1.2, "6 4") for limit in limits]
    return svg(key, names.title, names.description, parts)


def spider(
    key: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]], limits: Sequence[float], names: Names
) -> str:
    """One line per participant of change over time from 0 at the origin."""
    months = [month for _, points in series for month, _ in points]
    values = [value for _, points in series for _, value in points]
    ticks = nice_ticks(max([6.0, *months]))
    x = Scale(0, ticks[-1], LEFT, WIDTH - RIGHT)
    low, high = min([-100.0, *values]), max([20.0, *values])
    y = Scale(low, high, HEIGHT - BOTTOM, TOP)
    y_ticks = [float(t) for t in (-100, -75, -50, -25, 0, 25, 50, 75, 100, 150, 200) if low <= t <= high]
    parts = axes(x, y, [(tick, number(tick)) for tick in ticks], y_ticks, names.x, names.y)
    parts += [line(LEFT, y(limit), WIDTH - RIGHT, y(limit), PALETTE[3], 1.2, "6 4") for limit in limits]
    for place, (label, points) in enumerate(series):
        colour = PALETTE[place % len(PALETTE)]
        path = "".join(f"{'M' if n == 0 else 'L'}{x(m)} {y(v)}" for n, (m, v) in enumerate([(0.0, 0.0), *points]))
        title = f"<title>{escape(label)}</title>"
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5">{title}</path>')
        parts += [f'<circle cx="{x(m)}" cy="{y(v)}" r="2.5" fill="{colour}"/>' for m, v in points]
    return svg(key, names.title, names.description, parts)


def mark(kind: int, x: float, y: float) -> str:
    """A sign that is told apart without colour."""
    colour, shape = PALETTE[kind % len(PALETTE)], SHAPES[kind % len(SHAPES)]
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}" stroke="#ffffff"/>'
    if shape == "square":
        return f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="{colour}" stroke="#ffffff"/>'
    if shape == "triangle":
        return f'<path d="M{x} {y - 5}L{x + 5} {y + 4}L{x - 5} {y + 4}Z" fill="{colour}" stroke="#ffffff"/>'
    if shape == "diamond":
        return f'<path d="M{x} {y - 5}L{x + 5} {y}L{x} {y + 5}L{x - 5} {y}Z" fill="{colour}" stroke="#ffffff"/>'
    cross = f"M{x - 4} {y - 4}L{x + 4} {y + 4}M{x - 4} {y + 4}L{x + 4} {y - 4}"
    return f'<path d="{cross}" stroke="{colour}" stroke-width="2.5"/>'


def swimmer(key: str, lanes: Sequence[Lane], bars: Sequence[str], marks: Sequence[str], names: Names) -> str:
    """One lane per participant, the longest first, with a legend of bars and marks."""
    left, top = 96, 62
    height = top + ROW * max(len(lanes), 1) + BOTTOM
    ticks = nice_ticks(max([6.0, *(lane.end for lane in lanes)]))
    x = Scale(0, ticks[-1], left, WIDTH - RIGHT)
    parts = list(legend(bars, PALETTE))
    at = 8
    for kind, name in enumerate(marks):
        parts.append(mark(kind, at + 6, 38) + text(at + 17, 42, name, "start"))
        at += 34 + sum(7 if letter.isascii() else 12 for letter in name)
    for tick in ticks:
        parts.append(line(x(tick), top - 6, x(tick), height - BOTTOM))
        parts.append(text(x(tick), height - BOTTOM + 16, number(tick), "middle", FAINT))
    parts.append(text((left + WIDTH - RIGHT) / 2, height - 8, names.x))
    for place, lane in enumerate(lanes):
        middle = top + ROW * place + ROW / 2
        parts.append(text(left - 8, middle + 4, lane.label, "end"))
        parts.append(line(x(0), middle, x(lane.end), middle, FAINT, 2))
        for start, end, colour in lane.bars:
            width = max(round(x(end) - x(start), 2), 2)
            fill = PALETTE[colour % len(PALETTE)]
            parts.append(f'<rect x="{x(start)}" y="{middle - 5}" width="{width}" height="10" fill="{fill}"/>')
        parts += [mark(kind, x(month), middle) for month, kind in lane.marks]
        if lane.ongoing:
            tip = x(lane.end)
            parts.append(f'<path d="M{tip} {middle - 4}L{tip + 7} {middle}L{tip} {middle + 4}Z" fill="{FAINT}"/>')
    return svg(key, names.title, names.description, parts, height)


def incidence(key: str, curve: IncidenceCurve, names: Names, at_risk: str) -> str:
    """A cumulative incidence with its limits and the numbers at risk."""
    ticks = nice_ticks(max(curve.longest, 6.0))
    x, y = Scale(0, ticks[-1], LEFT, WIDTH - RIGHT), Scale(0, 1, HEIGHT - BOTTOM, TOP)
    parts = axes(x, y, [(tick, number(tick)) for tick in ticks], [0, 0.2, 0.4, 0.6, 0.8, 1], names.x, names.y)
    path = [f"M{x(0)} {y(0)}"]
    for place, step in enumerate(curve.steps):
        until = curve.steps[place + 1].month if place + 1 < len(curve.steps) else curve.longest
        if step.low is not None and step.high is not None and until > step.month:
            width, height = round(x(until) - x(step.month), 2), round(y(step.low) - y(step.high), 2)
            parts.append(
                f'<rect x="{x(step.month)}" y="{y(step.high)}" width="{width}" height="{height}" '
                f'fill="{PALETTE[0]}" fill-opacity="0.15"/>'
            )
        path.append(f"H{x(step.month)}V{y(step.incidence)}")
    path.append(f"H{x(curve.longest)}")
    parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{PALETTE[0]}" stroke-width="2"/>')
    parts.append(text(LEFT, HEIGHT + 14, at_risk, "start", FAINT))
    parts += [text(x(tick), HEIGHT + 32, str(curve.at_risk(tick))) for tick in ticks]
    return svg(key, names.title, names.description, parts, HEIGHT + 42)


def flow(key: str, boxes: Sequence[tuple[str, Sequence[str]]], names: Names) -> str:
    """A flow diagram: boxes from top to bottom, beside each what left before the next."""
    step, width, left = 84, 250, 40
    parts = []
    for place, (label, leaving) in enumerate(boxes):
        top = 10 + place * step
        parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="44" fill="none" stroke="{INK}"/>')
        parts.append(text(left + width / 2, top + 27, label))
        if place + 1 < len(boxes):
            middle = left + width / 2
            parts.append(line(middle, top + 44, middle, top + step, INK, 1.2))
        if leaving:
            side, tall = left + width + 50, 12 + 15 * len(leaving)
            parts.append(line(left + width / 2, top + 64, side, top + 64, INK, 1.2))
            parts.append(
                f'<rect x="{side}" y="{top + 46}" width="250" height="{tall}" fill="#ffffff" stroke="{FAINT}"/>'
            )
            parts += [text(side + 8, top + 62 + 15 * n, words, "start") for n, words in enumerate(leaving)]
    return svg(key, names.title, names.description, parts, 20 + step * len(boxes))


def ranges(key: str, rows: Sequence[tuple[str, float, float, float]], names: Names, zero: bool = False) -> str:
    """One row each: a middle and the ends of its range (median and quartiles, mean and limits)."""
    left, height = 250, 20 + 20 * max(len(rows), 1) + BOTTOM
    values = [value for _, *each in rows for value in each]
    high = max([1.0, *values])
    low = min([0.0, *values])
    ticks = [-tick for tick in reversed(nice_ticks(-low)[1:])] if low < 0 else []
    ticks += nice_ticks(high)
    x = Scale(ticks[0], ticks[-1], left, WIDTH - RIGHT)
    parts = []
    for tick in ticks:
        parts.append(line(x(tick), 10, x(tick), height - BOTTOM))
        parts.append(text(x(tick), height - BOTTOM + 16, number(tick), "middle", FAINT))
    if zero:
        parts.append(line(x(0), 10, x(0), height - BOTTOM, FAINT, 1.5))
    parts.append(text((left + WIDTH - RIGHT) / 2, height - 8, names.x))
    for place, (label, start, middle, end) in enumerate(rows):
        y = 22 + 20 * place
        parts.append(text(left - 8, y + 4, label if len(label) <= 36 else label[:35] + "…", "end"))
        parts.append(line(x(start), y, x(end), y, PALETTE[0], 3))
        parts.append(f'<circle cx="{x(middle)}" cy="{y}" r="4" fill="{PALETTE[0]}"/>')
    return svg(key, names.title, names.description, parts, height)


def monitoring(
    key: str, counts: Sequence[int], limits: Sequence[int | None], names: Names, legend_names: Sequence[str]
) -> str:
    """Events so far among evaluable participants as steps, below the stopping boundary."""
    size = len(limits)
    top = max([1, *counts, *(limit for limit in limits if limit)])
    ticks = nice_ticks(size)
    x, y = Scale(0, max(ticks[-1], size), LEFT, WIDTH - RIGHT), Scale(0, top, HEIGHT - BOTTOM, TOP + 20)
    parts = axes(x, y, [(t, number(t)) for t in ticks], nice_ticks(top), names.x, names.y)
    parts += list(legend(legend_names, (PALETTE[0], PALETTE[3])))
    boundary = [(k, limit) for k, limit in enumerate(limits, start=1) if limit is not None]
    path = "".join(f"{'M' if n == 0 else 'L'}{x(k)} {y(limit)}" for n, (k, limit) in enumerate(boundary))
    parts.append(f'<path d="{path}" fill="none" stroke="{PALETTE[3]}" stroke-width="2" stroke-dasharray="6 4"/>')
    steps = "".join(f"H{x(k)}V{y(count)}" for k, count in enumerate(counts, start=1))
    parts.append(f'<path d="M{x(0)} {y(0)}{steps}" fill="none" stroke="{PALETTE[0]}" stroke-width="2"/>')
    return svg(key, names.title, names.description, parts)
