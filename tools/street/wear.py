"""What people carry on the head and the back: helmets of several shapes, and what must not be taken for one."""

from __future__ import annotations

import numpy as np

from tools.street.bodies import BONE, Body
from tools.street.geometry import (
    Color,
    Mesh,
    apply,
    ellipsoid,
    loft,
    merge,
    mesh,
    rotation,
    rounded,
    scaling,
    translation,
    tube,
)

HELMETS = ("helmet-bike", "helmet-skate", "helmet-scooter", "helmet-full", "helmet-commuter")
OTHER_HEAD_WEAR = ("cap", "beanie", "hood", "bucket", "cap-back")
MORE_HELMETS = ("helmet-half", "helmet-round", "helmet-aero")
MORE_HEAD_WEAR = ("headphones", "straw", "beret", "visor")


def _shell(
    radii: tuple[float, float, float],
    center: tuple[float, float, float],
    front: float,
    back: float,
    color: Color,
    gloss: float,
    rows: int = 10,
    sides: int = 24,
) -> Mesh:
    """A dome over the head whose rim is at height ``front`` over the brow and ``back`` over the nape (head units)."""
    lon = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rim = np.interp(np.cos(lon), [-1, -0.2, 1], [back, (front + back) / 2 - 0.05, front])
    low = np.arcsin(np.clip((rim - center[2]) / radii[2], -0.95, 0.9))
    t = np.linspace(0, 1, rows + 1)[:, None]
    lat = low[None] * (1 - t) + (np.pi / 2 - 0.001) * t
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    outer = points * radii + center
    inner = points[0] * np.array(radii) * [0.80, 0.80, 1] + center
    shade = np.broadcast_to(np.asarray(color, float), (rows + 2, sides, 3)).copy()
    shade[0] = 0.03  # the dark inside of the rim
    return loft(np.concatenate([inner[None], outer]), shade, gloss, caps=False)


def helmet(kind: str, color: Color, color2: Color) -> Mesh:
    """In head coordinates (1 = half a head's height, x ahead, the head's centre at the origin).

    Real shells stand 3 to 4 cm off the skull: what tells them from a cap at fifteen pixels is their volume.
    """
    size = 1.05 if kind in ("helmet-full", "helmet-scooter") else 1.11
    return _helmet(kind, color, color2).moved(translation(0, 0, 0.25 * (1 - size) + 0.03) @ scaling(size))


def _helmet(kind: str, color: Color, color2: Color) -> Mesh:
    strap = (0.08, 0.08, 0.08)
    straps = [
        tube([[0.15, s * 0.70, 0.15], [0.25, s * 0.62, -0.5], [0.42, s * 0.2, -0.95]], 0.035, strap, 0.05, 4)
        for s in (-1, 1)
    ]
    if kind == "helmet-bike":
        parts = [_shell((1.16, 0.90, 0.90), (-0.05, 0, 0.32), 0.48, -0.02, color, 0.5)]
        for y in (-0.5, -0.17, 0.17, 0.5):
            slot = [
                [
                    x,
                    y * (1 - 0.25 * abs(x)),
                    0.32 + 0.905 * np.sqrt(max(0, 1 - ((x + 0.05) / 1.16) ** 2 - (y / 0.9) ** 2)) + 0.02,
                ]
                for x in (-0.8, -0.45, -0.1, 0.25, 0.6, 0.85)
            ]
            parts.append(tube(slot, [0.03, 0.07, 0.08, 0.08, 0.07, 0.03], color2, 0.1, 5))
        return merge([*parts, *straps])
    if kind == "helmet-commuter":
        parts = [_shell((1.14, 0.92, 0.92), (-0.05, 0, 0.30), 0.42, -0.1, color, 0.6)]
        parts.append(_shell((1.15, 0.93, 0.3), (-0.05, 0, 0.30), 0.42, 0.06, color2, 0.3, 3))
        visor = ellipsoid((0.85, 0, 0.46), (0.42, 0.6, 0.06), color2, 0.4, 4, 14)
        return merge([*parts, visor, *straps])
    if kind == "helmet-skate":
        parts = [_shell((1.12, 0.95, 0.98), (-0.06, 0, 0.26), 0.38, -0.42, color, 0.45)]
        for x in (-0.4, 0.05, 0.5):
            parts.append(ellipsoid((x, 0, 1.2 - 0.2 * abs(x)), (0.12, 0.09, 0.06), color2, 0.1, 4, 8))
        return merge([*parts, *straps])
    if kind == "helmet-scooter":
        parts = [_shell((1.20, 1.03, 1.05), (-0.05, 0, 0.22), 0.42, -0.75, color, 0.8, 12)]
        ears = [ellipsoid((0.05, s * 0.80, -0.15), (0.42, 0.2, 0.55), color, 0.7, 6, 10) for s in (-1, 1)]
        visor = [ellipsoid((0.80, 0, 0.52), (0.42, 0.78, 0.16), (0.10, 0.11, 0.13), 1.0, 6, 14)]
        band = [_shell((1.215, 1.045, 0.3), (-0.05, 0, 0.32), 0.40, 0.2, color2, 0.5, 3)]
        return merge([*parts, *ears, *visor, *band])
    if kind == "helmet-half":  # of a delivery rider: a plain half shell over the ears' tips
        parts = [_shell((1.18, 1.0, 1.02), (-0.05, 0, 0.24), 0.40, -0.28, color, 0.8, 12)]
        peak = ellipsoid((0.92, 0, 0.46), (0.34, 0.62, 0.07), color2, 0.6, 4, 14)
        return merge([*parts, peak, *straps])
    if kind == "helmet-round":  # a smooth urban bowl with a short brim all round
        dome = _shell((1.16, 0.98, 0.96), (-0.04, 0, 0.30), 0.36, -0.05, color, 0.35, 12)
        brim = _shell((1.26, 1.07, 0.18), (-0.04, 0, 0.22), 0.26, 0.02, color2, 0.35, 3)
        return merge([dome, brim, *straps])
    if kind == "helmet-aero":  # a racer's: drawn out to the back, with a visor of glass
        dome = _shell((1.16, 0.90, 0.90), (-0.05, 0, 0.32), 0.46, -0.05, color, 0.7, 12)
        tail = ellipsoid((-0.85, 0, 0.30), (0.62, 0.55, 0.42), color, 0.7, 6, 14)
        glass = ellipsoid((0.72, 0, 0.22), (0.36, 0.66, 0.20), (0.08, 0.09, 0.11), 1.0, 6, 14)
        return merge([dome, tail, glass, *straps])
    shell = ellipsoid((0.02, 0, 0.10), (1.25, 1.05, 1.20), color, 0.9, 14, 24)
    glass = ellipsoid((0.36, 0, 0.18), (0.98, 0.93, 0.50), (0.07, 0.08, 0.10), 1.0, 8, 20)
    chin = ellipsoid((0.52, 0, -0.62), (0.72, 0.72, 0.36), color2, 0.8, 6, 16)
    return merge([shell, glass, chin])


