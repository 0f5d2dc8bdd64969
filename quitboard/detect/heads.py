"""Heads and helmets given to the riders they belong to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from quitboard.detect.company import Company, company_of
from quitboard.detect.geometry import Array, as_boxes, ground_points, iou
from quitboard.detect.ground import boxes_at
from quitboard.records import ROLES, Detections, FloatArray, HeadSighting, IntArray, Ride, Role, Track

_NEAR_US = 600_000
_SAME_HEAD_IOU = 0.35
_APART = 0.15, 0.6
"""Two heads in one rider's box overlap less than the first and lie, in heads, farther apart than the second."""
_SAME_HEAD_IOU_OF_TWO = 0.5
_APART_OF_TWO = 0.5, 0.25
"""The same where two are known to ride: from in front and behind one head covers part of the other."""
_FEWEST_PAIRS, _PAIRED_SHARE = 3, 0.2
"""Frames with two heads in one box that tell where each is, and their share where two are not known to ride."""
_MOSTLY_PAIRED = 0.5
"""Share of frames with two heads from which two ride whatever is said of company. Of 63 rides of one alone none showed
that many (most: 0.43, a chest below a helmet taken for a head), of 16 in company 4."""
_SMALLER = 0.9
_SHARED_LEANING, _ALONE_LEANING = 0.4, -0.4
"""Mean log-odds of company above which two share a person's box as far as heads go, and below which one rides alone:
six in ten."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """Every head and helmet box of a camera, every instant that was looked at, and what was said of company."""

    frame_at_us: IntArray  # (f,) increasing
    at_us: IntArray  # (n,) not decreasing
    xyxy: FloatArray  # (n, 4) px
    confidence: FloatArray  # (n,)
    bare: IntArray  # (n,) 1 for a bare head, 0 for a helmet
    wear: FloatArray  # (n, 2) 0-1 that it wears a helmet, that it wears none; NaN: not judged apart
    company: Company = field(default_factory=Company.none)


def heads_of(frames: Iterable[tuple[int, Detections]]) -> Heads:
    """Keep what frames, given with their instants (µs), say of riders: heads, helmets and whether they are alone."""
    frames = list(frames)
    times: list[int] = []
    at_us: list[int] = []
    boxes: list[tuple[float, ...]] = []
    confidence: list[float] = []
    bare: list[int] = []
    wear: list[tuple[float, float]] = []
    helmet_id, head_id = ROLES.index(Role.HELMET), ROLES.index(Role.HEAD)
    for now, detections in frames:
        times.append(now)
        mine = np.flatnonzero(np.isin(detections.class_id, (helmet_id, head_id)))
        rows = sorted(
            (
                (
                    tuple(map(float, detections.xyxy[n])),
                    float(detections.confidence[n]),
                    int(detections.class_id[n] == head_id),
                    (math.nan, math.nan) if detections.wear is None else tuple(map(float, detections.wear[n])),
                )
                for n in mine
            ),
            key=lambda row: row[:3],
        )
        for box, sure, is_bare, worn in rows:
            at_us.append(now)
            boxes.append(box)
            confidence.append(sure)
            bare.append(is_bare)
            wear.append((worn[0], worn[1]))
    return Heads(
        frame_at_us=np.array(times, dtype=np.int64),
        at_us=np.array(at_us, dtype=np.int64),
        xyxy=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.array(confidence, dtype=np.float32),
        bare=np.array(bare, dtype=np.int64),
        wear=np.array(wear, dtype=np.float32).reshape(-1, 2),
        company=company_of(frames),
    )


def sightings_of(heads: Heads, rides: Sequence[Ride], persons: Sequence[Track]) -> tuple[HeadSighting, ...]:
    """Return the heads of riders, in the order of time.

    A head belongs to the rider in the top of whose box it is. One that is left over inside a rider's box, and that no
    other person's box explains, is of somebody riding along whom the model did not see as a person: `order` 1. Where
    two ride and only one head is seen, it is the one of who sits nearer to the camera. Who is judged to ride alone has
    one head, whatever else looks like one (a chest below a helmet does).
    """
    found: list[HeadSighting] = []
    for ride in rides:
        seats = {rider.id for rider in ride.riders}
        first, last = np.searchsorted(heads.at_us, [ride.from_us, ride.to_us + 1])
        times = np.unique(heads.at_us[first:last])
        riders = [boxes_at(rider, times, _NEAR_US) for rider in ride.riders]
        beside = [
            track
            for track in persons
            if track.id not in seats and track.at_us[0] <= ride.to_us and track.at_us[-1] >= ride.from_us
        ]
        others = [boxes_at(track, times, _NEAR_US) for track in beside]
        leanings = [heads.company.leaning(rider) for rider in ride.riders]
        is_shared = len(ride.riders) == 1 and leanings[0] > _SHARED_LEANING
        seen: list[HeadSighting] = []
        for n, now in enumerate(times):
            chosen = first + np.flatnonzero(heads.at_us[first:last] == now)
            one_frame = _merged(heads, chosen, _SAME_HEAD_IOU_OF_TWO if is_shared else _SAME_HEAD_IOU)
            seat_boxes = [(rider.id, boxes[n]) for rider, boxes in zip(ride.riders, riders, strict=True)]
            beside_boxes = [boxes[n] for boxes in others]
            seen.extend(_seat_heads(int(now), one_frame, seat_boxes, beside_boxes, is_shared=is_shared))
        if max(leanings) < _ALONE_LEANING and _paired_share(seen) < _MOSTLY_PAIRED:
            found.extend(_heads_of_one(seen, ride))
        else:
            found.extend(_front_first(seen, ride, is_shared=is_shared))
    return tuple(sorted(found, key=lambda head: (head.at_us, head.person_track, head.order)))


def _paired_share(seen: Sequence[HeadSighting]) -> float:
    """Return in which share of the frames that show a head of a ride there are two or more."""
    heads_at = Counter(head.at_us for head in seen)
    return sum(count > 1 for count in heads_at.values()) / max(len(heads_at), 1)


def _heads_of_one(seen: Sequence[HeadSighting], ride: Ride) -> list[HeadSighting]:
    """Return the driver's own head in each frame: whatever else was taken for a head or a rider is his too."""
    own: dict[int, HeadSighting] = {}
    for head in sorted(seen, key=lambda one: (one.at_us, one.order, -one.head_confidence, one.person_track)):
        own.setdefault(head.at_us, replace(head, person_track=ride.riders[0].id, order=0))
    return list(own.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    box: Array  # (4,)
    helmet: float
    bare: float
    sure: float
    is_judged: bool


def _merged(heads: Heads, chosen: IntArray, same_iou: float) -> list[_Head]:
    """Join boxes on one head: the detector may see helmet and bare head at once, and both are evidence.

    Where heads are judged apart, the judgement on the surest box counts: the detector's classes are in it already.
    """
    order = sorted(chosen, key=lambda n: (-float(heads.confidence[n]), int(n)))
    boxes = as_boxes(heads.xyxy)
    merged: list[_Head] = []
    for n in order:
        helmet = 0.0 if heads.bare[n] else float(heads.confidence[n])
        bare = float(heads.confidence[n]) if heads.bare[n] else 0.0
        twin = next((k for k, head in enumerate(merged) if iou(head.box, boxes[n])[0, 0] > same_iou), None)
        if twin is None:
            is_judged = not np.isnan(heads.wear[n]).any()
            if is_judged:
                helmet, bare = map(float, heads.wear[n])
            merged.append(_Head(boxes[n], helmet, bare, float(heads.confidence[n]), is_judged))
        elif not (known := merged[twin]).is_judged:
            merged[twin] = replace(known, helmet=max(known.helmet, helmet), bare=max(known.bare, bare))
    return merged


def _seat_heads(
    now: int,
    heads: Sequence[_Head],
    seats: Sequence[tuple[int, Array]],
    others: Sequence[Array],
    *,
    is_shared: bool,
) -> list[HeadSighting]:
    """Give one frame's heads to seats, each to the one it fits best; then the heads left over."""
    if not heads:
        return []
    costs = np.array([[_misfit(head.box, box) for _, box in seats] for head in heads])
    given: dict[int, tuple[int, int]] = {}  # head -> (person, order)
    for row, column in zip(*linear_sum_assignment(np.minimum(costs, 10.0)), strict=True):
        if np.isfinite(costs[row, column]):
            given[int(row)] = (seats[int(column)][0], 0)
    own = list(given)
    for n, left in enumerate(heads):
        if n in given:
            continue
        apart = _APART_OF_TWO if is_shared else _APART
        fits = [k for k in own if _rides_along(left.box, heads[k].box, _box_of(seats, given[k][0]), apart)]
        if fits and not any(_misfit(left.box, other) < 0.6 for other in others):
            person = given[fits[0]][0]
            order = 1 + sum(taken[0] == person for taken in given.values() if taken[1] > 0)
            given[n] = (person, order)
    return [
        HeadSighting(
            at_us=now,
            person_track=person,
            xyxy=(float(heads[n].box[0]), float(heads[n].box[1]), float(heads[n].box[2]), float(heads[n].box[3])),
            helmet_confidence=heads[n].helmet,
            bare_confidence=heads[n].bare,
            is_judged=heads[n].is_judged,
            head_confidence=heads[n].sure,
            order=order,
        )
        for n, (person, order) in sorted(given.items(), key=lambda item: item[1])
    ]


def _front_first(seen: Sequence[HeadSighting], ride: Ride, *, is_shared: bool) -> list[HeadSighting]:
    """Where one person's box holds two heads, let the one in front be the person's own: in front sits who drives.

    Frames that show both say where each is within the box; a head seen alone is the one whose place it is in. Where too
    few show both of two who ride (`is_shared`), a head seen alone is nobody's, unless they ride away: then it is the
    one behind, which hides the other.
    """
    way = ground_points(ride.vehicle.xyxy[[0, -1]])
    ahead = way[1] - way[0]
    settled: list[HeadSighting] = []
    for rider in ride.riders:
        mine = [head for head in seen if head.person_track == rider.id]
        boxes = boxes_at(rider, np.array([head.at_us for head in mine], dtype=np.int64), _NEAR_US)
        corner, size = boxes[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
        centres = np.array([[(h.xyxy[0] + h.xyxy[2]) / 2, (h.xyxy[1] + h.xyxy[3]) / 2] for h in mine]).reshape(-1, 2)
        places = (centres - corner) / size
        first = {head.at_us: n for n, head in enumerate(mine) if head.order == 0}
        pairs = [(first[head.at_us], n) for n, head in enumerate(mine) if head.order == 1]
        is_known = len(pairs) >= _FEWEST_PAIRS and (is_shared or len(pairs) >= _PAIRED_SHARE * len(first))
        if not (is_known and ahead.any()):
            paired = {n for pair in pairs for n in pair}
            if not is_shared:
                settled.extend(mine)
            elif _goes_away(rider):
                settled.extend(head if n in paired else replace(head, order=1) for n, head in enumerate(mine))
            else:
                settled.extend(head for n, head in enumerate(mine) if n in paired)
            continue
        turned = [(a, b) if (centres[a] - centres[b]) @ ahead >= 0 else (b, a) for a, b in pairs]
        front = np.median(places[[a for a, _ in turned]], axis=0)
        behind = np.median(places[[b for _, b in turned]], axis=0)
        orders = {n: order for pair in turned for order, n in enumerate(pair)}
        for n, head in enumerate(mine):
            nearer = int(np.linalg.norm(places[n] - behind) < np.linalg.norm(places[n] - front))
            order = orders.get(n, head.order if head.order > 1 else nearer)
            settled.append(replace(head, order=order))
    return settled


def _goes_away(rider: Track) -> bool:
    """Whether a rider gets smaller: the camera sees his back."""
    tall = rider.xyxy[:, 3] - rider.xyxy[:, 1]
    part = max(len(tall) // 3, 1)
    return bool(np.median(tall[-part:]) < _SMALLER * np.median(tall[:part]))


def _misfit(head: Array, person: Array) -> float:
    """How far a head is from where a person's head would be, in head heights; infinite where it cannot be his."""
    if not np.isfinite(person[0]):
        return np.inf
    width, height = max(person[2] - person[0], 1.0), max(person[3] - person[1], 1.0)
    head_height = max(head[3] - head[1], 1.0)
    x, y = (head[0] + head[2]) / 2, (head[1] + head[3]) / 2
    inside = person[0] - 0.1 * width <= x <= person[2] + 0.1 * width
    on_top = person[1] - 0.12 * height <= y <= person[1] + 0.33 * height
    if not (inside and on_top and 0.05 <= head_height / height <= 0.45):
        return np.inf
    return float(np.hypot(max(abs(x - (person[0] + person[2]) / 2) - 0.25 * width, 0.0), y - person[1]) / head_height)


def _rides_along(head: Array, own: Array, person: Array, least: tuple[float, float]) -> bool:
    """Whether a head beside a rider's own, inside his box, is another's and of a size that fits."""
    most_iou, least_apart = least
    width, height = person[2] - person[0], person[3] - person[1]
    x, y = (head[0] + head[2]) / 2, (head[1] + head[3]) / 2
    size = (head[3] - head[1]) / max(own[3] - own[1], 1.0)
    apart = np.hypot(x - (own[0] + own[2]) / 2, y - (own[1] + own[3]) / 2) / max(own[3] - own[1], 1.0)
    return bool(
        iou(head, own)[0, 0] < most_iou
        and apart >= least_apart
        and 0.5 <= size <= 2.0
        and person[0] - 0.2 * width <= x <= person[2] + 0.2 * width
        and person[1] - 0.1 * height <= y <= person[1] + 0.5 * height
    )


def _box_of(seats: Sequence[tuple[int, Array]], person: int) -> Array:
    return next(box for name, box in seats if name == person)
