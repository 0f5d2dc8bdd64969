"""The rows of a bundle as Arrow columns, decoded and checked some thousands at a time, so that memory stays flat."""

from __future__ import annotations

import json
import operator
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from quitboard.bundle import form
from quitboard.errors import BundleError
from quitboard.records import VEHICLE_ROLES

_BLOCK_BYTES = 4 << 20
_MAX_LINE_BYTES = 64 << 10
_MOST = 1e9
_INSTANT = r"^(19[789]\d|20\d\d|21\d\d)-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$"


@dataclass(frozen=True, slots=True)
class _Text:
    pattern: str = ""
    most: int = form.MAX_NAME


@dataclass(frozen=True, slots=True)
class _Number:
    low: float
    high: float
    whole: bool = False


_COUNT = _Number(0, _MOST, whole=True)
_HASH_OR_NONE = _Text(f"^({form.SHA256})?$")
VIOLATION_COLUMNS: dict[str, _Text | _Number] = {
    "id": _Text("^[0-9a-f]{32}$"),
    "kind": _Text(f"^{form.KIND}$"),
    "camera_id": _Text(),
    "vehicle": _Text(f"^({'|'.join(VEHICLE_ROLES)})$"),
    "started_at": _Text(_INSTANT),
    "ended_at": _Text(_INSTANT),
    "recording_sha256": _Text(),
    "track": _COUNT,
    "confidence": _Number(0, 1),
    "votes_for": _COUNT,
    "votes_against": _COUNT,
    "zone": _Text(),
    "still_sha256": _HASH_OR_NONE,
    "clip_sha256": _HASH_OR_NONE,
    "evidence_note": _Text(most=form.MAX_TEXT),
}
EXPOSURE_COLUMNS: dict[str, _Text | _Number] = {
    "camera_id": _Text(),
    "hour": _Text(_INSTANT),
    "kind": _Text(f"^{form.KIND}$"),
    "watched_s": _Number(0, 3601),
    "looked_s": _Number(0, 3601),
    "riders": _COUNT,
    "judged": _COUNT,
    "unclear": _COUNT,
    "persons": _COUNT,
    "vehicles": _COUNT,
    "recording_sha256": _Text(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the rows of a bundle must agree with."""

    camera_id: str
    zone: ZoneInfo
    day: date
    recordings: frozenset[str]


def violations(file: IO[bytes], context: Context) -> Iterator[pa.RecordBatch]:
    """Yield checked batches: instants as `timestamp[us, UTC]`, and `local_started_at` by the camera's clock.

    Raises:
        BundleError: the first thing that is wrong, with the field.
    """
    where = form.VIOLATIONS
    for batch in _batches(file, VIOLATION_COLUMNS, where):
        _check_common(batch, context, where)
        started, local = _instants(batch, "started_at", context, where)
        ended, _ = _instants(batch, "ended_at", context, where)
        if _any(pc.less(ended, started)):
            raise BundleError("a violation ends before it starts", where=where)
        if _any(pc.not_equal(pc.cast(local, pa.date32()), pa.scalar(context.day, pa.date32()))):
            raise BundleError(f"a violation is not of the bundle's day, {context.day}", where=where)
        yield _replaced(batch, started_at=started, ended_at=ended, local_started_at=local)


def exposures(file: IO[bytes], context: Context) -> Iterator[pa.RecordBatch]:
    """Yield checked batches: `hour` as `timestamp[us, UTC]`, and `local_hour` by the camera's clock.

    Raises:
        BundleError: the first thing that is wrong, with the field.
    """
    where = form.EXPOSURE
    for batch in _batches(file, EXPOSURE_COLUMNS, where):
        _check_common(batch, context, where)
        hour, local = _instants(batch, "hour", context, where)
        if _any(pc.not_equal(pc.cast(local, pa.date32()), pa.scalar(context.day, pa.date32()))):
            raise BundleError(f"an hour is not of the bundle's day, {context.day}", where=where)
        if _any(pc.not_equal(local, pc.floor_temporal(local, unit="hour"))):
            raise BundleError("an hour does not start on the hour", where=where)
        if _any(pc.greater(batch["looked_s"], pc.add(batch["watched_s"], 1e-6))):
            raise BundleError("more seconds looked at than watched", where=where)
        yield _replaced(batch, hour=hour, local_hour=local)


def without_pictures(batch: pa.RecordBatch, sha256s: Collection[str], note: str) -> pa.RecordBatch:
    """Return violations with some pictures' hashes taken off, and `note` as why in those rows."""
    struck = pa.array(sorted(sha256s), pa.string())
    still, clip = (pc.is_in(batch[name], struck) for name in ("still_sha256", "clip_sha256"))
    return _replaced(
        batch,
        still_sha256=pc.if_else(still, "", batch["still_sha256"]),
        clip_sha256=pc.if_else(clip, "", batch["clip_sha256"]),
        evidence_note=pc.if_else(pc.or_(still, clip), note, batch["evidence_note"]),
    )


def _batches(file: IO[bytes], columns: dict[str, _Text | _Number], where: str) -> Iterator[pa.RecordBatch]:
    # Decoded by the standard library: Arrow's own reader of JSON lines was crashed by a few hundred mutated files.
    schema = pa.schema([(name, _arrow_type(column)) for name, column in columns.items()])
    fields = operator.itemgetter(*columns)
    for lines in _blocks(file, where):
        try:
            rows = json.loads(f"[{b','.join(lines).decode()}]", parse_constant=_no_constant)
            if len(rows) != len(lines):
                raise ValueError("a line is not one record")
            told = list(zip(*map(fields, rows), strict=True))
            if set(map(len, rows)) != {len(columns)}:
                raise ValueError("an unknown field")
        except KeyError as error:
            raise BundleError(f"{error.args[0]} is missing in a line", where=where) from None
        except RecursionError:
            raise BundleError("a line is nested too deeply", where=where) from None
        except (ValueError, TypeError) as error:
            raise BundleError(f"a line is not what it should be ({str(error)[:200]})", where=where) from None
        arrays = [
            _checked(values, name, column, where) for values, (name, column) in zip(told, columns.items(), strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _blocks(file: IO[bytes], where: str) -> Iterator[list[bytes]]:
    """Yield whole lines, some megabytes at a time; refuse lines that are empty, endless or not ended."""
    tail = b""
    while content := file.read(_BLOCK_BYTES):
        *lines, tail = (tail + content).split(b"\n")
        if max(map(len, lines), default=0) > _MAX_LINE_BYTES or len(tail) > _MAX_LINE_BYTES:
            raise BundleError(f"a line is longer than {_MAX_LINE_BYTES >> 10} kB", where=where)
        if b"" in lines:
            raise BundleError("an empty line", where=where)
        if lines:
            yield lines
    if tail:
        raise BundleError("the last line has no end", where=where)


def _arrow_type(column: _Text | _Number) -> pa.DataType:
    if isinstance(column, _Text):
        return pa.string()
    return pa.int64() if column.whole else pa.float64()


def _checked(values: tuple[Any, ...], name: str, column: _Text | _Number, where: str) -> Any:
    """Return a column as Arrow, each value of its type and within its bounds."""
    kinds = {str} if isinstance(column, _Text) else {int} if column.whole else {int, float}
    if not set(map(type, values)) <= kinds:
        raise BundleError(f"{name} is of another type in a line", where=where)
    try:
        array = pa.array(values, _arrow_type(column))
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        raise BundleError(f"{name} is out of bounds in a line", where=where) from None
    if isinstance(column, _Number):
        # Written so that NaN, which is neither above nor below, is out of bounds.
        within = pc.and_(pc.greater_equal(array, column.low), pc.less_equal(array, column.high))
        if not pc.all(within).as_py():
            raise BundleError(f"{name} is out of bounds in a line", where=where)
        return array
    distinct = pc.unique(array)
    if column.pattern:
        if not pc.all(pc.match_substring_regex(distinct, column.pattern)).as_py():
            raise BundleError(f"{name} is not of its form in a line", where=where)
        return array
    if _any(pc.greater(pc.utf8_length(distinct), column.most)):
        raise BundleError(f"{name} is too long in a line", where=where)
    if _any(pc.match_substring_regex(distinct, r"[\x00-\x1f\x7f]")):
        raise BundleError(f"{name} holds a control character", where=where)
    return array


def _check_common(batch: pa.RecordBatch, context: Context, where: str) -> None:
    if _any(pc.not_equal(batch["camera_id"], context.camera_id)):
        raise BundleError("a line is of another camera", where=where)
    listed = pa.array(sorted(context.recordings), pa.string())
    if not pc.all(pc.is_in(batch["recording_sha256"], listed)).as_py():
        raise BundleError("a line is of a recording that the manifest does not list", where=where)


def _instants(batch: pa.RecordBatch, name: str, context: Context, where: str) -> tuple[Any, Any]:
    """Return a column of ISO instants as UTC and by the clock they were written in, which must be the camera's own."""
    texts = batch[name]
    # The offset can only change between minutes, and a day has few of them: each is looked up once.
    minutes = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(texts, 0, 16), pc.utf8_slice_codeunits(texts, 26, 32), ""
    )
    for minute in pc.unique(minutes).to_pylist():
        try:
            instant = datetime.fromisoformat(minute)
            right = instant.astimezone(context.zone).utcoffset() == instant.utcoffset()
        except (ValueError, OverflowError):
            raise BundleError(f"{name}: no such instant, {minute}", where=where) from None
        if not right:
            raise BundleError(f"{name}: {minute} is not on the clock of {context.zone.key}", where=where)
    local = pc.cast(pc.utf8_slice_codeunits(texts, 0, 26), pa.timestamp("us"))
    return pc.cast(texts, pa.timestamp("us", "UTC")), local


def _replaced(batch: pa.RecordBatch, **columns: Any) -> pa.RecordBatch:
    arrays = {name: batch[name] for name in batch.schema.names} | columns
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _any(condition: Any) -> bool:
    return bool(pc.any(condition).as_py())
