"""Files beside the pages: cards of what was saved, feeds, what search engines read, old addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quitboard.site import crawlers, feeds, finding, old_addresses
from quitboard.site.i18n import LANGUAGES
from quitboard.site.pages import pages
from quitboard.site.view import View


def extras(views: Mapping[str, View]) -> Iterator[tuple[str, bytes]]:
    """Yield every such file of the site: (path, content). What needs absolute addresses waits for `base_url`."""
    view = views[LANGUAGES[0]]
    listed = list(pages(view))
    yield from finding.cards(view)
    yield from old_addresses.pages(view, frozenset(page.path for page in listed))
    if view.base_url:
        for each in views.values():
            yield from feeds.feeds(each)
        yield "robots.txt", crawlers.robots(view.base_url)
        yield from crawlers.sitemaps(view.base_url, listed)
