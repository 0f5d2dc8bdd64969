"""From a text such as `s3://bucket/prefix`, `gh-pages` or `./public` to the target that it names."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from quitboard.errors import UsageError
from quitboard.settings import Settings
from quitboard.site.publish.target import GH_PAGES, Target


def place_of(text: str) -> tuple[str, str]:
    """Return which sort of target a text names ("s3", "gh-pages", "folder"), and what of it says where.

    Raises:
        UsageError: it is none of them.
    """
    if text.startswith("s3://"):
        return "s3", text
    if text == GH_PAGES or text.startswith(f"{GH_PAGES}:"):
        return GH_PAGES, text.removeprefix(GH_PAGES).removeprefix(":")
    if text and "://" not in text and (os.sep in text or Path(text).is_dir()) and "\0" not in text:
        return "folder", text
    raise UsageError(
        "this is no target", where=repr(text),
        todo="Give s3://BUCKET/PREFIX, gh-pages, or a folder with a slash in it, such as ./public or /srv/www/board",
    )  # fmt: skip


def open_target(text: str, settings: Settings, *, board: Path) -> Target:
    """Return the target that a text names. Nothing is asked of it yet.

    Args:
        text: what the command line, the settings or an earlier `Target.name` says.
        board: the board's folder: relative folders start there, and its git repository is the one for `gh-pages`.

    Raises:
        UsageError: the text names no target.
        TargetRefused: what is needed to reach it is not installed.
    """
    sort, place = place_of(text)
    if sort == "s3":
        from quitboard.site.publish.s3 import S3Target

        return S3Target(place, settings, owner=_owner(board))
    if sort == GH_PAGES:
        from quitboard.site.publish.git import GitTarget

        return GitTarget(place, settings, board=board)
    from quitboard.site.publish.folder import FolderTarget

    return FolderTarget(board / Path(place).expanduser())


def _owner(board: Path) -> str:
    """Return whose a lock is: this board on this machine, without telling which that is."""
    return hashlib.sha256(f"{platform.node()}\n{os.path.realpath(board)}".encode()).hexdigest()[:16]
