"""Which suspected violations belong together: by place, hour and kind, never by how a person looks. Pure."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice

from quitboard.database.rows import ViolationRow

MOST = 4

_ALIKE: tuple[Callable[[ViolationRow], Hashable], ...] = (
    lambda row: (row.camera_id, row.kind, row.hour),
    lambda row: (row.camera_id, row.kind),
    lambda row: (row.camera_id, row.hour),
    lambda row: (row.kind, row.hour),
)
"""What related ones have in common, the most alike first."""


class Related:
    """Answers for rows in the order of time. Groups are made once; an answer is a few look-ups."""

    def __init__(self, rows: Sequence[ViolationRow]) -> None:
        self._rows = rows
        self._groups: list[dict[Hashable, list[int]]] = []
        for alike in _ALIKE:
            groups: dict[Hashable, list[int]] = defaultdict(list)
            for number, row in enumerate(rows):
                groups[alike(row)].append(number)
            self._groups.append(groups)

    def to(self, number: int) -> list[int]:
        """Return the positions of up to `MOST` others, the most alike first, of those the nearest in time."""
        row = self._rows[number]
        found: dict[int, None] = {}
        for alike, groups in zip(_ALIKE, self._groups, strict=True):
            if len(found) == MOST:
                break
            found.update(dict.fromkeys(islice(_nearest(groups[alike(row)], number), 2 * MOST)))
        return list(islice(found, MOST))


def _nearest(group: list[int], number: int) -> Iterator[int]:
    """Yield the other numbers of an ascending list, the nearest first."""
    after = bisect.bisect_right(group, number)
    before = bisect.bisect_left(group, number) - 1
    while before >= 0 or after < len(group):
        if after >= len(group) or (before >= 0 and number - group[before] <= group[after] - number):
            yield group[before]
            before -= 1
        else:
            yield group[after]
            after += 1
