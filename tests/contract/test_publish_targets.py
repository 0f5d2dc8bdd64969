"""Every target does the same: only what changed, in the safe order, whole, alone, and never what is not ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitboard.errors import DamageFound, Locked, NothingUsable, QuitBoardError, TargetRefused, UsageError
from quitboard.settings import PublishSettings, Settings
from quitboard.site.publish import git, ledger, s3
from quitboard.site.publish.opening import open_target
from quitboard.site.publish.run import publish, take_back
from tests.published import BUCKET, KINDS, Bucket, Folder, Place, Repository, broken_links, cases, make_site


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "s3":
        return Bucket(tmp_path, request.getfixturevalue("s3_endpoint"))
    return Repository(tmp_path) if request.param == "gh-pages" else Folder(tmp_path)


@pytest.fixture
def bucket(s3_endpoint: str, tmp_path: Path) -> Bucket:
    return Bucket(tmp_path, s3_endpoint)


def site_of(tmp_path: Path, *shown: str) -> Path:
    return make_site(tmp_path / "site", cases(*shown))


# --- what all of them do --------------------------------------------------------------------------------------------


def test_the_first_publish_brings_every_file_and_nothing_else(place: Place, tmp_path: Path) -> None:
    outcome = publish(site_of(tmp_path, "a1", "b1"), place.target())
    assert place.content() == cases("a1", "b1")
    assert outcome.plan.put_count == len(cases("a1", "b1"))


def test_an_unchanged_site_sends_nothing(place: Place, tmp_path: Path) -> None:
    site = site_of(tmp_path, "a1", "b1")
    publish(site, place.target())
    told: list[str] = []
    again = publish(site, place.target(), before_writing=told.append)
    assert (again.is_unchanged, told) == (True, [])


def test_only_what_changed_is_sent_and_what_is_gone_goes(place: Place, tmp_path: Path) -> None:
    publish(site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "f1"), place.target())
    sent: list[str] = []
    publish(
        site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "g1"),
        place.target(),
        progress=lambda path, _done, _total: sent.append(path),
    )
    assert place.content() == cases("a1", "b1", "c1", "d1", "e1", "g1")
    assert {path for path in sent if path.startswith(("media/", "v/"))} == {"media/g1/g1.jpg", "v/g/index.html"}


def test_a_file_is_sent_after_what_it_points_at_and_deleted_before(place: Place, tmp_path: Path) -> None:
    publish(site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "f1"), place.target())
    plan = publish(site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "g1"), place.target(), dry_run=True).plan
    order = [line.split(" ", 1) for line in plan.lines()]
    assert order == [
        ["put", "media/g1/g1.jpg"],
        ["put", "data/cases.csv"],
        ["put", "en/v/g/index.html"],
        ["put", "v/g/index.html"],
        ["put", "index.html"],
        ["put", "violations/all/index.html"],
        ["put", "feed.atom"],
        ["delete", "en/v/f/index.html"],
        ["delete", "v/f/index.html"],
        ["delete", "media/f1/f1.jpg"],
    ]


def test_a_dry_run_says_exactly_what_happens_and_does_nothing(place: Place, tmp_path: Path) -> None:
    publish(site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "f1"), place.target())
    before = place.content()
    site = site_of(tmp_path, "a2", "b1", "c1", "d1", "e1", "g1")
    said = publish(site, place.target(), dry_run=True).plan.lines()
    assert place.content() == before
    publish(site, place.target())
    after = place.content()
    assert {line for line in said if line.startswith("put")} == {
        f"put {path}" for path in after if before.get(path) != after[path]
    }
    assert {line for line in said if line.startswith("delete")} == {f"delete {path}" for path in before.keys() - after}


def test_a_site_that_lost_more_than_a_fifth_is_not_published_unless_told(place: Place, tmp_path: Path) -> None:
    publish(site_of(tmp_path, "a1", "b1", "c1"), place.target())
    smaller = site_of(tmp_path, "a1")
    with pytest.raises(TargetRefused, match=r"6 of 15 published files would be deleted.*--allow-delete"):
        publish(smaller, place.target())
    assert place.content() == cases("a1", "b1", "c1")
    publish(smaller, place.target(), allow_delete=True)
    assert place.content() == cases("a1")


def test_a_place_with_somebody_elses_files_is_left_alone(place: Place, tmp_path: Path) -> None:
    place.add_foreign("holiday.jpg")
    with pytest.raises(TargetRefused, match="QuitBoard did not put there"):
        publish(site_of(tmp_path, "a1"), place.target())
    assert place.content() == {"holiday.jpg": b"theirs"}


def test_of_two_who_publish_at_once_one_wins_and_the_other_is_told(place: Place, tmp_path: Path) -> None:
    first, second = place.target(), place.target(board="another")
    one, other = make_site(tmp_path / "one", cases("a1")), make_site(tmp_path / "other", cases("b1"))
    with pytest.raises(Locked) as refused:
        publish(other, second, before_writing=lambda _generation: _ignored(publish(one, first)))
    assert refused.value.exit_code == 75
    assert place.content() == cases("a1")
    publish(other, place.target(board="another"), allow_delete=True)
    assert place.content() == cases("b1")


def _ignored(_value: object) -> None:
    pass


def test_who_comes_while_another_is_at_work_is_told(place: Place, tmp_path: Path) -> None:
    one, other = make_site(tmp_path / "one", cases("a1", "b1")), make_site(tmp_path / "other", cases("c1"))
    refused: list[QuitBoardError] = []

    def come(_path: str, done: int, _total: int) -> None:
        if done == 2:
            with pytest.raises(Locked) as error:
                publish(other, place.target(board="another"), allow_delete=True)
            refused.append(error.value)

    if isinstance(place, Repository):  # a push is one step: whoever is first is done
        with pytest.raises(Locked):
            publish(one, place.target(), progress=_publishing(other, place))
        assert place.content() == cases("c1")
        return
    publish(one, place.target(), progress=come)
    assert place.content() == cases("a1", "b1")
    assert len(refused) == 1


def _publishing(site: Path, place: Place) -> Callable[[str, int, int], None]:
    def come(_path: str, done: int, _total: int) -> None:
        if done == 2:
            publish(site, place.target(board="another"))

    return come


def test_a_file_that_was_changed_since_the_build_is_never_sent(place: Place, tmp_path: Path) -> None:
    site = site_of(tmp_path, "a1")
    page = site / "v" / "a" / "index.html"
    stamp = page.stat()
    page.write_bytes(page.read_bytes().replace(b"doctype", b"DOCTYPE"))
    os.utime(page, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(DamageFound, match=r"v/a/index.html: the file is not what was built"):
        publish(site, place.target())
    assert "v/a/index.html" not in place.content()


def test_a_site_that_is_not_whole_is_not_published(place: Place, tmp_path: Path) -> None:
    site = site_of(tmp_path, "a1")
    (site / "v" / "a" / "index.html").unlink()
    with pytest.raises(DamageFound, match="build-site"):
        publish(site, place.target())
    with pytest.raises(NothingUsable, match="build-site"):
        publish(tmp_path / "nothing", place.target())
    assert place.content() == {}


def test_a_site_that_shows_what_was_withdrawn_is_not_published(place: Place, tmp_path: Path) -> None:
    with pytest.raises(TargetRefused, match="before a withdrawal"):
        publish(site_of(tmp_path, "a1", "b1"), place.target(), withdrawn=("media/b1/",))
    assert place.content() == {}


def test_what_is_taken_back_is_gone_and_the_target_says_so(place: Place, tmp_path: Path) -> None:
    site = site_of(tmp_path, "a1", "b1", "c1")
    publish(site, place.target())
    gone = ["v/b/index.html", "en/v/b/index.html", "media/b1/b1.jpg"]
    taken = take_back(place.target(), gone)
    assert taken.paths[0] == "media/b1/b1.jpg"
    left = {path: content for path, content in cases("a1", "b1", "c1").items() if path not in gone}
    assert place.content() == left
    assert not any(place.target().holds(path) for path in gone)
    assert place.target().read().sums.keys() == left.keys()
    take_back(place.target(), gone)  # again: nothing to do, no harm
    publish(site_of(tmp_path, "a1", "c1"), place.target())
    assert broken_links(place.content()) == []


def test_a_target_is_found_again_by_its_name_whatever_the_settings_say_by_then(place: Place, tmp_path: Path) -> None:
    target = place.target()
    publish(site_of(tmp_path, "a1"), target)
    later = open_target(target.name, Settings(), board=tmp_path / "board")
    assert later.name == target.name
    assert later.holds("media/a1/a1.jpg")


@pytest.mark.parametrize("text", [
    "s3://", "s3:///x", "s3://UPPER/x", "s3://a/x", "s3://my..bucket/x", "s3://bucket/../other", "s3://bucket/a//b",
    "s3://bucket/a/./b", "s3://bucket/a b", "s3://bucket/a%2e%2e", "s3://bucket/a?prefix=b", "s3://bucket/a#b",
    "s3://bucket/\n", "s3://bucket/" + "a" * 600, "http://example.org/", "ghpages", "",
    "gh-pages:--upload-pack=touch x", "gh-pages:ext::sh -c touch% x", "gh-pages:-x", "/tmp/\0",
])  # fmt: skip
def test_a_text_that_names_no_target_is_refused_before_anything_is_asked(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_target(text, Settings(), board=tmp_path)


# --- S3 -------------------------------------------------------------------------------------------------------------


def test_media_are_kept_a_day_pages_minutes_and_the_manifest_never(bucket: Bucket, tmp_path: Path) -> None:
    publish(site_of(tmp_path, "a1"), bucket.target())
    found = {path: (item["ContentType"], item["CacheControl"]) for path, item in bucket.objects().items()}
    assert found["media/a1/a1.jpg"] == ("image/jpeg", "public, max-age=86400")
    assert found["index.html"] == ("text/html; charset=utf-8", "public, max-age=300")
    assert found["assets/style.css"] == ("text/css; charset=utf-8", "public, max-age=300")
    assert found["data/cases.csv"][0] == "text/csv; charset=utf-8"
    assert found["feed.atom"][0] == "application/atom+xml; charset=utf-8"
    assert found[".quitboard/manifest.json"][1] == "no-store"


def test_a_neighbouring_prefix_is_never_touched(bucket: Bucket, tmp_path: Path) -> None:
    neighbour = Bucket(tmp_path, bucket.endpoint, text=f"{bucket.text}-2")
    publish(site_of(tmp_path, "a1", "b1"), neighbour.target())
    publish(site_of(tmp_path, "a1"), bucket.target())
    publish(site_of(tmp_path, "c1"), bucket.target(), allow_delete=True)
    assert neighbour.content() == cases("a1", "b1")


def test_the_lock_of_a_dead_machine_is_void_after_a_while(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_of(tmp_path, "a1")

    def die(_path: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(site, bucket.target(), progress=die)
    with pytest.raises(Locked, match=r"sign of life is \d+ s old"):
        publish(site, bucket.target(board="another"))
    monkeypatch.setattr(ledger, "LEASE_S", -1.0)
    publish(site, bucket.target(board="another"))
    assert bucket.content() == cases("a1")


def test_a_publisher_whose_lock_was_taken_over_stops(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "BEAT_S", 0.0)
    monkeypatch.setattr(ledger, "LEASE_S", -1.0)
    sleepy, awake = make_site(tmp_path / "one", cases("a1", "b1")), make_site(tmp_path / "other", cases("c1"))

    def taken_over(_path: str, done: int, _total: int) -> None:
        if done == 3:
            publish(awake, bucket.target(board="another"), allow_delete=True)

    with pytest.raises(Locked):
        publish(sleepy, bucket.target(), progress=taken_over)
    publish(awake, bucket.target(board="another"), allow_delete=True)
    assert broken_links(bucket.content()) == []


def test_every_kept_version_of_a_picture_is_taken_back(bucket: Bucket, tmp_path: Path) -> None:
    name = f"versions-{bucket.prefix[:8]}"
    bucket.client.create_bucket(Bucket=name)
    bucket.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    target = open_target(
        f"s3://{name}/board", Settings(publish=PublishSettings(endpoint_url=bucket.endpoint)), board=tmp_path
    )
    publish(site_of(tmp_path, "a1", "b1"), target)
    bucket.client.put_object(Bucket=name, Key="board/media/b1/b1.jpg", Body=b"an older one")
    taken = take_back(target, ["media/b1/b1.jpg"])
    listed = bucket.client.list_object_versions(Bucket=name, Prefix="board/media/")
    kept = {item["Key"] for item in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ()))}
    assert (kept, taken.caveats) == ({"board/media/a1/a1.jpg"}, ())


@pytest.mark.parametrize(("problem", "said"), [
    ("no bucket", "NoSuchBucket"), ("wrong key", "InvalidAccessKeyId"), ("wrong secret", "SignatureDoesNotMatch"),
    ("no key", "there is no key for it"), ("no server", "cannot be reached"), ("no profile", "cannot be reached"),
])  # fmt: skip
def test_what_the_server_says_is_told_in_words_with_what_to_do(
    problem: str, said: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, str] = {}
    bucket.shares_client = False
    if problem == "no bucket":
        bucket.text = "s3://no-such-bucket/board"
    elif problem == "wrong key":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    elif problem == "wrong secret":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    elif problem == "no key":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    elif problem == "no server":
        bucket.endpoint = "http://127.0.0.1:9"
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    else:
        settings = {"profile": "nobody"}
    with pytest.raises(TargetRefused, match=said) as refused:
        publish(site_of(tmp_path, "a1"), bucket.target(**settings))
    assert refused.value.todo
    assert refused.value.exit_code == 7


def test_what_a_cut_off_publish_left_is_found_and_not_sent_again(bucket: Bucket, tmp_path: Path) -> None:
    site = site_of(tmp_path, *(f"{letter}1" for letter in "abcdefghijklmnopqrst"))

    def cut_off(_path: str, done: int, _total: int) -> None:
        if done == 20:  # all pictures of the stage are there by then
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(site, bucket.target(), progress=cut_off)
    there = bucket.content()
    plan = publish(site, bucket.target()).plan
    assert plan.settled == there.keys()
    assert plan.put_count == len(cases(*(f"{letter}1" for letter in "abcdefghijklmnopqrst"))) - len(there)


def test_a_server_that_overwrites_what_it_must_not_is_found_out(bucket: Bucket, tmp_path: Path) -> None:
    bucket.shares_client = False
    target = bucket.target()
    assert isinstance(target, s3.S3Target)

    def forget(params: dict[str, Any], **_named: object) -> None:
        params["headers"].pop("If-None-Match", None)

    target.client.meta.events.register("before-call.s3.PutObject", forget)
    with pytest.raises(TargetRefused, match="does not know conditional writes"):
        publish(site_of(tmp_path, "a1"), target)
    assert bucket.content() == {}


def test_a_lock_whose_answer_was_lost_and_that_was_asked_for_again_is_ours(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = bucket.target()
    assert isinstance(target, s3.S3Target)
    send = target.client._make_api_call
    twice: list[str] = []

    def sent_twice(operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "PutObject" and {"IfMatch", "IfNoneMatch"} & arguments.keys() and not twice[2:]:
            twice.append(operation)
            send(operation, arguments)
        return send(operation, arguments)

    publish(site_of(tmp_path, "a1"), bucket.target())
    monkeypatch.setattr(target.client, "_make_api_call", sent_twice)
    publish(site_of(tmp_path, "a1", "b1"), target)
    assert len(twice) == 3
    assert bucket.content() == cases("a1", "b1")


def test_a_lost_list_of_sums_costs_a_look_at_what_is_there_and_no_upload(bucket: Bucket, tmp_path: Path) -> None:
    site = site_of(tmp_path, "a1", "b1")
    publish(site, bucket.target())
    lists = [key for key in bucket.objects() if key.startswith(".quitboard/sums/")]
    assert len(lists) == 1
    bucket.client.delete_object(Bucket=BUCKET, Key=bucket.prefix + lists[0])
    smaller = site_of(tmp_path, "a1")
    plan = publish(smaller, bucket.target(), allow_delete=True).plan
    assert {line for line in plan.lines() if "b1" in line} == {"delete media/b1/b1.jpg"}
    assert bucket.content() == cases("a1")
    assert publish(smaller, bucket.target()).is_unchanged


def test_of_old_lists_of_sums_none_stays(bucket: Bucket, tmp_path: Path) -> None:
    for shown in (("a1",), ("a2",), ("a1", "b1")):
        publish(site_of(tmp_path, *shown), bucket.target(), allow_delete=True)
    take_back(bucket.target(), ["media/b1/b1.jpg"])
    assert len([key for key in bucket.objects() if key.startswith(".quitboard/sums/")]) == 1


# --- GitHub Pages -----------------------------------------------------------------------------------------------------


def test_the_same_site_is_the_same_commit_without_a_parent(tmp_path: Path) -> None:
    one, other = Repository(tmp_path / "1"), Repository(tmp_path / "2")
    for repository in (one, other):
        publish(site_of(tmp_path, "a1"), repository.target(cname="board.example.org"))
    commits = [repository.git("rev-parse", "gh-pages") for repository in (one, other)]
    assert commits[0] == commits[1]
    publish(site_of(tmp_path, "a1", "b1"), one.target(cname="board.example.org"))
    assert one.git("rev-list", "--count", "gh-pages") == b"1\n"
    assert one.content().keys() - cases("a1", "b1").keys() == {"CNAME"}
    assert one.content()["CNAME"] == b"board.example.org\n"


def test_what_is_taken_back_is_in_no_object_once_git_has_pruned(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    publish(site_of(tmp_path, "a1", "b1"), repository.target())
    blob = repository.git("rev-parse", "gh-pages:media/b1/b1.jpg").decode().strip()
    taken = take_back(repository.target(), ["media/b1/b1.jpg"])
    assert "GitHub may serve an old commit" in taken.caveats[0]
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("cat-file", "-e", blob)
    assert not list((tmp_path / "board").rglob("*.pack"))


def test_only_new_objects_are_pushed_without_a_copy_of_the_old_ones(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    publish(site_of(tmp_path, *(f"{letter}1" for letter in "abcdefgh")), repository.target())
    before = set(repository.git("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    site = site_of(tmp_path, *(f"{letter}1" for letter in "abcdefghi"))
    pushed = publish(site, repository.target()).plan.put_count
    after = set(repository.git("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    new = [line for line in after - before if b" blob " in line]
    assert len(new) <= pushed + 1  # and the list of sums


def test_a_server_that_cannot_leave_files_out_does_as_well(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.git("config", "uploadpack.allowFilter", "false")
    publish(site_of(tmp_path, "a1", "b1", "c1"), repository.target())
    publish(site_of(tmp_path, "a1", "b2", "c1"), repository.target())
    assert repository.content() == cases("a1", "b2", "c1")
    assert publish(site_of(tmp_path, "a1", "b2", "c1"), repository.target()).is_unchanged


def test_a_domain_that_changed_is_published_though_the_site_did_not(tmp_path: Path) -> None:
    repository, site = Repository(tmp_path), site_of(tmp_path, "a1")
    publish(site, repository.target())
    publish(site, repository.target(cname="board.example.org"))
    assert repository.content()["CNAME"] == b"board.example.org\n"
    publish(site, repository.target())
    assert "CNAME" not in repository.content()


def test_a_site_too_heavy_for_github_says_what_weighs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git.GitTarget, "most_bytes", 2000)
    heavy = make_site(tmp_path / "site", {**cases("a1"), "media/big.gif": b"x" * 2000})
    with pytest.raises(TargetRefused, match=r"most of it: \.gif.*evidence_days"):
        publish(heavy, Repository(tmp_path).target())


@pytest.mark.parametrize("wrong", [{"branch": "a:b"}, {"branch": "--force"}, {"branch": "a..b"}, {"cname": "a\nb"}])
def test_a_branch_or_domain_that_is_none_is_refused(wrong: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Repository(tmp_path).target(**wrong)


def test_what_git_is_lent_in_the_environment_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow to copy lends git a token so; here an address is rewritten to our repository's."""
    repository = Repository(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    settings = Settings(publish=PublishSettings(repository="https://github.com/remote.git"))
    publish(site_of(tmp_path, "a1"), open_target("gh-pages", settings, board=tmp_path / "board"))
    assert repository.content() == cases("a1")


def test_a_token_in_the_address_is_never_told(tmp_path: Path) -> None:
    settings = Settings(publish=PublishSettings(repository="https://user:s3cret@127.0.0.1:9/x.git"))
    target = open_target("gh-pages", settings, board=tmp_path)
    assert target.name == "gh-pages:https://127.0.0.1:9/x.git#gh-pages"
    with pytest.raises(TargetRefused) as refused:
        target.read()
    target.close()
    assert "s3cret" not in str(refused.value)


# --- a folder ---------------------------------------------------------------------------------------------------------


def test_a_link_on_the_way_is_not_followed(tmp_path: Path) -> None:
    place, elsewhere = Folder(tmp_path), tmp_path / "elsewhere"
    publish(site_of(tmp_path, "a1", "b1", "c1", "d1", "e1", "f1"), place.target())
    (place.root / "v" / "a").rename(elsewhere)
    (place.root / "v" / "a").symlink_to(elsewhere)
    (elsewhere / "index.html").write_bytes(b"precious")
    with pytest.raises(TargetRefused, match="a link or a file is in the way"):
        publish(site_of(tmp_path, "a2", "b1", "c1", "d1", "e1", "f1"), place.target())
    with pytest.raises(TargetRefused, match="a link or a file is in the way"):
        publish(site_of(tmp_path, "b1", "c1", "d1", "e1", "f1"), place.target())
    assert (elsewhere / "index.html").read_bytes() == b"precious"


def test_a_link_in_the_place_of_a_file_is_replaced_not_written_through(tmp_path: Path) -> None:
    place, precious = Folder(tmp_path), tmp_path / "precious"
    publish(site_of(tmp_path, "a1"), place.target())
    precious.write_bytes(b"precious")
    (place.root / "index.html").unlink()
    (place.root / "index.html").symlink_to(precious)
    publish(site_of(tmp_path, "a1", "b1"), place.target())
    assert precious.read_bytes() == b"precious"
    assert place.content() == cases("a1", "b1")


def test_a_file_of_somebody_elses_stays_and_is_never_overwritten(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    publish(site_of(tmp_path, "a1"), place.target())
    place.add_foreign("robots.txt")
    publish(site_of(tmp_path, "a1", "b1"), place.target())
    assert place.content() == {**cases("a1", "b1"), "robots.txt": b"theirs"}
    (place.root / "v" / "c").mkdir()
    (place.root / "v" / "c" / "index.html").write_bytes(b"theirs")
    with pytest.raises(TargetRefused, match=r"v/c/index.html: a file that QuitBoard did not put there"):
        publish(site_of(tmp_path, "a1", "b1", "c1"), place.target())


def test_a_stick_that_is_not_plugged_in_is_not_made_up(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "stick" / "board"), Settings(), board=tmp_path)
    with pytest.raises(TargetRefused, match="Mount the disk"):
        publish(site_of(tmp_path, "a1"), target)
    assert not (tmp_path / "stick").exists()


def test_empty_folders_do_not_stay_behind(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    publish(site_of(tmp_path, "a1", "b1"), place.target())
    publish(site_of(tmp_path, "a1"), place.target(), allow_delete=True)
    assert not (place.root / "media" / "b1").exists()
    assert not (place.root / "v" / "b").exists()
