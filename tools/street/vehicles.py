"""Electric scooters, bicycles, motorcycles and cars: x ahead, the ground at z = 0, metres."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tools.street.geometry import (
    Color,
    Mesh,
    box,
    ellipsoid,
    flat_colors,
    loft,
    merge,
    rotation,
    rounded,
    translation,
    tube,
    wheel,
)

BLACK: Color = (0.05, 0.05, 0.055)
STEEL: Color = (0.55, 0.56, 0.58)


@dataclass(frozen=True)
class Part:
    """A rigid part; ``spin_m`` is the radius of a wheel that turns as the vehicle rolls, about ``at``; 0 = fixed."""

    mesh: Mesh
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin_m: float = 0.0
    crank: bool = False


@dataclass(frozen=True)
class Vehicle:
    kind: str  # scooter, bicycle, motorcycle, car
    parts: tuple[Part, ...]
    grips: tuple[np.ndarray, np.ndarray] = (np.zeros(3), np.zeros(3))  # wrists, left and right
    seat: np.ndarray = field(default_factory=lambda: np.zeros(3))
    deck_z: float = 0.0
    crank_at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    crank_m: float = 0.17
    pegs: tuple[np.ndarray, np.ndarray] = (np.zeros(3), np.zeros(3))

    def placed_parts(
        self, matrix: np.ndarray, rolled_m: float = 0.0, crank_turn: float = 0.0
    ) -> list[tuple[Mesh, np.ndarray]]:
        out = []
        for part in self.parts:
            m = matrix @ translation(*part.at)
            if part.spin_m:
                m = m @ rotation("y", rolled_m / part.spin_m)
            elif part.crank:
                m = m @ rotation("y", crank_turn)
            out.append((part.mesh, m))
        return out

    def outline(self) -> np.ndarray:
        """All vertices (n, 3) in the vehicle's frame, wheels unturned."""
        return np.concatenate([p.mesh.positions + np.asarray(p.at) for p in self.parts])


