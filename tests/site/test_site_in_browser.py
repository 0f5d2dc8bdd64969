"""What scripts add to a page: a clip that plays on a press, a theme that is remembered."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.site.browsing import page_in
from tests.site.every_template import samples


def test_a_clip_is_loaded_and_moves_only_after_a_press(browser: Browser, site: Path) -> None:
    with page_in(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / samples(site)["violation"]).as_uri())
        page.wait_for_load_state("networkidle")
        clip = page.locator("a.play")
        source = str(clip.get_attribute("data-clip")).rsplit("/", 1)[1]
        assert not any(source in url for url in asked)
        clip.press("Enter")
        page.locator(".stage .clip").wait_for()
        assert any(source in url for url in asked)
        assert clip.get_attribute("aria-pressed") == "true"
        clip.press("Space")
        assert page.locator(".stage .clip").count() == 0


def test_the_theme_button_turns_the_page_dark_and_the_next_page_remembers(browser: Browser, site: Path) -> None:
    with page_in(browser, color_scheme="light") as page:
        page.goto((site / "index.html").as_uri())
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("button.theme").click()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark != light
        page.goto((site / "law" / "index.html").as_uri())
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_a_page_fetches_only_the_pieces_of_the_typeface_that_its_text_needs(browser: Browser, site: Path) -> None:
    for language, wanted in (("", {"latin", "hangul-0"}), ("en/", {"latin", "hangul-0"})):
        with page_in(browser) as page:
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))  # noqa: B023 - used within the turn
            page.goto((site / language / "law" / "index.html").as_uri())
            page.wait_for_load_state("networkidle")
        fonts = {Path(url).stem for url in asked if url.endswith(".woff2")}
        assert "latin" in fonts
        assert fonts <= wanted
