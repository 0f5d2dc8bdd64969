"""Measuring runs what `detect` runs: the detector alone, with the closer look, and with heads judged apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from quitboard.models.labelled import read_set
from quitboard.models.measure import ALONE, CLOSER, JUDGED, judged, measure
from quitboard.records import ROLES, Detections, FloatArray, Picture, Role

Found = list[tuple[Role, float, tuple[float, float, float, float]]]
HELMET = "2 0.5 0.5 0.1 0.2\n"  # 90, 40, 110, 60 px
RIGHT = (Role.HELMET, 0.9, (90.0, 40.0, 110.0, 60.0))
WRONG = (Role.HELMET, 0.8, (0.0, 0.0, 20.0, 20.0))
RIDER: Found = [(Role.PERSON, 0.9, (80.0, 40.0, 120.0, 95.0)), (Role.SCOOTER, 0.9, (75.0, 60.0, 125.0, 99.0))]


def detections(found: Found) -> Detections:
    return Detections(
        xyxy=np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
        confidence=np.array([confidence for _, confidence, _ in found], np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in found], np.int64),
    )


class Told:
    """A detector that finds what it is told to: one list for each whole picture, nothing in crops."""

    thresholds = dict.fromkeys(ROLES, 0.25)

    def __init__(self, *found: Found, wear: tuple[float, float] | None = None) -> None:
        self.found = iter(found)
        self.headwear = None if wear is None else self
        self.company = None
        self.wear = wear

    def detect(
        self, pictures: Iterable[Picture], *, min_confidence: float | None = None, imgsz: int | None = None
    ) -> Iterator[Detections]:
        for picture in pictures:
            yield detections(next(self.found) if picture.shape[1] == 200 else [])

    def judge(self, picture: Picture, boxes: FloatArray) -> FloatArray:
        return np.array([self.wear] * len(boxes), np.float32).reshape(-1, 2)


def labelled_set(folder: Path, *labels: str) -> Path:
    for number, text in enumerate(labels):
        for part in ("images", "labels"):
            (folder / part).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), np.zeros((100, 200, 3), np.uint8))
        (folder / "labels" / f"{number}.txt").write_text(text)
    return folder


def test_one_right_and_one_wrong_box(tmp_path: Path) -> None:
    pictures = read_set(labelled_set(tmp_path, HELMET)).pictures
    (alone, closer), set_aside = measure(Told([RIGHT, WRONG]), pictures)  # type: ignore[arg-type]
    assert (alone.way, closer.way, set_aside) == (ALONE, CLOSER, [])
    one = alone.figures.by_role[Role.HELMET]
    assert (one.ap50.n, one.ap50.value, one.precision.value, one.recall.value) == (1, 1.0, 0.5, 1.0)
    assert [(m.kind, m.role) for m in alone.seen[0].mistakes] == [("false", Role.HELMET)]


def test_the_closer_look_may_find_what_the_first_did_not(tmp_path: Path) -> None:
    class Closer(Told):
        def detect(self, pictures: Iterable[Picture], **_: object) -> Iterator[Detections]:  # type: ignore[override]
            for picture in pictures:
                x = picture.shape[1] / 2
                is_whole = picture.shape[1] == 200
                yield detections(RIDER if is_whole else [(Role.HELMET, 0.9, (x - 10, x - 30, x + 10, x - 10))])

    pictures = read_set(labelled_set(tmp_path, "2 0.5 0.5 0.1 0.2\n")).pictures
    (alone, closer), _ = measure(Closer(), pictures)  # type: ignore[arg-type]
    assert alone.figures.by_role[Role.HELMET].recall.value == 0.0
    assert closer.figures.by_role[Role.HELMET].recall.n == 1
    assert len(closer.seen[0].found) == len(alone.seen[0].found) + 1


@pytest.mark.parametrize(
    ("wear", "said"),
    [((0.9, 0.05), Role.HELMET), ((0.03, 0.9), Role.HEAD), ((0.45, 0.45), Role.HELMET), ((0.2, 0.2), None)],
    ids=["helmet", "bare", "torn, and the detector is not", "unclear is said of nobody"],
)
def test_a_judge_of_heads_weighs_most(tmp_path: Path, wear: tuple[float, float], said: Role | None) -> None:
    pictures = read_set(labelled_set(tmp_path, HELMET)).pictures
    ways, _ = measure(Told([*RIDER, RIGHT], wear=wear), pictures)  # type: ignore[arg-type]
    assert [one.way for one in ways] == [ALONE, CLOSER, JUDGED]
    assert ways[1].heads == {(Role.HELMET, Role.HELMET): 1}
    assert ways[2].heads == {(Role.HELMET, said): 1}


def test_two_boxes_on_one_head_become_one_when_it_is_judged() -> None:
    found = detections([RIGHT, (Role.HEAD, 0.6, (91.0, 40.0, 111.0, 60.0)), WRONG])
    wear = np.array([[0.1, 0.8], [0.1, 0.8], [np.nan, np.nan]], np.float32)
    told = judged(Detections(xyxy=found.xyxy, confidence=found.confidence, class_id=found.class_id, wear=wear))
    assert [(ROLES[c], round(float(s), 1)) for c, s in zip(told.class_id, told.confidence, strict=True)] == [
        (Role.HEAD, 0.9),
        (Role.HELMET, 0.8),
    ]


def test_nothing_but_pictures_that_cannot_be_read_measures_nothing(tmp_path: Path) -> None:
    folder = labelled_set(tmp_path, HELMET)
    (folder / "images" / "0.png").write_bytes(b"no picture")
    (alone, _), set_aside = measure(Told(), read_set(folder).pictures)  # type: ignore[arg-type]
    assert len(set_aside) == 1
    assert alone.figures.by_role == {}


def test_a_picture_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = labelled_set(tmp_path, HELMET, HELMET)
    (folder / "images" / "0.png").write_bytes(b"no picture")
    (folder / "images" / "2.png").touch()
    (folder / "labels" / "2.txt").write_text(HELMET)
    (alone, _), set_aside = measure(Told([RIGHT]), read_set(folder).pictures)  # type: ignore[arg-type]
    assert [item.name for item in set_aside] == ["images/0.png", "images/2.png"]
    assert alone.figures.by_role[Role.HELMET].pictures == 1
