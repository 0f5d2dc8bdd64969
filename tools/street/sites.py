"""The test street's twenty places: plans, cameras, zones, light and recorders, none of them the training's.

Training pictures draw their plans at random; these are written down, with paving, widths, bodies, clothes, fleets and
scooters (``wardrobe.TEST``) that no training picture has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tools.street import furnish, layout, light, surfaces, wardrobe
from tools.street.acts import Area, Floor
from tools.street.camera import Camera
from tools.street.layout import KERB_M
from tools.street.record import Recorder

SEED = 7001
SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """One place and its camera. ``side`` is the side of the road it hangs on, ``way`` the direction it looks (x)."""

    number: int
    kind: str
    mood: str
    size: tuple[int, int]
    fps: int
    side: int
    way: int
    height_m: float
    focal: float  # in picture widths
    bend: float = 0.0
    crosswalk: bool = False
    seed: int = SEED
    series: str = "test"
    cast: wardrobe.Wardrobe = wardrobe.TEST

    @property
    def camera_id(self) -> str:
        return f"{self.series}-{self.number:02d}"

    @property
    def far(self) -> int:
        """The sign of y of the sidewalk that the camera sees whole."""
        return -self.side

    @property
    def plan(self) -> surfaces.Plan:
        n = self.number
        if self.kind == "plaza":
            return surfaces.Plan(kind="plaza", road_half=1.8, walk_left=10.5, walk_right=10.5, paving=10 + n % 4)
        if self.kind == "path":
            return surfaces.Plan(
                kind="path", road_half=2.7 + 0.2 * (n % 3), walk_left=9.5, walk_right=9.5, paving=10 + n % 4,
                bike_lane=True,
            )  # fmt: skip
        half = [3.15, 3.45, 3.75, 4.7, 5.0][n % 5]
        return surfaces.Plan(
            kind=self.kind,
            road_half=half,
            walk_left=[3.3, 4.1, 6.3][n % 3],
            walk_right=[6.2, 3.6, 4.3][n % 3],
            crosswalk_x=3.2 * self.way if self.crosswalk else None,
            crosswalk_width=[3.6, 4.6][n % 2],
            paving=10 + n % 4,
            road_shade=[0.20, 0.27, 0.36, 0.46][n % 4],
            yellow_line=n % 2 == 0,
            blocks_left=n % 3 != 0,
            side_road=(5.0 * self.way, 3.1),
            cycle_road=n % 5 == 1,
        )

    @property
    def gate(self) -> tuple[float, float]:
        """The opening of the far house front that riders turn into."""
        middle = 3.2 * self.way if self.crosswalk else 5.5 * self.way
        return middle - 2.0, middle + 2.0

    @property
    def camera(self) -> Camera:
        plan, (width, height) = self.plan, self.size
        edge = plan.road_half + 1.2 if plan.has_road else (3.6 if self.kind == "path" else 4.5)
        return Camera(
            position=(-9.2 * self.way, self.side * edge, self.height_m),
            target=(3.2 * self.way, -0.42 * self.side * edge, 0.7),
            focal_px=self.focal * width,
            width=width,
            height=height,
            roll=0.008 * (self.number % 3 - 1),
            bend=self.bend,
        )

    @property
    def walk(self) -> float:
        """Width of the far sidewalk."""
        return self.plan.walk_left if self.far > 0 else self.plan.walk_right

    def areas(self) -> tuple[Area, ...]:
        plan, w, s = self.plan, self.way, self.far
        x0, x1 = sorted((-8.0 * w, 24.0 * w))
        if self.kind == "plaza":
            y0, y1 = sorted((0.6 * s, 9.0 * s))
            p0, p1 = sorted((-1.0 * w, 2.2 * w))
            b0, b1 = sorted((1.0 * s, 3.0 * s))
            return (
                Area("pedestrian zone", "sidewalk", x0, y0, x1, y1),
                Area("no parking", "no_parking", p0, b0, p1, b1),
            )
        if self.kind == "path":
            p0, p1 = sorted((-1.0 * w, 2.0 * w))
            return (
                Area("footway", "sidewalk", x0, -plan.road_half, x1, 0.1),
                Area("cycle path", "lane", x0, 0.2, x1, plan.road_half, 0.0, -1),
                Area("no parking", "no_parking", p0, -plan.road_half, p1, -plan.road_half + 1.4),
            )
        half = plan.road_half
        near, out = sorted((s * half, s * (half + self.walk)))
        rows: list[Area] = []
        if self.kind == "junction":
            a, b = plan.side_road[0] - plan.side_road[1], plan.side_road[0] + plan.side_road[1]
            c0, c1 = sorted((s * (half + 0.5), s * (half + 3.3)))
            rows += [
                Area("sidewalk 1", "sidewalk", x0, near, a, out, KERB_M),
                Area("sidewalk 2", "sidewalk", b, near, x1, out, KERB_M),
                Area("crosswalk", "crosswalk", a, c0, b, c1),
            ]
        else:
            rows.append(Area("sidewalk", "sidewalk", x0, near, x1, out, KERB_M))
        if plan.crosswalk_x is not None:
            c = plan.crosswalk_width / 2
            rows.append(Area("crosswalk", "crosswalk", plan.crosswalk_x - c, -half, plan.crosswalk_x + c, half))
        p0, p1 = sorted((self.parking_x - 1.7, self.parking_x + 1.7))
        q0, q1 = sorted((s * (half + 0.1), s * (half + 2.0)))
        return (
            *rows,
            Area("no parking", "no_parking", p0, q0, p1, q1, KERB_M),
            Area("lane 1", "lane", x0, 0.1, x1, half, 0.0, -1),
            Area("lane 2", "lane", x0, -half, x1, -0.1, 0.0, 1),
        )

    @property
    def parking_x(self) -> float:
        return -0.8 * self.way

    def floor(self) -> Floor:
        """Heights with each kerb as a short ramp, as wheels feel it."""
        plan = self.plan

        def floor(x: float, y: float) -> float:
            if not plan.has_road:
                return 0.0
            up = np.clip((abs(y) - plan.road_half + 0.12) / 0.24, 0, 1)
            if plan.kind == "junction":
                up = min(up, np.clip((abs(x - plan.side_road[0]) - plan.side_road[1] + 0.12) / 0.24, 0, 1))
            return KERB_M * float(up)

        return floor

    def ground_points(self) -> tuple[tuple[float, float], ...]:
        plan, w = self.plan, self.way
        reach = plan.road_half - 0.4 if plan.has_road else 2.4
        return (
            (1.0 * w, -reach),
            (1.0 * w, reach),
            (11.0 * w, reach),
            (11.0 * w, -reach),
        )

    def street(self) -> layout.Street:
        rng = np.random.default_rng([self.seed, self.number, 1])
        x = self.camera.position[0]
        free = tuple(sorted((x - 5 * self.way, x + 19 * self.way)))
        gates = {self.far: [self.gate]} if self.kind == "street" else {}
        return furnish.build(rng, self.plan, gates, 0.8, ((free[0], free[1]),))

    def recorder(self, street: layout.Street) -> Recorder:
        """The site's own light and sensor; 1 to 2.5 Mbit/s by size, groups of four to eight seconds."""
        rng = np.random.default_rng([self.seed, self.number, 2])
        sensor = light.sensor(rng, self.mood)
        sensor = replace(sensor, noise=min(sensor.noise, 6.0), blur_px=min(sensor.blur_px, 0.8), gain=1.0)
        edge = self.far * (self.plan.road_half + 0.3)
        on_walls = [(x * self.way, edge, 5.6) for x in (2.5, 9.0, 16.0)]  # their posts would stand in the picture
        rate = {360: 700, 540: 1200, 720: 2200}[self.size[1]]
        return Recorder(
            light=light.light(rng, self.mood, self.camera, [*on_walls, *street.lamps]),
            sensor=sensor,
            seed=self.seed + self.number,
            fps=self.fps,
            crf=float(rng.uniform(25, 29)),
            maxrate=f"{rate}k",
            group_s=float(rng.choice([4, 6, 8])),
            preset="veryfast",
            stamp=int(rng.integers(3)) if rng.random() < 0.75 else None,
        )


