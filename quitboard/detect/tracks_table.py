"""Tracks, heads and looked-at instants as one Arrow table: what `tracks.parquet` holds, enough to run rules again.

Rows are of three kinds, told apart by `track`: a track's box (its id, from 1), a head or helmet box (-1), and an
instant that was looked at (-2, without a box).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from quitboard.detect.heads import Heads
from quitboard.errors import BundleError
from quitboard.records import IntArray, Role, Track

SCHEMA = pa.schema(
    [
        pa.field("track", pa.int32(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("at_us", pa.int64(), nullable=False),
        *(pa.field(name, pa.float32(), nullable=False) for name in ("x1", "y1", "x2", "y2", "confidence")),
        *(pa.field(name, pa.float32(), nullable=False) for name in ("helmet", "no_helmet")),  # NaN: not judged apart
    ]
)
_BEFORE_JUDGING = pa.schema([field for field in SCHEMA if field.name not in ("helmet", "no_helmet")])
"""Bundles made before heads were judged apart have these columns."""
_HEAD = -1
_FRAME = -2


def tracks_to_table(tracks: Sequence[Track], heads: Heads) -> pa.Table:
    """Return everything that `read_scene` needs, as a table of `SCHEMA`. The same input gives the same table."""
    sightings, frames = len(heads.at_us), len(heads.frame_at_us)
    head_roles = [Role.HEAD.value if bare else Role.HELMET.value for bare in heads.bare]
    boxes = np.concatenate(
        [*(track.xyxy for track in tracks), heads.xyxy, np.zeros((frames, 4), np.float32)], dtype=np.float32
    )
    blank = np.full(sum(map(len, tracks)), np.nan)
    columns = [
        np.repeat(
            np.array([*(track.id for track in tracks), _HEAD, _FRAME], dtype=np.int32),
            [*map(len, tracks), sightings, frames],
        ),
        [*(track.role.value for track in tracks for _ in range(len(track))), *head_roles, *([""] * frames)],
        np.concatenate([*(track.at_us for track in tracks), heads.at_us, heads.frame_at_us]),
        *(boxes[:, n] for n in range(4)),
        np.concatenate([*(track.confidence for track in tracks), heads.confidence, np.zeros(frames)], dtype=np.float32),
        *(np.concatenate([blank, heads.wear[:, n], np.full(frames, np.nan)], dtype=np.float32) for n in range(2)),
    ]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def tracks_from_table(table: pa.Table) -> tuple[list[Track], Heads]:
    """Return what `tracks_to_table` was given.

    Raises:
        BundleError: the table is of another shape.
    """
    if table.schema.equals(_BEFORE_JUDGING):
        blank = pa.array(np.full(len(table), np.nan, np.float32))
        table = table.append_column(SCHEMA.field("helmet"), blank).append_column(SCHEMA.field("no_helmet"), blank)
    if not table.schema.equals(SCHEMA):
        raise BundleError("tracks.parquet has other columns than this version writes", todo="Run detect again")
    ids = table["track"].to_numpy()
    roles = np.array(table["role"].to_pylist(), dtype=object)
    at_us: IntArray = table["at_us"].to_numpy().astype(np.int64)
    boxes = np.column_stack([table[name].to_numpy() for name in ("x1", "y1", "x2", "y2")]).astype(np.float32)
    confidence = table["confidence"].to_numpy().astype(np.float32)
    known = set(map(str, Role))
    if not set(roles[ids != _FRAME].tolist()) <= known or (len(ids) and ids.min() < _FRAME):
        raise BundleError("tracks.parquet holds rows of no known kind", todo="Run detect again")
    tracks = []
    for name in np.unique(ids[ids > 0]):
        mine = ids == name
        tracks.append(
            Track(
                id=int(name),
                role=Role(roles[mine][0]),
                at_us=at_us[mine],
                xyxy=boxes[mine],
                confidence=confidence[mine],
            )
        )
    head = ids == _HEAD
    heads = Heads(
        frame_at_us=at_us[ids == _FRAME],
        at_us=at_us[head],
        xyxy=boxes[head],
        confidence=confidence[head],
        bare=(roles[head] == Role.HEAD.value).astype(np.int64),
        wear=np.column_stack([table[name].to_numpy() for name in ("helmet", "no_helmet")]).astype(np.float32)[head],
    )
    return tracks, heads
