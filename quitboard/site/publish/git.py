"""GitHub Pages as a target: one commit without a parent, forced, so that what was withdrawn is in no history.

The system's own git does the work, with its keys and helpers. Nothing is cloned: of what is published only the names
are fetched, and only files that changed are sent. The same site makes the same commit.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from quitboard.errors import Locked, TargetRefused, UsageError
from quitboard.files import locked
from quitboard.settings import Settings
from quitboard.site.publish.target import (
    GH_PAGES,
    NOTHING,
    OWN_FOLDER,
    Contents,
    Published,
    generation_of,
    read_sums,
    sums_text,
)

SUMS = f"{OWN_FOLDER}SHA256SUMS"
_OLD = "refs/quitboard/old"
_PLAIN = "100644"
_AUTHOR = "QuitBoard <quitboard@localhost>"
_NO_TIME = "@0 +0000"  # a commit says what, not when: the same site is the same commit


class GitTarget:
    """A branch of a remote repository."""

    most_bytes: int | None = 1_000_000_000  # what GitHub lets a site weigh

    def __init__(self, place: str, settings: Settings, *, board: Path) -> None:
        """`place` is empty, or a remote's address and branch as an earlier `name` says."""
        address, _, branch = place.partition("#")
        self._branch = branch or settings.publish.branch
        self._url = _remote(address, settings.publish.repository, board)
        self._cname = settings.publish.cname
        if not re.fullmatch(r"\w[\w./-]*", self._branch) or ".." in self._branch:
            raise UsageError("this is no name of a branch", where=repr(self._branch), todo="Look at [publish] branch")
        if self._cname and not re.fullmatch(r"[A-Za-z0-9.-]+", self._cname):
            raise UsageError("this is no domain", where=repr(self._cname), todo="Look at [publish] cname")
        self._home = board.resolve() / "cache" / "gh-pages"
        self._held = ExitStack()
        self._is_open = False
        self._old = ""  # the commit that is published
        self._blobs: dict[str, str] = {}  # of the site that is published, by path; then of the one that is coming
        self._coming: dict[str, str] = {}

    @property
    def name(self) -> str:
        return f"{GH_PAGES}:{_without_secrets(self._url)}#{self._branch}"

    @property
    def caveats(self) -> tuple[str, ...]:
        kept = "nothing refers to it now, but GitHub may serve an old commit by its hash for a while"
        return (f"{self.name}: {kept}; to have it purged at once, write to GitHub's support",)

    def read(self) -> Published:
        self._open()
        self._fetch()
        if not self._old:
            return NOTHING
        if SUMS not in self._blobs:
            raise TargetRefused(
                f"the branch {self._branch!r} holds what QuitBoard did not put there", where=self.name,
                todo="Delete that branch, or name another one: [publish] branch",
            )  # fmt: skip
        sums = read_sums(self._git("cat-file", "blob", self._blobs[SUMS]).decode())
        extras = {path: _blob_id(content) for path, content in self._extras(sums).items()}
        is_right = self._blobs == {path: self._blobs.get(path) for path in sums} | extras
        return Published(sums=sums, generation=generation_of(sums), finished=is_right)

    def matching(self, paths: Collection[str], contents: Contents) -> set[str]:  # noqa: ARG002
        """A push is whole or not at all: nothing is ever in doubt."""
        return set()

    def begin(self, sums: Mapping[str, str]) -> None:
        self._coming = dict(sums)

    def put(self, paths: Sequence[str], contents: Contents, done: Callable[[str], None]) -> None:
        with self._importing() as stream:
            for path in paths:
                self._blobs[path] = stream(contents(path))
                done(path)

    def written(self) -> None:
        extras = self._extras(self._coming)
        with self._importing() as stream:
            ids = {path: stream(content) for path, content in extras.items()}
        ids = {path: self._blobs[path] for path in self._coming} | ids
        listing = "".join(f"{_PLAIN} {ids[path]}\t{path}\0" for path in sorted(ids))
        (self._home / "index").unlink(missing_ok=True)
        self._git("update-index", "-z", "--index-info", stdin=listing.encode())
        tree = self._git("write-tree", "--missing-ok").decode().strip()
        commit = self._git("commit-tree", tree, "-m", f"Site {generation_of(self._coming)[:12]}").decode().strip()
        self._push(commit)
        self._blobs = ids

    def delete(self, paths: Sequence[str]) -> None:
        """What `begin` did not name is not in the commit."""

    def refresh(self) -> None:
        """GitHub does so itself, within ten minutes."""

    def finish(self) -> None:
        """The push said everything."""

    def close(self) -> None:
        self._held.close()
        self._is_open = False

    def take_away(self, paths: Sequence[str]) -> None:
        """Nothing can go before the push, which takes all of it away at once."""

    def holds(self, path: str) -> bool:
        was_open = self._is_open
        self._open()
        try:
            self._fetch()
            return path in self._blobs
        finally:
            if not was_open:
                self.close()

    def _extras(self, sums: Mapping[str, str]) -> dict[str, bytes]:
        """Return the files beside the site's own: how GitHub is to treat it, and what it is."""
        extras = {".nojekyll": b"", SUMS: sums_text(sums).encode()}
        if self._cname:
            extras["CNAME"] = f"{self._cname}\n".encode()
        return extras

    # --- git

    def _open(self) -> None:
        if self._is_open:
            return
        self._held.enter_context(locked(self._home.with_name(".gh-pages.lock"), what="repository"))
        self._held.callback(shutil.rmtree, self._home, ignore_errors=True)  # pictures do not stay behind here
        shutil.rmtree(self._home, ignore_errors=True)
        self._is_open = True
        self._old, self._blobs = "", {}
        self._git("init", "--quiet", "--bare", "--template=", str(self._home))
        url = self._url.replace("\\", "\\\\").replace('"', '\\"')
        with (self._home / "config").open("a") as config:  # never in a command line: a token may stand in it
            config.write(f'[remote "target"]\n\turl = "{url}"\n\tpromisor = true\n\tpartialclonefilter = blob:none\n')

    def _fetch(self) -> None:
        """Learn what is published: the commit and its names, without the files where the server can leave them out."""
        ref = f"refs/heads/{self._branch}"
        listed = self._ask("ls-remote", "--", "target", ref).decode().split()
        found = listed[0] if listed else ""
        if found == self._old:
            return
        self._blobs = {}
        if found:
            self._ask("fetch", "--quiet", "--depth=1", "--no-tags", "--", "target", f"+{ref}:{_OLD}")
            found = self._git("rev-parse", _OLD).decode().strip()
            for line in self._git("ls-tree", "-r", "-z", _OLD).decode().split("\0"):
                if line:
                    what, _, path = line.partition("\t")
                    self._blobs[path] = what.split()[2]
        self._old = found

    def _push(self, commit: str) -> None:
        ref = f"refs/heads/{self._branch}"
        self._ask("push", "--quiet", f"--force-with-lease={ref}:{self._old}", "--", "target", f"{commit}:{ref}")
        self._old = commit

    def _importing(self) -> _Import:
        return _Import(["git", "fast-import", "--quiet", "--done"], self._home, self._environment())

    def _ask(self, *words: str) -> bytes:
        """Run git on something that speaks with the remote. Raises `TargetRefused`, `Locked`."""
        try:
            return self._git(*words)
        except subprocess.CalledProcessError as error:
            said = re.sub(r"://[^/@\s]+@", "://", error.stderr.decode(errors="replace")).strip()
            if "stale info" in said or "fetch first" in said or "cannot lock ref" in said:
                raise Locked(
                    "somebody else has published meanwhile", where=self.name, todo="Run the same command again"
                ) from None
            lines = [
                line for line in said.splitlines() if line.startswith(("fatal:", "error:", "remote: error:", " ! "))
            ]
            raise TargetRefused(
                f"git {words[0]} was refused ({' '.join(lines).strip() or said or error.returncode})", where=self.name,
                todo="Try it by hand: git ls-remote; its key must be allowed to force-push this branch",
            ) from None  # fmt: skip

    def _git(self, *words: str, stdin: bytes = b"") -> bytes:
        try:
            done = subprocess.run(
                ["git", *_SAFE, *words], cwd=self._home.parent, env=self._environment(), input=stdin,
                capture_output=True, check=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise TargetRefused("git is not installed", where=GH_PAGES, todo="Install git") from None
        return done.stdout

    def _environment(self) -> dict[str, str]:
        name, _, mail = _AUTHOR.rstrip(">").partition(" <")
        kept = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", name), ("EMAIL", mail), ("DATE", _NO_TIME))
        }
        place = {"GIT_DIR": str(self._home), "GIT_INDEX_FILE": str(self._home / "index")}
        return {**kept, **who, **place, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_ALLOW_PROTOCOL": _PROTOCOLS}


_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "push.recurseSubmodules=no")
_PROTOCOLS = "file:git:http:https:ssh"
_NOT_OURS = frozenset(
    ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
     "GIT_NAMESPACE", "GIT_COMMON_DIR", "GIT_PREFIX")
)  # fmt: skip


