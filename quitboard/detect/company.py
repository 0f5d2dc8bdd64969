"""How many ride: a small network's answer on one rider and vehicle, cut out at the recording's own resolution.

Of two who ride on one scooter, a detector mostly sees one person and one head: from behind and in front they are one
shape. What is cut out is the square around a person and the vehicle below; the network says whether he is alone on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from quitboard.detect.boxes import iou_matrix
from quitboard.detect.headwear import cut, probabilities, scaled, scores_of
from quitboard.detect.runtime import Network
from quitboard.records import ROLES, VEHICLE_ROLES, Detections, FloatArray, IntArray, Picture, Role, Track


class Answer(StrEnum):
    """The network's answers, in the order of its outputs."""

    ONE = "one"
    MORE = "more"
    UNCLEAR = "unclear"  # hidden, too small or blurred to tell, or nobody who rides


ANSWERS = tuple(Answer)
FILE_NAME = "company.onnx"
INPUT_PX = 112
GROWTH = 1.25
"""Side of the square that is cut out, over the longer side of rider and vehicle together."""
MAX_JUDGED = 8
"""Persons judged in one frame; the tallest come first."""
SHORTEST_PX = 16
DOUBT = 0.02
"""No single frame is surer than this of what it shows: labels themselves are wrong about as often."""
_PERSON = ROLES.index(Role.PERSON)
_VEHICLES = [ROLES.index(role) for role in VEHICLE_ROLES]
_SAME_IOU = 0.7
_SHARED_WIDTH = 0.5
_FEET_BELOW = 0.25


class CompanyJudge:
    """Judges riders by a network of `models.company`, one at a time: the same bytes in any company."""

    def __init__(self, network: Network, *, temperature: float) -> None:
        """Take a network and the temperature that calibrates its scores on pictures it was not trained on."""
        self._network = network
        self._temperature = temperature

    def judge(self, picture: Picture, windows: Iterable[tuple[int, int, int]]) -> FloatArray:
        """Return (n, 2): how probable it is that the rider in each window is alone, and that he is not.

        What is missing to 1 is "unclear".

        Raises:
            ModelUnusable: the network gives other answers than `ANSWERS`.
        """
        crops = (scaled(cut(picture, window), INPUT_PX) for window in windows)
        scores = scores_of(self._network, crops, FILE_NAME, ANSWERS)
        return probabilities(scores, self._temperature)[:, [ANSWERS.index(Answer.ONE), ANSWERS.index(Answer.MORE)]]


def window_of(person: FloatArray, vehicle: FloatArray, growth: float = GROWTH) -> tuple[int, int, int]:
    """Return the square around a person and a vehicle: left, top and side in whole px; it may reach out."""
    x0, y0 = (min(float(a), float(b)) for a, b in zip(person[:2], vehicle[:2], strict=True))
    x1, y1 = (max(float(a), float(b)) for a, b in zip(person[2:], vehicle[2:], strict=True))
    side = max(8, round(growth * max(x1 - x0, y1 - y0)))
    return round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side


def windows_of(found: Detections) -> tuple[IntArray, list[tuple[int, int, int]]]:
    """Return which boxes are persons who may be riding, and the square around each and his vehicle."""
    vehicles = found.xyxy[np.isin(found.class_id, _VEHICLES)]
    persons = np.flatnonzero(found.class_id == _PERSON)
    tallest_first = sorted(persons, key=lambda n: (-float(found.xyxy[n, 3] - found.xyxy[n, 1]), int(n)))
    chosen: dict[int, tuple[int, int, int]] = {}
    for n in tallest_first:
        person = found.xyxy[n]
        below = [vehicle for vehicle in vehicles if _is_below(person, vehicle)]
        if person[3] - person[1] >= SHORTEST_PX and below and len(chosen) < MAX_JUDGED:
            middle = float(person[0] + person[2])
            nearest = min(below, key=lambda box: (abs(float(box[0] + box[2]) - middle), *map(float, box)))
            chosen[int(n)] = window_of(person, nearest)
    order = sorted(chosen)
    return np.array(order, np.int64), [chosen[n] for n in order]


def _is_below(person: FloatArray, vehicle: FloatArray) -> bool:
    """Whether a person may stand or sit on a vehicle: they share width, and his feet are not far from its wheels."""
    shared = min(person[2], vehicle[2]) - max(person[0], vehicle[0])
    narrow = min(person[2] - person[0], vehicle[2] - vehicle[0])
    tall = person[3] - person[1]
    return bool(
        shared >= _SHARED_WIDTH * narrow
        and vehicle[1] < person[3]
        and person[1] < vehicle[1] + 0.1 * tall
        and -_FEET_BELOW * tall <= vehicle[3] - person[3] <= 0.6 * tall
    )


def log_odds(alone: float, more: float) -> float:
    """Return how much one look speaks for company, weighed by how far it is known at all."""
    return (alone + more) * math.log((more + DOUBT) / (alone + DOUBT))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Company:
    """What was said of persons in the frames of a camera."""

    at_us: IntArray  # (n,) not decreasing
    xyxy: FloatArray  # (n, 4) px, the person's box
    company: FloatArray  # (n, 2) 0-1 that he rides alone, that he does not

    def leaning(self, rider: Track) -> float:
        """Return how far what was said of a rider speaks for company: mean log-odds, below 0 against it or nothing."""
        said = self.of(rider.at_us, rider.xyxy)
        known = said[~np.isnan(said).any(axis=1)]
        return float(np.mean([log_odds(*map(float, one)) for one in known])) if len(known) else 0.0

    @classmethod
    def none(cls) -> Company:
        return cls(at_us=np.zeros(0, np.int64), xyxy=np.zeros((0, 4), np.float32), company=np.zeros((0, 2), np.float32))

    def of(self, at_us: Sequence[int] | IntArray, boxes: FloatArray) -> FloatArray:
        """Return (m, 2) what was said of a person who was in `boxes` (m, 4) at those instants; NaN: nothing."""
        said = np.full((len(boxes), 2), np.nan, np.float32)
        first = np.searchsorted(self.at_us, at_us, side="left")
        last = np.searchsorted(self.at_us, at_us, side="right")
        for n, (low, high) in enumerate(zip(first, last, strict=True)):
            if low == high:
                continue
            overlaps = iou_matrix(np.asarray(boxes[n], np.float32)[None], self.xyxy[low:high])[0]
            if overlaps.max() >= _SAME_IOU:
                said[n] = self.company[low + int(overlaps.argmax())]
        return said


def company_of(frames: Iterable[tuple[int, Detections]]) -> Company:
    """Keep what was said of persons in frames given with their instants (µs)."""
    at_us: list[int] = []
    boxes: list[FloatArray] = []
    said: list[FloatArray] = []
    for now, detections in frames:
        if detections.company is None:
            continue
        judged = np.flatnonzero(~np.isnan(detections.company).any(axis=1))
        for n in sorted(judged, key=lambda k: tuple(map(float, detections.xyxy[k]))):
            at_us.append(now)
            boxes.append(detections.xyxy[n])
            said.append(detections.company[n])
    return Company(
        at_us=np.array(at_us, np.int64),
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        company=np.array(said, np.float32).reshape(-1, 2),
    )
