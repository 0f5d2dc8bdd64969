"""Files beside the pages: cards for what was saved, feeds, what search engines read, old addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quitboard.site import finding
from quitboard.site.i18n import LANGUAGES
from quitboard.site.view import View


def extras(views: Mapping[str, View]) -> Iterator[tuple[str, bytes]]:
    """Yield every such file of the site: (path, content)."""
    yield from finding.cards(views[LANGUAGES[0]])
