"""Stretches of time as pairs [from, to) of whole microseconds: joined, and taken from each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""From and to, µs on one clock; the end is not in it."""


def union(spans: Iterable[Span]) -> list[Span]:
    """Return spans joined where they touch or overlap, in order; empty ones are dropped."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of spans outside those taken, in order."""
    left = union(spans)
    for start, end in union(taken):
        left = [
            piece
            for low, high in left
            for piece in ((low, min(high, start)), (max(low, end), high))
            if piece[1] > piece[0]
        ]
    return left
