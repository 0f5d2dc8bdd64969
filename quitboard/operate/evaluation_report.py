"""The report of an evaluation: one page with curves, and the worst mistakes shown where the originals lie.

Nothing is copied: pictures and recordings are linked in place, boxes are drawn over them. The page is for the machine
that holds the originals, and says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from quitboard import files
from quitboard.models.figures import figure_words
from quitboard.models.measure import Measured, Seen
from quitboard.models.pictures import HEAD_ROLES, Mistake, labels_px
from quitboard.models.recordings import Held
from quitboard.models.violations import Happening
from quitboard.operate.evaluation import Evaluation, Section
from quitboard.operate.evaluation_words import height_words
from quitboard.records import ROLES
from quitboard.site import curves
from quitboard.site.render import standalone
from quitboard.site.svg import Text

SHOWN = 9
"""Mistakes of one sort that are shown."""
MOST_CLIPS = 60
_CONTEXT = 4.0
"""How much of a picture is shown around a mistake, in its heights."""
_LEAST_VIEW_PX = 96.0
_LEAD_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A box over a picture."""

    x: float
    y: float
    width: float
    height: float
    css: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A mistake in a picture: which part of the original is shown, and what is drawn over it."""

    href: str
    name: str
    caption: str
    size_px: tuple[int, int]
    view: tuple[float, float, float, float]  # x, y, width, height in px of the picture
    boxes: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A mistake in a recording."""

    href: str
    name: str
    caption: str
    size_px: tuple[int, int]
    from_s: float
    to_s: float
    paths: str  # JSON for the page's script: [{css, label, boxes: [[s, x, y, width, height], …]}, …]


def write(evaluation: Evaluation, out: Path) -> Path:
    """Write the report and the figures as JSON into `out`; return the report."""
    page = out / "index.html"
    files.write_text(out / "evaluation.json", json.dumps(evaluation.as_plain(), ensure_ascii=False, indent=1) + "\n")
    files.write_bytes(page, report(evaluation, out))
    return page


def report(evaluation: Evaluation, out: Path) -> bytes:
    """Return the page; `out` is the folder that it will lie in, from which the originals are linked."""
    return standalone(
        "report/evaluation.html",
        document=evaluation.as_plain(),
        sections=[_section(number, one, out) for number, one in enumerate(evaluation.sections)],
        words=figure_words,
        height_words=height_words,
    )


def _section(number: int, section: Section, out: Path) -> dict[str, Any]:
    plain = section.plain
    name = section.folder.resolve().name
    made: dict[str, Any] = {"id": f"s{number}", "plain": plain, "name": name, "headline": headline(plain)}
    if plain["what"] == "pictures":
        last = section.measured[-1]
        return made | {"curves": list(_curves(made["id"], plain)), "groups": list(_groups(last, out)), "way": last.way}
    clips = list(_clips(section, out))
    return made | {
        "diagrams": list(_diagrams(made["id"], plain)),
        "clips": clips[:MOST_CLIPS],
        "more": len(clips) - MOST_CLIPS,
    }


def headline(plain: Mapping[str, Any]) -> str:
    """Say a section's figures in a line, for whoever reads no further."""
    if plain["what"] == "pictures":
        way = plain["ways"][-1]
        classes = (f"{name} {one['ap50']['value']:.2f}" for name, one in way["by_class"].items())
        mean = figure_words(way["map50"], n=False)
        return f"{plain['pictures']} pictures, mAP50 {mean}: {', '.join(classes) or 'nothing labelled'}"
    every = plain["violations"]["all"]
    parts = [f"{plain['recordings']} recordings, {every['acts']} breaches, F1 {figure_words(every['f1'], n=False)}"]
    parts += [f"{name} {figure_words(every[name], n=False)}" for name in ("precision", "recall")]
    if plain["helmets"] and plain["helmets"]["points_off"]["value"] is not None:
        parts.append(f"helmet rate off by {plain['helmets']['points_off']['value']:+.1f} points")
    return "; ".join(parts)


# --- curves ----------------------------------------------------------------------------------------------------------


