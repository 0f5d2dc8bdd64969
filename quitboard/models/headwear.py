"""Training the network that judges what a head wears, on a CPU in minutes, resumable at any pass.

The network sees a square of 64 px around a head and gives four scores (`detect.headwear.WEARS`). What decides is the
augmentation: a head of a photograph is made as small, soft, noisy and compressed as a street camera's, down to 6 px,
where the right answer is no longer one.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard import files
from quitboard.detect.headwear import (
    FILE_NAME,
    GROWTH,
    INPUT_PX,
    WEARS,
    Wear,
    blob,
    in_two,
    probabilities,
    scaled,
    scores_of,
)
from quitboard.detect.model import import_yolo
from quitboard.detect.runtime import Network, open_onnx
from quitboard.models.calibration import reliability
from quitboard.models.headcrops import KEPT_GROWTH, KEPT_PX, HeadCrops, joined
from quitboard.models.samples import compressed
from quitboard.records import FloatArray, Picture

SHARES = {Wear.HELMET: 0.39, Wear.BARE: 0.24, Wear.CAP: 0.16, Wear.UNCLEAR: 0.21}
"""How often each is drawn, however many of it there are."""
REAL_SHARE = 0.55
CLEAN = 0.25
"""How many are only made smaller."""
UNSEEN_PX, SEEN_PX = 4.5, 8.0
"""A head below the first is unclear for certain, above the second never for its size."""
LAYERS, WIDTH = 7, 128
"""How much of the detector's backbone is used, and how many features that gives."""
BATCH = 128
QUALITY = 70
SIZES_PX = (8, 12, 16, 24, 32)
"""Sizes of heads at which a network is calibrated and measured."""
_HEAD_SHARE = 1 / KEPT_GROWTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass came to."""

    number: int
    loss: float
    rate: float


def augmented(crop: Picture, size_px: float, wear: Wear, rng: np.random.Generator) -> tuple[Picture, FloatArray]:
    """Return a crop as a street camera and an erring detector would give it, and how probable each wear then is.

    Args:
        crop: KEPT_PX square, as `headcrops` keeps it.
        size_px: the head's side in its picture: it is never made larger than it was.
        wear: what the head wears.
    """
    growth = GROWTH * float(np.exp(rng.normal(0, 0.14)))
    side = min(1.0, growth / KEPT_GROWTH) * KEPT_PX
    free = (KEPT_PX - side) / 2
    move = np.clip(rng.normal(0, 0.09, 2) * KEPT_PX * _HEAD_SHARE, -free, free)
    x, y = (free + move).round().astype(int)
    window = crop[max(y, 0) : y + round(side), max(x, 0) : x + round(side)]
    largest = max(min(size_px, 64.0), 6.0)
    head_px = float(np.exp(rng.uniform(math.log(5.0), math.log(largest)))) if largest > 5 else largest
    small = scaled(window, max(6, round(head_px * growth)))
    if rng.random() < 0.5:
        small = small[:, ::-1]
    small, blur = (np.ascontiguousarray(small), 0.0) if rng.random() < CLEAN else _degraded(small, rng)
    target = np.zeros(len(WEARS), np.float32)
    seen = np.clip((head_px / (1 + 0.6 * blur) - UNSEEN_PX) / (SEEN_PX - UNSEEN_PX), 0, 1)
    target[WEARS.index(wear)] = seen
    target[WEARS.index(Wear.UNCLEAR)] += 1 - seen
    return scaled(small), target


def _degraded(small: Picture, rng: np.random.Generator) -> tuple[Picture, float]:
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
    """Hide a strip at one side, less than reaches the head's middle."""
    side = picture.shape[0]
    reach = max(1, round(side * rng.uniform(0.1, 0.38)))
    covered = np.rot90(picture, int(rng.integers(4))).copy()
    covered[:reach] = covered[:reach].mean(axis=(0, 1)) * rng.uniform(0.3, 1.6)
    return np.ascontiguousarray(covered if covered.shape == picture.shape else picture)


def network(start: Path) -> tuple[Any, Any]:
    """Return torch and the network before training: the first layers of a YOLO11, a mean over the crop, four scores.

    Those layers know edges, textures and round things already (from COCO), which a few thousand heads cannot teach;
    with them 0.3 M weights suffice.

    Raises:
        ModelUnusable: torch is not installed, or `start` is not a detection model.
    """
    torch, yolo = import_yolo(start)
    layers = list(yolo.model.float().model[:LAYERS])
    nn = torch.nn
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(WIDTH, len(WEARS)))
    for weight in net.parameters():
        weight.requires_grad_(True)
    return torch, net


