"""A recipe says what is wrong with it, and where; sources come from the command line, the environment or the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from quitboard import files
from quitboard.errors import SettingsError, UsageError
from quitboard.models import recipe
from tests.drawn_set import RECIPE


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('start = "models/model.pt"', "", "start is missing"),
        ("copies = 2", "copys = 2", "unknown name 'copys'. Did you mean 'copies'"),
        ("copies = 2", "copies = 0", "copies lies between 1 and 100"),
        ('kind = "crops"', 'kind = "crop"', "kind is one of labelled, boxes, frames, pasted, crops"),
        ('of = ["photos"]', 'of = ["fotos"]', "no step before this one is called fotos"),
        ('of = ["photos"]', "", "of is missing"),
        ('name = "closer"', 'name = "photos"', "a name of its own"),
        ('teachers = ["ours"]', 'teachers = ["theirs"]', "no [[teacher]] is called theirs"),
        ('roles = ["helmet", "car"]', 'roles = ["hat"]', "unknown roles hat"),
        ('split = "train"', 'split = "test"', "the locked test split trains nothing"),
        ("[finish]", '[finish]\ncalibrate_with = ["locked"]', "no step that may calibrate is called 'locked'"),
        ("epochs = 2", "", "epochs is missing"),
        ('drawn = "drawn"', "drawn = 3", "[sources] holds lines"),
        ("[finish]", '[company]\nreal = ["photos"]\n[finish]', "company is trained on real riders, a table"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in RECIPE
    with pytest.raises(SettingsError) as caught:
        recipe.read(written(tmp_path, RECIPE.replace(old, new, 1)))
    assert says in str(caught.value)
    assert "recipe.toml" in caught.value.where


def test_the_line_is_the_mistakes(tmp_path: Path) -> None:
    text = RECIPE.replace("batch = 8", "batch = 0")
    with pytest.raises(SettingsError) as caught:
        recipe.read(written(tmp_path, text))
    assert caught.value.where == f"recipe.toml, line {text.splitlines().index('batch = 0') + 1}"


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, RECIPE)
    assert recipe.read(path).sources["drawn"] == tmp_path / "drawn"
    monkeypatch.setenv("QUITBOARD_DATA_DRAWN", "/elsewhere")
    assert recipe.read(path).sources["drawn"] == Path("/elsewhere")
    assert recipe.read(path, {"drawn": Path("/told")}).sources["drawn"] == Path("/told")


def test_a_source_that_is_not_there_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--data drawn=PATH"):
        recipe.read(written(tmp_path, RECIPE)).place("drawn")
    with pytest.raises(UsageError, match="no source dran"):
        recipe.read(written(tmp_path, RECIPE), {"dran": tmp_path})


def test_a_part_of_a_recipe_keeps_what_it_is_made_of(tmp_path: Path) -> None:
    part = recipe.read(written(tmp_path, RECIPE)).only({"closer"})
    assert [step.name for step in part.pictures] == ["photos", "closer"]


def test_the_recipe_of_the_default_model_is_one() -> None:
    read = recipe.read(files.resource("data/models/default/recipe.toml"))
    assert {step.into for step in read.pictures} == {"train", "val", "choose", "test"}
    assert not [step.name for step in read.pictures if step.split == "test" and step.into != "test"]
