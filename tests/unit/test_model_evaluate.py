from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.errors import NothingUsable
from quitboard.models.evaluate import ClassFigures, average_precision, evaluate, labelled_pictures
from quitboard.records import ROLES, Detections, ModelCard, Picture, Role

Found = list[tuple[Role, float, tuple[float, float, float, float]]]


class Told:
    """A detector that finds what it is told to: one list for each picture."""

    card = ModelCard(name="told", sha256="")

    def __init__(self, *found: Found) -> None:
        self.found = found

    def detect(self, pictures: Iterable[Picture], *, min_confidence: float | None = None) -> Iterator[Detections]:
        for _, found in zip(pictures, self.found, strict=True):
            yield Detections(
                xyxy=np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
                confidence=np.array([confidence for _, confidence, _ in found], np.float32),
                class_id=np.array([ROLES.index(role) for role, _, _ in found], np.int64),
            )


def labelled_set(folder: Path, labels: list[str], manifest: str | None = None) -> Path:
    for number, text in enumerate(labels):
        for part in ("images", "labels"):
            (folder / part / "test").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "images" / "test" / f"{number}.png"), np.zeros((100, 200, 3), np.uint8))
        (folder / "labels" / "test" / f"{number}.txt").write_text(text)
    if manifest is not None:
        (folder / "manifest.csv").write_text("path,labelled_classes\n" + manifest)
    return folder


HELMET = "2 0.5 0.5 0.1 0.2\n"  # 90, 40, 110, 60 px
RIGHT = (Role.HELMET, 0.9, (90.0, 40.0, 110.0, 60.0))
WRONG = (Role.HELMET, 0.8, (0.0, 0.0, 20.0, 20.0))


def figures(folder: Path, *found: Found, threshold: float = 0.25) -> dict[Role, ClassFigures]:
    return evaluate(Told(*found), labelled_pictures(folder, "test"), confidence=threshold)  # type: ignore[arg-type]


def test_one_right_and_one_wrong_box(tmp_path: Path) -> None:
    one = figures(labelled_set(tmp_path, [HELMET]), [RIGHT, WRONG])[Role.HELMET]
    assert (one.n, one.pictures, one.ap50, one.precision, one.recall) == (1, 1, 1.0, 0.5, 1.0)


def test_a_label_is_found_once_and_its_double_is_wrong(tmp_path: Path) -> None:
    double = (Role.HELMET, 0.7, (91.0, 40.0, 111.0, 60.0))
    one = figures(labelled_set(tmp_path, [HELMET]), [RIGHT, double])[Role.HELMET]
    assert (one.precision, one.recall) == (0.5, 1.0)


def test_a_box_that_overlaps_by_less_than_half_is_wrong(tmp_path: Path) -> None:
    off = (Role.HELMET, 0.9, (97.0, 40.0, 117.0, 60.0))
    assert figures(labelled_set(tmp_path, [HELMET]), [off])[Role.HELMET].recall == 0.0


def test_precision_and_recall_are_told_at_the_threshold_and_ap_over_all(tmp_path: Path) -> None:
    one = figures(labelled_set(tmp_path, [HELMET]), [RIGHT], threshold=0.95)[Role.HELMET]
    assert (one.ap50, one.recall) == (1.0, 0.0)
    assert np.isnan(one.precision)


def test_a_class_that_a_picture_does_not_label_is_neither_false_nor_missed_there(tmp_path: Path) -> None:
    folder = labelled_set(tmp_path, [HELMET, ""], 'images/test/0.png,"helmet,head"\nimages/test/1.png,rider\n')
    told = figures(folder, [RIGHT], [WRONG])
    assert list(told) == [Role.HELMET]
    assert (told[Role.HELMET].pictures, told[Role.HELMET].precision) == (1, 1.0)


def test_without_a_manifest_every_picture_labels_everything(tmp_path: Path) -> None:
    one = figures(labelled_set(tmp_path, [HELMET, ""]), [RIGHT], [WRONG])[Role.HELMET]
    assert (one.pictures, one.precision) == (2, 0.5)


def test_the_interval_is_the_same_each_time_and_holds_the_value(tmp_path: Path) -> None:
    folder = labelled_set(tmp_path, [HELMET] * 8)
    found: list[Found] = [[RIGHT] if number % 2 else [WRONG] for number in range(8)]
    first, again = (figures(folder, *found)[Role.HELMET] for _ in range(2))
    assert first == again
    assert first.recall_low < first.recall == 0.5 < first.recall_high


def test_a_set_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingUsable, match="no labelled picture"):
        labelled_pictures(tmp_path, "test")


@pytest.mark.parametrize(
    ("right", "labelled", "ap"),
    [
        ([], 3, 0.0),
        ([True, True], 2, 1.0),
        ([True, False, True], 2, 0.5 + 0.5 * 2 / 3),
        ([False, True], 1, 0.5),
        ([True], 4, 0.25),
    ],
)
def test_average_precision_of_known_rankings(right: list[bool], labelled: int, ap: float) -> None:
    confidence = np.linspace(0.9, 0.1, len(right)).astype(np.float32)
    assert average_precision(confidence, np.array(right, bool), labelled) == pytest.approx(ap)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 10))
def test_average_precision_is_a_share_and_a_false_box_below_all_changes_nothing(right: list[bool], missed: int) -> None:
    labelled = max(sum(right) + missed, 1)
    confidence = np.linspace(0.9, 0.2, len(right)).astype(np.float32)
    ap = average_precision(confidence, np.array(right, bool), labelled)
    assert 0 <= ap <= 1
    longer = average_precision(np.append(confidence, np.float32(0.1)), np.array([*right, False], bool), labelled)
    assert longer == pytest.approx(ap)
