"""What is known to have happened in a recording: `<name>.truth.json` beside `<name>.mp4`. See docs/truth.md."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quitboard.detect.card import role_named
from quitboard.errors import ItemError
from quitboard.models.intervals import Array
from quitboard.records import VEHICLE_ROLES, IntArray, Role, Track

SUFFIX = ".truth.json"
_MOST_BYTES = 256 << 20
_LONGEST_S = 7 * 86_400.0
_NEAR_US = 500_000
SEEN_SHARE = 0.3
"""Somebody of whom less than this is to be seen cannot be asked for."""
SAME_IOU = 0.25
"""Least mean overlap of a found track with a true one that makes them the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that somebody did; of no kind when it breaches nothing."""

    kind: str | None
    from_s: float
    to_s: float
    what: str
    tracks: frozenset[int]  # of the people and the vehicle; empty where that is not told


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mover:
    """A person or vehicle, and where it was."""

    track: int
    role: Role
    act: str
    head: str  # what a person wears: "helmet", "bare", "cap" …; "" where that is not told
    rides: int | None  # track of the vehicle
    pushes: int | None
    seat: int
    seen_in_training: bool  # the same person, cut from a picture that the model was trained on
    at_us: IntArray  # (n,) positions in the recording, increasing
    xyxy: Array  # (n, 4) px
    visible: Array  # (n,) share of it that is to be seen

    @property
    def seen_s(self) -> float:
        """Seconds in which enough of it is to be seen."""
        if len(self.at_us) < 2:
            return 0.0
        step_s = float(np.median(np.diff(self.at_us))) / 1e6
        return float((self.visible >= SEEN_SHARE).sum() * step_s)

    @property
    def height_px(self) -> float:
        """Median height while it is seen."""
        seen = self.visible >= SEEN_SHARE
        return float(np.median((self.xyxy[:, 3] - self.xyxy[:, 1])[seen])) if seen.any() else 0.0

    def boxes_at(self, position_us: IntArray) -> Array:
        """Return its boxes at other instants, between those told; nan where none is near. Shape (n, 4)."""
        boxes = np.full((len(position_us), 4), np.nan)
        if not len(self.at_us):
            return boxes
        after = np.clip(np.searchsorted(self.at_us, position_us), 0, len(self.at_us) - 1)
        before = np.maximum(after - 1, 0)
        apart = np.minimum(abs(self.at_us[after] - position_us), abs(self.at_us[before] - position_us))
        near = apart <= _NEAR_US
        for side in range(4):
            boxes[near, side] = np.interp(position_us[near], self.at_us, self.xyxy[:, side])
        return boxes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """All that is known of one recording."""

    acts: tuple[Act, ...]
    movers: Mapping[int, Mover]  # by track; empty where only acts are told
    wholly: bool  # every box of every frame is told, so that what is not there is not there
    size_px: tuple[int, int] | None  # of the picture that boxes are in; None: of the recording

    def same(self, track: Track, start_us: int, *, scale: Array) -> Mover | None:
        """Return who or what a found track is of; None where it is on nobody.

        Args:
            start_us: the recording's first frame, in the track's microseconds.
            scale: brings true boxes (n, 4) to the found ones' pixels.
        """
        persons = track.role is Role.PERSON
        best, most = None, SAME_IOU
        for mover in self.movers.values():
            if (mover.role is Role.PERSON) is not persons:
                continue
            overlap = _overlap(track.xyxy.astype(np.float64), mover.boxes_at(track.at_us - start_us) * scale)
            if overlap > most:
                best, most = mover, overlap
        return best


def _overlap(one: Array, other: Array) -> float:
    """Return the mean IoU of two tracks over the first one's instants; nothing where the other is not there."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    whole = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (one, other)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nan_to_num(common / (whole[0] + whole[1] - common)).mean()) if len(one) else 0.0


