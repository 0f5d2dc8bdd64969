"""The newest suspected violations as feeds: Atom (RFC 4287) and JSON Feed 1.1, one of each a language. Pure.

They hold words and links, no pictures: what a feed reader has copied, nobody can take back. Identifiers are tag URIs
(RFC 4151) of the day and the violation, so that they outlive a new title; dates come from the data, never from a clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from urllib.parse import urlsplit
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from quitboard.database.rows import ViolationRow
from quitboard.site.addresses import absolute, file_of, language_folder
from quitboard.site.facets import segment
from quitboard.site.finding import listed
from quitboard.site.view import View

_MOST_ENTRIES = 50
_OWNED_SINCE = "2026"
"""The date in the identifier of a feed itself, which has no day of its own."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One suspected violation as a feed tells it."""

    id: str
    address: str
    title: str
    text: str
    at: datetime  # the hour it was seen in: no minute is published
    kind: str
    kind_name: str


def feeds(view: View) -> Iterator[tuple[str, bytes]]:
    """Yield one language's feeds: (path, content). The site must know its address."""
    found = entries(view)
    folder = language_folder(view.words.language)
    yield f"{folder}feed.atom", atom(view, found)
    yield f"{folder}feed.json", json_feed(view, found)


def entries(view: View) -> list[Entry]:
    """Return the newest violations, newest first."""
    newest = [entry for entry, _ in zip(listed(view), range(_MOST_ENTRIES), strict=False)]
    return [_entry(view, row) for _, row in newest]


def _entry(view: View, row: ViolationRow) -> Entry:
    words = view.words
    name = segment(row.id)
    kind = view.kind_name(row.kind)
    place = view.place_name(row.camera_id)
    return Entry(
        id=_tag(view, row.day.isoformat(), f"v/{name}"),
        address=absolute(view.base_url, file_of(words.language, f"v/{name}/")),
        title=words("v.title", kind=kind, place=place),
        text=words(
            "feed.text",
            kind=kind,
            place=view.place_with_area(row.camera_id),
            day=words.day(row.day),
            hour=words.hour(row.hour),
            sureness=view.sureness(row.confidence),
        ),
        at=datetime.combine(row.day, time(row.hour), ZoneInfo(view.places[row.camera_id].timezone)),
        kind=row.kind,
        kind_name=kind,
    )


def _tag(view: View, since: str, name: str) -> str:
    site = urlsplit(view.base_url)
    return f"tag:{site.hostname},{since}:{site.path}{language_folder(view.words.language)}{name}"


def _updated(view: View, found: list[Entry]) -> datetime:
    if found:
        return max(entry.at for entry in found)
    return datetime.combine(view.as_of, time(), UTC) if view.as_of else _NEVER


def atom(view: View, found: list[Entry]) -> bytes:
    """Return the feed after RFC 4287."""
    language = view.words.language
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
        element.text = _NOT_XML.sub("", text) or None
        return element

    add(feed, "id", _tag(view, _OWNED_SINCE, "feed"))
    add(feed, "title", view.title)
    add(feed, "subtitle", view.words("feed.subtitle"))
    add(feed, "updated", _updated(view, found).isoformat())
    add(feed, "link", rel="self", type="application/atom+xml", href=_address(view, "feed.atom"))
    add(feed, "link", rel="alternate", type="text/html", href=_home(view))
    add(add(feed, "author"), "name", view.settings.board.operator or view.title)
    add(feed, "generator", "QuitBoard")
    for one in found:
        entry = add(feed, "entry")
        add(entry, "id", one.id)
        add(entry, "title", one.title)
        add(entry, "updated", one.at.isoformat())
        add(entry, "published", one.at.isoformat())
        add(entry, "link", rel="alternate", type="text/html", href=one.address)
        add(entry, "category", term=one.kind, label=_NOT_XML.sub("", one.kind_name))
        add(entry, "summary", one.text)
    ElementTree.indent(feed, space="")
    text: str = ElementTree.tostring(feed, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def json_feed(view: View, found: list[Entry]) -> bytes:
    """Return the feed after jsonfeed.org, version 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": view.title,
        "description": view.words("feed.subtitle"),
        "language": view.words.language,
        "home_page_url": _home(view),
        "feed_url": _address(view, "feed.json"),
        "authors": [{"name": view.settings.board.operator or view.title}],
        "items": [
            {
                "id": one.id,
                "url": one.address,
                "title": one.title,
                "content_text": one.text,
                "date_published": one.at.isoformat(),
                "tags": [one.kind_name],
            }
            for one in found
        ],
    }
    return (json.dumps(feed, ensure_ascii=False, indent=1) + "\n").encode()


def _home(view: View) -> str:
    return absolute(view.base_url, file_of(view.words.language, ""))


def _address(view: View, name: str) -> str:
    return f"{view.base_url}{language_folder(view.words.language)}{name}"
