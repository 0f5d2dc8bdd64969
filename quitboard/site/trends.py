"""Rates over time as a page shows them: of one kind, of each place, of each kind; and what changed meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from quitboard.site import timelines
from quitboard.site.facets import segment
from quitboard.site.plates import Chart, Measured, share_table
from quitboard.site.series import Change, Timeline, What, changes, confounding, of_line, timeline
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.timelines import Mark, Panel, TrendPoint
from quitboard.site.view import View

_MOST_PANELS = 12
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def by_day(view: View, kind: str, camera_id: str | None = None) -> Chart | None:
    """Return a kind's share over time, at one place or at all."""
    line = timeline(view.facts, kind, camera_id)
    if line is None or len(line.buckets) < 2:
        return None
    words = view.words
    several = of_line(changes(view.facts.data), line)
    finding = _finding(view, line, several)
    id_ = "by-day"
    text = Text(id=id_, title=finding, description=words("chart.day_description", kind=view.kind_name(kind)))
    every = max(1, -(-len(line.buckets) // 6))
    watched_label, watched = view.watched_axis([bucket.watched_hours for bucket in line.buckets])
    points = [
        TrendPoint(
            label=_axis_day(view, line, bucket.start),
            share=bucket.share,
            pooled=bucket.pooled,
            watched=watched[number],
            tick=number % every == every // 2,
        )
        for number, bucket in enumerate(line.buckets)
    ]
    unit = "week" if line.weekly else "day"
    return Chart(
        id=id_,
        finding=finding,
        subtitle=words(f"chart.{unit}_subtitle", kind=view.kind_name(kind)),
        drawings=tuple(
            timelines.trend(
                points,
                width=width,
                text=text,
                watched_label=watched_label,
                marks=_marks(line, several, several),
            )
            for width in (WIDE_PX, NARROW_PX)
        ),
        table=share_table(
            view,
            unit,
            [
                Measured(name=words.day(bucket.start), share=bucket.share, watched_hours=bucket.watched_hours)
                for bucket in line.buckets
                if bucket.share.base or bucket.watched_hours
            ],
        ),
        csv=f"statistics/{segment(kind)}_{'by_place_over_time' if camera_id else 'by_day'}.csv",
        legend=(
            ("day", words(f"chart.legend_{unit}")),
            ("curve", words(f"chart.legend_{unit}_curve")),
            ("band", words("chart.legend_band")),
            ("hours", words("chart.legend_hours")),
        ),
        marks=_said(view, several, with_places=camera_id is None),
    )


def places_over_time(view: View, kind: str) -> Chart | None:
    """Return a kind's share over time at each place, side by side on one scale; None for one place or few days."""
    lines = [
        line for place in view.facts.data.places if (line := timeline(view.facts, kind, place.id)) and line.whole.base
    ]
    if len(lines) < 2 or not any(line.is_long_enough for line in lines):
        return None
    lines.sort(key=lambda line: (not line.whole.known, -line.whole.value, line.camera_id or ""))
    names = {line.camera_id: view.place_name(line.camera_id or "") for line in lines}
    overall = timeline(view.facts, kind)
    assert overall is not None
    return _side_by_side(
        view,
        "places",
        [(names[line.camera_id], line) for line in lines],
        subject=view.kind_name(kind),
        csv=f"statistics/{segment(kind)}_by_place_over_time.csv",
        reference=overall,
    )


def kinds_over_time(view: View, kinds: Sequence[str]) -> Chart | None:
    """Return the share of each kind over time, side by side, each on its own scale; None for one kind or few days."""
    lines = [line for kind in kinds if (line := timeline(view.facts, kind))]
    if len(lines) < 2 or not any(line.is_long_enough for line in lines):
        return None
    return _side_by_side(
        view,
        "kinds",
        [(view.kind_name(line.kind), line) for line in lines],
        subject="",
        csv="statistics/kinds_over_time.csv",
    )


def _side_by_side(
    view: View,
    of: str,
    named: Sequence[tuple[str, Timeline]],
    *,
    subject: str,
    csv: str,
    reference: Timeline | None = None,
) -> Chart:
    words = view.words
    lines = [line for _, line in named]
    several = [change for change in changes(view.facts.data) if change.day > lines[0].buckets[0].start]
    finding = _finding_of_many(view, of, named, several)
    text = Text(id=f"{of}-over-time", title=finding, description=words(f"chart.{of}_time_description", kind=subject))
    first, last = lines[0].buckets[0].start, lines[0].buckets[-1].start
    drawn = named[:_MOST_PANELS]
    items = [
        Panel(
            label=name,
            value=view.figure(line.whole),
            note=f"{view.n(line.whole)} · {view.hours(line.watched_hours)}",
            pooled=[bucket.pooled for bucket in line.buckets],
            marks=_marks(line, of_line(several, line), several),
        )
        for name, line in drawn
    ]
    legend = [
        ("curve", words("chart.legend_week_curve" if lines[0].weekly else "chart.legend_day_curve")),
        ("band", words("chart.legend_band")),
    ]
    if reference:
        legend.append(("reference", words("chart.legend_reference")))
    if any(item.marks for item in items):
        legend.append(("mark", words("chart.legend_mark")))
    left_out = len(named) - len(drawn)
    return Chart(
        id=f"{of}-over-time",
        finding=finding,
        subtitle=words(f"chart.{of}_time_subtitle", kind=subject),
        drawings=tuple(
            timelines.panels(
                items,
                width=width,
                text=text,
                span=(_axis_day(view, lines[0], first), _axis_day(view, lines[0], last)),
                unknown=words("figure.too_few"),
                reference=[bucket.pooled for bucket in reference.buckets] if reference else (),
                common=reference is not None,
            )
            for width in (WIDE_PX, NARROW_PX)
        ),
        table=share_table(
            view,
            of.removesuffix("s"),
            [Measured(name=name, share=line.whole, watched_hours=line.watched_hours) for name, line in named],
        ),
        csv=csv,
        note=words("chart.left_out", n=left_out) if left_out else "",
        legend=tuple(legend),
        marks=_said(view, several),
    )


def _finding(view: View, line: Timeline, several: Sequence[Change]) -> str:
    """Say whether the last stretch differs from the first, only beyond chance, and whether what watches changed too."""
    words = view.words
    unit = "week" if line.weekly else "day"
    if not line.is_long_enough:
        return words("chart.day_short")
    if not line.has_changed():
        return words(f"chart.{unit}_same")
    said = words(
        f"chart.{unit}_up" if line.last.value > line.first.value else f"chart.{unit}_down",
        first=view.percent(line.first),
        last=view.percent(line.last),
    )
    return said + (words("chart.but_changed") if confounding(several, line) else "")


def _finding_of_many(view: View, of: str, named: Sequence[tuple[str, Timeline]], several: Sequence[Change]) -> str:
    words = view.words
    able = [(name, line) for name, line in named if line.is_long_enough]
    if not able:
        return words("chart.day_short")
    moved = [(name, line) for name, line in able if line.has_changed(comparisons=len(able))]
    if not moved:
        return words(f"chart.{of}_time_same")
    if len(moved) == 1:
        name, line = moved[0]
        said = words(
            f"chart.{of}_time_up" if line.last.value > line.first.value else f"chart.{of}_time_down",
            name=name,
            first=view.percent(line.first),
            last=view.percent(line.last),
        )
    else:
        said = words(f"chart.{of}_time_some", n=len(moved), all=len(able))
    return said + (words("chart.but_changed") if any(confounding(several, line) for _, line in moved) else "")


def _marks(line: Timeline, drawn: Sequence[Change], told: Sequence[Change]) -> list[Mark]:
    """Return the marks of `drawn` with the letters that `told` gives their days."""
    size = 7 if line.weekly else 1
    start = line.buckets[0].start
    letters = {day: _letter(number) for number, day in enumerate(sorted({change.day for change in told}))}
    return [
        Mark(letter=letters[day], at=min((day - start).days / size, len(line.buckets)))
        for day in sorted({change.day for change in drawn})
    ]


def _letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else "+"


def _said(view: View, several: Sequence[Change], *, with_places: bool = True) -> tuple[tuple[str, str], ...]:
    """Return what the marks stand for: one letter a day, all that changed on it."""
    words = view.words
    made: list[tuple[str, str]] = []
    for number, day in enumerate(sorted({change.day for change in several})):
        of_day = [change for change in several if change.day == day]
        texts = []
        for change in of_day:
            places = ", ".join(view.place_name(camera) for camera in change.cameras)
            if change.what is What.MODEL:
                model = view.models.get(change.model_sha256)
                name = model.name if model else words("change.unknown_model")
                said = words("change.model", model=name)
            else:
                said = words(f"change.{change.what.value}")
            texts.append(f"{said} ({places})" if with_places else said)
        made.append((_letter(number), f"{words.date(day)}: {' · '.join(texts)}"))
    return tuple(made)


def _axis_day(view: View, line: Timeline, day: date) -> str:
    """Return a day as an axis writes it, with its year where the axis runs over several."""
    years = line.buckets[0].start.year != line.buckets[-1].start.year
    if view.words.is_korean:
        return f"{day:%y}.{day.month}.{day.day}" if years else f"{day.month}/{day.day}"
    return view.words.short_day(day) + (f" {day:%y}" if years else "")
