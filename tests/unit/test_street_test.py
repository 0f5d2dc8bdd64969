"""The test street's sites and scripts: every kind often enough, as much that is blameless, nothing told wrongly."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tools.street import teststreet, truth
from tools.street.acts import KINDS, Script
from tools.street.casting import helmet_breaches
from tools.street.record import cameras_toml, document_text
from tools.street.sites import SITES

LOOKED_AT = (1, 3, 5, 11)


@cache
def script(number: int) -> Script:
    return teststreet.script(SITES[number - 1])


@pytest.fixture(params=LOOKED_AT)
def number(request: pytest.FixtureRequest) -> int:
    return request.param


@cache
def everything() -> Counter[str | None]:
    """How many acts breach what (None: nothing) in all recordings, from the scripts."""
    counted: Counter[str | None] = Counter()
    for site in SITES:
        for act in script(site.number).acts:
            counted.update(act.breaches or (None,))
    return counted


def test_there_are_twenty_sites_of_every_layout_and_light() -> None:
    assert len(SITES) >= 20
    assert [s.number for s in SITES] == list(range(1, len(SITES) + 1))
    assert {s.kind for s in SITES} == {"street", "junction", "plaza", "path"}
    assert {"dusk", "night", "rain", "low-sun"} <= {s.mood for s in SITES}
    assert all(3 <= s.height_m <= 9 for s in SITES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_happens_ten_times(kind: str) -> None:
    assert everything()[kind] >= 10


def test_as_much_is_blameless_as_is_not() -> None:
    breaching = sum(1 for s in SITES for act in script(s.number).acts if act.breaches)
    assert everything()[None] >= breaching


def test_the_same_seed_makes_the_same_story(number: int) -> None:
    again = teststreet.script(SITES[number - 1])
    assert truth.acts(again) == truth.acts(script(number))
    assert truth.tracks(again) == truth.tracks(script(number))


def test_every_breach_is_seen(number: int) -> None:
    told = Counter((row["act"], row["kind"]) for row in truth.acts(script(number)))
    for act in script(number).acts:
        for kind in act.breaches:
            assert told[act.name, kind], (act.name, kind)


def test_who_rides_along_the_sidewalk_of_a_junction_rides_over_the_side_streets_crosswalk() -> None:
    rows = {row["kind"]: row for row in truth.acts(script(2)) if row["act"] == "rider on the sidewalk"}
    assert rows["sidewalk"]["from_s"] < rows["crosswalk_riding"]["from_s"]
    assert rows["crosswalk_riding"]["to_s"] < rows["sidewalk"]["to_s"]


def test_only_riders_breach_what_only_riders_can(number: int) -> None:
    for act in script(number).acts:
        unit = act.unit
        scooter = unit.vehicle is not None and unit.vehicle.kind == "scooter"
        if act.breaches and act.breaches != ("parking",):
            assert unit.mode == "ride"
            assert scooter
        if unit.mode == "ride" and scooter:
            assert set(helmet_breaches(unit.people)) == set(act.breaches) & {
                "no_helmet",
                "two_up",
                "passenger_no_helmet",
            }


def test_no_rider_runs_through_anybody_in_view(number: int) -> None:
    one = script(number)
    moving = [(act, teststreet.whereabouts(act, one)) for act in one.acts if not truth.is_still(act)]
    for k, (act, mine) in enumerate(moving):
        for other, theirs in moving[:k]:
            if "ride" in (act.unit.mode, other.unit.mode):
                assert teststreet.meetings(mine, theirs, 0.45) == 0, (act.name, other.name)


def test_track_ids_are_unique_and_who_parks_is_told_once_as_a_rider() -> None:
    rows = truth.tracks(script(1))
    assert len({row["track"] for row in rows}) == len(rows)
    parks = [row for row in rows if row["act"] == "rides up and parks"]
    assert len(parks) == 2
    assert any("rides" in row for row in parks)


def test_parking_is_told_from_when_the_scooter_stands_alone() -> None:
    row = next(r for r in truth.acts(script(1)) if r["kind"] == "parking")
    act = next(a for a in script(1).acts if a.name == "rides up and parks")
    assert row["from_s"] == pytest.approx(act.route.end_s, abs=0.1)
    assert row["to_s"] - row["from_s"] > 20


def test_the_cameras_are_readable_and_their_zones_in_the_picture(tmp_path: Path) -> None:
    from quitboard.settings import load_cameras

    (tmp_path / "cameras.toml").write_text(cameras_toml([teststreet.empty(s) for s in SITES], "test"), encoding="utf-8")
    cameras = load_cameras(tmp_path / "cameras.toml")
    assert [c.id for c in cameras] == [s.camera_id for s in SITES]
    for camera in cameras:
        assert len(camera.ground_points) == 4
        for zone in camera.zones:
            polygon = np.array(zone.polygon)
            assert (polygon >= 0).all()
            assert (polygon <= camera.resolution).all()


def test_a_finished_recording_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(teststreet, "record", refuse)
    path = tmp_path / "test-03" / f"{script(3).stem}.mp4"
    path.parent.mkdir()
    path.touch()
    told = path.with_suffix(".truth.json")
    right = document_text(truth.document(script(3), [], fps=10))
    told.write_text(right, encoding="utf-8")
    assert teststreet.film(tmp_path, SITES[2]).endswith("there")
    told.write_text(document_text({**truth.document(script(3), [], fps=10), "acts": []}), encoding="utf-8")
    assert teststreet.film(tmp_path, SITES[2]).endswith("told anew")
    assert told.read_text("utf-8") == right
    told.write_text(document_text({**truth.document(script(3), [], fps=10), "tracks": []}), encoding="utf-8")
    assert "another script" in teststreet.film(tmp_path, SITES[2])
    path.unlink()
    with pytest.raises(AssertionError, match="again"):
        teststreet.film(tmp_path, SITES[2])
