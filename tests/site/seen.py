"""A board as pages see it, without building them."""

from __future__ import annotations

from dataclasses import replace

from quitboard.site.build import query
from quitboard.site.media import Media
from quitboard.site.rendering import Source
from quitboard.site.view import View
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import Sample


def view_of(board: Sample, language: str = "ko", base_url: str = "") -> View:
    """Return what a language's pages know of a board, pictures aside."""
    settings = replace(SETTINGS, site=replace(SETTINGS.site, base_url=base_url))
    media = Media(stills={}, clips={}, files={}, set_aside=())
    return Source(data=query(board.database, settings, AS_OF), settings=settings, media=media).views()[language]
