"""Denominators: seconds counted once, riders in the hour in which they began, hours through daylight saving."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.exposure import Footage, exposures_of
from quitboard.detect.rules import Finding, Outcome
from quitboard.detect.spans import union, without
from quitboard.records import Camera, Exposure, Role
from tests.unit.street_boxes import person, scooter, straight

SEOUL = Camera(id="gate", name="Gate", timezone="Asia/Seoul")
HOUR_US = 3_600_000_000


def us(text: str) -> int:
    return (datetime.fromisoformat(text).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def footage(name: str, start: str, seconds: float, looked_s: float | None = None) -> Footage:
    begin = us(start)
    looked = seconds if looked_s is None else looked_s
    return Footage(
        recording_sha256=name,
        watched=((begin, begin + round(seconds * 1e6)),),
        looked=((begin, begin + round(looked * 1e6)),),
    )


def finding(start: str, outcome: Outcome = Outcome.BREACH, kind: str = "no_helmet") -> Finding:
    begin = us(start)
    return Finding(
        kind=kind,
        outcome=outcome,
        vehicle=scooter(1, straight(0, 0, 1), [begin]),
        riders=(),
        from_us=begin,
        to_us=begin + 20_000_000,
        best_us=begin,
        confidence=0.9,
        votes_for=3,
        votes_against=0,
    )


def counted(
    *recordings: Footage,
    findings: Sequence[Finding] = (),
    camera: Camera = SEOUL,
    kinds: tuple[str, ...] = ("no_helmet",),
) -> list[Exposure]:
    return exposures_of(camera, kinds, recordings, tracks=(), findings=findings)


def test_a_recording_over_two_hours_gives_each_its_seconds() -> None:
    made = counted(footage("a", "2023-04-23T15:59:30+09:00", 90, looked_s=45))
    assert [(one.hour.isoformat(), one.watched_s, one.looked_s) for one in made] == [
        ("2023-04-23T15:00:00+09:00", 30.0, 30.0),
        ("2023-04-23T16:00:00+09:00", 60.0, 15.0),
    ]


def test_a_rider_over_the_hour_counts_in_the_hour_of_his_start() -> None:
    made = counted(footage("a", "2023-04-23T15:59:00+09:00", 120), findings=[finding("2023-04-23T15:59:50+09:00")])
    assert [one.riders for one in made] == [1, 0]


def test_an_unclear_rider_is_seen_but_not_judged() -> None:
    at = "2023-04-23T15:00:10+09:00"
    found = [finding(at, outcome) for outcome in (Outcome.BREACH, Outcome.NONE, Outcome.NONE, Outcome.UNCLEAR)]
    (one,) = counted(footage("a", "2023-04-23T15:00:00+09:00", 60), findings=found)
    assert (one.riders, one.judged, one.unclear) == (4, 3, 1)


def test_what_two_recordings_share_counts_once_and_for_the_first() -> None:
    made = counted(
        footage("b", "2023-04-23T15:00:30+09:00", 60),
        footage("a", "2023-04-23T15:00:00+09:00", 60),
    )
    assert {one.recording_sha256: one.watched_s for one in made} == {"a": 60.0, "b": 30.0}


def test_a_rider_belongs_to_the_recording_he_began_in() -> None:
    made = counted(
        footage("a", "2023-04-23T15:00:00+09:00", 60),
        footage("b", "2023-04-23T15:01:00+09:00", 60),
        findings=[finding("2023-04-23T15:00:59+09:00"), finding("2023-04-23T15:01:00+09:00")],
    )
    assert {one.recording_sha256: one.riders for one in made} == {"a": 1, "b": 1}


def test_each_kind_has_its_own_row_and_an_hour_without_riders_is_there() -> None:
    made = counted(
        footage("a", "2023-04-23T15:00:00+09:00", 60),
        kinds=("no_helmet", "two_up"),
        findings=[finding("2023-04-23T15:00:01+09:00", kind="two_up")],
    )
    assert [(one.kind, one.riders) for one in made] == [("no_helmet", 0), ("two_up", 1)]


def test_an_hour_that_daylight_saving_repeats_is_two_hours() -> None:
    camera = Camera(id="gate", name="Gate", timezone="Europe/Berlin")
    made = counted(footage("a", "2023-10-29T02:30:00+02:00", 7200), camera=camera)
    assert [(one.hour.isoformat(), one.watched_s) for one in made] == [
        ("2023-10-29T02:00:00+02:00", 1800.0),
        ("2023-10-29T02:00:00+01:00", 3600.0),
        ("2023-10-29T03:00:00+01:00", 1800.0),
    ]


def test_an_hour_that_daylight_saving_skips_is_none() -> None:
    camera = Camera(id="gate", name="Gate", timezone="Europe/Berlin")
    made = counted(footage("a", "2023-03-26T01:30:00+01:00", 3600), camera=camera)
    assert [one.hour.isoformat() for one in made] == ["2023-03-26T01:00:00+01:00", "2023-03-26T03:00:00+02:00"]


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
def test_odd_offsets_lose_no_second(timezone: str) -> None:
    camera = Camera(id="gate", name="Gate", timezone=timezone)
    made = counted(footage("a", "2023-04-01T00:07:00+00:00", 86_400), camera=camera)
    assert sum(one.watched_s for one in made) == 86_400
    assert len({one.hour for one in made if one.hour.minute == 0}) >= 24


def test_persons_and_vehicles_count_where_they_were_first_seen() -> None:
    begin = us("2023-04-23T15:59:59+09:00")
    tracks = [
        person(1, straight(0, 0, 1), [begin, begin + 5_000_000]),
        scooter(2, straight(0, 0, 1), [begin + 5_000_000]),
        scooter(3, straight(0, 0, 1), [begin + 6_000_000], role=Role.BICYCLE),
    ]
    made = exposures_of(
        SEOUL, ("no_helmet",), [footage("a", "2023-04-23T15:59:00+09:00", 120)], tracks=tracks, findings=()
    )
    assert [(one.persons, one.vehicles) for one in made] == [(1, 0), (0, 2)]


spans = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


@given(spans, spans)
def test_spans_are_sets_of_instants(one: list, other: list) -> None:
    def points(parts: list) -> set[int]:
        return {at for start, end in parts for at in range(start, end)}

    assert points(union(one)) == points(one)
    assert points(without(one, other)) == points(one) - points(other)
    joined = union(one)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))
