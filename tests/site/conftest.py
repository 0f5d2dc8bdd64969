"""One board and its sites for all tests of the page, and one real Chromium to look at them with."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from quitboard.settings import BoardSettings, Settings, SiteSettings
from quitboard.site.build import build
from tests.site.browsing import CHROMIUM_FLAGS, chromium
from tests.site.sample_board import Sample, make_board

AS_OF = datetime(2026, 5, 2, tzinfo=UTC)
SETTINGS = Settings(
    board=BoardSettings(operator="○○동 보행안전 모임", contact="safety@example.org"), site=SiteSettings(per_page=12)
)
BASE_URL = "https://board.example.org/scooters/"
LAUNCH_S = 60


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_board(tmp_path_factory.mktemp("board"), weeks=3, violations=60, pictures=4, withdrawn=1)


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
def addressed_site(board: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of `board` that knows its address on the web, `BASE_URL`."""
    out = tmp_path_factory.mktemp("addressed") / "out"
    settings = replace(SETTINGS, site=replace(SETTINGS.site, base_url=BASE_URL))
    build(board.database, board.media, out, settings=settings, as_of=AS_OF, workers=1)
    return out


@pytest.fixture(scope="session")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a street on which nothing was suspected: its pages say so."""
    board = make_board(tmp_path_factory.mktemp("quiet"), weeks=1, found=False)
    out = tmp_path_factory.mktemp("quiet-site") / "out"
    build(board.database, board.media, out, settings=SETTINGS, as_of=AS_OF, workers=1)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one Chromium of a session. It answers in time or the test that asked fails: nothing waits for ever."""
    path = chromium()
    try:
        subprocess.run([path, "--version"], check=True, capture_output=True, timeout=LAUNCH_S)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.fail(f"{path} does not start: {error}")
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS, timeout=LAUNCH_S * 1000)
        except Error as error:
            pytest.fail(f"{path} did not open within {LAUNCH_S} s: {error}")
        yield opened
        opened.close()
