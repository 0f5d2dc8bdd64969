"""Puts a place together: floors, kerbs, house fronts and what stands about, for each kind of plan."""

from __future__ import annotations

import numpy as np

from tools.street import surfaces
from tools.street.geometry import Mesh, box, merge, placed, quad
from tools.street.layout import (
    FRONTS,
    KERB_M,
    SHOPS,
    Street,
    bench,
    bin_,
    bollard,
    boxes,
    houses,
    lamp_post,
    road_sign,
    sandwich_board,
    shrub,
    slab,
    tree,
)
from tools.street.render import Thing

LAMP_HEAD_M = (1.35, 6.6)  # out over the road, and up


def build(
    rng: np.random.Generator,
    plan: surfaces.Plan,
    gates: dict[int, list[tuple[float, float]]] | None = None,
    clutter: float = 1.0,
    keep_free: tuple[tuple[float, float], ...] = (),
) -> Street:
    """A furnished street. ``gates`` are openings {side: [(x from, x to)]}; ``keep_free`` are spans of x left empty."""
    if plan.has_road:
        return street(rng, plan, gates or {}, clutter, keep_free)
    return open_place(rng, plan, clutter, keep_free)


def street(
    rng: np.random.Generator,
    plan: surfaces.Plan,
    gates: dict[int, list[tuple[float, float]]],
    clutter: float,
    keep_free: tuple[tuple[float, float], ...],
) -> Street:
    half = plan.road_half
    meshes = [
        slab(plan.x0, -half, plan.x1, half, 0.0),
        *_sidewalks(plan),
        slab(-150, -60, plan.x0, 60, -0.02, -1, (0.33, 0.33, 0.34)),
        slab(plan.x1, -60, 150, 60, -0.02, -1, (0.33, 0.33, 0.34)),
    ]
    joins = [(plan.side_road[0] - plan.side_road[1], plan.side_road[0] + plan.side_road[1])]
    joins = joins if plan.kind == "junction" else []
    for s in (-1, 1):
        for x_from, x_to in _between(plan.x0, plan.x1, joins):
            a, b = (x_from, x_to) if s < 0 else (x_to, x_from)
            meshes.append(_kerb([a, s * half], [b, s * half]))
        for x_from, x_to in joins:
            near, far = (s * half, s * 19.9) if s > 0 else (s * 19.9, s * half)
            meshes += [_kerb([x_from, far], [x_from, near]), _kerb([x_to, near], [x_to, far])]
            meshes.append(
                slab(
                    x_from - 8,
                    *sorted((s * 19.9, s * 80))[:1],
                    x_to + 8,
                    max(s * 19.9, s * 80),
                    -0.01,
                    -1,
                    (0.32, 0.32, 0.33),
                )
            )
            meshes.append(box((16, 6, 14), ((x_from + x_to) / 2, s * 62, 7), (0.52, 0.51, 0.50)))
        wide = [(x_from - 2.2, x_to + 2.2) for x_from, x_to in joins]
        meshes += houses(rng, plan, s, gates.get(s, []), wide)
    for end in (plan.x0 - 45, plan.x1 + 45):
        for _ in range(4):
            y = rng.uniform(-30, 30)
            h = rng.uniform(8, 24)
            tone = rng.uniform(0.4, 0.65)
            meshes.append(
                box((8, rng.uniform(8, 16), h), (end + rng.uniform(-8, 8), y, h / 2), (tone, tone, tone * 1.04))
            )
    blobs: list[tuple[float, float, float, float]] = []
    trees: list[tuple[float, float, float]] = []
    lamps: list[tuple[float, float, float]] = []

    def free(x: float) -> bool:
        near_cross = plan.crosswalk_x is not None and abs(x - plan.crosswalk_x) < plan.crosswalk_width / 2 + 0.8
        in_gate = any(a - 1 < x < b + 1 for spans in (*gates.values(), joins) for a, b in spans)
        return not near_cross and not in_gate and not any(a < x < b for a, b in keep_free)

    for side, width in ((1, plan.walk_left), (-1, plan.walk_right)):
        y_kerb = side * (half + 0.55)
        y_wall = side * (half + width - 0.45)
        kinds = [("tree", rng.uniform(6, 11)), ("lamp", 24.0), ("bollard", rng.uniform(1.6, 4)), ("sign", 17.0)]
        for kind, step in kinds:
            if kind != "lamp" and rng.random() > (0.75 if kind == "tree" else 0.45) * clutter:
                continue
            for x in np.arange(plan.x0 + rng.uniform(1, step), plan.x1, step):
                if not free(x):
                    continue
                if kind == "tree":
                    tall = rng.uniform(4.5, 7.5)
                    trees.append((x, y_kerb, tall))
                    meshes.append(tree(rng, tall).moved(placed(x, y_kerb, KERB_M, rng.uniform(0, 6.3))))
                    meshes.append(
                        slab(x - 0.5, y_kerb - 0.5, x + 0.5, y_kerb + 0.5, KERB_M + 0.006, -1, (0.22, 0.18, 0.14))
                    )
                elif kind == "lamp":
                    meshes.append(lamp_post().moved(placed(x, y_kerb, KERB_M, -side * np.pi / 2)))
                    lamps.append((float(x), float(y_kerb - side * LAMP_HEAD_M[0]), LAMP_HEAD_M[1]))
                elif kind == "bollard" and abs(x) < 14:
                    meshes.append(bollard().moved(placed(x, side * (half + 0.35), KERB_M, 0)))
                elif kind == "sign":
                    meshes.append(road_sign(rng).moved(placed(x, y_kerb, KERB_M, rng.choice([0.0, np.pi]))))
                blobs.append((x, y_kerb, 0.4, 0.5))
        for _ in range(int(rng.integers(3, 9) * clutter)):
            x = rng.uniform(plan.x0, plan.x1)
            if not free(x):
                continue
            kind = rng.integers(5)
            item = [
                bench,
                lambda: bin_(rng),
                lambda: sandwich_board(rng),
                lambda: boxes(rng),
                lambda: shrub(rng, rng.uniform(1, 3)),
            ][kind]()
            meshes.append(
                item.moved(
                    placed(
                        x, y_wall, KERB_M, rng.choice([0, np.pi / 2]) if kind in (2, 3) else (0 if side > 0 else np.pi)
                    )
                )
            )
            blobs.append((x, y_wall, 0.8, 0.5))
    return Street(
        plan,
        [Thing(merge(meshes), np.eye(4))],
        surfaces.contact_shade(surfaces.ground(rng, plan), plan, blobs),
        surfaces.facades(rng, SHOPS, FRONTS),
        surfaces.grain(rng),
        trees,
        lamps,
    )


