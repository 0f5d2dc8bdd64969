"""Who rides and who does not; whose head is whose; what stands parked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quitboard.detect.ground import boxes_at
from quitboard.records import Role
from tests.unit.street_boxes import (
    STEP_US,
    beside,
    camera,
    head_box,
    heads_of_track,
    person,
    ridden,
    scene,
    scooter,
    straight,
    times,
    track,
)

NOW = times(0, 3)
RIDING = straight(200, 500, 4.0)
WALKING = straight(200, 500, 1.3)


def test_a_person_on_a_moving_scooter_rides() -> None:
    (ride,) = scene(ridden(1, RIDING, NOW)).rides
    assert ride.vehicle.role is Role.SCOOTER
    assert [rider.id for rider in ride.riders] == [1]
    assert (ride.from_us, ride.to_us) == (0, 3_000_000)


@pytest.mark.parametrize("side", [-45, 45])
@pytest.mark.parametrize("down", [-4, 0, 20])
def test_a_pushed_scooter_is_not_a_ride(side: float, down: float) -> None:
    tracks = [person(1, beside(WALKING, side, down), NOW), scooter(2, WALKING, NOW)]
    assert scene(tracks).rides == ()


def test_who_seems_to_stand_on_a_scooter_and_never_gets_faster_than_a_walker_pushes_it() -> None:
    assert scene(ridden(1, straight(200, 500, 1.4), NOW)).rides == ()


@pytest.mark.parametrize(("mps", "rides"), [(2.5, 0), (3.6, 1)])
def test_an_unsure_scooter_is_believed_under_somebody_much_faster_than_a_walker(mps: float, rides: int) -> None:
    rider, vehicle = ridden(1, straight(200, 500, mps), NOW)
    unsure = track(2, Role.SCOOTER, [tuple(box) for box in vehicle.xyxy], NOW, confidence=0.27)
    assert len(scene([rider, unsure]).rides) == rides


def test_who_runs_past_a_pushed_scooter_does_not_ride_it() -> None:
    pushing = straight(200, 500, 1.4)
    met = [at for at in NOW if 1_000_000 <= at <= 2_000_000]
    runner = person(3, straight(30, 492, 2.6), met)
    assert scene([*ridden(1, pushing, NOW), runner]).rides == ()


def test_a_speed_that_the_picture_does_not_show_is_none() -> None:
    """Near the horizon a pixel is metres: boxes that jitter run."""
    near = camera(ground=True)
    points = tuple(replace(point, x_m=20 * point.x_m, y_m=20 * point.y_m) for point in near.ground_points)
    jitter = ridden(1, straight(200, 500, 0.5), NOW)
    assert scene(jitter, of=replace(near, ground_points=points)).rides == ()


def test_a_rider_who_slows_down_to_a_walkers_speed_rides() -> None:
    def slowing(now: float) -> tuple[float, float]:
        return 200 + 100 * (1.2 * now + 2.4 * min(now, 1.2)), 500

    (ride,) = scene(ridden(1, slowing, times(0, 4))).rides
    assert ride.to_us == 4_000_000


def test_a_walker_passing_parked_scooters_does_not_ride() -> None:
    parked = [scooter(10 + n, lambda _now, n=n: (250 + 90 * n, 500), NOW) for n in range(5)]
    assert scene([person(1, WALKING, NOW), *parked]).rides == ()


def test_a_runner_passing_a_parked_scooter_does_not_ride() -> None:
    parked = scooter(10, lambda _now: (500, 500), NOW)
    assert scene([person(1, straight(200, 490, 4.5), NOW), parked]).rides == ()


def test_a_person_standing_on_a_parked_scooter_does_not_ride() -> None:
    assert scene(ridden(1, lambda _now: (400, 500), NOW)).rides == ()


def test_a_glimpse_is_not_a_ride() -> None:
    assert scene(ridden(1, RIDING, times(0, 0.4))).rides == ()


def test_a_scooter_missed_in_most_frames_is_still_ridden() -> None:
    (ride,) = scene(ridden(1, RIDING, NOW, seen_every=5)).rides
    assert ride.to_us - ride.from_us == 3_000_000


def test_pieces_of_a_scooters_track_are_one_ride() -> None:
    rider = person(1, beside(RIDING, -8, -10), NOW)
    pieces = [scooter(2, RIDING, NOW[:6]), scooter(3, RIDING, NOW[9:])]
    (ride,) = scene([rider, *pieces]).rides
    assert ride.vehicle.id == 2
    assert len(ride.vehicle) == len(NOW) - 3


def test_pieces_of_a_riders_track_are_one_rider() -> None:
    place = beside(RIDING, -8, -10)
    tracks = [person(1, place, NOW[:7]), person(3, place, NOW[9:]), scooter(2, RIDING, NOW)]
    (ride,) = scene(tracks).rides
    assert len(ride.riders) == 1
    assert len(ride.riders[0]) == len(NOW) - 2


def test_twin_boxes_of_one_vehicle_are_one_ride() -> None:
    twin = scooter(5, beside(RIDING, 6), NOW, role=Role.BICYCLE)
    assert len(scene([*ridden(1, RIDING, NOW), twin]).rides) == 1


def test_two_on_one_scooter_are_two_riders_and_who_is_in_front_drives() -> None:
    tracks = [
        person(1, beside(RIDING, -30, -10), NOW),
        person(2, beside(RIDING, 15, -10), NOW),
        scooter(3, RIDING, NOW),
    ]
    (ride,) = scene(tracks).rides
    assert [rider.id for rider in ride.riders] == [2, 1]


def test_two_riding_side_by_side_are_not_two_on_one() -> None:
    tracks = [*ridden(1, RIDING, NOW), *ridden(11, beside(RIDING, 95, 5), NOW)]
    assert [len(ride.riders) for ride in scene(tracks).rides] == [1, 1]


def test_one_rider_boxed_twice_is_one_rider() -> None:
    double = person(5, beside(RIDING, -5, -9), NOW)
    (ride,) = scene([*ridden(1, RIDING, NOW), double]).rides
    assert len(ride.riders) == 1


def test_a_pedestrian_beside_a_ride_does_not_ride_along() -> None:
    pedestrian = person(9, straight(420, 480, 1.3), NOW)
    (ride,) = scene([*ridden(1, RIDING, NOW), pedestrian]).rides
    assert [rider.id for rider in ride.riders] == [1]


def test_metres_come_from_the_ground_points_when_there_are_four() -> None:
    """With 100 px to the metre, 400 px/s are 4 m/s; by the rider's height alone they would be as many."""
    crawling = lambda now: (200 + 60 * now, 500)  # noqa: E731
    tracks = [person(1, beside(crawling, 25, -10), NOW), scooter(2, crawling, NOW)]
    assert scene(tracks, of=camera(ground=True)).rides == ()
    fast = lambda now: (200 + 400 * now, 500)  # noqa: E731
    tracks = [person(1, beside(fast, 25, -10), NOW), scooter(2, fast, NOW)]
    assert len(scene(tracks, of=camera(ground=True)).rides) == 1


