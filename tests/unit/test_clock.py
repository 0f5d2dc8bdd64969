"""When a recording began: sources in their order, recorders' names, and the two odd hours of the year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.detect.clock import REPEATED, SKIPPED, Start, find_start, settle_repeats
from quitboard.errors import RecordingError
from quitboard.records import Camera, ClockSource

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
GATE = Camera(id="gate-3", name="gate 3")
IN_BERLIN = Camera(id="tor", name="Tor", timezone="Europe/Berlin")
SHOWN = datetime(2023, 4, 23, 15, 45, 43, tzinfo=SEOUL)


def start_of(name, camera=GATE, **more):
    start = find_start(name, camera, **more)
    assert start is not None
    return start


@pytest.mark.parametrize(
    "name",
    [
        # Hikvision
        "ch01_20230423154543.mp4",
        "D01_20230423154543.mp4",
        "IPCamera 01_20230423154543.mp4",
        "Camera_01_정문_20230423154543_20230423160000_12345.mp4",
        # Dahua
        "NVR_ch1_main_20230423154543_20230423160000.mp4",
        "XVR5104_ch2_20230423154543_20230423155000.avi",
        "2023-04-23/001/dav/15/15.45.43-15.50.00[M][0@0][0].mp4",
        "gate/2023-04-23/15.45.43-15.50.00[R][0@0][0].mp4",
        # Axis
        "20230423_15/20230423_154543_3F2A_ACCC8E012345/20230423_154543_AB12.mkv",
        "axis-ACCC8E123456_20230423_154543.mkv",
        # Reolink
        "RecM01_20230423_154543_154602_6D28808_1A2B3C.mp4",
        "RecM03_DST20230423_154543_154602_0_800_3000.mp4",
        "Gate_00_20230423154543.mp4",
        # Frigate
        "2023-04-23/06/gate/45.43.mp4",
        "gate-1682232343.000000-abc123.mp4",
        "gate_20230423_154543-20230423_160000.mp4",
        "gate_2023_04_23_15_45_43__2023_04_23_16_00_00.mp4",
        # ISO 8601
        "2023-04-23T15:45:43+09:00.mp4",
        "2023-04-23T15-45-43.mp4",
        "20230423T064543Z.mp4",
        "gate_2023-04-23T06:45:43.000Z.mkv",
        # others
        "20230423_154543.mp4",
        "20230423-154543.ts",
        "gate-3_2023-04-23_15-45-43.mp4",
        "정문_2023-04-23_15-45-43.mp4",
        "2023-04-23 15-45-43.mkv",
        "2023-04-23_15.45.43.avi",
        "[2023-04-23][15-45-43].mp4",
        "2023-04-23_15h45m43s_CH01.avi",
        "2023-04-23 15시 45분 43초.mp4",
        "Gate.20230423_154543.mp4",
        "Gate-20230423-154543-1682232343123-7.mp4",
        "20230423_154543_tp00001.mp4",
        "D1_20230423154543_20230423154600.mp4",
        "2023042315/45M43S_1682232343.mp4",
        # a number that is no time, then the time
        "20239999_999999_20230423_154543.mp4",
    ],
)
def test_names_that_recorders_give_say_the_start(name):
    start = start_of(name)
    assert start.at == SHOWN
    assert start.at.tzinfo == SEOUL
    assert start.clock is ClockSource.NAME
    assert start.warnings == ()


def test_milliseconds_in_a_name_are_kept():
    start = start_of("192.168.1.64_01_20230423154543123_1.mp4")
    assert start.at == SHOWN.replace(microsecond=123_000)


@pytest.mark.parametrize(
    "name",
    [
        "hiv00012.mp4",
        "video.mp4",
        "20230230_154543.mp4",  # no such day
        "20231323_154543.mp4",  # no such month
        "20230423_254543.mp4",  # no such hour
        "20230423_156043.mp4",  # no such minute
        "20000101_000003.mp4",  # a clock that was never set
        "19700101_000003.mp4",
        "2023-04-23.mp4",  # a day is not a time
        "20230423_154543999999.mp4",
        "1234567890123456.mp4",
        "2023-05-01_12-00-00/ch1.mp4",  # the export's time, not the recording's
        "20230501120000/ch1.mp4",
    ],
)
def test_names_without_a_time_are_no_match(name):
    assert find_start(name, GATE) is None


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("%d%m%Y-%H%M%S", "gate 23042023-154543.mp4"),
        ("cam_%y%m%d%H%M%S", "cam_230423154543.mp4"),
        ("%Y/%m/%d/%H.%M.%S", "2023/04/23/15.45.43.mp4"),
        ("t%s", "t1682232343.mp4"),
        ("%Y%m%d_%H%M%S%z", "20230423_064543+0000.mp4"),
        (
            r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{4}) (?P<hour>\d\d)-(?P<minute>\d\d)-(?P<second>\d\d)",
            "23.04.2023 15-45-43.mp4",
        ),
    ],
)
def test_a_cameras_own_pattern_goes_before_the_built_in_ones(pattern, name):
    start = start_of(name, Camera(id="a", name="a", name_pattern=pattern))
    assert (start.at, start.clock, start.warnings) == (SHOWN, ClockSource.NAME, ())


def test_a_cameras_own_pattern_wins_where_a_built_in_one_would_read_something_else():
    camera = Camera(id="a", name="a", name_pattern="_%d%m%Y-%H%M%S")
    assert start_of("20200101_000000_23042023-154543.mp4", camera).at == SHOWN


def test_a_pattern_that_does_not_fit_is_told_and_the_built_in_ones_are_tried():
    start = start_of("20230423_154543.mp4", Camera(id="a", name="a", name_pattern="rec-%d%m%Y%H%M%S"))
    assert start.at == SHOWN
    assert start.warnings == ("name_pattern of its camera does not fit its name",)


def test_sources_are_trusted_in_order():
    said = {
        "sidecar": "start = 2023-04-23T15:45:43+09:00",
        "created_at": datetime(2023, 4, 23, 6, 45, 45, tzinfo=UTC),
        "modified_at": datetime(2023, 4, 23, 6, 46, 45, tzinfo=UTC),
        "length_s": 60.0,
    }
    for name, expected in (("20230423_154544.mp4", ClockSource.SIDECAR), ("video.mp4", ClockSource.SIDECAR)):
        assert start_of(name, **said).clock is expected
    del said["sidecar"]
    assert start_of("20230423_154544.mp4", **said).clock is ClockSource.NAME
    assert start_of("video.mp4", **said).clock is ClockSource.CONTAINER
    del said["created_at"]
    start = start_of("video.mp4", **said)
    assert start.clock is ClockSource.MTIME
    assert start.at == datetime(2023, 4, 23, 15, 45, 45, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start = 2023-04-23T15:45:43+09:00", SHOWN),
        ("start = 2023-04-23T15:45:43", SHOWN),  # without a zone: the camera's
        ('start = "2023-04-23T06:45:43Z"', SHOWN),
        ("start = 2023-04-23T15:45:43.250+09:00\nnote = 'set by hand'", SHOWN.replace(microsecond=250_000)),
    ],
)
def test_a_sidecar_says_the_start(text, expected):
    assert start_of("video.mp4", sidecar=text).at == expected


@pytest.mark.parametrize("text", ["", "start = 5", "start = 2023-04-23", 'start = "soon"', "start =", "begin = 1"])
def test_a_sidecar_that_does_not_say_the_start_is_an_error_with_the_line_to_write(text):
    with pytest.raises(RecordingError, match="Write: start = "):
        find_start("20230423_154543.mp4", GATE, sidecar=text)


def test_sources_that_disagree_by_more_than_a_minute_are_told_and_the_higher_wins():
    created_at = datetime(2023, 4, 23, 6, 45, 43, tzinfo=UTC)
    assert start_of("20230423_154643.mp4", created_at=created_at).warnings == ()  # a minute to the second
    start = start_of("20230423_154644.mp4", created_at=created_at)
    assert start.clock is ClockSource.NAME
    assert start.warnings == (
        "the file name says 2023-04-23 15:46:44, the container 2023-04-23 15:45:43: the first is taken",
    )


# --- the odd hours ---------------------------------------------------------------------------------------------------


def test_a_skipped_hour_is_taken_as_if_the_clock_had_not_changed_and_told():
    start = start_of("20230326_023000.mp4", IN_BERLIN)  # 02:00 became 03:00 that night
    assert start.at == datetime(2023, 3, 26, 1, 30, tzinfo=UTC)
    assert start.at.hour == 3
    assert start.warnings == (SKIPPED,)
    assert not start.is_repeated


@pytest.mark.parametrize(("minutes", "is_repeated"), [(119, False), (120, True), (179, True), (180, False)])
def test_only_the_hour_that_comes_twice_is_repeated(minutes, is_repeated):
    name = f"20231029_{minutes // 60:02}{minutes % 60:02}00.mp4"  # 03:00 became 02:00 that night
    assert start_of(name, IN_BERLIN).is_repeated is is_repeated


def test_a_name_with_its_zone_is_never_repeated():
    start = start_of("2023-10-29T02:30:00+01:00.mp4", IN_BERLIN)
    assert start.at.fold == 1
    assert not start.is_repeated


def test_korea_has_no_repeated_hour():
    assert not start_of("20231029_023000.mp4").is_repeated


def night(*minutes, length_s=600.0):
    """Return starts as names of that night would say them, and their lengths; minutes count from midnight."""
    names = [f"20231029_{minute // 60:02}{minute % 60:02}00.mp4" for minute in minutes]
    return [start_of(name, IN_BERLIN) for name in names], [length_s] * len(names)


def minutes_utc(starts):
    midnight = datetime(2023, 10, 28, 22, tzinfo=UTC)
    return [round((start.at - midnight) / timedelta(minutes=1)) for start in starts]


def test_an_unbroken_night_is_settled_by_its_order():
    shown = [*range(100, 180, 10), *range(120, 210, 10)]
    settled = settle_repeats(*night(*shown))
    assert minutes_utc(settled) == list(range(100, 100 + 10 * len(shown), 10))
    assert all(start.warnings == () for start in settled)


def test_a_recording_that_follows_its_neighbour_without_a_gap_is_of_the_same_hour():
    assert minutes_utc(settle_repeats(*night(110, 120))) == [110, 120]
    assert minutes_utc(settle_repeats(*night(170, 180))) == [230, 240]


def test_two_that_would_overlap_are_of_different_hours():
    assert minutes_utc(settle_repeats(*night(150, 145))) == [150, 205]


def test_a_lone_recording_of_the_repeated_hour_is_taken_as_the_first_and_told():
    (settled,) = settle_repeats(*night(150))
    assert settled.at.astimezone(UTC) == datetime(2023, 10, 29, 0, 30, tzinfo=UTC)
    assert settled.warnings == (REPEATED,)


def test_ordinary_starts_are_left_as_they_are():
    starts, lengths_s = night(10, 20, 300)
    assert settle_repeats(starts, lengths_s) == starts
    assert settle_repeats([], []) == []


# --- for any time ---------------------------------------------------------------------------------------------------

ZONES = st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
INSTANTS = st.datetimes(datetime(2001, 1, 2), datetime(2099, 12, 30)).map(lambda at: at.replace(microsecond=0))
STYLES = st.sampled_from(
    ["%Y%m%d_%H%M%S", "%Y%m%d%H%M%S", "%Y-%m-%dT%H-%M-%S", "%Y-%m-%d_%H-%M-%S", "%Y%m%dT%H%M%S", "%Y.%m.%d %H.%M.%S"]
)
PLACES = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), max_size=8)


@given(at=INSTANTS, zone=ZONES, style=STYLES, place=PLACES)
def test_a_name_written_by_a_recorders_clock_gives_the_instant_back(at, zone, style, place):
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    name = f"{place}_{local.strftime(style)}.mp4"
    start = start_of(name, Camera(id="a", name="a", timezone=zone))
    first, second = start.at, start.at.replace(fold=1)
    assert local.astimezone(UTC) in ((first.astimezone(UTC), second.astimezone(UTC)) if start.is_repeated else (first,))


@given(at=INSTANTS, zone=ZONES)
def test_a_zoned_name_gives_the_very_instant_back_in_any_hour_of_the_year(at, zone):
    instant = at.replace(tzinfo=UTC)
    camera = Camera(id="a", name="a", timezone=zone)
    assert start_of(f"{instant:%Y%m%dT%H%M%SZ}.mp4", camera).at == instant


@given(name=st.text(max_size=60), pattern=st.sampled_from(["", "%Y", "(?P<year>.)", "%H%M"]))
def test_no_name_is_ever_a_traceback(name, pattern):
    start = find_start(f"{name}.mp4", Camera(id="a", name="a", name_pattern=pattern))
    assert start is None or isinstance(start, Start)
