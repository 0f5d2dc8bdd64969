"""Is this zip what it says it is? Asked before any member is read; nothing is ever extracted by its own name.

A zip says everything twice: in the directory at its end and before each member. Where the two differ, programs disagree
about what is inside; where members overlap, a small file inflates to petabytes (Fifield, "A better zip bomb", WOOT
2019). Both are refused here, as is whatever a bundle has no use for.
"""

from __future__ import annotations

import contextlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quitboard.bundle import form
from quitboard.errors import BundleError

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY_BYTES = 46  # of a directory entry, without name, extra field and comment
_MAX_ENTRY_BYTES = 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DESCRIPTOR = 0x8  # sizes come after the data
_UTF8 = 0x800
_ZIP64_16, _ZIP64_32 = 0xFFFF, 0xFFFFFFFF


PLAIN = {
    "create_system": 3,  # Unix, also when written elsewhere
    "create_version": 20,
    "extract_version": 20,
    "reserved": 0,
    "date_time": (1980, 1, 1, 0, 0, 0),  # the earliest that a zip can say
    "internal_attr": 0,
    "external_attr": 0o100644 << 16,
    "volume": 0,
}
"""What every member of a bundle says of itself, so that its bytes depend on its content alone."""
_PLAIN_LOCAL = (20, 0, 33)  # version, time, day


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a zip may hold at most."""

    members: int
    total_bytes: int
    member_bytes: Callable[[str], int | None]  # None: a member that has no use
    ratio: int  # uncompressed : compressed, for what is larger than a megabyte
    exact: bool  # as QuitBoard writes them: `PLAIN`, no folder, no comment, no extra field, no gap, no descriptor


def _bundle_member_bytes(name: str) -> int | None:
    sizes = {
        form.MANIFEST: 32 << 20, form.VIOLATIONS: 256 << 20, form.EXPOSURE: 256 << 20, form.TRACKS: 2 << 30,
        form.WITHDRAWN: 32 << 20,
    }  # fmt: skip
    return (32 << 20) if form.MEDIA_NAME.fullmatch(name) else sizes.get(name)


BUNDLE_LIMITS = Limits(
    members=60_000, total_bytes=4 * (1 << 30) - 1, member_bytes=_bundle_member_bytes, ratio=200, exact=True
)


@contextlib.contextmanager
def opened_zip(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose directory was checked against its members and against `limits`.

    Raises:
        BundleError: with the reason; nothing of a member was inflated.
    """
    with _opened(path, limits) as (archive, file, directory_start):
        _check_entries(archive, path.name, limits)
        _check_spans(file, archive, directory_start, path.name, limits)
        yield archive


@contextlib.contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, IO[bytes], int]]:
    """Open a zip whose end was checked; yields it, its file and where its directory starts."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            directory_start = _check_end(file, path.name, limits)
            archive = stack.enter_context(zipfile.ZipFile(file))
        except OSError as error:
            raise BundleError(f"cannot be read ({error.strerror})", where=path.name) from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError, KeyError) as error:
            raise BundleError(f"not a whole zip ({error})", where=path.name) from None
        yield archive, file, directory_start


def member_names(path: Path, limits: Limits) -> list[str]:
    """Return the names in a zip's directory, nothing of which is checked but its end. Raises `BundleError`."""
    with _opened(path, limits) as (archive, _, _):
        return archive.namelist()


@contextlib.contextmanager
def torn_zip_named(name: str, member: str) -> Iterator[None]:
    """Turn what a torn member raises on reading into `BundleError`."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise BundleError(f"{member} is torn ({error})", where=name) from None


def _check_end(file: IO[bytes], name: str, limits: Limits) -> int:
    """Check the record at the very end and the directory's own lengths; return where the directory starts."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise BundleError("the file is empty" if size == 0 else "the file is too short for a zip", where=name)
    if size > limits.total_bytes:
        raise BundleError(f"the file is larger than {limits.total_bytes >> 20} MB", where=name)
    file.seek(size - _END.size)
    magic, disk, start_disk, here, members, length, start, comment = _END.unpack(file.read(_END.size))
    if magic != b"PK\5\6" or comment:
        raise BundleError("not a whole zip: it does not end as one (torn, or a comment at its end)", where=name)
    if _ZIP64_16 in (members, here) or _ZIP64_32 in (length, start):
        raise BundleError("zip64 is not used here", where=name)
    if disk or start_disk or here != members:
        raise BundleError("one part of several", where=name)
    if members > limits.members:
        raise BundleError(f"{members} members, at most {limits.members} are read", where=name)
    if start + length != size - _END.size:
        raise BundleError("bytes that belong to no member", where=name)
    if length > _MAX_ENTRY_BYTES * members:
        raise BundleError("the directory is far longer than its members need", where=name)
    file.seek(start)
    directory = file.read(length)
    at = 0
    for _ in range(members):
        if at + _ENTRY_BYTES > length:
            break
        at += _ENTRY_BYTES + sum(struct.unpack_from("<3H", directory, at + 28))
    if at != length:
        raise BundleError("the directory lists more or fewer members than it says", where=name)
    file.seek(0)
    return int(start)


