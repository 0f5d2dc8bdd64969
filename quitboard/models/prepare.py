"""From a recipe's sources to a packed set: shards of pictures with every class labelled.

Every shard's name holds the hash of what it is made of: recipe, teachers, pictures. One that is there is not made
again, so a killed preparation goes on after its last shard, and a changed step makes only its own shards and those of
the steps that use it. Each picture draws from a random generator of its own, so the order of work has no say.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from quitboard import files
from quitboard.detect import model
from quitboard.errors import DamageFound, NothingUsable
from quitboard.models import paste, shards
from quitboard.models.recipe import Pictures, Recipe, Teacher, plain
from quitboard.models.samples import (
    Sample,
    at_most,
    boxes_of,
    closer_looks,
    degraded,
    filled,
    label_lines,
    sample,
    smaller,
    whole_heads,
)
from quitboard.models.shards import Packed
from quitboard.models.sources import Item, as_they_are, items
from quitboard.records import ROLES, Role

VERSION = 1
"""Raised when the same recipe and pictures give another set."""
INDEX = "index.json"
_QUALITY = 92
_SHARD_BYTES = 24_000_000
_SHARD_ITEMS = 128
_PASTED_BYTES = 150_000
_COPY = "~"
_NO_SAY = ("weight", "figures", "imgsz", "into")
"""What a step is used for does not change its pictures."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a packed set: what it is for, and its shards."""

    name: str
    into: str
    weight: int
    figures: str
    imgsz: int
    shards: tuple[Path, ...]
    sums: tuple[str, ...]  # sha256 of each shard
    pictures: int
    boxes: Mapping[str, int]  # by role


def prepare(recipe: Recipe, folder: Path, *, told: Told = lambda _name, _done, _total: None) -> list[Step]:
    """Make the shards that are missing and return all steps, also written to `index.json`.

    Args:
        folder: where the set goes.
        told: called with a step's name, its finished shards and how many it has.

    Raises:
        SettingsError: a source is not where the recipe says.
        NothingUsable: a step finds no picture, or one that cannot be read.
        ModelUnusable: a teacher cannot be opened.
    """
    shards.private_folder(folder)
    steps: list[Step] = []
    for step in recipe.pictures:
        made = _made(step, recipe, folder / step.name, {one.name: one for one in steps}, told)
        steps.append(made)
    index = json.dumps([_as_plain(one, folder) for one in steps], indent=1) + "\n"
    if not (folder / INDEX).is_file() or (folder / INDEX).read_text("utf-8") != index:
        files.write_text(folder / INDEX, index)
    return steps


def load(folder: Path) -> list[Step]:
    """Read a packed set, wherever it was prepared, and check every shard.

    Raises:
        NothingUsable: the folder holds no set.
        DamageFound: a shard is missing or not what was packed.
    """
    if not (folder / INDEX).is_file():
        raise NothingUsable(
            "no packed set", where=folder.name, todo="Give the folder set/ of a run, with its index.json"
        )
    steps = []
    for row in json.loads((folder / INDEX).read_text("utf-8")):
        paths = tuple(files.child_of(folder, name) for name in row["shards"])
        steps.append(Step(**{**row, "shards": paths, "sums": tuple(row["sums"])}))
        for path, expected in zip(paths, row["sums"], strict=True):
            if not path.is_file() or files.sha256_file(path) != expected:
                raise DamageFound("a shard is missing or damaged", where=path.name, todo="Copy the set again")
    return steps


def key_of(**parts: Any) -> str:
    """Return a hash of plain values."""
    return files.sha256_bytes(json.dumps(parts, sort_keys=True, default=str).encode())


def _as_plain(step: Step, folder: Path) -> dict[str, Any]:
    row = {name: getattr(step, name) for name in step.__slots__}
    return {**row, "shards": [path.relative_to(folder).as_posix() for path in step.shards], "sums": list(step.sums)}


# --- a step, in blocks that become shards ---------------------------------------------------------------------------


def _made(step: Pictures, recipe: Recipe, folder: Path, earlier: Mapping[str, Step], told: Told) -> Step:
    teachers = [one for one in recipe.teachers if one.name in step.teachers]
    table = {name: value for name, value in plain(step).items() if name not in _NO_SAY}
    taught = [[plain(one), files.sha256_file(recipe.place(one.weights))] for one in teachers]
    work, make = _work(step, recipe, teachers, earlier)
    blocks = _blocks(work, step.copies)
    paths: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, block in enumerate(blocks):
        told(step.name, number, len(blocks))
        what = [[one.name, one.key] for one in block]
        key = key_of(version=VERSION, seed=recipe.seed, step=table, teachers=taught, items=what, into=step.into)
        path = folder / f"{number:04d}-{key[:16]}.tar"
        if not path.is_file():
            content = shards.pack(row for one in block for row in make(one))
            if len(content) >= shards.MOST_BYTES:
                raise NothingUsable(
                    "a shard is too large to travel", where=step.name, todo="Lower longest_px or copies"
                )
            files.write_bytes(path, content)
        paths.append(path)
    for stale in set(folder.glob("*.tar")) - set(paths):
        stale.unlink()
    counts: Counter[str] = Counter()
    pictures = 0
    for row in shards.read(paths):
        pictures += 1
        counts.update(ROLES[int(line.split()[0])].value for line in row.labels.splitlines())
    told(step.name, len(blocks), len(blocks))
    return Step(
        name=step.name,
        into=step.into,
        weight=step.weight,
        figures=step.figures,
        imgsz=step.imgsz,
        shards=tuple(paths),
        sums=tuple(files.sha256_file(path) for path in paths),
        pictures=pictures,
        boxes={role.value: counts[role.value] for role in ROLES if counts[role.value]},
    )


