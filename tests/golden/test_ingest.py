"""Bundles become rows and pictures: once, whole, replaced by newer ones, and never against a withdrawal."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quitboard import files
from quitboard.bundle import read
from quitboard.database.connection import opened
from quitboard.errors import Locked, UsageError
from quitboard.ingest.load import Target, ingest
from quitboard.records import ModelCard, Report
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
TABLES = ("violation", "cctv", "violation_info", "violation_file", "bundle", "exposure", "media", "model")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(database=tmp_path / "board.duckdb", media=tmp_path / "media")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "bundles"
    folder.mkdir()
    return folder


def put(target: Target, *paths: Path, now: datetime = NOW, **more: Any) -> Report:
    return ingest(paths, target, now=now, **more)


def content(target: Target) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the board: rows of every table, and every file of the media folder."""
    with opened(target.database) as connection:
        rows = {
            table: sorted(
                connection.execute(
                    f"SELECT COLUMNS(lambda c: c NOT IN ('ingested_at', 'first_seen_at'))::VARCHAR FROM {table}"
                ).fetchall()
            )
            for table in TABLES
        }
    shelves = sorted(path for path in target.media.rglob("*") if path.is_file())
    return rows | {"files": [(path.name, files.sha256_file(path)) for path in shelves]}


def ask(target: Target, sql: str) -> list[Any]:
    with opened(target.database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_bundle_becomes_rows_and_pictures_and_moves_to_done(target: Target, inbox: Path) -> None:
    manifest = bundles.make(inbox / "gate-3_2023-04-23.zip")
    report = put(target, inbox)
    assert report == Report(done=["gate-3_2023-04-23.zip"], unchanged=[], set_aside=[])
    assert [path.name for path in inbox.iterdir()] == ["done"]
    assert ask(target, "SELECT kind, count(*) FROM violation_info GROUP BY kind ORDER BY kind") == [
        ("no_helmet", 2),
        ("two_up", 1),
    ]
    (row,) = ask(
        target,
        """SELECT bundle_id, camera_id, vehicle, epoch_us(started_at), local_started_at, confidence, votes_for
           FROM violation_info ORDER BY started_at LIMIT 1""",
    )
    first = bundles.violation()
    assert row == (
        manifest.id,
        "gate-3",
        "scooter",
        int(first.started_at.timestamp() * 1e6),
        first.started_at.replace(tzinfo=None),
        0.8,
        9,
    )
    assert ask(target, "SELECT local_hour, sum(judged) FROM exposure WHERE kind = 'two_up' GROUP BY ALL") == [
        (datetime(2023, 4, 23, 15), 40)
    ]
    assert sorted(path.name for path in target.media.rglob("*.*")) == sorted(
        name.removeprefix("media/") for name in manifest.sums if name.startswith("media/")
    )
    assert all(path.parent.name == path.name[:2] for path in target.media.rglob("*.*"))


def test_the_same_bundle_again_changes_nothing(target: Target, inbox: Path, tmp_path: Path) -> None:
    bundles.make(inbox / "a.zip")
    (tmp_path / "kept.zip").write_bytes((inbox / "a.zip").read_bytes())
    put(target, inbox)
    before = content(target)
    (inbox / "b.zip").write_bytes((tmp_path / "kept.zip").read_bytes())
    assert put(target, inbox, now=NOW + timedelta(days=9)).unchanged == ["b.zip"]
    assert content(target) == before
    assert sorted(path.name for path in (inbox / "done").iterdir()) == ["a.zip", "b.zip"]


def test_a_file_named_by_itself_stays_where_it_is(target: Target, tmp_path: Path) -> None:
    bundles.make(tmp_path / "a.zip")
    (tmp_path / "torn.zip").write_bytes(b"PK")
    report = put(target, tmp_path / "a.zip", tmp_path / "torn.zip")
    assert report.done == ["a.zip"]
    assert [item.name for item in report.set_aside] == ["torn.zip"]
    assert {"a.zip", "torn.zip"} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / "done").exists()


