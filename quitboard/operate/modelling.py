"""The commands of `quitboard models` that make and weigh models, with what is said on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from quitboard.console import Talk
from quitboard.errors import UsageError
from quitboard.files import resource
from quitboard.models import registry
from quitboard.records import ROLES, Role


def train(
    recipe: Path,
    out: Path,
    *,
    talk: Talk,
    device: str,
    data: Sequence[str],
    until: str,
    packed: Path | None,
    checkpoints: Sequence[Path],
    judges: str,
    board: Path,
) -> None:
    """Train by a recipe; see `quitboard.models.training.run`, whose errors these are."""
    from quitboard.models import recipe as recipes
    from quitboard.models import training
    from quitboard.models.train import Device

    if device not in get_args(Device):
        raise UsageError(f"no device {device!r}", where="--device", todo="It is auto, cpu or cuda")
    if until not in get_args(training.Until):
        raise UsageError(f"no step {until!r}", where="--until", todo="It is prepare, rounds or all")
    told = dict(_pair(text, "--data") for text in data)
    read = recipes.read(recipe, {name: Path(path) for name, path in told.items()})
    if judges:
        made = str((registry.find(judges, board) or resource(f"{registry.SHIPPED}/{registry.DEFAULT}")).resolve())
        read = dataclasses.replace(read, headwear=recipes.Headwear(made=made), company=recipes.Company(made=made))
    with contextlib.redirect_stdout(sys.stderr):  # where ultralytics and nncf say what they do
        done = training.run(
            read,
            out,
            device=device,  # type: ignore[arg-type]
            until=until,  # type: ignore[arg-type]
            packed=packed,
            checkpoints=checkpoints,
            say=talk.note,
        )
    talk.give(
        {
            "set": str(done.set),
            "checkpoints": [str(path) for path in done.checkpoints],
            "model": str(done.model) if done.model else None,
        }
    )
    if done.model:
        talk.say((done.model / "CARD.md").read_text("utf-8").rstrip())
        talk.say("")
    talk.say(str(done.model or (done.checkpoints[-1] if done.checkpoints else done.set)))


def compare(
    names: Sequence[str],
    data: Path,
    *,
    board: Path,
    talk: Talk,
    split: str,
    imgsz: str,
    peer: str,
    most: int,
) -> None:
    """Compare models on labelled pictures; see `quitboard.models.compare.compare`, whose errors these are."""
    from quitboard.detect import model
    from quitboard.models import compare as room
    from quitboard.models.labelled import read_set

    sizes = _sizes(imgsz)
    held = read_set(data, split=split)
    pictures = held.pictures
    if most and len(pictures) > most:
        pictures = tuple(pictures[number * len(pictures) // most] for number in range(most))
    entrants = []
    for name in (*names, *([peer] if peer else [])):
        detector = model.load(registry.find(name, board), threads=1)
        label = name if "/" not in name else room.set_named(Path(name))
        own = [PEER_IMGSZ] if name == peer and name not in names else sizes or [detector.imgsz]
        entrants += [room.Entrant(label=label, detector=detector, imgsz=size) for size in own]
    with talk.progress("comparing", len(pictures), unit=lambda _done, _elapsed: "") as meter:
        rows = room.compare(entrants, pictures, told=lambda _done: meter.advance(1))
    talk.give(
        {"set": data.name, "split": held.split, "pictures": len(pictures), "rows": [row.as_plain() for row in rows]}
    )
    talk.say(
        f"{len(pictures)} pictures of {data.name}{f'/{held.split}' if held.split else ''}; n in brackets after a class"
    )
    talk.say(room.table(rows))
    talk.set_aside(held.set_aside)


PEER_IMGSZ = 640
"""A peer runs as it comes: ultralytics' models at this size."""


def add(weights: Path, name: str, *, board: Path, talk: Talk, roles: str, licence: str, imgsz: int) -> None:
    """Add a model to a board; see `quitboard.models.adding.add`, whose errors these are."""
    from quitboard.models import adding

    folder = adding.add(weights, name, board=board, meant=roles_told(roles), licence=licence, imgsz=imgsz)
    one = next(one for one in registry.listed(board) if one.folder == folder)
    talk.give(one.as_plain())
    for line in registry.words(one):
        talk.say(line)


def roles_told(text: str) -> dict[str, Role | None]:
    """Return what `--roles NAME=ROLE,…` says of class names; `NAME=` is for none. Raises `UsageError`."""
    told: dict[str, Role | None] = {}
    for one in filter(None, text.split(",")):
        name, equals, role = one.rpartition("=")
        if not equals or role not in {*ROLES, ""}:
            raise UsageError(
                f"{one!r} says of no class what it means",
                where="--roles",
                todo=f"Write NAME=ROLE with a role out of {', '.join(ROLES)}; NAME= for none",
            )
        told[name.strip()] = Role(role) if role else None
    return told


def _pair(text: str, option: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not is_pair or not name.strip():
        raise UsageError(f"{text!r} is not NAME=VALUE", where=option, todo=f"Write {option} NAME=VALUE")
    return name.strip(), value.strip()


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        sizes = [-1]
    if any(not 32 <= size <= 4096 for size in sizes):
        raise UsageError(f"{text!r} is not a list of sizes in px", where="--imgsz", todo="Write --imgsz 416,640")
    return sizes
