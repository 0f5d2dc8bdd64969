"""Lighthouse on a phone, as a reader with a slow phone meets the site: `make lighthouse [SITE=dir]`.

Prints the four scores of the home page, a list, a card and the statistics, with the bytes of the first view. Texts
are compressed on the way, as GitHub Pages and most servers do. Exit code 1 below 95.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.site.browsing import CHROMIUM_FLAGS, chromium, served
from tests.site.every_template import samples
from tools.screenshots import sample_sites

PAGES = ("home", "list", "violation", "statistics")
LEAST = 95
LIMIT_S = 180
PROGRAM = Path(sys.prefix) / "node" / "node_modules" / "lighthouse" / "cli" / "index.js"


def report_of(url: str) -> dict[str, Any]:
    """Return Lighthouse's report of one page, on its phone profile (slow 4G and a slow processor, both simulated)."""
    flags = " ".join(("--headless=new", *CHROMIUM_FLAGS))
    done = subprocess.run(
        [
            Path(sys.prefix) / "bin" / "node", PROGRAM, url, "--output=json", "--quiet", f"--chrome-flags={flags}",
            "--only-categories=performance,accessibility,best-practices,seo", "--max-wait-for-load=60000",
        ],
        env={**os.environ, "CHROME_PATH": chromium()}, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {url}: {done.stderr[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scores(report: Mapping[str, Any]) -> dict[str, int]:
    """Return the four scores, 0-100."""
    return {name: round((found["score"] or 0) * 100) for name, found in report["categories"].items()}


def losses(report: Mapping[str, Any]) -> list[str]:
    """Return what cost points: the title of every audit that counts and is not whole."""
    counted = {ref["id"] for found in report["categories"].values() for ref in found["auditRefs"] if ref["weight"]}
    audits = (report["audits"][name] for name in sorted(counted))
    return [
        f"{audit['title']}: {audit.get('displayValue', 'not met')}"
        for audit in audits
        if audit["score"] is not None and audit["score"] < 0.9
    ]


def measure(
    site: Path, port: int, *, pages: Sequence[str] = PAGES, compressed: bool = True
) -> dict[str, dict[str, Any]]:
    """Return the report of each of `pages` of a built site, served at `port`."""
    chosen = samples(site)
    with served(site, port=port, compressed=compressed) as home:
        return {name: report_of(home + chosen[name].removesuffix("index.html")) for name in pages}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, help="a built site; by default the sample board's")
    parser.add_argument("--out", type=Path, help="a folder for the whole reports")
    parser.add_argument("--plain", action="store_true", help="serve without compression, as a bare bucket does")
    given = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        site = given.site or next(sample_sites(Path(scratch), f"http://127.0.0.1:{port}/"))[1]
        reports = measure(site, port, compressed=not given.plain)
    low = False
    for name, report in reports.items():
        found = scores(report)
        low |= min(found.values()) < LEAST
        kilobytes = report["audits"]["total-byte-weight"]["numericValue"] / 1000
        print(f"{name:12}", *(f"{kind} {score:3}" for kind, score in found.items()), f"{kilobytes:5.0f} kB", sep="  ")
        for line in losses(report):
            print(f"{'':14}{line}")
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            (given.out / f"{name}.json").write_text(json.dumps(report))
    sys.exit(1 if low else 0)


if __name__ == "__main__":
    main()
