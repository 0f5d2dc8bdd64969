"""Real clips, which are never part of the repository: make test-real DATA=path (of a folder with clips/ in it)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quitboard.console import Talk
from quitboard.detect.report import DetectReport
from quitboard.operate import boards, pipeline

CLIPS = Path(os.environ["QUITBOARD_DATA"]) / "clips"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real") / "board"
    boards.init(folder)
    return folder


def detect(folder: Path, out: str) -> DetectReport:
    board = boards.open_board(folder)
    return pipeline.detect(board, [CLIPS], board.folder / out, talk=Talk(quiet=True))


def test_without_scooters_there_is_no_scooter_violation(folder: Path) -> None:
    assert [(one["kind"], one["camera_id"]) for one in detect(folder, "shipped").violations] == []


def test_cyclists_and_the_motorcycle_are_found_where_the_catalogue_watches_them(folder: Path) -> None:
    catalogue = folder / "catalogue.csv"
    rows = []
    for line in catalogue.read_text("utf-8").splitlines():
        if line.startswith(("motorcycle_no_helmet", "bicycle_no_helmet")):
            line = line.replace(",no,", ",yes,", 1)
        elif line.startswith("two_up"):
            line = line.replace(",scooter,", ",scooter motorcycle,", 1)
        rows.append(line)
    catalogue.write_text("\n".join(rows) + "\n", "utf-8")
    found = {(one["kind"], one["camera_id"]) for one in detect(folder, "watched").violations}
    assert {
        ("bicycle_no_helmet", "bike-lane"),
        ("two_up", "night-road"),
        ("motorcycle_no_helmet", "night-road"),
    } <= found
    assert not {camera for _, camera in found} & {"campus", "parking-lot"}
