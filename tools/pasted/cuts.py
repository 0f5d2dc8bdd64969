"""People cut out of photos: an outline drawn by hand says roughly where they are, GrabCut where exactly."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TABLE = Path(__file__).with_name("riders.toml")
UPSCALED = 3
"""The photos are small: outlines are found at this multiple of their size."""
_SLACK_PX = 2.5
"""How far the hand-drawn outline may be off, in px of the photo."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A person, with a vehicle or without, free of background. Boxes xyxy in px of `colour`."""

    name: str
    picture: str  # the photo's path below the data folder
    trained: bool  # the photo may be part of a training set
    wears: str  # helmet, or what else is on the head
    faces: str  # left, right, near, far
    colour: np.ndarray  # (height, width, 3) BGR 0-255, also beyond the edge in the colours of the edge
    alpha: np.ndarray  # (height, width) 0-1, person and vehicle
    body: np.ndarray  # (height, width) 0-1, the person alone
    person: np.ndarray
    head: np.ndarray
    scooter: np.ndarray | None

    @property
    def tall(self) -> float:
        """Height of the person in px."""
        return float(self.person[3] - self.person[1])


def cuts(data: Path) -> dict[str, Cut]:
    """Return all people of the table, by name; walkers are those whose name begins with w.

    Args:
        data: the folder that holds `quitset/` and `unlabelled/`.
    """
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return {row["name"]: cut(data, row) for row in (*table["rider"], *table["walker"])}


def cut(data: Path, row: Mapping[str, Any]) -> Cut:
    photo = cv2.imread(str(data / row["picture"]))
    if photo is None:
        raise FileNotFoundError(data / row["picture"])
    height, width = photo.shape[:2]
    outline = np.array(row["body"], float).reshape(-1, 2)
    lines, wheels = row.get("lines", ()), row.get("wheels", ())
    scooter = np.array(row["scooter"], float) if "scooter" in row else None
    whole = np.vstack([outline, scooter.reshape(2, 2)]) if scooter is not None else outline
    low = np.maximum(np.floor(whole.min(axis=0)) - 8, 0).astype(int)
    high = np.minimum(np.ceil(whole.max(axis=0)) + 8, [width, height]).astype(int)
    size = (high - low) * UPSCALED
    part = cv2.resize(photo[low[1] : high[1], low[0] : high[0]], tuple(map(int, size)), interpolation=cv2.INTER_CUBIC)

    body = _filled(part.shape[:2], (outline - low) * UPSCALED)
    thin = np.zeros(part.shape[:2], np.uint8)
    for x0, y0, x1, y1, wide in lines:
        ends = [tuple(np.round((np.array(p) - low) * UPSCALED).astype(int).tolist()) for p in ((x0, y0), (x1, y1))]
        cv2.line(thin, ends[0], ends[1], 1, max(1, round(wide * UPSCALED)))
    for x, y, radius in wheels:
        at = tuple(np.round((np.array((x, y)) - low) * UPSCALED).astype(int).tolist())
        cv2.circle(thin, at, round(radius * UPSCALED), 1, -1)
    alpha = _refined(part, body, thin)
    person_alpha = alpha * cv2.GaussianBlur(_grown(body, _SLACK_PX).astype(np.float32), (0, 0), 1.0)
    offset = np.array([*low, *low])

    def inside(box: np.ndarray) -> np.ndarray:
        return (box - offset) * UPSCALED

    return Cut(
        name=row["name"],
        picture=row["picture"],
        trained=row["trained"],
        wears=row["wears"],
        faces=row["faces"],
        colour=_spread(part, alpha),
        alpha=alpha,
        body=person_alpha,
        person=_extent(person_alpha),
        head=inside(np.array(row["head"], float)),
        scooter=None if scooter is None else inside(scooter),
    )


def _refined(part: np.ndarray, body: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """GrabCut where the hand's outline leaves doubt: the band around its edge."""
    mask = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
    mask[_grown(body, _SLACK_PX) > 0] = cv2.GC_PR_BGD
    mask[_grown(thin, 1.2) > 0] = cv2.GC_PR_BGD
    mask[body > 0] = cv2.GC_PR_FGD
    mask[thin > 0] = cv2.GC_PR_FGD
    mask[_shrunk(body, _SLACK_PX) > 0] = cv2.GC_FGD
    mask[_shrunk(thin, 0.8) > 0] = cv2.GC_FGD
    cv2.setRNGSeed(0)
    cv2.grabCut(part, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.clip(cv2.GaussianBlur(found.astype(np.float32), (0, 0), 1.6) * 1.35 - 0.3, 0, 1)


def _spread(part: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Carry the colours of what is surely inside outwards, so that no rim of the old background comes along."""
    sure = (alpha > 0.95).astype(np.uint8)
    sure = cv2.erode(sure, np.ones((3, 3), np.uint8)) if sure.sum() > 100 else sure
    _, label = cv2.distanceTransformWithLabels(1 - sure, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros((label.max() + 1, 3), np.uint8)
    owner[label[sure > 0]] = part[sure > 0]
    away = cv2.distanceTransform(1 - sure, cv2.DIST_L2, 3)[..., None]
    keep = np.clip(1 - away / (1.5 * UPSCALED), 0, 1)
    return (part * keep + owner[label] * (1 - keep)).astype(np.float32)


def _filled(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1,))
    return mask


def _grown(mask: np.ndarray, px: float) -> np.ndarray:
    return cv2.dilate(mask, _disc(px))


def _shrunk(mask: np.ndarray, px: float) -> np.ndarray:
    return cv2.erode(mask, _disc(px))


def _disc(px: float) -> np.ndarray:
    side = 2 * max(1, round(px * UPSCALED)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _extent(alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(alpha.max(axis=1) > 0.5), np.flatnonzero(alpha.max(axis=0) > 0.5)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
