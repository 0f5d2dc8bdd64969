"""Labelled pictures in YOLO's format, wherever their folders, class names and splits lie.

    set/images/test/a.jpg + set/labels/test/a.txt      set/test/images/a.jpg + set/test/labels/a.txt
    set/images/a.jpg      + set/labels/a.txt           set/a.jpg             + set/a.txt

A line of labels is `class x y width height`, as shares of the picture, or `class x1 y1 x2 y2 x3 y3 …` of an outline.
Classes are named by `data.yaml`, else `classes.txt`; without either a number is a role of `records.ROLES`. What a
picture labels is told by `manifest.csv` (columns `path` and `labelled_classes`); without it, by the classes' names.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
import yaml

from quitboard.detect.card import role_named
from quitboard.errors import ItemError, NothingUsable, SettingsError
from quitboard.records import ROLES, FloatArray, Picture, Role, SetAside

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_MOST_BYTES = 16 << 20
"""A file of names or labels that is larger than this is none."""
_SLACK = 0.01
"""Boxes may stand out of the picture by this share: rounding, and labellers who drew over the edge."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPicture:
    path: Path
    name: str  # path below the set's folder, with forward slashes
    roles: tuple[Role, ...]
    xyxy: FloatArray  # (n, 4) as shares of width and height
    labelled: frozenset[Role]  # what the picture labels: anything else in it is unknown, not background


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledSet:
    """The pictures of one split of a set, by name, and what of it could not be used."""

    pictures: tuple[LabelledPicture, ...]
    split: str  # "" where the set has none
    classes: Mapping[str, Role | None]  # the set's class names, and what each means here
    unknown: Mapping[str, int]  # class without a role -> its boxes, which are left out
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]


def holds_pictures(folder: Path) -> bool:
    """Say whether a folder looks like a labelled set: a picture in it has a file of labels."""
    return any(_labels_of(path).is_file() for path in _pictures(folder))


def read_set(folder: Path, *, split: str = "", classes: Mapping[str, Role | None] | None = None) -> LabelledSet:
    """Read a set.

    Args:
        folder: the set, or a folder of pictures in it.
        split: `train`, `val` or `test`; when empty, the only one there is, else `test`, else `val`.
        classes: what class names mean, beyond those that `card.role_named` knows.

    Raises:
        SettingsError: `data.yaml`, `classes.txt` or `manifest.csv` cannot be read.
        NothingUsable: no such split, no picture, no label, or no class with a role.
    """
    found = {path: _split_of(path.relative_to(folder)) for path in _pictures(folder)}
    chosen = _chosen(sorted(set(filter(None, found.values()))), split, folder.name)
    paths = [path for path, own in found.items() if own == chosen]
    names = _names(folder)
    meant = dict(classes or {})
    roles = [meant[name] if name in meant else role_named(name) for name in names]
    manifest = _manifest(folder, meant)
    told = frozenset(role for role in roles if role)
    unknown: Counter[str] = Counter()
    set_aside: list[SetAside] = []
    pictures: list[LabelledPicture] = []
    unlisted = unlabelled = 0
    for path in paths:
        name = readable(path.relative_to(folder))
        try:
            rows = rows_of(_labels_of(path), len(names))
        except ItemError as error:
            set_aside.append(SetAside(name=name, reason=str(error), todo="Mend or remove it"))
            continue
        unlabelled += rows is None
        unlisted += manifest is not None and name not in manifest
        kept = [(role, box) for number, box in rows or () if (role := roles[number])]
        unknown.update(names[number] for number, _ in rows or () if roles[number] is None)
        pictures.append(
            LabelledPicture(
                path=path,
                name=name,
                roles=tuple(role for role, _ in kept),
                xyxy=np.array([box for _, box in kept], np.float32).reshape(-1, 4),
                labelled=told if manifest is None else manifest.get(name, frozenset()) & told,
            )
        )
    if not pictures:
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in set_aside[:3])
        raise NothingUsable("no usable picture", where=folder.name, todo=reasons or "Give a set in YOLO's format")
    if unlabelled == len(pictures):
        raise NothingUsable("no picture has labels", where=folder.name, todo="Put labels/ beside images/")
    if not told:
        raise NothingUsable(
            f"no class has a role here ({', '.join(names[:12])})",
            where=folder.name,
            todo=f"Say what they mean: --roles NAME=ROLE, with a role out of {', '.join(ROLES)}",
        )
    notes = []
    if unlabelled:
        notes.append(f"{unlabelled} pictures have no file of labels: they count as showing nothing of what is labelled")
    if unlisted:
        notes.append(f"{unlisted} pictures are not in manifest.csv: they are not scored")
    return LabelledSet(
        pictures=tuple(pictures),
        split=chosen,
        classes=dict(zip(names, roles, strict=True)),
        unknown=dict(sorted(unknown.items())),
        set_aside=tuple(set_aside),
        notes=tuple(notes),
    )