def _between(start: float, end: float, gaps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    edges = [start, *[edge for gap in gaps for edge in gap], end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _sidewalks(plan: surfaces.Plan) -> list[Mesh]:
    half = plan.road_half
    if plan.kind != "junction":
        return [
            slab(plan.x0, half, plan.x1, 19.9, KERB_M),
            slab(plan.x0, -19.9, plan.x1, -half, KERB_M),
        ]
    a, b = plan.side_road[0] - plan.side_road[1], plan.side_road[0] + plan.side_road[1]
    out = []
    for y_low, y_high in ((half, 19.9), (-19.9, -half)):
        out += [
            slab(plan.x0, y_low, a, y_high, KERB_M),
            slab(b, y_low, plan.x1, y_high, KERB_M),
            slab(a, y_low, b, y_high, 0.0),
        ]
    return out


def _kerb(start: list[float], end: list[float]) -> Mesh:
    corners = [[*start, KERB_M], [*start, 0.0], [*end, 0.0], [*end, KERB_M]]
    return quad(corners, [[0, 0]] * 4, -1, (0.55, 0.55, 0.53))


def open_place(
    rng: np.random.Generator, plan: surfaces.Plan, clutter: float, keep_free: tuple[tuple[float, float], ...] = ()
) -> Street:
    """A plaza among houses or a path between lawns: level ground, trees, benches, lamps."""
    meshes = [
        slab(plan.x0, -19.9, plan.x1, 19.9, 0.0),
        slab(-150, -90, plan.x0, 90, -0.02, -1, (0.30, 0.33, 0.24) if plan.kind == "path" else (0.4, 0.4, 0.4)),
        slab(plan.x1, -90, 150, 90, -0.02, -1, (0.30, 0.33, 0.24) if plan.kind == "path" else (0.4, 0.4, 0.4)),
    ]
    blobs: list[tuple[float, float, float, float]] = []
    trees: list[tuple[float, float, float]] = []
    lamps: list[tuple[float, float, float]] = []
    edge = plan.road_half + min(plan.walk_left, plan.walk_right)
    if plan.kind == "plaza":
        for side in (-1, 1):
            meshes += houses(rng, plan, side, [])
    else:
        for side in (-1, 1):
            meshes.append(
                slab(
                    plan.x0,
                    *sorted((side * 19.9, side * 90))[:1],
                    plan.x1,
                    max(side * 19.9, side * 90),
                    -0.01,
                    -1,
                    (0.24, 0.31, 0.15),
                )
            )
            for x in np.arange(plan.x0, plan.x1, rng.uniform(18, 26)):
                tall, tone = rng.uniform(7, 18), rng.uniform(0.45, 0.68)
                meshes.append(
                    box(
                        (rng.uniform(10, 16), 8, tall),
                        (x, side * rng.uniform(26, 34), tall / 2),
                        (tone, 0.94 * tone, 0.88 * tone),
                    )
                )
    for end in (plan.x0 - 40, plan.x1 + 40):
        for _ in range(4):
            h, tone = rng.uniform(8, 22), rng.uniform(0.4, 0.65)
            meshes.append(
                box(
                    (8, rng.uniform(8, 16), h),
                    (end + rng.uniform(-8, 8), rng.uniform(-30, 30), h / 2),
                    (tone, tone, tone),
                )
            )
    for side in (-1, 1):
        row = side * (plan.road_half + 1.0) if plan.kind == "path" else side * 0.62 * edge
        step = rng.uniform(7, 12)
        for x in np.arange(plan.x0 + rng.uniform(1, step), plan.x1, step):
            if rng.random() < 0.75 * clutter and not any(a < x < b for a, b in keep_free):
                tall, y = rng.uniform(4.5, 7.5), row + side * rng.uniform(0.3, 1.5)
                trees.append((float(x), float(y), float(tall)))
                meshes.append(tree(rng, tall).moved(placed(x, y, 0, rng.uniform(0, 6.3))))
                blobs.append((x, y, 0.5, 0.5))
        for x in np.arange(plan.x0 + rng.uniform(2, 18), plan.x1, 18.0):
            if any(a < x < b for a, b in keep_free):
                continue
            y = row - side * 0.3
            meshes.append(lamp_post(5.0).moved(placed(x, y, 0, -side * np.pi / 2)))
            lamps.append((float(x), float(y - side * LAMP_HEAD_M[0]), 5.1))
            blobs.append((x, y, 0.4, 0.5))
        for _ in range(int(rng.integers(3, 9) * clutter)):
            x, y = rng.uniform(plan.x0, plan.x1), row + side * rng.uniform(-0.1, 0.6)
            item = [bench(), bin_(rng), shrub(rng, rng.uniform(1, 3)), shrub(rng, 2.0)][int(rng.integers(4))]
            meshes.append(item.moved(placed(x, y, 0, 0 if side > 0 else np.pi)))
            blobs.append((x, y, 0.8, 0.5))
    return Street(
        plan,
        [Thing(merge(meshes), np.eye(4))],
        surfaces.contact_shade(surfaces.ground(rng, plan), plan, blobs),
        surfaces.facades(rng, SHOPS, FRONTS),
        surfaces.grain(rng),
        trees,
        lamps,
    )
