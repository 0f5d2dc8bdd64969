"""One site, on a USB stick, at a domain's root and below a path: every link is good, nothing is asked elsewhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from playwright.sync_api import Browser

from quitboard.settings import Settings, SiteSettings
from tests.site.browsing import faults, page_in, served
from tests.site.building import built
from tests.site.conftest import SETTINGS
from tests.site.every_template import LANGUAGES, samples
from tests.site.sample_board import Sample

_LINK = re.compile(r'(?:href|src|data-clip)="([^"]*)"')
_PICTURE = re.compile(r"([^\s,\"]+) \d+w")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("at", ["file", "/", "/some/board/"])
def test_no_page_asks_elsewhere_or_breaks_its_policy(browser: Browser, site: Path, at: str) -> None:
    with page_in(browser) as page:
        if at == "file":
            seen = visit(page, site, site.as_uri() + "/")
        else:
            with served(site, at) as home:
                seen = visit(page, site, home)
    assert seen == []


def visit(page, site: Path, home: str) -> list[str]:  # type: ignore[no-untyped-def]
    seen = faults(page, home)
    for folder in LANGUAGES.values():
        for path in samples(site).values():
            page.goto(f"{home}{folder}{path}", wait_until="load")
    return seen


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_its_screen(browser: Browser, site: Path, quiet_site: Path, width: int) -> None:
    wide = []
    with page_in(browser, viewport={"width": width, "height": 844}) as page:
        for folder in (site, quiet_site):
            for language in LANGUAGES.values():
                for path in samples(folder).values():
                    page.goto((folder / language / path).as_uri())
                    if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
                        wide.append(f"{language}{path} is {found} px wide")
    assert wide == []


def test_every_link_of_every_page_leads_to_a_file_of_the_site(site: Path) -> None:
    assert lost_links(site) == []


def lost_links(site: Path, base_url: str = "") -> list[str]:
    lost = []
    texts = {page: page.read_text() for page in site.rglob("*.html")}
    for page, text in texts.items():
        for link in {*_LINK.findall(text), *_PICTURE.findall(text)}:
            if base_url and link.startswith(base_url):
                target = site / unquote(link.removeprefix(base_url))
                target = target / "index.html" if target.is_dir() else target
                fragment = ""
            else:
                url = urlparse(link)
                if url.scheme in ("mailto", "https"):
                    continue
                target = page if not url.path else page.parent / unquote(url.path)
                fragment = url.fragment
            if not target.is_file() or not target.resolve().is_relative_to(site.resolve()):
                lost.append(f"{page.relative_to(site)} -> {link}")
            elif fragment and f'id="{fragment}"' not in target.read_text():
                lost.append(f"{page.relative_to(site)} -> {link} (no such place)")
    return lost


def test_a_published_board_finds_its_way_from_an_address_that_never_was(
    browser: Browser, board: Sample, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = f"http://127.0.0.1:{port}/some/board/"
    settings = Settings(board=SETTINGS.board, site=SiteSettings(per_page=12, base_url=home))
    built(board, tmp_path / "site", settings=settings)
    assert lost_links(tmp_path / "site", home) == []
    with served(tmp_path / "site", "/some/board/", port), page_in(browser) as page:
        seen = faults(page, home)
        answer = page.goto(f"{home}no/such/page/at/all/")
        assert answer is not None
        assert answer.status == 404
        assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"QuitBoard Sans"')
        page.locator("main a").first.click()
        page.wait_for_url(f"{home}index.html")
    assert [line for line in seen if "404" not in line] == []
