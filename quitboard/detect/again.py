"""`detect --rules-only`: today's rules over the tracks that bundles keep, when the recordings are long deleted.

Nothing is looked at again: a violation that was there before keeps its pictures, a new one is counted without any.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from quitboard import __version__, bundle, catalogue, files
from quitboard.detect.day import Seen, decide_again, recording_at, violation_of
from quitboard.detect.gate import Span
from quitboard.detect.heads import Heads
from quitboard.detect.journal import FOLDER_NAME
from quitboard.detect.look import Look
from quitboard.detect.report import DayDone, DetectReport, bundle_name, summary
from quitboard.detect.tracks_table import tracks_from_table, tracks_to_table
from quitboard.errors import BundleError, NothingUsable
from quitboard.records import Camera, Manifest, Rule, SetAside, Track, Violation
from quitboard.settings import Settings

_LOOKED = b"quitboard.looked_us"
NO_PICTURE = "no picture: found by rules applied later, without the recording"


def pack_tracks(tracks: Sequence[Track], heads: Heads, seen: Sequence[Seen]) -> bytes:
    """Return `tracks.parquet`: all that the rules need, and which spans of each recording were looked at."""
    looked = {one.recording.sha256: [[span.from_us, span.to_us] for span in one.look.spans] for one in seen}
    table = tracks_to_table(tracks, heads).replace_schema_metadata({_LOOKED: json.dumps(looked, sort_keys=True)})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def unpack_tracks(content: bytes, manifest: Manifest) -> tuple[list[Track], Heads, list[Seen]]:
    """Return what `pack_tracks` was given, without the boxes of single frames.

    Raises:
        BundleError: the content is of another shape.
    """
    try:
        table = parquet.read_table(io.BytesIO(content))
        looked = json.loads(table.schema.metadata[_LOOKED])
        spans = {
            sha256: tuple(Span(from_us=int(low), to_us=int(high)) for low, high in pairs)
            for sha256, pairs in looked.items()
        }
    except (pa.ArrowException, KeyError, TypeError, ValueError, AttributeError):
        raise BundleError("tracks.parquet is not what this version writes", todo="Run detect again") from None
    tracks, heads = tracks_from_table(table.replace_schema_metadata())
    seen = [
        Seen(
            recording=one,
            look=Look(key="", spans=spans.get(one.sha256, ()), frames=(), read_s=one.read_s, faults=one.faults),
        )
        for one in manifest.recordings
    ]
    return tracks, heads, seen


def rules_only(
    paths: Sequence[Path], out: Path, *, cameras: Sequence[Camera], rules: Sequence[Rule], settings: Settings
) -> DetectReport:
    """Apply rules to the bundles in `paths` (zips, or folders of them) and write those that change into `out`.

    Raises:
        Locked: another detect writes to `out`.
        NothingUsable: there is no bundle that can be used.
        DiskFull: what was finished is kept.
    """
    days: list[DayDone] = []
    violations: list[Violation] = []
    set_aside: list[SetAside] = []
    recordings = 0
    watched_s = looked_s = 0.0
    with files.locked(out / FOLDER_NAME / "lock", what="output folder"):
        for path in _bundles(paths):
            try:
                manifest, found, is_new = _apply(path, out, cameras, rules, settings)
            except BundleError as error:
                set_aside.append(SetAside(name=path.name, reason=error.what, todo=error.todo))
                continue
            days.append(
                DayDone(
                    bundle=bundle_name(manifest.camera.id, manifest.day),
                    camera_id=manifest.camera.id,
                    day=manifest.day,
                    violations=len(found),
                    is_new=is_new,
                )
            )
            violations += found
            recordings += len(manifest.recordings)
            watched_s += sum(one.read_s for one in manifest.recordings)
    if not days:
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in set_aside[:3])
        raise NothingUsable("no usable bundle", todo=reasons or "Give bundles: --rules-only needs no recordings")
    return DetectReport(
        days=tuple(days),
        violations=tuple(summary(one) for one in violations),
        set_aside=tuple(set_aside),
        warnings=(),
        watched_s=watched_s,
        looked_s=looked_s,
        recordings=recordings,
    )


def _bundles(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from (sorted(path.glob("*.zip")) if path.is_dir() else [path])


def _apply(
    path: Path, out: Path, cameras: Sequence[Camera], rules: Sequence[Rule], settings: Settings
) -> tuple[Manifest, list[Violation], bool]:
    with bundle.read(path) as old:
        manifest = old.manifest
        tracks, heads, seen = unpack_tracks(old.tracks(), manifest)
        before = {one.id: one for one in old.violations()}
        media = {Path(name).stem: old.media(name) for name in old.media_names()}
    camera = next((one for one in cameras if one.id == manifest.camera.id), manifest.camera)
    decision = decide_again(tracks, heads, seen, camera, rules, manifest.day, settings.rules)
    found = []
    for finding in decision.breaches:
        plain = violation_of(finding, recording_at(seen, finding.from_us).recording, camera)
        known = before.get(plain.id)
        found.append(
            dataclasses.replace(
                plain,
                still_sha256=known.still_sha256 if known else "",
                clip_sha256=known.clip_sha256 if known else "",
                evidence_note=known.evidence_note if known else NO_PICTURE,
            )
        )
    written = bundle.write(
        out / bundle_name(camera.id, manifest.day),
        manifest=dataclasses.replace(
            manifest,
            tool_version=__version__,
            camera=camera,
            catalogue_sha256=catalogue.catalogue_sha256(rules),
            settings_sha256=settings.sha256_of("detect", "rules", "evidence"),
        ),
        violations=found,
        exposures=decision.exposures,
        tracks=pack_tracks(tracks, heads, seen),
        media=media,
    )
    return written, found, written.id != manifest.id
