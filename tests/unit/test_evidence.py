"""Which frames and which part of the picture become evidence, and what happens when few may be shown."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quitboard.detect import evidence as evidence_module
from quitboard.detect.anonymise import CLOCK_SHARE, Evidence, published_size
from quitboard.detect.evidence import (
    MAX_CLIP_FRAMES,
    MIN_CLIP_FRAMES,
    evenly,
    make_evidence,
    visible_share,
    window_around,
)
from quitboard.detect.marks import draw, mark_for
from quitboard.detect.privacy_gate import FaceFinder, Gate, Sighted, Window
from quitboard.records import Picture, Role
from quitboard.settings import EvidenceSettings
from tests.privacy.scene import HEIGHT, WIDTH, Frame, Told, detections, head_box, person_box, somebody, street

FRAMES = 24
SIZE = 24
WAY = [(180 + 8 * step, 150) for step in range(FRAMES)]


@pytest.fixture(scope="module")
def faces() -> FaceFinder:
    return FaceFinder()


class Blinded(Gate):
    """A gate that sees a face, in another place of each window, in the frames it is told."""

    def __init__(self, faces: FaceFinder, objects_to: Sequence[int], frames: Sequence[Frame]) -> None:
        super().__init__(Told(), faces)
        self.bad = [frames[index].picture.tobytes() for index in objects_to]

    def search(self, pictures: Sequence[Picture], window: Window) -> list[Sighted]:
        nothing = np.zeros((0, 4))
        corner = np.array([window[0], window[1], window[0] + 10.0, window[1] + 10.0])
        return [
            Sighted(
                faces=(corner + 10 * step)[None] if picture.tobytes() in self.bad else nothing,
                heads=nothing,
                persons=nothing,
            )
            for step, picture in enumerate(pictures)
        ]


def film(seed: int = 0) -> list[Frame]:
    return [Frame(step * 100_000, somebody(street(step), seed, x, y, SIZE)) for step, (x, y) in enumerate(WAY)]


def evidence(gate: Gate, frames: list[Frame], subjects: list[tuple[float, ...] | None] | None = None):  # type: ignore[no-untyped-def]
    persons = [[tuple(person_box(x, y, SIZE))] for x, y in WAY]
    found = [
        detections((Role.PERSON, person_box(x, y, SIZE), 0.9), (Role.HEAD, head_box(x, y, SIZE), 0.9)) for x, y in WAY
    ]
    return make_evidence(
        frames,
        found,
        persons,
        subjects or [boxes[0] for boxes in persons],
        best=12,
        mark=mark_for("no_helmet"),
        gate=gate,
        settings=EvidenceSettings(clip_s=2.0, clip_px=240, still_px=320),
    )


@pytest.fixture(scope="module")
def made(faces: FaceFinder) -> Evidence:
    return evidence(Gate(Told(), faces), film())


def test_evidence_is_a_still_and_a_clip_of_the_sizes_asked_for(made: Evidence) -> None:
    still, clip = Image.open(io.BytesIO(made.still)), Image.open(io.BytesIO(made.clip))
    assert (still.format, clip.format) == ("JPEG", "GIF")
    assert max(still.size) <= 320
    assert max(clip.size) <= 240
    assert MIN_CLIP_FRAMES <= clip.n_frames <= MAX_CLIP_FRAMES
    assert made.note == ""


def test_two_riders_who_differ_only_in_the_face_give_the_same_evidence(made: Evidence, faces: FaceFinder) -> None:
    assert evidence(Gate(Told(), faces), film(3)) == made


def test_the_next_frame_is_taken_when_the_best_may_not_be_shown(made: Evidence, faces: FaceFinder) -> None:
    frames = film()
    other = evidence(Blinded(faces, [12], frames), frames)
    assert other.still is not None
    assert other.still != made.still


def test_too_few_frames_give_no_clip_and_say_so(faces: FaceFinder) -> None:
    frames = film()
    made = evidence(Blinded(faces, [index for index in range(FRAMES) if not 10 <= index <= 14], frames), frames)
    assert made.still is not None
    assert made.clip is None
    assert "no clip" in made.note
    assert "face" in made.note


def test_no_frame_gives_no_evidence_and_says_so(faces: FaceFinder) -> None:
    frames = film()
    made = evidence(Blinded(faces, range(FRAMES), frames), frames)
    assert made.still is None
    assert made.clip is None
    assert "no still" in made.note


def test_frames_without_the_rider_are_not_shown(faces: FaceFinder) -> None:
    subjects: list[tuple[float, ...] | None] = [tuple(person_box(x, y, SIZE)) for x, y in WAY]
    assert evidence(Gate(Told(), faces), film(), [None] * FRAMES).still is None
    short = evidence(Gate(Told(), faces), film(), [*subjects[:9], *[None] * (FRAMES - 9)])
    assert Image.open(io.BytesIO(short.clip)).n_frames <= 9


def test_a_clip_that_is_too_large_is_made_smaller(
    made: Evidence, faces: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_module, "MAX_CLIP_BYTES", len(made.clip) - 1)
    frames = film()
    small = evidence(Blinded(faces, [], frames), frames).clip
    assert Image.open(io.BytesIO(small)).width < Image.open(io.BytesIO(made.clip)).width


# --- choosing -------------------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(
    x=st.floats(0, 1900), y=st.floats(90, 950), wide=st.floats(5, 300), tall=st.floats(5, 120), room=st.floats(0, 0.6)
)
def test_a_window_lies_in_the_picture_off_the_burned_in_clock(
    x: float, y: float, wide: float, tall: float, room: float
) -> None:
    box = (x, y, min(x + wide, 1920), min(y + tall, 990))
    x1, y1, x2, y2 = window_around([box], 1920, 1080, room=room)
    assert 0 <= x1 <= box[0] + 1
    assert box[2] - 1 <= x2 <= 1920
    assert round(CLOCK_SHARE * 1080) <= y1 <= box[1] + 1
    assert box[3] - 1 <= y2 <= 1080 - round(CLOCK_SHARE * 1080)
    assert (x2 - x1) / (y2 - y1) == pytest.approx(4 / 3, rel=0.02)


def test_a_window_holds_the_whole_way() -> None:
    window = window_around([(100, 300, 160, 420), (700, 320, 760, 440)], 1920, 1080, room=0.3)
    assert window[0] <= 100
    assert window[2] >= 760


@pytest.mark.parametrize(
    ("box", "share"),
    [
        pytest.param((100, 200, 200, 400), 1.0, id="in the middle"),
        pytest.param((100, 0, 200, 80), 0.0, id="where the clock is"),
        pytest.param((100, 40, 200, 120), 0.5, id="half of it there"),
        pytest.param((1900, 500, 1960, 600), 1 / 3, id="leaving at the side"),
        pytest.param((5, 5, 5, 5), 0.0, id="no size"),
    ],
)
def test_how_much_of_a_rider_can_be_shown(box: tuple[float, ...], share: float) -> None:
    assert visible_share(box, 1920, 1000) == pytest.approx(share)


@settings(max_examples=60)
@given(st.integers(1, 200), st.sampled_from([33_333, 66_667, 83_333, 100_000, 200_000]), st.integers(0, 199))
def test_chosen_frames_are_few_in_order_and_near(count: int, step_us: int, middle: int) -> None:
    positions = [index * step_us for index in range(count)]
    middle_us = positions[min(middle, count - 1)]
    chosen = evenly(positions, middle_us, 3_000_000)
    assert 1 <= len(chosen) <= MAX_CLIP_FRAMES
    assert chosen == sorted(set(chosen))
    assert positions[chosen[-1]] - positions[chosen[0]] <= 3_000_000
    assert positions[chosen[0]] <= middle_us <= positions[chosen[-1]] + 130_000 + step_us


@pytest.mark.parametrize(
    ("size", "longest", "published"),
    [((1600, 1200), 480, (480, 360)), ((200, 150), 480, (400, 300)), ((3, 3), 480, (6, 6))],
)
def test_published_sizes(size: tuple[int, int], longest: int, published: tuple[int, int]) -> None:
    assert published_size(size, longest) == published


# --- marks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "helmet"),
    [
        ("no_helmet", "NO HELMET", False),
        ("bicycle_no_helmet", "NO HELMET", False),
        ("passenger_no_helmet", "PASSENGER: NO HELMET", False),
        ("motorcycle_two_up", "TWO RIDERS", None),
        ("own_rule", "OWN RULE", None),
    ],
)
def test_a_mark_says_the_kind(kind: str, text: str, helmet: bool | None) -> None:
    assert (mark_for(kind).text, mark_for(kind).helmet) == (text, helmet)


def test_helmet_and_bare_head_are_drawn_differently() -> None:
    size, subject, head = (240, 180), (80, 40, 150, 170), (95, 40, 135, 85)
    worn, bare = (draw(size, mark_for("two_up", helmet), subject, [head]) for helmet in (True, False))
    assert (worn != bare).any()
    assert (worn[45:80, 100:130, 3] > 0).any()


@pytest.mark.parametrize("subject", [(2, 2, 30, 30), (200, 150, 237, 177), (2, 2, 237, 177)])
def test_a_mark_stays_in_the_picture(subject: tuple[float, ...]) -> None:
    overlay = draw((240, 180), mark_for("passenger_no_helmet"), subject)
    assert overlay.shape == (180, 240, 4)
    ink = np.argwhere(overlay[:, :, 3] > 200)
    assert len(ink) > 200
    assert ink[:, 0].min() >= 1
    assert (overlay == draw((240, 180), mark_for("passenger_no_helmet"), subject)).all()


def test_film_is_as_large_as_it_says() -> None:
    assert film()[0].picture.shape == (HEIGHT, WIDTH, 3)
