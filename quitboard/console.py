"""What a command prints: progress bars on a terminal, one line a minute elsewhere, results as words or JSON.

Results go to standard output, everything else to standard error, so that `--json` can be piped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quitboard.records import Report, SetAside

LOG_EVERY_S = 60.0


@dataclass(slots=True)
class Talk:
    """How a command speaks: `quiet` keeps back all but results and errors, `as_json` makes the result one object."""

    quiet: bool = False
    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))

    def say(self, text: str) -> None:
        """Print one line of a result, unless the result is JSON."""
        if not self.as_json:
            self.out.print(text, markup=False)

    def note(self, text: str) -> None:
        """Print a remark that is not part of the result."""
        if not self.quiet:
            self.err.print(text, markup=False)

    def give(self, value: object) -> None:
        """Print the result as JSON, when that was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")

    def set_aside(self, items: Sequence[SetAside]) -> None:
        for item in items:
            line = f"set aside: {item.name}: {item.reason}"
            self.err.print(line + (f". {item.todo}" if item.todo else ""), markup=False)

    def progress(self, what: str, total: float, *, unit: Callable[[float, float], str]) -> Meter:
        """Return a meter of `total` steps; `unit(done, elapsed_s)` words what stands behind the bar."""
        return Meter(self, what, total, unit)


class Meter:
    """A progress bar on a terminal, one line a minute in a log. A context manager."""

    def __init__(self, talk: Talk, what: str, total: float, unit: Callable[[float, float], str]) -> None:
        self._talk, self._what, self._total, self._unit = talk, what, total, unit
        self._done = 0.0
        self._started = self._logged = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Meter:
        if self._talk.err.is_terminal and not self._talk.quiet:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn(),
                console=self._talk.err, transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(escape(self._what), total=self._total or None, note="")
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar:
            self._bar.stop()

    def restart(self, total: float) -> None:
        """Count from nothing again, towards another total."""
        self._total, self._done = total, 0.0
        if self._bar:
            self._bar.update(self._task, total=total or None, completed=0.0)

    def advance(self, steps: float = 0.0, what: str = "") -> None:
        """Count `steps` more as done; `what` names the item at hand."""
        self._done += steps
        self._what = what or self._what
        now = time.monotonic()
        note = self._unit(self._done, now - self._started)
        if self._bar:
            self._bar.update(self._task, completed=self._done, description=escape(self._what), note=escape(note))
        elif not self._talk.quiet and now - self._logged >= LOG_EVERY_S:
            self._logged = now
            share = f"{100 * self._done / self._total:.0f} %" if self._total else f"{self._done:g}"
            self._talk.err.print(f"{self._what}: {share}, {note}", markup=False)


def report_as_plain(report: Report) -> dict[str, object]:
    """Return a report as plain values for `--json`."""
    return {
        "done": list(report.done),
        "unchanged": list(report.unchanged),
        "set_aside": [{"name": item.name, "reason": item.reason, "todo": item.todo} for item in report.set_aside],
    }


def minutes(seconds: float) -> str:
    """Return a length in words: '8 s', '12 min', '3.2 h'."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
