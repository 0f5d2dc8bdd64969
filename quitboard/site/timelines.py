"""Drawings of rates over time: one large, or many small ones side by side. Each pure, as those in `charts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from quitboard.site import svg
from quitboard.site.charts import nice_ceiling, steps_of
from quitboard.site.figures import Share
from quitboard.site.svg import NARROW_PX, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    label: str
    share: Share
    pooled: Share  # together with the days before it
    watched: float  # in the unit that `trend` is told
    tick: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line across a chart where what watches changed; its letter is explained beside the chart."""

    letter: str
    at: float  # in points, 0 being the left edge of the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One of many small charts."""

    label: str
    value: str
    note: str
    pooled: Sequence[Share]
    marks: Sequence[Mark] = ()


def trend(
    points: Sequence[TrendPoint], *, width: float, text: Text, watched_label: str, marks: Sequence[Mark] = ()
) -> str:
    """Draw a share over days: dots for each, a line and a band for the days pooled; below, the hours watched."""
    left, right, top = 40.0, width - 8, 26.0
    foot, strip = 26.0, 40.0
    plot = 210.0 if width > NARROW_PX else 180.0
    height = top + plot + foot + 16 + strip
    end = _end([point.pooled for point in points], [point.share for point in points])
    step = (right - left) / max(1, len(points))

    def x(number: float) -> float:
        return left + step * (number + 0.5)

    def y(value: float) -> float:
        return top + plot * (1 - min(value, end) / end)

    body: list[str] = []
    ticks = steps_of(end * 100)
    for tick in range(ticks + 1):
        value = end * tick / ticks
        body.append(svg.line(left, y(value), right, y(value), "grid"))
        body.append(svg.write(left - 6, y(value) + 4, f"{svg.number(value * 100)}%", "tick end"))
    body += _band([point.pooled for point in points], x, y)
    size = 3 if step > 7 else 2
    for number, point in enumerate(points):
        if point.share.known:
            body.append(
                f'<circle class="day" cx="{svg.number(x(number))}" cy="{svg.number(y(point.share.value))}" r="{size}"/>'
            )
        if point.tick:
            body.append(svg.line(x(number), top + plot, x(number), top + plot + 5, "axis"))
            at = min(x(number), width - svg.width_of(point.label) / 2)  # the last one would be cut off
            body.append(svg.write(at, top + plot + 20, point.label, "tick middle"))
    body.append(svg.line(left, y(0), right, y(0), "axis"))
    body += _hours([point.watched for point in points], left, right, height - strip, height, watched_label)
    for mark in marks:
        at = left + step * mark.at
        body.append(svg.line(at, 20, at, top + plot, "mark"))
    for mark, at in zip(marks, _apart([left + step * mark.at for mark in marks], 19, right - 9), strict=True):
        body.append(_badge(at, 11, mark.letter))
    return svg.drawing(width, height, "trend", text, body)


