"""Measured figures as plain values: what `--json` prints and the report is drawn from. See docs/evaluation.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from quitboard.detect.rules import Outcome
from quitboard.models import violations
from quitboard.models.calibration import Reliability, reliability
from quitboard.models.intervals import Array, bootstrap, plain, wilson
from quitboard.models.labelled import LabelledSet
from quitboard.models.measure import Measured
from quitboard.models.pictures import HEAD_ROLES, RoleFigures
from quitboard.models.recordings import Held, HelmetRate, TrueRider
from quitboard.models.violations import Happening, KindFigures
from quitboard.records import Role

ANSWERS = ("bare", "helmet", "unclear", "not judged", "not found")
"""What becomes of a driver's head; "not judged": he was found, but another was taken for who drives."""
RIDER_HEIGHTS_PX = (0.0, 16.0, 32.0, 64.0, 96.0, float("inf"))


# --- pictures --------------------------------------------------------------------------------------------------------


def of_pictures(source: LabelledSet, measured: Sequence[Measured], read: int) -> dict[str, Any]:
    """Return the figures of a labelled set."""
    return {
        "what": "pictures",
        "split": source.split,
        "pictures": read,
        "classes": {name: role.value if role else None for name, role in source.classes.items()},
        "unknown_classes": dict(source.unknown),
        "ways": [_way(one) for one in measured],
    }


def _way(one: Measured) -> dict[str, Any]:
    return {
        "way": one.way,
        "map50": one.figures.map50.as_plain(),
        "map50_95": one.figures.map50_95.as_plain(),
        "by_class": {role.value: _role(told) for role, told in one.figures.by_role.items()},
        "heads": [
            {"labelled": role.value, "said": said.value if said else None, "n": one.heads.get((role, said), 0)}
            for role in HEAD_ROLES
            for said in (*HEAD_ROLES, None)
        ],
        "ms_a_picture": round(one.ms, 1),
    }


def _role(one: RoleFigures) -> dict[str, Any]:
    return {
        "pictures": one.pictures,
        "threshold": one.threshold,
        "ap50": one.ap50.as_plain(),
        "ap50_95": one.ap50_95.as_plain(),
        "precision": one.precision.as_plain(),
        "recall": one.recall.as_plain(),
        "by_height": [
            {
                "from_px": part.from_px,
                "to_px": plain(part.to_px),
                "ap50": part.ap50.as_plain(),
                "precision": part.precision.as_plain(),
                "recall": part.recall.as_plain(),
            }
            for part in one.heights
        ],
        "curve": [[round(value, 4) for value in point] for point in one.curve],
    }


# --- recordings ------------------------------------------------------------------------------------------------------


def of_recordings(held: Sequence[Held]) -> tuple[dict[str, Any], violations.Score]:
    """Return the figures of recordings with truth, and the matches that they were counted from."""
    names = [one.name for one in held]
    score = violations.score([one for h in held for one in h.true], [one for h in held for one in h.reported])
    by_kind, whole = violations.figures(score, names)
    hours = sum(one.watched_s for one in held) / 3600
    return {
        "what": "recordings",
        "recordings": len(held),
        "watched_hours": round(hours, 4),
        "violations": {
            "by_kind": {kind: _kind(told) for kind, told in by_kind.items()},
            "all": _kind(whole),
            "false_an_hour": plain(whole.false / hours) if hours else None,
            "missed": [_happening(one) for one in score.missed],
            "false": [
                {**_happening(one), "confidence": one.confidence, "double": one in score.doubles()}
                for one in score.false
            ],
            "kinds_not_watched": dict(sorted(Counter(one.kind for h in held for one in h.not_watched).items())),
        },
        "confidence": _confidence(held),
        "helmets": _helmets(held),
        "riders": _riders(held, hours),
        "by_recording": [_recording(one, score) for one in held],
    }, score


def _kind(one: KindFigures) -> dict[str, Any]:
    return {
        "acts": one.found + one.missed,
        "found": one.found,
        "missed": one.missed,
        "false": one.false,
        "doubles": one.doubles,
        "precision": one.precision.as_plain(),
        "recall": one.recall.as_plain(),
        "f1": one.f1.as_plain(),
    }


def _happening(one: Happening) -> dict[str, Any]:
    return {
        "recording": one.recording,
        "kind": one.kind,
        "from_s": round(one.from_s, 2),
        "to_s": round(one.to_s, 2),
        "what": one.what,
    }


def _confidence(held: Sequence[Held]) -> dict[str, Any]:
    """Of what is reported, and of every answer that votes gave: a reported violation is never below the threshold."""
    acts = [one for h in held for one in h.true]
    reported = [(one.confidence, violations.is_true(one, acts)) for h in held for one in h.reported]
    answers = [(confidence, right) for h in held for _, confidence, right in h.answers]
    return {"reported": _reliability(reliability(reported)), "voted": _reliability(reliability(answers))}


def _reliability(one: Reliability) -> dict[str, Any]:
    return {
        "n": one.n,
        "ece": plain(one.ece),
        "bins": [
            {
                "from": part.from_confidence,
                "to": part.to_confidence,
                "confidence": plain(part.confidence),
                "right": part.right.as_plain(),
            }
            for part in one.bins
        ],
    }


