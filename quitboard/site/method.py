"""The page that says how it works, what was measured, and what it cannot see. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quitboard.database.rows import ModelRow
from quitboard.site import charts
from quitboard.site.charts import RangeRow
from quitboard.site.figures import FEWEST, Estimate
from quitboard.site.plates import Chart, Table
from quitboard.site.svg import NARROW_PX, WIDE_PX, Text
from quitboard.site.view import View, class_figures

ACCIDENTS = ((2017, 117), (2018, 225), (2019, 447), (2020, 897), (2021, 1735))
"""Accidents with personal mobility in Korea, as the first QuitBoard showed; from the Korea Road Traffic Authority."""

_DRAWN = ("precision", "recall")
_MEASURES = ("precision", "recall", "ap50", "map50")
_RENDERED = "rendered."
"""Classes so named were measured on rendered streets; the others on real pictures. The two are never added up."""

_ORDER = ("head", "helmet", "scooter", "person", "bicycle", "motorcycle", "car")
_MASKED = ("heads", "persons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """What anonymising did not cover, of those that are fit to publish."""

    sentence: str
    upper: str  # one-sided 95 % bound


def method(view: View) -> dict[str, Any]:
    """Return how it works, what was measured, and what it cannot see."""
    words = view.words
    recordings = view.facts.data.recordings
    return {
        "accidents": _accidents(view),
        "models": [_model(view, model) for model in view.facts.data.models],
        "recordings": len(recordings),
        "damaged": sum(1 for row in recordings if row.faults),
        "watched": words.duration(view.facts.watched().watched_hours * 3600),
    }


def _accidents(view: View) -> Chart:
    words = view.words
    finding = words("method.accidents_finding")
    text = Text(id="accidents", title=finding, description=words("method.accidents_description"))
    values = [(str(year), float(number), f"{number:,}") for year, number in ACCIDENTS]
    return Chart(
        id="accidents",
        finding=finding,
        subtitle=words("method.accidents_subtitle"),
        drawings=tuple(charts.columns(values, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        table=Table(
            headers=(words("table.year"), words("table.accidents")),
            rows=tuple((str(year), f"{number:,}") for year, number in ACCIDENTS),
        ),
        csv="method/accidents.csv",
        source=words("method.accidents_source"),
    )


def _model(view: View, model: ModelRow) -> dict[str, Any]:
    by_class = class_figures(model.figures)
    real = {name: row for name, row in by_class.items() if "." not in name and name not in _anonymising(by_class)}
    rendered = {name.removeprefix(_RENDERED): row for name, row in by_class.items() if name.startswith(_RENDERED)}
    found = [
        _measured(view, model, name, rows)
        for name, rows in (("real", real), ("rendered", rendered))
        if any(measure in row for row in rows.values() for measure in _MEASURES)
    ]
    days = (model.first_day, model.last_day)
    return {
        "name": model.name,
        "sha256": model.sha256[:12],
        "span": view.words.span(days[0], days[1]) if days[0] and days[1] else "",
        "charts": found,
        "misses": _misses(view, model.figures),
    }


def _anonymising(by_class: Mapping[str, Mapping[str, float]]) -> set[str]:
    return {name for name, row in by_class.items() if any(key.endswith("_missed") for key in row)}


def _measured(view: View, model: ModelRow, where: str, by_class: Mapping[str, Mapping[str, float]]) -> Chart:
    """Return precision and recall of each class with their intervals, and all that was measured as a table."""
    words = view.words
    names = sorted(by_class, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    rows: list[RangeRow] = []
    for name in names:
        figures = by_class[name]
        for measure in _DRAWN:
            if measure in figures:
                estimate = _estimate(figures, measure)
                rows.append(
                    RangeRow(
                        label=f"{words.or_else(f'class.{name}', name)} · {words(f'measure.{measure}')}",
                        share=estimate,
                        value=_words(view, figures, measure),
                        note=f"n = {figures['n']:,.0f}" if "n" in figures else "",
                    )
                )
    finding = _finding(view, where, by_class)
    id_ = f"model-{where}-{model.sha256[:8]}"
    text = Text(id=id_, title=finding, description=words("method.measured_description"))
    measures = [name for name in _MEASURES if any(name in row for row in by_class.values())]
    return Chart(
        id=id_,
        finding=finding,
        subtitle=words(f"method.measured_{where}"),
        drawings=tuple(charts.ranges(rows, width=width, text=text) for width in (WIDE_PX, NARROW_PX)),
        table=Table(
            headers=(
                words("method.class"),
                *(words(f"measure.{name}") for name in measures),
                words("measure.n"),
                words("measure.pictures"),
            ),
            rows=tuple(
                (
                    words.or_else(f"class.{name}", name),
                    *(_words(view, by_class[name], measure) for measure in measures),
                    *(f"{by_class[name][key]:,.0f}" if key in by_class[name] else "–" for key in ("n", "pictures")),
                )
                for name in names
            ),
        ),
        csv="method/models.csv",
        source=words("method.measured_source", name=model.name),
    )


def _finding(view: View, where: str, by_class: Mapping[str, Mapping[str, float]]) -> str:
    """Say what the class that helmets are judged by was measured at, where there is one."""
    head = by_class.get("head", {})
    if "precision" in head and "recall" in head and head.get("n", FEWEST) >= FEWEST:
        return view.words(
            "method.measured_finding",
            right=f"{head['precision'] * 100:.0f}%",
            found=f"{head['recall'] * 100:.0f}%",
        )
    return view.words(f"method.measured_{where}")


def _estimate(figures: Mapping[str, float], measure: str) -> Estimate:
    """Return a measure with its interval; of a few samples, or without an interval, nothing is drawn."""
    low, high = figures.get(f"{measure}_low"), figures.get(f"{measure}_high")
    return Estimate(
        value=figures[measure],
        low=figures[measure] if low is None else low,
        high=figures[measure] if high is None else high,
        known=figures.get("n", FEWEST) >= FEWEST,
    )


def _words(view: View, figures: Mapping[str, float], measure: str) -> str:
    """Return a measure as text with its interval, where the card gives one: "64.6% (52.7–76.2%)"."""
    if measure not in figures:
        return "–"
    if figures.get("n", FEWEST) < FEWEST:
        return view.words("figure.too_few")
    low, high = figures.get(f"{measure}_low"), figures.get(f"{measure}_high")
    interval = "" if low is None or high is None else f" ({low * 100:.1f}–{high * 100:.1f}%)"
    return f"{figures[measure] * 100:.1f}%{interval}"


def _misses(view: View, figures: Mapping[str, float]) -> list[Misses]:
    """Return what anonymising missed, as `misses/N` with its upper bound, of each thing that it was measured for."""
    by_class = class_figures(figures)
    measured = [
        (what, row)
        for row in (by_class[name] for name in sorted(_anonymising(by_class)))
        for what in _MASKED
        if {f"{what}_missed", f"{what}_n", f"{what}_upper"} <= row.keys()
    ]
    return [
        Misses(
            sentence=view.words(f"method.missed_{what}", missed=int(row[f"{what}_missed"]), n=int(row[f"{what}_n"])),
            upper=view.words("method.missed_upper", upper=f"{row[f'{what}_upper'] * 100:.1f}%"),
        )
        for what, row in measured
    ]