def make(
    folder: Path,
    run: Path,
    *,
    start: Path,
    real: Mapping[str, HeadCrops],
    rendered: Mapping[str, HeadCrops],
    passes: int = 20,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[object], None] = print,
) -> str:
    """Train, calibrate and measure; write `headwear.onnx` into `folder` and return the card's table on it.

    Args:
        folder: the model's, where its card is.
        run: of this training; a second call goes on where the first was killed.
        start: `.pt` detector whose first layers the network begins with.
        real: heads of photographs, `train` and `val`. The latter choose the temperature, with the rendered ones.
        rendered: heads of rendered pictures, `train` and `val`.

    Raises:
        ModelUnusable: torch is not installed, or `start` is not a detection model.
    """
    crops = joined([real["train"], rendered["train"]])
    checkpoint = train(crops, run, start=start, passes=passes, seed=seed, threads=threads, say=say)
    target = folder / FILE_NAME
    files.write_bytes(target, onnx_bytes(checkpoint, start))
    _, judge = open_onnx(target, "auto", threads=1)
    temperature = temperature_of(judge, joined([real["val"], rendered["val"]]))
    lines = ["[headwear]", f"temperature = {temperature}", f"classes = {json.dumps(WEARS)}", f"imgsz = {INPUT_PX}"]
    for kind, heads in (("real", real["val"]), ("rendered", rendered["val"])):
        for row in measure(judge, heads, temperature):
            lines += ["", f"[headwear.figures.{kind}.px{row.size_px}]"]
            lines += [f"{name} = {value}" for name, value in asdict(row).items() if name != "size_px"]
    return "\n".join(lines) + "\n"


def train(
    crops: HeadCrops,
    run: Path,
    *,
    start: Path,
    passes: int = 20,
    samples: int = 12_800,
    rate: float = 0.0015,
    onward: Path | None = None,
    frozen: int = 0,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[object], None] = print,
) -> Path:
    """Train and return the checkpoint; a run that was killed goes on after its last finished pass.

    Args:
        crops: heads of the training splits, real and rendered.
        run: folder of the run; `last.pt` is written after every pass.
        start: `.pt` detector whose first layers the network begins with.
        passes: of `samples` drawn heads each; no head is ever seen twice the same.
        rate: highest learning rate of AdamW, over one cycle.
        onward: checkpoint of an earlier round, on fewer heads perhaps, to go on from.
        frozen: first layers that stay as they are: a third of the time is theirs.
        seed: the same one gives the same weights on the same machine.
    """
    torch, net = network(start)
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch.nn.init.normal_(net[-1].weight, 0, 0.02)
    torch.nn.init.zeros_(net[-1].bias)
    steps = samples // BATCH
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=passes * steps, pct_start=0.2)
    averaged = torch.optim.swa_utils.AveragedModel(net, avg_fn=_steadied, use_buffers=True)
    if onward:
        net.load_state_dict(torch.load(onward, map_location="cpu", weights_only=True)["net"])
        averaged.module.load_state_dict(net.state_dict())
    for layer in net[:frozen]:
        for weight in layer.parameters():
            weight.requires_grad_(False)
    checkpoint = run / "last.pt"
    done = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        done = state["done"]
        for part, name in ((net, "net"), (optimizer, "optimizer"), (schedule, "schedule"), (averaged, "averaged")):
            part.load_state_dict(state[name])
    odds = _odds(crops)
    for number in range(done, passes):
        rng = np.random.default_rng([seed, number])
        torch.manual_seed(seed * 100_003 + number)
        net.train()
        net[:frozen].eval()
        total = 0.0
        for _ in range(steps):
            inputs, targets = _batch(crops, odds, rng)
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


def _odds(crops: HeadCrops) -> FloatArray:
    """How probable each head is to be drawn: by wear, and within it by real and rendered, however many there are."""
    is_real = np.char.startswith(crops.source, "real")
    odds = np.zeros(len(crops))
    for wear, share in SHARES.items():
        mine = crops.wear == WEARS.index(wear)
        for part, of_it in ((mine & is_real, REAL_SHARE), (mine & ~is_real, 1 - REAL_SHARE)):
            if part.any():
                odds[part] = share * of_it / part.sum()
    return np.asarray(odds / odds.sum())


