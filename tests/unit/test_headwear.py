"""What a head wears: cutting heads out, answers as probabilities, and a detector that comes without a judge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.headwear import (
    GROWTH,
    INPUT_PX,
    WEARS,
    HeadJudge,
    Wear,
    cut,
    in_two,
    pooled,
    probabilities,
    scaled,
    window_of,
)
from quitboard.errors import ModelUnusable
from quitboard.records import FloatArray, Picture


class Brightness:
    """Calls bright heads helmets and dark ones bare."""

    canvas = None
    names: list[str] = []  # noqa: RUF012

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        for blob in blobs:
            assert blob.shape == (1, 3, INPUT_PX, INPUT_PX)
            bright = float(blob.mean()) - 0.5
            yield np.array([8 * bright, -8 * bright, -9, -9], np.float32)


def street() -> Picture:
    picture = np.full((120, 160, 3), 20, np.uint8)
    picture[40:80, 100:140] = 240
    return picture


def test_each_head_is_judged_by_its_own_pixels() -> None:
    boxes = np.array([[110, 50, 130, 70], [20, 20, 40, 44]], np.float32)
    judged = HeadJudge(Brightness(), temperature=1.0).judge(street(), boxes)
    assert judged[0, 0] > 0.9
    assert judged[1, 1] > 0.9


@pytest.mark.parametrize(
    ("judged", "helmet", "bare", "more_helmet"),
    [
        ((0.5, 0.5), 0.8, 0.0, True),
        ((0.5, 0.5), 0.0, 0.8, False),
        ((0.97, 0.02), 0.0, 0.8, True),
        ((0.02, 0.97), 0.8, 0.0, False),
        ((0.6, 0.3), 0.0, 0.0, True),
    ],
    ids=["torn, seen with one", "torn, seen bare", "sure of one", "sure of none", "seen as neither"],
)
def test_the_detectors_own_word_decides_where_the_judge_is_torn(
    judged: tuple[float, float], helmet: float, bare: float, more_helmet: bool
) -> None:
    told = pooled(np.array([judged], np.float32), np.array([helmet], np.float32), np.array([bare], np.float32))
    assert bool(told[0, 0] > told[0, 1]) == more_helmet
    assert told[0].sum() == pytest.approx(sum(judged))


def test_what_is_unclear_stays_unclear_whatever_the_detector_says() -> None:
    told = pooled(np.array([[0.02, 0.01]], np.float32), np.ones(1, np.float32), np.zeros(1, np.float32))
    assert told.max() <= 0.03


def test_a_head_alone_gives_the_bytes_it_gives_among_others() -> None:
    boxes = np.array([[110, 50, 130, 70], [20, 20, 40, 44], [90, 30, 130, 70]], np.float32)
    judge = HeadJudge(Brightness(), temperature=1.3)
    together = judge.judge(street(), boxes)
    alone = np.concatenate([judge.judge(street(), boxes[n : n + 1]) for n in range(3)])
    assert together.tobytes() == alone.tobytes()
    assert judge.judge(street(), boxes[:0]).shape == (0, 2)


def test_a_network_with_other_answers_is_refused() -> None:
    class Other(Brightness):
        def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
            for _ in blobs:
                yield np.zeros(7, np.float32)

    with pytest.raises(ModelUnusable, match="not one score for each of helmet, bare, cap, unclear"):
        HeadJudge(Other(), temperature=1.0).judge(street(), np.array([[1, 1, 9, 9]], np.float32))


def test_a_cap_is_no_helmet_and_unclear_is_neither() -> None:
    probable = np.zeros(len(WEARS), np.float32)
    probable[[WEARS.index(wear) for wear in (Wear.CAP, Wear.BARE, Wear.UNCLEAR)]] = 0.4, 0.3, 0.3
    np.testing.assert_allclose(in_two(probable), [0, 0.7], rtol=1e-6)


@given(st.lists(st.floats(-30, 30), min_size=4, max_size=4), st.floats(0.3, 5))
def test_temperature_changes_how_sure_an_answer_is_and_never_which(scores: list[float], temperature: float) -> None:
    raw, told = np.array(scores, np.float32), probabilities(np.array(scores, np.float32), temperature)
    assert told.sum() == pytest.approx(1, abs=1e-5)
    assert told[raw.argmax()] == told.max()


@given(st.tuples(*[st.floats(-40, 200)] * 2), st.tuples(*[st.floats(1, 90)] * 2))
def test_any_box_gives_a_square_around_its_middle(corner: tuple[float, float], size: tuple[float, float]) -> None:
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    left, top, side = window_of(box)
    assert side == max(3, round(GROWTH * max(box[2] - box[0], box[3] - box[1])))
    assert abs(left + side / 2 - (box[0] + box[2]) / 2) <= 1
    assert abs(top + side / 2 - (box[1] + box[3]) / 2) <= 1
    crop = cut(street(), (left, top, side))
    assert crop.shape == (side, side, 3)
    assert scaled(crop).shape == (INPUT_PX, INPUT_PX, 3)


def test_what_lies_outside_of_the_picture_is_its_edge_going_on() -> None:
    picture = street()
    picture[:, 0] = 77
    crop = cut(picture, (-10, 20, 30))
    assert (crop[:, :11] == 77).all()
    np.testing.assert_array_equal(crop[:, 10:], picture[20:50, :20])
