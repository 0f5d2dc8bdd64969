"""Lists by kind, place and month: each combination that holds something, no other, and not too many of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quitboard.database.rows import ViolationRow
from quitboard.site.facets import COMBINED, Selection, choices_by_facet, lists, segment


def row(kind: str, place: str, day: date, hour: int = 18) -> ViolationRow:
    return ViolationRow(
        f"{kind}{place}{day}", kind, place, place, "", "scooter", day, hour, day.isoweekday(), 0.9, "", "", "", "", "",
        "", True,
    )  # fmt: skip


rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["no_helmet", "two_up", "sidewalk"]),
        st.sampled_from(["gate-3", "river", "정문"]),
        st.integers(0, 90).map(lambda days: date(2026, 10, 1) + timedelta(days=days)),
        st.integers(0, 23),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("selection", "page", "path"),
    [
        (Selection(), 1, "violations/all/"),
        (Selection(kind="no_helmet"), 1, "violations/kind/no_helmet/"),
        (Selection(kind="no_helmet"), 2, "violations/kind/no_helmet/page/2/"),
        (
            Selection(month="2026-10", place="gate-3", kind="no_helmet"),
            3,
            "violations/kind/no_helmet/place/gate-3/month/2026-10/page/3/",
        ),
        (Selection(day="2026-10-02"), 1, "violations/day/2026-10-02/"),
    ],
)
def test_an_address_names_what_is_chosen_in_one_order(selection: Selection, page: int, path: str) -> None:
    assert selection.path(page) == path


@settings(deadline=None)
@given(rows)
def test_a_list_holds_exactly_what_its_selection_says(violations: list[ViolationRow]) -> None:
    for selection, numbers in lists(violations).items():
        wanted = [
            number
            for number, item in enumerate(violations)
            if selection.kind in ("", item.kind)
            and selection.place in ("", item.camera_id)
            and selection.month in ("", str(item.day)[:7])
            and selection.hour in ("", f"{item.hour:02d}")
            and selection.day in ("", str(item.day))
        ]
        assert numbers == wanted
        assert numbers, "no list is empty"


@settings(deadline=None)
@given(rows)
def test_there_are_at_most_ten_lists_with_a_violation(violations: list[ViolationRow]) -> None:
    found = lists(violations)
    assert sum(map(len, found.values())) == 10 * len(violations)


@settings(deadline=None)
@given(rows)
def test_every_choice_leads_to_a_list_that_exists_and_holds_as_many_as_it_says(violations: list[ViolationRow]) -> None:
    found = lists(violations)
    for (others, facet), options in choices_by_facet(found).items():
        assert sum(option.count for option in options) == len(found[others])
        for option in options:
            assert len(found[option.selection]) == option.count
            assert option.selection.with_(facet, "") == others


def test_hours_and_days_are_chosen_alone() -> None:
    found = lists([row("no_helmet", "gate-3", date(2026, 10, 2))])
    for selection in found:
        assert selection.combines == (not selection.hour and not selection.day)
        assert selection.combines or len(selection.chosen) == 1
    assert {facet for _, facet in choices_by_facet(found)} == set(COMBINED)


def test_months_come_newest_first_and_places_by_number() -> None:
    found = lists(
        [
            row("no_helmet", "a", date(2026, 9, 1)),
            *(row("no_helmet", "b", date(2026, month, 1), hour) for month in (10, 11) for hour in (7, 8)),
        ]
    )
    options = choices_by_facet(found)
    assert [option.value for option in options[Selection(), "month"]] == ["2026-11", "2026-10", "2026-09"]
    assert [option.value for option in options[Selection(), "place"]] == ["b", "a"]


@given(st.text())
def test_any_name_makes_one_safe_part_of_a_path(name: str) -> None:
    part = segment(name)
    assert part
    assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert part == segment(name)
