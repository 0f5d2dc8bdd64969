"""The journal: what is finished stays, what is torn is as good as absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quitboard.detect.journal import KEEP_DAYS, HashMemory, Journal, key_of, pack_frames, unpack_frames
from quitboard.files import sha256_file
from quitboard.records import Detections, FrameDetections


def frame(position_us: int, count: int) -> FrameDetections:
    random = np.random.default_rng(position_us)
    return FrameDetections(
        position_us=position_us,
        detections=Detections(
            xyxy=random.random((count, 4)).astype(np.float32),
            confidence=random.random(count).astype(np.float32),
            class_id=random.integers(0, 7, count),
        ),
    )


@pytest.mark.parametrize("counts", [[], [0], [3], [0, 2, 0, 5, 0]])
def test_frames_come_back_exactly(counts: list[int]) -> None:
    frames = [frame(number * 200_000, count) for number, count in enumerate(counts)]
    back = unpack_frames(pack_frames(frames))
    assert [one.position_us for one in back] == [one.position_us for one in frames]
    for one, other in zip(frames, back, strict=True):
        for name in ("xyxy", "confidence", "class_id"):
            np.testing.assert_array_equal(getattr(one.detections, name), getattr(other.detections, name))


@pytest.mark.parametrize("damage", [b"", b"garbage", b"PK\x03\x04"])
def test_a_damaged_entry_is_as_good_as_absent(tmp_path: Path, damage: bytes) -> None:
    journal = Journal(tmp_path)
    journal.put("x.npz", damage)
    journal.put("x.json", damage)
    assert journal.get_frames("x.npz") is None
    assert journal.get_json("x.json") is None
    assert journal.get_json("never") is None


def test_a_torn_entry_is_as_good_as_absent(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.put("x.npz", pack_frames([frame(0, 4)])[:-40])
    assert journal.get_frames("x.npz") is None


def test_a_key_depends_on_every_input() -> None:
    assert key_of(a=1, b="x") == key_of(b="x", a=1)
    assert len({key_of(a=1), key_of(a=2), key_of(b=1), key_of(a="1")}) == 4


def test_a_recording_is_hashed_once_and_again_when_it_changed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    path = tmp_path / "a.mp4"
    path.write_bytes(b"one")
    memory = HashMemory(journal)
    first = memory.sha256(path)
    memory.save()
    assert first == sha256_file(path)
    assert HashMemory(journal).sha256(path) == first
    path.write_bytes(b"other")
    assert HashMemory(journal).sha256(path) == sha256_file(path)


def test_old_looks_and_unfinished_files_go_what_is_known_of_bundles_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for name in ("looks/a/00000.npz", "evidence/b.jpg", "bundles/c.json", "looks/a/.quitboard-x"):
        journal.put(name, b"{}")
    written_s = (tmp_path / "bundles/c.json").stat().st_mtime
    journal.tidy(now_s=written_s + 1)
    assert journal.get("looks/a/00000.npz")
    assert journal.get("evidence/b.jpg")
    assert journal.get("looks/a/.quitboard-x") is None
    journal.tidy(now_s=written_s + (KEEP_DAYS + 1) * 86_400)
    assert journal.get("looks/a/00000.npz") is None
    assert journal.get("evidence/b.jpg") is None
    assert journal.get("bundles/c.json") == b"{}"