def panels(
    items: Sequence[Panel],
    *,
    width: float,
    text: Text,
    span: tuple[str, str],
    unknown: str,
    reference: Sequence[Share] = (),
    common: bool = True,
) -> str:
    """Draw many small charts: a line and band each, over the same days.

    Args:
        span: the first and the last day, as words.
        unknown: what stands where too little is known for a line.
        reference: a dashed line in every panel, for what they are held against.
        common: one scale for all; otherwise each has its own, written at its top.
    """
    columns = (4 if len(items) > 6 else 3) if width > NARROW_PX else 2
    columns = min(columns, len(items))
    gap, head, plot, foot = 18.0, 62.0, 72.0, 24.0
    each = (width - gap * (columns - 1)) / columns
    tall = head + plot + foot
    whole = _end([share for item in items for share in item.pooled], [])
    body: list[str] = []
    for number, item in enumerate(items):
        left, top = number % columns * (each + gap), number // columns * (tall + 10)
        end = whole if common else _end(item.pooled, [])
        body += _panel(item, left, top, each, (head, plot), end, span, unknown, reference)
    rows = -(-len(items) // columns)
    return svg.drawing(width, rows * (tall + 10) - 10, "panels", text, body)


def _panel(
    item: Panel,
    left: float,
    top: float,
    width: float,
    sizes: tuple[float, float],
    end: float,
    span: tuple[str, str],
    unknown: str,
    reference: Sequence[Share],
) -> list[str]:
    head, plot = sizes
    start = left + 30
    step = (left + width - start) / max(1, len(item.pooled))

    def x(number: float) -> float:
        return start + step * (number + 0.5)

    def y(value: float) -> float:
        return top + head + plot * (1 - min(value, end) / end)

    body = [
        svg.write(left, top + 14, item.label, "label", room_px=width),
        svg.write(left, top + 31, item.value, "value", room_px=width + 20),
        svg.write(left, top + 47, item.note, "tick", room_px=width),
        svg.line(start, y(end), left + width, y(end), "grid"),
        svg.line(start, y(0), left + width, y(0), "axis"),
        svg.write(start - 5, y(end) + 5, f"{svg.number(end * 100)}%", "tick end"),
        svg.write(start - 5, y(0) + 4, "0", "tick end"),
        svg.write(start, y(0) + 17, span[0], "tick"),
        svg.write(left + width, y(0) + 17, span[1], "tick end"),
    ]
    drawn = _band(item.pooled, x, y)
    body += drawn
    body += [f'<polyline class="reference" points="{_points(run, reference, x, y)}"/>' for run in _runs(reference)]
    places = [start + step * mark.at for mark in item.marks]
    body += [svg.line(at, y(end), at, y(0), "mark") for at in places]
    for mark, at in zip(item.marks, _apart(places, 10, left + width), strict=True):
        body.append(svg.write(at, y(end) - 3, mark.letter, "mark-letter middle"))
    if not drawn:
        body.append(svg.write((start + left + width) / 2, y(end / 2) + 4, unknown, "tick middle"))
    return body


def _end(pooled: Sequence[Share], single: Sequence[Share]) -> float:
    """Return the end of a scale that holds all estimates and nine of ten intervals; a line's first ones are wide."""
    highest = max((share.value for share in (*single, *pooled) if share.known), default=0.0)
    highs = sorted(share.high for share in pooled if share.known)
    highest = max(highest, highs[int(len(highs) * 0.9) - 1] if highs else 0.0)
    return min(1.0, nice_ceiling(highest * 100) / 100) if highest else 0.1


def _band(pooled: Sequence[Share], x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    body: list[str] = []
    for run in _runs(pooled):
        upper = [f"{svg.number(x(n))},{svg.number(y(pooled[n].high))}" for n in run]
        lower = [f"{svg.number(x(n))},{svg.number(y(pooled[n].low))}" for n in reversed(run)]
        body.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
        body.append(f'<polyline class="curve" points="{_points(run, pooled, x, y)}"/>')
    return body


def _points(
    run: Sequence[int], shares: Sequence[Share], x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    return " ".join(f"{svg.number(x(n))},{svg.number(y(shares[n].value))}" for n in run)


def _runs(shares: Sequence[Share]) -> list[list[int]]:
    """Return runs of two or more neighbours whose share is known: a line must not bridge what is not."""
    runs: list[list[int]] = [[]]
    for number, share in enumerate(shares):
        if share.known:
            runs[-1].append(number)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _hours(hours: Sequence[float], left: float, right: float, top: float, bottom: float, label: str) -> list[str]:
    """Draw the hours watched as bars below a chart: a rate that rests on few hours is seen to."""
    end = nice_ceiling(max(hours, default=0.0))
    step = (right - left) / max(1, len(hours))
    body = [
        svg.write(left, top - 4, label, "tick"),
        svg.write(left - 6, top + 9, svg.number(end), "tick end"),
        svg.write(left - 6, bottom, "0", "tick end"),
        svg.line(left, top, right, top, "grid"),
    ]
    for number, value in enumerate(hours):
        tall = (bottom - top) * value / end
        if value > 0:
            inset, shown = min(1.0, step * 0.12), max(tall, 0.5)
            body.append(svg.box(left + step * number + inset, bottom - shown, step - 2 * inset, shown, "hours"))
    body.append(svg.line(left, bottom, right, bottom, "axis"))
    return body


def _badge(x: float, y: float, letter: str) -> str:
    return (
        f'<circle class="badge" cx="{svg.number(x)}" cy="{svg.number(y)}" r="9"/>'
        f'<text class="in-badge middle" x="{svg.number(x)}" y="{svg.number(y + 4)}">{escape(letter)}</text>'
    )


def _apart(places: Sequence[float], least: float, most: float) -> list[float]:
    """Return places moved right, then left, until neighbours are `least` apart and none is beyond `most`."""
    moved = list(places)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + least)
    limit = most
    for number in reversed(range(len(moved))):
        moved[number] = min(moved[number], limit)
        limit = moved[number] - least
    return moved
