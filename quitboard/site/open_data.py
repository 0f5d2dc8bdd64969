"""The page of the data: what can be downloaded, how much of it there is, and what its fields mean. Pure."""

from __future__ import annotations

from typing import Any

from quitboard.site.downloads import FIELDS, STATISTICS_FIELDS
from quitboard.site.facets import segment
from quitboard.site.statistics import kinds_with_rates
from quitboard.site.view import View


def data(view: View) -> dict[str, Any]:
    """Return what can be downloaded and what its fields mean."""
    words = view.words
    kinds = kinds_with_rates(view.facts)
    general = ("by_kind", "by_kind_and_place", "kinds_over_time") if kinds else ()
    tables = [(words(f"data.{name}"), f"data/statistics/{name}.csv") for name in general]
    if view.facts.data.watched_by_day:
        tables += [(words(f"data.{name}"), f"data/statistics/{name}.csv") for name in ("watched", "watched_by_hour")]
    for kind in kinds:
        for cut in ("place", "place_over_time", "place_and_hour", "hour", "day"):
            name = words(f"data.by_{cut}", kind=view.kind_name(kind))
            tables.append((name, f"data/statistics/{segment(kind)}_by_{cut}.csv"))
    if view.facts.data.models:
        tables.append((words("data.models"), "data/method/models.csv"))
    tables.append((words("data.accidents"), "data/method/accidents.csv"))
    return {
        "tables": tables,
        "rows": len(view.facts.data.violations),
        "fields": [(name, kind, korean if words.is_korean else english) for name, kind, korean, english in FIELDS],
        "statistics_fields": [
            (name, kind, korean if words.is_korean else english) for name, kind, korean, english in STATISTICS_FIELDS
        ],
    }
