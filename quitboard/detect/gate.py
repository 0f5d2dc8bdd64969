"""Looking only where something happens: which stretches of a recording the model must see.

Cheapest first, in one pass over the file and, where needed, a second over parts of it:

1. *Packets.* Without decoding, the sizes of pictures that are coded as differences tell how much moved. Noise is coded
   too: only where an object of the least size that matters would stand out from this recording's own noise are the
   sizes trusted to say "nothing".
2. *Keyframes*, small and grey: what differs from the background and from its neighbours in time moved. What stands
   still, the picture of the clock and slow changes of light do not count.
3. *Low rate.* Between keyframes far apart, where the packets say "something" or cannot be trusted, two small pictures
   a second are decoded and judged as keyframes are.

Doubt means looking: a group of pictures that none of the three can judge is looked at in full.
"""

from __future__ import annotations

import bisect
import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quitboard.detect import video
from quitboard.detect.motion import WIDTH_PX, Ground, interest_of, learn, moving
from quitboard.detect.spans import union
from quitboard.detect.video import Frame, Packets
from quitboard.records import Camera, IntArray, ZoneKind

BLIND_US = 2_200_000
"""A rider is in view for at least about this long: pictures no further apart than this cannot both miss one."""

_KEYFRAME_EVERY_US = 900_000
_LOW_RATE_US = 500_000
_LEAD_US = 1_000_000
_BLOCK = 128  # pictures that share a background: about four minutes of keyframes
_GLIMPSE_EVERY_US, _GLIMPSE_US = 15_000_000, 250_000  # at least one sample at five a second
_WINDOW_US = 500_000  # over which packet sizes are averaged
_LEAST_AREA = 0.003  # of the picture: a person some 60 px high at 720p
_MOTION_COST = 0.3  # bytes that a moving area takes in each picture, against what it takes in a keyframe
_SURE = 4.0  # standard deviations
_MIN_QUIET_GROUPS = 5
_BUSY = 0.5  # of the groups: then judging more closely would save nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch [from, to) of a recording, in positions."""

    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one stage of the gate took."""

    name: str
    spent_s: float
    judged_us: int  # footage that it spoke about


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """Where to look in full, and what it took to find out."""

    spans: tuple[Span, ...]  # increasing, apart from each other
    watched_s: float  # footage that the gate has seen in one way or another
    read_s: float
    faults: tuple[str, ...]
    are_packets_trusted: bool
    stages: tuple[Stage, ...]


def active_spans(path: Path, camera: Camera, *, sensitivity: float = 0.5) -> GateResult:
    """Return where something that matters may be moving.

    Args:
        sensitivity: 0 to 1; 0.5 is the usual one, 1 halves every threshold, 0 doubles it.

    Raises:
        RecordingError: the recording cannot be opened.
    """
    began = time.perf_counter()
    watch = _Watch(camera, sensitivity)
    with video.keyframes(path, every_us=_KEYFRAME_EVERY_US, grey_width_px=WIDTH_PX) as reader:
        watch.learn_from(reader)
    packets, faults = reader.packets(), set(reader.faults)
    end_us = int(packets.position_us.max(initial=-1)) + 1
    keyframes_done = time.perf_counter()

    edges_us = np.unique(np.array([0, *watch.flags, end_us], np.int64))
    is_awake = np.array(
        [watch.flags.get(a, True) or watch.flags.get(b, b < end_us) for a, b in itertools.pairwise(edges_us.tolist())]
    )
    is_suspicious, are_trusted = suspicious_groups(packets, edges_us, ~is_awake, sensitivity=sensitivity)
    is_blind = np.diff(edges_us) > BLIND_US
    ask = ~is_awake & (is_suspicious | (is_blind & (not are_trusted)))
    if is_awake.mean() < _BUSY:  # a long group with motion at its end is judged closely before all of it is looked at
        ask |= is_awake & is_blind
    asked = [(int(edges_us[i]), int(edges_us[i + 1])) for i in np.flatnonzero(ask)]
    if not watch.has_learnt:  # too few keyframes to know the background by
        watch.flags.clear()
        asked = [(0, end_us)]
    packets_done = time.perf_counter()

    if asked:
        with video.frames(path, spans=asked, every_us=_LOW_RATE_US, grey_width_px=WIDTH_PX) as low:
            watch.judge_more(low)
        faults.update(low.faults)
    spans = spans_of(watch.flags, end_us)
    if any(zone.kind is ZoneKind.NO_PARKING for zone in camera.zones):
        spans = with_glimpses(spans, packets.position_us[packets.is_keyframe], end_us)
    done = time.perf_counter()
    return GateResult(
        spans=spans,
        watched_s=packets.read_s,
        read_s=packets.read_s,
        faults=tuple(sorted(faults)),
        are_packets_trusted=are_trusted,
        stages=(
            Stage(name="keyframes", spent_s=keyframes_done - began, judged_us=end_us),
            Stage(name="packets", spent_s=packets_done - keyframes_done, judged_us=end_us),
            Stage(name="low rate", spent_s=done - packets_done, judged_us=sum(b - a for a, b in asked)),
        ),
    )


def suspicious_groups(
    packets: Packets, edges_us: IntArray, is_quiet: NDArray[np.bool_], *, sensitivity: float
) -> tuple[NDArray[np.bool_], bool]:
    """Return for each group of pictures between two edges whether its packets are larger than when nothing happens.

    Args:
        edges_us: positions of the keyframes looked at, with the recording's begin and end: n + 1 for n groups.
        is_quiet: (n,) groups whose keyframes show no motion: what "nothing happens" is learnt from.

    Returns (n,) flags, and whether a group without one is sure to hold nothing. It is not where there are too few quiet
    groups, nothing but keyframes, or noise in which an object of the least size that matters would be lost.
    """
    nothing = np.zeros(len(is_quiet), np.bool_)
    if is_quiet.sum() < _MIN_QUIET_GROUPS or packets.is_keyframe.all():
        return nothing, False
    number = np.arange(len(packets))
    place = number - np.maximum.accumulate(np.where(packets.is_keyframe, number, 0))  # in its group, as decoded
    group = np.clip(np.searchsorted(edges_us, packets.position_us, side="right") - 1, 0, len(is_quiet) - 1)
    size = packets.size.astype(np.float64)
    quiet = is_quiet[group] & ~packets.is_keyframe
    if not quiet.any():
        return nothing, False
    usual = np.full(place.max() + 1, np.median(size[quiet]))
    for one in np.unique(place[quiet]):
        sizes = size[quiet & (place == one)]
        if len(sizes) >= _MIN_QUIET_GROUPS:
            usual[one] = np.median(sizes)
    excess = np.where(packets.is_keyframe, 0.0, size - usual[place])
    frame_us = max(1.0, float(np.median(np.diff(np.sort(packets.position_us)))))
    window = max(1, round(_WINDOW_US / frame_us))
    level = np.convolve(excess, np.full(window, 1 / window), "same")
    noise = 1.4826 * float(np.median(np.abs(level[quiet] - np.median(level[quiet]))))
    signal = _MOTION_COST * _LEAST_AREA * float(np.median(size[packets.is_keyframe]))
    are_trusted = signal >= 2 * _SURE * noise
    threshold = (signal / 2 if are_trusted else 2 * _SURE * noise) * 2.0 ** (1 - 2 * sensitivity)
    highest = np.zeros(len(is_quiet))
    np.maximum.at(highest, group, level)
    return np.asarray(highest > threshold), are_trusted


def spans_of(flags: Mapping[int, bool], end_us: int) -> tuple[Span, ...]:
    """Return what to look at in full: around each picture with motion, to the pictures beside it or a second at least.

    Args:
        flags: position -> whether that picture shows motion. What lies before the first picture is looked at.
    """
    positions = sorted(flags)
    wanted = [(0, positions[0] if positions else end_us)]
    for i, position_us in enumerate(positions):
        if flags[position_us]:
            before_us = positions[i - 1] if i else 0
            after_us = positions[i + 1] if i + 1 < len(positions) else end_us
            wanted.append((min(before_us, position_us - _LEAD_US), max(after_us, position_us + _LEAD_US)))
    clipped = [(max(0, from_us), min(end_us, to_us)) for from_us, to_us in wanted]
    return tuple(Span(from_us=from_us, to_us=to_us) for from_us, to_us in union(clipped))


def with_glimpses(spans: Sequence[Span], keyframes_us: IntArray, end_us: int) -> tuple[Span, ...]:
    """Add a glimpse at a keyframe wherever nothing was to be looked at for long: who is parked does not move."""
    wanted = [(span.from_us, span.to_us) for span in spans]
    looked_us = -_GLIMPSE_EVERY_US
    upcoming = sorted(wanted, reverse=True)
    for keyframe_us in sorted(keyframes_us.tolist()):
        while upcoming and upcoming[-1][0] <= keyframe_us:
            looked_us = max(looked_us, upcoming.pop()[1])
        if keyframe_us - looked_us >= _GLIMPSE_EVERY_US:
            looked_us = min(end_us, keyframe_us + _GLIMPSE_US)
            wanted.append((keyframe_us, looked_us))
    return tuple(Span(from_us=from_us, to_us=to_us) for from_us, to_us in union(wanted))


class _Watch:
    """Judges small pictures as they come, holding a few minutes of them."""

    def __init__(self, camera: Camera, sensitivity: float) -> None:
        self._camera = camera
        self._sensitivity = sensitivity
        self._grounds: list[tuple[int, Ground]] = []  # from which position on each one holds
        self.flags: dict[int, bool] = {}

    @property
    def has_learnt(self) -> bool:
        return bool(self._grounds)

    def learn_from(self, frames: Iterable[Frame]) -> None:
        """Judge a sequence by the backgrounds that it shows itself."""
        held: list[Frame] = []
        done = 0  # of those held, already judged and kept as neighbours
        for frame in frames:
            held.append(frame)
            if len(held) == 2 * _BLOCK:
                self._judge_block(held[: _BLOCK + 1], done, _BLOCK)
                held, done = held[_BLOCK - 1 :], 1
        self._judge_block(held, done, len(held))

    def judge_more(self, frames: Iterable[Frame]) -> None:
        """Judge stretches of a sequence by the backgrounds learnt before; by their own where there are none."""
        if not self._grounds:
            self.learn_from(frames)
            return
        stretch: list[Frame] = []
        for frame in frames:
            if stretch and (
                frame.position_us - stretch[-1].position_us > 2 * _LOW_RATE_US or len(stretch) == 2 * _BLOCK
            ):
                self._judge_stretch(stretch)
                stretch = stretch[-1:] if len(stretch) == 2 * _BLOCK else []
            stretch.append(frame)
        self._judge_stretch(stretch)

    def _judge_block(self, held: Sequence[Frame], begin: int, end: int) -> None:
        if not held:
            return
        pictures = [frame.picture for frame in held]
        height, width = pictures[0].shape[:2]
        ground = learn(
            np.array([frame.position_us for frame in held], np.int64),
            pictures,
            interest_of(self._camera, width, height),
            sensitivity=self._sensitivity,
        )
        if ground is not None:
            self._grounds.append((held[begin].position_us, ground))
        is_moving = moving(ground, pictures)
        self.flags.update({held[i].position_us: bool(is_moving[i]) for i in range(begin, end)})

    def _judge_stretch(self, stretch: Sequence[Frame]) -> None:
        if not stretch:
            return
        index = bisect.bisect_right([from_us for from_us, _ground in self._grounds], stretch[0].position_us)
        ground = self._grounds[max(0, index - 1)][1]
        for frame, is_moving in zip(stretch, moving(ground, [frame.picture for frame in stretch]), strict=True):
            self.flags[frame.position_us] = bool(is_moving)
