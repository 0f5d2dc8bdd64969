"""What the gate wakes for and what it sleeps through; and that doubt means looking."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.gate import Span, active_spans, spans_of, suspicious_groups, with_glimpses
from quitboard.detect.motion import interest_of, learn, moving
from quitboard.detect.video import Packets
from quitboard.records import Camera, Zone, ZoneKind
from tests.videos import write_video

CAMERA = Camera(id="a", name="a")
WIDTH, HEIGHT, FPS = 320, 180, 10


def street(seed: int = 0) -> np.ndarray:
    """An empty street: ground with texture and a few edges."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.uniform(70, 150, (12, 20)).astype(np.float32), (WIDTH, HEIGHT))
    ground += cv2.GaussianBlur(rng.normal(0, 12, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1)
    cv2.line(ground, (0, 150), (320, 90), 200, 2)
    return ground


def with_rider(picture: np.ndarray, x: float, y: float = 100.0, *, size: int = 24, shade: int = 40) -> np.ndarray:
    picture = picture.copy()
    cv2.ellipse(picture, (round(x), round(y)), (size // 4, size // 2), 0, 0, 360, shade, -1)
    cv2.circle(picture, (round(x), round(y) - size // 2), size // 6, 220, -1)
    return picture


def with_text(picture: np.ndarray, text: str) -> np.ndarray:
    written = cv2.putText(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8), text, (4, 16), cv2.FONT_HERSHEY_PLAIN, 0.9, (255, 255, 255), 1
    )
    return np.maximum(picture, written[:, :, 0])


def noisy(picture: np.ndarray, sigma: float, number: int) -> np.ndarray:
    noise = np.random.default_rng(number).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


# --- motion between pictures -------------------------------------------------------------------------------------


def judged(
    paint: Callable[[int], np.ndarray], *, count: int = 40, every_s: float = 2.0, camera=CAMERA, sensitivity=0.5
):
    pictures = [noisy(paint(number), 1.0, number) for number in range(count)]
    at_us = np.array([round(number * every_s * 1e6) for number in range(count)])
    ground = learn(at_us, pictures, interest_of(camera, WIDTH, HEIGHT), sensitivity=sensitivity)
    return np.flatnonzero(moving(ground, pictures)).tolist()


def test_an_empty_street_does_not_move():
    assert judged(lambda n: street()) == []


def test_one_who_is_seen_in_a_single_picture_moved():
    assert judged(lambda n: with_rider(street(), 160) if n == 20 else street()) == [20]


@pytest.mark.parametrize("size", [12, 16, 24, 60])
@pytest.mark.parametrize("shade", [40, 210])
def test_one_who_rides_through_moves_in_every_picture(size, shade):
    def paint(number):
        return with_rider(street(), 30 * (number - 10), size=size, shade=shade) if 11 <= number <= 19 else street()

    assert judged(paint) == list(range(11, 20))


def test_a_parked_scooter_wakes_only_when_it_comes_and_when_it_leaves():
    assert judged(lambda n: with_rider(street(), 160) if 8 <= n < 30 else street()) in ([8], [8, 29], [8, 30], [7, 30])


def test_slow_light_and_a_wide_shadow_are_no_motion():
    assert judged(lambda n: street() + 20 * np.sin(n / 6)) == []
    across = np.linspace(0, 1, WIDTH)[None, :]
    assert judged(lambda n: street() + 25 * np.sin(n / 6 + 2 * across)) == []


def test_motion_in_an_ignored_zone_does_not_count():
    corners = ((0, 0), (640, 0), (640, 200), (0, 200))
    camera = Camera(
        id="a", name="a", resolution=(640, 360), zones=(Zone(name="tree", kind=ZoneKind.IGNORE, polygon=corners),)
    )
    assert judged(lambda n: with_rider(street(), 8 * n, 60), camera=camera) == []
    assert len(judged(lambda n: with_rider(street(), 8 * n, 150), camera=camera)) > 30


@pytest.mark.parametrize("every_s", [1.0, 2.0, 4.0])
def test_a_clock_written_into_the_picture_is_no_motion(every_s):
    def paint(number):
        seconds = round(number * every_s)
        text = f"2023-04-23 15:{45 + seconds // 60:02}:{seconds % 60:02}"
        return with_text(street(), text)

    assert judged(paint, count=128, every_s=every_s) == []


def test_one_who_passes_under_a_clock_still_moves():
    def paint(number):
        picture = with_text(street(), f"15:45:{number * 2 % 60:02}")
        return with_rider(picture, 30 * (number - 50), 60) if 51 <= number <= 59 else picture

    assert judged(paint, count=100) == list(range(51, 60))


def test_a_higher_sensitivity_sees_what_a_lower_one_does_not():
    def paint(number):
        picture = street()
        picture[80:92, 100:112] += 10 if number == 20 else 0
        return picture

    assert judged(paint, sensitivity=1.0) == [20]
    assert judged(paint, sensitivity=0.0) == []


def test_too_few_pictures_count_as_moving():
    assert judged(lambda n: street(), count=4) == [0, 1, 2, 3]


# --- packets -----------------------------------------------------------------------------------------------------


def sized(
    groups: int, *, noise: float, active: tuple[int, ...] = (), extra: float = 150.0
) -> tuple[Packets, np.ndarray]:
    """Groups of 2 s at 15 pictures a second: keyframes of 100 kB, the others 800 bytes and noise, more where active."""
    rng = np.random.default_rng(1)
    size = 800 + rng.normal(0, noise, (groups, 30))
    size[list(active), 10:25] += extra
    size[:, 0] = 100_000
    at_us = np.arange(groups * 30) * 2_000_000 // 30
    packets = Packets(
        position_us=at_us,
        size=size.round().astype(np.int64).ravel(),
        is_keyframe=np.tile(np.arange(30) == 0, groups),
        read_s=groups * 2.0,
        faults=(),
    )
    return packets, np.append(at_us[::30], groups * 2_000_000)


def test_packets_tell_where_something_moved_between_two_keyframes():
    packets, edges_us = sized(40, noise=10, active=(7, 23))
    suspicious, is_sure = suspicious_groups(packets, edges_us, np.ones(40, bool), sensitivity=0.5)
    assert is_sure
    assert np.flatnonzero(suspicious).tolist() == [7, 23]


def test_packets_in_noise_are_not_trusted_to_say_nothing():
    packets, edges_us = sized(40, noise=400, active=(7,))
    _, is_sure = suspicious_groups(packets, edges_us, np.ones(40, bool), sensitivity=0.5)
    assert not is_sure


def test_packets_are_not_trusted_where_no_group_is_known_to_be_quiet():
    packets, edges_us = sized(40, noise=10)
    assert not suspicious_groups(packets, edges_us, np.zeros(40, bool), sensitivity=0.5)[1]


# --- spans -------------------------------------------------------------------------------------------------------


def seconds(spans):
    return [(span.from_us / 1e6, span.to_us / 1e6) for span in spans]


@pytest.mark.parametrize(
    ("moving_s", "expected"),
    [
        ([], []),
        ([0], [(0, 2)]),
        ([4], [(2, 6)]),
        ([4, 6], [(2, 8)]),
        ([4, 10], [(2, 6), (8, 12)]),
        ([18], [(16, 19)]),
    ],
)
def test_spans_reach_to_the_pictures_beside_the_motion(moving_s, expected):
    flags = {at_s * 1_000_000: at_s in moving_s for at_s in range(0, 20, 2)}
    assert seconds(spans_of(flags, 19_000_000)) == expected


def test_what_lies_before_the_first_picture_is_looked_at():
    assert seconds(spans_of({5_000_000: False, 7_000_000: False}, 9_000_000)) == [(0, 5)]
    assert seconds(spans_of({}, 9_000_000)) == [(0, 9)]


def test_glimpses_fill_what_is_not_looked_at():
    keyframes_us = np.arange(0, 61_000_000, 2_000_000)
    spans = with_glimpses([Span(from_us=18_000_000, to_us=22_000_000)], keyframes_us, 61_000_000)
    assert seconds(spans) == [(0, 0.25), (16, 16.25), (18, 22), (38, 38.25), (54, 54.25)]


@given(
    st.dictionaries(st.integers(0, 60_000_000), st.booleans(), max_size=40),
    st.lists(st.integers(0, 60_000_000), max_size=20),
)
def test_spans_are_in_order_apart_and_hold_every_motion(flags, keyframes_us):
    spans = with_glimpses(spans_of(flags, 60_000_001), np.array(keyframes_us, np.int64), 60_000_001)
    edges = [edge for span in spans for edge in (span.from_us, span.to_us)]
    assert edges == sorted(set(edges))
    for position_us, is_moving in flags.items():
        if is_moving:
            assert any(span.from_us <= position_us < span.to_us for span in spans)


# --- whole recordings --------------------------------------------------------------------------------------------

CROSSING_S = (31.0, 33.5)


def crossing(number: int, *, sigma: float = 2.0) -> np.ndarray:
    at_s = number / FPS
    picture = street()
    if CROSSING_S[0] <= at_s < CROSSING_S[1]:
        picture = with_rider(picture, 40 + (at_s - CROSSING_S[0]) * 90)
    return cv2.cvtColor(noisy(picture, sigma, number), cv2.COLOR_GRAY2BGR)


@pytest.mark.parametrize(
    ("codec", "group", "suffix"),
    [
        ("libx264", 20, "mp4"),
        ("libx264", 40, "mp4"),
        ("libx264", 600, "mkv"),
        ("libx265", 40, "ts"),
        ("mjpeg", 1, "avi"),
    ],
    ids=["2 s groups", "4 s groups", "one keyframe", "hevc", "all keyframes"],
)
def test_the_gate_wakes_for_a_crossing_and_sleeps_through_the_rest(tmp_path, codec, group, suffix):
    path = write_video(tmp_path / f"a.{suffix}", frames=600, fps=FPS, codec=codec, group=group, paint=crossing)
    result = active_spans(path, CAMERA)
    (span,) = result.spans
    assert span.from_us <= CROSSING_S[0] * 1e6
    assert span.to_us >= CROSSING_S[1] * 1e6
    assert span.to_us - span.from_us <= 8_500_000
    assert result.read_s == pytest.approx(60.0)
    assert result.faults == ()
    assert active_spans(path, CAMERA).spans == result.spans


def test_a_recording_too_short_to_know_its_background_is_looked_at(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=10, fps=FPS, paint=crossing)
    assert seconds(active_spans(path, CAMERA).spans) == [(0, 0.900001)]


def test_a_camera_that_moves_is_looked_at_all_the_time(tmp_path):
    wide = np.hstack([street(seed) for seed in range(6)])

    def pan(number):
        return cv2.cvtColor(wide[:, number * 5 : number * 5 + WIDTH].astype(np.uint8), cv2.COLOR_GRAY2BGR)

    path = write_video(tmp_path / "a.mp4", frames=300, fps=FPS, group=20, paint=pan)
    assert seconds(active_spans(path, CAMERA).spans) == [(0, 29.900001)]


def test_damage_elsewhere_does_not_hide_a_crossing_and_is_told(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=400, fps=FPS, group=20, paint=crossing)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + len(content) // 20] = np.random.default_rng(1).bytes(len(content) // 20)
    path.write_bytes(content)
    result = active_spans(path, CAMERA)
    assert result.faults
    assert any(span.from_us <= CROSSING_S[0] * 1e6 and CROSSING_S[1] * 1e6 <= span.to_us for span in result.spans)


def test_who_is_parked_where_he_may_not_is_glimpsed_now_and_then(tmp_path):
    corners = ((0.0, 0.0), (320.0, 0.0), (320.0, 180.0))
    zone = Zone(name="no parking", kind=ZoneKind.NO_PARKING, polygon=corners)
    camera = Camera(id="a", name="a", resolution=(320, 180), zones=(zone,))
    idle = cv2.cvtColor(street().astype(np.uint8), cv2.COLOR_GRAY2BGR)
    path = write_video(tmp_path / "a.mp4", frames=400, fps=FPS, group=20, paint=lambda n: idle)
    assert active_spans(path, CAMERA).spans == ()
    assert [span.from_us for span in active_spans(path, camera).spans] == [0, 16_000_000, 32_000_000]
