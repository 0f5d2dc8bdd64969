"""Tracks from boxes: ByteTrack without torch, for frames sampled a few times a second with gaps between them.

The method is ByteTrack (Zhang et al., ECCV 2022, arXiv:2110.06864): sure boxes are matched first, then unsure ones to
the tracks left over, each by an optimal assignment over IoU with a Kalman filter's prediction. Two things differ,
because recordings are sampled at about 5 frames/s and not at 30:
- motion is a function of time, not of frame number: ByteTrack's noise, per frame at 30 frames/s, is taken per second;
- what the first two rounds leave is matched once more over boxes grown by a share of their size (the buffered IoU of
  C-BIoU, Yang et al., WACV 2023, arXiv:2211.14317), since a rider moves further than his own width between two frames.

A person who is hidden for longer than a moment is not waited for: `relink` joins the pieces when all has been seen.

Persons are tracked by themselves. Scooters, bicycles and motorcycles are tracked as one group, because a model's
opinion flickers between them, and a track's role is the vote of its boxes, in doubt no scooter. Heads and helmets are
not tracked.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from quitboard.detect.aboard import changes_of_rider
from quitboard.detect.geometry import Array, as_boxes, buffered, iou
from quitboard.detect.relink import relinked
from quitboard.records import ROLES, VEHICLE_ROLES, Detections, Role, Track

LOST_US = 2_000_000
"""A track unseen for longer than this has ended."""
_WAITED_US = {Role.PERSON: 600_000, Role.SCOOTER: LOST_US}
"""How long one is waited for that was not seen in the frame before: somebody hidden behind another must not go on as
that other one; a small vehicle is missed so often that pieces of its track are too short to say where it goes."""
_HIGH_CONFIDENCE = 0.25  # this and what follows: ultralytics' bytetrack.yaml
_LOW_CONFIDENCE = 0.1
_FIRST_COST = 0.8
_SECOND_COST = 0.5
_BUFFERED_COST = 0.9
_FPS = 30.0  # the frame rate that ByteTrack's noise was tuned at
_POSITION_NOISE = 1 / 20  # per frame, in heights
_VELOCITY_NOISE = 1 / 160
_SAME_VEHICLE_IOU = 0.7
_AGAINST_SCOOTER = {Role.BICYCLE: 1.4, Role.MOTORCYCLE: 1.0}
"""How many votes for a scooter one for something else outweighs. A box votes with the square of its confidence: of 96
scooters ridden on validation recordings the votes for a bicycle come to 0.9 of those for a scooter at most, of 13
bicycles to 1.02 at least. (By the confidence itself four scooters were on the wrong side of a line that kept apart.)"""
_YOUNG = 3
_YOUNG_GAP_S = 0.5
_ROLES_OF = {Role.PERSON: (Role.PERSON,), Role.SCOOTER: VEHICLE_ROLES}


class Tracker:
    """Gives boxes of successive frames identities. One for each camera, across recordings that follow each other.

    >>> tracker = Tracker(size_px=(1920, 1080))
    >>> tracker.update(0, detections)
    >>> tracker.update(200_000, later_detections)
    >>> tracks = tracker.finish()
    """

    def __init__(self, *, size_px: tuple[int, int], first_id: int = 1) -> None:
        """Take the pictures' width and height, and the id that the first track gets."""
        self._groups = {name: _Group(roles, size_px, _WAITED_US[name]) for name, roles in _ROLES_OF.items()}
        self._size_px = size_px
        self._next_id = first_id
        self._last_us: int | None = None

    def update(self, at_us: int, detections: Detections) -> None:
        """Take in one frame's boxes.

        Raises:
            ValueError: `at_us` is not after the frame before.
        """
        if self._last_us is not None and at_us <= self._last_us:
            raise ValueError(f"a frame at {at_us} µs after one at {self._last_us} µs: frames come in order")
        self._last_us = at_us
        for group in self._groups.values():
            self._next_id = group.update(at_us, detections, self._next_id)

    def finish(self) -> list[Track]:
        """End all tracks and return those seen at least twice, in the order in which they began."""
        persons, vehicles = (self._groups[role].all() for role in (Role.PERSON, Role.SCOOTER))
        walked = relinked(
            [item.track() for item in persons if len(item.at_us) > 1],
            size_px=self._size_px,
            longest_gap_us=LOST_US,
        )
        rolled = self._of_one_rider([item for item in vehicles if len(item.at_us) > 1], walked)
        return sorted([*walked, *rolled], key=lambda track: (int(track.at_us[0]), track.id))

    def _of_one_rider(self, vehicles: Iterable[_Alive], persons: Sequence[Track]) -> list[Track]:
        """Return vehicles' tracks, cut where they go on with another rider's vehicle."""
        tracks: list[Track] = []
        name = self._next_id
        for item in vehicles:
            whole = item.track()
            cuts = changes_of_rider(whole.at_us, as_boxes(whole.xyxy), persons, self._size_px[1])
            if not cuts:
                tracks.append(whole)
                continue
            for start, end in itertools.pairwise([0, *cuts, len(whole)]):
                tracks.append(item.part(name if start else item.id, slice(start, end)))
                name += bool(start)
        return tracks


