"""Pictures of every template, for eyes: `make screenshots [OUT=dir] [SITE=dir]`.

Without a site of yours, the sample boards of the tests are built and shown: one with suspected violations and one
street on which there were none. `index.html` in the output folder shows a sheet of all pictures by width and theme.
"""

from __future__ import annotations

import argparse
import html
import itertools
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright

from quitboard.settings import BoardSettings, Settings, SiteSettings
from quitboard.site.build import build
from tests.site.browsing import CHROMIUM_FLAGS, chromium, page_in
from tests.site.every_template import LANGUAGES, samples
from tests.site.sample_board import make_board

WIDTHS = (390, 768, 1280)
SCHEMES = ("light", "dark")
_ALL_LOADED = """Promise.all([document.fonts.ready, ...[...document.images].map(one => {
  one.loading = "eager";
  return one.decode().catch(() => null);
})]).then(() => null)"""
AS_OF = datetime(2026, 5, 2, tzinfo=UTC)
SETTINGS = Settings(
    board=BoardSettings(operator="○○동 보행안전 모임", contact="safety@example.org"), site=SiteSettings(per_page=12)
)


def sample_sites(folder: Path, base_url: str = "") -> Iterator[tuple[str, Path]]:
    """Build and yield the sites that show what templates can do, each with a name."""
    settings = replace(SETTINGS, site=replace(SETTINGS.site, base_url=base_url))
    boards = {
        "": make_board(folder / "full", weeks=3, pictures=4, withdrawn=1),
        "quiet-": make_board(folder / "quiet", weeks=1, found=False),
        "counts-": make_board(folder / "counts", weeks=1, violations=9, pictures=2, exposure=False),
    }
    for name, board in boards.items():
        out = folder / f"{name}site"
        build(board.database, board.media, out, settings=settings, as_of=AS_OF)
        yield name, out


def take(sites: list[tuple[str, Path]], out: Path) -> dict[str, list[str]]:
    """Write every picture into `out`; returns their names by page."""
    taken: dict[str, list[str]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS, timeout=60_000)
        for width, scheme in itertools.product(WIDTHS, SCHEMES):
            with page_in(browser, viewport={"width": width, "height": 844}, color_scheme=scheme) as page:
                for (site_name, site), (language, folder) in itertools.product(sites, LANGUAGES.items()):
                    for name, path in samples(site).items():
                        if site_name and taken.get(name) and name not in ("home", "statistics", "place", "violations"):
                            continue  # a second site adds what the first cannot show
                        page.goto((site / folder / path).as_uri())
                        page.evaluate(_ALL_LOADED)
                        picture = f"{site_name}{name}-{language}-{width}-{scheme}.png"
                        page.screenshot(path=out / picture, full_page=True, animations="disabled")
                        taken.setdefault(f"{site_name}{name}", []).append(picture)
        browser.close()
    return taken


def sheet(taken: dict[str, list[str]]) -> str:
    """Return a page that shows all pictures, one row a template."""
    rows = "".join(
        f"<h2>{html.escape(name)}</h2><div>"
        + "".join(f'<a href="{one}"><img loading="lazy" src="{one}" alt="{one}" width="240"></a>' for one in pictures)
        + "</div>"
        for name, pictures in taken.items()
    )
    style = "body{font:14px sans-serif;background:#888}div{display:flex;gap:8px;align-items:start;overflow-x:auto}"
    return f"<!doctype html><meta charset=utf-8><title>Every template</title><style>{style}</style>{rows}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--site", type=Path, help="a built site; by default the sample boards'")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sites = [("", given.site)] if given.site else list(sample_sites(Path(scratch)))
        taken = take(sites, given.out)
    (given.out / "index.html").write_text(sheet(taken))
    print(f"{sum(map(len, taken.values()))} pictures of {len(taken)} pages: {given.out / 'index.html'}")


if __name__ == "__main__":
    main()
