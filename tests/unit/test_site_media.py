"""Pictures for the page: whole, bare of everything but pixels, made once, gone when withdrawn."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path

import pytest
from PIL import Image

from quitboard.site.media import Media, bare_gif, encode_still, forget, prepare, stem_of


def jpeg(*, size: tuple[int, int] = (640, 360), colour: str = "#446688") -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(
        out, "JPEG", exif=exif, comment=b"secret comment", icc_profile=b"secret profile", dpi=(72, 72)
    )
    return out.getvalue()


def gif(frames: int = 5) -> bytes:
    chance = random.Random(3)
    pictures = [Image.frombytes("P", (64, 36), chance.randbytes(64 * 36)) for _ in range(frames)]
    for picture in pictures:
        picture.putpalette(chance.randbytes(768))
    out = io.BytesIO()
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0, comment=b"secret comment"
    )
    return out.getvalue()


def stored(media: Path, content: bytes, extension: str) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    path = media / sha256[:2] / f"{sha256}.{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return sha256


def prepared(folder: Path, stills: list[str], clips: list[str]) -> Media:
    return prepare(stills, clips, media_dir=folder / "media", cache_dir=folder / "cache")


def test_a_still_comes_in_two_widths_and_two_formats(tmp_path: Path) -> None:
    sha256 = stored(tmp_path / "media", jpeg(), "jpg")
    media = prepared(tmp_path, [sha256], [])
    names = {name.removeprefix(stem_of(sha256)) for name in media.files}
    assert names == {"-640.jpg", "-640.webp", "-320.jpg", "-320.webp"}
    for name, (path, digest) in media.files.items():
        with Image.open(path) as picture:
            assert picture.width == int(name.rpartition("-")[2].split(".")[0])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_nothing_but_pixels_is_published(tmp_path: Path) -> None:
    media = tmp_path / "media"
    found = prepared(tmp_path, [stored(media, jpeg(), "jpg")], [stored(media, gif(), "gif")])
    assert len(found.files) == 6
    for path, _ in found.files.values():
        content = path.read_bytes()
        assert b"secret" not in content
        assert b"Exif" not in content
        with Image.open(path) as picture:
            assert not picture.getexif()
            assert not {"comment", "icc_profile", "exif", "xmp"} & picture.info.keys()


def test_a_gif_keeps_its_very_pixels_and_timing() -> None:
    content = gif()
    before, after = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(bare_gif(content)))
    assert before.n_frames == after.n_frames == 5  # type: ignore[attr-defined]
    for number in range(5):
        before.seek(number)
        after.seek(number)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
        assert before.info["duration"] == after.info["duration"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"JPEG", gif()[:200], gif()[:-1][:100] + b"\x99" * 40])
def test_a_torn_gif_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="GIF"):
        bare_gif(content)


def test_a_small_still_is_not_blown_up() -> None:
    files, entry = encode_still(jpeg(size=(200, 100)))
    assert entry == {"widths": [200], "height": 100}
    assert set(files) == {"-200.jpg", "-200.webp"}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-20] + b"x" * 20), "not what its name says"),
        (lambda path: path.unlink(), "missing"),
    ],
)
def test_a_picture_that_is_not_what_its_name_says_is_set_aside_with_its_reason(
    tmp_path: Path, damage: object, reason: str
) -> None:
    sha256 = stored(tmp_path / "media", jpeg(), "jpg")
    damage(tmp_path / "media" / sha256[:2] / f"{sha256}.jpg")  # type: ignore[operator]
    media = prepared(tmp_path, [sha256], [])
    assert reason in media.set_aside[0].reason
    assert not media.stills


def test_what_is_no_picture_is_set_aside(tmp_path: Path) -> None:
    media = prepared(tmp_path, [stored(tmp_path / "media", b"<html>", "jpg")], [])
    assert [item.reason[:40] for item in media.set_aside] == ["not a picture that can be shown (cannot "]


def test_pictures_are_encoded_once(tmp_path: Path) -> None:
    sha256 = stored(tmp_path / "media", jpeg(), "jpg")
    first = prepared(tmp_path, [sha256], [])
    times = {path: path.stat().st_mtime_ns for path, _ in first.files.values()}
    assert prepared(tmp_path, [sha256], []) == first
    assert {path: path.stat().st_mtime_ns for path, _ in first.files.values()} == times


def test_a_torn_file_in_the_cache_is_made_again(tmp_path: Path) -> None:
    sha256 = stored(tmp_path / "media", jpeg(), "jpg")
    path, digest = next(iter(prepared(tmp_path, [sha256], []).files.values()))
    path.write_bytes(b"torn")
    prepared(tmp_path, [sha256], [])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_a_withdrawn_picture_leaves_the_cache(tmp_path: Path) -> None:
    sha256 = stored(tmp_path / "media", jpeg(), "jpg")
    prepared(tmp_path, [sha256], [])
    prepared(tmp_path, [], [])
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["index.json"]
    assert sha256[:12] not in (tmp_path / "cache" / "index.json").read_text()


def test_a_clip_comes_as_gif_and_as_animated_webp_with_the_same_frames(tmp_path: Path) -> None:
    sha256 = stored(tmp_path / "media", gif(frames=4), "gif")
    media = prepared(tmp_path, [], [sha256])
    assert {name.removeprefix(stem_of(sha256)) for name in media.files} == {".gif", ".webp"}
    for path, _ in media.files.values():
        with Image.open(path) as picture:
            durations = []
            for number in range(picture.n_frames):  # type: ignore[attr-defined]
                picture.seek(number)
                picture.load()
                durations.append(picture.info["duration"])
            assert durations == [100] * 4, path.name
            assert picture.info["loop"] == 0
    smallest = min((path.stat().st_size, path.suffix) for path, _ in media.files.values())
    assert media.clips[sha256].suffix == smallest[1]
    assert media.clips[sha256].kib == -(-smallest[0] // 1024)


def test_any_number_of_processes_makes_the_same_files(tmp_path: Path) -> None:
    stills = [stored(tmp_path / "media", jpeg(colour=f"#4466{number:02x}"), "jpg") for number in range(20)]
    clips = [stored(tmp_path / "media", gif(), "gif")]
    made = [
        prepare(stills, clips, media_dir=tmp_path / "media", cache_dir=tmp_path / str(workers), workers=workers)
        for workers in (1, 3)
    ]
    sums = [{path: digest for path, (_, digest) in one.files.items()} for one in made]
    assert sums[0] == sums[1]
    assert made[0].stills == made[1].stills


def test_what_was_made_of_a_picture_is_forgotten_at_once(tmp_path: Path) -> None:
    gone, stays = (stored(tmp_path / "media", jpeg(colour=colour), "jpg") for colour in ("red", "blue"))
    prepared(tmp_path, [gone, stays], [])
    cache = tmp_path / "cache"
    (cache / gone[:2] / f".quitboard-{gone[:32]}-640.webp.4711").write_bytes(b"unfinished")
    assert forget(cache, [gone]) == 5
    assert not [path for path in cache.rglob("*") if gone[:32] in path.name]
    assert gone not in (cache / "index.json").read_text()
    assert prepared(tmp_path, [stays], []).stills.keys() == {stays}
    assert forget(cache, [gone]) == 0


def test_other_caches_beside_the_pictures_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cache" / "search").mkdir(parents=True)
    (tmp_path / "cache" / "search" / "index").write_text("x")
    prepared(tmp_path, [], [])
    assert (tmp_path / "cache" / "search" / "index").read_text() == "x"
