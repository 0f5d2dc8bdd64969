"""Finding again: the search page, what was saved in a browser, and the small files that both show cards from. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from quitboard.database.rows import ViolationRow
from quitboard.site.facets import segment
from quitboard.site.view import SURENESS, View, sureness_step

MOST_IN_AN_INDEX = 8_000
"""So many violations one search index holds; larger boards have several."""

_CARDS_TOGETHER = 64
"""About so many cards share a file; their number doubles with the board, so that few files change from day to day."""

_HASH_BASE, _HASH_MASK = 31, 0xFFFF


def listed(view: View) -> Iterator[tuple[int, ViolationRow]]:
    """Yield the violations that have a page of their own, with their positions, newest first."""
    withdrawn = {stone.id for stone in view.facts.data.tombstones}
    for number, row in enumerate(view.facts.data.violations):
        if row.id not in withdrawn:
            yield number, row


def search(view: View) -> dict[str, Any]:
    """Return the page that searches all violations: what may be chosen, and how results may be ordered."""
    rows = [row for _, row in listed(view)]
    kinds = [kind for kind in view.facts.kinds if any(row.kind == kind for row in rows)]
    cameras = {row.camera_id for row in rows}
    places = [place.id for place in view.facts.data.places if place.id in cameras]
    months = sorted({row.day.isoformat()[:7] for row in rows}, reverse=True)
    steps = {sureness_step(row.confidence) for row in rows}
    sorts = ["newest"]
    if any(row.confidence is not None for row in rows):
        sorts.append("sureness")
    if view.facts.data.views:
        sorts.append("seen")
    return {
        "facets": [
            ("kind", [(kind, view.kind_name(kind)) for kind in kinds]),
            ("place", [(place, view.place_name(place)) for place in places]),
            ("month", [(month, view.words.month(month)) for month in months]),
            ("sureness", [(step, view.words(f"sureness.{step}")) for step in SURENESS if step in steps]),
        ],
        "sorts": sorts,
        "total": len(rows),
        "indexes": -(-len(rows) // MOST_IN_AN_INDEX),
        "names": names(view),
    }


def saved(view: View) -> dict[str, Any]:
    """Return the page that lists what was saved in this browser."""
    return {"names": names(view), "shards": shard_count(view)}


def names(view: View) -> dict[str, Any]:
    """Return what scripts write on cards, by what the data call it."""
    rows = view.facts.data.violations
    kinds = {kind: view.kind_name(kind) for kind in view.facts.kinds}
    return {
        "kind": kinds,
        "alt": {kind: view.words("card.alt", kind=name) for kind, name in kinds.items()},
        "place": {place.id: view.place_name(place.id) for place in view.facts.data.places},
        "day": {day.isoformat(): view.words.short_day(day) for day in sorted({row.day for row in rows})},
        "hour": [view.words.hour(hour) for hour in range(24)],
    }


def shown(view: View, number: int) -> str:
    """Return what a card shows besides kind and place: "2026-04-26,18,640x320,360,media/ab/abcd", or day and hour."""
    row = view.facts.data.violations[number]
    still = view.media.stills.get(row.still_sha256)
    parts: list[object] = [row.day, row.hour]
    if still:
        parts += ["x".join(map(str, still.widths)), still.height, still.stem]
    return ",".join(map(str, parts))


def cards(view: View) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a saved card is shown from: (path, script). The same for both languages.

    They are scripts, for a page opened from a disk may load those and no other file. What was withdrawn is null.
    """
    shards: list[dict[str, list[str] | None]] = [{} for _ in range(shard_count(view))]
    for number, row in listed(view):
        name = segment(row.id)
        shards[shard_of(name, len(shards))][name] = [row.kind, row.camera_id, shown(view, number)]
    for stone in view.facts.data.tombstones:
        name = segment(stone.id)
        shards[shard_of(name, len(shards))][name] = None
    for number, shard in enumerate(shards):
        content = json.dumps(shard, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        yield f"data/cards/{number}.js", f"quitboardCards({content});\n".encode()


def shard_count(view: View) -> int:
    """Return how many files the cards are spread over: a power of two."""
    count = 1
    while count * _CARDS_TOGETHER < len(view.facts.data.violations):
        count *= 2
    return count


def shard_of(name: str, count: int) -> int:
    """Return the number of the file that holds a card. `saved.js` computes the same."""
    found = 0
    for letter in name:
        found = (found * _HASH_BASE + ord(letter)) & _HASH_MASK
    return found % count
