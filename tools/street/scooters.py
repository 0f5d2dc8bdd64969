"""Electric scooters of many shapes, from the dimensions that tell them apart: x ahead, the ground at z = 0, metres."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.street.geometry import Color, Mesh, box, ellipsoid, merge, rounded, tube, wheel
from tools.street.vehicles import BLACK, STEEL, Part, Vehicle

LAMP = 2.5  # a gloss above 2 shines by itself at night


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one model looks like. Lengths in metres; ``neck`` bends the stem forward like a swan's."""

    wheel_r: float = 0.12
    tyre: float = 0.05
    base: float = 0.94  # between the axles
    deck_wide: float = 0.16
    deck_thick: float = 0.075
    clearance: float = 0.055  # of the deck over the axles
    bar_z: float = 1.08
    bar_wide: float = 0.50
    lean: float = 0.11  # how far the stem leans back over its height
    stem_r: float = 0.028
    stems: int = 1
    neck: float = 0.0
    pack: float = 0.0  # length of a battery on the stem
    seat_z: float = 0.0
    front_basket: bool = False
    rear_box: bool = False
    springs: bool = False
    solid_rims: bool = True


TRAINING = {
    "slim": Shape(wheel_r=0.108, tyre=0.045, bar_z=1.06, stem_r=0.024),
    "shared": Shape(wheel_r=0.128, tyre=0.055, bar_z=1.12, stem_r=0.032, pack=0.30),
    "shared-basket": Shape(wheel_r=0.13, tyre=0.055, bar_z=1.10, stem_r=0.034, pack=0.34, front_basket=True),
    "seated": Shape(wheel_r=0.15, tyre=0.06, base=1.0, bar_z=1.05, seat_z=0.72),
    "seated-basket": Shape(wheel_r=0.17, tyre=0.06, base=1.05, bar_z=1.02, seat_z=0.70, rear_box=True),
    "child": Shape(wheel_r=0.09, tyre=0.035, base=0.80, deck_wide=0.13, bar_z=0.92, bar_wide=0.42, stem_r=0.02),
}
TEST = {
    "swan": Shape(
        wheel_r=0.14, tyre=0.06, base=1.04, deck_wide=0.19, bar_z=1.16, bar_wide=0.56, neck=0.10, stem_r=0.036,
    ),
    "heavy": Shape(
        wheel_r=0.135, tyre=0.085, base=1.08, deck_wide=0.23, deck_thick=0.12, clearance=0.11, bar_z=1.18,
        bar_wide=0.60, stems=2, stem_r=0.024, springs=True, solid_rims=False,
    ),
    "tall": Shape(wheel_r=0.112, tyre=0.05, base=0.90, bar_z=1.20, bar_wide=0.46, lean=0.05, stem_r=0.03, pack=0.5),
    "bench": Shape(wheel_r=0.16, tyre=0.075, base=1.12, deck_wide=0.22, bar_z=1.10, seat_z=0.66, front_basket=True),
    "cargo": Shape(wheel_r=0.15, tyre=0.06, base=1.16, deck_wide=0.20, bar_z=1.12, front_basket=True, rear_box=True),
}  # fmt: skip


def escooter(
    shape: Shape, body: Color = BLACK, accent: Color = (0.35, 0.85, 0.55), trim: Color | None = None
) -> Vehicle:
    """A scooter of ``shape``; ``trim`` colours the stem (the body's colour unless given)."""
    r, stem_color = shape.wheel_r, trim or body
    deck_z = r + shape.clearance
    rear, front = -shape.base / 2, shape.base / 2
    foot = np.array([front - 0.025, 0.0, r + 0.09])
    top = np.array([front - 0.025 - shape.lean, 0.0, shape.bar_z])
    meshes = [*_deck(shape, deck_z, foot, body, accent), *_stem(shape, foot, top, body, stem_color, accent)]
    rim = accent if shape.solid_rims else (0.25, 0.25, 0.26)
    disc = wheel(r, shape.tyre, rim, spokes=0 if shape.solid_rims else 5)
    half = shape.bar_wide / 2
    grips = (top + [-0.075, half - 0.035, 0.045], top + [-0.075, -half + 0.035, 0.045])
    seat = np.zeros(3)
    if shape.seat_z:
        seat = np.array([rear + 0.32, 0, shape.seat_z])
        meshes += [
            tube([[rear + 0.30, 0, deck_z - 0.02], seat + [0, 0, -0.05]], 0.024, STEEL, 0.5, 8),
            rounded((0.30, 0.22, 0.09), seat + [0, 0, -0.035], BLACK, 0.2, 3),
        ]
    return Vehicle(
        "scooter",
        (Part(merge(meshes)), Part(disc, (rear, 0, r), r), Part(disc, (front, 0, r), r)),
        grips,
        seat=seat,
        deck_z=deck_z,
        pegs=(np.array([0.16, 0.07, deck_z]), np.array([0.10, -0.07, deck_z])),
    )


