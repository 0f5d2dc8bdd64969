"""A folder as a target: for nginx on the same machine, a mounted share, or a USB stick."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from quitboard.errors import Locked, TargetRefused
from quitboard.files import TEMPORARY_PREFIX, disk_full_named, locked, sha256_bytes, walk, write_bytes
from quitboard.site.publish.ledger import Found, Ledger
from quitboard.site.publish.target import OWN_FOLDER, Contents, Published

_LOCK = f"{OWN_FOLDER}lock"
_UNFINISHED = f"{TEMPORARY_PREFIX}part"


class FolderTarget:
    """Copies into a folder, each file whole or not at all. Links below the folder are never followed.

    A folder that holds anything else is refused; so is a file on the way that somebody else put there.
    """

    most_bytes: int | None = None
    caveats: tuple[str, ...] = ()

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._ledger = Ledger(_FolderStore(self.root), name=self.name, owner="")
        self._held = ExitStack()
        self._known: Collection[str] = ()
        self._finished = True

    @property
    def name(self) -> str:
        return str(self.root)

    def read(self) -> Published:
        if not self.root.parent.is_dir():
            raise TargetRefused(
                "the folder above it does not exist", where=self.name, todo="Mount the disk, or make that folder first"
            )
        if self.root.exists() and not self.root.is_dir():
            raise TargetRefused("this is a file, not a folder", where=self.name, todo="Name a folder")
        published = self._ledger.read()
        self._known, self._finished = published.sums.keys(), published.finished
        return published

    def matching(self, paths: Collection[str], contents: Contents) -> set[str]:
        return {path for path in paths if self.holds(path) and _read(self._at(path)) == contents(path)}

    def begin(self, sums: Mapping[str, str]) -> None:
        self._held.enter_context(locked(self.root / _LOCK, what="folder"))
        self._ledger.begin(sums)
        if not self._finished:
            for path, entry in walk(self.root):
                if entry.name == _UNFINISHED:
                    (self.root / path).unlink(missing_ok=True)

    def put(self, paths: Sequence[str], contents: Contents, done: Callable[[str], None]) -> None:
        for path in paths:
            target = self._at(path)
            if path not in self._known and os.path.lexists(target):
                raise TargetRefused(
                    "a file that QuitBoard did not put there is in the way", where=f"{self.name}: {path}",
                    todo="Move it elsewhere and publish again",
                )  # fmt: skip
            content = contents(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(_UNFINISHED)
            unfinished.unlink(missing_ok=True)
            with disk_full_named(path), unfinished.open("xb") as file:
                file.write(content)
            unfinished.replace(target)
            done(path)

    def written(self) -> None:
        os.sync()  # once for all files: what the manifest says is true after a power cut, too
        self._ledger.written()

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._at(path).unlink(missing_ok=True)
        for folder in sorted({above for path in paths for above in self._at(path).parents}, reverse=True):
            if folder.is_relative_to(self.root) and folder != self.root and folder.is_dir() and not _any(folder):
                folder.rmdir()

    def refresh(self) -> None:
        """Nobody caches a folder."""

    def finish(self) -> None:
        os.sync()
        self._ledger.finish()

    def close(self) -> None:
        self._held.close()

    def take_away(self, paths: Sequence[str]) -> None:
        self.delete(paths)
        os.sync()

    def holds(self, path: str) -> bool:
        return os.path.lexists(self._at(path))

    def _at(self, path: str) -> Path:
        """Return where a file of the site lies. Raises `TargetRefused` where a link is on the way."""
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise TargetRefused("a path would leave the folder", where=f"{self.name}: {path}")
        at = self.root
        for part in parts[:-1]:
            at = at / part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                raise TargetRefused(
                    "a link or a file is in the way of a folder",
                    where=str(at),
                    todo="Move it elsewhere and publish again",
                )
        return at / parts[-1]


class _FolderStore:
    """The ledger's own files in a folder. The lock on the folder makes its conditional write one step."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str) -> Found | None:
        try:
            content = _read(self._root / key)
        except FileNotFoundError:
            return None
        return Found(content=content, version=sha256_bytes(content), age_s=0.0)

    def replace(self, key: str, content: bytes, version: str) -> str:
        found = self.get(key)
        if (found.version if found else "") != version:
            raise Locked("somebody else has published since", where=str(self._root), todo="Run the same command again")
        self.put_own(key, content)
        return sha256_bytes(content)

    def put_own(self, key: str, content: bytes) -> None:
        write_bytes(self._root / key, content)

    def delete_own(self, keys: Iterable[str]) -> None:
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    def paths(self) -> Iterator[str]:
        if self._root.is_dir():
            yield from (path for path, _ in walk(self._root))


def _read(path: Path) -> bytes:
    """Return a file's content; what is a link has none."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _any(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(True for _ in entries)
