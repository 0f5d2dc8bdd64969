"""Choosing among suspected violations, and the page of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quitboard.site.data import Facts
from quitboard.site.facets import COMBINED, Selection
from quitboard.site.figures import Share
from quitboard.site.law import law_path
from quitboard.site.view import View

_NEWEST_SHOWN = 12
_PLACES_CROSSED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link to a facet's value, with what it holds."""

    name: str
    note: str
    path: str
    count: int
    share: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowLink:
    name: str
    path: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """One facet of a list and what it may be changed to; the first link takes the choice back."""

    facet: str
    chosen: str  # the name of what is chosen, or of "any"
    is_set: bool
    links: tuple[NarrowLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCell:
    path: str  # empty: there is no such list
    count: int
    share: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Kinds by places, as (name, path)."""

    kinds: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, tuple[CrossCell, ...]], ...]


def list_path(facet: str, value: str, page: int = 1) -> str:
    """Return the path of a list of one facet's value: `violations/kind/no_helmet/page/2/`; `all` takes no value."""
    return (Selection() if facet == "all" else Selection(**{facet: value})).path(page)


def page_count(total: int, per_page: int) -> int:
    return max(1, -(-total // per_page))


def choices(view: View, facet: str) -> list[Choice]:
    """Return a facet's values with their counts and rates; kinds and places by number, months newest first."""
    found = {
        value: (selection, len(rows))
        for selection, rows in view.lists.items()
        if (value := getattr(selection, facet)) and len(selection.chosen) == 1
    }
    made = [
        Choice(
            name=view.facet_name(facet, value),
            note=view.area_name(value) if facet == "place" else "",
            path=selection.path(),
            count=count,
            share=share_of(view.facts, selection),
        )
        for value, (selection, count) in found.items()
    ]
    if facet in ("kind", "place"):
        made.sort(key=lambda choice: (-choice.count, choice.path))
    elif facet in ("month", "day"):
        made.reverse()
    return made


def share_of(facts: Facts, selection: Selection) -> Share | None:
    """Return the share that a list speaks of: of its own kind, else of the kind that the board is headed by."""
    kind = selection.kind or facts.headline
    return None if kind is None else facts.share_in(kind, selection)


def narrowing(view: View, selection: Selection) -> list[Narrow]:
    """Return what a list may be narrowed, widened or changed to, by facet: each a list that exists."""
    if not selection.combines:
        return []
    made: list[Narrow] = []
    for facet in COMBINED:
        others = selection.with_(facet, "")
        current = getattr(selection, facet)
        options = view.facts.options.get((others, facet), [])
        links = [
            NarrowLink(
                name=view.facet_name(facet, option.value),
                path=option.selection.path(),
                count=option.count,
                is_chosen=option.value == current,
            )
            for option in options
        ]
        whole = NarrowLink(
            name=view.words(f"narrow.any_{facet}"),
            path=others.path(),
            count=len(view.lists.get(others, ())),
            is_chosen=not current,
        )
        chosen = next((link.name for link in links if link.is_chosen), whole.name)
        made.append(Narrow(facet=facet, chosen=chosen, is_set=bool(current), links=(whole, *links)))
    return made


def crossing(view: View) -> Crossing | None:
    """Return kinds by the places with most: counts and rates; nothing where there is but one kind or place."""
    facts = view.facts
    kinds = [choice.selection.kind for choice in facts.options.get((Selection(), "kind"), [])]
    places = [choice.selection.place for choice in facts.options.get((Selection(), "place"), [])]
    if len(kinds) < 2 or len(places) < 2:
        return None
    rows = []
    for place in places[:_PLACES_CROSSED]:
        cells = []
        for kind in kinds:
            selection = Selection(kind=kind, place=place)
            count = len(view.lists.get(selection, ()))
            cells.append(
                CrossCell(path=selection.path() if count else "", count=count, share=facts.share_in(kind, selection))
            )
        rows.append((view.place_name(place), Selection(place=place).path(), tuple(cells)))
    return Crossing(
        kinds=tuple((view.kind_name(kind), Selection(kind=kind).path()) for kind in kinds), rows=tuple(rows)
    )


def chooser(view: View) -> dict[str, Any]:
    """Return the page where a reader chooses by kind, place or time."""
    newest_month = view.facts.data.violations[0].day.isoformat()[:7] if view.facts.data.violations else ""
    headline = view.facts.headline
    return {
        "narrow": narrowing(view, Selection()),
        "groups": [(facet, choices(view, facet)) for facet in ("kind", "place", "month", "hour")],
        "days": [
            (view.words.day(date.fromisoformat(selection.day), year=False), selection.path(), len(rows))
            for selection, rows in view.lists.items()
            if selection.day.startswith(newest_month) and selection.day
        ],
        "crossing": crossing(view),
        "rate_kind": view.kind_name(headline) if headline else "",
        "total": len(view.facts.data.violations),
        "cards": list(range(min(_NEWEST_SHOWN, len(view.facts.data.violations)))),
        "all_path": Selection().path(),
    }


def list_page(view: View, selection: Selection, page: int) -> dict[str, Any]:
    """Return one page of a list, newest first. What else to choose, and the rate, are on its first page alone:
    a new violation then changes few pages.
    """
    rows: Sequence[int] = view.lists[selection]
    per_page = view.settings.site.per_page
    pages = page_count(len(rows), per_page)
    is_first = page == 1
    return {
        "selection": selection,
        "heading": view.selection_name(selection),
        "crumbs": _crumbs(view, selection),
        "total": len(rows),
        "cards": rows[(page - 1) * per_page : page * per_page],
        "page": page,
        "pages": pages,
        "numbers": [(number, selection.path(number)) for number in page_numbers(page, pages)],
        "newer": selection.path(page - 1) if page > 1 else "",
        "older": selection.path(page + 1) if page < pages else "",
        "narrow": narrowing(view, selection) if is_first else [],
        "share": share_of(view.facts, selection) if is_first and selection.chosen else None,
        "share_kind": selection.kind or view.facts.headline or "",
        "watched": view.words.duration(view.facts.hours_in(selection) * 3600) if selection.combines else "",
        "first_day": view.facts.data.violations[rows[-1]].day,
        "last_day": view.facts.data.violations[rows[0]].day,
    }


def _crumbs(view: View, selection: Selection) -> list[tuple[str, str | None]]:
    """Return the way to a list: each step chooses one facet more; the last is the list itself."""
    made: list[tuple[str, str | None]] = [(view.words("nav.violations"), "violations/")]
    step = Selection()
    for facet, value in selection.chosen:
        step = step.with_(facet, value)
        made.append((view.facet_name(facet, value), None if step == selection else step.path()))
    if not selection.chosen:
        made.append((view.words("list.all_short"), None))
    return made


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
        "law_path": law_path(view, row.day),
        "model": model,
        "measured": view.measured(row),
        "share": view.facts.share_at.get((row.kind, row.camera_id)),
        "related": view.facts.related(number),
        "day": view.words.day(row.day),
        "hour": view.words.hour(row.hour),
        "places": [
            (view.kind_name(row.kind), Selection(kind=row.kind).path()),
            (view.place_name(row.camera_id), Selection(place=row.camera_id).path()),
            (view.words.hour(row.hour), Selection(hour=f"{row.hour:02d}").path()),
            (view.words.short_day(row.day), Selection(day=row.day.isoformat()).path()),
        ],
    }
