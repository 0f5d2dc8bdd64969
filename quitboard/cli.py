"""The commands: each parses, calls one room, prints. Rooms are imported when called, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quitboard import __version__
from quitboard.errors import SET_ASIDE_EXIT_CODE, DamageFound, QuitBoardError, TargetRefused
from quitboard.operate import models_cli

if TYPE_CHECKING:
    from quitboard.console import Talk
    from quitboard.records import SetAside

app = typer.Typer(
    name="quitboard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Recorded CCTV becomes a public, anonymised page of suspected scooter violations.\n\n"
    "First time: quitboard init board && cd board, then quitboard detect FOLDER, quitboard ingest bundles/, "
    "quitboard build-site.",
)

app.add_typer(models_cli.app)

BoardOption = Annotated[Path, typer.Option("--board", help="The board's folder.", file_okay=False)]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results and errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a program.")]


def main() -> None:
    """Run a command; every mistake of a user ends in a message and the exit code of `quitboard.errors`."""
    try:
        app()
    except QuitBoardError as error:
        sys.stderr.write(f"quitboard: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("quitboard: stopped. The same command continues where it was.\n")
        raise SystemExit(130) from None


@app.command(epilog="Example: quitboard init board")
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make the board in.")],
    quiet: QuietOption = False,
) -> None:
    """Make a board: commented quitboard.toml, cameras.toml and the catalogue of rules. Asks nothing."""
    from quitboard.operate import boards

    talk = _talk(quiet, False)
    made = boards.init(folder)
    for name in made:
        talk.say(f"made {folder / name}")
    if not made:
        talk.say(f"{folder} is a board already: nothing was changed")
    talk.note(f"Next: cd {folder} && quitboard detect FOLDER_OF_RECORDINGS")


@app.command(epilog="Example: quitboard demo demo-board")
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to make the demonstration board in.")],
    quiet: QuietOption = False,
) -> None:
    """Make a board from the built-in recordings, run it from end to end, and say where to look."""
    from quitboard.operate import pipeline

    talk = _talk(quiet, False)
    index = pipeline.demo(folder, talk)
    talk.say(str(index.resolve()))


@app.command(epilog="Example: quitboard detect recordings/ -o bundles/")
def detect(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them at any depth.", exists=True)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where bundles go (default: the board's bundles/).")
    ] = None,
    model: Annotated[str, typer.Option(help="Name of a shipped model, or a .onnx or .pt file.")] = "",
    camera: Annotated[str, typer.Option(help="Look at this camera only.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Skip recordings of earlier days.")
    ] = None,
    gate: Annotated[
        bool | None, typer.Option("--gate/--no-gate", help="Look closely only where something moves.")
    ] = None,
    rules_only: Annotated[
        bool,
        typer.Option("--rules-only", help="PATHS are bundles: apply the rules again to their tracks."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be looked at, and stop.")] = False,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at recordings and write one anonymised bundle for each camera and day.

    Started again, it continues where it was and makes nothing twice.
    """
    from quitboard.operate import pipeline
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    opened = open_board(board)
    report = pipeline.detect(
        opened,
        paths,
        out or opened.bundles,
        talk=talk,
        model=model,
        camera_id=camera,
        since=since.date() if since else None,
        gate=gate,
        rules_only=rules_only,
        dry_run=dry_run,
    )
    _end(talk, report.as_plain(), report.set_aside)


@app.command(epilog="Example: quitboard ingest bundles/")
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Bundles, or inbox folders of them.", exists=True)],
    camera: Annotated[str, typer.Option(help="Camera of the first QuitBoard's zips, which do not say it.")] = "",
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take bundles into the board's database and media; the first QuitBoard's zips too.

    A folder is an inbox: what was taken moves to done/, what cannot be used to rejected/ with its reason.
    The same bundle a second time changes nothing.
    """
    from quitboard.console import report_as_plain
    from quitboard.operate import pipeline
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    report = pipeline.ingest(open_board(board), paths, talk=talk, camera_id=camera)
    _end(talk, report_as_plain(report), report.set_aside)


@app.command("build-site", epilog="Example: quitboard build-site --serve")
def build_site(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the site goes (default: the board's site/).")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Where the site will live, e.g. https://example.org/board/")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Look at it on this machine until Ctrl-C; built again at every change.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port for --serve.", min=1, max=65535)] = 8000,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Build nothing: put the site before the present one back.")
    ] = False,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build the public site from the database: static pages that work anywhere, also from a USB stick.

    Built again from the same data, it writes nothing. Earlier sites are kept beside it, as many as keep_generations
    says; --rollback puts the latest of them back, unless something was withdrawn since.
    """
    from quitboard.operate import pipeline, serving
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    if rollback:
        talk.give({"index": str(pipeline.roll_back_site(open_board(board), out, talk=talk) / "index.html")})
        return
    if serve:
        serving.serve(board, out, port, talk=talk, base_url=base_url)
        return
    built = pipeline.build_site(open_board(board), out, talk=talk, base_url=base_url)
    result = {"index": str(built.out / "index.html"), "files": built.files, "written": built.written}
    _end(talk, {**result, "removed": built.removed, "seconds": round(built.seconds, 2)}, built.set_aside)


