"""Boxes of a street drawn by hand: persons and scooters as one would box them, moving as one says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from quitboard.detect.company import Company
from quitboard.detect.heads import Heads
from quitboard.detect.scene import Scene, read_scene
from quitboard.records import ROLES, Camera, Detections, GroundPoint, Role, Rule, Track, Zone, ZoneKind
from quitboard.settings import RuleSettings

WIDTH, HEIGHT = 1280, 720
STEP_US = 200_000
Place = Callable[[float], tuple[float, float]]
"""Seconds -> where feet or wheels touch the ground, px."""


def person_box(x: float, y: float, tall: float = 170.0) -> tuple[float, float, float, float]:
    return x - 0.2 * tall, y - tall, x + 0.2 * tall, y


def scooter_box(x: float, y: float, tall: float = 170.0) -> tuple[float, float, float, float]:
    """A scooter seen from the side, for a rider of `tall` px."""
    return x - 0.32 * tall, y - 0.66 * tall, x + 0.32 * tall, y


def head_box(person: Sequence[float], *, at: float = 0.5) -> tuple[float, float, float, float]:
    size = 0.13 * (person[3] - person[1])
    x = person[0] + at * (person[2] - person[0])
    return x - size / 2, person[1], x + size / 2, person[1] + size


def times(from_s: float, to_s: float, step_us: int = STEP_US) -> list[int]:
    return list(range(round(from_s * 1e6), round(to_s * 1e6) + 1, step_us))


def track(
    name: int,
    role: Role,
    boxes: Sequence[tuple[float, ...]],
    at_us: Sequence[int],
    *,
    confidence: float = 0.7,
) -> Track:
    return Track(
        id=name,
        role=role,
        at_us=np.array(at_us, dtype=np.int64),
        xyxy=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.full(len(at_us), confidence, dtype=np.float32),
    )


def person(name: int, place: Place, at_us: Sequence[int], tall: float = 170.0) -> Track:
    return track(name, Role.PERSON, [person_box(*place(now / 1e6), tall) for now in at_us], at_us)


def scooter(name: int, place: Place, at_us: Sequence[int], tall: float = 170.0, role: Role = Role.SCOOTER) -> Track:
    return track(name, role, [scooter_box(*place(now / 1e6), tall) for now in at_us], at_us)


def straight(x: float, y: float, mps: float, tall: float = 170.0) -> Place:
    """Along a line across the picture at a speed, 1.7 m being `tall` px."""
    return lambda now: (x + mps * now * tall / 1.7, y)


def beside(place: Place, right: float, down: float = 0.0) -> Place:
    return lambda now: (place(now)[0] + right, place(now)[1] + down)


def ridden(
    name: int, place: Place, at_us: Sequence[int], *, seen_every: int = 1, role: Role = Role.SCOOTER
) -> list[Track]:
    """A rider and his scooter, seen in every n-th frame: person `name`, scooter `name + 1`."""
    return [
        person(name, beside(place, -8, -10), at_us),
        scooter(name + 1, place, at_us[::seen_every], role=role),
    ]


def heads(
    frame_at_us: Sequence[int],
    boxes: Sequence[tuple] = (),
    company: Company | None = None,
) -> Heads:
    """Sightings as (at_us, box, confidence, bare), and (helmet, none) as a fifth where they were judged apart."""
    ordered = sorted(boxes, key=lambda row: row[:2])
    return Heads(
        frame_at_us=np.array(frame_at_us, dtype=np.int64),
        at_us=np.array([row[0] for row in ordered], dtype=np.int64),
        xyxy=np.array([row[1] for row in ordered], dtype=np.float32).reshape(-1, 4),
        confidence=np.array([row[2] for row in ordered], dtype=np.float32),
        bare=np.array([row[3] for row in ordered], dtype=np.int64),
        wear=np.array([row[4] if len(row) > 4 else (np.nan, np.nan) for row in ordered], np.float32).reshape(-1, 2),
        company=company or Company.none(),
    )


def company_of_track(one: Track, more: Sequence[float | None]) -> Company:
    """What was said of a rider in each frame: how probably he is not alone, None where nothing was."""
    told = [n for n, value in enumerate(more) if value is not None]
    return Company(
        at_us=one.at_us[told],
        xyxy=one.xyxy[told],
        company=np.array([(0.98 - more[n], more[n]) for n in told], np.float32).reshape(-1, 2),  # type: ignore[operator]
    )


def heads_of_track(one: Track, *, bare: bool | Sequence[bool | None], sure: float = 0.6, at: float = 0.5) -> list:
    """Head boxes on top of a person's; `bare` may differ from frame to frame, None where no head is seen."""
    states = [bare] * len(one) if isinstance(bare, bool) else list(bare)
    return [
        (int(now), head_box(box, at=at), sure, state)
        for now, box, state in zip(one.at_us, one.xyxy.tolist(), states, strict=True)
        if state is not None
    ]


def camera(*zones: Zone, ground: bool = False) -> Camera:
    points = [(0, 0), (1280, 0), (1280, 720), (0, 720)]
    return Camera(
        id="gate",
        name="Gate",
        resolution=(WIDTH, HEIGHT),
        zones=zones,
        ground_points=tuple(GroundPoint(x_px=x, y_px=y, x_m=x / 100, y_m=y / 100) for x, y in points) if ground else (),
    )


def zone(kind: ZoneKind, *polygon: tuple[float, float], direction: tuple[float, float] | None = None) -> Zone:
    return Zone(name=f"the {kind.value}", kind=kind, polygon=polygon, direction=direction)


def scene(
    tracks: Sequence[Track],
    sightings: Sequence[tuple[int, tuple[float, ...], float, bool]] = (),
    *,
    of: Camera | None = None,
    looked: Sequence[int] | None = None,
    company: Company | None = None,
) -> Scene:
    looked = looked if looked is not None else sorted({int(now) for one in tracks for now in one.at_us})
    seen = heads(looked, sightings, company)
    return read_scene(tracks, seen, of or camera(), width=WIDTH, height=HEIGHT, settings=RuleSettings())


def rule(kind: str, *vehicles: Role) -> Rule:
    return Rule(
        kind=kind,
        name_ko=kind,
        name_en=kind,
        vehicles=vehicles or (Role.SCOOTER,),
        enabled=True,
        law_article="",
        fine_krw=None,
        penalty_kind="",
        valid_from=None,
        valid_to=None,
        camera_visible=True,
        exceptions="",
        source="",
    )


def detections(*boxes: tuple[Role, Sequence[float], float]) -> Detections:
    return Detections(
        xyxy=np.array([box for _, box, _ in boxes], dtype=np.float32).reshape(-1, 4),
        confidence=np.array([sure for _, _, sure in boxes], dtype=np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in boxes], dtype=np.int64),
    )
