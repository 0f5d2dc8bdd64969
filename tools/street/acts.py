"""A script of a recording: who does what where and when; and what of it breaches a rule, from geometry alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from tools.street.actors import Place, Unit
from tools.street.camera import Camera
from tools.street.geometry import Array

Floor = Callable[[float, float], float]
"""Height of the floor at (x, y), metres."""
KINDS = ("no_helmet", "passenger_no_helmet", "two_up", "sidewalk", "crosswalk_riding", "wrong_way", "parking")


@dataclass(frozen=True)
class Route:
    """A smooth way through ``points`` (k, 2) at ``speed_ms``, begun at ``start_s``; nothing before, nothing after."""

    points: tuple[tuple[float, float], ...]
    speed_ms: float
    start_s: float = 0.0

    @property
    def length_m(self) -> float:
        return float(_smooth(self.points)[1][-1])

    @property
    def end_s(self) -> float:
        return self.start_s + self.length_m / self.speed_ms

    def at(self, t: float, floor: Floor) -> Place | None:
        """The place at second ``t``, or None before the start and after the end."""
        if not self.start_s <= t <= self.end_s:
            return None
        line, s = _smooth(self.points)
        gone = (t - self.start_s) * self.speed_ms
        x, y = np.interp(gone, s, line[:, 0]), np.interp(gone, s, line[:, 1])
        behind, ahead = max(gone - 0.4, 0), min(gone + 0.4, s[-1])
        dx = np.interp(ahead, s, line[:, 0]) - np.interp(behind, s, line[:, 0])
        dy = np.interp(ahead, s, line[:, 1]) - np.interp(behind, s, line[:, 1])
        return Place(
            float(x), float(y), floor(float(x), float(y)), float(np.arctan2(dy, dx)), float(gone), self.speed_ms
        )


@cache
def _smooth(points: tuple[tuple[float, float], ...]) -> tuple[Array, Array]:
    """The line (n, 2) after Chaikin's corner cutting, ends kept, and the metres along it (n,)."""
    p = np.asarray(points, float)
    for _ in range(4):
        if len(p) < 3:
            break
        q = 0.75 * p[:-1] + 0.25 * p[1:]
        r = 0.25 * p[:-1] + 0.75 * p[1:]
        p = np.concatenate([p[:1], np.stack([q, r], 1).reshape(-1, 2)[1:-1], p[-1:]])
    return p, np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])


@dataclass(frozen=True)
class Still:
    """Stands at one place, for the whole recording unless told from when to when."""

    x: float
    y: float
    heading: float
    from_s: float = -np.inf
    to_s: float = np.inf

    def at(self, t: float, floor: Floor) -> Place | None:
        if not self.from_s <= t < self.to_s:
            return None
        return Place(self.x, self.y, floor(self.x, self.y), self.heading)

    @property
    def is_always(self) -> bool:
        return bool(np.isinf(self.from_s) and np.isinf(self.to_s))


@dataclass(frozen=True)
class Act:
    """One thing that happens. ``breaches`` are rule kinds; ``name`` says in a word what the act shows.

    ``then`` are its further phases: the same people and vehicle in other roles (a rider gets off and walks away).
    """

    name: str
    unit: Unit
    route: Route | Still
    breaches: tuple[str, ...] = ()
    then: tuple[tuple[Unit, Route | Still], ...] = ()

    def phases(self) -> tuple[tuple[Unit, Route | Still], ...]:
        return ((self.unit, self.route), *self.then)

    def extent(self) -> tuple[float, float]:
        """Seconds before and after which nothing of the act is there."""
        ways = [route for _, route in self.phases()]
        starts = [w.start_s if isinstance(w, Route) else w.from_s for w in ways]
        ends = [w.end_s if isinstance(w, Route) else w.to_s for w in ways]
        return min(starts), max(ends)

    def present(self, t: float, floor: Floor) -> Iterator[tuple[Unit, Place]]:
        """Who of the act is where at second ``t``."""
        for unit, route in self.phases():
            place = route.at(t, floor)
            if place is not None:
                yield unit, place


