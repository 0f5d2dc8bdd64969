"""One recording looked at: the gate says where, the model says what, and every finished stretch is kept.

A stretch is at most a minute of a recording; killed at any instant, `look` continues with the first unfinished one.
Boxes depend on the recording, the model and the settings named in the key, and on nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quitboard.detect import gate, video
from quitboard.detect.closer import look_closer
from quitboard.detect.gate import Span
from quitboard.detect.journal import Journal, key_of
from quitboard.detect.model import Detector
from quitboard.records import Camera, FrameDetections, Picture, Recording, ZoneKind
from quitboard.settings import DetectSettings

STRETCH_US = 60_000_000
MIN_CONFIDENCE = 0.1
"""Weak boxes are kept: the tracker's second round needs them, and votes weigh each by its confidence."""
GATE_ZONES = (ZoneKind.IGNORE, ZoneKind.NO_PARKING)
"""Zones that have a say in where the gate looks."""
SMALL_PX = 480
ENLARGED_PX = 960
"""A picture whose longer side is at most `SMALL_PX` comes from a poor or far camera, whose riders are 10 to 45 px high:
the network gets it at `ENLARGED_PX`. Of scooters 16 to 45 px high it then sees half, of which it saw a third at 640."""
FORMAT = 5
"""Raised when the same inputs would give other boxes than before: old journal entries are then left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen in one recording."""

    key: str
    spans: tuple[Span, ...]  # looked at in full
    frames: tuple[FrameDetections, ...]  # sampled within the spans, positions increasing
    read_s: float
    faults: tuple[str, ...]


def look_key(recording: Recording, camera: Camera, model_sha256: str, settings: DetectSettings) -> str:
    """Return the journal key of a look: a hash over everything that its boxes depend on."""
    zones = [(zone.kind, zone.polygon) for zone in camera.zones if zone.kind in GATE_ZONES]
    return key_of(
        format=FORMAT,
        recording=recording.sha256,
        model=model_sha256,
        imgsz=imgsz_of(recording.width, recording.height, settings.imgsz),
        sample_fps=settings.sample_fps,
        gate=[settings.gate, settings.gate_sensitivity, zones, camera.resolution] if settings.gate else False,
    )


def look(
    path: Path,
    recording: Recording,
    camera: Camera,
    *,
    detector: Detector,
    settings: DetectSettings,
    journal: Journal,
    advanced: Callable[[float], None] = lambda _seconds: None,
) -> Look:
    """Return what is in a recording, from the journal as far as it is there.

    `advanced` is told the seconds of footage that have been dealt with since it was last called.

    Raises:
        RecordingError: nothing of the recording can be read.
        DiskFull: the journal does not fit; what it holds is kept.
    """
    key = look_key(recording, camera, detector.sha256, settings)
    plan = _plan(path, camera, settings, journal, f"looks/{key}/plan.json")
    pages = [_Page(name=f"looks/{key}/{number:05d}", spans=spans) for number, spans in enumerate(stretches(plan.spans))]
    unread = [page for page in pages if journal.get_frames(f"{page.name}.npz") is None]
    dealt_us = 0

    def passed(to_us: int) -> None:
        nonlocal dealt_us
        advanced(max(0, to_us - dealt_us) / 1e6)
        dealt_us = max(dealt_us, to_us)

    if unread:
        passed(unread[0].spans[0].from_us)
        imgsz = imgsz_of(recording.width, recording.height, settings.imgsz)
        for page, frames, faults in _read(path, unread, round(1e6 / settings.sample_fps), detector, imgsz):
            journal.put_json(f"{page.name}.json", faults)
            journal.put_frames(f"{page.name}.npz", frames)
            passed(page.spans[-1].to_us)
    passed(round(plan.read_s * 1e6))
    seen = [frame for page in pages for frame in journal.get_frames(f"{page.name}.npz") or ()]
    found = {fault for page in pages for fault in journal.get_json(f"{page.name}.json") or ()}
    return Look(
        key=key,
        spans=plan.spans,
        frames=tuple(seen),
        read_s=plan.read_s,
        faults=tuple(sorted(found.union(plan.faults))),
    )


