"""Draw streets whose truth is known: pictures to train on, recordings to show and to test with. See docs/street.md."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return number


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.street", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("pictures", help="training pictures with YOLO labels and their truth")
    pictures.add_argument("--out", type=Path, required=True, help="folder; what is finished there is not drawn again")
    pictures.add_argument("--count", type=_at_least(1), default=100)
    pictures.add_argument(
        "--first", type=_at_least(0), default=0, help="number of the first picture (to share the work)"
    )
    pictures.add_argument("--seed", type=_at_least(0), default=1)
    demo = commands.add_parser("demo", help="the demo recordings with their truth")
    demo.add_argument("--out", type=Path, default=Path("data/demo"))
    demo.add_argument("--only", default="", help="one camera's id")
    test = commands.add_parser("test", help="the test recordings with their truth, from other places than the pictures")
    test.add_argument("--out", type=Path, required=True, help="folder; what is finished there is not drawn again")
    test.add_argument("--count", type=_at_least(1), default=20, help="how many of the twenty, from the first")
    test.add_argument(
        "--seed", type=_at_least(0), help="draw other places with the training's people: to choose by, not to test"
    )
    rides = commands.add_parser("rides", help="pictures of one and two who ride by, with their truth")
    rides.add_argument("--out", type=Path, required=True)
    rides.add_argument(
        "--count", type=_at_least(1), default=30, help="minutes at as many places, about a hundred pictures each"
    )
    rides.add_argument("--first", type=_at_least(0), default=1, help="number of the first place (to share the work)")
    rides.add_argument("--seed", type=_at_least(0), default=1)
    for command in (pictures, test, rides):
        command.add_argument(
            "--jobs", type=_at_least(1), default=os.cpu_count() or 1, help="processes; the result is the same"
        )
    options = parser.parse_args()
    # Mesa's software renderer takes every core for itself unless told: the processes share them.
    os.environ.setdefault("LP_NUM_THREADS", "1" if getattr(options, "jobs", 1) > 1 else "2")
    if options.command == "pictures":
        from tools.street.pictures import render_all

        render_all(options.out, options.count, options.seed, options.first, options.jobs)
    elif options.command == "demo":
        from tools.street.demo import make as make_demo

        make_demo(options.out, options.only)
    elif options.command == "rides":
        from tools.street.rides import make as make_rides

        make_rides(options.out, options.count, options.seed, options.first, options.jobs)
    else:
        from tools.street.teststreet import make as make_test

        make_test(options.out, options.count, options.jobs, options.seed)


if __name__ == "__main__":
    main()
