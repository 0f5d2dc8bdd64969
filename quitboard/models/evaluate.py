"""How good a model is on labelled pictures: precision, recall and AP50 by class, with intervals.

Runs through our own `Detector`, the one that `detect` uses, so the figures are of what is shipped. A picture counts
only for the classes that it labels: elsewhere a box is neither right nor wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.boxes import iou_matrix
from quitboard.detect.model import Detector
from quitboard.errors import NothingUsable
from quitboard.records import ROLES, Detections, FloatArray, Picture, Role

BoolArray: TypeAlias = NDArray[np.bool_]

MATCH_IOU = 0.5
LOWEST_CONFIDENCE = 0.005
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """One class in one picture: every box found with its confidence, whether it is right, and how many there are."""

    confidence: FloatArray  # (n,)
    right: BoolArray  # (n,)
    labelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class over all pictures that label it."""

    n: int  # labelled boxes
    pictures: int
    ap50: float
    ap50_low: float  # 95 % interval
    ap50_high: float
    precision: float  # at the given confidence
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPicture:
    path: Path
    roles: tuple[Role, ...]
    xyxy: FloatArray  # (n, 4) as shares of width and height
    labelled: frozenset[Role]


def labelled_pictures(folder: Path, split: str, names: Sequence[str] | None = None) -> list[LabelledPicture]:
    """Read a set in YOLO's format, with `manifest.csv`'s `labelled_classes` where there is one.

    Args:
        folder: the set, with `images/<split>` and `labels/<split>`.
        names: class names by number, `records.ROLES` when None; one that is no role is left out.

    Raises:
        NothingUsable: the split holds no picture.
    """
    roles = [Role(name) if name in set(ROLES) else None for name in (names or ROLES)]
    known: dict[str, frozenset[Role]] = {}
    manifest = folder / "manifest.csv"
    if manifest.is_file():
        with manifest.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                listed = {name.strip() for name in row["labelled_classes"].split(",")}
                known[row["path"]] = frozenset(role for role in ROLES if role in listed)
    pictures = []
    for path in sorted((folder / "images" / split).glob("*")):
        labels: list[tuple[Role, tuple[float, ...]]] = []
        for line in (folder / "labels" / split / f"{path.stem}.txt").read_text("utf-8").splitlines():
            number, x, y, width, height = (float(part) for part in line.split())
            if role := roles[int(number)]:
                labels.append((role, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
        pictures.append(
            LabelledPicture(
                path=path,
                roles=tuple(role for role, _ in labels),
                xyxy=np.array([box for _, box in labels], np.float32).reshape(-1, 4),
                labelled=known.get(f"images/{split}/{path.name}", frozenset() if known else frozenset(ROLES)),
            )
        )
    if not pictures:
        raise NothingUsable("no labelled picture", where=f"{folder.name}/{split}", todo="Give a set in YOLO's format")
    return pictures


def score(detector: Detector, pictures: Sequence[LabelledPicture]) -> dict[Role, list[Scored]]:
    """Run the detector once over all pictures and match what it finds, class by class; the sweep begins at 0.005.

    Raises:
        NothingUsable: a picture cannot be read.
    """
    scored: dict[Role, list[Scored]] = {role: [] for role in ROLES}
    sizes: list[tuple[int, int]] = []

    def opened() -> Iterator[Picture]:
        for picture in pictures:
            content = cv2.imread(str(picture.path), cv2.IMREAD_COLOR)
            if content is None:
                raise NothingUsable("a picture cannot be read", where=picture.path.name, todo="Mend or remove it")
            sizes.append((content.shape[1], content.shape[0]))
            yield np.asarray(content, np.uint8)

    found = detector.detect(opened(), min_confidence=LOWEST_CONFIDENCE)
    for index, detections in enumerate(found):
        for role in pictures[index].labelled:
            scored[role].append(_score(pictures[index], sizes[index], detections, role))
    return {role: rows for role, rows in scored.items() if any(row.labelled for row in rows)}


def evaluate(
    detector: Detector, pictures: Sequence[LabelledPicture], *, confidence: Mapping[Role, float] | float, seed: int = 0
) -> dict[Role, ClassFigures]:
    """Measure every class that some picture labels.

    AP50 is the area under the precision envelope over all recalls (Pascal VOC 2010 on, COCO at IoU 0.5). Intervals
    are percentiles of 1,000 bootstrap resamples of whole pictures, since boxes of one picture are not independent.

    Args:
        confidence: threshold at which precision and recall are told, one for all or by class.
        seed: of the bootstrap.

    Raises:
        NothingUsable: a picture cannot be read.
    """
    return {
        role: _figures(
            rows, confidence if isinstance(confidence, float) else confidence[role], np.random.default_rng(seed)
        )
        for role, rows in score(detector, pictures).items()
    }


def _score(picture: LabelledPicture, size_px: tuple[int, int], found: Detections, role: Role) -> Scored:
    """Match surest first; each label is found once, by the box that overlaps it most, at IoU 0.5 or more."""
    labels = picture.xyxy[[one is role for one in picture.roles]].reshape(-1, 4) * np.array(size_px * 2, np.float32)
    mine = found.class_id == ROLES.index(role)
    boxes, confidence = found.xyxy[mine], found.confidence[mine]
    right = np.zeros(len(boxes), bool)
    if len(labels):
        overlap = iou_matrix(boxes, labels)
        for row in range(len(boxes)):
            best = int(overlap[row].argmax())
            if overlap[row, best] >= MATCH_IOU:
                right[row] = True
                overlap[:, best] = 0
    return Scored(confidence=confidence, right=right, labelled=len(labels))


def _figures(rows: Sequence[Scored], threshold: float, rng: np.random.Generator) -> ClassFigures:
    whole = at_threshold(rows, threshold)
    resampled = [
        at_threshold([rows[i] for i in rng.integers(len(rows), size=len(rows))], threshold) for _ in range(_RESAMPLES)
    ]
    low, high = np.array([_interval(column) for column in np.array(resampled).T]).T
    return ClassFigures(
        n=sum(row.labelled for row in rows),
        pictures=len(rows),
        ap50=whole[0],
        ap50_low=float(low[0]),
        ap50_high=float(high[0]),
        precision=whole[1],
        precision_low=float(low[1]),
        precision_high=float(high[1]),
        recall=whole[2],
        recall_low=float(low[2]),
        recall_high=float(high[2]),
    )


def _interval(values: FloatArray) -> tuple[float, float]:
    told = values[np.isfinite(values)]
    if not told.size:
        return float("nan"), float("nan")
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def at_threshold(rows: Sequence[Scored], threshold: float) -> tuple[float, float, float]:
    """Return AP50, precision and recall; nan where nothing is found (precision) or labelled (the others)."""
    confidence = np.concatenate([row.confidence for row in rows])
    right = np.concatenate([row.right for row in rows])
    labelled = sum(row.labelled for row in rows)
    above = confidence > threshold
    precision = float(right[above].mean()) if above.any() else float("nan")
    if not labelled:
        return float("nan"), precision, float("nan")
    return average_precision(confidence, right, labelled), precision, float(right[above].sum() / labelled)


def average_precision(confidence: FloatArray, right: BoolArray, labelled: int) -> float:
    """Return the area under the precision envelope over recall, 0-1."""
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(hits / labelled, prepend=0.0)
    return float((envelope * steps).sum())
