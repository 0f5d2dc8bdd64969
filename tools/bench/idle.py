"""Idle footage from a real background: the median of a clip, held, with sensor noise, compressed as an NVR does it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

BITS_PER_SECOND = 2_000_000
KEYFRAME_EVERY_S = 4


def make_idle(clip: Path, target: Path, *, length_s: float, frames_per_s: int = 15, seed: int = 7) -> None:
    """Write `length_s` of the clip's background with Gaussian noise of 2 grey levels and a slow drift of light."""
    background = _background(clip)
    height, width = (side - side % 2 for side in background.shape[:2])
    background = background[:height, :width].astype(np.int16)
    random = np.random.default_rng(seed)
    # A few noise fields, shifted at random, are as good as fresh ones to an encoder and far quicker to make.
    fields = [random.normal(0, 2, background.shape).round().astype(np.int16) for _ in range(8)]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=frames_per_s)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", BITS_PER_SECOND
        stream.options = {"preset": "veryfast", "g": str(KEYFRAME_EVERY_S * frames_per_s), "bf": "0"}
        for number in range(round(length_s * frames_per_s)):
            shift = tuple(int(value) for value in random.integers(0, 64, 2))
            noise = np.roll(fields[number % len(fields)], shift, (0, 1))
            drift = round(3 * np.sin(number / frames_per_s / 40))
            picture = np.clip(background + noise + drift, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))


def _background(clip: Path) -> np.ndarray:
    """Return the median of up to 25 frames spread over the clip: what stands still."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    step = max(1, len(frames) // 25)
    return np.median(np.stack(frames[::step]), axis=0).astype(np.uint8)
