"""The commands: quick to ask, documented with an example, and never a traceback for a user's mistake."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from quitboard.cli import app

HEAVY = (
    "cv2",
    "duckdb",
    "openvino",
    "onnxruntime",
    "torch",
    "av",
    "numpy",
    "jinja2",
    "pyarrow",
    "PIL",
    "scipy",
    "boto3",
    "botocore",
)
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def test_help_loads_no_heavy_package() -> None:
    code = (
        "import sys\nfrom quitboard.cli import main\nsys.argv = ['quitboard', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded: []\n")


def test_the_commands_are_those_that_are_documented() -> None:
    assert set(COMMANDS) == {
        "init", "demo", "detect", "ingest", "build-site", "publish", "withdraw", "verify", "stats", "export", "doctor",
        "models",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: quitboard {command}" in result.output
    for parameter in get_command(app).commands[command].params:  # type: ignore[attr-defined]
        assert getattr(parameter, "help", None) or parameter.name == "help", f"{parameter.name} is not explained"


def test_the_version_is_said() -> None:
    from quitboard import __version__

    assert CliRunner().invoke(app, ["--version"]).output == f"quitboard {__version__}\n"
