"""The two demo recordings: who passes, when, and what each of them does wrong or right."""

from __future__ import annotations

import numpy as np

from tools.street import people, surfaces, vehicles
from tools.street.actors import Human, Unit
from tools.street.acts import Act, Area, Floor, Route, Script, Still
from tools.street.bodies import Look
from tools.street.camera import Camera
from tools.street.layout import KERB_M

GATE_PLAN = surfaces.Plan(
    road_half=3.5, walk_left=3.6, walk_right=4.6, crosswalk_x=None, paving=0, road_shade=0.30, yellow_line=True
)
GATE_OPENING = (3.6, 7.4)
ALLEY_OPENING = (1.0, 5.0)
CROSSING_PLAN = surfaces.Plan(
    road_half=3.6,
    walk_left=4.0,
    walk_right=4.4,
    crosswalk_x=3.0,
    crosswalk_width=4.0,
    paving=2,
    road_shade=0.33,
    yellow_line=True,
)


def _floor(plan: surfaces.Plan) -> Floor:
    """Floor height with the kerb as a short ramp, as wheels feel it."""
    half = plan.road_half

    def floor(x: float, y: float) -> float:
        del x
        return KERB_M * float(np.clip((abs(y) - half + 0.12) / 0.24, 0, 1))

    return floor


