"""Whether a person's box is where a rider's is on a vehicle's box, and where a vehicle's track changes its rider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quitboard.detect.geometry import Array, area, as_boxes, ground_points
from quitboard.detect.ground import boxes_at
from quitboard.records import IntArray, Track

NEAR_US = 1_000_000
"""Between two sightings of a person so far apart, he is taken to be on the line between them."""
MOVED_HEIGHTS = 0.3
"""A vehicle that moves or grows less, in heights of the person on it, goes nowhere."""
_HEAD_LEVEL = -0.08
"""Of a person's height, how far his head is above a vehicle's top; far away, models box rider and scooter as one."""
_FEW = 3
_WRONG_SHARE = 0.2
_BOTH_SHARE = 0.5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """How persons stand to vehicles, pair by pair. Lengths are in heights of the person."""

    aboard: Mask  # (n,) feet are over the vehicle and the head is not below its top
    side: Array  # (n,) how far beside the vehicle the person is
    feet: Array  # (n,) how far his feet are above the vehicle's lowest point
    head: Array  # (n,) how far his head is above its top
    tall_px: Array  # (n,) his height


def stance_of(persons: Array, vehicles: Array, picture_height: int) -> Stance:
    """Return how persons' boxes (n, 4) stand to as many vehicles' boxes; NaN boxes are not aboard."""
    p, v = as_boxes(persons), as_boxes(vehicles)
    tall = np.fmax(p[:, 3] - p[:, 1], 1.0)
    side = np.abs(ground_points(p)[:, 0] - ground_points(v)[:, 0]) / tall
    feet = (v[:, 3] - p[:, 3]) / tall
    # At the picture's lower edge nobody can say where feet and wheels are.
    clipped = np.fmax(p[:, 3], v[:, 3]) >= picture_height - 3
    shared = np.minimum(p[:, 2], v[:, 2]) - np.maximum(p[:, 0], v[:, 0])
    narrow = np.fmax(np.minimum(p[:, 2] - p[:, 0], v[:, 2] - v[:, 0]), 1.0)
    size = (v[:, 3] - v[:, 1]) / tall
    head = (v[:, 1] - p[:, 1]) / tall
    aboard = (
        (shared / narrow >= 0.5)
        & (side <= 0.4)
        & (((feet >= -0.1) & (feet <= 0.5)) | clipped)
        & (head >= _HEAD_LEVEL)
        & (size >= 0.15)
        & (size <= 1.4)
    )
    return Stance(aboard=np.asarray(aboard, bool), side=side, feet=feet, head=head, tall_px=tall)


def moved_heights(vehicles: Array, tall_px: Array) -> float:
    """Return how far a vehicle moved or grew from the first of its boxes (n, 4) to the last, in a rider's heights."""
    begin, end = vehicles[0], vehicles[-1]
    shift = float(np.linalg.norm(ground_points(end) - ground_points(begin))) / float(np.median(tall_px))
    growth = abs(float(np.log((area(end)[0] + 1) / (area(begin)[0] + 1)))) / 2
    return max(shift, 2 * growth)


def changes_of_rider(at_us: IntArray, vehicle: Array, persons: Sequence[Track], picture_height: int) -> list[int]:
    """Return the numbers of a vehicle's boxes at which it is another one's, for another person is on it from there.

    Where two riders cross, one vehicle hides the other, and a track goes on with the wrong one. It did so where first
    one person and then another is aboard, who are seen at the same time or go opposite ways. Two who ride together are
    aboard together.

    Args:
        at_us: instants of the vehicle's boxes, shape (n,).
        vehicle: its boxes, shape (n, 4).
        persons: tracks of persons.
        picture_height: px.
    """
    near = [
        boxes_at(person, at_us, NEAR_US)
        for person in persons
        if person.at_us[0] <= at_us[-1] and person.at_us[-1] >= at_us[0]
    ]
    stances = [(np.isfinite(boxes[:, 0]), stance_of(boxes, vehicle, picture_height)) for boxes in near]
    return _changes(vehicle, [one for one in stances if one[1].aboard.sum() >= _FEW], 0)


def _changes(vehicle: Array, stances: Sequence[tuple[Mask, Stance]], first: int) -> list[int]:
    cuts = [
        cut
        for n, one in enumerate(stances)
        for m, other in enumerate(stances)
        if n != m and (cut := _change(vehicle, one, other)) is not None
    ]
    if not cuts:
        return []
    _, at = max(cuts, key=lambda cut: (cut[0], -cut[1]))
    parts = (slice(0, at), slice(at, None))
    before, after = ([(there[part], _part(stance, part)) for there, stance in stances] for part in parts)
    return [*_changes(vehicle[:at], before, first), first + at, *_changes(vehicle[at:], after, first + at)]


def _change(vehicle: Array, one: tuple[Mask, Stance], other: tuple[Mask, Stance]) -> tuple[int, int] | None:
    """Return how many boxes say that a vehicle went from one person to another, and at which one; None if none did."""
    (here, mine), (there, his) = one, other
    only_mine, only_his = mine.aboard & ~his.aboard, his.aboard & ~mine.aboard
    before, after = np.cumsum(only_mine), np.cumsum(only_his[::-1])[::-1]
    if before[-1] < _FEW or after[0] < _FEW:
        return None
    right = before[:-1] + after[1:]
    at = int(right.argmax()) + 1
    said = int(right[at - 1])
    wrong = int(only_mine[at:].sum() + only_his[:at].sum())
    both_seen = int((only_mine & there)[:at].sum() + (only_his & here)[at:].sum())
    if (
        before[at - 1] < _FEW
        or after[at] < _FEW
        or wrong > _WRONG_SHARE * said
        or (mine.aboard & his.aboard).sum() > _BOTH_SHARE * said
    ):
        return None
    parts = [
        (vehicle[part][only[part]], stance.tall_px[part][only[part]])
        for part, only, stance in ((slice(0, at), only_mine, mine), (slice(at, None), only_his, his))
    ]
    if any(moved_heights(boxes, tall_px) < MOVED_HEIGHTS for boxes, tall_px in parts):
        return None
    first, then = (ground_points(boxes[-1:])[0] - ground_points(boxes[:1])[0] for boxes, _ in parts)
    # Two pieces of one person's track are never seen together, and he goes on the same way.
    return (said, at) if both_seen >= _FEW or float(first @ then) < 0 else None


def _part(stance: Stance, chosen: slice) -> Stance:
    return Stance(
        aboard=stance.aboard[chosen],
        side=stance.side[chosen],
        feet=stance.feet[chosen],
        head=stance.head[chosen],
        tall_px=stance.tall_px[chosen],
    )
