"""`quitboard models`: the commands around the detector's weights. Imports happen when a command is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
