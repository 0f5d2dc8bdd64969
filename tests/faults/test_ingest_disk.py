"""A disk that fills up at any of ingest's writes: it says so, keeps what was finished, and goes on when it can."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quitboard import files
from quitboard.database.connection import duckdb_errors_named, opened
from quitboard.errors import DatabaseError, DiskFull, Locked, QuitBoardError, UsageError
from quitboard.ingest.load import Target, ingest
from quitboard.records import ModelCard
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
WRITES = ((Path, "write_bytes"), (Path, "replace"), (Path, "mkdir"), (Path, "touch"), (os, "fsync"))


class Failing:
    """Makes the `nth` of ingest's writes fail, and counts them."""

    def __init__(self, nth: int | None, code: int) -> None:
        self.nth = nth
        self.code = code
        self.calls = 0

    def instead(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.nth:
                raise OSError(self.code, os.strerror(self.code), str(arguments[0]))
            return really(*arguments, **named)

        return call


def target_of(folder: Path) -> Target:
    return Target(database=folder / "board.duckdb", media=folder / "media")


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int | None = None, code: int = errno.ENOSPC) -> int:
    failing = Failing(nth, code)
    with monkeypatch.context() as patched:
        for owner, name in WRITES:
            patched.setattr(owner, name, failing.instead(getattr(owner, name)))
        ingest([folder / "bundles"], target_of(folder), now=NOW)
    return failing.calls


def content(folder: Path) -> dict[str, Any]:
    with opened(folder / "board.duckdb", read_only=True) as connection:
        rows = {
            table: sorted(connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {table}").fetchall())
            for table in ("violation_info", "violation_file", "bundle", "exposure", "media")
        }
    found = {
        str(path.relative_to(folder)): files.sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("board.duckdb", ".board.duckdb.lock")
    }
    return rows | {"files": found}


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "start"
    bundles.make(folder / "bundles" / "a.zip")
    run(folder, monkeypatch)
    bundles.make(folder / "bundles" / "a.zip", model=ModelCard(name="newer", sha256="b" * 64), violations=[])
    other = bundles.recording("other", 9)
    rows, media = bundles.pictured((bundles.violation(n, other) for n in range(3)), first=50)
    bundles.make(folder / "bundles" / "b.zip", recordings=[other], violations=rows, media=media)
    (folder / "bundles" / "torn.zip").write_bytes(b"PK")
    for order, name in enumerate(("a.zip", "b.zip", "torn.zip")):
        os.utime(folder / "bundles" / name, ns=(order, order))
    return folder


@pytest.mark.parametrize(("code", "expected", "step"), [(errno.ENOSPC, DiskFull, 1), (errno.EACCES, UsageError, 5)])
def test_a_write_that_fails_is_told_and_the_next_run_ends_as_if_it_had_not(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[QuitBoardError], step: int
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    calls = run(whole, monkeypatch)
    assert calls > 30
    expected_content = content(whole)
    for nth in range(1, calls + 1, step):
        folder = tmp_path / str(nth)
        shutil.copytree(start, folder)
        with pytest.raises(expected) as caught:
            run(folder, monkeypatch, nth, code)
        assert caught.value.todo
        run(folder, monkeypatch)
        assert content(folder) == expected_content, f"write {nth} of {calls}"
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("text", "expected", "todo"),
    [
        ("IO Error: Could not write file: No space left on device", DiskFull, "Free some space"),
        ('IO Error: Cannot open file "/home/kim/board.duckdb": Permission denied', DatabaseError, "Check whose"),
        ('IO Error: Could not set lock on file "/home/kim/board.duckdb"', Locked, "Try again"),
        (
            'IO Error: Could not read file "/home/kim/board.duckdb": Input/output error',
            DatabaseError,
            "Restore a backup",
        ),
    ],
)
def test_what_the_database_says_of_its_file_becomes_advice(
    text: str, expected: type[QuitBoardError], todo: str
) -> None:
    import duckdb

    with pytest.raises(expected) as caught, duckdb_errors_named("board.duckdb"):
        raise duckdb.IOException(text)
    assert todo in caught.value.todo
    assert "/home/kim" not in str(caught.value)
