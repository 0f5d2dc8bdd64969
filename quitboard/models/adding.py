"""Taking a stranger's model into a board: looked at as hostile, exported once, named, hashed, given a card.

An `.onnx` is data: it is parsed and run once in a process of its own, away from files that it could refer to, with a
limit of time. A `.pt` is a pickle, which is a program: before anything opens it, torch lists what it would import,
without importing it, and a file that asks for anything but the parts of a YOLO network is refused.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quitboard import files
from quitboard.detect import model
from quitboard.detect.card import role_named
from quitboard.detect.runtime import open_onnx
from quitboard.errors import ModelUnusable, UsageError
from quitboard.models import registry
from quitboard.records import ROLES, Role

MOST_BYTES = 500_000_000
LONGEST_S = 180
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_PARTS_OF_A_NETWORK = re.compile(
    r"(ultralytics\.nn\.(tasks|modules\.\w+)|ultralytics\.utils\.(loss|tal)|torch\.nn\.modules\.\w+)\.[A-Z]\w*"
    r"|ultralytics\.utils\.IterableSimpleNamespace|torch\.[A-Z]\w*Storage|torch\.(Size|device|dtype|float\d+|int\d+)"
    r"|collections\.OrderedDict|builtins\.(set|dict|list|slice)|pathlib\.\w+Path|argparse\.Namespace"
)


def add(weights: Path, name: str, *, board: Path, meant: Mapping[str, Role | None], licence: str, imgsz: int) -> Path:
    """Take a model into the board in folder `board` and return its folder.

    Args:
        weights: an `.onnx` or `.pt` file.
        name: for `--model`.
        meant: what class names (or numbers, where the file tells no names) mean: a role, or "" for nothing.
        licence: of the weights, as it is to stand in the card.
        imgsz: longest side of the network's input, in px.

    Raises:
        UsageError: no such file, the name is taken or not one, or `meant` names a class that does not exist.
        ModelUnusable: not a model, not a YOLO detection model, a dangerous file, or no class with a role.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name: lower-case letters, digits and hyphens", where="--name")
    if name in {known for one in registry.listed(board) for known in (one.alias, one.name)}:
        raise UsageError(f"there is a model called {name!r} already", where="--name", todo="Take another name")
    if not weights.is_file():
        raise UsageError("there is no such file", where=str(weights), todo="Check how it is spelt")
    if weights.suffix not in (".onnx", ".pt"):
        raise ModelUnusable("a model is an .onnx or a .pt file", where=weights.name, todo="Give one")
    if weights.stat().st_size > MOST_BYTES:
        raise ModelUnusable(f"larger than {MOST_BYTES // 1_000_000} MB", where=weights.name, todo="Export it smaller")
    own = board / registry.OWN
    own.mkdir(exist_ok=True)
    with (
        files.locked(own / ".lock", what="board's models"),
        tempfile.TemporaryDirectory(prefix=files.TEMPORARY_PREFIX, dir=own) as temporary,
    ):
        folder = Path(temporary) / name
        folder.mkdir()
        content = weights.read_bytes()
        files.write_bytes(folder / f"model{weights.suffix}", content)
        if weights.suffix == ".pt":
            refuse_programs(folder / "model.pt", shown=weights.name)
            files.write_bytes(folder / "model.onnx", model.onnx_bytes(folder / "model.pt"))
        names, classes = _looked_at(folder / "model.onnx", imgsz, shown=weights.name)
        roles = roles_of(names, classes, meant, shown=weights.name)
        files.write_text(folder / "card.toml", _card(folder, name, roles, licence, imgsz))
        files.write_text(folder / "CARD.md", _words(name, names, roles, licence, weights.name))
        model.load(folder, threads=1)
        shutil.move(folder, own / name)
    return own / name


def refuse_programs(path: Path, *, shown: str) -> None:
    """Refuse a `.pt` file that would import anything but parts of a network. Nothing of it is run or imported.

    Raises:
        ModelUnusable: it would, or it is not torch's archive.
    """
    if not zipfile.is_zipfile(path):
        raise ModelUnusable("not an archive as torch saves it", where=shown, todo="Save it with torch 1.6 or newer")
    torch = model.import_torch()
    try:
        asked = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception as error:  # whatever a crafted pickle makes the reader raise
        raise ModelUnusable(
            f"cannot be read safely ({type(error).__name__})", where=shown, todo="Do not use it"
        ) from None
    if strange := sorted(name for name in asked if not _PARTS_OF_A_NETWORK.fullmatch(name)):
        raise ModelUnusable(
            f"opening the file would run {', '.join(strange[:3])}",
            where=shown,
            todo="Do not open it anywhere. If its maker can be trusted, ask for an .onnx export",
        )


