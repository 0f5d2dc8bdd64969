"""What a place to publish at can do. `run` leads every target through the same steps; the targets only differ in how.

A target remembers what it holds in two kinds of files of its own below `.quitboard/`: a small manifest, which is lock
and version at once, and one list of sums for each generation that the manifest names. While a publish is at work the
manifest names both generations, so that the next one knows what a killed one may have left where.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from quitboard.errors import UsageError
from quitboard.settings import PublishSettings

OWN_FOLDER = ".quitboard/"
"""Where a target keeps what it knows about itself. No site has files below it."""

IN_DOUBT = ""
"""Stands for the sum of a file of which a killed publish left open what it holds, or whether it is there."""

Contents = Callable[[str], bytes]
"""Returns the content of a site's file by its path. Raises `DamageFound` where it is not what its sum says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a target holds, by its own manifest."""

    sums: Mapping[str, str]  # SHA-256 by path, or IN_DOUBT
    generation: str  # of the site that was published last; "" before the first
    version: str  # the manifest's: an ETag, a commit; "" where there is none yet
    finished: bool  # nothing is in doubt and nothing is left over


NOTHING = Published(sums={}, generation="", version="", finished=True)


class Target(Protocol):
    """A place to publish at. Every method may raise `TargetRefused`; those that write, `Locked`.

    A change is: `begin`, any number of `put`, `written`, any number of `delete`, `finish`. Killed at any of these calls,
    `read` of the next run says what is in doubt. All but `begin` need the lock that `begin` takes.
    """

    @property
    def name(self) -> str:
        """Return the text that `open_target` makes the same target of, wherever the settings point by then."""

    def read(self) -> Published:
        """Ask the target what it holds."""

    def matching(self, paths: Collection[str], contents: Contents) -> set[str]:
        """Return those of the paths in doubt whose content at the target is already the site's."""

    def begin(self, published: Published, sums: Mapping[str, str]) -> None:
        """Take the lock and say where this is going. `published` is what `read` said: nobody may have written since.

        Raises:
            Locked: somebody else is publishing, or has done so since `read`.
        """

    def put(self, paths: Sequence[str], contents: Contents, done: Callable[[str], None]) -> None:
        """Write files, in any order among themselves; on return all of them are there."""

    def written(self) -> None:
        """Say that the new generation is there as a whole; what is left of older ones may go."""

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files, in the order given; what is not there is deleted already."""

    def finish(self) -> None:
        """Say that nothing is left over, and free the lock."""

    def take_away(self, paths: Sequence[str]) -> None:
        """Delete files at once, whoever holds the lock, every kept version of them included."""

    def refresh(self, paths: Sequence[str]) -> None:
        """Tell whatever caches the target that these have changed or are gone."""

    def holds(self, path: str) -> bool:
        """Ask the target itself, not its manifest, whether a file is there."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """What who takes something back here must know: sentences without a full stop."""


def generation_of(sums: Mapping[str, str]) -> str:
    """Return the name of a site's content: a hash over its paths and sums."""
    return hashlib.sha256(sums_text(sums).encode()).hexdigest()


def sums_text(sums: Mapping[str, str]) -> str:
    """Return sums by path as lines that `sha256sum -c` reads."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))


def read_sums(text: str) -> dict[str, str]:
    """Return sums by path from lines that `sums_text` wrote."""
    return {path: digest for digest, _, path in (line.partition("  ") for line in text.splitlines())}
