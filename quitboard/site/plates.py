"""A chart as a page shows it: finding, drawings, what it rests on, and the same as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quitboard.site import charts
from quitboard.site.charts import RangeRow
from quitboard.site.figures import Share
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing in two widths with what it found, what it is made of, and the same as a table."""

    id: str
    finding: str
    subtitle: str
    drawings: tuple[str, ...]
    table: Table
    csv: str  # path below data/; empty where there is none
    note: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[str, str], ...] = ()  # letter, what changed
    source: str = ""  # empty: this board's cameras


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A share, and the hours of footage that it rests on."""

    name: str
    share: Share
    watched_hours: float


def ranges(view: View, items: Sequence[Measured], text: Text, overall: Share | None = None) -> tuple[str, ...]:
    """Draw shares with their intervals, n and hours, in both widths."""
    rows = [
        RangeRow(
            label=item.name,
            share=item.share,
            value=view.figure(item.share),
            note=f"{view.n(item.share)} · {view.hours(item.watched_hours)}",
        )
        for item in items
    ]
    return tuple(charts.ranges(rows, width=width, text=text, overall=overall) for width in (WIDE_PX, NARROW_PX))


def share_table(view: View, first: str, items: Sequence[Measured]) -> Table:
    """Return shares as a table; `first` names what its first column holds."""
    names = ("count", "judged", "share", "interval", "watched")
    return Table(
        headers=(view.words(f"table.{first}"), *(view.words(f"table.{name}") for name in names)),
        rows=tuple((item.name, *share_cells(view, item.share), view.hours(item.watched_hours)) for item in items),
    )


def share_cells(view: View, found: Share) -> tuple[str, str, str, str]:
    """Return the cells of a table; under the fewest riders nothing is said, the counts included."""
    if not found.known:
        return (view.words("figure.too_few"), "", "", "")
    return (f"{found.count:,}", f"{found.base:,}", view.percent(found), view.interval(found))
