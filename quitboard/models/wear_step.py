"""The recipe's step for the network that judges what heads wear: where its heads are from, and its place in a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from quitboard import files
from quitboard.detect import model
from quitboard.detect.headwear import FILE_NAME
from quitboard.errors import ModelUnusable
from quitboard.models import headcrops, headwear
from quitboard.models.headcrops import HeadCrops
from quitboard.models.labelled import read_set
from quitboard.models.prepare import key_of
from quitboard.models.recipe import Headwear, Recipe

VERSION = 2
TABLE = "headwear.toml"


def make(recipe: Recipe, wanted: Headwear, finished: Path, folder: Path, *, say: Callable[[str], None]) -> Path:
    """Return the folder that holds `headwear.onnx` and the card's table on it, made once.

    Args:
        finished: folder of the detector it goes with; it begins with that one's first layers.
        folder: of the run.

    Raises:
        SettingsError: a source is not where the recipe says.
        NothingUsable: no head is labelled.
    """
    if wanted.made:
        return taken("headwear", FILE_NAME, recipe.place(wanted.made), folder)
    start = finished / "model.pt"
    places = [recipe.place(name) for name in (*wanted.real, *wanted.train_only, *wanted.rendered)]
    key = key_of(
        version=VERSION,
        start=files.sha256_file(start),
        passes=wanted.passes,
        seed=recipe.seed,
        wears=files.sha256_file(recipe.place(wanted.wears)) if wanted.wears else "",
        heads=[sum_of(place) for place in places],
    )
    run = folder / "headwear" / key[:12]
    if (run / TABLE).is_file():
        return run
    crops = {
        "real": {split: _real(recipe, wanted, split, run, start) for split in ("train", "val")},
        "rendered": {split: _rendered(recipe, wanted, split, run) for split in ("train", "val")},
    }
    real, rendered = (len(crops[kind]["train"]) for kind in ("real", "rendered"))
    say(f"training what judges heads: {real} real ones, {rendered} rendered")
    table = headwear.make(
        run,
        run / "passes",
        start=start,
        real=crops["real"],
        rendered=crops["rendered"],
        passes=wanted.passes,
        seed=recipe.seed,
        say=lambda one: say(f"headwear: {one}"),
    )
    files.write_text(run / TABLE, table)
    return run


def taken(name: str, file_name: str, model_folder: Path, folder: Path) -> Path:
    """Return a folder with the small network of a model that is there already, and its part of the card."""
    network = model_folder / file_name
    if not network.is_file():
        raise ModelUnusable(f"it has no {file_name}", where=model_folder.name, todo="Name a model's folder that has")
    run = folder / name / f"taken-{files.sha256_file(network)[:12]}"
    files.write_bytes(run / file_name, network.read_bytes())
    card = next(path for path in (model_folder / f"{name}.toml", model_folder / "card.toml") if path.is_file())
    files.write_text(run / f"{name}.toml", tables_of(name, card.read_text("utf-8")))
    return run


def tables_of(name: str, card: str) -> str:
    """Return the tables below [name] of a card, as they stand there."""
    kept, is_inside = [], False
    for line in card.splitlines():
        if line.startswith("["):
            is_inside = line.startswith((f"[{name}]", f"[{name}."))
        if is_inside:
            kept.append(line)
    return "\n".join(kept).strip() + "\n"


def _real(recipe: Recipe, wanted: Headwear, split: str, run: Path, detector: Path) -> HeadCrops:
    names = (*wanted.real, *(wanted.train_only if split == "train" else ()))
    return _kept(run / f"real-{split}.npz", lambda: [_cut(recipe, wanted, name, split, detector) for name in names])


def _cut(recipe: Recipe, wanted: Headwear, name: str, split: str, detector: Path) -> HeadCrops:
    folder = recipe.place(name)
    classes = [role.value if role else "" for role in read_set(folder, split=split).classes.values()]
    wears = recipe.place(wanted.wears) if wanted.wears and name == wanted.real[0] else None
    riders = model.load(detector) if (folder / "riderstate.csv").is_file() else None
    return headcrops.labelled(folder, split, classes, wears=wears, riders=riders)


def _rendered(recipe: Recipe, wanted: Headwear, split: str, run: Path) -> HeadCrops:
    folders = [recipe.place(name) for name in wanted.rendered]
    return _kept(
        run / f"rendered-{split}.npz",
        lambda: [headcrops.rendered(folder, validation=split == "val") for folder in folders],
    )


def _kept(path: Path, cut: Callable[[], Sequence[HeadCrops]]) -> HeadCrops:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        headcrops.save(headcrops.joined(cut()), path)
    return headcrops.load(path)


def sum_of(folder: Path) -> str:
    """Return a hash of a folder's pictures and labels."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return key_of(files=[[path.relative_to(folder).as_posix(), files.sha256_file(path)] for path in paths])


def parts(made: Path) -> tuple[Path, str]:
    """Return what a model folder takes of a step's result: the weights, and the text for its card."""
    return next(made.glob("*.onnx")), next(made.glob("*.toml")).read_text("utf-8")
