"""What `detect` says that it did, in words and as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from quitboard.records import SetAside, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDone:
    """One camera-day: its bundle, and whether it was made now or known before."""

    bundle: str  # file name
    camera_id: str
    day: date
    violations: int
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectReport:
    """What `detect` did."""

    days: tuple[DayDone, ...]
    violations: tuple[Mapping[str, Any], ...]  # in short
    set_aside: tuple[SetAside, ...]
    warnings: tuple[str, ...]
    watched_s: float
    looked_s: float
    recordings: int

    def lines(self) -> list[str]:
        """Return the report in words."""
        lines = [
            f"{done.bundle}: {done.violations} suspected violations" + ("" if done.is_new else " (known before)")
            for done in self.days
        ]
        lines += [f"note: {warning}" for warning in self.warnings]
        share = f", {100 * self.looked_s / self.watched_s:.0f} % of it looked at closely" if self.looked_s else ""
        lines.append(f"{self.recordings} recordings, {self.watched_s / 60:.1f} min of footage{share}")
        return lines

    def as_plain(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        return {
            "bundles": [{**dataclasses.asdict(done), "day": done.day.isoformat()} for done in self.days],
            "violations": list(self.violations),
            "set_aside": [dataclasses.asdict(item) for item in self.set_aside],
            "warnings": list(self.warnings),
            "watched_s": round(self.watched_s, 3),
            "looked_s": round(self.looked_s, 3),
            "recordings": self.recordings,
        }


def bundle_name(camera_id: str, day: date) -> str:
    """Return a bundle's file name.

    >>> bundle_name("gate-3", date(2023, 4, 23))
    'gate-3_2023-04-23.zip'
    """
    return f"{camera_id}_{day.isoformat()}.zip"


def summary(violation: Violation) -> dict[str, Any]:
    """Return a violation in short, as plain values."""
    return {
        "id": violation.id,
        "kind": violation.kind,
        "camera_id": violation.camera_id,
        "track": violation.track,
        "started_at": violation.started_at.isoformat(),
        "ended_at": violation.ended_at.isoformat(),
        "confidence": violation.confidence,
        "zone": violation.zone,
        "has_picture": bool(violation.still_sha256),
        "evidence_note": violation.evidence_note,
    }
