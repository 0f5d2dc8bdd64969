"""Renders the demo recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tools.street import furnish, layout, scripts
from tools.street.acts import Script
from tools.street.record import Recorder, cameras_toml, document_text, record, stage_at
from tools.street.render import Light
from tools.street.sensor import Sensor

ABOUT = "The cameras of the demo recordings: a street that was rendered, so every zone is known to the pixel."
RECORDERS = {
    "gate-3": Recorder(
        seed=41,
        light=Light(sun=(-0.55, 0.50, 0.72), sun_color=(2.3, 2.15, 1.9), sky=(0.66, 0.73, 0.86), exposure=0.82),
        sensor=Sensor(blur_px=0.5, sharpen=0.5, noise=2.2, vignette=0.16, saturation=0.88),
    ),
    "crossing-1": Recorder(
        seed=57,
        light=Light(
            sun=(-0.75, 0.35, 0.50),
            sun_color=(1.9, 1.6, 1.2),
            sky=(0.70, 0.74, 0.84),
            exposure=0.78,
            haze_color=(0.70, 0.66, 0.62),
        ),
        sensor=Sensor(blur_px=0.5, sharpen=0.6, noise=2.6, vignette=0.2, saturation=0.82, warmth=0.02),
    ),
}


def street_of(script: Script) -> layout.Street:
    rng = np.random.default_rng(RECORDERS[script.camera_id].seed)
    x = script.camera.position[0]
    if script.camera_id == "gate-3":
        return furnish.build(rng, scripts.GATE_PLAN, {-1: [scripts.GATE_OPENING]}, 0.8, ((x - 4, x + 18),))
    return furnish.build(rng, scripts.CROSSING_PLAN, {-1: [scripts.ALLEY_OPENING]}, 0.8, ((x - 4, x + 18),))


def make(out: Path, only: str = "") -> None:
    """Write ``cameras.toml`` and, for each camera, its recording and truth below ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    everyone = scripts.all_scripts()
    (out / "cameras.toml").write_text(cameras_toml(everyone, ABOUT), encoding="utf-8")
    for script in everyone:
        if only and script.camera_id != only:
            continue
        path = out / script.camera_id / f"{script.stem}.mp4"

        def progress(done: int, total: int, name: str = script.stem) -> None:
            if done % 60 == 0 or done == total:
                print(f"{name}: {done}/{total}", flush=True)

        document = record(script, street_of(script), RECORDERS[script.camera_id], path, progress=progress)
        path.with_suffix("").with_suffix(".truth.json").write_text(document_text(document), encoding="utf-8")


__all__ = ["cameras_toml", "make", "stage_at", "street_of"]
