"""What must not be seen: the regions of every frame that is to be published, found before any pixel is looked at.

Boxes of heads, persons and vehicles are linked over neighbouring frames into tubes, so that a frame in which the
detector missed something is covered by its neighbours. All functions are pure; boxes are `xyxy` in px of the full-size
picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from quitboard.detect.geometry import area, intersection, iou
from quitboard.records import ROLES, Detections, Role

Boxes: TypeAlias = NDArray[np.float64]  # (n, 4) xyxy px; one box is (4,)

HEAD_CONFIDENCE = 0.15
PERSON_CONFIDENCE = 0.15
VEHICLE_CONFIDENCE = 0.25
REACH_US = 400_000
"""How far a region reaches into neighbouring frames: the 0.3 s of the design, and a frame of a slow camera."""
GAP_US = 1_000_000
"""A thing unseen for longer is a new thing."""
HEAD_GROWTH = (0.25, 0.25, 0.25, 0.40)
"""Part of a head box's width or height added on the left, top, right and bottom: more than the 15 % a side of the
design, and most at the bottom, where the chin is."""
HEAD_ASPECT = 1.5
"""A grown head is at least this many of its box's widths high: models box the shell of a helmet, not the face below."""
HEAD_MARGIN_PX = 2.0
HEAD_SHARE = 1 / 3
"""Part of a person's height, from the top, that is filled when no head was found."""
UPRIGHT = 1.8
"""A person's box higher than this many of its widths shows one person, and more than head and shoulders."""
LARGEST_HEAD = 0.45
"""No head is more of an upright person's height."""
SAME_HEAD = 0.35
SAME_PERSON = 0.65
SAME_VEHICLE = 0.5
"""Boxes of one frame with a larger IoU are one thing. Two persons on one scooter overlap up to about 0.6."""

_HEADS = (Role.HEAD, Role.HELMET)
_VEHICLES = (Role.SCOOTER, Role.BICYCLE, Role.MOTORCYCLE, Role.CAR)
_SIDEWAYS_PER_S = 0.25
"""A motorcycle that moves across the picture by this part of its width in a second is seen from the side."""


def no_boxes() -> Boxes:
    """Return an empty (0, 4) array."""
    return np.zeros((0, 4))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What was found in one frame, before its neighbours are asked."""

    at_us: int
    heads: Boxes = field(default_factory=no_boxes)
    persons: Boxes = field(default_factory=no_boxes)
    vehicles: Boxes = field(default_factory=no_boxes)
    votes: Boxes = field(default_factory=no_boxes)  # of each vehicle: confidence as scooter, bicycle, motorcycle, car


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameRegions:
    """What must not be seen in one frame of `width` x `height` px."""

    width: int
    height: int
    heads: Boxes  # (n, 4) filled with one flat colour
    plates: Boxes  # (n, 4) filled with one flat colour
    bodies: Boxes  # (n, 4) reduced: every person that is known in this frame
    tops: Boxes = field(default_factory=no_boxes)  # (n, 4) filled with one flat colour: there may be a second head


def seen(at_us: int, detections: Detections, persons: Iterable[Sequence[float]] = ()) -> Seen:
    """Sort one frame's detections by what they mean here; `persons` adds boxes known from tracks."""

    def of(roles: Sequence[Role], confidence: float) -> tuple[Boxes, NDArray[np.float64], NDArray[np.int64]]:
        classes = [ROLES.index(role) for role in roles]
        chosen = np.isin(detections.class_id, classes) & (detections.confidence >= confidence)
        kinds = np.array([classes.index(known) for known in detections.class_id[chosen]], np.int64)
        return detections.xyxy[chosen].astype(np.float64), detections.confidence[chosen].astype(np.float64), kinds

    tracked = np.asarray(list(persons), np.float64).reshape(-1, 4)
    people, sure, _ = of((Role.PERSON,), PERSON_CONFIDENCE)
    heads, head_sure, _ = of(_HEADS, HEAD_CONFIDENCE)
    vehicles, vehicle_sure, kinds = of(_VEHICLES, VEHICLE_CONFIDENCE)
    votes = np.zeros((len(vehicles), len(_VEHICLES)))
    votes[np.arange(len(vehicles)), kinds] = vehicle_sure
    return Seen(
        at_us=at_us,
        heads=heads[_apart(heads, head_sure, SAME_HEAD)],
        persons=_joined(tracked, people[_apart(people, sure, SAME_PERSON)], SAME_PERSON),
        vehicles=vehicles,
        votes=votes,
    )