def imgsz_of(width: int, height: int, imgsz: int) -> int:
    """Return the longer side of the network's input for a recording's pictures, px.

    >>> imgsz_of(426, 240, 640), imgsz_of(1920, 1080, 640), imgsz_of(320, 240, 1280)
    (960, 640, 1280)
    """
    return max(imgsz, ENLARGED_PX) if max(width, height) <= SMALL_PX else imgsz


def stretches(spans: Sequence[Span]) -> list[list[Span]]:
    """Group spans by whole minutes of the recording, cut there, so that a stretch is the same whatever went before.

    >>> stretches([Span(from_us=59_000_000, to_us=61_000_000)])
    [[Span(from_us=59000000, to_us=60000000)], [Span(from_us=60000000, to_us=61000000)]]
    """
    by_minute: dict[int, list[Span]] = {}
    for span in spans:
        from_us = span.from_us
        while from_us < span.to_us:
            minute = from_us // STRETCH_US
            to_us = min(span.to_us, (minute + 1) * STRETCH_US)
            by_minute.setdefault(minute, []).append(Span(from_us=from_us, to_us=to_us))
            from_us = to_us
    return [by_minute[minute] for minute in sorted(by_minute)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    spans: tuple[Span, ...]
    read_s: float
    faults: tuple[str, ...]


def _plan(path: Path, camera: Camera, settings: DetectSettings, journal: Journal, name: str) -> _Plan:
    stored = journal.get_json(name)
    if stored is None:
        stored = _gated(path, camera, settings) if settings.gate else _ungated(path)
        journal.put_json(name, stored)
    return _Plan(
        spans=tuple(Span(from_us=from_us, to_us=to_us) for from_us, to_us in stored["spans"]),
        read_s=stored["read_s"],
        faults=tuple(stored["faults"]),
    )


def _gated(path: Path, camera: Camera, settings: DetectSettings) -> dict[str, Any]:
    chosen = gate.active_spans(path, camera, sensitivity=settings.gate_sensitivity)
    spans = [[span.from_us, span.to_us] for span in chosen.spans]
    return {"spans": spans, "read_s": chosen.read_s, "faults": list(chosen.faults)}


def _ungated(path: Path) -> dict[str, Any]:
    packets = video.packets(path)
    end_us = int(packets.position_us.max(initial=-1)) + 1
    return {"spans": [[0, end_us]], "read_s": packets.read_s, "faults": list(packets.faults)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A stretch and what the journal calls it."""

    name: str
    spans: Sequence[Span]


def _read(
    path: Path, pages: Sequence[_Page], every_us: int, detector: Detector, imgsz: int
) -> Iterator[tuple[_Page, list[FrameDetections], list[str]]]:
    """Yield each stretch with its boxes and the faults met so far, as soon as it is finished, in one pass."""
    spans = [(span.from_us, span.to_us) for page in pages for span in page.spans]
    waiting = list(reversed(pages))
    frames: list[FrameDetections] = []
    under_way: deque[video.Frame] = deque()
    with video.frames(path, spans=spans, every_us=every_us) as reader:

        def pictures() -> Iterator[Picture]:
            for frame in reader:
                under_way.append(frame)
                yield frame.picture

        for first in detector.detect(pictures(), min_confidence=MIN_CONFIDENCE, imgsz=imgsz):
            frame = under_way.popleft()
            while frame.position_us >= waiting[-1].spans[-1].to_us:
                yield waiting.pop(), frames, list(reader.faults)
                frames = []
            boxes = look_closer(frame.picture, first, detector, min_confidence=MIN_CONFIDENCE)
            frames.append(FrameDetections(position_us=frame.position_us, detections=boxes))
        while waiting:
            yield waiting.pop(), frames, list(reader.faults)
            frames = []
