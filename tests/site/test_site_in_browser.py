"""The page in a real Chromium: what a reader meets."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

TEMPLATES = {
    "home": "",
    "choosing": "violations/",
    "list": "violations/kind/no_helmet/",
    "list-page-2": "violations/all/page/2/",
    "case": "v/*/",
    "statistics": "statistics/",
    "statistics-kind": "statistics/sidewalk/",
    "places": "places/",
    "place": "places/campus/",
    "law": "law/",
    "method": "method/",
    "contact": "contact/",
    "data": "data/",
    "lost": "404.html",
}


def file_of(site: Path, path: str, language: str = "ko") -> Path:
    root = site if language == "ko" else site / language
    if "*" in path:
        return next(case for case in sorted(root.glob(f"{path}index.html")) if "play" in case.read_text())
    return root / path if path.endswith(".html") else root / path / "index.html"


def watched(page: Page) -> list[str]:
    """Return a list that fills with whatever a page should not do: errors, refusals, requests that leave the site."""
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    # A picture still on its way when the test goes on to the next page is aborted: that is no fault of the site's.
    aborted = "net::ERR_ABORTED"
    page.on("requestfailed", lambda one: seen.append(f"failed {one.url}") if one.failure != aborted else None)
    page.on("request", lambda request: seen.append(request.url) if not request.url.startswith("file://") else None)
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_any_template(browser: Browser, site: Path, language: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}
    for name, path in TEMPLATES.items():
        page.goto(file_of(site, path, language).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        result = Axe().run(
            page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
        )
        if result.response["violations"]:
            found[name] = result.generate_report()
    context.close()
    assert not found, "\n".join(f"{name}\n{report}" for name, report in found.items())


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_asks_for_anything_elsewhere_or_breaks_its_csp_or_overflows(
    browser: Browser, site: Path, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    seen = watched(page)
    for language in ("ko", "en"):
        for name, path in TEMPLATES.items():
            page.goto(file_of(site, path, language).as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} in {language} is {wide} px wide"
    context.close()
    assert seen == []


def test_a_clip_is_loaded_and_moves_only_after_a_press(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file_of(site, TEMPLATES["case"]).as_uri())
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
    page.close()


def test_without_scripts_the_clip_is_a_link_to_its_gif_and_the_theme_button_stays_away(
    browser: Browser, site: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    case = file_of(site, TEMPLATES["case"])
    page.goto(case.as_uri())
    target = str(page.locator("a.play").get_attribute("href"))
    assert target.endswith(".gif")
    assert (case.parent / target).is_file()
    assert not page.locator("button.theme").is_visible()
    context.close()


def test_the_theme_button_turns_the_page_dark_and_the_next_page_remembers(browser: Browser, site: Path) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(file_of(site, "").as_uri())
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("button.theme").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.goto(file_of(site, "law/").as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    context.close()


def test_the_keyboard_alone_reaches_every_link_of_the_first_page_and_shows_where_it_is(
    browser: Browser, site: Path
) -> None:
    page = browser.new_page()
    page.goto(file_of(site, "").as_uri())
    reachable = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, [tabindex=\"0\"]')]"
        ".filter(item => item.checkVisibility()).length"
    )
    reached = set()
    for _ in range(reachable):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert len(reached) == reachable
    page.close()


def test_every_local_link_of_every_page_leads_to_a_file(site: Path) -> None:
    lost = []
    for page in site.rglob("*.html"):
        for link in set(re.findall(r'(?:href|src|data-clip)="([^"]*)"', page.read_text())) | set(
            re.findall(r"([^\s,\"]+) \d+w", page.read_text())
        ):
            url = urlparse(link)
            if url.scheme in ("mailto", "https"):
                continue
            target = page if not url.path else page.parent / unquote(url.path)
            if not target.is_file() or not target.resolve().is_relative_to(site.resolve()):
                lost.append(f"{page.relative_to(site)} -> {link}")
            elif url.fragment and f'id="{url.fragment}"' not in target.read_text():
                lost.append(f"{page.relative_to(site)} -> {link} (no such place)")
    assert lost == []
