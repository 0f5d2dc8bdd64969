"""A camera with a lens: where a point of the street falls in the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Camera:
    """``position`` and ``target`` in metres, ``focal_px`` at this ``width``; the axis is the picture's centre.

    ``bend`` is the lens's one-parameter distortion in the division model of Fitzgibbon (CVPR 2001), in units of the
    focal length: a ray at tangent r falls at r' with r = r' / (1 + bend r'^2). Negative is a barrel, 0 a pinhole.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal_px: float
    width: int = 960
    height: int = 540
    roll: float = 0.0
    bend: float = 0.0
    near_m: float = 0.3
    far_m: float = 250.0

    def axes(self) -> np.ndarray:
        """Rows: right, down, ahead (3, 3)."""
        ahead = np.subtract(self.target, self.position).astype(float)
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        c, s = np.cos(self.roll), np.sin(self.roll)
        return np.array([c * right + s * down, -s * right + c * down, ahead])

    def bent(self, rays: np.ndarray) -> np.ndarray:
        """Tangents of rays against the axis (n, 2) -> where the lens puts them, still in focal lengths."""
        if not self.bend:
            return rays
        root = np.sqrt(1 - 4 * self.bend * (rays**2).sum(-1, keepdims=True))
        return rays * 2 / (1 + root)

    def straight(self, seen: np.ndarray) -> np.ndarray:
        """The inverse of ``bent``."""
        return seen / (1 + self.bend * (seen**2).sum(-1, keepdims=True))

    def pinhole(self) -> Camera:
        """The same camera without distortion and wide enough to hold everything this one sees."""
        if not self.bend:
            return self
        corner = np.array([[self.width, self.height]]) / 2 / self.focal_px
        wider = float((self.straight(corner) / corner).max())
        return replace(self, bend=0.0, focal_px=self.focal_px / max(wider, 1.0))

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) and depth along the axis (n,) in metres; a depth <= 0 is behind the camera."""
        local = (np.asarray(points, float) - self.position) @ self.axes().T
        depth = local[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        px = self.bent(local[:, :2] / safe[:, None]) * self.focal_px + [self.width / 2, self.height / 2]
        return px, depth

    def to_ground(self, px: np.ndarray, z: float = 0.0) -> np.ndarray:
        """Where rays through pixels (n, 2) meet the plane at height ``z``: (n, 2) metres."""
        px = np.atleast_2d(np.asarray(px, float))
        seen = (px - [self.width / 2, self.height / 2]) / self.focal_px
        local = np.concatenate([self.straight(seen), np.ones((len(px), 1))], 1)
        rays = local @ self.axes()
        t = (z - self.position[2]) / rays[:, 2]
        return (np.asarray(self.position) + rays * t[:, None])[:, :2]

    def matrix(self) -> np.ndarray:
        """World to clip space (OpenGL, y up), 4x4; of the pinhole, for no matrix can bend."""
        axes = self.axes() * np.array([[1], [-1], [-1]])
        view = np.eye(4)
        view[:3, :3] = axes
        view[:3, 3] = -axes @ np.asarray(self.position)
        n, f = self.near_m, self.far_m
        lens = np.zeros((4, 4))
        lens[0, 0] = 2 * self.focal_px / self.width
        lens[1, 1] = 2 * self.focal_px / self.height
        lens[2, 2], lens[2, 3], lens[3, 2] = -(f + n) / (f - n), -2 * f * n / (f - n), -1
        return lens @ view

    def warp(self) -> tuple[np.ndarray, np.ndarray]:
        """Maps for ``cv2.remap`` that turn the pinhole's picture into this lens's."""
        return _warp(self)


@lru_cache(maxsize=4)
def _warp(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    middle = np.array([camera.width / 2, camera.height / 2])
    seen = (np.stack([x, y], -1) - middle) / camera.focal_px
    px = camera.straight(seen) * camera.pinhole().focal_px + middle - 0.5
    return px[..., 0].astype(np.float32), px[..., 1].astype(np.float32)
