"""Random people, vehicles and light, all from one seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from tools.street import vehicles
from tools.street.bodies import SHAPES, Look
from tools.street.geometry import Color
from tools.street.render import Light
from tools.street.vehicles import Vehicle
from tools.street.wear import HELMETS, OTHER_HEAD_WEAR

Item = TypeVar("Item")

SKINS: list[Color] = [
    (0.86, 0.69, 0.57),
    (0.80, 0.62, 0.50),
    (0.74, 0.56, 0.44),
    (0.90, 0.75, 0.65),
    (0.62, 0.45, 0.34),
    (0.42, 0.29, 0.22),
]
CLOTHES: list[Color] = [
    (0.92, 0.92, 0.90),
    (0.08, 0.08, 0.09),
    (0.15, 0.18, 0.30),
    (0.45, 0.46, 0.48),
    (0.70, 0.68, 0.62),
    (0.60, 0.12, 0.14),
    (0.20, 0.34, 0.24),
    (0.30, 0.42, 0.62),
    (0.82, 0.72, 0.55),
    (0.35, 0.26, 0.20),
    (0.85, 0.55, 0.60),
    (0.85, 0.70, 0.20),
    (0.25, 0.25, 0.27),
]
TROUSERS: list[Color] = [
    (0.10, 0.11, 0.13),
    (0.16, 0.20, 0.30),
    (0.30, 0.38, 0.50),
    (0.55, 0.50, 0.42),
    (0.35, 0.35, 0.36),
    (0.75, 0.72, 0.66),
    (0.20, 0.17, 0.15),
    (0.22, 0.25, 0.18),
]
HAIRS: list[Color] = [
    (0.05, 0.045, 0.04),
    (0.08, 0.06, 0.05),
    (0.16, 0.10, 0.07),
    (0.35, 0.22, 0.13),
    (0.62, 0.60, 0.58),
    (0.50, 0.36, 0.2),
]
CAPS: list[Color] = [
    (0.07, 0.07, 0.075),
    (0.13, 0.16, 0.26),
    (0.68, 0.62, 0.52),
    (0.9, 0.9, 0.88),
    (0.33, 0.34, 0.36),
    (0.4, 0.14, 0.15),
]
HELMET_COLORS: list[Color] = [
    (0.93, 0.93, 0.92),
    (0.06, 0.06, 0.065),
    (0.75, 0.10, 0.10),
    (0.12, 0.25, 0.60),
    (0.92, 0.78, 0.12),
    (0.15, 0.55, 0.35),
    (0.55, 0.56, 0.58),
    (0.90, 0.45, 0.12),
    (0.85, 0.6, 0.68),
    (0.20, 0.22, 0.26),
]
ACCENTS: list[Color] = [
    (0.20, 0.78, 0.45),
    (0.92, 0.92, 0.92),
    (0.95, 0.75, 0.10),
    (0.90, 0.30, 0.20),
    (0.42, 0.25, 0.70),
    (0.10, 0.65, 0.75),
    (0.30, 0.30, 0.32),
    (0.95, 0.45, 0.60),
]
CARS: list[Color] = [
    (0.90, 0.90, 0.90),
    (0.06, 0.06, 0.07),
    (0.55, 0.56, 0.58),
    (0.30, 0.31, 0.33),
    (0.15, 0.22, 0.40),
    (0.55, 0.10, 0.10),
    (0.75, 0.72, 0.66),
    (0.85, 0.5, 0.1),
]


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    return items[int(rng.integers(len(items)))]


def varied(rng: np.random.Generator, color: Color, by: float = 0.06) -> Color:
    return tuple(float(np.clip(c + rng.normal(0, by), 0.02, 0.98)) for c in color)


def random_look(rng: np.random.Generator, *, helmet: bool | None = None, adult: bool = False) -> Look:
    """``helmet`` true: one of the helmets; else a bare head, sometimes with a cap, a hood or a bun."""
    shapes = [s for s in SHAPES if not adult or s not in ("boy", "girl")]
    shape = str(pick(rng, shapes))
    woman = shape.startswith(("woman", "girl"))
    child = shape in ("boy", "girl")
    height = rng.normal(1.38, 0.1) if child else rng.normal(1.61 if woman else 1.74, 0.06)
    old = shape.endswith("old")
    summer = rng.random() < 0.45
    head_wear, c1, c2 = "", (0.9, 0.9, 0.9), (0.1, 0.1, 0.1)
    if helmet:
        head_wear = str(pick(rng, list(HELMETS)))
        c1 = varied(rng, pick(rng, HELMET_COLORS), 0.04)
        c2 = pick(rng, [(0.06, 0.06, 0.07), (0.9, 0.9, 0.9), c1])
    elif rng.random() < 0.2:
        head_wear = str(pick(rng, list(OTHER_HEAD_WEAR)))
        c1 = varied(rng, pick(rng, CAPS), 0.03)
        c2 = c1 if rng.random() < 0.6 else varied(rng, pick(rng, CLOTHES))
    top = varied(rng, pick(rng, CLOTHES))
    if head_wear == "hood":
        c1 = top
    hair = pick(rng, HAIRS[4:5] * 3 + HAIRS[:1]) if old else pick(rng, HAIRS[:3] * 3 + HAIRS[3:])
    return Look(
        shape=shape,
        height_m=float(np.clip(height, 1.2, 1.95)),
        skin=varied(rng, pick(rng, SKINS[:4] * 3 + SKINS), 0.025),
        hair=hair,
        top=top,
        top2=varied(rng, pick(rng, CLOTHES)),
        pattern=int(rng.choice([0, 0, 0, 1, 2, 3, 4, 4])),
        bottom=varied(rng, pick(rng, TROUSERS), 0.04),
        shoes=varied(rng, pick(rng, [(0.92, 0.92, 0.92), (0.08, 0.08, 0.08), (0.4, 0.3, 0.22), (0.5, 0.5, 0.55)])),
        sleeve=float(rng.choice([0.28, 0.32, 0.45]) if summer else rng.choice([0.95, 0.97, 0.7])),
        trousers_end=float(rng.choice([0.48, 0.58, 0.08, 0.05]) if summer else rng.choice([0.03, 0.06, 0.1])),
        hem=float(rng.uniform(0.47, 0.53) if not woman or rng.random() < 0.6 else rng.uniform(0.40, 0.56)),
        loose=float(rng.uniform(0.4, 1.8)),
        hair_volume=float(rng.uniform(0.6, 1.5)),
        bald=bool(not woman and rng.random() < 0.05),
        long_hair=bool(woman and rng.random() < 0.6),
        bun=bool(woman and not head_wear and rng.random() < 0.25),
        head_wear=head_wear,
        head_wear_color=c1,
        head_wear_color2=c2,
        mask=(pick(rng, [(0.93, 0.93, 0.93), (0.08, 0.08, 0.08), (0.55, 0.7, 0.8)]) if rng.random() < 0.2 else None),
        glasses=bool(rng.random() < 0.25),
        backpack=(varied(rng, pick(rng, CLOTHES)) if rng.random() < 0.3 else None),
        gloves=bool(rng.random() < 0.1),
    )


def random_scooter(rng: np.random.Generator) -> Vehicle:
    body = pick(rng, [(0.05, 0.05, 0.055), (0.12, 0.12, 0.13), (0.85, 0.85, 0.85), (0.30, 0.31, 0.33)])
    return vehicles.scooter(
        body,
        varied(rng, pick(rng, ACCENTS), 0.04),
        big=bool(rng.random() < 0.6),
        basket=bool(rng.random() < 0.12),
        battery=bool(rng.random() < 0.3),
    )


def random_vehicle(rng: np.random.Generator, kind: str) -> Vehicle:
    if kind == "scooter":
        return random_scooter(rng)
    if kind == "bicycle":
        return vehicles.bicycle(
            varied(rng, pick(rng, CLOTHES)), basket=bool(rng.random() < 0.5), step_through=bool(rng.random() < 0.5)
        )
    if kind == "motorcycle":
        return vehicles.motorcycle(
            varied(rng, pick(rng, CARS)), varied(rng, pick(rng, CLOTHES)) if rng.random() < 0.5 else None
        )
    return vehicles.car(varied(rng, pick(rng, CARS), 0.03), str(pick(rng, list(vehicles.CAR_SHAPES))))


def random_light(rng: np.random.Generator) -> Light:
    """Sun, thin cloud, overcast, low evening sun; now and then dusk under street lamps."""
    kind = rng.choice(["sun", "sun", "hazy", "overcast", "evening", "dusk"])
    azimuth = rng.uniform(0, 2 * np.pi)
    height = {
        "sun": rng.uniform(0.7, 1.25),
        "hazy": rng.uniform(0.6, 1.2),
        "overcast": 1.2,
        "evening": rng.uniform(0.25, 0.5),
        "dusk": 0.9,
    }[kind]
    sun = (float(np.cos(azimuth) * np.cos(height)), float(np.sin(azimuth) * np.cos(height)), float(np.sin(height)))
    exposure = float(rng.uniform(0.62, 0.95))
    if kind == "sun":
        return Light(sun=sun, sun_color=(2.7, 2.5, 2.2), sky=(0.50, 0.60, 0.80), exposure=exposure * 0.85)
    if kind == "hazy":
        return Light(sun=sun, sun_color=(1.4, 1.3, 1.15), sky=(0.80, 0.84, 0.90), exposure=exposure)
    if kind == "overcast":
        return Light(
            sun=sun,
            sun_color=(0.35, 0.35, 0.35),
            sky=(1.15, 1.2, 1.28),
            bounce=(0.3, 0.3, 0.3),
            exposure=exposure,
            haze=0.005,
        )
    if kind == "evening":
        return Light(
            sun=sun, sun_color=(2.6, 1.8, 1.05), sky=(0.55, 0.58, 0.72), haze_color=(0.75, 0.62, 0.5), exposure=exposure
        )
    return Light(
        sun=sun,
        sun_color=(0.06, 0.07, 0.09),
        sky=(0.30, 0.34, 0.46),
        bounce=(0.12, 0.11, 0.10),
        haze_color=(0.2, 0.22, 0.3),
        exposure=exposure * 1.1,
    )
