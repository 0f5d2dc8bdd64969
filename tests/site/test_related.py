"""Related suspected violations: what they share, and that a person's look is never among it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest

from quitboard.database.rows import ViolationRow
from quitboard.site.related import MOST, Related

ROW = ViolationRow(
    id="", kind="no_helmet", camera_id="gate", camera_name="", area="", vehicle="scooter", day=date(2026, 4, 30),
    hour=18, weekday=1, confidence=0.9, zone="", still_sha256="", clip_sha256="", evidence_note="", model_sha256="",
    verdict="", has_exposure=True,
)  # fmt: skip


def row(number: int, **different: object) -> ViolationRow:
    """The row of `number` days ago."""
    return replace(ROW, id=f"{number}", day=ROW.day - timedelta(number), **different)  # type: ignore[arg-type]


def test_the_same_place_kind_and_hour_come_before_all_others() -> None:
    rows = [
        row(0, hour=9),
        row(1),
        row(2, camera_id="market"),
        row(3),
        row(4, kind="two_up"),
        row(5, hour=7),
        row(6, camera_id="market", kind="two_up"),
    ]
    assert Related(rows).to(3) == [1, 5, 0, 4]


@pytest.mark.parametrize(("number", "expected"), [(0, [1, 2, 3, 4]), (5, [4, 6, 3, 7]), (9, [8, 7, 6, 5])])
def test_the_nearest_in_time_come_first_at_both_ends_and_between(number: int, expected: list[int]) -> None:
    assert Related([row(each) for each in range(10)]).to(number) == expected


def test_none_is_related_to_itself_and_none_is_named_twice() -> None:
    rows = [row(each, hour=each % 3, kind=("no_helmet", "two_up")[each % 2]) for each in range(40)]
    related = Related(rows)
    for number in range(len(rows)):
        found = related.to(number)
        assert number not in found
        assert len(set(found)) == len(found) == MOST


def test_what_shares_nothing_is_not_related() -> None:
    rows = [row(0), row(1, camera_id="market", kind="two_up"), row(2, camera_id="campus", kind="sidewalk", hour=3)]
    assert Related(rows).to(0) == []


def test_only_place_hour_and_kind_decide() -> None:
    """Whatever else differs, pictures and tracks among it, the same are related."""
    rows = [row(each, hour=18 + each % 2) for each in range(12)]
    other = [
        replace(one, **{field.name: f"{number}" for field in fields(ViolationRow) if field.name.endswith("sha256")})
        for number, one in enumerate(rows)
    ]
    other = [replace(one, confidence=None, vehicle="bicycle", zone="보도", verdict="confirmed") for one in other]
    assert [Related(rows).to(number) for number in range(12)] == [Related(other).to(number) for number in range(12)]
