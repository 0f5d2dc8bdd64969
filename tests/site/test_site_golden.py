"""The first screen of four pages on a phone looks as it did. QUITBOARD_GOLDEN=write makes the pictures anew.

The typeface is the site's own, so screens differ between machines by the rasteriser's edges alone. Compared are cells
of 6 by 6 pixels, in which edges vanish; a line of text that moved, a colour or a part that is missing does not.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.site.browsing import PHONE, page_in

GOLDEN = Path(__file__).parent / "golden"
PAGES = {"home": "index.html", "list": "violations/kind/no_helmet/index.html", "statistics": "statistics/index.html"}
CELL_PX = 6
MOST_MEAN, MOST_CELL, MOST_FAR = 2.0, 32, 0.01
"""Levels of 255: how far cells may differ on average, how far one may, and what share of cells may go beyond that."""


def cells(picture: Image.Image) -> np.ndarray:
    size = (picture.width // CELL_PX, picture.height // CELL_PX)
    return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX), dtype=float)


def differ(one: Image.Image, other: Image.Image) -> bool:
    """Return whether two screens differ beyond what another machine's rasteriser does."""
    if one.size != other.size:
        return True
    apart = np.abs(cells(one) - cells(other)).max(axis=2)
    return bool(apart.mean() > MOST_MEAN or (apart > MOST_CELL).mean() > MOST_FAR)


def screen(browser: Browser, page_file: Path, scheme: str) -> Image.Image:
    with page_in(browser, color_scheme=scheme) as page:
        page.goto(page_file.as_uri())
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready.then(() => null)")
        return Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, "violation"])
def test_the_first_screen_looks_as_it_did(browser: Browser, site: Path, name: str, scheme: str, tmp_path: Path) -> None:
    case = next(path for path in sorted(site.glob("v/*/index.html")) if "data-clip" in path.read_text())
    found = screen(browser, site / PAGES[name] if name in PAGES else case, scheme)
    golden = GOLDEN / f"{name}-{scheme}.webp"
    if os.environ.get("QUITBOARD_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        found.save(golden, lossless=True, method=6)
    found.save(tmp_path / "found.png")
    with Image.open(golden) as wanted:
        assert not differ(found, wanted.convert("RGB")), f"{tmp_path / 'found.png'} is not {golden}"


def test_a_line_that_moved_or_a_colour_that_changed_is_noticed() -> None:
    with Image.open(GOLDEN / "home-light.webp") as file:
        home = file.convert("RGB")
    assert home.size == (PHONE["width"], PHONE["height"])
    lower = Image.new("RGB", home.size, home.getpixel((5, 5)))
    lower.paste(home, (0, CELL_PX))
    assert differ(home, lower)
    assert differ(home, Image.eval(home, lambda level: min(255, level + 8)))
    blurred = home.resize((home.width * 2, home.height * 2)).resize(home.size)
    assert not differ(home, blurred)
