from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.boxes import decode, iou_matrix, letterbox, suppress

SIDES = st.integers(1, 4000)


@pytest.mark.parametrize(
    ("size", "imgsz", "canvas"),
    [
        ((1920, 1080), 640, (640, 384)),
        ((1280, 720), 640, (640, 384)),
        ((640, 480), 640, (640, 480)),
        ((1080, 1920), 640, (384, 640)),
        ((1000, 1000), 600, (608, 608)),
        ((100, 50), 640, (640, 320)),
        ((5000, 1), 640, (640, 32)),
    ],
)
def test_a_picture_gets_the_smallest_canvas_of_whole_strides(
    size: tuple[int, int], imgsz: int, canvas: tuple[int, int]
) -> None:
    plan = letterbox(*size, imgsz=imgsz)
    assert (plan.width, plan.height) == canvas


def test_a_network_of_fixed_size_gets_that_canvas() -> None:
    plan = letterbox(1920, 1080, imgsz=320, canvas=(640, 640))
    assert (plan.width, plan.height, plan.left, plan.top) == (640, 640, 0, 140)
    assert plan.blob(np.zeros((1080, 1920, 3), np.uint8)).shape == (1, 3, 640, 640)


@given(SIDES, SIDES, st.sampled_from([160, 416, 640, 1280]))
def test_the_canvas_is_whole_strides_and_holds_the_picture(width: int, height: int, imgsz: int) -> None:
    plan = letterbox(width, height, imgsz=imgsz)
    assert plan.width % 32 == plan.height % 32 == 0
    assert 0 <= plan.left <= plan.width - plan.scaled_width
    assert 0 <= plan.top <= plan.height - plan.scaled_height
    assert max(plan.scaled_width, plan.scaled_height) == imgsz


@given(SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_a_box_goes_to_the_canvas_and_back(width: int, height: int, seed: int) -> None:
    plan = letterbox(width, height, imgsz=640)
    corners = np.sort(np.random.default_rng(seed).uniform(0, 1, (2, 2)), axis=0) * [width, height]
    box = corners.reshape(1, 4)
    gain = [plan.scaled_width / width, plan.scaled_height / height] * 2
    there = (box * gain + [plan.left, plan.top] * 2).astype(np.float32)
    assert plan.to_picture(there) == pytest.approx(box, abs=max(width, height) / 2000)


def test_the_blob_is_rgb_from_0_to_1_on_grey() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[...] = (255, 0, 51)  # BGR
    blob = letterbox(200, 100, imgsz=64).blob(picture)
    assert blob.shape == (1, 3, 32, 64)
    assert blob[0, :, 16, 32] == pytest.approx([0.2, 0, 1])
    tall = letterbox(100, 130, imgsz=64).blob(np.zeros((130, 100, 3), np.uint8))
    assert tall[0, :, 0, 0] == pytest.approx([114 / 255] * 3)


def test_iou_of_known_boxes() -> None:
    a = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert iou_matrix(a, b) == pytest.approx(np.array([[1, 1 / 3, 0], [0, 0, 0]]))


def test_a_less_sure_double_goes_and_another_class_stays() -> None:
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    confidence = np.array([0.5, 0.9, 0.4, 0.3], np.float32)
    assert suppress(xyxy, confidence, np.array([0, 0, 1, 0]), iou=0.7).tolist() == [1, 2, 3]


def test_of_equally_sure_doubles_the_first_stays() -> None:
    xyxy = np.repeat(np.array([[0, 0, 10, 10]], np.float32), 5, axis=0)
    assert suppress(xyxy, np.full(5, 0.5, np.float32), np.zeros(5, np.int64), iou=0.5).tolist() == [0]


@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_what_is_kept_does_not_overlap_and_what_went_had_a_surer_one(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 30, (count, 2))
    xyxy = np.concatenate([low, low + rng.uniform(1, 30, (count, 2))], axis=1).astype(np.float32)
    confidence, classes = rng.uniform(0, 1, count).astype(np.float32), rng.integers(0, 2, count)
    kept = suppress(xyxy, confidence, classes, iou=0.5)
    doubles = (iou_matrix(xyxy, xyxy) > 0.5) & (classes[:, None] == classes[None])
    for index in range(count):
        surer = [other for other in kept if other != index and doubles[index, other]]
        assert (index in kept) == (not [one for one in surer if confidence[one] >= confidence[index]])


def test_decode_keeps_mapped_classes_above_their_own_threshold() -> None:
    plan = letterbox(640, 640, imgsz=640)
    raw = np.zeros((4 + 3, 4), np.float32)
    raw[:4] = np.array([[100, 100, 20, 40], [300, 300, 20, 40], [500, 100, 20, 40], [500, 500, 20, 40]]).T
    raw[4:, 0] = [0.6, 0.1, 0.0]
    raw[4:, 1] = [0.1, 0.6, 0.0]  # below its class's threshold
    raw[4:, 2] = [0.5, 0.0, 0.9]  # its best class means nothing here
    raw[4:, 3] = [0.0, 0.8, 0.0]
    found = decode(
        raw, plan, role_of_class=np.array([3, 1, -1]), min_confidence=np.array([0.5, 0.7, 0.0], np.float32), iou=0.7
    )
    assert found.class_id.tolist() == [1, 3]
    assert found.confidence == pytest.approx([0.8, 0.6])
    assert found.xyxy == pytest.approx(np.array([[490, 480, 510, 520], [90, 80, 110, 120]]))


def test_decode_of_nothing_is_empty() -> None:
    found = decode(
        np.zeros((6, 0), np.float32),
        letterbox(640, 480, imgsz=640),
        role_of_class=np.array([0, 1]),
        min_confidence=np.zeros(2, np.float32),
        iou=0.7,
    )
    assert (len(found), found.xyxy.shape) == (0, (0, 4))
