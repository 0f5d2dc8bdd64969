"""Fills a training picture: riders, pushers, walkers, what stands parked and what must not be taken for any of it."""

from __future__ import annotations

import numpy as np

from tools.street import layout, others, surfaces, wardrobe
from tools.street.actors import Human, Place, Stage, Unit
from tools.street.camera import Camera
from tools.street.geometry import Array


class Crowd:
    """Puts units where the camera looks, no two on one spot."""

    def __init__(
        self,
        rng: np.random.Generator,
        plan: surfaces.Plan,
        camera: Camera,
        mood: str,
        cast: wardrobe.Wardrobe = wardrobe.TRAINING,
    ) -> None:
        self.rng, self.plan, self.camera, self.cast = rng, plan, camera, cast
        self.rainy = mood.startswith("rain")
        self.stage = Stage()
        self.units: list[tuple[Unit, Array]] = []
        self.taken: list[tuple[float, float, float]] = []
        self.track = 0

    def _on(self, where: str, y: float) -> bool:
        plan = self.plan
        edge = plan.road_half + (plan.walk_left if y > 0 else plan.walk_right)
        if plan.kind == "path":
            return abs(y) < (plan.road_half if where != "any" else plan.road_half + 2.0) - 0.3
        if plan.kind == "plaza":
            return abs(y) < edge - 1.0
        if where == "walk":
            return abs(y) > plan.road_half + 0.9 and abs(y) < edge - 0.8
        if where == "road":
            return abs(y) < plan.road_half - 0.5
        return abs(y) < edge - 0.7

    def spot(self, radius: float, where: str, near: float = 0.0, far: float = 40.0) -> tuple[float, float] | None:
        """A free place in view: on the road, the walk, or any of both."""
        rng, c = self.rng, self.camera
        for _ in range(60):
            px = np.array([[rng.uniform(0.03, 0.97) * c.width, rng.uniform(0.12, 1.05) * c.height]])
            x, y = c.to_ground(px)[0]
            distance = np.hypot(x - c.position[0], y - c.position[1])
            ahead = (np.array([x, y, 0.0]) - c.position) @ c.axes()[2]
            if ahead < 1 or not near < distance < far or not self.plan.x0 < x < self.plan.x1:
                continue
            if not self._on(where, y):
                continue
            if any((x - a) ** 2 + (y - b) ** 2 < (r + radius) ** 2 for a, b, r in self.taken):
                continue
            self.taken.append((x, y, radius))
            return float(x), float(y)
        return None

    def next_track(self) -> int:
        self.track += 1
        return self.track

    def human(self, helmet: bool, *, adult: bool = False, hat: float = 0.22, umbrella: float = 0.0) -> Human:
        look = wardrobe.look(self.rng, self.cast, helmet=helmet, adult=adult, hat=hat, umbrella=umbrella)
        return Human(self.next_track(), look)

    def put(self, unit: Unit, at: tuple[float, float], heading: float, speed: float) -> None:
        z = layout.floor_z(self.plan, *at)
        place = Place(at[0], at[1], z, heading, float(self.rng.uniform(0, 50)), speed)
        self.stage.add(unit, place, float(self.rng.uniform(0, 9)))
        moving = speed if unit.mode in ("walk", "push", "ride") else 0.0
        self.units.append((unit, moving * np.array([np.cos(heading), np.sin(heading)])))

    def heading(self, spread: float = 0.15) -> float:
        rng = self.rng
        if rng.random() < (0.6 if self.plan.kind == "plaza" else 0.2):
            return float(rng.uniform(0, 2 * np.pi))
        return float(rng.choice([0, np.pi]) + rng.normal(0, spread))

    def glance(self) -> tuple[float, float]:
        return float(self.rng.normal(0, 0.35)), float(self.rng.normal(0.1, 0.12))

    def walker(self) -> None:
        rng = self.rng
        at = self.spot(0.45, "any" if rng.random() < 0.25 else "walk", 2.5, 32)
        if not at:
            return
        human = self.human(bool(rng.random() < 0.06), hat=0.35, umbrella=0.55 if self.rainy else 0.05)
        mode = "walk" if rng.random() < 0.8 else "stand"
        unit = Unit(mode, [human], phase=rng.random(), glance=self.glance())
        self.put(unit, at, self.heading(), rng.uniform(0.7, 1.8))

    def rider(self, kind: str, two: float = 0.25, helmet: float = 0.55, far: float = 24.0) -> None:
        rng = self.rng
        at = self.spot(0.9, "any" if kind != "motorcycle" else "road", 3.0, far)
        if not at:
            return
        crew = [self.human(bool(rng.random() < helmet), adult=True)]
        if rng.random() < two:
            crew.append(self.human(bool(rng.random() < helmet * 0.7)))
        vehicle = wardrobe.vehicle(rng, self.cast, kind)
        first = bool(rng.random() < 0.6)
        unit = Unit("ride", crew, vehicle, self.next_track(), left_first=first, glance=self.glance())
        self.put(unit, at, self.heading(), rng.uniform(2, 6))

    def pusher(self, kind: str) -> None:
        rng = self.rng
        at = self.spot(0.8, "any", 3.0, 24)
        if not at:
            return
        human = self.human(bool(rng.random() < 0.25), adult=True, hat=0.3)
        vehicle = wardrobe.vehicle(rng, self.cast, kind, standing=True)
        side = float(rng.choice([-1, 1]) * rng.uniform(0.36, 0.46))
        mode = "ride" if kind == "wheelchair" else "push"
        unit = Unit(mode, [human], vehicle, self.next_track(), rng.random(), push_side=side, glance=self.glance())
        self.put(unit, at, self.heading(), rng.uniform(0.7, 1.4))

    def parked(self, kind: str) -> None:
        rng = self.rng
        if kind == "car":
            at = self.spot(2.3, "road", 9, 40) if self.plan.has_road else None
            heading = float(rng.choice([0, np.pi]))
        else:
            at = self.spot(0.6, "walk" if rng.random() < 0.8 else "any", 2.5, 28)
            heading = float(rng.uniform(0, 2 * np.pi))
        if not at:
            return
        row = int(rng.integers(1, 4)) if kind == "scooter" and rng.random() < 0.4 else 0
        for k in range(row + 1):
            near = (at[0] + 0.55 * k * np.sin(heading), at[1] - 0.55 * k * np.cos(heading))
            if k and not self._on("walk", near[1]):
                continue
            unit = Unit("still", [], wardrobe.vehicle(rng, self.cast, kind), self.next_track())
            self.put(unit, near, heading + (rng.normal(0, 0.06) if k else 0), 0.0)
        if kind == "scooter" and not row and rng.random() < 0.3:  # somebody stands right beside it
            beside = (at[0] + 0.5 * np.sin(heading), at[1] - 0.5 * np.cos(heading))
            human = self.human(bool(rng.random() < 0.2), adult=True, hat=0.3)
            self.put(Unit("stand", [human], glance=self.glance()), beside, heading + rng.normal(0, 0.8), 0.0)


