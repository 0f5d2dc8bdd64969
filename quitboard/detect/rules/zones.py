"""Rules on where: the sidewalk, the crosswalk, the wrong way, and standing where it is forbidden.

What counts is where the wheels touch the ground. Zones are polygons at `camera.resolution`, scaled to the recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quitboard.detect.geometry import Array, ground_points, principal_axes, signed_distance
from quitboard.detect.ground import BODY_M, Ground, boxes_at, picture_scale, slope, smoothed, spans_of
from quitboard.detect.rules.finding import Finding, Outcome, Tally, Vote, calibrated_looks, tally
from quitboard.detect.scene import Scene
from quitboard.records import Camera, IntArray, Ride, Rule, Zone, ZoneKind
from quitboard.settings import RuleSettings

_FLICKER_US = 600_000
_GAP_US = 2_000_000
_ACROSS = 0.6
_CROSSWALK_MIN_US = 500_000
_CROSSWALK_MIN_M = 1.5
_SUREST = 1.25
"""No frame says more: where wheels are is wrong in all frames of a ride alike, or not at all. Six seconds well inside
come to 0.95, which is the share of zones' reports that was right on validation recordings."""
_EDGE_HEIGHTS = 0.04
"""How well a box's bottom tells where the wheels are, in heights of a person."""


