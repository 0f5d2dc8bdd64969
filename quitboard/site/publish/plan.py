"""Which steps lead from what a target holds to what the site is, and in which order. Pure.

What is pointed at is written before what points at it, and deleted after it: media → data → pages → lists → feeds,
deletes backwards. So a reader never meets a page whose picture is missing, whenever the publish is cut off.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from quitboard.errors import TargetRefused

MOST_DELETED = 0.2
"""More of what is published than this is not deleted unless told: a board that lost its database looks like that."""


class Stage(enum.IntEnum):
    """In which order files are written. Files of one stage do not point at each other."""

    MEDIA = 0  # pictures, fonts, styles, scripts, pieces of the search index
    DATA = 1  # tables to download
    PAGES = 2  # a violation's own page, tombstones
    LISTS = 3  # what points at pages, the search index's entry among it
    FEEDS = 4  # what tells others that there is something new


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`puts` in the order of writing, `deletes` in that of deleting, each a list a stage; empty ones are left out."""

    puts: tuple[tuple[Stage, tuple[str, ...]], ...]
    deletes: tuple[tuple[Stage, tuple[str, ...]], ...]
    settled: frozenset[str]  # were in doubt, and turned out to be right as they are
    unchanged: int

    @property
    def put_count(self) -> int:
        return sum(len(paths) for _, paths in self.puts)

    @property
    def delete_count(self) -> int:
        return sum(len(paths) for _, paths in self.deletes)

    def lines(self) -> list[str]:
        """Return the steps as lines, in the order in which they happen."""
        return [f"put {path}" for _, paths in self.puts for path in paths] + [
            f"delete {path}" for _, paths in self.deletes for path in paths
        ]


def plan(old: Mapping[str, str], new: Mapping[str, str], *, settled: Collection[str] = ()) -> Plan:
    """Return the steps from `old` to `new`, both SHA-256 by path; a sum in `old` may be `IN_DOUBT`.

    Args:
        settled: paths in doubt of which it is known by now that they hold what `new` says.
    """
    puts = [path for path, digest in new.items() if old.get(path) != digest and path not in settled]
    deletes = [path for path in old if path not in new]
    return Plan(
        puts=tuple((stage, paths) for stage in Stage if (paths := _of(stage, puts))),
        deletes=tuple((stage, paths) for stage in reversed(Stage) if (paths := _of(stage, deletes))),
        settled=frozenset(settled),
        unchanged=len(new) - len(puts),
    )


def _of(stage: Stage, paths: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in paths if stage_of(path) is stage))


def guard(old: Mapping[str, str], steps: Plan, *, where: str) -> None:
    """Refuse a plan that deletes more than a fifth of what is published.

    Raises:
        TargetRefused.
    """
    if steps.delete_count > MOST_DELETED * len(old):
        raise TargetRefused(
            f"{steps.delete_count} of {len(old)} published files would be deleted, more than {MOST_DELETED:.0%}",
            where=where,
            todo="Look at them with --dry-run; if that is right, give --allow-delete",
        )


def stage_of(path: str) -> Stage:
    """Return when a file is written, by its path in the site."""
    pure = PurePosixPath(path)
    parts = pure.parts[1:] if pure.parts[0] in _LANGUAGES else pure.parts
    if pure.name.startswith(("feed", "sitemap")) or pure.name == "robots.txt":
        return Stage.FEEDS
    if pure.name in _INDEX_ENTRIES:
        return Stage.LISTS
    if pure.suffix == ".html":
        return Stage.PAGES if parts[0] in ("v", "withdrawn") else Stage.LISTS
    if parts[0] == "data":
        return Stage.DATA
    return Stage.LISTS if pure.suffix == ".json" and parts[0] != "pagefind" else Stage.MEDIA


_LANGUAGES = frozenset(("en",))  # Korean lives at the root
_INDEX_ENTRIES = frozenset(("pagefind-entry.json",))
