"""Cases saved in a browser: kept there alone, shown from small files, and gone when the site takes them down."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from quitboard.database.connection import opened
from quitboard.site.build import query
from quitboard.site.finding import cards, shard_count, shard_of
from tests.site.browsing import faults, page_in, served
from tests.site.building import built
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import Sample, make_board
from tests.site.seen import view_of

KEY = "quitboard-saved"


def content_of(script: bytes) -> dict[str, list[str] | None]:
    found = re.fullmatch(r"quitboardCards\((.*)\);\n", script.decode())
    assert found is not None
    return dict(json.loads(found[1]))


# --- the files ------------------------------------------------------------------------------------------------------


def test_every_published_case_is_in_the_one_file_that_scripts_look_into(board: Sample) -> None:
    view = view_of(board)
    count = shard_count(view)
    found = {}
    for path, script in cards(view):
        for name, card in content_of(script).items():
            assert path == f"data/cards/{shard_of(name, count)}.js"
            found[name] = card
    withdrawn = [stone.id for stone in view.facts.data.tombstones]
    assert {name for name, card in found.items() if card} == {row.id for row in view.facts.data.violations}
    assert {name for name, card in found.items() if card is None} == set(withdrawn)


@pytest.mark.parametrize(("violations", "count"), [(10, 1), (64, 1), (65, 2), (500, 8)])
def test_files_double_in_number_with_the_board_and_fill_evenly(tmp_path: Path, violations: int, count: int) -> None:
    view = view_of(make_board(tmp_path, weeks=1, violations=violations, pictures=1))
    assert shard_count(view) == count
    sizes = [len(content_of(script)) for _, script in cards(view)]
    assert len(sizes) == count
    assert max(sizes) <= 3 * violations / count + 8


def test_names_spread_over_files_whatever_they_are() -> None:
    found = Counter(shard_of(f"{number:032x}", 16) for number in range(1600))
    assert len(found) == 16
    assert max(found.values()) < 200


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["file", "/", "/some/board/"])
def test_what_is_saved_on_a_list_is_on_the_page_of_saved_ones_and_can_be_taken_off(
    browser: Browser, site: Path, at: str
) -> None:
    if at == "file":
        _save_and_take_off(browser, site.as_uri() + "/")
    else:
        with served(site, at) as home:
            _save_and_take_off(browser, home)


def _save_and_take_off(browser: Browser, home: str) -> None:
    with page_in(browser) as page:
        seen = faults(page, home)
        page.goto(f"{home}violations/all/index.html")
        button = page.locator("li.card").nth(2).get_by_role("button", name="저장")
        wanted = page.locator("li.card .card-when").nth(2).inner_text()
        expect(button).to_have_attribute("aria-pressed", "false")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        page.locator("a.to-saved").click()
        expect(page.locator("#kept li")).to_have_count(1)
        assert page.locator("#kept .card-when").inner_text() == wanted.replace("▶", "").strip()
        page.goto(f"{home}en/saved/index.html")
        expect(page.locator("#kept .card-when")).to_contain_text(re.compile("Mar|Apr"))
        page.locator("#kept a").click()
        expect(page.locator("article.case")).to_be_visible()
        page.get_by_role("button", name="Save", exact=True).click()
        page.goto(f"{home}saved/index.html")
        expect(page.locator(".is-empty")).to_be_visible()
    assert seen == []


def remember(page: Page, *ids: str) -> None:
    page.add_init_script(f"localStorage.setItem({KEY!r}, {json.dumps(json.dumps(ids))})")


def test_what_was_taken_down_or_ran_out_is_said_and_shows_nothing(
    browser: Browser, copy: Sample, tmp_path: Path
) -> None:
    gone, kept, *_ = (row.id for row in query(copy.database, SETTINGS, AS_OF).violations if row.still_sha256)
    with opened(copy.database) as connection:
        connection.execute(
            "INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', ? "
            "FROM violation_info WHERE id = ?",
            [AS_OF, gone],
        )
    built(copy, tmp_path / "site")
    with page_in(browser) as page:
        home = (tmp_path / "site").as_uri() + "/"
        seen = faults(page, home)
        remember(page, gone, "0" * 32, kept)
        page.goto(f"{home}en/saved/index.html")
        expect(page.locator("#kept li")).to_have_count(3)
        texts = page.locator("#kept li").all_inner_texts()
        assert "Taken down on request" in texts[0]
        assert "No longer published" in texts[1]
        assert page.locator("#kept img").count() == 1
        page.locator("#kept li").first.get_by_role("button").click()
        page.reload()
    assert seen == []


@pytest.mark.parametrize("kept", ["null", "{", "7", '[1, null, "../../etc", "<b>"]', '{"a": 1}'])
def test_what_somebody_else_left_under_our_name_is_as_if_nothing_were_saved(
    browser: Browser, site: Path, kept: str
) -> None:
    with page_in(browser) as page:
        seen = faults(page, site.as_uri())
        page.add_init_script(f"localStorage.setItem({KEY!r}, {json.dumps(kept)})")
        page.goto((site / "saved" / "index.html").as_uri())
        expect(page.locator(".is-empty")).to_be_visible()
    assert seen == []


def test_a_browser_that_keeps_nothing_has_no_buttons_and_the_page_says_why(browser: Browser, site: Path) -> None:
    with page_in(browser) as page:
        seen = faults(page, site.as_uri())
        page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError') }")
        page.goto((site / "violations" / "all" / "index.html").as_uri())
        expect(page.locator("a.to-saved")).to_be_hidden()
        expect(page.locator("button.save")).to_have_count(0)
        page.goto((site / "saved" / "index.html").as_uri())
        expect(page.locator(".has-failed")).to_be_visible()
    assert seen == []


def test_without_scripts_there_are_no_buttons_and_the_page_says_so(browser: Browser, site: Path) -> None:
    with page_in(browser, java_script_enabled=False) as page:
        page.goto((site / "violations" / "all" / "index.html").as_uri())
        expect(page.locator("button.save")).to_have_count(0)
        expect(page.locator("a.to-saved")).to_be_hidden()
        page.goto((site / "saved" / "index.html").as_uri())
        expect(page.locator(".needs-script")).to_be_visible()


def test_results_of_a_search_can_be_saved_by_keyboard_alone(browser: Browser, site: Path) -> None:
    with served(site) as home, page_in(browser) as page:
        page.goto(f"{home}search/index.html")
        expect(page.locator("#results li").first).to_be_visible()
        page.locator("#results li a").first.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("#results li button").first).to_have_attribute("aria-pressed", "true")
        page.goto(f"{home}saved/index.html")
        expect(page.locator("#kept li")).to_have_count(1)
