"""The demo's script and truth: every act the demo needs is in it, and the same seeds tell the same story."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tools.street import demo, scripts, truth
from tools.street.actors import Stage, boxes
from tools.street.acts import KINDS, Script, spans
from tools.street.bodies import SHAPES
from tools.street.crowd import populate
from tools.street.people import random_look
from tools.street.pictures import label_lines, random_camera, random_plan

SCRIPTS = scripts.all_scripts()
DEMO = Path(__file__).parents[2] / "data" / "demo"


@pytest.fixture(params=SCRIPTS, ids=lambda s: s.camera_id)
def script(request: pytest.FixtureRequest) -> Script:
    return request.param


@cache
def all_acts() -> list[dict]:
    return [row for s in SCRIPTS for row in truth.acts(s)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_demo_shows_every_kind_of_breach(kind: str) -> None:
    rows = [row for row in all_acts() if row["kind"] == kind]
    assert rows
    assert all(row["to_s"] - row["from_s"] >= 2.5 for row in rows)


@pytest.mark.parametrize(
    "words", ["helmeted rider", "pushing a scooter", "into the gate", "pedestrian", "cyclist", "parked well"]
)
def test_the_demo_shows_what_is_no_breach(words: str) -> None:
    rows = [row for row in all_acts() if words in row["act"]]
    assert rows
    assert all(row["kind"] is None for row in rows)


def test_nothing_moves_in_the_idle_stretch() -> None:
    gate = SCRIPTS[0]
    start, end = gate.idle
    assert end - start >= 12
    for act in gate.acts:
        if truth.is_still(act):
            continue
        seen = spans(gate, act)["seen"]
        assert seen[1] <= start or seen[0] >= end, act.name


def test_bare_and_helmeted_heads_are_told_as_they_are(script: Script) -> None:
    for act in script.acts:
        crew = act.unit.people
        if act.unit.mode != "ride" or act.unit.vehicle is None or act.unit.vehicle.kind != "scooter":
            continue
        assert ("no_helmet" in act.breaches) == (not crew[0].look.helmeted)
        assert ("two_up" in act.breaches) == (len(crew) > 1)
        assert ("passenger_no_helmet" in act.breaches) == any(not h.look.helmeted for h in crew[1:])


def test_track_ids_are_unique(script: Script) -> None:
    ids = [row["track"] for row in truth.tracks(script)]
    assert len(ids) == len(set(ids))


def test_the_same_seed_makes_the_same_truth() -> None:
    def told() -> list:
        out = []
        for s in scripts.all_scripts():
            stage, places = demo.stage_at(s, 6.0)
            out.append((places, [truth.row(b) for b in boxes(stage, s.camera)]))
        return out

    assert told() == told()


def test_riders_come_near_enough_to_judge_a_head(script: Script) -> None:
    for act in script.acts:
        if act.unit.mode != "ride" or not act.unit.people:
            continue
        large = 0
        for t in np.arange(*spans(script, act)["seen"], 0.5):
            stage, place = Stage(), act.route.at(float(t), script.floor)
            assert place is not None
            stage.add(act.unit, place, float(t))
            heads = [
                b
                for b in boxes(stage, script.camera)
                if b.track == act.unit.people[0].track and b.kind in ("head", "helmet")
            ]
            large += any(b.xyxy[3] - b.xyxy[1] >= 13 and b.visible > 0.9 for b in heads)
        assert large * 0.5 >= 2.0, act.name


def test_cameras_toml_is_made_from_the_scripts_and_readable() -> None:
    from quitboard.settings import load_cameras

    text = demo.cameras_toml(SCRIPTS, demo.ABOUT)
    assert (DEMO / "cameras.toml").read_text(encoding="utf-8") == text
    cameras = load_cameras(DEMO / "cameras.toml")
    assert [c.id for c in cameras] == [s.camera_id for s in SCRIPTS]
    assert {z.kind.value for c in cameras for z in c.zones} == {"sidewalk", "crosswalk", "lane", "no_parking"}
    assert all(len(c.ground_points) == 4 for c in cameras)


def test_the_shipped_truth_is_the_scripts(script: Script) -> None:
    told = json.loads((DEMO / script.camera_id / f"{script.stem}.truth.json").read_text(encoding="utf-8"))
    assert told["acts"] == truth.acts(script)
    assert told["tracks"] == truth.tracks(script)
    width, height = told["resolution"]
    for frame in told["frames"][::21]:
        stage, places = demo.stage_at(script, frame["t"])
        assert frame["places"] == places
        expected = {(b.track, b.kind): b.xyxy for b in boxes(stage, script.camera)}
        for track, class_id, x0, y0, x1, y1, visible in frame["boxes"]:
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert 0 < visible <= 1
            np.testing.assert_allclose((x0, y0, x1, y1), expected[track, told["classes"][class_id]], atol=0.06)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_labels_are_inside_the_picture_and_from_the_seed_alone(seed: int) -> None:
    def lines() -> list[str]:
        rng = np.random.default_rng(seed)
        plan = random_plan(rng)
        camera = random_camera(rng, plan)
        return label_lines(boxes(populate(rng, plan, camera)[0], camera), camera.width, camera.height)

    first = lines()
    assert first == lines()
    for line in first:
        class_id, cx, cy, w, h = (float(v) for v in line.split())
        assert class_id in range(7)
        assert cx - w / 2 >= -1e-5
        assert cx + w / 2 <= 1 + 1e-5
        assert cy - h / 2 >= -1e-5
        assert cy + h / 2 <= 1 + 1e-5


def test_looks_vary_and_bare_means_no_helmet() -> None:
    rng = np.random.default_rng(0)
    looks = [random_look(rng) for _ in range(60)]
    assert {look.shape for look in looks} <= set(SHAPES)
    assert not any(look.helmeted for look in looks)
    assert len({look.head_wear for look in looks}) > 3
    assert all(random_look(rng, helmet=True).helmeted for _ in range(10))
