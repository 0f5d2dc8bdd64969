"""What happened before a camera: who rode, whose heads were seen, what stood still. From tracks, without video."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from quitboard.detect.company import Company
from quitboard.detect.geometry import Array, as_boxes, iou
from quitboard.detect.ground import Ground, cut_off, ground_of
from quitboard.detect.heads import Heads, sightings_of
from quitboard.detect.riding import find_rides
from quitboard.records import VEHICLE_ROLES, Camera, FloatArray, HeadSighting, IntArray, Ride, Role, Track
from quitboard.settings import RuleSettings

_REST_IOU = 0.6
_REST_US = 3_000_000
_SURE_VEHICLE = 0.35
_SEEN_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parked:
    """A vehicle at rest without a rider, from when it was first seen there until last."""

    vehicle: Track
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One camera's stretch of time as rules see it."""

    ground: Ground
    frame_at_us: IntArray  # instants looked at
    tracks: tuple[Track, ...]
    rides: tuple[Ride, ...]
    heads: tuple[HeadSighting, ...]  # of riders only, in the order of time
    parked: tuple[Parked, ...]
    company: Company = field(default_factory=Company.none)

    def is_whole(self, ride: Ride) -> Callable[[int], bool]:
        """Return a test for instants (µs) at which the picture's edge cuts neither the driver nor the vehicle off."""
        size = self.ground.width, self.ground.height
        cut = {
            int(at_us) for track in (ride.vehicle, ride.riders[0]) for at_us in track.at_us[cut_off(track.xyxy, *size)]
        }
        return lambda at_us: at_us not in cut

    def heads_on(self, ride: Ride) -> tuple[HeadSighting, ...]:
        """Return the sightings of a ride's riders during it."""
        seats = {rider.id for rider in ride.riders}
        first = bisect.bisect_left(self.heads, ride.from_us, key=_at_us)
        last = bisect.bisect_right(self.heads, ride.to_us, key=_at_us)
        return tuple(head for head in self.heads[first:last] if head.person_track in seats)

    def company_on(self, ride: Ride) -> dict[int, tuple[float, float]]:
        """Return what was said at each instant (µs): how probably its riders are one, and how probably more."""
        said: dict[int, list[FloatArray]] = {}
        for rider in ride.riders:
            for at_us, told in zip(rider.at_us, self.company.of(rider.at_us, rider.xyxy), strict=True):
                if not np.isnan(told).any():
                    said.setdefault(int(at_us), []).append(told)
        means = {at_us: np.mean(told, axis=0) for at_us, told in sorted(said.items())}
        return {at_us: (float(mean[0]), float(mean[1])) for at_us, mean in means.items()}


def _at_us(head: HeadSighting) -> int:
    return head.at_us


def read_scene(
    tracks: Sequence[Track],
    heads: Heads,
    camera: Camera,
    *,
    width: int,
    height: int,
    settings: RuleSettings = RuleSettings(),  # noqa: B008 - frozen
) -> Scene:
    """Read tracks of one camera into rides, heads of riders and parked vehicles.

    Args:
        tracks: as `Tracker.finish` gives them.
        heads: head and helmet boxes of the same frames.
        camera: its ground points, when it has four, turn pixels into metres.
        width: of the recordings, px; zones and ground points are scaled from `camera.resolution` to it.
        height: likewise.
        settings: how short a ride may be.
    """
    persons = [track for track in tracks if track.role is Role.PERSON]
    ground = ground_of(camera, width, height, persons)
    rides = find_rides(tracks, ground, settings)
    return Scene(
        ground=ground,
        frame_at_us=heads.frame_at_us,
        tracks=tuple(tracks),
        rides=rides,
        heads=sightings_of(heads, rides, persons),
        parked=_parked(tracks, rides, heads.frame_at_us),
        company=heads.company,
    )


