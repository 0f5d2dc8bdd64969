"""A recipe says what is wrong with it, and where; sources come from the command line, the environment or the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from quitboard import files
from quitboard.errors import SettingsError, UsageError
from quitboard.models import recipe, training
from tests.drawn_set import RECIPE, draw


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
        ('split = "train"', 'split = "trian"', "there is no split 'trian'"),
        ("copies = 2", "copies = 2\nshrink = [1.0, 0.2]", "shrink is two shares of the size"),
        ("average = 2", "average = 3", "the last round has 2 passes"),
        ("seed = 3", "seed = -3", "seed is a whole number from 0"),
        ("seed = 3", "seed = true", "seed is a whole number from 0"),
        ("seed = 3", "licence = 5", 'licence is a text in "quotes"'),
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


def test_a_table_of_another_name_is_said_with_its_line(tmp_path: Path) -> None:
    text = RECIPE.replace("[[pictures]]", "[[picture]]")
    with pytest.raises(SettingsError, match="Did you mean 'pictures'") as caught:
        recipe.read(written(tmp_path, text))
    assert caught.value.where == f"recipe.toml, line {text.splitlines().index('[[picture]]') + 1}"


ALL = {"steps": ["photos", "closer", "judge", "chooses", "locked"], "start_too": True, "judges_too": True}


@pytest.mark.parametrize(
    ("gone", "line"),
    [
        ("models/model.pt", 'start = "models/model.pt"'),
        ("models/model.onnx", 'weights = "models/model.onnx"'),
        ("drawn", 'folder = "drawn"'),
        ("heads", 'rendered = ["heads"]'),
    ],
)
def test_what_is_needed_at_the_end_is_looked_for_at_the_beginning(tmp_path: Path, gone: str, line: str) -> None:
    text = RECIPE.replace('models = "../nowhere"', 'models = "models"')
    text += '[headwear]\nreal = ["drawn"]\nrendered = ["heads"]\n'
    for name in ("models/model.pt", "models/model.onnx", "drawn/x", "heads/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    read = recipe.read(written(tmp_path, text))
    read.check_places(**ALL)
    (tmp_path / gone).rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=f"there is no '{gone}'") as caught:
        read.check_places(**ALL)
    assert caught.value.where == f"recipe.toml, line {text.splitlines().index(line) + 1}"


def test_only_what_a_command_needs_is_looked_for(tmp_path: Path) -> None:
    recipe.read(written(tmp_path, RECIPE)).check_places(steps=[], start_too=False, judges_too=True)


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


def test_a_run_says_what_is_missing_before_it_prepares_anything(tmp_path: Path) -> None:
    draw(tmp_path / "drawn")
    read = recipe.read(written(tmp_path, RECIPE.replace('models = "../nowhere"', 'models = "models"')))
    with pytest.raises(SettingsError, match="there is no 'models/model"):
        training.run(read, tmp_path / "run")
    assert not (tmp_path / "run" / "set").exists()
