"""The order of a publish, and what a manifest says: pure functions."""

from __future__ import annotations

import json

import pytest

from quitboard.errors import TargetRefused
from quitboard.site.publish.ledger import Manifest
from quitboard.site.publish.plan import Stage, guard, plan, stage_of
from quitboard.site.publish.s3 import headers_of, parse_place
from quitboard.site.publish.target import IN_DOUBT, read_sums, sums_text


@pytest.mark.parametrize(("path", "stage"), [
    ("media/ab/abc-640.webp", Stage.MEDIA), ("assets/style.css", Stage.MEDIA), ("assets/fonts/a.woff2", Stage.MEDIA),
    ("pagefind/fragment/1.pf_fragment", Stage.MEDIA), ("pagefind/pagefind.js", Stage.MEDIA), (".nojekyll", Stage.MEDIA),
    ("data/violations.csv", Stage.DATA), ("data/datapackage.json", Stage.DATA),
    ("v/1a/index.html", Stage.PAGES), ("en/v/1a/index.html", Stage.PAGES), ("withdrawn/1a/index.html", Stage.PAGES),
    ("index.html", Stage.LISTS), ("en/index.html", Stage.LISTS), ("violations/all/page/2/index.html", Stage.LISTS),
    ("saved/cases.json", Stage.LISTS), ("pagefind/pagefind-entry.json", Stage.LISTS), ("404.html", Stage.LISTS),
    ("feed.atom", Stage.FEEDS), ("en/feed.json", Stage.FEEDS), ("sitemap.xml", Stage.FEEDS),
    ("robots.txt", Stage.FEEDS),
])  # fmt: skip
def test_what_is_pointed_at_is_written_before_what_points_at_it(path: str, stage: Stage) -> None:
    assert stage_of(path) is stage


def test_a_file_in_doubt_is_sent_again_unless_it_turned_out_to_be_right() -> None:
    old, new = {"a.css": IN_DOUBT, "b.css": IN_DOUBT, "c.css": "1"}, {"a.css": "1", "b.css": "1", "c.css": "1"}
    steps = plan(old, new, settled={"b.css"})
    assert steps.lines() == ["put a.css"]
    assert (steps.unchanged, steps.settled) == (2, {"b.css"})


def test_a_file_in_doubt_that_the_site_lacks_is_deleted() -> None:
    assert plan({"a.css": IN_DOUBT}, {}).lines() == ["delete a.css"]


@pytest.mark.parametrize(("deleted", "refused"), [(20, False), (21, True)])
def test_a_fifth_may_go_and_not_one_more(deleted: int, refused: bool) -> None:
    old = {f"{number}.css": "1" for number in range(100)}
    steps = plan(old, dict.fromkeys(list(old)[deleted:], "1"))
    if refused:
        with pytest.raises(TargetRefused, match="21 of 100"):
            guard(old, steps, where="there")
    else:
        guard(old, steps, where="there")


def test_sums_are_read_as_they_were_written() -> None:
    sums = {"a b.html": "1" * 64, "한글/index.html": "2" * 64, "u\u2028v\x85.html": IN_DOUBT}
    assert read_sums(sums_text(sums)) == sums


GOOD = {"made_by": "quitboard", "format": 1, "generation": "ab", "others": [], "state": "done"}


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest(generation="ab", others=("cd",), state="writing", owner="me", run="1", beat=3)
    assert Manifest.from_bytes(manifest.to_bytes(), where="there") == manifest


@pytest.mark.parametrize("content", [
    b"", b"null", b"[]", b"{}", b"\xff", b"<html>", {**GOOD, "made_by": "them"}, {**GOOD, "generation": "../../x"},
    {**GOOD, "others": ["a/b"]}, {**GOOD, "others": 3}, {**GOOD, "others": [3]}, {**GOOD, "what": 1},
    {key: value for key, value in GOOD.items() if key != "state"}, {**GOOD, "format": 2}, {**GOOD, "state": "asleep"},
])  # fmt: skip
def test_anything_else_is_refused_and_never_a_path_is_made_of_it(content: bytes | dict[str, object]) -> None:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(TargetRefused) as refused:
        Manifest.from_bytes(raw, where="there")
    assert refused.value.todo


def test_a_place_in_a_bucket_is_bucket_prefix_and_endpoint() -> None:
    assert parse_place("s3://my-bucket") == ("my-bucket", "", "")
    assert parse_place("s3://my-bucket/a/b/") == ("my-bucket", "a/b/", "")
    assert parse_place("s3://b.c-1/게시판?endpoint_url=http%3A%2F%2Fh%3A1") == ("b.c-1", "게시판/", "http://h:1")


@pytest.mark.parametrize(("path", "content_type"), [
    ("a/index.html", "text/html; charset=utf-8"), ("feed.json", "application/feed+json; charset=utf-8"),
    ("data/violations.parquet", "application/vnd.apache.parquet"),
    ("pagefind/wasm.ko.pagefind", "application/octet-stream"),
])  # fmt: skip
def test_a_file_is_sent_as_what_it_is(path: str, content_type: str) -> None:
    assert headers_of(path)["ContentType"] == content_type
