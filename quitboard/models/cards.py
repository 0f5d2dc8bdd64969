"""A trained model's card: thresholds chosen on one split, figures measured on another, `card.toml` and `CARD.md`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect.card import DEFAULT_CONFIDENCE
from quitboard.detect.model import Detector
from quitboard.models.figures import figure_words
from quitboard.models.labelled import LabelledPicture, opened
from quitboard.models.pictures import PictureFigures, Ranking, RoleFigures, Scored, figures, match
from quitboard.models.sources import by_shape
from quitboard.records import ROLES, Role

THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(11))
FEWEST = 20
"""A class with fewer labelled boxes than this keeps the common threshold: so few choose nothing."""
LOWEST_CONFIDENCE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSet:
    """What was measured on one set."""

    name: str
    group: str  # "" for real pictures, else the table below [figures]
    imgsz: int
    pictures: int
    figures: PictureFigures


def score(detector: Detector, pictures: Sequence[LabelledPicture], imgsz: int) -> dict[Role, list[Scored | None]]:
    """Run the detector over pictures and match every class that a picture labels. Raises `NothingUsable`."""
    rows: dict[Role, list[Scored | None]] = {role: [] for role in ROLES}
    pictures = by_shape(pictures)
    contents = [opened(one.path).shape[:2] for one in pictures]
    found = detector.detect((opened(one.path) for one in pictures), min_confidence=LOWEST_CONFIDENCE, imgsz=imgsz)
    for picture, (height, width), detections in zip(pictures, contents, found, strict=True):
        for role in ROLES:
            rows[role].append(match(picture, (width, height), detections, role) if role in picture.labelled else None)
    return rows


def thresholds(sets: Sequence[Mapping[Role, Sequence[Scored | None]]]) -> dict[Role, float]:
    """Return each class's threshold of highest F1: of the mean over the sets that label enough of it."""
    chosen: dict[Role, float] = {}
    for role in ROLES:
        told = []
        for rows in sets:
            mine = [row for row in rows.get(role, ()) if row is not None]
            if sum(row.labelled for row in mine) >= FEWEST:
                ranking = Ranking.of(mine)
                told.append([_f1(ranking, threshold) for threshold in THRESHOLDS])
        chosen[role] = THRESHOLDS[int(np.mean(told, axis=0).argmax())] if told else DEFAULT_CONFIDENCE
    return chosen


def _f1(ranking: Ranking, threshold: float) -> float:
    precision, recall = (float(one[0]) for one in ranking.at(np.ones((1, len(ranking.labels))), threshold))
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def measured(
    name: str, group: str, imgsz: int, rows: Mapping[Role, Sequence[Scored | None]], chosen: Mapping[Role, float]
) -> MeasuredSet:
    """Measure one set at the chosen thresholds."""
    count = max((len(one) for one in rows.values()), default=0)
    return MeasuredSet(name=name, group=group, imgsz=imgsz, pictures=count, figures=figures(rows, chosen))


# --- as text --------------------------------------------------------------------------------------------------------


def card_toml(
    *,
    name: str,
    licence: str,
    imgsz: int,
    nms_iou: float,
    chosen: Mapping[Role, float],
    weights: Mapping[str, str],
    runs: str,
    sets: Sequence[MeasuredSet],
    data: str,
) -> str:
    """Return `card.toml`; see `quitboard.detect.card` for its words.

    Args:
        weights: sha256 of each file beside the card.
        runs: the file that the CPU runtimes open; "" for the only one there is.
        data: tables of what the model was trained on, as TOML.
    """
    lines = [
        f"name = {json.dumps(name)}",
        f"licence = {json.dumps(licence)}",
        "classes = [" + ", ".join(f'"{role}"' for role in ROLES) + "]",
        f"imgsz = {imgsz}",
        f"nms_iou = {nms_iou:g}",
        *([f"runs = {json.dumps(runs)}  # on a CPU"] if runs else []),
        "",
        "[confidence]",
        *[f"{role} = {chosen[role]:g}" for role in ROLES],
        "",
        "[weights]",
        *[f"{json.dumps(file)} = {json.dumps(sha256)}" for file, sha256 in weights.items()],
    ]
    for one in sets:
        for role, told in one.figures.by_role.items():
            place = ".".join(filter(None, ("figures", one.group, role.value)))
            lines += ["", f"[{place}]  # {one.name}, {one.imgsz} px"]
            lines += [f"{key} = {round(value, 4):g}" for key, value in flat(told).items() if np.isfinite(value)]
    return "\n".join(lines) + "\n" + (f"\n{data.strip()}\n" if data.strip() else "")


def flat(told: RoleFigures) -> dict[str, float]:
    """Return a class's figures under the names that cards have."""
    pairs = (("ap50", told.ap50), ("precision", told.precision), ("recall", told.recall))
    values: dict[str, float] = {"n": told.ap50.n, "pictures": told.pictures, "ap50_95": told.ap50_95.value}
    for key, one in pairs:
        values |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
    return values


def table(one: MeasuredSet) -> str:
    """Return a set's figures as a Markdown table."""
    rows = ["| class | n (pictures) | AP50 (95 %) | precision | recall |", "|---|---|---|---|---|"]
    for role, told in one.figures.by_role.items():
        cells = [figure_words(figure.as_plain(), n=False) for figure in (told.ap50, told.precision, told.recall)]
        rows.append(f"| {role} | {told.ap50.n} ({told.pictures}) | {' | '.join(cells)} |")
    return "\n".join(rows)


def card_markdown(
    *,
    name: str,
    licence: str,
    made: Sequence[str],
    sets: Sequence[MeasuredSet],
    chosen_on: Sequence[str],
    day: str,
    times: int,
    runs: str,
) -> str:
    """Return `CARD.md`: how the model was made, and what was measured once it was."""
    lines = [
        f"# {name}",
        "",
        f"Finds {', '.join(ROLES)}. Licence of the weights: {licence}.",
        "`card.toml` holds the same figures for programs, and what the model was trained on under `[[data]]`. Made by",
        "`quitboard models train`; the recipe lies beside.",
        "",
        "## Made of",
        "",
        *[f"- {line}" for line in made],
        "",
        "## Measured",
        "",
        f"On {day}, with `{runs}`, at the thresholds in `card.toml`. They were chosen on other pictures",
        f"({', '.join(chosen_on) or 'none: the common threshold'}), for the highest F1 of each class. Each picture",
        "counts only for the classes it labels; intervals are of a bootstrap over pictures. In this run the test sets",
        f"have been measured {times} time(s).",
    ]
    for one in sets:
        title = one.group or "real pictures"
        lines += ["", f"### {one.name}: {title}, {one.pictures} pictures at {one.imgsz} px", "", table(one)]
    if not sets:
        lines += ["", "Nothing: the recipe names no test set, so the model is unmeasured."]
    return "\n".join(lines) + "\n"


def write(folder: Path, toml: str, markdown: str) -> None:
    """Write both cards."""
    files.write_text(folder / "card.toml", toml)
    files.write_text(folder / "CARD.md", markdown)
