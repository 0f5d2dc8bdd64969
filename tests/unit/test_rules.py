"""What breaks a rule and what only looks like it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from quitboard.catalogue import DETECTABLE_KINDS, load_catalogue
from quitboard.detect.company import Company
from quitboard.detect.rules import RULES, Finding, Outcome, run_rules
from quitboard.detect.rules.finding import Vote, tally
from quitboard.detect.scene import read_scene
from quitboard.detect.tracks_table import tracks_from_table, tracks_to_table
from quitboard.records import Camera, Role, Track, Zone, ZoneKind
from quitboard.settings import RuleSettings
from tests.unit.street_boxes import (
    HEIGHT,
    WIDTH,
    Place,
    beside,
    camera,
    company_of_track,
    head_box,
    heads,
    heads_of_track,
    person,
    person_box,
    ridden,
    rule,
    scene,
    scooter,
    scooter_box,
    straight,
    times,
    track,
    zone,
)

NOW = times(0, 3)
RIDING = straight(200, 500, 4.0)
SETTINGS = RuleSettings()


def judged(
    kind: str, tracks: Sequence[Track], sightings: Sequence[tuple] = (), *zones: Zone, settings: RuleSettings = SETTINGS
) -> list[Finding]:
    of = camera(*zones)
    return RULES[kind](scene(tracks, sightings, of=of), of, rule(kind), settings)


def outcomes(kind: str, tracks: Sequence[Track], sightings: Sequence[tuple] = (), *zones: Zone) -> list[str]:
    return [finding.outcome.value for finding in judged(kind, tracks, sightings, *zones)]


def test_every_detectable_kind_has_a_rule_and_no_other() -> None:
    assert tuple(RULES) == DETECTABLE_KINDS


# --- votes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log_odds", "outcome"),
    [
        ([], Outcome.UNCLEAR),
        ([2.0], Outcome.UNCLEAR),
        ([2.0, 2.0], Outcome.UNCLEAR),
        ([2.0, 2.0, 2.0], Outcome.BREACH),
        ([-2.0, -2.0, -2.0], Outcome.NONE),
        ([2.0, -2.0] * 5, Outcome.UNCLEAR),
        ([2.0] * 9 + [-2.0], Outcome.BREACH),
        ([-2.0] * 9 + [2.0], Outcome.NONE),
        ([0.1] * 4, Outcome.UNCLEAR),
        ([1000.0, -1.0, -1.0, -1.0, -1.0], Outcome.UNCLEAR),
        ([1000.0, -3.0, -3.0, -3.0, -3.0], Outcome.NONE),
    ],
)
def test_votes_add_up(log_odds: list[float], outcome: Outcome) -> None:
    votes = [Vote(at_us=n, log_odds=value, clarity=1.0) for n, value in enumerate(log_odds)]
    assert tally(votes, SETTINGS, from_us=0).outcome is outcome


def test_the_picture_is_of_the_clearest_frame_that_shows_the_breach() -> None:
    votes = [
        Vote(at_us=1, log_odds=1.0, clarity=0.3),
        Vote(at_us=2, log_odds=1.0, clarity=0.9),
        Vote(at_us=3, log_odds=-1.0, clarity=5.0),
    ]
    assert tally(votes, SETTINGS, from_us=0).best_us == 2


def test_without_votes_the_picture_is_of_the_beginning() -> None:
    assert tally([], SETTINGS, from_us=77).best_us == 77


# --- helmets ------------------------------------------------------------------------------------------------------


def test_riding_bareheaded_is_a_breach() -> None:
    tracks = ridden(1, RIDING, NOW)
    (finding,) = judged("no_helmet", tracks, heads_of_track(tracks[0], bare=True))
    assert finding.is_breach
    assert (finding.votes_for, finding.votes_against) == (len(NOW), 0)
    assert finding.confidence > 0.99
    assert (finding.from_us, finding.to_us) == (0, 3_000_000)


def test_riding_with_a_helmet_is_none() -> None:
    tracks = ridden(1, RIDING, NOW)
    assert outcomes("no_helmet", tracks, heads_of_track(tracks[0], bare=False)) == ["none"]


@pytest.mark.parametrize(
    ("bare", "outcome"),
    [
        ([True, *[False] * 15], "none"),
        ([False, *[True] * 15], "breach"),
        ([True, *[None] * 15], "unclear"),
        ([True, True, *[None] * 14], "unclear"),
        ([True, True, True, *[None] * 13], "breach"),
        ([True, None, True, None, None, *[True] * 3, *[None] * 8], "breach"),
        ([True, False] * 8, "unclear"),
        ([None] * 16, "unclear"),
    ],
)
def test_one_wrong_frame_makes_nothing_and_one_hidden_frame_hides_nothing(
    bare: list[bool | None], outcome: str
) -> None:
    tracks = ridden(1, RIDING, NOW)
    assert outcomes("no_helmet", tracks, heads_of_track(tracks[0], bare=bare)) == [outcome]


def test_a_head_too_small_to_judge_is_not_judged() -> None:
    place = straight(200, 500, 4.0, tall=40)
    tracks = [person(1, beside(place, -2, -2), NOW, tall=40), scooter(2, place, NOW, tall=40)]
    assert outcomes("no_helmet", tracks, heads_of_track(tracks[0], bare=True)) == ["unclear"]


def test_a_bareheaded_pedestrian_breaches_nothing() -> None:
    walker = person(1, straight(200, 500, 1.4), NOW)
    assert outcomes("no_helmet", [walker], heads_of_track(walker, bare=True)) == []


def test_a_bareheaded_cyclist_is_no_matter_of_a_rule_on_scooters() -> None:
    tracks = ridden(1, RIDING, NOW, role=Role.BICYCLE)
    sightings = heads_of_track(tracks[0], bare=True)
    assert outcomes("no_helmet", tracks, sightings) == []
    seen = scene(tracks, sightings)
    (finding,) = RULES["bicycle_no_helmet"](seen, camera(), rule("bicycle_no_helmet", Role.BICYCLE), SETTINGS)
    assert finding.is_breach
    assert finding.kind == "bicycle_no_helmet"


def judged_apart(track: Track, helmet: float, none: float, *, detector_says_bare: bool = False) -> list[tuple]:
    """The heads of a track as the detector classes them, with what the judge of heads says of each."""
    return [(*head, (helmet, none)) for head in heads_of_track(track, bare=detector_says_bare)]


@pytest.mark.parametrize(
    ("helmet", "none", "outcome"),
    [
        (0.05, 0.93, "breach"),
        (0.93, 0.05, "none"),
        (0.45, 0.5, "unclear"),
        (0.01, 0.2, "unclear"),
        (0.0, 0.0, "unclear"),
    ],
    ids=["bare", "helmet", "either", "mostly unclear", "no head at all"],
)
def test_where_heads_are_judged_apart_the_judge_has_the_last_word(helmet: float, none: float, outcome: str) -> None:
    tracks = ridden(1, RIDING, NOW)
    for says_bare in (True, False):
        sightings = judged_apart(tracks[0], helmet, none, detector_says_bare=says_bare)
        assert outcomes("no_helmet", tracks, sightings) == [outcome]


def test_many_frames_of_one_head_are_few_looks_at_it() -> None:
    """What is doubtful in one frame does not become certain by being filmed for long."""
    tracks = ridden(1, RIDING, NOW)
    (finding,) = judged("no_helmet", tracks, judged_apart(tracks[0], 0.25, 0.7))
    assert 0.75 < finding.confidence < 0.92


def test_a_head_that_is_judged_unclear_still_is_company() -> None:
    tracks = ridden(1, RIDING, NOW)
    both = [(*head, (0.1, 0.2)) for at in (0.15, 0.85) for head in heads_of_track(tracks[0], bare=True, at=at)]
    assert outcomes("two_up", tracks, both) == ["breach"]
    assert outcomes("no_helmet", tracks, both) == ["unclear"]


# --- more than one --------------------------------------------------------------------------------------------------


def two_on_one(bare: tuple[bool, bool] = (True, True)) -> tuple[list[Track], list[tuple]]:
    """Passenger 1 behind, driver 2 in front, bareheaded as said."""
    tracks = [
        person(1, beside(RIDING, -30, -10), NOW),
        person(2, beside(RIDING, 15, -10), NOW),
        scooter(3, RIDING, NOW),
    ]
    return tracks, [*heads_of_track(tracks[0], bare=bare[1]), *heads_of_track(tracks[1], bare=bare[0])]


def test_two_on_one_scooter_is_a_breach() -> None:
    assert outcomes("two_up", *two_on_one()) == ["breach"]


def test_one_on_a_scooter_is_none() -> None:
    tracks = ridden(1, RIDING, NOW)
    assert outcomes("two_up", tracks, heads_of_track(tracks[0], bare=True)) == ["none"]


def test_two_heads_in_one_persons_box_are_two_riders() -> None:
    tracks = ridden(1, RIDING, NOW)
    both = [*heads_of_track(tracks[0], bare=True, at=0.15), *heads_of_track(tracks[0], bare=False, at=0.85)]
    assert outcomes("two_up", tracks, both) == ["breach"]


def test_a_head_passing_behind_a_rider_makes_no_second_rider() -> None:
    tracks = ridden(1, RIDING, NOW)
    passing = heads_of_track(tracks[0], bare=[None] * 5 + [True] * 3 + [None] * 8, at=0.9)
    assert outcomes("two_up", tracks, [*heads_of_track(tracks[0], bare=True, at=0.2), *passing]) == ["none"]


def test_a_passenger_hidden_half_of_the_time_is_still_there() -> None:
    tracks, sightings = two_on_one()
    half = [row for row in sightings if row[0] % 400_000 == 0]
    passenger = person(1, beside(RIDING, -30, -10), NOW[::2])
    assert outcomes("two_up", [passenger, *tracks[1:]], half) == ["breach"]


def _front_and_back(both_in_every: int) -> tuple[list[Track], list[tuple]]:
    """One person box with a head in front in some frames and one behind, the passenger's, in all of them."""
    tracks = ridden(1, RIDING, NOW)
    driver = tracks[0]
    front = [True if number % both_in_every == 0 else None for number in range(len(driver))]
    return tracks, [*heads_of_track(driver, bare=True, at=0.1), *heads_of_track(driver, bare=front, at=0.9)]


