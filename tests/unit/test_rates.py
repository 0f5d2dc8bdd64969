"""Rates: intervals agree with the textbooks, and no denominator is counted twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest, chi2

from quitboard.database.board import Board, Publishing
from quitboard.database.connection import Connection, opened

NOW = datetime(2023, 6, 1, tzinfo=UTC)
MONDAY = datetime(2023, 4, 24)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with opened(tmp_path / "board.duckdb") as connection:
        connection.execute(
            """INSERT INTO bundle VALUES ('b', 'quitboard-bundle', 'gate', '2023-04-24', '', '', '', '{}', now()),
                                         ('old', 'legacy', 'gate', NULL, '', '', '', '{}', now())"""
        )
        connection.execute("INSERT INTO cctv VALUES ('gate', 'Gate', 'Campus', 'secret', '', 'UTC', NULL, NULL, '[]')")
        yield connection


def watch(
    connection: Connection, local: datetime, kind: str, *, judged: int = 0, unclear: int = 0, recording: str = "r",
    camera: str = "gate", watched_s: float = 3600.0,
) -> None:  # fmt: skip
    connection.execute(
        "INSERT INTO exposure VALUES ('b', ?, ?, ?::TIMESTAMP AT TIME ZONE 'UTC', ?, ?, ?, 60, ?, ?, ?, 100, 50)",
        [recording, camera, local, local, kind, watched_s, judged + unclear, judged, unclear],
    )


def find(connection: Connection, local: datetime, kind: str, *, number: int = 1, bundle: str = "b") -> list[str]:
    ids = []
    for count in range(number):
        ids.append(f"{local.isoformat()} {kind} {bundle} {count}")
        connection.execute(
            """INSERT INTO violation_info VALUES (?, ?, 'r', ?, 'gate', 'scooter', ?::TIMESTAMP AT TIME ZONE 'UTC',
                   ?::TIMESTAMP AT TIME ZONE 'UTC', ?, 1, 0.9, 5, 0, '', '', '', '', NULL, NULL)""",
            [ids[-1], bundle, kind, local, local + timedelta(seconds=2), local],
        )
    return ids


def board(connection: Connection, **policy: Any) -> Board:
    connection.execute("DROP TABLE IF EXISTS published")
    return Board(connection, Publishing(as_of=NOW, **policy))


@pytest.mark.parametrize("n", [1, 2, 5, 17, 100, 2_345, 1_000_000])
def test_wilsons_interval_is_that_of_scipy(connection: Connection, n: int) -> None:
    for k in sorted({0, 1, n // 7, n // 2, n - 1, n}):
        expected = binomtest(k, n).proportion_ci(0.95, "wilson")
        found = connection.execute("SELECT wilson_low(?, ?), wilson_high(?, ?)", [k, n, k, n]).fetchone()
        assert found == pytest.approx((expected.low, expected.high), abs=1e-9)
        assert 0 <= found[0] <= k / n <= found[1] <= 1


def test_there_is_no_interval_without_riders_nor_with_more_violations_than_riders(connection: Connection) -> None:
    assert connection.execute("SELECT wilson_low(0, 0), wilson_high(3, 2)").fetchone() == (None, None)


def test_poissons_interval_is_exact_up_to_fifty_and_close_above(connection: Connection) -> None:
    for k in [*range(51), 51, 60, 100, 1000, 100_000]:
        low = 0.0 if k == 0 else chi2.ppf(0.025, 2 * k) / 2
        high = chi2.ppf(0.975, 2 * k + 2) / 2
        found = connection.execute("SELECT poisson_low(?), poisson_high(?)", [k, k]).fetchone()
        assert found == pytest.approx((low, high), rel=1e-9 if k <= 50 else 1e-4)


def test_a_rate_divides_by_riders_judged_and_by_hours_watched(connection: Connection) -> None:
    watch(connection, MONDAY.replace(hour=8), "no_helmet", judged=10, unclear=3)
    watch(connection, MONDAY.replace(hour=9), "no_helmet", judged=30, watched_s=1800)
    find(connection, MONDAY.replace(hour=8, minute=30), "no_helmet", number=4)
    find(connection, MONDAY.replace(hour=9, minute=10), "no_helmet", number=6)
    (rate,) = board(connection).rates()
    assert (rate.kind, rate.violations, rate.riders, rate.judged, rate.unclear) == ("no_helmet", 10, 43, 40, 3)
    assert rate.watched_hours == 1.5
    expected = binomtest(10, 40).proportion_ci(0.95, "wilson")
    assert (rate.per_rider, rate.per_rider_low, rate.per_rider_high) == pytest.approx(
        (0.25, expected.low, expected.high)
    )
    assert rate.per_hour == pytest.approx(10 / 1.5)
    assert rate.per_hour_high == pytest.approx(chi2.ppf(0.975, 22) / 2 / 1.5)


def test_hours_are_not_counted_once_for_each_rule(connection: Connection) -> None:
    for kind in ("no_helmet", "two_up", "sidewalk"):
        watch(connection, MONDAY.replace(hour=8), kind, judged=10, watched_s=1800)
        watch(connection, MONDAY.replace(hour=8), kind, judged=5, recording="s", watched_s=900)
    asked = board(connection)
    assert [rate.watched_hours for rate in asked.rates()] == [0.75] * 3
    assert [rate.judged for rate in asked.rates()] == [15] * 3
    (watched,) = asked.watched()
    assert (watched.watched_hours, watched.persons, watched.riders) == (0.75, 200, 15)


def test_an_hour_with_riders_and_no_violation_is_in_the_denominator(connection: Connection) -> None:
    watch(connection, MONDAY.replace(hour=8), "no_helmet", judged=10)
    watch(connection, MONDAY.replace(hour=9), "no_helmet", judged=10)
    find(connection, MONDAY.replace(hour=9), "no_helmet")
    found = {rate.hour: (rate.violations, rate.per_rider) for rate in board(connection).rates(["weekday", "hour"])}
    assert found == {8: (0, 0.0), 9: (1, 0.1)}


def test_a_rejected_violation_leaves_the_numerator_and_the_rider_stays(connection: Connection) -> None:
    watch(connection, MONDAY.replace(hour=8), "no_helmet", judged=10)
    ids = find(connection, MONDAY.replace(hour=8), "no_helmet", number=2)
    judge(connection, ids[0], "rejected", 1)
    (rate,) = board(connection).rates()
    assert (rate.violations, rate.judged) == (1, 10)
    judge(connection, ids[0], "confirmed", 2)
    assert board(connection).rates()[0].violations == 2
    judge(connection, ids[0], "unclear", 3)
    assert board(connection).rates()[0].violations == 2


def judge(connection: Connection, violation_id: str, verdict: str, order: int, *, shown_as: str = "") -> None:
    connection.execute(
        """INSERT INTO verdict SELECT ?, camera_id, kind, started_at, ended_at, ?, 'kim', '', ?::TIMESTAMPTZ
           FROM violation_info WHERE id = ?""",
        [shown_as or violation_id, verdict, (NOW + timedelta(seconds=order)).isoformat(), violation_id],
    )


def test_a_verdict_holds_when_a_newer_model_gives_another_id(connection: Connection) -> None:
    (found,) = find(connection, MONDAY.replace(hour=8), "no_helmet")
    judge(connection, found, "rejected", 1, shown_as="the id under the older model")
    assert connection.execute("FROM violation_verdict").fetchall() == [(found, "rejected")]


def test_of_two_riders_at_one_moment_a_verdict_concerns_the_one_it_names(connection: Connection) -> None:
    first, second = find(connection, MONDAY.replace(hour=8), "no_helmet", number=2)
    judge(connection, second, "rejected", 1)
    assert connection.execute("SELECT id FROM violation_counted").fetchall() == [(first,)]


def test_the_first_quitboards_violations_are_counted_and_in_no_rate(connection: Connection) -> None:
    watch(connection, MONDAY.replace(hour=8), "no_helmet", judged=10)
    find(connection, MONDAY.replace(hour=8), "no_helmet", number=7, bundle="old")
    asked = board(connection)
    assert asked.rates()[0].violations == 0
    assert asked.counted_without_exposure() == 7
    assert [(count.value, count.violations) for count in asked.counts("kind")] == [("no_helmet", 7)]


def test_nothing_watched_gives_no_rate_rather_than_zero(connection: Connection) -> None:
    watch(connection, MONDAY.replace(hour=8), "no_helmet", judged=0, watched_s=0)
    (rate,) = board(connection).rates()
    assert (rate.per_rider, rate.per_hour, rate.per_hour_high) == (None, None, None)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ((), [{}]),
        (("weekday",), [{"weekday": 1}, {"weekday": 7}]),
        (("hour",), [{"hour": 0}, {"hour": 23}]),
        (("day",), [{"day": date(2023, 4, 24)}, {"day": date(2023, 4, 30)}]),
        (("week",), [{"week": date(2023, 4, 24)}]),
        (("month",), [{"month": "2023-04"}]),
        (("camera_id", "hour"), [{"camera_id": "gate", "hour": 0}, {"camera_id": "gate", "hour": 23}]),
    ],
)
def test_rates_are_grouped_by_the_cameras_own_clock(
    connection: Connection, by: tuple[str, ...], expected: list[dict[str, Any]]
) -> None:
    watch(connection, MONDAY, "no_helmet", judged=5)
    watch(connection, MONDAY + timedelta(days=6, hours=23), "no_helmet", judged=5)
    found = board(connection).rates(by)
    assert [{name: getattr(rate, name) for name in by} for rate in found] == expected
    assert sum(rate.judged for rate in found) == 10


def test_the_views_say_the_same_as_the_page(connection: Connection) -> None:
    for hour in (8, 9, 20):
        watch(connection, MONDAY.replace(hour=hour), "no_helmet", judged=10 + hour)
        watch(connection, MONDAY.replace(hour=hour), "two_up", judged=10 + hour)
        find(connection, MONDAY.replace(hour=hour), "no_helmet", number=hour % 7)
    asked = board(connection)
    for view, by in (
        ("rates_by_kind", ()),
        ("rates_by_camera", ("camera_id",)),
        ("rates_by_hour", ("camera_id", "weekday", "hour")),
        ("rates_by_day", ("camera_id", "day")),
    ):
        columns = [*by, "kind", "violations", "judged", "watched_hours", "per_rider_low", "per_hour_high"]
        viewed = connection.execute(f"SELECT {', '.join(columns)} FROM {view} ORDER BY ALL").fetchall()
        told = sorted(tuple(getattr(rate, name) for name in columns) for rate in asked.rates(by))
        assert len(viewed) == len(told) > 0
        for seen, said in zip(viewed, told, strict=True):
            for left, right in zip(seen, said, strict=True):
                assert left == right or math.isclose(left, right)
