"""Taking what was withdrawn out of zips: bundles by span and by hash, the first QuitBoard's zips by their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from quitboard import bundle
from quitboard.database.withdrawals import Guard
from quitboard.ingest import legacy
from quitboard.records import Withdrawal, WithdrawnSpan

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class Found:
    """What of a zip was withdrawn."""

    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)  # sha256 -> (extension, id of the withdrawal)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    originals: int = 0  # pictures of the first QuitBoard's zip, which show faces

    def __bool__(self) -> bool:
        return bool(self.pictures or self.originals)


def find(path: Path, guard: Guard) -> Found:
    """Return what of a zip of either kind was withdrawn and is still in it.

    Raises:
        BundleError: it is torn, hostile, or of neither kind.
    """
    found = Found()
    if not guard:
        return found
    if legacy.looks_like_one(path):
        found.originals = len(legacy.withdrawn_members(path, guard.legacy)) if guard.legacy else 0
        return found
    with bundle.read(path) as opened:
        camera_id = opened.manifest.camera.id
        extensions = {Path(name).stem: Path(name).suffix[1:] for name in opened.media_names()}
        for sha256 in extensions.keys() & guard.media.keys():
            found.pictures[sha256] = (extensions[sha256], "")
        if held := guard.of_camera(camera_id):
            for batch in opened.violation_batches():
                for withdrawal, span in held:
                    named = _named_within(batch, span) & extensions.keys()
                    if named:
                        found.withdrawals.append(withdrawal)
                        found.pictures |= {sha256: (extensions[sha256], withdrawal.id) for sha256 in named}
    return found


def _named_within(batch: pa.RecordBatch, span: WithdrawnSpan) -> set[str]:
    """Return the pictures that rows within a span name."""
    import pyarrow.compute as pc

    within = pc.and_(pc.less_equal(batch["started_at"], span.to_at), pc.greater_equal(batch["ended_at"], span.from_at))
    rows = batch.filter(within)
    return {sha256 for column in ("still_sha256", "clip_sha256") for sha256 in rows[column].to_pylist()}


def strike(path: Path, guard: Guard) -> Found:
    """Take what was withdrawn out of a zip of either kind; return what was in it.

    Raises:
        BundleError: it is torn, hostile, or of neither kind.
        DiskFull: it is as it was.
    """
    found = find(path, guard)
    if found.originals:
        legacy.strike(path, guard.legacy, guard.withdrawals)
    elif found:
        bundle.strike(path, found.pictures, found.withdrawals)
    return found


def zips_of(folder: Path) -> Iterator[Path]:
    """Yield every zip that lies in a folder itself."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix.lower() == ".zip" and path.is_file())