@dataclass(frozen=True)
class Area:
    """A zone on the ground: a rectangle in metres; ``way`` is the lane's direction (+1 along ``along``, -1 against).

    ``along`` is in radians from +x.
    """

    name: str
    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    z: float = 0.0
    way: int = 0
    along: float = 0.0

    def holds(self, x: float, y: float) -> bool:
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def polygon(self, camera: Camera) -> list[tuple[int, int]]:
        """Its outline in the picture, cut at the picture's edge: whole pixels."""
        edge = 24
        corners = [(self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1)]
        ring = []
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
            ring += [(ax + (bx - ax) * k / edge, ay + (by - ay) * k / edge, self.z) for k in range(edge)]
        local = (np.array(ring) - camera.position) @ camera.axes().T
        local = _cut(local, np.array([0, 0, 1.0]), 0.5)
        if len(local) < 3:
            return []
        px = camera.bent(local[:, :2] / local[:, 2:]) * camera.focal_px + [camera.width / 2, camera.height / 2]
        for normal, limit in (
            (np.array([1.0, 0]), 0),
            (np.array([-1.0, 0]), -camera.width),
            (np.array([0, 1.0]), 0),
            (np.array([0, -1.0]), -camera.height),
        ):
            px = _cut(px, normal, limit)
            if len(px) < 3:
                return []
        return _simplified([(round(float(x)), round(float(y))) for x, y in px])

    def direction(self, camera: Camera) -> tuple[float, float] | None:
        """The lane's way of travel in the picture (unit vector, y down), at the zone's visible middle."""
        if not self.way:
            return None
        polygon = np.array(self.polygon(camera), float)
        x, y = camera.to_ground(polygon.mean(0)[None], self.z)[0]
        step = 0.5 * self.way * np.array([np.cos(self.along), np.sin(self.along)])
        px, _ = camera.project(np.array([[x, y, self.z], [x + step[0], y + step[1], self.z]]))
        d = px[1] - px[0]
        d = d / np.linalg.norm(d)
        return float(d[0]), float(d[1])


def _cut(points: Array, normal: Array, limit: float) -> Array:
    """Sutherland-Hodgman: the part of a ring where ``points @ normal >= limit``."""
    side = points @ normal - limit
    out = []
    for k in range(len(points)):
        a, b, sa, sb = points[k - 1], points[k], side[k - 1], side[k]
        if (sa >= 0) != (sb >= 0):
            out.append(a + (b - a) * sa / (sa - sb))
        if sb >= 0:
            out.append(b)
    return np.array(out).reshape(-1, points.shape[1])


def _simplified(ring: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without repeats and points on a straight line (within a pixel)."""
    points = [p for k, p in enumerate(ring) if p != ring[k - 1]]
    changed = True
    while changed and len(points) > 3:
        changed = False
        for k in range(len(points)):
            a, b, c = (
                np.array(points[k - 1], float),
                np.array(points[k], float),
                np.array(points[(k + 1) % len(points)], float),
            )
            area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
            if area <= 1.2 * np.linalg.norm(c - a):
                points.pop(k)
                changed = True
                break
    return points


@dataclass(frozen=True)
class Script:
    """A recording to be made: camera, street, zones and acts."""

    camera_id: str
    name: str
    area: str
    started: str  # YYYY-MM-DD_HH-MM-SS, local
    seconds: float
    camera: Camera
    areas: tuple[Area, ...]
    acts: tuple[Act, ...]
    floor: Floor
    idle: tuple[float, float] = (0.0, 0.0)
    ground_points: tuple[tuple[float, float], ...] = ()
    notes: dict[str, str] = field(default_factory=dict)  # told in the truth as they are
    fine_heads: bool = False  # tell caps, hoods and umbrellas apart in the truth

    @property
    def stem(self) -> str:
        return f"{self.camera_id}_{self.started}"


def in_view(script: Script, place: Place) -> bool:
    """The place's ground point and a head above it are inside the picture."""
    px, depth = script.camera.project(np.array([[place.x, place.y, place.z], [place.x, place.y, place.z + 1.7]]))
    c = script.camera
    return bool((depth > 1.0).all() and (px >= 0).all() and (px[:, 0] < c.width).all() and (px[:, 1] < c.height).all())


def spans(script: Script, act: Act, step_s: float = 0.05) -> dict[str, tuple[float, float]]:
    """When the act is in view (``seen``), and when each of its breaches is: seconds (from, to)."""
    found: dict[str, list[float]] = {}
    times = np.arange(0, script.seconds, step_s)
    first, last = act.extent()
    for t in times[(times >= first) & (times <= last)]:
        for unit, place in act.present(float(t), script.floor):
            if not in_view(script, place):
                continue
            found.setdefault("seen", []).append(float(t))
            inside = {a.kind: a for a in script.areas if a.holds(place.x, place.y)}
            for kind in act.breaches:
                if _breached(kind, unit, place, inside):
                    found.setdefault(kind, []).append(float(t))
    return {kind: (round(min(ts), 2), round(max(ts) + step_s, 2)) for kind, ts in found.items()}


def _breached(kind: str, unit: Unit, place: Place, inside: dict[str, Area]) -> bool:
    """Whether what may be a breach is one here: parking stands still, everything else is ridden."""
    if kind == "parking":
        return unit.mode == "still" and "no_parking" in inside
    if unit.mode != "ride":
        return False
    lane = inside.get("lane")
    return {
        "sidewalk": "sidewalk" in inside,
        "crosswalk_riding": "crosswalk" in inside,
        "wrong_way": lane is not None and lane.way * np.cos(place.heading - lane.along) < -0.5,
    }.get(kind, True)
