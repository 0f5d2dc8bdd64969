"""The main job, step by step or from end to end, with what is said on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from quitboard.console import Meter, Talk, minutes
from quitboard.database import connection, withdrawals
from quitboard.errors import DatabaseError, Locked
from quitboard.files import resource, slug, write_bytes
from quitboard.operate import boards
from quitboard.operate.boards import Board
from quitboard.records import Camera, Report

if TYPE_CHECKING:
    from quitboard.detect.report import DetectReport
    from quitboard.ingest import legacy
    from quitboard.site.build import Built

DEMO_RECORDINGS = "data/demo"


def detect(
    board: Board,
    paths: Sequence[Path],
    out: Path,
    *,
    talk: Talk,
    model: str = "",
    camera_id: str = "",
    since: date | None = None,
    gate: bool | None = None,
    rules_only: bool = False,
    dry_run: bool = False,
) -> DetectReport:
    """Recordings to bundles in `out`; see `quitboard.detect.run.detect`, whose errors these are."""
    from quitboard.detect import again, run
    from quitboard.models import registry

    changes = {key: value for key, value in (("model", model), ("gate", gate)) if value not in ("", None)}
    settings = dataclasses.replace(
        board.settings,
        detect=dataclasses.replace(board.settings.detect, **changes),  # type: ignore[arg-type]
    )
    if rules_only:
        report = again.rules_only(paths, out, cameras=board.cameras, rules=board.rules, settings=settings)
        for line in report.lines():
            talk.say(line)
        return report
    with talk.progress("looking for recordings", 0, unit=_speed) as meter:
        report = run.detect(
            paths,
            out,
            cameras=board.cameras,
            rules=board.rules,
            settings=settings,
            camera_id=camera_id,
            since=since,
            dry_run=dry_run,
            weights=registry.find(settings.detect.model, board.folder),
            withdrawn=_withdrawn(board),
            progress=_Shown(meter),
        )
    for line in report.lines():
        talk.say(line)
    return report


def _withdrawn(board: Board) -> withdrawals.Guard:
    """Return what was withdrawn, as far as the database tells just now: what slips through, ingest strikes."""
    if not board.database.exists():
        return withdrawals.Guard()
    try:
        with connection.opened(board.database, read_only=True) as opened:
            return withdrawals.guard(opened)
    except (Locked, DatabaseError):
        return withdrawals.Guard()


class _Shown:
    """Words what `detect` tells about its progress: recording, speed against real time, found so far."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._found = 0

    def planned(self, footage_s: float) -> None:
        self._meter.restart(footage_s)

    def recording(self, name: str) -> None:
        self._meter.advance(0, f"{name} · {self._found} found" if self._found else name)

    def advanced(self, footage_s: float) -> None:
        self._meter.advance(footage_s)

    def found(self, violations: int) -> None:
        self._found += violations


def _speed(done_s: float, elapsed_s: float) -> str:
    return f"{minutes(done_s)} of footage, {done_s / elapsed_s:.1f} × real time" if elapsed_s > 0.5 else ""


def ingest(board: Board, paths: Sequence[Path], *, talk: Talk, camera_id: str = "") -> Report:
    """Bundles to database and media; see `quitboard.ingest.load.ingest`, whose errors these are."""
    from quitboard.ingest import load

    old = _old_reading(board, camera_id) if camera_id else None
    with talk.progress("ingest", len(paths), unit=lambda _done, _elapsed: "") as meter:

        def shown(name: str, _number: int, total: int) -> None:
            meter.restart(total)
            meter.advance(_number, name)

        report = load.ingest(
            paths,
            load.Target(database=board.database, media=board.media),
            now=datetime.now(UTC),
            rules=board.rules,
            old=old,
            progress=shown,
        )
    talk.say(f"{len(report.done)} taken, {len(report.unchanged)} there already, {len(report.set_aside)} set aside")
    return report


def _old_reading(board: Board, camera_id: str) -> legacy.Reading:
    """Return how the first QuitBoard's zips are read: whose they are, and what makes their pictures fit to publish."""
    from quitboard.detect import model
    from quitboard.detect.anonymise import anonymise_pictures, load_gate
    from quitboard.ingest import legacy
    from quitboard.models import registry

    camera = next((one for one in board.cameras if one.id == camera_id), None)
    if camera is None:
        zone = board.settings.legacy.timezone
        camera = Camera(id=slug(camera_id) or "camera", name=camera_id, timezone=zone)
    settings = board.settings.detect
    weights = registry.find(settings.model, board.folder)
    detector = model.load(weights, imgsz=settings.imgsz, runtime=settings.runtime)
    gate = load_gate(detector)
    return legacy.Reading(
        camera=camera,
        kinds=board.settings.legacy.kinds,
        anonymise=lambda pictures: anonymise_pictures(pictures, gate, settings=board.settings.evidence),
        anonymiser=f"{detector.card.sha256}/{board.settings.sha256_of('evidence')}",
    )


def build_site(board: Board, out: Path | None, *, talk: Talk, base_url: str | None = None) -> Built:
    """Database to site; see `quitboard.site.build.build`, whose errors these are."""
    from quitboard.site.build import build

    settings = board.settings
    if base_url is not None:
        settings = dataclasses.replace(settings, site=dataclasses.replace(settings.site, base_url=base_url))
    with talk.progress("site", 0, unit=lambda _done, _elapsed: "") as meter:

        def shown(phase: str, number: int, total: int) -> None:
            meter.restart(total)
            meter.advance(number, phase)

        built = build(board.database, board.media, out or board.site, settings=settings, progress=shown)
    what = f"{built.written} written, {built.removed} removed" if built.written or built.removed else "nothing changed"
    talk.say(f"{built.out / 'index.html'}: {built.files} files, {what}, {built.seconds:.1f} s")
    return built


def roll_back_site(board: Board, out: Path | None, *, talk: Talk) -> Path:
    """Put the site before the present one back; see `quitboard.site.generations.roll_back`, whose errors these are."""
    from quitboard.site import build, generations

    data = build.query(board.database, board.settings, datetime.now(UTC))
    site = generations.roll_back(out or board.site, [stone.id for stone in data.tombstones])
    talk.say(f"{site / 'index.html'}: the site of {generations.built_at(site):%Y-%m-%d %H:%M} UTC stands again")
    if late := generations.shown_beyond(site, build.pictures_of(data)):
        talk.note(f"It shows {late} pictures that are not to be shown any longer: the next build-site takes them off")
    return site


def demo(folder: Path, talk: Talk) -> Path:
    """Make a board with the built-in recordings, run it from end to end, and return its index.html."""
    recordings = resource(DEMO_RECORDINGS)
    for name in ("quitboard.toml", "cameras.toml"):
        if not (folder / name).exists():
            write_bytes(folder / name, (recordings / name).read_bytes())
    boards.init(folder)
    board = boards.open_board(folder)
    talk.note("detect: the built-in recordings are a rendered street; nobody in them is real")
    detect(board, [recordings], board.bundles, talk=talk)
    talk.note("ingest")
    ingest(board, [board.bundles], talk=talk)
    talk.note("build-site")
    return build_site(board, None, talk=talk).out / "index.html"
