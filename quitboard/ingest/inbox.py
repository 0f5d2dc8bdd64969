"""The inbox: a folder that zips are dropped in. Done ones go to `done/`, bad ones to `rejected/` with the reason.

A file that is named on the command line by itself stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quitboard import files
from quitboard.errors import UsageError

DONE = "done"
REJECTED = "rejected"
REASON_SUFFIX = ".reason.txt"


@dataclass(frozen=True, slots=True)
class Item:
    """A zip to read, and the inbox it lies in, if it does."""

    path: Path
    inbox: Path | None

    @property
    def name(self) -> str:
        return self.path.name


def find(paths: Iterable[Path]) -> list[Item]:
    """Return the zips to read: of a folder those that lie in it, oldest first, for a later one replaces an earlier one.

    Whatever does not end in `.zip`, and what is hidden, is not ours: an upload under way has another name until it is
    whole.

    Raises:
        UsageError: there is no such file or folder.
    """
    items: list[Item] = []
    for path in paths:
        if path.is_dir():
            zips = (
                child
                for child in path.iterdir()
                if child.suffix.lower() == ".zip" and not child.name.startswith(".") and child.is_file()
            )
            items += (Item(child, path) for child in sorted(zips, key=_age))
        elif path.exists():
            items.append(Item(path, None))
        else:
            raise UsageError("no such file or folder", where=str(path), todo="quitboard detect makes the bundles")
    return items


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def move_to_done(item: Item) -> None:
    """Move an inbox's zip to `done/`; leave any other where it is."""
    if item.inbox:
        _move(item.path, _place(item.path, item.inbox / DONE))


def move_to_rejected(item: Item, reason: str) -> None:
    """Move an inbox's zip to `rejected/` with `<name>.reason.txt` beside it; leave any other where it is."""
    if item.inbox:
        target = _place(item.path, item.inbox / REJECTED)
        # First the reason: killed in between, the next ingest writes it again.
        files.write_text(target.with_name(target.name + REASON_SUFFIX), reason + "\n")
        _move(item.path, target)


def sweep(items: Iterable[Item]) -> None:
    """Delete what a killed ingest left among the rejected. The inbox itself is left alone: `detect` writes there."""
    for folder in sorted({item.inbox / REJECTED for item in items if item.inbox}):
        files.sweep_temporaries(folder)


def _place(path: Path, folder: Path) -> Path:
    """Return where in `folder` a file goes, apart from another one of its name with other content."""
    target = folder / path.name
    if target.exists():
        content = files.sha256_file(path)
        if files.sha256_file(target) != content:
            target = folder / f"{path.stem}.{content[:12]}{path.suffix}"
    return target


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    files.sync_folder(target.parent)
    files.sync_folder(path.parent)
