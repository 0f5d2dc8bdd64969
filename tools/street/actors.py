"""Who moves in the street: people (walking, riding, pushing) and vehicles, as a frame to draw and as boxes to tell."""

# ruff: noqa: RUF005 (sums of vectors, not of lists)
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tools.street import pose as poses
from tools.street import wear
from tools.street.bodies import BONE, Body, Look
from tools.street.camera import Camera
from tools.street.geometry import Array, apply, placed
from tools.street.render import Frame, Person, Thing
from tools.street.vehicles import Vehicle

CLASSES = ("person", "scooter", "helmet", "head", "bicycle", "motorcycle", "car")
PASSENGER_SHIFT_M = 0.30


@dataclass(frozen=True)
class Place:
    """Where something is: ground point (x, y), floor height z, heading (radians from +x), metres travelled."""

    x: float
    y: float
    z: float = 0.0
    heading: float = 0.0
    travelled_m: float = 0.0
    speed_ms: float = 0.0

    def matrix(self) -> Array:
        return placed(self.x, self.y, self.z, self.heading)


@dataclass
class Human:
    track: int
    look: Look
    body: Body = field(init=False)
    parts: list = field(init=False)
    held: list = field(init=False)
    head_rest: Array = field(init=False)

    def __post_init__(self) -> None:
        self.body = Body(self.look)
        self.parts = wear.worn(self.body)
        self.held = wear.held(self.body)
        self.head_rest = wear.head_points(self.body, self.parts)


@dataclass
class Unit:
    """One vehicle with its people, or one person alone. ``mode``: walk, stand, push, ride or still (no people)."""

    mode: str
    people: list[Human] = field(default_factory=list)
    vehicle: Vehicle | None = None
    vehicle_track: int = 0
    phase: float = 0.0
    left_first: bool = True
    push_side: float = 0.42
    glance: tuple[float, float] = (0.0, 0.06)


@dataclass(frozen=True)
class Seen:
    """One object's vertices in the world: what its box is made of."""

    kind: str
    track: int
    points: Array
    normals: Array
    tag: int


