"""The search index and its page: both languages, what may be chosen, how results are ordered, what is not in it."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from quitboard.database.connection import opened
from quitboard.errors import SettingsError, UsageError
from quitboard.settings import Settings
from quitboard.site import finding, pagefind, popular, search
from quitboard.site.build import query
from quitboard.site.media import Media
from quitboard.site.pagefind import Record
from quitboard.site.rendering import Source
from quitboard.site.view import View
from tests.site.browsing import faults, page_in, served
from tests.site.building import built
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import Sample
from tests.site.test_site_accessible import complaints

MEDIA = Media(stills={}, clips={}, files={}, set_aside=())


def views_of(board: Sample, settings: Settings = SETTINGS, as_of=AS_OF) -> dict[str, View]:  # type: ignore[no-untyped-def]
    return Source(data=query(board.database, settings, as_of), settings=settings, media=MEDIA).views()


@pytest.fixture(scope="module")
def records(board: Sample) -> list[Record]:
    return list(search.records(views_of(board)))


# --- the index ------------------------------------------------------------------------------------------------------


def test_the_same_records_give_the_same_bytes(records: list[Record]) -> None:
    first = pagefind.indexed(records)
    assert all(pagefind.indexed(records) == first for _ in range(4))


def test_an_index_holds_what_the_search_page_loads_and_no_other_user_interface(records: list[Record]) -> None:
    names = {path.partition("/")[0].partition(".")[0] for path in pagefind.indexed(records)}
    assert names == {"filter", "fragment", "index", "pagefind", "pagefind-entry", "pagefind-worker", "wasm"}


def test_the_index_is_part_of_the_site_and_of_its_sums(site: Path) -> None:
    listed = {line.partition("  ")[2] for line in (site / "SHA256SUMS").read_text().splitlines()}
    lying = {path.relative_to(site).as_posix() for path in (site / "pagefind").rglob("*") if path.is_file()}
    assert "pagefind/0/pagefind.js" in lying
    assert lying <= listed


def test_every_published_violation_is_in_the_index_once_and_no_other(board: Sample, site: Path) -> None:
    found = fragments(site)
    published = [row.id for row in query(board.database, SETTINGS, AS_OF).violations]
    assert sorted(found) == sorted(published)


def fragments(site: Path) -> list[str]:
    """The identifiers of an index, from the fragments that a browser would load."""
    contents = [gzip.decompress(path.read_bytes()) for path in (site / "pagefind").glob("*/fragment/*")]
    assert all(content.startswith(b"pagefind_dcd") for content in contents)
    return [json.loads(content[12:])["url"].split("/")[1] for content in contents]


def test_what_is_withdrawn_or_embargoed_or_expired_is_in_no_index_and_in_no_cache(copy: Sample, tmp_path: Path) -> None:
    withdrawn, embargoed, expired = (row.id for row in query(copy.database, SETTINGS, AS_OF).violations[:3])
    search.index(views_of(copy), tmp_path / "cache")
    with opened(copy.database) as connection:
        connection.execute(
            "INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', ? "
            "FROM violation_info WHERE id = ?",
            [AS_OF, withdrawn],
        )
        later, sooner = AS_OF + timedelta(1), AS_OF - timedelta(1)
        connection.execute("UPDATE violation_info SET publish_after = ? WHERE id = ?", [later, embargoed])
        connection.execute("UPDATE violation_info SET expire_at = ? WHERE id = ?", [sooner, expired])
    search.index(views_of(copy), tmp_path / "cache")
    everything = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix.startswith(".pf_") else path.read_bytes()
        for path in (tmp_path / "cache").rglob("*")
        if path.is_file()
    )
    for gone in (withdrawn, embargoed, expired):
        assert gone.encode() not in everything


def test_an_index_is_made_once_for_the_same_records(
    board: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = views_of(board)
    first = search.index(views, tmp_path)
    monkeypatch.setattr(pagefind, "indexed", lambda records: pytest.fail("Pagefind ran again"))
    assert search.index(views, tmp_path) == first


def test_a_damaged_index_in_the_cache_is_made_again(board: Sample, tmp_path: Path) -> None:
    views = views_of(board)
    first = search.index(views, tmp_path)
    next(iter(first.values()))[0].write_bytes(b"")
    again = search.index(views, tmp_path)
    assert {path: digest for path, (_, digest) in again.items()} == {
        path: digest for path, (_, digest) in first.items()
    }
    assert all(file.stat().st_size for file, _ in again.values())


def test_how_pages_are_cut_changes_no_index(board: Sample, records: list[Record]) -> None:
    assert list(search.records(views_of(board, Settings(board=SETTINGS.board)))) == records


def test_a_large_board_has_several_indexes_and_what_is_new_changes_the_newest_alone(
    board: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_IN_AN_INDEX", 25)
    views = views_of(board)
    data = views["ko"].facts.data
    older = Source(data=replace(data, violations=data.violations[3:]), settings=SETTINGS, media=MEDIA).views()
    before, after = (
        {path: digest for path, (_, digest) in search.index(each, tmp_path).items()} for each in (older, views)
    )
    assert {path.split("/")[1] for path in after} == {"0", "1", "2"}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    # a record tells how many are older, and this board's oldest stay what they were
    assert {path.split("/")[1] for path in changed} == {"0"}


def test_a_board_without_violations_has_no_index(quiet_site: Path) -> None:
    assert not (quiet_site / "pagefind").exists()
    assert "<form" not in (quiet_site / "search" / "index.html").read_text()


def test_without_its_program_a_build_says_what_to_install(
    records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagefind_bin.get_executable", lambda: Path("/nowhere/pagefind"))
    with pytest.raises(UsageError, match="pagefind_bin"):
        pagefind.indexed(records)


def test_a_program_that_ends_early_is_named_and_not_waited_for(
    records: list[Record], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    short = tmp_path / "pagefind"
    short.write_text("#!/bin/sh\nexit 3\n")
    short.chmod(0o755)
    monkeypatch.setattr("pagefind_bin.get_executable", lambda: short)
    with pytest.raises(UsageError, match="could not make the search index"):
        pagefind.indexed(records)


# --- words ----------------------------------------------------------------------------------------------------------


def test_inner_parts_of_korean_words_are_among_the_words() -> None:
    words = search.with_parts("전동킥보드 둘").split()
    assert words[:2] == ["전동킥보드", "둘"]
    assert {"동킥보드", "킥보드", "보드"} == set(words[2:])


def test_no_second_and_no_address_is_among_the_words(records: list[Record]) -> None:
    text = " ".join(record.content for record in records)
    assert "비밀로" not in text
    assert "T1" not in text


def test_view_counts_order_results_only_where_somebody_counted(board: Sample) -> None:
    views = views_of(board)
    assert "seen" not in next(search.records(views)).sort
    assert "seen" not in finding.search(views["ko"])["sorts"]
    data = views["ko"].facts.data
    counted = Source(data=replace(data, views=((data.violations[7].id, 41),)), settings=SETTINGS, media=MEDIA).views()
    assert [record.sort["seen"] for record in search.records(counted)][6:9] == ["0", "41", "0"]
    assert "seen" in finding.search(counted["ko"])["sorts"]


@pytest.mark.parametrize("text", ["[]", '{"a": -1}', '{"a": true}', "{", '{"a": "7"}', "\udcff"])
def test_view_counts_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / popular.VIEWS_NAME
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match="view counts"):
        popular.read_views(file)


# --- the page -------------------------------------------------------------------------------------------------------


def open_search(page: Page, home: str, language: str = "", query: str = "") -> None:
    page.goto(f"{home}{language}search/index.html{query}")
    expect(page.locator("#results li").first).to_be_visible()


def ask(page: Page, words: str) -> Locator:
    """Ask for words; returns where the page says how many it found."""
    page.locator("#q").fill(words)
    page.locator("#q").press("Enter")
    return page.get_by_role("status")


def says(number: int, language: str = "") -> str:
    if not number:
        return "Nothing found" if language else "찾은 것이 없습니다"
    one = "case" if number == 1 else "cases"
    return f"{number} {one} found" if language else f"{number}건을 찾았습니다"


@pytest.mark.parametrize("at", ["/", "/some/board/"])
@pytest.mark.parametrize("language", ["", "en/"])
def test_either_language_finds_korean_and_english_words_and_inner_parts(
    browser: Browser, board: Sample, site: Path, language: str, at: str
) -> None:
    rows = query(board.database, SETTINGS, AS_OF).violations
    helmets = sum("no_helmet" in row.kind for row in rows)
    at_gate = sum(row.camera_id == "mapo-gate" for row in rows)
    with served(site, at) as home, page_in(browser) as page:
        seen = faults(page, home)
        open_search(page, home, language)
        expect(page.get_by_role("status")).to_have_text(says(len(rows), language))
        asked = {
            "헬멧": helmets,
            "킥보드": len(rows),  # within 전동킥보드
            "helmet": helmets,
            "입구역": at_gate,  # within 홍대입구역
            "헬멧을": helmets,  # with its particle
            rows[3].id: 1,
            "zzzz": 0,
        }
        for words, number in asked.items():
            expect(ask(page, words)).to_have_text(says(number, language))
        expect(page.locator("#results li")).to_have_count(0)
    assert seen == []


def test_facets_and_orders_narrow_and_sort_what_is_found(browser: Browser, board: Sample, site: Path) -> None:
    rows = query(board.database, SETTINGS, AS_OF).violations
    wanted = [row for row in rows if row.kind == "sidewalk"]
    with served(site) as home, page_in(browser) as page:
        open_search(page, home, "en/")
        page.locator("#by-kind").select_option("sidewalk")
        expect(page.locator("#results li .card-kind").first).to_have_text("Riding on the sidewalk")
        expect(page.get_by_role("status")).to_have_text(says(len(wanted), "en"))
        for number, row in enumerate(wanted[:3]):
            expect(page.locator("#results li a").nth(number)).to_have_attribute("href", re.compile(row.id))
        page.locator("#by-order").select_option("sureness")
        most = max(row.confidence or 0 for row in wanted)
        surest = "|".join(row.id for row in wanted if row.confidence == most)
        expect(page.locator("#results li a").first).to_have_attribute("href", re.compile(surest))
        assert "kind=sidewalk&order=sureness" in page.url
        other = wanted[0].camera_id
        page.locator("#by-place").select_option(other)
        number = sum(row.camera_id == other for row in wanted)
        expect(page.get_by_role("status")).to_have_text(says(number, "en"))


def shown_ids(page: Page) -> list[str]:
    # At once: the list may be replaced while one link after the other is asked.
    links = page.locator("#results li a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    return [link.split("/")[-2] for link in links]


@pytest.mark.parametrize("order", ["newest", "sureness"])
def test_answers_of_several_indexes_come_as_one(
    browser: Browser, copy: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    for module in (search, finding):
        monkeypatch.setattr(module, "MOST_IN_AN_INDEX", 25)
    built(copy, tmp_path / "site")
    rows = query(copy.database, SETTINGS, AS_OF).violations
    with served(tmp_path / "site") as home, page_in(browser) as page:
        seen = faults(page, home)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(f"{home}pagefind/")))
        open_search(page, home, query=f"?order={order}")
        expect(page.get_by_role("status")).to_have_text(says(len(rows)))
        begun = [next(at for at, url in enumerate(asked) if url.startswith(f"{number}/")) for number in range(3)]
        compiled = max(at for at, url in enumerate(asked) if url.startswith("0/filter/"))
        assert compiled < begun[1] < begun[2]  # two that begin together would mix up their memory
        page.locator(".search-more").click()
        expect(page.locator("#results li")).to_have_count(48)
        shown = shown_ids(page)
        sure = {row.id: row.confidence or 0 for row in rows}
        if order == "newest":
            assert shown == [row.id for row in rows][:48]
        else:
            assert [sure[name] for name in shown] == sorted(sure.values(), reverse=True)[:48]
        page.locator("#by-kind").select_option("no_helmet")
        expect(page.get_by_role("status")).to_have_text(says(sum(row.kind == "no_helmet" for row in rows)))
    assert seen == []


def test_an_address_holds_what_was_asked(browser: Browser, site: Path, board: Sample) -> None:
    with served(site) as home, page_in(browser) as page:
        open_search(page, home, query="?q=%ED%97%AC%EB%A9%A7&order=sureness&place=nowhere")
        assert page.locator("#q").input_value() == "헬멧"
        assert page.locator("#by-order").input_value() == "sureness"
        assert page.locator("#by-place").input_value() == ""


def test_a_result_leads_to_its_case_and_more_of_them_are_shown_on_a_press(browser: Browser, site: Path) -> None:
    with served(site, "/below/") as home, page_in(browser) as page:
        open_search(page, home)
        expect(page.locator("#results li")).to_have_count(24)
        page.locator(".search-more").click()
        expect(page.locator("#results li")).to_have_count(48)
        page.locator("#results li a").nth(30).click()
        expect(page.locator("article.case")).to_be_visible()


def test_a_page_opened_from_a_disk_says_that_search_needs_a_server(browser: Browser, site: Path) -> None:
    with page_in(browser) as page:
        seen = faults(page, "file://")
        page.goto((site / "en" / "search" / "index.html").as_uri())
        expect(page.locator(".needs-http")).to_be_visible()
        expect(page.locator("form")).to_be_hidden()
        expect(page.locator(".needs-script")).to_be_hidden()
    assert seen == []


def test_without_scripts_the_page_says_so_and_leads_to_the_lists(browser: Browser, site: Path) -> None:
    with page_in(browser, java_script_enabled=False) as page:
        page.goto((site / "search" / "index.html").as_uri())
        expect(page.locator(".needs-script")).to_be_visible()
        expect(page.locator("form")).to_be_hidden()
        page.locator(".without-search a").click()
        expect(page.locator("h1")).to_be_visible()
        assert page.url.endswith("/violations/index.html")


def test_an_index_that_cannot_be_loaded_is_said_and_the_lists_are_offered(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    with served(site) as home, page_in(browser) as page:
        page.route("**/pagefind/0/*", lambda route: route.abort())
        page.goto(f"{home}search/index.html")
        expect(page.locator(".has-failed")).to_be_visible()
        expect(page.locator(".without-search a")).to_be_visible()


def test_hostile_names_stay_text_and_the_most_seen_may_come_first(
    browser: Browser, copy: Sample, tmp_path: Path
) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'</script><b>"
    most = next(row.id for row in query(copy.database, SETTINGS, AS_OF).violations[5:] if row.camera_id == "campus")
    with opened(copy.database) as connection:
        connection.execute("UPDATE cctv SET name = ? WHERE id = 'campus'", [hostile])
    (copy.media / popular.VIEWS_NAME).write_text(json.dumps({most: 41, "gone": 99}))
    built(copy, tmp_path / "site")
    with served(tmp_path / "site") as home, page_in(browser) as page:
        seen = faults(page, home)
        open_search(page, home, query="?order=seen")
        assert shown_ids(page)[0] == most
        assert page.locator("#results .card-place").first.inner_text() == hostile
        assert page.locator("#results b").count() == 0
    assert seen == []


def test_only_the_search_page_may_compile_webassembly(site: Path) -> None:
    allowed = [page for page in site.rglob("*.html") if "wasm-unsafe-eval" in page.read_text()]
    assert sorted(allowed) == [site / "en" / "search" / "index.html", site / "search" / "index.html"]
    assert not any("unsafe-inline" in page.read_text() for page in allowed)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["", "en/"])
def test_axe_finds_nothing_among_results_and_saved_cases(
    browser: Browser, site: Path, language: str, scheme: str
) -> None:
    with served(site) as home, page_in(browser, color_scheme=scheme, bypass_csp=True) as page:
        open_search(page, home, language, "?kind=no_helmet")
        assert complaints(page) == ""
        page.locator("#results li button").first.click()
        assert complaints(page) == ""
        page.goto(f"{home}{language}saved/index.html")
        expect(page.locator("#kept li")).to_have_count(1)
        assert complaints(page) == ""
