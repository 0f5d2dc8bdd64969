"""A picture with what is known to be in it, and what is done to it before a network learns from it. All pure.

No source labels every class. What a picture does not label is filled in by teachers where they are sure, so that it
does not teach "no object"; what a teacher only half sees is smeared out of the picture, so that it teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.boxes import iou_matrix
from quitboard.detect.closer import CROP_IMGSZ, crops_of
from quitboard.models.shards import jpeg
from quitboard.records import ROLES, Detections, Picture, Role

Boxes: TypeAlias = NDArray[np.float64]

HEADS = (Role.HELMET, Role.HEAD)
_SMALLEST_PX = 3
_KEPT_SHARE = 0.4
"""A box that a cut leaves less of than this is no longer labelled."""
_SCOOTER_LIKE = (Role.BICYCLE, Role.MOTORCYCLE)
_SAME_IOU, _SAME_HEAD_IOU = 0.5, 0.3
_CHIN = 1.15
"""Height of a helmeted head over the width of its shell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A picture and its boxes."""

    name: str
    picture: Picture
    roles: tuple[Role, ...]
    xyxy: Boxes  # (n, 4) px
    labelled: frozenset[Role] = frozenset(ROLES)  # anything else in it is unknown, not background

    def of(self, *wanted: Role) -> Boxes:
        return self.xyxy[[role in wanted for role in self.roles]]

    def plus(self, role: Role, box: Sequence[float] | Boxes) -> Sample:
        return replace(self, roles=(*self.roles, role), xyxy=np.vstack([self.xyxy, np.asarray(box, float)[None]]))


def sample(name: str, picture: Picture, labels: Sequence[tuple[Role, Sequence[float]]]) -> Sample:
    xyxy = np.array([box for _, box in labels], float).reshape(-1, 4)
    return Sample(name=name, picture=picture, roles=tuple(role for role, _ in labels), xyxy=xyxy)


# --- what is in it --------------------------------------------------------------------------------------------------


def filled(given: Sample, found: Detections, roles: Sequence[Role], *, sure: float, doubtful: float) -> Sample:
    """Add what a teacher is sure of where it does not repeat a label, and smear what it half sees.

    Args:
        found: what the teacher sees in the picture, down to `doubtful`.
        roles: what it teaches; those that the picture labels itself are left alone, but for heads: a set of heads
            labels the riders' and leaves out bystanders'.
        sure: a box at or above it is a label.
        doubtful: a box from here to `sure` is smeared.
    """
    picture, result = given.picture.copy(), given
    taught = [role for role in roles if role in HEADS or role not in given.labelled]
    for number, box, confidence in zip(found.class_id, found.xyxy, found.confidence, strict=True):
        role = ROLES[int(number)]
        if role not in taught:
            continue
        is_head = role in HEADS
        known = result.of(*HEADS) if is_head else result.of(role)
        if _repeats(box, known, _SAME_HEAD_IOU if is_head else _SAME_IOU):
            continue
        if role in _SCOOTER_LIKE and _lies_on(box, result.of(Role.SCOOTER)):
            continue  # COCO knows no electric scooter: its models call one a bicycle or a motorcycle
        if confidence >= sure:
            result = result.plus(role, box)
        elif confidence >= doubtful:
            _smear(picture, box)
    return replace(result, picture=picture, labelled=given.labelled | set(roles))


def _smear(picture: Picture, box: NDArray[np.float32]) -> None:
    x0, y0, x1, y1 = (int(value) for value in box)
    part = picture[y0 : y1 + 1, x0 : x1 + 1]
    if part.size:
        picture[y0 : y1 + 1, x0 : x1 + 1] = part.reshape(-1, 3).mean(axis=0)


def _repeats(box: NDArray[np.float32], known: Boxes, iou: float) -> bool:
    return len(known) > 0 and bool(iou_matrix(np.asarray(box, np.float32)[None], known.astype(np.float32)).max() > iou)


def _lies_on(box: NDArray[np.float32], known: Boxes) -> bool:
    """Whether a box shares more than half of the smaller area of both with one of `known`."""
    shared = np.clip(np.minimum(known[:, 2:], box[2:]) - np.maximum(known[:, :2], box[:2]), 0, None).prod(axis=1)
    smaller = np.minimum((known[:, 2:] - known[:, :2]).prod(axis=1), (box[2:] - box[:2]).prod())
    return bool((shared > 0.5 * smaller).any())


def whole_heads(given: Sample) -> Sample:
    """Grow helmet boxes that hold only the shell to the whole head, where a person wears it."""
    grown = given.xyxy.copy()
    people = given.of(Role.PERSON)
    for index, (role, box) in enumerate(zip(given.roles, given.xyxy, strict=True)):
        middle = (box[:2] + box[2:]) / 2
        worn = ((people[:, :2] <= middle) & (middle <= people[:, 2:])).all(axis=1).any()
        if role is Role.HELMET and worn:
            grown[index, 3] = max(box[3], box[1] + _CHIN * (box[2] - box[0]))
    return replace(given, xyxy=grown)


# --- how it looks ---------------------------------------------------------------------------------------------------


def degraded(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make a picture look as a recorder would keep it: darker or duller, coarse, soft, noisy, compressed."""
    height, width = picture.shape[:2]
    out = picture
    if rng.random() < 0.35:  # a sub-stream, blown up again
        share = rng.uniform(0.4, 0.9)
        small = (max(8, round(width * share)), max(8, round(height * share)))
        out = np.asarray(cv2.resize(out, small, interpolation=cv2.INTER_AREA), np.uint8)
        out = np.asarray(cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    light = 255 * (out.astype(np.float32) / 255) ** rng.uniform(0.7, 1.6) * rng.uniform(0.55, 1.1)
    if rng.random() < 0.5:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 1.3)), np.float32)
    if rng.random() < 0.3:
        grey = light.mean(axis=2, keepdims=True)
        light = grey + (light - grey) * rng.uniform(0.0, 0.7)
    if rng.random() < 0.2:  # one lamp's colour over everything
        light = light * rng.uniform(0.75, 1.1, 3).astype(np.float32)
    light = light + rng.normal(0, rng.uniform(0, 9), light.shape)
    return compressed(np.clip(light, 0, 255).astype(np.uint8), int(rng.integers(25, 85)))


