"""The only way for a picture out of QuitBoard: fill, reduce, look again, then encode.

Nothing else in QuitBoard makes a `PublishablePicture`, and only that can be encoded: without regions, or against the
gate's objection, there is no picture (it fails closed). Within a fill no source pixel survives: it is one flat colour,
laid on at the recording's own resolution before anything is cropped, scaled or compressed, so that neither
interpolation nor a JPEG block can carry a pixel of a face out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from quitboard.detect.privacy_gate import Finder, Gate, Window, objection, steady, with_steady
from quitboard.detect.regions import Boxes, FrameRegions, find_regions, seen
from quitboard.errors import EvidenceRefused
from quitboard.records import Picture
from quitboard.settings import EvidenceSettings

Mask: TypeAlias = NDArray[np.bool_]  # (height, width)

FILL_BGR: Final = (0x70, 0x5D, 0x52)
"""The one flat colour of every fill: a slate that belongs to nobody."""
BODY_ROWS: Final = 24
"""A reduced body is this many cells high: posture can be read, a print on a shirt cannot."""
JPEG_QUALITY: Final = 86
GIF_COLOURS: Final = 128
LARGEST_ENLARGEMENT: Final = 2.0
LEGACY_STEP_US: Final = 100_000
"""The first QuitBoard's pictures are shown at 100 ms each."""
MAX_LEGACY_FRAMES: Final = 40
CLOCK_SHARE: Final = 0.08
"""Recorders burn their clock into the top or bottom of the picture; these parts of its height are never published."""

_VOUCHED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What may be published of a suspected violation; `note` says why something is missing."""

    still: bytes | None  # JPEG
    clip: bytes | None  # GIF
    note: str = ""


class PublishablePicture:
    """Pixels that went through `anonymise`. Only this module can make one; what it gives away is read-only."""

    __slots__ = ("_pixels",)

    def __init__(self, voucher: object, pixels: Picture) -> None:
        if voucher is not _VOUCHED:
            raise TypeError("only quitboard.detect.anonymise makes publishable pictures")
        pixels = np.ascontiguousarray(pixels)
        pixels.flags.writeable = False
        self._pixels = pixels

    @property
    def pixels(self) -> Picture:
        """(height, width, 3) uint8, BGR, read-only."""
        return self._pixels

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px."""
        return self._pixels.shape[1], self._pixels.shape[0]

    def cropped(self, window: Window) -> PublishablePicture:
        """Return the part inside `window`."""
        x1, y1, x2, y2 = window
        return PublishablePicture(_VOUCHED, self._pixels[y1:y2, x1:x2].copy())

    def resized(self, size: tuple[int, int]) -> PublishablePicture:
        """Return the picture scaled to `size` (width, height)."""
        shrinks = size[0] < self.size[0]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        return PublishablePicture(_VOUCHED, np.asarray(cv2.resize(self._pixels, size, interpolation=method), np.uint8))

    def under(self, overlay: NDArray[np.uint8]) -> PublishablePicture:
        """Return the picture with a drawn `overlay` (height, width, 4; BGRA) laid over it."""
        alpha = overlay[:, :, 3:].astype(np.float32) / 255
        mixed = self._pixels * (1 - alpha) + overlay[:, :, :3] * alpha
        return PublishablePicture(_VOUCHED, np.round(mixed).astype(np.uint8))


# --- fill ---------------------------------------------------------------------------------------------------------


def fill_mask(regions: FrameRegions) -> Mask:
    """Return which pixels of a frame are filled; it depends on the regions alone.

    Heads are superellipses |x/a|⁴ + |y/b|⁴ ≤ 1 through the corners of their boxes, so that the whole box is inside;
    plates, and tops in which a second head may be, are rectangles.
    """
    mask = np.zeros((regions.height, regions.width), np.bool_)
    for x1, y1, x2, y2 in np.concatenate([regions.plates, regions.tops]).astype(int):
        mask[y1:y2, x1:x2] = True
    for x1, y1, x2, y2 in regions.heads:
        a, b = (x2 - x1) / 2 * 2**0.25, (y2 - y1) / 2 * 2**0.25
        middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
        left, right = max(0, int(middle_x - a)), min(regions.width, int(middle_x + a) + 1)
        top, bottom = max(0, int(middle_y - b)), min(regions.height, int(middle_y + b) + 1)
        across = ((np.arange(left, right) + 0.5 - middle_x) / a) ** 4
        down = ((np.arange(top, bottom) + 0.5 - middle_y) / b) ** 4
        mask[top:bottom, left:right] |= down[:, None] + across[None] <= 1
    return mask


