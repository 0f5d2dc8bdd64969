"""Fine-tuning with ultralytics, resumable at any epoch."""

from __future__ import annotations

from pathlib import Path

from quitboard.detect import model
from quitboard.errors import ModelUnusable


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
) -> Path:
    """Fine-tune a YOLO detection model and return its best checkpoint (by mAP50-95 on the set's val split).

    A run that was killed goes on from its last finished epoch when called again with the same folder.

    Args:
        data: the set's `data.yaml`, in YOLO's format.
        run: folder of the run; `weights/last.pt` and `weights/best.pt` are written every epoch.
        start: `.pt` weights to begin with.
        epochs: passes over the set.
        imgsz: side of the square training pictures, in px.
        batch: pictures a step.
        freeze: layers kept as they are, from the input on; 10 is the backbone of a YOLO11, and halves the time.
        lr: first learning rate of AdamW; it falls linearly to a twentieth.

    Raises:
        ModelUnusable: torch is not installed, or `start` is not a detection model.
    """
    last = run / "weights" / "last.pt"
    torch, yolo = model.import_yolo(last if last.is_file() else start)
    if last.is_file():
        if yolo.ckpt.get("epoch", -1) < 0:
            return run / "weights" / "best.pt"
        yolo.train(resume=True)
        return run / "weights" / "best.pt"
    if not data.is_file():
        raise ModelUnusable("there is no such data set", where=str(data), todo="Prepare it first")
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
        workers=0,
        seed=seed,
        deterministic=True,
        optimizer="AdamW",
        freeze=freeze or None,
        lr0=lr,
        lrf=0.05,
        warmup_epochs=0.3,
        close_mosaic=1,
        mosaic=0.6,
        scale=0.5,
        fliplr=0.5,
        hsv_h=0.02,
        hsv_s=0.6,
        hsv_v=0.4,
        plots=False,
        amp=False,
        cache="ram",
    )
    return run / "weights" / "best.pt"
