"""A reader of bundles that meets anything at all answers with a bundle or `BundleError`: soon, in little memory."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitboard import bundle
from quitboard.bundle import form
from quitboard.bundle.pictures import check_picture
from quitboard.bundle.withdrawn import Withdrawn, to_bytes
from quitboard.bundle.write import entry_of
from quitboard.errors import BundleError
from quitboard.ingest import legacy
from quitboard.records import Camera, Withdrawal
from tests import bundles

MUTANTS = 250_000 if os.environ.get("QUITBOARD_TIER") == "release" else 600
LONGEST_S = 2.0
MOST_MB = 512

ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"PK\1\2",
    b"PK\3\4",
    b"PK\5\6",
    b"PK\6\7",
    b"../",
    b"\n",
    b"{",
    b'"',
    b"\\",
)
ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**40, 1e308, -0.0, "", "x", "../..", "\0", "\ud7ff", "가" * 300, [],
    {}, [[]], {"": None}, "9" * 5000, "2023-04-23T15:00:00.000000+09:00", "9999-12-31T23:59:59.999999+00:00", "a" * 64,
    float("nan"), float("inf"),
)  # fmt: skip
ODD_SNIPPETS = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"[" * 5000,
    b'{"a":' * 3000,
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.zip"
    bundles.make(path)
    return path.read_bytes()


def bitten(chance: random.Random, content: bytes, odd: tuple[bytes, ...] = ODD_BYTES) -> bytes:
    """Change, cut, double or fill some part of some bytes."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(made) + 1)
        length = chance.choice((1, 1, 2, 4, 8, 40, 400))
        match chance.randrange(7):
            case 0:
                made[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                made[place : place + length] = chance.randbytes(length)
            case 2:
                del made[place : place + length]
            case 3:
                made[place:place] = made[place : place + length]
            case 4:
                other = chance.randrange(len(made) + 1)
                made[place : place + length] = made[other : other + length]
            case 5:
                made[place : place + chance.choice((0, 4))] = chance.choice(odd)
            case _:
                made = made[:place] if chance.random() < 0.2 else made
    return bytes(made)


def bent(chance: random.Random, plain: Any) -> Any:
    """Replace, drop, double or add one value somewhere in a JSON document."""
    ways: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            ways.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(plain)
    holder, key = chance.choice(ways)
    match chance.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(("", "extra", "id", "__class__"))] = chance.choice(ODD_VALUES)
        case _:
            holder[key] = chance.choice(ODD_VALUES)
    return plain


