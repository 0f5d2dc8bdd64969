"""95 % intervals of measured figures: Wilson's where trials are independent, a bootstrap of whole groups where not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array: TypeAlias = NDArray[np.float64]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its 95 % interval; nan where there is nothing to tell it from."""

    value: float
    low: float
    high: float
    n: int

    def as_plain(self) -> dict[str, float | int | None]:
        """Return the figure for JSON: four decimals, null for nan."""
        return {"value": plain(self.value), "low": plain(self.low), "high": plain(self.high), "n": self.n}


def plain(value: float) -> float | None:
    """Return a number for JSON, which has no nan."""
    return round(float(value), 4) if np.isfinite(value) else None


def wilson(count: int, base: int) -> Figure:
    """Return a share with Wilson's score interval, as scipy has it."""
    if base <= 0:
        return Figure(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    interval = stats.binomtest(count, base).proportion_ci(method="wilson")
    return Figure(value=count / base, low=float(interval.low), high=float(interval.high), n=base)


def resamples(groups: int, seed: int = 0) -> Array:
    """Return how often each of `groups` groups is drawn in each of 1,000 bootstrap resamples, shape (1000, groups)."""
    if not groups:
        return np.zeros((RESAMPLES, 0))
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES).astype(np.float64)


def percentiles(values: Array) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of what is told; nan where nothing is."""
    told = values[np.isfinite(values)]
    if not told.size:
        return float("nan"), float("nan")
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def bootstrap(rows: Sequence[Sequence[float]], figure: Callable[[Array], float], *, n: int, seed: int = 0) -> Figure:
    """Return a figure of summed counts, its interval from resampling whole groups (recordings, pictures).

    Args:
        rows: the counts of each group.
        figure: makes the figure from the counts summed over groups.
        n: how many cases the figure rests on.
    """
    counts = np.array(rows, np.float64)
    if not len(counts):
        return Figure(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    drawn = resamples(len(counts), seed) @ counts
    low, high = percentiles(np.array([figure(row) for row in drawn]))
    return Figure(value=figure(counts.sum(axis=0)), low=low, high=high, n=n)


def wider(one: Figure, other: Figure) -> Figure:
    """Return `one` with an interval that covers both.

    A bootstrap of seven hits in seven says 1.0 to 1.0; Wilson's says 0.65 to 1.0, but takes boxes of one picture for
    independent. Neither alone is honest.
    """
    return Figure(
        value=one.value, low=float(np.fmin(one.low, other.low)), high=float(np.fmax(one.high, other.high)), n=one.n
    )
