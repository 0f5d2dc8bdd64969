"""What other machines read: feeds, the list of pages, robots.txt, canonical addresses, held against their standards."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from quitboard.errors import SettingsError
from quitboard.site.addresses import site_address
from quitboard.site.build import query
from quitboard.site.crawlers import robots, sitemaps
from quitboard.site.feeds import atom, entries, json_feed
from quitboard.site.pages import Page
from tests.site.building import files
from tests.site.conftest import AS_OF, BASE_URL, SETTINGS
from tests.site.sample_board import PRIVATE_ADDRESS, Sample, make_board
from tests.site.seen import view_of

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
TAG_URI = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[\w./-]+")  # RFC 4151
FOLDERS = {"ko": "", "en": "en/"}


def parsed(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_bytes())


# --- feeds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "folder"), FOLDERS.items())
def test_an_atom_feed_has_all_that_rfc_4287_asks(addressed_site: Path, language: str, folder: str) -> None:
    feed = parsed(addressed_site / folder / "feed.atom")
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == language
    for owner in (feed, *feed.findall("a:entry", ATOM)):
        for name in ("id", "title", "updated"):
            assert len(owner.findall(f"a:{name}", ATOM)) == 1
            assert owner.findtext(f"a:{name}", "", ATOM).strip()
        assert TAG_URI.fullmatch(owner.findtext("a:id", "", ATOM))
        assert datetime.fromisoformat(owner.findtext("a:updated", "", ATOM)).tzinfo is not None
        assert len(owner.findall("a:link[@rel='alternate']", ATOM)) == 1
    assert feed.find("a:link[@rel='self']", ATOM).get("href") == f"{BASE_URL}{folder}feed.atom"  # type: ignore[union-attr]
    assert feed.findtext("a:author/a:name", "", ATOM) == SETTINGS.board.operator


@pytest.mark.parametrize(("language", "folder"), FOLDERS.items())
def test_a_json_feed_has_all_that_version_1_1_asks(addressed_site: Path, language: str, folder: str) -> None:
    feed = json.loads((addressed_site / folder / "feed.json").read_text())
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["language"] == language
    assert feed["feed_url"] == f"{BASE_URL}{folder}feed.json"
    assert feed["title"]
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_text"]
        assert datetime.fromisoformat(item["date_published"]).tzinfo is not None


def test_every_entry_leads_to_a_page_and_has_a_name_of_its_own(addressed_site: Path) -> None:
    names = []
    for folder in FOLDERS.values():
        feed = parsed(addressed_site / folder / "feed.atom")
        for entry in feed.findall("a:entry", ATOM):
            names.append(entry.findtext("a:id", "", ATOM))
            address = entry.find("a:link", ATOM).get("href", "")  # type: ignore[union-attr]
            assert (addressed_site / address.removeprefix(BASE_URL)).is_file()
    assert len(set(names)) == len(names) == 2 * 50


def test_a_reader_is_led_to_the_feeds_of_the_language(addressed_site: Path, site: Path) -> None:
    for folder in FOLDERS.values():
        text = (addressed_site / folder / "data" / "index.html").read_text()
        assert f'href="{"../../en/" if folder else "../"}feed.atom"' in text
        assert "feed.atom" not in (site / folder / "data" / "index.html").read_text()


def test_feeds_tell_hours_not_minutes_and_show_no_picture(addressed_site: Path) -> None:
    for name in ("feed.atom", "feed.json", "en/feed.atom", "en/feed.json"):
        text = (addressed_site / name).read_text()
        assert set(re.findall(r"T\d\d:(\d\d:\d\d)", text)) == {"00:00"}
        assert not re.search(r"\.(jpg|webp|gif|png)", text)
        assert PRIVATE_ADDRESS not in text


def test_a_feed_is_dated_by_its_data_and_newest_first(board: Sample) -> None:
    view = view_of(board, base_url=BASE_URL)
    found = entries(view)
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    feed = ElementTree.fromstring(atom(view, found))
    assert feed.findtext("a:updated", "", ATOM) == found[0].at.isoformat()
    assert found[0].at.utcoffset() == datetime(2026, 4, 1, 9, tzinfo=UTC) - datetime(2026, 4, 1, tzinfo=UTC)


def test_a_board_that_found_nothing_has_whole_feeds(tmp_path: Path) -> None:
    view = view_of(make_board(tmp_path, weeks=1, found=False), base_url=BASE_URL)
    feed = ElementTree.fromstring(atom(view, entries(view)))
    assert feed.findtext("a:updated", "", ATOM) == "2026-04-05T00:00:00+00:00"
    assert json.loads(json_feed(view, entries(view)))["items"] == []


@pytest.mark.parametrize("hostile", ["a\x00b\x1bc", "<b>&amp;\"']]>", "\ufffe\uffff", "</feed>"])
def test_a_hostile_name_leaves_a_feed_well_formed(tmp_path: Path, hostile: str) -> None:
    board = make_board(tmp_path, weeks=1, violations=3, pictures=1, cameras=(("gate", hostile, hostile),))
    view = view_of(board, base_url=BASE_URL)
    titles = [entry.findtext("a:title", "", ATOM) for entry in ElementTree.fromstring(atom(view, entries(view)))[-3:]]
    kept = re.sub(r"[\x00\x1b\ufffe\uffff]", "", hostile)
    assert all(kept in title for title in titles)


def test_a_withdrawn_violation_is_in_no_feed_and_no_list_of_pages(addressed_site: Path, board: Sample) -> None:
    (stone,) = query(board.database, SETTINGS, AS_OF).tombstones
    for name in ("feed.atom", "feed.json", "en/feed.atom", "sitemap.xml"):
        assert stone.id not in (addressed_site / name).read_text()


# --- lists of pages -------------------------------------------------------------------------------------------------


def test_the_sitemap_names_every_page_once_with_its_other_language(addressed_site: Path) -> None:
    listed = {}
    for one in parsed(addressed_site / "sitemap.xml").findall("s:url", SITEMAP):
        links = {link.get("hreflang"): link.get("href") for link in one.findall("x:link", SITEMAP)}
        listed[one.findtext("s:loc", "", SITEMAP)] = links
    for address, links in listed.items():
        assert set(links) == {"ko", "en", "x-default"}
        assert address in links.values()
        assert links["x-default"] == links["ko"]
        assert all(listed[str(other)] == links for other in links.values())
    here = {canonical(page) for page in addressed_site.rglob("*.html") if is_listed(page)}
    assert set(listed) == here


class Head(HTMLParser):
    """The links and meta elements of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.meta: dict[str, str] = {}
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "link":
            self.links.append(found)
        elif tag == "meta":
            name = found.get("property") or found.get("name") or found.get("http-equiv") or ""
            self.meta[name] = found.get("content") or ""


