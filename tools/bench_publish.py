"""Counts what publishing asks of S3: `python tools/bench_publish.py [N]`, N suspected violations (default 3,500).

Against a SeaweedFS on this machine: the first publish, an unchanged one, one after a single case has changed, and two
files taken back. Requests are counted where boto3 sends them; seconds are those of this machine, good for ratios.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3

from quitboard.database.connection import opened
from quitboard.settings import PublishSettings, Settings, SiteSettings
from quitboard.site.build import build
from quitboard.site.output import read_sums
from quitboard.site.publish.opening import open_target
from quitboard.site.publish.run import publish, take_back
from quitboard.site.publish.s3 import S3Target
from tests.seaweed import KEYS, serving
from tests.site.sample_board import Sample, make_board

AS_OF = datetime(2026, 5, 2, tzinfo=UTC)
BUCKET = "bench"


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 3500
    os.environ.update(KEYS)
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as endpoint:
        folder = Path(name) / "board"
        settings = Settings(
            site=SiteSettings(base_url="https://example.org/board/"), publish=PublishSettings(endpoint_url=endpoint)
        )
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=BUCKET)
        board = make_board(folder, violations=wanted)
        site = built(board, folder / "site", settings)
        sums = read_sums(site)
        pages = sum(path.endswith(".html") for path in sums)
        size = sum((site / path).stat().st_size for path in sums)
        print(f"{wanted:,} suspected violations: {pages:,} pages, {len(sums):,} files, {size / 1e6:.0f} MB")

        def published(target: S3Target) -> str:
            plan = publish(site, target).plan
            return f"{plan.put_count:,} put, {plan.delete_count:,} deleted, {plan.unchanged:,} unchanged"

        measured("first", settings, folder, published)
        measured("unchanged", settings, folder, published)
        with opened(board.database) as connection:
            connection.execute(
                "UPDATE violation_info SET zone = 'changed' WHERE id = (SELECT min(id) FROM violation_info)"
            )
        built(board, folder / "site", settings)
        measured("one case changed", settings, folder, published)
        gone = [next(path for path in sums if path.startswith("media/")), next(path for path in sums if "/v/" in path)]
        measured("two files taken back", settings, folder, lambda target: f"{len(take_back(target, gone).paths)} gone")


def built(board: Sample, out: Path, settings: Settings) -> Path:
    return build(board.database, board.media, out, settings=settings, as_of=AS_OF).out


def measured(name: str, settings: Settings, folder: Path, act: Callable[[S3Target], str]) -> None:
    target = open_target(f"s3://{BUCKET}/board", settings, board=folder)
    assert isinstance(target, S3Target)
    requests: Counter[str] = Counter()

    def count(event_name: str, **_request: Any) -> None:
        requests[event_name.rpartition(".")[2]] += 1

    target.client.meta.events.register("before-send.s3", count)
    start = time.perf_counter()
    done = act(target)
    seconds = time.perf_counter() - start
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in requests.most_common())
    print(f"{name:22} {requests.total():7,} requests, {seconds:7.2f} s: {done}  ({kinds})", flush=True)


if __name__ == "__main__":
    main()
