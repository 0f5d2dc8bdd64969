"""A model's card: what its classes mean here, how sure it must be, and what was measured.

name = "street-1"
licence = "AGPL-3.0-or-later"
classes = ["person", "scooter", "helmet"]   # the model's classes in order; "" for one without a meaning here
imgsz = 640                                  # px, longest side of the input
nms_iou = 0.7
runs = "model_int8.onnx"                     # where several .onnx lie beside it: the one for a CPU
[confidence]                                 # a box is kept above it, by class
default = 0.25
helmet = 0.3
[weights]                                    # sha256 of each file beside the card; a file listed must match
"model.onnx" = "..."
[headwear]                                   # where headwear.onnx lies beside it: what judges heads apart
temperature = 1.2                            # divides its scores: then its probabilities are what they say
[company]                                    # likewise where company.onnx lies beside it: what judges how many ride
[figures.helmet]                             # whatever was measured: tables of numbers, as deep as wanted
ap50 = 0.91
[[data]]                                     # what it was trained on, and under which licence
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quitboard.detect import company, headwear
from quitboard.errors import ModelUnusable
from quitboard.records import Role

DEFAULT_CONFIDENCE = 0.25
DEFAULT_IMGSZ = 640
DEFAULT_NMS_IOU = 0.7
_SYNONYMS = {
    Role.PERSON: "person people pedestrian human man woman 사람 보행자",
    Role.SCOOTER: "scooter escooter electricscooter kickscooter kickboard electrickickboard pm 킥보드 전동킥보드",
    Role.HELMET: "helmet withhelmet helmeton wearinghelmet helmeted helmetworn 헬멧 헬멧착용 안전모",
    Role.HEAD: "head nohelmet withouthelmet helmetoff barehead bareheaded nothelmet unhelmeted 머리 헬멧미착용",
    Role.BICYCLE: "bicycle pedalcycle 자전거",
    Role.MOTORCYCLE: "motorcycle motorbike moped 오토바이 이륜차",
    Role.CAR: "car automobile 자동차 승용차",
}
_ROLE_NAMED = {name: role for role, names in _SYNONYMS.items() for name in names.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCard:
    """A small network beside the detector, that judges what heads wear or whether riders are alone."""

    sha256: str
    temperature: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a detector needs to know about its model."""

    name: str
    roles: tuple[Role | None, ...]  # by the model's class number
    confidence: tuple[float, ...]  # by the model's class number
    imgsz: int = DEFAULT_IMGSZ
    stride: int = 32
    nms_iou: float = DEFAULT_NMS_IOU
    headwear: JudgeCard | None = None
    company: JudgeCard | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def role_named(name: str) -> Role | None:
    """Return the role that a class name means, None for a class without one here (most of COCO).

    Case, spaces and punctuation do not matter; a plural is as good as its singular.

    >>> role_named("With Helmet")
    <Role.HELMET: 'helmet'>
    """
    squashed = "".join(filter(str.isalnum, unicodedata.normalize("NFC", name).casefold()))
    return _ROLE_NAMED.get(squashed) or _ROLE_NAMED.get(squashed.removesuffix("s"))


def card_from_names(model: str, names: Sequence[str]) -> Card:
    """Make a card from a model's own class names. Raises `ModelUnusable` when none of them has a role."""
    roles = tuple(role_named(name) for name in names)
    if not any(roles):
        raise ModelUnusable(
            "nothing says what the model's classes mean",
            where=model,
            todo=f'Put a card.toml beside it with classes = [...] out of {", ".join(Role)}, "" for any other',
        )
    return Card(name=model, roles=roles, confidence=(DEFAULT_CONFIDENCE,) * len(roles))


def file_to_run(folder: Path) -> Path | None:
    """Return the `.onnx` that the card in a folder names under `runs`; None where it names none.

    Raises:
        ModelUnusable: the card cannot be read, or the file is not there.
    """
    path = folder / "card.toml"
    if not path.is_file():
        return None
    name = _value(path, _toml(path), "runs", str, "")
    if name and not (name == Path(name).name and (folder / name).is_file()):
        raise _wrong(path, f"runs names {name!r}, which does not lie beside the card")
    return folder / name if name else None


