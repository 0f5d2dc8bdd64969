"""What of a published site is still to be taken back: a withdrawal makes it so, every publish sees to it first."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quitboard.database import withdrawals
from quitboard.database.connection import opened
from quitboard.errors import TargetRefused
from quitboard.files import locked
from quitboard.operate.boards import Board
from quitboard.site.facets import segment
from quitboard.site.media import WIDTHS_PX, stem_of

if TYPE_CHECKING:
    from quitboard.site.publish.target import Target

_LIKELY = {
    "jpg": [f"-{width}.{kind}" for width in WIDTHS_PX for kind in ("jpg", "webp")],
    "gif": [".gif", ".webp"],
}
"""How encoded pictures end: a target is asked for them even where it does not list them."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a published site is to be taken back."""

    media: Mapping[str, str]  # sha256 -> extension
    cases: Sequence[str]

    @property
    def stems(self) -> tuple[str, ...]:
        """Return the beginnings of the media's paths."""
        return tuple(stem_of(sha256) for sha256 in self.media)

    def media_among(self, paths: Iterable[str]) -> list[str]:
        """Return the paths of withdrawn media."""
        stems = self.stems
        return [path for path in paths if stems and path.startswith(stems)]

    def paths_among(self, listed: Iterable[str]) -> list[str]:
        """Return what is to go: of the paths that are listed, and those that may be there all the same."""
        likely = [f"{stem_of(sha256)}{suffix}" for sha256, kind in self.media.items() for suffix in _LIKELY[kind]]
        pages = [f"{start}v/{segment(case)}/index.html" for case in self.cases for start in ("", "en/")]
        return sorted({*self.media_among(listed), *likely, *pages})


@contextlib.contextmanager
def alone(board: Board) -> Iterator[None]:
    """Hold all publishing of a board on this machine. Raises `Locked`."""
    with locked(board.folder / ".publish.lock", what="board's publishing"):
        yield


def withdrawn_paths(board: Board) -> list[str]:
    """Return how the paths of pictures begin that were taken back and may never be published again."""
    with opened(board.database, read_only=True) as connection:
        return [stem_of(sha256) for sha256 in sorted(withdrawals.withdrawn_media(connection))]


def listed_paths(target: Target) -> Collection[str]:
    """Return the paths that a target lists; none where it cannot say: the likely ones are taken away all the same."""
    try:
        return target.read().sums
    except TargetRefused:
        return ()
    finally:
        target.close()


@contextlib.contextmanager
def finishing(board: Board, target: Target) -> Iterator[None]:
    """Around a publish: take back first what is still due at the target, and note afterwards that it is gone.

    Raises:
        TargetRefused: something of it is still there.
    """
    from quitboard.site.publish.run import take_back

    with opened(board.database) as connection:
        ids = withdrawals.due(connection).get(target.name, [])
        due = Due(*withdrawals.of_withdrawals(connection, ids))
    if ids:
        take_back(target, due.paths_among(listed_paths(target)))
    yield
    if ids:
        with opened(board.database) as connection:
            withdrawals.taken_back(connection, target.name, ids, now=datetime.now(UTC))
