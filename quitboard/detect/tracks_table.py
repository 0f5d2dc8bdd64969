"""Tracks, heads and looked-at instants as one Arrow table: what `tracks.parquet` holds, enough to run rules again.

Rows are of four kinds, told apart by `track`: a track's box (its id, from 1), a head or helmet box (-1), an instant
that was looked at (-2, without a box), and the box of a person judged whether he rides alone (-3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from quitboard.detect.company import Company
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
        *(pa.field(name, pa.float32(), nullable=False) for name in ("alone", "more")),  # NaN: no rider judged
    ]
)
_HEAD = -1
_FRAME = -2
_RIDER = -3


def tracks_to_table(tracks: Sequence[Track], heads: Heads) -> pa.Table:
    """Return everything that `read_scene` needs, as a table of `SCHEMA`. The same input gives the same table."""
    sightings, frames, riders = len(heads.at_us), len(heads.frame_at_us), len(heads.company.at_us)
    head_roles = [Role.HEAD.value if bare else Role.HELMET.value for bare in heads.bare]
    boxes = np.concatenate(
        [*(track.xyxy for track in tracks), heads.xyxy, np.zeros((frames, 4), np.float32), heads.company.xyxy],
        dtype=np.float32,
    )
    tracked = sum(map(len, tracks))
    blank = {count: np.full(count, np.nan) for count in (tracked, sightings, frames, riders)}
    roles = [track.role.value for track in tracks for _ in range(len(track))]
    columns = [
        np.repeat(
            np.array([*(track.id for track in tracks), _HEAD, _FRAME, _RIDER], dtype=np.int32),
            [*map(len, tracks), sightings, frames, riders],
        ),
        [*roles, *head_roles, *([""] * frames), *([Role.PERSON.value] * riders)],
        np.concatenate([*(track.at_us for track in tracks), heads.at_us, heads.frame_at_us, heads.company.at_us]),
        *(boxes[:, n] for n in range(4)),
        np.concatenate(
            [*(track.confidence for track in tracks), heads.confidence, np.zeros(frames + riders)], dtype=np.float32
        ),
        *(
            np.concatenate([blank[tracked], heads.wear[:, n], blank[frames], blank[riders]], dtype=np.float32)
            for n in range(2)
        ),
        *(
            np.concatenate(
                [blank[tracked], blank[sightings], blank[frames], heads.company.company[:, n]], dtype=np.float32
            )
            for n in range(2)
        ),
    ]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def tracks_from_table(table: pa.Table) -> tuple[list[Track], Heads]:
    """Return what `tracks_to_table` was given.

    Raises:
        BundleError: the table is of another shape.
    """
    if not table.schema.equals(SCHEMA):
        raise BundleError("tracks.parquet has other columns than this version writes", todo="Run detect again")
    ids = table["track"].to_numpy()
    roles = np.array(table["role"].to_pylist(), dtype=object)
    at_us: IntArray = table["at_us"].to_numpy().astype(np.int64)
    boxes = np.column_stack([table[name].to_numpy() for name in ("x1", "y1", "x2", "y2")]).astype(np.float32)
    confidence = table["confidence"].to_numpy().astype(np.float32)
    known = set(map(str, Role))
    if not set(roles[ids != _FRAME].tolist()) <= known or (len(ids) and ids.min() < _RIDER):
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
    head, rider = ids == _HEAD, ids == _RIDER
    heads = Heads(
        frame_at_us=at_us[ids == _FRAME],
        at_us=at_us[head],
        xyxy=boxes[head],
        confidence=confidence[head],
        bare=(roles[head] == Role.HEAD.value).astype(np.int64),
        wear=np.column_stack([table[name].to_numpy() for name in ("helmet", "no_helmet")]).astype(np.float32)[head],
        company=Company(
            at_us=at_us[rider],
            xyxy=boxes[rider],
            company=np.column_stack([table[name].to_numpy() for name in ("alone", "more")]).astype(np.float32)[rider],
        ),
    )
    return tracks, heads
