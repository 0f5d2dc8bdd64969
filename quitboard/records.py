"""What moves between rooms: frozen, slotted, keyword-only records without behaviour of their own.

Words are those of the design: camera, recording, detection, track, rider, zone, rule, violation, evidence, exposure.

Time comes in two forms, never mixed:
- an *instant* is an aware `datetime`, or `..._at_us`: whole microseconds since 1970-01-01T00:00:00Z;
- a *position* (`position_us`) is whole microseconds from a recording's first frame, taken from presentation times.
Boxes are `xyxy` in pixels of the full-size picture, origin top left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]
Picture: TypeAlias = NDArray[np.uint8]  # (height, width, 3), BGR as OpenCV has it


class Role(StrEnum):
    """What a model's class means to QuitBoard; a model card maps class ids to these."""

    PERSON = "person"
    SCOOTER = "scooter"
    HELMET = "helmet"
    HEAD = "head"  # a bare head
    BICYCLE = "bicycle"
    MOTORCYCLE = "motorcycle"
    CAR = "car"


VEHICLE_ROLES = (Role.SCOOTER, Role.BICYCLE, Role.MOTORCYCLE)
ROLES = tuple(Role)
"""`class_id` in `Detections` is an index into this, whatever numbers the model itself used."""


class ZoneKind(StrEnum):
    SIDEWALK = "sidewalk"
    CROSSWALK = "crosswalk"
    LANE = "lane"
    NO_PARKING = "no_parking"
    IGNORE = "ignore"


class ClockSource(StrEnum):
    """How a recording's start was found, most trusted first."""

    SIDECAR = "sidecar"
    NAME = "name"
    CONTAINER = "container"
    MTIME = "mtime"


