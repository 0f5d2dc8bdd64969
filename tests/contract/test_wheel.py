"""The wheel in a fresh environment, with what it asks for and nothing else: no torch, and yet it detects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.videos import write_video

ROOT = Path(__file__).parents[2]


def run(*words: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the built wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("fresh")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("quitboard-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    run(*pip, "--python", python, "install", "--constraint", ROOT / "constraints.txt", wheel, cwd=folder)
    return folder / "env" / "bin"


def test_the_wheel_brings_all_that_it_needs_and_no_torch(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in" / "gate_2026-01-01_10-00-00.mp4")
    run(fresh / "quitboard", "init", "board", cwd=tmp_path)
    board = tmp_path / "board"
    run(fresh / "quitboard", "detect", "../in", cwd=board)
    run(fresh / "quitboard", "ingest", "bundles", cwd=board)
    run(fresh / "quitboard", "build-site", cwd=board)
    assert "<html" in (board / "site" / "index.html").read_text("utf-8")
    assert "!!" not in run(fresh / "quitboard", "doctor", cwd=board)
    assert (
        run(fresh / "python", "-c", "import importlib.util as u; print(u.find_spec('torch'))", cwd=tmp_path) == "None\n"
    )


def test_the_wheel_holds_templates_catalogue_weights_and_recordings(fresh: Path) -> None:
    (package,) = fresh.parent.glob("lib/python3*/site-packages/quitboard")
    shipped = package / "_shipped"
    assert (shipped / "data" / "catalogue" / "violations_kr.csv").is_file()
    assert (shipped / "data" / "models" / "default" / "model.onnx").is_file()
    assert (shipped / "data" / "models" / "faces" / "centerface.onnx").is_file()
    assert list((shipped / "data" / "demo").rglob("*.mp4"))
    assert list((shipped / "templates").rglob("*.html"))
