"""Bundles to test with: a camera, its recordings, suspected violations with flat pictures, and what was watched."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from quitboard import bundle
from quitboard.records import (
    Camera,
    ClockSource,
    Exposure,
    Manifest,
    ModelCard,
    Recording,
    Role,
    Violation,
    Zone,
    ZoneKind,
)

SEOUL = ZoneInfo("Asia/Seoul")
DAY = date(2023, 4, 23)
CAMERA = Camera(
    id="gate-3",
    name="정문 3",
    area="Campus",
    address="1 Some Street",
    timezone="Asia/Seoul",
    folder="gate-3/**",
    resolution=(640, 360),
    zones=(Zone(name="pavement", kind=ZoneKind.SIDEWALK, polygon=((0.0, 200.0), (640.0, 200.0), (640.0, 360.0))),),
)
MODEL = ModelCard(name="small", sha256="a" * 64, figures={"helmet.ap50": 0.91})


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def at(hour: int, minute: int = 0, second: float = 0.0, day: date = DAY, zone: ZoneInfo = SEOUL) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone) + timedelta(seconds=second)


def jpeg(number: int = 0) -> bytes:
    """A picture of black and white cells, one a bit of the number."""
    file = io.BytesIO()
    cells = Image.frombytes("L", (8, 4), bytes(255 * (number >> bit & 1) for bit in range(32)))
    cells.resize((64, 32), Image.Resampling.NEAREST).convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def gif(number: int = 0) -> bytes:
    """Two flat frames."""
    file = io.BytesIO()
    first, second = (Image.new("P", (32, 24), 0) for _ in range(2))
    for frame, blue in ((first, 0), (second, 255)):
        frame.putpalette([number % 256, number // 256 % 256, blue])
    first.save(file, "GIF", save_all=True, append_images=[second], duration=100, loop=0)
    return file.getvalue()


def recording(name: str = "first", hour: int = 15, *, camera: Camera = CAMERA, day: date = DAY) -> Recording:
    return Recording(
        sha256=sha256(name),
        name=f"{camera.id}/{name}.mp4",
        camera_id=camera.id,
        start=at(hour, day=day, zone=ZoneInfo(camera.timezone)),
        clock=ClockSource.NAME,
        width=1920,
        height=1080,
        promised_s=3600.0,
        read_s=3599.5,
    )


def violation(
    number: int = 0, source: Recording | None = None, *, kind: str = "no_helmet", **changes: object
) -> Violation:
    """The `number`-th suspected violation of a recording, each in a second of its own, without pictures."""
    source = source or recording()
    started = source.start + timedelta(seconds=number % 3500, microseconds=number // 3500)
    made = Violation(
        id=sha256(f"{source.sha256} {kind} {number}")[:32],
        kind=kind,
        camera_id=source.camera_id,
        vehicle=Role.SCOOTER,
        started_at=started,
        ended_at=started + timedelta(seconds=2.5),
        recording_sha256=source.sha256,
        track=number,
        confidence=0.8 + (number % 20) / 100,
        votes_for=9,
        votes_against=1,
        zone="pavement" if kind == "sidewalk" else "",
        evidence_note="no clear view",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def exposure(
    source: Recording | None = None, *, kind: str = "no_helmet", judged: int = 40, **changes: object
) -> Exposure:
    source = source or recording()
    made = Exposure(
        camera_id=source.camera_id,
        hour=source.start.replace(minute=0, second=0, microsecond=0),
        kind=kind,
        watched_s=3600.0,
        looked_s=300.0,
        riders=judged + 10,
        judged=judged,
        unclear=10,
        persons=200,
        vehicles=60,
        recording_sha256=source.sha256,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def manifest(
    recordings: Sequence[Recording], *, camera: Camera = CAMERA, day: date = DAY, model: ModelCard = MODEL
) -> Manifest:
    return Manifest(
        format="",
        version=0,
        id="",
        tool_version="0.1.0",
        camera=camera,
        day=day,
        catalogue_sha256="c" * 64,
        settings_sha256="d" * 64,
        model=model,
        recordings=tuple(recordings),
        sums={},
    )


def pictured(rows: Iterable[Violation], *, first: int = 0) -> tuple[list[Violation], dict[str, bytes]]:
    """Give each violation a still and a clip of its own."""
    media: dict[str, bytes] = {}
    made = []
    for number, row in enumerate(rows, start=first):
        still, clip = jpeg(number), gif(number)
        names = [hashlib.sha256(content).hexdigest() for content in (still, clip)]
        media |= dict(zip(names, (still, clip), strict=True))
        made.append(replace(row, still_sha256=names[0], clip_sha256=names[1], evidence_note=""))
    return made, media


def make(
    path: Path,
    *,
    recordings: Sequence[Recording] | None = None,
    violations: Sequence[Violation] | None = None,
    exposures: Sequence[Exposure] | None = None,
    media: dict[str, bytes] | None = None,
    camera: Camera = CAMERA,
    day: date = DAY,
    model: ModelCard = MODEL,
) -> Manifest:
    """Write a bundle; what is not given is one recording with three violations, the first two with pictures."""
    recordings = [recording(camera=camera, day=day)] if recordings is None else recordings
    if violations is None:
        shown, media = pictured([violation(0, recordings[0]), violation(1, recordings[0])])
        violations = [*shown, violation(2, recordings[0], kind="two_up")]
    if exposures is None:
        exposures = [exposure(source, kind=kind) for source in recordings for kind in ("no_helmet", "two_up")]
    return bundle.write(
        path,
        manifest=manifest(recordings, camera=camera, day=day, model=model),
        violations=violations,
        exposures=exposures,
        tracks=b"PAR1",
        media=media or {},
    )
