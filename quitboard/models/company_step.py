"""The recipe's step for the network that judges company: where its riders are from, and its place in a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quitboard import files
from quitboard.detect.company import FILE_NAME
from quitboard.models import company, companycrops
from quitboard.models.companycrops import CompanyCrops
from quitboard.models.prepare import key_of
from quitboard.models.recipe import Company, Recipe
from quitboard.models.wear_step import sum_of, taken

VERSION = 1
TABLE = "company.toml"


def make(recipe: Recipe, wanted: Company, finished: Path, folder: Path, *, say: Callable[[str], None]) -> Path:
    """Return the folder that holds `company.onnx` and the card's table on it, made once.

    Args:
        finished: folder of the detector it goes with; it begins with that one's first layers.
        folder: of the run.

    Raises:
        SettingsError: a source is not where the recipe says, or the table of riders is none.
        NothingUsable: a set has no rider.
    """
    if wanted.made:
        return taken("company", FILE_NAME, recipe.place(wanted.made), folder)
    start, riders = finished / "model.pt", recipe.place(wanted.riders)
    places = {name: recipe.place(name) for name in (*wanted.real, *wanted.train_only, *wanted.rendered)}
    key = key_of(
        version=VERSION,
        start=files.sha256_file(start),
        passes=wanted.passes,
        seed=recipe.seed,
        riders=files.sha256_file(riders),
        pictures=[sum_of(place) for place in places.values()],
    )
    run = folder / "company" / key[:12]
    if (run / TABLE).is_file():
        return run

    def cut(split: str) -> tuple[CompanyCrops, CompanyCrops]:
        real = (*wanted.real, *(wanted.train_only if split == "train" else ()))
        return (
            companycrops.joined([companycrops.labelled(places[name], split, riders) for name in real]),
            companycrops.joined(
                [companycrops.rendered(places[name], validation=split == "val") for name in wanted.rendered]
            ),
        )

    (real, rendered), (real_val, rendered_val) = cut("train"), cut("val")
    say(f"training what judges company: {len(real)} real riders, {len(rendered)} rendered")
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    table = company.make(
        run,
        run / "passes",
        start=start,
        real={"train": real, "val": real_val},
        rendered={"train": rendered, "val": rendered_val},
        passes=wanted.passes,
        seed=recipe.seed,
        say=lambda one: say(f"company: {one}"),
    )
    files.write_text(run / TABLE, table)
    return run
