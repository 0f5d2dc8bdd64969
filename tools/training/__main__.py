"""Make, measure and ship the default model; README.md beside this file shows the order."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from quitboard.detect import model
from quitboard.models import export, train
from quitboard.records import ROLES, Picture, Role
from tools.training import figures, paste, prepare

SEED = 20261121
BOXES = Path(__file__).with_name("boxes_unlabelled.csv")


def prepare_set(data: Path, folder: Path, rendered: list[Path], pasted: int, rendered_share: float) -> None:
    """Write a YOLO-format set into `folder`: train and val, real, pasted and rendered."""
    rng = np.random.default_rng(SEED)
    coco = model.load(data / "weights" / "yolo11n_coco.pt", imgsz=640)
    heads = model.load(data / "weights" / "reference_v0.pt", imgsz=416)
    cuts: list[paste.Cutout] = []
    scenes: list[prepare.Sample] = []
    for split in ("train", "val"):
        for given, labelled in prepare.quitset(data / "quitset", split):
            whole = prepare.fill(given, labelled, coco, heads)
            if given.name.startswith("starryoon"):
                whole = prepare.whole_heads(whole)
            if split == "val":
                prepare.write(whole, folder, split)
                continue
            _write_copies(whole, folder, rng)
            cuts += paste.cutouts(whole)
            if given.name.startswith("vinh") and len(scenes) < 160:
                scenes.append(whole)
    for given in prepare.hand_boxed(data / "unlabelled", BOXES):
        whole = prepare.fill(given, frozenset(set(ROLES) - {Role.CAR}), coco, heads)
        whole = prepare.replace(whole, picture=given.picture)
        _write_copies(whole, folder, rng)
        cuts += paste.cutouts(whole)
    for name, picture in _frames(data / "clips"):
        scenes.append(prepare.fill(prepare.sample(name, picture, []), frozenset(), coco, heads))
    for scene in scenes[::3]:  # as they are: a street without a scooter is worth as much
        prepare.write(scene, folder, "train", name=f"scene_{scene.name}")
    for number in range(pasted):
        scene = scenes[int(rng.integers(len(scenes)))]
        riders = int(rng.integers(1, 4))
        prepare.write(paste.pasted(scene, cuts, rng, name=f"pasted_{number:04d}", riders=riders), folder, "train")
    for source in rendered:
        _take_rendered(source, folder, rng, rendered_share)
    names = "\n".join(f"  {number}: {role}" for number, role in enumerate(ROLES))
    (folder / "data.yaml").write_text(
        f"path: {folder.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}\n"
    )
    for split in ("train", "val"):
        labels = [line.split()[0] for path in (folder / "labels" / split).glob("*.txt") for line in path.open()]
        counts = Counter(ROLES[int(number)].value for number in labels)
        print(split, len(list((folder / "images" / split).iterdir())), "pictures", dict(counts))
    print(len(cuts), "riders cut,", len(scenes), "scenes")


def _write_copies(whole: prepare.Sample, folder: Path, rng: np.random.Generator) -> None:
    copies = prepare.SCOOTER_COPIES if Role.SCOOTER in whole.roles else 1
    prepare.write(whole, folder, "train")
    for number in range(1, copies):
        copy = prepare.smaller(whole, rng.uniform(0.25, 1)) if rng.random() < 0.6 else whole
        copy = prepare.replace(copy, picture=prepare.degrade(copy.picture, rng))
        prepare.write(copy, folder, "train", name=f"{whole.name}_{number}")


def _frames(clips: Path) -> Iterator[tuple[str, Picture]]:
    """Yield a few frames of every real clip, at most 640 px wide."""
    for path in sorted([*clips.glob("*/*.mp4"), *clips.glob("*/*.avi")]):
        reader = cv2.VideoCapture(str(path))
        count = int(reader.get(cv2.CAP_PROP_FRAME_COUNT))
        for number in np.linspace(0, max(count - 2, 0), 6).astype(int):
            reader.set(cv2.CAP_PROP_POS_FRAMES, int(number))
            ok, picture = reader.read()
            if ok:
                scale = min(1.0, 640 / picture.shape[1])
                yield f"{path.stem}_{number}", cv2.resize(picture, None, fx=scale, fy=scale)


def _take_rendered(source: Path, folder: Path, rng: np.random.Generator, share: float) -> None:
    """Copy a share of a folder of rendered pictures into train, and every twentieth into val."""
    pictures = sorted((source / "images").glob("*.jpg"))
    for number, picture in enumerate(pictures):
        split = "val" if number % 20 == 0 else "train"
        if split == "val" or rng.random() < share:
            name = f"rendered_{source.name}_{picture.stem}"
            shutil.copy(picture, folder / "images" / split / f"{name}.jpg")
            shutil.copy(source / "labels" / f"{picture.stem}.txt", folder / "labels" / split / f"{name}.txt")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.training", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    one = commands.add_parser("prepare")
    one.add_argument("data", type=Path)
    one.add_argument("set", type=Path)
    one.add_argument("--rendered", type=Path, action="append", default=[])
    one.add_argument("--rendered-share", type=float, default=1.0)
    one.add_argument("--pasted", type=int, default=400)
    two = commands.add_parser("train")
    two.add_argument("set", type=Path)
    two.add_argument("run", type=Path)
    two.add_argument("--start", type=Path, required=True)
    two.add_argument("--epochs", type=int, default=6)
    two.add_argument("--imgsz", type=int, default=416)
    two.add_argument("--freeze", type=int, default=0)
    two.add_argument("--lr", type=float, default=0.001)
    three = commands.add_parser("evaluate")
    three.add_argument("model", type=Path)
    three.add_argument("set", type=Path)
    three.add_argument("split")
    three.add_argument("--imgsz", type=int, default=640)
    three.add_argument("--confidence", type=float, default=0.25)
    four = commands.add_parser("ship")
    four.add_argument("folder", type=Path)
    four.add_argument("checkpoints", type=Path, nargs="+", help="several are averaged")
    four.add_argument("--name", required=True)
    four.add_argument("--imgsz", type=int, default=640)
    four.add_argument("--real", type=Path, required=True, help="thresholds from its val, figures from its test")
    four.add_argument("--real-imgsz", type=int, default=416)
    four.add_argument("--rendered", type=Path, required=True, help="likewise")
    told = parser.parse_args()
    match told.command:
        case "prepare":
            prepare_set(told.data, told.set, told.rendered, told.pasted, told.rendered_share)
        case "train":
            best = train.train(
                told.set / "data.yaml",
                told.run,
                start=told.start,
                epochs=told.epochs,
                imgsz=told.imgsz,
                freeze=told.freeze,
                lr=told.lr,
            )
            print(best)
        case "evaluate":
            detector = model.load(told.model, imgsz=told.imgsz)
            print(figures.table(figures.measure(detector, told.set, told.split, told.confidence)))
        case "ship":
            export.ship(told.checkpoints, told.folder)
            figures.write_card(
                told.folder,
                name=told.name,
                imgsz=told.imgsz,
                real=told.real,
                real_imgsz=told.real_imgsz,
                rendered=told.rendered,
            )


if __name__ == "__main__":
    main()