class Stage:
    """Collects the units of one instant: the frame to draw and the outlines to box."""

    def __init__(self) -> None:
        self.frame = Frame()
        self.seen: list[Seen] = []
        self.units: list[set[int]] = []
        self.held: list[tuple[int, Array]] = []  # what a track carries beyond its outline
        self._tag = 0

    def _next(self) -> int:
        self._tag += 1
        return self._tag

    def add(self, unit: Unit, place: Place, t: float = 0.0) -> None:
        world = place.matrix()
        self.units.append(
            {h.track for h in unit.people} | ({unit.vehicle_track} if unit.vehicle is not None else set())
        )
        if unit.vehicle is not None:
            self._vehicle(unit, place, world)
        for k, human in enumerate(unit.people):
            self._person(unit, k, human, place, world, t)

    def _vehicle(self, unit: Unit, place: Place, world: Array) -> None:
        v = unit.vehicle
        assert v is not None
        tag = self._next()
        crank = place.travelled_m / 2.2 * 2 * np.pi / 1.6
        points, normals = [], []
        for m, w in v.placed_parts(world, place.travelled_m, crank):
            self.frame.things.append(Thing(m, w, tag, closed=True))
            step = max(1, len(m.positions) // 500)
            points.append(apply(w, m.positions[::step]))
            normals.append(m.normals[::step] @ w[:3, :3].T)
        outline = apply(world, _corners(v))
        self.seen.append(
            Seen(
                v.kind,
                unit.vehicle_track,
                np.concatenate([*points, outline]),
                np.concatenate([*normals, np.zeros_like(outline)]),
                tag,
            )
        )
        ahead = np.array([np.cos(place.heading), np.sin(place.heading)])
        reach, r, w = {
            "scooter": (0.35, 0.45, 0.55),
            "bicycle": (0.45, 0.5, 0.4),
            "motorcycle": (0.5, 0.65, 0.7),
            "car": (1.5, 1.5, 0.85),
        }.get(v.kind, (0.2, 0.5, 0.5))
        for s in (-1, 0, 1) if v.kind == "car" else (-1, 1):
            self.frame.blobs.append((place.x + s * reach * ahead[0], place.y + s * reach * ahead[1], r, w))

    def _person(self, unit: Unit, k: int, human: Human, place: Place, world: Array, t: float) -> None:
        body, v = human.body, unit.vehicle
        sway = t * 1.7 + human.track
        if unit.mode == "walk":
            p = poses.walking(
                body,
                unit.phase + place.travelled_m / poses.stride_length(body, place.speed_ms),
                place.speed_ms,
                look=unit.glance,
            )
        elif unit.mode == "push" and v is not None and v.kind == "suitcase":
            p = poses.walking(
                body,
                unit.phase + place.travelled_m / poses.stride_length(body, place.speed_ms),
                place.speed_ms,
                look=unit.glance,
            )
            p.hands = (p.hands[0], np.array([0.0, -0.16, -0.33 * body.height]))
        elif unit.mode == "push" and v is not None and v.kind in ("pram", "trolley"):
            p = poses.walking(
                body,
                unit.phase + place.travelled_m / poses.stride_length(body, place.speed_ms),
                place.speed_ms,
                push=v.grips,
                look=unit.glance,
            )
            p = _shifted(p, np.array([-0.36, 0.0, 0.0]))
        elif unit.mode == "push" and v is not None:
            side = np.array([0.0, unit.push_side, 0.0])
            grips = (v.grips[0] + [0, 0, 0], v.grips[1])
            p = poses.walking(
                body,
                unit.phase + place.travelled_m / poses.stride_length(body, place.speed_ms),
                max(place.speed_ms, 0.5),
                push=grips,
                look=unit.glance,
            )
            offset = side + [-0.02, 0, 0]
            p = _shifted(p, offset)
        elif unit.mode == "ride" and v is not None and v.kind == "scooter" and v.seat[2] > 0:
            back = np.array([-0.30 * k, 0, 0.03 * k])
            feet = tuple(peg + [-0.22 * k, 0.05 * k * (1 if s == 0 else -1), 0.05 * k] for s, peg in enumerate(v.pegs))
            grips = v.grips if k == 0 else (v.seat + [-0.02, 0.19, 0.28], v.seat + [-0.02, -0.19, 0.28])
            p = poses.seated(body, v.seat + back, grips, feet, lean=0.1, look=unit.glance)
        elif unit.mode == "ride" and v is not None and v.kind == "scooter":
            two = len(unit.people) > 1
            if k == 0:
                p = poses.on_scooter(
                    body,
                    v.grips,
                    v.deck_z,
                    stand_x=0.05 if two else -0.06,
                    sway=sway,
                    look=unit.glance,
                    left_first=unit.left_first,
                )
            else:
                p = poses.behind_driver(body, v.deck_z, stand_x=0.05 - PASSENGER_SHIFT_M, sway=sway)
        elif unit.mode == "ride" and v is not None and v.kind == "bicycle":
            a = place.travelled_m / 2.2 * 2 * np.pi / 1.6
            c = np.array(v.crank_at)
            pedal = np.array([v.crank_m * np.cos(a), 0.0, -v.crank_m * np.sin(a)])
            feet = (c + pedal + [-0.03, 0.13, 0.01], c - pedal + [-0.03, -0.13, 0.01])
            p = poses.seated(body, v.seat, v.grips, feet, lean=0.5, look=unit.glance)
        elif unit.mode == "ride" and v is not None:
            back = np.array([-0.36 * k, 0, 0.02 * k])
            feet = (v.pegs[0] + [-0.45 * k, 0.08 * k, 0], v.pegs[1] + [-0.45 * k, -0.08 * k, 0])
            grips = v.grips if k == 0 else (v.seat + [-0.05, 0.2, 0.25], v.seat + [-0.05, -0.2, 0.25])
            p = poses.seated(body, v.seat + back, grips, feet, lean=0.2, look=unit.glance)
        else:
            p = poses.standing(body, sway, unit.glance[0])
        if human.held and unit.mode in ("walk", "stand"):
            arm = np.array([0.0, 0.08, -0.32 * body.height])
            p.hands = (p.hands[0] if p.hands_relative and p.hands[0] is not None else arm, wear.HANDLE)
            p.hands_relative = True
        turn, joints = poses.solve(body, p)
        points, normals = body.skin(turn, joints)
        tag = self._next()
        self.frame.people.append(Person(body, points, normals, world, tag))
        extra = []
        for part, bone in human.parts:
            m = world @ wear.carried(bone, body, turn, joints)
            self.frame.things.append(Thing(part, m, tag))
            extra.append((apply(m, part.positions), part.normals @ m[:3, :3].T))
        for part, bone in human.held:
            m = world @ wear.carried(bone, body, turn, joints)
            self.frame.things.append(Thing(part, m, 0))
            self.held.append((human.track, apply(m, part.positions)))
        whole = apply(world, points)
        facing = normals @ world[:3, :3].T
        self.seen.append(
            Seen(
                "person",
                human.track,
                np.concatenate([whole, *[e[0] for e in extra]]),
                np.concatenate([facing, *[e[1] for e in extra]]),
                tag,
            )
        )
        head = BONE["head"]
        m = world @ wear.carried(head, body, turn, joints)
        skull = apply(m, human.head_rest)
        out = skull - skull.mean(0)
        self.seen.append(
            Seen(
                "helmet" if human.look.helmeted else "head",
                human.track,
                skull,
                out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9),
                tag,
            )
        )
        if v is None or unit.mode == "push":
            at = apply(world, p.pelvis[None])[0]
            self.frame.blobs.append((at[0], at[1], 0.42, 0.6))


