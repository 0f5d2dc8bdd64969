"""What `detect` has finished, kept beside its output, so that it is never made again.

    bundles/.journal/
        lock
        hashes.json                  size and time of a recording's file -> its sha256, to spare reading it again
        looks/<key>/plan.json        what the gate chose of one recording
        looks/<key>/0000.npz         boxes of one finished stretch
        evidence/<key>.json .jpg .gif   anonymised pictures of one violation
        bundles/<camera>_<day>.json  which inputs the bundle of that day was made from

Every key is a hash of all that the entry depends on: a change of model or settings makes a new entry and never meets
an old one. Entries are written whole or not at all; one that cannot be read is as good as absent.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quitboard import files
from quitboard.records import Detections, FloatArray, FrameDetections

FOLDER_NAME = ".journal"
KEEP_DAYS = 30


def key_of(**inputs: object) -> str:
    """Return a hash over named inputs (anything JSON can hold); equal inputs, equal key."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()[:40]


class Journal:
    """Entries below `<output>/.journal`; not locked by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_json(self, name: str) -> Any:
        """Return the entry, or None where there is none that can be read."""
        content = self.get(name)
        try:
            return None if content is None else json.loads(content)
        except ValueError:
            return None

    def put_json(self, name: str, value: object) -> None:
        self.put(name, json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode())

    def get(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Write an entry. Raises `DiskFull`."""
        files.write_bytes(self.folder / name, content)

    def tidy(self, *, now_s: float) -> None:
        """Delete what killed runs left unfinished, and looks and pictures that are older than `KEEP_DAYS`.

        What is known of bundles stays for good: a day is never made again because its looks were deleted.
        """
        for path in self.folder.rglob(f"{files.TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)
        for room in ("looks", "evidence"):
            for path in (self.folder / room).rglob("*.*"):
                if path.is_file() and now_s - path.stat().st_mtime > KEEP_DAYS * 86_400:
                    path.unlink(missing_ok=True)

    def forget(self, pictures: Iterable[str]) -> int:
        """Delete pictures, given by their SHA-256; returns how many there were."""
        found = [path for sha256 in pictures for path in (self.folder / "evidence").glob(f"{sha256}.*")]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def get_frames(self, name: str) -> list[FrameDetections] | None:
        content = self.get(name)
        try:
            return None if content is None else unpack_frames(content)
        except (ValueError, KeyError, zipfile.BadZipFile, EOFError, OSError):
            return None

    def put_frames(self, name: str, frames: Sequence[FrameDetections]) -> None:
        self.put(name, pack_frames(frames))


class HashMemory:
    """Remembers the sha256 of files by size, time and inode, so that a night's run reads each recording once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        known = journal.get_json("hashes.json")
        self._known: dict[str, str] = known if isinstance(known, dict) else {}
        self._new = 0

    def sha256(self, path: Path) -> str:
        status = path.stat()
        key = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = files.sha256_file(path)
            self._new += 1
        return self._known[key]

    def save(self) -> None:
        if self._new:
            self._journal.put_json("hashes.json", self._known)
            self._new = 0


def pack_frames(frames: Sequence[FrameDetections]) -> bytes:
    """Return frames with their boxes as one npz file; `unpack_frames` gives them back exactly."""
    buffer = io.BytesIO()
    boxes = [frame.detections for frame in frames]
    np.savez(
        buffer,
        position_us=np.array([frame.position_us for frame in frames], np.int64),
        count=np.array([len(box) for box in boxes], np.int64),
        xyxy=np.concatenate([box.xyxy for box in boxes] or [np.empty((0, 4), np.float32)]),
        confidence=np.concatenate([box.confidence for box in boxes] or [np.empty(0, np.float32)]),
        class_id=np.concatenate([box.class_id for box in boxes] or [np.empty(0, np.int64)]),
        wear=np.concatenate([_two(box, box.wear) for box in boxes] or [np.empty((0, 2), np.float32)]),
        company=np.concatenate([_two(box, box.company) for box in boxes] or [np.empty((0, 2), np.float32)]),
    )
    return buffer.getvalue()


def _two(boxes: Detections, told: FloatArray | None) -> FloatArray:
    return np.full((len(boxes), 2), np.nan, np.float32) if told is None else told


def unpack_frames(content: bytes) -> list[FrameDetections]:
    """Return the frames of `pack_frames`. Raises ValueError or zipfile.BadZipFile for anything else."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        if not len(stored["position_us"]):
            return []
        ends = np.cumsum(stored["count"])
        boxes = [stored[name] for name in ("xyxy", "confidence", "class_id", "wear", "company")]
        parts = [np.split(column, ends[:-1]) for column in boxes]
        return [
            FrameDetections(
                position_us=int(position_us),
                detections=Detections(xyxy=xyxy, confidence=confidence, class_id=class_id, wear=wear, company=company),
            )
            for position_us, xyxy, confidence, class_id, wear, company in zip(
                stored["position_us"], *parts, strict=True
            )
        ]
