"""The test recordings: twenty sites, what happens at each, and the rendering of it all, resumable and in parallel."""

from __future__ import annotations

import json
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from quitboard import files
from tools.street import truth
from tools.street.acts import Act, Script, Still, in_view
from tools.street.casting import Casting, Template
from tools.street.geometry import Array
from tools.street.record import cameras_toml, document_text, record
from tools.street.sites import SECONDS, SITES, Site, drawn

ABOUT = "The cameras of the test street: rendered, with every zone and measured point known."
BOARD = """# Settings of the test street: the defaults, but for a waiting time that fits recordings of one minute.

[board]
title_ko = "시험 거리"
title_en = "Test street"

[rules]
parking_min_s = 20.0
"""
GAP_S = 4.6
APART_M = 0.75
SHIFTS_S = (0.0, *(sign * 0.6 * k for k in range(1, 16) for sign in (1, -1)))
BARE = ("bare", "bare", "cap", "bare", "hood", "bare", "beanie", "cap-back")


def menu(site: Site, cast: Casting) -> list[Template]:
    """What passes at the site: about as many acts that breach a rule as acts that only look like it."""
    n, road = site.number, site.plan.has_road
    bare = [BARE[(n + k) % len(BARE)] for k in range(6)]
    crossing = site.crosswalk or site.kind == "junction"
    # At a junction the sidewalk's line goes on over the crosswalk of the side street.
    along = ("sidewalk", "crosswalk_riding") if site.kind == "junction" else ("sidewalk",)
    acts: list[Template] = [cast.ride("bare-headed rider", cast.lane(), bare[0])]
    crew = [("helmet", bare[1]), (bare[2], bare[1]), ("helmet", "helmet"), ("helmet", bare[1])][n % 4]
    acts.append(cast.ride("two on one scooter", cast.lane(far=False if road else None), *crew, speed=3.2))
    if n % 4 != 3 or not road:
        head = "helmet" if n % 3 else bare[3]
        acts.append(cast.ride("rider on the sidewalk", cast.sidewalk(), head, where=along, speed=3.0))
    if crossing:
        where = ("crosswalk_riding",) if site.crosswalk else ("sidewalk", "crosswalk_riding")
        acts.append(cast.ride("riding over the crosswalk", cast.over_crosswalk(), "helmet", where=where, speed=2.6))
    if site.kind != "plaza" and n not in (5, 10, 15):
        head = bare[4] if n % 5 == 0 else "helmet"
        acts.append(cast.ride("against the lane", cast.lane(against=True), head, where=("wrong_way",)))
    if not road:
        crew = ("helmet", bare[5])
        acts.append(cast.ride("two on the sidewalk", cast.sidewalk(), *crew, where=("sidewalk",), speed=2.8))
    acts.append(cast.ride("helmeted rider", cast.lane(), "helmet"))
    acts.append(cast.push(cast.over_crosswalk() if site.crosswalk and n % 2 else cast.stroll()))
    acts.append(cast.walker(cast.stroll(), ("cap", "hood", "beanie", "bucket", "beret")[n % 5]))
    acts.append(cast.ride("cyclist", cast.lane(), ("helmet", "bare", "cap")[n % 3], kind="bicycle"))
    acts.append(cast.walker(cast.stroll()))
    if site.crosswalk and site.far != site.way:  # the gate lies behind the crosswalk, the lane on its other side
        where = ("crosswalk_riding",)
        acts.append(cast.ride("turning in over the crosswalk", cast.turning_in(), "helmet", where=where, speed=3.2))
    elif road and not site.crosswalk:
        acts.append(cast.ride("crossing the sidewalk", cast.turning_in(), "helmet", speed=3.2))
    if n % 2 or not road:
        acts.append(cast.roller(cast.stroll()))
    elif road:
        acts.append(cast.ride("motor scooter", cast.lane(), "helmet", kind="motorcycle", speed=6.0))
    if site.crosswalk and n % 3 != 2:
        acts.append(cast.ride("runs a red light", cast.lane(), "helmet", where=("signal",), speed=4.2))
    else:
        acts.append(cast.ride("helmeted rider too", cast.lane(), "helmet"))
    return acts


def standing(site: Site, cast: Casting) -> tuple[list[Act], list[Template]]:
    """What stands there all the time, and what comes to stand."""
    n, s, w = site.number, site.far, site.way
    y = site.plan.road_half + 0.7
    well = 7.6 * w
    acts, later = [], []
    if site.plan.has_road:
        out = s * (site.plan.road_half + site.walk - 0.4)
        spots = [well + 2.6 * w] if site.kind == "junction" else [well, well + 1.5 * w]
        acts += [cast.parked(x, out, 0.1) for x in spots]
        if n % 3 == 0:
            acts.append(cast.parked(site.parking_x, s * y, 0.4, ("parking",)))
        elif n % 3 == 1:
            later.append(cast.parks(site.parking_x, s * y))
    else:
        spot = (0.6 * w, s * 2.0) if site.kind == "plaza" else (0.5 * w, -site.plan.road_half + 0.7)
        acts.append(cast.parked(spot[0], spot[1], 0.5, ("parking",)))
        acts.append(cast.parked(well, -s * 6.0 if site.kind == "plaza" else -site.plan.road_half - 0.9, 1.2))
    if n % 2 == 0:
        scooter = next(act.route for act in acts if not act.breaches)
        assert isinstance(scooter, Still)
        acts.append(cast.bystander(scooter.x - 0.85 * w, scooter.y))
    return acts, later


