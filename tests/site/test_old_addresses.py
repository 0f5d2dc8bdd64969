"""Addresses of the first QuitBoard lead to what stands in their place."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from quitboard.site.old_addresses import moved
from tests.site.browsing import faults, page_in, served
from tests.site.sample_board import Sample, make_board
from tests.site.seen import view_of

_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("features", "method"),
        ("statistic", "statistics"),
        ("violations/choice/violation", "violations"),
        ("violations/choice/region", "violations"),
        ("violations/choice/time", "violations"),
        ("violations/violation/헬멧 미착용", "violations/kind/no_helmet"),
        ("violations/violation/helmet", "violations/kind/no_helmet"),
        ("violations/violation/2인 이상 탑승", "violations/kind/two_up"),
        ("violations/violation/sidewalk", "violations/kind/sidewalk"),
        ("violations/choice/region/대학 정문 사거리", "violations/place/campus"),
        ("violations/time/2026-04-08", "violations/day/2026-04-08"),
    ],
)
def test_an_old_address_leads_to_what_stands_in_its_place(site: Path, old: str, new: str) -> None:
    page = site / old / "index.html"
    found = _REFRESH.search(page.read_text())
    assert found is not None
    assert (page.parent / found[1]).resolve() == (site / new / "index.html").resolve()
    assert (site / new / "index.html").is_file()


def test_every_old_address_leads_to_a_page(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if "refresh" in page.read_text()]
    assert len(pages) > 20
    for page in pages:
        found = _REFRESH.search(page.read_text())
        assert found is not None
        assert (page.parent / found[1]).is_file()


def test_an_old_address_never_takes_the_place_of_a_page(board: Sample) -> None:
    view = view_of(board)
    everywhere = dict(moved(view, frozenset()))
    assert "features/" in everywhere
    assert "features/" not in dict(moved(view, frozenset(("features/",))))


@pytest.mark.parametrize(
    "name", ["../../evil", "a/b", "..", ".hidden", "<b>", "x" * 300, "a\x00b", "a\nb", "\u202eevil"]
)
def test_a_name_that_is_no_part_of_a_path_has_no_old_address(tmp_path: Path, name: str) -> None:
    board = make_board(tmp_path, weeks=1, violations=5, pictures=1, cameras=(("gate", name, ""),))
    old = [path for path, _ in moved(view_of(board), frozenset())]
    regions = {path.split("/")[-2] for path in old if "region/" in path}
    assert regions == {"region", "gate"}


def test_a_reader_of_an_old_address_arrives(browser: Browser, site: Path) -> None:
    with served(site, "/below/") as home, page_in(browser) as page:
        seen = faults(page, home)
        page.goto(f"{home}violations/region/{quote('대학 정문 사거리')}/index.html")
        page.wait_for_url(f"{home}violations/place/campus/index.html")
        page.goto(f"{home}features/index.html")
        page.wait_for_url(f"{home}method/index.html")
    assert seen == []