def together(one: Seen, other: Seen) -> Seen:
    """Return what two looks at the same frame found; where both saw a thing, the second look knows better."""
    return Seen(
        at_us=one.at_us,
        heads=_joined(other.heads, one.heads, SAME_HEAD),
        persons=_joined(other.persons, one.persons, SAME_PERSON),
        vehicles=np.concatenate([other.vehicles, one.vehicles]),
        votes=np.concatenate([other.votes, one.votes]),
    )


def find_regions(frames: Sequence[Seen], *, width: int, height: int) -> list[FrameRegions]:
    """Return the regions of each frame, in order; frames are given by rising `at_us`, best at the full frame rate.

    A head is filled where it, or its neighbour in time, was found. A person without a head of their own in a frame has
    the top third filled, or more (`top_of`); so has one whose box is as wide as two, since it may hold somebody whom
    the model saw neither as a person nor as a head. Motor vehicles have the band filled in which a plate can be.
    """
    times = [frame.at_us for frame in frames]
    heads = carry(times, [plausible(frame.heads, frame.persons) for frame in frames])
    persons = carry(times, [frame.persons for frame in frames])
    plates = _plates(times, frames)
    found = []
    for index in range(len(frames)):
        covers = [grow_head(box) for box in heads[index]]
        for person in headless(persons[index], heads[index]):
            if not _is_covered(head_zone(person), covers):
                covers.append(top_of(person))
        found.append(
            FrameRegions(
                width=width,
                height=height,
                heads=inside(covers, width, height),
                plates=inside(plates[index], width, height),
                bodies=inside(list(persons[index]), width, height),
                tops=inside([top_of(person) for person in persons[index] if not is_upright(person)], width, height),
            )
        )
    return found


def plausible(heads: Boxes, persons: Boxes) -> Boxes:
    """Return the heads without those that are most of an upright person: there the model took the body for a head.

    Nothing is lost: a person who is left without a head has the top third filled.
    """
    if not len(heads) or not len(persons):
        return heads
    upright = persons[[is_upright(person) for person in persons]]
    inside = intersection(heads, upright) >= 0.7 * area(heads)[:, None]
    large = (heads[:, 3] - heads[:, 1])[:, None] > LARGEST_HEAD * (upright[:, 3] - upright[:, 1])[None]
    return heads[~(inside & large).any(axis=1)]


def is_upright(person: Boxes) -> bool:
    """Return whether a person's box is as narrow as that of one who stands, walks or rides upright, and whole."""
    width, height = person[2] - person[0], person[3] - person[1]
    return bool(height > UPRIGHT * max(width, 1.0))


def grow_head(box: Boxes) -> Boxes:
    """Return a head box grown by `HEAD_GROWTH` of its size and at least `HEAD_MARGIN_PX` a side, down to the chin."""
    size = np.array([box[2] - box[0], box[3] - box[1]])
    left_top = np.maximum(size * HEAD_GROWTH[:2], HEAD_MARGIN_PX)
    right_bottom = np.maximum(size * HEAD_GROWTH[2:], HEAD_MARGIN_PX)
    right_bottom[1] = max(right_bottom[1], HEAD_ASPECT * size[0] - size[1])
    return np.concatenate([box[:2] - left_top, box[2:] + right_bottom])


def top_of(person: Boxes) -> Boxes:
    """Return the part of a person's box that is filled when no head was found: the top third, grown a little.

    Somebody wider than tall is bent, lying or cut off by the picture's edge; then three quarters of the width are
    filled from the top, and of somebody lying everything.
    """
    width, height = person[2] - person[0], person[3] - person[1]
    depth = HEAD_SHARE * height if height >= width else min(height, 0.75 * width)
    margin = max(HEAD_MARGIN_PX, 0.03 * height)
    return np.array([person[0], person[1] - margin, person[2], person[1] + depth + margin])


def head_zone(person: Boxes) -> Boxes:
    """Return the middle of the top fifth of a person's box, where most heads are."""
    width, height = person[2] - person[0], person[3] - person[1]
    return np.array([person[0] + 0.2 * width, person[1], person[2] - 0.2 * width, person[1] + 0.2 * height])


