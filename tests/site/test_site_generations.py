"""Generations of the site: exchanged at once, kept beside it, brought back; never what was withdrawn, never by halves.

The sites here are of a few files written by hand: what stands in them is no matter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from quitboard.errors import DamageFound, UsageError
from quitboard.settings import Settings, SiteSettings
from quitboard.site import generations, output
from quitboard.site.generations import kept, locked_target, mend, prune, purge, roll_back
from tests.site.building import built, files
from tests.site.sample_board import Sample

PICTURE = "ab" + "01" * 31
SHOWN = f"media/ab/{PICTURE[:32]}-640.webp"
TOMBSTONE = {"withdrawn/one/index.html": "gone"}


def put(out: Path, pages: Mapping[str, str], *, keep: int = 2, withdrawn: tuple[str, ...] = ()) -> None:
    """Make `pages` the present generation, as a build does."""
    with locked_target(out) as target:
        old = output.read_old(target)
        output.begin(target)
        staging = output.Staging(target, output.standing(old))
        for path, text in pages.items():
            staging.put(path, text.encode())
        ready = output.finish(target, staging.sums, staging.total_bytes, str(hash(tuple(pages.items()))))
        generations.put_in_place(target, ready, is_worth_keeping=old.whole)
        prune(target, most=keep, withdrawn=withdrawn)


def shown(site: Path) -> dict[str, str]:
    return {path: (site / path).read_text() for path in output.read_sums(site)}


def states(out: Path) -> list[dict[str, str]]:
    """The present generation and the earlier ones, the latest first."""
    return [shown(folder) for folder in (out, *kept(out))]


A, B, C, D = ({"index.html": name, "law/index.html": "the law"} for name in "ABCD")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site"


def test_earlier_generations_are_kept_and_unchanged_files_are_one_on_the_disk(out: Path) -> None:
    for pages in (A, B, C, D):
        put(out, pages)
    assert states(out) == [D, C, B]
    assert len({(folder / "law/index.html").stat().st_ino for folder in (out, *kept(out))}) == 1


def test_no_generation_is_kept_where_none_is_wanted(out: Path) -> None:
    for pages in (A, B):
        put(out, pages, keep=0)
    assert states(out) == [B]
    assert {path.name for path in out.parent.iterdir()} == {"site", ".site.lock"}


def test_a_roll_back_goes_back_one_and_the_next_goes_further(out: Path) -> None:
    for pages in (A, B, C):
        put(out, pages)
    assert roll_back(out, []) == out
    assert states(out) == [B, A]
    roll_back(out, [])
    assert states(out) == [A]
    with pytest.raises(UsageError, match="no earlier generation"):
        roll_back(out, [])
    assert states(out) == [A]


def test_a_roll_back_puts_back_a_site_that_was_deleted(out: Path) -> None:
    put(out, A)
    put(out, B)
    os.rename(out, out.with_name("taken-away"))  # noqa: PTH104
    roll_back(out, [])
    assert states(out) == [A]


def test_a_withdrawn_case_is_gone_from_every_kept_generation(out: Path) -> None:
    put(out, {**A, SHOWN: "picture"})
    put(out, {**B, SHOWN: "picture"})
    put(out, {**C, **TOMBSTONE}, withdrawn=("one",))
    put(out, {**D, **TOMBSTONE}, withdrawn=("one",))
    assert states(out) == [{**D, **TOMBSTONE}, {**C, **TOMBSTONE}]


def test_no_roll_back_goes_past_a_withdrawal_that_no_build_has_seen_yet(out: Path) -> None:
    put(out, A)
    put(out, B)
    with pytest.raises(UsageError, match=r"1 cases were withdrawn .* run build-site"):
        roll_back(out, ["one"])
    assert states(out) == [B, A]


@pytest.mark.parametrize("what", [PICTURE, SHOWN])
def test_purging_takes_whole_generations_and_only_those_that_show_it(out: Path, what: str) -> None:
    for pages in (A, {**B, SHOWN: "picture"}, C):
        put(out, pages)
    assert purge(out, [what]) == 1
    assert states(out) == [C, A]
    assert purge(out, [what]) == 0


def test_a_generation_that_was_changed_by_hand_does_not_come_back(out: Path) -> None:
    put(out, A)
    put(out, B)
    (kept(out)[0] / "index.html").write_text("changed by hand")
    with pytest.raises(DamageFound, match=r"index\.html"):
        roll_back(out, [])
    assert shown(out) == B


def test_a_site_that_was_changed_by_hand_is_not_kept(out: Path) -> None:
    put(out, A)
    (out / "index.html").write_text("changed by hand")
    put(out, B)
    assert states(out) == [B]


def test_a_roll_back_loses_no_file_of_somebody_else(out: Path) -> None:
    put(out, A)
    put(out, B)
    (out / "CNAME").write_text("example.org")
    with pytest.raises(UsageError, match="'CNAME'"):
        roll_back(out, [])
    assert (out / "CNAME").read_text() == "example.org"


def test_after_a_roll_back_the_next_build_is_right_again(copy: Sample, tmp_path: Path) -> None:
    out = tmp_path / "site"
    settings = [Settings(site=SiteSettings(per_page=number)) for number in (12, 24)]
    pages = []
    for one in settings:
        built(copy, out, settings=one)
        pages.append(files(out))
    roll_back(out, [])
    assert files(out) == pages[0]
    built(copy, out, settings=settings[1])
    assert files(out) == pages[1]
    assert [files(folder) for folder in kept(out)] == [pages[0]]


# --- stopped at every file operation --------------------------------------------------------------------------------


class Killed(BaseException):
    """What `kill -9` looks like from within: nothing catches it."""


class Reaper:
    """Stops the process's work before its nth operation that changes a file, as the interpreter's audit tells them."""

    CHANGES = frozenset(("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "open", "ctypes.dlsym"))

    def __init__(self) -> None:
        self.left: int | None = None
        sys.addaudithook(self._seen)

    def _seen(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.left is None or event not in self.CHANGES or (event == "open" and arguments[1] in ("r", "rb")):
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Killed

    def every(self, work: Callable[[], object], before: Callable[[], object]) -> Iterator[bool]:
        """Do `before` and then `work`, stopped before its first operation, its second, and so on to the end."""
        for number in range(1000):
            before()
            self.left = number
            try:
                work()
            except Killed:
                yield True
            else:
                self.left = None
                yield False
                return
        raise AssertionError("the work never ended")


@pytest.fixture(scope="session")
def reaper() -> Reaper:
    return Reaper()


class NoExchange:
    """A C library without renameat2."""

    def __init__(self, *_: object, **__: object) -> None: ...


@pytest.fixture(params=["exchange", "renames"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "renames":
        monkeypatch.setattr(generations.ctypes, "CDLL", NoExchange)


@pytest.mark.usefixtures("system")
def test_a_build_stopped_at_any_operation_leaves_the_old_or_the_new_site(tmp_path: Path, reaper: Reaper) -> None:
    number = 0

    def fresh() -> None:
        nonlocal number, out
        number += 1
        out = tmp_path / str(number) / "site"
        put(out, A)
        put(out, B)

    out = tmp_path
    ends = 0
    for killed in reaper.every(lambda: put(out, C), fresh):
        ends += 1
        with locked_target(out):
            assert states(out) in ([B, A], [C, B, A])
        put(out, C)
        assert states(out)[0] == C
        assert states(out)[1:] in ([B, A], [A])
        left = {path.name for path in out.parent.iterdir()}
        assert left == {"site", ".site.lock", ".site.generations"}, left
        if not killed:
            assert states(out) == [C, B, A]
    assert ends > 12


@pytest.mark.usefixtures("system")
def test_replacing_a_site_that_is_not_kept_may_be_stopped_at_any_operation(tmp_path: Path, reaper: Reaper) -> None:
    number = 0

    def fresh() -> None:
        nonlocal number, out
        number += 1
        out = tmp_path / str(number) / "site"
        put(out, A)
        (out / "index.html").write_text("changed by hand")

    out = tmp_path
    for _ in reaper.every(lambda: put(out, B, keep=0), fresh):
        put(out, B, keep=0)
        assert states(out) == [B]
        assert {path.name for path in out.parent.iterdir()} == {"site", ".site.lock"}


@pytest.mark.usefixtures("system")
def test_a_roll_back_stopped_at_any_operation_is_finished_once_by_the_same_command(
    tmp_path: Path, reaper: Reaper
) -> None:
    number = 0

    def fresh() -> None:
        nonlocal number, out
        number += 1
        out = tmp_path / str(number) / "site"
        for pages in (A, B, C):
            put(out, pages)

    out = tmp_path
    ends = 0
    for killed in reaper.every(lambda: roll_back(out, []), fresh):
        ends += 1
        if killed:
            assert not out.exists() or shown(out) in (B, C)
            roll_back(out, [])
        assert states(out) == [B, A]
        left = {path.name for path in out.parent.iterdir()}
        assert left == {"site", ".site.lock", ".site.generations"}, left
    assert ends > 6


def test_a_roll_back_stopped_half_way_does_not_disturb_a_build(tmp_path: Path, reaper: Reaper) -> None:
    number = 0

    def fresh() -> None:
        nonlocal number, out
        number += 1
        out = tmp_path / str(number) / "site"
        for pages in (A, B, C):
            put(out, pages)

    out = tmp_path
    for _ in reaper.every(lambda: roll_back(out, []), fresh):
        put(out, D)
        assert states(out)[0] == D
        assert states(out)[1:] in ([C, B], [B, A])
        assert not mend(out)
