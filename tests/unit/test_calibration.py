"""Whether 0.9 means nine in ten, on cases that a reader can add up."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.models.calibration import reliability

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("said", "ece"),
    [
        ([(0.9, True)] * 9 + [(0.9, False)], 0.0),
        ([(0.9, True)] * 10, 0.1),
        ([(0.95, False)] * 4, 0.95),
        ([(1.0, True), (0.0, False)], 0.0),
        ([(0.8, True), (0.8, False), (0.25, False), (0.25, False)], 0.5 * 0.3 + 0.5 * 0.25),
    ],
)
def test_known_errors_of_calibration(said: list[tuple[float, bool]], ece: float) -> None:
    assert reliability(said).ece == pytest.approx(ece)


def test_nothing_said_has_no_error_to_tell() -> None:
    assert math.isnan(reliability([]).ece)
    assert reliability([]).n == 0


def test_a_bin_tells_its_n_and_its_interval() -> None:
    (one,) = reliability([(0.9, True)] * 9 + [(0.92, False)]).bins
    assert (one.from_confidence, one.to_confidence, one.right.n) == (0.9, 1.0, 10)
    assert one.right.low < one.right.value == 0.9 < one.right.high


@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(said: list[tuple[float, bool]], chance: random.Random) -> None:
    assert reliability(chance.sample(said, len(said))) == reliability(said)


@given(answers)
def test_the_error_is_a_share_and_bins_hold_every_answer(said: list[tuple[float, bool]]) -> None:
    told = reliability(said)
    assert 0 <= told.ece <= 1
    assert sum(one.right.n for one in told.bins) == told.n == len(said)
