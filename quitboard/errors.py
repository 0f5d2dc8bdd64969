"""Everything that QuitBoard raises on purpose, and the exit code each one ends a command with.

    QuitBoardError                      1   never raised itself; the root to catch
    ├── UsageError                      2   the command line asks for something impossible
    ├── SettingsError                   4   quitboard.toml, cameras.toml or the catalogue is wrong
    ├── ItemError                       3   one input is unusable; it is set aside and the rest goes on
    │   ├── RecordingError                  a recording cannot be read or has no clock
    │   ├── BundleError                     a zip is torn, hostile or not a bundle
    │   └── EvidenceRefused                 anonymising could not vouch for a picture
    ├── NothingUsable                   5   no input was usable at all
    ├── DamageFound                     5   `verify` read a byte that does not match its sum
    ├── DatabaseError                   5   board.duckdb is missing, damaged or of a newer version
    ├── ModelUnusable                   6   weights or card missing, wrong or of an unknown format
    ├── TargetRefused                   7   a publishing target said no, or consent is not given
    ├── DiskFull                        5   a write did not fit; what was finished is kept
    └── Locked                         75   another QuitBoard holds the lock: try later

Exit code 0 is done, 1 is a bug (a traceback), 3 is also given by a command that finished but set items aside.
Every message says what is wrong, where, and what to do.
"""

from __future__ import annotations


class QuitBoardError(Exception):
    """Root of the tree. `exit_code` is what the process ends with when nothing catches the error."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        """Keep the three parts of a message apart, so that a program can read them.

        Args:
            what: what is wrong, in a sentence without a full stop.
            where: file, line or item; never an absolute path in anything that is published.
            todo: what the reader can do about it.
        """
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.todo:
            parts.append(self.todo)
        return ". ".join(parts)


class UsageError(QuitBoardError):
    exit_code = 2


class SettingsError(QuitBoardError):
    exit_code = 4


class ItemError(QuitBoardError):
    exit_code = 3


class RecordingError(ItemError):
    pass


class BundleError(ItemError):
    pass


class EvidenceRefused(ItemError):
    pass


class NothingUsable(QuitBoardError):
    exit_code = 5


class DamageFound(QuitBoardError):
    exit_code = 5


class DatabaseError(QuitBoardError):
    exit_code = 5


class ModelUnusable(QuitBoardError):
    exit_code = 6


class TargetRefused(QuitBoardError):
    exit_code = 7


class DiskFull(QuitBoardError):
    exit_code = 5


class Locked(QuitBoardError):
    exit_code = 75


SET_ASIDE_EXIT_CODE = 3
"""A command that finished, with at least one input set aside, ends with this."""
