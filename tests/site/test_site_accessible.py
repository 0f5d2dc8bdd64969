"""WCAG 2.2 AA, as far as axe can tell: every template, in both themes and both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.site.browsing import page_in
from tests.site.every_template import LANGUAGES, REDIRECTS, samples

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: Page) -> str:
    """Return what axe finds on the page as it stands, everything that can be unfolded being so; "" where it is well."""
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    result = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    return str(result.generate_report()) if result.response["violations"] else ""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_template(
    browser: Browser, site: Path, quiet_site: Path, language: str, scheme: str
) -> None:
    found = {}
    with page_in(browser, color_scheme=scheme, bypass_csp=True) as page:  # axe is a script from elsewhere
        for folder in (site, quiet_site):
            for name, path in samples(folder).items():
                page.goto((folder / LANGUAGES[language] / path).as_uri())
                if report := complaints(page):
                    found[f"{folder.parent.name} {name}"] = report
    assert not found, "\n".join(f"{name}\n{report}" for name, report in found.items())


def test_every_template_is_looked_at(site: Path, quiet_site: Path) -> None:
    shipped = {file.stem for file in (Path(__file__).parents[2] / "templates" / "pages").glob("*.html")}
    assert shipped - REDIRECTS <= samples(site).keys() | samples(quiet_site).keys()
