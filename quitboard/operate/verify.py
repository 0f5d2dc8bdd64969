"""`quitboard verify`: every byte against its hash, in bundles, database, media and site. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from quitboard import bundle
from quitboard.database import check, connection, load, withdrawals
from quitboard.errors import QuitBoardError, UsageError
from quitboard.files import TEMPORARY_PREFIX, sha256_file
from quitboard.ingest import media
from quitboard.operate.boards import Board
from quitboard.operate.doctor import Check


def verify(board: Board, paths: Sequence[Path]) -> list[Check]:
    """Check the bundles named, or all that belongs to the board; one finding an item, damaged or not.

    Raises:
        UsageError: a path holds no bundle.
    """
    if paths:
        named = list(_bundles(paths))
        if not named:
            raise UsageError("no bundle there", where=str(paths[0]), todo="Give a .zip, or a folder that holds some")
        return [_bundle(path) for path in named]
    return [
        *(_bundle(path) for path in _bundles([board.bundles, board.bundles / "done"])),
        *_database_and_media(board),
        *_site(board.site),
        *_withdrawn(board),
    ]


def _bundles(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.zip"))
        elif path.is_file():
            yield path


def _bundle(path: Path) -> Check:
    try:
        manifest = bundle.verify(path)
    except QuitBoardError as error:
        return Check(name=path.name, found="", problem=str(error), exit_code=5)
    with bundle.read(path) as opened:
        struck = len(opened.withdrawn.members)
    return Check(
        name=path.name, found=f"sound, {len(manifest.sums)} members" + (f", {struck} withdrawn" if struck else "")
    )


def _database_and_media(board: Board) -> Iterator[Check]:
    if not board.database.exists():
        yield Check(name=board.database.name, found="none yet")
        return
    try:
        with connection.opened(board.database, read_only=True) as opened:
            listed = load.all_pictures(opened)
            wrong = check.disagreements(opened)
    except QuitBoardError as error:
        yield Check(name=board.database.name, found="", problem=str(error), exit_code=error.exit_code)
        return
    yield Check(name=board.database.name, found="sound", problem="; ".join(wrong), exit_code=5 if wrong else 0)
    problems = [problem for name in sorted(listed) if (problem := _picture(media.path_of(board.media, name)))]
    known = {media.path_of(board.media, name) for name in listed}
    problems += [
        f"{path.name} belongs to no row"
        for path in sorted(board.media.glob("??/*"))
        if path not in known and not path.name.startswith(TEMPORARY_PREFIX)
    ]
    yield Check(
        name=board.media.name,
        found=f"sound, {len(listed)} pictures",
        problem="; ".join(problems[:5]) + (f" and {len(problems) - 5} more" if len(problems) > 5 else ""),
        exit_code=5 if problems else 0,
    )


def _picture(path: Path) -> str:
    if not path.is_file():
        return f"{path.name} is missing"
    return "" if sha256_file(path) == path.stem else f"{path.name} is damaged"


def _site(site: Path) -> Iterator[Check]:
    from quitboard.site.output import SUMS

    sums = site / SUMS
    if not sums.is_file():
        return
    listed = [line.partition("  ")[::2] for line in sums.read_text("utf-8").splitlines()]
    problems = [
        f"{path} is missing" if not (site / path).is_file() else f"{path} was changed"
        for digest, path in listed
        if not (site / path).is_file() or sha256_file(site / path) != digest
    ]
    yield Check(
        name=site.name,
        found=f"sound, {len(listed)} files",
        problem="; ".join(problems[:5]) + (f" and {len(problems) - 5} more" if len(problems) > 5 else ""),
        exit_code=5 if problems else 0,
    )


def _withdrawn(board: Board) -> Iterator[Check]:
    """Look in all that the board keeps for what was withdrawn, by name and by time span."""
    from quitboard.operate.own_files import OwnFiles

    try:
        with connection.opened(board.database, read_only=True) as opened:
            guard, due = withdrawals.guard(opened), withdrawals.due(opened)
    except QuitBoardError:
        return  # said already
    if not guard:
        return
    own = OwnFiles(board)
    found = own.find_in_zips(guard)
    shown = sorted({path.name for path in (*own.pictures(guard.media), *found.held, *found.unfit)})
    problems = [f"{len(shown)} files still hold some, for example {shown[0]}"] if shown else []
    problems += [f"still due at {place or 'the board itself'}" for place in due]
    yield Check(
        name="withdrawn",
        found=f"gone, {len(guard.media)} pictures of {len(guard.withdrawals)} withdrawals",
        problem="; ".join(problems) + (". Run: quitboard withdraw" if problems else ""),
        exit_code=5 if problems else 0,
    )
