"""The network that judges company, trained for a few steps on drawn riders: that it resumes, ships, loads and fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quitboard import files
from quitboard.detect import model
from quitboard.detect.company import FILE_NAME
from quitboard.errors import ModelUnusable
from quitboard.models import company, small
from quitboard.models.companycrops import KEPT_PX, CompanyCrops

SHIPPED = files.resource("data/models/default")
START = SHIPPED / "model.pt"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def drawn(source: str) -> CompanyCrops:
    """One bright bar is one rider, two are more."""
    crops = np.full((8, KEPT_PX, KEPT_PX, 3), 110, np.uint8)
    crops[:, 30:130, 70:85] = 240
    crops[1::2, 30:130, 95:110] = 240
    return CompanyCrops(
        crops=crops,
        answer=np.array([0, 1] * 4),
        size_px=np.full(8, 90, np.float32),
        source=np.array([source] * 8, "U16"),
    )


def test_a_killed_training_goes_on_to_the_very_same_network(tmp_path: Path) -> None:
    how = {"start": START, "passes": 2, "samples": company.BATCH}
    whole = company.train(drawn("real"), tmp_path / "whole", say=lambda _: None, **how)  # type: ignore[arg-type]

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        company.train(drawn("real"), tmp_path / "torn", say=killed, **how)  # type: ignore[arg-type]
    torn = company.train(drawn("real"), tmp_path / "torn", say=lambda _: None, **how)  # type: ignore[arg-type]
    assert small.onnx_bytes(torn, START, company.SHAPE) == small.onnx_bytes(whole, START, company.SHAPE)


def test_what_is_made_loads_beside_a_detector_judges_and_is_missed(tmp_path: Path) -> None:
    real, rendered = ({"train": drawn(name), "val": drawn(name)} for name in ("real", "rendered"))
    folder = tmp_path / "model"
    folder.mkdir()
    table = company.make(
        folder, tmp_path / "run", start=START, real=real, rendered=rendered, passes=1, say=lambda _: None
    )
    (folder / "model.onnx").write_bytes((SHIPPED / "model.onnx").read_bytes())
    judge = files.sha256_file(folder / FILE_NAME)
    classes = list(map(str, model.ROLES))
    (folder / "card.toml").write_text(f'classes = {classes}\n[weights]\n"{FILE_NAME}" = "{judge}"\n{table}')
    picture = np.full((90, 90, 3), 120, np.uint8)
    told = []
    for runtime in ("openvino", "onnx"):
        detector = model.load(folder, runtime=runtime, imgsz=64)
        assert detector.company is not None
        assert detector.sha256 != detector.card.sha256
        told.append(detector.company.judge(picture, [(20, 20, 40)]))
    np.testing.assert_allclose(told[0], told[1], atol=1e-4)
    assert 0 < told[0].sum() <= 1
    (folder / FILE_NAME).unlink()
    with pytest.raises(ModelUnusable, match="what judges company is missing or not what the card describes"):
        model.load(folder)
