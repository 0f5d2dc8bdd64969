"""The statistics: each figure a finding, its drawing, its table and its CSV. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quitboard.database.rows import Rate
from quitboard.site import charts
from quitboard.site.charts import STEPS, Cell
from quitboard.site.data import Facts
from quitboard.site.facets import segment
from quitboard.site.figures import FEWEST, Share, differ, standing_out
from quitboard.site.plates import Chart, Measured, Table, ranges, share_table
from quitboard.site.series import standing_hours
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.trends import by_day, kinds_over_time, places_over_time
from quitboard.site.view import View

_SMALL = 0.1
"""Up to this share a heat map's cells have a decimal."""


def overview(view: View) -> dict[str, Any]:
    """Return the statistics' first page: kinds against each other, what was watched, and the headline kind."""
    headline = view.facts.headline
    made = [by_kind(view), kinds_over_time(view, kinds_with_rates(view.facts)), coverage(view)]
    if headline is not None:
        made += _charts_of(view, headline)
    return {"charts": [chart for chart in made if chart], "kind": headline, "kinds": _kinds(view), "is_overview": True}


def of_kind(view: View, kind: str) -> dict[str, Any]:
    """Return the statistics of one kind."""
    made = _charts_of(view, kind)
    return {"charts": [chart for chart in made if chart], "kind": kind, "kinds": _kinds(view), "is_overview": False}


def _charts_of(view: View, kind: str) -> list[Chart | None]:
    return [by_day(view, kind), by_hour(view, kind), by_place(view, kind), places_over_time(view, kind)]


def kinds_with_rates(facts: Facts) -> list[str]:
    """Return the kinds that anything was judged for: those that have statistics."""
    return [kind for kind in facts.kinds if facts.share_of(kind).base > 0]


def _kinds(view: View) -> list[tuple[str, str]]:
    return [(view.kind_name(kind), f"statistics/{segment(kind)}/") for kind in kinds_with_rates(view.facts)]


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
    elif len(items) > 1 and items[1][1].known and not differ(top, items[1][1], comparisons=len(items) - 1):
        finding = view.words("chart.kind_same")
    else:
        finding = view.words("chart.kind_finding", kind=view.kind_name(items[0][0]), share=view.percent(top))
    text = Text(id="by-kind", title=finding, description=view.words("chart.kind_description"))
    measured = [
        Measured(name=view.kind_name(kind), share=found, watched_hours=view.facts.watched_hours_of(kind))
        for kind, found in items
    ]
    return Chart(
        id="by-kind",
        finding=finding,
        subtitle=view.words("chart.kind_subtitle"),
        drawings=ranges(view, measured, text),
        table=share_table(view, "kind", measured),
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
    above = standing_out(shares, overall)
    if above:
        finding = view.words(
            "chart.place_finding" if len(above) == 1 else "chart.places_finding",
            place=view.place_name(above[0]),
            share=view.percent(shares[above[0]]),
            n=len(above),
        )
    else:
        finding = view.words("chart.place_one" if len(items) == 1 else "chart.place_none")
    text = Text(
        id="by-place", title=finding, description=view.words("chart.place_description", kind=view.kind_name(kind))
    )
    measured = [
        Measured(name=view.place_name(camera), share=found, watched_hours=view.facts.watched_hours_of(kind, camera))
        for camera, found in items
    ]
    averaged = len(items) > 1 and overall.known and overall.count > 0
    return Chart(
        id="by-place",
        finding=finding,
        subtitle=view.words("chart.place_subtitle", kind=view.kind_name(kind)),
        drawings=ranges(view, measured, text, overall if averaged else None),
        table=share_table(view, "place", measured),
        csv=f"statistics/{segment(kind)}_by_place.csv",
        note=view.words("chart.place_note", share=view.figure(overall)) if averaged else "",
    )


def by_hour(view: View, kind: str, camera_id: str | None = None) -> Chart | None:
    """Return a kind's share by weekday and hour, at one place or at all."""
    rows = [row for row in view.facts.data.by_hour if camera_id is None or row.camera_id == camera_id]
    found = view.facts.shares(kind, _weekday_hour, rows)
    if not found:
        return None
    words = view.words
    finding = _hour_finding(view, kind, found, camera_id)
    highest = max((item.value for item in found.values() if item.known), default=0.0)
    end = max(STEPS, -(-highest * 100 // STEPS) * STEPS) / 100  # whole percents at every step of the scale
    hours = list(range(min(hour for _, hour in found), max(hour for _, hour in found) + 1))
    cells = {
        key: Cell(
            step=None if not item.known else min(STEPS - 1, int(item.value / end * STEPS)),
            text=f"{item.value * 100:.{0 if end > _SMALL else 1}f}",
            watched=True,
        )
        for key, item in found.items()
    }
    text = Text(id="by-hour", title=finding, description=words("chart.hour_description", kind=view.kind_name(kind)))
    weekdays = [words.weekday(day) for day in range(7)]
    tall = {(hours.index(hour), day): cell for (day, hour), cell in cells.items()}
    flat = {(day, hours.index(hour)): cell for (day, hour), cell in cells.items()}
    names = [f"{hour:02d}" for hour in hours]
    watched_at = view.facts.hours_by(kind, lambda row: row.hour or 0, rows)
    beside = words("chart.hours_axis"), [watched_at.get(hour, 0.0) for hour in hours]
    return Chart(
        id="by-hour",
        finding=finding,
        subtitle=words("chart.hour_subtitle", kind=view.kind_name(kind)),
        drawings=(
            charts.heat_map(weekdays, names, flat, width=WIDE_PX, row_px=36, text=text, hours=beside),
            charts.heat_map(names, weekdays, tall, width=NARROW_PX, row_px=26, text=text, hours=beside),
        ),
        table=Table(
            headers=(words("table.hour"), *weekdays, words("table.watched")),
            rows=tuple(
                (
                    words.hour(hour),
                    *(_heat_text(view, found.get((day, hour))) for day in range(7)),
                    view.hours(watched_at.get(hour, 0.0)),
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


def _hour_finding(view: View, kind: str, cells: Mapping[tuple[int, int], Share], camera_id: str | None) -> str:
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


def _heat_text(view: View, found: Share | None) -> str:
    if found is None:
        return "–"
    return f"{view.percent(found)} (n={found.base})" if found.known else view.words("figure.too_few_cell")


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
