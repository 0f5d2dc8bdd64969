"""Whether 0.9 means nine in ten: the reliability diagram and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quitboard.models.intervals import Figure, wilson

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers whose confidence lies between two values."""

    from_confidence: float
    to_confidence: float
    confidence: float  # mean
    right: Figure  # share that was right


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    n: int
    ece: float  # nan where there is no answer
    bins: tuple[Bin, ...]  # those that hold any


def reliability(answers: Sequence[tuple[float, bool]], *, bins: int = BINS) -> Reliability:
    """Return the reliability of (confidence 0-1, was it right) pairs.

    ECE is the mean distance of a bin's share of right answers from its mean confidence, weighted by answers: Naeini,
    Cooper and Hauskrecht, AAAI 2015, with bins of equal width.
    """
    if not answers:
        return Reliability(n=0, ece=float("nan"), bins=())
    confidence = np.array([one[0] for one in answers], np.float64)
    right = np.array([one[1] for one in answers], bool)
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    made = []
    for n in np.unique(number):
        mine = number == n
        made.append(
            Bin(
                from_confidence=float(n) / bins,
                to_confidence=float(n + 1) / bins,
                confidence=float(np.sort(confidence[mine]).mean()),  # sorted: the same sum in any order
                right=wilson(int(right[mine].sum()), int(mine.sum())),
            )
        )
    ece = sum(one.right.n * abs(one.right.value - one.confidence) for one in made) / len(answers)
    return Reliability(n=len(answers), ece=ece, bins=tuple(made))
