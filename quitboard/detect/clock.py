"""When a recording began: from its sidecar, its name, its container or its file time, in this order of trust.

Everything here is pure: texts and instants in, instants out. Local times are read in the camera's time zone; the two
hours a year that are skipped or repeated are told, and `settle_repeats` decides a repeated one by its neighbours.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from quitboard.errors import RecordingError
from quitboard.records import Camera, ClockSource

DISAGREE_S = 60.0
"""Two sources further apart than this are worth a warning."""

ABUT_S = 2.0
"""Recordings nearer than this follow each other without a gap."""

REPEATED = "its time came twice that night, and its neighbours do not tell which: taken as the first"
SKIPPED = "its time was skipped that night by the change of the clocks: taken as if they had not changed"

_SOURCE_WORDS = {
    ClockSource.SIDECAR: "the sidecar",
    ClockSource.NAME: "the file name",
    ClockSource.CONTAINER: "the container",
    ClockSource.MTIME: "the file's time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A recording's first instant, in the camera's time zone."""

    at: datetime
    clock: ClockSource
    is_repeated: bool = False  # the local time came twice, and nothing here says which one it was
    warnings: tuple[str, ...] = ()


def find_start(
    name: str,
    camera: Camera,
    *,
    sidecar: str | None = None,
    created_at: datetime | None = None,
    modified_at: datetime | None = None,
    length_s: float = 0.0,
) -> Start | None:
    """Return when a recording began, by the most trusted source that says it, or None where none does.

    Args:
        name: path below the folder given to detect, with forward slashes; some recorders keep the date in folders.
        sidecar: text of the TOML file beside the recording.
        created_at: the container's creation time.
        modified_at: the file's time, only where the user allows it to be used.
        length_s: of the recording; a file's time is that of its end.

    Raises:
        RecordingError: there is a sidecar, but it does not say the start.
    """
    zone = ZoneInfo(camera.timezone)
    found: list[tuple[ClockSource, datetime]] = []
    if sidecar is not None:
        found.append((ClockSource.SIDECAR, _from_sidecar(sidecar, name)))
    warnings: list[str] = []
    named, pattern_failed = _from_name(name, camera.name_pattern)
    if pattern_failed:
        warnings.append("name_pattern of its camera does not fit its name")
    if named is not None:
        found.append((ClockSource.NAME, named))
    if created_at is not None:
        found.append((ClockSource.CONTAINER, created_at))
    if modified_at is not None:
        found.append((ClockSource.MTIME, modified_at - timedelta(seconds=length_s)))
    if not found:
        return None
    clock, said = found[0]
    at = _localised(said, zone)
    is_repeated = said.tzinfo is None and at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset()
    if said.tzinfo is None and at.replace(tzinfo=None) != said.replace(fold=0):
        warnings.append(SKIPPED)
        is_repeated = False
    for other_clock, other_said in found[1:]:
        other = _localised(other_said, zone)
        choices = [at, at.replace(fold=1)] if is_repeated else [at]
        apart_s = min(abs((choice - other.astimezone(UTC)).total_seconds()) for choice in choices)
        if apart_s > DISAGREE_S:
            warnings.append(
                f"{_SOURCE_WORDS[clock]} says {at:%Y-%m-%d %H:%M:%S}, "
                f"{_SOURCE_WORDS[other_clock]} {other:%Y-%m-%d %H:%M:%S}: the first is taken"
            )
    return Start(at=at, clock=clock, is_repeated=is_repeated, warnings=tuple(warnings))


def settle_repeats(starts: Sequence[Start], lengths_s: Sequence[float]) -> list[Start]:
    """Decide for each start in a repeated hour whether it is the first or the second, by the order of recording.

    Args:
        starts: of one camera's recordings, in the order in which they were recorded.
        lengths_s: of the same recordings.

    Within a run of repeated starts the clock goes back at most once. The place is taken where recordings overlap
    least, then where most of them follow each other without a gap; where neither tells, all are taken as the first and
    carry the warning `REPEATED`.
    """
    settled = list(starts)
    index = 0
    while index < len(settled):
        if not settled[index].is_repeated:
            index += 1
            continue
        end = index
        while end < len(settled) and settled[end].is_repeated and settled[end].at.date() == settled[index].at.date():
            end += 1
        settled[index:end] = _settle_run(settled, lengths_s, index, end)
        index = end
    return settled


