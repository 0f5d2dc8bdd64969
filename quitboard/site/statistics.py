"""The statistics: each figure a finding, its drawing, its table and its CSV. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from quitboard.database.rows import Rate
from quitboard.site import charts
from quitboard.site.charts import STEPS, Cell, RangeRow, TrendPoint
from quitboard.site.data import WEEK_DAYS, Facts
from quitboard.site.facets import segment
from quitboard.site.figures import FEWEST, Share, differ, share, standing_out
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View

_MOST_DAYS = 92
"""A longer period is drawn by weeks."""


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
    csv: str  # path below data/
    note: str = ""
    legend: tuple[tuple[str, str], ...] = ()


def overview(view: View) -> dict[str, Any]:
    """Return the statistics' first page: kinds against each other, what was watched, and the headline kind."""
    headline = view.facts.headline
    made = [by_kind(view), coverage(view)]
    if headline is not None:
        made += [by_place(view, headline), by_hour(view, headline), by_day(view, headline)]
    return {"charts": [chart for chart in made if chart], "kind": headline, "kinds": _kinds(view), "is_overview": True}


def of_kind(view: View, kind: str) -> dict[str, Any]:
    """Return the statistics of one kind."""
    made = [by_place(view, kind), by_hour(view, kind), by_day(view, kind)]
    return {"charts": [chart for chart in made if chart], "kind": kind, "kinds": _kinds(view), "is_overview": False}


def kinds_with_rates(facts: Facts) -> list[str]:
    """Return the kinds that anything was judged for: those that have statistics."""
    return [kind for kind in facts.kinds if facts.share_of(kind).base > 0]


def _kinds(view: View) -> list[tuple[str, str]]:
    return [(view.kind_name(kind), f"statistics/{segment(kind)}/") for kind in kinds_with_rates(view.facts)]


def _range_rows(view: View, items: Sequence[tuple[str, Share]]) -> list[RangeRow]:
    return [RangeRow(label=name, share=found, value=view.figure(found), note=view.n(found)) for name, found in items]


def _ranges(rows: list[RangeRow], text: Text, overall: Share | None = None) -> tuple[str, ...]:
    return tuple(charts.ranges(rows, width=width, text=text, overall=overall) for width in (WIDE_PX, NARROW_PX))


def _share_cells(view: View, found: Share) -> tuple[str, ...]:
    """Return the cells of a table; under the fewest riders nothing is said, the counts included."""
    if not found.known:
        return (view.words("figure.too_few"), "", "", "")
    return (f"{found.count:,}", f"{found.base:,}", view.percent(found), view.interval(found))


def _headers(view: View, first: str) -> tuple[str, ...]:
    return (
        view.words(f"table.{first}"),
        *(view.words(f"table.{name}") for name in ("count", "judged", "share", "interval")),
    )


def by_kind(view: View) -> Chart | None:
    kinds = kinds_with_rates(view.facts)
    shares = [(kind, view.facts.share_of(kind)) for kind in kinds]
    items = sorted(shares, key=lambda item: (not item[1].known, -item[1].value))  # too few to say come last
    if not items:
        return None
    top = items[0][1]
    if not any(share.count for _, share in items):
        finding = view.words("chart.kind_none")
    elif not (top.known and top.count):
        finding = view.words("chart.kind_few")
    elif len(items) > 1 and items[1][1].known and not differ(top, items[1][1]):
        finding = view.words("chart.kind_same")
    else:
        finding = view.words("chart.kind_finding", kind=view.kind_name(items[0][0]), share=view.percent(top))
    text = Text(id="by-kind", title=finding, description=view.words("chart.kind_description"))
    rows = _range_rows(view, [(view.kind_name(kind), found) for kind, found in items])
    return Chart(
        id="by-kind",
        finding=finding,
        subtitle=view.words("chart.kind_subtitle"),
        drawings=_ranges(rows, text),
        table=Table(
            headers=_headers(view, "kind"),
            rows=tuple((view.kind_name(kind), *_share_cells(view, found)) for kind, found in items),
        ),
        csv="statistics/by_kind.csv",
    )


