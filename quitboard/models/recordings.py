"""One recording's bundle held against its truth: what was reported, who was seen riding, whose head was judged how.

Works from the tracks that the bundle keeps, through the same rules as `detect`: what was looked at is not looked at
again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from quitboard import bundle
from quitboard.detect.again import unpack_tracks
from quitboard.detect.day import kinds_watched, size_of, start_us, violation_of
from quitboard.detect.rules import Finding, Outcome, run_rules
from quitboard.detect.scene import Scene, read_scene
from quitboard.models.intervals import Array
from quitboard.models.truth import Mover, Truth
from quitboard.models.violations import Happening, is_true
from quitboard.records import Ride, Role, Rule, Track, Violation
from quitboard.settings import RuleSettings

HELMET_KINDS = ("no_helmet", "bicycle_no_helmet", "motorcycle_no_helmet")
"""Rules on the driver's head: what the helmet rate is made of."""
VOTED_KINDS = (*HELMET_KINDS, "passenger_no_helmet", "two_up")
"""Rules whose confidence comes from votes, so that it is told for every ride, reported or not."""
SEEN_S = 1.0
"""A rider who is to be seen for less is not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Boxes over time for a reader's eye: (seconds, x1, y1, x2, y2), and what they are."""

    what: str
    boxes: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRider:
    """Somebody who rode, long enough to be asked for."""

    track: int
    vehicle: Role
    seat: int
    head: str
    height_px: float
    seen_in_training: bool
    found: bool
    found_on: Role | None  # the vehicle he was found on
    judged: Outcome | None  # the helmet rule's answer; None where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRide:
    """A ride that was found, and who that really is."""

    vehicle: Role
    from_s: float
    to_s: float
    really: str  # "rider", "pushing", "on foot" or "nobody"
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Riders:
    """Who rode and who was found riding. Only where the truth tells every box."""

    riders: tuple[TrueRider, ...]
    rides: tuple[FoundRide, ...]
    pushed: tuple[tuple[int, bool], ...]  # (track of who pushed, was it taken for riding)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmetRate:
    """Of drivers judged, those without a helmet; and of the true ones."""

    bare: int
    judged: int
    unclear: int
    true_bare: int
    true_drivers: int

    @property
    def points_off(self) -> float:
        """Percentage points between the rate measured and the true one; nan where either cannot be told."""
        if not self.judged or not self.true_drivers:
            return float("nan")
        return 100 * (self.bare / self.judged - self.true_bare / self.true_drivers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A recording held against its truth."""

    name: str
    watched_s: float
    size_px: tuple[int, int]
    kinds: tuple[str, ...]  # those that its camera can find
    true: tuple[Happening, ...]
    reported: tuple[Happening, ...]
    not_watched: tuple[Happening, ...]  # breaches of kinds that the camera cannot find
    answers: tuple[tuple[str, float, bool], ...]  # kind, confidence that it is a breach, whether it was
    findings: int  # answers of the helmet rules, and
    unclear: int  # how many of those were "unclear"
    rate: HelmetRate | None  # None where nobody says who wore what
    riders: Riders | None
    paths: Mapping[str, tuple[Line, ...]]  # violation id -> what to draw over the recording


def hold(path: Path, name: str, truth: Truth, rules: Sequence[Rule], settings: RuleSettings) -> Held:
    """Hold the bundle of one recording against its truth.

    Raises:
        BundleError: the bundle is damaged.
    """
    with bundle.read(path) as opened:
        manifest = opened.manifest
        violations = list(opened.violations())
        tracks, heads, seen = unpack_tracks(opened.tracks(), manifest)
    recording, camera = manifest.recordings[0], manifest.camera
    width, height = size_of(seen)
    scene = read_scene(tracks, heads, camera, width=width, height=height, settings=settings)
    findings = run_rules(scene, camera, rules, manifest.day, settings)
    watched = kinds_watched(camera, rules, manifest.day)
    begun_us = start_us(recording)
    true_width, true_height = truth.size_px or (width, height)
    scale = np.array([width / true_width, height / true_height] * 2)
    names = _Names(truth, begun_us, scale)
    by_id = {violation_of(one, recording, camera).id: one for one in findings}
    acts = [
        Happening(
            recording=name, kind=act.kind, from_s=act.from_s, to_s=act.to_s, what=act.what,
            tracks=act.tracks if truth.wholly and act.tracks else None,
        )
        for act in truth.acts
        if act.kind
    ]  # fmt: skip
    reported = [_reported(name, one, recording.start, by_id.get(one.id), names) for one in violations]
    voted = [one for one in findings if one.kind in VOTED_KINDS]
    said = [(one, _said(name, one, begun_us, names)) for one in voted]
    helmet = [one for one in findings if one.kind in HELMET_KINDS]
    riders = _riders(truth, scene, helmet, names, begun_us) if truth.wholly else None
    return Held(
        name=name,
        watched_s=recording.read_s,
        size_px=(width, height),
        kinds=tuple(watched),
        true=tuple(one for one in acts if one.kind in watched),
        reported=tuple(reported),
        not_watched=tuple(one for one in acts if one.kind not in watched),
        answers=tuple((one.kind, one.confidence, is_true(happening, acts)) for one, happening in said),
        findings=len(helmet),
        unclear=sum(one.outcome is Outcome.UNCLEAR for one in helmet),
        rate=_rate(helmet, riders, rules, watched),
        riders=riders,
        paths={one.id: _paths(by_id.get(one.id), begun_us) for one in violations},
    )


class _Names:
    """Says of found tracks who they really are; each is asked for once."""

    def __init__(self, truth: Truth, begun_us: int, scale: Array) -> None:
        self._truth, self._begun_us, self._scale = truth, begun_us, scale
        self._known: dict[tuple[int, int, int], Mover | None] = {}

    def of(self, track: Track) -> Mover | None:
        key = track.id, int(track.at_us[0]), int(track.at_us[-1])
        if key not in self._known:
            self._known[key] = self._truth.same(track, self._begun_us, scale=self._scale)
        return self._known[key]

    def tracks(self, finding: Finding) -> frozenset[int] | None:
        """Return the true tracks that a finding is about; None where the truth does not tell boxes."""
        if not self._truth.wholly:
            return None
        movers = [mover for track in (finding.vehicle, *finding.riders) if (mover := self.of(track))]
        linked = [vehicle for mover in movers for vehicle in (mover.rides, mover.pushes) if vehicle is not None]
        return frozenset([*(mover.track for mover in movers), *linked])

    def words(self, finding: Finding) -> str:
        """Say who a finding is really about."""
        if not self._truth.wholly:
            return ""
        movers = [mover for track in (*finding.riders, finding.vehicle) if (mover := self.of(track))]
        if not movers:
            return "nobody"
        head = next((f", {mover.head}" for mover in movers if mover.head), "")
        return f"{movers[0].act or movers[0].role}{head}"


def _reported(name: str, one: Violation, start: datetime, finding: Finding | None, names: _Names) -> Happening:
    from_s, to_s = ((at - start) / timedelta(seconds=1) for at in (one.started_at, one.ended_at))
    who = names.words(finding) if finding else ""
    return Happening(
        recording=name,
        kind=one.kind,
        from_s=from_s,
        to_s=to_s,
        what=who or f"votes {one.votes_for}:{one.votes_against}",
        tracks=names.tracks(finding) if finding else None,
        confidence=one.confidence,
        id=one.id,
    )


def _said(name: str, finding: Finding, begun_us: int, names: _Names) -> Happening:
    return Happening(
        recording=name,
        kind=finding.kind,
        from_s=(finding.from_us - begun_us) / 1e6,
        to_s=(finding.to_us - begun_us) / 1e6,
        what="",
        tracks=names.tracks(finding),
    )


def _riders(truth: Truth, scene: Scene, helmet: Sequence[Finding], names: _Names, begun_us: int) -> Riders:
    on: dict[int, list[Ride]] = {}
    rides: list[FoundRide] = []
    for ride in scene.rides:
        people = [mover for rider in ride.riders if (mover := names.of(rider))]
        vehicle = names.of(ride.vehicle)
        for track in {mover.track for mover in people}:
            on.setdefault(track, []).append(ride)
        # A second rider whose box is not told apart from the driver's is found with him.
        aboard = {mover.rides for mover in people} | ({vehicle.track} if vehicle else set())
        for mover in truth.movers.values():
            if mover.rides is not None and mover.rides in aboard and ride not in on.get(mover.track, ()):
                on.setdefault(mover.track, []).append(ride)
        rides.append(_found(ride, people, vehicle, truth, begun_us))
    judged: dict[int, set[Outcome]] = {}
    for finding in helmet:
        driver = names.of(finding.riders[0]) if finding.riders else None
        if driver is not None:
            judged.setdefault(driver.track, set()).add(finding.outcome)
    asked = [mover for mover in truth.movers.values() if mover.rides is not None and mover.seen_s >= SEEN_S]
    riders = [
        TrueRider(
            track=mover.track,
            vehicle=truth.movers[mover.rides].role,
            seat=mover.seat,
            head=mover.head,
            height_px=mover.height_px,
            seen_in_training=mover.seen_in_training,
            found=mover.track in on,
            found_on=on[mover.track][0].vehicle.role if mover.track in on else None,
            judged=_judged(judged.get(mover.track, set())),
        )
        for mover in asked
        if mover.rides is not None
    ]
    pushers = [mover for mover in truth.movers.values() if mover.pushes is not None and mover.seen_s >= SEEN_S]
    taken = {mover.track for ride in scene.rides for rider in ride.riders if (mover := names.of(rider))}
    rolled = {mover.track for ride in scene.rides if (mover := names.of(ride.vehicle))}
    return Riders(
        riders=tuple(riders),
        rides=tuple(rides),
        pushed=tuple((mover.track, mover.track in taken or mover.pushes in rolled) for mover in pushers),
    )


def _judged(outcomes: set[Outcome]) -> Outcome | None:
    """Return one answer of several on one rider: a breach is what would be published."""
    return next((one for one in (Outcome.BREACH, Outcome.NONE, Outcome.UNCLEAR) if one in outcomes), None)


def _found(ride: Ride, people: Sequence[Mover], vehicle: Mover | None, truth: Truth, begun_us: int) -> FoundRide:
    ridden = {mover.rides for mover in truth.movers.values()} - {None}
    pushed = {mover.pushes for mover in truth.movers.values()} - {None}
    if any(mover.rides is not None for mover in people) or (vehicle and vehicle.track in ridden):
        really = "rider"
    elif any(mover.pushes is not None for mover in people) or (vehicle and vehicle.track in pushed):
        really = "pushing"
    else:
        really = "on foot" if people else "nobody"
    who = people[0] if people else vehicle
    return FoundRide(
        vehicle=ride.vehicle.role,
        from_s=round((ride.from_us - begun_us) / 1e6, 2),
        to_s=round((ride.to_us - begun_us) / 1e6, 2),
        really=really,
        who=(who.act or str(who.role)) if who else "",
    )


def _rate(
    helmet: Sequence[Finding], riders: Riders | None, rules: Sequence[Rule], watched: Sequence[str]
) -> HelmetRate | None:
    if riders is None:
        return None
    vehicles = {role for rule in rules if rule.kind in watched and rule.kind in HELMET_KINDS for role in rule.vehicles}
    drivers = [one for one in riders.riders if one.seat == 0 and one.head and one.vehicle in vehicles]
    return HelmetRate(
        bare=sum(one.outcome is Outcome.BREACH for one in helmet),
        judged=sum(one.outcome is not Outcome.UNCLEAR for one in helmet),
        unclear=sum(one.outcome is Outcome.UNCLEAR for one in helmet),
        true_bare=sum(one.head != Role.HELMET for one in drivers),
        true_drivers=len(drivers),
    )


def _paths(finding: Finding | None, begun_us: int) -> tuple[Line, ...]:
    if finding is None:
        return ()
    return tuple(_path(track, begun_us, finding.from_us, finding.to_us) for track in (finding.vehicle, *finding.riders))


def _path(track: Track, begun_us: int, from_us: int, to_us: int) -> Line:
    inside = (track.at_us >= from_us) & (track.at_us <= to_us)
    boxes = []
    for at_us, box in zip(track.at_us[inside], track.xyxy[inside], strict=True):
        x1, y1, x2, y2 = (round(float(side), 1) for side in box)
        boxes.append((round((int(at_us) - begun_us) / 1e6, 2), x1, y1, x2, y2))
    return Line(what=track.role.value, boxes=tuple(boxes))
