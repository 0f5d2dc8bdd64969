"""The colours hold: read with weak eyes, with colour-blind ones, and in the dark."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

STYLE = (Path(__file__).parents[2] / "templates" / "assets" / "style.css").read_text()
_TOKEN = re.compile(r"--([\w-]+): (?:light-dark\((#\w{6}), (#\w{6})\)|(#\w{6}));")
THEMES = ("light", "dark")

# What a dichromat sees of linear RGB: Viénot, Brettel, Mollon 1999, for protanopia and deuteranopia.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deuteranopia": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}


def palette(theme: str) -> dict[str, np.ndarray]:
    """Return the tokens of a theme as linear RGB."""
    found = {}
    for name, light, dark, both in _TOKEN.findall(STYLE):
        text = both or {"light": light, "dark": dark}[theme]
        srgb = np.array([int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)])
        found[name] = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return found


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Return WCAG's contrast of two colours, 1-21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted((float(weights @ one), float(weights @ other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *itertools.product(("ink", "ink-soft", "link"), ("paper", "sheet")),
        *itertools.product(("road-ink", "road-soft"), ("road", "road-deep", "hatch", "road-off")),
        ("on-paint", "paint"),
        *((f"in-q{step}", f"q{step}") for step in range(5)),
        ("ink", "few"),
    ],
)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    colours = palette(theme)
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eyes", SEEN_BY)
@pytest.mark.parametrize(
    ("mark", "ground", "least"),
    [
        ("data", "sheet", 3),
        ("mark", "sheet", 3),
        ("paint", "road", 3),
        ("paint", "road-grey", 1.5),
        ("road-grey", "road", 3),
        ("focus", "paper", 3),
        *((f"q{step}", f"q{step + 1}", 1.2) for step in range(4)),
    ],
)
def test_marks_are_told_apart_by_lightness_whoever_looks(
    theme: str, eyes: str, mark: str, ground: str, least: float
) -> None:
    colours = {name: np.clip(SEEN_BY[eyes] @ colour, 0, 1) for name, colour in palette(theme).items()}
    assert contrast(colours[mark], colours[ground]) >= least


def test_no_style_sheet_names_a_colour_of_its_own() -> None:
    folder = Path(__file__).parents[2] / "templates" / "assets"
    loose = {
        sheet.name: found
        for sheet in folder.glob("*.css")
        if sheet.name != "style.css" and (found := re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb\(", sheet.read_text()))
    }
    assert loose == {}