def _looked_at(path: Path, imgsz: int, *, shown: str) -> tuple[list[str], int]:
    """Open and run an `.onnx` in a process of its own; return its class names and how many classes it has."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    code = f"from quitboard.models.adding import look; look({str(path)!r}, {imgsz})"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            preexec_fn=limited,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelUnusable("the model does not finish a picture", where=shown, todo="Do not use it") from None
    last = done.stdout.strip().splitlines()[-1:] or ["{}"]
    told = json.loads(last[0]) if done.returncode == 0 else {"problem": "the runtime broke on it"}
    if "problem" in told:
        raise ModelUnusable(
            str(told["problem"]),
            where=shown,
            todo="Export it again as a YOLO detection model, without NMS in the graph",
        )
    return [str(one) for one in told["names"]], int(told["classes"])


def look(path: str, imgsz: int) -> None:
    """Print what a model is, as one line of JSON; for a process that may break."""
    try:
        _, network = open_onnx(Path(path), "auto", 1)
        height, width = network.canvas or (imgsz, imgsz)
        output = next(iter(network.infer(iter([np.full((1, 3, height, width), 0.5, np.float32)]))))
    except (ModelUnusable, RuntimeError) as error:
        sys.stdout.write(json.dumps({"problem": f"it is no model that runs here ({str(error)[:200]})"}))
        return
    if output.ndim != 2 or not 5 <= output.shape[0] <= 1004 or output.shape[0] >= output.shape[1]:
        what = f"its output {output.shape} is not that of a YOLO detection head (4 + classes, boxes)"
        sys.stdout.write(json.dumps({"problem": what}))
    elif not np.isfinite(output).all():
        sys.stdout.write(json.dumps({"problem": "it gives numbers that are none (nan or infinity)"}))
    else:
        sys.stdout.write(json.dumps({"names": network.names, "classes": output.shape[0] - 4}))


def roles_of(
    names: Sequence[str], classes: int, meant: Mapping[str, Role | None], *, shown: str
) -> tuple[Role | None, ...]:
    """Return what each of a model's classes means: as `meant` says, else by its name or a synonym of it.

    Raises:
        UsageError: `meant` names a class that does not exist.
        ModelUnusable: no class has a role, or the file tells no names and `meant` none either.
    """
    known = list(names) if len(names) == classes else [str(number) for number in range(classes)]
    if unknown := sorted(set(meant) - {*known, *map(str, range(classes))}):
        raise UsageError(
            f"the model has no class {', '.join(unknown)}", where="--roles", todo=f"It has {_listed(known)}"
        )
    roles = tuple(_role(name, number, meant) for number, name in enumerate(known))
    if not any(roles):
        raise ModelUnusable(
            f"nothing says what its classes mean: {_listed(known)}",
            where=shown,
            todo=f"Say it: --roles {known[0]}=person,...; roles are {', '.join(ROLES)}, and CLASS= for no meaning here",
        )
    return roles


def _role(name: str, number: int, meant: Mapping[str, Role | None]) -> Role | None:
    for told in (name, str(number)):
        if told in meant:
            return meant[told]
    return role_named(name)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _card(folder: Path, name: str, roles: Sequence[Role | None], licence: str, imgsz: int) -> str:
    weights = {path.name: files.sha256_file(path) for path in sorted(folder.glob("model.*"))}
    lines = [
        f"name = {json.dumps(name)}",
        f"licence = {json.dumps(licence, ensure_ascii=False)}",
        "classes = [" + ", ".join(json.dumps(role or "") for role in roles) + "]",
        f"imgsz = {imgsz}",
        "",
        "[weights]",
        *[f"{json.dumps(file)} = {json.dumps(sha256)}" for file, sha256 in weights.items()],
    ]
    return "\n".join(lines) + "\n"


def _words(name: str, names: Sequence[str], roles: Sequence[Role | None], licence: str, origin: str) -> str:
    pairs = [f"- {names[n] if n < len(names) else n}: {role}" for n, role in enumerate(roles) if role]
    lines = [
        f"# {name}",
        "",
        f"Added from `{origin}`. Licence of the weights: {licence or 'not stated'}.",
        "",
        "## What its classes mean here",
        "",
        *pairs,
        "",
        "## Measured",
        "",
        f"Nothing: this model is unmeasured. Measure it: `quitboard models evaluate PICTURES --model {name}`",
    ]
    return "\n".join(lines) + "\n"
