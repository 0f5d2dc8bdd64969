"""Training the network that judges whether a rider is alone, on a CPU, resumable at any pass.

The network sees a square of 112 px around a rider and his vehicle and gives three scores (`detect.company.ANSWERS`). As
with heads (`models.headwear`), a crop is made as small, soft, noisy and compressed as a street camera's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quitboard import files
from quitboard.detect.company import ANSWERS, FILE_NAME, GROWTH, INPUT_PX, Answer
from quitboard.detect.headwear import blob, probabilities, scaled, scores_of
from quitboard.detect.runtime import Network, open_onnx
from quitboard.models import small
from quitboard.models.calibration import reliability
from quitboard.models.companycrops import KEPT_GROWTH, KEPT_PX, CompanyCrops, joined
from quitboard.models.samples import compressed
from quitboard.records import FloatArray, Picture

SHAPE = small.Shape(side=INPUT_PX, answers=len(ANSWERS), pooling="places")
SHARES = {Answer.ONE: 0.52, Answer.MORE: 0.42, Answer.UNCLEAR: 0.06}
"""How often each is drawn, however many of it there are."""
REAL_SHARE = 0.4
NEAR_WEIGHT = 2.0
"""How much more often a rider is drawn who has somebody else near him."""
CLEAN = 0.25
"""How many are only made smaller."""
OWN_SIZE = 0.45
"""How many stay as large as they were: most riders that are judged are 60 px and more."""
UNSEEN_PX, SEEN_PX = 12.0, 22.0
"""A rider below the first is unclear for certain, above the second never for his size."""
BATCH = 64
QUALITY = 70
SIZES_PX = (24, 32, 48, 64)
"""Sizes of riders at which a network is calibrated and measured."""


def augmented(crop: Picture, size_px: float, answer: Answer, rng: np.random.Generator) -> tuple[Picture, FloatArray]:
    """Return a crop as a street camera and an erring detector would give it, and how probable each answer then is.

    Args:
        crop: KEPT_PX square, as `companycrops` keeps it.
        size_px: the longer side of rider and vehicle in their picture: they are never made larger than they were.
        answer: whether he is alone.
    """
    growth = GROWTH * float(np.exp(rng.normal(0.02, 0.1)))
    side = min(1.0, growth / KEPT_GROWTH) * KEPT_PX
    free = (KEPT_PX - side) / 2
    move = np.clip(rng.normal(0, 0.06, 2) * KEPT_PX / KEPT_GROWTH, -free, free)
    x, y = (free + move).round().astype(int)
    window = crop[max(y, 0) : y + round(side), max(x, 0) : x + round(side)]
    largest = max(min(size_px, 110.0), 14.0)
    shrunk = float(np.exp(rng.uniform(math.log(min(18.0, largest)), math.log(largest))))
    rider_px = largest if rng.random() < OWN_SIZE else shrunk
    seen_as = scaled(window, max(12, round(rider_px * growth)))
    if rng.random() < 0.5:
        seen_as = seen_as[:, ::-1]
    seen_as, blur = (np.ascontiguousarray(seen_as), 0.0) if rng.random() < CLEAN else small.degraded(seen_as, rng)
    target = np.zeros(len(ANSWERS), np.float32)
    seen = np.clip((rider_px / (1 + 0.4 * blur) - UNSEEN_PX) / (SEEN_PX - UNSEEN_PX), 0, 1)
    target[ANSWERS.index(answer)] = seen
    target[ANSWERS.index(Answer.UNCLEAR)] += 1 - seen
    return scaled(seen_as, INPUT_PX), target


def make(
    folder: Path,
    run: Path,
    *,
    start: Path,
    real: Mapping[str, CompanyCrops],
    rendered: Mapping[str, CompanyCrops],
    passes: int = 20,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[object], None] = print,
) -> str:
    """Train, calibrate and measure; write `company.onnx` into `folder` and return the card's table on it.

    Args:
        folder: the model's, where its card is.
        run: of this training; a second call goes on where the first was killed.
        start: `.pt` detector whose first layers the network begins with.
        real: riders of photographs, `train` and `val`. The latter choose the temperature, with the rendered ones.
        rendered: riders of rendered pictures, `train` and `val`.

    Raises:
        ModelUnusable: torch is not installed, or `start` is not a detection model.
    """
    crops = joined([real["train"], rendered["train"]])
    checkpoint = train(crops, run, start=start, passes=passes, seed=seed, threads=threads, say=say)
    target = folder / FILE_NAME
    files.write_bytes(target, small.onnx_bytes(checkpoint, start, SHAPE))
    return table(target, real["val"], rendered["val"])


def table(network: Path, real: CompanyCrops, rendered: CompanyCrops) -> str:
    """Calibrate and measure a network on riders it was not trained on; return the card's table on it."""
    _, judge = open_onnx(network, "auto", threads=1)
    temperature = temperature_of(judge, joined([real, rendered]))
    figures = {"real": measure(judge, real, temperature), "rendered": measure(judge, rendered, temperature)}
    return small.card_table("company", ANSWERS, INPUT_PX, temperature, figures)


