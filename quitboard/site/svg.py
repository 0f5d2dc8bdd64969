"""SVG markup by hand: the few shapes that charts are drawn with. Every text is escaped, nothing has an inline style."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

NARROW_PX = 350
WIDE_PX = 760


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a chart says in words: drawn nowhere, read aloud."""

    id: str
    title: str
    description: str


def number(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def drawing(width: float, height: float, css: str, text: Text, body: Sequence[str]) -> str:
    """Put a chart together."""
    size = "wide" if width > NARROW_PX else "narrow"
    return framed(f"chart {css} {size}", size, width, height, text, body)


def framed(css: str, size: str, width: float, height: float, text: Text, body: Sequence[str]) -> str:
    """Put a drawing together; `size` tells apart the ids of one that is drawn at several sizes."""
    name = f"{escape(text.id)}-{size}"
    return (
        f'<svg class="{css}" viewBox="0 0 {number(width)} {number(height)}" role="img"'
        f' aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{escape(text.title)}</title>'
        f'<desc id="{name}-d">{escape(text.description)}</desc>{"".join(body)}</svg>'
    )


def write(x: float, y: float, words: str, css: str = "", *, room_px: float = 1000) -> str:
    """Write words at a place, cut to the room there is."""
    return f'<text class="{css}" x="{number(x)}" y="{number(y)}">{escape(fitted(words, room_px))}</text>'


def fitted(words: str, room_px: float) -> str:
    """Cut a text to what fits."""
    used = 0.0
    for place, letter in enumerate(words):
        used += width_of(letter)
        if used > room_px:
            return words[: max(1, place - 1)] + "…"
    return words


def width_of(words: str) -> float:
    """Return about how many px a text takes at label size: a Hangul letter 14, a Latin one half of that."""
    return sum(14.5 if unicodedata.east_asian_width(letter) in "WF" else 7.6 for letter in words)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def box(x: float, y: float, width: float, height: float, css: str, radius: float = 0) -> str:
    corner = f' rx="{number(radius)}"' if radius else ""
    return (
        f'<rect class="{css}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        f"{corner}/>"
    )
