"""`quitboard models evaluate` from its folders to its report, with the shipped model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from quitboard.cli import app
from quitboard.records import ROLES
from tests.videos import write_video

HOSTILE = "a\"><script>alert(1) & 'b' #1.png"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "real" / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "data.yaml").write_text("names: [rider, With Helmet, no-helmet, e-scooter]\n")
    rng = np.random.default_rng(0)
    for name in ("b.png", HOSTILE):
        cv2.imwrite(str(folder / "images" / name), rng.integers(0, 255, (96, 128, 3), np.uint8))
        (folder / "labels" / name.replace(".png", ".txt")).write_text("1 0.5 0.3 0.1 0.2\n0 0.5 0.5 0.5 0.9\n")
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "street" / "gate"
    write_video(folder / "gate_2026-09-14_08-20-00.mp4", frames=40)
    act = {"kind": "no_helmet", "act": "a bare-headed rider", "from_s": 0.5, "to_s": 1.5}
    acts = [act, {**act, "kind": "sidewalk"}]
    (folder / "gate_2026-09-14_08-20-00.truth.json").write_text(json.dumps({"acts": acts}))
    return folder.parent


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", "evaluate", *map(str, words), "--quiet"])
    return result.exit_code, result.output


def document(*words: object) -> dict:
    code, output = run(*words, "--json")
    assert code == 0, output
    return json.loads(output, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def keys_of(value: object) -> set[str]:
    """Every key of a document; what is named by data (classes, kinds, vehicles) is passed through."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value)) if value else set()
    return {*value, *set().union(*map(keys_of, value.values()))} if isinstance(value, dict) else set()


