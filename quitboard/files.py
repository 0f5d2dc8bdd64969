"""Files at the edge: hashes, writes that are whole or absent, locks, and paths that stay where they belong.

A write goes to a hidden neighbour first, is flushed to the disk, then renamed over its target: a reader, a crash or a
full disk never meets half a file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from quitboard.errors import DiskFull, Locked, UsageError

_CHUNK_BYTES = 1 << 20
TEMPORARY_PREFIX = ".quitboard-"
"""Names of unfinished files begin with this; what a killed command left behind can be swept by it."""


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content` in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex, reading it once in flat memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def writing(target: Path) -> Iterator[IO[bytes]]:
    """Write `target` whole or not at all: yields a binary file that takes the target's name when the block ends well.

    Raises:
        DiskFull: the content did not fit; the target is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with disk_full_named(target.name), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
        sync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(target: Path, content: bytes) -> None:
    """Write `content` to `target`, whole or not at all. Raises `DiskFull`."""
    with writing(target) as file:
        file.write(content)


def write_text(target: Path, content: str) -> None:
    """Write UTF-8 text to `target`, whole or not at all. Raises `DiskFull`."""
    write_bytes(target, content.encode())


@contextlib.contextmanager
def disk_full_named(name: str) -> Iterator[None]:
    """Turn the system's "no space left" into `DiskFull`, saying for which file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "the disk is full", where=name, todo="Free some space and run the same command again: it continues"
            ) from error
        raise


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporaries(folder: Path) -> int:
    """Delete what killed commands left unfinished in `folder`. Call it only while holding the folder's lock."""
    leftovers = [path for path in folder.glob(f"{TEMPORARY_PREFIX}*") if path.is_file() or path.is_symlink()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


@contextlib.contextmanager
def locked(path: Path, *, what: str) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` for the length of the block; the system frees it if we are killed.

    Raises:
        Locked: another process holds it. Nothing was waited for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise Locked(
                f"another quitboard is at work on this {what}", todo="Try again when it has finished"
            ) from None
        yield


def child_of(root: Path, relative: str) -> Path:
    """Join a path from outside to `root`, refusing whatever would leave it, links included.

    Raises:
        UsageError: `relative` is absolute, climbs with `..`, or leads out through a link.
    """
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or "\\" in relative or "\0" in relative:
        raise UsageError("a path must stay inside its folder", where=relative)
    joined = root.joinpath(*pure.parts)
    if not joined.resolve().is_relative_to(root.resolve()):
        raise UsageError("a path leads out of its folder through a link", where=relative)
    return joined


def slug(text: str) -> str:
    """Return `text` as a name that is safe in paths and addresses: letters, digits and hyphens, Korean kept.

    Two different texts may give the same slug; a caller that needs unique ones must check.
    """
    normal = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[^0-9a-z가-힣]+", "-", normal).strip("-")


def resource(name: str) -> Path:
    """Return the path of something that ships with QuitBoard: `templates` or a folder or file below `data`.

    In a checkout these lie beside the package; in an installed wheel, inside it.
    """
    package = Path(__file__).parent
    for root in (package / "_shipped", package.parent):
        candidate = root / name
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"{name} is missing from this installation of QuitBoard: install it again")


def walk(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every entry below `folder` that is not a folder, by its path from there; links are named, not followed."""
    stack = [("", str(folder))]
    while stack:
        prefix, path = stack.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((f"{prefix}{entry.name}/", entry.path))
                else:
                    yield f"{prefix}{entry.name}", entry
