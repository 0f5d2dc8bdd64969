"""`quitboard ingest`: bundles, ours and the first QuitBoard's, into database and media. One transaction a bundle.

Killed at any instant and started again, it ends in the same state: pictures are on the disk before the rows that name
them are committed, rows are committed before the inbox's file is moved, and a bundle whose rows are there is only
moved. What was withdrawn neither comes in nor stays in the inbox's file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quitboard import bundle, files
from quitboard.bundle.form import manifest_bytes
from quitboard.database import load as rows
from quitboard.database.connection import opened
from quitboard.database.withdrawals import guard
from quitboard.errors import BundleError, UsageError
from quitboard.ingest import inbox, legacy, media
from quitboard.ingest.strike import strike
from quitboard.records import Report, Rule, SetAside

Progress = Callable[[str, int, int], None]
"""Called with a zip's name, how many zips are done and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a board keeps what was ingested."""

    database: Path
    media: Path

    @property
    def lock(self) -> Path:
        return self.database.with_name(f".{self.database.name}.lock")

    @property
    def unfinished(self) -> Path:
        """Lies there while pictures are written or removed; found at the start, it tells of a killed ingest."""
        return self.database.with_name(f".{self.database.name}.unfinished")


def ingest(
    paths: Sequence[Path],
    target: Target,
    *,
    now: datetime,
    rules: Sequence[Rule] = (),
    old: legacy.Reading | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ingest zips, or folders of them as inboxes.

    Args:
        now: the instant of ingesting, aware; evidence is kept from the first one on.
        rules: the catalogue, written into the database where it changed.
        old: how the first QuitBoard's zips are read; without it they are set aside.

    Returns:
        Names of zips done and unchanged, and those set aside with the reason.

    Raises:
        Locked: another ingest is at work on this board.
        DatabaseError, DiskFull: what was finished is kept; the same command continues.
        UsageError: a path does not exist.
    """
    items = inbox.find(paths)
    done: list[str] = []
    unchanged: list[str] = []
    set_aside: list[SetAside] = []
    with (
        file_errors_named(),
        files.locked(target.lock, what="board"),
        opened(target.database) as connection,
    ):
        if target.unfinished.exists():
            media.sweep(target.media, rows.all_pictures(connection))
            inbox.sweep(items)
        if rules:
            rows.store_catalogue(connection, rules)
        loader = rows.Loader(connection)
        target.unfinished.touch()
        files.sync_folder(target.unfinished.parent)
        for number, item in enumerate(items):
            if progress:
                progress(item.name, number, len(items))
            try:
                new = _ingest_one(loader, item.path, target.media, now, old)
                if item.inbox:
                    strike(item.path, guard(connection))
            except BundleError as error:
                set_aside.append(SetAside(name=item.name, reason=_reason(error, item.name), todo=error.todo))
                inbox.move_to_rejected(item, str(error))
                continue
            inbox.move_to_done(item)
            (done if new else unchanged).append(item.name)
        if set_aside:
            media.sweep(target.media, rows.all_pictures(connection))
        target.unfinished.unlink()
    if progress:
        progress("", len(items), len(items))
    return Report(done=done, unchanged=unchanged, set_aside=set_aside)


@contextlib.contextmanager
def file_errors_named() -> Iterator[None]:
    """Turn what the system says of a folder that is full or locked into words. Raises `DiskFull`, `UsageError`."""
    try:
        with files.disk_full_named("media"):
            yield
    except PermissionError as error:
        name = Path(error.filename or "").name
        raise UsageError(
            "may not be written: permission denied",
            where=name,
            todo="Check whose the board's folder is, and whether it may be written",
        ) from None


def _reason(error: BundleError, name: str) -> str:
    where = error.where.removeprefix(name).removeprefix(", ")
    return f"{where}: {error.what}" if where else error.what


def _ingest_one(loader: rows.Loader, path: Path, folder: Path, now: datetime, old: legacy.Reading | None) -> bool:
    """Ingest one zip of either kind. Returns False when all of it was there already."""
    with contextlib.ExitStack() as stack:
        source, violations, exposures, pictures, told = stack.enter_context(_readable(path, old))
        store = _storing(folder, pictures)
        if loader.has(source.id):
            if missing := [one.sha256 for one in loader.pictures_of(source.id) if _missing(folder, one)]:
                list(store(missing))
            media.remove(folder, loader.learn(told, now=now))
            return False
        loaded = loader.load(source, violations, exposures, now=now, store=store)
        media.remove(folder, (*loaded.orphans, *loader.learn(told, now=now)))
        return True


@contextlib.contextmanager
def _readable(path: Path, old: legacy.Reading | None) -> Iterator[tuple[rows.Source, Any, Any, Any, Any]]:
    """Open a zip of either kind: its source, its rows, a function from hashes to named pictures, its withdrawals."""
    if legacy.looks_like_one(path):
        with legacy.read(path, old) as older:
            yield older.source, older.violation_batches(), (), older.pictures, older.withdrawals
        return
    with bundle.read(path) as found:
        manifest = found.manifest
        source = rows.Source(
            id=manifest.id,
            format=rows.BUNDLE,
            file_name=path.name,
            camera=manifest.camera,
            day=manifest.day,
            model=manifest.model,
            tool_version=manifest.tool_version,
            manifest=manifest_bytes(manifest).decode(),
            recordings=manifest.recordings,
        )

        def pictures(wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
            found.tracks()
            chosen = set(wanted)
            for name in found.media_names():
                content = found.media(name)
                plain = name.removeprefix("media/")
                if plain[:64] in chosen:
                    yield plain, content

        yield source, found.violation_batches(), found.exposure_batches(), pictures, found.withdrawn.withdrawals


def _storing(
    folder: Path, pictures: Callable[[Sequence[str]], Iterator[tuple[str, bytes]]]
) -> Callable[[Sequence[str]], Iterator[rows.Stored]]:
    def store(wanted: Sequence[str]) -> Iterator[rows.Stored]:
        for name, size in media.put(folder, pictures(wanted)):
            sha256, _, extension = name.partition(".")
            yield rows.Stored(sha256, extension, size)

    return store


def _missing(folder: Path, stored: rows.Stored) -> bool:
    path = media.path_of(folder, f"{stored.sha256}.{stored.extension}")
    return not path.is_file() or path.stat().st_size != stored.bytes
