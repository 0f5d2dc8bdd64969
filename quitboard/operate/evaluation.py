"""`quitboard models evaluate`: a model measured on folders of labelled pictures and of recordings with known truth.

Each folder is a section of its own: what was filmed and what was rendered are never added up. Recordings go through
`detect` itself, into a work folder that a second run continues from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quitboard import catalogue
from quitboard.console import Talk
from quitboard.detect import model, run
from quitboard.detect.journal import FOLDER_NAME
from quitboard.detect.model import Detector
from quitboard.detect.video.container import VIDEO_SUFFIXES
from quitboard.errors import BundleError, ItemError, NothingUsable, SettingsError, UsageError
from quitboard.files import resource, slug
from quitboard.models import figures, labelled, measure, recordings, registry, truth
from quitboard.models.layout import files_below
from quitboard.models.measure import Measured
from quitboard.models.recordings import Held
from quitboard.models.truth import Truth
from quitboard.models.violations import Score
from quitboard.operate.boards import SHIPPED_CATALOGUE, Board
from quitboard.operate.modelling import roles_told
from quitboard.records import Camera, Role, Rule, SetAside
from quitboard.settings import CAMERAS_NAME, SETTINGS_NAME, Settings, load_cameras, load_settings

FORMAT = "quitboard-evaluation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One folder measured: its figures as plain values, and what the report shows of it."""

    folder: Path
    plain: Mapping[str, Any]
    set_aside: tuple[SetAside, ...]
    measured: tuple[Measured, ...] = ()  # of pictures
    held: tuple[Held, ...] = ()  # of recordings
    truths: Mapping[str, Truth] = dataclasses.field(default_factory=dict)
    files: Mapping[str, Path] = dataclasses.field(default_factory=dict)  # recording -> where it lies
    score: Score | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that was measured of one model."""

    model: Mapping[str, Any]
    measured_on: str  # a day
    sections: tuple[Section, ...]
    unusable: tuple[SetAside, ...] = ()  # folders, where others could be measured

    @property
    def set_aside(self) -> list[SetAside]:
        return [
            *self.unusable,
            *(
                dataclasses.replace(item, name=f"{section.folder.name}/{item.name}")
                for section in self.sections
                for item in section.set_aside
            ),
        ]

    def as_plain(self) -> dict[str, Any]:
        """Return the document that `--json` prints; docs/evaluation.md says what is in it."""
        return {
            "format": FORMAT,
            "measured_on": self.measured_on,
            "model": dict(self.model),
            "sections": [dict(section.plain) for section in self.sections],
            "set_aside": [dataclasses.asdict(item) for item in self.unusable],
        }


def evaluate(
    data: Sequence[Path],
    *,
    board: Board,
    talk: Talk,
    name: str = "",
    imgsz: int | None = None,
    conf: float | None = None,
    split: str = "",
    roles: str = "",
) -> Evaluation:
    """Measure a model on every folder of `data`.

    Args:
        name: of a model, or the path of one; the board's when empty.
        imgsz: px; the model's own for pictures and the settings' for recordings when None.
        conf: the confidence above which precision and recall of pictures are told; the card's of each class when None.
        roles: `NAME=ROLE,…`, what class names mean beyond those that are known.

    Raises:
        NothingUsable: nothing there can be measured on.
        UsageError: a path does not exist, or `roles` names none.
        SettingsError, ModelUnusable, DiskFull: as `detect`.
    """
    meant = roles_told(roles)
    weights = registry.find(name or board.settings.detect.model, board.folder)
    detector = model.load(weights, imgsz=imgsz)
    for folder in data:
        if not folder.exists():
            raise UsageError("no such file or folder", where=str(folder), todo="Check how it is spelt")
    sections: list[Section] = []
    unusable: list[NothingUsable | SettingsError] = []
    for folder in data:
        try:
            sections += _folder(folder, detector, weights, imgsz, conf, split, meant, talk)
        except (NothingUsable, SettingsError) as error:  # the others may have taken hours
            unusable.append(error)
    if not sections:
        raise unusable[0]
    return Evaluation(
        model={
            "name": detector.card.name,
            "sha256": detector.card.sha256,
            "imgsz": detector.imgsz,
            "runtime": detector.runtime,
            "thresholds": {role.value: value for role, value in detector.thresholds.items()},
        },
        measured_on=datetime.now(UTC).date().isoformat(),
        sections=tuple(sections),
        unusable=tuple(SetAside(name=error.where, reason=error.what, todo=error.todo) for error in unusable),
    )


def _folder(
    folder: Path,
    detector: Detector,
    weights: Path | None,
    imgsz: int | None,
    conf: float | None,
    split: str,
    meant: Mapping[str, Role | None],
    talk: Talk,
) -> list[Section]:
    """Measure what a folder holds: recordings, pictures, or both."""
    sections = []
    if found := _truth_files(folder):
        sections.append(_recordings(folder, found, detector, weights, imgsz, talk))
    pictures, with_labels = labelled.counted(folder)
    if with_labels or (pictures and not sections):
        sections.append(_pictures(folder, detector, conf, split, meant, talk))
    if not sections:
        raise NothingUsable(
            "neither labelled pictures nor recordings with a truth file",
            where=str(folder),
            todo="Give a folder with images/ and labels/, or one of recordings with <name>.truth.json beside them",
        )
    return sections


# --- pictures --------------------------------------------------------------------------------------------------------


def _pictures(
    folder: Path, detector: Detector, conf: float | None, split: str, meant: Mapping[str, Role | None], talk: Talk
) -> Section:
    source = labelled.read_set(folder, split=split, classes=meant).as_shown()
    with talk.progress(f"{folder.name}: pictures", len(source.pictures), unit=_pictures_each_second) as meter:
        thresholds = dict.fromkeys(detector.thresholds, conf) if conf is not None else detector.thresholds
        measured, unread = measure.measure(
            detector, source.pictures, thresholds=thresholds, advanced=lambda: meter.advance(1)
        )
    read = len(source.pictures) - len(unread)
    if not read:
        raise NothingUsable("no picture can be read", where=str(folder), todo=unread[0].name + ": " + unread[0].reason)
    set_aside = (*source.set_aside, *unread)
    notes = list(source.notes)
    if unlike := sorted({role for one in source.pictures for role in one.labelled} - set(detector.thresholds)):
        notes.append(f"the model has no class for {', '.join(unlike)}: all of them are missed")
    return Section(
        folder=folder,
        plain={
            "folder": str(folder),
            **figures.of_pictures(source, measured, read),
            "imgsz": detector.imgsz,
            "notes": notes,
            **_aside(set_aside),
        },
        set_aside=set_aside,
        measured=tuple(measured),
    )


def _pictures_each_second(done: float, elapsed_s: float) -> str:
    return f"{done / elapsed_s:.1f} pictures/s" if elapsed_s > 0.5 else ""


def _aside(items: Sequence[SetAside]) -> dict[str, Any]:
    return {"set_aside": [dataclasses.asdict(item) for item in items]}


# --- recordings ------------------------------------------------------------------------------------------------------


def _truth_files(folder: Path) -> list[Path]:
    """Return the truth files below a folder, or the one beside a recording that was given itself."""
    if folder.is_file():
        own = folder.with_name(folder.stem.removesuffix(".truth") + truth.SUFFIX)
        return [own] if own.is_file() else []
    return [path for path in files_below(folder) if path.name.endswith(truth.SUFFIX)]


def _work(folder: Path, detector: Detector) -> Path:
    """Return where a model's bundles of a folder's recordings are kept from one evaluation to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return cache / "quitboard" / "evaluate" / f"{slug(folder.resolve().name)}-{digest}" / detector.sha256[:12]


