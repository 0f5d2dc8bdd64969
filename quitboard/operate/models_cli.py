"""`quitboard models`: the commands around the detector's weights. Imports happen when a command is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quitboard.errors import SET_ASIDE_EXIT_CODE

app = typer.Typer(
    name="models",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, add, compare, measure and train the models that find riders.",
    epilog="Example: quitboard models list",
)

BoardOption = Annotated[Path, typer.Option("--board", help="The board's folder.", file_okay=False)]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results and errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a program.")]


@app.command("list", epilog="Example: quitboard models list --board board")
def list_(board: BoardOption = Path(), as_json: JsonOption = False) -> None:
    """List the models that ship and the board's own: classes, input size, licence, size, measured figures."""
    from quitboard.console import Talk
    from quitboard.models import registry
    from quitboard.operate.boards import open_board

    talk = Talk(as_json=as_json)
    models = registry.listed(board, open_board(board).settings.detect.model)
    talk.give([one.as_plain() for one in models])
    for one in models:
        for line in registry.words(one):
            talk.say(line)


@app.command(epilog="Example: quitboard models evaluate pictures/ recordings/ -o report/")
def evaluate(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of labelled pictures (YOLO format) or their data.yaml; of recordings with <name>.truth.json."
        ),
    ],
    model: Annotated[str, typer.Option(help="Name of a model, or a .onnx or .pt file (default: the board's).")] = "",
    imgsz: Annotated[
        int | None, typer.Option(help="Longest side of the network's input, px.", min=160, max=1920)
    ] = None,
    conf: Annotated[
        float | None,
        typer.Option(
            help="Confidence above which precision and recall of pictures are told (default: the card's, by class).",
            min=0,
            max=1,
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train | val | test, where a set has splits (default: test).")] = "",
    roles: Annotated[
        str, typer.Option(help="What class names of the labels mean: NAME=ROLE,...; NAME= for none here.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write an HTML report into, and evaluation.json.")
    ] = None,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a model: average precision on pictures; suspected violations against the truth on recordings.

    Every folder is measured for itself. Each figure comes with n and its 95 % interval.
    """
    from quitboard.console import Talk
    from quitboard.operate import evaluation, evaluation_report
    from quitboard.operate.boards import open_board
    from quitboard.operate.evaluation_words import tables

    talk = Talk(quiet=quiet, as_json=as_json)
    done = evaluation.evaluate(
        data,
        board=open_board(board),
        talk=talk,
        name=model,
        imgsz=imgsz,
        conf=conf,
        split=split,
        roles=roles,
    )
    if not as_json:
        talk.out.width = max(talk.out.width, 132)  # a figure cut off says nothing; a narrow terminal wraps the line
        for one in tables(done.as_plain()):
            talk.out.print(one, markup=False)
    if out is not None:
        page = evaluation_report.write(done, out)
        talk.say(f"{page}: it shows original pictures in place; keep it on this machine")
    talk.give(done.as_plain())
    talk.set_aside(done.set_aside)
    if done.set_aside:
        raise typer.Exit(SET_ASIDE_EXIT_CODE)


@app.command(epilog="Example: quitboard models train recipe.toml -o run/ --data pictures=/srv/pictures")
def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe (see data/models/default/recipe.toml).", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run: sets, checkpoints, model/.")] = Path(
        "run"
    ),
    device: Annotated[str, typer.Option(help="auto | cpu | cuda")] = "auto",
    data: Annotated[
        list[str] | None, typer.Option("--data", help="NAME=PATH: where a source of the recipe is. Repeatable.")
    ] = None,
    until: Annotated[str, typer.Option(help="Last step to do: prepare | rounds | all")] = "all",
    packed: Annotated[
        Path | None, typer.Option(help="Train on this packed set (a run's set/), prepared elsewhere.", file_okay=False)
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="Train nothing; finish and measure these. Repeatable.", dir_okay=False),
    ] = None,
    judges: Annotated[
        str,
        typer.Option(help="Model whose headwear.onnx and company.onnx are taken as they are. A name or a folder."),
    ] = "",
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model: prepare the set, train, average, export, quantise, choose thresholds, measure, write the card.

    Killed at any instant, the same command goes on where it was; a step whose inputs are the same is not repeated.
    """
    from quitboard.console import Talk
    from quitboard.operate import modelling

    talk = Talk(quiet=quiet, as_json=as_json)
    modelling.train(
        recipe,
        out,
        talk=talk,
        device=device,
        data=data or (),
        until=until,
        packed=packed,
        checkpoints=checkpoint or (),
        judges=judges,
        board=board,
    )


@app.command(epilog="Example: quitboard models compare default mine.onnx --data pictures/ --imgsz 416,640")
def compare(
    models: Annotated[list[str], typer.Argument(help="Names of models, folders, .onnx or .pt files.")],
    data: Annotated[Path, typer.Option("--data", help="Labelled pictures in YOLO's format.", exists=True)],
    split: Annotated[str, typer.Option(help="train | val | test, where the set has splits (default: test).")] = "",
    imgsz: Annotated[str, typer.Option(help="Longest sides of the network's input, px (default: each card's).")] = "",
    peer: Annotated[
        str, typer.Option(help="Model that times are relative to, at 640 px (default: the last row).")
    ] = "",
    most: Annotated[int, typer.Option(help="Take so many pictures, spread evenly; 0: all.", min=0)] = 0,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set models against each other: the same pictures, the same minute, accuracy against processor time.

    Differences of accuracy are from the first row, with their 95 % interval; times are of one thread, taken in turns.
    """
    from quitboard.console import Talk
    from quitboard.operate import modelling

    talk = Talk(quiet=quiet, as_json=as_json)
    modelling.compare(models, data, board=board, talk=talk, split=split, imgsz=imgsz, peer=peer, most=most)


@app.command(epilog="Example: quitboard models add best.pt --name ours --roles kickboard=scooter,rider=person")
def add(
    weights: Annotated[Path, typer.Argument(help="An .onnx or .pt file of a YOLO detection model.", dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name for --model: lower-case letters, digits and hyphens.")],
    roles: Annotated[
        str,
        typer.Option(help="CLASS=ROLE,...: what its class names mean, where that is not plain; CLASS= for nothing."),
    ] = "",
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "",
    imgsz: Annotated[int, typer.Option(help="Longest side of the network's input, px.", min=32, max=4096)] = 640,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a model of your own to a board, so that detect --model NAME runs it.

    The file is looked at as a stranger's: a .pt is refused if opening it would run anything but a YOLO network.
    """
    from quitboard.console import Talk
    from quitboard.operate import modelling

    talk = Talk(quiet=quiet, as_json=as_json)
    modelling.add(weights, name, board=board, talk=talk, roles=roles, licence=licence, imgsz=imgsz)