def headless(persons: Boxes, heads: Boxes) -> Boxes:
    """Return the persons to whom none of the heads belongs; each head belongs to one person at most."""
    if not len(persons) or not len(heads):
        return persons
    size = np.maximum(persons[:, 2:] - persons[:, :2], 1.0)
    head_size = heads[:, 2:] - heads[:, :2]
    centre = (heads[:, :2] + heads[:, 2:]) / 2
    # each in units of the person's own box: (persons, heads)
    across = (centre[None, :, 0] - persons[:, None, 0]) / size[:, None, 0]
    top = (heads[None, :, 1] - persons[:, None, 1]) / size[:, None, 1]
    part = head_size[None, :, 1] / size[:, None, 1]
    fits = (across > -0.1) & (across < 1.1) & (top > -0.15) & (top < 0.2) & (part > 0.06) & (part < 0.6)
    cost = np.where(fits, np.abs(top) + 0.1 * np.abs(across - 0.5), 1e6)
    rows, columns = linear_sum_assignment(cost)
    own = {int(row) for row, column in zip(rows, columns, strict=True) if fits[row, column]}
    return persons[[row for row in range(len(persons)) if row not in own]]


def plate_band(vehicle: Boxes, role: Role, sideways: float = 0.0) -> Boxes:
    """Return where a motor vehicle's number plate can be.

    The end of a car that a camera can read is the one nearer to it, so its plate lies in the lower part of the box, at
    any height of the camera. A motorcycle's hangs at the rear, below the seat: where it moves across the picture
    (`sideways`: widths a second to the right), in the part that follows; else anywhere across.
    """
    x1, y1, x2, y2 = vehicle
    width, height = x2 - x1, y2 - y1
    if role is Role.CAR:
        return np.array([x1, y1 + 0.45 * height, x2, y1 + 0.97 * height])
    if sideways > _SIDEWAYS_PER_S:
        x2 = x1 + 0.4 * width
    elif sideways < -_SIDEWAYS_PER_S:
        x1 = x2 - 0.4 * width
    return np.array([x1, y1 + 0.3 * height, x2, y1 + 0.8 * height])


def _plates(times_us: Sequence[int], frames: Sequence[Seen]) -> list[list[Boxes]]:
    """Return each frame's plate bands. What a vehicle is, all its sightings decide together."""
    bands: list[list[Boxes]] = [[] for _ in frames]
    single = [_apart(frame.vehicles, frame.votes.max(axis=1, initial=0.0), SAME_VEHICLE) for frame in frames]
    vehicles = [frame.vehicles[chosen] for frame, chosen in zip(frames, single, strict=True)]
    votes = [_votes_around(frame, chosen) for frame, chosen in zip(frames, single, strict=True)]
    for tube, members in _link(times_us, vehicles):
        role = _VEHICLES[int(sum(votes[index][member] for index, member in members.items()).argmax())]
        if role not in (Role.MOTORCYCLE, Role.CAR):
            continue
        for index, box in _filled(tube, times_us, hold=False):
            bands[index].append(plate_band(box, role, _sideways(tube, times_us, times_us[index])))
    return bands


def _votes_around(frame: Seen, chosen: NDArray[np.int64]) -> Boxes:
    same = iou(frame.vehicles[chosen], frame.vehicles) > SAME_VEHICLE
    return np.asarray(same.astype(np.float64) @ frame.votes)


# --- tubes: the same thing over time ----------------------------------------------------------------------------

_Tube: TypeAlias = dict[int, Boxes]  # frame index -> box


def carry(times_us: Sequence[int], boxes: Sequence[Boxes]) -> list[Boxes]:
    """Return each frame's boxes with those of its neighbours carried into it.

    Boxes are linked over time. Between two sightings a thing is where its way leads, as large as in the larger of
    both; for `REACH_US` before its first and after its last sighting it is held there, and where its motion would have
    led, unless another box of that frame already covers it.
    """
    carried: list[list[Boxes]] = [list(frame) for frame in boxes]
    for tube, _ in _link(times_us, boxes):
        for index, box in _filled(tube, times_us, hold=True):
            between = min(tube) < index < max(tube)
            if index not in tube and (between or not _is_covered(box, list(boxes[index]), 0.5)):
                carried[index].append(box)
    return [np.array(frame).reshape(-1, 4) for frame in carried]


def _link(times_us: Sequence[int], boxes: Sequence[Boxes]) -> list[tuple[_Tube, dict[int, int]]]:
    """Return tubes, with the number of each box in its frame: nearest centres, one-to-one, sizes alike."""
    tubes: list[tuple[_Tube, dict[int, int]]] = []
    for index, (now, found) in enumerate(zip(times_us, boxes, strict=True)):
        live = [tube for tube in tubes if now - times_us[max(tube[0])] <= GAP_US]
        taken: set[int] = set()
        if live and len(found):
            expected = np.array([_at(tube, times_us, now) for tube, _ in live])
            size = np.maximum(np.sqrt(area(expected)), 1.0)
            other = np.maximum(np.sqrt(area(found)), 1.0)
            away = np.linalg.norm(_centre(expected)[:, None] - _centre(found)[None], axis=2)
            distance = away / np.minimum(size[:, None], other[None])
            ratio = np.maximum(size[:, None] / other[None], other[None] / size[:, None])
            fits = (distance < 0.9) & (ratio < 1.8)
            rows, columns = linear_sum_assignment(np.where(fits, distance, 1e6))
            for row, column in zip(rows, columns, strict=True):
                if fits[row, column]:
                    live[row][0][index] = found[column]
                    live[row][1][index] = int(column)
                    taken.add(int(column))
        tubes.extend(({index: box}, {index: column}) for column, box in enumerate(found) if column not in taken)
    return tubes


