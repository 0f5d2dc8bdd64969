"""Finding recordings: whose camera's they are, each content once, and how they lie on the clock."""

import os
import shutil
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.recordings import camera_id_of, counted_once, find
from quitboard.errors import UsageError
from quitboard.records import Camera, ClockSource, Recording
from tests.videos import shade, write_video

SEOUL = ZoneInfo("Asia/Seoul")
T0 = datetime(2023, 4, 23, 15, 45, 43, tzinfo=SEOUL)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A few recordings with different content, made once and copied about."""
    folder = tmp_path_factory.mktemp("videos")
    return [write_video(folder / f"{n}.mp4", paint=lambda i, n=n: shade(i + n), frames=10, fps=5) for n in range(4)]


def lay(root, videos, *names):
    for video, name in zip(videos, names, strict=False):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(video, target)
    return root


def test_what_is_found_says_everything_about_itself(tmp_path, videos):
    root = lay(tmp_path, videos, "gate-3/20230423_154543.mp4")
    (found,) = find([root], []).found
    assert found.path == root / "gate-3/20230423_154543.mp4"
    assert found.camera == Camera(id="gate-3", name="gate-3")
    recording = found.recording
    assert (recording.name, recording.camera_id) == ("gate-3/20230423_154543.mp4", "gate-3")
    assert (recording.start, recording.clock) == (T0, ClockSource.NAME)
    assert (recording.width, recording.height, recording.promised_s) == (96, 64, 2.0)
    assert len(recording.sha256) == 64


def test_the_same_folder_gives_the_same_inventory_in_order_of_camera_and_time(tmp_path, videos):
    root = lay(tmp_path, videos, "b/20230424_000000.mp4", "a/x_20230425_000000.mp4", "b/a/20230423_000000.mp4")
    lay(tmp_path, videos[3:], "a/y_20230424_000000.mp4")
    inventory = find([root], [])
    assert [one.recording.name for one in inventory.found] == [
        "a/y_20230424_000000.mp4",
        "a/x_20230425_000000.mp4",
        "b/20230424_000000.mp4",
        "b/a/20230423_000000.mp4",
    ]
    assert find([root], []) == inventory
    assert find([root, root / "a"], []) == inventory  # given twice, found once


def test_a_file_can_be_given_by_itself(tmp_path, videos):
    root = lay(tmp_path, videos, "gate-3/20230423_154543.mp4")
    (found,) = find([root / "gate-3/20230423_154543.mp4"], []).found
    assert (found.camera.id, found.recording.name) == ("gate-3", "20230423_154543.mp4")


def test_a_path_that_does_not_exist_is_the_users_mistake(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        find([tmp_path / "vidoes"], [])


def test_an_empty_folder_holds_nothing(tmp_path):
    inventory = find([tmp_path], [])
    assert (inventory.found, inventory.set_aside, inventory.same) == ((), (), ())


# --- cameras -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name", "is_claimed"),
    [
        ("gate-3/**", "gate-3/20230423_154543.mp4", True),
        ("gate-3/**", "gate-3/2023/04/23/20230423_154543.mp4", True),
        ("gate-3", "gate-3/20230423_154543.mp4", True),
        ("gate-3/", "gate-3/20230423_154543.mp4", True),
        ("gate-3/**", "gate-31/20230423_154543.mp4", False),
        ("gate-?/**", "gate-3/20230423_154543.mp4", True),
        ("**/gate-3/**", "nvr/1/gate-3/20230423_154543.mp4", True),
        ("**/gate-3/**", "gate-3/20230423_154543.mp4", True),
        ("nvr/*_ch3_*.mp4", "nvr/main_ch3_20230423154543.mp4", True),
        ("nvr/*_ch3_*.mp4", "nvr/main_ch4_20230423154543.mp4", False),
        ("*/gate-3/**", "a/b/gate-3/20230423_154543.mp4", False),
        ("정문/**", unicodedata.normalize("NFD", "정문/20230423_154543.mp4"), True),  # as some discs write it
        ("gate.3/**", "gatex3/20230423_154543.mp4", False),
    ],
)
def test_a_folder_belongs_to_a_camera(tmp_path, videos, folder, name, is_claimed):
    camera = Camera(id="mine", name="mine", folder=folder, timezone="Europe/Berlin")
    (found,) = find([lay(tmp_path, videos, name)], [camera]).found
    assert (found.camera == camera) is is_claimed
    assert found.recording.start.tzinfo == ZoneInfo(found.camera.timezone)


def test_a_cameras_folder_is_known_when_it_is_given_itself(tmp_path, videos):
    camera = Camera(id="mine", name="mine", folder="gate-3/**")
    root = lay(tmp_path, videos, "gate-3/20230423_154543.mp4")
    assert find([root / "gate-3"], [camera]).found[0].camera == camera
    assert find([root / "gate-3/20230423_154543.mp4"], [camera]).found[0].camera == camera


def test_a_camera_without_a_folder_has_the_one_that_is_called_like_it(tmp_path, videos):
    camera = Camera(id="gate-3", name="정문")
    assert find([lay(tmp_path, videos, "Gate 3/20230423_154543.mp4")], [camera]).found[0].camera == camera


@pytest.mark.parametrize(
    ("name", "camera_name"),
    [
        ("2023-04-23/001/dav/15/15.45.43-15.50.00[M][0@0][0].mp4", "001"),
        ("정문/2023-04-23/15/20230423_154543.mp4", "정문"),
        ("2023-04-23/06/gate/45.43.mp4", "gate"),
        ("gate/2023/04/23/20230423_154543.mp4", "gate"),
        ("20230423_15/20230423_154543_3F2A_ACCC8E012345/20230423_154543_AB12.mkv", "clips"),
        ("101/20230423_154543.mp4", "101"),
        ("site a/gate/20230423_154543.mp4", "site a gate"),
    ],
)
def test_folders_of_days_and_hours_are_no_cameras(tmp_path, videos, name, camera_name):
    (found,) = find([lay(tmp_path / "clips", videos, name)], []).found
    assert found.camera.name == camera_name
    assert found.recording.start == T0


def test_different_folders_are_different_cameras(tmp_path, videos):
    names = ["gate 3/20230423_154543.mp4", "gate-3/20230423_154543.mp4", "улица/20230423_154543.mp4"]
    found = find([lay(tmp_path, videos, *names, "道路/20230423_154543.mp4")], []).found
    assert len({one.camera.id for one in found}) == 4


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80))
def test_any_folder_gives_a_usable_id_that_depends_on_its_name_alone(folder):
    camera_id = camera_id_of(folder)
    assert 0 < len(camera_id) <= 64
    assert all(letter.isalnum() or letter == "-" for letter in camera_id)
    assert camera_id == camera_id_of(folder) == camera_id.lower()


# --- clocks, copies, links ---------------------------------------------------------------------------------------


def test_the_same_content_is_used_once_by_the_name_that_says_the_time(tmp_path, videos):
    root = lay(tmp_path, [videos[0]] * 3, "gate/a copy.mp4", "gate/20230423_154543.mp4", "gate/20230423_154543 (1).mp4")
    inventory = find([root], [])
    assert [one.recording.name for one in inventory.found] == ["gate/20230423_154543 (1).mp4"]
    assert [one.name for one in inventory.same] == ["gate/20230423_154543.mp4", "gate/a copy.mp4"]
    assert inventory.same[0].reason == "same content as gate/20230423_154543 (1).mp4"
    assert inventory.set_aside == ()


def test_a_files_time_is_taken_only_where_it_is_allowed(tmp_path, videos):
    root = lay(tmp_path, videos, "gate/video.mp4")
    os.utime(root / "gate/video.mp4", (T0.timestamp() + 2, T0.timestamp() + 2))
    inventory = find([root], [])
    assert inventory.found == ()
    assert inventory.set_aside[0].reason == "nothing says when it began"
    assert "--allow-mtime" in inventory.set_aside[0].todo
    (found,) = find([root], [], allow_mtime=True).found
    assert (found.recording.start, found.recording.clock) == (T0, ClockSource.MTIME)


def test_a_sidecar_beside_the_file_says_its_start(tmp_path, videos):
    root = lay(tmp_path, videos, "gate/video.mp4", "gate/other.mp4")
    (root / "gate/video.mp4.toml").write_text("start = 2023-04-23T15:45:43+09:00")
    (root / "gate/other.mp4.toml").write_text("begin = 5")
    inventory = find([root], [])
    assert [(one.recording.start, one.recording.clock) for one in inventory.found] == [(T0, ClockSource.SIDECAR)]
    assert [one.reason for one in inventory.set_aside] == ["the sidecar does not say the start"]


def test_earlier_days_are_passed_over(tmp_path, videos):
    root = lay(tmp_path, videos, "a/20230422_235959.mp4", "a/20230423_000000.mp4")
    assert [one.recording.name for one in find([root], [], since=date(2023, 4, 23)).found] == ["a/20230423_000000.mp4"]


def test_links_inside_are_no_copies_and_links_that_lead_out_are_told(tmp_path, videos):
    root = lay(tmp_path / "root", videos, "gate/20230423_154543.mp4")
    outside = lay(tmp_path / "outside", videos[1:], "20230424_154543.mp4")
    (root / "gate/leads-out.mp4").symlink_to(outside / "20230424_154543.mp4")
    (root / "elsewhere").symlink_to(outside)
    (root / "loop").symlink_to(root)
    inventory = find([root], [])
    assert [one.recording.name for one in inventory.found] == ["gate/20230423_154543.mp4"]
    assert {(one.name, one.reason) for one in inventory.set_aside} == {
        ("gate/leads-out.mp4", "a link that leads out of its folder"),
        ("elsewhere", "a link that leads out of its folder"),
    }


def test_the_repeated_hour_is_settled_by_the_order_of_the_files(tmp_path, videos):
    camera = Camera(id="tor", name="Tor", timezone="Europe/Berlin", folder="tor")
    names = [
        "tor/20231029_015958.mp4",
        "tor/20231029_023000.mp4",
        "tor/20231029_020000 (1).mp4",
        "tor/20231029_030000.mp4",
    ]
    root = lay(tmp_path, videos, *names)
    for order, name in enumerate(names):
        os.utime(root / name, (1_700_000_000 + order, 1_700_000_000 + order))
    starts = [one.recording.start.astimezone(UTC) for one in find([root], [camera]).found]
    assert [f"{start:%H:%M}" for start in starts] == ["23:59", "00:30", "01:00", "02:00"]


# --- on the clock ------------------------------------------------------------------------------------------------


def recording(start_s, length_s, *, name="a", width=96):
    return Recording(
        sha256=f"{name}-{start_s}-{length_s}-{width}",
        name=name,
        camera_id="a",
        start=T0 + timedelta(seconds=start_s),
        clock=ClockSource.NAME,
        width=width,
        height=64,
        promised_s=length_s,
        read_s=length_s,
    )


def test_what_overlaps_counts_once():
    ones = [recording(0, 60), recording(50, 60), recording(70, 10), recording(200, 5)]
    parts = counted_once(ones)
    assert [parts[one.sha256] for one in ones] == [
        (0, 60_000_000),
        (10_000_000, 60_000_000),
        (0, 0),
        (0, 5_000_000),
    ]


def test_of_two_that_begin_together_the_larger_picture_counts():
    small, large = recording(0, 60), recording(0, 60, width=1920)
    assert counted_once([small, large]) == {large.sha256: (0, 60_000_000), small.sha256: (0, 0)}


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=12))
def test_seconds_counted_are_the_seconds_that_any_recording_covers(spans):
    ones = [recording(start_s, length_s, name=str(i)) for i, (start_s, length_s) in enumerate(spans)]
    counted_s = sum(to_us - from_us for from_us, to_us in counted_once(ones).values()) / 1e6
    covered = {second for start_s, length_s in spans for second in range(start_s, start_s + length_s)}
    assert counted_s == len(covered)