def _batch(crops: HeadCrops, odds: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    chosen = rng.choice(len(crops), BATCH, p=odds)
    made = [augmented(crops.crops[n], float(crops.size_px[n]), WEARS[crops.wear[n]], rng) for n in chosen]
    return np.concatenate([blob(crop) for crop, _ in made]), np.array([target for _, target in made])


def onnx_bytes(checkpoint: Path, start: Path) -> bytes:
    """Export a checkpoint: input (1, 3, side, side), output (1, wears) of scores before the softmax."""
    torch, net = network(start)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["averaged"]
    net.load_state_dict({name.removeprefix("module."): value for name, value in state.items() if name != "n_averaged"})
    content = io.BytesIO()
    torch.onnx.export(
        net.eval(),
        torch.zeros(1, 3, INPUT_PX, INPUT_PX),
        content,
        input_names=["crop"],
        output_names=["scores"],
        opset_version=17,
        dynamo=False,
    )
    return content.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFigures:
    """How heads of one size are judged."""

    size_px: int  # 0: as they are
    helmets: int
    helmet_right: float  # share of the helmets that are judged rather a helmet than none
    others: int
    other_right: float
    caps: int
    cap_right: float
    unclear: float  # share of all that is more probably unclear than known
    calibration_error: float  # expected calibration error (10 bins) of "wears none" among what is known

    @property
    def balanced(self) -> float:
        return (self.helmet_right + self.other_right) / 2


def as_seen(crop: Picture, size_px: float) -> Picture:
    """Return the network's input for a kept head, shrunk to `size_px` (0: as it is) and compressed once."""
    side = round(KEPT_PX * GROWTH / KEPT_GROWTH)
    corner = (KEPT_PX - side) // 2
    window = crop[corner : corner + side, corner : corner + side]
    if size_px:
        window = compressed(scaled(window, max(6, round(size_px * GROWTH))), QUALITY)
    return scaled(window)


def scores_at(network: Network, crops: HeadCrops, size_px: float = 0) -> FloatArray:
    """Return (n, wears) raw scores of heads shrunk to `size_px`."""
    return scores_of(network, (as_seen(crop, size_px) for crop in crops.crops))


def temperature_of(network: Network, crops: HeadCrops) -> float:
    """Return the temperature at which a network's probabilities are likeliest on heads it was not trained on.

    Heads count at the sizes of a street camera, and helmets and others with the same weight (Guo et al. 2017).
    """
    known = crops.only(crops.wear != WEARS.index(Wear.UNCLEAR))
    parts = [(size, known.only(known.size_px >= size)) for size in SIZES_PX]
    scores = np.concatenate([scores_at(network, part, size) for size, part in parts])
    is_bare = np.concatenate([part.wear != WEARS.index(Wear.HELMET) for _, part in parts])

    def surprise(temperature: float) -> float:
        two = in_two(probabilities(scores, temperature)) + 1e-6
        right = np.where(is_bare, two[:, 1], two[:, 0]) / two.sum(axis=1)
        return float(-np.log(right[is_bare]).mean() - np.log(right[~is_bare]).mean())

    tried = [0.4 * 1.05**step for step in range(48)]
    return round(tried[int(np.argmin([surprise(one) for one in tried]))], 3)


def measure(network: Network, crops: HeadCrops, temperature: float) -> list[SizeFigures]:
    """Judge labelled heads at several sizes, each head at its own size and smaller."""
    known = crops.only(crops.wear != WEARS.index(Wear.UNCLEAR))
    rows = []
    for size in (0, *SIZES_PX):
        part = known.only(known.size_px >= size)
        two = in_two(probabilities(scores_at(network, part, size), temperature))
        is_helmet, is_cap = part.wear == WEARS.index(Wear.HELMET), part.wear == WEARS.index(Wear.CAP)
        says_helmet, bare = two[:, 0] > two[:, 1], two[:, 1] / two.sum(axis=1)
        rows.append(
            SizeFigures(
                size_px=size,
                helmets=int(is_helmet.sum()),
                helmet_right=_share(says_helmet[is_helmet]),
                others=int((~is_helmet).sum()),
                other_right=_share(~says_helmet[~is_helmet]),
                caps=int(is_cap.sum()),
                cap_right=_share(~says_helmet[is_cap]),
                unclear=_share(two.sum(axis=1) < 0.5),
                calibration_error=round(
                    reliability(list(zip(bare.tolist(), (~is_helmet).tolist(), strict=True))).ece, 4
                ),
            )
        )
    return rows


def _share(answers: NDArray[np.bool_]) -> float:
    return round(float(answers.mean()), 4) if len(answers) else float("nan")
