"""Rows into the database: the catalogue, and a bundle in one transaction.

What a bundle brings replaces what came from the same recordings on the same day, and nothing else: a day that was
looked at in two halves keeps both, one that was looked at again with a newer model keeps the newer. A recording whose
camera or clock was corrected since leaves nothing behind under its old one; a recording that crosses midnight stays in
the bundles of both days.
"""

# ruff: noqa: S608 (what is pasted into SQL are this file's own names of tables and columns; values are parameters)

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from quitboard.database.connection import Connection
from quitboard.errors import BundleError
from quitboard.records import Camera, ModelCard, Recording, Rule

if TYPE_CHECKING:
    import pyarrow as pa

BUNDLE = "quitboard-bundle"
LEGACY = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where rows come from: a bundle's manifest, or as much of one as the first QuitBoard's zip has."""

    id: str
    format: str  # BUNDLE | LEGACY
    file_name: str
    camera: Camera
    day: date | None
    model: ModelCard | None
    tool_version: str
    manifest: str  # JSON
    recordings: tuple[Recording, ...]
    legacy_sha256: str = ""  # of the first QuitBoard's zip; its rows name it as their recording


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture that lies in the media folder, flushed to the disk."""

    sha256: str
    extension: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a transaction did: `orphans` are pictures, `<sha256>.<extension>`, that no row names any longer."""

    violations: int
    replaced: int
    orphans: tuple[str, ...]


def has_bundle(connection: Connection, bundle_id: str) -> bool:
    """Tell whether a bundle's rows are all there already."""
    return bool(connection.execute("SELECT count(*) FROM bundle WHERE id = ?", [bundle_id]).fetchone()[0])


def pictures_of(connection: Connection, bundle_id: str) -> list[Stored]:
    """Return the pictures that a bundle's rows name."""
    rows = connection.execute(
        """SELECT sha256, extension, bytes FROM media WHERE sha256 IN (
               SELECT still_sha256 FROM violation_info WHERE bundle_id = $id
               UNION SELECT clip_sha256 FROM violation_info WHERE bundle_id = $id)
           ORDER BY sha256""",
        {"id": bundle_id},
    ).fetchall()
    return [Stored(*row) for row in rows]


def all_pictures(connection: Connection) -> set[str]:
    """Return `<sha256>.<extension>` of every picture that the database knows."""
    return {
        f"{sha}.{extension}" for sha, extension in connection.execute("SELECT sha256, extension FROM media").fetchall()
    }


def store_catalogue(connection: Connection, rules: Sequence[Rule]) -> None:
    """Make the catalogue in the database the given one; nothing is written when it is already."""
    names = [item.name for item in fields(Rule)]
    wanted = [
        (*(_plain(getattr(rule, name)) for name in names), position) for position, rule in enumerate(rules, start=1)
    ]
    columns = ", ".join([*names, "position"])
    if connection.execute(f"SELECT {columns} FROM violation ORDER BY position").fetchall() == wanted:
        return
    places = ", ".join("?" * (len(names) + 1))
    connection.execute("BEGIN")
    connection.execute("DELETE FROM violation")
    for row in wanted:
        connection.execute(f"INSERT INTO violation ({columns}) VALUES ({places})", row)
    connection.execute("COMMIT")


def load(
    connection: Connection,
    source: Source,
    violations: Iterable[pa.RecordBatch],
    exposures: Iterable[pa.RecordBatch],
    *,
    now: datetime,
    store: Callable[[Sequence[str]], Iterable[Stored]],
) -> Loaded:
    """Load a bundle: all of it or, when anything fails, nothing.

    Args:
        violations, exposures: checked batches; instants as `timestamp[us, UTC]` with their `local_...` beside them.
        now: the instant of ingesting; retention counts from the first one that a recording was ingested at.
        store: is given the hashes of the pictures that may be published, puts them in the media folder, flushes them
            to the disk and returns them. It is called before anything is committed.

    Raises:
        BundleError: an id belongs to another bundle's violation; and whatever the batches or `store` raise.
    """
    connection.execute("BEGIN")
    try:
        replaced = _replace(connection, source)
        _insert_source(connection, source, now)
        count = _insert_violations(connection, source, violations)
        _insert(connection, "exposure", exposures, ["?::VARCHAR AS bundle_id"], [source.id])
        wanted = _publishable(connection, source.id)
        _insert_media(connection, list(store(wanted)))
        orphans = _forget_orphans(connection) if replaced else []
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return Loaded(violations=count, replaced=replaced, orphans=tuple(orphans))