def _shifted(p: poses.Pose, offset: Array) -> poses.Pose:
    """The same walk beside the vehicle: body and feet move, the hands stay at the grips."""
    p.pelvis = p.pelvis + offset
    p.feet = (p.feet[0] + offset, p.feet[1] + offset)
    return p


def _corners(v: Vehicle) -> Array:
    """Extreme vertices of a vehicle, so that a thinned outline keeps its box."""
    outline = v.outline()
    rng = np.random.default_rng(0)
    d = rng.normal(0, 1, (64, 3))
    return outline[np.unique(np.argmax(outline @ d.T, axis=0))]


@dataclass(frozen=True)
class Box:
    kind: str
    track: int
    xyxy: tuple[float, float, float, float]
    visible: float


def boxes(stage: Stage, camera: Camera, ids: Array | None = None) -> list[Box]:
    """Boxes of everything on stage, cut at the picture's edge.

    ``visible`` is the share of the object's front-facing vertices that the id picture shows at their place (times the
    share inside the picture); without an id picture only the part inside counts.
    """
    out = []
    for s in stage.seen:
        px, depth = camera.project(s.points)
        ahead = depth > camera.near_m
        if ahead.mean() < 0.9:
            continue
        px, pts, nrm = px[ahead], s.points[ahead], s.normals[ahead]
        x0, y0 = px.min(0)
        x1, y1 = px.max(0)
        inside = (px[:, 0] >= 0) & (px[:, 1] >= 0) & (px[:, 0] < camera.width) & (px[:, 1] < camera.height)
        front = ((np.asarray(camera.position) - pts) * nrm).sum(1) > 0
        counted = front if front.sum() > 10 else np.ones(len(px), bool)
        visible = float(inside[counted].mean())
        if ids is not None and visible > 0:
            q = px[counted & inside].astype(int)
            hit = np.zeros(len(q), bool)
            for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
                hit |= (
                    ids[np.clip(q[:, 1] + dy, 0, camera.height - 1), np.clip(q[:, 0] + dx, 0, camera.width - 1)]
                    == s.tag
                )
            visible *= float(hit.mean()) if len(q) else 0.0
        cut = (float(max(x0, 0)), float(max(y0, 0)), float(min(x1, camera.width)), float(min(y1, camera.height)))
        if cut[2] - cut[0] < 1 or cut[3] - cut[1] < 1:
            continue
        out.append(Box(s.kind, s.track, cut, visible))
    return out