# --- heads ---------------------------------------------------------------------------------------------------------


def test_a_riders_head_is_his() -> None:
    tracks = ridden(1, RIDING, NOW)
    seen = scene(tracks, heads_of_track(tracks[0], bare=True))
    assert {(head.person_track, head.order) for head in seen.heads} == {(1, 0)}
    assert len(seen.heads) == len(NOW)


def test_helmet_and_bare_head_seen_on_one_head_are_both_kept() -> None:
    tracks = ridden(1, RIDING, NOW)
    sightings = [*heads_of_track(tracks[0], bare=True, sure=0.5), *heads_of_track(tracks[0], bare=False, sure=0.3)]
    head = scene(tracks, sightings).heads[0]
    assert (head.bare_confidence, head.helmet_confidence) == (pytest.approx(0.5), pytest.approx(0.3))


def test_a_second_head_in_a_riders_box_is_of_somebody_riding_along() -> None:
    tracks = ridden(1, RIDING, NOW)
    both = [*heads_of_track(tracks[0], bare=True, at=0.2), *heads_of_track(tracks[0], bare=True, at=0.85)]
    assert {head.order for head in scene(tracks, both).heads} == {0, 1}


def test_the_head_of_a_pedestrian_beside_a_rider_is_the_pedestrians() -> None:
    tracks = ridden(1, RIDING, NOW)
    aside = person(9, beside(RIDING, 25, -16), NOW, tall=150)
    sightings = [*heads_of_track(tracks[0], bare=False, at=0.2), *heads_of_track(aside, bare=True, at=0.6)]
    assert {head.order for head in scene(tracks, sightings).heads} == {0, 1}
    (ride,) = scene([*tracks, aside], sightings).rides
    seen = scene([*tracks, aside], sightings)
    assert {head.order for head in seen.heads_on(ride)} == {0}


