"""`yolo track` of the ultralytics command line, as its users run it: python -m tools.bench.peer model=... source=..."""

from __future__ import annotations

import sys


def main() -> None:
    from quitboard.detect.model import import_torch

    import_torch()  # else a torchvision built for CUDA stops ultralytics on a machine without
    from ultralytics.cfg import entrypoint

    sys.argv = ["yolo", "track", *sys.argv[1:]]
    entrypoint()


if __name__ == "__main__":
    main()
