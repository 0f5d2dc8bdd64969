"""Pictures for the page: two widths, WebP beside JPEG, animated WebP beside GIF; made once, kept by content hash.

Only pictures that are already anonymised come here; nothing but their pixels goes on (no EXIF, comment, profile or
thumbnail). What the page no longer shows leaves the cache at the next build, so that a withdrawn picture does not stay.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

from quitboard.files import TEMPORARY_PREFIX, disk_full_named, sha256_bytes, sweep_temporaries, write_text
from quitboard.records import SetAside

RECIPE = "1"
"""Changes with the way pictures are encoded: a cache of another recipe is made again."""

WIDTHS_PX = (640, 320)
_MOST_PIXELS = 4096 * 4096
_MOST_FRAMES = 200
_JPEG_QUALITY, _WEBP_QUALITY, _CLIP_QUALITY = 80, 76, 60
_WEBP_METHOD = 2  # four times faster than the default 4 here, for 3 % more bytes
_WORTH_A_PROCESS = 8
"""Fewer pictures are encoded before another process is up."""

_REMEMBER_EVERY = 200
"""Pictures after which the index is written, so that a build that is killed begins again where it was."""

_NAME_DIGITS = 32
"""Hex digits of a hash in a file name: 128 bits name a picture for good and keep pages small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A still as the page needs it: widths in pixels, the wider first, and the height of the widest."""

    stem: str  # site path without width and suffix
    widths: tuple[int, ...]
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    stem: str
    kib: int  # of what a press loads
    suffix: str  # ".webp", or ".gif" where that is smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Every picture that is ready, and where its files lie: site path -> (file in the cache, SHA-256)."""

    stills: Mapping[str, Still]
    clips: Mapping[str, Clip]
    files: Mapping[str, tuple[Path, str]]
    set_aside: tuple[SetAside, ...]


def stem_of(sha256: str) -> str:
    """Return the site path of a picture, without width and suffix."""
    return f"media/{sha256[:2]}/{sha256[:_NAME_DIGITS]}"