def _deck(shape: Shape, deck_z: float, foot: np.ndarray, body: Color, accent: Color) -> list[Mesh]:
    r, rear, wide = shape.wheel_r, -shape.base / 2, shape.deck_wide
    long = shape.base - 0.28
    out = [
        rounded((long, wide, shape.deck_thick), (-0.06, 0, deck_z - shape.deck_thick / 2), body, 0.3, 7),
        rounded((long - 0.06, 0.88 * wide, 0.018), (-0.07, 0, deck_z + 0.001), (0.10, 0.10, 0.105), 0.03, 8),
        tube([[long / 2 - 0.10, 0, deck_z - 0.03], foot + [-0.09, 0, -0.02], foot + [0, 0, 0.05]],
             [0.04, 0.038, 0.034], body, 0.4, 10),
        ellipsoid((rear - r * 0.9, 0, r + 0.10), (0.018, 0.03, 0.016), (0.75, 0.05, 0.05), LAMP, 4, 8),
    ]  # fmt: skip
    for s in (-1, 1):
        out.append(box((0.75 * long, 0.012, 0.03), (-0.06, s * (wide / 2 - 0.003), deck_z - 0.035), accent, 0.3))
        out.append(tube([[rear, 0.05 * s, r], [-long / 2 - 0.02, 0.06 * s, deck_z - 0.04]], 0.015, body, 0.3, 6))
    arc = np.linspace(0.15 * np.pi, 0.85 * np.pi, 7)
    fender = [[rear + (r + 0.025) * np.cos(a), 0, r + (r + 0.025) * np.sin(a)] for a in arc]
    out.append(tube(fender, [0.015, 0.024, 0.03, 0.03, 0.03, 0.026, 0.014], body, 0.4, 8))
    if shape.rear_box:
        out.append(
            rounded((0.30, 0.32, 0.24), (rear - 0.05, 0, max(deck_z + 0.30, shape.seat_z)), (0.16, 0.16, 0.17), 0.2, 8)
        )
        out.append(
            tube([[rear, 0, deck_z], [rear - 0.05, 0, max(deck_z + 0.2, shape.seat_z - 0.1)]], 0.02, STEEL, 0.4, 6)
        )
    return out


def _stem(shape: Shape, foot: np.ndarray, top: np.ndarray, body: Color, stem: Color, accent: Color) -> list[Mesh]:
    r, front = shape.wheel_r, shape.base / 2
    middle = (foot + top) / 2 + [shape.neck, 0, 0]
    line = np.array([foot, 0.7 * foot + 0.3 * middle + [shape.neck * 0.4, 0, 0], middle, 0.3 * middle + 0.7 * top, top])
    out = [tube([foot, foot + 0.2 * (line[1] - foot)], shape.stem_r * 1.2, accent, 0.4, 10)]
    for k in range(shape.stems):
        y = (k - (shape.stems - 1) / 2) * 0.11
        out.append(tube(line + [0, y, 0], shape.stem_r, stem, 0.5, 10))
    out.append(
        tube([line[2] - 0.05 * (top - foot), line[2] + 0.05 * (top - foot)], shape.stem_r * 1.12, accent, 0.5, 10)
    )
    for s in (-1, 1):
        fork = 0.022 if shape.springs else 0.014
        out.append(
            tube([foot + [0, 0.05 * s, 0], [front, 0.05 * s, r]], fork, accent if shape.springs else body, 0.4, 6)
        )
    h = shape.bar_wide / 2
    bar = [top + [-0.035, h, 0.02], top + [0, h / 2, 0.01], top, top + [0, -h / 2, 0.01], top + [-0.035, -h, 0.02]]
    out.append(tube(bar, 0.015, body, 0.5, 8))
    for s in (-1, 1):
        out.append(
            tube([top + [-0.02, s * (h - 0.11), 0.012], top + [-0.036, s * (h + 0.005), 0.022]], 0.02, BLACK, 0.05, 8)
        )
        out.append(
            tube([top + [0.03, s * (h - 0.14), 0.0], top + [0.035, s * (h - 0.03), -0.02]], 0.007, STEEL, 0.5, 5)
        )
    out.append(rounded((0.06, 0.07, 0.05), top + [0.01, 0, 0.025], BLACK, 0.6, 4))
    out.append(ellipsoid(top + [0.045, 0, -0.06], (0.02, 0.03, 0.03), (0.95, 0.95, 0.85), LAMP, 4, 10))
    out.append(
        tube([top + [0.02, 0.05, -0.01], top + [0.06, 0.03, -0.2], line[2] + [0.04, 0, 0]], 0.006, BLACK, 0.2, 4)
    )
    arc = np.linspace(0.05 * np.pi, 0.8 * np.pi, 6)
    guard = [[front + (r + 0.022) * np.cos(a), 0, r + (r + 0.022) * np.sin(a)] for a in arc]
    out.append(tube(guard, 0.024, body, 0.4, 8))
    if shape.pack:
        out.append(rounded((0.09, 0.08, shape.pack), line[1] + 0.15 * (top - foot) + [0.05, 0, 0], accent, 0.4, 5))
    if shape.front_basket:
        out.append(rounded((0.24, 0.32, 0.22), foot + 0.74 * (top - foot) + [0.18, 0, 0], (0.17, 0.17, 0.18), 0.1, 8))
    return out
