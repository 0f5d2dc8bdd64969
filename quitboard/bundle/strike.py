"""Taking pictures out of a bundle that stays the same bundle: its id, its rows and its other pictures as they were."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

from quitboard import files
from quitboard.bundle import form
from quitboard.bundle.layout import BUNDLE_LIMITS, opened_zip, torn_zip_named
from quitboard.bundle.read import read
from quitboard.bundle.withdrawn import Withdrawn, to_bytes
from quitboard.bundle.write import DEFLATE_LEVEL, entry_of
from quitboard.records import Withdrawal


def strike(path: Path, pictures: Collection[str], withdrawals: Sequence[Withdrawal]) -> int:
    """Take pictures, given by their SHA-256, out of the bundle at `path`; return how many were in it.

    The bundle is written anew beside itself and renamed over: whole with the pictures or whole without. The time of the
    file stays, for an inbox is read by age. The same strikes give the same bytes, in any order.

    Raises:
        BundleError: it is not a bundle that could be read.
        DiskFull: it is as it was.
    """
    with read(path) as bundle:
        sums = bundle.manifest.sums
        chosen = {name: sums[name] for name in bundle.media_names() if sums[name] in pictures}
        if not chosen:
            return 0
        told = bundle.withdrawn.with_more(chosen, withdrawals)
    with opened_zip(path, BUNDLE_LIMITS) as archive:
        rewrite(path, archive, told)
    return len(chosen)


def rewrite(path: Path, archive: zipfile.ZipFile, told: Withdrawn) -> None:
    """Write the zip at `path`, open as `archive`, anew without what `told` says was taken out. See `strike`."""
    status = path.stat()
    with files.writing(path) as file, zipfile.ZipFile(file, "w", allowZip64=False) as struck:
        kept = {entry.filename for entry in archive.infolist() if not entry.is_dir()} - told.members.keys()
        for name in sorted(kept | {form.WITHDRAWN}):
            if name == form.WITHDRAWN:
                struck.writestr(entry_of(name), to_bytes(told), compresslevel=DEFLATE_LEVEL)
                continue
            entry = entry_of(name)
            entry.file_size = archive.getinfo(name).file_size
            with torn_zip_named(path.name, name), archive.open(name) as source, struck.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
