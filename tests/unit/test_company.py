"""How many ride: which squares are judged, what becomes of the answers, and how riders are cut for training."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard import files
from quitboard.detect.company import (
    ANSWERS,
    GROWTH,
    INPUT_PX,
    MAX_JUDGED,
    Answer,
    Company,
    CompanyJudge,
    company_of,
    window_of,
    windows_of,
)
from quitboard.errors import ModelUnusable, NothingUsable, SettingsError
from quitboard.models import company, companycrops, headcrops, recipe
from quitboard.records import ROLES, Detections, FloatArray, Picture, Role

Boxes = list[tuple[Role, tuple[float, float, float, float]]]
PERSON = (Role.PERSON, (600.0, 300.0, 660.0, 460.0))
SCOOTER = (Role.SCOOTER, (590.0, 380.0, 680.0, 470.0))


def detections(boxes: Boxes) -> Detections:
    return Detections(
        xyxy=np.array([box for _, box in boxes], np.float32).reshape(-1, 4),
        confidence=np.full(len(boxes), 0.8, np.float32),
        class_id=np.array([ROLES.index(role) for role, _ in boxes], np.int64),
    )


class Brightness:
    """Says of bright crops that more than one rides."""

    canvas = None
    names: list[str] = []  # noqa: RUF012
    answers = 3

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        for blob in blobs:
            assert blob.shape == (1, 3, INPUT_PX, INPUT_PX)
            bright = float(blob.mean()) - 0.5
            yield np.array([-8 * bright, 8 * bright, *[-9] * (self.answers - 2)], np.float32)


def picture() -> Picture:
    made = np.full((720, 1280, 3), 10, np.uint8)
    made[:, 640:] = 240
    return made


def test_each_rider_is_judged_by_his_own_pixels_alone_or_among_others() -> None:
    windows = [(100, 100, 80), (900, 100, 80), (300, 50, 31)]
    judge = CompanyJudge(Brightness(), temperature=1.2)
    together = judge.judge(picture(), windows)
    assert together[0, 0] > 0.9
    assert together[1, 1] > 0.9
    assert together.tobytes() == np.concatenate([judge.judge(picture(), [one]) for one in windows]).tobytes()


def test_a_network_with_other_answers_is_refused() -> None:
    other = Brightness()
    other.answers = 5
    with pytest.raises(ModelUnusable, match="not one score for each of one, more, unclear"):
        CompanyJudge(other, temperature=1.0).judge(picture(), [(1, 1, 40)])


@pytest.mark.parametrize(
    ("boxes", "judged"),
    [
        ([PERSON], []),
        ([SCOOTER], []),
        ([PERSON, (Role.SCOOTER, (900.0, 380.0, 990.0, 470.0))], []),
        ([PERSON, (Role.CAR, SCOOTER[1])], []),
        ([PERSON, SCOOTER], [0]),
        ([SCOOTER, PERSON, (Role.PERSON, (604.0, 304.0, 664.0, 462.0))], [1, 2]),
        ([PERSON, (Role.SCOOTER, (590.0, 470.0, 680.0, 560.0))], []),
        ([(Role.PERSON, (600.0, 300.0, 605.0, 312.0)), (Role.SCOOTER, (598.0, 304.0, 608.0, 314.0))], []),
    ],
    ids=["walker", "parked", "apart", "by a car", "rider", "two", "behind one parked nearer", "too small to tell"],
)
def test_only_persons_over_a_vehicle_are_judged(boxes: Boxes, judged: list[int]) -> None:
    riders, windows = windows_of(detections(boxes))
    assert riders.tolist() == judged
    assert len(windows) == len(judged)


def test_of_many_the_tallest_are_judged() -> None:
    boxes: Boxes = []
    for number in range(MAX_JUDGED + 3):
        x, tall = 20.0 + 100 * number, 60.0 + 10 * number
        boxes += [(Role.PERSON, (x, 5.0, x + 30, 5 + tall)), (Role.SCOOTER, (x - 5, 30.0, x + 35, 8 + tall))]
    riders, _ = windows_of(detections(boxes))
    assert riders.tolist() == list(range(6, 2 * (MAX_JUDGED + 3), 2))


@given(st.tuples(*[st.floats(0, 400)] * 2), st.tuples(*[st.floats(4, 90)] * 2), st.floats(-20, 20))
def test_the_square_is_around_rider_and_vehicle(
    corner: tuple[float, float], size: tuple[float, float], shift: float
) -> None:
    person = np.array([*corner, corner[0] + size[0], corner[1] + size[1]], np.float32)
    vehicle = person + np.float32(shift)
    left, top, side = window_of(person, vehicle)
    low, high = (np.minimum(person, vehicle)[:2].astype(float), np.maximum(person, vehicle)[2:].astype(float))
    assert side == max(8, round(GROWTH * float((high - low).max())))
    assert abs(left + side / 2 - (low[0] + high[0]) / 2) <= 1
    assert abs(top + side / 2 - (low[1] + high[1]) / 2) <= 1


def test_what_was_said_is_found_again_by_instant_and_box() -> None:
    seen = detections([PERSON, SCOOTER])
    said = np.array([[0.2, 0.7], [np.nan, np.nan]], np.float32)
    frame = Detections(xyxy=seen.xyxy, confidence=seen.confidence, class_id=seen.class_id, company=said)
    kept = company_of([(0, seen), (200_000, frame), (400_000, frame.only(np.array([1])))])
    boxes = np.array([PERSON[1]] * 3, np.float32)
    told = kept.of([0, 200_000, 400_000], boxes)
    assert np.isnan(told[[0, 2]]).all()
    np.testing.assert_allclose(told[1], [0.2, 0.7], rtol=1e-6)
    assert np.isnan(kept.of([200_000], boxes[:1] + 100)).all()
    assert np.isnan(Company.none().of([0], boxes[:1])).all()


# --- riders cut for training ------------------------------------------------------------------------------------------


def row(kind: Role, track: int, box: list[float], visible: float = 1.0, **more: int) -> dict[str, object]:
    return {"class": kind.value, "track": track, "xyxy": box, "visible": visible, **more}


ALONE = [row(Role.SCOOTER, 9, [40, 80, 90, 150]), row(Role.PERSON, 1, [45, 20, 85, 140], rides=9, seat=0)]


@pytest.mark.parametrize(
    ("boxes", "answers"),
    [
        (ALONE, ["one"]),
        ([*ALONE, row(Role.PERSON, 2, [55, 25, 95, 140], rides=9, seat=1)], ["more", "more"]),
        ([*ALONE, row(Role.PERSON, 2, [55, 25, 95, 140], 0.05, rides=9, seat=1)], ["unclear"]),
        ([*ALONE, row(Role.PERSON, 2, [55, 25, 95, 140], 0.2, rides=9, seat=1)], []),
        ([*ALONE, row(Role.PERSON, 2, [60, 25, 100, 150])], ["one"]),
        (ALONE[:1], []),
        (ALONE[1:], []),
    ],
    ids=["alone", "two", "the second hidden", "the second half hidden", "a walker beside", "parked", "walker"],
)
def test_rendered_truth_says_how_many_ride(boxes: list[dict[str, object]], answers: list[str], tmp_path: Path) -> None:
    for folder in ("images", "truth"):
        (tmp_path / folder).mkdir()
    told = {"picture": "images/rides-1-0001-000.jpg", "resolution": [240, 180], "boxes": boxes}
    (tmp_path / "truth" / "rides-1-0001-000.json").write_text(json.dumps(told))
    cv2.imwrite(str(tmp_path / "images" / "rides-1-0001-000.jpg"), np.full((180, 240, 3), 90, np.uint8))
    if not answers:
        with pytest.raises(NothingUsable, match="no rider"):
            companycrops.rendered(tmp_path, validation=False)
        return
    crops = companycrops.rendered(tmp_path, validation=False)
    assert [ANSWERS[n] for n in crops.answer] == answers
    assert crops.crops.shape[1:] == (companycrops.KEPT_PX, companycrops.KEPT_PX, 3)
    assert ("near" in str(crops.source[0])) == (len(boxes) == 3 and "rides" not in boxes[2])


@pytest.mark.parametrize(("stem", "place"), [("street-1-00037", 3), ("rides-612-0007-120", 7)])
def test_pictures_of_one_place_are_never_on_both_sides(stem: str, place: int) -> None:
    assert headcrops.place_of(stem) == place


def test_real_riders_come_from_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "quay"
    (folder / "images" / "val").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "val" / "a.png"), np.full((90, 120, 3), 60, np.uint8))
    table = tmp_path / "riders.csv"
    table.write_text("set,path,x0,y0,x1,y1,answer\nquay,images/val/a.png,20,10,60,80,more\nother,b.png,1,1,40,40,one\n")
    crops = companycrops.labelled(folder, "val", table)
    assert [ANSWERS[n] for n in crops.answer] == [Answer.MORE]
    assert crops.size_px[0] == pytest.approx(70, abs=1)
    with pytest.raises(NothingUsable, match="no rider of quay, train"):
        companycrops.labelled(folder, "train", table)
    table.write_text("set,path\nquay,images/val/a.png\n")
    with pytest.raises(SettingsError, match="not a table of riders"):
        companycrops.labelled(folder, "val", table)


@given(st.integers(0, 500), st.sampled_from(ANSWERS), st.floats(10, 300))
def test_an_augmented_rider_has_the_networks_size_and_one_answer_in_all(
    seed: int, answer: Answer, size_px: float
) -> None:
    crop = np.random.default_rng(seed).integers(0, 255, (companycrops.KEPT_PX,) * 2 + (3,), np.uint8)
    made, target = company.augmented(crop, size_px, answer, np.random.default_rng(seed))
    again, _ = company.augmented(crop, size_px, answer, np.random.default_rng(seed))
    assert made.shape == (INPUT_PX, INPUT_PX, 3)
    assert target.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(made, again)


def riders(count: int) -> companycrops.CompanyCrops:
    """Dark ones alone, bright ones in company; an eighth of either real."""
    is_more = np.arange(count) % 2 == 1
    crops = np.where(is_more[:, None, None, None], np.uint8(220), np.uint8(30))
    return companycrops.CompanyCrops(
        crops=np.broadcast_to(crops, (count, companycrops.KEPT_PX, companycrops.KEPT_PX, 3)).copy(),
        answer=is_more.astype(np.int64),
        size_px=np.full(count, 80, np.float32),
        source=np.array(["real" if n % 8 < 2 else "rendered near" if n % 8 < 4 else "rendered" for n in range(count)]),
    )


def test_answers_and_real_riders_are_drawn_as_often_as_said() -> None:
    crops = riders(32)
    odds = company.odds_of(crops)
    is_real = np.char.startswith(crops.source, "real")
    both = company.SHARES[Answer.ONE] + company.SHARES[Answer.MORE]
    assert odds[crops.answer == 1].sum() == pytest.approx(company.SHARES[Answer.MORE] / both)
    assert odds[is_real].sum() == pytest.approx(company.REAL_SHARE)
    assert odds[2] == pytest.approx(company.NEAR_WEIGHT * odds[4])


def test_measuring_counts_what_is_right_at_every_size() -> None:
    rows = company.measure(Brightness(), riders(16), 1.0)
    assert [one.size_px for one in rows] == [0, *company.SIZES_PX]
    for one in rows:
        assert (one.alone, one.more, one.alone_right, one.more_right, one.unclear) == (8, 8, 1.0, 1.0, 0.0)


def test_a_network_that_errs_as_surely_as_it_is_right_is_cooled() -> None:
    class Overconfident(Brightness):
        def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
            for number, scores in enumerate(super().infer(blobs)):
                yield scores if number % 8 > 1 else scores[[1, 0, 2]]  # a crop and its mirror image

    crops = riders(16)
    temperature = company.temperature_of(Overconfident(), crops)
    assert temperature > 1.5
    before, after = (company.measure(Overconfident(), crops, one)[0].calibration_error for one in (1.0, temperature))
    assert after < before


def test_every_rider_of_the_shipped_table_is_in_a_set_the_recipe_trains_on_and_no_set_is_without() -> None:
    table = files.resource("data/training/company.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = recipe.read(files.resource("data/models/default/recipe.toml")).company
    assert wanted is not None
    assert {row["set"] for row in rows} == {Path(name).name for name in (*wanted.real, *wanted.train_only)}
    boxes = np.array([[float(row[name]) for name in ("x0", "y0", "x1", "y1")] for row in rows])
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert {row["answer"] for row in rows} <= set(ANSWERS)
    assert len({tuple(row.values()) for row in rows}) == len(rows)
