"""The first QuitBoard's zips, in both shapes, become rows; their pictures go through `anonymise` or stay out."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from quitboard.database.connection import opened
from quitboard.ingest.legacy import Reading
from quitboard.ingest.load import Target, ingest
from quitboard.records import Camera, Picture, Report
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
CAMERA = Camera(id="old-gate", name="Old gate")
KINDS = ("no_helmet", "two_up", "sidewalk")


@dataclass(frozen=True)
class Shown:
    still: bytes | None
    clip: bytes | None
    note: str = ""


class Masks:
    """Stands for anonymising: remembers what it was given, answers with flat pictures."""

    def __init__(self, note: str = "") -> None:
        self.seen: list[list[Picture]] = []
        self.note = note

    def __call__(self, pictures: Sequence[Picture]) -> Shown:
        self.seen.append(list(pictures))
        if self.note:
            return Shown(None, None, self.note)
        number = len(self.seen)
        return Shown(bundles.jpeg(number), bundles.gif(number) if len(pictures) > 1 else None)


def picture(level: int, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (level, level, level)).save(file, kind)
    return file.getvalue()


FRAMES = {
    "violations/17.txt": b"0010,2023-04-23T15:45:43",
    "images/17/0003.jpg": picture(30),
    "images/17/0001.jpg": picture(10),
    "images/17/0002.jpg": picture(20),
    "violations/18.txt": b"110,2023-04-23T16:00:00\r\n",
    "images/18/0001.jpg": picture(40),
    "violations/19.txt": b"000,2023-04-23T17:00:00",
    "images/19/0001.jpg": picture(50),
}
SINGLES = {
    "violations/a-1.txt": b"100,2023-04-23T15:45:43",
    "images/a-1.jpg": picture(10),
    "violations/a-2.txt": b"01,2023-04-23T15:45:44",
    "images/a-2.png": picture(20, "PNG"),
    "violations/a-3.txt": b"1,2023-04-23T15:45:45",
}


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(database=tmp_path / "board.duckdb", media=tmp_path / "media")


def pack(path: Path, members: Mapping[str, bytes], *, folders: bool = False) -> Path:
    """As a user packs it: deflated, with entries for folders and what a desktop leaves behind."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if folders:
            for name in ("violations/", "images/", "images/17/"):
                archive.mkdir(name)
            archive.writestr("__MACOSX/._violations", b"litter")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def put(target: Target, path: Path, **changes: Any) -> Report:
    return ingest([path], target, now=NOW, old=replace(Reading(camera=CAMERA, kinds=KINDS), **changes))


def rows(target: Target, sql: str) -> list[Any]:
    with opened(target.database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_folders_of_frames_become_violations_with_still_and_clip(target: Target, tmp_path: Path) -> None:
    masks = Masks()
    report = put(target, pack(tmp_path / "old.zip", FRAMES, folders=True), anonymise=masks)
    assert report == Report(done=["old.zip"], unchanged=[], set_aside=[])
    assert rows(
        target, "SELECT kind, local_started_at, epoch_us(started_at) FROM violation_info ORDER BY started_at, kind"
    ) == [
        ("sidewalk", datetime(2023, 4, 23, 15, 45, 43), 1682232343000000),
        ("no_helmet", datetime(2023, 4, 23, 16), 1682233200000000),
        ("two_up", datetime(2023, 4, 23, 16), 1682233200000000),
    ]
    # In the order of their numbers, decoded, BGR; what breaks no rule is not looked at.
    assert [[int(frame.mean().round()) for frame in frames] for frames in masks.seen] == [[10, 20, 30], [40]]
    assert masks.seen[0][0].shape == (48, 64, 3)
    assert masks.seen[0][0].dtype == np.uint8
    assert {path.suffix for path in target.media.rglob("*.*")} == {".jpg", ".gif"}
    assert rows(target, "SELECT count(DISTINCT still_sha256), count(DISTINCT clip_sha256) FROM violation_info") == [
        (2, 2)
    ]


def test_single_pictures_become_stills(target: Target, tmp_path: Path) -> None:
    put(target, pack(tmp_path / "old.zip", SINGLES), anonymise=Masks())
    assert rows(
        target,
        "SELECT kind, still_sha256 <> '', clip_sha256 <> '', evidence_note FROM violation_info ORDER BY started_at",
    ) == [
        ("no_helmet", True, False, ""),
        ("two_up", True, False, ""),
        ("no_helmet", False, False, "no picture"),
    ]


def test_without_anonymising_no_picture_is_kept_and_the_violations_count(target: Target, tmp_path: Path) -> None:
    put(target, pack(tmp_path / "old.zip", FRAMES))
    assert rows(target, "SELECT DISTINCT still_sha256, clip_sha256, evidence_note FROM violation_info") == [
        ("", "", "not anonymised")
    ]
    assert rows(target, "SELECT count(*) FROM violation_counted") == [(3,)]
    assert list(target.media.rglob("*.*")) == []


def test_a_refused_picture_leaves_its_reason(target: Target, tmp_path: Path) -> None:
    put(target, pack(tmp_path / "old.zip", FRAMES), anonymise=Masks(note="a face was left"))
    assert rows(target, "SELECT DISTINCT still_sha256, evidence_note FROM violation_info") == [("", "a face was left")]


def test_they_enter_counts_but_no_rate(target: Target, tmp_path: Path) -> None:
    put(target, pack(tmp_path / "old.zip", FRAMES))
    assert rows(target, "FROM rates_by_kind") == []
    assert rows(target, "SELECT count(*) FROM violation_counted WHERE NOT has_exposure") == [(3,)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"0001,2023-04-23T15:45:43", "bit 4 is set, and quitboard.toml names 3 kinds"),
        (b"010110,2023-04-23T15:45:43", "bit 5 is set"),
        (b"", "not of the form"),
        (b"0120,2023-04-23T15:45:43", "not of the form"),
        (b"0010,2023-02-30T15:45:43", "not of the form"),
        (b"0010,2023-04-23T15:45:43Z", "not of the form"),
        (b"0010", "not of the form"),
        (b"\xff\xfe0010,2023-04-23T15:45:43", "not of the form"),
    ],
)
def test_a_text_that_cannot_be_understood_sets_the_zip_aside(
    target: Target, tmp_path: Path, text: bytes, reason: str
) -> None:
    report = put(target, pack(tmp_path / "old.zip", {**FRAMES, "violations/18.txt": text}))
    (item,) = report.set_aside
    assert reason in item.reason
    assert "violations/18.txt" in item.reason
    assert rows(target, "SELECT count(*) FROM violation_info") == [(0,)]


