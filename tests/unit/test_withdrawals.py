"""What a withdrawal strikes in the database, how far it reaches, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quitboard.database import withdrawals
from quitboard.database.check import disagreements
from quitboard.database.connection import Connection, opened
from quitboard.detect.journal import Journal
from quitboard.ingest.load import Target, ingest
from quitboard.records import Withdrawal
from tests import bundles

NOW = datetime(2023, 5, 1, 3, tzinfo=UTC)
SOURCE = bundles.recording()
ASKED = bundles.violation(100, SOURCE)


def at(seconds: float, name: str, **changes: Any) -> Any:
    """A case of 2.5 s that begins so many seconds after ASKED does."""
    started = ASKED.started_at + timedelta(seconds=seconds)
    changes = {"started_at": started, "ended_at": started + timedelta(seconds=2.5), **changes}
    return bundles.violation(100, SOURCE, id=bundles.sha256(name)[:32], **changes)


NEAR = [at(6.5, "ends as the margin does"), at(-6.5, "begins so"), at(0, "another kind", kind="two_up")]
FAR = [at(6.6, "just after the margin"), at(-6.6, "just before it")]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    rows, media = bundles.pictured([ASKED, *NEAR, *FAR])
    shared = replace(at(300, "same still"), still_sha256=rows[0].still_sha256, clip_sha256=rows[-1].clip_sha256)
    bundles.make(tmp_path / "a.zip", recordings=[SOURCE], violations=[*rows, shared], media=media)
    ingest([tmp_path / "a.zip"], Target(database=tmp_path / "board.duckdb", media=tmp_path / "media"), now=NOW)
    with opened(tmp_path / "board.duckdb") as opened_:
        opened_.execute("INSERT INTO publication VALUES ('/srv/www', 'g1', now()), ('/srv/www', 'g2', now())")
        yield opened_


def pictures(connection: Connection) -> dict[str, tuple[str, str]]:
    rows = connection.execute("SELECT id, still_sha256, clip_sha256 FROM violation_info").fetchall()
    return {row[0]: row[1:] for row in rows}


def test_it_reaches_four_seconds_beyond_the_case_on_the_same_camera_and_no_further(connection: Connection) -> None:
    struck = withdrawals.would_strike(connection, [ASKED.id])
    assert {one.id: one.why for one in struck} == {
        ASKED.id: "asked",
        **{one.id: "same seconds" for one in NEAR},
        bundles.sha256("same still")[:32]: "same picture",
    }


def test_what_was_foretold_is_what_happens_and_the_rest_keeps_its_pictures(connection: Connection) -> None:
    before = pictures(connection)
    foretold = withdrawals.would_strike(connection, [ASKED.id])
    assert pictures(connection) == before
    assert withdrawals.withdraw(connection, [ASKED.id], reason="asked", now=NOW) == foretold
    after = pictures(connection)
    for one in FAR:
        assert after[one.id] == before[one.id] != ("", "")
    for one in (ASKED, *NEAR):
        assert after[one.id] == ("", "")
    shared = bundles.sha256("same still")[:32]
    assert after[shared] == ("", before[shared][1])
    assert disagreements(connection) == []
    names = {name for one in foretold for name in one.pictures}
    assert {f"{sha}.{kind}" for sha, kind in withdrawals.guard(connection).media.items()} == names


def test_all_of_several_are_withdrawn_or_none(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pictures(connection)

    def fails(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as patched:
        patched.setattr(withdrawals, "strike", fails)
        with pytest.raises(KeyError):
            withdrawals.withdraw(connection, [ASKED.id, FAR[0].id], reason="asked", now=NOW)
    assert pictures(connection) == before
    assert not withdrawals.guard(connection)
    assert withdrawals.due(connection) == {}


def test_it_is_due_at_the_board_and_at_every_target_until_somebody_looked(connection: Connection) -> None:
    withdrawals.withdraw(connection, [ASKED.id], reason="asked", now=NOW)
    assert withdrawals.due(connection) == {"": [ASKED.id], "/srv/www": [ASKED.id]}
    withdrawals.taken_back(connection, "/srv/www", [ASKED.id], now=NOW)
    withdrawals.withdraw(connection, [ASKED.id, FAR[0].id], reason="again", now=NOW)
    assert withdrawals.due(connection) == {"": sorted([ASKED.id, FAR[0].id]), "/srv/www": [FAR[0].id]}
    assert connection.execute("SELECT reason FROM withdrawal WHERE id = ?", [ASKED.id]).fetchall() == [("asked",)]


def test_those_hidden_with_it_have_a_tombstone_and_may_be_withdrawn_themselves(connection: Connection) -> None:
    withdrawals.withdraw(connection, [ASKED.id], reason="asked", now=NOW)
    _, hidden = withdrawals.of_withdrawals(connection, [ASKED.id])
    assert hidden == sorted(one.id for one in (ASKED, *NEAR))
    reached = withdrawals.withdraw(connection, [NEAR[0].id], reason="asked", now=NOW)
    assert FAR[0].id in {one.id for one in reached}


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        (ASKED.id[:8], [ASKED.id]),
        (ASKED.id[:31], [ASKED.id]),
        (ASKED.id + "0", [ASKED.id]),
        (ASKED.id[1] + ASKED.id[0] + ASKED.id[2:], [ASKED.id]),
        ("%" * 4, []),
        ("'; DROP TABLE violation_info; --", []),
        ("", []),
    ],
)
def test_an_unknown_id_is_told_with_the_nearest(connection: Connection, wrong: str, near: list[str]) -> None:
    assert withdrawals.unknown(connection, [wrong, ASKED.id]) == {wrong: near}


def test_a_withdrawal_that_a_bundle_tells_of_holds_like_one_s_own(connection: Connection) -> None:
    told = Withdrawal(
        id="1" * 32, camera_id="gate-3", started_at=ASKED.started_at, ended_at=ASKED.ended_at, withdrawn_at=NOW
    )
    gone = withdrawals.learn(connection, [told], now=NOW)
    assert pictures(connection)[ASKED.id] == ("", "")
    assert len(gone) == 2 * 4
    assert withdrawals.due(connection)["/srv/www"] == ["1" * 32]
    assert withdrawals.learn(connection, [told], now=NOW) == []


@pytest.mark.parametrize(
    ("camera", "from_s", "to_s", "holds"),
    [
        ("gate-3", 0, 1, True),
        ("gate-3", 6.5, 9, True),
        ("gate-3", 6.501, 9, False),
        ("gate-3", -9, -4, True),
        ("gate-3", -9, -4.001, False),
        ("gate-3", -1000, 1000, True),
        ("gate-4", 0, 1, False),
    ],
)
def test_the_guard_knows_what_it_holds_for(
    connection: Connection, camera: str, from_s: float, to_s: float, holds: bool
) -> None:
    withdrawals.withdraw(connection, [ASKED.id], reason="asked", now=NOW)
    guard = withdrawals.guard(connection)
    span = [ASKED.started_at + timedelta(seconds=seconds) for seconds in (from_s, to_s)]
    assert [one.id for one in guard.touching(camera, *span)] == ([ASKED.id] if holds else [])


def test_a_journal_forgets_pictures_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for name in ("a" * 64 + ".jpg", "a" * 64 + ".gif", "b" * 64 + ".jpg", "k.json"):
        journal.put(f"evidence/{name}", b"x")
    assert journal.forget(["a" * 64, "c" * 64]) == 2
    assert sorted(path.name for path in (tmp_path / "evidence").iterdir()) == ["b" * 64 + ".jpg", "k.json"]
