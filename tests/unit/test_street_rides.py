"""Drawn sites and the rides through them: seeded, none of the test's, half of the scooters carry two."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from tools.street import rides, teststreet, truth, wardrobe
from tools.street.actors import Box
from tools.street.acts import Script
from tools.street.sites import SITES, drawn

NUMBERS = (1, 2, 3)


@cache
def script(number: int) -> Script:
    return rides.script(drawn(5, number))


def test_a_drawn_site_depends_on_its_seed_and_number_alone() -> None:
    assert [drawn(5, n) for n in range(1, 9)] == [drawn(5, n) for n in range(1, 9)]
    assert drawn(5, 1).plan != drawn(6, 1).plan
    assert len({drawn(5, n).camera.position for n in range(1, 9)}) == 8


def test_a_drawn_site_has_nothing_of_the_tests() -> None:
    for number in range(1, 30):
        site = drawn(7, number)
        assert site.cast is wardrobe.TRAINING
        assert site.plan.paving not in {one.plan.paving for one in SITES}
        assert site.camera_id not in {one.camera_id for one in SITES}
        assert teststreet.empty(site).started[:7] == "2026-10"


def test_recordings_to_choose_by_are_of_drawn_sites_and_the_tests_own_without_a_seed() -> None:
    assert teststreet.sites(2) == list(SITES[:2])
    assert teststreet.sites(2, seed=5) == [drawn(5, 1), drawn(5, 2)]


def test_the_same_seed_makes_the_same_rides() -> None:
    assert truth.tracks(rides.script(drawn(5, 1))) == truth.tracks(script(1))


def test_about_half_of_the_scooters_carry_two() -> None:
    crews = Counter(
        len(act.unit.people)
        for number in NUMBERS
        for act in script(number).acts
        if act.unit.mode == "ride" and act.unit.vehicle is not None and act.unit.vehicle.kind == "scooter"
    )
    assert 0.3 < crews[2] / crews.total() < 0.7


@pytest.mark.parametrize("number", NUMBERS)
def test_truth_tells_who_rides_what_and_in_which_seat(number: int) -> None:
    one = script(number)
    act = next(act for act in one.acts if len(act.unit.people) == 2)
    driver, passenger = act.unit.people
    found = [
        Box("person", driver.track, (10.0, 20.0, 40.0, 90.0), 1.0),
        Box("person", passenger.track, (5.0, 20.0, 35.0, 90.0), 0.5),
        Box("scooter", act.unit.vehicle_track, (5.0, 50.0, 45.0, 95.0), 0.9),
    ]
    rows = rides.told("rides-5-0001-000", one, found)["boxes"]
    assert [(row.get("rides"), row.get("seat")) for row in rows] == [
        (act.unit.vehicle_track, 0),
        (act.unit.vehicle_track, 1),
        (None, None),
    ]
    assert [rides._shows_a_ride(row) for row in rows] == [True, True, False]
    assert not any(np.isnan(row["visible"]) for row in rows)
