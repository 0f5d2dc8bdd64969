"""What a place to publish at can do. `run` leads every target through the same steps; the targets only differ in how.

A target remembers what it holds in two kinds of files of its own below `.quitboard/`: a small manifest, which is lock
and version at once, and one list of sums for each generation that the manifest names. While a publish is at work the
manifest names both generations, so that the next one knows what a killed one may have left where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

GH_PAGES = "gh-pages"

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
    finished: bool  # nothing is in doubt and nothing is left over


NOTHING = Published(sums={}, generation="", finished=True)


class Target(Protocol):
    """A place to publish at. Every method may raise `TargetRefused`; those that write, `Locked`.

    A change is: `read`, `begin`, any number of `put`, `written`, any number of `delete`, `refresh`, `finish`. Killed at
    any of these calls, `read` of the next run says what is in doubt.
    """

    @property
    def name(self) -> str:
        """Return the text that `open_target` makes the same target of, wherever the settings point by then."""

    @property
    def most_bytes(self) -> int | None:
        """Return what a site may weigh there; None: whatever fits."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """Return what who takes something back here must know: sentences without a full stop."""

    def read(self) -> Published:
        """Ask the target what it holds. Changes nothing and needs no lock."""

    def matching(self, paths: Collection[str], contents: Contents) -> set[str]:
        """Return those of the paths in doubt whose content at the target is already the site's."""

    def begin(self, sums: Mapping[str, str]) -> None:
        """Take the lock and say where this is going: SHA-256 by path.

        Raises:
            Locked: somebody else is publishing, or has done so since `read`.
        """

    def put(self, paths: Sequence[str], contents: Contents, done: Callable[[str], None]) -> None:
        """Write files, in any order among themselves; on return all of them are there."""

    def written(self) -> None:
        """Say that the new generation is there as a whole; what is left of older ones may go."""

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files; what is not there is deleted already."""

    def refresh(self) -> None:
        """Tell whatever caches the target for its readers that it has changed."""

    def finish(self) -> None:
        """Say that nothing is left over, and free the lock."""

    def close(self) -> None:
        """Let go of what this process holds. Cut off before `finish`, the manifest stays as it is."""

    def take_away(self, paths: Sequence[str]) -> None:
        """Delete files at once, whoever holds the lock, with every older version of them that the target keeps."""

    def holds(self, path: str) -> bool:
        """Ask the target itself, not its manifest, whether a file is there."""


def generation_of(sums: Mapping[str, str]) -> str:
    """Return the name of a site's content: a hash over its paths and sums."""
    return hashlib.sha256(sums_text(sums).encode()).hexdigest()


def sums_text(sums: Mapping[str, str]) -> str:
    """Return sums by path as lines that `sha256sum -c` reads."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))


def read_sums(text: str) -> dict[str, str]:
    """Return sums by path from lines that `sums_text` wrote."""
    lines = (line.partition("  ") for line in text.split("\n") if line)
    return {path: digest for digest, _, path in lines}
