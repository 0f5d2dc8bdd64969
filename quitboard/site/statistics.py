"""The statistics: each figure a finding, its drawing, its table and its CSV. Pure."""

from __future__ import annotations

from typing import Any

from quitboard.site import charts
from quitboard.site.data import Facts
from quitboard.site.facets import segment
from quitboard.site.figures import differ, standing_out
from quitboard.site.hours import by_hour
from quitboard.site.plates import Chart, Measured, Table, ranges, share_table
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.trends import by_day, kinds_over_time, places_over_time
from quitboard.site.view import View


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
        known = sum(found.known for found in shares.values())
        finding = view.words("chart.place_one" if len(items) == 1 else f"chart.place_{'none' if known > 1 else 'few'}")
    text = Text(
        id="by-place", title=finding, description=view.words("chart.place_description", kind=view.kind_name(kind))
    )
    measured = [
        Measured(name=view.place_name(camera), share=found, watched_hours=view.facts.watched_hours_of(kind, camera))
        for camera, found in items
    ]
    averaged = overall.known and overall.count > 0 and sum(found.known for found in shares.values()) > 1
    return Chart(
        id="by-place",
        finding=finding,
        subtitle=view.words("chart.place_subtitle", kind=view.kind_name(kind)),
        drawings=ranges(view, measured, text, overall if averaged else None),
        table=share_table(view, "place", measured),
        csv=f"statistics/{segment(kind)}_by_place.csv",
        note=view.words("chart.place_note", share=view.figure(overall)) if averaged else "",
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