class Links(HTMLParser):
    """Collects what a page loads or points to, and the elements that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value and value[0] != "#"]


def test_real_and_rendered_are_told_apart_a_section_each(pictures: Path, recordings: Path) -> None:
    told = document(pictures, recordings)
    assert told["format"] == "quitboard-evaluation/1"
    assert [section["what"] for section in told["sections"]] == ["pictures", "recordings"]
    real, rendered = told["sections"]
    assert real["unknown_classes"] == {"rider": 2}
    assert real["classes"]["no-helmet"] == "head"
    helmet = real["ways"][-1]["by_class"]["helmet"]
    assert (helmet["recall"]["n"], helmet["pictures"]) == (2, 2)
    assert rendered["violations"]["all"]["missed"] == 1
    assert rendered["violations"]["missed"][0]["what"] == "a bare-headed rider"
    assert rendered["violations"]["kinds_not_watched"] == {"sidewalk": 1}  # no cameras.toml: no sidewalk to ride on


def test_the_docs_name_every_key_of_the_document(pictures: Path, recordings: Path) -> None:
    acts = [{"kind": "no_helmet", "from_s": 0.5, "to_s": 1.5, "people": [1], "vehicle": 2}]
    boxes = [[1, 0, 10, 10, 30, 50], [2, 1, 10, 30, 40, 60]]
    tracks = [{"track": 1, "class": "person", "head": "cap", "rides": 2}, {"track": 2, "class": "scooter"}]
    frames = [{"t": n / 5, "boxes": boxes} for n in range(15)]
    truth = {"acts": acts, "tracks": tracks, "classes": ["person", "scooter"], "frames": frames}
    (recordings / "gate" / "gate_2026-09-14_08-20-00.truth.json").write_text(json.dumps(truth))
    told = document(pictures, recordings)
    assert told["sections"][1]["riders"]["found"]["scooter"]["n"] == 1
    data = {"With Helmet", "no-helmet", "e-scooter", "rider", "no_helmet", *ROLES}
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
    assert sorted(key for key in keys_of(told) - data if f"`{key}`" not in text and f'"{key}"' not in text) == []


def test_the_same_again_says_the_same(recordings: Path) -> None:
    assert document(recordings) == document(recordings)


def test_the_report_shows_originals_in_place_and_copies_nothing(
    pictures: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "report"
    code, output = run(pictures, recordings, "-o", out)
    assert code == 0, output
    assert "keep it on this machine" in output
    assert sorted(path.name for path in out.rglob("*")) == ["evaluation.json", "index.html"]
    page = (out / "index.html").read_text()
    assert "never publish" in page
    links = Links()
    links.feed(page)
    assert links.links
    for link in links.links:
        assert not re.match(r"[a-z]+:|/", link), f"{link} leaves the folders"
        assert (out / unquote(link.partition("#")[0])).is_file()
    assert links.tags.count("script") == 1  # a picture's name is never markup
    assert "<script>alert" not in page


def test_the_page_says_what_the_document_says(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    told = document(pictures, "-o", out)
    written = json.loads((out / "evaluation.json").read_text())
    by_class = [one["sections"][0]["ways"][0]["by_class"] for one in (written, told)]
    assert by_class[0] == by_class[1]
    assert "rider</b> (2 boxes)" in (out / "index.html").read_text()


@pytest.mark.parametrize("wrong", ["{", "[]", '{"acts": [{"kind": "no_helmet"}]}'])
def test_a_wrong_truth_file_is_set_aside_and_the_rest_goes_on(recordings: Path, wrong: str) -> None:
    (recordings / "gate" / "other.truth.json").write_text(wrong)
    write_video(recordings / "gate" / "other.mp4", frames=20)
    code, output = run(recordings)
    assert code == 3
    assert "set aside: street/gate/other" in output


def test_a_recording_that_breaks_off_is_measured_and_named(recordings: Path) -> None:
    path = recordings / "gate" / "gate_2026-09-14_08-20-00.mp4"
    write_video(path, frames=60, container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    code, output = run(recordings)
    assert (code, "read as far as it goes" in output) == (3, True), output


def test_a_name_that_is_no_utf_8_is_measured_and_shown(pictures: Path, tmp_path: Path) -> None:
    for part, suffix in (("images", "png"), ("labels", "txt")):
        (pictures / part / f"b.{suffix}").rename(pictures / part / f"\udcff\udcfe.{suffix}")
    code, output = run(pictures, "-o", tmp_path / "report")
    assert code == 0, output
    assert "%FF%FE.png" in (tmp_path / "report" / "index.html").read_text()


def test_acts_that_cannot_be_found_are_named(recordings: Path) -> None:
    act = {"kind": "no_helmet", "from_s": 500, "to_s": 501}
    truth = {"acts": [act, {**act, "kind": "no_hemlet"}, {**act, "kind": "sidewalk"}]}
    (recordings / "gate" / "gate_2026-09-14_08-20-00.truth.json").write_text(json.dumps(truth))
    (section,) = document(recordings)["sections"]
    assert section["notes"][:3] == [
        "not scored, since no rule of the catalogue is of this kind: no_hemlet",
        "not scored, since the camera has no such zone or the rule is off: sidewalk",
        "the truth tells acts after the end of the recording, which count as missed: gate/gate_2026-09-14_08-20-00",
    ]


def test_recordings_in_a_linked_folder_are_measured(recordings: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "정문").symlink_to(recordings / "gate")
    assert document(linked)["sections"][0]["recordings"] == 1


def test_a_truth_file_without_its_recording_is_set_aside(recordings: Path) -> None:
    (recordings / "gate" / "other.truth.json").write_text('{"acts": []}')
    code, output = run(recordings)
    assert code == 3
    assert "its recording is not there" in output


def test_a_folder_that_cannot_be_measured_is_set_aside_where_another_can(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, output = run(tmp_path / "empty", pictures)
    assert code == 3
    assert "neither labelled pictures nor recordings" in output
    assert "2 labelled pictures" in output


def test_a_set_whose_names_cannot_be_read_is_set_aside_where_another_can(pictures: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "data.yaml").write_text("names: [a\n")
    code, output = run(pictures, broken)
    assert (code, "2 labelled pictures" in output, "not valid YAML" in output) == (3, True, True), output


def test_pictures_beside_recordings_that_have_no_labels_are_no_set(recordings: Path) -> None:
    cv2.imwrite(str(recordings / "gate" / "thumbnail.png"), np.zeros((96, 128, 3), np.uint8))
    assert [section["what"] for section in document(recordings)["sections"]] == ["recordings"]


def test_a_picture_whose_labels_are_wrong_is_set_aside(pictures: Path) -> None:
    (pictures / "labels" / "b.txt").write_text("9 0.5 0.5 0.1 0.1\n")
    code, output = run(pictures)
    assert code == 3
    assert "images/b.png: labels, line 1: class 9 where there are 4" in output


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["nothing-here"], 2, "no such file or folder"),
        (["empty"], 5, "neither labelled pictures nor recordings"),
        (["unlabelled"], 5, "1 pictures, and none has labels. Those of a.png were looked for at a.txt"),
        (["unnamed"], 4, "no class names"),
        (["real/set", "--split", "val"], 5, "no split 'val'"),
        (["real/set", "--roles", "rider"], 2, "NAME=ROLE"),
        (["real/set", "--roles", "rider=tram"], 2, "NAME=ROLE"),
        (["real/set", "--model", "no-such-model"], 6, "no such model"),
    ],
)
def test_a_user_s_mistake_is_told_without_a_traceback(
    pictures: Path, tmp_path: Path, words: list[str], code: int, reason: str
) -> None:
    for name in ("empty", "unlabelled", "unnamed"):
        (tmp_path / name).mkdir()
    for name in ("unlabelled/a.png", "unnamed/a.png", "unnamed/a.txt"):
        (tmp_path / name).touch()
    (tmp_path / "unnamed" / "data.yaml").write_text("nc: 2\n")
    done = subprocess.run(
        [sys.executable, "-m", "quitboard.cli", "models", "evaluate", *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_class_means_can_be_said_on_the_command_line(pictures: Path) -> None:
    told = document(pictures, "--roles", "rider=person")
    assert told["sections"][0]["unknown_classes"] == {}
    assert told["sections"][0]["ways"][0]["by_class"]["person"]["recall"]["n"] == 2


def test_precision_and_recall_can_be_asked_for_at_any_confidence(pictures: Path) -> None:
    (folder,) = document(pictures, "--conf", "0.5")["sections"]
    assert [one["threshold"] for way in folder["ways"] for one in way["by_class"].values()] == [0.5] * 3
