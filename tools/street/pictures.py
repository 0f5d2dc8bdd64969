"""Training pictures with YOLO labels: random streets, cameras, people and light."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tools.street import layout, people, surfaces
from tools.street.actors import CLASSES, Box, Human, Place, Stage, Unit, boxes
from tools.street.camera import Camera
from tools.street.render import Renderer
from tools.street.sensor import expose, random_sensor

PER_STREET = 10
SIZE = (960, 540)
MIN_VISIBLE = {
    "person": 0.15,
    "scooter": 0.25,
    "helmet": 0.35,
    "head": 0.35,
    "bicycle": 0.2,
    "motorcycle": 0.2,
    "car": 0.1,
}
MIN_PX = {"person": 8, "scooter": 8, "helmet": 5, "head": 5, "bicycle": 8, "motorcycle": 8, "car": 10}


def random_plan(rng: np.random.Generator) -> surfaces.Plan:
    return surfaces.Plan(
        road_half=float(rng.uniform(2.6, 4.6)),
        walk_left=float(rng.uniform(2.6, 6.0)),
        walk_right=float(rng.uniform(2.6, 6.0)),
        crosswalk_x=float(rng.uniform(-9, 9)) if rng.random() < 0.6 else None,
        paving=int(rng.integers(5)),
        road_shade=float(rng.uniform(0.22, 0.44)),
        bike_lane=bool(rng.random() < 0.3),
        yellow_line=bool(rng.random() < 0.6),
        blocks_left=bool(rng.random() < 0.6),
    )


def random_camera(rng: np.random.Generator, plan: surfaces.Plan, size: tuple[int, int] = SIZE) -> Camera:
    """On a pole or a wall, 3-9 m up, looking along or across the street."""
    side = rng.choice([-1, 1])
    edge = plan.road_half + (plan.walk_left if side > 0 else plan.walk_right)
    y = side * rng.uniform(0.3, 0.86) * edge
    height = float(rng.uniform(3.0, 9.0))
    along = float(rng.choice([-1, 1]))
    reach = rng.uniform(6, 16)
    x = float(rng.uniform(-10, 10))
    target = (
        x + along * reach * rng.uniform(0.5, 1.0),
        float(rng.uniform(-edge, edge) * 0.6),
        float(rng.uniform(0.3, 1.2)),
    )
    return Camera(
        position=(x, float(y), height),
        target=target,
        focal_px=float(rng.uniform(0.7, 1.5) * size[0] * (1.9 if rng.random() < 0.4 else 1.0)),
        width=size[0],
        height=size[1],
        roll=float(rng.normal(0, 0.015)),
    )


class _Crowd:
    """Puts units where the camera looks, no two on one spot."""

    def __init__(self, rng: np.random.Generator, plan: surfaces.Plan, camera: Camera) -> None:
        self.rng, self.plan, self.camera = rng, plan, camera
        self.stage = Stage()
        self.taken: list[tuple[float, float, float]] = []
        self.track = 0

    def spot(self, radius: float, where: str, near: float = 0.0, far: float = 40.0) -> tuple[float, float] | None:
        rng, c = self.rng, self.camera
        for _ in range(60):
            px = [rng.uniform(0.03, 0.97) * c.width, rng.uniform(0.12, 1.05) * c.height]
            axes = c.axes()
            ray = np.array([(px[0] - c.width / 2) / c.focal_px, (px[1] - c.height / 2) / c.focal_px, 1.0]) @ axes
            if ray[2] > -0.04:
                continue
            x, y = c.to_ground(np.array([px]))[0]
            distance = np.hypot(x - c.position[0], y - c.position[1])
            if not near < distance < far or not self.plan.x0 < x < self.plan.x1:
                continue
            if (
                where == "walk"
                and not self.plan.road_half + 0.9
                < abs(y)
                < self.plan.road_half + (self.plan.walk_left if y > 0 else self.plan.walk_right) - 0.8
            ):
                continue
            if where == "road" and abs(y) > self.plan.road_half - 0.5:
                continue
            if (
                where == "any"
                and abs(y) > self.plan.road_half + (self.plan.walk_left if y > 0 else self.plan.walk_right) - 0.7
            ):
                continue
            if any((x - a) ** 2 + (y - b) ** 2 < (r + radius) ** 2 for a, b, r in self.taken):
                continue
            self.taken.append((x, y, radius))
            return float(x), float(y)
        return None

    def human(self, helmet: bool | None, adult: bool = False) -> Human:
        self.track += 1
        return Human(self.track, people.random_look(self.rng, helmet=helmet, adult=adult))

    def put(self, unit: Unit, at: tuple[float, float], heading: float, speed: float) -> None:
        z = layout.floor_z(self.plan, at[1])
        self.stage.add(
            unit, Place(at[0], at[1], z, heading, float(self.rng.uniform(0, 50)), speed), float(self.rng.uniform(0, 9))
        )

    def heading(self, spread: float = 0.15) -> float:
        rng = self.rng
        if rng.random() < 0.2:
            return float(rng.uniform(0, 2 * np.pi))
        return float(rng.choice([0, np.pi]) + rng.normal(0, spread))

    def glance(self) -> tuple[float, float]:
        return float(self.rng.normal(0, 0.35)), float(self.rng.normal(0.1, 0.12))

    def walker(self) -> None:
        rng = self.rng
        at = self.spot(0.45, "any" if rng.random() < 0.25 else "walk", 2.5, 32)
        if at:
            mode = "walk" if rng.random() < 0.8 else "stand"
            self.put(
                Unit(
                    mode, [self.human(None if rng.random() < 0.93 else True)], phase=rng.random(), glance=self.glance()
                ),
                at,
                self.heading(),
                rng.uniform(0.7, 1.8),
            )

    def rider(self, kind: str, two: float = 0.25, helmet: float = 0.62, far: float = 24.0) -> None:
        rng = self.rng
        where = "any" if kind != "motorcycle" else "road"
        at = self.spot(0.9, where, 3.0, far)
        if not at:
            return
        driver = self.human(True if rng.random() < helmet else None, adult=True)
        crew = [driver]
        if rng.random() < two:
            crew.append(self.human(True if rng.random() < helmet * 0.7 else None))
        self.track += 1
        unit = Unit(
            "ride",
            crew,
            people.random_vehicle(rng, kind),
            self.track,
            left_first=bool(rng.random() < 0.6),
            glance=self.glance(),
        )
        self.put(unit, at, self.heading(), rng.uniform(2, 6))

    def pusher(self) -> None:
        rng = self.rng
        at = self.spot(0.8, "any", 3.0, 24)
        if at:
            self.track += 1
            side = float(rng.choice([-1, 1]) * rng.uniform(0.36, 0.46))
            kind = "scooter" if rng.random() < 0.75 else "bicycle"
            unit = Unit(
                "push",
                [self.human(True if rng.random() < 0.25 else None, adult=True)],
                people.random_vehicle(rng, kind),
                self.track,
                rng.random(),
                push_side=side,
                glance=self.glance(),
            )
            self.put(unit, at, self.heading(), rng.uniform(0.7, 1.4))

    def parked(self, kind: str) -> None:
        rng = self.rng
        if kind == "car":
            at = self.spot(2.3, "road", 9, 40)
            heading = float(rng.choice([0, np.pi]))
        else:
            at = self.spot(0.6, "walk" if rng.random() < 0.8 else "any", 2.5, 28)
            heading = float(rng.uniform(0, 2 * np.pi))
        if at:
            self.track += 1
            self.put(Unit("still", [], people.random_vehicle(rng, kind), self.track), at, heading, 0.0)
            if kind == "scooter" and rng.random() < 0.4:
                for k in range(int(rng.integers(1, 4))):
                    self.track += 1
                    near = (at[0] + 0.55 * (k + 1) * np.sin(heading), at[1] - 0.55 * (k + 1) * np.cos(heading))
                    if (
                        abs(near[1]) > self.plan.road_half + 0.3
                        and abs(near[1]) < self.plan.road_half + min(self.plan.walk_left, self.plan.walk_right) - 0.5
                    ):
                        self.put(
                            Unit("still", [], people.random_vehicle(rng, kind), self.track),
                            near,
                            heading + rng.normal(0, 0.06),
                            0.0,
                        )


def populate(rng: np.random.Generator, plan: surfaces.Plan, camera: Camera) -> Stage:
    crowd = _Crowd(rng, plan, camera)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        crowd.parked("car")
    theme = rng.choice(["scooter", "scooter", "scooter", "mixed", "walk", "two", "push"])
    for _ in range({"scooter": int(rng.integers(1, 4)), "mixed": 1, "two": 1}.get(theme, 0)):
        crowd.rider("scooter", two=0.15, far=20 if rng.random() < 0.7 else 30)
    if theme == "two":
        crowd.rider("scooter", two=1.0, far=18)
    if theme == "push" or rng.random() < 0.2:
        crowd.pusher()
    if theme == "mixed" or rng.random() < 0.3:
        crowd.rider("bicycle", two=0.0, helmet=0.4)
    if theme == "mixed" or rng.random() < 0.15:
        crowd.rider("motorcycle", two=0.3, helmet=0.75)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        crowd.parked("scooter")
    if rng.random() < 0.25:
        crowd.parked(str(rng.choice(["bicycle", "motorcycle"])))
    for _ in range(int(rng.integers(0, 5)) + (3 if theme == "walk" else 0)):
        crowd.walker()
    return crowd.stage


def blocked(camera: Camera, street: layout.Street) -> bool:
    """A tree's crown right before the lens."""
    for x, y, tall in street.trees:
        px, depth = camera.project(np.array([[x, y, tall * 0.7]]))
        reach = tall * 0.33
        if (
            -reach < depth[0] < 3 * reach + 2
            and np.hypot(x - camera.position[0], y - camera.position[1]) < 3 * reach + 3
        ):
            margin = camera.focal_px * reach / max(depth[0], 0.5)
            if depth[0] < reach or (-margin < px[0, 0] < camera.width + margin and px[0, 1] > -margin):
                return True
    return False


