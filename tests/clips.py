"""Small recordings that tests make for themselves: a moving square on a grey street, encoded for real."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def write_clip(
    path: Path,
    *,
    length_s: float = 3.0,
    frames_per_s: int = 10,
    size: tuple[int, int] = (320, 192),
    seed: int = 1,
    keyframe_every_s: float = 1.0,
) -> Path:
    """Write a recording in which a bright square crosses a noisy background."""
    width, height = size
    random = np.random.default_rng(seed)
    background = random.integers(90, 120, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=frames_per_s)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(round(keyframe_every_s * frames_per_s)), "bf": "0"}
        total = round(length_s * frames_per_s)
        for number in range(total):
            picture = background.copy()
            x = round((width - 40) * number / max(1, total - 1))
            picture[height // 2 : height // 2 + 40, x : x + 40] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return path
