"""Models against each other: the same pictures, the same minute, accuracy against processor time.

Times are the processor time that this process spends on a picture from BGR to boxes, on one thread, at the model's own
thresholds. The models take turns picture by picture, so a load on the machine, and its clock, hit all of them alike;
still only the ratios mean something elsewhere. Differences of accuracy are of the same bootstrap resamples of pictures
for both (a paired bootstrap, Efron & Tibshirani 1993, ch. 16): what is hard for both cancels out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quitboard.detect.model import Detector
from quitboard.errors import NothingUsable
from quitboard.models.intervals import Array, Figure, percentiles, plain, resamples
from quitboard.models.labelled import LabelledPicture, opened
from quitboard.models.pictures import Ranking, match
from quitboard.models.sources import by_shape
from quitboard.records import ROLES, Detections, Picture, Role

LOWEST_CONFIDENCE = 0.005
TIMED_PICTURES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A model at an input size."""

    label: str
    detector: Detector
    imgsz: int

    def found(self, picture: Picture, min_confidence: float | None = None) -> Detections:
        return next(self.detector.detect([picture], min_confidence=min_confidence, imgsz=self.imgsz))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of an entrant."""

    label: str
    imgsz: int
    runtime: str
    cpu_ms: float  # median processor time of a picture
    ratio: Figure  # of that to the peer's, interval over pictures
    ap50: dict[Role, Figure]
    mean_ap50: Figure
    less: dict[Role, Figure] = field(default_factory=dict)  # AP50 minus the first row's, paired
    mean_less: Figure | None = None

    def as_plain(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "model": self.label,
            "imgsz": self.imgsz,
            "runtime": self.runtime,
            "cpu_ms": plain(self.cpu_ms),
            "time_ratio": self.ratio.as_plain(),
            "mean_ap50": self.mean_ap50.as_plain(),
            "ap50": {role.value: one.as_plain() for role, one in self.ap50.items()},
            "mean_difference": self.mean_less.as_plain() if self.mean_less else None,
            "difference": {role.value: one.as_plain() for role, one in self.less.items()},
        }


def compare(
    entrants: Sequence[Entrant],
    pictures: Sequence[LabelledPicture],
    *,
    timed: int = TIMED_PICTURES,
    told: Callable[[int], None] = lambda _done: None,
) -> list[Row]:
    """Return a row for each entrant. Differences are from the first one, time ratios to the last one (the peer).

    Args:
        entrants: at least one.
        pictures: every one is opened once.
        timed: how many of them are timed, spread evenly over all.
        told: called with each picture's number when it is finished.

    Raises:
        NothingUsable: a picture cannot be read, or none is labelled.
        ModelUnusable: a model's output does not fit its card.
    """
    pictures = by_shape(pictures)
    chosen = set(np.linspace(0, len(pictures) - 1, min(timed, len(pictures))).astype(int).tolist())
    found: list[list[Detections]] = [[] for _ in entrants]
    spent: list[list[float]] = [[] for _ in entrants]
    sizes: list[tuple[int, int]] = []
    for number, picture in enumerate(opened(one.path) for one in pictures):
        sizes.append((picture.shape[1], picture.shape[0]))
        for index, entrant in enumerate(entrants):
            found[index].append(entrant.found(picture, LOWEST_CONFIDENCE))
        if number in chosen:
            for index, ms in _times(entrants, picture, turn=number):
                spent[index].append(ms)
        told(number + 1)
    rankings = [_rankings(pictures, sizes, one) for one in found]
    roles = [role for role in ROLES if rankings and role in rankings[0]]
    if not roles:
        raise NothingUsable("no picture labels anything", todo="Give a set in YOLO's format with labels")
    finds = [{role for role in one.detector.thresholds if role in roles} for one in entrants]
    return _rows(entrants, rankings, [[r for r in roles if r in has] for has in finds], np.array(spent))


def _times(entrants: Sequence[Entrant], picture: Picture, *, turn: int) -> Iterator[tuple[int, float]]:
    """Yield each entrant's processor time in ms: the middle one of three rounds, each begun by another entrant."""
    rounds: list[list[float]] = [[] for _ in entrants]
    for entrant in entrants:
        entrant.found(picture)  # this size of picture is compiled and its pages are there
    for number in range(3):
        order = np.roll(np.arange(len(entrants)), turn + number).tolist()
        for index in order:
            began = time.process_time_ns()
            entrants[index].found(picture)
            rounds[index].append((time.process_time_ns() - began) / 1e6)
    yield from ((index, float(np.median(ms))) for index, ms in enumerate(rounds))


