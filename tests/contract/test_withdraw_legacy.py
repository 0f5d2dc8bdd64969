"""The first QuitBoard's zips hold pictures with faces: a withdrawal strikes them, and the zip stays what it was."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from quitboard.database import withdrawals
from quitboard.database.connection import opened
from quitboard.ingest.legacy import Reading
from quitboard.ingest.load import Target, ingest
from quitboard.ingest.strike import strike
from quitboard.records import Camera
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    still: bytes | None
    clip: bytes | None
    note: str = ""


READING = Reading(
    camera=Camera(id="old", name="old"),
    kinds=("no_helmet", "two_up"),
    anonymise=lambda pictures: Made(still=bundles.jpeg(int(pictures[0][0, 0, 0])), clip=None),
    anonymiser="flat",
)


def face(grey: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (grey, grey, grey)).save(out, "PNG")
    return out.getvalue()


def original(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, second, grey in (("1", "10", 40), ("2", "40", 90)):
            archive.writestr(f"violations/{key}.txt", f"11,2023-04-23T15:45:{second}")
            for frame in range(2):
                archive.writestr(f"images/{key}/{frame:04}.png", face(grey + frame))
        archive.writestr("__MACOSX/._x", b"litter")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    original(tmp_path / "bundles" / "old.zip")
    target = Target(database=tmp_path / "board.duckdb", media=tmp_path / "media")
    ingest([tmp_path / "bundles"], target, now=NOW, old=READING)
    return target


def ids(target: Target) -> dict[str, str]:
    """Return the ids of the cases with a helmet missing, by second."""
    with opened(target.database, read_only=True) as connection:
        sql = "SELECT second(started_at)::VARCHAR, id FROM violation_info WHERE kind = 'no_helmet'"
        return dict(connection.execute(sql).fetchall())


def withdrawn(target: Target) -> None:
    with opened(target.database) as connection:
        withdrawals.withdraw(connection, [ids_of(connection)], reason="asked", now=NOW)


def ids_of(connection: object) -> str:
    (found,) = connection.execute(  # type: ignore[attr-defined]
        "SELECT id FROM violation_info WHERE kind = 'no_helmet' AND second(started_at) = 10"
    ).fetchone()
    return str(found)


def pngs(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist() if name.endswith(".png")]


def test_the_original_pictures_of_a_withdrawn_case_leave_the_zip_and_others_stay(
    target: Target, tmp_path: Path
) -> None:
    withdrawn(target)
    path = tmp_path / "bundles" / "done" / "old.zip"
    assert len(pngs(path)) == 4
    with opened(target.database, read_only=True) as connection:
        guard = withdrawals.guard(connection)
    assert strike(path, guard).originals == 2
    assert sorted(pngs(path)) == sorted([face(90), face(91)])
    assert not strike(path, guard)


def test_a_struck_zip_is_known_as_the_one_that_it_was(target: Target, tmp_path: Path) -> None:
    withdrawn(target)
    path = tmp_path / "bundles" / "done" / "old.zip"
    with opened(target.database, read_only=True) as connection:
        strike(path, withdrawals.guard(connection))
    before = ids(target)
    shutil.copyfile(path, tmp_path / "bundles" / "old.zip")
    report = ingest([tmp_path / "bundles"], target, now=NOW, old=READING)
    assert (report.done, report.unchanged, report.set_aside) == ([], ["old.zip"], [])
    assert ids(target) == before


def test_the_whole_zip_delivered_again_is_struck_on_its_way_in(target: Target, tmp_path: Path) -> None:
    withdrawn(target)
    original(tmp_path / "bundles" / "old.zip")
    ingest([tmp_path / "bundles"], target, now=NOW, old=READING)
    (again,) = (path for path in (tmp_path / "bundles").rglob("*.zip") if path.name != "old.zip")
    assert sorted(pngs(again)) == sorted([face(90), face(91)])
    with opened(target.database, read_only=True) as connection:
        rows = connection.execute("SELECT still_sha256 FROM violation_info WHERE second(started_at) = 10").fetchall()
    assert rows == [("",), ("",)]


def test_a_new_database_learns_the_withdrawal_from_the_struck_zip(target: Target, tmp_path: Path) -> None:
    withdrawn(target)
    path = tmp_path / "bundles" / "done" / "old.zip"
    with opened(target.database, read_only=True) as connection:
        strike(path, withdrawals.guard(connection))
    other = Target(database=tmp_path / "new.duckdb", media=tmp_path / "new")
    shutil.copyfile(path, tmp_path / "copy.zip")
    ingest([tmp_path / "copy.zip"], other, now=NOW, old=READING)
    with opened(other.database, read_only=True) as connection:
        assert [one.id for one in withdrawals.guard(connection).withdrawals] == [ids(target)["10"]]
