"""Evidence for a violation: the recording is opened once more around its clearest instant, anonymised, and kept.

What comes out of here went through `evidence`, and so through `anonymise`; the journal holds nothing else of a picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from quitboard import files
from quitboard.detect import video
from quitboard.detect.evidence import make_evidence
from quitboard.detect.ground import boxes_at
from quitboard.detect.journal import Journal, key_of
from quitboard.detect.marks import Mark
from quitboard.detect.model import Detector
from quitboard.detect.privacy_gate import Gate
from quitboard.detect.regions import PERSON_CONFIDENCE, REACH_US
from quitboard.errors import RecordingError
from quitboard.records import Detections, FloatArray, IntArray, Role, Track
from quitboard.settings import EvidenceSettings

FORMAT = 3
"""Raised when the same inputs would give other pictures than before."""
FRAME_EVERY_US = 83_333
"""Twelve frames a second: the clip keeps eight of them, the rest tell `regions` what lies between."""
MAX_WIDTH_PX = 1920
"""Larger pictures are brought to this width first: a clip is 480 px wide, and forty 4K frames fill a small machine."""
_LONGEST_GAP_US = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The pictures of a violation in the journal; empty hashes and a reason where there are none."""

    still_sha256: str = ""
    clip_sha256: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """What a picture is to show, at instants on the clock, boxes in px of a picture `width` wide."""

    best_us: int
    mark: Mark
    vehicle: Track
    riders: tuple[Track, ...]
    width: int  # of the picture that the boxes are in, px


class PictureMaker:
    """Makes pictures into the journal, each once."""

    def __init__(self, journal: Journal, detector: Detector, settings: EvidenceSettings) -> None:
        """Load what vouches for pictures. Raises `ModelUnusable` when the privacy gate is incomplete."""
        self._journal = journal
        self._detector = detector
        self._settings = settings
        self._gate = Gate(detector)

    def make(self, path: Path, look_key: str, start_us: int, subject: Subject, persons: Sequence[Track]) -> Shown:
        """Return the pictures of `subject` from the recording at `path`, which begins at `start_us`.

        Args:
            look_key: the journal's key of the recording's look: what model and settings saw it.
            persons: every tracked person of that day.
        """
        key = key_of(
            format=FORMAT,
            look=look_key,
            settings=dataclasses.asdict(self._settings),
            best_us=subject.best_us,
            mark=dataclasses.asdict(subject.mark),
            boxes=files.sha256_bytes(
                b"".join(track.at_us.tobytes() + track.xyxy.tobytes() for track in (subject.vehicle, *subject.riders))
            ),
        )
        known = self._journal.get_json(f"evidence/{key}.json")
        if known is not None and self._is_kept(shown := Shown(**known)):
            return shown
        shown = self._make(path, start_us, subject, persons)
        self._journal.put_json(f"evidence/{key}.json", dataclasses.asdict(shown))
        return shown

    def path_of(self, sha256: str, extension: str) -> Path:
        """Return where the journal keeps a picture."""
        return self._journal.folder / "evidence" / f"{sha256}.{extension}"

    def _make(self, path: Path, start_us: int, subject: Subject, persons: Sequence[Track]) -> Shown:
        try:
            frames = self._frames(path, subject.best_us - start_us)
        except RecordingError as error:
            return Shown(note=f"no picture: {error.what}")
        if not frames:
            return Shown(note="no picture: the frames around it cannot be decoded")
        scale = frames[0].picture.shape[1] / subject.width
        at_us = np.array([frame.position_us for frame in frames], np.int64) + start_us
        boxes = subject_boxes(subject, at_us) * scale
        seen = np.isfinite(boxes[:, 0])
        if not seen.any():
            return Shown(note="no picture: the rider is not in the frames around it")
        detections: list[Detections] = list(
            self._detector.detect([frame.picture for frame in frames], min_confidence=PERSON_CONFIDENCE)
        )
        evidence = make_evidence(
            frames,
            detections,
            persons_in(persons, at_us, scale),
            [tuple(map(float, box)) if is_there else None for box, is_there in zip(boxes, seen, strict=True)],
            best=int(np.abs(at_us - subject.best_us).argmin()),
            mark=subject.mark,
            gate=self._gate,
            settings=self._settings,
        )
        return Shown(
            still_sha256=self._keep(evidence.still, "jpg"),
            clip_sha256=self._keep(evidence.clip, "gif"),
            note=evidence.note,
        )

    def _frames(self, path: Path, best_us: int) -> list[video.Frame]:
        reach_us = round(self._settings.clip_s * 0.5e6) + REACH_US + 2 * FRAME_EVERY_US
        with video.frames(
            path, from_us=max(0, best_us - reach_us), to_us=best_us + reach_us, every_us=FRAME_EVERY_US
        ) as reader:
            frames = []
            for frame in reader:
                height, width = frame.picture.shape[:2]
                if width > MAX_WIDTH_PX:
                    size = (MAX_WIDTH_PX, round(height * MAX_WIDTH_PX / width))
                    small = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA)
                    frames.append(video.Frame(position_us=frame.position_us, picture=small.astype(np.uint8)))
                else:
                    frames.append(frame)
            return frames

    def _is_kept(self, shown: Shown) -> bool:
        pictures = [(shown.still_sha256, "jpg"), (shown.clip_sha256, "gif")]
        paths = [self.path_of(sha256, extension) for sha256, extension in pictures if sha256]
        return all(path.is_file() and files.sha256_file(path) == path.stem for path in paths)

    def _keep(self, content: bytes | None, extension: str) -> str:
        if content is None:
            return ""
        sha256 = files.sha256_bytes(content)
        files.write_bytes(self.path_of(sha256, extension), content)
        return sha256


def subject_boxes(subject: Subject, at_us: IntArray) -> FloatArray:
    """Return the box around vehicle and riders at each instant (n, 4) px; NaN where none of them is tracked."""
    each = np.stack([boxes_at(track, at_us, _LONGEST_GAP_US) for track in (subject.vehicle, *subject.riders)])
    absent = np.isnan(each)
    low = np.where(absent, np.inf, each).min(axis=0)
    high = np.where(absent, -np.inf, each).max(axis=0)
    hull = np.concatenate([low[:, :2], high[:, 2:]], axis=1)
    return np.where(np.isfinite(hull), hull, np.nan).astype(np.float32)


def persons_in(persons: Sequence[Track], at_us: IntArray, scale: float) -> list[list[tuple[float, ...]]]:
    """Return, for each instant, the boxes of the persons tracked then, px times `scale`."""
    found: list[list[tuple[float, ...]]] = [[] for _ in at_us]
    for track in persons:
        if track.role is not Role.PERSON or track.at_us[-1] < at_us[0] or track.at_us[0] > at_us[-1]:
            continue
        for n, box in enumerate(boxes_at(track, at_us, _LONGEST_GAP_US) * scale):
            if np.isfinite(box[0]):
                found[n].append(tuple(map(float, box)))
    return found
