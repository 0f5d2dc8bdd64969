"""The workflow that owners copy, and the how-to: their commands exist, and no action can change under them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from quitboard.cli import app
from quitboard.settings import load_settings

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "docs" / "workflows" / "publish.yml"
GUIDE = ROOT / "docs" / "publish.md"


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["publish"]
    return found


def test_it_runs_on_a_schedule_one_at_a_time_with_no_more_rights_than_it_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow[True]["schedule"][0]["cron"]  # YAML 1.1 reads the key "on" as true
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["permissions"] == {"contents": "write"}


def test_every_action_is_pinned_to_a_whole_hash_and_says_its_version(job: dict[str, Any]) -> None:
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
    lines = [line for line in WORKFLOW.read_text().splitlines() if "uses:" in line]
    assert all(re.search(r"# v\d+\.\d+\.\d+$", line) for line in lines)


def test_no_secret_stands_in_a_command(job: dict[str, Any]) -> None:
    assert not [step for step in job["steps"] if re.search(r"secrets\.|github\.token", step.get("run", ""))]


def commands() -> list[str]:
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["publish"]["steps"]
    lines = [line.strip() for step in steps for line in step.get("run", "").splitlines()]
    indented = re.findall(r"^    (?:[\d* ]+cd [^&]+&& )?(quitboard .*)$", GUIDE.read_text(), re.MULTILINE)
    return [part for line in (*lines, *indented) for part in re.split(r"&&|\|\|", line) if "quitboard " in part]


@pytest.mark.parametrize("line", commands())
def test_every_command_that_is_named_exists_with_its_options(line: str) -> None:
    plain = re.sub(r"\$\{\{.*?'(--[\w-]+)'.*?\}\}", r"\1", line.partition(" #")[0].partition(">")[0])
    words = shlex.split(plain)
    words = words[words.index("quitboard") + 1 :]
    command = get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[1:] if word.startswith("-")} <= known


def test_the_settings_of_the_how_to_are_settings(tmp_path: Path) -> None:
    blocks = re.findall(r"(?:^    .*\n|^\n)+", GUIDE.read_text(), re.MULTILINE)
    tables = [
        "\n".join(line[4:] for line in block.splitlines())
        for block in blocks
        if re.search(r"^    \[\w+\]", block, re.MULTILINE)
    ]
    assert len(tables) == 2
    for table in tables:
        (tmp_path / "quitboard.toml").write_text(table)
        load_settings(tmp_path / "quitboard.toml")
