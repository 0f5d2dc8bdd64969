"""detect: recordings → looks → tracks → violations → anonymised evidence → one bundle for each camera and day.

    find recordings · for each camera-day: look at each · decide on all · make evidence · write the bundle

Everything expensive is in the journal before the next step begins, so that a killed run continues; everything that
decides is a pure function of it, so that a rerun gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from quitboard import __version__, bundle, catalogue, files
from quitboard.database.withdrawals import Guard
from quitboard.detect import model, recordings, video
from quitboard.detect.again import pack_tracks
from quitboard.detect.day import (
    Decision,
    Seen,
    decide,
    recording_at,
    size_of,
    span_of,
    start_us,
    subject_of,
    together,
    violation_of,
)
from quitboard.detect.journal import FOLDER_NAME, HashMemory, Journal, key_of
from quitboard.detect.look import look
from quitboard.detect.pictures import PictureMaker, Shown
from quitboard.detect.privacy_gate import measured_misses
from quitboard.detect.recordings import Found, Inventory
from quitboard.detect.report import DayDone, DetectReport, bundle_name, summary
from quitboard.detect.steady import untrusted_from
from quitboard.errors import BundleError, NothingUsable, RecordingError, UsageError
from quitboard.records import Camera, Manifest, Picture, Rule, SetAside, Violation
from quitboard.settings import Settings

THUMBNAIL_EVERY_US = 20_000_000
THUMBNAIL_WIDTH_PX = 320
FORMAT = 4
"""Raised when the same inputs would give another bundle than before."""


class Progress(Protocol):
    """Is told how `detect` gets on. All in seconds of footage."""

    def planned(self, footage_s: float) -> None: ...
    def recording(self, name: str) -> None: ...
    def advanced(self, footage_s: float) -> None: ...
    def found(self, violations: int) -> None: ...


class Silent:
    """A `Progress` that says nothing."""

    def planned(self, footage_s: float) -> None: ...
    def recording(self, name: str) -> None: ...
    def advanced(self, footage_s: float) -> None: ...
    def found(self, violations: int) -> None: ...


def detect(
    paths: Sequence[Path],
    out: Path,
    *,
    cameras: Sequence[Camera],
    rules: Sequence[Rule],
    settings: Settings,
    camera_id: str = "",
    since: date | None = None,
    dry_run: bool = False,
    weights: Path | None = None,
    withdrawn: Guard = Guard(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> DetectReport:
    """Look at recordings and write a bundle for each camera and local day into `out`.

    Args:
        weights: where the model lies that the settings name, if its name is not its path.
        withdrawn: what no picture may be made of again, nor kept; it is counted without one.

    Raises:
        Locked: another detect writes to `out`.
        NothingUsable: there is no recording that can be used.
        ModelUnusable: the detector or the privacy gate's face detector cannot be loaded.
        DiskFull, UsageError: see `files` and `recordings.find`.
    """
    told = progress or Silent()
    journal = Journal(out / FOLDER_NAME)
    with files.locked(journal.folder / "lock", what="output folder"):
        files.sweep_temporaries(out)
        journal.tidy(now_s=time.time())
        journal.forget(withdrawn.media)
        memory = HashMemory(journal)
        inventory = recordings.find(
            paths,
            cameras,
            allow_mtime=settings.detect.allow_mtime,
            since=since,
            sha256=memory.sha256,
            progress=told.recording,
        )
        memory.save()
        chosen = [one for one in inventory.found if camera_id in ("", one.camera.id)]
        if not chosen and inventory.found:
            known = sorted({one.camera.id for one in inventory.found})
            raise UsageError(f"no recording of camera {camera_id!r}", todo=f"Cameras found: {', '.join(known)}")
        if not chosen:
            raise _nothing(inventory.set_aside)
        days = _by_day(chosen)
        if dry_run:
            return _plan(days, inventory)
        told.planned(sum(one.recording.read_s for one in chosen))
        job = _Job(journal, out, rules, settings, weights, withdrawn, told)
        done = [job.day(camera, day, found) for (camera, day), found in days.items()]
    set_aside = (*inventory.set_aside, *(item for one in done for item in one.set_aside))
    if not any(one.day for one in done):
        raise _nothing(set_aside)
    return DetectReport(
        days=tuple(one.day for one in done if one.day),
        violations=tuple(violation for one in done for violation in one.violations),
        set_aside=set_aside,
        warnings=(
            *(f"{one.recording.name}: {text}" for one in chosen for text in one.warnings),
            *(text for one in done for text in one.warnings),
        ),
        watched_s=sum(one.watched_s for one in done),
        looked_s=sum(one.looked_s for one in done),
        recordings=len(chosen),
    )


def _nothing(set_aside: Sequence[SetAside]) -> NothingUsable:
    reasons = "; ".join(f"{item.name}: {item.reason}. {item.todo}".strip() for item in set_aside[:3])
    return NothingUsable(
        "no usable recording", todo=reasons or "Give a folder that holds mp4, mov, mkv, avi or ts files"
    )


def _by_day(found: Sequence[Found]) -> dict[tuple[Camera, date], list[Found]]:
    """Group recordings by camera and the local day that they start on; a track is cut at midnight between files."""
    days: dict[tuple[Camera, date], list[Found]] = {}
    for one in found:
        days.setdefault((one.camera, one.recording.start.date()), []).append(one)
    return dict(sorted(days.items(), key=lambda item: (item[0][0].id, item[0][1])))


def _plan(days: dict[tuple[Camera, date], list[Found]], inventory: Inventory) -> DetectReport:
    lines = tuple(
        f"would look at {one.recording.name}: camera {camera.id}, from {one.recording.start:%Y-%m-%d %H:%M:%S} "
        f"({one.recording.clock}), {one.recording.read_s:.0f} s"
        for (camera, _), found in days.items()
        for one in found
    )
    return DetectReport(
        days=(), violations=(), set_aside=inventory.set_aside, warnings=lines, watched_s=0.0, looked_s=0.0,
        recordings=len(lines),
    )  # fmt: skip


def model_path(name: str) -> Path | None:
    """Return where the model called `name` lies; None for the shipped one."""
    return None if name in ("", "default") else Path(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    day: DayDone | None  # None: nothing of it could be read
    violations: tuple[Mapping[str, Any], ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    warnings: tuple[str, ...] = ()
    watched_s: float = 0.0
    looked_s: float = 0.0


class _Job:
    """The days of one run: what they share, loaded once."""

    def __init__(
        self,
        journal: Journal,
        out: Path,
        rules: Sequence[Rule],
        settings: Settings,
        weights: Path | None,
        withdrawn: Guard,
        told: Progress,
    ) -> None:
        self._journal, self._out, self._rules, self._settings, self._told = journal, out, rules, settings, told
        self._withdrawn = withdrawn
        self._detector = model.load(
            weights or model_path(settings.detect.model),
            imgsz=settings.detect.imgsz,
            runtime=settings.detect.runtime,
        )
        card = self._detector.card
        self._card = dataclasses.replace(card, figures={**card.figures, **measured_misses()})
        self._pictures = PictureMaker(journal, self._detector, settings.evidence)

    def day(self, camera: Camera, day: date, found: Sequence[Found]) -> _Done:
        """Make a camera-day's bundle, or say what the journal knows of it."""
        key = self._key(camera, found)
        entry = f"bundles/{camera.id}_{day.isoformat()}/{key}.json"
        known = self._journal.get_json(entry)
        is_new = known is None
        if known is None:
            known = self._make(camera, day, found, self._target(camera, day, found, key))
            self._journal.put_json(entry, known)
        else:
            self._told.advanced(sum(one.recording.read_s for one in found))
        self._told.found(len(known["violations"]))
        return _Done(
            day=DayDone(
                bundle=known["bundle"],
                camera_id=camera.id,
                day=day,
                violations=len(known["violations"]),
                is_new=is_new,
            )
            if known["bundle"]
            else None,
            violations=tuple(known["violations"]),
            set_aside=tuple(SetAside(**item) for item in known["set_aside"]),
            warnings=tuple(known["warnings"]),
            watched_s=known["watched_s"],
            looked_s=known["looked_s"],
        )

    def _key(self, camera: Camera, found: Sequence[Found]) -> str:
        return key_of(
            format=FORMAT,
            tool=__version__,
            camera=dataclasses.asdict(camera),
            recordings=[{**dataclasses.asdict(one.recording), "name": ""} for one in found],
            rules=catalogue.catalogue_sha256(self._rules),
            settings=self._settings.sha256_of("detect", "rules", "evidence"),
            model=dataclasses.asdict(self._card),
            weights=self._detector.sha256,
        )

    def _target(self, camera: Camera, day: date, found: Sequence[Found], key: str) -> Path:
        """Return the bundle's path: another than the day's own where a bundle waits there that says more than ours."""
        path = self._out / bundle_name(camera.id, day)
        try:
            with bundle.read(path) as waiting:
                listed = {one.sha256 for one in waiting.manifest.recordings}
        except (BundleError, OSError):
            return path
        ours = {one.recording.sha256 for one in found}
        return path if listed <= ours else path.with_name(f"{path.stem}_{key[:8]}.zip")

    def _make(self, camera: Camera, day: date, found: Sequence[Found], target: Path) -> dict[str, Any]:
        paths = {one.recording.sha256: one.path for one in found}
        seen, set_aside = self._look(camera, found)
        known: dict[str, Any] = {
            "bundle": "", "violations": [], "set_aside": set_aside, "warnings": [], "watched_s": 0.0, "looked_s": 0.0,
        }  # fmt: skip
        if not seen:
            return known
        trusted_us = self._zones_trusted_until_us(camera, seen, paths)
        if trusted_us is not None:
            what = f"camera {camera.id} looks elsewhere than in the morning of {day}: its zones count only until then"
            known["warnings"].append(what)
        decision = decide(seen, camera, self._rules, day, self._settings.rules, zones_trusted_until_us=trusted_us)
        violations, media = self._show(decision, seen, camera, paths)
        bundle.write(
            target,
            manifest=Manifest(
                format="",
                version=0,
                id="",
                tool_version=__version__,
                camera=camera,
                day=day,
                catalogue_sha256=catalogue.catalogue_sha256(self._rules),
                settings_sha256=self._settings.sha256_of("detect", "rules", "evidence"),
                model=self._card,
                recordings=tuple(one.recording for one in seen),
                sums={},
            ),
            violations=violations,
            exposures=decision.exposures,
            tracks=pack_tracks(decision.tracks, decision.heads, seen),
            media=media,
        )
        return known | {
            "bundle": target.name,
            "violations": [summary(one) for one in violations],
            "watched_s": sum(one.recording.read_s for one in seen),
            "looked_s": sum((span.to_us - span.from_us) / 1e6 for one in seen for span in one.look.spans),
        }

    def _zones_trusted_until_us(self, camera: Camera, seen: Sequence[Seen], paths: Mapping[str, Path]) -> int | None:
        """Return the instant from which the camera was turned or covered; None where it was not, or has no zones."""
        if not camera.zones:
            return None

        def thumbnails() -> Iterator[tuple[int, Picture]]:
            for one in seen:
                path = paths[one.recording.sha256]
                with video.keyframes(path, every_us=THUMBNAIL_EVERY_US, grey_width_px=THUMBNAIL_WIDTH_PX) as reader:
                    for frame in reader:
                        yield start_us(one.recording) + frame.position_us, frame.picture

        return untrusted_from(thumbnails())

    def _look(self, camera: Camera, found: Sequence[Found]) -> tuple[list[Seen], list[dict[str, str]]]:
        seen: list[Seen] = []
        set_aside: list[dict[str, str]] = []
        for one in found:
            self._told.recording(one.recording.name)
            try:
                looked = look(
                    one.path,
                    one.recording,
                    camera,
                    detector=self._detector,
                    settings=self._settings.detect,
                    journal=self._journal,
                    advanced=self._told.advanced,
                )
            except RecordingError as error:
                set_aside.append({"name": one.recording.name, "reason": error.what, "todo": error.todo})
                continue
            recording = dataclasses.replace(one.recording, read_s=looked.read_s, faults=looked.faults)
            seen.append(Seen(recording=recording, look=looked))
            if looked.faults:
                reason = f"read as far as it goes, {looked.read_s:.1f} s ({', '.join(looked.faults)})"
                set_aside.append({"name": recording.name, "reason": reason, "todo": ""})
        return seen, set_aside

    def _show(
        self, decision: Decision, seen: Sequence[Seen], camera: Camera, paths: Mapping[str, Path]
    ) -> tuple[list[Violation], dict[str, Path]]:
        """Return the breaches as violations with their pictures, and where the pictures are."""
        violations: list[Violation] = []
        media: dict[str, Path] = {}
        for group in together(decision.breaches):
            subject = subject_of(group, decision.findings, size_of(seen)[0])
            source = recording_at(seen, subject.best_us)
            if any(self._withdrawn.touching(camera.id, *span_of(one)) for one in group):
                shown = Shown(note="withdrawn")
            else:
                shown = self._pictures.make(
                    paths[source.recording.sha256],
                    source.look.key,
                    start_us(source.recording),
                    subject,
                    decision.tracks,
                )
            for sha256, extension in ((shown.still_sha256, "jpg"), (shown.clip_sha256, "gif")):
                if sha256:
                    media[sha256] = self._pictures.path_of(sha256, extension)
            for finding in group:
                plain = violation_of(finding, recording_at(seen, finding.from_us).recording, camera)
                violations.append(
                    dataclasses.replace(
                        plain,
                        still_sha256=shown.still_sha256,
                        clip_sha256=shown.clip_sha256,
                        evidence_note=shown.note,
                    )
                )
        return violations, media