def canonical(page: Path) -> str:
    (link,) = [link for link in Head(page).links if link.get("rel") == "canonical"]
    return str(link["href"])


def is_listed(page: Path) -> bool:
    head = Head(page)
    return "refresh" not in head.meta and head.meta.get("robots") != "noindex"


def test_pages_for_nobodys_search_say_so(addressed_site: Path) -> None:
    unlisted = [page for page in addressed_site.rglob("*.html") if Head(page).meta.get("robots") == "noindex"]
    names = {page.relative_to(addressed_site).parts[-2 if page.name == "index.html" else -1] for page in unlisted}
    assert {"404.html", "saved"} <= names
    assert len(unlisted) == 2 * (1 + 1 + 2)  # lost, saved, and what one withdrawn violation leaves


def test_a_case_asks_picture_searches_to_leave_its_picture_alone(addressed_site: Path) -> None:
    cases = [page for page in addressed_site.glob("v/*/index.html") if "case" in page.read_text()]
    robots_of = {Head(page).meta.get("robots") for page in cases}
    assert "noimageindex" in robots_of
    assert robots_of <= {"noimageindex", "noindex"}


def test_too_many_pages_for_one_sitemap_are_spread_over_several() -> None:
    listed = [Page(path=f"v/{number}/", template="violation", section="") for number in range(7)]
    made = dict(sitemaps(BASE_URL, listed, most=6))
    assert list(made) == ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml", "sitemap.xml"]
    index = ElementTree.fromstring(made["sitemap.xml"])
    assert index.tag.endswith("}sitemapindex")
    assert [one.text for one in index.findall("s:sitemap/s:loc", SITEMAP)] == [
        BASE_URL + name for name in list(made)[:3]
    ]
    found = [
        one.text
        for name in list(made)[:3]
        for one in ElementTree.fromstring(made[name]).findall("s:url/s:loc", SITEMAP)
    ]
    assert len(found) == len(set(found)) == 14


