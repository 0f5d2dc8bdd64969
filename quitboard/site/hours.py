"""A kind's share over the hours of the week, as a heat map with the hours watched beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from quitboard.database.rows import Rate
from quitboard.site import charts
from quitboard.site.charts import STEPS, Cell
from quitboard.site.facets import segment
from quitboard.site.figures import FEWEST, Share, share, standing_out
from quitboard.site.plates import Chart, Table
from quitboard.site.series import standing_hours
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View

_SMALL = 0.1
"""Up to this share cells have a decimal."""

_ALL_DAYS = 7
"""Stands beside the weekdays 0-6: all of them together."""


def by_hour(view: View, kind: str, camera_id: str | None = None) -> Chart | None:
    """Return a kind's share by weekday and hour, and of all weekdays together, at one place or at all."""
    rows = [row for row in view.facts.data.by_hour if camera_id is None or row.camera_id == camera_id]
    found = view.facts.shares(kind, _weekday_hour, rows)
    if not found:
        return None
    words = view.words
    finding = _finding(view, kind, found, camera_id)
    hours = range(min(hour for _, hour in found), max(hour for _, hour in found) + 1)
    for hour in hours:
        of_hour = [item for (_, other), item in found.items() if other == hour]
        if of_hour:
            found[_ALL_DAYS, hour] = share(sum(item.count for item in of_hour), sum(item.base for item in of_hour))
    if not any(item.known for item in found.values()):
        return None
    highest = max(item.value for item in found.values() if item.known)
    end = max(STEPS, -(-highest * 100 // STEPS) * STEPS) / 100  # whole percents at every step of the scale
    watched = view.facts.hours_by(kind, lambda row: row.hour or 0, rows)
    days = [*(words.weekday(day) for day in range(7)), words("chart.all_days")]
    text = Text(id="by-hour", title=finding, description=words("chart.hour_description", kind=view.kind_name(kind)))
    return Chart(
        id="by-hour",
        finding=finding,
        subtitle=words("chart.hour_subtitle", kind=view.kind_name(kind)),
        drawings=_drawings(view, found, hours, days, end, watched, text),
        table=Table(
            headers=(words("table.hour"), *days, words("table.watched")),
            rows=tuple(
                (
                    words.hour(hour),
                    *(_cell_text(view, found.get((day, hour))) for day in range(len(days))),
                    view.hours(watched.get(hour, 0.0)),
                )
                for hour in hours
            ),
        ),
        csv=f"statistics/{segment(kind)}_{'by_place_and_hour' if camera_id else 'by_hour'}.csv",
        note=words("chart.hour_note", fewest=FEWEST),
        legend=(
            *(
                (f"q{step}", f"{end * step / STEPS * 100:g}–{end * (step + 1) / STEPS * 100:g}%")
                for step in range(STEPS)
            ),
            ("few", words("figure.too_few_short", fewest=FEWEST)),
            ("none", words("figure.unwatched")),
            ("hours", words("chart.legend_hours")),
        ),
    )


def _drawings(
    view: View,
    found: Mapping[tuple[int, int], Share],
    hours: range,
    days: list[str],
    end: float,
    watched: Mapping[int, float],
    text: Text,
) -> tuple[str, str]:
    """Return the heat map lying (hours across, for a wide page) and standing (hours down, for a phone)."""
    cells = {key: _cell(item, end) for key, item in found.items()}
    names = [f"{hour:02d}" for hour in hours]
    flat = {(day, hour - hours[0]): cell for (day, hour), cell in cells.items()}
    tall = {(hour, day): cell for (day, hour), cell in flat.items()}
    beside = view.watched_axis([watched.get(hour, 0.0) for hour in hours])
    return (
        charts.heat_map(days, names, flat, width=WIDE_PX, row_px=36, text=text, hours=beside, across=True),
        charts.heat_map(names, days, tall, width=NARROW_PX, row_px=26, text=text, hours=beside, across=False),
    )


def _cell(item: Share, end: float) -> Cell:
    decimals = 1 if item.value > 0 and end <= _SMALL else 0
    return Cell(
        step=min(STEPS - 1, int(item.value / end * STEPS)) if item.known else None,
        text=f"{item.value * 100:.{decimals}f}",
        watched=True,
    )


def _finding(view: View, kind: str, cells: Mapping[tuple[int, int], Share], camera_id: str | None) -> str:
    """Say at which hours of the day a kind stands out; where none does, whether a single cell of the week does."""
    words = view.words
    span = standing_hours(view.facts, kind, camera_id)
    if span is not None and span.rest.known:
        return words(
            "chart.hours_finding",
            hours=words.hours(span.first, span.last),
            share=view.percent(span.share),
            rest=view.percent(span.rest),
        )
    above = standing_out(cells, view.facts.share_of(kind, camera_id=camera_id))
    if not above:
        return words("chart.hour_none")
    weekday, hour = above[0]
    return words(
        "chart.hour_finding",
        weekday=words.weekday(weekday),
        hour=words.hour(hour),
        share=view.percent(cells[above[0]]),
    )


def _weekday_hour(row: Rate) -> tuple[int, int]:
    return (row.weekday or 1) - 1, row.hour or 0


def _cell_text(view: View, found: Share | None) -> str:
    if found is None:
        return "–"
    return f"{view.figure(found)} {view.n(found)}" if found.known else view.words("figure.too_few_cell")
