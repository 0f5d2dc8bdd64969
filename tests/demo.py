"""The built-in recordings for tests: their truth, and short cuts of them without encoding anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av

from quitboard.files import resource

RECORDINGS = sorted(resource("data/demo").glob("*/*.mp4"))


def truth_of(recording: Path) -> dict[str, Any]:
    """Return a recording's truth: acts, tracks, boxes."""
    truth: dict[str, Any] = json.loads(recording.with_suffix(".truth.json").read_text("utf-8"))
    return truth


def cut(recording: Path, target: Path, *, from_s: float, to_s: float) -> Path:
    """Copy the packets of [from_s, to_s), beginning at the keyframe before, into a recording of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(recording)) as source, av.open(str(target), "w") as container:
        old = source.streams.video[0]
        new = container.add_stream_from_template(old)
        source.seek(round(from_s / old.time_base), stream=old)
        first = None
        for packet in source.demux(old):
            if packet.dts is None or packet.pts is None:
                continue
            if packet.pts * old.time_base >= to_s:
                break
            first = packet.dts if first is None else first
            packet.pts, packet.dts, packet.stream = packet.pts - first, packet.dts - first, new
            container.mux(packet)
    return target