def scooter(
    body: Color = BLACK,
    accent: Color = (0.35, 0.85, 0.55),
    *,
    big: bool = False,
    basket: bool = False,
    battery: bool = False,
) -> Vehicle:
    """A stand-up electric scooter; ``big`` is the sturdier shared kind with 10-inch wheels."""
    r = 0.128 if big else 0.108
    deck_z = r + 0.055
    rear, front = -0.47, 0.47
    top = np.array([0.335, 0.0, 1.12 if big else 1.06])
    foot = np.array([front - 0.025, 0.0, r + 0.09])
    wide = 0.085 if big else 0.075
    deck = [
        rounded((0.66, 2 * wide, 0.075), (-0.06, 0, deck_z - 0.037), body, 0.3, 7),
        rounded((0.60, 1.75 * wide, 0.018), (-0.07, 0, deck_z + 0.001), (0.10, 0.10, 0.105), 0.03, 8),
        box((0.5, 0.012, 0.03), (-0.06, wide - 0.003, deck_z - 0.035), accent, 0.3),
        box((0.5, 0.012, 0.03), (-0.06, -wide + 0.003, deck_z - 0.035), accent, 0.3),
        tube(
            [[0.24, 0, deck_z - 0.03], [0.36, 0, deck_z + 0.05], foot + [0.0, 0, 0.05]],
            [0.04, 0.038, 0.034],
            body,
            0.4,
            10,
        ),
    ]
    fender = np.linspace(0.15 * np.pi, 0.85 * np.pi, 7)
    deck.append(
        tube(
            [[rear + (r + 0.025) * np.cos(a), 0, r + (r + 0.025) * np.sin(a)] for a in fender],
            [0.015, 0.024, 0.03, 0.03, 0.03, 0.026, 0.014],
            body,
            0.4,
            8,
        )
    )
    deck.append(ellipsoid((rear - r * 0.9, 0, r + 0.10), (0.018, 0.03, 0.016), (0.75, 0.05, 0.05), 0.6, 4, 8))
    deck.append(tube([[rear, 0.05, r], [-0.33, 0.06, deck_z - 0.04]], 0.015, body, 0.3, 6))
    deck.append(tube([[rear, -0.05, r], [-0.33, -0.06, deck_z - 0.04]], 0.015, body, 0.3, 6))
    low = foot + 0.2 * (top - foot)
    steer = [
        tube([foot, low], 0.036 if big else 0.030, accent, 0.4, 10),
        tube([low, top], 0.030 if big else 0.024, body, 0.5, 10),
        tube([foot + 0.42 * (top - foot), foot + 0.5 * (top - foot)], 0.034 if big else 0.028, accent, 0.5, 10),
        tube([foot + [0, 0.045, 0], [front, 0.045, r]], 0.014, body, 0.4, 6),
        tube([foot + [0, -0.045, 0], [front, -0.045, r]], 0.014, body, 0.4, 6),
        tube(
            [
                top + [-0.035, 0.25, 0.02],
                top + [0, 0.12, 0.01],
                top,
                top + [0, -0.12, 0.01],
                top + [-0.035, -0.25, 0.02],
            ],
            0.015,
            body,
            0.4,
            8,
        ),
        tube([top + [-0.02, 0.14, 0.012], top + [-0.036, 0.255, 0.022]], 0.02, (0.08, 0.08, 0.08), 0.05, 8),
        tube([top + [-0.02, -0.14, 0.012], top + [-0.036, -0.255, 0.022]], 0.02, (0.08, 0.08, 0.08), 0.05, 8),
        tube([top + [0.03, 0.11, 0.0], top + [0.035, 0.22, -0.02]], 0.007, STEEL, 0.5, 5),
        tube([top + [0.03, -0.11, 0.0], top + [0.035, -0.22, -0.02]], 0.007, STEEL, 0.5, 5),
        rounded((0.06, 0.07, 0.05), top + [0.01, 0, 0.025], BLACK, 0.6, 4),
        ellipsoid(top + [0.045, 0, -0.06], (0.02, 0.028, 0.028), (0.95, 0.95, 0.85), 0.9, 4, 10),
        tube(
            [top + [0.02, 0.05, -0.01], top + [0.06, 0.03, -0.2], foot + 0.55 * (top - foot) + [0.03, 0, 0]],
            0.006,
            BLACK,
            0.2,
            4,
        ),
    ]
    arc = np.linspace(0.05 * np.pi, 0.8 * np.pi, 6)
    steer.append(
        tube([[front + (r + 0.022) * np.cos(a), 0, r + (r + 0.022) * np.sin(a)] for a in arc], 0.024, body, 0.4, 8)
    )
    if battery or big:
        steer.append(rounded((0.09, 0.08, 0.30), foot + 0.35 * (top - foot) + [0.05, 0, 0], accent, 0.4, 5))
    if basket:
        steer.append(rounded((0.22, 0.30, 0.20), foot + 0.72 * (top - foot) + [0.16, 0, 0], (0.15, 0.15, 0.16), 0.1, 8))
    grips = (top + [-0.075, 0.215, 0.045], top + [-0.075, -0.215, 0.045])
    w = wheel(r, 0.055 if big else 0.045, accent if big else (0.25, 0.25, 0.26))
    return Vehicle(
        "scooter",
        (Part(merge(deck)), Part(merge(steer)), Part(w, (rear, 0, r), r), Part(w, (front, 0, r), r)),
        grips,
        deck_z=deck_z,
    )


