"""Withdrawals: what they strike, for good, and where it has still to be taken back.

A withdrawal is asked for by a violation's id and holds by camera and time span. Three things follow from it, in one
transaction: violations that show the same seconds are hidden; their pictures are struck, by hash, also where another
violation shows the same picture; every place that held them is noted as due until somebody has looked there.
"""

# ruff: noqa: S608 (what is pasted into SQL is this file's own; values are parameters)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from quitboard.database.connection import Connection
from quitboard.records import Withdrawal, WithdrawnSpan

OWN_FILES = ""
"""The place that stands for the board's own files: media, caches, bundles, site."""
NOTE = "withdrawn"
"""What a violation's `evidence_note` says where its picture was struck."""
_NEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A violation that a withdrawal touches."""

    id: str
    kind: str
    camera_id: str
    day: str
    why: str  # asked: it was named; same seconds: hidden with it; same picture: shown on, without its picture
    pictures: tuple[str, ...]  # `<sha256>.<extension>`, that it loses


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What must not be kept or shown any longer: asked of every bundle and every file."""

    media: Mapping[str, str] = field(default_factory=dict)  # sha256 -> extension
    withdrawals: tuple[Withdrawal, ...] = ()
    spans: tuple[WithdrawnSpan, ...] = ()  # of the withdrawals, in their order
    legacy: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # first QuitBoard's zip -> row id -> kind

    def __bool__(self) -> bool:
        return bool(self.withdrawals)

    def of_camera(self, camera_id: str) -> list[tuple[Withdrawal, WithdrawnSpan]]:
        """Return the withdrawals of a camera, each with the span that it holds for."""
        pairs = zip(self.withdrawals, self.spans, strict=True)
        return [(withdrawal, span) for withdrawal, span in pairs if span.camera_id == camera_id]

    def touching(self, camera_id: str, started_at: datetime, ended_at: datetime) -> list[Withdrawal]:
        """Return the withdrawals that hold for a span of a camera."""
        return [
            withdrawal
            for withdrawal, span in self.of_camera(camera_id)
            if span.from_at <= ended_at and span.to_at >= started_at
        ]


def guard(connection: Connection, also: Sequence[str] = ()) -> Guard:
    """Return all that was ever withdrawn, and what would be if the violations of the ids `also` were."""
    held = """
        WITH held AS (
            SELECT id, camera_id, started_at, ended_at, withdrawn_at FROM withdrawal
            UNION ALL
            SELECT id, camera_id, started_at, ended_at, now() FROM violation_info
            WHERE id IN (SELECT unnest($also::VARCHAR[])) AND id NOT IN (SELECT id FROM withdrawal)
        ), span AS (
            SELECT *, started_at - withdrawal_margin() AS from_at, ended_at + withdrawal_margin() AS to_at FROM held
        )"""
    asked = {"also": list(also)}
    rows = connection.execute(
        f"""{held} SELECT id, camera_id, epoch_us(started_at), epoch_us(ended_at), epoch_us(withdrawn_at),
                          epoch_us(from_at), epoch_us(to_at)
            FROM span ORDER BY id""",
        asked,
    ).fetchall()
    if not rows:
        return Guard()
    legacy: dict[str, dict[str, str]] = {}
    for zip_sha256, violation_id, kind in connection.execute(
        f"""{held} SELECT v.recording_sha256, v.id, v.kind FROM violation_info v JOIN bundle b ON b.id = v.bundle_id
            JOIN span w ON w.camera_id = v.camera_id AND w.from_at <= v.ended_at AND w.to_at >= v.started_at
            WHERE b.format = 'legacy'""",
        asked,
    ).fetchall():
        legacy.setdefault(zip_sha256, {})[violation_id] = kind
    media = dict(connection.execute("SELECT sha256, extension FROM withdrawn_media").fetchall())
    for one in would_strike(connection, also) if also else ():
        media |= {name[:64]: name[65:] for name in one.pictures}
    return Guard(
        media=dict(sorted(media.items())),
        withdrawals=tuple(
            Withdrawal(
                id=row[0], camera_id=row[1], started_at=_at(row[2]), ended_at=_at(row[3]), withdrawn_at=_at(row[4])
            )
            for row in rows
        ),
        spans=tuple(WithdrawnSpan(camera_id=row[1], from_at=_at(row[5]), to_at=_at(row[6])) for row in rows),
        legacy=legacy,
    )


def withdrawn_media(connection: Connection) -> set[str]:
    """Return the SHA-256 of every picture that was withdrawn."""
    return {sha256 for (sha256,) in connection.execute("SELECT sha256 FROM withdrawn_media").fetchall()}


def latest(connection: Connection) -> datetime | None:
    """Return when something was last withdrawn: no site that is older may be shown again."""
    (found,) = connection.execute("SELECT epoch_us(max(withdrawn_at)) FROM withdrawal").fetchone()
    return None if found is None else _at(found)


