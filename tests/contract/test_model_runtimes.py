"""One model, four ways of running it: OpenVINO, ONNX Runtime, torch, and ultralytics' own predict as the yardstick."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from quitboard import files
from quitboard.detect import model, video
from quitboard.detect.boxes import iou_matrix
from quitboard.errors import ModelUnusable
from quitboard.records import ROLES, Detections, Picture

BOX_TOLERANCE_PX = 1.0
CONFIDENCE_TOLERANCE = 0.01
SHIPPED = files.resource("data/models/default")
IMGSZ = tomllib.loads((SHIPPED / "card.toml").read_text("utf-8"))["imgsz"]

# Modules that torch and ultralytics import warn about their own future; none of it is ours.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Frames of the built-in recordings, spread over each, whole and at two other sizes and shapes."""
    frames = [
        frame.picture
        for recording in sorted(files.resource("data/demo").rglob("*.mp4"))
        for frame in video.frames(recording, every_us=9_000_000)
    ]
    assert frames, "the built-in recordings are missing"
    crops = [frame[40:, : frame.shape[1] // 2].copy() for frame in frames[:2]]
    odd = [cv2.resize(frame, (333, 501)) for frame in frames[:1]]
    return [*frames, *crops, *odd]


def found(runtime: model.Runtime, pictures: list[Picture], **how: int) -> list[Detections]:
    weights = "model.pt" if runtime == "torch" else "model.onnx"  # one network, also where the card runs another
    return list(model.load(SHIPPED / weights, runtime=runtime, **how).detect(pictures, min_confidence=0.2))


def as_bytes(results: list[Detections]) -> list[tuple[bytes, bytes, bytes]]:
    return [(one.xyxy.tobytes(), one.confidence.tobytes(), one.class_id.tobytes()) for one in results]


def assert_agree(one: Detections, other: Detections) -> None:
    """Every box surer than the threshold by the tolerance has its partner on the other side, within the tolerances."""
    for mine, theirs in ((one, other), (other, one)):
        sure = mine.confidence > 0.2 + CONFIDENCE_TOLERANCE
        for box, confidence, role in zip(mine.xyxy[sure], mine.confidence[sure], mine.class_id[sure], strict=True):
            same = np.flatnonzero(theirs.class_id == role)
            assert same.size, (ROLES[role], box, confidence)
            partner = same[iou_matrix(box[None], theirs.xyxy[same])[0].argmax()]
            assert np.abs(theirs.xyxy[partner] - box).max() <= BOX_TOLERANCE_PX
            assert abs(theirs.confidence[partner] - confidence) <= CONFIDENCE_TOLERANCE


@pytest.fixture(scope="module")
def by_openvino(pictures: list[Picture]) -> list[Detections]:
    return found("openvino", pictures)


def test_the_built_in_recordings_show_something_to_agree_on(by_openvino: list[Detections]) -> None:
    assert sum(len(one) for one in by_openvino) >= 10


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_a_runtime_agrees_with_openvino(
    runtime: model.Runtime, pictures: list[Picture], by_openvino: list[Detections]
) -> None:
    for one, other in zip(by_openvino, found(runtime, pictures), strict=True):
        assert_agree(one, other)


def test_openvino_agrees_with_ultralytics_itself(pictures: list[Picture], by_openvino: list[Detections]) -> None:
    _, yolo = model.import_yolo(SHIPPED / "model.pt")
    for picture, ours in zip(pictures, by_openvino, strict=True):
        theirs = yolo.predict(picture, imgsz=IMGSZ, conf=0.2, iou=0.7, verbose=False)[0].boxes
        assert_agree(
            ours,
            Detections(
                xyxy=theirs.xyxy.numpy(), confidence=theirs.conf.numpy(), class_id=theirs.cls.numpy().astype(np.int64)
            ),
        )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_openvino_gives_the_same_bytes_at_any_number_under_way(
    threads: int, pictures: list[Picture], by_openvino: list[Detections]
) -> None:
    assert as_bytes(found("openvino", pictures, threads=threads)) == as_bytes(by_openvino)


def test_a_picture_alone_gives_the_bytes_it_gives_among_others(
    pictures: list[Picture], by_openvino: list[Detections]
) -> None:
    detector = model.load(SHIPPED / "model.onnx", runtime="openvino")
    alone = [next(detector.detect([picture], min_confidence=0.2)) for picture in reversed(pictures)]
    assert as_bytes(alone[::-1]) == as_bytes(by_openvino)


@pytest.mark.parametrize("runtime", ["openvino", "onnx", "torch"])
def test_pictures_are_pulled_lazily_and_a_look_may_be_left_early(
    runtime: model.Runtime, pictures: list[Picture]
) -> None:
    pulled = 0

    def endless() -> Iterator[Picture]:
        nonlocal pulled
        while True:
            pulled += 1
            yield pictures[0]

    detector = model.load(runtime=runtime, imgsz=160, threads=2)
    look = detector.detect(endless())
    next(look)
    next(look)
    assert pulled <= 6
    del look
    assert as_bytes(list(detector.detect(pictures[:1]))) == as_bytes(list(detector.detect(pictures[:1])))


def test_two_looks_through_one_detector_do_not_mix(pictures: list[Picture], by_openvino: list[Detections]) -> None:
    detector = model.load(SHIPPED / "model.onnx", runtime="openvino")
    one = detector.detect(pictures, min_confidence=0.2)
    other = detector.detect(reversed(pictures), min_confidence=0.2)
    both = [(next(one), next(other)) for _ in pictures]
    assert as_bytes([first for first, _ in both]) == as_bytes(by_openvino)
    assert as_bytes([second for _, second in both][::-1]) == as_bytes(by_openvino)


def test_no_pictures_give_no_detections() -> None:
    assert list(model.load().detect([])) == []


def test_a_users_own_pt_is_exported_once_and_its_names_are_its_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: list[Picture]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = tmp_path / "mine.pt"
    shutil.copy(SHIPPED / "model.pt", own)
    first = model.load(own, runtime="openvino", imgsz=IMGSZ)
    exports = list((tmp_path / "cache").rglob("*.onnx"))
    assert [path.stem for path in exports] == [files.sha256_file(own)]
    written = exports[0].stat().st_mtime_ns
    assert model.load(own, runtime="onnx").runtime == "onnx"
    assert exports[0].stat().st_mtime_ns == written
    assert first.card.name == "mine"
    assert as_bytes(list(first.detect(pictures, min_confidence=0.2))) == as_bytes(found("openvino", pictures))


def test_exporting_the_shipped_weights_again_gives_the_shipped_export() -> None:
    assert files.sha256_bytes(model.onnx_bytes(SHIPPED / "model.pt")) == files.sha256_file(SHIPPED / "model.onnx")


def test_the_shipped_weights_are_small_and_tell_nothing_of_the_machine_they_were_made_on() -> None:
    weights = [SHIPPED / "model.pt", SHIPPED / "model.onnx"]
    assert sum(path.stat().st_size for path in weights) <= 12_000_000
    for path in weights:
        content = path.read_bytes()
        for trace in (b"/work", b"/home", b"/root", b"/tmp"):
            assert trace not in content


def test_without_torch_a_pt_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    real = model.importlib.util.find_spec
    monkeypatch.setattr(
        model.importlib.util, "find_spec", lambda name: None if name in ("torch", "ultralytics") else real(name)
    )
    with pytest.raises(ModelUnusable, match=r"needs torch.*quitboard\[torch\]"):
        model.load(SHIPPED / "model.pt")


def test_without_openvino_onnx_runtime_takes_over_and_without_both_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = model.importlib.util.find_spec
    missing = {"openvino"}
    monkeypatch.setattr(model.importlib.util, "find_spec", lambda name: None if name in missing else real(name))
    assert model.load().runtime == "onnx"
    missing.add("onnxruntime")
    with pytest.raises(ModelUnusable, match="no runtime is installed"):
        model.load()


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
@pytest.mark.parametrize(
    "content",
    [b"", b"not a model\n" * 100, b"\x08\x07" + b"\xff" * 5000, None],
    ids=["empty", "text", "bytes", "torn"],
)
def test_a_file_that_is_no_model_is_refused(runtime: model.Runtime, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes((SHIPPED / "model.onnx").read_bytes()[:2_000_000] if content is None else content)
    with pytest.raises(ModelUnusable, match=r"broken\.onnx: "):
        model.load(path, runtime=runtime)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 torn"], ids=["empty", "text", "torn"])
def test_a_pt_that_is_no_model_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"broken\.pt: "):
        model.load(path, runtime="torch")


def test_a_model_whose_card_names_another_number_of_classes_is_refused(tmp_path: Path, pictures: list[Picture]) -> None:
    shutil.copy(SHIPPED / "model.onnx", tmp_path / "own.onnx")
    (tmp_path / "card.toml").write_text('classes = ["person", "scooter"]')
    with pytest.raises(ModelUnusable, match="does not fit its 2 classes"):
        next(model.load(tmp_path / "own.onnx").detect(pictures[:1]))
