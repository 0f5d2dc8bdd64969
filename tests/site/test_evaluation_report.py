"""The report of `models evaluate` in a real browser: originals shown in place, with boxes over them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from quitboard.console import Talk
from quitboard.operate import evaluation, evaluation_report
from quitboard.operate.boards import open_board
from tests.videos import write_video


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures without the helmets that are labelled, and a recording of a rider whom nobody finds."""
    root = tmp_path_factory.mktemp("evaluation")
    pictures, recordings = root / "pictures é 1", root / "recordings"
    for part in ("images", "labels"):
        (pictures / part).mkdir(parents=True)
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8)
        cv2.imwrite(str(pictures / "images" / f"a #{number}.png"), noise)
        (pictures / "labels" / f"a #{number}.txt").write_text("2 0.5 0.3 0.1 0.2\n")
    write_video(recordings / "gate_2026-09-14_08-20-00.mp4", frames=60)
    frames = [
        {"t": n / 5, "boxes": [[1, 0, 10 + n, 10, 30 + n, 50, 1.0], [2, 1, 10 + n, 30, 40 + n, 56, 1.0]]}
        for n in range(15)
    ]
    truth = {
        "acts": [{"kind": "no_helmet", "act": "a rider", "from_s": 0.5, "to_s": 2.5, "people": [1], "vehicle": 2}],
        "classes": ["person", "scooter"],
        "tracks": [{"track": 1, "class": "person", "head": "cap", "rides": 2}, {"track": 2, "class": "scooter"}],
        "frames": frames,
    }
    (recordings / "gate_2026-09-14_08-20-00.truth.json").write_text(json.dumps(truth))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        done = evaluation.evaluate([pictures, recordings], board=open_board(root), talk=Talk(quiet=True))
    return evaluation_report.write(done, root / "report")


@pytest.fixture
def page(report: Path, browser: Browser) -> Page:
    opened = browser.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("requestfailed", lambda request: problems.append(request.url))
    opened.on("request", lambda request: problems.append(request.url) if not request.url.startswith("file:") else None)
    opened.goto(report.as_uri())
    opened.wait_for_load_state("networkidle")
    assert problems == []
    return opened


def test_every_original_is_shown_where_it_lies(page: Page) -> None:
    shown = page.evaluate("[...document.querySelectorAll('image')].map(one => one.href.baseVal)")
    assert len(shown) == 2
    for address in shown:
        assert page.evaluate(
            "src => new Promise(done => { const i = new Image(); i.onload = () => done(i.naturalWidth);"
            " i.onerror = () => done(0); i.src = src; })",
            address,
        ) == 128  # fmt: skip


def test_a_missed_rider_is_boxed_at_the_instant_that_the_recording_shows(page: Page) -> None:
    page.evaluate("document.querySelector('video').currentTime = 2.0")
    page.wait_for_function("document.querySelectorAll('svg.over rect').length === 2")
    left = page.evaluate("[...document.querySelectorAll('svg.over rect')].map(one => +one.getAttribute('x'))")
    assert left == [20, 20]  # 10 px, and a pixel for each fifth of a second
    page.evaluate("document.querySelector('video').currentTime = 0.2")
    page.wait_for_function("document.querySelector('svg.over rect')?.getAttribute('x') === '11'")


def test_the_first_screen_says_what_was_measured(page: Page) -> None:
    lines = page.locator("nav li").all_inner_texts()
    assert [line.partition(":")[0] for line in lines] == ["pictures é 1", "recordings"]
    assert "mAP50 0.00" in lines[0]
    assert "1 breaches, F1 0.00" in lines[1]


def test_a_recording_that_the_browser_does_not_play_can_be_opened(page: Page) -> None:
    assert page.locator("figure.unplayable").count() == 0
    name = page.locator("figcaption a.name")
    assert name.get_attribute("href") == page.locator("video").get_attribute("src")
    page.evaluate("document.querySelector('video').src = 'data:video/mp4;base64,AAAA'")
    page.wait_for_selector("figure.unplayable")


def test_nothing_is_cut_off_in_either_dress(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (scheme, width)
        assert Axe().run(page).response["violations"] == []


def test_the_page_warns_and_reads_well_aloud(page: Page) -> None:
    assert "never publish" in page.locator(".local").inner_text()
    assert Axe().run(page).response["violations"] == []
