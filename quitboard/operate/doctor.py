"""`quitboard doctor`: is this machine, and this board, able to do the job? Each check says what to do if not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quitboard.errors import DiskFull, QuitBoardError
from quitboard.operate.boards import open_board

MIN_FREE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: `problem` empty means well."""

    name: str
    found: str
    problem: str = ""
    exit_code: int = 0

    def as_plain(self) -> dict[str, str]:
        """Return the finding for `--json`."""
        return {"name": self.name, "found": self.found, "problem": self.problem}


def examine(folder: Path) -> list[Check]:
    """Return every check's finding, in a fixed order; a failing check does not stop the next."""
    return [
        _checked(name, check)
        for name, check in (
            ("Python", _python),
            ("packages", _packages),
            ("board", lambda: _board(folder)),
            ("detector", lambda: _detector(folder)),
            ("privacy gate", _privacy_gate),
            ("database", lambda: _database(folder)),
            ("disk", lambda: _disk(folder)),
            ("processors", lambda: f"{len(os.sched_getaffinity(0))}"),
        )
    ]


def _checked(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name=name, found=check())
    except QuitBoardError as error:
        return Check(name=name, found="", problem=str(error), exit_code=error.exit_code)


def _python() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _packages() -> str:
    names = ("av", "duckdb", "numpy", "opencv-python-headless", "openvino", "pillow")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _board(folder: Path) -> str:
    board = open_board(folder)
    enabled = sum(rule.enabled for rule in board.rules)
    return f"{len(board.cameras)} cameras, {enabled} rules enabled"


def _detector(folder: Path) -> str:
    from quitboard.detect import model
    from quitboard.models import registry

    settings = open_board(folder).settings.detect
    detector = model.load(registry.find(settings.model, folder), imgsz=settings.imgsz, runtime=settings.runtime)
    return f"{detector.card.name} in {detector.runtime}"


def _privacy_gate() -> str:
    from quitboard.detect import privacy_gate

    privacy_gate.FaceFinder()
    return "the second face detector is there"


def _database(folder: Path) -> str:
    from quitboard.database import connection

    board = open_board(folder)
    if not board.database.exists():
        return "none yet"
    with connection.opened(board.database, read_only=True) as opened:
        return f"schema {connection.schema_version(opened)}"


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise DiskFull(f"only {free >> 20} MiB are free", todo="A night's journal and bundles need about 2 GiB")
    return f"{free >> 30} GiB free"
