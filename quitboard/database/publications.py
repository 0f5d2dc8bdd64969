"""Where the site was published: remembered before the first byte leaves, so that all of it can be taken back."""

from __future__ import annotations

from datetime import datetime

from quitboard.database.connection import Connection


def record(connection: Connection, target: str, generation: str, now: datetime) -> None:
    """Remember that a generation is about to be published; `target` is the text that makes the same target again."""
    connection.execute("INSERT INTO publication VALUES (?, ?, ?)", [target, generation, now.isoformat()])


def generations(connection: Connection, target: str) -> set[str]:
    """Return every generation that was ever published to a target."""
    rows = connection.execute("SELECT DISTINCT generation FROM publication WHERE target = ?", [target]).fetchall()
    return {generation for (generation,) in rows}
