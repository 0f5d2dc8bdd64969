"""One recording looked at: the gate says where, the model says what, and every finished stretch is kept.

A stretch is at most a minute of a recording; killed at any instant, `look` continues with the first unfinished one.
Boxes depend on the recording, the model and the settings named in the key, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quitboard.detect import gate, video
from quitboard.detect.gate import Span
from quitboard.detect.journal import Journal, key_of
from quitboard.detect.model import Detector
from quitboard.records import Camera, FrameDetections, Picture, Recording, ZoneKind
from quitboard.settings import DetectSettings

STRETCH_US = 60_000_000
FORMAT = 1
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
    ignored = [zone.polygon for zone in camera.zones if zone.kind is ZoneKind.IGNORE]
    return key_of(
        format=FORMAT,
        recording=recording.sha256,
        model=model_sha256,
        imgsz=settings.imgsz,
        sample_fps=settings.sample_fps,
        gate=[settings.gate, settings.gate_sensitivity, ignored, camera.resolution] if settings.gate else False,
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
    key = look_key(recording, camera, detector.card.sha256, settings)
    plan = _plan(path, camera, settings, journal, f"looks/{key}/plan.json")
    every_us = round(1e6 / settings.sample_fps)
    frames: list[FrameDetections] = []
    faults: set[str] = set(plan.faults)
    dealt_us = 0
    for number, stretch in enumerate(stretches(plan.spans)):
        name = f"looks/{key}/{number:05d}.npz"
        seen = journal.get_frames(name)
        if seen is None:
            seen, new_faults = _look_at(path, stretch, every_us, detector)
            journal.put_json(name.replace(".npz", ".json"), new_faults)
            journal.put_frames(name, seen)
        faults.update(journal.get_json(name.replace(".npz", ".json")) or ())
        frames.extend(seen)
        advanced((stretch[-1].to_us - dealt_us) / 1e6)
        dealt_us = stretch[-1].to_us
    advanced(max(0.0, plan.read_s - dealt_us / 1e6))
    return Look(key=key, spans=plan.spans, frames=tuple(frames), read_s=plan.read_s, faults=tuple(sorted(faults)))


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
        packets = video.packets(path)
        if settings.gate:
            spans = gate.active_spans(path, camera, sensitivity=settings.gate_sensitivity).spans
        else:
            spans = (Span(from_us=0, to_us=int(packets.position_us.max(initial=-1)) + 1),)
        stored = {
            "spans": [[span.from_us, span.to_us] for span in spans],
            "read_s": packets.read_s,
            "faults": list(packets.faults),
        }
        journal.put_json(name, stored)
    return _Plan(
        spans=tuple(Span(from_us=from_us, to_us=to_us) for from_us, to_us in stored["spans"]),
        read_s=stored["read_s"],
        faults=tuple(stored["faults"]),
    )


def _look_at(
    path: Path, stretch: Sequence[Span], every_us: int, detector: Detector
) -> tuple[list[FrameDetections], list[str]]:
    positions: list[int] = []
    with video.frames(path, spans=[(span.from_us, span.to_us) for span in stretch], every_us=every_us) as reader:

        def pictures() -> Iterator[Picture]:
            for frame in reader:
                positions.append(frame.position_us)
                yield frame.picture

        found = list(detector.detect(pictures()))
    frames = [
        FrameDetections(position_us=position_us, detections=detections)
        for position_us, detections in zip(positions, found, strict=True)
    ]
    return frames, list(reader.faults)
