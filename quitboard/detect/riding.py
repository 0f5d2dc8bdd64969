"""Who rides what: persons bound to vehicles, walkers beside them told apart.

A person is *aboard* in a frame when his feet are over the vehicle and his head not below its top. He *rides* when he is
aboard in most of the frames in which both are seen, the vehicle moves, and he is faster than anyone walks: most of the
time, or for a part of it with his feet on the deck and his head above the vehicle all the time. Someone who pushes a
scooter may seem to stand on it, seen along its way, but he never gets faster than a walker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quitboard.detect.aboard import MOVED_HEIGHTS, NEAR_US, moved_heights, stance_of
from quitboard.detect.geometry import Array, area, as_boxes, ground_points, intersection, iou
from quitboard.detect.ground import BODY_M, WALKING_MPS, Ground, boxes_at, cut_off, spans_of
from quitboard.records import VEHICLE_ROLES, IntArray, Ride, Role, Track
from quitboard.settings import RuleSettings

BRIDGED_US = 2_000_000
"""A small vehicle is often missed; a ride goes on over so long a gap between two sightings."""
_FEW = 3
_STANDING_MPS = 0.5
_SLOW_US = 1_500_000
_FAST_CONFIDENCE = 0.25
_SLOW_CONFIDENCE = 0.45
_SHOWN_SHARE = 0.1
_SLOW_SIDE_HEIGHTS = 0.05
"""Nine in ten fast riders stand so near over their wheels; who pushes seldom does."""
_HEAD_ABOVE = 0.12
"""Of a person's height, how far his head is above the top of a vehicle whose box does not hold him, too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A person and a vehicle at the instants at which both are seen, and what that says."""

    person: Track
    vehicle: Track
    at_us: IntArray  # (n,) instants at which both are seen
    aboard: Array  # (n,) 1 where feet are over the vehicle and the head is not below its top
    above: float  # share of those instants with the head clearly above it
    side_heights: float  # how far beside the vehicle the person is, median, in his heights
    feet_heights: float  # how far his feet are above the vehicle's lowest point, median, in his heights
    moved_heights: float  # how far the vehicle moved or grew while he was aboard, in his heights
    speed_mps: float  # his median speed while aboard and not standing
    fast_mps: float  # the speed that he exceeds in a quarter of that time
    confidence: float  # in the vehicle, mean while he was aboard

    @property
    def share(self) -> float:
        return float(self.aboard.mean()) if len(self.aboard) else 0.0

    @property
    def count(self) -> int:
        return int(self.aboard.sum())

    @property
    def is_clear(self) -> bool:
        """Whether he stands out of the vehicle's box in most frames, and in enough of them."""
        return self.share * self.above >= 0.6 and self.count * self.above >= _FEW


def pair_of(person: Track, vehicle: Track, ground: Ground) -> Pair | None:
    """Return how a person and a vehicle go together, or None where they never meet."""
    first, last = np.searchsorted(vehicle.at_us, [person.at_us[0], person.at_us[-1] + 1])
    persons = boxes_at(person, vehicle.at_us[first:last], NEAR_US)
    both = first + np.flatnonzero(np.isfinite(persons[:, 0]))
    at_us, p, v = vehicle.at_us[both], persons[both - first], vehicle.xyxy[both].astype(np.float64)
    if len(at_us) < 2:
        return None
    stance = stance_of(p, v, ground.height)
    aboard, tall = stance.aboard, stance.tall_px
    if not aboard.any():
        return None
    on = np.flatnonzero(aboard)
    speed_mps, fast_mps = _speeds_mps(person, at_us[on], ground)
    return Pair(
        person=person,
        vehicle=vehicle,
        at_us=at_us,
        aboard=aboard.astype(np.float64),
        above=float((stance.head[on] >= _HEAD_ABOVE).mean()),
        side_heights=float(np.median(stance.side[on])),
        feet_heights=float(np.median(stance.feet[on])),
        moved_heights=moved_heights(v[on], tall[on]),
        speed_mps=speed_mps,
        fast_mps=fast_mps,
        confidence=float(vehicle.confidence[both][on].mean()),
    )


