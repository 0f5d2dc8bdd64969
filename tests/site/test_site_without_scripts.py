"""Scripts only add: without them every page says the same and every link works."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.site.browsing import page_in
from tests.site.every_template import samples

WITH_SCRIPTS_ONLY = frozenset(("search", "saved"))


def said(page: Page, folder: Path, path: str) -> set[str]:
    """Return the lines of a page, without the buttons, all of which scripts bring."""
    page.goto((folder / path).as_uri())
    main = page.locator("main")
    buttons = set(main.locator("button").all_inner_texts())
    return {line.strip() for line in main.inner_text().splitlines() if line.strip()} - buttons


@pytest.mark.timeout(120)
def test_every_page_says_the_same_without_scripts(browser: Browser, site: Path, quiet_site: Path) -> None:
    with page_in(browser, java_script_enabled=False) as plain, page_in(browser) as scripted:
        for folder in (site, quiet_site):
            for name, path in samples(folder).items():
                if name.partition("-")[0] in WITH_SCRIPTS_ONLY:
                    continue
                lacking = said(scripted, folder, path) - said(plain, folder, path)
                assert not lacking, f"{name} says only with scripts: {lacking}"


def test_a_clip_is_a_link_to_its_gif_and_the_theme_button_stays_away(browser: Browser, site: Path) -> None:
    with page_in(browser, java_script_enabled=False) as page:
        case = site / samples(site)["violation"]
        page.goto(case.as_uri())
        target = str(page.locator("a.play").get_attribute("href"))
        assert target.endswith(".gif")
        assert (case.parent / target).is_file()
        assert not page.locator("button.theme").is_visible()


def test_choosing_turning_pages_and_opening_a_case_need_no_script(browser: Browser, site: Path) -> None:
    with page_in(browser, java_script_enabled=False) as page:
        page.goto((site / "index.html").as_uri())
        page.locator("header nav a[href*='violations/']").first.click()
        page.locator(".choice a[href*='kind/no_helmet/']").first.click()
        page.locator("a[rel=next]").click()
        page.locator(".card a").first.click()
        page.wait_for_url("**/v/*/index.html")
        page.locator(".tools a[hreflang=en]").click()
        page.wait_for_url("**/en/v/*/index.html")