def script(site: Site) -> Script:
    """One recording: the menu in seeded order, each act begun when nobody is in its way."""
    cast = Casting(site)
    acts, first = standing(site, cast)
    rest = menu(site, cast)
    order = cast.rng.permutation(len(rest))
    templates = [*first, *(rest[k] for k in order)]
    gap = min(GAP_S, 46.0 / (len(templates) - 1))
    nobody = empty(site)
    taken = [whereabouts(act, nobody) for act in acts]
    for k, template in enumerate(templates):
        best: tuple[int, Act, Array] | None = None
        for shift in SHIFTS_S:
            act = template(float(np.clip(gap * k - 3.0 + shift, -3.0, SECONDS - 12.0)))
            mine = whereabouts(act, nobody)
            clashes = sum(meetings(mine, other) for other in taken)
            if best is None or clashes < best[0]:
                best = clashes, act, mine
            if not clashes:
                break
        assert best is not None
        acts.append(best[1])
        taken.append(best[2])
    return replace(empty(site), acts=tuple(acts))


def empty(site: Site) -> Script:
    """The site's recording before anybody comes."""
    hour = {"night": 21, "night-infrared": 23, "dusk": 19, "low-sun": 17}.get(site.mood, 9 + site.number % 7)
    return Script(
        camera_id=site.camera_id,
        name=f"시험 {site.number:02d}",
        area="시험 거리",
        started=f"2026-10-{11 + (site.number - 1) % 20:02d}_{hour:02d}-{7 * site.number % 60:02d}-00",
        seconds=SECONDS,
        camera=site.camera,
        areas=site.areas(),
        acts=(),
        floor=site.floor(),
        ground_points=site.ground_points(),
        notes={"layout": site.kind, "light": site.mood},
        fine_heads=True,
    )


def whereabouts(act: Act, script: Script, step_s: float = 0.4) -> Array:
    """Where in view the act's parts are at each step of the recording (phases, n, 2); nan where they are not."""
    times = np.arange(0, script.seconds, step_s)
    out = np.full((len(act.phases()), len(times), 2), np.nan)
    for row, (_, route) in zip(out, act.phases(), strict=True):
        for k, t in enumerate(times):
            place = route.at(float(t), script.floor)
            if place is not None and in_view(script, place):
                row[k] = place.x, place.y
    return out


def meetings(one: Array, other: Array, apart_m: float = APART_M) -> int:
    """In how many steps one is nearer to the other than ``apart_m``."""
    with np.errstate(invalid="ignore"):
        return int((((one[:, None] - other[None]) ** 2).sum(-1) < apart_m**2).sum())


def sites(count: int, seed: int | None = None) -> list[Site]:
    """The test's own sites; with a seed, as many others, for choosing: with the training's people and scooters."""
    return list(SITES[:count]) if seed is None else [drawn(seed, number) for number in range(1, count + 1)]


def film(out: Path, site: Site) -> str:
    """Render one site's recording and truth below ``out``.

    Where both are there, only the acts are told anew: what breaches a rule is known without drawing.
    """
    story = script(site)
    path = out / site.camera_id / f"{story.stem}.mp4"
    told = path.with_suffix(".truth.json")
    if path.exists() and told.exists():
        held = json.loads(told.read_text("utf-8"))
        if held["tracks"] != truth.tracks(story):
            return f"{path.name}: drawn from another script; move it away to draw it again"
        acts = truth.acts(story)
        if held["acts"] == acts:
            return f"{path.name}: there"
        files.write_text(told, document_text({**held, "acts": acts}))
        return f"{path.name}: acts told anew"
    street = site.street()
    part = path.with_suffix(".part")
    document = record(story, street, site.recorder(street), part)
    told.write_text(document_text(document), encoding="utf-8")
    part.replace(path)
    return f"{path.name}: done"


def make(out: Path, count: int = len(SITES), jobs: int = 2, seed: int | None = None) -> None:
    """Write the board's settings, then every recording with its truth: the same bytes from any number of jobs."""
    chosen = sites(count, seed)
    out.mkdir(parents=True, exist_ok=True)
    (out / "cameras.toml").write_text(cameras_toml([empty(site) for site in chosen], ABOUT), encoding="utf-8")
    (out / "quitboard.toml").write_text(BOARD, encoding="utf-8")
    with get_context("spawn").Pool(jobs) as pool:
        for line in pool.imap_unordered(_film, [(out, site) for site in chosen]):
            print(line, flush=True)


def _film(work: tuple[Path, Site]) -> str:
    return film(*work)
