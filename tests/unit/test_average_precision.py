"""Average precision, precision and recall on rankings that a reader can work out by hand."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.models import cards
from quitboard.models.labelled import LabelledPicture
from quitboard.models.pictures import IOUS, Ranking, RoleFigures, Scored, figures, heads_confused, match, mistakes
from quitboard.records import ROLES, Detections, Role

SIZE = (200, 100)
BOX = (90.0, 40.0, 110.0, 60.0)
FAR = (0.0, 0.0, 20.0, 20.0)
Found = tuple[Role, float, tuple[float, float, float, float]]


def picture(
    *labels: tuple[Role, tuple[float, float, float, float]], labelled: frozenset[Role] | None = None
) -> LabelledPicture:
    shares = [[x1 / 200, y1 / 100, x2 / 200, y2 / 100] for _, (x1, y1, x2, y2) in labels]
    return LabelledPicture(
        path=Path("a.png"),
        name="a.png",
        roles=tuple(role for role, _ in labels),
        xyxy=np.array(shares, np.float32).reshape(-1, 4),
        labelled=frozenset(ROLES) if labelled is None else labelled,
    )


def found(*boxes: Found) -> Detections:
    return Detections(
        xyxy=np.array([box for _, _, box in boxes], np.float32).reshape(-1, 4),
        confidence=np.array([confidence for _, confidence, _ in boxes], np.float32),
        class_id=np.array([ROLES.index(role) for role, _, _ in boxes], np.int64),
    )


def ranked(confidence: list[float], right: list[bool], labelled: int) -> Scored:
    """One picture's boxes of 20 px, right at every overlap or at none."""
    return Scored(
        confidence=np.array(confidence, np.float32),
        matched=np.repeat(np.array(right, bool).reshape(-1, 1), len(IOUS), axis=1),
        height_px=np.full(len(right), 20, np.float32),
        label_height_px=np.full(labelled, 20, np.float32),
        label_confidence=np.zeros(labelled, np.float32),
    )


def ap(*rows: Scored) -> float:
    return float(Ranking.of(rows).average_precision(np.ones((1, len(rows))))[0])


@pytest.mark.parametrize(
    ("right", "labelled", "value"),
    [
        ([], 3, 0.0),
        ([True, True], 2, 1.0),
        ([True, False, True], 2, 0.5 + 0.5 * 2 / 3),
        ([False, True], 1, 0.5),
        ([True], 4, 0.25),
        ([False, False, True, True], 2, 0.5),  # the envelope lifts 1/3 to the 2/4 that follows
    ],
)
def test_average_precision_of_known_rankings(right: list[bool], labelled: int, value: float) -> None:
    assert ap(ranked(np.linspace(0.9, 0.1, len(right)).tolist(), right, labelled)) == pytest.approx(value)


def test_where_nothing_is_labelled_there_is_nothing_to_tell() -> None:
    assert np.isnan(ap(ranked([0.9], [False], 0)))


def test_between_boxes_that_are_equally_sure_there_is_no_order() -> None:
    assert ap(ranked([0.5, 0.5], [True, False], 1)) == ap(ranked([0.5, 0.5], [False, True], 1)) == 0.5


boxes = st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=6)


