"""Identities over time: through misses, gaps, crossings and cuts between files."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from quitboard.detect import track
from quitboard.detect.track import LOST_US, Tracker
from quitboard.records import Detections, Role, Track
from tests.unit.street_boxes import HEIGHT, WIDTH, detections, person_box, scooter_box, straight, times


def track_frames(frames: Iterable[tuple[int, Detections]]) -> list[Track]:
    return track.track_frames(frames, size_px=(WIDTH, HEIGHT))


def seen(*rows: tuple[Role, tuple[float, ...], float]) -> Detections:
    return detections(*rows)


def walker(now: int, mps: float = 1.4, x: float = 200.0, sure: float = 0.8) -> tuple[Role, tuple[float, ...], float]:
    return Role.PERSON, person_box(*straight(x, 500, mps)(now / 1e6)), sure


def same(one: list[Track], other: list[Track]) -> bool:
    return len(one) == len(other) and all(
        a.id == b.id
        and a.role is b.role
        and np.array_equal(a.at_us, b.at_us)
        and np.array_equal(a.xyxy, b.xyxy)
        and np.array_equal(a.confidence, b.confidence)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("mps", [0.0, 1.4, 4.0, 8.0, -8.0])
@pytest.mark.parametrize("step_us", [40_000, 200_000, 300_000])
def test_one_person_at_any_speed_and_rate_is_one_track(mps: float, step_us: int) -> None:
    now = times(0, 3, step_us)
    (track,) = track_frames((at, seen(walker(at, mps))) for at in now)
    assert track.at_us.tolist() == now
    assert track.role is Role.PERSON


def test_a_tracks_boxes_are_those_of_the_model() -> None:
    rows = [(at, seen(walker(at))) for at in times(0, 1)]
    (track,) = track_frames(rows)
    assert np.array_equal(track.xyxy, np.concatenate([found.xyxy for _, found in rows]))


def test_uneven_gaps_do_not_break_a_track() -> None:
    now = [0, 200_000, 230_000, 900_000, 1_000_000, 2_400_000, 2_600_000]
    assert len(track_frames((at, seen(walker(at))) for at in now)) == 1


@pytest.mark.parametrize(("gap_us", "tracks"), [(LOST_US, 1), (LOST_US + 200_000, 2)])
def test_a_track_ends_after_two_seconds_unseen(gap_us: int, tracks: int) -> None:
    now = [0, 200_000, 400_000]
    now += [now[-1] + gap_us + at for at in now]
    assert len(track_frames((at, seen(walker(at, 0.0))) for at in now)) == tracks


def test_who_comes_in_where_somebody_went_out_is_somebody_else() -> None:
    out = [(at, seen(walker(at, -4.0, x=100.0))) for at in times(0, 1)]
    back = [(at + 1_800_000, seen(walker(at, 4.0, x=10.0))) for at in times(0, 1)]
    assert len(track_frames([*out, *back])) == 2
    inside = [(at, seen(walker(at, -4.0, x=600.0))) for at in times(0, 1)]
    behind_a_tree = [(at, seen(walker(at, -4.0, x=600.0))) for at in times(1.8, 3)]
    assert len(track_frames([*inside, *behind_a_tree])) == 1


def test_a_walker_who_comes_by_is_not_the_rider_who_was_hidden_there() -> None:
    riding = [(at, seen(walker(at, 4.0, x=100.0))) for at in times(0, 1)]
    nobody = [(at, seen()) for at in times(1.2, 1.8)]
    met = [(at, seen(walker(at - 2_000_000, -1.4, x=900.0))) for at in times(2, 3)]
    first, second = track_frames([*riding, *nobody, *met])
    assert (first.at_us[-1], second.at_us[0]) == (1_000_000, 2_000_000)


def test_of_two_who_were_hidden_each_goes_on_as_himself() -> None:
    def both(at: int) -> Detections:
        return seen() if 1_000_000 < at < 2_200_000 else seen(walker(at, 1.4, x=300.0), walker(at, -1.4, x=748.0))

    first, second = track_frames((at, both(at)) for at in times(0, 3.2))
    assert (np.diff(first.xyxy[:, 0]) > 0).all()
    assert (np.diff(second.xyxy[:, 0]) < 0).all()


def test_a_person_unseen_in_frames_between_is_found_again() -> None:
    now = times(0, 3)
    frames = [(at, seen(walker(at)) if at < 1_000_000 or at > 2_000_000 else seen()) for at in now]
    assert len(track_frames(frames)) == 1


def test_unsure_boxes_keep_a_track_alive_but_begin_none() -> None:
    now = times(0, 3)
    (track,) = track_frames((at, seen(walker(at, sure=0.8 if at < 600_000 else 0.15))) for at in now)
    assert len(track) == len(now)
    assert track_frames((at, seen(walker(at, sure=0.15))) for at in now) == []


def test_a_box_seen_once_is_no_track() -> None:
    assert track_frames([(0, seen(walker(0))), (200_000, seen())]) == []


def test_two_who_pass_each_other_keep_their_identities() -> None:
    frames = [(at, seen(walker(at, 1.6, 200), walker(at, -1.6, 700))) for at in times(0, 3)]
    first, second = track_frames(frames)
    steps = np.diff(first.xyxy[:, 0]), np.diff(second.xyxy[:, 0])
    assert all((part > 0).all() or (part < 0).all() for part in steps)


def test_a_rider_who_moves_further_than_his_width_between_two_frames_is_one_track() -> None:
    rows = [(at, seen((Role.SCOOTER, scooter_box(*straight(0, 500, 7.0)(at / 1e6)), 0.6))) for at in times(0, 3)]
    (track,) = track_frames(rows)
    assert abs(track.xyxy[1, 0] - track.xyxy[0, 0]) > track.xyxy[0, 2] - track.xyxy[0, 0]


@pytest.mark.parametrize(
    ("letters", "role"),
    [
        ("sssss", Role.SCOOTER),
        ("sssbs", Role.SCOOTER),
        ("sbsmb", Role.BICYCLE),
        ("smsms", Role.SCOOTER),
        ("mmsms", Role.MOTORCYCLE),
        ("sbbbs", Role.BICYCLE),
        ("mmsmb", Role.MOTORCYCLE),
    ],
)
def test_a_vehicle_whose_class_flickers_is_one_track_and_in_doubt_no_scooter(letters: str, role: Role) -> None:
    named = {"s": Role.SCOOTER, "b": Role.BICYCLE, "m": Role.MOTORCYCLE}
    place = straight(100, 500, 3.0)
    frames = [
        (at, seen((named[letter], scooter_box(*place(at / 1e6)), 0.6)))
        for at, letter in zip(times(0, 0.8), letters, strict=True)
    ]
    (track,) = track_frames(frames)
    assert track.role is role


def test_few_sure_boxes_say_more_of_what_a_vehicle_is_than_many_unsure_ones() -> None:
    place = straight(100, 500, 3.0)
    sure = {0: (Role.SCOOTER, 0.9), 1: (Role.SCOOTER, 0.9)}
    frames = []
    for number, at in enumerate(times(0, 1.4)):
        role, confidence = sure.get(number % 4, (Role.BICYCLE, 0.4))
        frames.append((at, seen((role, scooter_box(*place(at / 1e6)), confidence))))
    (track,) = track_frames(frames)
    assert track.role is Role.SCOOTER


def test_two_classes_on_one_vehicle_in_one_frame_are_one_box() -> None:
    place = straight(100, 500, 3.0)
    frames = [
        (
            at,
            seen(
                (Role.BICYCLE, scooter_box(*place(at / 1e6)), 0.15),
                (Role.SCOOTER, scooter_box(*place(at / 1e6)), 0.6),
            ),
        )
        for at in times(0, 1)
    ]
    (track,) = track_frames(frames)
    assert track.role is Role.SCOOTER
    assert len(track) == 6


def test_heads_helmets_and_cars_are_not_tracked() -> None:
    rows = [(role, (10, 10, 60, 60), 0.9) for role in (Role.HEAD, Role.HELMET, Role.CAR)]
    assert track_frames((at, seen(*rows)) for at in times(0, 1)) == []


def test_frames_come_in_order() -> None:
    tracker = Tracker(size_px=(WIDTH, HEIGHT))
    tracker.update(10, seen())
    with pytest.raises(ValueError, match="in order"):
        tracker.update(10, seen())


def test_a_cut_between_files_or_batches_leaves_no_mark() -> None:
    frames = [(at, seen(walker(at), walker(at, 2.5, 600))) for at in times(0, 3)]
    tracker = Tracker(size_px=(WIDTH, HEIGHT))
    for at, found in frames[:7]:
        tracker.update(at, found)
    for at, found in frames[7:]:
        tracker.update(at, found)
    assert same(tracker.finish(), track_frames(frames))


def test_the_order_of_a_models_boxes_does_not_matter() -> None:
    frames = [(at, seen(walker(at), walker(at, 2.5, 260), walker(at, -1.0, 500))) for at in times(0, 3)]
    turned = [
        (at, Detections(xyxy=d.xyxy[::-1], confidence=d.confidence[::-1], class_id=d.class_id[::-1]))
        for at, d in frames
    ]
    assert same(track_frames(frames), track_frames(turned))


def test_no_frames_give_no_tracks() -> None:
    assert track_frames([]) == []
