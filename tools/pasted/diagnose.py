"""python -m tools.pasted.diagnose RECORDINGS [--model M] [--work W] [--json F]: where a pasted rider gets lost.

For each rider the first link of the chain that breaks: gate, detector (person, vehicle, its role), tracker, binding,
head, vote. Boxes are kept in W between runs, so that a change in what comes after them is measured in seconds.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quitboard.catalogue import in_force, load_catalogue
from quitboard.detect import model, recordings
from quitboard.detect.day import Seen, _frames
from quitboard.detect.geometry import iou
from quitboard.detect.heads import heads_of
from quitboard.detect.journal import Journal
from quitboard.detect.look import look
from quitboard.detect.recordings import counted_once
from quitboard.detect.riding import is_riding, pair_of
from quitboard.detect.rules import run_rules
from quitboard.detect.run import model_path
from quitboard.detect.scene import read_scene
from quitboard.detect.track import track_frames
from quitboard.files import sha256_file
from quitboard.records import ROLES, VEHICLE_ROLES, Role, Track
from quitboard.settings import DetectSettings, RuleSettings, load_cameras

SIZES_PX = (0, 20, 30, 45, 60, 90, 1000)
_SAME = 0.35
_PERSON, _SCOOTER = ROLES.index(Role.PERSON), ROLES.index(Role.SCOOTER)
_VEHICLES = [ROLES.index(role) for role in VEHICLE_ROLES]
_HEADS = [ROLES.index(Role.HEAD), ROLES.index(Role.HELMET)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What became of one rider."""

    recording: str
    act: str
    kinds: tuple[str, ...]
    rider_px: float
    trained: bool
    looked: int  # frames looked at in which he is to be seen
    person: float  # share of them with his box
    vehicle: float  # share with a box on his scooter, whatever its role
    scooter: float  # share with one that says scooter
    head: float  # share with a box on his head
    bound: bool
    found: tuple[str, ...]  # kinds reported of his ride
    why: str  # the first link that breaks; empty where all hold


def diagnose(path: Path, camera: Any, detector: Any, settings: DetectSettings, journal: Journal) -> list[Lost]:
    truth = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
    inventory = recordings.find([path], [camera], allow_mtime=False, since=None, sha256=sha256_file)
    recording = inventory.found[0].recording
    seen = look(path, recording, camera, detector=detector, settings=settings, journal=journal)
    one = Seen(recording=recording, look=seen)
    frames = list(_frames([one], counted_once([recording]), recording.width, recording.height))
    heads, tracks = heads_of(frames), track_frames(frames, size_px=(recording.width, recording.height))
    rules = RuleSettings()
    scene = read_scene(tracks, heads, camera, width=recording.width, height=recording.height, settings=rules)
    day = recording.start.date()
    catalogue = list(in_force(load_catalogue(), day))
    findings = run_rules(scene, camera, catalogue, day, rules)
    began = frames[0][0] - seen.frames[0].position_us if frames else 0
    return [_row(path, group, truth, frames, began, tracks, scene, findings, rules) for group in _riders(truth)]


