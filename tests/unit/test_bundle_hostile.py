"""Every hostile zip is refused for its own reason, and nothing of it is read before."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from quitboard import bundle
from quitboard.bundle import form, layout
from quitboard.errors import BundleError
from tests import bundles


@dataclass(frozen=True)
class Entry:
    """A member as a zip says it, twice: what differs from the truth is a lie."""

    name: bytes
    content: bytes
    method: int = 0
    flags: int = 0
    extra: bytes = b""
    local_name: bytes | None = None
    local_method: int | None = None
    local_size: int | None = None
    local_crc: int | None = None
    said_size: int | None = None
    said_packed: int | None = None
    said_offset: int | None = None
    attributes: int = 0o100644 << 16
    system: int = 3
    comment: bytes = b""
    padding: bytes = b""
    day: int = 33


def zipped(
    entries: list[Entry], *, members: int | None = None, comment: bytes = b"", before: bytes = b"", gap: bytes = b""
) -> bytes:
    """Put a zip together by hand, lies and all."""
    body, directory = before, b""
    for entry in entries:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = squeeze.compress(entry.content) + squeeze.flush() if entry.method == 8 else entry.content
        crc = zlib.crc32(entry.content)
        said_size = len(entry.content) if entry.said_size is None else entry.said_size
        said_packed = len(packed) if entry.said_packed is None else entry.said_packed
        local_name = entry.name if entry.local_name is None else entry.local_name
        offset = len(body) if entry.said_offset is None else entry.said_offset
        local_method = entry.method if entry.local_method is None else entry.local_method
        local_crc = crc if entry.local_crc is None else entry.local_crc
        local_size = said_size if entry.local_size is None else entry.local_size
        body += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, entry.flags, local_method, 0, entry.day, local_crc, said_packed, local_size,
            len(local_name), len(entry.extra),
        ) + local_name + entry.extra + packed + entry.padding  # fmt: skip
        directory += struct.pack(
            "<4s4B4HL2L5H2L", b"PK\1\2", 20, entry.system, 20, 0, entry.flags, entry.method, 0, entry.day, crc,
            said_packed, said_size, len(entry.name), len(entry.extra), len(entry.comment), 0, 0, entry.attributes,
            offset,
        ) + entry.name + entry.extra + entry.comment  # fmt: skip
    count = len(entries) if members is None else members
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body) + len(gap), len(comment))
    return body + gap + directory + end + comment


@pytest.fixture
def sound(tmp_path: Path) -> dict[str, bytes]:
    """The members of a sound bundle."""
    bundles.make(tmp_path / "sound.zip")
    with zipfile.ZipFile(tmp_path / "sound.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entries_of(members: dict[str, bytes]) -> list[Entry]:
    return [Entry(name.encode(), content, method=8 if name in form.TEXTS else 0) for name, content in members.items()]


def refuse(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(BundleError, match=reason) as caught:
        bundle.verify(path)
    assert caught.value.exit_code == 3
    assert str(path.parent) not in str(caught.value)


def test_the_maker_of_these_zips_makes_a_sound_one(sound: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(entries_of(sound)))
    bundle.verify(tmp_path / "a.zip")


Lie = Callable[[list[Entry]], list[Entry]]


def first(**changes: Any) -> Lie:
    return lambda entries: [replace(entries[0], **changes), *entries[1:]]


def at(name: str, **changes: Any) -> Lie:
    return lambda entries: [replace(entry, **changes) if entry.name == name.encode() else entry for entry in entries]


def more(**entry: Any) -> Lie:
    return lambda entries: [*entries, Entry(**{"content": b"x", **entry})]


PICTURE = f"media/{'e' * 64}.jpg".encode()
HOSTILE: dict[str, tuple[Lie, str]] = {
    "a path upwards": (more(name=b"media/../../x.jpg"), "leads out of its folder"),
    "an absolute path": (more(name=b"/etc/passwd"), "leads out of its folder"),
    "a drive": (more(name=b"C:/x.jpg"), "leads out of its folder"),
    "a backslash": (more(name=b"media\\..\\x.jpg"), "leads out of its folder"),
    "a name with an end in it": (more(name=b"media/x.jpg\0.txt"), "leads out of its folder"),
    "a folder": (more(name=b"media/", content=b""), "is a folder"),
    "a member without use": (more(name=b"run.exe"), "has no use here"),
    "a picture not named by its hash": (more(name=b"media/holiday.jpg"), "has no use here"),
    "one name twice": (lambda entries: [*entries, entries[0]], "two members are named"),
    "a link": (more(name=PICTURE, content=b"/etc/passwd", attributes=0o120777 << 16), "a link or a device"),
    "a device": (more(name=PICTURE, attributes=0o020666 << 16), "a link or a device"),
    "an encrypted member": (first(flags=1), "encrypted"),
    "a strongly encrypted member": (first(flags=0x41), "encrypted"),
    "an unknown compression": (first(method=12), "unknown way"),
    "two names": (first(local_name=b"manifest.json"), "two names"),
    "two compressions": (first(local_method=0), "two ways"),
    "two sizes": (first(local_size=7), "two ways"),
    "two checksums": (first(local_crc=7), "two ways"),
    "sizes after the data": (first(flags=8, local_crc=0), "two ways"),
    "stored in two sizes": (at("tracks.parquet", said_size=1), "stored, yet of two sizes"),
    "a size beyond the limit": (first(said_size=(1 << 32) - 2), "is larger than"),
    "an extra field": (first(extra=b"\x75\x70\x04\x00abcd"), "comment or an extra field"),
    "a member's comment": (first(comment=b"hello"), "comment or an extra field"),
    "bytes between members": (first(padding=b"hidden"), "belong to no member"),
    "a member outside the file": (at("violations.jsonl", said_offset=10_000_000), "outside the file|to no member"),
    "a member that reaches over the end": (at("violations.jsonl", said_packed=100_000), "lies outside the file"),
    "a time of its own": (first(day=34), "what a bundle does not say"),
    "a program of its own": (first(system=0), "what a bundle does not say"),
    "rights of its own": (first(attributes=0o104755 << 16), "what a bundle does not say"),
}  # fmt: skip


@pytest.mark.parametrize(("lie", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_zip_is_refused(sound: dict[str, bytes], tmp_path: Path, lie: Lie, reason: str) -> None:
    refuse(tmp_path / "a.zip", zipped(lie(entries_of(sound))), reason)


def test_members_that_share_bytes_are_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    """As in a bomb of Fifield's: many directory entries, one kernel."""
    entries = entries_of(sound)
    kernel = Entry(f"media/{'e' * 64}.jpg".encode(), b"\0" * 1000)
    copies = [replace(kernel, name=f"media/{digit * 64}.jpg".encode(), said_offset=0) for digit in "0123456789"]
    refuse(tmp_path / "a.zip", zipped([*entries, *copies]), "overlaps another member|described in two ways|two names")
    quoted = [replace(kernel, padding=b""), *(replace(copy, content=b"") for copy in copies)]
    refuse(tmp_path / "b.zip", zipped([*entries, *quoted]), "overlaps another member|described in two ways|two names")


