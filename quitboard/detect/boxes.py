"""Boxes without a model: fitting a picture to a network's input, reading its raw output, suppressing doubles.

Everything here is pure. The geometry is that of ultralytics' `LetterBox` and `scale_boxes` (8.4), so that weights
trained there see here exactly what they saw in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from quitboard.records import Detections, FloatArray, IntArray, Picture

_PADDING_GREY = 114
MAX_CANDIDATES = 3000
"""Boxes of one picture that enter suppression; the surest are taken."""
MAX_DETECTIONS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How a picture lies on the network's canvas: scaled with its aspect kept, centred, padded with grey. All in px."""

    width: int
    height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int
    picture_width: int
    picture_height: int

    def blob(self, picture: Picture) -> FloatArray:
        """Return the network's input for a BGR picture: float32 RGB 0-1 of shape (1, 3, height, width)."""
        scaled = picture
        if (self.scaled_height, self.scaled_width) != picture.shape[:2]:
            scaled = cv2.resize(picture, (self.scaled_width, self.scaled_height), interpolation=cv2.INTER_LINEAR)
        canvas = np.full((self.height, self.width, 3), _PADDING_GREY, np.uint8)
        canvas[self.top : self.top + self.scaled_height, self.left : self.left + self.scaled_width] = scaled
        return np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True), np.float32)

    def to_picture(self, xyxy: FloatArray) -> FloatArray:
        """Move boxes (n, 4) from the canvas to the full-size picture and clip them to it."""
        gain_x = self.scaled_width / self.picture_width
        gain_y = self.scaled_height / self.picture_height
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        gain = np.array([gain_x, gain_y, gain_x, gain_y], np.float32)
        limit = np.array([self.picture_width, self.picture_height] * 2, np.float32)
        return np.asarray(np.clip((xyxy - offset) / gain, 0, limit), np.float32)


def letterbox(
    width: int, height: int, *, imgsz: int, stride: int = 32, canvas: tuple[int, int] | None = None
) -> Letterbox:
    """Plan how a picture of `width` x `height` px goes into a network.

    Args:
        imgsz: longest side of the network's input, rounded up to a multiple of `stride`.
        stride: both sides of the canvas are multiples of it; only the padding needed for that is added.
        canvas: (height, width) of a network whose input size is fixed; then `imgsz` and `stride` have no say.
    """
    side = -(-imgsz // stride) * stride
    full_height, full_width = canvas or (side, side)
    ratio = min(full_height / height, full_width / width)
    scaled_width, scaled_height = max(round(width * ratio), 1), max(round(height * ratio), 1)
    pad_x, pad_y = full_width - scaled_width, full_height - scaled_height
    if canvas is None:
        pad_x, pad_y = pad_x % stride, pad_y % stride
    return Letterbox(
        width=scaled_width + pad_x,
        height=scaled_height + pad_y,
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        left=round(pad_x / 2 - 0.1),
        top=round(pad_y / 2 - 0.1),
        picture_width=width,
        picture_height=height,
    )


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return intersection over union of every box of `a` (n, 4) with every one of `b` (m, 4), as (n, m), 0-1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), np.float32)


def suppress(xyxy: FloatArray, confidence: FloatArray, class_id: IntArray, *, iou: float) -> IntArray:
    """Greedy non-maximum suppression within each class.

    Returns indices of the kept boxes, surest first; equal confidences keep their order, so the result is one for
    all runs. A box goes when it overlaps a surer one of its class by more than `iou`.
    """
    order = np.argsort(-confidence, kind="stable")[:MAX_CANDIDATES]
    kept: list[int] = []
    while order.size and len(kept) < MAX_DETECTIONS:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        overlap = iou_matrix(xyxy[best : best + 1], xyxy[rest])[0]
        order = rest[(overlap <= iou) | (class_id[rest] != class_id[best])]
    return np.array(kept, np.int64)


def decode(
    raw: FloatArray, plan: Letterbox, *, role_of_class: IntArray, min_confidence: FloatArray, iou: float
) -> Detections:
    """Turn a YOLO head's output into detections in the full-size picture.

    Args:
        raw: (4 + classes, anchors): centre x, centre y, width, height in canvas px, then a score for each class.
        plan: how the picture was laid on the canvas.
        role_of_class: (classes,) index into `records.ROLES`, or -1 for a class that means nothing to QuitBoard.
        min_confidence: (classes,) a box is kept above it.
        iou: overlap above which the less sure of two boxes of one role is dropped.
    """
    scores = raw[4:]
    model_class = scores.argmax(axis=0)
    confidence = np.take_along_axis(scores, model_class[None], axis=0)[0]
    role = role_of_class[model_class]
    chosen = np.flatnonzero((confidence > min_confidence[model_class]) & (role >= 0))
    centre, half = raw[:2, chosen].T, raw[2:4, chosen].T / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    confidence, class_id = confidence[chosen].astype(np.float32), role[chosen].astype(np.int64)
    kept = suppress(xyxy, confidence, class_id, iou=iou)
    return Detections(xyxy=plan.to_picture(xyxy[kept]), confidence=confidence[kept], class_id=class_id[kept])
