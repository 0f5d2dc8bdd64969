"""Pieces of persons' tracks joined over the time in which they were not seen, from both ends of it.

While a tracker waits for somebody who is hidden, it only knows where he came from, and takes whoever comes by. Once
all has been seen, where the next piece comes from is known too. Pieces are joined as tracklets are in Huang, Wu &
Nevatia, ECCV 2008: each end by at most one beginning, the best pairing over all of them, by motion and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quitboard.detect.geometry import Array, as_boxes
from quitboard.records import Track

_MOTION_US = 1_000_000
_KNOWN_S = 0.6
"""A speed is trusted in full once it was seen for so long; of a shorter piece, in proportion."""
_MISS_HEIGHTS, _MISS_HEIGHTS_PER_S = 0.2, 0.2
_SIZE_MISS = 0.3
"""How far a piece lies from where the other one's motion leads, in heights, and how much larger or smaller it is,
log of the ratio: about the medians over pieces of one person on validation recordings, the size the 90th percentile."""
_MOST_COST = 2.0


@dataclass(frozen=True, slots=True)
class _End:
    """A person's place and motion at the end or beginning of a piece."""

    middle: Array  # (2,) px
    velocity: Array  # (2,) px/s, less where it was seen for a short time
    height: float  # px

    @classmethod
    def of(cls, track: Track, *, last: bool) -> _End:
        """Fit a straight line to the last or first second."""
        end_us = int(track.at_us[-1 if last else 0])
        near = np.abs(track.at_us - end_us) <= _MOTION_US
        boxes, time_s = as_boxes(track.xyxy[near]), (track.at_us[near] - end_us) / 1e6
        seen = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, np.log(np.maximum(boxes[:, 3] - boxes[:, 1], 1.0))])
        mean, centred = seen.mean(axis=0), time_s - time_s.mean()
        spread = float((centred**2).sum())
        rate = (centred[:, None] * (seen - mean)).sum(axis=0) / spread if spread > 0 else np.zeros(3)
        x, y, size = mean - rate * time_s.mean()
        trust = min(1.0, float(np.ptp(time_s)) / _KNOWN_S)
        return cls(np.array([x, y]), rate[:2] * trust, float(np.exp(size)))

    def after(self, time_s: float) -> Array:
        """Return where the middle is some time later, or earlier where that is negative, (2,) px."""
        return np.asarray(self.middle + self.velocity * time_s)


def relinked(pieces: Sequence[Track], *, size_px: tuple[int, int], longest_gap_us: int) -> list[Track]:
    """Return tracks of persons with those joined that are pieces of one, in the order in which they begin.

    A joined track has its first piece's id. Pieces more than `longest_gap_us` apart are not joined, and who walked out
    of the picture, of `size_px` (width, height), does not come back as the same.
    """
    follower = _followers(pieces, size_px, longest_gap_us)
    joined = []
    for n in sorted(set(range(len(pieces))) - set(follower.values())):
        chain = [n]
        while chain[-1] in follower:
            chain.append(follower[chain[-1]])
        joined.append(_joined([pieces[one] for one in chain]))
    return sorted(joined, key=lambda track: (int(track.at_us[0]), track.id))


def _followers(pieces: Sequence[Track], size_px: tuple[int, int], longest_gap_us: int) -> dict[int, int]:
    """Return which piece goes on as which other one, by number."""
    ends = [_End.of(piece, last=True) for piece in pieces]
    begins = [_End.of(piece, last=False) for piece in pieces]
    begin_us = np.array([piece.at_us[0] for piece in pieces])
    order = np.argsort(begin_us, kind="stable")
    costs: dict[tuple[int, int], float] = {}
    for n, piece in enumerate(pieces):
        end_us = int(piece.at_us[-1])
        low, high = np.searchsorted(begin_us[order], [end_us + 1, end_us + longest_gap_us + 1])
        for m in map(int, order[low:high]):
            gap_s = (int(begin_us[m]) - end_us) / 1e6
            if _is_within(ends[n].after(gap_s), size_px):
                cost = _cost(ends[n], begins[m], gap_s)
                if cost <= _MOST_COST:
                    costs[n, m] = cost
    if not costs:
        return {}
    first, second = np.array(list(costs)).T
    # Pieces that share no candidate are decided apart: a day's assignment in one would not fit into memory.
    shape = (2 * len(pieces), 2 * len(pieces))
    _, group = connected_components(coo_array((np.ones(len(first)), (first, second + len(pieces))), shape=shape))
    follower: dict[int, int] = {}
    for label in np.unique(group[first]):
        mine = np.flatnonzero(group[first] == label)
        rows, row = np.unique(first[mine], return_inverse=True)
        columns, column = np.unique(second[mine], return_inverse=True)
        matrix = np.full((len(rows), len(columns)), _MOST_COST + 1e-6)
        matrix[row, column] = [costs[first[n], second[n]] for n in mine]
        for i, j in zip(*linear_sum_assignment(matrix), strict=True):
            if matrix[i, j] <= _MOST_COST:
                follower[int(rows[i])] = int(columns[j])
    return follower


def _cost(end: _End, begin: _End, gap_s: float) -> float:
    """Return how badly two pieces fit: mean of both squared misses and of the size's, in usual misses."""
    height = float(np.sqrt(end.height * begin.height))
    ahead = float(((end.after(gap_s) - begin.middle) ** 2).sum())
    back = float(((begin.after(-gap_s) - end.middle) ** 2).sum())
    usual = (_MISS_HEIGHTS + _MISS_HEIGHTS_PER_S * gap_s) * height
    return (ahead + back) / 2 / usual**2 + float(np.log(begin.height / end.height) / _SIZE_MISS) ** 2


def _is_within(point: Array, size_px: tuple[int, int]) -> bool:
    return bool((point >= 0).all() and (point <= size_px).all())


def _joined(chain: Sequence[Track]) -> Track:
    return Track(
        id=chain[0].id,
        role=chain[0].role,
        at_us=np.concatenate([piece.at_us for piece in chain]),
        xyxy=np.concatenate([piece.xyxy for piece in chain]),
        confidence=np.concatenate([piece.confidence for piece in chain]),
    )
