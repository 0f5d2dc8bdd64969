"""Poses: pelvis, spine and head are set, arms and legs follow their hands and feet (two-bone inverse kinematics).

Body frame: x ahead, y left, z up, metres, the ground under the body at z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tools.street.bodies import BONE, Body
from tools.street.geometry import rotation

Vector = np.ndarray


def turn(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """3x3; positive pitch bends forward, positive roll leans right, positive yaw turns left."""
    return (rotation("z", yaw) @ rotation("y", pitch) @ rotation("x", roll))[:3, :3]


@dataclass
class Pose:
    """Targets in the body frame. ``hands`` and ``feet`` are wrists and ankles, left then right."""

    pelvis: Vector
    pelvis_turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    bend: tuple[float, float, float] = (0.0, 0.0, 0.0)  # yaw, pitch, roll of the chest against the pelvis
    look: tuple[float, float] = (0.0, 0.0)  # yaw, pitch of the head, against the street
    hands: tuple[Vector | None, Vector | None] = (None, None)
    hands_relative: bool = False  # hands are given from the shoulders, not from the body's origin
    elbows: tuple[Vector, Vector] = (np.array([-0.5, 0.6, -0.6]), np.array([-0.5, -0.6, -0.6]))
    feet: tuple[Vector, Vector] = (np.zeros(3), np.zeros(3))
    feet_turn: tuple[np.ndarray, np.ndarray] = (np.eye(3), np.eye(3))
    knees: tuple[Vector, Vector] = (np.array([1.0, 0.12, 0]), np.array([1.0, -0.12, 0]))


def _frame(along: Vector, normal: Vector) -> np.ndarray:
    x = along / np.linalg.norm(along)
    y = normal - (normal @ x) * x
    y = y / np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], 1)


def two_bones(start: Vector, target: Vector, first: float, second: float, pole: Vector) -> tuple[Vector, Vector]:
    """The middle joint and the reached end of two bones from ``start`` towards ``target``, bent towards ``pole``."""
    line = target - start
    reach = np.clip(np.linalg.norm(line), abs(first - second) + 1e-3, (first + second) * 0.9985)
    line = line / max(np.linalg.norm(line), 1e-9)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    out = np.sqrt(max(first**2 - along**2, 0.0))
    side = pole - (pole @ line) * line
    side = side / max(np.linalg.norm(side), 1e-9)
    return start + line * along + side * out, start + line * reach


def solve(body: Body, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Global rotations (22, 3, 3) and places (22, 3) of the bones, in the body frame."""
    rest, parents = body.joints, body.parents
    g = np.repeat(np.eye(3)[None], 22, 0)
    p = np.zeros((22, 3))

    def follow(name: str, own: np.ndarray | None = None) -> None:
        k = BONE[name]
        up = parents[k]
        g[k] = g[up] if own is None else own
        p[k] = p[up] + g[up] @ (rest[k] - rest[up])

    g[0], p[0] = pose.pelvis_turn, pose.pelvis
    yaw, pitch, roll = (a / 3 for a in pose.bend)
    for name in ("spine_01", "spine_02", "spine_03"):
        follow(name, g[parents[BONE[name]]] @ turn(yaw, pitch, roll))
    head = turn(pose.look[0], pose.look[1])
    chest = g[BONE["spine_03"]]
    blend = chest + head
    u, _, vt = np.linalg.svd(blend)
    follow("neck_01", u @ vt)
    follow("head", head)

    for i, side in enumerate("lr"):
        follow(f"clavicle_{side}")
        follow(f"upperarm_{side}")
        a, b, c = (BONE[f"{n}_{side}"] for n in ("upperarm", "lowerarm", "hand"))
        hand = pose.hands[i]
        if hand is None:
            hand = np.array(
                [
                    0.03,
                    0.10 * (1 - 2 * i),
                    -0.95 * (np.linalg.norm(rest[b] - rest[a]) + np.linalg.norm(rest[c] - rest[b])),
                ]
            )
            hand = p[a] + hand
        elif pose.hands_relative:
            hand = p[a] + hand
        _limb(g, p, rest, a, b, c, hand, pose.elbows[i])
        g[c] = g[b]

        follow(f"thigh_{side}")
        a, b, c = (BONE[f"{n}_{side}"] for n in ("thigh", "calf", "foot"))
        _limb(g, p, rest, a, b, c, pose.feet[i], pose.knees[i])
        g[c] = pose.feet_turn[i]
        follow(f"ball_{side}", pose.feet_turn[i])
    return g, p


