"""Where the site was published: remembered before the first byte leaves, so that all of it can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quitboard.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A target as `open_target` takes it, and what was sent there last; `published_at` is when that was begun."""

    target: str
    generation: str
    published_at: datetime


def record(connection: Connection, target: str, generation: str, now: datetime) -> None:
    """Remember that a generation is about to be published."""
    connection.execute("INSERT INTO publication VALUES (?, ?, ?)", [target, generation, now.isoformat()])


def published(connection: Connection) -> list[Publication]:
    """Return every target that was ever published to, with its latest generation, by name."""
    rows = connection.execute(
        """SELECT target, arg_max(generation, published_at), max(published_at)
           FROM publication GROUP BY target ORDER BY target"""
    ).fetchall()
    return [Publication(target=row[0], generation=row[1], published_at=row[2]) for row in rows]


def generations(connection: Connection, target: str) -> set[str]:
    """Return every generation that was ever published to a target."""
    rows = connection.execute("SELECT DISTINCT generation FROM publication WHERE target = ?", [target]).fetchall()
    return {generation for (generation,) in rows}