def sidewalk(scene: Scene, camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """Riding along a sidewalk for long enough and far enough; crossing it to get in or out somewhere is not."""
    return _along(
        scene, camera, rule, settings, ZoneKind.SIDEWALK, round(settings.sidewalk_min_s * 1e6), _far_m(scene, settings)
    )


def crosswalk_riding(scene: Scene, camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """Riding over the road on a crosswalk. Traffic on the road also passes over it, but across its narrow side."""
    return _along(scene, camera, rule, settings, ZoneKind.CROSSWALK, _CROSSWALK_MIN_US, _CROSSWALK_MIN_M)


def wrong_way(scene: Scene, camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """Riding against a lane's direction for long enough and far enough to be no manoeuvre."""
    zones = _zones(scene.ground, camera, ZoneKind.LANE)
    found = []
    for ride in _rides(scene, rule, zones):
        path = _Path.of(ride, scene.ground)
        results = []
        for zone in zones:
            for part in path.stretches(zone, round(settings.sidewalk_min_s * 1e6), _far_m(scene, settings)):
                cosine = _along_lane(part, zone, scene.ground)
                votes = [
                    # Crossing a lane, to turn off or to evade, is neither with nor against it.
                    Vote(at_us=int(at), log_odds=-_SUREST * float(c) if c < -0.5 else -1.0, clarity=float(size))
                    for at, c, size in zip(part.at_us, cosine, part.body, strict=True)
                ]
                results.append((part, zone, _tallied(scene, ride, part, votes, settings)))
        found.append(_finding(rule, ride, results))
    return found


def parking(scene: Scene, camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """A vehicle without a rider at rest where parking is forbidden, for at least `parking_min_s`."""
    zones = _zones(scene.ground, camera, ZoneKind.NO_PARKING)
    found = []
    for parked in scene.parked:
        vehicle = parked.vehicle
        if vehicle.role not in rule.vehicles:
            continue
        wheels = ground_points(np.median(vehicle.xyxy, axis=0))
        inside = [(float(signed_distance(zone.polygon, wheels)[0]), zone) for zone in zones]
        distance, zone = max(inside, key=lambda pair: pair[0], default=(-1.0, None))
        if zone is None or distance <= 0:
            continue
        slack = max(2.0, 0.1 * float(np.median(vehicle.xyxy[:, 3] - vehicle.xyxy[:, 1])))
        votes = [
            Vote(at_us=int(at), log_odds=min(2.0, distance / slack) * min(1.0, 2 * float(sure)), clarity=float(sure))
            for at, sure in zip(vehicle.at_us, vehicle.confidence, strict=True)
        ]
        result = tally(votes, settings, from_us=parked.from_us)
        long_enough = parked.to_us - parked.from_us >= settings.parking_min_s * 1e6
        found.append(
            Finding(
                kind=rule.kind,
                outcome=result.outcome if long_enough else Outcome.NONE,
                vehicle=vehicle,
                riders=(),
                from_us=parked.from_us,
                to_us=parked.to_us,
                best_us=result.best_us,
                confidence=result.confidence,
                votes_for=result.votes_for,
                votes_against=result.votes_against,
                zone=zone.name,
            )
        )
    return found


def _along(
    scene: Scene, camera: Camera, rule: Rule, settings: RuleSettings, kind: ZoneKind, least_us: int, least_m: float
) -> list[Finding]:
    zones = _zones(scene.ground, camera, kind)
    found = []
    for ride in _rides(scene, rule, zones):
        path = _Path.of(ride, scene.ground)
        results = []
        for zone in zones:
            for part in path.stretches(zone, least_us, least_m):
                if _only_crosses(part, zone, scene.ground):
                    continue
                inside = signed_distance(zone.polygon, part.wheels) / np.maximum(2.0, _EDGE_HEIGHTS * part.body)
                votes = [
                    Vote(
                        at_us=int(at),
                        log_odds=float(np.clip(depth, -_SUREST, _SUREST)),
                        clarity=float(size * min(depth, 1.0)),
                    )
                    for at, depth, size in zip(part.at_us, inside, part.body, strict=True)
                ]
                results.append((part, zone, _tallied(scene, ride, part, votes, settings)))
        found.append(_finding(rule, ride, results))
    return found


def _tallied(scene: Scene, ride: Ride, part: _Path, votes: Sequence[Vote], settings: RuleSettings) -> Tally:
    return tally(votes, settings, from_us=part.from_us, is_whole=scene.is_whole(ride), looks=calibrated_looks)


def _far_m(scene: Scene, settings: RuleSettings) -> float:
    return settings.sidewalk_min_m if scene.ground.measured else settings.sidewalk_min_body_lengths * BODY_M


def _zones(ground: Ground, camera: Camera, kind: ZoneKind) -> list[Zone]:
    """Return a camera's zones of a kind in pixels of the recording."""
    x_scale, y_scale = picture_scale(camera, ground.width, ground.height)
    return [
        Zone(
            name=zone.name,
            kind=zone.kind,
            polygon=tuple((x * x_scale, y * y_scale) for x, y in zone.polygon),
            direction=zone.direction and (zone.direction[0] * x_scale, zone.direction[1] * y_scale),
        )
        for zone in camera.zones
        if zone.kind is kind
    ]


def _rides(scene: Scene, rule: Rule, zones: Sequence[Zone]) -> list[Ride]:
    """Return the rides that a zone's rule can judge: none where the camera has no such zone."""
    return [ride for ride in scene.rides if ride.vehicle.role in rule.vehicles] if zones else []


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Where a ride's wheels went."""

    at_us: IntArray  # (n,)
    wheels: Array  # (n, 2) px
    body: Array  # (n,) height of the rider, px
    metres: Array  # (n, 2)

    @classmethod
    def of(cls, ride: Ride, ground: Ground) -> _Path:
        driver = ride.riders[0]
        at_us = np.union1d(ride.vehicle.at_us, driver.at_us)
        at_us = at_us[(at_us >= ride.from_us) & (at_us <= ride.to_us)]
        vehicle, rider = boxes_at(ride.vehicle, at_us, _GAP_US), boxes_at(driver, at_us, _GAP_US)
        known = np.isfinite(vehicle[:, 0]) | np.isfinite(rider[:, 0])
        at_us, vehicle, rider = at_us[known], vehicle[known], rider[known]
        wheels = np.where(np.isfinite(vehicle[:, :1]), ground_points(vehicle), ground_points(rider))
        wheels = np.column_stack([smoothed(at_us, wheels[:, n], 700_000) for n in (0, 1)])
        tall = rider[:, 3] - rider[:, 1]
        body = np.where(np.isfinite(tall), tall, np.nanmedian(driver.xyxy[:, 3] - driver.xyxy[:, 1]))
        return cls(at_us, wheels, body, ground.path_m(at_us, wheels, body))

    @property
    def from_us(self) -> int:
        return int(self.at_us[0])

    @property
    def to_us(self) -> int:
        return int(self.at_us[-1])

    def stretches(self, zone: Zone, least_us: int, least_m: float) -> list[_Path]:
        """Return the parts inside a zone that are long enough in time and reach far enough."""
        inside = signed_distance(zone.polygon, self.wheels) > 0
        parts = []
        for from_us, to_us in spans_of(self.at_us, inside, _FLICKER_US):
            part = self.between(from_us, to_us)
            reach_m = float(np.linalg.norm(part.metres - part.metres[0], axis=1).max())
            if to_us - from_us >= least_us and reach_m >= least_m:
                parts.append(part)
        return parts

    def between(self, from_us: int, to_us: int) -> _Path:
        chosen = (self.at_us >= from_us) & (self.at_us <= to_us)
        return _Path(self.at_us[chosen], self.wheels[chosen], self.body[chosen], self.metres[chosen])


def _along_lane(part: _Path, zone: Zone, ground: Ground) -> Array:
    """Return the cosine between a path's way and a lane's, seen from above, at each instant: 1 with it, −1 not."""
    assert zone.direction is not None  # settings see to it that a lane has one
    step_px = np.array(zone.direction) / np.linalg.norm(zone.direction)
    path, ahead = ground.flattened(part.wheels), ground.flattened(part.wheels + step_px)
    if not (np.isfinite(path).all() and np.isfinite(ahead).all()):
        path, ahead = part.wheels, part.wheels + step_px
    rates = np.column_stack([slope(part.at_us, path[:, n]) for n in (0, 1)])
    way = ahead - path
    size = np.linalg.norm(rates, axis=1) * np.linalg.norm(way, axis=1)
    return np.asarray(np.divide((rates * way).sum(axis=1), size, out=np.zeros(len(rates)), where=size > 0))


def _only_crosses(part: _Path, zone: Zone, ground: Ground) -> bool:
    """Whether a path passes over a zone's narrow side and no further: into a gate, or along the road under it."""
    corners, path = ground.flattened(np.array(zone.polygon)), ground.flattened(part.wheels)
    if not (np.isfinite(corners).all() and np.isfinite(path).all()):
        corners, path = np.array(zone.polygon), part.wheels
    long_way, length, breadth = principal_axes(corners)
    moved = path[-1] - path[0]
    distance = float(np.linalg.norm(moved))
    if length < 1.3 * breadth or distance == 0:
        return False
    return bool(abs(float(moved @ long_way)) / distance < _ACROSS and distance <= 1.4 * breadth)


def _finding(rule: Rule, ride: Ride, results: Sequence[tuple[_Path, Zone, Tally]]) -> Finding:
    """Join what was found on one ride: repeats are one, from the first to the last, shown where it is surest."""
    breaches = [result for result in results if result[2].outcome is Outcome.BREACH]
    doubts = [result for result in results if result[2].outcome is Outcome.UNCLEAR]
    chosen = breaches or doubts
    if not chosen:
        return Finding(
            kind=rule.kind,
            outcome=Outcome.NONE,
            vehicle=ride.vehicle,
            riders=ride.riders,
            from_us=ride.from_us,
            to_us=ride.to_us,
            best_us=ride.from_us,
            confidence=0.0,
            votes_for=0,
            votes_against=len(ride.vehicle),
        )
    _, zone, best = max(chosen, key=lambda result: result[2].confidence)
    return Finding(
        kind=rule.kind,
        outcome=best.outcome,
        vehicle=ride.vehicle,
        riders=ride.riders,
        from_us=min(part.from_us for part, _, _ in chosen),
        to_us=max(part.to_us for part, _, _ in chosen),
        best_us=best.best_us,
        confidence=best.confidence,
        votes_for=sum(result.votes_for for _, _, result in chosen),
        votes_against=sum(result.votes_against for _, _, result in chosen),
        zone=zone.name,
    )
