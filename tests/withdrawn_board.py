"""A board that was published to a folder, small enough to be withdrawn from a hundred times, and what of it is left."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path

from quitboard import files
from quitboard.bundle import form
from quitboard.console import Talk
from quitboard.database.connection import opened
from quitboard.operate import pipeline, publishing
from quitboard.operate.boards import Board, open_board
from quitboard.records import ModelCard
from tests import bundles

DAY = datetime.now(UTC).date()
NOW = datetime.combine(DAY, time(), UTC)  # the same in every process
QUIET = Talk(quiet=True, as_json=True)
SOURCE = bundles.recording(day=DAY)
OLDER = ModelCard(name="older", sha256="e" * 64)

ASKED = bundles.violation(10, SOURCE)
SAME_SECONDS = bundles.violation(12, SOURCE, kind="two_up")
SAME_PICTURE = bundles.violation(40, SOURCE)
OTHERS = tuple(bundles.violation(number, SOURCE) for number in (100, 200, 300))

SETTINGS = """
[board]
operator = "Somebody"
contact = "who@example.org"

[publish]
consent = true
"""


def make(folder: Path) -> Board:
    """Make a board whose day was looked at twice: first by an older model, whose pictures were others."""
    folder.mkdir(parents=True)
    (folder / "quitboard.toml").write_text(SETTINGS)
    board = open_board(folder)
    for first, model in ((500, OLDER), (0, bundles.MODEL)):
        rows, media = bundles.pictured([ASKED, SAME_SECONDS, *OTHERS], first=first)
        shared = bundles.replace(
            SAME_PICTURE, still_sha256=rows[0].still_sha256, clip_sha256=rows[0].clip_sha256, evidence_note=""
        )
        bundles.make(
            board.bundles / f"gate-3_{DAY}.zip", recordings=[SOURCE], violations=[*rows, shared], media=media, day=DAY,
            model=model,
        )  # fmt: skip
        evidence = board.bundles / ".journal" / "evidence"
        evidence.mkdir(parents=True, exist_ok=True)
        for content in media.values():
            (evidence / f"{files.sha256_bytes(content)}{_suffix(content)}").write_bytes(content)
        pipeline.ingest(board, [board.bundles], talk=QUIET)
        pipeline.build_site(board, None, talk=QUIET)
    return board


def _suffix(content: bytes) -> str:
    return Path(form.media_name("x", content)).suffix


def publish(board: Board, *targets: str) -> None:
    publishing.publish(board, targets, talk=QUIET)


def secret_pictures() -> list[bytes]:
    """Return what may be nowhere any longer: the pictures of both withdrawn cases, by both models."""
    return [make(number) for first in (0, 500) for number in (first, first + 1) for make in (bundles.jpeg, bundles.gif)]


def other_pictures() -> list[bytes]:
    return [make(number) for number in (2, 3, 4) for make in (bundles.jpeg, bundles.gif)]


def encodings(board: Board, pictures: list[bytes]) -> list[bytes]:
    """Return what the site makes of pictures, byte for byte."""
    from quitboard.site.media import encode_clip, encode_still

    return [
        encoded
        for content in pictures
        for encoded in (encode_clip if _suffix(content) == ".gif" else encode_still)(content)[0].values()
    ]


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below folders, and every member of every zip, with its name."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            yield str(path.relative_to(folder)), content
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        yield f"{path.relative_to(folder)}: {name}", archive.read(name)


def holding(pieces: list[bytes], *folders: Path) -> list[str]:
    """Return the names of files, and of members of zips, in which any of some pieces lies."""
    return [name for name, content in contents(*folders) if any(piece in content for piece in pieces)]


def state(board: Board, *folders: Path) -> dict[str, object]:
    """Return all that a board and its targets say, apart from when it was said."""
    with opened(board.database, read_only=True) as connection:
        rows = {
            table: sorted(map(repr, connection.execute(sql).fetchall()))
            for table, sql in {
                "violation_info": "SELECT COLUMNS(*)::VARCHAR FROM violation_info",
                "media": "FROM media",
                "withdrawal": "SELECT id, camera_id, started_at::VARCHAR, ended_at::VARCHAR, reason FROM withdrawal",
                "withdrawn_media": "FROM withdrawn_media",
                "withdrawn_violation": "FROM withdrawn_violation",
                "due": "SELECT withdrawal_id, place, gone_at IS NULL FROM take_back",
            }.items()
        }
    found = {}
    for folder in (board.folder, *folders):
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder.parent))
            if path.is_file() and not _is_unsteady(name):
                found[name] = files.sha256_file(path)
    return {**rows, "files": found}


def _is_unsteady(name: str) -> bool:
    """Tell what may differ from run to run: locks, the database's own file, what a cache or a target remembers."""
    return name.endswith((".duckdb", ".lock", "/lock", "manifest.json")) or "/cache/" in name