def test_a_span_that_reaches_into_the_next_is_refused(tmp_path: Path) -> None:
    """The first says that it is longer than it is, so that the second lies inside it."""
    inner = Entry(f"media/{'f' * 64}.jpg".encode(), b"inner")
    length = 30 + len(inner.name) + len(inner.content)
    outer = Entry(f"media/{'e' * 64}.jpg".encode(), b"o" * 100, said_packed=100 + length, said_size=100 + length)
    refuse(tmp_path / "a.zip", zipped([outer, inner]), "overlaps another member")


def test_what_inflates_too_far_is_refused_before_it_is_inflated(
    sound: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("a member was read"))
    bomb = Entry(b"violations.jsonl", b"\n" * 200_000_000, method=8)
    refuse(tmp_path / "a.zip", zipped([entry for entry in entries_of(sound) if entry.name != bomb.name] + [bomb]),
           "inflates more than 200 times")  # fmt: skip


def test_more_in_all_than_the_limit_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    names = [f"media/{number:064x}.jpg".encode() for number in range(300)]
    large = [Entry(name, b"", method=8, said_size=30 << 20, said_packed=1 << 20) for name in names]
    refuse(tmp_path / "a.zip", zipped([*entries_of(sound), *large]), "inflates to more than")


def test_too_many_members_are_refused_before_they_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the directory was read"))
    refuse(tmp_path / "a.zip", zipped([], members=layout.BUNDLE_LIMITS.members + 1), "members, at most")