def fill(picture: Picture, mask: Mask, bodies: Boxes, *, body: str) -> Picture:
    """Return a copy of `picture` with `mask` filled and what lies in `bodies` reduced (`flat`, `pixel` or `keep`)."""
    filled = picture.copy()
    filled[mask] = FILL_BGR
    if body == "keep":
        return filled
    reduced = filled.copy()
    for box in sorted(bodies.astype(int).tolist(), key=lambda box: box[1] - box[3]):
        x1, y1, x2, y2 = box
        reduced[y1:y2, x1:x2] = FILL_BGR if body == "flat" else _in_cells(filled[y1:y2, x1:x2], y2 - y1)
    reduced[mask] = FILL_BGR
    return reduced


def _in_cells(part: Picture, height: int) -> Picture:
    """Return the part as few large cells with few colours: what is left of clothes is light or dark, hardly a hue.

    The corners of the box, where a standing or riding person has no part, keep the street.
    """
    cell = max(3, round(height / BODY_ROWS))
    columns, rows = max(1, round(part.shape[1] / cell)), max(1, round(part.shape[0] / cell))
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.int16)
    lab[:, :, 0] = (lab[:, :, 0] + 12) // 24 * 24
    lab[:, :, 1:] = 128 + (lab[:, :, 1:] - 128) // 8 * 2
    few = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    across = np.abs((np.arange(columns) + 0.5) / columns * 2 - 1) ** 4
    down = np.abs((np.arange(rows) + 0.5) / rows * 2 - 1) ** 4
    size = part.shape[1], part.shape[0]
    shape = cv2.resize((down[:, None] + across[None] <= 1.1).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    cells = cv2.resize(few, size, interpolation=cv2.INTER_NEAREST)
    return np.where(shape[:, :, None] > 0, cells, part).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anonymised:
    """What `anonymise` made of pictures: one entry a picture in each."""

    pictures: tuple[PublishablePicture | None, ...]  # None where refused
    objections: tuple[str, ...]  # why it is refused; empty where it is not
    regions: tuple[FrameRegions, ...]  # as filled: what was given, and what the gate saw standing still


def anonymise(
    pictures: Sequence[Picture],
    regions: Sequence[FrameRegions],
    gate: Gate,
    *,
    window: Window,
    body: str = "pixel",
) -> Anonymised:
    """Fill every picture and return those in which the gate sees nothing uncovered, cut to `window`.

    Args:
        pictures: full-size frames of one scene.
        regions: what must not be seen in each of them, from `regions.find_regions`.
        gate: looks once more before anything is published.
        window: the part that is to be published.
        body: `evidence.body` of the settings.

    Raises:
        EvidenceRefused: the regions do not belong to these pictures.
    """
    if len(pictures) != len(regions):
        raise EvidenceRefused(f"{len(pictures)} pictures with regions for {len(regions)}", todo="No picture is written")
    if any(picture.shape != (known.height, known.width, 3) for picture, known in zip(pictures, regions, strict=True)):
        raise EvidenceRefused("regions of another size than their picture", todo="No picture is written")
    sighted = gate.search(pictures, window)
    still = steady(sighted)
    filled = [with_steady(known, fill_mask(known), still) for known in regions]
    masks = [fill_mask(known) for known in filled]
    objections = [objection(*each) for each in zip(sighted, filled, masks, strict=True)]
    published = [
        None if why else PublishablePicture(_VOUCHED, fill(picture, mask, known.bodies, body=body)).cropped(window)
        for picture, known, mask, why in zip(pictures, filled, masks, objections, strict=True)
    ]
    return Anonymised(pictures=tuple(published), objections=tuple(objections), regions=tuple(filled))


# --- encode: the only place that turns pixels into a file ------------------------------------------------------------


def jpeg(picture: PublishablePicture) -> bytes:
    """Encode a still: baseline order made progressive, no metadata of any kind, the same bytes for the same pixels."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture.pixels[:, :, ::-1]).save(
        buffer, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True, subsampling="4:2:0"
    )
    return buffer.getvalue()


def gif(pictures: Sequence[PublishablePicture], *, durations_ms: Sequence[int]) -> bytes:
    """Encode a clip that repeats, with one palette for all frames, so that nothing flickers.

    A pixel that hardly changes keeps its colour: a fixed camera's street stands still and costs no bytes.
    """
    import imageio.v3 as imageio
    from PIL import Image

    frames = [np.ascontiguousarray(picture.pixels[:, :, ::-1]) for picture in _steady(pictures)]
    sample = np.concatenate([frame[::2, ::2].reshape(-1, 3) for frame in frames])[None]
    palette = Image.fromarray(sample).quantize(colors=GIF_COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=1)
    indexed = np.stack(
        [np.asarray(Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)) for frame in frames]
    )
    return bytes(
        imageio.imwrite(
            "<bytes>",
            indexed,
            extension=".gif",
            plugin="pillow",
            mode="P",
            is_batch=True,
            palette=bytes(palette.getpalette() or []).ljust(768, b"\0"),
            duration=list(durations_ms),
            loop=0,
            optimize=False,
        )
    )


def _steady(pictures: Sequence[PublishablePicture], tolerance: int = 8) -> list[PublishablePicture]:
    """Take the sensor's noise out, in space and in time; only published pixels are mixed with published pixels."""
    steady: list[PublishablePicture] = []
    for picture in pictures:
        now = np.asarray(cv2.bilateralFilter(picture.pixels, 5, 20, 3), np.uint8)
        if steady:
            changed = np.abs(now.astype(np.int16) - steady[-1].pixels).max(axis=2, keepdims=True) > tolerance
            now = np.where(changed, now, steady[-1].pixels)
        steady.append(PublishablePicture(_VOUCHED, now))
    return steady


# --- pictures without tracks ----------------------------------------------------------------------------------------


def load_gate(finder: Finder) -> Gate:
    """Return the gate for a detector from `detect.model.load`. Raises `ModelUnusable` without the face detector."""
    return Gate(finder)


def anonymise_pictures(pictures: Sequence[Picture], gate: Gate, *, settings: EvidenceSettings) -> Evidence:
    """Anonymise the pictures of one case of the first QuitBoard: in order, `LEGACY_STEP_US` apart, without tracks.

    The detector looks at each; a picture in which it finds nobody shows, for all we know, somebody whom it missed.

    Args:
        pictures: (height, width, 3) BGR; those of another size than the middle one are left out.
        gate: from `load_gate`.
        settings: sizes, and what becomes of bodies.

    Returns:
        The still made from the picture nearest to the middle, and a clip where there are at least two; or the reason
        why there is none: a refusal never raises.
    """
    if not len(pictures):
        return Evidence(still=None, clip=None, note="no picture")
    middle = len(pictures) // 2
    near = sorted(sorted(range(len(pictures)), key=lambda index: abs(index - middle))[:MAX_LEGACY_FRAMES])
    near = [index for index in near if pictures[index].shape == pictures[middle].shape]
    chosen = [pictures[index] for index in near]
    height, width = chosen[0].shape[:2]
    looks = gate.look(chosen, (0, 0, width, height))
    known = [seen(index * LEGACY_STEP_US, found) for index, found in zip(near, looks, strict=True)]
    regions = find_regions(known, width=width, height=height)
    window = 0, round(CLOCK_SHARE * height), width, height - round(CLOCK_SHARE * height)
    made = anonymise(chosen, regions, gate, window=window, body=settings.body)
    kept = [
        (index, picture)
        for index, picture, region in zip(near, made.pictures, regions, strict=True)
        if picture is not None and len(region.bodies)
    ]
    if not kept:
        reason = next(filter(None, made.objections), "nobody was found in them")
        return Evidence(still=None, clip=None, note=f"no picture: none of {len(chosen)} may be shown ({reason})")
    still = min(kept, key=lambda item: (abs(item[0] - middle), item[0]))[1]
    still = still.resized(published_size(still.size, settings.still_px))
    frames = [picture.resized(published_size(picture.size, settings.clip_px)) for _, picture in kept]
    clip = gif(frames, durations_ms=[LEGACY_STEP_US // 1000] * len(frames)) if len(frames) > 1 else None
    return Evidence(still=jpeg(still), clip=clip, note="" if clip else "no clip: one picture may be shown")


def published_size(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """Return (width, height) in even px: the longer side at most `longest_px`, enlarged at most twice."""
    scale = min(longest_px / max(size), LARGEST_ENLARGEMENT)
    return max(2, int(size[0] * scale / 2) * 2), max(2, int(size[1] * scale / 2) * 2)
