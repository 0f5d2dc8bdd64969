"""Who may be cast: bodies, clothes, head wear and vehicles, divided between training pictures and test recordings.

The two never share a body, a palette, a scooter's shape or a fleet's colours; the test's heads also wear helmets and
hats that no training picture shows. What both share is in ``people``, ``vehicles`` and ``wear``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tools.street import others, scooters, vehicles, wear
from tools.street import people as common
from tools.street.bodies import SHAPES, Look
from tools.street.geometry import Color
from tools.street.people import pick, varied
from tools.street.vehicles import Vehicle

Palette = tuple[Color, ...]
Fleet = tuple[tuple[Color, Color, Color | None], ...]


@dataclass(frozen=True, kw_only=True)
class Wardrobe:
    name: str
    shapes: tuple[str, ...]
    clothes: Palette
    trousers: Palette
    helmets: tuple[str, ...]
    helmet_colors: Palette
    hats: tuple[str, ...]
    hat_colors: Palette
    umbrellas: Palette
    scooters: dict[str, scooters.Shape]
    fleets: Fleet  # body, accent, stem


BLACK, WHITE, GREY = (0.05, 0.05, 0.055), (0.86, 0.86, 0.86), (0.30, 0.31, 0.33)

TRAINING = Wardrobe(
    name="training",
    shapes=(
        *SHAPES,
        "man+man-old", "man-heavy+man-old", "man-slim+man-tall", "woman+woman-heavy", "woman-slim+woman-old",
        "man+man-tall", "woman+woman-slim", "man-slim+woman", "boy+man-slim", "girl+woman-slim",
    ),
    clothes=(*common.CLOTHES, (0.55, 0.58, 0.40), (0.75, 0.38, 0.22), (0.62, 0.70, 0.80)),
    trousers=tuple(common.TROUSERS),
    helmets=(*wear.HELMETS, "helmet-half"),
    helmet_colors=(*common.HELMET_COLORS, (0.75, 0.76, 0.78), (0.10, 0.11, 0.13), (0.95, 0.95, 0.94)),
    hats=(*wear.OTHER_HEAD_WEAR, "cap", "cap", "hood", "headphones", "straw", "visor"),
    hat_colors=(*common.CAPS, (0.20, 0.34, 0.24), (0.80, 0.72, 0.66), (0.82, 0.2, 0.2), (0.25, 0.35, 0.6)),
    umbrellas=((0.07, 0.07, 0.08), (0.14, 0.17, 0.32), (0.70, 0.12, 0.14), (0.88, 0.88, 0.86), (0.85, 0.72, 0.15)),
    scooters=scooters.TRAINING,
    fleets=(
        (BLACK, (0.20, 0.78, 0.45), None),
        (WHITE, (0.20, 0.70, 0.40), None),
        (BLACK, (0.95, 0.75, 0.10), (0.95, 0.75, 0.10)),
        (GREY, (0.90, 0.30, 0.20), None),
        (WHITE, (0.42, 0.25, 0.70), (0.42, 0.25, 0.70)),
        (BLACK, (0.10, 0.65, 0.75), None),
        ((0.12, 0.12, 0.13), (0.30, 0.30, 0.32), None),
        (BLACK, (0.95, 0.45, 0.60), None),
        (BLACK, (0.92, 0.92, 0.92), (0.80, 0.80, 0.80)),
    ),
)  # fmt: skip

TEST = Wardrobe(
    name="test",
    shapes=(
        "man-strong+man-tall", "man-heavy+man-strong", "man+man-slim", "man-old+man-tall", "man-heavy+man-tall",
        "man+man-heavy", "woman+woman-fit", "woman-fit+woman-heavy", "woman+woman-old", "woman-slim+woman-fit",
        "woman-heavy+woman-old", "man-strong+woman-fit", "boy+man", "girl+woman",
    ),
    clothes=(
        (0.78, 0.80, 0.83), (0.12, 0.12, 0.14), (0.22, 0.27, 0.22), (0.33, 0.16, 0.24), (0.18, 0.40, 0.48),
        (0.88, 0.83, 0.70), (0.50, 0.30, 0.15), (0.42, 0.36, 0.58), (0.76, 0.25, 0.30), (0.58, 0.66, 0.30),
        (0.93, 0.60, 0.35), (0.10, 0.22, 0.42), (0.55, 0.50, 0.46),
    ),
    trousers=(
        (0.13, 0.13, 0.15), (0.24, 0.29, 0.40), (0.42, 0.46, 0.52), (0.48, 0.40, 0.30), (0.62, 0.60, 0.58),
        (0.28, 0.24, 0.26), (0.18, 0.24, 0.30), (0.32, 0.32, 0.24),
    ),
    helmets=(*wear.HELMETS, *wear.HELMETS, "helmet-round", "helmet-aero", "helmet-half"),
    helmet_colors=(
        (0.88, 0.89, 0.91), (0.09, 0.09, 0.10), (0.10, 0.45, 0.50), (0.62, 0.80, 0.20), (0.45, 0.28, 0.62),
        (0.62, 0.16, 0.20), (0.35, 0.42, 0.50), (0.80, 0.62, 0.42), (0.20, 0.32, 0.72), (0.66, 0.68, 0.70),
    ),
    hats=("cap", "cap", "cap-back", "beanie", "hood", "bucket", "beret", "straw"),
    hat_colors=((0.10, 0.11, 0.10), (0.24, 0.24, 0.36), (0.55, 0.50, 0.44), (0.82, 0.82, 0.80), (0.35, 0.18, 0.2),
                (0.16, 0.36, 0.40)),
    umbrellas=((0.10, 0.12, 0.12), (0.10, 0.34, 0.36), (0.45, 0.16, 0.34), (0.62, 0.64, 0.66)),
    scooters=scooters.TEST,
    fleets=(
        ((0.08, 0.09, 0.10), (0.55, 0.85, 0.20), None),
        ((0.78, 0.79, 0.80), (0.10, 0.35, 0.75), (0.10, 0.35, 0.75)),
        ((0.20, 0.22, 0.25), (0.85, 0.20, 0.45), None),
        ((0.07, 0.07, 0.08), (0.98, 0.55, 0.10), (0.98, 0.55, 0.10)),
        ((0.40, 0.42, 0.44), (0.15, 0.15, 0.16), None),
        ((0.10, 0.16, 0.15), (0.10, 0.55, 0.50), (0.70, 0.72, 0.72)),
    ),
)  # fmt: skip


def look(
    rng: np.random.Generator,
    wardrobe: Wardrobe,
    *,
    helmet: bool = False,
    hat: float = 0.25,
    umbrella: float = 0.0,
    adult: bool = False,
) -> Look:
    """A person of the wardrobe; ``hat`` and ``umbrella`` are chances for who wears no helmet."""
    base = common.random_look(rng, helmet=helmet, adult=adult)
    shape = str(pick(rng, [s for s in wardrobe.shapes if not adult or not s.startswith(("boy", "girl"))]))
    woman, child = "woman" in shape.split("+")[0] or shape.startswith("girl"), shape.startswith(("boy", "girl"))
    height = rng.normal(1.42, 0.1) if child else rng.normal(1.61 if woman else 1.74, 0.06)
    top, bottom = varied(rng, pick(rng, wardrobe.clothes)), varied(rng, pick(rng, wardrobe.trousers), 0.04)
    new = replace(
        base,
        shape=shape,
        height_m=float(np.clip(height, 1.2, 1.95)),
        top=top,
        top2=varied(rng, pick(rng, wardrobe.clothes)),
        bottom=bottom,
        bald=bool(not woman and rng.random() < 0.06),
        long_hair=bool(woman and rng.random() < 0.5),
        backpack=varied(rng, pick(rng, wardrobe.clothes)) if base.backpack is not None else None,
        bun=False,
    )
    knot = rng.random()
    new = replace(
        new, bun=bool(woman and knot < 0.25), ponytail=bool(woman and not new.long_hair and 0.25 < knot < 0.6)
    )
    if rng.random() < 0.35 and new.backpack is None:
        kind = str(pick(rng, ["crossbody", "crossbody", "tote"]))
        new = replace(new, bag=varied(rng, pick(rng, wardrobe.clothes)), bag_kind=kind)
    if rng.random() < (0.3 if woman else 0.1):
        coat = rng.random() < 0.5
        new = replace(
            new,
            skirt=float(rng.uniform(0.14, 0.28)),
            skirt_color=top if coat else varied(rng, pick(rng, wardrobe.clothes)),
        )
    return _headed(rng, new, wardrobe, helmet, hat, umbrella)


def _headed(
    rng: np.random.Generator, base: Look, wardrobe: Wardrobe, helmet: bool, hat: float, umbrella: float
) -> Look:
    if helmet:
        color = varied(rng, pick(rng, wardrobe.helmet_colors), 0.04)
        second = pick(rng, [(0.06, 0.06, 0.07), (0.85, 0.85, 0.85), color])
        kind = str(pick(rng, wardrobe.helmets))
        return replace(base, head_wear=kind, head_wear_color=color, head_wear_color2=second, bun=False)
    under = varied(rng, pick(rng, wardrobe.umbrellas), 0.03) if rng.random() < umbrella else None
    if rng.random() >= hat:
        return replace(base, head_wear="", umbrella=under)
    kind = str(pick(rng, wardrobe.hats))
    color = base.top if kind == "hood" else varied(rng, pick(rng, wardrobe.hat_colors), 0.03)
    second = color if rng.random() < 0.6 else varied(rng, pick(rng, wardrobe.clothes))
    return replace(base, head_wear=kind, head_wear_color=color, head_wear_color2=second, bun=False, umbrella=under)


def vehicle(rng: np.random.Generator, wardrobe: Wardrobe, kind: str, *, standing: bool = False) -> Vehicle:
    """One of ``kind`` (scooter, bicycle, motorcycle, car, or one of ``others.KINDS``); ``standing``: no seat."""
    if kind == "scooter":
        models = [s for s in wardrobe.scooters.values() if not (standing and s.seat_z)]
        body, accent, stem = pick(rng, wardrobe.fleets)
        return scooters.escooter(pick(rng, models), varied(rng, body, 0.02), varied(rng, accent, 0.04), stem)
    if kind in others.KINDS:
        return others.other(kind, varied(rng, pick(rng, wardrobe.clothes)))
    if kind == "bicycle":
        return vehicles.bicycle(
            varied(rng, pick(rng, wardrobe.clothes)),
            basket=bool(rng.random() < 0.5),
            step_through=bool(rng.random() < 0.5),
        )
    return common.random_vehicle(rng, kind)
