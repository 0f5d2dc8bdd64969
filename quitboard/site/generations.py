"""Which site stands: how a generation takes the place of another at once, and the earlier ones that are kept.

    site/                        the present generation
    .site.building/              the next one while it is written
    .site.next-<mark>/           the next one, finished; after the exchange, the one that it replaced
    .site.back-<mark>/           an earlier one on its way back; after the exchange, the one that it replaced
    .site.generations/000012/    an earlier one, the higher number the later; `.gone` behind a name: being deleted

A reader, or a command killed at any instant, meets one generation or the other, never a mixture. `<mark>` is that of
the generation that comes in: a folder that no longer holds it has been exchanged, so that `mend` needs no clock and no
journal to finish what was stopped. Files that did not change are the same on the disk in all generations (hard links).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import re
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from quitboard.errors import DamageFound, UsageError
from quitboard.files import locked, sha256_bytes, sha256_file, sync_folder
from quitboard.site.facets import segment
from quitboard.site.media import stem_of
from quitboard.site.output import MARKER, is_ours, read_old, read_sums, refuse_foreign, staging_of

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_MARK_DIGITS = 16
_GONE, _ASIDE = ".gone", ".aside"
_NUMBER = re.compile(r"\d{6,}")


@contextlib.contextmanager
def locked_target(out: Path) -> Iterator[Path]:
    """Hold the output folder for one command; yields its real path, with what a killed one left behind put right.

    Raises:
        Locked: another build is at work on it.
        UsageError: it is not ours to replace.
    """
    with _held(out) as target:
        mend(target)
        refuse_foreign(target)
        yield target


def kept(out: Path) -> list[Path]:
    """Return the folders of the earlier generations, the latest first."""
    folder = _folder(Path(os.path.realpath(out)))
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NUMBER.fullmatch(path.name) and is_ours(path)]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def built_at(generation: Path) -> datetime:
    """Return when a generation was built, by the machine's clock. Never decide by it what may be shown."""
    return datetime.fromtimestamp((generation / MARKER).stat().st_mtime, UTC)


def put_in_place(out: Path, staging: Path, *, is_worth_keeping: bool) -> None:
    """Let a finished generation take the place of `out` in one step; what stood there is kept, or deleted."""
    is_worth_keeping = is_worth_keeping and _mark(out) != _mark(staging)
    coming = staging.rename(_on_its_way(out, "next", staging))
    exchange(coming, out)
    sync_folder(out.parent)
    if coming.exists():
        if is_worth_keeping:
            _retire(coming, out)
        else:
            drop(coming)


def prune(out: Path, *, most: int, withdrawn: Collection[str]) -> None:
    """Delete the earlier generations beyond the `most` latest, and all that still show a withdrawn case."""
    for number, generation in enumerate(kept(out)):
        if number >= most or (withdrawn and _lacking(read_sums(generation), withdrawn)):
            drop(generation)
    with contextlib.suppress(OSError):  # not empty, or never made
        _folder(out).rmdir()


def roll_back(out: Path, withdrawn: Collection[str]) -> Path:
    """Put the latest earlier generation in the place of the present one, which is deleted: a build makes it again.

    Args:
        withdrawn: the ids of all that was ever withdrawn. A generation comes back only if it holds the tombstone of
            each: whatever clocks say, it was built after the last withdrawal.

    Returns:
        The site's folder. A roll-back that was stopped half-way is finished, not repeated.

    Raises:
        Locked: a build is at work.
        UsageError: there is nothing earlier, or it shows what was withdrawn; or the folder is not ours.
        DamageFound: a file of the earlier generation was changed since it was built.
    """
    with _held(out) as target:
        if mend(target):
            return target
        refuse_foreign(target)
        read_old(target)  # refuses where replacing it would lose somebody's files
        present = _mark(target)
        earlier = next((one for one in kept(target) if _mark(one) != present), None)
        if earlier is None:
            raise UsageError(
                "no earlier generation of the site is kept", where=target.name,
                todo="keep_generations says how many are, and those that show what was withdrawn are deleted: put right"
                " what is wrong and run build-site",
            )  # fmt: skip
        sums = read_sums(earlier)
        if lacking := _lacking(sums, withdrawn):
            raise UsageError(
                f"{lacking} cases were withdrawn after the earlier site was built: it would show them again",
                where=target.name,
                todo="Put right what is wrong and run build-site: it shows everything but them",
            )
        for path, digest in sums.items():
            if not (earlier / path).is_file() or sha256_file(earlier / path) != digest:
                raise DamageFound(
                    f"the earlier site is not as it was built: {path}", where=earlier.name,
                    todo="Put right what is wrong and run build-site",
                )  # fmt: skip
        coming = earlier.rename(_on_its_way(target, "back", earlier))
        exchange(coming, target)
        sync_folder(target.parent)
        if coming.exists():
            drop(coming)
        return target