def _other(kind: str, color: Color, color2: Color) -> Mesh:
    if kind in ("cap", "cap-back"):
        dome = _shell((0.97, 0.77, 0.72), (-0.07, 0, 0.36), 0.46, 0.22, color, 0.02)
        brim = ellipsoid((1.12, 0, 0.42), (0.72, 0.66, 0.06), color2, 0.03, 4, 14)
        cap = merge([dome, brim, ellipsoid((-0.07, 0, 1.08), (0.07, 0.07, 0.04), color2, 0.05, 4, 6)])
        return cap.moved(rotation("z", np.pi)) if kind == "cap-back" else cap
    if kind == "beanie":
        return merge(
            [
                _shell((0.98, 0.80, 0.86), (-0.06, 0, 0.30), 0.34, -0.15, color, 0.0),
                _shell((1.01, 0.83, 0.3), (-0.06, 0, 0.18), 0.22, -0.1, color2, 0.0, 3),
            ]
        )
    if kind == "bucket":
        lon = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(lon) * 1.05 - 0.05, np.sin(lon) * 0.88, np.zeros(20)], -1)
        rings = [
            ring * [1.45, 1.45, 1] + [0, 0, 0.15],
            ring * [1.02, 1.02, 1] + [0, 0, 0.42],
            ring * [0.9, 0.9, 1] + [0, 0, 1.02],
            ring * [0.5, 0.5, 1] + [0, 0, 1.14],
        ]
        return loft(np.array(rings), color, 0.03)
    if kind == "straw":
        lon = np.linspace(0, 2 * np.pi, 22, endpoint=False)
        ring = np.stack([np.cos(lon) - 0.06, 0.85 * np.sin(lon), np.zeros(22)], -1)
        rings = [ring * [r, r, 1] + [0, 0, z] for r, z in ((2.0, 0.28), (1.05, 0.40), (0.95, 0.9), (0.6, 1.02))]
        return loft(np.array(rings), color, 0.03)
    if kind == "beret":
        return merge([
            ellipsoid((-0.18, 0.1, 0.80), (1.05, 0.98, 0.30), color, 0.02, 6, 16),
            _shell((0.95, 0.78, 0.5), (-0.06, 0, 0.40), 0.46, 0.25, color2, 0.02, 3),
        ])  # fmt: skip
    if kind == "visor":  # a brim on a band: the crown stays open
        band = _shell((0.99, 0.80, 0.25), (-0.06, 0, 0.38), 0.42, 0.26, color, 0.05, 3)
        return merge([band, ellipsoid((1.05, 0, 0.42), (0.70, 0.68, 0.05), color2, 0.1, 4, 14)])
    if kind == "headphones":
        arc = np.linspace(0, np.pi, 9)
        band = tube([[0, 0.86 * np.cos(a), 0.05 + 1.1 * np.sin(a)] for a in arc], 0.07, color, 0.4, 6)
        cups = [ellipsoid((0, s * 0.84, 0.0), (0.28, 0.14, 0.30), color2, 0.3, 6, 10) for s in (-1, 1)]
        return merge([band, *cups])
    # A hood: a soft shell open to the front, with folds down to the shoulders.
    shell = _shell((1.05, 0.92, 1.02), (-0.16, 0, 0.18), 0.55, -0.6, color, 0.02, 12)
    sides = [ellipsoid((-0.12, s * 0.66, -0.32), (0.55, 0.24, 0.66), color, 0.02, 6, 10) for s in (-1, 1)]
    return merge([shell, *sides, ellipsoid((-0.35, 0, -0.85), (0.75, 0.85, 0.32), color, 0.02, 6, 14)])


