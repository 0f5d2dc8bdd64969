"""The pages that explain: places, law, method, contact, data. Pure."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from quitboard.records import Rule
from quitboard.site import charts
from quitboard.site.browse import list_path
from quitboard.site.charts import RangeRow
from quitboard.site.downloads import FIELDS
from quitboard.site.facets import Selection, segment
from quitboard.site.statistics import kinds_with_rates
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View, class_figures, fraction

ACCIDENTS = ((2017, 117), (2018, 225), (2019, 447), (2020, 897), (2021, 1735))
"""Accidents with personal mobility in Korea, as the first QuitBoard showed; from the Korea Road Traffic Authority."""

_MEASURES = ("precision", "recall", "ap50", "map50", "n")
_PLACE_CARDS = 8
_ANONYMISING = ("anonymise", "anonymising", "mask", "head_miss")


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


def place_path(camera_id: str) -> str:
    return f"places/{segment(camera_id)}/"


def place(view: View, camera_id: str) -> dict[str, Any]:
    """Return one camera's page: its area, what it watches, when it was watched, and its rates."""
    camera = view.places[camera_id]
    words = view.words
    coverage = view.facts.coverage_by_hour().get(camera_id)
    watched = view.facts.watched(camera_id=camera_id)
    text = Text(id="watched", title=words("place.watched_title"), description=words("chart.watched_description"))
    rates = [
        (kind, found)
        for kind in kinds_with_rates(view.facts)
        if (found := view.facts.share_at.get((kind, camera_id))) is not None and found.base
    ]
    rows = [
        RangeRow(label=view.kind_name(kind), share=found, value=view.figure(found), note=view.n(found))
        for kind, found in rates
    ]
    rate_text = Text(id="rates", title=words("place.rates_title"), description=words("chart.kind_description"))
    widths = (WIDE_PX, NARROW_PX)
    return {
        "camera": camera,
        "watched": words.duration(watched.watched_hours * 3600),
        "riders": watched.riders,
        "persons": watched.persons,
        "coverage": [
            charts.watched_lanes([(view.place_name(camera_id), coverage)], width=width, text=text) for width in widths
        ]
        if coverage
        else [],
        "zones": _zones(view, camera_id),
        "zone_names": [(zone.name, words.or_else(f"zone.{zone.kind.value}", zone.kind.value)) for zone in camera.zones],
        "rates": [charts.ranges(rows, width=width, text=rate_text) for width in widths] if rows else [],
        "rate_rows": [
            (view.kind_name(kind), view.of_base(kind, found), view.percent(found), view.interval(found))
            for kind, found in rates
        ],
        "cards": view.lists.get(Selection(place=camera_id), [])[:_PLACE_CARDS],
        "total": len(view.lists.get(Selection(place=camera_id), ())),
        "all_path": list_path("place", camera_id),
    }


def _zones(view: View, camera_id: str) -> str:
    camera = view.places[camera_id]
    polygons = [
        (zone.kind.value, zone.name, zone.polygon)
        for zone in camera.zones
        if all(math.isfinite(part) for point in zone.polygon for part in point)
    ]
    if not polygons or camera.resolution is None:
        return ""
    width, height = camera.resolution
    text = Text(
        id="zones", title=view.words("place.zones_title"), description=", ".join(name for _, name, _ in polygons)
    )
    return charts.zones(width, height, polygons, text)


def law(view: View) -> dict[str, Any]:
    """Return the catalogue: what is in force, what was, and what a camera can see of it."""
    today = view.as_of or date.max
    rules = view.facts.data.rules
    in_force = [rule for rule in rules if _in_force(rule, today)]
    groups = (
        ("watched", [rule for rule in in_force if rule.enabled and rule.camera_visible]),
        ("visible", [rule for rule in in_force if not rule.enabled and rule.camera_visible]),
        ("unseen", [rule for rule in in_force if not rule.camera_visible]),
        ("other", [rule for rule in rules if not _in_force(rule, today)]),
    )
    listed = {rule.kind for rule in rules if Selection(kind=rule.kind) in view.lists}
    return {
        "groups": [(name, rows) for name, rows in groups if rows],
        "linked": {kind: list_path("kind", kind) for kind in listed},
    }


def _in_force(rule: Rule, day: date) -> bool:
    return (rule.valid_from or date.min) <= day <= (rule.valid_to or date.max)


def method(view: View) -> dict[str, Any]:
    """Return how it works, what was measured, and what it cannot see."""
    words = view.words
    text = Text(
        id="accidents", title=words("method.accidents_finding"), description=words("method.accidents_description")
    )
    values = [(str(year), float(number), f"{number:,}") for year, number in ACCIDENTS]
    models = []
    for model in view.facts.data.models:
        by_class = class_figures(model.figures)
        measures = [name for name in _MEASURES if any(name in row for row in by_class.values())]
        models.append(
            {
                "name": model.name,
                "sha256": model.sha256[:12],
                "measures": [words(f"measure.{name}") for name in measures],
                "rows": [
                    (
                        words.or_else(f"class.{name}", name),
                        [_measure(name_, row.get(name_)) for name_ in measures],
                    )
                    for name, row in by_class.items()
                    if any(name_ in row for name_ in measures) and not name.startswith(_ANONYMISING)
                ],
                "anonymising": [
                    (words.or_else(f"measure.{measure}", measure), f"{value:g}")
                    for name, row in by_class.items()
                    if name.startswith(_ANONYMISING)
                    for measure, value in row.items()
                ],
            }
        )
    return {
        "accidents": [charts.columns(values, width=width, text=text) for width in (WIDE_PX, NARROW_PX)],
        "accident_rows": [(str(year), f"{number:,}") for year, number in ACCIDENTS],
        "models": models,
        "recordings": len(view.facts.data.recordings),
        "damaged": sum(1 for row in view.facts.data.recordings if row.faults),
        "watched": words.duration(view.facts.watched().watched_hours * 3600),
    }


def _measure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if name == "n" else fraction(value)


def data(view: View) -> dict[str, Any]:
    """Return what can be downloaded and what its fields mean."""
    words = view.words
    kinds = kinds_with_rates(view.facts)
    general = ("by_kind", "kinds_over_time") if kinds else ()
    tables = [(words(f"data.{name}"), f"data/statistics/{name}.csv") for name in general]
    if view.facts.data.watched_by_day:
        tables.append((words("data.watched"), "data/statistics/watched.csv"))
    for kind in kinds:
        for cut in ("place", "place_over_time", "hour", "day"):
            name = words(f"data.by_{cut}", kind=view.kind_name(kind))
            tables.append((name, f"data/statistics/{segment(kind)}_by_{cut}.csv"))
    fields = [(name, kind, korean if words.is_korean else english) for name, kind, korean, english in FIELDS]
    return {"tables": tables, "fields": fields}
