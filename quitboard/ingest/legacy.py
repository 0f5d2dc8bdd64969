"""The first QuitBoard's zip: `violations/<id>.txt` with `images/<id>/NNNN.jpg`, or one `images/<id>.jpg|png`.

A text says which rules were broken, one bit each in the order of `[legacy] kinds`, and the local time:
`0010,2023-04-23T15:45:43`. It says nothing of what was watched, of spans or of confidence, so that its violations are
counted but enter no rate. Its pictures show faces: they go through `anonymise` or stay out.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from quitboard import files
from quitboard.bundle.form import MANIFEST, WITHDRAWN, media_name
from quitboard.bundle.layout import Limits, member_names, opened_zip, torn_zip_named
from quitboard.bundle.pictures import check_picture
from quitboard.bundle.strike import rewrite
from quitboard.bundle.withdrawn import Withdrawn, from_bytes
from quitboard.database.load import LEGACY, Source
from quitboard.errors import BundleError
from quitboard.records import Camera, Picture, Role, Withdrawal

if TYPE_CHECKING:
    import pyarrow as pa

_TEXT = re.compile(r"violations/([^/]{1,100})\.txt")
_FRAME = re.compile(r"images/([^/]{1,100})/(\d{1,9})\.(?:jpe?g|png)", re.IGNORECASE)
_SINGLE = re.compile(r"images/([^/]{1,100})\.(?:jpe?g|png)", re.IGNORECASE)
_LITTER = re.compile(r"__MACOSX/.*|(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini)")
_LINE = re.compile(r"([01]+)\s*,\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_MAX_FRAMES = 200
_MAX_PIXELS = 4096 * 4096
_ROWS_TOGETHER = 4096


class Evidence(Protocol):
    """What came out of anonymising: encoded, or None with the reason in `note`."""

    @property
    def still(self) -> bytes | None: ...
    @property
    def clip(self) -> bytes | None: ...
    @property
    def note(self) -> str: ...


Anonymise = Callable[[Sequence[Picture]], Evidence]
"""Makes the still of the middle frame, and a clip at 100 ms a frame where there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the first QuitBoard's zips are read."""

    camera: Camera
    kinds: tuple[str, ...]  # what the bits mean, left to right
    anonymise: Anonymise | None = None  # None: pictures stay out
    anonymiser: str = ""  # tells apart what another model or setting anonymised


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """What a zip holds, its pictures anonymised and waiting in a folder of their own."""

    source: Source
    rows: tuple[dict[str, Any], ...]
    folder: Path
    withdrawals: tuple[Withdrawal, ...] = ()  # what a struck zip says was taken back

    def violation_batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for first in range(0, len(self.rows), _ROWS_TOGETHER):
            yield pa.RecordBatch.from_pylist(list(self.rows[first : first + _ROWS_TOGETHER]), schema=_schema())

    def pictures(self, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        chosen = set(wanted)
        for path in sorted(self.folder.iterdir()):
            if path.stem in chosen:
                yield path.name, path.read_bytes()


def _member_bytes(name: str) -> int | None:
    if _TEXT.fullmatch(name):
        return 4096
    if _FRAME.fullmatch(name) or _SINGLE.fullmatch(name) or name == WITHDRAWN:
        return 32 << 20
    return (1 << 20) if _LITTER.fullmatch(name) else None


LIMITS = Limits(members=60_000, total_bytes=(4 << 30) - 1, member_bytes=_member_bytes, ratio=200, exact=False)


def looks_like_one(path: Path) -> bool:
    """Tell the first QuitBoard's zip from a bundle by the names in it. Raises `BundleError` when it is no zip."""
    names = member_names(path, LIMITS)
    return MANIFEST not in names and any(_TEXT.fullmatch(name) for name in names)


@contextlib.contextmanager
def read(path: Path, reading: Reading | None) -> Iterator[Legacy]:
    """Read a zip and anonymise its pictures, one violation at a time.

    Raises:
        BundleError: no camera is named, the zip is torn or hostile, or a text in it cannot be understood: then nothing
            of it is used, for its bits mean something else than the settings say.
    """
    if reading is None:
        raise BundleError(
            "a zip of the first QuitBoard, which does not say its camera",
            where=path.name,
            todo="Name it: quitboard ingest --camera ID",
        )
    with opened_zip(path, LIMITS) as archive, tempfile.TemporaryDirectory(prefix=files.TEMPORARY_PREFIX) as folder:
        texts = sorted(entry.filename for entry in archive.infolist() if _TEXT.fullmatch(entry.filename))
        frames = _frames_by_id(archive, path.name)
        sha256 = _content_sha256(archive, path.name)
        rows: list[dict[str, Any]] = []
        for text in texts:
            found = _TEXT.fullmatch(text)
            assert found is not None
            kinds, started_at = _understood(_content(archive, text, path.name), reading, f"{path.name}, {text}")
            if kinds:
                shown = _published(archive, frames.get(found[1], ()), reading, Path(folder), path.name)
                rows += (_row(found[1], kind, started_at, sha256, reading.camera, shown) for kind in kinds)
        told = _withdrawn(archive, path.name).withdrawals
        yield Legacy(
            source=_source(path.name, sha256, reading),
            rows=tuple(rows),
            folder=Path(folder),
            withdrawals=tuple(one for one in told if one.camera_id == reading.camera.id),
        )


def _understood(content: bytes, reading: Reading, where: str) -> tuple[list[str], datetime]:
    """Return the kinds that a text names and its instant."""
    try:
        found = _LINE.fullmatch(content.decode("utf-8-sig").strip())
        if found is None:
            raise ValueError
        started_at = datetime.fromisoformat(found[2]).replace(tzinfo=ZoneInfo(reading.camera.timezone))
    except ValueError:
        raise BundleError("not of the form 0010,2023-04-23T15:45:43", where=where) from None
    bits = found[1]
    if "1" in bits[len(reading.kinds) :]:
        raise BundleError(
            f"bit {bits.rindex('1') + 1} is set, and quitboard.toml names {len(reading.kinds)} kinds",
            where=where,
            todo="Name what each bit means in quitboard.toml, [legacy] kinds, then ingest the zip again",
        )
    return [kind for kind, bit in zip(reading.kinds, bits, strict=False) if bit == "1"], started_at


def _frames_by_id(archive: zipfile.ZipFile, name: str) -> dict[str, tuple[str, ...]]:
    """Return the members that show each violation, in the order of time."""
    numbered: dict[str, list[tuple[int, str]]] = {}
    for entry in archive.infolist():
        if found := _FRAME.fullmatch(entry.filename):
            numbered.setdefault(found[1], []).append((int(found[2]), entry.filename))
        elif found := _SINGLE.fullmatch(entry.filename):
            numbered.setdefault(found[1], []).append((0, entry.filename))
    for key, members in numbered.items():
        if len(members) > _MAX_FRAMES:
            raise BundleError(f"images/{key} holds {len(members)} pictures, at most {_MAX_FRAMES} are read", where=name)
    return {key: tuple(member for _, member in sorted(members)) for key, members in numbered.items()}


def _published(
    archive: zipfile.ZipFile, members: Sequence[str], reading: Reading, folder: Path, name: str
) -> dict[str, str]:
    """Anonymise one violation's pictures into `folder`; return the columns of its row that say what came of it."""
    shown = {"still_sha256": "", "clip_sha256": "", "evidence_note": ""}
    if not members:
        return shown | {"evidence_note": "no picture"}
    if reading.anonymise is None:
        return shown | {"evidence_note": "not anonymised"}
    try:
        evidence = reading.anonymise([_decoded(_content(archive, member, name)) for member in members])
    except _Unreadable as unreadable:
        return shown | {"evidence_note": f"unreadable picture: {unreadable}"}
    for column, content in (("still_sha256", evidence.still), ("clip_sha256", evidence.clip)):
        if content is not None:
            sha256 = files.sha256_bytes(content)
            member = media_name(sha256, content)
            check_picture(content, where=member)
            (folder / member.removeprefix("media/")).write_bytes(content)
            shown[column] = sha256
    return shown | {"evidence_note": evidence.note[:1000]}


class _Unreadable(Exception):
    pass


def _decoded(content: bytes) -> Picture:
    """Decode a JPEG or PNG, upright. Raises `_Unreadable` before anything large is made of something small."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
        with image:
            if image.width * image.height > _MAX_PIXELS:
                raise _Unreadable("too large")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError:
        raise _Unreadable("neither JPEG nor PNG") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _Unreadable("too large") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise _Unreadable(str(error)[:100]) from None
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


def _content(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    with torn_zip_named(name, member):
        return archive.read(member)


def _content_sha256(archive: zipfile.ZipFile, name: str) -> str:
    """Return a hash of what the zip holds, however it was packed, and held before anything was struck from it."""
    sums = dict(_withdrawn(archive, name).members)
    for entry in archive.infolist():
        if not entry.is_dir() and entry.filename != WITHDRAWN and not _LITTER.fullmatch(entry.filename):
            sums[entry.filename] = files.sha256_bytes(_content(archive, entry.filename, name))
    total = hashlib.sha256()
    for member, sha256 in sorted(sums.items()):
        total.update(f"{member}\0{sha256}\n".encode())
    return total.hexdigest()


def _withdrawn(archive: zipfile.ZipFile, name: str) -> Withdrawn:
    if WITHDRAWN not in archive.namelist():
        return Withdrawn()
    found = from_bytes(_content(archive, WITHDRAWN, name))
    if not all(_FRAME.fullmatch(member) or _SINGLE.fullmatch(member) for member in found.members):
        raise BundleError("what is withdrawn is no picture of this zip", where=name)
    return found


def withdrawn_members(path: Path, rows: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the pictures of withdrawn rows that a zip still holds, by name with their sum. They show faces.

    Args:
        rows: withdrawn rows (id -> kind) by the content hash of their zip, which striking leaves as it is.

    Raises:
        BundleError: the zip is torn or hostile.
    """
    with opened_zip(path, LIMITS) as archive:
        return _withdrawn_members(archive, path.name, rows)[0]


def strike(path: Path, rows: Mapping[str, Mapping[str, str]], withdrawals: Sequence[Withdrawal]) -> None:
    """Take the pictures of withdrawn rows out of a zip; see `withdrawn_members` and `bundle.strike`.

    Raises:
        BundleError: the zip is torn or hostile.
        DiskFull: it is as it was.
    """
    with opened_zip(path, LIMITS) as archive:
        chosen, struck = _withdrawn_members(archive, path.name, rows)
        if chosen:
            told = [one for one in withdrawals if one.id in struck]
            rewrite(path, archive, _withdrawn(archive, path.name).with_more(chosen, told))


def _withdrawn_members(
    archive: zipfile.ZipFile, name: str, rows: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, str], Mapping[str, str]]:
    """Return the pictures of withdrawn rows, by name with their sum, and those rows, id -> kind."""
    sha256 = _content_sha256(archive, name)
    struck = rows.get(sha256, {})
    chosen = {
        member: files.sha256_bytes(_content(archive, member, name))
        for key, members in (_frames_by_id(archive, name) if struck else {}).items()
        for member in members
        if any(_row_id(sha256, key, kind) in struck for kind in set(struck.values()))
    }
    return chosen, struck


