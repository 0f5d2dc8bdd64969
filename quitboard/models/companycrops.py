"""Riders cut out of pictures with how many ride: what the network that judges company is trained on and measured by.

A kept crop shows more around rider and vehicle than the network will see, so that training can move and grow the
square as an erring detector would. Rendered pictures tell who rides what; of real ones a table does, made by eye.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitboard import files
from quitboard.detect.company import ANSWERS, GROWTH, Answer, window_of
from quitboard.detect.headwear import cut, scaled
from quitboard.errors import NothingUsable, SettingsError
from quitboard.models.headcrops import VALIDATION_STREETS, place_of
from quitboard.models.labelled import opened
from quitboard.records import VEHICLE_ROLES, FloatArray, IntArray, Picture, Role

KEPT_PX = 160
KEPT_GROWTH = 1.7
"""A kept crop's side over the longer side of rider and vehicle together."""
SMALLEST_PX = 20
SEEN_SHARE, HIDDEN_SHARE = 0.25, 0.12
"""A second rider of whom more than the first is visible can be told; of whom less than the second, cannot."""
_NEAR = 0.75
"""How far from a rider's middle, in sides of his square, another person makes it a harder case."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompanyCrops:
    """Riders with their vehicles, each cut out and scaled to one size."""

    crops: NDArray[np.uint8]  # (n, KEPT_PX, KEPT_PX, 3) BGR
    answer: IntArray  # (n,) index into ANSWERS
    size_px: FloatArray  # (n,) longer side of rider and vehicle together, in the picture
    source: NDArray[np.str_]  # (n,) "real" or "rendered", and "near" where somebody else is near

    def __len__(self) -> int:
        return len(self.answer)

    def only(self, chosen: NDArray[np.bool_] | IntArray) -> CompanyCrops:
        return CompanyCrops(
            crops=self.crops[chosen],
            answer=self.answer[chosen],
            size_px=self.size_px[chosen],
            source=self.source[chosen],
        )


@dataclass(frozen=True, slots=True)
class _Rider:
    person: FloatArray  # (4,) px
    vehicle: FloatArray
    answer: Answer
    source: str


def joined(parts: Sequence[CompanyCrops]) -> CompanyCrops:
    return CompanyCrops(
        crops=np.concatenate([part.crops for part in parts]),
        answer=np.concatenate([part.answer for part in parts]),
        size_px=np.concatenate([part.size_px for part in parts]),
        source=np.concatenate([part.source for part in parts]),
    )


def save(crops: CompanyCrops, path: Path) -> None:
    """Keep crops in one `.npz`, uncompressed: cut once, read in every pass."""
    content = io.BytesIO()
    np.savez(content, crops=crops.crops, answer=crops.answer, size_px=crops.size_px, source=crops.source)
    files.write_bytes(path, content.getvalue())


def load(path: Path) -> CompanyCrops:
    with np.load(path, allow_pickle=False) as stored:
        return CompanyCrops(**{name: stored[name] for name in ("crops", "answer", "size_px", "source")})


def labelled(folder: Path, split: str, table: Path) -> CompanyCrops:
    """Cut the riders of one split of a set out of its pictures.

    Args:
        folder: the set. Its name is that of its rows in the table.
        table: `set,path,x0,y0,x1,y1,answer`, boxes of rider and vehicle together in px.

    Raises:
        SettingsError: the table cannot be read.
        NothingUsable: it has no row of this set and split.
    """
    rows: dict[str, list[_Rider]] = defaultdict(list)
    try:
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["set"] == folder.name and f"images/{split}/" in row["path"]:
                    box = np.array([float(row[name]) for name in ("x0", "y0", "x1", "y1")], np.float32)
                    rows[row["path"]].append(_Rider(box, box, Answer(row["answer"]), "real"))
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise SettingsError(
            f"not a table of riders: {error}", where=table.name, todo="It needs set,path,x0,y0,x1,y1,answer"
        ) from None
    if not rows:
        raise NothingUsable(f"no rider of {folder.name}, {split}", where=table.name, todo="Leave the set out")
    return joined([_cut_all(opened(folder / path), riders) for path, riders in sorted(rows.items())])


def rendered(folder: Path, *, validation: bool) -> CompanyCrops:
    """Cut the riders out of rendered pictures with their truth (`truth/<name>.json`)."""
    parts = []
    for path in sorted((folder / "truth").glob("*.json")):
        if (place_of(path.stem) % VALIDATION_STREETS == 0) is not validation:
            continue
        truth = json.loads(path.read_text("utf-8"))
        riders = list(_riders(truth["boxes"]))
        if riders:
            picture = opened(folder / truth["picture"])
            parts.append(_cut_all(picture, riders, picture.shape[1] / truth["resolution"][0]))
    if not parts:
        raise NothingUsable("no rider in it", where=folder.name, todo="Draw it: python -m tools.street rides")
    return joined(parts)


def _riders(boxes: Sequence[Mapping[str, Any]]) -> list[_Rider]:
    persons = [row for row in boxes if row["class"] == Role.PERSON]
    vehicles = {row["track"]: row for row in boxes if row["class"] in VEHICLE_ROLES and row["visible"] >= 0.15}
    crews: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in persons:
        crews[row.get("rides", row.get("pushes", 0))].append(row)
    found = []
    for track, vehicle in vehicles.items():
        crew = sorted(crews.get(track, []), key=lambda row: row["seat"])
        seen = [row for row in crew if row["visible"] >= SEEN_SHARE]
        if not seen:
            continue
        least = min(row["visible"] for row in crew)
        if len(crew) > 1 and HIDDEN_SHARE <= least < SEEN_SHARE:
            continue
        answer = Answer.ONE if len(crew) == 1 else Answer.MORE if least >= SEEN_SHARE else Answer.UNCLEAR
        under, all_of_them = _box(vehicle), np.array([_box(row) for row in seen])
        # A detector boxes two who sit close as one person, or only the one in front.
        shapes = [all_of_them[0]]
        if len(seen) > 1:
            shapes.append(np.concatenate([all_of_them[:, :2].min(axis=0), all_of_them[:, 2:].max(axis=0)]))
        others = [_box(row) for row in persons if row["visible"] >= SEEN_SHARE and row not in crew]
        for person in shapes:
            near = " near" if _is_near(person, under, others) else ""
            found.append(_Rider(person, under, answer, f"rendered{near}"))
    return found


def _box(row: Mapping[str, Any]) -> FloatArray:
    return np.array(row["xyxy"], np.float32)


def _is_near(person: FloatArray, vehicle: FloatArray, others: Sequence[FloatArray]) -> bool:
    left, top, side = window_of(person, vehicle, GROWTH)
    middle = np.array([left + side / 2, top + side / 2])
    return any(float(np.abs((box[:2] + box[2:]) / 2 - middle).max()) < _NEAR * side for box in others)


def _cut_all(picture: Picture, riders: Sequence[_Rider], scale: float = 1.0) -> CompanyCrops:
    crops, answers, sizes, sources = [], [], [], []
    for rider in riders:
        left, top, side = window_of(rider.person * scale, rider.vehicle * scale, KEPT_GROWTH)
        if side < KEPT_GROWTH * SMALLEST_PX:
            continue
        crops.append(scaled(cut(picture, (left, top, side)), KEPT_PX))
        answers.append(ANSWERS.index(rider.answer))
        sizes.append(side / KEPT_GROWTH)
        sources.append(rider.source)
    return CompanyCrops(
        crops=np.array(crops, np.uint8).reshape(-1, KEPT_PX, KEPT_PX, 3),
        answer=np.array(answers, np.int64),
        size_px=np.array(sizes, np.float32),
        source=np.array(sources, "U16"),
    )
