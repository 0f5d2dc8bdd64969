"""What the public page and `quitboard stats` ask of the database: one reading, at one instant, of what may be shown.

Two sets, kept apart on purpose:
- *published*: violations with a page of their own. Embargoed, expired, withdrawn and rejected ones are not among them.
- *counted*: what statistics rest on. A withdrawn or expired picture does not unhappen; a rejected one never was.
"""

# ruff: noqa: S608 (what is pasted into SQL are names from the tables below; values are parameters)

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from quitboard.database.connection import Connection, opened
from quitboard.database.rows import (
    Count,
    Coverage,
    MediaRow,
    ModelDay,
    ModelRow,
    Place,
    Rate,
    Tombstone,
    ViolationRow,
    Watched,
)
from quitboard.errors import UsageError
from quitboard.records import Role, Rule, Zone, ZoneKind

DIMENSIONS = {
    "camera_id": "camera_id",
    "weekday": "isodow(local_hour)::INTEGER",
    "hour": "hour(local_hour)::INTEGER",
    "day": "local_hour::DATE",
    "week": "date_trunc('week', local_hour)::DATE",
    "month": "strftime(local_hour, '%Y-%m')",
}
"""What rates may be grouped by, besides the kind, which they always are."""

FACETS = {
    "kind": "kind",
    "camera_id": "camera_id",
    "area": "area",
    "day": "strftime(day, '%Y-%m-%d')",
    "month": "strftime(day, '%Y-%m')",
    "vehicle": "vehicle",
}
"""What published violations may be counted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """When a violation is shown. Per-violation columns `publish_after` and `expire_at` go before these."""

    as_of: datetime  # the instant at which the page is true; aware
    embargo: timedelta = timedelta(0)  # from the end of the violation
    evidence_for: timedelta | None = None  # from the recording's first ingest; None: for ever
    only_confirmed: bool = False


class Board:
    """A read-only view of board.duckdb at one instant. Every method returns plain frozen rows, in a fixed order."""

    def __init__(self, connection: Connection, publishing: Publishing) -> None:
        if publishing.as_of.tzinfo is None:
            raise ValueError("as_of needs a time zone")
        self._connection = connection
        self.as_of = publishing.as_of
        self.only_confirmed = publishing.only_confirmed
        connection.execute(
            _PUBLISHED,
            {
                "as_of": publishing.as_of.isoformat(),
                "embargo_s": publishing.embargo.total_seconds(),
                "evidence_s": None if publishing.evidence_for is None else publishing.evidence_for.total_seconds(),
                "only_confirmed": publishing.only_confirmed,
            },
        )

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, publishing: Publishing) -> Iterator[Board]:
        """Open the database at `path`. Raises `DatabaseError` when it is missing or damaged, `Locked` when in use."""
        with opened(path, read_only=True) as connection:
            yield cls(connection, publishing)

    # --- places, law, models --------------------------------------------------------------------------------------

    def places(self) -> list[Place]:
        """Return the cameras that anything was ever recorded by, by id. The address is not among the fields."""
        rows = self._all("SELECT id, name, area, timezone, width, height, zones FROM cctv ORDER BY id")
        return [
            Place(
                id=row[0],
                name=row[1],
                area=row[2],
                timezone=row[3],
                resolution=(row[4], row[5]) if row[4] else None,
                zones=tuple(
                    Zone(
                        name=zone["name"],
                        kind=ZoneKind(zone["kind"]),
                        polygon=tuple((x, y) for x, y in zone["polygon"]),
                        direction=tuple(zone["direction"]) if zone["direction"] else None,
                    )
                    for zone in json.loads(row[6])
                ),
            )
            for row in rows
        ]

    def catalogue(self, on: date | None = None) -> list[Rule]:
        """Return the rules in the catalogue's order; those in force on the day `on`, or all of all times."""
        rows = self._all(
            """SELECT kind, name_ko, name_en, vehicles, enabled, law_article, fine_krw, penalty_kind,
                      valid_from, valid_to, camera_visible, exceptions, source
               FROM violation
               WHERE $day IS NULL
                  OR (coalesce(valid_from, $day) <= $day AND coalesce(valid_to, $day) >= $day)
               ORDER BY position""",
            {"day": on},
        )
        names = Rule.__dataclass_fields__
        return [
            Rule(**{**dict(zip(names, row, strict=True)), "vehicles": tuple(Role(role) for role in row[3])})
            for row in rows
        ]

    def models(self) -> list[ModelRow]:
        """Return the models that any present row rests on, the most recent first, with their cards' figures."""
        rows = self._all(
            """SELECT m.sha256, m.name, m.figures, min(b.day), max(b.day)
               FROM model m JOIN bundle b ON b.model_sha256 = m.sha256
               GROUP BY ALL ORDER BY max(b.day) DESC, m.sha256"""
        )
        return [
            ModelRow(sha256=row[0], name=row[1], figures=json.loads(row[2]), first_day=row[3], last_day=row[4])
            for row in rows
        ]

    def model_days(self) -> list[ModelDay]:
        """Return which models each camera's days rest on, by camera and day; days of an unknown model are left out."""
        rows = self._all(
            """SELECT camera_id, day, model_sha256 FROM bundle WHERE day IS NOT NULL AND model_sha256 <> ''
               GROUP BY ALL ORDER BY ALL"""
        )
        return [ModelDay(*row) for row in rows]

    # --- published violations -------------------------------------------------------------------------------------

    def violations(
        self,
        *,
        kind: str | None = None,
        camera_id: str | None = None,
        month: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ViolationRow]:
        """Yield the published violations, newest first, without holding them all.

        One such iteration at a time: the next question asked of this board ends it.
        """
        self._connection.execute(
            f"""SELECT {", ".join(ViolationRow.__dataclass_fields__)} FROM published
                WHERE ($kind IS NULL OR kind = $kind) AND ($camera IS NULL OR camera_id = $camera)
                  AND ($month IS NULL OR strftime(day, '%Y-%m') = $month)
                ORDER BY local_started_at DESC, id LIMIT $limit""",
            {"kind": kind, "camera": camera_id, "month": month, "limit": limit},
        )
        while rows := self._connection.fetchmany(2048):
            for row in rows:
                yield ViolationRow(*row)

    def counts(self, by: str) -> list[Count]:
        """Return how many violations are published for each value of a facet (`FACETS`), by value."""
        if by not in FACETS:
            raise UsageError(f"violations are counted by {', '.join(FACETS)}, not by {by!r}")
        rows = self._all(f"SELECT {FACETS[by]} AS value, count(*) FROM published GROUP BY value ORDER BY value")
        return [Count(value=value, violations=count) for value, count in rows]

    def published_count(self) -> int:
        return int(self._all("SELECT count(*) FROM published")[0][0])

    def media(self) -> list[MediaRow]:
        """Return the pictures that published violations show, by hash: no other may be on the site."""
        rows = self._all(
            """SELECT sha256, extension, bytes FROM media
               WHERE sha256 IN (SELECT still_sha256 FROM published UNION SELECT clip_sha256 FROM published)
               ORDER BY sha256"""
        )
        return [MediaRow(*row) for row in rows]

    def tombstones(self) -> list[Tombstone]:
        """Return what was withdrawn, and what was hidden with it for showing the same seconds, by id."""
        return [
            Tombstone(*row)
            for row in self._all(
                """SELECT id, camera_id, strftime(withdrawn_at, '%Y-%m-%d') FROM withdrawal
                   UNION
                   SELECT v.violation_id, w.camera_id, strftime(w.withdrawn_at, '%Y-%m-%d')
                   FROM withdrawn_violation v JOIN withdrawal w ON w.id = v.withdrawal_id
                   WHERE v.violation_id NOT IN (SELECT id FROM withdrawal)
                   ORDER BY id"""
            )
        ]

    # --- statistics -----------------------------------------------------------------------------------------------

    def rates(
        self,
        by: Sequence[str] = (),
        *,
        kind: str | None = None,
        camera_id: str | None = None,
        first_day: date | None = None,
        last_day: date | None = None,
    ) -> list[Rate]:
        """Return rates with both denominators and their 95 % intervals, by kind and the dimensions in `by`.

        There is always one row per kind: a rider judged for a helmet and for company is one rider, so that sums over
        kinds would count denominators twice.

        Args:
            by: any of `DIMENSIONS`; rows come in their order, then by kind.
            first_day, last_day: local days, both included.
        """
        unknown = [name for name in by if name not in DIMENSIONS]
        if unknown:
            raise UsageError(f"rates are grouped by {', '.join(DIMENSIONS)}, not by {unknown[0]!r}")
        keys = "".join(f"{DIMENSIONS[name]} AS {name}_key, " for name in by)
        grouping = ", ".join([*(f"{name}_key" for name in by), "kind"])
        rows = self._all(
            f"""SELECT {grouping}, unnest(rated(violations, riders, judged, unclear, watched_s)) FROM (
                    SELECT {keys} kind, sum(violations) AS violations, sum(riders) AS riders, sum(judged) AS judged,
                           sum(unclear) AS unclear, sum(watched_s) AS watched_s
                    FROM rate_cell
                    WHERE ($kind IS NULL OR kind = $kind) AND ($camera IS NULL OR camera_id = $camera)
                      AND ($first IS NULL OR local_hour::DATE >= $first)
                      AND ($last IS NULL OR local_hour::DATE <= $last)
                    GROUP BY {grouping})
                ORDER BY {grouping}""",
            {"kind": kind, "camera": camera_id, "first": first_day, "last": last_day},
        )
        return [
            Rate(**dict(zip(by, row, strict=False)), **dict(zip(_RATE_COLUMNS, row[len(by) :], strict=True)))
            for row in rows
        ]

    def watched(self, by: Sequence[str] = (), *, camera_id: str | None = None) -> list[Watched]:
        """Return what was watched, each hour of footage once whatever the number of rules; `by` as in `rates`."""
        unknown = [name for name in by if name not in DIMENSIONS]
        if unknown:
            raise UsageError(f"hours are grouped by {', '.join(DIMENSIONS)}, not by {unknown[0]!r}")
        keys = "".join(f"{DIMENSIONS[name]} AS {name}_key, " for name in by)
        grouping = ", ".join(f"{name}_key" for name in by)
        rows = self._all(
            f"""SELECT {keys} coalesce(sum(watched_s), 0) / 3600, coalesce(sum(looked_s), 0) / 3600,
                       coalesce(sum(persons), 0)::BIGINT, coalesce(sum(vehicles), 0)::BIGINT,
                       coalesce(sum(riders), 0)::BIGINT
                FROM watched_by_hour WHERE $camera IS NULL OR camera_id = $camera
                {f"GROUP BY {grouping} ORDER BY {grouping}" if by else ""}""",
            {"camera": camera_id},
        )
        columns = ("watched_hours", "looked_hours", "persons", "vehicles", "riders")
        return [
            Watched(**dict(zip(by, row, strict=False)), **dict(zip(columns, row[len(by) :], strict=True)))
            for row in rows
        ]

    def coverage(self) -> list[Coverage]:
        """Return each recording once: where its hours lie and how much of it could be read, by camera and start."""
        rows = self._all(
            """SELECT camera_id, strftime(min(local_started_at), '%Y-%m-%d'), hour(min(local_started_at))::INTEGER,
                      any_value(clock), any_value(promised_s), any_value(read_s), len(any_value(faults))::INTEGER
               FROM violation_file GROUP BY camera_id, sha256 ORDER BY camera_id, min(local_started_at), sha256"""
        )
        return [Coverage(row[0], date.fromisoformat(row[1]), *row[2:]) for row in rows]

    def counted_without_exposure(self) -> int:
        """Return how many violations are counted but in no rate, for nothing says what was watched to find them."""
        return int(self._all("SELECT count(*) FROM violation_counted WHERE NOT has_exposure")[0][0])

    def _all(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        used = {name: value for name, value in (parameters or {}).items() if f"${name}" in sql}
        found: list[tuple[Any, ...]] = self._connection.execute(sql, used).fetchall()
        return found


_RATE_COLUMNS = [
    *("kind", "violations", "riders", "judged", "unclear", "watched_hours"),
    *("per_rider", "per_rider_low", "per_rider_high", "per_hour", "per_hour_low", "per_hour_high"),
]

_PUBLISHED = """
CREATE TEMP TABLE published AS
SELECT v.id, v.kind, v.camera_id, c.name AS camera_name, c.area AS area, v.vehicle,
       v.local_started_at::DATE AS day, hour(v.local_started_at)::INTEGER AS hour,
       isodow(v.local_started_at)::INTEGER AS weekday, v.confidence, v.zone,
       v.still_sha256, v.clip_sha256, v.evidence_note, v.model_sha256, v.verdict, v.has_exposure, v.local_started_at
FROM violation_published($as_of::TIMESTAMPTZ, $embargo_s::DOUBLE, $evidence_s::DOUBLE, $only_confirmed::BOOLEAN) v
JOIN cctv c ON c.id = v.camera_id
"""
