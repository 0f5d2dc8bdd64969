"""Making one recording and its truth: real frames, people painted in, encoded as a recorder would."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tools.pasted.actors import Actor, Way, scale_of, sway_of, view_of
from tools.pasted.cuts import Cut
from tools.pasted.paint import CLASSES, Passing, Sprite, light_of, paint, sprite_of
from tools.pasted.plan import Plan, actors_of
from tools.pasted.scenes import SCENES, Scene
from tools.street.truth import FORMAT

_SEEN = 0.5
"""A box of which less is seen is left out of the truth's spans."""


def make(plan: Plan, data: Path, out: Path, cuts: Mapping[str, Cut], used: dict[str, int], seed: int) -> Path:
    """Write a recording and its truth below `out/<camera>/`; returns the recording's path."""
    rng = np.random.default_rng([seed, zlib.crc32(plan.name.encode())])
    scene = SCENES[plan.scene]
    actors = actors_of(plan, cuts, rng, used)
    frames, rate = _frames(scene, plan, data, rng)
    empty = np.median(np.stack(frames[:: max(1, len(frames) // 25)]), axis=0).astype(np.float32)
    noise = _noise(frames, empty) * (1.0 if plan.dim == 1 else 1.6)
    path = out / plan.camera / f"{plan.name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    truth: list[dict[str, Any]] = []
    _encode(path, _painted(scene, plan, actors, frames, empty, noise, rate, rng, truth), plan, rate)
    document = _document(plan, actors, truth, rate)
    path.with_suffix(".truth.json").write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", "utf-8")
    return path


def _painted(
    scene: Scene,
    plan: Plan,
    actors: Sequence[Actor],
    frames: Sequence[np.ndarray],
    empty: np.ndarray,
    noise: float,
    rate: float,
    rng: np.random.Generator,
    truth: list[dict[str, Any]],
) -> Iterator[np.ndarray]:
    zoom = np.array([plan.size[0] / scene.size[0], plan.size[1] / scene.size[1]])
    sprites: list[Sprite] = [sprite_of(actor, view_of(scene, actor.way), scene.squash) for actor in actors]
    still = empty.astype(np.uint8)
    blur = max(0.25, scene.blur * float(zoom[1]))
    lights = [light_of(empty, noise, blur, actor.cut) for actor in actors]
    ways = [Way.of(scene, actor.way, actor.kmh) for actor in actors]
    for n, real in enumerate(frames):
        now = n / rate
        frame = real.astype(np.float32)
        places = [way.at(now - actor.begin_s) for way, actor in zip(ways, actors, strict=True)]
        present = [k for k, place in enumerate(places) if place is not None]
        passing = Passing.of(real, still) if present and not scene.still else None
        boxes: list[list[float]] = []
        for k in sorted(present, key=lambda k: float(places[k][1])):  # type: ignore[index]
            actor, place = actors[k], places[k]
            assert place is not None
            bob, lean = sway_of(actor, now)
            foot = place * zoom
            later = ways[k].at(now - actor.begin_s + 1 / rate)
            speed = (later - place) * zoom * rate / 60 if later is not None else np.zeros(2)
            scale = scale_of(actor, scene, float(place[1]), float(zoom[1]))
            found = paint(
                frame,
                sprites[k],
                lights[k],
                rng,
                foot=foot + np.array([0, bob * scale * actor.cut.tall]),
                scale=scale,
                lean=lean,
                speed=speed,
                front=_front(scene, passing, real.shape[:2], place, zoom),
            )
            boxes += [
                [_track(k, who), CLASSES.index(what), *(round(float(v), 1) for v in box), round(share, 2)]
                for who, what, box, share in found
            ]
        truth.append({"t": round(now, 3), "boxes": boxes})
        yield np.clip(frame * plan.dim, 0, 255).astype(np.uint8) if plan.dim == 1 else _dusk(frame, plan.dim, rng)


def _track(actor: int, who: int) -> int:
    """The vehicle of an actor has the first id of his, then come his people."""
    return 3 * actor + 2 + who


def _front(
    scene: Scene, passing: Passing | None, shape: tuple[int, int], place: np.ndarray, zoom: np.ndarray
) -> np.ndarray | None:
    """What hides somebody at a place: real people nearer to the camera, and masts."""
    mask = (
        None
        if passing is None
        else passing.before(float(place[1] * zoom[1]), float(scene.height_at(place[1]) * zoom[1]))
    )
    for row, outline in scene.masts:
        if place[1] < row:
            mask = np.zeros(shape, np.float32) if mask is None else mask
            cv2.fillPoly(mask, [np.round(np.array(outline) * zoom * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
    return mask


def _dusk(frame: np.ndarray, dim: float, rng: np.random.Generator) -> np.ndarray:
    """Little light: darker, flatter in colour, bluish, and noisier, as a camera's gain makes it."""
    grey = frame.mean(axis=2, keepdims=True)
    dark = (grey + (frame - grey) * 0.6) * dim * np.array([1.08, 1.0, 0.94])
    return np.clip(dark + rng.normal(0, 4.5, frame.shape[:2])[..., None] + 6, 0, 255).astype(np.uint8)


def _frames(scene: Scene, plan: Plan, data: Path, rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    """Return the real frames at the plan's size, and their rate."""
    with av.open(str(data / scene.clip)) as container:
        rate = float(container.streams.video[0].average_rate or 0) / scene.every
    wanted = round(plan.seconds * rate)
    if scene.still:
        short = [frame for clip in (scene.clip, scene.still) for frame in _read(data / clip, plan.size, scene.every)]
        return _quiet(short, wanted, rng), rate
    first = round(plan.from_s * rate)
    return list(itertools.islice(_read(data / scene.clip, plan.size, scene.every), first, first + wanted)), rate


def _read(path: Path, size: tuple[int, int], every: int) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in itertools.islice(container.decode(video=0), 0, None, every):
            yield cv2.resize(frame.to_ndarray(format="bgr24"), size, interpolation=cv2.INTER_AREA)


def _quiet(frames: Sequence[np.ndarray], wanted: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A street as it is when nobody passes: the median of a recording, and noise as strong as its own."""
    stack = np.stack(frames)
    empty = np.median(stack, axis=0).astype(np.float32)
    sigma = np.minimum(np.median(np.abs(stack.astype(np.float32) - empty), axis=0) * 1.4826, 3.0) + 0.6
    return [
        np.clip(empty + sigma * rng.normal(0, 1, empty.shape[:2])[..., None], 0, 255).astype(np.uint8)
        for _ in range(wanted)
    ]


def _noise(frames: Sequence[np.ndarray], empty: np.ndarray) -> float:
    chosen = frames[:: max(1, len(frames) // 6)]
    return float(np.median([np.median(np.abs(frame - empty)) for frame in chosen]) * 1.4826 + 0.8)


def _encode(path: Path, frames: Iterator[np.ndarray], plan: Plan, rate: float) -> None:
    """H.264 as network recorders write it: a set rate of bits, a keyframe every four seconds, no B-frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = *plan.size, "yuv420p"
        stream.bit_rate = plan.kbps * 1000
        stream.options = {"preset": "veryfast", "bf": "0", "g": str(round(4 * rate)), "threads": "1"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def _document(plan: Plan, actors: Sequence[Actor], frames: list[dict[str, Any]], rate: float) -> dict[str, Any]:
    tracks: list[dict[str, Any]] = []
    acts: list[dict[str, Any]] = []
    for k, actor in enumerate(actors):
        vehicle = _track(k, -1) if actor.cut.scooter is not None else None
        if vehicle is not None:
            tracks.append({"track": vehicle, "class": "scooter", "act": actor.act})
        for seat, cut in enumerate(actor.people):
            row: dict[str, Any] = {"track": _track(k, seat), "class": "person", "act": actor.act, "head": cut.wears}
            if vehicle is not None:
                row |= {"rides" if actor.rides else "pushes": vehicle, "seat": seat}
            tracks.append({**row, "cut": cut.name, "picture": cut.picture, "seen_in_training": cut.trained})
        seen = [
            (frame["t"], box)
            for frame in frames
            for box in frame["boxes"]
            if box[0] == _track(k, 0) and box[1] == 0 and box[6] >= _SEEN
        ]
        if not seen:
            continue
        common = {
            "act": actor.act,
            "people": [_track(k, seat) for seat in range(len(actor.people))],
            "vehicle": vehicle,
            "from_s": seen[0][0],
            "to_s": seen[-1][0],
            "kmh": round(actor.kmh, 1),
            "rider_px": round(float(np.median([box[5] - box[3] for _, box in seen])), 1),
            "seen_in_training": any(cut.trained for cut in actor.people),
        }
        acts += [{**common, "kind": kind} for kind in _kinds(actor)]
    return {
        "format": FORMAT,
        "recording": f"{plan.name}.mp4",
        "camera": plan.camera,
        "started": plan.name.removeprefix(f"{plan.camera}_"),
        "seconds": round(len(frames) / rate, 3),
        "fps": rate,
        "resolution": list(plan.size),
        "made": "riders cut from photos, pasted into a real recording",
        "scene": plan.scene,
        "classes": list(CLASSES),
        "acts": acts,
        "tracks": tracks,
        "columns": {"boxes": ["track", "class", "x0", "y0", "x1", "y1", "visible"]},
        "frames": frames,
    }


def _kinds(actor: Actor) -> list[str | None]:
    if not actor.rides:
        return [None]
    kinds: list[str | None] = ["no_helmet"] if actor.cut.wears != "helmet" else []
    if actor.passenger is not None:
        kinds.append("two_up")
        if actor.passenger.wears != "helmet":
            kinds.append("passenger_no_helmet")
    return kinds or [None]
