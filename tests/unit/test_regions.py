"""What must not be seen is found from boxes alone, and what one frame misses its neighbours cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.regions import (
    FrameRegions,
    Seen,
    carry,
    find_regions,
    grow_head,
    headless,
    no_boxes,
    plate_band,
    seen,
    together,
    top_of,
)
from quitboard.records import ROLES, Detections, Role

WIDTH, HEIGHT = 800, 600
STEP_US = 100_000


def box(*sides: float) -> np.ndarray:
    return np.array(sides, float)


def found(*things: tuple[Role, np.ndarray, float]) -> Detections:
    return Detections(
        xyxy=np.array([where for _, where, _ in things], np.float32).reshape(-1, 4),
        confidence=np.array([sure for _, _, sure in things], np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in things], np.int64),
    )


def regions(frames: list[list[tuple[Role, np.ndarray, float]]], step_us: int = STEP_US) -> list[FrameRegions]:
    looked = [seen(index * step_us, found(*things)) for index, things in enumerate(frames)]
    return find_regions(looked, width=WIDTH, height=HEIGHT)


def is_inside(inner: np.ndarray, outers: np.ndarray) -> bool:
    return bool(len(outers)) and bool(
        ((outers[:, :2] <= inner[:2] + 1e-6) & (outers[:, 2:] >= inner[2:] - 1e-6)).all(axis=1).any()
    )


PERSON, HEAD = box(300, 200, 360, 380), box(318, 204, 342, 234)


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_head_grows_by_thirty_percent_or_more(width: int, height: int) -> None:
    grown = grow_head(box(100, 100, 100 + width, 100 + height))
    assert grown[2] - grown[0] >= 1.3 * width
    assert grown[3] - grown[1] >= 1.3 * height
    assert grown[0] <= 100 - 0.15 * width
    assert grown[1] <= 100 - 0.15 * height


def test_the_shell_of_a_helmet_grows_down_to_the_chin() -> None:
    grown = grow_head(box(100, 100, 140, 120))
    assert grown[3] >= 100 + 1.5 * 40


def test_a_person_without_a_head_has_the_top_third_filled() -> None:
    (one,) = regions([[(Role.PERSON, PERSON, 0.9)]])
    assert is_inside(box(300, 200, 360, 260), one.heads)
    assert len(one.bodies) == 1


def test_a_person_with_a_head_has_only_the_head_filled() -> None:
    (one,) = regions([[(Role.PERSON, PERSON, 0.9), (Role.HEAD, HEAD, 0.9)]])
    assert len(one.heads) == 1
    assert not is_inside(box(300, 200, 360, 260), one.heads)


@pytest.mark.parametrize(
    ("head", "whose"),
    [
        pytest.param(box(318, 290, 342, 320), "a bag at the hip", id="too low"),
        pytest.param(box(328, 204, 332, 208), "a button", id="too small"),
        pytest.param(box(420, 204, 444, 234), "a neighbour", id="beside"),
    ],
)
def test_what_cannot_be_their_head_does_not_spare_the_top_third(head: np.ndarray, whose: str) -> None:
    assert len(headless(PERSON[None], head[None])) == 1, whose


def test_a_body_taken_for_a_head_is_not_filled_whole() -> None:
    (one,) = regions([[(Role.PERSON, PERSON, 0.9), (Role.HEAD, PERSON + 2, 0.3)]])
    assert is_inside(box(300, 200, 360, 260), one.heads)
    assert one.heads[:, 3].max() < 300


def test_a_close_up_head_that_fills_the_persons_box_is_filled_whole() -> None:
    closeup = box(300, 200, 400, 330)
    (one,) = regions([[(Role.PERSON, closeup, 0.9), (Role.HEAD, closeup, 0.9)]])
    assert is_inside(closeup, one.heads)


def test_one_head_serves_one_person() -> None:
    passenger = PERSON + box(14, 4, 14, 4)
    assert len(headless(np.array([PERSON, passenger]), HEAD[None])) == 1
    assert len(headless(np.array([PERSON, passenger]), np.array([HEAD, HEAD + box(14, 4, 14, 4)]))) == 0


@pytest.mark.parametrize(
    ("person", "depth"),
    [
        pytest.param(box(0, 0, 60, 180), 60, id="standing: a third"),
        pytest.param(box(0, 0, 120, 100), 90, id="cut off: three quarters of the width"),
        pytest.param(box(0, 0, 200, 60), 60, id="lying: everything"),
    ],
)
def test_how_deep_is_filled_without_a_head(person: np.ndarray, depth: float) -> None:
    assert depth <= top_of(person)[3] <= depth + 10


# --- neighbours -----------------------------------------------------------------------------------------------------


def moved(where: np.ndarray, x: float) -> np.ndarray:
    return where + box(x, 0, x, 0)


def ride(x: float) -> list[tuple[Role, np.ndarray, float]]:
    return [(Role.PERSON, moved(PERSON, x), 0.9), (Role.HEAD, moved(HEAD, x), 0.9)]


@pytest.mark.parametrize("missed", [[4], [3, 4], [3, 4, 5, 6]])
def test_a_frame_that_the_detector_missed_is_covered_by_its_neighbours(missed: list[int]) -> None:
    known = regions([[] if index in missed else ride(20 * index) for index in range(10)])
    for index in missed:
        assert is_inside(moved(HEAD, 20 * index), known[index].heads)
        assert is_inside(moved(PERSON, 20 * index), known[index].bodies + np.array([-1, -1, 1, 1]))


@pytest.mark.parametrize("blind", [1, 2, 3])
def test_for_three_tenths_of_a_second_a_lost_head_is_still_covered(blind: int) -> None:
    known = regions([ride(20 * index) if 3 <= index <= 6 else [] for index in range(10)])
    for index in (3 - blind, 6 + blind):
        assert is_inside(moved(HEAD, 20 * index), known[index].heads)  # where it goes
        assert is_inside(moved(HEAD, 60 if index < 3 else 120), known[index].heads)  # where it was


def test_what_was_never_seen_is_not_invented() -> None:
    known = regions([ride(0) if index == 0 else [] for index in range(12)])
    assert not len(known[11].heads)
    assert not len(known[11].bodies)


def test_a_blip_reaches_its_neighbours_too() -> None:
    known = regions([[(Role.HELMET, HEAD, 0.2)] if index == 5 else [] for index in range(10)])
    assert [len(one.heads) > 0 for one in known] == [1 <= index <= 9 for index in range(10)]


def test_two_who_cross_keep_their_own_ways() -> None:
    lower = HEAD + box(0, 60, 0, 60)
    ways = [np.array([moved(HEAD, 18 * index), moved(lower, 180 - 18 * index)]) for index in range(10)]
    boxes = [way if index != 5 else no_boxes() for index, way in enumerate(ways)]
    carried = carry([index * STEP_US for index in range(10)], boxes)
    assert len(carried[5]) == 2
    for head in ways[5]:
        assert np.abs(carried[5] - head).max(axis=1).min() < 2


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 700), st.integers(0, 500), st.integers(4, 90)), max_size=5),
        min_size=1,
        max_size=6,
    )
)
def test_every_sighting_stays_covered_whatever_the_neighbours_say(frames: list[list[tuple[int, int, int]]]) -> None:
    boxes = [np.array([[x, y, x + s, y + s] for x, y, s in frame], float).reshape(-1, 4) for frame in frames]
    carried = carry([index * STEP_US for index in range(len(frames))], boxes)
    for own, all_of_them in zip(boxes, carried, strict=True):
        for one in own:
            assert is_inside(one, all_of_them)


# --- plates ---------------------------------------------------------------------------------------------------------

CAR = box(100, 100, 300, 220)


@pytest.mark.parametrize("lower", [0.55, 0.7, 0.85], ids=["a van's", "a car's", "a bumper's"])
def test_the_plate_of_a_car_is_filled(lower: float) -> None:
    (one,) = regions([[(Role.CAR, CAR, 0.8)]])
    plate = box(170, 100 + 120 * lower - 8, 230, 100 + 120 * lower + 8)
    assert is_inside(plate, one.plates)


@pytest.mark.parametrize("role", [Role.BICYCLE, Role.SCOOTER])
def test_what_has_no_plate_is_not_filled(role: Role) -> None:
    (one,) = regions([[(role, CAR, 0.8)]])
    assert not len(one.plates)


def test_what_a_vehicle_is_all_its_sightings_decide() -> None:
    bicycle, doubt = [(Role.BICYCLE, CAR, 0.7)], [(Role.MOTORCYCLE, CAR, 0.4)]
    assert not any(len(one.plates) for one in regions([bicycle, bicycle, doubt, bicycle]))
    assert all(len(one.plates) for one in regions([doubt, doubt, bicycle, doubt, doubt, doubt]))


def test_a_motorcycle_crossing_the_picture_keeps_its_front_visible() -> None:
    there = plate_band(CAR, Role.MOTORCYCLE, sideways=1.0)
    back = plate_band(CAR, Role.MOTORCYCLE, sideways=-1.0)
    towards = plate_band(CAR, Role.MOTORCYCLE, sideways=0.0)
    assert there[2] < back[0]
    assert (towards[0], towards[2]) == (CAR[0], CAR[2])


# --- looks ----------------------------------------------------------------------------------------------------------


def test_a_second_look_adds_what_the_first_missed_and_doubles_nothing() -> None:
    first = Seen(at_us=0, heads=HEAD[None], persons=PERSON[None])
    second = Seen(at_us=0, heads=np.array([HEAD + 1, moved(HEAD, 200)]), persons=PERSON[None] + 2)
    both = together(first, second)
    assert len(both.heads) == 2
    assert len(both.persons) == 1


def test_a_tracked_person_counts_where_the_detector_saw_nobody() -> None:
    assert len(seen(0, found(), [PERSON]).persons) == 1
    assert len(seen(0, found((Role.PERSON, PERSON + 2, 0.8)), [PERSON]).persons) == 1


def test_regions_end_at_the_picture() -> None:
    (one,) = regions([[(Role.PERSON, box(-20, -10, 60, 200), 0.9), (Role.CAR, box(700, 500, 900, 700), 0.9)]])
    for boxes in (one.heads, one.plates, one.bodies, one.tops):
        assert (boxes >= 0).all()
        assert (boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()


def test_a_box_as_wide_as_two_persons_may_hold_a_head_that_nobody_saw() -> None:
    two = box(300, 200, 420, 400)
    (one,) = regions([[(Role.PERSON, two, 0.9), (Role.HEAD, HEAD, 0.9)]])
    assert is_inside(box(300, 200, 420, 266), one.tops)
    assert len(one.heads) == 1, "only a head that was seen gets an icon"


def test_of_one_who_stands_upright_no_more_than_the_head_is_filled() -> None:
    (one,) = regions([[(Role.PERSON, PERSON, 0.9), (Role.HEAD, HEAD, 0.9)]])
    assert not len(one.tops)
