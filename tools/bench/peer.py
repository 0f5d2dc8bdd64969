"""`yolo track` of the ultralytics command line, as its users run it: python -m tools.bench.peer model=... source=..."""

from __future__ import annotations

import sys


def main() -> None:
    from quitboard.detect.model import import_torch

    sys.argv = ["yolo", "track", *sys.argv[1:]]  # ultralytics keeps the words as they are when it is imported
    import_torch()  # else a torchvision built for CUDA stops ultralytics on a machine without
    from ultralytics.cfg import entrypoint

    entrypoint()


if __name__ == "__main__":
    main()
