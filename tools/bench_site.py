"""Times build-site on a made-up board: `python tools/bench_site.py [N]` (default 10,000 suspected violations).

Pictures are encoded in a first, untimed build: that cost is paid once a picture. Printed are seconds on the wall and on
the processors (the latter hold on a busy machine), files, and the peak memory of all processes.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from quitboard.settings import Settings
from quitboard.site.build import Built, build
from tests.site.sample_board import Sample, make_board

AS_OF = datetime(2026, 5, 2, tzinfo=UTC)


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        board = make_board(Path(folder) / "board", violations=wanted)
        out = Path(folder) / "site"
        build(board.database, board.media, out, settings=Settings(), as_of=AS_OF)
        shutil.rmtree(out)
        print(f"{wanted:,} suspected violations, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        timed("cold", board, out)
        timed("unchanged", board, out)
        peak = (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        )
        print(f"peak memory: {peak[0] / 1024:.0f} MiB here, {peak[1] / 1024:.0f} MiB in the largest worker")


def timed(name: str, board: Sample, out: Path) -> Built:
    before, start = _processor_s(), time.perf_counter()
    done = build(board.database, board.media, out, settings=Settings(), as_of=AS_OF)
    wall = time.perf_counter() - start
    spent = _processor_s() - before
    print(f"{name:10} {wall:6.2f} s wall, {spent:6.2f} s processor, {done.written:,} of {done.files:,} files written")
    return done


def _processor_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    main()