def test_a_driver_whose_head_is_hidden_half_of_the_time_does_not_hide_his_company() -> None:
    tracks, both = _front_and_back(2)
    assert outcomes("two_up", tracks, both) == ["breach"]


def test_a_second_head_seen_in_one_frame_of_ten_makes_no_company() -> None:
    tracks, seldom = _front_and_back(10)
    assert outcomes("two_up", tracks, seldom) != ["breach"]


@pytest.mark.parametrize(
    ("driver", "passenger", "no_helmet", "passenger_no_helmet"),
    [
        (True, True, "breach", "breach"),
        (False, True, "none", "breach"),
        (True, False, "breach", "none"),
        (False, False, "none", "none"),
    ],
)
def test_driver_and_passenger_answer_each_for_his_own_head(
    driver: bool, passenger: bool, no_helmet: str, passenger_no_helmet: str
) -> None:
    tracks, sightings = two_on_one((driver, passenger))
    assert outcomes("no_helmet", tracks, sightings) == [no_helmet]
    assert outcomes("passenger_no_helmet", tracks, sightings) == [passenger_no_helmet]


def test_who_rides_alone_has_no_passenger_to_judge() -> None:
    tracks = ridden(1, RIDING, NOW)
    assert outcomes("passenger_no_helmet", tracks, heads_of_track(tracks[0], bare=True)) == []