def _replace(connection: Connection, source: Source) -> int:
    """Delete what came from the same recordings; return how many bundles that concerned. Fills the table `stale`."""
    import pyarrow as pa

    listed = pa.table(
        {
            "sha256": pa.array([recording.sha256 for recording in source.recordings], pa.string()),
            "started_at": pa.array([recording.start for recording in source.recordings], pa.timestamp("us", "UTC")),
        }
    )
    connection.register("listed", listed)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE stale AS
           SELECT f.bundle_id, f.sha256, f.first_seen_at
           FROM violation_file f JOIN listed l ON l.sha256 = f.sha256 JOIN bundle b ON b.id = f.bundle_id
           WHERE b.day = $day OR b.camera_id <> $camera OR f.started_at <> l.started_at
           UNION ALL
           SELECT DISTINCT b.id, v.recording_sha256, b.ingested_at
           FROM bundle b JOIN violation_info v ON v.bundle_id = b.id
           WHERE b.format = 'legacy' AND v.recording_sha256 = $legacy""",
        {"day": source.day, "camera": source.camera.id, "legacy": source.legacy_sha256},
    )
    connection.unregister("listed")
    found = connection.execute("SELECT count(DISTINCT bundle_id) FROM stale").fetchone()[0]
    if found:
        for table, column in (
            ("violation_info", "recording_sha256"),
            ("exposure", "recording_sha256"),
            ("violation_file", "sha256"),
        ):
            connection.execute(
                f"DELETE FROM {table} t USING stale s WHERE s.bundle_id = t.bundle_id AND s.sha256 = t.{column}"
            )
        connection.execute(
            """DELETE FROM bundle WHERE id IN (SELECT bundle_id FROM stale)
               AND id NOT IN (SELECT bundle_id FROM violation_file)
               AND id NOT IN (SELECT bundle_id FROM violation_info)"""
        )
    return int(found)


def _insert_source(connection: Connection, source: Source, now: datetime) -> None:
    import pyarrow as pa

    camera, model = source.camera, source.model
    first_seen = connection.execute(
        "SELECT epoch_us(least(min(first_seen_at), $now::TIMESTAMPTZ)) FROM stale", {"now": now.isoformat()}
    ).fetchone()[0]
    connection.execute(
        """INSERT INTO bundle VALUES
           ($id, $format, $camera, $day, $model, $tool, $file, $manifest, make_timestamptz($ingested))""",
        {
            "id": source.id,
            "format": source.format,
            "camera": camera.id,
            "day": source.day,
            "model": model.sha256 if model else "",
            "tool": source.tool_version,
            "file": source.file_name,
            "manifest": source.manifest,
            # A legacy zip has no recordings to remember its first day by: it remembers itself.
            "ingested": first_seen if source.format == LEGACY else round(now.timestamp() * 1e6),
        },
    )
    connection.execute(
        "INSERT OR REPLACE INTO cctv VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(camera.id, camera.name, camera.area, camera.address, camera.model, camera.timezone),
            *(camera.resolution or (None, None)),
            json.dumps([asdict(zone) for zone in camera.zones], ensure_ascii=False),
        ],
    )
    if model:
        figures = json.dumps(dict(model.figures), sort_keys=True)
        connection.execute("INSERT OR REPLACE INTO model VALUES (?, ?, ?)", [model.sha256, model.name, figures])
    if not source.recordings:
        return
    table = pa.table(
        {
            "sha256": [recording.sha256 for recording in source.recordings],
            "camera_id": [recording.camera_id for recording in source.recordings],
            "name": [recording.name for recording in source.recordings],
            "started_at": pa.array([recording.start for recording in source.recordings], pa.timestamp("us", "UTC")),
            "local_started_at": pa.array(
                [recording.start.replace(tzinfo=None) for recording in source.recordings], pa.timestamp("us")
            ),
            "clock": [str(recording.clock) for recording in source.recordings],
            "width": [recording.width for recording in source.recordings],
            "height": [recording.height for recording in source.recordings],
            "promised_s": [float(recording.promised_s) for recording in source.recordings],
            "read_s": [float(recording.read_s) for recording in source.recordings],
            "faults": pa.array([list(recording.faults) for recording in source.recordings], pa.list_(pa.string())),
        }
    )
    connection.register("incoming", table)
    connection.execute(
        """INSERT INTO violation_file BY NAME
           SELECT i.*, $id AS bundle_id, least(seen.first_seen_at, $now::TIMESTAMPTZ) AS first_seen_at
           FROM incoming i LEFT JOIN (
               SELECT sha256, min(first_seen_at) AS first_seen_at FROM (
                   SELECT sha256, first_seen_at FROM stale UNION ALL SELECT sha256, first_seen_at FROM violation_file)
               GROUP BY sha256) seen ON seen.sha256 = i.sha256""",
        {"id": source.id, "now": now.isoformat()},
    )
    connection.unregister("incoming")


def _insert_violations(connection: Connection, source: Source, batches: Iterable[pa.RecordBatch]) -> int:
    import duckdb

    try:
        return _insert(connection, "violation_info", batches, ["?::VARCHAR AS bundle_id"], [source.id])
    except duckdb.ConstraintException:
        raise BundleError(
            "its violations are in the database already, from another bundle",
            where=source.file_name,
            todo="Is one recording in the folders of two cameras?",
        ) from None


def _insert(
    connection: Connection, table: str, batches: Iterable[pa.RecordBatch], more: Sequence[str], values: Sequence[Any]
) -> int:
    import pyarrow as pa

    count = 0
    for batch in batches:
        connection.register("incoming", pa.Table.from_batches([batch]))
        connection.execute(f"INSERT INTO {table} BY NAME SELECT *, {', '.join(more)} FROM incoming", values)
        connection.unregister("incoming")
        count += batch.num_rows
    return count


def _publishable(connection: Connection, bundle_id: str) -> list[str]:
    """Take the pictures off what was withdrawn, whatever the model; return the hashes of those that are left."""
    connection.execute(
        """UPDATE violation_info SET still_sha256 = '', clip_sha256 = '', evidence_note = 'withdrawn'
           WHERE bundle_id = ? AND EXISTS (
               SELECT 1 FROM withdrawn_span w WHERE w.camera_id = violation_info.camera_id
               AND w.from_at <= violation_info.ended_at AND w.to_at >= violation_info.started_at)""",
        [bundle_id],
    )
    rows = connection.execute(
        """SELECT still_sha256 FROM violation_info WHERE bundle_id = $id AND still_sha256 <> ''
           UNION SELECT clip_sha256 FROM violation_info WHERE bundle_id = $id AND clip_sha256 <> '' ORDER BY 1""",
        {"id": bundle_id},
    ).fetchall()
    return [sha256 for (sha256,) in rows]


def _insert_media(connection: Connection, stored: Sequence[Stored]) -> None:
    import pyarrow as pa

    if not stored:
        return
    table = pa.table({name: [getattr(one, name) for one in stored] for name in ("sha256", "extension", "bytes")})
    connection.register("incoming", table)
    connection.execute("INSERT OR IGNORE INTO media BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def _forget_orphans(connection: Connection) -> list[str]:
    rows = connection.execute(
        """DELETE FROM media WHERE sha256 NOT IN (
               SELECT still_sha256 FROM violation_info UNION ALL SELECT clip_sha256 FROM violation_info)
           RETURNING sha256 || '.' || extension"""
    ).fetchall()
    return sorted(name for (name,) in rows)


def _plain(value: Any) -> Any:
    return [str(part) for part in value] if isinstance(value, tuple) else value
