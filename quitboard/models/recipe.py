"""A training recipe: `recipe.toml`, checked, with the line of a mistake.

    name = "street-2"
    start = "weights/yolo11n.pt"          # SOURCE/path; what training begins with
    [sources]                             # where pictures are: a path from this file; --data NAME=PATH goes before it
    [[teacher]]                           # a model that fills in what a set does not label
    [[pictures]]                          # a step of the set: its pictures, what is done to them, what they are for
    [[round]]                             # a training round, each begins with the result of the one before
    [finish]                              # averaging, input size, int8
    [headwear]                            # the network that judges what heads wear; left out: none is trained
    [company]                             # the network that judges whether riders are alone; likewise

`data/models/default/recipe.toml` uses all of it, with comments.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quitboard.checked_toml import TomlSource, Where, section_of
from quitboard.detect.card import DEFAULT_IMGSZ
from quitboard.errors import SettingsError, UsageError
from quitboard.models.layout import SPLITS
from quitboard.records import ROLES

ENVIRONMENT = "QUITBOARD_DATA_"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_MOST_SEED = 2**32 - 1


def _in(low: float, high: float) -> dict[str, float]:
    return {"low": low, "high": high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """A model that fills in what a set does not label."""

    name: str
    weights: str
    roles: tuple[str, ...]
    imgsz: int = field(default=DEFAULT_IMGSZ, metadata=_in(32, 4096))
    sure: float = field(default=0.5, metadata=_in(0, 1))  # a box from here on is a label
    doubtful: float = field(default=1.0, metadata=_in(0, 1))  # a box from here to `sure` is smeared out; 1: none is


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A step of the set. Which names have a say depends on `kind`."""

    name: str
    kind: Literal["labelled", "boxes", "frames", "pasted", "crops"]
    into: Literal["train", "val", "choose", "test"] = "train"
    # labelled: a set in YOLO's format · boxes: pictures with a table of boxes · frames: of recordings, without labels
    folder: str = ""  # SOURCE or SOURCE/path
    split: str = ""
    boxes: str = ""  # table beside the recipe: picture, role, x0, y0, x1, y1 px
    match: tuple[str, ...] = ("*",)  # names taken, as wildcards
    unmeant: tuple[str, ...] = ()  # class names that mean nothing here
    every: int = field(default=1, metadata=_in(1, 100_000))  # every n-th picture ...
    first: int = field(default=0, metadata=_in(0, 100_000))  # ... from this one on
    leave: int = field(default=0, metadata=_in(0, 100_000))  # every n-th is left out, for another step to take
    most: int = field(default=0, metadata=_in(0, 1_000_000))  # spread evenly; 0: all
    frames: int = field(default=6, metadata=_in(1, 10_000))  # of each recording
    teachers: tuple[str, ...] = ()
    whole_heads: bool = False  # helmet boxes hold the shell alone: grow them to the head
    longest_px: int = field(default=640, metadata=_in(32, 4096))
    # copies: of a picture that shows one of `copies_of` (of every picture if none is named), each made differently
    copies: int = field(default=1, metadata=_in(1, 100))
    copies_of: tuple[str, ...] = ()
    shrink: tuple[float, float] = (0.25, 1.0)
    shrink_share: float = field(default=0.6, metadata=_in(0, 1))
    degrade_share: float = field(default=0.0, metadata=_in(0, 1))  # of first copies; the others always are
    # pasted: riders cut out of the pictures of some steps, on those of others · crops: what the closer look would take
    riders: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    count: int = field(default=0, metadata=_in(0, 1_000_000))
    most_riders: int = field(default=3, metadata=_in(1, 20))
    weight: int = field(default=1, metadata=_in(0, 100))  # times a pass shows it; 0: only other steps use it
    # into = "test" and "choose"
    figures: str = ""  # where its figures go in the card: "" for real pictures, "rendered", "pasted"
    imgsz: int = field(default=0, metadata=_in(0, 4096))  # measured at; 0: the model's


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Passes over the set with one setting."""

    imgsz: int = field(metadata=_in(32, 4096))
    epochs: int = field(metadata=_in(1, 10_000))
    only: tuple[str, ...] = ()  # steps of the set; all when empty
    freeze: int = field(default=0, metadata=_in(0, 100))  # layers kept as they are; 10 is the backbone of a YOLO11
    lr: float = field(default=0.001, metadata=_in(0, 1))
    batch: int = field(default=16, metadata=_in(1, 4096))
    mosaic: float = field(default=0.6, metadata=_in(0, 1))
    close_mosaic: int = field(default=1, metadata=_in(0, 1000))
    scale: float = field(default=0.5, metadata=_in(0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What is made of the last round."""

    average: int = field(default=1, metadata=_in(1, 100))  # of its last checkpoints
    imgsz: int = field(default=DEFAULT_IMGSZ, metadata=_in(32, 4096))
    nms_iou: float = field(default=0.7, metadata=_in(0, 1))
    int8: bool = False
    calibrate: int = field(default=160, metadata=_in(16, 10_000))  # pictures
    calibrate_with: tuple[str, ...] = ()  # steps that they are of; those that train when empty
    calibrate_imgsz: int = field(default=DEFAULT_IMGSZ, metadata=_in(32, 4096))


