"""Measuring a model on labelled pictures, through the code that `detect` runs.

Ways side by side: the detector alone; with the closer look at riders' heads that `detect` takes; and, where a model
comes with a network for it, with what heads wear judged apart. What is measured is what is shipped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import cv2
import numpy as np

from quitboard.detect.boxes import iou_matrix
from quitboard.detect.closer import look_closer
from quitboard.detect.look import MIN_CONFIDENCE
from quitboard.detect.model import Detector
from quitboard.models.labelled import LabelledPicture
from quitboard.models.pictures import (
    HEAD_ROLES,
    Mistake,
    PictureFigures,
    Scored,
    above,
    figures,
    heads_confused,
    match,
    mistakes,
)
from quitboard.records import ROLES, Detections, Picture, Role, SetAside

LOWEST_CONFIDENCE = 0.005
ALONE = "detector alone"
CLOSER = "with the closer look"
JUDGED = "with heads judged apart"
WAYS = (ALONE, CLOSER, JUDGED)
_CHUNK = 8
_TWIN_IOU = 0.35
_LEAST_PROBABLE = 0.5
"""A head that the judge gives to neither helmet nor bare with this much is unclear: it is said of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One picture as one way sees it, for a reader's eye."""

    picture: LabelledPicture
    size_px: tuple[int, int]
    found: Detections  # above the thresholds
    mistakes: tuple[Mistake, ...]


@dataclass(slots=True, kw_only=True)
class _Way:
    scored: dict[Role, list[Scored | None]] = field(default_factory=lambda: {role: [] for role in ROLES})
    heads: Counter[tuple[Role, Role | None]] = field(default_factory=Counter)
    seen: list[Seen] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One way over all pictures."""

    way: str
    figures: PictureFigures
    heads: Mapping[tuple[Role, Role | None], int]  # (labelled, said) -> heads
    seen: tuple[Seen, ...]  # pictures with a mistake in them
    ms: float  # processor time of a picture, decoding aside


def measure(
    detector: Detector,
    pictures: Sequence[LabelledPicture],
    *,
    ways: Sequence[str] = WAYS,
    thresholds: Mapping[Role, float] | None = None,
    advanced: Callable[[], None] = lambda: None,
) -> tuple[list[Measured], list[SetAside]]:
    """Run the detector over pictures and measure each way; pictures that cannot be read are set aside.

    The sweep of confidences begins at 0.005.

    Args:
        thresholds: the confidence above which precision, recall and mistakes are told; the card's when None.
        advanced: is called after each picture.
    """
    told = thresholds or detector.thresholds
    kept = {way: _Way() for way in ways if way != JUDGED or detector.headwear is not None}
    set_aside: list[SetAside] = []
    opened = _opened(pictures, set_aside)
    while chunk := list(islice(opened, _CHUNK)):
        began = time.process_time()
        firsts = list(detector.detect((content for _, content in chunk), min_confidence=LOWEST_CONFIDENCE))
        alone_s = time.process_time() - began
        looked = firsts
        if set(kept) - {ALONE}:
            looked = [_closer(content, first, detector) for (_, content), first in zip(chunk, firsts, strict=True)]
        closer_s = time.process_time() - began
        for name, way in kept.items():
            way.seconds += alone_s if name == ALONE else closer_s
            found = {ALONE: firsts, CLOSER: looked}.get(name) or [judged(one) for one in looked]
            for (picture, content), detections in zip(chunk, found, strict=True):
                _keep(way, picture, (content.shape[1], content.shape[0]), detections, told)
        for _ in chunk:
            advanced()
    read = max(1, len(pictures) - len(set_aside))
    measured = [
        Measured(
            way=name,
            figures=figures(way.scored, told),
            heads=dict(way.heads),
            seen=tuple(way.seen),
            ms=1000 * way.seconds / read,
        )
        for name, way in kept.items()
    ]
    return measured, set_aside


def _opened(
    pictures: Iterable[LabelledPicture], set_aside: list[SetAside]
) -> Iterator[tuple[LabelledPicture, Picture]]:
    for picture in pictures:
        try:
            content = cv2.imdecode(np.fromfile(picture.path, np.uint8), cv2.IMREAD_COLOR)
        except (OSError, cv2.error):
            content = None
        if content is None:
            set_aside.append(SetAside(name=picture.name, reason="not a picture that can be read", todo="Mend it"))
        else:
            yield picture, np.asarray(content, np.uint8)


def _closer(content: Picture, first: Detections, detector: Detector) -> Detections:
    """Look as `detect` looks: what is too weak for it neither chooses a crop nor displaces a box; it ends the sweep."""
    strong = first.confidence >= MIN_CONFIDENCE
    looked = look_closer(content, first.only(strong), detector, min_confidence=MIN_CONFIDENCE)
    weak = first.only(~strong)
    return Detections.joined([looked, weak])


def judged(found: Detections) -> Detections:
    """Return heads that were judged apart as the judge says: one box a head, as sure as the detector was of it."""
    if found.wear is None:
        return found
    mine = np.flatnonzero(~np.isnan(found.wear).any(axis=1))
    heads: list[int] = []
    for row in mine[np.argsort(-found.confidence[mine], kind="stable")]:
        if not (iou_matrix(found.xyxy[[row]], found.xyxy[heads]) > _TWIN_IOU).any():
            heads.append(int(row))
    told = [row for row in heads if found.wear[row].max() >= _LEAST_PROBABLE]
    rest = np.setdiff1d(np.arange(len(found)), mine)
    class_id = found.class_id.copy()
    class_id[told] = [ROLES.index(HEAD_ROLES[found.wear[row].argmax()]) for row in told]
    return replace(found, class_id=class_id).only(np.sort(np.append(rest, told).astype(np.int64)))


def _keep(
    way: _Way,
    picture: LabelledPicture,
    size_px: tuple[int, int],
    found: Detections,
    thresholds: Mapping[Role, float],
) -> None:
    for role in ROLES:
        way.scored[role].append(match(picture, size_px, found, role) if role in picture.labelled else None)
    way.heads.update(heads_confused(picture, size_px, found, thresholds))
    if wrong := mistakes(picture, size_px, found, thresholds):
        way.seen.append(Seen(picture=picture, size_px=size_px, found=above(found, thresholds), mistakes=tuple(wrong)))
