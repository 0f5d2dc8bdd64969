"""Building the site: same input, same bytes, whatever the machine does; only what changed is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from quitboard.database.connection import opened
from tests.site.building import built, files
from tests.site.conftest import AS_OF
from tests.site.sample_board import Sample

ROOT = Path(__file__).parents[2]


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_the_same_board_gives_the_same_bytes(copy: Sample, site: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy.media.parent / "cache")
    built(copy, tmp_path / "again")
    assert files(tmp_path / "again") == files(site)


BUILD = """
import sys
from datetime import datetime
from pathlib import Path
from quitboard.site import rendering
from quitboard.site.build import build
from tests.site.conftest import SETTINGS
database, media, out, as_of, workers = sys.argv[1:]
rendering._ALONE_BELOW, rendering._CHUNK = 0, 90
if __name__ == "__main__":
    build(Path(database), Path(media), Path(out), settings=SETTINGS, as_of=datetime.fromisoformat(as_of),
          cache_dir=Path(out + "-cache"), workers=int(workers))
"""


@pytest.mark.parametrize(("workers", "seed"), [("2", "0"), ("3", "4711")])
def test_any_number_of_processes_and_any_order_of_hashing_give_the_same_bytes(
    board: Sample, site: Path, tmp_path: Path, workers: str, seed: str
) -> None:
    out = tmp_path / "site"
    (tmp_path / "run.py").write_text(BUILD)
    command = [sys.executable, tmp_path / "run.py", board.database, board.media, out, AS_OF.isoformat(), workers]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)})
    assert files(out) == files(site)


def test_an_unchanged_rebuild_writes_nothing(board: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    built(board, out)
    before = times(out)
    done = built(board, out, as_of=AS_OF + timedelta(days=1))
    assert (done.written, done.removed) == (0, 0)
    assert times(out) == before


def test_the_sums_are_those_that_sha256sum_checks(site: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=site, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_one_new_case_rewrites_only_the_pages_that_show_it(copy: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    with opened(copy.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM violation_info ORDER BY started_at LIMIT 1")
        connection.execute("DELETE FROM violation_info WHERE id IN (SELECT id FROM kept)")
    built(copy, out)
    before = files(out)
    with opened(copy.database) as connection:
        connection.execute("INSERT INTO violation_info SELECT * FROM kept")
        case = connection.execute("SELECT id FROM kept").fetchone()[0]
    done = built(copy, out)
    after = files(out)
    assert after.keys() - before.keys() >= {f"v/{case}/index.html", f"en/v/{case}/index.html"}
    assert "method/index.html" in before
    assert before["method/index.html"] == after["method/index.html"]
    assert done.written < len(after) / 2


def test_what_was_deleted_by_hand_comes_back(board: Sample, site: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    built(board, out)
    (out / "law" / "index.html").unlink()
    (out / "index.html").write_text("changed by hand")
    built(board, out)
    assert files(out) == files(site)
