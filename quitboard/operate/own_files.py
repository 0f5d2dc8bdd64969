"""Where a board keeps pictures, and taking withdrawn ones out of all of them.

media/ab/<sha256>.jpg            what ingest stored
bundles/, done/, rejected/       the zips that brought them; a struck bundle stays a whole bundle
bundles/.journal/evidence/       what detect keeps to continue from
cache/                           what build-site encoded of them, what a killed publish left
site/, .site.generations/        what is shown, and was
"""

from __future__ import annotations

import contextlib
import glob
import mmap
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quitboard import files
from quitboard.database.withdrawals import Guard
from quitboard.detect.journal import FOLDER_NAME, Journal
from quitboard.errors import BundleError, Locked
from quitboard.ingest import inbox, media
from quitboard.ingest import strike as zips
from quitboard.operate.boards import Board
from quitboard.records import SetAside
from quitboard.site import generations
from quitboard.site import media as encoded
from quitboard.site.output import is_ours, staging_of

_MEMBER = re.compile(rb"media/([0-9a-f]{64})\.(?:jpg|gif)")
_AGAIN = "Run when it has finished: quitboard withdraw"


@dataclass(slots=True)
class ZipsFound:
    """What of a board's zips was withdrawn."""

    held: list[Path] = field(default_factory=list)
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)  # sha256 -> (extension, id of the withdrawal)
    unfit: list[Path] = field(default_factory=list)  # no bundle that can be read, yet it names such a picture


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The files of a board that a withdrawal takes pictures out of."""

    board: Board

    @property
    def _journal(self) -> Path:
        return self.board.bundles / FOLDER_NAME

    @property
    def _cache(self) -> Path:
        return self.board.media.parent / "cache"

    def pictures(self, wanted: Mapping[str, str]) -> list[Path]:
        """Return the files that show withdrawn pictures (sha256 -> extension), zips aside."""
        found: list[Path] = []
        sites = list(self._sites())
        for sha256, extension in wanted.items():
            stored = media.path_of(self.board.media, f"{sha256}.{extension}")
            found += [stored, stored.with_name(f"{files.TEMPORARY_PREFIX}{stored.name}")]
            found.append(self._journal / "evidence" / f"{sha256}.{extension}")
            stem = encoded.stem_of(sha256)
            shelf, name = stem.split("/")[1:]
            for folder in (self._cache / "site" / shelf, *(site / "media" / shelf for site in sites)):
                found += folder.glob(f"{name}*")
                found += folder.glob(f"{files.TEMPORARY_PREFIX}{name}*")
        return [path for path in found if path.is_file()]

    def _sites(self) -> Iterator[Path]:
        """Yield the present site, the earlier ones, and what killed builds left."""
        site = self.board.site
        beside = site.parent.glob(f".{glob.escape(site.name)}.*") if site.parent.is_dir() else ()
        for folder in (site, staging_of(site), *beside, *generations.kept(site)):
            if folder.is_dir() and is_ours(folder):
                yield folder

    def take_off_the_site(self, wanted: Mapping[str, str]) -> int:
        """Delete withdrawn pictures from the present site at once; its pages follow with the next build."""
        gone = 0
        if is_ours(self.board.site):
            for sha256 in wanted:
                stem = encoded.stem_of(sha256)
                for path in (self.board.site / stem).parent.glob(f"{Path(stem).name}*"):
                    path.unlink(missing_ok=True)
                    gone += 1
        return gone

    def find_in_zips(self, guard: Guard) -> ZipsFound:
        """Look for what was withdrawn in every zip of the inbox. Changes nothing."""
        found = ZipsFound()
        torn: list[Path] = []
        for path in self._zips():
            try:
                held = zips.find(path, guard)
            except BundleError:
                torn.append(path)
                continue
            if held:
                found.held.append(path)
                found.pictures |= {sha256: told for sha256, told in held.pictures.items() if sha256 not in guard.media}
        found.unfit = [path for path in torn if _names_one(path, guard.media.keys() | found.pictures.keys())]
        return found

    def _zips(self) -> Iterator[Path]:
        for folder in (self.board.bundles, self.board.bundles / inbox.DONE, self.board.bundles / inbox.REJECTED):
            yield from zips.zips_of(folder)

    def strike(self, guard: Guard, found: ZipsFound) -> tuple[int, list[SetAside]]:
        """Take what was withdrawn out of everything but the site; return how many files went, and what is left.

        The caller holds the lock of ingest.
        """
        left: list[SetAside] = []
        for folder in (self.board.bundles / inbox.DONE, self.board.bundles / inbox.REJECTED):
            files.sweep_temporaries(folder)
        gone = [path for path in self.pictures(guard.media) if path.is_relative_to(self.board.media)]
        media.remove(self.board.media, (f"{sha256}.{extension}" for sha256, extension in guard.media.items()))
        count = len(gone) + encoded.forget(self._cache / "site", guard.media.keys())
        count += self._forget_published(left)
        waiting = [path for path in (*found.held, *found.unfit) if path.parent == self.board.bundles]
        with self._detect_held(left) as held:
            if held:
                files.sweep_temporaries(self.board.bundles)
                count += Journal(self._journal).forget(guard.media)
                self._strike_zips(waiting, guard, left)
            elif waiting:
                left += [
                    SetAside(name=path.name, reason="detect is at work beside it", todo=_AGAIN) for path in waiting
                ]
        self._strike_zips([path for path in (*found.held, *found.unfit) if path not in waiting], guard, left)
        count += generations.purge(self.board.site, list(guard.media)) if self.board.site.is_dir() else 0
        return count, left

    @contextlib.contextmanager
    def _detect_held(self, left: list[SetAside]) -> Iterator[bool]:
        """Hold detect's lock, where detect ever ran; yields False while it is at work, and says what that leaves."""
        with contextlib.ExitStack() as stack:
            if self._journal.is_dir():
                try:
                    stack.enter_context(files.locked(self._journal / "lock", what="output folder"))
                except Locked:
                    left.append(SetAside(name="detect", reason="it is at work and may hold the picture", todo=_AGAIN))
                    yield False
                    return
            yield True

    def _strike_zips(self, paths: list[Path], guard: Guard, left: list[SetAside]) -> None:
        for path in paths:
            try:
                zips.strike(path, guard)
            except BundleError as error:
                if path.parent.name == inbox.REJECTED:
                    # Nothing can be made of it but a picture that was taken back.
                    path.unlink(missing_ok=True)
                    continue
                left.append(
                    SetAside(name=path.name, reason=f"it names a withdrawn picture, but {error.what}", todo="Delete it")
                )

    def _forget_published(self, left: list[SetAside]) -> int:
        """Delete what a killed publish left of a git repository."""
        home = self._cache / "gh-pages"
        if not home.is_dir():
            return 0
        try:
            with files.locked(home.with_name(f".{home.name}.lock"), what="repository"):
                shutil.rmtree(home)
        except Locked:
            left.append(SetAside(name="publish", reason="it is at work and may hold the picture", todo=_AGAIN))
            return 0
        return 1


def _names_one(path: Path, pictures: Collection[str]) -> bool:
    """Tell whether a file that is no bundle holds a member of a withdrawn picture's name."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(found[1].decode() in pictures for found in _MEMBER.finditer(content))
    except (OSError, ValueError):  # empty, or gone meanwhile
        return False
