"""Building the site: same input, same bytes; only what is ours; never half of it; nothing private, nothing believed."""

from __future__ import annotations

import csv
import hashlib
import html.parser
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from quitboard.database.connection import opened
from quitboard.errors import Locked, UsageError
from quitboard.settings import BoardSettings, Settings, SiteSettings
from quitboard.site import output
from quitboard.site.build import Built, build
from quitboard.site.output import locked_target
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import CAMERAS, PRIVATE_ADDRESS, PRIVATE_NAME, Sample, make_board

ROOT = Path(__file__).parents[2]


def built(board: Sample, out: Path, **options: object) -> Built:
    return build(
        board.database,
        board.media,
        out,
        **{"settings": SETTINGS, "as_of": AS_OF, "workers": 1, **options},  # type: ignore[arg-type]
    )


def files(folder: Path) -> dict[str, str]:
    """Every file of a site by its path, as a hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def copy(board: Sample, tmp_path: Path) -> Sample:
    """A board of one's own, to change."""
    shutil.copytree(board.database.parent, tmp_path / "board")
    return Sample(tmp_path / "board" / "board.duckdb", tmp_path / "board" / "media")


# --- same input, same bytes -----------------------------------------------------------------------------------------


def test_the_same_board_gives_the_same_bytes(copy: Sample, site: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy.media.parent / "cache")
    built(copy, tmp_path / "again")
    assert files(tmp_path / "again") == files(site)


