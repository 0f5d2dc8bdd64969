"""Rules applied again to a bundle's tracks: the same rules give the same bundle; other rules need no recording."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quitboard import bundle
from quitboard.catalogue import load_catalogue
from quitboard.detect.again import pack_tracks, rules_only, unpack_tracks
from quitboard.detect.day import Seen, decide
from quitboard.detect.gate import Span
from quitboard.detect.look import Look
from quitboard.errors import BundleError, NothingUsable
from quitboard.files import resource
from quitboard.records import (
    ROLES,
    Camera,
    ClockSource,
    Detections,
    FrameDetections,
    Manifest,
    ModelCard,
    Recording,
    Role,
)
from quitboard.settings import Settings

CAMERA = Camera(id="gate", name="gate")
DAY = date(2026, 3, 1)
RECORDING = Recording(
    sha256="a" * 64,
    name="gate/one.mp4",
    camera_id="gate",
    start=datetime(2026, 3, 1, 10, tzinfo=ZoneInfo("Asia/Seoul")),
    clock=ClockSource.NAME,
    width=1280,
    height=720,
    promised_s=8.0,
    read_s=8.0,
)
RULES = load_catalogue(resource("data/catalogue/violations_kr.csv"))


def bareheaded_ride() -> Seen:
    """A rider with a bare head crosses the picture from left to right in six seconds."""
    frames = []
    for number in range(30):
        x = 100.0 + 30 * number
        boxes = [
            (Role.PERSON, (x, 300.0, x + 60, 460.0)),
            (Role.SCOOTER, (x - 10, 380.0, x + 80, 470.0)),
            (Role.HEAD, (x + 18, 300.0, x + 42, 328.0)),
        ]
        frames.append(
            FrameDetections(
                position_us=number * 200_000,
                detections=Detections(
                    xyxy=np.array([box for _, box in boxes], np.float32),
                    confidence=np.full(3, 0.9, np.float32),
                    class_id=np.array([ROLES.index(role) for role, _ in boxes], np.int64),
                ),
            )
        )
    spans = (Span(from_us=0, to_us=6_000_000),)
    return Seen(recording=RECORDING, look=Look(key="k", spans=spans, frames=tuple(frames), read_s=8.0, faults=()))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    seen = [bareheaded_ride()]
    decision = decide(seen, CAMERA, RULES, DAY, Settings().rules)
    assert [finding.kind for finding in decision.breaches] == ["no_helmet"]
    folder = tmp_path / "old"
    folder.mkdir()
    report_path = folder / "gate_2026-03-01.zip"
    bundle.write(
        report_path,
        manifest=Manifest(
            format="", version=0, id="", tool_version="0", camera=CAMERA, day=DAY, catalogue_sha256="c" * 64,
            settings_sha256="5" * 64, model=ModelCard(name="m", sha256="b" * 64), recordings=(RECORDING,), sums={},
        ),
        violations=[],
        exposures=decision.exposures,
        tracks=pack_tracks(decision.tracks, decision.heads, seen),
        media={},
    )  # fmt: skip
    return report_path


def test_rules_find_in_the_tracks_what_they_found_in_the_video(made: Path, tmp_path: Path) -> None:
    report = rules_only([made.parent], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    assert [one["kind"] for one in report.violations] == ["no_helmet"]
    with bundle.read(tmp_path / "new" / made.name) as again, bundle.read(made) as old:
        assert list(again.exposures()) == list(old.exposures()), "hours watched and looked at are kept"
        (violation,) = again.violations()
    assert "without the recording" in violation.evidence_note
    assert not violation.still_sha256


def test_the_same_rules_twice_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    rules_only([made], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    first = (tmp_path / "new" / made.name).read_bytes()
    report = rules_only([tmp_path / "new"], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    assert (tmp_path / "new" / made.name).read_bytes() == first
    assert [day.is_new for day in report.days] == [False]


def test_a_rule_switched_off_finds_nothing_and_has_no_hours(made: Path, tmp_path: Path) -> None:
    fewer = tuple(dataclasses.replace(rule, enabled=rule.enabled and rule.kind != "no_helmet") for rule in RULES)
    report = rules_only([made], tmp_path / "new", cameras=(), rules=fewer, settings=Settings())
    assert report.violations == ()
    with bundle.read(tmp_path / "new" / made.name) as again:
        assert "no_helmet" not in {row.kind for row in again.exposures()}


def test_tracks_come_back_exactly(made: Path) -> None:
    with bundle.read(made) as opened:
        content, manifest = opened.tracks(), opened.manifest
    tracks, heads, seen = unpack_tracks(content, manifest)
    assert pack_tracks(tracks, heads, seen) == content


def test_other_parquet_is_refused(made: Path) -> None:
    with bundle.read(made) as opened, pytest.raises(BundleError):
        unpack_tracks(b"PAR1 nothing", opened.manifest)


def test_a_folder_without_bundles_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingUsable):
        rules_only([tmp_path], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