@pytest.mark.parametrize(("front", "behind"), [(True, False), (False, True)])
def test_of_two_heads_in_one_box_the_one_in_front_drives(front: bool, behind: bool) -> None:
    """Also where only one of the two is seen now and then."""
    tracks = ridden(1, RIDING, NOW)
    ahead = heads_of_track(tracks[0], bare=[front] * 11 + [None] * 5, at=0.85)
    after = heads_of_track(tracks[0], bare=[None] * 3 + [behind] * 13, at=0.15)
    answer = {True: "breach", False: "none"}
    assert outcomes("no_helmet", tracks, [*ahead, *after]) == [answer[front]]
    assert outcomes("passenger_no_helmet", tracks, [*ahead, *after]) == [answer[behind]]


# --- company that was judged ----------------------------------------------------------------------------------------

COMPANY = [0.9, 0.85, 0.6, 0.95] * 4
ALONE = [0.05, 0.1, 0.3, 0.04] * 4


def said(kind: str, tracks: Sequence[Track], sightings: Sequence[tuple], more: Sequence[float | None]) -> list[str]:
    seen = scene(tracks, sightings, company=company_of_track(tracks[0], more))
    return [one.outcome.value for one in RULES[kind](seen, camera(), rule(kind), SETTINGS)]


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        (COMPANY, "breach"),
        (ALONE, "none"),
        ([0.5] * 16, "unclear"),
        ([0.9, 0.05] * 8, "unclear"),
        ([*COMPANY[:8], *[None] * 8], "breach"),
    ],
)
def test_two_ride_where_the_judge_of_company_says_so_whatever_heads_are_seen(
    more: list[float | None], outcome: str
) -> None:
    tracks = ridden(1, RIDING, NOW)
    one_head = heads_of_track(tracks[0], bare=True)
    two_heads = [*heads_of_track(tracks[0], bare=True, at=0.15), *heads_of_track(tracks[0], bare=True, at=0.85)]
    assert said("two_up", tracks, one_head, more) == [outcome]
    assert said("two_up", tracks, two_heads, more) == [outcome]


