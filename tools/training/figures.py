"""Measure models on labelled sets, choose thresholds, and write the shipped model's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect import model
from quitboard.detect.model import Detector
from quitboard.models.evaluate import ClassFigures, evaluate, labelled_pictures
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
    """Measure one model on one split; quitset numbers its classes its own way, all else as `records.ROLES`."""
    names = QUITSET_NAMES if (folder / "manifest.csv").is_file() else None
    return evaluate(detector, labelled_pictures(folder, split, names), confidence=confidence)


def thresholds(detector: Detector, real: Path, rendered: Path) -> dict[Role, float]:
    """Return each class's threshold of highest F1 on the val splits, the mean of real and rendered where both tell."""
    scores: dict[Role, list[list[float]]] = {role: [] for role in ROLES}
    for folder in (real, rendered):
        runs = [measure(detector, folder, "val", threshold) for threshold in THRESHOLDS]
        for role in runs[0]:
            if runs[0][role].n >= FEWEST:
                scores[role].append([_f1(run[role]) for run in runs])
    return {
        role: THRESHOLDS[int(np.mean(rows, axis=0).argmax())] if rows else COMMON_THRESHOLD
        for role, rows in scores.items()
    }


def _f1(figures: ClassFigures) -> float:
    total = figures.precision + figures.recall
    return 2 * figures.precision * figures.recall / total if total > 0 else 0.0


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


def write_card(folder: Path, *, name: str, imgsz: int, real: Path, rendered: Path) -> None:
    """Choose thresholds on val, measure on test, write `card.toml`.

    Real figures go to `figures.<class>`, rendered ones apart, to `figures.rendered.<class>`.
    """
    (folder / "card.toml").unlink(missing_ok=True)
    detector = model.load(folder / "model.onnx", imgsz=imgsz)
    confidence = thresholds(detector, real, rendered)
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
    for prefix, source in (("", real), ("rendered.", rendered)):
        figures = measure(detector, source, "test", confidence)
        print(table(figures))
        for role, one in figures.items():
            lines += ["", f"[figures.{prefix}{role}]"]
            lines += [f"{key} = {round(value, 4):g}" for key, value in asdict(one).items() if np.isfinite(value)]
    files.write_text(folder / "card.toml", "\n".join(lines) + "\n\n" + DATA.read_text("utf-8"))
