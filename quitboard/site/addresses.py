"""Where pages lie: below the site's root, and on the web where the site knows its address. Pure."""

from __future__ import annotations

from quitboard.site.i18n import LANGUAGES


def language_folder(language: str) -> str:
    """Return where a language lives: Korean at the root."""
    return "" if language == LANGUAGES[0] else f"{language}/"


def file_of(language: str, page_path: str) -> str:
    """Return the file that a page is written to, below the site's root."""
    path = f"{language_folder(language)}{page_path}"
    return path if path.endswith(".html") else f"{path}index.html"


def absolute(base_url: str, file: str) -> str:
    """Return a file's one address on the web: the one that links lead to, the site's own for its first page."""
    return base_url if file == "index.html" else f"{base_url}{file}"
