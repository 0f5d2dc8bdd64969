"""Detect killed at any instant and started again: the same bytes as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from pathlib import Path

import pytest

from quitboard import bundle
from quitboard.catalogue import load_catalogue
from quitboard.files import TEMPORARY_PREFIX, resource
from quitboard.settings import Settings, load_cameras
from tests import demo

FOLDERS, KILLS = (25, 8) if os.environ.get("QUITBOARD_TIER") == "release" else (5, 4)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["quitboard.detect.run", "quitboard.catalogue"])


def run(recordings: Path, out: Path) -> None:
    """What a child process does: detect with the real model, from its first line to its last."""
    from quitboard.detect.run import detect

    rules = load_catalogue(resource("data/catalogue/violations_kr.csv"))
    cameras = load_cameras(resource("data/demo/cameras.toml"))  # ground points tell riding from walking
    detect([recordings], out, cameras=cameras, rules=rules, settings=Settings())


def in_child(recordings: Path, out: Path, kill_after_s: float | None = None) -> int | None:
    child = PROCESSES.Process(target=run, args=(recordings, out))
    child.start()
    child.join(kill_after_s)
    if child.is_alive():
        child.kill()
        child.join()
    return child.exitcode


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short recordings of one camera, with a suspected violation in them."""
    folder = tmp_path_factory.mktemp("recordings")
    for recording in reversed(demo.RECORDINGS):
        acts = [act for act in demo.truth_of(recording)["acts"] if act["kind"] == "no_helmet"]
        if acts:
            middle_s = (acts[0]["from_s"] + acts[0]["to_s"]) / 2
            camera = recording.parent.name
            for hour, from_s, to_s in ((10, middle_s - 2.5, middle_s + 2.5), (11, middle_s, middle_s + 2)):
                target = folder / camera / f"{camera}_2026-01-01_{hour}-00-00.mp4"
                demo.cut(recording, target, from_s=from_s, to_s=to_s)
            return folder
    raise AssertionError("no demo recording shows a rider without a helmet")


@pytest.fixture(scope="module")
def undisturbed(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    out = tmp_path_factory.mktemp("undisturbed")
    in_child(recordings, tmp_path_factory.mktemp("warm"))
    started = time.monotonic()
    assert in_child(recordings, out) == 0
    taken_s = time.monotonic() - started
    (path,) = out.glob("*.zip")
    with bundle.read(path) as made:
        assert list(made.violations()), "a test of nothing"
        assert made.media_names()
    return {path.name: path.read_bytes() for path in out.glob("*.zip")}, taken_s


@pytest.mark.parametrize("seed", range(FOLDERS))
def test_killed_again_and_again_it_ends_with_the_same_bytes(
    recordings: Path, undisturbed: tuple[dict[str, bytes], float], tmp_path: Path, seed: int
) -> None:
    expected, taken_s = undisturbed
    instants = random.Random(seed)
    killed = 0
    for _ in range(KILLS):
        killed += in_child(recordings, tmp_path, instants.uniform(0.05, 0.9) * taken_s) == -9
    assert in_child(recordings, tmp_path) == 0
    assert killed, "every run was finished before it could be killed"
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.zip")} == expected
    assert not list(tmp_path.glob(f"{TEMPORARY_PREFIX}*")), "nothing unfinished is left beside the bundles"
