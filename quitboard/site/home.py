"""The home page: the week in one drawing and three sentences. Pure.

What it says depends on what there is, and every state is a page worth reading:
`rate`     riders were judged: of every hundred, so many
`none`     hours were watched and nothing was suspected
`counts`   there are suspected violations but nothing says what was watched (the first QuitBoard's zips)
`empty`    nothing was looked at yet
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quitboard.site import charts
from quitboard.site.data import Window
from quitboard.site.facets import Selection
from quitboard.site.figures import Share, differ, standing_out
from quitboard.site.series import standing_hours
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View

_CARDS = 8
_MOST_LANES = 6
_MOST_FIGURES = 22  # in one row of the wide drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Hero:
    """The first screen: a headline, what it rests on, and a drawing in two widths."""

    state: str
    kicker: str
    headline: str  # ** marks what stands out
    basis: str
    drawings: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]  # (css, words)
    vehicle: str


def home(view: View) -> dict[str, Any]:
    """Return the home page."""
    facts = view.facts
    week = facts.latest_week()
    first = hero(view)
    return {
        "hero": first,
        "sentences": sentences(view, week) if week and first.state != "none" else [],
        "cards": list(range(min(_CARDS, len(facts.data.violations)))),
        "total": len(facts.data.violations),
        "kinds": _kinds(view),
        "headline_kind": facts.headline,
        "period": view.words.span(facts.period.first, facts.period.last) if facts.period else "",
        "watched": view.words.duration(facts.watched().watched_hours * 3600),
    }


def hero(view: View) -> Hero:
    """Return the first screen for what the board holds."""
    facts, words = view.facts, view.words
    week = facts.latest_week()
    if week is None:
        return Hero(
            state="empty", kicker="", headline=words("hero.empty"), basis=words("hero.empty_basis"), drawings=(),
            legend=(), vehicle="scooter",
        )  # fmt: skip
    watched = facts.watched()
    counted = sum(row.violations for row in facts.data.by_day)
    if facts.headline is not None and facts.share_of(facts.headline).count:
        return _rate(view, facts.headline, week)
    if watched.watched_hours > 0 and counted == 0 and not facts.data.violations:
        return _none(view)
    return _counts(view)


def _rate(view: View, kind: str, week: Window) -> Hero:
    facts, words = view.facts, view.words
    window = week
    found = facts.share_of(kind, window=window)
    if not found.known or not found.count:
        assert facts.period is not None
        window, found = facts.period, facts.share_of(kind)
    low, high = int(found.low * 100), min(100, -int(-found.high * 100 // 1))
    count = max(1, round(found.value * 100))
    low, high = min(low, count), max(high, count)
    headline = view.per_hundred(kind, found)
    text = Text(
        id="riders",
        title=headline.replace("**", ""),
        description=words("hero.rate_description", n=count, low=low, high=high),
    )
    vehicle = facts.vehicle_of(kind)
    vehicle = vehicle if vehicle in ("scooter", "bicycle", "motorcycle") else "scooter"
    return Hero(
        state="rate",
        kicker=_kicker(view, window),
        headline=headline,
        basis=words("hero.rate_basis", basis=view.of_base(kind, found), interval=view.interval(found)),
        drawings=tuple(
            charts.lanes(count, low, high, columns=columns, vehicle=vehicle, helmets="no_helmet" in kind, text=text)
            for columns in (20, 10)
        ),
        legend=(
            ("bare", words("hero.legend_bare", n=count, kind=view.kind_name(kind))),
            ("interval", words("hero.legend_interval", low=low, high=high)),
            ("helmet", words("hero.legend_rest")),
        ),
        vehicle=vehicle,
    )


def _none(view: View) -> Hero:
    facts, words = view.facts, view.words
    watched = facts.watched()
    coverage = facts.coverage_by_hour()
    seen = sorted(coverage, key=lambda camera: (-facts.watched(camera_id=camera).watched_hours, camera))
    rows = [(view.place_name(camera), coverage[camera]) for camera in seen[:_MOST_LANES]]
    duration = words.duration(watched.watched_hours * 3600)
    text = Text(
        id="watched", title=words("hero.none_chart"), description=words("hero.none_description", duration=duration)
    )
    assert facts.period is not None
    basis = words("hero.none_basis", persons=watched.persons, riders=watched.riders)
    bound = facts.share_of(facts.headline) if facts.headline else None
    if bound is not None and bound.known:
        basis += " " + words("hero.none_bound", base=bound.base, high=f"{bound.high * 100:.1f}%")
    return Hero(
        state="none",
        kicker=_kicker(view, facts.period),
        headline=words("hero.none", duration=duration),
        basis=basis,
        drawings=tuple(charts.watched_lanes(rows, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        legend=(("watched", words("hero.legend_watched")), ("unwatched", words("hero.legend_unwatched"))),
        vehicle="scooter",
    )


def _counts(view: View) -> Hero:
    facts, words = view.facts, view.words
    found = {kind: len(view.lists.get(Selection(kind=kind), ())) for kind in facts.kinds}
    found = {kind: count for kind, count in found.items() if count}
    if not found:
        for row in facts.data.by_day:
            if row.violations:
                found[row.kind] = found.get(row.kind, 0) + row.violations
    total = sum(found.values())
    most = max(found.values(), default=1)
    each = max(1, -(-most // _MOST_FIGURES))
    rows = [
        (view.kind_name(kind), words("figure.cases", n=count), max(1, round(count / each)))
        for kind, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    text = Text(
        id="counts",
        title=words("hero.counts", n=total).replace("**", ""),
        description=words("hero.counts_description", n=each),
    )
    vehicle = facts.vehicle_of(max(found, key=lambda kind: found[kind])) if found else "scooter"
    vehicle = vehicle if vehicle in ("scooter", "bicycle", "motorcycle") else "scooter"
    assert facts.period is not None
    has_hours = facts.watched().watched_hours > 0
    return Hero(
        state="counts",
        kicker=_kicker(view, facts.period),
        headline=words("hero.counts", n=total),
        basis=words("hero.counts_few" if has_hours else "hero.counts_basis"),
        drawings=tuple(
            charts.tally_figures(rows, width=width, vehicle=vehicle, text=text) for width in (WIDE_PX, NARROW_PX)
        ),
        legend=(("bare", words("hero.legend_each", n=each)),),
        vehicle=vehicle,
    )


def _kicker(view: View, window: Window) -> str:
    return view.words("hero.kicker", span=view.words.span(window.first, window.last), n=len(view.facts.data.places))


def sentences(view: View, week: Window) -> list[str]:
    """Return the week in up to three sentences: what was watched, what was seen most, and when."""
    facts, words = view.facts, view.words
    watched = facts.watched(window=week)
    said: list[str] = []
    if watched.watched_hours > 0:
        said.append(
            words(
                "week.watched", duration=words.duration(watched.watched_hours * 3600), riders=watched.riders,
                persons=watched.persons, recordings=len(facts.data.recordings),
            )
        )  # fmt: skip
    totals = {kind: facts.share_of(kind, window=week) for kind in facts.kinds}
    counted = {kind: found.count for kind, found in totals.items() if found.count}
    if counted:
        said.append(_most(view, counted, week))
    if facts.headline is not None and facts.share_of(facts.headline).count:
        said.append(_when(view, facts.headline) + _change(view, facts.headline, week))
    return said


def _most(view: View, counted: Mapping[str, int], week: Window) -> str:
    """Say which kind was seen most and where it stood out; that none was, where several share the first place."""
    total, highest = sum(counted.values()), max(counted.values())
    first = [kind for kind, count in counted.items() if count == highest]
    if len(first) > 1:
        return view.words("week.tied", all=total)
    said = view.words("week.most", kind=view.kind_name(first[0]), n=highest, all=total)
    return said + _commonest_place(view, first[0], week)


def _commonest_place(view: View, kind: str, week: Window) -> str:
    rows = [row for row in view.facts.data.by_day if row.day in week]
    places = view.facts.shares(kind, lambda row: row.camera_id, rows)
    above = standing_out(places, view.facts.share_of(kind, window=week))
    if not above or above[0] is None:
        return ""
    return " " + view.words("week.place", place=view.place_name(above[0]), share=_full(view, places[above[0]]))


def _when(view: View, kind: str) -> str:
    """Say at which hours a kind stood out, over all days: one week has too few riders in an hour."""
    span = standing_hours(view.facts, kind)
    if span is None:
        return view.words("week.no_hour", kind=view.kind_name(kind))
    hours = view.words.hours(span.first, span.last)
    return view.words("week.hour", kind=view.kind_name(kind), hour=hours, share=_full(view, span.share))


def _change(view: View, kind: str, week: Window) -> str:
    now = view.facts.share_of(kind, window=week)
    before = view.facts.share_of(kind, window=week.before())
    if not (now.known and before.known):
        return ""
    if not differ(now, before):
        return " " + view.words("week.same", share=_full(view, before))
    return " " + view.words("week.up" if now.value > before.value else "week.down", share=_full(view, before))


def _full(view: View, found: Share) -> str:
    """Return a share with its interval and n, as a sentence can hold it."""
    return f"{view.percent(found)}, {view.words('figure.interval_95', interval=view.interval(found))}, {view.n(found)}"


def _kinds(view: View) -> list[tuple[str, str, int, Share]]:
    return [
        (kind, view.kind_name(kind), len(view.lists.get(Selection(kind=kind), ())), view.facts.share_of(kind))
        for kind in view.facts.kinds
    ]
