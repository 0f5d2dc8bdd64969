"""The places: what each camera watches, for how long, and the rates there. Pure."""

from __future__ import annotations

import math
from typing import Any

from quitboard.site import charts
from quitboard.site.facets import Selection, segment
from quitboard.site.figures import Share
from quitboard.site.hours import by_hour
from quitboard.site.plates import Chart, Measured, Table, ranges, share_table
from quitboard.site.statistics import kinds_with_rates
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.trends import by_day
from quitboard.site.view import View

_CARDS = 8


def place_path(camera_id: str) -> str:
    return f"places/{segment(camera_id)}/"


def places(view: View) -> dict[str, Any]:
    """Return the list of cameras."""
    headline = view.facts.headline
    return {
        "rows": [
            {
                "name": view.place_name(place.id),
                "area": place.area,
                "path": place_path(place.id),
                "watched": view.words.duration(view.facts.watched(camera_id=place.id).watched_hours * 3600),
                "total": len(view.lists.get(Selection(place=place.id), ())),
                "share": view.facts.share_at.get((headline, place.id)) if headline else None,
            }
            for place in view.facts.data.places
        ],
        "kind": view.kind_name(headline) if headline else "",
    }


def place(view: View, camera_id: str) -> dict[str, Any]:
    """Return one camera's page: its area, what it watches, when it was watched, and its rates."""
    camera = view.places[camera_id]
    words = view.words
    watched = view.facts.watched(camera_id=camera_id)
    kind = _kind_here(view, camera_id)
    made = [_rates(view, camera_id), _coverage(view, camera_id)]
    if kind:
        made += [by_day(view, kind, camera_id), by_hour(view, kind, camera_id)]
    return {
        "camera": camera,
        "watched": words.duration(watched.watched_hours * 3600) if watched.watched_hours else "",
        "riders": watched.riders,
        "persons": watched.persons,
        "charts": [chart for chart in made if chart],
        "zones": _zones(view, camera_id),
        "zone_names": [
            (zone.kind.value, zone.name, words.or_else(f"zone.{zone.kind.value}", zone.kind.value))
            for zone in camera.zones
        ],
        "cards": view.lists.get(Selection(place=camera_id), [])[:_CARDS],
        "total": len(view.lists.get(Selection(place=camera_id), ())),
        "all_path": Selection(place=camera_id).path(),
    }


def _kind_here(view: View, camera_id: str) -> str | None:
    """Return the kind whose course is drawn: the board's own where it was judged here, else the most often judged."""
    known = {
        kind: found
        for kind in view.facts.kinds
        if (found := view.facts.share_at.get((kind, camera_id), Share(count=0, base=0))).known
    }
    if view.facts.headline in known:
        return view.facts.headline
    return max(known, key=lambda kind: (known[kind].base, kind), default=None)


def _rates(view: View, camera_id: str) -> Chart | None:
    """Return the rates of all kinds at a place, the surest to be high first."""
    items = [
        Measured(name=view.kind_name(kind), share=found, watched_hours=view.facts.watched_hours_of(kind, camera_id))
        for kind in kinds_with_rates(view.facts)
        if (found := view.facts.share_at.get((kind, camera_id))) is not None and found.base
    ]
    if not items:
        return None
    items.sort(key=lambda item: (not item.share.known, -item.share.value))
    top = items[0]
    finding = (
        view.words("place.rates_finding", kind=top.name, share=view.percent(top.share))
        if top.share.known and top.share.count
        else view.words("chart.kind_none" if not any(item.share.count for item in items) else "chart.kind_few")
    )
    text = Text(id="rates", title=finding, description=view.words("chart.kind_description"))
    return Chart(
        id="rates",
        finding=finding,
        subtitle=view.words("chart.kind_subtitle"),
        drawings=ranges(view, items, text),
        table=share_table(view, "kind", items),
        csv="statistics/by_kind_and_place.csv",
    )


def _coverage(view: View, camera_id: str) -> Chart | None:
    """Return when a place was watched: what is not watched is not safe, it is unknown."""
    words = view.words
    hours = view.facts.coverage_by_hour().get(camera_id)
    if not hours:
        return None
    days = view.facts.watched_days[camera_id]
    total = view.facts.watched(camera_id=camera_id).watched_hours
    finding = words("place.watched_finding", duration=words.duration(total * 3600), n=days)
    text = Text(id="watched", title=finding, description=words("chart.watched_description"))
    rows = [(view.place_name(camera_id), hours)]
    return Chart(
        id="coverage",
        finding=finding,
        subtitle=words("place.watched_subtitle"),
        drawings=tuple(charts.watched_lanes(rows, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        table=Table(
            headers=(words("table.hour"), words("table.watched_part")),
            rows=tuple((words.hour(hour), f"{min(1.0, part) * 100:.0f}%") for hour, part in sorted(hours.items())),
        ),
        csv="statistics/watched_by_hour.csv",
        legend=(("watched", words("hero.legend_watched")), ("unwatched", words("hero.legend_unwatched"))),
    )


def _zones(view: View, camera_id: str) -> str:
    camera = view.places[camera_id]
    polygons = [
        (zone.kind.value, zone.name, zone.polygon, zone.direction)
        for zone in camera.zones
        if all(math.isfinite(part) for point in (*zone.polygon, zone.direction or (0.0, 0.0)) for part in point)
    ]
    if not polygons or camera.resolution is None:
        return ""
    width, height = camera.resolution
    text = Text(
        id="zones", title=view.words("place.zones_title"), description=", ".join(name for _, name, _, _ in polygons)
    )
    return charts.zones(width, height, polygons, text)
