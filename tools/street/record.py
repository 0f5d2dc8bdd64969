"""Films a script: pictures, lens, sensor, H.264 as an NVR writes it, and the truth of every other frame."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np

from tools.street import layout, truth
from tools.street.actors import Box, Stage, Unit, boxes
from tools.street.acts import Script
from tools.street.camera import Camera
from tools.street.geometry import Array
from tools.street.pictures import seen_through
from tools.street.render import Light, Renderer
from tools.street.sensor import Sensor, expose, smear, stamped

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """What films a script and how. ``stamp`` is the style of the clock written into the picture, None for none."""

    light: Light
    sensor: Sensor
    seed: int
    fps: int = 12
    truth_every: int = 2  # frames
    crf: float = 25.5
    maxrate: str = "560k"
    group_s: float = 4.0
    preset: str = "medium"
    stamp: int | None = None


def stage_at(script: Script, t: float, *, still_only: bool = False) -> tuple[Stage, list[list[float | int]]]:
    """Everyone present at second ``t``, and where they are."""
    stage, places, _ = _staged(script, t, still_only)
    return stage, places


def _staged(
    script: Script, t: float, still_only: bool = False
) -> tuple[Stage, list[list[float | int]], list[tuple[Unit, Array]]]:
    stage = Stage()
    places, moving = [], []
    # What never moves comes first: it is drawn once.
    for act in sorted(script.acts, key=lambda a: not truth.is_still(a)):
        if still_only and not truth.is_still(act):
            continue
        for unit, place in act.present(t, script.floor):
            stage.add(unit, place, t)
            places.append(truth.where(unit, place))
            moving.append((unit, place.speed_ms * np.array([np.cos(place.heading), np.sin(place.heading)])))
    return stage, places, moving


def touched(stage: Stage, tracks: set[int], camera: Camera, light: Light) -> list[Rect]:
    """Picture rectangles that moving units and their shadows change."""
    out = []
    sun = np.asarray(light.sun) / np.linalg.norm(light.sun)
    for unit_tracks in stage.units:
        if not unit_tracks & tracks:
            continue
        points = np.concatenate([s.points for s in stage.seen if s.track in unit_tracks])
        points = np.concatenate([points, *[p for track, p in stage.held if track in unit_tracks]])
        shadow = points - sun * (points[:, 2:] / sun[2])
        rim = np.concatenate([points[::9] + [dx, dy, 0] for dx, dy in ((0.7, 0), (-0.7, 0), (0, 0.7), (0, -0.7))])
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


def pasted(background: Array, drawn: Array, rects: list[Rect]) -> Array:
    """The insides of ``rects`` from ``drawn``: at their very edges multisampling leaves seams."""
    out = background.copy()
    h, w = out.shape[:2]
    for x0, y0, x1, y1 in rects:
        a, b, c, d = (x0 and x0 + 4), (y0 and y0 + 4), (x1 if x1 == w else x1 - 4), (y1 if y1 == h else y1 - 4)
        out[b:d, a:c] = drawn[b:d, a:c]
    return out


def _joined(rects: list[Rect]) -> list[Rect]:
    """Overlapping rectangles become one."""
    done: list[Rect] = []
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


@dataclass(frozen=True)
class Shot:
    """One frame: picture (h, w, 3) RGB as the sensor gives it, who is where, and boxes where they were asked for."""

    t: float
    picture: Array
    places: list[list[float | int]]
    boxes: list[Box] | None


def shots(
    script: Script, street: layout.Street, recorder: Recorder, frames: Iterable[tuple[int, bool]]
) -> Iterator[Shot]:
    """Draw frames of a script, given by number and whether to tell their boxes."""
    renderer = Renderer(script.camera.width, script.camera.height)
    renderer.set_street(street.things, street.ground, street.plan.area, street.facades, street.grain)
    camera, pinhole, light = script.camera, script.camera.pinhole(), recorder.light
    quiet, _ = stage_at(script, 0.0, still_only=True)
    background = renderer.draw(quiet.frame, pinhole, light)
    renderer.keep(quiet.frame)
    moving = {
        unit.vehicle_track or unit.people[0].track
        for act in script.acts
        if not truth.is_still(act)
        for unit, _ in act.phases()
    }
    started = datetime.strptime(script.started, "%Y-%m-%d_%H-%M-%S")
    for k, told in frames:
        t = k / recorder.fps
        stage, places, units = _staged(script, t)
        rects = touched(stage, {int(p[0]) for p in places} & moving, pinhole, light)
        picture = background
        if rects:
            picture = pasted(background, renderer.draw(stage.frame, pinhole, light, rects=rects), rects)
        picture = seen_through(camera, picture)
        slow = recorder.sensor.exposure_s > 0.015 and bool(rects)
        ids = None
        if told or slow:
            ids = seen_through(camera, renderer.draw_ids(stage.frame, pinhole), nearest=True)
        found = boxes(stage, camera, ids) if told else None
        if slow and ids is not None:
            picture = _smeared(picture, ids, stage, units, camera, recorder.sensor.exposure_s)
        rng = np.random.default_rng([recorder.seed, k])
        drift = 0.012 * np.sin(2 * np.pi * t / 23.0) + 0.006 * np.sin(2 * np.pi * t / 7.1)
        picture = expose(picture, recorder.sensor, rng, drift)
        if recorder.stamp is not None:
            now = (started + timedelta(seconds=int(t))).strftime("%Y-%m-%d %H:%M:%S")
            picture = stamped(picture, now, script.camera_id.upper(), recorder.stamp)
        yield Shot(t, picture, places, found)


def record(
    script: Script,
    street: layout.Street,
    recorder: Recorder,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
    """Write the recording at ``path`` and return its truth."""
    total = int(script.seconds * recorder.fps)
    writer = Writer(path, script.camera.width, script.camera.height, recorder)
    frames = []
    for k, shot in enumerate(
        shots(script, street, recorder, ((k, k % recorder.truth_every == 0) for k in range(total)))
    ):
        if shot.boxes is not None:
            found = [truth.row(b) for b in shot.boxes if b.visible >= 0.05 and truth.has_class(b)]
            frames.append({"t": round(shot.t, 3), "boxes": found, "places": shot.places})
        writer.add(shot.picture)
        if progress is not None:
            progress(k + 1, total)
    writer.close()
    return truth.document(script, frames, recorder.fps)


def _smeared(
    picture: Array, ids: Array, stage: Stage, units: list[tuple[Unit, Array]], camera: Camera, exposure_s: float
) -> Array:
    for (_, velocity), tracks in zip(units, stage.units, strict=True):
        mine = [s for s in stage.seen if s.track in tracks]
        if not velocity.any() or not mine:
            continue
        at = np.concatenate([s.points for s in mine]).mean(0)
        px, depth = camera.project(np.array([at, at + np.append(velocity * exposure_s, 0.0)]))
        if depth.min() > 1.0:
            picture = smear(picture, np.isin(ids, [s.tag for s in mine]), *(px[1] - px[0]))
    return picture


class Writer:
    """H.264 in MP4 like a network recorder's: long groups of pictures, a bit rate with a ceiling."""

    def __init__(self, path: Path, width: int, height: int, recorder: Recorder) -> None:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self.file = av.open(str(path), "w", format="mp4", options=options)
        self.stream = self.file.add_stream("libx264", rate=recorder.fps)
        self.stream.width, self.stream.height, self.stream.pix_fmt = width, height, "yuv420p"
        self.stream.time_base = Fraction(1, recorder.fps)
        self.stream.options = {
            "preset": recorder.preset,
            "crf": str(recorder.crf),
            "maxrate": recorder.maxrate,
            "bufsize": f"{4 * int(recorder.maxrate.removesuffix('k'))}k",
            "g": str(int(recorder.fps * recorder.group_s)),
            "keyint_min": str(int(recorder.fps * recorder.group_s)),
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


def cameras_toml(all_scripts: Sequence[Script], about: str) -> str:
    """The cameras with their zones and measured points, as a board's ``cameras.toml``."""
    lines = [f"# {about}"]
    for s in all_scripts:
        c = s.camera
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
