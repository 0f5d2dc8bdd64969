"""The truth beside a recording: ``<name>.truth.json``."""

from __future__ import annotations

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
        unit = act.unit
        if unit.vehicle is not None:
            rows.append({"track": unit.vehicle_track, "class": unit.vehicle.kind, "act": act.name})
        for k, human in enumerate(unit.people):
            row: dict[str, Any] = {
                "track": human.track,
                "class": "person",
                "act": act.name,
                "head": "helmet" if human.look.helmeted else "bare",
            }
            if unit.vehicle is not None:
                row["rides" if unit.mode == "ride" else "pushes"] = unit.vehicle_track
                row["seat"] = k
            rows.append(row)
    return rows


def acts(script: Script) -> list[dict[str, Any]]:
    """Breaches with their seconds, and the acts that breach nothing (``kind`` null), as one list."""
    rows: list[dict[str, Any]] = []
    for act in script.acts:
        when = spans(script, act)
        if "seen" not in when:
            continue
        who = {"act": act.name, "people": [h.track for h in act.unit.people], "vehicle": act.unit.vehicle_track or None}
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


def where(act: Act, place: Place) -> list[float | int]:
    """track of the vehicle (or person), x and y in metres, km/h."""
    unit: Unit = act.unit
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
    return isinstance(act.route, Still)


def ground_points(script: Script) -> Array:
    """Pixels of the script's measured points (n, 2)."""
    points = np.array([[x, y, script.floor(x, y)] for x, y in script.ground_points])
    return script.camera.project(points)[0]