@given(st.lists(boxes, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_pictures_and_boxes_does_not_matter(rows: list, chance: random.Random) -> None:
    def scored(row: list) -> Scored:
        return ranked([sure / 10 for sure, _ in row], [is_right for _, is_right in row], sum(r for _, r in row) + 1)

    shuffled = [scored(chance.sample(row, len(row))) for row in chance.sample(rows, len(rows))]
    assert ap(*shuffled) == pytest.approx(ap(*map(scored, rows)))
    assert 0 <= ap(*shuffled) <= 1


def by_definition(scenes: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """AP50 of (labels, boxes, confidence) a picture, from the words of its definition, box by box."""

    def overlap(one: np.ndarray, other: np.ndarray) -> float:
        wide = min(one[2], other[2]) - max(one[0], other[0])
        high = min(one[3], other[3]) - max(one[1], other[1])
        common = max(wide, 0.0) * max(high, 0.0)
        return common / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - common)

    said = []
    for labels, seen, sure in scenes:
        free = list(range(len(labels)))
        for row in np.argsort(-sure):
            best = max(free, key=lambda one: overlap(seen[row], labels[one]), default=None)
            hit = best is not None and overlap(seen[row], labels[best]) >= 0.5
            free = [one for one in free if not (hit and one == best)]
            said.append((sure[row], hit))
    said.sort(reverse=True)
    hits = np.cumsum([hit for _, hit in said])
    precision = hits / np.arange(1, len(said) + 1)
    total = sum(len(labels) for labels, _, _ in scenes)
    return float(sum(precision[place:].max() for place, (_, hit) in enumerate(said) if hit) / total)


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_that_of_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scenes, rows = [], []
    for _ in range(12):
        corners = rng.uniform(0, 60, (5, 2))
        labels = np.hstack([corners, corners + rng.uniform(8, 30, (5, 2))])
        seen = np.vstack([labels + rng.normal(0, 3, labels.shape), labels[:3] + rng.normal(0, 12, (3, 4))])
        seen = seen[(seen[:, 2] > seen[:, 0] + 2) & (seen[:, 3] > seen[:, 1] + 2)]
        sure = rng.permutation(len(seen)) / 100 + rng.uniform(0, 0.009)
        scenes.append((labels, seen, sure))
        one = picture(*((Role.HEAD, tuple(box)) for box in labels))
        seen_as = found(*((Role.HEAD, float(c), tuple(box)) for box, c in zip(seen, sure, strict=True)))
        rows.append(match(one, SIZE, seen_as, Role.HEAD))
    assert 0.1 < by_definition(scenes) < 0.95
    assert ap(*rows) == pytest.approx(by_definition(scenes), abs=1e-6)


@pytest.mark.parametrize(
    ("moved_px", "right_at"),
    [(0.0, 10), (1.0, 9), (4.0, 4), (6.0, 1), (8.0, 0)],  # IoU 1, 0.905, 0.667, 0.538, 0.429
)
def test_a_box_is_right_as_far_as_it_overlaps(moved_px: float, right_at: int) -> None:
    box = (BOX[0] + moved_px, BOX[1], BOX[2] + moved_px, BOX[3])
    one = match(picture((Role.HELMET, BOX)), SIZE, found((Role.HELMET, 0.9, box)), Role.HELMET)
    assert int(one.matched.sum()) == right_at


def test_a_label_is_found_once_by_the_surest_box() -> None:
    twice = found((Role.HELMET, 0.7, BOX), (Role.HELMET, 0.9, BOX))
    one = match(picture((Role.HELMET, BOX)), SIZE, twice, Role.HELMET)
    assert one.confidence.tolist() == pytest.approx([0.9, 0.7])
    assert one.right.tolist() == [True, False]
    assert one.label_confidence.tolist() == pytest.approx([0.9])


def measured(*rows: list[Scored | None], threshold: float = 0.25) -> RoleFigures:
    return figures({Role.HELMET: [one for row in rows for one in row]}, {Role.HELMET: threshold}).by_role[Role.HELMET]


def test_precision_and_recall_are_told_at_the_threshold_and_ap_over_all() -> None:
    one = measured([ranked([0.9, 0.8, 0.1], [True, False, True], 2)])
    assert (one.precision.value, one.precision.n) == (0.5, 2)
    assert (one.recall.value, one.recall.n) == (0.5, 2)
    assert one.ap50.value == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_picture_that_does_not_label_a_class_does_not_count_for_it() -> None:
    one = measured([ranked([0.9], [True], 1), None])
    assert (one.pictures, one.precision.value) == (1, 1.0)


def test_seven_of_seven_does_not_claim_certainty() -> None:
    one = measured([ranked([0.9], [True], 1)] * 7)
    assert one.recall.value == 1.0
    assert one.recall.low < 0.7


def test_the_interval_is_the_same_each_time_and_holds_the_value() -> None:
    rows: list[Scored | None] = [ranked([0.9], [bool(n % 2)], 1) for n in range(8)]
    assert measured(rows) == measured(rows)
    assert measured(rows).recall.low < 0.5 < measured(rows).recall.high


def test_a_card_tells_no_precision_where_nothing_was_found() -> None:
    made = figures({Role.HELMET: [ranked([], [], 2)]}, {Role.HELMET: 0.25})
    told = cards.table(cards.MeasuredSet(name="a", group="", imgsz=64, pictures=1, figures=made))
    assert "nan" not in told
    assert "| – |" in told


def test_heights_are_told_apart_and_a_box_counts_with_the_label_it_is_on() -> None:
    tall = (90.0, 10.0, 110.0, 90.0)
    there = picture((Role.HELMET, (90.0, 40.0, 100.0, 50.0)), (Role.HELMET, (20.0, 10.0, 40.0, 90.0)))
    seen = found((Role.HELMET, 0.9, (90.0, 40.0, 100.0, 50.0)), (Role.HELMET, 0.8, tall))
    one = measured([match(there, SIZE, seen, Role.HELMET)])
    small, large = one.heights
    assert (small.to_px, small.precision.value, small.recall.value) == (16, 1.0, 1.0)
    assert (large.from_px, large.precision.value, large.recall.value) == (64, 0.0, 0.0)


def test_the_mean_is_over_classes() -> None:
    whole = figures(
        {Role.HELMET: [ranked([0.9], [True], 1)], Role.HEAD: [ranked([0.9], [False], 1)]},
        {Role.HELMET: 0.25, Role.HEAD: 0.25},
    )
    assert (whole.map50.value, whole.map50_95.value, whole.map50.n) == (0.5, 0.5, 2)


THRESHOLDS = {Role.HELMET: 0.25, Role.HEAD: 0.3}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (found((Role.HELMET, 0.9, BOX)), Role.HELMET),
        (found((Role.HEAD, 0.9, BOX)), Role.HEAD),
        (found((Role.HELMET, 0.5, BOX), (Role.HEAD, 0.6, BOX)), Role.HEAD),
        (found((Role.HELMET, 0.2, BOX)), None),
        (found((Role.HELMET, 0.9, FAR)), None),
        (found(), None),
    ],
)
def test_what_is_said_of_a_helmet(seen: Detections, said: Role | None) -> None:
    assert list(heads_confused(picture((Role.HELMET, BOX)), SIZE, seen, THRESHOLDS)) == [(Role.HELMET, said)]


def test_a_picture_that_labels_helmets_alone_confuses_nothing() -> None:
    one = picture((Role.HELMET, BOX), labelled=frozenset({Role.HELMET}))
    assert list(heads_confused(one, SIZE, found((Role.HEAD, 0.9, BOX)), THRESHOLDS)) == []


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (found((Role.HELMET, 0.9, BOX)), []),
        (found((Role.HEAD, 0.9, BOX)), ["helmet taken for head"]),
        (found((Role.HEAD, 0.9, FAR)), ["false", "missed"]),
        (found((Role.HEAD, 0.1, BOX)), ["missed"]),
        (found((Role.HELMET, 0.9, BOX), (Role.HELMET, 0.8, BOX)), ["double"]),
    ],
)
def test_mistakes_are_named_by_their_sort(seen: Detections, kinds: list[str]) -> None:
    assert [one.kind for one in mistakes(picture((Role.HELMET, BOX)), SIZE, seen, THRESHOLDS)] == kinds
