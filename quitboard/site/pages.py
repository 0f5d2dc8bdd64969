"""Which pages there are, and what each of them says. Pure: data and settings in, contexts for templates out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quitboard.site import browse, finding, home, law, method, open_data, places, statistics
from quitboard.site.facets import Selection, segment
from quitboard.site.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page in no language yet: where it lies, its template, and what it is about."""

    path: str  # "violations/kind/no_helmet/"; the home page is ""
    template: str
    section: str  # the entry of the navigation that is lit
    about: tuple[Any, ...] = ()


def pages(view: View) -> Iterator[Page]:
    """Yield every page, in a fixed order; each exists in every language under the same path."""
    data = view.facts.data
    yield Page(path="", template="home", section="home")
    yield Page(path="violations/", template="violations", section="violations")
    for selection, rows in view.lists.items():
        for number in range(1, browse.page_count(len(rows), view.settings.site.per_page) + 1):
            yield Page(path=selection.path(number), template="list", section="violations", about=(selection, number))
    if not data.violations:
        yield Page(path=Selection().path(), template="nothing", section="violations")
    yield Page(path="statistics/", template="statistics", section="statistics")
    for kind in statistics.kinds_with_rates(view.facts):
        yield Page(path=f"statistics/{segment(kind)}/", template="statistics", section="statistics", about=(kind,))
    yield Page(path="places/", template="places", section="places")
    for camera in data.places:
        yield Page(path=places.place_path(camera.id), template="place", section="places", about=(camera.id,))
    for day in view.facts.law_days:
        yield Page(path=f"law/{day.isoformat()}/", template="law", section="law", about=(day,))
    for name in ("law", "method", "contact", "data"):
        yield Page(path=f"{name}/", template=name, section=name)
    for name in ("search", "saved"):
        yield Page(path=f"{name}/", template=name, section="")
    yield Page(path="404.html", template="lost", section="")
    withdrawn = {stone.id for stone in data.tombstones}
    for stone in sorted(withdrawn):
        yield Page(path=f"withdrawn/{segment(stone)}/", template="withdrawn", section="", about=(stone,))
        yield Page(path=f"v/{segment(stone)}/", template="withdrawn", section="", about=(stone,))
    for number, row in enumerate(data.violations):
        if row.id not in withdrawn:
            yield Page(path=f"v/{segment(row.id)}/", template="violation", section="violations", about=(number,))


def context(view: View, page: Page) -> Mapping[str, Any]:
    """Return what a page's template needs, `title` and `description` among it."""
    words = view.words
    made: dict[str, Any] = {}
    title, description = "", ""
    match page.template:
        case "home":
            made = home.home(view)
            description = made["hero"].headline.replace("**", "")
        case "violations":
            made = browse.chooser(view)
        case "list":
            made = browse.list_page(view, *page.about)
            title = words("list.title", what=made["heading"])
            if made["page"] > 1:
                title += words("list.title_page", page=made["page"])
            description = words("list.description", what=made["heading"], n=made["total"])
        case "violation":
            made = browse.violation(view, *page.about)
            title = words("v.title", kind=made["card"].kind_name, place=made["card"].place)
            description = words("v.description", day=made["day"], hour=made["hour"])
        case "statistics":
            made = statistics.of_kind(view, *page.about) if page.about else statistics.overview(view)
            if page.about:
                title = words("statistics.title_kind", kind=view.kind_name(page.about[0]))
        case "places":
            made = places.places(view)
        case "place":
            made = places.place(view, *page.about)
            title = view.place_name(page.about[0])
            description = words("place.description", place=title)
        case "law":
            made = law.law(view, *page.about)
            if page.about:
                title = words("law.title_since", day=words.date(page.about[0]))
                description = words("law.description_since", day=words.date(page.about[0]))
        case "method":
            made = method.method(view)
        case "data":
            made = open_data.data(view)
        case "search":
            made = finding.search(view)
        case "saved":
            made = finding.saved(view)
        case "withdrawn":
            made = {"id": page.about[0]}
    made["title"] = title or words.or_else(f"{page.template}.title", "")
    made["description"] = description or words.or_else(f"{page.template}.description", "")
    return made
