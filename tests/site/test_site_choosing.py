"""Choosing among violations: every combination that holds something is a page, with its count, rate and denominator."""

from __future__ import annotations

import csv
import html.parser
import io
import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from quitboard.database.connection import opened
from quitboard.site.build import build
from quitboard.site.figures import share
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import Sample, make_board

PER_PAGE = SETTINGS.site.per_page


class Links(html.parser.HTMLParser):
    """The links of a page with their words, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.text = ""
        self._href: str | None = None
        self._words = ""
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._words = dict(attrs).get("href"), ""

    def handle_data(self, data: str) -> None:
        self.text += data
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.found.append((self._href, " ".join(self._words.split())))
            self._href = None


@pytest.fixture(scope="module")
def rows(site: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((site / "data/violations.csv").read_text("utf-8-sig"))))


def combinations(rows: list[dict[str, str]]) -> Counter[str]:
    """Every combination of kind, place and month that holds something, by its path, with how many it holds."""
    found: Counter[str] = Counter()
    for row in rows:
        parts = (f"kind/{row['kind']}/", f"place/{row['camera_id']}/", f"month/{row['date'][:7]}/")
        for wanted in itertools.product((False, True), repeat=3):
            chosen = "".join(part for part, is_wanted in zip(parts, wanted, strict=True) if is_wanted)
            found[f"violations/{chosen or 'all/'}"] += 1
    return found


def list_pages(site: Path) -> list[str]:
    """The pages of all lists: what lies elsewhere below violations/ only leads there from old addresses."""
    return [
        f"{path.parent.relative_to(site).as_posix()}/"
        for facet in ("all", "kind", "place", "month", "hour", "day")
        for path in (site / "violations" / facet).rglob("index.html")
    ]


def first_pages(site: Path) -> set[str]:
    """The first page of every list of kinds, places and months."""
    return {path for path in list_pages(site) if not {"page", "hour", "day"} & set(path.split("/"))}


def test_there_is_a_page_for_each_combination_that_holds_something_and_no_other(
    site: Path, rows: list[dict[str, str]]
) -> None:
    found = combinations(rows)
    assert len(found) > 40
    assert first_pages(site) == set(found)
    assert first_pages(site / "en") == set(found)


def test_each_says_how_many_it_holds(site: Path, rows: list[dict[str, str]]) -> None:
    for path, count in combinations(rows).items():
        assert f"공개된 의심 사례 {count:,}건" in (site / path / "index.html").read_text()


def test_what_a_list_can_be_narrowed_to_is_a_list_that_holds_as_many_as_its_link_says(
    site: Path, rows: list[dict[str, str]]
) -> None:
    found = combinations(rows)
    for path in found:
        page = site / path / "index.html"
        narrow = [(href, words) for href, words in Links(page).found if words.endswith("건") and "violations/" in href]
        assert narrow
        for href, words in narrow:
            target = (page.parent / href).resolve().parent.relative_to(site.resolve()).as_posix()
            assert words.endswith(f" {found[f'{target}/']:,}건"), (path, href, words)


def test_a_combination_s_rate_is_that_of_its_place_and_month_with_its_denominator(board: Sample, site: Path) -> None:
    with opened(board.database, read_only=True) as connection:
        count, base = connection.execute(
            "SELECT sum(violations), sum(judged) FROM rate_cell WHERE kind = 'no_helmet' AND camera_id = 'campus'"
            " AND strftime(local_hour, '%Y-%m') = '2026-04'"
        ).fetchone()
    text = " ".join(Links(site / "violations/kind/no_helmet/place/campus/month/2026-04/index.html").text.split())
    found = share(count, base)
    assert found.known
    assert f"판단할 수 있던 이용자 {base:,}명 중 {count:,}명" in text
    assert f"95% 구간 {found.low * 100:.1f}–{found.high * 100:.1f}%" in text


def test_pages_of_a_list_are_linked_in_both_directions_and_hold_every_case_once(
    site: Path, rows: list[dict[str, str]]
) -> None:
    page, seen = site / "violations/all/index.html", list[str]()
    while True:
        links = Links(page).found
        seen += [href.split("/v/")[1].split("/")[0] for href, _ in links if "/v/" in href]
        older = next((href for href, words in links if words.startswith("더 오래된")), None)
        if older is None:
            break
        newer_of = (page.parent / older).resolve()
        back = next(href for href, words in Links(newer_of).found if words.endswith("더 최근"))
        assert (newer_of.parent / back).resolve() == page.resolve()
        page = newer_of
    assert seen == [row["id"] for row in rows]


def test_pages_grow_in_line_with_violations(site: Path, rows: list[dict[str, str]]) -> None:
    """Each violation is in ten lists; beyond its full pages each list has one more at most."""
    listed = list_pages(site)
    lists = sum(1 for path in listed if "page" not in path.split("/"))
    assert lists <= 10 * len(rows)
    assert len(listed) <= 10 * len(rows) / PER_PAGE + lists


def test_the_tables_of_statistics_have_the_fields_that_the_package_says(site: Path) -> None:
    package = json.loads((site / "data/datapackage.json").read_text())
    told = {item["path"]: [field["name"] for field in item["schema"]["fields"]] for item in package["resources"]}
    files = sorted((site / "data").rglob("*.csv"))
    assert len(files) > 10
    for path in files:
        header = next(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
        assert told[path.relative_to(site / "data").as_posix()] == header


def test_each_rate_s_table_says_how_many_hours_it_rests_on(site: Path) -> None:
    for path in (site / "data/statistics").glob("*.csv"):
        header = path.read_text("utf-8-sig").splitlines()[0].split(",")
        assert "watched_hours" in header or not {"share", "riders"} & set(header), path


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a board on which the model changed, a camera began late and another stopped."""
    folder = tmp_path_factory.mktemp("changed")
    board = make_board(folder / "board", weeks=6, violations=20, pictures=1, changes=True)
    build(board.database, board.media, folder / "site", settings=SETTINGS, as_of=AS_OF, workers=1)
    return folder / "site"


