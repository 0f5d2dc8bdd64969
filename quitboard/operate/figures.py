"""Figures on the terminal: the same rates as the public page's, with their denominators and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitboard.database import export as tables
from quitboard.database.board import Board as Reading
from quitboard.database.rows import Rate, Watched
from quitboard.errors import UsageError
from quitboard.operate.boards import Board
from quitboard.site.data import publishing

GROUPINGS = {
    "kind": (),
    "camera": ("camera_id",),
    "day": ("day",),
    "hour": ("hour",),
    "weekday": ("weekday",),
    "month": ("month",),
}
FEWEST_RIDERS = 5
"""Of fewer riders no share is given: it would say nothing, or too much about somebody."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates by kind and one grouping, and what was watched for them."""

    by: str
    rates: Sequence[Rate]
    watched: Watched
    without_exposure: int

    def as_plain(self) -> dict[str, object]:
        """Return the figures for `--json`; shares are 0-1."""
        names = [*GROUPINGS[self.by], "kind", "violations", "riders", "judged", "unclear", "watched_hours"]
        names += [f"{what}{end}" for what in ("per_rider", "per_hour") for end in ("", "_low", "_high")]
        return {
            "by": self.by,
            "watched_hours": self.watched.watched_hours,
            "violations_in_no_rate": self.without_exposure,
            "rates": [{name: getattr(rate, name) for name in names} for rate in self.rates],
        }

    def print(self, console: Console) -> None:
        """Print the figures as a table, with the footage they rest on."""
        keys = GROUPINGS[self.by]
        columns = [self.by] if keys else []
        table = Table(
            *columns, "kind", "suspected", "of riders judged", "share, 95 % interval", "per hour watched, 95 % interval"
        )
        for rate in self.rates:
            table.add_row(
                *(str(getattr(rate, key)) for key in keys),
                rate.kind,
                str(rate.violations),
                f"{rate.judged}" + (f" ({rate.unclear} unclear)" if rate.unclear else ""),
                _share(rate),
                _per_hour(rate),
            )
        console.print(table)
        console.print(
            f"Watched: {self.watched.watched_hours:.2f} h, of which {self.watched.looked_hours:.2f} h in full; "
            f"{self.watched.persons} persons, {self.watched.riders} riders. "
            "Suspected violations are what a model found, not what a court did.",
            markup=False,
        )
        if self.without_exposure:
            console.print(
                f"{self.without_exposure} more are in no rate: the first QuitBoard's zips do not say what was watched.",
                markup=False,
            )


def stats(board: Board, by: str) -> Figures:
    """Return the board's rates as of now.

    Raises:
        UsageError: no such grouping.
        DatabaseError, Locked: the database is missing, damaged or in use.
    """
    if by not in GROUPINGS:
        raise UsageError(f"no grouping {by!r}", where="--by", todo=f"Use one of {', '.join(GROUPINGS)}")
    with Reading.open(board.database, publishing(board.settings.site, datetime.now(UTC))) as reading:
        (watched,) = reading.watched()
        return Figures(by, reading.rates(GROUPINGS[by]), watched, reading.counted_without_exposure())


def export(board: Board, folder: Path, form: str) -> list[Path]:
    """Write the public fields as tables below `folder`; see `quitboard.database.export`, whose errors these are."""
    with Reading.open(board.database, publishing(board.settings.site, datetime.now(UTC))) as reading:
        return tables.export(reading, folder, form)


def _share(rate: Rate) -> str:
    if rate.per_rider is None or rate.per_rider_low is None or rate.per_rider_high is None:
        return "no riders judged"
    if rate.judged < FEWEST_RIDERS:
        return "too few to say"
    return f"{100 * rate.per_rider:.0f} % ({100 * rate.per_rider_low:.0f}–{100 * rate.per_rider_high:.0f} %)"


def _per_hour(rate: Rate) -> str:
    if rate.per_hour is None or rate.per_hour_low is None or rate.per_hour_high is None:
        return "nothing watched"
    return f"{rate.per_hour:.2f} ({rate.per_hour_low:.2f}–{rate.per_hour_high:.2f})"
