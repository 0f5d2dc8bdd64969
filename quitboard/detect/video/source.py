"""An open container: its packets, each placed on the recording's clock."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from quitboard.detect.video.container import FORMATS, SEEKABLE, kind_of
from quitboard.errors import RecordingError

ENDS_EARLY = "ends early"
DAMAGED = "damaged data"
STOPPED = "reading stopped at damaged data"
NO_FIRST_KEYFRAME = "starts without a keyframe"
SIZE_CHANGES = "picture size changes"
TIME_JUMPS = "time stamps jump"

MAX_SIDE_PX = 8192
COPY_AGAIN = "Copy the file again from the recorder"
_SHORT_BY_S = 1.0  # a recording this much shorter than its header says ends early
_BACK_US, _AHEAD_US = 200_000, 3_600_000_000  # time stamps that step further are wrong
_ORIGIN_PACKETS = 48  # more than any codec reorders
_TIMELESS_PACKETS = 512
_USUAL_STEP, _STEP_LIMIT = 3600, 180_000  # from picture to picture, in a program stream's ticks of 1/90,000 s
_STREAMS = ("mpegts", "mpeg")  # kinds that keep the recorder's own running clock
_SHOWN_KEPT = 1 << 16
_COVER_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet and where it belongs."""

    packet: av.Packet
    stamp: int  # what ties a decoded picture to its packet, in the stream's ticks
    position_us: int
    decode_us: int  # no later packet is shown before this position
    is_keyframe: bool


