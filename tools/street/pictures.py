"""Training pictures with YOLO labels and their truth: random places, cameras, people, weather and recorders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from quitboard import files
from tools.street import furnish, layout, light, surfaces
from tools.street.actors import CLASSES, Box, Stage, Unit, boxes
from tools.street.camera import Camera
from tools.street.crowd import populate
from tools.street.geometry import Array
from tools.street.render import Renderer
from tools.street.sensor import coded, expose, smear, stamped

FORMAT = "quitboard-picture-truth/1"
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
MOOD_SHARES = {
    "sun": 5, "hazy": 4, "overcast": 4, "low-sun": 2, "dusk": 1.5, "night": 1.5, "night-infrared": 0.8, "rain": 1.5,
    "rain-night": 0.7,
}  # fmt: skip


def random_plan(rng: np.random.Generator) -> surfaces.Plan:
    kind = str(rng.choice(["street", "street", "street", "junction", "plaza", "path"]))
    half = {"plaza": rng.uniform(0.8, 1.5), "path": rng.uniform(1.4, 2.6)}.get(kind, rng.uniform(2.6, 4.6))
    low, high = {"plaza": (7.0, 13.0), "path": (5.0, 9.0)}.get(kind, (2.6, 6.0))
    return surfaces.Plan(
        kind=kind,
        road_half=float(half),
        walk_left=float(rng.uniform(low, high)),
        walk_right=float(rng.uniform(low, high)),
        crosswalk_x=float(rng.uniform(-9, 9)) if kind == "street" and rng.random() < 0.6 else None,
        paving=int(rng.integers(5)),
        road_shade=float(rng.uniform(0.22, 0.44)),
        bike_lane=bool(rng.random() < 0.3),
        yellow_line=bool(rng.random() < 0.6),
        blocks_left=bool(rng.random() < 0.6),
        side_road=(float(rng.uniform(-6, 6)), float(rng.uniform(2.4, 4.0))),
        cycle_road=bool(rng.random() < 0.25),
    )


def random_camera(rng: np.random.Generator, plan: surfaces.Plan, size: tuple[int, int] = SIZE) -> Camera:
    """On a pole or a wall, 3-9 m up, looking along or across; some zoomed in, some with a wide, bent lens."""
    side = rng.choice([-1, 1])
    edge = min(plan.road_half + (plan.walk_left if side > 0 else plan.walk_right), 9.0)
    y = side * rng.uniform(0.3, 0.86) * edge
    height = float(rng.uniform(3.0, 9.0))
    along = float(rng.choice([-1, 1]))
    reach = rng.uniform(6, 16)
    x = float(rng.uniform(-10, 10))
    looked_at = plan.road_half if plan.kind == "path" else 0.6 * edge  # nobody walks on the lawn
    target = (
        x + along * reach * rng.uniform(0.5, 1.0),
        float(rng.uniform(-looked_at, looked_at)),
        float(rng.uniform(0.3, 1.2)),
    )
    return Camera(
        position=(x, float(y), height),
        target=target,
        focal_px=float(rng.uniform(0.65, 1.5) * size[0] * (1.9 if rng.random() < 0.4 else 1.0)),
        width=size[0],
        height=size[1],
        roll=float(rng.normal(0, 0.015)),
        bend=float(-rng.uniform(0.05, 0.3)) if rng.random() < 0.45 else 0.0,
    )


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


@dataclass(frozen=True)
class Scene:
    """Everything of a picture but its pixels."""

    camera: Camera
    stage: Stage
    units: list[tuple[Unit, Array]]  # with their velocity (2,), m/s
    mood: str


def compose(rng: np.random.Generator, street: layout.Street) -> Scene:
    """Where the camera hangs and who is in the street: from the seed alone, without drawing."""
    camera = random_camera(rng, street.plan)
    for _ in range(30):
        if not blocked(camera, street):
            break
        camera = random_camera(rng, street.plan)
    shares = np.array(list(MOOD_SHARES.values()))
    mood = str(rng.choice(list(MOOD_SHARES), p=shares / shares.sum()))
    stage, units = populate(rng, street.plan, camera, mood)
    return Scene(camera, stage, units, mood)


def is_labelled(box: Box) -> bool:
    """Big and visible enough to be asked for, and of a class that has a label."""
    x0, y0, x1, y1 = box.xyxy
    if box.kind not in CLASSES:
        return False
    return box.visible >= MIN_VISIBLE[box.kind] and min(x1 - x0, y1 - y0) >= MIN_PX[box.kind]


def label_lines(found: list[Box], width: int, height: int) -> list[str]:
    """YOLO lines ``class cx cy w h`` of what is labelled."""
    lines = []
    for b in filter(is_labelled, found):
        x0, y0, x1, y1 = b.xyxy
        lines.append(
            f"{CLASSES.index(b.kind)} {(x0 + x1) / 2 / width:.6f} {(y0 + y1) / 2 / height:.6f} "
            f"{(x1 - x0) / width:.6f} {(y1 - y0) / height:.6f}"
        )
    return lines


def truth(name: str, scene: Scene, found: list[Box], scale: float = 1.0) -> dict[str, Any]:
    """The picture's truth: every box, labelled or not, with who rides or pushes what and what the head wears."""
    about: dict[int, dict[str, Any]] = {}
    for unit, _ in scene.units:
        for seat, human in enumerate(unit.people):
            look = human.look
            hair = "bald" if look.bald else "long" if look.long_hair else "short"
            about[human.track] = {"head": look.head, "wear": look.head_wear, "hair": hair}
            if unit.vehicle is not None:
                about[human.track] |= {"rides" if unit.mode == "ride" else "pushes": unit.vehicle_track, "seat": seat}
    rows = []
    for b in found:
        row: dict[str, Any] = {
            "class": b.kind,
            "track": b.track,
            "xyxy": [round(v * scale, 1) for v in b.xyxy],
            "visible": round(b.visible, 3),
            "labelled": is_labelled(b),
        }
        rows.append(row | (about.get(b.track, {}) if b.kind in ("person", "head", "helmet") else {}))
    camera = scene.camera
    return {
        "format": FORMAT,
        "picture": f"images/{name}.jpg",
        "resolution": [round(camera.width * scale), round(camera.height * scale)],
        "light": scene.mood,
        "classes": list(CLASSES),
        "boxes": rows,
    }


