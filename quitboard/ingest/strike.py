"""Taking what was withdrawn out of zips: bundles by span and by hash, the first QuitBoard's zips by their rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quitboard import bundle
from quitboard.database.withdrawals import Guard
from quitboard.ingest import inbox, legacy
from quitboard.records import Withdrawal


def strike(path: Path, guard: Guard) -> int:
    """Take what was withdrawn out of a zip of either kind; return how many pictures were in it.

    Raises:
        BundleError: it is torn, hostile, or of neither kind.
        DiskFull: it is as it was.
    """
    if not guard:
        return 0
    if legacy.looks_like_one(path):
        return legacy.strike(path, guard.legacy, guard.withdrawals) if guard.legacy else 0
    with bundle.read(path) as found:
        camera_id = found.manifest.camera.id
        named = {Path(name).stem for name in found.media_names()}
        gone = named & guard.media.keys()
        told: list[Withdrawal] = []
        if any(span.camera_id == camera_id for span in guard.spans):
            for row in found.violations():
                if touching := guard.touching(camera_id, row.started_at, row.ended_at):
                    gone |= named & {row.still_sha256, row.clip_sha256}
                    told += touching
    return bundle.strike(path, gone, told) if gone else 0


def zips_of(folder: Path) -> Iterator[Path]:
    """Yield every zip that an inbox holds: waiting, done and rejected."""
    for part in (folder, folder / inbox.DONE, folder / inbox.REJECTED):
        yield from sorted(path for path in part.glob("*") if path.suffix.lower() == ".zip" and path.is_file())