def test_where_company_was_judged_in_too_few_frames_heads_are_counted() -> None:
    tracks = ridden(1, RIDING, NOW)
    few = [0.99, 0.99, *[None] * 14]
    assert said("two_up", tracks, heads_of_track(tracks[0], bare=True), few) == ["none"]


def going(rate: float) -> list[Track]:
    """A rider and his scooter who get larger or smaller by a rate a second."""
    tall = [170.0 * (1 + rate * now / 1e6) for now in NOW]
    places = [RIDING(now / 1e6) for now in NOW]
    boxes = [person_box(x - 8, y - 10, size) for (x, y), size in zip(places, tall, strict=True)]
    wheels = [scooter_box(x, y, size) for (x, y), size in zip(places, tall, strict=True)]
    return [track(1, Role.PERSON, boxes, NOW), track(2, Role.SCOOTER, wheels, NOW)]


@pytest.mark.parametrize(
    ("rate", "driver", "passenger"),
    [(-0.15, "unclear", "breach"), (0.25, "unclear", "unclear")],
    ids=["ride away", "come nearer"],
)
def test_the_one_head_seen_of_two_is_told_as_nobodys_or_of_who_sits_nearer(
    rate: float, driver: str, passenger: str
) -> None:
    tracks = going(rate)
    bare = heads_of_track(tracks[0], bare=True)
    assert said("no_helmet", tracks, bare, COMPANY) == [driver]
    assert said("passenger_no_helmet", tracks, bare, COMPANY) == [passenger]
    assert said("no_helmet", tracks, bare, ALONE) == ["breach"]


def test_a_head_that_may_be_the_passengers_says_less_of_the_driver() -> None:
    tracks = ridden(1, RIDING, NOW)
    bare = heads_of_track(tracks[0], bare=True, sure=0.15)

    def sure(more: list[float | None]) -> float:
        seen = scene(tracks, bare, company=company_of_track(tracks[0], more))
        (finding,) = RULES["no_helmet"](seen, camera(), rule("no_helmet"), SETTINGS)
        return finding.confidence

    assert 0.5 < sure([0.55] * 16) < sure([*ALONE]) - 0.05
    assert sure([0.45] * 16) == sure([*ALONE])


