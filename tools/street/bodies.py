"""Human bodies: CC0 shapes by MakeHuman (``bodies.npz``, see ``bake_bodies.py``), dressed, posed and skinned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tools.street.geometry import smooth_normals

BONES = [
    "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head",
    "clavicle_l", "upperarm_l", "lowerarm_l", "hand_l", "clavicle_r", "upperarm_r", "lowerarm_r", "hand_r",
    "thigh_l", "calf_l", "foot_l", "ball_l", "thigh_r", "calf_r", "foot_r", "ball_r",
]  # fmt: skip
BONE = {name: k for k, name in enumerate(BONES)}
SHAPES = (
    "man", "man-heavy", "man-slim", "man-strong", "man-tall", "man-old",
    "woman", "woman-slim", "woman-heavy", "woman-fit", "woman-old", "boy", "girl",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one person wears. Colours sRGB 0..1; ``sleeve`` 0 shoulder .. 1 wrist; ``trousers_end`` 0 ankle .. 1 hip."""

    shape: str = "man"  # one of SHAPES, or a blend of two: "man+woman-old"
    height_m: float = 1.72
    skin: tuple[float, float, float] = (0.80, 0.62, 0.50)
    hair: tuple[float, float, float] = (0.06, 0.05, 0.045)
    top: tuple[float, float, float] = (0.25, 0.3, 0.4)
    top2: tuple[float, float, float] = (0.9, 0.9, 0.9)
    pattern: int = 0  # 0 plain, 1 stripes, 2 checks, 3 print on the chest, 4 open jacket over top2
    bottom: tuple[float, float, float] = (0.12, 0.14, 0.2)
    shoes: tuple[float, float, float] = (0.9, 0.9, 0.9)
    sleeve: float = 0.95
    trousers_end: float = 0.05
    hem: float = 0.50
    loose: float = 1.0
    hair_volume: float = 1.0
    bald: bool = False
    long_hair: bool = False
    bun: bool = False
    head_wear: str = ""  # "", one of wear's helmets, "cap", "beanie", "hood", "bucket", ...
    head_wear_color: tuple[float, float, float] = (0.9, 0.9, 0.9)
    head_wear_color2: tuple[float, float, float] = (0.1, 0.1, 0.1)
    mask: tuple[float, float, float] | None = None
    glasses: bool = False
    backpack: tuple[float, float, float] | None = None
    gloves: bool = False
    ponytail: bool = False
    umbrella: tuple[float, float, float] | None = None
    bag: tuple[float, float, float] | None = None
    bag_kind: str = "crossbody"  # crossbody, tote, parcel
    skirt: float = 0.0  # length of a skirt's or coat's lower part, share of the height; in ``skirt_color``
    skirt_color: tuple[float, float, float] = (0.2, 0.2, 0.2)

    @property
    def helmeted(self) -> bool:
        return self.head_wear.startswith("helmet")

    @property
    def head(self) -> str:
        """What the head shows, in a word: helmet, an umbrella over it, a cap, a hood, ..., a bun, bare."""
        if self.helmeted:
            return "helmet"
        if self.umbrella is not None:
            return "umbrella"
        if self.head_wear and self.head_wear != "headphones":
            return self.head_wear.removesuffix("-back")
        return "bun" if self.bun and not self.bald else "bare"


@cache
def _data() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("bodies.npz")) as z:
        return {k: z[k] for k in z.files}


@cache
def coarse_triangles(cell_m: float = 0.03) -> np.ndarray:
    """The bodies' triangles after joining vertices within a cell (a third as wide at the head): for figures far away.

    Vertex clustering after Rossignac and Borrel (1993), on the one topology that all bodies share.
    """
    data = _data()
    rest, triangles = data["shapes"][0].astype(float), data["triangles"].astype(np.int64)
    fine = data["weights"][:, BONE["head"]] > 127
    cells = np.floor(rest / np.where(fine, cell_m / 3, cell_m)[:, None])
    _, first, member = np.unique(np.column_stack([cells, fine]), axis=0, return_index=True, return_inverse=True)
    joined = first[member.reshape(-1)][triangles]
    real = (joined[:, 0] != joined[:, 1]) & (joined[:, 1] != joined[:, 2]) & (joined[:, 2] != joined[:, 0])
    return joined[real]


