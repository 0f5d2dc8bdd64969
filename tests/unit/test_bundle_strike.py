"""A picture taken out of a bundle is gone from its bytes; the bundle stays the same content, and says what it lacks."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quitboard import bundle, files
from quitboard.bundle import form
from quitboard.bundle.write import entry_of
from quitboard.errors import BundleError, DiskFull
from quitboard.records import Withdrawal
from tests import bundles

FIRST = bundles.violation(0)
NOW = datetime(2023, 5, 2, tzinfo=UTC)
WITHDRAWAL = Withdrawal(
    id=FIRST.id, camera_id="gate-3", started_at=FIRST.started_at, ended_at=FIRST.ended_at, withdrawn_at=NOW
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "a.zip")
    return tmp_path / "a.zip"


def pictures(path: Path) -> dict[str, list[str]]:
    """Return the pictures' hashes by the id of the violation that names them."""
    with bundle.read(path) as found:
        return {row.id: [one for one in (row.still_sha256, row.clip_sha256) if one] for row in found.violations()}


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(path: Path, changed: dict[str, bytes | None]) -> None:
    parts: dict[str, Any] = {**members(path), **changed}
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(parts):
            if parts[name] is not None:
                archive.writestr(entry_of(name), parts[name])


def test_a_struck_bundle_is_the_same_bundle_without_the_pictures_bytes(path: Path) -> None:
    before, gone = members(path), pictures(path)[FIRST.id]
    whole = bundle.verify(path)
    content = [before[form.media_name(sha, b"GIF8" if n else b"")] for n, sha in enumerate(gone)]
    assert all(one in path.read_bytes() for one in content)

    assert bundle.strike(path, gone, [WITHDRAWAL]) == 2

    assert not any(one in path.read_bytes() for one in content)
    assert bundle.verify(path) == whole
    after = members(path)
    assert after.pop(form.WITHDRAWN)
    assert after == {name: part for name, part in before.items() if Path(name).stem not in gone}


def test_a_struck_bundles_rows_say_that_the_picture_was_withdrawn(path: Path) -> None:
    before = pictures(path)
    bundle.strike(path, before[FIRST.id], [WITHDRAWAL])
    with bundle.read(path) as found:
        rows = {row.id: row for row in found.violations()}
        assert [found.withdrawn.withdrawals] == [(WITHDRAWAL,)]
        assert {Path(name).stem for name in found.media_names()} == {sha for i in before for sha in before[i]} - {
            *before[FIRST.id]
        }
    assert rows[FIRST.id].evidence_note == "withdrawn"
    assert pictures(path) == {**before, FIRST.id: []}


