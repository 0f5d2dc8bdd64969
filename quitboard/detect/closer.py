"""A second look at riders: heads are found in crops at the recording's own resolution.

A head that is 20 px high in a 1080p recording is 7 px in the picture that the network gets. Where a person and a
vehicle lie on each other, that part is cut out as a square and looked at once more. A head that the closer look sees
takes the place of the same head as the first look saw it; everything else of the first look stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from quitboard.detect.boxes import iou_matrix, suppress
from quitboard.detect.company import CompanyJudge, windows_of
from quitboard.detect.headwear import HeadJudge, cut, pooled
from quitboard.records import ROLES, VEHICLE_ROLES, Detections, FloatArray, IntArray, Picture, Role

CROP_IMGSZ = 320
CROP_GROWTH = 1.35
"""Side of the square over the longer side of person and vehicle together: heads at the edge stay whole."""
MAX_CROPS = 4
"""In one frame; the largest come first."""
TALLEST_SHARE = 0.6
"""A person who fills more of the picture than this is seen well enough by the first look."""
SHORTEST_PX = 24
MAX_JUDGED = 16
"""Heads judged in one frame."""
_HEAD_REACH = 0.25
"""How far a head's middle may lie outside of a rider's box, in widths and heights of it: a passenger's is."""
MAX_SHARED = 4
"""Riders in one frame, judged not to be alone, whose heads are looked for from nearer still."""
_UPPER_SHARE, _UPPER_MIDDLE = 0.9, 0.35
"""Side of that square over the rider's height, and how far down him its middle is."""
_APART_CONFIDENCE = 0.05
_SAME_CROP_IOU = 0.6
_SAME_HEAD_IOU = 0.3
_TWICE_IOU = 0.5
_PERSON = ROLES.index(Role.PERSON)
_VEHICLES = [ROLES.index(role) for role in VEHICLE_ROLES]
_HEADS = [ROLES.index(Role.HEAD), ROLES.index(Role.HELMET)]


class Finder(Protocol):
    """What `detect.model.load` returns, as far as it is needed here."""

    headwear: HeadJudge | None
    company: CompanyJudge | None

    def detect(
        self, pictures: Iterable[Picture], *, min_confidence: float | None = None, imgsz: int | None = None
    ) -> Iterator[Detections]: ...


def look_closer(picture: Picture, first: Detections, finder: Finder, *, min_confidence: float) -> Detections:
    """Return `first` with the heads of possible riders as a closer look sees them.

    Where `finder` can judge them, it is also said what each of these heads wears, and whether each rider is alone.
    """
    found = _seen_closer(picture, first, finder, min_confidence=min_confidence)
    if finder.company is not None:
        riders, windows = windows_of(found)
        company = np.full((len(found), 2), np.nan, np.float32)
        if windows:
            company[riders] = finder.company.judge(picture, windows)
        found = _with_heads_apart(picture, replace(found, company=company), finder)
    if finder.headwear is not None:
        chosen = _heads_of_riders(found)
        wear = np.full((len(found), 2), np.nan, np.float32)
        judged = finder.headwear.judge(picture, found.xyxy[chosen])
        wear[chosen] = pooled(judged, *(_seen_as(role, found, chosen) for role in (Role.HELMET, Role.HEAD)))
        found = replace(found, wear=wear)
    return found


def _seen_as(role: Role, found: Detections, heads: IntArray) -> FloatArray:
    """Return the detector's highest confidence, (n,), that there is something of a role where these heads are."""
    same = (found.class_id == ROLES.index(role)) & (iou_matrix(found.xyxy[heads], found.xyxy) > _SAME_HEAD_IOU)
    return np.asarray((same * found.confidence).max(axis=1, initial=0), np.float32)


def _with_heads_apart(picture: Picture, found: Detections, finder: Finder) -> Detections:
    """Add heads of riders who are not alone: two heads close together are seen as one, unless looked at from near."""
    assert found.company is not None
    told = np.nan_to_num(found.company)
    shared = found.xyxy[np.flatnonzero(told[:, 1] > told[:, 0])[:MAX_SHARED]]
    if not len(shared):
        return found
    windows = []
    for x1, y1, x2, y2 in shared.tolist():
        side = max(8, round(_UPPER_SHARE * max(x2 - x1, y2 - y1)))
        windows.append((round((x1 + x2 - side) / 2), round(y1 + _UPPER_MIDDLE * (y2 - y1) - side / 2), side))
    crops = [np.ascontiguousarray(cut(picture, window)) for window in windows]
    parts = []
    for (left, top, _), near in zip(
        windows, finder.detect(crops, min_confidence=_APART_CONFIDENCE, imgsz=CROP_IMGSZ), strict=True
    ):
        heads = near.only(np.isin(near.class_id, _HEADS))
        parts.append(replace(heads, xyxy=heads.xyxy + np.array([left, top, left, top], np.float32)))
    new = _once(parts)
    known = found.xyxy[np.isin(found.class_id, _HEADS)]
    is_known = (iou_matrix(new.xyxy, known) > _TWICE_IOU).any(axis=1)
    return Detections.joined([found, new.only(np.flatnonzero(~is_known))])


