"""Boxes, polygons, the ground."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quitboard.detect.geometry import (
    buffered,
    homography,
    intersection,
    iou,
    principal_axes,
    project,
    signed_distance,
)
from quitboard.detect.ground import Ground, ground_of, slope, smoothed, spans_of
from quitboard.errors import SettingsError
from quitboard.records import Camera, GroundPoint

number = st.floats(-500, 500, allow_nan=False, width=32)
box = st.tuples(number, number, st.floats(1, 300, width=32), st.floats(1, 300, width=32)).map(
    lambda p: (p[0], p[1], p[0] + p[2], p[1] + p[3])
)
SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
HORSESHOE = [(0.0, 0.0), (30.0, 0.0), (30.0, 30.0), (20.0, 30.0), (20.0, 10.0), (10.0, 10.0), (10.0, 30.0), (0.0, 30.0)]


@given(box, box)
def test_iou_is_symmetric_and_between_0_and_1(one: tuple, other: tuple) -> None:
    assert iou(one, other)[0, 0] == pytest.approx(iou(other, one)[0, 0])
    assert 0 <= iou(one, other)[0, 0] <= 1


@given(box)
def test_a_box_covers_itself(one: tuple) -> None:
    assert iou(one, one)[0, 0] == pytest.approx(1)


@given(box, st.floats(0, 1))
def test_a_buffered_box_keeps_its_centre_and_holds_the_box(one: tuple, share: float) -> None:
    (grown,) = buffered(one, share)
    assert (grown[0] + grown[2]) / 2 == pytest.approx((one[0] + one[2]) / 2, abs=1e-3)
    assert intersection(grown, one)[0, 0] == pytest.approx(intersection(one, one)[0, 0])


def test_boxes_without_area_overlap_nothing() -> None:
    assert iou([[5, 5, 5, 5]], [[0, 0, 10, 10], [5, 5, 5, 5]]).tolist() == [[0.0, 0.0]]
    assert iou(np.empty((0, 4)), [[0, 0, 1, 1]]).shape == (0, 1)


@pytest.mark.parametrize(
    ("polygon", "point", "distance"),
    [
        (SQUARE, (5, 5), 5),
        (SQUARE, (2, 5), 2),
        (SQUARE, (-3, 5), -3),
        (SQUARE, (13, 14), -5),
        (HORSESHOE, (15, 20), -5),
        (HORSESHOE, (5, 20), 5),
        (HORSESHOE[::-1], (5, 20), 5),
    ],
)
def test_distance_to_a_polygons_edge(polygon: list, point: tuple, distance: float) -> None:
    assert signed_distance(polygon, [point])[0] == pytest.approx(distance)


@given(st.lists(st.tuples(number, number), min_size=1, max_size=20), st.tuples(number, number))
def test_inside_does_not_change_when_everything_moves(points: list, shift: tuple) -> None:
    away = np.abs(signed_distance(HORSESHOE, points))
    assume((away > 1e-2).all())
    moved = [(x + shift[0], y + shift[1]) for x, y in HORSESHOE]
    before = signed_distance(HORSESHOE, points)
    after = signed_distance(moved, np.array(points) + np.array(shift))
    assert np.sign(before).tolist() == np.sign(after).tolist()


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.2, 2.0])
def test_the_long_way_of_a_strip_is_along_it(turn: float) -> None:
    across = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strip = np.array([(0, 0), (50, 0), (100, 0), (100, 10), (0, 10)]) @ across.T
    long_way, length, breadth = principal_axes(strip)
    assert abs(long_way @ across[:, 0]) == pytest.approx(1, abs=0.02)
    assert length == pytest.approx(100, rel=0.05)
    assert breadth == pytest.approx(10, rel=0.3)


# --- homography -----------------------------------------------------------------------------------------------------

STREET_PX = [(320, 300), (960, 300), (1280, 700), (0, 700)]
STREET_M = [(0, 20), (8, 20), (8, 2), (0, 2)]


def test_ground_points_are_met_exactly() -> None:
    assert np.allclose(project(homography(STREET_PX, STREET_M), STREET_PX), STREET_M, atol=1e-6)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=5, max_size=8, unique=True))
def test_more_points_than_four_are_fitted(points: list) -> None:
    true = np.array([[1.0, 0.2, 3.0], [0.1, 1.5, -2.0], [0.02, 0.03, 1.0]])
    spread = np.array(points)
    assume(np.linalg.svd(np.column_stack([spread, np.ones(len(spread))]))[1][2] > 0.3)
    corners = np.concatenate([spread, [(-5, -5), (5, -5), (5, 5), (-5, 5)]])
    found = homography(corners, project(true, corners))
    assert np.allclose(project(found, [(1.0, 1.0)]), project(true, [(1.0, 1.0)]), atol=1e-5)


@pytest.mark.parametrize(
    "pixels",
    [STREET_PX[:3], [(0, 0), (1, 1), (2, 2), (3, 3)], [(0, 0), (0, 0), (0, 0), (0, 0)]],
)
def test_points_that_fix_no_ground_are_refused(pixels: list) -> None:
    with pytest.raises(ValueError, match=r"four|one line"):
        homography(pixels, STREET_M[: len(pixels)])


def test_ground_points_are_scaled_to_the_recording() -> None:
    points = tuple(
        GroundPoint(x_px=x, y_px=y, x_m=m[0], y_m=m[1]) for (x, y), m in zip(STREET_PX, STREET_M, strict=True)
    )
    camera = Camera(id="gate", name="Gate", resolution=(1280, 720), ground_points=points)
    full, half = ground_of(camera, 1280, 720), ground_of(camera, 640, 360)
    assert np.allclose(full.flattened([(640, 500)]), half.flattened([(320, 250)]))
    assert full.measured


def test_ground_points_on_a_line_are_a_mistake_in_the_settings() -> None:
    points = tuple(GroundPoint(x_px=n, y_px=n, x_m=n, y_m=2 * n) for n in range(4))
    with pytest.raises(SettingsError, match=r"camera gate: .*one line"):
        ground_of(Camera(id="gate", name="Gate", resolution=(1280, 720), ground_points=points), 1280, 720)


def test_speed_is_in_metres_where_the_ground_is_known() -> None:
    ground = Ground(width=100, height=100, matrix=np.diag([0.1, 0.1, 1.0]))
    now = np.arange(0, 3_000_000, 200_000)
    wheels = np.column_stack([40 * now / 1e6, np.zeros(len(now))])
    path = ground.path_m(now, wheels, np.ones(len(now)))
    assert ground.speed_mps(now, path) == pytest.approx(np.full(len(now), 4.0))


def test_someone_who_comes_nearer_is_seen_to_move() -> None:
    """At 12 m from a camera 53° wide, 4 m/s towards it."""
    ground = Ground(width=1000, height=600, matrix=None)
    now = np.arange(0, 1_600_000, 200_000)
    tall = 1000 * 1.7 / (12 - 4 * now / 1e6)
    path = ground.path_m(now, np.column_stack([np.full(len(now), 500.0), np.full(len(now), 400.0)]), tall)
    assert np.median(ground.speed_mps(now, path)) == pytest.approx(4.0, rel=0.1)


# --- series ---------------------------------------------------------------------------------------------------------


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_a_straight_line_is_its_own_fit(rate: float, offset: float) -> None:
    now = np.array([0, 150_000, 420_000, 600_000, 1_900_000])
    values = offset + rate * now / 1e6
    assert smoothed(now, values) == pytest.approx(values, abs=1e-6)
    assert slope(now, values)[:4] == pytest.approx(np.full(4, rate), abs=1e-6)


def test_a_lonely_value_has_no_slope() -> None:
    assert slope(np.array([5]), [3.0]).tolist() == [0.0]
    assert smoothed(np.array([5]), [3.0]).tolist() == [3.0]


@pytest.mark.parametrize(
    ("chosen", "spans"),
    [
        ([0, 0, 0, 0], []),
        ([1, 0, 0, 0], [(0, 0)]),
        ([1, 1, 0, 1], [(0, 30)]),
        ([1, 0, 0, 1], [(0, 0), (30, 30)]),
    ],
)
def test_spans_bridge_short_gaps_only(chosen: list, spans: list) -> None:
    assert spans_of(np.array([0, 10, 20, 30]), chosen, 20) == spans
