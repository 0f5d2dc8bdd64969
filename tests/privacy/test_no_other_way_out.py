"""No picture is written except through `anonymise`: held by reading the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "quitboard"
MAY_ENCODE = {
    "detect/anonymise.py",
    "models/shards.py",  # sets to train on: heads cannot be learnt from filled ones; private folders, never published
    "site/media.py",  # encodes again, smaller, what came out of a bundle
    "site/og.py",  # draws figures on an empty sheet; opens no picture
}
ENCODERS = (
    {"imwrite", "imencode", "imwritemulti", "imencodeanimation", "VideoWriter"}  # cv2
    | {"mimwrite", "mimsave", "imsave", "get_writer", "imopen"}  # imageio
    | {"tofile"}  # numpy
)
MODULES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


def encoding_calls(source: str) -> set[str]:
    """Return the names of calls that turn pixels into files."""
    found = set()
    has_pillow = "PIL" in source
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in ENCODERS or (name == "save" and has_pillow):
                found.add(name)
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name == "_VOUCHED":
                found.add(name)
    return found


@pytest.mark.parametrize("module", [module for module in MODULES if module not in MAY_ENCODE])
def test_no_other_module_encodes_a_picture(module: str) -> None:
    assert not encoding_calls((PACKAGE / module).read_text("utf-8"))


def test_the_reading_sees_what_anonymise_does() -> None:
    assert encoding_calls((PACKAGE / "detect/anonymise.py").read_text("utf-8")) >= {"imwrite", "save", "_VOUCHED"}


@pytest.mark.parametrize(
    "line",
    ["cv2.imwrite(a, b)", "from cv2 import imencode; imencode('.jpg', a)", "from PIL import Image; a.save(b)"],
)
def test_the_reading_sees_a_new_way_out(line: str) -> None:
    assert encoding_calls(line)
