"""`quitboard export`: what is published as tables, in a form that a spreadsheet, a program or a statistician reads.

violations          the published ones, without second, address, track or picture
rates_by_kind, rates_by_camera, rates_by_hour, rates_by_day
watched_by_day      footage, each hour once
catalogue           the rules
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quitboard.database.board import Board
from quitboard.database.rows import Rate, ViolationRow
from quitboard.errors import UsageError
from quitboard.files import write_bytes
from quitboard.records import Rule

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("csv", "json", "parquet")
FEWEST_RIDERS = 5
"""Of fewer riders a table says neither how many nor what share: a cell must not point at somebody."""

_BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_VIOLATION = {
    "id": "string", "kind": "string", "camera_id": "string", "camera_name": "string", "area": "string",
    "vehicle": "string", "day": "date32", "hour": "int32", "weekday": "int32", "confidence": "float64",
    "zone": "string", "has_picture": "bool_", "in_rates": "bool_", "verdict": "string", "model_sha256": "string",
}  # fmt: skip
_KEYS = {"camera_id": "string", "weekday": "int32", "hour": "int32", "day": "date32"}
_RATE = {
    "violations": "int64", "riders": "int64", "judged": "int64", "unclear": "int64", "watched_hours": "float64",
    "per_rider": "float64", "per_rider_low_95": "float64", "per_rider_high_95": "float64",
    "per_hour": "float64", "per_hour_low_95": "float64", "per_hour_high_95": "float64",
}  # fmt: skip
_WATCHED = {"watched_hours": "float64", "looked_hours": "float64", "persons": "int64", "riders": "int64"}
_RULE = {
    "kind": "string", "name_ko": "string", "name_en": "string", "vehicles": "string", "enabled": "bool_",
    "law_article": "string", "fine_krw": "int64", "penalty_kind": "string", "valid_from": "date32",
    "valid_to": "date32", "camera_visible": "bool_", "exceptions": "string", "source": "string",
}  # fmt: skip


def export(board: Board, folder: Path, form: str) -> list[Path]:
    """Write the tables below `folder` and return their paths; each file is whole or absent.

    Args:
        form: one of `FORMATS`. CSV begins with a byte order mark, so that Excel reads it as UTF-8.

    Raises:
        UsageError: no such format.
        DiskFull: what was written before stays.
    """
    if form not in FORMATS:
        raise UsageError(f"no format {form!r}", where="--format", todo=f"Use one of {', '.join(FORMATS)}")
    encode = {"csv": _csv, "json": _json, "parquet": _parquet}[form]
    written = []
    for name, table in tables(board):
        path = folder / f"{name}.{form}"
        write_bytes(path, encode(table))
        written.append(path)
    return written


def tables(board: Board) -> Iterator[tuple[str, pa.Table]]:
    """Yield name and table of everything that is exported; empty ones have their columns all the same."""
    yield "violations", _table(_VIOLATION, (_violation(row) for row in board.violations()))
    for name, keys in (
        ("kind", ()),
        ("camera", ("camera_id",)),
        ("hour", ("camera_id", "weekday", "hour")),
        ("day", ("camera_id", "day")),
    ):
        columns = {**{key: _KEYS[key] for key in keys}, "kind": "string", **_RATE}
        yield f"rates_by_{name}", _table(columns, (_rate(rate, keys) for rate in board.rates(keys)))
    keys = ("camera_id", "day")
    columns = {**{key: _KEYS[key] for key in keys}, **_WATCHED}
    yield (
        "watched_by_day",
        _table(columns, ({name: getattr(row, name) for name in columns} for row in board.watched(keys))),
    )
    yield "catalogue", _table(_RULE, (_rule(rule) for rule in board.catalogue()))


def _violation(row: ViolationRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in _VIOLATION if name not in ("has_picture", "in_rates")}
    return {**shown, "has_picture": bool(row.still_sha256), "in_rates": row.has_exposure}


def _rate(rate: Rate, keys: Sequence[str]) -> dict[str, Any]:
    """Return a row; hours watched are told in any case, riders only where they are enough."""
    row = {name: getattr(rate, name.removesuffix("_95")) for name in (*keys, "kind", *_RATE)}
    if 0 < rate.riders < FEWEST_RIDERS:
        row |= dict.fromkeys(name for name in _RATE if name != "watched_hours")
    elif rate.judged < FEWEST_RIDERS:
        row |= dict.fromkeys(("per_rider", "per_rider_low_95", "per_rider_high_95"))
    return row


def _rule(rule: Rule) -> dict[str, Any]:
    return {**{name: getattr(rule, name) for name in _RULE}, "vehicles": " ".join(rule.vehicles)}


def _table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])
    return pa.Table.from_pylist(list(rows), schema)


def _csv(table: pa.Table) -> bytes:
    text = io.StringIO(_BOM, newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.schema.names)
    for batch in table.to_batches(max_chunksize=4096):
        writer.writerows([_cell(value) for value in row.values()] for row in batch.to_pylist())
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    # A text that a spreadsheet would take for a formula is only a text.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json(table: pa.Table) -> bytes:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, default=str) for row in table.to_pylist())
    return f"[\n{lines}\n]\n".encode()


def _parquet(table: pa.Table) -> bytes:
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()