def _settle_run(starts: Sequence[Start], lengths_s: Sequence[float], begin: int, end: int) -> list[Start]:
    def folded(firsts: int) -> list[datetime]:
        return [starts[i].at.replace(fold=int(i - begin >= firsts)) for i in range(begin, end)]

    def fit(run: Sequence[datetime]) -> tuple[float, int]:
        low, high = max(0, begin - 1), min(len(starts), end + 1)
        instants = [one.at.astimezone(UTC) for one in starts[low:high]]
        instants[begin - low : end - low] = [one.astimezone(UTC) for one in run]
        gaps_s = [
            (after - before).total_seconds() - lengths_s[low + i]
            for i, (before, after) in enumerate(itertools.pairwise(instants))
        ]
        return -sum(max(0.0, -gap - ABUT_S) for gap in gaps_s), sum(abs(gap) <= ABUT_S for gap in gaps_s)

    choices = [folded(firsts) for firsts in range(end - begin, -1, -1)]
    fits = [fit(choice) for choice in choices]
    best = max(range(len(choices)), key=lambda i: fits[i])
    is_sure = fits.count(fits[best]) == 1
    run = choices[best] if is_sure else choices[0]
    return [
        dataclasses.replace(
            start,
            at=at,
            is_repeated=not is_sure,
            warnings=start.warnings if is_sure else (*start.warnings, REPEATED),
        )
        for start, at in zip(starts[begin:end], run, strict=True)
    ]


def _localised(said: datetime, zone: ZoneInfo) -> datetime:
    """Return an aware time in `zone`; a skipped local time becomes the one that the clocks showed then."""
    aware = said if said.tzinfo else said.replace(tzinfo=zone, fold=0)
    return aware.astimezone(UTC).astimezone(zone)


# --- the sidecar ---------------------------------------------------------------------------------------------------


def _from_sidecar(text: str, name: str) -> datetime:
    where, todo = f"{name}.toml", "Write: start = 2023-04-23T15:45:43+09:00"
    try:
        start = tomllib.loads(text).get("start")
        said = datetime.fromisoformat(start) if isinstance(start, str) else start
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise RecordingError(f"the sidecar cannot be read ({error})", where=where, todo=todo) from None
    if not isinstance(said, datetime):
        raise RecordingError("the sidecar does not say the start", where=where, todo=todo)
    return said


# --- names ---------------------------------------------------------------------------------------------------------

_DAY = r"(?<!\d)(?P<year>20\d\d)(?P<sep>[-_.]?)(?P<month>\d\d)(?P=sep)(?P<day>\d\d)"
_REST = r"(?P<minute>\d\d){0}(?P<second>\d\d)"
_SAME = _REST.format("(?P=s)")

NAMES = (
    # ISO 8601, with or without separators and zone: 2023-04-23T15:45:43+09:00, 20230423T154543Z
    _DAY
    + r"T(?P<hour>\d\d)(?P<s>[-:_.]?)"
    + _SAME
    + r"(?:[.,](?P<fraction>\d{1,6}))?(?P<zone>Z|[+-]\d\d:?\d\d)?(?!\d)",
    # Frigate's clips: gate-1682232343.123456-abc123; Xiaomi's: 45M43S_1682232343
    r"-(?P<epoch>\d{10}\.\d+)-\w+\.\w+$",
    r"\d\dM\d\dS_(?P<epoch>\d{10})(?!\d)",
    # Hikvision, Dahua, Uniview, Reolink's client: ch01_20230423154543, with milliseconds: 20230423154543123
    r"(?<!\d)(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)"
    + _REST.format("")
    + r"(?P<fraction>\d{3})?(?!\d)",
    # Axis, Reolink, Synology, Blue Iris, Tapo: YYYYMMDD_HHMMSS; <place>_YYYY-MM-DD_HH-MM-SS; Wisenet: 15h45m43s
    _DAY + r"(?:[ _.,@-]{1,3}|\]\[)(?P<hour>\d\d)(?:[-:_.h]|시 ?)?" + _REST.format("(?:[-:_.m]|분 ?)?") + r"(?!\d)",
)
"""What recorders call their files, tried in this order."""