@app.command(epilog="Example: quitboard publish s3://my-bucket/board --dry-run")
def publish(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help="s3://BUCKET/PREFIX, gh-pages, or a folder; none: the [publish] targets of quitboard.toml.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say exactly what would happen, and stop.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the site before the one that is published.")
    ] = False,
    allow_delete: Annotated[
        bool, typer.Option("--allow-delete", help="Also where more than a fifth of the published files would go.")
    ] = False,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the built site to where it is read: an S3-compatible bucket, GitHub Pages, or a folder.

    Only what changed is sent, in an order that never shows a page without its picture. Cut off and started again, it
    continues. It refuses until quitboard.toml says who is responsible: docs/publish.md.
    """
    from quitboard.operate import publishing
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    outcomes = publishing.publish(
        open_board(board), targets or [], talk=talk, dry_run=dry_run, rollback=rollback, allow_delete=allow_delete
    )
    talk.give([outcome.as_plain() for outcome in outcomes])


@app.command(epilog='Example: quitboard withdraw https://example.org/board/v/ID/ --reason "asked by mail, 3 May"')
def withdraw(
    cases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Cases by id, or by the address or path of their page; none: finish what is still due.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for your own records. It is never published.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken back, and stop.")] = False,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take evidence back everywhere, for good: media, pages, search, feeds, data, bundles, and every published target.

    A page stays that says that something was withdrawn, not what. No newer model and no older bundle brings it back.
    There is no way to undo it. Started again, it does what is left to do.
    """
    from quitboard.operate import withdraw as room
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    outcome = room.withdraw(open_board(board), cases or [], reason=reason, talk=talk, dry_run=dry_run)
    for line in outcome.lines():
        talk.say(line)
    talk.give(outcome.as_plain())
    talk.set_aside(outcome.left)
    if due := [target.name for target in outcome.targets if target.problem]:
        raise TargetRefused(
            f"still due at {', '.join(due)}", todo="What was recorded stands. Run again, with or without the ids"
        )
    if outcome.left:
        raise typer.Exit(SET_ASIDE_EXIT_CODE)


@app.command(epilog="Example: quitboard verify bundles/done/")
def verify(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Bundles or folders of them; none: the whole board.")
    ] = None,
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check bundles, database, media and site against their hashes. Reads every byte, changes nothing."""
    from quitboard.operate import verify as room
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    findings = room.verify(open_board(board), paths or [])
    damaged = [finding for finding in findings if finding.problem]
    for finding in findings:
        talk.say(f"{finding.name}: {finding.problem or finding.found}")
    talk.give([finding.as_plain() for finding in findings])
    if damaged:
        raise DamageFound(
            f"{len(damaged)} of {len(findings)} checks found damage", todo="Copy or make the damaged items again"
        )


@app.command(epilog="Example: quitboard stats --by camera")
def stats(
    by: Annotated[str, typer.Option(help="kind | camera | day | hour | weekday | month")] = "kind",
    board: BoardOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Print rates with their denominators and 95 % intervals."""
    from quitboard.operate import figures
    from quitboard.operate.boards import open_board

    talk = _talk(False, as_json)
    table = figures.stats(open_board(board), by)
    talk.give(table.as_plain())
    if not as_json:
        table.print(talk.out)


@app.command(epilog="Example: quitboard export public/ --format csv")
def export(
    out: Annotated[Path, typer.Argument(help="Folder to write the tables to.", file_okay=False)],
    form: Annotated[str, typer.Option("--format", help="csv | json | parquet")] = "csv",
    board: BoardOption = Path(),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the public fields as tables: what is published, no more. CSV opens right in Excel."""
    from quitboard.operate import figures
    from quitboard.operate.boards import open_board

    talk = _talk(quiet, as_json)
    written = figures.export(open_board(board), out, form)
    for path in written:
        talk.say(f"wrote {path}")
    talk.give([str(path) for path in written])


@app.command(epilog="Example: quitboard doctor")
def doctor(board: BoardOption = Path(), as_json: JsonOption = False) -> None:
    """Check this machine and this board, and say what to do about what is missing."""
    from quitboard.operate import doctor as room

    talk = _talk(False, as_json)
    checks = room.examine(board)
    for check in checks:
        talk.say(f"{'!!' if check.problem else 'ok'}  {check.name}: {check.problem or check.found}")
    talk.give([check.as_plain() for check in checks])
    if codes := [check.exit_code for check in checks if check.problem]:
        raise typer.Exit(codes[0])


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quitboard {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def _end(talk: Talk, result: Mapping[str, object], set_aside: Sequence[SetAside]) -> None:
    """Give the result and end the command; with code 3 when something was set aside."""
    talk.give(result)
    talk.set_aside(set_aside)
    if set_aside:
        raise typer.Exit(SET_ASIDE_EXIT_CODE)


def _talk(quiet: bool, as_json: bool) -> Talk:
    from quitboard.console import Talk

    return Talk(quiet=quiet, as_json=as_json)


if __name__ == "__main__":
    main()
