"""Painted surfaces: asphalt, paving, markings, house fronts and shops, all from seeded noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Array = np.ndarray
PX_M = 48  # ground pixels a metre


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, ...] = (4, 16, 64, 256), fall: float = 0.6
) -> Array:
    """Seamless-looking fractal noise, mean 0, about -1..1."""
    out = np.zeros(shape, np.float32)
    weight, total = 1.0, 0.0
    for c in cells:
        rows = max(2, int(c * shape[0] / max(shape)))
        cols = max(2, int(c * shape[1] / max(shape)))
        out += weight * cv2.resize(
            rng.standard_normal((rows, cols)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC
        )
        total += weight
        weight *= fall
    return np.clip(out / total, -2, 2)


def grain(rng: np.random.Generator, size: int = 256) -> Array:
    """Tileable grain, uint8, mean about 128."""
    g = rng.standard_normal((size, size)).astype(np.float32)
    spectrum = np.fft.fft2(g)
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    f = np.sqrt(fx**2 + fy**2)
    g = np.real(np.fft.ifft2(spectrum / np.maximum(f, 1 / size) ** 0.75))
    g = (g - g.mean()) / g.std()
    return np.clip(128 + 42 * g, 0, 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The street from above. The road runs along x; its two lanes are right-hand traffic: +x on the y < 0 side."""

    x0: float = -32.0
    x1: float = 32.0
    road_half: float = 3.6  # half the carriageway
    walk_left: float = 4.0  # widths of the sidewalks (y > 0 and y < 0)
    walk_right: float = 4.0
    crosswalk_x: float | None = 6.0
    crosswalk_width: float = 4.0
    paving: int = 0
    road_shade: float = 0.30
    bike_lane: bool = False
    yellow_line: bool = True
    blocks_left: bool = True  # yellow tactile paving
    kind: str = "street"  # street, junction, plaza (no road), path (between lawns; its width is 2 x road_half)
    side_road: tuple[float, float] = (6.0, 3.0)  # of a junction: x of its middle and half its width
    cycle_road: bool = False  # red cycle lanes along both kerbs

    @property
    def has_road(self) -> bool:
        return self.kind in ("street", "junction")

    def raised(self, x: float, y: float) -> bool:
        """Whether (x, y) lies on a sidewalk, a kerb higher than the road."""
        if not self.has_road or abs(y) <= self.road_half:
            return False
        return self.kind != "junction" or abs(x - self.side_road[0]) > self.side_road[1]

    @property
    def area(self) -> tuple[float, float, float, float]:
        return self.x0, -20.0, self.x1 - self.x0, 40.0


