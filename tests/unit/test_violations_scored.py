"""What figures on recordings rest on: each act and each report counts once, and a second report is no success."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.models.violations import Happening, f1, figures, is_true, score


def at(kind: str, from_s: float, to_s: float, recording: str = "gate", tracks: set[int] | None = None) -> Happening:
    told = None if tracks is None else frozenset(tracks)
    return Happening(recording=recording, kind=kind, from_s=from_s, to_s=to_s, what="", tracks=told)


@pytest.mark.parametrize(
    ("true", "reported", "found", "missed", "false"),
    [
        ([], [], 0, 0, 0),
        ([at("sidewalk", 10, 14)], [at("sidewalk", 12, 13)], 1, 0, 0),
        ([at("sidewalk", 10, 14)], [at("sidewalk", 15, 16)], 1, 0, 0),
        ([at("sidewalk", 10, 14)], [at("sidewalk", 30, 31)], 0, 1, 1),
        ([at("sidewalk", 10, 14)], [at("two_up", 10, 14)], 0, 1, 1),
        ([at("sidewalk", 10, 14)], [at("sidewalk", 10, 14, "crossing")], 0, 1, 1),
        ([at("sidewalk", 10, 14)], [at("sidewalk", 10, 12), at("sidewalk", 13, 14)], 1, 0, 1),
        ([at("sidewalk", 10, 14), at("sidewalk", 13, 20)], [at("sidewalk", 11, 19)], 1, 1, 0),
        ([at("sidewalk", 0, 9), at("sidewalk", 8, 20)], [at("sidewalk", 1, 9), at("sidewalk", 0, 3)], 2, 0, 0),
        ([], [at("sidewalk", 10, 12)], 0, 0, 1),
    ],
)
def test_matching_by_kind_and_time(true: list, reported: list, found: int, missed: int, false: int) -> None:
    result = score(true, reported)
    assert (len(result.found), len(result.missed), len(result.false)) == (found, missed, false)


@pytest.mark.parametrize(
    ("act", "said", "found"),
    [
        ({1, 2}, {2}, 1),
        ({1, 2}, {3}, 0),
        ({1, 2}, set(), 0),  # on nobody
        (None, {3}, 1),  # the truth does not tell boxes: time alone
        ({1, 2}, None, 1),
    ],
)
def test_a_report_about_somebody_else_at_the_same_time_finds_nothing(
    act: set[int] | None, said: set[int] | None, found: int
) -> None:
    assert len(score([at("two_up", 0, 5, tracks=act)], [at("two_up", 0, 5, tracks=said)]).found) == found


def test_a_second_report_of_what_was_found_is_false_and_called_a_double() -> None:
    result = score([at("sidewalk", 10, 14)], [at("sidewalk", 10, 12), at("sidewalk", 13, 14), at("sidewalk", 60, 61)])
    assert (len(result.found), len(result.false), len(result.doubles())) == (1, 2, 1)


def test_whether_something_is_true_does_not_depend_on_how_often_it_is_said() -> None:
    act = at("sidewalk", 10, 14)
    assert is_true(at("sidewalk", 10, 12), [act])
    assert is_true(at("sidewalk", 13, 14), [act])
    assert not is_true(at("sidewalk", 60, 61), [act])


@pytest.mark.parametrize(
    ("found", "missed", "false", "value"),
    [(0, 0, 0, 1.0), (1, 0, 0, 1.0), (1, 1, 0, 2 / 3), (0, 1, 0, 0.0), (2, 1, 1, 2 / 3)],
)
def test_f1_of_known_counts(found: int, missed: int, false: int, value: float) -> None:
    assert f1(found, missed, false) == pytest.approx(value)


def test_figures_tell_each_kind_and_all_with_their_intervals() -> None:
    true = [at("two_up", 10 * n, 10 * n + 1, "a") for n in range(8)] + [at("sidewalk", 0, 1, "b")]
    said = [at("two_up", 10 * n, 10 * n + 1, "a") for n in range(6)] + [at("parking", 0, 1, "b")]
    by_kind, whole = figures(score(true, said), ["a", "b"])
    assert list(by_kind) == ["parking", "sidewalk", "two_up"]
    two_up = by_kind["two_up"]
    assert (two_up.found, two_up.missed, two_up.false) == (6, 2, 0)
    assert (two_up.precision.value, two_up.recall.value) == (1.0, 0.75)
    assert two_up.recall.low == pytest.approx(0.409, abs=1e-3)  # Wilson, 6 of 8
    assert two_up.recall.high == pytest.approx(0.929, abs=1e-3)
    assert (whole.found, whole.missed, whole.false) == (6, 3, 1)
    assert whole.f1.value == pytest.approx(12 / 16)
    assert whole.f1.low <= whole.f1.value <= whole.f1.high
    assert by_kind["parking"].recall.n == 0


spans = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda s: at("two_up", s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=6), st.lists(spans, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_acts_and_reports_does_not_matter(
    true: list[Happening], said: list[Happening], chance: random.Random
) -> None:
    def counts(result: object) -> tuple[int, ...]:
        return len(result.found), len(result.missed), len(result.false)  # type: ignore[attr-defined]

    before = counts(score(true, said))
    shuffled = [chance.sample(true, len(true)), chance.sample(said, len(said))]
    assert counts(score(*shuffled)) == before
    assert before[0] + before[1] == len(true)
    assert before[0] + before[2] == len(said)
