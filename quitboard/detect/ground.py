"""How things move: positions between sightings, and metres, with a homography or without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quitboard.detect.geometry import Array, as_boxes, ground_points, homography, project
from quitboard.errors import SettingsError
from quitboard.records import Camera, IntArray, Track

BODY_M = 1.7
"""Height of a person where nothing better is known: the yardstick in a picture without ground points."""
WALKING_MPS = 2.0
"""Hardly anyone walks faster, pushing something least of all."""
_FOCAL_WIDTHS = 1.0  # focal length in picture widths: 53° wide, in the middle of what street cameras have
_EDGE_PX = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Turns pixels of a recording into metres on the ground.

    With ground points by their homography. Without, by the person: his height is taken as 1.7 m, which gives the scale
    where he is and, through its change, how fast he comes nearer. Good enough to tell riding from walking, not to
    measure a speed; `measured` says which it is.
    """

    width: int
    height: int
    matrix: Array | None  # picture px -> m
    body_px: tuple[float, float] | None = None  # a person's height in the picture at its row y: slope and offset

    @property
    def measured(self) -> bool:
        return self.matrix is not None

    def path_m(self, at_us: IntArray, wheels_px: ArrayLike, body_px: ArrayLike) -> Array:
        """Return positions in metres, shape (n, 2), in which distances over the path are meaningful.

        Args:
            at_us: instants, shape (n,).
            wheels_px: where something touches the ground, shape (n, 2).
            body_px: how tall a person is in the picture there, shape (n,); unused with a homography.
        """
        points = np.asarray(wheels_px, dtype=np.float64).reshape(-1, 2)
        if self.matrix is not None:
            return project(self.matrix, points)
        body = smoothed(at_us, np.maximum(np.asarray(body_px, dtype=np.float64), 1.0))
        steps = np.diff(points, axis=0, prepend=points[:1])
        scale = BODY_M / body
        nearer = np.diff(_FOCAL_WIDTHS * self.width * scale, prepend=_FOCAL_WIDTHS * self.width * scale[:1])
        # Depth shows twice, in the change of size and (seen from above) in y: the larger one is the less foreshortened.
        down = steps[:, 1] * scale
        away = np.where(np.abs(nearer) > np.abs(down), -nearer, down)
        return np.column_stack([np.cumsum(steps[:, 0] * scale), np.cumsum(away)])

    def flattened(self, points: ArrayLike) -> Array:
        """Return points of the picture as seen straight from above, shape (n, 2), in metres where that is possible.

        Without ground points, from how the height of persons grows towards the lower edge (autocalibration from
        walking people: Lv, Zhao & Nevatia, PAMI 2006, here with a level camera and an assumed focal length). Where
        not even that is known, the picture's own pixels.
        """
        flat = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if self.matrix is not None:
            return project(self.matrix, flat)
        if self.body_px is None:
            return flat
        tall = np.maximum(self.body_px[0] * flat[:, 1] + self.body_px[1], 0.01 * self.height)
        return np.column_stack([(flat[:, 0] - self.width / 2), np.full(len(flat), -_FOCAL_WIDTHS * self.width)]) * (
            BODY_M / tall[:, None]
        )

    def speed_mps(self, at_us: IntArray, path_m: Array) -> Array:
        """Return the speed at each instant from a path of `path_m`, over about a second, shape (n,)."""
        return np.hypot(slope(at_us, path_m[:, 0]), slope(at_us, path_m[:, 1]))


def ground_of(camera: Camera, width: int, height: int, persons: Sequence[Track] = ()) -> Ground:
    """Return the ground of a camera for recordings of the given size; ground points are scaled to it.

    Raises:
        SettingsError: the camera's ground points fix no ground.
    """
    if len(camera.ground_points) < 4:
        return Ground(width=width, height=height, matrix=None, body_px=_body_by_row(persons, width, height))
    x_scale, y_scale = picture_scale(camera, width, height)
    pixels = [(point.x_px * x_scale, point.y_px * y_scale) for point in camera.ground_points]
    metres = [(point.x_m, point.y_m) for point in camera.ground_points]
    try:
        return Ground(width=width, height=height, matrix=homography(pixels, metres))
    except ValueError as error:
        raise SettingsError(
            str(error), where=f"camera {camera.id}", todo="Measure four points that are the corners of a wide area"
        ) from None


