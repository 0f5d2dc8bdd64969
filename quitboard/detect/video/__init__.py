"""Reading recordings: packets, keyframes and frames, each at its position on the recording's own clock.

The only place that decodes. Positions are whole microseconds from the first frame, taken from presentation times. What
is damaged is read as far as it goes, and the fault is said. Reading a span gives the same frames, at the same positions
and with the same bytes, as reading from the start and dropping what comes before.

Decoding runs in one thread: with frame threads the bytes of a damaged H.264 picture change from run to run, and slice
threads switch its error concealment off. Recorders write one slice a picture, so slice threads gain nothing anyway.
Other threads are free to work meanwhile, as decoding does not hold Python's lock.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.spans import union
from quitboard.detect.video.decode import Decoded, Decoder, all_keyframes, in_spans
from quitboard.detect.video.source import (
    COPY_AGAIN,
    DAMAGED,
    ENDS_EARLY,
    NO_FIRST_KEYFRAME,
    SIZE_CHANGES,
    STOPPED,
    TIME_JUMPS,
    Source,
)
from quitboard.errors import RecordingError
from quitboard.records import IntArray, Picture

FAULTS = (DAMAGED, ENDS_EARLY, NO_FIRST_KEYFRAME, SIZE_CHANGES, STOPPED, TIME_JUMPS)
"""All that may be said of a recording that could be read only in part, or not as it was written."""

_PAUSE_US = 10_000_000  # a longer gap between two frames is a pause, not footage
_FOREVER_US = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a container claims about its video, and what its first picture shows."""

    width: int  # px, as shown: after the rotation that a container may ask for
    height: int
    promised_s: float  # 0 where the container does not say
    codec: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture: BGR (height, width, 3), or grey (height, width) where a reader was asked for that."""

    position_us: int
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packets:
    """Every coded picture of a recording in the order of decoding, found without decoding any."""

    position_us: IntArray
    size: IntArray  # bytes
    is_keyframe: NDArray[np.bool_]
    read_s: float  # footage that can be read; pauses longer than ten seconds are not footage
    faults: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.size)


def probe(path: Path) -> Probe:
    """Look at a recording's header and its first picture.

    Raises:
        RecordingError: it cannot be read at all, with the reason.
    """
    with Source(path) as source:
        decoder = Decoder(source)
        for placed in source:
            for decoded in decoder.feed(placed):
                width, height = source.width, source.height
                if decoded.quarter_turns % 2:
                    width, height = height, width
                return Probe(
                    width=width,
                    height=height,
                    promised_s=source.promised_s,
                    codec=source.codec,
                    created_at=source.created_at,
                )
    raise RecordingError("no picture in it can be decoded", where=path.name, todo=COPY_AGAIN)


def packets(path: Path) -> Packets:
    """Read the positions and sizes of all packets, without decoding: thousands of frames a second.

    Raises:
        RecordingError: the recording cannot be opened.
    """
    with Source(path) as source:
        for _placed in source:
            pass
        return _packets(source)


def frames(
    path: Path,
    *,
    from_us: int = 0,
    to_us: int | None = None,
    every_us: int | None = None,
    spans: Sequence[tuple[int, int]] | None = None,
    grey_width_px: int | None = None,
) -> Reader:
    """Read the frames at positions in [from_us, to_us), or in any of `spans`, in order and once each.

    Args:
        every_us: keep only the first frame at or after each multiple of this position.
        spans: several [from, to) in one pass, instead of `from_us` and `to_us`; they may touch or overlap.
        grey_width_px: give small grey pictures of this width instead of full-size BGR ones.

    Raises:
        RecordingError: the recording cannot be opened.
    """
    wanted = [(from_us, _FOREVER_US if to_us is None else to_us)] if spans is None else spans
    return Reader(path, wanted, every_us=every_us, grey_width_px=grey_width_px)


def keyframes(path: Path, *, every_us: int = 0, grey_width_px: int | None = None) -> Reader:
    """Read keyframes at least `every_us` apart; nothing else is decoded. Raises `RecordingError` as `frames` does."""
    return Reader(path, [(0, _FOREVER_US)], every_us=every_us, keyframes_only=True, grey_width_px=grey_width_px)


def footage_s(position_us: IntArray, frame_us: int) -> float:
    """Return how many seconds of footage frames at these increasing positions make; pauses do not count."""
    if not len(position_us):
        return 0.0
    steps = np.diff(position_us)
    return float(steps[steps <= _PAUSE_US].sum() + frame_us) / 1e6


def _packets(source: Source) -> Packets:
    position_us = np.array([row[0] for row in source.passed], np.int64)
    read_s = footage_s(np.sort(position_us), source.frame_us)
    source.compare_with_promise(read_s)
    return Packets(
        position_us=position_us,
        size=np.array([row[1] for row in source.passed], np.int64),
        is_keyframe=np.array([row[2] for row in source.passed], np.bool_),
        read_s=read_s,
        faults=tuple(sorted(source.faults)),
    )


class Reader:
    """An iterator over frames that knows, at any moment, what was read and what was wrong. Close it, or use `with`."""

    def __init__(
        self,
        path: Path,
        spans: Iterable[tuple[int, int]],
        *,
        every_us: int | None = None,
        keyframes_only: bool = False,
        grey_width_px: int | None = None,
    ) -> None:
        self._source = Source(path)
        self._spans = union(spans)
        self._every_us = every_us
        self._keyframes_only = keyframes_only
        self._grey_width_px = grey_width_px
        self._read_us = 0
        self._last_us: int | None = None
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._frames.close()
        self._source.close()

    @property
    def faults(self) -> tuple[str, ...]:
        """What was found wrong so far, in short words without names or figures."""
        return tuple(sorted(self._source.faults))

    @property
    def read_s(self) -> float:
        """Seconds of footage decoded so far, pauses not counted."""
        return (self._read_us + (self._source.frame_us if self._last_us is not None else 0)) / 1e6

    def packets(self) -> Packets:
        """Return all packets that were passed; of the whole recording, once every keyframe has been read."""
        return _packets(self._source)

    def _read(self) -> Generator[Frame, None, None]:
        before_us = -1
        waiting = list(reversed(self._spans))
        if self._keyframes_only:
            decoded = all_keyframes(self._source, self._every_us or 0)
        else:
            decoded = in_spans(self._source, self._spans)
        try:
            for one in decoded:
                if one.position_us <= before_us:
                    self._source.faults.add(TIME_JUMPS)
                    continue
                before_us = one.position_us
                while waiting and waiting[-1][1] <= one.position_us:
                    waiting.pop()
                if not waiting:
                    return
                if one.position_us < waiting[-1][0]:
                    continue
                self._note(one)
                if self._is_sampled(one.position_us):
                    yield Frame(position_us=one.position_us, picture=self._picture(one))
            if not self._keyframes_only and self._spans == [(0, _FOREVER_US)]:
                self._source.compare_with_promise(self.read_s)
        finally:
            self._source.close()

    def _is_sampled(self, position_us: int) -> bool:
        every_us = 0 if self._keyframes_only else self._every_us
        # By the packet before it, which is known even where decoding began with this picture
        return not every_us or position_us // every_us > self._source.shown_before(position_us) // every_us

    def _note(self, one: Decoded) -> None:
        if one.frame.is_corrupt:
            self._source.faults.add(DAMAGED)
        if self._last_us is not None and one.position_us - self._last_us <= _PAUSE_US:
            self._read_us += one.position_us - self._last_us
        self._last_us = one.position_us

    def _picture(self, one: Decoded) -> Picture:
        frame, width, height = one.frame, self._source.width, self._source.height
        if (frame.width, frame.height) != (width, height):  # zones are drawn on the first size: keep to it
            self._source.faults.add(SIZE_CHANGES)
        if self._grey_width_px:
            small_height = max(2, round(height * self._grey_width_px / width))
            small = frame.reformat(self._grey_width_px, small_height, "gray", interpolation="AREA").to_ndarray()
            return np.rot90(small, one.quarter_turns)
        picture = frame.to_ndarray(format="bgr24")
        if picture.shape[:2] != (height, width):
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(np.rot90(picture, one.quarter_turns))
