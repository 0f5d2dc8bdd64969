"""From a recipe to a model folder, in steps that each know whether they are done.

    prepare   sources -> RUN/set/            shards, see `prepare`
    unpack    RUN/set/ -> RUN/pictures/      for ultralytics
    rounds    -> RUN/rounds/<n>-<key>/       checkpoints, one a pass
    finish    -> RUN/finished/<key>/         averaged, exported, quantised
    measure   -> RUN/measured/<key>/         thresholds on the choose sets, then the test sets, once; the card
    ship      -> RUN/model/                  weights with their card

What a step is made of gives its key; a result under that key is not made again. So the same command can be killed at
any instant, started again, and goes on; and a change of the recipe repeats only what depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from quitboard import files
from quitboard.detect import model
from quitboard.errors import SettingsError
from quitboard.models import cards, company_step, export, prepare, quantise, shards, wear_step
from quitboard.models import train as training
from quitboard.models.labelled import opened, read_set
from quitboard.models.pictures import Scored
from quitboard.models.prepare import Step, key_of
from quitboard.models.recipe import Recipe, Round
from quitboard.models.train import Device
from quitboard.records import Role

Until: TypeAlias = Literal["prepare", "rounds", "all"]
Say = Callable[[str], None]
INT8 = "model_int8.onnx"
FINISH_VERSION = 1
MEASURE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run has come to."""

    set: Path
    checkpoints: tuple[Path, ...] = ()
    model: Path | None = None


