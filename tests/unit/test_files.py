"""Files: whole or absent, inside their folder, one holder of a lock."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard import files
from quitboard.errors import DiskFull, Locked, UsageError


def test_a_write_is_whole(tmp_path: Path) -> None:
    files.write_text(tmp_path / "deep" / "er" / "x.txt", "한글")
    assert (tmp_path / "deep/er/x.txt").read_text("utf-8") == "한글"
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["x.txt"]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "x"
    files.write_bytes(target, b"old")
    with pytest.raises(DiskFull) as raised, files.writing(target) as file:
        file.write(b"new")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    assert raised.value.where == "x"


def test_what_a_killed_command_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / f"{files.TEMPORARY_PREFIX}abc").write_bytes(b"half")
    (tmp_path / "kept").write_bytes(b"")
    assert files.sweep_temporaries(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_second_process_does_not_get_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    attempt = (
        "import pathlib, sys\nfrom quitboard import errors, files\n"
        "try:\n  with files.locked(pathlib.Path(sys.argv[1]), what='board'): print('got it')\n"
        "except errors.Locked as error: print(error.exit_code)\n"
    )

    def try_it() -> str:
        return subprocess.run(
            [sys.executable, "-c", attempt, str(lock)], capture_output=True, text=True, check=True
        ).stdout

    with files.locked(lock, what="board"):
        assert try_it() == "75\n"
        with pytest.raises(Locked), files.locked(lock, what="board"):
            pass
    assert try_it() == "got it\n"


@pytest.mark.parametrize("bad", ["/etc/passwd", "../x", "a/../../x", "a\\b", "link/x", "a\0b"])
def test_a_path_from_outside_stays_inside(tmp_path: Path, bad: str) -> None:
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(UsageError):
        files.child_of(tmp_path, bad)


def test_a_good_path_is_joined(tmp_path: Path) -> None:
    assert files.child_of(tmp_path, "a/b.jpg") == tmp_path / "a" / "b.jpg"


@given(st.text())
def test_a_slug_is_safe_anywhere(text: str) -> None:
    made = files.slug(text)
    assert made == files.slug(made)
    assert not set(made) & set("/\\. \0%?#&<>\"'")
    assert not made.startswith("-")


def test_a_slug_keeps_korean() -> None:
    assert files.slug("정문 앞 (3번)") == "정문-앞-3번"


def test_hashes_agree(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert files.sha256_file(tmp_path / "x") == files.sha256_bytes(b"abc")
