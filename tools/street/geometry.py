"""Meshes made of a few primitives. Metres; x along the street, y to the left, z up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray
Color = tuple[float, float, float]


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth normals. ``material`` is (u, v, texture layer or -1, gloss 0..1) for each vertex."""

    positions: Array  # (n, 3)
    normals: Array  # (n, 3)
    colors: Array  # (n, 3), sRGB 0..1
    material: Array  # (n, 4)
    triangles: Array  # (m, 3)

    def moved(self, matrix: Array) -> Mesh:
        normals = self.normals @ np.linalg.inv(matrix[:3, :3])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return replace(self, positions=apply(matrix, self.positions), normals=normals)

    def glossy(self, gloss: float) -> Mesh:
        material = self.material.copy()
        material[:, 3] = gloss
        return replace(self, material=material)


def merge(meshes: Sequence[Mesh]) -> Mesh:
    starts = np.cumsum([0, *[len(m.positions) for m in meshes]])
    return Mesh(
        np.concatenate([m.positions for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.colors for m in meshes]),
        np.concatenate([m.material for m in meshes]),
        np.concatenate([m.triangles + s for m, s in zip(meshes, starts, strict=False)]),
    )


def apply(matrix: Array, points: Array) -> Array:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def translation(x: float = 0, y: float = 0, z: float = 0) -> Array:
    m = np.eye(4)
    m[:3, 3] = x, y, z
    return m


def scaling(x: float, y: float | None = None, z: float | None = None) -> Array:
    return np.diag([x, x if y is None else y, x if z is None else z, 1.0])


def rotation(axis: str, angle: float) -> Array:
    """4x4 rotation by ``angle`` radians about ``axis`` (right hand)."""
    c, s = np.cos(angle), np.sin(angle)
    m = np.eye(4)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    m[i, i] = m[j, j] = c
    m[i, j], m[j, i] = -s, s
    return m


def placed(x: float, y: float, z: float, heading: float) -> Array:
    return translation(x, y, z) @ rotation("z", heading)


def smooth_normals(positions: Array, triangles: Array) -> Array:
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.empty_like(positions)
    for axis in range(3):
        total = np.zeros(len(positions))
        for k in range(3):
            total += np.bincount(triangles[:, k], face[:, axis], len(positions))
        out[:, axis] = total
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def mesh(
    positions: Array, triangles: Array, color: Color | Array, gloss: float = 0.1, normals: Array | None = None
) -> Mesh:
    positions = np.asarray(positions, float)
    triangles = np.asarray(triangles)
    material = np.zeros((len(positions), 4))
    material[:, 2], material[:, 3] = -1, gloss
    if normals is None:
        normals = smooth_normals(positions, triangles)
    return Mesh(
        positions, normals, np.broadcast_to(np.asarray(color, float), positions.shape).copy(), material, triangles
    )


def flat_colors(shape: Mesh) -> Mesh:
    """A loft (without caps) whose cells have one colour each, normals still smooth: sharp edges of paint and glass."""
    index = shape.triangles.reshape(-1)
    cells = len(shape.triangles) // 2  # a loft lists the first halves of its cells, then the second halves
    first = shape.triangles[:cells]
    corners = shape.colors[np.concatenate([first, shape.triangles[cells : 2 * cells, 2:]], 1)]
    order = np.argsort(corners.sum(2), axis=1)[:, 2]
    cell = corners[np.arange(cells), order]
    rest = shape.colors[shape.triangles[2 * cells :, 0]]
    color = np.repeat(np.concatenate([cell, cell, rest]), 3, 0)
    return Mesh(
        shape.positions[index], shape.normals[index], color, shape.material[index], np.arange(len(index)).reshape(-1, 3)
    )


def loft(rings: Array, color: Color | Array, gloss: float = 0.1, caps: bool = True) -> Mesh:
    """Skin over ``rings`` (k, n, 3), each closed, counter-clockwise seen from the direction of travel."""
    rings = np.asarray(rings, float)
    k, n, _ = rings.shape
    i, j = np.meshgrid(np.arange(k - 1), np.arange(n), indexing="ij")
    a, b = i * n + j, i * n + (j + 1) % n
    quads = np.stack([a, b, b + n, a + n], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    points = rings.reshape(-1, 3)
    shade = np.broadcast_to(np.asarray(color, float), (k, n, 3)).reshape(-1, 3) if np.ndim(color) != 2 else color
    body = mesh(points, triangles, shade, gloss)
    if not caps:
        return body
    parts = [body]
    for index, turn in ((0, True), (k - 1, False)):
        ring = rings[index]
        hub = np.concatenate([ring, ring.mean(0, keepdims=True)])
        order = np.stack([np.arange(n), (np.arange(n) + 1) % n, np.full(n, n)], -1)
        parts.append(mesh(hub, order[:, ::-1] if turn else order, shade[index * n], gloss))
    return merge(parts)


def tube(
    path: Sequence[Sequence[float]], radius: float | Sequence[float], color: Color, gloss: float = 0.2, sides: int = 8
) -> Mesh:
    """A round bar along ``path`` (k, 3); ``radius`` one number or one a point."""
    p = np.asarray(path, float)
    r = np.broadcast_to(np.asarray(radius, float), len(p))
    t = np.gradient(p, axis=0)
    t /= np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 1e-9)
    side = np.array([0.0, 0, 1]) if abs(t[0, 2]) < 0.8 else np.array([1.0, 0, 0])
    u = np.cross(side, t)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    v = np.cross(t, u)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(angle)[None, :, None] * u[:, None] + np.sin(angle)[None, :, None] * v[:, None]
    return loft(p[:, None] + r[:, None, None] * ring, color, gloss)


