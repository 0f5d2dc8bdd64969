"""What a bundle's members are called and how its records look as JSON, both ways.

Decoding is strict: every field present, none unknown, each of its type and within its bounds. There is one way to write
a manifest, so that a manifest read and written again gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from quitboard.errors import BundleError
from quitboard.records import (
    Camera,
    ClockSource,
    Exposure,
    GroundPoint,
    Manifest,
    ModelCard,
    Recording,
    Violation,
    Zone,
    ZoneKind,
)

FORMAT = "quitboard-bundle"
VERSION = 1

MANIFEST = "manifest.json"
VIOLATIONS = "violations.jsonl"
EXPOSURE = "exposure.jsonl"
TRACKS = "tracks.parquet"
WITHDRAWN = "withdrawn.json"
TEXTS = (EXPOSURE, MANIFEST, VIOLATIONS, WITHDRAWN)
MEDIA_NAME = re.compile(r"media/([0-9a-f]{64})\.(jpg|gif)")

SLUG = r"[0-9a-z가-힣]+(?:-[0-9a-z가-힣]+)*"
"""A camera's id, as `quitboard.files.slug` makes them."""
KIND = r"[a-z][a-z0-9_]{0,63}"
SHA256 = r"[0-9a-f]{64}"
MAX_NAME = 200
MAX_TEXT = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


def media_name(sha256: str, content: bytes) -> str:
    """Return the member name of a picture, its extension told by its first bytes."""
    return f"media/{sha256}.{'gif' if content[:4] == b'GIF8' else 'jpg'}"


