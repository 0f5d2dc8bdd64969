"""`quitboard publish`: a board, its site, and the places it goes to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from quitboard.console import Talk
from quitboard.database import publications, withdrawals
from quitboard.database.connection import opened
from quitboard.errors import Locked, QuitBoardError, SettingsError, TargetRefused, UsageError
from quitboard.operate import due
from quitboard.operate.boards import Board
from quitboard.settings import SETTINGS_NAME

if TYPE_CHECKING:
    from quitboard.site.publish.run import Outcome
    from quitboard.site.publish.target import Target


def publish(
    board: Board,
    texts: Sequence[str],
    *,
    talk: Talk,
    dry_run: bool = False,
    rollback: bool = False,
    allow_delete: bool = False,
) -> list[Outcome]:
    """Publish the board's site at each of the targets, or at those of the settings where none is named.

    Raises:
        TargetRefused: consent, operator or contact are missing; or a target said no, with all others done.
        UsageError: there is no target, or nothing to roll back to.
        Locked: the board is being published or built, or its database is in use.
    """
    wanted = texts or board.settings.publish.targets
    if not wanted:
        raise UsageError(
            "no target is named", todo="Give s3://BUCKET/PREFIX, gh-pages or a folder, or set [publish] targets"
        )
    _check_cname(board)
    if dry_run:
        if missing := _missing(board):
            talk.note(f"not yet allowed to publish: {missing}")
    else:
        _refuse_without_consent(board)
    targets = [_open(board, text) for text in wanted]
    for remark in remarks(board, targets):
        talk.note(remark)
    done: list[Outcome] = []
    refused: list[QuitBoardError] = []
    with due.alone(board):
        for target in targets:
            try:
                done.append(_publish(board, target, talk, dry_run, rollback, allow_delete))
            except (TargetRefused, Locked) as error:
                refused.append(error)
    for other in refused[1:]:
        talk.err.print(f"quitboard: {other}", markup=False)
    if refused:
        raise refused[0]
    return done


def remarks(board: Board, chosen: Sequence[Target]) -> list[str]:
    """Return what an owner should know before publishing, in sentences."""
    if board.settings.site.base_url:
        return []
    lost = "feeds, sitemap, links between the languages for search engines, and a 404 page with working links"
    names = ", ".join(target.name for target in chosen)
    return [f"{SETTINGS_NAME} has no [site] base_url: {names} goes without {lost}"]


def _publish(board: Board, target: Target, talk: Talk, dry_run: bool, rollback: bool, allow_delete: bool) -> Outcome:
    from quitboard.site.publish import run

    if rollback:
        _roll_back(board, target, dry_run)
    with talk.progress(target.name, 0, unit=lambda _done, _elapsed: "") as meter:

        def shown(path: str, done: int, total: int) -> None:
            if done == 1:
                meter.restart(total)
            meter.advance(1, path)

        with contextlib.nullcontext() if dry_run else due.finishing(board, target):
            outcome = run.publish(
                board.site,
                target,
                allow_delete=allow_delete,
                dry_run=dry_run,
                withdrawn=due.withdrawn_paths(board),
                before_writing=lambda generation: _remember(board, target, generation),
                progress=shown,
            )
    for line in outcome.plan.lines() if dry_run else ():
        talk.say(line)
    done = "would be " if dry_run else ""
    talk.say(
        f"{target.name}: nothing to do"
        if outcome.is_unchanged
        else f"{target.name}: {outcome.plan.put_count} {done}put, {outcome.plan.delete_count} {done}deleted, "
        f"{outcome.plan.unchanged} unchanged"
    )
    return outcome


def _remember(board: Board, target: Target, generation: str) -> None:
    with opened(board.database) as connection:
        publications.record(connection, target.name, generation, datetime.now(UTC))


def _roll_back(board: Board, target: Target, dry_run: bool) -> None:
    """Let the site before the one that is published be the board's site, unless a killed roll-back did so already."""
    from quitboard.site import generations, output
    from quitboard.site.publish.target import generation_of

    try:
        shown = target.read().generation
    finally:
        target.close()
    with opened(board.database, read_only=True) as connection:
        published = publications.generations(connection, target.name)
        withdrawn = [one.id for one in withdrawals.guard(connection).withdrawals]
    present = generation_of(output.read_sums(board.site))
    if present != shown:
        if present in published:
            return
        raise UsageError(
            "the site was built since it was published, so that it is not clear what to go back to",
            where=board.site.name,
            todo="Look at it; publish it, or run build-site --rollback until it is what you want and publish that",
        )
    if dry_run:
        raise UsageError("a roll-back has no dry run", todo="Run build-site --rollback, then publish --dry-run")
    generations.roll_back(board.site, withdrawn)


def _open(board: Board, text: str) -> Target:
    from quitboard.site.publish.opening import open_target, place_of

    sort, place = place_of(text)
    if sort == "folder":
        root = Path(os.path.realpath(board.folder / Path(place).expanduser()))
        for ours in (board.site, board.media, board.bundles):
            real = Path(os.path.realpath(ours))
            if root.is_relative_to(real) or real.is_relative_to(root):
                raise UsageError(
                    f"this folder and the board's own {ours.name}/ lie in each other", where=text,
                    todo="Publish to a folder outside the board",
                )  # fmt: skip
    return open_target(text, board.settings, board=board.folder)


def _missing(board: Board) -> str:
    """Return what has to be set before anything may be published, in words; "" when nothing is missing."""
    wanted = {
        "[publish] consent = true": board.settings.publish.consent,
        "[board] operator": board.settings.board.operator.strip(),
        "[board] contact": board.settings.board.contact.strip(),
    }
    return ", ".join(name for name, value in wanted.items() if not value)


def _refuse_without_consent(board: Board) -> None:
    if missing := _missing(board):
        raise TargetRefused(
            f"publishing pictures from CCTV is a legal act; missing: {missing}", where=SETTINGS_NAME,
            todo=(
                "Whoever is responsible for the cameras must agree, and a reader must know whom to ask. Pictures stay "
                f"{board.settings.site.evidence_days} days ([site] evidence_days), and are taken down within "
                f"{board.settings.board.takedown_days} ([board] takedown_days): see docs/publish.md"
            ),
        )  # fmt: skip


def _check_cname(board: Board) -> None:
    cname, base_url = board.settings.publish.cname, board.settings.site.base_url
    if cname and base_url and urlsplit(base_url).hostname != cname.lower():
        raise SettingsError(
            f"[publish] cname {cname!r} and [site] base_url {base_url!r} name two hosts", where=SETTINGS_NAME,
            todo=f'Set base_url = "https://{cname}/"',
        )  # fmt: skip