def _limb(g: np.ndarray, p: np.ndarray, rest: np.ndarray, a: int, b: int, c: int, target: Vector, pole: Vector) -> None:
    d1, d2 = rest[b] - rest[a], rest[c] - rest[b]
    p[b], p[c] = two_bones(p[a], target, float(np.linalg.norm(d1)), float(np.linalg.norm(d2)), pole)
    line = p[c] - p[a]
    normal = np.cross(pole, line)
    flat = np.cross(d1, d2)
    g[a] = _frame(p[b] - p[a], normal) @ _frame(d1, flat).T
    g[b] = _frame(p[c] - p[b], normal) @ _frame(d2, flat).T


def _legs(body: Body) -> tuple[float, float]:
    """Length of a leg (hip to ankle) and height of the ankle."""
    j = body.joints
    hip, knee, ankle = (j[BONE[n]] for n in ("thigh_l", "calf_l", "foot_l"))
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)), float(ankle[2])


def standing(body: Body, sway: float = 0.0, yaw: float = 0.0) -> Pose:
    leg, ankle = _legs(body)
    hip_drop = body.joints[0, 2] - body.joints[BONE["thigh_l"], 2]
    return Pose(
        pelvis=np.array([0.0, 0.02 * np.sin(sway), ankle + leg * 0.985 + hip_drop]),
        bend=(0, 0.03, 0),
        look=(yaw, 0.05),
        feet=(np.array([0.0, 0.11, ankle]), np.array([0.03, -0.11, ankle])),
    )


def walking(
    body: Body,
    phase: float,
    speed: float,
    push: tuple[Vector, Vector] | None = None,
    look: tuple[float, float] = (0, 0.08),
) -> Pose:
    """One instant of a walk; ``phase`` 0..1 is one cycle (two steps), ``speed`` m/s; ``push`` gives both wrists."""
    leg, ankle = _legs(body)
    hip_drop = body.joints[0, 2] - body.joints[BONE["thigh_l"], 2]
    stride = stride_length(body, speed)
    stance = 0.6
    half = stride * stance / 2
    feet, turns = [], []
    for i in range(2):
        t = (phase + 0.5 * i) % 1.0
        side = 0.075 * (1 - 2 * i)
        if t < stance:
            s = t / stance
            x, z = half * (1 - 2 * s), 0.0
            tilt = np.interp(s, [0, 0.15, 0.6, 1.0], [-0.3, 0.0, 0.0, 0.55])
            z = np.interp(s, [0, 0.6, 1.0], [0.01, 0.0, 0.07])
        else:
            s = (t - stance) / (1 - stance)
            x = -half * np.cos(np.pi * s)
            tilt = np.interp(s, [0, 0.25, 0.7, 1.0], [0.55, 0.7, -0.1, -0.3])
            z = 0.07 * (1 - s) + 0.09 * np.sin(np.pi * s) + 0.01 * s
        feet.append(np.array([x, side, ankle + z * leg / 0.8]))
        turns.append(turn(0.08 * (1 - 2 * i), tilt))
    swing = np.cos(2 * np.pi * phase)
    bob = np.cos(4 * np.pi * phase)
    amount = min(speed / 1.4, 1.3)
    arm = 0.5 * body.height * 0.36
    hands = []
    for i in range(2):
        s = swing * (1 - 2 * i) * -1
        hands.append(
            np.array([0.05 + s * 0.42 * arm * amount * 1.6, 0.07 * (1 - 2 * i), -1.62 * arm + 0.12 * arm * abs(s)])
        )
    pose = Pose(
        pelvis=np.array([0.0, 0.012 * np.sin(2 * np.pi * phase), ankle + leg * (0.965 - 0.018 * bob) + hip_drop]),
        pelvis_turn=turn(-0.10 * swing * amount, 0.03, 0),
        bend=(0.2 * swing * amount, 0.05, 0),
        look=look,
        hands=(hands[0], hands[1]),
        hands_relative=True,
        elbows=(np.array([-1.0, 0.25, -0.2]), np.array([-1.0, -0.25, -0.2])),
        feet=(feet[0], feet[1]),
        feet_turn=(turns[0], turns[1]),
    )
    if push is not None:
        pose.hands, pose.hands_relative = push, False
        pose.bend = (0, 0.18, 0)
        pose.elbows = (np.array([-0.5, 0.8, -0.6]), np.array([-0.5, -0.8, -0.6]))
    return pose


