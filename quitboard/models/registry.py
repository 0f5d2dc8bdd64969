"""The models that `--model NAME` understands: those that ship with QuitBoard and a board's own.

A model is a folder with `card.toml` and weights, named after the model: `data/models/<name>/` for those that ship,
`models/<name>/` in a board for its own. A card's own name works as well as the folder's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from quitboard.detect.card import DEFAULT_IMGSZ
from quitboard.errors import ModelUnusable
from quitboard.files import resource

SHIPPED = "data/models"
OWN = "models"
DEFAULT = "default"
_WEIGHTS = (".onnx", ".pt")
_KEY_FIGURES = ("n", "ap50", "ap50_low", "ap50_high", "precision", "recall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model as `quitboard models list` shows it."""

    alias: str  # the folder's name
    name: str  # the card's
    folder: Path
    ships: bool
    is_default: bool
    classes: tuple[str, ...] = ()
    imgsz: int = DEFAULT_IMGSZ
    licence: str = ""
    files: Mapping[str, int] = field(default_factory=dict)  # bytes
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by class; empty: unmeasured
    problem: str = ""  # why it cannot be used

    def as_plain(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder), "measured": bool(self.figures)}


def listed(board: Path, used: str = DEFAULT) -> tuple[Listed, ...]:
    """Return the models that ship and those of the board in folder `board`, in the order of their names.

    Args:
        used: name of the model that the board's settings name.

    A folder whose card cannot be read is listed with its `problem`; one without a card and a class is no detector
    and is left out.
    """
    found = [(folder, True) for folder in _folders(resource(SHIPPED))]
    found += [(folder, False) for folder in _folders(board / OWN)]
    models = [_read(folder, ships) for folder, ships in found]
    wanted = used or DEFAULT
    return tuple(replace(one, is_default=wanted in (one.alias, one.name)) for one in models)


def find(name: str, board: Path) -> Path | None:
    """Return where the model called `name` lies: a known one's folder, a file, or None for the shipped default.

    Raises:
        ModelUnusable: no model has this name and no file this path.
    """
    if name in ("", DEFAULT):
        return None
    models = listed(board)
    for one in models:
        if name == one.alias:
            return one.folder
    for one in models:
        if name == one.name:
            return one.folder
    for path in (Path(name), board / name):
        if path.exists():
            return path
    raise ModelUnusable(
        "there is no such model",
        where=name,
        todo=f"Known are {', '.join(one.alias for one in models)}; or give the path of an .onnx or .pt file, "
        "or add one: quitboard models add FILE --name NAME",
    )


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(path.parent for path in root.glob("*/card.toml"))


def _read(folder: Path, ships: bool) -> Listed:
    weights = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.suffix in _WEIGHTS}
    plain = Listed(alias=folder.name, name=folder.name, folder=folder, ships=ships, is_default=False, files=weights)
    try:
        content = tomllib.loads((folder / "card.toml").read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return replace(plain, problem=f"card.toml is not valid TOML: {error}")
    classes = tuple(str(name) for name in content.get("classes", ()))
    return replace(
        plain,
        name=str(content.get("name", folder.name)),
        classes=classes,
        imgsz=content.get("imgsz", DEFAULT_IMGSZ),
        licence=str(content.get("licence", "")),
        figures=key_figures(content.get("figures", {}), classes),
        problem="" if weights else "the folder holds no .onnx and no .pt",
    )


def key_figures(figures: Mapping[str, Any], classes: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return n, AP50 with its interval, precision and recall of each class that was measured on real pictures."""
    return {
        name: {key: float(figures[name][key]) for key in _KEY_FIGURES if key in figures[name]}
        for name in classes
        if isinstance(figures.get(name), Mapping)
    }


def words(one: Listed) -> list[str]:
    """Return what a person reads about a model, a line each."""
    title = f"{'*' if one.is_default else ' '} {one.alias}" + (f"  ({one.name})" if one.name != one.alias else "")
    if one.problem:
        return [title, f"    unusable: {one.problem}"]
    sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in one.files.items())
    classes = ", ".join(name for name in one.classes if name)
    lines = [
        title + ("  the default" if one.is_default else ""),
        f"    {classes} · {one.imgsz} px · {one.licence or 'no licence stated'}",
        f"    {sizes}",
    ]
    if not one.figures:
        return [*lines, "    unmeasured: no figures in its card"]
    for name, row in one.figures.items():
        ap50, low, high = (row.get(key, float("nan")) for key in ("ap50", "ap50_low", "ap50_high"))
        lines.append(f"    {name}: AP50 {ap50:.3f} ({low:.2f}–{high:.2f}), n {row.get('n', 0):.0f}")
    return lines
