"""What a reader of recordings promises, for every codec and container that can be written here."""

import hashlib
import itertools
import os

import pytest

from quitboard.detect import video
from quitboard.detect.spans import union
from quitboard.errors import RecordingError
from tests.videos import number_of, shade, write_video

STEADY_S = [n / 20 for n in range(40)]
UNEVEN_S = [0.0, *itertools.accumulate(itertools.islice(itertools.cycle([0.05, 0.1, 0.05, 0.2]), 39))]

KINDS = [
    *[("libx264", b, suffix) for b in (0, 3) for suffix in ("mp4", "mov", "mkv", "avi", "ts", "mpg")],
    *[("libx265", b, suffix) for b in (0, 3) for suffix in ("mp4", "mov", "mkv", "ts")],
    *[("mpeg4", b, suffix) for b in (0, 2) for suffix in ("mp4", "mov", "mkv", "avi", "ts", "mpg")],
    *[("libvpx-vp9", 0, suffix) for suffix in ("mp4", "mkv", "webm", "avi")],
    *[("libsvtav1", 0, suffix) for suffix in ("mp4", "mkv", "webm")],
    *[("mjpeg", 0, suffix) for suffix in ("mp4", "mov", "mkv", "avi")],
]
# A program stream stamps blocks of pictures and AVI none; this encoder counts whole frames
KEEP_TIMES = [kind for kind in KINDS if kind[2] not in ("avi", "mpg") and kind[0] != "mpeg4"]


def name_of(kind):
    codec, b_frames, suffix = kind
    return f"{codec.removeprefix('lib')}{'-b' if b_frames else ''}-{suffix}"


def written(folder, kind, **more):
    codec, b_frames, suffix = kind
    return write_video(folder / f"recording.{suffix}", codec=codec, b_frames=b_frames, **more)


def read(path, **which):
    with video.frames(path, **which) as reader:
        return [(frame.position_us, hashlib.sha256(frame.picture).hexdigest()) for frame in reader]


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_frame_comes_once_in_order_at_its_time(tmp_path, kind):
    path = written(tmp_path, kind)
    with video.frames(path) as reader:
        frames = list(reader)
    assert [number_of(frame.picture) for frame in frames] == [n % 16 for n in range(40)]
    off_us = [frame.position_us - round(at_s * 1e6) for frame, at_s in zip(frames, STEADY_S, strict=True)]
    assert max(map(abs, off_us)) <= (50_000 if kind[2] == "mpg" else 0)  # a program stream stamps blocks of pictures
    assert reader.faults == ()
    assert reader.read_s == pytest.approx(2.0, abs=0.05 if kind[2] == "mpg" else 1e-6)
    assert video.packets(path).read_s == reader.read_s


@pytest.mark.parametrize("kind", KEEP_TIMES, ids=name_of)
def test_a_variable_rate_keeps_its_times(tmp_path, kind):
    frames = read(written(tmp_path, kind, times_s=UNEVEN_S))
    assert [position_us for position_us, _ in frames] == [round(at_s * 1e6) for at_s in UNEVEN_S]


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_span_gives_the_frames_and_bytes_of_reading_from_the_start(tmp_path, kind):
    path = written(tmp_path, kind)
    everything = read(path)
    assert len(set(everything)) == len(everything)
    for from_us, to_us in [(0, 1), (1, 50_000), (500_000, 750_000), (510_000, 1_990_000), (1_950_000, 9_000_000)]:
        expected = [frame for frame in everything if from_us <= frame[0] < to_us]
        assert read(path, from_us=from_us, to_us=to_us) == expected
    spans = [(100_000, 200_000), (1_500_000, 1_600_000), (1_600_000, 1_650_000), (150_000, 250_000), (5, 5)]
    expected = [frame for frame in everything if any(from_us <= frame[0] < to_us for from_us, to_us in spans)]
    assert read(path, spans=spans) == expected


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_samples_do_not_depend_on_where_reading_began(tmp_path, kind):
    path = written(tmp_path, kind)
    samples = read(path, every_us=130_000)
    assert [position_us for position_us, _ in samples][:4] == pytest.approx([0, 150_000, 300_000, 400_000], abs=9_000)
    for from_us in (0, 150_000, 500_000, 1_000_000, 1_040_000):
        assert read(path, from_us=from_us, every_us=130_000) == [frame for frame in samples if frame[0] >= from_us]


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_keyframes_are_frames_and_packets_say_where_they_are(tmp_path, kind):
    path = written(tmp_path, kind)
    packets = video.packets(path)
    everything = read(path)
    with video.keyframes(path) as reader:
        keyframes = [frame.position_us for frame in reader]
    assert len(packets) == 40
    assert sorted(packets.position_us.tolist()) == [position_us for position_us, _ in everything]
    assert keyframes == sorted(packets.position_us[packets.is_keyframe].tolist())
    assert len(keyframes) >= 4
    assert (packets.size > 0).all()
    assert reader.packets().size.tolist() == packets.size.tolist()


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_probe_tells_size_length_and_codec(tmp_path, kind):
    shown = video.probe(written(tmp_path, kind))
    assert (shown.width, shown.height) == (96, 64)
    assert shown.promised_s == pytest.approx(0.0 if kind[2] == "mpg" else 2.0, abs=0.11)
    assert shown.codec in {"h264", "hevc", "mpeg4", "vp9", "av1", "mjpeg"}
    assert shown.created_at is None


