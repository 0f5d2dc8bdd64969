"""Models by name, and a stranger's model taken in: what it means is asked for, what it would run is refused."""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quitboard import files
from quitboard.cli import app
from quitboard.detect import card, model
from quitboard.errors import ModelUnusable, UsageError
from quitboard.models import adding, registry
from quitboard.operate import modelling
from quitboard.records import Role

SHIPPED = files.resource("data/models/default")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def take(weights: Path, board: Path, **told: object) -> Path:
    how = {"name": "mine", "meant": {}, "licence": "CC0", "imgsz": 96, **told}
    return adding.add(weights, board=board, **how)  # type: ignore[arg-type]


def test_an_onnx_becomes_a_model_with_a_name_a_hash_and_no_figures(tmp_path: Path) -> None:
    folder = take(SHIPPED / "model.onnx", tmp_path)
    (one,) = [one for one in registry.listed(tmp_path) if not one.ships]
    assert (one.alias, one.licence, one.imgsz, dict(one.figures)) == ("mine", "CC0", 96, {})
    assert one.classes == tuple(Role)
    assert registry.find("mine", tmp_path) == folder
    assert any("unmeasured" in line for line in registry.words(one))
    assert "unmeasured" in (folder / "CARD.md").read_text()
    card_file = folder / "card.toml"
    card_file.write_text(card_file.read_text().replace(files.sha256_file(folder / "model.onnx"), "0" * 64))
    with pytest.raises(ModelUnusable, match="not those that the card describes"):
        model.load(folder)


def test_a_pt_is_exported_once(tmp_path: Path) -> None:
    folder = take(SHIPPED / "model.pt", tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["CARD.md", "card.toml", "model.onnx", "model.pt"]
    assert model.load(folder, runtime="openvino").card.name == "mine"


@pytest.mark.parametrize("name", ["default", "quitboard-street-1", "Mine", "../mine", "", "a b"])
def test_a_name_is_one_and_free(tmp_path: Path, name: str) -> None:
    if name == "quitboard-street-1":
        name = registry.listed(tmp_path)[0].name
    with pytest.raises(UsageError, match="--name"):
        take(SHIPPED / "model.onnx", tmp_path, name=name)


@pytest.mark.parametrize(
    ("names", "meant", "roles"),
    [
        (("rider", "kickboard"), {"rider": Role.PERSON}, (Role.PERSON, Role.SCOOTER)),
        (("person", "motorbike", "dog"), {}, (Role.PERSON, Role.MOTORCYCLE, None)),
        (("person", "head"), {"head": None}, (Role.PERSON, None)),
        ((), {"0": Role.PERSON, "1": Role.SCOOTER}, (Role.PERSON, Role.SCOOTER)),
    ],
)
def test_classes_mean_what_is_told_else_what_their_names_mean(
    names: tuple[str, ...], meant: dict[str, Role | None], roles: tuple[Role | None, ...]
) -> None:
    assert adding.roles_of(names, len(roles), meant, shown="m") == roles


def test_what_cannot_be_known_is_asked_for() -> None:
    with pytest.raises(ModelUnusable, match=r"cls0, cls1.*--roles cls0=person"):
        adding.roles_of(("cls0", "cls1"), 2, {}, shown="m.onnx")
    with pytest.raises(UsageError, match=r"no class hat.*It has person"):
        adding.roles_of(("person",), 1, {"hat": Role.HELMET}, shown="m.onnx")
    with pytest.raises(UsageError, match=r"'person=hat' says of no class what it means.*scooter"):
        modelling.roles_told("head=,person=hat")


class _Strikes:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch struck",)


def hostile_pt(path: Path) -> Path:
    """Write an archive as torch saves it whose pickle runs a command."""
    content = io.BytesIO()
    pickle.Pickler(content, protocol=2).dump({"model": _Strikes()})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content.getvalue())
        archive.writestr("archive/version", "3\n")
    return path


def test_a_pt_that_would_run_something_is_refused_unopened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnusable, match=r"would run .*system"):
        take(hostile_pt(tmp_path / "evil.pt"), tmp_path)
    assert not (tmp_path / "struck").exists()
    assert registry.listed(tmp_path) == registry.listed(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content"), [("a.onnx", b"\x08\x07garbage" * 50), ("a.pt", b"PK garbage"), ("a.onnx", b"")]
)
def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelUnusable):
        take(tmp_path / name, tmp_path)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_file_that_is_not_there_is_not_called_a_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no such file"):
        take(tmp_path / "best.onnx", tmp_path)


def test_the_card_says_which_onnx_runs(tmp_path: Path) -> None:
    for name in ("model.onnx", "model_int8.onnx"):
        shutil.copy(SHIPPED / "model.onnx", tmp_path / name)
    (tmp_path / "card.toml").write_text('classes = ["person"]\nruns = "model_int8.onnx"\n')
    assert card.file_to_run(tmp_path) == tmp_path / "model_int8.onnx"
    (tmp_path / "card.toml").write_text('classes = ["person"]\nruns = "../model.onnx"\n')
    with pytest.raises(ModelUnusable, match="does not lie beside the card"):
        model.load(tmp_path)


def test_a_name_nobody_knows_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="Known are default"):
        registry.find("nope", tmp_path)
    assert registry.find("default", tmp_path) is None
    result = CliRunner().invoke(app, ["models", "list", "--board", str(tmp_path)])
    assert "* default" in result.output