def _curves(name: str, plain: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (class, drawing): the detector alone, and the last way over it."""
    ways = [plain["ways"][0], plain["ways"][-1]]
    for role in ways[-1]["by_class"]:
        lines = []
        for way, css in zip(ways, ("curve first", "curve last"), strict=True):
            one = way["by_class"].get(role)
            if one is None:
                continue
            chosen = (one["recall"]["value"], one["precision"]["value"])
            points = [(point[0], point[1]) for point in one["curve"]]
            told = None if None in chosen else chosen
            lines.append(curves.Curve(points=points, chosen=told, css=css))
        ap = ", ".join(f"{way['way']} {figure_words(way['by_class'][role]['ap50'])}" for way in ways)
        text = Text(id=f"{name}-pr-{role}", title=f"Precision and recall: {role}", description=f"AP50: {ap}")
        yield role, curves.precision_recall(lines, text)


def _diagrams(name: str, plain: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    labels = {"reported": "Reported violations", "voted": "All votes, reported or not"}
    for key, label in labels.items():
        told = plain["confidence"][key]
        if not told["n"]:
            continue
        points = [
            curves.Point(
                at=one["confidence"],
                value=one["right"]["value"],
                low=one["right"]["low"],
                high=one["right"]["high"],
                size=one["right"]["n"] / told["n"],
            )
            for one in told["bins"]
        ]
        text = Text(id=f"{name}-{key}", title=label, description=f"ECE {told['ece']:.3f}, n {told['n']}")
        yield label, told, curves.reliability(points, text)


# --- pictures in place -----------------------------------------------------------------------------------------------


def _groups(measured: Measured, out: Path) -> Iterator[tuple[str, int, list[Exhibit]]]:
    """Yield (sort of mistake, how many, the worst of them): confusions first, then what is false, then missed."""
    sorts: dict[str, list[tuple[float, str, Seen, Mistake]]] = {}
    for seen in measured.seen:
        for mistake in seen.mistakes:
            label = mistake.kind if " taken for " in mistake.kind else f"{mistake.kind} {mistake.role}"
            worst = mistake.confidence if mistake.kind != "missed" else mistake.height_px
            sorts.setdefault(label, []).append((-worst, seen.picture.name, seen, mistake))
    for label in sorted(sorts, key=lambda one: (" taken for " not in one, one)):
        rows = sorted(sorts[label], key=lambda row: (row[0], row[1], row[3].xyxy))
        yield label, len(rows), [_exhibit(seen, mistake, out) for _, _, seen, mistake in rows[:SHOWN]]


def _exhibit(seen: Seen, mistake: Mistake, out: Path) -> Exhibit:
    width, height = seen.size_px
    roles = HEAD_ROLES if mistake.role in HEAD_ROLES else (mistake.role,)  # the others would hide what matters
    boxes = [_drawn(box, "label", role) for role in roles for box in labels_px(seen.picture, seen.size_px, role)]
    for box, class_id, sure in zip(seen.found.xyxy, seen.found.class_id, seen.found.confidence, strict=True):
        if ROLES[class_id] in roles:
            boxes.append(_drawn(box, "found", f"{ROLES[class_id]} {sure:.2f}"))
    boxes.append(_drawn(mistake.xyxy, "mistake", ""))
    sure = f" {mistake.confidence:.2f}" if mistake.confidence else ""
    return Exhibit(
        href=_href(seen.picture.path, out),
        name=seen.picture.name,
        caption=f"{mistake.role}{sure}, {mistake.height_px:.0f} px high",
        size_px=seen.size_px,
        view=_view(mistake.xyxy, width, height),
        boxes=tuple(boxes),
    )


def _view(box: Sequence[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Return a part of the picture, 4:3, with the box near its middle; all of it where the part would not fit."""
    tall = max(_CONTEXT * (box[3] - box[1]), 2 * (box[2] - box[0]), _LEAST_VIEW_PX)
    wide = tall * 4 / 3
    if tall > height or wide > width:
        return 0.0, 0.0, float(width), float(height)
    x = min(max((box[0] + box[2]) / 2 - wide / 2, 0.0), width - wide)
    y = min(max((box[1] + box[3]) / 2 - tall / 2, 0.0), height - tall)
    return round(x, 1), round(y, 1), round(wide, 1), round(tall, 1)


def _drawn(box: Sequence[float] | np.ndarray[Any, Any], css: str, label: str) -> Drawn:
    x1, y1, x2, y2 = (round(float(side), 1) for side in box)
    return Drawn(x=x1, y=y1, width=round(x2 - x1, 1), height=round(y2 - y1, 1), css=css, label=label)


# --- recordings in place ---------------------------------------------------------------------------------------------


def _clips(section: Section, out: Path) -> Iterator[Clip]:
    """Yield what was missed, then what was false, the surest first."""
    if section.score is None:
        return
    held = {one.name: one for one in section.held}
    for one in sorted(section.score.missed, key=lambda one: (one.kind, one.recording, one.from_s)):
        yield _clip(section, held[one.recording], one, "missed", out)
    for one in sorted(section.score.false, key=lambda one: (one.kind, -one.confidence, one.recording, one.from_s)):
        yield _clip(section, held[one.recording], one, "false", out)


def _clip(section: Section, held: Held, one: Happening, sort: str, out: Path) -> Clip:
    from_s, to_s = max(0.0, one.from_s - _LEAD_S), min(held.watched_s, one.to_s + _LEAD_S)
    href = _href(section.files[held.name], out)
    sure = f", confidence {one.confidence:.2f}" if sort == "false" else ""
    return Clip(
        href=f"{href}#t={from_s:.1f},{to_s:.1f}",
        name=held.name,
        caption=f"{sort} {one.kind}{sure}: {one.what} ({one.from_s:.0f}–{one.to_s:.0f} s)",
        size_px=held.size_px,
        from_s=from_s,
        to_s=to_s,
        paths=json.dumps([*_found_paths(held, one), *_true_paths(section, held, one)]),
    )


def _found_paths(held: Held, one: Happening) -> Iterator[dict[str, Any]]:
    for line in held.paths.get(one.id, ()):
        boxes = [[at, x1, y1, round(x2 - x1, 1), round(y2 - y1, 1)] for at, x1, y1, x2, y2 in line.boxes]
        yield {"css": "found", "label": line.what, "boxes": boxes}


def _true_paths(section: Section, held: Held, one: Happening) -> Iterator[dict[str, Any]]:
    truth = section.truths[held.name]
    scale = held.size_px[0] / (truth.size_px or held.size_px)[0]
    for track in sorted(one.tracks or ()):
        mover = truth.movers.get(track)
        if mover is None:
            continue
        during = (mover.at_us >= (one.from_s - _LEAD_S) * 1e6) & (mover.at_us <= (one.to_s + _LEAD_S) * 1e6)
        boxes = [
            [round(at / 1e6, 2), *(round(float(v) * scale, 1) for v in (x1, y1, x2 - x1, y2 - y1))]
            for at, (x1, y1, x2, y2) in zip(mover.at_us[during], mover.xyxy[during], strict=True)
        ]
        yield {"css": "label", "label": mover.head or mover.role.value, "boxes": boxes}


def _href(path: Path, out: Path) -> str:
    """Return the relative address of an original, safe in HTML whatever its name holds."""
    return quote(os.fsencode(os.path.relpath(path.resolve(), out.resolve())))