def bicycle(frame: Color = (0.7, 0.1, 0.1), *, basket: bool = False, step_through: bool = False) -> Vehicle:
    r = 0.33
    rear, front = np.array([-0.50, 0, r]), np.array([0.56, 0, r])
    crank = np.array([-0.06, 0, 0.28])
    saddle = np.array([-0.25, 0, 0.90])
    head_low, head_top = np.array([0.37, 0, 0.66]), np.array([0.33, 0, 0.90])
    bar = np.array([0.34, 0, 1.02])
    down = [head_low, (head_low + crank) / 2 + ([0, 0, -0.12] if step_through else [0, 0, 0]), crank]
    top_tube = (
        [head_low, [0.0, 0, 0.42], [-0.12, 0, 0.46]] if step_through else [head_top + [0, 0, -0.06], [-0.2, 0, 0.74]]
    )
    parts = [
        tube(down, 0.02, frame, 0.5, 8), tube(top_tube, 0.018, frame, 0.5, 8),
        tube([crank, saddle + [0, 0, -0.05]], 0.018, frame, 0.5, 8),
        tube([head_low, head_top], 0.022, frame, 0.5, 8),
        tube([head_top, bar], 0.014, STEEL, 0.6, 6),
        tube([bar + [-0.10, 0.28, 0.0], bar + [0.0, 0.18, 0.03], bar, bar + [0.0, -0.18, 0.03],
              bar + [-0.10, -0.28, 0.0]], 0.013, STEEL, 0.6, 6),
        tube([bar + [-0.13, 0.29, 0], bar + [-0.03, 0.23, 0.02]], 0.018, BLACK, 0.1, 6),
        tube([bar + [-0.13, -0.29, 0], bar + [-0.03, -0.23, 0.02]], 0.018, BLACK, 0.1, 6),
        rounded((0.27, 0.16, 0.07), saddle, BLACK, 0.2, 3),
    ]  # fmt: skip
    for s in (-1, 1):
        side = np.array([0, 0.045 * s, 0])
        parts += [
            tube([crank + side * 0.5, rear + side], 0.010, frame, 0.5, 5),
            tube([saddle + [0.02, 0, -0.16] + side * 0.4, rear + side], 0.009, frame, 0.5, 5),
            tube([head_low + side, front + side], 0.013, frame, 0.5, 6),
        ]
    for hub in (rear, front):
        arc = np.linspace(0.1 * np.pi, 0.95 * np.pi, 9)
        if hub is rear or basket:
            parts.append(
                tube(
                    [hub + [(r + 0.025) * np.cos(a), 0, (r + 0.025) * np.sin(a)] for a in arc],
                    0.022,
                    (0.2, 0.2, 0.2),
                    0.4,
                    5,
                )
            )
    if basket:
        parts.append(rounded((0.26, 0.34, 0.22), (0.56, 0, 0.90), (0.35, 0.35, 0.36), 0.3, 8))
    pedals = [
        tube([[0, -0.07, 0], [0, 0.07, 0]], 0.02, STEEL, 0.5, 6),
        tube([[0, 0.06, 0], [0.17, 0.09, 0]], 0.010, STEEL, 0.5, 5),
        tube([[0, -0.06, 0], [-0.17, -0.09, 0]], 0.010, STEEL, 0.5, 5),
        box((0.09, 0.09, 0.02), (0.17, 0.13, 0), BLACK), box((0.09, 0.09, 0.02), (-0.17, -0.13, 0), BLACK),
        tube([[0, -0.05, 0], [0, -0.042, 0]], 0.09, (0.2, 0.2, 0.2), 0.4, 14),
    ]  # fmt: skip
    grips = (bar + [-0.13, 0.27, 0.05], bar + [-0.13, -0.27, 0.05])
    w = wheel(r, 0.04, STEEL, spokes=18)
    return Vehicle(
        "bicycle",
        (Part(merge(parts)), Part(w, tuple(rear), r), Part(w, tuple(front), r),
         Part(merge(pedals), tuple(crank), crank=True)),
        grips, seat=saddle + [0, 0, 0.035], crank_at=tuple(crank),
    )  # fmt: skip


