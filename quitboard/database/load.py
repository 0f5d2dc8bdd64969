"""Rows into the database: the catalogue, and a bundle in one transaction.

What a bundle brings replaces what came from the same recordings on the same day, and nothing else: a day that was
looked at in two halves keeps both, one that was looked at again with a newer model keeps the newer. A recording whose
camera or clock was corrected since leaves nothing behind under its old one; a recording that crosses midnight stays in
the bundles of both days.
"""

# ruff: noqa: S608 (what is pasted into SQL are this file's own names of tables and columns; values are parameters)

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from quitboard.database import withdrawals
from quitboard.database.connection import Connection
from quitboard.errors import BundleError
from quitboard.records import Camera, ModelCard, Recording, Rule, Withdrawal

if TYPE_CHECKING:
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


class Loader:
    """Loads bundles, one transaction each. It alone writes while it lives, so that it may remember what is there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bundles = {row[0] for row in connection.execute("SELECT id FROM bundle").fetchall()}
        self._read_withdrawals()
        self._told: set[Camera | str] = set()  # cameras as they are, models by their hash

    def _read_withdrawals(self) -> None:
        rows = self._connection.execute("SELECT DISTINCT camera_id FROM withdrawal").fetchall()
        self._withdrawn_cameras = {camera_id for (camera_id,) in rows}
        self._withdrawn_media = withdrawals.withdrawn_media(self._connection)

    def learn(self, told: Sequence[Withdrawal], *, now: datetime) -> list[str]:
        """Take over what a struck bundle says was taken back; return the pictures that the media folder must lose."""
        if not told:
            return []
        gone = withdrawals.learn(self._connection, told, now=now)
        self._read_withdrawals()
        return gone

    def has(self, bundle_id: str) -> bool:
        """Tell whether a bundle's rows are there already."""
        return bundle_id in self._bundles

    def pictures_of(self, bundle_id: str) -> list[Stored]:
        """Return the pictures that a bundle's rows name."""
        rows = self._connection.execute(
            """SELECT sha256, extension, bytes FROM media WHERE sha256 IN (
                   SELECT still_sha256 FROM violation_info WHERE bundle_id = $id
                   UNION SELECT clip_sha256 FROM violation_info WHERE bundle_id = $id)
               ORDER BY sha256""",
            {"id": bundle_id},
        ).fetchall()
        return [Stored(*row) for row in rows]

    def load(
        self,
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
            store: is given the hashes of the pictures that may be published, puts them in the media folder, flushes
                them to the disk and returns them. It is called before anything is committed.

        Raises:
            BundleError: an id belongs to another bundle's violation; and whatever the batches or `store` raise.
        """
        self._connection.execute("BEGIN")
        try:
            first_seen_us, stale = self._seen_before(source)
            gone = self._delete(stale)
            self._insert_source(source, now, first_seen_us)
            count, wanted = self._insert_violations(source, violations)
            for batch in exposures:
                self._insert("exposure", _with(batch, bundle_id=source.id))
            struck: list[str] = []
            if source.camera.id in self._withdrawn_cameras or not self._withdrawn_media.isdisjoint(wanted):
                struck = withdrawals.strike(self._connection, source.id)
                wanted = self._named_by(source.id)
            self._insert_media(list(store(wanted)))
            orphans = self._forget_orphans() if stale else []
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._bundles = (self._bundles - gone) | {source.id}
        self._told |= {source.camera, source.model.sha256 if source.model else ""}
        if self._withdrawn_cameras:
            self._read_withdrawals()
        return Loaded(
            violations=count, replaced=len({bundle_id for bundle_id, _ in stale}), orphans=(*orphans, *struck)
        )

    def _seen_before(self, source: Source) -> tuple[dict[str, int], list[tuple[str, str]]]:
        """Return when each recording was first ingested, and which (bundle, recording) this source replaces."""
        rows = self._connection.execute(
            """SELECT f.bundle_id, f.sha256, epoch_us(f.first_seen_at), epoch_us(f.started_at), b.camera_id, b.day
               FROM violation_file f JOIN bundle b ON b.id = f.bundle_id
               WHERE f.sha256 IN (SELECT unnest($listed::VARCHAR[]))""",
            {"listed": [recording.sha256 for recording in source.recordings]},
        ).fetchall()
        if source.legacy_sha256:
            # A legacy zip has no recordings to remember its first day by: it remembers itself.
            rows += self._connection.execute(
                """SELECT DISTINCT b.id, v.recording_sha256, epoch_us(b.ingested_at), 0, '', NULL
                   FROM bundle b JOIN violation_info v ON v.bundle_id = b.id
                   WHERE b.format = 'legacy' AND v.recording_sha256 = ?""",
                [source.legacy_sha256],
            ).fetchall()
        starts = {recording.sha256: _us(recording.start) for recording in source.recordings}
        first: dict[str, int] = {}
        stale = []
        for bundle_id, sha256, first_seen_us, start_us, camera_id, day in rows:
            first[sha256] = min(first_seen_us, first.get(sha256, first_seen_us))
            if day == source.day or camera_id != source.camera.id or start_us != starts[sha256]:
                stale.append((bundle_id, sha256))
        return first, stale

    def _delete(self, stale: Sequence[tuple[str, str]]) -> set[str]:
        """Delete what came from recordings that are looked at again; return the bundles that nothing is left of."""
        if not stale:
            return set()
        import pyarrow as pa

        bundle_ids, recordings = zip(*stale, strict=True)
        self._connection.register("stale", pa.table({"bundle_id": bundle_ids, "sha256": recordings}))
        for table, column in (
            ("violation_info", "recording_sha256"),
            ("exposure", "recording_sha256"),
            ("violation_file", "sha256"),
        ):
            self._connection.execute(
                f"DELETE FROM {table} t USING stale s WHERE s.bundle_id = t.bundle_id AND s.sha256 = t.{column}"
            )
        gone = self._connection.execute(
            """DELETE FROM bundle WHERE id IN (SELECT bundle_id FROM stale)
               AND id NOT IN (SELECT bundle_id FROM violation_file)
               AND id NOT IN (SELECT bundle_id FROM violation_info) RETURNING id"""
        ).fetchall()
        self._connection.unregister("stale")
        return {bundle_id for (bundle_id,) in gone}

    def _insert_source(self, source: Source, now: datetime, first_seen_us: Mapping[str, int]) -> None:
        camera, model, now_us = source.camera, source.model, _us(now)
        self._connection.execute(
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
                "ingested": min(now_us, first_seen_us.get(source.legacy_sha256, now_us)),
            },
        )
        if camera not in self._told:
            self._connection.execute(
                "INSERT OR REPLACE INTO cctv VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(camera.id, camera.name, camera.area, camera.address, camera.model, camera.timezone),
                    *(camera.resolution or (None, None)),
                    json.dumps([asdict(zone) for zone in camera.zones], ensure_ascii=False),
                ],
            )
        if model and model.sha256 not in self._told:
            figures = json.dumps(dict(model.figures), sort_keys=True)
            self._connection.execute(
                "INSERT OR REPLACE INTO model VALUES (?, ?, ?)", [model.sha256, model.name, figures]
            )
        if source.recordings:
            self._insert("violation_file", _recordings(source, now_us, first_seen_us))

    def _insert_violations(self, source: Source, batches: Iterable[pa.RecordBatch]) -> tuple[int, list[str]]:
        """Insert violations; return how many, and the hashes of the pictures that they name."""
        import duckdb

        count = 0
        named: set[str] = set()
        for batch in batches:
            try:
                self._insert("violation_info", _with(batch, bundle_id=source.id))
            except duckdb.ConstraintException:
                raise BundleError(
                    "its violations are in the database already, from another bundle",
                    where=source.file_name,
                    todo="Was it made from a copy of a recording that another camera has?",
                ) from None
            count += batch.num_rows
            for column in ("still_sha256", "clip_sha256"):
                named.update(batch[column].unique().to_pylist())
        return count, sorted(named - {""})

    def _named_by(self, bundle_id: str) -> list[str]:
        """Return the hashes of the pictures that a bundle's rows name."""
        rows = self._connection.execute(
            """SELECT still_sha256 FROM violation_info WHERE bundle_id = $id AND still_sha256 <> ''
               UNION SELECT clip_sha256 FROM violation_info WHERE bundle_id = $id AND clip_sha256 <> '' ORDER BY 1""",
            {"id": bundle_id},
        ).fetchall()
        return [sha256 for (sha256,) in rows]

    def _insert_media(self, stored: Sequence[Stored]) -> None:
        import pyarrow as pa

        if stored:
            table = pa.table(
                {name: [getattr(one, name) for one in stored] for name in ("sha256", "extension", "bytes")}
            )
            self._insert("media", table, "INSERT OR IGNORE")

    def _forget_orphans(self) -> list[str]:
        rows = self._connection.execute(
            """DELETE FROM media WHERE sha256 NOT IN (
                   SELECT still_sha256 FROM violation_info UNION ALL SELECT clip_sha256 FROM violation_info)
               RETURNING sha256 || '.' || extension"""
        ).fetchall()
        return sorted(name for (name,) in rows)

    def _insert(self, table: str, rows: pa.Table, how: str = "INSERT") -> None:
        """Insert a whole table at once: row by row is a thousand times slower."""
        self._connection.register("incoming", rows)
        self._connection.execute(f"{how} INTO {table} BY NAME SELECT * FROM incoming")
        self._connection.unregister("incoming")


def _with(batch: pa.RecordBatch, **constants: str) -> pa.Table:
    """Return a batch as a table with a column more for each constant."""
    import pyarrow as pa

    table = pa.Table.from_batches([batch])
    for name, value in constants.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value), table.num_rows))
    return table


def _recordings(source: Source, now_us: int, first_seen_us: Mapping[str, int]) -> pa.Table:
    import pyarrow as pa

    instant, local = pa.timestamp("us", "UTC"), pa.timestamp("us")
    found = source.recordings
    names = ("sha256", "camera_id", "name", "width", "height")
    return pa.table(
        {
            **{name: [getattr(recording, name) for recording in found] for name in names},
            **{name: [float(getattr(recording, name)) for recording in found] for name in ("promised_s", "read_s")},
            "bundle_id": [source.id] * len(found),
            "clock": [str(recording.clock) for recording in found],
            "started_at": pa.array([recording.start for recording in found], instant),
            "local_started_at": pa.array([recording.start.replace(tzinfo=None) for recording in found], local),
            "faults": pa.array([list(recording.faults) for recording in found], pa.list_(pa.string())),
            "first_seen_at": pa.array(
                [min(now_us, first_seen_us.get(recording.sha256, now_us)) for recording in found], instant
            ),
        }
    )


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _plain(value: Any) -> Any:
    return [str(part) for part in value] if isinstance(value, tuple) else value