def _helmets(held: Sequence[Held]) -> dict[str, Any] | None:
    rates = [one.rate for one in held if one.rate is not None]
    if not rates:
        return None
    rows = [[one.bare, one.judged, one.true_bare, one.true_drivers, one.unclear] for one in rates]
    total = [int(value) for value in np.array(rows).sum(axis=0)]
    worn = [rider for one in held if one.riders for rider in one.riders.riders if rider.seat == 0 and rider.head]
    answers = Counter((rider.head, _answer(rider)) for rider in worn)
    return {
        "rate": wilson(total[0], total[1]).as_plain(),
        "true_rate": plain(total[2] / total[3]) if total[3] else None,
        "true_drivers": total[3],
        "points_off": bootstrap(rows, _points_off, n=total[1]).as_plain(),
        "unclear": wilson(total[4], total[1] + total[4]).as_plain(),
        "judged": [
            {"head": head, **{answer: answers[head, answer] for answer in ANSWERS}}
            for head in sorted({rider.head for rider in worn})
        ],
    }


def _points_off(counts: Array) -> float:
    bare, judged, true_bare, true_drivers, _ = counts
    return 100 * (bare / judged - true_bare / true_drivers) if judged and true_drivers else float("nan")


def _answer(rider: TrueRider) -> str:
    words = {Outcome.BREACH: "bare", Outcome.NONE: "helmet", Outcome.UNCLEAR: "unclear"}
    return words[rider.judged] if rider.judged else "not judged" if rider.found else "not found"


def _riders(held: Sequence[Held], hours: float) -> dict[str, Any] | None:
    told = [one.riders for one in held if one.riders is not None]
    if not told:
        return None
    riders = [rider for one in told for rider in one.riders]
    rides = [ride for one in told for ride in one.rides]
    pushed = [taken for one in told for _, taken in one.pushed]
    really = Counter(ride.really for ride in rides)
    vehicles = sorted({rider.vehicle for rider in riders})
    return {
        "found": {vehicle.value: _found(rider for rider in riders if rider.vehicle is vehicle) for vehicle in vehicles},
        "found_not_seen_in_training": {
            vehicle.value: _found(one for one in riders if one.vehicle is vehicle and not one.seen_in_training)
            for vehicle in vehicles
            if any(one.seen_in_training for one in riders)
        },
        "by_height": [
            {
                "vehicle": vehicle.value,
                "from_px": low,
                "to_px": plain(high),
                "found": _found(one for one in riders if one.vehicle is vehicle and low <= one.height_px < high),
            }
            for vehicle in vehicles
            for low, high in pairwise(RIDER_HEIGHTS_PX)
            if any(one.vehicle is vehicle and low <= one.height_px < high for one in riders)
        ],
        "vehicle_taken_for": _taken(riders),
        "pushing_taken_for_riding": wilson(sum(pushed), len(pushed)).as_plain(),
        "rides": len(rides),
        "rides_of": dict(sorted(really.items())),
        "false_rides_an_hour": plain((really["on foot"] + really["nobody"]) / hours) if hours else None,
    }


def _found(riders: Iterable[TrueRider]) -> dict[str, float | int | None]:
    found = [rider.found for rider in riders]
    return wilson(sum(found), len(found)).as_plain()


def _taken(riders: Sequence[TrueRider]) -> list[dict[str, Any]]:
    taken: Counter[tuple[Role, Role]] = Counter(
        (rider.vehicle, rider.found_on) for rider in riders if rider.found_on and rider.found_on is not rider.vehicle
    )
    return [{"vehicle": is_.value, "taken_for": for_.value, "n": n} for (is_, for_), n in sorted(taken.items())]


def _recording(one: Held, score: violations.Score) -> dict[str, Any]:
    riders = one.riders.riders if one.riders else None
    return {
        "recording": one.name,
        "watched_s": round(one.watched_s, 2),
        "found": sum(act.recording == one.name for act, _ in score.found),
        "missed": sum(act.recording == one.name for act in score.missed),
        "false": sum(said.recording == one.name for said in score.false),
        "riders": None if riders is None else len(riders),
        "riders_found": None if riders is None else sum(rider.found for rider in riders),
        "helmets": None if one.rate is None else _rate(one.rate),
    }


def _rate(one: HelmetRate) -> dict[str, Any]:
    return {
        "bare": one.bare,
        "judged": one.judged,
        "unclear": one.unclear,
        "true_bare": one.true_bare,
        "true_drivers": one.true_drivers,
        "points_off": plain(one.points_off),
    }


def figure_words(figure: Mapping[str, Any], *, n: bool = True) -> str:
    """Write a figure with its interval and n, as a person reads it: `0.912 (0.87–0.95), n 106`."""
    if figure["value"] is None:
        return "–"
    interval = "" if figure["low"] is None else f" ({figure['low']:.2f}–{figure['high']:.2f})"
    return f"{figure['value']:.3f}{interval}" + (f", n {figure['n']}" if n else "")
