"""What rolls or is dragged along a sidewalk and is no scooter: suitcases, prams, wheelchairs, shopping trolleys."""

from __future__ import annotations

import numpy as np

from tools.street.geometry import Color, box, ellipsoid, merge, rounded, tube, wheel
from tools.street.vehicles import BLACK, STEEL, Part, Vehicle

KINDS = ("suitcase", "pram", "wheelchair", "trolley")


def suitcase(color: Color) -> Vehicle:
    """Rolled upright beside its walker, at the hand that hangs on the right."""
    parts = [
        rounded((0.44, 0.26, 0.60), (0.0, -0.38, 0.38), color, 0.4, 8),
        *[box((0.5, 0.27, 0.012), (0.0, -0.38, z), tuple(0.75 * c for c in color)) for z in (0.28, 0.48)],
        *[tube([[x, -0.36, 0.66], [x, -0.34, 0.80]], 0.010, STEEL, 0.5, 5) for x in (-0.08, 0.08)],
        tube([[-0.1, -0.34, 0.80], [0.1, -0.34, 0.80]], 0.016, BLACK, 0.1, 6),
        *[ellipsoid((x, y, 0.05), (0.05, 0.02, 0.05), BLACK, 0.2, 4, 8) for x in (-0.17, 0.17) for y in (-0.47, -0.29)],
    ]
    return Vehicle("suitcase", (Part(merge(parts)),))


def pram(color: Color) -> Vehicle:
    """Pushed before one: a hooded seat on four wheels."""
    parts = [
        rounded((0.70, 0.42, 0.24), (0.62, 0, 0.62), color, 0.1, 3.2),
        ellipsoid((0.48, 0, 0.72), (0.34, 0.24, 0.36), tuple(0.8 * c for c in color), 0.05, 6, 14, 0.0, 0.5),
        *[tube([[0.95, s * 0.24, 0.14], [0.55, s * 0.22, 0.50], [0.10, s * 0.20, 1.00]], 0.014, STEEL, 0.5, 6)
          for s in (-1, 1)],
        *[tube([[0.30, s * 0.24, 0.14], [0.70, s * 0.22, 0.52]], 0.014, STEEL, 0.5, 6) for s in (-1, 1)],
        tube([[0.10, -0.20, 1.00], [0.08, 0, 1.02], [0.10, 0.20, 1.00]], 0.018, BLACK, 0.1, 6),
        rounded((0.36, 0.30, 0.16), (0.58, 0, 0.30), (0.15, 0.15, 0.16), 0.1, 4),
    ]  # fmt: skip
    w = wheel(0.13, 0.05, (0.5, 0.5, 0.52))
    wheels = tuple(Part(w, (x, y, 0.13), 0.13) for x in (0.30, 0.95) for y in (-0.25, 0.25))
    return Vehicle("pram", (Part(merge(parts)), *wheels), (np.array([0.06, 0.16, 1.02]), np.array([0.06, -0.16, 1.02])))


def trolley(color: Color) -> Vehicle:
    """A two-wheeled shopping trolley, pushed before one by a long handle: the likest to a scooter's stem."""
    parts = [
        rounded((0.26, 0.34, 0.58), (0.40, 0, 0.52), color, 0.05, 5),
        *[
            tube([[0.44, s * 0.13, 0.10], [0.28, s * 0.13, 0.85], [0.10, s * 0.13, 1.00]], 0.012, STEEL, 0.5, 6)
            for s in (-1, 1)
        ],
        tube([[0.10, -0.15, 1.00], [0.10, 0.15, 1.00]], 0.018, BLACK, 0.1, 6),
    ]
    w = wheel(0.10, 0.04, (0.4, 0.4, 0.42))
    wheels = tuple(Part(w, (0.44, y, 0.10), 0.10) for y in (-0.2, 0.2))
    return Vehicle(
        "trolley", (Part(merge(parts)), *wheels), (np.array([0.06, 0.12, 1.02]), np.array([0.06, -0.12, 1.02]))
    )


def wheelchair(color: Color) -> Vehicle:
    """Rolled by who sits in it: hands on the rims."""
    parts = [
        rounded((0.44, 0.44, 0.08), (0.0, 0, 0.50), color, 0.1, 4),
        rounded((0.06, 0.44, 0.48), (-0.24, 0, 0.76), color, 0.1, 4),
        *[tube([[-0.24, s * 0.23, 0.98], [-0.24, s * 0.23, 0.45], [0.24, s * 0.23, 0.45], [0.34, s * 0.2, 0.12]],
               0.014, STEEL, 0.5, 6) for s in (-1, 1)],
        *[tube([[-0.24, s * 0.23, 0.98], [-0.36, s * 0.23, 0.99]], 0.016, BLACK, 0.1, 6) for s in (-1, 1)],
        *[box((0.30, 0.03, 0.03), (0.0, s * 0.25, 0.72), BLACK) for s in (-1, 1)],
        box((0.18, 0.36, 0.02), (0.40, 0, 0.10), BLACK),
    ]  # fmt: skip
    big, small = wheel(0.30, 0.035, STEEL, spokes=14), wheel(0.09, 0.04, (0.3, 0.3, 0.3))
    wheels = (
        *(Part(big, (-0.06, y, 0.30), 0.30) for y in (-0.29, 0.29)),
        *(Part(small, (0.30, y, 0.09), 0.09) for y in (-0.20, 0.20)),
    )
    return Vehicle(
        "wheelchair",
        (Part(merge(parts)), *wheels),
        (np.array([0.08, 0.30, 0.62]), np.array([0.08, -0.30, 0.62])),
        seat=np.array([-0.06, 0, 0.55]),
        pegs=(np.array([0.38, 0.08, 0.11]), np.array([0.38, -0.08, 0.11])),
    )


def other(kind: str, color: Color) -> Vehicle:
    return {"suitcase": suitcase, "pram": pram, "wheelchair": wheelchair, "trolley": trolley}[kind](color)