def test_keyframes_apart_are_thinned(tmp_path):
    path = write_video(tmp_path / "a.mp4", codec="mjpeg")
    with video.keyframes(path, every_us=900_000) as reader:
        assert [frame.position_us for frame in reader] == [0, 900_000, 1_800_000]


def test_small_grey_pictures_show_the_same(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    with video.frames(path, grey_width_px=48, every_us=500_000) as reader:
        pictures = [frame.picture for frame in reader]
    assert [picture.shape for picture in pictures] == [(32, 48)] * 4
    assert [number_of(picture) for picture in pictures] == [0, 10, 20 % 16, 30 % 16]


@pytest.mark.parametrize(
    "options",
    [
        {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=10"},
        {"x264-params": "intra-refresh=1:keyint=10"},
        {"x264-params": "slices=4"},
        {"x264-params": "b-pyramid=normal:bframes=7:ref=4:b-adapt=0", "preset": "medium"},
    ],
    ids=["open groups", "rolling refresh", "slices", "pyramid"],
)
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_a_span_is_exact_whatever_the_groups_of_pictures_are(tmp_path, options, suffix):
    path = write_video(tmp_path / f"a.{suffix}", frames=60, b_frames=3, options={"bf": "3", **options})
    everything = read(path)
    assert len(everything) == 60
    for from_us in range(0, 3_000_000, 370_000):
        assert read(path, from_us=from_us) == [frame for frame in everything if frame[0] >= from_us]


def test_far_spans_are_reached_by_the_index_and_exact(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=60 * 20, b_frames=3, group=40)
    everything = read(path)
    assert len(everything) == 1200
    for from_us in (12_000_000, 30_050_000, 59_900_000, 33_333_333):
        to_us = from_us + 300_000
        assert read(path, from_us=from_us, to_us=to_us) == [f for f in everything if from_us <= f[0] < to_us]
    spans = [(5_000_000, 5_100_000), (20_000_000, 20_100_000), (58_000_000, 58_100_000)]
    assert read(path, spans=spans) == [f for f in everything if any(a <= f[0] < b for a, b in spans)]


@pytest.mark.parametrize(("rotation", "size"), [(0, (96, 64)), (90, (64, 96)), (180, (96, 64)), (-90, (64, 96))])
def test_a_picture_that_is_stored_turned_is_given_upright(tmp_path, rotation, size):
    path = write_video(tmp_path / "a.mp4", rotation=rotation, frames=4)
    shown = video.probe(path)
    with video.frames(path) as reader:
        picture = next(reader).picture
    assert (shown.width, shown.height) == size
    assert picture.shape == (size[1], size[0], 3)
    dot = {0: (12, 12), 90: (83, 12), 180: (51, 83), -90: (12, 51)}[rotation]  # row, column
    assert picture[dot].min() > 200


def test_creation_time_is_an_instant(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=4, metadata={"creation_time": "2023-04-23T06:45:43Z"})
    created_at = video.probe(path).created_at
    assert created_at is not None
    assert created_at.isoformat() == "2023-04-23T06:45:43+00:00"


@pytest.mark.parametrize("text", ["1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2000-01-01T00:00:05Z"])
def test_the_time_of_a_clock_that_was_never_set_is_none(tmp_path, text):
    assert video.probe(write_video(tmp_path / "a.mp4", frames=4, metadata={"creation_time": text})).created_at is None


def test_the_name_does_not_matter_but_the_content(tmp_path):
    write_video(tmp_path / "a.ts", frames=4).rename(tmp_path / "a.mp4")
    assert len(read(tmp_path / "a.mp4")) == 4


def test_sound_without_pictures_is_refused(tmp_path):
    import av
    import numpy as np

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(RecordingError, match="no video in it"):
        video.probe(path)


def test_pictures_beyond_the_limit_are_refused_before_they_are_decoded(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=1, codec="mjpeg", paint=lambda n: shade(n, width=8320, height=16))
    with pytest.raises(RecordingError, match="8320 x 16 px"):
        video.probe(path)


def test_spans_are_merged():
    assert union([(5, 9), (0, 2), (2, 3), (8, 12), (20, 20)]) == [(0, 3), (5, 12)]


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="only Linux has scheduling policies")
def test_making_test_recordings_leaves_the_process_as_it_was(tmp_path):
    written(tmp_path, ("libsvtav1", 0, "mp4"))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
