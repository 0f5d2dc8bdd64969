"""Training pictures: cast, lens, truth and sharing of the work, without drawing anything."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tools.street import layout, others, pictures, sensor, wardrobe
from tools.street.__main__ import main as command_line
from tools.street.actors import CLASSES, Human, Place, Stage, Unit, boxes
from tools.street.bodies import Look
from tools.street.camera import Camera
from tools.street.pictures import SIZE, Scene, compose, is_labelled, label_lines, random_plan, shares, truth

BARREL = Camera(position=(-8.0, 4.0, 4.5), target=(4.0, -2.0, 0.8), focal_px=640.0, bend=-0.25)


@cache
def scene(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng)
    bare = layout.Street(plan, [], np.zeros(0), np.zeros(0), np.zeros(0))
    return compose(np.random.default_rng([seed, 5]), bare)


def told(seed: int) -> dict:
    one = scene(seed)
    return truth("p", one, boxes(one.stage, one.camera))


# --- cast


@pytest.mark.parametrize(
    "part", ["shapes", "clothes", "trousers", "helmet_colors", "hat_colors", "umbrellas", "fleets"]
)
def test_the_test_shows_nothing_that_training_shows(part: str) -> None:
    assert not set(getattr(wardrobe.TEST, part)) & set(getattr(wardrobe.TRAINING, part))


def test_the_tests_scooters_have_other_shapes_and_both_have_enough() -> None:
    for mine in (wardrobe.TRAINING.scooters, wardrobe.TEST.scooters):
        assert len(mine) >= 4
        assert any(s.seat_z for s in mine.values())
        assert any(s.front_basket for s in mine.values())
    assert not set(wardrobe.TRAINING.scooters.values()) & set(wardrobe.TEST.scooters.values())


def test_there_are_thirty_bodies_and_helmets_only_the_test_shows() -> None:
    assert len({*wardrobe.TRAINING.shapes, *wardrobe.TEST.shapes}) >= 30
    assert set(wardrobe.TEST.helmets) - set(wardrobe.TRAINING.helmets)


@pytest.mark.parametrize(
    ("look", "word"),
    [
        (Look(head_wear="helmet-half"), "helmet"),
        (Look(head_wear="helmet-bike", umbrella=(0, 0, 0)), "helmet"),
        (Look(umbrella=(0, 0, 0), head_wear="cap"), "umbrella"),
        (Look(head_wear="cap-back"), "cap"),
        (Look(head_wear="hood"), "hood"),
        (Look(bun=True), "bun"),
        (Look(head_wear="headphones"), "bare"),
        (Look(), "bare"),
    ],
)
def test_a_heads_word_says_what_covers_it(look: Look, word: str) -> None:
    assert look.head == word


def test_an_umbrella_is_not_part_of_its_bearer() -> None:
    def person(look: Look) -> tuple[float, ...]:
        stage = Stage()
        stage.add(Unit("stand", [Human(1, look)]), Place(4.0, -2.0))
        return next(b.xyxy for b in boxes(stage, BARREL) if b.kind == "person")

    with_it, without = person(Look(umbrella=(0.1, 0.1, 0.1))), person(Look())
    assert with_it[1] == pytest.approx(without[1], abs=3)


@pytest.mark.parametrize("kind", others.KINDS)
def test_what_is_no_scooter_gets_no_scooter_label(kind: str) -> None:
    stage = Stage()
    unit = Unit("ride" if kind == "wheelchair" else "push", [Human(1, Look())], others.other(kind, (0.5, 0.2, 0.2)), 2)
    stage.add(unit, Place(4.0, -2.0, speed_ms=1.2))
    found = boxes(stage, BARREL)
    assert {b.kind for b in found} == {"person", "head", kind}
    assert all(line[0] in "03" for line in label_lines(found, BARREL.width, BARREL.height))


# --- lens


def test_a_bent_lens_sees_the_ground_where_it_is() -> None:
    ground = np.array([[2.0, 1.0], [10.0, -3.0], [0.0, 0.0], [20.0, 4.0]])
    px, _ = BARREL.project(np.column_stack([ground, np.zeros(4)]))
    np.testing.assert_allclose(BARREL.to_ground(px), ground, atol=1e-6)


def test_the_pinhole_holds_all_that_the_lens_sees_and_warps_to_it() -> None:
    across, down = BARREL.warp()
    assert across.min() >= -0.6
    assert down.min() >= -0.6
    assert across.max() <= BARREL.width - 0.4
    assert down.max() <= BARREL.height - 0.4
    point = np.array([[5.0, -1.0, 0.6]])
    seen, through = BARREL.project(point)[0][0], BARREL.pinhole().project(point)[0][0]
    x, y = (int(v) for v in seen)
    assert across[y, x] + 0.5 == pytest.approx(through[0], abs=1.5)
    assert down[y, x] + 0.5 == pytest.approx(through[1], abs=1.5)


# --- truth


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_pictures_truth_is_inside_it_and_from_the_seed_alone(seed: int) -> None:
    first = told(seed)
    scene.cache_clear()
    assert told(seed) == first
    width, height = first["resolution"]
    for row in first["boxes"]:
        x0, y0, x1, y1 = row["xyxy"]
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert row["class"] in (*CLASSES, *others.KINDS)
        assert ("head" in row) == (row["class"] in ("person", "head", "helmet"))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_labels_are_the_truth_that_is_marked_as_labelled(seed: int) -> None:
    one = scene(seed)
    found = boxes(one.stage, one.camera)
    lines = label_lines(found, one.camera.width, one.camera.height)
    assert len(lines) == sum(row["labelled"] for row in told(seed)["boxes"]) == sum(map(is_labelled, found))


def test_a_helmet_box_is_that_of_a_helmeted_head() -> None:
    rows = [row for seed in range(1, 7) for row in told(seed)["boxes"]]
    assert {row["head"] for row in rows if row["class"] == "helmet"} == {"helmet"}
    assert "helmet" not in {row["head"] for row in rows if row["class"] == "head"}


@pytest.mark.parametrize(("count", "first"), [(25, 0), (7, 3), (40, 15), (1, 9), (10, 10)])
def test_shared_work_is_every_picture_once_and_no_street_twice(count: int, first: int) -> None:
    parts = shares(count, first)
    assert [k for start, n in parts for k in range(start, start + n)] == list(range(first, first + count))
    assert len({start // 10 for start, _ in parts}) == len(parts)


# --- sensor


def test_a_picture_is_done_only_when_its_labels_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "Renderer", lambda *_: SimpleNamespace(set_street=lambda *_: None))
    blank = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    monkeypatch.setattr(pictures, "shot", lambda _renderer, scene, *_: (blank, boxes(scene.stage, scene.camera)))
    with monkeypatch.context() as killed:
        killed.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pictures.render(tmp_path, 1, seed=5)
    assert not list(tmp_path.glob("labels/*.txt"))
    pictures.render(tmp_path, 1, seed=5)
    assert (tmp_path / "labels" / "street-5-00000.txt").read_text().strip()


@pytest.mark.parametrize("words", [["--count", "0"], ["--count", "-3"], ["--count", "many"], ["--jobs", "0"]])
def test_a_number_that_makes_no_sense_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["street", "pictures", "--out", str(tmp_path), *words])
    with pytest.raises(SystemExit) as ended:
        command_line()
    assert ended.value.code == 2
    assert "is not a whole number from 1 on" in capsys.readouterr().err


def test_a_smear_keeps_what_stands_still_and_the_brightness_of_what_moves() -> None:
    picture = np.full((60, 90, 3), 40, np.uint8)
    mask = np.zeros((60, 90), bool)
    mask[20:40, 30:50] = True
    picture[mask] = 200
    out = sensor.smear(picture, mask, 8.0, 0.0)
    assert (out[:15] == 40).all()
    assert (out[25:35, 36:44] == 200).all()
    assert 40 < out[30, 52, 0] < 200


def test_looks_of_the_wardrobe_are_of_the_wardrobe() -> None:
    rng = np.random.default_rng(3)
    looks = [wardrobe.look(rng, wardrobe.TEST, helmet=k % 2 == 0, umbrella=0.3) for k in range(60)]
    assert {look.shape for look in looks} <= set(wardrobe.TEST.shapes)
    assert all(look.helmeted == (k % 2 == 0) for k, look in enumerate(looks))
    assert len({look.head for look in looks}) >= 5