def populate(
    rng: np.random.Generator, plan: surfaces.Plan, camera: Camera, mood: str = "sun"
) -> tuple[Stage, list[tuple[Unit, Array]]]:
    """Who is in the picture, and with what velocity (2,) in m/s."""
    crowd = Crowd(rng, plan, camera, mood)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        crowd.parked("car")
    theme = rng.choice(["scooter", "scooter", "scooter", "mixed", "walk", "two", "push"])
    for _ in range({"scooter": int(rng.integers(1, 4)), "mixed": 1, "two": 1}.get(str(theme), 0)):
        crowd.rider("scooter", two=0.15, far=20 if rng.random() < 0.7 else 30)
    if theme == "two":
        crowd.rider("scooter", two=1.0, far=18)
    if theme == "push" or rng.random() < 0.2:
        crowd.pusher("scooter" if rng.random() < 0.7 else "bicycle")
    if rng.random() < (0.6 if theme in ("walk", "push") else 0.2):
        crowd.pusher(str(rng.choice(list(others.KINDS))))
    if theme == "mixed" or rng.random() < 0.3:
        crowd.rider("bicycle", two=0.0, helmet=0.4)
    if plan.has_road and (theme == "mixed" or rng.random() < 0.15):
        crowd.rider("motorcycle", two=0.3, helmet=0.75)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        crowd.parked("scooter")
    if rng.random() < 0.25:
        crowd.parked(str(rng.choice(["bicycle", "motorcycle"])))
    for _ in range(int(rng.integers(0, 5)) + (3 if theme == "walk" else 0)):
        crowd.walker()
    return crowd.stage, crowd.units
