"""A folder as it comes from a real recorder: good recordings among broken ones. The good are read, the rest is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quitboard import bundle
from tests.videos import shade, write_video


def write_clip(path: Path, *, seed: int = 0, length_s: int = 3) -> Path:
    """Write a recording of its own content for each seed."""
    return write_video(path, frames=10 * length_s, fps=10, paint=lambda number: shade(number + seed))


def quitboard(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quitboard.cli", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recorder")
    gate = root / "gate"
    write_clip(gate / "gate_2026-03-01_10-00-00.mp4", seed=1)
    write_clip(gate / "gate_2026-03-01_10-00-02.mp4", seed=2)  # overlaps the first by a second
    whole = write_clip(gate / "gate_2026-03-01_11-00-00.mp4", seed=3, length_s=6).read_bytes()
    damaged = write_clip(gate / "gate_2026-03-01_12-00-00.avi", seed=4, length_s=6)
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size * 2 // 3])
    (gate / "gate_2026-03-01_13-00-00.mp4").write_bytes(b"")
    (gate / "gate_2026-03-01_14-00-00.mp4").write_text("this is not a video\n" * 50)
    (gate / "gate_2026-03-01_15-00-00.mp4").write_text("#EXTM3U\n#EXTINF:10,\n/etc/passwd\n")
    (gate / "noclock.mp4").write_bytes(write_clip(root / "elsewhere" / "x.mp4", seed=5).read_bytes())
    (root / "elsewhere" / "x.mp4").unlink()
    (gate / "copy of 11-00.mp4").write_bytes(whole)
    return root


@pytest.fixture(scope="module")
def first(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    board = tmp_path_factory.mktemp("board")
    return board, quitboard("detect", folder, "-o", "bundles", "--json", cwd=board)


def test_the_rest_is_done_and_the_exit_code_says_that_something_was_set_aside(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    board, done = first
    assert done.returncode == 3, done.stderr
    (path,) = (board / "bundles").glob("*.zip")
    manifest = bundle.verify(path)
    names = {Path(recording.name).name for recording in manifest.recordings}
    assert {"gate_2026-03-01_10-00-00.mp4", "gate_2026-03-01_10-00-02.mp4", "gate_2026-03-01_11-00-00.mp4"} <= names
    assert "gate_2026-03-01_12-00-00.avi" in names, "a truncated recording is read as far as it goes"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gate_2026-03-01_12-00-00.avi", "read as far as it goes"),
        ("gate_2026-03-01_13-00-00.mp4", "empty"),
        ("gate_2026-03-01_14-00-00.mp4", ""),
        ("gate_2026-03-01_15-00-00.mp4", "playlist"),
        ("noclock.mp4", "when it began"),
    ],
)
def test_each_broken_input_is_named_with_its_reason_and_what_to_do(
    first: tuple[Path, subprocess.CompletedProcess[str]], name: str, says: str
) -> None:
    _, done = first
    items = {Path(item["name"]).name: item for item in json.loads(done.stdout)["set_aside"]}
    assert says in items[name]["reason"]
    assert name in done.stderr
    assert items[name]["todo"] or "read as far" in items[name]["reason"]


def test_an_overlap_counts_once(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    board, _ = first
    (path,) = (board / "bundles").glob("*.zip")
    with bundle.read(path) as opened:
        manifest = opened.manifest
        watched = sum(row.watched_s for row in opened.exposures() if row.kind == "no_helmet")
    read = sum(recording.read_s for recording in manifest.recordings)
    assert watched == pytest.approx(read - 1.0, abs=0.15)


def test_no_traceback_and_no_path_of_this_machine_anywhere(
    first: tuple[Path, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    board, done = first
    assert "Traceback" not in done.stderr
    (path,) = (board / "bundles").glob("*.zip")
    with bundle.read(path) as opened:
        assert str(folder) not in repr(opened.manifest)


def test_started_again_nothing_is_made_and_the_same_is_said(
    first: tuple[Path, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    board, done = first
    (path,) = (board / "bundles").glob("*.zip")
    before = path.stat().st_mtime_ns
    again = quitboard("detect", folder, "-o", "bundles", "--json", cwd=board)
    assert again.returncode == 3
    assert path.stat().st_mtime_ns == before
    assert json.loads(again.stdout)["set_aside"] == json.loads(done.stdout)["set_aside"]
    assert [day["is_new"] for day in json.loads(again.stdout)["bundles"]] == [False]


def test_after_ingest_took_the_bundle_detect_does_not_make_it_again(
    first: tuple[Path, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    board, _ = first
    assert quitboard("ingest", "bundles", cwd=board).returncode == 0
    quitboard("detect", folder, "-o", "bundles", cwd=board)
    assert not list((board / "bundles").glob("*.zip"))
    assert len(list((board / "bundles" / "done").glob("*.zip"))) == 1


def test_a_folder_without_any_usable_recording_ends_with_5(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a_2026-01-01_00-00-00.mp4").write_text("no")
    done = quitboard("detect", "in", cwd=tmp_path)
    assert done.returncode == 5
    assert "a_2026-01-01_00-00-00.mp4" in done.stderr


def test_a_typing_error_in_the_settings_ends_with_4_and_its_line(tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "a_2026-01-01_00-00-00.mp4")
    (tmp_path / "quitboard.toml").write_text("[detect]\n\nimgzs = 640\n")
    done = quitboard("detect", "in", cwd=tmp_path)
    assert done.returncode == 4
    assert "quitboard.toml, line 3" in done.stderr
    assert "imgsz" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("detect",), 2),
        (("detect", "missing"), 2),
        (("detekt",), 2),
        (("detect", "in", "--model", "none.onnx"), 6),
        (("build-site",), 5),
        (("stats", "--by", "mood"), 2),
        (("verify", "in"), 2),
    ],
)
def test_exit_codes_are_those_of_the_design(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    write_clip(tmp_path / "in" / "a_2026-01-01_00-00-00.mp4")
    done = quitboard(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_start_is_told_to_try_later(tmp_path: Path) -> None:
    from quitboard.files import locked

    write_clip(tmp_path / "in" / "a_2026-01-01_00-00-00.mp4")
    with locked(tmp_path / "bundles" / ".journal" / "lock", what="test"):
        done = quitboard("detect", "in", "-o", "bundles", cwd=tmp_path)
    assert done.returncode == 75
    assert "later" in done.stderr or "again" in done.stderr


def test_a_full_disk_keeps_what_was_finished_and_says_what_to_do(tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "a_2026-01-01_00-00-00.mp4")
    full = (
        "import errno, sys, zipfile\n"
        "def no_space(*_a, **_k): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "zipfile.ZipFile.writestr = no_space\n"
        "from quitboard.cli import main\n"
        "sys.argv = ['quitboard', 'detect', 'in', '-o', 'bundles']\nmain()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", full], cwd=tmp_path, capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 5, done.stderr
    assert "disk is full" in done.stderr
    assert not list((tmp_path / "bundles").glob("*.zip"))
    assert list((tmp_path / "bundles" / ".journal" / "looks").glob("*/*.npz")), "looks are kept"
    assert quitboard("detect", "in", "-o", "bundles", cwd=tmp_path).returncode == 0