class _Import:
    """`git fast-import` as a context manager that yields a function: content in, its blob's id out."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._command, self._folder, self._environment = command, folder, environment

    def __enter__(self) -> Callable[[bytes], str]:
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=self._environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return self._take

    def _take(self, content: bytes) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(b"blob\ndata %d\n" % len(content) + content + b"\n")
        return _blob_id(content)

    def __exit__(self, kind: object, *_rest: object) -> None:
        with self._process:
            if kind is not None:
                self._process.kill()
                return
            said = self._process.communicate(b"done\n")[1]
        if self._process.returncode:
            raise TargetRefused(
                f"git could not take the files in ({said.decode(errors='replace').strip()[-200:]})", where=GH_PAGES,
                todo="Look whether the disk is full; then run the same command again",
            )  # fmt: skip


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _remote(address: str, repository: str, board: Path) -> str:
    """Return the remote's address: the named one, else that of the settings, else `origin` of the board's repository.

    An address that was remembered has no secrets; those of the settings are used where they mean the same place.
    """
    found = address or repository
    if address and _without_secrets(repository) == address:
        found = repository
    if not found:
        try:
            asked = subprocess.run(
                ["git", "-C", str(board), "remote", "get-url", "origin"], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            raise UsageError(
                "the board does not lie in a git repository with a remote named origin", where=GH_PAGES,
                todo="Name one in quitboard.toml: [publish] repository = \"git@github.com:NAME/REPOSITORY.git\"",
            ) from None  # fmt: skip
        found = asked.stdout.strip()
    if not re.fullmatch(r"[^-\x00-\x1f][^\x00-\x1f]*", found) or re.match(r"\w+::", found):
        raise UsageError(
            "this is no address of a git repository", where=repr(found), todo="Look at [publish] repository"
        )
    return found if ":" in found else str((board / found).resolve())


def _without_secrets(url: str) -> str:
    """Return an address without the password or token that may stand in it."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("http") or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
