"""Models side by side: a better one is seen to be, an equal one is not, and 8 bits find what 32 do."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from quitboard import files
from quitboard.cli import app
from quitboard.detect import model
from quitboard.errors import ModelUnusable
from quitboard.models import compare, quantise
from quitboard.models.labelled import read_set
from quitboard.records import Picture, Role
from tests.drawn_set import draw

SHIPPED = files.resource("data/models/default")


def frames(count: int = 16) -> list[Picture]:
    """Return frames of a built-in recording, where there is something to see."""
    reader = cv2.VideoCapture(str(min(files.resource("data/demo").glob("gate-3/*.mp4"))))
    taken = []
    for number in range(count):
        reader.set(cv2.CAP_PROP_POS_MSEC, 1000.0 * number)
        taken.append(cv2.resize(reader.read()[1], (320, 180)))
    return taken


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "model_int8.onnx"
    path.write_bytes(quantise.int8_bytes(SHIPPED / "model.onnx", frames(), imgsz=320))
    return path


def test_8_bit_weights_see_what_floats_see(int8: Path) -> None:
    pictures = frames()
    floats = list(model.load(SHIPPED / "model.onnx", runtime="openvino").detect(pictures, imgsz=320))
    for runtime in ("openvino", "onnx"):
        found = list(model.load(int8, runtime=runtime).detect(pictures, min_confidence=0.25, imgsz=320))
        sure = [one.confidence > 0.5 for one in floats]
        for one, mine, of in zip(floats, found, sure, strict=True):
            for box, role in zip(one.xyxy[of], one.class_id[of], strict=True):
                near = np.abs(mine.xyxy[mine.class_id == role] - box).max(axis=1, initial=0)
                assert (near < 8).any(), f"{Role} {role} at {box} is gone in {runtime}"
    assert any(of.any() for of in sure)


def test_8_bit_weights_give_the_same_bytes_however_many_are_under_way(int8: Path) -> None:
    pictures = frames()
    results = []
    for threads in (1, 2):
        detector = model.load(int8, runtime="openvino", threads=threads)
        results += [list(detector.detect(pictures, min_confidence=0.05, imgsz=320)) for _ in range(2)]
    one_by_one = model.load(int8, runtime="openvino", threads=1)
    results.append([next(one_by_one.detect([p], min_confidence=0.05, imgsz=320)) for p in pictures])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.xyxy.tobytes() == b.xyxy.tobytes()
            assert a.confidence.tobytes() == b.confidence.tobytes()


def test_8_bit_weights_are_the_same_bytes_again(int8: Path) -> None:
    assert quantise.int8_bytes(SHIPPED / "model.onnx", frames(), imgsz=320) == int8.read_bytes()


def test_too_few_pictures_calibrate_nothing() -> None:
    with pytest.raises(ModelUnusable, match="3 pictures are too few"):
        quantise.int8_bytes(SHIPPED / "model.onnx", frames(3), imgsz=320)


def test_the_end_of_a_graph_stays_in_float_and_its_branches_do_not() -> None:
    import re

    nodes = ["/model.22/Conv", "/model.23/cv3.0/cv3.0.0/conv/Conv", "/model.23/Concat_25", "/model.23/dfl/Softmax"]
    (pattern,) = quantise.decoding(nodes)
    assert [node for node in nodes if re.fullmatch(pattern, node)] == nodes[2:]


def test_a_model_against_itself_differs_by_nothing_and_a_coarse_one_takes_less_time(tmp_path: Path) -> None:
    draw(tmp_path, split="val", count=6, side=192)
    pictures = read_set(tmp_path).pictures
    one, two = (model.load(SHIPPED / "model.onnx", threads=1) for _ in range(2))
    entrants = [
        compare.Entrant(label="a", detector=one, imgsz=192),
        compare.Entrant(label="b", detector=one, imgsz=96),
        compare.Entrant(label="a again", detector=two, imgsz=192),
    ]
    first, coarse, same = compare.compare(entrants, pictures)
    assert same.ap50 == first.ap50
    assert {(figure.low, figure.high) for figure in same.less.values()} == {(0.0, 0.0)}
    assert coarse.ratio.high < 1
    assert first.ratio.n == 6
    assert set(first.ap50) == {Role.PERSON, Role.SCOOTER, Role.HEAD}


def test_the_command_gives_a_table_and_json(tmp_path: Path) -> None:
    draw(tmp_path, split="val", count=3)
    command = ["models", "compare", "default", "--data", str(tmp_path), "--imgsz", "64,96", "-q"]
    told = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [(row["model"], row["imgsz"]) for row in told["rows"]] == [("default", 64), ("default", 96)]
    assert "| model | px | CPU ms |" in CliRunner().invoke(app, command).stdout
    wrong = CliRunner().invoke(app, [*command[:-2], "big", "-q"])
    assert "not a list of sizes" in str(wrong.exception)