def test_a_head_seen_bare_in_every_frame_tells_of_the_driver_though_somebody_may_ride_along() -> None:
    tracks = ridden(1, RIDING, NOW)
    assert said("no_helmet", tracks, judged_apart(tracks[0], 0.2, 0.75), [0.55] * 16) == ["breach"]


def test_of_two_close_heads_each_counts_where_two_are_known_to_ride() -> None:
    """From in front they cover each other by a third: without that knowledge they would be one."""
    tracks = ridden(1, RIDING, NOW)
    close = [*heads_of_track(tracks[0], bare=False, at=0.6), *heads_of_track(tracks[0], bare=True, at=0.45)]
    assert said("no_helmet", tracks, close, COMPANY) == ["none"]
    assert said("passenger_no_helmet", tracks, close, COMPANY) == ["breach"]


def test_who_is_judged_alone_has_one_head_though_chest_or_hands_look_like_another() -> None:
    tracks = ridden(1, RIDING, NOW)
    helmet = heads_of_track(tracks[0], bare=False)
    hands = [
        (now, (left, top + 25, right, bottom + 25), sure, True)
        for now, (left, top, right, bottom), sure, _ in heads_of_track(tracks[0], bare=True, at=0.8)[::3]
    ]
    assert said("no_helmet", tracks, [*helmet, *hands], ALONE) == ["none"]
    assert said("no_helmet", tracks, [*helmet, *hands], [None] * 16) != ["none"]


def test_a_rider_boxed_twice_is_judged_by_the_heads_in_both_boxes() -> None:
    tracks = ridden(1, RIDING, NOW)
    bare = heads_of_track(tracks[0], bare=True, sure=0.9)
    first, second = tracks[0].xyxy[:10], tracks[0].xyxy[6:] + np.array([12, 14, 12, 0], np.float32)
    boxed = [
        track(1, Role.PERSON, first.tolist(), NOW[:10]),
        track(3, Role.PERSON, second.tolist(), NOW[6:]),
        tracks[1],
    ]
    told = [company_of_track(one, ALONE[: len(one)]) for one in boxed[:2]]
    order = np.argsort(np.concatenate([one.at_us for one in told]), kind="stable")
    alone = Company(
        at_us=np.concatenate([one.at_us for one in told])[order],
        xyxy=np.concatenate([one.xyxy for one in told])[order],
        company=np.concatenate([one.company for one in told])[order],
    )
    seen = scene(boxed, bare, company=alone)
    assert len(seen.rides[0].riders) == 2
    assert {(head.person_track, head.order) for head in seen.heads} == {(seen.rides[0].riders[0].id, 0)}
    assert len(seen.heads) == 16


def test_two_heads_in_most_frames_are_two_riders_heads_though_one_was_judged_alone() -> None:
    tracks = ridden(1, RIDING, NOW)
    ahead, after = (heads_of_track(tracks[0], bare=bare, at=at) for bare, at in ((False, 0.85), (True, 0.15)))
    assert said("no_helmet", tracks, [*ahead, *after], ALONE) == ["none"]
    assert said("no_helmet", tracks, [*ahead[:7], *after], ALONE) == ["breach"]


def test_of_two_known_to_ride_three_frames_with_both_heads_tell_whose_the_other_frames_show() -> None:
    tracks = ridden(1, RIDING, NOW)
    ahead = heads_of_track(tracks[0], bare=[False] * 3 + [None] * 13, at=0.85)
    after = heads_of_track(tracks[0], bare=True, at=0.15)
    assert said("passenger_no_helmet", tracks, [*ahead, *after], COMPANY) == ["breach"]
    assert said("passenger_no_helmet", tracks, [*ahead[1:], *after], COMPANY) == ["unclear"]


# --- zones --------------------------------------------------------------------------------------------------------

