"""A set of drawn pictures in YOLO's format: enough to run training on, not to learn from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from quitboard.records import ROLES


def draw(folder: Path, *, split: str = "train", count: int = 4, side: int = 96) -> None:
    """Write noisy pictures with a person over a scooter and a head, all labelled."""
    rng = np.random.default_rng(len(split))
    for part in ("images", "labels"):
        (folder / part / split).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = rng.integers(60, 200, (side, side, 3)).astype(np.uint8)
        person, scooter, head = (30, 10, 60, 80), (20, 50, 70, 90), (38, 10, 52, 26)
        for box, colour in ((scooter, (0, 200, 0)), (person, (0, 0, 220)), (head, (220, 120, 0))):
            cv2.rectangle(picture, box[:2], box[2:], colour, -1)
        cv2.imwrite(str(folder / "images" / split / f"{number}.png"), picture)
        lines = []
        for role, (x0, y0, x1, y1) in ((0, person), (1, scooter), (3, head)):
            values = ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)
            lines.append(f"{role} " + " ".join(f"{value / side:.6f}" for value in values))
        (folder / "labels" / split / f"{number}.txt").write_text("\n".join(lines) + "\n")
    names = "".join(f"  {number}: {role}\n" for number, role in enumerate(ROLES))
    (folder / "data.yaml").write_text(f"path: .\ntrain: images/train\nval: images/val\nnames:\n{names}")


RECIPE = """
name = "drawn"
start = "models/model.pt"
seed = 3
[sources]
drawn = "drawn"
models = "../nowhere"
[[teacher]]
name = "ours"
weights = "models/model.onnx"
imgsz = 96
roles = ["helmet", "car"]
[[pictures]]
name = "photos"
kind = "labelled"
folder = "drawn"
split = "train"
teachers = ["ours"]
copies = 2
[[pictures]]
name = "closer"
kind = "crops"
of = ["photos"]
[[pictures]]
name = "judge"
kind = "labelled"
into = "val"
folder = "drawn"
split = "val"
[[pictures]]
name = "chooses"
kind = "labelled"
into = "choose"
folder = "drawn"
split = "val"
[[pictures]]
name = "locked"
kind = "labelled"
into = "test"
folder = "drawn"
split = "test"
imgsz = 96
[[round]]
imgsz = 64
epochs = 2
freeze = 10
batch = 8
[finish]
average = 2
imgsz = 96
"""
