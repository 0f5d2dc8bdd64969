"""What the public page may know. No column that stays private is ever selected here: no address, no exact moment, no
recording's name, no reviewer.

Two sets of suspected violations are kept apart:
- *counted*: all but those that a reviewer rejected (with `only_confirmed`: only the confirmed); figures rest on them;
- *listed*: counted, neither withdrawn nor expired nor under embargo; they have a page.
A row *with a denominator* lies in a camera-hour whose exposure is known; only such rows enter a rate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedViolation:
    """A suspected violation as far as the public may know it."""

    id: str
    kind: str
    camera_id: str
    vehicle: str
    zone: str
    day: date  # on the camera's clock
    hour: int
    confidence: float
    still_sha256: str
    clip_sha256: str
    evidence_note: str
    model_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCamera:
    """A camera without its address."""

    id: str
    name: str
    area: str
    model: str
    timezone: str
    width: int | None
    height: int | None
    zones: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of one kind at one camera over one cell of time: a day, or an hour of one weekday."""

    camera_id: str
    kind: str
    day: date | None
    weekday: int | None  # 0 is Monday
    hour: int | None
    counted: int
    rated: int  # of which with a denominator
    judged: int
    unclear: int
    riders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What was watched at one camera in one hour of the day of one date, whatever the rule."""

    camera_id: str
    day: date
    hour: int
    watched_s: float
    looked_s: float
    riders: int
    persons: int
    vehicles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRule:
    """A catalogue row as the law page shows it."""

    kind: str
    name_ko: str
    name_en: str
    vehicles: tuple[str, ...]
    enabled: bool
    law_article: str
    fine_krw: int | None
    penalty_kind: str
    valid_from: date | None
    valid_to: date | None
    camera_visible: bool
    exceptions: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicModel:
    sha256: str
    name: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """Everything a build reads, in one go: the whole of what pages are a function of, media and settings aside."""

    newest: datetime | None  # the newest instant that anything was seen at
    violations: tuple[ListedViolation, ...]  # newest first
    by_day: tuple[Tally, ...]
    by_hour: tuple[Tally, ...]
    watch: tuple[Watch, ...]
    cameras: tuple[PublicCamera, ...]
    rules: tuple[PublicRule, ...]
    models: tuple[PublicModel, ...]  # most used first
    withdrawn: tuple[str, ...]
    recordings: int
    damaged: int  # recordings read only in part


_STATES = """
WITH judged_by_reader AS (
    SELECT v.id, arg_max(r.verdict, r."at") AS verdict
    FROM violation_info v JOIN verdict r
      ON r.camera_id = v.camera_id AND r.kind = v.kind
     AND r.started_at <= v.ended_at AND r.ended_at >= v.started_at
    GROUP BY v.id
),
counted AS (
    SELECT v.*
    FROM violation_info v LEFT JOIN judged_by_reader j ON j.id = v.id
    WHERE CASE WHEN $only_confirmed THEN j.verdict = 'confirmed' ELSE coalesce(j.verdict, '') <> 'rejected' END
)
"""

_LISTED = (
    _STATES
    + """
SELECT v.id, v.kind, v.camera_id, v.vehicle, v.zone, CAST(v.local_started_at AS DATE) AS day,
       CAST(hour(v.local_started_at) AS INTEGER) AS hour, v.confidence, v.still_sha256, v.clip_sha256, v.evidence_note,
       coalesce(b.model_sha256, '') AS model_sha256
FROM counted v LEFT JOIN bundle b ON b.id = v.bundle_id
WHERE coalesce(v.publish_after <= $now, true) AND coalesce(v.expire_at > $now, true)
  AND NOT EXISTS (SELECT 1 FROM withdrawal w
                  WHERE w.id = v.id OR (w.camera_id = v.camera_id
                                        AND w.started_at <= v.ended_at AND w.ended_at >= v.started_at))
ORDER BY v.started_at DESC, v.id
"""
)

_TALLY = (
    _STATES
    + """,
hours AS (
    SELECT camera_id, kind, local_hour, sum(judged) AS judged, sum(unclear) AS unclear, sum(riders) AS riders
    FROM exposure GROUP BY ALL
),
found AS (
    SELECT camera_id, kind, date_trunc('hour', local_started_at) AS local_hour, count(*) AS counted
    FROM counted GROUP BY ALL
),
cells AS (
    SELECT camera_id, kind, local_hour, coalesce(f.counted, 0) AS counted,
           CASE WHEN h.local_hour IS NULL THEN 0 ELSE coalesce(f.counted, 0) END AS rated,
           coalesce(h.judged, 0) AS judged, coalesce(h.unclear, 0) AS unclear, coalesce(h.riders, 0) AS riders
    FROM hours h FULL JOIN found f USING (camera_id, kind, local_hour)
)
SELECT camera_id, kind, {cell},
       CAST(sum(counted) AS BIGINT) AS counted, CAST(sum(rated) AS BIGINT) AS rated,
       CAST(sum(judged) AS BIGINT) AS judged, CAST(sum(unclear) AS BIGINT) AS unclear,
       CAST(sum(riders) AS BIGINT) AS riders
