"""The page's figures: intervals, and what may be said of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from quitboard.site.figures import FEWEST, binomial_tail, differ, share, standing_out


@pytest.mark.parametrize(
    ("count", "base", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_published(count: int, base: int, low: float, high: float) -> None:
    found = share(count, base)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_estimate_within_0_and_1(count: int, base: int) -> None:
    found = share(count, base)
    assert 0 <= found.low <= found.high <= 1
    if found.known:
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("count", "base"), [(0, 0), (2, FEWEST - 1), (9, 7)])
def test_few_riders_or_more_cases_than_riders_carry_no_figure(count: int, base: int) -> None:
    assert not share(count, base).known


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.999))
def test_the_tail_is_the_binomial_s(count: int, more: int, p: float) -> None:
    base = count + more
    assert math.isclose(binomial_tail(count, base, p), float(binom.sf(count - 1, base, p)), rel_tol=1e-8, abs_tol=1e-12)


def test_one_case_in_a_small_cell_does_not_stand_out() -> None:
    cells = [share(1, 8), *(share(0, 8) for _ in range(60))]
    assert standing_out(dict(enumerate(cells)), share(1, 488)) == []


def test_places_far_above_the_others_stand_out_the_surest_first() -> None:
    places = {"gate": share(40, 200), "river": share(90, 200), "market": share(180, 400), "park": share(50, 400)}
    assert standing_out(places, share(360, 1200)) == ["market", "river"]


def test_a_place_of_fewer_than_five_riders_never_stands_out() -> None:
    assert standing_out({"gate": share(4, 4), "river": share(2, 400), "park": share(2, 400)}, share(8, 804)) == []


def test_a_single_place_has_nothing_to_stand_out_from() -> None:
    assert standing_out({"gate": share(90, 200)}, share(10, 200)) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((56, 70), (48, 80), True),
        ((9, 10), (3, 10), True),
        ((5, 56), (0, 29), False),
        ((30, 100), (33, 100), False),
        ((2, 4), (0, 4), False),
    ],
)
def test_a_difference_is_said_only_where_its_interval_leaves_out_zero(
    one: tuple[int, int], other: tuple[int, int], expected: bool
) -> None:
    assert differ(share(*one), share(*other)) is expected


def test_of_many_pairs_looked_at_one_that_only_chance_made_differ_is_not_said_to() -> None:
    one, other = share(24, 100), share(38, 100)
    assert differ(one, other)
    assert not differ(one, other, comparisons=6)
    assert differ(share(56, 70), share(8, 80), comparisons=6)
