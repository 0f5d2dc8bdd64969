"""Rates over time, and what changed meanwhile: the numbers behind the drawings."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest

from quitboard.database.rows import ModelDay, Rate, Watched
from quitboard.site.data import Facts, SiteData
from quitboard.site.series import Change, What, changes, confounding, of_line, standing_hours, timeline

MONDAY = date(2026, 9, 7)


def facts(*, rates: list[Rate] | None = None, **others: Any) -> Facts:
    names = SiteData.__dataclass_fields__
    return Facts(SiteData(**{**dict.fromkeys(names, ()), "by_day": tuple(rates or ()), **others}))


def rate(days: int, violations: int, judged: int, *, camera: str = "gate", hours: float = 16.0) -> Rate:
    return Rate(
        kind="no_helmet", violations=violations, riders=judged, judged=judged, unclear=0, watched_hours=hours,
        per_rider=None, per_rider_low=None, per_rider_high=None, per_hour=None, per_hour_low=None, per_hour_high=None,
        camera_id=camera, day=MONDAY + timedelta(days=days),
    )  # fmt: skip


def watched(camera: str, *days: int) -> list[Watched]:
    return [
        Watched(
            watched_hours=16, looked_hours=3, persons=9, vehicles=9, riders=9, camera_id=camera,
            day=MONDAY + timedelta(days=day),
        )
        for day in days
    ]  # fmt: skip


def test_a_day_is_pooled_with_the_six_before_it() -> None:
    line = timeline(facts(rates=[rate(day, 1, 10) for day in range(10)]), "no_helmet")
    assert line is not None
    assert not line.weekly
    assert [bucket.pooled.base for bucket in line.buckets] == [10, 20, 30, 40, 50, 60, 70, 70, 70, 70]
    assert line.whole.base == 100
    assert line.watched_hours == 160


def test_days_on_which_nothing_was_judged_stay_empty_between_others() -> None:
    line = timeline(facts(rates=[rate(0, 2, 10), rate(4, 3, 10)]), "no_helmet")
    assert line is not None
    assert [bucket.share.base for bucket in line.buckets] == [10, 0, 0, 0, 10]
    assert [bucket.watched_hours for bucket in line.buckets] == [16, 0, 0, 0, 16]


def test_a_long_period_is_summed_by_weeks_that_begin_on_monday() -> None:
    line = timeline(facts(rates=[rate(day, 1, 10) for day in range(3, 140)]), "no_helmet")
    assert line is not None
    assert line.weekly
    assert line.buckets[0].start == MONDAY
    assert [line.buckets[n].share.base for n in (0, 1, 2)] == [40, 70, 70]
    assert line.buckets[5].pooled.base == 280
    assert sum(bucket.share.base for bucket in line.buckets) == line.whole.base == 1370


def test_every_place_has_the_same_days_so_that_they_can_be_laid_side_by_side() -> None:
    board = facts(rates=[rate(0, 1, 10), rate(9, 1, 10), rate(5, 1, 10, camera="river")])
    lines = [timeline(board, "no_helmet", camera) for camera in ("gate", "river")]
    assert lines[0] is not None
    assert [bucket.start for bucket in lines[0].buckets] == [MONDAY + timedelta(days=day) for day in range(10)]
    assert len({tuple(bucket.start for bucket in line.buckets) for line in lines if line}) == 1


def test_a_kind_that_nobody_was_judged_for_has_no_line() -> None:
    assert timeline(facts(rates=[rate(0, 0, 0)]), "no_helmet") is None
    assert timeline(facts(), "no_helmet") is None


@pytest.mark.parametrize(
    ("days", "later", "changed"),
    [(14, 30, True), (14, 10, False), (13, 30, False)],
    ids=["a rise beyond chance", "no difference", "too short to hold one week against another"],
)
def test_a_change_is_said_only_of_two_whole_stretches_that_differ_beyond_chance(
    days: int, later: int, changed: bool
) -> None:
    rates = [rate(day, 10 if day < 7 else later, 50) for day in range(days)]
    line = timeline(facts(rates=rates), "no_helmet")
    assert line is not None
    assert line.has_changed() is changed


def test_another_model_is_a_change_at_the_cameras_that_took_it_up_and_none_at_the_start() -> None:
    rows = [ModelDay("gate", MONDAY + timedelta(days=day), "a" if day < 3 else "b") for day in range(6)] + [
        ModelDay("river", MONDAY + timedelta(days=day), "b") for day in range(6)
    ]
    found = changes(facts(model_days=tuple(rows)).data)
    assert found == (Change(day=MONDAY + timedelta(days=3), what=What.MODEL, cameras=("gate",), model_sha256="b"),)


def test_a_model_that_comes_back_is_a_change_too() -> None:
    rows = [ModelDay("gate", MONDAY + timedelta(days=day), model) for day, model in enumerate("aabba")]
    assert [(change.day - MONDAY, change.model_sha256) for change in changes(facts(model_days=tuple(rows)).data)] == [
        (timedelta(days=2), "b"),
        (timedelta(days=4), "a"),
    ]


def test_a_camera_that_begins_later_or_stops_is_a_change_but_a_day_that_is_on_its_way_is_none() -> None:
    rows = [
        *watched("gate", *range(30)),
        *watched("late", *range(9, 30)),
        *watched("gone", *range(20)),
        *watched("slow", *range(29)),
    ]
    assert [
        (change.day - MONDAY, change.what, change.cameras) for change in changes(facts(watched_by_day=tuple(rows)).data)
    ] == [
        (timedelta(days=9), What.BEGINS, ("late",)),
        (timedelta(days=20), What.STOPS, ("gone",)),
    ]


def test_a_camera_that_began_late_is_held_against_its_own_first_week() -> None:
    rates = [rate(day, 5, 50) for day in range(40)]
    rates += [rate(day, 5 if day < 27 else 40, 50, camera="late") for day in range(20, 40)]
    board = facts(rates=rates)
    line = timeline(board, "no_helmet", "late")
    assert line is not None
    assert line.judged == (20, 39)
    assert (line.first.count, line.first.base) == (35, 350)
    assert (line.last.count, line.last.base) == (280, 350)
    assert line.has_changed()


def test_that_a_camera_began_explains_a_difference_of_all_places_but_none_of_its_own() -> None:
    rates = [
        rate(day, 5, 50, camera=camera)
        for day in range(40)
        for camera in ("gate", "late")
        if camera == "gate" or day > 9
    ]
    board = facts(rates=rates)
    several = (
        Change(day=MONDAY + timedelta(days=10), what=What.BEGINS, cameras=("late",)),
        Change(day=MONDAY + timedelta(days=20), what=What.MODEL, cameras=("late",), model_sha256="b"),
    )
    lines = {camera: timeline(board, "no_helmet", camera) for camera in ("gate", "late", None)}
    told = {camera: [change.what for change in confounding(several, line)] for camera, line in lines.items() if line}
    assert told == {"gate": [], "late": [What.MODEL], None: [What.BEGINS, What.MODEL]}


def test_what_changed_elsewhere_does_not_mark_a_place() -> None:
    rates = [rate(day, 1, 10, camera=camera) for day in range(20) for camera in ("gate", "river")]
    board = facts(rates=rates)
    several = (
        Change(day=MONDAY + timedelta(days=4), what=What.BEGINS, cameras=("river",)),
        Change(day=MONDAY, what=What.MODEL, cameras=("gate",), model_sha256="b"),
    )
    lines = {camera: timeline(board, "no_helmet", camera) for camera in ("gate", "river", None)}
    assert {camera: len(of_line(several, line)) for camera, line in lines.items() if line} == {
        "gate": 0, "river": 1, None: 1,
    }  # fmt: skip


def by_hour(shares: dict[int, tuple[int, int]]) -> list[Rate]:
    return [
        dataclasses.replace(rate(0, count, base), day=None, weekday=weekday, hour=hour)
        for hour, (count, base) in shares.items()
        for weekday in (1, 2)
    ]


def test_neighbouring_hours_that_all_stand_out_are_told_as_one_span_against_the_rest() -> None:
    rows = by_hour({7: (20, 100), 12: (22, 100), 18: (60, 100), 19: (55, 100), 20: (58, 100), 21: (20, 100)})
    span = standing_hours(facts(by_hour=tuple(rows)), "no_helmet")
    assert span is not None
    assert (span.first, span.last) == (18, 20)
    assert (span.share.count, span.share.base) == (346, 600)
    assert (span.rest.count, span.rest.base) == (124, 600)


def test_an_hour_that_stands_out_alone_is_a_span_of_one() -> None:
    rows = by_hour({7: (20, 100), 8: (80, 100), 9: (21, 100), 10: (20, 100)})
    span = standing_hours(facts(by_hour=tuple(rows)), "no_helmet")
    assert span is not None
    assert (span.first, span.last) == (8, 8)


def test_hours_that_differ_only_by_chance_are_not_told() -> None:
    rows = by_hour({7: (20, 100), 8: (24, 100), 9: (22, 100)})
    assert standing_hours(facts(by_hour=tuple(rows)), "no_helmet") is None