def track_frames(frames: Iterable[tuple[int, Detections]], *, size_px: tuple[int, int]) -> list[Track]:
    """Return the tracks of frames of one width and height, given with their instants (µs), which increase."""
    tracker = Tracker(size_px=size_px)
    for at_us, detections in frames:
        tracker.update(at_us, detections)
    return tracker.finish()


class _Kalman:
    """Constant velocity on centre x, centre y, aspect and height, as in ByteTrack.

    Its matrices couple each coordinate with its own velocity alone, so four filters of two states run side by side:
    arrays of shape (4,) in px and px/s (aspect: 1 and 1/s).
    """

    __slots__ = ("_cross", "_place", "_rate", "position", "velocity")

    def __init__(self, measured: Array) -> None:
        self.position = measured.copy()
        self.velocity = np.zeros(4)
        height = measured[3]
        self._place = _per_height(2 * _POSITION_NOISE, height, 1e-2) ** 2
        self._cross = np.zeros(4)
        self._rate = (_per_height(10 * _VELOCITY_NOISE, height, 1e-5) * _FPS) ** 2

    def predict(self, dt_s: float, *, seen: bool) -> None:
        """Move on by `dt_s`; an unseen box keeps its height, or it would grow or shrink out of all measure."""
        if not seen:
            self.velocity[3] = 0.0
        height = max(self.position[3], 1.0)
        place_noise = _per_height(_POSITION_NOISE, height, 1e-2) ** 2 * _FPS * dt_s
        rate_noise = (_per_height(_VELOCITY_NOISE, height, 1e-5) * _FPS) ** 2 * _FPS * dt_s
        self.position = self.position + dt_s * self.velocity
        self._place = self._place + 2 * dt_s * self._cross + dt_s**2 * self._rate + place_noise
        self._cross = self._cross + dt_s * self._rate
        self._rate = self._rate + rate_noise

    def update(self, measured: Array) -> None:
        noise = _per_height(_POSITION_NOISE, max(self.position[3], 1.0), 1e-1) ** 2
        surprise = measured - self.position
        gain = self._place / (self._place + noise)
        rate_gain = self._cross / (self._place + noise)
        self.position = self.position + gain * surprise
        self.velocity = self.velocity + rate_gain * surprise
        self._rate = self._rate - rate_gain * self._cross
        self._cross = (1 - gain) * self._cross
        self._place = (1 - gain) * self._place

    def is_within(self, size_px: tuple[int, int]) -> bool:
        """Say whether the middle is in the picture."""
        return bool(0 <= self.position[0] <= size_px[0] and 0 <= self.position[1] <= size_px[1])

    def box(self) -> Array:
        x, y, aspect, height = self.position
        height = max(height, 1.0)
        width = max(aspect * height, 1.0)
        return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