class Source:
    """An open recording: an iterator over its packets, each placed on the recording's clock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kind = kind_of(path)
        self._ahead: deque[av.Packet] = deque()
        self._returned: deque[Placed] = deque()
        self.passed: list[tuple[int, int, bool]] = []  # position, bytes and whether a keyframe, of all packets so far
        self._shown: list[int] = []  # positions of the last packets, in the order in which they are shown
        self._offset = 0
        self._last_decode: int | None = None
        self.reached_us = 0
        self._container: av.container.InputContainer | None = None
        self.faults: set[str] = set()
        self.rewind()

    def rewind(self) -> None:
        """Open the file and stand before its first packet.

        Raises:
            RecordingError: the container is broken, holds no video that can be decoded, or pictures beyond the limit.
        """
        self.close()
        try:
            self._container = av.open(
                f"file:{self._path.absolute()}",
                format=self._kind,
                options={"protocol_whitelist": "file", "format_whitelist": FORMATS[self._kind]},
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError) as error:
            raise RecordingError(
                f"its header or its index is missing or damaged ({error.strerror})",
                where=self._path.name,
                todo=f"{COPY_AGAIN}; one that was cut off while it was written cannot be read",
            ) from None
        self.stream = stream = self._video()
        # Copied, as a stream may not be asked once its container is closed
        self.width, self.height = int(stream.width), int(stream.height)
        self.codec = str(stream.codec_context.codec.canonical_name)
        rate = stream.average_rate or stream.guessed_rate
        self.frame_us = round(1_000_000 / rate) if rate and 0.1 <= rate <= 240 else 40_000
        length_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
        if self._kind == "avi":  # the demuxer shortens the length of a truncated one, but not its count of frames
            length_s = max(length_s, stream.frames * self.frame_us / 1e6)
        elif self._kind == "mpeg":  # no header says it, and the last time stamp is that of a block
            length_s = 0.0
        elif not length_s:
            length_s = (self._container.duration or 0) / 1e6
        self.promised_s = length_s
        self._packets = self._demux()
        self._stand_at(0)
        self._ahead.extend(itertools.islice(self._packets, _ORIGIN_PACKETS))
        shown = [packet for packet in self._ahead if not packet.is_discard] or list(self._ahead)
        # AVI stores none, and what the demuxer guesses from decoding order is wrong where pictures are reordered
        self.has_presentation_times = self._kind != "avi" and all(packet.pts is not None for packet in shown)
        self._origin = min((stamp for packet in shown if (stamp := self._stamp(packet)) is not None), default=0)
        if self._ahead and not self._ahead[0].is_keyframe:
            self.faults.add(NO_FIRST_KEYFRAME)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Placed]:
        return self

    def __next__(self) -> Placed:
        if self._returned:
            return self._returned.popleft()
        packet = self._ahead.popleft() if self._ahead else next(self._packets)
        step = packet.duration or self._ticks(self.frame_us)
        decode = packet.dts if packet.dts is not None else packet.pts
        if decode is None:
            decode = 0 if self._last_decode is None else self._last_decode + step
        if self._last_decode is not None and self._kind in _STREAMS:
            gap_us = self._us(decode - self._last_decode)
            if not -_BACK_US <= gap_us <= _AHEAD_US:  # the recorder's clock was set: go on where it stood
                self.faults.add(TIME_JUMPS)
                self._offset += self._last_decode + step - decode
        self._last_decode = decode
        if packet.is_corrupt:
            self.faults.add(DAMAGED)
        stamp = self._stamp(packet)
        stamp = decode if stamp is None else stamp
        shift = self._offset - self._origin
        placed = Placed(packet, stamp, self._us(stamp + shift), self._us(decode + shift), packet.is_keyframe)
        self.reached_us = max(self.reached_us, placed.decode_us)
        if not packet.is_discard:
            self.passed.append((placed.position_us, packet.size, placed.is_keyframe))
            bisect.insort(self._shown, placed.position_us)
            if len(self._shown) > _SHOWN_KEPT:
                del self._shown[: _SHOWN_KEPT // 2]
        return placed

    def shown_before(self, position_us: int) -> int:
        """Return the position of the picture before the one at `position_us`, decoded or not; -1 for the first."""
        index = bisect.bisect_left(self._shown, position_us)
        return self._shown[index - 1] if index else -1

    def put_back(self, placed: Iterable[Placed]) -> None:
        """Make these, just taken, the next ones again."""
        self._returned.extendleft(reversed(list(placed)))

    def seek(self, position_us: int) -> bool:
        """Jump to a keyframe before `position_us`, by the container's index. False: there is no index to trust."""
        if self._container is None or self._kind not in SEEKABLE or not self.stream.index_entries:
            return False
        try:
            self._container.seek(self._ticks(position_us) + self._origin, stream=self.stream)
        except av.FFmpegError:
            return False
        self._packets = self._demux()
        self._stand_at(position_us)
        return True

    @property
    def can_skip(self) -> bool:
        """Whether decoding may begin at any keyframe: without presentation times, reordered pictures need them all."""
        return self.has_presentation_times or not self.stream.codec_context.has_b_frames

    @property
    def created_at(self) -> datetime | None:
        """The container's `creation_time`; recorders that do not know the date write 1904, 1970 or 2000."""
        text = self._container.metadata.get("creation_time", "") if self._container else ""
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            return None
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC) if instant.year > 2000 else None

    def compare_with_promise(self, read_s: float) -> None:
        """Note it where clearly less could be read than the header says."""
        if self.promised_s - read_s > _SHORT_BY_S:
            self.faults.add(ENDS_EARLY)

    def _video(self) -> av.VideoStream:
        assert self._container is not None
        videos = [stream for stream in self._container.streams.video if not stream.disposition & _COVER_PICTURE]
        what, todo = "", ""
        if not videos:
            what, todo = "no video in it", "Give the recording with its pictures"
        elif videos[0].codec_context is None:
            what, todo = "its coding is not known here", "Export it again from the recorder as H.264"
        elif not (0 < videos[0].width <= MAX_SIDE_PX and 0 < videos[0].height <= MAX_SIDE_PX):
            what = f"pictures of {videos[0].width} x {videos[0].height} px, where up to {MAX_SIDE_PX} are read"
            todo = "Export it again from the recorder at its usual size"
        if what:
            self.close()
            raise RecordingError(what, where=self._path.name, todo=todo)
        return videos[0]

    def _demux(self) -> Iterator[av.Packet]:
        assert self._container is not None
        # An empty packet repeats a picture, or stands for the end
        packets = (packet for packet in self._container.demux(self.stream) if packet.size)
        try:
            yield from _timed(packets) if self._kind == "mpeg" else packets
        except av.FFmpegError:
            self.faults.add(STOPPED)

    def _stand_at(self, position_us: int) -> None:
        self._ahead.clear()
        self._returned.clear()
        self._shown.clear()
        self.passed.clear()
        self._offset = 0
        self._last_decode = None
        self.reached_us = position_us

    def _stamp(self, packet: av.Packet) -> int | None:
        stamp: int | None = packet.pts if self.has_presentation_times else packet.dts
        return stamp

    def _us(self, ticks: int) -> int:
        base: Fraction = self.stream.time_base
        return (2 * ticks * base.numerator * 1_000_000 + base.denominator) // (2 * base.denominator)

    def _ticks(self, us: int) -> int:
        base: Fraction = self.stream.time_base
        return us * base.denominator // (base.numerator * 1_000_000)


def _timed(packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
    """Spread packets without times evenly between those with one: program streams stamp blocks, not pictures."""
    waiting: list[av.Packet] = []
    last, step = 0, _USUAL_STEP
    for packet in packets:
        if packet.dts in (None, last) and len(waiting) < _TIMELESS_PACKETS:
            waiting.append(packet)
            continue
        if packet.dts is not None and 0 < packet.dts - last <= _STEP_LIMIT * (len(waiting) + 1):
            step = (packet.dts - last) // (len(waiting) + 1)
        yield from _stamped(waiting, last, step)
        waiting = []
        last = packet.dts or last + step
        yield packet
    yield from _stamped(waiting, last, step)


def _stamped(packets: Sequence[av.Packet], last: int, step: int) -> Iterator[av.Packet]:
    for number, packet in enumerate(packets, start=1):
        packet.pts, packet.dts = None, last + number * step
        yield packet