PATHS = (
    # Dahua's disc: 2023-04-23/001/dav/15/15.45.43-15.50.00[M][0@0][0]
    _DAY + r"/(?:.*/)?(?P<hour>\d\d)\.(?P<minute>\d\d)\.(?P<second>\d\d)-\d\d\.\d\d\.\d\d[^/]*$",
    # Frigate's recordings, always in UTC: 2023-04-23/15/gate/45.43
    _DAY + r"/(?P<hour>\d\d)/[^/]+/(?P<minute>\d\d)\.(?P<second>\d\d)\.\w+$(?P<zone>)",
)
"""Recorders that keep the day in a folder. A whole time in a folder's name is not taken: it may be the export's."""

_PART = {
    "%Y": r"(?P<year>\d{4})",
    "%y": r"(?P<year>\d\d)",
    "%m": r"(?P<month>\d\d?)",
    "%d": r"(?P<day>\d\d?)",
    "%H": r"(?P<hour>\d\d?)",
    "%M": r"(?P<minute>\d\d?)",
    "%S": r"(?P<second>\d\d?)",
    "%f": r"(?P<fraction>\d{1,6})",
    "%z": r"(?P<zone>Z|[+-]\d\d:?\d\d)",
    "%s": r"(?P<epoch>\d{9,11})",
    "%%": "%",
}


def pattern_of(name_pattern: str) -> re.Pattern[str]:
    """Return a camera's `name_pattern` as a regular expression.

    It is one already, with groups named year, month, day, hour, minute, second, fraction, zone or epoch; or it is
    written as for strptime, such as `gate_%d%m%Y_%H%M%S`.

    Raises:
        re.error: it is neither.
    """
    if re.search("%[YymdHMSfzs]", name_pattern) is None:
        return re.compile(name_pattern)
    pieces = re.split("(%.)", name_pattern)
    return re.compile("".join(_PART.get(piece, re.escape(piece)) for piece in pieces))


def _from_name(name: str, name_pattern: str) -> tuple[datetime | None, bool]:
    """Return what the name says, aware only where it names a zone; and whether the camera's own pattern failed."""
    if name_pattern:
        said = next(_times(pattern_of(name_pattern), name), None)
        if said is not None:
            return said, False
    for patterns, text in ((NAMES, PurePosixPath(name).name), (PATHS, name)):
        for pattern in patterns:
            said = next(_times(re.compile(pattern), text), None)
            if said is not None:
                return said, bool(name_pattern)
    return None, bool(name_pattern)


def _times(pattern: re.Pattern[str], text: str) -> Iterator[datetime]:
    for match in pattern.finditer(text):
        said = _time_of(match.groupdict())
        if said is not None:
            yield said


def _time_of(parts: Mapping[str, str | None]) -> datetime | None:
    """Return the time that a match's named groups make; None where there is no such day or time.

    Years before 2001 are none either: recorders whose clock was never set begin at 1970 or 2000.
    """
    try:
        if parts.get("epoch"):
            said = datetime.fromtimestamp(float(parts["epoch"] or 0), UTC)
        else:
            year, month, day = (int(parts.get(key) or "") for key in ("year", "month", "day"))
            hour, minute, second = (int(parts.get(key) or 0) for key in ("hour", "minute", "second"))
            microsecond = int((parts.get("fraction") or "0").ljust(6, "0"))
            said = datetime.combine(
                date(year + 2000 if year < 100 else year, month, day), time(hour, minute, second, microsecond)
            )
            zone = parts.get("zone")
            if zone is not None:
                said = datetime.fromisoformat(f"{said.isoformat()}{zone or 'Z'}")
    except (ValueError, OverflowError):
        return None
    return said if 2001 <= said.year <= 2099 else None
