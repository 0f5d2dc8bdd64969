"""A board made of numbers: some cameras in a Korean city, weeks of exposure, and flat-colour pictures.

Everything is drawn or counted here from a seed; no camera ever saw any of it. It lets the page be looked at, tested and
timed without running detection first.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from quitboard.database.connection import Connection, opened

ROOT = Path(__file__).parents[2]
SEOUL = ZoneInfo("Asia/Seoul")
FIRST_DAY = date(2026, 3, 30)  # a Monday

CAMERAS = (
    ("mapo-gate", "홍대입구역 8번 출구", "마포구 서교동"),
    ("river-path", "한강공원 자전거길", "영등포구 여의도동"),
    ("campus", "대학 정문 사거리", "관악구 신림동"),
    ("market", "중앙시장 앞", "중구 황학동"),
)
ZONES = [
    {"name": "보도", "kind": "sidewalk", "polygon": [[0, 520], [1280, 470], [1280, 560], [0, 660]], "direction": None},
    {
        "name": "횡단보도",
        "kind": "crosswalk",
        "polygon": [[760, 330], [960, 320], [1180, 470], [900, 482]],
        "direction": None,
    },
    {"name": "차로", "kind": "lane", "polygon": [[0, 380], [1280, 300], [1280, 460], [0, 510]], "direction": [1, 0]},
]
KINDS = {"no_helmet": 0.31, "two_up": 0.07, "sidewalk": 0.12, "passenger_no_helmet": 0.05, "wrong_way": 0.02}
MODEL = "5a" * 32
NEXT_MODEL = "6b" * 32
PRIVATE_ADDRESS = "서울시 비밀로 1-2"
PRIVATE_NAME = "secret-recording-name.mp4"
LEAN = {"mapo-gate": 1.25, "river-path": 0.55, "campus": 1.35, "market": 0.9}


@dataclass(frozen=True)
class Sample:
    database: Path
    media: Path


def make_board(
    folder: Path,
    *,
    violations: int | None = None,
    weeks: int = 4,
    seed: int = 7,
    exposure: bool = True,
    found: bool = True,
    pictures: int = 24,
    withdrawn: int = 0,
    changes: bool = False,
    cameras: tuple[tuple[str, str, str], ...] = CAMERAS,
    catalogue: Path = ROOT / "data" / "catalogue" / "violations_kr.csv",
) -> Sample:
    """Write `board.duckdb` and `media/` into `folder`.

    Args:
        violations: exactly so many rows; without it, as many as chance makes of the riders.
        exposure: without it, the board is like one fed by the first QuitBoard's zips: counts, no denominators.
        found: False makes a street on which nothing was suspected.
        pictures: how many different pictures there are; rows share them.
        changes: another model takes over in the middle, the last camera begins after a third of the time, and the
            second gives up two weeks before the end.
        withdrawn: how many violations were taken back: they come on top, and only tombstones show them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    media = folder / "media"
    stills = [_store(media, _still(chance), "jpg") for _ in range(pictures if found else 0)]
    clips = [_store(media, _clip(chance), "gif") for _ in range(max(1, pictures // 6) if found else 0)]
    database = folder / "board.duckdb"
    with opened(database) as connection:
        _catalogue(connection, catalogue)
        _insert(connection, "cctv", [
            {"id": camera, "name": name, "area": area, "address": PRIVATE_ADDRESS, "model": "AXIS P1468",
             "timezone": "Asia/Seoul", "width": 1280, "height": 720, "zones": json.dumps(ZONES, ensure_ascii=False)}
            for camera, name, area in cameras
        ])  # fmt: skip
        figures = _figures()
        connection.execute("INSERT INTO model VALUES (?, 'quitboard-n 1', ?)", [MODEL, json.dumps(figures)])
        if changes:
            connection.execute("INSERT INTO model VALUES (?, 'quitboard-n 2', ?)", [NEXT_MODEL, json.dumps(figures)])
        cells = _cells(weeks, cameras, changes=changes)
        rows, hours, bundles = _street(chance, cells, exposure, found, violations, stills, clips)
        if changes:
            after = FIRST_DAY + timedelta(days=weeks * 7 // 2)
            for row in bundles:
                if cast("date", row["day"]) >= after:
                    row["model_sha256"] = NEXT_MODEL
        _insert(connection, "bundle", bundles)
        _insert(connection, "violation_file", [_recording(bundle) for bundle in bundles])
        _insert(connection, "violation_info", rows)
        _insert(connection, "exposure", hours)
        _insert(connection, "media", [
            {"sha256": path.stem, "extension": path.suffix[1:], "bytes": path.stat().st_size, "tier": "hot"}
            for path in sorted(media.rglob("*.*"))
        ])  # fmt: skip
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        _insert(connection, "withdrawal", [
            {"id": hashlib.sha256(b"withdrawn %d" % number).hexdigest()[:32], "camera_id": cameras[0][0],
             "started_at": long_ago, "ended_at": long_ago + timedelta(seconds=4), "reason": "somebody asked",
             "withdrawn_at": datetime(2026, 5, 1, tzinfo=UTC)}
            for number in range(withdrawn)
        ])  # fmt: skip
    return Sample(database, media)


def _figures() -> dict[str, float]:
    """Return a card's figures: of some classes on real pictures and on rendered ones, and what anonymising missed."""
    measured = {
        "head": (0.93, 0.90, 0.912, 812), "helmet": (0.94, 0.88, 0.921, 604), "scooter": (0.91, 0.86, 0.894, 377),
        "person": (0.95, 0.91, 0.948, 2140), "rendered.head": (0.73, 0.51, 0.574, 558),
        "rendered.bicycle": (0.9, 0.75, 0.8, 3),
    }  # fmt: skip
    found: dict[str, float] = {
        "anonymise.heads_missed": 2.0, "anonymise.heads_n": 132.0, "anonymise.heads_upper": 0.0469,
        "anonymise.persons_missed": 0.0, "anonymise.persons_n": 129.0, "anonymise.persons_upper": 0.023,
    }  # fmt: skip
    for name, (precision, recall, ap50, boxes) in measured.items():
        found |= {f"{name}.n": float(boxes), f"{name}.pictures": float(boxes // 2)}
        for measure, value in (("precision", precision), ("recall", recall), ("ap50", ap50)):
            spread = 1.96 * math.sqrt(value * (1 - value) / boxes)
            low, high = round(max(0.0, value - spread), 4), round(min(1.0, value + spread), 4)
            found |= {f"{name}.{measure}": value, f"{name}.{measure}_low": low, f"{name}.{measure}_high": high}
    return found


def _recording(bundle: dict[str, object]) -> dict[str, object]:
    start = datetime.combine(cast("date", bundle["day"]), datetime.min.time()) + timedelta(hours=7)
    return {
        "sha256": bundle["id"], "bundle_id": bundle["id"], "camera_id": bundle["camera_id"], "name": PRIVATE_NAME,
        "started_at": start.replace(tzinfo=SEOUL), "local_started_at": start, "clock": "name", "width": 1920,
        "height": 1080, "promised_s": 57600.0, "read_s": 57600.0, "faults": [],
        "first_seen_at": datetime(2026, 5, 1, tzinfo=UTC),
    }  # fmt: skip


def _catalogue(connection: Connection, path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for position, row in enumerate(csv.DictReader(file)):
            connection.execute(
                "INSERT INTO violation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    row["kind"],
                    row["name_ko"],
                    row["name_en"],
                    row["vehicles"].split(),
                    row["enabled"] == "yes",
                    row["law_article"],
                    int(row["fine_krw"]) if row["fine_krw"] else None,
                    row["penalty_kind"],
                    row["valid_from"] or None,
                    row["valid_to"] or None,
                    row["camera_visible"] == "yes",
                    row["exceptions"],
                    row["source"],
                    position,
                ],
            )


def _cells(weeks: int, cameras: tuple[tuple[str, str, str], ...], *, changes: bool) -> list[tuple[str, date, int]]:
    """Return the hours that were watched: (camera, day, hour of the day)."""
    days = range(weeks * 7)
    watched = {camera: days for camera, _, _ in cameras}
    if changes:
        watched[cameras[-1][0]] = days[len(days) // 3 :]
        watched[cameras[1][0]] = days[:-14]
    return [
        (camera, FIRST_DAY + timedelta(days=day), hour)
        for camera, of_camera in watched.items()
        for day in of_camera
        for hour in range(7, 23)
    ]


def _street(
    chance: random.Random,
    cells: list[tuple[str, date, int]],
    exposure: bool,
    found: bool,
    wanted: int | None,
    stills: list[str],
    clips: list[str],
) -> tuple[list[dict[str, object]], list[dict[str, object]], list[dict[str, object]]]:
    rows: list[dict[str, object]] = []
    hours: list[dict[str, object]] = []
    bundles: list[dict[str, object]] = []
    sure = np.random.default_rng(chance.getrandbits(32))
    for camera, day, hour in cells:
        bundle = hashlib.sha256(f"{camera}{day}".encode()).hexdigest()
        if hour == 7:
            bundles.append({
                "id": bundle, "format": "quitboard-bundle" if exposure else "legacy", "camera_id": camera, "day": day,
                "model_sha256": MODEL if exposure else "", "tool_version": "0.1.0",
                "file_name": f"{camera}_{day}.zip", "manifest": "{}", "ingested_at": datetime(2026, 5, 1, tzinfo=UTC),
            })  # fmt: skip
        rush = 0.4 + 1.6 * math.exp(-((hour - 18.5) ** 2) / 4) + 0.9 * math.exp(-((hour - 8.5) ** 2) / 3)
        riders = int(sure.poisson(3.2 * rush * (0.7 if day.weekday() > 4 else 1)))
        watched = 3600.0 if chance.random() > 0.03 else 1260.0
        for kind, share in KINDS.items():
            judged = int(sure.binomial(riders, 0.82))
            lean = LEAN.get(camera, 1.0) * (1.5 if hour in (18, 19, 20) else 0.85)
            count = int(sure.binomial(judged, min(0.9, share * lean))) if found else 0
            local_hour = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)
            if exposure:
                hours.append({
                    "bundle_id": bundle, "recording_sha256": bundle, "camera_id": camera,
                    "hour": local_hour.replace(tzinfo=SEOUL).astimezone(UTC),
                    "local_hour": local_hour, "kind": kind, "watched_s": watched, "looked_s": watched * 0.2,
                    "riders": riders, "judged": judged, "unclear": riders - judged, "persons": riders * 14 + 30,
                    "vehicles": riders + 2,
                })  # fmt: skip
            rows.extend(_violation(chance, bundle, camera, kind, local_hour, stills, clips) for _ in range(count))
    if not exposure:
        rows = [{**row, "confidence": None} for row in rows]
    if wanted is not None and found:
        chance.shuffle(rows)
        rows = rows[:wanted]
        while len(rows) < wanted:
            camera, day, hour = chance.choice(cells)
            local_hour = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)
            bundle = hashlib.sha256(f"{camera}{day}".encode()).hexdigest()
            rows.append(_violation(chance, bundle, camera, chance.choice(list(KINDS)), local_hour, stills, clips))
    return rows, hours, bundles


def _violation(
    chance: random.Random,
    bundle: str,
    camera: str,
    kind: str,
    local_hour: datetime,
    stills: list[str],
    clips: list[str],
) -> dict[str, object]:
    local = local_hour + timedelta(seconds=chance.randrange(3590))
    started = local.replace(tzinfo=SEOUL).astimezone(UTC)
    has_picture = bool(stills) and chance.random() > 0.08
    return {
        "id": f"{chance.getrandbits(128):032x}", "bundle_id": bundle, "recording_sha256": bundle, "kind": kind,
        "camera_id": camera, "vehicle": "scooter", "started_at": started,
        "ended_at": started + timedelta(seconds=4), "local_started_at": local, "track": 1,
        "confidence": round(chance.uniform(0.8, 0.995), 3), "votes_for": 9, "votes_against": 1,
        "zone": "보도" if kind == "sidewalk" else "",
        "still_sha256": chance.choice(stills) if has_picture else "",
        "clip_sha256": chance.choice(clips) if has_picture and chance.random() > 0.2 else "",
        "evidence_note": "" if has_picture else "anonymising could not vouch for the picture",
        "publish_after": None, "expire_at": None,
    }  # fmt: skip


def _insert(connection: Connection, table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        arrow = pa.Table.from_pylist(rows)  # noqa: F841 - duckdb finds it by its name
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM arrow")


# --- pictures -----------------------------------------------------------------------------------------------------

_WALLS = ("#c9b8a4", "#a9b7bd", "#b7a9a0", "#9fa8a3", "#c4bfae", "#a3a0b0")
_COATS = ("#3c5a78", "#6b4a3f", "#51624a", "#77618a", "#8a6d3b", "#4a4f57")


def _street_picture(chance: random.Random, size: tuple[int, int], wall: str, coat: str, x: float) -> Image.Image:
    width, height = size
    picture = Image.new("RGB", size, wall)
    draw = ImageDraw.Draw(picture)
    for column in range(5):
        left = column * width * 0.21 + width * 0.03
        draw.rectangle((left, height * 0.07, left + width * 0.13, height * 0.34), fill="#6d7f8c")
    draw.rectangle((0, height * 0.46, width, height * 0.6), fill="#b9b4a8")
    draw.rectangle((0, height * 0.6, width, height), fill="#5a6067")
    for dash in range(6):
        left = dash * width * 0.2
        draw.rectangle((left, height * 0.9, left + width * 0.1, height * 0.92), fill="#e3c04a")
    unit = height / 12
    ground = height * 0.8
    draw.line((x - unit * 1.6, ground, x + unit * 1.4, ground), fill="#1d2126", width=max(2, int(unit * 0.28)))
    draw.line(
        (x + unit * 1.4, ground, x + unit * 1.0, ground - unit * 3.2), fill="#1d2126", width=max(2, int(unit * 0.22))
    )
    for wheel in (x - unit * 1.6, x + unit * 1.45):
        draw.ellipse(
            (wheel - unit * 0.45, ground - unit * 0.2, wheel + unit * 0.45, ground + unit * 0.7), fill="#14171a"
        )
    draw.rounded_rectangle(
        (x - unit * 0.9, ground - unit * 4.6, x + unit * 0.5, ground - unit * 1.9), unit * 0.4, fill=coat
    )
    draw.line(
        (x - unit * 0.3, ground - unit * 2, x - unit * 0.5, ground), fill="#2b2f36", width=max(3, int(unit * 0.6))
    )
    draw.line(
        (x + unit * 0.2, ground - unit * 4, x + unit * 1.0, ground - unit * 3), fill=coat, width=max(3, int(unit * 0.4))
    )
    draw.rectangle((x - unit * 0.95, ground - unit * 6.2, x + unit * 0.6, ground - unit * 4.5), fill="#ffc629")
    return picture


def _still(chance: random.Random) -> bytes:
    picture = _street_picture(
        chance, (640, 360), chance.choice(_WALLS), chance.choice(_COATS), chance.uniform(200, 440)
    )
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, comment=b"made by a test")
    return out.getvalue()


def _clip(chance: random.Random) -> bytes:
    wall, coat, start = chance.choice(_WALLS), chance.choice(_COATS), chance.uniform(40, 140)
    frames = [_street_picture(chance, (320, 180), wall, coat, start + step * 9) for step in range(12)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=125, loop=0, comment=b"made by a test")
    return out.getvalue()


def _store(media: Path, content: bytes, extension: str) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    path = media / sha256[:2] / f"{sha256}.{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return sha256
