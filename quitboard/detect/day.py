"""One camera-day decided: boxes of all its recordings → tracks → scene → findings, violations and exposure.

Pure: the same looks give the same decision, whatever was finished in which run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from quitboard import files
from quitboard.catalogue import in_force
from quitboard.detect.exposure import Footage, exposures_of
from quitboard.detect.heads import Heads, heads_of
from quitboard.detect.look import Look
from quitboard.detect.marks import Mark, mark_for
from quitboard.detect.pictures import Subject
from quitboard.detect.recordings import counted_once
from quitboard.detect.rules import RULES, Finding, Outcome, run_rules
from quitboard.detect.scene import read_scene
from quitboard.detect.track import track_frames
from quitboard.records import Camera, Detections, Exposure, Recording, Rule, Track, Violation, ZoneKind
from quitboard.settings import RuleSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER_US = 1 << 62
TOGETHER_US = 4_000_000
"""Breaches of one vehicle whose clearest instants lie so near share their evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A recording and what was seen in it."""

    recording: Recording  # with `read_s` and `faults` as they turned out
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """What a camera-day comes to."""

    tracks: tuple[Track, ...]
    heads: Heads
    findings: tuple[Finding, ...]
    exposures: tuple[Exposure, ...]

    @property
    def breaches(self) -> list[Finding]:
        """What is reported: of one kind by one vehicle over one span, the surest, for two would have one id."""
        surest: dict[tuple[str, int, int, int], Finding] = {}
        for finding in self.findings:
            key = (finding.kind, finding.vehicle.id, finding.from_us, finding.to_us)
            if finding.is_breach and (key not in surest or finding.confidence > surest[key].confidence):
                surest[key] = finding
        return list(surest.values())


def decide(
    seen: Sequence[Seen],
    camera: Camera,
    rules: Sequence[Rule],
    day: date,
    settings: RuleSettings,
    *,
    zones_trusted_until_us: int | None = None,
) -> Decision:
    """Decide on a day's recordings of one camera, given by their start.

    From `zones_trusted_until_us` on, rules that need a zone find nothing, and those hours do not count for them.
    """
    parts = counted_once(one.recording for one in seen)
    width, height = size_of(seen)
    frames = list(_frames(seen, parts, width, height))
    heads = heads_of(frames)
    tracks = tuple(track_frames(frames, size_px=(width, height)))
    return decide_again(
        tracks, heads, seen, camera, rules, day, settings, zones_trusted_until_us=zones_trusted_until_us
    )


def decide_again(
    tracks: Sequence[Track],
    heads: Heads,
    seen: Sequence[Seen],
    camera: Camera,
    rules: Sequence[Rule],
    day: date,
    settings: RuleSettings,
    *,
    zones_trusted_until_us: int | None = None,
) -> Decision:
    """Decide from tracks alone, as they are kept in a bundle; see `decide`."""
    until_us = _FOREVER_US if zones_trusted_until_us is None else zones_trusted_until_us
    width, height = size_of(seen)
    scene = read_scene(tracks, heads, camera, width=width, height=height, settings=settings)
    findings = [
        finding
        for finding in run_rules(scene, camera, rules, day, settings)
        if finding.kind not in NEEDED_ZONES or finding.to_us <= until_us
    ]
    kinds = kinds_watched(camera, rules, day)
    free, zoned = [[kind for kind in kinds if (kind in NEEDED_ZONES) is needs] for needs in (False, True)]
    exposures = [
        *exposures_of(camera, free, [_footage(one) for one in seen], tracks=tracks, findings=findings),
        *exposures_of(camera, zoned, [_footage(one, until_us) for one in seen], tracks=tracks, findings=findings),
    ]
    return Decision(tracks=tuple(tracks), heads=heads, findings=tuple(findings), exposures=tuple(exposures))


NEEDED_ZONES = {
    "sidewalk": ZoneKind.SIDEWALK,
    "crosswalk_riding": ZoneKind.CROSSWALK,
    "wrong_way": ZoneKind.LANE,
    "parking": ZoneKind.NO_PARKING,
}
"""A camera without such a zone cannot see the kind: its hours are no denominator for it."""


def kinds_watched(camera: Camera, rules: Sequence[Rule], day: date) -> list[str]:
    """Return the kinds that a camera can find on a day: enabled, in force, visible, and with the zone they need."""
    zones = {zone.kind for zone in camera.zones}
    return [
        rule.kind
        for rule in in_force(rules, day)
        if rule.enabled
        and rule.camera_visible
        and rule.kind in RULES
        and (rule.kind not in NEEDED_ZONES or NEEDED_ZONES[rule.kind] in zones)
    ]


def _footage(one: Seen, until_us: int = _FOREVER_US) -> Footage:
    began_us = start_us(one.recording)

    def cut(from_us: int, to_us: int) -> tuple[int, int]:
        return min(began_us + from_us, until_us), min(began_us + to_us, until_us)

    return Footage(
        recording_sha256=one.recording.sha256,
        watched=(cut(0, round(one.recording.read_s * 1e6)),),
        looked=tuple(cut(span.from_us, span.to_us) for span in one.look.spans),
    )


def size_of(seen: Sequence[Seen]) -> tuple[int, int]:
    """Return the picture size (px) that a day's boxes are in: that of its first recording."""
    return seen[0].recording.width, seen[0].recording.height


