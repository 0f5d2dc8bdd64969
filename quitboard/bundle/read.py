"""Reading a bundle: lazily, each member's bytes held against its sum while they pass."""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from quitboard.bundle import form
from quitboard.bundle.layout import BUNDLE_LIMITS, opened_zip, torn_zip_named
from quitboard.bundle.pictures import check_picture
from quitboard.bundle.withdrawn import NOTE, Withdrawn, from_bytes
from quitboard.errors import BundleError
from quitboard.records import Exposure, Manifest, Role, Violation

if TYPE_CHECKING:
    import pyarrow as pa


class Bundle:
    """An open bundle. Rows come as Arrow batches or records, pictures as bytes, each read once from the file."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, name: str, withdrawn: Withdrawn) -> None:
        self._archive = archive
        self.manifest = manifest
        self.name = name
        self.withdrawn = withdrawn  # what was taken out of it; rows come without those pictures

    def violation_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the violations, checked: ids unique, pictures there. Columns as `Violation`, and `local_started_at`.

        Raises:
            BundleError: with the reason. What was yielded before may be wrong too, until the end is reached.
        """
        from quitboard.bundle import columns

        seen: set[str] = set()
        shown: set[str] = set()
        pictures = {found[1]: found[2] for name in self.manifest.sums if (found := form.MEDIA_NAME.fullmatch(name))}
        with self._member(form.VIOLATIONS) as file:
            for batch in columns.violations(file, self._context()):
                ids = batch["id"].to_pylist()
                before = len(seen)
                seen.update(ids)
                if len(seen) - before != len(ids):
                    raise BundleError("two violations have one id", where=self.name)
                for column, extension in (("still_sha256", "jpg"), ("clip_sha256", "gif")):
                    for sha256 in filter(None, batch[column].to_pylist()):
                        shown.add(sha256)
                        if pictures.get(sha256) != extension:
                            raise BundleError(f"a violation's .{extension} is not in the bundle", where=self.name)
                yield self._without_struck(batch)
        if len(shown) != len(pictures):
            raise BundleError("a picture that no violation names", where=self.name)

    def exposure_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what was watched, checked: one row per recording, hour and kind. Columns as `Exposure`, `local_hour`.

        Raises:
            BundleError: with the reason.
        """
        from quitboard.bundle import columns

        seen: set[tuple[str, ...]] = set()
        with self._member(form.EXPOSURE) as file:
            for batch in columns.exposures(file, self._context()):
                keys = list(
                    zip(*(batch[name].to_pylist() for name in ("recording_sha256", "hour", "kind")), strict=True)
                )
                before = len(seen)
                seen.update(keys)
                if len(seen) - before != len(keys):
                    raise BundleError("an hour is told twice", where=self.name)
                yield batch

    def violations(self) -> Iterator[Violation]:
        """Yield the violations as records, their instants in the camera's time zone. Raises `BundleError`."""
        zone = form.zone_of(self.manifest.camera.timezone)
        for batch in self.violation_batches():
            for row in batch.drop_columns(["local_started_at"]).to_pylist():
                instants = {name: row[name].astimezone(zone) for name in ("started_at", "ended_at")}
                yield Violation(**{**row, **instants, "vehicle": Role(row["vehicle"])})

    def exposures(self) -> Iterator[Exposure]:
        """Yield what was watched as records, hours in the camera's time zone. Raises `BundleError`."""
        zone = form.zone_of(self.manifest.camera.timezone)
        for batch in self.exposure_batches():
            for row in batch.drop_columns(["local_hour"]).to_pylist():
                yield Exposure(**{**row, "hour": row["hour"].astimezone(zone)})

    def tracks(self) -> bytes:
        """Return the Parquet file of tracks. Raises `BundleError` when it does not match its sum."""
        return self._whole(form.TRACKS)

    def media_names(self) -> list[str]:
        """Return the pictures' member names, `media/<sha256>.jpg|gif`, sorted; those that are in it."""
        struck = self.withdrawn.members
        return sorted(name for name in self.manifest.sums if form.MEDIA_NAME.fullmatch(name) and name not in struck)

    def media(self, name: str) -> bytes:
        """Return one picture, checked against its name and to be nothing but a picture. Raises `BundleError`."""
        content = self._whole(name)
        check_picture(content, where=name)
        return content

    def _without_struck(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take the hashes of struck pictures off the rows that name them, with a note in their place."""
        if not self.withdrawn.members:
            return batch
        from quitboard.bundle import columns

        return columns.without_pictures(batch, set(self.withdrawn.members.values()), NOTE)

    def _whole(self, name: str) -> bytes:
        with self._member(name) as file:
            return file.read()

    @contextlib.contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        with torn_zip_named(self.name, name), self._archive.open(name) as raw:
            summed = _Summed(raw)
            yield io.BufferedReader(summed, 1 << 20)
            if summed.hexdigest() != self.manifest.sums[name]:
                raise BundleError(f"{name} does not match its sum", where=self.name, todo="Copy or make it again")

    def _context(self) -> Any:
        from quitboard.bundle import columns

        return columns.Context(
            camera_id=self.manifest.camera.id,
            zone=ZoneInfo(self.manifest.camera.timezone),
            day=self.manifest.day,
            recordings=frozenset(recording.sha256 for recording in self.manifest.recordings),
        )


@contextlib.contextmanager
def read(path: Path) -> Iterator[Bundle]:
    """Open a bundle whose layout and manifest are checked; its rows and pictures are checked as they are read.

    Raises:
        BundleError: torn, hostile, of another version, or not a bundle.
    """
    with opened_zip(path, BUNDLE_LIMITS) as archive:
        members = {entry.filename for entry in archive.infolist()}
        if form.MANIFEST not in members:
            raise BundleError("a zip, but not a bundle: it has no manifest", where=path.name)
        with torn_zip_named(path.name, form.MANIFEST):
            content = archive.read(form.MANIFEST)
        manifest = form.manifest_from(content)
        withdrawn = Withdrawn()
        if form.WITHDRAWN in members:
            with torn_zip_named(path.name, form.WITHDRAWN):
                content = archive.read(form.WITHDRAWN)
            withdrawn = from_bytes(content)
            pictures = {item for item in manifest.sums.items() if form.MEDIA_NAME.fullmatch(item[0])}
            if not pictures.issuperset(withdrawn.members.items()):
                raise BundleError("what is withdrawn is no picture of this bundle", where=path.name)
            if any(one.camera_id != manifest.camera.id for one in withdrawn.withdrawals):
                raise BundleError("it withdraws what another camera shows", where=path.name)
            if not members.isdisjoint(withdrawn.members):
                raise BundleError("a picture is withdrawn and still there", where=path.name)
            members = (members - {form.WITHDRAWN}) | withdrawn.members.keys()
        if members != {form.MANIFEST, *manifest.sums}:
            raise BundleError("members and manifest do not list the same", where=path.name)
        if not {form.VIOLATIONS, form.EXPOSURE, form.TRACKS} <= members:
            raise BundleError("a part of the bundle is missing", where=path.name)
        for name, sha256 in manifest.sums.items():
            found = form.MEDIA_NAME.fullmatch(name)
            if found and found[1] != sha256:
                raise BundleError("a picture's name is not its sum", where=path.name)
        if form.content_id(manifest) != manifest.id:
            raise BundleError("the bundle's id does not match its content", where=path.name)
        yield Bundle(archive, manifest, path.name, withdrawn)


def verify(path: Path) -> Manifest:
    """Read every byte of a bundle against its sum and every row against its bounds.

    Raises:
        BundleError: the first thing that is wrong.
    """
    with read(path) as bundle:
        for _ in bundle.violation_batches():
            pass
        for _ in bundle.exposure_batches():
            pass
        bundle.tracks()
        for name in bundle.media_names():
            bundle.media(name)
        return bundle.manifest


class _Summed(io.RawIOBase):
    """Passes bytes on and sums them."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._sum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        self._sum.update(content)
        buffer[: len(content)] = content
        return len(content)

    def hexdigest(self) -> str:
        """Return the sum of the whole, reading what nobody asked for yet."""
        while content := self._file.read(1 << 20):
            self._sum.update(content)
        return self._sum.hexdigest()