@pytest.mark.parametrize("where", ["members", "offset"])
def test_zip64_is_refused(sound: dict[str, bytes], tmp_path: Path, where: str) -> None:
    content = bytearray(zipped(entries_of(sound)))
    end = len(content) - 22
    if where == "members":
        content[end + 8 : end + 12] = b"\xff" * 4
    else:
        content[end + 16 : end + 20] = b"\xff" * 4
    refuse(tmp_path / "a.zip", bytes(content), "zip64")


def test_a_zip_that_says_zip64_beside_its_end_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    whole = zipped(entries_of(sound))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    refuse(tmp_path / "a.zip", whole[:-22] + locator + whole[-22:], "belong to no member")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"comment": b"hello"}, "does not end as one"),
        ({"before": b"#!/bin/sh\n"}, "belong to no member"),
        ({"gap": b"hidden"}, "belong to no member"),
        ({"members": 3}, "more or fewer members than it says"),
    ],
)
def test_bytes_that_belong_to_nothing_are_refused(
    sound: dict[str, bytes], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    refuse(tmp_path / "a.zip", zipped(entries_of(sound), **changes), reason)


@pytest.mark.parametrize("part", ["", "PK", "P" * 22, "half", "all but a byte", "twice"])
def test_a_torn_file_is_refused(sound: dict[str, bytes], tmp_path: Path, part: str) -> None:
    whole = zipped(entries_of(sound))
    content = {"half": whole[: len(whole) // 2], "all but a byte": whole[:-1], "twice": whole + whole}
    refuse(tmp_path / "a.zip", content.get(part, part.encode()), "empty|too short|not a whole zip|belong to no member")


def test_a_folder_and_what_may_not_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").mkdir()
    with pytest.raises(BundleError, match="cannot be read"):
        bundle.verify(tmp_path / "a.zip")
    with pytest.raises(BundleError, match="cannot be read"):
        bundle.verify(tmp_path / "none.zip")


def test_a_changed_byte_is_noticed_or_means_the_same(tmp_path: Path) -> None:
    bundles.make(tmp_path / "a.zip", violations=[bundles.violation()])
    whole = (tmp_path / "a.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        deflated = {
            place
            for entry in archive.infolist()
            if entry.compress_type == zipfile.ZIP_DEFLATED
            for place in range(entry.header_offset + 30, entry.header_offset + 30 + entry.compress_size + 100)
        }
    unnoticed = []
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x20
        (tmp_path / "a.zip").write_bytes(changed)
        try:
            bundle.verify(tmp_path / "a.zip")
        except BundleError:
            continue
        unnoticed.append(place)
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == members
    # One text can be deflated in several ways.
    assert set(unnoticed) <= deflated
    assert len(unnoticed) < 20


# --- what the members say ---------------------------------------------------------------------------------------------


def remade(members: dict[str, bytes], *, manifest: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    """Zip changed members with sums and id that fit them, so that only what was changed is wrong."""
    plain = json.loads(members[form.MANIFEST])
    plain["sums"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in sorted(members.items()) if name != form.MANIFEST
    }
    manifest(plain)
    if plain.get("id") != "keep":
        bare = {**plain, "id": ""}
        plain["id"] = hashlib.sha256((json.dumps(bare, ensure_ascii=False, sort_keys=True) + "\n").encode()).hexdigest()
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n"
    return zipped(entries_of({**members, form.MANIFEST: text.encode()}))


def line_changed(members: dict[str, bytes], name: str, **changes: Any) -> dict[str, bytes]:
    lines = [json.loads(line) for line in members[name].splitlines()]
    lines[0] |= changes
    return {**members, name: "".join(json.dumps(line) + "\n" for line in lines).encode()}


LATER = bundles.at(15, 0, 2).isoformat(timespec="microseconds")
VIOLATION_LIES: dict[str, tuple[dict[str, Any], str]] = {
    "id": ({"id": "../../x"}, "id is not of its form"),
    "id of capitals": ({"id": "A" * 32}, "id is not of its form"),
    "kind": ({"kind": "<b>"}, "kind is not of its form"),
    "another camera": ({"camera_id": "gate-4"}, "of another camera"),
    "vehicle": ({"vehicle": "tank"}, "vehicle is not of its form"),
    "no zone": ({"started_at": "2023-04-23T15:00:00.000000"}, "started_at is not of its form"),
    "no such day": ({"started_at": "2023-02-30T15:00:00.000000+09:00"}, "no such instant"),
    "no such hour": ({"started_at": "2023-04-23T25:00:00.000000+09:00"}, "no such instant"),
    "another clock": ({"started_at": "2023-04-23T15:00:00.000000+02:00"}, "not on the clock of Asia/Seoul"),
    "an offset beyond any": ({"started_at": "2023-04-23T15:00:00.000000+99:99"}, "no such instant"),
    "another day": ({"started_at": "2023-04-22T15:00:00.000000+09:00"}, "not of the bundle's day"),
    "ends before it starts": ({"ended_at": "2023-04-23T14:00:00.000000+09:00"}, "ends before it starts"),
    "a recording not listed": ({"recording_sha256": "e" * 64}, "does not list"),
    "track below zero": ({"track": -1}, "track is out of bounds"),
    "track in parts": ({"track": 1.5}, "track is of another type"),
    "track as text": ({"track": "1"}, "track is of another type"),
    "track beyond any": ({"track": 10**30}, "track is out of bounds"),
    "confidence not a number": ({"confidence": float("nan")}, "NaN is no number"),
    "confidence without end": ({"confidence": float("inf")}, "Infinity is no number"),
    "confidence above one": ({"confidence": 1.01}, "confidence is out of bounds"),
    "confidence missing": ({"confidence": None}, "confidence is of another type"),
    "confidence true": ({"confidence": True}, "confidence is of another type"),
    "a long zone": ({"zone": "z" * 201}, "zone is too long"),
    "a control character": ({"zone": "a\u0007"}, "control character"),
    "an end of text": ({"zone": "a\0b"}, "control character"),
    "half a surrogate": ({"zone": "\ud800"}, "zone is out of bounds"),
    "a picture that is not there": ({"still_sha256": "e" * 64}, "is not in the bundle"),
    "a picture by a path": ({"still_sha256": "../" * 21 + "x"}, "still_sha256 is not of its form"),
    "a long line": ({"evidence_note": "n" * 70_000}, "longer than 64 kB"),
    "a field too many": ({"driver": "Kim"}, "an unknown field"),
    "a deep field": ({"zone": {"a": {"b": 1}}}, "zone is of another type"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), VIOLATION_LIES.values(), ids=VIOLATION_LIES.keys())
def test_a_violation_that_cannot_be_is_refused(
    sound: dict[str, bytes], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    refuse(tmp_path / "a.zip", remade(line_changed(sound, form.VIOLATIONS, **changes)), reason)


EXPOSURE_LIES: dict[str, tuple[dict[str, Any], str]] = {
    "more than an hour": ({"watched_s": 3700.0}, "watched_s is out of bounds"),
    "less than nothing": ({"watched_s": -1.0}, "watched_s is out of bounds"),
    "not on the hour": ({"hour": LATER}, "does not start on the hour"),
    "another day": ({"hour": "2023-04-24T15:00:00.000000+09:00"}, "not of the bundle's day"),
    "riders below zero": ({"judged": -3}, "judged is out of bounds"),
    "looked at more than watched": ({"watched_s": 10.0, "looked_s": 11.0}, "more seconds looked at"),
    "another camera": ({"camera_id": "gate-4"}, "of another camera"),
}


@pytest.mark.parametrize(("changes", "reason"), EXPOSURE_LIES.values(), ids=EXPOSURE_LIES.keys())
def test_an_exposure_that_cannot_be_is_refused(
    sound: dict[str, bytes], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    refuse(tmp_path / "a.zip", remade(line_changed(sound, form.EXPOSURE, **changes)), reason)


def test_an_hour_that_is_told_twice_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    refuse(tmp_path / "a.zip", remade({**sound, form.EXPOSURE: sound[form.EXPOSURE] * 2}), "told twice")


def test_two_violations_of_one_id_are_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    refuse(tmp_path / "a.zip", remade({**sound, form.VIOLATIONS: sound[form.VIOLATIONS] * 2}), "have one id")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\n", "an empty line"),
        (b"not json\n", "a line is not what it should be"),
        (b"[1, 2]\n", "a line is not what it should be"),
        (b"1\n", "a line is not what it should be"),
        (b'"text"\n', "a line is not what it should be"),
        (b"{}, {}\n", "a line is not one record"),
        (b"{\n}\n", "a line is not what it should be|not one record"),
        (b"{}]\n", "a line is not what it should be"),
        (b"{}\n", "is missing in a line"),
        (b"\xff\xfe\n", "a line is not what it should be"),
        (b"[" * 60_000 + b"\n", "nested too deeply"),
        (b'{"id":' + b'{"a":' * 10_000 + b"\n", "nested too deeply"),
        (b'{"id": "' + b"x" * 100, "no end"),
        (b"\0" * 100 + b"\n", "a line is not what it should be"),
    ],
)
@pytest.mark.parametrize("member", [form.VIOLATIONS, form.EXPOSURE])
def test_lines_that_are_no_records_are_refused(
    sound: dict[str, bytes], tmp_path: Path, member: str, text: bytes, reason: str
) -> None:
    refuse(tmp_path / "a.zip", remade({**sound, member: text}), reason)


def test_text_that_is_not_utf8_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    lines = sound[form.VIOLATIONS].replace(b"no clear view", b"no \xff\xfe view")
    assert lines != sound[form.VIOLATIONS]
    refuse(tmp_path / "a.zip", remade({**sound, form.VIOLATIONS: lines}), "UTF8|utf-8")


def set_to(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(plain: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for step in way:
            plain = plain[int(step)] if isinstance(plain, list) else plain[step]
        plain[last] = value

    return change


MANIFEST_LIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another format": (set_to("format", "zip"), "not a bundle of QuitBoard's"),
    "a newer version": (set_to("version", 2), "of version 2, this QuitBoard reads 1"),
    "a version as text": (set_to("version", "1"), "of version '1'"),
    "an id that is another's": (lambda plain: plain.update(id="keep"), "id cannot be 'keep'"),
    "a field too many": (set_to("owner", "Kim"), "unknown field 'owner'"),
    "a field too few": (lambda plain: plain.pop("day"), "day is missing"),
    "no such day": (set_to("day", "2023-02-30"), "day cannot be"),
    "no such time zone": (set_to("camera.timezone", "Mars/Phobos"), "no time zone 'Mars/Phobos'"),
    "a time zone by a path": (set_to("camera.timezone", "../../etc/passwd"), "no time zone"),
    "an id that is a path": (set_to("camera.id", "../gate"), "camera: id cannot be"),
    "a long name": (set_to("camera.name", "n" * 201), "camera: name cannot be"),
    "a polygon of two corners": (set_to("camera.zones.0.polygon", [[0, 0], [1, 1]]), "polygon cannot be"),
    "a corner beyond any": (set_to("camera.zones.0.polygon", [[0, 0], [1, 1], [1e9, 0]]), "polygon cannot be"),
    "an unknown zone": (set_to("camera.zones.0.kind", "moat"), "kind cannot be"),
    "a recording with a folder of its own": (set_to("recordings.0.name", "/home/kim/a.mp4"), "name cannot be"),
    "a recording upwards": (set_to("recordings.0.name", "a/../../b.mp4"), "name cannot be"),
    "a recording of another camera": (set_to("recordings.0.camera_id", "gate-4"), "of another camera"),
    "no recording": (set_to("recordings", []), "none is"),
    "a start without a zone": (set_to("recordings.0.start", "2023-04-23T15:00:00"), "start cannot be"),
    "a length without end": (set_to("recordings.0.read_s", 1e300), "read_s cannot be"),
    "a length that is true": (set_to("recordings.0.read_s", True), "read_s cannot be"),
    "figures that are words": (set_to("model.figures", {"ap50": "high"}), "figures cannot be"),
    "a sum for a member without use": (lambda plain: plain["sums"].update({"run.exe": "e" * 64}), "sums cannot be"),
    "a sum for what is not there": (
        lambda plain: plain["sums"].update({f"media/{'e' * 64}.jpg": "e" * 64}),
        "do not list the same",
    ),
    "a sum that is wrong": (lambda plain: plain["sums"].update({"tracks.parquet": "e" * 64}), "does not match its sum"),
}


@pytest.mark.parametrize(("lie", "reason"), MANIFEST_LIES.values(), ids=MANIFEST_LIES.keys())
def test_a_manifest_that_lies_is_refused(
    sound: dict[str, bytes], tmp_path: Path, lie: Callable[[dict[str, Any]], None], reason: str
) -> None:
    refuse(tmp_path / "a.zip", remade(sound, manifest=lie), reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a bundle"),
        (b"null", "not a bundle"),
        (b"\xff", "not UTF-8"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b"[" * 1_000_000, "nested too deeply|not JSON"),
        (b'{"format":"quitboard-bundle","version":1,"camera":null}', "camera cannot be None"),
        (
            b'{"format":"quitboard-bundle","version":1,"camera":' + b"9" * 5000 + b"}",
            "not JSON|camera is not an object",
        ),
    ],
)
def test_a_manifest_that_is_none_is_refused(sound: dict[str, bytes], tmp_path: Path, text: bytes, reason: str) -> None:
    refuse(tmp_path / "a.zip", zipped(entries_of({**sound, form.MANIFEST: text})), reason)


def test_a_manifest_written_in_another_way_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    airy = json.dumps(json.loads(sound[form.MANIFEST]), indent=1).encode()
    refuse(tmp_path / "a.zip", zipped(entries_of({**sound, form.MANIFEST: airy})), "not written as QuitBoard")


def test_an_id_that_is_not_the_contents_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    plain = json.loads(sound[form.MANIFEST])
    content = sound[form.MANIFEST].replace(plain["id"].encode(), b"0" * 64)
    refuse(tmp_path / "a.zip", zipped(entries_of({**sound, form.MANIFEST: content})), "id does not match its content")


@pytest.mark.parametrize("gone", [form.MANIFEST, form.VIOLATIONS, form.EXPOSURE, form.TRACKS])
def test_a_part_that_is_missing_is_noticed(sound: dict[str, bytes], tmp_path: Path, gone: str) -> None:
    left = {name: content for name, content in sound.items() if name != gone}
    refuse(tmp_path / "a.zip", zipped(entries_of(left)), "no manifest|do not list the same")
    if gone != form.MANIFEST:
        refuse(tmp_path / "b.zip", remade(left), "a part of the bundle is missing")


# --- pictures ---------------------------------------------------------------------------------------------------------


def with_picture(sound: dict[str, bytes], content: bytes, extension: str = "jpg") -> bytes:
    """The sound bundle with another still, its hash right everywhere."""
    old = next(name for name in sound if name.endswith(".jpg")) if extension == "jpg" else next(
        name for name in sound if name.endswith(".gif")
    )  # fmt: skip
    sha256 = hashlib.sha256(content).hexdigest()
    members = {name: body for name, body in sound.items() if name != old}
    members[f"media/{sha256}.{extension}"] = content
    members[form.VIOLATIONS] = sound[form.VIOLATIONS].replace(old[6:70].encode(), sha256.encode())
    return remade(dict(sorted(members.items())))


def jpeg_with(**options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (32, 24), (9, 9, 9)).save(file, "JPEG", **options)
    return file.getvalue()


def gif_with(block: bytes) -> bytes:
    """A clip with a block before its end."""
    return bundles.gif(7)[:-1] + block + b";"


def exif() -> bytes:
    from PIL import Image

    data = Image.Exif()
    data[0x010F] = "camera of Kim"
    return data.tobytes()


def jpeg_sized(side: int) -> bytes:
    content = bytearray(jpeg_with())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(content)


GOOD_PICTURES = {
    "progressive": (jpeg_with(progressive=True), "jpg"),
    "optimised": (jpeg_with(optimize=True, quality=40), "jpg"),
    "with restarts": (jpeg_with(restart_marker_rows=1), "jpg"),
    "grey levels": (bundles.jpeg(5), "jpg"),
    "clip": (bundles.gif(77), "gif"),
}


@pytest.mark.parametrize(("content", "extension"), GOOD_PICTURES.values(), ids=GOOD_PICTURES.keys())
def test_a_picture_is_let_through(sound: dict[str, bytes], tmp_path: Path, content: bytes, extension: str) -> None:
    (tmp_path / "a.zip").write_bytes(with_picture(sound, content, extension))
    bundle.verify(tmp_path / "a.zip")


BAD_PICTURES: dict[str, tuple[bytes, str, str]] = {
    "a page": (b"<html><script>alert(1)</script>", "jpg", "neither a JPEG nor a GIF"),
    "nothing": (b"", "jpg", "neither a JPEG nor a GIF"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "jpg", "neither a JPEG nor a GIF"),
    "a clip as a still": (bundles.gif(9), "jpg", "a .gif by its content|a .jpg|by its content"),
    "a still as a clip": (bundles.jpeg(9), "gif", "by its content"),
    "where and when": (jpeg_with(exif=exif()), "jpg", "metadata"),
    "a colour profile": (jpeg_with(icc_profile=b"p" * 200), "jpg", "metadata"),
    "a comment": (jpeg_with(comment=b"Kim"), "jpg", "metadata"),
    "a tail": (jpeg_with() + b"PK\3\4 hidden", "jpg", "bytes after its end"),
    "two pictures": (jpeg_with() + jpeg_with(), "jpg", "bytes after its end"),
    "cut short": (jpeg_with()[:-2], "jpg", "cut short"),
    "cut very short": (jpeg_with()[:30], "jpg", "cut short"),
    "headers alone": (b"\xff\xd8\xff\xd9", "jpg", "no picture in it"),
    "too large": (jpeg_sized(60_000), "jpg", "60000 x 60000"),
    "of no size": (jpeg_sized(0), "jpg", "no picture in it"),
    "a thumbnail": (
        jpeg_with()
        .replace(b"\xff\xe0\x00\x10JFIF", b"\xff\xe0\x00\x13JFIF", 1)
        .replace(b"\xff\xdb", b"abc\xff\xdb", 1),
        "jpg",
        "more than JFIF's",
    ),
    "a clip's comment": (gif_with(b"\x21\xfe\x03Kim\0"), "gif", "metadata"),
    "a clip's text": (gif_with(b"\x21\x01\x0c" + b"\0" * 12 + b"\x03Kim\0"), "gif", "metadata"),
    "a clip's XMP": (gif_with(b"\x21\xff\x0bXMP DataXMP\x03Kim\0"), "gif", "metadata"),
    "a clip's tail": (bundles.gif(7) + b"hidden", "gif", "bytes after its end"),
    "a clip cut short": (bundles.gif(7)[:-1], "gif", "cut short"),
    "a clip of no frames": (bundles.gif(7)[:13] + b";", "gif", "cut short|0 frames|unknown block"),
}


@pytest.mark.parametrize(("content", "extension", "reason"), BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
def test_what_is_more_or_less_than_a_picture_is_refused(
    sound: dict[str, bytes], tmp_path: Path, content: bytes, extension: str, reason: str
) -> None:
    refuse(tmp_path / "a.zip", with_picture(sound, content, extension), reason)


def test_a_picture_that_is_not_what_its_name_says_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    name = next(name for name in sound if name.endswith(".jpg"))
    refuse(tmp_path / "a.zip", remade({**sound, name: bundles.jpeg(99)}), "name is not its sum")


def test_a_picture_that_no_violation_names_is_refused(sound: dict[str, bytes], tmp_path: Path) -> None:
    content = bundles.jpeg(99)
    name = f"media/{hashlib.sha256(content).hexdigest()}.jpg"
    refuse(tmp_path / "a.zip", remade(dict(sorted({**sound, name: content}.items()))), "that no violation names")