class _Cast:
    """Hands out track ids and seeded people."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.last = 0

    def track(self) -> int:
        self.last += 1
        return self.last

    def someone(self, **given: object) -> Human:
        """A random passer-by; ``given`` fixes parts of the look."""
        look = people.random_look(self.rng, helmet=bool(given.pop("helmet", False)), adult=True)
        fixed = {**{f: getattr(look, f) for f in look.__dataclass_fields__}, **given}
        return Human(self.track(), Look(**fixed))

    def ride(self, vehicle: vehicles.Vehicle, *crew: Human, **more: object) -> Unit:
        return Unit("ride", list(crew), vehicle, self.track(), **more)  # type: ignore[arg-type]

    def push(self, vehicle: vehicles.Vehicle, who: Human) -> Unit:
        return Unit("push", [who], vehicle, self.track())

    def walk(self, phase: float = 0.0, glance: tuple[float, float] = (0.1, 0.1), **given: object) -> Unit:
        return Unit("walk", [self.someone(**given)], phase=phase, glance=glance)

    def parked(self, vehicle: vehicles.Vehicle) -> Unit:
        return Unit("still", [], vehicle, self.track())


BLACK, WHITE, RED, NAVY, GREY = (
    (0.06, 0.06, 0.065),
    (0.92, 0.92, 0.91),
    (0.72, 0.12, 0.12),
    (0.13, 0.17, 0.32),
    (0.45, 0.46, 0.48),
)
GREEN, MINT, YELLOW, ORANGE, SKY = (
    (0.15, 0.42, 0.25),
    (0.30, 0.80, 0.60),
    (0.90, 0.74, 0.14),
    (0.90, 0.42, 0.12),
    (0.35, 0.55, 0.80),
)
HAIR = (0.055, 0.048, 0.042)


def gate() -> Script:
    """A campus gate: lane riders, one on the sidewalk, one pushing, one turning into the gate, one badly parked."""
    c = _Cast(20260)
    half = GATE_PLAN.road_half
    green = vehicles.scooter(BLACK, MINT, big=True)
    white = vehicles.scooter((0.86, 0.86, 0.86), (0.25, 0.70, 0.40), big=True)
    dark = vehicles.scooter(BLACK, ORANGE)
    acts = (
        Act(
            "parked in the no-parking area",
            c.parked(vehicles.scooter(BLACK, YELLOW, big=True)),
            Still(-0.6, -half - 1.0, 0.5),
            ("parking",),
        ),
        Act(
            "parked well",
            c.parked(vehicles.scooter((0.85, 0.85, 0.85), (0.40, 0.25, 0.70), big=True)),
            Still(10.2, -half - 3.8, 1.45),
        ),
        Act("parked well too", c.parked(vehicles.scooter(BLACK, MINT, big=True)), Still(10.9, -half - 3.8, 1.52)),
        Act("parked car", c.parked(vehicles.car((0.88, 0.88, 0.87), "sedan")), Still(19.5, -half + 1.05, 0.0)),
        Act(
            "bare-headed rider",
            c.ride(
                green,
                c.someone(
                    shape="man",
                    height_m=1.75,
                    top=RED,
                    pattern=0,
                    bottom=(0.16, 0.20, 0.30),
                    sleeve=0.95,
                    head_wear="",
                    hair=HAIR,
                    bald=False,
                    mask=None,
                    backpack=None,
                    trousers_end=0.04,
                ),
            ),
            Route(((32, 1.5), (10, 1.5), (-2, 1.3), (-14, 1.2)), 3.4, -2.5),
            ("no_helmet",),
        ),
        Act(
            "helmeted rider",
            c.ride(
                white,
                c.someone(
                    helmet=True,
                    head_wear="helmet-bike",
                    head_wear_color=WHITE,
                    head_wear_color2=BLACK,
                    shape="woman",
                    height_m=1.66,
                    top=SKY,
                    pattern=0,
                    bottom=BLACK,
                    sleeve=0.95,
                    mask=None,
                    backpack=None,
                    trousers_end=0.05,
                ),
            ),
            Route(((32, 1.6), (8, 1.5), (-14, 1.3)), 3.6, 5.5),
        ),
        Act(
            "pedestrian",
            c.walk(0.2, top=GREEN, head_wear="", bottom=GREY),
            Route(((20, -half - 2.8), (2, -half - 2.6), (-11, -half - 2.4)), 1.45, -9.0),
        ),
        Act(
            "pedestrian in a cap",
            c.walk(0.7, top=YELLOW, head_wear="cap", head_wear_color=NAVY, head_wear_color2=NAVY),
            Route(((-11, -half - 2.2), (1, -half - 2.0), (4.8, -half - 3.0), (5.3, -half - 5.0), (5.4, -14)), 1.4, 0.5),
        ),
        Act(
            "rider on the sidewalk",
            c.ride(
                dark,
                c.someone(
                    helmet=True,
                    head_wear="helmet-skate",
                    head_wear_color=YELLOW,
                    head_wear_color2=BLACK,
                    shape="man-slim",
                    height_m=1.77,
                    top=GREY,
                    pattern=0,
                    bottom=NAVY,
                    sleeve=0.95,
                    mask=None,
                    trousers_end=0.04,
                ),
            ),
            Route(((32, -half - 1.9), (6, -half - 1.9), (-12, -half - 1.8)), 3.0, 13.5),
            ("sidewalk",),
        ),
        Act(
            "pushing a scooter",
            c.push(
                white,
                c.someone(
                    shape="man",
                    height_m=1.72,
                    top=WHITE,
                    pattern=1,
                    top2=NAVY,
                    bottom=(0.55, 0.50, 0.42),
                    head_wear="",
                    sleeve=0.3,
                    bald=False,
                    mask=None,
                    trousers_end=0.05,
                ),
            ),
            Route(
                ((5.5, -13), (5.4, -half - 4.0), (4.2, -half - 1.9), (-1, -half - 2.1), (-11, -half - 2.2)), 1.3, 22.5
            ),
        ),
        Act(
            "crossing the sidewalk into the gate",
            c.ride(
                green,
                c.someone(
                    helmet=True,
                    head_wear="helmet-commuter",
                    head_wear_color=RED,
                    head_wear_color2=BLACK,
                    shape="man-strong",
                    height_m=1.78,
                    top=BLACK,
                    pattern=0,
                    bottom=(0.30, 0.38, 0.50),
                    mask=None,
                    sleeve=0.95,
                ),
            ),
            Route(((32, 1.4), (11, 1.2), (6.6, 0.2), (5.6, -3.0), (5.5, -6.0), (5.5, -14.0)), 3.2, 47.0),
        ),
    )
    camera = Camera(position=(-9.5, 4.6, 4.9), target=(2.6, -2.9, 0.75), focal_px=1060.0)
    return Script(
        camera_id="gate-3",
        name="3번 게이트",
        area="한빛동 대학 정문 앞",
        started="2026-09-14_08-20-00",
        seconds=58.0,
        camera=camera,
        areas=(
            Area("정문 보도", "sidewalk", -9.0, -half - 4.6, 24.0, -half, KERB_M),
            Area("정문 앞 주차 금지", "no_parking", -2.4, -half - 1.9, 1.2, -half - 0.1, KERB_M),
            Area("학교 방향 차로", "lane", -8.0, 0.1, 24.0, half, 0.0, -1),
            Area("역 방향 차로", "lane", -8.0, -half, 24.0, -0.1, 0.0, 1),
        ),
        acts=acts,
        floor=_floor(GATE_PLAN),
        idle=(38.5, 50.5),
        ground_points=((-1.0, -half), (-1.0, half - 0.4), (12.0, half - 0.4), (12.0, -half)),
    )


def crossing() -> Script:
    """A crosswalk: two on one scooter, one against the lane, one riding through the crosswalk, a cyclist, walkers."""
    c = _Cast(20261)
    half = CROSSING_PLAN.road_half
    white = vehicles.scooter((0.86, 0.86, 0.86), (0.20, 0.70, 0.40), big=True)
    dark = vehicles.scooter(BLACK, ORANGE, big=True)
    purple = vehicles.scooter(BLACK, (0.45, 0.28, 0.72), big=True)
    acts = (
        Act("parked well", c.parked(vehicles.scooter(BLACK, MINT, big=True)), Still(8.6, -half - 3.7, 1.5)),
        Act(
            "parked well too",
            c.parked(vehicles.scooter((0.86, 0.86, 0.86), YELLOW, big=True)),
            Still(9.3, -half - 3.7, 1.6),
        ),
        Act(
            "two on one scooter, passenger bare",
            c.ride(
                white,
                c.someone(
                    helmet=True,
                    head_wear="helmet-bike",
                    head_wear_color=YELLOW,
                    head_wear_color2=BLACK,
                    shape="woman",
                    height_m=1.60,
                    top=NAVY,
                    pattern=0,
                    bottom=GREY,
                    sleeve=0.95,
                    mask=None,
                    backpack=None,
                ),
                c.someone(
                    shape="man",
                    height_m=1.78,
                    top=(0.86, 0.56, 0.60),
                    pattern=0,
                    bottom=BLACK,
                    head_wear="",
                    hair=HAIR,
                    long_hair=False,
                    bun=False,
                    mask=None,
                    backpack=None,
                    sleeve=0.95,
                ),
            ),
            Route(((32, 1.0), (8, 0.8), (-12, 0.6)), 3.0, -2.5),
            ("two_up", "passenger_no_helmet"),
        ),
        Act(
            "pedestrian on the crosswalk",
            c.walk(0.1, top=ORANGE, head_wear=""),
            Route(((3.4, half + 8), (3.6, 0), (3.2, -half - 3.0), (3.0, -15)), 1.6, 4.5),
        ),
        Act(
            "cyclist",
            c.ride(
                vehicles.bicycle((0.12, 0.30, 0.62), basket=True),
                c.someone(
                    helmet=True,
                    head_wear="helmet-bike",
                    head_wear_color=(0.15, 0.3, 0.6),
                    head_wear_color2=WHITE,
                    shape="woman-fit",
                    height_m=1.68,
                    top=WHITE,
                    pattern=0,
                    bottom=BLACK,
                ),
            ),
            Route(((32, 1.8), (4, 1.7), (-12, 1.6)), 4.2, 9.5),
        ),
        Act(
            "against the lane",
            c.ride(
                dark,
                c.someone(
                    helmet=True,
                    head_wear="helmet-skate",
                    head_wear_color=WHITE,
                    head_wear_color2=BLACK,
                    shape="man-slim",
                    height_m=1.74,
                    top=GREEN,
                    pattern=0,
                    bottom=NAVY,
                    sleeve=0.95,
                    mask=None,
                    backpack=None,
                ),
            ),
            Route(((32, -1.7), (6, -1.6), (-12, -1.4)), 3.3, 16.0),
            ("wrong_way",),
        ),
        Act(
            "pedestrian",
            c.walk(0.4, top=SKY, head_wear="hood", head_wear_color=SKY),
            Route(((17, -half - 1.9), (2, -half - 2.2), (-11, -half - 2.4)), 1.4, 9.0),
        ),
        Act(
            "riding through the crosswalk",
            c.ride(
                purple,
                c.someone(
                    helmet=True,
                    head_wear="helmet-commuter",
                    head_wear_color=ORANGE,
                    head_wear_color2=BLACK,
                    shape="man",
                    height_m=1.73,
                    top=WHITE,
                    pattern=0,
                    bottom=BLACK,
                    sleeve=0.95,
                    mask=None,
                    backpack=None,
                ),
            ),
            Route(((2.8, -15), (2.8, -half), (3.0, half), (3.0, half + 8.0)), 2.4, 26.0),
            ("crosswalk_riding",),
        ),
        Act("car", c.ride(vehicles.car((0.14, 0.20, 0.36), "hatch")), Route(((40, 1.9), (-14, 1.8)), 7.5, 34.0)),
        Act(
            "bare-headed rider in a cap",
            c.ride(
                white,
                c.someone(
                    shape="man-tall",
                    height_m=1.79,
                    skin=(0.80, 0.62, 0.50),
                    top=BLACK,
                    pattern=3,
                    top2=WHITE,
                    bottom=(0.55, 0.50, 0.42),
                    sleeve=0.32,
                    head_wear="cap",
                    head_wear_color=(0.55, 0.12, 0.14),
                    head_wear_color2=(0.55, 0.12, 0.14),
                    mask=None,
                    backpack=None,
                    hair=HAIR,
                ),
            ),
            Route(((32, 1.5), (6, 1.5), (-12, 1.3)), 3.2, 38.5),
            ("no_helmet",),
        ),
    )
    camera = Camera(position=(-7.6, 4.4, 4.7), target=(4.4, -2.0, 0.65), focal_px=1020.0)
    return Script(
        camera_id="crossing-1",
        name="1번 건널목",
        area="한빛동 역 앞",
        started="2026-09-14_18-05-30",
        seconds=52.0,
        camera=camera,
        areas=(
            Area("역 앞 보도", "sidewalk", -7.0, -half - 4.4, 24.0, -half, KERB_M),
            Area("역 앞 횡단보도", "crosswalk", 1.0, -half, 5.0, half),
            Area("시내 방향 차로", "lane", -7.0, 0.1, 24.0, half, 0.0, -1),
            Area("역 방향 차로", "lane", -7.0, -half, 24.0, -0.1, 0.0, 1),
        ),
        acts=acts,
        floor=_floor(CROSSING_PLAN),
        ground_points=((1.0, -half), (1.0, half - 0.4), (13.0, half - 0.4), (13.0, -half)),
    )


def all_scripts() -> tuple[Script, ...]:
    return gate(), crossing()
