from __future__ import annotations

from pathlib import Path

import pytest

from quitboard.detect import model
from quitboard.detect.card import JudgeCard, card_from_names, file_to_run, read_card
from quitboard.detect.runtime import class_names
from quitboard.errors import ModelUnusable
from quitboard.records import ROLES, Role

SHA256 = "ab" * 32
WEIGHTS = f'[weights]\n"headwear.onnx" = "{SHA256}"\n'


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
        ('classes = ["person"]\n[headwear]\ntemperature = 1.0', "needs the hash"),
        ('classes = ["person"]\nheadwear = 7', "wrong kind"),
        (f'classes = ["head"]\n{WEIGHTS}[headwear]\ntemperature = 0', "0.05 to 20"),
        (f'classes = ["head"]\n{WEIGHTS}[headwear]\ntemperature = "hot"', "wrong kind"),
        (
            f'classes = ["head"]\n{WEIGHTS}[headwear]\nclasses = ["hat", "none"]',
            "of classes helmet, bare, cap, unclear",
        ),
        (f'classes = ["head"]\n{WEIGHTS}[headwear]\nimgsz = 32', "at 64 px"),
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


def test_a_card_without_a_judge_of_heads_has_none_and_one_with_it_says_its_temperature(tmp_path: Path) -> None:
    text = 'classes = ["helmet", "head"]\n'
    assert read_card(card(tmp_path, text), "model.onnx", SHA256).headwear is None
    text += WEIGHTS + "[headwear]\ntemperature = 1.25\n[headwear.figures.real.px16]\nhelmets = 9"
    read = read_card(card(tmp_path, text), "model.onnx", SHA256)
    assert read.headwear == JudgeCard(sha256=SHA256, temperature=1.25)
    assert not read.figures


@pytest.mark.parametrize("judge", [None, b"another network"])
def test_a_judge_that_is_missing_or_another_is_refused(judge: bytes | None, tmp_path: Path) -> None:
    shipped = model.files.resource("data/models/default")
    (tmp_path / "model.onnx").write_bytes((shipped / "model.onnx").read_bytes())
    card(
        tmp_path,
        'classes = ["person", "scooter", "helmet", "head", "bicycle", "motorcycle", "car"]\n'
        + WEIGHTS
        + "[headwear]\n",
    )
    if judge is not None:
        (tmp_path / "headwear.onnx").write_bytes(judge)
    with pytest.raises(ModelUnusable, match="what judges heads is missing or not what the card describes"):
        model.load(tmp_path)


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
    runs = file_to_run(folder) or folder / "model.onnx"
    assert detector.card.sha256 == model.files.sha256_file(runs)
    assert read_card(folder / "card.toml", runs.name, detector.card.sha256).roles == ROLES


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