def _parked(tracks: Sequence[Track], rides: Sequence[Ride], frame_at_us: IntArray) -> tuple[Parked, ...]:
    """Return vehicles at rest. Tracks of one place are joined: a detector blinks, and idle time is not looked at."""
    places: list[_Place] = []
    for track in sorted(tracks, key=lambda one: (int(one.at_us[0]), one.id)):
        if track.role not in VEHICLE_ROLES:
            continue
        for piece in _rests(track, rides):
            box = np.median(as_boxes(piece.xyxy), axis=0)
            same = next((place for place in places if place.holds(piece, box, frame_at_us)), None)
            if same is None:
                places.append(_Place(box, [piece]))
            else:
                same.pieces.append(piece)
    found = []
    for place in places:
        whole = _stacked(place.pieces)
        if whole.at_us[-1] - whole.at_us[0] >= _REST_US and float(whole.confidence.mean()) >= _SURE_VEHICLE:
            found.append(Parked(vehicle=whole, from_us=int(whole.at_us[0]), to_us=int(whole.at_us[-1])))
    return tuple(sorted(found, key=lambda parked: (parked.from_us, parked.vehicle.id)))


def _rests(track: Track, rides: Sequence[Ride]) -> list[Track]:
    """Return the parts of a vehicle's track in which it stays where it is and nobody rides it."""
    ridden = np.zeros(len(track), dtype=bool)
    for ride in rides:
        if track.id == ride.vehicle.id or _on_ride(track, ride):
            ridden |= (track.at_us >= ride.from_us) & (track.at_us <= ride.to_us)
    boxes = as_boxes(track.xyxy)
    parts: list[Track] = []
    start = 0
    for n in range(1, len(track) + 1):
        ends = n == len(track) or ridden[n] or ridden[start] or iou(boxes[start], boxes[n])[0, 0] < _REST_IOU
        if ends:
            if not ridden[start] and n - start >= 2:
                parts.append(_part(track, slice(start, n)))
            start = n
    return parts


def _on_ride(track: Track, ride: Ride) -> bool:
    """Whether a track is a twin of a ridden vehicle: on it in most of the frames that both were seen in."""
    if track.at_us[0] > ride.to_us or track.at_us[-1] < ride.from_us:
        return False
    times, mine, theirs = np.intersect1d(track.at_us, ride.vehicle.at_us, return_indices=True)
    if not len(times):
        return False
    pairs = zip(track.xyxy[mine], ride.vehicle.xyxy[theirs], strict=True)
    return bool(np.median([iou(a, b)[0, 0] for a, b in pairs]) > 0.3)


@dataclass(slots=True, eq=False)
class _Place:
    """Where a vehicle stood, and the pieces of tracks seen of it there."""

    box: Array
    pieces: list[Track]

    def holds(self, piece: Track, box: Array, frame_at_us: IntArray) -> bool:
        """Whether a piece is of the vehicle that stands here: seen in enough frames looked at since the first."""
        if self.pieces[0].role is not piece.role or iou(self.box, box)[0, 0] < 0.5:
            return False
        if piece.at_us[0] <= max(part.at_us[-1] for part in self.pieces):
            return True
        looked = np.searchsorted(frame_at_us, [self.pieces[0].at_us[0], piece.at_us[-1] + 1])
        seen = sum(len(part) for part in self.pieces) + len(piece)
        return bool(seen >= _SEEN_SHARE * max(int(looked[1] - looked[0]), 1))


def _stacked(parts: Sequence[Track]) -> Track:
    at_us = np.concatenate([part.at_us for part in parts])
    order = np.argsort(at_us, kind="stable")
    keep = order[np.concatenate([[True], np.diff(at_us[order]) > 0])]
    return Track(
        id=min(part.id for part in parts),
        role=parts[0].role,
        at_us=at_us[keep],
        xyxy=np.concatenate([part.xyxy for part in parts])[keep],
        confidence=np.concatenate([part.confidence for part in parts])[keep],
    )


def _part(track: Track, chosen: slice) -> Track:
    return Track(
        id=track.id,
        role=track.role,
        at_us=track.at_us[chosen],
        xyxy=track.xyxy[chosen],
        confidence=track.confidence[chosen],
    )
