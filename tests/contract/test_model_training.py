"""Training, resuming and shipping, on a set of a few drawn pictures: that it runs, not that it learns."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from quitboard import files
from quitboard.detect import model
from quitboard.errors import ModelUnusable
from quitboard.models import export, train

SHIPPED = files.resource("data/models/default")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def drawn_set(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    folder = tmp_path / "set"
    for split in ("train", "val"):
        for part in ("images", "labels"):
            (folder / part / split).mkdir(parents=True)
        for number in range(4):
            picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
            cv2.rectangle(picture, (16, 16), (48, 48), (0, 0, 255), -1)
            cv2.imwrite(str(folder / "images" / split / f"{number}.png"), picture)
            (folder / "labels" / split / f"{number}.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    names = "\n".join(f"  {number}: {name}" for number, name in enumerate(model.ROLES))
    data = folder / "data.yaml"
    data.write_text(f"path: {folder}\ntrain: images/train\nval: images/val\nnames:\n{names}\n")
    return data


def test_a_run_trains_is_not_repeated_and_ships_as_a_model_of_ours(drawn_set: Path, tmp_path: Path) -> None:
    how = {"start": SHIPPED / "model.pt", "epochs": 1, "imgsz": 64, "batch": 4, "freeze": 10}
    (last,) = train.train(drawn_set, tmp_path / "run", **how)  # type: ignore[arg-type]
    written = last.stat().st_mtime_ns
    assert train.train(drawn_set, tmp_path / "run", **how) == [last]  # type: ignore[arg-type]
    assert last.stat().st_mtime_ns == written

    export.ship([last, SHIPPED / "model.pt"], tmp_path / "shipped")
    for runtime in ("openvino", "torch"):
        detector = model.load(tmp_path / "shipped", runtime=runtime, imgsz=64)
        assert len(list(detector.detect([np.zeros((48, 64, 3), np.uint8)]))) == 1
    for name in ("model.pt", "model.onnx"):
        assert str(tmp_path).encode() not in (tmp_path / "shipped" / name).read_bytes()


def test_a_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="no such data set"):
        train.train(tmp_path / "data.yaml", tmp_path / "run", start=SHIPPED / "model.pt", epochs=1)