def start_us(recording: Recording) -> int:
    """Return a recording's start in microseconds since 1970."""
    return (recording.start - _EPOCH) // timedelta(microseconds=1)


def _frames(
    seen: Sequence[Seen], parts: dict[str, tuple[int, int]], width: int, height: int
) -> Iterator[tuple[int, Detections]]:
    """Yield each frame's instant and boxes, in time, what overlaps once, boxes brought to one picture size."""
    for one in seen:
        from_us, to_us = parts[one.recording.sha256]
        began_us = start_us(one.recording)
        scale = np.array([width / one.recording.width, height / one.recording.height] * 2, np.float32)
        for frame in one.look.frames:
            if from_us <= frame.position_us < to_us:
                boxes = frame.detections
                yield began_us + frame.position_us, dataclasses.replace(boxes, xyxy=boxes.xyxy * scale)


def recording_at(seen: Sequence[Seen], at_us: int) -> Seen:
    """Return the recording that shows an instant; of two, the earlier one; of none, the last that began before it."""
    begun = [one for one in seen if start_us(one.recording) <= at_us] or [seen[0]]
    showing = [one for one in begun if at_us < start_us(one.recording) + one.recording.read_s * 1e6]
    return (showing or begun[-1:])[0]


def violation_of(finding: Finding, recording: Recording, camera: Camera) -> Violation:
    """Return a breach as a violation, without pictures as yet.

    Its id is a hash over recording, kind and span: the same for the same finding, and not to be guessed.
    """
    zone = ZoneInfo(camera.timezone)
    began_us = start_us(recording)
    span = f"{finding.from_us - began_us}-{finding.to_us - began_us}"
    identity = f"{recording.sha256}/{finding.kind}/{finding.vehicle.id}/{span}"
    return Violation(
        id=files.sha256_bytes(identity.encode())[:32],
        kind=finding.kind,
        camera_id=camera.id,
        vehicle=finding.vehicle.role,
        started_at=_instant(finding.from_us).astimezone(zone),
        ended_at=_instant(finding.to_us).astimezone(zone),
        recording_sha256=recording.sha256,
        track=finding.vehicle.id,
        confidence=finding.confidence,
        votes_for=finding.votes_for,
        votes_against=finding.votes_against,
        zone=finding.zone,
    )


def span_of(finding: Finding) -> tuple[datetime, datetime]:
    """Return when a breach begins and ends."""
    return _instant(finding.from_us), _instant(finding.to_us)


def together(breaches: Iterable[Finding]) -> list[list[Finding]]:
    """Group breaches that one pair of pictures can show: of one vehicle, their clearest instants near each other."""
    groups: list[list[Finding]] = []
    for finding in sorted(breaches, key=lambda one: (one.vehicle.id, one.best_us, one.kind)):
        if (
            groups
            and groups[-1][0].vehicle.id == finding.vehicle.id
            and finding.best_us - groups[-1][0].best_us <= TOGETHER_US
        ):
            groups[-1].append(finding)
        else:
            groups.append([finding])
    return groups


def subject_of(group: Sequence[Finding], findings: Iterable[Finding], width: int) -> Subject:
    """Return what the pictures of a group of breaches show: the surest one's clearest instant, marked with all."""
    surest = max(group, key=lambda one: (one.confidence, -one.best_us, one.kind))
    marks = [mark_for(one.kind, _helmet(surest, findings)) for one in group]
    # The icon stands on every head of the ride: with several on one vehicle it would say too much of somebody.
    several = any(one.kind in ("two_up", "passenger_no_helmet") for one in group)
    bare = any(mark.helmet is False for mark in marks)
    helmet = None if several else False if bare else marks[0].helmet
    return Subject(
        best_us=surest.best_us,
        mark=Mark(text=" · ".join(dict.fromkeys(mark.text for mark in marks)), helmet=helmet),
        vehicle=surest.vehicle,
        riders=surest.riders,
        width=width,
    )


def _helmet(finding: Finding, findings: Iterable[Finding]) -> bool | None:
    """Return whether the votes say that the driver wears a helmet; None where they do not say."""
    for other in findings:
        of_driver = other.kind in ("no_helmet", "motorcycle_no_helmet", "bicycle_no_helmet")
        same_ride = other.vehicle.id == finding.vehicle.id and other.from_us <= finding.best_us <= other.to_us
        if of_driver and same_ride:
            return {Outcome.BREACH: False, Outcome.NONE: True}.get(other.outcome)
    return None


def _instant(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
