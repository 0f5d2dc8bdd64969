"""Rates with their intervals: every figure on the page comes through here and carries its denominator.

Sources: Wilson, J. Am. Stat. Assoc. 22 (1927) 209 for shares; Garwood, Biometrika 28 (1936) 437 for counts per hour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z_95 = 1.959963984540054
Z_STANDS_OUT = 3.0
"""A cell among many is only called the highest when its interval at three standard errors clears the average: at two,
one cell in twenty would by chance."""

FEWEST = 5
"""Below this many riders (or vehicles) a share is not shown: too few to say, and too near to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `base`; fractions 0-1. `known` is False where the base cannot carry a figure."""

    count: int
    base: int
    value: float = 0.0
    low: float = 0.0
    high: float = 1.0

    @property
    def known(self) -> bool:
        return self.base >= FEWEST and self.count <= self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class PerHour:
    """`count` events in `hours` watched; events an hour with an exact Poisson interval."""

    count: int
    hours: float
    value: float
    low: float
    high: float


def share(count: int, base: int, *, z: float = Z_95) -> Share:
    """Return `count` of `base` with Wilson's interval; no base, or more than the base, gives the whole range 0-1."""
    if base <= 0 or count > base:
        return Share(count=count, base=max(base, 0))
    p = count / base
    spread = z * math.sqrt(p * (1 - p) / base + z * z / (4 * base * base))
    centre, scale = p + z * z / (2 * base), 1 + z * z / base
    low = 0.0 if count == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if count == base else min(1.0, (centre + spread) / scale)
    return Share(count=count, base=base, value=p, low=low, high=high)


def per_hour(count: int, seconds: float) -> PerHour | None:
    """Return events an hour watched with Garwood's exact interval, or None where nothing was watched."""
    if seconds <= 0:
        return None
    from scipy.special import gammaincinv

    hours = seconds / 3600
    low = float(gammaincinv(count, 0.025)) if count else 0.0
    return PerHour(
        count=count,
        hours=hours,
        value=count / hours,
        low=low / hours,
        high=float(gammaincinv(count + 1, 0.975)) / hours,
    )


def standing_out(shares: Iterable[Share], overall: Share) -> Share | None:
    """Return the highest share that is clearly above `overall`, or None where chance alone could make it."""
    known = [item for item in shares if item.known]
    if not known or not overall.known:
        return None
    top = max(known, key=lambda item: share(item.count, item.base, z=Z_STANDS_OUT).low)
    return top if share(top.count, top.base, z=Z_STANDS_OUT).low > overall.value else None


def differ(one: Share, other: Share) -> bool:
    """Say whether two shares differ beyond chance: Newcombe's interval of the difference leaves out zero.

    Source: Newcombe, Statistics in Medicine 17 (1998) 873, method 10.
    """
    if not (one.known and other.known):
        return False
    difference = one.value - other.value
    lower = difference - math.hypot(one.value - one.low, other.high - other.value)
    upper = difference + math.hypot(one.high - one.value, other.value - other.low)
    return lower > 0 or upper < 0
