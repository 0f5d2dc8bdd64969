"""What leaves QuitBoard does not depend on a single pixel of a head."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quitboard.detect.anonymise import FILL_BGR, PublishablePicture, anonymise, fill, fill_mask, gif, jpeg
from quitboard.detect.privacy_gate import Gate
from quitboard.detect.regions import FrameRegions, grow_head
from quitboard.errors import EvidenceRefused
from tests.privacy.scene import HEIGHT, WIDTH, Told, regions_of, somebody, street

WHOLE = (0, 0, WIDTH, HEIGHT)
WAY = [(200 + 12 * step, 140 + 3 * step) for step in range(6)]


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate(Told())


def published(seed: int, gate: Gate, body: str) -> tuple[bytes, bytes]:
    """Film the same way of somebody else, and publish it."""
    pictures = [somebody(street(step), seed, x, y) for step, (x, y) in enumerate(WAY)]
    made = anonymise(pictures, [regions_of(x, y) for x, y in WAY], gate, window=(140, 80, 460, 320), body=body)
    assert made.objections == ("",) * len(WAY)
    frames = [picture.resized((240, 180)) for picture in made.pictures if picture is not None]
    return jpeg(frames[3]), gif(frames, durations_ms=[120] * len(frames))


@pytest.mark.parametrize("body", ["pixel", "flat", "keep"])
def test_two_faces_give_the_same_published_bytes(gate: Gate, body: str) -> None:
    one, other = published(0, gate, body), published(3, gate, body)
    assert one == other


def test_the_two_faces_of_the_differential_test_do_differ() -> None:
    x, y = WAY[0]
    apart = np.abs(somebody(street(), 0, x, y).astype(int) - somebody(street(), 3, x, y)).max(axis=2) > 20
    assert apart.sum() > 1000
    assert not (apart & ~fill_mask(regions_of(x, y))).any()


boxes = st.tuples(
    st.integers(0, WIDTH - 30), st.integers(0, HEIGHT - 30), st.integers(3, 200), st.integers(3, 200)
).map(lambda box: np.array([box[0], box[1], min(box[0] + box[2], WIDTH), min(box[1] + box[3], HEIGHT)], float))


def regions(heads: list[np.ndarray], plates: list[np.ndarray], bodies: list[np.ndarray]) -> FrameRegions:
    def array(boxes: list[np.ndarray]) -> np.ndarray:
        return np.array(boxes, float).reshape(-1, 4)

    return FrameRegions(width=WIDTH, height=HEIGHT, heads=array(heads), plates=array(plates), bodies=array(bodies))


@settings(max_examples=40, deadline=None)
@given(heads=st.lists(boxes, max_size=4), plates=st.lists(boxes, max_size=3), bodies=st.lists(boxes, max_size=4))
def test_what_is_inside_a_fill_changes_nothing_outside_it(
    heads: list[np.ndarray], plates: list[np.ndarray], bodies: list[np.ndarray]
) -> None:
    known = regions(heads, plates, bodies)
    mask = fill_mask(known)
    one = street()
    other = one.copy()
    other[mask] = np.random.default_rng(1).integers(0, 256, (int(mask.sum()), 3), dtype=np.uint8)
    for body in ("pixel", "flat", "keep"):
        filled = fill(one, mask, known.bodies, body=body)
        assert (filled == fill(other, mask, known.bodies, body=body)).all()
        assert (filled[mask] == FILL_BGR).all()


@settings(max_examples=60, deadline=None)
@given(head=boxes)
def test_a_fill_holds_the_whole_head_grown_by_at_least_thirty_percent(head: np.ndarray) -> None:
    x1, y1, x2, y2 = head
    more = 0.15 * (x2 - x1), 0.15 * (y2 - y1)
    mask = fill_mask(regions([grow_head(head)], [], []))
    left, top = max(0, int(x1 - more[0])), max(0, int(y1 - more[1]))
    assert mask[top : int(np.ceil(y2 + more[1])), left : int(np.ceil(x2 + more[0]))].all()


def test_a_body_keeps_few_colours_and_no_detail() -> None:
    known = regions([], [], [np.array([200.0, 100.0, 320.0, 400.0])])
    noise = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    body = fill(noise, fill_mask(known), known.bodies, body="pixel")[130:370, 230:290]
    assert len(np.unique(body.reshape(-1, 3), axis=0)) < 60
    steps = np.abs(np.diff(body.astype(int), axis=1)).max(axis=2) > 0
    assert steps.any(axis=0).mean() < 0.1  # only at the borders of cells


def test_the_background_outside_all_regions_is_left_alone() -> None:
    known = regions_of(200, 140)
    picture = somebody(street(), 1, 200, 140)
    result = fill(picture, fill_mask(known), known.bodies, body="pixel")
    assert (result[:, 400:] == picture[:, 400:]).all()


# --- it fails closed --------------------------------------------------------------------------------------------


def test_nobody_else_makes_a_publishable_picture() -> None:
    with pytest.raises(TypeError, match="only"):
        PublishablePicture(object(), street())


def test_a_publishable_picture_cannot_be_written_to(gate: Gate) -> None:
    (picture,) = anonymise([street()], [regions([], [], [])], gate, window=WHOLE).pictures
    assert picture is not None
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0] = 0


def test_encoders_take_no_bare_pixels() -> None:
    with pytest.raises(AttributeError):
        jpeg(street())  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        gif([street()], durations_ms=[100])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("pictures", "known"),
    [
        pytest.param([street(), street()], [regions_of(200, 140)], id="a frame without regions"),
        pytest.param([street()[:-8]], [regions_of(200, 140)], id="regions of another size"),
        pytest.param([street()[:, :, 0]], [regions_of(200, 140)], id="a grey picture"),
    ],
)
def test_no_regions_no_picture(gate: Gate, pictures: list[np.ndarray], known: list[FrameRegions]) -> None:
    with pytest.raises(EvidenceRefused):
        anonymise(pictures, known, gate, window=WHOLE)


def test_a_frame_that_the_gate_objects_to_is_not_made(gate: Gate) -> None:
    pictures = [somebody(street(), 0, 200, 140), somebody(street(), 0, 200, 140)]
    made = anonymise(pictures, [regions_of(200, 140), regions_of(480, 140)], gate, window=WHOLE)
    assert made.pictures[0] is not None
    assert made.objections[0] == ""
    assert made.pictures[1] is None
    assert "face" in made.objections[1]


# --- the files ------------------------------------------------------------------------------------------------------


def _jpeg_markers(content: bytes) -> list[int]:
    markers, at = [], 2
    while content[at] == 0xFF and content[at + 1] != 0xD9:
        marker = content[at + 1]
        markers.append(marker)
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:  # the scan's own bytes follow, then the next marker
            while content[at] != 0xFF or content[at + 1] in (0x00, *range(0xD0, 0xD8)):
                at += 1
    assert content[at:] == b"\xff\xd9"  # nothing behind the picture: no thumbnail, no second picture
    return markers


def _gif_extensions(content: bytes) -> list[bytes]:
    found, at = [], 13 + 3 * 2 ** ((content[10] & 7) + 1) * (content[10] >> 7)
    while content[at] != 0x3B:
        if content[at] == 0x21:
            length = content[at + 2]
            found.append(content[at + 1 : at + 2] + content[at + 3 : at + 3 + length])
            at += 2
        else:
            assert content[at] == 0x2C
            at += 11 + 3 * 2 ** ((content[at + 9] & 7) + 1) * (content[at + 9] >> 7)
        while content[at]:
            at += content[at] + 1
        at += 1
    assert content[at:] == b"\x3b"
    return found


def test_a_still_carries_pixels_and_nothing_else(gate: Gate) -> None:
    still, _ = published(0, gate, "pixel")
    quantisation, huffman, frame, scan, jfif = 0xDB, 0xC4, 0xC2, 0xDA, 0xE0
    assert set(_jpeg_markers(still)) == {jfif, quantisation, frame, huffman, scan}
    assert still[4:11] == b"\x00\x10JFIF\x00"[:7]
    assert still[18:20] == b"\x00\x00"  # JFIF's own thumbnail: 0 x 0
    assert not Image.open(io.BytesIO(still)).getexif()


def test_a_clip_carries_frames_a_loop_and_nothing_else(gate: Gate) -> None:
    _, clip = published(0, gate, "pixel")
    assert {bytes(part[:1]) for part in _gif_extensions(clip)} == {b"\xf9", b"\xff"}
    assert {part for part in _gif_extensions(clip) if part[:1] == b"\xff"} == {b"\xffNETSCAPE2.0"}


def test_the_fill_is_still_one_flat_colour_in_the_files(gate: Gate) -> None:
    x, y = WAY[3]
    still, clip = published(0, gate, "pixel")
    left, top, right, bottom = ((np.array([x, y, x + 60, y + 78]) - [140, 80, 140, 80]) * 240 / 320).astype(int)
    animated = Image.open(io.BytesIO(clip))
    animated.seek(3)
    for picture, tolerance in ((Image.open(io.BytesIO(still)), 6), (animated, 12)):
        head = np.asarray(picture.convert("RGB"), int)[top:bottom, left:right]
        assert np.abs(head - FILL_BGR[::-1]).max() <= tolerance
