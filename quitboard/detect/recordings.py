"""Finding recordings: which files they are, whose camera's, when they began, and how they lie on the clock.

`find` is at the edge and looks at the files; what it knows about their order and overlaps are pure functions.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath

from quitboard.detect import video
from quitboard.detect.clock import Start, find_start, settle_repeats
from quitboard.detect.video.container import FOREIGN_SUFFIXES, VIDEO_SUFFIXES
from quitboard.errors import RecordingError, UsageError
from quitboard.files import sha256_file, slug
from quitboard.records import Camera, ClockSource, Recording, SetAside

_NO_CLOCK_TODO = (
    "Write its start beside it, as FILE.toml with: start = 2023-04-23T15:45:43+09:00; or set name_pattern of its "
    "camera; or allow the file's time with --allow-mtime"
)
_LEVELS_ABOVE = 3  # of folders above the one given that a camera's `folder` may name
_ID_CHARACTERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recording that can be looked at; `recording.read_s` is what its header promises until it has been read."""

    path: Path
    recording: Recording
    camera: Camera
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What lies in the folders given."""

    found: tuple[Found, ...]  # by camera, then in time
    set_aside: tuple[SetAside, ...]
    same: tuple[SetAside, ...]  # further copies of what was found: nothing is lost without them


def find(
    paths: Iterable[Path],
    cameras: Sequence[Camera],
    *,
    allow_mtime: bool = False,
    since: date | None = None,
    sha256: Callable[[Path], str] = sha256_file,
    progress: Callable[[str], None] = lambda _name: None,
) -> Inventory:
    """Find the recordings in files and folders, at any depth, the same way each time.

    Hidden files and files that are no videos by their names are passed over. Links that lead out of the folder given
    are not followed.

    Args:
        since: recordings of earlier days, on their camera's clock, are passed over unread.
        sha256: gives a file's hash, perhaps from memory.
        progress: is told the name of each recording before it is looked at.

    Raises:
        UsageError: a path does not exist.
    """
    looked: list[_Looked] = []
    set_aside: list[SetAside] = []
    chosen = _Cameras(cameras)
    for root, path, problem in _walk(paths):
        name = path.relative_to(root).as_posix() if path != root else path.name
        progress(name)
        if problem is not None:
            set_aside.append(dataclasses.replace(problem, name=name))
            continue
        camera = chosen.of(root, name)
        try:
            one = _look(path, name, camera, allow_mtime=allow_mtime)
            if one.start is not None and since is not None and one.start.at.date() < since:
                continue
            looked.append(dataclasses.replace(one, sha256=sha256(path)))
        except RecordingError as error:
            set_aside.append(SetAside(name=name, reason=error.what, todo=error.todo))
        except OSError as error:
            set_aside.append(SetAside(name=name, reason=f"cannot be read ({error.strerror})", todo="Check its disk"))
    used, same = _once_each(looked)
    by_camera: dict[str, list[_Looked]] = {}
    for one in used:
        if one.start is None:
            set_aside.append(SetAside(name=one.name, reason="nothing says when it began", todo=_NO_CLOCK_TODO))
        else:
            by_camera.setdefault(one.camera.id, []).append(one)
    found = [found for ones in by_camera.values() for found in _found(ones)]
    found.sort(key=lambda one: (one.recording.camera_id, one.recording.start.astimezone(UTC), one.recording.name))
    return Inventory(found=tuple(found), set_aside=tuple(set_aside), same=tuple(same))


def counted_once(recordings: Iterable[Recording]) -> dict[str, tuple[int, int]]:
    """Return which part of each recording of one camera counts, so that what overlaps counts once.

    Returns:
        sha256 -> [from, to) in microseconds of the recording's own positions; (0, 0) where all of it is covered.
        The earlier recording keeps what both show; of two that begin together, the larger picture, then the longer.
    """
    parts: dict[str, tuple[int, int]] = {}
    covered: datetime | None = None
    for one in sorted(recordings, key=_by_time):
        start = one.start.astimezone(UTC)
        length_us = round(one.read_s * 1e6)
        from_us = 0 if covered is None else max(0, round((covered - start) / timedelta(microseconds=1)))
        parts[one.sha256] = (from_us, length_us) if from_us < length_us else (0, 0)
        end = start + timedelta(microseconds=length_us)
        covered = end if covered is None else max(covered, end)
    return parts


def _by_time(one: Recording) -> tuple[datetime, int, float, str]:
    return one.start.astimezone(UTC), -one.width * one.height, -one.read_s, one.sha256


# --- looking at one file ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    path: Path
    name: str
    camera: Camera
    start: Start | None
    shown: video.Probe
    length_s: float
    modified_at: datetime
    sha256: str = ""


def _look(path: Path, name: str, camera: Camera, *, allow_mtime: bool) -> _Looked:
    shown = video.probe(path)
    length_s = shown.promised_s or video.packets(path).read_s
    modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    start = find_start(
        name,
        camera,
        sidecar=_sidecar_of(path),
        created_at=shown.created_at,
        modified_at=modified_at if allow_mtime else None,
        length_s=length_s,
    )
    return _Looked(
        path=path, name=name, camera=camera, start=start, shown=shown, length_s=length_s, modified_at=modified_at
    )


def _sidecar_of(path: Path) -> str | None:
    sidecar = path.with_name(f"{path.name}.toml")
    try:
        return sidecar.read_text("utf-8-sig") if sidecar.is_file() else None
    except (UnicodeDecodeError, OSError):
        raise RecordingError(
            "the sidecar cannot be read", where=sidecar.name, todo="Save it as UTF-8 and check its permissions"
        ) from None


def _once_each(looked: Sequence[_Looked]) -> tuple[list[_Looked], list[SetAside]]:
    """Keep one of each content: the one with the most trusted clock, then the first by name."""
    trust = {clock: rank for rank, clock in enumerate(ClockSource)}
    copies: dict[str, list[_Looked]] = {}
    for one in looked:
        copies.setdefault(one.sha256, []).append(one)
    used: list[_Looked] = []
    same: list[SetAside] = []
    for ones in copies.values():
        best = min(ones, key=lambda one: (len(trust) if one.start is None else trust[one.start.clock], one.name))
        used.append(best)
        same += [SetAside(name=one.name, reason=f"same content as {best.name}") for one in ones if one is not best]
    return used, same


def _found(of_one_camera: Sequence[_Looked]) -> Iterator[Found]:
    ordered = _as_recorded(of_one_camera)
    starts = settle_repeats([one.start for one in ordered if one.start], [one.length_s for one in ordered])
    for one, start in zip(ordered, starts, strict=True):
        recording = Recording(
            sha256=one.sha256,
            name=one.name,
            camera_id=one.camera.id,
            start=start.at,
            clock=start.clock,
            width=one.shown.width,
            height=one.shown.height,
            promised_s=one.shown.promised_s,
            read_s=one.length_s,
        )
        yield Found(path=one.path, recording=recording, camera=one.camera, warnings=start.warnings)


def _as_recorded(looked: Sequence[_Looked]) -> list[_Looked]:
    """Order by the files' times where those agree with every start that is sure; by name where they do not."""
    by_file_time = sorted(looked, key=lambda one: (one.modified_at, one.name))
    sure = [one.start.at.astimezone(UTC) for one in by_file_time if one.start and not one.start.is_repeated]
    return by_file_time if sure == sorted(sure) else sorted(looked, key=lambda one: one.name)


