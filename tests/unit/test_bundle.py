"""A bundle: the same content gives the same bytes, and what is read is what was written."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard import bundle
from quitboard.bundle import form
from quitboard.errors import BundleError
from quitboard.records import Camera, ClockSource, ModelCard
from tests import bundles


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    source = bundles.recording()
    rows, media = bundles.pictured(bundles.violation(number, source) for number in range(5))
    watched = [bundles.exposure(source), bundles.exposure(source, kind="two_up")]
    path = tmp_path / "a.zip"
    written = bundles.make(path, recordings=[source], violations=rows, exposures=watched, media=media)
    with bundle.read(path) as found:
        assert found.manifest == written
        assert list(found.violations()) == rows
        assert list(found.exposures()) == watched
        assert found.tracks() == b"PAR1"
        assert {name.split("/")[1][:64]: found.media(name) for name in found.media_names()} == media
    assert bundle.verify(path) == written


def test_order_of_rows_and_the_time_of_writing_leave_no_trace(tmp_path: Path) -> None:
    source = bundles.recording()
    rows, media = bundles.pictured(bundles.violation(number, source) for number in range(9))
    bundles.make(tmp_path / "a.zip", recordings=[source], violations=rows, media=media)
    random.Random(1).shuffle(rows)
    bundles.make(tmp_path / "b.zip", recordings=[source], violations=rows, media=dict(reversed(media.items())))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_id_changes_with_any_content(tmp_path: Path) -> None:
    source = bundles.recording()
    plain = bundles.make(tmp_path / "a.zip")
    ids = {
        plain.id,
        bundles.make(tmp_path / "b.zip", violations=[]).id,
        bundles.make(tmp_path / "c.zip", exposures=[]).id,
        bundles.make(tmp_path / "d.zip", model=ModelCard(name="other", sha256="b" * 64)).id,
        bundles.make(tmp_path / "e.zip", recordings=[replace(source, faults=("cut short",))]).id,
    }
    assert len(ids) == 5


def test_pictures_may_lie_in_files_and_those_not_named_stay_out(tmp_path: Path) -> None:
    rows, media = bundles.pictured([bundles.violation()])
    (tmp_path / "still").write_bytes(media[rows[0].still_sha256])
    offered = {**media, rows[0].still_sha256: tmp_path / "still", "e" * 64: b"of nobody"}
    written = bundle.write(
        tmp_path / "a.zip",
        manifest=bundles.manifest([bundles.recording()]),
        violations=rows,
        exposures=[],
        tracks=b"",
        media=offered,
    )
    assert [name for name in written.sums if name.startswith("media/")] == sorted(
        [f"media/{rows[0].still_sha256}.jpg", f"media/{rows[0].clip_sha256}.gif"]
    )
    assert bundle.verify(tmp_path / "a.zip").id == written.id


def test_a_violation_whose_picture_is_missing_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="names a picture that is not there"):
        bundles.make(tmp_path / "a.zip", violations=[bundles.violation(still_sha256="e" * 64)])
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="recordings are listed twice, or none is"):
        bundles.make(tmp_path / "a.zip", recordings=[], violations=[], exposures=[])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_instants_keep_their_clock_over_a_day_that_changes_it(tmp_path: Path, zone: str) -> None:
    camera = Camera(id="far", name="far", timezone=zone)
    for day in (date(2023, 3, 12), date(2023, 11, 5), date(2023, 4, 2)):
        sources = [bundles.recording(f"{day} {hour}", hour, camera=camera, day=day) for hour in range(24)]
        rows = [bundles.violation(0, source) for source in sources if source.start.hour != 2]
        # An hour that the clock repeats is told apart by its offset.
        again = replace(sources[1], sha256="f" * 64, start=sources[1].start.replace(fold=1))
        rows.append(bundles.violation(0, again))
        path = tmp_path / f"{day}.zip"
        bundles.make(path, recordings=[*sources, again], violations=rows, exposures=[], camera=camera, day=day)
        with bundle.read(path) as found:
            read = list(found.violations())
        assert {(row.id, row.started_at.timestamp()) for row in read} == {
            (row.id, row.started_at.timestamp()) for row in rows
        }
        assert {row.started_at.tzinfo for row in read} == {ZoneInfo(zone)}


_names = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=50)


@given(name=_names, area=_names, zone_name=_names, figure=st.floats(-1e15, 1e15), read_s=st.floats(0, 1e6))
def test_any_words_and_numbers_survive_the_manifest(
    name: str, area: str, zone_name: str, figure: float, read_s: float
) -> None:
    camera = replace(bundles.CAMERA, name=name, area=area, zones=(replace(bundles.CAMERA.zones[0], name=zone_name),))
    source = replace(bundles.recording(), read_s=read_s, clock=ClockSource.SIDECAR, faults=(name,))
    model = ModelCard(name=area, sha256="a" * 64, figures={"scooter.ap50": figure})
    made = replace(
        bundles.manifest([source], camera=camera, model=model), format=form.FORMAT, version=form.VERSION, id="b" * 64
    )
    assert form.manifest_from(form.manifest_bytes(made)) == made