def compressed(picture: Picture, quality: int) -> Picture:
    """Return what JPEG leaves of a picture: coarse blocks and halved colour, as video coders leave them."""
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg(picture, quality), np.uint8), cv2.IMREAD_COLOR), np.uint8)


# --- how large it is ------------------------------------------------------------------------------------------------


def smaller(given: Sample, scale: float) -> Sample:
    """Shrink a picture onto a canvas of its own size, in its mean colour: objects as far as a camera's."""
    height, width = given.picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(given.picture, size, interpolation=cv2.INTER_AREA)
    canvas = np.empty_like(given.picture)
    canvas[:] = given.picture.reshape(-1, 3).mean(axis=0)
    y, x = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return replace(given, picture=canvas, xyxy=given.xyxy * scale + np.array([x, y, x, y]))


def at_most(given: Sample, longest_px: int) -> Sample:
    """Return a picture with its longer side scaled down to `longest_px`, where it is longer."""
    height, width = given.picture.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1:
        return given
    picture = cv2.resize(given.picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    return replace(given, picture=np.asarray(picture, np.uint8), xyxy=given.xyxy * scale)


def cropped(given: Sample, window: tuple[int, int, int, int], name: str) -> Sample:
    """Cut out a part of a picture, with the boxes of which enough is left."""
    x0, y0, x1, y1 = window
    inside = np.clip(given.xyxy, [x0, y0, x0, y0], [x1, y1, x1, y1])
    left = np.prod(inside[:, 2:] - inside[:, :2], axis=1)
    whole = np.prod(given.xyxy[:, 2:] - given.xyxy[:, :2], axis=1)
    kept = left >= _KEPT_SHARE * np.maximum(whole, 1e-9)
    return Sample(
        name=name,
        picture=np.ascontiguousarray(given.picture[y0:y1, x0:x1]),
        roles=tuple(role for role, ok in zip(given.roles, kept, strict=True) if ok),
        xyxy=inside[kept] - np.array([x0, y0, x0, y0]),
        labelled=given.labelled,
    )


def closer_looks(given: Sample) -> Iterator[Sample]:
    """Yield the squares around riders that the closer look of `detect` takes, at the scale it takes them."""
    height, width = given.picture.shape[:2]
    labels = Detections(
        xyxy=given.xyxy.astype(np.float32),
        confidence=np.ones(len(given.roles), np.float32),
        class_id=np.array([ROLES.index(role) for role in given.roles], np.int64),
    )
    for number, window in enumerate(crops_of(labels, width=width, height=height)):
        part = cropped(given, window, f"{given.name}_rider{number}")
        side = part.picture.shape[0]
        scale = CROP_IMGSZ / side
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(part.picture, (CROP_IMGSZ, CROP_IMGSZ), interpolation=way)
        yield replace(part, picture=np.asarray(picture, np.uint8), xyxy=part.xyxy * scale)


# --- as text --------------------------------------------------------------------------------------------------------


def label_lines(given: Sample) -> str:
    """Return the boxes in YOLO's format, class numbers as in `records.ROLES`; what is too small is left out."""
    height, width = given.picture.shape[:2]
    size = np.array([width, height, width, height])
    lines = []
    for role, box in zip(given.roles, np.clip(given.xyxy, 0, size), strict=True):
        x0, y0, x1, y1 = box / size
        if (x1 - x0) * width >= _SMALLEST_PX and (y1 - y0) * height >= _SMALLEST_PX:
            centre = f"{(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}"
            lines.append(f"{ROLES.index(role)} {centre}\n")
    return "".join(lines)


def boxes_of(lines: str, width: int, height: int) -> list[tuple[Role, tuple[float, float, float, float]]]:
    """Read what `label_lines` wrote, in px of a picture of this size."""
    labels = []
    for line in lines.splitlines():
        number, x, y, w, h = (float(part) for part in line.split())
        box = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
        labels.append((ROLES[int(number)], box))
    return labels
