"""`quitboard verify`, the database's part: every block is read against its checksum, and rows agree with each other."""

from __future__ import annotations

# ruff: noqa: S608 (what is pasted into SQL are names that the database itself gives)
from quitboard.database.connection import Connection

_AGREEMENTS = {
    "suspected violations without their bundle": """
        SELECT count(*) FROM violation_info WHERE bundle_id NOT IN (SELECT id FROM bundle)""",
    "recordings without their bundle": """
        SELECT count(*) FROM violation_file WHERE bundle_id NOT IN (SELECT id FROM bundle)""",
    "hours watched without their recording": """
        SELECT count(*) FROM exposure e WHERE NOT EXISTS (
            SELECT 1 FROM violation_file f WHERE f.sha256 = e.recording_sha256 AND f.bundle_id = e.bundle_id)""",
    "suspected violations without their recording": """
        SELECT count(*) FROM violation_info v JOIN bundle b ON b.id = v.bundle_id
        WHERE b.format <> 'legacy' AND NOT EXISTS (
            SELECT 1 FROM violation_file f WHERE f.sha256 = v.recording_sha256 AND f.bundle_id = v.bundle_id)""",
    "suspected violations without their camera": """
        SELECT count(*) FROM violation_info WHERE camera_id NOT IN (SELECT id FROM cctv)""",
    "pictures that are named and not listed": """
        SELECT count(*) FROM (
            SELECT still_sha256 AS sha256 FROM violation_info UNION SELECT clip_sha256 FROM violation_info)
        WHERE sha256 <> '' AND sha256 NOT IN (SELECT sha256 FROM media)""",
    "pictures that are listed and not named": """
        SELECT count(*) FROM media WHERE sha256 NOT IN (
            SELECT still_sha256 FROM violation_info UNION SELECT clip_sha256 FROM violation_info)""",
    "pictures of what was withdrawn": """
        SELECT count(*) FROM violation_info v JOIN withdrawn_span w
            ON w.camera_id = v.camera_id AND w.from_at <= v.ended_at AND w.to_at >= v.started_at
        WHERE v.still_sha256 <> '' OR v.clip_sha256 <> ''""",
    "pictures that were withdrawn and are listed": """
        SELECT count(*) FROM media WHERE sha256 IN (SELECT sha256 FROM withdrawn_media)""",
}


def disagreements(connection: Connection) -> list[str]:
    """Read all of the database and return, in words, what in it does not fit together.

    Raises:
        DatabaseError: from `opened`, when a block does not match its checksum.
    """
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall():
        connection.execute(f'SELECT bit_xor(hash(t)) FROM "{table}" t').fetchall()
    counts = {what: connection.execute(sql).fetchone()[0] for what, sql in _AGREEMENTS.items()}
    return [f"{count} {what}" for what, count in counts.items() if count]