def _recordings(
    folder: Path, found: Sequence[Path], detector: Detector, weights: Path | None, imgsz: int | None, talk: Talk
) -> Section:
    settings, cameras, rules = _scene_of(folder if folder.is_dir() else folder.parent, weights, imgsz)
    held: list[Held] = []
    set_aside: list[SetAside] = []
    truths: dict[str, Truth] = {}
    paths: dict[str, Path] = {}
    root = folder if folder.is_dir() else folder.parent
    with talk.progress(f"{folder.name}: recordings", len(found), unit=_nothing) as meter:
        for path in found:
            name = labelled.readable(path.relative_to(root)).removesuffix(truth.SUFFIX)
            meter.advance(0, name)
            try:
                recording = _beside(path)
                known = truth.read_truth(path)
                bundle, faults = _detected(
                    recording, _work(folder, detector) / _own_folder(name), settings, cameras, rules
                )
                set_aside += [dataclasses.replace(item, name=name) for item in faults]
                held.append(recordings.hold(bundle, name, known, rules, settings.rules))
                truths[name], paths[name] = known, recording
            except (ItemError, BundleError) as error:
                set_aside.append(SetAside(name=name, reason=error.what, todo=error.todo))
            meter.advance(1)
    if not held:
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in set_aside[:3])
        raise NothingUsable("no recording with truth can be used", where=str(folder), todo=reasons)
    plain, score = figures.of_recordings(held)
    return Section(
        folder=folder,
        plain={
            "folder": str(folder),
            **plain,
            "imgsz": settings.detect.imgsz,
            "notes": _notes(held, {rule.kind for rule in rules}),
            **_aside(set_aside),
        },
        set_aside=tuple(set_aside),
        held=tuple(held),
        truths=truths,
        files=paths,
        score=score,
    )


