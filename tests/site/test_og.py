"""Pictures of links: drawn from figures, the same bytes every time, kept by what they say."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quitboard.site import og
from quitboard.site.facets import Selection
from quitboard.site.figures import share
from quitboard.site.og import Bar, Picture
from quitboard.site.pages import Page, pages
from tests.site.conftest import BASE_URL
from tests.site.sample_board import Sample, make_board
from tests.site.seen import view_of

PICTURE = Picture(
    kicker="4월 20일–26일 · 카메라 4대",
    headline="킥보드 이용자 100명 가운데 **31명**이 헬멧 없이 달린 것으로 보입니다",
    basis="판단할 수 있던 이용자 412명 중 128명",
    source="킥보드 안전 게시판",
    share=share(128, 412),
)


def painted(picture: Picture, top: int = 330, bottom: int = 540) -> float:
    """The part of the drawing that is road yellow."""
    with Image.open(io.BytesIO(og.draw(picture))) as opened:
        pixels = np.asarray(opened.convert("RGB"))[top:bottom].astype(int)
    return float((np.abs(pixels - (0xFF, 0xC7, 0x2E)).sum(axis=2) < 24).mean())


def test_the_same_picture_is_the_same_bytes() -> None:
    assert og.draw(PICTURE) == og.draw(PICTURE)


def test_as_many_dots_are_painted_as_the_share_says() -> None:
    few, half, all_of_them = (painted(replace(PICTURE, share=share(count, 100))) for count in (10, 50, 100))
    assert painted(replace(PICTURE, share=share(0, 100))) == 0
    assert half == pytest.approx(5 * few, rel=0.1)
    assert all_of_them == pytest.approx(2 * half, rel=0.1)


def test_the_larger_share_lies_further_right() -> None:
    bars = tuple(Bar(label="", value="", share=share(count, 100)) for count in (31, 4))
    with Image.open(io.BytesIO(og.draw(replace(PICTURE, headline="", basis="", share=None, bars=bars)))) as opened:
        pixels = np.asarray(opened.convert("RGB"))[:540].astype(int)
    rows, columns = np.nonzero(np.abs(pixels - (0xFF, 0xC7, 0x2E)).sum(axis=2) < 24)
    between = (rows.min() + rows.max()) / 2
    assert columns[rows < between].mean() > columns[rows > between].mean() + 300


@pytest.mark.parametrize(
    "text", ["", " ", "가" * 400, "가 " * 400, "**", "***", "** **", "a\nb\tc", "\x00\u202e\ufffd", "弘大 😀"]
)
def test_any_text_makes_a_picture_of_the_one_size(text: str) -> None:
    picture = replace(PICTURE, kicker=text, headline=text, basis=text, source=text)
    picture = replace(picture, bars=(Bar(label=text, value=text, share=share(1, 9)),))
    with Image.open(io.BytesIO(og.draw(picture))) as opened:
        assert (opened.format, opened.size) == ("PNG", og.SIZE_PX)


def test_a_picture_is_small_enough_for_a_link() -> None:
    assert len(og.draw(PICTURE)) < 100_000


def test_every_page_has_a_picture_that_is_made(board: Sample) -> None:
    view = view_of(board, base_url=BASE_URL)
    made = {name for name, _ in og.said(view)}
    assert {og.name_of(view, page) for page in pages(view)} <= made


@pytest.mark.parametrize(
    ("template", "about", "name"),
    [
        ("statistics", (), "statistics"),
        ("statistics", ("two_up",), "kind-two_up"),
        ("place", ("campus",), "place-campus"),
        ("list", (Selection(kind="two_up"), 1), "kind-two_up"),
        ("list", (Selection(kind="two_up", place="campus"), 1), "place-campus"),
        ("list", (Selection(hour="18"), 1), "home"),
        ("law", (), "home"),
    ],
)
def test_a_page_shows_the_picture_of_what_it_is_about(
    board: Sample, template: str, about: tuple[object, ...], name: str
) -> None:
    assert og.name_of(view_of(board), Page(path="", template=template, section="", about=about)) == name


@pytest.mark.parametrize("exposure", [True, False])
@pytest.mark.parametrize("found", [True, False])
def test_every_state_of_a_board_has_its_pictures(tmp_path: Path, exposure: bool, found: bool) -> None:
    board = make_board(tmp_path / "board", weeks=1, violations=20, pictures=1, exposure=exposure, found=found)
    view = view_of(board, "en", BASE_URL)
    made = og.pictures({"en": view}, tmp_path)
    assert og.site_path("en", "home") in made


def test_pictures_are_drawn_once_and_leave_the_cache_with_what_they_said(
    board: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(board, base_url=BASE_URL)
    first = og.pictures({"ko": view}, tmp_path)
    assert len(list((tmp_path / "og").iterdir())) == len({file for file, _ in first.values()})
    with monkeypatch.context() as patch:
        patch.setattr(og, "draw", lambda picture: pytest.fail("drawn again"))
        assert og.pictures({"ko": view}, tmp_path) == first
    assert og.pictures({"ko": view_of(board)}, tmp_path) == {}
    assert list((tmp_path / "og").iterdir()) == []


def test_no_cell_of_too_few_is_drawn(tmp_path: Path) -> None:
    view = view_of(make_board(tmp_path, weeks=1, violations=4, pictures=1, exposure=False), base_url=BASE_URL)
    assert all(picture.share is None and not picture.bars for _, picture in og.said(view))
