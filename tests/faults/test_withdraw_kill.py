"""A withdrawal that is killed, cut off or refused anywhere, and run again, ends as if nothing had happened."""

from __future__ import annotations

import errno
import itertools
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitboard.database import withdrawals
from quitboard.database.connection import opened
from quitboard.errors import QuitBoardError, UsageError
from quitboard.ingest import media
from quitboard.operate import pipeline
from quitboard.operate.boards import open_board
from quitboard.operate.withdraw import withdraw
from tests import withdrawn_board
from tests.withdrawn_board import ASKED, NOW, QUIET

IS_RELEASE = os.environ.get("QUITBOARD_TIER") == "release"
KILLS = 60 if IS_RELEASE else 5
CUTS = 1000 if IS_RELEASE else 6

CALLS: list[tuple[Any, str]] = [
    (Path, "unlink"), (Path, "replace"), (Path, "rename"), (shutil, "rmtree"), (os, "fsync"), (os, "utime"),
    (withdrawals, "withdraw"), (withdrawals, "remember"), (withdrawals, "taken_back"), (pipeline, "build_site"),
]  # fmt: skip


class Cut(BaseException):
    """Stands for a process that is no more: nothing that handles errors handles this."""


class Countdown:
    """Fails at the `nth` of all calls, before it is made, and counts them."""

    def __init__(self, nth: int | None, failure: BaseException) -> None:
        self.nth, self.failure, self.calls = nth, failure, 0

    def instead(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.nth:
                raise self.failure
            return really(*arguments, **named)

        return call


def run(folder: Path) -> None:
    withdraw(open_board(folder / "board"), (ASKED.id,), reason="asked", talk=QUIET, now=NOW)


def cut_off(folder: Path, nth: int | None, failure: BaseException) -> int:
    countdown = Countdown(nth, failure)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, countdown.instead(getattr(owner, name)))
        run(folder)
    return countdown.calls


def state(folder: Path) -> dict[str, object]:
    return withdrawn_board.state(open_board(folder / "board"), folder / "public")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published board. What it remembers of its target is where it is copied to: see `copied`."""
    folder = tmp_path_factory.mktemp("start")
    board = withdrawn_board.make(folder / "board")
    withdrawn_board.publish(board, str(folder / "public"))
    return folder


def copied(start: Path, folder: Path) -> Path:
    shutil.copytree(start, folder)
    with opened(folder / "board" / "board.duckdb") as connection:
        connection.execute("UPDATE publication SET target = ?", [os.path.realpath(folder / "public")])
    return folder


def told(folder: Path) -> dict[str, object]:
    """Return a state without the name of the folder that it is in."""
    found = state(folder)
    found["due"] = sorted(str(row).replace(str(os.path.realpath(folder)), "") for row in found["due"])  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def expected(start: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = copied(start, tmp_path_factory.mktemp("whole") / "all")
    run(folder)
    assert secrets(folder) == []
    return told(folder)


def difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, set[Any]]:
    """Return what two states do not have in common, by its kind."""
    items = [{name: set(part.items()) if isinstance(part, dict) else set(part) for name, part in state.items()}
             for state in (one, other)]  # fmt: skip
    return {name: items[0][name] ^ items[1][name] for name in items[0] if items[0][name] != items[1][name]}


def secrets(folder: Path) -> list[str]:
    return withdrawn_board.holding(withdrawn_board.secret_pictures(), folder)


def withdrawn(folder: Path) -> int:
    with opened(folder / "board" / "board.duckdb", read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM withdrawal").fetchone()
    return int(count)


@pytest.mark.parametrize("failure", [Cut(), OSError(errno.ENOSPC, "No space left on device", "x")], ids=["cut", "full"])
def test_cut_off_at_a_step_and_run_again_it_ends_as_if_nothing_had_happened(
    start: Path, expected: dict[str, object], tmp_path: Path, failure: BaseException
) -> None:
    calls = cut_off(copied(start, tmp_path / "counted"), None, failure)
    assert calls > 30
    steps = sorted({round(1 + n * (calls - 1) / max(1, min(CUTS, calls) - 1)) for n in range(min(CUTS, calls))})
    for nth in steps:
        folder = copied(start, tmp_path / str(nth))
        before = told(folder)
        try:
            cut_off(folder, nth, failure)
        except (Cut, QuitBoardError, OSError):
            if not withdrawn(folder):
                assert told(folder) == before, f"step {nth} of {calls}"
        run(folder)
        assert difference(told(folder), expected) == {}, f"step {nth} of {calls}"
        assert secrets(folder) == [], f"step {nth} of {calls}"
        shutil.rmtree(folder)


def test_killed_at_any_instant_and_run_again_it_ends_as_if_nothing_had_happened(
    start: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["duckdb", "pyarrow.compute", "quitboard.site.build", __name__])
    lengths = []
    for name in ("cold", "warm"):
        folder = copied(start, tmp_path / name)
        child = context.Process(target=run, args=(folder,))
        begun = time.monotonic()
        child.start()
        child.join()
        lengths.append(time.monotonic() - begun)
        assert child.exitcode == 0
    killed = 0
    for seed in itertools.islice(itertools.count(), KILLS):
        folder = copied(start, tmp_path / str(seed))
        chance = random.Random(seed)
        child = context.Process(target=run, args=(folder,))
        child.start()
        child.join(lengths[-1] * chance.uniform(0.05, 0.95))
        child.kill()
        child.join()
        killed += child.exitcode == -9
        run(folder)
        assert difference(told(folder), expected) == {}, f"killed with seed {seed}"
        assert secrets(folder) == [], f"killed with seed {seed}"
        shutil.rmtree(folder)
    assert killed >= KILLS * 0.5


def test_a_folder_that_may_not_be_written_is_told_with_what_to_do(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(start, tmp_path / "locked")

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder / "board" / "media"))

    with monkeypatch.context() as patched:
        patched.setattr(media, "remove", refused)
        with pytest.raises(UsageError, match="media: may not be written") as caught:
            run(folder)
    assert caught.value.todo
    run(folder)
    assert secrets(folder) == []
