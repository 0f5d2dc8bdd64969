"""What moves between small grey pictures of one fixed camera. Pure functions on arrays.

A pixel moves where it differs both from the background and from its picture before or after: what arrived and stands
still is no motion, nor is what left. The background is the median over some minutes; slow or wide changes of light are
taken out first; each pixel's threshold follows its own noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.records import Camera, IntArray, ZoneKind

WIDTH_PX = 320
"""Pictures of this width: noise averages out, and a person 60 px high at 720p still covers 15 x 6 px."""

LEAST_PICTURES = 5
"""Fewer make no background: then nothing is judged, and everything counts as moving."""

_BACKGROUND_PICTURES = 15
_NOISE_PICTURES = 24
_LIGHT_PX = 8  # light is told from objects at this fraction of the size,
_LIGHT_SPAN = 7  # over this many of its pixels: changes wider than both together are light
_SIGMAS = 4.5
_LEAST_STEP, _MOST_STEP = 7.0, 24.0  # grey levels; foliage must not raise its own threshold without end
_LEAST_AREA = 0.00012  # of the picture, in one piece
_STRIP = 0.14  # of the height, at top and bottom, where recorders write their clock
_RAYLEIGH = 6.9  # n R², above which events in step with a clock are no chance: p < 0.001

Grey = NDArray[np.uint8]
Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """A camera's empty picture over some minutes, and how much of a difference means something at each pixel."""

    picture: Float  # (height, width) grey levels
    step: Float  # (height, width) grey levels; infinite where nothing is judged
    least_area: float  # px


def learn(positions_us: IntArray, pictures: Sequence[Grey], interest: Grey, *, sensitivity: float) -> Ground | None:
    """Return the background of these pictures, or None where they are too few.

    Args:
        interest: (height, width) mask of what matters, from `interest_of`.
        sensitivity: 0 to 1; 0.5 is the usual one, 1 halves every threshold, 0 doubles it.
    """
    if len(pictures) < LEAST_PICTURES:
        return None
    factor = 2.0 ** (1 - 2 * sensitivity)
    chosen = np.unique(np.linspace(0, len(pictures) - 1, _BACKGROUND_PICTURES).round().astype(int))
    background = np.median(np.stack([pictures[i] for i in chosen], axis=-1), axis=-1).astype(np.float32)
    first = np.unique(np.linspace(0, len(pictures) - 2, _NOISE_PICTURES).round().astype(int))
    changes = np.stack([np.abs(_unlit(pictures[i + 1].astype(np.float32) - pictures[i])) for i in first])
    sigma = np.median(np.ascontiguousarray(np.moveaxis(changes, 0, -1)), axis=-1) * np.float32(1.4826 / np.sqrt(2))
    step = np.clip(_SIGMAS * sigma, _LEAST_STEP, _MOST_STEP) * factor
    step[interest == 0] = np.inf
    step[_clock_mask(positions_us, pictures, step)] = np.inf
    return Ground(picture=background, step=step.astype(np.float32), least_area=_LEAST_AREA * background.size * factor)


def moving(ground: Ground | None, pictures: Sequence[Grey]) -> NDArray[np.bool_]:
    """Return for each picture whether something in it moves, by the background and its neighbours in the sequence."""
    if ground is None or len(pictures) < 2:
        return np.ones(len(pictures), np.bool_)
    flags = np.zeros(len(pictures), np.bool_)
    changed_before = np.zeros(ground.step.shape, np.bool_)
    for i, picture in enumerate(pictures):
        now = picture.astype(np.float32)
        changed_after = np.zeros(ground.step.shape, np.bool_)
        if i + 1 < len(pictures):
            changed_after = np.abs(_unlit(pictures[i + 1] - now)) > ground.step
        changed = changed_before | changed_after
        if np.count_nonzero(changed) >= ground.least_area:
            changed &= np.abs(_unlit(now - ground.picture)) > ground.step
            flags[i] = np.count_nonzero(changed) >= ground.least_area and _largest(changed) >= ground.least_area
        changed_before = changed_after
    return flags


def interest_of(camera: Camera, width_px: int, height_px: int) -> Grey:
    """Return a mask (height, width) of what matters: everything outside the camera's `ignore` zones."""
    mask = np.ones((height_px, width_px), np.uint8)
    if camera.resolution is not None:
        scale = np.array([width_px, height_px]) / np.array(camera.resolution)
        for zone in camera.zones:
            if zone.kind is ZoneKind.IGNORE:
                corners = np.round(np.array(zone.polygon) * scale).astype(np.int32)
                cv2.fillPoly(mask, [corners], (0,))
    return mask


def _unlit(difference: Float) -> Float:
    """Take out of a difference what changed over a wide area."""
    height, width = difference.shape
    small = cv2.resize(difference, (-(-width // _LIGHT_PX), -(-height // _LIGHT_PX)), interpolation=cv2.INTER_AREA)
    light = cv2.blur(small, (_LIGHT_SPAN, _LIGHT_SPAN), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(difference - cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _largest(mask: NDArray[np.bool_]) -> int:
    """Return the area of the largest piece."""
    count, _labels, stats, _centroids = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(stats[1:count, cv2.CC_STAT_AREA].max(initial=0))


def _clock_mask(positions_us: IntArray, pictures: Sequence[Grey], step: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where a clock is written into the picture: pixels at its edge that change in step with ten seconds.

    Tested against chance by Rayleigh's test (n R² over events on a circle, Mardia & Jupp, Directional Statistics,
    6.3.1). Digits that change too seldom to be tested stand beside those that do, so the mask grows sideways.
    """
    height, width = step.shape
    rows = max(1, round(height * _STRIP))
    turn = np.exp(2j * np.pi * (positions_us[:-1] + positions_us[1:]) / 2 / 10_000_000).astype(np.complex64)
    mask = np.zeros((height, width), np.bool_)
    for strip in (slice(0, rows), slice(height - rows, height)):
        shown = np.stack([picture[strip] for picture in pictures]).astype(np.int16)
        events = (np.abs(np.diff(shown, axis=0)) > step[strip]).reshape(len(turn), -1).astype(np.float32)
        number = events.sum(0)
        in_step = np.abs(turn @ events) ** 2 > _RAYLEIGH * np.maximum(number, 1)
        always = number > 0.8 * len(turn)
        mask[strip] = (in_step | always).reshape(rows, width)
    kernel = np.ones((3, width // 8 * 2 + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
