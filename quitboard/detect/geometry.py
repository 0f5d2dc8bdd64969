"""Boxes, polygons and the ground plane, as arrays.

Boxes are `xyxy` in pixels, shape (n, 4); points are (n, 2), x right and y down.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def as_boxes(xyxy: ArrayLike) -> Array:
    """Return boxes as float64 of shape (n, 4)."""
    return np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)


def intersection(one: ArrayLike, other: ArrayLike) -> Array:
    """Return the common area of every pair, px², shape (n, m)."""
    a, b = as_boxes(one)[:, None], as_boxes(other)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=-1))


def area(boxes: ArrayLike) -> Array:
    """Return areas, px², shape (n,)."""
    sides = as_boxes(boxes)
    return np.asarray(np.clip(sides[:, 2:] - sides[:, :2], 0, None).prod(axis=-1))


def iou(one: ArrayLike, other: ArrayLike) -> Array:
    """Return intersection over union of every pair, shape (n, m); 0 where both are empty."""
    common = intersection(one, other)
    union = area(one)[:, None] + area(other)[None] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def buffered(boxes: ArrayLike, share: float) -> Array:
    """Return boxes grown on every side by `share` of their longer side."""
    grown = as_boxes(boxes).copy()
    margin = share * (grown[:, 2:] - grown[:, :2]).max(axis=1, keepdims=True)
    grown[:, :2] -= margin
    grown[:, 2:] += margin
    return grown


def ground_points(boxes: ArrayLike) -> Array:
    """Return the bottom centres, where wheels or feet touch the ground, shape (n, 2)."""
    xyxy = as_boxes(boxes)
    return np.column_stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]])


def signed_distance(polygon: Sequence[tuple[float, float]], points: ArrayLike) -> Array:
    """Return each point's distance to the polygon's edge, positive inside, shape (n,).

    Inside is by the even-odd rule, so a polygon may be concave and turn either way.
    """
    corners = np.asarray(polygon, dtype=np.float64)
    p = np.asarray(points, dtype=np.float64).reshape(-1, 1, 2)
    start, end = corners[None], np.roll(corners, -1, axis=0)[None]
    edge = end - start
    length2 = np.maximum((edge**2).sum(axis=-1), 1e-12)
    along = np.clip(((p - start) * edge).sum(axis=-1) / length2, 0, 1)
    distance = np.sqrt((((start + along[..., None] * edge) - p) ** 2).sum(axis=-1)).min(axis=1)
    straddles = (start[..., 1] > p[..., 1]) != (end[..., 1] > p[..., 1])
    rise = np.where(straddles, edge[..., 1], 1.0)
    crossing_x = start[..., 0] + (p[..., 1] - start[..., 1]) / rise * edge[..., 0]
    inside = (straddles & (p[..., 0] < crossing_x)).sum(axis=1) % 2 == 1
    return np.asarray(np.where(inside, distance, -distance))


def principal_axes(polygon: ArrayLike) -> tuple[Array, float, float]:
    """Return a polygon's long direction (unit vector) and its extents along and across it."""
    corners = np.asarray(polygon, dtype=np.float64)
    # Corners alone would let a side with many of them pull the axis: spread points evenly over the outline.
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    counts = np.ceil(200 * lengths / max(lengths.sum(), 1e-12)).astype(int)
    outline = np.concatenate(
        [
            corner + side * (np.arange(count) / max(count, 1))[:, None]
            for corner, side, count in zip(corners, sides, counts, strict=True)
        ]
    )
    centred = outline - outline.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    long, short = vectors[:, 1], vectors[:, 0]
    return np.asarray(long), float(np.ptp(centred @ long)), float(np.ptp(centred @ short))


def homography(from_px: ArrayLike, to_m: ArrayLike) -> Array:
    """Return the 3×3 matrix that takes picture points to ground points, from four or more pairs.

    The normalised direct linear transform (Hartley & Zisserman, Multiple View Geometry, 2nd ed., algorithm 4.2).

    Raises:
        ValueError: fewer than four pairs, or three of four lie on one line.
    """
    source, target = (np.asarray(points, dtype=np.float64).reshape(-1, 2) for points in (from_px, to_m))
    if len(source) < 4 or len(source) != len(target):
        raise ValueError("a homography needs four or more pairs of points")
    (a, source_scale), (b, target_scale) = _normalised(source), _normalised(target)
    zeros, ones = np.zeros((len(a), 3)), np.column_stack([a, np.ones(len(a))])
    rows = np.concatenate(
        [
            np.hstack([ones, zeros, -b[:, :1] * ones]),
            np.hstack([zeros, ones, -b[:, 1:] * ones]),
        ]
    )
    _, singular, vectors = np.linalg.svd(rows)
    if singular[7] < 1e-9 * singular[0]:
        raise ValueError("the ground points lie on one line")
    matrix = np.linalg.inv(target_scale) @ vectors[-1].reshape(3, 3) @ source_scale
    if abs(np.linalg.det(matrix)) < 1e-12 * np.abs(matrix).max() ** 3:
        raise ValueError("the ground points lie on one line")
    return np.asarray(matrix / matrix[2, 2] if abs(matrix[2, 2]) > 1e-12 else matrix)


def project(matrix: Array, points: ArrayLike) -> Array:
    """Return points (n, 2) taken through a homography; on or beyond the horizon they are NaN."""
    flat = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    x, y, w = (np.column_stack([flat, np.ones(len(flat))]) @ matrix.T).T
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.column_stack([x / w, y / w])
    return np.where(np.abs(w)[:, None] > 1e-12, ground, np.nan)


def _normalised(points: Array) -> tuple[Array, Array]:
    """Move the centroid to the origin and the mean distance to √2: the conditioning that the DLT needs."""
    centre = points.mean(axis=0)
    spread = np.linalg.norm(points - centre, axis=1).mean()
    scale = np.sqrt(2) / max(spread, 1e-12)
    matrix = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])
    return (points - centre) * scale, matrix
