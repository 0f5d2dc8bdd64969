"""Renders the demo recordings: pictures, sensor, H.264 as an NVR writes it, and the truth beside each."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from tools.street import layout, scripts, truth
from tools.street.actors import Stage, boxes
from tools.street.acts import Script
from tools.street.camera import Camera
from tools.street.geometry import Array
from tools.street.render import Light, Renderer
from tools.street.sensor import Sensor, expose

FPS = 12
TRUTH_EVERY = 2  # frames: six a second
SEEDS = {"gate-3": 41, "crossing-1": 57}
LIGHTS = {
    "gate-3": Light(sun=(-0.55, 0.50, 0.72), sun_color=(2.3, 2.15, 1.9), sky=(0.66, 0.73, 0.86), exposure=0.82),
    "crossing-1": Light(
        sun=(-0.75, 0.35, 0.50),
        sun_color=(1.9, 1.6, 1.2),
        sky=(0.70, 0.74, 0.84),
        exposure=0.78,
        haze_color=(0.70, 0.66, 0.62),
    ),
}
SENSORS = {
    "gate-3": Sensor(blur_px=0.5, sharpen=0.5, noise=2.2, vignette=0.16, saturation=0.88),
    "crossing-1": Sensor(blur_px=0.5, sharpen=0.6, noise=2.6, vignette=0.2, saturation=0.82, warmth=0.02),
}


def street_of(script: Script) -> layout.Street:
    rng = np.random.default_rng(SEEDS[script.camera_id])
    x = script.camera.position[0]
    if script.camera_id == "gate-3":
        return layout.build(rng, scripts.GATE_PLAN, {-1: [scripts.GATE_OPENING]}, 0.8, ((x - 4, x + 18),))
    return layout.build(rng, scripts.CROSSING_PLAN, {-1: [scripts.ALLEY_OPENING]}, 0.8, ((x - 4, x + 18),))


def stage_at(script: Script, t: float, *, still_only: bool = False) -> tuple[Stage, list[list[float | int]]]:
    """Everyone present at second ``t``, and where they are."""
    stage = Stage()
    places = []
    for act in script.acts:
        place = None if still_only and not truth.is_still(act) else act.route.at(t, script.floor)
        if place is not None:
            stage.add(act.unit, place, t)
            places.append(truth.where(act, place))
    return stage, places


def touched(stage: Stage, tracks: set[int], camera: Camera, light: Light) -> list[tuple[int, int, int, int]]:
    """Picture rectangles that moving units and their shadows change."""
    out = []
    sun = np.asarray(light.sun) / np.linalg.norm(light.sun)
    for unit_tracks in stage.units:
        if not unit_tracks & tracks:
            continue
        points = np.concatenate([s.points for s in stage.seen if s.track in unit_tracks])
        shadow = points - sun * (points[:, 2:] / sun[2])
        rim = np.concatenate([points + [dx, dy, 0] for dx, dy in ((0.7, 0), (-0.7, 0), (0, 0.7), (0, -0.7))])
        rim[:, 2] = 0
        px, depth = camera.project(np.concatenate([points, shadow, rim]))
        px = px[depth > camera.near_m]
        if not len(px):
            continue
        x0, y0 = np.maximum(px.min(0) - 14, 0).astype(int)
        x1, y1 = np.minimum(px.max(0) + 15, [camera.width, camera.height]).astype(int)
        if x1 > x0 and y1 > y0:
            out.append((int(x0), int(y0), int(x1), int(y1)))
    return _joined(out)


def pasted(background: Array, drawn: Array, rects: list[tuple[int, int, int, int]]) -> Array:
    """The insides of ``rects`` from ``drawn``: at their very edges multisampling leaves seams."""
    out = background.copy()
    h, w = out.shape[:2]
    for x0, y0, x1, y1 in rects:
        a, b, c, d = (x0 and x0 + 4), (y0 and y0 + 4), (x1 if x1 == w else x1 - 4), (y1 if y1 == h else y1 - 4)
        out[b:d, a:c] = drawn[b:d, a:c]
    return out


def _joined(rects: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Overlapping rectangles become one."""
    done: list[tuple[int, int, int, int]] = []
    for rect in rects:
        while True:
            other = next(
                (d for d in done if rect[0] < d[2] and d[0] < rect[2] and rect[1] < d[3] and d[1] < rect[3]), None
            )
            if other is None:
                break
            done.remove(other)
            rect = (min(rect[0], other[0]), min(rect[1], other[1]), max(rect[2], other[2]), max(rect[3], other[3]))
        done.append(rect)
    return done


