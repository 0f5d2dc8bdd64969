"""Small networks that judge one crop: their layers, their training loop and their export, whatever they judge.

A small network begins with the first layers of a detector, which know edges, textures and round things already (from
COCO), which a few thousand crops cannot teach; with them 0.3 M weights suffice.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard import files
from quitboard.detect.model import import_yolo
from quitboard.models.samples import compressed
from quitboard.records import FloatArray, Picture

LAYERS, WIDTH = 7, 128
"""How much of a detector's backbone is used, and how many features that gives."""
STRIDE = 16
Pooling: TypeAlias = Literal["mean", "places"]
Batch: TypeAlias = Callable[[np.random.Generator], tuple[FloatArray, FloatArray]]
"""Draws inputs (n, 3, side, side) and how probable each answer is (n, answers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a small network takes and gives."""

    side: int  # px of its square input
    answers: int
    pooling: Pooling = "mean"  # over the crop; "places": thirds of it keep their own features, for what lies where


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass came to."""

    number: int
    loss: float
    rate: float


def network(start: Path, shape: Shape) -> tuple[Any, Any]:
    """Return torch and a network before training.

    Args:
        start: `.pt` detector, a YOLO11, whose first layers it begins with.

    Raises:
        ModelUnusable: torch is not installed, or `start` is not a detection model.
    """
    torch, yolo = import_yolo(start)
    layers = list(yolo.model.float().model[:LAYERS])
    nn = torch.nn
    if shape.pooling == "mean":
        pool, features = [nn.AdaptiveAvgPool2d(1)], WIDTH
    else:
        cells = 3
        pool, features = [nn.AvgPool2d(shape.side // STRIDE // cells)], WIDTH * cells * cells
    net = nn.Sequential(*layers, *pool, nn.Flatten(), nn.Dropout(0.2), nn.Linear(features, shape.answers))
    for weight in net.parameters():
        weight.requires_grad_(True)
    return torch, net


def train(
    batch: Batch,
    run: Path,
    *,
    start: Path,
    shape: Shape,
    passes: int,
    steps: int,
    rate: float = 0.0015,
    onward: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[object], None] = print,
) -> Path:
    """Train and return the checkpoint; a run that was killed goes on after its last finished pass.

    Args:
        batch: draws what is learnt from; the same generator gives the same batch.
        run: folder of the run; `last.pt` is written after every pass.
        start: `.pt` detector whose first layers the network begins with.
        passes: of `steps` batches each.
        rate: highest learning rate of AdamW, over one cycle.
        onward: checkpoint of an earlier round to go on from.
        seed: the same one gives the same weights on the same machine.
    """
    torch, net = network(start, shape)
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch.nn.init.normal_(net[-1].weight, 0, 0.02)
    torch.nn.init.zeros_(net[-1].bias)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=passes * steps, pct_start=0.2)
    averaged = torch.optim.swa_utils.AveragedModel(net, avg_fn=_steadied, use_buffers=True)
    if onward:
        before = torch.load(onward, map_location="cpu", weights_only=True)
        net.load_state_dict(before["net"])
        averaged.load_state_dict(before["averaged"])
    checkpoint = run / "last.pt"
    done = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        done = state["done"]
        for part, name in ((net, "net"), (optimizer, "optimizer"), (schedule, "schedule"), (averaged, "averaged")):
            part.load_state_dict(state[name])
    for number in range(done, passes):
        rng = np.random.default_rng([seed, number])
        torch.manual_seed(seed * 100_003 + number)
        net.train()
        total = 0.0
        for _ in range(steps):
            inputs, targets = batch(rng)
            scores = net(torch.from_numpy(inputs))
            loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(targets))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(net)
            total += float(loss.detach())
        content = io.BytesIO()
        kept = {"net": net, "optimizer": optimizer, "schedule": schedule, "averaged": averaged}
        torch.save({name: part.state_dict() for name, part in kept.items()} | {"done": number + 1}, content)
        files.write_bytes(checkpoint, content.getvalue())
        say(asdict(Pass(number=number + 1, loss=round(total / steps, 4), rate=schedule.get_last_lr()[0])))
    return checkpoint


def _steadied(average: Any, now: Any, steps: Any) -> Any:
    """Average the weights of some two hundred steps, and of fewer in the beginning: what training began with fades."""
    keep = min(0.995, float((1 + steps) / (10 + steps)))
    return average * keep + now * (1 - keep) if average.is_floating_point() else now


def onnx_bytes(checkpoint: Path, start: Path, shape: Shape) -> bytes:
    """Export a checkpoint: input (1, 3, side, side), output (1, answers) of scores before the softmax."""
    torch, net = network(start, shape)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["averaged"]
    net.load_state_dict({name.removeprefix("module."): value for name, value in state.items() if name != "n_averaged"})
    content = io.BytesIO()
    torch.onnx.export(
        net.eval(),
        torch.zeros(1, 3, shape.side, shape.side),
        content,
        input_names=["crop"],
        output_names=["scores"],
        opset_version=17,
        dynamo=False,
    )
    return content.getvalue()


def degraded(small: Picture, rng: np.random.Generator) -> tuple[Picture, float]:
    """Light, colour, blur, motion, noise and compression; returns also by how many pixels it was blurred."""
    out: NDArray[np.floating[Any]] = small.astype(np.float32)
    if rng.random() < 0.15:
        out = _occluded(out, rng)
    out = 255 * np.clip(out / 255, 0, 1) ** float(np.exp(rng.normal(0, 0.22)))
    out = out * rng.uniform(0.65, 1.12) + rng.uniform(-8, 18)
    if rng.random() < 0.5:
        grey = out.mean(axis=2, keepdims=True)
        out = grey + (out - grey) * rng.uniform(0.0, 1.4)
    out = out * (1 + rng.normal(0, 0.04, 3))
    blur = 0.0
    if rng.random() < 0.5:
        blur = float(rng.uniform(0.3, 1.1))
        out = cv2.GaussianBlur(out, (0, 0), blur)
    if rng.random() < 0.2:
        length = int(rng.integers(2, 5))
        turned = rng.uniform(0, math.pi)
        kernel = np.zeros((length * 2 + 1,) * 2, np.float32)
        reach = length / 2 * np.array([math.cos(turned), math.sin(turned)])
        low, high = (length - reach).round().astype(int), (length + reach).round().astype(int)
        cv2.line(kernel, tuple(map(int, low)), tuple(map(int, high)), 1.0)
        out = cv2.filter2D(out, -1, kernel / kernel.sum())
        blur = math.hypot(blur, length / 3)
    if rng.random() < 0.6:
        out = out + rng.normal(0, rng.uniform(0, 8), out.shape)
    done = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        done = compressed(done, int(rng.integers(22, 92)))
    return done, blur


def _occluded(picture: NDArray[np.floating[Any]], rng: np.random.Generator) -> NDArray[np.floating[Any]]:
    """Hide a strip at one side, less than reaches the middle."""
    side = picture.shape[0]
    reach = max(1, round(side * rng.uniform(0.1, 0.38)))
    covered = np.rot90(picture, int(rng.integers(4))).copy()
    covered[:reach] = covered[:reach].mean(axis=(0, 1)) * rng.uniform(0.3, 1.6)
    return np.ascontiguousarray(covered if covered.shape == picture.shape else picture)


def card_table(
    name: str, classes: Sequence[str], imgsz: int, temperature: float, figures: Mapping[str, Iterable[Any]]
) -> str:
    """Return what a model's card says of a judge: `[name]`, and `[name.figures.KIND.pxN]` for each size measured.

    `figures` holds dataclasses with a `size_px` each.
    """
    lines = [f"[{name}]", f"temperature = {temperature}", f"classes = {json.dumps(classes)}", f"imgsz = {imgsz}"]
    for kind, rows in figures.items():
        for row in rows:
            lines += ["", f"[{name}.figures.{kind}.px{row.size_px}]"]
            lines += [f"{key} = {value}" for key, value in asdict(row).items() if key != "size_px"]
    return "\n".join(lines) + "\n"
