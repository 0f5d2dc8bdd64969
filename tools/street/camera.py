"""A pinhole camera: where a point of the street falls in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Camera:
    """``position`` and ``target`` in metres, ``focal_px`` at this ``width``; the axis is the picture's centre."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal_px: float
    width: int = 960
    height: int = 540
    roll: float = 0.0
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

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) and depth along the axis (n,) in metres; a depth <= 0 is behind the camera."""
        local = (np.asarray(points, float) - self.position) @ self.axes().T
        depth = local[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        px = local[:, :2] / safe[:, None] * self.focal_px + [self.width / 2, self.height / 2]
        return px, depth

    def to_ground(self, px: np.ndarray, z: float = 0.0) -> np.ndarray:
        """Where rays through pixels (n, 2) meet the plane at height ``z``: (n, 2) metres."""
        px = np.atleast_2d(np.asarray(px, float))
        local = np.concatenate([(px - [self.width / 2, self.height / 2]) / self.focal_px, np.ones((len(px), 1))], 1)
        rays = local @ self.axes()
        t = (z - self.position[2]) / rays[:, 2]
        return (np.asarray(self.position) + rays * t[:, None])[:, :2]

    def matrix(self) -> np.ndarray:
        """World to clip space (OpenGL, y up), 4x4."""
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
