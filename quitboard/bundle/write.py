"""Writing a bundle: the same content gives the same bytes, on any machine and at any time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from quitboard import files
from quitboard.bundle import form
from quitboard.bundle.layout import BUNDLE_LIMITS, PLAIN
from quitboard.bundle.pictures import check_picture
from quitboard.errors import BundleError
from quitboard.records import Exposure, Manifest, Violation

DEFLATE_LEVEL = 6


def write(
    path: Path,
    *,
    manifest: Manifest,
    violations: Iterable[Violation],
    exposures: Iterable[Exposure],
    tracks: bytes,
    media: Mapping[str, bytes | Path],
) -> Manifest:
    """Write a bundle to `path`, whole or not at all, and return its manifest with `id` and `sums` filled in.

    Args:
        manifest: `format`, `version`, `id` and `sums` are set here, whatever they are.
        tracks: a Parquet file.
        media: the pictures that the violations name, by SHA-256, as bytes or as files. Others are left out.

    Raises:
        BundleError: a picture is missing, is not what its hash says, or carries more than a picture; or too many.
        DiskFull: nothing was written.
    """
    rows = sorted(violations, key=lambda row: (row.started_at, row.id))
    watched = sorted(exposures, key=lambda row: (row.hour, row.recording_sha256, row.kind))
    texts = {form.VIOLATIONS: form.lines(rows), form.EXPOSURE: form.lines(watched), form.TRACKS: tracks}
    sums = {name: files.sha256_bytes(content) for name, content in texts.items()}
    pictures: dict[str, bytes | Path] = {}
    for sha256, picture in _pictures(rows, media):
        name = form.media_name(sha256, picture)
        check_picture(picture, where=name)
        sums[name], pictures[name] = sha256, media[sha256]
    if len(sums) >= BUNDLE_LIMITS.members:
        raise BundleError(f"{len(sums)} members are more than a bundle holds", where=path.name)
    written = replace(manifest, format=form.FORMAT, version=form.VERSION, id="", sums=dict(sorted(sums.items())))
    written = replace(written, id=form.content_id(written))
    members: dict[str, bytes | Path] = {form.MANIFEST: form.manifest_bytes(written), **texts, **pictures}
    form.manifest_from(form.manifest_bytes(written))  # what cannot be read back is never written
    with files.writing(path) as file, zipfile.ZipFile(file, "w", allowZip64=False) as archive:
        for name in sorted(members):
            member = members[name]
            content = member.read_bytes() if isinstance(member, Path) else member
            archive.writestr(entry_of(name), content, compresslevel=DEFLATE_LEVEL)
    return written


def _pictures(rows: Iterable[Violation], media: Mapping[str, bytes | Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures that the rows name, one at a time, each once, checked against its hash."""
    wanted = {sha256 for row in rows for sha256 in (row.still_sha256, row.clip_sha256) if sha256}
    for sha256 in sorted(wanted):
        source = media.get(sha256)
        if source is None:
            raise BundleError("a violation names a picture that is not there", where=sha256)
        content = source.read_bytes() if isinstance(source, Path) else source
        if files.sha256_bytes(content) != sha256:
            raise BundleError("a picture is not what its hash says", where=sha256)
        yield sha256, content


def entry_of(name: str) -> zipfile.ZipInfo:
    """Return what a member of a bundle says of itself."""
    entry = zipfile.ZipInfo(name)
    for field, value in PLAIN.items():
        setattr(entry, field, value)
    entry.compress_type = zipfile.ZIP_DEFLATED if name in form.TEXTS else zipfile.ZIP_STORED
    return entry
