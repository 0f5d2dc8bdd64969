"""How good a model is on labelled pictures: average precision, precision, recall, by class and by height in pixels.

A picture counts only for the classes that it labels: elsewhere a box is neither right nor wrong. What is found is
matched with what is labelled class by class, surest first, each label once, at each of COCO's ten overlaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from quitboard.detect.boxes import iou_matrix
from quitboard.models.intervals import Array, Figure, percentiles, resamples, wider, wilson
from quitboard.models.labelled import LabelledPicture
from quitboard.records import ROLES, Detections, FloatArray, Role

BoolArray: TypeAlias = NDArray[np.bool_]

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
HEIGHTS_PX = (0.0, 16.0, 32.0, 64.0, float("inf"))
"""Edges of the classes of height: what a head is at a street camera, and what it is in a portrait."""
_BLOCK = 100
_CURVE_POINTS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """One class in one picture: every box found, with what it is, and every box labelled."""

    confidence: FloatArray  # (n,)
    matched: BoolArray  # (n, 10) whether it is right at each of `IOUS`
    height_px: FloatArray  # (n,) of the label that it is on at IoU 0.5; its own where there is none
    label_height_px: FloatArray  # (m,)
    label_confidence: FloatArray  # (m,) of the box that found it at IoU 0.5; 0 where none did

    @property
    def right(self) -> BoolArray:
        """Whether each box is right at IoU 0.5, (n,)."""
        return np.asarray(self.matched[:, 0])

    @property
    def labelled(self) -> int:
        return len(self.label_height_px)


def match(picture: LabelledPicture, size_px: tuple[int, int], found: Detections, role: Role) -> Scored:
    """Match one class of one picture."""
    labels = labels_px(picture, size_px, role)
    mine = np.flatnonzero(found.class_id == ROLES.index(role))
    mine = mine[np.lexsort((*found.xyxy[mine].T, -found.confidence[mine]))]
    boxes, confidence = found.xyxy[mine], found.confidence[mine]
    matched = np.zeros((len(boxes), len(IOUS)), bool)
    height = (boxes[:, 3] - boxes[:, 1]).astype(np.float32)
    found_at = np.zeros(len(labels), np.float32)
    label_height = (labels[:, 3] - labels[:, 1]).astype(np.float32)
    if len(labels) and len(boxes):
        overlap = iou_matrix(boxes, labels)
        for column, least in enumerate(IOUS):
            free = np.ones(len(labels), bool)
            for row in np.flatnonzero(overlap.max(axis=1) >= least):
                best = int(np.where(free, overlap[row], -1.0).argmax())
                if free[best] and overlap[row, best] >= least:
                    matched[row, column], free[best] = True, False
                    if column == 0:
                        height[row], found_at[best] = label_height[best], confidence[row]
    return Scored(
        confidence=confidence,
        matched=matched,
        height_px=height,
        label_height_px=label_height,
        label_confidence=found_at,
    )


def labels_px(picture: LabelledPicture, size_px: tuple[int, int], role: Role) -> FloatArray:
    """Return the labelled boxes of a class in pixels of a picture of (width, height), shape (n, 4)."""
    chosen = picture.xyxy[[one is role for one in picture.roles]].reshape(-1, 4)
    return np.asarray(chosen * np.array(size_px * 2, np.float32), np.float32)


# --- average precision -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """All boxes of a class over all pictures, surest first."""

    confidence: Array  # (n,) falling
    right: BoolArray  # (n, 10)
    group: NDArray[np.int64]  # (n,) number of the picture
    labels: Array  # (pictures,) how many each labels
    steps: NDArray[np.int64]  # last box of each run of equal confidence: between equals there is no order

    @classmethod
    def of(cls, rows: Sequence[Scored], between_px: tuple[float, float] = (0.0, float("inf"))) -> Ranking:
        """Rank what is found, and count what is labelled, between two heights in pixels."""
        low, high = between_px
        kept = [(row.height_px >= low) & (row.height_px < high) for row in rows]
        confidence = np.concatenate([row.confidence[k] for row, k in zip(rows, kept, strict=True)]).astype(np.float64)
        right = np.concatenate([row.matched[k] for row, k in zip(rows, kept, strict=True)])
        group = np.repeat(np.arange(len(rows)), [int(k.sum()) for k in kept])
        order = np.argsort(-confidence, kind="stable")
        confidence = confidence[order]
        return cls(
            confidence=confidence,
            right=right[order],
            group=group[order],
            labels=np.array(
                [((row.label_height_px >= low) & (row.label_height_px < high)).sum() for row in rows], np.float64
            ),
            steps=np.flatnonzero(np.append(np.diff(confidence) < 0, True)) if len(confidence) else np.zeros(0, int),
        )

    def average_precision(self, weights: Array, column: int = 0) -> Array:
        """Return the area under the precision envelope over recall for each row of picture weights, shape (rows,).

        The all-point form of Pascal VOC 2010 and, but for its 101 recalls, of COCO. nan where nothing is labelled.
        """
        labelled = weights @ self.labels
        if not len(self.confidence):
            return np.where(labelled > 0, 0.0, np.nan)
        parts = [self._area(block, column) for block in np.array_split(weights, -(-len(weights) // _BLOCK))]
        return np.where(labelled > 0, np.concatenate(parts) / np.where(labelled > 0, labelled, 1), np.nan)

    def _area(self, weights: Array, column: int) -> Array:
        drawn = weights[:, self.group]
        hits = np.cumsum(drawn * self.right[:, column], axis=1)[:, self.steps]
        precision = hits / np.maximum(np.cumsum(drawn, axis=1)[:, self.steps], 1e-12)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return np.asarray((envelope * np.diff(hits, prepend=0.0)).sum(axis=1))

    def at(self, weights: Array, threshold: float) -> tuple[Array, Array]:
        """Return precision and recall above a confidence for each row of picture weights, each of shape (rows,)."""
        above = self.confidence > threshold
        found = weights @ np.bincount(self.group[above], minlength=len(self.labels))
        hits = weights @ np.bincount(self.group[above & self.right[:, 0]], minlength=len(self.labels))
        labelled = weights @ self.labels
        with np.errstate(invalid="ignore", divide="ignore"):
            return hits / found, hits / labelled

    def curve(self) -> list[tuple[float, float, float]]:
        """Return (recall, precision, confidence) at IoU 0.5, thinned to what a chart shows."""
        total = self.labels.sum()
        if not len(self.confidence) or not total:
            return []
        hits = np.cumsum(self.right[:, 0])[self.steps]
        found = self.steps + 1
        chosen = np.unique(np.linspace(0, len(found) - 1, min(_CURVE_POINTS, len(found))).astype(int))
        return [
            (float(hits[n] / total), float(hits[n] / found[n]), float(self.confidence[self.steps[n]])) for n in chosen
        ]


# --- figures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightFigures:
    """A class between two heights in pixels."""

    from_px: float
    to_px: float
    ap50: Figure
    precision: Figure
    recall: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFigures:
    """A class over all pictures that label it; `n` of AP and recall is labels, of precision what was found."""

    pictures: int
    threshold: float
    ap50: Figure
    ap50_95: Figure
    precision: Figure
    recall: Figure
    heights: tuple[HeightFigures, ...]
    curve: tuple[tuple[float, float, float], ...]  # recall, precision, confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFigures:
    by_role: Mapping[Role, RoleFigures]
    map50: Figure  # mean over classes; n is classes
    map50_95: Figure


def figures(scored: Mapping[Role, Sequence[Scored | None]], thresholds: Mapping[Role, float]) -> PictureFigures:
    """Measure every class that some picture labels.

    Intervals are percentiles of 1,000 bootstrap resamples of whole pictures, the same for all classes, since boxes of
    one picture are not independent; those of precision and recall are widened to Wilson's.

    Args:
        scored: for each class one entry a picture, in one order; None where the picture does not label the class.
        thresholds: the confidence at which precision and recall are told.
    """
    pictures = max((len(rows) for rows in scored.values()), default=0)
    drawn = resamples(pictures)
    by_role: dict[Role, RoleFigures] = {}
    samples: list[tuple[Array, Array]] = []
    for role in ROLES:
        rows = scored.get(role, ())
        own = [n for n, row in enumerate(rows) if row is not None]
        mine = [row for row in rows if row is not None]
        if sum(row.labelled for row in mine):
            by_role[role], sample = _role(mine, drawn[:, own], thresholds.get(role, 0.25))
            samples.append(sample)
    means = [np.array([sample[k] for sample in samples]).mean(axis=0) for k in (0, 1)] if samples else [drawn[:0]] * 2
    return PictureFigures(
        by_role=by_role,
        map50=_mean([one.ap50 for one in by_role.values()], means[0]),
        map50_95=_mean([one.ap50_95 for one in by_role.values()], means[1]),
    )


def _role(rows: Sequence[Scored], drawn: Array, threshold: float) -> tuple[RoleFigures, tuple[Array, Array]]:
    ranking = Ranking.of(rows)
    whole = np.ones((1, len(rows)))
    fine = np.mean([ranking.average_precision(drawn, column) for column in range(len(IOUS))], axis=0)
    exact = float(np.mean([ranking.average_precision(whole, column)[0] for column in range(len(IOUS))]))
    coarse = ranking.average_precision(drawn)
    n = int(ranking.labels.sum())
    precision, recall = _at(ranking, drawn, threshold)
    heights = []
    for low, high in pairwise(HEIGHTS_PX):
        part = Ranking.of(rows, (low, high))
        if part.labels.sum():
            ap50 = _figure(part.average_precision(whole)[0], part.average_precision(drawn), int(part.labels.sum()))
            told = _at(part, drawn, threshold)
            heights.append(HeightFigures(from_px=low, to_px=high, ap50=ap50, precision=told[0], recall=told[1]))
    made = RoleFigures(
        pictures=len(rows),
        threshold=threshold,
        ap50=_figure(ranking.average_precision(whole)[0], coarse, n),
        ap50_95=_figure(exact, fine, n),
        precision=precision,
        recall=recall,
        heights=tuple(heights),
        curve=tuple(ranking.curve()),
    )
    return made, (coarse, fine)


def _at(ranking: Ranking, drawn: Array, threshold: float) -> tuple[Figure, Figure]:
    above = ranking.confidence > threshold
    hits, found, labelled = int(ranking.right[above, 0].sum()), int(above.sum()), int(ranking.labels.sum())
    precision, recall = ranking.at(drawn, threshold)
    pairs = ((wilson(hits, found), precision), (wilson(hits, labelled), recall))
    told = [wider(_figure(share.value, sample, share.n), share) for share, sample in pairs]
    return told[0], told[1]


def _figure(value: float, sample: Array, n: int) -> Figure:
    low, high = percentiles(sample)
    return Figure(value=float(value), low=low, high=high, n=n)


def _mean(of: Sequence[Figure], sample: Array) -> Figure:
    return _figure(float(np.mean([one.value for one in of])) if of else float("nan"), np.asarray(sample), len(of))


# --- helmet or bare head ---------------------------------------------------------------------------------------------

HEAD_ROLES = (Role.HELMET, Role.HEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One box that is wrong or missing: what the worst pictures are chosen by."""

    kind: str  # "false", "double" (of a label that is found), "missed", or "helmet taken for head"
    role: Role
    confidence: float  # of the box found; 0 for a missed label
    xyxy: tuple[float, float, float, float]  # px

    @property
    def height_px(self) -> float:
        return self.xyxy[3] - self.xyxy[1]