def purge(out: Path, what: Collection[str]) -> int:
    """Delete every earlier generation that holds any of `what`, as a whole: none of them may ever come back.

    Args:
        what: paths below the site, or SHA-256 of pictures as the database names them, or of any file.

    Returns:
        How many were deleted. The present generation is left to the next build.
    """
    with _held(out) as target:
        mend(target)
        holding = [generation for generation in kept(target) if _holds(read_sums(generation), what)]
        for generation in holding:
            drop(generation)
        return len(holding)


def shown_beyond(site: Path, pictures: Collection[str]) -> int:
    """Return how many pictures a site holds besides those of the SHA-256 in `pictures`."""
    allowed = {stem_of(sha256) for sha256 in pictures}
    shown = {re.split(r"[-.]", path, maxsplit=1)[0] for path in read_sums(site) if path.startswith("media/")}
    return len(shown - allowed)


def _lacking(sums: Collection[str], withdrawn: Collection[str]) -> int:
    """Return how many of the withdrawn a generation has no tombstone for."""
    return sum(f"withdrawn/{segment(case)}/index.html" not in sums for case in withdrawn)


def _holds(sums: dict[str, str], what: Collection[str]) -> bool:
    stems = tuple(stem_of(text) for text in what if re.fullmatch(r"[0-9a-f]{64}", text))
    return (
        not sums.keys().isdisjoint(what)
        or not set(sums.values()).isdisjoint(what)
        or any(path.startswith(stems) for path in sums)
    )


# --- one in the place of another ---------------------------------------------------------------------------------


def exchange(coming: Path, out: Path) -> None:
    """Let two folders change places in one step; where the system cannot, in three renames that `mend` finishes."""
    if not out.exists() or not any(out.iterdir()):
        coming.rename(out)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        done = libc.renameat2(_AT_FDCWD, os.fsencode(coming), _AT_FDCWD, os.fsencode(out), _RENAME_EXCHANGE)
        if done == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(code, os.strerror(code), str(out))
    aside = out.rename(f"{coming}{_ASIDE}")
    coming.rename(out)
    aside.rename(coming)


def mend(out: Path) -> bool:
    """Finish or undo what a killed command left beside `out`; returns whether that was a roll-back, now finished."""
    for aside in _beside(out, f"*{_ASIDE}"):
        aside.rename(Path(str(aside).removesuffix(_ASIDE)) if out.exists() else out)
    came_back = False
    for folder in _beside(out, "back-*"):
        came_back = True
        if not folder.name.endswith(_GONE):
            if folder.name.endswith(f"-{_mark(folder)}"):
                exchange(folder, out)
            if folder.exists():
                drop(folder)
    for folder in _beside(out, "next-*"):
        if folder.name.endswith((_GONE, f"-{_mark(folder)}")):
            continue
        _retire(folder, out)
    for folder in {*_beside(out, "next-*"), *_beside(out, f"*{_GONE}"), *_folder(out).glob(f"*{_GONE}")}:
        _discard(folder)
    staging = staging_of(out)
    if staging.is_dir() and is_ours(staging):
        _discard(staging)
    return came_back


@contextlib.contextmanager
def _held(out: Path) -> Iterator[Path]:
    out = Path(os.path.realpath(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out.parent / f".{out.name}.lock", what="site"):
        yield out


def _folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.generations")


def _beside(out: Path, pattern: str) -> list[Path]:
    found = out.parent.glob(f"{glob.escape(f'.{out.name}.')}{pattern}")
    return sorted(path for path in found if path.is_dir() and is_ours(path))


def _on_its_way(out: Path, way: str, generation: Path) -> Path:
    return out.with_name(f".{out.name}.{way}-{_mark(generation)}")


def _mark(generation: Path) -> str:
    try:
        return sha256_bytes((generation / MARKER).read_bytes())[:_MARK_DIGITS]
    except FileNotFoundError:
        return ""


def _retire(generation: Path, out: Path) -> None:
    _folder(out).mkdir(exist_ok=True)
    number = max((int(path.name) for path in kept(out)), default=0) + 1
    generation.rename(_folder(out) / f"{number:06}")


def drop(generation: Path) -> None:
    """Delete a generation; what is half deleted has another name, so that it is never taken for one."""
    _discard(generation.rename(f"{generation}{_GONE}"))


def _discard(folder: Path) -> None:
    """Delete a folder, its marker last: killed on the way, what is left is still known to be ours."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARKER:
            path.unlink()
    (folder / MARKER).unlink(missing_ok=True)
    folder.rmdir()
