"""What the built site shows: nothing private, nothing early or late, nothing withdrawn; and it is whole HTML."""

from __future__ import annotations

import csv
import html.parser
import io
from datetime import timedelta
from pathlib import Path

from quitboard.database.connection import opened
from quitboard.settings import Settings
from quitboard.site.build import build
from tests.site.building import built
from tests.site.conftest import AS_OF
from tests.site.sample_board import CAMERAS, PRIVATE_ADDRESS, PRIVATE_NAME, Sample, make_board

ROOT = Path(__file__).parents[2]


def test_nothing_private_is_in_any_file(site: Path) -> None:
    private = [PRIVATE_ADDRESS.encode(), PRIVATE_NAME.encode(), b"secret", str(ROOT).encode(), b"/tmp"]
    for path in site.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in private if word in content], path


def test_no_page_tells_a_minute(board: Sample, site: Path) -> None:
    with opened(board.database, read_only=True) as connection:
        rows = connection.execute("SELECT id, strftime(local_started_at, '%H:%M') FROM violation_info").fetchall()
    for case, moment in rows:
        if not moment.endswith(":00"):
            assert moment not in (site / "v" / case / "index.html").read_text()


def test_a_withdrawn_case_leaves_a_tombstone_and_no_byte_of_its_picture(copy: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    with opened(copy.database) as connection:
        case, still = connection.execute(
            "SELECT min(id), still_sha256 FROM violation_info WHERE still_sha256 <> '' GROUP BY still_sha256 LIMIT 1"
        ).fetchone()
        connection.execute("DELETE FROM violation_info WHERE still_sha256 = ? AND id <> ?", [still, case])
    built(copy, out)
    assert list(out.glob(f"media/{still[:2]}/{still[:32]}*"))
    with opened(copy.database) as connection:
        connection.execute(
            "INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', ended_at"
            " FROM violation_info WHERE id = ?",
            [case],
        )
    built(copy, out)
    page = (out / "withdrawn" / case / "index.html").read_text()
    assert page.count("내려") > 1
    for said in ("헬멧 미착용</h1>", *(name for _, name, _ in CAMERAS), still[:32]):
        assert said not in page
    assert "내려" in (out / "v" / case / "index.html").read_text()
    assert not list(out.rglob(f"*{still[:32]}*"))
    assert not [path for path in out.rglob("*.html") if still[:32] in path.read_text()]
    assert not list((copy.media.parent / "cache").rglob(f"*{still[:32]}*"))


def test_embargo_and_expiry_are_obeyed_and_the_count_stays(copy: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    built(copy, out)
    rates = (out / "data/statistics/by_kind.csv").read_bytes()
    with opened(copy.database) as connection:
        early, late = [
            row[0] for row in connection.execute("SELECT id FROM violation_info ORDER BY id LIMIT 2").fetchall()
        ]
        connection.execute(
            "UPDATE violation_info SET publish_after = ? WHERE id = ?", [AS_OF + timedelta(hours=1), early]
        )
        connection.execute("UPDATE violation_info SET expire_at = ? WHERE id = ?", [AS_OF - timedelta(hours=1), late])
    built(copy, out)
    assert not (out / "v" / early).exists()
    assert not (out / "v" / late).exists()
    assert (out / "data/statistics/by_kind.csv").read_bytes() == rates
    built(copy, out, as_of=AS_OF + timedelta(hours=2))
    assert (out / "v" / early).exists()


def test_a_cell_of_fewer_than_five_riders_says_nothing(site: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((site / "data/statistics/no_helmet_by_hour.csv").read_text("utf-8-sig"))))
    assert [row for row in rows if not row["judged"]], "the sample has small cells"
    assert all(int(row["judged"]) >= 5 for row in rows if row["judged"])


def test_a_board_without_anything_is_a_page_too(tmp_path: Path) -> None:
    with opened(tmp_path / "board.duckdb"):
        pass
    build(tmp_path / "board.duckdb", tmp_path / "media", tmp_path / "site", settings=Settings(), workers=1)
    assert "아직 지켜본 거리가 없습니다" in (tmp_path / "site/index.html").read_text()


def test_a_street_without_suspicion_says_how_long_it_was_watched(tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", weeks=1, found=False)
    built(board, tmp_path / "site")
    page = (tmp_path / "site/index.html").read_text()
    assert "동안 의심 사례가 없었습니다" in page
    assert "95% 상한" in page
    assert "Infinity" not in page


def test_counts_without_hours_watched_carry_no_rate(tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", weeks=1, exposure=False, violations=30, pictures=2)
    built(board, tmp_path / "site")
    page = (tmp_path / "site/index.html").read_text()
    assert "의심 사례 <strong>30건</strong>이 모였습니다" in page
    assert "%" not in page.split("<main", 1)[1].split("</section>")[0].replace("95%", "")
    assert not (tmp_path / "site/data/statistics").exists()


VOID = {"meta", "link", "img", "source", "br", "input"}


class Balance(html.parser.HTMLParser):
    """Follows which elements are open, and which ids were given."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if (
            self.open
            and self.open[-1] == "p"
            and tag in ("p", "div", "ul", "ol", "section", "figure", "table", "dl", "h2")
        ):
            self.wrong.append(f"<{tag}> in <p>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def test_every_page_closes_what_it_opens_and_gives_an_id_once(site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        balance = Balance()
        balance.feed(path.read_text())
        assert (balance.open, balance.wrong) == ([], []), path
        assert len(balance.ids) == len(set(balance.ids)), path
