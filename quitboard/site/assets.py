"""What every page needs beside its HTML: one style sheet, scripts, the typeface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from quitboard.files import resource

SHEETS = ("fonts.css", "style.css", "parts.css", "pages.css", "charts.css")
"""Joined into one file: a page is drawn when the last of its style sheets is there."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLANK = re.compile(r"\s+")


def assets() -> Iterator[tuple[str, bytes]]:
    """Yield every file that is the same on every site, by its path."""
    folder = resource("templates") / "assets"
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name not in SHEETS:
            yield f"assets/{file.relative_to(folder).as_posix()}", file.read_bytes()
    yield "assets/style.css", style_sheet(folder).encode()
    yield ".nojekyll", b""  # GitHub Pages would leave out what begins with an underscore


def style_sheet(folder: Path) -> str:
    """Return the style sheets of every page as one, without comments, runs of blanks being one blank."""
    return "".join(_BLANK.sub(" ", _COMMENT.sub("", (folder / name).read_text())) for name in SHEETS).strip() + "\n"
