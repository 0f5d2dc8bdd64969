"""Where the parts of a set in YOLO's format lie: pictures, their labels, class names, splits.

    set/images/test/a.jpg + set/labels/test/a.txt      set/test/images/a.jpg + set/test/labels/a.txt
    set/images/a.jpg      + set/labels/a.txt           set/a.jpg             + set/a.txt

Splits are what `data.yaml` says under `train`, `val` and `test` (folders, or lists of pictures), else folders of these
names. Classes are named by the nearest file of names at or above the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import yaml

from quitboard.errors import SettingsError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
MANIFEST = "manifest.csv"
YAML_SUFFIXES = (".yaml", ".yml")
_YAML = ("data.yaml", "data.yml", "dataset.yaml")
_TEXT = ("classes.txt", "obj.names", "_darknet.labels")
"""What programs for labelling call their files of class names, a name a line."""
_INNER = ("images", "labels")
"""Folders of a set in which such a file may lie as well."""
_MOST_BYTES = 16 << 20
"""A file of names or labels that is larger than this is none."""
_MOST_YAML_BYTES = 1 << 16
"""A YAML file of another name is only looked into when it is small."""
_LEVELS = 6

Named: TypeAlias = tuple[Path, tuple[str, ...]]
"""A file of class names, and the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A set's files."""

    splits: Mapping[str, Sequence[Path]]  # "" for pictures of no split; a picture may be of several
    names: tuple[str, ...] | None  # by class number; None where nothing names them
    manifest: Path | None  # what each picture labels
    absent: int  # pictures that a list names and that are not there


def layout(folder: Path) -> Layout:
    """Find out what lies where. `folder` may be a set, a folder inside one, or a set's `data.yaml`.

    Raises:
        SettingsError: a file of class names cannot be read, or several differ.
    """
    told = folder if folder.is_file() else None
    folder = absolute(folder.parent if told else folder)
    files = list(files_below(folder))
    own = told or next((path for name in _YAML if (path := folder / name).is_file()), None)
    listed = _listed(own) if own else {}
    if told is None:
        listed = {split: [path for path in paths if path.is_relative_to(folder)] for split, paths in listed.items()}
    splits: dict[str, list[Path]] = {}
    there = {path: path.is_file() for paths in listed.values() for path in paths}
    for split, paths in listed.items():
        if kept := [path for path in paths if there[path]]:
            splits[split] = kept
    if not (told and splits):
        by_yaml = set(splits)
        for path in files:
            split = _split_of(path.relative_to(folder))
            if path.suffix.lower() in PICTURE_SUFFIXES and path not in there and split not in by_yaml:
                splits.setdefault(split, []).append(path)
    pictures = {path for paths in splits.values() for path in paths}
    return Layout(
        splits=splits,
        names=_yaml_names(told, needed=True) if told else _names(folder, files, pictures),
        manifest=next((path for level in _levels(folder) if (path := level / MANIFEST).is_file()), None),
        absent=sum(not one for one in there.values()),
    )


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder in the order of names. Links are followed, but no folder is entered twice."""
    entered: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        entered.add(os.path.realpath(parent))
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and os.path.realpath(f"{parent}/{name}") not in entered
        )
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def absolute(path: Path) -> Path:
    """Return a path from the root on, without `..`; links stay as they are named."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would leave the set by its links


def labels_of(picture: Path) -> Path:
    """Return where a picture's labels lie: under `labels` in place of the last `images` of its path, else beside it.

    Where there are none, the first of the two.
    """
    beside = absolute(picture).with_suffix(".txt")
    number = next((n for n in range(len(beside.parts) - 2, -1, -1) if beside.parts[n].lower() == "images"), None)
    if number is None:
        return beside
    above, below = Path(*beside.parts[:number]), beside.parts[number + 1 :]
    places = (above.joinpath("labels", *below), above.joinpath("Labels", *below), beside)
    return next((path for path in places if path.is_file()), places[0])


def text_of(path: Path) -> str:
    """Read a small file of UTF-8. Raises `SettingsError`."""
    if path.stat().st_size > _MOST_BYTES:
        raise SettingsError("too large to be what its name says", where=path.name, todo="Look what it is")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError("not UTF-8 text", where=path.name, todo="Save it as UTF-8") from None


# --- splits ----------------------------------------------------------------------------------------------------------


def _split_of(relative: PurePath) -> str:
    return next((SPLITS[part.lower()] for part in relative.parts[:-1] if part.lower() in SPLITS), "")


