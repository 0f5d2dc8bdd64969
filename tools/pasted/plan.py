"""Which recordings there are: place, picture size, rate, bits, and who rides through at which time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tools.pasted.actors import Actor, Way, view_of
from tools.pasted.cuts import Cut
from tools.pasted.scenes import SCENES

HELD = "held"
TRAINED = "seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A recording to be made."""

    camera: str
    scene: str
    size: tuple[int, int]
    kbps: int
    seconds: float
    from_s: float  # of the real recording
    ways: tuple[tuple[str, str], ...]  # path and act: bare, helmet, any, two, push, walk
    riders: str = TRAINED  # from photos that training may use, or only from others
    minute: int = 0
    dim: float = 1.0  # of the light that is there: below 1 it is dusk

    @property
    def name(self) -> str:
        return f"{self.camera}_2026-10-05_{8 + self.minute // 60:02d}-{self.minute % 60:02d}-00"

    @property
    def poor(self) -> bool:
        return self.size[0] <= 426


def _plan(camera: str, scene: str, size: tuple[int, int], kbps: int, *rest: object, **more: object) -> Plan:
    seconds, from_s, *ways = rest
    pairs = tuple(tuple(str(way).split(":")) for way in ways)
    return Plan(camera=camera, scene=scene, size=size, kbps=kbps, seconds=seconds, from_s=from_s, ways=pairs, **more)  # type: ignore[arg-type]


PLANS = (
    _plan("town-960", "town", (960, 540), 1500, 10, 0, "towards:bare", "away:bare", "across:two", minute=0),
    _plan("town-960", "town", (960, 540), 1500, 10, 0, "across:any", "back:any", riders=HELD, minute=5),
    _plan("town-640", "town", (640, 360), 700, 10, 0, "across:bare", "towards:bare", "back:helmet", minute=0),
    _plan("town-640", "town", (640, 360), 700, 10, 0, "back:any", "across:any", riders=HELD, minute=5),
    _plan("town-426", "town", (426, 240), 220, 10, 0, "towards:bare", "back:two", "across:helmet", minute=0),
    _plan("town-426", "town", (426, 240), 220, 10, 0, "across:any", "back:any", riders=HELD, minute=5),
    _plan("campus-480", "campus", (480, 360), 500, 16, 2, "right:bare", "left:helmet", "down:bare", "turn:bare"),
    _plan("campus-480", "campus", (480, 360), 500, 16, 30, "right:any", "left:any", riders=HELD, minute=5),
    _plan("campus-480", "campus", (480, 360), 500, 18, 55, "left:two", "right:push", "turn:helmet", minute=9),
    _plan("campus-320", "campus", (320, 240), 160, 16, 14, "left:bare", "right:helmet", "down:bare", "turn:two"),
    _plan("campus-320", "campus", (320, 240), 160, 14, 44, "right:any", "left:any", riders=HELD, minute=5),
    _plan("market-800", "market", (800, 600), 1200, 18, 0, "away:helmet", "across:bare", "near:two", "towards:bare"),
    _plan("market-800", "market", (800, 600), 1200, 18, 0, "far:any", "across:any", "lane:any", riders=HELD, minute=5),
    _plan("market-800", "market", (800, 600), 1200, 18, 0, "near:push", "far:bare", "towards:walk", minute=9),
    _plan("market-426", "market", (426, 320), 250, 18, 0, "far:bare", "lane:two", "across:helmet", "towards:bare"),
    _plan("market-426", "market", (426, 320), 250, 18, 0, "far:any", "across:any", "lane:any", riders=HELD, minute=5),
    _plan("market-dusk", "market", (426, 320), 250, 18, 0, "across:bare", "far:helmet", "lane:bare", dim=0.5),
    _plan("lane-640", "lane", (640, 360), 900, 7.8, 0, "kerb:bare", "road:helmet"),
    _plan("lane-426", "lane", (426, 240), 260, 7.8, 0, "road:bare", "kerb:helmet"),
    _plan("parking-768", "parking", (768, 432), 800, 14, 0, "right:bare", "left:two", "up:helmet"),
    _plan("parking-426", "parking", (426, 240), 220, 14, 10, "right:any", "left:any", riders=HELD),
)  # fmt: skip


def actors_of(plan: Plan, cuts: Mapping[str, Cut], rng: np.random.Generator, used: dict[str, int]) -> list[Actor]:
    """Choose who rides: those seen least so far, of those who look where the path needs it."""
    scene = SCENES[plan.scene]
    people = [cut for cut in cuts.values() if not cut.name.startswith("w")]
    actors: list[Actor] = []
    begin = 0.4
    for way, act in plan.ways:
        view = view_of(scene, way)
        walks = act in ("push", "walk")
        kmh = float(rng.uniform(3.8, 4.8) if walks else rng.uniform(10, 22))
        fitting = [cut for cut in people if _looks(cut, view) and cut.trained is (plan.riders == TRAINED)]
        if act == "push":
            fitting = [cuts["w30"]]
        elif act == "walk":
            fitting = [cuts["w3"] if view == "far" else cuts["w1397a"]]
        elif act in ("bare", "helmet"):
            fitting = [cut for cut in fitting if (cut.wears == "helmet") is (act == "helmet")] or fitting
        cut = _least(fitting, used, rng)
        passenger = None
        if act == "two":
            beside = [other for other in people if other.trained is cut.trained and _looks(other, view)]
            passenger = _least([other for other in beside if other.name != cut.name], used, rng)
        length = float(Way.of(scene, way, kmh).seconds[-1])
        actors.append(
            Actor(
                cut=cut,
                passenger=passenger,
                act=_said(cut, passenger, act),
                way=way,
                begin_s=begin if begin + 0.6 * length < plan.seconds else max(0.2, plan.seconds - length),
                kmh=kmh,
                tall=float(rng.uniform(0.94, 1.04)),
                sway=(float(rng.random()), float(rng.random())),
            )
        )
        begin += (0.5 if not walks else 0.3) * length + float(rng.uniform(0.3, 1.2))
    return actors


def _looks(cut: Cut, view: str) -> bool:
    sides = ("left", "right")
    return cut.faces in sides if view in sides else cut.faces == view


def _least(choice: list[Cut], used: dict[str, int], rng: np.random.Generator) -> Cut:
    order = rng.permutation(len(choice))
    chosen = min((choice[n] for n in order), key=lambda cut: used.get(cut.name, 0))
    used[chosen.name] = used.get(chosen.name, 0) + 1
    return chosen


def _said(cut: Cut, passenger: Cut | None, act: str) -> str:
    if act in ("push", "walk"):
        return {"push": "pushing a scooter", "walk": "walking by"}[act]
    if passenger is not None:
        return f"two on one scooter, driver {cut.wears}, passenger {passenger.wears}"
    return f"rider, {cut.wears}"
