"""Pages to bytes: the only place that knows jinja2. Every text from data is escaped, always."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from quitboard.files import resource
from quitboard.site import og
from quitboard.site.addresses import absolute, file_of, language_folder
from quitboard.site.browse import list_path
from quitboard.site.data import is_of_vehicles
from quitboard.site.facets import segment
from quitboard.site.i18n import LANGUAGES
from quitboard.site.pages import Page, context
from quitboard.site.places import place_path
from quitboard.site.view import View

SECTIONS = ("violations", "statistics", "places", "law", "method", "data", "contact")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
CSP_OF_SEARCH = CSP.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'") + "; connect-src 'self'"
"""Pagefind compiles WebAssembly and fetches its index. It does so in a worker, which has a policy of its own in some
browsers and its page's in others, and in the page where there are no workers."""

_ROOT_MARK = "\x00"
"""Stands for the way back to the site's root in markup that is made once and used at several depths."""

_STRONG = re.compile(r"\*\*(.+?)\*\*")


def rich(text: str) -> Markup:
    """Return a text escaped, with `**this**` made strong."""
    return Markup(_STRONG.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - escaped just here


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(resource("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )


_plain_environment = cache(_environment)


def standalone(template: str, **values: object) -> bytes:
    """Return a page of no language's site: a report for whoever works on this machine, a sign at an old address."""
    return _plain_environment().get_template(template).render(values).encode()


class Renderer:
    """Renders the pages of one language. Header, footer and cards are made once and put together with each page."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._folder = language_folder(view.words.language)
        self._environment = _environment()
        self._environment.filters["rich"] = rich
        self._environment.globals.update(
            t=view.words,
            view=view,
            board=view.settings.board,
            site=view.settings.site,
            sections=SECTIONS,
            list_path=list_path,
            place_path=place_path,
            segment=segment,
            is_of_vehicles=is_of_vehicles,
            other_language=next(name for name in LANGUAGES if name != view.words.language),
        )
        self._cards: dict[int, str] = {}
        self._frames: dict[str, tuple[str, str]] = {}

    def page(self, page: Page) -> bytes:
        """Return one page as a whole HTML document."""
        file = file_of(self._view.words.language, page.path)
        root = "../" * file.count("/")
        if page.template == "lost" and self._view.base_url:
            root = self._view.base_url  # a server shows it at any depth
        header, footer = self._frame(page.section)
        html = self._template(f"pages/{page.template}.html").render(
            context(self._view, page),
            template=page.template,
            page_path=page.path,
            root=root,
            href=self._href(root),
            here=file,
            there=file_of(self._other_language(), page.path),
            absolute=partial(absolute, self._view.base_url),
            picture=og.site_path(self._view.words.language, og.name_of(self._view, page)),
            csp=CSP_OF_SEARCH if page.template == "search" else CSP,
            header=Markup(header.replace(_ROOT_MARK, root)),  # noqa: S704 - rendered by a template
            footer=Markup(footer.replace(_ROOT_MARK, root)),  # noqa: S704
            cards_of=lambda numbers: self._cards_of(numbers, root),
        )
        return html.encode()

    def _other_language(self) -> str:
        return next(name for name in LANGUAGES if name != self._view.words.language)

    def _href(self, root: str) -> Callable[[str], str]:
        start = root + self._folder
        return lambda path: f"{start}{path}" if path.endswith(".html") else f"{start}{path}index.html"

    def _frame(self, section: str) -> tuple[str, str]:
        if section not in self._frames:
            values: dict[str, Any] = {"section": section, "root": _ROOT_MARK, "href": self._href(_ROOT_MARK)}
            self._frames[section] = (
                self._template("parts/header.html").render(values),
                self._template("parts/footer.html").render(values),
            )
        return self._frames[section]

    def _cards_of(self, numbers: list[int], root: str) -> Markup:
        return Markup("".join(map(self._card, numbers)).replace(_ROOT_MARK, root))  # noqa: S704 - rendered by a template

    def _card(self, number: int) -> str:
        if number not in self._cards:
            self._cards[number] = self._template("parts/card.html").render(
                card=self._view.card(number), root=_ROOT_MARK, href=self._href(_ROOT_MARK)
            )
        return self._cards[number]

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)