def _nothing(_done: float, _elapsed_s: float) -> str:
    return ""


def _own_folder(name: str) -> str:
    return f"{slug(name)[:48]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _notes(held: Sequence[Held], kinds: Set[str]) -> list[str]:
    notes = []
    blind = {one.kind for h in held for one in h.not_watched}
    if unknown := sorted(blind - kinds):
        notes.append(f"not scored, since no rule of the catalogue is of this kind: {', '.join(unknown)}")
    if blind := blind & kinds:
        notes.append(f"not scored, since the camera has no such zone or the rule is off: {', '.join(sorted(blind))}")
    if late := sorted({h.name for h in held for one in h.true if one.from_s > h.watched_s}):
        notes.append(f"the truth tells acts after the end of the recording, which count as missed: {', '.join(late)}")
    if without := sum(one.riders is None for one in held):
        notes.append(f"{without} truth files tell no boxes: matched by kind and time alone, riders not counted")
    return notes


def _scene_of(
    folder: Path, weights: Path | None, imgsz: int | None
) -> tuple[Settings, tuple[Camera, ...], tuple[Rule, ...]]:
    """Return settings, cameras and rules as they lie in the folder or the one above; else those that ship."""
    folder = next((one for one in (folder, folder.resolve().parent) if (one / CAMERAS_NAME).is_file()), folder)
    settings = load_settings(folder / SETTINGS_NAME)
    changes: dict[str, Any] = {"model": str(weights) if weights else "default", "allow_mtime": True}
    if imgsz:
        changes["imgsz"] = imgsz
    own = folder / (settings.board.catalogue or "catalogue.csv")
    return (
        dataclasses.replace(settings, detect=dataclasses.replace(settings.detect, **changes)),
        load_cameras(folder / CAMERAS_NAME),
        catalogue.load_catalogue(own if own.is_file() else resource(SHIPPED_CATALOGUE)),
    )


def _beside(path: Path) -> Path:
    stem = path.name.removesuffix(truth.SUFFIX)
    for suffix in sorted(VIDEO_SUFFIXES):
        for recording in (path.with_name(stem + suffix), path.with_name(stem + suffix.upper())):
            if recording.is_file():
                return recording
    raise ItemError("its recording is not there", todo=f"Put {stem}.mp4 beside its truth file")


def _detected(
    recording: Path, work: Path, settings: Settings, cameras: Sequence[Camera], rules: Sequence[Rule]
) -> tuple[Path, Sequence[SetAside]]:
    """Run `detect` on one recording and return its bundle, and what of the recording could not be read.

    One at a time: clocks of test recordings are often made up, and what overlaps on a camera's clock counts once.
    What was looked at is kept; what was decided is decided again, so that a changed rule shows at once.
    """
    shutil.rmtree(work / FOLDER_NAME / "bundles", ignore_errors=True)
    try:
        report = run.detect([recording], work, cameras=cameras, rules=rules, settings=settings)
    except NothingUsable as error:
        raise ItemError(error.todo or error.what) from None
    return work / report.days[0].bundle, report.set_aside