def test_a_bad_bundle_is_set_aside_with_its_reason_and_the_rest_goes_on(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "good.zip")
    bundles.make(inbox / "torn.zip", day=date(2023, 4, 24))
    torn = (inbox / "torn.zip").read_bytes()
    (inbox / "torn.zip").write_bytes(torn[: len(torn) // 2])
    (inbox / "words.zip").write_text("not a zip")
    (inbox / "notes.txt").write_text("not ours")
    report = put(target, inbox)
    assert report.done == ["good.zip"]
    assert sorted(item.name for item in report.set_aside) == ["torn.zip", "words.zip"]
    assert all("not a whole zip" in item.reason or "too short" in item.reason for item in report.set_aside)
    assert sorted(path.name for path in (inbox / "rejected").iterdir()) == [
        "torn.zip",
        "torn.zip.reason.txt",
        "words.zip",
        "words.zip.reason.txt",
    ]
    assert "too short" in (inbox / "rejected" / "words.zip.reason.txt").read_text()
    assert (inbox / "rejected" / "torn.zip").read_bytes() == torn[: len(torn) // 2]
    assert (inbox / "notes.txt").exists()


def test_nothing_of_a_bundle_that_turns_out_bad_at_its_end_is_kept(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "a.zip")
    put(target, inbox)
    before = content(target)
    source = bundles.recording("second", hour=16)
    rows, media = bundles.pictured(bundles.violation(number, source) for number in range(10, 60))
    bundles.make(inbox / "b.zip", recordings=[source], violations=rows, media=media)
    whole = bytearray((inbox / "b.zip").read_bytes())
    last = whole.rindex(b"\xff\xd9PK\3\4" if b"\xff\xd9PK\3\4" in whole else b";PK\3\4")
    whole[last - 2] ^= 0xFF
    (inbox / "b.zip").write_bytes(whole)
    report = put(target, inbox)
    assert [item.name for item in report.set_aside] == ["b.zip"]
    assert content(target) == before


def test_a_newer_bundle_of_a_camera_day_replaces_it_pictures_and_all(target: Target, inbox: Path) -> None:
    source = bundles.recording()
    old, old_media = bundles.pictured(bundles.violation(number, source) for number in range(4))
    bundles.make(inbox / "a.zip", recordings=[source], violations=old, media=old_media)
    put(target, inbox)
    newer = ModelCard(name="newer", sha256="b" * 64)
    # The same ride found again keeps its id; its pictures are new, but for one.
    again, media = bundles.pictured([bundles.violation(1, source), bundles.violation(7, source)], first=100)
    kept = replace(old[2], confidence=0.99)
    media |= {sha: old_media[sha] for sha in (kept.still_sha256, kept.clip_sha256)}
    bundles.make(inbox / "a.zip", recordings=[source], violations=[*again, kept], media=media, model=newer)
    assert put(target, inbox).done == ["a.zip"]
    assert {row[0] for row in ask(target, "SELECT id FROM violation_info")} == {row.id for row in [*again, kept]}
    assert ask(target, "SELECT count(*), any_value(model_sha256) FROM bundle") == [(1, "b" * 64)]
    assert ask(target, "SELECT sum(watched_s) FROM exposure WHERE kind = 'no_helmet'") == [(3600.0,)]
    assert {path.stem for path in target.media.rglob("*.*")} == set(media)
    assert len(list((inbox / "done").iterdir())) == 2


def test_what_a_day_was_looked_at_in_two_halves_adds_up(target: Target, inbox: Path) -> None:
    morning, evening = bundles.recording("morning", 9), bundles.recording("evening", 18)
    bundles.make(inbox / "a.zip", recordings=[morning])
    bundles.make(inbox / "b.zip", recordings=[evening])
    put(target, inbox)
    assert ask(target, "SELECT count(*) FROM violation_info") == [(6,)]
    assert ask(target, "SELECT sum(watched_s) FROM watched_by_hour") == [(7200.0,)]
    # The evening, with a newer model and a recording more: the morning stays as it was.
    night = bundles.recording("night", 22)
    newer = ModelCard(name="newer", sha256="b" * 64)
    bundles.make(inbox / "c.zip", recordings=[evening, night], violations=[], model=newer)
    put(target, inbox)
    assert ask(target, "SELECT DISTINCT recording_sha256 FROM violation_info") == [(morning.sha256,)]
    assert ask(target, "SELECT sum(watched_s) FROM watched_by_hour") == [(3 * 3600.0,)]
    assert ask(target, "SELECT count(*) FROM violation_file") == [(3,)]


def test_a_recording_that_crosses_midnight_counts_on_both_days(target: Target, inbox: Path) -> None:
    late = bundles.recording("late", 23)
    tomorrow = bundles.DAY + timedelta(days=1)
    after = bundles.violation(
        0, late, started_at=bundles.at(0, 5, day=tomorrow), ended_at=bundles.at(0, 6, day=tomorrow)
    )
    after = replace(after, id="e" * 32)
    watched = bundles.exposure(late, hour=bundles.at(0, day=tomorrow), watched_s=600.0, looked_s=0.0)
    bundles.make(inbox / "a.zip", recordings=[late], violations=[bundles.violation(0, late)])
    bundles.make(inbox / "b.zip", recordings=[late], violations=[after], exposures=[watched], day=tomorrow)
    put(target, inbox)
    assert ask(target, "SELECT count(*) FROM violation_info") == [(2,)]
    bundles.make(inbox / "b.zip", recordings=[late], violations=[], exposures=[watched], day=tomorrow)
    put(target, inbox)
    assert ask(target, "SELECT id FROM violation_info") == [(bundles.violation(0, late).id,)]
    assert ask(target, "SELECT sum(watched_s) FROM watched_by_hour") == [(4200.0,)]


@pytest.mark.parametrize("corrected", ["clock", "camera"])
def test_a_recording_whose_clock_or_camera_was_corrected_leaves_nothing_behind(
    target: Target, inbox: Path, corrected: str
) -> None:
    source = bundles.recording()
    bundles.make(inbox / "a.zip", recordings=[source])
    put(target, inbox)
    if corrected == "clock":
        day = bundles.DAY + timedelta(days=40)
        bundles.make(inbox / "b.zip", recordings=[replace(source, start=bundles.at(15, day=day))], violations=[],
                     exposures=[], day=day)  # fmt: skip
    else:
        camera = replace(bundles.CAMERA, id="gate-4")
        bundles.make(inbox / "b.zip", recordings=[replace(source, camera_id="gate-4")], violations=[], exposures=[],
                     camera=camera)  # fmt: skip
    put(target, inbox)
    assert ask(target, "SELECT count(*) FROM violation_info") == [(0,)]
    assert ask(target, "SELECT count(*) FROM exposure") == [(0,)]
    assert ask(target, "SELECT count(*) FROM bundle") == [(1,)]
    assert list(target.media.rglob("*.*")) == []


def test_one_recording_in_two_cameras_folders_moves_and_never_counts_twice(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "a.zip")
    put(target, inbox)
    camera = replace(bundles.CAMERA, id="gate-4")
    bundles.make(inbox / "b.zip", camera=camera)
    put(target, inbox)
    assert ask(target, "SELECT DISTINCT camera_id FROM violation_info") == [("gate-4",)]
    assert ask(target, "SELECT sum(watched_s) FROM watched_by_hour") == [(3600.0,)]


def test_a_violation_id_of_another_recordings_is_refused(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "a.zip")
    put(target, inbox)
    before = content(target)
    other = bundles.recording("other", 9)
    stolen = bundles.violation(0, other, id=bundles.violation(0).id)
    bundles.make(inbox / "b.zip", recordings=[other], violations=[stolen])
    report = put(target, inbox)
    assert "already, from another bundle" in report.set_aside[0].reason
    assert content(target) == before


def test_a_withdrawn_picture_never_returns_whatever_the_model(target: Target, inbox: Path) -> None:
    source = bundles.recording()
    rows, media = bundles.pictured(bundles.violation(number, source) for number in (0, 60))
    bundles.make(inbox / "a.zip", recordings=[source], violations=rows, media=media)
    put(target, inbox)
    with opened(target.database) as connection:
        connection.execute(
            """INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, 'asked', now()
               FROM violation_info WHERE id = ?""",
            [rows[0].id],
        )
    # Another model sees it a second later, under another id, with another picture.
    again, media = bundles.pictured([bundles.violation(1, source), bundles.violation(60, source)], first=50)
    bundles.make(inbox / "b.zip", recordings=[source], violations=again, media=media,
                 model=ModelCard(name="newer", sha256="b" * 64))  # fmt: skip
    put(target, inbox)
    assert ask(target, "SELECT still_sha256, evidence_note FROM violation_info ORDER BY started_at") == [
        ("", "withdrawn"),
        (again[1].still_sha256, ""),
    ]
    assert {path.stem for path in target.media.rglob("*.*")} == {again[1].still_sha256, again[1].clip_sha256}


def test_retention_counts_from_the_first_ingest_of_a_recording(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "a.zip")
    put(target, inbox)
    bundles.make(inbox / "b.zip", model=ModelCard(name="newer", sha256="b" * 64))
    put(target, inbox, now=NOW + timedelta(days=20))
    assert ask(target, "SELECT epoch(first_seen_at)::BIGINT FROM violation_file") == [(int(NOW.timestamp()),)]


def test_of_two_bundles_of_a_camera_day_the_newer_file_wins(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "z.zip", violations=[])
    bundles.make(inbox / "a.zip")
    os.utime(inbox / "z.zip", ns=(1, 1))
    os.utime(inbox / "a.zip", ns=(2, 2))
    assert put(target, inbox).done == ["z.zip", "a.zip"]
    assert ask(target, "SELECT count(*) FROM violation_info") == [(3,)]


def test_a_bundle_of_the_same_name_as_one_that_is_done_keeps_both(target: Target, inbox: Path) -> None:
    for violations in ([], [bundles.violation()], [bundles.violation(), bundles.violation(1)]):
        bundles.make(inbox / "a.zip", violations=violations)
        put(target, inbox)
    found = sorted((inbox / "done").iterdir())
    assert len(found) == 3
    ids = set()
    for path in found:
        with read(path) as one:
            ids.add(one.manifest.id)
    assert len(ids) == 3


def test_a_picture_that_was_lost_comes_back_with_its_bundle(target: Target, tmp_path: Path) -> None:
    bundles.make(tmp_path / "a.zip")
    put(target, tmp_path / "a.zip")
    before = content(target)
    lost, cut = sorted(target.media.rglob("*.*"))[:2]
    lost.unlink()
    cut.write_bytes(b"")
    assert put(target, tmp_path / "a.zip").unchanged == ["a.zip"]
    assert content(target) == before


def test_a_second_ingest_of_one_board_leaves_at_once(target: Target, inbox: Path) -> None:
    bundles.make(inbox / "a.zip")
    with files.locked(target.lock, what="board"), pytest.raises(Locked) as caught:
        put(target, inbox)
    assert caught.value.exit_code == 75
    assert (inbox / "a.zip").exists()


def test_a_database_that_another_program_has_open_says_so(target: Target, inbox: Path) -> None:
    import subprocess
    import sys

    bundles.make(inbox / "a.zip")
    put(target, inbox)
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(target.database)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(Locked, match="another program has the database open"):
            put(target, inbox)
        other.communicate("")


def test_a_path_that_is_not_there_is_a_usage_error(target: Target, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        put(target, tmp_path / "nowhere")