def prepare(
    stills: Iterable[str],
    clips: Iterable[str],
    *,
    media_dir: Path,
    cache_dir: Path,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Media:
    """Make what is missing in the cache, drop what is no longer shown, and say what there is.

    Args:
        stills, clips: SHA-256 of the pictures that pages show; they lie at `media_dir/<sha[:2]>/<sha>.jpg|gif`.
        workers: processes that encode; by default one a core. Each holds one picture at a time.
        progress: called with ("media", done, all).

    A picture that is absent, unreadable or not what its name says is set aside: its page goes without.
    """
    wanted = {sha256: ".jpg" for sha256 in stills if sha256} | {sha256: ".gif" for sha256 in clips if sha256}
    index = _read_index(cache_dir)
    present = _sizes(cache_dir)
    todo = sorted((sha, wanted[sha]) for sha in wanted if not _is_whole(index.get(sha), sha, present))
    failed: list[SetAside] = []
    for number, (sha, made) in enumerate(_made(todo, media_dir, cache_dir, workers), start=1):
        if isinstance(made, str):
            index.pop(sha, None)
            failed.append(SetAside(name=f"{sha}{wanted[sha]}", reason=made, todo="Ingest its bundle again"))
        else:
            index[sha] = made
        if number % _REMEMBER_EVERY == 0:
            _write_index(cache_dir, index)
        if progress:
            progress("media", number, len(todo))
    kept = {sha: index[sha] for sha in sorted(wanted) if sha in index}
    _prune(cache_dir, {_cached(cache_dir, sha, suffix) for sha, entry in kept.items() for suffix in entry["files"]})
    if todo or kept.keys() != index.keys():
        _write_index(cache_dir, kept)
    return Media(
        stills={
            sha: Still(stem=stem_of(sha), widths=tuple(entry["widths"]), height=entry["height"])
            for sha, entry in kept.items()
            if wanted[sha] == ".jpg"
        },
        clips={
            sha: Clip(stem=stem_of(sha), kib=-(-entry["files"][entry["play"]][0] // 1024), suffix=entry["play"])
            for sha, entry in kept.items()
            if wanted[sha] == ".gif"
        },
        files={
            f"{stem_of(sha)}{suffix}": (_cached(cache_dir, sha, suffix), digest)
            for sha, entry in kept.items()
            for suffix, (_, digest) in sorted(entry["files"].items())
        },
        set_aside=tuple(failed),
    )


def forget(cache_dir: Path, sha256s: Collection[str]) -> int:
    """Delete everything that was made of some pictures, finished or not; returns how many files that were."""
    index = _read_index(cache_dir)
    stems = {sha256[:_NAME_DIGITS] for sha256 in sha256s}
    gone = [
        path
        for folder in _folders(cache_dir)
        for path in Path(folder).iterdir()
        if path.name.removeprefix(TEMPORARY_PREFIX)[:_NAME_DIGITS] in stems
    ]
    for path in gone:
        path.unlink(missing_ok=True)
    if not index.keys().isdisjoint(sha256s):
        _write_index(cache_dir, {sha: entry for sha, entry in index.items() if sha not in sha256s})
    return len(gone)


_Made: TypeAlias = dict[str, Any] | str
"""A picture's entry in the index, or why it cannot be shown."""


def _made(
    todo: Sequence[tuple[str, str]], media_dir: Path, cache_dir: Path, workers: int | None
) -> Iterator[tuple[str, _Made]]:
    """Encode pictures, given as (SHA-256, suffix), in as many processes as they are worth; yields them in order."""
    make = functools.partial(_make, media_dir=media_dir, cache_dir=cache_dir)
    workers = min(workers or len(os.sched_getaffinity(0)), -(-len(todo) // _WORTH_A_PROCESS))
    if workers <= 1:
        yield from ((sha, make((sha, suffix))) for sha, suffix in todo)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from zip((sha for sha, _ in todo), pool.map(make, todo, chunksize=4), strict=True)


def _make(picture: tuple[str, str], media_dir: Path, cache_dir: Path) -> _Made:
    """Encode one picture into the cache."""
    from PIL import Image

    sha256, suffix = picture
    try:
        content = (media_dir / sha256[:2] / f"{sha256}{suffix}").read_bytes()
    except FileNotFoundError:
        return "the picture is missing from the media folder"
    except OSError as error:
        return f"the picture cannot be read ({error.strerror})"
    if sha256_bytes(content) != sha256:
        return "the picture is not what its name says: damaged or exchanged"
    try:
        encoded, entry = encode_still(content) if suffix == ".jpg" else encode_clip(content)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"not a picture that can be shown ({error})"
    files = {}
    for name, data in encoded.items():
        _write(_cached(cache_dir, sha256, name), data)
        files[name] = [len(data), hashlib.sha256(data).hexdigest()]
    return {**entry, "files": files}


def encode_still(content: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return a still's files by suffix ("-640.webp") and its widths and height in pixels.

    Raises:
        ValueError, OSError: not a JPEG, or larger than a still ever is.
    """
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
        if opened.width * opened.height > _MOST_PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} is larger than a still ever is")
        picture = _pixels_only(opened)
    widest = min(WIDTHS_PX[0], picture.width)
    widths = sorted({widest, min(WIDTHS_PX[1], widest)}, reverse=True)
    files: dict[str, bytes] = {}
    height = 0
    for width in widths:
        sized = picture
        if width != picture.width:
            sized = picture.resize(
                (width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS
            )
        height = max(height, sized.height)
        files[f"-{width}.jpg"] = _saved(sized, "JPEG", quality=_JPEG_QUALITY, optimize=True)
        files[f"-{width}.webp"] = _saved(sized, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD)
    return files, {"widths": widths, "height": height}


def encode_clip(content: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return a clip's files by suffix and which one a press loads.

    The GIF keeps its very pixels, without comments and foreign blocks.

    Raises:
        ValueError, OSError: not a GIF, or larger than a clip ever is.
    """
    from PIL import Image, ImageSequence

    gif = bare_gif(content)
    with Image.open(io.BytesIO(gif), formats=("GIF",)) as opened:
        count = getattr(opened, "n_frames", 1)
        if opened.width * opened.height > _MOST_PIXELS or count > _MOST_FRAMES:
            raise ValueError(f"{count} frames of {opened.width} x {opened.height} are more than a clip ever has")
        frames: list[Image.Image] = []
        durations: list[int] = []
        for frame in ImageSequence.Iterator(opened):
            durations.append(int(frame.info.get("duration") or 100))
            frames.append(_pixels_only(frame))
    webp = _saved(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=_CLIP_QUALITY,
        method=_WEBP_METHOD,
    )  # fmt: skip
    return {".gif": gif, ".webp": webp}, {"play": ".webp" if len(webp) <= len(gif) else ".gif"}


def bare_gif(content: bytes) -> bytes:
    """Return a GIF with its pictures, timing and looping only: comments, texts and foreign blocks are left out.

    Source: GIF89a specification, W3C 1990: a picture is an image descriptor with its control extension.

    Raises:
        ValueError: the blocks do not add up to a GIF.
    """
    try:
        if content[:6] not in (b"GIF87a", b"GIF89a"):
            raise ValueError("not a GIF")
        at = 13 + _colour_table(content[10])
        kept = [content[:at]]
        while content[at] != 0x3B:
            start, kind = at, content[at]
            if kind == 0x21:
                label = content[at + 1]
                at += 2
                keep = label == 0xF9 or (label == 0xFF and content[at + 1 : at + 12] == b"NETSCAPE2.0")
            elif kind == 0x2C:
                at += 10 + _colour_table(content[at + 9]) + 1
                keep = True
            else:
                raise ValueError("not a GIF: an unknown block")
            while content[at]:
                at += content[at] + 1
            at += 1
            if keep:
                kept.append(content[start:at])
        return b"".join([*kept, b"\x3b"])
    except IndexError:
        raise ValueError("the GIF is cut off") from None


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _pixels_only(picture: Any) -> Any:
    """Return a new picture made of nothing but the pixels: whatever else the file carried stays behind."""
    from PIL import Image

    plain = picture.convert("RGB")
    return Image.frombytes("RGB", plain.size, plain.tobytes())


def _saved(picture: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


# --- the cache ----------------------------------------------------------------------------------------------------


def _cached(cache_dir: Path, sha256: str, suffix: str) -> Path:
    return cache_dir / sha256[:2] / f"{sha256[:_NAME_DIGITS]}{suffix}"


def _write(target: Path, content: bytes) -> None:
    # Without fsync: a torn file has another size than the index says and is made again.
    target.parent.mkdir(parents=True, exist_ok=True)
    # A process that outlives a killed build may be at the same picture: each writes a file of its own.
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{target.name}.{os.getpid()}")
    with disk_full_named(target.name):
        temporary.write_bytes(content)
    temporary.replace(target)


def _read_index(cache_dir: Path) -> dict[str, Any]:
    try:
        index = json.loads((cache_dir / "index.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return dict(index["pictures"]) if index.get("recipe") == RECIPE else {}


def _write_index(cache_dir: Path, pictures: Mapping[str, Any]) -> None:
    write_text(cache_dir / "index.json", json.dumps({"recipe": RECIPE, "pictures": pictures}, sort_keys=True))


def _sizes(cache_dir: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for folder in _folders(cache_dir):
        with os.scandir(folder) as entries:
            sizes.update((entry.name, entry.stat().st_size) for entry in entries if entry.is_file())
    return sizes


def _folders(cache_dir: Path) -> list[str]:
    if not cache_dir.is_dir():
        return []
    with os.scandir(cache_dir) as entries:
        return sorted(entry.path for entry in entries if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False))


def _is_whole(entry: dict[str, Any] | None, sha256: str, present: Mapping[str, int]) -> bool:
    return entry is not None and all(
        present.get(f"{sha256[:_NAME_DIGITS]}{suffix}") == size for suffix, (size, _) in entry["files"].items()
    )


def _prune(cache_dir: Path, keep: set[Path]) -> None:
    sweep_temporaries(cache_dir)
    for folder in _folders(cache_dir):
        for path in sorted(Path(folder).iterdir()):
            if path not in keep and path.is_file():
                path.unlink()
