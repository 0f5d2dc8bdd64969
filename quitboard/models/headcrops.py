"""Heads cut out of labelled pictures, to train and to measure what judges their wear.

Real and rendered heads come from different folders and are never mixed in a figure. A crop is kept with more around it
than the network sees, so that augmentation can move and scale the box as a detector errs; and it is never enlarged: a
head of 12 px is kept as those 12 px.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quitboard import files
from quitboard.detect.boxes import iou_matrix
from quitboard.detect.headwear import WEARS, Wear, cut, scaled, window_of
from quitboard.detect.model import Detector
from quitboard.errors import NothingUsable
from quitboard.models.labelled import opened, rows_of
from quitboard.records import ROLES, FloatArray, IntArray, Picture, Role

KEPT_PX = 96
KEPT_GROWTH = 2.8
"""A kept crop's side over the head's, at least: around a small head, a square of KEPT_PX is kept as it is."""
SMALLEST_PX = 6
PER_STREET = 10
"""Rendered pictures in a row that show one street: a street is in training or in validation, never in both."""
VALIDATION_STREETS = 5
"""Every n-th street is for validation."""
BESIDE_PICTURES = 500
"""Of how many rendered pictures, about, what is beside heads is cut out too: rides show one place again and again."""
_WEAR_OF_HEAD = {"helmet": Wear.HELMET, "bare": Wear.BARE}
_WEAR_OF_ROLE = {Role.HELMET: Wear.HELMET, Role.HEAD: Wear.BARE}
_TOP_SHARE = 0.42
"""A rider's head is in this part of the box around rider and vehicle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadCrops:
    """Heads, each cut out and scaled to one size."""

    crops: NDArray[np.uint8]  # (n, KEPT_PX, KEPT_PX, 3) BGR
    wear: IntArray  # (n,) index into WEARS
    size_px: FloatArray  # (n,) the head's longer side in its picture
    source: NDArray[np.str_]  # (n,) where it is from, and for rendered ones what exactly it wears

    def __len__(self) -> int:
        return len(self.wear)

    def only(self, chosen: NDArray[np.bool_] | IntArray) -> HeadCrops:
        return HeadCrops(
            crops=self.crops[chosen], wear=self.wear[chosen], size_px=self.size_px[chosen], source=self.source[chosen]
        )


@dataclass(frozen=True, slots=True)
class _Head:
    box: tuple[float, float, float, float]
    wear: Wear
    source: str


def kept_growth(size_px: float) -> float:
    """Return the side of a kept crop over that of its head."""
    return max(KEPT_GROWTH, KEPT_PX / size_px)


def joined(parts: Sequence[HeadCrops]) -> HeadCrops:
    return HeadCrops(
        crops=np.concatenate([part.crops for part in parts]),
        wear=np.concatenate([part.wear for part in parts]),
        size_px=np.concatenate([part.size_px for part in parts]),
        source=np.concatenate([part.source for part in parts]),
    )


def save(crops: HeadCrops, path: Path) -> None:
    """Keep crops in one `.npz`, uncompressed: cut once, read in every pass."""
    import io

    content = io.BytesIO()
    np.savez(content, crops=crops.crops, wear=crops.wear, size_px=crops.size_px, source=crops.source)
    files.write_bytes(path, content.getvalue())


def load(path: Path) -> HeadCrops:
    with np.load(path, allow_pickle=False) as stored:
        return HeadCrops(**{name: stored[name] for name in ("crops", "wear", "size_px", "source")})


def labelled(
    folder: Path, split: str, names: Sequence[str], *, wears: Path | None = None, riders: Detector | None = None
) -> HeadCrops:
    """Cut the heads out of a folder of real pictures in YOLO's format.

    A helmet's box that holds only the shell is grown to the whole head. Below each head a piece of shoulder or back is
    cut out too, as what a detector may take for one: `unclear`.

    Args:
        folder: the set, with `images/<split>` and `labels/<split>`.
        names: class names by number; helmet and head are used.
        wears: a table (`path`, `label_line`, `wear`) that corrects what single heads wear: a label says "head" of a
            cap too.
        riders: where `riderstate.csv` says of riders whether they wear a helmet, the detector that finds their heads.
    """
    corrected = _table(wears, "wear") if wears else {}
    states = _table(folder / "riderstate.csv", "state") if (folder / "riderstate.csv").is_file() else {}
    parts = []
    for path in sorted((folder / "images" / split).glob("*")):
        picture = opened(path)
        name = path.relative_to(folder).as_posix()
        heads: list[_Head] = []
        for number, (kind, box) in enumerate(
            _labels(folder / "labels" / split / f"{path.stem}.txt", len(names), picture)
        ):
            role = names[kind]
            state = states.get((name, number))
            if role in (Role.HELMET, Role.HEAD):
                wear = Wear(corrected.get((name, number), _WEAR_OF_ROLE[Role(role)]))
                heads.append(_Head(_whole(box) if role == Role.HELMET else box, wear, f"real {path.stem}:{number}"))
            elif state and riders and (found := _head_of_rider(picture, box, riders)):
                wear = Wear(corrected.get((name, number), "helmet" if state == "with_helmet" else "bare"))
                heads.append(_Head(found, wear, f"real-rider {path.stem}:{number}"))
        parts.append(_cut_all(picture, heads, beside=True))
    return _nonempty(parts, folder)


