"""What suspected violations are chosen by, and which lists there are of them. Pure.

Kind, place and month combine; a list exists for each combination that holds something, so that there are at most eight
lists with a given violation besides those of its hour and its day: pages grow in line with violations.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from quitboard.database.rows import ViolationRow

FACETS = ("kind", "place", "hour", "month", "day")
"""What violations may be chosen by: kind, place and time, as the first QuitBoard had it."""

COMBINED = ("kind", "place", "month")
"""The facets of which one value each may be chosen together, in the order in which addresses name them."""

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Selection:
    """What a list holds: at most one value a facet; with none it holds everything."""

    kind: str = ""
    place: str = ""
    month: str = ""  # YYYY-MM
    hour: str = ""  # 00-23
    day: str = ""  # YYYY-MM-DD

    @property
    def chosen(self) -> tuple[tuple[str, str], ...]:
        """The facets that are set, with their values, in the order of the address."""
        return tuple((facet, value) for facet in self.__slots__ if (value := getattr(self, facet)))

    def path(self, page: int = 1) -> str:
        """Return the path of a page of this list: `violations/kind/no_helmet/place/gate-3/page/2/`."""
        parts = "".join(f"{facet}/{segment(value)}/" for facet, value in self.chosen) or "all/"
        return f"violations/{parts}" if page == 1 else f"violations/{parts}page/{page}/"

    def with_(self, facet: str, value: str) -> Selection:
        """Return this selection with one facet set to another value, or to none by an empty one."""
        return replace(self, **{facet: value})

    @property
    def combines(self) -> bool:
        """Whether other facets may be added: an hour or a day is chosen alone."""
        return not (self.hour or self.day)


def lists(rows: Iterable[ViolationRow]) -> dict[Selection, list[int]]:
    """Return the positions of `rows`, in their order, for each selection that holds any; in the selections' order."""
    found: dict[Selection, list[int]] = defaultdict(list)
    known: dict[tuple[str, str, str, int], list[list[int]]] = {}
    for number, row in enumerate(rows):
        day = row.day.isoformat()
        key = (row.kind, row.camera_id, day, row.hour)
        if key not in known:  # making ten selections a row costs more than all the rest
            known[key] = [found[selection] for selection in _selections(row.kind, row.camera_id, day, row.hour)]
        for numbers in known[key]:
            numbers.append(number)
    return dict(sorted(found.items()))


def _selections(kind: str, place: str, day: str, hour: int) -> list[Selection]:
    month = day[:7]
    combined = [
        Selection(kind=kind if with_kind else "", place=place if with_place else "", month=month if with_month else "")
        for with_kind, with_place, with_month in product((False, True), repeat=3)
    ]
    return [*combined, Selection(hour=f"{hour:02d}"), Selection(day=day)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A value that may be chosen in one facet, the selection that this makes, and how many it holds."""

    value: str
    selection: Selection
    count: int


def choices_by_facet(found: Mapping[Selection, list[int]]) -> dict[tuple[Selection, str], list[Option]]:
    """Return, for each selection that others narrow and each facet, what may be chosen there, the others kept.

    Kinds and places come by number, months newest first. The key's selection has the facet unset.
    """
    made: dict[tuple[Selection, str], list[Option]] = defaultdict(list)
    for selection, numbers in found.items():
        for facet, value in selection.chosen if selection.combines else ():
            option = Option(value=value, selection=selection, count=len(numbers))
            made[selection.with_(facet, ""), facet].append(option)
    for (_, facet), several in made.items():
        if facet == "month":
            several.sort(key=lambda option: option.value, reverse=True)
        else:
            several.sort(key=lambda option: (-option.count, option.value))
    return dict(made)


def segment(name: str) -> str:
    """Return a name from the data as one safe part of a path: itself where it is a plain slug, else a hash of it."""
    return name if _PLAIN.fullmatch(name) else f"x{hashlib.sha256(name.encode()).hexdigest()[:20]}"
