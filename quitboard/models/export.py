"""From training checkpoints to the two files that are used: `model.pt` and `model.onnx`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from quitboard import files
from quitboard.detect import model


def ship(checkpoints: Sequence[Path], folder: Path) -> None:
    """Write `model.pt` and `model.onnx` of ultralytics checkpoints into `folder`; of several, their mean.

    Averaging the weights of the last passes of one fine-tuning is a "model soup" (Wortsman et al. 2022): steadier
    than any one of them. The result is stripped to its weights as halves: no optimizer, no training record, no paths
    of the machine that trained it. The export is made from the stripped weights, so both files hold the same numbers.

    Raises:
        ModelUnusable: torch is missing, or a checkpoint is not a detection model.
    """
    torch, yolo = model.import_yolo(checkpoints[0])
    network = yolo.model.float().eval()
    states = [model.import_yolo(path)[1].model.float().state_dict() for path in checkpoints]
    network.load_state_dict(
        {
            name: sum(state[name] for state in states) / len(states) if value.is_floating_point() else value
            for name, value in states[0].items()
        }
    )
    network.args = {}
    network.yaml = {key: value for key, value in network.yaml.items() if key != "yaml_file"}
    network.pt_path = "model.pt"
    content = io.BytesIO()
    kept = {"model": network.half(), "ema": None, "train_args": {"task": "detect"}, "epoch": -1}
    torch.save(kept | {"license": "AGPL-3.0-or-later"}, content)
    weights = folder / "model.pt"
    files.write_bytes(weights, content.getvalue())
    files.write_bytes(folder / "model.onnx", model.onnx_bytes(weights))
