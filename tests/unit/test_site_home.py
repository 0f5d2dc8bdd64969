"""What the home page's sentences claim, and what they do not."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quitboard.database.rows import Rate
from quitboard.settings import Settings
from quitboard.site.data import Facts, SiteData, Window
from quitboard.site.home import sentences
from quitboard.site.i18n import load_words
from quitboard.site.media import Media
from quitboard.site.view import View

MONDAY = date(2026, 9, 7)
TRANSLATIONS = Path(__file__).parents[2] / "templates" / "translations"


def said(counts: dict[tuple[str, str], int], language: str = "en") -> str:
    """The sentences of a day on which each kind was judged on 200 riders at each of two places."""
    rows = tuple(
        Rate(
            kind=kind, violations=count, riders=200, judged=200, unclear=0, watched_hours=9, per_rider=None,
            per_rider_low=None, per_rider_high=None, per_hour=None, per_hour_low=None, per_hour_high=None,
            camera_id=camera, day=MONDAY,
        )
        for (kind, camera), count in counts.items()
    )  # fmt: skip
    fields: dict[str, Any] = dict.fromkeys(SiteData.__dataclass_fields__, ())
    fields["by_day"] = rows
    facts = Facts(SiteData(**fields))
    view = View(
        facts, Settings(), Media(stills={}, clips={}, files={}, set_aside=()), load_words(TRANSLATIONS, language)
    )
    return " ".join(sentences(view, Window(first=MONDAY, last=MONDAY)))


def test_the_kind_seen_most_is_named_with_its_count() -> None:
    assert "Seen most was “two_up”: 9 of 12 suspected violations." in said({("two_up", "a"): 9, ("sidewalk", "a"): 3})


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no kind was seen more"), ("ko", "한 유형이 다른 유형보다 많지는")]
)
def test_of_kinds_with_as_many_none_is_said_to_be_seen_most(language: str, words: str) -> None:
    told = said({("two_up", "a"): 3, ("sidewalk", "a"): 3, ("parking", "a"): 1}, language)
    assert words in told
    assert "Seen most" not in told


def test_a_place_is_named_only_where_it_stands_out_and_with_interval_and_n() -> None:
    assert "stood out at a (40.0%, 95% interval 33.5–46.9%, n = 200)" in said(
        {("two_up", "a"): 80, ("two_up", "b"): 20}
    )
    assert "stood out" not in said({("two_up", "a"): 22, ("two_up", "b"): 20})
