"""The second look: where it looks, and whose word counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from quitboard.detect.closer import CROP_IMGSZ, MAX_CROPS, crops_of, look_closer
from quitboard.detect.company import CompanyJudge
from quitboard.detect.headwear import HeadJudge, pooled
from quitboard.records import ROLES, Detections, FloatArray, Picture, Role

Boxes = list[tuple[Role, tuple[float, float, float, float], float]]
PERSON = (Role.PERSON, (600.0, 300.0, 660.0, 460.0), 0.9)
SCOOTER = (Role.SCOOTER, (590.0, 380.0, 680.0, 470.0), 0.8)
BARE = (Role.HEAD, (620.0, 300.0, 644.0, 328.0), 0.6)


def detections(boxes: Boxes) -> Detections:
    return Detections(
        xyxy=np.array([box for _, box, _ in boxes], np.float32).reshape(-1, 4),
        confidence=np.array([sure for _, _, sure in boxes], np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in boxes], np.int64),
    )


class Closer:
    """Answers each crop with the same boxes, given in the crop's own pixels."""

    def __init__(self, answer: Boxes) -> None:
        self.answer = answer
        self.shapes: list[tuple[int, ...]] = []
        self.imgsz: int | None = None
        self.headwear: HeadJudge | None = None
        self.company: CompanyJudge | None = None

    def detect(
        self, pictures: Iterable[Picture], *, min_confidence: float | None = None, imgsz: int | None = None
    ) -> Iterator[Detections]:
        self.imgsz = imgsz
        for picture in pictures:
            self.shapes.append(picture.shape)
            yield detections(self.answer)


def heads(found: Detections) -> list[tuple[str, float]]:
    return sorted(
        (ROLES[class_id].value, round(float(sure), 2))
        for class_id, sure in zip(found.class_id, found.confidence, strict=True)
        if ROLES[class_id] in (Role.HEAD, Role.HELMET)
    )


def picture() -> Picture:
    return np.zeros((720, 1280, 3), np.uint8)


def helmet_in_crop(of: Detections) -> Boxes:
    (x1, y1, _, _), *_ = crops_of(of, width=1280, height=720)
    return [(Role.HELMET, (620.0 - x1, 300.0 - y1, 644.0 - x1, 328.0 - y1), 0.7)]


def test_a_head_seen_closer_takes_the_place_of_the_first_look_at_it() -> None:
    first = detections([PERSON, SCOOTER, BARE])
    closer = Closer(helmet_in_crop(first))
    assert heads(look_closer(picture(), first, closer, min_confidence=0.1)) == [("helmet", 0.7)]
    assert closer.imgsz == CROP_IMGSZ


def test_a_head_that_only_the_first_look_saw_stays() -> None:
    first = detections([PERSON, SCOOTER, BARE])
    assert heads(look_closer(picture(), first, Closer([]), min_confidence=0.1)) == [("head", 0.6)]


def test_persons_and_vehicles_stay_as_the_first_look_saw_them() -> None:
    first = detections([PERSON, SCOOTER])
    second = look_closer(picture(), first, Closer([(Role.CAR, (0.0, 0.0, 9.0, 9.0), 0.9)]), min_confidence=0.1)
    np.testing.assert_array_equal(second.xyxy, first.xyxy)
    np.testing.assert_array_equal(second.class_id, first.class_id)


@pytest.mark.parametrize(
    ("boxes", "crops"),
    [
        ([PERSON], 0),
        ([SCOOTER], 0),
        ([PERSON, (Role.SCOOTER, (900.0, 380.0, 990.0, 470.0), 0.9)], 0),
        ([PERSON, (Role.CAR, (590.0, 380.0, 680.0, 470.0), 0.9)], 0),
        ([PERSON, SCOOTER], 1),
        ([PERSON, (Role.PERSON, (604.0, 304.0, 664.0, 462.0), 0.8), SCOOTER], 1),
        ([(Role.PERSON, (600.0, 100.0, 800.0, 700.0), 0.9), (Role.SCOOTER, (600.0, 400.0, 800.0, 710.0), 0.9)], 0),
        ([(Role.PERSON, (600.0, 300.0, 608.0, 320.0), 0.9), (Role.SCOOTER, (600.0, 310.0, 610.0, 322.0), 0.9)], 0),
    ],
    ids=["walker", "parked", "apart", "by a car", "rider", "two on one", "large enough already", "too small to tell"],
)
def test_only_possible_riders_are_looked_at_closer(boxes: Boxes, crops: int) -> None:
    assert len(crops_of(detections(boxes), width=1280, height=720)) == crops


def test_crops_are_squares_inside_the_picture_and_few() -> None:
    boxes: Boxes = []
    for number in range(9):
        x, tall = 20.0 + 140 * number, 60.0 + 10 * number
        boxes += [
            (Role.PERSON, (x, 5.0, x + 40, 5 + tall), 0.9),
            (Role.BICYCLE, (x - 15, 30.0, x + 60, 8 + tall), 0.9),
        ]
    found = crops_of(detections(boxes), width=1280, height=720)
    assert len(found) == MAX_CROPS
    for x1, y1, x2, y2 in found:
        assert x2 - x1 == y2 - y1
        assert 0 <= x1 < x2 <= 1280
        assert 0 <= y1 < y2 <= 720
    assert [x2 - x1 for x1, _, x2, _ in found] == sorted((x2 - x1 for x1, _, x2, _ in found), reverse=True)


