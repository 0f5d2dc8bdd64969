"""Texts from data are never believed: whatever they hold, pages, file names and tables stay what they are."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from quitboard.database.connection import opened
from quitboard.settings import BoardSettings, Settings, SiteSettings
from tests.site.building import built
from tests.site.sample_board import make_board

# ruff: noqa: E501 - a table of attacks
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg/onload=alert(1)>", "</title><script>x</script>",
    "{{ 7*7 }}", "{% for x in y %}", "${alert(1)}", "javascript:alert(1)", "../../../etc/passwd", "..", ".", "/etc/passwd", "a/b",
    "\u202egnirts", "\u0000\u0001", "=HYPERLINK(\"http://x\")", "+1", "@SUM(A1)", "**굵게**", "&lt;b&gt;", "<!--", "]]>",
    "]]></svg><script>x</script>", "x" * 3000, "😀" * 40, "{n}", "{0}", "%s%n", "\n\n<h1>x</h1>", "CON", "con", "a b", "A",
)  # fmt: skip


class Markup(html.parser.HTMLParser):
    """Notes the tags and attributes that only an attack would bring in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "script" and names.get("type") != "application/json":
            self.scripts.append(names.get("src"))
        if tag in ("iframe", "object", "embed", "style", "form", "base") or (tag == "img" and names.get("src") == "x"):
            self.found.append(tag)
        self.found.extend(name for name in names if name.startswith("on") or name == "style")
        self.found.extend(value for value in (names.get("href"), names.get("src")) if value and "script:" in value)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One build in which every text that comes from data is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    cameras = tuple((text, text, text) for text in HOSTILE)
    board = make_board(folder / "board", weeks=1, violations=120, pictures=2, cameras=cameras)
    with opened(board.database) as connection:
        for number, text in enumerate(HOSTILE):
            connection.execute(
                "UPDATE violation_info SET zone = $text, vehicle = $text, evidence_note = $text"
                " WHERE id IN (SELECT id FROM violation_info ORDER BY id LIMIT 3 OFFSET $n)",
                {"text": text, "n": number * 3},
            )
            connection.execute("UPDATE violation_info SET kind = $text WHERE camera_id = $text", {"text": text})
            connection.execute("UPDATE exposure SET kind = $text WHERE camera_id = $text", {"text": text})
            connection.execute(
                "INSERT INTO violation SELECT $text, $text, $text, vehicles, true, $text, 1, $text, NULL, NULL, true,"
                " $text, $text, 100 FROM violation LIMIT 1",
                {"text": text},
            )
        connection.execute(
            "UPDATE cctv SET zones = $zones",
            {"zones": json.dumps([
                {"name": text, "kind": "sidewalk", "polygon": [[0, 0], [9, 0], [9, 9]], "direction": None}
                for text in HOSTILE if "\u0000" not in text
            ])},
        )  # fmt: skip
        connection.execute("UPDATE model SET name = $text, figures = $figures", {
            "text": HOSTILE[0], "figures": json.dumps({f"{HOSTILE[1]}.precision": 0.5, f"anonymise.{HOSTILE[2]}": 1}),
        })  # fmt: skip
    text = HOSTILE[1]
    settings = Settings(
        board=BoardSettings(title_ko=text, title_en=text, operator=text, contact="javascript:alert(1)//@x"),
        site=SiteSettings(data_licence=text),
    )
    built(board, folder / "site", settings=settings)
    return folder / "site"


def pages_of(site: Path) -> Iterator[Path]:
    yield from sorted(site.rglob("*.html"))


def test_a_hostile_text_is_only_an_ugly_text(hostile: Path) -> None:
    for path in pages_of(hostile):
        markup = Markup()
        text = path.read_text()
        markup.feed(text)
        assert markup.found == (["form"] if path.parent.name == "search" else []), path
        own = [(path.parent / str(source)).resolve() for source in markup.scripts]
        assert all(script.is_relative_to(hostile / "assets") and script.is_file() for script in own), path
        assert "49" not in text.split("<title>")[1].split("</title>")[0], path


def test_a_hostile_name_names_no_file(hostile: Path) -> None:
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789-_./")
    names = {path.relative_to(hostile).as_posix() for path in hostile.rglob("*")} - {"SHA256SUMS"}
    old_address = re.compile(r"violations/(choice/)?(violation|region|time)/\w[\w .()-]*(/index\.html)?")
    named = {
        name for name in names if not name.startswith(("assets/", "pagefind/")) and not old_address.fullmatch(name)
    }
    assert {name for name in named if set(name) - plain} == set()
    assert not {path.name for path in hostile.parent.iterdir()} - {"board", "site", ".site.lock"}


def test_a_cell_of_the_csv_never_begins_a_formula(hostile: Path) -> None:
    content = (hostile / "data/violations.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 121
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t", "\r"))]


def test_the_three_formats_say_the_same(hostile: Path, site: Path) -> None:
    for folder in (hostile, site):
        from_json = json.loads((folder / "data/violations.json").read_text())
        from_parquet = parquet.read_table(folder / "data/violations.parquet").to_pylist()
        assert [{**row, "date": str(row["date"])} for row in from_parquet] == from_json
        assert (
            len(list(csv.reader(io.StringIO((folder / "data/violations.csv").read_text("utf-8-sig")))))
            == len(from_json) + 1
        )
