"""One board and its site for all tests of the page, and a real Chromium to look at it with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from quitboard.settings import BoardSettings, Settings, SiteSettings
from quitboard.site.build import build
from tests.site.sample_board import Sample, make_board

AS_OF = datetime(2026, 5, 2, tzinfo=UTC)
SETTINGS = Settings(
    board=BoardSettings(operator="○○동 보행안전 모임", contact="safety@example.org"), site=SiteSettings(per_page=12)
)


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_board(tmp_path_factory.mktemp("board"), weeks=3, violations=60, pictures=4)


@pytest.fixture
def copy(board: Sample, tmp_path: Path) -> Sample:
    """A board of one's own, to change."""
    shutil.copytree(board.database.parent, tmp_path / "board")
    return Sample(tmp_path / "board" / "board.duckdb", tmp_path / "board" / "media")


@pytest.fixture(scope="session")
def site(board: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site of `board`. Tests only read it."""
    out = tmp_path_factory.mktemp("site") / "out"
    build(board.database, board.media, out, settings=SETTINGS, as_of=AS_OF, workers=1)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one these tests fail, they are not skipped."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("no Chromium found: run tools/install_browser.sh, or install it with your package manager")
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()
