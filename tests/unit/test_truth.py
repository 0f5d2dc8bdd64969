"""Truth files: what they must hold, what they may, and what is said of one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quitboard.errors import ItemError
from quitboard.models.truth import read_truth
from quitboard.records import Role, Track

ACT = {"kind": "no_helmet", "from_s": 2.0, "to_s": 9.0, "act": "a rider", "people": [1], "vehicle": 2}
TRACKS = [
    {"track": 1, "class": "person", "head": "cap", "rides": 2, "seat": 0},
    {"track": 2, "class": "scooter"},
]
FRAMES = [
    {"t": 0.0, "boxes": [[1, 0, 10, 10, 30, 70, 1.0], [1, 3, 15, 10, 25, 20, 1.0], [2, 1, 10, 40, 40, 80, 0.9]]},
    {"t": 0.4, "boxes": [[1, 0, 20, 10, 40, 70, 1.0], [2, 1, 20, 40, 50, 80, 0.1]]},
]
WHOLE = {"acts": [ACT], "tracks": TRACKS, "classes": ["person", "scooter", "helmet", "head"], "frames": FRAMES}


def written(folder: Path, content: Any) -> Path:
    path = folder / "a.truth.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_acts_alone_are_enough(tmp_path: Path) -> None:
    truth = read_truth(written(tmp_path, {"acts": [{"kind": None, "from_s": 0, "to_s": 5}, ACT], "anything": "else"}))
    assert [act.kind for act in truth.acts] == [None, "no_helmet"]
    assert truth.acts[1].tracks == {1, 2}
    assert not truth.wholly
    assert truth.movers == {}


def test_a_rider_is_told_with_his_head_his_vehicle_and_his_way(tmp_path: Path) -> None:
    truth = read_truth(written(tmp_path, WHOLE))
    rider, scooter = truth.movers[1], truth.movers[2]
    assert truth.wholly
    assert (rider.role, rider.head, rider.rides, rider.height_px) == (Role.PERSON, "cap", 2, 60.0)
    assert scooter.role is Role.SCOOTER
    assert scooter.seen_s == pytest.approx(0.4)  # in the second frame it is hidden
    assert rider.boxes_at(np.array([200_000]))[0].tolist() == [15, 10, 35, 70]
    assert np.isnan(rider.boxes_at(np.array([5_000_000]))).all()


def test_who_pushes_a_pram_pushes_no_vehicle(tmp_path: Path) -> None:
    tracks = [{"track": 1, "class": "person", "pushes": 2}, {"track": 2, "class": "pram"}]
    truth = read_truth(written(tmp_path, {**WHOLE, "tracks": tracks}))
    assert list(truth.movers) == [1]
    assert truth.movers[1].pushes is None


@pytest.mark.parametrize(
    ("offset_px", "same"), [(0.0, True), (6.0, True), (30.0, False)], ids=["on him", "near him", "beside him"]
)
def test_a_found_track_is_of_whom_it_lies_on(tmp_path: Path, offset_px: float, same: bool) -> None:
    truth = read_truth(written(tmp_path, WHOLE))
    boxes = np.array([[10, 10, 30, 70], [15, 10, 35, 70], [20, 10, 40, 70]], np.float32) + np.float32(offset_px)
    at_us = np.array([0, 200_000, 400_000]) + 7_000_000
    track = Track(id=5, role=Role.PERSON, at_us=at_us, xyxy=boxes, confidence=np.ones(3, np.float32))
    found = truth.same(track, 7_000_000, scale=np.ones(4))
    assert (found is not None) is same
    assert found is None or found.track == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"acts", a list'),
        ("{}", '"acts", a list'),
        ({"acts": {}}, '"acts", a list'),
        ({"acts": ["a rider"]}, r"acts\[0\]"),
        ({"acts": [ACT, {"kind": "no_helmet", "from_s": "x", "to_s": 2}]}, r"acts\[1\]"),
        ({"acts": [{"kind": "no_helmet"}]}, r"acts\[0\]: from_s is missing"),
        ({"acts": [{**ACT, "kind": 3}]}, "kind is a text or null"),
        ({"acts": [{**ACT, "from_s": 9, "to_s": 2}]}, "in this order"),
        ({"acts": [{**ACT, "from_s": -1}]}, "in this order"),
        ({"acts": [{**ACT, "to_s": 1e308}]}, "in this order"),
        ('{"acts": [{"kind": "x", "from_s": NaN, "to_s": 1}]}', "in this order"),
        ({"acts": [{**ACT, "people": ["him"]}]}, r"acts\[0\]"),
        ({"acts": [{**ACT, "people": 1}]}, "people is a list"),
        ({"acts": [], "resolution": [0, 0]}, "resolution is"),
        ({"acts": [], "resolution": "big"}, "resolution is"),
        ({**WHOLE, "acts": [{**ACT, "people": [77]}]}, r"acts\[0\]: track 77, which is not told"),
        ({**WHOLE, "classes": []}, r"frames\[0\]: a box of class 0, where classes names 0"),
        ({**WHOLE, "tracks": [*TRACKS, TRACKS[1]]}, "track 2 is told twice"),
        ({**WHOLE, "frames": [{"t": 0.0, "boxes": [[1, 0, 10]]}]}, "a box is"),
        ({**WHOLE, "frames": [{"t": -4, "boxes": []}]}, "t is seconds"),
        ({**WHOLE, "frames": [{"boxes": []}]}, r"frames\[0\]: t is missing"),
        ({**WHOLE, "tracks": [{**TRACKS[0], "rides": 9}]}, "not told"),
    ],
)
def test_a_wrong_truth_file_is_refused_with_the_reason(tmp_path: Path, content: Any, reason: str) -> None:
    with pytest.raises(ItemError, match=reason):
        read_truth(written(tmp_path, content))