def _listed(told: Path) -> dict[str, list[Path]]:
    """Return the pictures that a `data.yaml` gives to each split, those not there included."""
    content = _yaml(told)
    if not isinstance(content, dict):
        return {}
    base = absolute(told).parent
    base = next((path for one in [content.get("path")] if isinstance(one, str) and (path := base / one).is_dir()), base)
    splits: dict[str, list[Path]] = {}
    for key, split in SPLITS.items():
        values = content.get(key)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str) and value:
                splits.setdefault(split, []).extend(_entry(base, value))
    return splits


def _entry(base: Path, value: str) -> Iterable[Path]:
    """Return the pictures of a folder or a list; `../` may be one too many, as Roboflow writes it."""
    place = next(
        (path for one in (value, value.removeprefix("../")) if (path := absolute(base / one)).exists()),
        None,
    )
    if place is None:
        return ()
    if place.is_dir():
        return [path for path in files_below(place) if path.suffix.lower() in PICTURE_SUFFIXES]
    if place.suffix.lower() != ".txt":
        return ()
    lines = [Path(line.strip()) for line in text_of(place).splitlines() if line.strip()]
    return [absolute(place.parent / line) for line in lines]


# --- class names -----------------------------------------------------------------------------------------------------


def _names(folder: Path, files: Sequence[Path], pictures: Iterable[Path]) -> tuple[str, ...] | None:
    """Return the names that hold for all pictures."""
    found = [*files, *(path for level in islice(_levels(folder), 1, None) for path in _files_of(level))]
    by_folder: dict[Path, Named] = {}
    for path in sorted((path for path in found if _rank(path) is not None), key=lambda path: (_rank(path), path)):
        owner = path.parent.parent if path.parent.name.lower() in _INNER else path.parent
        if owner not in by_folder and (names := _names_in(path)):
            by_folder[owner] = (path, names)
    nearest = {_nearest(parent, by_folder) for parent in {path.parent for path in pictures}}
    told = {one[1] if one else None for one in nearest}
    if len(told) > 1:
        where = sorted(os.path.relpath(one[0], folder) if one else "no file of names" for one in nearest)
        raise SettingsError(
            f"its pictures are of several sets, whose classes differ: {', '.join(where[:6])}",
            where=folder.name,
            todo="Give each set for itself",
        )
    return next(iter(told), None)


def _nearest(folder: Path, named: Mapping[Path, Named]) -> Named | None:
    return next((named[one] for one in (folder, *folder.parents) if one in named), None)


def _levels(folder: Path) -> Iterator[Path]:
    """Yield a folder, and those above it as far as its place in a set tells: `set/images/…`, `set/test/images`."""
    yield folder
    for below, above in islice(pairwise((folder, *folder.parents)), _LEVELS):
        if below.name.lower() in {"images", *SPLITS}:
            yield above


def _files_of(level: Path) -> Iterator[Path]:
    for place in (level, *(level / name for name in _INNER)):
        if place.is_dir():
            yield from (path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))


def _rank(path: Path) -> int | None:
    """Return which of several files of names in one place holds, the least; None for another file."""
    order = (*_YAML, *_TEXT)
    if path.name in order:
        return order.index(path.name)
    if path.suffix.lower() in YAML_SUFFIXES and path.stat().st_size <= _MOST_YAML_BYTES:
        return len(order)
    return None


def _names_in(path: Path) -> tuple[str, ...] | None:
    if path.name in _TEXT:
        return tuple(line.strip() for line in text_of(path).strip().splitlines())
    return _yaml_names(path, needed=path.name in _YAML)


def _yaml_names(path: Path, *, needed: bool) -> tuple[str, ...] | None:
    """Return the names in a YAML file; None where it has none and none are needed."""
    try:
        content = _yaml(path)
    except SettingsError:
        if needed:
            raise
        return None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        by_number = {str(key): name for key, name in names.items()}
        names = [by_number.get(str(number)) for number in range(len(names))]
    if isinstance(names, list) and names and all(isinstance(name, (str, int)) for name in names):
        return tuple(str(name) for name in names)
    if needed:
        raise SettingsError(
            "no class names",
            where=path.name,
            todo="It needs names: a list, or a table from 0 on to names",
        )
    return None


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(text_of(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SettingsError(f"not valid YAML: {first}", where=path.name, todo="Mend it") from None
