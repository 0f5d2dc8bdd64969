"""Choosing which packets to decode, and knowing which picture came from which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import av

from quitboard.detect.video.source import DAMAGED, Placed, Source

_MAX_PIXELS = 8192 * 4352
_SEEK_AHEAD_US = 10_000_000  # nearer targets are reached by reading on
_SEEK_MARGIN_US = 2_000_000  # indexes go by decoding time, which runs ahead of presentation
_WAITING_BYTES = 64 << 20  # of undecoded packets kept while looking for the last keyframe before a span


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as the codec gave it."""

    frame: av.VideoFrame
    position_us: int

    @property
    def quarter_turns(self) -> int:
        """Counterclockwise quarter turns that bring the picture upright, as the container asks."""
        return int(round(self.frame.rotation / 90) % 4)


def all_keyframes(source: Source, every_us: int) -> Iterator[Decoded]:
    """Decode keyframes alone, and of those only such as are at least `every_us` apart."""
    decoder = Decoder(source)
    last_us = -every_us
    for placed in source:
        if placed.is_keyframe and placed.position_us - last_us >= every_us:
            last_us = placed.position_us
            yield from decoder.feed(placed)
    yield from decoder.drain()


def in_spans(source: Source, spans: Sequence[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode what the spans need: each from the last keyframe at or before it. May give frames around them, too."""
    decoder = Decoder(source)
    seen_us = -1
    for from_us, to_us in spans:
        if to_us <= seen_us:
            continue
        entry_us = -1
        if seen_us < from_us - 1 and source.can_skip:
            group, is_entry = _approach(source, from_us)
            if is_entry:
                decoder.forget()
                entry_us = group[0].position_us
            source.put_back(group)
        for placed in source:
            for decoded in decoder.feed(placed):
                if decoded.position_us > entry_us >= 0:
                    # Not a clean entry: the keyframe was damaged or leans on what came before it
                    yield from (one for one in _from_start(source) if one.position_us > seen_us)
                    return
                if decoded.position_us == entry_us:
                    entry_us = -1
                if decoded.position_us > seen_us:
                    yield decoded
                    seen_us = decoded.position_us
            if seen_us >= to_us:
                break
    yield from (one for one in decoder.drain() if one.position_us > seen_us)


def _from_start(source: Source) -> Iterator[Decoded]:
    source.rewind()
    decoder = Decoder(source)
    for placed in source:
        yield from decoder.feed(placed)
    yield from decoder.drain()


def _approach(source: Source, from_us: int) -> tuple[list[Placed], bool]:
    """Read on, undecoded, to where `from_us` is near.

    Returns the packets to decode first, and whether they begin anew with a keyframe (the last one shown at or before
    `from_us`) or go on from where decoding stood.
    """
    is_entry = False
    if from_us - source.reached_us > _SEEK_AHEAD_US and source.seek(from_us - _SEEK_MARGIN_US):
        first = next(source, None)
        if first is None or not first.is_keyframe or first.position_us >= from_us:
            source.rewind()
        else:
            source.put_back([first])
        is_entry = True
    group: list[Placed] = []
    group_bytes = 0
    for placed in source:
        if placed.is_keyframe and placed.position_us <= from_us:
            group, group_bytes, is_entry = [], 0, True
        group.append(placed)
        group_bytes += placed.packet.size
        is_near = placed.decode_us >= from_us or (placed.is_keyframe and placed.position_us >= from_us)
        if is_near or group_bytes > _WAITING_BYTES:
            break
    return group, is_entry and bool(group)


class Decoder:
    """The codec of a source, and the positions of the pictures that are still inside it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._context = source.stream.codec_context
        self._context.thread_count = 1
        self._context.options = {"max_pixels": str(_MAX_PIXELS)}
        self._inside: dict[int, int] = {}  # stamp -> position_us

    def feed(self, placed: Placed) -> Iterator[Decoded]:
        self._inside[placed.stamp] = placed.position_us
        try:
            decoded = self._context.decode(placed.packet)
        except av.FFmpegError:
            self._source.faults.add(DAMAGED)
            self._inside.pop(placed.stamp, None)
            return
        yield from self._placed(decoded)

    def drain(self) -> Iterator[Decoded]:
        """Give the pictures that the codec still holds at the end."""
        try:
            decoded = self._context.decode(None)
        except av.FFmpegError:
            self._source.faults.add(DAMAGED)
            return
        yield from self._placed(decoded)

    def forget(self) -> None:
        """Make ready for a keyframe that does not follow what was fed."""
        if self._context.is_open:
            self._context.flush_buffers()
        self._inside.clear()

    def _placed(self, decoded: Iterable[av.VideoFrame]) -> Iterator[Decoded]:
        for frame in decoded:
            if not self._inside:
                continue
            # Pictures leave in the order they are shown: without presentation times, the earliest stamp is this one's
            is_stamped = self._source.has_presentation_times and frame.pts in self._inside
            stamp = frame.pts if is_stamped else min(self._inside)
            position_us = self._inside.pop(stamp)
            if is_stamped:
                for lost in [other for other in self._inside if other < stamp]:
                    del self._inside[lost]
            yield Decoded(frame, position_us)