@dataclass(frozen=True, slots=True, kw_only=True)
class Headwear:
    """The second network: see `quitboard.models.headwear`."""

    made: str = ""  # a model's folder: its network is taken as it is, and none is trained
    real: tuple[str, ...] = ()  # sets in YOLO's format with train and val
    rendered: tuple[str, ...] = ()  # pictures of the street with their truth
    train_only: tuple[str, ...] = ()  # sets without val
    wears: str = ""  # table beside the recipe that corrects what single heads of the first set wear
    passes: int = field(default=20, metadata=_in(1, 10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The third network: see `quitboard.models.company`."""

    made: str = ""  # a model's folder: its network is taken as it is, and none is trained
    real: tuple[str, ...] = ()  # sets in YOLO's format with train and val
    rendered: tuple[str, ...] = ()  # pictures of the street with their truth
    train_only: tuple[str, ...] = ()  # sets without val
    riders: str = ""  # table beside the recipe: which riders of the real sets are alone
    passes: int = field(default=20, metadata=_in(1, 10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe, and where its sources are."""

    path: Path
    name: str
    start: str
    licence: str = "AGPL-3.0-or-later"
    seed: int = 0
    data: str = ""  # table of what the model is made of, beside the recipe: ends up in the card
    sources: Mapping[str, Path] = field(default_factory=dict)
    teachers: tuple[Teacher, ...] = ()
    pictures: tuple[Pictures, ...] = ()
    rounds: tuple[Round, ...] = ()
    finish: Finish = Finish()
    headwear: Headwear | None = None
    company: Company | None = None
    source: TomlSource | None = field(default=None, repr=False, compare=False)  # tells lines

    def place(self, written: str, where: Where = (), key: str = "") -> Path:
        """Return where SOURCE/path lies; a name that is no source is a path beside the recipe.

        Args:
            where, key: what of the recipe names it, for the line of a mistake.

        Raises:
            SettingsError: there is nothing.
        """
        first, _, rest = written.partition("/")
        path = self.sources[first] / rest if first in self.sources else self.path.parent / written
        if path.exists():
            return path
        todo = "Write it, with a path from the recipe, or as SOURCE/path with a SOURCE of [sources]"
        if first in self.sources:
            todo = f"Say where it is: --data {first}=PATH, or {ENVIRONMENT}{first.upper()}=PATH in the environment"
        told = self.source.error("", where, key).where if self.source and key else self.path.name
        raise SettingsError(f"there is no {written!r} ({path})", where=told, todo=todo)

    def check_places(self, *, steps: Collection[str], start_too: bool, judges_too: bool) -> None:
        """Look whether all is there before hours are spent on what needs it at their end.

        Args:
            steps: those of the set that are prepared.
            start_too, judges_too: is anything trained, are the small networks and the card made.

        Raises:
            SettingsError: with file and line, for the first that is not there.
        """
        for written, where, key in self._named(steps, start_too, judges_too):
            self.place(written, where, key)

    def _named(self, steps: Collection[str], start_too: bool, judges_too: bool) -> Iterator[tuple[str, Where, str]]:
        if start_too:
            yield self.start, (), "start"
        numbers = {one.name: number for number, one in enumerate(self.teachers)}
        for number, step in enumerate(self.pictures):
            if step.name in steps:
                for key in ("folder", "boxes"):
                    if written := getattr(step, key):
                        yield written, ("pictures", number), key
                for name in step.teachers:
                    yield self.teachers[numbers[name]].weights, ("teacher", numbers[name]), "weights"
        if judges_too:
            if self.data:
                yield self.data, (), "data"
            for table, one in (("headwear", self.headwear), ("company", self.company)):
                for key in ("made",) if one and one.made else ("real", "rendered", "train_only", "wears", "riders"):
                    told = getattr(one, key, ())
                    for written in (told,) if isinstance(told, str) else told:
                        if written:
                            yield written, (table,), key

    def only(self, names: Set[str]) -> Recipe:
        """Return the recipe with these steps, and those that they are made of, alone."""
        needed = set(names)
        for step in reversed(self.pictures):
            if step.name in needed:
                needed |= {*step.riders, *step.scenes, *step.of}
        return dataclasses.replace(self, pictures=tuple(step for step in self.pictures if step.name in needed))


_PLAIN = ("name", "start", "licence", "seed", "data")
_TABLES = {"teacher": Teacher, "pictures": Pictures, "round": Round}
_ONCE = {"finish": Finish, "headwear": Headwear, "company": Company}


def read(path: Path, told: Mapping[str, Path] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        told: sources by name that go before what the recipe and the environment (QUITBOARD_DATA_<NAME>) say.

    Raises:
        SettingsError: with file and line, for anything unknown, missing, of the wrong type or out of range.
        UsageError: `told` names a source that the recipe has not.
    """
    source = TomlSource.read(path)
    table = source.table
    source.check_names(table, dict.fromkeys((*_PLAIN, *_TABLES, *_ONCE, "sources")), ())
    values: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    for key in ("name", "start"):
        if not isinstance(values.get(key), str) or not values[key]:
            raise source.error(f"{key} is missing: write it at the top of the recipe", (), key)
    for key in ("licence", "data"):
        if not isinstance(values.get(key, ""), str):
            raise source.error(f'{key} is a text in "quotes"', (), key)
    seed = values.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= _MOST_SEED:
        raise source.error(f"seed is a whole number from 0 to {_MOST_SEED}", (), "seed")
    for key, cls in _TABLES.items():
        rows = table.get(key, [])
        if not isinstance(rows, list):
            raise source.error(f"write [[{key}]] with two brackets, once for each", (key,))
        plural = {"teacher": "teachers", "round": "rounds"}.get(key, key)
        values[plural] = tuple(section_of(source, cls, row, (key, number)) for number, row in enumerate(rows))
    for key, cls in _ONCE.items():
        if key in table:
            values[key] = section_of(source, cls, table[key], (key,))
    recipe = Recipe(path=path, sources=_sources(source, path, told or {}), source=source, **values)
    _check(source, recipe)
    return recipe


def _sources(source: TomlSource, path: Path, told: Mapping[str, Path]) -> dict[str, Path]:
    written = source.table.get("sources", {})
    if not isinstance(written, dict) or not all(isinstance(value, str) for value in written.values()):
        raise source.error('[sources] holds lines such as: street = "../street"', ("sources",))
    if unknown := sorted(set(told) - set(written)):
        raise UsageError(
            f"the recipe has no source {', '.join(unknown)}", where="--data", todo=f"It has {', '.join(written)}"
        )
    places = {}
    for name, value in written.items():
        from_environment = os.environ.get(ENVIRONMENT + name.upper().replace("-", "_"))
        places[name] = told.get(name) or Path(from_environment or path.parent / value)
    return places


def _check(source: TomlSource, recipe: Recipe) -> None:
    """Refuse what is well formed and cannot be meant."""
    teachers = {one.name for one in recipe.teachers}
    earlier: set[str] = set()
    for number, step in enumerate(recipe.pictures):
        where = ("pictures", number)
        if not _NAME.fullmatch(step.name) or step.name in earlier:
            raise source.error("a step needs a name of its own: lower-case letters, digits, - and _", where, "name")
        if step.kind in ("labelled", "boxes", "frames") and not step.folder:
            raise source.error(f"{step.kind} pictures need a folder", where)
        if step.kind == "boxes" and not step.boxes:
            raise source.error("boxes is missing: the table of boxes beside the recipe", where)
        if step.kind == "pasted" and not (step.riders and step.scenes and step.count):
            raise source.error("pasted pictures need riders, scenes and a count", where)
        if step.kind == "crops" and not step.of:
            raise source.error("crops are of the pictures of other steps: of is missing", where)
        if step.into in ("choose", "test") and step.kind != "labelled":
            raise source.error("only labelled pictures measure anything", where, "into")
        if step.split and step.split not in SPLITS:
            raise source.error(f"there is no split {step.split!r}: it is train, val or test", where, "split")
        if not 0 < step.shrink[0] <= step.shrink[1] <= 1:
            raise source.error(
                "shrink is two shares of the size above 0 and up to 1, the smaller first", where, "shrink"
            )
        if SPLITS.get(step.split) == "test" and step.into != "test":
            raise source.error("the locked test split trains nothing and chooses nothing", where, "split")
        for key in ("riders", "scenes", "of"):
            if unknown := sorted(set(getattr(step, key)) - earlier):
                raise source.error(f"no step before this one is called {', '.join(unknown)}", where, key)
        if unknown := sorted(set(step.teachers) - teachers):
            raise source.error(f"no [[teacher]] is called {', '.join(unknown)}", where, "teachers")
        _check_roles(source, step.copies_of, where, "copies_of")
        earlier.add(step.name)
    for number, teacher in enumerate(recipe.teachers):
        _check_roles(source, teacher.roles, ("teacher", number), "roles")
    wanted = recipe.headwear
    if wanted and not wanted.made and not (wanted.real and wanted.rendered):
        raise source.error(
            "what judges heads is trained on real and rendered ones; or made, a model's folder", ("headwear",)
        )
    riders = recipe.company
    if riders and not riders.made and not (riders.real and riders.rendered and riders.riders):
        raise source.error(
            "what judges company is trained on real riders, a table of them (riders) and rendered ones; or made, a "
            "model's folder",
            ("company",),
        )
    into = {one.name: one.into for one in recipe.pictures}
    for name in recipe.finish.calibrate_with:
        if into.get(name, "test") == "test":
            raise source.error(f"no step that may calibrate is called {name!r}", ("finish",), "calibrate_with")
    if recipe.rounds and recipe.finish.average > recipe.rounds[-1].epochs:
        what = (
            f"the last round has {recipe.rounds[-1].epochs} passes, and a checkpoint each: average is no more than that"
        )
        raise source.error(what, ("finish",), "average")
    for number, one in enumerate(recipe.rounds):
        if unknown := sorted(set(one.only) - earlier):
            raise source.error(f"no step is called {', '.join(unknown)}", ("round", number), "only")


def _check_roles(source: TomlSource, names: tuple[str, ...], where: tuple[str, int], key: str) -> None:
    if unknown := sorted(set(names) - set(ROLES)):
        raise source.error(f"unknown roles {', '.join(unknown)}; known are {', '.join(ROLES)}", where, key)


def plain(value: Any) -> Any:
    """Return a part of a recipe as what its hash is made of."""
    return dataclasses.asdict(value)
