"""Measure models on labelled sets and write the shipped one's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect.model import Detector
from quitboard.models.evaluate import ClassFigures, evaluate, labelled_pictures
from quitboard.records import ROLES, Role

QUITSET_NAMES = ("rider", "scooter", "helmet", "head", "bicycle", "motorcycle")


def measure(
    detector: Detector, folder: Path, split: str, confidence: Mapping[Role, float] | float
) -> dict[Role, ClassFigures]:
    """Measure one model on one split; quitset numbers its classes its own way and says so in its data.yaml."""
    names = QUITSET_NAMES if (folder / "manifest.csv").is_file() else None
    return evaluate(detector, labelled_pictures(folder, split, names), confidence=confidence)


def table(figures: Mapping[Role, ClassFigures]) -> str:
    """Return the figures as a Markdown table."""
    rows = ["| class | n (pictures) | AP50 (95 %) | precision | recall |", "|---|---|---|---|---|"]
    for role, one in figures.items():
        rows.append(
            f"| {role} | {one.n} ({one.pictures}) | {one.ap50:.3f} ({one.ap50_low:.2f}–{one.ap50_high:.2f}) "
            f"| {one.precision:.3f} ({one.precision_low:.2f}–{one.precision_high:.2f}) "
            f"| {one.recall:.3f} ({one.recall_low:.2f}–{one.recall_high:.2f}) |"
        )
    return "\n".join(rows)


def write_card(
    folder: Path,
    *,
    name: str,
    imgsz: int,
    confidence: Mapping[Role, float],
    real: Mapping[Role, ClassFigures],
    rendered: Mapping[Role, ClassFigures],
    data: str,
) -> None:
    """Write `card.toml`: real figures as `figures.<class>`, rendered ones as `figures.rendered.<class>`."""
    lines = [
        f'name = "{name}"',
        'licence = "AGPL-3.0-or-later"',
        f"classes = {[role.value for role in ROLES]}".replace("'", '"'),
        f"imgsz = {imgsz}",
        "nms_iou = 0.7",
        "",
        "[confidence]",
        *[f"{role} = {confidence[role]:g}" for role in ROLES],
        "",
        "[weights]",
        *[f'"{file}" = "{files.sha256_file(folder / file)}"' for file in ("model.onnx", "model.pt")],
    ]
    for prefix, figures in (("", real), ("rendered.", rendered)):
        for role, one in figures.items():
            lines += ["", f"[figures.{prefix}{role}]"]
            lines += [f"{key} = {round(value, 4):g}" for key, value in asdict(one).items() if np.isfinite(value)]
    files.write_text(folder / "card.toml", "\n".join(lines) + "\n\n" + data.strip() + "\n")
