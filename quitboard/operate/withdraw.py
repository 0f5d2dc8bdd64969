"""`quitboard withdraw`: published evidence is taken back everywhere, for good.

    record it · media and pages at every target · the board's own copies · a new site · the rest at every target · look

The first step is one transaction: from then on nothing new shows what was withdrawn, whatever happens. Every later step
does what is left to do, so that a command that was killed, or that a target refused, is finished by running it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quitboard import files
from quitboard.console import Talk
from quitboard.database import withdrawals
from quitboard.database.connection import opened
from quitboard.database.withdrawals import OWN_FILES, Struck
from quitboard.errors import DatabaseError, Locked, QuitBoardError, TargetRefused, UsageError
from quitboard.ingest.load import Target as Ingested
from quitboard.ingest.load import file_errors_named
from quitboard.operate import pipeline
from quitboard.operate.boards import Board
from quitboard.operate.due import Due, alone, listed_paths, withdrawn_paths
from quitboard.operate.own_files import OwnFiles
from quitboard.records import SetAside
from quitboard.site.output import base_url_of

if TYPE_CHECKING:
    from quitboard.site.publish.target import Target

_ID = re.compile(r"[0-9a-f]{4,64}")
"""Ids have 32 digits; of one that lost some on the way, the board can name the nearest."""
_PAGE = re.compile(r"(?:^|/)(?:v|withdrawn)/([^/]*)(?:/|$)")
_LONGEST_LINK = 2000
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTarget:
    """What came of one target."""

    name: str
    problem: str = ""  # empty: asked, and nothing is left there
    media_gone_s: float | None = None  # from the start of the command until the target said that the media are gone
    notes: tuple[str, ...] = ()  # what cannot be promised there


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did, or with `dry_run` would do."""

    dry_run: bool
    asked: tuple[str, ...]
    already: tuple[str, ...]  # of those asked, withdrawn before
    struck: tuple[Struck, ...]
    pictures: int  # files of pictures that were on this board
    bundles: tuple[str, ...]  # names of zips that held some
    targets: tuple[AtTarget, ...]
    left: tuple[SetAside, ...]  # what of the board's own files could not be done
    seconds: float

    @property
    def is_nothing(self) -> bool:
        return not (self.struck or self.pictures or self.bundles or self.targets or self.left)

    def as_plain(self) -> dict[str, object]:
        """Return plain values for `--json`."""
        return {
            "dry_run": self.dry_run,
            "asked": list(self.asked),
            "already": list(self.already),
            "struck": [
                {"id": one.id, "kind": one.kind, "camera_id": one.camera_id, "day": one.day, "why": one.why,
                 "pictures": len(one.pictures)}
                for one in self.struck
            ],
            "pictures": self.pictures,
            "bundles": list(self.bundles),
            "targets": [
                {"name": one.name, "problem": one.problem, "media_gone_s": one.media_gone_s, "notes": list(one.notes)}
                for one in self.targets
            ],
            "left": [{"name": one.name, "reason": one.reason, "todo": one.todo} for one in self.left],
            "seconds": round(self.seconds, 2),
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """Yield what is said of it."""
        would = "would be " if self.dry_run else ""
        said = {
            "asked": f"{would}withdrawn",
            "same seconds": f"{would}hidden with it: it shows the same seconds",
            "same picture": f"{would}shown without its picture: it is one that was withdrawn",
        }
        for violation_id in self.already:
            yield f"{violation_id}: withdrawn already"
        for one in self.struck:
            yield f"{one.id}: {said[one.why]} ({one.kind}, {one.camera_id}, {one.day}; {len(one.pictures)} pictures)"
        if self.pictures or self.bundles:
            yield f"on this board: {self.pictures} pictures {would}deleted, {len(self.bundles)} bundles {would}struck"
        for target in self.targets:
            if target.problem:
                yield f"{target.name}: NOT taken back yet: {target.problem}"
            elif self.dry_run:
                yield f"{target.name}: would be taken back"
            else:
                after = "" if target.media_gone_s is None else f", media after {target.media_gone_s:.1f} s"
                yield f"{target.name}: taken back{after}; asked, and nothing is left"
            yield from target.notes
        if self.is_nothing:
            yield "nothing to do: what was withdrawn is gone everywhere"


def violation_id(text: str) -> str:
    """Return the id that a reader's text names: an id, a page's address, or a page's path.

    Raises:
        UsageError: it names none.
    """
    plain = text.strip()
    if _ID.fullmatch(plain.lower()):
        return plain.lower()
    found: list[str] = []
    if len(plain) <= _LONGEST_LINK:
        try:
            path = urllib.parse.unquote(urllib.parse.urlsplit(plain).path, errors="strict").replace("\\", "/")
        except ValueError:
            path = ""
        found = [part.lower() for part in _PAGE.findall(path)]
    if len(found) == 1 and _ID.fullmatch(found[0]):
        return found[0]
    shown = repr(plain if len(plain) <= 80 else plain[:77] + "...")
    raise UsageError(
        f"{shown} names no case", todo="Give the id, 32 letters and digits, or the address of its page: .../v/ID/"
    )


def withdraw(
    board: Board,
    texts: Sequence[str],
    *,
    reason: str,
    talk: Talk,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Outcome:
    """Take evidence back everywhere, and finish what earlier commands could not.

    Args:
        texts: ids, or addresses or paths of their pages; none: only finish what is due.
        reason: for the board's own records; it is never published.

    Returns:
        What was done and what is still due: `targets` with a problem, and `left`.

    Raises:
        UsageError: an id is unknown, or the reason is missing.
        Locked: an ingest or a build is at work, or another withdrawal.
        DatabaseError, DiskFull, SettingsError: what was recorded stands; the same command continues.
    """
    start = time.monotonic()
    now = now or datetime.now(UTC)
    asked = list(dict.fromkeys(violation_id(text) for text in texts))
    _check_reason(reason)
    if not board.database.exists():
        raise DatabaseError("there is no database yet", where=board.database.name, todo="Is this the board's folder?")
    if dry_run:
        return _plan(board, asked, start)
    own = OwnFiles(board)
    with contextlib.ExitStack() as stack:
        stack.enter_context(file_errors_named())
        stack.enter_context(files.locked(Ingested(database=board.database, media=board.media).lock, what="board"))
        with opened(board.database) as connection:
            _refuse_unknown(withdrawals.unknown(connection, asked))
            already = withdrawals.already(connection, asked)
            if len(already) < len(asked) and not reason.strip():
                raise UsageError("a withdrawal needs a reason", todo="For your own records, never published: --reason")
            struck = withdrawals.withdraw(connection, asked, reason=reason.strip(), now=now)
            guard = withdrawals.guard(connection)
            due = withdrawals.due(connection)
            media, cases = withdrawals.of_withdrawals(connection, {one for ids in due.values() for one in ids})
        targets = _Targets(board, [place for place in due if place != OWN_FILES], Due(media, cases), talk, start)
        targets.take_media_back()
        stack.enter_context(targets.held())
        pictures = own.take_off_the_site(guard.media)
        found = own.find_in_zips(guard)
        if found.pictures:
            with opened(board.database) as connection:
                withdrawals.remember(connection, found.pictures)
                guard = withdrawals.guard(connection)
        gone, left = own.strike(guard, found)
        pictures += gone
        if targets.outcomes or (board.site.is_dir() and (due or pictures)):
            pipeline.build_site(board, None, talk=talk, base_url=base_url_of(board.site) or None)
            targets.publish()
        left += [
            SetAside(name=path.name, reason="it is still there", todo="Run the same command again")
            for path in own.pictures(guard.media)
            if not left
        ]
        done = [name for name, outcome in targets.outcomes.items() if not outcome.problem]
        with opened(board.database) as connection:
            for place in done if left else [OWN_FILES, *done]:
                withdrawals.taken_back(connection, place, due.get(place, ()), now=now)
    return Outcome(
        dry_run=False,
        asked=tuple(asked),
        already=tuple(already),
        struck=tuple(struck),
        pictures=pictures,
        bundles=tuple(path.name for path in (*found.held, *found.unfit)),
        targets=tuple(targets.outcomes.values()),
        left=tuple(left),
        seconds=time.monotonic() - start,
    )


def _check_reason(reason: str) -> None:
    if len(reason) > _LONGEST_REASON or any(ord(letter) < 32 for letter in reason):
        raise UsageError(f"a reason is one line of at most {_LONGEST_REASON} letters", where="--reason")


def _refuse_unknown(unknown: dict[str, list[str]]) -> None:
    for wrong, near in unknown.items():
        todo = f"Did you mean {' or '.join(near)}?" if near else "Nothing was withdrawn"
        raise UsageError("this board knows no case of this id", where=wrong, todo=todo)


def _plan(board: Board, asked: Sequence[str], start: float) -> Outcome:
    with opened(board.database, read_only=True) as connection:
        _refuse_unknown(withdrawals.unknown(connection, asked))
        already = withdrawals.already(connection, asked)
        fresh = [one for one in asked if one not in already]
        struck = withdrawals.would_strike(connection, fresh)
        guard = withdrawals.guard(connection, fresh)
        due = withdrawals.due(connection)
        targets = sorted({*(place for place in due if place), *(withdrawals.targets(connection) if struck else ())})
    own = OwnFiles(board)
    found = own.find_in_zips(guard)
    media = {**guard.media, **{sha256: extension for sha256, (extension, _) in found.pictures.items()}}
    return Outcome(
        dry_run=True,
        asked=tuple(asked),
        already=tuple(already),
        struck=tuple(struck),
        pictures=len(own.pictures(media)),
        bundles=tuple(path.name for path in (*found.held, *found.unfit)),
        targets=tuple(AtTarget(name=name) for name in targets),
        left=(),
        seconds=time.monotonic() - start,
    )


class _Targets:
    """The places that a withdrawal has to be taken back from, one after the other; one that refuses stops no other."""

    def __init__(self, board: Board, places: Sequence[str], due: Due, talk: Talk, start: float) -> None:
        self._board, self._due, self._talk, self._start = board, due, talk, start
        self.outcomes = {place: AtTarget(name=place) for place in places}
        self._opened: dict[str, Target] = {}
        self._paths: dict[str, list[str]] = {}

    def take_media_back(self) -> None:
        """Delete media, then the pages that show them, and ask each target whether they are gone."""
        from quitboard.site.publish.opening import open_target
        from quitboard.site.publish.run import take_back

        for place in self.outcomes:
            self._talk.note(f"taking it back from {place}")
            with self._problem_noted(place):
                self._opened[place] = target = open_target(place, self._board.settings, board=self._board.folder)
                self._paths[place] = self._due.paths_among(listed_paths(target))
                done = take_back(target, self._paths[place])
                self.outcomes[place] = dataclasses.replace(
                    self.outcomes[place], media_gone_s=time.monotonic() - self._start, notes=done.caveats
                )

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold all publishing of the board. One at work may bring back what it has read: then everything stays due."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(alone(self._board))
            except Locked as error:
                self.outcomes = {
                    place: dataclasses.replace(outcome, problem=outcome.problem or str(error))
                    for place, outcome in self.outcomes.items()
                }
            yield

    def publish(self) -> None:
        """Bring lists, search, feeds, data and tombstones to what the new site says, and ask once more."""
        from quitboard.site.publish.run import publish

        withdrawn = withdrawn_paths(self._board)
        for place, outcome in self.outcomes.items():
            if outcome.problem:
                continue
            with self._problem_noted(place):
                if not self._board.settings.publish.consent:
                    raise TargetRefused(
                        "media and pages are gone; lists there still name the case, for publishing is off",
                        todo="Set [publish] consent = true and run: quitboard withdraw; or take that site down",
                    )
                target = self._opened[place]
                publish(self._board.site, target, allow_delete=True, withdrawn=withdrawn)
                if left := [path for path in self._due.media_among(self._paths[place]) if target.holds(path)]:
                    raise TargetRefused(f"{left[0]} is there again", todo="Is another board publishing there?")

    @contextlib.contextmanager
    def _problem_noted(self, place: str) -> Iterator[None]:
        try:
            yield
        except (QuitBoardError, OSError) as error:
            said = str(error).removeprefix(f"{place}: ")
            self.outcomes[place] = dataclasses.replace(self.outcomes[place], problem=said)
