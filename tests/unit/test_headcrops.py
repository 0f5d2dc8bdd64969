"""Heads for training: cut where the labels say, as small and poor as a street camera would see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quitboard.detect.headwear import INPUT_PX, WEARS, Wear, scaled
from quitboard.errors import NothingUsable
from quitboard.models import headcrops, headwear
from quitboard.models.headcrops import KEPT_PX, HeadCrops
from quitboard.records import FloatArray

NAMES = ("rider", "scooter", "helmet", "head")


def heads(*wears: Wear, source: str = "real x:0", size_px: float = 40.0) -> HeadCrops:
    rng = np.random.default_rng(0)
    return HeadCrops(
        crops=rng.integers(0, 255, (len(wears), KEPT_PX, KEPT_PX, 3)).astype(np.uint8),
        wear=np.array([WEARS.index(wear) for wear in wears], np.int64),
        size_px=np.full(len(wears), size_px, np.float32),
        source=np.array([source] * len(wears), "U48"),
    )


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """One picture: a bright helmet's shell at the left, a dark head at the right."""
    for part in ("images/train", "labels/train"):
        (tmp_path / part).mkdir(parents=True)
    picture = np.full((200, 400, 3), 120, np.uint8)
    picture[60:80, 80:120] = 250
    picture[60:100, 280:320] = 5
    cv2.imwrite(str(tmp_path / "images/train/a.png"), picture)
    (tmp_path / "labels/train/a.txt").write_text("2 0.25 0.35 0.1 0.1\n3 0.75 0.4 0.1 0.2\n1 0.5 0.5 0.9 0.9\n")
    return tmp_path


def of(crops: HeadCrops, wear: Wear) -> HeadCrops:
    return crops.only(crops.wear == WEARS.index(wear))


def test_labelled_heads_are_cut_out_whole_with_what_they_wear(real: Path) -> None:
    crops = headcrops.labelled(real, "train", NAMES)
    (helmet,), (bare,) = of(crops, Wear.HELMET).crops, of(crops, Wear.BARE).crops
    middle = KEPT_PX // 2
    assert helmet[middle - 8, middle].mean() > 200
    assert bare[middle, middle].mean() < 30
    assert of(crops, Wear.HELMET).size_px == pytest.approx(42, abs=0.1)  # the shell grown to the head


def test_a_table_corrects_what_a_label_cannot_say(real: Path, tmp_path: Path) -> None:
    table = tmp_path / "wears.csv"
    table.write_text("path,label_line,wear\nimages/train/a.png,1,cap\n")
    crops = headcrops.labelled(real, "train", NAMES, wears=table)
    assert (len(of(crops, Wear.CAP)), len(of(crops, Wear.BARE)), len(of(crops, Wear.HELMET))) == (1, 0, 1)