def by_place(view: View, kind: str) -> Chart | None:
    shares = {
        str(camera): found for camera, found in view.facts.shares(kind, lambda row: row.camera_id).items() if found.base
    }
    if not shares:
        return None
    items = sorted(shares.items(), key=lambda item: (-item[1].value if item[1].known else 1, item[0]))
    overall = view.facts.share_of(kind)
    top = standing_out(shares.values(), overall)
    name = next((camera for camera, found in items if found is top), None)
    finding = (
        view.words("chart.place_finding", place=view.place_name(name), share=view.percent(shares[name]))
        if name is not None
        else view.words("chart.place_one" if len(items) == 1 else "chart.place_none")
    )
    text = Text(
        id="by-place", title=finding, description=view.words("chart.place_description", kind=view.kind_name(kind))
    )
    rows = _range_rows(view, [(view.place_name(camera), found) for camera, found in items])
    averaged = len(items) > 1 and overall.known and overall.count > 0
    return Chart(
        id="by-place",
        finding=finding,
        subtitle=view.words("chart.place_subtitle", kind=view.kind_name(kind)),
        drawings=_ranges(rows, text, overall if averaged else None),
        table=Table(
            headers=_headers(view, "place"),
            rows=tuple((view.place_with_area(camera), *_share_cells(view, found)) for camera, found in items),
        ),
        csv=f"statistics/{segment(kind)}_by_place.csv",
        note=view.words("chart.place_note", share=view.figure(overall)) if averaged else "",
    )