def read_card(path: Path, weights: str, sha256: str) -> Card:
    """Read `card.toml`; `weights` is the file in use and `sha256` its hash.

    Raises:
        ModelUnusable: not TOML, a value of the wrong kind, an unknown class, or weights that are not the card's.
    """
    content = _toml(path)
    listed = _value(path, content, "weights", dict, {}).get(weights)
    if listed is not None and listed != sha256:
        raise ModelUnusable(
            "the weights are not those that the card describes", where=weights, todo="Copy both again, or mend the card"
        )
    classes = _value(path, content, "classes", list, [])
    unknown = [name for name in classes if name != "" and not (isinstance(name, str) and role_named(name))]
    if unknown or not any(classes):
        what = f"unknown classes {unknown}" if unknown else "no classes"
        raise _wrong(path, f'{what}; known are {", ".join(Role)}, and "" for one without a meaning here')
    roles = tuple(role_named(name) for name in classes)
    confidence = _value(path, content, "confidence", dict, {})
    if not all(_is_share(value) for value in confidence.values()):
        raise _wrong(path, "[confidence] holds numbers from 0 to 1")
    default = float(confidence.get("default", DEFAULT_CONFIDENCE))
    nms_iou = _value(path, content, "nms_iou", (int, float), DEFAULT_NMS_IOU)
    imgsz, stride = _value(path, content, "imgsz", int, DEFAULT_IMGSZ), _value(path, content, "stride", int, 32)
    if not (_is_share(nms_iou) and 32 <= imgsz <= 4096 and 1 <= stride <= 256):
        raise _wrong(path, "imgsz is 32 to 4096 px, stride 1 to 256 px, nms_iou 0 to 1")
    return Card(
        name=_value(path, content, "name", str, weights),
        roles=roles,
        confidence=tuple(float(confidence.get(role, default)) if role else 1.0 for role in roles),
        imgsz=imgsz,
        stride=stride,
        nms_iou=float(nms_iou),
        headwear=_judge(path, content, "headwear", headwear.FILE_NAME, headwear.WEARS, headwear.INPUT_PX),
        company=_judge(path, content, "company", company.FILE_NAME, company.ANSWERS, company.INPUT_PX),
        figures=dict(_flat(_value(path, content, "figures", dict, {}))),
    )


def _judge(
    path: Path, content: Mapping[str, Any], name: str, file_name: str, answers: Sequence[str], input_px: int
) -> JudgeCard | None:
    table = _value(path, content, name, dict, None)
    if table is None:
        return None
    listed = _value(path, content, "weights", dict, {}).get(file_name)
    temperature = _value(path, table, "temperature", (int, float), 1.0)
    classes, imgsz = _value(path, table, "classes", list, list(answers)), _value(path, table, "imgsz", int, input_px)
    if classes != list(answers) or imgsz != input_px:
        raise _wrong(path, f"[{name}] is of classes {', '.join(answers)} at {input_px} px")
    if not isinstance(listed, str):
        raise _wrong(path, f'[{name}] needs the hash of "{file_name}" in [weights]')
    if not 0.05 <= temperature <= 20:
        raise _wrong(path, f"[{name}] temperature is 0.05 to 20")
    return JudgeCard(sha256=listed, temperature=float(temperature))


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"not valid TOML: {error}") from None


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    rows: list[tuple[str, float]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            rows.append((prefix + key, float(value)))
    return rows


def _value(path: Path, content: Mapping[str, Any], key: str, kind: Any, default: Any) -> Any:
    if key not in content:
        return default
    value = content[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _wrong(path, f"{key} has a value of the wrong kind")
    return value


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _wrong(path: Path, what: str) -> ModelUnusable:
    return ModelUnusable(what, where=path.name, todo="Mend the model's card")
