"""The truth beside a recording: ``<name>.truth.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tools.street.actors import CLASSES, Box, Place, Unit
from tools.street.acts import Act, Script, Still, spans
from tools.street.geometry import Array

FORMAT = "quitboard-street-truth/1"


def tracks(script: Script) -> list[dict[str, Any]]:
    """Every person and vehicle: id, class, and what it rides or pushes."""
    rows: list[dict[str, Any]] = []
    for act in script.acts:
        for unit, first in _first_seen(act):
            if unit.vehicle is not None and first(unit.vehicle_track):
                rows.append({"track": unit.vehicle_track, "class": unit.vehicle.kind, "act": act.name})
            for k, human in enumerate(unit.people):
                if not first(human.track):
                    continue
                head = human.look.head if script.fine_heads else ("helmet" if human.look.helmeted else "bare")
                row: dict[str, Any] = {"track": human.track, "class": "person", "act": act.name, "head": head}
                if unit.vehicle is not None:
                    row["rides" if unit.mode == "ride" else "pushes"] = unit.vehicle_track
                    row["seat"] = k
                rows.append(row)
    return rows


def _first_seen(act: Act) -> Iterator[tuple[Unit, Callable[[int], bool]]]:
    """The act's units, each with a test whether a track has not been told before; ridden phases come first."""
    told: set[int] = set()

    def first(track: int) -> bool:
        fresh = track not in told
        told.add(track)
        return fresh

    units = [unit for unit, _ in act.phases()]
    for unit in sorted(units, key=lambda u: u.mode != "ride"):
        yield unit, first


def acts(script: Script) -> list[dict[str, Any]]:
    """Breaches with their seconds, and the acts that breach nothing (``kind`` null), as one list."""
    rows: list[dict[str, Any]] = []
    for act in script.acts:
        when = spans(script, act)
        if "seen" not in when:
            continue
        crew = {h.track: None for unit, _ in act.phases() for h in unit.people}
        vehicles = [unit.vehicle_track for unit, _ in act.phases() if unit.vehicle is not None]
        who = {"act": act.name, "people": list(crew), "vehicle": vehicles[0] if vehicles else None}
        if not act.breaches:
            rows.append({**who, "kind": None, "from_s": when["seen"][0], "to_s": when["seen"][1]})
        rows += [
            {**who, "kind": kind, "from_s": when[kind][0], "to_s": when[kind][1]}
            for kind in act.breaches
            if kind in when
        ]
    return rows


def row(box: Box) -> list[float | int]:
    """track, class id, x0, y0, x1, y1 (px, one decimal), visible share."""
    return [box.track, CLASSES.index(box.kind), *[round(v, 1) for v in box.xyxy], round(box.visible, 2)]


def has_class(box: Box) -> bool:
    """Prams, suitcases and the like have truth in ``tracks`` and no boxes: no reader knows a class for them."""
    return box.kind in CLASSES


def where(unit: Unit, place: Place) -> list[float | int]:
    """track of the vehicle (or person), x and y in metres, km/h."""
    track = unit.vehicle_track or unit.people[0].track
    return [track, round(place.x, 2), round(place.y, 2), round(place.speed_ms * 3.6, 1)]


def document(script: Script, frames: list[dict[str, Any]], fps: int) -> dict[str, Any]:
    camera = script.camera
    return {
        "format": FORMAT,
        "recording": f"{script.stem}.mp4",
        "camera": script.camera_id,
        "started": script.started,
        "seconds": script.seconds,
        **script.notes,
        "fps": fps,
        "resolution": [camera.width, camera.height],
        "classes": list(CLASSES),
        "idle": list(script.idle),
        "zones": [
            {"name": a.name, "kind": a.kind, "polygon": a.polygon(camera), "metres": [a.x0, a.y0, a.x1, a.y1]}
            for a in script.areas
        ],
        "acts": acts(script),
        "tracks": tracks(script),
        "columns": {
            "boxes": ["track", "class", "x0", "y0", "x1", "y1", "visible"],
            "places": ["track", "x_m", "y_m", "kmh"],
        },
        "frames": frames,
    }


def is_still(act: Act) -> bool:
    """Stands there from before the recording to its end: part of the background."""
    return all(isinstance(route, Still) and route.is_always for _, route in act.phases())


def ground_points(script: Script) -> Array:
    """Pixels of the script's measured points (n, 2)."""
    points = np.array([[x, y, script.floor(x, y)] for x, y in script.ground_points])
    return script.camera.project(points)[0]
