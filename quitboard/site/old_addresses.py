"""Addresses of the first QuitBoard, each a page that leads to what stands in its place. Pure.

It had /features, /statistic and /violations/{what}/{which}: a kind, a region or a time, by its name. A list that is
empty today has no page, and so no old address: the page for lost readers shows the way there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from quitboard.site.addresses import file_of
from quitboard.site.i18n import LANGUAGES
from quitboard.site.view import View

_MOVED = {
    "features/": "method/",
    "statistic/": "statistics/",
    **{
        f"violations/{start}{what}/": "violations/"
        for start in ("", "choice/")
        for what in ("violation", "region", "time")
    },
    "violations/choice/": "violations/",
}
_NAMES = {"no_helmet": ("helmet",), "two_up": ("people",), "sidewalk": ()}
"""What it called its three kinds besides their Korean names and ours."""

_SAFE = re.compile(r"\w[\w .()-]{0,79}")


def moved(view: View, taken: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (old path, path of the page that stands for it) for what is not the path of a page itself (`taken`)."""
    found = dict(_MOVED)
    for selection in view.lists:
        if len(selection.chosen) != 1:
            continue
        ((facet, value),) = selection.chosen
        for what, name in _old_names(view, facet, value):
            for start in ("", "choice/"):
                found.setdefault(f"violations/{start}{what}/{name}/", selection.path())
    yield from ((old, new) for old, new in sorted(found.items()) if old not in taken)


def _old_names(view: View, facet: str, value: str) -> Iterator[tuple[str, str]]:
    names: tuple[str, ...] = ()
    if facet == "kind":
        names = (value, view.kind_name(value), *_NAMES.get(value, ()))
    elif facet == "place":
        names = (value, view.place_name(value))
    elif facet in ("day", "month"):
        names = (value,)
    what = {"kind": "violation", "place": "region"}.get(facet, "time")
    for name in dict.fromkeys(unicodedata.normalize("NFC", name).strip() for name in names):
        if _SAFE.fullmatch(name) and not name.endswith((".", " ")):
            yield what, name


def pages(view: View, taken: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the pages at old addresses: (path, content). They are Korean, as the first QuitBoard was."""
    from quitboard.site.render import standalone

    for old, new in moved(view, taken):
        file, target = file_of(LANGUAGES[0], old), file_of(LANGUAGES[0], new)
        yield file, standalone("pages/moved.html", root="../" * file.count("/"), target=target, base_url=view.base_url)