@dataclass(slots=True, eq=False)
class _Alive:
    """A track that is still growing."""

    id: int
    kalman: _Kalman
    at_us: list[int] = field(default_factory=list)
    xyxy: list[Array] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    votes: list[Counter[Role]] = field(default_factory=list)
    seen: bool = True  # in the frame before

    def add(self, at_us: int, box: Array, confidence: float, votes: Counter[Role]) -> None:
        if self.at_us:
            self.kalman.update(_centre_aspect_height(box))
        self.at_us.append(at_us)
        self.xyxy.append(box)
        self.confidence.append(confidence)
        self.votes.append(votes)
        self.seen = True

    def track(self) -> Track:
        return self.part(self.id, slice(None))

    def part(self, name: int, chosen: slice) -> Track:
        """Return some of its boxes as a track called `name`."""
        return Track(
            id=name,
            role=_elected(sum(self.votes[chosen], Counter())),
            at_us=np.array(self.at_us[chosen], dtype=np.int64),
            xyxy=np.array(self.xyxy[chosen], dtype=np.float32).reshape(-1, 4),
            confidence=np.array(self.confidence[chosen], dtype=np.float32),
        )


class _Group:
    """The tracks of roles that may be taken for one another."""

    def __init__(self, roles: tuple[Role, ...], size_px: tuple[int, int], waited_us: int) -> None:
        self._roles = roles
        self._size_px = size_px
        self._waited_us = waited_us
        self._class_ids = [ROLES.index(role) for role in roles]
        self._before_us: int | None = None
        self.alive: list[_Alive] = []
        self.ended: list[_Alive] = []

    def update(self, at_us: int, detections: Detections, next_id: int) -> int:
        boxes, confidence, votes = self._own(detections)
        dt_s = 0.0 if self._before_us is None else (at_us - self._before_us) / 1e6
        self._before_us = at_us
        self._end(at_us)
        for item in self.alive:
            item.kalman.predict(dt_s, seen=item.seen)
        self._end_outside()

        high = [int(n) for n in np.flatnonzero(confidence >= _HIGH_CONFIDENCE)]
        low = [int(n) for n in np.flatnonzero((confidence > _LOW_CONFIDENCE) & (confidence < _HIGH_CONFIDENCE))]
        tried = list(self.alive)
        predicted = np.array([item.kalman.box() for item in tried]).reshape(-1, 4)
        fused = 1 - iou(predicted, boxes) * confidence[None]
        pairs = _assign(fused, range(len(tried)), high, _FIRST_COST)
        tracks_left = [n for n in range(len(tried)) if n not in pairs and tried[n].seen]
        pairs |= _assign(1 - iou(predicted, boxes), tracks_left, low, _SECOND_COST)
        taken = set(pairs.values())
        tracks_left = [n for n in range(len(tried)) if n not in pairs]
        boxes_left = [n for n in high if n not in taken]
        if tracks_left and boxes_left:
            pairs |= _assign(_buffered_cost(tried, predicted, boxes, at_us), tracks_left, boxes_left, _BUFFERED_COST)

        for number, item in enumerate(tried):
            item.seen = number in pairs
            if number in pairs:
                n = pairs[number]
                item.add(at_us, boxes[n], float(confidence[n]), votes[n])
        for n in high:
            if n not in pairs.values():
                begun = _Alive(next_id, _Kalman(_centre_aspect_height(boxes[n])))
                begun.add(at_us, boxes[n], float(confidence[n]), votes[n])
                self.alive.append(begun)
                next_id += 1
        return next_id

    def all(self) -> list[_Alive]:
        """Return all tracks so far, in the order in which they began."""
        return sorted([*self.ended, *self.alive], key=lambda item: item.id)

    def _end(self, at_us: int) -> None:
        # Frames may lie further apart than what is waited: who was seen in the one before has not been missed yet.
        lost = [item for item in self.alive if at_us - item.at_us[-1] > (LOST_US if item.seen else self._waited_us)]
        self.ended.extend(item for item in lost if len(item.at_us) > 1)
        self.alive = [item for item in self.alive if item not in lost]

    def _end_outside(self) -> None:
        """End tracks that have left: who comes in where somebody went out a second ago is somebody else."""
        gone = [item for item in self.alive if not item.seen and not item.kalman.is_within(self._size_px)]
        self.ended.extend(item for item in gone if len(item.at_us) > 1)
        self.alive = [item for item in self.alive if item not in gone]

    def _own(self, detections: Detections) -> tuple[Array, Array, list[Counter[Role]]]:
        """Return this group's boxes, the surest first; a twin of another role on it only adds its vote."""
        mine = np.flatnonzero(np.isin(detections.class_id, self._class_ids))
        # Equal confidences keep the order of the boxes themselves, so that a model's own order does not matter.
        order = sorted(mine, key=lambda n: (-float(detections.confidence[n]), tuple(map(float, detections.xyxy[n]))))
        boxes = as_boxes(detections.xyxy[order])
        confidence = np.asarray(detections.confidence[order], dtype=np.float64)
        roles = [ROLES[int(detections.class_id[n])] for n in order]
        kept: list[int] = []
        votes: list[Counter[Role]] = []
        overlaps = iou(boxes, boxes)
        for n, role in enumerate(roles):
            twin = next((k for k in kept if roles[k] is not role and overlaps[k, n] > _SAME_VEHICLE_IOU), None)
            vote = round(float(confidence[n]) ** 2 * 1000)
            if twin is None:
                kept.append(n)
                votes.append(Counter({role: vote}))
            else:
                votes[kept.index(twin)][role] += vote
        return boxes[kept], confidence[kept], votes


