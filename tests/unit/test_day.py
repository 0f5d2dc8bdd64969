"""A camera-day decided: overlaps once, zones only as long as they can be trusted, pictures shared where they can be."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from quitboard.catalogue import load_catalogue
from quitboard.detect.day import Seen, decide, kinds_watched, recording_at, start_us, subject_of, together, violation_of
from quitboard.detect.gate import Span
from quitboard.detect.look import Look
from quitboard.files import resource
from quitboard.records import (
    ROLES,
    Camera,
    ClockSource,
    Detections,
    FrameDetections,
    Recording,
    Role,
    Zone,
    ZoneKind,
)
from quitboard.settings import RuleSettings

RULES = load_catalogue(resource("data/catalogue/violations_kr.csv"))
DAY = date(2026, 3, 1)
SIDEWALK = Zone(name="north", kind=ZoneKind.SIDEWALK, polygon=((0, 400), (1280, 400), (1280, 560), (0, 560)))
CAMERA = Camera(id="gate", name="gate", resolution=(1280, 720), zones=(SIDEWALK,))


def seen(hour: int, *, sha256: str, from_x: float = 100.0, scale: float = 1.0) -> Seen:
    """A bare-headed rider crosses the picture on the sidewalk in six seconds."""
    frames = []
    for number in range(30):
        x = from_x + 30 * number
        boxes = [
            (Role.PERSON, (x, 300.0, x + 60, 460.0)),
            (Role.SCOOTER, (x - 10, 380.0, x + 80, 470.0)),
            (Role.HEAD, (x + 18, 300.0, x + 42, 328.0)),
        ]
        frames.append(
            FrameDetections(
                position_us=number * 200_000,
                detections=Detections(
                    xyxy=np.array([box for _, box in boxes], np.float32) * np.float32(scale),
                    confidence=np.full(3, 0.9, np.float32),
                    class_id=np.array([ROLES.index(role) for role, _ in boxes], np.int64),
                ),
            )
        )
    start = datetime(2026, 3, 1, hour, tzinfo=ZoneInfo("Asia/Seoul"))
    recording = Recording(
        sha256=sha256, name=f"{hour}.mp4", camera_id="gate", start=start,
        clock=ClockSource.NAME, width=round(1280 * scale), height=round(720 * scale), promised_s=8.0, read_s=8.0,
    )  # fmt: skip
    look = Look(key="k", spans=(Span(from_us=0, to_us=6_000_000),), frames=tuple(frames), read_s=8.0, faults=())
    return Seen(recording=recording, look=look)


def kinds(found: list[Seen], **more: int) -> list[str]:
    decision = decide(found, CAMERA, RULES, DAY, RuleSettings(), **more)  # type: ignore[arg-type]
    return [finding.kind for finding in decision.breaches]


def test_one_breach_found_twice_is_reported_once() -> None:
    """Two persons may each be bound to one vehicle over the same span; a bundle refuses two violations of one id."""
    decision = decide([seen(10, sha256="a" * 64)], CAMERA, RULES, DAY, RuleSettings())
    twice = dataclasses.replace(decision, findings=decision.findings * 2)
    assert [one.kind for one in twice.breaches] == [one.kind for one in decision.breaches] != []


def test_a_rider_breaches_two_rules_and_one_pair_of_pictures_shows_both() -> None:
    decision = decide([seen(10, sha256="a" * 64)], CAMERA, RULES, DAY, RuleSettings())
    assert [one.kind for one in decision.breaches] == ["no_helmet", "sidewalk"]
    (group,) = together(decision.breaches)
    subject = subject_of(group, decision.findings, 1280)
    assert subject.mark.helmet is False
    assert set(subject.mark.text.split(" · ")) == {"NO HELMET", "ON THE SIDEWALK"}


def test_of_two_on_one_vehicle_no_icon_says_who_wears_a_helmet() -> None:
    (bare, _) = decide([seen(10, sha256="a" * 64)], CAMERA, RULES, DAY, RuleSettings()).breaches
    assert subject_of([bare], [bare], 1280).mark.helmet is False
    company = dataclasses.replace(bare, kind="passenger_no_helmet")
    assert subject_of([bare, company], [bare, company], 1280).mark.helmet is None


def test_from_the_instant_a_camera_was_turned_its_zones_find_nothing_and_their_hours_do_not_count() -> None:
    morning, noon = seen(10, sha256="a" * 64), seen(12, sha256="b" * 64)
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
    one = seen(10, sha256="a" * 64)
    twin = dataclasses.replace(one, recording=dataclasses.replace(one.recording, sha256="c" * 64))
    assert kinds([one, twin]) == kinds([one])


def test_boxes_of_a_smaller_recording_are_brought_to_the_days_size() -> None:
    both = kinds([seen(10, sha256="a" * 64), seen(12, sha256="b" * 64, scale=0.5)])
    assert both.count("sidewalk") == 2


def test_a_kind_without_its_zone_is_not_watched() -> None:
    assert "sidewalk" in kinds_watched(CAMERA, RULES, DAY)
    bare = dataclasses.replace(CAMERA, zones=())
    assert set(kinds_watched(bare, RULES, DAY)) == {"no_helmet", "passenger_no_helmet", "two_up"}


def test_ids_depend_on_recording_kind_and_span_alone() -> None:
    first = seen(10, sha256="a" * 64)
    decision = decide([first], CAMERA, RULES, DAY, RuleSettings())
    ids = [violation_of(one, first.recording, CAMERA).id for one in decision.breaches]
    assert len(set(ids)) == 2
    renamed = dataclasses.replace(first.recording, name="elsewhere/x.mp4")
    assert [violation_of(one, renamed, CAMERA).id for one in decision.breaches] == ids


def test_the_recording_that_shows_an_instant_is_found() -> None:
    both = [seen(10, sha256="a" * 64), seen(12, sha256="b" * 64)]
    for one in both:
        assert recording_at(both, start_us(one.recording) + 1_000_000) is one
    assert recording_at(both, start_us(both[0].recording) - 5) is both[0]
