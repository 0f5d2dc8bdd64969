"""A ride to test with: what the detector would have seen of it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from quitboard.detect.day import Seen
from quitboard.detect.gate import Span
from quitboard.detect.look import Look
from quitboard.records import ROLES, ClockSource, Detections, FrameDetections, Recording, Role


def bareheaded(hour: int = 10, *, sha256: str = "a" * 64, from_x: float = 100.0, scale: float = 1.0) -> Seen:
    """A rider with a bare head crosses the picture from left to right in six seconds."""
    frames = []
    for number in range(30):
        x = from_x + 36 * number
        boxes = [
            (Role.PERSON, (x + 5, 340.0, x + 55, 460.0)),
            (Role.SCOOTER, (x - 10, 390.0, x + 75, 470.0)),
            (Role.HEAD, (x + 18, 340.0, x + 42, 364.0)),
        ]
        frames.append(
            FrameDetections(
                position_us=number * 200_000,
                detections=Detections(
                    xyxy=np.array([box for _, box in boxes], np.float32) * np.float32(scale),
                    confidence=np.full(3, 0.9, np.float32),
                    class_id=np.array([ROLES.index(role) for role, _ in boxes], np.int64),
                ),
            )
        )
    start = datetime(2026, 3, 1, hour, tzinfo=ZoneInfo("Asia/Seoul"))
    recording = Recording(
        sha256=sha256, name=f"{hour}.mp4", camera_id="gate", start=start,
        clock=ClockSource.NAME, width=round(1280 * scale), height=round(720 * scale), promised_s=8.0, read_s=8.0,
    )  # fmt: skip
    look = Look(key="k", spans=(Span(from_us=0, to_us=6_000_000),), frames=tuple(frames), read_s=8.0, faults=())
    return Seen(recording=recording, look=look)