def _check_entries(archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
    seen: set[str] = set()
    total = 0
    for entry in archive.infolist():
        member = entry.orig_filename
        if entry.flag_bits & _ENCRYPTED:
            raise BundleError("an encrypted member", where=name, todo="Bundles are not encrypted: make it again")
        if "\\" in member or "\0" in member or member.startswith("/") or ".." in member.split("/") or ":" in member:
            raise BundleError(f"a member's name leads out of its folder: {member[:80]!r}", where=name)
        if member in seen:
            raise BundleError(f"two members are named {member[:80]!r}", where=name)
        seen.add(member)
        mode = entry.external_attr >> 16
        if (
            entry.create_system == 3
            and mode
            and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or not stat.S_IFMT(mode))
        ):
            raise BundleError(f"{member[:80]!r} is a link or a device", where=name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BundleError(f"{member[:80]!r} is compressed in an unknown way", where=name)
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise BundleError(f"{member[:80]!r} is stored, yet of two sizes", where=name)
        if entry.is_dir():
            if limits.exact or entry.file_size:
                raise BundleError(f"{member[:80]!r} is a folder", where=name)
            continue
        most = limits.member_bytes(member)
        if most is None:
            raise BundleError(f"a member that has no use here: {member[:80]!r}", where=name)
        if entry.file_size > most:
            raise BundleError(f"{member[:80]!r} is larger than {most >> 20} MB", where=name)
        if entry.file_size > (1 << 20) and entry.file_size > limits.ratio * entry.compress_size:
            raise BundleError(f"{member[:80]!r} inflates more than {limits.ratio} times", where=name)
        total += entry.file_size
    if total > limits.total_bytes:
        raise BundleError(f"inflates to more than {limits.total_bytes >> 20} MB", where=name)


def _check_spans(file: IO[bytes], archive: zipfile.ZipFile, end: int, name: str, limits: Limits) -> None:
    """Check that what stands before each member says the same as the directory, and that no two share a byte."""
    position = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        member = f"{entry.orig_filename[:80]!r}"
        start = entry.header_offset
        if start < position:
            raise BundleError(f"{member} overlaps another member", where=name)
        if start > position and limits.exact:
            raise BundleError("bytes that belong to no member", where=name)
        if start + _LOCAL.size > end:
            raise BundleError(f"{member} lies outside the file", where=name)
        file.seek(start)
        magic, version, flags, method, time, day, crc, packed, size, name_length, extra_length = _LOCAL.unpack(
            file.read(_LOCAL.size)
        )
        encoded = file.read(name_length)
        if magic != b"PK\3\4" or flags != entry.flag_bits or method != entry.compress_type:
            raise BundleError(f"{member} is described in two ways", where=name)
        if encoded != entry.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437"):
            raise BundleError(f"{member} has two names", where=name)
        described = (crc, packed, size)
        if flags & _DESCRIPTOR and not limits.exact:
            described_well = described in ((0, 0, 0), (entry.CRC, entry.compress_size, entry.file_size))
        else:
            described_well = described == (entry.CRC, entry.compress_size, entry.file_size)
        if not described_well or (flags & _DESCRIPTOR and limits.exact):
            raise BundleError(f"{member} is described in two ways", where=name)
        said = {name: getattr(entry, name) for name in PLAIN}
        if limits.exact and (said != PLAIN or (version, time, day) != _PLAIN_LOCAL):
            raise BundleError(f"{member} says what a bundle does not say: when, by whom, or what for", where=name)
        if limits.exact and (extra_length or entry.extra or entry.comment):
            raise BundleError(f"{member} carries a comment or an extra field", where=name)
        position = start + _LOCAL.size + name_length + extra_length + entry.compress_size
        if position > end:
            raise BundleError(f"{member} lies outside the file", where=name)
    if position != end and limits.exact:
        raise BundleError("bytes that belong to no member", where=name)