def heads_confused(
    picture: LabelledPicture, size_px: tuple[int, int], found: Detections, thresholds: Mapping[Role, float]
) -> Iterator[tuple[Role, Role | None]]:
    """Yield (labelled, said) for each head of a picture that labels both helmets and heads; None where not found.

    Each label gets the surest box of either class on it, by half or more.
    """
    if not set(HEAD_ROLES) <= picture.labelled:
        return
    kept = above(found, thresholds)
    of_heads = np.isin(kept.class_id, [ROLES.index(role) for role in HEAD_ROLES])
    boxes, said, sure = kept.xyxy[of_heads], kept.class_id[of_heads], kept.confidence[of_heads]
    for role in HEAD_ROLES:
        for overlap in iou_matrix(labels_px(picture, size_px, role), boxes):
            on = np.flatnonzero(overlap >= IOUS[0])
            yield role, ROLES[said[on[sure[on].argmax()]]] if len(on) else None


def above(found: Detections, thresholds: Mapping[Role, float]) -> Detections:
    """Return the boxes above their class's threshold."""
    least = np.array([thresholds.get(role, 1.0) for role in ROLES], np.float32)
    return found.only(found.confidence > least[found.class_id])


def mistakes(
    picture: LabelledPicture, size_px: tuple[int, int], found: Detections, thresholds: Mapping[Role, float]
) -> list[Mistake]:
    """Return what is wrong in one picture at the thresholds, the confusions of helmet and head apart."""
    kept = above(found, thresholds)
    false: list[Mistake] = []
    missed: list[Mistake] = []
    for role in sorted(picture.labelled):
        own = match(picture, size_px, kept, role)
        mine = np.flatnonzero(kept.class_id == ROLES.index(role))
        mine = mine[np.lexsort((*kept.xyxy[mine].T, -kept.confidence[mine]))]
        labels = labels_px(picture, size_px, role)
        overlap = iou_matrix(kept.xyxy[mine], labels)
        for row in np.flatnonzero(~own.right):
            kind = "double" if (overlap[row] >= IOUS[0]).any() else "false"
            box = _tuple(kept.xyxy[mine[row]])
            false.append(Mistake(kind=kind, role=role, confidence=float(own.confidence[row]), xyxy=box))
        missed += [
            Mistake(kind="missed", role=role, confidence=0.0, xyxy=_tuple(box))
            for box in labels[own.label_confidence == 0]
        ]
    turned: list[Mistake] = []
    for one in [one for one in false if one.role in HEAD_ROLES and one.kind == "false"]:
        other = next(
            (
                lost
                for lost in missed
                if lost.role in HEAD_ROLES
                and lost.role is not one.role
                and iou_matrix(np.array([one.xyxy], np.float32), np.array([lost.xyxy], np.float32))[0, 0] >= IOUS[0]
            ),
            None,
        )
        if other:
            false.remove(one)
            missed.remove(other)
            kind = f"{other.role} taken for {one.role}"
            turned.append(Mistake(kind=kind, role=other.role, confidence=one.confidence, xyxy=other.xyxy))
    return [*turned, *false, *missed]


def _tuple(box: FloatArray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(value), 1) for value in box)
    return x1, y1, x2, y2