def test_naming_a_fourth_kind_in_the_settings_reads_the_fourth_bit(target: Target, tmp_path: Path) -> None:
    path = pack(tmp_path / "old.zip", {"violations/1.txt": b"0001,2023-04-23T15:45:43"})
    assert len(put(target, path).set_aside) == 1
    assert put(target, path, kinds=(*KINDS, "parking")).done == ["old.zip"]
    assert rows(target, "SELECT kind FROM violation_info") == [("parking",)]


def test_without_a_camera_it_is_set_aside_and_says_how(target: Target, tmp_path: Path) -> None:
    (item,) = ingest([pack(tmp_path / "old.zip", FRAMES)], target, now=NOW).set_aside
    assert "--camera" in item.todo


def test_the_same_zip_again_changes_nothing_also_when_packed_anew(target: Target, tmp_path: Path) -> None:
    masks = Masks()
    put(target, pack(tmp_path / "old.zip", FRAMES), anonymise=masks)
    again = pack(tmp_path / "again.zip", dict(reversed(FRAMES.items())), folders=True)
    assert put(target, again, anonymise=masks).unchanged == ["again.zip"]


def test_the_same_zip_for_another_camera_moves_its_violations(target: Target, tmp_path: Path) -> None:
    path = pack(tmp_path / "old.zip", FRAMES)
    put(target, path)
    put(target, path, camera=Camera(id="right-gate", name="Right gate"))
    assert rows(target, "SELECT camera_id, count(*) FROM violation_info GROUP BY ALL") == [("right-gate", 3)]
    assert rows(target, "SELECT count(*) FROM bundle") == [(1,)]


def test_pictures_come_in_when_it_is_read_again_with_an_anonymiser(target: Target, tmp_path: Path) -> None:
    path = pack(tmp_path / "old.zip", FRAMES)
    put(target, path)
    put(target, path, anonymise=Masks(), anonymiser="a model")
    assert rows(target, "SELECT count(*), count(*) FILTER (still_sha256 <> '') FROM violation_info") == [(3, 3)]


def _wide_png(side_px: int) -> bytes:
    """A small file that says it is a large picture."""
    content = bytearray(picture(1, "PNG"))
    content[16:24] = side_px.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"GIF89a not a jpeg", "neither JPEG nor PNG"),
        (picture(10)[:200], ""),
        (_wide_png(5_000), "too large"),
        (_wide_png(12_000), "too large"),
        (_wide_png(30_000), "too large"),
    ],
)
def test_a_picture_that_cannot_be_read_stays_out(target: Target, tmp_path: Path, content: bytes, note: str) -> None:
    members = {"violations/1.txt": b"1,2023-04-23T15:45:43", "images/1.jpg": content}
    put(target, pack(tmp_path / "old.zip", members), anonymise=Masks())
    ((still, found),) = rows(target, "SELECT still_sha256, evidence_note FROM violation_info")
    assert still == ""
    assert found.startswith("unreadable picture")
    assert note in found


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("violations/../../x.txt", "leads out of its folder"),
        ("/violations/1.txt", "leads out of its folder"),
        ("images/1/run.exe", "has no use here"),
    ],
)
def test_a_hostile_one_is_refused(target: Target, tmp_path: Path, name: str, reason: str) -> None:
    report = put(target, pack(tmp_path / "old.zip", {**FRAMES, name: b"x"}), anonymise=Masks())
    assert reason in report.set_aside[0].reason
    assert not any(target.media.rglob("*.*"))
