"""Ingest against DuckDB's own COPY of the same rows, alternating, in one run.

    python -m tools.bench_ingest [--violations 100000] [--bundles 20] [--pictures] [--runs 3]

Prints seconds, of the clock and of the processor, peak memory, and ratios. COPY reads the rows from Parquet into tables
of the same schema; ingest reads zips, checks every byte against its sum and every field against its bounds, keeps a
transaction a bundle, and moves files. With `--pictures` each violation has a still of its own, which COPY has not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from quitboard import files
from tests import bundles

_INGEST = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
folder, inbox = Path(sys.argv[1]), Path(sys.argv[2])
begun = time.perf_counter()
from quitboard.ingest.load import Target, ingest
report = ingest([inbox], Target(database=folder / "board.duckdb", media=folder / "media"), now=datetime.now(UTC))
seconds = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_SELF)
assert not report.set_aside, report.set_aside
print(json.dumps({"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))
"""
_COPY = """
import json, resource, sys, time
from pathlib import Path
folder, rows = Path(sys.argv[1]), Path(sys.argv[2])
begun = time.perf_counter()
from quitboard.database.connection import opened
with opened(folder / "board.duckdb") as connection:
    for table in ("violation_info", "exposure", "violation_file"):
        connection.execute(f"COPY {table} FROM '{rows / table}.parquet'")
seconds = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(
        prog="python -m tools.bench_ingest", description=(__doc__ or "").splitlines()[0]
    )
    arguments.add_argument("--violations", type=int, default=100_000)
    arguments.add_argument("--bundles", type=int, default=20)
    arguments.add_argument("--pictures", action="store_true", help="a still for each violation")
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make(folder / "zips", given.violations // given.bundles, given.bundles, pictures=given.pictures)
        ours, theirs = [], []
        for run in range(given.runs):
            board = folder / f"ours-{run}"
            shutil.copytree(folder / "zips", board / "inbox")
            ours.append(_timed(_INGEST, board, board / "inbox"))
            if run == 0:
                _dump(board / "board.duckdb", folder / "rows")
            peer = folder / f"copy-{run}"
            peer.mkdir()
            theirs.append(_timed(_COPY, peer, folder / "rows"))
            shutil.rmtree(board)
        _say(given, ours, theirs)


def _make(folder: Path, each: int, count: int, *, pictures: bool) -> None:
    for number in range(count):
        day = bundles.DAY + timedelta(days=number)
        source = bundles.recording(f"r{number}", day=day)
        rows = [bundles.violation(n, source, evidence_note="no clear view of the head") for n in range(each)]
        media: dict[str, bytes] = {}
        if pictures:
            for at, row in enumerate(rows):
                content = bundles.jpeg(number * each + at)
                media[files.sha256_bytes(content)] = content
                rows[at] = replace(row, still_sha256=files.sha256_bytes(content), evidence_note="")
        kinds = ("no_helmet", "two_up", "sidewalk", "passenger_no_helmet", "crosswalk_riding", "wrong_way", "parking")
        watched = [bundles.exposure(source, kind=kind) for kind in kinds]
        bundles.make(
            folder / f"{day}.zip", recordings=[source], violations=rows, exposures=watched, media=media, day=day
        )


def _dump(database: Path, folder: Path) -> None:
    import duckdb

    folder.mkdir()
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in ("violation_info", "exposure", "violation_file"):
            connection.execute(f"COPY {table} TO '{folder / table}.parquet'")


def _timed(code: str, *paths: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _say(given: argparse.Namespace, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> None:
    print(f"{given.violations} violations in {given.bundles} bundles{', a still each' if given.pictures else ''}")
    for name, runs in (("ingest", ours), ("COPY", theirs)):
        clock, cpu = (statistics.median(run[what] for run in runs) for what in ("seconds", "cpu_s"))
        peak = max(run["peak_mb"] for run in runs)
        print(f"{name:7} {clock:6.2f} s, {cpu:5.2f} s of processor, peak {peak:.0f} MB, imports included")
    for what, name in (("seconds", "clock"), ("cpu_s", "processor")):
        ratios = [our[what] / their[what] for our, their in zip(ours, theirs, strict=True)]
        print(f"ratio by the {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    main()