def _speeds_mps(person: Track, at_us: IntArray, ground: Ground) -> tuple[float, float]:
    """Return how fast a person goes at given instants when he goes at all: median and third quartile; 0 if unknown.

    Taken from all his boxes: he is seen more often than a small vehicle. Waiting at a light does not slow a ride down.
    Where the picture's edge cuts him off his size says nothing about his distance.
    """
    boxes = as_boxes(person.xyxy)
    known = np.ones(len(boxes), bool) if ground.measured else ~cut_off(boxes, ground.width, ground.height)
    if known.sum() < _FEW:
        return 0.0, 0.0
    times, boxes = person.at_us[known], boxes[known]
    path = ground.path_m(times, ground_points(boxes), boxes[:, 3] - boxes[:, 1])
    speed = ground.speed_mps(times, path)
    during = speed[(times >= at_us[0]) & (times <= at_us[-1])]
    going = during[during >= _STANDING_MPS]
    if len(going) < _FEW:
        return 0.0, 0.0
    return float(np.median(going)), float(np.quantile(going, 0.75))


def is_riding(pair: Pair, pairs: Sequence[Pair], ground: Ground, settings: RuleSettings) -> bool:
    """Return whether a pair is a rider on his vehicle, and not a walker beside one, or one passing a parked one.

    Args:
        pair: the pair asked about.
        pairs: all pairs of the scene: of those with the same vehicle, only the most seen may be a slow ride, or one
            on a vehicle that is boxed together with its rider.
        ground: gives how far to trust speeds.
        settings: how short a ride may be.
    """
    on = pair.at_us[pair.aboard > 0]
    long_enough = pair.count >= _FEW and on[-1] - on[0] >= settings.min_ride_s * 1e6
    if not long_enough or pair.share < 0.6:
        return False
    # Far away a pixel is metres, and boxes that jitter have speeds that the picture does not show. Of 217 riders on
    # validation recordings none moved less than 0.17 of his way in the picture, foreshortened as it may be.
    way_heights = pair.speed_mps * float(on[-1] - on[0]) / 1e6 / BODY_M
    if pair.moved_heights < max(MOVED_HEIGHTS, _SHOWN_SHARE * way_heights):
        return False
    # Without ground points a speed may be a fifth too high, towards the camera most of all.
    faster = WALKING_MPS if ground.measured else 1.15 * WALKING_MPS
    others = [other for other in pairs if other.vehicle.id == pair.vehicle.id and other is not pair]
    is_most_seen = all(pair.count >= other.count for other in others)
    if any(_says_more(other, pair) and 0 < other.speed_mps < faster for other in others):
        return False  # it is being pushed, and he comes by
    if pair.speed_mps >= faster:
        # A box around rider and scooter is around whoever passes, too: it has one rider, unless heads stand out of it.
        is_rider = pair.is_clear or (is_most_seen and not any(other.is_clear for other in others))
        # The nearer his speed is to a walker's, the surer the vehicle must be. From half as fast again on nobody was
        # seen over a vehicle that is not there, of all pairs on validation recordings; three riders had none surer.
        sure_enough = np.interp(pair.speed_mps, (faster, 1.5 * faster), (_SLOW_CONFIDENCE, _FAST_CONFIDENCE))
        return is_rider and pair.confidence >= float(sure_enough)
    # At walking pace a model's fancy of a scooter around a walker's legs must not make him a rider: it ends where his
    # feet are, while wheels reach below the feet that stand over them. Of who pushes, seen from behind or in front,
    # all of this holds too (3 of 8 on validation recordings), but not that he was faster for a while.
    boxes = np.sum((pair.person.at_us >= on[0]) & (pair.person.at_us <= on[-1]))
    return bool(
        pair.speed_mps >= 0.7
        and pair.fast_mps >= faster
        and pair.confidence >= _SLOW_CONFIDENCE
        and on[-1] - on[0] >= _SLOW_US
        and pair.share * pair.above >= 0.85
        and pair.count >= 0.6 * boxes
        and pair.side_heights <= _SLOW_SIDE_HEIGHTS
        and 0.055 <= pair.feet_heights <= 0.2
        and is_most_seen
    )


