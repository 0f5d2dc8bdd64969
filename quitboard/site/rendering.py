"""Pages to files, here or in several processes: the bytes are the same whatever the number of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from quitboard.files import resource
from quitboard.settings import Settings
from quitboard.site.addresses import file_of
from quitboard.site.data import Facts, SiteData
from quitboard.site.i18n import LANGUAGES, load_words
from quitboard.site.media import Media
from quitboard.site.output import Staging
from quitboard.site.pages import Page, pages
from quitboard.site.view import View

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
    standing: Collection[bytes],
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
    stretches = [slice(first, first + _CHUNK) for first in range(0, len(listed), _CHUNK)]
    if workers == 1 or total < _ALONE_BELOW:
        begun = (_Worker(out, standing, view, listed) for view in views.values())  # one at a time: each keeps its cards
        yield _counted((worker.run(stretch) for worker in begun for stretch in stretches), total, progress)
        return
    with contextlib.ExitStack() as stack:
        # A process renders one language alone, so that templates are compiled and cards rendered once for it.
        pools = [
            ProcessPoolExecutor(
                -(-workers // len(LANGUAGES)), get_context("spawn"),
                initializer=_begin_process, initargs=(out, standing, source, language),
            )
            for language in LANGUAGES
        ]  # fmt: skip
        for pool in pools:
            stack.callback(pool.shutdown, cancel_futures=True)
        futures = [pool.submit(_run, stretch) for stretch in stretches for pool in pools]
        yield _counted((future.result() for future in as_completed(futures)), total, progress)


class _Worker:
    """Renders stretches of the list of pages in one language."""

    def __init__(self, out: Path, standing: Collection[bytes], view: View, listed: list[Page]) -> None:
        from quitboard.site.render import Renderer

        self._out, self._standing, self._listed = out, standing, listed
        self._language, self._renderer = view.words.language, Renderer(view)

    def run(self, stretch: slice) -> Staging:
        staging = Staging(self._out, self._standing)
        for page in self._listed[stretch]:
            staging.put(file_of(self._language, page.path), self._renderer.page(page))
        return staging


def _counted(parts: Iterator[Staging], total: int, progress: Progress | None) -> Iterator[Staging]:
    done = 0
    for part in parts:
        done += len(part.sums)
        if progress:
            progress("pages", done, total)
        yield part


_worker: _Worker | None = None


def _begin_process(out: Path, standing: Collection[bytes], source: Source, language: str) -> None:
    global _worker
    view = source.views()[language]
    _worker = _Worker(out, standing, view, list(pages(view)))


def _run(stretch: slice) -> Staging:
    assert _worker is not None
    staging = _worker.run(stretch)
    staging.standing = ()  # not sent back
    return staging