def _source(name: str, sha256: str, reading: Reading) -> Source:
    how = "\0".join([sha256, reading.camera.id, reading.camera.timezone, *reading.kinds, reading.anonymiser])
    return Source(
        id=files.sha256_bytes(how.encode()),
        format=LEGACY,
        file_name=name,
        camera=reading.camera,
        day=None,
        model=None,
        tool_version="",
        manifest="{}",
        recordings=(),
        legacy_sha256=sha256,
    )


def _row_id(sha256: str, key: str, kind: str) -> str:
    return files.sha256_bytes(f"{sha256}:{key}:{kind}".encode())[:32]


def _row(
    key: str, kind: str, started_at: datetime, sha256: str, camera: Camera, shown: dict[str, str]
) -> dict[str, Any]:
    return {
        "id": _row_id(sha256, key, kind),
        "kind": kind,
        "camera_id": camera.id,
        "vehicle": str(Role.SCOOTER),
        "started_at": started_at,
        "ended_at": started_at,
        "local_started_at": started_at.replace(tzinfo=None),
        "recording_sha256": sha256,
        "track": 0,
        "confidence": None,
        "votes_for": 0,
        "votes_against": 0,
        "zone": "",
        **shown,
    }


def _schema() -> pa.Schema:
    import pyarrow as pa

    names = ("id", "kind", "camera_id", "vehicle", "recording_sha256", "zone")
    texts = (*names, "still_sha256", "clip_sha256", "evidence_note")
    return pa.schema(
        [
            *((name, pa.string()) for name in texts),
            *((name, pa.timestamp("us", "UTC")) for name in ("started_at", "ended_at")),
            ("local_started_at", pa.timestamp("us")),
            *((name, pa.int64()) for name in ("track", "votes_for", "votes_against")),
            ("confidence", pa.float64()),
        ]
    )
