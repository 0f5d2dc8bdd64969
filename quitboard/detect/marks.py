"""What is drawn on evidence instead of the pixels that were taken away: an icon, a few words, corners around the ride.

Drawn, not photographed: the same mark for everybody. Pillow's built-in font, so that any machine draws the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

AMBER = (255, 184, 28, 255)
INK = (28, 33, 43, 235)
WHITE = (255, 255, 255, 255)
_FINER = 4  # drawn so many times larger, then averaged: smooth edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a reader is told in the picture itself."""

    text: str
    helmet: bool | None = None  # the icon: worn, not worn, or none where it is unknown or not the matter


_TEXTS = {
    "passenger_no_helmet": "PASSENGER: NO HELMET",
    "no_helmet": "NO HELMET",
    "two_up": "TWO RIDERS",
    "sidewalk": "ON THE SIDEWALK",
    "crosswalk_riding": "RIDING ON A CROSSWALK",
    "wrong_way": "WRONG WAY",
    "parking": "PARKED HERE",
}


def mark_for(kind: str, helmet: bool | None = None) -> Mark:
    """Return the mark of a rule's kind; `bicycle_no_helmet` and the like are drawn as the kind they end in.

    `helmet` is what the votes said of the rider where the rule is about something else; None is unknown.
    """
    ending = next((known for known in _TEXTS if kind.endswith(known)), "")
    if ending.endswith("no_helmet"):
        helmet = False
    return Mark(text=_TEXTS.get(ending, kind.replace("_", " ").upper()), helmet=helmet)


def draw(
    size: tuple[int, int],
    mark: Mark,
    subject: Sequence[float],
    heads: Sequence[Sequence[float]] = (),
) -> NDArray[np.uint8]:
    """Return an overlay (height, width, 4; BGRA) for a picture of `size` (width, height).

    Args:
        size: of the published picture, px.
        mark: what to say.
        subject: the ride's box, px of that picture.
        heads: filled heads of its riders, which get the helmet's icon.
    """
    width, height = size
    canvas = Image.new("RGBA", (width * _FINER, height * _FINER), (*AMBER[:3], 0))
    pen = ImageDraw.Draw(canvas)
    unit = max(width, height) / 480 * _FINER
    box = [side * _FINER for side in subject]
    _corners(pen, box, unit)
    if mark.helmet is not None:
        drawn: list[tuple[float, float, float]] = []
        for x1, y1, x2, y2 in sorted(heads, key=lambda head: (head[1], head[0])):
            x, y, radius = (x1 + x2) / 2 * _FINER, (y1 + y2) / 2 * _FINER, 0.36 * min(x2 - x1, y2 - y1) * _FINER
            if radius >= 6 * unit and all(np.hypot(x - a, y - b) >= radius + r for a, b, r in drawn):
                _badge(pen, (x, y), min(radius, 22 * unit), mark.helmet)
                drawn.append((x, y, radius))
    _chip(canvas, box, unit, mark)
    small = canvas.resize(size, Image.Resampling.BOX)
    return np.asarray(small, np.uint8)[:, :, [2, 1, 0, 3]]


def _corners(pen: Any, box: Sequence[float], unit: float) -> None:
    x1, y1, x2, y2 = box
    arm = max(8 * unit, 0.16 * min(x2 - x1, y2 - y1))
    line = max(1, round(2.2 * unit))
    for x, y, to_x, to_y in ((x1, y1, 1, 1), (x2, y1, -1, 1), (x1, y2, 1, -1), (x2, y2, -1, -1)):
        pen.line([(x + to_x * arm, y), (x, y), (x, y + to_y * arm)], fill=AMBER, width=line, joint="curve")


def _badge(pen: Any, middle: tuple[float, float], radius: float, worn: bool) -> None:
    x, y = middle
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=AMBER)
    _helmet(pen, middle, 0.62 * radius, worn, (*INK[:3], 255), AMBER)


def _helmet(
    pen: Any, middle: tuple[float, float], radius: float, worn: bool, ink: tuple[int, ...], ground: tuple[int, ...]
) -> None:
    """Draw a helmet from the side: a dome with a brim; struck through where it is missing."""
    x, y = middle[0], middle[1] + 0.35 * radius
    pen.pieslice([x - radius, y - radius, x + radius, y + radius], 180, 360, fill=ink)
    brim = 0.22 * radius
    pen.rounded_rectangle([x - radius, y - brim / 2, x + 1.35 * radius, y + brim], radius=brim / 2, fill=ink)
    if not worn:
        reach = 1.15 * radius
        line = max(2, round(0.26 * radius))
        y -= 0.35 * radius
        for colour, wide in ((ground, line * 2 + 2), (ink, line)):
            pen.line([(x - reach, y + reach), (x + reach, y - reach)], fill=colour, width=wide)


def _chip(canvas: Any, box: Sequence[float], unit: float, mark: Mark) -> None:
    pen = ImageDraw.Draw(canvas)
    font = _font(round(13 * unit))
    left, top, right, bottom = pen.textbbox((0, 0), mark.text, font=font)
    high = 22 * unit
    icon = high if mark.helmet is not None else 0.0
    wide = icon + (right - left) + 16 * unit
    room = 4 * unit
    x = min(max(box[0], room), canvas.width - wide - room)
    y = box[1] - high - 6 * unit
    if y < room:
        y = min(box[3] + 6 * unit, canvas.height - high - room)
    pen.rounded_rectangle([x, y, x + wide, y + high], radius=high / 2, fill=INK)
    if mark.helmet is not None:
        _helmet(pen, (x + 0.75 * high, y + high / 2), 0.27 * high, mark.helmet, AMBER, INK)
    pen.text((x + 8 * unit + icon - left, y + (high - (bottom - top)) / 2 - top), mark.text, font=font, fill=WHITE)


@lru_cache(maxsize=8)
def _font(size_px: int) -> Any:
    return ImageFont.load_default(size_px)