def read_truth(path: Path) -> Truth:
    """Read a truth file. Keys that are not known are passed over.

    Raises:
        ItemError: it is not JSON, or a value is missing, of the wrong kind or out of range; says which.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ItemError("the truth file is too large", todo="It is to hold one recording")
        content = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ItemError(f"the truth file cannot be read ({error.strerror})", todo="Check its permissions") from None
    except (ValueError, RecursionError):
        raise ItemError("the truth file is not JSON", todo="Write it again, or mend it") from None
    try:
        return _truth(content)
    except _Wrong as error:
        raise ItemError(f"the truth file: {error}", todo="See docs/truth.md") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        what = f"the truth file is not of the form it must have ({error!r})"
        raise ItemError(what[:200], todo="See docs/truth.md") from None


class _Wrong(Exception):
    pass


def _truth(content: Any) -> Truth:
    if not isinstance(content, dict) or not isinstance(content.get("acts"), list):
        raise _Wrong('it needs "acts", a list')
    movers = _movers(content)
    wholly = bool(content.get("frames")) and bool(content.get("tracks"))
    known = {int(row["track"]) for row in content["tracks"]} if wholly else None
    acts = []
    for number, row in enumerate(content["acts"]):
        with _named(f"acts[{number}]"):
            acts.append(_act(row, known))
    return Truth(acts=tuple(acts), movers=movers, wholly=wholly, size_px=_size(content.get("resolution")))


@contextlib.contextmanager
def _named(where: str) -> Iterator[None]:
    """Say of what is wrong in the block where in the file it is."""
    try:
        yield
    except KeyError as error:
        raise _Wrong(f"{where}: {error.args[0]} is missing") from None
    except _Wrong as error:
        raise _Wrong(f"{where}: {error}") from None
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise _Wrong(f"{where}: {error}"[:200]) from None


def _size(told: Any) -> tuple[int, int] | None:
    if not told:
        return None
    if not (isinstance(told, list) and len(told) == 2 and all(isinstance(one, int) and one > 0 for one in told)):
        raise _Wrong("resolution is [width, height] in px")
    return told[0], told[1]


def _act(row: Mapping[str, Any], known: Set[int] | None) -> Act:
    """Return an act; `known` are the tracks that it may be of, None where it may be of any."""
    kind = row["kind"]
    from_s, to_s = float(row["from_s"]), float(row["to_s"])
    if not (kind is None or isinstance(kind, str)):
        raise _Wrong("kind is a text or null")
    if not 0 <= from_s <= to_s <= _LONGEST_S:
        raise _Wrong("from_s and to_s are seconds from the first frame, in this order")
    people, vehicle = row.get("people") or [], row.get("vehicle")
    if not isinstance(people, list):
        raise _Wrong("people is a list of tracks")
    tracks = [int(track) for track in (*people, *([] if vehicle is None else [vehicle]))]
    if known is not None and (unknown := sorted(set(tracks) - known)):
        raise _Wrong(f"track {unknown[0]}, which is not told")
    return Act(
        kind=kind or None,
        from_s=from_s,
        to_s=to_s,
        what=str(row.get("act") or kind or "something"),
        tracks=frozenset(tracks),
    )


def _movers(content: Mapping[str, Any]) -> dict[int, Mover]:
    roles = [role_named(str(name)) for name in content.get("classes") or []]
    paths: dict[int, list[tuple[float, int, list[float]]]] = {}
    for number, frame in enumerate(content.get("frames") or []):
        with _named(f"frames[{number}]"):
            at_s = float(frame["t"])
            if not 0 <= at_s <= _LONGEST_S:
                raise _Wrong("t is seconds from the first frame")
            for box in frame["boxes"]:
                values = [float(value) for value in box[2:7]]
                if len(values) < 4 or not all(map(math.isfinite, values)):
                    raise _Wrong("a box is track, class, x0, y0, x1, y1, visible")
                if not 0 <= int(box[1]) < len(roles):
                    raise _Wrong(f"a box of class {box[1]}, where classes names {len(roles)}")
                paths.setdefault(int(box[0]), []).append((at_s, int(box[1]), values))
    movers: dict[int, Mover] = {}
    vehicles = {int(row["track"]): role_named(str(row["class"])) for row in content.get("tracks") or []}
    for row in content.get("tracks") or []:
        role = role_named(str(row["class"]))
        track = int(row["track"])
        if role is None:
            continue
        if track in movers:
            raise _Wrong(f"track {track} is told twice")
        own = sorted(
            (at_s, values)
            for at_s, number, values in paths.get(track, [])
            if roles[number] is role  # a head has its person's track
        )
        boxes = np.array([values[:4] for _, values in own], np.float64).reshape(-1, 4)
        movers[track] = Mover(
            track=track,
            role=role,
            act=str(row.get("act", "")),
            head=str(row.get("head") or ""),
            rides=_vehicle(row, "rides", vehicles),
            pushes=_vehicle(row, "pushes", vehicles),
            seat=int(row.get("seat") or 0),
            seen_in_training=bool(row.get("seen_in_training", False)),
            at_us=np.array([round(at_s * 1e6) for at_s, _ in own], np.int64),
            xyxy=boxes,
            visible=np.array([values[4] if len(values) > 4 else 1.0 for _, values in own], np.float64),
        )
    return movers


def _vehicle(row: Mapping[str, Any], key: str, vehicles: Mapping[int, Role | None]) -> int | None:
    """Return the vehicle that somebody rides or pushes; None for what is none here, such as a pram."""
    if row.get(key) is None:
        return None
    vehicle = int(row[key])
    if vehicle not in vehicles:
        raise _Wrong(f"track {row['track']} {key} {vehicle}, which is not told")
    return vehicle if vehicles[vehicle] in VEHICLE_ROLES else None
