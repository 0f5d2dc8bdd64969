"""Looking only where something happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quitboard.detect import video
from quitboard.records import Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch [from, to) of a recording, in positions."""

    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """Where to look in full, and what it took to find out."""

    spans: tuple[Span, ...]  # increasing, apart from each other
    watched_s: float
    read_s: float
    faults: tuple[str, ...]


def active_spans(path: Path, camera: Camera, *, sensitivity: float = 0.5) -> GateResult:
    """Return where something may be happening."""
    packets = video.packets(path)
    end_us = int(packets.position_us.max(initial=-1)) + 1
    spans = (Span(from_us=0, to_us=end_us),) if end_us else ()
    return GateResult(spans=spans, watched_s=packets.read_s, read_s=packets.read_s, faults=packets.faults)