def test_where_cameras_or_the_model_changed_the_trend_is_marked_and_the_change_is_told(changed: Path) -> None:
    page = changed / "en/statistics/no_helmet/index.html"
    assert 'class="mark"' in page.read_text()
    words = Links(page).text
    assert "the model changed to quitboard-n 2" in words
    assert "watching began (중앙시장 앞)" in words
    assert "watching stopped (한강공원 자전거길)" in words


def test_a_place_is_not_marked_with_what_changed_elsewhere(changed: Path) -> None:
    words = Links(changed / "en/places/campus/index.html").text
    assert "the model changed to quitboard-n 2" in words
    assert "watching began" not in words
    assert "watching stopped" not in words


def test_what_was_measured_of_the_model_stands_with_its_interval_and_n(site: Path) -> None:
    words = " ".join(Links(site / "en/method/index.html").text.split())
    assert "93.0% (91.2–94.8%)" in words
    assert "Of 132 heads labelled by people, 2 passed uncovered" in words
    assert "The true share is below 4.7% (95% upper bound)" in words
    assert "too few to say" in words, "three rendered bicycles carry no figure"


def test_the_law_of_a_day_is_a_page_and_cases_lead_to_that_of_their_day(site: Path, rows: list[dict[str, str]]) -> None:
    days = sorted(path.parent.name for path in site.glob("law/*/index.html"))
    assert days == ["2018-09-28", "2021-05-13", "2021-07-15"]
    before = (site / "law/2018-09-28/index.html").read_text()
    assert "자전거 헬멧 미착용" in before
    assert "2인 이상 탑승</h3>" not in before
    assert "law/2021-07-15/index.html" in (site / "v" / rows[0]["id"] / "index.html").read_text()