# --- files and folders -----------------------------------------------------------------------------------------------

_ASIDE = {
    "link": SetAside(name="", reason="a link that leads out of its folder", todo="Give what it points at instead"),
    "foreign": SetAside(
        name="",
        reason="a video of a kind that is not read",
        todo="Export it again as MP4, or convert it: ffmpeg -i FILE -c copy FILE.mp4",
    ),
    "folder": SetAside(name="", reason="a folder that cannot be opened", todo="Check its permissions"),
}


def _walk(paths: Iterable[Path]) -> Iterator[tuple[Path, Path, SetAside | None]]:
    """Yield (root, file, what is wrong with it) for every candidate once, in the order of their names."""
    seen: set[Path] = set()
    for given in paths:
        if not given.exists():
            raise UsageError("no such file or folder", where=str(given), todo="Check how it is spelt")
        root = given.resolve()
        if root.is_file():
            candidates: Iterator[tuple[Path, SetAside | None]] = iter([(root, None)])
            root = root.parent
        else:
            candidates = _below(root, root)
        for path, problem in candidates:
            if path not in seen:
                seen.add(path)
                yield root, path, problem


def _below(folder: Path, root: Path) -> Iterator[tuple[Path, SetAside | None]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder, _ASIDE["folder"]
        return
    for entry in entries:
        path = Path(entry.path)
        suffix = path.suffix.lower()
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not path.resolve().is_relative_to(root):
            if suffix in VIDEO_SUFFIXES or path.is_dir():
                yield path, _ASIDE["link"]
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(path, root)
        elif suffix in FOREIGN_SUFFIXES:
            yield path, _ASIDE["foreign"]
        elif suffix in VIDEO_SUFFIXES and not path.is_dir():
            yield path, None


# --- cameras ---------------------------------------------------------------------------------------------------------


class _Cameras:
    """The board's cameras, and those named after folders that no camera claims."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._known = cameras
        self._by_folder = [(_glob(camera.folder), camera) for camera in cameras if camera.folder]
        self._made: dict[tuple[str, ...], Camera] = {}

    def of(self, root: Path, name: str) -> Camera:
        above = [part for part in root.parts if part != root.anchor][-_LEVELS_ABOVE:]
        for skipped in range(len(above), -1, -1):  # first below the folder given, then with the folders above it
            tail = _normal("/".join([*above[skipped:], name]))
            for pattern, camera in self._by_folder:
                if pattern.fullmatch(tail):
                    return camera
        return self._named_after(root, PurePosixPath(name).parent.parts)

    def _named_after(self, root: Path, folders: tuple[str, ...]) -> Camera:
        own = _without_days(folders) or (_normal(root.name),)
        if own not in self._made:
            self._made[own] = self._make(own)
        return self._made[own]

    def _make(self, folders: tuple[str, ...]) -> Camera:
        text = "/".join(folders)
        camera_id = camera_id_of(text)
        for camera in self._known:
            if camera.id == camera_id and not camera.folder:
                return camera
        if any(camera.id == camera_id for camera in (*self._known, *self._made.values())):
            camera_id = _with_hash(camera_id, text)
        return Camera(id=camera_id, name=" ".join(folders))


def camera_id_of(folder: str) -> str:
    """Return the id of the camera named after a folder; it depends on this name alone.

    Letters that an id cannot hold are stood for by a hash, so that folders told apart only by them stay apart.

    >>> camera_id_of("정문 3")
    '정문-3'
    """
    normal = _normal(folder).lower()
    short = slug(normal)
    is_whole = sum(map(str.isalnum, normal)) == sum(map(str.isalnum, short))
    return short if is_whole and short and len(short) <= _ID_CHARACTERS else _with_hash(short or "camera", folder)


def _with_hash(camera_id: str, text: str) -> str:
    digest = hashlib.sha256(_normal(text).encode()).hexdigest()[:6]
    return f"{camera_id[: _ID_CHARACTERS - 7].strip('-')}-{digest}"


_DAY_FOLDER = re.compile(r"20\d\d([-_.]?\d\d){0,3}([-_. T]\d.*)?$")


def _without_days(folders: Sequence[str]) -> tuple[str, ...]:
    """Drop the folders that recorders make for days and hours, and keep those for channels.

    >>> _without_days(["gate", "2023-04-23", "001", "dav", "15"])
    ('gate', '001')
    """
    kept: list[str] = []
    is_below_day = False
    for folder in folders:
        if _DAY_FOLDER.match(folder):
            is_below_day = True
        elif not (is_below_day and re.fullmatch(r"\d\d?|dav", folder)):
            kept.append(_normal(folder))
    return tuple(kept)


def _glob(pattern: str) -> re.Pattern[str]:
    """Return a camera's `folder` as a regular expression: `**` is any depth, `*` and `?` stay within a name."""
    text = _normal(pattern).strip("/")
    if not re.search(r"[*?]", PurePosixPath(text).name):
        text += "/**"
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", text)))


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
