"""board.duckdb is created, migrated after a backup, and refused with what to do when it cannot be used."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from quitboard.catalogue import load_catalogue
from quitboard.database import connection as door
from quitboard.database.board import Board, Publishing
from quitboard.database.check import disagreements
from quitboard.database.connection import newest_version, opened, schema_version
from quitboard.database.export import FORMATS, export
from quitboard.errors import DatabaseError, Locked, UsageError
from quitboard.ingest.load import Target, ingest
from quitboard.records import Rule
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
FIRST_TABLES = {"violation", "cctv", "violation_info", "violation_file", "user"}
OTHER_TABLES = {
    *("bundle", "exposure", "media", "media_history", "verdict", "withdrawal", "model", "run", "publication"),
    *("withdrawn_violation", "withdrawn_media", "take_back"),
    "schema_version",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "board.duckdb"


def run(path: Path, sql: str) -> list[Any]:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        return connection.execute(sql).fetchall()


def test_a_new_database_has_the_first_quitboards_tables_and_the_others(path: Path) -> None:
    with opened(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert tables == FIRST_TABLES | OTHER_TABLES
        assert schema_version(connection) == newest_version()


def test_any_older_schema_is_migrated_to_the_newest_after_a_backup(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = door._migrations()
    assert len(migrations) >= 2
    for version in sorted(migrations)[:-1]:
        board = path.with_name(f"from-{version}.duckdb")
        with monkeypatch.context() as older:
            older.setattr(door, "_migrations", lambda v=version: {n: s for n, s in migrations.items() if n <= v})
            with opened(board) as connection:
                connection.execute("INSERT INTO \"user\" VALUES ('kim', now())")
        with opened(board) as connection:
            assert schema_version(connection) == newest_version()
            assert connection.execute('SELECT name FROM "user"').fetchall() == [("kim",)]
            migrated = connection.execute("SELECT sql FROM duckdb_tables() ORDER BY table_name").fetchall()
            views = connection.execute(
                "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY 1"
            ).fetchall()
        with opened(path.with_name(f"new-{version}.duckdb")) as connection:
            assert migrated == connection.execute("SELECT sql FROM duckdb_tables() ORDER BY table_name").fetchall()
            assert (
                views
                == connection.execute(
                    "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY 1"
                ).fetchall()
            )
        backup = board.with_name(f"{board.name}.v{version}.bak")
        assert run(backup, "SELECT max(version) FROM schema_version") == [(version,)]
        assert run(backup, 'SELECT name FROM "user"') == [("kim",)]


def test_opening_again_writes_no_backup_and_changes_no_byte(path: Path) -> None:
    with opened(path):
        pass
    before = path.read_bytes()
    with opened(path):
        pass
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    with opened(path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")
    before = path.read_bytes()
    for read_only in (True, False):
        newer = pytest.raises(DatabaseError, match=r"schema 99, this QuitBoard knows up to \d+.*newer QuitBoard")
        with newer, opened(path, read_only=read_only):
            pass
    assert path.read_bytes() == before


def test_an_older_schema_is_not_migrated_by_a_reader(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = door._migrations()
    with monkeypatch.context() as older:
        older.setattr(door, "_migrations", lambda: {1: migrations[1]})
        with opened(path):
            pass
    with pytest.raises(DatabaseError, match="this QuitBoard needs"), opened(path, read_only=True):
        pass


def test_a_missing_database_is_not_made_by_a_reader(path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no database yet.*quitboard ingest"), opened(path, read_only=True):
        pass
    assert not path.exists()


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    run(path, "CREATE TABLE recipes (name VARCHAR)")
    with pytest.raises(DatabaseError, match="not a board's database"), opened(path):
        pass
    assert run(path, "SELECT table_name FROM duckdb_tables()") == [("recipes",)]


@pytest.mark.parametrize("damage", ["cut", "overwritten", "words", "empty folder"])
def test_a_damaged_database_says_what_to_do(path: Path, damage: str) -> None:
    with opened(path) as connection:
        connection.execute("INSERT INTO media SELECT i::VARCHAR, 'jpg', i, 'hot' FROM range(100000) t(i)")
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 5])
    elif damage == "overwritten":
        path.write_bytes(content[:4096] + b"\xff" * 20_000 + content[24_096:])
    elif damage == "words":
        path.write_text("these are words " * 1000)
    else:
        path.unlink()
        path.mkdir()
    for read_only in (True, False):
        with pytest.raises(DatabaseError) as caught, opened(path, read_only=read_only) as connection:
            connection.execute("SELECT sum(bytes), max(sha256) FROM media").fetchall()
        assert "Restore a backup" in caught.value.todo
        assert str(path.parent) not in str(caught.value)
        assert caught.value.exit_code == 5


def test_a_database_in_use_says_so(path: Path) -> None:
    with opened(path):
        pass
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        for read_only in (True, False):
            with pytest.raises(Locked), opened(path, read_only=read_only):
                pass
        other.communicate("")


def test_instants_are_utc_whatever_the_machines_clock_says(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    with opened(path) as connection:
        assert connection.execute("SELECT TIMESTAMPTZ '2023-04-23 15:00:00+09'::VARCHAR").fetchone() == (
            "2023-04-23 06:00:00+00",
        )


# --- what may be shown --------------------------------------------------------------------------------------------


@pytest.fixture
def board_path(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "a.zip")
    target = Target(database=tmp_path / "board.duckdb", media=tmp_path / "media")
    rules = load_catalogue()
    ingest([tmp_path / "a.zip"], target, now=NOW, rules=rules)
    return target.database


FIRST = bundles.violation(0)
EVERYTHING = {bundles.violation(0).id, bundles.violation(1).id, bundles.violation(2, kind="two_up").id}


def shown(path: Path, as_of: datetime = NOW, **policy: Any) -> set[str]:
    with Board.open(path, Publishing(as_of=as_of, **policy)) as board:
        found = [row.id for row in board.violations()]
        assert len(found) == board.published_count()
        return set(found)


def test_a_published_violation_tells_day_and_hour_and_no_more(board_path: Path) -> None:
    with Board.open(board_path, Publishing(as_of=NOW)) as board:
        rows = list(board.violations())
        assert len(rows) == 3
        (row,) = (row for row in rows if row.id == FIRST.id)
        assert (row.day, row.hour, row.weekday) == (date(2023, 4, 23), 15, 7)
        assert (row.camera_name, row.area, row.confidence, row.model_sha256) == ("정문 3", "Campus", 0.8, "a" * 64)
        (place,) = board.places()
        assert place.zones == bundles.CAMERA.zones
        assert "Some Street" not in repr((rows, place))
        assert [model.figures for model in board.models()] == [{"helmet.ap50": 0.91}]
        assert {row.sha256 for row in board.media()} == {
            sha for row in rows for sha in (row.still_sha256, row.clip_sha256) if sha
        }


def test_the_newest_come_first_and_a_page_of_them_is_the_same_as_all_cut(board_path: Path) -> None:
    with Board.open(board_path, Publishing(as_of=NOW)) as board:
        rows = list(board.violations())
        assert list(board.violations(limit=2)) == rows[:2]
        assert [row.id for row in rows][-1] == FIRST.id
        assert [row.kind for row in board.violations(kind="two_up")] == ["two_up"]
        assert list(board.violations(month="2023-05")) == []


@pytest.mark.parametrize(("hours", "expected"), [(0, EVERYTHING), (180, EVERYTHING), (190, set())])
def test_an_embargo_runs_from_the_violation(board_path: Path, hours: int, expected: set[str]) -> None:
    assert shown(board_path, embargo=timedelta(hours=hours)) == expected


@pytest.mark.parametrize(("after", "expected"), [(29, EVERYTHING), (31, set())])
def test_evidence_expires_some_days_after_its_ingest(board_path: Path, after: int, expected: set[str]) -> None:
    assert shown(board_path, NOW + timedelta(days=after), evidence_for=timedelta(days=30)) == expected


@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        ("UPDATE violation_info SET publish_after = '2023-05-02' WHERE id = $id", True),
        ("UPDATE violation_info SET publish_after = '2023-04-30' WHERE id = $id", False),
        ("UPDATE violation_info SET expire_at = '2023-04-30' WHERE id = $id", True),
        ("UPDATE violation_info SET expire_at = '2023-05-02' WHERE id = $id", False),
        (
            """INSERT INTO verdict SELECT id, camera_id, kind, started_at, ended_at, 'rejected', 'kim', '', now()
               FROM violation_info WHERE id = $id""",
            True,
        ),
        (
            """INSERT INTO verdict SELECT id, camera_id, kind, started_at, ended_at, 'unclear', 'kim', '', now()
               FROM violation_info WHERE id = $id""",
            False,
        ),
    ],
)
def test_each_reason_hides_the_violation_that_it_concerns(board_path: Path, change: str, hidden: bool) -> None:
    with opened(board_path) as connection:
        connection.execute(change, {"id": FIRST.id})
    assert shown(board_path) == (EVERYTHING - {FIRST.id} if hidden else EVERYTHING)


def test_a_withdrawal_hides_all_that_shows_the_same_seconds(board_path: Path) -> None:
    with opened(board_path) as connection:
        connection.execute(
            """INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', '2023-04-25'
               FROM violation_info WHERE id = $id""",
            {"id": FIRST.id},
        )
    assert shown(board_path) == set()  # all three lie within the length of a clip
    with Board.open(board_path, Publishing(as_of=NOW)) as board:
        assert [(stone.id, stone.withdrawn_on) for stone in board.tombstones()] == [(FIRST.id, "2023-04-25")]
        assert sum(rate.violations for rate in board.rates()) == 3


def test_only_confirmed_shows_none_but_confirmed(board_path: Path) -> None:
    assert shown(board_path, only_confirmed=True) == set()
    with opened(board_path) as connection:
        connection.execute(
            """INSERT INTO verdict SELECT id, camera_id, kind, started_at, ended_at, 'confirmed', 'kim', '', now()
               FROM violation_info WHERE id = $id""",
            {"id": FIRST.id},
        )
    assert shown(board_path, only_confirmed=True) == {FIRST.id}


def test_the_catalogue_is_that_of_the_day(board_path: Path, tmp_path: Path) -> None:
    (now, *_) = load_catalogue()
    before = replace(now, fine_krw=1, valid_from=None, valid_to=date(2021, 5, 12))
    rules: list[Rule] = [before, replace(now, valid_from=date(2021, 5, 13))]
    target = Target(database=board_path, media=tmp_path / "media")
    ingest([], target, now=NOW, rules=rules)
    with Board.open(board_path, Publishing(as_of=NOW)) as board:
        assert board.catalogue() == rules
        assert board.catalogue(date(2021, 5, 12)) == rules[:1]
        assert board.catalogue(date(2021, 5, 13)) == rules[1:]


def test_an_instant_without_a_time_zone_is_a_mistake(board_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        shown(board_path, datetime(2023, 5, 1))


# --- export --------------------------------------------------------------------------------------------------------


def exported(path: Path, folder: Path, form: str) -> dict[str, Path]:
    with Board.open(path, Publishing(as_of=NOW)) as board:
        return {file.stem: file for file in export(board, folder, form)}


def test_every_format_says_the_same(board_path: Path, tmp_path: Path) -> None:
    tables = {form: exported(board_path, tmp_path / form, form) for form in FORMATS}
    assert tables["csv"].keys() == tables["json"].keys() == tables["parquet"].keys()
    for name, file in tables["json"].items():
        rows = json.loads(file.read_text())
        assert parquet.read_table(tables["parquet"][name]).num_rows == len(rows)
        text = tables["csv"][name].read_bytes()
        assert text.startswith(b"\xef\xbb\xbf")
        lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
        assert len(lines) == len(rows) + 1
        if rows:
            assert lines[0] == list(rows[0]) == parquet.read_schema(tables["parquet"][name]).names
    assert {row["id"] for row in json.loads(tables["json"]["violations"].read_text())} == EVERYTHING


def test_nothing_private_is_exported(board_path: Path, tmp_path: Path) -> None:
    for form in ("csv", "json"):
        for file in exported(board_path, tmp_path / form, form).values():
            text = file.read_text("utf-8-sig")
            assert not any(word in text for word in ("Some Street", "first.mp4", "15:00:0", "gate-3/", "votes"))


def test_a_share_of_fewer_than_five_riders_is_not_told(board_path: Path, tmp_path: Path) -> None:
    with opened(board_path) as connection:
        connection.execute("UPDATE exposure SET riders = 4, judged = 4, unclear = 0 WHERE kind = 'two_up'")
    rows = {row["kind"]: row for row in json.loads(exported(board_path, tmp_path, "json")["rates_by_kind"].read_text())}
    assert rows["no_helmet"]["per_rider"] == pytest.approx(2 / 40)
    assert rows["two_up"] == {**dict.fromkeys(rows["two_up"]), "kind": "two_up", "watched_hours": 1.0}


def test_a_name_that_begins_like_a_formula_stays_a_text_in_a_spreadsheet(board_path: Path, tmp_path: Path) -> None:
    with opened(board_path) as connection:
        connection.execute("UPDATE cctv SET name = '=cmd|''/c calc''!A1'")
    lines = exported(board_path, tmp_path, "csv")["violations"].read_text("utf-8-sig").splitlines()
    assert ",'=cmd" in lines[1]


def test_an_unknown_format_is_a_usage_error(board_path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="csv, json, parquet"):
        exported(board_path, tmp_path, "xlsx")
    shutil.rmtree(tmp_path / "csv", ignore_errors=True)


# --- verify ---------------------------------------------------------------------------------------------------------


def test_a_board_as_ingested_agrees_with_itself(board_path: Path) -> None:
    with opened(board_path, read_only=True) as connection:
        assert disagreements(connection) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM bundle", "3 suspected violations without their bundle"),
        ("DELETE FROM violation_file", "2 hours watched without their recording"),
        ("DELETE FROM cctv", "3 suspected violations without their camera"),
        ("DELETE FROM media", "4 pictures that are named and not listed"),
        ("INSERT INTO media VALUES ('e', 'jpg', 1, 'hot')", "1 pictures that are listed and not named"),
        (
            "INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, '', now() FROM violation_info LIMIT 1",
            "2 pictures of what was withdrawn",
        ),
    ],
)
def test_rows_that_do_not_fit_together_are_told(board_path: Path, change: str, expected: str) -> None:
    with opened(board_path) as connection:
        connection.execute(change)
        assert expected in disagreements(connection)
