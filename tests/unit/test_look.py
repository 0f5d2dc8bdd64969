"""A look continues with its first unfinished stretch, and gives the same boxes whatever was finished before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from quitboard.detect import look as room
from quitboard.detect.gate import Span
from quitboard.detect.journal import Journal
from quitboard.detect.look import look, look_key, stretches
from quitboard.records import Camera, ClockSource, Detections, ModelCard, Picture, Recording, Zone, ZoneKind
from quitboard.settings import DetectSettings
from tests.videos import write_video

CAMERA = Camera(id="gate", name="gate")
SETTINGS = DetectSettings(gate=False)
RECORDING = Recording(
    sha256="a" * 64, name="a.mp4", camera_id="gate", start=datetime(2026, 1, 1, tzinfo=UTC), clock=ClockSource.NAME,
    width=96, height=64, promised_s=4.0, read_s=4.0,
)  # fmt: skip


class Fake:
    """Boxes that tell the brightness of their picture, and how many pictures were looked at."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.card = ModelCard(name="fake", sha256="f" * 64)
        self.sha256 = "f" * 64
        self.headwear = None
        self.company = None
        self.looked = 0
        self.stop_after = stop_after

    def detect(self, pictures: Iterable[Picture], *, min_confidence: float, imgsz: int) -> Iterator[Detections]:
        assert min_confidence < 0.2, "the tracker's second round needs weak boxes"
        assert imgsz == room.ENLARGED_PX, "the clip is a small one"
        for picture in pictures:
            if self.looked == self.stop_after:
                raise KeyboardInterrupt
            self.looked += 1
            yield Detections(
                xyxy=np.full((1, 4), picture.mean(), np.float32),
                confidence=np.ones(1, np.float32),
                class_id=np.zeros(1, np.int64),
            )


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(room, "STRETCH_US", 1_000_000)
    return write_video(tmp_path / "a.mp4", frames=80, fps=20)


def boxes(path: Path, journal: Journal, detector: Fake) -> list[tuple[int, float]]:
    found = look(path, RECORDING, CAMERA, detector=detector, settings=SETTINGS, journal=journal)  # type: ignore[arg-type]
    return [(frame.position_us, float(frame.detections.xyxy[0, 0])) for frame in found.frames]


@pytest.mark.parametrize("stop_after", [1, 5, 7, 12, 19])
def test_stopped_anywhere_it_continues_without_looking_twice(clip: Path, tmp_path: Path, stop_after: int) -> None:
    expected = boxes(clip, Journal(tmp_path / "whole"), Fake())
    journal = Journal(tmp_path / "torn")
    with pytest.raises(KeyboardInterrupt):
        boxes(clip, journal, Fake(stop_after))
    rest = Fake()
    assert boxes(clip, journal, rest) == expected
    assert len(expected) == 20
    assert rest.looked < 20 or stop_after < 6, "finished stretches are not looked at again"
    again = Fake()
    assert boxes(clip, journal, again) == expected
    assert again.looked == 0


def test_stretches_are_cut_at_whole_minutes() -> None:
    spans = [Span(from_us=0, to_us=10), Span(from_us=50_000_000, to_us=130_000_000)]
    cut = stretches(spans)
    assert [[(span.from_us, span.to_us) for span in one] for one in cut] == [
        [(0, 10), (50_000_000, 60_000_000)],
        [(60_000_000, 120_000_000)],
        [(120_000_000, 130_000_000)],
    ]


def test_the_key_changes_with_all_that_boxes_depend_on_and_with_nothing_else() -> None:
    gated = DetectSettings()
    lane = Zone(name="z", kind=ZoneKind.SIDEWALK, polygon=((0, 0), (1, 0), (1, 1)))
    ignore = Zone(name="z", kind=ZoneKind.IGNORE, polygon=((0, 0), (1, 0), (1, 1)))
    base = look_key(RECORDING, CAMERA, "m", gated)
    assert look_key(RECORDING, Camera(id="gate", name="other", zones=(lane,)), "m", gated) == base
    assert look_key(RECORDING, Camera(id="gate", name="gate", zones=(ignore,)), "m", gated) != base
    assert look_key(RECORDING, CAMERA, "n", gated) != base
    assert look_key(RECORDING, CAMERA, "m", DetectSettings(sample_fps=4)) != base
    assert look_key(RECORDING, CAMERA, "m", SETTINGS) != base


def test_progress_adds_up_to_the_recording(clip: Path, tmp_path: Path) -> None:
    told: list[float] = []
    look(
        clip, RECORDING, CAMERA, detector=Fake(), settings=SETTINGS,  # type: ignore[arg-type]
        journal=Journal(tmp_path / "j"), advanced=told.append,
    )  # fmt: skip
    assert sum(told) == pytest.approx(4.0, abs=0.1)
