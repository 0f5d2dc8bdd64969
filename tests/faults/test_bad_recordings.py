"""Recordings from broken discs, full cards and strangers: read as far as they go, or refused with a reason."""

import hashlib
import os
import random

import pytest

from quitboard.detect import video
from quitboard.detect.recordings import find
from quitboard.errors import RecordingError
from tests.videos import number_of, shade, write_video


def read(path):
    with video.frames(path) as reader:
        frames = [(frame.position_us, hashlib.sha256(frame.picture).hexdigest()) for frame in reader]
    return frames, reader


def cut(path, share):
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    return path


FASTSTART = {"movflags": "faststart"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", FASTSTART), ("a.mp4", FRAGMENTED), ("a.mkv", {}), ("a.avi", {}), ("a.ts", {}), ("a.mpg", {})],
    ids=["mp4", "fragmented", "mkv", "avi", "ts", "mpg"],
)
@pytest.mark.parametrize("share", [0.8, 0.5, 0.2])
def test_a_truncated_recording_is_read_as_far_as_it_goes(tmp_path, name, options, share):
    path = write_video(tmp_path / name, frames=200, container_options=options)
    whole, _ = read(path)
    frames, reader = read(cut(path, share))
    assert 200 * share * 0.8 - 20 < len(frames) < 200 * share * 1.1 + 12
    if name == "a.mpg":  # its times are spread between stamps, and the last stamp is gone
        frames, whole = ([(None, content) for _, content in ones] for ones in (frames, whole))
    assert frames[:-2] == whole[: len(frames) - 2]  # the last one or two may have lost their end
    assert reader.read_s == pytest.approx(len(frames) / 20, abs=0.2)
    if name in ("a.mkv", "a.avi") or options == FASTSTART:  # the others promise no length
        assert video.ENDS_EARLY in reader.faults
        assert video.ENDS_EARLY in video.packets(path).faults
        assert video.probe(path).promised_s == pytest.approx(10.0, abs=0.1)


def test_an_mp4_that_was_never_finished_has_no_index_and_is_refused(tmp_path):
    path = cut(write_video(tmp_path / "a.mp4"), 0.7)
    with pytest.raises(RecordingError, match="its header or its index is missing or damaged") as caught:
        video.frames(path)
    assert "cut off while it was written" in caught.value.todo
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_damage_in_the_middle_costs_only_what_it_hit(tmp_path, name):
    path = write_video(tmp_path / name, frames=200)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    rng = random.Random(1)
    content[middle : middle + 1500] = rng.randbytes(1500)
    path.write_bytes(content)
    frames, reader = read(path)
    assert len(frames) > 150
    if name != "a.mkv":  # where whole blocks vanish without a trace
        assert video.DAMAGED in reader.faults
    assert frames == sorted(frames)
    again, _ = read(path)
    assert again == frames


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.mpg"])
def test_no_damage_is_a_traceback_or_another_result_the_second_time(tmp_path, name, seed):
    path = write_video(tmp_path / name, b_frames=seed % 3)
    content = bytearray(path.read_bytes())
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 10, 200])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(content)

    def result():
        try:
            frames, reader = read(path)
        except RecordingError as error:
            return str(error)
        assert set(reader.faults) <= set(video.FAULTS)
        positions = [position_us for position_us, _ in frames]
        assert positions == sorted(set(positions))
        assert video.packets(path).faults is not None
        return frames, reader.faults, reader.read_s

    assert result() == result()