def label_lines(found: list[Box], width: int, height: int) -> list[str]:
    """YOLO lines ``class cx cy w h`` of what is big and visible enough to be asked for."""
    lines = []
    for b in found:
        x0, y0, x1, y1 = b.xyxy
        if b.visible < MIN_VISIBLE[b.kind] or min(x1 - x0, y1 - y0) < MIN_PX[b.kind]:
            continue
        lines.append(
            f"{CLASSES.index(b.kind)} {(x0 + x1) / 2 / width:.6f} {(y0 + y1) / 2 / height:.6f} "
            f"{(x1 - x0) / width:.6f} {(y1 - y0) / height:.6f}"
        )
    return lines


def render(out: Path, count: int, seed: int, first: int = 0) -> None:
    """``count`` pictures into ``out``/images and labels into ``out``/labels; picture k depends on (seed, k) alone."""
    import cv2

    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    renderer = Renderer(*SIZE)
    for k in range(first, first + count):
        if k % PER_STREET == 0 or k == first:
            streets = np.random.default_rng([seed, k // PER_STREET, 1])
            street = layout.build(streets, random_plan(streets))
            renderer.set_street(street.things, street.ground, street.plan.area, street.facades, street.grain)
        target = out / "images" / f"street-{seed}-{k:05d}.jpg"
        label = out / "labels" / f"{target.stem}.txt"
        if target.exists() and label.exists():
            continue
        rng = np.random.default_rng([seed, k])
        camera = random_camera(rng, street.plan)
        for _ in range(30):
            if not blocked(camera, street):
                break
            camera = random_camera(rng, street.plan)
        stage = populate(rng, street.plan, camera)
        picture = renderer.draw(stage.frame, camera, people.random_light(rng))
        found = boxes(stage, camera, renderer.draw_ids(stage.frame, camera))
        picture = expose(picture, random_sensor(rng), rng)
        size = SIZE if rng.random() < 0.55 else ((640, 360) if rng.random() < 0.6 else (800, 450))
        if size != SIZE:
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        quality = int(rng.integers(45, 90))
        cv2.imwrite(str(target), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        label.write_text("\n".join(label_lines(found, *SIZE)) + "\n")