@dataclass(frozen=True)
class DrawnSite(Site):
    """A place drawn at random, with the paving, people and scooters of training: to choose by, never to test with."""

    series: str = "drawn"
    cast: wardrobe.Wardrobe = wardrobe.TRAINING

    @property
    def plan(self) -> surfaces.Plan:
        rng = np.random.default_rng([self.seed, self.number, 3])
        plan = super().plan
        plan = replace(plan, paving=int(rng.integers(5)), yellow_line=bool(rng.random() < 0.6))
        if not plan.has_road:
            return plan
        return replace(
            plan,
            road_half=float(rng.uniform(3.0, 5.0)),
            walk_left=float(rng.uniform(3.4, 6.3)),
            walk_right=float(rng.uniform(3.4, 6.3)),
            road_shade=float(rng.uniform(0.20, 0.46)),
        )


def drawn(seed: int, number: int) -> DrawnSite:
    """Return a site that depends on its seed and number alone."""
    rng = np.random.default_rng([seed, number, 4])
    shares = {"sun": 5, "hazy": 4, "overcast": 3, "low-sun": 2, "dusk": 1, "night": 1, "night-infrared": 1, "rain": 1}
    width, height = (S, M, M, M, L)[int(rng.integers(5))]
    kind = str(rng.choice(["street", "street", "junction", "plaza", "path"]))
    return DrawnSite(
        number=number,
        kind=kind,
        mood=str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values()))),
        size=(width, height),
        fps=10,
        side=int(rng.choice([-1, 1])),
        way=int(rng.choice([-1, 1])),
        height_m=float(rng.uniform(3.4, 7.8)),
        focal=float(rng.uniform(0.92, 1.25)),
        bend=float(rng.choice([0.0, -rng.uniform(0.05, 0.18)])),
        crosswalk=kind == "street" and bool(rng.random() < 0.6),
        seed=seed,
    )


