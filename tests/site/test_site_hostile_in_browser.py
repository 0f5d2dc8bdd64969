"""300 hostile texts in every field that a board has, built once and looked at in a real browser: text stays text."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from quitboard.database.connection import opened
from quitboard.settings import BoardSettings, Settings, SiteSettings
from tests.site.browsing import faults, page_in, served
from tests.site.building import built
from tests.site.every_template import LANGUAGES, samples
from tests.site.sample_board import make_board

ATTACKS = (
    "<script>hit()</script>", "<img src=x onerror=hit()>", '"><svg onload=hit()>', "'><body onload=hit()>",
    "</title><script>hit()</script>", "</script><script>hit()</script>", "<a href=javascript:hit()>x</a>",
    "javascript:hit()", "<iframe srcdoc='<script>parent.hit()</script>'>", "<math><mi//xlink:href=javascript:hit()>",
    "<details open ontoggle=hit()>", "<style>@import 'x'</style>", "<base href=//elsewhere.example/>", "${hit()}",
    "<link rel=stylesheet href=//elsewhere.example/x>", "<meta http-equiv=refresh content=0;url=//elsewhere.example>",
    "{{ hit() }}", "{% include 'parts/base.html' %}", "&lt;script&gt;hit()&lt;/script&gt;", "**<b>x</b>**",
    "<!--", "]]></svg><script>hit()</script>", "\u202e<script>hit()</script>", '" autofocus onfocus=hit() x="',
    "' style='background:url(//elsewhere.example)", "<template><script>hit()</script>", "<p id=main>",
    "\\u003cscript\\u003e", "<object data=x>", "<noscript><p title='</noscript><img src=x onerror=hit()>'>",
)  # fmt: skip
HOSTILE = [f"{attack} {number}" for number in range(10) for attack in ATTACKS]


class Shape(html.parser.HTMLParser):
    """Notes which attributes which tags have."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, ""))
        self.seen.update((tag, name) for name, _ in attrs)


def shape_of(site: Path) -> set[tuple[str, str]]:
    shape = Shape()
    for page in site.rglob("*.html"):
        shape.feed(page.read_text())
    return shape.seen


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One build over whose fields the 300 texts are spread, each in one of them at least."""
    folder = tmp_path_factory.mktemp("hostile-300")
    texts = iter(HOSTILE)
    cameras = tuple((next(texts), next(texts), next(texts)) for _ in range(20))
    board = make_board(folder / "board", weeks=1, violations=160, pictures=2, withdrawn=1, cameras=cameras)
    with opened(board.database) as connection:
        zones = [
            {"name": next(texts), "kind": "sidewalk", "polygon": [[0, 0], [900, 0], [900, 900]], "direction": None}
            for _ in range(20)
        ]
        connection.execute("UPDATE cctv SET zones = $zones", {"zones": json.dumps(zones)})
        kinds = [kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM violation ORDER BY kind").fetchall()]
        for kind in kinds[:10]:
            connection.execute(
                "UPDATE violation SET name_ko = $1, name_en = $2, law_article = $3, penalty_kind = $4, exceptions = $5,"
                " source = $6 WHERE kind = $7",
                [next(texts), next(texts), next(texts), next(texts), next(texts), next(texts), kind],
            )
        figures = {f"{next(texts)}.precision": 0.5, f"anonymise.{next(texts)}": 1, "helmet.precision": 0.9}
        connection.execute("UPDATE model SET name = $1, figures = $2", [next(texts), json.dumps(figures)])
        settings = Settings(
            board=BoardSettings(title_ko=next(texts), title_en=next(texts), operator=next(texts), contact=next(texts)),
            site=SiteSettings(data_licence=next(texts), per_page=12),
        )
        ids = [one for (one,) in connection.execute("SELECT id FROM violation_info ORDER BY id").fetchall()]
        for one, text in zip(ids, texts, strict=False):
            connection.execute(
                "UPDATE violation_info SET zone = $1, evidence_note = $1, vehicle = $1 WHERE id = $2", [text, one]
            )
        assert next(texts, None) is None, "not every text found a field"
    built(board, folder / "site", settings=settings)
    return folder / "site"


def test_300_hostile_texts_bring_no_tag_and_no_attribute(hostile: Path, site: Path, quiet_site: Path) -> None:
    assert len(set(HOSTILE)) == 300
    of_long_lists = {("li", "aria-label")}  # "pages left out", where a list has more pages than the sample's
    assert shape_of(hostile) - shape_of(site) - shape_of(quiet_site) <= of_long_lists


@pytest.mark.timeout(180)
def test_a_browser_runs_none_of_them_and_asks_nobody(browser: Browser, hostile: Path) -> None:
    with served(hostile) as home, page_in(browser) as page:
        seen = faults(page, home)
        page.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; }")
        for folder in LANGUAGES.values():
            for path in samples(hostile).values():
                page.goto(f"{home}{folder}{path}", wait_until="load")
                assert page.evaluate("window.hits") == 0, path
    assert seen == []
