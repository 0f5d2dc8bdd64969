"""The network that judges heads, trained for a few steps on drawn heads: that it resumes, ships and loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quitboard import files
from quitboard.detect import model
from quitboard.detect.headwear import WEARS, Wear
from quitboard.models import headwear
from quitboard.models.headcrops import KEPT_PX, HeadCrops

SHIPPED = files.resource("data/models/default")
START = SHIPPED / "model.pt"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def drawn(source: str) -> HeadCrops:
    """Bright helmets and dark heads."""
    wear = np.array([WEARS.index(Wear.HELMET), WEARS.index(Wear.BARE)] * 4)
    crops = np.full((8, KEPT_PX, KEPT_PX, 3), 120, np.uint8)
    crops[0::2, 30:66, 30:66] = 250
    crops[1::2, 30:66, 30:66] = 5
    return HeadCrops(crops=crops, wear=wear, size_px=np.full(8, 34, np.float32), source=np.array([source] * 8, "U48"))


def test_a_killed_training_goes_on_to_the_very_same_network(tmp_path: Path) -> None:
    crops = drawn("real a:0")
    how = {"start": START, "passes": 2, "samples": headwear.BATCH}
    whole = headwear.train(crops, tmp_path / "whole", say=lambda _: None, **how)  # type: ignore[arg-type]

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        headwear.train(crops, tmp_path / "torn", say=killed, **how)  # type: ignore[arg-type]
    torn = headwear.train(crops, tmp_path / "torn", say=lambda _: None, **how)  # type: ignore[arg-type]
    assert headwear.onnx_bytes(torn, START) == headwear.onnx_bytes(whole, START)


def test_what_is_made_loads_beside_a_detector_and_judges(tmp_path: Path) -> None:
    parts = {"train": drawn("real a:0"), "val": drawn("real a:0")}
    rendered = {"train": drawn("rendered x"), "val": drawn("rendered x")}
    folder = tmp_path / "model"
    folder.mkdir()
    table = headwear.make(
        folder, tmp_path / "run", start=START, real=parts, rendered=rendered, passes=1, say=lambda _: None
    )
    (folder / "model.onnx").write_bytes((SHIPPED / "model.onnx").read_bytes())
    judge = files.sha256_file(folder / "headwear.onnx")
    classes = list(map(str, model.ROLES))
    (folder / "card.toml").write_text(f'classes = {classes}\n[weights]\n"headwear.onnx" = "{judge}"\n{table}')
    picture, boxes = np.full((90, 90, 3), 120, np.uint8), np.array([[20, 20, 60, 60]], np.float32)
    told = []
    for runtime in ("openvino", "onnx"):
        detector = model.load(folder, runtime=runtime, imgsz=64)
        assert detector.headwear is not None
        assert detector.sha256 != detector.card.sha256
        told.append(detector.headwear.judge(picture, boxes))
    np.testing.assert_allclose(told[0], told[1], atol=1e-4)
    assert 0 < told[0].sum() <= 1
