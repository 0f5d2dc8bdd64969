"""A bundle held against its truth: who was found riding, whose head was judged how, what was reported for nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from quitboard import bundle
from quitboard.detect.again import pack_tracks
from quitboard.detect.day import Seen, decide_again, start_us, violation_of
from quitboard.detect.gate import Span
from quitboard.detect.look import Look
from quitboard.detect.rules import Outcome
from quitboard.models.figures import of_recordings
from quitboard.models.recordings import Held, hold
from quitboard.models.truth import read_truth
from quitboard.records import Role, Track
from quitboard.settings import RuleSettings
from tests.bundles import DAY, manifest, recording
from tests.unit import street_boxes as street

RECORDING = replace(recording("street"), width=street.WIDTH, height=street.HEIGHT, read_s=30.0, promised_s=30.0)
BEGUN_US = start_us(RECORDING)
RULES = [street.rule("no_helmet"), street.rule("two_up")]
TIMES = street.times(1.0, 7.0)
RIDE = street.straight(200, 400, 4.0)
WALK = street.straight(200, 650, 1.2)


def held(folder: Path, tracks: Sequence[Track], sightings: Sequence[tuple], truth: dict, *, false: int = 0) -> Held:
    """Decide on tracks drawn by hand as `detect` does, bundle them, and hold the bundle against a truth file."""
    shifted = [replace(one, at_us=one.at_us + BEGUN_US) for one in tracks]
    looked = [BEGUN_US + at_us for at_us in street.times(0.0, 30.0)]
    heads = street.heads(looked, [(at_us + BEGUN_US, *rest) for at_us, *rest in sightings])
    camera = replace(street.camera(), id=RECORDING.camera_id)
    look = Look(key="", spans=(Span(from_us=0, to_us=30_000_000),), frames=(), read_s=30.0, faults=())
    seen = [Seen(recording=RECORDING, look=look)]
    decision = decide_again(shifted, heads, seen, camera, RULES, DAY, RuleSettings())
    violations = [replace(violation_of(one, RECORDING, camera), evidence_note="none") for one in decision.breaches]
    for number in range(false):
        at = RECORDING.start + timedelta(seconds=20 + number)
        violations.append(replace(violations[0], id=f"{number:032x}", started_at=at, ended_at=at, track=99 + number))
    bundle.write(
        folder / "a.zip",
        manifest=manifest([RECORDING], camera=camera),
        violations=violations,
        exposures=decision.exposures,
        tracks=pack_tracks(decision.tracks, decision.heads, seen),
        media={},
    )
    (folder / "a.truth.json").write_text(json.dumps(truth))
    return hold(folder / "a.zip", "a", read_truth(folder / "a.truth.json"), RULES, RuleSettings())


def told(*movers: tuple[Track, dict], acts: Sequence[dict] = ()) -> dict:
    """Return a truth that tells every box of these tracks."""
    classes = [role.value for role in Role]
    rows = [
        {"t": int(at) / 1e6, "boxes": [[one.id, classes.index(one.role), *map(float, box), 1.0]]}
        for one, _ in movers
        for at, box in zip(one.at_us, one.xyxy, strict=True)
    ]
    tracks = [{"track": one.id, "class": one.role.value, **row} for one, row in movers]
    return {"acts": list(acts), "tracks": tracks, "classes": classes, "frames": rows}


def act(kind: str | None, *tracks: int, vehicle: int | None = None) -> dict:
    return {"kind": kind, "act": f"{kind}", "from_s": 1.0, "to_s": 7.0, "people": list(tracks), "vehicle": vehicle}


@pytest.mark.parametrize(
    ("bare", "worn", "answer", "points_off"),
    [
        (True, "bare", Outcome.BREACH, 0.0),
        (True, "cap", Outcome.BREACH, 0.0),
        (False, "helmet", Outcome.NONE, 0.0),
        (False, "cap", Outcome.NONE, -100.0),  # a cap taken for a helmet
        (True, "helmet", Outcome.BREACH, 100.0),
    ],
)
def test_a_rider_is_found_and_his_head_held_against_what_he_wore(
    tmp_path: Path, bare: bool, worn: str, answer: Outcome, points_off: float
) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    acts = [act("no_helmet", 1, vehicle=2)] if worn != "helmet" else []
    truth = told((rider, {"head": worn, "rides": 2}), (scooter, {}), acts=acts)
    one = held(tmp_path, [rider, scooter], street.heads_of_track(rider, bare=bare), truth)
    assert one.riders is not None
    assert one.rate is not None
    (found,) = one.riders.riders
    assert (found.found, found.vehicle, found.head, found.judged) == (True, Role.SCOOTER, worn, answer)
    assert found.height_px == pytest.approx(170)
    assert one.rate.points_off == pytest.approx(points_off)
    assert [ride.really for ride in one.riders.rides] == ["rider"]


def test_a_rider_nobody_saw_is_missed_and_his_breach_too(tmp_path: Path) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    truth = told((rider, {"head": "bare", "rides": 2}), (scooter, {}), acts=[act("no_helmet", 1, vehicle=2)])
    one = held(tmp_path, [street.person(9, WALK, TIMES)], [], truth)
    plain, score = of_recordings([one])
    assert plain["riders"]["found"]["scooter"]["value"] == 0.0
    assert plain["helmets"]["judged"][0] == {
        "head": "bare", "bare": 0, "helmet": 0, "unclear": 0, "not judged": 0, "not found": 1,
    }  # fmt: skip
    assert (len(score.missed), len(score.false)) == (1, 0)


@pytest.mark.parametrize(
    ("row", "really"),
    [({"pushes": 2}, "pushing"), ({}, "on foot"), ({"rides": 2}, "rider")],
)
def test_a_ride_that_is_found_is_held_against_who_it_really_is(tmp_path: Path, row: dict, really: str) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    one = held(tmp_path, [rider, scooter], [], told((rider, row), (scooter, {})))
    assert one.riders is not None
    assert [ride.really for ride in one.riders.rides] == [really]
    plain, _ = of_recordings([one])
    share = plain["riders"]["pushing_taken_for_riding"]
    assert (share["value"], share["n"]) == ((1.0, 1) if really == "pushing" else (None, 0))


def test_a_ride_of_what_the_truth_does_not_know_is_a_ride_of_nobody(tmp_path: Path) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    walker = street.person(9, WALK, TIMES)
    one = held(tmp_path, [rider, scooter, walker], [], told((walker, {})))
    assert one.riders is not None
    assert [ride.really for ride in one.riders.rides] == ["nobody"]


def test_a_report_is_held_against_the_act_of_the_one_it_is_about(tmp_path: Path) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    other = street.person(9, WALK, TIMES)
    movers = (rider, {"head": "helmet", "rides": 2}), (scooter, {}), (other, {"head": "bare"})
    sightings = street.heads_of_track(rider, bare=True)
    one = held(tmp_path, [rider, scooter], sightings, told(*movers, acts=[act("no_helmet", 9)]))
    _, score = of_recordings([one])
    assert (len(score.found), len(score.missed), len(score.false)) == (0, 1, 1)
    assert "helmet" in score.false[0].what


def test_acts_alone_are_matched_by_kind_and_time(tmp_path: Path) -> None:
    rider, scooter = street.ridden(1, RIDE, TIMES)
    truth = {"acts": [act("no_helmet", 77), act("sidewalk", 77)]}
    one = held(tmp_path, [rider, scooter], street.heads_of_track(rider, bare=True), truth, false=2)
    plain, score = of_recordings([one])
    assert (len(score.found), len(score.missed), len(score.false)) == (1, 0, 2)
    assert plain["violations"]["kinds_not_watched"] == {"sidewalk": 1}
    assert plain["riders"] is plain["helmets"] is None
    assert plain["violations"]["all"]["precision"]["value"] == pytest.approx(1 / 3, abs=1e-4)
