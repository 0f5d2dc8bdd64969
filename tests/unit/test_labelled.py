"""Folders of labelled pictures as people have them: any layout, any names, and lines that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from quitboard.detect.card import role_named
from quitboard.errors import NothingUsable, SettingsError
from quitboard.models.labelled import counted, read_set
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
        ("images/a.jpg", "images/a.txt", ""),
        ("Images/a.jpg", "Labels/a.txt", ""),
        ("images/a.webp", "labels/a.txt", ""),
        ("images/gate/b/a.jpg", "labels/gate/b/a.txt", ""),
    ],
)
def test_every_layout_is_read(tmp_path: Path, picture: str, labels: str, split: str) -> None:
    put(tmp_path, picture)
    put(tmp_path, labels, HELMET)
    read = read_set(tmp_path)
    (one,) = read.pictures
    assert counted(tmp_path) == (1, 1)
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
        ("data.yaml", "names:\n  '0': rider\n  '1': No Helmet\n  '2': E-Scooter\n"),
        ("riders.yaml", "names: [rider, No Helmet, E-Scooter]\n"),
        ("obj.names", "rider\nNo Helmet\nE-Scooter\n"),
        ("images/_darknet.labels", "rider\nNo Helmet\nE-Scooter\n"),
        ("classes.txt", "\ufeffrider\r\nNo Helmet\r\nE-Scooter\r\n"),
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


NAMED = "names: [With Helmet, Without Helmet]\n"


@pytest.mark.parametrize("given", ["", "test", "test/images", "data.yaml"])
def test_a_folder_inside_a_set_is_named_by_the_set_s_own_names(tmp_path: Path, given: str) -> None:
    put(tmp_path, "set/data.yaml", NAMED)
    put(tmp_path, "set/test/images/a.jpg")
    put(tmp_path, "set/test/labels/a.txt", "1 0.5 0.5 0.1 0.2\n")
    assert read_set(tmp_path / "set" / given).pictures[0].roles == (Role.HEAD,)


def test_a_set_in_a_folder_of_its_own_is_named_by_its_own_names(tmp_path: Path) -> None:
    put(tmp_path, "사진 모음/data.yaml", NAMED)
    put(tmp_path, "사진 모음/images/헬멧 1.JPG")
    put(tmp_path, "사진 모음/labels/헬멧 1.txt", "1 0.5 0.5 0.1 0.2\n")
    (one,) = read_set(tmp_path).pictures
    assert (one.name, one.roles) == ("사진 모음/images/헬멧 1.JPG", (Role.HEAD,))


def test_sets_whose_classes_differ_are_not_scored_as_one(tmp_path: Path) -> None:
    for name, text in (("one", NAMED), ("other", "names: [head, helmet]\n")):
        put(tmp_path, f"{name}/data.yaml", text)
        put(tmp_path, f"{name}/images/a.jpg")
        put(tmp_path, f"{name}/labels/a.txt", "1 0.5 0.5 0.1 0.2\n")
    with pytest.raises(SettingsError, match=r"one/data.yaml, other/data.yaml\. Give each set for itself"):
        read_set(tmp_path)


def test_it_is_said_when_numbers_alone_tell_the_classes(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", HELMET)
    assert any("0 person, 1 scooter, 2 helmet" in note for note in read_set(tmp_path).notes)
    put(tmp_path, "data.yaml", "names: [person, scooter, helmet]\n")
    assert read_set(tmp_path).notes == ()


@pytest.mark.parametrize(
    "told",
    [
        "val: images/summer\ntrain: [images/winter]\n",
        "path: .\nval: lists/val.txt\n",
        "val: ../images/summer\ntrain: ../images/winter\n",  # Roboflow names its folders from one further down
    ],
)
@pytest.mark.parametrize("given", ["", "data.yaml"])
def test_splits_are_those_that_data_yaml_names(tmp_path: Path, told: str, given: str) -> None:
    folder = tmp_path / "a" / "set"
    put(folder, "data.yaml", told + NAMED)
    put(folder, "lists/val.txt", "../images/summer/s.jpg\n../images/summer/gone.jpg\n")
    for season in ("summer", "winter"):
        put(folder, f"images/{season}/{season[0]}.jpg")
        put(folder, f"labels/{season}/{season[0]}.txt", "1 0.5 0.5 0.1 0.2\n")
    read = read_set(folder / given, split="val")
    assert [one.name for one in read.pictures] == ["images/summer/s.jpg"]
    assert any("1 pictures that data.yaml's lists name are not there" in note for note in read.notes) == (
        "lists" in told
    )


def test_a_data_yaml_that_names_folders_of_another_machine_leaves_the_folders_here(tmp_path: Path) -> None:
    put(tmp_path, "data.yaml", "path: /mnt/elsewhere\ntrain: images/train\nval: images/val\n" + NAMED)
    put(tmp_path, "images/val/a.jpg")
    put(tmp_path, "labels/val/a.txt", "1 0.5 0.5 0.1 0.2\n")
    assert read_set(tmp_path).split == "val"


def test_what_a_set_has_beside_the_split_that_is_measured_is_said(tmp_path: Path) -> None:
    for name in ("images/train/a.jpg", "images/test/b.jpg", "images/c.jpg"):
        put(tmp_path, name)
        put(tmp_path, name.replace("images", "labels").replace("jpg", "txt"), HELMET)
    assert any("of no split 1, train 1" in note for note in read_set(tmp_path).notes)


def test_links_to_folders_are_followed_and_no_picture_is_counted_twice(tmp_path: Path) -> None:
    put(tmp_path, "store/images/a.jpg")
    put(tmp_path, "store/labels/a.txt", HELMET)
    linked = tmp_path / "set"
    linked.mkdir()
    for part in ("images", "labels"):
        (linked / part).symlink_to(tmp_path / "store" / part)
    (linked / "again").symlink_to(tmp_path / "set")
    assert [one.name for one in read_set(linked).pictures] == ["images/a.jpg"]


def test_a_set_below_a_folder_that_is_called_images_has_its_labels_beside_its_pictures(tmp_path: Path) -> None:
    put(tmp_path, "images/set/a.jpg")
    put(tmp_path, "images/set/a.txt", HELMET)
    assert len(read_set(tmp_path / "images" / "set").pictures[0].roles) == 1


def test_a_box_that_is_written_twice_counts_once(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", HELMET * 2 + "2 0.2 0.2 0.1 0.1\n")
    read = read_set(tmp_path)
    assert read.pictures[0].roles == (Role.HELMET, Role.HELMET)
    assert any("1 lines of labels say what another says" in note for note in read.notes)


def test_a_manifest_above_the_folder_that_is_given_still_says_what_is_labelled(tmp_path: Path) -> None:
    put(tmp_path, "manifest.csv", "path,labelled_classes\nimages/val/a.jpg,helmet\n")
    put(tmp_path, "images/val/a.jpg")
    put(tmp_path, "labels/val/a.txt", HELMET)
    assert read_set(tmp_path / "images" / "val").pictures[0].labelled == {Role.HELMET}


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


def test_a_class_that_is_named_and_never_drawn_is_not_scored(tmp_path: Path) -> None:
    put(tmp_path, "data.yaml", "names: [helmet, bicycle]\n")
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    read = read_set(tmp_path)
    assert read.pictures[0].labelled == {Role.HELMET, Role.BICYCLE}
    assert read.as_shown().pictures[0].labelled == {Role.HELMET}
    assert read.as_shown().notes == ("classes without a box, not scored: bicycle",)
    put(tmp_path, "manifest.csv", 'path,labelled_classes\nimages/a.jpg,"helmet,bicycle"\n')
    assert read_set(tmp_path).as_shown().pictures[0].labelled == {Role.HELMET, Role.BICYCLE}


def test_a_picture_of_several_splits_is_not_said_to_be_left_out(tmp_path: Path) -> None:
    put(tmp_path, "data.yaml", "train: images\nval: images\nnames: [helmet]\n")
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    assert (read_set(tmp_path).split, read_set(tmp_path).notes) == ("val", ())


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
    assert counted(tmp_path) == (0, 0)
    with pytest.raises(NothingUsable, match="no usable picture"):
        read_set(tmp_path)
    put(tmp_path, "images/a.jpg")
    with pytest.raises(NothingUsable, match=r"none has labels\. Those of images/a.jpg were looked for at labels/a.txt"):
        read_set(tmp_path)
    put(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    put(tmp_path, "classes.txt", "tram\n")
    with pytest.raises(NothingUsable, match="--roles NAME=ROLE"):
        read_set(tmp_path)
