"""A board publishes: who answers for it, what is remembered, and the way back."""

from __future__ import annotations

import dataclasses
import http.server
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quitboard.cli import app
from quitboard.console import Talk
from quitboard.database import withdrawals
from quitboard.database.connection import opened
from quitboard.errors import Locked, SettingsError, TargetRefused, UsageError
from quitboard.operate import due, publishing
from quitboard.operate.boards import Board, init, open_board
from quitboard.site.publish import run
from quitboard.site.publish.folder import FolderTarget
from tests.published import Bucket, Folder, cases, make_site

ANSWERED_FOR = '[board]\noperator = "모임"\ncontact = "a@example.org"\n[publish]\nconsent = true\n'
QUIET = Talk(quiet=True, as_json=True)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """A board somebody answers for, with an empty database and a small site."""
    folder = tmp_path / "board"
    init(folder)
    (folder / "quitboard.toml").write_text(ANSWERED_FOR)
    board = open_board(folder)
    with opened(board.database):
        pass
    make_site(board.site, cases("a1", "b1"))
    return board


@pytest.fixture
def public(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def remembered(board: Board) -> list[str]:
    with opened(board.database) as connection:
        return withdrawals.targets(connection)


def rows(board: Board) -> int:
    with opened(board.database) as connection:
        return int(connection.execute("SELECT count(*) FROM publication").fetchone()[0])


@pytest.mark.parametrize(("missing", "named"), [
    ("consent = true", "[publish] consent = true"), ('operator = "모임"', "[board] operator"),
    ('contact = "a@example.org"', "[board] contact"),
])  # fmt: skip
def test_nothing_leaves_until_somebody_answers_for_it(missing: str, named: str, board: Board, public: Folder) -> None:
    (board.folder / "quitboard.toml").write_text(ANSWERED_FOR.replace(missing, ""))
    with pytest.raises(TargetRefused) as refused:
        publishing.publish(open_board(board.folder), [public.text], talk=QUIET)
    assert named in str(refused.value)
    assert "30 days" in refused.value.todo
    assert refused.value.exit_code == 7
    assert not public.root.exists()
    assert remembered(board) == []


def test_a_target_is_remembered_before_the_first_byte_leaves(
    board: Board, public: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FolderTarget, "begin", cut_off)
    with pytest.raises(KeyboardInterrupt):
        publishing.publish(board, [public.text], talk=QUIET)
    assert remembered(board) == [str(public.root)]


def test_what_changes_nothing_is_not_remembered_twice(board: Board, public: Folder) -> None:
    publishing.publish(board, [public.text], talk=QUIET)
    publishing.publish(board, [public.text], talk=QUIET)
    publishing.publish(board, [public.text], talk=QUIET, dry_run=True)
    assert rows(board) == 1


def test_without_a_target_those_of_the_settings_are_meant(board: Board, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no target is named"):
        publishing.publish(board, [], talk=QUIET)
    both = [str(tmp_path / "one"), str(tmp_path / "two")]
    (board.folder / "quitboard.toml").write_text(f"{ANSWERED_FOR}targets = {json.dumps(both)}\n")
    assert [done.target for done in publishing.publish(open_board(board.folder), [], talk=QUIET)] == both


def test_a_board_is_published_by_one_at_a_time(board: Board, public: Folder) -> None:
    with due.alone(board), pytest.raises(Locked):
        publishing.publish(board, [public.text], talk=QUIET)


@pytest.mark.parametrize("text", ["site", "./site/public", "media", "bundles/x", ".", ".."])
def test_a_board_is_not_published_into_itself(text: str, board: Board) -> None:
    for name in ("media", "bundles"):
        (board.folder / name).mkdir()
    with pytest.raises(UsageError):
        publishing.publish(board, [text if "/" in text or "." in text else f"./{text}"], talk=QUIET)


def test_a_domain_and_an_address_that_disagree_are_a_mistake(board: Board, public: Folder) -> None:
    text = f'{ANSWERED_FOR}cname = "board.example.org"\n[site]\nbase_url = "https://x.github.io/board/"\n'
    (board.folder / "quitboard.toml").write_text(text)
    with pytest.raises(SettingsError, match="name two hosts"):
        publishing.publish(open_board(board.folder), [public.text], talk=QUIET)


def test_an_owner_without_base_url_is_told_what_is_missing(board: Board, public: Folder) -> None:
    assert "feeds, sitemap" in publishing.remarks(board, [public.target()])[0]
    site = dataclasses.replace(board.settings.site, base_url="https://example.org/")
    with_address = dataclasses.replace(board, settings=dataclasses.replace(board.settings, site=site))
    assert publishing.remarks(with_address, [public.target()]) == []


# --- the way back ---------------------------------------------------------------------------------------------------


def test_a_roll_back_publishes_the_site_before_the_published_one(board: Board, public: Folder) -> None:
    for shown in (("a1", "b1"), ("a2", "b1"), ("a3", "b1")):
        make_site(board.site, cases(*shown))
        publishing.publish(board, [public.text], talk=QUIET)
    publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    assert public.content() == cases("a2", "b1")
    publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    assert public.content() == cases("a1", "b1")
    with pytest.raises(UsageError, match="no earlier"):
        publishing.publish(board, [public.text], talk=QUIET, rollback=True)


def test_a_roll_back_that_was_cut_off_goes_back_once_not_twice(
    board: Board, public: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shown in (("a1", "b1"), ("a2", "b1"), ("a3", "b1")):
        make_site(board.site, cases(*shown))
        publishing.publish(board, [public.text], talk=QUIET)

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_carry_out", cut_off)
    with pytest.raises(KeyboardInterrupt):
        publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    monkeypatch.undo()
    publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    assert public.content() == cases("a2", "b1")


def test_several_targets_roll_back_together(board: Board, tmp_path: Path) -> None:
    both = [str(tmp_path / "one"), str(tmp_path / "two")]
    for shown in (("a1", "b1"), ("a2", "b1")):
        make_site(board.site, cases(*shown))
        publishing.publish(board, both, talk=QUIET)
    publishing.publish(board, both, talk=QUIET, rollback=True)
    assert [(Path(text) / "v/a/index.html").read_bytes() for text in both] == [cases("a1")["v/a/index.html"]] * 2


def test_a_roll_back_does_not_guess_where_the_site_was_built_since(board: Board, public: Folder) -> None:
    publishing.publish(board, [public.text], talk=QUIET)
    make_site(board.site, cases("a2", "b1"))
    with pytest.raises(UsageError, match="built since it was published"):
        publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    assert public.content() == cases("a1", "b1")


def test_a_roll_back_never_goes_past_a_withdrawal(board: Board, public: Folder) -> None:
    for shown in (("a1", "b1"), ("a2", "b1")):
        make_site(board.site, cases(*shown))
        publishing.publish(board, [public.text], talk=QUIET)
    with opened(board.database) as connection:
        connection.execute("INSERT INTO withdrawal VALUES ('b', 'c', now(), now(), 'asked', now())")
    with pytest.raises(UsageError, match="withdrawn"):
        publishing.publish(board, [public.text], talk=QUIET, rollback=True)
    assert public.content() == cases("a2", "b1")


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_the_steps_of_a_dry_run_and_json(board: Board, public: Folder) -> None:
    def called(*words: str) -> str:
        result = CliRunner().invoke(app, ["publish", public.text, "--board", str(board.folder), *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "put media/a1/a1.jpg" in called("--dry-run").splitlines()
    assert not public.root.exists()
    (done,) = json.loads(called("--json"))
    assert (done["put"], done["deleted"], done["target"]) == (len(cases("a1", "b1")), 0, str(public.root))
    assert "nothing to do" in called()


def test_without_boto3_it_says_what_to_install(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(TargetRefused, match=r"pip install 'quitboard\[s3\]'"):
        publishing.publish(board, ["s3://my-bucket/board"], talk=QUIET)


def test_without_git_it_says_so(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    (board.folder / "quitboard.toml").write_text(f'{ANSWERED_FOR}repository = "git@example.org:x.git"\n')
    monkeypatch.setenv("PATH", "/nowhere")
    assert shutil.which("git") is None
    with pytest.raises(TargetRefused, match="Install git"):
        publishing.publish(open_board(board.folder), ["gh-pages"], talk=QUIET)


# --- CloudFront, spoken to as boto3 speaks to it ----------------------------------------------------------------------


@pytest.fixture
def cloudfront(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The requests that a server in CloudFront's place was sent."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append(f"{self.path} {body}")
            answer = b"<Invalidation><Id>I1</Id><Status>InProgress</Status></Invalidation>"
            self.send_response(201)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_changed_or_was_taken_back_is_refreshed_at_cloudfront_before_the_publish_ends(
    s3_endpoint: str, cloudfront: list[str], tmp_path: Path
) -> None:
    bucket = Bucket(tmp_path, s3_endpoint)
    site = make_site(tmp_path / "site", cases("a1", "b1"))
    run.publish(site, bucket.target(cloudfront_distribution="E2X"))
    assert len(cloudfront) == 1
    assert cloudfront[0].startswith("/2020-05-31/distribution/E2X/invalidation ")
    assert f"<Path>/{bucket.prefix}*</Path>" in cloudfront[0]
    run.publish(site, bucket.target(cloudfront_distribution="E2X"))
    assert len(cloudfront) == 1
    run.take_back(bucket.target(cloudfront_distribution="E2X"), ["media/a1/a1.jpg"])
    assert len(cloudfront) == 2


def test_one_target_that_refuses_does_not_keep_the_others_waiting(
    board: Board, public: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing = [str(tmp_path / name / "public") for name in ("one", "two")]  # the folder above is not there
    with pytest.raises(TargetRefused, match="one"):
        publishing.publish(board, [*refusing, public.text], talk=Talk())
    assert public.content() == cases("a1", "b1")
    assert str(tmp_path / "two") in capsys.readouterr().err
