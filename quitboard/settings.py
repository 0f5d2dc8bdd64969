"""quitboard.toml and cameras.toml: what a board's owner may set, checked, with the line of a mistake.

Every setting has a default that suits most; both files may be absent. A mistake is a `SettingsError` that names file,
line, what was expected and, for a misspelt name, the nearest right one. Nothing here looks at a video or a database.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quitboard.checked_toml import TomlSource, Where, nearest, section_of, value_of
from quitboard.files import slug
from quitboard.records import Camera, GroundPoint, Zone, ZoneKind

SETTINGS_NAME = "quitboard.toml"
CAMERAS_NAME = "cameras.toml"


def _in(low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """Who runs the board and where its parts lie, relative to the board's folder."""

    title_ko: str = "킥보드 안전 게시판"
    title_en: str = "Scooter Safety Board"
    operator: str = ""
    contact: str = ""
    takedown_days: int = field(default=3, metadata=_in(0, 365))
    database: str = "board.duckdb"
    media: str = "media"
    bundles: str = "bundles"
    site: str = "site"
    catalogue: str = ""  # empty: the one that ships


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings:
    """What `detect` looks at and how closely."""

    model: str = "default"
    runtime: Literal["auto", "openvino", "onnx", "torch"] = "auto"
    imgsz: int = field(default=576, metadata=_in(160, 1920))
    sample_fps: float = field(default=5.0, metadata=_in(1, 30))
    gate: bool = True
    gate_sensitivity: float = field(default=0.5, metadata=_in(0, 1))
    allow_mtime: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """Thresholds of the rules; the defaults are those of the design."""

    min_confidence: float = field(default=0.8, metadata=_in(0.5, 0.999))
    min_head_px: float = field(default=10.0, metadata=_in(4, 200))
    min_votes: int = field(default=3, metadata=_in(1, 100))
    min_ride_s: float = field(default=0.7, metadata=_in(0.2, 10))
    sidewalk_min_s: float = field(default=1.0, metadata=_in(0.2, 60))
    sidewalk_min_m: float = field(default=3.0, metadata=_in(0.5, 100))
    sidewalk_min_body_lengths: float = field(default=2.0, metadata=_in(0.5, 20))
    parking_min_s: float = field(default=300.0, metadata=_in(5, 86400))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """The pictures that leave `detect`. Heads and plates are always filled: there is no setting for that."""

    body: Literal["flat", "pixel", "keep"] = "pixel"
    clip_s: float = field(default=3.0, metadata=_in(2, 4))
    still_px: int = field(default=640, metadata=_in(160, 640))
    clip_px: int = field(default=480, metadata=_in(160, 480))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """How the public page is built."""

    base_url: str = ""
    per_page: int = field(default=24, metadata=_in(4, 200))
    embargo_hours: float = field(default=0.0, metadata=_in(0, 24 * 365))
    evidence_days: int = field(default=30, metadata=_in(1, 3650))
    only_confirmed: bool = False
    keep_generations: int = field(default=2, metadata=_in(0, 30))
    data_licence: str = "CC BY 4.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings:
    """Where the site goes. Secrets never stand here: S3 and git read them from the environment or their own files."""

    consent: bool = False
    targets: tuple[str, ...] = ()
    endpoint_url: str = ""
    region: str = ""
    profile: str = ""
    cloudfront_distribution: str = ""
    repository: str = ""
    branch: str = "gh-pages"
    cname: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacySettings:
    """How the first QuitBoard's zips are read."""

    kinds: tuple[str, ...] = ("no_helmet", "two_up", "sidewalk")
    timezone: str = "Asia/Seoul"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """quitboard.toml as a whole."""

    board: BoardSettings = BoardSettings()
    detect: DetectSettings = DetectSettings()
    rules: RuleSettings = RuleSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    site: SiteSettings = SiteSettings()
    publish: PublishSettings = PublishSettings()
    legacy: LegacySettings = LegacySettings()

    def sha256_of(self, *sections: str) -> str:
        """Return a hash over the named sections: what a bundle or journal depends on, and nothing else."""
        chosen = {name: dataclasses.asdict(getattr(self, name)) for name in sections}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def load_settings(path: Path) -> Settings:
    """Read quitboard.toml; a missing file means all defaults.

    Raises:
        SettingsError: with file and line, for anything unknown, of the wrong type or out of range.
    """
    if not path.exists():
        return Settings()
    source = TomlSource.read(path)
    sections = {item.name: item for item in dataclasses.fields(Settings)}
    source.check_names(source.table, sections, ())
    values = {
        name: section_of(source, type(getattr(Settings(), name)), source.table[name], (name,)) for name in source.table
    }
    settings = Settings(**values)
    _check_timezone(source, settings.legacy.timezone, ("legacy",), "timezone")
    return settings


