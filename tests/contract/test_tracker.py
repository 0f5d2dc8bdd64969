"""Our ByteTrack against ultralytics' on the same boxes: the same boxes belong together."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from quitboard.detect.track import track_frames
from quitboard.records import ROLES, Detections, Role

FRAME_US = 33_333
_CONFIG = {
    "track_high_thresh": 0.25,
    "track_low_thresh": 0.1,
    "new_track_thresh": 0.25,
    "track_buffer": 60,
    "match_thresh": 0.8,
    "fuse_score": True,
}
Partition = set[frozenset[tuple[int, int]]]
"""Sets of (frame, number of the box in it)."""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Detections]], Partition]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", str(tmp_path_factory.mktemp("ultralytics")))
        patch.setenv("YOLO_OFFLINE", "1")
        from ultralytics.engine.results import Boxes
        from ultralytics.trackers.byte_tracker import BYTETracker

    def partition(frames: list[Detections]) -> Partition:
        tracker = BYTETracker(SimpleNamespace(**_CONFIG))
        groups: dict[int, set[tuple[int, int]]] = {}
        for number, found in enumerate(frames):
            rows = np.column_stack([found.xyxy, found.confidence, np.zeros(len(found))]).astype(np.float32)
            for row in tracker.update(Boxes(rows, PICTURE_PX[::-1])):
                groups.setdefault(int(row[4]), set()).add((number, int(row[7])))
        return {frozenset(group) for group in groups.values()}

    return partition


def ours(frames: list[Detections]) -> Partition:
    boxes = {
        (number, tuple(map(float, box))): n for number, found in enumerate(frames) for n, box in enumerate(found.xyxy)
    }
    tracks = track_frames(((number * FRAME_US, found) for number, found in enumerate(frames)), size_px=PICTURE_PX)
    return {
        frozenset(
            (int(at) // FRAME_US, boxes[int(at) // FRAME_US, tuple(map(float, box))])
            for at, box in zip(track.at_us, track.xyxy, strict=True)
        )
        for track in tracks
    }


PICTURE_PX = (1280, 720)


def street(
    seed: int, *, persons: int, missed: float, unsure: float, jitter_px: float, length: int = 90
) -> list[Detections]:
    """Persons crossing a street both ways at their own depths, now and then missed or seen unsurely."""
    rng = np.random.default_rng(seed)
    rows = 150 + 520 * np.arange(persons) / persons
    tall = 60 + rows * 0.15
    speed = rng.choice([-1, 1], persons) * rng.uniform(1.0, 6.0, persons)
    start = rng.uniform(200, 1080, persons)
    frames = []
    for number in range(length):
        x = start + speed * number
        box = np.column_stack([x - tall * 0.2, rows - tall, x + tall * 0.2, rows])
        box += rng.normal(0, jitter_px, box.shape)
        sure = np.where(rng.random(persons) < unsure, rng.uniform(0.12, 0.24, persons), rng.uniform(0.5, 0.95, persons))
        kept = (rng.random(persons) >= missed) & (x >= 0) & (x <= PICTURE_PX[0])
        frames.append(
            Detections(
                xyxy=box[kept].astype(np.float32),
                confidence=sure[kept].astype(np.float32),
                class_id=np.full(int(kept.sum()), ROLES.index(Role.PERSON), dtype=np.int64),
            )
        )
    return frames


def shared_out(one: Partition, other: Partition) -> Partition:
    """The first partition, of the boxes that both give to some track."""
    known = set().union(*other) if other else set()
    return {group & known for group in one if group & known}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"persons": 4, "missed": 0.0, "unsure": 0.0, "jitter_px": 0.0}, id="clean"),
        pytest.param({"persons": 8, "missed": 0.0, "unsure": 0.0, "jitter_px": 1.5}, id="jitter"),
        pytest.param({"persons": 6, "missed": 0.15, "unsure": 0.0, "jitter_px": 1.0}, id="missed"),
        pytest.param({"persons": 6, "missed": 0.05, "unsure": 0.3, "jitter_px": 1.0}, id="unsure"),
    ],
)
def test_the_same_boxes_belong_together(
    theirs: Callable[[list[Detections]], Partition], seed: int, how: dict[str, float]
) -> None:
    frames = street(seed, **how)  # type: ignore[arg-type]
    mine, peers = ours(frames), theirs(frames)
    assert shared_out(mine, peers) == shared_out(peers, mine)
    covered = len(set().union(*mine) & set().union(*peers)) / sum(map(len, frames))
    assert covered > 0.9


def test_a_long_absence_ends_a_track_in_both(theirs: Callable[[list[Detections]], Partition]) -> None:
    frames = street(3, persons=3, missed=0.0, unsure=0.0, jitter_px=0.5, length=40)
    nobody = frames[0].xyxy[:0]
    gone = [Detections(xyxy=nobody, confidence=frames[0].confidence[:0], class_id=frames[0].class_id[:0])] * 70
    again = [*frames, *gone, *frames]
    assert len(ours(again)) == len(theirs(again)) == 6


def test_the_comparison_can_fail(theirs: Callable[[list[Detections]], Partition]) -> None:
    frames = street(0, persons=4, missed=0.0, unsure=0.0, jitter_px=0.0)
    wrong = [*frames[:40], *street(1, persons=4, missed=0.0, unsure=0.0, jitter_px=0.0)[40:]]
    assert ours(frames) != theirs(wrong)
