"""A street of our own with drawn faces, so that no picture of anybody is needed; detectors take them for faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from quitboard.detect.regions import FrameRegions, grow_head
from quitboard.records import ROLES, Detections, Picture, Role

WIDTH, HEIGHT = 640, 480
HEAD = 60  # px wide
_SKINS = ((130, 160, 205), (90, 120, 170), (75, 100, 150), (160, 185, 225))
_HAIR = ((20, 25, 35), (40, 70, 110), (90, 90, 95))


def face(seed: int, width: int = HEAD) -> Picture:
    """Draw somebody: (1.3 width, width, 3), another person for each seed."""
    side = 4 * width
    tall = int(side * 1.3)
    skin = np.array(_SKINS[seed % len(_SKINS)], float)
    hair = np.array(_HAIR[seed % len(_HAIR)], float)
    drawn = np.full((tall, side, 3), hair, np.uint8)

    def oval(x: float, y: float, a: float, b: float, colour: Iterable[float]) -> None:
        centre, axes = (int(x * side), int(y * tall)), (int(a * side), int(b * tall))
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, [float(part) for part in colour], -1, cv2.LINE_AA)

    oval(0.5, 0.55, 0.40, 0.42, skin)
    oval(0.5, 0.12, 0.42, 0.16, hair)
    for eye in (0.33, 0.67):
        oval(eye, 0.47, 0.075, 0.028, (240, 235, 235))
        oval(eye, 0.47, 0.032, 0.025, (60, 40, 40))
        oval(eye, 0.41, 0.10, 0.012, hair * 0.8)
    oval(0.5, 0.63, 0.07, 0.015, skin * 0.65)
    oval(0.5, 0.75, 0.10 + 0.02 * (seed % 4), 0.025, (90, 80, 170))
    return np.asarray(cv2.resize(cv2.GaussianBlur(drawn, (0, 0), 2), (width, int(width * 1.3))), np.uint8)


def street(seed: int = 0) -> Picture:
    """Draw an empty street with the noise of a sensor."""
    chance = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 118, np.uint8)
    cv2.rectangle(picture, (0, 0), (WIDTH, 150), (150, 160, 165), -1)
    cv2.line(picture, (0, 400), (WIDTH, 330), (215, 215, 215), 5)
    noisy = picture + chance.normal(0, 3, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def somebody(picture: Picture, seed: int, x: int, y: int, width: int = HEAD) -> Picture:
    """Return the picture with a person whose head is at (x, y), `width` px wide, and whose clothes are all alike."""
    changed = picture.copy()
    head = face(seed, width)
    tall = head.shape[0]
    cv2.rectangle(changed, (x - width // 4, y + tall), (x + width + width // 4, y + 4 * tall), (120, 90, 70), -1)
    shape = np.zeros(head.shape[:2], np.uint8)
    cv2.ellipse(shape, (width // 2, tall // 2), (int(width * 0.45), int(tall * 0.48)), 0, 0, 360, 255, -1)
    changed[y : y + tall, x : x + width][shape > 0] = head[shape > 0]
    return changed


def head_box(x: int, y: int, width: int = HEAD) -> np.ndarray:
    return np.array([x, y, x + width, y + int(1.3 * width)], float)


def person_box(x: int, y: int, width: int = HEAD) -> np.ndarray:
    return np.array([x - width // 4, y, x + width + width // 4, y + 4 * int(1.3 * width)], float)


def regions_of(x: int, y: int, width: int = HEAD) -> FrameRegions:
    """Return what a right detector would give for `somebody` at (x, y)."""
    return FrameRegions(
        width=WIDTH,
        height=HEIGHT,
        heads=grow_head(head_box(x, y, width))[None],
        plates=np.zeros((0, 4)),
        bodies=person_box(x, y, width)[None],
    )


def detections(*found: tuple[Role, np.ndarray, float]) -> Detections:
    return Detections(
        xyxy=np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
        confidence=np.array([confidence for _, _, confidence in found], np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in found], np.int64),
    )


class Told:
    """A detector that finds what it was told, whatever the pixels: what is tested does not hang on a model."""

    def __init__(self, *found: tuple[Role, np.ndarray, float]) -> None:
        self.found = found

    def detect(self, pictures: Iterable[Picture], *, min_confidence: float | None = None) -> Iterator[Detections]:
        for _ in pictures:
            yield detections(*(found for found in self.found if found[2] >= (min_confidence or 0)))


@dataclass(frozen=True)
class Frame:
    position_us: int
    picture: Picture