def test_a_small_head_is_kept_in_the_pixels_it_has(real: Path) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (200, 400, 3)).astype(np.uint8)
    cv2.imwrite(str(real / "images/train/a.png"), picture)
    (real / "labels/train/a.txt").write_text("3 0.5 0.5 0.03 0.06\n")
    (bare,) = of(headcrops.labelled(real, "train", NAMES), Wear.BARE).crops
    np.testing.assert_array_equal(bare, picture[52:148, 152:248])
    own = headwear.as_seen(bare, 12.0)
    side = round(headwear.GROWTH * (12 + headwear.BOX_SLACK_PX))
    corner = (100 - side // 2, 200 - side // 2)
    np.testing.assert_array_equal(own, scaled(picture[corner[0] :, corner[1] :][:side, :side]))


def test_what_is_cut_beside_heads_is_unclear_and_shows_none_of_them(real: Path) -> None:
    for crop in of(headcrops.labelled(real, "train", NAMES), Wear.UNCLEAR).crops:
        middle = crop[40:56, 40:56]
        assert 100 < middle.mean() < 140


def test_a_folder_without_a_head_is_refused(real: Path) -> None:
    (real / "labels/train/a.txt").write_text("1 0.5 0.5 0.9 0.9\n")
    with pytest.raises(NothingUsable, match="no head is labelled"):
        headcrops.labelled(real, "train", NAMES)


def drawn(folder: Path, name: str, **told: str) -> None:
    """A picture of one head that is twice as large in its truth."""
    for part in ("images", "truth"):
        (folder / part).mkdir(exist_ok=True)
    cv2.imwrite(str(folder / f"images/{name}.jpg"), np.full((90, 160, 3), 90, np.uint8))
    box = {"class": "head", "xyxy": [100, 100, 140, 150], "visible": 1.0, **told}
    truth = {"picture": f"images/{name}.jpg", "resolution": [320, 180], "boxes": [box]}
    (folder / f"truth/{name}.json").write_text(json.dumps(truth))


def test_rendered_streets_are_in_training_or_in_validation_never_in_both(tmp_path: Path) -> None:
    for number in (3, 9, 10, 49, 50):
        drawn(tmp_path, f"street-7-{number:05d}", head="hood", wear=f"hood-{number}")
    told = {
        which: sorted(of(headcrops.rendered(tmp_path, validation=which), Wear.CAP).source.tolist())
        for which in (True, False)
    }
    assert told == {
        True: ["rendered hood-3", "rendered hood-50", "rendered hood-9"],
        False: ["rendered hood-10", "rendered hood-49"],
    }
    assert headcrops.rendered(tmp_path, validation=True).size_px[0] == 25


def test_rides_of_a_place_are_in_training_or_in_validation_whatever_the_time(tmp_path: Path) -> None:
    for name, head in (("0005-004", "cap"), ("0005-104", "cap"), ("0006-005", "bare"), ("0006-050", "bare")):
        drawn(tmp_path, f"rides-7-{name}", head=head)
    validation = headcrops.rendered(tmp_path, validation=True)
    assert of(validation, Wear.CAP).source.tolist() == ["rendered cap"] * 2
    assert len(of(validation, Wear.BARE)) == 0
    assert len(of(headcrops.rendered(tmp_path, validation=False), Wear.BARE)) == 2


def test_kept_crops_come_back_as_they_were(tmp_path: Path) -> None:
    crops = heads(Wear.CAP, Wear.BARE)
    headcrops.save(crops, tmp_path / "heads.npz")
    again = headcrops.load(tmp_path / "heads.npz")
    for name in ("crops", "wear", "size_px", "source"):
        np.testing.assert_array_equal(getattr(again, name), getattr(crops, name))


# --- augmentation -------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(5, 200), st.sampled_from(WEARS))
def test_augmented_heads_have_the_networks_size_and_an_answer(seed: int, size_px: float, wear: Wear) -> None:
    (crop,) = heads(wear).crops
    made, target = headwear.augmented(crop, size_px, wear, np.random.default_rng(seed))
    assert made.shape == (INPUT_PX, INPUT_PX, 3)
    assert target.sum() == pytest.approx(1)
    assert target[WEARS.index(wear)] + target[WEARS.index(Wear.UNCLEAR)] >= 0.999
    again, _ = headwear.augmented(crop, size_px, wear, np.random.default_rng(seed))
    np.testing.assert_array_equal(made, again)


def test_a_street_cameras_head_may_stay_as_it_was_recorded() -> None:
    crop = np.zeros((KEPT_PX, KEPT_PX, 3), np.uint8)
    crop[:, ::2] = 240  # finer than any that is made smaller
    contrast = [
        max(
            np.ptp(headwear.augmented(crop, 16.0, Wear.CAP, np.random.default_rng(n), own_size=own)[0])
            for n in range(9)
        )
        for own in (0.0, 1.0)
    ]
    assert contrast[1] > 200 > contrast[0]


def test_a_head_of_five_pixels_is_mostly_unclear() -> None:
    (crop,) = heads(Wear.HELMET).crops
    answers = [headwear.augmented(crop, 5.0, Wear.HELMET, np.random.default_rng(n))[1] for n in range(40)]
    assert np.mean(answers, axis=0)[WEARS.index(Wear.UNCLEAR)] > 0.5


def test_each_wear_is_drawn_as_often_as_wanted_however_many_there_are() -> None:
    wears = [Wear.HELMET] * 50 + [Wear.BARE] * 5 + [Wear.CAP] + [Wear.UNCLEAR] * 9
    crops = headcrops.joined([heads(*wears), heads(*wears, source="rendered x")])
    odds = headwear._odds(crops)
    assert odds.sum() == pytest.approx(1)
    for wear, share in headwear.SHARES.items():
        mine = crops.wear == WEARS.index(wear)
        assert odds[mine].sum() == pytest.approx(share)
        assert odds[mine & np.char.startswith(crops.source, "real")].sum() == pytest.approx(share * headwear.REAL_SHARE)


# --- figures ------------------------------------------------------------------------------------------------------


class Overconfident:
    """Reads a head's wear from its brightness, wrongly for every fifth head, and is always quite sure."""

    canvas = None
    names: list[str] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.seen = 0

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        for blob in blobs:
            wrong = self.seen // 2 % 5 == 4
            self.seen += 1
            sign = 1 if (float(blob.mean()) > 0.5) is not wrong else -1
            yield np.array([2.0 * sign, -2.0 * sign, -9, -9], np.float32)


def bright_and_dark(count: int) -> HeadCrops:
    crops = heads(*[Wear.HELMET, Wear.CAP] * (count // 2))
    crops.crops[0::2], crops.crops[1::2] = 230, 20
    return crops


def test_the_temperature_takes_back_what_is_said_too_surely() -> None:
    crops = bright_and_dark(40)
    temperature = headwear.temperature_of(Overconfident(), crops)
    before, after = (headwear.measure(Overconfident(), crops, t)[0] for t in (1.0, temperature))
    assert temperature > 2
    assert (before.helmet_right, before.other_right) == (after.helmet_right, after.other_right)
    assert before.balanced == pytest.approx(0.8)
    assert after.calibration_error < 0.05 < before.calibration_error


def test_figures_say_how_many_heads_they_are_of() -> None:
    rows = headwear.measure(Overconfident(), bright_and_dark(20), 1.0)
    assert [row.size_px for row in rows] == [0, *headwear.SIZES_PX]
    assert {(row.helmets, row.others, row.caps) for row in rows} == {(10, 10, 10)}
