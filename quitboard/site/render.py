"""Pages to bytes: the only place that knows jinja2. Every text from data is escaped, always."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import cache, partial

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from quitboard.files import resource
from quitboard.site import og
from quitboard.site.addresses import absolute, file_of, language_folder
from quitboard.site.browse import list_path
from quitboard.site.data import is_of_vehicles
from quitboard.site.facets import segment
from quitboard.site.i18n import LANGUAGES, Words
from quitboard.site.pages import Page, context
from quitboard.site.places import place_path
from quitboard.site.view import View

SECTIONS = ("violations", "statistics", "places", "law", "method", "data", "contact")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
CSP_OF_SEARCH = CSP.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""Pagefind compiles WebAssembly. It does so in a worker, which has a policy of its own in some browsers and its page's
in others, and in the page where there are no workers."""

_ROOT_MARK, _THERE_MARK = "\x00", "\x01"
"""Stand for the way back to the site's root, and for the same page in the other language, until a page is whole."""

_MOST_CARDS = 50_000
"""Cards that are kept for the next page that shows them: some 70 MB."""

_STRONG = re.compile(r"\*\*(.+?)\*\*")


def rich(text: str) -> Markup:
    """Return a text escaped, with `**this**` made strong."""
    return Markup(_STRONG.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - escaped just here


class _Loader(FileSystemLoader):
    """Writes texts that take no values into a template before it is compiled: on every page they are the same."""

    def __init__(self, words: Words) -> None:
        super().__init__(resource("templates"))
        self._words = words

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, file, is_fresh = super().get_source(environment, template)
        return _FIXED.sub(lambda found: self._fixed(found[1]), source), file, is_fresh

    def _fixed(self, key: str) -> str:
        return str(escape(self._words(key))).replace("{", "{{ '{' }}")


_FIXED = re.compile(r"\{\{ t\('([\w.]+)'\) \}\}")


def _environment(loader: BaseLoader) -> Environment:
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )


@cache
def _plain_environment() -> Environment:
    return _environment(FileSystemLoader(resource("templates")))


def standalone(template: str, **values: object) -> bytes:
    """Return a page of no language's site: a report for whoever works on this machine, a sign at an old address."""
    return _plain_environment().get_template(template).render(values).encode()


class Renderer:
    """Renders the pages of one language. What many pages share is rendered once and put together with each."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._other_language = next(name for name in LANGUAGES if name != view.words.language)
        self._environment = _environment(_Loader(view.words))
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
            other_language=self._other_language,
            root=_ROOT_MARK,
            there_at_last=_THERE_MARK,
            href=partial(_href, language_folder(view.words.language)),
            absolute=partial(absolute, view.base_url),
            cards_of=self._cards_of,
            part=self._part,
        )
        self._cards: dict[int, bytes] = {}  # as bytes: a text with one Korean letter takes twice the memory
        self._parts: dict[tuple[str, Hashable], Markup] = {}

    def page(self, page: Page) -> bytes:
        """Return one page as a whole HTML document."""
        file = file_of(self._view.words.language, page.path)
        there = file_of(self._other_language, page.path)
        root = "../" * file.count("/")
        if page.template == "lost" and self._view.base_url:
            root = self._view.base_url  # a server shows it at any depth
        html = self._template(f"pages/{page.template}.html").render(
            context(self._view, page),
            template=page.template,
            page_path=page.path,
            here=file,
            there=there,
            picture=og.site_path(self._view.words.language, og.name_of(self._view, page)),
            csp=CSP_OF_SEARCH if page.template == "search" else CSP,
            section=page.section,
        )
        return html.replace(_THERE_MARK, there).replace(_ROOT_MARK, root).encode()

    def _part(self, name: str, key: Hashable, **values: object) -> Markup:
        """Return a part that is the same on every page of the same `key`: rendered once, from parts/<name>.html."""
        if (name, key) not in self._parts:
            self._parts[name, key] = Markup(self._template(f"parts/{name}.html").render(values))  # noqa: S704
        return self._parts[name, key]

    def _cards_of(self, numbers: list[int]) -> Markup:
        return Markup("".join(map(self._card, numbers)))  # noqa: S704 - rendered by a template

    def _card(self, number: int) -> str:
        kept = self._cards.get(number)
        if kept is not None:
            return kept.decode()
        card = self._template("parts/card.html").render(card=self._view.card(number))
        if len(self._cards) < _MOST_CARDS:
            self._cards[number] = card.encode()
        return card

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)


def _href(folder: str, path: str) -> str:
    return f"{_ROOT_MARK}{folder}{path}" if path.endswith(".html") else f"{_ROOT_MARK}{folder}{path}index.html"