def _filled(tube: _Tube, times_us: Sequence[int], *, hold: bool) -> Iterable[tuple[int, Boxes]]:
    """Yield a tube's box in every frame that it reaches; `hold` keeps its ends in place besides moving them on."""
    known = sorted(tube)
    first, last = known[0], known[-1]
    for index, now in enumerate(times_us):
        if index in tube:
            yield index, tube[index]
        elif first < index < last:
            before = max(k for k in known if k < index)
            after = min(k for k in known if k > index)
            part = (now - times_us[before]) / (times_us[after] - times_us[before])
            yield index, _between(tube[before], tube[after], part)
        elif -REACH_US <= now - (times_us[first] if index < first else times_us[last]) <= REACH_US:
            led = _at(tube, times_us, now)
            yield index, _hull(tube[first if index < first else last], led) if hold else led


def _at(tube: _Tube, times_us: Sequence[int], now: int) -> Boxes:
    """Return where a tube's motion at its end nearer to `now` would have led."""
    first, last = min(tube), max(tube)
    near = last if now >= times_us[last] else first
    return tube[near] + np.tile(_speed(tube, times_us, near) * (now - times_us[near]), 2)


def _speed(tube: _Tube, times_us: Sequence[int], near: int) -> NDArray[np.float64]:
    """Return px a microsecond (x, y) at a sighting, over those within `REACH_US` of it."""
    far = max(
        (k for k in tube if abs(times_us[k] - times_us[near]) <= REACH_US),
        key=lambda k: abs(times_us[k] - times_us[near]),
    )
    if far == near:
        return np.zeros(2)
    return np.asarray(_centre(tube[near][None])[0] - _centre(tube[far][None])[0]) / (times_us[near] - times_us[far])


def _sideways(tube: _Tube, times_us: Sequence[int], now: int) -> float:
    near = min(tube, key=lambda k: abs(times_us[k] - now))
    width = max(1.0, tube[near][2] - tube[near][0])
    return float(_speed(tube, times_us, near)[0] * 1e6 / width)


# --- boxes ----------------------------------------------------------------------------------------------------------


def _centre(boxes: Boxes) -> Boxes:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _hull(one: Boxes, other: Boxes) -> Boxes:
    return np.concatenate([np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])])


def _between(one: Boxes, other: Boxes, part: float) -> Boxes:
    middle = (one[:2] + one[2:]) / 2 * (1 - part) + (other[:2] + other[2:]) / 2 * part
    half = np.maximum(one[2:] - one[:2], other[2:] - other[:2]) / 2
    return np.concatenate([middle - half, middle + half])


def _apart(boxes: Boxes, confidence: NDArray[np.float64], same: float) -> NDArray[np.int64]:
    """Return the indices of boxes that are not a less sure sighting of another (IoU over `same`), surest first."""
    kept: list[int] = []
    for index in np.argsort(-confidence, kind="stable"):
        if not kept or iou(boxes[index], boxes[kept]).max() <= same:
            kept.append(int(index))
    return np.array(kept, np.int64)


def _joined(boxes: Boxes, more: Boxes, same: float) -> Boxes:
    """Return `boxes`, and those of `more` that are not one of them."""
    if not len(boxes) or not len(more):
        return np.concatenate([boxes, more])
    return np.concatenate([boxes, more[iou(more, boxes).max(axis=1) <= same]])


def _is_covered(box: Boxes, covers: Sequence[Boxes], share: float = 0.7) -> bool:
    """Return whether at least `share` of a box lies in one of `covers`."""
    if not covers:
        return False
    return bool(intersection(box, covers).max() >= share * area(box)[0])


def inside(boxes: Sequence[Boxes], width: int, height: int) -> Boxes:
    """Cut boxes to the picture, outwards to whole pixels; those outside it vanish."""
    array = np.array(boxes, np.float64).reshape(-1, 4)
    array = np.concatenate([np.floor(array[:, :2]), np.ceil(array[:, 2:])], axis=1)
    array = np.clip(array, 0, [width, height, width, height])
    return array[area(array) > 0]