def _says_more(other: Pair, pair: Pair) -> bool:
    """Whether somebody else is on a vehicle meanwhile, and in twice as many frames."""
    on, his = pair.at_us[pair.aboard > 0], other.at_us[other.aboard > 0]
    return bool(other.count >= 2 * pair.count and his[0] <= on[-1] and on[0] <= his[-1])


def find_rides(tracks: Sequence[Track], ground: Ground, settings: RuleSettings) -> tuple[Ride, ...]:
    """Return the rides in tracks of one camera, in the order in which they begin."""
    persons = [track for track in tracks if track.role is Role.PERSON and len(track) >= _FEW]
    vehicles = [track for track in tracks if track.role in VEHICLE_ROLES]
    begin = np.array([vehicle.at_us[0] for vehicle in vehicles])
    end = np.array([vehicle.at_us[-1] for vehicle in vehicles])
    pairs = [
        pair
        for person in persons
        for n in np.flatnonzero((begin <= person.at_us[-1]) & (end >= person.at_us[0]))
        if (pair := pair_of(person, vehicles[n], ground))
    ]
    riding = [pair for pair in pairs if is_riding(pair, pairs, ground, settings)]
    rides = [ride for group in _same_vehicles(riding) for ride in _rides_of(group)]
    return tuple(sorted(rides, key=lambda ride: (ride.from_us, ride.vehicle.id)))


def _same_vehicles(riding: Sequence[Pair]) -> list[list[Pair]]:
    """Group pairs whose vehicle tracks are pieces or twins of one vehicle: one person rides them, and only them."""
    root = {pair.vehicle.id: pair.vehicle.id for pair in riding}

    def find(name: int) -> int:
        while root[name] != name:
            name = root[name]
        return name

    for n, one in enumerate(riding):
        for other in riding[:n]:
            if one.person.id == other.person.id and _one_vehicle(one.vehicle, other.vehicle):
                low, high = sorted((find(one.vehicle.id), find(other.vehicle.id)))
                root[high] = low
    groups: dict[int, list[Pair]] = {}
    for pair in riding:
        groups.setdefault(find(pair.vehicle.id), []).append(pair)
    return [groups[name] for name in sorted(groups)]


def _one_vehicle(one: Track, other: Track) -> bool:
    first, second = (one, other) if one.at_us[0] <= other.at_us[0] else (other, one)
    if second.at_us[0] > first.at_us[-1]:
        return bool(second.at_us[0] - first.at_us[-1] <= 2 * BRIDGED_US)
    seconds = boxes_at(second, first.at_us, NEAR_US)
    both = np.isfinite(seconds[:, 0])
    if not both.any():
        return True
    pairs = zip(first.xyxy[both], seconds[both], strict=True)
    return float(np.median([_covered(a, b) for a, b in pairs])) >= 0.5


def _rides_of(group: Sequence[Pair]) -> list[Ride]:
    """Return the rides on one vehicle: usually one, more where it stood still or changed hands in between."""
    vehicle = _joined([pair.vehicle for pair in group])
    longest_first = sorted(group, key=lambda pair: (-pair.count, pair.person.id))
    times = np.unique(np.concatenate([pair.at_us[pair.aboard > 0] for pair in group]))
    rides = []
    for from_us, to_us in spans_of(times, np.ones(len(times)), BRIDGED_US):
        part = _cut(vehicle, from_us, to_us)
        seats = _seats([pair.person for pair in longest_first], from_us, to_us)
        if part is None or not seats:
            continue
        rides.append(Ride(vehicle=part, riders=tuple(_front_first(seats, part)), from_us=from_us, to_us=to_us))
    return rides


def _seats(persons: Sequence[Track], from_us: int, to_us: int) -> list[Track]:
    """Give each rider a seat, the one seen longest first; pieces of one rider's track share a seat."""
    seats: list[Track] = []
    for person in dict.fromkeys(persons):
        piece = _cut(person, from_us, to_us)
        if piece is None or any(seat.id == piece.id for seat in seats):
            continue
        for n, seat in enumerate(seats):
            if not np.intersect1d(seat.at_us, piece.at_us).size and _follows(seat, piece):
                seats[n] = _joined([seat, piece])
                break
        else:
            if len(piece) >= _FEW and all(_sit_together(seat, piece) for seat in seats):
                seats.append(piece)
    return seats


