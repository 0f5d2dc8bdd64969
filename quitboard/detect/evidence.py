"""The pictures of a suspected violation: one still and one short clip, made from anonymised frames alone.

`make_evidence` chooses the frames and the part of the picture; `anonymise` decides whether they may leave.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from quitboard.detect.anonymise import (
    CLOCK_SHARE,
    Anonymised,
    Evidence,
    PublishablePicture,
    anonymise,
    gif,
    jpeg,
    published_size,
)
from quitboard.detect.geometry import area, intersection
from quitboard.detect.marks import Mark, draw
from quitboard.detect.privacy_gate import Gate, Window
from quitboard.detect.regions import FrameRegions, Seen, find_regions, seen, together
from quitboard.records import Detections, Picture
from quitboard.settings import EvidenceSettings

Box: TypeAlias = Sequence[float]  # xyxy px of the full-size picture

MAX_CLIP_FRAMES = 24
MIN_CLIP_FRAMES = 6
CLIP_STEP_US = 125_000
MIN_CLIP_US = 2_000_000
LONGEST_HOLD_MS = 500
STILL_TRIES = 5
MIN_VISIBLE = 0.6
"""A rider of whom less lies in the publishable part of the picture is not shown in that frame."""
SMALLEST_WINDOW_PX = 200
MAX_CLIP_BYTES = 1_200_000
SHRINKING = (1.0, 0.8, 0.64)
"""A clip that is larger is made smaller, at most twice."""


class Frame(Protocol):
    """A decoded frame, as `detect.video.frames` yields it."""

    @property
    def position_us(self) -> int: ...
    @property
    def picture(self) -> Picture: ...


def make_evidence(
    frames: Sequence[Frame],
    detections: Sequence[Detections],
    persons: Sequence[Sequence[Box]],
    subjects: Sequence[Box | None],
    *,
    best: int,
    mark: Mark,
    gate: Gate,
    settings: EvidenceSettings,
) -> Evidence:
    """Return a still and a clip of a ride, or the reason why there is none; a refusal never raises.

    Args:
        frames: the stretch around the breach, by rising position, at the full frame rate.
        detections: of each frame, everything the detector found down to a low confidence.
        persons: of each frame, the boxes of tracked persons (interpolated where they were not detected).
        subjects: of each frame, the box around the riders and their vehicle; None where they are not in it. Such a
            frame is not shown, but what was found in it helps its neighbours.
        best: index of the frame that shows the breach best.
        mark: what is written on the picture.
        gate: looks once more at every frame.
        settings: sizes, length, and what becomes of bodies.
    """
    height, width = frames[0].picture.shape[:2]
    found = [
        seen(frame.position_us, boxes, tracked)
        for frame, boxes, tracked in zip(frames, detections, persons, strict=True)
    ]
    present = {
        index: box
        for index, box in enumerate(subjects)
        if box is not None and visible_share(box, width, height) >= MIN_VISIBLE
    }
    if not present:
        return Evidence(still=None, clip=None, note="no picture: the rider is outside the frames or at their edge")
    best = min(present, key=lambda index: (abs(index - best), index))
    scene = _Scene(frames, found, present, width, height, mark, gate, settings)
    chosen = scene.clip_frames(best)
    window = window_around([present[index] for index in chosen], width, height, room=0.3)
    regions = scene.look_closely(chosen, window)
    made = scene.anonymised(chosen, regions, window)
    clip, clip_why = scene.clip(chosen, made, window)
    still, still_why = scene.still(best, dict(zip(chosen, made.regions, strict=True)), window)
    note = "; ".join(dict.fromkeys(why for why in (still_why, clip_why) if why))
    return Evidence(still=still, clip=clip, note=note)


@dataclass(frozen=True, slots=True)
class _Scene:
    frames: Sequence[Frame]
    found: Sequence[Seen]
    subjects: Mapping[int, Box]
    width: int
    height: int
    mark: Mark
    gate: Gate
    settings: EvidenceSettings

    def clip_frames(self, best: int) -> list[int]:
        """Return the frames of the clip: evenly in time around the best one, as long as the rider stays large."""
        middle_us = self.frames[best].position_us
        known = sorted(self.subjects)
        for length_us in (round(self.settings.clip_s * 1e6), MIN_CLIP_US):
            near = [known[n] for n in evenly([self.frames[index].position_us for index in known], middle_us, length_us)]
            window = window_around([self.subjects[index] for index in near], self.width, self.height, room=0.3)
            tall = np.median([self.subjects[index][3] - self.subjects[index][1] for index in near])
            if tall >= 0.25 * (window[3] - window[1]):
                break
        return near

    def look_closely(self, chosen: Sequence[int], window: Window) -> dict[int, FrameRegions]:
        """Find what the full picture was too coarse for, in the part to be published at its own resolution."""
        looks = self.gate.look([self.frames[index].picture for index in chosen], window)
        known = list(self.found)
        for index, closer in zip(chosen, looks, strict=True):
            known[index] = together(known[index], seen(known[index].at_us, closer))
        found = find_regions(known, width=self.width, height=self.height)
        return {index: found[index] for index in chosen}

    def clip(self, chosen: Sequence[int], made: Anonymised, window: Window) -> tuple[bytes | None, str]:
        regions = dict(zip(chosen, made.regions, strict=True))
        kept = [(index, picture) for index, picture in zip(chosen, made.pictures, strict=True) if picture is not None]
        if len(kept) < MIN_CLIP_FRAMES:
            why = _commonest(made.objections)
            return None, f"no clip: {len(kept)} of {len(chosen)} frames may be shown ({why})"
        positions = [self.frames[index].position_us for index, _ in kept]
        steps = [min(LONGEST_HOLD_MS, round((after - now) / 1e4) * 10) for now, after in itertools.pairwise(positions)]
        for shrinking in SHRINKING:
            size = published_size(kept[0][1].size, round(self.settings.clip_px * shrinking))
            drawn = [self._marked(picture, index, regions[index], window, size) for index, picture in kept]
            encoded = gif(drawn, durations_ms=[*steps, LONGEST_HOLD_MS])
            if len(encoded) <= MAX_CLIP_BYTES:
                break
        return encoded, ""

    def still(self, best: int, regions: Mapping[int, FrameRegions], outer: Window) -> tuple[bytes | None, str]:
        nearest = sorted(regions, key=lambda index: (abs(index - best), index))[:STILL_TRIES]
        reasons: list[str] = []
        for index in nearest:
            window = within(window_around([self.subjects[index]], self.width, self.height, room=0.45), outer)
            made = self.anonymised([index], {index: regions[index]}, window)
            picture = made.pictures[0]
            if picture is not None:
                size = published_size(picture.size, self.settings.still_px)
                return jpeg(self._marked(picture, index, made.regions[0], window, size)), ""
            reasons += made.objections
        return None, f"no still: {len(nearest)} frames tried ({_commonest(reasons)})"

    def anonymised(self, chosen: Sequence[int], regions: Mapping[int, FrameRegions], window: Window) -> Anonymised:
        return anonymise(
            [self.frames[index].picture for index in chosen],
            [regions[index] for index in chosen],
            self.gate,
            window=window,
            body=self.settings.body,
        )

    def _marked(
        self, picture: PublishablePicture, index: int, known: FrameRegions, window: Window, size: tuple[int, int]
    ) -> PublishablePicture:
        scale = size[0] / (window[2] - window[0])
        shift = np.array([window[0], window[1], window[0], window[1]], np.float64)
        subject = (np.asarray(self.subjects[index], np.float64) - shift) * scale
        heads = [head for head in ((known.heads - shift) * scale).tolist() if _tops(head, subject.tolist())]
        inside = np.clip(subject, 2, np.array([*size, *size]) - 3).tolist()
        overlay = draw(size, self.mark, inside, heads)
        return picture.resized(size).under(overlay)


def evenly(positions_us: Sequence[int], middle_us: int, length_us: int) -> list[int]:
    """Return indices of at most `MAX_CLIP_FRAMES` frames, evenly in time, over `length_us` around `middle_us`.

    At the ends of a recording the span is moved inwards, so that the clip keeps its length.
    """
    first, last = positions_us[0], positions_us[-1]
    from_us = max(first, min(middle_us - length_us // 2, last - length_us))
    step_us = max(CLIP_STEP_US, length_us // MAX_CLIP_FRAMES)
    wanted = np.arange(from_us, min(from_us + length_us, last + 1), step_us)[:MAX_CLIP_FRAMES]
    known = np.asarray(positions_us)
    return sorted({int(np.abs(known - at).argmin()) for at in wanted})


def window_around(boxes: Sequence[Box], width: int, height: int, *, room: float) -> Window:
    """Return a part of the publishable area, 4:3 where it fits: all `boxes` and `room` of the largest around them."""
    array = np.asarray(boxes, np.float64).reshape(-1, 4)
    margin = room * (array[:, 2:] - array[:, :2]).max(axis=0).max()
    left, top = array[:, :2].min(axis=0) - margin
    right, bottom = array[:, 2:].max(axis=0) + margin
    _, upper, _, lower = publishable_area(width, height)
    tall = max(bottom - top, (right - left) * 3 / 4, SMALLEST_WINDOW_PX * 3 / 4)
    wide = tall * 4 / 3
    wide, tall = min(wide, width), min(tall, lower - upper)
    x = min(max((left + right - wide) / 2, 0), width - wide)
    y = min(max((top + bottom - tall) / 2, upper), lower - tall)
    return round(x), round(y), round(x + wide), round(y + tall)


def publishable_area(width: int, height: int) -> Window:
    """Return the picture without the strips at its top and bottom in which recorders burn their clock."""
    strip = round(CLOCK_SHARE * height)
    return 0, strip, width, height - strip


def visible_share(box: Box, width: int, height: int) -> float:
    """Return the part of a box that lies in the publishable area, 0-1."""
    area_px = area(box)[0]
    return float(intersection(box, publishable_area(width, height))[0, 0] / area_px) if area_px else 0.0


def within(window: Window, outer: Window) -> Window:
    """Return the part of `window` that lies in `outer`."""
    x1, y1, x2, y2 = window
    return max(outer[0], x1), max(outer[1], y1), min(outer[2], x2), min(outer[3], y2)


def _tops(head: Box, subject: Box) -> bool:
    x, y = (head[0] + head[2]) / 2, (head[1] + head[3]) / 2
    return subject[0] <= x <= subject[2] and subject[1] - 2 <= y <= subject[1] + 0.55 * (subject[3] - subject[1])


def _commonest(reasons: Sequence[str]) -> str:
    told = Counter(reason for reason in reasons if reason)
    return told.most_common(1)[0][0] if told else "too short"