S, M, L = (640, 360), (960, 540), (1280, 720)
SITES = (
    Site(1, "street", "sun", M, 10, 1, 1, 4.6, 1.05, -0.12, crosswalk=True),
    Site(2, "junction", "hazy", M, 10, -1, 1, 5.4, 1.02),
    Site(3, "path", "overcast", M, 10, 1, -1, 4.2, 1.05, -0.10),
    Site(4, "street", "low-sun", L, 10, -1, -1, 4.8, 0.95),
    Site(5, "plaza", "sun", M, 10, 1, 1, 6.0, 1.10),
    Site(6, "street", "rain", M, 10, 1, -1, 4.4, 1.05, crosswalk=True),
    Site(7, "junction", "sun", L, 10, 1, 1, 7.2, 0.95, -0.15),
    Site(8, "street", "night", M, 10, -1, 1, 4.2, 1.05, crosswalk=True),
    Site(9, "path", "sun", S, 12, -1, 1, 3.6, 1.25),
    Site(10, "street", "overcast", M, 12, 1, 1, 3.4, 1.0, -0.18),
    Site(11, "junction", "dusk", M, 10, -1, -1, 5.0, 1.08),
    Site(12, "street", "hazy", S, 12, -1, 1, 4.4, 1.25, crosswalk=True),
    Site(13, "plaza", "hazy", L, 10, -1, -1, 5.2, 0.90),
    Site(14, "street", "sun", M, 10, 1, -1, 6.4, 1.12, crosswalk=True),
    Site(15, "junction", "overcast", M, 10, 1, -1, 4.4, 1.0, -0.08),
    Site(16, "path", "low-sun", M, 10, -1, -1, 5.0, 1.12),
    Site(17, "street", "night-infrared", S, 12, 1, 1, 4.6, 1.25),
    Site(18, "junction", "sun", M, 10, -1, 1, 6.0, 1.06),
    Site(19, "street", "hazy", M, 10, -1, -1, 7.8, 1.02, crosswalk=True),
    Site(20, "path", "hazy", M, 10, 1, 1, 7.0, 1.2),
)
