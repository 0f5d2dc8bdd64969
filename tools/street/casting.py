"""Acts of the test street: who does what, on which way through a site, and what of it breaches a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tools.street import others, wardrobe
from tools.street.actors import Human, Unit
from tools.street.acts import Act, Route, Still
from tools.street.sites import Site
from tools.street.vehicles import Vehicle

Points = tuple[tuple[float, float], ...]
Template = Callable[[float], Act]
"""An act that begins at a given second."""


class Casting:
    """Hands out tracks and seeded people, and knows the ways through one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.rng = np.random.default_rng([site.seed, site.number])
        self.cast = site.cast
        self.last = 0

    # --- who

    def track(self) -> int:
        self.last += 1
        return self.last

    def human(self, *, helmet: bool = False, hat: float = 0.3, adult: bool = True, wear: str = "") -> Human:
        umbrella = 0.6 if self.site.mood.startswith("rain") and not adult else 0.0
        look = wardrobe.look(self.rng, self.cast, helmet=helmet, hat=hat, umbrella=umbrella, adult=adult)
        if wear:
            color = look.top if wear == "hood" else self.cast.hat_colors[self.last % len(self.cast.hat_colors)]
            look = replace(look, head_wear=wear, head_wear_color=color, head_wear_color2=color, bun=False)
        return Human(self.track(), look)

    def vehicle(self, kind: str, *, standing: bool = False) -> Vehicle:
        return wardrobe.vehicle(self.rng, self.cast, kind, standing=standing)

    def glance(self) -> tuple[float, float]:
        return float(self.rng.normal(0, 0.2)), float(self.rng.normal(0.08, 0.06))

    # --- where

    def along(self, y: float, way: int) -> Points:
        """Straight through the picture at ``y``: from far away to under the camera, or the other way about."""
        w = self.site.way
        y2 = y + float(self.rng.uniform(-0.2, 0.2))
        points = ((32.0 * w, y), (8.0 * w, y2), (-13.0 * w, y2))
        return points if way == -w else points[::-1]

    def lane(self, *, against: bool = False, far: bool | None = None) -> Points:
        """Along a lane, with its direction or against it; on a plaza its open strip, on a path the cycle half."""
        site, rng = self.site, self.rng
        if site.kind == "plaza":
            return self.along(-site.far * rng.uniform(0.4, 2.2), int(rng.choice([-1, 1])))
        if site.kind == "path":
            return self.along(rng.uniform(0.9, site.plan.road_half - 0.6), 1 if against else -1)
        use_far = rng.random() < 0.4 if far is None else far
        y = (site.far if use_far else site.side) * rng.uniform(0.38, 0.58) * site.plan.road_half
        way = 1 if y < 0 else -1
        return self.along(y, -way if against else way)

    def walk_y(self) -> float:
        site = self.site
        if site.kind == "plaza":
            return float(site.far * self.rng.uniform(3.0, 5.6))
        if site.kind == "path":
            return float(-self.rng.uniform(0.5, site.plan.road_half - 1.5))
        return float(site.far * (site.plan.road_half + self.rng.uniform(1.55, min(site.walk - 1.2, 2.8))))

    def sidewalk(self) -> Points:
        return self.along(self.walk_y(), int(self.rng.choice([-1, 1])))

    def stroll(self) -> Points:
        """A walker's shorter way along the sidewalk, from where he is seen well."""
        y, w = self.walk_y(), self.site.way
        points = ((17.0 * w, y), (3.0 * w, y + 0.2), (-11.0 * w, y))
        return points if self.rng.random() < 0.5 else points[::-1]

    def over_crosswalk(self) -> Points:
        """Across the road on the crosswalk; at a junction over the side road's."""
        site = self.site
        plan, s = site.plan, site.far
        if plan.crosswalk_x is not None:
            x = plan.crosswalk_x + self.rng.uniform(-0.5, 0.5)
            points: Points = ((x, s * 14), (x, s * plan.road_half), (x, -s * plan.road_half), (x, -s * 11))
            return points if self.rng.random() < 0.6 else points[::-1]
        return self.along(s * (plan.road_half + 1.9), int(self.rng.choice([-1, 1])))

    def turning_in(self) -> Points:
        """From the lane across the sidewalk into a gate, or into the side road."""
        site = self.site
        plan, s, w = site.plan, site.far, site.way
        x = plan.side_road[0] if plan.kind == "junction" else sum(site.gate) / 2
        y = w * 0.5 * plan.road_half  # of the lane that leads towards the camera
        return ((32 * w, y), (x + 6 * w, y), (x + 0.8 * w, 0.3 * y), (x, s * plan.road_half), (x, s * 8), (x, s * 15))

    # --- what

    def ride(
        self,
        name: str,
        points: Points,
        *heads: str,
        kind: str = "scooter",
        where: tuple[str, ...] = (),
        speed: float = 0,
    ) -> Template:
        """A vehicle ridden along ``points``; ``heads``, the driver's first: helmet, bare or a hat."""
        crew = [self.human(helmet=h == "helmet", hat=0.0, wear="" if h in ("helmet", "bare") else h) for h in heads]
        unit = Unit(
            "ride", crew, self.vehicle(kind), self.track(), left_first=self.rng.random() < 0.5, glance=self.glance()
        )
        pace = speed or float(self.rng.uniform(2.9, 4.6))
        breaches = where
        if kind == "scooter":
            breaches = (*helmet_breaches(crew), *where)
        return lambda start: Act(name, unit, Route(points, pace, start), breaches)

    def push(self, points: Points, kind: str = "scooter") -> Template:
        helmet = bool(self.rng.random() < 0.3)
        human = self.human(helmet=helmet)
        side = 0.42 if self.rng.random() < 0.5 else -0.42
        vehicle = self.vehicle(kind, standing=True)
        unit = Unit("push", [human], vehicle, self.track(), self.rng.random(), push_side=side, glance=self.glance())
        return lambda start: Act(f"pushing a {kind}", unit, Route(points, 1.35, start))

    def walker(self, points: Points, wear: str = "") -> Template:
        human = self.human(adult=False, wear=wear)
        unit = Unit("walk", [human], phase=self.rng.random(), glance=self.glance())
        name = f"pedestrian, head: {human.look.head}"
        return lambda start: Act(name, unit, Route(points, float(1.2 + 0.05 * (human.track % 8)), start))

    def roller(self, points: Points) -> Template:
        kind = others.KINDS[int(self.rng.integers(len(others.KINDS)))]
        mode = "ride" if kind == "wheelchair" else "push"
        unit = Unit(mode, [self.human()], self.vehicle(kind), self.track(), self.rng.random(), glance=self.glance())
        return lambda start: Act(f"with a {kind}", unit, Route(points, 1.2, start))

    def parked(self, x: float, y: float, heading: float, breaches: tuple[str, ...] = ()) -> Act:
        unit = Unit("still", [], self.vehicle("scooter"), self.track())
        return Act("parked where it is forbidden" if breaches else "parked well", unit, Still(x, y, heading), breaches)

    def parks(self, x: float, y: float) -> Template:
        """Rides up helmeted, gets off, stands a moment, walks away; the scooter stays where it must not."""
        site, vehicle, track = self.site, self.vehicle("scooter", standing=True), self.track()
        human = self.human(helmet=True)
        lane_y, beside = 0.5 * y, y + 0.55 * np.sign(y)
        ahead = 1 if y < 0 else -1  # the lane's direction
        begin = -32.0 * ahead if ahead == -site.way else -14.0 * ahead
        up = Route(((begin, lane_y), (x - 7 * ahead, lane_y), (x - 2.0 * ahead, 0.85 * y), (x, y)), 3.6, 0.0)

        def act(start: float) -> Act:
            ride = replace(up, start_s=start)
            end, heading = ride.end_s, float(0.0 if ahead > 0 else np.pi)
            away = Route(((x, beside), (x + 4 * ahead, beside + 0.3), (x + 12 * ahead, beside)), 1.35, end + 2.5)
            still, stand, walk = (
                Unit("still", [], vehicle, track),
                Unit("stand", [human], glance=(0.3, 0.3)),
                Unit("walk", [human], phase=0.2),
            )
            rider = Unit("ride", [human], vehicle, track, glance=self.glance())
            return Act(
                "rides up and parks",
                rider,
                ride,
                ("parking",),
                (
                    (still, Still(x, y, heading, end)),
                    (stand, Still(x, beside, heading, end, end + 2.5)),
                    (walk, away),
                ),
            )

        return act

    def bystander(self, x: float, y: float) -> Act:
        return Act("stands beside a scooter", Unit("stand", [self.human()], glance=(0.4, 0.2)), Still(x, y, 2.0))


def helmet_breaches(crew: list[Human]) -> tuple[str, ...]:
    """Kinds that follow from who rides and what is on the heads."""
    out = [] if crew[0].look.helmeted else ["no_helmet"]
    if len(crew) > 1:
        out.append("two_up")
        if not all(h.look.helmeted for h in crew[1:]):
            out.append("passenger_no_helmet")
    return tuple(out)
