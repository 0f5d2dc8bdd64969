"""Every template is valid HTML, as a validator with the standard's content model reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.every_template import LANGUAGES, samples

TOOLS = Path(__file__).parents[2] / "tools" / "node"
VALIDATOR = Path(sys.prefix) / "node" / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"


def complaints(*pages: Path) -> str:
    """Return what the validator says of pages; "" where they are valid."""
    assert VALIDATOR.is_file(), "the HTML validator is not installed: run `make .venv/browser`"
    command = [Path(sys.prefix) / "bin" / "node", VALIDATOR, "--config", TOOLS / "htmlvalidate.json", "-f", "text"]
    done = subprocess.run([*command, *pages], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.strip()


def test_every_template_is_valid_html(site: Path, quiet_site: Path) -> None:
    pages = [
        folder / language / path
        for folder in (site, quiet_site)
        for language in LANGUAGES.values()
        for path in samples(folder).values()
    ]
    assert complaints(*pages) == ""


@pytest.mark.parametrize("fault", ['<p id="a" id="b">', "<ul><p>x</p></ul>", '<a href="x"><button>y</button></a>'])
def test_the_validator_would_notice(site: Path, tmp_path: Path, fault: str) -> None:
    (tmp_path / "page.html").write_text((site / "law" / "index.html").read_text().replace("<h1>", f"{fault}<h1>"))
    assert complaints(tmp_path / "page.html") != ""
