"""A withdrawal reaches every copy of a board and of a folder that it was published to, and holds from then on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quitboard import bundle, files
from quitboard.cli import app
from quitboard.database.connection import opened
from quitboard.errors import TargetRefused, UsageError
from quitboard.operate import pipeline, verify
from quitboard.operate.boards import Board, open_board
from quitboard.operate.withdraw import Outcome, withdraw
from quitboard.records import ModelCard
from quitboard.site import generations
from quitboard.site.media import stem_of
from tests import bundles, withdrawn_board
from tests.withdrawn_board import ASKED, DAY, OTHERS, QUIET, SAME_PICTURE, SAME_SECONDS, SOURCE

NEWER = ModelCard(name="newer", sha256="b" * 64)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    withdrawn_board.make(folder / "board")
    return folder


@pytest.fixture
def board(start: Path, tmp_path: Path) -> Board:
    shutil.copytree(start / "board", tmp_path / "board")
    return open_board(tmp_path / "board")


@pytest.fixture
def public(board: Board) -> Path:
    folder = board.folder.parent / "public"
    withdrawn_board.publish(board, str(folder))
    return folder


def take_back(board: Board, *ids: str, **options: object) -> Outcome:
    return withdraw(board, ids or (ASKED.id,), reason="asked by mail", talk=QUIET, **options)  # type: ignore[arg-type]


def names_of(board: Board) -> dict[str, tuple[str, str, str]]:
    with opened(board.database, read_only=True) as connection:
        return {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT id, still_sha256, clip_sha256, evidence_note FROM violation_info"
            ).fetchall()
        }


def test_one_command_takes_a_case_back_everywhere_and_asks_the_target(board: Board, public: Path) -> None:
    outcome = take_back(board)
    assert [(one.id, one.why) for one in outcome.struck] == [
        (ASKED.id, "asked"), (SAME_PICTURE.id, "same picture"), (SAME_SECONDS.id, "same seconds"),
    ]  # fmt: skip
    (target,) = outcome.targets
    assert (target.name, target.problem) == (str(public), "")
    assert target.media_gone_s is not None
    assert target.media_gone_s < outcome.seconds
    assert not outcome.left
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), board.folder, public) == []
    for root in (board.site, public):
        for page in (f"v/{ASKED.id}", f"en/v/{ASKED.id}", f"withdrawn/{ASKED.id}", f"v/{SAME_SECONDS.id}"):
            text = (root / page / "index.html").read_text()
            assert "noindex" in text or "withdrawn" in text
            assert SOURCE.camera_id not in text
    assert all(not check.problem for check in verify.verify(board, []))


def test_other_cases_keep_their_pages_and_pictures(board: Board, public: Path) -> None:
    before = names_of(board)
    take_back(board)
    after = names_of(board)
    assert {one.id: after[one.id] for one in OTHERS} == {one.id: before[one.id] for one in OTHERS}
    for one in OTHERS:
        assert (public / f"v/{one.id}/index.html").is_file()
    kept = withdrawn_board.encodings(board, withdrawn_board.other_pictures())
    for root in (board.site, public):
        assert len(withdrawn_board.holding(kept, root)) >= len(set(kept))


def test_the_site_keeps_an_address_that_was_named_on_the_command_line_alone(board: Board) -> None:
    pipeline.build_site(board, None, talk=QUIET, base_url="https://example.org/board/")
    take_back(board)
    assert "https://example.org/board/" in (board.site / "sitemap.xml").read_text()


def test_a_case_with_the_same_picture_is_shown_on_without_it(board: Board, public: Path) -> None:
    take_back(board)
    assert names_of(board)[SAME_PICTURE.id] == ("", "", "withdrawn")
    page = (public / f"v/{SAME_PICTURE.id}/index.html").read_text()
    assert SOURCE.camera_id in page
    assert not any(stem_of(files.sha256_bytes(one)) in page for one in withdrawn_board.secret_pictures())


def test_statistics_still_count_what_was_withdrawn(board: Board) -> None:
    with opened(board.database, read_only=True) as connection:
        before = connection.execute("FROM rates_by_kind ORDER BY kind").fetchall()
    take_back(board)
    with opened(board.database, read_only=True) as connection:
        assert connection.execute("FROM rates_by_kind ORDER BY kind").fetchall() == before


def test_a_second_time_nothing_is_done_and_that_is_said(board: Board, public: Path) -> None:
    take_back(board)
    before = withdrawn_board.state(board, public)
    again = take_back(board)
    assert again.already == (ASKED.id,)
    assert again.is_nothing
    assert list(again.lines()) == [
        f"{ASKED.id}: withdrawn already", "nothing to do: what was withdrawn is gone everywhere",
    ]  # fmt: skip
    assert withdrawn_board.state(board, public) == before
    assert withdraw(board, (), reason="", talk=QUIET).is_nothing


def test_a_dry_run_says_all_of_it_and_changes_no_byte(board: Board, public: Path) -> None:
    before = withdrawn_board.state(board, public)
    zips = {path: path.read_bytes() for path in board.bundles.rglob("*.zip")}
    planned = take_back(board, dry_run=True)
    assert withdrawn_board.state(board, public) == before
    assert {path: path.read_bytes() for path in board.bundles.rglob("*.zip")} == zips
    done = take_back(board)
    assert planned.struck == done.struck
    assert planned.bundles == done.bundles
    assert len(planned.bundles) == 2
    assert [target.name for target in planned.targets] == [target.name for target in done.targets]
    assert "would be withdrawn" in "\n".join(planned.lines())


@pytest.mark.parametrize(
    ("text", "todo"),
    [
        ("f" * 32, "Nothing was withdrawn"),
        (ASKED.id[:10], f"Did you mean {ASKED.id}"),
        (f"{ASKED.id[:-2]}zz".replace("z", "0"), ASKED.id),
    ],
)
def test_an_unknown_id_withdraws_nothing_and_the_nearest_is_named(board: Board, text: str, todo: str) -> None:
    before = names_of(board)
    with pytest.raises(UsageError, match="knows no case") as caught:
        take_back(board, ASKED.id, text)
    assert todo in caught.value.todo
    assert names_of(board) == before
    with opened(board.database, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM withdrawal").fetchone() == (0,)


@pytest.mark.parametrize("reason", ["", "   ", "two\nlines", "x" * 1001])
def test_a_reason_is_one_short_line(board: Board, reason: str) -> None:
    with pytest.raises(UsageError):
        withdraw(board, (ASKED.id,), reason=reason, talk=QUIET)
    assert names_of(board)[ASKED.id][0]


def test_the_reason_is_nowhere_but_in_the_database(board: Board, public: Path) -> None:
    secret = "Frau Beispiel rief am 3. Mai an"
    withdraw(board, (ASKED.id,), reason=secret, talk=QUIET)
    assert withdrawn_board.holding([secret.encode()], board.folder, public) == ["board.duckdb"]


# --- it holds --------------------------------------------------------------------------------------------------------


def test_the_bundle_that_brought_it_does_not_bring_it_back(board: Board, start: Path, public: Path) -> None:
    take_back(board)
    done = sorted((start / "board" / "bundles" / "done").glob("*.zip"))
    assert len(done) == 2
    for path in done:
        shutil.copyfile(path, board.bundles / path.name)
        pipeline.ingest(board, [board.bundles], talk=QUIET)
    pipeline.build_site(board, None, talk=QUIET)
    withdrawn_board.publish(board, str(public))
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), board.folder, public) == []


def test_a_newer_models_bundle_brings_no_picture_of_those_seconds(board: Board, public: Path) -> None:
    take_back(board)
    again = bundles.replace(ASKED, id="9" * 32, started_at=ASKED.started_at.replace(microsecond=400_000))
    rows, media = bundles.pictured([again, *OTHERS], first=900)
    bundles.make(board.bundles / "newer.zip", recordings=[SOURCE], violations=rows, media=media, day=DAY, model=NEWER)
    pipeline.ingest(board, [board.bundles], talk=QUIET)
    pipeline.build_site(board, None, talk=QUIET)
    withdrawn_board.publish(board, str(public))
    secret = [bundles.jpeg(900), bundles.gif(900)]
    assert withdrawn_board.holding(secret, board.folder, public) == []
    assert names_of(board)["9" * 32] == ("", "", "withdrawn")
    assert not (public / "v" / ("9" * 32)).exists()
    assert (public / f"v/{ASKED.id}/index.html").is_file()


def test_another_cameras_bundle_with_the_same_picture_comes_in_without_it(board: Board) -> None:
    take_back(board)
    camera = bundles.replace(bundles.CAMERA, id="gate-4")
    source = bundles.recording("elsewhere", camera=camera, day=DAY)
    rows, media = bundles.pictured([bundles.violation(1800, source)])  # its pictures are number 0, as ASKED's
    bundles.make(
        board.bundles / "elsewhere.zip", recordings=[source], violations=rows, media=media, camera=camera, day=DAY
    )
    pipeline.ingest(board, [board.bundles], talk=QUIET)
    assert names_of(board)[rows[0].id] == ("", "", "withdrawn")
    assert withdrawn_board.holding([bundles.jpeg(0), bundles.gif(0)], board.folder) == []


def test_a_board_whose_database_was_lost_learns_the_withdrawal_from_its_struck_bundles(board: Board) -> None:
    take_back(board)
    board.database.unlink()
    for path in sorted((board.bundles / "done").glob("*.zip")):
        shutil.move(path, board.bundles / path.name)
        pipeline.ingest(board, [board.bundles], talk=QUIET)
    pipeline.build_site(board, None, talk=QUIET)
    assert "내려" in (board.site / f"v/{ASKED.id}/index.html").read_text()
    rows, media = bundles.pictured([bundles.replace(ASKED, id="8" * 32)], first=900)
    bundles.make(board.bundles / "n.zip", recordings=[SOURCE], violations=rows, media=media, day=DAY, model=NEWER)
    pipeline.ingest(board, [board.bundles], talk=QUIET)
    secret = [*withdrawn_board.secret_pictures(), bundles.jpeg(900), bundles.gif(900)]
    assert withdrawn_board.holding(secret, board.folder) == []


def test_struck_bundles_are_sound_and_known_as_what_they_were(board: Board, start: Path) -> None:
    take_back(board)
    for path in sorted((board.bundles / "done").glob("*.zip")):
        before = bundle.verify(start / "board" / "bundles" / "done" / path.name)
        assert bundle.verify(path) == before
        shutil.copyfile(path, board.bundles / path.name)
    report = pipeline.ingest(board, [board.bundles], talk=QUIET)
    assert not report.set_aside
    assert len(report.unchanged) == 1  # the newer of the two; the older one takes its place and goes again


def test_a_restored_backup_of_the_media_folder_is_found_and_struck_again(board: Board, start: Path) -> None:
    take_back(board)
    shutil.copytree(start / "board" / "media", board.media, dirs_exist_ok=True)
    shutil.copytree(start / "board" / "bundles", board.bundles, dirs_exist_ok=True)
    problems = [check.problem for check in verify.verify(board, []) if check.name == "withdrawn"]
    assert "Run: quitboard withdraw" in problems[0]
    withdraw(board, (), reason="", talk=QUIET)
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), board.folder) == []
    assert all(not check.problem for check in verify.verify(board, []) if check.name == "withdrawn")


def test_a_restored_database_learns_what_was_withdrawn_since(board: Board, public: Path) -> None:
    remembered = board.database.read_bytes()
    take_back(board)
    board.database.write_bytes(remembered)
    pipeline.ingest(board, sorted((board.bundles / "done").glob("*.zip")), talk=QUIET)
    withdraw(board, (), reason="", talk=QUIET)
    assert names_of(board)[ASKED.id] == ("", "", "withdrawn")
    assert "내려" in (public / f"v/{ASKED.id}/index.html").read_text()
    assert all(not check.problem for check in verify.verify(board, []))


def test_a_rollback_never_goes_past_a_withdrawal(board: Board) -> None:
    take_back(board)
    assert generations.kept(board.site) == []
    with pytest.raises(UsageError):
        generations.roll_back(board.site, [ASKED.id])


def test_detect_at_work_leaves_its_journal_due_and_the_next_run_clears_it(board: Board) -> None:
    with files.locked(board.bundles / ".journal" / "lock", what="output folder"):
        outcome = take_back(board)
    assert [one.name for one in outcome.left] == ["detect"]
    assert (
        withdrawn_board.holding(withdrawn_board.secret_pictures(), board.site, board.media, board.bundles / "done")
        == []
    )
    assert "still due" in next(check.problem for check in verify.verify(board, []) if check.name == "withdrawn")
    assert not withdraw(board, (), reason="", talk=QUIET).left
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), board.folder) == []


def test_a_rejected_zip_that_holds_the_picture_goes_and_others_stay(board: Board) -> None:
    rejected = board.bundles / "rejected"
    rejected.mkdir()
    (rejected / "torn.zip").write_bytes(next(board.bundles.rglob("*.zip")).read_bytes()[:-40])
    (rejected / "other.zip").write_bytes(b"PK, but nothing of it")
    (rejected / "empty.zip").write_bytes(b"")
    take_back(board)
    assert [path.name for path in sorted(rejected.iterdir())] == ["empty.zip", "other.zip"]


# --- targets ---------------------------------------------------------------------------------------------------------


def test_a_target_that_cannot_be_reached_stays_due_and_the_rest_is_done(board: Board, public: Path) -> None:
    away = public.with_name("away")
    other = public.with_name("stick") / "site"
    other.parent.mkdir()
    withdrawn_board.publish(board, str(other))
    other.parent.rename(away)

    outcome = take_back(board)

    assert {target.name: bool(target.problem) for target in outcome.targets} == {str(public): False, str(other): True}
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), board.folder, public) == []
    result = CliRunner().invoke(app, ["withdraw", "--board", str(board.folder), "--json"])
    assert isinstance(result.exception, TargetRefused)
    assert result.exception.exit_code == 7
    assert json.loads(result.stdout)["targets"][0]["problem"]
    away.rename(other.parent)
    outcome = withdraw(board, (), reason="", talk=QUIET)
    assert [(target.name, target.problem) for target in outcome.targets] == [(str(other), "")]
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), other) == []


def test_without_consent_media_and_pages_go_all_the_same(board: Board, public: Path) -> None:
    (board.folder / "quitboard.toml").write_text(withdrawn_board.SETTINGS.replace("true", "false"))
    outcome = take_back(open_board(board.folder))
    (target,) = outcome.targets
    assert "publishing is off" in target.problem
    assert withdrawn_board.holding(withdrawn_board.encodings(board, withdrawn_board.secret_pictures()), public) == []
    assert not (public / f"v/{ASKED.id}/index.html").exists()


def test_the_next_publish_finishes_what_was_due(board: Board, public: Path) -> None:
    away = public.with_name("away")
    public.rename(away)
    public.write_text("in the way")
    assert take_back(board).targets[0].problem
    public.unlink()
    away.rename(public)
    withdrawn_board.publish(board, str(public))
    assert withdrawn_board.holding(withdrawn_board.secret_pictures(), public) == []
    assert withdraw(board, (), reason="", talk=QUIET).is_nothing


# --- as a user -------------------------------------------------------------------------------------------------------


def test_the_command_takes_a_pasted_link_and_says_what_it_did(board: Board, public: Path) -> None:
    link = f"https://example.org/board/en/v/{ASKED.id}/index.html?x=1"
    words = ["withdraw", link, "--reason", "asked", "--board", str(board.folder), "--json", "-q"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["asked"] == [ASKED.id]
    assert [target["name"] for target in told["targets"]] == [str(public)]
    assert told["left"] == []
    assert not os.path.lexists(public / "media" / "nothing")