SIDEWALK = zone(ZoneKind.SIDEWALK, (0, 440), (1280, 440), (1280, 560), (0, 560))
CROSSWALK = zone(ZoneKind.CROSSWALK, (560, 100), (680, 100), (680, 700), (560, 700))
EASTBOUND = zone(ZoneKind.LANE, (0, 400), (1280, 400), (1280, 700), (0, 700), direction=(1, 0))


def up(x: float, y: float, mps: float) -> Place:
    return lambda now: (x, y - 100 * mps * now)


def test_riding_along_a_sidewalk_is_a_breach() -> None:
    (finding,) = judged("sidewalk", ridden(1, RIDING, NOW), (), SIDEWALK)
    assert finding.is_breach
    assert finding.zone == "the sidewalk"


def test_riding_beside_a_sidewalk_is_none() -> None:
    assert outcomes("sidewalk", ridden(1, straight(200, 620, 4.0), NOW), (), SIDEWALK) == ["none"]


def test_crossing_a_sidewalk_into_a_gate_is_none() -> None:
    assert outcomes("sidewalk", ridden(1, up(600, 700, 2.5), NOW), (), SIDEWALK) == ["none"]


def test_walking_on_a_sidewalk_is_nothing() -> None:
    assert outcomes("sidewalk", [person(1, straight(200, 500, 1.4), NOW)], (), SIDEWALK) == []


def test_pushing_along_a_sidewalk_is_nothing() -> None:
    place = straight(200, 500, 1.3)
    assert outcomes("sidewalk", [person(1, beside(place, 45, 5), NOW), scooter(2, place, NOW)], (), SIDEWALK) == []


def test_a_camera_without_a_sidewalk_judges_nobody_on_it() -> None:
    assert outcomes("sidewalk", ridden(1, RIDING, NOW), (), EASTBOUND) == []


def test_a_sidewalk_entered_late_counts_from_there() -> None:
    half = zone(ZoneKind.SIDEWALK, (600, 440), (1280, 440), (1280, 560), (600, 560))
    (finding,) = judged("sidewalk", ridden(1, RIDING, NOW), (), half)
    assert finding.is_breach
    assert finding.from_us == pytest.approx(1_000_000, abs=200_000)


def test_a_corner_cut_is_too_short() -> None:
    corner = zone(ZoneKind.SIDEWALK, (600, 440), (800, 440), (800, 560), (600, 560))
    assert outcomes("sidewalk", ridden(1, RIDING, NOW), (), corner) == ["none"]


def test_two_stretches_on_a_sidewalk_are_one_violation() -> None:
    parts = [zone(ZoneKind.SIDEWALK, (x, 440), (x + 480, 440), (x + 480, 560), (x, 560)) for x in (180, 860)]
    (finding,) = judged("sidewalk", ridden(1, RIDING, times(0, 3)), (), *parts)
    assert finding.is_breach