def by_hour(view: View, kind: str) -> Chart | None:
    found = view.facts.shares(kind, _weekday_hour, view.facts.data.by_hour)
    if not found:
        return None
    overall = view.facts.share_of(kind)
    top = standing_out(found.values(), overall)
    cell = next((key for key, item in found.items() if item is top), None)
    words = view.words
    if cell is not None:
        finding = words(
            "chart.hour_finding",
            weekday=words.weekday(cell[0]),
            hour=words.hour(cell[1]),
            share=view.percent(found[cell]),
        )
    else:
        finding = words("chart.hour_none")
    highest = max((item.value for item in found.values() if item.known), default=0.0)
    end = max(STEPS, -(-highest * 100 // STEPS) * STEPS) / 100  # whole percents at every step of the scale
    hours = list(range(min(hour for _, hour in found), max(hour for _, hour in found) + 1))
    cells = {
        key: Cell(
            step=None if not item.known else min(STEPS - 1, int(item.value / end * STEPS)),
            text=f"{item.value * 100:.0f}",
            watched=True,
        )
        for key, item in found.items()
    }
    text = Text(id="by-hour", title=finding, description=words("chart.hour_description", kind=view.kind_name(kind)))
    weekdays = [words.weekday(day) for day in range(7)]
    tall = {(hours.index(hour), day): cell for (day, hour), cell in cells.items()}
    flat = {(day, hours.index(hour)): cell for (day, hour), cell in cells.items()}
    names = [f"{hour:02d}" for hour in hours]
    return Chart(
        id="by-hour",
        finding=finding,
        subtitle=words("chart.hour_subtitle", kind=view.kind_name(kind)),
        drawings=(
            charts.heat_map(weekdays, names, flat, width=WIDE_PX, row_px=36, text=text),
            charts.heat_map(names, weekdays, tall, width=NARROW_PX, row_px=26, text=text),
        ),
        table=Table(
            headers=(words("table.hour"), *weekdays),
            rows=tuple(
                (words.hour(hour), *(_heat_text(view, found.get((day, hour))) for day in range(7))) for hour in hours
            ),
        ),
        csv=f"statistics/{segment(kind)}_by_hour.csv",
        note=words("chart.hour_note", fewest=FEWEST),
        legend=(
            *(
                (f"q{step}", f"{end * step / STEPS * 100:g}–{end * (step + 1) / STEPS * 100:g}%")
                for step in range(STEPS)
            ),
            ("few", words("figure.too_few_short", fewest=FEWEST)),
            ("none", words("figure.unwatched")),
        ),
    )


def _weekday_hour(row: Rate) -> tuple[int, int]:
    return (row.weekday or 1) - 1, row.hour or 0


def _heat_text(view: View, found: Share | None) -> str:
    if found is None:
        return "–"
    return f"{view.percent(found)} (n={found.base})" if found.known else view.words("figure.too_few_cell")


def by_day(view: View, kind: str) -> Chart | None:
    period = view.facts.period
    shares = view.facts.shares(kind, lambda row: row.day)
    if period is None or not shares:
        return None
    weekly = period.days > _MOST_DAYS
    starts = sorted({_bucket(day, weekly=weekly) for day in shares if isinstance(day, date)})
    first, last, step = starts[0], starts[-1], timedelta(days=7 if weekly else 1)
    days = [first + step * number for number in range((last - first) // step + 1)]
    sums = dict.fromkeys(days, (0, 0))
    for day, found in shares.items():
        if isinstance(day, date):
            start = _bucket(day, weekly=weekly)
            sums[start] = (sums[start][0] + found.count, sums[start][1] + found.base)
    over = 4 if weekly else WEEK_DAYS
    points: list[TrendPoint] = []
    every = max(1, -(-len(days) // 6))
    for number, day in enumerate(days):
        before = [sums[other] for other in days[max(0, number - over + 1) : number + 1]]
        points.append(
            TrendPoint(
                label=f"{day.month}/{day.day}" if view.words.is_korean else view.words.short_day(day),
                share=share(*sums[day]),
                smooth=share(sum(item[0] for item in before), sum(item[1] for item in before)),
                tick=number % every == every // 2,
            )
        )
    finding = _trend_finding(view, points)
    text = Text(id="by-day", title=finding, description=view.words("chart.day_description", kind=view.kind_name(kind)))
    unit = "week" if weekly else "day"
    return Chart(
        id="by-day",
        finding=finding,
        subtitle=view.words(f"chart.{unit}_subtitle", kind=view.kind_name(kind)),
        drawings=tuple(charts.trend(points, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        table=Table(
            headers=_headers(view, unit),
            rows=tuple((view.words.day(day), *_share_cells(view, share(*sums[day]))) for day in days if sums[day][1]),
        ),
        csv=f"statistics/{segment(kind)}_by_day.csv",
        legend=(
            ("dot", view.words(f"chart.legend_{unit}")),
            ("curve", view.words(f"chart.legend_{unit}_curve")),
            ("band", view.words("chart.legend_band")),
        ),
    )


def _bucket(day: date, *, weekly: bool) -> date:
    return day - timedelta(days=day.weekday()) if weekly else day


def _trend_finding(view: View, points: Sequence[TrendPoint]) -> str:
    """Say whether the last stretch differs from the first of the same length, and only where chance is ruled out."""
    known = [point.smooth for point in points if point.smooth.known]
    if len(points) < 2 * WEEK_DAYS or len(known) < 2:
        return view.words("chart.day_short")
    start, end = points[WEEK_DAYS - 1].smooth, known[-1]
    if not differ(start, end):
        return view.words("chart.day_same")
    return view.words(
        "chart.day_up" if end.value > start.value else "chart.day_down",
        first=view.percent(start),
        last=view.percent(end),
    )


def coverage(view: View) -> Chart | None:
    """Return where and when was looked at all: what is not watched is not safe, it is unknown."""
    facts, words = view.facts, view.words
    found = facts.coverage_by_hour()
    if not found:
        return None
    cameras = sorted(found, key=lambda camera: (-facts.watched(camera_id=camera).watched_hours, camera))
    total = words.duration(facts.watched().watched_hours * 3600)
    finding = words("chart.watched_finding", duration=total, n=len(cameras))
    text = Text(id="coverage", title=finding, description=words("chart.watched_description"))
    rows = [(view.place_name(camera), found[camera]) for camera in cameras[:12]]
    return Chart(
        id="coverage",
        finding=finding,
        subtitle=words("chart.watched_subtitle"),
        drawings=tuple(charts.watched_lanes(rows, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        table=Table(
            headers=tuple(words(f"table.{name}") for name in ("place", "watched", "riders", "persons")),
            rows=tuple(
                (
                    view.place_with_area(camera),
                    words.duration(row.watched_hours * 3600),
                    f"{row.riders:,}",
                    f"{row.persons:,}",
                )
                for camera in cameras
                for row in [facts.watched(camera_id=camera)]
            ),
        ),
        csv="statistics/watched.csv",
        legend=(("watched", words("hero.legend_watched")), ("unwatched", words("hero.legend_unwatched"))),
    )