class Judge(HeadJudge):
    """Says of every head that it wears a helmet, and remembers which heads it was asked about."""

    def __init__(self) -> None:
        self.asked: list[list[float]] = []

    def judge(self, picture: Picture, boxes: FloatArray) -> FloatArray:
        self.asked += boxes.tolist()
        return np.tile(np.array([[0.9, 0.08]], np.float32), (len(boxes), 1))


def with_judge(answer: Boxes) -> tuple[Closer, Judge]:
    closer, judge = Closer(answer), Judge()
    closer.headwear = judge
    return closer, judge


def test_heads_of_possible_riders_are_judged_apart_and_no_others() -> None:
    walker = (Role.PERSON, (100.0, 300.0, 160.0, 460.0), 0.9)
    his_head = (Role.HEAD, (120.0, 300.0, 144.0, 328.0), 0.6)
    closer, judge = with_judge([])
    seen = look_closer(picture(), detections([PERSON, SCOOTER, BARE, walker, his_head]), closer, min_confidence=0.1)
    assert judge.asked == [list(BARE[1])]
    assert seen.wear is not None
    expected = pooled(np.array([[0.9, 0.08]], np.float32), np.zeros(1, np.float32), np.array([BARE[2]], np.float32))
    np.testing.assert_allclose(seen.wear[2], expected[0], rtol=1e-6)
    assert np.isnan(np.delete(seen.wear, 2, axis=0)).all()


def test_judging_changes_no_box() -> None:
    """The anonymiser fills every head that was seen, whatever the judge says of it."""
    first = detections([PERSON, SCOOTER, BARE])
    judged = look_closer(picture(), first, with_judge([])[0], min_confidence=0.1)
    plain = look_closer(picture(), first, Closer([]), min_confidence=0.1)
    for name in ("xyxy", "confidence", "class_id"):
        np.testing.assert_array_equal(getattr(judged, name), getattr(plain, name))


def test_a_rider_whose_head_is_found_is_looked_at_closer_all_the_same() -> None:
    """Somebody may ride along: of two heads side by side the first look mostly sees one."""
    closer, _ = with_judge([])
    look_closer(picture(), detections([PERSON, SCOOTER, BARE]), closer, min_confidence=0.1)
    assert len(closer.shapes) == 1


class Crowd(CompanyJudge):
    """Says of every rider whether he is alone."""

    def __init__(self, more: float) -> None:
        self.more = more

    def judge(self, picture: Picture, windows: Iterable[tuple[int, int, int]]) -> FloatArray:
        return np.tile(np.array([[0.95 - self.more, self.more]], np.float32), (len(list(windows)), 1))


@pytest.mark.parametrize(("more", "looks"), [(0.8, 2), (0.2, 1)], ids=["not alone", "alone"])
def test_heads_of_two_are_looked_for_once_more_from_nearer(more: float, looks: int) -> None:
    walker = (Role.PERSON, (100.0, 300.0, 160.0, 460.0), 0.9)
    first = detections([PERSON, SCOOTER, walker])
    closer = Closer([(Role.HEAD, (40.0, 10.0, 64.0, 38.0), 0.06)])
    closer.company = Crowd(more)
    seen = look_closer(picture(), first, closer, min_confidence=0.1)
    assert len(closer.shapes) == looks
    assert len(heads(seen)) == looks
    assert seen.company is not None
    np.testing.assert_allclose(seen.company[0], [0.95 - more, more], atol=1e-6)
    assert np.isnan(seen.company[1:]).all()


def test_a_head_that_is_known_is_not_found_again_from_nearer() -> None:
    first = detections([PERSON, SCOOTER, BARE])
    closer = Closer([])
    closer.company = Crowd(0.9)
    found = look_closer(picture(), first, closer, min_confidence=0.1)
    assert heads(found) == [("head", 0.6)]


def test_a_head_in_two_crops_is_one() -> None:
    other = (Role.PERSON, (730.0, 310.0, 790.0, 470.0), 0.8)
    bicycle = (Role.BICYCLE, (720.0, 390.0, 810.0, 480.0), 0.8)
    first = detections([PERSON, SCOOTER, other, bicycle])
    windows = crops_of(first, width=1280, height=720)
    assert len(windows) == 2

    class Both(Closer):
        def detect(
            self, pictures: Iterable[Picture], *, min_confidence: float | None = None, imgsz: int | None = None
        ) -> Iterator[Detections]:
            for (x1, y1, _, _), _crop in zip(windows, pictures, strict=True):
                yield detections([(Role.HEAD, (690.0 - x1, 300.0 - y1, 714.0 - x1, 328.0 - y1), 0.6)])

    assert heads(look_closer(picture(), first, Both([]), min_confidence=0.1)) == [("head", 0.6)]