def record(script: Script, path: Path, *, progress: Callable[[int, int], None] | None = None) -> dict[str, object]:
    """Write the recording at ``path`` and return its truth."""
    renderer = Renderer(script.camera.width, script.camera.height)
    street = street_of(script)
    renderer.set_street(street.things, street.ground, street.plan.area, street.facades, street.grain)
    camera, light, sensor = script.camera, LIGHTS[script.camera_id], SENSORS[script.camera_id]
    frames = []
    total = int(script.seconds * FPS)
    quiet, _ = stage_at(script, 0.0, still_only=True)
    background = renderer.draw(quiet.frame, camera, light)
    renderer.keep()
    writer = Writer(path, camera.width, camera.height, FPS)
    for k in range(total):
        t = k / FPS
        stage, places = stage_at(script, t)
        moving = {act.unit.vehicle_track or act.unit.people[0].track for act in script.acts if not truth.is_still(act)}
        rects = touched(stage, {p[0] for p in places} & moving, camera, light)
        picture = background
        if rects:
            picture = pasted(background, renderer.draw(stage.frame, camera, light, rects=rects), rects)
        if k % TRUTH_EVERY == 0:
            found = boxes(stage, camera, renderer.draw_ids(stage.frame, camera))
            frames.append(
                {"t": round(t, 3), "boxes": [truth.row(b) for b in found if b.visible >= 0.05], "places": places}
            )
        rng = np.random.default_rng([SEEDS[script.camera_id], k])
        drift = 0.012 * np.sin(2 * np.pi * t / 23.0) + 0.006 * np.sin(2 * np.pi * t / 7.1)
        writer.add(expose(picture, sensor, rng, drift))
        if progress is not None:
            progress(k + 1, total)
    writer.close()
    return truth.document(script, frames, FPS)


class Writer:
    """H.264 in MP4 like a network recorder's: long groups of pictures, a bit rate with a ceiling."""

    def __init__(self, path: Path, width: int, height: int, fps: int, crf: float = 25.5, group_s: float = 4.0) -> None:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"})
        self.stream = self.file.add_stream("libx264", rate=fps)
        self.stream.width, self.stream.height, self.stream.pix_fmt = width, height, "yuv420p"
        self.stream.time_base = Fraction(1, fps)
        self.stream.options = {
            "preset": "medium",
            "crf": str(crf),
            "maxrate": "560k",
            "bufsize": "2240k",
            "g": str(int(fps * group_s)),
            "keyint_min": str(int(fps * group_s)),
            "sc_threshold": "0",
            "bf": "0",
            "threads": "2",
            "flags": "+bitexact",
        }
        self.count = 0

    def add(self, picture: Array) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = self.count
        self.count += 1
        for packet in self.stream.encode(frame):
            self.file.mux(packet)

    def close(self) -> None:
        for packet in self.stream.encode():
            self.file.mux(packet)
        self.file.close()


def cameras_toml(all_scripts: tuple[Script, ...]) -> str:
    lines = ["# The cameras of the demo recordings: a street that was rendered, so every zone is known to the pixel."]
    for s in all_scripts:
        c: Camera = s.camera
        lines += [
            "",
            "[[camera]]",
            f'id = "{s.camera_id}"',
            f'name = "{s.name}"',
            f'area = "{s.area}"',
            'timezone = "Asia/Seoul"',
        ]
        lines += [f'folder = "{s.camera_id}/**"', f"resolution = [{c.width}, {c.height}]"]
        for a in s.areas:
            polygon = a.polygon(c)
            if not polygon:
                continue
            lines += [
                "",
                "[[camera.zone]]",
                f'name = "{a.name}"',
                f'kind = "{a.kind}"',
                "polygon = [" + ", ".join(f"[{x}, {y}]" for x, y in polygon) + "]",
            ]
            way = a.direction(c)
            if way is not None:
                lines.append(f"direction = [{way[0]:.3f}, {way[1]:.3f}]")
        for (x, y), (px, py) in zip(s.ground_points, truth.ground_points(s), strict=True):
            lines += ["", "[[camera.ground_point]]", f"x_px = {px:.1f}", f"y_px = {py:.1f}", f"x_m = {x}", f"y_m = {y}"]
    return "\n".join(lines) + "\n"


def document_text(document: dict[str, object]) -> str:
    """JSON with one frame, act or track a line: small, and readable in a diff."""
    head = {k: v for k, v in document.items() if k not in ("frames", "acts", "tracks", "zones")}
    lines = json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    for name in ("zones", "tracks", "acts", "frames"):
        rows = document[name]
        assert isinstance(rows, list)
        body = ",\n  ".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows)
        lines += f',\n "{name}": [\n  {body}\n ]'
    return lines + "\n}\n"


def make(out: Path, only: str = "") -> None:
    """Write ``cameras.toml`` and, for each camera, its recording and truth below ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    everyone = scripts.all_scripts()
    (out / "cameras.toml").write_text(cameras_toml(everyone), encoding="utf-8")
    for script in everyone:
        if only and script.camera_id != only:
            continue
        path = out / script.camera_id / f"{script.stem}.mp4"

        def progress(done: int, total: int, name: str = script.stem) -> None:
            if done % 60 == 0 or done == total:
                print(f"{name}: {done}/{total}", flush=True)

        document = record(script, path, progress=progress)
        path.with_suffix("").with_suffix(".truth.json").write_text(document_text(document), encoding="utf-8")
