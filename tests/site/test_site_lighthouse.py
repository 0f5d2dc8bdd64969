"""Lighthouse on its phone profile: at least 95 in all four, on the pages that readers meet first.

The score of speed is a measurement of the machine too: it is judged in the release tier, on all four pages.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import lighthouse, screenshots

IS_RELEASE = os.environ.get("QUITBOARD_TIER") == "release"
PAGES = lighthouse.PAGES if IS_RELEASE else ("home",)


@pytest.mark.timeout(lighthouse.LIMIT_S * (len(PAGES) + 1))
def test_a_phone_gets_every_first_page_fast_and_whole(tmp_path: Path) -> None:
    port = lighthouse.free_port()
    _, site = next(screenshots.sample_sites(tmp_path, f"http://127.0.0.1:{port}/"))
    for name, report in lighthouse.measure(site, port, pages=PAGES).items():
        scores = lighthouse.scores(report)
        judged = scores if IS_RELEASE else {kind: score for kind, score in scores.items() if kind != "performance"}
        assert min(judged.values()) >= lighthouse.LEAST, f"{name}: {scores}, for {lighthouse.losses(report)}"
