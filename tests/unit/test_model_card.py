from __future__ import annotations

from pathlib import Path

import pytest

from quitboard.detect import model
from quitboard.detect.card import card_from_names, read_card
from quitboard.detect.runtime import class_names
from quitboard.errors import ModelUnusable
from quitboard.records import ROLES, Role

SHA256 = "ab" * 32


def card(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "card.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_card_says_roles_thresholds_and_figures(tmp_path: Path) -> None:
    text = """
        name = "mine"
        classes = ["helmet", "", "kickboard"]
        imgsz = 416
        [confidence]
        default = 0.3
        helmet = 0.45
        [figures.helmet]
        ap50 = 0.9
        n = 12
        [figures.rendered.helmet]
        ap50 = 1
    """
    read = read_card(card(tmp_path, text), "model.onnx", SHA256)
    assert read.roles == (Role.HELMET, None, Role.SCOOTER)
    assert read.confidence == (0.45, 1.0, 0.3)
    assert (read.name, read.imgsz) == ("mine", 416)
    assert read.figures == {"helmet.ap50": 0.9, "helmet.n": 12.0, "rendered.helmet.ap50": 1.0}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("classes = [", "not valid TOML"),
        ("", "no classes"),
        ('classes = ["", ""]', "no classes"),
        ('classes = ["person", "unicorn"]', "unicorn"),
        ("classes = [1]", "unknown classes"),
        ('classes = "person"', "wrong kind"),
        ('classes = ["person"]\nimgsz = "big"', "wrong kind"),
        ('classes = ["person"]\nimgsz = true', "wrong kind"),
        ('classes = ["person"]\nimgsz = 8', "imgsz is"),
        ('classes = ["person"]\nnms_iou = 7', "nms_iou"),
        ('classes = ["person"]\n[confidence]\nperson = 25', "numbers from 0 to 1"),
        ('classes = ["person"]\n[confidence]\nperson = "high"', "numbers from 0 to 1"),
    ],
)
def test_a_wrong_card_is_refused_with_its_fault(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=what) as refused:
        read_card(card(tmp_path, text), "model.onnx", SHA256)
    assert refused.value.exit_code == 6
    assert refused.value.todo


def test_weights_that_are_not_the_cards_are_refused(tmp_path: Path) -> None:
    path = card(tmp_path, f'classes = ["person"]\n[weights]\n"model.onnx" = "{SHA256}"')
    assert read_card(path, "model.onnx", SHA256).roles == (Role.PERSON,)
    with pytest.raises(ModelUnusable, match="not those that the card describes"):
        read_card(path, "model.onnx", "cd" * 32)


def test_coco_names_give_the_roles_that_coco_has() -> None:
    roles = card_from_names("coco", ["person", "bicycle", "car", "motorcycle", "airplane", "bus"]).roles
    assert roles == (Role.PERSON, Role.BICYCLE, Role.CAR, Role.MOTORCYCLE, None, None)


@pytest.mark.parametrize("names", [[], ["cat", "dog"]])
def test_names_without_a_role_are_refused(names: list[str]) -> None:
    with pytest.raises(ModelUnusable, match="nothing says what the model's classes mean"):
        card_from_names("pets", names)


def test_the_shipped_card_names_all_roles_and_fits_its_weights() -> None:
    detector = model.load()
    folder = model.files.resource("data/models/default")
    shipped = read_card(folder / "card.toml", "model.onnx", detector.card.sha256)
    assert shipped.roles == ROLES


def test_a_missing_model_and_a_folder_without_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="there is no such model"):
        model.load(tmp_path / "none.onnx")
    with pytest.raises(ModelUnusable, match=r"holds no \.onnx"):
        model.load(tmp_path)
    (tmp_path / "model.weights").write_bytes(b"")
    with pytest.raises(ModelUnusable, match=r"an \.onnx or a \.pt file"):
        model.load(tmp_path / "model.weights")


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{1: 'person'}", "{'a': 1, 0: 2}", "__import__('os')", "(" * 9000]
)
def test_names_in_a_hostile_export_are_no_names(text: str | None) -> None:
    assert class_names(text) == []
