"""``python -m tools.street pictures|demo``."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.street", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("pictures", help="training pictures with YOLO labels")
    pictures.add_argument("--out", type=Path, required=True)
    pictures.add_argument("--count", type=int, default=100)
    pictures.add_argument("--first", type=int, default=0, help="number of the first picture (to share the work)")
    pictures.add_argument("--seed", type=int, default=1)
    demo = commands.add_parser("demo", help="the demo recordings with their truth")
    demo.add_argument("--out", type=Path, default=Path("data/demo"))
    demo.add_argument("--only", default="", help="one camera's id")
    options = parser.parse_args()
    if options.command == "pictures":
        from tools.street.pictures import render

        render(options.out, options.count, options.seed, options.first)
    else:
        from tools.street.demo import make

        make(options.out, options.only)


if __name__ == "__main__":
    main()
