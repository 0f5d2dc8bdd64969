"""What a head wears: a small network's answer on one head, cut out at the recording's own resolution.

The detector says where a head is; from a few pixels it cannot say well what is on it. Each head box is cut out with
some of its surroundings (brim, shoulders), scaled to the network's square input and judged on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import cv2
import numpy as np

from quitboard.detect.runtime import Network
from quitboard.errors import ModelUnusable
from quitboard.records import FloatArray, Picture


class Wear(StrEnum):
    """The network's answers, in the order of its outputs."""

    HELMET = "helmet"
    BARE = "bare"
    CAP = "cap"  # anything else that covers: caps, hoods, beanies, hats, buns
    UNCLEAR = "unclear"  # too small or blurred to tell, or no head at all


WEARS = tuple(Wear)
FILE_NAME = "headwear.onnx"
INPUT_PX = 64
GROWTH = 1.8
"""Side of the square that is cut out, over the longer side of the head's box."""
_JUDGE_WEIGHT, _DETECTOR_WEIGHT = 0.83, 0.30
_JUDGE_DOUBT, _DETECTOR_DOUBT = 0.01, 0.05
"""The weights of least cross-entropy, classes and sets weighing the same, on 227 heads of validation photos, 500 of
electric scooters' riders and 1,584 rendered. Right, mean of both classes: 0.908 to 0.917, 0.828 to 0.854, 0.829 to
0.841 over the judge's word alone."""


class HeadJudge:
    """Judges heads by a network of `models.headwear`, one at a time: the same bytes in any company."""

    def __init__(self, network: Network, *, temperature: float) -> None:
        """Take a network and the temperature that calibrates its scores on pictures it was not trained on."""
        self._network = network
        self._temperature = temperature

    def judge(self, picture: Picture, boxes: FloatArray) -> FloatArray:
        """Return (n, 2): how probable it is that each head wears a helmet, and that it wears none.

        What is missing to 1 is "unclear". A cap or a hood is no helmet.

        Raises:
            ModelUnusable: the network gives other answers than `WEARS`.
        """
        crops = (scaled(cut(picture, window_of(box))) for box in boxes)
        return in_two(probabilities(scores_of(self._network, crops), self._temperature))


def scores_of(
    network: Network, crops: Iterable[Picture], file_name: str = FILE_NAME, answers: Sequence[str] = WEARS
) -> FloatArray:
    """Return a network's scores (n, answers) of crops of its size: each the mean over the crop and its mirror image.

    Raises:
        ModelUnusable: the network gives other answers.
    """
    both = (blob(view) for crop in crops for view in (crop, crop[:, ::-1]))
    scores = []
    for one in network.infer(both):
        if one.shape != (len(answers),):
            raise ModelUnusable(
                f"the network's output {one.shape} is not one score for each of {', '.join(answers)}",
                where=file_name,
                todo=f"Copy the model again, or remove [{file_name.partition('.')[0]}] from its card",
            )
        scores.append(one)
    return np.asarray(np.array(scores, np.float32).reshape(-1, 2, len(answers)).mean(axis=1))


def probabilities(scores: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Return the softmax of scores (..., wears) at a temperature (Guo et al. 2017)."""
    raised = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


def in_two(probable: FloatArray) -> FloatArray:
    """Return (..., 2) of (..., wears): with a helmet, and without one."""
    helmet = probable[..., WEARS.index(Wear.HELMET)]
    return np.stack([helmet, probable[..., WEARS.index(Wear.BARE)] + probable[..., WEARS.index(Wear.CAP)]], axis=-1)


def pooled(judged: FloatArray, helmet: FloatArray, bare: FloatArray) -> FloatArray:
    """Return (n, 2) judgements of heads with what the detector itself took them for, as a logarithmic opinion pool.

    What is unclear stays unclear: the two only share out the rest (Genest & Zidek, Statistical Science 1986).

    Args:
        judged: (n, 2) by `HeadJudge.judge`.
        helmet: (n,) the detector's highest confidence, 0-1, of a helmet at this head; 0 where it saw none.
        bare: (n,) the same of a bare head.
    """
    by_judge = np.log((judged[:, 0] + _JUDGE_DOUBT) / (judged[:, 1] + _JUDGE_DOUBT))
    by_detector = np.log((helmet + _DETECTOR_DOUBT) / (bare + _DETECTOR_DOUBT))
    share = 1 / (1 + np.exp(-(_JUDGE_WEIGHT * by_judge + _DETECTOR_WEIGHT * by_detector)))
    return np.asarray(judged.sum(axis=1, keepdims=True) * np.stack([share, 1 - share], axis=1), np.float32)


def window_of(box: Sequence[float] | FloatArray, growth: float = GROWTH) -> tuple[int, int, int]:
    """Return the square around a head's box: left, top and side in whole px; it may reach out of the picture."""
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(3, round(growth * max(x1 - x0, y1 - y0)))
    return round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side


def cut(picture: Picture, window: tuple[int, int, int]) -> Picture:
    """Return a square of a picture; outside the picture its edge goes on."""
    left, top, side = window
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return picture[rows[:, None], columns]


def scaled(crop: Picture, side: int = INPUT_PX) -> Picture:
    """Return a square crop at another size: averaged when it shrinks, interpolated when it grows."""
    way = cv2.INTER_AREA if crop.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side, side), interpolation=way), np.uint8)


def blob(crop: Picture) -> FloatArray:
    """Return the network's input for a crop of its size: float32 RGB 0-1 of shape (1, 3, side, side)."""
    rgb = crop[:, :, ::-1].astype(np.float32) / 255
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
