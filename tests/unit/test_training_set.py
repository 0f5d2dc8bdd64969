"""A training set: the same bytes for the same inputs, small shards, nothing made twice, no eyes but its owner's."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from quitboard import files
from quitboard.errors import DamageFound, NothingUsable
from quitboard.models import prepare, recipe, shards
from quitboard.models.samples import Sample, closer_looks, cropped, degraded, filled, label_lines, sample, smaller
from quitboard.records import Detections, Role
from tests.drawn_set import RECIPE, draw

MODELS = files.resource("data/models/default")
EVERYTHING = frozenset(Role)


@pytest.fixture
def kitchen(tmp_path: Path) -> recipe.Recipe:
    for split in ("train", "val", "test"):
        draw(tmp_path / "drawn", split=split)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return recipe.read(tmp_path / "recipe.toml", {"models": MODELS})


def shards_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): files.sha256_file(path) for path in sorted(folder.rglob("*.tar"))}


def test_the_same_recipe_and_pictures_give_the_same_bytes(kitchen: recipe.Recipe, tmp_path: Path) -> None:
    first, again = tmp_path / "one", tmp_path / "two"
    prepare.prepare(kitchen, first)
    prepare.prepare(kitchen, again)
    assert shards_of(first) == shards_of(again)
    assert (first / "index.json").read_bytes() == (again / "index.json").read_bytes()


def test_nothing_is_made_twice_and_a_change_makes_only_what_depends_on_it(
    kitchen: recipe.Recipe, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    prepare.prepare(kitchen, folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.tar")}
    lost = next(iter((folder / "photos").glob("*.tar")))
    sums = shards_of(folder)
    lost.unlink()
    prepare.prepare(kitchen, folder)
    assert shards_of(folder) == sums
    assert {path for path, time in times.items() if path.stat().st_mtime_ns != time} == {lost}

    picture = tmp_path / "drawn" / "images" / "val" / "0.png"
    picture.write_bytes((tmp_path / "drawn" / "images" / "val" / "1.png").read_bytes())
    prepare.prepare(kitchen, folder)
    changed = {name.split("/")[0] for name in shards_of(folder).keys() - sums.keys()}
    assert changed == {"judge", "chooses"}


def test_pictures_that_measure_are_the_files_as_they_are(kitchen: recipe.Recipe, tmp_path: Path) -> None:
    steps = {one.name: one for one in prepare.prepare(kitchen, tmp_path / "set")}
    packed = {row.name: row.picture for row in shards.read(steps["locked"].shards)}
    assert packed["0.png"] == (tmp_path / "drawn" / "images" / "test" / "0.png").read_bytes()
    assert steps["photos"].pictures == 8  # four pictures, each with a copy
    assert steps["photos"].boxes["scooter"] == 8


def test_a_packed_set_travels_and_damage_on_the_way_is_seen(kitchen: recipe.Recipe, tmp_path: Path) -> None:
    made = prepare.prepare(kitchen, tmp_path / "set")
    (tmp_path / "set").rename(tmp_path / "far")
    there = prepare.load(tmp_path / "far")
    assert [one.sums for one in there] == [one.sums for one in made]
    shard = there[0].shards[0]
    shard.write_bytes(shard.read_bytes()[:-700])
    with pytest.raises(DamageFound, match=shard.name):
        prepare.load(tmp_path / "far")
    with pytest.raises(NothingUsable, match="no packed set"):
        prepare.load(tmp_path)


def test_a_set_is_for_its_owner_and_unseen_by_git(kitchen: recipe.Recipe, tmp_path: Path) -> None:
    steps = prepare.prepare(kitchen, tmp_path / "set")
    shards.unpack(steps[0].shards, tmp_path / "laid-out")
    for folder in (tmp_path / "set", tmp_path / "laid-out"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / ".gitignore").read_text() == "*\n"
        assert "never publish" in (folder / "NOT_ANONYMISED.txt").read_text()


def test_blocks_keep_shards_small() -> None:
    items = [prepare.Item(name=str(n), key="", size=1_000_000, load=lambda: iter(())) for n in range(100)]
    blocks = prepare._blocks(items, copies=5)
    assert [one.name for block in blocks for one in block] == [str(n) for n in range(100)]
    assert max(sum(one.size * 5 for one in block) for block in blocks) < shards.MOST_BYTES


def test_a_shard_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    row = shards.Packed(name="a.jpg", picture=b"", labels="", labelled=frozenset())
    hostile = shards.pack([row]).replace(b"images/a.jpg", b"images/../.x")
    (tmp_path / "hostile.tar").write_bytes(hostile)
    with pytest.raises(Exception, match=r"damaged|inside|checksum|bad"):
        shards.unpack([tmp_path / "hostile.tar"], tmp_path / "out")
    assert not (tmp_path / ".x").exists()


# --- what is done to a picture ---------------------------------------------------------------------------------------


def grey(*labels: tuple[Role, tuple[float, float, float, float]], labelled: frozenset[Role] = EVERYTHING) -> Sample:
    one = sample("p", np.full((100, 200, 3), 128, np.uint8), labels)
    return Sample(name="p", picture=one.picture, roles=one.roles, xyxy=one.xyxy, labelled=labelled)


def seen(*rows: tuple[Role, float, tuple[float, float, float, float]]) -> Detections:
    return Detections(
        xyxy=np.array([box for *_, box in rows], np.float32),
        confidence=np.array([confidence for _, confidence, _ in rows], np.float32),
        class_id=np.array([list(Role).index(role) for role, *_ in rows], np.int64),
    )


def test_a_teacher_fills_what_is_not_labelled_and_smears_what_it_half_sees() -> None:
    given = grey((Role.SCOOTER, (10, 10, 50, 50)), labelled=frozenset({Role.SCOOTER}))
    given.picture[60:80, 60:80] = np.random.default_rng(0).integers(0, 255, (20, 20, 3))
    found = seen(
        (Role.PERSON, 0.9, (10, 0, 50, 50)),
        (Role.PERSON, 0.3, (60, 60, 79, 79)),
        (Role.SCOOTER, 0.9, (100, 10, 150, 50)),
    )
    whole = filled(given, found, [Role.PERSON], sure=0.5, doubtful=0.2)
    assert whole.roles == (Role.SCOOTER, Role.PERSON)  # the scooter it saw elsewhere is not for it to teach
    assert np.ptp(whole.picture[60:80, 60:80].reshape(-1, 3), axis=0).max() == 0
    assert np.ptp(given.picture[60:80, 60:80]) > 0
    assert whole.labelled == {Role.SCOOTER, Role.PERSON}


def test_a_bystanders_head_is_filled_in_though_riders_heads_are_labelled_and_theirs_not_twice() -> None:
    given = grey((Role.HELMET, (10, 10, 30, 30)))
    found = seen((Role.HEAD, 0.9, (11, 11, 31, 31)), (Role.HEAD, 0.9, (80, 10, 95, 28)))
    whole = filled(given, found, [Role.HELMET, Role.HEAD], sure=0.5, doubtful=0.2)
    assert whole.roles == (Role.HELMET, Role.HEAD)


def test_a_crop_keeps_what_it_shows_enough_of() -> None:
    given = grey((Role.PERSON, (10, 10, 50, 90)), (Role.CAR, (40, 0, 200, 100)), (Role.SCOOTER, (80, 20, 120, 60)))
    part = cropped(given, (0, 0, 100, 100), "part")
    assert part.roles == (Role.PERSON, Role.SCOOTER)
    assert part.xyxy[1].tolist() == [80, 20, 100, 60]


def test_the_closer_look_of_training_is_that_of_detect() -> None:
    given = grey((Role.PERSON, (60, 20, 85, 60)), (Role.SCOOTER, (55, 40, 95, 65)), (Role.CAR, (150, 0, 199, 40)))
    (look,) = closer_looks(given)
    assert look.picture.shape == (320, 320, 3)
    assert set(look.roles) == {Role.PERSON, Role.SCOOTER}


@pytest.mark.parametrize("seed", range(5))
def test_light_and_compression_leave_the_size_and_are_one_for_a_seed(seed: int) -> None:
    picture = np.random.default_rng(9).integers(0, 255, (37, 53, 3), np.uint8)
    one, two = (degraded(picture, np.random.default_rng(seed)) for _ in range(2))
    assert one.shape == picture.shape
    assert (one == two).all()
    assert (one != picture).any()


def test_a_shrunk_pictures_boxes_shrink_with_it() -> None:
    half = smaller(grey((Role.PERSON, (0, 0, 200, 100))), 0.5)
    assert half.xyxy[0].tolist() == [50, 25, 150, 75]
    assert half.picture.shape == (100, 200, 3)


def test_labels_are_yolos_and_specks_are_none() -> None:
    given = grey((Role.SCOOTER, (20, 10, 60, 50)), (Role.HEAD, (5, 5, 7, 7)))
    assert label_lines(given) == "1 0.200000 0.300000 0.200000 0.400000\n"