def test_zones_are_scaled_to_the_recordings_size() -> None:
    small = tuple((x / 2, y / 2) for x, y in SIDEWALK.polygon)
    of = Camera(
        id="gate",
        name="Gate",
        resolution=(WIDTH // 2, HEIGHT // 2),
        zones=(zone(ZoneKind.SIDEWALK, *small),),
    )
    (finding,) = RULES["sidewalk"](scene(ridden(1, RIDING, NOW), of=of), of, rule("sidewalk"), SETTINGS)
    assert finding.is_breach


def test_riding_over_the_road_on_a_crosswalk_is_a_breach() -> None:
    assert outcomes("crosswalk_riding", ridden(1, up(620, 680, 2.5), times(0, 2)), (), CROSSWALK) == ["breach"]


def test_traffic_passing_over_a_crosswalk_is_none() -> None:
    assert outcomes("crosswalk_riding", ridden(1, RIDING, NOW), (), CROSSWALK) == ["none"]


@pytest.mark.parametrize(("mps", "outcome"), [(4.0, "none"), (-4.0, "breach")])
def test_riding_against_a_lanes_direction_is_a_breach(mps: float, outcome: str) -> None:
    start = 200 if mps > 0 else 1100
    tracks = [
        person(1, beside(straight(start, 500, mps), -8, -10), times(0, 2)),
        scooter(2, straight(start, 500, mps), times(0, 2)),
    ]
    assert outcomes("wrong_way", tracks, (), EASTBOUND) == [outcome]


def test_crossing_a_lane_is_not_the_wrong_way() -> None:
    assert "breach" not in outcomes("wrong_way", ridden(1, up(620, 690, 2.0), times(0, 1.4)), (), EASTBOUND)


# --- parking ------------------------------------------------------------------------------------------------------

NO_PARKING = zone(ZoneKind.NO_PARKING, (300, 440), (700, 440), (700, 560), (300, 560))
SHORT = dataclasses.replace(SETTINGS, parking_min_s=20.0)


def test_a_scooter_left_where_parking_is_forbidden_is_a_breach() -> None:
    (finding,) = judged("parking", [scooter(1, lambda _now: (500, 500), times(0, 30))], (), NO_PARKING, settings=SHORT)
    assert finding.is_breach
    assert finding.riders == ()
    assert finding.to_us - finding.from_us == 30_000_000


@pytest.mark.parametrize(
    ("x", "long_s", "expected"),
    [(500, 10, ["none"]), (900, 30, [])],
)
def test_a_short_stop_or_one_elsewhere_is_none(x: float, long_s: float, expected: list[str]) -> None:
    found = judged("parking", [scooter(1, lambda _now: (x, 500), times(0, long_s))], (), NO_PARKING, settings=SHORT)
    assert [finding.outcome.value for finding in found] == expected


def test_a_bicycle_left_there_is_no_matter_of_a_rule_on_scooters() -> None:
    bicycle = scooter(1, lambda _now: (500, 500), times(0, 30), role=Role.BICYCLE)
    assert judged("parking", [bicycle], (), NO_PARKING, settings=SHORT) == []


# --- all rules ------------------------------------------------------------------------------------------------------


def everything() -> tuple[list[Track], list[tuple], Camera]:
    tracks, sightings = two_on_one()
    return [*tracks, scooter(9, lambda _now: (1100, 500), NOW)], sightings, camera(SIDEWALK, EASTBOUND, NO_PARKING)


def test_one_ride_breaching_several_rules_gives_a_finding_for_each() -> None:
    tracks, sightings, of = everything()
    found = run_rules(scene(tracks, sightings, of=of), of, load_catalogue(), date(2023, 4, 23), SETTINGS)
    assert [finding.kind for finding in found if finding.is_breach] == [
        "no_helmet",
        "passenger_no_helmet",
        "two_up",
        "sidewalk",
    ]


def test_before_a_rule_was_in_force_nobody_broke_it() -> None:
    tracks, sightings, of = everything()
    assert run_rules(scene(tracks, sightings, of=of), of, load_catalogue(), date(2021, 5, 12), SETTINGS) == []


def test_a_disabled_rule_finds_nothing() -> None:
    tracks, sightings, of = everything()
    rules = [dataclasses.replace(one, enabled=False) for one in load_catalogue()]
    assert run_rules(scene(tracks, sightings, of=of), of, rules, date(2023, 4, 23), SETTINGS) == []


def test_rules_run_again_from_the_stored_tracks_find_the_same() -> None:
    tracks, sightings, of = everything()
    seen_heads = heads(NOW, sightings, company_of_track(tracks[0], [0.9] * len(tracks[0])))
    file = io.BytesIO()
    pq.write_table(tracks_to_table(tracks, seen_heads), file)
    again, heads_again = tracks_from_table(pq.read_table(file))

    def told(tracks_: Sequence[Track], heads_: object) -> list[tuple]:
        seen = read_scene(tracks_, heads_, of, width=WIDTH, height=HEIGHT, settings=SETTINGS)  # type: ignore[arg-type]
        found = run_rules(seen, of, load_catalogue(), date(2023, 4, 23), SETTINGS)
        skipped = ("vehicle", "riders")
        return [
            tuple(getattr(one, item.name) for item in dataclasses.fields(one) if item.name not in skipped)
            for one in found
        ]

    assert told(again, heads_again) == told(tracks, seen_heads)
    assert len(told(tracks, seen_heads)) >= 5


def test_a_head_beside_the_picture_is_no_evidence() -> None:
    tracks = ridden(1, RIDING, NOW)
    away = [(now, head_box((900, 50, 968, 220)), 0.9, True) for now in NOW]
    assert outcomes("no_helmet", tracks, away) == ["unclear"]


def test_the_picture_is_not_of_a_rider_whom_the_edge_cuts_off() -> None:
    """He is nearest, and his head largest, where he leaves the picture."""
    leaving = straight(700, 500, 4.0)
    tracks = ridden(1, leaving, times(0, 1.4))
    assert tracks[0].xyxy[-1, 2] > WIDTH
    sightings = heads_of_track(tracks[0], bare=True)
    sightings[-1] = (*sightings[-1][:2], 0.99, True)
    (finding,) = judged("no_helmet", tracks, sightings)
    assert finding.is_breach
    assert finding.best_us < 1_200_000


def breaches(tracks: Sequence[Track], sightings: Sequence[tuple], of: Camera) -> list[str]:
    found = run_rules(scene(tracks, sightings, of=of), of, load_catalogue(), date(2023, 4, 23), SETTINGS)
    return [f"{finding.kind} {finding.outcome}" for finding in found]


def test_a_mirrored_street_breaks_the_same_rules() -> None:
    def turned(box: Sequence[float]) -> tuple[float, ...]:
        return WIDTH - box[2], box[1], WIDTH - box[0], box[3]

    tracks, sightings, of = everything()
    mirrored = [
        dataclasses.replace(one, xyxy=np.array([turned(box) for box in one.xyxy], dtype=np.float32)) for one in tracks
    ]
    zones = tuple(
        dataclasses.replace(
            one,
            polygon=tuple((WIDTH - x, y) for x, y in one.polygon),
            direction=one.direction and (-one.direction[0], one.direction[1]),
        )
        for one in of.zones
    )
    found = breaches(mirrored, [(at, turned(box), *rest) for at, box, *rest in sightings], camera(*zones))
    assert found == breaches(tracks, sightings, of)


@pytest.mark.parametrize("later_us", [1, 86_400_000_000, 1_790_000_000_000_000])
def test_when_it_happened_changes_nothing(later_us: int) -> None:
    tracks, sightings, of = everything()
    moved = [dataclasses.replace(one, at_us=one.at_us + later_us) for one in tracks]
    later = [(at + later_us, *rest) for at, *rest in sightings]
    assert breaches(moved, later, of) == breaches(tracks, sightings, of)


@pytest.mark.parametrize("step_us", [83_333, 200_000, 333_333])
def test_how_often_was_looked_changes_nothing(step_us: int) -> None:
    now = times(0, 3, step_us)
    tracks = [
        person(1, beside(RIDING, -30, -10), now),
        person(2, beside(RIDING, 15, -10), now),
        scooter(3, RIDING, now),
    ]
    sightings = [*heads_of_track(tracks[0], bare=True), *heads_of_track(tracks[1], bare=False)]
    assert breaches(tracks, sightings, camera(SIDEWALK)) == [
        "no_helmet none",
        "passenger_no_helmet breach",
        "two_up breach",
        "sidewalk breach",
    ]


def test_a_smaller_picture_of_the_same_street_breaks_the_same_rules() -> None:
    tracks, sightings, of = everything()
    half = [dataclasses.replace(one, xyxy=one.xyxy / 2) for one in tracks]
    small = heads(NOW, [(at, tuple(side / 2 for side in box), *rest) for at, box, *rest in sightings])
    seen = read_scene(half, small, of, width=WIDTH // 2, height=HEIGHT // 2, settings=SETTINGS)
    found = run_rules(seen, of, load_catalogue(), date(2023, 4, 23), SETTINGS)
    assert [f"{finding.kind} {finding.outcome}" for finding in found] == breaches(tracks, sightings, of)
