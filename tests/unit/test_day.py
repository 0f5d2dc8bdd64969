"""A camera-day decided: overlaps once, zones only as long as they can be trusted, pictures shared where they can be."""

from __future__ import annotations

import dataclasses
from datetime import date

from quitboard.catalogue import load_catalogue
from quitboard.detect.day import Seen, decide, kinds_watched, recording_at, start_us, subject_of, together, violation_of
from quitboard.files import resource
from quitboard.records import (
    Camera,
    Zone,
    ZoneKind,
)
from quitboard.settings import RuleSettings
from tests.rides import bareheaded

RULES = load_catalogue(resource("data/catalogue/violations_kr.csv"))
DAY = date(2026, 3, 1)
SIDEWALK = Zone(name="north", kind=ZoneKind.SIDEWALK, polygon=((0, 400), (1280, 400), (1280, 560), (0, 560)))
CAMERA = Camera(id="gate", name="gate", resolution=(1280, 720), zones=(SIDEWALK,))


def kinds(found: list[Seen], **more: int) -> list[str]:
    decision = decide(found, CAMERA, RULES, DAY, RuleSettings(), **more)  # type: ignore[arg-type]
    return [finding.kind for finding in decision.breaches]


def test_one_breach_found_twice_is_reported_once() -> None:
    """Two persons may each be bound to one vehicle over the same span; a bundle refuses two violations of one id."""
    decision = decide([bareheaded()], CAMERA, RULES, DAY, RuleSettings())
    twice = dataclasses.replace(decision, findings=decision.findings * 2)
    assert [one.kind for one in twice.breaches] == [one.kind for one in decision.breaches] != []


def test_a_rider_breaches_two_rules_and_one_pair_of_pictures_shows_both() -> None:
    decision = decide([bareheaded()], CAMERA, RULES, DAY, RuleSettings())
    assert [one.kind for one in decision.breaches] == ["no_helmet", "sidewalk"]
    (group,) = together(decision.breaches)
    subject = subject_of(group, decision.findings, 1280)
    assert subject.mark.helmet is False
    assert set(subject.mark.text.split(" · ")) == {"NO HELMET", "ON THE SIDEWALK"}


def test_of_two_on_one_vehicle_no_icon_says_who_wears_a_helmet() -> None:
    (bare, _) = decide([bareheaded()], CAMERA, RULES, DAY, RuleSettings()).breaches
    assert subject_of([bare], [bare], 1280).mark.helmet is False
    company = dataclasses.replace(bare, kind="passenger_no_helmet")
    assert subject_of([bare, company], [bare, company], 1280).mark.helmet is None


def test_from_the_instant_a_camera_was_turned_its_zones_find_nothing_and_their_hours_do_not_count() -> None:
    morning, noon = bareheaded(), bareheaded(12, sha256="b" * 64)
    turned_us = start_us(noon.recording) - 1_000_000
    assert kinds([morning, noon]).count("sidewalk") == 2
    assert kinds([morning, noon], zones_trusted_until_us=turned_us).count("sidewalk") == 1
    assert kinds([morning, noon], zones_trusted_until_us=turned_us).count("no_helmet") == 2
    decision = decide([morning, noon], CAMERA, RULES, DAY, RuleSettings(), zones_trusted_until_us=turned_us)
    watched = {
        kind: sum(row.watched_s for row in decision.exposures if row.kind == kind) for kind in ("sidewalk", "no_helmet")
    }
    assert watched == {"sidewalk": 8.0, "no_helmet": 16.0}


def test_a_recording_seen_twice_is_decided_once() -> None:
    one = bareheaded()
    twin = dataclasses.replace(one, recording=dataclasses.replace(one.recording, sha256="c" * 64))
    assert kinds([one, twin]) == kinds([one])


def test_boxes_of_a_smaller_recording_are_brought_to_the_days_size() -> None:
    both = kinds([bareheaded(), bareheaded(12, sha256="b" * 64, scale=0.5)])
    assert both.count("sidewalk") == 2


def test_a_kind_without_its_zone_is_not_watched() -> None:
    assert "sidewalk" in kinds_watched(CAMERA, RULES, DAY)
    bare = dataclasses.replace(CAMERA, zones=())
    assert set(kinds_watched(bare, RULES, DAY)) == {"no_helmet", "passenger_no_helmet", "two_up"}


def test_ids_depend_on_recording_kind_and_span_alone() -> None:
    first = bareheaded()
    decision = decide([first], CAMERA, RULES, DAY, RuleSettings())
    ids = [violation_of(one, first.recording, CAMERA).id for one in decision.breaches]
    assert len(set(ids)) == 2
    renamed = dataclasses.replace(first.recording, name="elsewhere/x.mp4")
    assert [violation_of(one, renamed, CAMERA).id for one in decision.breaches] == ids


def test_the_recording_that_shows_an_instant_is_found() -> None:
    both = [bareheaded(), bareheaded(12, sha256="b" * 64)]
    for one in both:
        assert recording_at(both, start_us(one.recording) + 1_000_000) is one
    assert recording_at(both, start_us(both[0].recording) - 5) is both[0]
