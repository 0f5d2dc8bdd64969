"""How a target of single files knows what it holds: a manifest that is lock and version, and lists of sums.

    .quitboard/manifest.json      {"generation": "ab…", "others": ["cd…"], "state": "writing", …}
    .quitboard/sums/ab….gz        what `sha256sum -c` reads, for each generation that the manifest names

    state     what the files are
    done      those of `generation`, no more and no less
    writing   each that of `generation` or of one of `others`, or absent where one of them lacks it
    sweeping  those of `generation`; some of `others` may be left over

The manifest changes only by a conditional write: of two who begin at once, one is refused. Whoever is killed leaves a
lock behind, which the same board takes over at once and another one after `LEASE_S` without a sign of life.
"""

from __future__ import annotations

import gzip
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Literal, Protocol, get_args

from quitboard.errors import Locked, TargetRefused
from quitboard.site.publish.target import IN_DOUBT, NOTHING, OWN_FOLDER, Published, generation_of, read_sums, sums_text

MANIFEST = f"{OWN_FOLDER}manifest.json"
FORMAT = 1
LEASE_S = 600.0
BEAT_S = 60.0
"""A lock shows a sign of life this often, so that a missed one or two do not lose it."""


State = Literal["done", "writing", "sweeping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file of the target: its content, the tag a conditional write is held against, its age by the target's clock."""

    content: bytes
    version: str
    age_s: float


class Store(Protocol):
    """What a ledger needs of a target."""

    def get(self, key: str) -> Found | None: ...

    def replace(self, key: str, content: bytes, version: str) -> str:
        """Write if the file is still of that version ("": absent); return the new one. Raises `Locked` if it is not."""

    def put_own(self, key: str, content: bytes) -> None: ...

    def delete_own(self, keys: Iterable[str]) -> None: ...

    def paths(self) -> Iterable[str]:
        """Return the paths of all files that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `manifest.json` says. `owner` and `run` tell whose a lock is; a finished manifest has neither."""

    generation: str
    others: tuple[str, ...] = ()
    state: State
    owner: str = ""
    run: str = ""
    beat: int = 0

    def to_bytes(self) -> bytes:
        return json.dumps({"made_by": "quitboard", "format": FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes, *, where: str) -> Manifest:
        """Raises `TargetRefused` where it is not a manifest, or that of a newer QuitBoard."""
        try:
            table = json.loads(content)
            made_by, form = table.pop("made_by"), table.pop("format")
            if made_by == "quitboard" and isinstance(form, int) and form > FORMAT:
                raise TargetRefused(
                    "a newer QuitBoard publishes here", where=where, todo="Publish with that one, or install it here"
                )
            manifest = cls(**{**table, "others": tuple(table["others"])})
            names = (manifest.generation, *manifest.others)
            is_known = made_by == "quitboard" and manifest.state in get_args(State)
            if not is_known or not all(re.fullmatch(r"[0-9a-f]*", name) for name in names):
                raise ValueError(names)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TargetRefused(
                f"{MANIFEST} there is not one of QuitBoard's, or damaged", where=where,
                todo="Look at what lies there; if it may go, empty the place and publish again",
            ) from None  # fmt: skip
        return manifest


class Ledger:
    """The manifest and sums of one target, and the lock that a publish holds on it."""

    def __init__(self, store: Store, *, name: str, owner: str) -> None:
        """`owner` names the board on this machine; a lock of the same owner is one that was left behind."""
        self._store, self._name, self._owner = store, name, owner
        self._run = uuid.uuid4().hex
        self._manifest: Manifest | None = None
        self._version = ""
        self._age_s = 0.0
        self._coming = ""
        self._beaten_s = 0.0
        self._guard = Lock()

    def read(self) -> Published:
        """Say what the target holds. A later `begin` is refused where anybody has written since."""
        found = self._store.get(MANIFEST)
        if found is None:
            self._refuse_foreign()
            self._manifest, self._version, self._age_s = None, "", 0.0
            return NOTHING
        manifest = Manifest.from_bytes(found.content, where=self._name)
        self._manifest, self._version, self._age_s = manifest, found.version, found.age_s
        return Published(sums=self._sums(manifest), generation=manifest.generation, finished=manifest.state == "done")

    def begin(self, sums: Mapping[str, str]) -> None:
        """Take the lock that `read` saw free, and say where this is going. Raises `Locked`."""
        before = self._manifest or Manifest(generation="", state="done")
        self._refuse_locked(before)
        self._coming = generation_of(sums)
        others = (name for name in dict.fromkeys((*before.others, self._coming)) if name != before.generation)
        self._write(
            Manifest(
                generation=before.generation, others=tuple(others), state="writing", owner=self._owner, run=self._run
            )
        )
        # After the lock: that one of the others has no sums yet means that nothing of it was written.
        self._store.put_own(_sums_key(self._coming), gzip.compress(sums_text(sums).encode(), 6, mtime=0))

    def beat(self) -> None:
        """Show a sign of life where it is time. Call it before every write. Raises `Locked` where the lock is lost."""
        with self._guard:
            if time.monotonic() - self._beaten_s > BEAT_S and self._manifest:
                self._write(replace(self._manifest, beat=self._manifest.beat + 1))

    def written(self) -> None:
        """Say that the coming generation is there as a whole."""
        with self._guard:
            assert self._manifest is not None
            names = (self._manifest.generation, *self._manifest.others)
            others = tuple(name for name in names if name not in ("", self._coming))
            if others:
                self._write(replace(self._manifest, generation=self._coming, others=others, state="sweeping"))
            else:
                self._write(Manifest(generation=self._coming, state="done"))

    def finish(self) -> None:
        """Say that nothing else is there, and free the lock."""
        with self._guard:
            assert self._manifest is not None
            if self._manifest.state == "done":
                return
            # Before the last word: their sums name what was deleted, and nobody would come back for them.
            self._store.delete_own([_sums_key(name) for name in self._manifest.others])
            self._write(Manifest(generation=self._coming, state="done"))

    def _sums(self, manifest: Manifest) -> dict[str, str]:
        lists = {name: self._list(name) for name in (manifest.generation, *manifest.others) if name}
        of_all = lists.pop(manifest.generation, {} if not manifest.generation else None)
        if of_all is None:  # somebody deleted it: what is there is there, and has to be looked at
            return {key: IN_DOUBT for key in self._store.paths() if not key.startswith(OWN_FOLDER)}
        sums = dict(of_all)
        for other in lists.values():
            if other is None:
                continue
            for path in other.keys() | of_all.keys():
                if manifest.state == "sweeping":
                    sums.setdefault(path, IN_DOUBT)
                elif other.get(path) != of_all.get(path):
                    sums[path] = IN_DOUBT
        return sums

    def _list(self, generation: str) -> dict[str, str] | None:
        found = self._store.get(_sums_key(generation))
        return None if found is None else read_sums(gzip.decompress(found.content).decode())

    def _write(self, manifest: Manifest) -> None:
        self._version = self._store.replace(MANIFEST, manifest.to_bytes(), self._version)
        self._manifest, self._beaten_s = manifest, time.monotonic()

    def _refuse_foreign(self) -> None:
        foreign = next((key for key in self._store.paths() if not key.startswith(OWN_FOLDER)), None)
        if foreign is not None:
            raise TargetRefused(
                f"there are files that QuitBoard did not put there, for example {foreign!r}", where=self._name,
                todo="Publish to a place of its own, for example a folder or prefix below this one",
            )  # fmt: skip

    def _refuse_locked(self, manifest: Manifest) -> None:
        if manifest.owner in ("", self._owner) or self._age_s > LEASE_S:
            return
        raise Locked(
            f"another board or machine is publishing here; its last sign of life is {self._age_s:.0f} s old",
            where=self._name,
            todo=f"Try again when it has finished; {LEASE_S / 60:.0f} minutes without one, and its lock is void",
        )


def _sums_key(generation: str) -> str:
    return f"{OWN_FOLDER}sums/{generation}.gz"
