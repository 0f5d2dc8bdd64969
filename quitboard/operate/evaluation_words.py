"""An evaluation's figures as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.table import Table

from quitboard.models.figures import ANSWERS, figure_words


def tables(document: Mapping[str, Any]) -> Iterator[Table | str]:
    """Yield what a person reads of `Evaluation.as_plain()`, in order."""
    model = document["model"]
    yield f"{model['name']}, {model['runtime']}"
    for section in document["sections"]:
        yield ""
        yield from _pictures(section) if section["what"] == "pictures" else _recordings(section)
        for note in section["notes"]:
            yield f"note: {note}"


def _pictures(section: Mapping[str, Any]) -> Iterator[Table | str]:
    split = f", split {section['split']}" if section["split"] else ""
    yield f"{section['folder']}: {section['pictures']} labelled pictures{split}, at {section['imgsz']} px"
    for name, boxes in section["unknown_classes"].items():
        yield f"note: {boxes} boxes of {name!r}, which is no role here, are left out (--roles '{name}=ROLE' takes them)"
    for way in section["ways"]:
        table = _table("class", "AP50", "AP50-95", "precision", "recall", title=f"{way['way']}, 95 % intervals")
        for name, one in way["by_class"].items():
            table.add_row(name, *(figure_words(one[key]) for key in ("ap50", "ap50_95", "precision", "recall")))
        table.add_section()
        table.add_row("mean", figure_words(way["map50"]), figure_words(way["map50_95"]))
        yield table
        yield f"{way['ms_a_picture']:.0f} ms of processor time a picture on this machine"
    yield from _heights(section["ways"][-1])
    yield from _heads(section["ways"][-1])


def _heights(way: Mapping[str, Any]) -> Iterator[Table]:
    table = _table("class", "height", "AP50", "precision", "recall", title=f"By height in pixels, {way['way']}")
    for name, one in way["by_class"].items():
        for part in one["by_height"]:
            table.add_row(
                name, height_words(part), *(figure_words(part[key]) for key in ("ap50", "precision", "recall"))
            )
    yield table


def height_words(part: Mapping[str, Any]) -> str:
    """Write a class of heights: `16–32 px`, `64 px or more`."""
    if part["to_px"] is None:
        return f"{part['from_px']:.0f} px or more"
    return f"{part['from_px']:.0f}–{part['to_px']:.0f} px" if part["from_px"] else f"below {part['to_px']:.0f} px"


def _heads(way: Mapping[str, Any]) -> Iterator[Table]:
    told = {(one["labelled"], one["said"]): one["n"] for one in way["heads"]}
    if any(told.values()):
        table = _table("labelled", "said: helmet", "said: bare head", "not found", title="Helmet or bare head")
        for role in ("helmet", "head"):
            table.add_row(role, *(str(told[role, said]) for said in ("helmet", "head", None)))
        yield table


def _recordings(section: Mapping[str, Any]) -> Iterator[Table | str]:
    minutes = 60 * section["watched_hours"]
    yield f"{section['folder']}: {section['recordings']} recordings, {minutes:.1f} min, at {section['imgsz']} px"
    told = section["violations"]
    table = _table(
        "kind", "acts", "found", "missed", "false", "precision", "recall", "F1", title="Suspected violations"
    )
    for name, one in told["by_kind"].items():
        table.add_row(*_kind(name, one))
    table.add_section()
    table.add_row(*_kind("all", told["all"]))
    yield table
    for label in ("missed", "false"):
        for one in told[label]:
            yield f"{label}: {one['kind']}, {one['recording']}, {one['from_s']:.0f}–{one['to_s']:.0f} s: {one['what']}"
    confidence = section["confidence"]
    for label, one in (("reported violations", confidence["reported"]), ("all votes", confidence["voted"])):
        if one["n"]:
            yield f"ECE of {label}: {one['ece']:.3f}, n {one['n']}"
    yield from _helmets(section["helmets"])
    yield from _riders(section["riders"])


def _table(*columns: str, title: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _kind(name: str, one: Mapping[str, Any]) -> list[str]:
    counts = [str(one[key]) for key in ("acts", "found", "missed", "false")]
    return [name, *counts, *(figure_words(one[key], n=False) for key in ("precision", "recall", "f1"))]


def _helmets(told: Mapping[str, Any] | None) -> Iterator[Table | str]:
    if told is None:
        return
    if told["true_rate"] is not None:
        yield (
            f"without a helmet: {figure_words(told['rate'])} judged; truly {told['true_rate']:.3f} of "
            f"{told['true_drivers']}; off by {_points(told['points_off'])}; unclear {figure_words(told['unclear'])}"
        )
    table = _table(
        "worn", *(f"judged {key}" if n < 2 else key for n, key in enumerate(ANSWERS)), title="What drivers wore"
    )
    for row in told["judged"]:
        table.add_row(row["head"], *(str(row[key]) for key in ANSWERS))
    if told["judged"]:
        yield table


def _points(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:+.1f} points ({figure['low']:+.1f} to {figure['high']:+.1f})"


def _riders(told: Mapping[str, Any] | None) -> Iterator[Table | str]:
    if told is None:
        return
    table = _table("riders on", "height", "found", title="Riders found, by their height in pixels")
    for name, one in told["found"].items():
        table.add_row(name, "all", figure_words(one))
        if name in told["found_not_seen_in_training"]:
            table.add_row("", "of them not seen in training", figure_words(told["found_not_seen_in_training"][name]))
        for part in told["by_height"]:
            if part["vehicle"] == name:
                table.add_row("", height_words(part), figure_words(part["found"]))
    yield table
    yield f"pushing taken for riding: {figure_words(told['pushing_taken_for_riding'])}"
    yield f"rides found: {told['rides']}, really " + ", ".join(f"{who}: {n}" for who, n in told["rides_of"].items())
    for one in told["vehicle_taken_for"]:
        yield f"{one['vehicle']} taken for {one['taken_for']}: {one['n']} riders"
