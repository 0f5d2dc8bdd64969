"""What was watched: the denominators of every rate, by recording, local hour and kind."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from quitboard.detect.rules.finding import Finding, Outcome
from quitboard.detect.spans import Span, union, without
from quitboard.records import VEHICLE_ROLES, Camera, Exposure, Role, Track

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_US = 900_000_000
"""The offset of every time zone in use is a whole number of quarter hours: hours begin on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """What one recording adds."""

    recording_sha256: str
    watched: tuple[Span, ...]  # as far as it could be read
    looked: tuple[Span, ...]  # what the gate let through to the model


def exposures_of(
    camera: Camera,
    kinds: Sequence[str],
    footage: Sequence[Footage],
    *,
    tracks: Iterable[Track],
    findings: Iterable[Finding],
) -> list[Exposure]:
    """Return what was watched in each recording and local hour, for each kind, in the order of time and of `kinds`.

    Footage that two recordings share counts once, for the earlier one. Riders, persons and vehicles count where they
    were first seen, also when they go on into the next hour or recording. A hidden or idle hour is there with its
    seconds and zero riders. For a kind without riders (parking), the vehicles asked about stand in their place.

    Args:
        camera: gives the time zone; an hour that daylight saving repeats is two hours here.
        kinds: the kinds that were run.
        footage: of one camera.
        tracks: all of them, for persons and vehicles.
        findings: of every outcome, as `run_rules` gives them.
    """
    zone = ZoneInfo(camera.timezone)
    ordered = sorted(footage, key=lambda one: (min(one.watched, default=(0, 0)), one.recording_sha256))
    watched, looked = _seconds(ordered, "watched", zone), _seconds(ordered, "looked", zone)
    starts = [min(one.watched, default=(0, 0))[0] for one in ordered]

    def cell(at_us: int) -> _Cell:
        number = max(bisect.bisect_right(starts, at_us) - 1, 0)
        return hour_us(at_us, zone), ordered[number].recording_sha256

    persons: Counter[_Cell] = Counter()
    vehicles: Counter[_Cell] = Counter()
    outcomes: Counter[tuple[_Cell, str, Outcome]] = Counter()
    for track in tracks:
        if track.role is Role.PERSON:
            persons[cell(int(track.at_us[0]))] += 1
        elif track.role in VEHICLE_ROLES:
            vehicles[cell(int(track.at_us[0]))] += 1
    for finding in findings:
        outcomes[cell(finding.from_us), finding.kind, finding.outcome] += 1
    cells = sorted({*watched, *looked, *persons, *vehicles, *(at for at, _, _ in outcomes)})
    made = []
    for at in cells:
        for kind in kinds:
            riders = sum(outcomes[at, kind, outcome] for outcome in Outcome)
            unclear = outcomes[at, kind, Outcome.UNCLEAR]
            made.append(
                Exposure(
                    camera_id=camera.id,
                    hour=_instant(at[0]).astimezone(zone),
                    kind=kind,
                    watched_s=watched[at] / 1e6,
                    looked_s=looked[at] / 1e6,
                    riders=riders,
                    judged=riders - unclear,
                    unclear=unclear,
                    persons=persons[at],
                    vehicles=vehicles[at],
                    recording_sha256=at[1],
                )
            )
    return made


def hour_us(at_us: int, zone: ZoneInfo) -> int:
    """Return the start of the local hour that an instant lies in, µs since 1970.

    Hours are kept as instants: two aware datetimes of one repeated hour would compare equal.
    """
    local = _instant(at_us).astimezone(zone)
    into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at_us - into_hour // timedelta(microseconds=1)


_Cell = tuple[int, str]
"""Start of an hour (µs since 1970), and a recording."""


def _seconds(footage: Sequence[Footage], which: str, zone: ZoneInfo) -> Counter[_Cell]:
    """Return the µs of footage in each cell, what two recordings share counted for the first."""
    total: Counter[_Cell] = Counter()
    taken: list[Span] = []
    for one in footage:
        spans: tuple[Span, ...] = getattr(one, which)
        for start, end in without(spans, taken):
            now = start
            while now < end:
                then = min(end, (now // _QUARTER_US + 1) * _QUARTER_US)
                total[hour_us(now, zone), one.recording_sha256] += then - now
                now = then
        taken = union([*taken, *spans])
    return total


def _instant(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
