"""Where a set's pictures come from: labelled folders, tables of boxes, recordings. Files are opened one at a time."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect import video
from quitboard.errors import NothingUsable, SettingsError
from quitboard.models.labelled import LabelledPicture, opened, read_set
from quitboard.models.recipe import Pictures, Recipe
from quitboard.models.samples import Sample, label_lines, sample
from quitboard.models.shards import Packed
from quitboard.records import ROLES, Role

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_RECORDINGS = (".mp4", ".avi", ".mkv", ".mov", ".ts", ".m4v")
_FRAME_BYTES = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A picture, or a recording, that has not been opened yet."""

    name: str  # unique in its step
    key: str  # hash of everything it is made of
    size: int  # bytes, about
    load: Callable[[], Iterator[Sample]]


def items(step: Pictures, recipe: Recipe) -> list[Item]:
    """Return what a step of labelled pictures, boxes or frames takes from its folder, in order.

    Raises:
        SettingsError: the folder or table is not there or wrong.
        NothingUsable: nothing in it can be used.
    """
    folder = recipe.place(step.folder)
    match step.kind:
        case "labelled":
            found = [_labelled_item(one) for one in _labelled(step, folder)]
        case "boxes":
            found = list(_boxed(folder, recipe.place(step.boxes)))
        case _:
            found = [_recording_item(path, folder, step.frames) for path in _below(folder, _RECORDINGS)]
    found = [one for one in found if any(fnmatch(one.name, pattern) for pattern in step.match)]
    found = found[step.first :: step.every]
    if step.leave:
        found = [one for number, one in enumerate(found) if number % step.leave]
    if step.most and len(found) > step.most:
        found = [found[number] for number in np.linspace(0, len(found) - 1, step.most).round().astype(int)]
    if not found:
        raise NothingUsable("the step takes no picture", where=step.name, todo=f"Look into {step.folder} and `match`")
    return found


def as_they_are(step: Pictures, recipe: Recipe) -> list[tuple[Item, Callable[[], Packed]]]:
    """Return the pictures of a set that measures: the bytes of their files, and nothing filled in."""
    chosen = {one.name for one in items(step, recipe)}
    rows: list[tuple[Item, Callable[[], Packed]]] = []
    for one in _labelled(step, recipe.place(step.folder)):
        item = _labelled_item(one)
        if item.name in chosen:
            rows.append((item, functools.partial(_untouched, one, item)))
    return rows


def _untouched(one: LabelledPicture, item: Item) -> Packed:
    whole = next(item.load())
    return Packed(
        name=item.name + one.path.suffix.lower(),
        picture=one.path.read_bytes(),
        labels=label_lines(whole),
        labelled=one.labelled,
    )


def _labelled(step: Pictures, folder: Path) -> Sequence[LabelledPicture]:
    held = read_set(folder, split=step.split, classes=dict.fromkeys(step.unmeant))
    if held.split == "test" and step.into != "test":
        raise SettingsError(
            "the locked test split trains nothing and chooses nothing",
            where=f"{step.name} ({step.folder})",
            todo='Name another: split = "train"',
        )
    return held.pictures


def _labelled_item(one: LabelledPicture) -> Item:
    content = one.path.read_bytes()
    known = [
        f"{role} {' '.join(f'{value:.6f}' for value in box)}" for role, box in zip(one.roles, one.xyxy, strict=True)
    ]
    key = files.sha256_bytes(content + "\n".join([*known, *sorted(one.labelled)]).encode())

    def load() -> Iterator[Sample]:
        picture = opened(one.path)
        height, width = picture.shape[:2]
        labels = sample("", picture, list(zip(one.roles, one.xyxy * [width, height, width, height], strict=True)))
        yield Sample(
            name=item_name(one.name), picture=picture, roles=one.roles, xyxy=labels.xyxy, labelled=one.labelled
        )

    return Item(name=item_name(one.name), key=key, size=len(content), load=load)


def item_name(path: str) -> str:
    """Return a picture's path in its set as one name, without folders and extension."""
    parts = [part for part in Path(path).with_suffix("").parts if part not in ("images", "train", "val", "test")]
    return "_".join(parts)


def _boxed(folder: Path, table: Path) -> Iterator[Item]:
    """Yield the pictures of a table of boxes; every class but cars is labelled in them."""
    labels: dict[str, list[tuple[Role, list[float]]]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                box = [float(row[key]) for key in ("x0", "y0", "x1", "y1")]
                labels.setdefault(row["picture"], []).append((Role(row["role"]), box))
            except (KeyError, TypeError, ValueError) as error:
                raise SettingsError(
                    f"not a row of picture, role, x0, y0, x1, y1 ({error})", where=f"{table.name}, line {number}"
                ) from None
    present = {path.stem: path for path in _below(folder, _PICTURES)}
    for name, rows in sorted(labels.items()):
        if name not in present:
            raise NothingUsable("a picture with boxes is not there", where=name, todo=f"Put it into {folder.name}/")
        yield _boxed_item(present[name], rows)


def _boxed_item(path: Path, rows: Sequence[tuple[Role, list[float]]]) -> Item:
    content = path.read_bytes()
    labelled = frozenset(role for role in ROLES if role is not Role.CAR)

    def load() -> Iterator[Sample]:
        whole = sample(path.stem, opened(path), rows)
        yield Sample(name=path.stem, picture=whole.picture, roles=whole.roles, xyxy=whole.xyxy, labelled=labelled)

    return Item(name=path.stem, key=files.sha256_bytes(content + repr(rows).encode()), size=len(content), load=load)


def _recording_item(path: Path, folder: Path, count: int) -> Item:
    name = item_name(path.relative_to(folder).as_posix())

    def load() -> Iterator[Sample]:
        every_us = max(1, int(1e6 * video.packets(path).read_s / count))
        with video.frames(path, every_us=every_us) as reader:
            for frame in reader:
                whole = sample(f"{name}_{frame.position_us // 1000:07d}", frame.picture, [])
                yield Sample(name=whole.name, picture=whole.picture, roles=(), xyxy=whole.xyxy, labelled=frozenset())

    return Item(name=name, key=files.sha256_file(path), size=count * _FRAME_BYTES, load=load)


def by_shape(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    """Return pictures with those of one shape in a row: a runtime compiles a network for each shape it meets."""
    sizes = [opened(one.path).shape[:2] for one in pictures]
    order = sorted(range(len(pictures)), key=lambda n: (sizes[n][0] / sizes[n][1], sizes[n], n))
    return [pictures[number] for number in order]


def _below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