def already(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Return those of the ids that were withdrawn before, sorted."""
    rows = connection.execute(
        "SELECT id FROM withdrawal WHERE id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY id", {"ids": list(ids)}
    ).fetchall()
    return [violation_id for (violation_id,) in rows]


def unknown(connection: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return those of the ids that the board does not know, each with the nearest that it does."""
    wanted = list(dict.fromkeys(ids))
    rows = connection.execute(
        """SELECT i.id FROM (SELECT unnest($ids::VARCHAR[]) AS id) i
           WHERE i.id NOT IN (SELECT id FROM violation_info) AND i.id NOT IN (SELECT id FROM withdrawal)""",
        {"ids": wanted},
    ).fetchall()
    missing = {violation_id for (violation_id,) in rows}
    return {one: _nearest(connection, one) for one in wanted if one in missing}


def _nearest(connection: Connection, wrong: str) -> list[str]:
    """Return ids that a lost end or a slip of the hand may have meant."""
    rows = connection.execute(
        """SELECT id FROM violation_info
           WHERE (len($wrong) >= 4 AND starts_with(id, $wrong[:8])) OR levenshtein(id, $wrong) <= 6
           ORDER BY levenshtein(id, $wrong), id LIMIT $most""",
        {"wrong": wrong, "most": _NEAR},
    ).fetchall()
    return [violation_id for (violation_id,) in rows]


def would_strike(connection: Connection, ids: Sequence[str]) -> list[Struck]:
    """Return what withdrawing `ids` touches: those named first, then by id. Changes nothing."""
    rows = connection.execute(
        """WITH asked AS (
               SELECT id, camera_id,
                      started_at - withdrawal_margin() AS from_at, ended_at + withdrawal_margin() AS to_at
               FROM violation_info WHERE id IN (SELECT unnest($ids::VARCHAR[]))
           ), hidden AS (
               SELECT v.id, v.still_sha256, v.clip_sha256 FROM violation_info v WHERE EXISTS (
                   SELECT 1 FROM asked a WHERE a.camera_id = v.camera_id
                   AND a.from_at <= v.ended_at AND a.to_at >= v.started_at)
           ), picture AS (
               SELECT still_sha256 AS sha256 FROM hidden UNION SELECT clip_sha256 FROM hidden
           )
           SELECT v.id, v.kind, v.camera_id, strftime(v.local_started_at, '%Y-%m-%d'),
                  CASE WHEN v.id IN (SELECT id FROM asked) THEN 'asked'
                       WHEN v.id IN (SELECT id FROM hidden) THEN 'same seconds' ELSE 'same picture' END AS why,
                  CASE WHEN v.still_sha256 IN (SELECT sha256 FROM picture) THEN v.still_sha256 ELSE '' END,
                  CASE WHEN v.clip_sha256 IN (SELECT sha256 FROM picture) THEN v.clip_sha256 ELSE '' END
           FROM violation_info v
           WHERE v.id IN (SELECT id FROM hidden)
              OR (v.still_sha256 <> '' AND v.still_sha256 IN (SELECT sha256 FROM picture))
              OR (v.clip_sha256 <> '' AND v.clip_sha256 IN (SELECT sha256 FROM picture))
           ORDER BY why, v.id""",
        {"ids": list(ids)},
    ).fetchall()
    return [
        Struck(
            id=violation_id,
            kind=kind,
            camera_id=camera_id,
            day=day,
            why=why,
            pictures=tuple(f"{sha256}.{extension}" for sha256, extension in ((still, "jpg"), (clip, "gif")) if sha256),
        )
        for violation_id, kind, camera_id, day, why, still, clip in rows
    ]


def withdraw(connection: Connection, ids: Sequence[str], *, reason: str, now: datetime) -> list[Struck]:
    """Withdraw violations, all or none; return what that touches. Those withdrawn before are left as they are.

    Afterwards no row names a struck picture, and `due` lists this board and every target it was published at.
    """
    connection.execute("BEGIN")
    try:
        fresh = [one for one in ids if one not in set(already(connection, ids))]
        struck = would_strike(connection, fresh)
        connection.execute(
            """INSERT INTO withdrawal SELECT id, camera_id, started_at, ended_at, $reason, $now FROM violation_info
               WHERE id IN (SELECT unnest($ids::VARCHAR[]))""",
            {"ids": fresh, "reason": reason, "now": now},
        )
        _settle(connection, fresh, now)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return struck


def learn(connection: Connection, told: Sequence[Withdrawal], *, now: datetime) -> list[str]:
    """Take over withdrawals that a struck bundle tells of, all or none; those known already are left as they are.

    So a board whose database was lost, or another board, does not show again what was taken back.

    Returns:
        `<sha256>.<extension>` of pictures that the media folder must lose.
    """
    known = set(already(connection, [one.id for one in told]))
    fresh = [one for one in told if one.id not in known]
    if not fresh:
        return []
    connection.execute("BEGIN")
    try:
        for one in fresh:
            connection.execute(
                "INSERT INTO withdrawal VALUES (?, ?, ?, ?, 'told by a bundle', ?)",
                [one.id, one.camera_id, one.started_at, one.ended_at, one.withdrawn_at],
            )
        gone = _settle(connection, [one.id for one in fresh], now)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return gone


def _settle(connection: Connection, ids: Sequence[str], now: datetime) -> list[str]:
    connection.execute(
        """INSERT OR IGNORE INTO withdrawn_violation
           SELECT v.id, min(w.id) FROM violation_info v JOIN withdrawn_span w
               ON w.camera_id = v.camera_id AND w.from_at <= v.ended_at AND w.to_at >= v.started_at
           WHERE w.id IN (SELECT unnest($ids::VARCHAR[])) AND v.id NOT IN (SELECT id FROM withdrawal)
           GROUP BY v.id""",
        {"ids": list(ids)},
    )
    gone = strike(connection)
    connection.execute(
        """INSERT OR IGNORE INTO take_back
           SELECT i.id, p.place, $now, NULL FROM (SELECT unnest($ids::VARCHAR[]) AS id) i,
               (SELECT $own AS place UNION SELECT target FROM publication) p""",
        {"ids": list(ids), "now": now, "own": OWN_FILES},
    )
    return gone


def strike(connection: Connection, bundle_id: str | None = None) -> list[str]:
    """Strike the pictures that withdrawn spans cover, in a bundle's rows or in all; inside a transaction.

    Returns:
        `<sha256>.<extension>` of pictures that the media folder must lose.
    """
    connection.execute(
        """INSERT OR IGNORE INTO withdrawn_media
           SELECT sha256, min(extension), min(withdrawal_id) FROM (
               SELECT unnest([{sha256: v.still_sha256, extension: 'jpg', withdrawal_id: w.id},
                              {sha256: v.clip_sha256, extension: 'gif', withdrawal_id: w.id}], recursive := true)
               FROM violation_info v JOIN withdrawn_span w
                   ON w.camera_id = v.camera_id AND w.from_at <= v.ended_at AND w.to_at >= v.started_at
               WHERE $bundle IS NULL OR v.bundle_id = $bundle)
           WHERE sha256 <> '' GROUP BY sha256""",
        {"bundle": bundle_id},
    )
    # In all rows: another bundle may show the same picture.
    connection.execute(
        """UPDATE violation_info SET evidence_note = ?,
               still_sha256 = CASE WHEN still_sha256 IN (SELECT sha256 FROM withdrawn_media) THEN ''
                                   ELSE still_sha256 END,
               clip_sha256 = CASE WHEN clip_sha256 IN (SELECT sha256 FROM withdrawn_media) THEN ''
                                  ELSE clip_sha256 END
           WHERE still_sha256 IN (SELECT sha256 FROM withdrawn_media)
              OR clip_sha256 IN (SELECT sha256 FROM withdrawn_media)""",
        [NOTE],
    )
    gone = connection.execute(
        """DELETE FROM media WHERE sha256 IN (SELECT sha256 FROM withdrawn_media) RETURNING sha256 || '.' || extension
        """
    ).fetchall()
    return sorted(name for (name,) in gone)


def due(connection: Connection) -> dict[str, list[str]]:
    """Return what has still to be taken back: ids of withdrawals by place, the board's own files first."""
    found: dict[str, list[str]] = {}
    for place, withdrawal_id in connection.execute(
        "SELECT place, withdrawal_id FROM take_back WHERE gone_at IS NULL ORDER BY place, withdrawal_id"
    ).fetchall():
        found.setdefault(place, []).append(withdrawal_id)
    return found


def of_withdrawals(connection: Connection, ids: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return what withdrawals struck: pictures (sha256 -> extension), and ids whose page is a tombstone now."""
    asked = {"ids": list(ids)}
    media = connection.execute(
        """SELECT sha256, extension FROM withdrawn_media
           WHERE withdrawal_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY sha256""",
        asked,
    ).fetchall()
    hidden = connection.execute(
        "SELECT violation_id FROM withdrawn_violation WHERE withdrawal_id IN (SELECT unnest($ids::VARCHAR[]))", asked
    ).fetchall()
    return dict(media), sorted({*asked["ids"], *(violation_id for (violation_id,) in hidden)})


def remember(connection: Connection, pictures: Mapping[str, tuple[str, str]]) -> None:
    """Note pictures that lay in older bundles only: sha256 -> (extension, id of the withdrawal)."""
    for sha256, (extension, withdrawal_id) in sorted(pictures.items()):
        connection.execute("INSERT OR IGNORE INTO withdrawn_media VALUES (?, ?, ?)", [sha256, extension, withdrawal_id])
    if pictures:
        strike(connection)


def taken_back(connection: Connection, place: str, ids: Iterable[str], *, now: datetime) -> None:
    """Note that somebody looked at a place and found nothing left of these withdrawals."""
    connection.execute(
        """UPDATE take_back SET gone_at = $now
           WHERE place = $place AND gone_at IS NULL AND withdrawal_id IN (SELECT unnest($ids::VARCHAR[]))""",
        {"place": place, "ids": list(ids), "now": now},
    )


def targets(connection: Connection) -> list[str]:
    """Return every target that this board was ever published at, sorted."""
    return [target for (target,) in connection.execute("SELECT DISTINCT target FROM publication ORDER BY 1").fetchall()]


def _at(instant_us: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=instant_us)
