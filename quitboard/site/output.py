"""The site's folder: its next generation is written beside it, file by file as a link where nothing changed.

Two files in it say that it is ours and what it holds: `.quitboard-site.json`, and `SHA256SUMS`, which
`sha256sum -c` reads. How a generation takes the place of another is in `generations`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quitboard.errors import UsageError
from quitboard.files import disk_full_named, sha256_bytes, sync_folder, walk

MARKER = ".quitboard-site.json"
SUMS = "SHA256SUMS"
_MARKER_NEW = f"{MARKER}.new"
_OURS = frozenset((MARKER, _MARKER_NEW, SUMS))
_JUNK = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""What file managers leave behind: neither ours nor missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """The site as it stands: SHA-256 by path, and whether anything in it was touched since it was built."""

    sums: Mapping[str, str]
    fingerprint: str
    whole: bool


def staging_of(out: Path) -> Path:
    """Return the folder beside `out` in which its next generation is built."""
    return out.with_name(f".{out.name}.building")


def refuse_foreign(out: Path) -> None:
    """Raise `UsageError` where `out` is neither new, nor empty, nor made by an earlier build."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError("the output is a file, not a folder", where=out.name, todo="Name another folder with -o")
    if not is_ours(out):
        raise UsageError(
            "the output folder is not empty and was not made by build-site", where=out.name,
            todo="Name another folder with -o, or empty this one yourself",
        )  # fmt: skip


def is_ours(folder: Path) -> bool:
    """Say whether build-site made a folder, finished or not; one that holds nothing else is anybody's."""
    if all(path.name in (MARKER, _MARKER_NEW) for path in folder.iterdir()):
        return True
    try:
        return bool(json.loads((folder / MARKER).read_text()).get("made_by") == "quitboard")
    except (OSError, ValueError, AttributeError):
        return False


def read_old(out: Path) -> Old:
    """Read what the present site holds and look at every file of it, not into it.

    Raises:
        UsageError: it holds files that build-site did not put there: replacing it would lose them.
    """
    if not (out / MARKER).is_file():
        return Old(sums={}, fingerprint="", whole=False)
    marker = json.loads((out / MARKER).read_text())
    built_ns = (out / MARKER).stat().st_mtime_ns
    sums = read_sums(out)
    found = 0
    total = 0
    touched: set[str] = set()
    foreign: list[str] = []
    for path, entry in walk(out):
        if path in _OURS or entry.name in _JUNK:
            continue
        if path not in sums or entry.is_symlink():
            foreign.append(path)
            continue
        status = entry.stat(follow_symlinks=False)
        found += 1
        total += status.st_size
        if status.st_mtime_ns > built_ns:
            touched.add(path)
    if foreign:
        raise UsageError(
            f"the output folder holds {len(foreign)} files that are not build-site's, for example {foreign[0]!r}",
            where=out.name,
            todo="Move them elsewhere: the folder is replaced as a whole",
        )
    whole = not touched and found == len(sums) and (found, total) == (marker.get("files"), marker.get("bytes"))
    trusted = (
        {path: digest for path, digest in sums.items() if path not in touched} if total == marker.get("bytes") else {}
    )
    return Old(sums=trusted, fingerprint=str(marker.get("fingerprint", "")), whole=whole)