def seen_through(camera: Camera, picture: Array, *, nearest: bool = False) -> Array:
    """A picture of the camera's pinhole, as its lens shows it."""
    import cv2

    if not camera.bend:
        return picture
    return cv2.remap(picture, *camera.warp(), cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR)


def shot(renderer: Renderer, scene: Scene, street: layout.Street, rng: np.random.Generator) -> tuple[Array, list[Box]]:
    """The picture as the recorder keeps it (h, w, 3) RGB, and its boxes."""
    import cv2

    camera, stage = scene.camera, scene.stage
    pinhole = camera.pinhole()
    picture = renderer.draw(stage.frame, pinhole, light.light(rng, scene.mood, camera, street.lamps))
    ids = seen_through(camera, renderer.draw_ids(stage.frame, pinhole), nearest=True)
    found = boxes(stage, camera, ids)
    picture = seen_through(camera, picture)
    sensor = light.sensor(rng, scene.mood)
    picture = _smeared(picture, ids, scene, sensor.exposure_s)
    size = SIZE if rng.random() < 0.5 else ((640, 360) if rng.random() < 0.6 else (800, 450))
    if size != SIZE:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    words = None
    if rng.random() < 0.6:
        clock = f"2026-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d} {rng.integers(24):02d}"
        clock += f":{rng.integers(60):02d}:{rng.integers(60):02d}"
        words = clock, f"CAM {rng.integers(1, 33):02d}", int(rng.integers(3))
    frames = []
    for _ in range(3 if rng.random() < 0.65 else 1):
        frame = expose(picture, sensor, rng)
        frames.append(stamped(frame, *words) if words else frame)
    out = coded(frames, float(rng.uniform(22, 36))) if len(frames) > 1 else frames[0]
    return out, found


def _smeared(picture: Array, ids: Array, scene: Scene, exposure_s: float) -> Array:
    """Motion blur of each unit along its way in the picture."""
    for (unit, velocity), tracks in zip(scene.units, scene.stage.units, strict=True):
        del unit
        if not velocity.any():
            continue
        mine = [s for s in scene.stage.seen if s.track in tracks]
        at = np.concatenate([s.points for s in mine]).mean(0)
        px, _ = scene.camera.project(np.array([at, at + np.append(velocity * exposure_s, 0.0)]))
        mask = np.isin(ids, [s.tag for s in mine])
        picture = smear(picture, mask, *(px[1] - px[0]))
    return picture


def render(out: Path, count: int, seed: int, first: int = 0) -> None:
    """``count`` pictures into ``out``/images, labels, truth; picture k depends on (seed, k) alone; done ones stay."""
    import cv2

    for folder in ("images", "labels", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    renderer, built = Renderer(*SIZE), -1
    for k in range(first, first + count):
        name = f"street-{seed}-{k:05d}"
        picture_at, label_at = out / "images" / f"{name}.jpg", out / "labels" / f"{name}.txt"
        if picture_at.exists() and label_at.exists():
            continue
        if built != k // PER_STREET:
            built = k // PER_STREET
            streets = np.random.default_rng([seed, built, 1])
            street = furnish.build(streets, random_plan(streets))
            renderer.set_street(street.things, street.ground, street.plan.area, street.facades, street.grain)
        rng = np.random.default_rng([seed, k])
        scene = compose(rng, street)
        picture, found = shot(renderer, scene, street, rng)
        quality = int(rng.integers(50, 92))
        told = truth(name, scene, found, picture.shape[1] / SIZE[0])
        (out / "truth" / f"{name}.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
        cv2.imwrite(str(picture_at), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        # Last, and whole or not at all: a picture whose labels broke off would count as one that shows nothing.
        files.write_text(label_at, "\n".join(label_lines(found, *SIZE)) + "\n")


def shares(count: int, first: int) -> list[tuple[int, int]]:
    """Pictures ``first`` .. ``first + count - 1`` as (first, count) of whole streets, which are dear to build."""
    end = first + count
    starts = [first, *range((first // PER_STREET + 1) * PER_STREET, end, PER_STREET)]
    return [(a, b - a) for a, b in zip(starts, [*starts[1:], end], strict=True)]


def render_all(out: Path, count: int, seed: int, first: int = 0, jobs: int = 1) -> None:
    """``render``, shared among ``jobs`` processes: the same files as from one."""
    if jobs <= 1:
        return render(out, count, seed, first)
    with get_context("spawn").Pool(jobs) as pool:
        pool.starmap(render, [(out, n, seed, start) for start, n in shares(count, first)], chunksize=1)
    return None