def train(
    crops: CompanyCrops,
    run: Path,
    *,
    start: Path,
    passes: int = 20,
    samples: int = 4_800,
    rate: float = 0.0015,
    onward: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[object], None] = print,
) -> Path:
    """Train and return the checkpoint; a run that was killed goes on after its last finished pass."""
    odds = odds_of(crops)
    return small.train(
        lambda rng: _batch(crops, odds, rng),
        run,
        start=start,
        shape=SHAPE,
        passes=passes,
        steps=samples // BATCH,
        rate=rate,
        onward=onward,
        seed=seed,
        threads=threads,
        say=say,
    )


def odds_of(crops: CompanyCrops) -> FloatArray:
    """How probable each rider is to be drawn: by answer, within it by real and rendered, however many there are."""
    is_real = np.char.startswith(crops.source, "real")
    weight = np.where(np.char.endswith(crops.source, "near"), NEAR_WEIGHT, 1.0)
    odds = np.zeros(len(crops))
    for answer, share in SHARES.items():
        mine = crops.answer == ANSWERS.index(answer)
        for part, of_it in ((mine & is_real, REAL_SHARE), (mine & ~is_real, 1 - REAL_SHARE)):
            if part.any():
                odds[part] = share * of_it * weight[part] / weight[part].sum()
    return np.asarray(odds / odds.sum())


def _batch(crops: CompanyCrops, odds: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    chosen = rng.choice(len(crops), BATCH, p=odds)
    made = [augmented(crops.crops[n], float(crops.size_px[n]), ANSWERS[crops.answer[n]], rng) for n in chosen]
    return np.concatenate([blob(crop) for crop, _ in made]), np.array([target for _, target in made])


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFigures:
    """How riders of one size are judged."""

    size_px: int  # 0: as they are
    alone: int
    alone_right: float  # share of those alone that are judged rather alone than not
    more: int
    more_right: float
    unclear: float  # share of all that is more probably unclear than known
    calibration_error: float  # expected calibration error (10 bins) of "more" among what is known


def as_seen(crop: Picture, size_px: float) -> Picture:
    """Return the network's input for a kept rider, shrunk to `size_px` (0: as it is) and compressed once."""
    side = round(KEPT_PX * GROWTH / KEPT_GROWTH)
    corner = (KEPT_PX - side) // 2
    window = crop[corner : corner + side, corner : corner + side]
    if size_px:
        window = compressed(scaled(window, max(12, round(size_px * GROWTH))), QUALITY)
    return scaled(window, INPUT_PX)


def said_at(network: Network, crops: CompanyCrops, temperature: float, size_px: float = 0) -> FloatArray:
    """Return (n, answers) of riders shrunk to `size_px`."""
    scores = scores_of(network, (as_seen(crop, size_px) for crop in crops.crops), FILE_NAME, ANSWERS)
    return probabilities(scores, temperature)


def temperature_of(network: Network, crops: CompanyCrops) -> float:
    """Return the temperature at which a network's probabilities are likeliest on riders it was not trained on.

    Riders count at the sizes of a street camera, and one and more with the same weight (Guo et al. 2017).
    """
    known = crops.only(crops.answer != ANSWERS.index(Answer.UNCLEAR))
    parts = [(size, known.only(known.size_px >= size)) for size in SIZES_PX]
    raw = [scores_of(network, (as_seen(crop, size) for crop in part.crops), FILE_NAME, ANSWERS) for size, part in parts]
    scores, is_more = np.concatenate(raw), np.concatenate([_is_more(part) for _, part in parts])

    def surprise(temperature: float) -> float:
        two = probabilities(scores, temperature)[:, :2] + 1e-6
        right = np.where(is_more, two[:, 1], two[:, 0]) / two.sum(axis=1)
        return float(-np.log(right[is_more]).mean() - np.log(right[~is_more]).mean())

    tried = [0.4 * 1.05**step for step in range(48)]
    return round(tried[int(np.argmin([surprise(one) for one in tried]))], 3)


def measure(network: Network, crops: CompanyCrops, temperature: float) -> list[SizeFigures]:
    """Judge riders at several sizes, each at his own size and smaller."""
    known = crops.only(crops.answer != ANSWERS.index(Answer.UNCLEAR))
    rows = []
    for size in (0, *SIZES_PX):
        part = known.only(known.size_px >= size)
        two = said_at(network, part, temperature, size)[:, :2]
        is_more, more = _is_more(part), two[:, 1] / two.sum(axis=1)
        rows.append(
            SizeFigures(
                size_px=size,
                alone=int((~is_more).sum()),
                alone_right=_share(more[~is_more] < 0.5),
                more=int(is_more.sum()),
                more_right=_share(more[is_more] >= 0.5),
                unclear=_share(two.sum(axis=1) < 0.5),
                calibration_error=round(reliability(list(zip(more.tolist(), is_more.tolist(), strict=True))).ece, 4),
            )
        )
    return rows


def _is_more(crops: CompanyCrops) -> NDArray[np.bool_]:
    return np.asarray(crops.answer == ANSWERS.index(Answer.MORE))


def _share(answers: NDArray[np.bool_]) -> float:
    return round(float(answers.mean()), 4) if len(answers) else float("nan")
