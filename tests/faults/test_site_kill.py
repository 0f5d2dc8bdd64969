"""build-site killed with SIGKILL: a reader meets one whole site, and the same command converges."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from quitboard.settings import BoardSettings, Settings
from quitboard.site import media
from quitboard.site.build import build
from quitboard.site.generations import kept, roll_back
from tests.site.building import files
from tests.site.conftest import AS_OF
from tests.site.sample_board import Sample, make_board

INSTANTS = 200 if os.environ.get("QUITBOARD_TIER") == "release" else 12
TITLES = ("처음 이름", "다음 이름")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["quitboard.site.build", "quitboard.site.render", "pyarrow", "PIL.Image", __name__])


def run(board: Sample, out: Path, title: str) -> None:
    settings = Settings(board=BoardSettings(title_ko=title))
    build(board.database, board.media, out, settings=settings, as_of=AS_OF, workers=1)


def encode(pictures: tuple[list[str], list[str]], folder: Path, workers: int) -> None:
    media._REMEMBER_EVERY = 1
    media.prepare(*pictures, media_dir=folder / "media", cache_dir=folder / "cache" / "site", workers=workers)


def killed_after(seconds: float, target: object, *arguments: object) -> bool:
    child = PROCESSES.Process(target=target, args=arguments)  # type: ignore[arg-type]
    child.start()
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == -9


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_board(tmp_path_factory.mktemp("board"), weeks=1, violations=12, pictures=12)


def test_a_build_killed_at_any_instant_leaves_the_old_or_the_new_site(board: Sample, tmp_path: Path) -> None:
    """Each build is to flip the site to its other state; every third also has all pictures to encode again."""
    out, cache = tmp_path / "site", board.media.parent / "cache"
    settled = {}
    for title in TITLES:
        run(board, tmp_path / title, title)
        settled[title] = files(tmp_path / title)
    pictures = files(cache)
    run(board, out, TITLES[0])
    begun = time.monotonic()
    child = PROCESSES.Process(target=run, args=(board, out, TITLES[1]))
    child.start()
    child.join()
    lasting_s = time.monotonic() - begun
    chance = random.Random(11)
    killed = 0
    for number in range(INSTANTS):
        if number % 3 == 0:
            shutil.rmtree(cache)
        other = TITLES[files(out) == settled[TITLES[0]]]
        killed += killed_after(lasting_s * chance.uniform(0, 1), run, board, out, other)
        assert files(out) in settled.values(), "the site is neither the old nor the new one"
        assert all(files(one) in settled.values() for one in kept(out))
    assert killed >= INSTANTS * 0.4
    run(board, out, TITLES[1])
    assert files(out) == settled[TITLES[1]]
    assert files(cache).keys() == pictures.keys()
    assert {path.name for path in tmp_path.iterdir()} - set(TITLES) <= {
        "site", ".site.lock", ".site.generations", *(f".{title}.lock" for title in TITLES)
    }  # fmt: skip


def test_a_roll_back_killed_at_any_instant_leaves_one_whole_site(board: Sample, tmp_path: Path) -> None:
    start = tmp_path / "start"
    for title in TITLES:
        run(board, start / "site", title)
    earlier, present = files(kept(start / "site")[0]), files(start / "site")
    chance = random.Random(5)
    for number in range(INSTANTS // 2):
        shutil.copytree(start, tmp_path / str(number))
        out = tmp_path / str(number) / "site"
        killed_after(0.3 * chance.uniform(0, 1), roll_back, out, ())
        assert files(out) in (present, earlier)
        if files(out) == present:
            roll_back(out, ())
        assert files(out) == earlier
        run(board, out, TITLES[1])
        assert files(out) == present


def test_encoding_killed_at_any_instant_goes_on_where_it_was(tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", weeks=1, violations=30, pictures=30)
    names = [path.name for path in board.media.rglob("*.*")]
    pictures = tuple([name.partition(".")[0] for name in names if name.endswith(end)] for end in ("jpg", "gif"))
    folder, whole = tmp_path / "board", tmp_path / "whole"
    shutil.copytree(board.media, whole / "media")
    begun = time.monotonic()
    assert not killed_after(60, encode, pictures, whole, 1)
    lasting_s = time.monotonic() - begun
    chance = random.Random(3)
    killed = 0
    for number in range(INSTANTS // 2):
        killed += killed_after(lasting_s * chance.uniform(0.2, 0.6), encode, pictures, folder, 1 + number % 2)
    assert killed
    before = {path: path.stat().st_mtime_ns for path in (folder / "cache/site").rglob("*.webp")}
    encode(pictures, folder, 2)
    assert files(folder / "cache") == files(whole / "cache")
    assert sum(path.stat().st_mtime_ns == then for path, then in before.items()) > 10
