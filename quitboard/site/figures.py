"""Rates with their intervals: every figure on the page comes through here and carries its denominator.

Source of the interval: Wilson, J. Am. Stat. Assoc. 22 (1927) 209; as in the database, whose views cannot
pool the rows that pages pool.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

Z_95 = 1.959963984540054
BEYOND_CHANCE = 0.01
"""One of many cells is said to stand out only below this probability of any such cell by chance (Bonferroni)."""

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
class Estimate:
    """A fraction 0-1 that was measured elsewhere, with its interval: of a model, from its card."""

    value: float
    low: float
    high: float
    known: bool = True


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


def standing_out(shares: Mapping[Key, Share], overall: Share) -> list[Key]:
    """Return the keys of shares that are above `overall` beyond chance, the surest first.

    Each is tested one-sided against a binomial of the overall share; the bound is divided by how many were looked at.
    """
    known = {key: item for key, item in shares.items() if item.known}
    if len(known) < 2 or not overall.known:
        return []
    chances = {key: binomial_tail(item.count, item.base, overall.value) for key, item in known.items()}
    above = [key for key, chance in chances.items() if chance * len(known) < BEYOND_CHANCE]
    return sorted(above, key=lambda key: (chances[key], -known[key].value))


def binomial_tail(count: int, base: int, p: float) -> float:
    """Return the probability of `count` or more of `base` where each has probability `p`."""
    if count <= 0:
        return 1.0
    if p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    log_p, log_q = math.log(p), math.log1p(-p)
    whole = math.lgamma(base + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(whole - math.lgamma(k + 1) - math.lgamma(base - k + 1) + k * log_p + (base - k) * log_q)
            for k in range(count, base + 1)
        ),
    )


def differ(one: Share, other: Share, *, comparisons: int = 1) -> bool:
    """Say whether two shares differ beyond chance: Newcombe's interval of the difference leaves out zero.

    Args:
        comparisons: how many pairs are looked at together; the 5 % that chance is given is divided by it (Bonferroni).

    Source: Newcombe, Statistics in Medicine 17 (1998) 873, method 10.
    """
    if not (one.known and other.known):
        return False
    if comparisons > 1:
        z = NormalDist().inv_cdf(1 - 0.025 / comparisons)
        one, other = share(one.count, one.base, z=z), share(other.count, other.base, z=z)
    difference = one.value - other.value
    lower = difference - math.hypot(one.value - one.low, other.high - other.value)
    upper = difference + math.hypot(one.high - one.value, other.value - other.low)
    return lower > 0 or upper < 0
