"""The real recordings that riders are pasted into: their ground, where one may ride, and what stands in front.

A camera's ground is two numbers, read off the people who walk in the recording: how fast a person's height grows with
the row of his feet, and at which row it would be nothing (the horizon). With the focal length they give metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PERSON_M = 1.7
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A real recording. All px are those of the recording itself."""

    clip: str  # below the data folder
    size: tuple[int, int]
    growth: float  # height of a person, px, for each row below the horizon
    horizon: float  # row
    focal: float  # px
    paths: dict[str, Points]  # where wheels go, from where to where
    every: int = 1  # of the recording's frames, one in so many is taken
    still: str = ""  # too short: its and this other recording's empty street with its own noise, as long as is wanted
    blur: float = 0.6  # sigma of the camera's own softness
    squash: float = 1.0  # photos are taken at eye level; from above people look shorter
    masts: tuple[tuple[float, Points], ...] = ()  # what stands there: the row of its foot, and its outline

    def height_at(self, row: np.ndarray | float) -> np.ndarray:
        """Height of a standing person (px) whose feet are at a row."""
        return np.asarray(self.growth * (np.asarray(row, float) - self.horizon))

    def metres(self, points: np.ndarray) -> np.ndarray:
        """Places on the ground (n, 2) m of points (n, 2) px."""
        tall = self.height_at(points[:, 1])
        return np.column_stack([(points[:, 0] - self.size[0] / 2), np.full(len(points), self.focal)]) * (
            PERSON_M / tall[:, None]
        )


SCENES = {
    "town": Scene(
        clip="clips/town-centre/town-centre_2023-06-15_11-00-00.mp4",
        size=(1920, 1080),
        growth=0.161,
        horizon=-718,
        focal=2700,
        every=2,
        blur=0.7,
        squash=0.93,
        paths={
            "towards": ((1290, 70), (870, 560), (380, 1130)),
            "away": ((620, 1130), (1000, 600), (1400, 40)),
            "pavement": ((1010, 1130), (1240, 820), (1560, 130)),
            "across": ((-90, 700), (700, 640), (1250, 560), (2000, 420)),
            "back": ((1990, 460), (1250, 600), (640, 700), (-100, 740)),
        },
    ),
    "campus": Scene(
        clip="clips/campus/campus_2023-06-15_12-00-00.avi",
        size=(480, 360),
        growth=0.217,
        horizon=-53,
        focal=500,
        blur=0.35,
        squash=0.95,
        paths={
            "right": ((-20, 134), (200, 176), (350, 205), (500, 250)),
            "left": ((500, 226), (360, 190), (220, 165), (-20, 138)),
            "down": ((478, 62), (405, 118), (385, 170), (440, 230), (510, 275)),
            "turn": ((480, 66), (405, 120), (330, 165), (150, 160), (-20, 136)),
        },
        masts=((243, ((262, 60), (273, 60), (276, 122), (280, 124), (280, 154), (273, 156), (275, 246), (268, 246))),),
    ),
    "market": Scene(
        clip="clips/market-corner/market-corner_2020-01-01_00-00-00.mp4",
        size=(800, 600),
        growth=0.42,
        horizon=62,
        focal=650,
        every=2,
        still="clips/market-corner/market-corner_2020-01-01_00-01-00.mp4",
        blur=0.7,
        squash=0.98,
        paths={
            "away": ((-60, 290), (180, 235), (440, 160), (640, 106), (690, 92)),
            "towards": ((720, 88), (600, 118), (420, 190), (160, 290), (-80, 370)),
            "across": ((860, 330), (600, 280), (300, 232), (60, 262), (-50, 290)),
            "far": ((-40, 264), (110, 208), (300, 150), (470, 118), (640, 100)),
            "near": ((-80, 330), (250, 300), (560, 270), (880, 300)),
            "lane": ((-40, 256), (150, 226), (400, 262), (900, 430)),
        },
        masts=((150, ((708, 92), (712, 66), (724, 56), (760, 50), (800, 50), (800, 140), (760, 130))),),
    ),
    "lane": Scene(
        clip="clips/bike-lane/bike-lane_2023-06-16_17-45-00.mp4",
        size=(640, 360),
        growth=1.28,
        horizon=86,
        focal=700,
        every=2,
        blur=0.6,
        paths={
            "towards": ((88, 112), (100, 150), (112, 200), (150, 420)),
            "kerb": ((128, 118), (150, 150), (185, 205), (330, 430)),
            "road": ((420, 112), (350, 150), (300, 200), (260, 300)),
            "across": ((700, 196), (430, 212), (220, 236), (-80, 286)),
        },
    ),
    "parking": Scene(
        clip="clips/parking-lot/parking-lot_2023-06-15_08-30-00.mp4",
        size=(768, 432),
        growth=0.13,
        horizon=-438,
        focal=900,
        blur=0.7,
        squash=0.9,
        paths={
            "right": ((-50, 340), (350, 270), (820, 170)),
            "left": ((820, 300), (400, 220), (-60, 150)),
            "up": ((-40, 240), (300, 200), (820, 110)),
        },
    ),
}
