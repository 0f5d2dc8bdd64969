"""Times of day and weather: what shines, from where, and what the camera makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tools.street.camera import Camera
from tools.street.render import Light
from tools.street.sensor import Sensor, random_sensor

MOODS = ("sun", "hazy", "overcast", "low-sun", "dusk", "night", "night-infrared", "rain", "rain-night")
Lamp = tuple[float, float, float, float]


def sunlight(azimuth: float, height: float) -> tuple[float, float, float]:
    """A unit vector to the sun; radians."""
    return (
        float(np.cos(azimuth) * np.cos(height)),
        float(np.sin(azimuth) * np.cos(height)),
        float(np.sin(height)),
    )


def light(
    rng: np.random.Generator, mood: str, camera: Camera, posts: list[tuple[float, float, float]], adapt: float = 1.0
) -> Light:
    """``posts`` are the street's lamp heads (x, y, z); ``adapt`` scales the exposure."""
    azimuth = float(rng.uniform(0, 2 * np.pi))
    exposure = float(rng.uniform(0.66, 0.92)) * adapt
    if mood == "sun":
        sun = sunlight(azimuth, rng.uniform(0.7, 1.25))
        return Light(sun=sun, sun_color=(2.7, 2.5, 2.2), sky=(0.50, 0.60, 0.80), exposure=exposure * 0.85)
    if mood == "hazy":
        sun = sunlight(azimuth, rng.uniform(0.6, 1.2))
        return Light(sun=sun, sun_color=(1.4, 1.3, 1.15), sky=(0.80, 0.84, 0.90), exposure=exposure)
    if mood == "low-sun":
        sun = sunlight(azimuth, rng.uniform(0.18, 0.42))
        return Light(
            sun=sun, sun_color=(2.7, 1.8, 1.0), sky=(0.52, 0.55, 0.70), haze_color=(0.75, 0.62, 0.5), exposure=exposure
        )
    cloud = Light(
        sun=sunlight(azimuth, 1.2), sun_color=(0.35, 0.35, 0.35), sky=(1.15, 1.2, 1.28), bounce=(0.3, 0.3, 0.3),
        haze=0.005, exposure=exposure,
    )  # fmt: skip
    if mood == "overcast":
        return cloud
    if mood == "rain":
        return replace(
            cloud, sky=(0.85, 0.90, 0.98), haze=0.012, wet=float(rng.uniform(0.7, 1.0)), lights_on=0.15,
            haze_color=(0.6, 0.63, 0.66),
        )  # fmt: skip
    warm = [(1.0, 0.80, 0.50), (1.0, 0.95, 0.85), (0.9, 0.95, 1.0)][int(rng.integers(3))]
    night = Light(
        sun=sunlight(azimuth, 1.1), sun_color=(0.015, 0.018, 0.025), sky=(0.030, 0.034, 0.050),
        bounce=(0.02, 0.018, 0.015), haze_color=(0.02, 0.022, 0.03), haze=0.004, exposure=exposure * 1.5,
        lamps=nearest(posts, camera, float(rng.uniform(26, 48))), lamp_color=warm, lights_on=1.0,
    )  # fmt: skip
    if mood == "night":
        return night
    if mood == "rain-night":
        return replace(night, wet=1.0, haze=0.010, haze_color=(0.05, 0.05, 0.055))
    if mood == "night-infrared":
        x, y, z = camera.position
        return replace(
            night, lamps=((x, y, z + 0.1, float(rng.uniform(90, 160))), *night.lamps[:2]), lamp_color=(1.0, 1.0, 1.0),
            lights_on=0.8,
        )  # fmt: skip
    return replace(
        night, sun_color=(0.06, 0.07, 0.09), sky=(0.26, 0.30, 0.42), bounce=(0.11, 0.10, 0.09),
        exposure=exposure * 1.25, haze_color=(0.2, 0.22, 0.3), lights_on=0.7,
        lamps=tuple((a, b, c, 0.4 * w) for a, b, c, w in night.lamps),
    )  # fmt: skip


def nearest(posts: list[tuple[float, float, float]], camera: Camera, power: float, count: int = 6) -> tuple[Lamp, ...]:
    """The lamps that light what the camera looks at."""
    tx, ty, _ = camera.target
    near = sorted(posts, key=lambda p: (p[0] - tx) ** 2 + (p[1] - ty) ** 2)[:count]
    return tuple((x, y, z, power) for x, y, z in near)


def sensor(rng: np.random.Generator, mood: str) -> Sensor:
    """A sensor as it is set for the mood: at night it is noisy, slow and sees halos; under infrared it is grey."""
    day = random_sensor(rng)
    if mood in ("night", "rain-night"):
        return replace(
            day, noise=float(rng.uniform(3, 9)), glare=float(rng.uniform(0.3, 1.0)),
            exposure_s=float(rng.uniform(0.02, 0.05)), blur_px=float(rng.uniform(0.6, 1.1)),
            rain=0.7 if mood == "rain-night" else 0.0, vignette=day.vignette * 0.5,
        )  # fmt: skip
    if mood == "night-infrared":
        return replace(
            day, noise=float(rng.uniform(3, 8)), saturation=0.0, warmth=0.0, glare=0.4, contrast=1.15,
            exposure_s=float(rng.uniform(0.02, 0.04)),
        )  # fmt: skip
    if mood == "dusk":
        return replace(day, noise=float(rng.uniform(3, 8)), glare=0.3, exposure_s=float(rng.uniform(0.015, 0.035)))
    if mood == "rain":
        return replace(day, rain=float(rng.uniform(0.3, 1.0)), contrast=day.contrast * 0.92, exposure_s=0.02)
    return replace(day, exposure_s=float(rng.uniform(0.004, 0.02)))