def read_sums(site: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a site by its path, as its sums file says; empty without one."""
    if not (site / SUMS).is_file():
        return {}
    with (site / SUMS).open() as file:
        lines = (line.rstrip("\n").partition("  ") for line in file)
        return {path: digest for digest, _, path in lines}


@dataclass(slots=True)
class Staging:
    """The next generation while it is being written. Usable from several processes, each with its own instance."""

    out: Path
    standing: Collection[bytes]  # `standing(old)`: what the present generation holds already
    sums: dict[str, str] = field(default_factory=dict)
    total_bytes: int = 0
    written: int = 0
    _folders: set[str] = field(default_factory=set)

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or link the old one where it is the same. Raises `DiskFull`."""
        digest = sha256_bytes(content)
        target = self._target(path)
        self.sums[path] = digest
        self.total_bytes += len(content)
        if _key(path, digest) in self.standing and _linked(self.out / path, target):
            return
        with disk_full_named(path), open(target, "xb", buffering=0) as file:  # noqa: PTH123 - tens of thousands of times
            file.write(content)
        self.written += 1

    def put_file(self, path: str, source: Path, digest: str) -> None:
        """Take in a file that lies ready: a link where the system allows it. Raises `DiskFull`."""
        target = self._target(path)
        self.sums[path] = digest
        self.total_bytes += source.stat().st_size
        if not _linked(source, target):
            with disk_full_named(path):
                shutil.copyfile(source, target)
        self.written += _key(path, digest) not in self.standing

    def take_in(self, part: Staging) -> None:
        """Count what another instance has written into the same folder as this one's."""
        self.sums.update(part.sums)
        self.total_bytes += part.total_bytes
        self.written += part.written

    def _target(self, path: str) -> str:
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"{path!r} would leave the site")
        root = str(staging_of(self.out))
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            _made(f"{root}/{folder}" if folder else root)
            self._folders.add(folder)
        return f"{root}/{path}"


def standing(old: Old) -> frozenset[bytes]:
    """Return what a generation holds as keys to look up: a tenth of its sums, of which every process has a copy."""
    return frozenset(_key(path, digest) for path, digest in old.sums.items())


def _key(path: str, digest: str) -> bytes:
    return hashlib.blake2b(f"{digest}{path}".encode(), digest_size=16).digest()


def _made(folder: str) -> None:
    """Make a folder and those above it; several processes do so at once."""
    try:
        os.mkdir(folder)  # noqa: PTH102 - tens of thousands of times
    except FileExistsError:
        return
    except FileNotFoundError:
        _made(folder.rpartition("/")[0])
        _made(folder)


def _linked(source: Path, target: str) -> bool:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOENT, errno.ENOTSUP, errno.EACCES):
            return False
        raise
    return True


def begin(out: Path) -> None:
    """Open an empty staging folder, marked as ours so that a later build may clear it.

    Raises:
        UsageError: somebody else's folder has its name.
    """
    staging = staging_of(out)
    try:
        staging.mkdir(mode=0o755)
    except FileExistsError:
        raise UsageError(
            "this folder is in the way of building the site", where=staging.name, todo="Move it elsewhere"
        ) from None
    (staging / MARKER).write_text('{"made_by": "quitboard", "unfinished": true}')


def finish(out: Path, sums: Mapping[str, str], total_bytes: int, fingerprint: str, base_url: str = "") -> Path:
    """Write the two files about the next generation, and return its folder: ready to take its place."""
    staging = staging_of(out)
    with disk_full_named(SUMS), (staging / SUMS).open("w") as file:
        file.writelines(f"{sums[path]}  {path}\n" for path in sorted(sums))
    mark(staging, sums, total_bytes, fingerprint, base_url)
    sync_folder(staging)
    return staging


def base_url_of(site: Path) -> str:
    """Return the address that a site was built for, "" for none: it may have been named on the command line alone."""
    try:
        return str(json.loads((site / MARKER).read_text()).get("base_url", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def mark(folder: Path, sums: Mapping[str, str], total_bytes: int, fingerprint: str, base_url: str = "") -> None:
    """Write the marker anew under its name: last, so that nothing built is younger than it."""
    marker = {
        "made_by": "quitboard",
        "fingerprint": fingerprint,
        "files": len(sums),
        "bytes": total_bytes,
        "base_url": base_url,
    }
    temporary = folder / _MARKER_NEW
    with disk_full_named(MARKER):
        temporary.write_text(json.dumps(marker, sort_keys=True))
    temporary.replace(folder / MARKER)
