"""The site's folder: only what is ours is replaced, and nothing is written outside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quitboard.errors import Locked, UsageError
from quitboard.site.generations import locked_target
from tests.site.building import built, files
from tests.site.sample_board import Sample


def test_a_folder_that_is_not_ours_is_refused_and_left_as_it_is(board: Sample, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match="not made by build-site"):
        built(board, out)
    assert [path.name for path in out.iterdir()] == ["holiday.jpg"]


def test_a_file_of_somebody_else_in_our_folder_stops_the_build_instead_of_vanishing(
    board: Sample, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    built(board, out)
    (out / "CNAME").write_text("example.org")
    with pytest.raises(UsageError, match="'CNAME'"):
        built(board, out)
    assert (out / "CNAME").read_text() == "example.org"


def test_a_link_inside_the_folder_leads_no_write_out_of_it(board: Sample, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    built(board, out)
    shutil.copytree(out / "law", elsewhere)
    shutil.rmtree(out / "law")
    (out / "law").symlink_to(elsewhere)
    (elsewhere / "index.html").write_text("not ours")
    with pytest.raises(UsageError):
        built(board, out)
    assert (elsewhere / "index.html").read_text() == "not ours"


def test_an_empty_folder_and_a_link_to_a_folder_are_built_into(board: Sample, site: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to("real")
    built(board, tmp_path / "site")
    assert (tmp_path / "site").is_symlink()
    assert files(tmp_path / "real") == files(site)


def test_a_second_build_at_the_same_time_is_told_to_wait(board: Sample, tmp_path: Path) -> None:
    with locked_target(tmp_path / "site"), pytest.raises(Locked):
        built(board, tmp_path / "site")


def test_a_folder_that_only_has_our_staging_s_name_is_left_alone(board: Sample, tmp_path: Path) -> None:
    (tmp_path / ".site.building").mkdir()
    (tmp_path / ".site.building" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="in the way"):
        built(board, tmp_path / "site")
    assert (tmp_path / ".site.building" / "mine").read_text() == "mine"