def _paving(rng: np.random.Generator, h: int, w: int, style: int) -> Array:
    if style >= 10:
        return _test_paving(rng, h, w, style)
    palettes = [(0.62, 0.60, 0.56), (0.56, 0.50, 0.46), (0.50, 0.52, 0.53), (0.66, 0.58, 0.50), (0.58, 0.42, 0.36)]
    base = np.array(palettes[style % len(palettes)], np.float32)
    sizes = [(0.3, 0.3), (0.2, 0.1), (0.4, 0.4), (0.6, 0.3), (0.2, 0.1)]
    a, b = (max(3, int(s * PX_M)) for s in sizes[style % len(sizes)])
    yy, xx = np.mgrid[0:h, 0:w]
    row = yy // b
    col = (xx + (row % 2) * (a // 2)) // a
    table = rng.normal(0, 1, (64, 64)).astype(np.float32)
    tone = table[row % 64, col % 64]
    joint = ((yy % b) == 0) | (((xx + (row % 2) * (a // 2)) % a) == 0)
    level = 1 + 0.07 * tone - 0.20 * joint
    tint = np.ones((h, w, 3), np.float32) * base
    if style % len(palettes) in (1, 4):
        tint = np.where((table[(row + 7) % 64, (col + 3) % 64] > 0.9)[..., None], base * [0.75, 0.72, 0.72], tint)
    return (tint * level[..., None]).astype(np.float32)


def _test_paving(rng: np.random.Generator, h: int, w: int, style: int) -> Array:
    """Paving that only test recordings show: diagonal, hexagon-like, big slabs in other tones."""
    bases = [(0.54, 0.55, 0.50), (0.68, 0.64, 0.60), (0.44, 0.41, 0.40), (0.60, 0.52, 0.44)]
    base = np.array(bases[style % 4], np.float32)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.int32)
    a = [16, 36, 22, 13][style % 4]
    u, v = (xx + yy, xx - yy + 4096) if style % 2 == 0 else (xx + (yy // a % 3) * (a // 3), yy)
    table = rng.normal(0, 1, (64, 64)).astype(np.float32)
    tone = table[(u // a) % 64, (v // a) % 64]
    joint = (u % a == 0) | (v % a == 0)
    return (base * (1 + 0.08 * tone - 0.16 * joint)[..., None]).astype(np.float32)


def ground(rng: np.random.Generator, plan: Plan) -> Array:
    """The whole floor seen from above (h, w, 3) uint8, row 0 at the lowest y."""
    if not plan.has_road:
        return _open_ground(rng, plan)
    out = _street_ground(rng, plan)
    return _side_road(rng, plan, out) if plan.kind == "junction" else out


def _open_ground(rng: np.random.Generator, plan: Plan) -> Array:
    """A plaza, paved with bands all over, or a path between lawns."""
    _, y0, wide, deep = plan.area
    h, w = int(deep * PX_M), int(wide * PX_M)
    stains = cv2.resize(noise(rng, (h // 4, w // 4), (6, 20, 60)), (w, h), interpolation=cv2.INTER_LINEAR)
    speckle = np.tile(rng.normal(0, 1, (480, 512)).astype(np.float32), (h // 480 + 1, w // 512 + 1))[:h, :w]
    slabs = _paving(rng, h, w, plan.paving)
    if plan.kind == "plaza":
        band = int(rng.uniform(3, 6) * PX_M)
        slabs[(np.arange(h) % band) < 0.35 * PX_M] *= 0.72
        slabs[:, (np.arange(w) % band) < 0.35 * PX_M] *= 0.72
        return np.clip(slabs * (1 + 0.10 * stains + 0.05 * speckle)[..., None] * 255, 0, 255).astype(np.uint8)
    clumps = cv2.resize(noise(rng, (h // 2, w // 2), (40, 160, 400)), (w, h), interpolation=cv2.INTER_LINEAR)
    green = np.array([0.25, 0.34, 0.15], np.float32) * rng.uniform(0.8, 1.2)
    out = green * (1 + 0.25 * clumps + 0.15 * speckle)[..., None]
    y = np.arange(h) / PX_M + y0
    inside = np.abs(y) < plan.road_half
    edge = inside & (np.abs(y) > plan.road_half - 0.15)
    out[inside] = (slabs * (1 + 0.10 * stains + 0.05 * speckle)[..., None])[inside]
    out[edge] = 0.58 * (1 + 0.06 * speckle[edge])[..., None]
    if plan.bike_lane:
        lane = (y > 0.2) & (y < plan.road_half - 0.3)
        out[lane] = (np.array([0.50, 0.22, 0.19]) * (1 + 0.1 * stains + 0.05 * speckle)[..., None])[lane]
    return np.clip(out * 255, 0, 255).astype(np.uint8)


def _side_road(rng: np.random.Generator, plan: Plan, picture: Array) -> Array:
    """Asphalt over the sidewalks where a side road joins, with its crosswalks."""
    x0, y0, _, _ = plan.area
    middle, half = plan.side_road
    h = len(picture)
    c0, c1 = (round((x - x0) * PX_M) for x in (middle - half, middle + half))
    tone = plan.road_shade * 255 * 0.97
    y = np.arange(h) / PX_M + y0
    for side in (-1, 1):
        rows = (side * y > plan.road_half - 0.02).nonzero()[0]
        size = (len(rows), c1 - c0)
        patch = tone * (1 + 0.07 * rng.normal(0, 1, size) + 0.08 * noise(rng, size, (6, 20)))
        picture[rows[0] : rows[-1] + 1, c0:c1] = np.clip(patch, 0, 255).astype(np.uint8)[..., None]
        near = ((side * y > plan.road_half + 0.5) & (side * y < plan.road_half + 3.3)).nonzero()[0]
        for c in range(c0 + int(0.25 * PX_M), c1 - int(0.4 * PX_M), int(0.9 * PX_M)):
            stripe = picture[near[0] : near[-1], c : c + int(0.45 * PX_M)]
            picture[near[0] : near[-1], c : c + int(0.45 * PX_M)] = (0.25 * stripe + 0.75 * 215).astype(np.uint8)
    return picture


def _street_ground(rng: np.random.Generator, plan: Plan) -> Array:
    x0, y0, wide, deep = plan.area
    h, w = int(deep * PX_M), int(wide * PX_M)

    def col(x: float) -> int:
        return round((x - x0) * PX_M)

    def row(y: float) -> int:
        return round((y - y0) * PX_M)

    stains = noise(rng, (h // 4, w // 4), (6, 20, 60))
    stains = cv2.resize(stains, (w, h), interpolation=cv2.INTER_LINEAR)
    speckle = np.tile(rng.normal(0, 1, (480, 512)).astype(np.float32), (h // 480 + 1, w // 512 + 1))[:h, :w]
    shade = plan.road_shade * (1 + 0.10 * stains + 0.07 * speckle)
    out = shade[..., None] * np.array([1.0, 1.0, 1.02], np.float32)

    for _ in range(rng.integers(1, 5)):  # patches of newer asphalt and manholes
        cx, cy = rng.uniform(plan.x0, plan.x1), rng.uniform(-plan.road_half, plan.road_half)
        pw, ph = rng.uniform(0.8, 5), rng.uniform(0.6, 1.6)
        out[max(row(cy), 0) : row(cy + ph), max(col(cx), 0) : col(cx + pw)] *= rng.uniform(0.72, 0.88)
    out = np.ascontiguousarray(out)
    for _ in range(rng.integers(1, 4)):
        c = (col(rng.uniform(plan.x0, plan.x1)), row(rng.uniform(-plan.road_half, plan.road_half)))
        cv2.circle(out, c, int(0.33 * PX_M), (0.17, 0.16, 0.15), -1, cv2.LINE_AA)
        cv2.circle(out, c, int(0.35 * PX_M), (0.38, 0.37, 0.36), 2, cv2.LINE_AA)
    for _ in range(rng.integers(2, 7)):  # cracks
        p = np.array([rng.uniform(0, w), rng.uniform(row(-plan.road_half), row(plan.road_half))])
        steps = np.cumsum(rng.normal(0, 14, (30, 2)) + rng.normal(0, 9, 2), 0)
        cv2.polylines(out, [np.int32(p + steps)], False, (0.16, 0.16, 0.16), 1, cv2.LINE_AA)

    worn = np.clip(0.80 + 0.22 * stains + 0.12 * speckle, 0.25, 1.0)[..., None]

    def paint(
        y: float, x_from: float, x_to: float, width: float, color: tuple[float, float, float], strength: float = 0.9
    ) -> None:
        r0, r1, c0, c1 = row(y - width / 2), row(y + width / 2), max(col(x_from), 0), col(x_to)
        k = worn[r0:r1, c0:c1] * strength
        out[r0:r1, c0:c1] = out[r0:r1, c0:c1] * (1 - k) + np.array(color, np.float32) * k

    white, yellow = (0.88, 0.88, 0.86), (0.85, 0.65, 0.18)
    half = plan.road_half
    gap = (
        (plan.crosswalk_x - plan.crosswalk_width / 2 - 1.0, plan.crosswalk_x + plan.crosswalk_width / 2 + 1.0)
        if plan.crosswalk_x is not None
        else (1e3, 1e3)
    )
    for a, b in ((plan.x0, min(gap[0], plan.x1)), (min(gap[1], plan.x1), plan.x1)):
        if b <= a:
            continue
        if plan.yellow_line:
            paint(0.12, a, b, 0.12, yellow)
            paint(-0.12, a, b, 0.12, yellow)
        else:
            for s in np.arange(a, b, 6.0):
                paint(0.0, s, min(s + 3.0, b), 0.13, white)
        for side in (-1, 1):
            paint(side * (half - 0.35), a, b, 0.12, yellow if plan.yellow_line else white)
    if plan.cycle_road:
        for side in (-1, 1):
            r0, r1 = sorted((row(side * (half - 0.45)), row(side * (half - 1.65))))
            red = np.array([0.46, 0.20, 0.17]) * (1 + 0.10 * stains[r0:r1] + 0.06 * speckle[r0:r1])[..., None]
            out[r0:r1] = 0.85 * red + 0.15 * out[r0:r1]
            paint(side * (half - 1.7), plan.x0, plan.x1, 0.10, white)
    if plan.crosswalk_x is not None:
        for y in np.arange(-half + 0.3, half - 0.2, 0.9):
            paint(
                y + 0.22,
                plan.crosswalk_x - plan.crosswalk_width / 2,
                plan.crosswalk_x + plan.crosswalk_width / 2,
                0.45,
                white,
            )
        paint(-half / 2, gap[0] - 0.6, gap[0] - 0.25, half - 0.4, white)
        paint(half / 2, gap[1] + 0.25, gap[1] + 0.6, half - 0.4, white)

    for side, width in ((1, plan.walk_left), (-1, plan.walk_right)):
        r0, r1 = (row(half), row(half + width)) if side > 0 else (row(-half - width), row(-half))
        slabs = _paving(rng, r1 - r0, w, plan.paving + (side < 0))
        slabs *= (1 + 0.10 * stains[r0:r1] + 0.05 * speckle[r0:r1])[..., None]
        out[r0:r1] = slabs
        k0, k1 = (row(half), row(half + 0.16)) if side > 0 else (row(-half - 0.16), row(-half))
        out[k0:k1] = np.array([0.60, 0.60, 0.58]) * (1 + 0.08 * speckle[k0:k1])[..., None]
        out[k0:k1, ::PX_M] *= 0.6
        if plan.blocks_left:
            y = side * (half + min(1.0, width * 0.3))
            b0, b1 = row(y - 0.15), row(y + 0.15)
            out[b0:b1] = (
                np.array([0.78, 0.62, 0.16])
                * np.clip(1 + 0.15 * stains[b0:b1] + 0.10 * speckle[b0:b1], 0.5, 1.2)[..., None]
            )
            yy, xx = np.mgrid[b0:b1, 0:w]
            out[b0:b1][(yy % 5 < 2) & (xx % 5 < 2)] *= 1.12
        if plan.bike_lane and side < 0:
            y = -half - width * 0.45
            b0, b1 = row(y - 0.75), row(y + 0.75)
            out[b0:b1] = np.array([0.55, 0.24, 0.20]) * (1 + 0.10 * stains[b0:b1] + 0.06 * speckle[b0:b1])[..., None]
        spots = rng.integers(10, 40)  # old chewing gum and drops
        for _ in range(spots):
            cv2.circle(
                out,
                (int(rng.uniform(0, w)), int(rng.uniform(r0 + 10, r1 - 10))),
                int(rng.integers(1, 4)),
                tuple((out[(r0 + r1) // 2, w // 2] * 0.7).tolist()),
                -1,
                cv2.LINE_AA,
            )
    back = np.array([0.47, 0.46, 0.44], np.float32) * (1 + 0.10 * stains + 0.05 * speckle)[..., None]
    out[: row(-half - plan.walk_right)] = back[: row(-half - plan.walk_right)]
    out[row(half + plan.walk_left) :] = back[row(half + plan.walk_left) :]
    for side, width in ((1, plan.walk_left), (-1, plan.walk_right)):  # dirt and less sky along the house fronts
        y = np.abs(np.arange(h) / PX_M + y0 - side * (half + width))
        out *= (1 - 0.30 * np.exp(-((y / 0.35) ** 2)))[:, None, None]
    return np.clip(out * 255, 0, 255).astype(np.uint8)


def contact_shade(picture: Array, plan: Plan, blobs: list[tuple[float, float, float, float]]) -> Array:
    """Darken the floor around what stands on it: ``blobs`` are (x, y, radius in m, strength)."""
    x0, y0, _, _ = plan.area
    h, w = picture.shape[:2]
    for x, y, radius, strength in blobs:
        c0, c1 = (int(np.clip((x + s * radius - x0) * PX_M, 0, w)) for s in (-1, 1))
        r0, r1 = (int(np.clip((y + s * radius - y0) * PX_M, 0, h)) for s in (-1, 1))
        yy, xx = np.mgrid[r0:r1, c0:c1]
        d = ((xx / PX_M + x0 - x) ** 2 + (yy / PX_M + y0 - y) ** 2) / radius**2
        shade = 1 - strength * np.clip(1 - d, 0, 1) ** 2
        picture[r0:r1, c0:c1] = (picture[r0:r1, c0:c1] * shade[..., None]).astype(np.uint8)
    return picture


def _text(img: Array, rng: np.random.Generator, box: tuple[int, int, int, int], color: tuple[float, ...]) -> None:
    """Blocky syllables that read as signs from afar and say nothing."""
    x, y, w, h = box
    n = max(2, int(w / (h * 1.1)))
    for k in range(n):
        cx = x + int((k + 0.1) * w / n)
        s = max(3, int(min(h, w / n) * 0.8))
        for _ in range(rng.integers(3, 6)):
            a = (cx + int(rng.uniform(0, s)), y + int(rng.uniform(0, s)))
            b = (
                (a[0] + int(rng.uniform(-0.5, 0.5) * s), a[1])
                if rng.random() < 0.5
                else (a[0], a[1] + int(rng.uniform(-0.5, 0.5) * s))
            )
            cv2.line(img, a, b, color, max(1, s // 7), cv2.LINE_AA)


def shop(rng: np.random.Generator, size: int = 512) -> Array:
    """A ground floor about 12 m wide and 4 m high, stretched to a square; alpha = 1 - gloss."""
    img = np.ones((size, size, 4), np.float32)
    wall = rng.uniform(0.3, 0.75) * np.array([1, rng.uniform(0.9, 1), rng.uniform(0.8, 1)])
    img[..., :3] = wall * (1 + 0.04 * noise(rng, (size, size), (8, 64)))[..., None]
    img[..., 3] = 0.95
    n = int(rng.integers(2, 5))
    for k in range(n):
        a, b = int(size * k / n) + 8, int(size * (k + 1) / n) - 8
        sign = rng.uniform(0.1, 0.95, 3)
        sign = sign.mean() + (sign - sign.mean()) * rng.uniform(0.4, 0.9)
        cv2.rectangle(img, (a, int(size * 0.06)), (b, int(size * 0.24)), (*sign.tolist(), 0.9), -1)
        _text(
            img,
            rng,
            (a + (b - a) // 8, int(size * 0.085), (b - a) * 3 // 4, int(size * 0.13)),
            (*(1 - np.round(sign)).tolist(), 0.9),
        )
        glass = rng.uniform(0.05, 0.35)
        warm = np.array([1.0, rng.uniform(0.85, 1), rng.uniform(0.65, 1)])
        top, low = int(size * 0.30), int(size * rng.choice([0.82, 0.93]))
        window = np.linspace(glass * 1.5, glass * 0.7, low - top)[:, None, None] * warm
        inside = 1 + 0.9 * np.clip(noise(rng, (low - top, b - a), (6, 14, 40)), -0.8, 1.4)
        img[top:low, a:b, :3] = np.clip(window * inside[..., None], 0, 0.9)
        img[top:low, a:b, 3] = 0.45
        for m in np.linspace(a, b, int(rng.integers(2, 5)) + 1):
            cv2.line(img, (int(m), top), (int(m), low), (0.25, 0.25, 0.26, 0.7), 4)
        cv2.line(img, (a, top), (b, top), (0.2, 0.2, 0.2, 0.7), 4)
        if rng.random() < 0.4:
            for j in range(rng.integers(1, 4)):
                px, py = int(rng.uniform(a, b - 30)), int(rng.uniform(top, low - 60))
                cv2.rectangle(img, (px, py), (px + 26, py + 40), (*rng.uniform(0.2, 0.95, 3).tolist(), 0.9), -1)
                del j
    return img


def front(rng: np.random.Generator, size: int = 512) -> Array:
    """Upper floors, 12 m by 12 m."""
    img = np.ones((size, size, 4), np.float32)
    tones = [
        (0.62, 0.40, 0.32),
        (0.72, 0.70, 0.66),
        (0.55, 0.54, 0.52),
        (0.80, 0.76, 0.68),
        (0.45, 0.36, 0.32),
        (0.66, 0.60, 0.50),
        (0.5, 0.55, 0.6),
    ]
    wall = np.array(tones[rng.integers(len(tones))]) * rng.uniform(0.8, 1.15)
    img[..., :3] = wall * (1 + 0.05 * noise(rng, (size, size), (6, 40, 160)))[..., None]
    img[..., 3] = 0.97
    if rng.random() < 0.5:
        img[:: max(4, size // 90), :, :3] *= 0.88
    rows, cols = int(rng.integers(3, 5)), int(rng.integers(3, 7))
    ww, hh = rng.uniform(0.45, 0.85), rng.uniform(0.4, 0.7)
    for r in range(rows):
        for c in range(cols):
            x, y = size * (c + 0.5) / cols, size * (r + 0.5) / rows
            a, b = (
                (int(x - ww * size / cols / 2), int(y - hh * size / rows / 2)),
                (int(x + ww * size / cols / 2), int(y + hh * size / rows / 2)),
            )
            dark = float(rng.uniform(0.06, 0.3))
            cv2.rectangle(img, a, b, (dark, dark * 1.08, dark * 1.2, 0.3), -1)
            if rng.random() < 0.35:
                cv2.rectangle(
                    img, a, (b[0], a[1] + int((b[1] - a[1]) * rng.uniform(0.2, 0.7))), (0.6, 0.58, 0.53, 0.6), -1
                )
            cv2.rectangle(img, a, b, (*(wall * 1.2).clip(0, 1).tolist(), 0.9), 3, cv2.LINE_AA)
            cv2.line(img, (int(x), a[1]), (int(x), b[1]), (0.7, 0.7, 0.7, 0.8), 2)
            cv2.line(img, (a[0] - 3, b[1] + 3), (b[0] + 3, b[1] + 3), (*(wall * 0.6).tolist(), 0.95), 3)
            if rng.random() < 0.15:
                cv2.rectangle(img, (b[0] - 30, b[1] - 22), (b[0], b[1]), (0.8, 0.8, 0.78, 0.9), -1)
    if rng.random() < 0.5:
        sign = rng.uniform(0.1, 0.9, 3)
        x = int(rng.uniform(0.1, 0.8) * size)
        cv2.rectangle(img, (x, int(size * 0.2)), (x + 34, int(size * 0.8)), (*sign.tolist(), 0.9), -1)
        for y in range(int(size * 0.24), int(size * 0.76), 36):
            _text(img, rng, (x + 5, y, 26, 24), (*(1 - np.round(sign)).tolist(), 0.9))
    return img


def facades(rng: np.random.Generator, shops: int = 8, fronts: int = 8, size: int = 512) -> Array:
    """(shops + fronts, size, size, 4) uint8, row 0 at the bottom of the wall."""
    layers = [shop(rng, size) for _ in range(shops)] + [front(rng, size) for _ in range(fronts)]
    return np.stack([np.clip(layer[::-1] * 255, 0, 255) for layer in layers]).astype(np.uint8)
