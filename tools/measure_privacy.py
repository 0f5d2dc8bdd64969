"""Measure what the fill misses, on labelled heads and on clips: misses/N with the 95 % upper bound.

    DATA=path/to/data python tools/measure_privacy.py [--write]

Two questions, each with its own n:
- of the heads that people have boxed in the test pictures (`quitset`, split test), how many are not covered by the
  fill, before and after the gate dropped pictures? A head is missed when less than 90 % of its box is covered.
- of the persons that an independent detector (`weights/yolox_nano.onnx`) sees in the clips' published parts, how many
  have a head zone that is neither filled nor belongs to a known person, before and after the gate?

A picture alone is the hard case: in a recording, its neighbours in time help. What counts as a miss was looked at by
eye: `NOT_THERE` lists boxes on which there is no head and nobody; they count neither as missed nor as covered, and
how often one was left out is said. `--write` keeps the figures in data/models/faces/misses.toml, which the method page
shows. Nothing but figures is written.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import beta

from quitboard.detect import model, video
from quitboard.detect.anonymise import CLOCK_SHARE, fill_mask
from quitboard.detect.geometry import area, intersection, iou
from quitboard.detect.privacy_gate import Gate, objection
from quitboard.detect.regions import PERSON_CONFIDENCE, FrameRegions, find_regions, head_zone, seen, together
from quitboard.files import resource, write_text
from quitboard.records import Picture

COVERED = 0.90
HEAD_IDS = ("2", "3")  # helmet, bare head
CLIP_STEP_US = 1_000_000
LOOK_EVERY_US = 83_333
SURE = 0.5
NOT_THERE = {
    "pavan_00328": ((48, 40, 74, 68), (136, 20, 154, 35)),  # labels beside the riders: a wheel, a wall
    "campus_2023-06-15_12-00-00": ((18, 68, 31, 91),),  # a blue desk with a map on it
}
"""Boxes (px) of labels and of the outside detector that turned out to be wrong, by the picture's or clip's name."""


@dataclass
class Tally:
    """Misses among n, before and after the gate."""

    n: int = 0
    missed: int = 0
    n_shown: int = 0
    missed_shown: int = 0
    frames: int = 0
    frames_shown: int = 0
    left_out: int = 0

    def add(self, covered: list[bool], why: str) -> None:
        missed = covered.count(False)
        self.n += len(covered)
        self.missed += missed
        self.frames += 1
        if not why:
            self.n_shown += len(covered)
            self.missed_shown += missed
            self.frames_shown += 1


def upper_bound(misses: int, n: int) -> float:
    """Return the one-sided 95 % upper bound of a share (Clopper-Pearson); 1 where n is 0."""
    return 1.0 if n == 0 or misses == n else float(beta.ppf(0.95, misses + 1, n - misses))


def heads_of_pictures(gate: Gate, folder: Path) -> Tally:
    tally = Tally()
    for path in sorted((folder / "images" / "test").glob("*.jpg")):
        picture = cv2.imread(str(path))
        height, width = picture.shape[:2]
        labelled = labelled_heads(folder / "labels" / "test" / f"{path.stem}.txt", width, height)
        heads = there(labelled, path.stem)
        tally.left_out += len(labelled) - len(heads)
        if not len(heads):
            continue
        whole = (0, 0, width, height)
        (found,) = gate.look([picture], whole)
        (regions,) = find_regions([seen(0, found)], width=width, height=height)
        mask = fill_mask(regions)
        (sighted,) = gate.search([picture], whole)
        tally.add([share(mask, head) >= COVERED for head in heads], objection(sighted, regions, mask))
    return tally


def labelled_heads(path: Path, width: int, height: int) -> np.ndarray:
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    boxes = np.array([[float(part) for part in line[1:5]] for line in lines if line[0] in HEAD_IDS]).reshape(-1, 4)
    middle, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=1) * np.tile([width, height], 2)


def persons_of_clips(gate: Gate, detector: model.Detector, outside: OutsideDetector, folder: Path) -> Tally:
    tally = Tally()
    for path in sorted(folder.glob("*/*.*")):
        frames = list(decoded(path))
        height, width = frames[0].picture.shape[:2]
        window = (0, round(CLOCK_SHARE * height), width, height - round(CLOCK_SHARE * height))
        found = detector.detect((frame.picture for frame in frames), min_confidence=PERSON_CONFIDENCE)
        known = [seen(frame.position_us, boxes) for frame, boxes in zip(frames, found, strict=True)]
        chosen = list(range(3, len(frames), round(CLIP_STEP_US / LOOK_EVERY_US)))
        for index, closer in zip(chosen, gate.look([frames[index].picture for index in chosen], window), strict=True):
            known[index] = together(known[index], seen(known[index].at_us, closer))
        regions = find_regions(known, width=width, height=height)
        for index in chosen:
            picture, region = frames[index].picture, regions[index]
            mask = fill_mask(region)
            (sighted,) = gate.search([picture], window)
            why = objection(sighted, region, mask)
            sightings = outside.persons(picture, window)
            persons = there(sightings, path.stem)
            tally.left_out += len(sightings) - len(persons)
            tally.add([is_known(person, region, mask) for person in persons], why)
        print(f"  {path.parent.name}: so far {tally}", file=sys.stderr)
    return tally


def there(boxes: np.ndarray, name: str) -> np.ndarray:
    """Return boxes without those known to show nothing."""
    wrong = NOT_THERE.get(name)
    if wrong is None or not len(boxes):
        return boxes
    return boxes[iou(boxes, np.array(wrong, float)).max(axis=1) < SURE]


def decoded(path: Path) -> Iterator[video.Frame]:
    with video.frames(path, every_us=LOOK_EVERY_US) as reader:
        yield from reader


def is_known(person: np.ndarray, regions: FrameRegions, mask: np.ndarray) -> bool:
    """Return whether a person is one of the known, or a part of one, or has the head zone filled."""
    if len(regions.bodies):
        inside = intersection(person, regions.bodies).max() / area(person)[0]
        if inside >= 0.7 or iou(person, regions.bodies).max() > 0.4:
            return True
    return share(mask, head_zone(person)) >= 0.5


def share(mask: np.ndarray, box: np.ndarray) -> float:
    x1, y1, x2, y2 = (max(0, round(float(side))) for side in box)
    part = mask[y1:y2, x1:x2]
    return float(part.mean()) if part.size else 1.0


class OutsideDetector:
    """YOLOX-nano (Ge et al. 2021, arXiv:2107.08430), 80 classes of COCO at 416: it had no part in the masking."""

    side_px = 416
    strides = (8, 16, 32)

    def __init__(self, path: Path) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(path))
        grids = []
        for stride in self.strides:
            cells = self.side_px // stride
            x, y = np.meshgrid(np.arange(cells), np.arange(cells))
            grids.append(np.stack([x.ravel(), y.ravel(), np.full(cells * cells, stride)], axis=1))
        self._grid = np.concatenate(grids)

    def persons(self, picture: Picture, window: tuple[int, int, int, int]) -> np.ndarray:
        x1, y1, x2, y2 = window
        crop = picture[y1:y2, x1:x2]
        scale = self.side_px / max(crop.shape[:2])
        canvas = np.full((self.side_px, self.side_px, 3), 114, np.uint8)
        small = cv2.resize(crop, (round(crop.shape[1] * scale), round(crop.shape[0] * scale)))
        canvas[: small.shape[0], : small.shape[1]] = small
        self._net.setInput(cv2.dnn.blobFromImage(canvas))
        raw = self._net.forward()[0]
        sure = raw[:, 4] * raw[:, 5]
        centre = (raw[:, :2] + self._grid[:, :2]) * self._grid[:, 2:]
        half = np.exp(raw[:, 2:4]) * self._grid[:, 2:] / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1) / scale
        is_person = (sure >= SURE) & (raw[:, 5:].argmax(axis=1) == 0)
        kept: list[np.ndarray] = []
        for index in np.argsort(-sure):
            if is_person[index] and (not kept or iou(boxes[index], np.array(kept)).max() < 0.5):
                kept.append(boxes[index])
        return np.array(kept).reshape(-1, 4) + np.array([x1, y1, x1, y1])


def report(name: str, tally: Tally) -> tuple[str, str]:
    """Return a table for TOML and a line for people."""
    before, after = upper_bound(tally.missed, tally.n), upper_bound(tally.missed_shown, tally.n_shown)
    table = (
        f"[{name}]\nmissed_before_gate = {tally.missed}\nn_before_gate = {tally.n}\nupper_before_gate = {before:.4f}\n"
        f"missed = {tally.missed_shown}\nn = {tally.n_shown}\nupper = {after:.4f}\n"
        f"pictures = {tally.frames}\npictures_shown = {tally.frames_shown}\nleft_out = {tally.left_out}\n"
    )
    line = (
        f"{name}: before the gate {tally.missed}/{tally.n} (at most {before:.1%}), "
        f"published {tally.missed_shown}/{tally.n_shown} (at most {after:.1%}), "
        f"pictures let through {tally.frames_shown}/{tally.frames}, {tally.left_out} sightings of nothing left out"
    )
    return table, line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the figures for the method page")
    parser.add_argument("--only", choices=["heads", "persons"])
    given = parser.parse_args()
    if "DATA" not in os.environ:
        parser.error("set DATA to the folder that holds quitset/, clips/ and weights/")
    data = Path(os.environ["DATA"])
    detector = model.load()
    gate = Gate(detector)
    head = (
        "# Made by tools/measure_privacy.py. Upper bounds are one-sided, 95 %, Clopper-Pearson.\n"
        f"measured_on = {datetime.datetime.now(datetime.UTC).date()}\n"
        f'model_sha256 = "{detector.card.sha256}"\n'
    )
    tables = [head]
    if given.only != "persons":
        table, line = report("heads_in_single_pictures", heads_of_pictures(gate, data / "quitset"))
        tables.append(table)
        print(line, flush=True)
    if given.only != "heads":
        outside = OutsideDetector(data / "weights" / "yolox_nano.onnx")
        table, line = report("persons_in_clips", persons_of_clips(gate, detector, outside, data / "clips"))
        tables.append(table)
        print(line, flush=True)
    if given.write:
        write_text(resource("data/models/faces") / "misses.toml", "\n".join(tables))


if __name__ == "__main__":
    main()
