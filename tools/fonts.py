"""The site's own typeface, cut from Pretendard: `make fonts` after texts need syllables that the first piece lacks.

A page of Korean asks for a few hundred syllables of 11,172. The face is cut into pieces by `unicode-range`, so that a
browser fetches Latin, the syllables of the site's own texts, and of the rest only what the names of a board's places
need. Its licence reserves the name Pretendard for the original, so what is cut is called QuitBoard Sans.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).parents[1]
SOURCE = "pretendard@1.3.9"
NAME = "QuitBoard Sans"
LIGHTEST, HEAVIEST = 400, 800
PIECE = 150
"""Syllables in a piece: about 25 kB; smaller ones cost requests, larger ones bytes nobody reads."""
COMMON_PIECES = 3
"""So many pieces hold the commonest syllables. The rest lie by code: a range is told in fewer bytes than a list."""

LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180)])) + "–—‘’“”…·×←→↑↓−²⁴°√≤≥■▶▼•＊€₩"
JAMO = "".join(map(chr, range(0x3131, 0x3164)))
_TEXTS = frozenset((".toml", ".html", ".js", ".csv"))
FEATURES = ["kern", "tnum", "ccmp", "locl", "mark", "mkmk"]


def ks_x_1001() -> list[str]:
    """Return the 2,350 syllables of KS X 1001: those that Korean names and texts are written with."""
    return [bytes((row, cell)).decode("euc_kr") for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF)]


def written(folders: Iterable[Path]) -> set[str]:
    """Return every character of the site's own texts."""
    files = (
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".toml", ".html", ".js", ".csv")
    )
    return {letter for file in files for letter in file.read_text(encoding="utf-8-sig")}


def by_frequency(css: str, syllables: Iterable[str]) -> list[str]:
    """Return `syllables`, the commonest first, as the original's own pieces are ordered (the last the commonest)."""
    rank: dict[int, int] = {}
    for number, ranges in enumerate(reversed(re.findall(r"unicode-range: ([^;]+);", css))):
        for first, last in re.findall(r"U\+([0-9a-fA-F]+)(?:-([0-9a-fA-F]+))?", ranges):
            for code in range(int(first, 16), int(last or first, 16) + 1):
                rank.setdefault(code, number)
    return sorted(syllables, key=lambda one: (rank.get(ord(one), len(rank)), one))


def pieces(order: list[str], own: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and characters of every piece: Latin, the site's own syllables, the commonest, the others."""
    yield "latin", list(LATIN)
    yield "hangul-0", sorted(one for one in order if one in own)
    others = [one for one in order if one not in own]
    common = COMMON_PIECES * PIECE
    ordered = others[:common] + sorted(others[common:])
    for number, start in enumerate(range(0, len(ordered), PIECE), start=1):
        piece = sorted(ordered[start : start + PIECE])
        yield f"hangul-{number}", piece + (list(JAMO) if number == 1 else [])


def cut(source: Path, letters: Iterable[str], target: Path) -> None:
    """Write a variable font of `letters` alone, the same bytes each time."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options(layout_features=FEATURES, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], hinting=False)
    cutter = Subsetter(options)
    cutter.populate(unicodes=map(ord, letters))
    cutter.subset(font)
    instancer.instantiateVariableFont(font, {"wght": (LIGHTEST, LIGHTEST, HEAVIEST)}, inplace=True)
    for number, text in ((1, NAME), (3, f"{NAME} from {SOURCE}"), (4, NAME), (6, NAME.replace(" ", ""))):
        font["name"].setName(text, number, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(target)


def unicode_range(letters: Iterable[str]) -> str:
    """Return characters as CSS writes them: "U+20-7E,U+A0"."""
    spans: list[list[int]] = []
    for code in sorted(map(ord, letters)):
        if spans and code == spans[-1][1] + 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return ",".join(f"U+{first:X}" if first == last else f"U+{first:X}-{last:X}" for first, last in spans)


def face(name: str, letters: str) -> str:
    return (
        f'@font-face{{font-family:"{NAME}";font-weight:{LIGHTEST} {HEAVIEST};font-display:swap;'
        f'src:url(fonts/{name}.woff2)format("woff2");unicode-range:{letters}}}\n'
    )


def make(package: Path, templates: Path, catalogue: Path) -> None:
    """Cut all pieces into `templates/assets/fonts/`, their CSS beside it, and one whole face for drawn pictures."""
    source = package / "dist/public/variable/PretendardVariable.ttf"
    css = (package / "dist/web/variable/pretendardvariable-dynamic-subset.css").read_text()
    syllables = ks_x_1001()
    own = written([templates, catalogue]) & set(syllables)
    folder = templates / "assets" / "fonts"
    for old in folder.glob("*.woff2"):
        old.unlink()
    faces = []
    for name, letters in pieces(by_frequency(css, syllables), own):
        cut(source, letters, folder / f"{name}.woff2")
        rare = name.startswith("hangul-") and int(name.removeprefix("hangul-")) > COMMON_PIECES
        faces.append(face(name, f"U+{ord(letters[0]):X}-{ord(letters[-1]):X}" if rare else unicode_range(letters)))
    # Of two faces that claim a character a browser takes the later: ranges with holes come first.
    note = "/* Made by `make fonts`: which piece of the face holds which characters. */\n"
    (templates / "assets" / "fonts.css").write_text(note + "".join(reversed(faces)))
    (folder / "OFL.txt").write_bytes((package / "dist/LICENSE.txt").read_bytes())
    cut(source, [*LATIN, *JAMO, *syllables], templates / "fonts" / "whole.woff2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="the unpacked npm package; fetched with npm where not given")
    given = parser.parse_args().package
    with tempfile.TemporaryDirectory() as scratch:
        if given is None:
            subprocess.run(["npm", "pack", "--silent", SOURCE], cwd=scratch, check=True)
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                archive.extractall(scratch, filter="data")
        make(given or Path(scratch) / "package", ROOT / "templates", ROOT / "data" / "catalogue")


if __name__ == "__main__":
    main()
