"""Pictures of rides: one rider or two, alone, side by side and among walkers, as a street's camera sees them pass.

Where ``pictures`` puts people anywhere, here they ride through drawn sites as they do in recordings: most seen from
behind or in front. Labels are none; what counts is the truth beside each picture, of who rides what.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from tools.street import pictures, teststreet, truth
from tools.street.actors import CLASSES, Box
from tools.street.acts import Act, Route, Script
from tools.street.casting import Casting, Points, Template
from tools.street.record import shots
from tools.street.sensor import coded
from tools.street.sites import SECONDS, Site, drawn

ACTS = 22
EVERY = 4
"""Frames from one picture to the next: 0.4 s, in which a rider goes on by his own length."""
MIN_HEIGHT_PX = 16
APART_M = 0.55
KINDS = {"scooter": 0.82, "motorcycle": 0.1, "bicycle": 0.08}


def script(site: Site) -> Script:
    """Who rides by in one minute: half of the scooters carry two, some riders have company of their own beside them."""
    cast = Casting(site)
    rng = cast.rng
    nobody = teststreet.empty(site)
    acts: list[Act] = []
    taken: list[Any] = []
    for k in range(ACTS):
        for template in _party(cast, rng):
            start = float(rng.uniform(0.0, 1.0)) + (SECONDS - 8.0) / ACTS * k - 4.0
            tries = [template(start + shift) for shift in (0.0, 0.7, -0.7, 1.4, -1.4, 2.1, -2.1)]
            ways = [teststreet.whereabouts(act, nobody) for act in tries]
            clashes = [sum(teststreet.meetings(way, other, APART_M) for other in taken) for way in ways]
            best = int(np.argmin(clashes))
            if clashes[best] <= 1:
                acts.append(tries[best])
                taken.append(ways[best])
    return replace(nobody, acts=tuple(acts))


def _party(cast: Casting, rng: np.random.Generator) -> Iterator[Template]:
    """One act, or two that pass side by side."""
    draw = rng.random()
    way = _way(cast, rng)
    if draw < 0.2:
        yield cast.walker(way if rng.random() < 0.5 else cast.stroll())
    elif draw < 0.27:
        yield cast.push(way)
    else:
        speed = float(rng.uniform(2.4, 4.6))
        yield _ride(cast, rng, way, speed)
        if draw > 0.88:
            aside = float(rng.choice([-1, 1]) * rng.uniform(0.75, 1.1))
            yield _ride(cast, rng, tuple((x, y + aside) for x, y in way), speed, first=True)


def _way(cast: Casting, rng: np.random.Generator) -> Points:
    draw = rng.random()
    if draw < 0.65:
        return cast.lane(against=bool(rng.random() < 0.3))
    if draw < 0.85:
        return cast.sidewalk()
    return cast.over_crosswalk() if cast.site.crosswalk or cast.site.kind == "junction" else cast.lane()


def _ride(cast: Casting, rng: np.random.Generator, way: Points, speed: float, *, first: bool = False) -> Template:
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    two = kind != "bicycle" and not first and rng.random() < 0.55
    heads = [str(rng.choice(["helmet", "helmet", "bare", "bare", "cap", "hood", "beanie"])) for _ in range(1 + two)]
    made = cast.ride(f"{len(heads)} on a {kind}", way, *heads, kind=kind, speed=speed)
    early = float(rng.uniform(0.0, 0.4))

    def act(start: float) -> Act:
        one = made(start)
        assert isinstance(one.route, Route)
        return replace(one, route=replace(one.route, start_s=start + early), breaches=())

    return act


def told(name: str, script: Script, found: list[Box]) -> dict[str, Any]:
    """The picture's truth, of the form of ``pictures.truth``."""
    about = {row["track"]: row for row in truth.tracks(script)}
    rows = []
    for box in found:
        row: dict[str, Any] = {
            "class": box.kind,
            "track": box.track,
            "xyxy": [round(value, 1) for value in box.xyxy],
            "visible": round(box.visible, 3),
            "labelled": False,
        }
        known = about.get(box.track, {}) if box.kind in ("person", "head", "helmet") else {}
        rows.append(row | {key: known[key] for key in ("head", "rides", "pushes", "seat") if key in known})
    return {
        "format": pictures.FORMAT,
        "picture": f"images/{name}.jpg",
        "resolution": [script.camera.width, script.camera.height],
        "light": script.notes["light"],
        "classes": list(CLASSES),
        "boxes": rows,
    }


def _shows_a_ride(row: dict[str, Any]) -> bool:
    _, y0, _, y1 = row["xyxy"]
    return row["class"] == "person" and "rides" in row and row["visible"] >= 0.3 and y1 - y0 >= MIN_HEIGHT_PX


def render(out: Path, seed: int, number: int) -> str:
    """Draw one site's minute into ``out``/images and truth, every picture that shows a ride; done ones stay."""
    import cv2

    site = drawn(seed, number)
    done = out / f"rides-{seed}-{number:04d}.done"
    if done.exists():
        return f"{done.stem}: there"
    for folder in ("images", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    story, street = script(site), site.street()
    recorder = site.recorder(street)
    total = int(SECONDS * site.fps)
    kept = 0
    for shot in shots(story, street, recorder, ((k, True) for k in range(0, total, EVERY))):
        name = f"rides-{seed}-{number:04d}-{round(shot.t * 10):03d}"
        text = told(name, story, shot.boxes or [])
        if not any(_shows_a_ride(row) for row in text["boxes"]):
            continue
        rng = np.random.default_rng([seed, number, round(shot.t * 10)])
        grain = [cv2.convertScaleAbs(shot.picture + rng.normal(0, 2.0, shot.picture.shape)) for _ in range(2)]
        picture = coded([*grain, shot.picture], float(rng.uniform(22, 32))) if rng.random() < 0.7 else shot.picture
        cv2.imwrite(str(out / "images" / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        (out / "truth" / f"{name}.json").write_text(json.dumps(text) + "\n", encoding="utf-8")
        kept += 1
    done.write_text(f"{kept}\n", encoding="utf-8")
    return f"{done.stem}: {kept} pictures of {len(story.acts)} acts"


def make(out: Path, count: int, seed: int, first: int = 1, jobs: int = 1) -> None:
    """Draw ``count`` sites' minutes: the same bytes from any number of jobs."""
    out.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(jobs) as pool:
        for line in pool.imap_unordered(_render, [(out, seed, first + k) for k in range(count)]):
            print(line, flush=True)


def _render(work: tuple[Path, int, int]) -> str:
    return render(*work)
