"""Curves of measured models as SVG: precision over recall, and what a confidence is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quitboard.site import svg
from quitboard.site.svg import Text

_SIDE_PX = 340.0
_LEFT, _RIGHT, _TOP, _FOOT = 44.0, 12.0, 22.0, 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line: its points as shares, and the point at the model's own threshold."""

    points: Sequence[tuple[float, float]]  # (recall, precision)
    chosen: tuple[float, float] | None = None
    css: str = "curve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One bin of a reliability diagram, all as shares; `size` is its part of all answers."""

    at: float
    value: float
    low: float
    high: float
    size: float


def _x(share: float) -> float:
    return _LEFT + (_SIDE_PX - _LEFT - _RIGHT) * share


def _y(share: float) -> float:
    return _TOP + (_SIDE_PX - _TOP - _FOOT) * (1 - share)


def _axes(below: str, beside: str) -> list[str]:
    body = []
    for tenth in range(0, 11, 2):
        share = tenth / 10
        body.append(svg.line(_x(share), _y(0), _x(share), _y(1), "grid"))
        body.append(svg.line(_x(0), _y(share), _x(1), _y(share), "grid"))
        body.append(svg.write(_x(share), _y(0) + 17, f"{share:g}", "tick middle"))
        body.append(svg.write(_x(0) - 6, _y(share) + 4, f"{share:g}", "tick end"))
    body.append(svg.write(_x(0.5), _SIDE_PX - 6, below, "tick middle"))
    body.append(svg.write(_x(0), _TOP - 8, beside, "tick"))
    return body


def precision_recall(curves: Sequence[Curve], text: Text) -> str:
    """Draw precision over recall, each curve's chosen threshold as a dot."""
    body = _axes("recall", "precision")
    for curve in curves:
        if curve.points:
            points = " ".join(f"{svg.number(_x(r))},{svg.number(_y(p))}" for r, p in curve.points)
            body.append(f'<polyline class="{curve.css}" points="{points}"/>')
        if curve.chosen:
            x, y = (svg.number(value) for value in (_x(curve.chosen[0]), _y(curve.chosen[1])))
            body.append(f'<circle class="dot {curve.css}" cx="{x}" cy="{y}" r="5"/>')
    return svg.drawing(_SIDE_PX, _SIDE_PX, "precision-recall", text, body)


def reliability(points: Sequence[Point], text: Text) -> str:
    """Draw the share that was right over the confidence: on the diagonal, 0.9 means nine in ten."""
    body = _axes("confidence", "share that was so")
    body.append(svg.line(_x(0), _y(0), _x(1), _y(1), "diagonal"))
    for point in points:
        body.append(svg.line(_x(point.at), _y(point.low), _x(point.at), _y(point.high), "whisker"))
        x, y = svg.number(_x(point.at)), svg.number(_y(point.value))
        body.append(f'<circle class="dot" cx="{x}" cy="{y}" r="{svg.number(3 + 7 * point.size**0.5)}"/>')
    return svg.drawing(_SIDE_PX, _SIDE_PX, "reliability", text, body)
