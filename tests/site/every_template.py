"""Which pages of a built site show all that its templates can do."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

_TEMPLATE = re.compile(r'<body class="page-(\w+)"')
_LEADS_ON = '<meta http-equiv="refresh"'
LANGUAGES = {"ko": "", "en": "en/"}
REDIRECTS = frozenset(("moved",))
"""Templates of old addresses: a browser shows none of them, it goes on at once."""


def samples(site: Path) -> dict[str, str]:
    """Return the fullest page of every template and, where it is another, the barest: its site path by a name."""
    pages: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for page in site.rglob("*.html"):
        path, text = page.relative_to(site).as_posix(), page.read_text()
        if path.startswith("en/") or _LEADS_ON in text:
            continue
        found = _TEMPLATE.search(text)
        assert found, f"{path} does not say which template it was made from"
        pages[found[1]].append((len(text), path))
    chosen: dict[str, str] = {}
    for template, sizes in sorted(pages.items()):
        chosen[template] = max(sizes)[1]
        if min(sizes)[0] < max(sizes)[0]:
            chosen[f"{template}-barest"] = min(sizes)[1]
    return chosen
