"""A reader without a mouse: everything is reached with Tab, Enter and Space, and it shows where one is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.site.browsing import page_in
from tests.site.every_template import samples

MOST_TABS = 200


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element is reached that `selector` names; each on the way shows that it has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """selector => ({
                found: document.activeElement.matches(selector),
                shown: getComputedStyle(document.activeElement).outlineStyle,
                name: document.activeElement.outerHTML.slice(0, 120),
            })""",
            selector,
        )
        assert here["shown"] != "none", f"{page.url}: nothing shows that this has the focus: {here['name']}"
        if here["found"]:
            return
    pytest.fail(f"{page.url}: {MOST_TABS} Tabs do not reach {selector}")


def follow(page: Page, selector: str) -> None:
    """Go to the page that a link leads to, by keyboard alone."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_one_can_choose_turn_the_page_open_a_case_and_play_its_clip(browser: Browser, site: Path) -> None:
    with page_in(browser) as page:
        page.goto((site / "index.html").as_uri())
        follow(page, "header nav a[href*='violations/']")
        follow(page, "main a[href*='kind/no_helmet/']")
        follow(page, "a[rel=next]")
        assert page.url.endswith("/page/2/index.html")
        with_clip = page.locator(".card a:has(.clip-mark)").first.get_attribute("href")
        follow(page, f".card a[href='{with_clip}']")
        tab_to(page, ".play")
        page.keyboard.press("Enter")
        page.locator(".stage .clip").wait_for()
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
        page.keyboard.press("Space")
        assert page.locator(".stage .clip").count() == 0


def test_the_first_tab_offers_to_skip_the_menu(browser: Browser, site: Path) -> None:
    with page_in(browser) as page:
        page.goto((site / "index.html").as_uri())
        tab_to(page, "a.skip")
        assert page.locator("a.skip").bounding_box()["y"] >= 0  # type: ignore[index]
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.timeout(120)
def test_every_link_and_control_of_every_template_is_reached_once_and_in_order(browser: Browser, site: Path) -> None:
    stops = (
        "[...document.querySelectorAll('a[href], button, summary, input, select, [tabindex=\"0\"]')]"
        ".filter(item => item.checkVisibility() && !item.disabled)"
    )
    with page_in(browser) as page:
        for name, path in samples(site).items():
            page.goto((site / path).as_uri())
            wanted = page.evaluate(f"{stops}.length")
            order = []
            for _ in range(min(wanted, MOST_TABS)):
                page.keyboard.press("Tab")
                order.append(page.evaluate(f"{stops}.indexOf(document.activeElement)"))
            assert order == list(range(len(order))), f"{name} is walked as {order}"
