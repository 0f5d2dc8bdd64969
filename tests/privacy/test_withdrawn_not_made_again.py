"""detect, run again with a newer model or other settings, makes no picture of what was withdrawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from quitboard.catalogue import load_catalogue
from quitboard.database.withdrawals import Guard
from quitboard.detect.day import Decision, Seen, decide, span_of
from quitboard.detect.pictures import Shown
from quitboard.detect.run import _Job
from quitboard.files import resource
from quitboard.records import Camera, Violation, Withdrawal, WithdrawnSpan
from quitboard.settings import RuleSettings
from tests.rides import bareheaded

RULES = load_catalogue(resource("data/catalogue/violations_kr.csv"))
CAMERA = Camera(id="gate", name="gate", resolution=(1280, 720))
MORNING, NOON = bareheaded(), bareheaded(12, sha256="b" * 64)


class Maker:
    """Stands where pictures are made from recordings, and remembers of which."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def make(self, path: Path, *_: Any) -> Shown:
        self.asked.append(path.name)
        return Shown(still_sha256="1" * 64, note="")

    def path_of(self, sha256: str, extension: str) -> Path:
        return Path(f"{sha256}.{extension}")


def shown(guard: Guard) -> tuple[list[Violation], list[str]]:
    """Return the day's cases, and the recordings that pictures were made from."""
    decision: Decision = decide([MORNING, NOON], CAMERA, RULES, date(2026, 3, 1), RuleSettings())
    job: Any = object.__new__(_Job)
    job._withdrawn, job._pictures = guard, Maker()
    paths = {seen.recording.sha256: Path(name) for seen, name in ((MORNING, "morning"), (NOON, "noon"))}
    violations, _ = job._show(decision, [MORNING, NOON], CAMERA, paths)
    return violations, job._pictures.asked


def guard_of(seen: Seen, *, camera_id: str = CAMERA.id) -> Guard:
    """Return what holds after the first ride of a recording was withdrawn, as an older model had seen it."""
    decision = decide([seen], CAMERA, RULES, date(2026, 3, 1), RuleSettings())
    began, ended = span_of(decision.breaches[0])
    began, ended = began - timedelta(seconds=0.4), ended - timedelta(seconds=0.3)
    one = Withdrawal(
        id="f" * 32,
        camera_id=camera_id,
        started_at=began,
        ended_at=ended,
        withdrawn_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    margin = timedelta(seconds=4)
    return Guard(
        withdrawals=(one,), spans=(WithdrawnSpan(camera_id=camera_id, from_at=began - margin, to_at=ended + margin),)
    )


def test_without_a_withdrawal_every_ride_is_shown() -> None:
    violations, made_from = shown(Guard())
    assert made_from == ["morning", "noon"]
    assert all(one.still_sha256 for one in violations)


def test_a_withdrawn_ride_is_counted_and_no_picture_of_it_is_made() -> None:
    violations, made_from = shown(guard_of(MORNING))
    assert made_from == ["noon"]
    assert {(one.recording_sha256 == "b" * 64, one.evidence_note, bool(one.still_sha256)) for one in violations} == {
        (False, "withdrawn", False), (True, "", True),
    }  # fmt: skip


def test_the_same_seconds_of_another_camera_are_shown() -> None:
    assert shown(guard_of(MORNING, camera_id="other"))[1] == ["morning", "noon"]
