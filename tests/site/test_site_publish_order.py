"""What a real page needs to be looked at is sent before any page is."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import dirname, join, normpath

from quitboard.site.publish.plan import Stage, stage_of

NEEDED = re.compile(r'(?:src|data-clip)="([^"#]+)"|srcset="([^"]+)"|<link rel="stylesheet" href="([^"]+)"')


def test_pictures_styles_and_scripts_of_every_page_are_sent_before_the_first_page(site: Path) -> None:
    needed: set[str] = set()
    for page in site.rglob("*.html"):
        here = dirname(page.relative_to(site).as_posix())
        for one, many, style in NEEDED.findall(page.read_text()):
            for address in (one or style,) if one or style else (part.split()[0] for part in many.split(",")):
                needed.add(normpath(join(here, address)))
    assert any(path.startswith("media/") for path in needed)
    assert {path for path in needed if stage_of(path) is not Stage.MEDIA} == set()
    assert {path for path in needed if not (site / path).is_file()} == set()


def test_every_file_of_a_real_site_has_its_stage(site: Path) -> None:
    stages: dict[Stage, set[str]] = {stage: set() for stage in Stage}
    for file in site.rglob("*"):
        if file.is_file():
            path = file.relative_to(site).as_posix()
            stages[stage_of(path)].add(path)
    assert all(path.endswith(".html") for path in stages[Stage.PAGES])
    assert not [path for path in stages[Stage.MEDIA] if path.endswith((".html", ".csv", ".atom"))]
    assert {path.split("/")[0] for path in stages[Stage.DATA]} == {"data"}
