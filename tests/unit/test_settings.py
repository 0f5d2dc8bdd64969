"""Settings: defaults that work at once, and mistakes that name their line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from quitboard.errors import SettingsError
from quitboard.files import resource
from quitboard.records import ZoneKind
from quitboard.settings import Settings, load_cameras, load_settings

CAMERA = """\
[[camera]]
id = "gate-3"
folder = "gate-3/**"
resolution = [1920, 1080]

[[camera.zone]]
name = "north"
kind = "sidewalk"
polygon = [[0, 700], [1920, 640], [1920, 760]]

[[camera]]
id = "gate-4"
resolution = [640, 360]

[[camera.zone]]
name = "lane"
kind = "lane"
polygon = [[0, 0], [640, 0], [640, 360]]
direction = [1, 0]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "file.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_missing_file_means_all_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "quitboard.toml") == Settings()
    assert load_cameras(tmp_path / "cameras.toml") == ()


def test_the_commented_settings_that_init_writes_are_the_defaults(tmp_path: Path) -> None:
    shipped = resource("data/board/quitboard.toml")
    loaded = load_settings(shipped)
    assert loaded.board.catalogue == "catalogue.csv"
    for section in ("detect", "rules", "evidence", "site", "legacy"):
        assert getattr(loaded, section) == getattr(Settings(), section)
        written = tomllib.loads(shipped.read_text("utf-8"))[section]
        assert set(written) == set(getattr(Settings(), section).__dataclass_fields__), "every setting is shown"


def test_the_commented_cameras_hold_none_and_hold_one_when_uncommented(tmp_path: Path) -> None:
    text = resource("data/board/cameras.toml").read_text("utf-8")
    assert load_cameras(resource("data/board/cameras.toml")) == ()
    lines = text.splitlines()
    body = lines[next(n for n, line in enumerate(lines) if line.startswith("# [[camera]]")) :]
    uncommented = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body if "Four points" not in line)
    uncommented = uncommented[: uncommented.index("[[camera.ground_point]]")]
    uncommented = uncommented.replace("                                 # the groups", "# the groups")
    (camera,) = load_cameras(write(tmp_path, uncommented))
    assert [zone.kind for zone in camera.zones] == [ZoneKind.SIDEWALK, ZoneKind.LANE]


def test_cameras_are_read_with_zones(tmp_path: Path) -> None:
    first, second = load_cameras(write(tmp_path, CAMERA))
    assert (first.id, first.name, first.timezone) == ("gate-3", "gate-3", "Asia/Seoul")
    assert first.zones[0].polygon[1] == (1920.0, 640.0)
    assert second.zones[0].direction == (1.0, 0.0)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[detect]\nimgsz = 640\nsampel_fps = 3\n", 3, "sample_fps"),
        ("[detekt]\n", 1, "detect"),
        ("[detect]\nimgsz = '640'\n", 2, "whole number"),
        ("[detect]\nimgsz = 4\n", 2, "between 160"),
        ("[detect]\ngate = 1\n", 2, "true or false"),
        ("[evidence]\n\nbody = 'blur'\n", 3, "flat, pixel, keep"),
        ("[board\n", 1, ""),
        ("[board]\ntitle_ko = unquoted\n", 2, ""),
        ("[legacy]\nkinds = ['a', 3]\n", 2, "list"),
        ("[legacy]\ntimezone = 'Asia/Seol'\n", 2, "Asia/Seoul"),
        ("[detect]\nsample_fps = nan\n", 2, "between"),
    ],
)
def test_a_mistake_in_the_settings_names_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(write(tmp_path, text))
    assert raised.value.where == f"file.toml, line {line}"
    assert says in str(raised.value)
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('id = "gate-4"', 'id = "gate-3"', 12, "unique"),
        ('id = "gate-4"', 'id = "Gate 4"', 12, "gate-4"),
        ('kind = "lane"', 'kind = "lanes"', 17, "lane"),
        ("direction = [1, 0]\n", "", 15, "needs a direction"),
        ("direction = [1, 0]", "direction = [0, 0]", 19, "nowhere"),
        ("[640, 0], [640, 360]]", "[6400, 0], [640, 360]]", 18, "outside 640"),
        ("[640, 0], [640, 360]]", "[640, 0]]", 18, "three corners"),
        ("resolution = [640, 360]", "resolution = [640]", 13, "[1920, 1080]"),
        ("resolution = [640, 360]\n", "", 11, "resolution"),
        ('folder = "gate-3/**"', 'foldr = "gate-3/**"', 3, "folder"),
        ('folder = "gate-3/**"', 'timezone = "Mars"', 3, "time zone"),
        ('folder = "gate-3/**"', 'name_pattern = "("', 3, "regular expression"),
    ],
)
def test_a_mistake_in_the_cameras_names_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in CAMERA
    with pytest.raises(SettingsError) as raised:
        load_cameras(write(tmp_path, CAMERA.replace(old, new)))
    assert says in str(raised.value)
    assert raised.value.where == f"file.toml, line {line}"


def test_the_hash_of_sections_changes_only_with_them() -> None:
    import dataclasses

    base = Settings()
    other = dataclasses.replace(base, site=dataclasses.replace(base.site, per_page=48))
    assert base.sha256_of("detect", "rules") == other.sha256_of("detect", "rules")
    assert base.sha256_of("site") != other.sha256_of("site")