def opened(path: Path) -> Picture:
    """Read a picture. Raises `NothingUsable`."""
    content = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if content is None:
        raise NothingUsable("a picture cannot be read", where=path.name, todo="Mend or remove it")
    return np.asarray(content, np.uint8)


# --- files and folders -----------------------------------------------------------------------------------------------


def _pictures(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and PurePath(name).suffix.lower() in PICTURE_SUFFIXES:
                yield Path(parent, name)


def readable(path: PurePath) -> str:
    """Return a path with forward slashes as text; letters that are none, of another encoding, as "\ufffd"."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _labels_of(picture: Path) -> Path:
    """Return where a picture's labels lie: `labels` in place of the last `images` of its path."""
    parts = list(picture.absolute().with_suffix(".txt").parts)
    for number in range(len(parts) - 2, -1, -1):
        if parts[number] == "images":
            parts[number] = "labels"
            break
    return Path(*parts)


def _split_of(relative: PurePath) -> str:
    return next((SPLITS[part.lower()] for part in relative.parts[:-1] if part.lower() in SPLITS), "")


def _chosen(present: Sequence[str], wanted: str, where: str) -> str:
    if wanted:
        split = SPLITS.get(wanted.lower(), wanted)
        if split not in present:
            raise NothingUsable(
                f"no split {wanted!r}", where=where, todo=f"It has {', '.join(present) or 'none: leave --split out'}"
            )
        return split
    return next((split for split in ("test", "val", *present) if split in present), "")


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise SettingsError("too large to be what its name says", where=path.name, todo="Look what it is")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError("not UTF-8 text", where=path.name, todo="Save it as UTF-8") from None


def _above(folder: Path, *names: str) -> Path | None:
    """Return the first of `names` in the set's folder; where a folder of pictures was given, in those above it."""
    folder = folder.resolve()
    levels = [folder]
    if "images" in folder.parts:
        levels += list(folder.parents)[: len(folder.parts) - folder.parts.index("images")]
    return next((path for level in levels for name in names if (path := level / name).is_file()), None)


def _names(folder: Path) -> list[str]:
    path = _above(folder, "data.yaml", "data.yml", "dataset.yaml", "classes.txt", "labels/classes.txt")
    if path is None:
        return list(ROLES)
    text = _text(path)
    if path.suffix == ".txt":
        return [line.strip() for line in text.strip().splitlines()]
    try:
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SettingsError(f"not valid YAML: {first}", where=path.name, todo="Mend it") from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and sorted(names, key=str) == sorted(range(len(names)), key=str):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, (str, int)) for name in names):
        raise SettingsError(
            "no class names", where=path.name, todo="It needs names: a list, or a table from 0 on to names"
        )
    return [str(name) for name in names]


def _manifest(folder: Path, meant: Mapping[str, Role | None]) -> dict[str, frozenset[Role]] | None:
    path = folder / "manifest.csv"
    if not path.is_file():
        return None
    try:
        listed = {row["path"]: row["labelled_classes"].split(",") for row in csv.DictReader(_text(path).splitlines())}
        return {
            name: frozenset(role for one in told if (role := meant.get(one.strip(), role_named(one))))
            for name, told in listed.items()
        }
    except (KeyError, AttributeError, csv.Error):
        raise SettingsError(
            "it does not tell what each picture labels",
            where=path.name,
            todo="It needs the columns path and labelled_classes, or to be removed",
        ) from None


def rows_of(path: Path, classes: int) -> list[tuple[int, tuple[float, float, float, float]]] | None:
    """Return (class, x1, y1, x2, y2) as shares of the picture; None where there is no file.

    Raises:
        ItemError: with the line.
    """
    if not path.is_file():
        return None
    try:
        lines = _text(path).splitlines()
    except SettingsError as error:
        raise ItemError(f"labels {error.what}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"labels, line {number}"
        try:
            first, *values = (float(part) for part in line.split())
        except ValueError:
            raise ItemError("not numbers", where=where) from None
        if not (0 <= first < classes and first.is_integer()):
            raise ItemError(f"class {line.split()[0][:20]} where there are {classes}, from 0 on", where=where)
        rows.append((int(first), _box(values, where)))
    return rows


def _box(values: Sequence[float], where: str) -> tuple[float, float, float, float]:
    if len(values) == 4:
        x, y, width, height = values
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif len(values) >= 6 and len(values) % 2 == 0:
        box = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    else:
        raise ItemError(f"{len(values) + 1} numbers where five are meant: class x y width height", where=where)
    if not all(-_SLACK <= value <= 1 + _SLACK for value in box) or box[2] <= box[0] or box[3] <= box[1]:
        raise ItemError("a box outside its picture: centre, width and height are shares of it, 0 to 1", where=where)
    return min(max(box[0], 0.0), 1.0), min(max(box[1], 0.0), 1.0), min(box[2], 1.0), min(box[3], 1.0)
