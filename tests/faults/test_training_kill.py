"""Training killed at any instant and started again goes on, and comes to a whole model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from quitboard import files
from quitboard.detect import model
from tests.drawn_set import RECIPE, draw

MODELS = files.resource("data/models/default")
LONGEST_S = 240


def started(folder: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "quitboard.cli",
        "models",
        "train",
        str(folder / "recipe.toml"),
        "-o",
        str(folder / "run"),
    ]
    return subprocess.Popen(
        [*command, "--data", f"models={MODELS}", "--device", "cpu", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def killed_when(folder: Path, pattern: str) -> None:
    """Start the command and kill it as soon as a file of this pattern is there."""
    process = started(folder)
    until = time.monotonic() + LONGEST_S
    while not list((folder / "run").glob(pattern)):
        assert process.poll() is None, process.communicate()[1][-2000:]
        assert time.monotonic() < until, f"no {pattern} after {LONGEST_S} s"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def finished(folder: Path) -> tuple[dict[str, object], str]:
    out, err = started(folder).communicate(timeout=LONGEST_S)
    return json.loads(out), err


def test_training_killed_while_preparing_and_while_training_goes_on_and_ends_whole(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        draw(tmp_path / "drawn", split=split, count=6)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    killed_when(tmp_path, "set/photos/*.tar")
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("set/photos/*.tar")}
    killed_when(tmp_path, "rounds/*/checkpoints/0001.pt")
    (checkpoint,) = (tmp_path / "run").glob("rounds/*/checkpoints/0001.pt")
    learnt = checkpoint.read_bytes()
    (checkpoint.parents[1] / "weights" / "last.pt").write_bytes(learnt[:1000])  # a kill in the middle of a write
    done, _ = finished(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert checkpoint.read_bytes() == learnt
    assert len(done["checkpoints"]) == 2  # type: ignore[arg-type]
    made = Path(str(done["model"]))
    card = tomllib.loads((made / "card.toml").read_text())
    assert set(card["figures"]) == {"person", "scooter", "head"}
    assert card["weights"] == {path.name: files.sha256_file(path) for path in made.glob("model*")}
    assert str(tmp_path) not in (made / "CARD.md").read_text() + (made / "card.toml").read_text()
    model.load(made)

    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    again, said = finished(tmp_path)
    assert again == done
    assert "measuring" not in said
    assert "training" not in said
    assert written == {path: path.stat().st_mtime_ns for path in written}