def _heads_of_riders(found: Detections) -> IntArray:
    """Return which boxes are heads on persons who may be riding, however large; the surest, where there are many."""
    vehicles = found.xyxy[np.isin(found.class_id, _VEHICLES)]
    persons = found.xyxy[found.class_id == _PERSON]
    riders = [person for person in persons if any(_touches(person, vehicle) for vehicle in vehicles)]
    heads = np.flatnonzero(np.isin(found.class_id, _HEADS))
    middle = (found.xyxy[heads, :2] + found.xyxy[heads, 2:]) / 2
    is_riders = np.zeros(len(heads), bool)
    for x1, y1, x2, y2 in riders:
        reach = _HEAD_REACH * np.array([x2 - x1, y2 - y1])
        is_riders |= ((middle >= np.array((x1, y1)) - reach) & (middle <= np.array((x2, y2)) + reach)).all(axis=1)
    mine = heads[is_riders]
    return np.sort(mine[np.argsort(-found.confidence[mine], kind="stable")][:MAX_JUDGED])


def _seen_closer(picture: Picture, first: Detections, finder: Finder, *, min_confidence: float) -> Detections:
    # Also where a sure head was found: of two on one scooter, the first look mostly sees one head.
    windows = crops_of(first, width=picture.shape[1], height=picture.shape[0])
    if not windows:
        return first
    crops = [np.ascontiguousarray(picture[y1:y2, x1:x2]) for x1, y1, x2, y2 in windows]
    is_seen_again = np.zeros(len(first), bool)
    parts: list[Detections] = []
    found = finder.detect(crops, min_confidence=min_confidence, imgsz=CROP_IMGSZ)
    for (x1, y1, _x2, _y2), closer in zip(windows, found, strict=True):
        heads = closer.only(np.isin(closer.class_id, _HEADS))
        heads = replace(heads, xyxy=heads.xyxy + np.array([x1, y1, x1, y1], np.float32))
        is_seen_again |= (iou_matrix(first.xyxy, heads.xyxy) > _SAME_HEAD_IOU).any(axis=1)
        parts.append(heads)
    return Detections.joined([first.only(~(is_seen_again & np.isin(first.class_id, _HEADS))), _once(parts)])


def _once(parts: Sequence[Detections]) -> Detections:
    """Return the boxes of several crops as one set: where crops overlap, a head is in both."""
    together = Detections.joined(parts)
    return together.only(suppress(together.xyxy, together.confidence, together.class_id, iou=_TWICE_IOU))


def crops_of(first: Detections, *, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return squares (x1, y1, x2, y2 px) around persons who may be riding, the largest first."""
    persons = first.xyxy[first.class_id == _PERSON]
    vehicles = first.xyxy[np.isin(first.class_id, _VEHICLES)]
    squares: list[FloatArray] = []
    for person in sorted(persons, key=lambda box: (-(box[3] - box[1]), *box)):
        if not SHORTEST_PX <= person[3] - person[1] <= TALLEST_SHARE * height:
            continue
        touching = [vehicle for vehicle in vehicles if _touches(person, vehicle)]
        if not touching:
            continue
        together = np.array([person, *touching])
        low, high = together[:, :2].min(axis=0), together[:, 2:].max(axis=0)
        side = min(float((high - low).max()) * CROP_GROWTH, width, height)
        corner = np.clip((low + high) / 2 - side / 2, 0, (width - side, height - side))
        square = np.array([*corner, *(corner + side)], np.float32)
        if not any(iou_matrix(square[None], other[None])[0, 0] > _SAME_CROP_IOU for other in squares):
            squares.append(square)
    whole = [tuple(int(value) for value in square) for square in squares[:MAX_CROPS]]
    # The sides are made equal again after rounding: every crop then has the network's one square shape.
    return [(x, y, x + min(right - x, bottom - y), y + min(right - x, bottom - y)) for x, y, right, bottom in whole]


def _touches(person: FloatArray, vehicle: FloatArray) -> bool:
    """Whether a vehicle and a person share a third of the narrower one's width, and some of their height."""
    shared = min(person[2], vehicle[2]) - max(person[0], vehicle[0])
    narrow = min(person[2] - person[0], vehicle[2] - vehicle[0])
    return bool(shared >= narrow / 3 and person[1] < vehicle[3] and vehicle[1] < person[3])
