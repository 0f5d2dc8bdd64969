"""Pasted riders: where they are said to be is where they are painted, and they move as scooters do."""

from __future__ import annotations

import numpy as np
import pytest

from tools.pasted.actors import Actor, Way, smooth, view_of
from tools.pasted.cuts import Cut
from tools.pasted.paint import Light, Passing, paint, sprite_of
from tools.pasted.plan import PLANS, actors_of
from tools.pasted.scenes import SCENES

PLAIN = Light(gain=1, lift=0, colour=1, blur=0.2, noise=0)


def a_cut(name: str = "someone", faces: str = "right", wears: str = "bare", *, trained: bool = True) -> Cut:
    """A white person of 30 x 100 px on a white vehicle that reaches 20 px further to the side that he looks to."""
    alpha = np.zeros((130, 120), np.float32)
    alpha[10:110, 40:70] = 1
    body = alpha.copy()
    vehicle = (40, 90) if faces != "left" else (20, 70)
    alpha[80:120, vehicle[0] : vehicle[1]] = 1
    return Cut(
        name=name,
        picture=f"{name}.jpg",
        trained=trained,
        wears=wears,
        faces=faces,
        colour=np.full((130, 120, 3), 255, np.float32),
        alpha=alpha,
        body=body,
        person=np.array([40.0, 10, 70, 110]),
        head=np.array([48.0, 10, 62, 26]),
        scooter=np.array([vehicle[0], 80.0, vehicle[1], 120]),
    )


def an_actor(cut: Cut, passenger: Cut | None = None) -> Actor:
    return Actor(
        cut=cut, passenger=passenger, act="rider", way="right", begin_s=0, kmh=15, tall=1.0, sway=(0.0, 0.0)
    )  # fmt: skip


def painted(actor: Actor, view: str, *, foot: tuple[float, float] = (200, 180), scale: float = 0.8, front=None):  # type: ignore[no-untyped-def]
    frame = np.zeros((240, 400, 3), np.float32)
    boxes = paint(
        frame,
        sprite_of(actor, view, 1.0),
        PLAIN,
        np.random.default_rng(0),
        foot=np.array(foot, float),
        scale=scale,
        lean=0.0,
        speed=np.zeros(2),
        front=front,
    )
    return frame, boxes


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("kmh", [10.0, 22.0])
def test_a_second_takes_a_rider_as_far_as_his_speed_says(scene: str, kmh: float) -> None:
    for name in SCENES[scene].paths:
        way = Way.of(SCENES[scene], name, kmh)
        middle = way.seconds[-1] / 2
        ends = np.array([way.at(middle - 0.05), way.at(middle + 0.05)])
        assert np.linalg.norm(np.diff(SCENES[scene].metres(ends), axis=0)) == pytest.approx(kmh / 36, rel=0.1)


@pytest.mark.parametrize("scene", SCENES)
def test_every_path_lies_on_the_ground(scene: str) -> None:
    for corners in SCENES[scene].paths.values():
        assert (SCENES[scene].height_at(smooth(np.array(corners, float))[:, 1]) > 5).all()


def test_who_rides_to_the_left_looks_to_the_left() -> None:
    _, boxes = painted(an_actor(a_cut(faces="right")), "left")
    person, scooter = (next(box for _, what, box, _ in boxes if what == kind) for kind in ("person", "scooter"))
    assert scooter[0] < person[0] - 5
    assert scooter[2] == pytest.approx(person[2], abs=1.5)


def test_boxes_lie_on_what_was_painted() -> None:
    frame, boxes = painted(an_actor(a_cut()), "right")
    white = np.argwhere(frame.mean(axis=2) > 128)
    hull = [white[:, 1].min(), white[:, 0].min(), white[:, 1].max() + 1, white[:, 0].max() + 1]
    all_boxes = np.array([box for _, _, box, _ in boxes])
    assert hull == pytest.approx([*all_boxes[:, :2].min(axis=0), *all_boxes[:, 2:].max(axis=0)], abs=1.5)
    assert hull[3] == pytest.approx(180, abs=1.5), "the wheels stand on the path"
    person = next(box for _, what, box, _ in boxes if what == "person")
    assert person[3] - person[1] == pytest.approx(80, abs=1.5)


def test_what_stands_before_a_rider_is_not_painted_over() -> None:
    front = np.zeros((240, 400), np.float32)
    front[:, :200] = 1
    frame, boxes = painted(an_actor(a_cut()), "right", front=front)
    assert frame[:, :200].max() == 0
    whole, seen = painted(an_actor(a_cut()), "right")[1], boxes
    assert all(after[3] < before[3] for before, after in zip(whole, seen, strict=True) if before[1] == "person")


def test_the_picture_s_edge_cuts_a_rider_off() -> None:
    _, boxes = painted(an_actor(a_cut()), "right", foot=(398, 180))
    assert all(box[2] <= 400 for _, _, box, _ in boxes)
    assert next(share for _, what, _, share in boxes if what == "scooter") < 0.7


def test_a_passenger_is_hidden_in_part_by_the_driver_and_stands_behind_him() -> None:
    _, boxes = painted(an_actor(a_cut(), a_cut("other", wears="helmet")), "right")
    driver, passenger = (
        next((box, share) for who, what, box, share in boxes if what == "person" and who == n) for n in (0, 1)
    )
    assert passenger[0][0] < driver[0][0]
    assert 0.1 < passenger[1] < driver[1]
    assert [what for who, what, _, _ in boxes if who == 1] == ["person", "helmet"]


def test_a_passer_by_hides_only_who_is_further_away() -> None:
    empty = np.zeros((120, 160, 3), np.uint8)
    now = empty.copy()
    now[30:90, 60:80] = 200
    passing = Passing.of(now, empty)
    assert passing.before(70, 60)[60, 70] == pytest.approx(1)
    assert passing.before(100, 60).max() == 0
    assert passing.before(70, 600).max() == 0, "a leaf is no passer-by"


def test_riders_that_training_may_use_and_others_never_share_a_recording() -> None:
    people = {
        f"{faces}{wears}{trained}": a_cut(f"{faces}{wears}{trained}", faces, wears, trained=trained)
        for faces in ("left", "right", "near", "far")
        for wears in ("helmet", "bare")
        for trained in (True, False)
    } | {name: a_cut(name, "near") for name in ("w30", "w3", "w1397a")}
    for plan in PLANS:
        actors = actors_of(plan, people, np.random.default_rng(0), {})
        riders = [cut for actor in actors if actor.rides for cut in actor.people]
        assert {cut.trained for cut in riders} == {plan.riders == "seen"}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_riders_look_where_they_go_as_far_as_photos_allow(plan) -> None:  # type: ignore[no-untyped-def]
    views = {view_of(SCENES[plan.scene], way) for way, _ in plan.ways}
    assert views <= {"left", "right", "near", "far"}
    assert all(way in SCENES[plan.scene].paths for way, _ in plan.ways)