def test_striking_again_changes_no_byte_and_the_order_of_strikes_does_not_matter(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "b.zip"
    other.write_bytes(path.read_bytes())
    first, second = pictures(path)[FIRST.id]
    for target, order in ((path, (first, second)), (other, (second, first))):
        for sha256 in order:
            assert bundle.strike(target, [sha256], [WITHDRAWAL]) == 1
        assert bundle.strike(target, [first, second], [WITHDRAWAL]) == 0
    assert path.read_bytes() == other.read_bytes()


def test_a_struck_bundle_keeps_its_age_for_an_inbox_is_read_by_age(path: Path) -> None:
    os.utime(path, ns=(5, 7_000_000_001))
    bundle.strike(path, pictures(path)[FIRST.id], [WITHDRAWAL])
    assert path.stat().st_mtime_ns == 7_000_000_001


def test_a_bundle_without_the_picture_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    assert bundle.strike(path, ["f" * 64], [WITHDRAWAL]) == 0
    assert path.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_bundle_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, gone = path.read_bytes(), pictures(path)[FIRST.id]

    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            bundle.strike(path, gone, [WITHDRAWAL])
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def _changed(key: str, value: object) -> dict[str, Any]:
    return {"key": key, "value": value}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_changed("members", {}), "nothing is withdrawn"),
        (_changed("members", {"tracks.parquet": "0" * 64}), "no picture of this bundle"),
        (_changed("members", {"media/" + "0" * 64 + ".jpg": "0" * 64}), "no picture of this bundle"),
        (_changed("members", {f"media/{bundles.sha256('')}.jpg": "x"}), "not a sum"),
        (_changed("members", {"a": 3}), "cannot be understood"),
        (_changed("members", "media"), "cannot be understood"),
        (_changed("members", 3), "cannot be understood"),
        (_changed("members", [["x"]]), "cannot be understood"),
        (_changed("version", 2), "of another format or version"),
        (_changed("extra", 1), "not written as QuitBoard writes it"),
        (_changed("withdrawals", [{}]), "cannot be understood"),
        (_changed("withdrawals", [{"id": "../x"}]), "cannot be understood"),
    ],
)
def test_a_withdrawn_member_that_is_not_ours_makes_the_bundle_unfit(
    path: Path, change: dict[str, Any], reason: str
) -> None:
    bundle.strike(path, pictures(path)[FIRST.id], [WITHDRAWAL])
    plain = json.loads(members(path)[form.WITHDRAWN])
    plain[change["key"]] = change["value"]
    repacked(path, {form.WITHDRAWN: (json.dumps(plain, sort_keys=True) + "\n").encode()})
    with pytest.raises(BundleError, match=reason):
        bundle.verify(path)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("camera_id", "gate-4", "another camera"),
        ("id", "x" * 32, "no id"),
        ("id", 7, "cannot be understood"),
        ("started_at", "2023-04-23T15:00:00", "no such instant"),
        ("started_at", "2199-04-23T15:00:00.000000+00:00", "ends before it starts"),
        ("ended_at", "9999-04-23T15:00:00.000000+00:00", "no such instant"),
        ("ended_at", "2023-04-23T15:00:09+09:00", "not written as QuitBoard writes it"),
    ],
)
def test_a_withdrawal_told_by_a_bundle_is_read_strictly(path: Path, field: str, value: object, reason: str) -> None:
    bundle.strike(path, pictures(path)[FIRST.id], [WITHDRAWAL])
    plain = json.loads(members(path)[form.WITHDRAWN])
    plain["withdrawals"][0][field] = value
    repacked(path, {form.WITHDRAWN: (json.dumps(plain, sort_keys=True) + "\n").encode()})
    with pytest.raises(BundleError, match=reason):
        bundle.verify(path)


def test_a_picture_cannot_be_withdrawn_and_there(path: Path) -> None:
    before = members(path)
    gone = pictures(path)[FIRST.id]
    bundle.strike(path, gone, [WITHDRAWAL])
    name = f"media/{gone[0]}.jpg"
    repacked(path, {name: before[name]})
    with pytest.raises(BundleError, match="withdrawn and still there"):
        bundle.verify(path)


def test_a_bundle_that_lost_a_picture_without_saying_so_is_damaged(path: Path) -> None:
    gone = pictures(path)[FIRST.id]
    repacked(path, {f"media/{gone[0]}.jpg": None})
    with pytest.raises(BundleError, match="do not list the same"):
        bundle.verify(path)


def test_many_strikes_of_a_large_bundle_keep_its_other_pictures(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    source = bundles.recording()
    rows, media = bundles.pictured(bundles.violation(n, source) for n in range(40))
    bundles.make(path, recordings=[source], violations=rows, media=media)
    gone = [sha for row in rows[::2] for sha in (row.still_sha256, row.clip_sha256)]
    assert bundle.strike(path, gone, [WITHDRAWAL, _later(WITHDRAWAL)]) == 40
    bundle.verify(path)
    with bundle.read(path) as found:
        kept = {files.sha256_bytes(found.media(name)) for name in found.media_names()}
        assert len(found.withdrawn.withdrawals) == 2
    assert kept == {sha for row in rows[1::2] for sha in (row.still_sha256, row.clip_sha256)}


def _later(one: Withdrawal) -> Withdrawal:
    return Withdrawal(
        id="0" * 32,
        camera_id=one.camera_id,
        started_at=one.started_at + timedelta(seconds=30),
        ended_at=one.ended_at + timedelta(seconds=30),
        withdrawn_at=one.withdrawn_at,
    )
