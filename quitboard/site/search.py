"""The search indexes: what each suspected violation is found by, and their files, kept until that changes.

One index serves both languages, so that either finds 헬멧 and helmet; the pages write results in their own words.
Words, filters and orders come from the data, not from rendered pages: a change of templates makes no new index.
Pagefind holds some 30 kB a record in memory and compares all results with all values of a filter, so that a large board
has several indexes, one after the other in time; the search page puts their answers together.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from quitboard.files import TEMPORARY_PREFIX, disk_full_named, sha256_bytes
from quitboard.site import pagefind
from quitboard.site.facets import segment
from quitboard.site.finding import MOST_IN_AN_INDEX, listed, shown
from quitboard.site.i18n import LANGUAGES
from quitboard.site.pagefind import Record
from quitboard.site.view import View, sureness_step

FOLDER = "pagefind"
"""Where the indexes lie on the site, each in a folder by its number."""

_RECIPE = "1"
"""Changes with what is made of Pagefind's answer: an index of another recipe is made again."""

_SUMS = "sums.json"
_HANGUL = re.compile(r"[가-힣]+")
_SHORTEST_PART = 2

Files = Mapping[str, tuple[Path, str]]
"""Site path -> (file that lies ready, SHA-256)."""


def records(views: Mapping[str, View]) -> Iterator[Record]:
    """Yield what each published violation is found by, newest first."""
    view = views[LANGUAGES[0]]
    violations = view.facts.data.violations
    views_by_id = dict(view.facts.data.views)
    about_kind = cache(lambda kind: _about_kind(views, kind))
    about_place = cache(lambda camera_id: with_parts(f"{view.place_name(camera_id)} {view.area_name(camera_id)}"))
    about_day = cache(lambda day: _about_day(views, day))
    about_zone = cache(with_parts)
    hours = [" ".join(each.words.hour(hour) for each in views.values()) for hour in range(24)]
    for number, row in listed(view):
        name = segment(row.id)
        words = (
            about_kind(row.kind), _vehicle(views, row.vehicle), about_place(row.camera_id), about_zone(row.zone),
            about_day(row.day), hours[row.hour], name,
        )  # fmt: skip
        sort = {"newest": str(len(violations) - number), "sureness": f"{row.confidence or 0:.4f}"}
        if views_by_id:
            sort["seen"] = str(views_by_id.get(row.id, 0))
        yield Record(
            # Pagefind would take the words of a field for words to find; what stands behind # it leaves alone.
            url=f"v/{name}/#{sort['sureness']},{sort.get('seen', 0)},{shown(view, number)}",
            content=" ".join(dict.fromkeys(" ".join(words).split())),
            filters={
                "kind": row.kind,
                "place": row.camera_id,
                "month": row.day.isoformat()[:7],
                "sureness": sureness_step(row.confidence),
            },
            sort=sort,
        )


def _about_kind(views: Mapping[str, View], kind: str) -> str:
    texts = []
    for view in views.values():
        texts += [view.kind_name(kind), view.words.or_else(f"search.words.{kind}", "")]
    return with_parts(" ".join(texts))


def _vehicle(views: Mapping[str, View], vehicle: str) -> str:
    return with_parts(
        " ".join(
            f"{view.words.or_else(f'vehicle.{vehicle}', vehicle)} {view.words.or_else(f'search.words.{vehicle}', '')}"
            for view in views.values()
        )
    )


def _about_day(views: Mapping[str, View], day: date) -> str:
    return " ".join([day.isoformat(), *(view.words.date(day) for view in views.values())])


def with_parts(text: str) -> str:
    """Return a text with the inner ends of its Korean words: 전동킥보드 is found by 킥보드, which begins none of it.

    Pagefind finds words by how they begin. With every ending of two syllables or more among them, any part is found.
    """
    parts = (word[at:] for word in _HANGUL.findall(text) for at in range(1, len(word) - _SHORTEST_PART + 1))
    return " ".join([text, *dict.fromkeys(parts)])


# --- the files ------------------------------------------------------------------------------------------------------


def index(views: Mapping[str, View], cache_dir: Path) -> Files:
    """Return the files of the search indexes, the newest first, made where `cache_dir/search` does not hold them.

    Indexes of other records are deleted there: what was withdrawn does not stay.

    Raises:
        UsageError: Pagefind's program is missing or failed.
        DiskFull: an index did not fit.
    """
    total = sum(1 for _ in listed(views[LANGUAGES[0]]))
    remaining = records(views)
    # Counted from the oldest, so that what is new changes the newest index alone.
    sizes = [total % MOST_IN_AN_INDEX or MOST_IN_AN_INDEX] if total else []
    sizes += [MOST_IN_AN_INDEX] * ((total - 1) // MOST_IN_AN_INDEX)
    root = cache_dir / "search"
    files: dict[str, tuple[Path, str]] = {}
    kept = set()
    for number, size in enumerate(sizes):
        part = tuple(islice(remaining, size))
        folder = root / _digest(part)
        kept.add(folder)
        sums = _sums(folder) or _write(folder, pagefind.indexed(part))
        files |= {f"{FOLDER}/{number}/{path}": (folder / path, digest) for path, (digest, _) in sums.items()}
    for other in root.iterdir() if root.is_dir() else ():
        if other not in kept:
            shutil.rmtree(other)
    return files


def _digest(found: tuple[Record, ...]) -> str:
    total = hashlib.sha256(f"{_RECIPE} {version('pagefind_bin')}".encode())
    for record in found:
        total.update(repr(record).encode())
    return total.hexdigest()[:32]


def _sums(folder: Path) -> dict[str, tuple[str, int]] | None:
    """Return (SHA-256, bytes) of each file of an index that is whole, by path."""
    try:
        sums = {path: (digest, size) for path, (digest, size) in json.loads((folder / _SUMS).read_text()).items()}
        whole = all((folder / path).stat().st_size == size for path, (_, size) in sums.items())
    except (OSError, ValueError, TypeError):
        return None
    return sums if whole else None


def _write(folder: Path, files: Mapping[str, bytes]) -> dict[str, tuple[str, int]]:
    """Write an index beside its place and move it there whole."""
    unfinished = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
    sums = {path: (sha256_bytes(content), len(content)) for path, content in files.items()}
    shutil.rmtree(folder, ignore_errors=True)
    with disk_full_named(FOLDER):
        for parent in {(unfinished / path).parent for path in files}:
            parent.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (unfinished / path).write_bytes(content)
        (unfinished / _SUMS).write_text(json.dumps(sums, sort_keys=True))
    unfinished.rename(folder)
    return sums
