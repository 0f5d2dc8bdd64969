"""The first view is light: what a phone loads of a page before anybody scrolls or presses, in a real browser."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Response

from quitboard.database.connection import opened
from tests.site.browsing import page_in, served
from tests.site.building import built
from tests.site.sample_board import make_board

MOST_BYTES, MOST_HTML_BYTES = 300_000, 40_000
PHONE_PIXELS = 2.625  # a common phone's device pixels for one of CSS


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose stills weigh what real ones do: 640 pixels wide, over 50 kB as JPEG."""
    folder = tmp_path_factory.mktemp("light")
    board = make_board(folder / "board", weeks=2, violations=40, pictures=2)
    coarse = np.random.default_rng(3).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(coarse).resize((640, 360), Image.Resampling.BICUBIC).save(content, "JPEG", quality=90)
    assert content.tell() > 40_000
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    (board.media / sha256[:2]).mkdir(exist_ok=True)
    (board.media / sha256[:2] / f"{sha256}.jpg").write_bytes(content.getvalue())
    with opened(board.database) as connection:
        connection.execute("UPDATE violation_info SET still_sha256 = ?", [sha256])
    built(board, folder / "site")
    return folder / "site"


@pytest.mark.parametrize("language", ["", "en/"])
def test_the_first_view_of_a_case_weighs_no_more_than_300_kb_and_no_clip(
    street: Path, browser: Browser, language: str
) -> None:
    case = next(path for path in sorted((street / language / "v").iterdir()) if "play" in _html(path))
    got: dict[str, int] = {}

    def on_response(response: Response) -> None:
        got[response.url] = len(response.body())

    with served(street) as origin, page_in(browser, device_scale_factor=PHONE_PIXELS) as page:
        page.on("response", on_response)
        page.goto(f"{origin}{language}v/{case.name}/index.html", wait_until="networkidle")
        assert sum(got.values()) <= MOST_BYTES, sorted(got.items(), key=lambda item: -item[1])
        assert [url for url in got if "-640.webp" in url], "the still is there"
        clip = page.locator("a.play").get_attribute("data-clip")
        assert clip
        assert not [url for url in got if url.endswith((".gif", clip.rpartition("/")[2]))]
        with page.expect_response(lambda response: response.url.endswith(clip.rpartition("/")[2])):
            page.locator("a.play").click()


def _html(folder: Path) -> str:
    return (folder / "index.html").read_text()


def test_no_page_of_a_case_or_list_is_longer_than_40_kb(street: Path) -> None:
    pages = [path for path in street.rglob("index.html") if {"v", "violations"} & set(path.parts)]
    assert len(pages) > 100
    assert max(path.stat().st_size for path in pages) <= MOST_HTML_BYTES


def test_every_picture_has_its_size_and_lists_load_theirs_when_they_are_near(street: Path) -> None:
    for path in (street / "violations").rglob("index.html"):
        for tag in _html(path.parent).split("<img ")[1:]:
            attributes = tag.split(">")[0]
            assert all(name in attributes for name in ('width="', 'height="', 'loading="lazy"', "alt=")), path
