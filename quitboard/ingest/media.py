"""The media folder: pictures under their hash, `ab/abcdef….jpg`. What is there is whole; what no row names is swept."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quitboard.files import TEMPORARY_PREFIX, disk_full_named, sync_folder

_TOGETHER = 64
"""Files that are flushed to the disk at a time: a disk orders many flushes into few."""


def path_of(folder: Path, name: str) -> Path:
    """Return where the picture `<sha256>.<extension>` lies."""
    return folder / name[:2] / name


def put(folder: Path, pictures: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, int]]:
    """Write pictures, given as `<sha256>.<extension>` and content; yield name and size of each once it is on the disk.

    A picture that is there in its full size is left alone. Memory holds a few pictures at a time.

    Raises:
        DiskFull: some may have been written; the next ingest sweeps what no row names.
    """
    with ThreadPoolExecutor(8) as pool, disk_full_named("media"):
        waiting: list[tuple[Path, Path]] = []
        touched: set[Path] = set()
        for name, content in pictures:
            target = path_of(folder, name)
            if not (target.is_file() and target.stat().st_size == len(content)):
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f"{TEMPORARY_PREFIX}{name}")
                temporary.write_bytes(content)
                waiting.append((temporary, target))
                touched.add(target.parent)
            if len(waiting) >= _TOGETHER:
                list(pool.map(_settle, waiting))
                waiting.clear()
            yield name, len(content)
        list(pool.map(_settle, waiting))
        list(pool.map(sync_folder, sorted(touched)))
        if touched:
            sync_folder(folder)


def _settle(move: tuple[Path, Path]) -> None:
    temporary, target = move
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(target)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Delete pictures, `<sha256>.<extension>`, half-written ones too; those that are gone already are no matter."""
    for name in names:
        path = path_of(folder, name)
        path.unlink(missing_ok=True)
        path.with_name(f"{TEMPORARY_PREFIX}{name}").unlink(missing_ok=True)


def sweep(folder: Path, known: Collection[str]) -> int:
    """Delete what a killed ingest left: unfinished files and pictures that no row names. Returns how many."""
    swept = 0
    for shelf in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        for path in sorted(shelf.iterdir()):
            if path.name not in known:
                path.unlink()
                swept += 1
    return swept