def test_a_transport_stream_that_starts_in_the_middle_begins_at_its_first_keyframe(tmp_path):
    path = write_video(tmp_path / "a.ts", frames=100, group=20)
    content = path.read_bytes()
    packets = len(content) // 188
    path.write_bytes(content[: 2 * 188] + content[packets // 20 * 188 :])  # its tables, then without its beginning
    frames, reader = read(path)
    assert video.NO_FIRST_KEYFRAME in reader.faults
    assert 70 <= len(frames) <= 80
    assert frames[0][0] > 0  # the clock runs from the first packet, seen or not
    with video.frames(path) as again:
        assert number_of(next(again).picture) == 20 % 16


def test_a_size_that_changes_is_scaled_to_the_first_and_told(tmp_path):
    first = write_video(tmp_path / "1.ts", frames=20)
    second = write_video(tmp_path / "2.ts", frames=20, paint=lambda n: shade(n, width=192, height=128))
    path = tmp_path / "a.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    with video.frames(path) as reader:
        pictures = [frame.picture for frame in reader]
    assert {picture.shape for picture in pictures} == {(64, 96, 3)}
    assert [number_of(picture) for picture in pictures] == [n % 16 for n in (*range(20), *range(20))]
    assert video.SIZE_CHANGES in reader.faults


def test_a_recorder_whose_clock_is_set_back_goes_on_where_it_stood(tmp_path):
    path = tmp_path / "a.ts"
    part = write_video(tmp_path / "1.ts", frames=60).read_bytes()
    path.write_bytes(part + part)
    frames, reader = read(path)
    assert video.TIME_JUMPS in reader.faults
    assert len(frames) == 120
    assert frames[-1][0] == pytest.approx(6_000_000, abs=150_000)
    assert reader.read_s == pytest.approx(6.0, abs=0.2)


def test_a_pause_is_not_footage(tmp_path):
    path = write_video(tmp_path / "a.mkv", times_s=[*(n / 10 for n in range(20)), *(100 + n / 10 for n in range(20))])
    frames, reader = read(path)
    assert frames[-1][0] == 101_900_000
    assert reader.read_s == pytest.approx(3.85, abs=0.1)
    assert video.packets(path).read_s == pytest.approx(3.85, abs=0.1)


def test_a_header_that_promises_too_few_frames_does_not_stop_the_reading(tmp_path):
    path = write_video(tmp_path / "a.avi", frames=100)
    content = bytearray(path.read_bytes())
    header = content.index(b"avih") + 8
    content[header + 16 : header + 20] = (7).to_bytes(4, "little")  # dwTotalFrames
    stream = content.index(b"strh") + 8
    content[stream + 32 : stream + 36] = (7).to_bytes(4, "little")  # dwLength
    path.write_bytes(content)
    frames, _ = read(path)
    assert len(frames) == 100


def test_an_edit_list_moves_the_first_frame_to_zero(tmp_path):
    path = write_video(tmp_path / "a.mp4", b_frames=2, times_s=[3.0 + n / 20 for n in range(40)])
    assert b"elst" in path.read_bytes()
    frames, reader = read(path)
    assert [position_us for position_us, _ in frames] == [n * 50_000 for n in range(40)]
    assert reader.faults == ()


# --- refused ----------------------------------------------------------------------------------------------------------

PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2.0,\n{canary}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{canary}'\n",
    "list": "file '{canary}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "dash": "<?xml version='1.0'?><MPD><Period><BaseURL>{canary}</BaseURL></Period></MPD>",
    "pls": "[playlist]\nFile1={canary}\n",
    "url": "rtsp://127.0.0.1/{canary}",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv", ".avi"])
def test_a_playlist_under_a_videos_name_is_refused_and_what_it_lists_is_never_opened(tmp_path, kind, suffix):
    canary = tmp_path / "canary.ts"
    os.mkfifo(canary)  # opening it would wait for ever
    path = tmp_path / f"a{suffix}"
    path.write_text(PLAYLISTS[kind].format(canary=canary))
    for look in (video.probe, video.packets, video.frames, video.keyframes):
        with pytest.raises(RecordingError, match="a playlist, not a recording"):
            look(path)


def test_a_movie_that_refers_to_another_file_does_not_open_it(tmp_path):
    """QuickTime may keep its pictures elsewhere: the reference is not followed."""
    canary = write_video(tmp_path / "canary.mov")
    content = bytearray(write_video(tmp_path / "a.mov", container_options=FASTSTART).read_bytes())
    place = content.index(b"url \x00\x00\x00\x01")
    content[place + 4 : place + 8] = bytes(4)  # "not in this file", with an alias in place of a name
    content[place : place + 4] = b"alis"
    path = tmp_path / "b.mov"
    path.write_bytes(content)
    canary.unlink()
    os.mkfifo(canary)
    try:
        frames, _ = read(path)
    except RecordingError:
        frames = []
    assert len(frames) in (0, 40)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"hello, this is a note\n", "a text file, not a recording"),
        ("메모입니다\n".encode(), "a text file, not a recording"),
        (bytes(5000), "nothing but zeros"),
        (bytes(range(256)) * 8, "no kind of video file that is read here"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no kind of video file that is read here"),
        (b"\0\0\0\x18ftypmp42" + bytes(12), "its header or its index is missing or damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "its header or its index is missing or damaged"),
        (b"\0\0\1\xba" + bytes(100), "."),
        (b"RIFF\x10\0\0\0AVI LIST", "."),
    ],
)
def test_what_is_no_recording_is_refused_with_what_to_do(tmp_path, content, reason):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=reason) as caught:
        video.probe(path)
    assert caught.value.todo
    assert str(tmp_path) not in str(caught.value)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(RecordingError, match="not a plain file"):
        video.probe(tmp_path / "a.mp4")


def test_bad_files_are_set_aside_with_their_reasons_and_the_rest_is_found(tmp_path):
    gate = tmp_path / "gate"
    write_video(gate / "20230423_154543.mp4")
    cut(write_video(gate / "20230423_154643.mp4"), 0.7)
    (gate / "20230423_154743.mp4").touch()
    (gate / "20230423_154843.mp4").write_text("notes")
    (gate / "20230423_154943.mp4").write_text("#EXTM3U\nother.ts\n")
    write_video(gate / "unknown.mp4", paint=lambda n: shade(n + 1))
    (gate / "20230423.dav").write_bytes(b"DHAV")
    (gate / "notes.txt").write_text("notes")
    (gate / ".hidden.mp4").touch()
    inventory = find([tmp_path], [])
    assert [found.recording.name for found in inventory.found] == ["gate/20230423_154543.mp4"]
    assert {one.name: one.reason for one in inventory.set_aside} == {
        "gate/20230423.dav": "a video of a kind that is not read",
        "gate/20230423_154643.mp4": "its header or its index is missing or damaged "
        "(Invalid data found when processing input)",
        "gate/20230423_154743.mp4": "an empty file",
        "gate/20230423_154843.mp4": "a text file, not a recording",
        "gate/20230423_154943.mp4": "a playlist, not a recording",
        "gate/unknown.mp4": "nothing says when it began",
    }
    assert all(one.todo for one in inventory.set_aside)