def test_robots_are_led_to_the_sitemap_and_kept_from_pictures() -> None:
    lines = robots(BASE_URL).decode().splitlines()
    assert "Disallow: /scooters/media/" in lines
    assert f"Sitemap: {BASE_URL}sitemap.xml" in lines


# --- canonical addresses and pictures of links ----------------------------------------------------------------------


def test_every_page_names_itself_its_language_and_the_other(addressed_site: Path) -> None:
    for page in addressed_site.rglob("*.html"):
        if not is_listed(page):
            continue
        head = Head(page)
        file = page.relative_to(addressed_site).as_posix()
        assert canonical(page) == BASE_URL + ("" if file == "index.html" else file)
        languages = {
            link["hreflang"]: link["href"]
            for link in head.links
            if link.get("rel") == "alternate" and "hreflang" in link
        }
        assert set(languages) == {"ko", "en", "x-default"}
        assert canonical(page) in languages.values()
        assert {link.get("type") for link in head.links} >= {"application/atom+xml", "application/feed+json"}


def test_every_page_has_a_picture_for_its_links_that_shows_no_person(addressed_site: Path) -> None:
    from PIL import Image

    for page in addressed_site.rglob("*.html"):
        if not is_listed(page):
            continue
        meta = Head(page).meta
        assert meta["twitter:card"] == "summary_large_image"
        assert meta["og:title"]
        assert meta["og:url"] == canonical(page)
        picture = meta["og:image"].removeprefix(BASE_URL)
        assert picture.startswith("assets/og/")
        with Image.open(addressed_site / picture) as opened:
            assert opened.size == (1200, 630)


def test_without_an_address_nothing_that_needs_one_is_made(site: Path) -> None:
    made = files(site)
    assert not {"feed.atom", "feed.json", "sitemap.xml", "robots.txt", "en/feed.atom"} & set(made)
    assert not any(path.startswith("assets/og/") for path in made)
    assert not any("canonical" in page.read_text() for page in site.rglob("*.html"))


def test_no_address_names_another_machine(addressed_site: Path) -> None:
    hosts = set()
    for page in addressed_site.rglob("*.html"):
        head = Head(page)
        addresses = [str(link.get("href")) for link in head.links] + [head.meta.get("og:image", "")]
        hosts |= {urlsplit(address).netloc for address in addresses}
    assert hosts == {"", urlsplit(BASE_URL).netloc}


@pytest.mark.parametrize(
    ("written", "address"), [("", ""), ("https://a.example", "https://a.example/"), ("http://a.example:8080/b/", None)]
)
def test_a_sites_address_ends_in_a_slash(written: str, address: str | None) -> None:
    assert site_address(written) == (written if address is None else address)


@pytest.mark.parametrize(
    "written",
    [
        "board",
        "/board/",
        "ftp://a.example/",
        "https://",
        "https://a.example/?b",
        "https://a.example/#b",
        "https://[::1/",
        "https://a.example:99999/",
        " https://a.example/",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_of_a_site_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(SettingsError, match="is not the address of a site"):
        site_address(written)
