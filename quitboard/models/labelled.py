"""Labelled pictures in YOLO's format, wherever their folders, class names and splits lie (see `layout`).

A line of labels is `class x y width height`, as shares of the picture, or `class x1 y1 x2 y2 x3 y3 …` of an outline.
Where nothing names the classes, a number is a role of `records.ROLES`. What a picture labels is told by `manifest.csv`
(columns `path` and `labelled_classes`); without it, by the classes' names.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import cv2
import numpy as np

from quitboard.detect.card import role_named
from quitboard.errors import ItemError, NothingUsable, SettingsError
from quitboard.models.layout import SPLITS, YAML_SUFFIXES, Layout, labels_of, layout, text_of
from quitboard.records import ROLES, FloatArray, Picture, Role, SetAside

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
    claimed: bool  # a manifest says what each picture labels

    def as_shown(self) -> LabelledSet:
        """Return the set to be scored: a class of which no picture has a box is unknown, unless a manifest claims it.

        Lists of names are longer than what was drawn: without this, every bicycle that is found beside labelled heads
        would be a mistake.
        """
        shown = {role for one in self.pictures for role in one.roles}
        empty = sorted({role for one in self.pictures for role in one.labelled} - shown)
        if self.claimed or not empty:
            return self
        return replace(
            self,
            pictures=tuple(replace(one, labelled=one.labelled & shown) for one in self.pictures),
            notes=(*self.notes, f"classes without a box, not scored: {', '.join(empty)}"),
        )


def counted(folder: Path) -> tuple[int, int]:
    """Return how many pictures a folder, or a set's `data.yaml`, holds, and how many of them have labels."""
    if folder.is_file() and folder.suffix.lower() not in YAML_SUFFIXES:
        return 0, 0
    pictures = {path for paths in layout(folder).splits.values() for path in paths}
    return len(pictures), sum(labels_of(path).is_file() for path in pictures)


def read_set(folder: Path, *, split: str = "", classes: Mapping[str, Role | None] | None = None) -> LabelledSet:
    """Read a set.

    Args:
        folder: the set, a folder of pictures in it, or its `data.yaml`.
        split: `train`, `val` or `test`; when empty, the only one there is, else `test`, else `val`.
        classes: what class names mean, beyond those that `card.role_named` knows.

    Raises:
        SettingsError: a file of class names or `manifest.csv` cannot be read.
        NothingUsable: no such split, no picture, no label, or no class with a role.
    """
    found = layout(folder)
    root = folder.parent if folder.is_file() else folder
    chosen = _chosen(sorted(filter(None, found.splits)), split, folder.name)
    paths = found.splits.get(chosen, ())
    names = found.names or tuple(ROLES)
    meant = dict(classes or {})
    roles = [meant[name] if name in meant else role_named(name) for name in names]
    manifest = _manifest(found.manifest, meant) if found.manifest else None
    told = frozenset(role for role in roles if role)
    unknown: Counter[str] = Counter()
    set_aside: list[SetAside] = []
    pictures: list[LabelledPicture] = []
    unlisted = unlabelled = doubled = 0
    for path in paths:
        name = _from(root, path)
        try:
            rows = rows_of(labels_of(path), len(names))
        except ItemError as error:
            set_aside.append(SetAside(name=name, reason=str(error), todo="Mend or remove it"))
            continue
        unlabelled += rows is None
        once = list(dict.fromkeys(rows or ()))
        doubled += len(rows or ()) - len(once)
        kept = [(role, box) for number, box in once if (role := roles[number])]
        unknown.update(names[number] for number, _ in once if roles[number] is None)
        labelled = told
        if manifest is not None and found.manifest is not None:
            own = _from(found.manifest.parent, path)
            unlisted += own not in manifest
            labelled = manifest.get(own, frozenset()) & told
        pictures.append(
            LabelledPicture(
                path=path,
                name=name,
                roles=tuple(role for role, _ in kept),
                xyxy=np.array([box for _, box in kept], np.float32).reshape(-1, 4),
                labelled=labelled,
            )
        )
    if not pictures:
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in set_aside[:3])
        raise NothingUsable("no usable picture", where=folder.name, todo=reasons or "Give a set in YOLO's format")
    if unlabelled == len(pictures):
        wanted = _from(root, labels_of(paths[0]))
        raise NothingUsable(
            f"{len(pictures)} pictures, and none has labels",
            where=folder.name,
            todo=f"Those of {pictures[0].name} were looked for at {wanted}",
        )
    if not told:
        raise NothingUsable(
            f"no class has a role here ({', '.join(names[:12])})",
            where=folder.name,
            todo=f"Say what they mean: --roles NAME=ROLE, with a role out of {', '.join(ROLES)}",
        )
    return LabelledSet(
        pictures=tuple(pictures),
        split=chosen,
        classes=dict(zip(names, roles, strict=True)),
        unknown=dict(sorted(unknown.items())),
        set_aside=tuple(set_aside),
        notes=_notes(found, chosen, unlabelled=unlabelled, unlisted=unlisted, doubled=doubled),
        claimed=manifest is not None,
    )


def _notes(found: Layout, chosen: str, *, unlabelled: int, unlisted: int, doubled: int) -> tuple[str, ...]:
    """Say what a figure rests on that nobody asked for."""
    notes = []
    if found.names is None:
        told = ", ".join(f"{number} {role}" for number, role in enumerate(ROLES))
        notes.append(f"nothing names the classes (data.yaml, classes.txt): numbers are taken as {told}")
    taken = set(found.splits[chosen])
    left = {split: sum(path not in taken for path in paths) for split, paths in found.splits.items()}
    if others := {split: n for split, n in left.items() if n}:
        told = ", ".join(f"{split or 'of no split'} {n}" for split, n in sorted(others.items()))
        notes.append(f"pictures that are left out, of other splits: {told}")
    if found.absent:
        notes.append(f"{found.absent} pictures that data.yaml's lists name are not there")
    if unlabelled:
        notes.append(f"{unlabelled} pictures have no file of labels: they count as showing nothing of what is labelled")
    if unlisted:
        notes.append(f"{unlisted} pictures are not in manifest.csv: they are not scored")
    if doubled:
        notes.append(f"{doubled} lines of labels say what another says: each box counts once")
    return tuple(notes)


def opened(path: Path) -> Picture:
    """Read a picture. Raises `NothingUsable`."""
    content = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if content is None:
        raise NothingUsable("a picture cannot be read", where=path.name, todo="Mend or remove it")
    return np.asarray(content, np.uint8)


# --- files and folders -----------------------------------------------------------------------------------------------


def readable(path: PurePath) -> str:
    """Return a path with forward slashes as text; letters that are none, of another encoding, as "\ufffd"."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _from(folder: Path, path: Path) -> str:
    return readable(PurePath(os.path.relpath(path, folder)))


def _chosen(present: Sequence[str], wanted: str, where: str) -> str:
    if wanted:
        split = SPLITS.get(wanted.lower(), wanted)
        if split not in present:
            raise NothingUsable(
                f"no split {wanted!r}", where=where, todo=f"It has {', '.join(present) or 'none: leave --split out'}"
            )
        return split
    return next((split for split in ("test", "val", *present) if split in present), "")


def _manifest(path: Path, meant: Mapping[str, Role | None]) -> dict[str, frozenset[Role]]:
    try:
        listed = {row["path"]: row["labelled_classes"].split(",") for row in csv.DictReader(text_of(path).splitlines())}
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
        lines = text_of(path).splitlines()
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