def ellipsoid(
    center: Sequence[float], radii: Sequence[float], color: Color, gloss: float = 0.1, rows: int = 8, sides: int = 12,
    low: float = -0.5, high: float = 0.5,
) -> Mesh:  # fmt: skip
    """Latitudes from ``low`` to ``high`` (in units of pi): half of one makes a cap."""
    lat = np.linspace(low, high, rows + 1) * np.pi
    lon = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    x = np.cos(lat)[:, None] * np.cos(lon)
    y = np.cos(lat)[:, None] * np.sin(lon)
    z = np.broadcast_to(np.sin(lat)[:, None], x.shape)
    points = np.stack([x, y, z], -1)
    shape = loft(points * np.asarray(radii, float) + np.asarray(center, float), color, gloss, caps=False)
    normals = points.reshape(-1, 3) / np.asarray(radii, float)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return replace(shape, normals=normals)


def wheel(radius: float, width: float, rim: Color, tyre: Color = (0.06, 0.06, 0.065), spokes: int = 0) -> Mesh:
    """A wheel about the y axis, its hub at the origin; ``spokes`` 0 makes a solid disc."""
    lon = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    lat = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    small = width / 2
    ring = radius - small
    points = np.stack(
        [
            (ring + small * np.cos(lat)[None]) * np.cos(lon)[:, None],
            np.broadcast_to(small * np.sin(lat)[None], (24, 8)),
            (ring + small * np.cos(lat)[None]) * np.sin(lon)[:, None],
        ],
        -1,
    )
    parts = [loft(np.concatenate([points, points[:1]]), tyre, 0.15, caps=False)]
    if spokes:
        parts.append(tube([[0, -0.03, 0], [0, 0.03, 0]], 0.025, rim, 0.5, 6))
        for k in range(spokes):
            a = 2 * np.pi * k / spokes
            tip = [ring * np.cos(a), 0, ring * np.sin(a)]
            parts.append(tube([[0, 0.02 * (-1) ** k, 0], tip], 0.0025, (0.6, 0.6, 0.62), 0.5, 3))
    else:
        parts.append(tube([[0, -width * 0.35, 0], [0, width * 0.35, 0]], ring, rim, 0.5, 16))
    return merge(parts)


def box(size: Sequence[float], center: Sequence[float], color: Color, gloss: float = 0.1) -> Mesh:
    """A box with flat faces."""
    sx, sy, sz = (0.5 * s for s in size)
    points, normals, triangles = [], [], []
    for axis in range(3):
        for sign in (-1, 1):
            n = np.zeros(3)
            n[axis] = sign
            u = np.roll(np.array([1.0, 0, 0]), (axis + 1) % 3)
            v = np.cross(n, u)
            start = len(points)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                points.append((n + a * u + b * v) * [sx, sy, sz] + np.asarray(center, float))
                normals.append(n)
            triangles += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
    return mesh(np.array(points), np.array(triangles), color, gloss, np.array(normals))


def rounded(
    size: Sequence[float], center: Sequence[float], color: Color, gloss: float = 0.2, power: float = 5.0
) -> Mesh:
    """A soft box: a superellipsoid."""
    lat = np.linspace(-0.5, 0.5, 13) * np.pi
    lon = np.linspace(0, 2 * np.pi, 20, endpoint=False)

    def root(x: Array) -> Array:
        return np.sign(x) * np.abs(x) ** (2 / power)

    x = root(np.cos(lat))[:, None] * root(np.cos(lon))
    y = root(np.cos(lat))[:, None] * root(np.sin(lon))
    z = np.broadcast_to(root(np.sin(lat))[:, None], x.shape)
    points = np.stack([x, y, z], -1) * np.asarray(size, float) / 2 + np.asarray(center, float)
    return loft(points, color, gloss, caps=False)


def quad(
    corners: Sequence[Sequence[float]],
    uv: Sequence[Sequence[float]],
    layer: int,
    color: Color = (1, 1, 1),
    gloss: float = 0.05,
) -> Mesh:
    """A flat textured rectangle; ``corners`` counter-clockwise seen from its front."""
    out = mesh(np.asarray(corners, float), np.array([[0, 1, 2], [0, 2, 3]]), color, gloss)
    out.material[:, :2] = uv
    out.material[:, 2] = layer
    return out
