"""The scorer that figures rest on: each act and each report counts once."""

from __future__ import annotations

import pytest

from tools.score_truth import Happening, acts_of, score


def at(kind: str, from_s: float, to_s: float, camera: str = "gate") -> Happening:
    return Happening(camera=camera, kind=kind, from_s=from_s, to_s=to_s, what="")


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
def test_matching(true: list, reported: list, found: int, missed: int, false: int) -> None:
    result = score(true, reported)
    assert (len(result.found), len(result.missed), len(result.false)) == (found, missed, false)


def test_f1_is_one_only_when_nothing_is_missed_or_false() -> None:
    act = at("sidewalk", 0, 1)
    assert score([act], [act]).f1() == 1
    assert score([act, at("two_up", 0, 1)], [act]).f1() == pytest.approx(2 / 3)
    assert score([act], []).f1() == 0


def test_acts_that_breach_nothing_are_no_acts_to_find() -> None:
    truth = {
        "started": "2026-09-14_08-20-00",
        "acts": [
            {"act": "a walker", "kind": None, "from_s": 0.0, "to_s": 5.0},
            {"act": "a rider", "kind": "no_helmet", "from_s": 2.0, "to_s": 9.0},
        ],
    }
    (one,) = acts_of(truth, "gate", "Asia/Seoul")
    assert (one.kind, one.to_s - one.from_s) == ("no_helmet", 7.0)
