"""Ingest killed at any instant and started again ends as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quitboard import files
from quitboard.database.connection import opened
from quitboard.ingest.legacy import Reading
from quitboard.ingest.load import Target, ingest
from quitboard.records import Camera, ModelCard
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
INSTANTS = 200 if os.environ.get("QUITBOARD_TIER") == "release" else 20
TABLES = ("violation", "cctv", "violation_info", "violation_file", "bundle", "exposure", "media", "model", "withdrawal")
NEWER = ModelCard(name="newer", sha256="b" * 64)


def target_of(folder: Path) -> Target:
    return Target(database=folder / "board.duckdb", media=folder / "media")


def run(folder: Path) -> None:
    """What a child process does, from its first line to its last."""
    old = Reading(camera=Camera(id="old", name="old"), kinds=("no_helmet",))
    ingest([folder / "bundles"], target_of(folder), now=NOW, old=old)


def content(folder: Path) -> dict[str, Any]:
    """All that a board and its inbox hold, down to the byte; instants of ingesting too, for `now` is given."""
    with opened(folder / "board.duckdb", read_only=True) as connection:
        rows = {
            table: sorted(connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {table}").fetchall()) for table in TABLES
        }
    found = {
        str(path.relative_to(folder)): files.sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("board.duckdb", ".board.duckdb.lock")
    }
    return rows | {"files": found}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board with two days in it, a withdrawal, and an inbox of every sort of zip."""
    folder = tmp_path_factory.mktemp("start")
    inbox = folder / "bundles"
    inbox.mkdir()
    tomorrow = bundles.DAY + timedelta(days=1)
    sources = {day: bundles.recording(str(day), day=day) for day in (bundles.DAY, tomorrow)}
    for order, (day, source) in enumerate(sources.items()):
        rows, media = bundles.pictured((bundles.violation(n, source) for n in range(40)), first=1000 * order)
        bundles.make(inbox / f"{day}.zip", recordings=[source], violations=rows, media=media, day=day)
    ingest([inbox], target_of(folder), now=NOW - timedelta(days=3))
    with opened(folder / "board.duckdb") as connection:
        connection.execute(
            """INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', '2023-04-30'
               FROM violation_info WHERE track = 20"""
        )
    for order, (day, source) in enumerate(sources.items()):
        rows, media = bundles.pictured((bundles.violation(n, source) for n in range(20, 60)), first=1000 * order + 10)
        bundles.make(inbox / f"{day}.zip", recordings=[source], violations=rows, media=media, day=day, model=NEWER)
    other = bundles.recording("other", 9)
    rows, media = bundles.pictured((bundles.violation(n, other) for n in range(60)), first=5000)
    bundles.make(inbox / "other.zip", recordings=[other], violations=rows, media=media)
    (inbox / "torn.zip").write_bytes((inbox / "other.zip").read_bytes()[:5000])
    damaged = bytearray((inbox / "other.zip").read_bytes())
    damaged[damaged.index(b"\xff\xd9PK\3\4") - 1] ^= 1
    (inbox / "damaged.zip").write_bytes(damaged)
    with zipfile.ZipFile(inbox / "old.zip", "w") as archive:
        archive.writestr("violations/1.txt", "1,2023-04-23T15:45:43")
    for order, path in enumerate(sorted(inbox.glob("*.zip"))):
        os.utime(path, ns=(order, order))
    return folder


def test_a_killed_ingest_started_again_ends_as_if_nothing_had_happened(start: Path, tmp_path: Path) -> None:
    # A server that has loaded everything and done nothing: each child is a process of its own, up in no time.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["duckdb", "pyarrow.json", "pyarrow.compute", __name__])
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    lengths = []
    for folder in (tmp_path / "warm", whole):
        shutil.copytree(start, folder, dirs_exist_ok=True)
        child = context.Process(target=run, args=(folder,))
        begun = time.monotonic()
        child.start()
        child.join()
        lengths.append(time.monotonic() - begun)
        assert child.exitcode == 0
    expected = content(whole)
    assert content(tmp_path / "warm") == expected
    assert sorted(path.name for path in (whole / "bundles").iterdir()) == ["done", "rejected"]
    assert len(list((whole / "bundles" / "rejected").iterdir())) == 4

    killed = 0
    for seed in range(INSTANTS):
        folder = tmp_path / str(seed)
        shutil.copytree(start, folder)
        chance = random.Random(seed)
        for _ in range(chance.choice((1, 1, 2))):
            child = context.Process(target=run, args=(folder,))
            child.start()
            child.join(lengths[-1] * chance.uniform(0.0, 1.0))
            child.kill()
            child.join()
            killed += child.exitcode == -9
        run(folder)
        assert content(folder) == expected, f"killed with seed {seed}"
        shutil.rmtree(folder)
    assert killed >= INSTANTS * 0.7
