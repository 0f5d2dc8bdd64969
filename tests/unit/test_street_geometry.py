"""The rendered street's geometry: cameras, poses, routes and zones, without drawing anything."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tools.street import pose, vehicles, wear
from tools.street.actors import Human, Place, Stage, Unit, boxes
from tools.street.acts import Area, Route
from tools.street.bodies import BONE, Body, Look
from tools.street.camera import Camera

CAMERA = Camera(position=(-8.0, 4.0, 4.5), target=(4.0, -2.0, 0.8), focal_px=1000.0)


def flat(x: float, y: float) -> float:
    return 0.0


def test_a_ground_point_comes_back_from_the_picture() -> None:
    points = np.array([[2.0, 1.0, 0.0], [10.0, -3.0, 0.0], [0.0, 0.0, 0.0]])
    px, depth = CAMERA.project(points)
    assert (depth > 0).all()
    np.testing.assert_allclose(CAMERA.to_ground(px), points[:, :2], atol=1e-9)


def test_the_opengl_matrix_and_the_projection_agree() -> None:
    points = np.array([[2.0, 1.0, 0.5], [10.0, -3.0, 1.7]])
    px, _ = CAMERA.project(points)
    clip = np.concatenate([points, np.ones((2, 1))], 1) @ CAMERA.matrix().T
    ndc = clip[:, :2] / clip[:, 3:]
    np.testing.assert_allclose((ndc * [1, -1] + 1) / 2 * [CAMERA.width, CAMERA.height], px, atol=1e-6)


def test_up_is_up_in_the_picture() -> None:
    px, _ = CAMERA.project(np.array([[4.0, -2.0, 0.0], [4.0, -2.0, 1.7]]))
    assert px[1, 1] < px[0, 1]


@pytest.mark.parametrize("target", [(0.3, 0.1, -0.7), (0.0, 0.0, -0.2), (0.9, 0.0, 0.0)])
def test_two_bones_keep_their_lengths(target: tuple[float, float, float]) -> None:
    start = np.zeros(3)
    middle, end = pose.two_bones(start, np.array(target), 0.42, 0.40, np.array([0.3, 1.0, 0.2]))
    assert np.linalg.norm(middle - start) == pytest.approx(0.42, abs=1e-6)
    assert np.linalg.norm(end - middle) == pytest.approx(0.40, abs=1e-6)


def test_a_riders_hands_are_at_the_grips_and_the_feet_on_the_deck() -> None:
    body, scooter = Body(Look()), vehicles.scooter()
    _, joints = pose.solve(body, pose.on_scooter(body, scooter.grips, scooter.deck_z, stand_x=-0.06))
    for side, grip in zip("lr", scooter.grips, strict=True):
        assert np.linalg.norm(joints[BONE[f"hand_{side}"]] - grip) < 0.06
        sole = joints[BONE[f"foot_{side}"], 2] - body.joints[BONE["foot_l"], 2]
        assert sole == pytest.approx(scooter.deck_z, abs=0.02)


@pytest.mark.parametrize("phase", [0.0, 0.2, 0.45, 0.7, 0.9])
def test_a_walkers_feet_stay_above_the_ground(phase: float) -> None:
    body = Body(Look())
    points, _ = body.skin(*pose.solve(body, pose.walking(body, phase, 1.4)))
    assert -0.06 < points[:, 2].min() < 0.06
    assert points[:, 2].max() == pytest.approx(body.height, abs=0.12)


def test_a_helmet_makes_the_head_bigger_and_names_it() -> None:
    bare, helmeted = (Human(1, Look(head_wear=w)) for w in ("", "helmet-skate"))
    assert np.ptp(helmeted.head_rest, axis=0).prod() > np.ptp(bare.head_rest, axis=0).prod()
    for human, kind in ((bare, "head"), (helmeted, "helmet")):
        stage = Stage()
        stage.add(Unit("walk", [human]), Place(4.0, -2.0))
        assert {b.kind for b in boxes(stage, CAMERA)} == {"person", kind}


@pytest.mark.parametrize("head_wear", wear.OTHER_HEAD_WEAR)
def test_a_cap_or_hood_is_a_bare_head(head_wear: str) -> None:
    assert not Look(head_wear=head_wear).helmeted


def ride(*people: Human) -> list:
    stage = Stage()
    stage.add(Unit("ride", list(people), vehicles.scooter(), 9), Place(4.0, -2.0, heading=2.0, speed_ms=3.0))
    return boxes(stage, CAMERA)


def test_truth_boxes_hold_every_vertex_and_touch_it() -> None:
    stage = Stage()
    stage.add(Unit("ride", [Human(1, Look())], vehicles.scooter(), 9), Place(4.0, -2.0, heading=2.0, speed_ms=3.0))
    for seen, box in zip(stage.seen, boxes(stage, CAMERA), strict=True):
        px, _ = CAMERA.project(seen.points)
        np.testing.assert_allclose([*px.min(0), *px.max(0)], box.xyxy, atol=1e-6)


def test_a_scooters_box_is_that_of_all_its_vertices() -> None:
    scooter = vehicles.scooter()
    box = next(b for b in ride(Human(1, Look())) if b.kind == "scooter")
    px, _ = CAMERA.project(scooter.outline() @ Place(0, 0, heading=2.0).matrix()[:3, :3].T + [4.0, -2.0, 0])
    np.testing.assert_allclose([*px.min(0), *px.max(0)], box.xyxy, atol=1.5)


def test_the_head_is_the_top_of_its_person() -> None:
    found = {b.kind: b.xyxy for b in ride(Human(1, Look()))}
    head, person = found["head"], found["person"]
    assert head[1] == pytest.approx(person[1], abs=3)
    assert (head[3] - head[1]) < 0.25 * (person[3] - person[1])
    assert person[0] - 1 <= head[0]
    assert head[2] <= person[2] + 1


def test_two_on_one_scooter_have_two_heads_apart() -> None:
    heads = [b.xyxy for b in ride(Human(1, Look()), Human(2, Look(height_m=1.78))) if b.kind == "head"]
    assert len(heads) == 2
    assert max(abs(heads[0][k] - heads[1][k]) for k in range(4)) > 3


def test_boxes_stay_inside_the_picture() -> None:
    for x in np.linspace(-6, 30, 25):
        stage = Stage()
        stage.add(
            Unit("ride", [Human(1, Look())], vehicles.scooter(), 2), Place(float(x), -2.0, heading=3.1, speed_ms=3.0)
        )
        for box in boxes(stage, CAMERA):
            x0, y0, x1, y1 = box.xyxy
            assert 0 <= x0 < x1 <= CAMERA.width
            assert 0 <= y0 < y1 <= CAMERA.height


def test_a_route_keeps_its_speed() -> None:
    route = Route(((0, 0), (5, 0), (8, 4), (8, 12)), 2.5, 1.0)
    places = [route.at(t, flat) for t in np.arange(1.5, route.end_s - 0.5, 0.1)]
    steps = [np.hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(places) if a and b]
    assert route.at(0.9, flat) is None
    assert route.at(route.end_s + 0.1, flat) is None
    np.testing.assert_allclose(steps, 0.25, atol=0.01)


def test_a_zones_polygon_lies_in_the_picture_around_what_it_holds() -> None:
    zone = Area("walk", "sidewalk", -30, -8, 40, -3.5)
    polygon = np.array(zone.polygon(CAMERA))
    assert len(polygon) >= 3
    assert (polygon >= 0).all()
    assert (polygon <= [CAMERA.width, CAMERA.height]).all()
    ground = CAMERA.to_ground(polygon.mean(0)[None])[0]
    assert zone.holds(*ground)


def test_opposite_lanes_point_opposite_ways() -> None:
    one, other = (Area("lane", "lane", -5, -3, 20, 0, 0.0, way).direction(CAMERA) for way in (1, -1))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one, -np.array(other), atol=0.05)
