"""What a cheap camera does to a picture: soft lens, glare, white balance, noise, sharpening, rain before it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

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
    glare: float = 0.0  # of lamps, spread around them
    rain: float = 0.0  # 0 none .. 1 a downpour
    exposure_s: float = 0.01  # moving things are smeared over this time


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
    if sensor.glare:
        small = cv2.resize(np.maximum(x - 215, 0), (w // 4, h // 4), interpolation=cv2.INTER_AREA)
        halo = cv2.GaussianBlur(small, (0, 0), w / 320) * 2 + cv2.GaussianBlur(small, (0, 0), w / 80) * 3
        x += sensor.glare * cv2.resize(halo, (w, h), interpolation=cv2.INTER_LINEAR)
    if sensor.rain:
        x += _rain(rng, h, w, sensor.rain)[..., None]
    if sensor.blur_px > 0:
        x = cv2.GaussianBlur(x, (0, 0), sensor.blur_px)
    # Gain, saturation, white balance, contrast and black level are one 3x4 matrix of the colours.
    grey = np.array([0.299, 0.587, 0.114])
    mix = sensor.saturation * np.eye(3) + (1 - sensor.saturation) * grey
    mix = np.diag([1 + sensor.warmth, 1.0, 1 - sensor.warmth]) @ mix
    x *= (sensor.gain * (1 + drift)) * _vignette(h, w, sensor.vignette)
    level = np.full((3, 1), 110 * (1 - sensor.contrast) + 255 * sensor.lift)
    x = cv2.transform(x, np.concatenate([sensor.contrast * mix, level], 1).astype(np.float32))
    x += _grain(rng, h, w) * (sensor.noise * (1.2 - 0.6 / 255 * x))
    if sensor.sharpen:
        x = cv2.addWeighted(x, 1 + sensor.sharpen, cv2.GaussianBlur(x, (0, 0), 1.2), -sensor.sharpen, 0)
    return cv2.convertScaleAbs(np.maximum(x, 0, out=x))


@cache
def _vignette(h: int, w: int, amount: float) -> Array:
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    return np.asarray(1 - amount * (xx**2 + yy**2) / 2, np.float32)[..., None]


@cache
def _pool() -> Array:
    """One big field of sensor noise, fine and coarse; pictures take windows of it."""
    rng = np.random.default_rng(2718)
    size = 1600
    fine = rng.standard_normal((size, size, 1), dtype=np.float32)
    coarse = rng.standard_normal((size // 2, size // 2, 3), dtype=np.float32)
    return fine + 0.6 * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)


def _grain(rng: np.random.Generator, h: int, w: int) -> Array:
    pool = _pool()
    y, x = int(rng.integers(0, len(pool) - h)), int(rng.integers(0, len(pool) - w))
    field = pool[y : y + h, x : x + w]
    if rng.random() < 0.5:
        field = field[::-1]
    if rng.random() < 0.5:
        field = field[:, ::-1]
    return field if rng.random() < 0.5 else -field


def _rain(rng: np.random.Generator, h: int, w: int, amount: float) -> Array:
    """Streaks (h, w) in levels: the nearer ones longer and brighter."""
    layer = np.zeros((h, w), np.float32)
    slant = rng.normal(0.12, 0.02)
    for _ in range(int(amount * 260)):
        near = rng.random() ** 2
        long = (0.012 + 0.06 * near) * h
        x, y = rng.uniform(0, w), rng.uniform(-long, h)
        level = rng.uniform(10, 30) * (0.5 + near)
        cv2.line(layer, (int(x), int(y)), (int(x + slant * long), int(y + long)), level, 1, cv2.LINE_AA)
    return cv2.GaussianBlur(layer, (0, 0), 0.7)


def smear(picture: Array, mask: Array, dx: float, dy: float) -> Array:
    """``picture`` with what ``mask`` (h, w, bool) covers drawn out by (dx, dy) px, as a moving thing is."""
    long = float(np.hypot(dx, dy))
    if long < 1.2 or not mask.any():
        return picture
    n = int(np.ceil(long)) | 1
    kernel = np.zeros((n, n), np.float32)
    c = (n - 1) / 2
    ux, uy = dx / long * (n - 1) / 2, dy / long * (n - 1) / 2
    for t in np.linspace(-1, 1, 4 * n):
        kernel[round(c + uy * t), round(c + ux * t)] = 1
    kernel /= kernel.sum()
    rows, cols = np.nonzero(mask)
    h, w = mask.shape
    y0, y1 = max(rows.min() - n, 0), min(rows.max() + n + 1, h)
    x0, x1 = max(cols.min() - n, 0), min(cols.max() + n + 1, w)
    part = picture[y0:y1, x0:x1].astype(np.float32)
    cover = mask[y0:y1, x0:x1, None].astype(np.float32)
    spread = cv2.filter2D(cover[..., 0], -1, kernel)[..., None]
    moved = cv2.filter2D(part * cover, -1, kernel)
    out = picture.copy()
    # Behind a moving edge one sees what stands still; inside, the thing itself stays opaque.
    still = np.where(cover > 0, moved / np.maximum(spread, 1e-3), part)
    out[y0:y1, x0:x1] = np.clip(moved + still * (1 - spread), 0, 255).astype(np.uint8)
    return out


def stamped(picture: Array, text: str, name: str = "", style: int = 0) -> Array:
    """The recorder's clock and camera name written into the picture, as NVRs do."""
    out = np.ascontiguousarray(picture)
    h, w = out.shape[:2]
    size = max(0.4, h / 1080 * (1.0 + 0.25 * (style % 3)))
    thick = max(1, round(1.6 * size))
    places = [((0.015, 0.05), (0.72, 0.97)), ((0.015, 0.97), (0.015, 0.05)), ((0.60, 0.05), (0.015, 0.97))]
    for words, (fx, fy) in zip((text, name), places[style % 3], strict=True):
        at = (int(fx * w), int(fy * h))
        cv2.putText(out, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), thick + 2, cv2.LINE_AA)
        cv2.putText(out, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), thick, cv2.LINE_AA)
    return out


def coded(pictures: list[Array], crf: float, preset: str = "veryfast") -> Array:
    """The last of ``pictures`` (h, w, 3) after H.264, which keeps little of what does not move."""
    import av

    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as file:
        h, w = pictures[0].shape[:2]
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        stream.options = {"preset": preset, "crf": str(crf), "g": "48", "bf": "0", "threads": "1"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    memory.seek(0)
    with av.open(memory) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][-1]
