"""Riders cut from photos and pasted into street scenes at the size that a street camera sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from quitboard.models.samples import HEADS, Boxes, Sample, degraded
from quitboard.records import FloatArray, Picture, Role

SCOOTER_KEPT = 0.16
"""Of the scooter's box below the rider's knees, the share that must survive the cutting: thin parts get lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A rider on a scooter without background. Boxes in px of the cut."""

    picture: Picture
    alpha: FloatArray  # (height, width) 0-1
    person: Boxes
    scooter: Boxes
    head: Boxes
    head_role: Role


def cutouts(given: Sample) -> Iterator[Cutout]:
    """Cut out every rider: a person over a scooter, both ending near the same ground, with a known head."""
    for person in given.of(Role.PERSON):
        tall = person[3] - person[1]
        heads = [
            (role, box)
            for role, box in zip(given.roles, given.xyxy, strict=True)
            if role in HEADS and _holds(person, box) and (box[1] + box[3]) / 2 < person[1] + 0.3 * tall
        ]
        for scooter in given.of(Role.SCOOTER):
            shared = min(person[2], scooter[2]) - max(person[0], scooter[0])
            narrow = min(person[2] - person[0], scooter[2] - scooter[0])
            rides = shared > 0.5 * narrow and abs(person[3] - scooter[3]) < 0.2 * tall
            if not rides or len(heads) != 1 or tall < 90 or scooter[3] - scooter[1] > 0.95 * tall:
                continue
            cut = _cut(given.picture, person, scooter, *heads[0])
            if _scooter_kept(cut) > SCOOTER_KEPT:
                yield cut


def _cut(picture: Picture, person: Boxes, scooter: Boxes, role: Role, head: Boxes) -> Cutout:
    height, width = picture.shape[:2]
    low = np.floor(np.maximum(np.minimum(person[:2], scooter[:2]) - 6, 0)).astype(int)
    high = np.ceil(np.minimum(np.maximum(person[2:], scooter[2:]) + 6, [width, height])).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]].copy()
    mask = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
    offset = np.array([*low, *low])
    person, scooter, head = person - offset, scooter - offset, head - offset
    for box in (person, scooter):
        x0, y0, x1, y1 = np.maximum(box, 0).astype(int)
        mask[y0:y1, x0:x1] = cv2.GC_PR_FGD
    x0, y0, x1, y1 = person
    sure = [x0 + 0.38 * (x1 - x0), y0 + 0.05 * (y1 - y0), x0 + 0.62 * (x1 - x0), y0 + 0.55 * (y1 - y0)]
    a, b, c, d = (int(value) for value in sure)
    mask[b:d, a:c] = cv2.GC_FGD
    cv2.grabCut(part, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    alpha = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    alpha = cv2.GaussianBlur(cv2.morphologyEx(alpha, cv2.MORPH_CLOSE, np.ones((3, 3))), (0, 0), 0.8)
    return Cutout(picture=part, alpha=alpha, person=person, scooter=scooter, head=head, head_role=role)


def _scooter_kept(cut: Cutout) -> float:
    x0, _, x1, y1 = np.maximum(cut.scooter, 0).astype(int)
    knee = int(cut.scooter[3] - 0.3 * (cut.scooter[3] - cut.scooter[1]))
    part = cut.alpha[knee:y1, x0:x1]
    spread = part.max(axis=0).mean() if part.size else 0.0  # wheels and deck reach over the box's whole width
    return float(part.mean()) if spread > 0.6 else 0.0


def pasted(background: Sample, cuts: Sequence[Cutout], rng: np.random.Generator, *, name: str, riders: int) -> Sample:
    """Put riders, some with a passenger, into a scene; labels that a rider hides by more than half are dropped."""
    scene = background
    picture = background.picture.copy()
    height, width = picture.shape[:2]
    for _ in range(riders):
        cut = cuts[int(rng.integers(len(cuts)))]
        foot = rng.uniform(0.35, 0.98)
        # Things lower in the picture are nearer: the size follows the place on the ground, loosely.
        tall = height * (0.06 + 0.34 * foot**2) * rng.uniform(0.7, 1.4)
        scale = max(tall / (cut.person[3] - cut.person[1]), 22 / (cut.person[3] - cut.person[1]))
        flip = bool(rng.random() < 0.5)
        x = rng.uniform(0.03, 0.97) * width
        if rng.random() < 0.25:
            passenger = cuts[int(rng.integers(len(cuts)))]
            resized = scale * (cut.person[3] - cut.person[1]) / (passenger.person[3] - passenger.person[1])
            shift = rng.choice([-1, 1]) * rng.uniform(0.35, 0.6) * scale * (cut.person[2] - cut.person[0])
            scene, picture = _put(scene, picture, passenger, resized, flip, x + shift, foot * height, rng, alone=True)
        scene, picture = _put(scene, picture, cut, scale, flip, x, foot * height, rng, alone=False)
    return Sample(name=name, picture=degraded(picture, rng), roles=scene.roles, xyxy=scene.xyxy)


def _put(
    scene: Sample,
    picture: Picture,
    cut: Cutout,
    scale: float,
    flip: bool,
    x: float,
    foot: float,
    rng: np.random.Generator,
    *,
    alone: bool,
) -> tuple[Sample, Picture]:
    """Paste one cut with its feet at (x, foot); `alone` pastes the person without the scooter."""
    alpha = cut.alpha.copy()
    if alone:
        keep = np.zeros_like(alpha)
        x0, y0, x1, y1 = np.maximum(cut.person, 0).astype(int)
        keep[y0 : y0 + int(0.9 * (y1 - y0)), x0:x1] = 1
        alpha *= keep
    size = (max(2, round(cut.picture.shape[1] * scale)), max(2, round(cut.picture.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part, alpha = cv2.resize(cut.picture, size, interpolation=way), cv2.resize(alpha, size, interpolation=way)
    boxes = np.array([cut.person, cut.scooter, cut.head]) * scale
    if flip:
        part, alpha = part[:, ::-1], alpha[:, ::-1]
        boxes = np.stack([size[0] - boxes[:, 2], boxes[:, 1], size[0] - boxes[:, 0], boxes[:, 3]], axis=1)
    left, top = round(x - size[0] / 2), round(foot - size[1])
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size[0], width), min(top + size[1], height)
    if x1 - x0 < size[0] * 0.6 or y1 - y0 < size[1] * 0.8:
        return scene, picture
    part, alpha = part[y0 - top : y1 - top, x0 - left : x1 - left], alpha[y0 - top : y1 - top, x0 - left : x1 - left]
    under = picture[y0:y1, x0:x1]
    gain = np.clip((under.mean() + 25) / (part.mean() + 25), 0.45, 1.4) * rng.uniform(0.85, 1.15)
    mixed = np.clip(part * gain, 0, 255) * alpha[..., None] + under * (1 - alpha[..., None])
    picture[y0:y1, x0:x1] = mixed.astype(np.uint8)
    hidden = np.zeros((height, width), np.float32)
    hidden[y0:y1, x0:x1] = alpha
    seen = [_share(hidden, box) < 0.5 for box in scene.xyxy]
    roles = [role for role, ok in zip(scene.roles, seen, strict=True) if ok]
    kept = scene.xyxy[seen]
    placed = boxes + np.array([left, top, left, top])
    new: list[tuple[Role, Boxes]] = [(Role.PERSON, placed[0]), (cut.head_role, placed[2])]
    if not alone:
        new.append((Role.SCOOTER, placed[1]))
    roles += [role for role, _ in new]
    xyxy = np.vstack([kept.reshape(-1, 4), *[box[None] for _, box in new]])
    return Sample(name=scene.name, picture=picture, roles=tuple(roles), xyxy=xyxy), picture


def _holds(outer: Boxes, inner: Boxes) -> bool:
    middle = (inner[:2] + inner[2:]) / 2
    return bool((outer[:2] <= middle).all() and (middle <= outer[2:]).all())


def _share(hidden: FloatArray, box: Boxes) -> float:
    x0, y0, x1, y1 = np.maximum(box, 0).astype(int)
    part = hidden[y0 : y1 + 1, x0 : x1 + 1]
    return float(part.mean()) if part.size else 1.0
