"""A vehicle's track is of one rider's vehicle: where another is on it, it is another one's."""

from __future__ import annotations

import numpy as np

from quitboard.detect.aboard import changes_of_rider
from quitboard.detect.geometry import Array
from quitboard.detect.track import track_frames
from quitboard.records import Role, Track
from tests.unit.street_boxes import (
    HEIGHT,
    WIDTH,
    Place,
    beside,
    detections,
    person,
    person_box,
    scooter_box,
    straight,
    times,
)

NOW = times(0, 4)
RIGHT = straight(100, 500, 3.0)
LEFT = straight(1300, 520, -3.0)
"""Two who ride towards each other and meet after two seconds."""


def on(place: Place) -> Place:
    return beside(place, -8, -10)


def boxes(place: Place, other: Place | None = None, *, from_s: float = 9.0) -> Array:
    """A vehicle's boxes at `place`, and at the other one from an instant on."""
    return np.array([scooter_box(*(other if other and at / 1e6 >= from_s else place)(at / 1e6)) for at in NOW])


def changes(vehicle: Array, *persons: Track) -> list[int]:
    return changes_of_rider(np.array(NOW), vehicle, persons, HEIGHT)


def test_a_track_that_goes_on_with_the_vehicle_of_who_came_the_other_way_is_cut_there() -> None:
    riders = person(1, on(RIGHT), NOW), person(2, on(LEFT), NOW)
    assert changes(boxes(RIGHT, LEFT, from_s=2.4), *riders) == [NOW.index(2_400_000)]


def test_nor_does_it_turn_round_with_another_rider_when_its_own_has_left() -> None:
    riders = person(1, on(RIGHT), NOW[:12]), person(2, on(LEFT), NOW[12:])
    assert changes(boxes(RIGHT, LEFT, from_s=2.4), *riders) == [12]


def test_riders_who_cross_change_nothing_where_each_stays_on_his_own() -> None:
    riders = person(1, on(RIGHT), NOW), person(2, on(LEFT), NOW)
    assert changes(boxes(RIGHT), *riders) == []


def test_two_who_ride_together_do_not_take_turns() -> None:
    """The passenger is seen aboard later than the driver."""
    late = [at for at in NOW if at >= 1_600_000]
    riders = person(1, beside(RIGHT, -25, -10), NOW), person(2, beside(RIGHT, 10, -10), late)
    assert changes(boxes(RIGHT), *riders) == []


def test_pieces_of_one_riders_track_are_no_other_rider() -> None:
    half = len(NOW) // 2
    riders = person(1, on(RIGHT), NOW[:half]), person(2, on(RIGHT), NOW[half + 1 :])
    assert changes(boxes(RIGHT), *riders) == []


def test_who_passes_a_parked_scooter_does_not_take_it_over() -> None:
    walkers = person(1, straight(200, 495, 1.4), NOW), person(2, straight(900, 495, -1.4), NOW)
    assert changes(boxes(lambda _now: (500.0, 500.0)), *walkers) == []


def test_each_part_has_the_role_that_its_own_boxes_vote_for_and_an_id_of_its_own() -> None:
    frames = []
    for at in NOW:
        now = at / 1e6
        is_his = now >= 2.4
        role = Role.BICYCLE if is_his else Role.SCOOTER
        frames.append(
            (
                at,
                detections(
                    (Role.PERSON, person_box(*on(RIGHT)(now)), 0.8),
                    (Role.PERSON, person_box(*on(LEFT)(now)), 0.8),
                    (role, scooter_box(*(LEFT if is_his else RIGHT)(now)), 0.5),
                ),
            )
        )
    tracks = track_frames(frames, size_px=(WIDTH, HEIGHT))
    vehicles = [track for track in tracks if track.role is not Role.PERSON]
    assert [(one.role, len(one)) for one in vehicles] == [(Role.SCOOTER, 12), (Role.BICYCLE, 9)]
    assert len({track.id for track in tracks}) == 4