def _body_by_row(persons: Sequence[Track], width: int, height: int) -> tuple[float, float] | None:
    """Fit the height of persons by the row of their feet: a line, twice, the second time without those far off it."""
    boxes = np.concatenate([as_boxes(track.xyxy) for track in persons] or [np.empty((0, 4))])
    boxes = boxes[~cut_off(boxes, width, height)]
    if len(boxes) < 20 or np.ptp(boxes[:, 3]) < 0.15 * height:
        return None
    feet, tall = boxes[:, 3], boxes[:, 3] - boxes[:, 1]
    rise, offset = np.polyfit(feet, tall, 1)
    off = np.abs(tall - rise * feet - offset)
    near = off <= 2 * np.median(off) + 1
    rise, offset = np.polyfit(feet[near], tall[near], 1)
    return (float(rise), float(offset)) if rise > 0.03 else None


def picture_scale(camera: Camera, width: int, height: int) -> tuple[float, float]:
    """Return the factors from `camera.resolution`, at which zones were drawn, to a recording's size."""
    if camera.resolution is None:
        return 1.0, 1.0
    return width / camera.resolution[0], height / camera.resolution[1]


def boxes_at(track: Track, at_us: IntArray, longest_gap_us: int) -> Array:
    """Return a track's boxes at given instants, shape (n, 4): its own, or between two of its own; elsewhere NaN.

    Boxes are interpolated linearly over gaps of at most `longest_gap_us` and never carried past the track's ends.
    """
    wanted = np.asarray(at_us, dtype=np.int64)
    after = np.clip(np.searchsorted(track.at_us, wanted), 0, len(track) - 1)
    before = np.where(track.at_us[after] == wanted, after, np.maximum(after - 1, 0))
    gap = track.at_us[after] - track.at_us[before]
    inside = (track.at_us[before] <= wanted) & (wanted <= track.at_us[after]) & (gap <= longest_gap_us)
    share = np.divide(wanted - track.at_us[before], gap, out=np.zeros(len(wanted)), where=gap > 0)[:, None]
    boxes = as_boxes(track.xyxy)
    return np.where(inside[:, None], boxes[before] + share * (boxes[after] - boxes[before]), np.nan)


def wheels(track: Track) -> Array:
    """Return where a track touches the ground, shape (n, 2) px."""
    return ground_points(track.xyxy)


def cut_off(boxes: ArrayLike, width: int, height: int) -> NDArray[np.bool_]:
    """Return which boxes touch the picture's edge, so that their size says nothing, shape (n,)."""
    xyxy = as_boxes(boxes)
    low = (xyxy[:, :2] <= _EDGE_PX).any(axis=1)
    high = (xyxy[:, 2] >= width - _EDGE_PX) | (xyxy[:, 3] >= height - _EDGE_PX)
    return np.asarray(low | high)


def slope(at_us: IntArray, values: ArrayLike, window_us: int = 1_000_000) -> Array:
    """Return the rate of change per second at each instant: a straight line fitted to the window around it."""
    return _fitted(at_us, values, window_us)[1]


def smoothed(at_us: IntArray, values: ArrayLike, window_us: int = 1_600_000) -> Array:
    """Return values with the jitter of single frames taken out: the fitted line's own value at each instant."""
    return _fitted(at_us, values, window_us)[0]


def _fitted(at_us: IntArray, values: ArrayLike, window_us: int) -> tuple[Array, Array]:
    time_s = (np.asarray(at_us, dtype=np.int64) - (at_us[0] if len(at_us) else 0)) / 1e6
    y = np.asarray(values, dtype=np.float64)
    first = np.searchsorted(time_s, time_s - window_us / 2e6)
    last = np.searchsorted(time_s, time_s + window_us / 2e6, side="right")
    value, rate = np.empty(len(y)), np.empty(len(y))
    for n, (low, high) in enumerate(zip(first, last, strict=True)):
        t, part = time_s[low:high], y[low:high]
        centred = t - t.mean()
        spread = (centred**2).sum()
        rate[n] = (centred * part).sum() / spread if spread > 0 else 0.0
        value[n] = part.mean() + rate[n] * (time_s[n] - t.mean())
    return value, rate


def spans_of(at_us: IntArray, chosen: ArrayLike, longest_gap_us: int) -> list[tuple[int, int]]:
    """Return the spans (µs) in which chosen instants follow each other with gaps of at most `longest_gap_us`."""
    times = np.asarray(at_us, dtype=np.int64)[np.asarray(chosen, dtype=bool)]
    if not len(times):
        return []
    breaks = np.flatnonzero(np.diff(times) > longest_gap_us)
    starts, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(times) - 1]])
    return [(int(times[a]), int(times[b])) for a, b in zip(starts, ends, strict=True)]
