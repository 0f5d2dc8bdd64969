"""Measure models on labelled sets, choose thresholds, and write the shipped model's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect import model
from quitboard.detect.model import Detector
from quitboard.models.evaluate import (
    ClassFigures,
    LabelledPicture,
    Scored,
    at_threshold,
    evaluate,
    labelled_pictures,
    score,
)
from quitboard.records import ROLES, Role

QUITSET_NAMES = ("rider", "scooter", "helmet", "head", "bicycle", "motorcycle")
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
FEWEST = 20
"""A class with fewer labelled boxes than this keeps the common threshold: so few choose nothing."""
COMMON_THRESHOLD = 0.25
DATA = Path(__file__).with_name("data.toml")


def measure(
    detector: Detector, folder: Path, split: str, confidence: Mapping[Role, float] | float
) -> dict[Role, ClassFigures]:
    """Measure one model on one split."""
    return evaluate(detector, _pictures(folder, split), confidence=confidence)


def _pictures(folder: Path, split: str) -> list[LabelledPicture]:
    # quitset numbers its classes its own way, every other set as `records.ROLES`.
    return labelled_pictures(folder, split, QUITSET_NAMES if (folder / "manifest.csv").is_file() else None)


def thresholds(*sets: tuple[Detector, Path]) -> dict[Role, float]:
    """Return each class's threshold of highest F1 on the val splits: of the mean over the sets that tell."""
    told: dict[Role, list[list[float]]] = {role: [] for role in ROLES}
    for detector, folder in sets:
        for role, rows in score(detector, _pictures(folder, "val")).items():
            if sum(row.labelled for row in rows) >= FEWEST:
                told[role].append([_f1(rows, threshold) for threshold in THRESHOLDS])
    return {
        role: THRESHOLDS[int(np.mean(rows, axis=0).argmax())] if rows else COMMON_THRESHOLD
        for role, rows in told.items()
    }


def _f1(rows: Sequence[Scored], threshold: float) -> float:
    _, precision, recall = at_threshold(rows, threshold)
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


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


def write_card(folder: Path, *, name: str, imgsz: int, real: Path, real_imgsz: int, rendered: Path) -> None:
    """Choose thresholds on val, measure on test, write `card.toml`.

    Real figures go to `figures.<class>`, rendered ones apart, to `figures.rendered.<class>`. The real pictures are
    photos of 200 to 640 px; `real_imgsz` keeps them from being blown up as no recording ever is.
    """
    (folder / "card.toml").unlink(missing_ok=True)
    runs = {
        "": (model.load(folder / "model.onnx", imgsz=real_imgsz), real),
        "rendered.": (model.load(folder / "model.onnx", imgsz=imgsz), rendered),
    }
    confidence = thresholds(*runs.values())
    lines = [
        f'name = "{name}"',
        'licence = "AGPL-3.0-or-later"',
        "classes = [" + ", ".join(f'"{role}"' for role in ROLES) + "]",
        f"imgsz = {imgsz}",
        "nms_iou = 0.7",
        "",
        "[confidence]",
        *[f"{role} = {confidence[role]:g}" for role in ROLES],
        "",
        "[weights]",
        *[f'"{file}" = "{files.sha256_file(folder / file)}"' for file in ("model.onnx", "model.pt")],
    ]
    for prefix, (detector, source) in runs.items():
        figures = measure(detector, source, "test", confidence)
        print(table(figures))
        for role, one in figures.items():
            lines += ["", f"[figures.{prefix}{role}]"]
            lines += [f"{key} = {round(value, 4):g}" for key, value in asdict(one).items() if np.isfinite(value)]
    files.write_text(folder / "card.toml", "\n".join(lines) + "\n\n" + DATA.read_text("utf-8"))
