"""The still street: road, kerbs, house fronts, trees, posts and what stands about on a sidewalk."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.street import surfaces
from tools.street.geometry import Array, Color, Mesh, box, ellipsoid, loft, merge, mesh, quad, rounded, tube
from tools.street.render import Thing

KERB_M = 0.13
SHOPS, FRONTS = 8, 8


@dataclass(frozen=True)
class Street:
    plan: surfaces.Plan
    things: list[Thing]
    ground: Array
    facades: Array
    grain: Array
    trees: list[tuple[float, float, float]] = field(default_factory=list)  # x, y and height
    lamps: list[tuple[float, float, float]] = field(default_factory=list)  # heads of lamp posts


def floor_z(plan: surfaces.Plan, x: float, y: float) -> float:
    """Height of the floor: the sidewalks are a kerb higher than the road."""
    return KERB_M if plan.raised(x, y) else 0.0


def slab(x0: float, y0: float, x1: float, y1: float, z: float, layer: int = -2, color: Color = (1, 1, 1)) -> Mesh:
    return quad([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], [[0, 0]] * 4, layer, color)


def tree(rng: np.random.Generator, height: float = 6.0) -> Mesh:
    """A street tree: a trunk, boughs and a crown of leaf clumps."""
    trunk_h = height * rng.uniform(0.32, 0.42)
    bark = (0.30, 0.25, 0.20)
    lean = rng.normal(0, 0.1, 2)
    parts = [
        tube(
            [[0, 0, 0], [lean[0] * 0.5, lean[1] * 0.5, trunk_h * 0.6], [lean[0], lean[1], trunk_h * 1.4]],
            [0.15, 0.11, 0.07],
            bark,
            0.02,
            8,
        )
    ]
    crown = np.array([lean[0], lean[1], trunk_h + (height - trunk_h) * 0.48])
    reach = np.array([1, 1, 1.05]) * (height - trunk_h) * rng.uniform(0.42, 0.52)
    for _ in range(5):
        tip = crown + rng.normal(0, 0.4, 3) * reach
        parts.append(tube([[lean[0] * 0.7, lean[1] * 0.7, trunk_h], tip], [0.06, 0.02], bark, 0.02, 5))
    n = int(rng.integers(520, 760))
    d = rng.normal(0, 1, (n, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    lumps = rng.normal(0, 1, (9, 3))
    bump = np.exp(-((d[:, None] - lumps / np.linalg.norm(lumps, axis=1, keepdims=True)) ** 2).sum(-1) * 3).max(1)
    r = (0.55 + 0.45 * rng.random(n) ** 0.4) * (0.72 + 0.38 * bump)
    center = crown + d * r[:, None] * reach
    size = rng.uniform(0.16, 0.34, n)[:, None]
    u = rng.normal(0, 1, (n, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(u, d + 0.5 * rng.normal(0, 1, (n, 3)))
    v /= np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-6)
    points = np.stack(
        [
            center + size * u,
            center - size * 0.6 * u + size * v,
            center - size * 0.5 * u - size * v,
            center + size * 0.2 * u - size * 1.1 * v,
        ],
        1,
    )
    index = np.arange(n)[:, None] * 4
    triangles = np.concatenate([index + [0, 1, 2], index + [0, 2, 3]])
    green = np.array([[0.20, 0.34, 0.12], [0.26, 0.40, 0.16], [0.30, 0.36, 0.14], [0.36, 0.34, 0.12]])[rng.integers(4)]
    tone = (
        (0.45 + 0.75 * np.clip((center - crown)[:, 2] / reach[2] * 0.5 + 0.5, 0, 1))
        * rng.uniform(0.75, 1.2, n)
        * (0.5 + 0.5 * r)
    )
    colors = np.repeat(np.clip(green * tone[:, None], 0, 1), 4, 0)
    normals = np.repeat(d * 0.8 + [0, 0, 0.4], 4, 0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    parts.append(mesh(points.reshape(-1, 3), triangles, colors, 0.05, normals))
    return merge(parts)


def shrub(rng: np.random.Generator, length: float) -> Mesh:
    parts = [box((length, 0.7, 0.35), (0, 0, 0.17), (0.45, 0.44, 0.42))]
    for _ in range(int(length * 5)):
        g = rng.uniform(0.7, 1.2) * np.array([0.16, 0.26, 0.10])
        parts.append(
            ellipsoid(
                (rng.uniform(-length / 2, length / 2), rng.uniform(-0.25, 0.25), rng.uniform(0.35, 0.65)),
                tuple(rng.uniform(0.15, 0.3, 3)),
                tuple(g),
                0.03,
                4,
                7,
            )
        )
    return merge(parts)


def lamp_post(height: float = 6.5) -> Mesh:
    grey = (0.42, 0.43, 0.44)
    return merge(
        [
            tube([[0, 0, 0], [0, 0, height * 0.5], [0, 0, height]], [0.09, 0.07, 0.05], grey, 0.4, 8),
            tube([[0, 0, 0], [0, 0, 0.4]], 0.14, grey, 0.3, 8),
            tube([[0, 0, height - 0.1], [0.5, 0, height + 0.15], [1.3, 0, height + 0.2]], 0.04, grey, 0.4, 6),
            rounded((0.6, 0.22, 0.12), (1.35, 0, height + 0.2), (0.6, 0.6, 0.6), 2.5, 4),
        ]
    )


def bollard() -> Mesh:
    return merge(
        [
            tube([[0, 0, 0], [0, 0, 0.8]], 0.07, (0.35, 0.35, 0.36), 0.3, 10),
            tube([[0, 0, 0.66], [0, 0, 0.74]], 0.073, (0.85, 0.8, 0.2), 0.3, 10),
        ]
    )


def road_sign(rng: np.random.Generator) -> Mesh:
    color = [(0.75, 0.10, 0.10), (0.10, 0.25, 0.65), (0.85, 0.75, 0.15)][rng.integers(3)]
    return merge(
        [
            tube([[0, 0, 0], [0, 0, 2.7]], 0.03, (0.6, 0.6, 0.6), 0.4, 6),
            tube([[0.03, 0, 2.45], [0.05, 0, 2.45]], 0.30, color, 0.3, 16),
            tube([[0.05, 0, 2.45], [0.055, 0, 2.45]], 0.22, (0.92, 0.92, 0.92), 0.3, 16),
        ]
    )


def bench() -> Mesh:
    wood = (0.46, 0.33, 0.22)
    parts = [box((1.6, 0.11, 0.04), (0, y, 0.44), wood) for y in (-0.18, -0.05, 0.08)]
    parts += [box((0.06, 0.4, 0.44), (x, -0.05, 0.22), (0.2, 0.2, 0.2)) for x in (-0.65, 0.65)]
    return merge(parts)


def bin_(rng: np.random.Generator) -> Mesh:
    c = [(0.25, 0.4, 0.3), (0.45, 0.46, 0.47), (0.2, 0.25, 0.4)][rng.integers(3)]
    return merge(
        [
            tube([[0, 0, 0], [0, 0, 0.9]], 0.26, c, 0.2, 14),
            tube([[0, 0, 0.9], [0, 0, 0.95]], 0.28, (0.2, 0.2, 0.2), 0.3, 14),
        ]
    )


def sandwich_board(rng: np.random.Generator) -> Mesh:
    c = tuple(rng.uniform(0.2, 0.95, 3))
    return merge(
        [
            box((0.03, 0.55, 0.95), (0.12, 0, 0.5), c),
            box((0.03, 0.55, 0.95), (-0.12, 0, 0.5), c),
            box((0.032, 0.4, 0.2), (0.13, 0, 0.75), (0.95, 0.95, 0.9)),
        ]
    )


def boxes(rng: np.random.Generator) -> Mesh:
    out, z = [], 0.0
    for _ in range(rng.integers(1, 4)):
        s = rng.uniform(0.3, 0.5, 3)
        out.append(box(tuple(s), (rng.uniform(-0.05, 0.05), 0, z + s[2] / 2), (0.60, 0.46, 0.30)))
        z += s[2]
    return merge(out)


def houses(
    rng: np.random.Generator,
    plan: surfaces.Plan,
    side: int,
    gates: list[tuple[float, float]],
    roads: Sequence[tuple[float, float]] = (),
) -> list[Mesh]:
    """A row of houses along one side (+1 left, -1 right), open at ``gates`` and where ``roads`` leave."""
    gaps = [*gates, *roads]
    y = side * (plan.road_half + (plan.walk_left if side > 0 else plan.walk_right))
    out = []
    x = plan.x0 - 22.0
    while x < plan.x1 + 22.0:
        width = rng.uniform(7, 15)
        gap = next((g for g in gaps if x < g[1] and x + width > g[0]), None)
        if gap is not None and gap[0] - x < 2.0:
            x = gap[1]
            continue
        if gap is not None:
            width = gap[0] - x
        out += _house(rng, x, x + width, y, side, rng.uniform(4.0, 16.0))
        x += width + (rng.uniform(1.0, 3.5) if rng.random() < 0.25 else 0.0)
    for a, b in gates:  # what one sees through a gate: a yard's back wall
        out.append(box((b - a + 4, 0.2, 3.0), ((a + b) / 2, y + side * 7.5, 1.5), (0.55, 0.5, 0.46)))
        for edge in (a + 0.2, b - 0.2):
            out.append(box((0.4, 0.4, 2.2), (edge, y + side * 0.15, 1.1 + KERB_M), (0.42, 0.36, 0.32)))
    return out


def _paint(rng: np.random.Generator) -> Color:
    """A sign's or awning's colour: bleached by the sun."""
    color = rng.uniform(0.15, 0.85, 3)
    grey = color.mean()
    return tuple(grey + (color - grey) * rng.uniform(0.35, 0.75))  # type: ignore[return-value]


def _house(rng: np.random.Generator, a: float, b: float, y: float, side: int, height: float) -> list[Mesh]:
    out: list[Mesh] = []
    shop_h = rng.uniform(3.4, 4.3)
    z0 = KERB_M
    u = (b - a) / 12.0
    depth = 10.0
    u0 = rng.random()

    def wall(z_low: float, z_high: float, layer: int, vv: float, yy: float) -> Mesh:
        corners = [[a, yy, z_low], [b, yy, z_low], [b, yy, z_high], [a, yy, z_high]]
        uv = [[u0, 0], [u0 + u, 0], [u0 + u, vv], [u0, vv]]
        if side > 0:
            corners, uv = [corners[i] for i in (0, 1, 2, 3)], uv
        else:
            corners, uv = [corners[i] for i in (1, 0, 3, 2)], [uv[i] for i in (1, 0, 3, 2)]
        return quad(corners, uv, layer)

    out.append(wall(z0, z0 + shop_h, int(rng.integers(SHOPS)), 1.0, y))
    total = max(height, shop_h + 0.4)
    if total > shop_h + 1:
        out.append(wall(z0 + shop_h, z0 + total, SHOPS + int(rng.integers(FRONTS)), (total - shop_h) / 12.0, y))
    tone = rng.uniform(0.3, 0.7)
    grey = (tone, tone * 0.97, tone * 0.93)
    cx, cy = (a + b) / 2, y + side * (depth / 2 + 0.02)
    out.append(box((b - a - 0.02, depth, total), (cx, cy, z0 + total / 2), grey))
    out.append(box((b - a + 0.2, 0.5, 0.25), (cx, y - side * 0.05, z0 + total + 0.1), tuple(0.8 * c for c in grey)))
    if rng.random() < 0.6:  # an awning
        color = _paint(rng)
        z = z0 + shop_h * 0.74
        w0, w1 = a + 0.4, b - 0.4
        rings = np.array(
            [
                [[x, y, z], [x, y - side * 1.1, z - 0.35], [x, y - side * 1.1, z - 0.5], [x, y, z - 0.06]]
                for x in (w0, w1)
            ]
        )
        out.append(loft(rings, color, 0.05))
    if rng.random() < 0.7:
        out.append(
            box(
                (1.6, 0.5, 0.9),
                (rng.uniform(a + 1, b - 1), y - side * 0.25, z0 + shop_h + rng.uniform(0.3, 1)),
                _paint(rng),
            )
        )
    return out
