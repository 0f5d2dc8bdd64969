"""Choosing among suspected violations, and the page of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quitboard.site.data import Facts
from quitboard.site.figures import Share
from quitboard.site.view import FACETS, View, segment

_NEWEST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link to a facet's value, with what it holds."""

    name: str
    note: str
    path: str
    count: int
    share: Share | None
    part: float  # of the largest count, 0-1


def list_path(facet: str, value: str, page: int = 1) -> str:
    """Return the path of a list's page: `violations/kind/no_helmet/page/2/`."""
    start = "violations/all/" if facet == "all" else f"violations/{facet}/{segment(value)}/"
    return start if page == 1 else f"{start}page/{page}/"


def page_count(total: int, per_page: int) -> int:
    return max(1, -(-total // per_page))


def choices(view: View, facet: str) -> list[Choice]:
    """Return a facet's values with their counts and rates; kinds and places by number, times in order."""
    found = {value: rows for (name, value), rows in view.lists.items() if name == facet}
    most = max((len(rows) for rows in found.values()), default=1)
    shares = _shares(view.facts, facet)
    made = [
        Choice(
            name=view.facet_name(facet, value),
            note=view.area_name(value) if facet == "place" else "",
            path=list_path(facet, value),
            count=len(rows),
            share=shares.get(value),
            part=len(rows) / most,
        )
        for value, rows in found.items()
    ]
    if facet in ("kind", "place"):
        made.sort(key=lambda choice: (-choice.count, choice.path))
    elif facet in ("month", "day"):
        made.reverse()
    return made


def _shares(facts: Facts, facet: str) -> dict[str, Share]:
    if facet == "kind":
        return {kind: facts.share_of(kind) for kind in facts.kinds}
    if facts.headline is None:
        return {}
    if facet == "place":
        return facts.shares(facts.headline, lambda row: str(row.camera_id))
    if facet == "hour":
        return facts.shares(facts.headline, lambda row: f"{row.hour:02d}", facts.data.by_hour)
    if facet == "month":
        return facts.shares(facts.headline, lambda row: str(row.day)[:7])
    return facts.shares(facts.headline, lambda row: str(row.day))


def chooser(view: View) -> dict[str, Any]:
    """Return the page where a reader chooses by kind, place or time."""
    newest_month = view.facts.data.violations[0].day.isoformat()[:7] if view.facts.data.violations else ""
    headline = view.facts.headline
    return {
        "groups": [(facet, choices(view, facet)) for facet in ("kind", "place", "hour", "month")],
        "days": [
            (view.words.day(date.fromisoformat(value), year=False), list_path("day", value), len(rows))
            for (facet, value), rows in view.lists.items()
            if facet == "day" and value.startswith(newest_month)
        ],
        "rate_kind": view.kind_name(headline) if headline else "",
        "total": len(view.facts.data.violations),
        "cards": list(range(min(_NEWEST_SHOWN, len(view.facts.data.violations)))),
        "all_path": list_path("all", ""),
    }


def list_page(view: View, facet: str, value: str, page: int) -> dict[str, Any]:
    """Return one page of a list, newest first."""
    rows: Sequence[int] = view.lists[facet, value]
    per_page = view.settings.site.per_page
    pages = page_count(len(rows), per_page)
    return {
        "facet": facet,
        "value": value,
        "heading": view.words("list.all") if facet == "all" else view.facet_name(facet, value),
        "total": len(rows),
        "cards": rows[(page - 1) * per_page : page * per_page],
        "page": page,
        "pages": pages,
        "numbers": [(number, list_path(facet, value, number)) for number in page_numbers(page, pages)],
        "newer": list_path(facet, value, page - 1) if page > 1 else "",
        "older": list_path(facet, value, page + 1) if page < pages else "",
        "share": _shares(view.facts, facet).get(value) if page == 1 and facet in FACETS else None,
        "share_kind": (value if facet == "kind" else view.facts.headline) or "",
        "first_day": view.facts.data.violations[rows[-1]].day,
        "last_day": view.facts.data.violations[rows[0]].day,
    }


def page_numbers(page: int, pages: int) -> list[int]:
    """Return the page numbers to link: the ends and the neighbours; 0 stands for those left out between."""
    near = sorted({1, 2, pages - 1, pages, page - 1, page, page + 1} & set(range(1, pages + 1)))
    numbers: list[int] = []
    for number in near:
        if numbers and number - numbers[-1] == 2:
            numbers.append(number - 1)
        elif numbers and number - numbers[-1] > 2:
            numbers.append(0)
        numbers.append(number)
    return numbers


def violation(view: View, number: int) -> dict[str, Any]:
    """Return the page of one suspected violation."""
    row = view.facts.data.violations[number]
    rule = view.facts.rule_on(row.kind, row.day)
    model = view.models.get(row.model_sha256)
    return {
        "row": row,
        "card": view.card(number),
        "still": view.media.stills.get(row.still_sha256),
        "clip": view.media.clips.get(row.clip_sha256),
        "rule": rule,
        "model": model,
        "measured": view.measured(row),
        "share": view.facts.share_at.get((row.kind, row.camera_id)),
        "related": view.facts.related(number),
        "day": view.words.day(row.day),
        "hour": view.words.hour(row.hour),
        "places": [
            (view.kind_name(row.kind), list_path("kind", row.kind)),
            (view.place_name(row.camera_id), list_path("place", row.camera_id)),
            (view.words.hour(row.hour), list_path("hour", f"{row.hour:02d}")),
            (view.words.short_day(row.day), list_path("day", row.day.isoformat())),
        ],
    }
