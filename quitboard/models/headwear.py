"""Training the network that judges what a head wears, on a CPU in minutes, resumable at any pass.

The network sees a square of 64 px around a head and gives four scores (`detect.headwear.WEARS`). What decides is the
augmentation: a head of a photograph is made as small, soft, noisy and compressed as a street camera's, down to 6 px,
where the right answer is no longer one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

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
from quitboard.detect.runtime import Network, open_onnx
from quitboard.models import small
from quitboard.models.calibration import reliability
from quitboard.models.headcrops import KEPT_PX, HeadCrops, joined, kept_growth
from quitboard.models.samples import compressed
from quitboard.records import FloatArray, Picture

SHARES = {Wear.HELMET: 0.42, Wear.BARE: 0.22, Wear.CAP: 0.20, Wear.UNCLEAR: 0.16}
"""How often each is drawn, however many of it there are."""
REAL_SHARE = 0.5
OWN_SIZE = 0.5
"""How many of the rendered heads stay as large as they were: they are a street camera's already."""
CLEAN, CLEAN_OWN = 0.25, 0.5
"""How many are only made smaller; and how many of those that are not made smaller stay just as they are."""
BOX_SLACK_PX, BOX_GROWTH_SD = 1.5, 0.14
"""By how much a detector's box is larger than the head, and the spread (of the logarithm) of its size besides."""
BOX_UP, BOX_SHIFT_SD = -0.04, 0.1
"""How far its middle is off, in heads: mean downwards, and spread. Of 3,292 boxes on drawn recordings of validation."""
UNSEEN_PX, SEEN_PX = 4.5, 8.0
"""A head below the first is unclear for certain, above the second never for its size."""
SHAPE = small.Shape(side=INPUT_PX, answers=len(WEARS))
BATCH = 128
QUALITY = 70
SIZES_PX = (8, 12, 16, 24, 32)
"""Sizes of heads at which a network is calibrated and measured."""


def augmented(
    crop: Picture, size_px: float, wear: Wear, rng: np.random.Generator, *, own_size: float = 0.0
) -> tuple[Picture, FloatArray]:
    """Return a crop as a street camera and an erring detector would give it, and how probable each wear then is.

    Args:
        crop: KEPT_PX square, as `headcrops` keeps it.
        size_px: the head's side in its picture: it is never made larger than it was.
        wear: what the head wears.
        own_size: how probably it stays as large as it was.
    """
    largest = max(min(size_px, 64.0), 5.0)
    is_own = rng.random() < own_size
    head_px = largest if is_own else float(np.exp(rng.uniform(math.log(5.0), math.log(largest))))
    growth = GROWTH * (1 + BOX_SLACK_PX / head_px) * float(np.exp(rng.normal(0, BOX_GROWTH_SD)))
    window = _window(crop, size_px, growth, rng.normal((0, BOX_UP), BOX_SHIFT_SD, 2))
    seen_as = scaled(window, max(6, round(head_px * growth)))
    if rng.random() < 0.5:
        seen_as = seen_as[:, ::-1]
    is_clean = rng.random() < (CLEAN_OWN if is_own else CLEAN)
    seen_as, blur = (np.ascontiguousarray(seen_as), 0.0) if is_clean else small.degraded(seen_as, rng)
    target = np.zeros(len(WEARS), np.float32)
    seen = np.clip((head_px / (1 + 0.6 * blur) - UNSEEN_PX) / (SEEN_PX - UNSEEN_PX), 0, 1)
    target[WEARS.index(wear)] = seen
    target[WEARS.index(Wear.UNCLEAR)] += 1 - seen
    return scaled(seen_as), target


def _window(crop: Picture, size_px: float, growth: float, shift: NDArray[np.float64]) -> Picture:
    """Return a square part of a kept crop: `growth` times as large as its head, moved by `shift` (x, y) heads."""
    head = KEPT_PX / kept_growth(size_px)
    side = min(KEPT_PX, max(3, round(growth * head)))
    free = (KEPT_PX - side) / 2
    x, y = (free + np.clip(shift * head, -free, free)).round().astype(int)
    return crop[y : y + side, x : x + side]


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
    figures = {
        kind: measure(judge, heads["val"], temperature) for kind, heads in (("real", real), ("rendered", rendered))
    }
    return small.card_table("headwear", WEARS, INPUT_PX, temperature, figures)


def train(
    crops: HeadCrops,
    run: Path,
    *,
    start: Path,
    passes: int = 20,
    samples: int = 12_800,
    rate: float = 0.0015,
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
        seed: the same one gives the same weights on the same machine.
    """
    odds = _odds(crops)
    own_size = np.where(_is_real(crops), 0.0, OWN_SIZE)
    return small.train(
        lambda rng: _batch(crops, odds, own_size, rng),
        run,
        start=start,
        shape=SHAPE,
        passes=passes,
        steps=samples // BATCH,
        rate=rate,
        seed=seed,
        threads=threads,
        say=say,
    )


def _odds(crops: HeadCrops) -> FloatArray:
    """How probable each head is to be drawn: by wear, and within it by real and rendered, however many there are."""
    is_real = _is_real(crops)
    odds = np.zeros(len(crops))
    for wear, share in SHARES.items():
        mine = crops.wear == WEARS.index(wear)
        for part, of_it in ((mine & is_real, REAL_SHARE), (mine & ~is_real, 1 - REAL_SHARE)):
            if part.any():
                odds[part] = share * of_it / part.sum()
    return np.asarray(odds / odds.sum())


def _is_real(crops: HeadCrops) -> NDArray[np.bool_]:
    return np.char.startswith(crops.source, "real")


def _batch(
    crops: HeadCrops, odds: FloatArray, own_size: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    chosen = rng.choice(len(crops), BATCH, p=odds)
    made = [
        augmented(crops.crops[n], float(crops.size_px[n]), WEARS[crops.wear[n]], rng, own_size=own_size[n])
        for n in chosen
    ]
    return np.concatenate([blob(crop) for crop, _ in made]), np.array([target for _, target in made])


def onnx_bytes(checkpoint: Path, start: Path) -> bytes:
    """Export a checkpoint: input (1, 3, side, side), output (1, wears) of scores before the softmax."""
    return small.onnx_bytes(checkpoint, start, SHAPE)


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


def as_seen(crop: Picture, own_px: float, size_px: float = 0) -> Picture:
    """Return the network's input for a kept head of `own_px`, shrunk to `size_px` (0: as it is) and compressed once.

    It is cut as a detector boxes a head of that size on average.
    """
    growth = GROWTH * (1 + BOX_SLACK_PX / (size_px or own_px))
    window = _window(crop, own_px, growth, np.zeros(2))
    if size_px:
        window = compressed(scaled(window, max(6, round(size_px * growth))), QUALITY)
    return scaled(window)


def scores_at(network: Network, crops: HeadCrops, size_px: float = 0) -> FloatArray:
    """Return (n, wears) raw scores of heads shrunk to `size_px`."""
    return scores_of(
        network,
        (as_seen(crop, float(own_px), size_px) for crop, own_px in zip(crops.crops, crops.size_px, strict=True)),
    )


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
