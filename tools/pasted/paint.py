"""Painting people into a frame: the right size, softness, light and noise, and what stands in front of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from tools.pasted.actors import Actor
from tools.pasted.cuts import Cut

CLASSES = ("person", "scooter", "helmet", "head", "bicycle", "motorcycle", "car")
_SIZE_STEP = 1.06
_PASSENGER_BACK = 0.155
"""How far behind the driver a passenger stands, in the driver's heights, seen from the side."""
_MOVED_GREY = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How a recording shows things."""

    gain: float
    lift: float  # grey levels that black has there
    colour: float  # saturation over the photo's
    blur: float
    noise: float


@dataclass(slots=True, eq=False)
class Sprite:
    """An actor as one picture with all his boxes, brought to any size."""

    colour: np.ndarray  # (height, width, 3) premultiplied by alpha
    alpha: np.ndarray
    foot: np.ndarray  # (2,) what stands on the path, px of the sprite
    boxes: list[tuple[int, str, np.ndarray]]  # index of the person (-1: the vehicle), class, xyxy
    shares: list[float]  # seen of each box, 0-1
    sizes: dict[int, tuple[np.ndarray, np.ndarray, float]] = field(default_factory=dict)

    def sized(self, scale: float) -> tuple[np.ndarray, np.ndarray, float]:
        """The sprite shrunk to a bit above a scale, and what is left to do."""
        step = int(np.ceil(np.log(min(scale, 1.0)) / np.log(_SIZE_STEP)))
        if step not in self.sizes:
            exact = min(_SIZE_STEP**step, 1.0)
            size = tuple(max(2, round(side * exact)) for side in (self.alpha.shape[1], self.alpha.shape[0]))
            self.sizes[step] = (
                cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA),
                cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA),
                size[1] / self.alpha.shape[0],
            )
        return self.sizes[step]


def sprite_of(actor: Actor, view: str, squash: float) -> Sprite:
    """Join an actor's cuts into one picture that looks the way he goes."""
    driver = actor.cut
    mirrored = {driver.faces, view} == {"left", "right"}
    colour, alpha = driver.colour, driver.alpha
    ground = max(driver.person[3], driver.scooter[3]) if driver.scooter is not None else driver.person[3]
    middle = (driver.scooter[0] + driver.scooter[2]) / 2 if driver.scooter is not None else _middle(driver.person)
    named = [(0, "person", driver.person), (0, _head_class(driver), driver.head)]
    if driver.scooter is not None:
        named.append((-1, "scooter", driver.scooter))
    shares = [1.0] * len(named)
    if actor.passenger is not None:
        behind = actor.passenger
        size = 0.97 * driver.tall / behind.tall
        flipped = behind.faces != driver.faces and behind.faces in ("left", "right")
        body, layer, boxes = _resized(behind, size, flipped)
        side = {"right": -1.0, "left": 1.0}.get(driver.faces, 0.35)
        at = (_middle(driver.person) + side * _PASSENGER_BACK * driver.tall, driver.person[3] - 0.02 * driver.tall)
        shift = np.round([at[0] - _middle(boxes[0]), at[1] - boxes[0][3]]).astype(int)
        colour, alpha, moved, hidden = _behind(colour, alpha, body, layer, shift)
        offset = np.array([*moved, *moved], float)
        named = [(who, what, box + offset) for who, what, box in named]
        placed = np.array([*shift, *shift], float) + offset
        named += [(1, "person", boxes[0] + placed), (1, _head_class(behind), boxes[1] + placed)]
        shares += [hidden(boxes[0] + placed), hidden(boxes[1] + placed)]
        ground, middle = ground + moved[1], middle + moved[0]
    height, width = alpha.shape
    if mirrored:
        colour, alpha, middle = colour[:, ::-1], alpha[:, ::-1], width - middle
        named = [(n, what, np.array([width - b[2], b[1], width - b[0], b[3]])) for n, what, b in named]
    if squash != 1:
        size = (width, max(2, round(height * squash)))
        colour = cv2.resize(np.ascontiguousarray(colour), size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(np.ascontiguousarray(alpha), size, interpolation=cv2.INTER_AREA)
        named = [(n, what, b * [1, squash, 1, squash]) for n, what, b in named]
        ground *= squash
    return Sprite(
        colour=np.ascontiguousarray(colour * alpha[..., None], np.float32),
        alpha=np.ascontiguousarray(alpha, np.float32),
        foot=np.array([middle, ground]),
        boxes=named,
        shares=shares,
    )


def paint(
    frame: np.ndarray,
    sprite: Sprite,
    light: Light,
    rng: np.random.Generator,
    *,
    foot: np.ndarray,
    scale: float,
    lean: float,
    speed: np.ndarray,
    front: np.ndarray | None,
) -> list[tuple[int, str, np.ndarray, float]]:
    """Paint a sprite with its wheels at `foot` into a frame (float, changed in place).

    Args:
        speed: px a frame, smears what moves.
        front: (height, width) 0-1, what stands before the sprite and stays.

    Returns:
        Person's index, class, xyxy inside the picture and the visible share of each box.
    """
    height, width = frame.shape[:2]
    colour, alpha, done = sprite.sized(scale)
    left = scale / done
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]]) * left
    anchor = sprite.foot * done
    matrix = np.column_stack([turn, foot - turn @ anchor])
    corners = np.array([[0, 0], [alpha.shape[1], 0], [0, alpha.shape[0]], [alpha.shape[1], alpha.shape[0]]])
    reached = corners @ matrix[:, :2].T + matrix[:, 2]
    low = np.maximum(np.floor(reached.min(axis=0)) - 6, 0).astype(int)
    high = np.minimum(np.ceil(reached.max(axis=0)) + 6, [width, height]).astype(int)
    if (high - low < 3).any():
        return []
    matrix[:, 2] -= low
    size = tuple(map(int, high - low))
    layer = cv2.warpAffine(np.dstack([colour, alpha]), matrix, size, flags=cv2.INTER_LINEAR)
    layer = _smeared(cv2.GaussianBlur(layer, (0, 0), max(light.blur, 0.2)), speed)
    seen = layer[..., 3:]
    grey = layer[..., :3].mean(axis=2, keepdims=True)
    lit = (grey + (layer[..., :3] - grey) * light.colour) * light.gain * (1 - light.lift / 255) + seen * light.lift
    lit = lit + seen * rng.normal(0, light.noise, seen.shape)
    keep = seen if front is None else seen * (1 - front[low[1] : high[1], low[0] : high[0], None])
    region = frame[low[1] : high[1], low[0] : high[0]]
    shade = _shadow(size, foot - low, scale * (sprite.foot[1] or 1))
    region *= 1 - shade[..., None] * (1 if front is None else 1 - front[low[1] : high[1], low[0] : high[0], None])
    ratio = np.divide(keep, seen, out=np.zeros_like(seen), where=seen > 1e-3)
    region *= 1 - keep
    region += lit * ratio
    found = []
    for (who, what, box), share in zip(sprite.boxes, sprite.shares, strict=True):
        placed = (_corners(box) * done) @ matrix[:, :2].T + matrix[:, 2] + low
        whole = np.concatenate([placed.min(axis=0), placed.max(axis=0)])
        clipped = np.clip(whole, 0, [width, height, width, height])
        area = float(np.prod(whole[2:] - whole[:2]))
        inside = float(np.prod(np.maximum(clipped[2:] - clipped[:2], 0))) / max(area, 1e-6)
        x0, y0, x1, y1 = np.round(clipped - [*low, *low]).astype(int)
        part, kept = seen[y0:y1, x0:x1], keep[y0:y1, x0:x1]
        covered = float(kept.sum() / part.sum()) if part.sum() > 0 else 0.0
        if inside > 0.02:
            found.append((who, what, clipped, share * inside * covered))
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passing:
    """What moves in a real frame, in pieces, each with the row at which it ends: where its feet are."""

    labels: np.ndarray  # (height, width)
    bottom: np.ndarray  # (pieces,)
    area: np.ndarray  # (pieces,) px; 0 for the background

    @classmethod
    def of(cls, frame: np.ndarray, empty: np.ndarray) -> Passing:
        """Compare a frame with the empty picture, both (height, width, 3) uint8."""
        differs = cv2.GaussianBlur(cv2.absdiff(frame, empty), (0, 0), 1.0)
        moved = cv2.max(cv2.max(*cv2.split(differs)[:2]), cv2.split(differs)[2])
        _, moved = cv2.threshold(moved, _MOVED_GREY, 1, cv2.THRESH_BINARY)
        moved = cv2.morphologyEx(moved, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(moved)
        bottom = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
        area = stats[:, cv2.CC_STAT_AREA]
        area[0] = 0
        return cls(labels=labels, bottom=bottom, area=area)

    def before(self, row: float, tall: float) -> np.ndarray:
        """Return what has its feet below a row, and so is nearer than what stands there: (height, width) 0-1.

        Pieces much smaller than a person, who is `tall` px there, are leaves, reflections and noise.
        """
        nearer = (self.bottom > row + 1) & (self.area > 0.06 * tall**2)
        return cv2.GaussianBlur(nearer.astype(np.float32)[self.labels], (0, 0), 0.7)


def light_of(empty: np.ndarray, noise: float, blur: float, cut: Cut) -> Light:
    """Match a photo's light to a recording's: mean level within bounds, black level, colourfulness."""
    inside = cut.alpha > 0.9
    mean = float(cut.colour[inside].mean())
    level = float(np.percentile(empty.mean(axis=2), 60))
    # Two people differ in their clothes more than two cameras in their light: only half of the difference is taken.
    gain = float(np.clip(((level * 0.85 + 30) / (mean + 30)) ** 0.5, 0.62, 1.3))
    spread = float((empty.max(axis=2) - empty.min(axis=2)).mean())
    colour = float(np.clip(0.55 + spread / 70, 0.6, 1.0))
    return Light(gain=gain, lift=float(np.percentile(empty, 0.5)) * 0.6, colour=colour, blur=blur, noise=noise)


def _smeared(layer: np.ndarray, speed: np.ndarray) -> np.ndarray:
    length = round(float(np.linalg.norm(speed)))
    if length < 2:
        return layer
    side = 2 * (length // 2) + 1
    kernel = np.zeros((side, side), np.float32)
    half, way = side // 2, speed / np.linalg.norm(speed)
    for t in np.linspace(-half, half, 4 * side):
        kernel[round(half + t * way[1]), round(half + t * way[0])] = 1
    return cv2.filter2D(layer, -1, kernel / kernel.sum())


def _shadow(size: tuple[int, int], foot: np.ndarray, tall: float) -> np.ndarray:
    """A soft dark patch under the wheels: an overcast sky's shadow."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    return 0.33 * np.exp(-(((x - foot[0]) / (0.2 * tall)) ** 2) - ((y - foot[1] + 0.01 * tall) / (0.035 * tall)) ** 2)


def _resized(cut: Cut, size: float, flipped: bool) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    shape = (max(2, round(cut.alpha.shape[1] * size)), max(2, round(cut.alpha.shape[0] * size)))
    colour = cv2.resize(cut.colour, shape, interpolation=cv2.INTER_AREA)
    body = cv2.resize(cut.body, shape, interpolation=cv2.INTER_AREA)
    boxes = [cut.person * size, cut.head * size]
    if flipped:
        colour, body = colour[:, ::-1], body[:, ::-1]
        boxes = [np.array([shape[0] - b[2], b[1], shape[0] - b[0], b[3]]) for b in boxes]
    return colour, body, boxes


def _behind(
    colour: np.ndarray, alpha: np.ndarray, body: np.ndarray, layer: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Callable[[np.ndarray], float]]:
    """Lay one picture under another, on a canvas that holds both; say how much of a box of the lower one is seen."""
    moved = np.maximum(-shift, 0)
    size = np.maximum(
        np.array(alpha.shape[::-1]) + moved, np.array(layer.shape[::-1]) + np.maximum(shift, 0)
    )  # width, height
    canvas, cover = np.zeros((size[1], size[0], 3), np.float32), np.zeros((size[1], size[0]), np.float32)
    top = np.zeros_like(cover)
    a, b = moved, shift + moved
    canvas[b[1] : b[1] + layer.shape[0], b[0] : b[0] + layer.shape[1]] = body
    cover[b[1] : b[1] + layer.shape[0], b[0] : b[0] + layer.shape[1]] = layer
    top[a[1] : a[1] + alpha.shape[0], a[0] : a[0] + alpha.shape[1]] = alpha
    over = np.zeros_like(canvas)
    over[a[1] : a[1] + alpha.shape[0], a[0] : a[0] + alpha.shape[1]] = colour
    both = top + cover * (1 - top)
    mixed = over * top[..., None] + canvas * (cover * (1 - top))[..., None]
    mixed = np.divide(mixed, both[..., None], out=over, where=both[..., None] > 1e-3)

    def seen(box: np.ndarray) -> float:
        x0, y0, x1, y1 = np.maximum(np.round(box), 0).astype(int)
        whole = cover[y0:y1, x0:x1].sum()
        return float((cover * (1 - top))[y0:y1, x0:x1].sum() / whole) if whole else 0.0

    return mixed, both, moved, seen


def _corners(box: np.ndarray) -> np.ndarray:
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]])


def _middle(box: np.ndarray) -> float:
    return float(box[0] + box[2]) / 2


def _head_class(cut: Cut) -> str:
    return "helmet" if cut.wears == "helmet" else "head"
