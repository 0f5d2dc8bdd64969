"""Pages to files, here or in several processes: the bytes are the same whatever the number of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from quitboard.files import resource
from quitboard.settings import Settings
from quitboard.site.addresses import file_of
from quitboard.site.data import Facts, SiteData
from quitboard.site.i18n import LANGUAGES, load_words
from quitboard.site.media import Media
from quitboard.site.output import Staging
from quitboard.site.pages import Page, pages
from quitboard.site.view import View

if TYPE_CHECKING:
    from quitboard.site.render import Renderer

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a phase ("media", "pages"), how many are done, and how many there are."""

_CHUNK = 400
_ALONE_BELOW = 2000
"""So few pages are rendered faster here than by processes that have to be started first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All that pages are made of; sent once to each process."""

    data: SiteData
    settings: Settings
    media: Media

    def views(self) -> dict[str, View]:
        """Return the same data in every language."""
        facts = Facts(self.data)
        folder = resource("templates") / "translations"
        return {name: View(facts, self.settings, self.media, load_words(folder, name)) for name in LANGUAGES}


@contextlib.contextmanager
def rendering(
    out: Path,
    old: Mapping[str, str],
    source: Source,
    views: Mapping[str, View],
    *,
    workers: int | None,
    progress: Progress | None,
) -> Iterator[Iterator[Staging]]:
    """Render every page into the staging folder of `out`; yields what iterates over the parts as they are finished.

    Other processes, where they are worth it, are at work from the beginning of the block: do something else in it
    before you iterate.
    """
    workers = workers or len(os.sched_getaffinity(0))
    listed = list(pages(views[LANGUAGES[0]]))
    total = len(listed) * len(LANGUAGES)
    jobs = [
        _Job(language=language, first=first, last=min(first + _CHUNK, len(listed)))
        for language in LANGUAGES  # one after the other: cards are kept for the language in work alone
        for first in range(0, len(listed), _CHUNK)
    ]
    if workers == 1 or total < _ALONE_BELOW:
        worker = _Worker(out, old, views, listed)
        yield _counted(map(worker.run, jobs), total, progress)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin_process, initargs=(out, old, source)
    ) as pool:
        futures = [pool.submit(_run, job) for job in jobs]
        yield _counted((future.result() for future in as_completed(futures)), total, progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A stretch of the list of pages, in one language."""

    language: str
    first: int
    last: int


@dataclass(slots=True)
class _Worker:
    """Renders jobs, with one renderer at a time."""

    out: Path
    old: Mapping[str, str]
    views: Mapping[str, View]
    listed: list[Page]
    _language: str = ""
    _renderer: Renderer | None = field(default=None)

    def run(self, job: _Job) -> Staging:
        from quitboard.site.render import Renderer

        if self._renderer is None or self._language != job.language:
            self._language, self._renderer = job.language, Renderer(self.views[job.language])
        staging = Staging(self.out, self.old)
        for page in self.listed[job.first : job.last]:
            staging.put(file_of(job.language, page.path), self._renderer.page(page))
        return staging


def _counted(parts: Iterator[Staging], total: int, progress: Progress | None) -> Iterator[Staging]:
    done = 0
    for part in parts:
        done += len(part.sums)
        if progress:
            progress("pages", done, total)
        yield part


_worker: _Worker | None = None


def _begin_process(out: Path, old: Mapping[str, str], source: Source) -> None:
    global _worker
    views = source.views()
    _worker = _Worker(out, old, views, list(pages(views[LANGUAGES[0]])))


def _run(job: _Job) -> Staging:
    assert _worker is not None
    staging = _worker.run(job)
    staging.old = {}  # not sent back
    return staging
