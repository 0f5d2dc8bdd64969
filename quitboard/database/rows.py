"""The rows that the database answers with: frozen, positional in the order of the columns, free of SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from quitboard.records import Zone


@dataclass(frozen=True, slots=True)
class ViolationRow:
    """A published violation: every field may be on a public page. No second, no address, no track."""

    id: str
    kind: str
    camera_id: str
    camera_name: str
    area: str
    vehicle: str
    day: date  # by the camera's clock
    hour: int
    weekday: int  # 1 = Monday
    confidence: float | None  # None: unknown (the first QuitBoard's)
    zone: str
    still_sha256: str  # empty: counted without a picture
    clip_sha256: str
    evidence_note: str
    model_sha256: str  # empty: unknown (the first QuitBoard's)
    verdict: str  # confirmed | unclear | "" (nobody looked)
    has_exposure: bool  # False: in counts, in no rate


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    name: str
    area: str
    timezone: str
    resolution: tuple[int, int] | None
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class ModelRow:
    sha256: str
    name: str
    figures: Mapping[str, float]
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class ModelDay:
    """A model that found what is counted of one camera on one day; a day may rest on several."""

    camera_id: str
    day: date
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Count:
    value: str
    violations: int


@dataclass(frozen=True, slots=True)
class MediaRow:
    sha256: str
    extension: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    id: str
    camera_id: str
    withdrawn_on: str  # YYYY-MM-DD


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate of one kind with both denominators. A rate is None where its denominator is nothing.

    `per_rider` is the share of judged riders (0-1, Wilson's 95 % interval); `per_hour` the violations in an hour
    watched (Poisson, 95 %). Keys that were not grouped by are None.
    """

    kind: str
    violations: int
    riders: int
    judged: int
    unclear: int
    watched_hours: float
    per_rider: float | None
    per_rider_low: float | None
    per_rider_high: float | None
    per_hour: float | None
    per_hour_low: float | None
    per_hour_high: float | None
    camera_id: str | None = None
    weekday: int | None = None  # 1 = Monday
    hour: int | None = None
    day: date | None = None
    week: date | None = None  # its Monday
    month: str | None = None  # YYYY-MM


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Footage watched and who was seen in it."""

    watched_hours: float
    looked_hours: float  # of which looked at in full
    persons: int
    vehicles: int
    riders: int
    camera_id: str | None = None
    weekday: int | None = None
    hour: int | None = None
    day: date | None = None
    week: date | None = None
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """One recording: when it starts and how much of what it promised could be read."""

    camera_id: str
    day: date
    hour: int
    clock: str
    promised_s: float
    read_s: float
    faults: int
