"""Scores what `detect` found against what is known to have happened: found, missed and false, by kind.

    python tools/score_truth.py bundles/ --truth data/demo

Each recording `<name>.mp4` that has a `<name>.truth.json` below --truth is scored. A violation is found when one of its
kind overlaps it in time (two seconds of grace at both ends); each counts once. Ends with 1 where F1 is below --goal.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from quitboard.bundle import read

GRACE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A breach with its seconds since 1970: from the truth, or as reported."""

    camera: str
    kind: str
    from_s: float
    to_s: float
    what: str

    def overlap_s(self, other: Happening) -> float:
        """Seconds both cover, with grace; negative where they lie apart."""
        return min(self.to_s, other.to_s) - max(self.from_s, other.from_s) + 2 * GRACE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    found: Sequence[tuple[Happening, Happening]]
    missed: Sequence[Happening]
    false: Sequence[Happening]

    def f1(self) -> float:
        """2·found / (2·found + missed + false); 1 where there was nothing to find and nothing was."""
        total = 2 * len(self.found) + len(self.missed) + len(self.false)
        return 2 * len(self.found) / total if total else 1.0


def score(true: Sequence[Happening], reported: Sequence[Happening]) -> Score:
    """Match reports with what happened, as many as possible, kind by kind."""
    pairs: list[tuple[Happening, Happening]] = []
    for key in sorted({(one.camera, one.kind) for one in true}):
        acts = [one for one in true if (one.camera, one.kind) == key]
        says = [one for one in reported if (one.camera, one.kind) == key]
        overlaps = np.array([[act.overlap_s(said) for said in says] for act in acts]).reshape(len(acts), len(says))
        # Any overlap is worth more than all the seconds of the others together: more matches before better ones.
        worth = np.where(overlaps > 0, 1e6 + overlaps, 0.0)
        for row, column in zip(*linear_sum_assignment(-worth), strict=True):
            if overlaps[row, column] > 0:
                pairs.append((acts[row], says[column]))
    matched = {id(one) for pair in pairs for one in pair}
    return Score(
        found=pairs,
        missed=[one for one in true if id(one) not in matched],
        false=[one for one in reported if id(one) not in matched],
    )


def truths(folder: Path) -> dict[str, dict]:
    """Return what is known, by the recording's file name."""
    return {
        path.name.removesuffix(".truth.json"): json.loads(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.truth.json"))
    }


def acts_of(truth: dict, camera: str, timezone: str) -> list[Happening]:
    """Return a recording's breaches; acts of no kind are there to be left alone."""
    began = datetime.strptime(truth["started"], "%Y-%m-%d_%H-%M-%S").replace(tzinfo=ZoneInfo(timezone)).timestamp()
    return [
        Happening(
            camera=camera,
            kind=act["kind"],
            from_s=began + act["from_s"],
            to_s=began + act["to_s"],
            what=f"{camera}, second {act['from_s']:.0f}: {act['act']}",
        )
        for act in truth["acts"]
        if act["kind"]
    ]


def bundles_in(paths: Iterable[Path]) -> list[Path]:
    return sorted(found for path in paths for found in (path.rglob("*.zip") if path.is_dir() else [path]))


def table_of(result: Score) -> Table:
    table = Table("kind", "acts", "found", "missed", "false", title="Against the known truth")
    found = Counter(act.kind for act, _ in result.found)
    missed = Counter(one.kind for one in result.missed)
    false = Counter(one.kind for one in result.false)
    for kind in sorted({*found, *missed, *false}):
        table.add_row(kind, *map(str, (found[kind] + missed[kind], found[kind], missed[kind], false[kind])))
    table.add_section()
    table.add_row(
        "all",
        *map(str, (len(result.found) + len(result.missed), *map(len, (result.found, result.missed, result.false)))),
    )
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path, help="bundles, or folders of them")
    parser.add_argument("--truth", type=Path, default=Path("data/demo"), help="folder of *.truth.json")
    parser.add_argument("--goal", type=float, default=0.0, help="least F1")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    chosen = parser.parse_args()
    known = truths(chosen.truth)
    true: list[Happening] = []
    reported: list[Happening] = []
    for path in bundles_in(chosen.bundles):
        with read(path) as bundle:
            camera = bundle.manifest.camera
            scored = {
                one.sha256: known.pop(PurePosixPath(one.name).stem)
                for one in bundle.manifest.recordings
                if PurePosixPath(one.name).stem in known
            }
            for truth in scored.values():
                true += acts_of(truth, camera.id, camera.timezone)
            reported += [
                Happening(
                    camera=camera.id,
                    kind=one.kind,
                    from_s=one.started_at.timestamp(),
                    to_s=one.ended_at.timestamp(),
                    what=f"{camera.id} {one.started_at:%H:%M:%S}, confidence {one.confidence:.2f}, "
                    f"votes {one.votes_for}:{one.votes_against}",
                )
                for one in bundle.violations()
                if one.recording_sha256 in scored
            ]
    if not true:
        print("no bundle of a recording with known truth", file=sys.stderr)
        return 2
    result = score(true, reported)
    if chosen.json:
        print(
            json.dumps(
                {
                    "acts": len(true),
                    "found": len(result.found),
                    "missed": [[one.kind, one.what] for one in result.missed],
                    "false": [[one.kind, one.what] for one in result.false],
                    "f1": round(result.f1(), 4),
                    "unseen_recordings": sorted(known),
                },
                ensure_ascii=False,
                indent=1,
            )
        )
    else:
        console = Console()
        console.print(table_of(result))
        for label, happenings in (("missed", result.missed), ("false", result.false)):
            for one in happenings:
                console.print(f"{label}: {one.kind} — {one.what} ")
        for name in sorted(known):
            console.print(f"not in any bundle: {name}")
        console.print(f"F1 {result.f1():.3f}")
    return 0 if result.f1() >= chosen.goal else 1


if __name__ == "__main__":
    sys.exit(main())
