"""What a cheap camera does to a picture: soft lens, vignette, white balance, noise, sharpening, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Sensor:
    blur_px: float = 0.6
    sharpen: float = 0.5
    noise: float = 3.0  # sRGB levels at mid grey
    vignette: float = 0.18
    gain: float = 1.0
    contrast: float = 1.0
    saturation: float = 0.9
    warmth: float = 0.0  # + red, - blue
    lift: float = 0.02  # black level


def random_sensor(rng: np.random.Generator) -> Sensor:
    return Sensor(
        blur_px=float(rng.uniform(0.3, 1.0)), sharpen=float(rng.uniform(0, 1.0)), noise=float(rng.uniform(1, 7)),
        vignette=float(rng.uniform(0, 0.35)), gain=float(rng.uniform(0.8, 1.2)), contrast=float(rng.uniform(0.85, 1.2)),
        saturation=float(rng.uniform(0.55, 1.15)), warmth=float(rng.normal(0, 0.04)), lift=float(rng.uniform(0, 0.06)),
    )  # fmt: skip


def expose(picture: Array, sensor: Sensor, rng: np.random.Generator, drift: float = 0.0) -> Array:
    """``picture`` (h, w, 3) uint8 RGB as rendered -> what the sensor gives; ``drift`` is a slow change of exposure."""
    h, w = picture.shape[:2]
    x = picture.astype(np.float32)
    if sensor.blur_px > 0:
        x = cv2.GaussianBlur(x, (0, 0), sensor.blur_px)
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    x *= (sensor.gain * (1 + drift) * (1 - sensor.vignette * (xx**2 + yy**2) / 2))[..., None]
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = grey[..., None] + (x - grey[..., None]) * sensor.saturation
    x *= np.array([1 + sensor.warmth, 1.0, 1 - sensor.warmth], np.float32)
    x = (x - 110) * sensor.contrast + 110 + 255 * sensor.lift
    fine = rng.standard_normal((h, w, 1), dtype=np.float32)
    coarse = cv2.resize(
        rng.standard_normal((h // 2, w // 2, 3), dtype=np.float32), (w, h), interpolation=cv2.INTER_LINEAR
    )
    x += sensor.noise * (fine + 0.6 * coarse) * (0.6 + 0.6 * (1 - x / 255))
    if sensor.sharpen:
        x += sensor.sharpen * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    return np.clip(x, 0, 255).astype(np.uint8)