def _follows(one: Track, other: Track) -> bool:
    first, second = (one, other) if one.at_us[0] <= other.at_us[0] else (other, one)
    return bool(0 < second.at_us[0] - first.at_us[-1] <= BRIDGED_US)


def _sit_together(one: Track, other: Track) -> bool:
    """Whether two persons are so near that one vehicle can carry both, and yet two persons and not one seen twice."""
    times = np.intersect1d(one.at_us, other.at_us)
    if len(times) < _FEW:
        return False
    a, b = boxes_at(one, times, 0), boxes_at(other, times, 0)
    tall = np.maximum(np.maximum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1]), 1.0)
    apart = np.abs(ground_points(a)[:, 0] - ground_points(b)[:, 0]) / tall
    higher = np.abs(a[:, 1] - b[:, 1]) / tall
    lower = np.abs(a[:, 3] - b[:, 3]) / tall
    twice = np.array([iou(one_box, other_box)[0, 0] for one_box, other_box in zip(a, b, strict=True)]) > 0.75
    near = (apart <= 0.5) & (lower <= 0.3) & ((apart >= 0.08) | (higher >= 0.08)) & ~twice
    return bool(near.mean() >= 0.5)


def _front_first(seats: Sequence[Track], vehicle: Track) -> list[Track]:
    """Put the rider in front first: he drives. In the picture, in front is further along the way the vehicle goes."""
    places = ground_points(vehicle.xyxy)
    way = places[-1] - places[0]
    if len(seats) < 2 or np.linalg.norm(way) < 1:
        return list(seats)
    way = way / np.linalg.norm(way)

    def ahead(seat: Track) -> float:
        at = boxes_at(vehicle, seat.at_us, BRIDGED_US)
        offsets = ((seat.xyxy[:, :2] + seat.xyxy[:, 2:]) / 2 - (at[:, :2] + at[:, 2:]) / 2) @ way
        tall = float(np.median(seat.xyxy[:, 3] - seat.xyxy[:, 1]))
        known = offsets[np.isfinite(offsets)]
        return round(float(np.median(known)) / max(tall, 1.0), 2) if len(known) else 0.0

    return sorted(seats, key=lambda seat: -ahead(seat))


def _cut(track: Track, from_us: int, to_us: int) -> Track | None:
    inside = (track.at_us >= from_us) & (track.at_us <= to_us)
    if not inside.any():
        return None
    return Track(
        id=track.id,
        role=track.role,
        at_us=track.at_us[inside],
        xyxy=track.xyxy[inside],
        confidence=track.confidence[inside],
    )


def _joined(pieces: Sequence[Track]) -> Track:
    """Return pieces of one object as one track, under the first's id; of two boxes at an instant the surer stays."""
    unique = {piece.id: piece for piece in pieces}
    ordered = sorted(unique.values(), key=lambda piece: (int(piece.at_us[0]), piece.id))
    if len(ordered) == 1:
        return ordered[0]
    at_us = np.concatenate([piece.at_us for piece in ordered])
    xyxy = np.concatenate([piece.xyxy for piece in ordered])
    confidence = np.concatenate([piece.confidence for piece in ordered])
    order = np.lexsort((-confidence, at_us))
    keep = order[np.concatenate([[True], np.diff(at_us[order]) > 0])]
    weights: dict[Role, float] = {}
    for piece in ordered:
        weights[piece.role] = weights.get(piece.role, 0.0) + float(piece.confidence.sum())
    return Track(
        id=ordered[0].id,
        role=max(weights, key=lambda role: weights[role]),
        at_us=at_us[keep],
        xyxy=xyxy[keep],
        confidence=confidence[keep],
    )


def _covered(one: Array, other: Array) -> float:
    """Return which share of the smaller box lies in the larger one."""
    return float(intersection(one, other)[0, 0] / max(min(area(one)[0], area(other)[0]), 1.0))
