"""Make a training set out of partly labelled pictures, hand-boxed ones, pasted riders and rendered streets.

No source labels every class. What a source leaves out is filled in by two teachers, so that it does not teach "no
object": persons, bicycles, motorcycles and cars by a COCO model where it is sure (>= 0.4), heads and helmets by the
model that training starts from (>= 0.5). Heads and helmets it half sees (0.2 to 0.5) are smeared out of the picture.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from quitboard.detect.boxes import iou_matrix
from quitboard.detect.model import Detector
from quitboard.records import ROLES, Picture, Role

TEACHER_SURE = 0.4
HEAD_SURE, HEAD_DOUBTFUL = 0.5, 0.2
_HEADS = (Role.HELMET, Role.HEAD)
_BY_COCO = (Role.PERSON, Role.BICYCLE, Role.MOTORCYCLE, Role.CAR)
_QUITSET_ROLE = (None, Role.SCOOTER, Role.HELMET, Role.HEAD, Role.BICYCLE, Role.MOTORCYCLE)
SCOOTER_COPIES = 5
"""How often a picture with a scooter is taken, each copy degraded differently: scooters are scarce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture and what is known to be in it."""

    name: str
    picture: Picture
    roles: tuple[Role, ...]
    xyxy: np.ndarray  # (n, 4) px

    def of(self, *wanted: Role) -> np.ndarray:
        return self.xyxy[[role in wanted for role in self.roles]]

    def plus(self, role: Role, box: Sequence[float]) -> Sample:
        return replace(self, roles=(*self.roles, role), xyxy=np.vstack([self.xyxy, np.asarray(box)[None]]))


def sample(name: str, picture: Picture, labels: Sequence[tuple[Role, Sequence[float]]]) -> Sample:
    xyxy = np.array([box for _, box in labels], float).reshape(-1, 4)
    return Sample(name=name, picture=picture, roles=tuple(role for role, _ in labels), xyxy=xyxy)


def quitset(folder: Path, split: str) -> Iterator[tuple[Sample, frozenset[Role]]]:
    """Yield the pictures of a split with the roles that each labels. Boxes of rider with vehicle are left out."""
    states: dict[tuple[str, int], str] = {}
    with (folder / "riderstate.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            states[row["path"], int(row["label_line"])] = row["state"]
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    for row in rows:
        path = folder / row["path"]
        picture = cv2.imread(str(path))
        height, width = picture.shape[:2]
        labels = []
        for line in (folder / "labels" / split / f"{path.stem}.txt").read_text().splitlines():
            number, x, y, w, h = (float(part) for part in line.split())
            if role := _QUITSET_ROLE[int(number)]:
                box = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
                labels.append((role, box))
        named = {Role(name) for name in row["labelled_classes"].split(",") if name in set(ROLES)}
        yield sample(path.stem, picture, labels), frozenset(named)


def hand_boxed(folder: Path, boxes: Path) -> Iterator[Sample]:
    """Yield the unlabelled pictures with the boxes drawn for them by hand; only cars are left to the teacher."""
    labels: dict[str, list[tuple[Role, Sequence[float]]]] = {}
    with boxes.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = [float(row[key]) for key in ("x0", "y0", "x1", "y1")]
            labels.setdefault(row["picture"], []).append((Role(row["role"]), box))
    for name, rows in sorted(labels.items()):
        yield sample(name, cv2.imread(str(folder / f"{name}.jpg")), rows)


def fill(given: Sample, labelled: frozenset[Role], coco: Detector, heads: Detector) -> Sample:
    """Add what the teachers are sure of where it does not repeat a label, and smear heads they half see."""
    picture, filled = given.picture.copy(), given
    taught = next(coco.detect([picture], min_confidence=TEACHER_SURE))
    for number, box in zip(taught.class_id, taught.xyxy, strict=True):
        role = ROLES[number]
        if role in _BY_COCO and role not in labelled and not _repeats(box, filled.of(role)):
            filled = filled.plus(role, box)
    seen = next(heads.detect([picture], min_confidence=HEAD_DOUBTFUL))
    for number, box, sure in zip(seen.class_id, seen.xyxy, seen.confidence, strict=True):
        role = ROLES[number]
        if role not in _HEADS or _repeats(box, filled.of(*_HEADS), 0.3):
            continue
        if sure >= HEAD_SURE:
            filled = filled.plus(role, box)
        else:
            x0, y0, x1, y1 = (int(value) for value in box)
            part = picture[y0 : y1 + 1, x0 : x1 + 1]
            picture[y0 : y1 + 1, x0 : x1 + 1] = part.reshape(-1, 3).mean(axis=0) if part.size else 0
    return replace(filled, picture=picture)


def whole_heads(given: Sample) -> Sample:
    """Grow helmet boxes that hold only the shell to the whole head, where a person wears it."""
    grown = given.xyxy.copy()
    people = given.of(Role.PERSON)
    for index, (role, box) in enumerate(zip(given.roles, given.xyxy, strict=True)):
        middle = (box[:2] + box[2:]) / 2
        worn = ((people[:, :2] <= middle) & (middle <= people[:, 2:])).all(axis=1).any()
        if role is Role.HELMET and worn:
            grown[index, 3] = max(box[3], box[1] + 1.15 * (box[2] - box[0]))
    return replace(given, xyxy=grown)


def _repeats(box: np.ndarray, known: np.ndarray, iou: float = 0.5) -> bool:
    return len(known) > 0 and bool(iou_matrix(np.asarray(box, np.float32)[None], known.astype(np.float32)).max() > iou)


def degrade(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make a picture look as an NVR would keep it: darker or duller, softer, noisy, compressed. Boxes stay valid."""
    out = picture.astype(np.float32)
    out = 255 * (np.clip(out, 0, 255) / 255) ** rng.uniform(0.7, 1.6) * rng.uniform(0.55, 1.1)
    if rng.random() < 0.5:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.3:
        grey = out.mean(axis=2, keepdims=True)
        out = grey + (out - grey) * rng.uniform(0.0, 0.7)
    out += rng.normal(0, rng.uniform(0, 9), out.shape)
    quality = int(rng.integers(25, 85))
    _, packed = cv2.imencode(".jpg", np.clip(out, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


def smaller(given: Sample, scale: float) -> Sample:
    """Shrink a picture onto a canvas of its own size, in its mean colour: objects as far as a camera's."""
    height, width = given.picture.shape[:2]
    small = cv2.resize(given.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.empty_like(given.picture)
    canvas[:] = given.picture.reshape(-1, 3).mean(axis=0)
    y, x = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return replace(given, picture=canvas, xyxy=given.xyxy * scale + np.array([x, y, x, y]))


def write(given: Sample, folder: Path, split: str, *, name: str | None = None) -> None:
    """Write a picture with its labels in YOLO's format, class numbers as in `records.ROLES`."""
    height, width = given.picture.shape[:2]
    size = np.array([width, height, width, height])
    lines = []
    for role, box in zip(given.roles, np.clip(given.xyxy, 0, size), strict=True):
        x0, y0, x1, y1 = box / size
        if (x1 - x0) * width >= 3 and (y1 - y0) * height >= 3:
            centre = f"{(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}"
            lines.append(f"{ROLES.index(role)} {centre}")
    for part in ("images", "labels"):
        (folder / part / split).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "images" / split / f"{name or given.name}.jpg"), given.picture)
    (folder / "labels" / split / f"{name or given.name}.txt").write_text("\n".join(lines))
