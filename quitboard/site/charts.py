"""Charts as SVG: each a pure function from numbers to markup, in a narrow (phone) or a wide drawing.

Colours, fonts and line widths come from the style sheet by class, so that light and dark need one drawing and nothing
here an inline style. Every text is escaped. Each drawing has a title and a description for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from quitboard.site import svg
from quitboard.site.figures import Estimate, Share
from quitboard.site.svg import NARROW_PX, Text

_ARROW_PX = 26.0
"""Half the length of the arrow that shows a way of travel."""

STEPS = 5
"""Steps of the heat map's colour scale: more cannot be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRow:
    label: str
    share: Share | Estimate
    value: str  # as it is to be written, "31.2 % (28.0–34.6)"
    note: str  # "n = 412"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a heat map; `step` is None where too little was seen, `watched` False where nobody looked."""

    step: int | None
    text: str
    watched: bool


def nice_ceiling(value: float) -> float:
    """Return the next round number at or above `value`: the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value - 1e-12)


def steps_of(end: float) -> int:
    """Return into how many steps an axis from zero to a round `end` divides, so that each is round as well."""
    leading = float(f"{end:e}".split("e")[0])
    return {1.0: 5, 1.5: 3, 2.0: 4, 2.5: 5, 3.0: 3, 4.0: 4, 5.0: 5, 6.0: 3, 8.0: 4}.get(round(leading, 3), 4)


def lanes(count: int, low: int, high: int, *, columns: int, vehicle: str, helmets: bool, text: Text) -> str:
    """Draw a hundred riders on a road: the first `count` stand out, a line runs under those of the interval.

    Args:
        count, low, high: of a hundred.
        columns: riders in a lane: 20 makes five lanes, 10 makes ten.
        vehicle: which figure: `scooter`, `bicycle` or `motorcycle`.
        helmets: draw a helmet on those who do not stand out: only where that is what was judged.
    """
    cell, lane = 38.0, 50.0
    rows = 100 // columns
    width, height = columns * cell, rows * lane
    body = [svg.line(0, row * lane, width, row * lane, "lane-line") for row in range(1, rows)]
    for place in range(100):
        x, y = place % columns * cell, place // columns * lane
        figure = "bare" if place < count else "helmet"
        symbol = f"{vehicle}-{figure if helmets else 'plain'}"
        body.append(
            f'<use class="{figure}" href="#{symbol}" x="{svg.number(x)}" y="{svg.number(y + 3)}"'
            f' width="{svg.number(cell)}" height="40"/>'
        )
        if low <= place < high:
            body.append(svg.line(x + 2, y + 45, x + cell - 2, y + 45, "interval"))
    size = "wide" if columns > 10 else "narrow"
    return svg.framed(f"lanes {size}", size, width, height, text, body)


def watched_lanes(rows: Sequence[tuple[str, Mapping[int, float]]], *, width: float, text: Text) -> str:
    """Draw what was watched as painted lane marks: one lane a place, one dash an hour of the day.

    Args:
        rows: a place's name and the watched share (0-1) of each hour of the day, as far as any was watched.
    """
    lane, top = 52.0, 22.0
    step = width / 24
    body: list[str] = []
    for hour in range(0, 25, 6):
        edge = "start" if hour == 0 else "end" if hour == 24 else "middle"
        body.append(svg.write(hour * step, 12, str(hour), f"tick {edge}"))
    for number, (label, hours) in enumerate(rows):
        y = top + number * lane
        body.append(svg.line(0, y, width, y, "curb"))
        body.append(svg.write(0, y + 18, label, "lane-name", room_px=width))
        for hour in range(24):
            share = min(1.0, hours.get(hour, 0.0))
            body.append(svg.box(hour * step + 1.5, y + 32, step - 3, 6, "unwatched", 1))
            if share > 0:
                body.append(svg.box(hour * step + 1.5, y + 32, max(3.0, (step - 3) * share), 6, "watched", 1))
    height = top + len(rows) * lane
    body.append(svg.line(0, height - 1, width, height - 1, "curb"))
    return svg.drawing(width, height, "watch", text, body)


def tally_figures(rows: Sequence[tuple[str, str, int]], *, width: float, vehicle: str, text: Text) -> str:
    """Draw counts that have no denominator: one figure a case, and where there are many, one for several.

    Args:
        rows: label, count as text, figures to draw (at most what fits two lines is asked for by the caller).
    """
    cell = 30.0
    columns = int(width // cell)
    body: list[str] = []
    y = 0.0
    for label, value, figures in rows:
        body.append(svg.write(0, y + 18, label, "lane-name", room_px=width - 70))
        body.append(svg.write(width, y + 18, value, "lane-value end"))
        y += 26
        for place in range(figures):
            if place and place % columns == 0:
                y += 36
            body.append(
                f'<use class="bare" href="#{vehicle}-plain" x="{svg.number(place % columns * cell)}"'
                f' y="{svg.number(y)}" width="{svg.number(cell)}" height="32"/>'
            )
        y += 44
        body.append(svg.line(0, y - 4, width, y - 4, "lane-line"))
        y += 8
    return svg.drawing(width, max(y, 1), "tally", text, body)


def ranges(rows: Sequence[RangeRow], *, width: float, text: Text, overall: Share | None = None) -> str:
    """Draw shares as dots with their intervals on one axis from zero, each with its words above it."""
    known = [row.share for row in rows if row.share.known]
    highest = max((share.high for share in known), default=0.1)
    if overall is not None and overall.known and known:
        highest = max(highest, overall.value)
    end = min(1.0, nice_ceiling(highest * 100) / 100)
    left, right = 6.0, width - 6

    def x(value: float) -> float:
        return left + (right - left) * value / end

    tall = width <= NARROW_PX  # a phone has no room for a name and its figures in one line
    row_px, foot = (68.0 if tall else 50.0), 26.0
    height = len(rows) * row_px + foot
    body: list[str] = []
    ticks = steps_of(end * 100)
    for tick in range(ticks + 1):
        value = end * tick / ticks
        edge = "start" if tick == 0 else "end" if tick == ticks else "middle"
        body.append(svg.line(x(value), 0, x(value), height - foot + 4, "grid"))
        body.append(svg.write(x(value), height - 6, f"{svg.number(value * 100)}%", f"tick {edge}"))
    for number, row in enumerate(rows):
        y = number * row_px
        figures = f"{row.value}  {row.note}".strip()
        body.append(svg.write(left, y + 17, row.label, "label", room_px=width - (10 if tall else 205)))
        body.append(
            svg.write(left, y + 35, figures, "value") if tall else svg.write(right, y + 17, figures, "value end")
        )
        middle = y + row_px - 17
        if overall is not None and overall.known and row.share.known:
            body.append(svg.line(x(overall.value), middle - 9, x(overall.value), middle + 9, "overall"))
        if row.share.known:
            body.append(svg.box(x(0), middle - 3, x(row.share.value) - x(0), 6, "extent", 3))
            body.append(svg.line(x(row.share.low), middle, x(row.share.high), middle, "whisker"))
            body.append(f'<circle class="dot" cx="{svg.number(x(row.share.value))}" cy="{svg.number(middle)}" r="6"/>')
        else:
            body.append(svg.line(left, middle, right, middle, "unknown"))
    return svg.drawing(width, height, "ranges", text, body)


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[int, int], Cell],
    *,
    width: float,
    row_px: float,
    text: Text,
    hours: tuple[str, Sequence[float]],
    across: bool,
) -> str:
    """Draw a grid of cells with their values written in them; `cells` is by (row, column).

    Args:
        hours: what they are called, and the hours watched: bars below the columns where these are the hours of the
            day, or beside the rows.
        across: the hours of the day are the columns and the days the rows, or the other way round; the last day is all
            of them together and stands a little apart.
    """
    hours_label, watched = hours
    left, top, apart = 46.0, 22.0, 5.0
    right = width if across else width - 62
    step = (right - left - (0 if across else apart)) / max(1, len(columns))
    xs = [
        left + step * column + (0 if across or column < len(columns) - 1 else apart) for column in range(len(columns))
    ]
    ys = [top + row_px * row + (apart if across and row == len(rows) - 1 else 0) for row in range(len(rows))]
    body = [svg.write(x + step / 2, 14, label, "tick middle") for x, label in zip(xs, columns, strict=True)]
    for row, (y, label) in enumerate(zip(ys, rows, strict=True)):
        body.append(svg.write(left - 8, y + row_px / 2 + 4, label, "tick end"))
        for column, x in enumerate(xs):
            body += _cell(cells.get((row, column)), x, y, step, row_px)
    height = ys[-1] + row_px
    end = nice_ceiling(max(watched, default=0.0))
    if across:
        base = height + 56
        body.append(svg.write(left, height + 16, f"{hours_label} (0–{svg.number(end)})", "tick"))
        for x, value in zip(xs, watched, strict=True):
            tall = 32 * value / end
            body.append(svg.box(x + 2, base - tall, step - 4, tall, "hours"))
        body.append(svg.line(left, base, right, base, "axis"))
        height = base + 1
    else:
        body.append(svg.write(right + 8, 14, f"0–{svg.number(end)}", "tick"))
        for y, value in zip(ys, watched, strict=True):
            body.append(svg.box(right + 8, y + 4, 52 * value / end, row_px - 8, "hours"))
        body.append(svg.line(right + 8, top, right + 8, height, "axis"))
    return svg.drawing(width, height, "heat", text, body)


def _cell(cell: Cell | None, x: float, y: float, step: float, row_px: float) -> list[str]:
    middle = x + step / 2, y + row_px / 2 + 4
    if cell is None or not cell.watched:
        return [svg.box(x + 1, y + 1, step - 2, row_px - 2, "cell none", 2)]
    if cell.step is None:
        return [svg.box(x + 1, y + 1, step - 2, row_px - 2, "cell few", 2), svg.write(*middle, "·", "in-few middle")]
    return [
        svg.box(x + 1, y + 1, step - 2, row_px - 2, f"cell q{cell.step}", 2),
        svg.write(*middle, cell.text, f"in-q{cell.step} middle"),
    ]


def columns(values: Sequence[tuple[str, float, str]], *, width: float, text: Text) -> str:
    """Draw columns with their value above and their name below: (name, value, value as text)."""
    top, foot = 26.0, 26.0
    height = 230.0
    highest = max((value for _, value, _ in values), default=1.0) or 1.0
    step = width / max(1, len(values))
    body: list[str] = []
    for number, (name, value, shown) in enumerate(values):
        x = step * number
        tall = (height - top - foot) * value / highest
        y = height - foot - tall
        last = "column last" if number == len(values) - 1 else "column"
        body.append(svg.box(x + step * 0.16, y, step * 0.68, tall, last, 2))
        body.append(svg.write(x + step / 2, y - 8, shown, "value middle"))
        body.append(svg.write(x + step / 2, height - 7, name, "tick middle"))
    body.append(svg.line(0, height - foot, width, height - foot, "axis"))
    return svg.drawing(width, height, "columns", text, body)


def zones(
    width_px: int,
    height_px: int,
    polygons: Sequence[tuple[str, str, Sequence[tuple[float, float]], tuple[float, float] | None]],
    text: Text,
) -> str:
    """Draw a camera's zones on an empty frame: (kind, name, corners in pixels of the frame, way of travel)."""
    scale = 640 / width_px
    body = [svg.box(0, 0, 640, height_px * scale, "frame", 4)]
    names: list[str] = []
    for kind, name, corners, direction in polygons:
        points = " ".join(f"{svg.number(x * scale)},{svg.number(y * scale)}" for x, y in corners)
        body.append(f'<polygon class="zone zone-{escape(kind)}" points="{points}"/>')
        middle_x = sum(x for x, _ in corners) / len(corners) * scale
        middle_y = sum(y for _, y in corners) / len(corners) * scale
        names.append(svg.write(middle_x, middle_y + 6, name, "zone-name middle", room_px=200))
        if direction is not None and math.hypot(*direction) > 0:
            steep = abs(direction[1]) / math.hypot(*direction)
            names += _arrow(middle_x, middle_y + 20 + _ARROW_PX * steep, direction)  # clear of the name above it
    return svg.framed("chart zones", "any", 640, height_px * scale, text, body + names)


def _arrow(x: float, y: float, direction: tuple[float, float]) -> list[str]:
    """Draw a way of travel as an arrow of one length: only where it points says anything."""
    length = math.hypot(*direction)
    along_x, along_y = direction[0] / length, direction[1] / length
    tip_x, tip_y = x + along_x * _ARROW_PX, y + along_y * _ARROW_PX
    corners = [
        (tip_x, tip_y),
        *((tip_x - along_x * 12 + side * along_y * 6, tip_y - along_y * 12 - side * along_x * 6) for side in (1, -1)),
    ]
    points = " ".join(f"{svg.number(px)},{svg.number(py)}" for px, py in corners)
    return [
        svg.line(x - along_x * _ARROW_PX, y - along_y * _ARROW_PX, tip_x - along_x * 10, tip_y - along_y * 10, "way"),
        f'<polygon class="way-tip" points="{points}"/>',
    ]
