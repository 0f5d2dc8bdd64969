"""The page's own numbers as files: CSV that opens right in Excel, JSON, Parquet, and what each field means. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from quitboard.database.rows import Rate
from quitboard.site.browse import list_path
from quitboard.site.data import Facts, is_of_vehicles
from quitboard.site.facets import segment
from quitboard.site.figures import FEWEST, Share
from quitboard.site.method import ACCIDENTS
from quitboard.site.series import Timeline, timeline
from quitboard.site.statistics import kinds_with_rates
from quitboard.site.view import View

# fmt: off
# ruff: noqa: E501 - a table reads best one row a line
FIELDS = (
    ("id", "string", "의심 사례의 이름", "name of the case"),
    ("kind", "string", "유형 (violation 목록의 kind)", "kind, as in the catalogue"),
    ("camera_id", "string", "카메라", "camera"),
    ("place", "string", "장소 이름", "name of the place"),
    ("area", "string", "지역: 주소나 좌표는 공개하지 않는다", "area: no address or point is published"),
    ("vehicle", "string", "탈것", "vehicle"),
    ("date", "date", "카메라 시계의 날짜", "date on the camera's clock"),
    ("hour", "integer", "시 (0–23): 분과 초는 공개하지 않는다", "hour (0-23): no minute or second is published"),
    ("weekday", "integer", "요일 (1 = 월요일)", "weekday (1 = Monday)"),
    ("confidence", "number", "검출 신뢰도 (0–1)", "confidence of the detection (0-1)"),
    ("zone", "string", "구역 이름", "name of the zone"),
    ("has_picture", "boolean", "익명 처리된 사진이 있는가", "is there an anonymised picture"),
    ("in_rates", "boolean", "비율에 들어가는가: 지켜본 시간이 알려진 것만", "is it part of rates: only where hours watched are known"),
    ("verdict", "string", "사람이 확인한 결과", "a reviewer's verdict"),
    ("model", "string", "검출 모델", "model that found it"),
    ("page", "string", "이 사이트 안의 쪽", "page on this site"),
)
STATISTICS_FIELDS = (
    ("kind", "string", "유형", "kind"),
    ("camera_id", "string", "카메라", "camera"),
    ("date", "date", "카메라 시계의 날짜", "date on the camera's clock"),
    ("from", "date", "기간의 첫날 (하루, 또는 월요일부터 한 주)", "first day of the stretch (a day, or a week from Monday)"),
    ("days", "integer", "기간의 길이: 1일 또는 7일", "length of the stretch: 1 or 7 days"),
    ("weekday", "integer", "요일 (1 = 월요일)", "weekday (1 = Monday)"),
    ("hour", "integer", "시 (0–23)", "hour (0-23)"),
    ("suspected", "integer", "의심 사례 수; 판단한 수가 5보다 적으면 비움", "suspected violations; empty where fewer than 5 were judged"),
    ("judged", "integer", "이 유형을 판단할 수 있던 이용자 (2인 이상 탑승과 주정차는 탈것) 수", "riders (vehicles for two_up and parking) on whom the kind could be judged"),
    ("share", "number", "suspected / judged (0–1)", "suspected / judged (0-1)"),
    ("low_95", "number", "95 % 구간의 아래 끝 (윌슨)", "lower end of the 95 % interval (Wilson)"),
    ("high_95", "number", "95 % 구간의 위 끝", "upper end of the 95 % interval"),
    ("watched_hours", "number", "지켜본 영상의 시간", "hours of footage watched"),
    ("looked_hours", "number", "그 가운데 자세히 본 시간", "of which looked at in full"),
    ("riders", "integer", "탈것 이용자 수; 5보다 적으면 <5", "riders seen; <5 where fewer"),
    ("persons", "integer", "사람 수", "persons seen"),
    ("watched_days", "integer", "지켜본 날의 수", "days with footage"),
    ("year", "integer", "연도", "year"),
    ("accidents", "integer", "개인형 이동장치 사고 (도로교통공단)", "accidents with personal mobility (Korea Road Traffic Authority)"),
    ("model", "string", "검출 모델", "model that detects"),
    ("sha256", "string", "그 가중치의 SHA-256", "SHA-256 of its weights"),
    ("measure", "string", "잰 것: 대상.척도 (rendered: 그려 낸 거리에서)", "what was measured: class.measure (rendered: on rendered streets)"),
    ("value", "number", "잰 값", "measured value"),
    ("pooled_share", "number", "앞선 7일 (또는 4주)을 합한 비율", "share of the last 7 days (or 4 weeks) together"),
    ("pooled_low_95", "number", "그 95 % 구간의 아래 끝", "lower end of its 95 % interval"),
    ("pooled_high_95", "number", "그 95 % 구간의 위 끝", "upper end of its 95 % interval"),
)
# fmt: on
_SHARE_NAMES = ("suspected", "judged", "share", "low_95", "high_95", "watched_hours")
_TIME_NAMES = ("from", "days", *_SHARE_NAMES, "pooled_share", "pooled_low_95", "pooled_high_95")
_WATCHED_NAMES = ("camera_id", "date", "watched_hours", "looked_hours", "riders", "persons")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def violation_rows(view: View) -> Iterator[tuple[Any, ...]]:
    """Yield the public fields of every listed violation, in the order of `FIELDS`."""
    for row in view.facts.data.violations:
        model = view.models.get(row.model_sha256)
        yield (
            row.id, row.kind, row.camera_id, view.place_name(row.camera_id), row.area, row.vehicle, row.day, row.hour,
            row.weekday, None if row.confidence is None else round(row.confidence, 4), row.zone,
            row.still_sha256 in view.media.stills, row.has_exposure, row.verdict, model.name if model else "", f"v/{segment(row.id)}/index.html",
        )  # fmt: skip


def downloads(view: View) -> Iterator[tuple[str, bytes]]:
    """Yield every file below `data/`: (path, content). The same for both languages."""
    names = [field[0] for field in FIELDS]
    yield "data/violations.csv", csv_bytes(names, violation_rows(view))
    yield "data/violations.json", _json_bytes(names, violation_rows(view))
    yield "data/violations.parquet", _parquet_bytes(view)
    yield "data/datapackage.json", _schema(view)
    yield from statistics(view)


def statistics(view: View) -> Iterator[tuple[str, bytes]]:
    """Yield the tables behind the charts; a share of fewer than five riders is left empty, its counts too."""
    facts = view.facts
    kinds = kinds_with_rates(facts)
    if kinds:
        rows: Iterable[Sequence[Any]] = [
            (kind, *_cells(facts.share_of(kind)), _hours(facts.watched_hours_of(kind))) for kind in kinds
        ]
        yield "data/statistics/by_kind.csv", csv_bytes(("kind", *_SHARE_NAMES), rows)
        rows = [
            (kind, camera, *_cells(found), _hours(facts.watched_hours_of(kind, camera)))
            for (kind, camera), found in sorted(facts.share_at.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ]
        yield "data/statistics/by_kind_and_place.csv", csv_bytes(("kind", "camera_id", *_SHARE_NAMES), rows)
        lines = [(kind, line) for kind in kinds if (line := timeline(facts, kind))]
        yield "data/statistics/kinds_over_time.csv", csv_bytes(("kind", *_TIME_NAMES), _over_time(lines))
    if facts.data.watched_by_day:
        rows = [
            (
                row.camera_id, row.day, _hours(row.watched_hours), _hours(row.looked_hours), _few(row.riders), row.persons
            )
            for row in facts.data.watched_by_day
        ]  # fmt: skip
        yield "data/statistics/watched.csv", csv_bytes(_WATCHED_NAMES, rows)
        rows = [
            (row.camera_id, row.hour, _hours(row.watched_hours), facts.watched_days[row.camera_id or ""])
            for row in facts.data.watched_by_hour
        ]
        yield (
            "data/statistics/watched_by_hour.csv",
            csv_bytes(("camera_id", "hour", "watched_hours", "watched_days"), rows),
        )
    yield "data/method/accidents.csv", csv_bytes(("year", "accidents"), ACCIDENTS)
    if facts.data.models:
        rows = [
            (model.name, model.sha256, measure, value)
            for model in facts.data.models
            for measure, value in sorted(model.figures.items())
        ]
        yield "data/method/models.csv", csv_bytes(("model", "sha256", "measure", "value"), rows)
    for kind in kinds:
        yield from _of_kind(facts, kind)


def _of_kind(facts: Facts, kind: str) -> Iterator[tuple[str, bytes]]:
    stem = f"data/statistics/{segment(kind)}"
    places = facts.shares(kind, lambda row: str(row.camera_id))
    rows: Iterable[Sequence[Any]] = [
        (camera, *_cells(found), _hours(facts.watched_hours_of(kind, camera)))
        for camera, found in sorted(places.items())
    ]
    yield f"{stem}_by_place.csv", csv_bytes(("camera_id", *_SHARE_NAMES), rows)
    lines = [(camera, line) for camera in sorted(places) if (line := timeline(facts, kind, camera))]
    yield f"{stem}_by_place_over_time.csv", csv_bytes(("camera_id", *_TIME_NAMES), _over_time(lines))
    hours = facts.shares(kind, lambda row: (row.weekday or 0, row.hour or 0), facts.data.by_hour)
    watched = facts.hours_by(kind, lambda row: (row.weekday or 0, row.hour or 0), facts.data.by_hour)
    rows = [(*key, *_cells(found), _hours(watched[key])) for key, found in sorted(hours.items())]
    yield f"{stem}_by_hour.csv", csv_bytes(("weekday", "hour", *_SHARE_NAMES), rows)
    cells = facts.shares(kind, _place_and_hour, facts.data.by_hour)
    watched_in = facts.hours_by(kind, _place_and_hour, facts.data.by_hour)
    rows = [(*cell, *_cells(found), _hours(watched_in[cell])) for cell, found in sorted(cells.items())]
    yield f"{stem}_by_place_and_hour.csv", csv_bytes(("camera_id", "weekday", "hour", *_SHARE_NAMES), rows)
    days = facts.shares(kind, lambda row: str(row.day))
    watched_on = facts.hours_by(kind, lambda row: str(row.day))
    rows = [(day, *_cells(found), _hours(watched_on[day])) for day, found in sorted(days.items())]
    yield f"{stem}_by_day.csv", csv_bytes(("date", *_SHARE_NAMES), rows)


def _place_and_hour(row: Rate) -> tuple[str, int, int]:
    return row.camera_id or "", row.weekday or 0, row.hour or 0


def _over_time(lines: Iterable[tuple[str, Timeline]]) -> Iterator[tuple[Any, ...]]:
    for name, line in lines:
        for bucket in line.buckets:
            pooled = _cells(bucket.pooled)[2:]
            days = 7 if line.weekly else 1
            yield (name, bucket.start, days, *_cells(bucket.share), _hours(bucket.watched_hours), *pooled)


def _cells(found: Share) -> tuple[Any, ...]:
    if not found.known:
        return ("", "", "", "", "")
    return (found.count, found.base, round(found.value, 5), round(found.low, 5), round(found.high, 5))


def _hours(watched_hours: float) -> float:
    return round(watched_hours, 3)


def _few(number: int) -> int | str:
    return number if number >= FEWEST else f"<{FEWEST}"


def csv_bytes(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a CSV with a byte order mark, so that Excel reads it as UTF-8; a cell never begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _header(content: bytes) -> list[str]:
    return content.decode("utf-8-sig").split("\r\n", 1)[0].split(",")


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_DANGEROUS):
        return "'" + cell
    return str(cell).lower() if isinstance(cell, bool) else cell


def _json_bytes(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    lines = ",\n".join(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str) for row in rows)
    return f"[\n{lines}\n]\n".encode()


def _parquet_bytes(view: View) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {
        "string": pa.string(), "date": pa.date32(), "integer": pa.int32(), "number": pa.float64(), "boolean": pa.bool_()
    }  # fmt: skip
    schema = pa.schema([(name, kinds[kind]) for name, kind, _, _ in FIELDS])
    columns: list[Sequence[Any]] = list(zip(*violation_rows(view), strict=True)) or [()] * len(FIELDS)
    table = pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)
    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def _schema(view: View) -> bytes:
    """Return a description after the Data Package standard (datapackage.org, version 2)."""
    fields = [
        {"name": name, "type": kind, "description": english, "description_ko": korean}
        for name, kind, korean, english in FIELDS
    ]
    meanings = {
        name: {"name": name, "type": kind, "description": english, "description_ko": korean}
        for name, kind, korean, english in STATISTICS_FIELDS
    }
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "quitboard",
        "title": view.settings.board.title_en,
        "title_ko": view.settings.board.title_ko,
        "version": str(view.as_of or ""),
        "licenses": [{"name": view.settings.site.data_licence}],
        "resources": [
            {
                "name": f"violations-{suffix}",
                "path": f"violations.{suffix}",
                "format": suffix,
                "encoding": "utf-8",
                "schema": {"fields": fields, "primaryKey": ["id"]},
            }
            for suffix in ("csv", "json", "parquet")
        ]
        + [
            {
                "name": path.rpartition("/")[2].removesuffix(".csv"),
                "path": path.removeprefix("data/"),
                "format": "csv",
                "encoding": "utf-8",
                "schema": {"fields": [meanings[name] for name in _header(content)]},
            }
            for path, content in statistics(view)
        ],
        "kinds": [
            {"kind": kind, "name_ko": rule.name_ko, "name_en": rule.name_en, "list": list_path("kind", kind),
             "denominator": "vehicles" if is_of_vehicles(kind) else "riders judged"}
            for kind in view.facts.kinds
            if (rule := next((rule for rule in view.facts.data.rules if rule.kind == kind), None))
        ],
    }  # fmt: skip
    return (json.dumps(package, ensure_ascii=False, indent=1) + "\n").encode()
