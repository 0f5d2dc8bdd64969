"""Publishing cut off at every single call, before or after it took effect, and run again: it converges, and at no time
does a page of the target point to what is missing."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitboard.site.publish import folder as folder_target
from quitboard.site.publish import git as git_target
from quitboard.site.publish import s3 as s3_target
from quitboard.site.publish.run import publish, take_back
from quitboard.site.publish.target import Target
from tests.published import KINDS, Bucket, Folder, Place, Repository, broken_links, cases, make_site

BEFORE, AFTER = ("a1", "b1", "c1", "d1", "e1", "f1"), ("a1", "b2", "c1", "d1", "e1", "g1")
GONE = ("media/f1/f1.jpg", "v/f/index.html", "en/v/f/index.html")
MOST_CALLS = 200


class Killed(BaseException):
    """Not an `Exception`: nothing may catch it and go on, as nothing goes on after a kill."""


class Countdown:
    """Lets so many calls through; the one after ends everything, before or after it took effect."""

    def __init__(self, calls: int, *, is_done: bool) -> None:
        self.left, self.is_done, self.fired = calls, is_done, False

    def over(self, call: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left >= 0:
            return call()
        if not self.fired and self.is_done:
            call()
        self.fired = True
        raise Killed


def cut_off(place: Place, countdown: Countdown, patch: pytest.MonkeyPatch) -> Target:
    """Return the place's target, every call of which that leaves this process goes through the countdown."""
    target = place.target()
    if isinstance(target, s3_target.S3Target):
        patch.setattr(s3_target, "WORKERS", 1)  # so that the n-th call is always the same
        send = target.client._make_api_call

        def counted(operation: str, arguments: dict[str, Any]) -> Any:
            return countdown.over(lambda: send(operation, arguments))

        patch.setattr(target.client, "_make_api_call", counted)
    elif isinstance(target, git_target.GitTarget):
        run = git_target.GitTarget._git

        def counted_git(self: git_target.GitTarget, *words: str, stdin: bytes = b"") -> bytes:
            done: bytes = countdown.over(lambda: run(self, *words, stdin=stdin))
            return done

        patch.setattr(git_target.GitTarget, "_git", counted_git)
    else:
        for name in ("replace", "unlink", "rmdir", "mkdir", "chmod"):
            patch.setattr(Path, name, _counted_below(place, getattr(Path, name), countdown))
    return target


def _counted_below(place: Place, call: Callable[..., Any], countdown: Countdown) -> Callable[..., Any]:
    assert isinstance(place, Folder)

    def counted(self: Path, *arguments: Any, **named: Any) -> Any:
        if not self.is_relative_to(place.root):
            return call(self, *arguments, **named)
        return countdown.over(lambda: call(self, *arguments, **named))

    return counted


@pytest.fixture(params=KINDS)
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    def make(name: str) -> Place:
        (tmp_path / name).mkdir()
        if request.param == "s3":
            return Bucket(tmp_path / name, request.getfixturevalue("s3_endpoint"))
        return Repository(tmp_path / name) if request.param == "gh-pages" else Folder(tmp_path / name)

    return make


@pytest.mark.parametrize("is_done", [False, True], ids=["before the call", "after the call"])
def test_cut_off_at_every_call_and_run_again_it_converges_and_never_shows_a_page_without_its_picture(
    make_place: Callable[[str], Place], is_done: bool, tmp_path: Path
) -> None:
    old, new = make_site(tmp_path / "old", cases(*BEFORE)), make_site(tmp_path / "new", cases(*AFTER))
    for calls in itertools.count():
        place = make_place(f"{calls}")
        if calls % 2:  # every other time the very first publish is cut off instead
            publish(old, place.target())
        with pytest.MonkeyPatch.context() as patch:
            countdown = Countdown(calls, is_done=is_done)
            target = cut_off(place, countdown, patch)
            try:
                publish(new, target)
            except Killed:
                target.close()
        assert broken_links(place.content()) == [], f"cut off at call {calls}"
        publish(new, place.target())
        assert place.content() == cases(*AFTER), f"cut off at call {calls}"
        assert publish(new, place.target()).is_unchanged
        if not countdown.fired and calls % 2:
            break
        assert calls < MOST_CALLS
    assert calls > 10


