"""After a withdrawal no byte of the picture, nor of what was made of it, nor its name, is anywhere that is ours.

Looked at past QuitBoard: every file of the board and every member of its zips, every object and version of a real
bucket, every object that the branch of a real repository leads to, every file of a folder; compressed ones unpacked.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from quitboard.errors import DamageFound, TargetRefused
from quitboard.files import sha256_bytes
from quitboard.operate.boards import Board, open_board
from quitboard.operate.withdraw import Outcome, withdraw
from quitboard.site.media import stem_of
from tests import withdrawn_board
from tests.published import BUCKET, Bucket, Folder, Repository
from tests.withdrawn_board import ASKED, QUIET


class Published:
    """A board that is published at one place of each sort, and everything that a stranger could get there."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        (folder / "repository").mkdir(parents=True)
        self.folder = Folder(folder)
        self.repository = Repository(folder / "repository")
        self.bucket = Bucket(folder, endpoint)
        withdrawn_board.make(folder / "board")
        settings = folder / "board" / "quitboard.toml"
        settings.write_text(
            f'{withdrawn_board.SETTINGS}endpoint_url = "{endpoint}"\nrepository = "{self.repository.remote}"\n'
            f'[site]\nbase_url = "https://example.org/board/"\n'
        )
        self.board: Board = open_board(folder / "board")
        self.publish()

    def publish(self) -> None:
        withdrawn_board.publish(self.board, self.folder.text, self.repository.text, self.bucket.text)

    def everything(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.folder.root.rglob("*")):
            if path.is_file():
                yield f"folder {path.relative_to(self.folder.root)}", path.read_bytes()
        for name in self.repository.git("ls-tree", "-r", "-z", "--name-only", "gh-pages").decode().split("\0")[:-1]:
            yield f"branch {name}", self.repository.git("cat-file", "blob", f"gh-pages:{name}")
        versions = self.bucket.client.list_object_versions(Bucket=BUCKET, Prefix=self.bucket.prefix)
        for found in versions.get("Versions", ()):
            got = self.bucket.client.get_object(Bucket=BUCKET, Key=found["Key"], VersionId=found["VersionId"])
            yield f"bucket {found['Key']} {found['VersionId']}", got["Body"].read()
        for path, found in self.bucket.objects().items():
            yield f"bucket {path}", found["Body"].read()

    def branch_history(self) -> list[str]:
        return self.repository.git("rev-list", "gh-pages").decode().split()


def unpacked(content: bytes) -> bytes:
    """Return a file and, where it is compressed, what is in it."""
    with contextlib.suppress(OSError, EOFError, zlib.error):
        return content + gzip.decompress(content)
    return content


def names(pictures: list[bytes]) -> list[bytes]:
    """Return what pages call these pictures: their hash, and the beginning of it that is part of a path."""
    return [stem_of(sha256_bytes(content)).rpartition("/")[2].encode() for content in pictures]


def showing(pieces: list[bytes], found: Iterator[tuple[str, bytes]]) -> list[str]:
    held = []
    for name, content in found:
        whole = unpacked(content)
        if any(piece in whole or piece in name.encode() for piece in pieces):
            held.append(name)
    return held


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str) -> Published:
    return Published(tmp_path_factory.mktemp("published"), s3_endpoint)


@pytest.fixture(scope="module")
def pieces(published: Published) -> list[bytes]:
    """All bytes that may be nowhere: pictures, what the site makes of them; and for the public, their names too."""
    secret = withdrawn_board.secret_pictures()
    return [*secret, *withdrawn_board.encodings(published.board, secret)]


@pytest.fixture(scope="module")
def before(published: Published, pieces: list[bytes]) -> dict[str, list[str]]:
    return {
        "board": withdrawn_board.holding(pieces, published.board.folder),
        "public": showing(pieces, published.everything()),
    }


@pytest.fixture(scope="module")
def outcome(published: Published, before: dict[str, list[str]]) -> Outcome:
    assert before
    return withdraw(published.board, (f"https://example.org/board/v/{ASKED.id}/",), reason="asked", talk=QUIET)


def test_the_search_finds_the_picture_everywhere_while_it_is_published(before: dict[str, list[str]]) -> None:
    # What follows finds nothing: that says something only because this finds much.
    places = {name.split(" ")[0] for name in before["public"]}
    assert places == {"folder", "branch", "bucket"}
    rooms = {name.split("/")[0] for name in before["board"]}
    assert {"media", "bundles", "cache", "site", ".site.generations"} <= rooms
    assert any(".zip: media/" in name for name in before["board"])
    assert any(".journal/evidence" in name for name in before["board"])


def test_no_byte_of_it_is_in_any_file_of_the_board(published: Published, pieces: list[bytes], outcome: Outcome) -> None:
    assert not outcome.left
    assert withdrawn_board.holding(pieces, published.board.folder) == []


def test_no_byte_of_it_and_no_name_is_at_any_target(
    published: Published, pieces: list[bytes], outcome: Outcome
) -> None:
    assert [target.problem for target in outcome.targets] == ["", "", ""]
    assert showing([*pieces, *names(withdrawn_board.secret_pictures())], published.everything()) == []


def test_nothing_public_says_more_of_the_case_than_that_it_was_withdrawn(
    published: Published, outcome: Outcome
) -> None:
    assert outcome.struck
    told = showing([ASKED.id.encode()], published.everything())
    paths = {name.split(" ")[1].removeprefix(published.bucket.prefix) for name in told}
    pages = {f"{start}{room}/{ASKED.id}/index.html" for start in ("", "en/") for room in ("v", "withdrawn")}
    # The sums name the tombstones; what a reader saved finds there that it is gone.
    assert {path for path in paths if not path.startswith((".quitboard/", "data/cards/", "SHA256SUMS"))} <= pages


def test_the_branch_has_no_history_that_leads_back_to_it(published: Published, outcome: Outcome) -> None:
    assert outcome.targets
    assert len(published.branch_history()) == 1
    assert any("GitHub may serve an old commit" in note for target in outcome.targets for note in target.notes)


def test_the_site_that_held_it_is_not_published_again(
    published: Published, outcome: Outcome, tmp_path: Path, pieces: list[bytes]
) -> None:
    assert outcome.targets
    sums = published.board.site / "SHA256SUMS"
    text = sums.read_text()
    path = f"{stem_of(sha256_bytes(withdrawn_board.secret_pictures()[0]))}-64.jpg"
    restored = published.board.site / path
    restored.parent.mkdir(parents=True, exist_ok=True)
    restored.write_bytes(pieces[0])
    sums.write_text("".join(sorted([*text.splitlines(keepends=True), f"{sha256_bytes(pieces[0])}  {path}\n"])))
    try:
        with pytest.raises((DamageFound, TargetRefused)):
            published.publish()
    finally:
        restored.unlink()
        sums.write_text(text)
    assert showing(pieces, published.everything()) == []


def test_an_hour_later_another_publish_brings_nothing_back(
    published: Published, outcome: Outcome, pieces: list[bytes]
) -> None:
    assert outcome.targets
    published.publish()
    assert showing(pieces, published.everything()) == []
    assert withdrawn_board.holding(pieces, published.board.folder) == []
