"""make bench: detect against `yolo track` with the same weights and picture size, on the same files, runs alternating.

    python -m tools.bench [--clip CLIP] [--idle-s 300] [--runs 3]

Prints ratios (peer's time divided by ours) as median and spread, the floor of decoding keyframes alone, the share of
decoding in our time, and what the gate lost of what the ungated run finds. Seconds are shown to judge the ratios by.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitboard.files import resource
from tools.bench.idle import make_idle

WORK = Path("bench-out")


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tools.bench", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument(
        "--clip", type=Path, default=_demo_clip(), help="a busy clip (default: a built-in recording)"
    )
    arguments.add_argument("--idle-s", type=float, default=300.0, help="length of the idle footage")
    arguments.add_argument("--runs", type=int, default=3, help="counted runs of each, alternating")
    given = arguments.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    idle = WORK / "idle" / "idle_2026-01-01_03-00-00.mp4"
    idle.parent.mkdir()
    make_idle(given.clip, idle, length_s=given.idle_s)
    console = Console()
    for name, clip in (("busy", given.clip), ("idle", idle)):
        console.print(_compare(name, clip, given.runs))
    _decode_share(console, given.clip)
    _gate_loss(console, given.clip)


def _compare(name: str, clip: Path, runs: int) -> Table:
    model = resource("data/models/default/model.pt").resolve()
    exported = _openvino_export(model)

    def peer(weights: Path) -> Callable[[], float]:
        words = [
            f"model={weights}", f"source={clip.resolve()}", "imgsz=640", "tracker=bytetrack.yaml", "device=cpu",
            "save=False", "verbose=False", f"project={WORK.resolve()}", "exist_ok=True", "stream_buffer=False",
        ]  # fmt: skip
        return lambda: _seconds([sys.executable, "-m", "tools.bench.peer", *words])

    contenders: dict[str, Callable[[], float]] = {
        "quitboard detect": lambda: _detect(clip),
        "quitboard detect --no-gate": lambda: _detect(clip, "--no-gate"),
        "yolo track (torch)": peer(model),
        "yolo track (OpenVINO)": peer(exported),
        "floor: keyframes decoded": lambda: _in_process(lambda: _keyframes(clip)),
    }
    seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
    for _ in range(runs):
        for contender, run in contenders.items():
            seconds[contender].append(run())
    ours = seconds["quitboard detect"]
    table = Table("run", "seconds, median", "time ÷ quitboard detect: median (min – max)", title=f"{name}: {clip.name}")
    for contender, taken in seconds.items():
        ratios = [their / our for their, our in zip(taken, ours, strict=True)]
        table.add_row(
            contender,
            f"{statistics.median(taken):.2f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f})",
        )
    return table


def _detect(clip: Path, *options: str) -> float:
    out = WORK / "bundles"
    shutil.rmtree(out, ignore_errors=True)
    return _seconds(
        [sys.executable, "-m", "quitboard.cli", "detect", str(clip), "-o", str(out), "--quiet", "--json", *options]
    )


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - started
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command[1:4])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return taken


def _in_process(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _keyframes(clip: Path) -> None:
    from quitboard.detect import video

    for _frame in video.keyframes(clip):
        pass


def _openvino_export(model: Path) -> Path:
    """Return ultralytics' own OpenVINO export of the weights, so that the pipeline's gain is not the runtime's."""
    copy = WORK / model.name
    target = copy.with_name(f"{copy.stem}_openvino_model")
    if not target.exists():
        shutil.copy(model, copy)
        code = (
            "from quitboard.detect.model import import_torch; import_torch();"
            f"from ultralytics import YOLO; YOLO({str(copy)!r}).export(format='openvino', imgsz=640, dynamic=True)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return target.resolve()


def _decode_share(console: Console, clip: Path) -> None:
    from quitboard.detect import video

    def decode() -> None:
        for _frame in video.frames(clip, every_us=200_000):
            pass

    share = statistics.median(_in_process(decode) / _detect(clip, "--no-gate") for _ in range(3))
    console.print(f"decoding alone (every frame decoded, 5 a second converted) ÷ detect --no-gate: {share:.2f}")


def _gate_loss(console: Console, clip: Path) -> None:
    def found(*options: str) -> set[tuple[str, int]]:
        _detect(clip, *options)
        again = ["detect", str(clip), "-o", str(WORK / "bundles"), "--json", *options]
        done = subprocess.run(
            [sys.executable, "-m", "quitboard.cli", *again], capture_output=True, text=True, check=False
        )
        return {(item["kind"], item["track"]) for item in json.loads(done.stdout)["violations"]}

    gated, ungated = found(), found("--no-gate")
    console.print(f"suspected violations: {len(ungated)} without the gate, of which {len(gated & ungated)} with it")


def _demo_clip() -> Path:
    return min(resource("data/demo").glob("*/*.mp4"))


if __name__ == "__main__":
    main()
