"""Small recordings made on the spot, with a known picture in every frame."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICK = Fraction(1, 90_000)  # what transport streams count in

Painter = Callable[[int], np.ndarray]


def shade(number: int, *, width: int = 96, height: int = 64) -> np.ndarray:
    """Return a picture that tells its number: a flat grey of one of 16 shades, and a dot that moves."""
    picture = np.full((height, width, 3), 16 + 14 * (number % 16), np.uint8)
    picture[8:16, 8 + number % 40 : 16 + number % 40] = 255
    return picture


def number_of(picture: np.ndarray) -> int:
    """Return the number, modulo 16, of a picture that `shade` made and a codec changed a little."""
    return round((float(np.median(picture)) - 16) / 14) % 16


def write_video(
    path: Path,
    *,
    times_s: Sequence[float] | None = None,
    frames: int = 40,
    fps: int = 20,
    codec: str = "libx264",
    paint: Painter = shade,
    group: int = 10,
    b_frames: int = 0,
    options: Mapping[str, str] | None = None,
    container_format: str | None = None,
    container_options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    rotation: int = 0,
) -> Path:
    """Write a recording whose frame n is `paint(n)`, shown at `times_s[n]` or at n / fps."""
    times_s = [n / fps for n in range(frames)] if times_s is None else times_s
    first = paint(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_avi = path.suffix == ".avi"  # counts frames and has no times
    base = Fraction(1, fps) if is_avi or codec == "mpeg4" else TICK
    with (
        _ordinary_scheduling(),
        av.open(str(path), "w", format=container_format, options=dict(container_options or {})) as container,
    ):
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = first.shape[:2]
        if codec in ("mpeg4", "mjpeg"):
            stream.bit_rate = 4_000_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.gop_size = group
        if codec not in ("mjpeg", "libvpx-vp9", "libsvtav1"):
            stream.codec_context.max_b_frames = b_frames
        defaults = {
            "libx264": {"preset": "ultrafast", "sc_threshold": "0", "bf": str(b_frames), "b-adapt": "0"},
            "libx265": {"preset": "ultrafast", "x265-params": f"log-level=none:keyint={group}:bframes={b_frames}"},
            "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
            "libsvtav1": {"preset": "12", "svtav1-params": "pred-struct=1"},
        }
        stream.codec_context.options = {**defaults.get(codec, {}), **(options or {})}
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(paint(number), format="bgr24")
            frame.pts, frame.time_base = round(time_s / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@contextlib.contextmanager
def _ordinary_scheduling() -> Iterator[None]:
    """Undo what libsvtav1 does to a process of root's: it and all that it starts later run in real time.

    A browser that was started after that starved itself and hung.
    """
    yield
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