def _rankings(
    pictures: Sequence[LabelledPicture], sizes: Sequence[tuple[int, int]], found: Sequence[Detections]
) -> dict[Role, tuple[Ranking, Array]]:
    """Return each labelled role's ranking, and the bootstrap's weights of the pictures that label it.

    The draws are of all pictures, the same for each entrant and role; a role sees those that label it.
    """
    drawn = np.vstack([np.ones(len(pictures)), resamples(len(pictures))])
    told: dict[Role, tuple[Ranking, Array]] = {}
    for role in ROLES:
        mine = [number for number, one in enumerate(pictures) if role in one.labelled]
        rows = [match(pictures[number], sizes[number], found[number], role) for number in mine]
        if any(row.labelled for row in rows):
            told[role] = Ranking.of(rows), drawn[:, mine]
    return told


def _rows(
    entrants: Sequence[Entrant],
    rankings: Sequence[dict[Role, tuple[Ranking, Array]]],
    roles: Sequence[Sequence[Role]],
    spent: Array,
) -> list[Row]:
    samples = [
        {role: ranking.average_precision(drawn) for role, (ranking, drawn) in one.items() if role in mine}
        for one, mine in zip(rankings, roles, strict=True)
    ]
    labels = {role: int(ranking.labels.sum()) for role, (ranking, _) in rankings[0].items()}
    rows = []
    for index, entrant in enumerate(entrants):
        mine, first = samples[index], samples[0]
        shared = [role for role in mine if role in first]
        less = {role: _figure(mine[role] - first[role], labels[role]) for role in shared} if index else {}
        both = sum(labels[role] for role in shared)
        rows.append(
            Row(
                label=entrant.label,
                imgsz=entrant.imgsz,
                runtime=entrant.detector.runtime,
                cpu_ms=float(np.median(spent[index])) if spent.size else float("nan"),
                ratio=_ratio(spent[index], spent[-1]),
                ap50={role: _figure(sample, labels[role]) for role, sample in mine.items()},
                mean_ap50=_figure(_mean(mine, list(mine)), sum(labels[role] for role in mine)),
                less=less,
                mean_less=_figure(_mean(mine, shared) - _mean(first, shared), both) if index and shared else None,
            )
        )
    return rows


def _mean(samples: dict[Role, Array], roles: Sequence[Role]) -> Array:
    return np.asarray(np.mean([samples[role] for role in roles], axis=0)) if roles else np.full(1, np.nan)


def _figure(sample: Array, n: int) -> Figure:
    """Read a figure from its sample: the whole first, then the resamples."""
    low, high = percentiles(sample[1:])
    return Figure(value=float(sample[0]), low=low, high=high, n=n)


def _ratio(mine: Array, peers: Array) -> Figure:
    """Return the ratio of total times; its interval resamples the pictures."""
    if not mine.size:
        return Figure(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    drawn = resamples(len(mine))
    low, high = percentiles((drawn @ mine) / (drawn @ peers))
    return Figure(value=float(mine.sum() / peers.sum()), low=low, high=high, n=len(mine))


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, differences in brackets."""
    roles = [role for role in ROLES if any(role in row.ap50 for row in rows)]
    head = ["model", "px", "CPU ms", "× peer's time", "mean AP50"]
    head += [f"{role} ({next(row.ap50[role].n for row in rows if role in row.ap50)})" for role in roles]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.label, str(row.imgsz), f"{row.cpu_ms:.0f}", f"{row.ratio.value:.2f}"]
        cells.append(_cell(row.mean_ap50, row.mean_less))
        cells += [_cell(row.ap50[role], row.less.get(role)) if role in row.ap50 else "" for role in roles]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(one: Figure, less: Figure | None) -> str:
    return f"{one.value:.3f}" + (f" ({less.value:+.3f}: {less.low:+.2f} to {less.high:+.2f})" if less else "")


def set_named(path: Path) -> str:
    """Return a label for a model given as a path."""
    return path.name if path.is_dir() else path.stem