def stride_length(body: Body, speed: float) -> float:
    """Metres of one cycle (two steps) at ``speed`` m/s: longer strides at higher speed, as people do."""
    return body.height / 1.7 * float(np.interp(speed, [0.3, 0.8, 1.4, 2.0, 3.5], [0.6, 0.95, 1.38, 1.75, 2.4]))


def on_scooter(
    body: Body,
    grips: tuple[Vector, Vector],
    deck_z: float,
    *,
    stand_x: float = -0.22,
    lean: float = 0.06,
    sway: float = 0.0,
    look: tuple[float, float] = (0.0, 0.05),
    left_first: bool = True,
    crouch: float = 0.0,
) -> Pose:
    """Standing on a deck, one foot before the other, hands at ``grips`` (wrists); ``stand_x`` is between the feet."""
    leg, ankle = _legs(body)
    hip_drop = body.joints[0, 2] - body.joints[BONE["thigh_l"], 2]
    sign = 1 if left_first else -1
    front, back = (
        np.array([stand_x + 0.13, 0.045 * sign, deck_z + ankle]),
        np.array([stand_x - 0.16, -0.04 * sign, deck_z + ankle]),
    )
    left, right = (front, back) if left_first else (back, front)
    out = turn(0.25), turn(-0.25)
    return Pose(
        pelvis=np.array([stand_x - 0.05, 0.015 * np.sin(sway), deck_z + ankle + leg * (0.955 - crouch) + hip_drop]),
        pelvis_turn=turn(-0.22 * sign, 0.02, 0.01 * np.sin(sway)),
        bend=(0.2 * sign, lean, 0.0),
        look=look,
        hands=grips,
        elbows=(np.array([-0.35, 0.75, -0.75]), np.array([-0.35, -0.75, -0.75])),
        feet=(left, right),
        feet_turn=out,
        knees=(np.array([1.0, 0.3, 0]), np.array([1.0, -0.3, 0])),
    )


def behind_driver(
    body: Body, deck_z: float, *, stand_x: float = -0.50, sway: float = 0.0, look: tuple[float, float] = (0.3, 0.0)
) -> Pose:
    """A passenger on the same deck, hands at the driver's waist."""
    leg, ankle = _legs(body)
    hip_drop = body.joints[0, 2] - body.joints[BONE["thigh_l"], 2]
    height = deck_z + 0.58 * 1.72
    return Pose(
        pelvis=np.array([stand_x - 0.03, 0.012 * np.sin(sway + 0.7), deck_z + ankle + leg * 0.965 + hip_drop]),
        bend=(0.0, 0.05, 0),
        look=look,
        hands=(np.array([stand_x + 0.26, 0.19, height]), np.array([stand_x + 0.26, -0.19, height])),
        elbows=(np.array([-0.4, 0.9, -0.5]), np.array([-0.4, -0.9, -0.5])),
        feet=(np.array([stand_x + 0.03, 0.075, deck_z + ankle]), np.array([stand_x - 0.05, -0.07, deck_z + ankle])),
        feet_turn=(turn(0.2), turn(-0.2)),
    )


def seated(
    body: Body,
    seat: Vector,
    grips: tuple[Vector, Vector],
    feet: tuple[Vector, Vector],
    *,
    lean: float = 0.5,
    feet_tilt: tuple[float, float] = (0.1, 0.1),
    look: tuple[float, float] = (0.0, 0.1),
) -> Pose:
    """On a saddle at ``seat``: cycling (feet on turning pedals) or riding a motorcycle. ``feet`` are soles' middles."""
    _, ankle = _legs(body)
    up = np.array([-0.05, 0, ankle])
    return Pose(
        pelvis=seat + np.array([0.0, 0, 0.11]),
        pelvis_turn=turn(0, lean * 0.5),
        bend=(0, lean * 0.5, 0),
        look=look,
        hands=grips,
        elbows=(np.array([-0.3, 0.7, -0.8]), np.array([-0.3, -0.7, -0.8])),
        feet=(feet[0] + up, feet[1] + up),
        feet_turn=(turn(0, feet_tilt[0]), turn(0, feet_tilt[1])),
        knees=(np.array([1.0, 0.15, 0.4]), np.array([1.0, -0.15, 0.4])),
    )
