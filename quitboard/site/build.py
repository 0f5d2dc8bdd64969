"""`build-site`: query → media → pages, search index and tables → in the place of the old site, at once."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from quitboard.database.board import Board
from quitboard.errors import SettingsError
from quitboard.files import locked, resource
from quitboard.records import SetAside
from quitboard.settings import Settings
from quitboard.site import og, popular, search
from quitboard.site.assets import assets
from quitboard.site.data import SiteData, publishing, read
from quitboard.site.downloads import downloads
from quitboard.site.extras import extras
from quitboard.site.generations import drop, locked_target, prune, put_in_place
from quitboard.site.i18n import LANGUAGES
from quitboard.site.media import prepare
from quitboard.site.output import Old, Staging, begin, finish, mark, read_old, staging_of, standing
from quitboard.site.rendering import Progress, Source, rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build did. `written` counts files whose content is new; nothing at all is written when it is 0."""

    out: Path
    files: int
    written: int
    unchanged: int
    removed: int
    seconds: float
    set_aside: tuple[SetAside, ...] = ()


def build(
    database: Path,
    media_dir: Path,
    out: Path,
    *,
    settings: Settings,
    as_of: datetime | None = None,
    cache_dir: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Built:
    """Build the public page of a board into `out`.

    Args:
        database, media_dir: the board's; read only.
        out: the site's folder: new, empty, or made by an earlier build.
        as_of: the instant that embargo and expiry are held against; by default `SOURCE_DATE_EPOCH`, else now.
            Pages show the newest day of the data, so that time alone changes no byte.
        cache_dir: where encoded pictures are kept; by default `cache/site` beside `media_dir`.
        workers: processes that encode and then render; by default one a core.

    Raises:
        DatabaseError, Locked: the database is missing, damaged or in use; another build is at work.
        UsageError: `out` is not ours to replace.
        DiskFull: the new site did not fit; the old one stands.
        SettingsError: `SOURCE_DATE_EPOCH` is not a number, or the counts of views are not readable.
    """
    start = time.monotonic()
    cache_dir = cache_dir or media_dir.parent / "cache" / "site"
    with locked_target(out) as target, locked(cache_dir / ".lock", what="cache of pictures"):
        data = query(database, settings, as_of or _source_date() or datetime.now(UTC))
        data = dataclasses.replace(data, views=popular.read_views(media_dir / popular.VIEWS_NAME))
        media = prepare(
            (row.still_sha256 for row in data.violations),
            (row.clip_sha256 for row in data.violations),
            media_dir=media_dir,
            cache_dir=cache_dir,
            workers=workers,
            progress=progress,
        )
        source = Source(data=data, settings=settings, media=media)
        old = read_old(target)
        fingerprint = fingerprint_of(source)
        if old.whole and old.fingerprint == fingerprint:
            files, written, removed = len(old.sums), 0, 0
        else:
            files, written, removed = _write(target, old, source, fingerprint, cache_dir, workers, progress)
        prune(target, most=settings.site.keep_generations, withdrawn=[stone.id for stone in data.tombstones])
    return Built(
        out=target,
        files=files,
        written=written,
        unchanged=files - written,
        removed=removed,
        seconds=time.monotonic() - start,
        set_aside=media.set_aside,
    )


def query(database: Path, settings: Settings, as_of: datetime) -> SiteData:
    """Read what the page may show at an instant."""
    with Board.open(database, publishing(settings.site, as_of)) as board:
        return read(board)


def pictures_of(data: SiteData) -> frozenset[str]:
    """Return the SHA-256 of every still and clip that the page may show."""
    shown = {sha256 for row in data.violations for sha256 in (row.still_sha256, row.clip_sha256)}
    return frozenset(shown - {""})


def _source_date() -> datetime | None:
    """Return the instant of reproducible-builds.org's SOURCE_DATE_EPOCH, where it is set."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise SettingsError(f"SOURCE_DATE_EPOCH is seconds since 1970, not {text!r}") from None


def fingerprint_of(source: Source) -> str:
    """Return a hash over all that the site is a function of: data, settings, pictures, templates, code, Pagefind."""
    total = hashlib.sha256(source.settings.sha256_of("board", "site").encode())
    total.update(version("pagefind_bin").encode())
    for field in dataclasses.fields(source.data):
        for row in getattr(source.data, field.name):
            total.update(repr(row).encode())
        total.update(b"\x1e")
    for path, (_, digest) in source.media.files.items():
        total.update(f"{path} {digest}\n".encode())
    for folder, pattern in ((resource("templates"), "*"), (Path(__file__).parent, "*.py")):
        for file in sorted(path for path in folder.rglob(pattern) if path.is_file()):
            total.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return total.hexdigest()


def _write(
    out: Path,
    old: Old,
    source: Source,
    fingerprint: str,
    cache_dir: Path,
    workers: int | None,
    progress: Progress | None,
) -> tuple[int, int, int]:
    """Write the next generation and put it in place; returns files, files with new content, files that are gone."""
    views = source.views()
    lying_ready = [search.index(views, cache_dir), og.pictures(views, cache_dir), source.media.files]
    begin(out)
    staging = Staging(out, standing(old))
    with rendering(out, staging.standing, source, views, workers=workers, progress=progress) as rendered:
        for path, content in chain(assets(), downloads(views[LANGUAGES[1]]), extras(views)):
            staging.put(path, content)
        for path, (file, digest) in chain.from_iterable(files.items() for files in lying_ready):
            staging.put_file(path, file, digest)
        for part in rendered:
            staging.take_in(part)
    sums, size, written = staging.sums, staging.total_bytes, staging.written
    removed = len(old.sums.keys() - sums.keys())
    base_url = source.settings.site.base_url
    if old.whole and not written and not removed:
        mark(out, sums, size, fingerprint, base_url)
        drop(staging_of(out))
    else:
        put_in_place(out, finish(out, sums, size, fingerprint, base_url), is_worth_keeping=old.whole)
    return len(sums), written, removed
