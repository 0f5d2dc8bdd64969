"""Small sites, and places to publish them at, each looked at past QuitBoard: through boto3, git or the disk."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any, Protocol

import boto3

from quitboard.files import sha256_bytes
from quitboard.settings import PublishSettings, Settings
from quitboard.site.generations import locked_target, put_in_place
from quitboard.site.output import Staging, begin, finish
from quitboard.site.publish.opening import open_target
from quitboard.site.publish.target import OWN_FOLDER, Target

KINDS = ("s3", "gh-pages", "folder")
BUCKET = "board-tests"


def make_site(out: Path, files: Mapping[str, bytes]) -> Path:
    """Put a site with these files in the place of the one at `out`, as build-site does; the old one is kept."""
    with locked_target(out):
        begin(out)
        staging = Staging(out, ())
        for path, content in files.items():
            staging.put(path, content)
        fingerprint = sha256_bytes(repr(sorted(staging.sums.items())).encode())
        put_in_place(out, finish(out, staging.sums, staging.total_bytes, fingerprint), is_worth_keeping=True)
    return out


def cases(*shown: str) -> dict[str, bytes]:
    """Return a site's files: each of `shown` is a case and its picture, "a1": case a with its first picture."""
    files = {
        "assets/style.css": b"body { color: black }",
        "data/cases.csv": "\n".join(shown).encode(),
        "feed.atom": f"<feed>{shown}</feed>".encode(),
        ".nojekyll": b"",
    }
    links = []
    for case, picture in (name[:2].ljust(2) for name in shown):
        media = f"media/{case}{picture}/{case}{picture}.jpg"
        files[media] = f"picture {picture} of {case}".encode()
        files[f"v/{case}/index.html"] = _page(f"../../{media}", "../../assets/style.css")
        files[f"en/v/{case}/index.html"] = _page(f"../../../{media}", "../../../assets/style.css")
        links.append(f"v/{case}/index.html")
    files["index.html"] = _page("assets/style.css", *links)
    files["violations/all/index.html"] = _page(*(f"../../{link}" for link in links))
    return files


def _page(*links: str) -> bytes:
    return b"<!doctype html>\n" + "".join(f'<a href="{link}">.</a>\n' for link in links).encode()


def broken_links(content: Mapping[str, bytes]) -> list[str]:
    """Return every link of a page that leads to nothing."""
    return [
        f"{path} -> {link}"
        for path, page in content.items()
        if path.endswith(".html")
        for link in re.findall(r'href="([^"]+)"', page.decode())
        if normpath(join(dirname(path), link)) not in content
    ]


class Place(Protocol):
    """Somewhere to publish at, empty at first."""

    text: str

    def target(self, *, board: str = "board") -> Target:
        """Return the target, as a process of its own would have it; another `board` is another machine's."""

    def content(self) -> dict[str, bytes]:
        """Return what a reader gets, by path; what QuitBoard keeps there for itself is left out."""

    def add_foreign(self, path: str) -> None:
        """Put something there that is not QuitBoard's."""


@dataclass
class Bucket:
    folder: Path
    endpoint: str
    text: str = field(default_factory=lambda: f"s3://{BUCKET}/{uuid.uuid4().hex[:8]}")
    shares_client: bool = True

    def __post_init__(self) -> None:
        client_of(self.endpoint)

    @property
    def prefix(self) -> str:
        return f"{self.text.removeprefix(f's3://{BUCKET}/')}/"

    @property
    def client(self) -> Any:
        return client_of(self.endpoint)

    def target(self, *, board: str = "board", **settings: str) -> Target:
        chosen = Settings(publish=PublishSettings(endpoint_url=self.endpoint, **settings))
        target = open_target(self.text, chosen, board=self.folder / board)
        if self.shares_client:  # to make one takes longer than a whole publish here
            target.__dict__["client"] = _shared_client(self.endpoint, target)  # type: ignore[attr-defined]
        return target

    def objects(self) -> dict[str, Any]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self.prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {key.removeprefix(self.prefix): self.client.get_object(Bucket=BUCKET, Key=key) for key in keys}

    def content(self) -> dict[str, bytes]:
        return {path: found["Body"].read() for path, found in self.objects().items() if not path.startswith(OWN_FOLDER)}

    def add_foreign(self, path: str) -> None:
        self.client.put_object(Bucket=BUCKET, Key=self.prefix + path, Body=b"theirs")


_clients: dict[str, Any] = {}
_published_with: dict[str, Any] = {}


def _shared_client(endpoint: str, target: Any) -> Any:
    if endpoint not in _published_with:
        _published_with[endpoint] = target.client
    return _published_with[endpoint]


def client_of(endpoint: str) -> Any:
    """Return a client that knows nothing of QuitBoard, with the bucket made."""
    if endpoint not in _clients:
        _clients[endpoint] = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        _clients[endpoint].create_bucket(Bucket=BUCKET)
    return _clients[endpoint]


@dataclass
class Repository:
    folder: Path
    text: str = "gh-pages"

    def __post_init__(self) -> None:
        self.remote = self.folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(self.remote)], check=True)
        # As GitHub is set up; without it git sends all files, which works and takes longer.
        self.git("config", "uploadpack.allowFilter", "true")

    def target(self, *, board: str = "board", **settings: str) -> Target:
        chosen = Settings(publish=PublishSettings(repository=str(self.remote), **settings))
        return open_target(self.text, chosen, board=self.folder / board)

    def git(self, *words: str, stdin: bytes = b"") -> bytes:
        command = ["git", "-C", str(self.remote), *words]
        return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout

    def content(self) -> dict[str, bytes]:
        if not self.git("for-each-ref", "refs/heads/gh-pages"):
            return {}
        with tarfile.open(fileobj=io.BytesIO(self.git("archive", "gh-pages"))) as archive:
            found = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
            return {name: file.read() for name, file in found.items() if file and not name.startswith(OWN_FOLDER)}

    def add_foreign(self, path: str) -> None:
        blob = self.git("hash-object", "-w", "--stdin", stdin=b"theirs").decode().strip()
        tree = self.git("mktree", stdin=f"100644 blob {blob}\t{path}\n".encode()).decode().strip()
        who = ("-c", "user.name=them", "-c", "user.email=them@example.org")
        commit = self.git(*who, "commit-tree", tree, "-m", "theirs").decode().strip()
        self.git("update-ref", "refs/heads/gh-pages", commit)


@dataclass
class Folder:
    folder: Path

    def __post_init__(self) -> None:
        self.root = self.folder / "public"
        self.text = str(self.root)

    def target(self, *, board: str = "board") -> Target:
        return open_target(self.text, Settings(), board=self.folder / board)

    def content(self) -> dict[str, bytes]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        named = {path.relative_to(self.root).as_posix(): path.read_bytes() for path in files}
        return {path: content for path, content in named.items() if not path.startswith((OWN_FOLDER, ".quitboard-"))}

    def add_foreign(self, path: str) -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / path).write_bytes(b"theirs")
