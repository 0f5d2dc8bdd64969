"""Suspected violations held against what happened: found, missed and false, kind by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from quitboard.models.intervals import Array, Figure, bootstrap, wilson

GRACE_S = 2.0
"""A report may lie this far beside the act: whoever labels, or looks every fifth of a second, cuts elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A breach in one recording: as it is known to have been, or as it was reported."""

    recording: str
    kind: str
    from_s: float
    to_s: float
    what: str
    tracks: frozenset[int] | None = None  # true tracks that it is about; None where that is not known
    confidence: float = 1.0
    id: str = ""

    def overlap_s(self, other: Happening) -> float:
        """Seconds both cover, with grace; negative where they lie apart, or are about others."""
        if self.tracks is not None and other.tracks is not None and not self.tracks & other.tracks:
            return -1.0
        return min(self.to_s, other.to_s) - max(self.from_s, other.from_s) + 2 * GRACE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    found: Sequence[tuple[Happening, Happening]]  # (what happened, what was reported)
    missed: Sequence[Happening]
    false: Sequence[Happening]

    @property
    def f1(self) -> float:
        return f1(len(self.found), len(self.missed), len(self.false))

    def doubles(self) -> list[Happening]:
        """Return the false reports that are a second one of what was found: false, but of another sort."""
        return [one for one in self.false if any(_about(one, act) for act, _ in self.found)]


def f1(found: float, missed: float, false: float) -> float:
    """2·found / (2·found + missed + false); 1 where there was nothing to find and nothing was."""
    total = 2 * found + missed + false
    return 2 * found / total if total else 1.0


def score(true: Sequence[Happening], reported: Sequence[Happening]) -> Score:
    """Match reports with what happened, as many as possible, by recording and kind; each counts once."""
    pairs: list[tuple[Happening, Happening]] = []
    for key in sorted({(one.recording, one.kind) for one in true}):
        acts = [one for one in true if (one.recording, one.kind) == key]
        says = [one for one in reported if (one.recording, one.kind) == key]
        overlaps = np.array([[act.overlap_s(said) for said in says] for act in acts]).reshape(len(acts), len(says))
        # Any overlap is worth more than all the seconds of the others together: more matches before better ones.
        worth = np.where(overlaps > 0, 1e6 + overlaps, 0.0)
        for row, column in zip(*linear_sum_assignment(-worth), strict=True):
            if overlaps[row, column] > 0:
                pairs.append((acts[row], says[column]))
    matched = {id(one) for pair in pairs for one in pair}
    return Score(
        found=pairs,
        missed=[one for one in true if id(one) not in matched],
        false=[one for one in reported if id(one) not in matched],
    )


def is_true(said: Happening, true: Iterable[Happening]) -> bool:
    """Say whether what is said of somebody happened, however often it is said."""
    return any(_about(said, act) for act in true)


def _about(said: Happening, act: Happening) -> bool:
    return (said.recording, said.kind) == (act.recording, act.kind) and act.overlap_s(said) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFigures:
    """How well one kind is found; `n` of precision is what was reported, of recall what happened."""

    found: int
    missed: int
    false: int
    doubles: int  # of the false
    precision: Figure
    recall: Figure
    f1: Figure


def figures(score: Score, recordings: Sequence[str]) -> tuple[Mapping[str, KindFigures], KindFigures]:
    """Return the figures of each kind, and of all kinds together.

    Precision and recall have Wilson's interval; F1 one from resampling whole recordings, where there are two or more.
    """
    kinds = sorted({one.kind for one in (*score.missed, *score.false, *(act for act, _ in score.found))})
    return {kind: _figures(score, recordings, {kind}) for kind in kinds}, _figures(score, recordings, set(kinds))


def _figures(score: Score, recordings: Sequence[str], kinds: set[str]) -> KindFigures:
    number = {name: row for row, name in enumerate(recordings)}
    counts = np.zeros((len(recordings), 3))
    lists: tuple[Iterable[Happening], ...] = ([act for act, _ in score.found], score.missed, score.false)
    for column, happenings in enumerate(lists):
        for one in happenings:
            if one.kind in kinds:
                counts[number[one.recording], column] += 1
    found, missed, false = (int(value) for value in counts.sum(axis=0))
    return KindFigures(
        found=found,
        missed=missed,
        false=false,
        doubles=sum(one.kind in kinds for one in score.doubles()),
        precision=wilson(found, found + false),
        recall=wilson(found, found + missed),
        f1=bootstrap(counts.tolist(), _f1_of, n=found + missed),
    )


def _f1_of(counts: Array) -> float:
    return f1(*(float(value) for value in counts))