def packed(members: dict[str, bytes]) -> bytes:
    """Zip members as QuitBoard does, with sums and id that fit them, as far as there is a manifest to hold them."""
    try:
        plain = json.loads(members[form.MANIFEST])
        plain["sums"] = {
            name: hashlib.sha256(members[name]).hexdigest() for name in sorted(members) if name != form.MANIFEST
        }
        plain["id"] = ""
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n"
        plain["id"] = hashlib.sha256(text.encode()).hexdigest()
        members = {**members, form.MANIFEST: (json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n").encode()}
    except (ValueError, TypeError, AttributeError):
        pass
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(members):
            archive.writestr(entry_of(name), members[name])
    return out.getvalue()


def members_of(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_bitten(chance: random.Random, whole: bytes) -> bytes:
    return bitten(chance, whole)


def manifest_bent(chance: random.Random, whole: bytes) -> bytes:
    members = members_of(whole)
    plain = bent(chance, json.loads(members[form.MANIFEST]))
    return packed({**members, form.MANIFEST: json.dumps(plain).encode("utf-8", "surrogatepass")})


def lines_bent(chance: random.Random, whole: bytes) -> bytes:
    members = members_of(whole)
    name = chance.choice((form.VIOLATIONS, form.EXPOSURE))
    lines = [json.loads(line) for line in members[name].splitlines()]
    text = "".join(json.dumps(line) + "\n" for line in bent(chance, lines))
    return packed({**members, name: text.encode("utf-8", "surrogatepass")})


def member_bitten(chance: random.Random, whole: bytes) -> bytes:
    members = members_of(whole)
    name = chance.choice(sorted(members))
    changed = bitten(chance, members[name], ODD_BYTES + ODD_SNIPPETS)
    if found := form.MEDIA_NAME.fullmatch(name):
        new = f"media/{hashlib.sha256(changed).hexdigest()}.{found[2]}"
        text = members[form.VIOLATIONS].replace(found[1].encode(), new[6:70].encode())
        return packed(
            {**{key: value for key, value in members.items() if key != name}, new: changed, form.VIOLATIONS: text}
        )
    return packed({**members, name: changed})


def withdrawn_bent(chance: random.Random, whole: bytes) -> bytes:
    """Strike a picture and bend what the bundle says of it; the manifest stays, as it does in a struck bundle."""
    members = members_of(whole)
    sums = json.loads(members[form.MANIFEST])["sums"]
    name = chance.choice(sorted(name for name in sums if form.MEDIA_NAME.fullmatch(name)))
    row = bundles.violation()
    told = Withdrawn(
        members={name: sums[name]},
        withdrawals=(
            Withdrawal(
                id=row.id,
                camera_id=row.camera_id,
                started_at=row.started_at,
                ended_at=row.ended_at,
                withdrawn_at=row.ended_at,
            ),
        ),
    )
    plain = bent(chance, json.loads(to_bytes(told)))
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n"
    del members[name]
    members[form.WITHDRAWN] = text.encode("utf-8", "surrogatepass")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in sorted(members):
            archive.writestr(entry_of(member), members[member])
    return out.getvalue()


@pytest.mark.parametrize("mutate", [zip_bitten, manifest_bent, lines_bent, member_bitten, withdrawn_bent])
def test_no_bundle_is_more_than_refused(
    whole: bytes, tmp_path: Path, mutate: Callable[[random.Random, bytes], bytes]
) -> None:
    path = tmp_path / "a.zip"
    refused = longest = 0
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for seed in range(MUTANTS):
        path.write_bytes(mutate(random.Random(seed), whole))
        begun = time.process_time()
        try:
            bundle.verify(path)
        except BundleError as error:
            refused += 1
            longest = max(longest, len(str(error)))
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}")
        assert time.process_time() - begun < LONGEST_S, f"seed {seed}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb < MOST_MB
    assert refused > MUTANTS * 0.5
    assert longest < 1000


def test_no_picture_is_more_than_refused() -> None:
    """Nor is one let through that a decoder cannot end with: it decodes, or says that it does not."""
    from PIL import Image

    for seed in range(MUTANTS * 4):
        chance = random.Random(seed)
        content, name = chance.choice(((bundles.jpeg(seed), "a.jpg"), (bundles.gif(seed), "a.gif")))
        changed = bitten(chance, content, (*ODD_BYTES, b"\xff\xd8", b"\xff\xd9", b"\xff\xe1", b"!\xfe", b";"))
        try:
            width, height = check_picture(changed, where=name)
        except BundleError:
            continue
        assert 0 < width <= 4096
        assert 0 < height <= 4096
        try:
            with Image.open(io.BytesIO(changed)) as image:
                image.load()
        except (OSError, ValueError, SyntaxError, EOFError, IndexError):
            pass


def test_no_zip_of_the_first_quitboards_is_more_than_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("violations/1.txt", "0010,2023-04-23T15:45:43")
        archive.writestr("violations/2.txt", "1,2023-04-23T15:45:43")
        archive.writestr("images/1/0001.jpg", bundles.jpeg(1))
        archive.writestr("images/2.jpg", bundles.jpeg(2))
    reading = legacy.Reading(camera=Camera(id="old", name="old"), kinds=("no_helmet", "two_up", "sidewalk"))
    path = tmp_path / "old.zip"
    for seed in range(MUTANTS):
        path.write_bytes(bitten(random.Random(seed), out.getvalue()))
        begun = time.process_time()
        try:
            if legacy.looks_like_one(path):
                with legacy.read(path, reading) as found:
                    assert all(row["kind"] in reading.kinds for row in found.rows)
        except BundleError:
            pass
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}")
        assert time.process_time() - begun < LONGEST_S, f"seed {seed}"