def test_any_number_of_processes_gives_the_same_bytes(
    board: Sample, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quitboard.site.build._ALONE_BELOW", 0)
    monkeypatch.setattr("quitboard.site.build._CHUNK", 40)
    built(board, tmp_path / "parallel", workers=2)
    assert files(tmp_path / "parallel") == files(site)


def test_an_unchanged_rebuild_writes_nothing(board: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    built(board, out)
    before = times(out)
    done = built(board, out, as_of=AS_OF + timedelta(days=1))
    assert (done.written, done.removed) == (0, 0)
    assert times(out) == before


def test_the_sums_are_those_that_sha256sum_checks(site: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=site, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_one_new_case_rewrites_only_the_pages_that_show_it(copy: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    with opened(copy.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM violation_info ORDER BY started_at LIMIT 1")
        connection.execute("DELETE FROM violation_info WHERE id IN (SELECT id FROM kept)")
    built(copy, out)
    before = files(out)
    with opened(copy.database) as connection:
        connection.execute("INSERT INTO violation_info SELECT * FROM kept")
        case = connection.execute("SELECT id FROM kept").fetchone()[0]
    done = built(copy, out)
    after = files(out)
    assert after.keys() - before.keys() >= {f"v/{case}/index.html", f"en/v/{case}/index.html"}
    assert "method/index.html" in before
    assert before["method/index.html"] == after["method/index.html"]
    assert done.written < len(after) / 2


def test_what_was_deleted_by_hand_comes_back(board: Sample, site: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    built(board, out)
    (out / "law" / "index.html").unlink()
    (out / "index.html").write_text("changed by hand")
    built(board, out)
    assert files(out) == files(site)


# --- what may be shown ------------------------------------------------------------------------------------------------


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


def test_a_card_page_is_light(site: Path) -> None:
    lists = [path for path in site.rglob("*.html") if "violations" in path.parts and "<picture" in path.read_text()]
    assert lists
    assert max(path.stat().st_size for path in lists) <= 40_000


# --- data from outside ------------------------------------------------------------------------------------------------

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
        if tag == "script":
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
        assert markup.found == [], path
        assert len(markup.scripts) == 2, path
        assert all(source and source.endswith(("theme.js", "page.js")) for source in markup.scripts), path
        assert "49" not in text.split("<title>")[1].split("</title>")[0], path


def test_a_hostile_name_names_no_file(hostile: Path) -> None:
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789-_./")
    names = {path.relative_to(hostile).as_posix() for path in hostile.rglob("*")} - {"SHA256SUMS"}
    assert {name for name in names if set(name) - plain} == set()
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


# --- the folder -------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_ours_is_refused_and_left_as_it_is(board: Sample, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match="not made by build-site"):
        built(board, out)
    assert [path.name for path in out.iterdir()] == ["holiday.jpg"]


def test_a_file_of_somebody_else_in_our_folder_stops_the_build_instead_of_vanishing(
    board: Sample, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    built(board, out)
    (out / "CNAME").write_text("example.org")
    with pytest.raises(UsageError, match="'CNAME'"):
        built(board, out)
    assert (out / "CNAME").read_text() == "example.org"


def test_a_link_inside_the_folder_leads_no_write_out_of_it(board: Sample, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    built(board, out)
    shutil.copytree(out / "law", elsewhere)
    shutil.rmtree(out / "law")
    (out / "law").symlink_to(elsewhere)
    (elsewhere / "index.html").write_text("not ours")
    with pytest.raises(UsageError):
        built(board, out)
    assert (elsewhere / "index.html").read_text() == "not ours"


def test_an_empty_folder_and_a_link_to_a_folder_are_built_into(board: Sample, site: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to("real")
    built(board, tmp_path / "site")
    assert (tmp_path / "site").is_symlink()
    assert files(tmp_path / "real") == files(site)


def test_a_second_build_at_the_same_time_is_told_to_wait(board: Sample, tmp_path: Path) -> None:
    with locked_target(tmp_path / "site"), pytest.raises(Locked):
        built(board, tmp_path / "site")


def test_a_system_that_cannot_exchange_folders_renames_them(
    copy: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoExchange:
        def __init__(self, *_: object, **__: object) -> None: ...

    out = tmp_path / "site"
    built(copy, out)
    monkeypatch.setattr(output.ctypes, "CDLL", NoExchange)
    built(copy, out, settings=Settings())
    assert "운영" not in (out / "contact/index.html").read_text().split("<footer")[1]
    # Killed between its two renames:
    out.rename(tmp_path / ".site.previous")
    before = files(tmp_path / ".site.previous")
    built(copy, out, settings=Settings())
    assert files(out) == before


def test_a_folder_that_only_has_our_staging_s_name_is_left_alone(board: Sample, tmp_path: Path) -> None:
    (tmp_path / ".site.building").mkdir()
    (tmp_path / ".site.building" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="in the way"):
        built(board, tmp_path / "site")
    assert (tmp_path / ".site.building" / "mine").read_text() == "mine"


def test_killed_at_any_instant_leaves_the_old_or_the_new_site(copy: Sample, tmp_path: Path) -> None:
    """Twelve builds, each killed at a random instant, flip the site between two states; then one is let through."""
    out = tmp_path / "site"
    titles = ("처음 이름", "다음 이름")
    settled = {}
    for title in titles:
        start = time.monotonic()
        built(copy, tmp_path / title, settings=Settings(board=BoardSettings(title_ko=title)))
        lasting_s = time.monotonic() - start
        settled[title] = files(tmp_path / title)
    built(copy, out, settings=Settings(board=BoardSettings(title_ko=titles[0])))
    script = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from quitboard.settings import Settings, BoardSettings; from quitboard.site.build import build\n"
        "print('begun', flush=True)\n"
        "build(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), workers=1,"
        " settings=Settings(board=BoardSettings(title_ko=sys.argv[4])), as_of=datetime.fromisoformat(sys.argv[5]))"
    )
    chance = random.Random(11)
    for number in range(12):
        title = titles[(number + 1) % 2]
        command = [sys.executable, "-c", script, copy.database, copy.media, out, title, AS_OF.isoformat()]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 1.2 * lasting_s))
            os.killpg(process.pid, signal.SIGKILL)
        now = files(out)
        assert now in settled.values(), "the site is neither the old nor the new one"
    built(copy, out, settings=Settings(board=BoardSettings(title_ko=titles[1])))
    assert files(out) == settled[titles[1]]
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} >= {".site.lock"}
    assert not (tmp_path / ".site.building").exists()