def _riders(truth: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Acts of one vehicle together."""
    groups: dict[int, list[dict[str, Any]]] = {}
    for act in truth["acts"]:
        groups.setdefault(act["people"][0], []).append(act)
    return list(groups.values())


def _row(
    path: Path,
    group: list[dict[str, Any]],
    truth: dict[str, Any],
    frames: Sequence[Any],
    began: int,
    tracks: Sequence[Track],
    scene: Any,
    findings: Sequence[Any],
    rules: RuleSettings,
) -> Lost:
    act = group[0]
    times = np.array([round(frame["t"] * 1e6) for frame in truth["frames"]])
    person, vehicle = act["people"][0], act["vehicle"]
    looked = person_seen = vehicle_seen = scooter_seen = head_seen = 0
    says: Counter[str] = Counter()
    truths: dict[int, dict[str, np.ndarray]] = {}
    for at_us, found in frames:
        shown = truth["frames"][int(np.argmin(np.abs(times - (at_us - began))))]
        boxes: dict[str, np.ndarray] = {}
        for track, kind, *xyxy, share in shown["boxes"]:
            if share >= 0.4:
                if track == person:
                    boxes["person" if kind == 0 else "head"] = np.array(xyxy)
                elif track == vehicle:
                    boxes["vehicle"] = np.array(xyxy)
        if "person" not in boxes:
            continue
        looked += 1
        truths[at_us] = boxes
        person_seen += _hit(found, [_PERSON], boxes["person"], 0.4)
        if "vehicle" in boxes:
            vehicle_seen += _hit(found, _VEHICLES, boxes["vehicle"], _SAME)
            scooter_seen += _hit(found, [_SCOOTER], boxes["vehicle"], _SAME)
            says.update(_said(found, boxes["vehicle"]))
        if "head" in boxes:
            head_seen += _hit(found, _HEADS, boxes["head"], 0.2)
    share = 1 / max(looked, 1)
    mine = [track for track in tracks if track.role is Role.PERSON and _follows(track, truths, "person") > 0.5]
    his = [track for track in tracks if track.role in VEHICLE_ROLES and _follows(track, truths, "vehicle") > 0.4]
    ids = {track.id for track in mine}
    rides = [ride for ride in scene.rides if {rider.id for rider in ride.riders} & ids]
    rides = [ride for ride in rides if _follows(ride.vehicle, truths, "vehicle") > 0.4]
    on_scooter = [ride for ride in rides if ride.vehicle.role is Role.SCOOTER]
    found_kinds = tuple(
        sorted(
            {
                finding.kind
                for finding in findings
                if finding.is_breach
                and {rider.id for rider in finding.riders} & ids
                and finding.vehicle.role is Role.SCOOTER
            }
        )
    )
    kinds = tuple(one["kind"] for one in group if one["kind"])
    why = ""
    if "rider" not in act["act"] and "two" not in act["act"]:
        why = "false ride" if on_scooter else ""
    elif not on_scooter:
        why = _why_unbound(looked, person_seen * share, vehicle_seen * share, mine, his, scene, rules, rides)
    elif set(kinds) - set(found_kinds):
        outcomes = Counter(
            f"{finding.kind} {finding.outcome} {finding.votes_for}:{finding.votes_against}"
            for finding in findings
            if finding.kind in set(kinds) - set(found_kinds) and {rider.id for rider in finding.riders} & ids
        )
        why = f"vote: {', '.join(sorted(outcomes)) or 'rule not asked'} (head in {head_seen * share:.0%})"
    elif set(found_kinds) - set(kinds):
        why = f"false {', '.join(sorted(set(found_kinds) - set(kinds)))}"
    if why.startswith("role"):
        why += f" {dict(says.most_common())}"
    return Lost(
        recording=path.stem,
        act=act["act"],
        kinds=kinds,
        rider_px=act["rider_px"],
        trained=act["seen_in_training"],
        looked=looked,
        person=round(person_seen * share, 2),
        vehicle=round(vehicle_seen * share, 2),
        scooter=round(scooter_seen * share, 2),
        head=round(head_seen * share, 2),
        bound=bool(on_scooter),
        found=found_kinds,
        why=why,
    )


def _why_unbound(
    looked: int,
    person: float,
    vehicle: float,
    mine: Sequence[Track],
    his: Sequence[Track],
    scene: Any,
    rules: RuleSettings,
    rides: Sequence[Any],
) -> str:
    if rides:
        return f"role: bound to a {rides[0].vehicle.role}"
    if looked < 3:
        return "gate: too few frames looked at"
    if not mine:
        return "detector: person" if person < 0.3 else "tracker: person"
    if not his:
        return "detector: vehicle" if vehicle < 0.3 else "tracker: vehicle"
    reasons = []
    for p in mine:
        for v in his:
            pair = pair_of(p, v, scene.ground)
            if pair is None:
                reasons.append("never aboard")
                continue
            on = pair.at_us[pair.aboard > 0]
            lasts = (on[-1] - on[0]) / 1e6
            role = "" if v.role is Role.SCOOTER else f" {v.role}"
            reasons.append(
                f"n {pair.count} {lasts:.1f}s share {pair.share:.2f} moved {pair.moved_heights:.1f} "
                f"{pair.speed_mps:.1f} m/s conf {pair.confidence:.2f}{role}"
                + (" RIDES" if is_riding(pair, [pair], scene.ground, rules) else "")
            )
    return "binding: " + " | ".join(reasons[:3])


def _hit(found: Any, roles: Sequence[int], box: np.ndarray, least: float) -> bool:
    boxes = found.xyxy[np.isin(found.class_id, roles)]
    return bool(len(boxes) and iou(boxes, box).max() >= least)


def _said(found: Any, box: np.ndarray) -> Counter[str]:
    """The confidence of boxes on a vehicle by their role."""
    on = np.flatnonzero(np.isin(found.class_id, _VEHICLES))
    on = [n for n in on if iou(found.xyxy[n], box)[0, 0] >= _SAME]
    said: Counter[str] = Counter()
    for n in on:
        said[str(ROLES[int(found.class_id[n])])] += round(100 * float(found.confidence[n]))
    return said


def _follows(track: Track, truths: dict[int, dict[str, np.ndarray]], what: str) -> float:
    """In which share of a track's frames, while he is to be seen, it lies on the true box; 0 for less than three."""
    times = sorted(truths)
    during = [n for n, at in enumerate(track.at_us) if times and times[0] <= at <= times[-1]]
    on = [n for n in during if what in truths.get(int(track.at_us[n]), {})]
    hits = sum(float(iou(track.xyxy[n], truths[int(track.at_us[n])][what])[0, 0]) >= _SAME for n in on)
    return hits / len(during) if hits >= 3 else 0.0


def table(rows: Iterable[Lost]) -> str:
    rows = list(rows)
    lines = ["rider px | riders | bound | acts of a kind found | person scooter head seen (mean share of frames)"]
    riders = [row for row in rows if "rider" in row.act or "two" in row.act]
    for low, high in itertools.pairwise(SIZES_PX):
        mine = [row for row in riders if low <= row.rider_px < high]
        if not mine:
            continue
        acts = sum(len(row.kinds) for row in mine)
        got = sum(len(set(row.kinds) & set(row.found)) for row in mine)
        means = " ".join(f"{np.mean([getattr(row, key) for row in mine]):.2f}" for key in ("person", "scooter", "head"))
        lines.append(f"{low}-{high}: {len(mine)} | {sum(row.bound for row in mine)} | {got}/{acts} | {means}")
    false = [row for row in rows if "false" in row.why]
    lines.append(f"riders {len(riders)}, bound {sum(row.bound for row in riders)}; with something false: {len(false)}")
    lines += [
        f"  {count} x {why}" for why, count in Counter(row.why.split(":")[0] for row in rows if row.why).most_common()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--no-gate", action="store_true")
    parser.add_argument("--work", type=Path, default=Path("/tmp/pasted-looks"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    cameras = {camera.id: camera for camera in load_cameras(chosen.folder / "cameras.toml")}
    settings = replace(DetectSettings(), imgsz=chosen.imgsz, gate=not chosen.no_gate, model=chosen.model)
    detector = model.load(model_path(chosen.model), imgsz=chosen.imgsz, threads=1)
    rows: list[Lost] = []
    for path in sorted(chosen.folder.rglob("*.mp4")):
        if chosen.only not in path.name or not path.with_suffix(".truth.json").exists():
            continue
        for row in diagnose(path, cameras[path.parent.name], detector, settings, Journal(chosen.work)):
            rows.append(row)
            print(
                f"{row.recording[:24]:24} {row.rider_px:5.0f}px {'T' if row.trained else 'H'} {row.act[:34]:34} "
                f"looked {row.looked:3} "
                f"p {row.person:.2f} v {row.vehicle:.2f} s {row.scooter:.2f} h {row.head:.2f} "
                f"{'bound' if row.bound else '     '} {','.join(row.found):14} {row.why}",
                flush=True,
            )
    print(table(rows))
    for label, part in (("seen in training", True), ("held out", False)):
        print(f"--- {label}\n" + table([row for row in rows if row.trained is part]))
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")


if __name__ == "__main__":
    main()