def _elected(votes: Counter[Role]) -> Role:
    """Return the role with most votes. A scooter needs more than that: a cyclist must not be taken for its rider."""
    ranked = sorted(votes, key=lambda role: (-votes[role], ROLES.index(role)))
    against = sum(weight * votes[role] for role, weight in _AGAINST_SCOOTER.items())
    if ranked[0] is Role.SCOOTER and votes[Role.SCOOTER] < against:
        return ranked[1]
    return ranked[0]


def _assign(costs: Array, rows: Iterable[int], columns: Iterable[int], limit: float) -> dict[int, int]:
    """Return the cheapest one-to-one pairing {row: column} in which no pair costs more than `limit`.

    A pair above the limit costs as much as leaving both alone, so that it never pushes a good pair aside.
    """
    r, c = list(rows), list(columns)
    if not r or not c:
        return {}
    chosen = costs[np.ix_(r, c)]
    row, column = linear_sum_assignment(np.where(chosen > limit, limit + 1e-6, chosen))
    return {r[i]: c[j] for i, j in zip(row, column, strict=True) if chosen[i, j] <= limit}


def _buffered_cost(tracks: list[_Alive], predicted: Array, boxes: Array, at_us: int) -> Array:
    """1 − IoU of boxes grown with the time since a track was seen; infinite where the sizes do not fit.

    A track that has just begun has no speed to predict from: its box grows to where a rider at 10 m/s may be.
    """
    costs = np.full((len(tracks), len(boxes)), np.inf)
    heights = boxes[:, 3] - boxes[:, 1]
    for n, item in enumerate(tracks):
        gap_s = (at_us - item.at_us[-1]) / 1e6
        begun = len(item.at_us) < _YOUNG and gap_s <= _YOUNG_GAP_S
        share = 0.05 + 2.2 * gap_s if begun else 0.1 + 0.6 * gap_s
        last = item.xyxy[-1]
        ratio = heights / max(last[3] - last[1], 1.0)
        fits = (ratio > 0.6) & (ratio < 1.7)
        near = 1 - iou(buffered(predicted[n], share), buffered(boxes, share))[0]
        costs[n, fits] = near[fits]
    return costs


def _centre_aspect_height(box: Array) -> Array:
    width, height = max(box[2] - box[0], 1e-3), max(box[3] - box[1], 1e-3)
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, width / height, height])


def _per_height(weight: float, height: float, aspect: float) -> Array:
    return np.array([weight * height, weight * height, aspect, weight * height])
