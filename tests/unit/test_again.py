"""Rules applied again to a bundle's tracks: the same rules give the same bundle; other rules need no recording."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from quitboard import bundle
from quitboard.catalogue import load_catalogue
from quitboard.detect.again import pack_tracks, rules_only, unpack_tracks
from quitboard.detect.day import decide
from quitboard.errors import BundleError, NothingUsable
from quitboard.files import resource
from quitboard.records import (
    Camera,
    Manifest,
    ModelCard,
)
from quitboard.settings import Settings
from tests.rides import bareheaded

CAMERA = Camera(id="gate", name="gate")
DAY = date(2026, 3, 1)
RULES = load_catalogue(resource("data/catalogue/violations_kr.csv"))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    seen = [bareheaded()]
    decision = decide(seen, CAMERA, RULES, DAY, Settings().rules)
    assert [finding.kind for finding in decision.breaches] == ["no_helmet"]
    folder = tmp_path / "old"
    folder.mkdir()
    report_path = folder / "gate_2026-03-01.zip"
    bundle.write(
        report_path,
        manifest=Manifest(
            format="", version=0, id="", tool_version="0", camera=CAMERA, day=DAY, catalogue_sha256="c" * 64,
            settings_sha256="5" * 64, model=ModelCard(name="m", sha256="b" * 64),
            recordings=tuple(one.recording for one in seen), sums={},
        ),
        violations=[],
        exposures=decision.exposures,
        tracks=pack_tracks(decision.tracks, decision.heads, seen),
        media={},
    )  # fmt: skip
    return report_path


def test_rules_find_in_the_tracks_what_they_found_in_the_video(made: Path, tmp_path: Path) -> None:
    report = rules_only([made.parent], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    assert [one["kind"] for one in report.violations] == ["no_helmet"]
    with bundle.read(tmp_path / "new" / made.name) as again, bundle.read(made) as old:
        assert list(again.exposures()) == list(old.exposures()), "hours watched and looked at are kept"
        (violation,) = again.violations()
    assert "without the recording" in violation.evidence_note
    assert not violation.still_sha256


def test_the_same_rules_twice_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    rules_only([made], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    first = (tmp_path / "new" / made.name).read_bytes()
    report = rules_only([tmp_path / "new"], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
    assert (tmp_path / "new" / made.name).read_bytes() == first
    assert [day.is_new for day in report.days] == [False]


def test_a_rule_switched_off_finds_nothing_and_has_no_hours(made: Path, tmp_path: Path) -> None:
    fewer = tuple(dataclasses.replace(rule, enabled=rule.enabled and rule.kind != "no_helmet") for rule in RULES)
    report = rules_only([made], tmp_path / "new", cameras=(), rules=fewer, settings=Settings())
    assert report.violations == ()
    with bundle.read(tmp_path / "new" / made.name) as again:
        assert "no_helmet" not in {row.kind for row in again.exposures()}


def test_tracks_come_back_exactly(made: Path) -> None:
    with bundle.read(made) as opened:
        content, manifest = opened.tracks(), opened.manifest
    tracks, heads, seen = unpack_tracks(content, manifest)
    assert pack_tracks(tracks, heads, seen) == content


def test_other_parquet_is_refused(made: Path) -> None:
    with bundle.read(made) as opened, pytest.raises(BundleError):
        unpack_tracks(b"PAR1 nothing", opened.manifest)


def test_a_folder_without_bundles_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingUsable):
        rules_only([tmp_path], tmp_path / "new", cameras=(), rules=RULES, settings=Settings())