def _blocks(work: Sequence[Item], copies: int) -> list[list[Item]]:
    """Split items so that a shard is small and a killed preparation loses little."""
    blocks: list[list[Item]] = []
    size = 0
    for one in work:
        if not blocks or len(blocks[-1]) >= _SHARD_ITEMS or size + one.size * copies > _SHARD_BYTES:
            blocks.append([])
            size = 0
        blocks[-1].append(one)
        size += one.size * copies
    return blocks


Make = Callable[[Item], Iterator[Packed]]


def _work(
    step: Pictures, recipe: Recipe, teachers: Sequence[Teacher], earlier: Mapping[str, Step]
) -> tuple[list[Item], Make]:
    """Return a step's items, and what makes packed pictures of one."""
    if step.into in ("choose", "test"):
        rows = {item.name: (item, make) for item, make in as_they_are(step, recipe)}
        return [item for item, _ in rows.values()], lambda item: iter([rows[item.name][1]()])
    if step.kind == "pasted":
        work = _pasted(step, recipe, earlier)
    elif step.kind == "crops":
        work = _crops(step, earlier)
    else:
        work = items(step, recipe)
    finders = _Finders(recipe, teachers)

    def make(item: Item) -> Iterator[Packed]:
        for whole in item.load():
            given = at_most(finders.fill(whole), step.longest_px)
            yield from _copies(whole_heads(given) if step.whole_heads else given, step, recipe.seed)

    return work, make


class _Finders:
    """A step's teachers, opened when first needed."""

    def __init__(self, recipe: Recipe, teachers: Sequence[Teacher]) -> None:
        self._recipe, self._teachers = recipe, teachers

    @functools.cached_property
    def _detectors(self) -> list[tuple[Teacher, model.Detector]]:
        return [(one, model.load(self._recipe.place(one.weights), imgsz=one.imgsz)) for one in self._teachers]

    def fill(self, given: Sample) -> Sample:
        picture = given.picture
        for teacher, detector in self._detectors if self._teachers else ():
            found = next(detector.detect([picture], min_confidence=min(teacher.sure, teacher.doubtful)))
            roles = [Role(name) for name in teacher.roles]
            given = filled(given, found, roles, sure=teacher.sure, doubtful=teacher.doubtful)
        return given


def _copies(given: Sample, step: Pictures, seed: int) -> Iterator[Packed]:
    """Yield a picture and its copies, each smaller or worse in its own way."""
    wanted = not step.copies_of or any(role in step.copies_of for role in given.roles)
    for number in range(step.copies if wanted else 1):
        rng = generator(seed, step.name, given.name, number)
        copy = given
        if number and rng.random() < step.shrink_share:
            copy = smaller(copy, float(rng.uniform(*step.shrink)))
        if number or rng.random() < step.degrade_share:
            copy = replace(copy, picture=degraded(copy.picture, rng))
        yield _packed(copy, f"{given.name}{_COPY}{number}" if number else given.name)


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a random generator of its own for whatever has these names."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


def _packed(given: Sample, name: str) -> Packed:
    picture = shards.jpeg(given.picture, _QUALITY)
    return Packed(name=f"{name}.jpg", picture=picture, labels=label_lines(given), labelled=given.labelled)


# --- steps that are made of others ----------------------------------------------------------------------------------


def _of_shards(step: Step) -> Iterator[Packed]:
    """Yield the pictures of a step without their copies."""
    return (row for row in shards.read(step.shards) if _COPY not in row.name)


def _unpacked(row: Packed) -> Sample:
    picture = np.asarray(cv2.imdecode(np.frombuffer(row.picture, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    height, width = picture.shape[:2]
    return replace(sample(Path(row.name).stem, picture, boxes_of(row.labels, width, height)), labelled=row.labelled)


def _crops(step: Pictures, earlier: Mapping[str, Step]) -> list[Item]:
    work = []
    for name in step.of:
        for row in _of_shards(earlier[name]):
            key = files.sha256_bytes(row.picture + row.labels.encode())
            load = functools.partial(_closer, row)
            work.append(Item(name=f"{name}_{Path(row.name).stem}", key=key, size=len(row.picture), load=load))
    chosen = work[step.first :: step.every]
    if step.most and len(chosen) > step.most:
        chosen = [chosen[number] for number in np.linspace(0, len(chosen) - 1, step.most).round().astype(int)]
    return chosen


def _closer(row: Packed) -> Iterator[Sample]:
    yield from closer_looks(_unpacked(row))


def _pasted(step: Pictures, recipe: Recipe, earlier: Mapping[str, Step]) -> list[Item]:
    @functools.cache
    def cuts() -> list[paste.Cutout]:
        found = [
            cut for name in step.riders for row in _of_shards(earlier[name]) for cut in paste.cutouts(_unpacked(row))
        ]
        if not found:
            raise NothingUsable("no rider could be cut out", where=step.name, todo="Name steps that show riders")
        return found

    @functools.cache
    def scenes() -> list[Packed]:
        return [row for name in step.scenes for row in _of_shards(earlier[name])]

    def load(name: str) -> Iterator[Sample]:
        rng = generator(recipe.seed, step.name, name)
        scene = _unpacked(scenes()[int(rng.integers(len(scenes())))])
        riders = int(rng.integers(1, step.most_riders + 1))
        yield paste.pasted(scene, cuts(), rng, name=name, riders=riders)

    key = key_of(shards=[path.name for name in (*step.riders, *step.scenes) for path in earlier[name].shards])
    names = [f"{step.name}_{number:05d}" for number in range(step.count)]
    return [Item(name=name, key=key, size=_PASTED_BYTES, load=functools.partial(load, name)) for name in names]