# --- cameras and recordings ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A named polygon of a camera's picture, in pixels of `Camera.resolution`."""

    name: str
    kind: ZoneKind
    polygon: tuple[tuple[float, float], ...]
    direction: tuple[float, float] | None = None  # a lane's way of travel, as a vector in the picture


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPoint:
    """A point of the picture whose place on the ground is known; four of them give a homography."""

    x_px: float
    y_px: float
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    id: str  # lower-case slug, unique on a board
    name: str
    area: str = ""
    address: str = ""
    model: str = ""
    timezone: str = "Asia/Seoul"
    folder: str = ""  # glob of the recordings' paths below the folder given to detect
    name_pattern: str = ""
    resolution: tuple[int, int] | None = None  # (width, height) that zones and ground points are drawn at
    zones: tuple[Zone, ...] = ()
    ground_points: tuple[GroundPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One video file of one camera, as far as it could be read."""

    sha256: str
    name: str  # path below the folder given to detect, with forward slashes: never an absolute one
    camera_id: str
    start: datetime
    clock: ClockSource
    width: int
    height: int
    promised_s: float  # length the container claims
    read_s: float  # length that could be decoded
    faults: tuple[str, ...] = ()


# --- what the model and the tracker say ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """Boxes in one frame."""

    xyxy: FloatArray  # (n, 4) px of the full-size picture
    confidence: FloatArray  # (n,) 0-1
    class_id: IntArray  # (n,) index into ROLES
    wear: FloatArray | None = None  # (n, 2) 0-1 that it is a head with a helmet, without one; NaN: not judged apart
    company: FloatArray | None = None  # (n, 2) 0-1 that it is a person who rides alone, who does not; NaN: not judged

    def __len__(self) -> int:
        return len(self.confidence)

    def only(self, chosen: NDArray[np.bool_] | IntArray) -> Detections:
        """Return some of the boxes, given by mask or by number."""
        return Detections(
            xyxy=self.xyxy[chosen],
            confidence=self.confidence[chosen],
            class_id=self.class_id[chosen],
            wear=None if self.wear is None else self.wear[chosen],
            company=None if self.company is None else self.company[chosen],
        )

    @staticmethod
    def joined(parts: Sequence[Detections]) -> Detections:
        """Return the boxes of several, at least one, in their order."""

        def column(name: str) -> FloatArray | None:
            given = [getattr(part, name) for part in parts]
            if all(one is None for one in given):
                return None
            blank = [np.full((len(part), 2), np.nan, np.float32) for part in parts]
            return np.concatenate([no if one is None else one for one, no in zip(given, blank, strict=True)])

        return Detections(
            xyxy=np.concatenate([part.xyxy for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts]),
            class_id=np.concatenate([part.class_id for part in parts]),
            wear=column("wear"),
            company=column("company"),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameDetections:
    """Boxes of one sampled frame and where that frame is."""

    position_us: int
    detections: Detections


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """Detections of one object over time, from one camera, perhaps across several recordings."""

    id: int  # unique within one camera-day
    role: Role
    at_us: IntArray  # (n,) increasing
    xyxy: FloatArray  # (n, 4) px
    confidence: FloatArray  # (n,)

    def __len__(self) -> int:
        return len(self.at_us)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadSighting:
    """A head box seen inside a person's box in one frame: what helmet votes are made of."""

    at_us: int
    person_track: int
    xyxy: tuple[float, float, float, float]
    helmet_confidence: float  # 0 when the model saw none
    bare_confidence: float
    is_judged: bool = False  # the two are probabilities, and what is missing to 1 is "unclear"
    head_confidence: float = 0.0  # that it is a head at all
    order: int = 0  # 0: the person's own head; 1: a second one inside the same box, of somebody riding along


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ride:
    """A vehicle track with the person tracks bound to it while it is ridden. Pushing is not a ride."""

    vehicle: Track
    riders: tuple[Track, ...]  # driver first, then passengers, each cut to the time it rides
    from_us: int
    to_us: int


# --- rules and violations ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the catalogue."""

    kind: str
    name_ko: str
    name_en: str
    vehicles: tuple[Role, ...]
    enabled: bool
    law_article: str
    fine_krw: int | None
    penalty_kind: str
    valid_from: date | None  # None: since ever
    valid_to: date | None  # None: still; the last day it is in force
    camera_visible: bool
    exceptions: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One suspected breach by one track."""

    id: str  # sha256 over recording hash, kind and span, 32 hex digits
    kind: str
    camera_id: str
    vehicle: Role
    started_at: datetime  # in the camera's time zone
    ended_at: datetime
    recording_sha256: str  # of the recording in which it starts
    track: int
    confidence: float  # 0-1
    votes_for: int
    votes_against: int
    zone: str = ""
    still_sha256: str = ""  # empty: counted without a picture
    clip_sha256: str = ""
    evidence_note: str = ""  # why there is no picture, when there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Evidence taken back for good. It holds for whatever the camera shows in that span, whatever the model."""

    id: str  # of the violation that was withdrawn
    camera_id: str
    started_at: datetime
    ended_at: datetime
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnSpan:
    """A withdrawal's span with the margin that a clip reaches beyond its violation; both ends included."""

    camera_id: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What was watched in one hour of one recording: the denominator of every rate.

    Kept by recording, so that a bundle made again from some of a day's recordings replaces exactly their share.
    """

    camera_id: str
    hour: datetime  # start of the hour, in the camera's time zone
    kind: str  # the rule these numbers belong to
    watched_s: float  # footage covered, overlaps counted once
    looked_s: float  # of which looked at in full
    riders: int
    judged: int  # riders on whom the rule could be decided
    unclear: int
    persons: int
    vehicles: int
    recording_sha256: str  # the recording these were seen in; a rider counts where the ride starts


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What is said about a model wherever a figure rests on it."""

    name: str
    sha256: str
    figures: Mapping[str, float] = field(default_factory=dict)  # e.g. "helmet.ap50": 0.91


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A bundle's first page: everything needed to trust or refuse the rest."""

    format: str
    version: int
    id: str
    tool_version: str
    camera: Camera
    day: date
    catalogue_sha256: str
    settings_sha256: str
    model: ModelCard
    recordings: tuple[Recording, ...]
    sums: Mapping[str, str]  # member name -> sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An input that was not used, and why."""

    name: str
    reason: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command did; `set_aside` not empty ends it with exit code 3."""

    done: Sequence[str] = ()
    unchanged: Sequence[str] = ()
    set_aside: Sequence[SetAside] = ()