def motorcycle(color: Color = (0.75, 0.1, 0.1), box_color: Color | None = None) -> Vehicle:
    """A step-through motor scooter of the delivery kind: heavier than the stand-up scooter, with a seat."""
    r = 0.24
    rear, front = np.array([-0.60, 0, r]), np.array([0.64, 0, r])
    bar = np.array([0.40, 0, 1.03])
    parts = [
        rounded((0.75, 0.32, 0.36), (-0.42, 0, 0.52), color, 0.7, 3.2),
        rounded((0.72, 0.27, 0.11), (-0.36, 0, 0.76), BLACK, 0.2, 4),
        rounded((0.62, 0.30, 0.14), (0.08, 0, 0.32), (0.15, 0.15, 0.16), 0.3, 5),
        rounded((0.16, 0.40, 0.66), (0.42, 0, 0.62), color, 0.7, 3.5),
        rounded((0.22, 0.30, 0.22), (0.46, 0, 0.97), color, 0.7, 3),
        ellipsoid((0.57, 0, 0.95), (0.05, 0.10, 0.07), (0.9, 0.92, 0.85), 1.0, 6, 10),
        rounded((0.36, 0.15, 0.12), (0.64, 0, 0.46), color, 0.6, 3),
        tube([[0.44, 0, 0.85], front + [0, 0.07, 0]], 0.026, STEEL, 0.5, 6),
        tube([[0.44, 0, 0.85], front + [0, -0.07, 0]], 0.026, STEEL, 0.5, 6),
        tube(
            [bar + [-0.08, 0.34, 0], bar + [0, 0.15, 0.02], bar, bar + [0, -0.15, 0.02], bar + [-0.08, -0.34, 0]],
            0.016,
            BLACK,
            0.4,
            6,
        ),
        tube([[-0.2, -0.16, 0.25], [-0.75, -0.20, 0.36]], [0.03, 0.055], STEEL, 0.6, 8),
        rounded((0.2, 0.2, 0.08), (-0.83, 0, 0.62), (0.6, 0.04, 0.04), 0.8, 4),
        box((0.02, 0.17, 0.11), (-0.88, 0, 0.46), (0.9, 0.9, 0.88)),
    ]
    for s in (-1, 1):
        parts.append(tube([bar + [0, 0.2 * s, 0.02], bar + [0.02, 0.30 * s, 0.2]], 0.006, BLACK, 0.3, 4))
        parts.append(ellipsoid(bar + [0.02, 0.32 * s, 0.22], (0.015, 0.06, 0.04), BLACK, 0.8, 4, 8))
    if box_color is not None:
        parts.append(rounded((0.42, 0.44, 0.42), (-0.80, 0, 1.02), box_color, 0.4, 9))
    w = wheel(r, 0.10, STEEL)
    grips = (bar + [-0.13, 0.30, 0.05], bar + [-0.13, -0.30, 0.05])
    pegs = (np.array([0.12, 0.13, 0.40]), np.array([0.12, -0.13, 0.40]))
    return Vehicle(
        "motorcycle",
        (Part(merge(parts)), Part(w, tuple(rear), r), Part(w, tuple(front), r)),
        grips,
        seat=np.array([-0.24, 0, 0.80]),
        pegs=pegs,
    )


CAR_SHAPES = {
    # x (share of length from the tail), bonnet line, roof line: shares of the height
    "sedan": ([0, 0.02, 0.10, 0.20, 0.33, 0.50, 0.64, 0.76, 0.90, 0.98, 1],
             [0.42, 0.62, 0.66, 0.67, 0.66, 0.65, 0.64, 0.62, 0.56, 0.48, 0.34],
             [0.42, 0.62, 0.67, 0.80, 0.97, 1.0, 0.93, 0.66, 0.57, 0.48, 0.34],
             4.6, 1.82, 1.45),
    "suv": ([0, 0.02, 0.06, 0.15, 0.33, 0.50, 0.62, 0.76, 0.90, 0.98, 1],
             [0.45, 0.60, 0.62, 0.63, 0.63, 0.62, 0.62, 0.60, 0.57, 0.50, 0.34],
             [0.45, 0.66, 0.86, 0.97, 1.0, 0.99, 0.93, 0.66, 0.59, 0.50, 0.34],
             4.5, 1.86, 1.66),
    "van": ([0, 0.01, 0.04, 0.15, 0.33, 0.50, 0.70, 0.84, 0.93, 0.98, 1],
             [0.40, 0.52, 0.53, 0.53, 0.53, 0.53, 0.53, 0.53, 0.50, 0.44, 0.30],
             [0.40, 0.85, 0.96, 0.99, 1.0, 1.0, 0.97, 0.80, 0.56, 0.45, 0.30],
             4.9, 1.90, 1.95),
    "hatch": ([0, 0.02, 0.06, 0.15, 0.33, 0.50, 0.64, 0.78, 0.90, 0.98, 1],
             [0.42, 0.60, 0.63, 0.64, 0.64, 0.63, 0.62, 0.60, 0.56, 0.48, 0.34],
             [0.42, 0.64, 0.80, 0.93, 1.0, 0.99, 0.90, 0.64, 0.57, 0.48, 0.34],
             3.7, 1.65, 1.50),
}  # fmt: skip


