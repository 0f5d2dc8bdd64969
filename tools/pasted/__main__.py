"""python -m tools.pasted DATA OUT [--only TEXT] [--seed N]: recordings of pasted riders with their truth.

DATA holds `clips/`, `quitset/` and `unlabelled/`: other people's pictures, which what is made here consists of. OUT is
therefore never part of the project.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from tools.pasted.cuts import cuts
from tools.pasted.plan import PLANS, Plan
from tools.pasted.recordings import make


def build(data: Path, out: Path, plans: Iterable[Plan] = PLANS, *, seed: int = 1) -> list[Path]:
    """Make recordings; returns their paths. Who rides in one depends on the plans before it."""
    people = cuts(data)
    used: dict[str, int] = {}
    made = [make(plan, data, out, people, used, seed) for plan in plans]
    cameras = sorted({(plan.camera, plan.size) for plan in plans})
    (out / "cameras.toml").write_text(
        "\n".join(
            f'[[camera]]\nid = "{name}"\nname = "{name}"\narea = "pasted riders"\ntimezone = "Asia/Seoul"\n'
            f'folder = "{name}/**"\nresolution = [{size[0]}, {size[1]}]\n'
            for name, size in cameras
        ),
        "utf-8",
    )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="recordings whose name contains this")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    plans = [plan for plan in PLANS if chosen.only in plan.name]
    for path in build(chosen.data, chosen.out, plans, seed=chosen.seed):
        print(path)


if __name__ == "__main__":
    main()