def load_cameras(path: Path) -> tuple[Camera, ...]:
    """Read cameras.toml (`[[camera]]` with `[[camera.zone]]` and `[[camera.ground_point]]`); a missing file means none.

    Raises:
        SettingsError: with file and line.
    """
    if not path.exists():
        return ()
    source = TomlSource.read(path)
    source.check_names(source.table, {"camera": None}, ())
    entries = source.table.get("camera", [])
    if not isinstance(entries, list):
        raise source.error("write [[camera]] with two brackets, once for each camera", ("camera",))
    cameras = tuple(_camera(source, entry, ("camera", number)) for number, entry in enumerate(entries))
    for number, camera in enumerate(cameras):
        if any(other.id == camera.id for other in cameras[:number]):
            raise source.error(f"a second camera has the id {camera.id!r}: ids are unique", ("camera", number), "id")
    return cameras


# --- cameras ----------------------------------------------------------------------------------------------------


def _camera(source: TomlSource, entry: Mapping[str, Any], where: Where) -> Camera:
    plain = {key: value for key, value in entry.items() if key not in ("zone", "ground_point")}
    known = {item.name: item for item in dataclasses.fields(Camera) if item.name not in ("zones", "ground_points")}
    source.check_names(entry, {**known, "zone": None, "ground_point": None}, where)
    if "id" not in plain:
        raise source.error('a camera needs an id, for example: id = "gate-3"', where)
    values = {key: value_of(source, known[key], Camera, value, where) for key, value in plain.items()}
    values.setdefault("name", values["id"])
    camera_id = str(values["id"])
    if slug(camera_id) != camera_id or not camera_id or len(camera_id) > 64:
        raise source.error(
            f"an id is lower-case letters, digits and hyphens, at most 64: try {slug(camera_id)[:64]!r}", where, "id"
        )
    resolution = values.get("resolution")
    zones = tuple(
        _zone(source, zone, (*where, "zone", number), resolution) for number, zone in enumerate(entry.get("zone", []))
    )
    points = tuple(
        section_of(source, GroundPoint, point, (*where, "ground_point", number))
        for number, point in enumerate(entry.get("ground_point", []))
    )
    if points and len(points) < 4:
        raise source.error(
            f"{len(points)} ground points: four or more are needed, or none", (*where, "ground_point", 0)
        )
    if (zones or points) and resolution is None:
        raise source.error("zones and ground points need the resolution they were drawn at", where)
    camera = Camera(**values, zones=zones, ground_points=points)
    _check_timezone(source, camera.timezone, where, "timezone")
    if camera.name_pattern:
        try:
            re.compile(camera.name_pattern)
        except re.error as error:
            raise source.error(f"name_pattern is not a regular expression: {error}", where, "name_pattern") from None
    return camera


def _zone(source: TomlSource, entry: Mapping[str, Any], where: Where, resolution: tuple[int, int] | None) -> Zone:
    known = {item.name: item for item in dataclasses.fields(Zone)}
    source.check_names(entry, known, where)
    for name in ("name", "kind", "polygon"):
        if name not in entry:
            raise source.error(f"a zone needs a {name}", where)
    kinds = [kind.value for kind in ZoneKind]
    if entry["kind"] not in kinds:
        raise source.error(f"kind is one of {', '.join(kinds)}{nearest(str(entry['kind']), kinds)}", where, "kind")
    polygon = _points(source, entry["polygon"], where, "polygon")
    if len(polygon) < 3:
        raise source.error(
            "a polygon has at least three corners, for example [[0, 0], [640, 0], [640, 360]]", where, "polygon"
        )
    if resolution is not None:
        width, height = resolution
        for x, y in polygon:
            if not (-1 <= x <= width + 1 and -1 <= y <= height + 1):
                raise source.error(f"the corner [{x:g}, {y:g}] lies outside {width} x {height}", where, "polygon")
    direction = None
    if "direction" in entry:
        (direction,) = _points(source, [entry["direction"]], where, "direction")
        if entry["kind"] != "lane":
            raise source.error("only a lane has a direction", where, "direction")
        if direction == (0.0, 0.0):
            raise source.error("a direction of [0, 0] leads nowhere", where, "direction")
    if entry["kind"] == "lane" and direction is None:
        raise source.error("a lane needs a direction, for example: direction = [1, 0] for left to right", where)
    return Zone(name=str(entry["name"]), kind=ZoneKind(entry["kind"]), polygon=polygon, direction=direction)


def _points(source: TomlSource, value: object, where: Where, key: str) -> tuple[tuple[float, float], ...]:
    def is_number(part: object) -> bool:
        return isinstance(part, int | float) and not isinstance(part, bool) and abs(part) < 1e6

    if not isinstance(value, list) or not all(
        isinstance(point, list) and len(point) == 2 and all(map(is_number, point)) for point in value
    ):
        raise source.error(f"{key} is made of pairs of numbers", where, key)
    return tuple((float(x), float(y)) for x, y in value)


def _check_timezone(source: TomlSource, name: str, where: Where, key: str) -> None:
    known = zoneinfo.available_timezones()
    if name not in known:
        raise source.error(f"no time zone {name!r}{nearest(name, known)}", where, key)