def car(color: Color = (0.8, 0.8, 0.82), shape: str = "sedan") -> Vehicle:
    xs, belts, roofs, length, width, height = CAR_SHAPES[shape]
    share = np.linspace(0, 1, 61)
    share = 0.5 - 0.5 * np.cos(np.pi * share) * (0.55 + 0.45 * np.abs(np.cos(np.pi * share)))
    share = np.clip(share, 0, 1)
    belt = np.interp(share, xs, belts) * height
    roof = np.interp(share, xs, roofs) * height
    plan = 0.5 * width * np.clip(1 - np.abs(2 * share - 1) ** 7 * 0.30, 0.4, 1)
    low = 0.20 + 0.07 * np.clip(np.abs(2 * share - 1) - 0.85, 0, 1) / 0.15
    rings, colors = [], []
    glass: Color = (0.06, 0.075, 0.09)
    trim: Color = (0.08, 0.08, 0.085)
    for k, s in enumerate(share):
        x = (s - 0.5) * length
        w, b, t = plan[k], belt[k], roof[k]
        cabin = t - b > 0.12 * height
        top = 0.78 if cabin else 0.93
        ys = [
            0.0,
            0.75,
            0.93,
            0.985,
            1.0,
            0.975,
            0.965 if cabin else 0.955,
            (0.965 + top) / 2 if cabin else 0.945,
            top + 0.01,
            top - 0.02,
            top - 0.14,
            0.45,
            0.0,
        ]
        zs = [
            low[k],
            low[k],
            low[k] + 0.02,
            low[k] + 0.12,
            (low[k] + b) * 0.55,
            b - 0.07,
            b - 0.01,
            (b + t - 0.05) / 2 if cabin else b,
            t - 0.075 if cabin else t - 0.005,
            t - 0.05 if cabin else t,
            t - 0.015 if cabin else t,
            t,
            t,
        ]
        half = np.stack([np.full(13, x), np.array(ys) * w, np.array(zs)], -1)
        ring = np.concatenate([half, half[11:0:-1] * [1, -1, 1]])
        shade = np.tile(np.array(color), (13, 1))
        shade[:3] = trim
        pillar = min(abs(s - p) for p in (0.34 if shape != "van" else 0.4, 0.56)) < 0.014
        if cabin and not pillar and xs[1] + 0.06 < s < 0.80:
            shade[7:9] = glass
        slope = abs(roof[min(k + 1, 60)] - roof[max(k - 1, 0)]) / max(
            (share[min(k + 1, 60)] - share[max(k - 1, 0)]) * length, 1e-3
        )
        if cabin and slope > 0.25 and s > 0.03:
            shade[9:] = glass
        rings.append(ring)
        colors.append(np.concatenate([shade, shade[11:0:-1]]))
    body = flat_colors(loft(np.array(rings), np.array(colors), 0.85, caps=False))
    parts = [body]
    front, back = length / 2, -length / 2
    for s in (-1, 1):
        parts.append(
            ellipsoid(
                (front - 0.24, s * width * 0.37, height * 0.475), (0.17, 0.16, 0.055), (0.92, 0.94, 0.95), 1.0, 6, 10
            )
        )
        parts.append(
            ellipsoid((back + 0.10, s * width * 0.38, height * 0.55), (0.09, 0.14, 0.06), (0.6, 0.03, 0.03), 0.8, 6, 10)
        )
        seam = tuple(0.45 * c for c in color)
        parts += [
            box((0.012, 0.02, height * 0.30), (x * length, s * (width / 2 - 0.006), height * 0.42), seam)
            for x in (0.02, 0.24, -0.20)
        ]
        parts.append(box((length * 0.5, 0.03, 0.05), (0, s * (width / 2 - 0.02), 0.24), trim))
        parts.append(rounded((0.11, 0.16, 0.11), (length * 0.20, s * (width / 2 + 0.08), height * 0.66), color, 0.7, 3))
    parts.append(box((0.02, 0.50, 0.12), (back + 0.0, 0, height * 0.40), (0.92, 0.92, 0.9)))
    parts.append(box((0.02, 0.50, 0.12), (front - 0.0, 0, height * 0.30), (0.92, 0.92, 0.9)))
    parts.append(rounded((0.06, width * 0.6, 0.16), (front - 0.05, 0, height * 0.38), trim, 0.3, 6))
    r = 0.33
    arch = [
        tube(
            [[x, s * (width / 2 - 0.10), r + 0.02], [x, s * (width / 2 + 0.003), r + 0.02]],
            r + 0.055,
            (0.03, 0.03, 0.03),
            0.05,
            18,
        )
        for x in (-length * 0.30, length * 0.31)
        for s in (-1, 1)
    ]
    w = wheel(r, 0.20, (0.55, 0.56, 0.58))
    wheels = tuple(Part(w, (x, s * (width / 2 - 0.06), r), r) for x in (-length * 0.30, length * 0.31) for s in (-1, 1))
    return Vehicle("car", (Part(merge([*parts, *arch])), *wheels))
