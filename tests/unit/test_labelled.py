"""Folders of labelled pictures as people have them: any layout, any names, and lines that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from quitboard.detect.card import role_named
from quitboard.errors import NothingUsable, SettingsError
from quitboard.models.labelled import holds_pictures, read_set
from quitboard.records import ROLES, Role

HELMET = "2 0.5 0.5 0.1 0.2\n"


def put(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("picture", "labels", "split"),
    [
        ("images/test/a.jpg", "labels/test/a.txt", "test"),
        ("images/a.jpg", "labels/a.txt", ""),
        ("test/images/a.jpg", "test/labels/a.txt", "test"),
        ("valid/images/a.JPG", "valid/labels/a.txt", "val"),
        ("a.png", "a.txt", ""),
        ("images/gate/b/a.jpg", "labels/gate/b/a.txt", ""),
    ],
)
def test_every_layout_is_read(tmp_path: Path, picture: str, labels: str, split: str) -> None:
    put(tmp_path, picture)
    put(tmp_path, labels, HELMET)
    read = read_set(tmp_path)
    (one,) = read.pictures
    assert holds_pictures(tmp_path)
    assert (one.name, one.roles, read.split) == (picture, (Role.HELMET,), split)
    assert one.xyxy[0].tolist() == pytest.approx([0.45, 0.4, 0.55, 0.6])


def test_the_test_split_is_taken_where_there_are_several_and_none_is_named(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        put(tmp_path, f"images/{split}/{split}.jpg")
        put(tmp_path, f"labels/{split}/{split}.txt", HELMET)
    assert [one.path.stem for one in read_set(tmp_path).pictures] == ["test"]
    assert [one.path.stem for one in read_set(tmp_path, split="val").pictures] == ["val"]
    with pytest.raises(NothingUsable, match="test, train, val"):
        read_set(tmp_path, split="summer")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((role.value, role) for role in ROLES),
        ("With Helmet", Role.HELMET),
        ("with_helmet", Role.HELMET),
        ("no-helmet", Role.HEAD),
        ("Without Helmet", Role.HEAD),
        ("NoHelmet", Role.HEAD),
        ("e-scooter", Role.SCOOTER),
        ("Kickboard", Role.SCOOTER),
        ("전동 킥보드", Role.SCOOTER),
        ("persons", Role.PERSON),
        ("motorbike", Role.MOTORCYCLE),
        ("rider", None),
        ("skateboard", None),
        ("", None),
    ],
)
def test_class_names_mean_what_people_mean_by_them(name: str, role: Role | None) -> None:
    assert role_named(name) is role


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data.yaml", "names: [rider, No Helmet, E-Scooter]\n"),
        ("data.yaml", "names:\n  0: rider\n  1: No Helmet\n  2: E-Scooter\n"),
        ("classes.txt", "rider\nNo Helmet\nE-Scooter\n"),
        ("labels/classes.txt", "rider\nNo Helmet\nE-Scooter\n"),
    ],
)
def test_names_are_read_and_a_class_without_a_role_is_named_and_counted(tmp_path: Path, file: str, text: str) -> None:
    put(tmp_path, file, text)
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.4 0.4\n0 0.2 0.2 0.1 0.1\n")
    read = read_set(tmp_path)
    assert read.pictures[0].roles == (Role.HEAD, Role.SCOOTER)
    assert read.unknown == {"rider": 2}
    assert read.pictures[0].labelled == {Role.HEAD, Role.SCOOTER}


def test_what_a_class_means_can_be_said(tmp_path: Path) -> None:
    put(tmp_path, "data.yaml", "names: [rider, head]\n")
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.1 0.1\n")
    assert read_set(tmp_path, classes={"rider": Role.PERSON, "head": None}).pictures[0].roles == (Role.PERSON,)


def test_a_manifest_says_what_each_picture_labels(tmp_path: Path) -> None:
    put(tmp_path, "manifest.csv", 'path,labelled_classes\nimages/a.jpg,"helmet,head"\n')
    for name in "ab":
        put(tmp_path, f"images/{name}.jpg")
        put(tmp_path, f"labels/{name}.txt", HELMET)
    read = read_set(tmp_path)
    assert [one.labelled for one in read.pictures] == [{Role.HELMET, Role.HEAD}, frozenset()]
    assert any("not in manifest.csv" in note for note in read.notes)


def test_an_outline_is_read_as_the_box_around_it(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", "2 0.1 0.2 0.5 0.2 0.5 0.8 0.3 0.9\n")
    assert read_set(tmp_path).pictures[0].xyxy[0].tolist() == pytest.approx([0.1, 0.2, 0.5, 0.9])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7 0.5 0.5 0.1 0.1", "class 7"),
        ("-1 0.5 0.5 0.1 0.1", "class -1"),
        ("1.5 0.5 0.5 0.1 0.1", "class 1.5"),
        ("nan 0.5 0.5 0.1 0.1", "class nan"),
        ("2 50 50 10 10", "outside its picture"),
        ("2 0.5 0.5 nan 0.1", "outside its picture"),
        ("2 0.5 0.5 0 0.1", "outside its picture"),
        ("2 0.5 0.5", "3 numbers"),
        ("2 0.5 0.5 0.1 0.1 0.9", "6 numbers"),
        ("helmet 0.5 0.5 0.1 0.1", "not numbers"),
    ],
)
def test_a_wrong_line_sets_its_picture_aside_and_the_rest_goes_on(tmp_path: Path, line: str, reason: str) -> None:
    for name, text in (("a", HELMET), ("b", HELMET + line + "\n")):
        put(tmp_path, f"images/{name}.jpg")
        put(tmp_path, f"labels/{name}.txt", text)
    read = read_set(tmp_path)
    assert [one.name for one in read.pictures] == ["images/a.jpg"]
    (aside,) = read.set_aside
    assert (aside.name, "line 2" in aside.reason, reason in aside.reason) == ("images/b.jpg", True, True)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data.yaml", "names: [a\n"),
        ("data.yaml", "- a\n- b\n"),
        ("data.yaml", "names: {1: a, 2: b}\n"),
        ("data.yaml", "!!python/object/apply:os.system [true]\n"),
        ("manifest.csv", "picture,labels\na,b\n"),
    ],
)
def test_a_file_of_names_that_cannot_be_read_is_named(tmp_path: Path, file: str, text: str) -> None:
    put(tmp_path, file, text)
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", HELMET)
    with pytest.raises(SettingsError, match=file):
        read_set(tmp_path)


def test_a_picture_without_a_file_of_labels_shows_nothing_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", HELMET)
    put(tmp_path, "images/b.jpg")
    read = read_set(tmp_path)
    assert [len(one.roles) for one in read.pictures] == [1, 0]
    assert any("1 pictures have no file of labels" in note for note in read.notes)


def test_a_folder_without_pictures_or_labels_or_roles_is_refused(tmp_path: Path) -> None:
    assert not holds_pictures(tmp_path)
    with pytest.raises(NothingUsable, match="no usable picture"):
        read_set(tmp_path)
    put(tmp_path, "images/a.jpg")
    with pytest.raises(NothingUsable, match="no picture has labels"):
        read_set(tmp_path)
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    put(tmp_path, "classes.txt", "tram\n")
    with pytest.raises(NothingUsable, match="--roles NAME=ROLE"):
        read_set(tmp_path)