def test_a_head_at_the_feet_is_nobodys() -> None:
    tracks = ridden(1, RIDING, NOW)
    low = [
        (now, head_box((box[0], box[3] - 40, box[2], box[3])), 0.6, True)
        for now, box in zip(NOW, tracks[0].xyxy.tolist(), strict=True)
    ]
    assert scene(tracks, low).heads == ()


# --- parked ---------------------------------------------------------------------------------------------------------


def test_a_scooter_at_rest_is_parked_and_its_times_are_kept() -> None:
    (parked,) = scene([scooter(1, lambda _now: (400, 500), times(0, 10))]).parked
    assert (parked.from_us, parked.to_us) == (0, 10_000_000)


def test_a_parked_scooter_seen_again_after_an_idle_hour_never_left() -> None:
    place = lambda _now: (400, 500)  # noqa: E731
    tracks = [scooter(1, place, times(0, 4)), scooter(2, place, times(3600, 3604))]
    (parked,) = scene(tracks).parked
    assert parked.to_us - parked.from_us == 3_604_000_000


def test_a_place_found_empty_in_between_was_left() -> None:
    place = lambda _now: (400, 500)  # noqa: E731
    tracks = [scooter(1, place, times(0, 4)), scooter(2, place, times(60, 64))]
    assert len(scene(tracks, looked=times(0, 64)).parked) == 2


def test_a_moving_scooter_is_not_parked() -> None:
    assert scene([scooter(1, RIDING, NOW)]).parked == ()


def test_a_ridden_scooter_waiting_at_a_light_is_not_parked() -> None:
    def stop_and_go(now: float) -> tuple[float, float]:
        return (200 + 400 * min(now, 1.0) + 400 * max(now - 6.0, 0.0), 500)

    assert scene(ridden(1, stop_and_go, times(0, 7))).parked == ()


def test_boxes_between_sightings_are_interpolated_and_not_carried_on() -> None:
    one = scooter(1, straight(0, 500, 1.0), [0, 1_000_000])
    at = boxes_at(one, np.array([-STEP_US, 500_000, 1_000_000 + STEP_US]), 1_000_000)
    assert np.isnan(at[[0, 2]]).all()
    assert at[1, 0] == pytest.approx((one.xyxy[0, 0] + one.xyxy[1, 0]) / 2)
    assert np.isnan(boxes_at(one, np.array([500_000]), 999_999)).all()


def test_a_scooter_fancied_around_a_walkers_legs_makes_no_rider() -> None:
    """Models do that. Such a box ends where the feet are; wheels reach below the feet that stand over them."""
    walker = person(1, WALKING, NOW)
    legs = [(box[0] + 10, box[1] + 80, box[2] - 10, box[3] + 4) for box in walker.xyxy.tolist()]
    assert scene([walker, track(2, Role.SCOOTER, legs, NOW, confidence=0.6)]).rides == ()


def test_a_fast_rider_boxed_together_with_his_scooter_rides() -> None:
    """Far away, models box rider and scooter as one scooter."""
    rider = person(1, RIDING, NOW)
    both = [(box[0] - 6, box[1] + 8, box[2] + 6, box[3] + 4) for box in rider.xyxy.tolist()]
    assert len(scene([rider, track(2, Role.SCOOTER, both, NOW, confidence=0.4)]).rides) == 1


@pytest.mark.parametrize(("speed_mps", "confidence", "rides"), [(2.6, 0.36, 0), (2.6, 0.5, 1), (4.0, 0.36, 1)])
def test_the_nearer_to_walking_pace_the_surer_the_vehicle_must_be(
    speed_mps: float, confidence: float, rides: int
) -> None:
    """People who stride past close to the camera look as fast as a slow rider."""
    rider = person(1, straight(200, 500, speed_mps), NOW)
    under = [(box[0] - 6, box[3] - 40, box[2] + 6, box[3] + 4) for box in rider.xyxy.tolist()]
    assert len(scene([rider, track(2, Role.SCOOTER, under, NOW, confidence=confidence)]).rides) == rides


def test_a_walker_boxed_as_a_scooter_as_a_whole_makes_no_rider() -> None:
    walker = person(1, WALKING, NOW)
    whole = [(box[0] - 6, box[1] + 8, box[2] + 6, box[3] + 14) for box in walker.xyxy.tolist()]
    assert scene([walker, track(2, Role.SCOOTER, whole, NOW, confidence=0.6)]).rides == ()
