"""What search engines read: the list of pages with their languages, and what they should leave alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from quitboard.site.addresses import absolute, file_of
from quitboard.site.i18n import LANGUAGES
from quitboard.site.pages import Page

MOST_IN_A_SITEMAP = 50_000
"""Addresses one file may list (sitemaps.org); with their languages they stay below its 50 MB, too."""

UNLISTED = frozenset(("lost", "withdrawn", "saved"))
"""Pages that no search engine should show."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"


def robots(base_url: str) -> bytes:
    """Return robots.txt. Pictures are left out of it: a copy in somebody's picture search cannot be taken back."""
    path = urlsplit(base_url).path
    lines = ("User-agent: *", f"Disallow: {path}media/", "", f"Sitemap: {base_url}sitemap.xml", "")
    return "\n".join(lines).encode()


def sitemaps(base_url: str, pages: Iterable[Page], most: int = MOST_IN_A_SITEMAP) -> Iterator[tuple[str, bytes]]:
    """Yield `sitemap.xml` with every page in every language; where they are too many, an index of several files."""
    paths = [page.path for page in pages if page.template not in UNLISTED]
    together = max(1, most // len(LANGUAGES))
    if len(paths) <= together:
        yield "sitemap.xml", _sitemap(base_url, paths)
        return
    names = []
    for number, first in enumerate(range(0, len(paths), together), start=1):
        names.append(f"sitemap-{number}.xml")
        yield names[-1], _sitemap(base_url, paths[first : first + together])
    listed = "".join(f"<sitemap><loc>{escape(base_url + name)}</loc></sitemap>\n" for name in names)
    yield "sitemap.xml", f'{_HEAD}<sitemapindex xmlns="{_NAMESPACE}">\n{listed}</sitemapindex>\n'.encode()


def _sitemap(base_url: str, paths: list[str]) -> bytes:
    parts = [f'{_HEAD}<urlset xmlns="{_NAMESPACE}" xmlns:xhtml="{_XHTML}">\n']
    for path in paths:
        addresses = {language: absolute(base_url, file_of(language, path)) for language in LANGUAGES}
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{language}" href={quoteattr(address)}/>'
            for language, address in (*addresses.items(), ("x-default", addresses[LANGUAGES[0]]))
        )
        parts += [f"<url><loc>{escape(address)}</loc>{links}</url>\n" for address in addresses.values()]
    parts.append("</urlset>\n")
    return "".join(parts).encode()