def rendered(folder: Path, *, validation: bool) -> HeadCrops:
    """Cut the heads out of rendered pictures with their truth (`truth/<name>.json`)."""
    parts = []
    paths = [
        path
        for path in sorted((folder / "truth").glob("*.json"))
        if (place_of(path.stem) % VALIDATION_STREETS == 0) is validation
    ]
    for number, path in enumerate(paths):
        truth = json.loads(path.read_text("utf-8"))
        picture = opened(folder / truth["picture"])
        scale = picture.shape[1] / truth["resolution"][0]
        heads = []
        for row in truth["boxes"]:
            if row["class"] not in (Role.HELMET, Role.HEAD) or row["visible"] < 0.5:
                continue
            x0, y0, x1, y1 = (float(value) * scale for value in row["xyxy"])
            what = row.get("wear") or row["head"]
            heads.append(_Head((x0, y0, x1, y1), _WEAR_OF_HEAD.get(row["head"], Wear.CAP), f"rendered {what}"))
        parts.append(_cut_all(picture, heads, beside=number % (1 + len(paths) // BESIDE_PICTURES) == 0))
    return _nonempty(parts, folder)


def place_of(stem: str) -> int:
    """Return the number of the street that a picture shows: `street-SEED-PICTURE` or `rides-SEED-PLACE-TIME`."""
    parts = stem.split("-")
    return int(parts[2]) // PER_STREET if len(parts) == 3 else int(parts[2])


def _nonempty(parts: Sequence[HeadCrops], folder: Path) -> HeadCrops:
    if not any(len(part) for part in parts):
        raise NothingUsable("no head is labelled", where=folder.name, todo="Give a folder with images and labels")
    return joined(parts)


def _labels(path: Path, classes: int, picture: Picture) -> Iterator[tuple[int, tuple[float, float, float, float]]]:
    """Yield class and box (px) of each label. Raises `ItemError`, with the line."""
    height, width = picture.shape[:2]
    for kind, (x0, y0, x1, y1) in rows_of(path, classes) or ():
        yield kind, (x0 * width, y0 * height, x1 * width, y1 * height)


def _table(path: Path, column: str) -> dict[tuple[str, int], str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["path"], int(row["label_line"])): row[column] for row in csv.DictReader(file)}


def _whole(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Grow a helmet's box that is flatter than a head is: it holds the shell alone."""
    x0, y0, x1, y1 = box
    return x0, y0, x1, max(y1, y0 + 1.05 * (x1 - x0))


def _head_of_rider(
    picture: Picture, box: tuple[float, float, float, float], finder: Detector
) -> tuple[float, float, float, float] | None:
    """Return the one head in the top of a rider's box, None where there is none or more than one."""
    window = window_of(box, 1.35)
    seen = next(iter(finder.detect([np.ascontiguousarray(cut(picture, window))], min_confidence=0.25, imgsz=320)))
    mine = np.isin(seen.class_id, [ROLES.index(Role.HEAD), ROLES.index(Role.HELMET)])
    boxes = seen.xyxy[mine] + np.array([window[0], window[1]] * 2, np.float32)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    boxes = boxes[(box[0] <= x) & (x <= box[2]) & (y <= box[1] + _TOP_SHARE * (box[3] - box[1]))]
    if not len(boxes) or (iou_matrix(boxes[:1], boxes) < 0.3).any():
        return None
    x0, y0, x1, y1 = boxes[0].tolist()
    return x0, y0, x1, y1


def _cut_all(picture: Picture, heads: Sequence[_Head], *, beside: bool) -> HeadCrops:
    chosen = [head for head in heads if max(head.box[2] - head.box[0], head.box[3] - head.box[1]) >= SMALLEST_PX]
    if beside:
        chosen += _no_heads(chosen, picture)
    sizes = [max(head.box[2] - head.box[0], head.box[3] - head.box[1]) for head in chosen]
    windows = [window_of(head.box, kept_growth(size)) for head, size in zip(chosen, sizes, strict=True)]
    crops = [scaled(cut(picture, window), KEPT_PX) for window in windows]
    return HeadCrops(
        crops=np.array(crops, np.uint8).reshape(-1, KEPT_PX, KEPT_PX, 3),
        wear=np.array([WEARS.index(head.wear) for head in chosen], np.int64),
        size_px=np.array(sizes, np.float32),
        source=np.array([head.source for head in chosen], "U48"),
    )


def _no_heads(heads: Sequence[_Head], picture: Picture) -> list[_Head]:
    """Return boxes of a head's size where there is none: on the body below it, and beside it."""
    height, width = picture.shape[:2]
    made: list[_Head] = []
    known = np.array([head.box for head in heads], np.float32).reshape(-1, 4)
    for number, head in enumerate(heads):
        x0, y0, x1, y1 = head.box
        rng = np.random.default_rng([number, abs(int(x0 * 8)), abs(int(y0 * 8))])
        for right, down in ((rng.uniform(-0.5, 0.5), rng.uniform(1.3, 3.0)), rng.uniform(-5, 5, 2)):
            shift = np.array([right * (x1 - x0), down * (y1 - y0)] * 2, np.float32)
            box = np.array(head.box, np.float32) + shift
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
            if inside and (iou_matrix(box[None], known) < 0.05).all():
                kind = head.source.partition(" ")[0]
                left, top, low_x, low_y = box.tolist()
                made.append(_Head((left, top, low_x, low_y), Wear.UNCLEAR, f"{kind} no-head"))
    return made