def _step(a: float, b: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def hairline(hx: np.ndarray) -> np.ndarray:
    """Height of the hairline (head coordinates) for a place ``hx`` from the back (-1) to the face (1)."""
    return np.interp(hx, [-0.8, -0.35, -0.1, 0.25, 0.5, 0.9], [-0.55, -0.45, 0.02, 0.1, 0.42, 0.55])


class Body:
    """A dressed body in its rest pose.

    ``rest`` (n, 3) metres, ``joints`` (22, 3), ``region`` (n, 4): arm place, height share, head x, weight of the head;
    ``head`` (n, 3): head coordinates, 1 = half the head's height, x ahead.
    """

    def __init__(self, look: Look) -> None:
        data = _data()
        names = list(data["names"])
        blend = [names.index(name) for name in look.shape.split("+")]
        shape = np.mean([data["shapes"][k].astype(float) for k in blend], axis=0)
        scale = look.height_m / shape[:, 2].max()
        rest = shape * scale
        joints = np.mean([data["joints"][k].astype(float) for k in blend], axis=0) * scale
        self.look = look
        self.joints = joints[:22]
        self.parents = data["parents"].astype(int)
        self.triangles = data["triangles"].astype(np.int64)
        weights = data["weights"].astype(float)
        self.weights = weights / weights.sum(1, keepdims=True)
        self.height = look.height_m

        w = self.weights
        head_w = w[:, BONE["head"]]
        top = rest[:, 2].max()
        sure = head_w > 0.9
        chin = np.percentile(rest[sure & (rest[:, 0] > np.percentile(rest[sure, 0], 60)), 2], 3)
        self.head_half = (top - chin) / 2
        self.head_center = np.array([(rest[sure, 0].min() + rest[sure, 0].max()) / 2 - 0.004, 0.0, (top + chin) / 2])
        self.head = (rest - self.head_center) / self.head_half

        arm = np.full(len(rest), -0.2)
        for side in "lr":
            bones = [BONE[f"{b}_{side}"] for b in ("upperarm", "lowerarm", "hand")]
            share = w[:, bones].sum(1)
            a, b, c = (self.joints[i] for i in bones)
            l1, l2 = np.linalg.norm(b - a), np.linalg.norm(c - b)
            t1 = (rest - a) @ (b - a) / l1
            t2 = (rest - b) @ (c - b) / l2
            along = np.where(t1 < l1, t1, l1 + np.maximum(t2, 0)) / (l1 + l2)
            arm = np.where(share > 0.5, np.maximum(along, -0.2), arm)
        hip = self.joints[BONE["thigh_l"], 2]
        self.region = np.stack([arm, rest[:, 2] / self.height, rest[:, 2] / hip, head_w], 1)

        normals = smooth_normals(rest, self.triangles)
        grow = np.zeros(len(rest))
        z = rest[:, 2] / self.height
        leg = rest[:, 2] / hip
        body = (arm < 0.0) & (head_w < 0.3)
        neck = _step(0.845, 0.80, z)
        hem = look.hem + 0.0
        grow = np.where(body & (z > hem - 0.02), 0.016 * look.loose * neck, grow)
        grow = np.where(body & (z <= hem - 0.02), 0.008 + 0.007 * look.loose, grow)
        grow = np.where((arm >= 0) & (arm < look.sleeve), 0.004 + 0.009 * look.loose, grow)
        on_leg = (arm < 0) & (leg < 0.95)
        grow = np.where(on_leg & (leg > look.trousers_end), 0.007 + 0.010 * look.loose * _step(0.9, 0.3, leg), grow)
        grow = np.where(on_leg & (leg <= look.trousers_end), 0.0, grow)
        grow = np.where(z < 0.045, 0.012, grow)
        over = self.head[:, 2] - hairline(self.head[:, 0])
        if not look.bald:
            hair = _step(-0.02, 0.35, over) * _step(0.5, 0.9, head_w)
            grow = grow + (0.002 if look.head_wear else 0.019 * look.hair_volume) * hair
        self.rest = rest + normals * grow[:, None]
        self.normals = smooth_normals(self.rest, self.triangles)

        self._offset = self.rest[:, None, :] - self.joints[None]
        top_n = np.argsort(-self.weights, axis=1)[:, :4]
        picked = np.take_along_axis(self.weights, top_n, 1)
        self._bones4, self._w4 = top_n, picked / picked.sum(1, keepdims=True)

    def skin(self, turn: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and normals (n, 3) for global bone rotations (22, 3, 3) and joint places (22, 3)."""
        shift = joints - np.einsum("bij,bj->bi", turn, self.joints)
        affine = np.concatenate([turn, shift[:, :, None]], 2).reshape(22, 12)
        blend = np.einsum("nk,nkm->nm", self._w4, affine[self._bones4]).reshape(-1, 3, 4)
        points = np.einsum("nij,nj->ni", blend[:, :, :3], self.rest) + blend[:, :, 3]
        normals = np.einsum("nij,nj->ni", blend[:, :, :3], self.normals)
        return points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
