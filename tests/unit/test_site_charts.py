"""Charts: well-formed, named for those who cannot see them, and free of what the CSP forbids."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.site import charts, timelines
from quitboard.site.browse import page_count, page_numbers
from quitboard.site.charts import Cell, RangeRow
from quitboard.site.figures import share
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.timelines import Mark, Panel, TrendPoint

UGLY = "</title><script>alert(1)</script> & \"'"
TEXT = Text(id="it", title=UGLY, description=UGLY)
ROWS = [
    RangeRow(label=UGLY, share=share(count, base), value=UGLY, note="n") for count, base in ((3, 40), (0, 9), (1, 2))
]
POINTS = [
    TrendPoint(label=UGLY, share=share(n, 20), pooled=share(n, 20 * (n % 3)), watched=n, tick=n % 2 == 0)
    for n in range(9)
]
HOURS = (UGLY, [0.0, 3.0, 1.5])
MARKS = [Mark(letter=letter, at=at) for letter, at in (("A", 0.2), ("B", 0.4), ("<", 9.0))]
PANELS = [Panel(label=UGLY, value=UGLY, note=UGLY, pooled=[share(n, 20) for n in range(9)], marks=MARKS)] * 3
UNKNOWN = Panel(label="nobody", value="", note="", pooled=[share(0, 2)] * 9)
CELLS = {(0, 0): Cell(step=4, text="9", watched=True), (0, 1): Cell(step=None, text="", watched=True)}

DRAWINGS: dict[str, Callable[[float], str]] = {
    "ranges": lambda width: charts.ranges(ROWS, width=width, text=TEXT, overall=share(4, 51)),
    "trend": lambda width: timelines.trend(POINTS, width=width, text=TEXT, watched_label=UGLY, marks=MARKS),
    "panels": lambda width: timelines.panels(
        [*PANELS, UNKNOWN], width=width, text=TEXT, span=(UGLY, "b"), unknown=UGLY, reference=PANELS[0].pooled
    ),
    "heat map": lambda width: charts.heat_map(
        [UGLY, "all"],
        ["a", "b", "c"],
        CELLS,
        width=width,
        row_px=20,
        text=TEXT,
        hours=HOURS,
        across=True,
    ),
    "tall heat map": lambda width: charts.heat_map(
        [UGLY, "b", "c"],
        ["a", "b"],
        CELLS,
        width=width,
        row_px=20,
        text=TEXT,
        hours=HOURS,
        across=False,
    ),
    "columns": lambda width: charts.columns([(UGLY, 3.0, UGLY), ("b", 0.0, "0")], width=width, text=TEXT),
    "watched": lambda width: charts.watched_lanes([(UGLY, {3: 0.5, 4: 1.7})], width=width, text=TEXT),
    "tally": lambda width: charts.tally_figures([(UGLY, UGLY, 40)], width=width, vehicle="scooter", text=TEXT),
    "zones": lambda _: charts.zones(1280, 720, [("lane", UGLY, [(0, 300), (900, 300), (900, 400)], (3.0, -4.0))], TEXT),
    "lanes": lambda width: charts.lanes(
        3, 1, 9, columns=20 if width == WIDE_PX else 10, vehicle="scooter", helmets=True, text=TEXT
    ),
}


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_well_formed_named_and_within_its_frame(name: str, width: float) -> None:
    root = ElementTree.fromstring(DRAWINGS[name](width))
    assert root.get("role") == "img"
    ids = str(root.get("aria-labelledby")).split()
    assert [root.find(f"*[@id='{each}']").text for each in ids] == [UGLY, UGLY]  # type: ignore[union-attr]
    _, _, wide, tall = map(float, str(root.get("viewBox")).split())
    for item in root.iter():
        assert item.tag in ("svg", "title", "desc", "text", "rect", "line", "circle", "polygon", "polyline", "use")
        assert not {key for key in item.attrib if key == "style" or key.startswith("on")}
        for key, most in (
            ("x", wide),
            ("x1", wide),
            ("x2", wide),
            ("cx", wide),
            ("y", tall),
            ("y1", tall),
            ("cy", tall),
        ):
            assert -1 <= float(item.get(key, 0)) <= most + 1, f"{key} of {item.attrib}"


def test_a_hundred_riders_are_a_hundred_of_which_so_many_stand_out() -> None:
    root = ElementTree.fromstring(charts.lanes(28, 24, 33, columns=20, vehicle="scooter", helmets=True, text=TEXT))
    figures = [item.get("class") for item in root.iter("use")]
    assert figures == ["bare"] * 28 + ["helmet"] * 72
    assert len([item for item in root.iter("line") if item.get("class") == "interval"]) == 33 - 24


def test_where_helmets_were_not_judged_none_are_drawn() -> None:
    assert "-helmet" not in charts.lanes(5, 3, 9, columns=20, vehicle="scooter", helmets=False, text=TEXT)


def trend_of(*shares: tuple[int, int], hours: float = 8.0, marks: list[Mark] | None = None) -> str:
    points = [
        TrendPoint(label="", share=share(*each), pooled=share(*each), watched=hours, tick=False) for each in shares
    ]
    return timelines.trend(points, width=WIDE_PX, text=TEXT, watched_label="h", marks=marks or [])


def test_a_trend_does_not_bridge_days_that_nothing_is_known_of() -> None:
    assert trend_of((3, 20), (3, 20), (0, 0), (3, 20), (3, 20)).count("<polyline") == 2


def test_a_day_of_fewer_than_five_riders_has_no_dot() -> None:
    assert trend_of((3, 20), (1, 4), (3, 20)).count('class="day"') == 2


def test_a_day_without_hours_has_no_bar() -> None:
    assert trend_of((3, 20), (3, 20), hours=0.0).count('class="hours"') == 0
    assert trend_of((3, 20), (3, 20), hours=0.01).count('class="hours"') == 2


def test_letters_of_changes_never_cover_each_other() -> None:
    marks = [Mark(letter=letter, at=at) for letter, at in (("A", 3.0), ("B", 3.1), ("C", 3.1), ("D", 5.0))]
    root = ElementTree.fromstring(trend_of(*[(3, 20)] * 5, marks=marks))
    places = [float(item.get("cx", 0)) for item in root.iter("circle") if item.get("class") == "badge"]
    assert len(places) == len(marks)
    assert all(right - left >= 18 for left, right in itertools.pairwise(places))


def test_a_panel_of_which_nothing_is_known_says_so_and_draws_no_line() -> None:
    drawn = timelines.panels([UNKNOWN], width=WIDE_PX, text=TEXT, span=("a", "b"), unknown="too few to say")
    assert "too few to say" in drawn
    assert "polyline" not in drawn


@given(st.floats(1e-6, 1e6))
def test_an_axis_ends_at_a_round_number_not_far_above(value: float) -> None:
    end = charts.nice_ceiling(value)
    assert value <= end * (1 + 1e-9)
    assert end <= value * 2 + 1e-9
    step = end / charts.steps_of(end)
    assert float(f"{step:.3g}") == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize(
    ("page", "pages", "expected"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 9, [1, 2, 0, 8, 9]),
        (5, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (9, 20, [1, 2, 0, 8, 9, 10, 0, 19, 20]),
    ],
)
def test_a_pager_links_the_ends_and_the_neighbours(page: int, pages: int, expected: list[int]) -> None:
    assert page_numbers(page, pages) == expected


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (24, 1), (25, 2), (48, 2)])
def test_a_list_has_as_many_pages_as_it_needs(total: int, pages: int) -> None:
    assert page_count(total, 24) == pages