def test_another_site_after_a_cut_off_one_leaves_nothing_of_it(
    make_place: Callable[[str], Place], tmp_path: Path
) -> None:
    """Two publishes cut off one after the other, each of another site; then a third goes through."""
    sites = [make_site(tmp_path / name, cases(*shown)) for name, shown in (("1", BEFORE), ("2", AFTER))]
    third = make_site(tmp_path / "3", cases("a1", "b1", "c1", "d1", "e1", "h1"))
    for first, second in ((9, 9), (14, 12), (21, 17), (30, 33)):
        place = make_place(f"{first}-{second}")
        for site, calls in zip(sites, (first, second), strict=True):
            with pytest.MonkeyPatch.context() as patch:
                target = cut_off(place, Countdown(calls, is_done=True), patch)
                try:
                    publish(site, target)
                except Killed:
                    target.close()
            assert broken_links(place.content()) == []
        publish(third, place.target(), allow_delete=True)
        assert place.content() == cases("a1", "b1", "c1", "d1", "e1", "h1")
        assert publish(third, place.target()).is_unchanged


@pytest.mark.parametrize("is_done", [False, True], ids=["before the call", "after the call"])
def test_a_take_back_cut_off_at_every_call_and_run_again_leaves_nothing(
    make_place: Callable[[str], Place], is_done: bool, tmp_path: Path
) -> None:
    site = make_site(tmp_path / "site", cases(*BEFORE))
    for calls in itertools.count():
        place = make_place(f"{calls}")
        publish(site, place.target())
        with pytest.MonkeyPatch.context() as patch:
            countdown = Countdown(calls, is_done=is_done)
            target = cut_off(place, countdown, patch)
            try:
                take_back(target, GONE)
            except Killed:
                target.close()
        take_back(place.target(), GONE)
        left = {path: content for path, content in cases(*BEFORE).items() if path not in GONE}
        assert place.content() == left, f"cut off at call {calls}"
        assert place.target().read().sums.keys() == left.keys()
        if not countdown.fired:
            break
        assert calls < MOST_CALLS
    assert calls > 4


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_a_killed_process_leaves_nothing_that_a_second_run_cannot_mend(
    make_place: Callable[[str], Place], delay_s: float, tmp_path: Path
) -> None:
    """The same with a real process and SIGKILL, so that locks, threads and children die as they would."""
    place = make_place("killed")
    shown = [f"{first}1" for first in "abcdefghijklmnop"]
    site = make_site(tmp_path / "site", cases(*shown))
    target = place.target()
    code = (
        "from pathlib import Path\nfrom quitboard.settings import *\nfrom quitboard.site.publish.run import publish\n"
        "from quitboard.site.publish.opening import open_target\n"
        f"settings = Settings(publish=PublishSettings(endpoint_url={getattr(place, 'endpoint', '')!r}))\n"
        f"target = open_target({target.name!r}, settings, board=Path({str(place.folder / 'board')!r}))\n"  # type: ignore[attr-defined]
        f"publish(Path({str(site)!r}), target, before_writing=lambda _: print('writing', flush=True))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == b"writing\n"
        time.sleep(delay_s)
        os.killpg(child.pid, signal.SIGKILL)
    assert broken_links(place.content()) == []
    publish(site, place.target())
    assert place.content() == cases(*shown)


def test_a_folder_has_nothing_half_written_after_a_power_cut_of_the_copy(tmp_path: Path) -> None:
    """What a killed copy leaves has a name of its own, and the next run sweeps it."""
    place = Folder(tmp_path)
    site = make_site(tmp_path / "site", cases("a1"))
    with pytest.MonkeyPatch.context() as patch:
        target = cut_off(place, Countdown(12, is_done=True), patch)
        with pytest.raises(Killed):
            publish(site, target)
        target.close()
    (place.root / "media").mkdir(exist_ok=True)
    (place.root / "media" / folder_target._UNFINISHED).write_bytes(b"half")
    publish(site, place.target())
    assert not list(place.root.rglob(folder_target._UNFINISHED))