def worn(body: Body) -> list[tuple[Mesh, int]]:
    """Rigid parts in the body's rest frame, each with the bone that carries it."""
    look = body.look
    to_rest = translation(*body.head_center) @ scaling(body.head_half)
    parts: list[tuple[Mesh, int]] = []
    head = BONE["head"]
    if look.head_wear.startswith("helmet"):
        parts.append((helmet(look.head_wear, look.head_wear_color, look.head_wear_color2).moved(to_rest), head))
    elif look.head_wear:
        parts.append((_other(look.head_wear, look.head_wear_color, look.head_wear_color2).moved(to_rest), head))
    if look.long_hair and not look.bald:
        rings = []
        lon = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        for z, x, rx, ry in (
            (0.65, -0.2, 0.72, 0.80),
            (0.1, -0.32, 0.68, 0.90),
            (-0.5, -0.42, 0.55, 0.88),
            (-1.1, -0.46, 0.40, 0.86),
            (-1.6, -0.5, 0.26, 0.74),
            (-1.9, -0.52, 0.12, 0.55),
        ):
            rings.append(
                np.stack(
                    [x + rx * np.cos(lon) * np.where(np.cos(lon) > 0, 0.45, 1), ry * np.sin(lon), np.full(16, z)], -1
                )
            )
        parts.append((loft(np.array(rings)[::-1], look.hair, 0.15).moved(to_rest), head))
    if look.bun and not look.bald:
        parts.append((ellipsoid((-0.55, 0, 1.05), (0.40, 0.42, 0.38), look.hair, 0.15).moved(to_rest), head))
    if look.ponytail and not look.bald:
        tail = [[-0.75, 0, 0.55], [-1.15, 0, 0.35], [-1.25, 0, -0.3], [-1.05, 0, -1.0]]
        parts.append((tube(tail, [0.16, 0.2, 0.22, 0.08], look.hair, 0.15, 8).moved(to_rest), head))
    if look.glasses and look.head_wear not in ("helmet-full", "helmet-scooter"):
        dark = (0.05, 0.05, 0.06)
        glass = [ellipsoid((0.86, s * 0.31, 0.06), (0.05, 0.17, 0.11), dark, 0.9, 4, 10) for s in (-1, 1)]
        glass += [tube([[0.8, s * 0.55, 0.1], [0.0, s * 0.72, 0.12]], 0.025, dark, 0.5, 4) for s in (-1, 1)]
        parts.append((merge(glass).moved(to_rest), head))
    if look.backpack is not None:
        chest = BONE["spine_03"]
        k = body.height
        back = np.percentile(
            body.rest[(body.region[:, 1] > 0.66) & (body.region[:, 1] < 0.75) & (body.region[:, 0] < 0), 0], 2
        )
        bag = merge(
            [
                rounded((0.10 * k, 0.19 * k, 0.26 * k), (back - 0.035 * k, 0, 0.69 * k), look.backpack, 0.1, 4.0),
                rounded(
                    (0.05 * k, 0.14 * k, 0.12 * k),
                    (back - 0.09 * k, 0, 0.63 * k),
                    tuple(0.8 * c for c in look.backpack),
                    0.1,
                    4.0,
                ),
            ]
        )
        parts.append((bag, chest))
    parts += _bag(body) + _skirt(body)
    return parts


