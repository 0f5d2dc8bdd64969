"""Fine-tuning with ultralytics, resumable at any instant."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from quitboard import files
from quitboard.detect import model
from quitboard.errors import ModelUnusable, UsageError

Device: TypeAlias = Literal["auto", "cpu", "cuda"]


def device_named(device: Device) -> str:
    """Return "cuda" or "cpu" for a wish. Raises `UsageError` where a GPU is asked for and there is none."""
    torch = model.import_torch()
    present = bool(torch.cuda.is_available())
    if device == "cuda" and not present:
        raise UsageError("torch sees no GPU on this machine", where="--device", todo="Use --device cpu")
    return "cuda" if present and device != "cpu" else "cpu"


def train(
    data: Path,
    run: Path,
    *,
    start: Path,
    epochs: int,
    imgsz: int = 416,
    batch: int = 16,
    lr: float = 0.001,
    freeze: int = 0,
    seed: int = 0,
    device: Device = "auto",
    augment: Mapping[str, float] | None = None,
    told: Callable[[int, Mapping[str, float]], None] = lambda _epoch, _figures: None,
) -> list[Path]:
    """Fine-tune a YOLO detection model and return the checkpoint of every pass, oldest first.

    A run that was killed goes on after its last finished pass when called again with the same folder: every pass ends
    with `checkpoints/<pass>.pt`, written whole or not at all, optimizer included.

    Args:
        data: the set's `data.yaml`, in YOLO's format.
        run: folder of the run.
        start: `.pt` weights to begin with.
        epochs: passes over the set.
        imgsz: side of the square training pictures, in px.
        batch: pictures a step.
        freeze: layers kept as they are, from the input on; 10 is the backbone of a YOLO11, and halves the time.
        lr: first learning rate of AdamW; it falls linearly to a twentieth.
        augment: ultralytics' settings of augmentation that differ from `AUGMENT`.
        told: called after each pass with its number from 1 and the figures on the val split.

    Raises:
        ModelUnusable: torch is not installed, `start` is not a detection model, or the set is not there.
        UsageError: a GPU is asked for and there is none.
    """
    kept = run / "checkpoints"
    done = [path for path in sorted(kept.glob("*.pt")) if path.stem.isdigit()]
    if len(done) >= epochs:
        return done[:epochs]
    if not data.is_file():
        raise ModelUnusable("there is no such data set", where=str(data), todo="Prepare it first")
    last = run / "weights" / "last.pt"
    if done:  # ultralytics writes its own copy in place: a kill may have left half of it
        files.write_bytes(last, done[-1].read_bytes())
    torch, yolo = model.import_yolo(last if done else start)
    where = device_named(device)
    on_gpu = where == "cuda"

    def keep(trainer: Any) -> None:
        content = trainer.last.read_bytes()
        files.write_bytes(kept / f"{trainer.epoch + 1:04d}.pt", content)
        told(trainer.epoch + 1, {name: float(value) for name, value in trainer.metrics.items()})

    yolo.add_callback("on_model_save", keep)
    # Beyond the last pass ultralytics would strip the checkpoints and measure the best one again: we measure ourselves.
    yolo.add_callback("on_train_start", lambda trainer: setattr(trainer, "final_eval", lambda: None))
    if done:
        yolo.train(resume=True, data=str(data), device=where)
    else:
        torch.manual_seed(seed)
        yolo.train(
            data=str(data),
            project=str(run.parent.resolve()),
            name=run.name,
            exist_ok=True,
            epochs=epochs,
            imgsz=imgsz,
            batch=batch,
            nbs=batch,  # a step each batch: on a CPU steps are what is scarce
            workers=min(8, os.cpu_count() or 1) if on_gpu else 0,
            seed=seed,
            deterministic=True,
            device=where,
            optimizer="AdamW",
            freeze=freeze or None,
            lr0=lr,
            lrf=0.05,
            plots=False,
            amp="bf16" if on_gpu else False,  # the check of half precision would fetch a model from the network
            cache="ram",
            **{**AUGMENT, **(augment or {})},
        )
    return [path for path in sorted(kept.glob("*.pt")) if path.stem.isdigit()]


AUGMENT = {
    "warmup_epochs": 0.3,
    "close_mosaic": 1,
    "mosaic": 0.6,
    "scale": 0.5,
    "fliplr": 0.5,
    "hsv_h": 0.02,
    "hsv_s": 0.6,
    "hsv_v": 0.4,
}