def run(
    recipe: Recipe,
    folder: Path,
    *,
    device: Device = "auto",
    until: Until = "all",
    packed: Path | None = None,
    checkpoints: Sequence[Path] = (),
    say: Say = lambda _line: None,
) -> Trained:
    """Do what is left to do of a recipe.

    Args:
        folder: the run; everything that is made lies in it.
        until: the last step to do.
        packed: a set that was prepared elsewhere; then no source but `start` is needed.
        checkpoints: take these, and train nothing.

    Raises:
        Locked: another process is at work in the folder.
        SettingsError: the recipe or a source is wrong.
        NothingUsable: a step finds no picture.
        ModelUnusable: a model cannot be opened, or what is needed to train is not installed.
        DamageFound: a shard of `packed` is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder / ".lock", what="run"):
        return _Run(recipe, folder, device, say).do(until, packed, tuple(checkpoints))


class _Run:
    def __init__(self, recipe: Recipe, folder: Path, device: Device, say: Say) -> None:
        self._recipe, self._folder, self._device, self._say = recipe, folder, device, say

    def do(self, until: Until, packed: Path | None, given: tuple[Path, ...]) -> Trained:
        measured = self._recipe
        if given:
            needed = {one.name for one in measured.pictures if one.into in ("choose", "test")}
            measured = measured.only({*needed, *measured.finish.calibrate_with})
        self._recipe.check_places(
            steps=[] if packed else [one.name for one in measured.pictures],
            start_too=until != "prepare" and not given,
            judges_too=until == "all",
        )
        steps = prepare.load(packed) if packed else self._set(measured)
        place = packed or self._folder / "set"
        if until == "prepare":
            return Trained(set=place)
        checkpoints = given or self._rounds(steps)
        if until == "rounds":
            return Trained(set=place, checkpoints=tuple(checkpoints))
        taken = list(checkpoints) if given else list(checkpoints)[-self._recipe.finish.average :]
        finished = self._finish(taken, steps)
        judges = self._judges(finished)
        card = self._card(finished, judges, steps, self._words(steps, len(taken), given=bool(given)))
        return Trained(set=place, checkpoints=tuple(checkpoints), model=self._ship(finished, judges, card))

    def _judges(self, finished: Path) -> list[Path]:
        """Return the folders of the small networks that the recipe asks for."""
        recipe, judges = self._recipe, []
        if recipe.headwear:
            judges.append(wear_step.make(recipe, recipe.headwear, finished, self._folder, say=self._say))
        if recipe.company:
            judges.append(company_step.make(recipe, recipe.company, finished, self._folder, say=self._say))
        return judges

    # --- the set

    def _set(self, recipe: Recipe) -> list[Step]:
        steps = prepare.prepare(recipe, self._folder / "set", told=self._told)
        for one in steps:
            counts = ", ".join(f"{role} {count}" for role, count in one.boxes.items())
            self._say(f"{one.into}: {one.name}: {one.pictures} pictures ({counts or 'no boxes'})")
        return steps

    def _told(self, name: str, done: int, total: int) -> None:
        if done < total:
            self._say(f"preparing {name}: {done} of {total} shards")

    def _unpacked(self, step: Step) -> list[Path]:
        return shards.unpack(step.shards, self._set_folder(step))

    def _set_folder(self, step: Step) -> Path:
        return self._folder / "pictures" / f"{step.name}-{key_of(sums=step.sums)[:12]}"

    # --- training

    def _rounds(self, steps: Sequence[Step]) -> list[Path]:
        start = self._recipe.place(self._recipe.start)
        if not self._recipe.rounds:
            return [start]
        kept: list[Path] = []
        key = files.sha256_file(start)
        for number, one in enumerate(self._recipe.rounds, start=1):
            shown = [step for step in steps if step.into == "train" and (not one.only or step.name in one.only)]
            judged = [step for step in steps if step.into == "val"] or shown
            what = [[step.name, step.sums, step.weight] for step in shown]
            key = key_of(start=key, round=asdict(one), train=what, val=[s.sums for s in judged], seed=self._recipe.seed)
            folder = self._folder / "rounds" / f"{number}-{key[:12]}"
            kept = self._round(one, folder, shown, judged, kept[-1] if kept else start)
        return kept

    def _round(
        self, one: Round, folder: Path, shown: Sequence[Step], judged: Sequence[Step], start: Path
    ) -> list[Path]:
        finished = sorted((folder / "checkpoints").glob("*.pt"))
        if len(finished) >= one.epochs:
            return finished
        listed = [path for step in shown for path in self._unpacked(step) * step.weight]
        if not listed:
            raise SettingsError("no step trains", where=self._recipe.path.name, todo='Give one into = "train"')
        judges = [path for step in judged for path in self._unpacked(step)]
        folder.mkdir(parents=True, exist_ok=True)
        for name, paths in (("train", listed), ("val", judges)):
            files.write_text(folder / f"{name}.txt", "".join(f"{path.resolve()}\n" for path in paths))
        files.write_text(folder / "data.yaml", shards.data_yaml(folder, "train.txt", "val.txt"))
        self._say(f"training {folder.name}: {len(listed)} pictures a pass, {one.epochs} passes at {one.imgsz} px")
        return training.train(
            folder / "data.yaml",
            folder,
            start=start,
            epochs=one.epochs,
            imgsz=one.imgsz,
            batch=one.batch,
            lr=one.lr,
            freeze=one.freeze,
            seed=self._recipe.seed,
            device=self._device,
            augment={"mosaic": one.mosaic, "close_mosaic": one.close_mosaic, "scale": one.scale},
            told=lambda epoch, figures: self._say(
                f"{folder.name}: pass {epoch} of {one.epochs}, mAP50 {figures.get('metrics/mAP50(B)', 0):.3f} on val"
            ),
        )

    # --- finishing

    def _finish(self, taken: Sequence[Path], steps: Sequence[Step]) -> Path:
        finish = self._recipe.finish
        calibrating = self._calibrating(steps) if finish.int8 else []
        key = key_of(
            version=FINISH_VERSION,
            checkpoints=[files.sha256_file(path) for path in taken],
            int8=[finish.calibrate, finish.calibrate_imgsz, [step.sums for step in calibrating]]
            if finish.int8
            else None,
        )
        folder = self._folder / "finished" / key[:12]
        if not (folder / "model.onnx").is_file():
            self._say(f"averaging {len(taken)} checkpoints and exporting")
            export.ship(taken, folder)
        if finish.int8 and not (folder / INT8).is_file():
            pictures = [path for step in calibrating for path in self._unpacked(step)]
            pictures = [
                pictures[n * len(pictures) // finish.calibrate] for n in range(min(finish.calibrate, len(pictures)))
            ]
            self._say(f"quantising with {len(pictures)} pictures of {', '.join(s.name for s in calibrating)}")
            content = quantise.int8_bytes(
                folder / "model.onnx", [opened(path) for path in pictures], imgsz=finish.calibrate_imgsz
            )
            files.write_bytes(folder / INT8, content)
        return folder

    def _calibrating(self, steps: Sequence[Step]) -> list[Step]:
        named = self._recipe.finish.calibrate_with
        return [step for step in steps if (step.name in named if named else step.into == "train" and step.weight)]

    # --- measuring

    def _card(self, finished: Path, judges: Sequence[Path], steps: Sequence[Step], made: Sequence[str]) -> Path:
        """Return the folder that holds the finished model's card, measured once."""
        recipe, finish = self._recipe, self._recipe.finish
        weights = {path.name: files.sha256_file(path) for path in sorted(finished.glob("model*"))}
        runs = INT8 if finish.int8 else "model.onnx"
        tables = [recipe.place(recipe.data).read_text("utf-8")] if recipe.data else []
        for number, judge in enumerate(judges):
            network, table = wear_step.parts(judge)
            weights[network.name] = files.sha256_file(network)
            tables.insert(number, table)
        data = "\n".join(tables)
        sets = {into: [step for step in steps if step.into == into] for into in ("choose", "test")}
        key = key_of(
            version=MEASURE_VERSION,
            weights=weights,
            finish=asdict(finish),
            sets={into: [[s.name, s.figures, s.imgsz, s.sums] for s in named] for into, named in sets.items()},
            words=[recipe.name, recipe.licence, data, *made],
        )
        folder = self._folder / "measured" / key[:12]
        if (folder / "CARD.md").is_file():
            return folder
        detector = model.load(finished / runs, imgsz=finish.imgsz)
        self._say(f"choosing thresholds on {', '.join(step.name for step in sets['choose']) or 'nothing'}")
        chosen = cards.thresholds([self._scored(detector, step) for step in sets["choose"]])
        measured = []
        for step in sets["test"]:
            self._say(f"measuring on {step.name}: {step.pictures} pictures")
            rows = self._scored(detector, step)
            measured.append(cards.measured(step.name, step.figures, step.imgsz or finish.imgsz, rows, chosen))
        toml = cards.card_toml(
            name=recipe.name,
            licence=recipe.licence,
            imgsz=finish.imgsz,
            nms_iou=finish.nms_iou,
            chosen=chosen,
            weights=weights,
            runs=runs if finish.int8 else "",
            sets=measured,
            data=data,
        )
        files.write_text(folder / "card.toml", toml)
        markdown = cards.card_markdown(
            name=recipe.name,
            licence=recipe.licence,
            made=made,
            sets=measured,
            chosen_on=[step.name for step in sets["choose"]],
            day=datetime.now(UTC).date().isoformat(),
            runs=runs,
            times=len(list(folder.parent.glob("*/card.toml"))),
        )
        files.write_text(folder / "CARD.md", markdown)
        return folder

    def _scored(self, detector: model.Detector, step: Step) -> dict[Role, list[Scored | None]]:
        self._unpacked(step)
        pictures = read_set(self._set_folder(step)).pictures
        return cards.score(detector, pictures, step.imgsz or self._recipe.finish.imgsz)

    # --- the model folder

    def _ship(self, finished: Path, judges: Sequence[Path], card: Path) -> Path:
        folder = self._folder / "model"
        networks = [*sorted(finished.glob("model*")), *(wear_step.parts(judge)[0] for judge in judges)]
        wanted = {path.name: path for path in (*networks, *sorted(card.iterdir()))}
        wanted["recipe.toml"] = self._recipe.path
        there = {path.name: files.sha256_file(path) for path in folder.glob("*")}
        if there == {name: files.sha256_file(path) for name, path in wanted.items()}:
            return folder
        (folder / "card.toml").unlink(missing_ok=True)  # never a card beside weights that it does not describe
        for name in there.keys() - wanted.keys():
            (folder / name).unlink(missing_ok=True)
        for name, path in sorted(wanted.items(), key=lambda pair: pair[0] == "card.toml"):
            files.write_bytes(folder / name, path.read_bytes())
        return folder

    def _words(self, steps: Sequence[Step], averaged: int, *, given: bool) -> list[str]:
        """Say how the model was made, a line a step."""
        finish = self._recipe.finish
        end = [f"the mean of {averaged} checkpoints" if averaged > 1 else "one checkpoint"]
        if finish.int8:
            end.append(f"`{INT8}`: the same in 8-bit integers, its ranges measured on {finish.calibrate} pictures")
        if given:
            return ["checkpoints that were given, not trained by this recipe", *end]
        lines = [f"begins with `{self._recipe.start}`"]
        for step in steps:
            if step.into == "train" and step.weight:
                counts = ", ".join(f"{role} {count}" for role, count in step.boxes.items())
                lines.append(f"{step.name}: {step.pictures} pictures, {step.weight} × a pass ({counts})")
        for number, one in enumerate(self._recipe.rounds, start=1):
            frozen = f", {one.freeze} layers frozen" if one.freeze else ""
            lines.append(f"round {number}: {one.epochs} passes at {one.imgsz} px, learning rate {one.lr:g}{frozen}")
        return [*lines, *end]