FROM cells GROUP BY ALL ORDER BY ALL
"""
)
_BY_DAY = _TALLY.format(
    cell="CAST(local_hour AS DATE) AS day, CAST(NULL AS INTEGER) AS weekday, CAST(NULL AS INTEGER) AS hour"
)
_BY_HOUR = _TALLY.format(
    cell="CAST(NULL AS DATE) AS day, CAST(isodow(local_hour) - 1 AS INTEGER) AS weekday,"
    " CAST(hour(local_hour) AS INTEGER) AS hour"
)

# Each rule repeats what its recording's hour watched: the largest is the hour's, a sum would count it once a rule.
_WATCH = """
WITH hours AS (
    SELECT camera_id, recording_sha256, local_hour, max(watched_s) AS watched_s, max(looked_s) AS looked_s,
           max(riders) AS riders, max(persons) AS persons, max(vehicles) AS vehicles
    FROM exposure GROUP BY ALL
)
SELECT camera_id, CAST(local_hour AS DATE) AS day, CAST(hour(local_hour) AS INTEGER) AS hour,
       sum(watched_s) AS watched_s, sum(looked_s) AS looked_s, CAST(sum(riders) AS BIGINT) AS riders,
       CAST(sum(persons) AS BIGINT) AS persons, CAST(sum(vehicles) AS BIGINT) AS vehicles
FROM hours GROUP BY ALL ORDER BY ALL
"""

_NEWEST = """
SELECT max("at") FROM (
    SELECT epoch_us(max(started_at)) AS "at" FROM violation_info
    UNION ALL SELECT epoch_us(max(hour)) FROM exposure
    UNION ALL SELECT epoch_us(max(started_at)) FROM violation_file
)
"""


def read_site_data(
    connection: duckdb.DuckDBPyConnection, *, now: datetime | None = None, only_confirmed: bool = False
) -> SiteData:
    """Read all that the page rests on.

    Args:
        connection: an open board.
        now: the instant that embargo and expiry are held against; without one, the newest instant in the board.
        only_confirmed: count only what a reviewer confirmed.
    """
    row = connection.execute(_NEWEST).fetchone()
    newest = _EPOCH + timedelta(microseconds=row[0]) if row and row[0] is not None else None
    states = {"only_confirmed": only_confirmed}
    cameras = connection.execute(
        "SELECT id, name, area, model, timezone, width, height, zones FROM cctv ORDER BY id"
    ).fetchall()
    models = connection.execute(
        "SELECT m.sha256, m.name, m.figures FROM model m LEFT JOIN bundle b ON b.model_sha256 = m.sha256"
        " GROUP BY ALL ORDER BY count(b.id) DESC, m.sha256"
    ).fetchall()
    faults = connection.execute(
        "SELECT count(DISTINCT sha256), count(DISTINCT sha256) FILTER (len(faults) > 0) FROM violation_file"
    ).fetchone()
    return SiteData(
        newest=newest,
        violations=tuple(
            ListedViolation(**item)
            for item in _rows(connection, _LISTED, {**states, "now": now or newest or datetime.now(UTC)})
        ),
        by_day=tuple(Tally(**item) for item in _rows(connection, _BY_DAY, states)),
        by_hour=tuple(Tally(**item) for item in _rows(connection, _BY_HOUR, states)),
        watch=tuple(Watch(**item) for item in _rows(connection, _WATCH, {})),
        cameras=tuple(
            PublicCamera(
                id=camera[0],
                name=camera[1],
                area=camera[2],
                model=camera[3],
                timezone=camera[4],
                width=camera[5],
                height=camera[6],
                zones=tuple(json.loads(camera[7])),
            )
            for camera in cameras
        ),
        rules=tuple(
            PublicRule(**{**item, "vehicles": tuple(item["vehicles"])})
            for item in _rows(
                connection,
                "SELECT kind, name_ko, name_en, vehicles, enabled, law_article, fine_krw, penalty_kind, valid_from,"
                " valid_to, camera_visible, exceptions, source FROM violation ORDER BY position, valid_from, kind",
                {},
            )
        ),
        models=tuple(PublicModel(sha256=sha, name=name, figures=json.loads(figures)) for sha, name, figures in models),
        withdrawn=tuple(row[0] for row in connection.execute("SELECT id FROM withdrawal ORDER BY id").fetchall()),
        recordings=faults[0] if faults else 0,
        damaged=faults[1] if faults else 0,
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object]) -> Iterator[dict[str, Any]]:
    cursor = connection.execute(query, parameters)
    names = [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(5000):
        for row in rows:
            yield dict(zip(names, row, strict=True))
