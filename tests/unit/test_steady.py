"""A camera that was moved or covered is noticed; a busy, darkening street is not taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from quitboard.detect.steady import Grey, same_view, untrusted_from

SECOND = 1_000_000


def street(seed: int = 0, *, shift: int = 0, light: float = 1.0, cars: int = 0, noise: float = 4.0) -> Grey:
    """Houses, windows and a road, from a place `shift` px to the side."""
    rng = np.random.default_rng(seed)
    wide = np.full((360, 1000), 120, np.uint8)
    for _ in range(60):
        x, y, w, h = rng.integers(0, 960), rng.integers(0, 240), rng.integers(10, 90), rng.integers(10, 80)
        cv2.rectangle(wide, (int(x), int(y)), (int(x + w), int(y + h)), int(rng.integers(30, 230)), -1)
    cv2.line(wide, (0, 300), (1000, 250), 240, 6)
    picture = wide[:, 180 + shift : 820 + shift].copy()
    own = np.random.default_rng([seed, abs(shift), cars])
    for _ in range(cars):
        x, y = int(own.integers(0, 560)), int(own.integers(230, 320))
        cv2.rectangle(picture, (x, y), (x + 110, y + 45), int(own.integers(0, 255)), -1)
    dirty = picture * light + own.normal(0, noise, picture.shape)
    return np.clip(dirty, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("cars", [0, 3, 8])
@pytest.mark.parametrize("light", [0.25, 1.0, 1.3])
def test_the_same_street_in_other_light_and_traffic_is_the_same_view(cars: int, light: float) -> None:
    assert same_view(street(), street(cars=cars, light=light))


@pytest.mark.parametrize("shift", [-160, -60, 40, 120])
def test_a_turned_camera_shows_another_view(shift: int) -> None:
    assert not same_view(street(), street(shift=shift, cars=2))


def test_another_place_is_another_view() -> None:
    assert not same_view(street(1), street(2))


@pytest.mark.parametrize("cover", [0, 90, 255])
def test_a_covered_camera_shows_nothing(cover: int) -> None:
    covered = np.full((360, 640), cover, np.uint8)
    assert not same_view(street(), covered)
    noisy = np.clip(cover + np.random.default_rng(0).normal(0, 3, (360, 640)), 0, 255).astype(np.uint8)
    assert not same_view(street(), noisy)


def test_a_camera_out_of_focus_is_not_trusted() -> None:
    assert not same_view(street(), cv2.GaussianBlur(street(), (0, 0), 40))


def test_shaking_in_the_wind_is_no_move() -> None:
    assert same_view(street(), street(shift=6))


def test_a_dark_reference_holds_nothing_against_a_camera() -> None:
    assert same_view(np.zeros((360, 640), np.uint8), street())


def test_the_size_of_a_thumbnail_does_not_matter() -> None:
    assert same_view(street(), cv2.resize(street(cars=2), (320, 180), interpolation=cv2.INTER_AREA))


def test_zones_are_trusted_until_the_move_that_lasts() -> None:
    seen = [(n * 4 * SECOND, street(shift=0 if n < 5 else 90, cars=n % 4)) for n in range(12)]
    assert untrusted_from(seen) == 20 * SECOND


def test_a_truck_before_the_lens_is_forgotten() -> None:
    truck = np.full((360, 640), 70, np.uint8)
    seen = [(n * 4 * SECOND, truck if n in (3, 4) else street(cars=n % 4)) for n in range(12)]
    assert untrusted_from(seen) is None


def test_a_known_reference_finds_a_camera_that_was_moved_before_the_first_frame() -> None:
    seen = [(n * 5 * SECOND, street(shift=90)) for n in range(5)]
    assert untrusted_from(seen, reference=street()) == 0
    assert untrusted_from(seen) is None
