"""Who moves where: a cut, or two on one vehicle, along a path over a scene's ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.pasted.cuts import Cut
from tools.pasted.scenes import PERSON_M, Scene

STEP_PX = 2.0
"""Paths are followed in steps of this length."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actor:
    """A rider (or somebody pushing or walking) from `begin_s` on."""

    cut: Cut
    passenger: Cut | None
    act: str
    way: str  # a path's name
    begin_s: float
    kmh: float
    tall: float  # of an average person's height
    sway: tuple[float, float]  # phases of bob and lean

    @property
    def rides(self) -> bool:
        return self.cut.scooter is not None and not self.cut.name.startswith("w")

    @property
    def people(self) -> tuple[Cut, ...]:
        return (self.cut, self.passenger) if self.passenger is not None else (self.cut,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A path by the seconds since its beginning."""

    seconds: np.ndarray  # (n,) increasing
    points: np.ndarray  # (n, 2) px of the scene

    @classmethod
    def of(cls, scene: Scene, name: str, kmh: float) -> Way:
        points = smooth(np.array(scene.paths[name], float))
        steps = np.linalg.norm(np.diff(scene.metres(points), axis=0), axis=1)
        return cls(seconds=np.concatenate([[0.0], np.cumsum(steps)]) / (kmh / 3.6), points=points)

    def at(self, second: float) -> np.ndarray | None:
        if not 0 <= second <= self.seconds[-1]:
            return None
        return np.array([np.interp(second, self.seconds, self.points[:, k]) for k in (0, 1)])


def smooth(corners: np.ndarray) -> np.ndarray:
    """Points every `STEP_PX` along a Catmull-Rom curve through the corners."""
    ends = np.vstack([2 * corners[0] - corners[1], corners, 2 * corners[-1] - corners[-2]])
    parts = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        number = max(2, int(np.linalg.norm(c - b) / STEP_PX))
        t = np.linspace(0, 1, number, endpoint=False)[:, None]
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack([*parts, corners[-1:]])


def view_of(scene: Scene, name: str) -> str:
    """Which side of a rider a camera sees on a path: left, right, near or far."""
    corners = np.array(scene.paths[name], float)
    across, down = corners[-1] - corners[0]
    if abs(across) > 0.75 * abs(down):
        return "right" if across > 0 else "left"
    return "near" if down > 0 else "far"


def scale_of(actor: Actor, scene: Scene, row: float, zoom: float) -> float:
    """Factor from px of the cut to px of the finished picture. Somebody on a deck stands with his feet a bit higher."""
    return float(scene.height_at(row)) * zoom * actor.tall / actor.cut.tall


def sway_of(actor: Actor, second: float) -> tuple[float, float]:
    """Bob (share of the height) and lean (radians). A walker bobs with every step."""
    bob, lean = (0.004, 0.022) if actor.rides else (0.012, 0.012)
    rate = 2.1 if actor.rides else 1.9
    return (
        bob * float(np.sin(2 * np.pi * (rate * second + actor.sway[0]))),
        lean * float(np.sin(2 * np.pi * (0.45 * second + actor.sway[1]))),
    )


__all__ = ["PERSON_M", "Actor", "Way", "scale_of", "smooth", "sway_of", "view_of"]