def _bag(body: Body) -> list[tuple[Mesh, int]]:
    look, k = body.look, body.height
    if look.bag is None:
        return []
    if look.bag_kind == "tote":  # hangs at the left hand
        x, y, z = body.joints[BONE["hand_l"]]
        sack = rounded((0.34, 0.10, 0.34), (x, y + 0.02, z - 0.36), look.bag, 0.05, 6)
        loops = tube([[x - 0.1, y, z - 0.2], [x, y, z - 0.04], [x + 0.1, y, z - 0.2]], 0.008, look.bag, 0.05, 4)
        return [(merge([sack, loops]).moved(_hanging(body)), BONE["lowerarm_l"])]
    side = 0.17 * k / 1.7
    strap_top = np.array([0.0, -0.06, 0.815 * k])
    sack = rounded((0.28, 0.10, 0.22), (-0.03, side + 0.05, 0.56 * k), look.bag, 0.1, 5)
    dark = tuple(0.7 * c for c in look.bag)
    strap = [
        tube([[s * 0.135, side, 0.60 * k], [s * 0.15, 0.04, 0.72 * k], strap_top], 0.014, dark, 0.1, 4) for s in (-1, 1)
    ]
    return [(merge([sack, *strap]), BONE["spine_02"])]


def _hanging(body: Body) -> np.ndarray:
    """The rest pose spreads the arms: what hangs from a hand is turned so that it hangs from a lowered arm."""
    elbow, hand = body.joints[BONE["lowerarm_l"]], body.joints[BONE["hand_l"]]
    d = hand - elbow
    angle = float(np.arctan2(d[1], -d[2]))
    return translation(*hand) @ rotation("x", angle) @ translation(*-hand)


def _skirt(body: Body) -> list[tuple[Mesh, int]]:
    """A skirt or the skirts of a coat: a cone from the waist, wide enough for a step."""
    look, k = body.look, body.height
    if not look.skirt:
        return []
    lon = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    ring = np.stack([np.cos(lon), np.sin(lon), np.zeros(18)], -1)
    waist = body.rest[np.abs(body.region[:, 1] - 0.60) < 0.015]
    waist = waist[np.abs(waist[:, 1]) < 0.2 * k / 1.7]
    middle, half = waist.mean(0), np.ptp(waist, axis=0) / 2 + 0.015
    rings = []
    for share, grow in ((0.0, 1.0), (0.3, 1.25), (0.7, 1.5), (1.0, 1.7)):
        z = 0.60 * k - share * look.skirt * k
        rings.append(ring * [half[0] * grow, half[1] * (1 + 0.62 * (grow - 1)), 1] + [middle[0], 0, z])
    return [(loft(np.array(rings)[::-1], look.skirt_color, 0.03), BONE["pelvis"])]


def held(body: Body) -> list[tuple[Mesh, int]]:
    """What is carried without being part of the person's outline: an umbrella over the head."""
    look = body.look
    if look.umbrella is None:
        return []
    x, y, z = body.joints[BONE["upperarm_r"]] + HANDLE
    top, radius = max(body.height + 0.16, z + 0.75), 0.52
    lon = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.stack([np.cos(lon), np.sin(lon), np.zeros(16)], -1)
    sag = 1 - 0.04 * (np.arange(16) % 2)[:, None]
    steps = ((1.0, -0.26), (0.93, -0.17), (0.7, -0.07), (0.36, -0.015), (0.03, 0.0))
    cover = loft(
        np.array([ring * radius * r * sag + [x - 0.04, y + 0.10, top + dz] for r, dz in steps]), look.umbrella, 0.25
    )
    stick = tube([[x, y, z - 0.06], [x - 0.04, y + 0.10, top + 0.06]], 0.010, (0.3, 0.3, 0.32), 0.4, 6)
    return [(merge([cover, stick]), BONE["spine_03"])]


HANDLE = np.array([0.26, 0.04, -0.20])
"""From the right shoulder to the hand that holds an umbrella, metres."""


def head_points(body: Body, parts: list[tuple[Mesh, int]]) -> np.ndarray:
    """Rest-frame points (n, 3) whose box is the head with its hair, cap or helmet (chin to crown)."""
    own = body.rest[(body.weights[:, BONE["head"]] > 0.5) & (body.head[:, 2] > -1.02)]
    extra = []
    for part, bone in parts:
        if bone == BONE["head"]:
            local = (part.positions - body.head_center) / body.head_half
            extra.append(part.positions[local[:, 2] > -1.0])
    return np.concatenate([own, *extra])


def carried(bone: int, body: Body, turn: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The 4x4 that takes a worn part from the rest frame to the posed body's frame."""
    m = np.eye(4)
    m[:3, :3] = turn[bone]
    m[:3, 3] = joints[bone] - turn[bone] @ body.joints[bone]
    return m


__all__ = ["HELMETS", "OTHER_HEAD_WEAR", "apply", "carried", "head_points", "helmet", "mesh", "worn"]
