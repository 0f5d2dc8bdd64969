"""`build-site`: query → pages → media → render → write what changed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from quitboard.database.board import Board
from quitboard.errors import SettingsError
from quitboard.files import resource
from quitboard.records import SetAside
from quitboard.settings import Settings
from quitboard.site.data import Facts, SiteData, publishing, read
from quitboard.site.downloads import downloads
from quitboard.site.generations import drop, locked_target, prune, put_in_place
from quitboard.site.i18n import LANGUAGES, load_words
from quitboard.site.media import Media, prepare
from quitboard.site.output import Old, Staging, begin, finish, mark, read_old, staging_of
from quitboard.site.pages import Page, pages
from quitboard.site.view import View

if TYPE_CHECKING:
    from quitboard.site.render import Renderer

Progress = Callable[[str, int, int], None]
"""Called with a phase ("media", "pages"), how many are done, and how many there are."""

_CHUNK = 400
_ALONE_BELOW = 2000
"""So few pages are rendered faster here than by processes that have to be started first."""


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
        workers: processes that render; by default one a core.

    Raises:
        DatabaseError, Locked: the database is missing, damaged or in use; another build is at work.
        UsageError: `out` is not ours to replace.
        DiskFull: the new site did not fit; the old one stands.
        SettingsError: `SOURCE_DATE_EPOCH` is not a number.
    """
    start = time.monotonic()
    cache_dir = cache_dir or media_dir.parent / "cache" / "site"
    with locked_target(out) as target:
        data = query(database, settings, as_of or _source_date() or datetime.now(UTC))
        media = prepare(
            (row.still_sha256 for row in data.violations),
            (row.clip_sha256 for row in data.violations),
            media_dir=media_dir,
            cache_dir=cache_dir,
            progress=progress,
        )
        old = read_old(target)
        fingerprint = fingerprint_of(data, settings, media)
        if old.whole and old.fingerprint == fingerprint:
            files, written, removed = len(old.sums), 0, 0
        else:
            files, written, removed = _write(target, old, fingerprint, data, settings, media, workers, progress)
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


def fingerprint_of(data: SiteData, settings: Settings, media: Media) -> str:
    """Return a hash over all that the site is a function of: data, settings, pictures, templates and this code."""
    total = hashlib.sha256(settings.sha256_of("board", "site").encode())
    for field in dataclasses.fields(data):
        for row in getattr(data, field.name):
            total.update(repr(row).encode())
        total.update(b"\x1e")
    for path, (_, digest) in media.files.items():
        total.update(f"{path} {digest}\n".encode())
    for folder in (resource("templates"), Path(__file__).parent):
        for file in sorted(path for path in folder.rglob("*") if path.suffix in _SOURCES):
            total.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return total.hexdigest()


_SOURCES = frozenset((".py", ".html", ".css", ".js", ".svg", ".toml", ".woff2"))


def _write(
    out: Path,
    old: Old,
    fingerprint: str,
    data: SiteData,
    settings: Settings,
    media: Media,
    workers: int | None,
    progress: Progress | None,
) -> tuple[int, int, int]:
    """Write the next generation and put it in place; returns files, files with new content, files that are gone."""
    views = _views(data, settings, media)
    listed = list(pages(views[LANGUAGES[0]]))
    jobs = [
        (language, first, min(first + _CHUNK, len(listed)))
        for language in LANGUAGES  # one after the other: cards are kept for the language in work alone
        for first in range(0, len(listed), _CHUNK)
    ]
    total = len(listed) * len(LANGUAGES)
    begin(out)
    staging = Staging(out, old.sums)
    parts: list[Staging] = [staging]
    workers = workers or os.cpu_count() or 1
    if workers == 1 or total < _ALONE_BELOW:
        _files(staging, views[LANGUAGES[1]], media)
        rendering = _Rendering(out, old.sums, views, listed)
        for number, job in enumerate(jobs, start=1):
            rendering.run(job, staging)
            if progress:
                progress("pages", min(number * _CHUNK, total), total)
    else:
        with ProcessPoolExecutor(
            workers, get_context("spawn"), initializer=_begin_worker, initargs=(out, old.sums, data, settings, media)
        ) as pool:
            futures = [pool.submit(_render_job, job) for job in jobs]
            _files(staging, views[LANGUAGES[1]], media)
            for number, future in enumerate(as_completed(futures), start=1):
                parts.append(future.result())
                if progress:
                    progress("pages", min(number * _CHUNK, total), total)
    sums = {path: digest for part in parts for path, digest in part.sums.items()}
    written = sum(part.written for part in parts)
    size = sum(sum(part.sizes.values()) for part in parts)
    removed = len(old.sums.keys() - sums.keys())
    if old.whole and not written and not removed:
        mark(out, sums, size, fingerprint)
        drop(staging_of(out))
    else:
        put_in_place(out, finish(out, sums, size, fingerprint), is_worth_keeping=old.whole)
    return len(sums), written, removed


def _views(data: SiteData, settings: Settings, media: Media) -> dict[str, View]:
    facts = Facts(data)
    folder = resource("templates") / "translations"
    return {language: View(facts, settings, media, load_words(folder, language)) for language in LANGUAGES}


def _files(staging: Staging, view: View, media: Media) -> None:
    """Take in what is the same in every language: style sheet, scripts, pictures, tables."""
    for path, content in _assets():
        staging.put(path, content)
    for path, content in downloads(view):
        staging.put(path, content)
    for path, (source, digest) in media.files.items():
        staging.put_file(path, source, digest)


def _assets() -> Iterator[tuple[str, bytes]]:
    folder = resource("templates") / "assets"
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield f"assets/{file.relative_to(folder).as_posix()}", file.read_bytes()
    yield ".nojekyll", b""


# --- rendering, here or in other processes ------------------------------------------------------------------------


class _Rendering:
    """Renders stretches of the list of pages, with one renderer at a time."""

    def __init__(self, out: Path, old: Mapping[str, str], views: Mapping[str, View], listed: list[Page]) -> None:
        self.out, self.old, self.views, self.listed = out, old, views, listed
        self._language = ""
        self._renderer: Renderer | None = None

    def run(self, job: tuple[str, int, int], staging: Staging) -> None:
        from quitboard.site.render import Renderer, file_of

        language, first, last = job
        if self._renderer is None or self._language != language:
            self._language, self._renderer = language, Renderer(self.views[language])
        for page in self.listed[first:last]:
            staging.put(file_of(language, page.path), self._renderer.page(page))


_worker: _Rendering | None = None


def _begin_worker(out: Path, old: Mapping[str, str], data: SiteData, settings: Settings, media: Media) -> None:
    global _worker
    views = _views(data, settings, media)
    _worker = _Rendering(out, old, views, list(pages(views[LANGUAGES[0]])))


def _render_job(job: tuple[str, int, int]) -> Staging:
    assert _worker is not None
    staging = Staging(_worker.out, _worker.old)
    _worker.run(job, staging)
    staging.old = {}  # not sent back
    return staging
