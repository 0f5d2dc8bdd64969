"""From a training checkpoint to the two files that are used: `model.pt` and `model.onnx`."""

from __future__ import annotations

import io
from pathlib import Path

from quitboard import files
from quitboard.detect import model


def ship(checkpoint: Path, folder: Path) -> None:
    """Write `model.pt` and `model.onnx` of an ultralytics checkpoint into `folder`.

    The checkpoint is stripped to its weights as halves: no optimizer, no training record, no paths of the machine
    that trained it. The export is made from the stripped weights, so both files hold the same numbers.

    Raises:
        ModelUnusable: torch is missing, or the checkpoint is not a detection model.
    """
    torch, yolo = model.import_yolo(checkpoint)
    network = yolo.model.float().eval()
    network.args = {}
    network.yaml = {key: value for key, value in network.yaml.items() if key != "yaml_file"}
    network.pt_path = "model.pt"
    content = io.BytesIO()
    kept = {"model": network.half(), "ema": None, "train_args": {"task": "detect"}, "epoch": -1}
    torch.save(kept | {"license": "AGPL-3.0-or-later"}, content)
    weights = folder / "model.pt"
    files.write_bytes(weights, content.getvalue())
    files.write_bytes(folder / "model.onnx", model.onnx_bytes(weights))
