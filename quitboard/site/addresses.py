"""Where pages lie: below the site's root, and on the web where the site knows its address. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from quitboard.errors import SettingsError
from quitboard.site.i18n import LANGUAGES


def site_address(base_url: str) -> str:
    """Return where the site lives on the web, ending in a slash; empty where that is not said.

    Raises:
        SettingsError: it is no address of a web site.
    """
    if not base_url:
        return ""
    try:
        parts = urlsplit(base_url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.query or parts.fragment or base_url != base_url.strip():
        raise SettingsError(
            f"base_url is not the address of a site: {base_url!r}",
            where="[site] base_url",
            todo='Write it as "https://example.org/board/"',
        )
    return base_url if base_url.endswith("/") else f"{base_url}/"


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