# --- writing --------------------------------------------------------------------------------------------------------


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return a manifest as JSON, in the one way that is read back."""
    return (json.dumps(_plain(manifest), ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n").encode()


def content_id(manifest: Manifest) -> str:
    """Return the hash of a bundle's content: of the manifest without its id, which holds every member's sum."""
    return hashlib.sha256(manifest_bytes(replace(manifest, id=""))).hexdigest()


def lines(records: Iterable[Violation | Exposure]) -> bytes:
    """Return records as JSON lines."""
    return "".join(
        json.dumps(_plain(record), ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
        for record in records
    ).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value


# --- reading --------------------------------------------------------------------------------------------------------


def manifest_from(content: bytes) -> Manifest:
    """Decode a manifest.

    Raises:
        BundleError: not JSON, not UTF-8, a field missing, unknown, of another type or out of bounds, of an unknown
            version, or not written as QuitBoard writes it.
    """
    try:
        plain = json.loads(content.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise BundleError("the manifest is not UTF-8", where=MANIFEST) from None
    except RecursionError:
        raise BundleError("the manifest is nested too deeply", where=MANIFEST) from None
    except ValueError as error:
        raise BundleError(f"the manifest is not JSON ({error})", where=MANIFEST) from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise BundleError("not a bundle of QuitBoard's", where=MANIFEST)
    if plain.get("version") != VERSION:
        raise BundleError(
            f"the bundle is of version {plain.get('version')!r}, this QuitBoard reads {VERSION}",
            where=MANIFEST,
            todo="Use a QuitBoard as new as the one that made it",
        )
    manifest = _manifest(_Fields(plain, "manifest"))
    if manifest_bytes(manifest) != content:
        raise BundleError("the manifest is not written as QuitBoard writes it", where=MANIFEST)
    return manifest


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone. Raises `BundleError` when there is none of that name."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BundleError(f"no time zone {name[:60]!r}", where=MANIFEST) from None


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name is given twice")
    return table


class _Fields:
    """A JSON object whose every field is taken exactly once."""

    def __init__(self, plain: object, where: str) -> None:
        if not isinstance(plain, dict):
            raise BundleError(f"{where} is not an object", where=MANIFEST)
        self._left = dict(plain)
        self.where = where

    def take(self, name: str, fit: Callable[[object], _T | None]) -> _T:
        if name not in self._left:
            raise BundleError(f"{self.where}: {name} is missing", where=MANIFEST)
        value = self._left.pop(name)
        fitted = fit(value)
        if fitted is None:
            raise BundleError(f"{self.where}: {name} cannot be {_short(value)}", where=MANIFEST)
        return fitted

    def maybe(self, name: str, fit: Callable[[object], _T | None]) -> _T | None:
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return self.take(name, fit)

    def several(self, name: str, make: Callable[[_Fields], _T], most: int) -> tuple[_T, ...]:
        plain = self.take(name, lambda value: value if isinstance(value, list) and len(value) <= most else None)
        return tuple(make(_Fields(part, f"{name}[{number}]")) for number, part in enumerate(plain))

    def end(self) -> None:
        if self._left:
            raise BundleError(f"{self.where}: unknown field {_short(next(iter(self._left)))}", where=MANIFEST)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(pattern: str = "", most: int = MAX_NAME) -> Callable[[object], str | None]:
    def fit(value: object) -> str | None:
        if not isinstance(value, str) or len(value) > most or _CONTROL.search(value):
            return None
        return value if not pattern or re.fullmatch(pattern, value) else None

    return fit


def _number(low: float, high: float) -> Callable[[object], float | None]:
    def fit(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if math.isfinite(value) and low <= value <= high else None

    return fit


def _whole(low: int, high: int) -> Callable[[object], int | None]:
    def fit(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None

    return fit


def _of(words: type[_Word]) -> Callable[[object], _Word | None]:
    return lambda value: next((word for word in words if word == value), None)


def _pair(value: object) -> tuple[float, float] | None:
    number = _number(-1e6, 1e6)
    if not isinstance(value, list) or len(value) != 2 or any(number(part) is None for part in value):
        return None
    return (value[0], value[1])


def _size(value: object) -> tuple[int, int] | None:
    size = _whole(1, 100_000)
    if not isinstance(value, list) or len(value) != 2 or any(size(part) is None for part in value):
        return None
    return (value[0], value[1])


def _polygon(value: object) -> tuple[tuple[float, float], ...] | None:
    if not isinstance(value, list) or not 3 <= len(value) <= 1000:
        return None
    corners = [_pair(part) for part in value]
    return None if None in corners else tuple(corner for corner in corners if corner is not None)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found if found is not None and found.tzinfo is not None and 1970 <= found.year < 2200 else None
    except ValueError:
        return None


def _faults(value: object) -> tuple[str, ...] | None:
    text = _text(most=MAX_TEXT)
    if not isinstance(value, list) or len(value) > 1000 or any(text(part) is None for part in value):
        return None
    return tuple(value)


def _table(key: str, fit: Callable[[object], Any], most: int) -> Callable[[object], dict[str, Any] | None]:
    def whole(value: object) -> dict[str, Any] | None:
        if not isinstance(value, dict) or len(value) > most:
            return None
        fits = all(re.fullmatch(key, name) and fit(part) is not None for name, part in value.items())
        return value if fits else None

    return whole


def _manifest(plain: _Fields) -> Manifest:
    camera = _camera(_Fields(plain.take("camera", lambda value: value), "camera"))
    zone_of(camera.timezone)
    manifest = Manifest(
        format=plain.take("format", _text()),
        version=plain.take("version", _whole(VERSION, VERSION)),
        id=plain.take("id", _text(SHA256)),
        tool_version=plain.take("tool_version", _text()),
        camera=camera,
        day=plain.take("day", _day),
        catalogue_sha256=plain.take("catalogue_sha256", _text(SHA256)),
        settings_sha256=plain.take("settings_sha256", _text(SHA256)),
        model=_model(_Fields(plain.take("model", lambda value: value), "model")),
        recordings=plain.several("recordings", _recording, 10_000),
        sums=plain.take(
            "sums", _table(rf"{MEDIA_NAME.pattern}|{VIOLATIONS}|{EXPOSURE}|{TRACKS}", _text(SHA256), 1 << 16)
        ),
    )
    plain.end()
    hashes = {recording.sha256 for recording in manifest.recordings}
    if not hashes or len(hashes) != len(manifest.recordings):
        raise BundleError("recordings are listed twice, or none is", where=MANIFEST)
    if any(recording.camera_id != camera.id for recording in manifest.recordings):
        raise BundleError("a recording is of another camera than the bundle", where=MANIFEST)
    return manifest


def _camera(plain: _Fields) -> Camera:
    camera = Camera(
        id=plain.take("id", _text(SLUG, most=64)),
        name=plain.take("name", _text()),
        area=plain.take("area", _text()),
        address=plain.take("address", _text()),
        model=plain.take("model", _text()),
        timezone=plain.take("timezone", _text()),
        folder=plain.take("folder", _text(most=MAX_TEXT)),
        name_pattern=plain.take("name_pattern", _text(most=MAX_TEXT)),
        resolution=plain.maybe("resolution", _size),
        zones=plain.several("zones", _zone, 1000),
        ground_points=plain.several("ground_points", _ground_point, 1000),
    )
    plain.end()
    return camera


def _zone(plain: _Fields) -> Zone:
    zone = Zone(
        name=plain.take("name", _text()),
        kind=plain.take("kind", _of(ZoneKind)),
        polygon=plain.take("polygon", _polygon),
        direction=plain.maybe("direction", _pair),
    )
    plain.end()
    return zone


def _ground_point(plain: _Fields) -> GroundPoint:
    number = _number(-1e6, 1e6)
    point = GroundPoint(**{name: plain.take(name, number) for name in ("x_px", "y_px", "x_m", "y_m")})
    plain.end()
    return point


def _model(plain: _Fields) -> ModelCard:
    card = ModelCard(
        name=plain.take("name", _text()),
        sha256=plain.take("sha256", _text(SHA256)),
        figures=plain.take("figures", _table(r"[\w.,:;/ @()%-]{1,100}", _number(-1e15, 1e15), 1000)),
    )
    plain.end()
    return card


def _recording(plain: _Fields) -> Recording:
    recording = Recording(
        sha256=plain.take("sha256", _text(SHA256)),
        name=plain.take("name", _text(r"(?!/)(?!.*(^|/)\.\.(/|$))[^\\]+", most=MAX_TEXT)),
        camera_id=plain.take("camera_id", _text(SLUG, most=64)),
        start=plain.take("start", _instant),
        clock=plain.take("clock", _of(ClockSource)),
        width=plain.take("width", _whole(0, 100_000)),
        height=plain.take("height", _whole(0, 100_000)),
        promised_s=plain.take("promised_s", _number(0, 1e7)),
        read_s=plain.take("read_s", _number(0, 1e7)),
        faults=plain.take("faults", _faults),
    )
    plain.end()
    return recording
